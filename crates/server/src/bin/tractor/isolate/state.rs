//! What is to be undone, in a file that outlives a killed run: written before each step, read by `--clean`.
//!
//! A run holds its file locked as long as it lives; the kernel lets go of it however the run ends. Setting up and
//! undoing happen under the lock of the folder, one run at a time.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::plan::Undo;

/// Where the files of runs lie: what is here is gone when the machine starts again, as the namespaces are.
const FOLDER: &str = "/run/tractor";

/// A line of a run's file.
#[derive(Serialize, Deserialize)]
enum Line {
    /// The run itself.
    Begin(Begin),
    /// What the next step will need.
    Undo(Undo),
}

/// Who began a run, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Begin {
    process: u32,
    /// The inode of the network namespace that it was begun in: links, rules and forwarding are of that one.
    network: u64,
}

/// The folder of all runs, locked. It goes when the last run does.
pub(super) struct Folder(File);

/// A run's file, locked.
pub(super) struct State {
    file: File,
    path: PathBuf,
    undos: Vec<Undo>,
}

/// Whose the file of a name is.
pub(super) enum Run {
    /// There is no run of this name.
    None,
    /// It goes on; its process, where it says so.
    GoesOn(Option<u32>),
    /// It was killed.
    LeftBehind(State),
}

impl Folder {
    /// Waits until no other run sets up or undoes.
    pub(super) fn lock() -> Result<Self, String> {
        let failed = |error: io::Error| format!("{FOLDER} cannot be made: {error}");
        loop {
            fs::create_dir_all(FOLDER).map_err(failed)?;
            let file = match File::open(FOLDER) {
                Ok(file) => file,
                // Who held it has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            file.lock().map_err(failed)?;
            // Who held it before may have removed it.
            let inode = file.metadata().map_err(failed)?.ino();
            if fs::metadata(FOLDER).is_ok_and(|it| it.ino() == inode) {
                return Ok(Self(file));
            }
        }
    }

    /// The names of the runs that go on or were left behind, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(FOLDER).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|it| it.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// The run of a name.
    pub(super) fn run(&self, name: &str) -> Result<Run, String> {
        let path = path(name);
        let failed = |error: io::Error| format!("{} cannot be read: {error}", path.display());
        let file = match OpenOptions::new().read(true).append(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Run::None),
            it => it.map_err(failed)?,
        };
        let (begin, undos) = lines(&file).map_err(failed)?;
        let process = begin.map(|it| it.process);
        let is_alive = || process.is_some_and(|it| Path::new(&format!("/proc/{it}")).exists());
        for _ in 0..100 {
            if file.try_lock().is_ok() {
                if begin.is_some_and(|it| it.network != network()) {
                    return Err(format!(
                        "the run called {name} was begun in another network namespace; undo it there"
                    ));
                }
                return Ok(Run::LeftBehind(State { file, path, undos }));
            }
            if is_alive() {
                break;
            }
            // The step that a killed run began is not done yet.
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Run::GoesOn(process))
    }

    /// Begins a run, whose name must be free.
    pub(super) fn begin(&self, name: &str) -> Result<State, String> {
        let path = path(name);
        let failed = |error: io::Error| format!("{} cannot be written: {error}", path.display());
        let options = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path);
        let file = options.map_err(failed)?;
        file.lock().map_err(failed)?;
        let mut state = State { file, path: path.clone(), undos: Vec::new() };
        let begin = Begin { process: std::process::id(), network: network() };
        state.write(&Line::Begin(begin)).map_err(failed)?;
        Ok(state)
    }

    /// What forwarding was before the runs of other names: the last of them gives it back.
    pub(super) fn forwarding_before(&self, name: &str) -> Option<String> {
        let others = self.names().into_iter().filter(|it| it != name);
        let mut undos = others
            .filter_map(|it| File::open(path(&it)).ok())
            .filter_map(|it| lines(&it).ok())
            .filter(|it| it.0.is_some_and(|it| it.network == network()))
            .flat_map(|it| it.1);
        undos.find_map(|it| match it {
            Undo::Forwarding { before } => Some(before),
            _ => None,
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It stays where it has files. The lock goes with the open file.
        let _ = fs::remove_dir(FOLDER);
        let _ = self.0.unlock();
    }
}

impl State {
    /// Notes what is to be undone, before it is done.
    pub(super) fn note(&mut self, undo: Undo) -> Result<(), String> {
        let line = Line::Undo(undo);
        self.write(&line)
            .map_err(|it| format!("{} cannot be written: {it}", self.path.display()))?;
        if let Line::Undo(undo) = line {
            self.undos.push(undo);
        }
        Ok(())
    }

    /// The last step failed by itself: there is nothing of it to undo.
    pub(super) fn forget_last(&mut self) {
        self.undos.pop();
    }

    /// The lock, for what a step runs: while that does its work, the run goes on.
    pub(super) fn shared_lock(&self) -> io::Result<Stdio> {
        self.file.try_clone().map(Stdio::from)
    }

    /// What is to be undone, the first step first.
    pub(super) fn undos(&self) -> &[Undo] {
        &self.undos
    }

    /// Removes the file: nothing is left to undo.
    pub(super) fn end(self, _: &Folder) -> Result<(), String> {
        fs::remove_file(&self.path).map_err(|it| format!("rm {}: {it}", self.path.display()))
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let text = serde_json::to_string(line)? + "\n";
        self.file.write_all(text.as_bytes())
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(FOLDER).join(name)
}

/// The network namespace that we are in.
fn network() -> u64 {
    fs::metadata("/proc/self/ns/net").map(|it| it.ino()).unwrap_or_default()
}

/// The lines of a run's file. One that was not written to its end had no step yet.
fn lines(mut file: &File) -> io::Result<(Option<Begin>, Vec<Undo>)> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(parse(&text))
}

fn parse(text: &str) -> (Option<Begin>, Vec<Undo>) {
    let mut begin = None;
    let mut undos = Vec::new();
    for line in text.lines().filter_map(|it| serde_json::from_str(it).ok()) {
        match line {
            Line::Begin(it) => begin = Some(it),
            Line::Undo(it) => undos.push(it),
        }
    }
    (begin, undos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_process_and_what_is_to_be_undone() {
        let undo = Undo::Table("tractor_app".to_owned());
        let begin = Begin { process: 7, network: 9 };
        let whole = [Line::Begin(begin), Line::Undo(undo.clone())]
            .map(|it| serde_json::to_string(&it).unwrap())
            .join("\n");
        assert_eq!(parse(&whole), (Some(begin), vec![undo]));
        assert_eq!(parse(&whole[..whole.len() - 3]), (Some(begin), vec![]));
        assert_eq!(parse(""), (None, vec![]));
    }
}
