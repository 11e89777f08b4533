//! TLS 1.0 to 1.3 and SSL 2 and 3, by the greeting of either side (RFC 8446, RFC 5246), else by its records.

use std::borrow::Cow;

use flow::{Heads, Transport};

use super::{Facts, Protocol, Tie, x509::Certificate};
use crate::{
    bytes::Reader,
    hello::{self, Carrier, ClientHello, ServerHello},
    needs::{ANY, tcp, tcp_in},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "tls",
    group: "web",
    title: "Transport Layer Security",
    source: "RFC 8446, RFC 5246",
    needs: tcp_in(20..=24).or(tcp_in(0x80..=0xff)),
    recognise,
};

/// The same seen from its middle: records that follow one another somewhere in the bytes. Other protocols carry TLS too, so
/// this one comes last.
pub(super) const MIDWAY: Protocol =
    Protocol { needs: tcp(ANY), recognise: recognise_midway, ..PROTOCOL };

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// The longest record: 2^14 bytes and what protection may add (RFC 5246, section 6.2.3).
const MAX_RECORD_LEN: u16 = (1 << 14) + 2048;

/// Where TLS is spoken from the first byte; a lone cut record is believed there.
const PORTS: &[u16] = &[443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 8443];

/// What one side begins with.
enum Side {
    Client(Box<ClientHello>),
    /// A greeting of SSL 2, which has no extensions.
    OldClient,
    /// The server's hello, and what follows it.
    Server(Box<Answer>),
    /// Records from the middle, the last perhaps cut.
    Records,
    /// One record that has not ended.
    CutRecord,
    Other,
}

/// A server's hello, and what follows it where it is not encrypted.
struct Answer {
    hello: ServerHello,
    certificate: Option<Certificate>,
    ticket: Option<Tie>,
}

impl Answer {
    fn tell(self, facts: &mut Facts) {
        self.hello.tell(Carrier::Tls, facts);
        self.ticket.into_iter().for_each(|it| facts.tie(it));
        if let Some(it) = self.certificate {
            if it.is_of_tor() {
                facts.service = Some("tor");
                facts.seen = format!("{}; a certificate as Tor's relays make", facts.seen).into();
            }
            it.tell(facts);
        }
    }
}

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let sides = [side(heads.client.bytes()), side(heads.server.bytes())];
    let hello = sides.iter().find_map(|it| match it {
        Side::Client(hello) => Some(hello),
        _ => None,
    });
    let has = |test: fn(&Side) -> bool| sides.iter().any(test);
    let seen = if let Some(hello) = hello {
        hello.sentence("TLS")
    } else if has(|it| matches!(it, Side::OldClient)) {
        "a greeting of SSL 2".to_owned()
    } else if has(|it| matches!(it, Side::Server(_))) {
        "a TLS server's answer".to_owned()
    } else if has(|it| matches!(it, Side::Records)) {
        "TLS records".to_owned()
    } else {
        let is_cut = has(|it| matches!(it, Side::CutRecord));
        let is_supported = PORTS.iter().any(|port| heads.has_port(*port))
            || sides.iter().all(|it| matches!(it, Side::CutRecord));
        if !is_cut || !is_supported {
            return None;
        }
        "a TLS record".to_owned()
    };
    let is_port = PORTS.iter().any(|port| heads.has_port(*port));
    let shows = |it: &Side| match it {
        Side::CutRecord => is_port,
        Side::Other => false,
        _ => true,
    };
    let mut facts = Facts { shown: Some(sides.each_ref().map(shows)), ..Facts::seen(seen) };
    if let Some(hello) = hello {
        hello.tell(Carrier::Tls, &mut facts);
    }
    for side in sides {
        if let Side::Server(answer) = side {
            answer.tell(&mut facts);
        }
    }
    Some(facts)
}

