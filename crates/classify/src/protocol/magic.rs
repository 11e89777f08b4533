//! Protocols that fixed bytes at fixed places tell: one row each, their tests below in one table.
//!
//! A protocol with more to read than that has a file of its own.

use super::{Protocol, row};
use crate::{
    bytes::{be16, be32, le32},
    look::{
        all_datagrams, all_streams, any_first, any_stream, begins, contains, datagrams,
        ends_at_be16, has_at, has_port, seen_if,
    },
    needs::{ANY, any, tcp, udp, udp_in},
};

// Sharing and talking.

pub(super) const GNUTELLA: Protocol =
    row("gnutella", "peer2peer", "Gnutella", "Klingberg and Manfredi, Gnutella 0.6", |heads| {
        // Version 0.6 greets; over UDP a message's header is 16 bytes of number, kind, life, hops and the payload's length.
        let is_message = |it: &[u8]| {
            let is_kind = matches!(
                it.get(16),
                Some(0 | 1 | 2 | 0x10 | 0x30 | 0x31 | 0x40 | 0x44 | 0x80 | 0x81)
            );
            let is_hops = matches!(it.get(17..19), Some([0..=15, 0..=15]));
            let is_len = le32(it, 19).is_some_and(|len| u64::from(len) + 23 == it.len() as u64);
            is_kind && is_hops && is_len || it.starts_with(b"GND") && it.len() >= 8
        };
        let is_greeting =
            any_stream(heads, |it| begins(it, &[b"GNUTELLA CONNECT/", b"GNUTELLA/0."]));
        seen_if(is_greeting || all_datagrams(heads, is_message), "a Gnutella message")
    })
    .over(tcp(b"G").or(udp(ANY)));

pub(super) const EDONKEY: Protocol = row(
    "edonkey",
    "peer2peer",
    "eDonkey and eMule",
    "Kulbak and Bickson, The eMule Protocol Specification",
    |heads| {
        // A mark, a length that counts what follows, and the greeting's number.
        let is_greeting = |it: &[u8]| {
            let is_mark = matches!(it.first(), Some(0xe3 | 0xc5 | 0xd4));
            let is_len = le32(it, 1).is_some_and(|len| (16..8192).contains(&len));
            is_mark && is_len && matches!(it.get(5..7), Some([0x01 | 0x4c, 0x10]))
        };
        seen_if(any_stream(heads, is_greeting), "an eDonkey greeting")
    },
)
.over(tcp(b"\xc5\xd4\xe3"));

pub(super) const WHATSAPP: Protocol =
    row("whatsapp", "messaging", "WhatsApp", "seen on the wire", |heads| {
        // The prologue of its Noise handshake, perhaps behind routing information.
        let is_prologue = |it: &[u8]| {
            matches!(it, [b'W', b'A', 1..=6, 0..=32, ..]) || it.starts_with(b"ED\0\x01")
        };
        seen_if(any_stream(heads, is_prologue), "the prologue of a WhatsApp connection")
    })
    .over(tcp(b"EW"));

pub(super) const TELEGRAM: Protocol =
    row("telegram", "messaging", "Telegram calls", "Telegram, libtgvoip (source)", |heads| {
        // A reflector of calls is addressed by 16 bytes that stay, then 12 of ones and what is wanted of it.
        let is_reflected = |it: &[u8]| has_at(it, 16, &[0xff; 12]) && !has_at(it, 29, &[0xff; 4]);
        let address = |it: &&[u8]| it.get(..16).map(<[u8]>::to_vec);
        let mut addresses =
            datagrams(heads).take(8).filter(|it| is_reflected(it)).map(|it| address(&it));
        let first = addresses.next().flatten();
        let is_seen = first.is_some() && addresses.next().is_some_and(|it| it == first);
        seen_if(is_seen, "messages to Telegram's reflector of calls")
    })
    .over(udp(ANY));

pub(super) const DISCORD: Protocol = row(
    "discord",
    "messaging",
    "Discord voice",
    "Discord Developer Documentation, Voice Connections",
    |heads| {
        // The search for the own address: kind 1 or 2, and 70 bytes.
        let is_search =
            |it: &[u8]| it.len() == 74 && begins(it, &[b"\0\x01\0\x46", b"\0\x02\0\x46"]);
        let is_alive = |it: &[u8]| it.len() == 8 && it.starts_with(b"\x13\x37\xca\xfe");
        let is_seen = any_first(heads, is_search) || all_datagrams(heads, is_alive);
        seen_if(is_seen, "a Discord voice channel's search for its own address")
    },
)
.over(udp(b"\0\x13"));

