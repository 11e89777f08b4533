//! Names in an X.509 certificate (RFC 5280), by the shortest walk through its DER. Nothing is verified.

use crate::bytes::{Reader, host_name, text};

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

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The common name of the subject and its DNS names, in lower case, without repetition.
///
/// A cut certificate gives the names before the cut.
pub(super) fn names(certificate: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let _ = collect(certificate, &mut names);
    names
}

fn collect(certificate: &[u8], names: &mut Vec<String>) -> Option<()> {
    let mut whole = Reader(content(&mut Reader(certificate), SEQUENCE)?);
    let mut signed = Reader(content(&mut whole, SEQUENCE)?);
    if signed.0.first() == Some(&VERSION) {
        element(&mut signed)?;
    }
    content(&mut signed, INTEGER)?;
    let (_algorithm, _issuer) = (content(&mut signed, SEQUENCE)?, content(&mut signed, SEQUENCE)?);
    let _validity = content(&mut signed, SEQUENCE)?;
    let subject = content(&mut signed, SEQUENCE)?;
    common_name(subject, names);
    let _key = content(&mut signed, SEQUENCE)?;
    while let Some((tag, body)) = element(&mut signed) {
        if tag == EXTENSIONS {
            alternative_names(body, names);
        }
    }
    Some(())
}

fn common_name(subject: &[u8], names: &mut Vec<String>) {
    let mut parts = Reader(subject);
    while let Some(part) = content(&mut parts, SET) {
        let mut part = Reader(part);
        let Some(pair) = content(&mut part, SEQUENCE) else { continue };
        let mut pair = Reader(pair);
        if content(&mut pair, OBJECT_IDENTIFIER) == Some(COMMON_NAME)
            && let Some((_, value)) = element(&mut pair)
        {
            // Products sign themselves by names that are no host names.
            add(names, host_name(value).unwrap_or_else(|| text(value, 100).to_lowercase()));
        }
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
        let empty = der(SEQUENCE, &[]);
        let attribute = der(
            SEQUENCE,
            &[&der(OBJECT_IDENTIFIER, &[COMMON_NAME]), &der(0x0c, &[common.as_bytes()])],
        );
        let subject = der(SEQUENCE, &[&der(SET, &[&attribute])]);
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
            &[&version, &serial, &empty, &empty, &empty, &subject, &empty, &extensions],
        );
        der(SEQUENCE, &[&signed, &empty])
    }

    #[test]
    fn the_subject_and_its_other_names_are_read() {
        let certificate = certificate("Example.org", &["example.org", "*.example.org"]);
        assert_eq!(names(&certificate), ["example.org", "*.example.org"]);
    }

    #[test]
    fn a_cut_certificate_gives_the_names_before_the_cut() {
        let certificate = certificate("example.org", &["a.example", "b.example"]);
        for len in 0..certificate.len() {
            assert!(names(&certificate[..len]).len() <= 3);
        }
        assert_eq!(names(&certificate[..certificate.len() - 8])[..2], ["example.org", "a.example"]);
    }
}