/// The greeting of a client that went over to TLS inside another protocol: `STARTTLS` and its like.
pub(super) fn started(client: &[u8]) -> Option<ClientHello> {
    let at = client.windows(4).position(|it| matches!(it, [b'\n' | b'>', HANDSHAKE, 3, 0..=4]))?;
    match side(client.get(at + 1..)?) {
        Side::Client(hello) => Some(*hello),
        _ => None,
    }
}

/// Adds what that greeting tells, where there is one.
pub(super) fn tell_started(client: &[u8], facts: &mut Facts) {
    if let Some(hello) = started(client) {
        hello.tell(Carrier::Tls, facts);
    }
}

fn side(bytes: &[u8]) -> Side {
    if is_old_greeting(bytes) {
        return Side::OldClient;
    }
    let mut rest = Reader(bytes);
    let (mut n_headers, mut is_cut) = (0, false);
    let mut version = None;
    let mut handshake: Cow<[u8]> = Cow::default();
    let mut is_greeting = true;
    while !rest.is_empty() {
        let Some(record) = record(&mut rest) else {
            // Fewer bytes than a header are the beginning of the next record.
            if rest.0.len() >= 5 {
                return if handshake.is_empty() { Side::Other } else { greeting(&handshake) };
            }
            break;
        };
        n_headers += 1;
        is_cut = record.body.len() < usize::from(record.len);
        is_greeting &= record.kind == HANDSHAKE;
        if is_greeting {
            match handshake.is_empty() {
                true => handshake = Cow::Borrowed(record.body),
                false => handshake.to_mut().extend_from_slice(record.body),
            }
        } else if version.is_some_and(|it| it != record.version) && handshake.is_empty() {
            return Side::Other;
        }
        version = Some(record.version);
    }
    match greeting(&handshake) {
        Side::Other if n_headers > 1 || n_headers == 1 && !is_cut => Side::Records,
        Side::Other if n_headers == 1 => Side::CutRecord,
        greeting => greeting,
    }
}

/// A record, its body perhaps cut.
struct Record<'a> {
    kind: u8,
    version: u16,
    len: u16,
    body: &'a [u8],
}

fn record<'a>(reader: &mut Reader<'a>) -> Option<Record<'a>> {
    let mut ahead = *reader;
    let (kind, version, len) = (ahead.u8()?, ahead.u16()?, ahead.u16()?);
    let is_record = (20..=24).contains(&kind)
        && (0x0300..=0x0304).contains(&version)
        && (1..=MAX_RECORD_LEN).contains(&len)
        && (kind != ALERT || len >= 2)
        && (kind != 20 || len == 1);
    if !is_record {
        return None;
    }
    let body = ahead.take_up_to(len.into());
    *reader = ahead;
    Some(Record { kind, version, len, body })
}

/// What the handshake messages of one side begin with.
fn greeting(handshake: &[u8]) -> Side {
    const CLIENT_HELLO: u8 = 1;
    const SERVER_HELLO: u8 = 2;

    let mut messages = Reader(handshake);
    match message(&mut messages) {
        Some((CLIENT_HELLO, body)) => match ClientHello::read(body, Carrier::Tls) {
            Some(hello) => Side::Client(Box::new(hello)),
            None => Side::Other,
        },
        Some((SERVER_HELLO, body)) if is_server_hello(body) => {
            Side::Server(Box::new(answer(body, messages)))
        }
        _ => Side::Other,
    }
}

/// What a server says. TLS 1.3 encrypts all but its hello.
fn answer(hello: &[u8], mut messages: Reader) -> Answer {
    const NEW_SESSION_TICKET: u8 = 4;
    const CERTIFICATE: u8 = 11;
    let hello = ServerHello::read(hello).unwrap_or_default();
    let mut answer = Answer { hello, certificate: None, ticket: None };
    while let Some((kind, body)) = message(&mut messages) {
        match kind {
            CERTIFICATE => answer.certificate = Certificate::first(body),
            // A hint of its lifetime, then the ticket (RFC 5077, section 3.3).
            NEW_SESSION_TICKET => {
                let mut rest = Reader(body);
                let ticket = rest.u32().and_then(|_| rest.vec16());
                answer.ticket = ticket.and_then(hello::session);
            }
            _ => {}
        }
    }
    answer
}

