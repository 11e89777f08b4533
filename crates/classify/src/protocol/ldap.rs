//! LDAP (RFC 4511) and its form over UDP: a BER sequence of a number and an operation.

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{ber, bytes::Reader, fact::Fact, look, needs::either, ntlm};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ldap",
    group: "system",
    title: "Lightweight Directory Access Protocol",
    source: "RFC 4511",
    needs: either(b"\x30"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let mut kinds = match heads.transport {
        Transport::TCP => look::streams(heads).map(message).collect::<Option<Vec<_>>>()?,
        _ => look::firsts(heads).map(message).collect::<Option<Vec<_>>>()?,
    }
    .into_iter();
    let secret = look::any_stream(heads, is_simple_login).then_some("LDAP simple bind");
    let mut facts = Facts::seen(kinds.next()?).telling(Fact::Credentials, secret);
    look::streams(heads).for_each(|it| ntlm::tell(it, &mut facts));
    Some(facts)
}

/// Whether a message logs in with a name and a password in clear (section 4.2).
fn is_simple_login(bytes: &[u8]) -> bool {
    const BIND: u8 = 0x60;
    const SIMPLE: u8 = 0x80;
    let read = || {
        let mut fields = ber::sequence(bytes)?;
        ber::next(&mut fields)?;
        let bind = ber::next(&mut fields).filter(|it| it.tag == BIND)?;
        let mut bind = Reader(bind.value);
        let (_version, _name) = (ber::next(&mut bind)?, ber::next(&mut bind)?);
        ber::next(&mut bind).map(|it| it.tag == SIMPLE && it.len > 0)
    };
    read().unwrap_or(false)
}

fn message(bytes: &[u8]) -> Option<&'static str> {
    let whole = ber::next(&mut Reader(bytes)).filter(|it| it.tag == ber::SEQUENCE && it.len > 0)?;
    let mut fields = Reader(whole.value);
    let number = ber::next(&mut fields).filter(|it| it.tag == ber::INTEGER)?;
    let operation = ber::next(&mut fields)?;
    if let Some(seen) = further(&operation, whole.len.checked_sub(number.value.len() + 2)?) {
        return (1..=4).contains(&number.value.len()).then_some(seen);
    }
    let mut inner = Reader(operation.value);
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

/// What changes a directory, asks of one entry or leads elsewhere (sections 4.5.2 to 4.13); `room` is how many bytes the
/// operation may take.
fn further(operation: &ber::Element, room: usize) -> Option<&'static str> {
    const BOOLEAN: u8 = 0x01;
    const ABANDON: u8 = 0x50;
    const REMOVAL: u8 = 0x4a;
    const ADDITION: u8 = 0x68;
    const CHANGE: u8 = 0x66;
    const RENAMING: u8 = 0x6c;
    const COMPARISON: u8 = 0x6e;
    const REFERENCE: u8 = 0x73;
    const INTERMEDIATE: u8 = 0x79;

    if operation.len.saturating_add(2) > room {
        return None;
    }
    let is_whole = operation.value.len() == operation.len;
    match operation.tag {
        ABANDON => {
            let is_number = is_whole
                && (1..=4).contains(&operation.len)
                && operation.value.first().is_some_and(|it| *it < 0x80);
            return is_number.then_some("an LDAP request taken back");
        }
        // The name of an entry has `attribute=value` in it, or is the entry's number in angle brackets.
        REMOVAL => return is_entry(operation.value).then_some("an LDAP removal"),
        _ => {}
    }
    let mut inner = Reader(operation.value);
    let mut next = || ber::next(&mut inner);
    let first = next()?;
    // What is cut off may be anything.
    let tag = |it: Option<ber::Element>| it.map(|it| it.tag);
    let is_text = |it: &[u8]| std::str::from_utf8(it).is_ok_and(|it| !it.contains('\0'));
    let is_of_entry = first.tag == ber::OCTETS && is_text(first.value);
    match operation.tag {
        ADDITION | CHANGE => {
            let list = next().filter(|it| is_of_entry && it.tag == ber::SEQUENCE)?;
            // Each is a sequence: of a kind and values, or of what is done with these.
            let entry = ber::next(&mut Reader(list.value));
            let is_list = entry.is_none_or(|it| it.tag == ber::SEQUENCE);
            let is_addition = operation.tag == ADDITION;
            let seen = if is_addition { "an LDAP addition" } else { "an LDAP change" };
            is_list.then_some(seen)
        }
        RENAMING => {
            let name =
                next().filter(|it| is_of_entry && it.tag == ber::OCTETS && is_entry(it.value));
            let deletes = next().filter(|it| it.tag == BOOLEAN && it.len == 1);
            (name.is_some() && (deletes.is_some() || !is_whole)).then_some("an LDAP renaming")
        }
        COMPARISON => {
            let claim = next().filter(|it| is_of_entry && it.tag == ber::SEQUENCE)?;
            let mut claim = Reader(claim.value);
            let both = [tag(ber::next(&mut claim)), tag(ber::next(&mut claim))];
            (both == [Some(ber::OCTETS); 2] && claim.is_empty()).then_some("an LDAP comparison")
        }
        REFERENCE => {
            let is_address = first.value.windows(3).any(|it| it == b"://");
            (is_of_entry && is_address).then_some("an LDAP reference")
        }
        INTERMEDIATE => {
            // A number in dots, or a value, or both.
            let is_name = first.tag == 0x80
                && !first.value.is_empty()
                && first.value.iter().all(|it| matches!(it, b'0'..=b'9' | b'.'));
            (is_name || first.tag == 0x81 && first.len + 2 <= operation.len)
                .then_some("an LDAP answer before its end")
        }
        _ => None,
    }
}

