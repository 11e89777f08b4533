//! Headers that are not of the wire: what systems, packet filters and capture cards write before a packet.

use super::{Header, Step, has, named, past, u8_at, u16_at, u16_le_at, u32_le_at};
use crate::{
    ByteOrder::{Big, Little},
    Undecoded,
};

/// Address families that are not IP, by their number on BSD, in order.
pub(super) const FAMILIES: &[(u32, &str)] = &[
    (3, "imp link"),
    (5, "chaosnet"),
    (6, "xns idp"),
    (7, "osi"),
    (11, "sna"),
    (12, "decnet"),
    (16, "appletalk"),
    (17, "route"),
    (18, "link layer"),
    (23, "ipx"),
];

/// Protocols without an EtherType, by their number on Linux, in order.
pub(super) const COOKED: &[(u16, &str)] = &[
    (0x0000, "none"),
    (0x0001, "ipx"),
    (0x0006, "ddcmp"),
    (0x0008, "ppp multilink fragment"),
    (0x0009, "localtalk"),
    (0x000c, "can"),
    (0x000d, "can fd"),
    (0x000e, "can xl"),
    (0x0015, "mobitex"),
    (0x0017, "irda"),
    (0x0018, "econet"),
    (0x001a, "arcnet"),
    (0x00f5, "phonet"),
    (0x00f6, "802.15.4"),
    (0x00f7, "caif"),
    (0x00f9, "qualcomm map"),
    (0x00fa, "mctp"),
];

/// An address family of four bytes in the order of whoever captured, at the start of so many bytes.
pub(super) fn family(bytes: &[u8], at: usize, len: usize) -> Step {
    // Some write PPP or Cisco's HDLC under the number of BSD's loopback.
    if [[0xff, 0x03, 0x00], [0x0f, 0x00, 0x08], [0x0f, 0x00, 0x86]]
        .iter()
        .any(|it| has(bytes, at, it))
    {
        return Ok((Header::Ppp, at));
    }
    let family = u32_le_at(bytes, at)?;
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    Ok((of_family(family, bytes, at + len)?, at + len))
}

/// IPv6 has another number on almost every system; one of them is that of IPX on others.
fn of_family(family: u32, bytes: &[u8], at: usize) -> Result<Header, Undecoded> {
    match (family, u16::try_from(family)) {
        (2 | 10 | 24 | 26 | 28 | 30, _) => Ok(Header::Ip),
        (23, _) if bytes.get(at).is_some_and(|it| it >> 4 == 6) => Ok(Header::Ip),
        (1501.., Ok(ether_type)) => Ok(Header::EtherType(ether_type)),
        _ => Err(Undecoded::Protocol(named(FAMILIES, family).unwrap_or("other address family"))),
    }
}

/// A frame of a Linux device: what follows depends on the kind of the device (its ARPHRD) first, then on the protocol.
pub(super) fn cooked(kind: u16, protocol: u16, at: usize) -> Step {
    let header = match (kind, protocol) {
        (770, _) => Header::FrameRelay,
        (801, _) => Header::Wlan { is_padded: false },
        (802, _) => Header::Prism,
        (803, _) => Header::Radiotap,
        (824, _) => return Err(Undecoded::Protocol("netlink")),
        (_, 0x0004 | 0x0011) => Header::Llc { pad: 0 },
        (_, 0x0005) => Header::Snap { pad: 0 },
        (_, 0x0007) => Header::Ppp,
        (_, 0x0019) => Header::Hdlc,
        (_, ..=1500) => {
            let name = named(COOKED, protocol).unwrap_or("other linux protocol");
            return Err(Undecoded::Protocol(name));
        }
        _ => Header::EtherType(protocol),
    };
    Ok((header, at))
}

/// The length of the header before its padding to four bytes, and an address family.
pub(super) fn pflog(bytes: &[u8], at: usize) -> Step {
    let end = at + usize::from(u8_at(bytes, at)?).next_multiple_of(4);
    let family = u8_at(bytes, at + 1)?;
    if end < at + 4 {
        return Err(Undecoded::Malformed("pflog"));
    }
    Ok((of_family(family.into(), bytes, end)?, end))
}

