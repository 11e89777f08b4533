//! STUN and TURN (RFC 8489, RFC 8656; the older RFC 3489 where its attributes fit), over UDP and TCP.

use std::borrow::Cow;

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be16, be32, text},
    fact::Fact,
    look,
    needs::{ANY, any_datagram_in, tcp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "stun",
    group: "voice",
    title: "STUN and TURN, ways through NATs",
    source: "RFC 8489, RFC 8656, RFC 3489",
    needs: tcp(ANY).or(any_datagram_in(0..=0x3f)),
    recognise,
};

/// Between the header of RFC 3489 and its transaction number.
const MAGIC_COOKIE: u32 = 0x2112_a442;
const HEADER_LEN: usize = 20;
const PORT: u16 = 3478;
/// How many datagrams of a side are looked at.
const FEW: usize = 8;
/// Attributes whose text a reader understands.
const SOFTWARE: u16 = 0x8022;
const REALM: u16 = 0x0014;

/// Attributes that only one service's programs send, by the numbers they begin and end at: WhatsApp's for its relays, and
/// Microsoft's ([MS-TURN], section 2.2.2; [MS-ICE2], section 2.2.1).
const OF_SERVICES: &[(u16, u16, &str)] = &[
    (0x4000, 0x4007, "whatsapp"),
    (0x8008, 0x8008, "teams"),
    (0x8050, 0x8050, "teams"),
    (0x8054, 0x8055, "teams"),
    (0x8070, 0x8070, "teams"),
    (0x8090, 0x8095, "teams"),
];

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_udp = heads.transport == Transport::UDP;
    // RFC 4571 puts a length before each message of a call's media.
    let of_streams = || {
        look::streams(heads).map(|it| match (be16(it, 0), it.get(2..)) {
            (Some(len), Some(rest)) if usize::from(len) <= rest.len() && is_new(rest) => rest,
            _ => it,
        })
    };
    let sides = || [&heads.client, &heads.server].into_iter().filter(move |_| is_udp);
    let messages = || of_streams().chain(sides().flat_map(|it| it.datagrams().take(FEW)));
    let old = || messages().find(|it| is_udp && is_old(it, heads.has_port(PORT)));
    let first = messages().find(|it| is_new(it)).or_else(old)?;
    let of_any = |kind| messages().find_map(|it| attribute(it, kind));
    let realm = of_any(REALM).filter(|it| it.contains('.')).map(|it| it.to_ascii_lowercase());
    let seen = match be16(first, 0).unwrap_or_default() & 0x3eef {
        1 => "a STUN binding",
        3 | 4 | 6 | 7 | 8 | 9 => "a TURN relay being asked for",
        _ => "a STUN message",
    };
    let service = messages().filter(|it| is_new(it)).find_map(service);
    let seen = match service {
        Some(service) => Cow::Owned(format!("{seen} with attributes of {service}")),
        None => Cow::Borrowed(seen),
    };
    let facts = Facts { server_name: realm, service, ..Facts::seen(seen) };
    Some(facts.telling(Fact::UserAgent, of_any(SOFTWARE)))
}

/// The two zero bits, a length of whole words and the cookie. Its end may be cut by the capture.
fn is_new(bytes: &[u8]) -> bool {
    is_framed(bytes) && be32(bytes, 4) == Some(MAGIC_COOKIE)
}

fn is_framed(bytes: &[u8]) -> bool {
    let (Some(kind), Some(len)) = (be16(bytes, 0), be16(bytes, 2)) else { return false };
    kind & 0xc000 == 0 && len % 4 == 0 && bytes.len() >= HEADER_LEN
}

