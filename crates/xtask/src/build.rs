//! Builds the page and the companion, and starts the companion.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;

use crate::{
    run::{cargo, program, root, step, target},
    tools, wasm,
};

/// What the page is made of.
const PAGE_SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "crates",
    "index.html",
    "tests/captures/sample.pcapng",
    "web",
];
/// Where the companion listens, if that is free.
const ADDRESS: &str = "127.0.0.1:8080";

/// `cargo xtask dist`
pub(crate) fn dist(_: &[String]) -> anyhow::Result<()> {
    let folder = page()?;
    eprintln!("the page is in {}", folder.display());
    Ok(())
}

/// `cargo xtask serve`
pub(crate) fn serve(arguments: &[String]) -> anyhow::Result<()> {
    let page = page()?;
    let companion = companion()?;
    let folder = target().join("serve");
    let captures = folder.join("captures");
    fs::create_dir_all(&captures).context("making the captures folder")?;
    let sample = captures.join("sample.pcapng");
    fs::copy(root().join("tests/captures/sample.pcapng"), sample).context("the sample capture")?;
    let address = if TcpListener::bind(ADDRESS).is_ok() { ADDRESS } else { "127.0.0.1:0" };
    let mut serve = program(companion, &["serve"]);
    let usual = [
        ("--listen", address.into()),
        ("--captures", captures),
        ("--data", folder.join("data")),
        ("--page", page),
    ];
    for (name, value) in usual {
        // What the caller says comes instead.
        if !arguments.iter().any(|it| it.split('=').next() == Some(name)) {
            serve.arg(name).arg(value);
        }
    }
    serve.args(arguments);
    step("starting the companion; Ctrl-C ends it", &mut serve)
}

/// The companion, built.
pub(crate) fn companion() -> anyhow::Result<PathBuf> {
    let mut build = cargo(&["build", "--release", "--package", "server"]);
    step("building the companion", &mut build)?;
    Ok(target().join("release").join("tractor"))
}

/// The page's folder, built anew where a source changed.
pub(crate) fn page() -> anyhow::Result<PathBuf> {
    let dist = root().join("dist");
    let stamp = target().join("page-built");
    let built = fs::metadata(&stamp).and_then(|it| it.modified()).ok();
    let sources = newest(PAGE_SOURCES.iter().map(|it| root().join(it)))?;
    if dist.join("index.html").exists() && built.is_some_and(|it| it > sources) {
        eprintln!("· the page is built already");
        return Ok(dist);
    }
    let folders = tools::page_tools()?;
    let started = SystemTime::now();
    let mut trunk = program(folders_first(&folders), &["build", "--offline", "--release", "true"]);
    trunk.arg("--dist").arg(&dist).env("PATH", tools::path_with(&folders)?);
    // Trunk takes this as an option of its own, with other values.
    trunk.env_remove("NO_COLOR");
    step("building the page and its worker", &mut trunk)?;
    for name in ["app_bg.wasm", "worker_bg.wasm"] {
        let path = dist.join(name);
        let module = wasm::without_names(&fs::read(&path).context(name)?).context(name)?;
        fs::write(&path, module).context(name)?;
    }
    fs::create_dir_all(target()).context("making the target folder")?;
    let file = fs::File::create(&stamp).context("marking the page as built")?;
    file.set_modified(started).context("marking the page as built")?;
    Ok(dist)
}

/// Trunk by its whole path: what else is called so is not meant.
fn folders_first(folders: &[PathBuf]) -> PathBuf {
    folders.first().map_or_else(|| "trunk".into(), |it| it.join("trunk"))
}

/// When the newest of these files and of those below these folders changed.
fn newest(places: impl Iterator<Item = PathBuf>) -> anyhow::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut waiting: Vec<PathBuf> = places.collect();
    while let Some(place) = waiting.pop() {
        let said = |place: &Path| place.display().to_string();
        let about = fs::metadata(&place).with_context(|| said(&place))?;
        if about.is_dir() {
            let entries: io::Result<Vec<_>> = fs::read_dir(&place)?.collect();
            waiting.extend(entries.with_context(|| said(&place))?.iter().map(fs::DirEntry::path));
        } else {
            newest = newest.max(about.modified().with_context(|| said(&place))?);
        }
    }
    Ok(newest)
}
