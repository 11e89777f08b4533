//! What is worth a look in the captures below a folder: `cargo run -p tests --example notable FOLDER`.
//!
//! A line of JSON for each thing: `capture`, its code, its sentence, its filter, and how many flows that filter finds, which
//! must be as many as it says. `cargo xtask halves` parts such lines by families of captures.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use engine::{Filter, Job};
use serde_json::json;
use v1::Writing;

/// Longer captures are passed over.
const MAX_LEN: u64 = 200_000_000;
const WRITING: Writing = Writing {
    count: |it| it.to_string(),
    bytes: |it| format!("{it} B"),
    nanos: |it| format!("{:.1} s", it as f64 / 1e9),
};

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        println!("usage: cargo run -p tests --example notable FOLDER");
        return ExitCode::from(2);
    };
    let mut paths = files(Path::new(&folder));
    paths.sort();
    let mut is_right = true;
    for path in paths {
        let is_short = fs::metadata(&path).is_ok_and(|it| it.len() <= MAX_LEN);
        let Some(bytes) = fs::read(&path).ok().filter(|_| is_short) else { continue };
        let mut job = Job::new("", 0);
        // What can be read of a damaged capture is enough.
        let _ = job.feed(&bytes);
        let analysis = job.finish(false);
        for it in &analysis.notable().rows {
            let found = Filter::parse(&it.filter).map(|filter| analysis.passing(&filter).len());
            is_right &= found == Ok(it.flows as usize);
            let line = json!({
                "capture": path.strip_prefix(&folder).unwrap_or(&path),
                "code": it.code,
                "evidence": it.english(WRITING).evidence,
                "filter": it.filter,
                "flows": it.flows,
                "found": found.ok(),
                "of": analysis.n_flows(),
            });
            println!("{}", line.to_string().replace("\":", "\": "));
        }
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|it| it.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
