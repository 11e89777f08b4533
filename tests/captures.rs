//! The captures in `captures/` are what the fixtures make of them, byte for byte, and its README knows each.
//!
//! `TRACTOR_ACCEPT=1 cargo test -p tests` writes them anew, the snapshots and the expected ends of the traces with them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tests::Made;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

fn all() -> Vec<Made> {
    let mut captures = tests::small_captures();
    let shows = "An hour of a small office: what the page opens as its sample.";
    captures.push(Made { file_name: "sample.pcapng", shows, bytes: tests::sample() });
    captures.sort_by_key(|it| it.file_name);
    captures
}

fn readme(captures: &[Made]) -> String {
    let mut text = String::from(
        "# Captures\n\n\
         Made by `tests/fixtures` (`small.rs`, `sample.rs`), none recorded: every name is public, every address private or for\n\
         documentation. `tests/captures.rs` checks that they are what the fixtures make; to make them anew, and this page with\n\
         them, run `TRACTOR_ACCEPT=1 cargo test -p tests`.\n\n\
         \"The same\" is the same six conversations.\n\n\
         | file | what it shows | sha256 |\n|---|---|---|\n",
    );
    for Made { file_name, shows, bytes } in captures {
        let sum: String = Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect();
        writeln!(text, "| `{file_name}` | {shows} | `{sum}` |").unwrap();
    }
    text
}

#[test]
fn every_capture_is_the_one_the_fixtures_make() {
    for Made { file_name, bytes, .. } in all() {
        let path = folder().join(file_name);
        if tests::is_accepting() {
            fs::write(&path, &bytes).unwrap();
        }
        let there = fs::read(&path).unwrap();
        assert!(there == bytes, "captures/{file_name} differs: see captures/README.md");
    }
}

#[test]
fn the_readme_knows_every_capture() {
    let made = readme(&all());
    let path = folder().join("README.md");
    if tests::is_accepting() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), made);
}

#[test]
fn no_other_file_lies_among_them() {
    let mut known: Vec<&str> = all().iter().map(|it| it.file_name).collect();
    known.push("README.md");
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(known.contains(&name.to_str().unwrap()), "{} is unknown", name.display());
    }
}
