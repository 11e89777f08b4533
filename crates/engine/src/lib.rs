//! The whole way from bytes to answers: the web worker, the companion and the command line are its hosts.
//!
//! It opens no file and asks for no time: hosts feed bytes, pass `now`, and carry answers.

mod comments;
mod export;
mod filter;
mod hosts;
mod library;
mod page;
mod reading;
mod rows;
mod statistics;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use capture::{Decoder, Dissector, Packet};
use classify::{Example, Model, Verdict};
use features::{Piece, Schema};
use flow::Flow;
use serde::{Deserialize, Serialize};
use session::Sessions;
use v1::{
    Notice, Severity,
    page::{FlowRow, Reading},
};

use crate::rows::Row;

pub use crate::{
    export::{Export, Format},
    filter::Filter,
    library::{FileEntry, Found, JobRecord, Library},
};
pub use capture::{Error, plain};
pub use flow::Apart;

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
    file_name: String,
    decoder: Decoder,
    dissector: Dissector,
    table: flow::Table,
    /// Of flows labelled before the capture ends.
    verdicts: Vec<Option<Verdict>>,
    /// What the capture says of packets, by flow.
    comments: comments::Comments,
    counting: reading::Counting,
    bytes: u64,
    error: Option<Error>,
    /// Why the host could not read the file to its end.
    interruption: Option<String>,
}

impl Job {
    /// Starts a job. The seed is random, once per run: see [`flow::Table::new`].
    pub fn new(file_name: &str, seed: u64) -> Self {
        Self::apart(file_name, seed, Apart::default())
    }

    /// The same, with different networks kept apart.
    pub fn apart(file_name: &str, seed: u64, apart: Apart) -> Self {
        Self {
            file_name: file_name.to_owned(),
            decoder: Decoder::default(),
            dissector: Dissector::new(seed),
            table: flow::Table::new(seed, apart),
            verdicts: Vec::new(),
            comments: comments::Comments::default(),
            counting: reading::Counting::default(),
            bytes: 0,
            error: None,
            interruption: None,
        }
    }

