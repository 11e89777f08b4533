//! Tunnels: from a packet to the packet it carries.
//!
//! A tunnel is told by its IP protocol or its port, and only believed where the IP header inside has a length that fits
//! into what carries it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    ByteOrder::Big,
    Packet,
    ip::Ip,
    link::{self, Network, Next},
    packet::{TCP, UDP},
};

/// What a packet was carried in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tunnel {
    /// The kind of tunnel.
    pub kind: TunnelKind,
    /// What tells tunnels between the same endpoints apart: VXLAN and GENEVE network, GTP-U tunnel endpoint, GRE key,
    /// ERSPAN session, L2TP tunnel and session, PPTP call; 0 where there is none.
    pub id: u32,
}

/// The kinds of tunnels that are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TunnelKind {
    /// IPv6 in UDP through an AYIYA broker (draft-massar-v6ops-ayiya).
    Ayiya,
    /// Wireless frames between access point and controller (RFC 5415).
    Capwap,
    /// Mirrored Ethernet frames in GRE (draft-foschiano-erspan).
    Erspan,
    /// Ethernet in IP (RFC 3378).
    EtherIp,
    /// Generic network virtualisation (RFC 8926).
    Geneve,
    /// Generic Routing Encapsulation, in UDP too (RFC 2784, 2890, 8086).
    Gre,
    /// Mobile users' packets (3GPP TS 29.281).
    GtpU,
    /// IPv4 in IP (RFC 2003, 2473).
    IpIp,
    /// IPv6 in IP (RFC 4213, 2473).
    Ipv6InIp,
    /// Layer Two Tunnelling Protocol, versions 2 and 3 (RFC 2661, 3931).
    L2tp,
    /// MPLS in IP or UDP (RFC 4023, 7510).
    Mpls,
    /// Multicast packets on their way to the root of their tree (RFC 7761, register messages).
    Pim,
    /// PPP in GRE version 1 (RFC 2637).
    Pptp,
    /// IPv6 in UDP through NATs (RFC 4380).
    Teredo,
    /// Sniffed frames (TaZmen Sniffer Protocol).
    Tzsp,
    /// Ethernet in UDP (RFC 7348).
    Vxlan,
}

impl TunnelKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Ayiya,
        Self::Capwap,
        Self::Erspan,
        Self::EtherIp,
        Self::Geneve,
        Self::Gre,
        Self::GtpU,
        Self::IpIp,
        Self::Ipv6InIp,
        Self::L2tp,
        Self::Mpls,
        Self::Pim,
        Self::Pptp,
        Self::Teredo,
        Self::Tzsp,
        Self::Vxlan,
    ];

    /// Its usual name in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ayiya => "ayiya",
            Self::Capwap => "capwap",
            Self::Erspan => "erspan",
            Self::EtherIp => "etherip",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::GtpU => "gtp",
            Self::IpIp => "ipip",
            Self::Ipv6InIp => "6in4",
            Self::L2tp => "l2tp",
            Self::Mpls => "mpls",
            Self::Pim => "pim",
            Self::Pptp => "pptp",
            Self::Teredo => "teredo",
            Self::Tzsp => "tzsp",
            Self::Vxlan => "vxlan",
        }
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            0 => f.write_str(self.kind.name()),
            id => write!(f, "{} {id}", self.kind.name()),
        }
    }
}

/// No tunnel has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such tunnel")]
pub struct NoTunnel;

impl FromStr for Tunnel {
    type Err = NoTunnel;

    fn from_str(text: &str) -> Result<Self, NoTunnel> {
        let (name, id) = text.split_once(' ').unwrap_or((text, "0"));
        let kind = TunnelKind::ALL.iter().find(|it| it.name() == name).ok_or(NoTunnel)?;
        let Ok(id) = id.parse() else { return Err(NoTunnel) };
        Ok(Self { kind: *kind, id })
    }
}

