//! What devices at home, games and their like say, told by fixed bytes at fixed places: one row each, tests below.

use super::{Protocol, row};
use crate::{
    bytes::{be16, be32, le16, le32},
    look::{
        all_datagrams, all_streams, any_first, any_stream, begins, contains, ends_at_be16,
        ends_at_be32, has_at, has_port, seen_if,
    },
    needs::{ANY, either, tcp, tcp_in, udp},
};

// Devices.

pub(super) const TPLINK_SHP: Protocol = row(
    "tplink-shp",
    "system",
    "TP-Link Smart Home Protocol",
    "softScheck, Reverse Engineering the TP-Link HS110",
    |heads| {
        // JSON of which each byte is mixed with the one before, beginning with 171; over TCP behind its length.
        const START: &[u8] = b"{\"";
        let is_json = |it: &[u8]| {
            let mut key = 171;
            let plain = it.iter().take(START.len() + 1).map(|it| {
                let plain = it ^ key;
                key = *it;
                plain
            });
            let plain: Vec<u8> = plain.collect();
            plain.starts_with(START) && plain.get(2).is_some_and(u8::is_ascii_lowercase)
        };
        let is_framed = |it: &[u8]| {
            be32(it, 0).is_some_and(|len| (2..1 << 20).contains(&len))
                && it.get(4..).is_some_and(is_json)
        };
        let is_seen = has_port(heads, &[9999])
            && (all_datagrams(heads, is_json) || all_streams(heads, is_framed));
        seen_if(is_seen, "a message of a TP-Link smart home device")
    },
)
.over(tcp(b"\0").or(udp(b"\xd0")));

pub(super) const TUYA: Protocol =
    row("tuya-lp", "system", "Tuya local protocol of smart devices", "seen on the wire", |heads| {
        // A mark before and one behind; between them number, command, length of the rest.
        let is_message = |it: &[u8]| {
            has_at(it, 0, &[0, 0, 0x55, 0xaa]) && ends_at_be32(it, 12, 16)
                || has_at(it, 0, &[0, 0, 0x66, 0x99])
        };
        let is_ended =
            |it: &[u8]| it.ends_with(&[0, 0, 0xaa, 0x55]) || it.ends_with(&[0, 0, 0x99, 0x66]);
        let is_seen = all_datagrams(heads, |it| is_message(it) && is_ended(it))
            || all_streams(heads, |it| has_at(it, 0, &[0, 0, 0x55, 0xaa]));
        seen_if(is_seen, "a message of a Tuya smart home device")
    })
    .over(either(b"\0"));

pub(super) const MIIO: Protocol = row(
    "miio",
    "system",
    "Xiaomi Mi Home binary protocol",
    "OpenMiHome, Mi Home Binary Protocol",
    |heads| {
        let is_message = |it: &[u8]| has_at(it, 0, &[0x21, 0x31]) && ends_at_be16(it, 2, 0);
        let is_seen = all_datagrams(heads, |it| is_message(it) && it.len() >= 32);
        seen_if(is_seen, "a message of a Xiaomi smart home device")
    },
)
.over(udp(b"\x21"));

pub(super) const UBIQUITI: Protocol =
    row("ubiquiti-discovery", "system", "Ubiquiti device discovery", "seen on the wire", |heads| {
        // Version 1 or 2, a command, the length of what follows, then types with lengths.
        let is_message =
            |it: &[u8]| matches!(it, [1 | 2, 0 | 6 | 8..=11, ..]) && ends_at_be16(it, 2, 4);
        let is_seen = has_port(heads, &[10001]) && all_datagrams(heads, is_message);
        seen_if(is_seen, "a Ubiquiti device looking for others")
    })
    .over(udp(b"\x01\x02"));

pub(super) const MNDP: Protocol =
    row("mndp", "system", "MikroTik Neighbor Discovery Protocol", "seen on the wire", |heads| {
        let is_asked = |it: &[u8]| it == [0; 4];
        // Behind four bytes types with lengths; the first is the address.
        let is_told = |it: &[u8]| has_at(it, 4, &[0, 1, 0, 6]) && it.len() > 14;
        let is_seen =
            has_port(heads, &[5678]) && all_datagrams(heads, |it| is_asked(it) || is_told(it));
        seen_if(is_seen, "a MikroTik router telling its neighbours")
    })
    .over(udp(ANY));

