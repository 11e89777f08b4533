//! Captures as the command line names them: files, folders of them and standard input.

use std::{
    ffi::OsStr,
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use clap::Args;
use v1::Notice;

use crate::{
    Error,
    voice::{self, words},
};

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";
/// What captures are called in folders, before what packs them.
const NAMES: &[&str] = &["pcap", "pcapng", "cap", "dmp", "ntar"];
/// What packs captures.
const PACKINGS: &[&str] = &["gz", "zst"];

/// What is to be read.
#[derive(Args)]
pub(crate) struct Captures {
    /// Capture files, read in this order; of a folder those below it by their names, in order of their paths; - reads standard
    /// input.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
}

/// The files that were named.
pub(crate) struct Files {
    /// In the order they are read.
    pub(crate) paths: Vec<PathBuf>,
    /// How many of what was named cannot be read; it was said.
    pub(crate) n_missing: u64,
}

impl Captures {
    /// These files and folders.
    pub(crate) fn of(captures: Vec<PathBuf>) -> Self {
        Self { captures }
    }

    /// Whether one file was named, and no folder.
    pub(crate) fn is_one_file(&self) -> bool {
        matches!(&*self.captures, [it] if !it.is_dir())
    }

    /// The files; of folders those in them.
    ///
    /// # Errors
    /// Where standard input is named twice, or is a terminal.
    pub(crate) fn files(&self) -> Result<Files, Error> {
        let n_inputs = self.captures.iter().filter(|it| is_standard_input(it)).count();
        if n_inputs > 0 && io::stdin().is_terminal() {
            let (en, ru) = (
                "standard input is a terminal; pipe a capture into it: tcpdump -w - | tractor …",
                "стандартный ввод - терминал; направьте в него снимок: tcpdump -w - | tractor …",
            );
            return Err(Error::Usage(words(en, ru).to_owned()));
        }
        if n_inputs > 1 {
            let (en, ru) =
                ("standard input can be read once", "стандартный ввод читается один раз");
            return Err(Error::Usage(words(en, ru).to_owned()));
        }
        let mut files = Files { paths: Vec::new(), n_missing: 0 };
        for named in &self.captures {
            if !named.is_dir() {
                files.paths.push(named.clone());
                continue;
            }
            let below = Below::of(named);
            for (path, error) in &below.unread {
                cannot_read(path, &error.to_string());
            }
            files.n_missing += below.unread.len() as u64;
            let n_before = files.paths.len();
            files.paths.extend(below.files.into_iter().filter(|it| is_capture(it)));
            if files.paths.len() == n_before && below.unread.is_empty() {
                let names = NAMES.join(", .");
                cannot_read(
                    named,
                    &words(
                        format!("no file in this folder is called .{names}, packed or not"),
                        format!(
                            "в этой папке ни один файл не называется .{names}, даже в сжатом виде"
                        ),
                    ),
                );
                files.n_missing += 1;
            }
        }
        Ok(files)
    }
}

impl Files {
    /// Sees to it that the output is none of the captures, which would be gone before it is read.
    ///
    /// # Errors
    /// Where it is.
    pub(crate) fn spare(&self, output: Option<&Path>) -> Result<(), Error> {
        let Some(output) = output.and_then(|it| it.canonicalize().ok()) else { return Ok(()) };
        if !self.paths.iter().any(|it| it.canonicalize().is_ok_and(|it| it == output)) {
            return Ok(());
        }
        let (en, ru) = (
            "the capture would be overwritten while it is read: give another name with -o",
            "снимок был бы затёрт, пока читается: дайте другое имя после -o",
        );
        Err(Error::Usage(words(en, ru).to_owned()))
    }
}

/// Says that a file or folder cannot be read, and why.
pub(crate) fn cannot_read(path: &Path, why: &str) {
    voice::notice(&path.to_string_lossy(), &Notice::new("E-IO", "", vec![why.into()]));
}

/// Whether this stands for standard input.
pub(crate) fn is_standard_input(capture: &Path) -> bool {
    capture.as_os_str() == STANDARD_INPUT
}

/// Whether a file is a capture by its name: `a.pcap`, `a.pcapng.gz`; and as recorders and `logrotate` number files,
/// `a.pcap3` and `a.pcap.3`.
pub(crate) fn is_capture(path: &Path) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let mut name = path.to_owned();
    if PACKINGS.contains(&&*extension(&name)) || is_number(&extension(&name)) {
        name.set_extension("");
        // A numbered one may be packed, too.
        if is_number(&extension(&name)) {
            name.set_extension("");
        }
    }
    let extension = extension(&name);
    NAMES.contains(&extension.trim_end_matches(|it: char| it.is_ascii_digit()))
}

/// What a file's name ends with, in small letters.
pub(crate) fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// What lies below a folder.
pub(crate) struct Below {
    /// Its files, in order of their paths; neither hidden ones nor what would be waited for, as a pipe would.
    pub(crate) files: Vec<PathBuf>,
    /// Folders that cannot be read.
    pub(crate) unread: Vec<(PathBuf, io::Error)>,
}

impl Below {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut below = Self { files: Vec::new(), unread: Vec::new() };
        below.add(folder);
        below
    }

    fn add(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.unread.push((folder.to_owned(), error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if is_hidden(&entry.file_name()) {
                continue;
            }
            // A link to a folder is no folder: it may lead back here.
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                self.add(&path);
            } else if path.is_file() {
                self.files.push(path);
            }
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(is_capture(Path::new(name)), expected, "{name}");
    }

    #[test]
    fn captures_are_told_by_their_names() {
        check("a/b.PCAP", true);
        check("b.pcapng.zst", true);
        check("b.gz", false);
        check("pcap", false);
        check("b.pcap.jsonl", false);
    }

    #[test]
    fn captures_that_are_numbered_are_captures() {
        check("b.pcap0", true);
        check("b.pcap12.gz", true);
        check("b.pcap.3", true);
        check("b.pcap.3.gz", true);
        check("b.3", false);
        check("b.gz.3", false);
    }
}