/// An address family, a version and a group, then attributes in the byte order of the machine: length, kind, value, padding.
pub(super) fn nflog(bytes: &[u8], at: usize) -> Step {
    const PACKET: u16 = 9;
    if u8_at(bytes, at)? == 3 {
        return Err(Undecoded::Protocol("arp"));
    }
    let mut at = at + 4;
    // The first attribute is short, so that its length read the wrong way is long.
    let order = if u16_le_at(bytes, at)? < 0x100 { Little } else { Big };
    while at < bytes.len() {
        let (len, kind) = (order.u16(bytes, at), order.u16(bytes, at + 2));
        match (len.ok_or(Undecoded::Truncated)?, kind.ok_or(Undecoded::Truncated)?) {
            (4.., PACKET) => return Ok((Header::Ip, at + 4)),
            (len @ 4.., _) => at += usize::from(len).next_multiple_of(4),
            _ => return Err(Undecoded::Malformed("nflog")),
        }
    }
    Err(Undecoded::Protocol("nflog without packet"))
}

/// Version, flags, length and link type, little-endian, then fields.
pub(super) fn ppi(bytes: &[u8], at: usize) -> Step {
    let (len, link_type) = (u16_le_at(bytes, at + 2)?, u32_le_at(bytes, at + 4)?);
    nested("ppi", link_type, bytes, at, (8, len.into()))
}

/// Length, kind of record and link type; then what the machine told of interface and process.
pub(super) fn pktap(bytes: &[u8], at: usize) -> Step {
    let (len, kind) = (u32_le_at(bytes, at)?, u32_le_at(bytes, at + 4)?);
    let link_type = u32_le_at(bytes, at + 8)?;
    match kind {
        0 => Err(Undecoded::Protocol("pktap without packet")),
        _ => nested("pktap", link_type, bytes, at, (12, len)),
    }
}

/// A frame of another link type behind a header whose length must be at least the first and is the second.
fn nested(
    name: &'static str,
    link_type: u32,
    bytes: &[u8],
    at: usize,
    (least, len): (u32, u32),
) -> Step {
    match u16::try_from(link_type) {
        Ok(link_type) if len >= least => Ok((Header::Link(link_type), past(bytes, at, len)?)),
        _ => Err(Undecoded::Malformed(name)),
    }
}

/// Tags of a kind, a length and a value, the last of kind 0; one holds the name of Wireshark's dissector.
pub(super) fn exported_pdu(bytes: &[u8], mut at: usize) -> Step {
    const END: u16 = 0;
    const DISSECTOR: u16 = 12;
    let mut header = None;
    loop {
        let (kind, len) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?);
        let end = past(bytes, at + 4, len.into())?;
        match kind {
            END => return header.map(|it| (it, end)).ok_or(Undecoded::Link(252)),
            DISSECTOR => {
                let name = bytes.get(at + 4..end).unwrap_or_default();
                header = match name.split(|it| *it == 0).next().unwrap_or_default() {
                    b"ip" | b"ipv4" | b"ipv6" | b"raw_ip" => Some(Header::Ip),
                    b"eth" | b"eth_withoutfcs" | b"eth_maybefcs" => Some(Header::Ethernet),
                    b"wlan" | b"wlan_withoutfcs" => Some(Header::Wlan { is_padded: false }),
                    b"ppp" => Some(Header::Ppp),
                    b"mpls" => Some(Header::Mpls),
                    b"fr" => Some(Header::FrameRelay),
                    _ => None,
                };
            }
            _ => {}
        }
        at = end;
    }
}

