//! A pcap read span by span on many machines: what travels between them are bytes, and of nearly all flows each travels once.
//!
//! ```text
//! span ─Surveying─▶ survey ─Gather─▶ account, orders, partials
//!       anywhere            in order           │        │
//! span ────────────────────────────────────Mapping──────┴─▶ flows, partials ─Reducing─▶ flows ─Settling─▶ Analysis
//!                                          anywhere                          by share          all together
//! ```
//!
//! A survey says of a span what its neighbours must know ([`capture::Told`]) and which keys are in it. Who gathers the surveys, in
//! order, knows then which keys are in one span alone: flows of these are put together and labelled where they are mapped. Packets of
//! all others are dealt to shares by their keys. What flows know of each other is settled once all are together.
//!
//! A span that cannot say so much, because it is damaged or nothing tells where its first record begins, is read by who gathers. Why
//! frames are set aside travels as an example of each reason, which is decoded once more.

use std::{collections::VecDeque, io, net::IpAddr, sync::Arc};

use capture::{Block, Counts, Dissector, Frame, Span, Timestamp, Told, Undecoded};
use flow::{KeyTally, Keys, Partial, PartialError, PartialWriter, SharedKeys, Shuffle};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use v1::page::Tally;

use crate::{
    Analysis, Cutter, Join, Mapped, Plan, Reduce, Rules,
    blocks::{self, CarriedFlows},
    input::Account,
    neighbours::{Carried, Neighbours},
    reading::Counting,
};

/// So many bytes behind a span are read with it, for its last record.
const BEHIND: usize = 1 << 18;

// What each kind of bytes begins with; the last one is the version.
const SURVEY: &[u8] = b"TrAM\x02";
const ORDERS: &[u8] = b"TrAO\x01";
const FLOWS: &[u8] = b"TrAF\x01";
const ACCOUNT: &[u8] = b"TrAA\x01";

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
    /// An example of the frames that were set aside for each reason, and how many there are like it.
    set_aside: Vec<(CarriedFrame, Tally)>,
    shortened: (u64, u64),
    incredible_times: u64,
    neighbours: Carried,
    /// The first and the last frames.
    edges: Vec<CarriedFrame>,
    /// Frames with fragments.
    left: Vec<CarriedFrame>,
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

/// What was read of a capture, on its way.
#[derive(Serialize, Deserialize)]
struct CarriedAccount {
    /// As JSON: it leaves out what is empty, which postcard cannot.
    reading: String,
    told: Vec<(IpAddr, String)>,
    n_fragments: u64,
    neighbours: Carried,
}

#[derive(Debug, Serialize, Deserialize)]
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
    postcard::from_bytes(body).ok().ok_or(SpanError::Damaged)
}

/// Surveys a span: what it says of itself to who gathers.
#[derive(Debug)]
pub struct Surveying {
    rules: Rules,
    dissector: Dissector,
    counting: Counting,
    /// By reason.
    examples: Vec<(Undecoded, CarriedFrame)>,
    first: Vec<CarriedFrame>,
    last: VecDeque<CarriedFrame>,
    left: Vec<CarriedFrame>,
    tally: KeyTally,
}

impl Surveying {
    /// No frame yet.
    pub fn new(plan: &Plan) -> Self {
        Self {
            rules: plan.rules.clone(),
            dissector: Dissector::of_block().with_checksums(plan.rules.has_checksums),
            counting: Counting::of_block(),
            examples: Vec::new(),
            first: Vec::new(),
            last: VecDeque::new(),
            left: Vec::new(),
            tally: KeyTally::new(plan.seed),
        }
    }

    /// The survey of a span of which this is told ([`capture::SpanCutter::finish`]); of one that tells nothing there is none: who gathers has to
    /// read it.
    pub fn finish(self, told: Told) -> Vec<u8> {
        let Self { dissector, counting, .. } = self;
        let Counts { duplicates, too_deep, .. } = dissector.counts();
        let examples = self.examples.into_iter();
        let survey = Survey {
            told,
            counts: (duplicates, too_deep),
            tallies: [counting.frames, counting.in_flows],
            set_aside: examples.map(|it| (it.1, counting.set_aside(it.0))).collect(),
            shortened: counting.shortened,
            incredible_times: counting.incredible_times,
            neighbours: counting.neighbours.carried(),
            edges: self.first.into_iter().chain(self.last).collect(),
            left: self.left,
            keys: self.tally.finish(),
        };
        seal(SURVEY, &survey)
    }

