//! Lines shared by many: token ring, FDDI, ARCNET, packet radio, cable modems.

use super::{Header, Next, Step, named, past, u8_at, u16_at};
use crate::Undecoded;

/// Access control, frame control, two addresses, a route where the source address says so, then LLC (IEEE 802.5).
pub(super) fn token_ring(bytes: &[u8], at: usize) -> Step {
    let is_llc = u8_at(bytes, at + 1)? >> 6 == 1;
    let has_route = u8_at(bytes, at + 8)? & 0x80 != 0;
    if !is_llc {
        return Err(Undecoded::Protocol("token ring mac"));
    }
    let route = if has_route { usize::from(u8_at(bytes, at + 14)? & 0x1f) } else { 0 };
    Ok((Header::Llc { pad: 0 }, at + 14 + route))
}

/// Frame control and two addresses, then LLC.
pub(super) fn fddi(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? & 0x70 {
        0x50 => Ok((Header::Llc { pad: 0 }, at + 13)),
        0x40 => Err(Undecoded::Protocol("fddi smt")),
        _ => Err(Undecoded::Protocol("fddi mac")),
    }
}

/// Protocols of ARCNET that are not IP, in order.
pub(super) const ARCNET: &[(u8, &str)] = &[
    (0x80, "arcnet diagnostics"),
    (0xd5, "arp"),
    (0xd6, "rarp"),
    (0xdd, "appletalk"),
    (0xec, "ipx"),
    (0xf1, "arp"),
    (0xf7, "vines"),
    (0xfa, "ipx"),
];

/// A type; then, but in frames of the older RFC 1051, which piece of a packet and its number (RFC 1201).
pub(super) fn arcnet(bytes: &[u8], at: usize) -> Step {
    match u8_at(bytes, at)? {
        0xf0 => Ok((Header::Ip, at + 1)),
        0xcd => Ok((Header::Llc { pad: 0 }, at + 1)),
        0xd4 | 0xc4 => match u8_at(bytes, at + 1)? {
            // An exception packet: padding, then the flag again.
            0xff => Ok((Header::Ip, at + 8)),
            // The first piece, or the whole; later pieces have even flags.
            it if it == 0 || it & 1 == 1 => Ok((Header::Ip, at + 4)),
            _ => Err(Undecoded::Protocol("arcnet fragment")),
        },
        it => Err(Undecoded::Protocol(named(ARCNET, it).unwrap_or("arcnet"))),
    }
}

/// Protocols of AX.25 that are not IP, in order.
pub(super) const AX25: &[(u8, &str)] = &[
    (0x01, "rose"),
    (0x06, "vj compressed tcp"),
    (0x07, "vj uncompressed tcp"),
    (0x08, "ax.25 fragment"),
    (0xca, "appletalk"),
    (0xcb, "arp"),
    (0xcd, "arp"),
    (0xce, "flexnet"),
    (0xcf, "net/rom"),
    (0xf0, "ax.25 text"),
];

/// Two to ten call signs of seven bytes, the last marked, then control and, in frames that carry data, a protocol.
pub(super) fn ax25(bytes: &[u8], at: usize) -> Step {
    let signs = (2..=10).find(|n| u8_at(bytes, at + n * 7 - 1).is_ok_and(|it| it & 1 == 1));
    let end = match signs {
        Some(n) => at + n * 7,
        None if bytes.len() < at + 70 => return Err(Undecoded::Truncated),
        None => return Err(Undecoded::Malformed("ax.25")),
    };
    let control = u8_at(bytes, end)?;
    let has_data = control & 1 == 0 || control & 0xef == 0x03;
    if !has_data {
        return Err(Undecoded::Protocol("ax.25 control"));
    }
    match u8_at(bytes, end + 1)? {
        0xcc => Ok((Header::Ip, end + 2)),
        it => Err(Undecoded::Protocol(named(AX25, it).unwrap_or("ax.25"))),
    }
}

/// The MAC frame of a cable modem: control, a length of the extended header, a length, the extended header, a checksum.
pub(super) fn docsis(
    is_concatenated: bool,
    bytes: &[u8],
    at: usize,
    next: &mut Option<Next>,
) -> Step {
    let control = u8_at(bytes, at)?;
    let (extended, len) = (u8_at(bytes, at + 1)?, u16_at(bytes, at + 2)?);
    let (kind, what, is_extended) = (control >> 6, control >> 1 & 0x1f, control & 1 == 1);
    // A concatenation's second byte counts its frames.
    let extended = if is_extended { u32::from(extended) } else { 0 };
    let end = past(bytes, at, 6 + extended)?;
    if is_concatenated {
        let header = Header::Docsis { is_concatenated };
        let after = past(bytes, at, 6 + u32::from(len)).ok().filter(|it| *it < bytes.len());
        *next = after.map(|at| Next { header, at });
    }
    match (kind, what) {
        (0 | 2, 0) if is_private(bytes, at + 4, end - 2) => Err(Undecoded::Encrypted("docsis")),
        (0 | 2, 0) => Ok((Header::Ethernet, end)),
        (3, 0x1c) if !is_concatenated => Ok((Header::Docsis { is_concatenated: true }, end)),
        (3, 0 | 1) => Err(Undecoded::Protocol("docsis management")),
        (3, 2 | 4) => Err(Undecoded::Protocol("docsis request")),
        (3, 3) => Err(Undecoded::Protocol("docsis fragment")),
        _ => Err(Undecoded::Protocol("docsis")),
    }
}

