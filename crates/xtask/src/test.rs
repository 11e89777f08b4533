//! Every test there is: format, lints, tests, and the built page in headless Chromium.

use crate::{
    build,
    run::{cargo, step},
    tools,
};

const WASM: &str = "wasm32-unknown-unknown";

/// `cargo xtask test`
pub(crate) fn all(_: &[String]) -> anyhow::Result<()> {
    step("checking the format", &mut cargo(&["fmt", "--all", "--", "--check"]))?;
    let driver = tools::chromium_driver()?;
    let page = build::page()?;
    let companion = build::companion()?;
    let native = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    step("checking the lints", &mut cargo(&native))?;
    let wasm = ["clippy", "-p", "web", "--target", WASM, "--all-targets", "--", "-D", "warnings"];
    step("checking the lints of the page", &mut cargo(&wasm))?;
    step("running the tests", &mut cargo(&["test", "--workspace", "--exclude", "web"]))?;
    step("running the page's tests", &mut cargo(&["test", "-p", "web", "--lib"]))?;
    let folders = tools::page_tools()?;
    let mut in_browser = cargo(&["test", "-p", "web", "--target", WASM, "--test", "wasm"]);
    in_browser
        .env("PATH", tools::path_with(&folders)?)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner")
        .env("CHROMEDRIVER", &driver);
    step("running the worker's tests in Chromium", &mut in_browser)?;
    let mut end_to_end = cargo(&["test", "-p", "web", "--test", "browser"]);
    end_to_end.env("CHROMEDRIVER", &driver).env("TRACTOR_PAGE", page).env("TRACTOR", companion);
    step("using the built page in Chromium", &mut end_to_end)
}
