//! The architecture as tests: who may use whom, what the pure crates may not contain, what no file may contain.
//!
//! Each rule is a function from texts to complaints, and is shown to complain.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every crate and the crates of ours that it may name: the way of the data, top to bottom.
const MAY_USE: &[(&str, &[&str])] = &[
    ("capture", &[]),
    ("flow", &["capture"]),
    ("features", &["flow", "capture"]),
    ("classify", &["flow", "capture"]),
    ("learn", &["features"]),
    ("session", &["classify", "features", "flow", "capture"]),
    ("v1", &[]),
    ("engine", &["capture", "flow", "features", "learn", "classify", "session", "v1"]),
    ("reader", &["engine"]),
    ("server", &["reader", "engine", "v1", "classify", "learn", "features"]),
    ("python", &["reader", "engine", "v1", "learn", "features"]),
    ("xtask", &[]),
];

/// The crates that are hosts: files, clock, threads and targets are their business.
const HOSTS: &[&str] = &["reader", "server", "python", "xtask"];

/// What a pure crate does not contain, and why.
const IMPURE: &[(&str, &str)] = &[
    ("cfg(target", "what differs by host belongs to a host"),
    ("cfg!(target", "what differs by host belongs to a host"),
    ("target_arch", "what differs by host belongs to a host"),
    ("std::fs", "hosts read files; the crates are fed bytes"),
    ("std::env", "a host passes what it is told"),
    ("std::thread", "threads belong to hosts"),
    ("std::process", "processes belong to hosts"),
    ("Instant::now", "capture time is the only clock; hosts pass `now`"),
    ("SystemTime::now", "capture time is the only clock; hosts pass `now`"),
    ("TcpStream", "the network belongs to hosts"),
    ("UdpSocket", "the network belongs to hosts"),
];

/// Folders of somebody's machine; written so that this file does not contain them.
const MACHINES: &[&str] = &[
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "Users/"),
    concat!("/", "work/"),
    concat!("C:", "\\Users"),
];

/// What no Rust source contains, and what to do instead.
const UNTIDY: &[(&str, &str)] = &[
    (concat!("#[", "ignore"), "a test that does not run is none"),
    (concat!("#[", "allow("), "expect a lint with its reason"),
    (concat!("#![", "allow("), "expect a lint with its reason"),
    (concat!("TO", "DO"), "do it, or write an issue"),
    (concat!("FIX", "ME"), "do it, or write an issue"),
];

/// Folders of sources.
const SOURCES: &[&str] = &["crates", "fuzz", "tests", "web"];

/// What is built, fetched or found.
const MADE: &[&str] = &["target", "dist", "node_modules", ".git", "corpus", "artifacts"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every file below a folder with its text, in order; not what is built or fetched, and not what is no text.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if MADE.contains(&name) {
            continue;
        }
        if path.is_dir() {
            found.extend(texts(&path));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
    found
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut texts = texts(&root().join(folder));
    texts.retain(|(path, _)| path.extension().is_some_and(|it| it == "rs"));
    texts
}

#[track_caller]
fn assert_tidy(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Crates of ours in a manifest's dependencies that the crate may not use.
fn wrong_uses(krate: &str, manifest: &str) -> Vec<String> {
    let allowed = MAY_USE.iter().find(|it| it.0 == krate).map_or(&[][..], |it| it.1);
    let after = manifest.split("\n[dependencies]\n").nth(1).unwrap_or("");
    let dependencies = after.split("\n[").next().unwrap_or("");
    dependencies
        .lines()
        .filter_map(|line| {
            let used = line.split(['.', ' ', '=']).next()?;
            let is_ours = MAY_USE.iter().any(|it| it.0 == used);
            (is_ours && !allowed.contains(&used))
                .then(|| format!("crates/{krate} must not depend on {used}: see crates/README.md"))
        })
        .collect()
}

#[test]
fn crates_depend_only_downwards() {
    let mut folders: Vec<String> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.join("Cargo.toml").exists())
        .map(|it| it.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    folders.sort();
    for krate in folders {
        assert!(MAY_USE.iter().any(|it| it.0 == krate), "crates/{krate} has no place in the order");
        let manifest = root().join("crates").join(&krate).join("Cargo.toml");
        assert_tidy(wrong_uses(&krate, &fs::read_to_string(manifest).unwrap()));
    }
    let broken = "[package]\n\n[dependencies]\nflow.workspace = true\nengine = { workspace = true }\n\n[dev-dependencies]\nserver.workspace = true\n";
    assert_eq!(wrong_uses("features", broken).len(), 1);
}

/// Dependencies whose version is not in the workspace's manifest.
fn own_versions(manifest: &str) -> Vec<&str> {
    let mut is_dependency = false;
    let mut wrong = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            is_dependency = section.contains("dependencies");
            continue;
        }
        let names_version = line.contains("version") || line.contains("= \"");
        if is_dependency && names_version && !line.contains("workspace") {
            wrong.push(line);
        }
    }
    wrong
}

