//! CoAP (RFC 7252): a message whose options lead to its very end or to the mark before its payload.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{bytes::Reader, look, needs::udp_in};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "coap",
    group: "system",
    title: "Constrained Application Protocol",
    source: "RFC 7252",
    needs: udp_in(0x40..=0x7f),
    recognise,
};

const PORTS: &[u16] = &[5683];
/// What stands between options and payload.
const PAYLOAD_MARK: u8 = 0xff;

fn recognise(heads: &Heads) -> Option<Facts> {
    // Off its port a request and its answer must agree on the message's number and token.
    let is_pair = || {
        let [asked, answered] = [&heads.client, &heads.server]
            .map(|it| it.datagrams().next().and_then(|it| it.get(2..6)));
        asked.is_some() && asked == answered
    };
    let is_seen = look::all_datagrams(heads, is_message);
    look::seen_if(is_seen && (is_pair() || look::has_port(heads, PORTS)), "a CoAP message")
}

fn is_message(bytes: &[u8]) -> bool {
    options_end(bytes).is_some()
}

fn options_end(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader(bytes);
    let first = reader.u8()?;
    let (version, token_len) = (first >> 6, first & 15);
    let code = reader.u8()?;
    // Empty, requests, answers (class 2, 4 and 5).
    let is_code = matches!(code, 0..=7 | 0x40..=0x5f | 0x80..=0x9f | 0xa0..=0xa5);
    if version != 1 || token_len > 8 || !is_code {
        return None;
    }
    reader.skip(2 + usize::from(token_len))?;
    if code == 0 {
        return reader.is_empty().then_some(());
    }
    let mut number = 0;
    while let Some(option) = reader.u8() {
        if option == PAYLOAD_MARK {
            return (!reader.is_empty()).then_some(());
        }
        number += extended(&mut reader, option >> 4)?;
        let len = extended(&mut reader, option & 15)?;
        if number > 2053 {
            return None;
        }
        reader.skip(len)?;
    }
    Some(())
}

/// A number of four bits, or one or two bytes more.
fn extended(reader: &mut Reader<'_>, short: u8) -> Option<usize> {
    match short {
        13 => Some(13 + usize::from(reader.u8()?)),
        14 => Some(269 + usize::from(reader.u16()?)),
        15 => None,
        _ => Some(short.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"\x42\x01\x12\x34ab\xb4core";
    const ANSWER: &[u8] = b"\x62\x45\x12\x34ab\xffhello";

    #[test]
    fn a_request_at_its_port_or_with_its_answer() {
        assert!(recognise(&Heads::udp(&[REQUEST], &[]).with_ports(50_000, 5683)).is_some());
        assert!(recognise(&Heads::udp(&[REQUEST], &[ANSWER])).is_some());
    }

    #[test]
    fn a_request_alone_elsewhere_is_not_coap() {
        assert!(recognise(&Heads::udp(&[REQUEST], &[])).is_none());
        assert!(recognise(&Heads::udp(&[b"\x42\x01\x12\x34ab\xffx", b"none"], &[])).is_none());
    }
}
