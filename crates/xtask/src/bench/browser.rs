//! The page's worker in headless Chromium, beside bare reading of the same file: the folder of what is served, and what
//! the test in `web/tests/bench.rs` says.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::figures::{Run, Runs};
use crate::{
    run::{cargo, listen, root, target},
    tools,
};

/// Of the built page.
const BUILT: [&str; 2] = ["worker.js", "worker_bg.wasm"];
/// Of the harness, in `web/tests/bench`.
const HARNESS: [&str; 5] = ["index.html", "page.js", "bare.js", "ours.js", "wiregasm.js"];
/// Wiregasm's own, in `node_modules/@goodtools/wiregasm/dist` of the folder that this variable names. It is under the GPL:
/// nothing of it is in the repository.
const WIREGASM: &str = "TRACTOR_WIREGASM";
const WIREGASM_FILES: [&str; 3] = ["wiregasm.js", "wiregasm.wasm", "wiregasm.data"];

/// Runs everything there is over a capture.
pub(crate) fn measure(
    page: &Path,
    capture: &Path,
    is_large: bool,
    n_rounds: usize,
) -> anyhow::Result<Vec<Runs>> {
    let folder = served(page)?;
    let mut test = cargo(&["test", "--package", "web", "--test", "bench"]);
    test.args(["--", "--nocapture"]);
    test.env("CHROMEDRIVER", tools::chromium_driver()?)
        .env("TRACTOR_PAGE", &folder)
        .env("TRACTOR_CAPTURE", capture.canonicalize().context("the capture")?)
        .env("TRACTOR_ROUNDS", n_rounds.to_string());
    if !is_large && folder.join("wiregasm").exists() {
        test.env("TRACTOR_WIREGASM", "1");
    } else {
        test.env_remove(WIREGASM);
    }
    let mut all: Vec<Runs> = Vec::new();
    listen(&format!("{} in Chromium", capture.display()), &mut test, |line| {
        let Some((name, round, run)) = told(line) else { return };
        let at = all.iter().position(|it| it.name == name).unwrap_or_else(|| {
            all.push(Runs::new(name));
            all.len() - 1
        });
        all[at].push(round, run);
    })?;
    Ok(all)
}

/// What a line of the test tells: `run`, what ran, its round, seconds and bytes of memory, with tabs between.
fn told(line: &str) -> Option<(&str, usize, Run)> {
    let mut words = line.strip_prefix("run\t")?.split('\t');
    let (name, round) = (words.next()?, words.next()?.parse().ok()?);
    let wall = words.next()?.parse().ok()?;
    let memory = words.next()?.parse().ok()?;
    // Of the processor's time a browser tells nothing.
    Some((name, round, Run { cpu: wall, wall, memory }))
}

/// A folder with the worker, the harness and, where it is named, wiregasm.
fn served(page: &Path) -> anyhow::Result<PathBuf> {
    let folder = target().join("bench/page");
    // What an earlier run left there.
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(folder.join("wiregasm")).context("making the folder that is served")?;
    let copy = |from: PathBuf, to: PathBuf| {
        fs::copy(&from, to).with_context(|| from.display().to_string())
    };
    for name in BUILT {
        copy(page.join(name), folder.join(name))?;
    }
    for name in HARNESS {
        copy(root().join("web/tests/bench").join(name), folder.join(name))?;
    }
    copy(root().join("tests/captures/sample.pcapng"), folder.join("sample.pcapng"))?;
    fs::write(folder.join("reader.js"), reader()?).context("the script of who reads")?;
    match std::env::var_os(WIREGASM) {
        Some(modules) => {
            let modules = Path::new(&modules).join("node_modules/@goodtools/wiregasm/dist");
            for name in WIREGASM_FILES {
                copy(modules.join(name), folder.join("wiregasm").join(name))?;
            }
        }
        None => fs::remove_dir(folder.join("wiregasm")).context("an empty folder")?,
    }
    Ok(folder)
}

/// What the page's other worker does, which reads: a text in its first script.
fn reader() -> anyhow::Result<String> {
    let path = root().join("web/assets/boot.js");
    let script = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let reader = script.split_once("const READER = `").and_then(|it| it.1.split_once("`;"));
    Ok(reader.context("boot.js has no READER")?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read() {
        let run = Run { cpu: 0.5, wall: 0.5, memory: 7 };
        assert_eq!(told("run\tbare, 16 MiB\t2\t0.5\t7"), Some(("bare, 16 MiB", 2, run)));
        assert_eq!(told("running 1 test"), None);
    }
}
