//! What was processed, so that a watch that begins again does not do everything again.
//!
//! A line a capture, added once its result is whole: when the program or the machine fails in between, the capture is
//! processed again. The file is locked as long as the watch lasts.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    fs::{File, OpenOptions, TryLockError},
    hash::{Hash, Hasher},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::Version;
use crate::{Error, voice::words};

/// What it is called in the folder of results.
const NAME: &str = ".tractor-watch";

/// A capture that was processed.
#[derive(Clone, Serialize, Deserialize)]
struct Line {
    /// How it lies below the folder.
    capture: String,
    len: u64,
    changed_ns: u64,
    /// Whether all of it was read.
    is_whole: bool,
    /// What its result depends on besides.
    how: u64,
}

/// The captures that were processed.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    how: u64,
    processed: BTreeMap<String, Line>,
}

impl Journal {
    /// Reads the journal of a folder of results. What was processed otherwise than `how` does not count.
    ///
    /// # Errors
    /// Where it cannot be opened, or another watch has it.
    pub(super) fn open(results: &Path, how: &str) -> Result<Self, Error> {
        let path = results.join(NAME);
        let failed = |source| Error::Write { to: path.display().to_string(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let results = results.display();
                return Err(Error::Start(words(
                    format!(
                        "another watch writes its results into {results}; end it first, or give another folder by --out"
                    ),
                    format!(
                        "в {results} уже пишет другой watch; завершите его или укажите другую папку: --out"
                    ),
                )));
            }
            // Where files cannot be locked there is no telling.
            Err(TryLockError::Error(_)) => {}
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let how = hash(how);
        let mut processed = BTreeMap::new();
        // A line that was cut is of a capture that is processed again.
        for line in text.split(|it| *it == b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(line) {
                processed.insert(line.capture.clone(), line);
            }
        }
        processed.retain(|_, it| it.how == how);
        let mut journal = Self { path: path.clone(), file, how, processed };
        journal.rewrite().map_err(failed)?;
        Ok(journal)
    }

    /// Forgets what has no meaning any more.
    fn rewrite(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        for line in self.processed.values() {
            push(&mut text, line)?;
        }
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)
    }

    /// Whether all of this version of a capture was read; `None` where it was not processed.
    pub(super) fn processed(&self, capture: &Path, version: Version) -> Option<bool> {
        let line = capture.to_str().and_then(|it| self.processed.get(it))?;
        let is_same = (line.len, line.changed_ns) == (version.len, version.changed_ns);
        is_same.then_some(line.is_whole)
    }

    /// Keeps that this version of a capture was processed.
    pub(super) fn note(
        &mut self,
        capture: &Path,
        version: Version,
        is_whole: bool,
    ) -> Result<(), Error> {
        // A name that is no text is forgotten at the end.
        let Some(capture) = capture.to_str() else { return Ok(()) };
        let Version { len, changed_ns } = version;
        let capture = capture.to_owned();
        let line = Line { capture, len, changed_ns, is_whole, how: self.how };
        let mut text = Vec::new();
        let written = push(&mut text, &line).and_then(|()| self.file.write_all(&text));
        self.processed.insert(line.capture.clone(), line);
        written.map_err(|source| Error::Write { to: self.path.display().to_string(), source })
    }
}

fn push(text: &mut Vec<u8>, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *text, line)?;
    text.push(b'\n');
    Ok(())
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