    /// Takes the next bytes of the capture.
    ///
    /// # Errors
    /// Where the bytes are no capture, now or in an earlier call. What was read before stays: [`Job::finish`] has it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        self.bytes += bytes.len() as u64;
        self.decoder.feed(bytes);
        self.drain()
    }

    fn drain(&mut self) -> Result<(), Error> {
        loop {
            match self.decoder.next_frame() {
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.error = Some(error.clone());
                    return Err(error);
                }
                Ok(Some(frame)) => {
                    let table = &mut self.table;
                    let comments = &mut self.comments;
                    let mut sink = |packet: &Packet<'_>| {
                        let flow = table.push(packet);
                        // Fragments of earlier frames may come out now.
                        if let Some(comment) = frame.comment
                            && packet.time == frame.time
                        {
                            comments.add(flow, comment);
                        }
                    };
                    // A fragment that is held back counts as in flows: it comes out in the end.
                    let decoded = self.dissector.push(&frame, &mut sink);
                    self.counting.count(&frame, decoded);
                    self.label_settled();
                }
            }
        }
    }

    /// Labels the flows that have said all their heads can hold, and frees what the page does not show of them.
    fn label_settled(&mut self) {
        while let Some((number, flow)) = self.table.next_settled() {
            let at = number as usize;
            if self.verdicts.len() <= at {
                self.verdicts.resize(at + 1, None);
            }
            if let Some(slot) = self.verdicts.get_mut(at) {
                *slot = Some(label(flow));
            }
        }
    }

    /// How far the job is.
    pub fn progress(&self) -> Progress {
        Progress {
            bytes: self.bytes,
            frames: self.counting.frames.frames,
            packets: self.counting.in_flows.frames,
            flows: self.table.len() as u64,
        }
    }

    /// Says that the host can read the file no further, and why. What was read stays: [`Job::finish`] has it.
    pub fn interrupt(&mut self, why: &str) {
        self.interruption = Some(why.to_owned());
    }

    /// Labels and groups the flows read so far. A job that was stopped or interrupted is not called cut short.
    pub fn finish(mut self, is_stopped: bool) -> Analysis {
        let is_early = is_stopped || self.interruption.is_some();
        if self.error.is_none() {
            self.decoder.end();
            let ended = self.drain().and_then(|()| self.decoder.finish());
            self.error = ended.err().filter(|_| !is_early);
        }
        let table = &mut self.table;
        self.dissector.finish(&mut |packet| {
            table.push(packet);
        });
        let mut format = self.decoder.format().unwrap_or("unknown").to_owned();
        if let Some(packing) = self.decoder.packing() {
            format = format!("{format}, {packing}");
        }
        let notices = self.notices(is_stopped);
        let reading = Reading {
            file_name: self.file_name,
            format,
            bytes: self.bytes,
            account: self.counting.account(self.decoder.oddities().skipped),
            origin: reading::origin(self.decoder.notes()),
            names: Vec::new(),
            notices,
            is_stopped,
        };
        let mut flows = self.table.finish();
        self.verdicts.resize(flows.len(), None);
        let verdicts = self.verdicts.into_iter().zip(&mut flows);
        let verdicts = verdicts.map(|(known, flow)| known.unwrap_or_else(|| label(flow))).collect();
        let names = self.decoder.names().iter();
        let told = names.map(|(ip, name)| (*ip, plain(name))).collect();
        Analysis::new(flows, verdicts, self.comments, told, reading)
    }

    /// What the reader should know, the worst first.
    fn notices(&self, is_stopped: bool) -> Vec<Notice> {
        let n_frames = self.counting.frames.frames;
        let oddities = self.decoder.oddities();
        let mut notices = reading::of_damages(self.decoder.damages(), &oddities);
        notices.extend(self.error.as_ref().map(|it| reading::of_error(it, n_frames)));
        notices.extend(reading::of_archive(&self.decoder));
        if let Some(why) = &self.interruption {
            let parameters = vec![why.as_str().into(), self.bytes.into()];
            notices.push(Notice::new("E-IO", "early", parameters).at(self.bytes));
        }
        if is_stopped {
            notices.push(Notice::new("W-STOPPED", "", vec![self.bytes.into()]));
        }
        // Where no frame could be read, why is said already.
        if n_frames > 0 || notices.is_empty() {
            notices.extend(self.counting.notices(&self.dissector.counts(), &oddities));
        }
        let n_names = self.decoder.names().len() as u64;
        notices.extend(reading::of_notes(self.decoder.notes(), n_names));
        notices.sort_by_key(Notice::severity);
        notices
    }
}

/// Labels a flow that has said all its heads can hold, or all the capture has, and frees what the page does not show of its first bytes.
fn label(flow: &mut Flow) -> Verdict {
    let verdict = classify::label(flow);
    flow.heads.keep(page::HEAD_LEN);
    verdict
}

/// What a capture holds. Answers the questions of the page and of the v1 interface.
///
/// A capture may hold a million flows: what can be told of a flow by its packets, its verdict and its session is told
/// when it is asked for, and not kept.
#[derive(Debug)]
pub struct Analysis {
    reading: Reading,
    /// By their first packet; only the first bytes the page shows are kept of them.
    flows: Vec<Flow>,
    /// The label of every flow.
    verdicts: Vec<Verdict>,
    comments: comments::Comments,
    sessions: Sessions,
    /// What is known of every address.
    hosts: hosts::Hosts,
    /// What the last window of the flow table was cut from.
    order: Mutex<Option<page::Order>>,
}

/// All that the v1 answers about a capture need; it can be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was read, and what was not.
    pub reading: Reading,
    /// The flows, by their first packet.
    pub rows: Vec<FlowRow>,
}

impl Analysis {
    fn new(
        flows: Vec<Flow>,
        mut verdicts: Vec<Verdict>,
        comments: comments::Comments,
        told: Vec<(IpAddr, String)>,
        mut reading: Reading,
    ) -> Self {
        let answered = hosts::name_by_answers(&flows, &mut verdicts);
        let sessions = session::group(&flows, &verdicts);
        label_announced(&mut verdicts, &sessions);
        let hosts = hosts::Hosts::new(&flows, &verdicts, &answered, told);
        reading.names = hosts.sources(&verdicts);
        Self { reading, flows, verdicts, comments, sessions, hosts, order: Mutex::default() }
    }

    /// How many flows there are.
    pub fn n_flows(&self) -> usize {
        self.flows.len()
    }

