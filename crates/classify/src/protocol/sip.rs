//! SIP over UDP and TCP, by its start lines (RFC 3261), and the media that SDP in it announces (RFC 8866).

use flow::{Head, Heads, Transport};

use super::{Expected, Facts, Protocol, http};
use crate::{
    bytes::{behind_word, header, host_of_authority, lines, text},
    fact::Fact,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "sip",
    group: "voice",
    title: "Session Initiation Protocol",
    source: "RFC 3261",
    recognise,
};

const METHODS: &[&str] = &[
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
];

/// How many datagrams of a side are looked at: keep-alives may come before the first message.
const FEW: usize = 16;

fn recognise(heads: &Heads) -> Option<Facts> {
    if ![Transport::TCP, Transport::UDP].contains(&heads.transport) {
        return None;
    }
    let sides = [&heads.client, &heads.server];
    let first = sides.into_iter().find_map(|it| it.datagrams().take(FEW).find(|it| is_sip(it)))?;
    let line = lines(first).next().unwrap_or_default();
    // What answers HTTP with a status line of SIP spoke to somebody else.
    if line.starts_with(b"SIP/2.0 ") && sides.into_iter().any(|it| http::is_request(it.bytes())) {
        return None;
    }
    let target = line.split(|it| *it == b' ').nth(1).unwrap_or_default();
    let name = strip_scheme(target).and_then(host_of_authority);
    let seen = format!("the SIP line {}", text(line, 100));
    let mut facts = Facts { server_name: name, ..Facts::seen(seen) }
        .telling(Fact::UserAgent, sides.into_iter().find_map(|it| said(it, b"user-agent")))
        .telling(Fact::ServerSoftware, sides.into_iter().find_map(|it| said(it, b"server")));
    for (head, is_client) in [(&heads.client, true), (&heads.server, false)] {
        for message in head.datagrams() {
            add_media(message, is_client, &mut facts.expected);
        }
    }
    Some(facts)
}

/// Whether a message begins with a start line of SIP.
fn is_sip(message: &[u8]) -> bool {
    // Most messages are none: the first letter tells before a line's end is looked for.
    if !message.first().is_some_and(u8::is_ascii_uppercase) {
        return false;
    }
    if let Some(status) = message.strip_prefix(b"SIP/2.0 ") {
        return status.first_chunk::<3>().is_some_and(|it| it.iter().all(u8::is_ascii_digit));
    }
    let Some(rest) = METHODS.iter().find_map(|it| behind_word(message, it)) else { return false };
    let mut words = lines(rest).next().unwrap_or_default().split(|it| *it == b' ');
    let has_target = words.next().is_some_and(|it| strip_scheme(it).is_some());
    let version = words.next();
    // The line of a cut message may end before the version.
    has_target && version.is_none_or(|it| b"SIP/2.0".starts_with(it) || it == b"SIP/2.0")
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = target.split_at_checked(target.iter().position(|it| *it == b':')? + 1)?;
    let is_known =
        [b"sip:".as_slice(), b"sips:", b"tel:"].iter().any(|it| scheme.eq_ignore_ascii_case(it));
    is_known.then(|| rest.split(|it| matches!(it, b';' | b'?' | b'>')).next().unwrap_or_default())
}

fn said(head: &Head, name: &[u8]) -> Option<String> {
    let agents = head.datagrams().take(FEW).filter(|it| is_sip(it));
    agents.filter_map(|it| header(it, name)).map(|it| text(it, 200)).find(|it| !it.is_empty())
}

/// Adds the ends of media streams that the SDP in a message announces, each with that of its control stream.
pub(super) fn add_media(message: &[u8], is_client: bool, expected: &mut Vec<Expected>) {
    let mut session_ip = None;
    let mut media: Option<Media> = None;
    for line in lines(message) {
        if line == b"v=0" {
            session_ip = None;
        } else if let Some(connection) = line.strip_prefix(b"c=IN IP") {
            let address = connection.get(2..).and_then(|it| it.split(|it| *it == b'/').next());
            let ip = address.and_then(|it| std::str::from_utf8(it).ok()?.trim().parse().ok());
            let ip = ip.filter(|it: &std::net::IpAddr| !it.is_unspecified());
            match &mut media {
                Some(media) => media.ip = ip,
                None => session_ip = ip,
            }
        } else if let Some(description) = line.strip_prefix(b"m=") {
            add(media.take(), is_client, expected);
            media = Media::read(description, session_ip);
        } else if let Some(media) = &mut media {
            if let Some(port) = line.strip_prefix(b"a=rtcp:") {
                media.control = number(port.split(|it| *it == b' ').next().unwrap_or_default());
            } else if line == b"a=rtcp-mux" {
                media.control = None;
            }
        }
        if line.starts_with(b"SIP/2.0 ") || line == b"v=0" {
            add(media.take(), is_client, expected);
        }
    }
    add(media, is_client, expected);
}

