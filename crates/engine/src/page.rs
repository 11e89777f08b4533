//! The page's questions and their answers: windows of tables, details, charts.

mod breakdown;
mod chosen;
pub(crate) mod compare;
mod flows;
pub(crate) mod hosts;
mod order;
mod overview;
pub(crate) mod schemas;
pub(crate) mod sessions;
mod talks;

use std::collections::BTreeMap;

use flow::Flow;
use serde_json::{Value, json};
use v1::page::{LabelRow, LinkRow, Query};

use crate::{Analysis, notable};

pub(crate) use flows::Kept;

/// How many first bytes of each side are kept for the page.
pub(crate) const HEAD_LEN: usize = 512;
/// The most rows one window can have.
const MAX_WINDOW: u32 = 1_000;
/// The most lines of one statistic; the v1 interface gives them all.
const MAX_LINES: usize = 10_000;

/// Answers the page.
pub(crate) fn answer(analysis: &Analysis, query: &Query) -> Value {
    match query {
        Query::Overview { bins, filter } => json!(overview::overview(analysis, *bins, filter)),
        Query::Timeline { bins, by, filter } => {
            json!(breakdown::timeline(analysis, *bins, *by, filter))
        }
        Query::Breakdown { filter } => json!(breakdown::breakdown(analysis, filter)),
        Query::Countries { filter } => json!(hosts::countries(analysis, filter)),
        Query::Notable { filter } => match analysis.chosen(filter) {
            Ok(chosen) if chosen.is_whole() => json!(analysis.notable()),
            Ok(chosen) => json!(notable::find(analysis, &chosen.flows)),
            Err(_) => Value::Null,
        },
        Query::Flows { filter, timeout, sort, is_descending, offset, len } => {
            let sort = (*sort, *is_descending);
            json!(flows::window(analysis, filter, timeout, sort, *offset, *len))
        }
        Query::Flow { flow_id, timeout } => json!(flows::detail(analysis, *flow_id, timeout)),
        Query::Hosts { filter, search, offset, len } => {
            json!(hosts::window(analysis, filter, search, *offset, *len))
        }
        Query::Host { ip } => json!(hosts::detail(analysis, ip)),
        Query::Sessions { filter, offset, len } => {
            json!(sessions::window(analysis, filter, *offset, *len))
        }
        Query::Session { session_id } => json!(sessions::detail(analysis, *session_id)),
        Query::Decide { decision } => json!(analysis.decide(*decision)),
        Query::Undo { number } => json!(analysis.undo(*number)),
        Query::Decisions => json!(analysis.decisions()),
        Query::Digest => json!(compare::digest(analysis)),
        Query::Talks { filter, by, n_ends } => {
            json!(talks::talks(analysis, filter, *by, *n_ends))
        }
        Query::Schemas => json!(schemas::rows()),
        Query::Suggest { filter, at, limit } => {
            json!(crate::filter::suggest(analysis, filter, *at, *limit))
        }
    }
}

/// What of a list is in a window.
fn windowed<T>(list: &[T], offset: u32, len: u32) -> &[T] {
    let rest = list.get(offset as usize..).unwrap_or_default();
    rest.get(..len.min(MAX_WINDOW) as usize).unwrap_or(rest)
}

/// Labels or protocols of flows, most bytes first.
#[derive(Default)]
pub(crate) struct Tally<'a> {
    rows: BTreeMap<&'a str, Counted<'a>>,
    /// Flows of the same texts, not yet in the rows, and their places by where these texts lie.
    same: Vec<Same<'a>>,
    places: BTreeMap<[usize; 3], usize>,
}

#[derive(Default)]
struct Counted<'a> {
    group: &'a str,
    protocols: BTreeMap<&'a str, u64>,
    flows: u64,
    bytes: u64,
}

/// Flows whose label and protocol lie at the same places: nearly all texts are those of tables.
struct Same<'a> {
    label: &'a str,
    group: &'a str,
    protocol: &'a str,
    flows: u64,
    bytes: u64,
}

/// How many of these are gathered before they are put into the rows.
const MAX_SAME: usize = 4_096;

impl<'a> Tally<'a> {
    pub(crate) fn add(&mut self, label: &'a str, group: &'a str, protocol: &'a str, flow: &Flow) {
        let place = [label.as_ptr().addr(), label.len(), protocol.as_ptr().addr()];
        let at = *self.places.entry(place).or_insert_with(|| {
            self.same.push(Same { label, group, protocol, flows: 0, bytes: 0 });
            self.same.len() - 1
        });
        if let Some(same) = self.same.get_mut(at) {
            same.flows += 1;
            same.bytes += flow.own_bytes();
        }
        if self.same.len() > MAX_SAME {
            self.gather();
        }
    }

    fn gather(&mut self) {
        self.places.clear();
        for it in self.same.drain(..) {
            let row = self.rows.entry(it.label).or_default();
            row.group = it.group;
            *row.protocols.entry(it.protocol).or_default() += it.flows;
            row.flows += it.flows;
            row.bytes += it.bytes;
        }
    }

    pub(crate) fn into_rows(mut self) -> Vec<LabelRow> {
        self.gather();
        let mut rows: Vec<LabelRow> = self
            .rows
            .into_iter()
            .map(|(label, it)| LabelRow {
                label: label.to_owned(),
                group: it.group.to_owned(),
                protocols: most_first(it.protocols),
                flows: it.flows,
                bytes: it.bytes,
            })
            .collect();
        // The map's order keeps equal ones by label.
        rows.sort_by_key(|it| std::cmp::Reverse((it.bytes, it.flows)));
        rows
    }
}

/// Words by how often they occur, most first, equal ones in order.
fn most_first(counts: BTreeMap<&str, u64>) -> Vec<String> {
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|it| std::cmp::Reverse(it.1));
    counts.into_iter().map(|it| it.0.to_owned()).collect()
}

fn link(analysis: &Analysis, edge: &session::Edge) -> LinkRow {
    LinkRow {
        from: edge.from,
        to: edge.to,
        kind: edge.kind.name().to_owned(),
        evidence: edge.evidence(&analysis.flows, &analysis.verdicts),
        percent: edge.percent,
    }
}
