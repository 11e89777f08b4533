//! zip (PKWARE's APPNOTE 6.3): local header after local header, files stored or deflated, `flate2` inside.
//!
//! An archive is read from its start, as it comes: its directory at the end is not needed. A file that says its length
//! only behind itself can be read where it is deflated, which has an end of its own.

use flate2::Crc;

use crate::{ByteOrder::Little, archive::Members, gzip::Inflater, packing::Fault};

/// Stored files are put out so much a step, in bytes.
const PIECE_LEN: u64 = 256 * 1024;
/// Length of a local header without name and extra fields, in bytes.
const HEADER_LEN: usize = 30;

const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

#[derive(Debug)]
pub(crate) struct Zip {
    state: State,
    members: Members,
    inflater: Inflater,
    crc: Crc,
    /// What the header says of the file's checksum.
    expected_crc: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    /// So many bytes of a file that lies as it is.
    Stored(u64),
    /// So many bytes of a deflated file, if it is known.
    Deflated(Option<u64>),
    /// So many bytes of a file nobody needs.
    Skip(u64),
    /// Checksum and lengths of a deflated file.
    Descriptor,
    /// In the directory.
    End,
}

impl Default for Zip {
    fn default() -> Self {
        Self {
            state: State::Header,
            members: Members::default(),
            inflater: Inflater::default(),
            crc: Crc::new(),
            expected_crc: 0,
        }
    }
}

impl Zip {
    /// Whether an archive begins so.
    pub(crate) fn begins(start: [u8; 4]) -> bool {
        start == LOCAL_HEADER
    }

    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        is_last: bool,
    ) -> Result<Option<usize>, Fault> {
        let taken = match self.state {
            State::Header => return self.begin(input),
            State::Stored(0) => {
                self.end(out, self.expected_crc)?;
                self.state = State::Header;
                return Ok(Some(0));
            }
            State::Stored(left) => {
                let taken = left.min(PIECE_LEN).min(input.len() as u64) as usize;
                let piece = input.get(..taken).unwrap_or_default();
                self.crc.update(piece);
                self.members.put(piece, out);
                self.state = State::Stored(left - taken as u64);
                (taken > 0).then_some(taken)
            }
            State::Deflated(left) => self.deflated(input, left, out, is_last)?,
            State::Skip(left) => {
                let taken = left.min(input.len() as u64);
                let is_done = taken == left;
                self.state = if is_done { State::Header } else { State::Skip(left - taken) };
                (is_done || taken > 0).then_some(taken as usize)
            }
            State::Descriptor => self.descriptor(input, out)?,
            State::End => (!input.is_empty()).then_some(input.len()),
        };
        if taken.is_none() && is_last && self.members.is_open() {
            self.members.end(out);
            return Ok(Some(0));
        }
        Ok(taken)
    }

    /// Reads a local header.
    fn begin(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        let Some(start) = input.first_chunk::<4>() else { return Ok(None) };
        if *start == DESCRIPTOR {
            // Behind a file that was skipped.
            self.state = State::Skip(12);
            return Ok(Some(4));
        }
        if *start != LOCAL_HEADER {
            if !start.starts_with(b"PK") {
                return Err(Fault::Broken);
            }
            self.state = State::End;
            return Ok(Some(4));
        }
        let Some(header) = input.get(..HEADER_LEN) else { return Ok(None) };
        let (flags, method) = (u16_at(header, 6), u16_at(header, 8));
        let name_end = HEADER_LEN + usize::from(u16_at(header, 26));
        let len = name_end + usize::from(u16_at(header, 28));
        let (Some(name), Some(extra)) = (input.get(HEADER_LEN..name_end), input.get(name_end..len))
        else {
            return Ok(None);
        };
        let has_descriptor = flags & 8 != 0;
        let packed_len = match u32_at(header, 18) {
            u32::MAX => long_len(extra, u32_at(header, 22) == u32::MAX).ok_or(Fault::Broken)?,
            it => u64::from(it),
        };
        let is_encrypted = flags & 1 != 0;
        self.expected_crc = u32_at(header, 14);
        self.state = match (method, has_descriptor) {
            (8, false) if !is_encrypted => State::Deflated(Some(packed_len)),
            (8, true) if !is_encrypted => State::Deflated(None),
            (0, false) if !is_encrypted => State::Stored(packed_len),
            // A directory is a file without a length.
            (_, true) if packed_len == 0 && !name.ends_with(b"/") => {
                let why = match is_encrypted {
                    true => "a file in it is encrypted",
                    false => "a file in it does not say how long it is",
                };
                return Err(Fault::NotUnpacked(why.to_owned()));
            }
            _ => State::Skip(packed_len),
        };
        if let State::Deflated(_) | State::Stored(_) = self.state {
            self.members.begin(name);
            self.inflater.reset();
            self.crc.reset();
        }
        Ok(Some(len))
    }

    fn deflated(
        &mut self,
        input: &[u8],
        left: Option<u64>,
        out: &mut Vec<u8>,
        is_last: bool,
    ) -> Result<Option<usize>, Fault> {
        if let Some(left) = left.filter(|_| self.members.is_left()) {
            self.state = State::Skip(left);
            return Ok(Some(0));
        }
        let Some(step) = self.inflater.step(input, left.unwrap_or(u64::MAX), is_last)? else {
            // All of the file is there, and it does not end.
            return if left == Some(0) { Err(Fault::Broken) } else { Ok(None) };
        };
        self.crc.update(step.out);
        self.members.put(step.out, out);
        let (taken, is_end) = (step.taken, step.is_end);
        self.state = match left.map(|it| it - taken as u64) {
            None if is_end => State::Descriptor,
            Some(left) if is_end => {
                self.end(out, self.expected_crc)?;
                State::Skip(left)
            }
            left => State::Deflated(left),
        };
        Ok(Some(taken))
    }

    /// It may begin with a signature, and its two lengths may have eight bytes each.
    fn descriptor(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        let Some(start) = input.first_chunk::<4>() else { return Ok(None) };
        let at = if *start == DESCRIPTOR { 4 } else { 0 };
        let Some(fields) = input.get(at..at + 12) else { return Ok(None) };
        let is_short = u32_at(fields, 4) == self.inflater.total_in() as u32
            && u32_at(fields, 8) == self.inflater.total_out() as u32;
        let len = at + if is_short { 12 } else { 20 };
        if input.len() < len {
            return Ok(None);
        }
        self.end(out, u32_at(fields, 0))?;
        self.state = State::Header;
        Ok(Some(len))
    }

    /// The file is over: its checksum must be right, if anybody saw it.
    fn end(&mut self, out: &mut Vec<u8>, expected_crc: u32) -> Result<(), Fault> {
        let is_left = self.members.is_left();
        self.members.end(out);
        if is_left || self.crc.sum() == expected_crc { Ok(()) } else { Err(Fault::Broken) }
    }

    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.state, State::Header | State::End)
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }
}

/// The packed length in the extra field of long files; the other length may come before it.
fn long_len(extra: &[u8], has_other: bool) -> Option<u64> {
    let mut rest = extra;
    loop {
        let (&[a, b, c, d], after) = rest.split_first_chunk()?;
        let (value, next) = after.split_at_checked(usize::from(u16::from_le_bytes([c, d])))?;
        if u16::from_le_bytes([a, b]) == 1 {
            let at = if has_other { 8 } else { 0 };
            return value.get(at..)?.first_chunk().copied().map(u64::from_le_bytes);
        }
        rest = next;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    Little.u16(bytes, at).unwrap_or(0)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    Little.u32(bytes, at).unwrap_or(0)
}
