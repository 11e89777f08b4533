//! The ClientHello and ServerHello that TLS, DTLS and QUIC begin with (RFC 8446, section 4.1), and their fingerprints.
//!
//! JA4 is published by FoxIO, JA3 and JA3S by Salesforce, all three under BSD-3-Clause. Nothing here knows how a message was
//! carried.

use std::{
    fmt::Write,
    hash::{DefaultHasher, Hasher as _},
};

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::{
    bytes::{Reader, host_name, text},
    cipher,
    fact::Fact,
    protocol::{Facts, Tie},
};

/// What is read of a ClientHello.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ClientHello {
    /// The name the client asks for, in lower case.
    pub(crate) server_name: Option<String>,
    /// The application protocols it offers, the preferred first; at most [`MAX_ALPN`].
    pub(crate) alpn: Vec<Vec<u8>>,
    /// The whole message was there.
    is_whole: bool,
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    supported_versions: Vec<u16>,
    signature_algorithms: Vec<u16>,
    groups: Vec<u16>,
    point_formats: Vec<u8>,
    /// The sessions it takes up again.
    sessions: Vec<Tie>,
}

/// What carries a ClientHello; the first letter of its JA4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Tls,
    Dtls,
    Quic,
}

const MAX_ALPN: usize = 16;

const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const POINT_FORMATS: u16 = 11;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;

