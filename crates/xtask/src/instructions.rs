//! `cargo xtask instructions`: what a small capture costs in instructions, which are the same on a busy machine and on an
//! idle one. It fails where a stage takes a tenth more than `tests/instructions.txt` keeps of it; `TRACTOR_ACCEPT=1` writes
//! that file.
//!
//! Counted by valgrind's callgrind; where there is none, or on another architecture than that of the numbers, nothing is.

use std::{env::consts::ARCH, fs, path::Path};

use anyhow::{Context as _, bail};

use crate::run::{cargo, output, program, root, step, target};

/// The functions of `tests/counted/instructions.rs` that are counted, without what they begin with.
const STAGES: [&str; 3] = ["reading", "finishing", "writing"];
const FUNCTION: &str = "instructions::stage_";
/// The architecture that the kept numbers are of.
const KEPT_ARCH: &str = "x86_64";
/// How much more is too much, and how much less is worth to be kept, in hundredths.
const TOLERANCE: f64 = 10.0;

/// `cargo xtask instructions`
pub(crate) fn check(_: &[String]) -> anyhow::Result<()> {
    if ARCH != KEPT_ARCH {
        println!(
            "instructions are not counted: the kept numbers are of {KEPT_ARCH}, this is {ARCH}"
        );
        return Ok(());
    }
    if output("valgrind", &["--version"]).is_none() {
        println!("instructions are not counted: there is no valgrind");
        return Ok(());
    }
    let counts = count()?;
    let file = root().join("tests/instructions.txt");
    if std::env::var_os("TRACTOR_ACCEPT").is_some_and(|it| it == "1") {
        return fs::write(&file, kept(&counts)).context("writing the numbers");
    }
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut n_slower = 0;
    for (stage, count) in STAGES.iter().zip(counts) {
        let before = number(&text, stage).with_context(|| format!("nothing is kept of {stage}"))?;
        let more = 100.0 * (count as f64 / before as f64 - 1.0);
        let remark = match more {
            it if it > TOLERANCE => "  TOO MANY",
            it if it < -TOLERANCE => "  fewer: to be kept by TRACTOR_ACCEPT=1",
            _ => "",
        };
        n_slower += usize::from(more > TOLERANCE);
        println!("{stage:10} {count:>12} instructions, {more:+6.2} %{remark}");
    }
    if n_slower > 0 {
        bail!("{n_slower} of {} stages take over {TOLERANCE} % more than was kept", STAGES.len());
    }
    Ok(())
}

/// The instructions of each stage.
fn count() -> anyhow::Result<[u64; STAGES.len()]> {
    let mut build = cargo(&["build", "--release", "--package", "tests", "--bin", "instructions"]);
    step("building what is counted", &mut build)?;
    let folder = target().join("instructions");
    // What an earlier run left there would be taken for this one's.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).context("making the folder of the counts")?;
    let out = folder.join("counted");
    let mut valgrind = program("valgrind", &["--tool=callgrind", "--quiet"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(format!("--toggle-collect={FUNCTION}*"));
    for stage in STAGES {
        valgrind.arg(format!("--dump-after={FUNCTION}{stage}"));
    }
    valgrind.arg(target().join("release").join("instructions"));
    step("counting instructions", &mut valgrind)?;
    let mut counts = [0; STAGES.len()];
    for (n, count) in counts.iter_mut().enumerate() {
        // Parts of the count have numbers from 1 on.
        *count = total(&out.with_extension((n + 1).to_string()))?;
    }
    Ok(counts)
}

/// What callgrind counted in one of its files.
fn total(path: &Path) -> anyhow::Result<u64> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let total = number(&text, "totals:").context("callgrind tells no total")?;
    if total == 0 {
        bail!("{}: nothing was counted; what are the stages called?", path.display());
    }
    Ok(total)
}

/// The number behind a word at the start of a line.
fn number(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|it| it.strip_prefix(word)?.trim().parse().ok())
}

/// The file of numbers.
fn kept(counts: &[u64]) -> String {
    let mut text =
        "Instructions of each stage of `tests/counted/instructions.rs`, compiled for speed.\n\
                    Written by `TRACTOR_ACCEPT=1 cargo xtask instructions`.\n\n"
            .to_owned();
    for (stage, count) in STAGES.iter().zip(counts) {
        text += &format!("{stage:10} {count:>12}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again() {
        let text = kept(&[1, 2_000_000, 3]);
        assert_eq!(STAGES.map(|it| number(&text, it)), [Some(1), Some(2_000_000), Some(3)]);
        assert_eq!(number(&text, "sorting"), None);
        assert_eq!(number("events: Ir\ntotals: 7\n", "totals:"), Some(7));
    }
}
