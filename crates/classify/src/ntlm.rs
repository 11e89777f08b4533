//! The messages of an NTLM login (MS-NLMP), wherever they stand: in SMB, RPC or HTTP. What proves the password is not read.

use crate::{
    bytes::{host_name, le16, le32, text},
    fact::Fact,
    look,
    protocol::Facts,
};

const MARK: &[u8] = b"NTLMSSP\0";
/// How many messages of one side are looked at.
const MAX_MESSAGES: usize = 8;

/// Adds which domain and which machine a login names: those of the client, and the server's own.
pub(crate) fn tell(bytes: &[u8], facts: &mut Facts) {
    let mut rest = bytes;
    for _ in 0..MAX_MESSAGES {
        let Some(at) = look::find(rest, MARK) else { return };
        let message = rest.get(at..).unwrap_or_default();
        match le32(message, 8) {
            Some(2) => challenge(message, facts),
            Some(3) => login(message, facts),
            _ => {}
        }
        rest = rest.get(at + MARK.len()..).unwrap_or_default();
    }
}

/// Section 2.2.1.3.
fn login(message: &[u8], facts: &mut Facts) {
    const UNICODE: u32 = 1;
    let is_wide = le32(message, 60).is_some_and(|it| it & UNICODE != 0);
    let read = |at| field(message, at).map(|it| if is_wide { wide(it) } else { text(it, 64) });
    facts.told.tell(Fact::Domain, &read(28).unwrap_or_default());
    facts.told.tell(Fact::OwnName, &read(44).unwrap_or_default());
}

/// Section 2.2.1.2: among what the server says of itself are its names in DNS.
fn challenge(message: &[u8], facts: &mut Facts) {
    const DNS_COMPUTER: u16 = 3;
    const DNS_DOMAIN: u16 = 4;
    let mut pairs = field(message, 40).unwrap_or_default();
    while let (Some(kind), Some(len)) = (le16(pairs, 0), le16(pairs, 2)) {
        let Some(value) = pairs.get(4..4 + usize::from(len)) else { return };
        match kind {
            0 => return,
            DNS_COMPUTER if facts.server_name.is_none() => {
                facts.server_name = host_name(wide(value).as_bytes()).filter(|it| it.contains('.'));
            }
            DNS_DOMAIN => facts.told.tell(Fact::Domain, &wide(value)),
            _ => {}
        }
        pairs = pairs.get(4 + usize::from(len)..).unwrap_or_default();
    }
}

/// A field by its length, room and place (section 2.2.2.10 and before).
fn field(message: &[u8], at: usize) -> Option<&[u8]> {
    let (len, start) = (usize::from(le16(message, at)?), le32(message, at + 4)? as usize);
    message.get(start..start.checked_add(len)?)
}

/// Text in UTF-16, the lower byte first.
fn wide(bytes: &[u8]) -> String {
    let units = bytes.as_chunks::<2>().0.iter().take(64).map(|it| u16::from_le_bytes(*it));
    let decoded: String = char::decode_utf16(units).map(|it| it.unwrap_or('\u{fffd}')).collect();
    text(decoded.as_bytes(), 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn put(message: &mut [u8], at: usize, len: usize, start: usize) {
        message[at..at + 2].copy_from_slice(&(len as u16).to_le_bytes());
        message[at + 4..at + 8].copy_from_slice(&(start as u32).to_le_bytes());
    }

    fn login() -> Vec<u8> {
        let (domain, machine) = (utf16("EXAMPLE"), utf16("PC-1"));
        let mut message = [MARK, &[3, 0, 0, 0], &[0; 52]].concat();
        message[60] = 1;
        put(&mut message, 28, domain.len(), 64);
        put(&mut message, 44, machine.len(), 64 + domain.len());
        [message, domain, machine].concat()
    }

    #[test]
    fn a_login_names_domain_and_machine() {
        let mut facts = Facts::default();
        tell(&[b"before".to_vec(), login()].concat(), &mut facts);
        assert_eq!(facts.told.get(Fact::Domain), Some("EXAMPLE"));
        assert_eq!(facts.told.get(Fact::OwnName), Some("PC-1"));
    }

    #[test]
    fn a_challenge_names_the_server() {
        let name = utf16("FS.example.org");
        let pair = [&[3, 0], &(name.len() as u16).to_le_bytes()[..], &name, &[0; 4]].concat();
        let mut message = [MARK, &[2, 0, 0, 0], &[0; 36]].concat();
        put(&mut message, 40, pair.len(), 48);
        let mut facts = Facts::default();
        tell(&[message, pair].concat(), &mut facts);
        assert_eq!(facts.server_name.as_deref(), Some("fs.example.org"));
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it() {
        let login = login();
        for i in 0..login.len() {
            let mut other = login.clone();
            other[i] ^= 0xff;
            tell(&other, &mut Facts::default());
            tell(&login[..i], &mut Facts::default());
        }
    }
}
