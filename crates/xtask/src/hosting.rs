//! From the page as it was built to a folder that any host serves from any path: names that change with the content, a
//! service worker that keeps the page, packed copies, the page in one file, and the hashes of it all.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, bail, ensure};
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use crate::run::root;

/// The page itself, which names all other files.
const PAGE: &str = "index.html";
/// The page's service worker.
const KEEPER: &str = "sw.js";
/// The page in one file, to be opened from a disk.
const SINGLE: &str = "tractor.html";
/// The hashes of all files, as `sha256sum` writes and checks them.
pub(crate) const HASHES: &str = "hashes.txt";
/// The description of the page to a system that installs it.
const MANIFEST: &str = "manifest.webmanifest";

/// What the page is made of, by the names it is built with; in the folder it has the hash of its content in its name.
const PARTS: &[&str] = &[
    "app.js",
    "app_bg.wasm",
    "boot.js",
    MANIFEST,
    "page.css",
    "sample.pcapng",
    "worker.js",
    "worker_bg.wasm",
];

/// Pictures of the manifest, which are put into it: a browser asks for them at any time, and after the seal it could not.
const ICONS: &[(&str, &str)] =
    &[("icon.svg", "image/svg+xml"), ("icon-192.png", "image/png"), ("icon-512.png", "image/png")];

/// The parts that `boot.js` loads, by the name it has for each.
const LOADED: &[(&str, &str)] = &[
    ("app", "app_bg.wasm"),
    ("worker", "worker.js"),
    ("engine", "worker_bg.wasm"),
    ("sample", "sample.pcapng"),
];

/// What the page in one file may do from the beginning: run its own scripts, which are named by their hashes, and ask
/// nothing of anybody.
const SINGLE_POLICY: &str = "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; \
     img-src data: blob:; worker-src blob:; connect-src 'none'; form-action 'none'; base-uri 'none'; \
     require-trusted-types-for 'script'; trusted-types default";

/// How many digits of its hash a name has.
const HASH_LEN: usize = 16;
/// The highest quality of brotli (RFC 7932), and its widest window.
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_BITS: u32 = 24;
/// What is packed: names that end so.
const PACKED: &[&str] = &["css", "html", "js", "pcapng", "wasm", "webmanifest"];

/// The files of a folder, by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// Writes the folder anew from what was built.
pub(crate) fn assemble(built: &Path, dist: &Path) -> anyhow::Result<()> {
    let mut files = named(built)?;
    files.insert(SINGLE.to_owned(), single(built)?.into_bytes());
    files.extend(packed(&files)?);
    let mut list = String::new();
    for (name, bytes) in &files {
        writeln!(list, "{}  {name}", hash(bytes))?;
    }
    files.insert(HASHES.to_owned(), list.into_bytes());
    if dist.exists() {
        fs::remove_dir_all(dist).context("emptying the page's folder")?;
    }
    fs::create_dir_all(dist).context("making the page's folder")?;
    for (name, bytes) in &files {
        fs::write(dist.join(name), bytes).with_context(|| name.clone())?;
    }
    Ok(())
}

/// The parts under names of their content, the page that names them, and the service worker that keeps both.
fn named(built: &Path) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let mut page = text(built, PAGE)?;
    for part in PARTS {
        let bytes = match *part {
            MANIFEST => manifest(built)?.into_bytes(),
            _ => read(built, part)?,
        };
        let name = named_by_content(part, &bytes)?;
        page = replaced(&page, &format!("\"{part}\""), &format!("\"{name}\""))?;
        files.insert(name, bytes);
    }
    let names: Vec<String> = files.keys().map(|it| format!("{it:?}")).collect();
    // It keeps the page too, so it is another one wherever that is.
    let release = &hash(page.as_bytes())[..HASH_LEN];
    let keeper = text(built, KEEPER)?;
    let keeper = format!(
        "const RELEASE = {{ name: {release:?}, files: [{}] }};\n{keeper}",
        names.join(", ")
    );
    let name = named_by_content(KEEPER, keeper.as_bytes())?;
    page = replaced(&page, &format!("\"{KEEPER}\""), &format!("\"{name}\""))?;
    files.insert(name, keeper.into_bytes());
    files.insert(PAGE.to_owned(), page.into_bytes());
    Ok(files)
}

/// `boot.js` and its content as `boot-0123456789abcdef.js`.
fn named_by_content(part: &str, bytes: &[u8]) -> anyhow::Result<String> {
    let (stem, extension) = part.split_once('.').context("a part has no extension")?;
    Ok(format!("{stem}-{}.{extension}", &hash(bytes)[..HASH_LEN]))
}

/// The manifest with its pictures in it.
fn manifest(built: &Path) -> anyhow::Result<String> {
    let mut manifest = text(built, MANIFEST)?;
    for (icon, media_type) in ICONS {
        let bytes = read(&root().join("web/assets"), icon)?;
        let address = format!("\"data:{media_type};base64,{}\"", base64(&bytes));
        manifest = replaced(&manifest, &format!("\"{icon}\""), &address)?;
    }
    Ok(manifest)
}

