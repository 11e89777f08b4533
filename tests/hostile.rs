//! Every hostile and odd capture is read as it must be, with overflow checked; the browser reads the same.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::{self, Command},
};

use tests::hostile::{Case, cases, complaints};

#[test]
fn every_case_is_read_as_it_must_be() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let complaints = complaints(case);
        if !complaints.is_empty() {
            wrong.push(format!("{}\n    {}", case.name, complaints.join("\n    ")));
        }
    }
    let (n, n_right) = (cases.len(), cases.len() - wrong.len());
    eprintln!("{n_right} of {n} cases are right");
    assert!(wrong.is_empty(), "{n_right} of {n} cases are right; not these:\n{}", wrong.join("\n"));
}

#[test]
fn each_case_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for case in cases() {
        assert!(names.insert(case.name.clone()), "{} is there twice", case.name);
    }
    assert!(names.len() > 1_000, "{} cases", names.len());
}

/// Writes the sound captures into a folder of its own; their paths and frames.
fn written(cases: &[Case]) -> (PathBuf, BTreeMap<PathBuf, &Case>) {
    let folder = std::env::temp_dir().join(format!("tractor-hostile-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut paths = BTreeMap::new();
    for (n, case) in cases.iter().filter(|it| it.is_sound).enumerate() {
        let path = folder.join(format!("{n:04}.pcap"));
        fs::write(&path, &case.capture).unwrap();
        paths.insert(path, case);
    }
    (folder, paths)
}

/// Wireshark's `capinfos` is a second opinion, where it is installed.
#[test]
fn capinfos_counts_the_same_frames_in_sound_cases() {
    let cases = cases();
    let (folder, paths) = written(&cases);
    let mut said = BTreeMap::new();
    for some in paths.keys().collect::<Vec<_>>().chunks(500) {
        // A table, without a header, machine-readable: a file and its frames a line.
        let output = Command::new("capinfos").args(["-T", "-r", "-M", "-c"]).args(some).output();
        let Ok(output) = output else {
            eprintln!("capinfos is not installed: nothing was compared");
            break;
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (path, frames) = line.split_once('\t').unwrap();
            said.insert(PathBuf::from(path), frames.to_owned());
        }
    }
    fs::remove_dir_all(folder).unwrap();
    for (path, case) in paths.iter().filter(|_| !said.is_empty()) {
        let frames = case.expected.frames.to_string();
        assert_eq!(said.get(path), Some(&frames), "{}", case.name);
    }
}
