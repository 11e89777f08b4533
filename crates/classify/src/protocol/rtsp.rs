//! RTSP, by its request and status lines (RFC 2326, RFC 7826), and the media ports it agrees on.

use flow::{Heads, Transport};

use super::{Expected, Facts, Protocol};
use crate::{
    bytes::{behind_word, header, host_of_authority, lines, starts_with_word, text},
    fact::Fact,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "rtsp",
    group: "media",
    title: "Real-Time Streaming Protocol",
    source: "RFC 2326, RFC 7826",
    recognise,
};

const METHODS: &[&str] = &[
    "ANNOUNCE",
    "DESCRIBE",
    "GET_PARAMETER",
    "OPTIONS",
    "PAUSE",
    "PLAY",
    "PLAY_NOTIFY",
    "POST",
    "RECORD",
    "REDIRECT",
    "SETUP",
    "SET_PARAMETER",
    "TEARDOWN",
];

fn recognise(heads: &Heads) -> Option<Facts> {
    if ![Transport::TCP, Transport::UDP].contains(&heads.transport) {
        return None;
    }
    let sides = [heads.client.bytes(), heads.server.bytes()];
    let message = sides.into_iter().find(|it| is_rtsp(it))?;
    let line = lines(message).next().unwrap_or_default();
    let target = line.split(|it| *it == b' ').nth(1).and_then(|it| {
        let rest = it.strip_prefix(b"rtsp://").or_else(|| it.strip_prefix(b"rtspu://"))?;
        rest.split(|it| *it == b'/').next()
    });
    let of_any = |name| sides.into_iter().find_map(|it| header(it, name)).map(|it| text(it, 200));
    let seen = format!("the RTSP line {}", text(line, 100));
    let mut facts = Facts { server_name: target.and_then(host_of_authority), ..Facts::seen(seen) }
        .telling(Fact::UserAgent, of_any(b"user-agent"))
        .telling(Fact::ServerSoftware, of_any(b"server"));
    for line in sides.into_iter().flat_map(lines) {
        if starts_with_word(line, b"transport:") {
            add_ports(line, b"client_port=", true, &mut facts.expected);
            add_ports(line, b"server_port=", false, &mut facts.expected);
        }
    }
    Some(facts)
}

fn is_rtsp(message: &[u8]) -> bool {
    if let Some(status) =
        message.strip_prefix(b"RTSP/1.0 ").or_else(|| message.strip_prefix(b"RTSP/2.0 "))
    {
        return status.first_chunk::<3>().is_some_and(|it| it.iter().all(u8::is_ascii_digit));
    }
    // Most messages are none: the first word tells before a line's end is looked for.
    if !METHODS.iter().any(|it| behind_word(message, it).is_some()) {
        return false;
    }
    let line = lines(message).next().unwrap_or_default();
    line.ends_with(b" RTSP/1.0") || line.ends_with(b" RTSP/2.0")
}

/// Adds the ports of `name=4000-4001`.
fn add_ports(line: &[u8], name: &[u8], is_client: bool, expected: &mut Vec<Expected>) {
    for parameter in line.split(|it| matches!(it, b';' | b',')) {
        let Some(range) = parameter.trim_ascii().strip_prefix(name) else { continue };
        let ports = range.split(|it| *it == b'-').take(2);
        for port in ports.filter_map(|it| std::str::from_utf8(it).ok()?.trim().parse().ok()) {
            let one = Expected { is_client, ip: None, port };
            if port != 0 && expected.len() < Facts::MAX_EXPECTED && !expected.contains(&one) {
                expected.push(one);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, server)).is_some(), expected);
    }

    #[test]
    fn start_lines_tell() {
        check(b"OPTIONS * RTSP/1.0\r\n", b"", true);
        check(b"", b"RTSP/1.0 200 OK\r\n", true);
    }

    #[test]
    fn ports_are_announced() {
        let setup = b"SETUP rtsp://cam.example/1 RTSP/1.0\r\nTransport: RTP/AVP;unicast;client_port=4000-4001\r\n\r\n";
        let facts = recognise(&Heads::tcp(setup, b"")).expect("RTSP");
        assert_eq!(facts.server_name.as_deref(), Some("cam.example"));
        let ports: Vec<_> = facts.expected.iter().map(|it| (it.is_client, it.port)).collect();
        assert_eq!(ports, [(true, 4000), (true, 4001)]);
    }

    #[test]
    fn relatives_are_not_rtsp() {
        check(b"OPTIONS sip:a SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n", false);
        check(b"GET /RTSP/1.0 HTTP/1.1\r\n", b"", false);
    }
}