/// Whether an element of the extended header says that the frame is encrypted.
fn is_private(bytes: &[u8], mut at: usize, end: usize) -> bool {
    while at < end
        && let Ok(element) = u8_at(bytes, at)
    {
        // Baseline Privacy up and down: a key's number and version, then a service with the mark of encryption.
        if matches!(element >> 4, 3 | 4) && u8_at(bytes, at + 2).is_ok_and(|it| it & 0x80 != 0) {
            return true;
        }
        at += 1 + usize::from(element & 0x0f);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{
        network, next_network,
        tests::{ADDRESSES, V4, V6, check},
    };

    const SNAP: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00];

    #[test]
    fn rings_carry_llc() {
        check(6, &[&[0x10, 0x40], ADDRESSES, SNAP, V4], Ok(22));
        let routed = [2, 2, 2, 2, 2, 2, 0x82, 2, 2, 2, 2, 2, 0x06, 0x30, 0, 0x11, 0, 0x20];
        check(6, &[&[0x10, 0x40], &routed, SNAP, V4], Ok(28));
        check(6, &[&[0x10, 0x00], ADDRESSES], Err(Undecoded::Protocol("token ring mac")));
        check(10, &[&[0x50], ADDRESSES, SNAP, V4], Ok(21));
        check(10, &[&[0x4f], ADDRESSES], Err(Undecoded::Protocol("fddi smt")));
    }

    #[test]
    fn arcnet_comes_in_pieces() {
        check(7, &[&[1, 2, 0xd4, 0, 0, 1], V4], Ok(6));
        check(129, &[&[1, 2, 0, 0, 0xc4, 0, 0, 1], V6], Ok(8));
        check(129, &[&[1, 2, 0, 0, 0xf0], V4], Ok(5));
        check(129, &[&[1, 2, 0, 0, 0xd4, 2, 0, 1]], Err(Undecoded::Protocol("arcnet fragment")));
    }

    #[test]
    fn radio_amateurs_carry_ip() {
        let signs = [[0x80; 6].as_slice(), &[0xe0], &[0x82; 6], &[0x61]].concat();
        check(3, &[&signs, &[0x03, 0xcc], V4], Ok(16));
        check(202, &[&[0], &signs, &[0x03, 0xcc], V4], Ok(17));
        check(3, &[&signs, &[0x03, 0xf0, b'!']], Err(Undecoded::Protocol("ax.25 text")));
        check(3, &[&[0x80; 80]], Err(Undecoded::Malformed("ax.25")));
        check(3, &[&signs[..10]], Err(Undecoded::Truncated));
    }

    #[test]
    fn cable_modems_carry_ethernet() {
        check(143, &[&[0, 0, 0, 18, 7, 7], ADDRESSES, &[0x08, 0x00], V4], Ok(20));
        check(143, &[&[1, 3, 0, 21, 0x62, 0, 0, 7, 7], ADDRESSES, &[0x08, 0x00], V4], Ok(23));
        check(143, &[&[0xc2, 0, 0, 9, 7, 7]], Err(Undecoded::Protocol("docsis management")));
        let private = [1, 5, 0, 21, 0x44, 1, 0x80, 1, 0, 7, 7];
        check(143, &[&private, ADDRESSES], Err(Undecoded::Encrypted("docsis")));
        check(143, &[&[1, 200, 0, 21, 7, 7]], Err(Undecoded::Truncated));
    }

    #[test]
    fn concatenated_frames_are_found_each() {
        let one = [&[0, 0, 0, 15, 7, 7], ADDRESSES, &[0x08, 0x00], V4].concat();
        let bytes = [&[0xf8, 2, 0, 42, 7, 7], &one[..], &one].concat();
        let first = network(143, &bytes).unwrap();
        assert_eq!(first.at, 26);
        let second = next_network(&bytes, first.next.unwrap()).unwrap();
        assert_eq!((second.at, second.next), (47, None));
    }
}
