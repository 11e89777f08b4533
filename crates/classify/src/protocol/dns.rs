//! DNS over UDP and TCP, multicast DNS and LLMNR, by their common message (RFC 1035, section 4; RFC 6762; RFC 4795).
//!
//! The three share the message; the port of multicast DNS, over UDP, and LLMNR tells which it is.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use flow::{Heads, Transport};

use super::{Answer, Facts, Protocol};
use crate::{
    bytes::{Reader, host_name, text},
    fact::Fact,
    needs::{ANY, either, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "dns",
    group: "names",
    title: "Domain Name System",
    source: "RFC 1035",
    needs: either(ANY),
    recognise,
};
pub(super) const MDNS: Protocol = Protocol {
    name: "mdns",
    group: "names",
    title: "Multicast DNS",
    source: "RFC 6762",
    needs: udp(ANY),
    recognise: recognise_mdns,
};
pub(super) const LLMNR: Protocol = Protocol {
    name: "llmnr",
    group: "names",
    title: "Link-Local Multicast Name Resolution",
    source: "RFC 4795",
    needs: either(ANY),
    recognise: recognise_llmnr,
};

const PORT: u16 = 53;
const MDNS_PORT: u16 = 5353;
const LLMNR_PORT: u16 = 5355;

/// How many records of one message are read.
const MAX_RECORDS: u16 = 256;
/// How many names that were asked for are looked at.
const MAX_ASKED: usize = 16;
/// How many labels of one name are followed, pointers included.
const MAX_LABELS: usize = 128;
/// How many names stand for one that was asked for.
const MAX_ALIASES: usize = 63;
/// Most names are no longer, in bytes.
const USUAL_NAME_LEN: usize = 64;

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_other = is_multicast(heads) || heads.has_port(LLMNR_PORT);
    if is_other { None } else { read(heads, "DNS") }
}

fn recognise_mdns(heads: &Heads) -> Option<Facts> {
    is_multicast(heads).then(|| read(heads, "multicast DNS"))?
}

/// Nobody speaks over TCP with a group (RFC 6762, section 3).
fn is_multicast(heads: &Heads) -> bool {
    heads.transport == Transport::UDP && heads.has_port(MDNS_PORT)
}

fn recognise_llmnr(heads: &Heads) -> Option<Facts> {
    heads.has_port(LLMNR_PORT).then(|| read(heads, "LLMNR"))?
}

fn read(heads: &Heads, what: &str) -> Option<Facts> {
    let place = match [PORT, MDNS_PORT, LLMNR_PORT].map(|it| heads.has_port(it)) {
        [true, ..] => Place::Own,
        [_, false, false] => Place::Elsewhere,
        _ => Place::OfRelatives,
    };
    let is_usual = place != Place::Elsewhere;
    let mut facts = Facts::default();
    let mut asked: Vec<String> = Vec::new();
    let (mut n, mut n_messages) = (0, 0);
    let (mut kind, mut code) = (None, None);
    let mut known = Known::default();
    let mut name = Vec::new();
    let mut shown = [false; 2];
    for (head, is_shown) in [&heads.client, &heads.server].into_iter().zip(&mut shown) {
        let datagrams = (heads.transport == Transport::UDP).then(|| head.datagrams());
        let framed = (heads.transport == Transport::TCP).then(|| framed(head.bytes()));
        let messages = datagrams.into_iter().flatten().chain(framed.into_iter().flatten());
        for (at, bytes) in messages.enumerate() {
            n += 1;
            let Some(message) = Message::read(bytes, place, &mut name) else {
                // Elsewhere than at its port, all that is said has to be DNS.
                if is_usual && n_messages > 0 {
                    continue;
                }
                return None;
            };
            n_messages += 1;
            *is_shown |= at == 0;
            kind = kind.or(message.kind);
            code = code.or(message.code);
            asked.extend(
                message.question.filter(|it| asked.len() < MAX_ASKED && !asked.contains(it)),
            );
            for answer in message.answers {
                if known.is_new(&answer, &facts.answers) && facts.answers.len() < Facts::MAX_ANSWERS
                {
                    facts.answers.push(answer);
                }
            }
        }
    }
    if n == 0 {
        return None;
    }
    facts.shown = Some(shown);
    facts.told.tell(Fact::DnsType, &kind.map(kind_name).unwrap_or_default());
    facts.told.tell(Fact::DnsAnswer, code.and_then(code_name).unwrap_or_default());
    if has_long_names(&asked) {
        facts.told.tell(Fact::Shape, "a tunnel in DNS names");
    }
    let mut asked = asked.into_iter();
    let first = asked.next();
    let seen = match first.as_deref() {
        None => ["a ", what, " message"].concat(),
        // RFC 1034, 3.1: the root's name has no letters.
        Some("") => ["a ", what, " message for the root"].concat(),
        Some(name) => ["a ", what, " message for ", &text(name.as_bytes(), 100)].concat(),
    };
    facts.seen = seen.into();
    facts.server_name = first.and_then(|it| host_name(it.as_bytes()));
    facts.further_names = asked.collect();
    Some(facts)
}