impl ClientHello {
    /// Reads the body of the message; what comes after a cut is missing.
    pub(crate) fn read(body: &[u8], carrier: Carrier) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        let is_known = match carrier {
            Carrier::Dtls => matches!(version, 0xfeff | 0xfefd | 0xfefc | 0x0100),
            Carrier::Tls | Carrier::Quic => matches!(version, 0x0300..=0x0304),
        };
        reader.skip(32)?;
        let session_id = reader.vec8()?;
        if !is_known || session_id.len() > 32 {
            return None;
        }
        if carrier == Carrier::Dtls {
            reader.vec8()?;
        }
        let len = usize::from(reader.u16()?);
        let ciphers = reader.take_up_to(len);
        if len == 0 || len % 2 != 0 {
            return None;
        }
        let mut hello = Self { version, ciphers: u16s(ciphers), ..Self::default() };
        hello.sessions.extend(session(session_id));
        hello.is_whole = hello.read_rest(reader).is_some();
        Some(hello)
    }

    /// Reads what follows the ciphers: `None` where it is cut.
    fn read_rest(&mut self, mut reader: Reader) -> Option<()> {
        reader.vec8()?;
        if reader.is_empty() {
            return Some(());
        }
        let len = usize::from(reader.u16()?);
        let mut extensions = Reader(reader.0.get(..len).unwrap_or(reader.0));
        let is_cut = extensions.0.len() < len;
        while !extensions.is_empty() {
            let kind = extensions.u16()?;
            let body = extensions.vec16()?;
            self.extensions.push(kind);
            // An extension that cannot be read tells nothing; the others still do.
            let _ = self.read_extension(kind, body);
        }
        (!is_cut).then_some(())
    }

    fn read_extension(&mut self, kind: u16, body: &[u8]) -> Option<()> {
        let mut reader = Reader(body);
        match kind {
            SERVER_NAME => {
                let mut names = Reader(reader.vec16()?);
                let is_host = names.u8()? == 0;
                self.server_name = is_host.then(|| names.vec16().and_then(host_name)).flatten();
            }
            SIGNATURE_ALGORITHMS => self.signature_algorithms = u16s(reader.vec16()?),
            ALPN => {
                let mut names = Reader(reader.vec16()?);
                while !names.is_empty() && self.alpn.len() < MAX_ALPN {
                    self.alpn.push(names.vec8()?.to_vec());
                }
            }
            SUPPORTED_VERSIONS => self.supported_versions = u16s(reader.vec8()?),
            GROUPS => self.groups = u16s(reader.vec16()?),
            POINT_FORMATS => self.point_formats = reader.vec8()?.to_vec(),
            SESSION_TICKET => self.sessions.extend(session(body)),
            PRE_SHARED_KEY => {
                let mut identities = Reader(reader.vec16()?);
                while !identities.is_empty() && self.sessions.len() < Facts::MAX_TIES {
                    self.sessions.extend(session(identities.vec16()?));
                    identities.skip(4)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Adds all it tells, where nothing of that is told yet.
    pub(crate) fn tell(&self, carrier: Carrier, facts: &mut Facts) {
        if facts.server_name.is_none() {
            facts.server_name.clone_from(&self.server_name);
        }
        let offered = self.alpn.iter().filter(|it| !is_grease_name(it)).map(|it| text(it, 32));
        let offered = offered.collect::<Vec<_>>().join(", ");
        facts.told.tell(Fact::AlpnOffered, &offered);
        facts.told.tell(Fact::Ja4, &self.ja4(carrier).unwrap_or_default());
        if carrier == Carrier::Tls {
            facts.told.tell(Fact::Ja3, &self.ja3().unwrap_or_default());
        }
        self.sessions.iter().for_each(|it| facts.tie(*it));
    }

    /// The greeting for a reader: `a TLS greeting for example.org`.
    pub(crate) fn sentence(&self, carrier: &str) -> String {
        let mut sentence = format!("a {carrier} greeting");
        match &self.server_name {
            Some(name) => sentence.extend([" for ", name]),
            None => sentence.push_str(" without a name"),
        }
        if let Some(alpn) = self.alpn.iter().find(|it| !is_grease_name(it)) {
            sentence.extend([", offering ", &text(alpn, 32)]);
        }
        sentence
    }

    /// The JA4 fingerprint; `None` where the message is cut.
    pub(crate) fn ja4(&self, carrier: Carrier) -> Option<String> {
        if !self.is_whole {
            return None;
        }
        let letter = match carrier {
            Carrier::Tls => 't',
            Carrier::Dtls => 'd',
            Carrier::Quic => 'q',
        };
        let mut ciphers = without_grease(&self.ciphers);
        let mut extensions = without_grease(&self.extensions);
        let name = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
        let (n_ciphers, n_extensions) = (ciphers.len().min(99), extensions.len().min(99));
        let (version, alpn) = (self.ja4_version(carrier), self.ja4_alpn());

        ciphers.sort_unstable();
        extensions.retain(|it| ![SERVER_NAME, ALPN].contains(it));
        extensions.sort_unstable();
        let signatures = without_grease(&self.signature_algorithms);
        let mut described = hex_list(&extensions);
        if !signatures.is_empty() {
            described.extend(["_", &hex_list(&signatures)]);
        }
        let ciphers_hash = short_hash(&hex_list(&ciphers), ciphers.is_empty());
        let extensions_hash = short_hash(&described, extensions.is_empty());
        Some(format!(
            "{letter}{version}{name}{n_ciphers:02}{n_extensions:02}{alpn}_{ciphers_hash}_{extensions_hash}"
        ))
    }

    /// The JA3 fingerprint; `None` where the message is cut.
    fn ja3(&self) -> Option<String> {
        let formats: Vec<u16> = self.point_formats.iter().map(|it| u16::from(*it)).collect();
        let lists = [&self.ciphers, &self.extensions, &self.groups].map(|it| without_grease(it));
        let [ciphers, extensions, groups] = lists.map(|it| decimal_list(&it));
        let formats = decimal_list(&formats);
        let described = format!("{},{ciphers},{extensions},{groups},{formats}", self.version);
        self.is_whole.then(|| md5_hex(&described))
    }

    fn ja4_version(&self, carrier: Carrier) -> &'static str {
        let offered = without_grease(&self.supported_versions).into_iter();
        // The versions of DTLS count downwards.
        let highest = if carrier == Carrier::Dtls { offered.min() } else { offered.max() };
        match highest.unwrap_or(self.version) {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            0xfeff => "d1",
            0xfefd => "d2",
            0xfefc => "d3",
            _ => "00",
        }
    }

    /// The ends of the first protocol offered, or those of its hexadecimal writing where they are no letters or digits.
    fn ja4_alpn(&self) -> String {
        let offered = self.alpn.first().and_then(|it| Some((*it.first()?, *it.last()?)));
        match offered {
            None => "00".to_owned(),
            Some((first, last))
                if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
            {
                [char::from(first), char::from(last)].iter().collect()
            }
            Some((first, last)) => format!("{:x}{:x}", first >> 4, last & 0xf),
        }
    }
}

/// What is read of a ServerHello.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServerHello {
    version: u16,
    cipher: u16,
    alpn: Option<String>,
    extensions: Vec<u16>,
    /// The version it chose where that stands in an extension.
    chosen_version: Option<u16>,
    /// The session it grants.
    session: Option<Tie>,
    is_whole: bool,
}

impl ServerHello {
    /// Reads the body of the message; what comes after a cut is missing.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.u16()?;
        reader.skip(32)?;
        let session = session(reader.vec8()?);
        let cipher = reader.u16()?;
        let mut hello = Self { version, cipher, session, ..Self::default() };
        hello.is_whole = hello.read_rest(reader).is_some();
        Some(hello)
    }

    fn read_rest(&mut self, mut reader: Reader) -> Option<()> {
        let _compression = reader.u8()?;
        if reader.is_empty() {
            return Some(());
        }
        let mut extensions = Reader(reader.vec16()?);
        while !extensions.is_empty() {
            let kind = extensions.u16()?;
            let mut body = Reader(extensions.vec16()?);
            self.extensions.push(kind);
            match kind {
                SUPPORTED_VERSIONS => self.chosen_version = body.u16(),
                ALPN => {
                    let chosen = body.vec16().and_then(|it| Reader(it).vec8());
                    self.alpn = chosen.map(|it| text(it, 32));
                }
                _ => {}
            }
        }
        Some(())
    }

    /// Adds all it tells, where nothing of that is told yet.
    pub(crate) fn tell(&self, carrier: Carrier, facts: &mut Facts) {
        let version = self.chosen_version.unwrap_or(self.version);
        facts.told.tell(Fact::Version, version_name(version).unwrap_or_default());
        facts.told.tell(Fact::Cipher, &cipher::name(self.cipher));
        facts.told.tell(Fact::Alpn, self.alpn.as_deref().unwrap_or_default());
        if self.is_whole && carrier == Carrier::Tls {
            let extensions = decimal_list(&self.extensions);
            let described = format!("{},{},{extensions}", self.version, self.cipher);
            facts.told.tell(Fact::Ja3s, &md5_hex(&described));
        }
        self.session.iter().for_each(|it| facts.tie(*it));
    }
}

