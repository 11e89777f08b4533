//! Reads every capture below a folder with the built companion: nothing may panic or take long.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::build;

/// A capture that takes longer is a fault.
const LIMIT: Duration = Duration::from_secs(20);
/// Files that lie beside captures and are none.
const NO_CAPTURES: &[&str] = &["jsonl", "md", "tsv", "txt"];

/// `cargo xtask corpus FOLDER`
pub(crate) fn read(arguments: &[String]) -> anyhow::Result<()> {
    let [folder] = arguments else { bail!("usage: cargo xtask corpus FOLDER") };
    let companion = build::companion()?;
    let mut captures = captures(folder.into())?;
    captures.sort();
    let n_captures = captures.len();
    let waiting = Mutex::new(captures);
    let ends = Mutex::new(BTreeMap::<String, Vec<PathBuf>>::new());
    let n_threads = thread::available_parallelism().map_or(1, |it| it.get());
    let lost = "another thread panicked";
    thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                loop {
                    let Some(capture) = waiting.lock().expect(lost).pop() else { break };
                    let end = run(Command::new(&companion).arg("flows").arg(&capture));
                    ends.lock().expect(lost).entry(end).or_default().push(capture);
                }
            });
        }
    });
    let ends = ends.into_inner().expect(lost);
    eprintln!("{n_captures} captures");
    let mut is_right = true;
    for (end, captures) in &ends {
        eprintln!("{:6} {end}", captures.len());
        if !matches!(&**end, "exit 0" | "exit 1") {
            is_right = false;
            captures.iter().for_each(|it| eprintln!("       {}", it.display()));
        }
    }
    if is_right { Ok(()) } else { bail!("some captures cannot be read as they should") }
}

/// How a run ends, in words.
fn run(command: &mut Command) -> String {
    let start = Instant::now();
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = started else { return "not started".to_owned() };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return match status.code() {
                    Some(code) => format!("exit {code}"),
                    None => "killed by a signal".to_owned(),
                };
            }
            Ok(None) if start.elapsed() < LIMIT => thread::sleep(Duration::from_millis(2)),
            Ok(None) | Err(_) => {
                // It may have ended by itself meanwhile.
                drop(child.kill());
                drop(child.wait());
                return format!("over {} s", LIMIT.as_secs());
            }
        }
    }
}

fn captures(folder: PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    let mut captures = Vec::new();
    let mut waiting = vec![folder];
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            let is_text =
                name.contains("LICEN") || name.contains("COPYING") || name.starts_with('.');
            if path.is_dir() {
                waiting.push(path);
            } else if !is_text && !NO_CAPTURES.contains(&&*extension) {
                captures.push(path);
            }
        }
    }
    Ok(captures)
}
