//! What flows show of each other: labels that no flow has of itself alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::Job;
use tests::{Random, Talk, pcap, peers, quic, tls, voice};
use v1::page::FlowRow;

const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// The flows of these conversations, in order.
fn flows(talks: Vec<Talk>) -> Vec<FlowRow> {
    let mut job = Job::new("labels.pcap", 7);
    job.feed(&pcap(talks)).unwrap();
    job.finish(false).rows().collect()
}

fn udp(client: &str, server: &str, at: u64, payload: &[u8]) -> Talk {
    let mut talk = Talk::udp(client, server, at);
    talk.client(payload);
    talk
}

/// A TCP connection that says nothing anyone knows.
fn noise_over_tcp(client: &str, server: &str, at: u64) -> Talk {
    let mut talk = Talk::tcp(client, server, at);
    talk.open();
    talk.client(Random::new(at).bytes(300));
    talk
}

fn noise(at: u64) -> Vec<u8> {
    Random::new(at).bytes(90)
}

#[track_caller]
fn check(row: &FlowRow, protocol: &str, label: &str, reason: &str) {
    let said = (row.protocol.as_str(), row.label.as_str());
    assert_eq!(said, (protocol, label), "{}", row.reason);
    assert!(row.reason.contains(reason), "{}", row.reason);
}

