//! `tractor watch`: a result of every capture that arrives, of what it is in the end, and nothing done twice.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tractor-watch-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of all files, in order, but the journal.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|it| it.unwrap().file_name());
        let names = names.map(|it| it.into_string().unwrap());
        let mut names: Vec<String> = names.filter(|it| it != ".tractor-watch").collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn bytes(capture: &str) -> Vec<u8> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
    fs::read(captures.join(capture)).unwrap()
}

fn command(arguments: &[&str], folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tractor"));
    command.args(arguments).arg(&folder.0).stdin(Stdio::null());
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES").env_remove("LANG");
    command
}

fn run(arguments: &[&str], folder: &Folder) -> Output {
    command(arguments, folder).output().unwrap()
}

/// The flows of a capture of that folder, as the watch writes them.
fn flows(folder: &Folder, name: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tractor"))
        .arg("flows")
        .arg(folder.path(name))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A watch that does not outlive its test.
struct Watch {
    child: Child,
    results: BufReader<ChildStdout>,
}

impl Watch {
    fn start(folder: &Folder) -> Self {
        let mut command = command(&["watch", "--settle", "0.1"], folder);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let results = BufReader::new(child.stdout.take().unwrap());
        Self { child, results }
    }

    /// Waits for the next result, and gives its name.
    fn next(&mut self) -> String {
        let mut line = String::new();
        self.results.read_line(&mut line).unwrap();
        Path::new(line.trim_end()).file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// Waits until a result is of the whole capture.
    #[track_caller]
    fn wait_for(&mut self, folder: &Folder, capture: &str) {
        let result = format!("{capture}.jsonl");
        let expected = flows(folder, capture);
        loop {
            assert_eq!(self.next(), result);
            if fs::read_to_string(folder.path(&result)).unwrap() == expected {
                return;
            }
        }
    }

    fn end(mut self, signal: &str) -> Option<i32> {
        let line = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_arrives_changes_turns_and_goes_has_its_result() {
    let folder = Folder::new("arrives");
    fs::write(folder.path("old.pcap"), bytes("ftp.pcap")).unwrap();
    let mut watch = Watch::start(&folder);
    watch.wait_for(&folder, "old.pcap");
    // Written by and by: whatever the watch takes for complete, in the end the result is of all.
    let sample = bytes("sample.pcapng");
    let mut file = File::create(folder.path("new.pcapng")).unwrap();
    for part in sample.chunks(sample.len() / 5) {
        file.write_all(part).unwrap();
        file.sync_all().unwrap();
    }
    watch.wait_for(&folder, "new.pcapng");
    // Turned, as logrotate and tcpdump do.
    fs::rename(folder.path("old.pcap"), folder.path("old.pcap.1")).unwrap();
    watch.wait_for(&folder, "old.pcap.1");
    fs::write(folder.path("old.pcap"), bytes("raw.pcap")).unwrap();
    watch.wait_for(&folder, "old.pcap");
    // Gone: its result stays.
    fs::remove_file(folder.path("new.pcapng")).unwrap();
    fs::write(folder.path("last.pcap"), bytes("raw.pcap")).unwrap();
    watch.wait_for(&folder, "last.pcap");
    assert_eq!(watch.end("TERM"), Some(0));
    let captures = ["last.pcap", "old.pcap", "old.pcap.1"];
    let results = captures.map(|it| format!("{it}.jsonl"));
    let mut expected: Vec<&str> = captures.to_vec();
    expected.extend(results.iter().map(String::as_str));
    expected.push("new.pcapng.jsonl");
    expected.sort_unstable();
    assert_eq!(folder.names(), expected);
}

#[test]
fn a_watch_that_begins_again_does_nothing_twice() {
    let folder = Folder::new("again");
    fs::write(folder.path("a.pcap"), bytes("ftp.pcap")).unwrap();
    fs::write(folder.path("b.pcap"), bytes("raw.pcap")).unwrap();
    let results = |arguments: &[&str]| {
        let output = run(&[&["watch", "--once"], arguments].concat(), &folder);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(results(&[]), 2);
    assert_eq!(results(&[]), 0);
    // What is written otherwise, what is gone and what changed is done again.
    assert_eq!(results(&["--filter", "bytes>0"]), 2);
    assert_eq!(results(&["--filter", "bytes>0"]), 0);
    fs::remove_file(folder.path("a.pcap.jsonl")).unwrap();
    assert_eq!(results(&["--filter", "bytes>0"]), 1);
    fs::write(folder.path("b.pcap"), bytes("ftp.pcap")).unwrap();
    assert_eq!(results(&["--filter", "bytes>0"]), 1);
    // A line that was cut off when the machine failed.
    let journal = folder.path(".tractor-watch");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 5]).unwrap();
    assert_eq!(results(&["--filter", "bytes>0"]), 1);
}

#[test]
fn results_lie_apart_as_their_captures_do() {
    let (folder, out) = (Folder::new("apart"), Folder::new("apart-out"));
    fs::create_dir(folder.path("monday")).unwrap();
    fs::write(folder.path("monday/a.pcap"), bytes("ftp.pcap")).unwrap();
    let to = out.0.to_str().unwrap();
    let arguments = ["watch", "--once", "--format", "csv", "--schema", "cic", "--out", to];
    assert_eq!(run(&arguments, &folder).status.code(), Some(0));
    assert!(fs::read_to_string(out.path("monday/a.pcap.csv")).unwrap().lines().count() > 1);
    assert_eq!(folder.names(), ["monday"]);
    let mut left = fs::read_dir(folder.path("monday")).unwrap();
    assert!(left.next().is_some() && left.next().is_none());
}

#[test]
fn what_cannot_be_read_is_told_once_and_by_the_exit_status() {
    let folder = Folder::new("unreadable");
    fs::write(folder.path("bad.pcap"), b"this is no capture at all").unwrap();
    fs::write(folder.path("begun.pcap"), b"").unwrap();
    fs::write(folder.path("good.pcap"), bytes("ftp.pcap")).unwrap();
    let mut watch = Watch::start(&folder);
    watch.wait_for(&folder, "good.pcap");
    assert_eq!(watch.end("INT"), Some(1));
    let output = run(&["watch", "--once"], &folder);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.matches("bad.pcap").count()), (Some(1), 1), "{said}");
    assert!(!said.contains("begun.pcap"), "{said}");
    assert_eq!(folder.names(), ["bad.pcap", "begun.pcap", "good.pcap", "good.pcap.jsonl"]);
}

#[test]
fn a_capture_that_was_cut_short_stays_one_that_was_read_in_part() {
    let folder = Folder::new("part");
    fs::write(folder.path("a.pcap"), bytes("cut-short.pcap")).unwrap();
    for n_results in [1, 0] {
        let output = run(&["watch", "--once"], &folder);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), n_results);
    }
}

