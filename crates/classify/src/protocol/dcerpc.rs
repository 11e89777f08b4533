//! DCE/RPC (C706, chapter 12): version 5 over TCP, version 4 over UDP, with the data's representation.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{be16, le16},
    look,
    needs::{tcp, udp},
    ntlm,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "dcerpc",
    group: "system",
    title: "DCE remote procedure calls",
    source: "The Open Group C706",
    needs: tcp(b"\x05").or(udp(b"\x04")),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    if look::all_streams(heads, is_connected) {
        let mut facts = Facts::seen("a remote procedure call (DCE/RPC)");
        look::streams(heads).for_each(|it| ntlm::tell(it, &mut facts));
        return Some(facts);
    }
    let is_seen = look::all_datagrams(heads, is_connectionless);
    look::seen_if(is_seen, "a remote procedure call (DCE/RPC over UDP)")
}

/// Version 5, a kind, flags, letters and numbers as they are coded, the whole length.
fn is_connected(stream: &[u8]) -> bool {
    let &[5, 0..=1, 0..=19, _, order, 0..=3, 0, 0, ..] = stream else { return false };
    let len = match order {
        0x10 => le16(stream, 8),
        0x00 => be16(stream, 8),
        _ => None,
    };
    len.is_some_and(|it| it >= 16) && stream.len() >= 16
}

/// Version 4 in a header of 80 bytes, which tells how long the rest is.
fn is_connectionless(bytes: &[u8]) -> bool {
    let &[4, 0..=10, first, _, order, 0..=3, 0, ..] = bytes else { return false };
    let len = match order {
        0x10 => le16(bytes, 74),
        0x00 => be16(bytes, 74),
        _ => None,
    };
    // Two flags are left to who implements it: where they are set, the activity has to have a number.
    let has_activity = || bytes.get(40..56).is_some_and(|it| it.iter().any(|it| *it != 0));
    let is_flags = first & 0x81 == 0 || has_activity();
    is_flags && len.is_some_and(|it| usize::from(it) + 80 == bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding() {
        let bind = b"\x05\x00\x0b\x03\x10\0\0\0\x48\0\0\0\x01\0\0\0\xb8\x10";
        assert!(recognise(&Heads::tcp(bind, b"")).is_some());
        assert!(
            recognise(&Heads::tcp(b"\x05\x00\x0b\x03\x20\0\0\0\x48\0\0\0\x01\0\0\0", b""))
                .is_none()
        );
    }

    #[test]
    fn a_call_over_udp_tells_its_length() {
        let mut call = vec![4, 0, 0x20, 0, 0x10, 0, 0];
        call.resize(82, 0);
        call[74] = 2;
        assert!(recognise(&Heads::udp(&[&call], &[])).is_some());
        call[74] = 3;
        assert!(recognise(&Heads::udp(&[&call], &[])).is_none());
        call[74] = 2;
        call[2] = 0xa1;
        assert!(recognise(&Heads::udp(&[&call], &[])).is_none(), "no activity");
        call[40] = 7;
        assert!(recognise(&Heads::udp(&[&call], &[])).is_some());
        assert!(recognise(&Heads::udp(&[&call], &[b"\x04\0\xa1"])).is_none());
    }
}
