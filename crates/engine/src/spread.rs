//! A pcap read span by span on many machines: what travels between them are bytes, and of nearly all flows each travels once.
//!
//! ```text
//! span ─survey_span─▶ survey ─Gather::push─▶ orders, partials
//!                                                │
//! span ───────────────────────map_span───────────┴─▶ flows, partials ─Reducing─▶ flows ─Gather::push_flows─▶ Analysis
//!                             anywhere                                 by share          by capture
//! ```
//!
//! A survey says of a span what its neighbours must know ([`capture::Told`]) and which keys are in it. Who gathers the surveys, in
//! order, knows then which keys are in one span alone: flows of these are put together and labelled where they are mapped. Packets of
//! all others are dealt to shares by their keys. What flows know of each other is settled once all are together.
//!
//! A span that cannot say so much, because it is damaged or nothing tells where its first record begins, is read by who gathers. Why
//! frames are set aside travels as an example of each reason, which is decoded once more.

use std::{io, mem, sync::Arc};

use capture::{Block, Counts, Dissector, Frame, Span, Timestamp, Told, Undecoded};
use flow::{Partial, PartialError, Shuffle};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use v1::page::Tally;

use crate::{
    Analysis, Cutter, Join, Mapped, Plan, Reduce,
    blocks::{self, CarriedFlows},
    neighbours::{Carried, Neighbours},
    reading::Counting,
};

/// So many bytes behind a span are read with it, for its last record.
pub const BEHIND: usize = 1 << 18;

// What each kind of bytes begins with; the last one is the version.
const SURVEY: &[u8] = b"TrAM\x02";
const ORDERS: &[u8] = b"TrAO\x01";
const FLOWS: &[u8] = b"TrAF\x01";

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// They begin otherwise, or another version of the program wrote them.
    #[error("these bytes are nothing that this version of the program has mapped")]
    Unknown,
    /// Some of them have changed on the way.
    #[error("what was mapped is damaged")]
    Damaged,
    /// The span is not what was surveyed.
    #[error("the capture has changed since it was surveyed")]
    Changed,
    /// Packets cannot be read.
    #[error(transparent)]
    Partial(#[from] PartialError),
}

