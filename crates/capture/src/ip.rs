//! IP headers and the headers between them and the transport, whole or cut short (RFC 791, 8200, 2675, 4302).
//!
//! `etherparse` reads IPv6's fixed header. That of IPv4 is read here, since nearly every packet has one and it shows in what a
//! capture takes; a test holds it to what `etherparse` reads. The chain of extension headers is walked here, too: a frame may
//! be cut anywhere in it, and a fragment header says what `etherparse` keeps to itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::Ipv6HeaderSlice;

use crate::{ByteOrder::Big, Undecoded};

/// An IP packet, its transport unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip<'a> {
    /// The home address, where a mobile node says one: the transport's.
    pub(crate) source: IpAddr,
    /// The last destination, where a routing header names one: the transport's, whose answers come from there.
    pub(crate) destination: IpAddr,
    /// What it carries, after all extension headers; of a fragment, what follows the fragment header.
    pub(crate) protocol: u8,
    /// Header and payload on the wire, in bytes.
    pub(crate) len: u32,
    /// The length is told by a header, and the frame has room for it.
    pub(crate) is_len_sound: bool,
    /// What follows all headers, on the wire, in bytes.
    pub(crate) body_len: u32,
    /// What follows all headers, as much of it as was captured.
    pub(crate) body: &'a [u8],
    pub(crate) fragment: Option<Fragment>,
}

/// Where in its datagram a fragment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// What the fragments of a datagram have in common, besides addresses and protocol.
    pub(crate) id: u32,
    /// The place of its first byte, in bytes from the start of the datagram's body.
    pub(crate) offset: u32,
    /// No fragment follows it.
    pub(crate) is_last: bool,
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// The longest chain of extension headers that is followed; longer ones are an attack.
const MAX_EXTENSIONS: usize = 16;
/// Length of an IPv6 header, in bytes.
const V6_LEN: usize = 40;

impl<'a> Ip<'a> {
    /// Reads the IP header that `bytes` start with; `wire_len` is how long they were on the wire.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8], wire_len: u32) -> Result<Self, Undecoded> {
        match bytes.first().map(|it| it >> 4) {
            Some(4) => Self::read_v4(bytes, wire_len),
            Some(6) => Self::read_v6(bytes, wire_len),
            Some(_) => Err(Undecoded::Malformed("ip version")),
            None => Err(Undecoded::Truncated),
        }
    }

    #[inline]
    fn read_v4(bytes: &'a [u8], wire_len: u32) -> Result<Self, Undecoded> {
        let header: &[u8; 20] = bytes.first_chunk().ok_or(Undecoded::Truncated)?;
        let [words, _, len_1, len_0, id_1, id_0, place_1, place_0, _, protocol, ..] = *header;
        let header_len = usize::from(words & 0xf) * 4;
        if header_len < header.len() {
            return Err(Undecoded::Malformed("ipv4 header"));
        }
        if header_len > bytes.len() {
            return Err(Undecoded::Truncated);
        }
        let [.., a, b, c, d, e, f, g, h] = *header;
        let total = u32::from(u16::from_be_bytes([len_1, len_0]));
        // A length of 0 is left to the network card to fill in (segmentation offload).
        let is_told = total >= header_len as u32;
        let len = if is_told { total } else { wire_len.max(header_len as u32) };
        // Three bits, the last of which says that more fragments follow, then the place in words of eight bytes.
        let place = u16::from_be_bytes([place_1, place_0]) & 0x3fff;
        let fragment = (place != 0).then(|| Fragment {
            id: u32::from(u16::from_be_bytes([id_1, id_0])),
            offset: u32::from(place & 0x1fff) * 8,
            is_last: place & 0x2000 == 0,
        });
        let ip = Self {
            source: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            destination: IpAddr::V4(Ipv4Addr::new(e, f, g, h)),
            protocol,
            len,
            is_len_sound: is_told && total <= wire_len,
            body_len: len - header_len as u32,
            body: body(bytes, header_len, len),
            fragment,
        };
        // Most packets have no header more.
        let is_followed = protocol == AUTHENTICATION && fragment.is_none();
        Ok(if is_followed { ip.behind_extensions() } else { ip })
    }

    fn read_v6(bytes: &'a [u8], wire_len: u32) -> Result<Self, Undecoded> {
        let Ok(header) = Ipv6HeaderSlice::from_slice(bytes) else {
            return Err(Undecoded::Truncated);
        };
        let told = match u32::from(header.payload_length()) {
            0 if header.next_header().0 == NO_NEXT_HEADER => Some(0),
            0 => jumbo_len(header.next_header().0, bytes.get(V6_LEN..).unwrap_or_default()),
            it => Some(it),
        };
        let rest = wire_len.saturating_sub(V6_LEN as u32);
        let body_len = told.unwrap_or(rest).min(u32::MAX - V6_LEN as u32);
        let len = body_len + V6_LEN as u32;
        let ip = Self {
            source: header.source_addr().into(),
            destination: header.destination_addr().into(),
            protocol: header.next_header().0,
            len,
            is_len_sound: told.is_some_and(|it| it <= rest),
            body_len,
            body: body(bytes, V6_LEN, len),
            fragment: None,
        };
        Ok(ip.behind_extensions())
    }

    /// Steps over extension headers, as far as they were captured; not into what a fragment carries.
    fn behind_extensions(self) -> Self {
        let Extensions { protocol, len, fragment, source, destination } =
            Extensions::read(self.protocol, self.body, self.source.is_ipv4());
        Self {
            protocol,
            fragment,
            source: source.map_or(self.source, IpAddr::V6),
            destination: destination.map_or(self.destination, IpAddr::V6),
            body: self.body.get(len..).unwrap_or_default(),
            body_len: self.body_len.saturating_sub(len as u32),
            ..self
        }
    }
}

