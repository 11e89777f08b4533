//! What a payload tells of a flow besides its protocol and names: one row a fact.
//!
//! Passwords and what stands for them are never kept; that one was sent in clear is a fact.

use std::fmt;

/// Something a payload told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// The client's program, as it calls itself.
    UserAgent,
    /// The server's program, as it calls itself.
    ServerSoftware,
    /// What the client calls itself.
    OwnName,
    /// The domain of a login or of a machine.
    Domain,
    /// The version of the protocol both agreed on, or the only one said.
    Version,
    /// The cipher suite the server chose.
    Cipher,
    /// The application protocol the server chose.
    Alpn,
    /// The application protocols the client offered.
    AlpnOffered,
    /// The client's JA4 fingerprint.
    Ja4,
    /// The client's JA3 fingerprint.
    Ja3,
    /// The server's JA3S fingerprint.
    Ja3s,
    /// Whom the server's certificate is for.
    CertificateSubject,
    /// Who signed it.
    CertificateIssuer,
    /// The host names in it.
    CertificateNames,
    /// When it begins to be valid.
    CertificateFrom,
    /// When it ends to be valid.
    CertificateUntil,
    /// The client's HASSH fingerprint.
    Hassh,
    /// The server's HASSH fingerprint.
    HasshServer,
    /// The method of the first HTTP request.
    HttpMethod,
    /// The path of the first HTTP request.
    HttpPath,
    /// The status of the first HTTP response.
    HttpStatus,
    /// The media type of the first HTTP response, else of the request.
    ContentType,
    /// The type of the first DNS question.
    DnsType,
    /// What the first DNS answer says of it.
    DnsAnswer,
    /// What the DHCP client is, as its maker calls it.
    VendorClass,
    /// The options the DHCP client asks for.
    DhcpOptions,
    /// The coding of a media stream.
    Codec,
    /// The file a transfer is of.
    File,
    /// How a secret was sent in clear.
    Credentials,
    /// What speaks for another label, or surprises.
    Contradiction,
    /// What it looks like where nothing tells: a guess.
    Shape,
}

/// What is known of a fact: the key it has in filters and exports, its name in both languages, where it is from.
#[derive(Debug)]
pub struct Row {
    /// The fact.
    pub fact: Fact,
    /// Its key in filters and exports.
    pub key: &'static str,
    /// Its name in English.
    pub en: &'static str,
    /// Its name in Russian.
    pub ru: &'static str,
    /// The protocols that tell it, and the documents that say how.
    pub source: &'static str,
}

const fn row(
    fact: Fact,
    key: &'static str,
    en: &'static str,
    ru: &'static str,
    source: &'static str,
) -> Row {
    Row { fact, key, en, ru, source }
}

