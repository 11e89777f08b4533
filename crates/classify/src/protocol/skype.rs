//! Skype's own transport over UDP, as its clients spoke until 2017: a counter, a kind, noise.
//!
//! One such packet shows nothing; only a side that counts on, packet after packet, is told. Everything else of Skype is
//! known by its names.

use flow::{Head, Heads, Transport};

use super::{Facts, Protocol};
use crate::{bytes::be16, look};

pub(super) const PROTOCOL: Protocol = Protocol { name: "skype", group: "peer2peer", recognise };

/// The kind of a message to another client.
const MESSAGE: u8 = 0x02;
/// How many must follow each other.
const RUN: usize = 4;

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_udp = heads.transport == Transport::UDP;
    let is_seen = is_udp && [&heads.client, &heads.server].into_iter().any(counts_on);
    look::seen_if(is_seen, "messages between Skype clients")
}

/// All that the side sent are messages, the counter runs on a little, and what follows the kind never repeats.
fn counts_on(side: &Head) -> bool {
    let packets: Vec<&[u8]> = side.datagrams().take(16).collect();
    let is_message = |it: &&[u8]| it.get(2) == Some(&MESSAGE) && (11..256).contains(&it.len());
    let is_next = |pair: &[&[u8]]| match pair {
        [one, two] => {
            let step = be16(two, 0).zip(be16(one, 0)).map(|(two, one)| two.wrapping_sub(one));
            let noise = (one.get(3..7), two.get(3..7));
            step.is_some_and(|it| (1..4096).contains(&it)) && noise.0 != noise.1
        }
        _ => false,
    };
    packets.len() >= RUN && packets.iter().all(is_message) && packets.windows(2).all(is_next)
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
    fn fewer_or_without_order_are_not_skype() {
        check(&[[0x9c, 0xf6, 2, 1], [0x9e, 0x6f, 2, 7], [0x9e, 0x82, 2, 3]], false);
        check(
            &[[0x9c, 0xf6, 2, 1], [0x1e, 0x6f, 2, 7], [0x9e, 0x82, 2, 3], [0x9e, 0x95, 2, 4]],
            false,
        );
        check(&[[0, 1, 2, 1], [0, 2, 2, 1], [0, 3, 2, 1], [0, 4, 2, 1]], false);
    }
}
