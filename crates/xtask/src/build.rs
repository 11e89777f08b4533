//! Builds the page and the companion, and starts the companion.

use std::{
    ffi::OsString,
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;

use crate::{
    hosting,
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
    let list = fs::read_to_string(folder.join(hosting::HASHES)).context(hosting::HASHES)?;
    print!("{list}");
    println!("{}  {}", hosting::hash(list.as_bytes()), hosting::HASHES);
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
    let built = plain_page();
    let mut trunk = program(folders_first(&folders), &["build", "--offline", "--release", "true"]);
    trunk.arg("--dist").arg(&built).env("PATH", tools::path_with(&folders)?);
    trunk.env(PAGE_FLAGS, page_flags()?);
    // Trunk takes this as an option of its own, with other values.
    trunk.env_remove("NO_COLOR");
    step("building the page and its worker", &mut trunk)?;
    for name in ["app_bg.wasm", "worker_bg.wasm"] {
        let path = built.join(name);
        let module = wasm::without_names(&fs::read(&path).context(name)?).context(name)?;
        fs::write(&path, module).context(name)?;
    }
    eprintln!("· naming and packing the page's files");
    hosting::assemble(&built, &dist)?;
    fs::create_dir_all(target()).context("making the target folder")?;
    let file = fs::File::create(&stamp).context("marking the page as built")?;
    file.set_modified(started).context("marking the page as built")?;
    Ok(dist)
}

/// Where the page's files are by the names they are built with.
pub(crate) fn plain_page() -> PathBuf {
    target().join("page")
}

/// The variable by which cargo learns [`page_flags`].
pub(crate) const PAGE_FLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// How the page's modules are compiled: places in the sources, which faults tell, are the same wherever these are; views
/// are put together from parts of one type each, not of a type of their own each (Leptos), which takes less room; and
/// names of functions, which are no part of what is served, tell their types to who looks for what takes it.
pub(crate) fn page_flags() -> anyhow::Result<OsString> {
    let folders =
        [(tools::cargo_home()?, "/cargo"), (root(), "/tractor"), (target(), "/tractor/target")];
    let mut flags = OsString::new();
    for (folder, name) in folders {
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push(format!("={name} "));
    }
    flags.push("--cfg erase_components -Csymbol-mangling-version=v0");
    Ok(flags)
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
