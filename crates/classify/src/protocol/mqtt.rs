//! MQTT 3.1, 3.1.1 and 5 (OASIS), by the packet that opens a connection or the answer to it.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    look,
};

pub(super) const PROTOCOL: Protocol = Protocol { name: "mqtt", group: "system", recognise };

fn recognise(heads: &Heads) -> Option<Facts> {
    let pings: Vec<&[u8]> = look::streams(heads).map(|it| it.get(..2).unwrap_or(it)).collect();
    if pings == [b"\xc0\0", b"\xd0\0"] {
        return Some(Facts::seen("an MQTT ping and its answer"));
    }
    let client = look::streams(heads).find_map(opening)?;
    Some(match client {
        Some(client) => Facts::seen(format!("an MQTT connection of {client}")),
        None => Facts::seen("an MQTT connection"),
    })
}

/// The client's name in a packet that opens a connection.
fn opening(stream: &[u8]) -> Option<Option<String>> {
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
    let is_mqtt = matches!((name, version & 0x7f), (b"MQTT", 4 | 5) | (b"MQIsdp", 3));
    if !is_mqtt {
        return None;
    }
    let _ = (reader.u8(), reader.u16());
    if version == 5 {
        let _ = reader.vec8();
    }
    let client = reader.vec16().map(|it| text(it, 64)).filter(|it| !it.is_empty());
    Some(client)
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
