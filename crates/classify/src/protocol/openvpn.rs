//! OpenVPN over UDP and TCP (the wire protocol of its manual), by the resets that open a connection.
//!
//! A reset holds the sender's session, perhaps a check sum with a packet number and a time, then which packets it
//! acknowledges and its own number. The answer acknowledges one packet and repeats the session it answers.

use flow::{Head, Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::{be16, be32},
    look,
    needs::{ANY, tcp, udp, udp_in},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "openvpn",
    group: "tunnel",
    title: "OpenVPN",
    source: "OpenVPN, OpenVPN Wire Protocol",
    needs: tcp(ANY).or(udp(b"\x08\x10\x38\x40\x50")).or(udp_in(0x48..=0x4f)),
    recognise,
};

const SEEN: &str = "an OpenVPN connection being opened";
/// Operation and session.
const FIXED_LEN: usize = 1 + 8;
/// What an answer holds beyond the request: the number it acknowledges and the session it answers.
const ACKNOWLEDGED_LEN: usize = 4 + 8;
/// Lengths of the check sums in use: none, MD5, SHA-1, SHA-256, SHA-512.
const CHECKSUM_LENS: &[usize] = &[16, 20, 32, 64];

fn recognise(heads: &Heads) -> Option<Facts> {
    let [client, server] = [&heads.client, &heads.server].map(|it| message(heads.transport, it));
    // The capture may have begun with the server's packet.
    let is_seen = is_opened(client, server) || is_opened(server, client);
    if is_seen {
        return Some(Facts::seen(SEEN));
    }
    let is_running = heads.transport == Transport::UDP
        && [&heads.client, &heads.server].into_iter().any(counts_on);
    look::seen_if(is_running, "OpenVPN data whose packet number runs")
}

/// The first message of a side; on TCP each has its length before it.
fn message(transport: Transport, head: &Head) -> Option<&[u8]> {
    match transport {
        Transport::UDP => head.datagrams().next(),
        Transport::TCP => {
            let len = be16(head.bytes(), 0)?;
            head.bytes().get(2..)?.get(..len.into())
        }
        _ => None,
    }
}

fn is_opened(client: Option<&[u8]>, server: Option<&[u8]>) -> bool {
    // Operations: resets of the client (versions 1, 2, 3) and of the server (1, 2), with key 0.
    let is_reset = |it: &[u8], kinds: &[u8]| it.first().is_some_and(|it| kinds.contains(it));
    let client = client.filter(|it| is_reset(it, &[1 << 3, 7 << 3, 10 << 3]));
    let server = server.filter(|it| is_reset(it, &[2 << 3, 8 << 3]));
    match (client, server) {
        (Some(client), Some(server)) => answers(client, server),
        (Some(client), None) => opens(client),
        (None, Some(server)) => opens(server),
        (None, None) => false,
    }
}

fn answers(client: &[u8], server: &[u8]) -> bool {
    let session = client.get(1..FIXED_LEN).unwrap_or_default();
    let repeats = server.get(FIXED_LEN..).is_some_and(|it| look::contains(it, session));
    let is_longer = server.len() == client.len() + ACKNOWLEDGED_LEN;
    session.len() == 8 && (repeats || is_longer)
}

/// Whether a reset shows by itself what it is: nothing acknowledged, packet 0, and before it nothing or a check sum and
/// the first number of its counter.
fn opens(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.get(FIXED_LEN..) else { return false };
    if rest == [0; 5] {
        return true;
    }
    let is_answer =
        rest.len() == 17 && rest.starts_with(&[1, 0, 0, 0, 0]) && rest.ends_with(&[0; 4]);
    if is_answer {
        return true;
    }
    let is_authenticated = CHECKSUM_LENS.iter().any(|len| {
        rest.len() == len + 4 + 4 + 5 && be32(rest, *len) == Some(1) && rest.ends_with(&[0; 5])
    });
    // Encrypted control: the counter stands before the check sum, and what follows cannot be read.
    let is_encrypted = rest.len() >= 8 + 32 + 5 && rest.len() < 1100 && be32(rest, 0) == Some(1);
    let is_new_kind = bytes.first() == Some(&(10 << 3)) && be32(rest, 0) == Some(0x0f00_0001);
    is_authenticated || is_encrypted && rest.len() == 45 || is_new_kind
}

/// Four data packets of one peer and key, numbered one after another.
fn counts_on(side: &Head) -> bool {
    let datagrams: Vec<&[u8]> = side.datagrams().take(8).collect();
    let is_next = |pair: &&[&[u8]]| match pair {
        [one, two] if one.len() > 24 && two.len() > 24 => {
            let is_data = one.first().is_some_and(|it| (9 << 3..10 << 3).contains(it));
            let step =
                be32(two, 4).unwrap_or_default().wrapping_sub(be32(one, 4).unwrap_or_default());
            is_data && be32(one, 0) == be32(two, 0) && (1..=16).contains(&step)
        }
        _ => false,
    };
    datagrams.len() >= 4 && datagrams.windows(2).all(|it| is_next(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &[u8] = b"\x38sessionA\0\0\0\0\0";
    const SERVER: &[u8] = b"\x40sessionB\x01\0\0\0\0sessionA\0\0\0\0";

    #[test]
    fn a_reset_shorter_than_its_session_is_nothing() {
        assert!(recognise(&Heads::udp(&[b"\x38abc"], &[SERVER])).is_none());
    }

    #[test]
    fn a_reset_and_its_answer() {
        assert!(recognise(&Heads::udp(&[CLIENT], &[SERVER])).is_some());
        assert!(recognise(&Heads::udp(&[CLIENT], &[])).is_some());
        let framed = |bytes: &[u8]| [&[0, bytes.len() as u8], bytes].concat();
        assert!(recognise(&Heads::tcp(&framed(CLIENT), &framed(SERVER))).is_some());
    }

    #[test]
    fn a_first_byte_alone_is_not_openvpn() {
        assert!(recognise(&Heads::udp(&[b"8 bottles of beer on the wall"], &[])).is_none());
        assert!(recognise(&Heads::udp(&[CLIENT], &[b"\x40 is an at sign"])).is_none());
    }
}
