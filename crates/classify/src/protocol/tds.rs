//! Tabular Data Stream of Microsoft SQL Server and Sybase (MS-TDS, section 2.2.3), by packet headers of both sides.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{be16, le32},
    look,
    needs::tcp,
    ntlm,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "mssql-tds",
    group: "system",
    title: "Tabular Data Stream of SQL Server and Sybase",
    source: "MS-TDS",
    needs: tcp(b"\x01\x02\x03\x04\x06\x07\x0e\x10\x11\x12"),
    recognise,
};

const HEADER_LEN: usize = 8;
const PORT: u16 = 1433;
const ANSWER: u8 = 4;

fn recognise(heads: &Heads) -> Option<Facts> {
    let kinds: Vec<u8> = look::streams(heads).map(kind).collect::<Option<_>>()?;
    let seen = match *kinds.first()? {
        0x12 => "a TDS connection before its login",
        0x10 => "a TDS login",
        1 | 3 => "a TDS query",
        _ => "TDS packets of a database",
    };
    // One side alone must show more than a header.
    let is_telling = kinds.contains(&ANSWER) && kinds.len() == 2
        || look::any_stream(heads, |it| is_prelogin(it) || is_login(it))
        || heads.has_port(PORT) && look::all_streams(heads, is_whole);
    if !is_telling {
        return None;
    }
    let mut facts = Facts::seen(seen);
    look::streams(heads).for_each(|it| ntlm::tell(it, &mut facts));
    Some(facts)
}

fn kind(stream: &[u8]) -> Option<u8> {
    let &[kind, status, _, _, _, _, _, window, ..] = stream else { return None };
    let is_kind = matches!(kind, 1..=4 | 6 | 7 | 14 | 0x10..=0x12);
    let is_len = be16(stream, 2).is_some_and(|it| (8..=32_767).contains(&it));
    (is_kind && status <= 0x1f && window == 0 && is_len).then_some(kind)
}

/// The packet is all that was said.
fn is_whole(stream: &[u8]) -> bool {
    be16(stream, 2).map(usize::from) == Some(stream.len())
}

/// Options of five bytes each, the version first, up to an end mark.
fn is_prelogin(stream: &[u8]) -> bool {
    let options = stream.get(HEADER_LEN..).unwrap_or_default();
    let is_version = matches!(options, [0, 0, at, 0, 6, 1, ..] if at % 5 == 1);
    stream.first() == Some(&0x12) && is_version
}

/// A login repeats the packet's length.
fn is_login(stream: &[u8]) -> bool {
    let len = le32(stream, HEADER_LEN).unwrap_or_default();
    let is_whole = be16(stream, 2).map(u32::from) == len.checked_add(HEADER_LEN as u32);
    stream.first() == Some(&0x10) && is_whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prelogin_and_a_query_with_its_answer() {
        let prelogin =
            b"\x12\x01\0\x1a\0\0\x01\0\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\x0b\0\x07\xd0\0\0\0";
        assert!(recognise(&Heads::tcp(prelogin, b"")).is_some());
        assert!(
            recognise(&Heads::tcp(b"\x01\x01\0\x0a\0\0\x01\0ab", b"\x04\x01\0\x0a\0\x35\x01\0ab"))
                .is_some()
        );
    }

    #[test]
    fn a_header_alone_is_not_tds() {
        assert!(recognise(&Heads::tcp(b"\x01\x01\0\x0a\0\0\x01\0ab", b"")).is_none());
        assert!(
            recognise(&Heads::tcp(b"\x01\x01\0\x0a\0\0\x01\0ab", b"HTTP/1.1 200 OK")).is_none()
        );
    }
}