pub(super) const OICQ: Protocol =
    row("oicq", "messaging", "QQ (OICQ)", "seen on the wire", |heads| {
        let is_command = |it: &[u8]| matches!(be16(it, 3), Some(1..=0x1ff | 0x0800..=0x0900));
        let is_message = |it: &[u8]| {
            it.len() >= 12 && it.first() == Some(&2) && it.last() == Some(&3) && is_command(it)
        };
        seen_if(all_datagrams(heads, is_message), "a QQ message")
    })
    .over(udp(b"\x02"));

pub(super) const VIBER: Protocol =
    row("viber", "messaging", "Viber calls", "seen on the wire", |heads| {
        // Behind two bytes of number: kind, zero, the kind's version, zero; at the ports of its calls.
        let is_call =
            |it: &[u8]| matches!(it, [_, _, 0x01 | 0x11, 0, 5 | 0, 0, ..]) && it.len() >= 18;
        let is_port = has_port(heads, &[7985, 7987, 5243, 9785]);
        seen_if(is_port && any_first(heads, is_call), "a Viber call")
    })
    .over(udp(ANY));

pub(super) const ZOOM: Protocol =
    row("zoom", "voice", "Zoom, from client to client", "seen on the wire", |heads| {
        // Between two clients: kind 0x1f, a fixed second byte, and the own address as text.
        let is_direct = |it: &[u8]| {
            let len = be32(it, 24).unwrap_or_default() as usize;
            let text = it.get(28..).and_then(|it| it.get(..len)).unwrap_or_default();
            it.starts_with(b"\x1f\x02\x01\0")
                && text.len() >= 7
                && text.iter().all(u8::is_ascii_graphic)
        };
        seen_if(any_first(heads, is_direct), "two Zoom clients finding each other")
    })
    .over(udp(b"\x1f"));

pub(super) const SD_RTN: Protocol = row(
    "sd-rtn",
    "voice",
    "Agora Software Defined Real-time Network",
    "seen on the wire",
    |heads| {
        let is_greeting = |it: &[u8]| it.first() == Some(&0) && has_at(it, 12, b"\x04SNI\0");
        seen_if(any_first(heads, is_greeting), "a greeting of Agora's network for calls")
    },
)
.over(udp(b"\0"));

pub(super) const MUMBLE: Protocol = row(
    "mumble",
    "voice",
    "Mumble server ping",
    "Mumble Wiki, Protocol",
    |heads| {
        // A ping of 12 bytes whose answer repeats its number.
        let ping = heads.client.datagrams().next().filter(|it| it.len() == 12);
        let answer = heads.server.datagrams().next().filter(|it| it.len() == 24);
        let is_pair = matches!((ping, answer), (Some(ping), Some(answer))
        if ping.starts_with(&[0; 4]) && ping.get(4..) == answer.get(4..12) && answer.first() == Some(&0));
        seen_if(is_pair, "a Mumble server's answer to a ping")
    },
)
.over(any(b"\0"));

pub(super) const TEAMSPEAK: Protocol =
    row("teamspeak", "voice", "TeamSpeak 3", "ReSpeak, ts3protocol", |heads| {
        // Its opening; and the licence server's short messages that begin with a counter and 0x8x.
        seen_if(any_first(heads, |it| it.starts_with(b"TS3INIT1")), "a TeamSpeak 3 opening")
    })
    .over(udp(b"T"));

pub(super) const SPOTIFY: Protocol =
    row("spotify", "media", "Spotify", "seen on the wire", |heads| {
        let is_greeting = |it: &[u8]| matches!(it, [0, 4, 0, 0, _, _, 0x52, 0x0e | 0x0f, 0x50, ..]);
        let is_seen =
            any_first(heads, |it| it.starts_with(b"SpotUdp")) || any_stream(heads, is_greeting);
        seen_if(is_seen, "a greeting of a Spotify player")
    })
    .over(tcp(b"\0").or(udp(b"S")));

pub(super) const DROPBOX: Protocol =
    row("dropbox", "cloud", "Dropbox LAN sync", "seen on the wire", |heads| {
        let is_seen =
            any_first(heads, |it| it.starts_with(b"{\"") && contains(it, b"\"host_int\": "));
        seen_if(is_seen, "Dropbox looking for computers of the network")
    })
    .over(udp(b"{"));

pub(super) const XIAOMI: Protocol =
    row("xiaomi", "system", "Xiaomi push service", "seen on the wire", |heads| {
        let is_seen = any_stream(heads, |it| it.starts_with(b"\xc2\xfe\0\x05\0\0"));
        seen_if(is_seen, "a message of Xiaomi's push service")
    })
    .over(tcp(b"\xc2"));

pub(super) const DINGTALK: Protocol =
    row("dingtalk", "messaging", "DingTalk", "seen on the wire", |heads| {
        let is_seen = any_stream(heads, |it| it.starts_with(b"\x10\x64\x87\x80\x01"));
        seen_if(is_seen, "a greeting of DingTalk")
    })
    .over(tcp(b"\x10"));

