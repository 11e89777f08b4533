//! pcap framing: the file header by `pcap-parser`, the records by our own walk.
//!
//! `pcap-parser` reads the header of both byte orders and both resolutions. Its record reader knows no big-endian file
//! of the modified format and adds lengths without a check where `usize` has 32 bits, so records are cut here.

use pcap_parser::pcap::parse_pcap_header;

use crate::{
    ByteOrder, Error, Timestamp,
    decoder::{Chain, MAX_RECORD_LEN, Step},
};

/// Length of the file header, in bytes.
const HEADER_LEN: usize = 24;

/// The longest record that tells where a damage ends, in bytes (libpcap's `MAXIMUM_SNAPLEN`).
const MAX_USUAL_LEN: u32 = 262_144;
/// Times of neighbouring records that differ more are doubted, in seconds: a year.
const FAR_SECONDS: u32 = 366 * 24 * 60 * 60;
/// How far a look ahead goes, in bytes.
const MAX_LOOK_LEN: usize = 1024 * 1024;

/// A kind of pcap file, told by its first bytes.
struct Magic {
    start: [u8; 4],
    /// The same file would be an ordinary one with this start.
    ordinary: [u8; 4],
    /// Length of the file header, in bytes.
    header_len: usize,
    /// Length of a record header, in bytes; `None` where the first records must tell.
    record_header_len: Option<usize>,
    name: &'static str,
}

/// Microseconds, little-endian and big-endian.
const MICROS: [[u8; 4]; 2] = [[0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0xc3, 0xd4]];
/// Nanoseconds, likewise.
const NANOS: [[u8; 4]; 2] = [[0x4d, 0x3c, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d]];

/// Plain files, Kuznetzov's modified format, and the lcap of IXIA's hardware and software, in both byte orders.
const MAGICS: &[Magic] = &[
    plain(MICROS[0], "pcap, microseconds"),
    plain(MICROS[1], "pcap, microseconds"),
    plain(NANOS[0], "pcap, nanoseconds"),
    plain(NANOS[1], "pcap, nanoseconds"),
    modified([0x34, 0xcd, 0xb2, 0xa1], MICROS[0]),
    modified([0xa1, 0xb2, 0xcd, 0x34], MICROS[1]),
    lcap([0xac, 0x01, 0x00, 0x1c], NANOS[0]),
    lcap([0x1c, 0x00, 0x01, 0xac], NANOS[1]),
    lcap([0xab, 0x01, 0x00, 0x1c], MICROS[0]),
    lcap([0x1c, 0x00, 0x01, 0xab], MICROS[1]),
];

const fn plain(start: [u8; 4], name: &'static str) -> Magic {
    Magic { start, ordinary: start, header_len: HEADER_LEN, record_header_len: None, name }
}

const fn modified(start: [u8; 4], ordinary: [u8; 4]) -> Magic {
    let (record_header_len, name) = (Some(24), "pcap, modified format");
    Magic { start, ordinary, header_len: HEADER_LEN, record_header_len, name }
}

const fn lcap(start: [u8; 4], ordinary: [u8; 4]) -> Magic {
    // The length of all records follows the header.
    let (record_header_len, name) = (Some(16), "pcap, IXIA lcap");
    Magic { start, ordinary, header_len: HEADER_LEN + 4, record_header_len, name }
}

/// Whether a pcap file begins so.
pub(crate) fn begins(start: [u8; 4]) -> bool {
    MAGICS.iter().any(|it| it.start == start)
}

/// What the file header says of every record.
#[derive(Clone, Debug)]
pub(crate) struct File {
    name: &'static str,
    order: ByteOrder,
    is_nanos: bool,
    /// Length of a record header, in bytes: 16, in the modified format 24. `None` until the first records tell.
    record_header_len: Option<usize>,
    lengths: Lengths,
    link_type: u16,
    /// Frames are cut to so many bytes; 0 where nobody says.
    snap_len: u32,
    /// The time of the last record, in seconds.
    last_seconds: Option<u32>,
}

/// The order of the two lengths in a record header: it changed with version 2.3, and not every writer noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    WireFirst,
    /// The lesser is the captured one.
    Unknown,
}

/// A record header.
#[derive(Clone, Copy)]
struct Record {
    seconds: u32,
    fraction: u32,
    len: u32,
    wire_len: u32,
}

