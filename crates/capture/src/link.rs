//! Link headers: from the first byte of a frame to its IP header.
//!
//! A frame is a chain of headers. `registry::LINKS` says with which it begins, each header says which comes next, and `walk`
//! follows until IP. Nothing here calls itself, so what nests deeply costs steps, not stack.

mod ether;
mod juniper;
mod meta;
mod registry;
mod serial;
mod shared;
mod wlan;
mod wpan;

use self::juniper::Inside;
use crate::{
    ByteOrder::{Big, Little},
    Undecoded,
};

/// How many headers are followed before the IP header of a frame.
const MAX_HEADERS: usize = 64;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// Where the IP header of a frame starts, and what was passed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// Where the IP header starts, in bytes from the start of the frame; within the captured bytes.
    pub(crate) at: usize,
    /// The ids of the two innermost VLAN tags, 12 bits each, the innermost lowest; 0 where there are none.
    pub(crate) vlan: u32,
    /// The rest of a frame that holds several packets, for `next_network`.
    pub(crate) next: Option<Next>,
}

/// Where the next packet of a frame that holds several begins (A-MSDU, DOCSIS concatenation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    header: Header,
    /// Where it begins, in bytes from the start of the frame.
    pub(crate) at: usize,
}

/// A header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    /// IP of any version: the end of the way.
    Ip,
    /// Whatever frames of a link type begin with.
    Link(u16),
    /// Two addresses and an EtherType, or a length and LLC (IEEE 802.3).
    Ethernet,
    /// What follows an EtherType, or a length.
    EtherType(u16),
    /// An EtherType at the start of a header of so many bytes.
    TypeThen { len: u8 },
    /// Ethernet with the tag of a switch chip between addresses and EtherType.
    SwitchTag { len: u8 },
    /// Ethernet with its preamble, of frames that may be preempted (IEEE 802.3br).
    Mpacket,
    /// Access points and, behind those of SNAP, a protocol (IEEE 802.2); so many bytes of padding before a bridged frame.
    Llc { pad: u8 },
    /// An organisation and its protocol, behind LLC or instead of it.
    Snap { pad: u8 },
    /// A protocol of ISO/IEC TR 9577.
    Nlpid,
    /// Labels (RFC 3032).
    Mpls,
    /// A packet or an Ethernet frame behind the last label (RFC 4448).
    Pseudowire,
    /// A session's header, then PPP (RFC 2516).
    Pppoe,
    /// Perhaps `ff 03`, then a protocol (RFC 1661).
    Ppp,
    /// A direction in place of the address of PPP.
    Pppd,
    /// An address, a control byte and an EtherType (Cisco), or PPP.
    Hdlc,
    /// An address of two to four bytes, then an NLPID, or an EtherType as Cisco has it (RFC 2427).
    FrameRelay,
    /// A sequence number, then Frame Relay (FRF.16).
    MultilinkFrameRelay,
    /// LLC, or what a virtual circuit carries without (RFC 2684).
    Atm,
    /// A circuit's number, then LLC or an emulated LAN.
    SunAtm,
    /// Two addresses, perhaps a route, then LLC (IEEE 802.5).
    TokenRing,
    /// Two addresses, then LLC.
    Fddi,
    /// Two addresses of a byte, then a type (RFC 1201).
    Arcnet { type_at: u8 },
    /// A chain of call signs, then a protocol.
    Ax25,
    /// Frames of a cable modem.
    Docsis { is_concatenated: bool },
    /// An address family of four bytes (BSD loopback).
    Loopback,
    /// An address family of four bytes at the start of a header of so many.
    FamilyThen { len: u8 },
    /// The kind of device and a protocol, each somewhere in so many bytes (Linux cooked).
    Cooked { kind_at: u8, type_at: u8, len: u8 },
    /// The length of the header and an address family (OpenBSD's packet filter).
    Pflog,
    /// Attributes, among them the packet (Linux's packet filter).
    Nflog,
    /// What was captured beside each packet, then its link type.
    Ppi,
    /// The same, of macOS.
    Pktap,
    /// The same, of Wireshark: the dissector's name.
    ExportedPdu,
    /// The same, of a remote sensor: its encapsulation.
    Tzsp,
    /// The same, of Endace's cards.
    Erf,
    /// A firewall's header, of two versions.
    Symantec,
    /// Juniper's header, so many bytes of a cookie, then whatever it may be.
    Juniper { cookie: u8 },
    /// Juniper's header, then a frame.
    JuniperThen(Inside),
    /// What a radio told of a frame: a bitmap chain.
    Radiotap,
    /// The same, in items of fixed size.
    Prism,
    /// The same, of fixed fields.
    Avs,
    /// A frame of IEEE 802.11; its header may be padded to four bytes.
    Wlan { is_padded: bool },
    /// One of the frames that share an 802.11 header.
    Amsdu,
    /// What a radio told of a frame of IEEE 802.15.4.
    WpanTap,
    /// A frame of IEEE 802.15.4.
    Wpan,
}

