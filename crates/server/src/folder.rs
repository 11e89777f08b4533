//! A folder of captures: its files by name, and none outside it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use engine::FileEntry;

/// A folder of captures.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// Its path, absolute and without symbolic links.
    path: PathBuf,
}

impl Folder {
    /// Opens the folder, making it where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.canonicalize()? })
    }

    /// The files that lie in it now: neither hidden ones nor those of folders below.
    ///
    /// A file whose name is not UTF-8 cannot be asked for in JSON and is left out.
    pub(crate) fn files(&self) -> io::Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let Ok(file_name) = entry?.file_name().into_string() else { continue };
            if file_name.starts_with('.') {
                continue;
            }
            // What vanished since, or leads out of the folder, is not there.
            let Ok(path) = self.find(&file_name) else { continue };
            let Ok(metadata) = path.metadata() else { continue };
            files.push(FileEntry { file_name, bytes: metadata.len() });
        }
        Ok(files)
    }

    /// Opens one of its files.
    pub(crate) fn file(&self, file_name: &str) -> io::Result<File> {
        File::open(self.find(file_name)?)
    }

    /// Where a file really lies, if that is in the folder and a file.
    fn find(&self, file_name: &str) -> io::Result<PathBuf> {
        if !is_plain_name(file_name) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "that is a path, no file name",
            ));
        }
        let path = self.path.join(file_name).canonicalize()?;
        // A pipe or device would be waited for.
        if !path.starts_with(&self.path) || !path.is_file() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such file"));
        }
        Ok(path)
    }
}

/// Whether a name says nothing of folders.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\\', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(is_plain_name(name), expected, "{name}");
    }

    #[test]
    fn a_name_leads_nowhere() {
        check("office.pcapng", true);
        check("a..b.pcap", true);
        check("", false);
        check("..", false);
        check("../office.pcapng", false);
        check("/etc/passwd", false);
        check("a\\b.pcap", false);
    }
}
