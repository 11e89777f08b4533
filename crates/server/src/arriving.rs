//! A capture that is read while it comes: a file that grows, and a reader that waits for it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How often who waits looks whether it shall go on.
const LOOK: Duration = Duration::from_millis(200);

/// A file that grows.
#[derive(Debug)]
pub(crate) struct Arriving {
    /// Open from the beginning: once it is whole it has another name.
    file: File,
    grown: Mutex<Grown>,
    /// There is more, or the end.
    more: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct Grown {
    /// How much is written, in bytes.
    len: u64,
    end: Option<End>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All is there, and the file has its name.
    Whole,
    /// It came no further.
    Cut,
}

impl Arriving {
    /// A file in which nothing is yet.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, grown: Mutex::default(), more: Condvar::new() })
    }

    /// Says that so many bytes more are written.
    pub(crate) fn grow(&self, bytes: u64) {
        self.lock().len += bytes;
        self.more.notify_all();
    }

    /// Says that no more comes. What was said first holds.
    pub(crate) fn end(&self, end: End) {
        self.lock().end.get_or_insert(end);
        self.more.notify_all();
    }

    /// Waits for the end; not longer than `is_over` lets it.
    pub(crate) fn wait(&self, is_over: impl Fn() -> bool) -> Option<End> {
        let mut grown = self.lock();
        while grown.end.is_none() && !is_over() {
            let waited = self.more.wait_timeout(grown, LOOK);
            grown = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        grown.end
    }

    /// Reads it as it comes, once, until `is_over` says that it shall not.
    pub(crate) fn reader<F: Fn() -> bool>(&self, is_over: F) -> io::Result<Reader<'_, F>> {
        Ok(Reader { arriving: self, file: self.file.try_clone()?, at: 0, is_over })
    }

    fn lock(&self) -> MutexGuard<'_, Grown> {
        // Nothing fails while it is locked.
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads what comes; at the end of what is there it waits.
pub(crate) struct Reader<'a, F> {
    arriving: &'a Arriving,
    file: File,
    at: u64,
    is_over: F,
}

impl<F: Fn() -> bool> Read for Reader<'_, F> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut grown = self.arriving.lock();
        while grown.len <= self.at {
            match grown.end {
                Some(End::Whole) => return Ok(0),
                Some(End::Cut) => return Err(io::Error::other("the upload ended early")),
                None if (self.is_over)() => return Err(io::Error::other("reading was stopped")),
                None => {}
            }
            let waited = self.arriving.more.wait_timeout(grown, LOOK);
            grown = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // What is being written is not there yet.
        let there = usize::try_from(grown.len - self.at).unwrap_or(usize::MAX);
        drop(grown);
        let len = bytes.len().min(there);
        let n = self.file.read(&mut bytes[..len])?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, thread};

    use super::*;

    #[test]
    fn what_comes_in_pieces_is_read_whole() {
        let path = std::env::temp_dir().join(format!("tractor-arriving-{}", std::process::id()));
        let mut file = File::create(&path).unwrap();
        let arriving = Arriving::new(&path).unwrap();
        // Whoever reads may come when it has its name, or none.
        fs::remove_file(&path).unwrap();
        let read = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut read = Vec::new();
                let end = arriving.reader(|| false).unwrap().read_to_end(&mut read);
                (end.is_ok(), read)
            });
            for piece in [&b"one "[..], b"two ", b"three"] {
                file.write_all(piece).unwrap();
                arriving.grow(piece.len() as u64);
            }
            arriving.end(End::Whole);
            // It has ended already.
            arriving.end(End::Cut);
            reader.join().unwrap()
        });
        assert_eq!(read, (true, b"one two three".to_vec()));
    }
}
