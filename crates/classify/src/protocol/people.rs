//! What further programs of people say, those of peers, messengers and games, told by fixed bytes at fixed places: one row
//! each, tests below.

use super::{Protocol, row};
use crate::{
    bytes::{be16, be32, le32},
    look::{
        all_datagrams, all_streams, any_first, any_stream, begins, contains, has_at, has_port,
        seen_if,
    },
    needs::{ANY, either, tcp, udp},
};

// Peers.

pub(super) const SOULSEEK: Protocol = row(
    "soulseek",
    "peer2peer",
    "Soulseek file sharing",
    "Nicotine+, Soulseek Protocol Documentation",
    |heads| {
        // Everything lowest byte first, texts behind their lengths.
        fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
            let len = le32(rest, 0)? as usize;
            let text = rest.get(4..)?.get(..len)?;
            *rest = rest.get(4 + len..)?;
            (1..=64).contains(&len).then_some(text)
        }
        // To the server: number 1, name, password, version, a hash of both in 32 digits.
        let is_login = |it: &[u8]| {
            let mut rest = it.get(8..)?;
            let (_, _) = (text(&mut rest)?, text(&mut rest)?);
            rest = rest.get(4..)?;
            let is_hash = text(&mut rest)?.iter().filter(|it| it.is_ascii_hexdigit()).count() == 32;
            (le32(it, 4)? == 1 && is_hash && le32(it, 0)? as usize + 4 <= it.len()).then_some(())
        };
        // To a peer: number 1, the own name, the kind of connection.
        let is_opening = |it: &[u8]| {
            let mut rest = it.get(5..)?;
            let (_, kind) = (text(&mut rest)?, text(&mut rest)?);
            // What is left of the message is a number of four bytes.
            let is_end = le32(it, 0)? as usize == it.len() - rest.len();
            (it.get(4)? == &1 && matches!(kind, b"P" | b"F" | b"D") && is_end).then_some(())
        };
        let is_seen = any_stream(heads, |it| is_login(it).is_some() || is_opening(it).is_some());
        seen_if(is_seen, "a Soulseek peer or server being greeted")
    },
)
.over(tcp(ANY));

pub(super) const LIBP2P: Protocol = row(
    "libp2p",
    "peer2peer",
    "libp2p, peers agreeing on what to speak",
    "libp2p, multistream-select",
    |heads| {
        let is_seen = any_stream(heads, |it| it.starts_with(b"\x13/multistream/1.0.0\n"));
        seen_if(is_seen, "peers agreeing on what to speak (libp2p)")
    },
)
.over(tcp(b"\x13"));

pub(super) const NANO: Protocol =
    row("nano", "peer2peer", "Nano cryptocurrency", "Nano, nano-node (source)", |heads| {
        // A mark, the network, the highest version known, the one used, the lowest; then the kind.
        let is_message = |it: &[u8]| match it {
            [
                b'R',
                b'B' | b'C' | b'X',
                highest @ 5..=31,
                used,
                lowest @ 5..=31,
                2..=0x10,
                _,
                _,
                ..,
            ] => lowest <= used && used <= highest,
            _ => false,
        };
        let is_seen = all_streams(heads, is_message) || all_datagrams(heads, is_message);
        seen_if(is_seen, "a message between Nano nodes")
    })
    .over(either(b"R"));

pub(super) const TOX: Protocol = row(
    "tox",
    "messaging",
    "Tox messenger",
    "TokTok Project, Tox protocol specification",
    |heads| {
        // Kind, the sender's key, a number used once, and a sealed box whose length the kind tells; nodes in an answer take 39
        // or 51 bytes.
        let is_message = |it: &[u8]| {
            let len = it.len();
            match it.first() {
                Some(0 | 1) => len == 82,
                Some(2) => len == 113,
                Some(4) => (0..=4).any(|n4| (0..=4 - n4).any(|n6| len == 82 + 39 * n4 + 51 * n6)),
                Some(0x18) => len == 145,
                Some(0x19) => len == 161,
                Some(0x1a) => len == 385,
                Some(0x21) => len == 33,
                _ => false,
            }
        };
        let is_answered = !heads.client.bytes().is_empty() && !heads.server.bytes().is_empty();
        let is_supported = is_answered || has_port(heads, &[33445]);
        // What friends send each other later tells its kind alone.
        let is_seen = any_first(heads, is_message)
            && all_datagrams(heads, |it| is_message(it) || it.first() == Some(&0x1b));
        seen_if(is_supported && is_seen, "a message between Tox nodes")
    },
)
.over(udp(b"\0\x01\x02\x04\x18\x19\x1a\x21"));

// Messengers.

