//! ICMP messages: which belong together, and which flow an error is about (RFC 792, 950, 1256, 2710, 4443, 4861, 6275).

use capture::Packet;

use crate::Transport;

/// Answers and what they answer, in ICMP.
const ANSWERS: &[(u8, u8)] = &[(0, 8), (9, 10), (14, 13), (16, 15), (18, 17), (43, 42)];
/// Answers and what they answer, in ICMP for IPv6: echo, listeners, routers, neighbours, nodes, home agents, prefixes.
const ANSWERS_V6: &[(u8, u8)] = &[
    (129, 128),
    (131, 130),
    (132, 130),
    (143, 130),
    (134, 133),
    (136, 135),
    (140, 139),
    (145, 144),
    (147, 146),
    (161, 160),
];

/// Whether a packet is one of ICMP.
pub(crate) fn is_icmp(protocol: u8) -> bool {
    matches!(Transport(protocol), Transport::ICMP | Transport::ICMPV6)
}

/// What a packet is about, besides its ends: question and answer are one; 0 for all that is no ICMP.
///
/// Identifiers are not looked at: one host asks another with several, as with several sequence numbers, and one program
/// after the other may use the same.
#[inline]
pub(crate) fn topic(packet: &Packet<'_>) -> u8 {
    let answers = match Transport(packet.protocol) {
        Transport::ICMP => ANSWERS,
        Transport::ICMPV6 => ANSWERS_V6,
        _ => return 0,
    };
    let Some(&kind) = packet.payload.first() else { return 0 };
    answers.iter().find(|it| it.0 == kind).map_or(kind, |it| it.1)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use capture::Timestamp;

    use super::*;

    #[track_caller]
    fn check(protocol: u8, kind: u8, expected: u8) {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let packet = Packet {
            time: Timestamp(1),
            source: ip,
            destination: ip,
            protocol,
            source_port: 0,
            destination_port: 0,
            frame_len: 42,
            ip_len: 28,
            payload_len: 8,
            payload: &[kind, 0],
            tcp: None,
            vlan: 0,
            depth: 0,
            tunnel: None,
            carries: None,
        };
        assert_eq!(topic(&packet), expected);
    }

    #[test]
    fn question_and_answer_are_one_topic() {
        check(1, 8, 8);
        check(1, 0, 8);
        check(1, 14, 13);
        check(58, 129, 128);
        check(58, 136, 135);
    }

    #[test]
    fn errors_are_topics_of_their_own() {
        check(1, 3, 3);
        check(1, 11, 11);
        check(58, 1, 1);
        check(17, 8, 0);
    }
}