/// Version, kind, encapsulation, then tags: 0 is padding, 1 the end, others have a length.
pub(super) fn tzsp(bytes: &[u8], at: usize) -> Step {
    let header = match u16_at(bytes, at + 2)? {
        1 => Header::Ethernet,
        18 => Header::Wlan { is_padded: false },
        119 => Header::Prism,
        127 => Header::Avs,
        _ => return Err(Undecoded::Protocol("tzsp")),
    };
    let mut at = at + 4;
    loop {
        at += match u8_at(bytes, at)? {
            0 => 1,
            1 => return Ok((header, at + 1)),
            _ => 2 + usize::from(u8_at(bytes, at + 1)?),
        };
    }
}

/// A time, a kind, lengths: 16 bytes; then extension headers of 8, each saying by its first bit that another follows.
pub(super) fn erf(bytes: &[u8], at: usize) -> Step {
    let mut kind = u8_at(bytes, at + 8)?;
    let inside = kind & 0x7f;
    let mut at = at + 16;
    while kind & 0x80 != 0 {
        kind = u8_at(bytes, at)?;
        at += 8;
    }
    match inside {
        1 | 10 | 15 | 19 => Ok((Header::Hdlc, at)),
        // Ethernet behind an offset and a byte of padding.
        2 | 11 | 16 | 20 => Ok((Header::Ethernet, at + 2)),
        // A cell's header, or a channel's.
        3 | 4 => Ok((Header::Atm, at + 4)),
        5 | 17 => Ok((Header::Hdlc, at + 4)),
        7 | 9 => Ok((Header::Atm, at + 8)),
        22 | 23 => Ok((Header::Ip, at)),
        21 | 25 => Err(Undecoded::Protocol("infiniband")),
        27 => Err(Undecoded::Protocol("erf provenance")),
        48 => Err(Undecoded::Protocol("erf padding")),
        _ => Err(Undecoded::Protocol("erf")),
    }
}

