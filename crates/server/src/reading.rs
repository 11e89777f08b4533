//! Capture files read piece by piece into the engine.

use std::{
    fs::File,
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Read},
    path::Path,
};

use engine::{Analysis, Apart, Job};

/// How much of a capture is read at once, in bytes.
pub const CHUNK_LEN: usize = 1 << 20;

/// Reads a capture file.
///
/// # Errors
/// Where the file cannot be opened or read. A damaged capture is no error: its analysis has a notice.
pub fn analyse(path: &Path, name: &str, apart: Apart) -> io::Result<Analysis> {
    read(File::open(path)?, name, apart)
}

/// Reads a capture to its end, or to where it stops being one. What was read before the reader fails is kept.
///
/// # Errors
/// Where the reader fails before it gave a frame.
pub fn read(mut reader: impl Read, name: &str, apart: Apart) -> io::Result<Analysis> {
    let mut job = Job::apart(name, run_seed(), apart);
    let mut chunk = vec![0; CHUNK_LEN];
    loop {
        let len = match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if job.progress().frames == 0 => return Err(error),
            Err(error) => {
                job.interrupt(&error.to_string());
                break;
            }
        };
        // The job keeps its error and says it in the analysis.
        if job.feed(&chunk[..len]).is_err() {
            break;
        }
    }
    Ok(job.finish(false))
}

/// A number nobody can foresee; see [`Job::new`].
pub fn run_seed() -> u64 {
    // The standard library's hasher has keys of its own from the system's source of randomness.
    RandomState::new().build_hasher().finish()
}
