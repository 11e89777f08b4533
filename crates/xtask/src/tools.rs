//! The tools a build needs, installed where they are missing: the wasm target, Trunk, wasm-bindgen, Chromium.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::run::{cargo, output, program, root, step, target};

/// The newest Trunk that builds with the pinned toolchain.
const TRUNK_VERSION: &str = "0.21.14";
/// How tools are compiled: they work for seconds, so it does not pay to compile them for minutes.
const QUICK_BUILD: &[(&str, &str)] =
    &[("CODEGEN_UNITS", "16"), ("DEBUG", "false"), ("LTO", "off"), ("OPT_LEVEL", "1")];
/// Writes Debian packages.
const CARGO_DEB_VERSION: &str = "3.8.0";
/// Drives libFuzzer.
const CARGO_FUZZ_VERSION: &str = "0.13.2";
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Adds the wasm target where the toolchain lacks it.
pub(crate) fn wasm_target() -> anyhow::Result<()> {
    let sysroot = output("rustc", &["--print", "sysroot"]).context("there is no rustc")?;
    if Path::new(&sysroot).join("lib/rustlib").join(WASM_TARGET).exists() {
        return Ok(());
    }
    step("adding the wasm target", &mut program("rustup", &["target", "add", WASM_TARGET]))
}

/// The folders of Trunk and wasm-bindgen, which are installed where they are missing.
pub(crate) fn page_tools() -> anyhow::Result<Vec<PathBuf>> {
    wasm_target()?;
    Ok(vec![
        cargo_tool("trunk", "trunk", TRUNK_VERSION)?,
        cargo_tool("wasm-bindgen-cli", "wasm-bindgen", &locked_version("wasm-bindgen")?)?,
    ])
}

/// The folder of cargo-deb, which is installed where it is missing.
pub(crate) fn cargo_deb() -> anyhow::Result<PathBuf> {
    cargo_tool("cargo-deb", "cargo-deb", CARGO_DEB_VERSION)
}

/// The folder of cargo-fuzz, which is installed where it is missing.
pub(crate) fn cargo_fuzz() -> anyhow::Result<PathBuf> {
    if output("rustup", &["run", "nightly", "rustc", "--version"]).is_none() {
        bail!("fuzzing needs a nightly compiler: rustup toolchain install nightly");
    }
    cargo_tool("cargo-fuzz", "cargo-fuzz", CARGO_FUZZ_VERSION)
}

/// `PATH` with these folders first.
pub(crate) fn path_with(folders: &[PathBuf]) -> anyhow::Result<std::ffi::OsString> {
    let old = env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&old));
    env::join_paths(all).context("PATH cannot be extended")
}

/// The folder that holds a tool in the version wanted: of the user's, or of our own beside them.
fn cargo_tool(package: &str, binary: &str, version: &str) -> anyhow::Result<PathBuf> {
    let is_right = |folder: &Path| {
        let said = output(folder.join(binary), &["--version"]);
        said.is_some_and(|it| it.split_whitespace().any(|word| word == version))
    };
    let home = cargo_home()?;
    let own = home.join("tractor-tools").join(format!("{package}-{version}"));
    for folder in [own.join("bin"), home.join("bin")] {
        if is_right(&folder) {
            return Ok(folder);
        }
    }
    let mut install = cargo(&["install", "--locked", "--version", version, package, "--root"]);
    install.arg(&own).env("CARGO_TARGET_DIR", target().join("tools"));
    for (name, value) in QUICK_BUILD {
        install.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
    }
    step(&format!("installing {package} {version} (some minutes, once)"), &mut install)?;
    Ok(own.join("bin"))
}

/// Where cargo keeps what it fetched and installed.
pub(crate) fn cargo_home() -> anyhow::Result<PathBuf> {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    let usual = || Some(PathBuf::from(env::var_os("HOME")?).join(".cargo"));
    set.or_else(usual).context("neither CARGO_HOME nor HOME is set")
}

/// The version of a package in Cargo.lock.
fn locked_version(package: &str) -> anyhow::Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("Cargo.lock")?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|it| *it != name).skip(1);
    let version = lines.next().and_then(|it| it.strip_prefix("version = \""));
    let version = version.and_then(|it| it.strip_suffix('"'));
    Ok(version.with_context(|| format!("{package} is not in Cargo.lock"))?.to_owned())
}

/// The Chromium driver, installed with its browser where they are missing and may be installed.
pub(crate) fn chromium_driver() -> anyhow::Result<PathBuf> {
    if let Some(driver) = env::var_os("CHROMEDRIVER") {
        return Ok(driver.into());
    }
    let found = || {
        Some((find(&["chromium", "chromium-browser", "google-chrome"])?, find(&["chromedriver"])?))
    };
    if let Some((_, driver)) = found() {
        return Ok(driver);
    }
    let may_install = output("id", &["-u"]).as_deref() == Some("0") && find(&["apt-get"]).is_some();
    if !may_install {
        bail!(
            "the browser tests need Chromium and its driver: install the packages `chromium` and \
             `chromium-driver` (Debian's names), or name the driver in CHROMEDRIVER"
        );
    }
    step("looking for packages", &mut program("apt-get", &["update", "-qq"]))?;
    let packages =
        ["install", "-y", "-qq", "--no-install-recommends", "chromium", "chromium-driver"];
    let mut install = program("apt-get", &packages);
    step("installing Chromium", install.env("DEBIAN_FRONTEND", "noninteractive"))?;
    Ok(found().context("Chromium was installed and is not found")?.1)
}

/// The first of these programs that is on the `PATH`.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let places = || env::split_paths(&path);
    names.iter().find_map(|name| places().map(|it| it.join(name)).find(|it| it.is_file()))
}
