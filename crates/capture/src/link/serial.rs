//! Lines between two: PPP, HDLC, Frame Relay, ATM.

use super::{Header, Step, has, named, u8_at, u16_at};
use crate::Undecoded;

/// Protocols of PPP that are not IP, in order.
pub(super) const PPP: &[(u16, &str)] = &[
    (0x0003, "ppp rohc"),
    (0x0005, "ppp rohc"),
    (0x0023, "osi"),
    (0x0025, "xns idp"),
    (0x0027, "decnet"),
    (0x0029, "appletalk"),
    (0x002b, "ipx"),
    (0x002d, "vj compressed tcp"),
    (0x002f, "vj uncompressed tcp"),
    (0x0035, "vines"),
    (0x003f, "netbios"),
    (0x0059, "ppp mux"),
    (0x0061, "ppp header compression"),
    (0x0063, "ppp header compression"),
    (0x0065, "ppp header compression"),
    (0x0067, "ppp header compression"),
    (0x0069, "ppp header compression"),
    (0x00fb, "ppp compressed"),
    (0x00fd, "ppp compressed"),
    (0x0201, "stp"),
    (0x0203, "stp"),
    (0x0207, "cdp"),
    (0x4021, "stanag 5066"),
    (0x8021, "ppp ipcp"),
    (0x8023, "ppp osinlcp"),
    (0x8027, "ppp dncp"),
    (0x8029, "ppp atcp"),
    (0x802b, "ppp ipxcp"),
    (0x8031, "ppp bcp"),
    (0x803f, "ppp nbfcp"),
    (0x8053, "ppp ecp"),
    (0x8057, "ppp ipv6cp"),
    (0x8059, "ppp muxcp"),
    (0x80fb, "ppp ccp"),
    (0x80fd, "ppp ccp"),
    (0x8207, "ppp cdpcp"),
    (0x8281, "ppp mplscp"),
    (0xc021, "ppp lcp"),
    (0xc023, "ppp pap"),
    (0xc025, "ppp lqr"),
    (0xc029, "ppp cbcp"),
    (0xc02b, "ppp bacp"),
    (0xc02d, "ppp bap"),
    (0xc223, "ppp chap"),
    (0xc227, "ppp eap"),
];

/// Protocols of ISO/IEC TR 9577 that are not IP, in order.
pub(super) const NLPIDS: &[(u8, &str)] = &[
    (0x00, "osi"),
    (0x08, "q.933"),
    (0x09, "frame relay lmi"),
    (0x81, "clnp"),
    (0x82, "es-is"),
    (0x83, "is-is"),
    (0x85, "idrp"),
    (0xb0, "frame relay compressed"),
    (0xb1, "frame relay fragment"),
];

/// The addresses of Cisco's frames, to one and to all, and their control byte.
const TO_ONE: &[u8] = &[0x0f, 0x00];
const TO_ALL: &[u8] = &[0x8f, 0x00];

/// Perhaps an address and a control byte, a protocol of two bytes or, compressed, of one (RFC 1661).
pub(super) fn ppp(bytes: &[u8], at: usize) -> Step {
    // The same line may speak Cisco's HDLC; its addresses are no protocols of PPP.
    if has(bytes, at, TO_ONE) || has(bytes, at, TO_ALL) {
        return Ok((Header::Hdlc, at));
    }
    let at = if has(bytes, at, &[0xff, 0x03]) { at + 2 } else { at };
    // Of the two bytes the first is even and the second odd.
    let first = u8_at(bytes, at)?;
    let (protocol, at) =
        if first & 1 == 1 { (u16::from(first), at + 1) } else { (u16_at(bytes, at)?, at + 2) };
    match protocol {
        0x0021 | 0x0057 => Ok((Header::Ip, at)),
        0x0281 | 0x0283 => Ok((Header::Mpls, at)),
        0x0031 => bridged(bytes, at),
        0x003d => multilink(bytes, at),
        0x0053 | 0x0055 => Err(Undecoded::Encrypted("ppp")),
        _ => Err(Undecoded::Protocol(named(PPP, protocol).unwrap_or("ppp"))),
    }
}

/// Flags, a kind of network, perhaps the number of it, then the frame (RFC 3518).
fn bridged(bytes: &[u8], at: usize) -> Step {
    let len = if u8_at(bytes, at)? & 0x40 != 0 { 6 } else { 2 };
    match u8_at(bytes, at + 1)? {
        0 => Err(Undecoded::Protocol("stp")),
        1 => Ok((Header::Ethernet, at + len)),
        _ => Err(Undecoded::Protocol("ppp bridging")),
    }
}

