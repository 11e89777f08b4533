//! A capture read block by block, for hosts with several threads: the same analysis as one pass gives, byte for byte.
//!
//! ```text
//! bytes ─Cutter─▶ blocks ─map─▶ mapped ─Join─▶ partials by share ─Reduce─▶ flows ─finish─▶ Analysis
//!        in order        anywhere      in order                  in order         all together
//! ```
//!
//! Blocks are cut one after the other. Each is mapped by itself: its frames become packets, dealt to the shares of their
//! flows' keys. Joining goes over the mapped blocks in order: it counts, and puts fragments together, which may lie far
//! apart. Each share puts its own flows together, block after block. Finishing numbers the flows of all shares.

use std::sync::Arc;

use capture::{Block, Dissector, Error, Frame, Packet, Span, Undecoded};
use classify::{Carried, OwnRules, Verdict};
use flow::{Ended, Many, Partial, Share, Shuffle};
use serde::{Deserialize, Serialize};

use crate::{
    Analysis, Progress, Rules,
    comments::Comments,
    input::{Account, Input, Labelled},
    labels::{self, Labels},
    reading::Counting,
};

/// What all stages of a job know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Random, once per run: see [`flow::Table::new`].
    pub seed: u64,
    /// What counts as a packet, which packets are one flow, and what the user calls flows.
    pub rules: Rules,
    /// Into how many shares the flows are dealt; more than 65,536 are not.
    pub n_shares: usize,
    /// About how long the blocks of a packed capture are, in bytes. Others are as long as what is fed at once.
    pub block_len: usize,
}

impl Plan {
    /// Blocks of about a megabyte.
    pub fn new(seed: u64, rules: Rules, n_shares: usize) -> Self {
        Self { seed, rules, n_shares, block_len: 1 << 18 }
    }

    fn n_shares(&self) -> usize {
        self.n_shares.clamp(1, 1 << 16)
    }
}

/// The first stage: bytes in, blocks out.
#[derive(Debug)]
pub struct Cutter {
    input: Input,
    block_len: usize,
    n_frames: u64,
    is_ended: bool,
}

impl Cutter {
    /// Nothing fed yet.
    pub fn new(file_name: &str, plan: &Plan) -> Self {
        let (input, block_len) = (Input::new(file_name), plan.block_len);
        Self { input, block_len, n_frames: 0, is_ended: false }
    }

