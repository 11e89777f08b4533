//! The Python package: `cargo xtask wheel` builds it, and the tests install it into an environment of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::run::{cargo, program, root, step, target};

/// What builds the wheel.
const MATURIN: &str = "maturin==1.16.0";
/// What the tests need, beside the package.
const REQUIREMENTS: &str = "crates/python/tests/requirements.txt";

/// `cargo xtask wheel`: the package, in `target/wheels`.
pub(crate) fn wheel(_: &[String]) -> anyhow::Result<()> {
    let wheel = build(&["--release"], "wheels")?;
    println!("{}", wheel.display());
    Ok(())
}

/// The tests of the package, to be run with the command line beside it: it is built and installed for them.
pub(crate) fn tests(tractor: &Path) -> anyhow::Result<Command> {
    // In a folder of its own: it is not compiled for speed.
    let environment = ready(&build(&[], "python/wheels")?)?;
    let mut tests =
        program(python_of(&environment), &["-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    tests.args(["-W", "error::pytest.PytestUnraisableExceptionWarning", "crates/python/tests"]);
    tests.env("TRACTOR", tractor).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(tests)
}

/// An environment with the wheel, and all that its tests need.
fn ready(wheel: &Path) -> anyhow::Result<PathBuf> {
    let requirements = root().join(REQUIREMENTS);
    let asked = fs::read_to_string(&requirements).with_context(|| REQUIREMENTS.to_owned())?;
    let environment = environment("tests", &asked, |pip| pip.arg("-r").arg(&requirements))?;
    let mut install = pip(&environment);
    install.args(["--force-reinstall", "--no-deps"]).arg(wheel);
    step("installing the Python package", &mut install)?;
    Ok(environment)
}

/// `cargo xtask python`: the tests of the package alone.
pub(crate) fn python(arguments: &[String]) -> anyhow::Result<()> {
    step("building the command line", &mut cargo(&["build", "--package", "server"]))?;
    let tractor = target().join("debug").join("tractor");
    step("running the Python package's tests", tests(&tractor)?.args(arguments))
}

/// `cargo xtask cluster CAPTURES…`: Spark with two workers on loopback, beside the same in one process.
pub(crate) fn cluster(arguments: &[String]) -> anyhow::Result<()> {
    let wheel = build(&["--release"], "wheels")?;
    let environment = ready(&wheel)?;
    let script = ["crates/python/tests/cluster.py"];
    step("measuring a cluster", program(python_of(&environment), &script).args(arguments))
}

/// Builds the wheel into a folder below `target`, and returns its path.
fn build(how: &[&str], folder: &str) -> anyhow::Result<PathBuf> {
    let environment = environment("maturin", MATURIN, |pip| pip.arg(MATURIN))?;
    let folder = target().join(folder);
    // There is to be one in it.
    let _ = fs::remove_dir_all(&folder);
    let mut maturin = program(environment.join("bin").join("maturin"), &["build"]);
    maturin.args(how).args(["--manifest-path", "crates/python/Cargo.toml", "--out"]).arg(&folder);
    maturin.arg("--interpreter").arg(python_of(&environment));
    step("building the Python package", &mut maturin)?;
    let mut wheels = fs::read_dir(&folder)?.filter_map(|it| Some(it.ok()?.path()));
    wheels.find(|it| it.extension().is_some_and(|it| it == "whl")).context("maturin made no wheel")
}

/// A virtual environment below `target` with what `install` tells pip to install. It is made anew when `asked` changes.
fn environment(
    name: &str,
    asked: &str,
    install: impl FnOnce(&mut Command) -> &mut Command,
) -> anyhow::Result<PathBuf> {
    let folder = target().join("python").join(name);
    let stamp = folder.join("asked.txt");
    if fs::read_to_string(&stamp).is_ok_and(|it| it == asked) {
        return Ok(folder);
    }
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let mut make = program(python, &["-m", "venv", "--clear"]);
    if step("making a Python environment", make.arg(&folder)).is_err() {
        bail!("Python 3.9 or later with the module `venv` is needed; PYTHON may name it");
    }
    let mut pip = pip(&folder);
    step("installing what the Python package needs", install(&mut pip))?;
    fs::write(stamp, asked)?;
    Ok(folder)
}

fn pip(environment: &Path) -> Command {
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    program(python_of(environment), &arguments)
}

fn python_of(environment: &Path) -> PathBuf {
    environment.join("bin").join("python")
}
