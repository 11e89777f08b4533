//! Bytes in any chunking in, frames in file order out; what is damaged is skipped.

mod span;

use std::net::IpAddr;

use crate::{
    Block, Damage, Error, Frame, Notes, Oddities, Timestamp,
    block::{Cut, Cuts},
    others,
    packing::Unpacking,
    pcap, pcapng,
};

pub use span::{Span, SpanCutter, Told};

/// Cuts the bytes of a capture into frames, in file order.
///
/// How the bytes are chunked makes no difference to the frames.
#[derive(Debug, Default)]
pub struct Decoder {
    unpacking: Unpacking,
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
    /// All that was fed is unpacked, too.
    is_over: bool,
    format: Option<Format>,
    /// The damage that is being skipped.
    search: Option<Search>,
    damages: Vec<Damage>,
    /// Where the last one ended, in bytes from the start of the capture.
    damage_end: Option<u64>,
    oddities: Oddities,
    notes: Notes,
    n_frames: u64,
    last_time: Timestamp,
    /// What follows the last block.
    error: Option<Error>,
    /// Records that begin there or later belong to another.
    stop: Option<u64>,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::File),
    Pcapng(pcapng::Section),
}

/// The way over a damage to the next credible record.
#[derive(Debug)]
struct Search {
    /// Where the damage starts, in bytes from the start of the capture.
    offset: u64,
    cause: Error,
    /// How long the damaged block is by its own word, while nothing else was tried.
    len: Option<usize>,
}

/// What the front of the pending bytes turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More bytes are needed to tell.
    More,
    /// A frame, and how long its record is.
    Frame {
        record_len: usize,
        time: Option<Timestamp>,
        link_type: u16,
        /// As it was recorded.
        wire_len: u32,
        /// Where in the record its bytes start, and how many they are.
        at: usize,
        len: usize,
        /// The same of its comment.
        comment: Option<(usize, usize)>,
        /// Where a pcapng has it from.
        origin: Option<pcapng::Place>,
    },
    /// A block that holds no frame; it may be longer than what is pending.
    Skip(u64),
    /// No record or block can be read here. If the length of this one can be believed, it is told.
    Damaged { cause: Error, len: Option<usize> },
}

/// Whether credible records begin somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    Holds,
    Breaks,
    /// More bytes are needed to tell.
    Short,
}

impl Chain {
    /// Too few bytes are there: that is all if the capture is over.
    pub(crate) fn at_end(is_over: bool, holds: bool) -> Self {
        match (is_over, holds) {
            (false, _) => Self::Short,
            (true, true) => Self::Holds,
            (true, false) => Self::Breaks,
        }
    }
}

/// The longest record or block that is kept whole, in bytes. Longer frames than libpcap's 262,144 exist.
pub(crate) const MAX_RECORD_LEN: u32 = 16 * 1024 * 1024;
/// How many damages are told one by one.
const MAX_DAMAGES: usize = 1_000;

