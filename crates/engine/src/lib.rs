//! The whole way from bytes to answers: the web worker, the companion and the command line are its hosts.
//!
//! It opens no file and asks for no time: hosts feed bytes, pass `now`, and carry answers.

mod blocks;
mod comments;
mod countries;
mod decided;
mod export;
mod filter;
mod guesses;
mod hosts;
mod identity;
mod input;
mod job;
mod kin;
mod label_table;
mod labels;
mod lesson;
mod library;
mod makers;
mod neighbours;
mod notable;
mod page;
mod pcapng;
mod picker;
mod preview;
mod reading;
mod report;
mod rows;
mod session_features;
mod spread;
mod statistics;
mod studio;
mod systems;

use std::{
    net::IpAddr,
    ops::Range,
    sync::{Arc, Mutex, OnceLock},
};

use classify::Verdict;
use flow::{Flow, Many};
use session::{Addresses, Sessions};
use v1::{
    Notice, Severity,
    page::{FlowRow, HostRow, Reading, SessionRow},
};

use crate::rows::Row;

pub use crate::{
    blocks::{Cutter, Join, Mapped, Plan, Reduce, finish, map, progress},
    countries::{Countries, CountriesError},
    export::{
        Batch, BatchColumn, CellKind, Cells, Columns, Export, FORMATS, FlowWriter, Format, Part,
        Parts, Timeout, Values, csv_cell, label_columns, session_columns,
    },
    filter::{Filter, FilterKey, filter_conditions, filter_keys, filter_value},
    guesses::{Applying, NotOfFlows},
    identity::{EDGE_LEN, FRONT_LEN, first_time, identity, identity_of_several, name_of_several},
    job::{Job, Progress, Rules, Stage},
    label_table::{LabelTable, LabelTableError, labels_of_captures},
    lesson::{Lesson, Taught, Teacher},
    library::{FileEntry, Found, Known, Library, file},
    makers::{Makers, MakersError},
    page::compare::{compare, digest, digest_of},
    picker::{PCAPNG, Passed, PickError, Picked, Picker, Remarks},
    report::{Report, ReportError, Summary},
    spread::{
        Dealt, Gather, Gathered, MappedSpan, Mapping, Reducing, Settling, SpanError, Surveying,
    },
    studio::{Studio, StudioError, card, choices, say},
};
pub use capture::{Block, Error, Span, SpanCutter, plain};
pub use classify::{OwnRules, OwnRulesError};
pub use flow::{Apart, Partial};
pub use session::KINDS as SESSION_KINDS;

/// What a capture holds. Answers the questions of the page and of the v1 interface.
///
/// A capture may hold a million flows: what can be told of a flow by its packets, its verdict and its session is told
/// when it is asked for, and not kept.
#[derive(Debug)]
pub struct Analysis {
    reading: Reading,
    read: Read,
    /// By their first packet; only the first bytes the page shows are kept of them.
    flows: Many<Flow>,
    /// The label of every flow.
    verdicts: Many<Verdict>,
    comments: comments::Comments,
    sessions: decided::Decided,
    /// What is known of every address.
    hosts: hosts::Hosts,
    /// What a model says of flows.
    guesses: guesses::Guesses,
    /// What windows of the flow table were cut from.
    order: Mutex<page::Kept>,
    /// How often the values occur that were last asked for.
    counted: Mutex<Option<filter::Counted>>,
    /// What is worth a look; found when first asked for.
    notable: OnceLock<v1::Notables>,
    /// Who sends for which addresses.
    neighbours: neighbours::Neighbours,
    /// The user's own database.
    countries: Option<Arc<Countries>>,
    makers: Option<Arc<Makers>>,
}

/// What is to be known of how a capture was read, to read it again.
#[derive(Debug)]
struct Read {
    rules: Rules,
    /// Fragments of IP packets.
    n_fragments: u64,
}

impl Analysis {
    fn new(
        (flows, mut verdicts, comments): (Many<Flow>, Many<Verdict>, comments::Comments),
        told: Vec<(IpAddr, String)>,
        mut reading: Reading,
        read: Read,
        tell: &mut dyn FnMut(Stage),
    ) -> Self {
        let own = &read.rules.own;
        tell(Stage::Sessions);
        let addresses = Addresses::new(&flows);
        let answered = hosts::name_by_answers(&flows, &mut verdicts, &addresses, own);
        kin::label(&flows, &mut verdicts, &addresses);
        let sessions = session::group(&flows, &verdicts, &addresses);
        label_announced(&mut verdicts, &sessions);
        if !own.is_empty() {
            for (flow, verdict) in flows.iter().zip(&mut verdicts) {
                classify::relabel_by_guess(verdict, flow, own);
            }
        }
        labels::share(&mut verdicts);
        let sessions = decided::Decided::new(sessions);
        tell(Stage::Hosts);
        let hosts = hosts::Hosts::new(&flows, &verdicts, addresses, &answered, told);
        reading.names = hosts.sources(&verdicts);
        let (guesses, order, counted, notable, neighbours, countries, makers) = Default::default();
        Self {
            reading,
            read,
            flows,
            verdicts,
            comments,
            sessions,
            hosts,
            guesses,
            order,
            counted,
            notable,
            neighbours,
            countries,
            makers,
        }
    }