pub(super) const ADB: Protocol = row(
    "adb",
    "other",
    "Android Debug Bridge",
    "Android Open Source Project, adb protocol.txt",
    |heads| {
        // Command, two arguments, length, sum, and the command again with all bits turned.
        let is_message = |it: &[u8]| {
            let is_mirrored = le32(it, 0).zip(le32(it, 20)).is_some_and(|(one, two)| one == !two);
            begins(it, &[b"CNXN", b"AUTH", b"STLS", b"OPEN", b"OKAY", b"WRTE", b"CLSE"])
                && is_mirrored
        };
        seen_if(all_streams(heads, is_message), "the Android debug bridge")
    },
)
.over(tcp(b"ACOSW"));

// Games.

pub(super) const MINECRAFT: Protocol = row(
    "minecraft",
    "games",
    "Minecraft Java Edition",
    "Minecraft Wiki, Java Edition protocol",
    |heads| {
        // Length, kind 0, protocol version, host, port, and what is wanted next: 1 to 3.
        let is_handshake = |it: &[u8]| {
            let mut rest = it;
            let len = var_int(&mut rest)?;
            let message = rest.get(..len as usize)?;
            let mut rest = message;
            let (0, _version) = (var_int(&mut rest)?, var_int(&mut rest)?) else { return None };
            let host_len = var_int(&mut rest)? as usize;
            let host = rest.get(..host_len)?;
            let [_, _, next] = rest.get(host_len..)? else { return None };
            (matches!(next, 1..=3) && !host.is_empty() && host.is_ascii()).then_some(())
        };
        let is_seen = any_stream(heads, |it| is_handshake(it).is_some());
        seen_if(is_seen, "a handshake with a Minecraft server")
    },
)
.over(tcp(ANY));

