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
        }
        Ok(())
    }

    /// How far the job is.
    pub fn progress(&self) -> Progress {
        Progress {
            bytes: self.input.bytes,
            frames: self.counting.frames.frames,
            packets: self.counting.in_flows.frames,
            flows: self.table.len() as u64,
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
        self.input.analysis(is_stopped, (&self.counting, &counts), found, &self.rules, tell)
    }
}