/// What a tunnel's header leaves to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inside {
    tunnel: Tunnel,
    content: Content,
    /// Where it starts in the payload.
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Ip,
    /// A frame of this LINKTYPE.
    Link(u16),
    /// What this EtherType says.
    EtherType(u16),
    /// Access points and what they say.
    Llc,
}

const ETHERNET: Content = Content::Link(1);
const WIRELESS: Content = Content::Link(105);
const TZSP: Content = Content::Link(128);
const PPP: Content = Content::EtherType(0x880b);
const MPLS: Content = Content::EtherType(0x8847);

/// Reads the tunnel header that a payload starts with.
type Read = fn(&[u8]) -> Option<Inside>;

/// Tunnels that are IP protocols.
const BY_PROTOCOL: &[(u8, Read)] = &[
    (4, |_| inside(TunnelKind::IpIp, 0, Content::Ip, 0)),
    (41, |_| inside(TunnelKind::Ipv6InIp, 0, Content::Ip, 0)),
    (47, gre),
    (94, |_| inside(TunnelKind::IpIp, 0, Content::Ip, 0)),
    (97, |it| it.starts_with(&[0x30, 0]).then(|| inside(TunnelKind::EtherIp, 0, ETHERNET, 2))?),
    (103, |it| it.starts_with(&[0x21]).then(|| inside(TunnelKind::Pim, 0, Content::Ip, 8))?),
    (115, |it| l2tp_3(it, 0)),
    (137, |_| inside(TunnelKind::Mpls, 0, MPLS, 0)),
];

/// Tunnels in UDP, by a port of theirs.
const BY_PORT: &[(u16, Read)] = &[
    (1_701, l2tp),
    (2_152, gtp_u),
    (4_754, gre),
    (4_789, vxlan),
    (4_790, vxlan_gpe),
    (5_072, ayiya),
    (5_247, capwap),
    (6_081, geneve),
    (6_635, |_| inside(TunnelKind::Mpls, 0, MPLS, 0)),
    (8_472, vxlan),
    (37_008, |_| inside(TunnelKind::Tzsp, 0, TZSP, 0)),
];

/// Whether the last byte of a port is that of one in `BY_PORT`.
#[expect(clippy::indexing_slicing, reason = "an index out of bounds does not compile")]
const LAST_BYTES: [bool; 256] = {
    let mut are_known = [false; 256];
    let mut at = 0;
    while at < BY_PORT.len() {
        are_known[BY_PORT[at].0 as usize % 256] = true;
        at += 1;
    }
    are_known
};

/// Whether a packet may hold another one, at a glance: most do not.
#[inline]
pub(crate) fn may_hold(packet: &Packet<'_>) -> bool {
    let is_known = |port: u16| LAST_BYTES.get(usize::from(port) % 256) == Some(&true);
    match packet.protocol {
        TCP => false,
        // Teredo has no port of its own; it begins with zeros or with an IPv6 header.
        UDP => {
            is_known(packet.source_port)
                || is_known(packet.destination_port)
                || packet.payload.first().is_some_and(|it| matches!(it, 0 | 0x60..=0x6f))
        }
        _ => true,
    }
}

/// The packet inside a packet and the tunnel it came in.
pub(crate) fn inner<'a>(packet: &Packet<'a>) -> Option<Inner<'a>> {
    let (payload, payload_len) = (packet.payload, packet.payload_len);
    if !may_hold(packet) {
        return None;
    }
    if packet.protocol != UDP {
        let (_, read) = BY_PROTOCOL.iter().find(|it| it.0 == packet.protocol)?;
        return open(read(payload)?, payload, payload_len);
    }
    let ports = [packet.source_port, packet.destination_port];
    BY_PORT
        .iter()
        .filter(|it| ports.contains(&it.0))
        .find_map(|(_, read)| open(read(payload)?, payload, payload_len))
        .or_else(|| open(teredo(payload)?, payload, payload_len))
}

fn inside(kind: TunnelKind, id: u32, content: Content, at: usize) -> Option<Inside> {
    Some(Inside { tunnel: Tunnel { kind, id }, content, at })
}