    /// Whether several files were read as one capture.
    pub fn is_of_several(&self) -> bool {
        !self.reading.files.is_empty()
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
        self.each_of(0..self.flows.len() as u32)
    }

    /// The same of those with these numbers.
    fn each_of(&self, numbers: Range<u32>) -> impl Iterator<Item = Row<'_>> + Clone {
        let sessions = self.sessions();
        numbers.filter_map(move |number| self.row_in(&sessions, number))
    }

    /// The same of some, by their numbers.
    fn rows_of<'a>(&'a self, numbers: &'a [u32]) -> impl Iterator<Item = Row<'a>> + Clone {
        let sessions = self.sessions();
        numbers.iter().filter_map(move |number| self.row_in(&sessions, *number))
    }

    /// The numbers of the flows that pass a filter, in order; a country that nobody knows is that of no flow.
    pub fn passing(&self, filter: &Filter) -> Vec<u32> {
        let start = self.time_start_ns();
        self.each().filter(|it| filter.matches(it, start)).map(|it| it.flow_id).collect()
    }

    /// The sessions of which a flow passes a filter, whole; those of most flows first.
    pub fn session_rows(&self, filter: &Filter) -> impl Iterator<Item = SessionRow> {
        page::sessions::rows(self, filter)
    }

    /// The hosts of which a flow passes a filter, whole; those of most bytes first.
    pub fn host_rows(&self, filter: &Filter) -> impl Iterator<Item = HostRow> {
        page::hosts::passing(self, filter)
    }

    /// A flow as answers see it.
    fn row(&self, number: u32) -> Option<Row<'_>> {
        self.row_in(&self.sessions(), number)
    }

    fn row_in(&self, sessions: &Sessions, number: u32) -> Option<Row<'_>> {
        let (flow, verdict) = self.labelled(number)?;
        let mut row = Row::new(number, sessions.of(number), flow, verdict);
        row.by_rules = self.has_guesses().then(|| self.by_rules(number, verdict));
        row.countries = self.countries.as_deref();
        Some(row)
    }

    fn labelled(&self, number: u32) -> Option<(&Flow, &Verdict)> {
        Some((self.flows.get(number as usize)?, self.verdicts.get(number as usize)?))
    }

    /// The sessions as they are now: found, and decided.
    fn sessions(&self) -> Arc<Sessions> {
        self.sessions.now()
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

    /// What [`Library::finish`] wants to know: what was found, or why not a single frame could be read.
    pub fn result(self: &Arc<Self>) -> Result<Found, String> {
        match self.failure() {
            Some(notice) => Err(notice.to_string()),
            None => Ok(Found::Read(Arc::clone(self))),
        }
    }

    /// Knows makers of network interfaces by this list from now on; by none, no makers.
    pub fn set_makers(&mut self, makers: Option<Arc<Makers>>) {
        self.makers = makers;
    }

    /// What the v1 interface is told of the flows that pass a filter, and of no other.
    pub fn into_found(mut self, filter: &Filter) -> Found {
        // Counts know no numbers: the sessions and hosts of these are not asked for any more.
        let passing = self.passing(filter);
        self.flows = only(&passing, self.flows);
        self.verdicts = only(&passing, self.verdicts);
        Found::Read(Arc::new(self))
    }

    /// Knows countries by this database from now on; by none, no countries.
    pub fn set_countries(&mut self, countries: Option<Arc<Countries>>) {
        self.countries = countries;
        // A filter may ask for a country.
        self.order = Mutex::default();
        self.counted = Mutex::default();
    }

    /// Whether a database of countries is loaded.
    pub fn knows_countries(&self) -> bool {
        self.countries.is_some()
    }

    /// The country of an address, where a database is loaded and knows it.
    pub(crate) fn country(&self, ip: IpAddr) -> Option<&str> {
        self.countries.as_ref()?.of(ip)
    }

    /// What is worth a look. No model changes it.
    pub fn notable(&self) -> &v1::Notables {
        let all = || (0..self.n_flows() as u32).collect::<Vec<u32>>();
        self.notable.get_or_init(|| notable::find(self, &all()))
    }

    /// Answers the page.
    pub fn page(&self, query: &v1::page::Query) -> serde_json::Value {
        page::answer(self, query)
    }
}

/// Those with these numbers, which are in order.
fn only<T>(numbers: &[u32], all: Many<T>) -> Many<T> {
    let all = (0..).zip(all).filter(|it: &(u32, T)| numbers.binary_search(&it.0).is_ok());
    all.map(|it| it.1).collect()
}

/// Labels flows without a payload of their own kind by the dialogue that announced them: FTP data, a call's media.
fn label_announced(verdicts: &mut Many<Verdict>, sessions: &Sessions) {
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
