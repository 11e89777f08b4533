//! How an SCTP association begins (RFC 9260): what tells one from the next between the same ports.

use capture::Packet;

use crate::Transport;

/// INIT or INIT ACK, which stands alone in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Init {
    /// It answers one.
    pub(crate) is_answer: bool,
    /// The verification tag of all packets to its sender.
    pub(crate) tag: u32,
}

impl Init {
    /// What an SCTP packet begins an association with, if it does.
    pub(crate) fn of(packet: &Packet<'_>) -> Option<Self> {
        if Transport(packet.protocol) != Transport::SCTP {
            return None;
        }
        // Type, flags, length, initiate tag.
        let [kind @ (1 | 2), _, _, _, tag @ ..] = packet.payload.first_chunk::<8>()? else {
            return None;
        };
        Some(Self { is_answer: *kind == 2, tag: u32::from_be_bytes(*tag) })
    }
}