/// The headers between the IP header and the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extensions {
    /// What follows them.
    pub(crate) protocol: u8,
    /// Their length, in bytes.
    pub(crate) len: usize,
    pub(crate) fragment: Option<Fragment>,
    /// Where a mobile node is at home.
    pub(crate) source: Option<Ipv6Addr>,
    /// Where a routing header sends the packet in the end.
    pub(crate) destination: Option<Ipv6Addr>,
}

impl Extensions {
    /// Follows the chain to its end, to a fragment's body, or to where the capture cut it.
    pub(crate) fn read(protocol: u8, bytes: &[u8], is_v4: bool) -> Self {
        let mut it = Self { protocol, len: 0, fragment: None, source: None, destination: None };
        for _ in 0..MAX_EXTENSIONS {
            let rest = bytes.get(it.len..).unwrap_or_default();
            let Some(&[next, len]) = rest.first_chunk() else { break };
            let header_len = match it.protocol {
                AUTHENTICATION => (usize::from(len) + 2) * 4,
                _ if is_v4 => break,
                FRAGMENT => 8,
                HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6 => {
                    (usize::from(len) + 1) * 8
                }
                _ => break,
            };
            if it.protocol == FRAGMENT {
                let (Some(place), Some(id)) = (Big.u16(rest, 2), Big.u32(rest, 4)) else { break };
                let (offset, is_last) = (u32::from(place & 0xfff8), place & 1 == 0);
                // A datagram in one fragment is none (RFC 6946).
                if offset > 0 || !is_last {
                    it.fragment = Some(Fragment { id, offset, is_last });
                }
            }
            match it.protocol {
                ROUTING => it.destination = last_destination(rest, header_len).or(it.destination),
                DESTINATION_OPTIONS => it.source = home_address(rest).or(it.source),
                _ => {}
            }
            it.protocol = next;
            it.len += header_len;
            if it.fragment.is_some() {
                break;
            }
        }
        it
    }
}

/// The last of the addresses a routing header still leads to: listed first to last (type 0, RFC 2460; type 2, RFC 6275),
/// or last to first (type 4, RFC 8754).
fn last_destination(header: &[u8], len: usize) -> Option<Ipv6Addr> {
    let (&kind, &segments_left) = (header.get(2)?, header.get(3)?);
    let n_addresses = len.saturating_sub(8) / 16;
    let at = match kind {
        _ if segments_left == 0 || n_addresses == 0 => return None,
        0 | 2 => 8 + (n_addresses - 1) * 16,
        4 => 8,
        _ => return None,
    };
    header.get(at..)?.first_chunk::<16>().copied().map(Ipv6Addr::from)
}

