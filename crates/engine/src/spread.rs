//! A pcap mapped span by span on other machines, and gathered on one: what travels between them are bytes.
//!
//! ```text
//! span ─map_span─▶ bytes ─Gather─▶ Analysis
//!      anywhere           in order
//! ```
//!
//! The stages are those of `blocks.rs`. A span says of itself what its neighbours must know ([`capture::Told`]); a span that
//! cannot, because it is damaged or nothing tells where its first record begins, is read again by who gathers. Why frames are set
//! aside travels as an example of each reason, which is decoded once more.

use std::{io, sync::Arc};

use capture::{Block, Counts, Dissector, Frame, Span, Timestamp, Told, Undecoded};
use flow::{Partial, PartialError};
use serde::{Deserialize, Serialize};
use v1::page::Tally;

use crate::{
    Analysis, Cutter, Join, Mapped, Plan, Reduce, blocks,
    neighbours::{Carried, Neighbours},
    reading::Counting,
};

/// What mapped spans begin with; the last byte is the version.
const MAGIC: &[u8] = b"TrAM\x01";
/// So many bytes behind a span are read with it, for its last record.
pub const BEHIND: usize = 1 << 18;

/// Why bytes are no span that was mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// They begin otherwise, or another version of the program wrote them.
    #[error("these bytes are no span that this version of the program has mapped")]
    NotASpan,
    /// Some of them have changed on the way.
    #[error("the mapped span is damaged")]
    Damaged,
    /// Its packets cannot be read.
    #[error(transparent)]
    Partial(#[from] PartialError),
}

/// A mapped span on its way.
#[derive(Serialize, Deserialize)]
struct Body {
    told: Told,
    counts: (u64, u64),
    tallies: [Tally; 2],
    /// Examples of frames that were set aside, by their places in `frames`, and how many there are like each.
    set_aside: Vec<(u32, Tally)>,
    shortened: (u64, u64),
    incredible_times: u64,
    neighbours: Carried,
    /// How many frames of `frames` come first because they are the edges of the block, and how many next because they were left.
    n_edges: u32,
    n_left: u32,
    frames: Vec<CarriedFrame>,
    partials: Vec<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct CarriedFrame {
    time: u64,
    offset: u64,
    link_type: u16,
    wire_len: u32,
    bytes: Vec<u8>,
}

impl CarriedFrame {
    fn of(frame: &Frame<'_>) -> Self {
        let Frame { time, offset, link_type, wire_len, bytes, .. } = *frame;
        Self { time: time.0, offset, link_type, wire_len, bytes: bytes.to_vec() }
    }

    fn frame(&self) -> Frame<'_> {
        let Self { offset, link_type, wire_len, ref bytes, .. } = *self;
        let time = Timestamp(self.time);
        Frame { time, offset, link_type, wire_len, bytes, comment: None, origin: None }
    }
}

/// Maps a span of a pcap by itself: its bytes from `offset` on, and some [`BEHIND`] it. `header` are the first bytes of the capture
/// ([`Span::HEADER_LEN`]); the span ends before `stop`, the last one at `u64::MAX`; `is_end` says that nothing follows the bytes.
///
/// `None` where who gathers has to read it.
pub fn map_span(
    header: &[u8],
    bytes: &[u8],
    offset: u64,
    stop: u64,
    is_end: bool,
    plan: &Plan,
) -> Option<Vec<u8>> {
    let mut span = match offset {
        0 => Span::first(bytes, stop, is_end),
        _ => Span::guess(header, bytes, offset, stop, is_end)?,
    };
    let told = span.told(header)?;
    let (mapped, examples) = blocks::map_with_examples(span.take_block(), plan);
    Some(write(told, &mapped, examples))
}