pub(super) const KAKAOTALK: Protocol =
    row("kakaotalk", "messaging", "KakaoTalk (LOCO)", "seen on the wire", |heads| {
        // A key of 256 bytes sealed, how it is sealed, how it seals; or a command by name whose BSON repeats its length.
        let is_key = |it: &[u8]| {
            le32(it, 0) == Some(256)
                && le32(it, 4).is_some_and(|it| (12..=16).contains(&it))
                && le32(it, 8).is_some_and(|it| (1..=3).contains(&it))
        };
        let is_command = |it: &[u8]| {
            let name = it.get(6..17).unwrap_or_default();
            let n_letters = name.iter().take_while(|it| it.is_ascii_uppercase()).count();
            let is_padded = name.iter().skip(n_letters).all(|it| *it == 0);
            let body = le32(it, 18);
            n_letters >= 4
                && is_padded
                && it.get(17) == Some(&0)
                && body.is_some_and(|it| it >= 5)
                && body == le32(it, 22)
        };
        seen_if(any_stream(heads, |it| is_key(it) || is_command(it)), "a KakaoTalk message (LOCO)")
    })
    .over(tcp(ANY));

pub(super) const OSCAR: Protocol =
    row("oscar", "messaging", "OSCAR of AIM and ICQ", "AOL, OSCAR Protocol (2008)", |heads| {
        // The first frame of each side opens channel 1 with version 1.
        let is_opening = |it: &[u8]| {
            it.starts_with(&[0x2a, 1])
                && be16(it, 4).is_some_and(|len| (4..2048).contains(&len))
                && be32(it, 6) == Some(1)
        };
        seen_if(any_stream(heads, is_opening), "a login to AIM or ICQ (OSCAR)")
    })
    .over(tcp(b"\x2a"));

pub(super) const MSNP: Protocol = row(
    "msnp",
    "messaging",
    "Microsoft Notification Protocol of MSN Messenger",
    "draft-movva-msn-messenger-protocol",
    |heads| {
        let is_version = |it: &[u8]| {
            let rest = it.strip_prefix(b"VER ").unwrap_or_default();
            let n_digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
            n_digits > 0 && has_at(rest, n_digits, b" MSNP")
        };
        seen_if(any_stream(heads, is_version), "a login to MSN Messenger")
    },
)
.over(tcp(b"V"));

pub(super) const YMSG: Protocol = row(
    "ymsg",
    "messaging",
    "Yahoo! Messenger",
    "libyahoo2, Yahoo Messenger Protocol v9",
    |heads| {
        // A version in two bytes, of either order.
        let is_message = |it: &[u8]| {
            matches!(
                it,
                [b'Y', b'M', b'S', b'G', 0, 1..=31, ..] | [b'Y', b'M', b'S', b'G', 1..=31, 0, ..]
            )
        };
        seen_if(all_streams(heads, is_message), "a message of Yahoo! Messenger")
    },
)
.over(tcp(b"Y"));

pub(super) const GADU_GADU: Protocol =
    row("gadu-gadu", "messaging", "Gadu-Gadu messenger", "libgadu, Protokół Gadu-Gadu", |heads| {
        // Kind and length, lowest byte first. The server greets with four bytes, whoever answers logs in by one of its ways.
        let is_welcome = |it: &[u8]| le32(it, 0) == Some(1) && le32(it, 4) == Some(4);
        let is_login = |it: &[u8]| {
            matches!(le32(it, 0), Some(0x0c | 0x13 | 0x15 | 0x19 | 0x29 | 0x31 | 0x83))
                && le32(it, 4).is_some_and(|len| (16..2048).contains(&len))
        };
        let is_seen = any_stream(heads, is_welcome)
            && (any_stream(heads, is_login) || has_port(heads, &[8074]));
        seen_if(is_seen, "a login to Gadu-Gadu")
    })
    .over(tcp(b"\x01"));

pub(super) const BFCP: Protocol =
    row("bfcp", "voice", "Binary Floor Control Protocol", "RFC 8855", |heads| {
        // RFC 8855, section 5: version 1 over TCP and 2 over UDP, a primitive, the payload in words; attributes fill it.
        fn message(bytes: &[u8]) -> Option<usize> {
            let len = 12 + 4 * usize::from(be16(bytes, 2)?);
            let mut rest = bytes.get(12..len)?;
            let primitive = *bytes.get(1)?;
            if !matches!(primitive, 1..=17)
                || rest.is_empty() && !matches!(primitive, 7 | 11 | 14..)
            {
                return None;
            }
            while let Some((kind, attribute_len)) = rest.first().zip(rest.get(1)) {
                if !matches!(kind >> 1, 1..=18) || *attribute_len < 2 {
                    return None;
                }
                rest = rest.get(usize::from(*attribute_len).next_multiple_of(4)..)?;
            }
            Some(len)
        }
        let is_datagram =
            |it: &[u8]| matches!(it.first(), Some(0x40 | 0x50)) && message(it) == Some(it.len());
        let is_stream = |it: &[u8]| {
            let next = message(it).and_then(|len| it.get(len..));
            it.first() == Some(&0x20)
                && next.is_some_and(|it| matches!(it.first(), None | Some(0x20)))
        };
        let is_seen = all_datagrams(heads, is_datagram) || all_streams(heads, is_stream);
        seen_if(is_seen, "who speaks in a conference (BFCP)")
    })
    .over(tcp(b"\x20").or(udp(b"\x40\x50")));