#[test]
fn a_result_that_cannot_be_written_is_told_and_leaves_nothing() {
    let folder = Folder::new("unwritten");
    fs::write(folder.path("a.pcap"), bytes("ftp.pcap")).unwrap();
    fs::write(folder.path("b.pcap"), bytes("ftp.pcap")).unwrap();
    fs::create_dir_all(folder.path("a.pcap.jsonl/in the way")).unwrap();
    let output = run(&["watch", "--once"], &folder);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("a.pcap.jsonl: Is a directory"), "{said}");
    assert_eq!(folder.names(), ["a.pcap", "a.pcap.jsonl", "b.pcap", "b.pcap.jsonl"]);
}

#[test]
fn two_watches_do_not_write_the_same_results() {
    let folder = Folder::new("two");
    fs::write(folder.path("a.pcap"), bytes("ftp.pcap")).unwrap();
    let mut watch = Watch::start(&folder);
    watch.wait_for(&folder, "a.pcap");
    let output = run(&["watch", "--once"], &folder);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("another watch writes its results into"), "{said}");
}

#[test]
fn a_folder_that_is_not_there_is_a_mistake() {
    let folder = Folder::new("none");
    fs::remove_dir(&folder.0).unwrap();
    let output = run(&["watch"], &folder);
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.0.exists());
}
