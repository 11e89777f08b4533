//! What stores of data and code, routers and stages say, told by fixed bytes at fixed places: one row each, tests below.

use super::{Protocol, row};
use crate::{
    bytes::{be16, be32, le32},
    look::{all_streams, any_first, any_stream, begins, datagrams, has_at, seen_if},
    needs::{ANY, any_datagram, tcp, tcp_in, udp},
};

// Stores of data.

pub(super) const NBD: Protocol =
    row("nbd", "files", "Network Block Device", "Network Block Device, proto.md", |heads| {
        let greetings: &[&[u8]] = &[b"NBDMAGICIHAVEOPT", b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53"];
        seen_if(
            any_stream(heads, |it| begins(it, greetings)),
            "a greeting of a network block device",
        )
    })
    .over(tcp(b"N"));

pub(super) const NVME_TCP: Protocol = row(
    "nvme-tcp",
    "files",
    "NVMe over TCP",
    "NVM Express, TCP Transport Specification",
    |heads| {
        // A connection is begun by 128 bytes of either side, which say so twice; format 0.
        let is_begin =
            |it: &[u8]| begins(it, &[b"\0\0\x80\0\x80\0\0\0\0\0", b"\x01\0\x80\0\x80\0\0\0\0\0"]);
        seen_if(all_streams(heads, is_begin), "a connection to a store being begun (NVMe over TCP)")
    },
)
.over(tcp(b"\0\x01"));

pub(super) const NINE_P: Protocol =
    row("9p", "files", "Plan 9 File Protocol", "Plan 9 Manual, section 5", |heads| {
        // Length, the version asked for or answered, no tag, a size, and the version as text.
        let is_version = |it: &[u8]| {
            matches!(it, [_, 0, 0, 0, 100 | 101, 0xff, 0xff, ..]) && has_at(it, 13, b"9P2000")
        };
        seen_if(any_stream(heads, is_version), "a file system being opened (9P)")
    })
    .over(tcp(ANY));

pub(super) const BOLT: Protocol =
    row("bolt", "system", "Bolt of Neo4j", "Neo4j, Bolt Protocol", |heads| {
        // A mark and four versions.
        let is_greeting = |it: &[u8]| it.starts_with(b"\x60\x60\xb0\x17") && it.len() >= 20;
        seen_if(any_stream(heads, is_greeting), "a greeting to a graph database (Bolt)")
    })
    .over(tcp(b"\x60"));

pub(super) const ZOOKEEPER: Protocol = row(
    "zookeeper",
    "system",
    "Apache ZooKeeper",
    "Apache ZooKeeper, zookeeper.jute (source)",
    |heads| {
        // A session is asked for: length, version 0, what was seen last, a time, a session and a password of 16 bytes.
        let is_request = |it: &[u8]| {
            matches!(be32(it, 0), Some(44 | 45))
                && be32(it, 4) == Some(0)
                && be32(it, 28) == Some(16)
        };
        seen_if(any_stream(heads, is_request), "a session with ZooKeeper being asked for")
    },
)
.over(tcp(b"\0"));

pub(super) const FIREBIRD: Protocol =
    row("firebird", "system", "Firebird", "Alvarez, The Firebird wire protocol", |heads| {
        // Connect, in order to attach or create, by version 2 or 3 of connecting.
        let is_request = |it: &[u8]| {
            be32(it, 0) == Some(1)
                && matches!(be32(it, 4), Some(19 | 20))
                && matches!(be32(it, 8), Some(2 | 3))
        };
        seen_if(any_stream(heads, is_request), "a connection to Firebird being asked for")
    })
    .over(tcp(b"\0"));

pub(super) const CLICKHOUSE: Protocol = row(
    "clickhouse",
    "system",
    "ClickHouse",
    "ClickHouse documentation, Native protocol",
    |heads| {
        let is_hello = |it: &[u8]| matches!(it, [0, 10..=64, ..]) && has_at(it, 2, b"ClickHouse");
        seen_if(any_stream(heads, is_hello), "a greeting to ClickHouse")
    },
)
.over(tcp(b"\0"));

// Stores of code and letters.

pub(super) const CVS: Protocol =
    row("cvs", "files", "Concurrent Versions System", "The CVS Client/Server Protocol", |heads| {
        let starts: &[&[u8]] =
            &[b"BEGIN AUTH REQUEST\n", b"BEGIN VERIFICATION REQUEST\n", b"BEGIN GSSAPI REQUEST\n"];
        seen_if(any_stream(heads, |it| begins(it, starts)), "a login to a CVS server")
    })
    .over(tcp(b"B"));

pub(super) const DISTCC: Protocol = row(
    "distcc",
    "system",
    "distcc, compiling elsewhere",
    "distcc, protocol-1.txt to protocol-3.txt",
    |heads| {
        let is_request = |it: &[u8]| {
            begins(it, &[b"DIST0000000", b"DONE0000000"]) && matches!(it.get(11), Some(b'1'..=b'3'))
        };
        seen_if(all_streams(heads, is_request), "a program being compiled elsewhere (distcc)")
    },
)
.over(tcp(b"D"));

pub(super) const MANAGE_SIEVE: Protocol =
    row("managesieve", "mail", "ManageSieve", "RFC 5804", |heads| {
        seen_if(
            any_stream(heads, |it| it.starts_with(b"\"IMPLEMENTATION\" \"")),
            "a greeting of a server for rules of mail (ManageSieve)",
        )
    })
    .over(tcp(b"\""));

// Routers.

pub(super) const BMP: Protocol =
    row("bmp", "system", "BGP Monitoring Protocol", "RFC 7854", |heads| {
        // RFC 7854, section 4: version 3, length, and first of all who it is, in parts of kind and length.
        let is_start = |it: &[u8]| {
            let len = be32(it, 1).unwrap_or_default();
            it.first() == Some(&3)
                && it.get(5) == Some(&4)
                && matches!(be16(it, 6), Some(0..=2))
                && be16(it, 8).is_some_and(|part| u32::from(part) + 10 <= len)
                && len < 4096
        };
        seen_if(any_stream(heads, is_start), "a router telling its BGP sessions (BMP)")
    })
    .over(tcp(b"\x03"));

pub(super) const RPKI_RTR: Protocol =
    row("rpki-rtr", "system", "RPKI to Router Protocol", "RFC 8210", |heads| {
        // RFC 8210, section 5: a router asks for all, or for what is new since a number.
        let is_question = |it: &[u8]| {
            matches!(it, [0..=2, 2, 0, 0, 0, 0, 0, 8, ..] | [0..=2, 1, _, _, 0, 0, 0, 12, ..])
        };
        let is_answer =
            |it: &[u8]| it.is_empty() || matches!(it, [0..=2, 0 | 3 | 8 | 10, _, _, 0, 0, ..]);
        let is_seen = any_stream(heads, |_| true)
            && is_question(heads.client.bytes())
            && is_answer(heads.server.bytes());
        seen_if(is_seen, "a router asking who may announce what (RPKI)")
    })
    .over(tcp(b"\0\x01\x02"));

pub(super) const PCEP: Protocol =
    row("pcep", "system", "Path Computation Element Communication Protocol", "RFC 5440", |heads| {
        // RFC 5440, section 6: version 1, opening, the length, in which an object of its class has its own.
        let is_opening = |it: &[u8]| {
            let inner = be16(it, 6);
            it.starts_with(&[0x20, 1])
                && matches!(it.get(4..6), Some([1, 0x10..=0x13]))
                && inner.is_some_and(|len| {
                    len >= 8 && len.is_multiple_of(4) && be16(it, 2) == len.checked_add(4)
                })
                && it.get(8).is_some_and(|it| it >> 5 == 1)
        };
        seen_if(all_streams(heads, is_opening), "a router asking for paths (PCEP)")
    })
    .over(tcp(b"\x20"));

// Stages and studios.

pub(super) const ART_NET: Protocol =
    row("art-net", "media", "Art-Net stage lighting", "Artistic Licence, Art-Net 4", |heads| {
        seen_if(any_first(heads, |it| it.starts_with(b"Art-Net\0")), "a stage's lights (Art-Net)")
    })
    .over(udp(b"A"));

pub(super) const SACN: Protocol =
    row("sacn", "media", "Streaming ACN stage lighting", "ANSI E1.31, ANSI E1.17", |heads| {
        // ANSI E1.17: the sizes of what is before and behind, then its name.
        let is_packet = |it: &[u8]| it.starts_with(b"\0\x10\0\0ASC-E1.17\0\0\0");
        seen_if(any_first(heads, is_packet), "a stage's lights (sACN)")
    })
    .over(udp(b"\0"));

pub(super) const RTP_MIDI: Protocol =
    row("rtp-midi", "media", "RTP-MIDI sessions", "Apple, MIDI Network Driver Protocol", |heads| {
        // An invitation, its answers and its end, all of version 2.
        let is_command = |it: &[u8]| {
            begins(it, &[b"\xff\xffIN", b"\xff\xffOK", b"\xff\xffNO", b"\xff\xffBY"])
                && be32(it, 4) == Some(2)
        };
        seen_if(any_first(heads, is_command), "an instrument being invited (RTP-MIDI)")
    })
    .over(udp(b"\xff"));

pub(super) const SRT: Protocol =
    row("srt", "media", "Secure Reliable Transport", "draft-sharabayko-srt", |heads| {
        // A handshake of version 5; the first of all is one of version 4, as UDT has.
        let is_handshake =
            |it: &[u8]| it.starts_with(&[0x80, 0, 0, 0, 0, 0, 0, 0]) && be32(it, 16) == Some(5);
        seen_if(datagrams(heads).any(|it| is_handshake(it) && it.len() >= 64), "an SRT handshake")
    })
    .over(any_datagram(b"\x80"));

pub(super) const SPICE: Protocol = row(
    "spice",
    "other",
    "SPICE, displays of virtual machines",
    "Red Hat, Spice Remote Computing Protocol",
    |heads| {
        let is_greeting = |it: &[u8]| it.starts_with(b"REDQ") && matches!(le32(it, 4), Some(1 | 2));
        seen_if(
            all_streams(heads, is_greeting),
            "a greeting of a virtual machine's display (SPICE)",
        )
    },
)
.over(tcp(b"R"));

pub(super) const MPD: Protocol =
    row("mpd", "media", "Music Player Daemon", "Music Player Daemon, Protocol", |heads| {
        seen_if(any_stream(heads, |it| it.starts_with(b"OK MPD ")), "a greeting of a music player")
    })
    .over(tcp(b"O"));

pub(super) const IPERF3: Protocol =
    row("iperf3", "other", "iPerf 3", "ESnet, iperf3 (source)", |heads| {
        // The client's name for the test: 36 of 32 letters and digits, and a zero; a number of a state answers.
        let is_cookie = |it: &[u8]| {
            let name = it.get(..36).unwrap_or_default();
            name.len() == 36
                && name.iter().all(|it| matches!(it, b'a'..=b'z' | b'2'..=b'7'))
                && it.get(36) == Some(&0)
        };
        seen_if(any_stream(heads, is_cookie), "a measurement of iPerf 3")
    })
    .over(tcp_in(b'a'..=b'z').or(tcp(b"234567")));

#[cfg(test)]
mod tests {
    use flow::Heads;

    use crate::near::{check, padded, tcp, udp};

    #[test]
    fn stores_of_data() {
        check("nbd", &tcp(b"NBDMAGICIHAVEOPT\0\x03"), &tcp(b"NBDMAGIC IHAVEOPT"));
        let begin = padded(b"\0\0\x80\0\x80", 0, 128);
        check("nvme-tcp", &tcp(&begin), &tcp(&padded(b"\x02\0\x80\0\x80", 0, 128)));
        let version = b"\x13\0\0\0\x64\xff\xff\0\x20\0\0\x06\x009P2000";
        check("9p", &tcp(version), &tcp(b"\x13\0\0\0\x64\xff\xff\0\x20\0\0\x06\x008P2000"));
        let versions = b"\x60\x60\xb0\x17\0\0\x04\x05\0\0\x02\x04\0\0\x01\x04\0\0\0\x03";
        check("bolt", &tcp(versions), &tcp(&versions[1..]));
        let mut session = padded(b"\0\0\0\x2d", 0, 49);
        session[18..20].copy_from_slice(&[0x75, 0x30]);
        session[31] = 16;
        check("zookeeper", &tcp(&session), &tcp(&session[..31]));
        let attach = b"\0\0\0\x01\0\0\0\x13\0\0\0\x03\0\0\0\x01\0\0\0\x08employee";
        check("firebird", &tcp(attach), &tcp(&attach[4..]));
        let hello = b"\0\x11ClickHouse client\x16\x08";
        check("clickhouse", &tcp(hello), &tcp(&hello[1..]));
    }

    #[test]
    fn stores_of_code_and_letters() {
        check(
            "cvs",
            &tcp(b"BEGIN AUTH REQUEST\n/cvsroot\nanonymous\nA\n"),
            &tcp(b"BEGIN AUTH REQUESTS\n"),
        );
        check("distcc", &tcp(b"DIST00000001ARGC00000005"), &tcp(b"DIST00000009ARGC"));
        check(
            "managesieve",
            &Heads::tcp(b"", b"\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n"),
            &Heads::tcp(b"", b"IMPLEMENTATION \"Dovecot\"\r\n"),
        );
    }

    #[test]
    fn routers() {
        let start = b"\x03\0\0\0\x14\x04\0\x02\0\x02r1\0\x01\0\x04test";
        check("bmp", &tcp(start), &tcp(b"\x03\0\0\0\x14\x04\0\x02\0\x22r1"));
        check(
            "rpki-rtr",
            &Heads::tcp(b"\x01\x02\0\0\0\0\0\x08", b"\x01\x03\x12\x34\0\0\0\x08"),
            &Heads::tcp(b"\x01\x02\0\0\0\0\0\x08", b"\x01\x77\x12\x34\0\0\0\x08"),
        );
        let opening = b"\x20\x01\0\x0c\x01\x10\0\x08\x20\x1e\x78\0";
        check("pcep", &tcp(opening), &tcp(b"\x20\x01\0\x10\x01\x10\0\x08\x20\x1e\x78\0"));
    }

    #[test]
    fn stages_and_studios() {
        check("art-net", &udp(b"Art-Net\0\0\x50\0\x0e"), &udp(b"Art-Network"));
        let lights = b"\0\x10\0\0ASC-E1.17\0\0\0\x72\x6e";
        check("sacn", &udp(lights), &udp(&lights[4..]));
        let invitation = b"\xff\xffIN\0\0\0\x02\x12\x34\x56\x78\x9a\xbc\xde\xf0piano\0";
        check("rtp-midi", &udp(invitation), &udp(b"\xff\xffIN\0\0\0\x03\x12\x34\x56\x78"));
        let handshake = |version: u8| {
            let mut bytes = padded(b"\x80", 0, 64);
            bytes[19] = version;
            bytes
        };
        check("srt", &Heads::udp(&[&handshake(4), &handshake(5)], &[]), &udp(&handshake(4)));
        check("spice", &tcp(b"REDQ\x02\0\0\0\x02\0\0\0"), &tcp(b"REDQUEEN"));
        check("mpd", &Heads::tcp(b"", b"OK MPD 0.23.5\n"), &Heads::tcp(b"", b"OK, MPD\n"));
        let cookie = b"abcdefghijklmnopqrstuvwxyz234567abcd\0";
        check("iperf3", &Heads::tcp(cookie, b"\x09"), &Heads::tcp(&cookie[..36], b"\x09"));
    }
}
