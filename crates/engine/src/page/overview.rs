//! The first look: totals, traffic over time, what there is most of.

use flow::Transport;
use v1::page::{Fared, Overview, SeriesBy};

use super::{MAX_LINES, Tally, breakdown, chosen::Chosen, hosts};
use crate::{Analysis, Filter, statistics};

/// The most bars the traffic over time can have.
pub(super) const MAX_BINS: u32 = 2_000;
/// How many hosts the overview shows.
const TOP_HOSTS: usize = 12;

pub(super) fn overview(analysis: &Analysis, bins: u32, filter: &str) -> Overview {
    let chosen = match analysis.chosen(filter) {
        Ok(chosen) => chosen,
        Err(error) => return Overview { filter_error: Some(error), ..Overview::default() },
    };
    let (mut labels, mut protocols) = (Tally::default(), Tally::default());
    let mut seen = Overview::default();
    let mut time_start_ns = u64::MAX;
    for (flow, verdict) in chosen.labelled(analysis) {
        labels.add(&verdict.label, verdict.group, verdict.protocol, flow);
        protocols.add(verdict.protocol, "", verdict.protocol, flow);
        let (client, server) = flow.own_bytes_by_side();
        seen.client_bytes += client;
        seen.server_bytes += server;
        if verdict.protocol != classify::UNKNOWN {
            seen.recognised_bytes += flow.own_bytes();
        }
        if matches!(verdict.evidence(), "name" | "own") {
            seen.named_bytes += flow.own_bytes();
        }
        time_start_ns = time_start_ns.min(flow.first.0);
        seen.time_end_ns = seen.time_end_ns.max(flow.last.0);
        seen.tcp_flows += u64::from(flow.transport == Transport::TCP);
    }
    let mut protocols = protocols.into_rows();
    for row in &mut protocols {
        row.group = classify::group_of_protocol(&row.label).to_owned();
    }
    let packets = || chosen.labelled(analysis).map(|it| it.0.packets()).sum();
    let sessions = analysis.sessions();
    let n_sessions = match chosen.is_whole() {
        true => sessions.len(),
        false => chosen.sessions(&sessions).iter().filter(|it| **it).count(),
    };
    Overview {
        flows: chosen.len(),
        sessions: n_sessions as u64,
        hosts: chosen.hosts(analysis).len() as u64,
        packets: (!chosen.is_whole()).then(packets),
        time_start_ns: if chosen.flows.is_empty() { 0 } else { time_start_ns },
        timeline: breakdown::over_time(analysis, bins, SeriesBy::Group, &chosen),
        labels: labels.into_rows(),
        protocols,
        top_hosts: hosts::rows(analysis, &chosen, 0..TOP_HOSTS),
        statistics: statistics::first(chosen.rows(analysis), MAX_LINES),
        tcp: fared(analysis, &chosen),
        reading: analysis.reading().clone(),
        ..seen
    }
}

/// What can befall a TCP connection, and the filter that finds those that it befell.
const FATES: &[(&str, &str)] = &[
    ("unanswered", "transport:tcp state:S0"),
    ("refused", "transport:tcp state:REJ"),
    ("reset", "state:RSTO or state:RSTR or state:RSTOS0 or state:RSTRH"),
    ("retransmissions", "retransmissions>0"),
    ("out_of_order", "out_of_order>0"),
    ("zero_windows", "zero_windows>0"),
    ("lost_bytes", "lost_bytes>0"),
];

fn fared(analysis: &Analysis, chosen: &Chosen) -> Vec<Fared> {
    let start = analysis.time_start_ns();
    let fates = FATES.iter().filter_map(|(what, filter)| {
        let fared = Fared { what: (*what).to_owned(), filter: (*filter).to_owned(), flows: 0 };
        Some((Filter::parse(filter).ok()?, fared))
    });
    let mut fates: Vec<(Filter, Fared)> = fates.collect();
    for row in chosen.rows(analysis).filter(|it| it.transport == Transport::TCP) {
        for (filter, fared) in &mut fates {
            fared.flows += u64::from(filter.matches(&row, start));
        }
    }
    fates.into_iter().map(|it| it.1).filter(|it| it.flows > 0).collect()
}