/// The answers that were there before. Few are found by going through them, many are sorted.
#[derive(Default)]
struct Known(BTreeSet<(String, IpAddr)>);

impl Known {
    const FEW: usize = 16;

    /// Whether an answer is none of those so far, which are these, and perhaps more than are kept.
    fn is_new(&mut self, answer: &Answer, kept: &[Answer]) -> bool {
        let key = |it: &Answer| (it.name.clone(), it.ip);
        if kept.len() < Self::FEW {
            return !kept.contains(answer);
        }
        if self.0.is_empty() {
            self.0 = kept.iter().map(key).collect();
        }
        self.0.insert(key(answer))
    }
}

/// Whether many names of one owner are so long that they carry something else than names.
fn has_long_names(asked: &[String]) -> bool {
    const MIN_NAMES: usize = 8;
    const MIN_LEN: usize = 40;
    if asked.len() < MIN_NAMES {
        return false;
    }
    let owner = |name: &str| name.rmatch_indices('.').nth(1).map_or(0, |it| it.0 + 1);
    let of_first = asked.first().map(|it| &it[owner(it)..]);
    let alike = || asked.iter().filter(|it| Some(&it[owner(it)..]) == of_first);
    let len: usize = alike().map(|it| owner(it)).sum();
    alike().count() >= MIN_NAMES && len / alike().count() >= MIN_LEN
}

/// What a type is called (IANA, DNS Parameters).
fn kind_name(kind: u16) -> Cow<'static, str> {
    const KINDS: &[(u16, &str)] = &[
        (1, "A"),
        (2, "NS"),
        (5, "CNAME"),
        (6, "SOA"),
        (10, "NULL"),
        (12, "PTR"),
        (13, "HINFO"),
        (15, "MX"),
        (16, "TXT"),
        (28, "AAAA"),
        (29, "LOC"),
        (32, "NB"),
        (33, "SRV"),
        (35, "NAPTR"),
        (39, "DNAME"),
        (43, "DS"),
        (46, "RRSIG"),
        (47, "NSEC"),
        (48, "DNSKEY"),
        (52, "TLSA"),
        (64, "SVCB"),
        (65, "HTTPS"),
        (99, "SPF"),
        (251, "IXFR"),
        (252, "AXFR"),
        (255, "ANY"),
        (257, "CAA"),
    ];
    match KINDS.iter().find(|it| it.0 == kind) {
        Some((_, name)) => Cow::Borrowed(name),
        None => format!("TYPE{kind}").into(),
    }
}

/// What a code is called (IANA, DNS Parameters).
fn code_name(code: u16) -> Option<&'static str> {
    const CODES: &[&str] = &[
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE",
    ];
    CODES.get(usize::from(code)).copied()
}

