//! Capture files in, packets out: pcap and pcapng framing, then link, IP and transport headers.
//!
//! Nothing here opens a file, waits or asks for the time. A host feeds bytes as they come; the only
//! clock is the one in the capture.

#![warn(clippy::indexing_slicing)]

mod archive;
mod block;
mod checksum;
mod damage;
mod decoder;
mod dissector;
mod fragment;
mod gzip;
mod ip;
mod link;
mod notes;
mod others;
mod packet;
mod packing;
mod pcap;
mod pcapng;
mod tar;
mod tunnel;
mod undecoded;
mod zip;
mod zstd;

use serde::{Deserialize, Serialize};

pub use crate::{
    block::Block,
    damage::{Damage, Oddities},
    decoder::{Decoder, Span, SpanCutter, Told},
    dissector::{Counts, Dissector},
    notes::{Interface, Notes, is_treacherous, plain},
    packet::{Packet, Tcp},
    pcapng::Origin,
    tunnel::{NoTunnel, Tunnel, TunnelKind},
    undecoded::Undecoded,
};

/// Why the bytes are no capture, or stop being one.
///
/// Damage with credible records after it is no error: see [`Decoder::damages`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing at all was fed.
    #[error("the file is empty")]
    Empty,
    /// The first bytes belong to no capture format that is read.
    #[error("not a pcap or pcapng capture: {kind} (it starts with {magic:02x?})")]
    NotACapture {
        /// What it is instead, as far as its first bytes tell.
        kind: &'static str,
        /// The bytes found.
        magic: [u8; 4],
    },
    /// A record or block claims a length that cannot be.
    #[error(
        "the record at byte {offset} claims to be {len} bytes long; what comes before it was read"
    )]
    BadLength {
        /// Where the record starts, in bytes from the start of the capture.
        offset: u64,
        /// The length it claims, in bytes.
        len: u32,
    },
    /// Where a record should be are only zeros, as in a file that was never written to its end.
    #[error("only zeros where a record should be, at byte {offset}; what comes before it was read")]
    OnlyZeros {
        /// Where they start, in bytes from the start of the capture.
        offset: u64,
    },
    /// A block's inside contradicts itself.
    #[error("the {what} at byte {offset} cannot be read; what comes before it was read")]
    BadBlock {
        /// Where the block starts, in bytes from the start of the capture.
        offset: u64,
        /// Which kind of block.
        what: &'static str,
    },
    /// The capture is packed, and the packed bytes contradict themselves.
    #[error(
        "the {packing} data that begins at byte {offset} cannot be unpacked to its end; what could be was read"
    )]
    BadPacking {
        /// Where the broken member or frame begins, in bytes from the start of the packed file.
        offset: u64,
        /// How it is packed.
        packing: &'static str,
    },
    /// The capture is packed in a way that is not unpacked here.
    #[error(
        "the {packing} data at byte {offset} is not unpacked here: {why}; what comes before it was read"
    )]
    NotUnpacked {
        /// Where, in bytes from the start of the packed file.
        offset: u64,
        /// How it is packed.
        packing: &'static str,
        /// What stands in the way.
        why: String,
    },
    /// The capture is packed, and the packed bytes end too early.
    #[error("the {packing} data ends too early, at byte {offset}; all that it held was read")]
    PackingCutShort {
        /// The length of the packed file, in bytes.
        offset: u64,
        /// How it is packed.
        packing: &'static str,
    },
    /// The capture ends inside a record.
    #[error("the file ends inside the record at byte {offset}; all earlier packets were read")]
    CutShort {
        /// Where that record starts, in bytes from the start of the capture.
        offset: u64,
    },
}

impl Error {
    /// A stable name for it, the same in page, companion and command line.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "E-EMPTY",
            Self::NotACapture { .. } => "E-NOT-A-CAPTURE",
            Self::BadLength { .. } | Self::OnlyZeros { .. } => "E-BAD-LENGTH",
            Self::BadBlock { .. } => "E-BAD-BLOCK",
            Self::BadPacking { .. } | Self::NotUnpacked { .. } => "E-BAD-PACKING",
            Self::CutShort { .. } | Self::PackingCutShort { .. } => "E-CUT-SHORT",
        }
    }

    /// Where it happened, in bytes from the start of the capture, or of its file where the packing is at fault.
    pub fn offset(&self) -> u64 {
        match *self {
            Self::Empty | Self::NotACapture { .. } => 0,
            Self::BadLength { offset, .. }
            | Self::OnlyZeros { offset }
            | Self::BadBlock { offset, .. }
            | Self::BadPacking { offset, .. }
            | Self::NotUnpacked { offset, .. }
            | Self::PackingCutShort { offset, .. }
            | Self::CutShort { offset } => offset,
        }
    }
}

/// A moment of the capture: nanoseconds since 1970-01-01 UTC.
///
/// Times before 1970 and after 2554 cannot be told and become the nearest that can.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub u64);

/// One captured record, still undecoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it was captured. A simple packet of a pcapng has no time: it gets that of the frame before it.
    pub time: Timestamp,
    /// Where its record starts, in bytes from the start of the capture.
    pub offset: u64,
    /// What its first byte belongs to (the LINKTYPE of tcpdump.org's registry).
    pub link_type: u16,
    /// Its length on the wire, in bytes, as it was recorded: where a capture has frame check sequences, with them.
    pub wire_len: u32,
    /// Its captured bytes; fewer than were on the wire where the snap length cut it.
    pub bytes: &'a [u8],
    /// What somebody wrote about it (pcapng), at most 1,024 bytes; the first comment where there are several.
    pub comment: Option<&'a str>,
    /// Where it was captured, and what its block says besides; `None` of a pcap, whose records say nothing more.
    pub origin: Option<Origin<'a>>,
}

/// Reads numbers in the byte order of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    #[inline]
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let it = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(it),
            Self::Big => u16::from_be_bytes(it),
        })
    }

    #[inline]
    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let it = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(it),
            Self::Big => u32::from_be_bytes(it),
        })
    }

    pub(crate) fn u64(self, bytes: &[u8]) -> Option<u64> {
        self.i64(bytes).map(i64::cast_unsigned)
    }

    pub(crate) fn i64(self, bytes: &[u8]) -> Option<i64> {
        let it = *bytes.first_chunk()?;
        Some(match self {
            Self::Little => i64::from_le_bytes(it),
            Self::Big => i64::from_be_bytes(it),
        })
    }
}

/// Numbers for tests, the same in every run (xorshift).
#[cfg(test)]
fn random_numbers() -> impl FnMut() -> u64 {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}