/// The first piece of a packet says all that its headers do (RFC 1990); its sequence number has three bytes unless agreed on.
fn multilink(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? & 0x80 {
        0 => Err(Undecoded::Protocol("ppp multilink fragment")),
        _ => Ok((Header::Ppp, at + 4)),
    }
}

/// pppd writes a direction where the address was.
pub(super) fn pppd(bytes: &[u8], at: usize) -> Step {
    Ok((Header::Ppp, if u8_at(bytes, at + 1)? == 0x03 { at + 2 } else { at + 1 }))
}

/// An address, a control byte and an EtherType (RFC 1547, section 4.3.1); PPP has an address of its own.
pub(super) fn hdlc(bytes: &[u8], at: usize) -> Step {
    if has(bytes, at, &[0xff, 0x03]) {
        return Ok((Header::Ppp, at));
    }
    match u16_at(bytes, at + 2)? {
        0x8035 => Err(Undecoded::Protocol("slarp")),
        // OSI, perhaps behind a byte of padding.
        0xfefe => {
            let is_padded = u8_at(bytes, at + 5).is_ok_and(|it| matches!(it, 0x81..=0x83));
            Ok((Header::Nlpid, if is_padded { at + 5 } else { at + 4 }))
        }
        ether_type => Ok((Header::EtherType(ether_type), at + 4)),
    }
}

/// A byte that names a protocol (RFC 2427, section 4).
pub(super) fn nlpid(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? {
        0xcc | 0x8e => Ok((Header::Ip, at + 1)),
        0x80 => Ok((Header::Snap { pad: 0 }, at + 1)),
        0xcf => Ok((Header::Ppp, at + 1)),
        it => Err(Undecoded::Protocol(named(NLPIDS, it).unwrap_or("osi"))),
    }
}

/// An address whose last byte is odd, then a control byte, perhaps padding, and an NLPID. Cisco writes an EtherType instead.
/// Numbered frames have a control field of two bytes.
pub(super) fn frame_relay(bytes: &[u8], at: usize) -> Step {
    let is_last = |len: &usize| u8_at(bytes, at + len - 1).is_ok_and(|it| it & 1 == 1);
    let end = match (1..=4).find(is_last) {
        Some(len @ 2..) => at + len,
        None if bytes.len() < at + 4 => return Err(Undecoded::Truncated),
        _ => return Err(Undecoded::Malformed("frame relay")),
    };
    match (u8_at(bytes, end)?, u8_at(bytes, end + 1)?) {
        (0x03, 0x00) => Ok((Header::Nlpid, end + 2)),
        (0x03, _) => Ok((Header::Nlpid, end + 1)),
        (_, 0x00) if u8_at(bytes, end + 2).is_ok_and(|it| matches!(it, 0x81..=0x83)) => {
            Ok((Header::Nlpid, end + 2))
        }
        _ => Ok((Header::EtherType(u16_at(bytes, end)?), end + 2)),
    }
}

/// Two bytes: which piece of a frame, and its number (FRF.16). The first piece begins with the frame's header.
pub(super) fn multilink_frame_relay(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? & 0xe0 {
        0xe0 => Err(Undecoded::Protocol("frame relay link control")),
        it if it & 0x80 != 0 => Ok((Header::FrameRelay, at + 2)),
        _ => Err(Undecoded::Protocol("frame relay fragment")),
    }
}

/// LLC where it begins so, else the protocol the circuit is for: IP or PPP (RFC 2684, 2364).
pub(super) fn atm(bytes: &[u8], at: usize) -> Step {
    let first = u16_at(bytes, at)?;
    Ok(match first {
        0xaaaa | 0xfefe | 0x4242 => (Header::Llc { pad: 2 }, at),
        0x0021 | 0x0057 | 0xc021 | 0xff03 | 0x8021 | 0x8057 | 0xc023 | 0xc223 => (Header::Ppp, at),
        _ if matches!(first >> 12, 4 | 6) => (Header::Ip, at),
        _ => (Header::Llc { pad: 2 }, at),
    })
}

