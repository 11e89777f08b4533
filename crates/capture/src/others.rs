//! The first bytes of files that people take for captures, in words: what the file is, and what to do with it.

/// A kind of file, told by what stands where in it.
struct Kind {
    at: usize,
    start: &'static [u8],
    name: &'static str,
}

const fn kind(at: usize, start: &'static [u8], name: &'static str) -> Kind {
    Kind { at, start, name }
}

/// Order is precedence.
const KINDS: &[Kind] = &[
    // Captures of other programs.
    kind(0, b"snoop\0\0\0", "a snoop capture; convert it by `editcap -F pcapng`"),
    kind(0, b"RTSS", "a NetMon 1 capture; convert it by `editcap -F pcapng`"),
    kind(0, b"GMBU", "a NetMon 2 capture; convert it by `editcap -F pcapng`"),
    kind(0, b"XCP\0", "a NetXRay capture; convert it by `editcap -F pcapng`"),
    kind(0, b"TRSNIFF data", "a Sniffer capture; convert it by `editcap -F pcapng`"),
    kind(0, b"\x7fver", "an OmniPeek capture; convert it by `editcap -F pcapng`"),
    kind(0, b"btsnoop\0", "a Bluetooth log, which has no IP packets"),
    kind(0, b"iptrace ", "an iptrace capture; convert it by `editcap -F pcapng`"),
    kind(0, b"ObserverPktBuf", "an Observer capture; convert it by `editcap -F pcapng`"),
    // After a buffer header of 72 bytes a system header of version 2, of 32 or 64 bits.
    kind(72, &[0x02, 0x00, 0x01, 0xc0], "an ETL trace of Windows; convert it by `etl2pcapng`"),
    kind(72, &[0x02, 0x00, 0x02, 0xc0], "an ETL trace of Windows; convert it by `etl2pcapng`"),
    // Archives and packings.
    kind(0, b"PK", "a ZIP archive that is damaged at its start"),
    kind(0, b"BZh", "bzip2 data; unpack it first, by `bunzip2`"),
    kind(0, b"\xfd7zXZ\0", "xz data; unpack it first, by `unxz`"),
    kind(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    kind(0, b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    kind(0, &[0x04, 0x22, 0x4d, 0x18], "LZ4 data; unpack it first, by `unlz4`"),
    kind(0, &[0x1f, 0x9d], "data packed by `compress`; unpack it first, by `uncompress`"),
    kind(0, &[0x1f, 0x8b], "gzip data inside other packed data, packed too often"),
    kind(0, &[0x28, 0xb5, 0x2f, 0xfd], "zstd data inside other packed data, packed too often"),
    kind(0, b"LZIP", "lzip data; unpack it first"),
    // What is no capture at all.
    kind(0, b"\x89PNG", "a PNG picture"),
    kind(0, b"\xff\xd8\xff", "a JPEG picture"),
    kind(0, b"GIF8", "a GIF picture"),
    kind(0, b"%PDF", "a PDF document"),
    kind(0, b"\x7fELF", "an ELF program"),
    kind(0, b"MZ", "a Windows program"),
    kind(0, b"\0asm", "a WebAssembly program"),
    kind(0, b"SQLite format 3\0", "an SQLite database"),
    kind(0, b"\xd0\xcf\x11\xe0", "an old Office document"),
];

/// Text is told by how it begins, in small letters and without white space.
const TEXTS: &[(&str, &str)] = &[
    ("{\"log\"", "a HAR log of a browser, which has no packets"),
    ("{", "JSON text; open the capture it was made from"),
    ("[", "JSON text; open the capture it was made from"),
    ("<!doctypehtml", "an HTML page; perhaps the download went wrong"),
    ("<html", "an HTML page; perhaps the download went wrong"),
    ("<?xml", "XML text; open the capture it was made from"),
    ("<", "markup text"),
    ("#separator", "a Zeek log; open the capture it was made from"),
    ("versionhttps://git-lfs", "a Git LFS pointer; fetch the file itself, by `git lfs pull`"),
];

/// How much of a text is looked at, in bytes.
const MAX_START_LEN: usize = 256;

/// What a file with these first bytes is, as far as they tell.
pub(crate) fn name(bytes: &[u8]) -> &'static str {
    let is_here = |it: &&Kind| bytes.get(it.at..).is_some_and(|rest| rest.starts_with(it.start));
    if let Some(kind) = KINDS.iter().find(is_here) {
        return kind.name;
    }
    let start = bytes.get(..bytes.len().min(MAX_START_LEN)).unwrap_or_default();
    // A character may be cut at the end.
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => start
            .get(..error.valid_up_to())
            .and_then(|it| std::str::from_utf8(it).ok())
            .unwrap_or(""),
        Err(_) => "",
    };
    let is_text = |it: char| !it.is_control() || it.is_whitespace();
    if text.is_empty() || !text.chars().all(is_text) {
        return "unknown data";
    }
    let spaceless = text.trim_start_matches('\u{feff}').split_whitespace().collect::<String>();
    let spaceless = spaceless.to_lowercase();
    TEXTS.iter().find(|it| spaceless.starts_with(it.0)).map_or("text", |it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert!(name(bytes).contains(expected), "{}", name(bytes));
    }

    #[test]
    fn binary_files_are_told_by_their_first_bytes() {
        check(b"\x89PNG\r\n\x1a\n", "a PNG picture");
        check(b"snoop\0\0\0\0\0\0\x02", "a snoop capture");
        check(b"GMBU\0\x02", "a NetMon 2 capture");
        check(b"\xfd7zXZ\0", "xz data");
        check(b"\x7fELF\x02\x01", "an ELF program");
        check(b"\x01\x02\x03\x04", "unknown data");
    }

    #[test]
    fn texts_are_told_by_how_they_begin() {
        check(b"{\n  \"log\": {", "a HAR log");
        check(b"\xef\xbb\xbf{\"a\": 1}", "JSON text");
        check(b"<!DOCTYPE html><html>", "an HTML page");
        check("обычный текст".as_bytes(), "text");
        check(&"я".repeat(200).as_bytes()[..255], "text");
    }
}
