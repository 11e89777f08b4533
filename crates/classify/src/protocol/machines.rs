//! What machines say to each other, told by fixed bytes at fixed places: databases, industry, networks and their care.
//!
//! One row each, their tests below in one table; a protocol with more to read has a file of its own.

use super::{Facts, Protocol, row, sctp};
use crate::{
    bytes::{be16, be32, le16, le32},
    look::{
        all_datagrams, all_streams, any_first, any_stream, begins, contains, ends_at_be16,
        ends_at_be32, has_at, has_port, is_text, seen_if,
    },
    needs::{ANY, any, either, others, tcp, tcp_in, udp, udp_in},
};

/// Whether a line of text goes by one of these words at its start.
fn has_word(bytes: &[u8], words: &[&str]) -> bool {
    words.iter().any(|it| bytes.strip_prefix(it.as_bytes()).is_some_and(|it| it.starts_with(b" ")))
}

// Databases and queues.

pub(super) const REDIS: Protocol =
    row("redis", "system", "Redis", "Redis documentation, RESP", |heads| {
        // A request is an array of strings: its count, then the length of the first.
        let is_array = |it: &[u8]| {
            let mut lines = it.split(|it| *it == b'\n');
            let mut number = |mark: u8| {
                let line = lines.next()?.strip_suffix(b"\r")?.strip_prefix(&[mark])?;
                (!line.is_empty() && line.len() <= 4 && line.iter().all(u8::is_ascii_digit))
                    .then_some(())
            };
            number(b'*').is_some() && number(b'$').is_some()
        };
        let is_answer = |it: &[u8]| {
            it.is_empty() || matches!(it.first(), Some(b'+' | b'-' | b':' | b'$' | b'*'))
        };
        let is_seen = any_stream(heads, is_array)
            && (is_answer(heads.server.bytes()) || is_answer(heads.client.bytes()));
        seen_if(is_seen, "a Redis command")
    })
    .over(tcp(b"*"));

pub(super) const MEMCACHED: Protocol = row(
    "memcached",
    "system",
    "Memcached",
    "memcached, protocol.txt and BinaryProtocolRevamped",
    |heads| {
        let is_text_command = |it: &[u8]| {
            has_word(
                it,
                &["get", "gets", "set", "add", "incr", "decr", "delete", "touch", "VALUE", "STAT"],
            ) && is_text(it.get(..40).unwrap_or(it))
                || begins(it, &[b"stats\r\n", b"version\r\n", b"STORED\r\n", b"flush_all\r\n"])
        };
        // The binary form: mark, command, length of key, of extras, a type of zero.
        let is_binary = |it: &[u8]| {
            matches!(it, [0x80 | 0x81, 0..=0x24, ..])
                && it.get(5) == Some(&0)
                && ends_at_be32(it, 8, 24)
        };
        // Over UDP a number, a place, a count and two zeros come before.
        let is_datagram = |it: &[u8]| {
            has_at(it, 6, &[0, 0])
                && be16(it, 4).is_some_and(|it| it > 0)
                && it.get(8..).is_some_and(is_text_command)
        };
        let is_port = has_port(heads, &[11211]);
        let is_seen = any_stream(heads, |it| is_text_command(it) || is_binary(it))
            || any_first(heads, is_datagram);
        seen_if(is_port && is_seen, "a Memcached command")
    },
)
.over(tcp(b"STVadfgistv\x80\x81").or(udp(ANY)));

pub(super) const MONGODB: Protocol =
    row("mongodb", "system", "MongoDB", "MongoDB documentation, Wire Protocol", |heads| {
        // Length, number, number answered, kind of message, all of them lowest byte first.
        let is_message = |it: &[u8]| {
            let is_kind = matches!(le32(it, 12), Some(1 | 1000 | 2001..=2013));
            let is_len = le32(it, 0).is_some_and(|len| (16..48_000_000).contains(&len));
            let is_named = || {
                [&b"admin.$cmd"[..], b".$cmd", b"hello", b"isMaster", b"ismaster", b"$db", b"ok\0"]
                    .iter()
                    .any(|part| contains(it.get(..512).unwrap_or(it), part))
            };
            is_kind && is_len && is_named()
        };
        seen_if(all_streams(heads, is_message), "a MongoDB message")
    })
    .over(tcp(ANY));

pub(super) const CASSANDRA: Protocol = row(
    "cassandra",
    "system",
    "Apache Cassandra",
    "Apache Cassandra, CQL Binary Protocol",
    |heads| {
        // Version, flags, stream, a request to start or for options, then the length of the rest.
        let is_request = |it: &[u8]| {
            matches!(it, [3..=5, 0..=0x1f, _, _, 5, 0, 0, 0, 0])
                || matches!(it, [3..=5, 0..=0x1f, _, _, 1, 0, 0, ..])
                    && contains(it.get(..64).unwrap_or(it), b"CQL_VERSION")
        };
        let is_answer = |it: &[u8]| matches!(it, [0x83..=0x85, 0..=0x1f, _, _, 0 | 2 | 3 | 6, ..]);
        let is_tcp = any_stream(heads, |_| true);
        let is_seen = is_request(heads.client.bytes())
            && (heads.server.bytes().is_empty() || is_answer(heads.server.bytes()));
        seen_if(is_tcp && is_seen, "a Cassandra request")
    },
)
.over(tcp(b"\x03\x04\x05"));

pub(super) const ORACLE: Protocol =
    row("oracle", "system", "Oracle Database (TNS)", "seen on the wire", |heads| {
        // A packet to connect: length, two check sums of zero, kind 1; the text of the request names the service.
        let is_connect = |it: &[u8]| {
            matches!(it, [_, _, 0, 0, 1, 0 | 4, 0, 0, 1, ..])
                && be16(it, 0).is_some_and(|len| (58..2048).contains(&len))
        };
        let is_answer = |it: &[u8]| {
            matches!(it, [_, _, 0, 0, 2 | 4 | 5 | 11, _, 0, 0, ..])
                && be16(it, 0).is_some_and(|len| len >= 8)
        };
        let (client, server) = (heads.client.bytes(), heads.server.bytes());
        let is_named = || contains(client.get(..1024).unwrap_or(client), b"(CONNECT_DATA=");
        let is_seen = is_connect(client) && (is_named() || is_answer(server));
        seen_if(is_seen && any_stream(heads, |_| true), "an Oracle connection being asked for")
    })
    .over(tcp_in(0..=7));

pub(super) const DRDA: Protocol = row(
    "drda",
    "system",
    "Distributed Relational Database Architecture (Db2)",
    "The Open Group, DRDA",
    |heads| {
        // Data stream structures: length, the mark 0xd0, a format; then length and code point of the first object.
        let is_structure = |it: &[u8]| {
            it.get(2) == Some(&0xd0)
                && matches!(it.get(3), Some(kind) if matches!(kind & 0x0f, 1..=5))
                && be16(it, 0)
                    .zip(be16(it, 6))
                    .is_some_and(|(outer, inner)| inner >= 4 && Some(inner) <= outer.checked_sub(6))
        };
        seen_if(all_streams(heads, is_structure), "a DRDA request to a database")
    },
)
.over(tcp(ANY));

pub(super) const ELASTICSEARCH: Protocol = row(
    "elasticsearch",
    "system",
    "Elasticsearch transport",
    "Elasticsearch, TcpHeader (source)",
    |heads| {
        // The mark `ES`, a length, a number, a status of at most 15.
        let is_message = |it: &[u8]| {
            it.starts_with(b"ES")
                && be32(it, 2).is_some_and(|it| it < 1 << 27)
                && matches!(it.get(14), Some(0..=15))
        };
        seen_if(all_streams(heads, is_message), "an Elasticsearch message between nodes")
    },
)
.over(tcp(b"E"));

pub(super) const RAFT: Protocol = row(
    "raft",
    "system",
    "Raft consensus as Dqlite speaks it",
    "Canonical, Dqlite (source)",
    |heads| {
        // As Dqlite frames it: kind, length of the rest in words, both in 8 bytes; the first tells the own address.
        let is_hello = |it: &[u8]| {
            le32(it, 0) == Some(1)
                && has_at(it, 4, &[0; 4])
                && le32(it, 8).is_some_and(|it| it < 16)
                && has_at(it, 12, &[0; 4])
                && it.get(24..).is_some_and(|it| {
                    it.iter().take(9).all(|it| it.is_ascii_digit() || b".:[".contains(it))
                })
                && it.len() > 33
        };
        seen_if(any_stream(heads, is_hello), "a Raft node telling its address")
    },
)
.over(tcp(b"\x01"));

pub(super) const AMQP: Protocol = row(
    "amqp",
    "system",
    "Advanced Message Queuing Protocol",
    "AMQP 0-9-1, OASIS AMQP 1.0",
    |heads| {
        let is_greeting = |it: &[u8]| {
            begins(
                it,
                &[
                    b"AMQP\0\0\x09\x01",
                    b"AMQP\x01\x01",
                    b"AMQP\0\x01\0\0",
                    b"AMQP\x03\x01\0\0",
                    b"AMQP\x02\x01\0\0",
                ],
            )
        };
        seen_if(any_stream(heads, is_greeting), "an AMQP greeting")
    },
)
.over(tcp(b"A"));