/// A frame of a whole record; see [`Step::Frame`].
pub(crate) struct Usual {
    pub(crate) time: Timestamp,
    pub(crate) link_type: u16,
    pub(crate) wire_len: u32,
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl File {
    /// Reads the file header, and says how long it is; `None` until all of it is there.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let start = *bytes.first_chunk::<4>()?;
        let magic = MAGICS.iter().find(|it| it.start == start)?;
        let mut header = *bytes.first_chunk::<HEADER_LEN>()?;
        bytes.get(..magic.header_len)?;
        // The parser knows the ordinary ones.
        header.get_mut(..4)?.copy_from_slice(&magic.ordinary);
        let (_, parsed) = parse_pcap_header(&header).ok()?;
        let mut file = Self {
            name: magic.name,
            order: if parsed.is_bigendian() { ByteOrder::Big } else { ByteOrder::Little },
            is_nanos: parsed.is_nanosecond_precision(),
            record_header_len: magic.record_header_len,
            lengths: match (parsed.version_major, parsed.version_minor) {
                // 543.0 is the version of DG/UX.
                (2, 0..=2) | (543, _) => Lengths::WireFirst,
                (2, 3) => Lengths::Unknown,
                _ => Lengths::CapturedFirst,
            },
            // The upper bits tell about frame check sequences, which stay in the frame: IP says where it ends.
            link_type: parsed.network.0 as u16,
            snap_len: parsed.snaplen,
            last_seconds: None,
        };
        // AIX writes version 2.2, nanoseconds, and the numbers of interface types (RFC 1573) for link types.
        let of_aix = [(6, 1), (9, 6), (15, 10), (24, 0)];
        if (parsed.version_major, parsed.version_minor) == (2, 2)
            && let Some((_, link_type)) = of_aix.iter().find(|it| it.0 == file.link_type)
        {
            (file.link_type, file.is_nanos, file.name) = (*link_type, true, "pcap, AIX");
        }
        Some((file, magic.header_len))
    }

    pub(crate) fn snap_len(&self) -> u32 {
        self.snap_len
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.record_header_len {
            // Whatever the magic says.
            Some(24) => "pcap, modified format",
            _ => self.name,
        }
    }

    /// Looks at the first records of the file, where only they tell how long record headers are; whether it is known now.
    pub(crate) fn settle(&mut self, bytes: &[u8], is_all: bool) -> bool {
        self.record_header_len(bytes, is_all).is_some()
    }

    /// Whether credible records begin here, and nothing else.
    pub(crate) fn begins_chain(&self, bytes: &[u8], is_over: bool) -> bool {
        !begins_file(bytes) && self.chain(bytes, is_over) == Chain::Holds
    }

    /// The time of the record that begins here, in seconds.
    pub(crate) fn seconds(&self, bytes: &[u8]) -> Option<u32> {
        self.record(bytes, 0).map(|it| it.seconds)
    }

    /// Whether whoever reads on with `other`, which knows of no record, sees the same, a record of this second first.
    pub(crate) fn leads_to(&self, other: &Self, seconds: u32) -> bool {
        let is_far = self.last_seconds.is_some_and(|it| it.abs_diff(seconds) > FAR_SECONDS);
        self.reads_as(other) && !is_far
    }

