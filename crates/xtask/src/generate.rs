//! `cargo xtask generate KIND FILE [COUNT]`: large captures of one shape, to measure time and memory by.
//!
//! They are too large to keep. The same kind and count give the same bytes everywhere.

use std::{
    fs::File,
    io::{BufWriter, Write},
    net::Ipv4Addr,
};

use anyhow::{Context, bail};

/// A shape of traffic.
struct Kind {
    name: &'static str,
    about: &'static str,
    /// How many of it without a count.
    count: u32,
    /// The packets of its nth part.
    packets: fn(u32) -> Vec<Packet>,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "udp",
        about: "UDP flows of a packet each, no address twice",
        count: 1_000_000,
        packets: |n| vec![Packet::new(17, client(n), server(n), NOISE.to_vec())],
    },
    Kind {
        name: "syn",
        about: "half-open connections of many clients to one server",
        count: 1_000_000,
        packets: |n| vec![Packet::tcp(client(n), SERVER, SYN, 0, b"")],
    },
    Kind {
        name: "scan",
        about: "half-open connections of one client to many servers",
        count: 1_000_000,
        packets: |n| vec![Packet::tcp(CLIENT, server(n), SYN, 0, b"")],
    },
    Kind {
        name: "part",
        about: "first fragments whose packets never become whole, no address twice",
        count: 1_000_000,
        packets: |n| {
            let whole = Packet::new(17, client(n), server(n), NOISE.repeat(2));
            vec![Packet { place: MORE_FRAGMENTS, ..whole }]
        },
    },
    Kind {
        name: "long",
        about: "packets of one TCP connection",
        count: 3_000_000,
        packets: |n| vec![long(n)],
    },
    Kind {
        name: "web",
        about: "whole HTTP exchanges of eight packets, each for a name of its own",
        count: 1_000_000,
        packets: |n| web(n, &format!("www.example-{n}.org")),
    },
    Kind {
        name: "name",
        about: "whole HTTP exchanges of eight packets, all for one name",
        count: 1_000_000,
        packets: |n| web(n, "www.example.org"),
    },
    Kind {
        name: "dns",
        about: "DNS questions and answers, no name or address twice",
        count: 1_000_000,
        packets: dns,
    },
    Kind {
        name: "peers",
        about: "BitTorrent pings from one port to many peers",
        count: 1_000_000,
        packets: |n| {
            let ping = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
            vec![Packet::new(17, (CLIENT.0, 6881), server(n), ping.to_vec())]
        },
    },
];

type Endpoint = (Ipv4Addr, u16);

const CLIENT: Endpoint = (Ipv4Addr::new(10, 0, 0, 7), 40_000);
const SERVER: Endpoint = (Ipv4Addr::new(192, 0, 2, 80), 443);
/// A payload that says nothing.
const NOISE: &[u8; 32] = b"\xb1\x8e\xd7\x93\xf5\xa0\xc4\xe6\x99\x82\xbb\xd0\xa7\xfe\x91\xc8\
    \xda\x8b\xe3\xac\xf6\x95\xcf\xb8\x80\xe9\xd2\xa1\x9c\xf7\xbe\x85";
/// Flags and offset of an IP header: whole and to stay so, or the first of several.
const DO_NOT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

fn client(n: u32) -> Endpoint {
    (Ipv4Addr::from_bits(0x0a00_0000 | n & 0x00ff_ffff), 1_024 + (n % 60_000) as u16)
}

/// Public addresses of no known service's network, in an order that is none.
fn server(n: u32) -> Endpoint {
    (Ipv4Addr::from_bits(0x2900_0000 | n.wrapping_mul(0x009e_3779) & 0x00ff_ffff), 7_777)
}

fn long(n: u32) -> Packet {
    let data = [b'x'; 64];
    let (turn, is_client) = (n / 2, n.is_multiple_of(2));
    let (from, to) = if is_client { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    Packet::tcp(from, to, ACK | PSH, turn.wrapping_mul(64), &data)
}

/// A connection opened, a page asked for and given, the connection closed by both.
fn web(n: u32, host: &str) -> Vec<Packet> {
    let (from, to) = (client(n), (server(n).0, 80));
    let question = format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: generated/1\r\n\r\n");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 256\r\n\r\n{:256}",
        "text"
    );
    let (asked, given) = (1 + question.len() as u32, 1 + answer.len() as u32);
    vec![
        Packet::tcp(from, to, SYN, 0, b""),
        Packet::tcp(to, from, SYN | ACK, 0, b""),
        Packet::tcp(from, to, ACK, 1, b""),
        Packet::tcp(from, to, ACK | PSH, 1, question.as_bytes()),
        Packet::tcp(to, from, ACK | PSH, 1, answer.as_bytes()),
        Packet::tcp(from, to, ACK | FIN, asked, b""),
        Packet::tcp(to, from, ACK | FIN, given, b""),
        Packet::tcp(from, to, ACK, asked + 1, b""),
    ]
}

