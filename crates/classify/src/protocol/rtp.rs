//! RTP (RFC 3550, section 5): no magic, so several packets of one source must count on together.

use flow::{Head, Heads, Transport};

use super::{Facts, Protocol, rtcp};
use crate::{
    bytes::{be16, be32},
    fact::Fact,
    needs::any_datagram_in,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "rtp",
    group: "voice",
    title: "Real-time Transport Protocol",
    source: "RFC 3550",
    needs: any_datagram_in(0x80..=0xbf),
    recognise,
};

/// How many packets must follow each other.
const RUN: usize = 3;
/// How far a sequence number may jump where packets were lost.
const MAX_JUMP: u16 = 16;

/// The fixed header.
#[derive(Clone, Copy)]
struct Packet {
    kind: u8,
    sequence: u16,
    time: u32,
    source: u32,
}

impl Packet {
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[first, second, ..] = bytes else { return None };
        let kind = second & 0x7f;
        let header_len = 12 + 4 * usize::from(first & 15);
        let packet = Self {
            kind,
            sequence: be16(bytes, 2)?,
            time: be32(bytes, 4)?,
            source: be32(bytes, 8)?,
        };
        // Assigned payload types (RFC 3551): static up to 34, dynamic from 96.
        let is_assigned = matches!(kind, 0..=34 | 96..=127) && !rtcp::is_rtcp_type(second);
        (first >> 6 == 2 && is_assigned && bytes.len() > header_len && packet.source != 0)
            .then_some(packet)
    }

    fn is_followed_by(self, next: Self) -> bool {
        let step = next.sequence.wrapping_sub(self.sequence);
        let elapsed = next.time.wrapping_sub(self.time);
        // A clock of at most 90 kHz: between neighbours at most a minute and a half pass.
        self.source == next.source && (1..=MAX_JUMP).contains(&step) && elapsed < 90_000 * 90
    }
}

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::UDP {
        return None;
    }
    let packet = run(&heads.client).or_else(|| run(&heads.server))?;
    let codec = CODECS.iter().find(|it| it.0 == packet.kind).map(|it| it.1);
    let seen = match packet.kind {
        0 | 8 => "an RTP stream with telephone audio (G.711)",
        3 => "an RTP stream with telephone audio (GSM)",
        4 => "an RTP stream with telephone audio (G.723)",
        9 => "an RTP stream with telephone audio (G.722)",
        18 => "an RTP stream with telephone audio (G.729)",
        13 => "an RTP stream with comfort noise",
        14 => "an RTP stream with MPEG audio",
        26 => "an RTP stream with JPEG video",
        31 | 34 => "an RTP stream with H.26x video",
        32 => "an RTP stream with MPEG video",
        33 => "an RTP stream with an MPEG transport stream",
        _ => "an RTP stream",
    };
    Some(Facts::seen(seen).telling(Fact::Codec, codec))
}

/// The payload types that stand for one coding (RFC 3551, section 6); the others are agreed on.
const CODECS: &[(u8, &str)] = &[
    (0, "PCMU"),
    (3, "GSM"),
    (4, "G723"),
    (5, "DVI4"),
    (6, "DVI4"),
    (7, "LPC"),
    (8, "PCMA"),
    (9, "G722"),
    (10, "L16"),
    (11, "L16"),
    (12, "QCELP"),
    (13, "CN"),
    (14, "MPA"),
    (15, "G728"),
    (16, "DVI4"),
    (17, "DVI4"),
    (18, "G729"),
    (25, "CelB"),
    (26, "JPEG"),
    (28, "nv"),
    (31, "H261"),
    (32, "MPV"),
    (33, "MP2T"),
    (34, "H263"),
];

/// How many packets of a side are looked at.
const FEW: usize = 24;

/// The first packet of a run of packets, if nearly everything that the side sent is RTP or its control.
fn run(side: &Head) -> Option<Packet> {
    let mut packets: Vec<Packet> = Vec::new();
    let mut n_others = 0;
    for bytes in side.datagrams().take(FEW) {
        match Packet::read(bytes) {
            Some(packet) => packets.push(packet),
            None if rtcp::is_rtcp(bytes) => {}
            None => n_others += 1,
        }
        // However many of the rest are RTP, they are too few.
        if n_others * 4 > FEW {
            return None;
        }
    }
    let follows = |packet: &Packet| {
        // Audio and video may share the flow, and packets may come out of order: look at the next few.
        let mut count = 1;
        let mut last = *packet;
        for next in packets.iter().filter(|it| it.source == packet.source) {
            if last.is_followed_by(*next) {
                (last, count) = (*next, count + 1);
            }
        }
        count >= RUN
    };
    if n_others * 3 > packets.len() {
        return None;
    }
    packets.iter().copied().find(follows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u8, source: u8) -> Vec<u8> {
        let mut bytes = vec![0x80, 0, 0, sequence, 0, 0, sequence, 0, 1, 2, 3, source];
        bytes.extend([0xd5; 20]);
        bytes
    }

    #[track_caller]
    fn check(packets: &[(u8, u8)], expected: bool) {
        let packets: Vec<Vec<u8>> = packets.iter().map(|it| packet(it.0, it.1)).collect();
        let packets: Vec<&[u8]> = packets.iter().map(Vec::as_slice).collect();
        assert_eq!(recognise(&Heads::udp(&packets, &[])).is_some(), expected);
        assert_eq!(recognise(&Heads::udp(&[], &packets)).is_some(), expected);
    }

    #[test]
    fn three_packets_that_count_on() {
        check(&[(1, 7), (2, 7), (4, 7)], true);
    }

    #[test]
    fn one_of_two_sources_counts_on() {
        check(&[(1, 7), (90, 8), (2, 7), (3, 7)], true);
    }

    #[test]
    fn packets_that_do_not_count_on_are_not_rtp() {
        check(&[(1, 7), (2, 7)], false);
        check(&[(1, 7), (60, 7), (120, 7)], false);
        check(&[(1, 1), (2, 2), (3, 3)], false);
    }
}
