//! RTCP (RFC 3550, section 6): every datagram is a chain of reports whose lengths fit.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{be16, be32},
    look,
    needs::udp_in,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "rtcp",
    group: "voice",
    title: "RTP Control Protocol",
    source: "RFC 3550",
    needs: udp_in(0x80..=0xbf),
    recognise,
};

/// What SRTCP puts behind the reports: an index of 4 bytes and a tag of at most 16 (RFC 3711, RFC 7714).
const MAX_TRAILER_LEN: usize = 20;

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_seen = look::all_datagrams(heads, is_rtcp);
    look::seen_if(is_seen, "an RTCP report on a call's quality")
}

/// Whether this second byte of a packet is one of RTCP's types.
pub(super) fn is_rtcp_type(byte: u8) -> bool {
    matches!(byte, 200..=207)
}

/// Whether a datagram is a compound packet that begins with a report.
pub(super) fn is_rtcp(bytes: &[u8]) -> bool {
    let &[first, kind, ..] = bytes else { return false };
    let n_blocks = usize::from(first & 31);
    let Some(len) = packet_len(bytes) else { return false };
    // Sender reports and receiver reports hold one block of 24 bytes for each source heard.
    let least_len = match kind {
        200 => 28 + 24 * n_blocks,
        201 => 8 + 24 * n_blocks,
        205 | 206 => 12,
        _ => return false,
    };
    let is_named = be32(bytes, 4).is_some_and(|it| it != 0);
    is_named && (least_len..=least_len + 64).contains(&len) && is_chain(bytes)
}

/// What the length field says of the first packet, in bytes.
fn packet_len(bytes: &[u8]) -> Option<usize> {
    let &[first, kind, ..] = bytes else { return None };
    let is_packet = first >> 6 == 2 && is_rtcp_type(kind);
    is_packet.then_some(4 * (usize::from(be16(bytes, 2)?) + 1))
}

fn is_chain(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(len) = packet_len(rest) {
        let Some(behind) = rest.get(len..) else { return false };
        rest = behind;
    }
    // Behind an encrypted report nothing can be told apart: its first packet must have fitted.
    rest.len() <= MAX_TRAILER_LEN || rest.len() < bytes.len() && rest.len() < 200
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(datagrams: &[&[u8]], expected: bool) {
        assert_eq!(recognise(&Heads::udp(datagrams, &[])).is_some(), expected);
    }

    #[test]
    fn a_receiver_report_and_its_description() {
        check(&[b"\x80\xc9\x00\x01abcd\x81\xca\x00\x02abcd\x01\x01a\x00"], true);
    }

    #[test]
    fn a_report_shorter_than_its_blocks_is_none() {
        check(&[b"\x81\xc9\x00\x01abcd"], false);
        check(&[b"\x80\xc8\x00\x01abcd"], false);
        check(&[b"\x80\xc9\x00\x01abcd", b"something else"], false);
    }
}
