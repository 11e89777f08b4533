//! What SCTP carries (RFC 9260), by the user data of its first DATA chunks, one message after the other: the signalling of
//! telephone networks (RFC 4666 and its like) and of mobile ones (3GPP TS 36.413, 36.423, 38.413).
//!
//! The head of an SCTP flow holds its packets, each from its first chunk on. The payload protocol identifier (IANA, SCTP
//! Payload Protocol Identifiers) supports what a message says; only where a message has no mark of its own it decides.

use flow::{Head, Heads, Transport};

use super::{Protocol, row};
use crate::{
    bytes::{Reader, be16, be32},
    look::seen_if,
    needs::{ANY, others},
};

/// How many messages of each side are looked at, all of which have to fit.
const FEW: usize = 4;

/// The payload protocol identifier of Diameter in DTLS.
pub(super) const DIAMETER_IN_DTLS: u32 = 47;

/// A user's message, or the part of it that begins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// The payload protocol identifier; 0 says nothing.
    pub(super) kind: u32,
    /// As much of it as is there.
    pub(super) data: &'a [u8],
    /// All of it is there.
    pub(super) is_whole: bool,
}

/// The messages that begin in a packet, by its chunks (RFC 9260, section 3.3.1; RFC 8260, section 2.1).
fn of_packet(packet: &[u8]) -> impl Iterator<Item = Message<'_>> {
    const DATA: u8 = 0;
    const I_DATA: u8 = 64;
    const HAS_BEGINNING: u8 = 2;
    const HAS_END: u8 = 1;

    let mut rest = packet;
    std::iter::from_fn(move || {
        loop {
            let (kind, flags) = (*rest.first()?, *rest.get(1)?);
            let len = usize::from(be16(rest, 2)?);
            if len < 4 {
                return None;
            }
            let chunk = rest.get(..len).unwrap_or(rest);
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            let header_len = match kind {
                DATA => 16,
                I_DATA => 20,
                _ => continue,
            };
            let data = chunk.get(header_len..).filter(|it| !it.is_empty());
            let Some(data) = data.filter(|_| flags & HAS_BEGINNING != 0) else { continue };
            let kind = be32(chunk, header_len - 4)?;
            let is_whole = flags & HAS_END != 0 && chunk.len() == len;
            return Some(Message { kind, data, is_whole });
        }
    })
}

/// The messages of a side.
fn messages(head: &Head) -> impl Iterator<Item = Message<'_>> {
    head.datagrams().flat_map(of_packet)
}

/// Whether the first messages of an SCTP flow all look so, a few of each side that spoke.
pub(super) fn all_messages(heads: &Heads, test: impl Fn(&Message) -> bool) -> bool {
    let sides = [&heads.client, &heads.server];
    heads.transport == Transport::SCTP
        && sides.iter().any(|it| messages(it).next().is_some())
        && sides.iter().all(|it| messages(it).take(FEW).all(|it| test(&it)))
}

// Signalling of telephone networks.

/// A user adaptation of signalling: its payload protocol identifier, its port, the classes of messages it has.
struct Adaptation {
    kind: u32,
    port: u16,
    classes: &'static [u8],
    /// Those that it has alone.
    own: &'static [u8],
}

// Management (0), signalling networks (2), states of servers (3, 4), routing keys (9) and interfaces (10) are of several.
const M3UA_USER: Adaptation =
    Adaptation { kind: 3, port: 2905, classes: &[0, 1, 2, 3, 4, 9], own: &[1] };
const M2UA_USER: Adaptation =
    Adaptation { kind: 2, port: 2904, classes: &[0, 3, 4, 6, 10], own: &[6] };
const M2PA_USER: Adaptation = Adaptation { kind: 5, port: 3565, classes: &[11], own: &[11] };
const SUA_USER: Adaptation =
    Adaptation { kind: 4, port: 14_001, classes: &[0, 2, 3, 4, 7, 8, 9], own: &[7, 8] };

pub(super) const M3UA: Protocol =
    row("m3ua", "system", "MTP 3 User Adaptation Layer", "RFC 4666", |heads| {
        seen_if(M3UA_USER.is_spoken(heads), "signalling of telephone networks (M3UA)")
    })
    .over(others(ANY));
pub(super) const M2UA: Protocol =
    row("m2ua", "system", "MTP 2 User Adaptation Layer", "RFC 3331", |heads| {
        seen_if(M2UA_USER.is_spoken(heads), "a signalling link handed on (M2UA)")
    })
    .over(others(ANY));
