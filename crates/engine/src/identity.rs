//! What tells a capture from another one, or its place among others, without reading it whole.

use capture::Decoder;
use sha2::{Digest as _, Sha256};

/// How many bytes of a capture's beginning and of its end are looked at.
pub const EDGE_LEN: u64 = 65_536;
/// How many bytes of the hash are told.
const TOLD: usize = 8;

/// A capture's mark, 16 hexadecimal digits: the front of the SHA-256 of its length (8 bytes, little-endian), its first and its
/// last [`EDGE_LEN`] bytes; of a shorter capture all of it, twice.
///
/// It names a capture in links. It does not prove that nobody changed the middle.
pub fn identity(len: u64, head: &[u8], tail: &[u8]) -> String {
    let hash = Sha256::new().chain_update(len.to_le_bytes()).chain_update(head).chain_update(tail);
    hash.finalize().iter().take(TOLD).map(|it| format!("{it:02x}")).collect()
}

/// The mark of several captures that are read as one, by theirs in the order they are read.
pub fn identity_of_several(len: u64, marks: &[String]) -> String {
    let marks = marks.join("+");
    identity(len, marks.as_bytes(), marks.as_bytes())
}

/// How many names of files are written out.
const MAX_NAMED: usize = 3;

/// What several files are called together: by their names, or by the first and the last of many.
pub fn name_of_several(names: &[&str]) -> String {
    match names {
        [first, .., last] if names.len() > MAX_NAMED => {
            format!("{first} … {last} ({})", names.len())
        }
        _ => names.join(" + "),
    }
}

/// How much of a capture's beginning tells when it began: enough for the header and the first frames of all formats.
pub const FRONT_LEN: u64 = 1 << 20;

/// When a capture began, in nanoseconds since 1970 UTC, by its first [`FRONT_LEN`] bytes; `None` where these tell no frame.
pub fn first_time(front: &[u8]) -> Option<u64> {
    let mut decoder = Decoder::default();
    decoder.feed(front);
    if let Ok(Some(frame)) = decoder.next_frame() {
        return Some(frame.time.0);
    }
    // Of a short one the last frames wait for its end.
    decoder.end();
    decoder.next_frame().ok().flatten().map(|it| it.time.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_beginning_and_end_tell_captures_apart() {
        let marks = [
            identity(3, b"abc", b"abc"),
            identity(4, b"abc", b"abc"),
            identity(3, b"abd", b"abc"),
            identity(3, b"abc", b"abd"),
        ];
        assert!(marks.iter().all(|it| it.len() == 16));
        for (at, mark) in marks.iter().enumerate() {
            assert!(!marks[..at].contains(mark), "{marks:?}");
        }
    }
}