pub(super) const KAFKA: Protocol =
    row("kafka", "system", "Apache Kafka", "Apache Kafka, Protocol Guide", |heads| {
        // Length, kind and version of the request, its number, the length of the client's own name and that name.
        let is_request = |it: &[u8]| {
            let name_len = be16(it, 12).map(usize::from).unwrap_or_default();
            let name = it.get(14..).and_then(|it| it.get(..name_len)).unwrap_or_default();
            let is_name = (1..=128).contains(&name_len)
                && name.len() == name_len
                && name.iter().all(u8::is_ascii_graphic);
            let is_len = be32(it, 0).is_some_and(|len| (10..100_000_000).contains(&len));
            is_len
                && matches!(be16(it, 4), Some(0..=90))
                && matches!(be16(it, 6), Some(0..=18))
                && is_name
        };
        let is_tcp = any_stream(heads, |_| true);
        // The answer repeats the number.
        let answered = be32(heads.server.bytes(), 4);
        let is_answered = answered.is_none() || answered == be32(heads.client.bytes(), 8);
        seen_if(is_tcp && is_answered && is_request(heads.client.bytes()), "a Kafka request")
    })
    .over(tcp_in(0..=5));

pub(super) const NATS: Protocol =
    row("nats", "system", "NATS messaging", "NATS documentation, Client Protocol", |heads| {
        let is_seen = any_stream(heads, |it| begins(it, &[b"INFO {\"server_id\"", b"CONNECT {\""]));
        seen_if(is_seen, "a NATS greeting")
    })
    .over(tcp(b"CI"));

pub(super) const ZEROMQ: Protocol =
    row("zeromq", "system", "ZeroMQ Message Transport Protocol", "ZeroMQ 37/ZMTP", |heads| {
        // The signature of its greeting, then version 3 (ZMTP 3.1, section 2.2).
        let is_greeting =
            |it: &[u8]| it.first() == Some(&0xff) && matches!(it.get(9..), Some([0x7f, 0..=3, ..]));
        seen_if(all_streams(heads, is_greeting), "a ZeroMQ greeting")
    })
    .over(tcp(b"\xff"));

pub(super) const HL7: Protocol = row(
    "hl7",
    "system",
    "Health Level Seven version 2 messages",
    "HL7, Transport Specification: MLLP",
    |heads| {
        seen_if(
            any_stream(heads, |it| it.starts_with(b"\x0bMSH|")),
            "a message between clinics' systems (HL7)",
        )
    },
)
.over(tcp(b"\x0b"));

pub(super) const FIX: Protocol = row(
    "fix",
    "other",
    "Financial Information eXchange",
    "FIX Trading Community, FIX TagValue Encoding",
    |heads| {
        let is_message = |it: &[u8]| begins(it, &[b"8=FIX", b"8=O\x019="]);
        seen_if(all_streams(heads, is_message), "an order or quote of a stock exchange (FIX)")
    },
)
.over(tcp(b"8"));

pub(super) const STRATUM: Protocol =
    row("stratum", "other", "Stratum mining", "Slush Pool, Stratum Mining Protocol", |heads| {
        let methods: &[&[u8]] = &[
            b"\"mining.subscribe\"",
            b"\"mining.authorize\"",
            b"\"mining.notify\"",
            b"\"mining.configure\"",
            b"\"eth_submitLogin\"",
            b"\"eth_getWork\"",
        ];
        let is_mining = |it: &[u8]| {
            let start = it.get(..512).unwrap_or(it);
            // Monero's miners log in with their program's name.
            let is_login =
                contains(start, b"\"method\":\"login\"") && contains(start, b"\"agent\":");
            it.starts_with(b"{") && (is_login || methods.iter().any(|it| contains(start, it)))
        };
        seen_if(any_stream(heads, is_mining), "a miner asking a pool for work")
    })
    .over(tcp(b"{"));

pub(super) const BITCOIN: Protocol = row(
    "bitcoin",
    "peer2peer",
    "Bitcoin",
    "Bitcoin Developer Documentation, P2P Network",
    |heads| {
        // The main network's mark or a test network's, then the name of a message, padded with zeros.
        let is_message = |it: &[u8]| {
            let marks: &[&[u8]] = &[
                b"\xf9\xbe\xb4\xd9",
                b"\x0b\x11\x09\x07",
                b"\xfa\xbf\xb5\xda",
                b"\x1c\x16\x3f\x28",
            ];
            let name = it.get(4..16).unwrap_or_default();
            begins(it, marks)
                && name.len() == 12
                && name
                    .iter()
                    .all(|it| it.is_ascii_lowercase() || matches!(it, 0 | b'2' | b'0'..=b'9'))
        };
        seen_if(any_stream(heads, is_message), "a Bitcoin message")
    },
)
.over(tcp(b"\x0b\x1c\xf9\xfa"));

pub(super) const MONERO: Protocol =
    row("monero", "peer2peer", "Monero (Levin)", "Monero, LEVIN_PROTOCOL.md", |heads| {
        seen_if(
            any_stream(heads, |it| it.starts_with(b"\x01\x21\x01\x01\x01\x01\x01\x01")),
            "a Monero message",
        )
    })
    .over(tcp(b"\x01"));

pub(super) const JSON_RPC: Protocol =
    row("json-rpc", "other", "JSON-RPC", "JSON-RPC 2.0 Specification", |heads| {
        let is_call = |it: &[u8]| {
            it.starts_with(b"{") && contains(it.get(..512).unwrap_or(it), b"\"jsonrpc\":")
        };
        seen_if(any_stream(heads, is_call), "a JSON-RPC call")
    })
    .over(tcp(b"{"));

// The web's back rooms.

pub(super) const AJP: Protocol =
    row("ajp", "web", "Apache JServ Protocol", "Apache Tomcat, AJPv13", |heads| {
        let is_request =
            |it: &[u8]| it.starts_with(b"\x12\x34") && matches!(it.get(4), Some(2 | 7 | 8 | 10));
        let is_answer = |it: &[u8]| it.starts_with(b"AB") && matches!(it.get(4), Some(3..=6 | 9));
        seen_if(
            all_streams(heads, |it| is_request(it) || is_answer(it)),
            "a request to a Java server (AJP)",
        )
    })
    .over(tcp(b"\x12A"));

pub(super) const FASTCGI: Protocol =
    row("fastcgi", "web", "FastCGI", "Open Market, FastCGI Specification", |heads| {
        // Version 1 begins a request, with a role and no padding.
        let is_begin = |it: &[u8]| {
            it.starts_with(b"\x01\x01")
                && has_at(it, 4, b"\0\x08\0")
                && matches!(it.get(8..10), Some([0, 1..=3]))
        };
        seen_if(any_stream(heads, is_begin), "a FastCGI request")
    })
    .over(tcp(b"\x01"));

// Watching over machines.

pub(super) const ZABBIX: Protocol =
    row("zabbix", "system", "Zabbix monitoring", "Zabbix Manual, Header", |heads| {
        let is_message = |it: &[u8]| it.starts_with(b"ZBXD") && matches!(it.get(4), Some(1..=7));
        seen_if(any_stream(heads, is_message), "a Zabbix message")
    })
    .over(tcp(b"Z"));

pub(super) const MUNIN: Protocol = row(
    "munin",
    "system",
    "Munin monitoring",
    "Munin Guide, Data exchange between master and node",
    |heads| {
        seen_if(
            any_stream(heads, |it| it.starts_with(b"# munin node at ")),
            "a Munin node's greeting",
        )
    },
)
.over(tcp(b"#"));

pub(super) const CHECKMK: Protocol =
    row("checkmk", "system", "Checkmk agent", "Checkmk, check_mk_agent (source)", |heads| {
        seen_if(
            any_stream(heads, |it| it.starts_with(b"<<<check_mk>>>")),
            "a report of a Checkmk agent",
        )
    })
    .over(tcp(b"<"));

pub(super) const COLLECTD: Protocol =
    row("collectd", "system", "collectd statistics", "collectd wiki, Binary protocol", |heads| {
        // Parts of kind and length; the first tells the host, as text with a zero at its end.
        let is_report = |it: &[u8]| {
            let len = be16(it, 2).map(usize::from).unwrap_or_default();
            let host = it.get(4..len).unwrap_or_default();
            let text = host.strip_suffix(&[0]).unwrap_or_default();
            let is_next =
                matches!(be16(it, len), Some(1..=8)) && be16(it, len + 2).is_some_and(|it| it > 4);
            it.starts_with(&[0, 0])
                && !text.is_empty()
                && text.iter().all(u8::is_ascii_graphic)
                && is_next
        };
        seen_if(all_datagrams(heads, is_report), "a collectd report")
    })
    .over(udp(b"\0"));

