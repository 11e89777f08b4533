//! PANA, which carries the login to a network over UDP (RFC 5191, section 6).

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be32},
    look,
    needs::udp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "pana",
    group: "system",
    title: "Protocol for Carrying Authentication for Network Access",
    source: "RFC 5191",
    needs: udp(b"\0"),
    recognise,
};

const PORT: u16 = 716;

fn recognise(heads: &Heads) -> Option<Facts> {
    // A client's first message may have nothing but its header.
    let has_more = look::datagrams(heads).any(|it| be32(it, 8).is_some_and(|it| it != 0));
    let is_seen = (has_more || heads.has_port(PORT)) && look::all_datagrams(heads, is_message);
    look::seen_if(is_seen, "a login to a network (PANA)")
}

/// A zero, the whole length, flags, one of four types, session and number, then attributes up to the end.
fn is_message(bytes: &[u8]) -> bool {
    const FLAGS: u16 = 0xfc00;
    const IS_OF_MAKER: u16 = 0x8000;

    let read = || {
        let mut rest = Reader(bytes);
        let (0, len) = (rest.u16()?, rest.u16()?) else { return None };
        let (flags, kind) = (rest.u16()?, rest.u16()?);
        let (_session, _number) = (rest.u32()?, rest.u32()?);
        let is_header = usize::from(len) == bytes.len() && flags & !FLAGS == 0;
        if !is_header || !matches!(kind, 1..=4) {
            return None;
        }
        while !rest.is_empty() {
            let (code, flags, len, 0) = (rest.u16()?, rest.u16()?, rest.u16()?, rest.u16()?) else {
                return None;
            };
            if flags & !IS_OF_MAKER != 0 || code == 0 {
                return None;
            }
            if flags & IS_OF_MAKER != 0 {
                rest.u32()?;
            }
            // Values are filled up to whole words, which the length does not count.
            rest.skip(usize::from(len).next_multiple_of(4))?;
        }
        Some(())
    };
    read().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] =
        b"\0\0\0\x1c\xc0\0\0\x02\0\0\0\x07\0\0\0\x01\0\x02\0\0\0\x03\0\0\x01\x02\x03\0";
    const FIRST: &[u8] = b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\0\0";

    #[track_caller]
    fn check(client: &[u8], port: u16, expected: bool) {
        let heads = Heads::udp(&[client], &[]).with_ports(50_000, port);
        assert_eq!(recognise(&heads).is_some(), expected);
    }

    #[test]
    fn a_request_shows_by_its_attributes() {
        check(REQUEST, 50_001, true);
    }

    #[test]
    fn the_port_supports_a_header_alone() {
        check(FIRST, 716, true);
        check(FIRST, 50_001, false);
    }

    #[test]
    fn what_does_not_end_with_an_attribute_is_not_pana() {
        for (at, byte) in [(3, 0x1b), (5, 1), (7, 5), (19, 1), (21, 5), (23, 1)] {
            let mut other = REQUEST.to_vec();
            other[at] = byte;
            check(&other, 716, false);
        }
        check(&REQUEST[..20], 716, false);
    }
}