pub(super) const ALICLOUD: Protocol =
    row("alicloud", "cloud", "Alibaba Cloud", "seen on the wire", |heads| {
        let is_seen = all_streams(heads, |it| it.starts_with(b"\xce\xfa\xbe\xba"));
        seen_if(is_seen, "a message of Alibaba's cloud")
    })
    .over(tcp(b"\xce"));

pub(super) const SYNCTHING: Protocol = row(
    "syncthing",
    "files",
    "Syncthing discovery and relays",
    "Syncthing, Local Discovery Protocol and Relay Protocol",
    |heads| {
        // Local discovery and relays (its block exchange and discovery protocols).
        let is_found = any_first(heads, |it| it.starts_with(b"\x2e\xa7\xd9\x0b"));
        let is_relayed =
            any_stream(heads, |it| begins(it, &[b"\x9e\x79\xbc\x40", b"\x2e\xa7\xd9\x0b"]));
        seen_if(is_found || is_relayed, "Syncthing looking for its devices")
    },
)
.over(tcp(b"\x2e\x9e").or(udp(b"\x2e")));

// Tunnels and ways into other machines.

pub(super) const VNC: Protocol =
    row("vnc", "other", "Virtual Network Computing (RFB)", "RFC 6143", |heads| {
        seen_if(any_stream(heads, |it| it.starts_with(b"RFB 00")), "a VNC greeting (RFC 6143)")
    })
    .over(tcp(b"R"));

pub(super) const TEAMVIEWER: Protocol =
    row("teamviewer", "other", "TeamViewer", "seen on the wire", |heads| {
        let is_stream =
            any_stream(heads, |it| begins(it, &[b"\x17\x24", b"\x11\x30"]) && it.len() > 2);
        let is_datagram = all_datagrams(heads, |it| has_at(it, 11, b"\x17\x24"));
        let is_port = has_port(heads, &[5938]);
        let is_known = any_stream(heads, |it| {
            matches!(it, [0x17, 0x24, 0x0a..=0x3f, 0x10..=0x30, ..]) && it.len() >= 9
        });
        seen_if(is_known || is_port && is_stream || is_datagram, "a TeamViewer message")
    })
    .over(tcp(b"\x11\x17").or(udp(ANY)));

pub(super) const TINC: Protocol = row(
    "tinc",
    "tunnel",
    "tinc virtual private network",
    "tinc Manual, The meta-protocol",
    |heads| {
        // Both ends say who they are in a line: number of the request, name, version.
        let is_id = |it: &[u8]| {
            let line = it.split(|it| *it == b'\n').next().unwrap_or_default();
            let mut words = line.split(|it| *it == b' ');
            let (zero, name, version) = (words.next(), words.next(), words.next());
            let is_name = name.is_some_and(|it| {
                !it.is_empty() && it.iter().all(|it| it.is_ascii_alphanumeric() || *it == b'_')
            });
            zero == Some(b"0") && is_name && matches!(version, Some([b'1', b'7'..=b'9', ..]))
        };
        seen_if(all_streams(heads, is_id), "two ends of a tinc network naming themselves")
    },
)
.over(tcp(b"0"));

pub(super) const PPTP: Protocol =
    row("pptp", "tunnel", "Point-to-Point Tunneling Protocol", "RFC 2637", |heads| {
        // A control message and its cookie (RFC 2637, section 1.4).
        let is_control = |it: &[u8]| has_at(it, 2, b"\0\x01\x1a\x2b\x3c\x4d");
        seen_if(any_stream(heads, is_control), "a PPTP control message")
    })
    .over(tcp(ANY));

pub(super) const TEREDO: Protocol =
    row("teredo", "tunnel", "Teredo, IPv6 through NATs", "RFC 4380", |heads| {
        // An IPv6 packet whose addresses show it, perhaps behind an indication (RFC 4380, section 5.1.1).
        let is_inner = |it: &[u8]| {
            let is_ipv6 = it.first().is_some_and(|it| it >> 4 == 6);
            let address = |at: usize| {
                it.get(at..)
                    .is_some_and(|it| begins(it, &[b"\x20\x01\0\0", b"\xfe\x80", b"\xff\x02"]))
            };
            is_ipv6 && it.len() >= 40 && (address(8) || address(24))
        };
        let is_teredo = |it: &[u8]| match it {
            [0, 1, client, auth, rest @ ..] => {
                let skip = 9 + usize::from(*client) + usize::from(*auth);
                let inner = rest.get(skip..).unwrap_or_default();
                is_inner(inner.strip_prefix(&[0, 0]).and_then(|it| it.get(6..)).unwrap_or(inner))
            }
            [0, 0, _, _, _, _, _, _, inner @ ..] => is_inner(inner),
            _ => is_inner(it),
        };
        seen_if(
            has_port(heads, &[3544]) && all_datagrams(heads, is_teredo),
            "IPv6 in a Teredo tunnel",
        )
    })
    .over(udp(b"\0").or(udp_in(0x60..=0x6f)));