/// Direction and kind, path and channel: four bytes.
pub(super) fn sun_atm(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? & 0x0f {
        // An emulated LAN puts a client's number before the frame.
        1 => Ok((Header::Ethernet, at + 6)),
        2 => Ok((Header::Atm, at + 4)),
        5 => Err(Undecoded::Protocol("ilmi")),
        6 => Err(Undecoded::Protocol("q.2931")),
        _ => Err(Undecoded::Protocol("atm")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::{ADDRESSES, V4, V6, check};

    #[test]
    fn ppp_may_leave_out_bytes() {
        check(9, &[&[0xff, 0x03, 0x00, 0x21], V4], Ok(4));
        check(9, &[&[0x00, 0x57], V6], Ok(2));
        check(9, &[&[0x21], V4], Ok(1));
        check(204, &[&[1, 0xff, 0x03, 0x21], V4], Ok(4));
        check(166, &[&[1, 0x03, 0x00, 0x21], V4], Ok(4));
    }

    #[test]
    fn ppp_names_what_it_carries_else() {
        check(9, &[&[0xff, 0x03, 0xc0, 0x21]], Err(Undecoded::Protocol("ppp lcp")));
        check(9, &[&[0xff, 0x03, 0x00, 0xfd]], Err(Undecoded::Protocol("ppp compressed")));
        check(9, &[&[0xff, 0x03, 0x00, 0x53]], Err(Undecoded::Encrypted("ppp")));
    }

    #[test]
    fn the_first_piece_of_a_multilink_packet_is_read() {
        check(9, &[&[0x00, 0x3d, 0xc0, 0, 0, 1, 0x00, 0x21], V4], Ok(8));
        let piece = Undecoded::Protocol("ppp multilink fragment");
        check(9, &[&[0x00, 0x3d, 0x40, 0, 0, 2, 0x45]], Err(piece));
    }

    #[test]
    fn ppp_may_bridge() {
        check(9, &[&[0x00, 0x31, 0x00, 0x01], ADDRESSES, &[0x08, 0x00], V4], Ok(18));
        check(9, &[&[0x00, 0x31, 0x40, 0x01, 0, 0, 0, 1], ADDRESSES, &[0x08, 0x00], V4], Ok(22));
    }

    #[test]
    fn hdlc_and_ppp_are_told_apart() {
        for link_type in [9, 50, 104, 112] {
            check(link_type, &[&[0x0f, 0x00, 0x08, 0x00], V4], Ok(4));
            check(link_type, &[&[0x8f, 0x00, 0x80, 0x35]], Err(Undecoded::Protocol("slarp")));
            check(link_type, &[&[0xff, 0x03, 0x00, 0x21], V4], Ok(4));
        }
        check(205, &[&[0, 0x0f, 0x00, 0x86, 0xdd], V6], Ok(5));
        check(104, &[&[0x0f, 0x00, 0xfe, 0xfe, 0x03, 0x83]], Err(Undecoded::Protocol("is-is")));
    }

    #[test]
    fn frame_relay_has_three_ways_to_ip() {
        check(107, &[&[0x18, 0x41, 0x03, 0xcc], V4], Ok(4));
        check(107, &[&[0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 0x86, 0xdd], V6], Ok(10));
        check(107, &[&[0x18, 0x41, 0x08, 0x00], V4], Ok(4));
        check(206, &[&[1, 0x18, 0x40, 0x40, 0x01, 0x03, 0xcc], V4], Ok(7));
        check(182, &[&[0xc0, 0, 0x18, 0x41, 0x03, 0xcc], V4], Ok(6));
    }

    #[test]
    fn frame_relay_may_bridge() {
        let bridged = [0x18, 0x41, 0x03, 0x00, 0x80, 0x00, 0x80, 0xc2, 0x00, 0x07];
        check(107, &[&bridged, ADDRESSES, &[0x08, 0x00], V4], Ok(24));
    }

    #[test]
    fn an_address_of_frame_relay_ends() {
        check(107, &[&[0x18, 0x40, 0x40, 0x40, 0x40]], Err(Undecoded::Malformed("frame relay")));
        check(107, &[&[0x18, 0x40]], Err(Undecoded::Truncated));
    }

    #[test]
    fn circuits_carry_llc_or_their_protocol() {
        check(100, &[&[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], V4], Ok(8));
        check(100, &[&[0xfe, 0xfe, 3, 0xcf, 0x00, 0x21], V4], Ok(6));
        check(100, &[&[0x00, 0x21], V4], Ok(2));
        check(100, &[&[0x45, 0x00]], Ok(0));
        let bridged = [0xaa, 0xaa, 3, 0x00, 0x80, 0xc2, 0x00, 0x07, 0, 0];
        check(100, &[&bridged, ADDRESSES, &[0x08, 0x00], V4], Ok(24));
        check(123, &[&[0x82, 0, 0, 32, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], V4], Ok(12));
        check(123, &[&[0x01, 0, 0, 32, 0, 0], ADDRESSES, &[0x08, 0x00], V4], Ok(20));
    }
}
