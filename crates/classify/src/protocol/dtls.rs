//! DTLS 1.0 to 1.3 by its records and greeting (RFC 6347, section 4; RFC 9147, section 5), over UDP.

use flow::{Head, Heads, Transport};

use super::{Facts, Protocol, x509::Certificate};
use crate::{
    bytes::Reader,
    hello::{Carrier, ClientHello, ServerHello},
    needs::any_datagram_in,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "dtls",
    group: "web",
    title: "Datagram Transport Layer Security",
    source: "RFC 6347, RFC 9147",
    needs: any_datagram_in(20..=25),
    recognise,
};

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::UDP {
        return None;
    }
    let mut is_dtls = false;
    let mut hello = None;
    let mut certificate = None;
    let mut server = None;
    for head in [&heads.client, &heads.server] {
        let mut messages = Messages::default();
        is_dtls |= read(head, &mut messages);
        let is_greeting = |it: &Message| it.kind == CLIENT_HELLO;
        if hello.is_none() {
            // The second greeting repeats the first with a cookie; either tells.
            hello = messages
                .0
                .iter()
                .filter(|it| is_greeting(it))
                .find_map(|it| ClientHello::read(&it.body, Carrier::Dtls));
        }
        let of = |kind| messages.0.iter().find(|it| it.kind == kind);
        server = server.or_else(|| of(SERVER_HELLO).map(|it| ServerHello::read(&it.body)));
        certificate = certificate.or_else(|| Certificate::first(&of(CERTIFICATE)?.body));
    }
    if !is_dtls {
        return None;
    }
    let seen = match &hello {
        Some(hello) => hello.sentence("DTLS"),
        None if server.is_some() => "a DTLS server's answer".to_owned(),
        None => "DTLS records".to_owned(),
    };
    let mut facts = Facts::seen(seen);
    if let Some(hello) = hello {
        hello.tell(Carrier::Dtls, &mut facts);
    }
    if let Some(hello) = server.flatten() {
        hello.tell(Carrier::Dtls, &mut facts);
    }
    if let Some(certificate) = certificate {
        certificate.tell(&mut facts);
    }
    Some(facts)
}

/// A handshake message put together from its fragments, as far as they came in order.
struct Message {
    sequence: u16,
    kind: u8,
    body: Vec<u8>,
}

/// The messages of one side, in the order they came.
#[derive(Default)]
struct Messages(Vec<Message>);

impl Messages {
    /// How many messages are kept of a side.
    const MAX: usize = 16;

    fn add(&mut self, fragment: &[u8]) -> Option<()> {
        let mut reader = Reader(fragment);
        let (kind, len, sequence) = (reader.u8()?, reader.u24()?, reader.u16()?);
        let (offset, part_len) = (reader.u24()?, reader.u24()?);
        if offset + part_len > len {
            return None;
        }
        let part = reader.take_up_to(part_len as usize);
        let has_room = self.0.len() < Self::MAX;
        let known = self.0.iter_mut().find(|it| it.sequence == sequence && it.kind == kind);
        match known {
            Some(message) if message.body.len() == offset as usize => {
                message.body.extend_from_slice(part);
            }
            None if offset == 0 && has_room => {
                self.0.push(Message { sequence, kind, body: part.to_vec() });
            }
            _ => {}
        }
        Some(())
    }
}

/// Whether the datagrams of a side are records, read into messages: one that is all records tells, more have to agree.
fn read(head: &Head, messages: &mut Messages) -> bool {
    let (mut n_fitting, mut n) = (0, 0);
    for datagram in head.datagrams() {
        n += 1;
        n_fitting += usize::from(read_datagram(datagram, messages));
    }
    // Beside DTLS, a media port carries STUN and RTP.
    let has_greeting =
        messages.0.iter().any(|it| matches!(it.kind, CLIENT_HELLO | SERVER_HELLO | 3));
    n_fitting > 0 && (has_greeting || n_fitting == n)
}

/// Whether a datagram is records from its beginning to its end, the last of a cut datagram aside.
fn read_datagram(datagram: &[u8], messages: &mut Messages) -> bool {
    let mut rest = Reader(datagram);
    let mut n = 0;
    while !rest.is_empty() {
        let header = |rest: &mut Reader| {
            let (kind, version, epoch) = (rest.u8()?, rest.u16()?, rest.u16()?);
            let _sequence = (rest.u16()?, rest.u32()?);
            Some((kind, version, epoch, rest.u16()?))
        };
        let Some((kind, version, epoch, len)) = header(&mut rest) else {
            return n > 0;
        };
        let is_record = (20..=25).contains(&kind)
            && matches!(version, 0xfeff | 0xfefd | 0xfefc | 0x0100)
            && epoch < 16
            && (1..=(1 << 14) + 2048).contains(&len);
        if !is_record {
            return n > 0;
        }
        let body = rest.take_up_to(len.into());
        if kind == HANDSHAKE && epoch == 0 && messages.add(body).is_none() {
            return false;
        }
        n += 1;
    }
    n > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fact::Fact, hello::tests::body};

    /// A greeting in fragments of so many bytes, one a datagram.
    fn greeting(fragment_len: usize) -> Vec<Vec<u8>> {
        let tls = body("call.example");
        // Behind the session identifier there is a cookie, here an empty one.
        let mut hello = vec![0xfe, 0xfd];
        hello.extend(&tls[2..35]);
        hello.push(0);
        hello.extend(&tls[35..]);
        let u24 = |n: usize| (n as u32).to_be_bytes()[1..].to_vec();
        let parts = hello.chunks(fragment_len).enumerate();
        let datagram = |(i, part): (usize, &[u8])| {
            let mut message = vec![CLIENT_HELLO];
            message.extend(u24(hello.len()));
            message.extend([0, 0]);
            message.extend(u24(i * fragment_len));
            message.extend(u24(part.len()));
            message.extend(part);
            let mut record = vec![HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, i as u8];
            record.extend((message.len() as u16).to_be_bytes());
            record.extend(message);
            record
        };
        parts.map(datagram).collect()
    }

    #[track_caller]
    fn check(client: &[&[u8]], expected: Option<&str>) {
        let facts = recognise(&Heads::udp(client, &[]));
        assert_eq!(facts.as_ref().map(|it| &*it.seen), expected);
    }

    #[test]
    fn the_greeting_names_the_server() {
        let seen = "a DTLS greeting for call.example, offering h2";
        check(&[&greeting(1000)[0]], Some(seen));
        let parts = greeting(60);
        check(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>(), Some(seen));
        let facts = recognise(&Heads::udp(&[&greeting(1000)[0]], &[])).expect("DTLS");
        assert!(facts.told.get(Fact::Ja4).is_some_and(|it| it.starts_with("d12d0203h2_")));
    }

    #[test]
    fn records_in_the_middle_are_dtls() {
        let record = [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 7, 7];
        check(&[&record, &record], Some("DTLS records"));
    }

    #[test]
    fn what_only_begins_so_is_not_dtls() {
        let record = [23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 7, 7];
        check(&[&record, b"something else"], None);
        check(&[&[22, 0xfe, 0xfd, 0]], None);
        check(&[&[22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 7, 7]], None);
    }
}