/// The header that follows, and where.
type Step = Result<(Header, usize), Undecoded>;

/// The name of a link type, where the registry has it.
pub(crate) fn name(link_type: u16) -> Option<&'static str> {
    named(registry::COUNTED, link_type).or_else(|| link(link_type).map(|it| it.1))
}

/// Finds the IP header of a frame.
pub(crate) fn network(link_type: u16, bytes: &[u8]) -> Result<Network, Undecoded> {
    if let Some(at) = ip_at(link_type, bytes) {
        return Ok(Network { at, vlan: 0, next: None });
    }
    // Ethernet needs no look into the registry.
    match Big.u16(bytes, 12) {
        _ if link_type != 1 => walk(Header::Link(link_type), bytes, 0),
        Some(tag @ 1501..) => walk(Header::EtherType(tag), bytes, 14),
        _ => walk(Header::Ethernet, bytes, 0),
    }
}

/// Where the IP header of a frame starts, if Ethernet's is the only one before it: most frames need no walk.
#[inline]
pub(crate) fn ip_at(link_type: u16, bytes: &[u8]) -> Option<usize> {
    let is_ip = link_type == 1 && matches!(Big.u16(bytes, 12), Some(IPV4 | IPV6));
    (is_ip && bytes.len() > 14).then_some(14)
}

/// Finds the IP header of what an EtherType announces.
pub(crate) fn network_after(ether_type: u16, bytes: &[u8]) -> Result<Network, Undecoded> {
    walk(Header::EtherType(ether_type), bytes, 0)
}

/// Finds the IP header behind access points (IEEE 802.2), as wireless data carry it.
pub(crate) fn network_in_llc(bytes: &[u8]) -> Result<Network, Undecoded> {
    walk(Header::Llc { pad: 0 }, bytes, 0)
}

/// Finds the next IP header of a frame that holds several packets.
pub(crate) fn next_network(bytes: &[u8], next: Next) -> Result<Network, Undecoded> {
    walk(next.header, bytes, next.at)
}

/// Follows the headers to IP. Where a frame holds several packets, to the first that is IP.
fn walk(header: Header, bytes: &[u8], at: usize) -> Result<Network, Undecoded> {
    let mut next = None;
    let mut found = follow(header, bytes, at, &mut next);
    while found.is_err()
        && let Some(Next { header, at }) = next.take()
    {
        // The reason of the first is the reason of the frame. Each step goes on by at least a header.
        found = follow(header, bytes, at, &mut next).or(found);
    }
    found
}