/// The next handshake message: its type and body, as much as there is of it.
fn message<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let kind = reader.u8()?;
    let len = reader.u24()? as usize;
    Some((kind, reader.take_up_to(len)))
}

fn is_server_hello(body: &[u8]) -> bool {
    let mut reader = Reader(body);
    let is_known = reader.u16().is_some_and(|it| (0x0300..=0x0304).contains(&it));
    let is_fitting = reader.skip(32).is_none() || reader.u8().is_none_or(|it| it <= 32);
    is_known && is_fitting
}

/// A ClientHello of SSL 2, also used to offer SSL 3 and TLS 1.0 (RFC 5246, appendix E.2).
fn is_old_greeting(bytes: &[u8]) -> bool {
    let read = || {
        let mut reader = Reader(bytes);
        let len = reader.u16()?;
        let (kind, version) = (reader.u8()?, reader.u16()?);
        let (ciphers, session_id, challenge) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let sum = 9u32 + u32::from(ciphers) + u32::from(session_id) + u32::from(challenge);
        Some(
            len & 0x8000 != 0
                && kind == 1
                && (version == 0x0002 || (0x0300..=0x0303).contains(&version))
                && ciphers > 0
                && ciphers % 3 == 0
                && matches!(session_id, 0 | 16)
                && (16..=32).contains(&challenge)
                && sum == u32::from(len & 0x7fff),
        )
    };
    read().unwrap_or(false)
}

fn recognise_midway(heads: &Heads) -> Option<Facts> {
    let is_tcp = heads.transport == Transport::TCP;
    let sides = [heads.client.bytes(), heads.server.bytes()];
    let is_midway = is_tcp && sides.into_iter().any(has_records);
    is_midway.then(|| Facts::seen("TLS records"))
}