pub(super) const SFLOW: Protocol =
    row("sflow", "system", "sFlow", "sFlow.org, sFlow Version 5", |heads| {
        let is_report = |it: &[u8]| {
            be32(it, 0) == Some(5) && matches!(be32(it, 4), Some(1 | 2)) && it.len() >= 28 && {
                let samples = if be32(it, 4) == Some(1) { 24 } else { 36 };
                be32(it, samples).is_some_and(|it| it < 200)
            }
        };
        seen_if(all_datagrams(heads, is_report), "an sFlow report")
    })
    .over(udp(b"\0"));

pub(super) const NETFLOW: Protocol = row(
    "netflow",
    "system",
    "NetFlow and IPFIX",
    "RFC 3954, RFC 7011; Cisco, NetFlow Export Datagram Format",
    |heads| {
        // Versions 1, 5 and 7 hold up to 30 records of fixed length (48 bytes in 5, 52 in 1 and 7); 9 and 10 tell a time.
        let is_report = |it: &[u8]| {
            let count = be16(it, 2).map(usize::from).unwrap_or_default();
            let is_time = |at: usize| be32(it, at).is_some_and(|it| it > 0x3800_0000);
            match be16(it, 0) {
                Some(1) => is_time(8) && it.len() == 16 + 52 * count,
                Some(5) => is_time(8) && it.len() == 24 + 48 * count,
                Some(7) => is_time(8) && it.len() == 24 + 52 * count,
                Some(9) => {
                    is_time(8)
                        && (1..=120).contains(&count)
                        && it.len() > 20
                        && matches!(be16(it, 20), Some(0 | 1 | 256..))
                }
                Some(10) => {
                    is_time(4) && count == it.len() && matches!(be16(it, 16), Some(2 | 3 | 256..))
                }
                _ => false,
            }
        };
        seen_if(all_datagrams(heads, is_report), "a NetFlow or IPFIX report")
    },
)
.over(udp(b"\0"));

pub(super) const SYSLOG: Protocol =
    row("syslog", "system", "Syslog", "RFC 5424, RFC 3164", |heads| {
        // A number of facility and severity up to 191 in brackets (RFC 5424); over TCP perhaps a length before.
        let is_message = |it: &[u8]| {
            let digits = it.iter().take_while(|it| it.is_ascii_digit()).count();
            let framed = it
                .get(digits..)
                .and_then(|it| it.strip_prefix(b" "))
                .filter(|_| (1..=5).contains(&digits));
            let message = framed.unwrap_or(it);
            let Some(rest) = message.strip_prefix(b"<") else { return false };
            let number = rest.split(|it| *it == b'>').next().unwrap_or_default();
            // Three digits at most; more are no number of this.
            let value = number.iter().try_fold(0_u32, |sum, it| {
                it.is_ascii_digit()
                    .then(|| sum.saturating_mul(10).saturating_add(u32::from(it - b'0')))
            });
            let text = rest.get(number.len() + 1..).unwrap_or_default();
            let is_start = text
                .first()
                .is_some_and(|it| it.is_ascii_alphanumeric() || b" %*:[/_".contains(it));
            (1..=3).contains(&number.len()) && value.is_some_and(|it| it <= 191) && is_start
        };
        seen_if(
            all_datagrams(heads, is_message) || any_stream(heads, is_message),
            "a syslog message",
        )
    })
    .over(either(b"0123456789<"));

pub(super) const RMCP: Protocol = row(
    "rmcp",
    "system",
    "Remote Management Control Protocol (ASF, IPMI)",
    "DMTF DSP0136, IPMI 2.0",
    |heads| {
        // Version 6, a number, then the class: ASF, IPMI.
        let is_message = |it: &[u8]| matches!(it, [6, 0, _, 6 | 7 | 0x86, ..]) && it.len() >= 12;
        let is_seen =
            all_datagrams(heads, |it| is_message(it) || matches!(it, [6, 0, _, 0x86 | 0x87]));
        seen_if(
            has_port(heads, &[623, 664]) && is_seen,
            "remote management of a machine (RMCP, IPMI)",
        )
    },
)
.over(udp(b"\x06"));

// Printers, devices, homes.

pub(super) const BJNP: Protocol =
    row("bjnp", "system", "Canon printers' BJNP", "seen on the wire", |heads| {
        let is_message =
            |it: &[u8]| begins(it, &[b"BJNP", b"BJNB", b"MFNP"]) && ends_at_be32(it, 12, 16);
        seen_if(all_datagrams(heads, is_message), "a Canon printer being looked for")
    })
    .over(udp(b"BM"));

pub(super) const NAT_PMP: Protocol = row(
    "nat-pmp",
    "system",
    "NAT Port Mapping Protocol and Port Control Protocol",
    "RFC 6886, RFC 6887",
    |heads| {
        // RFC 6886: questions of 2 and 12 bytes, answers of 12 and 16; its successor PCP is version 2.
        let is_message = |it: &[u8]| match it {
            [0, 0] => true,
            [0, 1 | 2, 0, 0, ..] => it.len() == 12,
            [0, 128, 0, ..] => it.len() == 12,
            [0, 129 | 130, 0, ..] => it.len() == 16,
            [2, 0..=3 | 128..=131, ..] => it.len() >= 24 && it.len().is_multiple_of(4),
            _ => false,
        };
        let is_port = has_port(heads, &[5350, 5351]);
        seen_if(is_port && all_datagrams(heads, is_message), "a router asked for a port (NAT-PMP)")
    },
)
.over(udp(b"\0\x02"));

pub(super) const WSD: Protocol =
    row("wsd", "system", "Web Services Dynamic Discovery", "OASIS WS-Discovery 1.1", |heads| {
        let is_message = |it: &[u8]| {
            let start = it.get(..400).unwrap_or(it);
            it.starts_with(b"<") && contains(start, b"http://www.w3.org/2003/05/soap-envelope")
        };
        seen_if(any_first(heads, is_message), "devices looked for by WS-Discovery")
    })
    .over(udp(b"<"));

pub(super) const SSDP: Protocol = row(
    "ssdp",
    "system",
    "Simple Service Discovery Protocol (UPnP)",
    "UPnP Device Architecture",
    |heads| {
        let is_message = |it: &[u8]| {
            let is_answer = it.starts_with(b"HTTP/1.1 200 OK\r\n");
            let start = || it.get(..1024).unwrap_or(it).to_ascii_uppercase();
            begins(it, &[b"M-SEARCH * HTTP/1.", b"NOTIFY * HTTP/1."])
                || is_answer && contains(&start(), b"\nUSN:")
        };
        seen_if(any_first(heads, is_message), "devices looked for or announced by SSDP")
    },
)
.over(udp(b"HMN"));

pub(super) const KNX: Protocol =
    row("knxnet-ip", "system", "KNXnet/IP building automation", "ISO 22510", |heads| {
        // A header of 6 bytes, version 1, a service, the whole length.
        let is_message = |it: &[u8]| {
            it.starts_with(b"\x06\x10\x02")
                || it.starts_with(b"\x06\x10\x03")
                || it.starts_with(b"\x06\x10\x04")
                || it.starts_with(b"\x06\x10\x05")
                || it.starts_with(b"\x06\x10\x09")
        };
        let is_datagram = |it: &[u8]| is_message(it) && ends_at_be16(it, 4, 0);
        let is_stream = |it: &[u8]| {
            is_message(it)
                && be16(it, 4)
                    .is_some_and(|len| (8..1024).contains(&len) && usize::from(len) <= it.len())
        };
        seen_if(
            all_datagrams(heads, is_datagram) || all_streams(heads, is_stream),
            "a home's devices (KNXnet/IP)",
        )
    })
    .over(either(b"\x06"));

// Industry.

pub(super) const BACNET: Protocol = row(
    "bacnet",
    "system",
    "Building Automation and Control Networks",
    "ASHRAE 135, annex J",
    |heads| {
        let is_message = |it: &[u8]| matches!(it, [0x81, 0..=0x0c, ..]) && ends_at_be16(it, 2, 0);
        seen_if(all_datagrams(heads, is_message), "a building's devices (BACnet)")
    },
)
.over(udp(b"\x81"));

pub(super) const DNP3: Protocol =
    row("dnp3", "system", "Distributed Network Protocol", "IEEE 1815", |heads| {
        // A start, a length of at least the header's five bytes, and the header's check sum.
        let is_frame = |it: &[u8]| {
            let sum = it.get(..8).map(dnp3_sum);
            matches!(it, [0x05, 0x64, 5..=255, ..]) && le16(it, 8).is_some_and(|it| Some(it) == sum)
        };
        seen_if(
            any_stream(heads, is_frame) || any_first(heads, is_frame),
            "a DNP3 frame of an electric network",
        )
    })
    .over(either(b"\x05"));

/// The check sum of IEEE 1815, section 9.2.4.
fn dnp3_sum(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| match sum & 1 {
            0 => sum >> 1,
            _ => sum >> 1 ^ 0xa6bc,
        })
    })
}