    /// Whether records are read alike by both.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        let of = |it: &Self| {
            (it.name, it.order, it.is_nanos, it.record_header_len, it.lengths, it.link_type)
        };
        of(self) == of(other)
    }

    /// The time of the last record, in seconds.
    pub(crate) fn last_seconds(&self) -> Option<u32> {
        self.last_seconds
    }

    /// The same after a record of that time.
    pub(crate) fn after(self, last_seconds: Option<u32>) -> Self {
        Self { last_seconds, ..self }
    }

    /// What the bytes at `offset` of the capture begin with; `is_over` says that no more will come.
    pub(crate) fn step(&mut self, bytes: &[u8], offset: u64, is_over: bool) -> Step {
        let Some(header_len) = self.record_header_len(bytes, is_over) else {
            return Step::More;
        };
        let Some(record) = self.record(bytes, 0) else { return Step::More };
        let Record { seconds, fraction, len, wire_len } = record;
        if self.is_doubtful(record) {
            // Captures are put behind each other by those who think it right.
            if begins_file(bytes) {
                let Some((file, header_len)) = Self::read(bytes) else { return Step::More };
                *self = file;
                return Step::Skip(header_len as u64);
            }
            if len > MAX_RECORD_LEN {
                return Step::Damaged { cause: Error::BadLength { offset, len }, len: None };
            }
            match self.leads_on(bytes, header_len, is_over) {
                Chain::Short => return Step::More,
                Chain::Holds => {}
                Chain::Breaks => {
                    let is_zero = (seconds, fraction, len, wire_len) == (0, 0, 0, 0);
                    let cause = match bytes.get(header_len + len as usize..) {
                        _ if is_zero => Error::OnlyZeros { offset },
                        None => Error::CutShort { offset },
                        Some(_) => Error::BadLength { offset, len },
                    };
                    return Step::Damaged { cause, len: None };
                }
            }
        }
        let record_len = header_len + len as usize;
        if bytes.len() < record_len {
            return Step::More;
        }
        let time = Some(self.take(record));
        let (link_type, at, len) = (self.link_type, header_len, len as usize);
        Step::Frame { record_len, time, link_type, wire_len, at, len, comment: None, origin: None }
    }

    /// The record that the bytes begin with, where it is whole and nobody doubts it, as nearly all are: the same frame as of
    /// [`File::step`], at a tenth of its cost.
    #[inline]
    pub(crate) fn usual(&mut self, bytes: &[u8]) -> Option<Usual> {
        let at = self.record_header_len?;
        let record = self.record(bytes, 0)?;
        let len = record.len as usize;
        if self.is_doubtful(record) || bytes.len() < at + len {
            return None;
        }
        let (time, wire_len) = (self.take(record), record.wire_len);
        Some(Usual { time, link_type: self.link_type, wire_len, at, len })
    }

    /// Takes a record as the last one: its time.
    fn take(&mut self, record: Record) -> Timestamp {
        self.last_seconds = Some(record.seconds);
        let unit = if self.is_nanos { 1 } else { 1_000 };
        Timestamp(u64::from(record.seconds) * 1_000_000_000 + u64::from(record.fraction) * unit)
    }

    /// Whether records that nobody doubts begin here: three, or fewer where the capture ends with them.
    pub(crate) fn chain(&self, bytes: &[u8], is_over: bool) -> Chain {
        if begins_file(bytes) {
            return Chain::Holds;
        }
        // Damage is zeros more often than anything else.
        let lengths = bytes.get(8..).and_then(|it| it.first_chunk::<8>());
        if lengths.is_some_and(|it| u64::from_ne_bytes(*it) == 0) {
            return Chain::Breaks;
        }
        let header_len = self.record_header_len.unwrap_or(16);
        let (mut at, mut last_seconds) = (0, self.last_seconds);
        for n_before in 0..3 {
            let Some(record) = self.record(bytes, at) else {
                let is_end = at == bytes.len() && n_before > 0 || n_before > 1;
                return Chain::at_end(is_over, is_end);
            };
            if !self.is_credible(record, last_seconds) {
                return Chain::Breaks;
            }
            last_seconds = Some(record.seconds);
            at += header_len + record.len as usize;
        }
        Chain::Holds
    }

    #[inline]
    fn record(&self, bytes: &[u8], at: usize) -> Option<Record> {
        let fields = bytes.get(at..)?.first_chunk::<16>()?;
        let field = |at| self.order.u32(fields, at).unwrap_or(0);
        let (first, second) = (field(8), field(12));
        let (len, wire_len) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::WireFirst => (second, first),
            Lengths::Unknown => (first.min(second), first.max(second)),
        };
        Some(Record { seconds: field(0), fraction: field(4), len, wire_len })
    }

    /// Whether nobody doubts a record, that before it having this time.
    fn is_credible(&self, record: Record, last_seconds: Option<u32>) -> bool {
        let Record { seconds, fraction, len, wire_len } = record;
        len <= MAX_USUAL_LEN
            && (len <= wire_len || wire_len == 0)
            && (1..=MAX_RECORD_LEN).contains(&len.max(wire_len))
            && fraction < if self.is_nanos { 1_000_000_000 } else { 1_000_000 }
            && last_seconds.is_none_or(|it| it.abs_diff(seconds) <= FAR_SECONDS)
    }

    /// Whether a record is only believed if it leads to others: there are files with such records throughout.
    #[inline]
    fn is_doubtful(&self, record: Record) -> bool {
        let Record { seconds, fraction, len, wire_len } = record;
        fraction >= 1_000_000_000
            || len > wire_len
            || len > MAX_USUAL_LEN
            || wire_len == 0
            || self.last_seconds.is_some_and(|it| it.abs_diff(seconds) > FAR_SECONDS)
    }

    /// Whether what follows a doubtful record may be records too, as far as that can be seen.
    fn leads_on(&self, bytes: &[u8], header_len: usize, is_over: bool) -> Chain {
        let (mut at, mut was_zero) = (0, false);
        for n_before in 0..4 {
            let Some(record) = self.record(bytes, at) else {
                let is_within = at <= bytes.len();
                let is_padding = was_zero && bytes.get(at..).is_some_and(|it| !it.is_empty());
                // A whole one before this may be followed by one that is cut.
                return Chain::at_end(is_over, (is_within || n_before > 1) && !is_padding);
            };
            if n_before > 0 && bytes.get(at..).is_some_and(begins_file) {
                return Chain::Holds;
            }
            let Record { seconds, fraction, len, wire_len } = record;
            let is_zero = (seconds, fraction, len, wire_len) == (0, 0, 0, 0);
            if len > MAX_RECORD_LEN || is_zero && was_zero {
                return Chain::Breaks;
            }
            was_zero = is_zero;
            at += header_len + len as usize;
            if at > MAX_LOOK_LEN {
                break;
            }
        }
        Chain::Holds
    }

    /// Some writers of the modified format use the plain magic: the first eight records tell.
    fn record_header_len(&mut self, bytes: &[u8], is_over: bool) -> Option<usize> {
        if self.record_header_len.is_none() {
            let len = match (self.walk(bytes, 16), self.walk(bytes, 24)) {
                (Walk::Fits, _) => 16,
                (Walk::Short(_), _) if !is_over => return None,
                // Wrongly read, the second record already breaks; this one is damaged.
                (Walk::Breaks(2..), _) => 16,
                (Walk::Breaks(_), Walk::Short(_)) if !is_over => return None,
                (Walk::Breaks(_), Walk::Fits | Walk::Short(1..)) => 24,
                (Walk::Short(_) | Walk::Breaks(_), _) => 16,
            };
            self.record_header_len = Some(len);
        }
        self.record_header_len
    }

    /// Whether the next records make sense with record headers of this length.
    fn walk(&self, bytes: &[u8], header_len: usize) -> Walk {
        let (mut at, mut last_seconds) = (0, None);
        for n_before in 0..8 {
            let rest = bytes.get(at..).unwrap_or_default();
            if n_before > 0 && begins_file(rest) || at > MAX_LOOK_LEN {
                return Walk::Fits;
            }
            let Some(record) = self.record(bytes, at) else { return Walk::Short(n_before) };
            let Record { seconds, fraction, len, wire_len } = record;
            let is_possible = len <= MAX_RECORD_LEN && len <= wire_len && fraction < 1_000_000_000;
            // Whoever says that the magic is wrong is believed less.
            if !is_possible || header_len != 16 && !self.is_credible(record, last_seconds) {
                return Walk::Breaks(n_before);
            }
            last_seconds = Some(seconds);
            at += header_len + len as usize;
        }
        Walk::Fits
    }
}