impl From<SpanError> for io::Error {
    fn from(error: SpanError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// A survey on its way.
#[derive(Serialize, Deserialize)]
struct Survey {
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
    keys: Keys,
}

/// What becomes of a span that was surveyed.
#[derive(Serialize, Deserialize)]
struct Orders {
    /// What it told.
    told: Told,
    n_shares: u32,
    /// Its keys that are in other spans too.
    shared: Keys,
}

/// Hashes of keys in order, each counted from the one before.
#[derive(Default, Serialize, Deserialize)]
struct Keys(Vec<u64>);

impl Keys {
    fn of(keys: &[u64]) -> Self {
        let mut before = 0;
        Self(keys.iter().map(|it| it.wrapping_sub(mem::replace(&mut before, *it))).collect())
    }

    fn keys(&self) -> Vec<u64> {
        let mut key = 0_u64;
        let next = |it: &u64| {
            key = key.wrapping_add(*it);
            key
        };
        self.0.iter().map(next).collect()
    }
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

/// Something as bytes that say what they are, and whether they are whole.
fn seal(magic: &[u8], body: &impl Serialize) -> Vec<u8> {
    // Numbers, texts and lists always have a form in postcard.
    let mut bytes = postcard::to_extend(body, magic.to_vec()).unwrap_or_default();
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// What [`seal`] was given.
fn open<T: DeserializeOwned>(magic: &[u8], bytes: &[u8]) -> Result<T, SpanError> {
    if !bytes.starts_with(magic) {
        return Err(SpanError::Unknown);
    }
    let (written, sum) = bytes.split_last_chunk::<4>().ok_or(SpanError::Damaged)?;
    if crc32fast::hash(written).to_le_bytes() != *sum {
        return Err(SpanError::Damaged);
    }
    let body = written.get(magic.len()..).unwrap_or_default();
    postcard::from_bytes(body).map_err(|_| SpanError::Damaged)
}

/// A part of a pcap: its bytes from `offset` on, and some [`BEHIND`] it.
#[derive(Clone, Copy, Debug)]
pub struct SpanBytes<'a> {
    /// The first bytes of the capture ([`Span::HEADER_LEN`]).
    pub header: &'a [u8],
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where they begin in the capture.
    pub offset: u64,
    /// Where the next part begins; `u64::MAX` of the last one.
    pub stop: u64,
    /// Nothing follows the bytes.
    pub is_end: bool,
}

impl SpanBytes<'_> {
    fn span(&self) -> Option<(Span, Told)> {
        let Self { header, bytes, offset, stop, is_end } = *self;
        let span = match offset {
            0 => Span::first(bytes, stop, is_end),
            _ => Span::guess(header, bytes, offset, stop, is_end)?,
        };
        let told = span.told(header)?;
        Some((span, told))
    }
}

/// What a span says of itself. `None` where who gathers has to read it.
pub fn survey_span(part: &SpanBytes<'_>, plan: &Plan) -> Option<Vec<u8>> {
    let (mut span, told) = part.span()?;
    let plan = Plan { n_shares: 1, ..plan.clone() };
    let (mapped, examples) = blocks::map_dealt(span.take_block(), &plan, None);
    Some(seal(SURVEY, &Survey::of(told, &mapped, examples)))
}

/// What became of a span.
#[derive(Clone, Debug, Default)]
pub struct MappedSpan {
    /// The flows of the keys that are in no other span.
    pub flows: Vec<u8>,
    /// The packets of all others, by shares; empty where a share has none.
    pub partials: Vec<Vec<u8>>,
}

/// Maps a span that was surveyed, as it was ordered. Empty orders are of a span that who gathers has read: nothing becomes of it.
///
/// # Errors
/// Where the orders are damaged, or of another span.
pub fn map_span(part: &SpanBytes<'_>, orders: &[u8], plan: &Plan) -> Result<MappedSpan, SpanError> {
    if orders.is_empty() {
        return Ok(MappedSpan::default());
    }
    let Orders { told, n_shares, shared } = open(ORDERS, orders)?;
    let (mut span, found) = part.span().ok_or(SpanError::Changed)?;
    if found != told {
        return Err(SpanError::Changed);
    }
    let plan = Plan { n_shares: n_shares as usize, ..plan.clone() };
    let (mapped, _) = blocks::map_dealt(span.take_block(), &plan, Some(shared.keys()));
    let mut partials = mapped.partials;
    let alone = partials.pop();
    let mut reduce = Reduce::new(&plan);
    reduce.push(alone.as_slice());
    drop(alone);
    reduce.end();
    let flows = seal(FLOWS, &reduce.into_carried());
    let write = |it: &Partial| if it.is_empty() { Vec::new() } else { it.write() };
    Ok(MappedSpan { flows, partials: partials.iter().map(write).collect() })
}

/// Puts the flows of a share together.
#[derive(Debug)]
pub struct Reducing(Reduce);

impl Reducing {
    /// No flow yet.
    pub fn new(plan: &Plan) -> Self {
        Self(Reduce::new(plan))
    }

    /// Takes the partials of the next span: the one it was mapped to, and what came of it where spans were gathered.
    ///
    /// # Errors
    /// Where one is damaged.
    pub fn push<'a>(
        &mut self,
        partials: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), SpanError> {
        let partials: Vec<Partial> =
            partials.into_iter().map(Partial::read).collect::<Result<_, _>>()?;
        self.0.push(&partials);
        Ok(())
    }

    /// The flows.
    pub fn finish(mut self) -> Vec<u8> {
        self.0.end();
        seal(FLOWS, &self.0.into_carried())
    }
}

impl Survey {
    fn of(told: Told, mapped: &Mapped, examples: Vec<(Undecoded, usize)>) -> Self {
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
        let keys = partials.first().map(Partial::keys).unwrap_or_default();
        Self {
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
            keys: Keys::of(&keys),
        }
    }

    /// The span, what is to be joined of it, and its keys, for a capture with this header.
    fn read(self, header: &[u8], plan: &Plan) -> Result<(Span, Mapped, Vec<u64>), SpanError> {
        let span = Span::of_told(&self.told, header).ok_or(SpanError::Damaged)?;
        let frames = || self.frames.iter().map(CarriedFrame::frame);
        let n_edges = self.n_edges as usize;
        let block = Block::of(frames().skip(n_edges).take(self.n_left as usize));
        let (duplicates, too_deep) = self.counts;
        let counts = Counts { duplicates, too_deep, ..Counts::default() };
        let dissector = Dissector::of_edges(frames().take(n_edges), counts);
        let mut counting = Counting::of_block();
        [counting.frames, counting.in_flows] = self.tallies;
        (counting.shortened, counting.incredible_times) = (self.shortened, self.incredible_times);
        counting.neighbours = Neighbours::of_carried(self.neighbours);
        let mut once_more = Dissector::of_block().with_checksums(plan.rules.has_checksums);
        for (at, tally) in self.set_aside {
            let frame = self.frames.get(at as usize).map(CarriedFrame::frame);
            let frame = frame.ok_or(SpanError::Damaged)?;
            let reason = once_more.push(&frame, &mut |_| {}).err().ok_or(SpanError::Damaged)?;
            counting.put_aside(reason, tally);
        }
        // Its packets go to the shares from elsewhere.
        let partials = Shuffle::new(None, plan.n_shares.max(1), plan.rules.apart).finish();
        let left = (0..block.len()).collect();
        let mapped = Mapped { block: Arc::new(block), partials, left, counting, dissector };
        Ok((span, mapped, self.keys.keys()))
    }
}

/// Puts the spans of a capture together, in their order: their surveys, then their flows.
///
/// The surveys may be gathered twice, on different machines: for the orders, and for what was read.
pub struct Gather {
    plan: Plan,
    header: Vec<u8>,
    /// How long the capture is, in bytes.
    len: u64,
    cutter: Cutter,
    join: Join,
    /// Of every span what it told and its keys, where it was taken as it was surveyed.
    spans: Vec<Option<(Told, Vec<u64>)>>,
    /// What is dealt here.
    partials: Vec<Dealt>,
    shares: Vec<Reduce>,
    /// The capture stopped being one; the error is with the cutter.
    is_ended: bool,
}

/// Packets that come from who gathers: of fragments, and of spans that it read.
#[derive(Debug)]
pub struct Dealt {
    /// The share they belong to.
    pub share: usize,
    /// The number of the span they come with; what comes after all has the number of spans.
    pub span: usize,
    partial: Partial,
}

impl Dealt {
    /// The packets as bytes.
    pub fn write(&self) -> Vec<u8> {
        self.partial.write()
    }
}

impl Gather {
    /// For a pcap of so many bytes that begins with `header` ([`Span::HEADER_LEN`]), surveyed by a plan with the same rules. The
    /// plan says into how many shares the packets are dealt that need it.
    pub fn new(file_name: &str, header: Vec<u8>, len: u64, plan: &Plan) -> Self {
        Self {
            cutter: Cutter::new(file_name, plan),
            join: Join::new(plan),
            plan: plan.clone(),
            header,
            len,
            spans: Vec::new(),
            partials: Vec::new(),
            shares: Vec::new(),
            is_ended: false,
        }
    }

