//! What an X.509 certificate says of itself (RFC 5280), by the shortest walk through its DER. Nothing is verified.

use super::Facts;
use crate::{
    bytes::{Reader, host_name, text},
    fact::Fact,
};

/// How many names are read of one certificate.
const MAX_NAMES: usize = 64;

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// What the parts of a name are called (RFC 4514, section 3).
const PARTS: &[(&[u8], &str)] = &[
    (COMMON_NAME, "CN"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
];

/// A certificate, as much of it as was there.
#[derive(Debug, Default)]
pub(super) struct Certificate {
    subject: String,
    issuer: String,
    from: String,
    until: String,
    /// The common name of the subject and its DNS names, in lower case, without repetition.
    names: Vec<String>,
}

impl Certificate {
    /// The first of a list as TLS sends it: the length of all, then each behind its own.
    pub(super) fn first(list: &[u8]) -> Option<Self> {
        let mut list = Reader(list);
        let len = list.u24().and_then(|_| list.u24())?;
        Some(Self::read(list.take_up_to(len as usize)))
    }

    /// A cut certificate gives what stands before the cut.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut certificate = Self::default();
        let _ = certificate.collect(bytes);
        certificate
    }

    /// Adds all it tells.
    pub(super) fn tell(self, facts: &mut Facts) {
        let told = &mut facts.told;
        told.tell(Fact::CertificateSubject, &self.subject);
        told.tell(Fact::CertificateIssuer, &self.issuer);
        told.tell(Fact::CertificateNames, &self.names.join(", "));
        told.tell(Fact::CertificateFrom, &self.from);
        told.tell(Fact::CertificateUntil, &self.until);
        facts.further_names = self.names;
    }

    /// Whether a relay of Tor made it up: subject and issuer are each nothing but a random name in base 32, as
    /// its link certificates are before TLS 1.3 (Tor specifications, "Negotiating and initializing channels").
    pub(super) fn is_of_tor(&self) -> bool {
        let is_random = |name: &str, end: &str| {
            let middle = name.strip_prefix("CN=www.").and_then(|it| it.strip_suffix(end));
            middle.is_some_and(|it| {
                (8..=20).contains(&it.len())
                    && it.bytes().all(|it| matches!(it, b'a'..=b'z' | b'2'..=b'7'))
            })
        };
        is_random(&self.subject, ".net") && is_random(&self.issuer, ".com")
    }

    fn collect(&mut self, bytes: &[u8]) -> Option<()> {
        let mut whole = Reader(content(&mut Reader(bytes), SEQUENCE)?);
        let mut signed = Reader(content(&mut whole, SEQUENCE)?);
        if signed.0.first() == Some(&VERSION) {
            element(&mut signed)?;
        }
        content(&mut signed, INTEGER)?;
        let _algorithm = content(&mut signed, SEQUENCE)?;
        self.issuer = written(content(&mut signed, SEQUENCE)?);
        let mut validity = Reader(content(&mut signed, SEQUENCE)?);
        self.from = time(element(&mut validity)?).unwrap_or_default();
        self.until = time(element(&mut validity)?).unwrap_or_default();
        let subject = content(&mut signed, SEQUENCE)?;
        self.subject = written(subject);
        common_name(subject, &mut self.names);
        let _key = content(&mut signed, SEQUENCE)?;
        while let Some((tag, body)) = element(&mut signed) {
            if tag == EXTENSIONS {
                alternative_names(body, &mut self.names);
            }
        }
        Some(())
    }
}

/// The parts of a name, each as its identifier and value.
fn parts(name: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut parts = Reader(name);
    std::iter::from_fn(move || {
        let part = content(&mut parts, SET)?;
        let mut pair = Reader(content(&mut Reader(part), SEQUENCE).unwrap_or_default());
        let identifier = content(&mut pair, OBJECT_IDENTIFIER).unwrap_or_default();
        Some((identifier, element(&mut pair).map_or(&[][..], |it| it.1)))
    })
}

/// A name as RFC 4514 writes it, its most special part first; parts of other kinds are left out.
fn written(name: &[u8]) -> String {
    let known = |identifier| PARTS.iter().find(|it| it.0 == identifier).map(|it| it.1);
    let parts: Vec<(&str, &[u8])> =
        parts(name).take(MAX_NAMES).filter_map(|(it, value)| Some((known(it)?, value))).collect();
    let mut written = String::with_capacity(100);
    for (kind, value) in parts.into_iter().rev() {
        let comma = if written.is_empty() { "" } else { ", " };
        written.extend([comma, kind, "=", &text(value, 64)]);
    }
    written
}

/// A time (RFC 5280, section 4.1.2.5) as `2026-11-25 12:00:00 UTC`.
fn time((tag, digits): (u8, &[u8])) -> Option<String> {
    let digits = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            ([century, year], rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (["", year], rest)
        }
        _ => return None,
    };
    let pair = |at: usize| rest.get(at..at + 2);
    let is_time = rest.len() == 10 && digits.bytes().all(|it| it.is_ascii_digit());
    let (month, day, hour, minute, second) = (pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?);
    let [century, year] = year;
    let time = [century, year, "-", month, "-", day, " ", hour, ":", minute, ":", second, " UTC"];
    is_time.then(|| time.concat())
}