pub(super) const CITRIX: Protocol = row(
    "citrix",
    "other",
    "Citrix ICA and CGP",
    "seen on the wire, over UDP in UDT (draft-gg-udt)",
    |heads| {
        let is_seen = any_stream(heads, |it| begins(it, &[b"\x7f\x7fICA\0", b"\x1aCGP/01"]));
        // Over UDP it is UDT: control packets of eight kinds, or data in messages of one packet.
        let is_control = |it: &[u8]| matches!(it, [0x80, 0..=7, 0, 0, ..]) && it.len() >= 16;
        let is_alone = |it: &[u8]| {
            matches!(it.first(), Some(0..=0x7f)) && it.get(4).is_some_and(|it| it & 0xc0 == 0xc0)
        };
        let is_more_than_one =
            || heads.client.datagrams().chain(heads.server.datagrams()).nth(1).is_some();
        let is_udt = has_port(heads, &[1494, 2598])
            && all_datagrams(heads, |it| is_control(it) || is_alone(it))
            && (is_more_than_one() || any_first(heads, is_control));
        seen_if(is_seen || is_udt, "a Citrix session")
    },
)
.over(tcp(b"\x1a\x7f").or(udp_in(0..=0x80)));

pub(super) const X11: Protocol =
    row("x11", "other", "X Window System", "X.Org, X Window System Protocol", |heads| {
        // Byte order, version 11, minor version 0 (X Window System Protocol, section 8).
        let greeting = heads.client.bytes();
        let is_little = greeting.starts_with(b"l\0\x0b\0\0\0");
        let is_greeting = is_little || greeting.starts_with(b"B\0\0\x0b\0\0");
        let is_seen = is_greeting
            && any_stream(heads, |it| has_at(it, 12, b"MIT-MAGIC-COOKIE-1") || it.len() == 12);
        seen_if(is_seen, "an X11 client's greeting")
    })
    .over(tcp(b"Bl"));

pub(super) const XDMCP: Protocol = row(
    "xdmcp",
    "other",
    "X Display Manager Control Protocol",
    "X.Org, X Display Manager Control Protocol",
    |heads| {
        // Version 1, a request's number and the length of the rest.
        let is_seen = has_port(heads, &[177])
            && all_datagrams(heads, |it| {
                it.starts_with(b"\0\x01\0")
                    && matches!(it.get(3), Some(1..=15))
                    && ends_at_be16(it, 4, 6)
            });
        seen_if(is_seen, "an X display looking for a host")
    },
)
.over(udp(b"\0"));

// Files and code.

pub(super) const RSYNC: Protocol =
    row("rsync", "files", "rsync", "rsync, csprotocol.txt", |heads| {
        seen_if(any_stream(heads, |it| it.starts_with(b"@RSYNCD: ")), "an rsync greeting")
    })
    .over(tcp(b"@"));

pub(super) const GIT: Protocol =
    row("git", "files", "Git", "Git documentation, gitprotocol-pack", |heads| {
        let services: &[&[u8]] =
            &[b"git-upload-pack /", b"git-receive-pack /", b"git-upload-archive /"];
        let is_request = |it: &[u8]| {
            let (len, rest) = it.split_at_checked(4).unwrap_or_default();
            len.len() == 4 && len.iter().all(u8::is_ascii_hexdigit) && begins(rest, services)
        };
        seen_if(any_stream(heads, is_request), "a Git request")
    })
    .over(tcp(b"0123456789ABCDEFabcdef"));

pub(super) const SVN: Protocol =
    row("svn", "files", "Subversion", "Apache Subversion, ra_svn protocol", |heads| {
        let is_seen = any_stream(heads, |it| it.starts_with(b"( success ( 2 2 ("));
        seen_if(is_seen, "a Subversion greeting")
    })
    .over(tcp(b"("));

pub(super) const AFP: Protocol = row(
    "afp",
    "files",
    "Apple Filing Protocol",
    "Apple, Apple Filing Protocol Programming Guide",
    |heads| {
        // A request or answer of the Data Stream Interface; command, number, an offset of zero, a length.
        let is_message = |it: &[u8]| {
            matches!(it, [0 | 1, 1..=8, _, _, 0, 0, 0, 0, 0, 0, ..])
                && has_at(it, 12, &[0; 4])
                && be32(it, 8).is_some_and(|len| u64::from(len) + 16 <= it.len() as u64)
        };
        seen_if(has_port(heads, &[548]) && all_streams(heads, is_message), "an AFP request")
    },
)
.over(tcp(b"\0\x01"));