/// Whether a file header is here, rather than a record of the year 2055 or 2083 with a fraction that looks like a version.
fn begins_file(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d, version @ ..]) = bytes.first_chunk::<8>() else { return false };
    // This is asked of every byte of a damage.
    matches!(version, [2, 0, 4, 0] | [0, 2, 0, 4]) && begins([a, b, c, d])
}

#[derive(PartialEq, Eq)]
enum Walk {
    Fits,
    /// After so many records that make sense.
    Breaks(usize),
    /// Too few bytes to tell; so many records make sense.
    Short(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_record_is_what_a_step_makes_of_it() {
        let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        header.extend([0; 8]);
        header.extend([0xff, 0xff, 0, 0, 1, 0, 0, 0]);
        let record = |fields: [u32; 4], n_bytes: usize| {
            let fields = fields.iter().flat_map(|it| it.to_le_bytes());
            fields.chain(std::iter::repeat_n(7, n_bytes)).collect::<Vec<u8>>()
        };
        let first = record([1_000, 5, 8, 8], 8);
        let (mut file, len) = File::read(&header).unwrap();
        assert_eq!(len, HEADER_LEN);
        assert!(file.settle(&first.repeat(9), true));
        assert!(file.usual(&first).is_some());
        let usual = |fields: [u32; 4], n_bytes, is_usual: bool| {
            let bytes = record(fields, n_bytes);
            let found = file.clone().usual(&bytes);
            assert_eq!(found.is_some(), is_usual, "{fields:?}");
            let step = file.clone().step(&bytes, 0, true);
            if let Some(Usual { time, link_type, wire_len, at, len }) = found {
                let (record_len, time) = (at + len, Some(time));
                let (comment, origin) = (None, None);
                let expected =
                    Step::Frame { record_len, time, link_type, wire_len, at, len, comment, origin };
                assert_eq!(step, expected);
            }
        };
        usual([1_001, 999_999, 8, 60], 8, true);
        usual([999, 0, 0, 60], 0, true);
        // Cut, longer than it was, without a length, of another fraction or another year: only what follows may tell.
        usual([1_001, 0, 8, 8], 7, false);
        usual([1_001, 0, 9, 8], 9, false);
        usual([1_001, 0, 0, 0], 0, false);
        usual([1_001, 1_000_000_000, 8, 8], 8, false);
        usual([1_001 + 2 * FAR_SECONDS, 0, 8, 8], 8, false);
    }
}