fn common_name(subject: &[u8], names: &mut Vec<String>) {
    for (_, value) in parts(subject).filter(|it| it.0 == COMMON_NAME) {
        // Products sign themselves by names that are no host names.
        add(names, host_name(value).unwrap_or_else(|| text(value, 100).to_lowercase()));
    }
}

fn alternative_names(body: &[u8], names: &mut Vec<String>) {
    let Some(list) = content(&mut Reader(body), SEQUENCE) else { return };
    let mut list = Reader(list);
    while let Some(extension) = content(&mut list, SEQUENCE) {
        let mut extension = Reader(extension);
        if content(&mut extension, OBJECT_IDENTIFIER) != Some(SUBJECT_ALT_NAME) {
            continue;
        }
        // Between the identifier and the value there may be a flag.
        while let Some((tag, value)) = element(&mut extension) {
            if tag != OCTET_STRING {
                continue;
            }
            let mut alternatives =
                Reader(content(&mut Reader(value), SEQUENCE).unwrap_or_default());
            while let Some((tag, name)) = element(&mut alternatives) {
                if let Some(name) = host_name(name).filter(|_| tag == DNS_NAME) {
                    add(names, name);
                }
            }
        }
    }
}

fn add(names: &mut Vec<String>, name: String) {
    if names.len() < MAX_NAMES && !name.is_empty() && !names.contains(&name) {
        names.push(name);
    }
}

/// The content of the next element where it has this tag.
fn content<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    element(reader).and_then(|(found, content)| (found == tag).then_some(content))
}

/// The next element: its tag and its content, as much as there is of it.
fn element<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let tag = reader.u8()?;
    let len = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16()?),
        0x83 => reader.u24()? as usize,
        _ => return None,
    };
    Some((tag, reader.take_up_to(len)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let mut bytes = vec![tag, 0x82];
        bytes.extend((body.len() as u16).to_be_bytes());
        bytes.extend(body);
        bytes
    }

    /// As much of a certificate as names need.
    pub(in crate::protocol) fn certificate(common: &str, alternatives: &[&str]) -> Vec<u8> {
        certificate_by(common, alternatives, "Signers")
    }

    /// The same, signed by someone of this name.
    pub(in crate::protocol) fn certificate_by(
        common: &str,
        alternatives: &[&str],
        signer: &str,
    ) -> Vec<u8> {
        let empty = der(SEQUENCE, &[]);
        let validity = der(
            SEQUENCE,
            &[&der(UTC_TIME, &[b"991231235959Z"]), &der(GENERALIZED_TIME, &[b"20500101000000Z"])],
        );
        let name = |common: &str| {
            let pair =
                [&der(OBJECT_IDENTIFIER, &[COMMON_NAME])[..], &der(0x0c, &[common.as_bytes()])];
            der(SEQUENCE, &[&der(SET, &[&der(SEQUENCE, &pair)])])
        };
        let (issuer, subject) = (name(signer), name(common));
        let list: Vec<u8> =
            alternatives.iter().flat_map(|it| der(DNS_NAME, &[it.as_bytes()])).collect();
        let extension = der(
            SEQUENCE,
            &[
                &der(OBJECT_IDENTIFIER, &[SUBJECT_ALT_NAME]),
                &der(OCTET_STRING, &[&der(SEQUENCE, &[&list])]),
            ],
        );
        let extensions = der(EXTENSIONS, &[&der(SEQUENCE, &[&extension])]);
        let version = der(VERSION, &[&der(INTEGER, &[&[2]])]);
        let serial = der(INTEGER, &[&[1]]);
        let signed = der(
            SEQUENCE,
            &[&version, &serial, &empty, &issuer, &validity, &subject, &empty, &extensions],
        );
        der(SEQUENCE, &[&signed, &empty])
    }

    #[test]
    fn the_subject_and_its_other_names_are_read() {
        let certificate = certificate("Example.org", &["example.org", "*.example.org"]);
        let read = Certificate::read(&certificate);
        assert_eq!(read.names, ["example.org", "*.example.org"]);
        assert_eq!((&*read.subject, &*read.issuer), ("CN=Example.org", "CN=Signers"));
        assert_eq!(read.from, "1999-12-31 23:59:59 UTC");
        assert_eq!(read.until, "2050-01-01 00:00:00 UTC");
    }

    #[test]
    fn a_cut_certificate_gives_the_names_before_the_cut() {
        let certificate = certificate("example.org", &["a.example", "b.example"]);
        for len in 0..certificate.len() {
            assert!(Certificate::read(&certificate[..len]).names.len() <= 3);
        }
        let cut = Certificate::read(&certificate[..certificate.len() - 8]);
        assert_eq!(cut.names[..2], ["example.org", "a.example"]);
    }
}
