//! RX, the remote procedure calls of AFS: headers of both sides that agree on the epoch.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    look,
    needs::{ANY, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "rx",
    group: "files",
    title: "Rx, the remote procedure calls of AFS",
    source: "Zayas, AFS-3 Programmer's Reference: Rx",
    needs: udp(ANY),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    if !look::all_datagrams(heads, is_packet) {
        return None;
    }
    let mut ends = look::datagrams(heads).take(8).filter_map(|it| it.get(..4));
    let first = ends.next()?;
    // A client has bit 0 of the flags, a server has it not.
    let flags: Vec<u8> = look::firsts(heads).filter_map(|it| Some(it.get(21)? & 1)).collect();
    let is_answered = matches!(*flags, [one, other] if one != other);
    look::seen_if(is_answered && ends.all(|it| it == first), "a call of the Andrew File System")
}

/// Epoch, connection, call, sequence, serial of four bytes each; then kind, flags, status and security.
fn is_packet(bytes: &[u8]) -> bool {
    let epoch = bytes.get(..4);
    let kinds = bytes.get(20..24);
    let is_kinds = matches!(kinds, Some([1..=13, 0..=0x3f, _, 0..=5]));
    bytes.len() >= 28 && epoch != Some(&[0; 4]) && is_kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree() {
        let packet = |flags: u8, connection: u8| {
            let mut bytes = vec![0xd7, 1, 2, 3, 0, 0, 0, connection];
            bytes.resize(20, 0);
            bytes.extend([1, flags, 0, 0, 0, 0, 0, 1]);
            bytes
        };
        assert!(recognise(&Heads::udp(&[&packet(1, 7)], &[&packet(0, 7)])).is_some());
        assert!(recognise(&Heads::udp(&[&packet(1, 7)], &[&packet(1, 8)])).is_none());
        assert!(recognise(&Heads::udp(&[&packet(1, 7)], &[])).is_none());
    }
}