/// A version as people write it.
pub(crate) fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0002 => "SSL 2",
        0x0300 => "SSL 3",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        0xfeff | 0x0100 => "DTLS 1.0",
        0xfefd => "DTLS 1.2",
        0xfefc => "DTLS 1.3",
        _ => return None,
    })
}

/// A session, by what server and client call it; nothing where that is too short to be of one alone.
pub(crate) fn session(name: &[u8]) -> Option<Tie> {
    (name.len() >= 16 && name.iter().any(|it| Some(it) != name.first()))
        .then(|| Tie::TlsSession(hash(name)))
}

/// A number that stands for bytes, the same on every machine.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// The numbers in bytes; an odd byte at the end is left out.
fn u16s(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks().0.iter().map(|it| u16::from_be_bytes(*it)).collect()
}

/// Values without meaning that clients send to keep servers tolerant (RFC 8701).
fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

fn is_grease_name(name: &[u8]) -> bool {
    matches!(name, [a, b] if is_grease(u16::from_be_bytes([*a, *b])))
}

fn without_grease(values: &[u16]) -> Vec<u16> {
    values.iter().copied().filter(|it| !is_grease(*it)).collect()
}

fn hex_list(values: &[u16]) -> String {
    let mut list = String::with_capacity(values.len() * 5);
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            list.push(',');
        }
        list.extend(hex_digits(&value.to_be_bytes()));
    }
    list
}

fn decimal_list(values: &[u16]) -> String {
    let mut list = String::with_capacity(values.len() * 6);
    for (i, value) in values.iter().enumerate() {
        let dash = if i == 0 { "" } else { "-" };
        write!(list, "{dash}{value}").expect("a String takes all that is written");
    }
    list
}

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    digits.extend(hex_digits(bytes));
    digits
}

fn hex_digits(bytes: &[u8]) -> impl Iterator<Item = char> {
    let digit = |it: u8| char::from(if it < 10 { b'0' + it } else { b'a' - 10 + it });
    bytes.iter().flat_map(move |it| [digit(it >> 4), digit(it & 15)])
}

/// The MD5 of a text in hexadecimal digits.
pub(crate) fn md5_hex(of: &str) -> String {
    hex(&Md5::digest(of))
}

