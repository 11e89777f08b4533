//! NTP (RFC 5905) and its control messages (RFC 9327), by header fields that fit each other, at NTP's port.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    fact::Fact,
    look,
    needs::{ANY, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ntp",
    group: "system",
    title: "Network Time Protocol",
    source: "RFC 5905, RFC 9327",
    needs: udp(ANY),
    recognise,
};

const PORT: u16 = 123;
const HEADER_LEN: usize = 48;

fn recognise(heads: &Heads) -> Option<Facts> {
    if !heads.has_port(PORT) || !look::all_datagrams(heads, is_ntp) {
        return None;
    }
    let first = look::firsts(heads).next()?.first()?;
    let seen = match first & 7 {
        3 => "an NTP request for the time",
        4 => "an NTP answer with the time",
        5 => "an NTP broadcast of the time",
        6 | 7 => "an NTP control message",
        _ => "NTP between time servers",
    };
    Some(Facts::seen(seen).telling(Fact::Version, Some(format!("NTP {}", first >> 3 & 7))))
}

/// The header is too free to tell without the port: it has no fixed byte.
fn is_ntp(bytes: &[u8]) -> bool {
    let &[first, stratum, poll, precision, ..] = bytes else { return false };
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) {
        return false;
    }
    match mode {
        6 => bytes.len() >= 12,
        7 => bytes.len() >= 8,
        // Intervals are powers of two in seconds: a poll of up to 36 hours, a precision of at most a second.
        1..=5 => {
            let precision = i8::from_be_bytes([precision]);
            let poll = i8::from_be_bytes([poll]);
            let fits = stratum <= 16 && (-6..=17).contains(&poll) && (-40..=4).contains(&precision);
            fits && bytes.len() >= HEADER_LEN && bytes.len().is_multiple_of(4)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: [u8; 4], len: usize, port: u16, expected: bool) {
        let mut bytes = first.to_vec();
        bytes.resize(len, 0);
        let heads = Heads::udp(&[&bytes], &[]).with_ports(40_000, port);
        assert_eq!(recognise(&heads).is_some(), expected);
    }

    #[test]
    fn a_request_and_a_control_message() {
        check([0x23, 0, 6, 0xec], 48, 123, true);
        check([0x17, 0, 3, 0x2a], 8, 123, true);
    }

    #[test]
    fn the_port_alone_is_not_ntp() {
        check([0x23, 99, 6, 0xec], 48, 123, false);
        check([0x23, 0, 6, 0xec], 47, 123, false);
    }

    #[test]
    fn the_shape_alone_is_not_ntp() {
        check([0x23, 0, 6, 0xec], 48, 5000, false);
    }
}
