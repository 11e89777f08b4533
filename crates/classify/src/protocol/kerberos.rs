//! Kerberos 5 (RFC 4120): its application tags, version 5 and a kind that fits the tag.

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    ber,
    bytes::{Reader, be32, text},
    fact::Fact,
    look,
    needs::{tcp, udp_in},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "kerberos",
    group: "system",
    title: "Kerberos 5",
    source: "RFC 4120",
    needs: tcp(b"\0").or(udp_in(0x60..=0x7f)),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let (kind, realm) = match heads.transport {
        // A length of four bytes comes before each message.
        Transport::TCP => look::streams(heads).find_map(|it| {
            be32(it, 0).filter(|len| (16..1 << 20).contains(len))?;
            message(it.get(4..)?)
        }),
        _ => look::firsts(heads).find_map(message),
    }?;
    let seen = match kind {
        10 => "a Kerberos request to log in",
        11 => "a Kerberos login",
        12 | 13 => "a Kerberos request for a service's ticket",
        30 => "a Kerberos refusal",
        _ => "a Kerberos message",
    };
    Some(Facts::seen(seen).telling(Fact::Domain, realm))
}

/// The message's kind, and the realm it is about.
fn message(bytes: &[u8]) -> Option<(u8, Option<String>)> {
    let outer = ber::next(&mut Reader(bytes)).filter(|it| it.tag >> 5 == 3)?;
    let mut fields = ber::sequence(outer.value)?;
    let version = number(ber::next(&mut fields)?)?;
    let kind = number(ber::next(&mut fields)?)?;
    (version == 5 && kind == outer.tag & 0x1f && (10..=30).contains(&kind))
        .then(|| (kind, realm(kind, fields)))
}

/// The realm: of a request in its body (section 5.4.1), of others among their fields.
fn realm(kind: u8, mut fields: Reader<'_>) -> Option<String> {
    let tag = match kind {
        10 | 12 => {
            let body = field(&mut fields, 0xa4)?;
            fields = ber::sequence(body)?;
            0xa2
        }
        11 | 13 => 0xa3,
        30 => 0xa9,
        _ => return None,
    };
    const GENERAL_STRING: u8 = 0x1b;
    let name = ber::next(&mut Reader(field(&mut fields, tag)?))?;
    (name.tag == GENERAL_STRING).then(|| text(name.value, 100))
}

/// The value of the next field with this tag.
fn field<'a>(fields: &mut Reader<'a>, tag: u8) -> Option<&'a [u8]> {
    loop {
        let field = ber::next(fields)?;
        if field.tag == tag {
            return Some(field.value);
        }
    }
}

/// A small integer in a tagged field.
fn number(field: ber::Element<'_>) -> Option<u8> {
    let inner = ber::next(&mut Reader(field.value)).filter(|it| it.tag == ber::INTEGER)?;
    match inner.value {
        [number] if field.tag >> 5 == 5 => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &[u8] = b"\x6a\x0e\x30\x0c\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\x30\x00";

    #[test]
    fn a_login_over_both_transports() {
        assert!(recognise(&Heads::udp(&[LOGIN], &[])).is_some());
        assert!(recognise(&Heads::tcp(&[b"\0\0\0\x10", LOGIN].concat(), b"")).is_some());
    }

    #[test]
    fn a_kind_beside_its_tag_is_not_kerberos() {
        let other = b"\x6b\x0e\x30\x0c\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a\x30\x00";
        assert!(recognise(&Heads::udp(&[other], &[])).is_none());
    }
}