    /// Takes the next frames of the span.
    pub fn push(&mut self, block: Block) {
        let [n_first, n_last] = Dissector::EDGES;
        let block = Arc::new(block);
        let mut shuffle = Shuffle::new(Some(Arc::clone(&block)), 1, self.rules.apart);
        let Self { dissector, counting, examples, first, last, left, tally, .. } = self;
        blocks::decode(&block, dissector, &mut shuffle, |number, frame, decoded, is_left| {
            if counting.count(frame, decoded)
                && let Err(reason) = decoded
            {
                examples.push((reason, CarriedFrame::of(frame)));
            }
            if is_left {
                left.push(CarriedFrame::of(frame));
            }
            if first.len() < n_first {
                first.push(CarriedFrame::of(frame));
            } else if number + n_last >= block.len() {
                last.push_back(CarriedFrame::of(frame));
            }
        });
        last.drain(..last.len().saturating_sub(n_last));
        shuffle.finish().iter().for_each(|it| tally.push(it));
    }
}

/// What became of a span.
#[derive(Clone, Debug, Default)]
pub struct MappedSpan {
    /// The flows of the keys that are in no other span.
    pub flows: Vec<u8>,
    /// The packets of all others, by shares; empty where a share has none.
    pub partials: Vec<Vec<u8>>,
}

/// Maps a span that was surveyed, as it was ordered.
#[derive(Debug)]
pub struct Mapping {
    told: Told,
    rules: Rules,
    dissector: Dissector,
    shared: Arc<SharedKeys>,
    alone: Reduce,
    shares: Vec<PartialWriter>,
}

impl Mapping {
    /// No frame yet. `None` where orders are empty: who gathers has read the span, and nothing becomes of it.
    ///
    /// # Errors
    /// Where the orders are damaged.
    pub fn new(orders: &[u8], plan: &Plan) -> Result<Option<Self>, SpanError> {
        if orders.is_empty() {
            return Ok(None);
        }
        let Orders { told, n_shares, shared } = open(ORDERS, orders)?;
        let rules = plan.rules.clone();
        Ok(Some(Self {
            told,
            dissector: Dissector::of_block().with_checksums(rules.has_checksums),
            shared: Arc::new(SharedKeys::new(&shared, plan.seed)),
            alone: Reduce::new(plan),
            shares: (0..n_shares).map(|_| PartialWriter::new(rules.apart)).collect(),
            rules,
        }))
    }

    /// What became of the span, of which this is told now ([`capture::SpanCutter::finish`]).
    ///
    /// # Errors
    /// Where it is not what was surveyed.
    pub fn finish(mut self, told: Option<Told>) -> Result<MappedSpan, SpanError> {
        if told != Some(self.told) {
            return Err(SpanError::Changed);
        }
        self.alone.end();
        let write = |it: PartialWriter| if it.is_empty() { Vec::new() } else { it.finish() };
        Ok(MappedSpan {
            flows: seal(FLOWS, &self.alone.into_carried()),
            partials: self.shares.into_iter().map(write).collect(),
        })
    }

    /// Takes the next frames of the span.
    pub fn push(&mut self, block: Block) {
        let (block, n_shares) = (Arc::new(block), self.shares.len());
        let mut shuffle = Shuffle::new(Some(Arc::clone(&block)), n_shares, self.rules.apart)
            .with_shared(Arc::clone(&self.shared));
        blocks::decode(&block, &mut self.dissector, &mut shuffle, |_, _, _, _| {});
        let mut partials = shuffle.finish();
        let alone = partials.pop();
        self.alone.push(alone.as_slice());
        for (writer, partial) in self.shares.iter_mut().zip(&partials) {
            writer.push(partial, Some(&self.shared));
        }
    }
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

/// No span counts further.
const MOST: u64 = 1 << 48;

impl Survey {
    /// Whether its numbers can be, and every frame counts once.
    fn adds_up(&self) -> bool {
        let [frames, in_flows] = self.tallies;
        let Told { n_frames, out_of_order, overlong, .. } = self.told;
        let (duplicates, too_deep) = self.counts;
        let (shortened, longest) = self.shortened;
        let others = [out_of_order, overlong, duplicates, too_deep, shortened, longest];
        let tallies = self.set_aside.iter().map(|it| it.1).chain([frames, in_flows]);
        let of_tallies = tallies.flat_map(|it| [it.frames, it.wire_bytes, it.stored_bytes]);
        let mut numbers = of_tallies.chain(others).chain([self.incredible_times]);
        let is_possible = numbers.all(|it| it < MOST) && self.set_aside.len() < 1 << 8;
        is_possible && n_frames == frames.frames && {
            let mut sum = in_flows;
            self.set_aside.iter().for_each(|it| sum.add(it.1));
            sum == frames
        }
    }