/// Whether three records of application data follow one another somewhere.
fn has_records(bytes: &[u8]) -> bool {
    let starts = bytes.windows(3).enumerate();
    starts.filter(|(_, it)| matches!(it, [APPLICATION_DATA, 3, 1..=3])).any(|(at, _)| {
        let mut rest = Reader(bytes.get(at..).unwrap_or_default());
        let first = record(&mut rest);
        let others = [record(&mut rest), record(&mut rest)];
        let version = first.map(|it| it.version);
        others.iter().all(|it| {
            it.as_ref().is_some_and(|it| it.kind == APPLICATION_DATA && Some(it.version) == version)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::Fact, hello::tests::body, protocol::x509};

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 3, 3];
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = (body.len() as u32).to_be_bytes().to_vec();
        bytes[0] = kind;
        bytes.extend(body);
        bytes
    }

    fn client() -> Vec<u8> {
        record(HANDSHAKE, &message(1, &body("www.example.org")))
    }

    fn server(certificate: &[u8]) -> Vec<u8> {
        let mut hello = vec![3, 3];
        hello.extend([5; 32]);
        hello.extend([0, 0xc0, 0x2f, 0]);
        let len = |n: usize| (n as u32).to_be_bytes()[1..].to_vec();
        let list = [len(certificate.len() + 3), len(certificate.len()), certificate.to_vec()];
        record(HANDSHAKE, &[message(2, &hello), message(11, &list.concat())].concat())
    }

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: Option<&str>) {
        let facts = recognise(&Heads::tcp(client, server));
        assert_eq!(facts.as_ref().map(|it| &*it.seen), expected);
    }

    #[test]
    fn the_greeting_names_the_server() {
        let seen = "a TLS greeting for www.example.org, offering h2";
        check(&client(), b"", Some(seen));
        // Where the capture begins late, the client may look like the server.
        check(b"", &client(), Some(seen));
    }

    #[test]
    fn what_both_sides_say_is_told() {
        let certificate = x509::tests::certificate("example.org", &["*.example.org"]);
        let facts = recognise(&Heads::tcp(&client(), &server(&certificate))).expect("TLS");
        let told = |fact| facts.told.get(fact);
        assert_eq!(told(Fact::Version), Some("TLS 1.2"));
        assert_eq!(told(Fact::Cipher), Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assert_eq!(told(Fact::AlpnOffered), Some("h2"));
        assert_eq!(told(Fact::CertificateSubject), Some("CN=example.org"));
        assert_eq!(told(Fact::CertificateNames), Some("example.org, *.example.org"));
        assert!(told(Fact::Ja3).is_some() && told(Fact::Ja3s).is_some());
        assert_eq!(told(Fact::Alpn), None);
    }

    #[test]
    fn relays_of_tor_make_certificates_of_their_own() {
        let check = |subject: &str, issuer: &str, expected: Option<&str>| {
            let certificate = x509::tests::certificate_by(subject, &[], issuer);
            let facts = recognise(&Heads::tcp(&client(), &server(&certificate))).expect("TLS");
            assert_eq!(facts.service, expected);
        };
        check("www.4rs6nbnd7fhx.net", "www.kxu3vzzp27yq.com", Some("tor"));
        check("www.example.net", "www.example.com", None);
        check("www.4rs6nbnd7fhx.net", "Signers", None);
    }

    #[test]
    fn a_greeting_may_lie_in_several_records() {
        let whole = message(1, &body("www.example.org"));
        let (one, two) = whole.split_at(50);
        let bytes = [record(HANDSHAKE, one), record(HANDSHAKE, two)].concat();
        check(&bytes, b"", Some("a TLS greeting for www.example.org, offering h2"));
    }

    #[test]
    fn the_certificate_names_the_server() {
        let certificate = x509::tests::certificate("example.org", &["*.example.org"]);
        let facts = recognise(&Heads::tcp(b"", &server(&certificate))).expect("a server");
        assert_eq!(facts.seen, "a TLS server's answer");
        assert_eq!(facts.further_names, ["example.org", "*.example.org"]);
    }

    #[test]
    fn records_in_the_middle_are_tls() {
        let data = record(APPLICATION_DATA, b"secret");
        check(&data, b"", Some("TLS records"));
        check(&[data.clone(), data.clone(), vec![23, 3]].concat(), b"", Some("TLS records"));
        let late = Heads::tcp(&[b"end of a record".to_vec(), data.repeat(3)].concat(), b"");
        assert!(recognise(&late).is_none() && recognise_midway(&late).is_some());
    }

    #[test]
    fn an_old_greeting_is_tls() {
        let mut bytes = vec![0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16];
        bytes.extend([0; 37]);
        check(&bytes, b"", Some("a greeting of SSL 2"));
    }

    #[test]
    fn what_only_begins_like_a_record_is_not_tls() {
        check(&[22, 3, 1, 0, 5, 9, 9, 9, 9, 9, b'G', b'E', b'T', b' ', b'/'], b"", None);
        check(&[23, 3, 3, 0x40, 0, 1, 2], b"", None);
        check(b"GET / HTTP/1.1\r\n", &[23, 3, 3, 0, 9, 1, 2], None);
    }

    #[test]
    fn tls_after_a_command_is_found() {
        let bytes = [b"EHLO me\r\nSTARTTLS\r\n".to_vec(), client()].concat();
        let hello = started(&bytes).expect("a greeting");
        assert_eq!(hello.server_name.as_deref(), Some("www.example.org"));
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it() {
        let bytes = server(&x509::tests::certificate("example.org", &["a.example"]));
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 0xff;
            recognise(&Heads::tcp(&other, &bytes[..i]));
        }
    }
}