/// The page in one file: its scripts and its style within, the other parts packed and as text.
fn single(built: &Path) -> anyhow::Result<String> {
    let page = text(built, PAGE)?;
    let (app, boot) = (script(built, "app.js")?, script(built, "boot.js")?);
    let style = text(built, "page.css")?;
    ensure!(!style.contains("</style"), "page.css would end its own element");
    let hash_of = |it: &str| format!("'sha256-{}'", base64(&Sha256::digest(it.as_bytes())));
    let policy = SINGLE_POLICY
        .replace("{scripts}", &format!("{} {}", hash_of(&app), hash_of(&boot)))
        .replace("{styles}", &hash_of(&style));
    let mut parts = String::new();
    for (id, part) in LOADED {
        let part = base64(&gzip(&read(built, part)?)?);
        // A type that is no script's: the browser keeps the text and does nothing with it.
        writeln!(parts, "<script type=\"application/gzip\" id=\"part-{id}\">{part}</script>")?;
    }
    let mut lines = Vec::new();
    for line in page.lines() {
        lines.push(if line.starts_with("<meta http-equiv=\"Content-Security-Policy\"") {
            format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")
        } else if line.starts_with("<link rel=\"stylesheet\"") {
            format!("<style>{style}</style>")
        } else if line.starts_with("<script ") {
            // They want the whole document, and no script within it waits for that.
            continue;
        } else if line == "</body>" {
            format!("{parts}<script>{app}</script>\n<script>{boot}</script>\n{line}")
        } else {
            line.to_owned()
        });
    }
    let single = lines.join("\n");
    for needed in [&policy, &style, &app, &boot, &parts] {
        ensure!(
            single.contains(&**needed),
            "{PAGE} is not of the shape that {SINGLE} is made from"
        );
    }
    Ok(single)
}

/// A script that can stand within a page.
fn script(built: &Path, name: &str) -> anyhow::Result<String> {
    let script = text(built, name)?;
    ensure!(
        !script.contains("</script") && !script.contains("<!--"),
        "{name} would end its own element"
    );
    Ok(script)
}

/// Copies of the files that servers send to browsers that unpack them.
fn packed(files: &Files) -> anyhow::Result<Files> {
    let is_packed = |name: &str| name.rsplit('.').next().is_some_and(|it| PACKED.contains(&it));
    let chosen = files.iter().filter(|it| is_packed(it.0));
    thread::scope(|scope| {
        let mut waiting = Vec::new();
        for (name, bytes) in chosen {
            waiting.push((format!("{name}.br"), scope.spawn(|| brotli(bytes))));
            waiting.push((format!("{name}.gz"), scope.spawn(|| gzip(bytes))));
        }
        let mut packed = Files::new();
        for (name, thread) in waiting {
            let Ok(bytes) = thread.join() else { bail!("packing {name} panicked") };
            packed.insert(name, bytes?);
        }
        Ok(packed)
    })
}

fn brotli(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut writer =
        brotli::CompressorWriter::new(&mut out, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
    writer.write_all(bytes).context("brotli")?;
    drop(writer);
    Ok(out)
}

/// Without a time and a name in it, so that the same bytes come out (RFC 1952).
fn gzip(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
    writer.write_all(bytes).context("gzip")?;
    writer.finish().context("gzip")
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

/// Base 64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at > three.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// A text in which this stands once.
fn replaced(text: &str, old: &str, new: &str) -> anyhow::Result<String> {
    ensure!(text.matches(old).count() == 1, "{old} stands not just once where it is named");
    Ok(text.replace(old, new))
}

fn read(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let path: PathBuf = folder.join(name);
    fs::read(&path).with_context(|| path.display().to_string())
}

fn text(folder: &Path, name: &str) -> anyhow::Result<String> {
    String::from_utf8(read(folder, name)?).with_context(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_that_of_the_standard() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn a_name_changes_with_the_content_alone() {
        let name = |it: &[u8]| named_by_content("app_bg.wasm", it).unwrap();
        assert_eq!(name(b"one"), name(b"one"));
        assert_ne!(name(b"one"), name(b"two"));
        assert!(name(b"").starts_with("app_bg-e3b0c44298fc1c14."), "{}", name(b""));
    }

    #[test]
    fn packed_copies_are_the_same_each_time() {
        let bytes = b"the same bytes again and again ".repeat(100);
        assert_eq!(brotli(&bytes).unwrap(), brotli(&bytes).unwrap());
        assert!(brotli(&bytes).unwrap().len() < 60);
        let packed = gzip(&bytes).unwrap();
        // No time, and no name.
        assert_eq!((packed[3], &packed[4..8]), (0, &[0; 4][..]));
    }

    #[test]
    fn what_is_named_twice_or_nowhere_is_a_fault() {
        assert_eq!(replaced("a \"b\" c", "\"b\"", "d").unwrap(), "a d c");
        assert!(replaced("a c", "\"b\"", "d").is_err());
        assert!(replaced("\"b\" \"b\"", "\"b\"", "d").is_err());
    }
}
