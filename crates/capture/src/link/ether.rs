//! Ethernet and what an EtherType leads to: tags, LLC and SNAP, MPLS and its pseudowires, PPPoE.

use super::{Header, IPV4, IPV6, Step, has, named, u8_at, u16_at, u32_at};
use crate::Undecoded;

/// Up to here an EtherType is a length (IEEE 802.3).
const MAX_LEN: u16 = 1500;

/// Protocols that are not IP, by their EtherType, in order.
pub(super) const TYPES: &[(u16, &str)] = &[
    (0x0600, "xns idp"),
    (0x0806, "arp"),
    (0x0808, "frame relay arp"),
    (0x0842, "wake on lan"),
    (0x0bad, "vines"),
    (0x0bae, "vines loopback"),
    (0x2000, "cdp"),
    (0x2003, "vtp"),
    (0x2004, "dtp"),
    (0x22ea, "srp"),
    (0x22f0, "avtp"),
    (0x22f4, "trill is-is"),
    (0x6000, "dec"),
    (0x6001, "mop dump"),
    (0x6002, "mop remote console"),
    (0x6003, "decnet"),
    (0x6004, "dec lat"),
    (0x6005, "dec diagnostic"),
    (0x6007, "dec lavc"),
    (0x8035, "rarp"),
    (0x809b, "appletalk"),
    (0x80f3, "aarp"),
    (0x8137, "ipx"),
    (0x8138, "ipx"),
    (0x814c, "snmp over ethernet"),
    (0x8181, "stp"),
    (0x8204, "qnx"),
    (0x876b, "vj compressed tcp"),
    (0x8808, "mac control"),
    (0x8819, "cobranet"),
    (0x8861, "mcap"),
    (0x8863, "pppoe discovery"),
    (0x886d, "intel ans"),
    (0x887b, "homeplug mme"),
    (0x888e, "eapol"),
    (0x8892, "profinet"),
    (0x8899, "realtek"),
    (0x889a, "hyperscsi"),
    (0x88a2, "ata over ethernet"),
    (0x88a4, "ethercat"),
    (0x88a7, "gsmp"),
    (0x88ab, "ethernet powerlink"),
    (0x88b5, "ieee experimental 1"),
    (0x88b6, "ieee experimental 2"),
    (0x88b7, "oui extended ethertype"),
    (0x88b8, "goose"),
    (0x88b9, "gse"),
    (0x88ba, "iec 61850 sv"),
    (0x88bc, "netscaler"),
    (0x88c7, "802.11 preauthentication"),
    (0x88ca, "tipc"),
    (0x88cc, "lldp"),
    (0x88cd, "sercos"),
    (0x88d8, "circuit emulation"),
    (0x88d9, "lltd"),
    (0x88dc, "wsmp"),
    (0x88e1, "homeplug av"),
    (0x88e3, "mrp"),
    (0x88ee, "e-lmi"),
    (0x88f5, "mvrp"),
    (0x88f6, "mmrp"),
    (0x88f7, "ptp"),
    (0x88f8, "nc-si"),
    (0x88fb, "prp"),
    (0x8902, "cfm"),
    (0x8906, "fcoe"),
    (0x890d, "802.11 tdls"),
    (0x8914, "fcoe initialization"),
    (0x8915, "roce"),
    (0x8917, "mih"),
    (0x891d, "ttethernet"),
    (0x893a, "ieee 1905"),
    (0x8940, "ecp"),
    (0x8947, "geonetworking"),
    (0x9000, "loopback"),
    (0x9998, "aruba erm"),
    (0xa0ed, "6lowpan"),
    (0xaefe, "ecpri"),
    (0xb7ea, "gre keepalive"),
    (0xcafe, "llt"),
];

/// Protocols that are not IP, by their access point (IEEE 802.2), in order.
pub(super) const ACCESS_POINTS: &[(u8, &str)] = &[
    (0x00, "llc null"),
    (0x04, "sna"),
    (0x05, "sna"),
    (0x08, "sna"),
    (0x0c, "sna"),
    (0x42, "stp"),
    (0x4e, "mms"),
    (0x7e, "x.25"),
    (0x7f, "hpr"),
    (0x80, "xns idp"),
    (0x82, "bacnet"),
    (0x98, "arp"),
    (0xbc, "vines"),
    (0xe0, "ipx"),
    (0xf0, "netbios"),
    (0xf4, "ibm lan management"),
    (0xf8, "remote program load"),
    (0xff, "ipx"),
];

