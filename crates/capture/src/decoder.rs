//! Bytes in any chunking in, frames in file order out.

use crate::{Error, Frame, Timestamp, pcap, pcapng};

/// Cuts the bytes of a capture into frames, in file order.
///
/// How the bytes are chunked makes no difference to the frames.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Fed, and not yet dropped.
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

#[derive(Debug)]
enum Format {
    Pcap(pcap::File),
    Pcapng(pcapng::Section),
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
    /// Takes the next bytes of the capture.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.cut);
        self.offset += self.cut as u64;
        self.cut = 0;
        let skipped = self.skip.min(bytes.len() as u64) as usize;
        if skipped > 0 {
            // Nothing is pending while a block is skipped.
            self.skip -= skipped as u64;
            self.offset += skipped as u64;
        }
        self.pending.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
    }

    /// The next whole frame, or `None` until more is fed.
    ///
    /// # Errors
    /// Where the bytes are no capture. Nothing after an error can be decoded.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Error> {
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
                    let bytes = self.pending.get(start..start + len).unwrap_or_default();
                    return Ok(Some(Frame { time, offset, link_type, wire_len, bytes }));
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
    (&[0x1f, 0x8b], "gzip data; unpack it first"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd data; unpack it first"),
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