#[test]
fn versions_are_in_one_place() {
    for (path, text) in texts(&root()) {
        // A workspace of its own cannot share them.
        let is_workspace = text.contains("\n[workspace]\n") || text.starts_with("[workspace]");
        if path.ends_with("Cargo.toml") && !is_workspace {
            let wrong = own_versions(&text);
            assert!(
                wrong.is_empty(),
                "{}: {wrong:?} belong into the root manifest",
                path.display()
            );
        }
    }
    assert_eq!(own_versions("[dependencies]\nserde = \"1\"\nflow.workspace = true\n").len(), 1);
}

/// Whether a source begins with what it is for.
fn says_what_it_is_for(text: &str) -> bool {
    text.starts_with("//! ")
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in SOURCES.iter().copied().flat_map(sources) {
        assert!(says_what_it_is_for(&text), "{} must begin with a `//!` sentence", path.display());
    }
    assert!(!says_what_it_is_for("use std::fs;\n"));
}

/// What a source contains of these, with why it must not.
fn found(text: &str, forbidden: &[(&str, &str)]) -> Vec<String> {
    // The tests of a crate may read a file; nothing follows them.
    let code = text.split("\n#[cfg(test)]\n").next().unwrap_or(text);
    forbidden
        .iter()
        .filter(|(word, _)| code.lines().any(|it| !is_comment(it) && it.contains(word)))
        .map(|(word, why)| format!("{word}: {why}"))
        .collect()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn pure_crates_are_pure() {
    for (krate, _) in MAY_USE.iter().filter(|it| !HOSTS.contains(&it.0)) {
        for (path, text) in sources(&format!("crates/{krate}/src")) {
            let found = found(&text, IMPURE);
            assert!(found.is_empty(), "{}: {found:?}", path.display());
        }
    }
    assert_eq!(
        found("#[cfg(target_arch = \"wasm32\")]\nlet file = std::fs::read(path);", IMPURE).len(),
        3
    );
}

#[test]
fn clippy_watches_the_pure_crates() {
    let list = fs::read_to_string(root().join("crates/clippy.toml")).unwrap();
    for method in ["std::time::Instant::now", "std::time::SystemTime::now", "std::fs::File::open"] {
        assert!(list.contains(method), "crates/clippy.toml must forbid {method}");
    }
    for (krate, _) in MAY_USE {
        let has_own = root().join("crates").join(krate).join("clippy.toml").exists();
        assert_eq!(has_own, HOSTS.contains(krate), "only hosts have a clippy.toml: crates/{krate}");
    }
}

/// Protocol files that the table does not name.
fn unlisted<'a>(files: &[&'a str], table: &str) -> Vec<&'a str> {
    let (modules, rows) = table.split_once("pub const PROTOCOLS").unwrap_or((table, ""));
    let rows = rows.split("];").next().unwrap_or("");
    let is_listed = |file: &str| {
        let is_module = modules.contains(&format!("mod {file};"));
        // A file without a row of its own serves others.
        is_module && (rows.contains(&format!("{file}::")) || SERVING.contains(&file))
    };
    files.iter().copied().filter(|it| !is_listed(it)).collect()
}

/// Files beside the protocols that recognise none by themselves.
const SERVING: &[&str] = &["x509"];

#[test]
fn every_protocol_file_is_in_the_table() {
    let folder = root().join("crates/classify/src");
    let table = fs::read_to_string(folder.join("protocol.rs")).unwrap();
    let paths = sources("crates/classify/src/protocol");
    let files: Vec<&str> =
        paths.iter().map(|(path, _)| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert!(files.len() > 20);
    assert_eq!(unlisted(&files, &table), Vec::<&str>::new());
    let broken = "mod ssh;\npub const PROTOCOLS: &[Protocol] = &[\n];\n";
    assert_eq!(unlisted(&["ssh", "http"], broken), ["ssh", "http"]);
}

/// Folders of a machine in a text.
fn machines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| MACHINES.iter().any(|it| line.contains(it))).collect()
}

#[test]
fn no_file_knows_a_machine() {
    for (path, text) in texts(&root()) {
        let found = machines(&text);
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
    assert_eq!(machines(&format!("see {}me/x", MACHINES[0])).len(), 1);
}

#[test]
fn sources_are_tidy() {
    for (path, text) in SOURCES.iter().copied().flat_map(sources) {
        let found: Vec<_> = UNTIDY.iter().filter(|it| text.contains(it.0)).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}