pub(super) const M2PA: Protocol =
    row("m2pa", "system", "MTP 2 Peer-to-Peer User Adaptation Layer", "RFC 4165", |heads| {
        seen_if(M2PA_USER.is_spoken(heads), "a signalling link between peers (M2PA)")
    })
    .over(others(ANY));
pub(super) const SUA: Protocol =
    row("sua", "system", "SCCP User Adaptation Layer", "RFC 3868", |heads| {
        seen_if(SUA_USER.is_spoken(heads), "signalling connections handed on (SUA)")
    })
    .over(others(ANY));

impl Adaptation {
    /// All messages are of its classes; and one is of its own, or its identifier or its port says so.
    fn is_spoken(&self, heads: &Heads) -> bool {
        let class = |it: &Message| class(it).filter(|class| self.classes.contains(class));
        let sides =
            || [&heads.client, &heads.server].into_iter().flat_map(|it| messages(it).take(FEW));
        let is_own = |it: Message| {
            it.kind == self.kind || class(&it).is_some_and(|class| self.own.contains(&class))
        };
        all_messages(heads, |it| class(it).is_some() && [0, self.kind].contains(&it.kind))
            && (heads.has_port(self.port) || sides().any(is_own))
    }
}

/// The class of a message by the header all adaptations have: version 1, a zero, class, type, the whole length (RFC 4666,
/// section 1.4.5 and 3.1; RFC 3331; RFC 4165; RFC 3868).
fn class(message: &Message) -> Option<u8> {
    /// How many bytes may fill the last parameter up; not all count them.
    const MAX_FILLING: usize = 3;
    let &[1, 0, class, kind, ..] = message.data else { return None };
    let last = match class {
        0 => 1,
        1 => 1,
        2 | 3 => 6,
        4 | 9 | 10 => 4,
        6 => 15,
        7 => 2,
        8 => 11,
        11 => 2,
        _ => return None,
    };
    let len = be32(message.data, 4)? as usize;
    let is_kind = kind <= last && (kind > 0 || class == 0);
    let is_len = len >= 8
        && if message.is_whole {
            len.abs_diff(message.data.len()) <= MAX_FILLING
        } else {
            len + MAX_FILLING >= message.data.len()
        };
    (is_kind && is_len).then_some(class)
}

// Signalling of mobile networks. Its messages have no mark of their own, so that the identifier has to say which it is.

pub(super) const S1AP: Protocol =
    row("s1ap", "system", "S1 Application Protocol", "3GPP TS 36.413", |heads| {
        seen_if(has_procedures(heads, 18, 0..=68), "a base station and its network (S1AP)")
    })
    .over(others(ANY));
pub(super) const X2AP: Protocol =
    row("x2ap", "system", "X2 Application Protocol", "3GPP TS 36.423", |heads| {
        seen_if(has_procedures(heads, 27, 0..=60), "base stations among themselves (X2AP)")
    })
    .over(others(ANY));
pub(super) const NGAP: Protocol =
    row("ngap", "system", "NG Application Protocol", "3GPP TS 38.413", |heads| {
        seen_if(has_procedures(heads, 60, 0..=90), "a base station and its network (NGAP)")
    })
    .over(others(ANY));