    /// The flows as rows, by their first packet, made one at a time.
    pub fn rows(&self) -> impl Iterator<Item = FlowRow> {
        self.each().map(Row::to_texts)
    }

    /// The flows as answers see them, by their first packet.
    fn each(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        (0..).map_while(|number| self.row(number))
    }

    /// The numbers of the flows that pass a filter, in order.
    pub fn passing(&self, filter: &Filter) -> Vec<u32> {
        let start = self.time_start_ns();
        self.each().filter(|it| filter.matches(it, start)).map(|it| it.flow_id).collect()
    }

    /// A flow as answers see it.
    fn row(&self, number: u32) -> Option<Row<'_>> {
        let (flow, verdict) = self.labelled(number)?;
        Some(Row::new(number, self.sessions.of(number), flow, verdict))
    }

    fn labelled(&self, number: u32) -> Option<(&Flow, &Verdict)> {
        Some((self.flows.get(number as usize)?, self.verdicts.get(number as usize)?))
    }

    /// What was read, and what was not.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// Whether the whole capture was read without damage.
    pub fn is_complete(&self) -> bool {
        let is_error = |it: &Notice| it.severity() == Severity::Error;
        !self.reading().is_stopped && !self.reading().notices.iter().any(is_error)
    }

    /// Why not a single frame could be read, where that is so.
    pub fn failure(&self) -> Option<&Notice> {
        let notice = self.reading().notices.first()?;
        let is_nothing = self.reading().account.frames.frames == 0;
        (is_nothing && notice.severity() == Severity::Error).then_some(notice)
    }

    /// Frees what no v1 answer needs: the first bytes of the flows and their packets.
    pub fn keep_counts(&mut self) {
        for flow in &mut self.flows {
            flow.heads.keep(0);
            flow.timeline = flow::Timeline::default();
        }
        self.hosts = hosts::Hosts::default();
    }

    /// What [`Library::finish`] wants to know: what was found, or why not a single frame could be read.
    pub fn result(self: &Arc<Self>) -> Result<Found, String> {
        match self.failure() {
            Some(notice) => Err(notice.to_string()),
            None => Ok(Found::Read(Arc::clone(self))),
        }
    }

    /// Labels the flows that say nothing of themselves by a model.
    pub fn apply(&mut self, model: &Model) {
        let Some(schema) = model.schema() else { return };
        let cut = schema.cut(model.timeout_micros());
        let vector = |it: &Piece<'_>| features::vector(schema, &it.sample(schema));
        for (flow, verdict) in self.flows.iter().zip(&mut self.verdicts) {
            if verdict.label == classify::UNKNOWN {
                let vectors: Vec<_> = features::pieces(flow, cut).iter().map(vector).collect();
                classify::label_by_model(verdict, model, &vectors);
            }
        }
        self.order = Mutex::default();
    }

    /// The flows as rows to learn from: all with one label, or each with its own, and then only those that have one.
    pub fn examples(
        &self,
        schema: &Schema,
        timeout_micros: Option<u64>,
        label: Option<&str>,
        origin: u32,
    ) -> Vec<Example> {
        let cut = schema.cut(timeout_micros);
        let mut examples = Vec::new();
        for (flow, verdict) in self.flows.iter().zip(&self.verdicts) {
            let label = match label {
                Some(label) => label,
                None if verdict.label == classify::UNKNOWN => continue,
                None => &verdict.label,
            };
            for piece in features::pieces(flow, cut) {
                let features = features::vector(schema, &piece.sample(schema));
                examples.push(Example { features, label: label.to_owned(), origin });
            }
        }
        examples
    }

    /// Answers the page.
    pub fn page(&self, query: &v1::page::Query) -> serde_json::Value {
        page::answer(self, query)
    }
}

/// Labels flows without a payload of their own kind by the dialogue that announced them: FTP data, a call's media.
fn label_announced(verdicts: &mut [Verdict], sessions: &Sessions) {
    for edge in sessions.edges() {
        let (protocol, port) = match edge.kind {
            session::Kind::FtpData { port } => ("ftp", port),
            session::Kind::Media { port } => ("rtp", port),
            _ => continue,
        };
        if let Some(verdict) = verdicts.get_mut(edge.to as usize) {
            classify::relabel_by_announcement(verdict, protocol, edge.from, port);
        }
    }
}