pub(super) const IEC104: Protocol =
    row("iec60870", "system", "Telecontrol over TCP", "IEC 60870-5-104", |heads| {
        // A start and a length; three kinds of control fields (IEC 60870-5-104, section 5).
        let is_frame = |it: &[u8]| match it {
            [0x68, 4, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0, ..] => true,
            [0x68, 4, 1, 0, low, ..] => low & 1 == 0,
            [0x68, 5..=253, send, _, receive, _, kind, ..] => {
                send & 1 == 0 && receive & 1 == 0 && matches!(kind, 1..=127)
            }
            _ => false,
        };
        seen_if(all_streams(heads, is_frame), "a frame of an electric network (IEC 104)")
    })
    .over(tcp(b"\x68"));

pub(super) const MODBUS: Protocol = row(
    "modbus",
    "system",
    "Modbus TCP",
    "Modbus Organization, MODBUS Messaging on TCP/IP",
    |heads| {
        // Number, protocol zero, length of the rest, unit, function.
        let is_message = |it: &[u8]| {
            let len = be16(it, 4).map(usize::from).unwrap_or_default();
            let function = it.get(7).map(|it| it & 0x7f).unwrap_or_default();
            has_at(it, 2, &[0, 0])
                && (2..=254).contains(&len)
                && len + 6 <= it.len()
                && matches!(function, 1..=24 | 43 | 90 | 91 | 100..=110)
        };
        let is_port = has_port(heads, &[502, 802]);
        let is_echo = be16(heads.client.bytes(), 0) == be16(heads.server.bytes(), 0)
            && heads.client.bytes().get(6..8) == heads.server.bytes().get(6..8);
        seen_if((is_port || is_echo) && all_streams(heads, is_message), "a Modbus request")
    },
)
.over(tcp(ANY));

pub(super) const S7COMM: Protocol = row(
    "s7comm",
    "system",
    "Siemens S7 communication",
    "seen on the wire, behind TPKT (RFC 1006)",
    |heads| {
        // TPKT and COTP; then the mark of S7 behind data, or in the connection the sizes and places of both ends.
        let is_message = |it: &[u8]| {
            let is_tpkt = matches!(it, [3, 0, 0, ..]);
            let is_data = matches!(it.get(4..), Some([2, 0xf0, 0x80, 0x32, ..]));
            let cotp = it.get(11..).unwrap_or_default();
            let is_connecting = matches!(it.get(5), Some(0xe0 | 0xd0))
                && (contains(cotp, b"\xc0\x01")
                    && contains(cotp, b"\xc1\x02")
                    && contains(cotp, b"\xc2\x02"));
            is_tpkt
                && (is_data
                    || is_connecting
                        && has_at(it, 22, b"\x03\0")
                        && matches!(it.get(26..30), Some([2, 0xf0, 0x80, 0x32])))
        };
        seen_if(any_stream(heads, is_message), "a Siemens controller (S7)")
    },
)
.over(tcp(b"\x03"));

pub(super) const ETHERNET_IP: Protocol = row(
    "ethernet-ip",
    "system",
    "EtherNet/IP",
    "ODVA, The CIP Networks Library, volume 2",
    |heads| {
        // Command, length, session, status; lowest byte first.
        let is_message = |it: &[u8]| {
            let is_command =
                matches!(le16(it, 0), Some(0x04 | 0x63 | 0x64 | 0x65 | 0x66 | 0x6f | 0x70));
            let is_len = le16(it, 2).is_some_and(|len| usize::from(len) + 24 <= it.len());
            is_command && is_len && has_at(it, 20, &[0; 4]) && matches!(le32(it, 8), Some(0..=0x69))
        };
        let is_port = has_port(heads, &[44818, 2222]);
        seen_if(
            is_port && (all_streams(heads, is_message) || all_datagrams(heads, is_message)),
            "an EtherNet/IP request",
        )
    },
)
.over(either(b"\x04\x63\x64\x65\x66\x6f\x70"));

pub(super) const OPC_UA: Protocol =
    row("opc-ua", "system", "OPC Unified Architecture", "IEC 62541-6", |heads| {
        let is_message = |it: &[u8]| {
            begins(it, &[b"HELF", b"ACKF", b"ERRF", b"OPNF", b"RHEF"])
                && le32(it, 4).is_some_and(|len| (8..65_536).contains(&len))
        };
        seen_if(any_stream(heads, is_message), "an OPC UA greeting")
    })
    .over(tcp(b"AEHOR"));

pub(super) const FINS: Protocol = row(
    "fins",
    "system",
    "Omron Factory Interface Network Service",
    "Omron W342, Communications Commands Reference Manual",
    |heads| {
        // Over UDP: a request or an answer, no reserve, two gateways; over TCP its name.
        let is_datagram =
            |it: &[u8]| matches!(it, [0x80..=0x83 | 0xc0..=0xc3, 0, 2 | 7, ..]) && it.len() >= 12;
        let is_port = has_port(heads, &[9600]);
        let is_stream = any_stream(heads, |it| it.starts_with(b"FINS\0\0\0"));
        seen_if(
            is_stream || is_port && all_datagrams(heads, is_datagram),
            "an Omron controller (FINS)",
        )
    },
)
.over(tcp(b"F").or(udp_in(0x80..=0x83)).or(udp_in(0xc0..=0xc3)));

pub(super) const HART_IP: Protocol =
    row("hart-ip", "system", "HART over IP", "FieldComm Group TS20085", |heads| {
        // Version, request or answer, kind, status, number, the whole length.
        let is_message = |it: &[u8]| {
            matches!(it, [1, 0..=2, 0..=3, _, _, _, ..])
                && be16(it, 6).is_some_and(|len| len >= 8 && usize::from(len) <= it.len())
        };
        let is_port = has_port(heads, &[5094, 5095]);
        seen_if(
            is_port && (all_streams(heads, is_message) || all_datagrams(heads, is_message)),
            "a plant's instruments (HART-IP)",
        )
    })
    .over(either(b"\x01"));

pub(super) const HISLIP: Protocol = row(
    "hislip",
    "system",
    "High-Speed LAN Instrument Protocol",
    "IVI Foundation, IVI-6.1",
    |heads| {
        let is_message = |it: &[u8]| {
            it.starts_with(b"HS") && matches!(it.get(2), Some(0..=28)) && it.len() >= 16
        };
        seen_if(all_streams(heads, is_message), "a laboratory's instrument (HiSLIP)")
    },
)
.over(tcp(b"H"));

pub(super) const CAN: Protocol = row(
    "controller-area-network",
    "system",
    "Controller Area Network over UDP",
    "seen on the wire",
    |heads| seen_if(any_first(heads, |it| it.starts_with(b"ISO11898")), "a vehicle's bus over UDP"),
)
.over(udp(b"I"));

pub(super) const SOME_IP: Protocol = row(
    "some-ip",
    "system",
    "Scalable service-Oriented MiddlewarE over IP",
    "AUTOSAR, SOME/IP Protocol Specification",
    |heads| {
        // Service and method, length from there on, client and session, both versions 1, kind, result.
        let is_message = |it: &[u8]| {
            let is_len = be32(it, 4)
                .is_some_and(|len| (8..1 << 24).contains(&len) && len as usize + 8 <= it.len());
            let is_kind =
                matches!(it.get(14), Some(0..=2 | 0x20..=0x22 | 0x80 | 0x81 | 0xa0 | 0xa1));
            is_len
                && it.get(12) == Some(&1)
                && is_kind
                && matches!(it.get(15), Some(0..=0x5e))
                && it.get(13).is_some_and(|it| *it <= 8)
        };
        seen_if(
            all_datagrams(heads, is_message) || all_streams(heads, is_message),
            "a vehicle's service (SOME/IP)",
        )
    },
)
.over(either(ANY));

pub(super) const TRDP: Protocol =
    row("trdp", "system", "Train Real Time Data Protocol", "IEC 61375-2-3", |heads| {
        // A counter, version 1, a kind of two letters that begins with P or M.
        let is_message = |it: &[u8]| {
            it.len() >= 40
                && matches!(
                    it.get(4..8),
                    Some(
                        [1, 0..=2, b'P', b'd' | b'p' | b'r' | b'e']
                            | [1, 0..=2, b'M', b'n' | b'r' | b'p' | b'q' | b'c' | b'e']
                    )
                )
        };
        seen_if(
            all_datagrams(heads, is_message) || all_streams(heads, is_message),
            "a train's data (TRDP)",
        )
    })
    .over(either(ANY));

pub(super) const ATG: Protocol = row(
    "atg",
    "system",
    "Automatic tank gauges",
    "Veeder-Root 576013-635, Serial Interface Manual",
    |heads| {
        // A question to a tank's gauge: a start, I or S, five digits.
        let is_question = |it: &[u8]| matches!(it, [1, b'I' | b'i' | b'S' | b's', rest @ ..] if rest.get(..5).is_some_and(|it| it.iter().all(u8::is_ascii_digit)));
        seen_if(any_stream(heads, is_question), "a question to a tank's gauge")
    },
)
.over(tcp(b"\x01"));

