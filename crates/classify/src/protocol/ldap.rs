//! LDAP (RFC 4511) and its form over UDP: a BER sequence of a number and an operation.

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{ber, fact::Fact, look};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ldap",
    group: "system",
    title: "Lightweight Directory Access Protocol",
    source: "RFC 4511",
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let mut kinds = match heads.transport {
        Transport::TCP => look::streams(heads).map(message).collect::<Option<Vec<_>>>()?,
        _ => look::firsts(heads).map(message).collect::<Option<Vec<_>>>()?,
    }
    .into_iter();
    let secret = look::any_stream(heads, is_simple_login).then_some("LDAP simple bind");
    Some(Facts::seen(kinds.next()?).telling(Fact::Credentials, secret))
}

/// Whether a message logs in with a name and a password in clear (section 4.2).
fn is_simple_login(bytes: &[u8]) -> bool {
    const BIND: u8 = 0x60;
    const SIMPLE: u8 = 0x80;
    let read = || {
        let mut fields = ber::sequence(bytes)?;
        ber::next(&mut fields)?;
        let bind = ber::next(&mut fields).filter(|it| it.tag == BIND)?;
        let mut bind = crate::bytes::Reader(bind.value);
        let (_version, _name) = (ber::next(&mut bind)?, ber::next(&mut bind)?);
        ber::next(&mut bind).map(|it| it.tag == SIMPLE && it.len > 0)
    };
    read().unwrap_or(false)
}

fn message(bytes: &[u8]) -> Option<&'static str> {
    let mut fields = ber::sequence(bytes)?;
    let number = ber::next(&mut fields).filter(|it| it.tag == ber::INTEGER)?;
    let operation = ber::next(&mut fields)?;
    let mut inner = crate::bytes::Reader(operation.value);
    let first = ber::next(&mut inner).map(|it| (it.tag, it.value));
    // A bind begins with its version, a search with its base; answers with a result or a name.
    let seen = match (operation.tag, first) {
        (0x60, Some((ber::INTEGER, [2 | 3]))) => "an LDAP login",
        (0x61 | 0x65 | 0x67 | 0x69 | 0x6b | 0x6d | 0x6f | 0x78, Some((0x0a, [_]))) => {
            "an LDAP answer"
        }
        (0x63, Some((ber::OCTETS, _))) => "an LDAP search",
        (0x64, Some((ber::OCTETS, _))) => "an LDAP answer",
        (0x77, Some((0x80, _))) => "an LDAP request for an extension",
        (0x42, None) if operation.len == 0 => "an LDAP goodbye",
        _ => return None,
    };
    (1..=4).contains(&number.value.len()).then_some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login() {
        let bind = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00";
        assert!(recognise(&Heads::tcp(bind, b"")).is_some());
    }

    #[test]
    fn another_ber_message_is_not_ldap() {
        let snmp = b"\x30\x12\x02\x01\x00\x04\x06public\xa0\x05\x02\x01\x01\x02\x00";
        assert!(recognise(&Heads::udp(&[snmp], &[])).is_none());
    }
}