/// The IP packet behind a tunnel header, where there is a sound one.
fn open<'a>(inside: Inside, payload: &'a [u8], payload_len: u32) -> Option<Inner<'a>> {
    let bytes = payload.get(inside.at..)?;
    let network = match inside.content {
        Content::Ip => Network { at: 0, vlan: 0, next: None },
        Content::Link(link_type) => link::network(link_type, bytes).ok()?,
        Content::EtherType(it) => link::network_after(it, bytes).ok()?,
        Content::Llc => link::network_in_llc(bytes).ok()?,
    };
    let wire_len = payload_len.saturating_sub(inside.at as u32);
    let inner = Inner::read(inside.tunnel, bytes, wire_len, network)?;
    inner.ip.is_len_sound.then_some(inner)
}

/// A packet in a tunnel.
pub(crate) struct Inner<'a> {
    pub(crate) tunnel: Tunnel,
    pub(crate) ip: Ip<'a>,
    /// What else is in the frame that the tunnel carries, after this packet.
    pub(crate) rest: Option<Rest<'a>>,
}

/// The rest of a frame that holds several packets.
#[derive(Clone, Copy)]
pub(crate) struct Rest<'a> {
    /// The whole frame, and its length on the wire.
    bytes: &'a [u8],
    wire_len: u32,
    next: Next,
}

impl<'a> Inner<'a> {
    fn read(tunnel: Tunnel, bytes: &'a [u8], wire_len: u32, network: Network) -> Option<Self> {
        // Of packets side by side, each ends where the next one begins.
        let wire_end = network.next.map_or(wire_len, |it| wire_len.min(it.at as u32));
        let end = bytes.len().min(wire_end as usize);
        let len = wire_end.saturating_sub(network.at as u32);
        let ip = Ip::read(bytes.get(network.at..end)?, len).ok()?;
        let rest = network.next.map(|next| Rest { bytes, wire_len, next });
        Some(Self { tunnel, ip, rest })
    }

    /// The packet beside it.
    pub(crate) fn next(&self) -> Option<Self> {
        let Rest { bytes, wire_len, next } = self.rest?;
        Self::read(self.tunnel, bytes, wire_len, link::next_network(bytes, next).ok()?)
    }
}

impl Rest<'_> {
    /// How long it is on the wire, in bytes.
    pub(crate) fn len(&self) -> u32 {
        self.wire_len.saturating_sub(self.next.at as u32)
    }
}

/// GRE of both versions, with what hides behind it: ERSPAN, PPTP, WCCP.
fn gre(bytes: &[u8]) -> Option<Inside> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGEMENT: u16 = 0x0080;
    let (flags, protocol) = (Big.u16(bytes, 0)?, Big.u16(bytes, 2)?);
    let mut at = 4;
    if flags & (CHECKSUM | ROUTING) != 0 {
        at += 4;
    }
    let key = if flags & KEY != 0 { Big.u32(bytes, at)? } else { 0 };
    at += if flags & KEY != 0 { 4 } else { 0 };
    at += if flags & SEQUENCE != 0 { 4 } else { 0 };
    if flags & 7 == 1 {
        at += if flags & ACKNOWLEDGEMENT != 0 { 4 } else { 0 };
        // The key is a length and the number of the call.
        return (protocol == 0x880b).then(|| inside(TunnelKind::Pptp, key & 0xffff, PPP, at))?;
    }
    if flags & 7 != 0 {
        return None;
    }
    if flags & ROUTING != 0 {
        // Source routes, up to one of length 0 (RFC 1701).
        loop {
            let &[_, _, _, len] = bytes.get(at..)?.first_chunk()?;
            at += 4 + usize::from(len);
            if len == 0 {
                break;
            }
        }
    }
    match protocol {
        // ERSPAN I has no header, II has one of 8 bytes, III of 12 and perhaps 8 more.
        0x88be if flags & SEQUENCE == 0 => inside(TunnelKind::Erspan, 0, ETHERNET, at),
        0x88be | 0x22eb => {
            let session = u32::from(Big.u16(bytes, at + 2)? & 0x03ff);
            let is_third = protocol == 0x22eb;
            let has_more = is_third && bytes.get(at + 11)? & 1 == 1;
            let len = if !is_third {
                8
            } else if has_more {
                20
            } else {
                12
            };
            inside(TunnelKind::Erspan, session, ETHERNET, at + len)
        }
        // WCCP may put four bytes before the packet.
        0x883e if bytes.get(at)? >> 4 != 4 => inside(TunnelKind::Gre, key, Content::Ip, at + 4),
        0x883e => inside(TunnelKind::Gre, key, Content::Ip, at),
        // Aruba's access points send wireless frames, the kind of tunnel in the number.
        0x8200..=0x82f0 => inside(TunnelKind::Gre, key, WIRELESS, at),
        it => inside(TunnelKind::Gre, key, Content::EtherType(it), at),
    }
}

