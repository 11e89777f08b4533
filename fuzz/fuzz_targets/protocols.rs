//! Every protocol's recogniser over heads of any bytes; and the label.
//!
//! The input: a byte for the transport, both ports, then messages: two bytes for side and length, and as many bytes.
#![no_main]

use classify::PROTOCOLS;
use flow::Heads;

/// The messages of both sides.
fn messages(mut rest: &[u8]) -> [Vec<&[u8]>; 2] {
    let mut sides = [Vec::new(), Vec::new()];
    while let Some((head, after)) = rest.split_first_chunk() {
        let head = u16::from_be_bytes(*head);
        let len = usize::from(head & 0x7fff).min(after.len());
        let (message, after) = after.split_at(len);
        sides[usize::from(head >> 15)].push(message);
        rest = after;
    }
    sides
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&[transport, a, b, c, d], rest)) = input.split_first_chunk() else { return };
    let [client, server] = messages(rest);
    let heads = match transport % 2 {
        0 => Heads::tcp(&client.concat(), &server.concat()),
        _ => Heads::udp(&client, &server),
    };
    let heads = heads.with_ports(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    for protocol in PROTOCOLS {
        if let Some(facts) = (protocol.recognise)(&heads) {
            assert!(!facts.seen.is_empty(), "{} says nothing of what it saw", protocol.name);
        }
    }
});
