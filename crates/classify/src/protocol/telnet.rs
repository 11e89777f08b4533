//! Telnet (RFC 854), by the negotiation of options it begins with.

use flow::Heads;

use super::{Facts, Protocol};
use crate::look;

pub(super) const PROTOCOL: Protocol =
    Protocol { name: "telnet", group: "other", title: "Telnet", source: "RFC 854", recognise };

const PORT: u16 = 23;

fn recognise(heads: &Heads) -> Option<Facts> {
    let least = if heads.has_port(PORT) { 1 } else { 2 };
    let is_seen = look::any_stream(heads, |it| n_negotiations(it) >= least);
    look::seen_if(is_seen, "a telnet negotiation of options")
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
    fn the_port_or_a_single_look_alike_is_not_telnet() {
        check(b"login: ", 23, false);
        check(b"\xff\xfd\x18", 2323, false);
        check(b"\xff\xfd\xf0\xff\xfb\x01", 23, false);
    }
}
