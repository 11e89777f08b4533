//! HTTP/2 without TLS, by the preface of the client or the settings of the server (RFC 9113, section 3.4), and gRPC in it.

use flow::{Heads, Transport};

use super::{Facts, Form, Protocol};
use crate::{bytes::Reader, look::contains, needs::tcp};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "http2",
    group: "web",
    title: "Hypertext Transfer Protocol, version 2",
    source: "RFC 9113",
    needs: tcp(b"\0P"),
    recognise,
};

/// What gRPC is called where it is spoken.
pub(super) const GRPC: Form = Form {
    label: "grpc",
    group: PROTOCOL.group,
    title: "gRPC remote procedure calls",
    source: "gRPC, gRPC over HTTP2",
};

/// How the kind of gRPC's content begins, `application/grpc`: as it is, and by the code of RFC 7541, appendix B.
const GRPC_KINDS: &[&[u8]] =
    &[b"application/grpc", b"\x1d\x75\xd0\x62\x0d\x26\x3d\x4c\x4d\x65\x64"];

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let sides = [heads.client.bytes(), heads.server.bytes()];
    let seen = if sides.iter().any(|it| it.starts_with(PREFACE)) {
        "the HTTP/2 preface"
    } else if sides.iter().any(|it| settings_first(it).unwrap_or(false)) {
        "HTTP/2 settings"
    } else {
        return None;
    };
    let is_grpc = sides.iter().any(|side| GRPC_KINDS.iter().any(|it| contains(side, it)));
    Some(Facts { service: is_grpc.then_some(GRPC.label), ..Facts::seen(seen) })
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
    fn a_kind_of_content_shows_grpc() {
        let service = |kind: &[u8]| {
            let headers = [PREFACE, b"\0\0\x0d\x01\x04\0\0\0\x01\x83\x5f", kind].concat();
            recognise(&Heads::tcp(&headers, b"")).expect("HTTP/2").service
        };
        assert_eq!(service(b"\x10application/grpc"), Some("grpc"));
        assert_eq!(service(b"\x8b\x1d\x75\xd0\x62\x0d\x26\x3d\x4c\x4d\x65\x64"), Some("grpc"));
        assert_eq!(service(b"\x10application/json"), None);
    }

    #[test]
    fn other_frames_and_other_texts_are_not_http2() {
        check(b"PRI * HTTP/1.1\r\n\r\n", b"", false);
        check(b"", b"\0\0\x06\x04\0\0\0\0\0\0\x33\0\0\0\x64\0\0\0\x04\x01\0\0\0\0", false);
    }
}
