//! Link headers: from the first byte of a frame to its IP header.
//!
//! A frame is a chain of headers. `LINKS` says with which it begins, each header says which comes next, and `walk` follows
//! until IP. Nothing here calls itself, so what nests deeply costs steps, not stack.

use crate::{ByteOrder::Big, Undecoded};

/// Link types of tcpdump.org's registry in order: their name, the bytes before the first header, and which that is.
const LINKS: &[(u16, &str, usize, Header)] = &[
    (0, "bsd loopback", 0, Header::Loopback),
    (1, "ethernet", 0, Header::Ethernet),
    (9, "ppp", 0, Header::Ppp),
    (12, "raw ip", 0, Header::Ip),
    (14, "raw ip", 0, Header::Ip),
    (50, "ppp", 0, Header::Ppp),
    (101, "raw ip", 0, Header::Ip),
    (104, "cisco hdlc", 0, Header::Hdlc),
    (108, "openbsd loopback", 0, Header::Loopback),
    (113, "linux cooked", 14, Header::TypeAt { len: 2 }),
    (228, "raw ipv4", 0, Header::Ip),
    (229, "raw ipv6", 0, Header::Ip),
    (276, "linux cooked v2", 0, Header::TypeAt { len: 20 }),
];

/// Protocols that are not IP, by their EtherType, in order.
const ETHER_TYPES: &[(u16, &str)] = &[(0x0806, "arp"), (0x88cc, "lldp")];

/// How many headers are followed before the IP header of a frame.
const MAX_HEADERS: usize = 64;

/// Where the IP header of a frame starts, and what was passed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// Where the IP header starts, in bytes from the start of the frame; at most the frame's length.
    pub(crate) at: usize,
    /// The ids of the two innermost VLAN tags, 12 bits each, the innermost lowest; 0 where there are none.
    pub(crate) vlan: u32,
    /// Where the next packet of a frame that holds several starts: what `next_network` takes (A-MSDU).
    pub(crate) next: Option<usize>,
}

/// A header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    /// IP of any version: the end of the way.
    Ip,
    /// Two addresses and an EtherType, or a length and LLC (IEEE 802.3).
    Ethernet,
    /// What follows an EtherType, or a length.
    EtherType(u16),
    /// Access points and, behind those of SNAP, an EtherType (IEEE 802.2).
    Llc,
    /// An EtherType at the start of a header of fixed length.
    TypeAt { len: usize },
    /// An address family of four bytes (BSD loopback).
    Loopback,
    /// Perhaps `ff 03`, then a protocol (RFC 1661).
    Ppp,
    /// An address, a control byte and an EtherType (Cisco).
    Hdlc,
    /// Labels (RFC 3032).
    Mpls,
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// The name of a link type, where the registry has it.
pub(crate) fn name(link_type: u16) -> Option<&'static str> {
    let at = LINKS.binary_search_by_key(&link_type, |it| it.0).ok()?;
    LINKS.get(at).map(|it| it.1)
}

/// Finds the IP header of a frame.
pub(crate) fn network(link_type: u16, bytes: &[u8]) -> Result<Network, Undecoded> {
    let at = LINKS.binary_search_by_key(&link_type, |it| it.0);
    match at.ok().and_then(|at| LINKS.get(at)) {
        Some(&(_, _, at, header)) => walk(header, bytes, at),
        None => Err(Undecoded::Link(link_type)),
    }
}

/// Finds the IP header of what an EtherType announces; `at` is where the header after the EtherType starts.
pub(crate) fn network_after(
    ether_type: u16,
    bytes: &[u8],
    at: usize,
) -> Result<Network, Undecoded> {
    walk(Header::EtherType(ether_type), bytes, at)
}

/// Finds the IP header in PPP, with or without its address and control bytes (L2TP, PPTP).
pub(crate) fn network_in_ppp(bytes: &[u8], at: usize) -> Result<Network, Undecoded> {
    walk(Header::Ppp, bytes, at)
}

/// Finds the IP header behind MPLS labels (IP protocol 137, UDP port 6635).
pub(crate) fn network_in_mpls(bytes: &[u8], at: usize) -> Result<Network, Undecoded> {
    walk(Header::Mpls, bytes, at)
}

/// Finds the next IP header of a frame that holds several; `at` is what `Network::next` says.
pub(crate) fn next_network(bytes: &[u8], at: usize) -> Result<Network, Undecoded> {
    walk(Header::Ethernet, bytes, at)
}

/// The header that follows, and where.
type Next = Result<(Header, usize), Undecoded>;