pub(super) const RTPS: Protocol =
    row("rtps", "system", "Real-Time Publish-Subscribe (DDS)", "OMG, DDSI-RTPS", |heads| {
        seen_if(
            any_first(heads, |it| begins(it, &[b"RTPS\x01", b"RTPS\x02"])),
            "a message of robots or plants (RTPS)",
        )
    })
    .over(udp(b"R"));

pub(super) const PTP: Protocol =
    row("ptpv2", "system", "Precision Time Protocol, version 2", "IEEE 1588", |heads| {
        // Kind, version 2, the whole length (IEEE 1588, section 13.3).
        let is_message = |it: &[u8]| {
            let is_kind = it.first().is_some_and(|it| matches!(it & 15, 0..=3 | 8..=13));
            is_kind
                && it.get(1).is_some_and(|it| it & 15 == 2)
                && be16(it, 2).is_some_and(|len| len >= 34 && usize::from(len) <= it.len())
        };
        seen_if(
            has_port(heads, &[319, 320]) && all_datagrams(heads, is_message),
            "clocks being set by PTP",
        )
    })
    .over(udp(ANY));

// Routers and operators.

pub(super) const BGP: Protocol =
    row("bgp", "system", "Border Gateway Protocol", "RFC 4271", |heads| {
        // A mark of ones, a length, a kind (RFC 4271, section 4.1).
        let is_message = |it: &[u8]| {
            it.starts_with(&[0xff; 16])
                && be16(it, 16).is_some_and(|len| (19..=4096).contains(&len))
                && matches!(it.get(18), Some(1..=5))
        };
        seen_if(any_stream(heads, is_message), "a BGP message")
    })
    .over(tcp(b"\xff"));

pub(super) const LDP: Protocol =
    row("ldp", "system", "Label Distribution Protocol", "RFC 5036", |heads| {
        // Version 1, length, a router's number, then a message with its own length (RFC 5036, section 3.1).
        let is_message = |it: &[u8]| {
            let is_kind = matches!(
                be16(it, 10),
                Some(1 | 0x100 | 0x200 | 0x201 | 0x300 | 0x301 | 0x400..=0x404)
            );
            be16(it, 0) == Some(1)
                && be16(it, 2)
                    .zip(be16(it, 12))
                    .is_some_and(|(outer, inner)| Some(inner) <= outer.checked_sub(10))
                && is_kind
        };
        if all_streams(heads, is_message) || all_datagrams(heads, is_message) {
            return Some(Facts::seen("an LDP message of a router"));
        }
        // Its forerunner has the same front, and messages of another form behind it.
        let is_forerunner = |it: &[u8]| {
            be16(it, 0) == Some(1)
                && ends_at_be16(it, 2, 4)
                && it.len() > 10
                && be32(it, 4).is_some_and(|it| it != 0)
        };
        let is_seen = has_port(heads, &[711]) && all_datagrams(heads, is_forerunner);
        seen_if(is_seen, "a TDP message of a router, LDP's forerunner")
    })
    .over(either(b"\0"));

pub(super) const RIP: Protocol =
    row("rip", "system", "Routing Information Protocol", "RFC 2453, RFC 2080", |heads| {
        // A request or an answer of entries of 20 bytes.
        let is_message = |it: &[u8]| {
            matches!(it, [1 | 2, 1 | 2, 0, 0, ..]) && it.len() >= 24 && it.len() % 20 == 4
        };
        seen_if(
            has_port(heads, &[520, 521]) && all_datagrams(heads, is_message),
            "routes told by RIP",
        )
    })
    .over(udp(b"\x01\x02"));

pub(super) const HSRP: Protocol =
    row("hsrp", "system", "Hot Standby Router Protocol", "RFC 2281", |heads| {
        // Version 0 in 20 bytes with an operation and a state; version 2 as a list of parts, the first of 40 bytes.
        let is_message = |it: &[u8]| match it {
            [0, 0..=3, 0 | 1 | 2 | 4 | 8 | 16, ..] => it.len() >= 20 && it.len() < 60,
            [1, 40, 2, 0..=3, 0..=6, 4 | 6, ..] => it.len() >= 42,
            [2, 4, 0, 0, 0, _] => true,
            _ => false,
        };
        seen_if(
            has_port(heads, &[1985, 2029]) && all_datagrams(heads, is_message),
            "routers standing in for each other (HSRP)",
        )
    })
    .over(udp(b"\0\x01\x02"));

pub(super) const BFD: Protocol =
    row("bfd", "system", "Bidirectional Forwarding Detection", "RFC 5880", |heads| {
        // RFC 5880: version 1 and the whole length; at its echo's port anything of its own.
        let is_control = |it: &[u8]| {
            it.first().is_some_and(|it| it >> 5 == 1)
                && it.get(3).is_some_and(|len| *len >= 24 && usize::from(*len) == it.len())
        };
        let is_echo =
            has_port(heads, &[3785]) && all_datagrams(heads, |it| matches!(it.len(), 12..=64));
        let is_seen = has_port(heads, &[3784, 4784, 6784]) && all_datagrams(heads, is_control);
        seen_if(is_seen || is_echo, "a link watched by BFD")
    })
    .over(udp(ANY));

pub(super) const LISP: Protocol =
    row("lisp", "system", "Locator/ID Separation Protocol", "RFC 9301", |heads| {
        // Its control messages by kind (RFC 9301), at their port; over TCP a reliable form with its own mark at the end.
        let is_control =
            |it: &[u8]| it.first().is_some_and(|it| matches!(it >> 4, 1..=8)) && it.len() >= 16;
        let is_stream = |it: &[u8]| {
            matches!(be16(it, 0), Some(16..=24))
                && be16(it, 2).is_some_and(|len| (8..4096).contains(&len))
                && {
                    let len = be16(it, 2).map(usize::from).unwrap_or_default();
                    it.get(..len).is_some_and(|it| it.ends_with(b"\x9f\xac\xad\xe9"))
                }
        };
        let is_seen = has_port(heads, &[4342]) && all_datagrams(heads, is_control)
            || any_stream(heads, is_stream);
        seen_if(is_seen, "places of addresses told by LISP")
    })
    .over(tcp(b"\0").or(udp_in(0x10..=0x8f)));

pub(super) const CAPWAP: Protocol = row(
    "capwap",
    "system",
    "Control and Provisioning of Wireless Access Points",
    "RFC 5415",
    |heads| {
        // Version 0; a header of 2 to 8 words; a wireless binding (RFC 5415, section 4.3), or DTLS behind a mark.
        let is_message = |it: &[u8]| match it {
            [1, 0, 0, 0, 20..=23 | 0xfe, ..] => true,
            [0, second, ..] => {
                matches!(second >> 3, 2..=8) && it.len() >= 8 + 8 && has_at(it, 4, &[0, 0])
            }
            _ => false,
        };
        seen_if(
            has_port(heads, &[5246, 5247]) && all_datagrams(heads, is_message),
            "access points led by CAPWAP",
        )
    },
)
.over(udp(b"\0\x01"));

pub(super) const GTP: Protocol = row(
    "gtp",
    "system",
    "GPRS Tunnelling Protocol",
    "3GPP TS 29.060, TS 29.274, TS 32.295",
    |heads| {
        // Version and the length of what follows the fixed header (3GPP TS 29.060, 29.274, 32.295), at its ports.
        let is_prime = |it: &[u8]| {
            it.first().is_some_and(|it| it & 0x10 == 0 && *it >> 5 < 3)
                && (ends_at_be16(it, 2, 6) || ends_at_be16(it, 2, 20))
        };
        let is_message = |it: &[u8]| match it.first().map(|it| it >> 5) {
            _ if is_prime(it) => true,
            Some(1) => ends_at_be16(it, 2, 8) && it.get(1).is_some_and(|it| *it > 0),
            Some(2) => ends_at_be16(it, 2, 4) && it.get(1).is_some_and(|it| *it > 0),
            Some(0) => ends_at_be16(it, 2, 20),
            _ => false,
        };
        let is_port = has_port(heads, &[2123, 2152, 3386]);
        seen_if(is_port && all_datagrams(heads, is_message), "a mobile operator's tunnel (GTP)")
    },
)
.over(udp_in(0..=0x5f));

pub(super) const VXLAN: Protocol =
    row("vxlan", "tunnel", "Virtual eXtensible Local Area Network", "RFC 7348", |heads| {
        // One flag, zeros around the network's number, then an Ethernet frame (RFC 7348, section 5).
        let is_message =
            |it: &[u8]| it.starts_with(b"\x08\0\0\0") && it.get(7) == Some(&0) && it.len() >= 22;
        seen_if(
            has_port(heads, &[4789, 8472]) && all_datagrams(heads, is_message),
            "a network in VXLAN",
        )
    })
    .over(udp(b"\x08"));