fn dns(n: u32) -> Vec<Packet> {
    let (from, to) = (client(n), (Ipv4Addr::new(192, 0, 2, 53), 53));
    let label = format!("host-{n}");
    let mut question = vec![label.len() as u8];
    question.extend_from_slice(label.as_bytes());
    question.extend_from_slice(b"\x07example\x03org\0\0\x01\0\x01");
    let asked = [&[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &question].concat();
    let address = server(n).0.octets();
    let record = [&b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04"[..], &address].concat();
    let given = [&[0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0][..], &question, &record];
    vec![Packet::new(17, from, to, asked), Packet::new(17, to, from, given.concat())]
}

/// A packet on the wire, above Ethernet.
struct Packet {
    protocol: u8,
    from: Endpoint,
    to: Endpoint,
    /// Flags and fragment offset.
    place: u16,
    /// Transport header behind the ports, and payload.
    rest: Vec<u8>,
}

impl Packet {
    fn new(protocol: u8, from: Endpoint, to: Endpoint, payload: Vec<u8>) -> Self {
        // Length and checksum of a UDP header; a checksum of 0 is none.
        let len = (8 + payload.len() as u16).to_be_bytes();
        let (place, rest) = (DO_NOT_FRAGMENT, [&len[..], &[0, 0], &payload].concat());
        Self { protocol, from, to, place, rest }
    }

    fn tcp(from: Endpoint, to: Endpoint, flags: u8, sequence: u32, payload: &[u8]) -> Self {
        let acknowledged = u32::from(flags & ACK != 0);
        let rest = [
            &sequence.to_be_bytes()[..],
            &acknowledged.to_be_bytes(),
            &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
            payload,
        ];
        Self { protocol: 6, from, to, place: DO_NOT_FRAGMENT, rest: rest.concat() }
    }

    /// As an Ethernet frame.
    fn frame(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(38 + self.rest.len());
        frame.extend_from_slice(&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]);
        let [high, low] = (24 + self.rest.len() as u16).to_be_bytes();
        let [place, rest] = self.place.to_be_bytes();
        frame.extend_from_slice(&[0x45, 0, high, low, 0, 0, place, rest, 64, self.protocol, 0, 0]);
        frame.extend_from_slice(&self.from.0.octets());
        frame.extend_from_slice(&self.to.0.octets());
        let sum = checksum(&frame[14..34]).to_be_bytes();
        frame[24..26].copy_from_slice(&sum);
        frame.extend_from_slice(&self.from.1.to_be_bytes());
        frame.extend_from_slice(&self.to.1.to_be_bytes());
        frame.extend_from_slice(&self.rest);
        frame
    }
}

/// The Internet checksum (RFC 1071).
fn checksum(header: &[u8]) -> u16 {
    let words = header.chunks(2).map(|it| u32::from(it[0]) << 8 | u32::from(it[1]));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Writes a capture.
pub(crate) fn generate(arguments: &[String]) -> anyhow::Result<()> {
    let (kind, file, count) = match arguments {
        [kind, file] => (kind, file, None),
        [kind, file, count] => (kind, file, Some(count.parse().context("COUNT is no number")?)),
        _ => bail!("generate KIND FILE [COUNT]; the kinds:\n{}", kinds()),
    };
    let Some(kind) = KINDS.iter().find(|it| it.name == kind) else {
        bail!("there is no kind `{kind}`; there are:\n{}", kinds());
    };
    let out = File::create(file).with_context(|| format!("{file} cannot be written"))?;
    write(kind, count.unwrap_or(kind.count), &mut BufWriter::new(out))
        .with_context(|| format!("{file} cannot be written"))
}

fn kinds() -> String {
    let lines = KINDS.iter().map(|it| format!("  {:6} {} {}\n", it.name, it.count, it.about));
    lines.collect()
}

/// A pcap file in microseconds, a packet every ten.
fn write(kind: &Kind, count: u32, out: &mut impl Write) -> std::io::Result<()> {
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        out.write_all(&word.to_le_bytes())?;
    }
    let mut micros = 1_700_000_000_000_000_u64;
    for packet in (0..count).flat_map(kind.packets) {
        let frame = packet.frame();
        let len = frame.len() as u32;
        for word in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, len, len] {
            out.write_all(&word.to_le_bytes())?;
        }
        out.write_all(&frame)?;
        micros += 10;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_writes_whole_records() {
        for kind in KINDS {
            let mut bytes = Vec::new();
            write(kind, 3, &mut bytes).expect("memory takes every byte");
            let mut rest = &bytes[24..];
            while !rest.is_empty() {
                let len = u32::from_le_bytes([rest[8], rest[9], rest[10], rest[11]]) as usize;
                let ip = &rest[16 + 14..16 + len];
                assert_eq!(
                    usize::from(u16::from_be_bytes([ip[2], ip[3]])),
                    ip.len(),
                    "{}",
                    kind.name
                );
                assert_eq!(checksum(&ip[..20]), 0, "{}", kind.name);
                rest = &rest[16 + len..];
            }
        }
    }
}
