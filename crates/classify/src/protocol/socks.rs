//! SOCKS 4, 4a and 5 (RFC 1928, RFC 1929), by the client's request and, where it is there, the proxy's answer.
//!
//! Where the flow leads through the proxy is said in the reason; the flow itself stays the tunnel, with the facts of what it
//! carries.

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
    inside,
    needs::tcp,
};

pub(super) const SOCKS4: Protocol = Protocol {
    name: "socks4",
    group: "tunnel",
    title: "SOCKS 4",
    source: "Lee, SOCKS 4 and SOCKS 4A",
    needs: tcp(b"\x04"),
    recognise: recognise4,
};
pub(super) const SOCKS5: Protocol = Protocol {
    name: "socks5",
    group: "tunnel",
    title: "SOCKS 5",
    source: "RFC 1928, RFC 1929",
    needs: tcp(b"\x05"),
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
    if !is_sound || !is_answered {
        return None;
    }
    let mut facts = Facts::seen(format!("a SOCKS 4 request for {to}, port {port}"));
    let answer = heads.server.bytes();
    if answer.is_empty() || answer.starts_with(&[0, 0x5a]) {
        inside::tell(reader.0, answer.get(8..).unwrap_or_default(), &mut facts);
    }
    Some(facts)
}

fn recognise5(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let (client, server) = (heads.client.bytes(), heads.server.bytes());
    recognise5_of(client, server).or_else(|| {
        // The proxy may look like the client where the capture begins late, or be it: behind a firewall it calls those it
        // serves, and may say first who it is.
        server.first().filter(|it| **it == 5)?;
        let mut choices = (0..=MAX_OWN_LEN).filter_map(|len| client.get(len..));
        recognise5_of(server, choices.find(|it| is_whole5(server, it))?)
    })
}

/// How long what a proxy says of itself may be, where it calls those it serves.
const MAX_OWN_LEN: usize = 16;

/// Whether greeting, choice, request and answer are all there.
fn is_whole5(client: &[u8], server: &[u8]) -> bool {
    let (mut client, mut server) = (Reader(client), Reader(server));
    let mut read = || {
        let 5 = client.u8()? else { return None };
        let methods = client.vec8()?;
        let (5, method) = (server.u8()?, server.u8()?) else { return None };
        if !methods.contains(&method) {
            return None;
        }
        if method == PASSWORD {
            let 1 = client.u8()? else { return None };
            client.vec8()?;
            client.vec8()?;
            let (1, _status) = (server.u8()?, server.u8()?) else { return None };
        }
        request(&mut client)?;
        answer(&mut server)
    };
    read().is_some()
}

fn recognise5_of(client: &[u8], server: &[u8]) -> Option<Facts> {
    let (mut client, mut server) = (Reader(client), Reader(server));
    if client.is_empty() {
        // The choice, and the answer to the request behind it.
        let is_choice = server.take(2)? == [5, 0];
        let is_answer = answer(&mut server).is_some();
        return (is_choice && is_answer).then(|| Facts::seen("a SOCKS 5 answer"));
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
        let mut facts = Facts::seen(format!("a SOCKS 5 request for {to}"));
        inside::tell(client.0, b"", &mut facts);
        return Some(facts);
    }
    let (5, method) = (server.u8()?, server.u8()?) else { return None };
    if method != 0xff && !methods.contains(&method) {
        return None;
    }
    // A name and a password pass before the request.
    let secret = (method == PASSWORD)
        .then(|| client.u8().and_then(|_| client.vec8()).and_then(|_| client.vec8()))
        .flatten()
        .map(|_| "SOCKS 5 password");
    let mut facts = Facts::default().telling(Fact::Credentials, secret);
    match request(&mut client) {
        Some(to) => {
            facts.seen = format!("a SOCKS 5 request for {to}").into();
            if method == PASSWORD {
                server.skip(2);
            }
            if answer(&mut server) == Some(GRANTED) {
                inside::tell(client.0, server.0, &mut facts);
            }
        }
        None => facts.seen = "a SOCKS 5 greeting and its answer".into(),
    }
    Some(facts)
}

/// The method that asks for a name and a password.
const PASSWORD: u8 = 2;
/// The code of a request that is granted.
const GRANTED: u8 = 0;

/// The code of the answer to a SOCKS 5 request.
fn answer(reader: &mut Reader<'_>) -> Option<u8> {
    let (5, code @ 0..=8, 0) = (reader.u8()?, reader.u8()?, reader.u8()?) else { return None };
    address(reader)?;
    reader.u16()?;
    Some(code)
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
    fn version_5_shows_from_the_other_side_where_all_of_it_fits() {
        let asks = b"\x05\x01\x00\x05\x01\x00\x01\xc0\0\x02\x01\x00\x50";
        let answers = b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0";
        check(answers, asks, Some("a SOCKS 5 request for 192.0.2.1, port 80"));
        check(
            &[b"NZ\x8d", &answers[..]].concat(),
            asks,
            Some("a SOCKS 5 request for 192.0.2.1, port 80"),
        );
        check(&[&[b'N'; 17][..], answers].concat(), asks, None);
        check(&answers[..4], asks, None);
        check(answers, &asks[..5], None);
        check(b"", asks, None);
    }

    #[test]
    fn what_is_carried_tells_of_itself() {
        let asks = b"\x05\x01\x00\x05\x01\x00\x01\xc0\0\x02\x01\x00\x50";
        let request = b"GET /a HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Wget/1.2\r\n\r\n";
        let granted = |code: u8| [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0];
        let carried = |code| {
            let answer =
                [&granted(code)[..], b"HTTP/1.1 200 OK\r\nServer: httpd/2\r\n\r\n"].concat();
            recognise5(&Heads::tcp(&[&asks[..], request].concat(), &answer)).expect("SOCKS 5")
        };
        let facts = carried(0);
        assert_eq!(facts.seen, "a SOCKS 5 request for 192.0.2.1, port 80");
        assert_eq!(facts.server_name.as_deref(), Some("www.example.org"));
        assert_eq!(facts.told.get(Fact::UserAgent), Some("Wget/1.2"));
        assert_eq!(facts.told.get(Fact::ServerSoftware), Some("httpd/2"));
        assert_eq!(carried(5).server_name, None, "a request that is refused");
        let asks = [&b"\x04\x01\x00\x50\x0a\x00\x00\x01me\0"[..], request].concat();
        let facts = recognise4(&Heads::tcp(&asks, b"\0\x5a\0\0\0\0\0\0")).expect("SOCKS 4");
        assert_eq!(facts.server_name.as_deref(), Some("www.example.org"));
        let facts = recognise4(&Heads::tcp(&asks, b"\0\x5b\0\0\0\0\0\0")).expect("SOCKS 4");
        assert_eq!(facts.server_name, None);
    }

    #[test]
    fn a_greeting_alone_is_not_socks() {
        check(b"\x05\x01\x00", b"", None);
        check(b"\x05\x01\x00", b"\x05\x02", None);
        check(b"\x05\x01\x00", b"HTTP/1.1", None);
    }
}
