//! What a packet is, and its transport header.
//!
//! `etherparse` reads whole TCP headers. Ports of a TCP header that is itself cut are read here: without them a capture
//! of 64-byte frames would have no flow.

use std::net::IpAddr;

use etherparse::TcpHeaderSlice;

use crate::{ByteOrder::Big, Timestamp, Tunnel, TunnelKind};

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
}

const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
const DCCP: u8 = 33;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// Whether packets of this protocol begin with two ports.
pub(crate) fn has_ports(protocol: u8) -> bool {
    matches!(protocol, TCP | UDP | DCCP | SCTP | UDP_LITE)
}

impl<'a> Packet<'a> {
    /// Reads the transport header that `body` begins with; `body_len` is its length on the wire.
    pub(crate) fn read_transport(&mut self, body: &'a [u8], body_len: u32) {
        self.payload = body;
        self.payload_len = body_len;
        let header_len: usize = match self.protocol {
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

fn cut_tcp(body: &[u8]) -> Option<Tcp> {
    Some(Tcp {
        sequence: Big.u32(body, 4)?,
        acknowledgement: Big.u32(body, 8)?,
        flags: *body.get(13)?,
        window: Big.u16(body, 14).unwrap_or(0),
    })
}