/// Protocols that are not IP, by organisation and its number for them (SNAP), in order.
pub(super) const SNAPS: &[((u32, u16), &str)] = &[
    ((0x00000c, 0x0102), "drip"),
    ((0x00000c, 0x0104), "pagp"),
    ((0x00000c, 0x0105), "mls hello"),
    ((0x00000c, 0x010b), "stp"),
    ((0x00000c, 0x010c), "vlan bridge"),
    ((0x00000c, 0x0111), "udld"),
    ((0x00000c, 0x2000), "cdp"),
    ((0x00000c, 0x2001), "cgmp"),
    ((0x00000c, 0x2003), "vtp"),
    ((0x00000c, 0x2004), "dtp"),
    ((0x000081, 0x01a1), "sonmp"),
    ((0x000081, 0x01a2), "sonmp"),
    ((0x0001e8, 0x0000), "cdp"),
    ((0x004096, 0x0000), "cisco wireless"),
    ((0x0080c2, 0x000e), "stp"),
    ((0x00e02b, 0x00bb), "edp"),
    ((0x00e02b, 0x00bc), "esrp"),
    ((0x00e052, 0x2000), "fdp"),
    ((0x080007, 0x809b), "appletalk"),
    ((0x080007, 0x80f3), "aarp"),
];

/// The kinds of slow protocols (IEEE 802.3, annex 57A), in order.
const SLOW: &[(u8, &str)] = &[(1, "lacp"), (2, "lacp marker"), (3, "ethernet oam"), (10, "esmc")];

/// Two addresses and a type: 14 bytes. Cisco's ISL puts 26 before the frame and says so by its destination.
pub(super) fn ethernet(bytes: &[u8], at: usize) -> Step {
    let ether_type = u16_at(bytes, at + 12)?;
    let is_isl = ether_type <= MAX_LEN
        && (has(bytes, at, &[1, 0, 0x0c, 0, 0]) || has(bytes, at, &[0x0c, 0, 0x0c, 0, 0]));
    Ok(if is_isl { (Header::Ethernet, at + 26) } else { (Header::EtherType(ether_type), at + 14) })
}

/// What an EtherType leads to, but for VLAN tags.
pub(super) fn after_type(ether_type: u16, bytes: &[u8], at: usize) -> Step {
    let type_at = |len: usize| Ok((Header::EtherType(u16_at(bytes, at + len)?), at + len + 2));
    match ether_type {
        IPV4 | IPV6 => Ok((Header::Ip, at)),
        // Novell's frames have no LLC.
        ..=MAX_LEN if has(bytes, at, &[0xff, 0xff]) => Err(Undecoded::Protocol("ipx")),
        ..=MAX_LEN | 0x8870 => Ok((Header::Llc { pad: 0 }, at)),
        0x6558 => ethernet(bytes, at),
        0x6559 => Ok((Header::FrameRelay, at)),
        0x880b => Ok((Header::Ppp, at)),
        0x8847 | 0x8848 => Ok((Header::Mpls, at)),
        0x8864 => Ok((Header::Pppoe, at)),
        0x8809 => {
            let name = named(SLOW, u8_at(bytes, at)?);
            Err(Undecoded::Protocol(name.unwrap_or("slow protocol")))
        }
        // Backbone bridges (IEEE 802.1ah): a service, then the customer's frame.
        0x88e7 => ethernet(bytes, at + 4),
        // FabricPath: a tag, then the frame.
        0x8903 => ethernet(bytes, at + 2),
        // TRILL (RFC 6325): options, counted in words, then the frame.
        0x22f3 => {
            let options = usize::from(u16_at(bytes, at)? >> 6 & 0x1f) * 4;
            ethernet(bytes, at + 6 + options)
        }
        0x88e5 => macsec(bytes, at),
        0x894f => service_header(bytes, at),
        // VN-Tag, redundancy tags (IEEE 802.1CB, HSR), Cisco's metadata, E-Tag (IEEE 802.1BR).
        0x8926 | 0x892f | 0xf1c1 => type_at(4),
        0x8909 | 0x893f => type_at(6),
        // Marvell's switch tag with an EtherType.
        0xdada if has(bytes, at, &[0, 0]) => type_at(6),
        _ => match named(TYPES, ether_type) {
            Some(name) => Err(Undecoded::Protocol(name)),
            None => Err(Undecoded::EtherType(ether_type)),
        },
    }
}

/// IEEE 802.1AE: what is only authenticated can be read.
fn macsec(bytes: &[u8], at: usize) -> Step {
    const ENCRYPTED: u8 = 0x08;
    const CHANGED: u8 = 0x04;
    const HAS_CHANNEL: u8 = 0x20;
    let control = u8_at(bytes, at)?;
    if control & (ENCRYPTED | CHANGED) != 0 {
        return Err(Undecoded::Encrypted("macsec"));
    }
    let len = if control & HAS_CHANNEL != 0 { 14 } else { 6 };
    Ok((Header::EtherType(u16_at(bytes, at + len)?), at + len + 2))
}

