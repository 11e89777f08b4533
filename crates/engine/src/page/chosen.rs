//! The flows that a filter leaves, which every list and figure of the page is of, kept from one question to the next.

use std::{
    cmp::Reverse,
    sync::{Arc, OnceLock},
};

use classify::Verdict;
use flow::Flow;
use v1::page::FilterError;

use crate::{Analysis, Filter, rows::Row};

/// How many filters are remembered: that of the page, and the same without the range of its chart.
pub(super) const MAX_CHOSEN: usize = 2;

/// What a filter leaves.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// As the user typed it.
    pub(super) filter: String,
    /// The flows that pass, by number.
    pub(super) flows: Vec<u32>,
    /// No flow is asked anything: the filter is empty.
    is_whole: bool,
    /// What is counted of the hosts of these flows, where they are not all; made when first asked for.
    hosts: OnceLock<Vec<Counted>>,
}

/// The hosts of the chosen flows, most bytes first, equal ones by address.
#[derive(Clone, Copy)]
pub(super) enum ChosenHosts<'a> {
    /// Those of all flows, by their places: what is counted of them is known.
    Whole(&'a Analysis),
    Some(&'a [Counted]),
}

impl ChosenHosts<'_> {
    /// How many.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Whole(analysis) => analysis.hosts.len(),
            Self::Some(counted) => counted.len(),
        }
    }

    /// One of them.
    pub(super) fn get(self, at: usize) -> Option<Counted> {
        match self {
            Self::Whole(analysis) => whole(analysis, *analysis.hosts.by_bytes().get(at)?),
            Self::Some(counted) => counted.get(at).copied(),
        }
    }
}

/// A host, and what the chosen flows make of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    /// The host's place.
    pub(super) place: u32,
    /// Flows it opened.
    pub(super) client_flows: u64,
    /// Flows it answered.
    pub(super) server_flows: u64,
    /// Frame bytes of both, both ways.
    pub(super) bytes: u64,
}

impl Chosen {
    fn new(analysis: &Analysis, filter: &str) -> Result<Self, FilterError> {
        let parsed = Filter::parse(filter)?.where_countries(analysis.countries.is_some())?;
        let is_whole = filter.trim().is_empty();
        let flows = match is_whole {
            true => (0..analysis.n_flows() as u32).collect(),
            false => analysis.passing(&parsed),
        };
        let hosts = OnceLock::new();
        Ok(Self { filter: filter.to_owned(), flows, is_whole, hosts })
    }

    /// Whether no filter narrows what is shown.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How many flows.
    pub(super) fn len(&self) -> u64 {
        self.flows.len() as u64
    }

    /// Whether this flow is one of them.
    pub(super) fn holds(&self, flow: u32) -> bool {
        self.is_whole || self.flows.binary_search(&flow).is_ok()
    }

    /// The flows and their verdicts.
    pub(super) fn labelled<'a>(
        &'a self,
        analysis: &'a Analysis,
    ) -> impl Iterator<Item = (&'a Flow, &'a Verdict)> + Clone {
        self.flows.iter().filter_map(|it| analysis.labelled(*it))
    }

    /// The flows as answers see them.
    pub(super) fn rows<'a>(
        &'a self,
        analysis: &'a Analysis,
    ) -> impl Iterator<Item = Row<'a>> + Clone {
        analysis.rows_of(&self.flows)
    }

    /// For every flow of the capture, whether it is one of them.
    fn marks(&self, analysis: &Analysis) -> Vec<bool> {
        let mut marks = vec![false; analysis.n_flows()];
        for number in &self.flows {
            if let Some(mark) = marks.get_mut(*number as usize) {
                *mark = true;
            }
        }
        marks
    }

    /// The sessions that one of them is of, by number: for each of the capture, whether it is such a one.
    pub(super) fn sessions(&self, sessions: &session::Sessions) -> Vec<bool> {
        let mut has_chosen = vec![self.is_whole; sessions.len()];
        for number in self.flows.iter().filter(|_| !self.is_whole) {
            if let Some(it) = has_chosen.get_mut(sessions.of(*number) as usize) {
                *it = true;
            }
        }
        has_chosen
    }

    /// The hosts that opened or answered one of them.
    pub(super) fn hosts<'a>(&'a self, analysis: &'a Analysis) -> ChosenHosts<'a> {
        match self.is_whole {
            true => ChosenHosts::Whole(analysis),
            false => ChosenHosts::Some(self.hosts.get_or_init(|| self.count(analysis))),
        }
    }

    fn count(&self, analysis: &Analysis) -> Vec<Counted> {
        let marks = self.marks(analysis);
        let (mut counted, mut order) = (Vec::new(), Vec::new());
        for place in 0..analysis.hosts.len() as u32 {
            let mut host = Counted { place, client_flows: 0, server_flows: 0, bytes: 0 };
            for end in analysis.hosts.ends(place) {
                // The mark first: of most filters few flows are looked at.
                let is_chosen = marks.get(end.flow() as usize).is_some_and(|it| *it);
                let Some((flow, _)) = analysis.labelled(end.flow()).filter(|_| is_chosen) else {
                    continue;
                };
                host.client_flows += u64::from(!end.is_server());
                host.server_flows += u64::from(end.is_server());
                host.bytes += flow.bytes();
            }
            if host.client_flows + host.server_flows > 0 {
                order.push((Reverse(host.bytes), counted.len() as u32));
                counted.push(host);
            }
        }
        // As all hosts are sorted: another type would be sorted by code of its own.
        order.sort_unstable();
        order.into_iter().filter_map(|it| counted.get(it.1 as usize).copied()).collect()
    }
}

/// A host of the whole capture.
pub(super) fn whole(analysis: &Analysis, place: u32) -> Option<Counted> {
    let host = analysis.hosts.get(place)?;
    let n_ends = analysis.hosts.ends(place).len() as u64;
    let client_flows = u64::from(host.client_flows);
    Some(Counted { place, client_flows, server_flows: n_ends - client_flows, bytes: host.bytes })
}

impl Analysis {
    /// What a filter leaves, as far as that was not asked just before.
    pub(super) fn chosen(&self, filter: &str) -> Result<Arc<Chosen>, FilterError> {
        let lock = || self.order.lock().unwrap_or_else(|it| it.into_inner());
        if let Some(chosen) = lock().chosen(filter) {
            return Ok(chosen);
        }
        let chosen = Arc::new(Chosen::new(self, filter)?);
        lock().keep(Arc::clone(&chosen));
        Ok(chosen)
    }
}
