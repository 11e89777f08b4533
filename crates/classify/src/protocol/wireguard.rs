//! WireGuard (its white paper, section 5.4): handshakes of fixed length, data whose counter runs.

use flow::{Head, Heads};

use super::{Facts, Protocol};
use crate::{bytes::le32, look, needs::udp_in};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "wireguard",
    group: "tunnel",
    title: "WireGuard",
    source: "Donenfeld, WireGuard: Next Generation Kernel Network Tunnel",
    needs: udp_in(1..=4),
    recognise,
};

/// How far a counter may jump between two packets of a side.
const MAX_JUMP: u32 = 1024;

fn recognise(heads: &Heads) -> Option<Facts> {
    if !look::all_datagrams(heads, is_message) {
        return None;
    }
    if look::any_first(heads, |it| it.len() != 64 && !is_data(it)) {
        return Some(Facts::seen("a WireGuard handshake"));
    }
    let is_counting = [&heads.client, &heads.server].into_iter().any(counts_on);
    look::seen_if(is_counting, "WireGuard data whose counter runs")
}

fn is_message(bytes: &[u8]) -> bool {
    matches!((le32(bytes, 0), bytes.len()), (Some(1), 148) | (Some(2), 92) | (Some(3), 64))
        || is_data(bytes)
}

/// Data is padded to 16 bytes; a capture may have cut its end.
fn is_data(bytes: &[u8]) -> bool {
    le32(bytes, 0) == Some(4) && bytes.len() >= 32
}

/// Three data packets for one receiver, each counted a little further.
fn counts_on(side: &Head) -> bool {
    let data = side.datagrams().take(8).filter(|it| is_data(it));
    let counters: Vec<_> = data.map(|it| (le32(it, 4), le32(it, 8), le32(it, 12))).collect();
    let is_next = |pair: &&[(Option<u32>, Option<u32>, Option<u32>)]| match pair {
        [(to, Some(low), high), (next_to, Some(next_low), next_high)] => {
            let step = next_low.wrapping_sub(*low);
            to == next_to && high == next_high && (1..=MAX_JUMP).contains(&step)
        }
        _ => false,
    };
    counters.windows(2).filter(is_next).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, len: usize) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.resize(len, 7);
        bytes
    }

    #[test]
    fn a_handshake_has_its_length() {
        assert!(recognise(&Heads::udp(&[&message(1, 148)], &[&message(2, 92)])).is_some());
        assert!(recognise(&Heads::udp(&[&message(1, 147)], &[])).is_none());
    }

    #[test]
    fn data_counts_on() {
        let data = |count: u8| {
            let mut bytes = vec![4, 0, 0, 0, 9, 9, 9, 9, count, 0, 0, 0, 0, 0, 0, 0];
            bytes.resize(48, 7);
            bytes
        };
        let packets = [data(1), data(2), data(4)];
        let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        assert!(recognise(&Heads::udp(&packets, &[])).is_some());
        let same = message(4, 48);
        assert!(recognise(&Heads::udp(&[&same, &same, &same], &[])).is_none());
    }
}