pub(super) const LUSTRE: Protocol =
    row("lustre", "files", "Lustre file system", "Lustre, socklnd (source)", |heads| {
        // The greeting of its network's sockets, in the sender's byte order.
        let is_seen = any_stream(heads, |it| {
            begins(it, &[b"\x00\x71\xce\xac\x01", b"cirE", b"\x00\x72\xce\xac"])
        });
        seen_if(is_seen, "a greeting of a Lustre file system")
    })
    .over(tcp(b"\0c"));

pub(super) const UFTP: Protocol =
    row("uftp", "files", "UFTP, files to many at once", "UFTP, protocol.txt", |heads| {
        // Versions 4 and 5, kinds of messages up to 20; the sender's number and its group follow.
        let is_message = |it: &[u8]| matches!(it, [0x40 | 0x50, 1..=20, ..]) && it.len() >= 16;
        let sender = |it: &[u8]| it.get(4..12).map(<[u8]>::to_vec);
        let is_one = || {
            let messages: Vec<&[u8]> = heads.client.datagrams().take(4).collect();
            let first = messages.first().and_then(|it| sender(it));
            let n_needed = if has_port(heads, &[1044]) { 1 } else { 3 };
            messages.len() >= n_needed && messages.iter().all(|it| sender(it) == first)
        };
        seen_if(all_datagrams(heads, is_message) && is_one(), "a file sent by UFTP to many")
    })
    .over(udp(b"\x40\x50"));

pub(super) const FLUTE: Protocol =
    row("flute", "files", "File Delivery over Unidirectional Transport", "RFC 6726", |heads| {
        // Layered coding transport version 1 (RFC 6726), whose first object is the table of files.
        let is_table = |it: &[u8]| matches!(it, [0x10, 0x10, ..]) && contains(it, b"<FDT-Instance");
        seen_if(any_first(heads, is_table), "a table of files sent by FLUTE")
    })
    .over(udp(b"\x10"));

// Media.

pub(super) const RTMP: Protocol = row(
    "rtmp",
    "media",
    "Real-Time Messaging Protocol",
    "Adobe, Real-Time Messaging Protocol 1.0",
    |heads| {
        // Version 3, a time, four zeros, then noise up to 1537 bytes; the server's version follows the time instead.
        let is_client =
            |it: &[u8]| matches!(it, [3, _, _, _, _, 0, 0, 0, 0, ..]) && it.len() >= 1400;
        let is_server = |it: &[u8]| it.first() == Some(&3) && it.len() >= 1400;
        let (client, server) = (heads.client.bytes(), heads.server.bytes());
        let is_pair = is_server(client) && is_server(server) && has_port(heads, &[1935]);
        let is_answered = is_client(client) && (server.is_empty() || is_server(server));
        let is_tcp = any_stream(heads, |_| true);
        seen_if(
            is_tcp && (is_pair || is_answered || client.is_empty() && is_client(server)),
            "an RTMP greeting",
        )
    },
)
.over(tcp(b"\x03"));

pub(super) const TIVO: Protocol = row(
    "tivoconnect",
    "media",
    "TiVoConnect discovery",
    "TiVo, TiVoConnect Automatic Machine Discovery Protocol",
    |heads| {
        seen_if(
            any_first(heads, |it| it.starts_with(b"TiVoConnect=")),
            "a TiVo player's announcement",
        )
    },
)
.over(udp(b"T"));

// Games.

pub(super) const SOURCE_ENGINE: Protocol = row(
    "source-engine",
    "games",
    "Queries of Source engine servers",
    "Valve Developer Community, Server queries",
    |heads| {
        // Valve's server queries: four ones, then a letter.
        let is_query = |it: &[u8]| {
            it.starts_with(b"\xff\xff\xff\xffTSource Engine Query")
                || matches!(it, [0xff, 0xff, 0xff, 0xff, b'I', 17, ..])
                || it.starts_with(b"\xff\xff\xff\xffgetchallenge")
        };
        seen_if(any_first(heads, is_query), "a query of a game server of Valve")
    },
)
.over(udp(b"\xff"));

pub(super) const STEAM: Protocol = row(
    "steam",
    "games",
    "Steam client and its in-home streaming",
    "SteamKit (source); Coding Range, Steam In-Home Streaming Discovery Protocol",
    |heads| {
        let is_found = any_first(heads, |it| {
            it.starts_with(b"\xff\xff\xff\xff\x21\x4c\x5f\xa0") || begins(it, &[b"VS01"])
        });
        let is_stream = any_stream(heads, |it| has_at(it, 4, b"VT01"));
        seen_if(is_found || is_stream, "a message of the Steam client")
    },
)
.over(tcp(ANY).or(udp(b"\xffV")));

