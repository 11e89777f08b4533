//! MQTT 3.1, 3.1.1 and 5 (OASIS), by the packet that opens a connection or the answer to it.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
    look,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    group: "system",
    title: "MQTT",
    source: "OASIS MQTT 3.1.1, OASIS MQTT 5",
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let pings: Vec<&[u8]> = look::streams(heads).map(|it| it.get(..2).unwrap_or(it)).collect();
    if pings == [b"\xc0\0", b"\xd0\0"] {
        return Some(Facts::seen("an MQTT ping and its answer"));
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
