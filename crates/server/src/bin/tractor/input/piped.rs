//! Standard input, or a pipe with a name, read by a thread of its own: a stop is heard while nothing comes.

use std::{
    io::{self, Read},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use reader::Stopped;

use crate::stop;

/// How much is read at once, in bytes: what a pipe holds on Linux.
const CHUNK_LEN: usize = 1 << 16;
/// How many chunks may wait.
const MAX_WAITING: usize = 16;
/// How often it is looked whether the user asked to stop.
const TICK: Duration = Duration::from_millis(50);
/// How long is waited for the end then: whoever writes the pipe was told to stop as well, and gives what it still has.
const GRACE: Duration = Duration::from_millis(500);

/// What comes out of a pipe.
pub(super) struct Piped {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    /// When the user's asking to stop was first seen.
    asked: Option<Instant>,
}

impl Piped {
    /// Opens the pipe, which may take until somebody writes it, and reads it.
    pub(super) fn new<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static) -> Self {
        let (sender, chunks) = mpsc::sync_channel(MAX_WAITING);
        // It may wait for bytes when the program ends, and ends with it.
        thread::spawn(move || {
            let mut input = match open() {
                Ok(input) => input,
                // Nobody waits for it any more, or somebody does.
                Err(error) => return drop(sender.send(Err(error))),
            };
            loop {
                let mut chunk = vec![0; CHUNK_LEN];
                let read = input.read(&mut chunk).map(|len| {
                    chunk.truncate(len);
                    chunk
                });
                let is_interrupted =
                    read.as_ref().is_err_and(|it| it.kind() == io::ErrorKind::Interrupted);
                let is_end = !is_interrupted && read.as_ref().map_or(true, Vec::is_empty);
                if (!is_interrupted && sender.send(read).is_err()) || is_end {
                    return;
                }
            }
        });
        Self { chunks, chunk: io::Cursor::default(), asked: None }
    }
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.chunk.read(buffer)?;
            if len > 0 {
                return Ok(len);
            }
            if stop::is_asked() && self.asked.get_or_insert_with(Instant::now).elapsed() >= GRACE {
                return Err(io::Error::other(Stopped));
            }
            match self.chunks.recv_timeout(TICK) {
                Ok(Ok(chunk)) if chunk.is_empty() => return Ok(0),
                Ok(Ok(chunk)) => self.chunk = io::Cursor::new(chunk),
                Ok(Err(error)) => return Err(error),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}