/// One media stream that was announced.
struct Media {
    ip: Option<std::net::IpAddr>,
    port: u16,
    /// The port of its control stream, RTCP.
    control: Option<u16>,
}

impl Media {
    /// Reads `audio 49170 RTP/AVP 0`; nothing where it is refused or not sent over UDP.
    fn read(description: &[u8], ip: Option<std::net::IpAddr>) -> Option<Self> {
        let mut words = description.split(|it| *it == b' ');
        let (_kind, port, carrier) = (words.next()?, words.next()?, words.next()?);
        let port = number(port.split(|it| *it == b'/').next()?).filter(|it| *it != 0)?;
        let is_rtp = carrier.windows(3).any(|it| it == b"RTP") && !carrier.starts_with(b"TCP");
        let is_fax = carrier.eq_ignore_ascii_case(b"udptl");
        let control = is_rtp.then(|| port.checked_add(1)).flatten();
        (is_rtp || is_fax).then_some(Self { ip, port, control })
    }
}

fn add(media: Option<Media>, is_client: bool, expected: &mut Vec<Expected>) {
    let Some(Media { ip, port, control }) = media else { return };
    for port in [Some(port), control].into_iter().flatten() {
        let one = Expected { is_client, ip, port };
        if expected.len() < Facts::MAX_EXPECTED && !expected.contains(&one) {
            expected.push(one);
        }
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:bob@voice.example;lr SIP/2.0\r\nUser-Agent: Phone 1\r\n\r\n\
        v=0\r\nc=IN IP4 192.0.2.5\r\nm=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n\
        m=video 4002 RTP/AVP 31\r\nc=IN IP4 192.0.2.6\r\na=rtcp:4010\r\n";

    #[track_caller]
    fn check(client: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::udp(&[client], &[])).is_some(), expected);
        assert_eq!(recognise(&Heads::tcp(client, b"")).is_some(), expected);
    }

    #[test]
    fn start_lines_tell() {
        check(INVITE, true);
        check(b"SIP/2.0 200 OK\r\n", true);
        let late = Heads::udp(&[b"\r\n\r\n", b"REGISTER sip:voice.example SIP/2.0\r\n"], &[]);
        assert!(recognise(&late).is_some());
    }

    #[test]
    fn media_is_announced() {
        let facts = recognise(&Heads::udp(&[INVITE], &[])).expect("SIP");
        assert_eq!(facts.server_name.as_deref(), Some("voice.example"));
        assert_eq!(facts.told.get(Fact::UserAgent), Some("Phone 1"));
        let ends: Vec<_> =
            facts.expected.iter().map(|it| (it.ip.map(|ip| ip.to_string()), it.port)).collect();
        let at = |ip: &str, port| (Some(ip.to_owned()), port);
        let all = [
            at("192.0.2.5", 4000),
            at("192.0.2.5", 4001),
            at("192.0.2.6", 4002),
            at("192.0.2.6", 4010),
        ];
        assert_eq!(ends, all);
        assert!(facts.expected.iter().all(|it| it.is_client));
    }

    #[test]
    fn a_status_line_that_answers_http_is_not_sip() {
        let refusal = b"SIP/2.0 400 Bad Request\r\n\r\n";
        let answered = |request: &[u8]| recognise(&Heads::tcp(request, refusal)).is_some();
        assert!(!answered(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        assert!(answered(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"));
        assert!(answered(b""));
    }

    #[test]
    fn relatives_are_not_sip() {
        check(b"NOTIFY * HTTP/1.1\r\n", false);
        check(b"OPTIONS rtsp://a/b RTSP/1.0\r\n", false);
        check(b"MESSAGE from SIP/2.0\r\n", false);
        check(b"GET /SIP/2.0 HTTP/1.1\r\n", false);
    }
}
