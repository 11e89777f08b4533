//! SNMP versions 1, 2c and 3 (RFC 1157, RFC 3416, RFC 3412), by the first fields of its BER message.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{ber, fact::Fact, look, needs::udp};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "snmp",
    group: "system",
    title: "Simple Network Management Protocol",
    source: "RFC 1157, RFC 3416, RFC 3412",
    needs: udp(b"\x30"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    if !look::all_datagrams(heads, |it| message(it).is_some()) {
        return None;
    }
    let first = look::firsts(heads).next()?;
    let version = version(first)?;
    // Versions 1 and 2c are let in by a word that anyone can read.
    let secret = (version != VERSION_3).then_some("SNMP community");
    let facts = Facts::seen(message(first)?).telling(Fact::Version, Some(version));
    Some(facts.telling(Fact::Credentials, secret))
}

const VERSION_3: &str = "SNMP 3";

fn version(bytes: &[u8]) -> Option<&'static str> {
    match ber::next(&mut ber::sequence(bytes)?)?.value {
        [0] => Some("SNMP 1"),
        [1] => Some("SNMP 2c"),
        [3] => Some(VERSION_3),
        _ => None,
    }
}

fn message(bytes: &[u8]) -> Option<&'static str> {
    let mut fields = ber::sequence(bytes)?;
    let version = ber::next(&mut fields).filter(|it| it.tag == ber::INTEGER)?.value;
    let second = ber::next(&mut fields)?;
    match version {
        // Version 3: the header data, an integer first.
        [3] => {
            let mut header = crate::bytes::Reader(second.value);
            let id = ber::next(&mut header)?;
            (second.tag == ber::SEQUENCE && id.tag == ber::INTEGER)
                .then_some("an SNMP version 3 message")
        }
        [0 | 1] => {
            let kind = ber::next(&mut fields)?.tag;
            if second.tag != ber::OCTETS {
                return None;
            }
            Some(match kind {
                0xa0 | 0xa1 | 0xa5 => "an SNMP question about a device",
                0xa2 => "an SNMP answer of a device",
                0xa3 => "an SNMP order to a device",
                0xa4 | 0xa6..=0xa8 => "an SNMP notice of a device",
                _ => return None,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::udp(&[bytes], &[])).is_some(), expected);
    }

    #[test]
    fn versions_1_and_3() {
        check(b"\x30\x12\x02\x01\x00\x04\x06public\xa0\x05\x02\x01\x01\x02\x00", true);
        check(b"\x30\x0e\x02\x01\x03\x30\x05\x02\x01\x01\x02\x00\x04\x00", true);
    }

    #[test]
    fn another_ber_message_is_not_snmp() {
        check(b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", false);
        check(b"\x30\x12\x02\x01\x00\x04\x06public\x02\x05\x02\x01\x01\x02\x00", false);
    }
}
