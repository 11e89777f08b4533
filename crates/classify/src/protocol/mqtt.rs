//! MQTT 3.1, 3.1.1 and 5 (OASIS), by the packet that opens a connection or the answer to it.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
    look,
    needs::{tcp, tcp_in},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    group: "system",
    title: "MQTT",
    source: "OASIS MQTT 3.1.1, OASIS MQTT 5",
    needs: tcp(b"\x10\x40\x50\x62\x70\x82\x90\xa2\xb0\xc0\xd0\xe0").or(tcp_in(0x30..=0x3f)),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let pings: Vec<&[u8]> = look::streams(heads).map(|it| it.get(..2).unwrap_or(it)).collect();
    if pings == [b"\xc0\0", b"\xd0\0"] {
        return Some(Facts::seen("an MQTT ping and its answer"));
    }
    if look::all_streams(heads, is_running) && look::any_stream(heads, has_message) {
        return Some(Facts::seen("MQTT messages and their acknowledgements"));
    }
    let opening = look::streams(heads).find_map(opening)?;
    let seen = match &opening.client {
        Some(client) => format!("an MQTT connection of {client}"),
        None => "an MQTT connection".to_owned(),
    };
    let facts = Facts::seen(seen)
        .telling(Fact::Version, Some(opening.version))
        .telling(Fact::Credentials, opening.has_password.then_some("MQTT password"));
    Some(facts)
}

/// How many packets must follow each other where the opening was not captured.
const RUN: usize = 4;

/// Whether a stream is packets from its first byte on, none of them one that opens a connection.
fn is_running(stream: &[u8]) -> bool {
    let mut rest = Reader(stream);
    let mut n = 0;
    while n < 64 && !rest.is_empty() {
        match packet(&mut rest) {
            Some(Packet::Whole(..)) => n += 1,
            Some(Packet::Cut) => break,
            None => return false,
        }
    }
    n >= RUN
}

/// Whether a stream begins with a message that has a topic, or has one soon.
fn has_message(stream: &[u8]) -> bool {
    const PUBLISH: u8 = 3;
    let mut rest = Reader(stream);
    let packets = std::iter::from_fn(|| packet(&mut rest));
    packets.take(64).any(|it| match it {
        Packet::Whole(kind, body) => {
            let topic = Reader(body).vec16();
            kind == PUBLISH
                && topic.is_some_and(|it| !it.is_empty() && it.iter().all(u8::is_ascii_graphic))
        }
        Packet::Cut => false,
    })
}

enum Packet<'a> {
    Whole(u8, &'a [u8]),
    Cut,
}

/// The next packet: its kind with the flags that belong to it, and a body as long as its kind has it (section 2.2).
fn packet<'a>(reader: &mut Reader<'a>) -> Option<Packet<'a>> {
    let first = reader.u8()?;
    let (kind, flags) = (first >> 4, first & 15);
    let (mut len, mut shift) = (0, 0);
    loop {
        let Some(byte) = reader.u8() else { return Some(Packet::Cut) };
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
        if shift > 21 {
            return None;
        }
    }
    let is_sound = match kind {
        3 => flags & 6 != 6 && len >= 3,
        4 | 5 | 7 => flags == 0 && (2..128).contains(&len),
        6 => flags == 2 && (2..128).contains(&len),
        8 | 10 => flags == 2 && len >= 5,
        9 | 11 => flags == 0 && len >= 2,
        12 | 13 => flags == 0 && len == 0,
        14 => flags == 0 && len < 128,
        _ => false,
    };
    if !is_sound {
        return None;
    }
    Some(reader.take(len).map_or(Packet::Cut, |it| Packet::Whole(kind, it)))
}

/// The packet that opens a connection.
struct Opening {
    version: &'static str,
    client: Option<String>,
    has_password: bool,
}

fn opening(stream: &[u8]) -> Option<Opening> {
    const PASSWORD: u8 = 0x40;
    let mut reader = Reader(stream);
    let 0x10 = reader.u8()? else { return None };
    // A length in up to four bytes of seven bits each.
    let mut n_bytes = 1;
    while reader.u8()? & 0x80 != 0 {
        n_bytes += 1;
        if n_bytes > 4 {
            return None;
        }
    }
    let (name, version) = (reader.vec16()?, reader.u8()?);
    let version = match (name, version & 0x7f) {
        (b"MQIsdp", 3) => "MQTT 3.1",
        (b"MQTT", 4) => "MQTT 3.1.1",
        (b"MQTT", 5) => "MQTT 5",
        _ => return None,
    };
    let flags = reader.u8().unwrap_or_default();
    let _ = reader.u16();
    if version == "MQTT 5" {
        let _ = reader.vec8();
    }
    let client = reader.vec16().map(|it| text(it, 64)).filter(|it| !it.is_empty());
    Some(Opening { version, client, has_password: flags & PASSWORD != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_from_the_middle_tell() {
        let asked = b"\x32\x07\0\x01a\0\x01hi".repeat(4);
        let answered = b"\x40\x02\0\x01".repeat(4);
        let is_seen =
            |client: &[u8], server: &[u8]| recognise(&Heads::tcp(client, server)).is_some();
        assert!(is_seen(&asked, &answered));
        assert!(is_seen(&answered, &asked));
        assert!(is_seen(&[&asked[..], b"\x32\x7f"].concat(), &answered));
        assert!(!is_seen(&asked[..27], b""));
        assert!(!is_seen(&answered, &answered));
        assert!(!is_seen(&asked, b"HTTP/1.1 200 OK\r\n"));
    }

    #[test]
    fn a_connection_names_its_client() {
        let open = b"\x10\x10\0\x04MQTT\x04\x02\0\x3c\0\x04lamp";
        let facts = recognise(&Heads::tcp(open, b"\x20\x02\0\0")).unwrap();
        assert_eq!(facts.seen, "an MQTT connection of lamp");
    }

    #[test]
    fn another_name_is_not_mqtt() {
        assert!(
            recognise(&Heads::tcp(b"\x10\x10\0\x04MQXX\x04\x02\0\x3c\0\x04lamp", b"")).is_none()
        );
    }
}
