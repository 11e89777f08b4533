//! Runs other programs, saying what is done in plain words.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, bail};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder that builds go to.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// A program, started in the folder of the workspace.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// This cargo, started in the folder of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = program(cargo, arguments);
    // What cargo set for this program is not for the next one.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
    command
}

/// An example of the tests' package, which has their fixtures; arguments follow.
pub(crate) fn example(name: &str) -> Command {
    run_example(name, &[])
}

/// The same, compiled for speed.
pub(crate) fn quick_example(name: &str) -> Command {
    run_example(name, &["--release"])
}

fn run_example(name: &str, how: &[&str]) -> Command {
    let mut command = cargo(&["run", "--quiet", "--package", "tests", "--example", name]);
    command.args(how);
    command.arg("--manifest-path").arg(root().join("Cargo.toml")).arg("--");
    command
}

/// Runs a step to its end and says how long it took.
pub(crate) fn step(about: &str, command: &mut Command) -> anyhow::Result<()> {
    let (start, child) = begin(about, command)?;
    end(about, start, child)
}

/// The same, and gives each line it prints to `hear` too.
pub(crate) fn listen(
    about: &str,
    command: &mut Command,
    mut hear: impl FnMut(&str),
) -> anyhow::Result<()> {
    let (start, mut child) = begin(about, command.stdout(Stdio::piped()))?;
    if let Some(printed) = child.stdout.take() {
        for line in BufReader::new(printed).split(b'\n') {
            let line = line.with_context(|| about.to_owned())?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            hear(&line);
        }
    }
    end(about, start, child)
}

fn begin(about: &str, command: &mut Command) -> anyhow::Result<(Instant, Child)> {
    eprintln!("· {about}");
    let start = Instant::now();
    let child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    Ok((start, child))
}

fn end(about: &str, start: Instant, mut child: Child) -> anyhow::Result<()> {
    let status = child.wait().with_context(|| about.to_owned())?;
    if !status.success() {
        bail!("{about}: {status}");
    }
    eprintln!("  {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What a program prints, or nothing where it cannot be run.
pub(crate) fn output(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Option<String> {
    let output = program(name, arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