pub(super) const QUAKE: Protocol = row(
    "quake",
    "games",
    "Queries of Quake servers",
    "id Software, Quake III Arena and Doom 3 (source)",
    |heads| {
        let words: &[&[u8]] = &[
            b"\xff\xff\xff\xffgetstatus",
            b"\xff\xff\xff\xffgetinfo",
            b"\xff\xff\xff\xffgetservers",
            b"\xff\xff\xff\xffstatusResponse",
            b"\xff\xff\xff\xffinfoResponse",
            b"\xff\xffgetInfo",
        ];
        seen_if(any_first(heads, |it| begins(it, words)), "a query of a Quake server")
    },
)
.over(udp(b"\xff"));

pub(super) const RAKNET: Protocol =
    row("raknet", "games", "RakNet", "Jenkins Software, RakNet (source)", |heads| {
        // Messages before a connection hold the same 16 bytes, wherever.
        let magic = b"\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78";
        let is_open = |it: &[u8]| {
            matches!(it.first(), Some(1 | 2 | 5..=8 | 0x1c | 0x7b | 0x78))
                && contains(it.get(..60).unwrap_or(it), magic)
        };
        seen_if(any_first(heads, is_open), "a RakNet connection being opened")
    })
    .over(udp(b"\x01\x02\x05\x06\x07\x08\x1c\x78\x7b"));

pub(super) const YOJIMBO: Protocol =
    row("yojimbo", "games", "netcode, the transport of Yojimbo", "netcode, STANDARD.md", |heads| {
        seen_if(
            any_first(heads, |it| it.starts_with(b"\0NETCODE 1.0")),
            "a netcode connection request",
        )
    })
    .over(udp(b"\0"));

pub(super) const NINTENDO: Protocol = row(
    "nintendo",
    "games",
    "Nintendo consoles playing together (Pia)",
    "NintendoClients wiki, Pia Protocol",
    |heads| {
        let is_seen =
            any_first(heads, |it| begins(it, &[b"\x32\xab\x98\x64\x01", b"\x32\xab\x98\x64\x02"]));
        seen_if(is_seen, "two Nintendo consoles playing")
    },
)
.over(udp(b"\x32"));

pub(super) const STARCRAFT: Protocol =
    row("starcraft", "games", "StarCraft II", "seen on the wire", |heads| {
        let is_seen = heads.client.bytes().starts_with(b"\x4a\0\0\x0a\x66\x02\x0a\xed\x2d\x66");
        seen_if(is_seen && any_stream(heads, |_| true), "a StarCraft II greeting")
    })
    .over(tcp(b"\x4a"));

pub(super) const ACTIVISION: Protocol = row(
    "activision",
    "games",
    "Activision games",
    "seen on the wire",
    |heads| {
        // A greeting and its echo that differ in the first byte.
        let client = heads.client.datagrams().next().unwrap_or_default();
        let server = heads.server.datagrams().next().unwrap_or_default();
        let is_pair = matches!((client, server), ([0x0d, 2, 0, from @ ..], [0x0c, 2, 0, to @ ..]) if from == to);
        seen_if(is_pair && client.len() == 29, "an Activision game's greeting and its echo")
    },
)
.over(any(b"\x0d"));

pub(super) const GENSHIN: Protocol =
    row("genshin-impact", "games", "Genshin Impact", "seen on the wire", |heads| {
        // The handshake of its transport: 255 and the number 1234567890, then ones.
        let is_greeting = |it: &[u8]| {
            it.starts_with(b"\0\0\0\xff") && has_at(it, 12, b"\x49\x96\x02\xd2\xff\xff\xff\xff")
                || it.starts_with(b"\0\0\x01\x45")
                    && has_at(it, 12, b"\x49\x96\x02\xd2\x14\x51\x45\x45")
        };
        let is_stream = any_stream(heads, |it| it.starts_with(b"\x01\0\0\0\x06\0\0\0"));
        seen_if(any_first(heads, is_greeting) && !is_stream, "a Genshin Impact handshake")
    })
    .over(udp(b"\0"));

pub(super) const EPIC: Protocol = row(
    "epicgames",
    "games",
    "Unreal Engine handshake of Epic Games",
    "Epic Games, Unreal Engine, StatelessConnectHandlerComponent (source)",
    |heads| {
        // An Unreal Engine handshake that begins with its cookie's space empty, and its answer of the same start.
        let client = heads.client.datagrams().next().unwrap_or_default();
        let is_empty = client.len() >= 40 && client.get(12..36) == Some(&[0; 24]);
        let is_start = |it: &[u8]| has_at(it, 4, b"\x08\x98\x22\x65\x74\x04");
        seen_if(is_empty && is_start(client), "an Unreal Engine handshake of Epic Games")
    },
)
.over(any(ANY));

pub(super) const GAIJIN: Protocol =
    row("gaijin-entertainment", "games", "Gaijin games", "seen on the wire", |heads| {
        let is_seen = any_first(heads, |it| begins(it, &[b"embeddedupdater.start,env="]));
        seen_if(is_seen, "a Gaijin game reporting its update")
    })
    .over(udp(b"e"));