    /// Takes the next survey, of a span that ends before `stop`. `read` reads so many bytes of the capture, or as many as there are,
    /// from a place on: where the span was not surveyed, or not as one pass would find it.
    ///
    /// # Errors
    /// Where the bytes are no survey of this capture, or `read` fails.
    pub fn push(
        &mut self,
        survey: Option<&[u8]>,
        stop: u64,
        read_at: &mut dyn FnMut(u64, usize) -> io::Result<Vec<u8>>,
    ) -> io::Result<()> {
        if self.is_ended || self.cutter.offset() >= stop {
            self.spans.push(None);
            return Ok(());
        }
        let mut found = None;
        if let Some(survey) = survey {
            let survey: Survey = open(SURVEY, survey)?;
            let told = survey.told;
            let (span, mapped, keys) = survey.read(&self.header, &self.plan)?;
            let is_right = span.stop() == stop && self.cutter.accepts(&span);
            found = is_right.then_some((span, mapped, Some((told, keys))));
        }
        let (span, mapped, taken) = match found {
            Some(it) => it,
            None => {
                let mut span = self.cut_again(stop, read_at)?;
                let mapped = blocks::map(span.take_block(), &self.plan);
                (span, mapped, None)
            }
        };
        let dealt = self.join.push(mapped);
        self.deal(dealt);
        self.spans.push(taken);
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

    fn deal(&mut self, dealt: Vec<Vec<Partial>>) {
        let span = self.spans.len();
        for (share, partials) in dealt.into_iter().enumerate() {
            let partials = partials.into_iter().filter(|it| !it.is_empty());
            self.partials.extend(partials.map(|partial| Dealt { share, span, partial }));
        }
    }

    /// No survey follows. What becomes of each span, as bytes for [`map_span`], and what is dealt here: it is ordered by its spans.
    pub fn orders(&mut self) -> (Vec<Vec<u8>>, Vec<Dealt>) {
        let dealt = self.join.end();
        self.deal(dealt);
        let partials = mem::take(&mut self.partials);
        // A key that comes from here is nowhere alone.
        let mut from_here: Vec<u64> = partials.iter().flat_map(|it| it.partial.keys()).collect();
        from_here.sort_unstable();
        from_here.dedup();
        let of_spans = self.spans.iter().flatten().flat_map(|it| &it.1);
        let mut keys: Vec<u64> = of_spans.copied().collect();
        keys.extend_from_slice(&from_here);
        keys.sort_unstable();
        let several = keys.chunk_by(|a, b| a == b).filter(|it| it.len() > 1);
        let shared: Vec<u64> = several.filter_map(|it| it.first().copied()).collect();
        let n_shares = self.plan.n_shares.max(1) as u32;
        let orders = mem::take(&mut self.spans).into_iter().map(|span| {
            let Some((told, mut keys)) = span else { return Vec::new() };
            keys.retain(|it| shared.binary_search(it).is_ok());
            seal(ORDERS, &Orders { told, n_shares, shared: Keys::of(&keys) })
        });
        (orders.collect(), partials)
    }

    /// Takes flows of a span or a share, in any order.
    ///
    /// # Errors
    /// Where the bytes are none.
    pub fn push_flows(&mut self, flows: &[u8]) -> Result<(), SpanError> {
        let flows: CarriedFlows = open(FLOWS, flows)?;
        self.shares.push(Reduce::of_carried(flows, &self.plan).ok_or(SpanError::Damaged)?);
        Ok(())
    }

    /// What one pass over the capture would have found, but for the first bytes that the page shows of flows: they do not travel.
    pub fn finish(mut self) -> Analysis {
        self.cutter.end(false);
        // What was dealt by it has come as flows; what it counted stays.
        self.join.end();
        blocks::finish(self.cutter, &self.join, self.shares, false)
    }
}