/// Messages of a stream, each behind its length (RFC 1035, section 4.2.2); the last perhaps cut.
fn framed(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Reader(bytes);
    std::iter::from_fn(move || {
        let len = rest.u16()?;
        Some(rest.take_up_to(len.into()))
    })
}

/// Where a message was said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the port of DNS.
    Own,
    /// At that of multicast DNS or LLMNR.
    OfRelatives,
    Elsewhere,
}

/// What is read of one message.
struct Message {
    /// The first name asked for.
    question: Option<String>,
    /// Its type.
    kind: Option<u16>,
    /// What an answer says of it.
    code: Option<u16>,
    answers: Vec<Answer>,
}

impl Message {
    /// Reads a message. At its usual port it may be cut or have a tail; elsewhere it has to fit exactly, and so has one of an
    /// operation that nobody knows, at the port of DNS.
    /// Names that are read on the way are written into `name`, whatever it holds.
    fn read(bytes: &[u8], place: Place, name: &mut Vec<u8>) -> Option<Self> {
        const RESPONSE: u16 = 0x8000;
        let is_usual = place != Place::Elsewhere;
        let mut reader = Reader(bytes);
        let (_id, flags) = (reader.u16()?, reader.u16()?);
        let (n_questions, n_answers) = (reader.u16()?, reader.u16()?);
        let (n_authorities, n_more) = (reader.u16()?, reader.u16()?);
        let is_response = flags & RESPONSE != 0;
        let opcode = flags >> 11 & 0xf;
        let n_records = u32::from(n_answers) + u32::from(n_authorities) + u32::from(n_more);
        // A dynamic update counts otherwise, in the same places (RFC 2136).
        let is_known = matches!(opcode, 0..=2 | 4..=6);
        let is_header = (is_known || place == Place::Own)
            && n_questions <= 32
            && n_records <= 1024
            && (n_questions > 0 || n_records > 0 || is_usual && is_response)
            && (is_response || n_answers <= 32)
            && (is_usual || flags & 0x0040 == 0 && flags & 0xf <= 11 && n_questions == 1);
        if !is_header {
            return None;
        }
        let (mut question, mut asked) = (None, None);
        for _ in 0..n_questions {
            match read_name(bytes, &mut reader, name) {
                Some(()) => {}
                None if is_usual && question.is_some() => break,
                None => return None,
            }
            let (kind, class) = (reader.u16()?, reader.u16()?);
            let is_question = matches!(class & 0x7fff, 1 | 3 | 4 | 254 | 255)
                && (matches!(kind, 1..=31 | 33..=110 | 128 | 249..=262 | 32768 | 32769)
                    || is_usual && kind != 0);
            if !is_question {
                return None;
            }
            question.get_or_insert_with(|| as_text(name));
            asked.get_or_insert(kind);
        }
        let mut answers = Answers::new(question.as_deref());
        let mut read_all = || {
            for _ in 0..n_records.min(MAX_RECORDS.into()) {
                read_name(bytes, &mut reader, name)?;
                let (kind, class, _ttl) = (reader.u16()?, reader.u16()?, reader.u32()?);
                let data = reader.vec16()?;
                if class & 0x7fff == 1 {
                    let at = bytes.len() - reader.0.len() - data.len();
                    let _ = answers.add(name, kind, data, bytes.get(..at + data.len())?, at);
                }
            }
            Some(())
        };
        let is_whole = read_all().is_some();
        let fits = is_whole && (reader.is_empty() || n_records > MAX_RECORDS.into());
        if (!is_usual || !is_known) && !fits || is_usual && !is_whole && question.is_none() {
            return None;
        }
        let answers = answers.found;
        let code = is_response.then_some(flags & 0xf);
        Some(Self { question, kind: asked, code, answers })
    }
}

/// The addresses of a message, found along its aliases.
struct Answers<'a> {
    question: Option<&'a str>,
    /// The further names that stand for the question's, at most [`MAX_ALIASES`].
    aliases: Vec<Vec<u8>>,
    found: Vec<Answer>,
}