/// A message of RFC 3489: binding or shared secret, and attributes of its first numbers up to its very end. A request
/// without attributes shows too little unless it goes to STUN's port.
fn is_old(bytes: &[u8], is_at_port: bool) -> bool {
    let is_kind = matches!(be16(bytes, 0), Some(1 | 2 | 0x101 | 0x102 | 0x111 | 0x112));
    let len = be16(bytes, 2).map(usize::from);
    if !is_kind || !is_framed(bytes) || len != bytes.len().checked_sub(HEADER_LEN) {
        return false;
    }
    let kinds: Vec<u16> = attributes(bytes).map(|it| it.0).collect();
    let is_known = |it: &u16| matches!(it, 1..=0x16 | 0x20..=0x2a | 0x8000..=0x80ff);
    let held: usize = attributes(bytes).map(|it| 4 + it.1.len().next_multiple_of(4)).sum();
    let is_telling = kinds.iter().all(is_known) && (kinds.len() >= 2 || kinds == [1]);
    len == Some(held) && (is_at_port || is_telling)
}

/// The attributes of a message, with their numbers.
fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let len = be16(bytes, 2).unwrap_or_default();
    let mut reader = Reader(bytes.get(HEADER_LEN..).unwrap_or_default());
    reader = Reader(reader.take_up_to(len.into()));
    std::iter::from_fn(move || {
        let kind = reader.u16()?;
        let value = reader.vec16()?;
        reader.take_up_to(value.len().next_multiple_of(4) - value.len());
        Some((kind, value))
    })
}

/// The service whose programs sent the message, where an attribute shows it.
fn service(bytes: &[u8]) -> Option<&'static str> {
    let of = |kind| OF_SERVICES.iter().find(|it| (it.0..=it.1).contains(&kind));
    attributes(bytes).find_map(|it| of(it.0)).map(|it| it.2)
}

fn attribute(bytes: &[u8], kind: u16) -> Option<String> {
    if !is_framed(bytes) {
        return None;
    }
    let (_, value) = attributes(bytes).find(|it| it.0 == kind)?;
    let value = value.split(|it| *it == 0).next().unwrap_or_default();
    Some(text(value, 100)).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(heads: &Heads, expected: bool) {
        assert_eq!(recognise(heads).is_some(), expected);
    }

    const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";
    const OLD: &[u8] = b"\x00\x01\x00\x00abcdefghijklmnop";

    #[test]
    fn a_binding_has_the_cookie() {
        check(&Heads::udp(&[BINDING], &[]), true);
        check(&Heads::tcp(BINDING, b""), true);
        check(&Heads::tcp(&[b"\x00\x14", BINDING].concat(), b""), true);
    }

    #[test]
    fn the_realm_is_a_name() {
        let realm = b"\x01\x13\x00\x10\x21\x12\xa4\x42abcdefghijkl\x00\x14\x00\x0bExample.org\0";
        let facts = recognise(&Heads::udp(&[BINDING], &[realm])).unwrap();
        assert_eq!(facts.server_name.as_deref(), Some("example.org"));
    }

    #[test]
    fn some_attributes_are_of_one_service() {
        let relay = b"\x00\x03\x00\x08\x21\x12\xa4\x42abcdefghijkl\x40\x00\x00\x04wxyz";
        let facts = recognise(&Heads::udp(&[relay], &[])).unwrap();
        assert_eq!(facts.service, Some("whatsapp"));
        assert_eq!(facts.seen, "a TURN relay being asked for with attributes of whatsapp");
        assert_eq!(recognise(&Heads::udp(&[BINDING], &[])).unwrap().service, None);
    }

    #[test]
    fn the_older_kind_needs_attributes_or_the_port() {
        check(&Heads::udp(&[OLD], &[]), false);
        check(&Heads::udp(&[OLD], &[]).with_ports(50_000, 3478), true);
        let answer =
            b"\x01\x01\x00\x0cabcdefghijklmnop\x00\x01\x00\x08\x00\x01\x12\x34\x7f\x00\x00\x01";
        check(&Heads::udp(&[OLD], &[answer]), true);
    }

    #[test]
    fn a_cut_or_foreign_message_is_not_stun() {
        check(&Heads::udp(&[b"\x00\x01\x00\x00\x21\x12\xa4\x42abc"], &[]), false);
        check(&Heads::udp(&[b"\x80\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"], &[]), false);
    }
}