/// A number of up to five bytes, seven bits each, the lowest first.
fn var_int(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in 0..5 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << (7 * shift);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

pub(super) const WARCRAFT3: Protocol = row(
    "warcraft3",
    "games",
    "Warcraft III in-game messages",
    "BNETDocs, Warcraft III In-Game Messages (W3GS)",
    |heads| {
        // 0xf7, a kind, the length of the message; several may follow each other.
        let is_messages = |it: &[u8]| {
            let mut rest = it;
            let mut n = 0;
            while let Some(len) = le16(rest, 2).map(usize::from) {
                if rest.first() != Some(&0xf7) || len < 4 {
                    return false;
                }
                n += 1;
                match rest.get(len..) {
                    Some(next) if !next.is_empty() => rest = next,
                    Some(_) => return n > 0,
                    None => return n > 1,
                }
            }
            false
        };
        let is_seen = has_port(heads, &[6112, 6113, 6114]) && all_streams(heads, is_messages);
        seen_if(is_seen, "messages of Warcraft III")
    },
)
.over(tcp(b"\xf7"));

pub(super) const WORLD_OF_WARCRAFT: Protocol =
    row("wow-login", "games", "World of Warcraft login", "wowdev.wiki, Login Packet", |heads| {
        // The challenge to log in names the game, backwards or not.
        let is_challenge =
            |it: &[u8]| it.first() == Some(&0) && has_at(it, 4, b"WoW\0") && ends_at_le16(it, 2, 4);
        seen_if(any_stream(heads, is_challenge), "a login to World of Warcraft")
    })
    .over(tcp(b"\0"));

fn ends_at_le16(bytes: &[u8], at: usize, counted_from: usize) -> bool {
    le16(bytes, at).is_some_and(|it| usize::from(it) + counted_from <= bytes.len())
}

pub(super) const ETHEREUM: Protocol = row(
    "ethereum",
    "peer2peer",
    "Ethereum node discovery",
    "Ethereum, Node Discovery Protocol v4",
    |heads| {
        // Discovery: a hash of 32 bytes, a signature of 65, a kind, and a list whose length fits.
        let is_message = |it: &[u8]| {
            let is_list = match it.get(98) {
                Some(byte @ 0xc0..=0xf7) => 99 + usize::from(byte - 0xc0) == it.len(),
                Some(0xf8) => it.get(99).is_some_and(|len| 100 + usize::from(*len) == it.len()),
                Some(0xf9) => be16(it, 99).is_some_and(|len| 101 + usize::from(len) == it.len()),
                _ => false,
            };
            matches!(it.get(97), Some(1..=6)) && matches!(it.get(96), Some(0 | 1)) && is_list
        };
        seen_if(all_datagrams(heads, is_message), "a message between Ethereum nodes")
    },
)
.over(udp(ANY));

pub(super) const DIRECT_CONNECT: Protocol = row(
    "direct-connect",
    "peer2peer",
    "Direct Connect file sharing",
    "NMDC Project, NMDC; ADC Project, ADC",
    |heads| {
        let is_command = |it: &[u8]| {
            begins(it, &[b"$Lock ", b"$MyNick ", b"$SR ", b"$Supports ", b"HSUP AD", b"CSUP AD"])
                && it
                    .get(..64.min(it.len()))
                    .is_some_and(|it| contains(it, b"|") || contains(it, b"BASE"))
        };
        seen_if(any_stream(heads, is_command), "a Direct Connect hub or peer")
    },
)
.over(tcp(b"$CH"));

// Ways into other machines.

pub(super) const RADMIN: Protocol =
    row("radmin", "other", "Radmin remote control", "seen on the wire", |heads| {
        let is_greeting = |it: &[u8]| begins(it, &[&[1, 0, 0, 0, 1, 0, 0, 0, 8, 8]]);
        seen_if(has_port(heads, &[4899]) && any_stream(heads, is_greeting), "a Radmin greeting")
    })
    .over(tcp(b"\x01"));

pub(super) const NOMACHINE: Protocol =
    row("nomachine", "other", "NoMachine remote desktop", "seen on the wire", |heads| {
        seen_if(any_stream(heads, |it| it.starts_with(b"NXSH-")), "a NoMachine greeting")
    })
    .over(tcp(b"N"));

pub(super) const RLOGIN: Protocol =
    row("rlogin", "other", "BSD remote login", "RFC 1282", |heads| {
        // RFC 1282: nothing, the user here, the user there, terminal and speed; each ends with a zero. A zero answers.
        let client = heads.client.bytes();
        let parts: Vec<&[u8]> = client.splitn(5, |it| *it == 0).collect();
        let is_asked = match parts.as_slice() {
            [b"", here, there, terminal, ..] => {
                let is_word = |it: &[u8]| !it.is_empty() && it.iter().all(u8::is_ascii_graphic);
                is_word(here) && is_word(there) && is_word(terminal) && terminal.contains(&b'/')
            }
            _ => false,
        };
        seen_if(is_asked && any_stream(heads, |_| true), "a login by rlogin")
    })
    .over(tcp(b"\0"));

// Streams.

pub(super) const ICECAST: Protocol =
    row("icecast", "media", "Icecast and SHOUTcast streams", "seen on the wire", |heads| {
        let is_answer = |it: &[u8]| {
            it.starts_with(b"ICY 200 OK")
                || it.starts_with(b"HTTP/1.")
                    && contains(it.get(..1024).unwrap_or(it), b"\r\nicy-name:")
        };
        let is_source = |it: &[u8]| it.starts_with(b"SOURCE /") && contains(it, b"ice-");
        seen_if(any_stream(heads, |it| is_answer(it) || is_source(it)), "an Icecast stream")
    })
    .over(tcp(b"HIS"));

pub(super) const MPEG_TS: Protocol =
    row("mpeg-ts", "media", "MPEG transport stream", "ISO/IEC 13818-1", |heads| {
        // Packets of 188 bytes, each with its mark.
        let is_packets = |it: &[u8]| {
            it.len() >= 188
                && it.len().is_multiple_of(188)
                && it.chunks(188).all(|it| it.first() == Some(&0x47))
        };
        seen_if(all_datagrams(heads, is_packets), "an MPEG transport stream")
    })
    .over(udp(b"\x47"));

pub(super) const WECHAT: Protocol = row(
    "wechat",
    "messaging",
    "WeChat MMTLS",
    "Citizen Lab, Should We Chat, Too? (2024)",
    |heads| {
        // Records like those of TLS, with a version of its own.
        let is_record = |it: &[u8]| matches!(it, [0x15..=0x19, 0xf1, 3 | 4, ..]);
        seen_if(all_streams(heads, is_record), "a record of WeChat's encryption")
    },
)
.over(tcp_in(0x15..=0x19));

pub(super) const WAKE_ON_LAN: Protocol = row(
    "wake-on-lan",
    "system",
    "Wake-on-LAN magic packet",
    "AMD, Magic Packet Technology",
    |heads| {
        // Six bytes of ones, then an address sixteen times.
        let is_magic = |it: &[u8]| {
            let Some(address) = it.get(6..12) else { return false };
            it.starts_with(&[0xff; 6])
                && it.get(6..102).is_some_and(|it| it.chunks(6).all(|it| it == address))
        };
        seen_if(any_first(heads, is_magic), "a magic packet that wakes a machine")
    },
)
.over(udp(b"\xff"));

#[cfg(test)]
mod tests {
    use flow::Heads;

    use crate::near::{check, tcp, udp};

    #[test]
    fn devices() {
        let mixed = |text: &[u8]| {
            let mut key = 171;
            let mix = |it: &u8| {
                key ^= it;
                key
            };
            text.iter().map(mix).collect::<Vec<u8>>()
        };
        let asked = mixed(b"{\"system\":{\"get_sysinfo\":{}}}");
        let at = |bytes: &[u8]| udp(bytes).with_ports(50_000, 9999);
        check("tplink-shp", &at(&asked), &at(&mixed(b"[\"system\"]")));
        let framed = [&(asked.len() as u32).to_be_bytes()[..], &asked].concat();
        check("tplink-shp", &tcp(&framed).with_ports(50_000, 9999), &tcp(&framed));
        let tuya =
            b"\0\0\x55\xaa\0\0\0\x01\0\0\0\x0a\0\0\0\x0c\0\0\0\0\x12\x34\x56\x78\0\0\xaa\x55";
        check("tuya-lp", &udp(tuya), &udp(&tuya[..27]));
        let miio = [&b"\x21\x31\0\x20"[..], &[0xff; 28]].concat();
        check("miio", &udp(&miio), &udp(&miio[..31]));
        let ubiquiti = b"\x01\0\0\x09\x02\0\x06\x01\x02\x03\x04\x05\x06";
        let at = |bytes: &[u8]| udp(bytes).with_ports(50_000, 10001);
        check("ubiquiti-discovery", &at(ubiquiti), &at(&ubiquiti[..12]));
        let told = b"\0\0\x12\0\0\x01\0\x06\x01\x02\x03\x04\x05\x06\0\x05\0\x02ab";
        check("mndp", &udp(told).with_ports(5678, 5678), &udp(told));
        let adb = b"CNXN\x01\0\0\x01\0\x10\0\0\x07\0\0\0\x32\x02\0\0\xbc\xb1\xa7\xb1host::\0";
        check(
            "adb",
            &tcp(adb),
            &tcp(b"CNXN\x01\0\0\x01\0\x10\0\0\x07\0\0\0\x32\x02\0\0\0\0\0\0host"),
        );
        let magic = [&[0xff; 6][..], &b"\x02\0\0\0\0\x01".repeat(16)].concat();
        check("wake-on-lan", &udp(&magic), &udp(&magic[..101]));
    }

    #[test]
    fn games() {
        let handshake = b"\x10\0\xfd\x05\x09localhost\x63\xdd\x01";
        check("minecraft", &tcp(handshake), &tcp(b"\x10\0\xfd\x05\x09localhost\x63\xdd\x07"));
        let hosts = b"\xf7\x1e\x08\0\x01\x02\x03\x04\xf7\x3d\x04\0";
        check("warcraft3", &tcp(hosts).with_ports(50_000, 6112), &tcp(hosts));
        let login =
            b"\0\x08\x1e\0WoW\0\x03\x03\x05\x34\x30\x36\x38\x78\0niW\0SUne\x3c\0\0\0\x7f\0\0\x01\0";
        check(
            "wow-login",
            &tcp(login),
            &tcp(b"\0\x08\x1e\0WoX\0\x03\x03\x05\x34\x30\x36\x38\x78\0niW\0SUne"),
        );
        let node = |kind: u8| [&[7; 96][..], &[1, kind, 0xc4, 1, 2, 3, 4]].concat();
        check("ethereum", &udp(&node(1)), &udp(&node(9)));
        check("direct-connect", &tcp(b"$Lock EXTENDEDPROTOCOLabc Pk=dc|"), &tcp(b"$Lock the door"));
    }

    #[test]
    fn ways_in_and_streams() {
        let greeting = b"\x01\0\0\0\x01\0\0\0\x08\x08";
        check("radmin", &tcp(greeting).with_ports(50_000, 4899), &tcp(greeting));
        check("nomachine", &tcp(b"NXSH-6.5.6\n"), &tcp(b"NXSH 6"));
        check("rlogin", &tcp(b"\0alice\0bob\0xterm/38400\0"), &tcp(b"\0alice\0bob\0xterm\0"));
        check(
            "icecast",
            &Heads::tcp(b"GET /radio HTTP/1.0\r\n\r\n", b"ICY 200 OK\r\nicy-name:radio\r\n"),
            &Heads::tcp(b"GET /radio HTTP/1.0\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n"),
        );
        let stream = [&[0x47][..], &[1; 187]].concat().repeat(7);
        check("mpeg-ts", &udp(&stream), &udp(&stream[..1_300]));
        check(
            "wechat",
            &Heads::tcp(b"\x16\xf1\x04\0\x40abc", b"\x16\xf1\x04\0\x40abc"),
            &Heads::tcp(b"\x16\xf1\x04\0\x40abc", b"\x16\xf2\x04\0\x40abc"),
        );
    }
}