pub(super) const ZUG: Protocol = row("zug", "games", "Zug", "seen on the wire", |heads| {
    seen_if(any_first(heads, |it| it.starts_with(b"\0zUG\x10")), "a greeting of the game Zug")
})
.over(udp(b"\0"));

#[cfg(test)]
mod tests {
    use flow::Heads;

    use crate::near::{check, tcp, udp};

    #[test]
    fn sharing_and_talking() {
        let gnutella = b"0123456789abcdef\x00\x01\x00\x00\x00\x00\x00";
        check("gnutella", &udp(gnutella), &udp(b"0123456789abcdef\x00\x01\x00\x01\x00\x00\x00"));
        check("gnutella", &tcp(b"GNUTELLA CONNECT/0.6\r\n"), &tcp(b"GNUTELLAS"));
        check(
            "edonkey",
            &tcp(b"\xe3\x20\0\0\0\x01\x10 and so on"),
            &tcp(b"\xe3\x20\0\0\0\x01\x11 and so on"),
        );
        check("whatsapp", &tcp(b"WA\x06\x05noise"), &tcp(b"WAIT"));
        let reflected = |n: u8| [&[n; 16][..], &[0xff; 12], b"\xc7\x72\x15\xc0"].concat();
        let (one, other) = (reflected(1), reflected(2));
        check("telegram", &Heads::udp(&[&one, &one], &[]), &Heads::udp(&[&one, &other], &[]));
        let search = |kind: u8| [&[0, kind, 0, 70][..], &[0; 70]].concat();
        check("discord", &udp(&search(1)), &udp(&search(3)));
        check(
            "oicq",
            &udp(b"\x02\x3b\x0b\0\x01\x12\x34account\x03"),
            &udp(b"\x02\x3b\x0b\0\x01\x12\x34account\x04"),
        );
        let call = [b"\x12\x34\x11\0\0\0".as_slice(), &[7; 12]].concat();
        check("viber", &udp(&call).with_ports(50_000, 7985), &udp(&call));
        let zoom = [b"\x1f\x02\x01\0".as_slice(), &[0; 20], b"\0\0\0\x0810.0.0.1"].concat();
        check("zoom", &udp(&zoom), &udp(&zoom[..30]));
        check(
            "sd-rtn",
            &udp(b"\0\x60\x2d\x94\0\0\x21\0\0\0\0\0\x04SNI\0\x1c"),
            &udp(b"\0\x60\x2d\x94\0\0\x21\0\0\0\0\0SNI\0\x1c"),
        );
        let (ping, answer) =
            (b"\0\0\0\0pingping", b"\0\x01\x03\0pingping\0\0\0\0\0\0\0\x64\0\x01\x19\x40");
        check(
            "mumble",
            &Heads::udp(&[ping], &[answer]),
            &Heads::udp(&[ping], &[b"\0\x01\x03\0pongpong\0\0\0\0\0\0\0\x64\0\x01\x19\x40"]),
        );
        check("teamspeak", &udp(b"TS3INIT1\0\x65\0\0\x88"), &udp(b"TS3SERVER"));
        check("spotify", &udp(b"SpotUdp0abc"), &tcp(b"SpotUdp0abc"));
        check(
            "dropbox",
            &udp(b"{\"version\": [2, 0], \"host_int\": 1}"),
            &udp(b"{\"version\": [2, 0]}"),
        );
        check("xiaomi", &tcp(b"\xc2\xfe\0\x05\0\0\0\xcd"), &tcp(b"\xc2\xfe\0\x06\0\0\0\xcd"));
        check("dingtalk", &tcp(b"\x10\x64\x87\x80\x01\0"), &tcp(b"\x10\x64\x87\x81\x01\0"));
        check("alicloud", &tcp(b"\xce\xfa\xbe\xba\x80\0\0\0"), &tcp(b"\xce\xfa\xbe\xbb\x80\0\0\0"));
        check("syncthing", &udp(b"\x2e\xa7\xd9\x0b\x0a"), &udp(b"\x2e\xa7\xd9\x0c\x0a"));
    }

