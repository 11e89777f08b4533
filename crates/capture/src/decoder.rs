//! Bytes in any chunking in, frames in file order out.

use crate::{Error, Frame, Timestamp, packing::Packing, pcap, pcapng};

/// Cuts the bytes of a capture into frames, in file order.
///
/// How the bytes are chunked makes no difference to the frames.
#[derive(Debug, Default)]
pub struct Decoder {
    source: Source,
    /// Unpacked, and not yet dropped.
    pending: Vec<u8>,
    /// How much of `pending` is already cut.
    cut: usize,
    /// Where `pending` starts, in bytes from the start of the capture.
    offset: u64,
    /// Bytes still to come that belong to a block nobody needs.
    skip: u64,
    /// No more will be fed.
    is_end: bool,
    format: Option<Format>,
}

/// Where the bytes of the capture come from.
#[derive(Debug, Default)]
enum Source {
    /// Too few bytes yet to tell.
    #[default]
    Unknown,
    /// The bytes fed are the capture.
    Plain,
    Packed {
        packing: Packing,
        /// Fed, and not yet unpacked.
        input: Vec<u8>,
        /// How much of `input` is done with.
        taken: usize,
        /// Where `input` starts, in bytes from the start of the file.
        offset: u64,
        /// Where the member or frame that is being unpacked begins. How far into it damage is found depends on how the
        /// file is fed.
        part: u64,
    },
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::File),
    Pcapng(pcapng::Section),
}

/// A frame in what is pending.
struct Cut {
    time: Timestamp,
    offset: u64,
    link_type: u16,
    wire_len: u32,
    start: usize,
    len: usize,
}

/// What the front of the pending bytes turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More bytes are needed to tell.
    More,
    /// A frame, and how long its record is.
    Frame {
        record_len: usize,
        time: Timestamp,
        link_type: u16,
        wire_len: u32,
        /// Where in the record its bytes start, and how many they are.
        at: usize,
        len: usize,
    },
    /// A block that holds no frame; it may be longer than what is pending.
    Skip(u64),
}

/// The longest record or block that is kept whole, in bytes. Longer frames than libpcap's 262,144 exist.
pub(crate) const MAX_RECORD_LEN: u32 = 16 * 1024 * 1024;