/// An EtherType at byte 6 of a header of 44, or at byte 10 of one of 56: the other is zero.
pub(super) fn symantec(bytes: &[u8], at: usize) -> Step {
    match (u16_at(bytes, at + 6)?, u16_at(bytes, at + 10)?) {
        (0, 0) => Err(Undecoded::Malformed("symantec firewall")),
        (second, 0) => Ok((Header::EtherType(second), at + 44)),
        (0, third) => Ok((Header::EtherType(third), at + 56)),
        _ => Err(Undecoded::Malformed("symantec firewall")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::{ADDRESSES, V4, V6, check};

    const ETHERNET: &[&[u8]] = &[ADDRESSES, &[0x08, 0x00], V4];

    #[test]
    fn a_loopback_writes_its_family_in_any_order() {
        for link_type in [0, 108] {
            check(link_type, &[&[2, 0, 0, 0], V4], Ok(4));
            check(link_type, &[&[0, 0, 0, 2], V4], Ok(4));
            for family in [10, 23, 24, 28, 30] {
                check(link_type, &[&[family, 0, 0, 0], V6], Ok(4));
                check(link_type, &[&[0, 0, 0, family], V6], Ok(4));
            }
            check(link_type, &[&[7, 0, 0, 0, 0x83]], Err(Undecoded::Protocol("osi")));
            check(link_type, &[&[23, 0, 0, 0, 0xff]], Err(Undecoded::Protocol("ipx")));
        }
        check(0, &[&[0x0f, 0x00, 0x08, 0x00], V4], Ok(4));
        check(109, &[&[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0], V4], Ok(12));
    }

    #[test]
    fn linux_tells_the_kind_of_device() {
        let cooked = |kind: u16, protocol: u16| {
            let (kind, protocol) = (kind.to_be_bytes(), protocol.to_be_bytes());
            [&[0, 0], &kind[..], &[0; 10], &protocol].concat()
        };
        check(113, &[&cooked(1, 0x0800), V4], Ok(16));
        check(113, &[&cooked(1, 0x8100), &[0, 1, 0x86, 0xdd], V6], Ok(20));
        check(113, &[&cooked(1, 4), &[0x42, 0x42, 3]], Err(Undecoded::Protocol("stp")));
        check(113, &[&cooked(280, 0x000c)], Err(Undecoded::Protocol("can")));
        check(113, &[&cooked(824, 0)], Err(Undecoded::Protocol("netlink")));
        check(113, &[&cooked(770, 0), &[0x18, 0x41, 0x03, 0xcc], V4], Ok(20));
        check(276, &[&[0x08, 0x00], &[0; 18], V4], Ok(20));
    }

    #[test]
    fn packet_filters_write_before_the_packet() {
        check(117, &[&[61, 2], &[0; 62], V4], Ok(64));
        check(117, &[&[48, 24], &[0; 46], V6], Ok(48));
        check(117, &[&[0, 2, 0, 0], V4], Err(Undecoded::Malformed("pflog")));
        check(17, &[&[0, 0, 0, 2], &[0; 24], V4], Ok(28));
        check(226, &[&[0; 24], V4], Ok(24));
    }

    #[test]
    fn nflog_may_be_of_either_order() {
        let little = [2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 5, 0, 9, 0];
        check(239, &[&little, V4], Ok(16));
        let big = [10, 0, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 0, 5, 0, 9];
        check(239, &[&big, V6], Ok(16));
    }

    #[test]
    fn attributes_of_nflog_end() {
        let name = "nflog without packet";
        check(239, &[&[2, 0, 0, 0, 4, 0, 10, 0]], Err(Undecoded::Protocol(name)));
        check(239, &[&[2, 0, 0, 0, 0, 0, 10, 0]], Err(Undecoded::Malformed("nflog")));
        check(239, &[&[2, 0, 0, 0, 0xff, 0, 10, 0]], Err(Undecoded::Protocol(name)));
    }

    #[test]
    fn a_header_may_name_another_link() {
        check(192, &[&[0, 0, 8, 0, 1, 0, 0, 0], &ETHERNET.concat()], Ok(22));
        check(192, &[&[0, 0, 8, 0, 227, 0, 0, 0]], Err(Undecoded::Link(227)));
        check(258, &[&[12, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0], V4], Ok(12));
    }

    #[test]
    fn a_header_that_names_itself_ends() {
        let ppi = [0, 0, 8, 0, 192, 0, 0, 0].repeat(1000);
        check(192, &[&ppi], Err(Undecoded::TooDeep));
        check(192, &[&[0, 0, 0, 0, 192, 0, 0, 0]], Err(Undecoded::Malformed("ppi")));
        let pktap = [0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0];
        check(258, &[&pktap], Err(Undecoded::Truncated));
    }

    #[test]
    fn an_exported_packet_may_be_ip() {
        check(252, &[&[0, 12, 0, 4], b"ip\0\0", &[0, 0, 0, 0], V4], Ok(12));
        check(252, &[&[0, 12, 0, 4], b"http", &[0, 0, 0, 0]], Err(Undecoded::Link(252)));
        check(252, &[&[0, 12, 0xff, 0xff], b"ip"], Err(Undecoded::Truncated));
    }

    #[test]
    fn sensors_and_cards_wrap_frames() {
        check(128, &[&[1, 0, 0, 1, 0, 10, 1, 9, 1], &ETHERNET.concat()], Ok(23));
        let erf = |kind| [&[0; 8], &[kind][..], &[0; 7]].concat();
        check(197, &[&erf(22), V4], Ok(16));
        check(197, &[&erf(2), &[0, 0], &ETHERNET.concat()], Ok(32));
        check(197, &[&erf(0x82), &[0x80; 8], &[0; 8], &[0, 0], &ETHERNET.concat()], Ok(48));
        check(197, &[&erf(0x82), &[0x80; 80]], Err(Undecoded::Truncated));
        check(99, &[&[0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0], &[0; 32], V4], Ok(44));
        check(240, &[&[0; 4], &ETHERNET.concat()], Ok(18));
        check(242, &[&[0; 40], &[0x08, 0x00, 0, 0], V4], Ok(44));
    }
}
