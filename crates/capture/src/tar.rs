//! tar (POSIX.1-1988, and the older ones): header after header, each with its file behind it, in units of 512 bytes.

use crate::{archive::Members, packing::Fault};

/// Headers and files fill whole units, in bytes.
const UNIT: usize = 512;

#[derive(Debug, Default)]
pub(crate) struct Tar {
    state: State,
    members: Members,
    /// The first bytes of the archive.
    magic: [u8; 4],
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Header,
    /// So many bytes of a file, and so many to fill its last unit.
    Body(u64, usize),
    /// After the last file: only padding.
    End,
}

impl Tar {
    /// Whether an archive begins so.
    pub(crate) fn begins(bytes: &[u8]) -> bool {
        bytes.first_chunk().is_some_and(is_header)
    }

    /// Whether an archive may begin so, with more bytes.
    pub(crate) fn may_begin(bytes: &[u8]) -> bool {
        bytes.len() < UNIT
    }

    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        is_last: bool,
    ) -> Result<Option<usize>, Fault> {
        match self.state {
            State::Header => {
                let Some(header) = input.first_chunk::<UNIT>() else { return Ok(None) };
                if header.iter().all(|it| *it == 0) {
                    self.state = State::End;
                } else {
                    self.begin(header)?;
                }
                Ok(Some(UNIT))
            }
            State::Body(0, padding) => {
                if !self.members.is_left() {
                    self.members.end(out);
                    return Ok(Some(0));
                }
                let Some(_) = input.get(..padding) else { return Ok(None) };
                self.state = State::Header;
                Ok(Some(padding))
            }
            State::Body(left, padding) => {
                if input.is_empty() {
                    let is_open = is_last && self.members.is_open();
                    if is_open {
                        self.members.end(out);
                    }
                    return Ok(is_open.then_some(0));
                }
                let taken = left.min(PIECE_LEN).min(input.len() as u64);
                self.members.put(input.get(..taken as usize).unwrap_or_default(), out);
                self.state = State::Body(left - taken, padding);
                Ok(Some(taken as usize))
            }
            State::End => Ok((!input.is_empty()).then_some(input.len())),
        }
    }

    fn begin(&mut self, header: &[u8; UNIT]) -> Result<(), Fault> {
        if !is_header(header) {
            return Err(Fault::Broken);
        }
        if let (None, Some(start)) = (self.members.taken(), header.first_chunk()) {
            self.magic = *start;
        }
        let field = |at: usize, len: usize| header.get(at..at + len).unwrap_or_default();
        let len = number(field(124, 12)).ok_or(Fault::Broken)?;
        // Only files are looked at: names too long for a header and the like are members, too.
        if matches!(field(156, 1), b"0" | b"\0" | b"7") {
            let name = field(0, 100).split(|it| *it == 0).next().unwrap_or_default();
            self.members.begin(name);
        }
        let padding = len.next_multiple_of(UNIT as u64) - len;
        self.state = State::Body(len, padding as usize);
        Ok(())
    }

    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.state, State::Header | State::End)
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// The first bytes of the archive, as far as it was read.
    pub(crate) fn magic(&self) -> [u8; 4] {
        self.magic
    }
}

/// Put out by one step, in bytes.
const PIECE_LEN: u64 = 256 * 1024;

/// Whether the sum of a header is right; spaces stand for the sum itself.
fn is_header(header: &[u8; UNIT]) -> bool {
    let sum = |at: usize, it: &u8| u64::from(if (148..156).contains(&at) { b' ' } else { *it });
    let found: u64 = header.iter().enumerate().map(|(at, it)| sum(at, it)).sum();
    header.get(148..156).and_then(number) == Some(found)
}

/// An octal number, or a big one in binary.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|it| it & 0x80 != 0) {
        let low = field.last_chunk().copied().map(u64::from_be_bytes)?;
        return (low < 1 << 60).then_some(low);
    }
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches([' ', '\0']);
    // A name behind a zero byte is no number.
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}
