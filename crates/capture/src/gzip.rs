//! gzip (RFC 1952): member after member, zero bytes between them allowed, `flate2` inside.

use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::packing::Fault;

/// Put in and put out by one step, in bytes.
const IN_LEN: u64 = 1024;
const OUT_LEN: usize = 32 * 1024;
/// The longest member header that is read, in bytes: 64 kB of extra field, a name and a comment.
const MAX_HEADER_LEN: usize = 80 * 1024;
/// The longest name and the longest comment in it, in bytes.
const MAX_TEXT_LEN: usize = 4 * 1024;

#[derive(Debug)]
pub(crate) struct Gzip {
    state: State,
    inflater: Inflater,
    crc: Crc,
}

/// Unpacks deflated data (RFC 1951).
///
/// Where the data is damaged, `flate2` keeps back what came before in the same call. So its calls depend on nothing but
/// the data: they end at every 1,024th byte of it, however the file is fed.
pub(crate) struct Inflater {
    inflate: Decompress,
    out: Box<[u8]>,
}

/// What one step of unpacking did.
pub(crate) struct Inflated<'a> {
    /// So many bytes of the input are done with.
    pub(crate) taken: usize,
    /// This came out.
    pub(crate) out: &'a [u8],
    /// The data ends here.
    pub(crate) is_end: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Before the first member or after one.
    Between,
    Body,
    /// Checksum and length follow.
    Trailer,
}

impl Default for Gzip {
    fn default() -> Self {
        Self { state: State::Between, inflater: Inflater::default(), crc: Crc::new() }
    }
}

impl Gzip {
    pub(crate) fn step(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        is_last: bool,
    ) -> Result<Option<usize>, Fault> {
        match self.state {
            State::Between => {
                let padding = input.iter().take_while(|it| **it == 0).count();
                if padding > 0 {
                    return Ok(Some(padding));
                }
                let Some(len) = header_len(input)? else { return Ok(None) };
                self.inflater.reset();
                self.crc.reset();
                self.state = State::Body;
                Ok(Some(len))
            }
            State::Body => {
                let Some(step) = self.inflater.step(input, u64::MAX, is_last)? else {
                    return Ok(None);
                };
                self.crc.update(step.out);
                out.extend_from_slice(step.out);
                if step.is_end {
                    self.state = State::Trailer;
                }
                Ok(Some(step.taken))
            }
            State::Trailer => {
                let Some(trailer) = input.first_chunk::<8>() else { return Ok(None) };
                let number = |bytes: Option<&[u8; 4]>| bytes.map(|it| u32::from_le_bytes(*it));
                let is_right = number(trailer.first_chunk()) == Some(self.crc.sum())
                    && number(trailer.last_chunk()) == Some(self.crc.amount());
                self.state = State::Between;
                if is_right { Ok(Some(8)) } else { Err(Fault::Broken) }
            }
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.state == State::Between
    }
}

impl Default for Inflater {
    fn default() -> Self {
        Self { inflate: Decompress::new(false), out: vec![0; OUT_LEN].into() }
    }
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("total_in", &self.total_in()).finish_non_exhaustive()
    }
}

impl Inflater {
    /// Other data begins.
    pub(crate) fn reset(&mut self) {
        self.inflate.reset(false);
    }

    /// Unpacks some of `input`, of which at most `len` bytes belong to the data; `None` where more is needed.
    pub(crate) fn step(
        &mut self,
        input: &[u8],
        len: u64,
        is_last: bool,
    ) -> Result<Option<Inflated<'_>>, Fault> {
        let wanted = (IN_LEN - self.total_in() % IN_LEN).min(len);
        let input = match input.get(..wanted as usize) {
            Some(input) => input,
            None if is_last => input,
            None => return Ok(None),
        };
        let (before_in, before_out) = (self.total_in(), self.total_out());
        let is_end = match self.inflate.decompress(input, &mut self.out, FlushDecompress::None) {
            Ok(status) => status == Status::StreamEnd,
            Err(_) => return Err(Fault::Broken),
        };
        let taken = (self.total_in() - before_in) as usize;
        let out_len = (self.total_out() - before_out) as usize;
        let out = self.out.get(..out_len).unwrap_or_default();
        Ok((is_end || taken > 0 || out_len > 0).then_some(Inflated { taken, out, is_end }))
    }

    /// Bytes of the data so far.
    pub(crate) fn total_in(&self) -> u64 {
        self.inflate.total_in()
    }

    /// Bytes that came out so far.
    pub(crate) fn total_out(&self) -> u64 {
        self.inflate.total_out()
    }
}