fn walk(mut header: Header, bytes: &[u8], mut at: usize) -> Result<Network, Undecoded> {
    let mut vlan = 0;
    for _ in 0..MAX_HEADERS {
        (header, at) = match header {
            Header::Ip if at >= bytes.len() => return Err(Undecoded::Truncated),
            Header::Ip => return Ok(Network { at, vlan, next: None }),
            Header::Ethernet => (Header::EtherType(u16_at(bytes, at + 12)?), at + 14),
            Header::EtherType(0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) => {
                // IEEE 802.1Q, 802.1ad and the older tags of stacked VLANs.
                vlan = (vlan << 12 | u32::from(u16_at(bytes, at)? & 0xfff)) & 0xff_ffff;
                (Header::EtherType(u16_at(bytes, at + 2)?), at + 4)
            }
            Header::EtherType(ether_type) => after_ether_type(ether_type, at)?,
            Header::Llc => llc(bytes, at)?,
            Header::TypeAt { len } => (Header::EtherType(u16_at(bytes, at)?), at + len),
            Header::Loopback => (Header::Ip, at + 4),
            Header::Ppp => ppp(bytes, at)?,
            Header::Hdlc => (Header::EtherType(u16_at(bytes, at + 2)?), at + 4),
            Header::Mpls => mpls(bytes, at)?,
        };
    }
    Err(Undecoded::TooDeep)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Undecoded> {
    Big.u16(bytes, at).ok_or(Undecoded::Truncated)
}

fn after_ether_type(ether_type: u16, at: usize) -> Next {
    match ether_type {
        IPV4 | IPV6 => Ok((Header::Ip, at)),
        0..=1500 => Ok((Header::Llc, at)),
        0x8847 | 0x8848 => Ok((Header::Mpls, at)),
        // PPPoE session (RFC 2516).
        0x8864 => Ok((Header::Ppp, at + 6)),
        _ => match ETHER_TYPES.binary_search_by_key(&ether_type, |it| it.0) {
            Ok(at) => Err(Undecoded::Protocol(ETHER_TYPES.get(at).map_or("", |it| it.1))),
            Err(_) => Err(Undecoded::EtherType(ether_type)),
        },
    }
}

fn llc(bytes: &[u8], at: usize) -> Next {
    if bytes.get(at..at + 3) != Some(&[0xaa, 0xaa, 0x03]) {
        return Err(Undecoded::Protocol("llc"));
    }
    Ok((Header::EtherType(u16_at(bytes, at + 6)?), at + 8))
}

fn ppp(bytes: &[u8], at: usize) -> Next {
    let has_address = bytes.get(at..at + 2) == Some(&[0xff, 0x03]);
    let at = if has_address { at + 2 } else { at };
    match u16_at(bytes, at)? {
        0x0021 | 0x0057 => Ok((Header::Ip, at + 2)),
        // The protocol may be compressed to its second byte.
        it if matches!(it >> 8, 0x21 | 0x57) => Ok((Header::Ip, at + 1)),
        _ => Err(Undecoded::Protocol("ppp")),
    }
}

/// The last label has the lowest bit of its third byte set.
fn mpls(bytes: &[u8], at: usize) -> Next {
    let label = Big.u32(bytes, at).ok_or(Undecoded::Truncated)?;
    if label & 0x100 == 0 {
        return Ok((Header::Mpls, at + 4));
    }
    match bytes.get(at + 4).map(|it| it >> 4) {
        Some(4 | 6) => Ok((Header::Ip, at + 4)),
        Some(_) => Err(Undecoded::Protocol("mpls")),
        None => Err(Undecoded::Truncated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(link_type: u16, bytes: &[u8], expected: Result<usize, Undecoded>) {
        assert_eq!(network(link_type, bytes).map(|it| it.at), expected);
    }

    fn ethernet(rest: &[u8]) -> Vec<u8> {
        [&[0; 12], rest].concat()
    }

    #[test]
    fn ip_follows_ethernet() {
        check(1, &ethernet(&[0x08, 0x00, 0x45]), Ok(14));
    }

    #[test]
    fn tags_may_be_stacked() {
        let bytes = ethernet(&[0x88, 0xa8, 0, 1, 0x81, 0x00, 0x60, 2, 0x86, 0xdd, 0x60]);
        assert_eq!(network(1, &bytes), Ok(Network { at: 22, vlan: 0x1002, next: None }));
    }

    #[test]
    fn tags_without_end_end() {
        let tags = [0x81, 0x00, 0, 1].repeat(1000);
        check(1, &ethernet(&tags), Err(Undecoded::TooDeep));
    }

    #[test]
    fn arp_is_not_ip() {
        check(1, &ethernet(&[0x08, 0x06]), Err(Undecoded::Protocol("arp")));
    }

    #[test]
    fn a_frame_may_be_cut_in_its_tag() {
        check(1, &ethernet(&[0x81, 0x00, 0]), Err(Undecoded::Truncated));
    }

    #[test]
    fn an_unknown_link_is_named() {
        check(147, &[0; 60], Err(Undecoded::Link(147)));
    }

    #[test]
    fn tables_are_in_order() {
        assert!(LINKS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(ETHER_TYPES.is_sorted_by(|a, b| a.0 < b.0));
    }
}
