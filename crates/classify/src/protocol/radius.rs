//! RADIUS (RFC 2865, RFC 2866, RFC 5176): a code, a length and attributes that fill it.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be16},
    look,
    needs::udp_in,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "radius",
    group: "system",
    title: "Remote Authentication Dial In User Service",
    source: "RFC 2865, RFC 2866, RFC 5176",
    needs: udp_in(1..=5).or(udp_in(11..=13)).or(udp_in(40..=45)),
    recognise,
};

const PORTS: &[u16] = &[1645, 1646, 1812, 1813, 3799];
/// Code, number, length and the authenticator of 16 bytes.
const HEADER_LEN: usize = 20;

fn recognise(heads: &Heads) -> Option<Facts> {
    // One that was damaged on the way does not make the others something else.
    if !look::any_first(heads, |it| is_message(it, look::has_port(heads, PORTS))) {
        return None;
    }
    Some(Facts::seen(match look::firsts(heads).next()?.first()? {
        1 => "a RADIUS request for access",
        2 => "a RADIUS grant of access",
        3 => "a RADIUS refusal of access",
        4 | 5 => "RADIUS accounting",
        _ => "a RADIUS message",
    }))
}

/// At its ports a length that fits is enough: attributes may be damaged.
fn is_message(bytes: &[u8], is_at_port: bool) -> bool {
    let is_code = matches!(bytes.first(), Some(1..=5 | 11..=13 | 40..=45));
    let is_len = be16(bytes, 2).map(usize::from) == Some(bytes.len());
    let fits = |it: &[u8]| is_at_port || are_attributes(it);
    is_code && is_len && bytes.get(HEADER_LEN..).is_some_and(fits)
}

/// Kind and length of each, up to the end.
fn are_attributes(bytes: &[u8]) -> bool {
    let mut reader = Reader(bytes);
    while let Some(kind) = reader.u8() {
        let len = reader.u8().unwrap_or_default();
        let is_fitting = kind != 0 && len >= 2 && reader.skip(usize::from(len) - 2).is_some();
        if !is_fitting {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_fill_the_message() {
        let fixed = b"\x01\x07\0\x18abcdefghijklmnop";
        assert!(
            recognise(&Heads::udp(&[&[fixed, b"\x01\x04me".as_slice()].concat()], &[])).is_some()
        );
        assert!(
            recognise(&Heads::udp(&[&[fixed, b"\x01\x05me".as_slice()].concat()], &[])).is_none()
        );
        assert!(recognise(&Heads::udp(&[fixed], &[])).is_none());
    }
}