    /// The span, what is to be joined of it, and its keys, for a capture with this header.
    fn read(self, header: &[u8], plan: &Plan) -> Result<(Span, Mapped, Keys), SpanError> {
        if !self.adds_up() {
            return Err(SpanError::Damaged);
        }
        let span = Span::of_told(&self.told, header).ok_or(SpanError::Damaged)?;
        let block = Block::of(self.left.iter().map(CarriedFrame::frame));
        let (duplicates, too_deep) = self.counts;
        let counts = Counts { duplicates, too_deep, ..Counts::default() };
        let dissector = Dissector::of_edges(self.edges.iter().map(CarriedFrame::frame), counts);
        let mut counting = Counting::of_block();
        [counting.frames, counting.in_flows] = self.tallies;
        (counting.shortened, counting.incredible_times) = (self.shortened, self.incredible_times);
        counting.neighbours = Neighbours::of_carried(self.neighbours);
        let mut once_more = Dissector::of_block().with_checksums(plan.rules.has_checksums);
        for (frame, tally) in self.set_aside {
            let reason = once_more.push(&frame.frame(), &mut |_| {}).err();
            counting.put_aside(reason.ok_or(SpanError::Damaged)?, tally);
        }
        // Its packets go to the shares from elsewhere.
        let partials = Shuffle::new(None, plan.n_shares.max(1), plan.rules.apart).finish();
        let left = (0..block.len()).collect();
        let mapped = Mapped { block: Arc::new(block), partials, left, counting, dissector };
        Ok((span, mapped, self.keys))
    }
}

/// Gathers the surveys of a capture, in their order.
pub struct Gather {
    plan: Plan,
    header: Vec<u8>,
    /// How long the capture is, in bytes.
    len: u64,
    cutter: Cutter,
    join: Join,
    /// Of every span what it told and its keys, where it was taken as it was surveyed.
    spans: Vec<Option<(Told, Keys)>>,
    /// What is dealt here.
    partials: Vec<Dealt>,
    /// The capture stopped being one; the error is with the cutter.
    is_ended: bool,
}

/// What follows of the surveys.
#[derive(Debug)]
pub struct Gathered {
    /// What becomes of each span, as bytes for [`Mapping::new`].
    pub orders: Vec<Vec<u8>>,
    /// What is dealt here, by the spans it comes with.
    pub dealt: Vec<Dealt>,
    /// What was read, as bytes for [`Settling::new`].
    pub account: Vec<u8>,
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

    /// What follows, once all surveys are there.
    pub fn finish(mut self) -> Gathered {
        self.cutter.end(false);
        let dealt = self.join.end();
        self.deal(dealt);
        let mut from_here = KeyTally::new(self.plan.seed);
        self.partials.iter().for_each(|it| from_here.push(&it.partial));
        let n_shares = self.plan.n_shares.max(1) as u32;
        let split =
            |it: Option<(Told, Keys)>| it.map_or_else(Default::default, |it| (Some(it.0), it.1));
        let (told, keys): (Vec<Option<Told>>, Vec<Keys>) =
            self.spans.into_iter().map(split).unzip();
        let shared = Keys::shared(&keys, &from_here.finish());
        let orders = told.into_iter().zip(shared).map(|(told, shared)| match told {
            Some(told) => seal(ORDERS, &Orders { told, n_shares, shared }),
            None => Vec::new(),
        });
        let Account { reading, told, n_fragments, neighbours } =
            blocks::account(self.cutter, &self.join, false);
        // Numbers, texts and lists always have a form in JSON.
        let reading = serde_json::to_string(&reading).unwrap_or_default();
        let neighbours = neighbours.carried();
        let account = CarriedAccount { reading, told, n_fragments, neighbours };
        let account = seal(ACCOUNT, &account);
        Gathered { orders: orders.collect(), dealt: self.partials, account }
    }
}

/// Puts the flows of a capture together, and settles what they know of each other.
#[derive(Debug)]
pub struct Settling {
    plan: Plan,
    account: Account,
    shares: Vec<Reduce>,
}

impl Settling {
    /// No flow yet, of a capture that was gathered by a plan with the same rules.
    ///
    /// # Errors
    /// Where the bytes are no account.
    pub fn new(account: &[u8], plan: &Plan) -> Result<Self, SpanError> {
        let CarriedAccount { reading, told, n_fragments, neighbours } = open(ACCOUNT, account)?;
        let reading = serde_json::from_str(&reading).ok().ok_or(SpanError::Damaged)?;
        let neighbours = Neighbours::of_carried(neighbours);
        let account = Account { reading, told, n_fragments, neighbours };
        Ok(Self { plan: plan.clone(), account, shares: Vec::new() })
    }

    /// Takes flows of a span or a share, in any order.
    ///
    /// # Errors
    /// Where the bytes are none.
    pub fn push(&mut self, flows: &[u8]) -> Result<(), SpanError> {
        let flows: CarriedFlows = open(FLOWS, flows)?;
        self.shares.push(Reduce::of_carried(flows, &self.plan).ok_or(SpanError::Damaged)?);
        Ok(())
    }

    /// What one pass over the capture would have found, but for the first bytes that the page shows of flows: they do not travel.
    pub fn finish(self) -> Analysis {
        let rules = &self.plan.rules;
        self.account.analysis(blocks::merge(self.shares, rules), rules, &mut |_| {})
    }
}
