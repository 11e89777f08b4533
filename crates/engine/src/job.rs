//! A capture read in one pass: what a host does that has one thread.

use std::sync::Arc;

use capture::{Dissector, Error, Packet};
use classify::OwnRules;
use flow::Apart;

use crate::{Analysis, comments::Comments, input::Input, labels::Labels, reading::Counting};

/// What counts as a packet, which packets are one flow, and what the user calls flows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What keeps flows apart.
    pub apart: Apart,
    /// Packets with a wrong checksum are in no flow; see [`Dissector::with_checksums`].
    pub has_checksums: bool,
    /// The user's rules, before those built in.
    pub own: Arc<OwnRules>,
    /// About how many flows there is room for: of more, half are set aside and counted, see [`flow::Table::set_aside`]. Only a
    /// [`Job`] knows it; stages on several threads keep all.
    pub max_flows: Option<u32>,
}

/// What is done once all is read, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Flows are labelled that did not say all they can before.
    Labels,
    /// Flows are named by what DNS told, and grouped into sessions.
    Sessions,
    /// Hosts are counted.
    Hosts,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the capture read so far.
    pub bytes: u64,
    /// Frames read so far.
    pub frames: u64,
    /// Packets put into flows so far.
    pub packets: u64,
    /// Flows found so far.
    pub flows: u64,
}

/// A capture under analysis. The host reads the file, feeds it and decides when it is enough.
///
/// ```
/// let mut job = engine::Job::new("empty.pcap", 0);
/// // Chunk by chunk; any chunking gives the same analysis.
/// assert!(job.feed(b"").is_ok());
/// // Early, where the user stopped it: what was read so far.
/// let analysis = job.finish(true);
/// assert_eq!(analysis.n_flows(), 0);
/// ```
#[derive(Debug)]
pub struct Job {
    input: Input,
    dissector: Dissector,
    table: flow::Table,
    labels: Labels,
    /// What the capture says of packets, by flow.
    comments: Comments,
    counting: Counting,
    rules: Rules,
}

impl Job {
    /// Starts a job. The seed is random, once per run: see [`flow::Table::new`].
    pub fn new(file_name: &str, seed: u64) -> Self {
        Self::with_rules(file_name, seed, &Rules::default())
    }

    /// The same, by other rules.
    pub fn with_rules(file_name: &str, seed: u64, rules: &Rules) -> Self {
        Self {
            input: Input::new(file_name),
            dissector: Dissector::new(seed).with_checksums(rules.has_checksums),
            table: flow::Table::new(seed, rules.apart),
            labels: Labels::default(),
            comments: Comments::default(),
            counting: Counting::default(),
            rules: rules.clone(),
        }
    }

    /// Takes the next bytes of the capture.
    ///
    /// # Errors
    /// Where the bytes are no capture, now or in an earlier call. What was read before stays: [`Job::finish`] has it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.input.feed(bytes)?;
        let read = self.drain();
        self.input.keep(read)
    }

    /// The same without a copy: `read` puts the next bytes at the front of what it is given, which has room for so many, and
    /// says how many it put there. Returns that; 0 at the end of the file, and once what was read is no capture.
    ///
    /// # Errors
    /// Where `read` fails.
    pub fn fill<E>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let taken = self.input.fill(len, read)?;
        if taken > 0 {
            let read = self.drain();
            // It is kept, and told in the end.
            drop(self.input.keep(read));
        }
        Ok(taken)
    }

    fn drain(&mut self) -> Result<(), Error> {
        while let Some(frame) = self.input.decoder.next_frame()? {
            let mut sink = |packet: &Packet<'_>| {
                let flow = self.table.push(packet);
                // Fragments of earlier frames may come out now.
                if let Some(comment) = frame.comment
                    && packet.time == frame.time
                {
                    self.comments.add(flow, comment);
                }
                while let Some((number, flow)) = self.table.next_settled() {
                    self.labels.label(number, flow, &self.rules.own);
                }
            };
            // A fragment that is held back counts as in flows: it comes out in the end.
            let decoded = self.dissector.push(&frame, &mut sink);
            self.counting.count(&frame, decoded);
            if self.rules.max_flows.is_some_and(|it| self.table.len() > it as usize) {
                self.set_aside(self.table.len() / 2);
            }
        }
        Ok(())
    }

    fn set_aside(&mut self, n_left: usize) {
        let (aside, kept) = self.table.set_aside(n_left);
        self.counting.flows_aside += aside;
        self.labels.keep(&kept);
        self.comments.keep(&kept);
    }

    /// Goes on with the next file of the same capture, as a recorder begins one after the other: flows go on, and what waits
    /// of the file before is read first. Files come in the order of their first times, see [`crate::first_time`]. What is
    /// wrong with one ends its reading alone.
    pub fn next_file(&mut self, file_name: &str) {
        if self.input.end() {
            let read = self.drain();
            self.input.close(read, false);
        }
        self.input.begin_next(file_name, self.counting.frames.frames);
    }

    /// How far the job is.
    pub fn progress(&self) -> Progress {
        Progress {
            bytes: self.input.all_bytes(),
            frames: self.counting.frames.frames,
            packets: self.counting.in_flows.frames,
            flows: self.table.len() as u64 + self.counting.flows_aside.flows,
        }
    }

    /// Says that the host can read the file no further, and why. What was read stays: [`Job::finish`] has it.
    pub fn interrupt(&mut self, why: &str) {
        self.input.interrupt(why);
    }

    /// What there is so far.
    pub(crate) fn seen(&self) -> (&flow::Table, &Labels, &OwnRules) {
        (&self.table, &self.labels, &self.rules.own)
    }

    /// Labels and groups the flows read so far. A job that was stopped or interrupted is not called cut short.
    pub fn finish(self, is_stopped: bool) -> Analysis {
        self.finish_telling(is_stopped, &mut |_| {})
    }

    /// The same, and says what it is about to do.
    pub fn finish_telling(mut self, is_stopped: bool, tell: &mut dyn FnMut(Stage)) -> Analysis {
        tell(Stage::Labels);
        if self.input.end() {
            let read = self.drain();
            self.input.close(read, is_stopped);
        }
        let table = &mut self.table;
        self.dissector.finish(&mut |packet| {
            table.push(packet);
        });
        let mut flows = self.table.finish();
        let verdicts = self.labels.finish(&mut flows, &self.rules.own);
        let counts = self.dissector.counts();
        let found = (flows, verdicts, self.comments);
        let account = self.input.account(is_stopped, &self.counting, &counts);
        account.analysis(found, &self.rules, tell)
    }
}
