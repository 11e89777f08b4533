//! Frames in, packets out: link header, IP by `etherparse`, transport header.
//!
//! `etherparse` reads IP headers, their extensions and whole TCP headers, also of frames that the snap length cut.
//! Ports of a TCP header that is itself cut are read here: without them a capture of 64-byte frames would have no flow.

use std::net::IpAddr;

use etherparse::{LaxIpSlice, TcpHeaderSlice};

use crate::{ByteOrder::Big, Frame, Timestamp, Undecoded, link};

/// An IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// Who sent it.
    pub source: IpAddr,
    /// Who was to receive it.
    pub destination: IpAddr,
    /// What it carries, by its IP protocol number, after all extension headers.
    pub protocol: u8,
    /// The sender's port; 0 where there is none, as in a later fragment.
    pub source_port: u16,
    /// The receiver's port; 0 where there is none, as in a later fragment.
    pub destination_port: u16,
    /// The frame on the wire, in bytes, link header and padding included.
    pub frame_len: u32,
    /// IP header and IP payload on the wire, in bytes, whatever the snap length kept.
    pub ip_len: u32,
    /// Transport payload on the wire, in bytes, without Ethernet padding.
    pub payload_len: u32,
    /// Transport payload, as much of it as was captured.
    pub payload: &'a [u8],
    /// What a TCP header says besides.
    pub tcp: Option<Tcp>,
}

/// What a TCP header says besides its ports (RFC 9293).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Number of the first payload byte, or of the SYN.
    pub sequence: u32,
    /// Number of the next byte expected from the other side.
    pub acknowledgement: u32,
    /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
    pub flags: u8,
    /// Receive window as sent, unscaled.
    pub window: u16,
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;
const DCCP: u8 = 33;
/// Extension headers of IPv6.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;

impl<'a> Packet<'a> {
    /// Decodes link, IP and transport headers (RFC 791, 8200, 9293, 768).
    ///
    /// # Errors
    /// Where the frame holds no IP packet, or its headers cannot be read.
    pub fn decode(frame: &Frame<'a>) -> Result<Self, Undecoded> {
        Self::read(frame).map_err(|reason| reason.told_by_length(frame.bytes.len(), frame.wire_len))
    }

    fn read(frame: &Frame<'a>) -> Result<Self, Undecoded> {
        let at = link::network(frame.link_type, frame.bytes)?.at;
        let bytes = frame.bytes.get(at..).ok_or(Undecoded::Truncated)?;
        if !matches!(bytes.first().map(|it| it >> 4), Some(4 | 6)) {
            return Err(Undecoded::Malformed("ip"));
        }
        let (ip, _) = LaxIpSlice::from_slice(bytes).map_err(|error| match error {
            etherparse::err::ip::LaxHeaderSliceError::Len(_) => Undecoded::Truncated,
            etherparse::err::ip::LaxHeaderSliceError::Content(_) => Undecoded::Malformed("ip"),
        })?;
        let rest_on_wire = frame.wire_len.saturating_sub(at as u32);
        let (ip_len, is_later_fragment) = match &ip {
            LaxIpSlice::Ipv4(v4) => {
                let header = v4.header();
                let total = u32::from(header.total_len());
                // A length of 0 is left to the network card to fill in (segmentation offload).
                let is_told = total >= u32::from(header.ihl()) * 4;
                let ip_len = if is_told { total } else { rest_on_wire };
                (ip_len, header.fragments_offset().value() > 0)
            }
            LaxIpSlice::Ipv6(v6) => {
                let payload_len = u32::from(v6.header().payload_length());
                let ip_len = if payload_len > 0 { payload_len + 40 } else { rest_on_wire };
                let extensions = v6.extensions();
                let first = extensions.first_header().map_or(NO_NEXT_HEADER, |it| it.0);
                let is_later = is_later_fragment(first, extensions.slice());
                (ip_len, is_later)
            }
        };
        let carried = ip.payload();
        let body: &'a [u8] = carried.payload;
        let header_len = body.as_ptr() as usize - bytes.as_ptr() as usize;
        let mut packet = Self {
            time: frame.time,
            source: ip.source_addr(),
            destination: ip.destination_addr(),
            protocol: carried.ip_number.0,
            source_port: 0,
            destination_port: 0,
            frame_len: frame.wire_len,
            ip_len,
            payload_len: ip_len.saturating_sub(header_len as u32),
            payload: body,
            tcp: None,
        };
        if !is_later_fragment {
            packet.read_transport(body);
        }
        Ok(packet)
    }

    fn read_transport(&mut self, body: &'a [u8]) {
        let ports = |at| Big.u16(body, at).unwrap_or(0);
        let header_len = match self.protocol {
            TCP => match TcpHeaderSlice::from_slice(body) {
                Ok(header) => {
                    self.tcp = Some(Tcp {
                        sequence: header.sequence_number(),
                        acknowledgement: header.acknowledgment_number(),
                        flags: body.get(13).copied().unwrap_or(0),
                        window: header.window_size(),
                    });
                    header.slice().len()
                }
                Err(_) => {
                    // Cut inside its header: what is there still counts.
                    self.tcp = cut_tcp(body);
                    let words = body.get(12).map_or(5, |it| usize::from(it >> 4).max(5));
                    words * 4
                }
            },
            UDP | UDP_LITE => 8,
            SCTP => 12,
            DCCP => 12,
            _ => return,
        };
        self.source_port = ports(0);
        self.destination_port = ports(2);
        self.payload_len = self.payload_len.saturating_sub(header_len as u32);
        self.payload = body.get(header_len..).unwrap_or_default();
    }
}

fn cut_tcp(body: &[u8]) -> Option<Tcp> {
    Some(Tcp {
        sequence: Big.u32(body, 4)?,
        acknowledgement: Big.u32(body, 8)?,
        flags: *body.get(13)?,
        window: Big.u16(body, 14).unwrap_or(0),
    })
}

/// Whether the extension headers of an IPv6 packet say that it is a fragment beyond the first (RFC 8200, section 4).
///
/// `etherparse` can walk them too, but runs past their end where the capture cut them.
fn is_later_fragment(first: u8, headers: &[u8]) -> bool {
    let (mut kind, mut rest) = (first, headers);
    while let [next, len, ..] = *rest {
        let header_len = match kind {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS => (usize::from(len) + 1) * 8,
            AUTHENTICATION => (usize::from(len) + 2) * 4,
            FRAGMENT => return Big.u16(rest, 2).is_some_and(|it| it >> 3 > 0),
            _ => return false,
        };
        (kind, rest) = (next, rest.get(header_len..).unwrap_or_default());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_beyond_the_first_is_told_behind_other_headers() {
        let headers = [&[FRAGMENT, 0, 0, 0, 0, 0, 0, 0][..], &[UDP, 0, 0, 8, 0, 0, 0, 1]].concat();
        assert!(is_later_fragment(HOP_BY_HOP, &headers));
        assert!(!is_later_fragment(FRAGMENT, &[UDP, 0, 0, 1, 0, 0, 0, 1]));
    }

    #[test]
    fn headers_that_end_too_early_are_no_fragment() {
        assert!(!is_later_fragment(HOP_BY_HOP, &[HOP_BY_HOP, 200, 0, 0]));
        assert!(!is_later_fragment(FRAGMENT, &[UDP, 0, 0]));
        assert!(!is_later_fragment(HOP_BY_HOP, &[]));
    }
}