#[test]
fn a_proxy_keeps_its_label_and_has_the_name_of_what_it_carries() {
    let mut talk = Talk::tcp("10.0.0.1:40000", "10.0.0.2:1080", START);
    talk.open();
    talk.client(b"\x05\x01\x00");
    talk.server(b"\x05\x00");
    talk.client(b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50");
    talk.server(b"\x05\x00\x00\x01\x0a\x00\x00\x02\x9c\x40");
    talk.client(b"GET /feed HTTP/1.1\r\nHost: m.vk.com\r\nUser-Agent: Wget/1.2\r\n\r\n");
    let flows = flows(vec![talk]);
    check(&flows[0], "socks5", "socks5", "a SOCKS 5 request for 192.0.2.1, port 80");
    assert_eq!(flows[0].domain_name.as_deref(), Some("m.vk.com"));
    assert_eq!(flows[0].user_agent.as_deref(), Some("Wget/1.2"));
}

#[test]
fn a_skype_client_counts_on_from_peer_to_peer() {
    let message = |n: u64| {
        let counter = (0x9b90 + 2 * n as u16).to_be_bytes();
        [&counter[..], &[2], &Random::new(n).bytes(25)].concat()
    };
    let mut talks: Vec<Talk> = (0..8)
        .map(|n| {
            let peer = format!("198.51.100.{}:4{n:04}", n + 1);
            udp("10.0.0.1:13021", &peer, START + n * SECOND, &message(n))
        })
        .collect();
    // The same from ports of their own shows nothing.
    talks.extend((0..8).map(|n| {
        let (client, peer) = (format!("10.0.0.2:2{n:04}"), format!("203.0.113.{}:4{n:04}", n + 1));
        udp(&client, &peer, START + (20 + n) * SECOND, &message(n))
    }));
    let rows = flows(talks);
    for row in &rows[..8] {
        check(row, "skype", "skype", "counter runs on from peer to peer");
    }
    for row in &rows[8..] {
        check(row, "unknown", "unknown", "");
    }
}

#[test]
fn what_shares_a_peers_socket_is_the_peers() {
    let id = &[7; 20];
    let ping = peers::get_peers(id, &[9; 20], *b"aa");
    let at = |seconds: u64| START + seconds * SECOND;
    let rows = flows(vec![
        udp("10.0.0.1:6881", "198.51.100.1:51413", at(0), &ping),
        udp("10.0.0.1:6881", "198.51.100.2:40001", at(1), &noise(1)),
        noise_over_tcp("10.0.0.1:50001", "198.51.100.1:51413", at(2)),
        noise_over_tcp("10.0.0.1:50002", "198.51.100.1:51414", at(3)),
        udp("10.0.0.2:6881", "198.51.100.3:40001", at(4), &noise(4)),
        // A TCP port is no UDP port; and after an hour a socket may be another's.
        noise_over_tcp("10.0.0.1:6881", "198.51.100.9:99", at(5)),
        udp("10.0.0.1:6881", "198.51.100.4:40001", at(3_600), &noise(3_600)),
    ]);
    check(&rows[0], "bittorrent", "bittorrent", "hash table");
    check(&rows[1], "bittorrent", "bittorrent", "bittorrent is at the same port in flow 0");
    check(&rows[2], "bittorrent", "bittorrent", "bittorrent is at the same port in flow 0");
    for row in &rows[3..] {
        check(row, "unknown", "unknown", "");
    }
}

#[test]
fn a_call_is_of_the_service_whose_relays_it_asked() {
    let mut relay = voice::stun_request(&[3; 12]);
    // An attribute of WhatsApp's, and the length of all of them.
    relay.extend([0x40, 0, 0, 4, 1, 2, 3, 4]);
    let len = (relay.len() - 20) as u16;
    relay[2..4].copy_from_slice(&len.to_be_bytes());
    let at = |seconds: u64| START + seconds * SECOND;
    let rows = flows(vec![
        udp("10.0.0.1:46652", "198.51.100.1:3478", at(0), &relay),
        udp("10.0.0.1:46652", "198.51.100.7:40001", at(1), &voice::stun_request(&[4; 12])),
        udp("10.0.0.1:46653", "198.51.100.7:40001", at(2), &voice::stun_request(&[5; 12])),
    ]);
    check(&rows[0], "stun", "whatsapp", "with attributes of whatsapp");
    check(&rows[1], "stun", "whatsapp", "whatsapp is at the same port in flow 0");
    check(&rows[2], "stun", "stun", "");
}

#[test]
fn quic_without_a_name_is_what_tls_beside_it_is() {
    let mut random = Random::new(1);
    let mut named = Talk::tcp("10.0.0.1:50001", "198.51.100.1:443", START);
    named.open();
    named.client(tls::client_hello(&tls::FIREFOX, "a.vk.com", &["h2"], &mut random));
    let mut nameless = |client: &str, server: &str, seconds: u64| {
        let packet = quic::handshake_packet(&[1; 8], &[2; 8], 400, &mut random);
        udp(client, server, START + seconds * SECOND, &packet)
    };
    let rows = flows(vec![
        named,
        nameless("10.0.0.1:50002", "198.51.100.1:443", 1),
        nameless("10.0.0.2:50002", "198.51.100.1:443", 2),
        nameless("10.0.0.1:50003", "198.51.100.2:443", 3),
    ]);
    check(&rows[0], "tls", "vk", "a.vk.com");
    check(&rows[1], "quic", "vk", "flow 0 between the same hosts, to the same port, is vk");
    check(&rows[2], "quic", "quic", "");
    check(&rows[3], "quic", "quic", "");
}

#[test]
fn a_quic_connection_goes_on_from_another_socket() {
    let mut random = Random::new(3);
    let (asked, given) = (random.bytes(8), random.bytes(8));
    let mut first = Talk::udp("10.0.0.1:50000", "192.0.2.9:443", START);
    first.client(quic::client_initial(&tls::CHROMIUM, "www.youtube.com", &asked, &mut random));
    first.server(quic::server_initial(&asked, &given, &mut random));
    let moved = |client: &str, at: u64, name: &[u8], random: &mut Random| {
        let mut talk = Talk::udp(client, "192.0.2.9:443", START + at * SECOND);
        for _ in 0..4 {
            talk.client(quic::short(name, 60, random));
        }
        talk
    };
    let second = moved("10.0.0.2:40000", 40, &given, &mut random);
    let other = random.bytes(8);
    let third = moved("10.0.0.3:41000", 41, &other, &mut random);
    let rows = flows(vec![first, second, third]);
    check(&rows[0], "quic", "youtube", "www.youtube.com");
    check(&rows[1], "quic", "youtube", "the QUIC connection of flow 0 goes on here");
    check(&rows[2], "quic", "quic", "QUIC short headers");
    assert_eq!(rows[0].session_id, rows[1].session_id);
    assert_ne!(rows[0].session_id, rows[2].session_id);
}

#[test]
fn facts_are_told_of_both_sides() {
    let mut random = Random::new(4);
    let mut talk = Talk::tcp("10.0.0.1:50000", "192.0.2.9:443", START);
    talk.open();
    talk.client(tls::client_hello(&tls::OLD, "www.example.org", &["h2"], &mut random));
    talk.server(tls::server_answer_with_certificate(&["www.example.org"], &mut random));
    let rows = flows(vec![talk]);
    let facts: Vec<&str> = rows[0].facts.keys().map(String::as_str).collect();
    assert_eq!(
        facts,
        [
            "alpn_offered",
            "certificate_from",
            "certificate_issuer",
            "certificate_names",
            "certificate_subject",
            "certificate_until",
            "cipher",
            "ja3",
            "ja3s",
            "version",
        ]
    );
    assert_eq!(rows[0].facts["version"], "TLS 1.2");
}