/// L2TP over UDP: data messages of version 2, and version 3.
fn l2tp(bytes: &[u8]) -> Option<Inside> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    let flags = Big.u16(bytes, 0)?;
    match flags & 0x0f {
        _ if flags & CONTROL != 0 => None,
        2 => {
            let mut at = if flags & LENGTH != 0 { 4 } else { 2 };
            let id = Big.u32(bytes, at)?;
            at += 4;
            at += if flags & SEQUENCE != 0 { 4 } else { 0 };
            if flags & OFFSET != 0 {
                at += 2 + usize::from(Big.u16(bytes, at)?);
            }
            inside(TunnelKind::L2tp, id, PPP, at)
        }
        3 => l2tp_3(bytes, 4),
        _ => None,
    }
}

/// A session number, a cookie of 0, 4 or 8 bytes and perhaps a sublayer of 4: only the session's setup tells. The
/// first reading under which an IP packet fits is taken.
fn l2tp_3(bytes: &[u8], at: usize) -> Option<Inside> {
    let session = Big.u32(bytes, at).filter(|it| *it > 0)?;
    [4, 8, 12, 16].into_iter().find_map(|len| {
        let found = inside(TunnelKind::L2tp, session, ETHERNET, at + len)?;
        open(found, bytes, u32::MAX).map(|_| found)
    })
}

/// G-PDUs of GTP version 1.
fn gtp_u(bytes: &[u8]) -> Option<Inside> {
    let &[flags, 0xff, ..] = bytes.first_chunk::<8>()? else { return None };
    if flags & 0xf0 != 0x30 {
        return None;
    }
    let id = Big.u32(bytes, 4)?;
    let mut at = 8;
    if flags & 7 != 0 {
        // Sequence and N-PDU numbers, then the chain of extension headers.
        at += 4;
        while flags & 4 != 0 && *bytes.get(at - 1)? != 0 {
            let len = usize::from(*bytes.get(at)?) * 4;
            at += len.max(4);
        }
    }
    inside(TunnelKind::GtpU, id, Content::Ip, at)
}

fn vxlan(bytes: &[u8]) -> Option<Inside> {
    // The I flag; group policy and others may be set besides.
    let id = Big.u32(bytes, 4)? >> 8;
    (bytes.first()? & 0x08 != 0).then(|| inside(TunnelKind::Vxlan, id, ETHERNET, 8))?
}

fn vxlan_gpe(bytes: &[u8]) -> Option<Inside> {
    let id = Big.u32(bytes, 4)? >> 8;
    let content = match bytes.get(3)? {
        1 | 2 => Content::Ip,
        3 => ETHERNET,
        5 => MPLS,
        _ => return None,
    };
    inside(TunnelKind::Vxlan, id, content, 8)
}

fn geneve(bytes: &[u8]) -> Option<Inside> {
    let options = bytes.first().filter(|it| *it >> 6 == 0)? & 0x3f;
    let content = Content::EtherType(Big.u16(bytes, 2)?);
    let id = Big.u32(bytes, 4)? >> 8;
    inside(TunnelKind::Geneve, id, content, 8 + usize::from(options) * 4)
}