// Games.

pub(super) const AMONG_US: Protocol =
    row("among us", "games", "Among Us", "roobscoob, Among Us Protocol Research", |heads| {
        // The first reliable message of Hazel says hello: number 1, its version 0, and the game's, counted in days.
        let is_hello = |it: &[u8]| {
            it.starts_with(&[8, 0, 1, 0])
                && le32(it, 4).is_some_and(|it| (50_400_000..51_000_000).contains(&it))
        };
        seen_if(any_first(heads, is_hello), "an Among Us player saying hello")
    })
    .over(udp(b"\x08"));

pub(super) const ARMAGETRON: Protocol =
    row("armagetron", "games", "Armagetron Advanced", "Armagetron Advanced (source)", |heads| {
        // Messages of kind, number and length in words, that many words, and at the end who sent them.
        let is_datagram = |it: &[u8]| {
            let mut rest = it;
            while let Some(len) = be16(rest, 4) {
                if be16(rest, 0).is_none_or(|kind| kind > 400) {
                    return false;
                }
                let Some(next) = rest.get(6 + 2 * usize::from(len)..) else { return false };
                rest = next;
            }
            rest.len() == 2 && it.len() > 6 && be16(rest, 0).is_some_and(|it| it <= 32)
        };
        let is_port = has_port(heads, &[4533, 4534, 4535, 4536, 4537]);
        seen_if(is_port && all_datagrams(heads, is_datagram), "a game of Armagetron")
    })
    .over(udp(b"\0\x01"));

pub(super) const GUILD_WARS_2: Protocol =
    row("guildwars2", "games", "Guild Wars 2 login", "seen on the wire", |heads| {
        // The login of its maker's games: requests and answers like those of HTTP.
        let is_line = |it: &[u8]| {
            let line = it.get(..128).unwrap_or(it);
            it.starts_with(b"STS/1.0 ") || it.starts_with(b"P /") && contains(line, b" STS/1.0\r\n")
        };
        seen_if(any_stream(heads, is_line), "a login to Guild Wars 2 or its like")
    })
    .over(tcp(b"PS"));

pub(super) const DOFUS: Protocol = row("dofus", "games", "Dofus", "seen on the wire", |heads| {
    // The old server sends a key of 32 letters; the new one, behind kinds and lengths, the versions it wants and a key.
    let is_old = |it: &[u8]| {
        let key = it.strip_prefix(b"HC").and_then(|it| it.get(..32)).unwrap_or_default();
        key.len() == 32 && key.iter().all(u8::is_ascii_lowercase) && it.get(34) == Some(&0)
    };
    let is_new = |it: &[u8]| has_at(it, 0, b"\0\x05\x08\0\0") && has_at(it, 11, b"\0\x0e");
    seen_if(any_stream(heads, |it| is_old(it) || is_new(it)), "a Dofus server's greeting")
})
.over(tcp(b"\0H"));

pub(super) const SECOND_LIFE: Protocol =
    row("second-life", "games", "Second Life", "Linden Lab, message_template.msg", |heads| {
        // A viewer opens its circuit: reliable, number 1, nothing besides, message 3 of the rare ones, 36 bytes of who it is.
        let is_opening = |it: &[u8]| {
            it.len() == 46
                && begins(
                    it,
                    &[b"\x40\0\0\0\x01\0\xff\xff\0\x03", b"\x60\0\0\0\x01\0\xff\xff\0\x03"],
                )
        };
        seen_if(any_first(heads, is_opening), "a viewer of Second Life opening its circuit")
    })
    .over(udp(b"\x40\x60"));

#[cfg(test)]
mod tests {
    use flow::Heads;

    use crate::near::{check, check_at, padded, tcp, udp};

