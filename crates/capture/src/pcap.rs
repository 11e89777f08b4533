//! pcap framing: the file header by `pcap-parser`, the records by our own walk.
//!
//! `pcap-parser` reads the header of both byte orders and both resolutions. Its record reader knows no big-endian file
//! of the modified format and adds lengths without a check where `usize` has 32 bits, so records are cut here.

use pcap_parser::pcap::parse_pcap_header;

use crate::{
    ByteOrder, Error, Timestamp,
    decoder::{MAX_RECORD_LEN, Step},
};

/// Length of the file header, in bytes.
pub(crate) const HEADER_LEN: usize = 24;

/// The first bytes of pcap files: microseconds, nanoseconds, and Kuznetzov's modified format, in both byte orders.
pub(crate) const MAGICS: &[[u8; 4]] = &[
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
];

/// What the file header says of every record.
#[derive(Debug)]
pub(crate) struct File {
    order: ByteOrder,
    is_nanos: bool,
    /// Length of a record header, in bytes: 16, in the modified format 24. `None` until the first records tell.
    record_header_len: Option<usize>,
    link_type: u16,
}

impl File {
    /// Reads the file header.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let magic = *bytes.first_chunk::<4>()?;
        let mut header = *bytes.first_chunk::<HEADER_LEN>()?;
        let is_modified = magic == [0x34, 0xcd, 0xb2, 0xa1] || magic == [0xa1, 0xb2, 0xcd, 0x34];
        if magic == [0xa1, 0xb2, 0xcd, 0x34] {
            // Unknown to the parser; apart from the magic it is an ordinary big-endian header.
            header.get_mut(..4)?.copy_from_slice(&[0xa1, 0xb2, 0xc3, 0xd4]);
        }
        let (_, parsed) = parse_pcap_header(&header).ok()?;
        Some(Self {
            order: if parsed.is_bigendian() { ByteOrder::Big } else { ByteOrder::Little },
            is_nanos: parsed.is_nanosecond_precision(),
            record_header_len: is_modified.then_some(24),
            // The upper bits tell about frame check sequences.
            link_type: parsed.network.0 as u16,
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        match (self.is_nanos, self.record_header_len) {
            (true, _) => "pcap, nanoseconds",
            (false, Some(24)) => "pcap, modified format",
            (false, _) => "pcap, microseconds",
        }
    }

    /// What the bytes at `offset` of the capture begin with; `is_end` says that no more will come.
    pub(crate) fn step(&mut self, bytes: &[u8], offset: u64, is_end: bool) -> Result<Step, Error> {
        let Some(header_len) = self.record_header_len(bytes, is_end) else {
            return Ok(Step::More);
        };
        let field = |at| self.order.u32(bytes, at);
        let (Some(seconds), Some(fraction), Some(len), Some(wire_len)) =
            (field(0), field(4), field(8), field(12))
        else {
            return Ok(Step::More);
        };
        if len > MAX_RECORD_LEN {
            return Err(Error::BadLength { offset, len });
        }
        let record_len = header_len + len as usize;
        if bytes.len() < record_len {
            return Ok(Step::More);
        }
        let unit = if self.is_nanos { 1 } else { 1_000 };
        let time = Timestamp(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit);
        let (link_type, at) = (self.link_type, header_len);
        // Some writers leave the wire length at 0; it cannot be less than what was captured.
        let wire_len = wire_len.max(len);
        Ok(Step::Frame { record_len, time, link_type, wire_len, at, len: len as usize })
    }

    /// Some writers of the modified format use the plain magic: the first eight records tell.
    fn record_header_len(&mut self, bytes: &[u8], is_end: bool) -> Option<usize> {
        if self.record_header_len.is_none() {
            let len = match (self.walk(bytes, 16), self.walk(bytes, 24)) {
                (Walk::Fits, _) => 16,
                (Walk::Short, _) if !is_end => return None,
                (Walk::Breaks, Walk::Short) if !is_end => return None,
                (Walk::Breaks, Walk::Fits | Walk::Short) => 24,
                (Walk::Short | Walk::Breaks, _) => 16,
            };
            self.record_header_len = Some(len);
        }
        self.record_header_len
    }

    /// Whether the next records make sense with record headers of this length.
    fn walk(&self, bytes: &[u8], header_len: usize) -> Walk {
        let mut at = 0;
        for _ in 0..8 {
            let field = |offset: usize| self.order.u32(bytes, at + offset);
            let (Some(fraction), Some(len), Some(wire_len)) = (field(4), field(8), field(12))
            else {
                return Walk::Short;
            };
            if len > MAX_RECORD_LEN || len > wire_len || fraction >= 1_000_000_000 {
                return Walk::Breaks;
            }
            at += header_len + len as usize;
        }
        Walk::Fits
    }
}

#[derive(PartialEq, Eq)]
enum Walk {
    Fits,
    Breaks,
    /// Too few bytes to tell.
    Short,
}