impl Decoder {
    /// Takes the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Source::Packed { input, taken, offset, .. } = &mut self.source {
            input.drain(..*taken);
            *offset += *taken as u64;
            *taken = 0;
            input.extend_from_slice(bytes);
            return;
        }
        self.take(bytes);
        if let (Source::Unknown, Some(start)) = (&self.source, self.pending.first_chunk()) {
            self.source = match Packing::recognise(*start) {
                None => Source::Plain,
                Some(packing) => {
                    let input = std::mem::take(&mut self.pending);
                    Source::Packed { packing, input, taken: 0, offset: 0, part: 0 }
                }
            };
        }
    }

    /// Takes the next bytes of the capture.
    fn take(&mut self, bytes: &[u8]) {
        self.drop_cut();
        let skipped = self.skip.min(bytes.len() as u64) as usize;
        if skipped > 0 {
            // Nothing is pending while a block is skipped.
            self.skip -= skipped as u64;
            self.offset += skipped as u64;
        }
        self.pending.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
    }

    fn drop_cut(&mut self) {
        self.pending.drain(..self.cut);
        self.offset += self.cut as u64;
        self.cut = 0;
    }

    /// Unpacks a piece more; `false` until more is fed.
    fn unpack(&mut self) -> Result<bool, Error> {
        self.drop_cut();
        let Source::Packed { packing, input, taken, offset, part } = &mut self.source else {
            return Ok(false);
        };
        let before = self.pending.len();
        let rest = input.get(*taken..).unwrap_or_default();
        if packing.is_whole() {
            *part = *offset + *taken as u64;
        }
        let step = packing.step(rest, &mut self.pending);
        let Ok(step) = step else {
            let (offset, packing) = (*part, packing.name());
            return Err(Error::BadPacking { offset, packing });
        };
        *taken += step;
        let unpacked = self.pending.len() - before;
        let is_more = step > 0 || unpacked > 0;
        // Nothing is pending while a block is skipped.
        let skipped = self.skip.min(unpacked as u64);
        self.pending.drain(..skipped as usize);
        self.skip -= skipped;
        self.offset += skipped;
        Ok(is_more)
    }

    /// The next whole frame, or `None` until more is fed.
    ///
    /// # Errors
    /// Where the bytes are no capture. Nothing after an error can be decoded.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Error> {
        loop {
            let Some(cut) = self.next_cut()? else {
                match self.unpack()? {
                    true => continue,
                    false => return Ok(None),
                }
            };
            let bytes = self.pending.get(cut.start..cut.start + cut.len).unwrap_or_default();
            let Cut { time, offset, link_type, wire_len, .. } = cut;
            return Ok(Some(Frame { time, offset, link_type, wire_len, bytes }));
        }
    }

    /// The next whole frame in what is pending.
    fn next_cut(&mut self) -> Result<Option<Cut>, Error> {
        if self.skip > 0 || matches!(self.source, Source::Unknown) && !self.is_end {
            return Ok(None);
        }
        loop {
            let offset = self.offset + self.cut as u64;
            let rest = self.pending.get(self.cut..).unwrap_or_default();
            let step = match &mut self.format {
                None => match Format::recognise(rest)? {
                    None => return Ok(None),
                    Some((format, header_len)) => {
                        self.format = Some(format);
                        Step::Skip(header_len)
                    }
                },
                Some(Format::Pcap(file)) => file.step(rest, offset, self.is_end)?,
                Some(Format::Pcapng(section)) => section.step(rest, offset)?,
            };
            match step {
                Step::More => return Ok(None),
                Step::Skip(len) => {
                    let here = len.min(rest.len() as u64);
                    self.cut += here as usize;
                    self.skip = len - here;
                    if self.skip > 0 {
                        return Ok(None);
                    }
                }
                Step::Frame { record_len, time, link_type, wire_len, at, len } => {
                    let start = self.cut + at;
                    self.cut += record_len;
                    return Ok(Some(Cut { time, offset, link_type, wire_len, start, len }));
                }
            }
        }
    }

    /// Says that nothing more will be fed. A few frames may have waited for it.
    pub fn end(&mut self) {
        self.is_end = true;
    }

    /// Says where the capture stops being whole, once it ended and its last frame was taken.
    ///
    /// # Errors
    /// Where nothing was fed, or the bytes end inside a record.
    pub fn finish(&self) -> Result<(), Error> {
        if let Source::Packed { packing, input, taken, offset, .. } = &self.source
            && (!packing.is_whole() || *taken < input.len())
        {
            let (offset, packing) = (*offset + input.len() as u64, packing.name());
            return Err(Error::PackingCutShort { offset, packing });
        }
        let offset = self.offset + self.cut as u64;
        let rest = self.pending.get(self.cut..).unwrap_or_default();
        match &self.format {
            None if offset == 0 && rest.is_empty() => Err(Error::Empty),
            None => Err(match rest.first_chunk() {
                Some(&magic) if !is_capture(magic) => not_a_capture(rest, magic),
                _ => Error::CutShort { offset },
            }),
            Some(_) if self.skip > 0 || !rest.is_empty() => Err(Error::CutShort { offset }),
            Some(_) => Ok(()),
        }
    }

    /// How the file is packed, where it is.
    pub fn packing(&self) -> Option<&'static str> {
        match &self.source {
            Source::Packed { packing, .. } => Some(packing.name()),
            Source::Unknown | Source::Plain => None,
        }
    }

    /// The format in words, once it is known.
    pub fn format(&self) -> Option<&'static str> {
        match self.format.as_ref()? {
            Format::Pcap(file) => Some(file.name()),
            Format::Pcapng(_) => Some("pcapng"),
        }
    }
}

impl Format {
    /// Tells the format by the first bytes; also how many of them are its header.
    fn recognise(bytes: &[u8]) -> Result<Option<(Self, u64)>, Error> {
        let Some(&magic) = bytes.first_chunk() else {
            return Ok(None);
        };
        if magic == pcapng::SECTION_HEADER {
            return Ok(Some((Self::Pcapng(pcapng::Section::default()), 0)));
        }
        if !is_capture(magic) {
            return Err(not_a_capture(bytes, magic));
        }
        // Whether the plain magic lies can only be told from the first records.
        if bytes.len() < pcap::HEADER_LEN {
            return Ok(None);
        }
        Ok(pcap::File::read(bytes).map(|file| (Self::Pcap(file), pcap::HEADER_LEN as u64)))
    }
}

fn is_capture(magic: [u8; 4]) -> bool {
    magic == pcapng::SECTION_HEADER || pcap::MAGICS.contains(&magic)
}

/// First bytes of files that people take for captures, and what they are.
const OTHERS: &[(&[u8], &str)] = &[
    (b"PK", "a ZIP archive; unpack it first"),
    (b"BZh", "bzip2 data; unpack it first"),
    (&[0xfd, b'7', b'z', b'X'], "xz data; unpack it first"),
    (b"snoop", "a snoop capture"),
    (b"GMBU", "a NetMon capture"),
    (b"RTSS", "a NetMon capture"),
    (&[0x89, b'P', b'N', b'G'], "a PNG picture"),
    (b"\x7fELF", "an ELF program"),
    (b"%PDF", "a PDF document"),
    (b"{", "JSON text, perhaps a HAR log"),
    (b"<", "markup text"),
];

fn not_a_capture(bytes: &[u8], magic: [u8; 4]) -> Error {
    let known = OTHERS.iter().find(|(start, _)| bytes.starts_with(start));
    Error::NotACapture { kind: known.map_or("unknown data", |it| it.1), magic }
}
