//! Skype's own transport over UDP, as its clients spoke until 2017: a counter, a kind, noise.
//!
//! One such packet shows nothing; only a side that counts on, packet after packet, or a socket that does so from peer to
//! peer. Everything else of Skype is known by its names.

use flow::{Head, Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::be16,
    look,
    needs::{ANY, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "skype",
    group: "peer2peer",
    title: "Skype's own transport until 2017",
    source: "seen on the wire",
    needs: udp(ANY),
    recognise,
};

/// The kind of a message to another client.
const MESSAGE: u8 = 0x02;
/// How many must follow each other.
const RUN: usize = 4;

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_udp = heads.transport == Transport::UDP;
    let is_seen = is_udp && [&heads.client, &heads.server].into_iter().any(counts_on);
    look::seen_if(is_seen, "messages between Skype clients")
}

/// How many must follow each other where each goes to another peer.
const RUN_OF_SOCKET: usize = 6;
pub(super) const SEEN_OF_SOCKET: &str =
    "messages of a Skype client whose counter runs on from peer to peer";

/// Which of the first packets to a socket's peers are in a run of messages whose counter runs on.
pub(super) fn recognise_socket(said: &[&[u8]]) -> Vec<bool> {
    let mut is_seen = vec![false; said.len()];
    let mut run: Vec<usize> = Vec::new();
    let messages = said.iter().enumerate().filter(|it| is_message(it.1));
    for (at, packet) in messages {
        let last = run.last().and_then(|it| said.get(*it));
        if last.is_some_and(|last| !is_next(last, packet)) {
            run.clear();
        }
        run.push(at);
        if run.len() >= RUN_OF_SOCKET {
            for it in &run {
                if let Some(is_seen) = is_seen.get_mut(*it) {
                    *is_seen = true;
                }
            }
            // Those before are said; the last one goes on.
            run.drain(..run.len() - RUN_OF_SOCKET + 1);
        }
    }
    is_seen
}

pub(super) fn is_message(bytes: &[u8]) -> bool {
    bytes.get(2) == Some(&MESSAGE) && (11..256).contains(&bytes.len())
}

/// The counter runs on a little, and what follows the kind differs.
fn is_next(one: &[u8], two: &[u8]) -> bool {
    let step = be16(two, 0).zip(be16(one, 0)).map(|(two, one)| two.wrapping_sub(one));
    step.is_some_and(|it| (1..4096).contains(&it)) && one.get(3..7) != two.get(3..7)
}

/// All that the side sent are messages, the counter runs on a little, and what follows the kind never repeats.
fn counts_on(side: &Head) -> bool {
    let packets = || side.datagrams().take(16);
    let all_follow = || packets().zip(packets().skip(1)).all(|(one, two)| is_next(one, two));
    packets().all(is_message) && packets().count() >= RUN && all_follow()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(packets: &[[u8; 4]], expected: bool) {
        let packets: Vec<Vec<u8>> = packets.iter().map(|it| [it, &[9; 14][..]].concat()).collect();
        let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        assert_eq!(recognise(&Heads::udp(&packets, &[])).is_some(), expected);
    }

    #[test]
    fn four_messages_that_count_on() {
        check(
            &[[0x9c, 0xf6, 2, 1], [0x9e, 0x6f, 2, 7], [0x9e, 0x82, 2, 3], [0x9e, 0x95, 2, 4]],
            true,
        );
    }

    #[test]
    fn a_socket_counts_on_from_peer_to_peer() {
        let packet = |n: u16, noise: u8| [&n.to_be_bytes()[..], &[2, noise], &[9; 14]].concat();
        let mut packets: Vec<Vec<u8>> =
            (0..7).map(|it| packet(0x9b90 + 2 * it, it as u8 * 7)).collect();
        let check = |packets: &[Vec<u8>], expected: &[bool]| {
            let said: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
            assert_eq!(recognise_socket(&said), expected);
        };
        check(&packets, &[true; 7]);
        check(&packets[..5], &[false; 5]);
        packets.insert(3, b"something else".to_vec());
        check(&packets, &[true, true, true, false, true, true, true, true]);
        packets[0] = packet(0x1000, 1);
        packets[1] = packet(0x2000, 1);
        check(&packets, &[false; 8]);
    }

    #[test]
    fn fewer_or_without_order_are_not_skype() {
        check(&[[0x9c, 0xf6, 2, 1], [0x9e, 0x6f, 2, 7], [0x9e, 0x82, 2, 3]], false);
        check(
            &[[0x9c, 0xf6, 2, 1], [0x1e, 0x6f, 2, 7], [0x9e, 0x82, 2, 3], [0x9e, 0x95, 2, 4]],
            false,
        );
        check(&[[0, 1, 2, 1], [0, 2, 2, 1], [0, 3, 2, 1], [0, 4, 2, 1]], false);
    }
}
