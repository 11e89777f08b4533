//! Captures read piece by piece into the engine, from files and whatever else can be read, on any number of threads.

mod threads;

use std::{
    fs::File,
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Read},
    path::Path,
    thread,
};

use engine::{Analysis, FRONT_LEN, Job, Progress, Rules};

/// How much of a capture is read at once, in bytes: what is read is still in the processor's cache when it is looked at.
pub const CHUNK_LEN: usize = 1 << 18;

/// What a reader fails with, inside an [`io::Error`], that was told to stop: what it gave before stays, and the analysis says
/// that it was stopped.
#[derive(Debug, thiserror::Error)]
#[error("the reading was stopped")]
pub struct Stopped;

/// Whether a reader failed because it was told to stop.
pub(crate) fn is_stop(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|it| it.is::<Stopped>())
}

/// Reads a capture file on so many threads; how many never shows.
///
/// # Errors
/// Where the file cannot be opened or read. A damaged capture is no error: its analysis has a notice.
pub fn analyse(path: &Path, name: &str, rules: &Rules, n_threads: usize) -> io::Result<Analysis> {
    read(File::open(path)?, name, rules, n_threads)
}

/// Reads a capture to its end, or to where it stops being one. What was read before the reader fails is kept.
///
/// # Errors
/// Where the reader fails before it gave a frame, but not where it was [`Stopped`].
pub fn read(
    reader: impl Read + Send,
    name: &str,
    rules: &Rules,
    n_threads: usize,
) -> io::Result<Analysis> {
    read_telling(reader, name, rules, n_threads, &|_| {})
}

/// The same, and says again and again how far it is.
///
/// # Errors
/// As [`read`].
pub fn read_telling(
    mut reader: impl Read + Send,
    name: &str,
    rules: &Rules,
    n_threads: usize,
    tell: &(dyn Fn(Progress) + Sync),
) -> io::Result<Analysis> {
    if n_threads > 1 && rules.max_flows.is_none() {
        return threads::read(reader, name, rules, n_threads, tell);
    }
    let mut job = Job::with_rules(name, run_seed(), rules);
    match feed(&mut job, &mut reader, tell) {
        Err(error) if is_stop(&error) => return Ok(job.finish(true)),
        Err(error) if job.progress().frames == 0 => return Err(error),
        Err(error) => job.interrupt(&error.to_string()),
        Ok(()) => {}
    }
    Ok(job.finish(false))
}

/// Feeds a job to the end of the reader, or to where that stops being a capture: the job keeps an error of the capture and says
/// it in the analysis.
fn feed(job: &mut Job, reader: &mut impl Read, tell: &dyn Fn(Progress)) -> io::Result<()> {
    while job.fill(CHUNK_LEN, |room| next_chunk(reader, room))? > 0 {
        tell(job.progress());
    }
    Ok(())
}

/// Several files read as one capture, one after the other: flows that go on from file to file are one.
pub struct AsOne {
    rules: Rules,
    job: Option<Job>,
    is_stopped: bool,
}

impl AsOne {
    /// By these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules, job: None, is_stopped: false }
    }

    /// Reads the next file to its end, or to where it stops being a capture; files come in the order of their first times.
    /// Where its reader fails, what was read of it is kept, and the analysis says so.
    pub fn read(&mut self, mut reader: impl Read, name: &str) {
        if let Some(job) = &mut self.job {
            job.next_file(name);
        }
        let new = || Job::with_rules(name, run_seed(), &self.rules);
        let job = self.job.get_or_insert_with(new);
        match feed(job, &mut reader, &|_| {}) {
            Err(error) if is_stop(&error) => self.is_stopped = true,
            Err(error) => job.interrupt(&error.to_string()),
            Ok(()) => {}
        }
    }

    /// Whether a reader was told to stop: no other file is wanted.
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// What was found; `None` where no file was read.
    pub fn finish(self) -> Option<Analysis> {
        Some(self.job?.finish(self.is_stopped))
    }
}

/// When a capture file began, as far as its front tells.
///
/// # Errors
/// Where the file cannot be opened or read.
pub fn first_time(path: &Path) -> io::Result<Option<u64>> {
    let mut front = Vec::new();
    File::open(path)?.take(FRONT_LEN).read_to_end(&mut front)?;
    Ok(engine::first_time(&front))
}

/// Reads the next bytes there are to the front of a chunk; how many there were, 0 at the end.
///
/// # Errors
/// Where the reader fails, but not where it was interrupted.
pub fn next_chunk(reader: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// How many threads the machine runs at once.
pub fn n_cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A number nobody can foresee; see [`Job::new`].
pub fn run_seed() -> u64 {
    // The standard library's hasher has keys of its own from the system's source of randomness.
    RandomState::new().build_hasher().finish()
}
