//! Juniper's captures: its own header, the cookie of the card that saw the packet, then whatever it may be.

use super::{Header, Step, ether, named, past, serial, u8_at, u16_at};
use crate::Undecoded;

/// Before the packet there is no link header.
const NO_LINK: u8 = 0x02;
/// Extensions follow the flags, behind their length.
const EXTENDED: u8 = 0x80;

/// What follows the header: where, and whether it begins with a link header.
fn header(bytes: &[u8], at: usize) -> Result<(bool, usize), Undecoded> {
    if u16_at(bytes, at)? != 0x4d47 || u8_at(bytes, at + 2)? != 0x43 {
        return Err(Undecoded::Malformed("juniper"));
    }
    let flags = u8_at(bytes, at + 3)?;
    let at = match flags & EXTENDED {
        0 => at + 4,
        _ => past(bytes, at + 6, u16_at(bytes, at + 4)?.into())?,
    };
    Ok((flags & NO_LINK == 0, at))
}

/// What follows Juniper's header where the link type says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    Ethernet,
    /// An EtherType.
    Type,
    Ppp,
    FrameRelay,
    Hdlc,
}

/// A frame of a known kind, or the packet alone behind its protocol.
pub(super) fn then(inside: Inside, bytes: &[u8], at: usize) -> Step {
    let (has_link, at) = header(bytes, at)?;
    if !has_link {
        return Ok((Header::Ip, at + 4));
    }
    let first = match inside {
        Inside::Ethernet => Header::Ethernet,
        Inside::Type => Header::TypeThen { len: 2 },
        Inside::Ppp => Header::Ppp,
        Inside::FrameRelay => Header::FrameRelay,
        Inside::Hdlc => Header::Hdlc,
    };
    Ok((first, at))
}

/// A cookie whose first byte may say that it is a longer one; nothing says what follows, so it is told by its first bytes.
pub(super) fn cookie(len: usize, bytes: &[u8], at: usize) -> Step {
    const SERVICES: u8 = 0x47;
    const LINK_SERVICES: u8 = 0x54;
    let (has_link, at) = header(bytes, at)?;
    if !has_link {
        return Ok((Header::Ip, at + 4));
    }
    let len = match u8_at(bytes, at)? {
        SERVICES if len > 0 => 8,
        LINK_SERVICES if len > 0 => len + 2,
        _ => len,
    };
    let at = at + len;
    let first = u16_at(bytes, at)?;
    match (first, first >> 12) {
        (_, 4 | 6) => Ok((Header::Ip, at)),
        (0xaaaa | 0xfefe | 0x4242, _) => Ok((Header::Llc { pad: 2 }, at)),
        (0x0300..=0x03ff, _) => Ok((Header::Nlpid, at + 1)),
        (0x0021 | 0x0057 | 0x0281 | 0xff03, _) => Ok((Header::Ppp, at)),
        _ if named(serial::PPP, first).is_some() => Ok((Header::Ppp, at)),
        _ if ether::is_ethernet(bytes, at) => Ok((Header::Ethernet, at)),
        _ => Err(Undecoded::Protocol("juniper")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tests::{ADDRESSES, V4, check};

    const ETHERNET: &[&[u8]] = &[ADDRESSES, &[0x08, 0x00], V4];

    #[test]
    fn a_frame_follows_the_header_and_its_extensions() {
        check(178, &[b"MGC\x01", &ETHERNET.concat()], Ok(18));
        check(178, &[b"MGC\x80", &[0, 3, 1, 1, 7], &ETHERNET.concat()], Ok(23));
        check(179, &[b"MGC\x01", &[0xff, 0x03, 0x00, 0x21], V4], Ok(8));
        check(168, &[b"MGC\x01", &[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0x00, 0x21], V4], Ok(14));
    }

    #[test]
    fn the_link_may_be_left_out() {
        check(178, &[b"MGC\x03", &[2, 0, 0, 0], V4], Ok(8));
        check(137, &[b"MGC\x03", &[2, 0, 0, 0], V4], Ok(8));
    }

    #[test]
    fn what_follows_a_cookie_is_told_by_its_bytes() {
        check(137, &[b"MGC\x01", &[0; 4], &[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00], V4], Ok(16));
        check(136, &[b"MGC\x01", &[0x47; 8], &[0x45, 0x00]], Ok(12));
        check(130, &[b"MGC\x01", &[0, 0], &[0xff, 0x03, 0x00, 0x21], V4], Ok(10));
        check(130, &[b"MGC\x01", &[0x54, 0, 0, 0], &[0x00, 0x21], V4], Ok(10));
        check(135, &[b"MGC\x01", &[0; 8], &ETHERNET.concat()], Ok(26));
    }

    #[test]
    fn a_header_without_its_magic_is_told() {
        check(178, &[b"MGX\x01", &ETHERNET.concat()], Err(Undecoded::Malformed("juniper")));
        check(178, &[b"MGC\x80", &[0xff, 0xff, 1]], Err(Undecoded::Truncated));
    }
}
