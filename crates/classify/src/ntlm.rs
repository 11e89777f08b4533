//! The messages of an NTLM login (MS-NLMP), wherever they stand: in SMB, RPC, LDAP, TDS, HTTP or a dialogue of mail. What proves
//! the password is not read.

use crate::{
    bytes::{from_base64, host_name, le16, le32, text},
    fact::Fact,
    look,
    protocol::Facts,
};

const MARK: &[u8] = b"NTLMSSP\0";
/// The mark and the first byte of a message's kind in base64.
const CODED_MARK: &[u8] = b"TlRMTVNTUAA";
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

/// The same of messages that stand in base64 among text (MS-SMTPNTLM, MS-POP3, MS-OXIMAP).
pub(crate) fn tell_coded(text: &[u8], facts: &mut Facts) {
    let mut rest = text;
    for _ in 0..MAX_MESSAGES {
        let Some(at) = look::find(rest, CODED_MARK) else { return };
        rest = rest.get(at..).unwrap_or_default();
        tell(&from_base64(rest), facts);
        rest = rest.get(CODED_MARK.len()..).unwrap_or_default();
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
pub(crate) mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn put(message: &mut [u8], at: usize, len: usize, start: usize) {
        message[at..at + 2].copy_from_slice(&(len as u16).to_le_bytes());
        message[at + 4..at + 8].copy_from_slice(&(start as u32).to_le_bytes());
    }

    /// A text in base64.
    pub(crate) fn coded(bytes: &[u8]) -> Vec<u8> {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = Vec::new();
        for chunk in bytes.chunks(3) {
            let bits = chunk.iter().fold(0_usize, |bits, it| bits << 8 | usize::from(*it));
            let bits = bits << (8 * (3 - chunk.len()));
            text.extend((0..=chunk.len()).map(|it| DIGITS[bits >> (18 - 6 * it) & 63]));
        }
        text.resize(text.len().next_multiple_of(4), b'=');
        text
    }

    /// The message of a client `PC-1` that logs in to the domain `EXAMPLE`.
    pub(crate) fn login() -> Vec<u8> {
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
    fn a_login_in_base64_tells_the_same() {
        let mut facts = Facts::default();
        tell_coded(&[b"334 \r\n", &coded(&login())[..], b"\r\n"].concat(), &mut facts);
        assert_eq!(facts.told.get(Fact::Domain), Some("EXAMPLE"));
        let mut facts = Facts::default();
        tell_coded(b"TlRMTVNTUA and no more", &mut facts);
        assert_eq!(facts, Facts::default());
    }

    /// What a protocol tells of a login that its recogniser meets.
    #[track_caller]
    fn check(heads: &flow::Heads, protocol: &str) {
        let (found, facts) = crate::protocol::recognise(heads).expect("a protocol");
        assert_eq!(found.name, protocol);
        assert_eq!(facts.told.get(Fact::Domain), Some("EXAMPLE"));
        assert_eq!(facts.told.get(Fact::OwnName), Some("PC-1"));
    }

    #[test]
    fn a_login_shows_whatever_carries_it() {
        let tcp = |client: &[&[u8]], server: &[u8]| flow::Heads::tcp(&client.concat(), server);
        let (raw, coded) = (login(), coded(&login()));
        for header in ["Authorization: NTLM ", "Proxy-Authorization: Negotiate "] {
            let request = format!("GET /a HTTP/1.1\r\nHost: a.example\r\n{header}");
            check(&tcp(&[request.as_bytes(), &coded, b"\r\n\r\n"], b""), "http");
        }
        let answer = b"220 mx.example ESMTP\r\n250 AUTH NTLM\r\n334 ntlm supported\r\n";
        check(&tcp(&[b"EHLO me\r\nAUTH NTLM\r\n", &coded, b"\r\n"], answer), "smtp");
        check(&tcp(&[b"CAPA\r\nAUTH NTLM\r\n", &coded, b"\r\n"], b"+OK\r\n+\r\n"), "pop3");
        let answer = b"* OK hello\r\n+\r\n";
        check(&tcp(&[b"a1 AUTHENTICATE NTLM\r\n", &coded, b"\r\n"], answer), "imap");
        let len = raw.len() as u8;
        let sasl = [&[0xa3, 0x81, len + 2, 4, len][..], &raw].concat();
        let sasl = [&[0x60, 0x81, sasl.len() as u8 + 5, 2, 1, 3, 4, 0][..], &sasl].concat();
        check(&tcp(&[&[0x30, 0x81, sasl.len() as u8 + 3, 2, 1, 1], &sasl], b""), "ldap");
        let third = b"\x05\0\x10\x03\x10\0\0\0\xff\0\x60\0\x01\0\0\0\0\0\0\0\x0a\x05\0\0\0\0\0\0";
        check(&tcp(&[third, &raw], b""), "dcerpc");
        let header = [0x11, 1, 0, 8 + len, 0, 0, 1, 0];
        let answer = b"\x04\x01\0\x0a\0\x35\x01\0ab";
        check(&tcp(&[&header, &raw], answer), "mssql-tds");
    }

    #[test]
    fn a_login_that_is_only_mentioned_tells_nothing() {
        let request = [b"GET /a HTTP/1.1\r\nX-Authorization: NTLM ", &coded(&login())[..]].concat();
        let (_, facts) =
            crate::protocol::recognise(&flow::Heads::tcp(&request, b"")).expect("HTTP");
        assert!(!facts.told.has(Fact::Domain));
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
