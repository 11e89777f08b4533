//! IKE, both versions (RFC 2408, RFC 7296), and ESP in UDP (RFC 3948).

use flow::{Head, Heads};

use super::{Facts, Protocol};
use crate::{
    bytes::be32,
    look,
    needs::{ANY, udp},
};

pub(super) const IKE: Protocol = Protocol {
    name: "ike",
    group: "tunnel",
    title: "Internet Key Exchange",
    source: "RFC 2408, RFC 7296",
    needs: udp(ANY),
    recognise,
};
pub(super) const ESP: Protocol = Protocol {
    name: "esp",
    group: "system",
    title: "Encapsulating Security Payload in UDP",
    source: "RFC 3948, RFC 4303",
    needs: udp(ANY),
    recognise: encapsulated,
};

const PORT_OF_BOTH: u16 = 4500;

fn recognise(heads: &Heads) -> Option<Facts> {
    let version = look::datagrams(heads).take(8).find_map(message)?;
    Some(Facts::seen(match version {
        1 => "keys being agreed by IKE version 1",
        _ => "keys being agreed by IKE version 2",
    }))
}

/// The version of a message. At the port it shares with ESP four zeros come before.
fn message(bytes: &[u8]) -> Option<u8> {
    let bytes = bytes.strip_prefix(&[0; 4]).unwrap_or(bytes);
    let initiator = bytes.get(..8)?;
    let &[next, version, exchange, flags] = bytes.get(16..20)?.first_chunk()?;
    let is_len = be32(bytes, 24).is_some_and(|len| len >= 28 && len as usize >= bytes.len());
    let is_kind = match version {
        0x10 => {
            matches!(exchange, 1..=6 | 32 | 33) && flags <= 7 && matches!(next, 0..=21 | 128..=137)
        }
        0x20 | 0x21 => {
            matches!(exchange, 34..=44)
                && flags & 0xc7 == 0
                && matches!(next, 0 | 33..=54 | 128..=140)
        }
        _ => false,
    };
    (initiator != [0; 8] && is_len && is_kind).then_some(version >> 4)
}

fn encapsulated(heads: &Heads) -> Option<Facts> {
    let is_esp = || [&heads.client, &heads.server].into_iter().any(counts_on);
    look::seen_if(
        heads.has_port(PORT_OF_BOTH) && look::datagrams(heads).next().is_some() && is_esp(),
        "ESP in UDP whose counter runs",
    )
}

/// Two packets of one association, counted on; one byte of ones between them keeps the way open.
fn counts_on(side: &Head) -> bool {
    let packets: Vec<_> = side
        .datagrams()
        .take(8)
        .filter(|it| *it != [0xff])
        .map(|it| (be32(it, 0), be32(it, 4), it.len()))
        .collect();
    let is_next = |pair: &[(Option<u32>, Option<u32>, usize)]| match pair {
        [(Some(one @ 256..), Some(count), 24..), (Some(two), Some(next), 24..)] => {
            one == two && (1..=64).contains(&next.wrapping_sub(*count))
        }
        _ => false,
    };
    packets.len() >= 2 && packets.windows(2).all(is_next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] =
        b"\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0\0\0\0\x21\x20\x22\x08\0\0\0\0\0\0\0\x1c";

    #[test]
    fn a_request_with_and_without_zeros_before() {
        assert!(recognise(&Heads::udp(&[REQUEST], &[])).is_some());
        assert!(recognise(&Heads::udp(&[&[&[0; 4], REQUEST].concat()], &[])).is_some());
    }

    #[test]
    fn an_unknown_exchange_is_not_ike() {
        let mut other = REQUEST.to_vec();
        other[18] = 9;
        assert!(recognise(&Heads::udp(&[&other], &[])).is_none());
    }

    #[test]
    fn esp_counts_on() {
        let packet =
            |count: u8| [b"\x01\x02\x03\x04\0\0\0".as_slice(), &[count], &[7; 24]].concat();
        let (one, two) = (packet(1), packet(2));
        assert!(encapsulated(&Heads::udp(&[&one, &two], &[]).with_ports(4500, 4500)).is_some());
        assert!(encapsulated(&Heads::udp(&[&two, &one], &[]).with_ports(4500, 4500)).is_none());
        assert!(encapsulated(&Heads::udp(&[&one, &two], &[])).is_none());
    }
}