/// Whether all messages are of this identifier and begin as the application protocols of 3GPP do in aligned packed encoding
/// (ITU-T X.691): the start, success or failure of a procedure, its number, how critical it is, the length of all the rest.
fn has_procedures(heads: &Heads, kind: u32, numbers: std::ops::RangeInclusive<u8>) -> bool {
    let is_fitting = |message: &Message| {
        let mut rest = Reader(message.data);
        let (Some(0x00 | 0x20 | 0x40), Some(number)) = (rest.u8(), rest.u8()) else { return false };
        let Some(0x00 | 0x40 | 0x80) = rest.u8() else { return false };
        let len = match rest.u8() {
            Some(short @ ..=0x7f) => usize::from(short),
            Some(high @ 0x80..=0xbf) => {
                usize::from(high & 0x3f) << 8 | rest.u8().map_or(usize::MAX >> 1, usize::from)
            }
            // What is longer comes in parts.
            Some(0xc1..=0xc4) => return !message.is_whole || rest.0.len() > 1 << 14,
            _ => return false,
        };
        let is_len = if message.is_whole { len == rest.0.len() } else { len >= rest.0.len() };
        is_len && len >= 3 && numbers.contains(&number)
    };
    all_messages(heads, |it| it.kind == kind && is_fitting(it))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::protocol::recognise;

    /// A DATA chunk with a whole message.
    pub(in crate::protocol) fn data(kind: u32, message: &[u8]) -> Vec<u8> {
        let mut chunk = vec![0, 3];
        chunk.extend((16 + message.len() as u16).to_be_bytes());
        chunk.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        chunk.extend(kind.to_be_bytes());
        chunk.extend(message);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        chunk
    }

    /// The heads of an association in which the client sends these packets.
    pub(in crate::protocol) fn heads(client: &[&[u8]], server: &[&[u8]]) -> Heads {
        Heads { transport: Transport::SCTP, ..Heads::udp(client, server) }
    }

    fn adaptation(class: u8, kind: u8) -> Vec<u8> {
        vec![1, 0, class, kind, 0, 0, 0, 16, 0, 17, 0, 8, 0, 0, 0, 1]
    }

    #[track_caller]
    fn check(message: &[u8], kind: u32, expected: Option<&str>) {
        let init = [&[1, 0, 0, 20][..], &[7; 16]].concat();
        let heads = heads(&[&init, &data(kind, message)], &[]);
        assert_eq!(recognise(&heads).map(|it| it.0.name), expected);
    }

    #[test]
    fn signalling_of_telephones_shows_in_its_header() {
        for kind in [0, 3] {
            check(&adaptation(1, 1), kind, Some("m3ua"));
        }
        check(&adaptation(6, 1), 0, Some("m2ua"));
        check(&adaptation(11, 1), 5, Some("m2pa"));
        check(&adaptation(7, 1), 0, Some("sua"));
        // That a server is up is said alike in all of them.
        check(&adaptation(3, 1), 3, Some("m3ua"));
        check(&adaptation(3, 1), 2, Some("m2ua"));
        check(&adaptation(3, 1), 4, Some("sua"));
        check(&adaptation(3, 1), 0, None);
        let up = data(0, &adaptation(3, 1));
        let at_port = heads(&[&up], &[]).with_ports(40_000, 2905);
        assert_eq!(recognise(&at_port).map(|it| it.0.name), Some("m3ua"));
    }

    #[test]
    fn an_identifier_alone_is_no_signalling() {
        check(&[7; 16], 3, None);
        check(&[1, 0, 1, 1, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0], 3, None);
        check(&adaptation(1, 9), 3, None);
        check(&adaptation(1, 1), 18, None);
        check(b"GET / HTTP/1.1\r\n\r\n", 18, None);
    }

    #[test]
    fn signalling_of_mobile_networks_shows_by_identifier_and_start() {
        let setup = [&[0x00, 17, 0x00, 5][..], &[0, 0, 1, 0, 59]].concat();
        check(&setup, 18, Some("s1ap"));
        check(&setup, 27, Some("x2ap"));
        check(&setup, 60, Some("ngap"));
        check(&setup, 0, None);
        check(&setup[..8], 18, None);
        let long = [&[0x20, 9, 0x00, 0x80, 0xa0][..], &[0; 0xa0]].concat();
        check(&long, 18, Some("s1ap"));
        check(&[&[0x00, 200, 0x00, 5][..], &[0; 5]].concat(), 18, None);
        check(&[&[0x60, 17, 0x00, 5][..], &[0; 5]].concat(), 18, None);
    }

    #[test]
    fn messages_are_found_among_other_chunks() {
        let ack = [&[3, 0, 0, 16][..], &[9; 12]].concat();
        let packet = [ack, data(7, b"first"), data(8, b"next")].concat();
        let found: Vec<_> = of_packet(&packet).map(|it| (it.kind, it.data)).collect();
        assert_eq!(found, [(7, &b"first"[..]), (8, b"next")]);
        let mut middle = data(7, b"middle");
        middle[1] = 0;
        assert_eq!(of_packet(&middle).count(), 0);
        let interleaved =
            [&[64, 3, 0, 23, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3][..], b"abc"].concat();
        let message = Message { kind: 3, data: b"abc", is_whole: true };
        assert_eq!(of_packet(&interleaved).collect::<Vec<_>>(), [message]);
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it() {
        let packet = [data(3, &adaptation(1, 1)), data(18, &[0, 17, 0, 1, 0])].concat();
        for i in 0..packet.len() {
            let mut other = packet.clone();
            other[i] ^= 0xff;
            recognise(&heads(&[&packet[..i]], &[&other]));
        }
    }

    #[test]
    fn noise_in_messages_is_nothing() {
        let mut state = 0x5eed_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        for kind in (0..100_u32).cycle().take(20_000) {
            let noise: Vec<u8> = (0..40).map(|_| next()).collect();
            assert!(recognise(&heads(&[&data(kind, &noise)], &[])).is_none());
        }
    }
}
