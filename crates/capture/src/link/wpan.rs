//! IEEE 802.15.4: its header, and by what its data begins with, what it carries.

use super::{Header, Step, past, u8_at, u16_le_at};
use crate::Undecoded;

/// Version, length, little-endian, then what the radio told.
pub(super) fn tap(bytes: &[u8], at: usize) -> Step {
    match u16_le_at(bytes, at + 2)? {
        len @ 4.. => Ok((Header::Wpan, past(bytes, at, len.into())?)),
        _ => Err(Undecoded::Malformed("802.15.4 tap")),
    }
}

/// Control, perhaps a sequence, perhaps networks and addresses, then data.
pub(super) fn frame(bytes: &[u8], at: usize) -> Step {
    let control = u16_le_at(bytes, at)?;
    match control & 7 {
        0 => return Err(Undecoded::Protocol("802.15.4 beacon")),
        1 => {}
        2 => return Err(Undecoded::Protocol("802.15.4 ack")),
        3 => return Err(Undecoded::Protocol("802.15.4 command")),
        _ => return Err(Undecoded::Protocol("802.15.4")),
    }
    if control & 0x08 != 0 {
        return Err(Undecoded::Encrypted("802.15.4"));
    }
    let is_2015 = control >> 12 & 3 == 2;
    let has_elements = is_2015 && control & 0x0200 != 0;
    if has_elements {
        return Err(Undecoded::Protocol("802.15.4"));
    }
    let has_sequence = !(is_2015 && control & 0x0100 != 0);
    let len = |mode: u16| match mode & 3 {
        0 => 0,
        3 => 8,
        _ => 2,
    };
    let (to, from) = (len(control >> 10), len(control >> 14));
    let is_compressed = control & 0x0040 != 0;
    let networks = match (to, from) {
        (0, 0) => 0,
        (8, 8) if is_2015 => usize::from(!is_compressed),
        (0, _) | (_, 0) if is_2015 => usize::from(!is_compressed),
        (0, _) => usize::from(!is_compressed),
        (_, 0) => 1,
        _ => 1 + usize::from(!is_compressed),
    };
    let at = at + 2 + usize::from(has_sequence) + networks * 2 + to + from;
    match u8_at(bytes, at)? {
        // 6LoWPAN (RFC 4944, 6282): IPv6 as it is, or compressed, in pieces, over a mesh.
        0x41 => Ok((Header::Ip, at + 1)),
        it if it & 0xbc == 0x08 => Err(Undecoded::Protocol("zigbee")),
        0x42 | 0x50 | 0x60..=0xbf | 0xc0..=0xc7 | 0xe0..=0xe7 => {
            Err(Undecoded::Protocol("6lowpan"))
        }
        _ => Err(Undecoded::Protocol("802.15.4")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::{V6, check};

    /// Data from a short address to another in one network.
    const DATA: &[u8] = &[0x41, 0x88, 7, 1, 2, 3, 4, 5, 6];

    #[test]
    fn ipv6_may_come_uncompressed() {
        check(230, &[DATA, &[0x41], V6], Ok(10));
        check(215, &[&[0, 0, 0, 0, 0xa7, 60], DATA, &[0x41], V6], Ok(16));
        check(283, &[&[0, 0, 4, 0], DATA, &[0x41], V6], Ok(14));
        let long = [&[0x01, 0xcc, 7], &[9; 20][..]].concat();
        check(195, &[&long, &[0x41], V6], Ok(24));
    }

    #[test]
    fn what_it_carries_else_is_told() {
        check(230, &[DATA, &[0x7a, 0x33]], Err(Undecoded::Protocol("6lowpan")));
        check(230, &[DATA, &[0xc0, 0x33]], Err(Undecoded::Protocol("6lowpan")));
        check(230, &[DATA, &[0x48, 0x02]], Err(Undecoded::Protocol("zigbee")));
        check(230, &[&[0x02, 0x00, 7]], Err(Undecoded::Protocol("802.15.4 ack")));
        check(230, &[&[0x09, 0x88, 7]], Err(Undecoded::Encrypted("802.15.4")));
    }

    #[test]
    fn a_length_that_lies_is_told() {
        check(283, &[&[0, 0, 0, 0], DATA], Err(Undecoded::Malformed("802.15.4 tap")));
        check(283, &[&[0, 0, 0xff, 0xff], DATA], Err(Undecoded::Truncated));
    }
}
