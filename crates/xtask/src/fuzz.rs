//! Fuzzes one target of `fuzz/`, from the seeds that the tests' fixtures make and from what earlier runs found.

use std::fs;

use anyhow::{Context as _, bail};

use crate::{
    run::{example, program, root, step, target},
    tools,
};

/// Every target, and its longest input, in bytes: what takes long is kept short.
const TARGETS: &[(&str, u32)] = &[
    ("containers", 4_096),
    ("filter", 200),
    ("fragments", 4_096),
    ("job", 8_192),
    ("link", 400),
    ("model", 8_192),
    ("partial", 4_096),
    ("pcap", 4_096),
    ("pcapng", 4_096),
    ("protocols", 4_096),
    ("rules", 2_000),
    ("table", 4_096),
    ("v1", 400),
];
/// How long a target is fuzzed where nothing else is said, in seconds.
const SECONDS: u32 = 600;
/// What the fuzzer calls a fault besides a panic: memory in MB, and seconds for one input.
const LIMITS: [&str; 2] = ["-rss_limit_mb=1024", "-timeout=5"];

/// `cargo xtask fuzz TARGET [SECONDS]`
pub(crate) fn fuzz(arguments: &[String]) -> anyhow::Result<()> {
    let (name, seconds) = match arguments {
        [name] => (name, SECONDS),
        [name, seconds] => (name, seconds.parse().context("how many seconds?")?),
        _ => bail!("usage: cargo xtask fuzz TARGET [SECONDS]; targets: {}", names()),
    };
    let Some((name, max_len)) = TARGETS.iter().find(|it| it.0 == name) else {
        bail!("there is no target `{name}`; there are {}", names());
    };
    let folder = root().join("fuzz");
    let corpus = folder.join("corpus");
    step("writing the seeds", example("seeds").arg(&corpus))?;
    // The workspace's versions of all packages; what fuzzing needs besides is added.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).context("Cargo.lock")?;
    let tools = [tools::cargo_fuzz()?];
    let mut fuzz = program("rustup", &["run", "nightly", "cargo", "fuzz", "run"]);
    // No crate of ours has unsafe code, and without a sanitizer it is several times as fast.
    fuzz.args(["--sanitizer", "none", name]).arg(corpus.join(name)).arg("--");
    fuzz.args(LIMITS).args([
        format!("-max_len={max_len}"),
        format!("-max_total_time={seconds}"),
        "-print_final_stats=1".to_owned(),
    ]);
    // What cargo set for this program is of another toolchain.
    fuzz.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    fuzz.env("PATH", tools::path_with(&tools)?).env("CARGO_TARGET_DIR", target().join("fuzz"));
    step(&format!("fuzzing {name} for {seconds} s"), fuzz.current_dir(&folder))
}

fn names() -> String {
    TARGETS.iter().map(|it| it.0).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_row() -> anyhow::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
            let path = entry?.path();
            files.push(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
        files.sort();
        assert_eq!(files.join(", "), names());
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml"))?;
        assert!(TARGETS.iter().all(|it| manifest.contains(&format!("name = \"{}\"", it.0))));
        Ok(())
    }
}
