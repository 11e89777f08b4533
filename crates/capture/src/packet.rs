//! What a packet is, and its transport header.
//!
//! Only the options of a TCP header are left to `etherparse`. Its fixed fields are read here, since nearly every packet has
//! them; they count where the header is itself cut, too: without its ports a capture of 64-byte frames would have no flow.

use std::net::IpAddr;

use etherparse::{TcpHeaderSlice, TcpOptionElement};

use crate::{ByteOrder::Big, Timestamp, Tunnel, TunnelKind, ip::Ip};

/// An IP packet, put together where it came in fragments; or a fragment of one that never became whole.
///
/// A frame of a tunnel gives several: the outermost first, each carried by the one before it.
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
    /// The sender's port; 0 where there is none, as in a fragment whose first never came.
    pub source_port: u16,
    /// The receiver's port; 0 where there is none, as in a fragment whose first never came.
    pub destination_port: u16,
    /// The frame on the wire, in bytes, link header and padding included; of a packet put together, all its frames.
    /// It is the same for all packets of a tunnel's frame; packets side by side in one frame (A-MSDU) share it.
    pub frame_len: u32,
    /// IP header and IP payload on the wire, in bytes, whatever the snap length kept.
    pub ip_len: u32,
    /// Transport payload on the wire, in bytes, without Ethernet padding.
    pub payload_len: u32,
    /// Transport payload, as much of it as was captured; nothing of a fragment.
    pub payload: &'a [u8],
    /// What a TCP header says besides; nothing of a fragment.
    pub tcp: Option<Tcp>,
    /// The ids of its frame's two innermost VLAN tags, 12 bits each, the innermost lowest (IEEE 802.1Q); 0 without tag.
    pub vlan: u32,
    /// How many packets of its frame carry it; 0 for the outermost.
    pub depth: u8,
    /// The tunnel it came in.
    pub tunnel: Option<Tunnel>,
    /// It carries the next packet of its frame.
    pub carries: Option<TunnelKind>,
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
    /// With SYN: the power of two by which later windows are to be taken (RFC 7323), where that is offered.
    pub window_scale: Option<u8>,
}

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const DCCP: u8 = 33;
pub(crate) const ICMPV6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// Whether packets of this protocol begin with two ports.
pub(crate) fn has_ports(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP | DCCP | SCTP | UDP_LITE)
}

impl<'a> Packet<'a> {
    /// The packet that an ICMP error is about, as much of it as the error quotes (RFC 792, 4443). It was sent by another
    /// and at another time; of its TCP header the ports alone may be there.
    pub fn quoted(&self) -> Option<Self> {
        let is_error = matches!(
            (self.protocol, self.payload.first()?),
            (ICMP, 3 | 4 | 5 | 11 | 12) | (ICMPV6, 1..=4)
        );
        let quote = self.payload.get(8..).filter(|_| is_error)?;
        let ip = Ip::read(quote, self.payload_len.saturating_sub(8)).ok()?;
        if ip.fragment.is_some_and(|it| it.offset > 0) {
            return None;
        }
        let mut packet = Self {
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            ip_len: ip.len,
            source_port: 0,
            destination_port: 0,
            tcp: None,
            carries: None,
            ..*self
        };
        packet.read_transport(ip.body, ip.body_len);
        Some(packet)
    }

    /// Reads the transport header that `body` begins with; `body_len` is its length on the wire.
    #[inline]
    pub(crate) fn read_transport(&mut self, body: &'a [u8], body_len: u32) {
        self.payload = body;
        self.payload_len = body_len;
        let header_len: usize = match self.protocol {
            TCP => {
                self.tcp = Tcp::read(body);
                let words = body.get(12).map_or(5, |it| usize::from(it >> 4).max(5));
                words * 4
            }
            UDP => {
                // What follows the datagram is no part of it; a length that cannot be is ignored.
                let told = Big.u16(body, 4).map_or(0, u32::from);
                if (8..body_len).contains(&told) {
                    self.payload_len = told;
                    self.payload = body.get(..told as usize).unwrap_or(body);
                }
                8
            }
            UDP_LITE => 8,
            DCCP | SCTP => 12,
            _ => return,
        };
        self.source_port = Big.u16(body, 0).unwrap_or(0);
        self.destination_port = Big.u16(body, 2).unwrap_or(0);
        self.payload_len = self.payload_len.saturating_sub(header_len as u32);
        self.payload = self.payload.get(header_len..).unwrap_or_default();
    }
}

/// The flag of a segment that opens a connection.
const SYN: u8 = 2;

/// The greatest window scale (RFC 7323, 2.3).
const MAX_WINDOW_SCALE: u8 = 14;

impl Tcp {
    /// What a header says, as far as it was captured: at least its flags.
    #[inline]
    fn read(header: &[u8]) -> Option<Self> {
        let flags = *header.get(13)?;
        Some(Self {
            sequence: Big.u32(header, 4)?,
            acknowledgement: Big.u32(header, 8)?,
            flags,
            window: Big.u16(header, 14).unwrap_or(0),
            window_scale: if flags & SYN == 0 { None } else { window_scale(header) },
        })
    }
}

/// The window scale among the options of a whole header.
fn window_scale(header: &[u8]) -> Option<u8> {
    let scale = |it| match it {
        Ok(TcpOptionElement::WindowScale(scale)) => Some(scale.min(MAX_WINDOW_SCALE)),
        _ => None,
    };
    TcpHeaderSlice::from_slice(header).ok()?.options_iterator().find_map(scale)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn icmp(protocol: u8, payload: &[u8]) -> Packet<'_> {
        let ip = |it| IpAddr::V4(Ipv4Addr::new(192, 0, 2, it));
        Packet {
            time: Timestamp(1),
            source: ip(1),
            destination: ip(2),
            protocol,
            source_port: 0,
            destination_port: 0,
            frame_len: 90,
            ip_len: 76,
            payload_len: payload.len() as u32,
            payload,
            tcp: None,
            vlan: 0,
            depth: 0,
            tunnel: None,
            carries: None,
        }
    }

    /// The protocol and ports of what an ICMP message of this type quotes.
    #[track_caller]
    fn check(kind: u8, fragment: u8, len: usize, expected: Option<(u8, u16, u16)>) {
        let ip = [0x45, 0, 0, 60, 0, 1, 0, fragment, 64, 17, 0, 0, 192, 0, 2, 2, 192, 0, 2, 9];
        let payload =
            [&[kind, 3, 0, 0, 0, 0, 0, 0][..], &ip, &[0, 53, 0, 99, 0, 40, 0, 0]].concat();
        let quoted = icmp(ICMP, &payload[..len]).quoted();
        let quoted = quoted.map(|it| (it.protocol, it.source_port, it.destination_port));
        assert_eq!(quoted, expected);
    }

    #[test]
    fn an_error_quotes_the_packet_it_is_about() {
        check(3, 0, 36, Some((UDP, 53, 99)));
        check(11, 0, 32, Some((UDP, 53, 99)));
    }

    #[test]
    fn what_is_no_error_or_no_beginning_quotes_nothing() {
        check(8, 0, 36, None);
        check(3, 9, 36, None);
        check(3, 0, 20, None);
        assert_eq!(icmp(UDP, &[3; 40]).quoted(), None);
    }
}