/// Forwarded packets: identity and signature first, both as long as their header says.
fn ayiya(bytes: &[u8]) -> Option<Inside> {
    let &[identity, signature, method, next] = bytes.first_chunk()?;
    let is_forward = method & 0x0f == 1 && next == 41;
    let len = (1 << (identity >> 4)) + usize::from(signature >> 4) * 4;
    is_forward.then(|| inside(TunnelKind::Ayiya, 0, Content::Ip, 8 + len))?
}

/// Data that is neither encrypted nor in fragments.
fn capwap(bytes: &[u8]) -> Option<Inside> {
    const WIRELESS_DATA: u8 = 0x08;
    const PROTECTED: u8 = 0x40;
    let &[0, lengths, kind, flags] = bytes.first_chunk()? else { return None };
    let at = usize::from(lengths >> 3) * 4;
    let (is_native, is_fragment) = (kind & 1 != 0, flags & 0x80 != 0);
    let is_wireless = (kind >> 1) & 0x1f == 1;
    if is_fragment || is_native && !is_wireless {
        return None;
    }
    if !is_native {
        return inside(TunnelKind::Capwap, 0, ETHERNET, at);
    }
    let &[first, second] = bytes.get(at..)?.first_chunk()?;
    if first & 0x0f == WIRELESS_DATA || second & 0x0f != WIRELESS_DATA {
        return inside(TunnelKind::Capwap, 0, WIRELESS, at);
    }
    // Cisco swaps the two bytes of frame control: kind of frame and flags.
    let mut len = 24;
    len += if first & 3 == 3 { 6 } else { 0 };
    len += if second & 0x80 != 0 { 2 } else { 0 };
    (first & PROTECTED == 0).then(|| inside(TunnelKind::Capwap, 0, Content::Llc, at + len))?
}

