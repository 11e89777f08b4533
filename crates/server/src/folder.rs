//! A folder of captures: its files by name, those of folders below it too, and none outside it.
//!
//! A file's name is its path from the folder on, with `/` between folders. What is hidden is no capture. A name that is no
//! UTF-8 is shown with `\xff` for each byte that is none, and found by that.

use std::{
    ffi::OsString,
    fs::{self, DirEntry, File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

/// What names of files begin with that are being uploaded.
const PART: &str = ".upload-";
/// How deep folders are looked into.
const MAX_DEPTH: usize = 32;
/// How long what was seen of files may be told again: so many times as long as it took to see it, and this at least. That
/// files came or went their folders tell at once.
const AGE_OF_SCAN: u32 = 20;
const MIN_AGE: Duration = Duration::from_millis(1);
/// So many files are asked for by one thread alone when a folder is read.
const MANY: usize = 2_500;
/// A folder changed so shortly before it was read may have changed since: clocks of file systems are coarse.
const COARSE: Duration = Duration::from_millis(20);

/// A folder of captures.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// Its path, absolute and without symbolic links.
    path: PathBuf,
}

/// What tells a file from what it was before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Its length, in bytes.
    pub(crate) bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub(crate) modified_ns: u64,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFile {
    #[error("it leads out of the folder, or to what is hidden")]
    BadName,
    #[error("there is no such file")]
    Missing,
    #[error(transparent)]
    Unreadable(#[from] io::Error),
}

/// What lay in the folder when it was read.
pub(crate) struct Scan {
    /// The files, by their names.
    pub(crate) files: Vec<(String, Stamp)>,
    /// The folders, and when each was changed last.
    folders: Vec<(PathBuf, SystemTime)>,
    /// When the files were asked for their stamps, and how long that and reading the folders took.
    at: Instant,
    took: Duration,
    is_certain: bool,
}

impl Scan {
    /// Whether what was seen of files is to be told still.
    fn is_young(&self) -> bool {
        self.at.elapsed() < MIN_AGE.max(self.took * AGE_OF_SCAN)
    }

    /// One of the files.
    pub(crate) fn stamp(&self, name: &str) -> Option<Stamp> {
        let at = self.files.binary_search_by(|it| it.0.as_str().cmp(name)).ok()?;
        self.files.get(at).map(|it| it.1)
    }

    /// Whether it is to be told still.
    pub(crate) fn is_fresh(&self) -> bool {
        let is_as_it_was = |(path, changed): &(PathBuf, SystemTime)| {
            let found = fs::metadata(path).and_then(|it| it.modified());
            found.is_ok_and(|it| it == *changed)
        };
        self.is_certain && self.is_young() && self.folders.iter().all(is_as_it_was)
    }
}

impl Folder {
    /// Opens the folder, making it where it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.canonicalize()? })
    }

    /// Reads what lies in it now. What was seen of files a moment before is taken from there.
    pub(crate) fn scan(&self, before: Option<&Scan>) -> io::Result<Scan> {
        let young = before.filter(|it| it.is_young());
        let begun = Instant::now();
        let mut scan = Scan {
            files: Vec::new(),
            folders: Vec::new(),
            at: young.map_or(begun, |it| it.at),
            took: Duration::ZERO,
            is_certain: true,
        };
        let now = SystemTime::now();
        let mut found = Vec::new();
        let mut waiting = vec![(self.path.clone(), String::new(), 0)];
        while let Some((path, before, depth)) = waiting.pop() {
            let read =
                fs::metadata(&path).and_then(|it| Ok((it.modified()?, fs::read_dir(&path)?)));
            let (changed, entries) = match read {
                Ok(it) => it,
                // One below may have gone meanwhile, or be somebody else's.
                Err(_) if depth > 0 => continue,
                Err(error) => return Err(error),
            };
            let is_long_ago = now.duration_since(changed).is_ok_and(|it| it > COARSE);
            scan.is_certain &= is_long_ago;
            scan.folders.push((path, changed));
            for entry in entries {
                let entry = entry?;
                let name = shown(entry.file_name());
                if name.starts_with('.') {
                    continue;
                }
                let name = format!("{before}{name}");
                // What went since is not there.
                let Ok(kind) = entry.file_type() else { continue };
                if !kind.is_dir() {
                    found.push((name, entry, kind.is_symlink()));
                } else if depth < MAX_DEPTH {
                    waiting.push((entry.path(), format!("{name}/"), depth + 1));
                }
            }
        }
        scan.files = self.stamped(found, young);
        scan.files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        scan.took = young.map_or(begun.elapsed(), |it| it.took);
        Ok(scan)
    }

    /// Those of what was found that are files; of many some at a time, for each is a question to the system.
    fn stamped(
        &self,
        mut found: Vec<(String, DirEntry, bool)>,
        young: Option<&Scan>,
    ) -> Vec<(String, Stamp)> {
        let stamp = |(name, entry, is_link): (String, DirEntry, bool)| {
            if let Some(stamp) = young.and_then(|it| it.stamp(&name)) {
                return Some((name, stamp));
            }
            let metadata = match is_link {
                true => self.inside(&entry.path()).ok()?.metadata().ok()?,
                false => entry.metadata().ok()?,
            };
            // A pipe or device would be waited for.
            metadata.is_file().then(|| (name, Stamp::of(&metadata)))
        };
        let len = MANY.max(found.len().div_ceil(reader::n_cores()));
        let mut parts = Vec::new();
        while found.len() > len {
            parts.push(found.split_off(found.len() - len));
        }
        thread::scope(|scope| {
            let threads: Vec<_> = parts
                .into_iter()
                .map(|part| scope.spawn(move || part.into_iter().filter_map(stamp).collect()))
                .collect();
            let mut stamped: Vec<_> = found.into_iter().filter_map(stamp).collect();
            for thread in threads {
                let part: Vec<_> = thread.join().unwrap_or_default();
                stamped.extend(part);
            }
            stamped
        })
    }

    /// Opens one of its files.
    pub(crate) fn file(&self, name: &str) -> Result<(File, Stamp), NoFile> {
        let relative = relative(name).ok_or(NoFile::BadName)?;
        let path = match self.inside(&self.path.join(relative)) {
            Err(NoFile::Missing) if name.contains("\\x") => {
                self.inside(&self.path.join(unshown(name)))?
            }
            found => found?,
        };
        let file = open_at_once(&path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(NoFile::Missing);
        }
        Ok((file, Stamp::of(&metadata)))
    }

    /// Where a new file of this name is to lie: nothing lies there, and its folder does.
    pub(crate) fn free_place(&self, name: &str) -> Result<PathBuf, NoFile> {
        let place = self.path.join(relative(name).ok_or(NoFile::BadName)?);
        let (Some(folder), Some(file_name)) = (place.parent(), place.file_name()) else {
            return Err(NoFile::BadName);
        };
        let place = self.inside(folder)?.join(file_name);
        match place.symlink_metadata() {
            Ok(_) => Err(NoFile::Unreadable(io::ErrorKind::AlreadyExists.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(place),
            Err(error) => Err(error.into()),
        }
    }

    /// A hidden file for what is not whole yet; each is another one.
    pub(crate) fn part(&self) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.path.join(format!("{PART}{process}-{number}"))
    }

    /// Takes away what a process that ended had taken in by half.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(PART.as_bytes()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Where a path really leads, if that is in the folder.
    fn inside(&self, path: &Path) -> Result<PathBuf, NoFile> {
        let path = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidFilename => NoFile::Missing,
            _ => NoFile::Unreadable(error),
        })?;
        if path.starts_with(&self.path) { Ok(path) } else { Err(NoFile::Missing) }
    }
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            bytes: metadata.len(),
            // Until the year 2554.
            modified_ns: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// What names a file by its length, its first and its last bytes; see [`engine::identity`].
pub(crate) fn mark(file: &mut File) -> io::Result<String> {
    let len = file.metadata()?.len();
    let mut edge = |from: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.take(engine::EDGE_LEN).read_to_end(&mut bytes)?;
        Ok::<_, io::Error>(bytes)
    };
    let (head, tail) = (edge(0)?, edge(len.saturating_sub(engine::EDGE_LEN))?);
    file.seek(SeekFrom::Start(0))?;
    Ok(engine::identity(len, &head, &tail))
}

