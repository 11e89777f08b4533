//! Large captures of one shape, to measure time and memory by: `cargo xtask generate KIND FILE [COUNT]`.
//!
//! They are too large to keep. The same kind and count give the same bytes everywhere.
#![expect(clippy::print_stderr, reason = "what there is to generate is said to whoever asks")]

use std::{
    fs::File,
    io::{BufWriter, Write},
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use tests::{
    Sent, Side, Talk, dns,
    file::{self, Order, Unit, link},
    frame::{self, Segment, flags},
    in_ethernet,
};

/// A shape of traffic.
struct Kind {
    name: &'static str,
    about: &'static str,
    /// How many of it without a count.
    count: u32,
    /// The IP packets of its nth part.
    packets: fn(u32) -> Vec<Vec<u8>>,
}

const KINDS: &[Kind] = &[
    Kind {
        name: "udp",
        about: "UDP flows of a packet each, no address twice",
        count: 1_000_000,
        packets: |n| vec![frame::udp(client(n), server(n, 7_777), NOISE)],
    },
    Kind {
        name: "syn",
        about: "half-open connections of many clients to one server",
        count: 1_000_000,
        packets: |n| vec![segment(client(n), server(0, 443), flags::SYN, 0, b"")],
    },
    Kind {
        name: "scan",
        about: "half-open connections of one client to many servers",
        count: 1_000_000,
        packets: |n| vec![segment(client(0), server(n, 7_777), flags::SYN, 0, b"")],
    },
    Kind {
        name: "part",
        about: "first fragments whose packets never become whole, no address twice",
        count: 1_000_000,
        packets: |n| {
            let whole = frame::udp(client(n), server(n, 7_777), &NOISE.repeat(3));
            let [first, _] = frame::fragments(&whole, n as u16, 64);
            vec![first]
        },
    },
    Kind {
        name: "long",
        about: "packets of one TCP connection",
        count: 3_000_000,
        packets: |n| {
            let (from, to) = (client(0), server(0, 443));
            let (from, to) = if n.is_multiple_of(2) { (from, to) } else { (to, from) };
            let sequence = (n / 2).wrapping_mul(64);
            vec![segment(from, to, flags::ACK | flags::PSH, sequence, &[b'x'; 64])]
        },
    },
    Kind {
        name: "web",
        about: "whole HTTP exchanges of eight packets, each for a name of its own",
        count: 1_000_000,
        packets: |n| web(n, &format!("www.example-{n}.org")),
    },
    Kind {
        name: "mixed",
        about: "short flows of several kinds: names asked for, pages, half-open connections, noise",
        count: 1_000_000,
        packets: |n| match n % 5 {
            0 | 1 => named(n),
            2 => web(n, &format!("www.example-{}.org", n % 50_000)),
            3 => vec![segment(client(n), server(n % 4_096, 443), flags::SYN, 0, b"")],
            _ => vec![frame::udp(client(n), server(n, 7_777), &NOISE.repeat(1 + n as usize % 7))],
        },
    },
    Kind {
        name: "bulk",
        about: "full packets of 64 long connections",
        count: 3_700_000,
        packets: |n| {
            let (from, to) = (client(n % 64), server(n % 64, 8_443));
            // Every eighth packet acknowledges what came before.
            let sequence = (n / 64).wrapping_mul(1_408);
            match n / 64 % 8 {
                7 => vec![segment(from, to, flags::ACK, 1, b"")],
                _ => vec![segment(to, from, flags::ACK, sequence, &NOISE.repeat(44))],
            }
        },
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
        packets: named,
    },
    Kind {
        name: "peers",
        about: "BitTorrent pings from one port to many peers",
        count: 1_000_000,
        packets: |n| {
            let ping = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
            vec![frame::udp(SocketAddr::from(([10, 0, 0, 7], 6_881)), server(n, 7_777), ping)]
        },
    },
];

/// A payload that says nothing.
const NOISE: &[u8; 32] = b"\xb1\x8e\xd7\x93\xf5\xa0\xc4\xe6\x99\x82\xbb\xd0\xa7\xfe\x91\xc8\
    \xda\x8b\xe3\xac\xf6\x95\xcf\xb8\x80\xe9\xd2\xa1\x9c\xf7\xbe\x85";
/// 2025-03-01 09:00:00 UTC, in nanoseconds, and how long after a packet the next one comes.
const START: u64 = 1_740_819_600_000_000_000;
const STEP: u64 = 10_000;
/// How many parts are in memory at once.
const PARTS: u32 = 10_000;

fn client(n: u32) -> SocketAddr {
    let ip = Ipv4Addr::from_bits(0x0a00_0000 | n & 0x00ff_ffff);
    SocketAddr::from((ip, 1_024 + (n % 60_000) as u16))
}

/// Public addresses of no known service's network, in an order that is none.
fn server(n: u32, port: u16) -> SocketAddr {
    let ip = Ipv4Addr::from_bits(0x2900_0000 | n.wrapping_mul(0x009e_3779) & 0x00ff_ffff);
    SocketAddr::from((ip, port))
}

fn segment(from: SocketAddr, to: SocketAddr, flags: u8, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let segment = Segment { sequence, flags, window: u16::MAX, ..Segment::default() };
    frame::tcp(from, to, &segment, payload)
}

/// A connection opened, a page asked for and given, the connection closed by both.
fn web(n: u32, host: &str) -> Vec<Vec<u8>> {
    let mut talk = Talk::between(true, client(n), server(n, 80), 0);
    talk.open();
    talk.client(format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: generated/1\r\n\r\n"));
    talk.server(format!("HTTP/1.1 200 OK\r\nContent-Length: 256\r\n\r\n{:256}", "text"));
    talk.close(Side::Client);
    talk.packets().into_iter().map(|it| it.bytes).collect()
}

/// A name asked for and told.
fn named(n: u32) -> Vec<Vec<u8>> {
    let (from, to) = (client(n), SocketAddr::from(([192, 0, 2, 53], 53)));
    let name = format!("host-{n}.example.org");
    let record = dns::Record::Address(&name, server(n, 0).ip());
    let answer = dns::answer(7, &name, dns::kind::A, &[record]);
    let query = dns::query(7, &name, dns::kind::A);
    vec![frame::udp(from, to, &query), frame::udp(to, from, &answer)]
}

/// A pcap file in microseconds, written some parts at a time.
fn write(kind: &Kind, count: u32, out: &mut impl Write) -> std::io::Result<()> {
    let pcap = |records: &[_]| file::pcap(Order::Little, Unit::Micros, link::ETHERNET, records);
    let header = pcap(&[]);
    out.write_all(&header)?;
    let mut nanos = START;
    for first in (0..count).step_by(PARTS as usize) {
        let parts = first..count.min(first.saturating_add(PARTS));
        let mut records = Vec::new();
        for bytes in parts.flat_map(kind.packets) {
            records.push(in_ethernet(&Sent { nanos, kept_len: bytes.len(), bytes }));
            nanos += STEP;
        }
        out.write_all(&pcap(&records)[header.len()..])?;
    }
    out.flush()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &String| KINDS.iter().find(|it| it.name == name);
    let asked = match &arguments[..] {
        [kind, file] => known(kind).map(|it| (it, file, it.count)),
        [kind, file, count] => {
            known(kind).and_then(|it| Some((it, file, count.parse::<u32>().ok()?)))
        }
        _ => None,
    };
    let Some((kind, file, count)) = asked else {
        eprintln!("generate KIND FILE [COUNT]; the kinds, and how many without a count:");
        for it in KINDS {
            eprintln!("  {:6} {} {}", it.name, it.count, it.about);
        }
        return ExitCode::from(2);
    };
    let written = File::create(file).and_then(|it| write(kind, count, &mut BufWriter::new(it)));
    if let Err(error) = written {
        eprintln!("{file} cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