/// The Network Service Header (RFC 8300).
fn service_header(bytes: &[u8], at: usize) -> Step {
    let end = at + usize::from(u8_at(bytes, at + 1)? & 0x3f) * 4;
    let inside = match u8_at(bytes, at + 3)? {
        1 | 2 => Header::Ip,
        3 => Header::Ethernet,
        4 => Header::EtherType(0x894f),
        5 => Header::Mpls,
        _ => return Err(Undecoded::Protocol("nsh")),
    };
    if end < at + 8 {
        return Err(Undecoded::Malformed("nsh"));
    }
    Ok((inside, end))
}

/// Seven bytes of preamble and a delimiter, of the whole or the start of a frame; later pieces have a byte of preamble less.
pub(super) fn mpacket(bytes: &[u8], at: usize) -> Step {
    match (u8_at(bytes, at + 6)?, u8_at(bytes, at + 7)?) {
        (0x55, 0xd5 | 0xe6 | 0x4c | 0x7f | 0xb3) => Ok((Header::Ethernet, at + 8)),
        (0x55, _) => Err(Undecoded::Protocol("mpacket verify")),
        _ => Err(Undecoded::Protocol("mpacket fragment")),
    }
}

/// Two access points and a control field: one byte for unnumbered frames, else two.
pub(super) fn llc(pad: u8, bytes: &[u8], at: usize) -> Step {
    let (to, from, control) = (u8_at(bytes, at)?, u8_at(bytes, at + 1)?, u8_at(bytes, at + 2)?);
    let end = if control & 3 == 3 { at + 3 } else { at + 4 };
    match (to, from & 0xfe, control & 0xef) {
        (_, _, 0xaf) => Err(Undecoded::Protocol("llc xid")),
        (_, _, 0xe3) => Err(Undecoded::Protocol("llc test")),
        (0xaa, 0xaa, _) => Ok((Header::Snap { pad }, end)),
        (0x06, _, _) => Ok((Header::Ip, end)),
        (0xfe, _, _) => Ok((Header::Nlpid, end)),
        _ => Err(Undecoded::Protocol(named(ACCESS_POINTS, to).unwrap_or("llc"))),
    }
}

/// An organisation and its number for a protocol; without an organisation it is an EtherType.
pub(super) fn snap(pad: u8, bytes: &[u8], at: usize) -> Step {
    let organisation = u32_at(bytes, at)? >> 8;
    let protocol = u16_at(bytes, at + 3)?;
    let (at, pad) = (at + 5, usize::from(pad));
    match (organisation, protocol) {
        // Bridged (RFC 2684, 2427): Ethernet with its checksum or without.
        (0x0080c2, 1 | 7) => Ok((Header::Ethernet, at + pad)),
        (0x0080c2, 4 | 10) => Ok((Header::Fddi, at + pad.max(1))),
        _ => match named(SNAPS, (organisation, protocol)) {
            Some(name) => Err(Undecoded::Protocol(name)),
            None if matches!(organisation, 0 | 0x0000f8) => Ok((Header::EtherType(protocol), at)),
            None => Err(Undecoded::Protocol("snap")),
        },
    }
}

/// A label, a class, a mark of the last label and a time to live (RFC 3032).
pub(super) fn mpls(bytes: &[u8], at: usize) -> Step {
    let entry = u32_at(bytes, at)?;
    let is_last = entry & 0x100 != 0;
    Ok(if is_last { (Header::Pseudowire, at + 4) } else { (Header::Mpls, at + 4) })
}

/// What follows the last label is not said: IP by its version, a control word by its zero, else a frame if it looks like one.
pub(super) fn pseudowire(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? >> 4 {
        4 | 6 => Ok((Header::Ip, at)),
        0 if is_ethernet(bytes, at + 4) => Ok((Header::Ethernet, at + 4)),
        _ if is_ethernet(bytes, at) => Ok((Header::Ethernet, at)),
        1 => Err(Undecoded::Protocol("mpls g-ach")),
        _ => Err(Undecoded::Protocol("mpls pseudowire")),
    }
}