fn write(told: Told, mapped: &Mapped, examples: Vec<(Undecoded, usize)>) -> Vec<u8> {
    let Mapped { block, partials, left, counting, dissector } = mapped;
    let mut frames = Vec::new();
    let mut carry = |number: usize| {
        frames.extend(block.frame(number).as_ref().map(CarriedFrame::of));
    };
    Dissector::edges(block.len()).for_each(&mut carry);
    left.iter().copied().for_each(&mut carry);
    let (n_edges, n_left) = (Dissector::edges(block.len()).count() as u32, left.len() as u32);
    let mut set_aside = Vec::new();
    for (at, (reason, number)) in (n_edges + n_left..).zip(examples) {
        carry(number);
        set_aside.push((at, counting.set_aside(reason)));
    }
    let Counts { duplicates, too_deep, .. } = dissector.counts();
    let body = Body {
        told,
        counts: (duplicates, too_deep),
        tallies: [counting.frames, counting.in_flows],
        set_aside,
        shortened: counting.shortened,
        incredible_times: counting.incredible_times,
        neighbours: counting.neighbours.carried(),
        n_edges,
        n_left,
        frames,
        partials: partials.iter().map(Partial::write).collect(),
    };
    // Numbers, texts and lists always have a form in postcard.
    let mut bytes = postcard::to_extend(&body, MAGIC.to_vec()).unwrap_or_default();
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// What [`map_span`] made, for a capture with this header.
fn read(bytes: &[u8], header: &[u8], plan: &Plan) -> Result<(Span, Mapped), SpanError> {
    if !bytes.starts_with(MAGIC) {
        return Err(SpanError::NotASpan);
    }
    let (written, sum) = bytes.split_last_chunk::<4>().ok_or(SpanError::Damaged)?;
    if crc32fast::hash(written).to_le_bytes() != *sum {
        return Err(SpanError::Damaged);
    }
    let body = written.get(MAGIC.len()..).unwrap_or_default();
    let Ok(body) = postcard::from_bytes::<Body>(body) else { return Err(SpanError::Damaged) };
    let span = Span::of_told(&body.told, header).ok_or(SpanError::Damaged)?;
    let frames = || body.frames.iter().map(CarriedFrame::frame);
    let n_edges = body.n_edges as usize;
    let block = Block::of(frames().skip(n_edges).take(body.n_left as usize));
    let (duplicates, too_deep) = body.counts;
    let counts = Counts { duplicates, too_deep, ..Counts::default() };
    let dissector = Dissector::of_edges(frames().take(n_edges), counts);
    let mut counting = Counting::of_block();
    [counting.frames, counting.in_flows] = body.tallies;
    (counting.shortened, counting.incredible_times) = (body.shortened, body.incredible_times);
    counting.neighbours = Neighbours::of_carried(body.neighbours);
    let mut once_more = Dissector::of_block().with_checksums(plan.rules.has_checksums);
    for (at, tally) in body.set_aside {
        let frame = body.frames.get(at as usize).map(CarriedFrame::frame);
        let frame = frame.ok_or(SpanError::Damaged)?;
        let reason = once_more.push(&frame, &mut |_| {}).err().ok_or(SpanError::Damaged)?;
        counting.put_aside(reason, tally);
    }
    let partials = body.partials.iter().map(|it| Partial::read(it)).collect::<Result<_, _>>()?;
    let left = (0..block.len()).collect();
    Ok((span, Mapped { block: Arc::new(block), partials, left, counting, dissector }))
}

/// Puts the spans of a capture together, in their order.
pub struct Gather {
    plan: Plan,
    header: Vec<u8>,
    /// How long the capture is, in bytes.
    len: u64,
    cutter: Cutter,
    join: Join,
    shares: Vec<Reduce>,
    /// The capture stopped being one; the error is with the cutter.
    is_ended: bool,
}

impl Gather {
    /// For a pcap of so many bytes that begins with `header` ([`Span::HEADER_LEN`]), mapped by a plan with the same rules and as
    /// many shares.
    pub fn new(file_name: &str, header: Vec<u8>, len: u64, plan: &Plan) -> Self {
        let shares = (0..plan.n_shares.max(1)).map(|_| Reduce::new(plan)).collect();
        Self {
            cutter: Cutter::new(file_name, plan),
            join: Join::new(plan),
            plan: plan.clone(),
            header,
            len,
            shares,
            is_ended: false,
        }
    }

    /// Takes the next span, which ends before `stop`. `read` reads so many bytes of the capture, or as many as there are, from a place
    /// on: where the span was not mapped, or not as one pass would find it.
    ///
    /// # Errors
    /// Where the bytes are no span of this capture, or `read` fails.
    pub fn push(
        &mut self,
        mapped: Option<&[u8]>,
        stop: u64,
        read_at: &mut dyn FnMut(u64, usize) -> io::Result<Vec<u8>>,
    ) -> io::Result<()> {
        if self.is_ended || self.cutter.offset() >= stop {
            return Ok(());
        }
        let mapped = mapped.map(|it| read(it, &self.header, &self.plan)).transpose();
        let mapped = mapped.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let found = mapped.filter(|(span, mapped)| {
            span.stop() == stop
                && self.cutter.accepts(span)
                && mapped.partials.len() == self.shares.len()
        });
        let (span, mapped) = match found {
            Some(it) => it,
            None => {
                let mut span = self.cut_again(stop, read_at)?;
                let mapped = blocks::map(span.take_block(), &self.plan);
                (span, mapped)
            }
        };
        let dealt = self.join.push(mapped);
        self.reduce(&dealt);
        self.is_ended = self.cutter.join(span, self.len).is_err();
        Ok(())
    }

    fn cut_again(
        &self,
        stop: u64,
        read_at: &mut dyn FnMut(u64, usize) -> io::Result<Vec<u8>>,
    ) -> io::Result<Span> {
        let start = self.cutter.offset();
        let mut len = usize::try_from(stop.min(self.len).saturating_sub(start)).unwrap_or(0);
        len = len.saturating_add(BEHIND);
        loop {
            let bytes = read_at(start, len)?;
            let is_end = start + bytes.len() as u64 >= self.len;
            let span = self.cutter.cut_span(&bytes, stop, is_end);
            // A damage may reach far.
            if span.is_whole() || is_end {
                return Ok(span);
            }
            if bytes.len() < len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            len = len.saturating_mul(2);
        }
    }

    fn reduce(&mut self, dealt: &[Vec<Partial>]) {
        for (reduce, partials) in self.shares.iter_mut().zip(dealt) {
            reduce.push(partials);
        }
    }

    /// What one pass over the capture would have found.
    pub fn finish(mut self) -> Analysis {
        self.cutter.end(false);
        let dealt = self.join.end();
        self.reduce(&dealt);
        self.shares.iter_mut().for_each(Reduce::end);
        blocks::finish(self.cutter, &self.join, self.shares, false)
    }
}