impl Decoder {
    /// Takes the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.room().extend_from_slice(bytes);
        self.take_fed();
    }

    /// The same without a copy: `read` puts the next bytes of the file at the front of what it is given, which has room for so
    /// many, and says how many it put there.
    ///
    /// # Errors
    /// Where `read` fails; nothing is taken then.
    pub fn fill<E>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let read = read(self.open_room(len));
        let taken = read.as_ref().map_or(0, |it| len.min(*it));
        self.close_room(len - taken);
        read
    }

    /// Room for so many bytes more. It is a function of its own so that it is compiled here, for speed, like all that looks at
    /// each byte.
    fn open_room(&mut self, len: usize) -> &mut [u8] {
        let room = self.room();
        let start = room.len();
        room.resize(start + len, 0);
        room.get_mut(start..).unwrap_or_default()
    }

    /// Takes what was put there; so many bytes of it are nothing.
    fn close_room(&mut self, n_left: usize) {
        let room = self.room();
        room.truncate(room.len() - n_left);
        self.take_fed();
    }

    /// Where the next bytes of the file belong: behind those that are there.
    fn room(&mut self) -> &mut Vec<u8> {
        if !self.unpacking.is_packed() {
            self.drop_cut();
        }
        self.unpacking.room().unwrap_or(&mut self.pending)
    }

    /// Looks at the bytes that came.
    fn take_fed(&mut self) {
        if self.unpacking.is_packed() {
            return;
        }
        // Nothing is pending while a block is skipped.
        let skipped = self.skip.min(self.pending.len() as u64);
        self.pending.drain(..skipped as usize);
        self.skip -= skipped;
        self.offset += skipped;
        self.unpacking.settle(&mut self.pending, false);
    }

    fn drop_cut(&mut self) {
        self.pending.drain(..self.cut);
        self.offset += self.cut as u64;
        self.cut = 0;
    }

    /// Unpacks a piece more; `false` until more is fed. Nothing is pending while a block is skipped.
    fn unpack(&mut self) -> Result<bool, Error> {
        if !self.unpacking.is_packed() {
            return Ok(false);
        }
        let before = self.pending.len();
        if !self.unpacking.step(&mut self.pending, self.is_end)? {
            return Ok(false);
        }
        let skipped = self.skip.min((self.pending.len() - before) as u64);
        self.pending.drain(..skipped as usize);
        self.skip -= skipped;
        self.offset += skipped;
        self.unpacking.settle(&mut self.pending, false);
        Ok(true)
    }

    /// The next whole frame, or `None` until more is fed.
    ///
    /// # Errors
    /// Where the bytes are no capture, or, at the end, where they stop being one. Nothing after an error can be decoded.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Error> {
        loop {
            if let Some(cut) = self.usual_cut() {
                return Ok(Some(cut.frame(&self.pending)));
            }
            if let Some(cut) = self.next_cut()? {
                return Ok(Some(cut.frame(&self.pending)));
            }
            self.drop_cut();
            if !self.has_more()? {
                return Ok(None);
            }
        }
    }

    /// All whole frames that are there, or those in about this many bytes of an unpacked capture; `None` until more is
    /// fed. Who takes blocks takes no frames from [`Decoder::next_frame`].
    ///
    /// # Errors
    /// As there; the frames before the error come first.
    pub fn next_block(&mut self, len: usize) -> Result<Option<Block>, Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let mut cuts = Cuts::with_room(self.pending.len());
        let is_full = |it: &Self| it.skip > 0 || it.pending.len() >= len;
        loop {
            while let Some(cut) = self.usual_cut() {
                cuts.push(cut);
            }
            let step = match self.next_cut() {
                Ok(Some(cut)) => {
                    cuts.push(cut);
                    continue;
                }
                Ok(None) if cuts.is_empty() => {
                    self.drop_cut();
                    self.has_more()
                }
                Ok(None) if is_full(self) => Ok(false),
                Ok(None) => self.has_more(),
                Err(error) => Err(error),
            };
            match step {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if cuts.is_empty() => return Err(error),
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        if cuts.is_empty() {
            return Ok(None);
        }
        // About as much will come again.
        let mut rest = Vec::with_capacity(self.pending.len() / 8 * 9);
        rest.extend(self.pending.drain(self.cut..));
        let bytes = std::mem::replace(&mut self.pending, rest);
        self.offset += std::mem::take(&mut self.cut) as u64;
        Ok(Some(Block::new(bytes, cuts)))
    }

    /// Whether there is more to be cut, once what is pending is: it is unpacked then, or seen as the end.
    fn has_more(&mut self) -> Result<bool, Error> {
        let unpacked = self.unpack();
        if let Ok(true) = unpacked {
            return Ok(true);
        }
        let is_end = self.is_end || unpacked.is_err();
        if !is_end || self.is_over {
            return unpacked;
        }
        self.is_over = true;
        self.unpacking.settle(&mut self.pending, true);
        Ok(true)
    }

    /// The next whole frame in what is pending, where it is a record of a pcap that nobody doubts.
    #[inline]
    fn usual_cut(&mut self) -> Option<Cut> {
        let Some(Format::Pcap(file)) = &mut self.format else { return None };
        let is_usual = self.skip == 0 && self.search.is_none() && self.unpacking.is_settled();
        let offset = self.offset + self.cut as u64;
        if !is_usual || self.stop.is_some_and(|it| offset >= it) {
            return None;
        }
        let pcap::Usual { time, link_type, wire_len, at, len } =
            file.usual(self.pending.get(self.cut..)?)?;
        let start = self.cut + at;
        self.cut = start + len;
        // Its wire length is never the lesser: that would be doubted.
        let time = self.count(Some(time), false, false);
        Some(Cut { time, offset, link_type, wire_len, start, len, comment: None, origin: None })
    }

    /// The next whole frame in what is pending.
    fn next_cut(&mut self) -> Result<Option<Cut>, Error> {
        if self.skip > 0 || !self.unpacking.is_settled() || self.search.is_some() && !self.find()? {
            return Ok(None);
        }
        loop {
            let offset = self.offset + self.cut as u64;
            if self.stop.is_some_and(|it| offset >= it) {
                return Ok(None);
            }
            let rest = self.pending.get(self.cut..).unwrap_or_default();
            let step = match &mut self.format {
                None => match Format::recognise(rest)? {
                    None => return Ok(None),
                    Some((format, header_len)) => {
                        self.format = Some(format);
                        Step::Skip(header_len as u64)
                    }
                },
                Some(Format::Pcap(file)) => file.step(rest, offset, self.is_over),
                Some(Format::Pcapng(section)) => {
                    section.step(rest, offset, self.is_over, &mut self.notes)
                }
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
                Step::Frame { record_len, time, link_type, wire_len, at, len, comment, origin } => {
                    let start = self.cut + at;
                    let comment = comment.map(|it| (self.cut + it.0, it.1));
                    let origin = origin.map(|it| it.moved_by(self.cut));
                    self.cut += record_len;
                    let time = self.count(time, wire_len < len as u32, comment.is_some());
                    // Some writers leave the wire length at 0; it cannot be less than what was captured.
                    let wire_len = wire_len.max(len as u32);
                    return Ok(Some(Cut {
                        time,
                        offset,
                        link_type,
                        wire_len,
                        start,
                        len,
                        comment,
                        origin,
                    }));
                }
                Step::Damaged { cause, len } => {
                    self.search = Some(Search { offset, cause, len });
                    if !self.find()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Counts a frame, and says which time it has.
    fn count(
        &mut self,
        time: Option<Timestamp>,
        is_overlong: bool,
        is_commented: bool,
    ) -> Timestamp {
        let time = time.unwrap_or(self.last_time);
        self.n_frames += 1;
        self.oddities.overlong += u64::from(is_overlong);
        self.oddities.out_of_order += u64::from(time < self.last_time);
        self.notes.commented_frames += u64::from(is_commented);
        self.last_time = time;
        time
    }

    /// Goes over the damage to where records are credible again; `false` until more is fed.
    ///
    /// Every byte is tried once, and for a credible one at most the next three records are looked at.
    fn find(&mut self) -> Result<bool, Error> {
        let (Some(search), Some(format)) = (&mut self.search, &self.format) else {
            return Ok(true);
        };
        let rest = self.pending.get(self.cut..).unwrap_or_default();
        let mut found = Chain::Breaks;
        let mut at = 0;
        if let Some(len) = search.len {
            found = match rest.get(len..) {
                Some(after) => format.chain(after, self.is_over),
                None => Chain::at_end(self.is_over, false),
            };
            at = if found == Chain::Holds { len } else { 0 };
        }
        if found == Chain::Breaks {
            // Where the damage starts nothing is to be found.
            let is_first = search.offset == self.offset + self.cut as u64;
            search.len = None;
            at = usize::from(is_first).min(rest.len());
            found = Chain::Short;
            while let Some(candidate) = rest.get(at..).filter(|it| !it.is_empty()) {
                found = format.chain(candidate, self.is_over);
                if found != Chain::Breaks {
                    break;
                }
                at += 1;
            }
        }
        self.cut += at;
        if found != Chain::Holds {
            return if self.is_over { Err(search.cause.clone()) } else { Ok(false) };
        }
        let (offset, cause) = (search.offset, search.cause.clone());
        self.search = None;
        let skipped = self.offset + self.cut as u64 - offset;
        self.oddities.skipped += skipped;
        // Two that touch are one.
        let does_touch = self.damage_end.replace(offset + skipped) == Some(offset);
        self.oddities.damages += u64::from(!does_touch);
        if !does_touch && self.damages.len() < MAX_DAMAGES {
            let after_frames = self.n_frames;
            self.damages.push(Damage { offset, skipped, after_frames, cause });
        } else if let Some(last) = self.damages.last_mut().filter(|_| does_touch)
            && last.offset + last.skipped == offset
        {
            last.skipped += skipped;
        }
        Ok(true)
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
        self.unpacking.finish()?;
        let offset = self.offset + self.cut as u64;
        let rest = self.pending.get(self.cut..).unwrap_or_default();
        match (&self.search, &self.format) {
            (Some(search), _) => Err(search.cause.clone()),
            (None, None) if rest.is_empty() => Err(Error::Empty),
            (None, None) => Err(match rest.first_chunk() {
                Some(start) if !begins(*start) => not_a_capture(rest, *start),
                _ => Error::CutShort { offset },
            }),
            (None, Some(_)) if self.skip > 0 || !rest.is_empty() => Err(Error::CutShort { offset }),
            (None, Some(_)) => Ok(()),
        }
    }

    /// How the file is packed, where it is, from the inside out: `tar (a.pcap), gzip`.
    pub fn packing(&self) -> Option<String> {
        self.unpacking.name()
    }

    /// Other captures in the archive: only the first is read. How many there are, and the names of the first hundred.
    pub fn other_members(&self) -> (u64, &[String]) {
        self.unpacking.other_members()
    }

    /// The format in words, once it is known.
    pub fn format(&self) -> Option<&'static str> {
        match self.format.as_ref()? {
            Format::Pcap(file) => Some(file.name()),
            Format::Pcapng(_) => Some("pcapng"),
        }
    }

    /// To how many bytes the frames of a pcap are cut, by its header; 0 where it does not say.
    pub fn snap_len(&self) -> u32 {
        match &self.format {
            Some(Format::Pcap(file)) => file.snap_len(),
            _ => 0,
        }
    }

    /// What was skipped as damaged so far, in file order: the first thousand stretches. None of them touch.
    pub fn damages(&self) -> &[Damage] {
        &self.damages
    }

    /// What was odd so far.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// What the capture said of itself so far.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// The names the capture gave to addresses so far, in file order: the first ten thousand.
    pub fn names(&self) -> &[(IpAddr, String)] {
        &self.notes.names
    }
}

impl Format {
    /// Tells the format by the first bytes; also how many of them are its header.
    fn recognise(bytes: &[u8]) -> Result<Option<(Self, usize)>, Error> {
        let Some(&start) = bytes.first_chunk() else { return Ok(None) };
        if start == pcapng::SECTION_HEADER {
            return Ok(Some((Self::Pcapng(pcapng::Section::default()), 0)));
        }
        if !begins(start) {
            return Err(not_a_capture(bytes, start));
        }
        Ok(pcap::File::read(bytes).map(|(file, header_len)| (Self::Pcap(file), header_len)))
    }

    fn chain(&self, bytes: &[u8], is_over: bool) -> Chain {
        match self {
            Self::Pcap(file) => file.chain(bytes, is_over),
            Self::Pcapng(section) => section.chain(bytes, is_over),
        }
    }
}

/// Whether a capture begins so.
pub(crate) fn begins(start: [u8; 4]) -> bool {
    start == pcapng::SECTION_HEADER || pcap::begins(start)
}

fn not_a_capture(bytes: &[u8], magic: [u8; 4]) -> Error {
    Error::NotACapture { kind: others::name(bytes), magic }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// A file header of Ethernet, microseconds, little-endian.
    const HEADER: [u8; 24] =
        [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

    /// 16 MB of this behind a file header, packed into some kB: how many frames come out, within how many bytes of
    /// memory.
    #[track_caller]
    fn check_bomb(unit: &[u8], expected_frames: u64, max_memory: usize) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&HEADER).unwrap();
        for _ in 0..16 * 1024 * 1024 / unit.len() {
            encoder.write_all(unit).unwrap();
        }
        let packed = encoder.finish().unwrap();
        let (mut decoder, mut memory) = (Decoder::default(), 0);
        decoder.feed(&packed);
        for is_end in [false, true] {
            decoder.is_end = is_end;
            while let Ok(Some(_)) = decoder.next_frame() {
                memory = memory.max(decoder.pending.capacity());
            }
        }
        memory = memory.max(decoder.pending.capacity());
        assert_eq!(decoder.n_frames, expected_frames);
        assert!(memory <= max_memory, "{memory} bytes were kept");
    }

    /// A record of so many bytes in all.
    fn record(len: usize) -> Vec<u8> {
        let packet_len = (len as u32 - 16).to_le_bytes();
        let mut record = [&[0; 8][..], &packet_len, &packet_len].concat();
        record.resize(len, 7);
        record
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_huge_one_fills_no_memory() {
        check_bomb(&record(1 << 16), 1 << 8, 1 << 20);
        // Long records are kept whole, one at a time.
        check_bomb(&record(1 << 22), 1 << 2, 1 << 24);
        // Only zeros: all of it is a damage.
        check_bomb(&[0; 1 << 16], 0, 1 << 20);
    }
}
