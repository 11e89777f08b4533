//! Telnet (RFC 854), by the negotiation of options it begins with.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{Fact, look, needs::tcp};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "telnet",
    group: "other",
    title: "Telnet",
    source: "RFC 854",
    needs: tcp(b"\xff"),
    recognise,
};

const PORT: u16 = 23;

fn recognise(heads: &Heads) -> Option<Facts> {
    let least = if heads.has_port(PORT) { 1 } else { 2 };
    let is_seen = look::any_stream(heads, |it| n_negotiations(it) >= least);
    let mut facts = look::seen_if(is_seen, "a telnet negotiation of options")?;
    let secret = is_asked_for_a_password(heads).then_some("Telnet login");
    facts = facts.telling(Fact::Credentials, secret);
    Some(facts)
}

/// Whether one side asks for a password and the other types more than one line: whom it is, then that.
fn is_asked_for_a_password(heads: &Heads) -> bool {
    let sides = [heads.client.bytes(), heads.server.bytes()];
    let asks = |it: &[u8]| look::find(it, b"assword:").is_some();
    let n_lines = |it: &[u8]| it.iter().filter(|it| **it == b'\r').count();
    let [client, server] = sides;
    asks(server) && n_lines(client) > 1 || asks(client) && n_lines(server) > 1
}

/// How many negotiations a stream begins with, at most 8: IAC, a verb (WILL, WONT, DO, DONT) and an assigned option; or
/// a subnegotiation in between.
fn n_negotiations(stream: &[u8]) -> usize {
    let mut rest = stream;
    let mut count = 0;
    while count < 8 {
        match rest {
            [255, 251..=254, 0..=49 | 138..=140 | 255, behind @ ..] => {
                rest = behind;
                count += 1;
            }
            [255, 250, 0..=49, behind @ ..] if count > 0 => {
                let Some(end) = look::find(behind, b"\xff\xf0") else { break };
                rest = behind.get(end + 2..).unwrap_or_default();
            }
            _ => break,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stream: &[u8], port: u16, expected: bool) {
        let heads = Heads::tcp(b"", stream).with_ports(40_000, port);
        assert_eq!(recognise(&heads).is_some(), expected);
    }

    #[test]
    fn options_are_negotiated() {
        check(b"\xff\xfd\x18\xff\xfb\x01login: ", 2323, true);
        check(b"\xff\xfd\x18", 23, true);
    }

    #[test]
    fn a_login_is_told_without_what_was_typed() {
        let server = b"\xff\xfd\x18\xff\xfb\x01login: \r\nPassword: ";
        let secret = |client: &[u8]| {
            let heads = Heads::tcp(client, server).with_ports(40_000, 23);
            recognise(&heads).expect("telnet").told.get(Fact::Credentials).map(str::to_owned)
        };
        assert_eq!(secret(b"\xff\xfb\x18anna\r\0secret\r\0").as_deref(), Some("Telnet login"));
        assert_eq!(secret(b"\xff\xfb\x18anna\r\0"), None);
    }

    #[test]
    fn the_port_or_a_single_look_alike_is_not_telnet() {
        check(b"login: ", 23, false);
        check(b"\xff\xfd\x18", 2323, false);
        check(b"\xff\xfd\xf0\xff\xfb\x01", 23, false);
    }
}