/// The same of bytes: of a result, which ends with a checksum of all of it, as good as a hash.
pub(crate) fn mark_of(bytes: &[u8]) -> String {
    let edge = bytes.len().min(engine::EDGE_LEN as usize);
    let (head, tail) = (bytes.get(..edge), bytes.get(bytes.len() - edge..));
    engine::identity(bytes.len() as u64, head.unwrap_or_default(), tail.unwrap_or_default())
}

/// Opens a file; what a pipe has become since is not waited for, nor is a link followed.
fn open_at_once(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        options.custom_flags(flags.bits() as i32);
    }
    options.open(path)
}

/// A name as a path below the folder; none where it leads elsewhere, or to what is hidden.
pub(crate) fn relative(name: &str) -> Option<&str> {
    // On some systems a backslash is a slash, and a colon names a drive or a stream.
    let is_odd = |it: char| it == '\0' || cfg!(windows) && matches!(it, '\\' | ':');
    let is_part = |it: &str| !it.is_empty() && !it.starts_with('.');
    (!name.contains(is_odd) && name.split('/').all(is_part)).then_some(name)
}

/// Whether a name says nothing of folders.
pub(crate) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !matches!(name, "." | "..") && !name.contains(['/', '\\', '\0'])
}

/// A name of the system as text.
fn shown(name: OsString) -> String {
    name.into_string().unwrap_or_else(|name| {
        let mut text = String::new();
        for chunk in name.as_encoded_bytes().utf8_chunks() {
            text += chunk.valid();
            text.extend(chunk.invalid().iter().map(|it| format!("\\x{it:02x}")));
        }
        text
    })
}

/// The system's name of what is shown so.
#[cfg(unix)]
fn unshown(name: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend(before.as_bytes());
        let byte = after.get(..2).and_then(|it| u8::from_str_radix(it, 16).ok());
        match byte.filter(|it| !it.is_ascii()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.extend(b"\\x");
                rest = after;
            }
        }
    }
    bytes.extend(rest.as_bytes());
    OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn unshown(name: &str) -> PathBuf {
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(relative(name).is_some(), expected, "{name}");
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        check("office.pcapng", true);
        check("2024/may/office.pcapng", true);
        check("a..b.pcap", true);
        check("два слова\n.pcap", true);
        check("", false);
        check("..", false);
        check("../office.pcapng", false);
        check("a/../../office.pcapng", false);
        check("a//b", false);
        check("a/", false);
        check("/etc/passwd", false);
        check(".hidden", false);
        check("a/.hidden", false);
        check("a\0b", false);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_is_found_by_what_is_shown() {
        use std::os::unix::ffi::OsStringExt;
        for bytes in [&b"caf\xe9.pcap"[..], b"\xff\xfe", b"a\\x41\xc3\xa9\xc3"] {
            let name = OsString::from_vec(bytes.to_vec());
            assert_eq!(unshown(&shown(name.clone())), PathBuf::from(name));
        }
    }
}