/// Every fact, in the order they are shown.
pub const FACTS: &[Row] = &[
    row(
        Fact::UserAgent,
        "user_agent",
        "User agent",
        "Агент",
        "`User-Agent` of HTTP, SIP, RTSP and SSDP; SSH identification (RFC 4253); STUN `SOFTWARE` (RFC 8489)",
    ),
    row(
        Fact::ServerSoftware,
        "server_software",
        "Server software",
        "Программа сервера",
        "`Server` of HTTP, SIP, RTSP and SSDP; SSH identification; the greeting of FTP, SMTP, POP3, IMAP and MySQL",
    ),
    row(
        Fact::OwnName,
        "own_name",
        "Own name",
        "Своё имя",
        "DHCP options 12 and 81, NetBIOS, NTLM (MS-NLMP)",
    ),
    row(Fact::Domain, "domain", "Domain", "Домен", "NTLM (MS-NLMP), Kerberos realm (RFC 4120)"),
    row(
        Fact::Version,
        "version",
        "Version",
        "Версия",
        "TLS, DTLS and QUIC; SSH, SMB, SNMP, NTP, HTTP, VNC, MQTT",
    ),
    row(
        Fact::Cipher,
        "cipher",
        "Cipher suite",
        "Набор шифров",
        "the ServerHello of TLS (IANA, TLS Cipher Suites)",
    ),
    row(Fact::Alpn, "alpn", "ALPN", "ALPN", "the ServerHello of TLS up to 1.2 (RFC 7301)"),
    row(
        Fact::AlpnOffered,
        "alpn_offered",
        "ALPN offered",
        "Предложенные ALPN",
        "the ClientHello of TLS, DTLS and QUIC (RFC 7301)",
    ),
    row(Fact::Ja4, "ja4", "JA4", "JA4", "the ClientHello (FoxIO, JA4, BSD-3-Clause)"),
    row(Fact::Ja3, "ja3", "JA3", "JA3", "the ClientHello of TLS (Salesforce, JA3, BSD-3-Clause)"),
    row(
        Fact::Ja3s,
        "ja3s",
        "JA3S",
        "JA3S",
        "the ServerHello of TLS (Salesforce, JA3, BSD-3-Clause)",
    ),
    row(
        Fact::CertificateSubject,
        "certificate_subject",
        "Certificate of",
        "Сертификат выдан",
        "the first certificate of TLS up to 1.2 (RFC 5280)",
    ),
    row(
        Fact::CertificateIssuer,
        "certificate_issuer",
        "Signed by",
        "Кем подписан",
        "the first certificate of TLS up to 1.2 (RFC 5280)",
    ),
    row(
        Fact::CertificateNames,
        "certificate_names",
        "Names in it",
        "Имена в нём",
        "the first certificate of TLS up to 1.2 (RFC 5280, section 4.2.1.6)",
    ),
    row(
        Fact::CertificateFrom,
        "certificate_from",
        "Valid from",
        "Действует с",
        "the first certificate of TLS up to 1.2 (RFC 5280)",
    ),
    row(
        Fact::CertificateUntil,
        "certificate_until",
        "Valid until",
        "Действует до",
        "the first certificate of TLS up to 1.2 (RFC 5280)",
    ),
    row(
        Fact::Hassh,
        "hassh",
        "HASSH",
        "HASSH",
        "the client's SSH_MSG_KEXINIT (Salesforce, HASSH, BSD-3-Clause; RFC 4253)",
    ),
    row(
        Fact::HasshServer,
        "hassh_server",
        "HASSH of the server",
        "HASSH сервера",
        "the server's SSH_MSG_KEXINIT (Salesforce, HASSH, BSD-3-Clause; RFC 4253)",
    ),
    row(
        Fact::HttpMethod,
        "http_method",
        "HTTP method",
        "Метод HTTP",
        "the first request (RFC 9110)",
    ),
    row(
        Fact::HttpPath,
        "http_path",
        "HTTP path",
        "Путь HTTP",
        "the first request, without its query (RFC 9110)",
    ),
    row(
        Fact::HttpStatus,
        "http_status",
        "HTTP status",
        "Статус HTTP",
        "the first response (RFC 9110)",
    ),
    row(
        Fact::ContentType,
        "content_type",
        "Content type",
        "Тип содержимого",
        "the first response of HTTP, else the request (RFC 9110)",
    ),
    row(Fact::DnsType, "dns_type", "Asked for", "Запрошено", "the first question (RFC 1035)"),
    row(
        Fact::DnsAnswer,
        "dns_answer",
        "Answer",
        "Ответ",
        "the code of the first answer (IANA, DNS RCODEs)",
    ),
    row(
        Fact::VendorClass,
        "vendor_class",
        "Maker's class",
        "Класс изготовителя",
        "DHCP option 60 (RFC 2132)",
    ),
    row(
        Fact::DhcpOptions,
        "dhcp_options",
        "DHCP options",
        "Опции DHCP",
        "DHCP option 55 (RFC 2132), in the client's order",
    ),
    row(Fact::Codec, "codec", "Codec", "Кодек", "the payload type of RTP (RFC 3551)"),
    row(Fact::File, "file", "File", "Файл", "TFTP (RFC 1350); `RETR` and `STOR` of FTP (RFC 959)"),
    row(
        Fact::Credentials,
        "credentials",
        "Secret in clear",
        "Секрет открытым текстом",
        "HTTP Basic (RFC 7617), FTP, POP3, IMAP, SMTP, NNTP, IRC, LDAP, MQTT, SOCKS 5, Telnet, SNMP 1 and 2c; never the secret itself",
    ),
    row(
        Fact::Contradiction,
        "contradiction",
        "Speaks against it",
        "Говорит против",
        "another service's name or agent; the well-known port of another protocol (IANA)",
    ),
    row(
        Fact::Shape,
        "shape",
        "Looks like",
        "Похоже на",
        "how random the first bytes are, how long the names asked for; a guess that no label rests on",
    ),
];

