//! Link headers: from the first byte of a frame to its IP header.

use crate::{ByteOrder::Big, Undecoded};

/// Link types of tcpdump.org's registry, and where their IP header is.
const LINKS: &[(u16, Link)] = &[
    (0, Link::Loopback),
    (1, Link::Ethernet),
    (9, Link::Ppp),
    (12, Link::Raw),
    (14, Link::Raw),
    (50, Link::Ppp),
    (101, Link::Raw),
    (104, Link::TypeAt { at: 2, len: 4 }),
    (108, Link::Loopback),
    (113, Link::TypeAt { at: 14, len: 16 }),
    (228, Link::Raw),
    (229, Link::Raw),
    (276, Link::TypeAt { at: 0, len: 20 }),
];

#[derive(Clone, Copy)]
enum Link {
    /// Two addresses and an EtherType, or a length and LLC (IEEE 802.3).
    Ethernet,
    /// The IP header comes first.
    Raw,
    /// An address family of four bytes (BSD loopback).
    Loopback,
    /// Perhaps `ff 03`, then a protocol (RFC 1661).
    Ppp,
    /// An EtherType somewhere in a header of fixed length (Linux cooked v1 and v2, Cisco HDLC).
    TypeAt { at: usize, len: usize },
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Where the IP header of a frame starts, in bytes.
pub(crate) fn ip_offset(link_type: u16, bytes: &[u8]) -> Result<usize, Undecoded> {
    let Some((_, link)) = LINKS.iter().find(|(number, _)| *number == link_type) else {
        return Err(Undecoded::UnknownLink(link_type));
    };
    let (ether_type, at) = match *link {
        Link::Raw => return Ok(0),
        Link::Loopback => return Ok(4),
        Link::Ethernet => (Big.u16(bytes, 12), 14),
        Link::TypeAt { at, len } => (Big.u16(bytes, at), len),
        Link::Ppp => {
            let at = if bytes.starts_with(&[0xff, 0x03]) { 2 } else { 0 };
            return ppp(bytes, at);
        }
    };
    ip_after(ether_type.ok_or(Undecoded::Truncated)?, bytes, at)
}

/// Follows VLAN tags, MPLS labels and PPPoE to the IP header.
fn ip_after(mut ether_type: u16, bytes: &[u8], mut at: usize) -> Result<usize, Undecoded> {
    for _ in 0..8 {
        match ether_type {
            IPV4 | IPV6 => return Ok(at),
            // IEEE 802.1Q, 802.1ad and the older tags of stacked VLANs.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                ether_type = Big.u16(bytes, at + 2).ok_or(Undecoded::Truncated)?;
                at += 4;
            }
            // MPLS (RFC 3032): the last label has its lowest bit of the third byte set.
            0x8847 | 0x8848 => {
                let label = Big.u32(bytes, at).ok_or(Undecoded::Truncated)?;
                at += 4;
                if label & 0x100 != 0 {
                    return match bytes.get(at).map(|it| it >> 4) {
                        Some(4 | 6) => Ok(at),
                        Some(_) => Err(Undecoded::NotIp),
                        None => Err(Undecoded::Truncated),
                    };
                }
            }
            // PPPoE session (RFC 2516).
            0x8864 => return ppp(bytes, at + 6),
            0x0806 => return Err(Undecoded::Arp),
            0x88cc => return Err(Undecoded::Lldp),
            // IEEE 802.3: a length, then LLC; SNAP carries an EtherType again.
            0..=1500 if bytes.get(at..at + 3) == Some(&[0xaa, 0xaa, 0x03]) => {
                ether_type = Big.u16(bytes, at + 6).ok_or(Undecoded::Truncated)?;
                at += 8;
            }
            _ => return Err(Undecoded::NotIp),
        }
    }
    Err(Undecoded::Malformed)
}

fn ppp(bytes: &[u8], at: usize) -> Result<usize, Undecoded> {
    match Big.u16(bytes, at) {
        Some(0x0021 | 0x0057) => Ok(at + 2),
        // The protocol may be compressed to its second byte.
        Some(it) if matches!(it >> 8, 0x21 | 0x57) => Ok(at + 1),
        Some(_) => Err(Undecoded::NotIp),
        None => Err(Undecoded::Truncated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(link_type: u16, bytes: &[u8], expected: Result<usize, Undecoded>) {
        assert_eq!(ip_offset(link_type, bytes), expected);
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
        check(1, &ethernet(&[0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x86, 0xdd]), Ok(22));
    }

    #[test]
    fn arp_is_not_ip() {
        check(1, &ethernet(&[0x08, 0x06]), Err(Undecoded::Arp));
    }

    #[test]
    fn a_frame_may_be_cut_in_its_tag() {
        check(1, &ethernet(&[0x81, 0x00, 0]), Err(Undecoded::Truncated));
    }

    #[test]
    fn an_unknown_link_is_named() {
        check(147, &[0; 60], Err(Undecoded::UnknownLink(147)));
    }
}