impl<'a> Answers<'a> {
    fn new(question: Option<&'a str>) -> Self {
        Self { question, aliases: Vec::new(), found: Vec::new() }
    }

    fn is_alias(&self, name: &[u8]) -> bool {
        self.question.is_some_and(|it| it.as_bytes() == name)
            || self.aliases.iter().any(|it| it == name)
    }

    /// Takes one record; aliases come before what they lead to (RFC 1034, section 4.3.2).
    fn add(&mut self, owner: &[u8], kind: u16, data: &[u8], upto: &[u8], at: usize) -> Option<()> {
        const A: u16 = 1;
        const CNAME: u16 = 5;
        const AAAA: u16 = 28;
        let ip = match kind {
            A => data.try_into().map(|it: [u8; 4]| IpAddr::V4(Ipv4Addr::from(it))).ok(),
            AAAA => data.try_into().map(|it: [u8; 16]| IpAddr::V6(Ipv6Addr::from(it))).ok(),
            CNAME if self.is_alias(owner) && self.aliases.len() < MAX_ALIASES => {
                let mut target = Reader(upto.get(at..).unwrap_or_default());
                let mut name = Vec::new();
                read_name(upto, &mut target, &mut name).filter(|()| !self.is_alias(&name))?;
                self.aliases.push(name);
                None
            }
            _ => None,
        };
        let ip = ip?;
        let name = match self.question {
            Some(question) if self.is_alias(owner) => question.as_bytes(),
            // Multicast DNS answers without repeating the question.
            None => owner,
            Some(_) => return None,
        };
        let name = host_name(name)?;
        self.found.push(Answer { name, ip });
        Some(())
    }
}

/// A name that was read, as text.
fn as_text(name: &[u8]) -> String {
    String::from_utf8(name.to_vec()).unwrap_or_default()
}