    #[test]
    fn peers() {
        let login = [
            &b"\x40\0\0\0\x01\0\0\0\x05\0\0\0alice\x03\0\0\0pwd\xa0\0\0\0\x20\0\0\0"[..],
            b"0123456789abcdef0123456789abcdef\x11\0\0\0",
        ]
        .concat();
        let mut broken = login.clone();
        broken[45] = b'x';
        check("soulseek", &tcp(&login), &tcp(&broken));
        let opening = b"\x13\0\0\0\x01\x05\0\0\0alice\x01\0\0\0P\0\0\0\0";
        check("soulseek", &tcp(opening), &tcp(b"\x13\0\0\0\x01\x05\0\0\0alice\x01\0\0\0Q\0\0\0\0"));
        check(
            "libp2p",
            &tcp(b"\x13/multistream/1.0.0\n\x07/noise\n"),
            &tcp(b"GET /multistream/1.0.0\n"),
        );
        check("nano", &tcp(b"RC\x15\x15\x14\x0a\x03\0"), &tcp(b"RC\x14\x15\x14\x0a\x03\0"));
        let ping = padded(b"\0", 7, 82);
        check(
            "tox",
            &Heads::udp(&[&ping], &[&padded(b"\x01", 7, 82)]),
            &Heads::udp(&[&ping], &[&padded(b"\x01", 7, 83)]),
        );
        check_at("tox", 33445, &udp(&padded(b"\x02", 7, 113)), &udp(&padded(b"\x03", 7, 113)));
        let answer = padded(b"\x04", 7, 82 + 2 * 39 + 51);
        check_at("tox", 33445, &udp(&answer), &udp(&answer[..200]));
    }

    #[test]
    fn messengers() {
        let key = padded(b"\0\x01\0\0\x0e\0\0\0\x02\0\0\0", 0x77, 268);
        check("kakaotalk", &tcp(&key), &tcp(&padded(b"\0\x01\0\0\x0e\0\0\0\x09\0\0\0", 0x77, 268)));
        let command = b"\0\0\0\0\0\0GETCONF\0\0\0\0\0\x2a\0\0\0\x2a\0\0\0\x02MCCMNC\0";
        check("kakaotalk", &tcp(command), &tcp(&command[..24]));
        check(
            "oscar",
            &tcp(b"\x2a\x01\x12\x34\0\x04\0\0\0\x01"),
            &tcp(b"\x2a\x01\x12\x34\0\x04\0\0\0\x02"),
        );
        check("msnp", &tcp(b"VER 1 MSNP15 CVR0\r\n"), &tcp(b"VER 1 OF THE BOOK\r\n"));
        check("ymsg", &tcp(b"YMSG\0\x10\0\0\0\0\0\x4c"), &tcp(b"YMSG is a protocol"));
        let welcome = b"\x01\0\0\0\x04\0\0\0\x12\x34\x56\x78";
        check(
            "gadu-gadu",
            &Heads::tcp(b"\x31\0\0\0\x80\0\0\0\x15\xcd\x5b\x07", welcome),
            &Heads::tcp(b"\x77\0\0\0\x80\0\0\0\x15\xcd\x5b\x07", welcome),
        );
        check_at("gadu-gadu", 8074, &tcp(welcome), &tcp(b"\x01\0\0\0\x05\0\0\0\x12\x34\x56\x78"));
        let asked = b"\x20\x01\0\x01\0\0\0\x01\0\x07\0\x02\x05\x04\0\x03";
        check("bfcp", &tcp(asked), &tcp(b"\x20\x01\0\x01\0\0\0\x01\0\x07\0\x02\x05\x05\0\x03"));
        let hello = b"\x40\x0b\0\0\0\0\0\x01\0\x01\0\x02";
        check("bfcp", &udp(hello), &udp(b"\x40\x0b\0\x01\0\0\0\x01\0\x01\0\x02"));
    }

    #[test]
    fn games() {
        // The eighteenth of the first month of 2022.
        let hello = |days: u32| [&b"\x08\0\x01\0"[..], &days.to_le_bytes(), b"\x05alice"].concat();
        check("among us", &udp(&hello(50_552_700)), &udp(&hello(552_700)));
        let login = b"\0\x06\0\x01\0\x02\x12\x34\x56\x78\0\0";
        check_at("armagetron", 4534, &udp(login), &udp(b"\0\x06\0\x01\0\x03\x12\x34\x56\x78\0\0"));
        check(
            "guildwars2",
            &tcp(b"P /Sts/Connect STS/1.0\r\nl:120\r\n\r\n"),
            &tcp(b"P /Sts/Connect RTSP/1.0\r\n"),
        );
        let key = b"HCabcdefghijklmnopqrstuvwxyzabcdef\0";
        check("dofus", &Heads::tcp(b"", key), &Heads::tcp(b"", &key[..34]));
        let versions = b"\0\x05\x08\0\0\x07\x2a\0\0\x07\x2a\0\x0e\x01\x4d\0\x20";
        check("dofus", &Heads::tcp(b"", versions), &Heads::tcp(b"", &versions[..12]));
        let opening = padded(b"\x40\0\0\0\x01\0\xff\xff\0\x03", 9, 46);
        check("second-life", &udp(&opening), &udp(&opening[..45]));
    }
}