/// The bytes between the header and the end of the packet: no padding of the link.
#[inline]
fn body(bytes: &[u8], header_len: usize, len: u32) -> &[u8] {
    let end = bytes.len().min(len as usize);
    bytes.get(header_len..end).unwrap_or_default()
}

/// The payload length of a jumbogram, which a hop-by-hop option tells (RFC 2675).
fn jumbo_len(next_header: u8, extension: &[u8]) -> Option<u32> {
    const JUMBO: u8 = 0xc2;
    if next_header != HOP_BY_HOP {
        return None;
    }
    option(extension, JUMBO).filter(|it| it.len() == 4).and_then(|it| Big.u32(it, 0))
}

/// Where a mobile node is at home, which a destination option tells (RFC 6275, 6.3).
fn home_address(extension: &[u8]) -> Option<Ipv6Addr> {
    const HOME_ADDRESS: u8 = 0xc9;
    option(extension, HOME_ADDRESS)?.try_into().ok().map(<[u8; 16]>::into)
}

/// What the first option of this kind says, in a header of options.
fn option(extension: &[u8], kind: u8) -> Option<&[u8]> {
    const PAD1: u8 = 0;
    let end = (usize::from(*extension.get(1)?) + 1) * 8;
    let mut options = extension.get(2..end.min(extension.len()))?;
    while let [found, rest @ ..] = options {
        if *found == PAD1 {
            options = rest;
            continue;
        }
        let len = usize::from(*rest.first()?);
        if *found == kind {
            return rest.get(1..1 + len);
        }
        options = rest.get(1 + len..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: u8 = 17;

    fn v4(total_len: u16, fragment: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x45, 0, 0, 0, 0, 7, 0, 0, 64, UDP, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        bytes[2..4].copy_from_slice(&total_len.to_be_bytes());
        bytes[6..8].copy_from_slice(&fragment.to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    fn v6(payload_len: u16, next_header: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 0, next_header, 64];
        bytes[4..6].copy_from_slice(&payload_len.to_be_bytes());
        bytes.extend_from_slice(&[0x20; 32]);
        bytes.extend_from_slice(body);
        bytes
    }

    /// Protocol, length, length of the body on the wire and captured.
    #[track_caller]
    fn check(bytes: &[u8], wire_len: u32, expected: (u8, u32, u32, usize)) {
        let ip = Ip::read(bytes, wire_len).unwrap();
        assert_eq!((ip.protocol, ip.len, ip.body_len, ip.body.len()), expected);
    }

    #[test]
    fn padding_of_the_link_is_no_payload() {
        check(&v4(24, 0, &[0; 26]), 46, (UDP, 24, 4, 4));
        check(&v6(4, UDP, &[0; 6]), 46, (UDP, 44, 4, 4));
    }

    #[test]
    fn an_ipv4_header_is_read_as_by_etherparse() {
        use etherparse::{Ipv4HeaderSlice, err::ipv4::HeaderSliceError};
        let mut random = crate::random_numbers();
        for _ in 0..20_000 {
            let len = random() as usize % 70;
            let mut bytes: Vec<u8> = (0..len).map(|_| (random() >> 32) as u8).collect();
            if let Some(first) = bytes.first_mut() {
                *first = 0x40 | *first & 0xf;
            }
            if let Some(protocol) = bytes.get_mut(9) {
                *protocol = UDP;
            }
            let found = Ip::read(&bytes, len as u32);
            let header = match Ipv4HeaderSlice::from_slice(&bytes) {
                Ok(header) => header,
                Err(HeaderSliceError::Len(_)) => {
                    assert_eq!(found, Err(Undecoded::Truncated));
                    continue;
                }
                Err(HeaderSliceError::Content(_)) => {
                    assert_eq!(found, Err(Undecoded::Malformed("ipv4 header")));
                    continue;
                }
            };
            let found = found.unwrap();
            let addresses = (found.source, found.destination);
            assert_eq!(addresses, (header.source_addr().into(), header.destination_addr().into()));
            assert_eq!(found.protocol, header.protocol().0);
            assert_eq!(found.fragment.is_some(), header.is_fragmenting_payload());
            if let Some(Fragment { id, offset, is_last }) = found.fragment {
                assert_eq!(id, u32::from(header.identification()));
                assert_eq!(offset, u32::from(header.fragments_offset().value()) * 8);
                assert_eq!(is_last, !header.more_fragments());
            }
            let (total, header_len) = (usize::from(header.total_len()), header.slice().len());
            let end = if total < header_len { len } else { total.min(len) };
            assert_eq!(found.body, &bytes[header_len.min(end)..end]);
        }
    }

    #[test]
    fn a_length_left_to_the_card_is_that_of_the_frame() {
        check(&v4(0, 0, &[0; 100]), 120, (UDP, 120, 100, 100));
    }

    #[test]
    fn a_packet_may_be_cut_short() {
        check(&v4(1_500, 0, &[0; 10]), 1_500, (UDP, 1_500, 1_480, 10));
        assert_eq!(Ip::read(&v4(20, 0, &[])[..19], 20), Err(Undecoded::Truncated));
        assert_eq!(Ip::read(&[], 0), Err(Undecoded::Truncated));
    }

    #[test]
    fn extension_headers_are_no_payload() {
        let chain = [HOP_BY_HOP, 0, 0, 0, 0, 0, 0, 0, UDP, 1, 0, 0, 0, 0, 0, 0];
        let body = [&chain[..], &[0; 8], &[9; 5]].concat();
        check(&v6(29, ROUTING, &body), 69, (UDP, 69, 5, 5));
    }

    #[test]
    fn a_routing_header_names_the_last_destination() {
        let of = |kind: u8, segments_left: u8| {
            let chain = [&[UDP, 4, kind, segments_left, 0, 0, 0, 0][..], &[1; 16], &[2; 16]];
            Ip::read(&v6(40, ROUTING, &chain.concat()), 80).unwrap().destination
        };
        let address = |it: u8| IpAddr::from([it; 16]);
        assert_eq!(of(0, 1), address(2));
        assert_eq!(of(4, 1), address(1));
        assert_eq!(of(0, 0), address(0x20));
        assert_eq!(of(9, 1), address(0x20));
    }

    #[test]
    fn a_mobile_node_sends_from_its_home_address() {
        let chain = [&[UDP, 2, 1, 2, 0, 0, 0xc9, 16][..], &[7; 16]].concat();
        let bytes = v6(24, DESTINATION_OPTIONS, &chain);
        let ip = Ip::read(&bytes, 64).unwrap();
        assert_eq!((ip.source, ip.protocol), (IpAddr::from([7; 16]), UDP));
    }

    #[test]
    fn a_chain_without_end_is_not_followed_for_ever() {
        let body = [HOP_BY_HOP, 0, 0, 0, 0, 0, 0, 0].repeat(1_000);
        let ip = Ip::read(&v6(8_000, HOP_BY_HOP, &body), 8_040).map(|it| it.body.len());
        assert_eq!(ip, Ok(8_000 - 8 * MAX_EXTENSIONS));
    }

    #[test]
    fn a_jumbogram_tells_its_length_in_an_option() {
        let options = [UDP, 0, 0xc2, 4, 0, 1, 0x11, 0x70];
        let body = [&options[..], &[0; 100]].concat();
        check(&v6(0, HOP_BY_HOP, &body), 70_040, (UDP, 70_040, 69_992, 100));
    }

    #[test]
    fn fragments_are_told_from_whole_datagrams() {
        let of = |fragment| Ip::read(&v4(20, fragment, &[]), 20).unwrap().fragment;
        assert_eq!(of(0x4000), None);
        assert_eq!(of(0x2000), Some(Fragment { id: 7, offset: 0, is_last: false }));
        assert_eq!(of(0x0002), Some(Fragment { id: 7, offset: 16, is_last: true }));
    }

    #[test]
    fn a_fragment_header_may_follow_other_headers() {
        let of = |place: u8| {
            let chain = [FRAGMENT, 0, 0, 0, 0, 0, 0, 0, UDP, 0, 0, place, 0, 0, 0, 5];
            Ip::read(&v6(16, HOP_BY_HOP, &chain), 56).unwrap().fragment
        };
        assert_eq!(of(0), None, "an atomic fragment");
        assert_eq!(of(1), Some(Fragment { id: 5, offset: 0, is_last: false }));
        assert_eq!(of(8), Some(Fragment { id: 5, offset: 8, is_last: true }));
    }
}