pub(super) const GENEVE: Protocol =
    row("geneve", "tunnel", "Generic Network Virtualization Encapsulation", "RFC 8926", |heads| {
        // Version 0 and the kind of what is inside: Ethernet, IPv4, IPv6 (RFC 8926, section 3.4).
        let is_message = |it: &[u8]| {
            it.first().is_some_and(|it| it >> 6 == 0)
                && matches!(be16(it, 2), Some(0x6558 | 0x0800 | 0x86dd))
                && it.get(7) == Some(&0)
        };
        seen_if(has_port(heads, &[6081]) && all_datagrams(heads, is_message), "a network in GENEVE")
    })
    .over(udp_in(0..=0x3f));

pub(super) const L2TP: Protocol =
    row("l2tp", "system", "Layer Two Tunneling Protocol", "RFC 2661", |heads| {
        // Version 2; a control message tells its whole length (RFC 2661, section 3.1).
        let is_message = |it: &[u8]| match it {
            [0xc8, 2 | 3, ..] => ends_at_be16(it, 2, 0),
            [first, 2, ..] => first & 0xb0 == first & 0xf0 && first & 0x80 == 0,
            _ => false,
        };
        let is_control = |it: &[u8]| matches!(it, [0xc8, 2 | 3, ..]) && ends_at_be16(it, 2, 0);
        seen_if(any_first(heads, is_control) && all_datagrams(heads, is_message), "an L2TP tunnel")
    })
    .over(udp(b"\xc8"));

pub(super) const DIAMETER: Protocol = row("diameter", "system", "Diameter", "RFC 6733", |heads| {
    // Version 1, a length of whole words, flags, a command, an application (RFC 6733, section 3).
    let is_message = |it: &[u8]| {
        let len = be32(it, 0).unwrap_or_default() & 0xff_ffff;
        let is_flags = it.get(4).is_some_and(|it| it & 0x0f == 0);
        let command = be32(it, 4).unwrap_or_default() & 0xff_ffff;
        it.first() == Some(&1)
            && len.is_multiple_of(4)
            && (20..65_536).contains(&len)
            && is_flags
            && (257..0x90_0000).contains(&command)
            && be32(it, 20).is_some_and(|it| (1..=2000).contains(&it))
    };
    // Over SCTP a message is a user's message, or DTLS whose identifier says that Diameter is in it (section 2.1.1; RFC 6083).
    let is_record = |it: &[u8]| matches!(it, [20..=23, 0xfe, 0xfd | 0xff, ..]);
    let is_user_message = |it: &sctp::Message| {
        let len = be32(it.data, 0).unwrap_or_default() & 0xff_ffff;
        let is_len = !it.is_whole || len as usize == it.data.len();
        is_message(it.data) && is_len || it.kind == sctp::DIAMETER_IN_DTLS && is_record(it.data)
    };
    let is_seen = all_streams(heads, is_message) || sctp::all_messages(heads, is_user_message);
    seen_if(is_seen, "a Diameter message of an operator")
})
.over(tcp(b"\x01").or(others(ANY)));

pub(super) const SMPP: Protocol = row(
    "smpp",
    "messaging",
    "Short Message Peer-to-Peer",
    "SMPP Developers Forum, SMPP 3.4",
    |heads| {
        // Length, command, status, number; a client binds first.
        let is_message = |it: &[u8]| {
            let is_command = matches!(
                be32(it, 4),
                Some(1..=9 | 0x15 | 0x8000_0001..=0x8000_0009 | 0x8000_0015 | 0x8000_0000)
            );
            is_command
                && be32(it, 0)
                    .is_some_and(|len| (16..4096).contains(&len) && len as usize <= it.len())
                && be32(it, 8).is_some_and(|it| it < 0x600)
        };
        seen_if(all_streams(heads, is_message), "short messages handed over by SMPP")
    },
)
.over(tcp(b"\0"));

pub(super) const MGCP: Protocol =
    row("mgcp", "voice", "Media Gateway Control Protocol", "RFC 3435", |heads| {
        let verbs =
            ["EPCF", "CRCX", "MDCX", "DLCX", "RQNT", "NTFY", "AUEP", "AUCX", "RSIP", "MESG"];
        let is_command = |it: &[u8]| {
            let line = it.split(|it| *it == b'\n').next().unwrap_or_default();
            verbs.iter().any(|verb| it.starts_with(verb.as_bytes())) && contains(line, b" MGCP ")
        };
        seen_if(any_first(heads, is_command), "an MGCP command to a telephone gateway")
    })
    .over(udp(b"ACDEMNR"));

pub(super) const MEGACO: Protocol =
    row("megaco", "voice", "Megaco, control of media gateways", "ITU-T H.248.1", |heads| {
        let is_message = |it: &[u8]| {
            begins(it, &[b"!/1 ", b"!/2 ", b"!/3 ", b"MEGACO/1 ", b"MEGACO/2 ", b"MEGACO/3 "])
                && contains(it, b"{")
        };
        let is_seen = any_first(heads, is_message)
            || any_stream(heads, is_message)
            || sctp::all_messages(heads, |it| is_message(it.data));
        seen_if(is_seen, "a Megaco command to a telephone gateway")
    })
    .over(either(b"!M").or(others(ANY)));

pub(super) const SKINNY: Protocol = row(
    "cisco-skinny",
    "voice",
    "Cisco Skinny Client Control Protocol",
    "seen on the wire",
    |heads| {
        // Length from the message's number on, a version, the number; lowest byte first.
        let is_message = |it: &[u8]| {
            let is_len = le32(it, 0)
                .is_some_and(|len| (4..2048).contains(&len) && len as usize + 8 <= it.len());
            is_len
                && matches!(le32(it, 4), Some(0 | 0x0a..=0x16))
                && matches!(le32(it, 8), Some(0..=0x160))
        };
        let is_port = has_port(heads, &[2000]);
        seen_if(is_port && all_streams(heads, is_message), "a Cisco telephone (Skinny)")
    },
)
.over(tcp(ANY));

pub(super) const H323: Protocol =
    row("h323", "voice", "H.323 calls", "ITU-T H.225.0, ITU-T Q.931", |heads| {
        // Q.931 behind TPKT: a call's reference of two bytes, a kind; over UDP registration at its port.
        let is_call = |it: &[u8]| {
            matches!(it, [3, 0, _, _, 8, 2, _, _, 1..=0x7d, ..])
                && contains(it.get(..300).unwrap_or(it), b"\x7e\0")
        };
        let is_registration = |it: &[u8]| it.len() > 20 && contains(it, b"\x06\0\x08\x91\x4a\0");
        let is_seen = any_stream(heads, is_call) || any_first(heads, is_registration);
        seen_if(is_seen, "a call set up by H.323")
    })
    .over(tcp(b"\x03").or(udp(ANY)));

pub(super) const IAX2: Protocol =
    row("iax2", "voice", "Inter-Asterisk eXchange, version 2", "RFC 5456", |heads| {
        // A full frame: both numbers, a time, both counters, the kind of its protocol, a request of it (RFC 5456).
        let is_frame = |it: &[u8]| {
            it.first().is_some_and(|it| it & 0x80 != 0)
                && matches!(it.get(10..12), Some([1..=12, 0..=0x28]))
                && it.len() >= 12
        };
        seen_if(has_port(heads, &[4569]) && any_first(heads, is_frame), "a call of Asterisk (IAX2)")
    })
    .over(udp_in(0x80..=0xff));

pub(super) const OPENFLOW: Protocol = row(
    "openflow",
    "system",
    "OpenFlow",
    "ONF, OpenFlow Switch Specification",
    |heads| {
        // A greeting: version, kind 0, its length, and in it the versions that are known.
        let is_hello = |it: &[u8]| {
            matches!(it, [1..=6, 0, 0, len, ..] if (8..=64).contains(len) && usize::from(*len) <= it.len())
                && (it.get(3) == Some(&8) || has_at(it, 8, &[0, 1, 0]))
        };
        seen_if(all_streams(heads, is_hello), "a switch greeting its controller (OpenFlow)")
    },
)
.over(tcp_in(1..=6));

// What is left of the early network.

pub(super) const WHOIS: Protocol = row("whois", "names", "WHOIS", "RFC 3912", |heads| {
    let is_answer = |it: &[u8]| {
        let start = it.get(..2000).unwrap_or(it).to_ascii_lowercase();
        begins(&start, &[b"%", b"domain", b"\r\n", b"   domain", b"#", b"whois"])
            && [&b"whois"[..], b"domain", b"inetnum", b"netrange"]
                .iter()
                .any(|it| contains(&start, it))
    };
    let question = heads.client.bytes();
    let is_question = question.ends_with(b"\r\n") && is_text(question) && question.len() < 200;
    let is_port = has_port(heads, &[43]);
    seen_if(is_port && is_question && is_answer(heads.server.bytes()), "a whois question")
})
.over(any(ANY));

