//! What tells a capture from another one without reading it whole.

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
