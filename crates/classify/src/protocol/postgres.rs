//! PostgreSQL (its documentation, "Frontend/Backend Protocol"), by the message that opens a connection.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{be32, text},
    look,
    needs::tcp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "postgres",
    group: "system",
    title: "PostgreSQL",
    source: "PostgreSQL documentation, Frontend/Backend Protocol",
    needs: tcp(b"\0"),
    recognise,
};

/// Versions 2 and 3, and the codes that ask for encryption or to cancel.
const VERSIONS: &[u32] = &[0x0002_0000, 0x0003_0000, 0x0003_0002];
const ASKS_FOR_TLS: &[u32] = &[80_877_103, 80_877_104];
const CANCELS: u32 = 80_877_102;

fn recognise(heads: &Heads) -> Option<Facts> {
    look::streams(heads).find_map(opening)
}

fn opening(stream: &[u8]) -> Option<Facts> {
    let (len, code) = (be32(stream, 0)? as usize, be32(stream, 4)?);
    if len == 8 && ASKS_FOR_TLS.contains(&code) {
        return Some(Facts::seen("a PostgreSQL connection that asks for encryption"));
    }
    if len == 16 && code == CANCELS {
        return Some(Facts::seen("a PostgreSQL request to cancel"));
    }
    if !VERSIONS.contains(&code) || !(9..10_000).contains(&len) {
        return None;
    }
    // Names and values in turn, each up to a zero.
    let mut words = stream.get(8..len.min(stream.len()))?.split(|it| *it == 0);
    let user = words.by_ref().find(|it| *it == b"user").and_then(|_| words.next());
    Some(match user {
        Some(user) => Facts::seen(format!("a PostgreSQL connection of {}", text(user, 64))),
        None if code >> 16 == 2 && len == 296 => Facts::seen("a PostgreSQL connection"),
        None => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_connects() {
        let open = b"\0\0\0\x12\0\x03\0\0user\0me\0\0\0";
        assert_eq!(
            recognise(&Heads::tcp(open, b"")).unwrap().seen,
            "a PostgreSQL connection of me"
        );
        assert!(recognise(&Heads::tcp(b"\0\0\0\x08\x04\xd2\x16\x2f", b"S")).is_some());
    }

    #[test]
    fn a_version_without_a_user_is_not_postgres() {
        assert!(recognise(&Heads::tcp(b"\0\0\0\x12\0\x03\0\0abcdefghij", b"")).is_none());
    }
}
