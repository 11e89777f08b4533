//! RDP (MS-RDPBCGR, section 2.2.1; over UDP MS-RDPEUDP), by its connection request in TPKT (RFC 1006) and X.224.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be16, text},
    look,
    needs::{ANY, tcp, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "rdp",
    group: "other",
    title: "Remote Desktop Protocol",
    source: "MS-RDPBCGR, MS-RDPEUDP",
    needs: tcp(b"\x03").or(udp(ANY)),
    recognise,
};

const PORT: u16 = 3389;

fn recognise(heads: &Heads) -> Option<Facts> {
    if let Some(facts) = request(heads.client.bytes()).filter(|_| look::streams(heads).count() > 0)
    {
        return Some(facts);
    }
    let is_port = heads.has_port(PORT);
    let is_answer = |it: &[u8]| {
        connection(it, 0xd0).is_some_and(|it| matches!(it, [2 | 3, _, 8, 0, ..]))
            || is_port && connection(it, 0xe0).is_some()
    };
    if look::any_stream(heads, is_answer) {
        return Some(Facts::seen("an RDP connection being set up"));
    }
    let is_udp = look::any_first(heads, is_udp_opening)
        || is_port && look::any_first(heads, is_udp_greeting);
    look::seen_if(is_udp, "an RDP connection over UDP")
}

/// The part after the fixed fields of an X.224 connection request (0xe0) or confirm (0xd0).
fn connection(bytes: &[u8], kind: u8) -> Option<&[u8]> {
    let mut reader = Reader(bytes);
    let (0x0300, len) = (reader.u16()?, reader.u16()?) else { return None };
    let rest = reader.take_up_to(usize::from(len).checked_sub(4)?);
    let mut reader = Reader(rest);
    let is_kind = usize::from(reader.u8()?) + 5 == usize::from(len) && reader.u8()? == kind;
    let (_destination, _source, class) = (reader.u16()?, reader.u16()?, reader.u8()?);
    (is_kind && class == 0).then_some(reader.0)
}

fn request(bytes: &[u8]) -> Option<Facts> {
    let rest = connection(bytes, 0xe0)?;
    if let Some(cookie) = rest.strip_prefix(b"Cookie: mstshash=") {
        let user = text(cookie.split(|it| *it == b'\r').next().unwrap_or_default(), 64);
        return Some(Facts::seen(format!("an RDP connection request of {user}")));
    }
    // A routing token or the security that the client offers.
    let is_rdp = rest.starts_with(b"Cookie: msts=") || matches!(rest, [1, _, 8, 0, _, 0, 0, 0, ..]);
    is_rdp.then(|| Facts::seen("an RDP connection request"))
}

/// A SYN of RDP over UDP: nothing acknowledged yet, and the sizes of datagrams both ways.
fn is_udp_opening(bytes: &[u8]) -> bool {
    let flags = be16(bytes, 6).unwrap_or_default();
    let is_size = |at| matches!(be16(bytes, at), Some(1132..=1232));
    bytes.starts_with(b"\xff\xff\xff\xff") && flags & 1 == 1 && is_size(12) && is_size(14)
}

/// Data of RDP over UDP that holds the greeting of its encryption, behind one header or two.
fn is_udp_greeting(bytes: &[u8]) -> bool {
    const DATA: u16 = 0x0004;
    const STARTS: [&[u8]; 3] = [b"\x16\x03\x01", b"\x16\x03\x03", b"\x16\xfe\xff"];
    let is_data = be16(bytes, 6).is_some_and(|it| it & DATA != 0);
    let is_greeting = |at: usize| STARTS.iter().any(|it| look::has_at(bytes, at, it));
    is_data && (16..=28).any(is_greeting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, b"")).is_some(), expected);
    }

    #[test]
    fn a_cookie_or_an_offer() {
        check(b"\x03\0\0\x21\x1c\xe0\0\0\0\0\0Cookie: mstshash=me\r\n\x01", true);
        check(b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0", true);
    }

    #[test]
    fn another_use_of_x224_is_not_rdp() {
        check(b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02", false);
        check(b"\x03\0\0\x0b\x06\xe0\0\0\0\0\0", false);
    }

    #[test]
    fn over_udp() {
        let opening = b"\xff\xff\xff\xff\0\x40\0\x01\x12\x34\x56\x78\x04\xd0\x04\xd0";
        assert!(recognise(&Heads::udp(&[opening], &[])).is_some());
        assert!(recognise(&Heads::udp(&[b"\xff\xff\xff\xffgetstatus"], &[])).is_none());
    }
}