/// Told on any port by the addresses of the IPv6 packet: one of them is a Teredo address, or both are link-local while
/// client and server greet each other.
fn teredo(bytes: &[u8]) -> Option<Inside> {
    let mut at = 0;
    if bytes.starts_with(&[0, 1]) {
        // Authentication: client and its value, eight bytes of nonce, one of confirmation.
        at = 13 + usize::from(*bytes.get(2)?) + usize::from(*bytes.get(3)?);
    }
    if bytes.get(at..)?.starts_with(&[0, 0]) {
        at += 8;
    }
    let header = bytes
        .get(at..)?
        .first_chunk::<40>()
        .filter(|it| it.first().is_some_and(|it| it >> 4 == 6))?;
    let [source, destination] = [8, 24].map(|it| header.get(it..).unwrap_or_default());
    let is_teredo = |it: &[u8]| it.starts_with(&[0x20, 0x01, 0, 0]);
    let is_local = |it: &[u8]| it.starts_with(&[0xfe, 0x80]);
    let is_greeting =
        is_local(source) && (is_local(destination) || destination.starts_with(&[0xff, 0x02]));
    (is_teredo(source) || is_teredo(destination) || is_greeting)
        .then(|| inside(TunnelKind::Teredo, 0, Content::Ip, at))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dissector, Frame, Timestamp};

    /// An IPv4 packet without options, as long as it says.
    fn v4(protocol: u8, body: &[u8]) -> Vec<u8> {
        let len = (20 + body.len() as u16).to_be_bytes();
        let header = [0x45, 0, len[0], len[1], 0, 0, 0, 0, 64, protocol, 0, 0];
        [&header[..], &[192, 0, 2, 1, 192, 0, 2, 2], body].concat()
    }

    fn v6(source: &[u8], destination: &[u8]) -> Vec<u8> {
        let pad = |it: &[u8]| [it, &vec![1; 16 - it.len()]].concat();
        [&[0x60, 0, 0, 0, 0, 0, 59, 64][..], &pad(source), &pad(destination)].concat()
    }

    fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
        let len = 8 + payload.len() as u16;
        let header = [49_152, port, len, 0].map(u16::to_be_bytes).concat();
        v4(UDP, &[&header, payload].concat())
    }

    fn ethernet(ip: &[u8]) -> Vec<u8> {
        [&[2; 12][..], &[8, 0], ip].concat()
    }

    /// The tunnels on the way to the innermost packet of a raw IP frame.
    fn tunnels(bytes: &[u8]) -> Vec<(&'static str, u32)> {
        let (time, wire_len) = (Timestamp(1), bytes.len() as u32);
        let frame =
            Frame { time, offset: 0, link_type: 101, wire_len, bytes, comment: None, origin: None };
        let mut kinds = Vec::new();
        let mut carries = None;
        let mut sink = |packet: &Packet<'_>| {
            assert_eq!(
                (packet.depth as usize, packet.tunnel.map(|it| it.kind)),
                (kinds.len() + usize::from(carries.is_some()), carries)
            );
            carries = packet.carries;
            kinds.extend(packet.tunnel.map(|it| (it.kind.name(), it.id)));
        };
        Dissector::new(7).push(&frame, &mut sink).unwrap();
        kinds
    }

    #[track_caller]
    fn check(outer: &[u8], expected: &[(&str, u32)]) {
        assert_eq!(tunnels(outer), expected);
    }

    #[track_caller]
    fn check_udp(port: u16, header: &[u8], content: &[u8], expected: (&str, u32)) {
        check(&udp(port, &[header, content].concat()), &[expected]);
    }

    #[test]
    fn a_tunnel_is_read_as_it_is_written() {
        for kind in TunnelKind::ALL {
            for id in [0, 42] {
                let tunnel = Tunnel { kind: *kind, id };
                assert_eq!(tunnel.to_string().parse(), Ok(tunnel));
            }
        }
        assert_eq!("vxlan 4 2".parse::<Tunnel>(), Err(NoTunnel));
    }

    #[test]
    fn ip_may_carry_ip() {
        check(&v4(4, &udp(7, b"x")), &[("ipip", 0)]);
        check(&v4(41, &v6(&[0x20], &[0x20])), &[("6in4", 0)]);
        check(&v4(103, &[&[0x21, 0, 0, 0, 0, 0, 0, 0], &*udp(7, b"x")].concat()), &[("pim", 0)]);
        check(&v4(97, &[&[0x30, 0], &*ethernet(&udp(7, b"x"))].concat()), &[("etherip", 0)]);
    }

    #[test]
    fn gre_has_two_versions_and_guests() {
        let gre = |header: &[u8], content: &[u8]| v4(47, &[header, content].concat());
        let ip = udp(7, b"x");
        check(&gre(&[0, 0, 8, 0], &ip), &[("gre", 0)]);
        check(&gre(&[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1], &ip), &[("gre", 5)]);
        check(&gre(&[0x20, 0, 0x65, 0x58, 0, 0, 0, 9], &ethernet(&ip)), &[("gre", 9)]);
        let call = [0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2];
        check(&gre(&[&call[..], &[0xff, 3, 0, 0x21]].concat(), &ip), &[("pptp", 3)]);
        check(&gre(&[0, 0, 0x88, 0xbe], &ethernet(&ip)), &[("erspan", 0)]);
        let second = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 100, 0, 0, 0, 0];
        check(&gre(&second, &ethernet(&ip)), &[("erspan", 100)]);
        let third = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0, 1];
        check(&gre(&[&third[..], &[0; 8]].concat(), &ethernet(&ip)), &[("erspan", 100)]);
    }

    #[test]
    fn tunnels_in_udp_are_told_by_their_ports() {
        let ip = udp(7, b"x");
        check_udp(4_754, &[0, 0, 8, 0], &ip, ("gre", 0));
        check_udp(4_789, &[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(&ip), ("vxlan", 42));
        check_udp(4_790, &[12, 0, 0, 1, 0, 0, 42, 0], &ip, ("vxlan", 42));
        check_udp(
            6_081,
            &[1, 0, 0x65, 0x58, 0, 0, 7, 0, 0, 0, 0, 0],
            &ethernet(&ip),
            ("geneve", 7),
        );
        check_udp(2_152, &[0x30, 0xff, 0, 29, 0, 0, 0, 6], &ip, ("gtp", 6));
        let extended = [0x34, 0xff, 0, 37, 0, 0, 0, 6, 0, 0, 0, 0x85, 1, 0, 0, 0];
        check_udp(2_152, &extended, &ip, ("gtp", 6));
        check_udp(1_701, &[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &ip, ("l2tp", 0x1_0002));
        let third = [0, 3, 0, 0, 0, 0, 0, 9, 1, 1, 1, 1];
        check_udp(1_701, &third, &ethernet(&ip), ("l2tp", 9));
        check_udp(6_635, &[0, 0, 0x11, 64], &ip, ("mpls", 0));
        check_udp(5_247, &[0, 0x10, 0, 0, 0, 0, 0, 0], &ethernet(&ip), ("capwap", 0));
        let swapped =
            [&[0, 0x10, 3, 0, 0, 0, 0, 0, 1, 8][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]];
        check_udp(5_247, &swapped.concat(), &ip, ("capwap", 0));
        check_udp(37_008, &[1, 0, 0, 1, 0, 10, 1, 9, 1], &ethernet(&ip), ("tzsp", 0));
        let signed = [&[0x44, 0x52, 0x11, 41][..], &[0; 4], &[0; 36]].concat();
        check_udp(5_072, &signed, &v6(&[0x20], &[0x20]), ("ayiya", 0));
    }

    #[test]
    fn teredo_is_told_by_addresses() {
        let teredo = v6(&[0x20, 1, 0, 0], &[0x20]);
        check_udp(9_999, &[], &teredo, ("teredo", 0));
        let origin = [0, 0, 0xff, 0xff, 1, 2, 3, 4];
        check_udp(9_999, &[&[0, 1, 0, 0][..], &[0; 9], &origin].concat(), &teredo, ("teredo", 0));
        check(&udp(9_999, &v6(&[0x20, 2], &[0x20, 2])), &[]);
    }

    #[test]
    fn what_does_not_fit_is_no_tunnel() {
        let mut longer = udp(7, b"x");
        longer[3] += 1;
        check(&v4(4, &longer), &[]);
        check(&v4(47, &[&[0, 0, 8, 0][..], &longer].concat()), &[]);
        check(&udp(4_789, &[8, 0, 0, 0, 0, 0, 42, 0]), &[]);
        check(&udp(2_152, &[0x30, 1, 0, 29, 0, 0, 0, 6]), &[]);
        check(&v4(47, &[0xff; 40]), &[]);
    }

    #[test]
    fn tunnels_nest_only_so_deep() {
        let nested = (0..64).fold(udp(7, b"x"), |it, _| v4(4, &it));
        check(&nested, &[("ipip", 0); 8]);
        let vxlan =
            udp(4_789, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet(&v4(4, &udp(7, b"")))].concat());
        check(&vxlan, &[("vxlan", 1), ("ipip", 0)]);
    }

    #[test]
    fn a_packet_put_together_may_carry_another() {
        let whole =
            udp(4_789, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet(&udp(7, &[1; 90]))].concat());
        let (head, tail) = whole[20..].split_at(64);
        let mut first = v4(UDP, head);
        first[6] = 0x20;
        let mut second = v4(UDP, tail);
        second[7] = 8;
        let mut dissector = Dissector::new(7);
        let mut seen = Vec::new();
        for bytes in [&second, &first] {
            let (time, wire_len) = (Timestamp(1), bytes.len() as u32);
            let frame = Frame {
                time,
                offset: 0,
                link_type: 101,
                wire_len,
                bytes,
                comment: None,
                origin: None,
            };
            let mut sink = |it: &Packet<'_>| {
                seen.push((it.destination_port, it.ip_len, it.payload.len(), it.carries.is_some()));
            };
            dissector.push(&frame, &mut sink).unwrap();
        }
        assert_eq!(seen, [(4_789, 168, 140, true), (7, 118, 90, false)]);
        assert_eq!(dissector.counts().reassembled, 1);
    }
}