fn follow(
    mut header: Header,
    bytes: &[u8],
    mut at: usize,
    next: &mut Option<Next>,
) -> Result<Network, Undecoded> {
    let mut vlan = 0;
    for _ in 0..MAX_HEADERS {
        (header, at) = match header {
            Header::Ip | Header::EtherType(IPV4 | IPV6) => {
                u8_at(bytes, at)?;
                return Ok(Network { at, vlan, next: next.take() });
            }
            Header::EtherType(0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) => {
                // IEEE 802.1Q, 802.1ad and the older tags of stacked VLANs.
                vlan = (vlan << 12 | u32::from(u16_at(bytes, at)? & 0xfff)) & 0xff_ffff;
                (Header::EtherType(u16_at(bytes, at + 2)?), at + 4)
            }
            Header::Ethernet => ether::ethernet(bytes, at)?,
            Header::EtherType(ether_type) => ether::after_type(ether_type, bytes, at)?,
            Header::Link(link_type) => {
                let (_, _, len, first) = link(link_type).ok_or(Undecoded::Link(link_type))?;
                (first, at + usize::from(len))
            }
            Header::TypeThen { len } => {
                (Header::EtherType(u16_at(bytes, at)?), at + usize::from(len))
            }
            Header::SwitchTag { len } => {
                let end = at + usize::from(len) + 14;
                (Header::EtherType(u16_at(bytes, end - 2)?), end)
            }
            Header::Mpacket => ether::mpacket(bytes, at)?,
            Header::Llc { pad } => ether::llc(pad, bytes, at)?,
            Header::Snap { pad } => ether::snap(pad, bytes, at)?,
            Header::Nlpid => serial::nlpid(bytes, at)?,
            Header::Mpls => ether::mpls(bytes, at)?,
            Header::Pseudowire => ether::pseudowire(bytes, at)?,
            Header::Pppoe => ether::pppoe(bytes, at)?,
            Header::Ppp => serial::ppp(bytes, at)?,
            Header::Pppd => serial::pppd(bytes, at)?,
            Header::Hdlc => serial::hdlc(bytes, at)?,
            Header::FrameRelay => serial::frame_relay(bytes, at)?,
            Header::MultilinkFrameRelay => serial::multilink_frame_relay(bytes, at)?,
            Header::Atm => serial::atm(bytes, at)?,
            Header::SunAtm => serial::sun_atm(bytes, at)?,
            Header::TokenRing => shared::token_ring(bytes, at)?,
            Header::Fddi => shared::fddi(bytes, at)?,
            Header::Arcnet { type_at } => shared::arcnet(bytes, at + usize::from(type_at))?,
            Header::Ax25 => shared::ax25(bytes, at)?,
            Header::Docsis { is_concatenated } => shared::docsis(is_concatenated, bytes, at, next)?,
            Header::Loopback => meta::family(bytes, at, 4)?,
            Header::FamilyThen { len } => meta::family(bytes, at, len.into())?,
            Header::Cooked { kind_at, type_at, len } => {
                let kind = u16_at(bytes, at + usize::from(kind_at))?;
                let protocol = u16_at(bytes, at + usize::from(type_at))?;
                meta::cooked(kind, protocol, at + usize::from(len))?
            }
            Header::Pflog => meta::pflog(bytes, at)?,
            Header::Nflog => meta::nflog(bytes, at)?,
            Header::Ppi => meta::ppi(bytes, at)?,
            Header::Pktap => meta::pktap(bytes, at)?,
            Header::ExportedPdu => meta::exported_pdu(bytes, at)?,
            Header::Tzsp => meta::tzsp(bytes, at)?,
            Header::Erf => meta::erf(bytes, at)?,
            Header::Symantec => meta::symantec(bytes, at)?,
            Header::Juniper { cookie } => juniper::cookie(cookie.into(), bytes, at)?,
            Header::JuniperThen(inside) => juniper::then(inside, bytes, at)?,
            Header::Radiotap => wlan::radiotap(bytes, at)?,
            Header::Prism => wlan::prism(bytes, at)?,
            Header::Avs => wlan::avs(bytes, at)?,
            Header::Wlan { is_padded } => wlan::frame(is_padded, bytes, at)?,
            Header::Amsdu => wlan::subframe(bytes, at, next)?,
            Header::WpanTap => wpan::tap(bytes, at)?,
            Header::Wpan => wpan::frame(bytes, at)?,
        };
    }
    Err(Undecoded::TooDeep)
}

fn link(link_type: u16) -> Option<registry::Link> {
    let at = registry::LINKS.binary_search_by_key(&link_type, |it| it.0).ok()?;
    registry::LINKS.get(at).copied()
}

