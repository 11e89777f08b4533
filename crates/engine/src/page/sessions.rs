//! Windows of the session table, and one session whole.

use std::{cmp::Reverse, collections::BTreeMap};

use classify::Verdict;
use session::Session;
use v1::page::{SessionDetail, SessionRow, Sessions};

use super::{link, most_first, schemas, windowed};
use crate::{Analysis, Filter, rows::Row};

/// How many flows and links a session shows.
const MAX_SHOWN: usize = 1_000;

/// The sessions with a flow that passes, whole; each with how many of its flows do.
pub(super) fn window(analysis: &Analysis, filter: &str, offset: u32, len: u32) -> Sessions {
    let chosen = match analysis.chosen(filter) {
        Ok(chosen) => chosen,
        Err(error) => return Sessions { filter_error: Some(error), ..Sessions::default() },
    };
    let sessions = analysis.sessions();
    let mut order = most_flows_first(&sessions);
    if !chosen.is_whole() {
        let has_chosen = chosen.sessions(&sessions);
        order.retain(|it| has_chosen.get(*it as usize).is_some_and(|it| *it));
    }
    let counted = |number: u32| {
        let session = sessions.get(number)?;
        let passing = session.members.iter().filter(|it| chosen.holds(**it)).count() as u64;
        let chosen_flows = (!chosen.is_whole()).then_some(passing);
        Some(SessionRow { chosen_flows, ..row(analysis, number, session)? })
    };
    let shown = windowed(&order, offset, len).iter();
    Sessions {
        total: order.len() as u64,
        matching_flows: chosen.len(),
        rows: shown.filter_map(|number| counted(*number)).collect(),
        filter_error: None,
    }
}

/// The sessions of which a flow passes, in the order of the table.
pub(crate) fn rows<'a>(
    analysis: &'a Analysis,
    filter: &Filter,
) -> impl Iterator<Item = SessionRow> + use<'a> {
    let sessions = analysis.sessions();
    let mut has_passed = vec![false; sessions.len()];
    for flow in analysis.passing(filter) {
        if let Some(it) = has_passed.get_mut(sessions.of(flow) as usize) {
            *it = true;
        }
    }
    let mut order = most_flows_first(&sessions);
    order.retain(|number| has_passed.get(*number as usize).is_some_and(|it| *it));
    order.into_iter().filter_map(move |number| row(analysis, number, sessions.get(number)?))
}

fn most_flows_first(sessions: &session::Sessions) -> Vec<u32> {
    let n_flows = |number: u32| sessions.get(number).map_or(0, |it| it.members.len());
    let mut order: Vec<u32> = (0..sessions.len() as u32).collect();
    // Equal ones stay in order of their first flow.
    order.sort_by_cached_key(|number| Reverse(n_flows(*number)));
    order
}

pub(super) fn detail(analysis: &Analysis, session_id: u32) -> Option<SessionDetail> {
    let sessions = analysis.sessions();
    let session = sessions.get(session_id)?;
    let rows = session.members.iter().filter_map(|it| analysis.row(*it));
    let links = session.edges.iter().take(MAX_SHOWN);
    let schema = &features::SESSION;
    let features = analysis.session_features(session_id, schema);
    Some(SessionDetail {
        row: row(analysis, session_id, session)?,
        flows: rows.take(MAX_SHOWN).map(Row::to_texts).collect(),
        links: links.map(|it| link(analysis, it)).collect(),
        features: schemas::values(schema, features.as_ref().map(|it| &it.1)),
    })
}

/// The label and the group of most of a session's bytes.
pub(crate) fn label<'a>(
    analysis: &'a Analysis,
    session: Session<'_>,
) -> Option<(&'a str, &'a str)> {
    label_by(analysis, session, |_, verdict| (&*verdict.label, verdict.group))
}

/// The same where flows are called otherwise.
pub(crate) fn label_by<'a>(
    analysis: &'a Analysis,
    session: Session<'_>,
    of_flow: impl Fn(u32, &'a Verdict) -> (&'a str, &'a str),
) -> Option<(&'a str, &'a str)> {
    let mut labels: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for number in session.members {
        let Some((flow, verdict)) = analysis.labelled(*number) else { continue };
        // A name that was only looked up labels its session where nothing else does.
        let weight = if classify::is_lookup(verdict.protocol) { 0 } else { flow.own_bytes() };
        *labels.entry(of_flow(*number, verdict)).or_default() += weight;
    }
    // Of equal ones the first in order.
    labels.into_iter().rev().max_by_key(|it| it.1).map(|it| it.0)
}

/// A session as a row; every session has a flow.
pub(super) fn row(
    analysis: &Analysis,
    session_id: u32,
    session: Session<'_>,
) -> Option<SessionRow> {
    let members = || session.members.iter().filter_map(|it| analysis.labelled(*it));
    let (first, _) = members().next()?;
    let mut names: BTreeMap<&str, u64> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, verdict) in members() {
        if let Some(name) = &verdict.facts().server_name {
            *names.entry(name).or_default() += 1;
        }
    }
    for edge in session.edges {
        *kinds.entry(edge.kind.name()).or_default() += 1;
    }
    let (label, group) = label(analysis, session)?;
    Some(SessionRow {
        session_id,
        client_ip: first.client.ip.to_string(),
        label: label.to_owned(),
        group: group.to_owned(),
        name: most_first(names).into_iter().next(),
        flows: session.members.len() as u64,
        bytes: members().map(|(flow, _)| flow.own_bytes()).sum(),
        time_start_ns: first.first.0,
        time_end_ns: members().map(|(flow, _)| flow.last.0).max()?,
        kinds: most_first(kinds),
        chosen_flows: None,
    })
}
