//! `tractor flows --format pcapng`: what it writes is a capture, and what cannot be is said.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures").join(name)
}

fn tractor(arguments: &[&str]) -> Output {
    let mut tractor = Command::new(env!("CARGO_BIN_EXE_tractor"));
    tractor.env("LC_ALL", "C").arg("flows").args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tractor-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Lines of flows without what says where they are from.
fn flows(captures: &[&str], options: &[&str]) -> Vec<String> {
    let output = tractor(&[captures, options].concat());
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|it| it.split_once(r#""transport""#).unwrap().1.to_owned()).collect()
}

#[test]
fn picked_packets_are_a_capture_with_the_same_flows() {
    let folder = Folder::new("packets");
    let sample = capture("sample.pcapng");
    let (sample, packed) = (sample.to_str().unwrap(), capture("gzip.pcap.gz"));
    let packed = packed.to_str().unwrap();
    let out = folder.file("out.pcapng");
    let filter = ["--filter", "proto:dns"];
    let pcapng = ["--format", "pcapng", "-o", &out];
    for captures in [&[sample][..], &[packed], &[sample, packed]] {
        let written = tractor(&[captures, &filter, &pcapng].concat());
        assert!(written.status.success(), "{written:?}");
        let expected = flows(captures, &filter);
        assert!(!expected.is_empty());
        let own = |it: &String| it.split_once(r#","protocol""#).unwrap().0.to_owned();
        let found: Vec<String> = flows(&[&out], &[]).iter().map(own).collect();
        assert_eq!(found, expected.iter().map(own).collect::<Vec<_>>());
    }
    // On standard output the same.
    let one = ["--filter", "flow:3", "--format", "pcapng", "--no-comments"];
    let printed = tractor(&[&[sample], &one[..]].concat()).stdout;
    tractor(&[&[sample], &one[..], &["-o", &out]].concat());
    assert!(!printed.is_empty() && fs::read(&out).unwrap() == printed);
}

#[test]
fn what_makes_no_sense_is_said() {
    let folder = Folder::new("senseless");
    let copy = folder.file("copy.pcap");
    fs::copy(capture("ethernet.pcap"), &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    let check = |arguments: &[&str], expected: &str| {
        let output = tractor(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    };
    let pcapng = ["--format", "pcapng"];
    check(&[&["-"], &pcapng[..]].concat(), "standard input cannot be read twice");
    check(&[&[&*copy], &pcapng[..], &["-o", &copy]].concat(), "would be overwritten");
    check(&[&[&*copy], &pcapng[..], &["--schema", "cic"]].concat(), "neither --schema nor");
    check(&[&[&*copy], &pcapng[..], &["--timeout", "15"]].concat(), "neither --schema nor");
    check(&[&copy, "--no-comments"], "goes with --format pcapng");
    assert_eq!(fs::read(&copy).unwrap(), before);
}
