//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929), by the client's request and, where it is there, the proxy's answer.
//!
//! Where the flow leads through the proxy is said in the reason; the flow itself stays the tunnel.

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
};

pub(super) const SOCKS4: Protocol = Protocol {
    name: "socks4",
    group: "tunnel",
    title: "SOCKS 4",
    source: "Lee, SOCKS 4 and SOCKS 4A",
    recognise: recognise4,
};
pub(super) const SOCKS5: Protocol = Protocol {
    name: "socks5",
    group: "tunnel",
    title: "SOCKS 5",
    source: "RFC 1928, RFC 1929",
    recognise: recognise5,
};

fn recognise4(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let mut reader = Reader(heads.client.bytes());
    let (4, 1 | 2) = (reader.u8()?, reader.u8()?) else { return None };
    let port = reader.u16()?;
    let ip = reader.take(4)?;
    let user = until_zero(&mut reader)?;
    // An address of 0.0.0.x says that a name follows.
    let name = match ip {
        [0, 0, 0, 1..=255] => Some(until_zero(&mut reader)?).filter(|it| is_name(it)),
        _ => None,
    };
    let is_sound = port != 0 && user.len() <= 64 && user.iter().all(u8::is_ascii_graphic);
    let is_answered = match heads.server.bytes() {
        [] => reader.is_empty() && (name.is_some() || ip.first() != Some(&0)),
        [0, 0x5a..=0x5d, ..] => heads.server.bytes().len() >= 8,
        _ => false,
    };
    let to = match (name, ip) {
        (Some(name), _) => text(name, 255),
        (None, [a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        _ => return None,
    };
    (is_sound && is_answered)
        .then(|| Facts::seen(format!("a SOCKS 4 request for {to}, port {port}")))
}

fn recognise5(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let mut client = Reader(heads.client.bytes());
    let mut server = Reader(heads.server.bytes());
    if client.is_empty() {
        // The choice, and the answer to the request behind it.
        let is_choice = server.take(2)? == [5, 0];
        let (5, 0..=8, 0) = (server.u8()?, server.u8()?, server.u8()?) else { return None };
        let is_address = address(&mut server).is_some();
        return (is_choice && is_address).then(|| Facts::seen("a SOCKS 5 answer"));
    }
    let 5 = client.u8()? else { return None };
    let methods = client.vec8().filter(|it| (1..=16).contains(&it.len()))?;
    // Numbers up to 9 are assigned, those from 0x80 are private.
    let is_method = |it: &u8| matches!(it, 0..=9 | 0x80..=0xfe);
    if !methods.iter().all(is_method) {
        return None;
    }
    if server.is_empty() {
        // Few bytes: only a request right behind the offer tells.
        let to = request(&mut client)?;
        return Some(Facts::seen(format!("a SOCKS 5 request for {to}")));
    }
    let (5, method) = (server.u8()?, server.u8()?) else { return None };
    if method != 0xff && !methods.contains(&method) {
        return None;
    }
    // A name and a password pass before the request.
    let secret = (method == 2)
        .then(|| client.u8().and_then(|_| client.vec8()).and_then(|_| client.vec8()))
        .flatten()
        .map(|_| "SOCKS 5 password");
    let facts = match request(&mut client) {
        Some(to) => Facts::seen(format!("a SOCKS 5 request for {to}")),
        None => Facts::seen("a SOCKS 5 greeting and its answer"),
    };
    Some(facts.telling(Fact::Credentials, secret))
}

/// What a SOCKS 5 request asks for.
fn request(reader: &mut Reader<'_>) -> Option<String> {
    let (5, 1..=3, 0) = (reader.u8()?, reader.u8()?, reader.u8()?) else { return None };
    let to = address(reader)?;
    let port = reader.u16()?;
    Some(format!("{to}, port {port}"))
}

fn address(reader: &mut Reader<'_>) -> Option<String> {
    match reader.u8()? {
        1 => {
            let ip: [u8; 4] = *reader.take(4)?.first_chunk()?;
            Some(std::net::Ipv4Addr::from(ip).to_string())
        }
        3 => Some(text(reader.vec8().filter(|it| is_name(it))?, 255)),
        4 => {
            let ip: [u8; 16] = *reader.take(16)?.first_chunk()?;
            Some(std::net::Ipv6Addr::from(ip).to_string())
        }
        _ => None,
    }
}

fn until_zero<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let len = reader.0.iter().position(|it| *it == 0)?;
    let taken = reader.take(len)?;
    reader.skip(1)?;
    Some(taken)
}

fn is_name(bytes: &[u8]) -> bool {
    let is_part = |it: &u8| it.is_ascii_alphanumeric() || b"-._:".contains(it);
    !bytes.is_empty() && bytes.iter().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: Option<&str>) {
        let heads = Heads::tcp(client, server);
        let seen = recognise4(&heads).or_else(|| recognise5(&heads)).map(|it| it.seen);
        assert_eq!(seen.as_deref(), expected);
    }

    #[test]
    fn version_5_with_its_answer() {
        check(
            b"\x05\x01\x00\x05\x01\x00\x03\x0bexample.org\x01\xbb",
            b"\x05\x00",
            Some("a SOCKS 5 request for example.org, port 443"),
        );
        check(b"\x05\x02\x00\x02", b"\x05\xff", Some("a SOCKS 5 greeting and its answer"));
    }

    #[test]
    fn version_4_and_4a() {
        check(
            b"\x04\x01\x00\x50\x0a\x00\x00\x01me\0GET",
            b"\0\x5a\0\0\0\0\0\0HTTP",
            Some("a SOCKS 4 request for 10.0.0.1, port 80"),
        );
        check(
            b"\x04\x01\x01\xbb\0\0\0\x01\0example.org\0",
            b"",
            Some("a SOCKS 4 request for example.org, port 443"),
        );
    }

    #[test]
    fn a_greeting_alone_is_not_socks() {
        check(b"\x05\x01\x00", b"", None);
        check(b"\x05\x01\x00", b"\x05\x02", None);
        check(b"\x05\x01\x00", b"HTTP/1.1", None);
    }
}
