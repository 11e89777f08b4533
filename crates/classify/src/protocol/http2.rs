//! HTTP/2 without TLS, by the preface of the client or the settings of the server (RFC 9113, section 3.4).

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::bytes::Reader;

pub(super) const PROTOCOL: Protocol = Protocol { name: "http2", group: "web", recognise };

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let sides = [heads.client.bytes(), heads.server.bytes()];
    if sides.iter().any(|it| it.starts_with(PREFACE)) {
        return Some(Facts::seen("the HTTP/2 preface"));
    }
    let has_settings = sides.into_iter().any(|it| settings_first(it).unwrap_or(false));
    has_settings.then(|| Facts::seen("HTTP/2 settings"))
}

/// Whether frames begin with settings that a server may send, and a known frame follows them.
fn settings_first(bytes: &[u8]) -> Option<bool> {
    const SETTINGS: u8 = 4;
    let mut reader = Reader(bytes);
    let (len, kind, flags, stream) = (reader.u24()?, reader.u8()?, reader.u8()?, reader.u32()?);
    if kind != SETTINGS || flags != 0 || stream != 0 || len == 0 || len % 6 != 0 || len > 60 {
        return Some(false);
    }
    let settings = reader.take(len as usize)?;
    let are_known = settings.chunks(6).all(|it| matches!(it, [0, 1..=6 | 8 | 9, ..]));
    let (_, kind, _, stream) = (reader.u24()?, reader.u8()?, reader.u8()?, reader.u32()?);
    Some(are_known && kind <= 9 && stream >> 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, server)).is_some(), expected);
    }

    #[test]
    fn either_side_begins_in_its_way() {
        check(PREFACE, b"", true);
        let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\0\0\x04\x01\0\0\0\0";
        check(b"", settings, true);
    }

    #[test]
    fn other_frames_and_other_texts_are_not_http2() {
        check(b"PRI * HTTP/1.1\r\n\r\n", b"", false);
        check(b"", b"\0\0\x06\x04\0\0\0\0\0\0\x33\0\0\0\x64\0\0\0\x04\x01\0\0\0\0", false);
    }
}
