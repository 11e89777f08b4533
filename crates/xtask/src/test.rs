//! Every test there is: format, lints, tests, and the built page in headless Chromium.

use std::process::Command;

use anyhow::bail;

use crate::{
    build, instructions, python,
    run::{cargo, listen, root, step, target},
    tools,
};

const WASM: &str = "wasm32-unknown-unknown";

/// `cargo xtask test`
pub(crate) fn all(_: &[String]) -> anyhow::Result<()> {
    let driver = tools::chromium_driver()?;
    let mut tally = Tally::default();
    let format = ["fmt", "--all", "--", "--check"];
    tally.step("checking the format", &mut cargo(&format));
    let native = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    tally.step("checking the lints", &mut cargo(&native));
    let wasm = ["clippy", "-p", "web", "--target", WASM, "--all-targets", "--", "-D", "warnings"];
    tally.step("checking the lints of the page", &mut cargo(&wasm));
    let page = build::page()?;
    let folders = tools::page_tools()?;
    // The profile of the page: what it is made of is compiled already.
    let mut in_worker =
        test(&["-p", "web", "--target", WASM, "--test", "wasm", "--profile", "page"]);
    in_worker
        .env("PATH", tools::path_with(&folders)?)
        .env(build::PAGE_FLAGS, build::page_flags()?)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        // Thousands of captures take some seconds, on a busy machine more than the usual 20.
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
        .env("CHROMEDRIVER", &driver);
    tally.tests("running the worker's tests in Chromium", &mut in_worker);
    // All at once, so that nothing is compiled twice. Those that use the page in Chromium are told where all is.
    let mut all = test(&["--workspace"]);
    all.env("CHROMEDRIVER", &driver)
        .env("TRACTOR_PAGE", page)
        .env("TRACTOR", target().join("debug").join("tractor"));
    tally.tests("running the tests, with the built page in Chromium", &mut all);
    match python::tests(&target().join("debug").join("tractor")) {
        Ok(mut tests) => tally.tests("running the Python package's tests", &mut tests),
        Err(error) => tally.work("building the Python package", || Err(error)),
    }
    tally.work("comparing instructions with those kept", || instructions::check(&[]));
    tally.end()
}

/// `cargo xtask pictures`
pub(crate) fn pictures(_: &[String]) -> anyhow::Result<()> {
    let driver = tools::chromium_driver()?;
    let page = build::page()?;
    let mut pictures = test(&["-p", "web", "--test", "browser", "pictures"]);
    pictures
        .env("CHROMEDRIVER", driver)
        .env("TRACTOR_PAGE", page)
        .env("TRACTOR_PICTURES", root().join("docs"));
    step("taking the README's pictures of the sample", &mut pictures)
}

/// All tests of these, whether one fails or not.
fn test(arguments: &[&str]) -> Command {
    let mut command = cargo(&["test", "--no-fail-fast"]);
    command.args(arguments);
    command
}

/// What passed and what failed so far.
#[derive(Default)]
struct Tally {
    n_passed: u64,
    n_failed: u64,
    /// The steps that failed.
    failed: Vec<&'static str>,
}

impl Tally {
    /// A step that passes or fails as one.
    fn step(&mut self, about: &'static str, command: &mut Command) {
        self.work(about, || step(about, command));
    }

    /// Work that passes or fails as one.
    fn work(&mut self, about: &'static str, work: impl FnOnce() -> anyhow::Result<()>) {
        match work() {
            Ok(()) => self.n_passed += 1,
            Err(error) => {
                eprintln!("  {error:#}");
                self.n_failed += 1;
                self.failed.push(about);
            }
        }
    }

    /// A step that runs tests, each of which passes or fails.
    fn tests(&mut self, about: &'static str, command: &mut Command) {
        let (mut n_passed, mut n_failed) = (0, 0);
        let ended = listen(about, command, |line| {
            if let Some((passed, failed)) = result(line) {
                n_passed += passed;
                n_failed += failed;
            }
        });
        if let Err(error) = ended {
            eprintln!("  {error:#}");
            // Tests that do not compile have no count of their own.
            n_failed = n_failed.max(1);
            self.failed.push(about);
        }
        self.n_passed += n_passed;
        self.n_failed += n_failed;
    }

    /// Says the sum as the last thing.
    fn end(self) -> anyhow::Result<()> {
        for about in &self.failed {
            println!("failed: {about}");
        }
        println!("{} passed, {} failed", self.n_passed, self.n_failed);
        if self.failed.is_empty() { Ok(()) } else { bail!("some tests failed") }
    }
}

/// How many passed and how many failed, of a line `test result: ok. 3 passed; 0 failed; …`.
fn result(line: &str) -> Option<(u64, u64)> {
    let counts = line.trim().strip_prefix("test result: ")?.split_once(". ")?.1;
    let count = |of: &str| {
        let words = counts.split(';').find_map(|it| it.trim().strip_suffix(of))?;
        words.trim().parse().ok()
    };
    Some((count("passed")?, count("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<(u64, u64)>) {
        assert_eq!(result(line), expected);
    }

    #[test]
    fn results_are_counted() {
        let rest = "0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        check(&format!("test result: ok. 12 passed; 0 failed; {rest}"), Some((12, 0)));
        check(&format!("test result: FAILED. 3 passed; 4 failed; {rest}"), Some((3, 4)));
        check("running 3 tests", None);
        check("test result: ok", None);
    }
}