/// The first twelve hexadecimal digits of the SHA-256.
fn short_hash(of: &str, is_empty: bool) -> String {
    if is_empty {
        return "0".repeat(12);
    }
    hex(Sha256::digest(of).get(..6).unwrap_or_default())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The body of a ClientHello that asks for a name and offers `h2`.
    pub(crate) fn body(name: &str) -> Vec<u8> {
        let mut list = vec![0];
        list.extend((name.len() as u16).to_be_bytes());
        list.extend(name.as_bytes());
        let mut server_name = (list.len() as u16).to_be_bytes().to_vec();
        server_name.extend(&list);
        let parts = [
            (SERVER_NAME, server_name),
            (ALPN, vec![0, 3, 2, b'h', b'2']),
            (SUPPORTED_VERSIONS, vec![4, 0x03, 0x04, 0x03, 0x03]),
        ];
        let mut extensions = Vec::new();
        for (kind, body) in parts {
            extensions.extend(kind.to_be_bytes());
            extensions.extend((body.len() as u16).to_be_bytes());
            extensions.extend(body);
        }
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0, 4, 0x13, 0x01, 0x13, 0x02, 1, 0]);
        hello.extend((extensions.len() as u16).to_be_bytes());
        hello.extend(extensions);
        hello
    }

    /// The hello of the JA4 specification's example.
    fn example() -> ClientHello {
        ClientHello {
            is_whole: true,
            server_name: Some("example.org".to_owned()),
            alpn: vec![b"h2".to_vec()],
            version: 0x0303,
            ciphers: vec![
                0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
                0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
            ],
            supported_versions: vec![0x3a3a, 0x0304, 0x0303],
            signature_algorithms: vec![
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            ..ClientHello::default()
        }
    }

    /// The example of JA3's description: its text is `769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0`.
    #[test]
    fn the_example_of_ja3_has_its_fingerprint() {
        let hello = ClientHello {
            is_whole: true,
            version: 769,
            ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![0x0a0a, 23, 24, 25],
            point_formats: vec![0],
            ..ClientHello::default()
        };
        assert_eq!(hello.ja3().as_deref(), Some("ada70206e40642a3e4461f35503241d5"));
        assert_eq!(ClientHello { is_whole: false, ..hello }.ja3(), None);
    }

    #[test]
    fn a_server_tells_what_it_chose() {
        let mut body = vec![3, 3];
        body.extend([5; 32]);
        body.push(16);
        body.extend(1..=16);
        body.extend([0x13, 0x02, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
        let mut facts = Facts::default();
        ServerHello::read(&body).expect("a server").tell(Carrier::Tls, &mut facts);
        assert_eq!(facts.told.get(Fact::Version), Some("TLS 1.3"));
        assert_eq!(facts.told.get(Fact::Cipher), Some("TLS_AES_256_GCM_SHA384"));
        // 771,4866,43
        assert_eq!(facts.told.get(Fact::Ja3s), Some("13b064e3d43575147f6ca25c24556a31"));
        assert_eq!(facts.ties.len(), 1);
        for end in 0..body.len() {
            let _ = ServerHello::read(&body[..end]);
        }
    }

    #[test]
    fn the_example_of_the_specification_has_its_fingerprint() {
        let ja4 = example().ja4(Carrier::Tls);
        assert_eq!(ja4.as_deref(), Some("t13d1516h2_8daaf6152771_e5627efa2ab1"));
    }

    #[test]
    fn without_signature_algorithms_the_extensions_stand_alone() {
        let hello = ClientHello { signature_algorithms: Vec::new(), ..example() };
        assert!(hello.ja4(Carrier::Quic).is_some_and(|it| it.ends_with("_6d807ffa2a79")));
    }

    #[test]
    fn a_protocol_offered_in_bytes_is_written_in_hexadecimal() {
        let examples: [(&[u8], &str); 6] = [
            (&[0xab], "ab"),
            (&[0xab, 0xcd], "ad"),
            (&[0x30, 0xab], "3b"),
            (&[0x30, 0x31, 0xab, 0xcd], "3d"),
            (&[0x30, 0xab, 0xcd, 0x31], "01"),
            (b"", "00"),
        ];
        for (alpn, expected) in examples {
            let hello = ClientHello { alpn: vec![alpn.to_vec()], ..example() };
            assert_eq!(hello.ja4_alpn(), expected);
        }
    }

    #[test]
    fn a_cut_hello_gives_its_name_but_no_fingerprint() {
        let body = body("www.example.org");
        let whole = ClientHello::read(&body, Carrier::Tls).expect("a whole hello");
        assert!(whole.ja4(Carrier::Tls).is_some_and(|it| it.starts_with("t13d0203h2_")));
        let cut = ClientHello::read(&body[..body.len() - 3], Carrier::Tls).expect("a cut hello");
        assert_eq!(cut.server_name.as_deref(), Some("www.example.org"));
        assert_eq!(cut.ja4(Carrier::Tls), None);
    }

    #[test]
    fn no_cut_or_changed_byte_stops_it() {
        let body = body("a.example");
        for i in 0..body.len() {
            let _ = ClientHello::read(&body[..i], Carrier::Tls);
            let mut other = body.clone();
            other[i] ^= 0xff;
            let _ = ClientHello::read(&other, Carrier::Tls);
        }
    }
}