pub(super) const IDENT: Protocol =
    row("ident", "other", "Identification Protocol", "RFC 1413", |heads| {
        // Two ports on a line, and the answer's word (RFC 1413).
        let is_ports = |it: &[u8]| {
            it.iter().all(|it| it.is_ascii_digit() || b" ,\r\n".contains(it)) && it.contains(&b',')
        };
        let is_answer = |it: &[u8]| {
            contains(it, b": USERID :")
                || contains(it, b": ERROR :")
                || contains(it, b":USERID:")
                || contains(it, b":ERROR:")
        };
        let is_seen = is_ports(heads.client.bytes()) && is_answer(heads.server.bytes());
        seen_if(is_seen && any_stream(heads, |_| true), "a question for a user's name (ident)")
    })
    .over(tcp(b"0123456789 ,\r\n"));

pub(super) const OOKLA: Protocol =
    row("ookla", "other", "Ookla Speedtest", "seen on the wire", |heads| {
        let is_greeting = |it: &[u8]| begins(it, &[b"HI\n", b"HI "]);
        let is_answer = |it: &[u8]| it.is_empty() || it.starts_with(b"HELLO ");
        let is_seen = is_greeting(heads.client.bytes()) && is_answer(heads.server.bytes());
        seen_if(is_seen && any_stream(heads, |_| true), "a measurement of Ookla")
    })
    .over(tcp(b"H"));

pub(super) const DNSCRYPT: Protocol =
    row("dnscrypt", "names", "DNSCrypt", "DNSCrypt, Version 2 Protocol Specification", |heads| {
        // The answer's mark; the request is noise.
        let is_answer = |it: &[u8]| it.starts_with(b"r6fnvWj8");
        let is_certificate =
            |it: &[u8]| contains(it.get(..64).unwrap_or(it), b"\x0d2.dnscrypt-cert");
        let is_seen = any_first(heads, |it| is_answer(it) || is_certificate(it))
            || any_stream(heads, |it| is_answer(it.get(2..).unwrap_or_default()));
        seen_if(is_seen, "an encrypted name service (DNSCrypt)")
    })
    .over(either(ANY));

pub(super) const KCP: Protocol = row(
    "kcp",
    "other",
    "KCP, a fast and reliable transport",
    "skywind3000, KCP, protocol.txt",
    |heads| {
        // Conversation, kind, fragment, window, time, number, number awaited, length of the rest; lowest byte first.
        let is_segment = |it: &[u8]| {
            matches!(it.get(4), Some(81..=84))
                && le32(it, 20).is_some_and(|len| len < 1500 && len as usize + 24 <= it.len())
                && (it.len() > 24 || le32(it, 20) == Some(0))
        };
        let is_one = || {
            let mut all = heads.client.datagrams().chain(heads.server.datagrams());
            let conversation = all.next().and_then(|it| le32(it, 0));
            all.all(|it| it.len() < 24 || le32(it, 0) == conversation)
        };
        seen_if(all_datagrams(heads, is_segment) && is_one(), "a KCP conversation")
    },
)
.over(udp(ANY));

#[cfg(test)]
mod tests {
    use flow::Heads;

    use super::*;
    use crate::near::{check, tcp, udp};

    /// The same bytes at the protocol's port and elsewhere.
    #[track_caller]
    fn only_at(name: &str, port: u16, heads: &Heads) {
        check(name, &heads.clone().with_ports(50_000, port), heads);
    }