/// The name at the reader in lower case and in UTF-8, with the reader moved behind it. Pointers lead backwards only.
fn read_name<'a>(message: &'a [u8], reader: &mut Reader<'a>, name: &mut Vec<u8>) -> Option<()> {
    name.clear();
    name.reserve(USUAL_NAME_LEN);
    let mut ahead = *reader;
    let mut has_jumped = false;
    let mut limit = message.len();
    for _ in 0..MAX_LABELS {
        let len = ahead.u8()?;
        match len {
            0 => {
                if !has_jumped {
                    *reader = ahead;
                }
                name.make_ascii_lowercase();
                return Some(());
            }
            1..64 => {
                let label = ahead.take(len.into())?;
                if name.len() + label.len() > 254 {
                    return None;
                }
                if !name.is_empty() {
                    name.push(b'.');
                }
                if label.is_ascii() {
                    name.extend_from_slice(label);
                } else {
                    let letters: String = label.iter().map(|it| char::from(*it)).collect();
                    name.extend_from_slice(letters.as_bytes());
                }
            }
            0xc0.. => {
                let low = ahead.u8()?;
                if !has_jumped {
                    *reader = ahead;
                    has_jumped = true;
                }
                let target = usize::from(len & 0x3f) << 8 | usize::from(low);
                // Each jump has to lead before the last, so that none can go round.
                if target >= limit {
                    return None;
                }
                limit = target;
                ahead = Reader(message.get(target..)?);
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] =
        b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07Example\x03org\0\0\x01\0\x01";

    /// An answer to [`QUESTION`]: an alias, then the address of what it stands for, in a name of one label.
    fn answer() -> Vec<u8> {
        let mut bytes = QUESTION.to_vec();
        bytes[2] = 0x81;
        bytes[3] = 0x80;
        bytes[7] = 2;
        bytes.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x09\0\x06\x03cdn\xc0\x10");
        bytes.extend(b"\xc0\x2d\0\x01\0\x01\0\0\0\x09\0\x04\xc0\0\x02\x07");
        bytes
    }

    #[track_caller]
    fn check(heads: &Heads, expected: Option<&str>) {
        let facts = recognise(heads);
        assert_eq!(facts.as_ref().map(|it| &*it.seen), expected);
    }

    #[test]
    fn a_question_tells_at_any_port() {
        check(&Heads::udp(&[QUESTION], &[]), Some("a DNS message for www.example.org"));
        let framed = [&[0, QUESTION.len() as u8], QUESTION].concat();
        check(&Heads::tcp(&framed, b""), Some("a DNS message for www.example.org"));
    }

    #[test]
    fn an_answer_gives_the_address_under_the_name_asked_for() {
        let facts = recognise(&Heads::udp(&[QUESTION], &[&answer()])).expect("DNS");
        let name = "www.example.org".to_owned();
        assert_eq!(facts.server_name.as_ref(), Some(&name));
        assert_eq!(facts.answers, [Answer { name, ip: "192.0.2.7".parse().expect("an address") }]);
    }

    #[test]
    fn the_root_has_a_name_too() {
        let root = [&QUESTION[..12], b"\0\0\x02\0\x01"].concat();
        check(
            &Heads::udp(&[&root], &[]).with_ports(50_000, 53),
            Some("a DNS message for the root"),
        );
    }

    #[test]
    fn the_port_tells_its_relatives() {
        let heads = || Heads::udp(&[QUESTION], &[]);
        assert!(recognise_mdns(&heads().with_ports(5353, 5353)).is_some());
        assert!(recognise_llmnr(&heads().with_ports(50_000, 5355)).is_some());
        check(&heads().with_ports(5353, 5353), None);
    }

    #[test]
    fn over_tcp_nothing_is_multicast() {
        let framed = [&[0, QUESTION.len() as u8], QUESTION].concat();
        let heads = Heads::tcp(&framed, b"").with_ports(50_000, 5353);
        assert!(recognise_mdns(&heads).is_none());
        check(&heads, Some("a DNS message for www.example.org"));
    }

    #[test]
    fn at_its_port_an_operation_nobody_knows_has_to_fit() {
        let mut bytes = QUESTION.to_vec();
        bytes[2] = 0x61;
        let heads = |bytes: &[u8], port| Heads::udp(&[bytes], &[]).with_ports(50_000, port);
        check(&heads(&bytes, 53), Some("a DNS message for www.example.org"));
        check(&heads(&bytes[..bytes.len() - 1], 53), None);
        check(&heads(&[&bytes[..], b"\0"].concat(), 53), None);
        check(&heads(&bytes, 50_001), None);
    }

    #[test]
    fn names_that_go_round_end() {
        let mut bytes = QUESTION[..12].to_vec();
        bytes.extend(b"\xc0\x0c\0\x01\0\x01");
        check(&Heads::udp(&[&bytes], &[]).with_ports(50_000, 53), None);
        bytes.splice(12.., *b"\x01a\xc0\x0c\0\x01\0\x01");
        check(&Heads::udp(&[&bytes], &[]).with_ports(50_000, 53), None);
    }

    #[test]
    fn a_cut_message_tells_at_its_port_alone() {
        let answer = answer();
        let heads = || Heads::udp(&[], &[&answer[..answer.len() - 5]]);
        check(&heads(), None);
        check(&heads().with_ports(50_000, 53), Some("a DNS message for www.example.org"));
    }

    #[test]
    fn the_port_alone_is_not_dns() {
        check(&Heads::udp(&[b"hello, who is there?"], &[]).with_ports(50_000, 53), None);
        check(&Heads::udp(&[&[0; 12]], &[]).with_ports(50_000, 53), None);
        check(&Heads::tcp(b"GET / HTTP/1.1\r\n\r\n", b"").with_ports(50_000, 53), None);
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it() {
        let answer = answer();
        for i in 0..answer.len() {
            let mut other = answer.clone();
            other[i] ^= 0xff;
            recognise(&Heads::udp(&[&answer[..i]], &[&other]).with_ports(50_000, 53));
        }
    }
}
