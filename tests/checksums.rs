//! Packets with a wrong checksum: in flows like all others, or set aside where that is asked for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use capture::{Dissector, Frame, Timestamp, Undecoded};
use tests::frame::{self, Segment};

const RAW_IP: u16 = 101;

/// Whether the packet is one, as its receiver sees it and else.
fn read(bytes: &[u8], wire_len: usize) -> [Result<(), Undecoded>; 2] {
    let frame = Frame {
        time: Timestamp(1),
        offset: 0,
        link_type: RAW_IP,
        wire_len: wire_len as u32,
        bytes,
        comment: None,
        origin: None,
    };
    [true, false].map(|it| Dissector::new(1).with_checksums(it).push(&frame, &mut |_| {}))
}

/// One packet of every kind, the length of its IP header, and the name of the checksum behind that.
fn packets() -> Vec<(Vec<u8>, usize, &'static str)> {
    let ends = [["192.0.2.1:4000", "198.51.100.9:80"], ["[2001:db8::1]:4000", "[2001:db8::9]:80"]];
    let mut packets = Vec::new();
    for ([from, to], header_len) in ends.into_iter().zip([20, 40]) {
        let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
        // An odd length is filled up with a zero.
        for payload in [&b"four"[..], b"seven c"] {
            let segment = Segment { sequence: 7, flags: frame::flags::PSH, ..Segment::default() };
            packets.push((frame::tcp(from, to, &segment, payload), header_len, "tcp"));
            packets.push((frame::udp(from, to, payload), header_len, "udp"));
            let name = if from.is_ipv4() { "icmp" } else { "icmpv6" };
            let message = frame::icmp(from.ip(), to.ip(), (128, 0), [0, 1, 0, 2], payload);
            packets.push((message, header_len, name));
        }
    }
    packets
}

#[test]
fn every_changed_byte_is_noticed_where_asked_for() {
    for (packet, header_len, name) in packets() {
        assert_eq!(read(&packet, packet.len()), [Ok(()), Ok(())], "{name}");
        for at in header_len..packet.len() {
            // Another length, or none: it is the checksum that says whether it was computed.
            if name == "udp" && (4..8).contains(&(at - header_len)) {
                continue;
            }
            let mut packet = packet.clone();
            packet[at] ^= 0x10;
            let expected = [Err(Undecoded::BadChecksum(name)), Ok(())];
            assert_eq!(read(&packet, packet.len()), expected, "{name}, byte {at}");
        }
        if header_len == 20 {
            let mut packet = packet;
            // The time to live.
            packet[8] ^= 1;
            let expected = [Err(Undecoded::BadChecksum("ipv4")), Ok(())];
            assert_eq!(read(&packet, packet.len()), expected);
        }
    }
}

#[test]
fn what_cannot_be_checked_passes() {
    for (packet, header_len, name) in packets() {
        let mut wrong = packet.clone();
        *wrong.last_mut().unwrap() ^= 1;
        // Cut by the snap length.
        assert_eq!(read(&wrong[..wrong.len() - 1], wrong.len()), [Ok(()), Ok(())], "{name}");
        // Padding is no part of the packet.
        let padded = [&packet[..], &[9; 7]].concat();
        assert_eq!(read(&padded, padded.len()), [Ok(()), Ok(())], "{name}");
        if name == "udp" && header_len == 20 {
            // No checksum was computed (RFC 768).
            wrong[26..28].fill(0);
            assert_eq!(read(&wrong, wrong.len()), [Ok(()), Ok(())]);
        }
    }
}