/// Whether bytes name an entry other than the root (RFC 4514).
fn is_entry(bytes: &[u8]) -> bool {
    bytes.contains(&b'=') && std::str::from_utf8(bytes).is_ok_and(|it| !it.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        [&[tag, value.len() as u8][..], &value].concat()
    }

    /// A message of this operation.
    fn of(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        element(0x30, &[&[2, 1, 7], &element(tag, parts)])
    }

    #[track_caller]
    fn check(message: &[u8], expected: Option<&str>) {
        let facts = recognise(&Heads::tcp(message, b""));
        assert_eq!(facts.as_ref().map(|it| &*it.seen), expected);
    }

    #[test]
    fn directories_are_changed() {
        let entry = element(4, &[b"cn=a,dc=example"]);
        let kind = element(0x30, &[&element(4, &[b"cn"]), &element(0x31, &[&element(4, &[b"a"])])]);
        check(&of(0x68, &[&entry, &element(0x30, &[&kind])]), Some("an LDAP addition"));
        let change = element(0x30, &[&[0x0a, 1, 2], &kind]);
        check(&of(0x66, &[&entry, &element(0x30, &[&change])]), Some("an LDAP change"));
        check(&of(0x4a, &[b"cn=a,dc=example"]), Some("an LDAP removal"));
        let name = element(4, &[b"cn=b"]);
        check(&of(0x6c, &[&entry, &name, &[1, 1, 0xff]]), Some("an LDAP renaming"));
        // What lacks a part, or has another in its place.
        check(&of(0x68, &[&entry, &name]), None);
        check(&of(0x66, &[&element(0x30, &[&change])]), None);
        check(&of(0x4a, &[b"noise"]), None);
        check(&of(0x6c, &[&entry, &name]), None);
        check(&of(0x6c, &[&entry, &name, &[4, 1, 0xff]]), None);
    }

    #[test]
    fn directories_are_asked_of_one_entry() {
        let entry = element(4, &[b"cn=a"]);
        let claim = element(0x30, &[&element(4, &[b"cn"]), &element(4, &[b"a"])]);
        check(&of(0x6e, &[&entry, &claim]), Some("an LDAP comparison"));
        check(&of(0x6e, &[&entry, &element(0x30, &[&element(4, &[b"cn"])])]), None);
        check(&of(0x50, &[&[6]]), Some("an LDAP request taken back"));
        check(&of(0x50, &[&[0xff, 6]]), None);
        check(&of(0x50, &[&[1; 5]]), None);
    }

    #[test]
    fn a_directory_leads_elsewhere() {
        check(&of(0x73, &[&element(4, &[b"ldap://a.example/dc=a"])]), Some("an LDAP reference"));
        check(&of(0x73, &[&element(4, &[b"a.example"])]), None);
        let name = element(0x80, &[b"1.3.6.1.4.1.4203.1.9.1.4"]);
        check(&of(0x79, &[&name]), Some("an LDAP answer before its end"));
        check(&of(0x79, &[&element(0x80, &[b"name"])]), None);
    }

    #[test]
    fn a_part_that_is_longer_than_the_whole_is_not_ldap() {
        let mut message = of(0x4a, &[b"cn=a,dc=example"]);
        message[1] -= 1;
        check(&message, None);
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it() {
        let entry = element(4, &[b"cn=a"]);
        let message = of(0x6c, &[&entry, &entry, &[1, 1, 0xff]]);
        for i in 0..message.len() {
            let mut other = message.clone();
            other[i] ^= 0xff;
            recognise(&Heads::tcp(&message[..i], &other));
        }
    }

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