    /// Takes the next bytes of the capture. [`Cutter::next_block`] is to be asked until there is none before more is fed.
    ///
    /// # Errors
    /// As [`crate::Job::feed`].
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.input.feed(bytes)
    }

    /// The same without a copy, as [`crate::Job::fill`].
    ///
    /// # Errors
    /// Where `read` fails.
    pub fn fill<E>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        self.input.fill(len, read)
    }

    /// The next block; none until more is fed, or once the capture is over.
    ///
    /// # Errors
    /// Where the bytes are no capture, or stop being one. The blocks before stay.
    pub fn next_block(&mut self) -> Result<Option<Block>, Error> {
        let block = self.input.decoder.next_block(self.block_len);
        match &block {
            Ok(Some(block)) => self.n_frames += block.len() as u64,
            Ok(None) => {}
            // What ends it is told by `close`.
            Err(_) if self.is_ended => {}
            Err(error) => drop(self.input.keep(Err(error.clone()))),
        }
        block
    }

    /// How many bytes were fed so far.
    pub fn bytes(&self) -> u64 {
        self.input.bytes
    }

    /// How many frames are in the blocks so far.
    pub fn frames(&self) -> u64 {
        self.n_frames
    }

    /// Says that the host can read the file no further, and why.
    pub fn interrupt(&mut self, why: &str) {
        self.input.interrupt(why);
    }

    /// Says that nothing more will be fed, and gives the blocks that waited for it. A job that was stopped or interrupted
    /// is not called cut short.
    pub fn end(&mut self, is_stopped: bool) -> Vec<Block> {
        let mut blocks = Vec::new();
        if self.is_ended || !self.input.end() {
            return blocks;
        }
        self.is_ended = true;
        let read = loop {
            match self.next_block() {
                Ok(Some(block)) => blocks.push(block),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.input.close(read, is_stopped);
        blocks
    }
}

/// A pcap that is not packed may be cut anywhere instead, and its spans mapped before their neighbours are known.
impl Cutter {
    /// Where the next record begins, in bytes from the start of the capture. A span that ends before it holds none.
    pub fn offset(&self) -> u64 {
        self.input.decoder.offset()
    }

    /// Whether a span that was cut by itself is what one pass finds in it.
    pub fn accepts(&self, span: &Span) -> bool {
        self.input.decoder.accepts(span)
    }

    /// Cuts the next span again, from [`Cutter::offset`] on: never wrong, for nothing is guessed.
    pub fn cut_span(&self, bytes: &[u8], stop: u64, is_end: bool) -> Span {
        self.input.decoder.cut_span(bytes, stop, is_end)
    }

    /// Takes over the next whole span; so many bytes of the capture were read.
    ///
    /// # Errors
    /// As [`Cutter::next_block`]. The span counts all the same.
    pub fn join(&mut self, span: Span, n_bytes: u64) -> Result<(), Error> {
        self.input.bytes = n_bytes;
        let read = self.input.decoder.join(span);
        self.input.keep(read)
    }
}

/// A block that was mapped.
#[derive(Debug)]
pub struct Mapped {
    pub(crate) block: Arc<Block>,
    /// The packets of every share.
    pub(crate) partials: Vec<Partial>,
    /// Frames with fragments, by their numbers.
    pub(crate) left: Vec<usize>,
    pub(crate) counting: Counting,
    pub(crate) dissector: Dissector,
}

/// The second stage, for each block by itself: frames in, packets by share out.
pub fn map(block: Block, plan: &Plan) -> Mapped {
    let block = Arc::new(block);
    let mut dissector = Dissector::of_block().with_checksums(plan.rules.has_checksums);
    let mut counting = Counting::of_block();
    let mut left = Vec::new();
    let mut shuffle = Shuffle::new(Some(Arc::clone(&block)), plan.n_shares(), plan.rules.apart);
    decode(&block, &mut dissector, &mut shuffle, |number, frame, decoded, is_left| {
        counting.count(frame, decoded);
        left.extend(is_left.then_some(number));
    });
    Mapped { partials: shuffle.finish(), block, left, counting, dissector }
}

/// Decodes the frames of a block. Of each is told its number, whether it could be read, and whether it is left for who joins.
pub(crate) fn decode(
    block: &Block,
    dissector: &mut Dissector,
    shuffle: &mut Shuffle,
    mut tell: impl FnMut(usize, &Frame<'_>, Result<(), Undecoded>, bool),
) {
    for (number, frame) in block.frames().enumerate() {
        shuffle.begin_frame(frame.offset);
        let mut sink = |packet: &Packet<'_>| shuffle.push(packet, frame.comment);
        let decoded = dissector.push(&frame, &mut sink);
        let is_left = dissector.has_left();
        if is_left {
            shuffle.drop_frame();
        }
        tell(number, &frame, decoded, is_left);
    }
}

/// The third stage: mapped blocks in, in their order, and the partials of every share out.
#[derive(Debug)]
pub struct Join {
    plan: Plan,
    dissector: Dissector,
    counting: Counting,
}

impl Join {
    /// No block yet.
    pub fn new(plan: &Plan) -> Self {
        let dissector = Dissector::new(plan.seed).with_checksums(plan.rules.has_checksums);
        Self { plan: plan.clone(), dissector, counting: Counting::default() }
    }

    /// Takes the next block. The partials of every share.
    pub fn push(&mut self, mapped: Mapped) -> Vec<Vec<Partial>> {
        let Mapped { block, partials, left, counting, dissector } = mapped;
        self.dissector.join(&dissector);
        self.counting.add(counting);
        let mut shares: Vec<Vec<Partial>> = partials.into_iter().map(|it| vec![it]).collect();
        if left.is_empty() {
            return shares;
        }
        let mut shuffle = self.shuffle();
        for frame in left.into_iter().filter_map(|it| block.frame(it)) {
            shuffle.begin_frame(frame.offset);
            let mut sink = |packet: &Packet<'_>| {
                // Fragments of earlier frames may come out now.
                let comment = frame.comment.filter(|_| packet.time == frame.time);
                shuffle.push(packet, comment);
            };
            // Whether it could be read was counted with its block.
            let _ = self.dissector.push_left(&frame, &mut sink);
        }
        for (share, partial) in shares.iter_mut().zip(shuffle.finish()) {
            share.push(partial);
        }
        shares
    }

    /// Ends the capture: the last partials of every share.
    pub fn end(&mut self) -> Vec<Vec<Partial>> {
        let mut shuffle = self.shuffle();
        // They come after all frames.
        shuffle.begin_frame(u64::MAX);
        self.dissector.finish(&mut |packet| shuffle.push(packet, None));
        shuffle.finish().into_iter().map(|it| vec![it]).collect()
    }

    fn shuffle(&self) -> Shuffle {
        Shuffle::new(None, self.plan.n_shares(), self.plan.rules.apart)
    }
}

/// The fourth stage, for each share by itself: its partials in, block after block, and its flows out.
#[derive(Debug)]
pub struct Reduce {
    share: Share,
    labels: Labels,
    verdicts: Many<Verdict>,
    comments: Comments,
    /// Those that were new: where their packet is, of which flow, and what they say.
    said: Vec<(u64, u32, String)>,
    own: Arc<OwnRules>,
}

impl Reduce {
    /// No flow yet.
    pub fn new(plan: &Plan) -> Self {
        Self {
            share: Share::new(plan.seed, plan.rules.apart),
            labels: Labels::default(),
            verdicts: Many::default(),
            comments: Comments::default(),
            said: Vec::new(),
            own: Arc::clone(&plan.rules.own),
        }
    }

    /// Takes the share's partials of the next block.
    pub fn push(&mut self, partials: &[Partial]) {
        for sent in flow::in_order(partials) {
            let number = self.share.push(&sent);
            if let Some(comment) = sent.comment
                && self.comments.add(number, comment)
            {
                self.said.push((sent.ordinal, number, comment.to_owned()));
            }
            while let Some((number, flow)) = self.share.next_settled() {
                self.labels.label(number, flow, &self.own);
            }
        }
    }

    /// How many flows.
    pub fn n_flows(&self) -> usize {
        self.share.len()
    }

    /// Ends the capture: labels the flows that are left.
    pub fn end(&mut self) {
        self.share.end();
        self.verdicts = std::mem::take(&mut self.labels).finish(self.share.flows_mut(), &self.own);
        self.comments = Comments::default();
    }

    /// What it found as it travels, once it has ended.
    pub(crate) fn into_carried(mut self) -> CarriedFlows {
        for (flow, verdict) in self.share.flows_mut().iter_mut().zip(&self.verdicts) {
            flow.heads.keep(labels::needed(verdict, &self.own));
        }
        CarriedFlows {
            flows: self.share.into_ended(),
            verdicts: Carried::of(self.verdicts),
            said: self.said,
        }
    }

    /// What was carried, under the same rules; nothing where that were no flows.
    pub(crate) fn of_carried(carried: CarriedFlows, plan: &Plan) -> Option<Self> {
        let CarriedFlows { flows, verdicts, said } = carried;
        let share = Share::of_ended(flows, plan.rules.apart)?;
        let verdicts = verdicts.verdicts(&plan.rules.own)?;
        let n_flows = share.len();
        let is_sound = n_flows == verdicts.len() && said.iter().all(|it| (it.1 as usize) < n_flows);
        is_sound.then(|| Self { share, verdicts, said, ..Self::new(plan) })
    }
}

/// The flows of a share that has ended, on their way.
#[derive(Serialize, Deserialize)]
pub(crate) struct CarriedFlows {
    flows: Ended,
    verdicts: Carried,
    said: Vec<(u64, u32, String)>,
}

/// How far a job is of which so many bytes were cut.
pub fn progress(bytes: u64, join: &Join, n_flows: u64) -> Progress {
    Progress {
        bytes,
        frames: join.counting.frames.frames,
        packets: join.counting.in_flows.frames,
        flows: n_flows,
    }
}
/// The last stage: what one pass over the capture would have found. All stages have ended.
pub fn finish(cutter: Cutter, join: &Join, shares: Vec<Reduce>, is_stopped: bool) -> Analysis {
    let rules = &join.plan.rules;
    account(cutter, join, is_stopped).analysis(merge(shares, rules), rules, &mut |_| {})
}

/// What was read, and what not.
pub(crate) fn account(cutter: Cutter, join: &Join, is_stopped: bool) -> Account {
    cutter.input.account(is_stopped, &join.counting, &join.dissector.counts())
}

/// The flows of all shares, as one pass numbers them.
pub(crate) fn merge(shares: Vec<Reduce>, rules: &Rules) -> Labelled {
    let n_shares = shares.len();
    let (mut tables, mut verdicts, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for (n, reduce) in shares.into_iter().enumerate() {
        tables.push(reduce.share);
        verdicts.push(reduce.verdicts);
        said.extend(reduce.said.into_iter().map(|(ordinal, flow, it)| (ordinal, n, flow, it)));
    }
    let (mut flows, order) = flow::merge(tables);
    let verdicts = order.merge(verdicts);
    labels::trim(&mut flows, &verdicts, &rules.own);
    let mut comments = Comments::default();
    if !said.is_empty() {
        let numbers = order.numbers(n_shares);
        said.sort();
        for (_, share, flow, comment) in &said {
            if let Some(number) = numbers.get(*share).and_then(|it| it.get(*flow as usize)) {
                comments.add(*number, comment);
            }
        }
    }
    (flows, verdicts, comments)
}