/// The length of a member header, or `None` until it is all there.
fn header_len(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    // Identification, method 8 (deflate), flags; then time, extra flags and system.
    let Some(&[id1, id2, method, flags]) = bytes.first_chunk() else { return Ok(None) };
    if [id1, id2, method] != [0x1f, 0x8b, 8] || flags & 0xe0 != 0 {
        return Err(Fault::Broken);
    }
    let whole = || {
        let mut at = 10;
        if flags & 4 != 0 {
            let len = *bytes.get(at..)?.first_chunk()?;
            at += 2 + usize::from(u16::from_le_bytes(len));
        }
        // Name and comment end with a zero byte.
        for flag in [8, 16] {
            if flags & flag != 0 {
                let mut text = bytes.get(at..)?.iter().take(MAX_TEXT_LEN);
                at += text.position(|it| *it == 0)? + 1;
            }
        }
        if flags & 2 != 0 {
            at += 2;
        }
        (bytes.len() >= at).then_some(at)
    };
    match whole() {
        None if bytes.len() > MAX_HEADER_LEN => Err(Fault::Broken),
        len => Ok(len),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};

    use super::*;

    fn member(text: &[u8]) -> Vec<u8> {
        let builder = GzBuilder::new().filename("a name").extra([1, 2, 3]).comment("a comment");
        let mut writer = builder.write(Vec::new(), Compression::default());
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    /// Fed in pieces of this length: what comes out, and how it ends.
    fn unpack(packed: &[u8], len: usize) -> (Vec<u8>, Result<bool, Fault>) {
        let (mut gzip, mut out, mut input) = (Gzip::default(), Vec::new(), Vec::new());
        for piece in packed.chunks(len).chain([&[][..]]) {
            input.extend_from_slice(piece);
            loop {
                match gzip.step(&input, &mut out, piece.is_empty()) {
                    Err(fault) => return (out, Err(fault)),
                    Ok(None) => break,
                    Ok(Some(taken)) => drop(input.drain(..taken)),
                }
            }
        }
        (out, Ok(gzip.is_whole() && input.is_empty()))
    }

    #[track_caller]
    fn check(packed: &[u8], expected: &[u8], end: &Result<bool, Fault>) {
        for len in [1, 7, packed.len()] {
            let (out, ended) = unpack(packed, len);
            assert_eq!((out.as_slice(), &ended), (expected, end));
        }
    }

    #[test]
    fn members_and_padding_may_follow() {
        check(&[member(b"one "), member(b"two"), vec![0; 9]].concat(), b"one two", &Ok(true));
    }

    #[test]
    fn what_a_cut_member_holds_comes_out() {
        let whole = member(b"one");
        check(&whole[..whole.len() - 5], b"one", &Ok(false));
    }

    #[test]
    fn a_wrong_checksum_is_told() {
        let mut broken = member(b"one");
        let at = broken.len() - 8;
        broken[at] ^= 1;
        check(&broken, b"one", &Err(Fault::Broken));
    }

    #[test]
    fn what_comes_before_a_damage_does_not_depend_on_chunks() {
        let text: Vec<u8> = (0..60_000_u32).flat_map(|it| (it * it).to_le_bytes()).collect();
        let mut broken = member(&text);
        let at = broken.len() / 2;
        broken[at..at + 40].fill(0xff);
        let (out, end) = unpack(&broken, broken.len());
        assert!(text.starts_with(&out) && out.len() > 10_000);
        check(&broken, &out, &end);
        assert_eq!(end, Err(Fault::Broken));
    }

    #[test]
    fn other_bytes_after_a_member_are_told() {
        check(&[member(b"one"), b"rubbish".to_vec()].concat(), b"one", &Err(Fault::Broken));
    }
}
