//! Recording: what tcpdump or dumpcap writes becomes a pcapng while it comes.

use std::{
    fs::{File, OpenOptions},
    io::{BufReader, BufWriter, Read},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::channel,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    inside,
    machine::{Recorder, said},
    pcapng::{self, Section},
    plan, say,
};
use crate::Error;

/// How long a recorder may take to begin.
const MAX_START: Duration = Duration::from_secs(10);
/// How long it must be quiet before nothing more is waited for.
const QUIET: Duration = Duration::from_millis(300);
/// How long the last packets are waited for.
const MAX_END: Duration = Duration::from_secs(5);
/// How often the counts are compared.
const LOOK: Duration = Duration::from_millis(50);

/// A recorder that runs, and what it has written so far.
pub(super) struct Recording {
    name: String,
    tool: &'static str,
    child: Child,
    /// Turns what is recorded into a pcapng; says at the end how many frames there are.
    writer: JoinHandle<Result<u64, pcapng::Error>>,
    /// Keeps what the recorder says.
    listener: JoinHandle<String>,
    n_frames: Arc<AtomicU64>,
    /// Frames that passed the interface before.
    n_before: u64,
}

impl Recording {
    /// Begins to record into a file that is not there yet, and waits until every packet is recorded.
    ///
    /// # Errors
    ///
    /// When the recorder cannot be run or does not begin.
    pub(super) fn start(
        name: &str,
        recorder: Recorder,
        section: Section,
        path: &Path,
    ) -> Result<Self, Error> {
        let words = plan::recorder(name, recorder);
        say(&format!("+ {} &", plan::shown(&words)));
        let tool = recorder.name();
        let failed = |why: String| Error::Start(format!("{tool} cannot record: {why}"));
        let (program, arguments) =
            words.split_first().ok_or_else(|| failed("nothing to run".to_owned()))?;
        let to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(path)
            .map_err(|source| Error::Write { to: path.display().to_string(), source })?;
        let mut child = Command::new(program)
            .args(arguments)
            // Ctrl-C at a terminal goes to the whole group, and the last packets are still to come.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|it| failed(it.to_string()))?;
        let (Some(pcap), Some(words)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed("it has no output".to_owned()));
        };
        let listener = thread::spawn(|| listen(words));
        let n_frames = Arc::new(AtomicU64::new(0));
        let (began, begins) = channel();
        let counted = Arc::clone(&n_frames);
        let writer = thread::spawn(move || {
            let told = |n| {
                counted.store(n, Ordering::Relaxed);
                if n == 0 {
                    // Nobody waits for it any more where it comes too late.
                    let _ = began.send(());
                }
            };
            copy(pcap, to, &section, told)
        });
        let mut recording =
            Self { name: name.to_owned(), tool, child, writer, listener, n_frames, n_before: 0 };
        if let Err(why) = begins.recv_timeout(MAX_START) {
            let said = recording.kill();
            return Err(failed(if said.is_empty() { why.to_string() } else { said }));
        }
        recording.n_before = passed(name);
        Ok(recording)
    }

    /// Its process.
    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it ended by itself, which it should not.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None)) || self.writer.is_finished()
    }

    /// Waits for the last packets and ends. Frames that were recorded, and frames that were lost.
    ///
    /// # Errors
    ///
    /// When it ended before, or what it wrote could not be written further.
    pub(super) fn finish(mut self) -> Result<(u64, u64), Error> {
        let has_ended = self.has_ended();
        let passed = if has_ended { 0 } else { self.wait_for_the_last() };
        // Once it was waited for, its number may be somebody else's.
        if matches!(self.child.try_wait(), Ok(None)) {
            inside::tell("-TERM", &[self.child.id()]);
        }
        let mut waited = Duration::ZERO;
        while waited < MAX_END && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(LOOK);
            waited += LOOK;
        }
        let _ = self.child.kill();
        let status: Option<ExitStatus> = self.child.wait().ok();
        let said = self.listener.join().unwrap_or_default();
        let written = self.writer.join();
        let failed = |why: String| {
            Error::Start(format!("recording ended early, what was recorded is kept: {why}"))
        };
        match written {
            Ok(Ok(n)) if !has_ended => Ok((n, passed.saturating_sub(n))),
            Ok(Ok(_)) => {
                let status = status.map(|it| it.to_string()).unwrap_or_default();
                Err(failed(format!("{} ended ({status}): {said}", self.tool)))
            }
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("its writer panicked".to_owned())),
        }
    }

    /// Ends it at once. Why it did not record, as far as it said so.
    pub(super) fn kill(mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        match self.writer.join() {
            Ok(Err(error)) => error.to_string(),
            _ => self.listener.join().unwrap_or_default(),
        }
    }

    /// Waits until as many frames are recorded as passed the interface, and no more come. How many passed.
    fn wait_for_the_last(&self) -> u64 {
        let (mut waited, mut quiet) = (Duration::ZERO, Duration::ZERO);
        let mut n = passed(&self.name);
        while waited < MAX_END {
            thread::sleep(LOOK);
            waited += LOOK;
            let now = passed(&self.name);
            quiet = if now == n { quiet + LOOK } else { Duration::ZERO };
            n = now;
            let n_recorded = self.n_frames.load(Ordering::Relaxed);
            if quiet >= QUIET && n_recorded >= n.saturating_sub(self.n_before) {
                break;
            }
        }
        n.saturating_sub(self.n_before)
    }
}

fn copy(
    pcap: impl Read,
    to: File,
    section: &Section,
    told: impl FnMut(u64),
) -> Result<u64, pcapng::Error> {
    let mut pcap = BufReader::with_capacity(1 << 16, pcap);
    pcapng::copy(&mut pcap, &mut BufWriter::with_capacity(1 << 16, to), section, told)
}

/// The last words of a recorder. All are read, so that it never waits for us.
fn listen(mut from: impl Read) -> String {
    /// How much is kept, in bytes.
    const MAX_LEN: usize = 2_000;
    let mut kept = Vec::new();
    let mut bytes = [0; 1_000];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        kept.extend(bytes.iter().take(n));
        kept.drain(..kept.len().saturating_sub(MAX_LEN));
    }
    String::from_utf8_lossy(&kept).trim().replace('\n', "; ")
}

/// Frames that passed the interface inside, in either direction.
fn passed(name: &str) -> u64 {
    let text = said(&format!("ip -j -s -n {name} link show dev {name}1"));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let count = |side| value.pointer(&format!("/0/stats64/{side}/packets"))?.as_u64();
    ["rx", "tx"].into_iter().filter_map(count).sum()
}
