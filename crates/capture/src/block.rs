//! A stretch of a capture, cut into frames and with bytes of its own: it can be decoded anywhere.

use crate::{Frame, Timestamp, pcapng::Place};

/// Frames that follow each other in a capture, together with their bytes.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    cuts: Cuts,
}

/// Frames in bytes.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    cuts: Vec<ShortCut>,
    more: Vec<More>,
}

/// A [`Cut`] as it is kept.
#[derive(Debug)]
struct ShortCut {
    time: Timestamp,
    offset: u64,
    start: usize,
    len: u32,
    wire_len: u32,
    link_type: u16,
    /// Where the rest of it is, if there is any.
    more: Option<u32>,
}

/// What a pcap has nothing of.
#[derive(Clone, Copy, Debug)]
struct More {
    comment: Option<(usize, usize)>,
    origin: Option<Place>,
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

impl Cuts {
    /// With room for as many frames as so many bytes have on the whole.
    pub(crate) fn with_room(len: usize) -> Self {
        Self { cuts: Vec::with_capacity(len / 400), more: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    #[inline]
    pub(crate) fn push(&mut self, cut: Cut) {
        let Cut { time, offset, link_type, wire_len, start, len, comment, origin } = cut;
        let more = (comment.is_some() || origin.is_some()).then(|| {
            self.more.push(More { comment, origin });
            self.more.len() as u32 - 1
        });
        // Records are at most 16 MiB long.
        let len = len as u32;
        self.cuts.push(ShortCut { time, offset, start, len, wire_len, link_type, more });
    }

    #[inline]
    fn cut(&self, short: &ShortCut) -> Cut {
        let ShortCut { time, offset, start, len, wire_len, link_type, more } = *short;
        let more = more.and_then(|it| self.more.get(it as usize));
        let (comment, origin) = more.map_or((None, None), |it| (it.comment, it.origin));
        Cut { time, offset, link_type, wire_len, start, len: len as usize, comment, origin }
    }
}

impl Block {
    pub(crate) fn new(bytes: Vec<u8>, cuts: Cuts) -> Self {
        Self { bytes, cuts }
    }

    /// Of frames that were carried here; what a pcapng says besides was not.
    pub fn of<'a>(frames: impl Iterator<Item = Frame<'a>>) -> Self {
        let mut block = Self::default();
        for frame in frames {
            let Frame { time, offset, link_type, wire_len, bytes, .. } = frame;
            let (start, len) = (block.bytes.len(), bytes.len());
            let (comment, origin) = (None, None);
            block.bytes.extend_from_slice(bytes);
            let cut = Cut { time, offset, link_type, wire_len, start, len, comment, origin };
            block.cuts.push(cut);
        }
        block
    }

    /// How many frames.
    pub fn len(&self) -> usize {
        self.cuts.cuts.len()
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
        Some(self.cuts.cut(self.cuts.cuts.get(number)?).frame(&self.bytes))
    }

    /// The frames, in file order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.cuts.cuts.iter().map(|it| self.cuts.cut(it).frame(&self.bytes))
    }
}