impl Fact {
    /// What is known of it.
    pub fn row(self) -> &'static Row {
        const OTHER: &Row = &row(Fact::UserAgent, "", "", "", "");
        FACTS.get(self as usize).unwrap_or(OTHER)
    }

    /// The fact that has a key.
    pub fn named(key: &str) -> Option<Self> {
        FACTS.iter().find(|it| it.key == key).map(|it| it.fact)
    }
}

/// What was told of a flow, each fact once: in one piece, since a capture has millions of them. Before each text stand the
/// mark of its fact and its length in two digits.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Told(String);

/// What the first fact is written as, and the digit nought; the others follow in order.
const FIRST: u8 = b'0';
/// How many digits there are.
const DIGITS: usize = 64;
/// Few flows tell more, in bytes.
const USUAL_LEN: usize = 240;

impl Told {
    /// How long the text of a fact may be, in bytes.
    pub const MAX_LEN: usize = 300;
    /// Nothing.
    pub(crate) const NONE: Self = Self(String::new());

    /// The text of a fact.
    pub fn get(&self, fact: Fact) -> Option<&str> {
        self.iter().find(|it| it.0 == fact).map(|it| it.1)
    }

    /// Every fact that was told, with its text, in the order told.
    pub fn iter(&self) -> impl Iterator<Item = (Fact, &str)> {
        let mut rest = self.0.as_str();
        std::iter::from_fn(move || {
            let [mark, high, low] = *rest.as_bytes().first_chunk()?;
            let digit = |it: u8| usize::from(it - FIRST);
            let end = 3 + digit(high) * DIGITS + digit(low);
            let (text, behind) = (rest.get(3..end)?, rest.get(end..)?);
            rest = behind;
            Some((FACTS.get(digit(mark))?.fact, text))
        })
    }

    /// Whether a fact was told.
    pub fn has(&self, fact: Fact) -> bool {
        self.get(fact).is_some()
    }

    /// As it is carried.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// What [`Told::into_text`] gave; nothing where it did not.
    pub(crate) fn of_text(text: String) -> Option<Self> {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let [mark, high, low] = *rest.as_bytes().first_chunk()?;
            let digit = |it: u8| it.checked_sub(FIRST).map(usize::from);
            FACTS.get(digit(mark)?)?;
            rest = rest.get(3 + digit(high)? * DIGITS + digit(low)?..)?;
        }
        Some(Self(text))
    }

    /// Takes a fact down, unless there is nothing to it or it was told before.
    pub(crate) fn tell(&mut self, fact: Fact, text: &str) {
        let text = text.get(..text.floor_char_boundary(Self::MAX_LEN)).unwrap_or(text).trim();
        if text.is_empty() || self.has(fact) {
            return;
        }
        let digit = |it: usize| char::from(FIRST + it as u8);
        let marks = [fact as usize, text.len() / DIGITS, text.len() % DIGITS];
        if self.0.is_empty() {
            // Who tells one fact tells more; what is left over is given back.
            self.0.reserve(USUAL_LEN);
        }
        self.0.extend(marks.map(digit));
        self.0.push_str(text);
    }

    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_its_row() {
        for (at, row) in FACTS.iter().enumerate() {
            assert_eq!(row.fact as usize, at, "{}", row.key);
            assert_eq!(Fact::named(row.key), Some(row.fact));
            assert!(FIRST as usize + at < 0x7f);
        }
    }

    #[test]
    fn what_was_told_comes_back_once() {
        let mut told = Told::default();
        told.tell(Fact::Ja4, "t13");
        told.tell(Fact::UserAgent, "curl/8");
        told.tell(Fact::UserAgent, "another");
        told.tell(Fact::Domain, "");
        assert_eq!(told.get(Fact::Ja4), Some("t13"));
        assert_eq!(told.get(Fact::UserAgent), Some("curl/8"));
        assert_eq!(told.iter().count(), 2);
        assert_eq!(Told::NONE.get(Fact::Ja4), None);
    }

    #[test]
    fn what_was_carried_is_what_was_told() {
        let mut told = Told::default();
        told.tell(Fact::Ja4, "t13");
        told.tell(Fact::File, &"ж".repeat(100));
        assert_eq!(Told::of_text(told.clone().into_text()), Some(told));
        for text in ["0", "0000", "00\u{7f}", "\u{7f}01a", "001", "!01a", "001ж"] {
            assert_eq!(Told::of_text(text.to_owned()).map(Told::into_text), None, "{text}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let mut told = Told::default();
        told.tell(Fact::File, &"ж".repeat(400));
        assert_eq!(told.get(Fact::File).map(str::len), Some(300));
    }
}
