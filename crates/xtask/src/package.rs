//! `cargo xtask package`: the command with its page, manual pages and completions, as a Debian package or a static program.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use flate2::{Compression, write::GzEncoder};

use crate::{
    build,
    run::{cargo, output, program, step, target},
    tools,
};

/// Where what is packaged is put together, beside the program; the package's list of files (`crates/server/Cargo.toml`) names
/// it.
const STAGE: &str = "package";
/// Where the shells look for what completes words: the shell's name here, and the file's.
const COMPLETIONS: &[(&str, &str)] =
    &[("bash", "tractor.bash"), ("zsh", "_tractor"), ("fish", "tractor.fish")];

/// `cargo xtask package`: a Debian package; with `static` a program that needs no library, beside the same files.
pub(crate) fn package(arguments: &[String]) -> anyhow::Result<()> {
    match arguments {
        [] => debian(),
        [how] if how == "static" => fixed(),
        _ => bail!("usage: cargo xtask package [static]"),
    }
}

fn debian() -> anyhow::Result<()> {
    let folder = tools::cargo_deb()?;
    let page = build::page()?;
    let companion = build::companion()?;
    stage(&companion, &page)?;
    let mut deb = program(folder.join("cargo-deb"), &["--no-build", "--package", "server"]);
    step("writing the Debian package", &mut deb)
}

/// Builds the program with musl, and what belongs to it.
fn fixed() -> anyhow::Result<()> {
    let host = output("rustc", &["--print", "host-tuple"]).context("there is no rustc")?;
    let machine = host.split('-').next().unwrap_or_default();
    let musl = format!("{machine}-unknown-linux-musl");
    step("adding the target", &mut program("rustup", &["target", "add", &musl]))?;
    let mut build = cargo(&["build", "--release", "--package", "server", "--target", &musl]);
    step("building the static program", &mut build)?;
    let page = build::page()?;
    let built = target().join(&musl).join("release").join("tractor");
    let stage = stage(&built, &page)?;
    let placed = stage.join("tractor");
    fs::copy(&built, &placed).with_context(|| placed.display().to_string())?;
    eprintln!("the program and its files are in {}", stage.display());
    Ok(())
}

/// Puts together what the program says of itself, and the page; the folder of it all.
fn stage(companion: &Path, page: &Path) -> anyhow::Result<PathBuf> {
    let stage = companion.with_file_name(STAGE);
    if stage.exists() {
        fs::remove_dir_all(&stage).context("removing what was packaged before")?;
    }
    let completions = stage.join("completions");
    fs::create_dir_all(&completions).context("making the folder of completions")?;
    for (shell, file) in COMPLETIONS {
        let script = output(companion, &["completion", shell]).context("completions")?;
        fs::write(completions.join(file), script + "\n").context(*file)?;
    }
    let pages = stage.join("man");
    let mut man = program(companion, &["man", "-o"]);
    step("writing the manual pages", man.arg(&pages))?;
    pack(&pages)?;
    copy(page, &stage.join("page"))?;
    Ok(stage)
}

/// Packs every file of a folder by gzip, as Debian has manual pages; the same files give the same bytes.
fn pack(folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry.context("listing the manual pages")?.path();
        let text = fs::read(&path).with_context(|| path.display().to_string())?;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        let packed = packed.write_all(&text).and_then(|()| packed.finish());
        fs::write(path.with_extension("1.gz"), packed.context("packing a manual page")?)?;
        fs::remove_file(&path)?;
    }
    Ok(())
}

/// Copies a folder and all below it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry.context("listing the page")?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}