/// The name of a number in a table in order.
fn named<K: Ord + Copy>(table: &[(K, &'static str)], key: K) -> Option<&'static str> {
    let at = table.binary_search_by_key(&key, |it| it.0).ok()?;
    table.get(at).map(|it| it.1)
}

fn u8_at(bytes: &[u8], at: usize) -> Result<u8, Undecoded> {
    bytes.get(at).copied().ok_or(Undecoded::Truncated)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Undecoded> {
    Big.u16(bytes, at).ok_or(Undecoded::Truncated)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Undecoded> {
    Big.u32(bytes, at).ok_or(Undecoded::Truncated)
}

fn u16_le_at(bytes: &[u8], at: usize) -> Result<u16, Undecoded> {
    Little.u16(bytes, at).ok_or(Undecoded::Truncated)
}

fn u32_le_at(bytes: &[u8], at: usize) -> Result<u32, Undecoded> {
    Little.u32(bytes, at).ok_or(Undecoded::Truncated)
}

/// Whether such bytes stand there.
fn has(bytes: &[u8], at: usize, expected: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|it| it.starts_with(expected))
}

/// Where a header ends whose length was read from it: no further than what was captured.
fn past(bytes: &[u8], at: usize, len: u32) -> Result<usize, Undecoded> {
    let end = at.checked_add(len as usize).filter(|it| *it <= bytes.len());
    end.ok_or(Undecoded::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the IP header is, or why there is none.
    #[track_caller]
    pub(super) fn check(link_type: u16, parts: &[&[u8]], expected: Result<usize, Undecoded>) {
        assert_eq!(network(link_type, &parts.concat()).map(|it| it.at), expected);
    }

    /// The first byte of IPv4 and of IPv6.
    pub(super) const V4: &[u8] = &[0x45];
    pub(super) const V6: &[u8] = &[0x60];
    /// The addresses of an Ethernet frame.
    pub(super) const ADDRESSES: &[u8] = &[2; 12];

    #[test]
    fn ip_follows_ethernet() {
        check(1, &[ADDRESSES, &[0x08, 0x00], V4], Ok(14));
        check(1, &[ADDRESSES, &[0x86, 0xdd], V6], Ok(14));
    }

    #[test]
    fn raw_ip_follows_nothing() {
        for link_type in [12, 14, 101, 228, 229] {
            check(link_type, &[V4], Ok(0));
        }
    }

    #[test]
    fn an_unknown_link_is_told_by_its_number() {
        check(147, &[&[0; 60]], Err(Undecoded::Link(147)));
        assert_eq!(Undecoded::Link(147).to_string(), "link type 147");
    }

    #[test]
    fn a_link_that_is_not_read_is_told_by_its_name() {
        check(227, &[&[0; 60]], Err(Undecoded::Link(227)));
        assert_eq!(Undecoded::Link(227).to_string(), "can");
    }

    #[test]
    fn a_frame_without_bytes_is_cut_whatever_its_link() {
        for (link_type, ..) in registry::LINKS {
            check(*link_type, &[], Err(Undecoded::Truncated));
        }
    }

    #[test]
    fn no_bytes_are_too_odd() {
        let mut random = crate::random_numbers();
        for (link_type, ..) in registry::LINKS {
            for _ in 0..300 {
                // Few values, so that bytes often mean something.
                let few = [0, 1, 2, 3, 4, 8, 0x45, 0x60, 0x80, 0x81, 0x88, 0xaa, 0xff];
                let len = random() as usize % 100;
                let byte = |it: u64| few.get(it as usize % 16).copied().unwrap_or(it as u8);
                let bytes: Vec<u8> = (0..len).map(|_| byte(random() >> 32)).collect();
                let mut found = network(*link_type, &bytes);
                while let Ok(Network { at, next, .. }) = found {
                    assert!(at < bytes.len());
                    found = match next {
                        Some(next) => next_network(&bytes, next),
                        None => break,
                    };
                }
            }
        }
    }

    #[test]
    fn tables_are_in_order() {
        fn check<K: Ord, V>(table: &[(K, V)]) {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
        assert!(registry::LINKS.is_sorted_by(|a, b| a.0 < b.0));
        check(registry::COUNTED);
        check(ether::TYPES);
        check(ether::ACCESS_POINTS);
        check(ether::SNAPS);
        check(serial::PPP);
        check(serial::NLPIDS);
        check(shared::ARCNET);
        check(shared::AX25);
        check(meta::FAMILIES);
        check(meta::COOKED);
    }

    #[test]
    fn a_link_is_read_or_counted() {
        for (link_type, name) in registry::COUNTED {
            assert!(link(*link_type).is_none(), "{link_type} {name}");
        }
    }
}
