//! NetBIOS over TCP/IP (RFC 1001, RFC 1002): names, datagrams and the opening of sessions, by the way names are spelt.

use capture::is_treacherous;
use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be16},
    fact::Fact,
    look,
    needs::{ANY, tcp, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "netbios",
    group: "names",
    title: "NetBIOS over TCP/IP",
    source: "RFC 1001, RFC 1002",
    needs: tcp(b"\x81").or(udp(ANY)),
    recognise,
};

/// A name in letters from A to P: 16 bytes, each as two.
const SPELT_LEN: usize = 32;

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport == Transport::TCP {
        return session(heads);
    }
    let mut datagrams = look::datagrams(heads).take(8);
    datagrams.find_map(|it| name_service(it).or_else(|| datagram_service(it)))
}

fn name_service(bytes: &[u8]) -> Option<Facts> {
    let flags = be16(bytes, 2)?;
    let (is_answer, operation) = (flags >> 15 == 1, flags >> 11 & 15);
    let (n_questions, n_answers) = (be16(bytes, 4)?, be16(bytes, 6)?);
    let is_asked = n_questions <= 1 && n_answers <= 1 && n_questions + n_answers == 1;
    let name = spelt(&mut Reader(bytes.get(12..)?))?;
    let kind = match operation {
        0 if is_answer => "a NetBIOS answer for the name",
        0 => "a NetBIOS question for the name",
        5 | 8 | 9 | 15 => "a NetBIOS claim of the name",
        6 => "a NetBIOS release of the name",
        7 => "a NetBIOS message for the name",
        _ => return None,
    };
    let is_own = !is_answer && matches!(operation, 5 | 6 | 8 | 9 | 15);
    let own_name = is_own.then(|| name.clone());
    is_asked.then(|| Facts::seen(format!("{kind} {name}")).telling(Fact::OwnName, own_name))
}

fn datagram_service(bytes: &[u8]) -> Option<Facts> {
    let mut reader = Reader(bytes);
    let (0x10..=0x16, _flags) = (reader.u8()?, reader.u8()?) else { return None };
    // Number, address, port and length, then where fragments belong.
    reader.skip(2 + 4 + 2 + 2 + 2)?;
    let from = spelt(&mut reader)?;
    let to = spelt(&mut reader)?;
    // Most carry SMB: who browses, who announces itself.
    let service = reader.0.starts_with(b"\xffSMB").then_some("smb");
    let seen = match service {
        Some(_) => format!("a NetBIOS datagram with SMB from {from} to {to}"),
        None => format!("a NetBIOS datagram from {from} to {to}"),
    };
    Some(Facts { service, ..Facts::seen(seen) }.telling(Fact::OwnName, Some(from)))
}

/// A session is asked for, and granted or refused.
fn session(heads: &Heads) -> Option<Facts> {
    let asked = |bytes: &[u8]| {
        let mut reader = Reader(bytes);
        let 0x8100_0000..=0x8101_ffff = reader.u32()? else { return None };
        Some((spelt(&mut reader)?, spelt(&mut reader)?))
    };
    let (to, from) = look::streams(heads).find_map(asked)?;
    let seen = format!("a NetBIOS session asked for by {from} at {to}");
    Some(Facts::seen(seen).telling(Fact::OwnName, Some(from)))
}

/// The next name, without its padding and the byte that says what kind of service has it.
fn spelt(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.vec8().filter(|it| it.len() == SPELT_LEN)?;
    let halves = name.chunks_exact(2).map(|pair| match pair {
        [high @ b'A'..=b'P', low @ b'A'..=b'P'] => Some((high - b'A') << 4 | (low - b'A')),
        _ => None,
    });
    let bytes = halves.collect::<Option<Vec<u8>>>()?;
    let (_service, name) = bytes.split_last()?;
    // A scope may follow, as labels up to an empty one.
    while reader.vec8().is_some_and(|it| !it.is_empty()) {}
    let name: String =
        name.iter().map(|it| char::from(*it)).filter(|it| !is_treacherous(*it)).collect();
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PC`, padded with spaces, as a workstation.
    const NAME: &[u8] = b"\x20FAEDCACACACACACACACACACACACACAAA\0";

    #[test]
    fn a_claim_says_the_own_name() {
        let claim = [b"\0\x01\x29\x10\0\x01\0\0\0\0\0\x01", NAME, b"\0\x20\0\x01"].concat();
        let facts = recognise(&Heads::udp(&[&claim], &[])).unwrap();
        assert_eq!(facts.told.get(Fact::OwnName), Some("PC"));
    }

    #[test]
    fn a_datagram_and_a_session() {
        let head = b"\x11\x0a\0\x01\x0a\0\0\x01\0\x8a\0\x50\0\0";
        let datagram = [head, NAME, NAME].concat();
        assert!(recognise(&Heads::udp(&[&datagram], &[])).is_some());
        let session = [b"\x81\0\0\x44", NAME, NAME].concat();
        assert!(recognise(&Heads::tcp(&session, b"")).is_some());
    }

    #[test]
    fn another_name_is_not_netbios() {
        let question = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01";
        assert_eq!(recognise(&Heads::udp(&[question], &[])), None);
    }
}