    #[test]
    fn tunnels_and_ways_into_other_machines() {
        check("vnc", &Heads::tcp(b"", b"RFB 003.008\n"), &Heads::tcp(b"", b"RFC 003.008\n"));
        check(
            "teamviewer",
            &tcp(b"\x17\x24\x0a\x20\0\0\0\0\0"),
            &tcp(b"\x17\x24\xff\x20\0\0\0\0\0"),
        );
        check(
            "tinc",
            &Heads::tcp(b"0 alice 17.3\n", b"0 bob 17.3\n"),
            &Heads::tcp(b"0 alice 17.3\n", b"1 bob\n"),
        );
        check(
            "pptp",
            &tcp(b"\0\x9c\0\x01\x1a\x2b\x3c\x4d\0\x01"),
            &tcp(b"\0\x9c\0\x01\x1a\x2b\x3c\x4e\0\x01"),
        );
        let inner = [b"\x60\0\0\0\0\0\x3b\x15\x20\x01\0\0".as_slice(), &[7; 28]].concat();
        check("teredo", &udp(&inner).with_ports(50_000, 3544), &udp(&inner));
        check("citrix", &tcp(b"\x7f\x7fICA\0"), &tcp(b"\x7f\x7fICE\0"));
        check(
            "x11",
            &tcp(b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1"),
            &tcp(b"l\0\x0c\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1"),
        );
        check(
            "xdmcp",
            &udp(b"\0\x01\0\x02\0\x01\0").with_ports(50_000, 177),
            &udp(b"\0\x01\0\x02\0\x02\0").with_ports(50_000, 177),
        );
    }

    #[test]
    fn files_and_media() {
        check("rsync", &tcp(b"@RSYNCD: 31.0\n"), &tcp(b"RSYNCD: 31.0\n"));
        check(
            "git",
            &tcp(b"003egit-upload-pack /project.git\0"),
            &tcp(b"git-upload-pack /project.git\0"),
        );
        check(
            "svn",
            &Heads::tcp(b"", b"( success ( 2 2 ( ) ( edit-pipeline"),
            &Heads::tcp(b"", b"( success )"),
        );
        let afp = b"\0\x02\x22\xc6\0\0\0\0\0\0\0\x02\0\0\0\0ab";
        check("afp", &tcp(afp).with_ports(50_000, 548), &tcp(afp));
        check("lustre", &tcp(b"\0\x71\xce\xac\x01\0\0\0"), &tcp(b"\0\x71\xce\xac\x02\0\0\0"));
        let uftp = |kind: u8| [&[0x40, kind, 0, 1][..], b"senderXY", &[0; 8]].concat();
        let (one, two, three) = (uftp(1), uftp(2), uftp(99));
        check(
            "uftp",
            &Heads::udp(&[&one, &two, &one], &[]),
            &Heads::udp(&[&one, &two, &three], &[]),
        );
        check("flute", &udp(b"\x10\x10\x08\0<FDT-Instance Expires"), &udp(b"\x10\x10\x08\0<FDT"));
        let greeting = [&[3, 0, 0, 0, 1, 0, 0, 0, 0][..], &[7; 1500]].concat();
        check("rtmp", &tcp(&greeting), &tcp(&greeting[..1000]));
        check("tivoconnect", &udp(b"TiVoConnect=1\n"), &udp(b"TiVo=1\n"));
    }

    #[test]
    fn games() {
        check(
            "source-engine",
            &udp(b"\xff\xff\xff\xffTSource Engine Query\0"),
            &udp(b"\xff\xff\xff\xffTSource"),
        );
        check("steam", &tcp(b"\x20\0\0\0VT01abc"), &tcp(b"VT01abc"));
        check("quake", &udp(b"\xff\xff\xff\xffgetstatus\n"), &udp(b"\xff\xff\xff\xffgetstate\n"));
        let raknet = b"\x05\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78\x06";
        check("raknet", &udp(raknet), &udp(&raknet[..15]));
        check("yojimbo", &udp(b"\0NETCODE 1.02\0"), &udp(b"\0NETCODE 2\0"));
        check("nintendo", &udp(b"\x32\xab\x98\x64\x02\0"), &udp(b"\x32\xab\x98\x65\x02\0"));
        check(
            "starcraft",
            &tcp(b"\x4a\0\0\x0a\x66\x02\x0a\xed\x2d\x66"),
            &tcp(b"\x4a\0\0\x0a\x66"),
        );
        let greet = |first: u8| [&[first, 2, 0][..], &[7; 26]].concat();
        check(
            "activision",
            &Heads::udp(&[&greet(13)], &[&greet(12)]),
            &Heads::udp(&[&greet(13)], &[&greet(13)]),
        );
        let genshin = b"\0\0\0\xff\0\0\0\0\0\0\0\0\x49\x96\x02\xd2\xff\xff\xff\xff";
        check("genshin-impact", &udp(genshin), &udp(&genshin[..16]));
        let epic = [b"\x47\x1a\x20\0\x08\x98\x22\x65\x74\x04\0\0".as_slice(), &[0; 42]].concat();
        check("epicgames", &udp(&epic), &udp(&epic[..30]));
        check("gaijin-entertainment", &udp(b"embeddedupdater.start,env=x"), &udp(b"embedded"));
        check("zug", &udp(b"\0zUG\x10\x99"), &udp(b"\0zUG\x11\x99"));
    }
}
