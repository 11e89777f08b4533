//! zstd (RFC 8878): frame after frame, block by block, `ruzstd` inside. Dictionaries are not known.

use ruzstd::decoding::FrameDecoder;

use crate::packing::Fault;

/// The longest block, in bytes (RFC 8878, section 3.1.1.2).
const MAX_BLOCK_LEN: usize = 128 * 1024;
/// A frame that needs a larger window is refused, in bytes.
const MAX_WINDOW_LEN: u64 = 128 * 1024 * 1024;

pub(crate) struct Zstd {
    state: State,
    frame: FrameDecoder,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Before the first frame or after one.
    Between,
    /// So many bytes of a frame nobody needs.
    Skip(usize),
    Block,
    Checksum,
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Default for Zstd {
    fn default() -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(MAX_WINDOW_LEN);
        Self { state: State::Between, frame }
    }
}

impl Zstd {
    /// Whether a frame begins so, one to skip included.
    pub(crate) fn begins(start: [u8; 4]) -> bool {
        start == [0x28, 0xb5, 0x2f, 0xfd] || is_skippable(start)
    }

    pub(crate) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        match self.state {
            State::Between => self.begin(input),
            State::Skip(left) => {
                let taken = left.min(input.len());
                self.state = if taken == left { State::Between } else { State::Skip(left - taken) };
                Ok((taken == left || taken > 0).then_some(taken))
            }
            State::Block => {
                let Some(&[a, b, c]) = input.first_chunk() else { return Ok(None) };
                let header = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
                let (is_last, kind, size) = (header & 1 == 1, header >> 1 & 3, header >> 3);
                // A run is one byte; the rest is as long as it says.
                let len = 3 + if kind == 1 { 1 } else { size };
                if size > MAX_BLOCK_LEN || kind == 3 {
                    return Err(Fault::Broken);
                }
                let Some(block) = input.get(..len) else { return Ok(None) };
                self.decode(block)?;
                if is_last {
                    let has_checksum = !self.frame.is_finished();
                    self.state = if has_checksum { State::Checksum } else { State::Between };
                }
                self.collect(out)?;
                Ok(Some(len))
            }
            State::Checksum => {
                let Some(checksum) = input.first_chunk::<4>() else { return Ok(None) };
                self.decode(checksum)?;
                self.state = State::Between;
                self.collect(out)?;
                let is_right =
                    self.frame.get_checksum_from_data() == self.frame.get_calculated_checksum();
                if is_right { Ok(Some(4)) } else { Err(Fault::Broken) }
            }
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.state == State::Between
    }

    fn begin(&mut self, input: &[u8]) -> Result<Option<usize>, Fault> {
        let Some(&start) = input.first_chunk() else { return Ok(None) };
        if is_skippable(start) {
            let Some(len) = input.get(4..).and_then(|it| it.first_chunk()) else { return Ok(None) };
            self.state = State::Skip(u32::from_le_bytes(*len) as usize);
            return Ok(Some(8));
        }
        if !Self::begins(start) {
            return Err(Fault::Broken);
        }
        let Some(&descriptor) = input.get(4) else { return Ok(None) };
        let is_single_segment = descriptor & 0x20 != 0;
        let window_len = usize::from(!is_single_segment);
        let dictionary_len = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
        let content_len_len = match descriptor >> 6 {
            0 => usize::from(is_single_segment),
            it => 1 << it,
        };
        let len = 5 + window_len + dictionary_len + content_len_len;
        let Some(header) = input.get(..len) else { return Ok(None) };
        let content_len = header.get(len - content_len_len..).map_or(0, number);
        let window = match header.get(5) {
            _ if is_single_segment => content_len + if content_len_len == 2 { 256 } else { 0 },
            Some(it) => window_len_of(*it),
            None => 0,
        };
        if window > MAX_WINDOW_LEN {
            return Err(Fault::NotUnpacked(format!(
                "it needs a window of {} MB in memory, and {} MB are the limit",
                window.div_ceil(1024 * 1024),
                MAX_WINDOW_LEN / 1024 / 1024
            )));
        }
        match self.frame.reset(header) {
            Ok(()) => self.state = State::Block,
            Err(_) => return Err(Fault::Broken),
        }
        Ok(Some(len))
    }

    fn decode(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self.frame.decode_from_to(bytes, &mut []) {
            Ok(_) => Ok(()),
            Err(_) => Err(Fault::Broken),
        }
    }

    /// Takes what the window no longer needs.
    fn collect(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        match self.frame.collect_to_writer(out) {
            Ok(_) => Ok(()),
            Err(_) => Err(Fault::Broken),
        }
    }
}

/// The window a frame asks for, in bytes (RFC 8878, section 3.1.1.1.2).
fn window_len_of(descriptor: u8) -> u64 {
    let base = 1_u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |sum, it| sum << 8 | u64::from(*it))
}

/// Frames for other data have sixteen magic numbers.
fn is_skippable(start: [u8; 4]) -> bool {
    matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    /// Fed in pieces of this length: what comes out, and how it ends.
    fn unpack(packed: &[u8], len: usize) -> (Vec<u8>, Result<bool, Fault>) {
        let (mut zstd, mut out, mut input) = (Zstd::default(), Vec::new(), Vec::new());
        for piece in packed.chunks(len) {
            input.extend_from_slice(piece);
            loop {
                match zstd.step(&input, &mut out) {
                    Err(fault) => return (out, Err(fault)),
                    Ok(None) => break,
                    Ok(Some(taken)) => drop(input.drain(..taken)),
                }
            }
        }
        (out, Ok(zstd.is_whole() && input.is_empty()))
    }

    #[track_caller]
    fn check(packed: &[u8], expected: &[u8], is_whole: bool) {
        for len in [1, 7, packed.len()] {
            assert_eq!(unpack(packed, len), (expected.to_vec(), Ok(is_whole)));
        }
    }

    #[test]
    fn frames_follow_and_some_are_skipped() {
        let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let packed = [&skipped[..], &frame(b"one "), &skipped, &frame(b"two")].concat();
        check(&packed, b"one two", true);
    }

    #[test]
    fn a_cut_frame_is_not_whole() {
        let whole = frame(&b"one two three ".repeat(20_000));
        let (out, end) = unpack(&whole[..whole.len() - 9], 1_000);
        assert_eq!(end, Ok(false));
        assert!(out.starts_with(b"one two three one") && out.len() >= 128 * 1024);
    }

    #[test]
    fn bytes_that_are_no_frame_are_told() {
        let packed = [frame(b"one"), b"rubbish".to_vec()].concat();
        assert_eq!(unpack(&packed, 7), (b"one".to_vec(), Err(Fault::Broken)));
    }
}