/// Whether a frame stands there, by a type that is known.
pub(super) fn is_ethernet(bytes: &[u8], at: usize) -> bool {
    let Ok(ether_type) = u16_at(bytes, at + 12) else {
        return false;
    };
    match ether_type {
        ..=MAX_LEN => u8_at(bytes, at + 14)
            .is_ok_and(|it| matches!(it, 0xaa | 0xfe) || named(ACCESS_POINTS, it).is_some()),
        0x8100 | 0x88a8 => true,
        _ => !matches!(after_type(ether_type, bytes, at + 14), Err(Undecoded::EtherType(_))),
    }
}

/// Version, code, session and length; a code is a message of the discovery.
pub(super) fn pppoe(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at + 1)? {
        0 => Ok((Header::Ppp, at + 6)),
        _ => Err(Undecoded::Protocol("pppoe discovery")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{
        Network, network,
        tests::{ADDRESSES, V4, V6, check},
    };

    /// A frame of Ethernet that carries IP, but for its addresses.
    const INNER: &[u8] = &[0x08, 0x00, 0x45];

    #[test]
    fn tags_may_be_stacked() {
        let tags = [&[0x88, 0xa8, 0, 1, 0x81, 0x00, 0x60, 2, 0x86, 0xdd], V6].concat();
        let found = network(1, &[ADDRESSES, &tags].concat());
        assert_eq!(found, Ok(Network { at: 22, vlan: 0x1002, next: None }));
    }

    #[test]
    fn of_three_tags_the_inner_two_tell_the_network() {
        let tags = [0x91, 0x00, 0, 1, 0x92, 0x00, 0, 2, 0x81, 0x00, 0, 3, 0x08, 0x00, 0x45];
        let found = network(1, &[ADDRESSES, &tags].concat());
        assert_eq!(found, Ok(Network { at: 26, vlan: 0x2003, next: None }));
    }

    #[test]
    fn headers_nest_to_a_depth() {
        let depth = |n: usize| [ADDRESSES, &[0x81, 0x00, 0, 1].repeat(n), INNER].concat();
        check(1, &[&depth(62)], Ok(14 + 62 * 4));
        check(1, &[&depth(64)], Err(Undecoded::TooDeep));
        check(1, &[&depth(10_000)], Err(Undecoded::TooDeep));
        check(219, &[&[0; 40_000]], Err(Undecoded::TooDeep));
        // Zeek has a capture of 52 frames in each other.
        let frame = [&[0x88, 0xe7, 0, 0, 0, 9], ADDRESSES].concat();
        check(1, &[ADDRESSES, &frame.repeat(52), INNER], Ok(14 + 52 * 18));
        check(1, &[ADDRESSES, &frame.repeat(64), INNER], Err(Undecoded::TooDeep));
    }

    #[test]
    fn a_frame_may_be_cut_in_its_tag() {
        check(1, &[ADDRESSES, &[0x81, 0x00, 0]], Err(Undecoded::Truncated));
        check(1, &[ADDRESSES, &[0x08]], Err(Undecoded::Truncated));
        check(1, &[ADDRESSES, &[0x08, 0x00]], Err(Undecoded::Truncated));
    }

    #[test]
    fn other_protocols_have_their_names() {
        let arp = Undecoded::Protocol("arp");
        check(1, &[ADDRESSES, &[0x08, 0x06]], Err(arp));
        check(1, &[ADDRESSES, &[0x81, 0x00, 0, 1, 0x08, 0x06]], Err(arp));
        check(1, &[ADDRESSES, &[0x88, 0xcc]], Err(Undecoded::Protocol("lldp")));
        check(1, &[ADDRESSES, &[0x88, 0x09, 1]], Err(Undecoded::Protocol("lacp")));
        check(1, &[ADDRESSES, &[0x12, 0x34]], Err(Undecoded::EtherType(0x1234)));
    }

    #[test]
    fn llc_may_carry_ip() {
        check(1, &[ADDRESSES, &[0, 50, 6, 6, 3], V4], Ok(17));
        check(1, &[ADDRESSES, &[0, 50, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], V4], Ok(22));
        check(1, &[ADDRESSES, &[0x88, 0x70, 0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd], V6], Ok(22));
    }

    #[test]
    fn llc_names_what_it_carries_else() {
        let llc = |bytes: &[u8], name| {
            check(1, &[ADDRESSES, &[0, 50], bytes], Err(Undecoded::Protocol(name)));
        };
        llc(&[0x42, 0x42, 3], "stp");
        llc(&[0xff, 0xff, 0], "ipx");
        llc(&[0xf0, 0xf1, 3], "netbios");
        llc(&[0xfe, 0xfe, 3, 0x83], "is-is");
        llc(&[0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x00], "cdp");
        llc(&[0, 1, 0xbf], "llc xid");
    }

    #[test]
    fn switches_wrap_frames() {
        check(1, &[ADDRESSES, &[0x88, 0xe7, 0, 0, 0, 9], ADDRESSES, INNER], Ok(32));
        check(1, &[ADDRESSES, &[0x89, 0x03, 0, 9], ADDRESSES, INNER], Ok(30));
        check(
            1,
            &[ADDRESSES, &[0x22, 0xf3, 0, 0x40, 0, 1, 0, 2, 0, 0, 0, 0], ADDRESSES, INNER],
            Ok(38),
        );
        check(1, &[ADDRESSES, &[0x89, 0x26, 0, 0, 0, 1], INNER], Ok(20));
        check(1, &[ADDRESSES, &[0x89, 0x3f, 0, 0, 0, 1, 0, 0], INNER], Ok(22));
        check(1, &[ADDRESSES, &[0x89, 0x09, 1, 1, 0, 1, 0, 9], INNER], Ok(22));
        check(281, &[ADDRESSES, &[0, 0, 0, 8], INNER], Ok(18));
        check(282, &[&[0, 0, 0, 8], ADDRESSES, INNER], Ok(18));
        check(285, &[ADDRESSES, &[0xda, 0xda, 0, 0, 0xc0, 0, 0, 1], INNER], Ok(22));
    }

    #[test]
    fn isl_wraps_frames() {
        let isl = [
            1, 0, 0x0c, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 0, 2, 0, 0, 0, 0,
        ];
        check(1, &[&isl, ADDRESSES, INNER], Ok(40));
    }

    #[test]
    fn what_macsec_only_signs_is_read() {
        check(1, &[ADDRESSES, &[0x88, 0xe5, 0x00, 0, 0, 0, 0, 1], INNER], Ok(22));
        check(1, &[ADDRESSES, &[0x88, 0xe5, 0x20, 0, 0, 0, 0, 1], &[7; 8], INNER], Ok(30));
        check(
            1,
            &[ADDRESSES, &[0x88, 0xe5, 0x2c, 0, 0, 0, 0, 1]],
            Err(Undecoded::Encrypted("macsec")),
        );
    }

    #[test]
    fn a_service_header_says_what_it_carries() {
        let nsh = |next| [0, 2, 1, next, 0, 0, 0, 0];
        check(1, &[ADDRESSES, &[0x89, 0x4f], &nsh(1), V4], Ok(22));
        check(1, &[ADDRESSES, &[0x89, 0x4f], &nsh(4), &nsh(2), V6], Ok(30));
        check(1, &[ADDRESSES, &[0x89, 0x4f], &nsh(3), ADDRESSES, INNER], Ok(36));
        check(1, &[ADDRESSES, &[0x89, 0x4f, 0, 0, 1, 1]], Err(Undecoded::Malformed("nsh")));
    }

    #[test]
    fn labels_lead_to_ip_or_to_a_frame() {
        const LABELS: &[u8] = &[0x88, 0x47, 0, 1, 0x00, 64, 0, 2, 0x01, 64];
        check(1, &[ADDRESSES, LABELS, V4], Ok(22));
        check(1, &[ADDRESSES, LABELS, V6], Ok(22));
        check(1, &[ADDRESSES, LABELS, &[0, 0, 0, 1], ADDRESSES, INNER], Ok(40));
        check(1, &[ADDRESSES, LABELS, ADDRESSES, INNER], Ok(36));
        check(1, &[ADDRESSES, LABELS, &[0x10, 0, 0, 7]], Err(Undecoded::Protocol("mpls g-ach")));
        check(1, &[ADDRESSES, LABELS, &[0x20; 30]], Err(Undecoded::Protocol("mpls pseudowire")));
        check(219, &[&[0, 2, 0x01, 64], V4], Ok(4));
    }

    #[test]
    fn a_session_of_pppoe_carries_ppp() {
        check(1, &[ADDRESSES, &[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0x00, 0x21], V4], Ok(22));
        check(51, &[&[0x11, 0, 0, 1, 0, 9, 0x00, 0x57], V6], Ok(8));
        let discovery = Undecoded::Protocol("pppoe discovery");
        check(1, &[ADDRESSES, &[0x88, 0x64, 0x11, 0xa7, 0, 1]], Err(discovery));
    }

    #[test]
    fn frames_that_may_be_preempted_come_in_pieces() {
        check(274, &[&[0x55; 7], &[0xd5], ADDRESSES, INNER], Ok(22));
        let piece = Undecoded::Protocol("mpacket fragment");
        check(274, &[&[0x55; 6], &[0x61, 0xe6], ADDRESSES, INNER], Err(piece));
    }
}