    #[test]
    fn databases_and_queues() {
        check("redis", &tcp(b"*1\r\n$4\r\nPING\r\n"), &tcp(b"*1\r\n4\r\nPING\r\n"));
        only_at("memcached", 11_211, &tcp(b"get key\r\n"));
        check(
            "mongodb",
            &tcp(b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0admin.$cmd\0"),
            &tcp(b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x17\0\0\0\0\0\0admin.$cmd\0"),
        );
        check("cassandra", &tcp(b"\x04\0\0\0\x05\0\0\0\0"), &tcp(b"\x09\0\0\0\x05\0\0\0\0"));
        let connect =
            [b"\0\xd4\0\0\x01\0\0\0\x01\x3b\x01".as_slice(), &[0; 60], b"(CONNECT_DATA=(SID=x))"];
        check("oracle", &tcp(&connect.concat()), &tcp(&connect[..2].concat()));
        check(
            "drda",
            &tcp(b"\0\x89\xd0\x41\0\x01\0\x83\x10\x41"),
            &tcp(b"\0\x89\xd1\x41\0\x01\0\x83\x10\x41"),
        );
        check(
            "elasticsearch",
            &tcp(b"ES\0\0\x01\x05\0\0\0\0\0\0\0\x01\0\0"),
            &tcp(b"ES\0\0\x01\x05\0\0\0\0\0\0\0\x01\xff\0"),
        );
        let raft = b"\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\x00127.0.0.1:9001\0\0";
        check("raft", &tcp(raft), &tcp(&raft[1..]));
        check("amqp", &tcp(b"AMQP\0\0\x09\x01"), &tcp(b"AMQP\0\0\x08\x01"));
        let kafka = b"\0\0\0\x14\0\x12\0\x03\0\0\0\x01\0\x08producer\0";
        check(
            "kafka",
            &Heads::tcp(kafka, b"\0\0\0\x10\0\0\0\x01"),
            &Heads::tcp(kafka, b"\0\0\0\x10\0\0\0\x02"),
        );
        check(
            "nats",
            &Heads::tcp(b"", b"INFO {\"server_id\":\"x\"}"),
            &Heads::tcp(b"", b"INFO {}"),
        );
        check(
            "zeromq",
            &tcp(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL"),
            &tcp(b"\xff\0\0\0\0\0\0\0\x01\x7e\x03\0NULL"),
        );
        check("hl7", &tcp(b"\x0bMSH|^~\\&|"), &tcp(b"MSH|^~\\&|"));
        check("fix", &tcp(b"8=FIX.4.4\x019=5\x01"), &tcp(b"8=FAX.4.4\x019=5\x01"));
        check(
            "stratum",
            &tcp(b"{\"id\":1,\"method\":\"mining.subscribe\"}"),
            &tcp(b"{\"id\":1,\"method\":\"subscribe\"}"),
        );
        check(
            "bitcoin",
            &tcp(b"\xf9\xbe\xb4\xd9version\0\0\0\0\0"),
            &tcp(b"\xf9\xbe\xb4\xda1234567\0\0\0\0\0"),
        );
        check(
            "monero",
            &tcp(b"\x01\x21\x01\x01\x01\x01\x01\x01"),
            &tcp(b"\x01\x21\x01\x01\x01\x01\x01"),
        );
        check(
            "json-rpc",
            &tcp(b"{\"jsonrpc\": \"2.0\", \"method\": \"echo\"}"),
            &tcp(b"{\"method\": \"echo\"}"),
        );
        check(
            "ajp",
            &Heads::tcp(b"\x12\x34\0\x01\x0a", b"AB\0\x01\x09"),
            &Heads::tcp(b"\x12\x34\0\x01\x0a", b"BA\0\x01\x09"),
        );
        check(
            "fastcgi",
            &tcp(b"\x01\x01\0\x01\0\x08\0\0\0\x01\0"),
            &tcp(b"\x01\x01\0\x01\0\x09\0\0\0\x01\0"),
        );
    }

    #[test]
    fn watching_over_machines() {
        check("zabbix", &tcp(b"ZBXD\x01\x05"), &tcp(b"ZBXD\xff\x05"));
        check("munin", &Heads::tcp(b"", b"# munin node at home\n"), &Heads::tcp(b"", b"# munin\n"));
        check("checkmk", &Heads::tcp(b"", b"<<<check_mk>>>\n"), &Heads::tcp(b"", b"<<<check>>>\n"));
        check("collectd", &udp(b"\0\0\0\x09host\0\0\x02\0\x06a\0"), &udp(b"\0\0\0\x08host"));
        let sflow =
            |version: u8| [&[0, 0, 0, version, 0, 0, 0, 1][..], &[0; 16], &[0, 0, 0, 1]].concat();
        check("sflow", &udp(&sflow(5)), &udp(&sflow(6)));
        let ipfix =
            |len: u8| [&[0, 10, 0, len, 0x59, 0, 0, 0][..], &[0; 8], &[0, 2, 0, 8]].concat();
        check("netflow", &udp(&ipfix(20)), &udp(&ipfix(21)));
        check("syslog", &udp(b"<134>Oct 11 host app: text"), &udp(b"<192>Oct 11 host app: text"));
        check("syslog", &udp(b"<13>1 a"), &udp(b"<44444444444444444444>a"));
        check(
            "syslog",
            &tcp(b"27 <134>1 2020 host app - - -"),
            &tcp(b"27 <abc>1 2020 host app - - -"),
        );
        only_at("rmcp", 623, &udp(b"\x06\0\xff\x07\0\0\0\0\0\0\0\0\0\x09"));
        check(
            "bjnp",
            &udp(b"BJNP\x02\x01\0\0\0\x01\0\0\0\0\0\0"),
            &udp(b"BJNP\x02\x01\0\0\0\x01\0\0\0\0\0\x07"),
        );
        only_at("nat-pmp", 5351, &udp(b"\0\0"));
        check(
            "wsd",
            &udp(b"<?xml?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\">"),
            &udp(b"<?xml?>"),
        );
        check("ssdp", &udp(b"M-SEARCH * HTTP/1.1\r\n"), &udp(b"SEARCH * HTTP/1.1\r\n"));
        check(
            "knxnet-ip",
            &udp(b"\x06\x10\x02\x01\0\x08\0\0"),
            &udp(b"\x06\x10\x02\x01\0\x09\0\0"),
        );
    }

    #[test]
    fn industry() {
        check(
            "bacnet",
            &udp(b"\x81\x0b\0\x08\x01\x20\xff\xff"),
            &udp(b"\x81\x0b\0\x09\x01\x20\xff\xff"),
        );
        let dnp3 = b"\x05\x64\x08\xc4\x04\0\x03\0\xb4\xb8";
        check("dnp3", &tcp(dnp3), &tcp(b"\x05\x64\x08\xc4\x04\0\x03\0\xb4\xb9"));
        check("iec60870", &tcp(b"\x68\x04\x07\0\0\0"), &tcp(b"\x68\x04\x08\0\0\0"));
        let modbus = b"\0\x01\0\0\0\x06\x01\x03\0\0\0\x01";
        only_at("modbus", 502, &tcp(modbus));
        check(
            "s7comm",
            &tcp(b"\x03\0\0\x19\x02\xf0\x80\x32\x01"),
            &tcp(b"\x03\0\0\x19\x02\xf0\x80\x7f\x01"),
        );
        only_at("ethernet-ip", 44_818, &tcp(&[&[0x65, 0, 0, 0][..], &[0; 20]].concat()));
        check("opc-ua", &tcp(b"HELF\x39\0\0\0\0\0\0\0"), &tcp(b"HELG\x39\0\0\0\0\0\0\0"));
        check("fins", &tcp(b"FINS\0\0\0\x0c"), &tcp(b"FIND\0\0\0\x0c"));
        only_at("hart-ip", 5094, &udp(b"\x01\0\0\0\0\x02\0\x0d\x01\0\0\x75\x30"));
        check("hislip", &tcp(&[b"HS\0\0".as_slice(), &[0; 12]].concat()), &tcp(b"HS\0\0"));
        check("controller-area-network", &udp(b"ISO11898\x01"), &udp(b"ISO1189"));
        let some_ip = b"\0\x01\0\x01\0\0\0\x08\0\0\0\x01\x01\x01\0\0";
        check("some-ip", &udp(some_ip), &udp(b"\0\x01\0\x01\0\0\0\x08\0\0\0\x01\x02\x01\0\0"));
        check(
            "trdp",
            &udp(&[b"\0\0\0\0\x01\0Pd".as_slice(), &[0; 32]].concat()),
            &udp(&[b"\0\0\0\0\x01\0Qd".as_slice(), &[0; 32]].concat()),
        );
        check("atg", &tcp(b"\x01I20100\r\n"), &tcp(b"\x01X20100\r\n"));
        check("rtps", &udp(b"RTPS\x02\x01"), &udp(b"RTPX\x02\x01"));
        only_at("ptpv2", 319, &udp(&[&[0, 2, 0, 44][..], &[0; 40]].concat()));
    }

    #[test]
    fn routers_and_operators() {
        let bgp = |len: u8| [&[0xff; 16][..], &[0, len, 4]].concat();
        check("bgp", &tcp(&bgp(19)), &tcp(&bgp(18)));
        let ldp = b"\0\x01\0\x20\x0a\0\x01\x01\0\0\x02\0\0\x16\0\0\0\x02";
        check("ldp", &tcp(ldp), &tcp(b"\0\x01\0\x20\x0a\0\x01\x01\0\0\x02\0\0\x17\0\0\0\x02"));
        only_at("rip", 520, &udp(&[&[2, 2, 0, 0][..], &[0; 20]].concat()));
        only_at("hsrp", 1985, &udp(&[0; 20]));
        only_at("bfd", 3784, &udp(&[&[0x20, 0xc0, 3, 24][..], &[0; 20]].concat()));
        only_at("lisp", 4342, &udp(&[0x30; 20]));
        only_at("capwap", 5246, &udp(&[&[0, 0x10, 2, 0, 0, 0, 0, 0][..], &[0; 8]].concat()));
        only_at("gtp", 2123, &udp(b"\x48\x20\0\x04\0\0\0\0"));
        only_at("vxlan", 4789, &udp(&[&[8, 0, 0, 0, 0, 0, 1, 0][..], &[0; 20]].concat()));
        only_at("geneve", 6081, &udp(&[&[0, 0, 0x65, 0x58, 0, 0, 1, 0][..], &[0; 20]].concat()));
        check(
            "l2tp",
            &udp(b"\xc8\x02\0\x0c\0\0\0\0\0\0\0\0"),
            &udp(b"\xc8\x02\0\x0d\0\0\0\0\0\0\0\0"),
        );
        let diameter = |version: u8| {
            [&[version, 0, 0, 0x18, 0x80, 0, 1, 1][..], &[0; 12], &[0, 0, 1, 8]].concat()
        };
        check("diameter", &tcp(&diameter(1)), &tcp(&diameter(2)));
        let message = |kind, message: &[u8]| {
            let chunk = sctp::tests::data(kind, message);
            sctp::tests::heads(&[&chunk], &[])
        };
        check("diameter", &message(46, &diameter(1)), &message(46, &diameter(2)));
        let record = b"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x01\0";
        check("diameter", &message(47, record), &message(0, record));
        check(
            "smpp",
            &tcp(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01"),
            &tcp(b"\0\0\0\x10\0\0\0\x16\0\0\0\0\0\0\0\x01"),
        );
        check("mgcp", &udp(b"RSIP 1 *@gw MGCP 1.0\r\n"), &udp(b"RSIP 1 *@gw SIP 1.0\r\n"));
        check("megaco", &udp(b"!/1 <gw> T=1{C=-{}}"), &udp(b"!/4 <gw> T=1{C=-{}}"));
        let command = |it: &[u8]| message(7, it);
        check("megaco", &command(b"!/1 <gw> T=1{C=-{}}"), &command(b"!/4 <gw> T=1{C=-{}}"));
        only_at("cisco-skinny", 2000, &tcp(b"\x04\0\0\0\0\0\0\0\x26\0\0\0"));
        check(
            "h323",
            &tcp(b"\x03\0\0\x20\x08\x02\x77\xf4\x05\x04\x03\x80\x90\xa5\x7e\0\x05"),
            &tcp(b"\x03\0\0\x20\x08\x02\x77\xf4\x05\x04\x03\x80\x90\xa5"),
        );
        only_at("iax2", 4569, &udp(b"\x80\x01\0\0\0\0\0\x01\0\0\x06\x01"));
        check("openflow", &tcp(b"\x04\0\0\x08\0\0\0\x01"), &tcp(b"\x04\x01\0\x08\0\0\0\x01"));
    }

    #[test]
    fn what_is_left_of_the_early_network() {
        let whois = Heads::tcp(b"example.org\r\n", b"% IANA WHOIS server\n");
        only_at("whois", 43, &whois);
        check(
            "ident",
            &Heads::tcp(b"6191, 23\r\n", b"6191, 23 : USERID : UNIX : me\r\n"),
            &Heads::tcp(b"6191\r\n", b"6191 : USERID : UNIX : me\r\n"),
        );
        check("ookla", &Heads::tcp(b"HI\n", b"HELLO 2.4\n"), &Heads::tcp(b"HI\n", b"BYE\n"));
        check("dnscrypt", &Heads::udp(&[b"noise"], &[b"r6fnvWj8abc"]), &udp(b"noise"));
        let kcp = |kind: u8| [&[1, 0, 0, 0, kind, 0, 0, 1][..], &[0; 16]].concat();
        check("kcp", &udp(&kcp(82)), &udp(&kcp(85)));
    }

    #[test]
    fn the_greatest_length_inside_a_message_is_only_too_long() {
        let drda = |inner: [u8; 2]| tcp(&[&b"\0\x20\xd0\x01\0\0"[..], &inner, &[0; 24]].concat());
        check("drda", &drda([0, 20]), &drda([0xff, 0xff]));
        let ldp = |inner: [u8; 2]| {
            let head = [0, 1, 0, 30, 10, 0, 0, 1, 0, 0, 1, 0];
            udp(&[&head[..], &inner, &[0; 20]].concat())
        };
        check("ldp", &ldp([0, 20]), &ldp([0xff, 0xff]));
        let tdp = |len: u8| udp(&[&[0, 1, 0, len, 10, 0, 0, 1, 0, 0, 0, 0][..], &[7; 14]].concat());
        check("ldp", &tdp(22).with_ports(711, 711), &tdp(22));
        check("ldp", &tdp(22).with_ports(711, 711), &tdp(23).with_ports(711, 711));
    }
}
