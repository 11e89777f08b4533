//! A stretch of a capture, cut into frames and with bytes of its own: it can be decoded anywhere.

use crate::{Frame, Timestamp, pcapng::Place};

/// Frames that follow each other in a capture, together with their bytes.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    cuts: Vec<Cut>,
}

/// A frame in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) time: Timestamp,
    pub(crate) offset: u64,
    pub(crate) link_type: u16,
    pub(crate) wire_len: u32,
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// Where its comment starts, and how long it is.
    pub(crate) comment: Option<(usize, usize)>,
    pub(crate) origin: Option<Place>,
}

impl Cut {
    /// The frame in the bytes it was cut from.
    #[inline]
    pub(crate) fn frame(self, bytes: &[u8]) -> Frame<'_> {
        let piece = |(at, len)| bytes.get(at..at + len).unwrap_or_default();
        let comment = self.comment.and_then(|it| std::str::from_utf8(piece(it)).ok());
        let origin = self.origin.map(|it| it.origin(piece(it.options)));
        let Self { time, offset, link_type, wire_len, .. } = self;
        let bytes = piece((self.start, self.len));
        Frame { time, offset, link_type, wire_len, bytes, comment, origin }
    }
}

impl Block {
    pub(crate) fn new(bytes: Vec<u8>, cuts: Vec<Cut>) -> Self {
        Self { bytes, cuts }
    }

    /// How many frames.
    pub fn len(&self) -> usize {
        self.cuts.len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// The bytes of all frames; others may lie between them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A frame by its number in the block.
    pub fn frame(&self, number: usize) -> Option<Frame<'_>> {
        Some(self.cuts.get(number)?.frame(&self.bytes))
    }

    /// The frames, in file order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.cuts.iter().map(|it| it.frame(&self.bytes))
    }
}
