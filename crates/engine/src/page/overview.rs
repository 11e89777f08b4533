//! The first look: totals, traffic over time, what there is most of.

use flow::Transport;
use v1::page::{Fared, Overview, SeriesBy};

use super::{MAX_LINES, Tally, breakdown, hosts};
use crate::{Analysis, Filter, statistics};

/// The most bars the traffic over time can have.
pub(super) const MAX_BINS: u32 = 2_000;
/// How many hosts the overview shows.
const TOP_HOSTS: usize = 12;

pub(super) fn overview(analysis: &Analysis, bins: u32) -> Overview {
    let (mut labels, mut protocols) = (Tally::default(), Tally::default());
    let (mut recognised_bytes, mut named_bytes) = (0, 0);
    for (flow, verdict) in analysis.flows.iter().zip(&analysis.verdicts) {
        labels.add(&verdict.label, verdict.group, verdict.protocol, flow);
        protocols.add(verdict.protocol, "", verdict.protocol, flow);
        if verdict.protocol != classify::UNKNOWN {
            recognised_bytes += flow.own_bytes();
        }
        if matches!(verdict.evidence(), "name" | "own") {
            named_bytes += flow.own_bytes();
        }
    }
    let mut protocols = protocols.into_rows();
    for row in &mut protocols {
        row.group = classify::group_of_protocol(&row.label).to_owned();
    }
    let flows = || analysis.flows.iter();
    let all: Vec<u32> = (0..analysis.n_flows() as u32).collect();
    Overview {
        flows: analysis.n_flows() as u64,
        sessions: analysis.sessions().len() as u64,
        hosts: analysis.hosts.len() as u64,
        client_bytes: flows().map(|it| it.own_bytes_by_side().0).sum(),
        server_bytes: flows().map(|it| it.own_bytes_by_side().1).sum(),
        time_start_ns: analysis.time_start_ns(),
        time_end_ns: flows().map(|it| it.last.0).max().unwrap_or(0),
        recognised_bytes,
        named_bytes,
        timeline: breakdown::over_time(analysis, bins, SeriesBy::Group, &all),
        labels: labels.into_rows(),
        protocols,
        top_hosts: analysis
            .hosts
            .by_bytes()
            .iter()
            .take(TOP_HOSTS)
            .filter_map(|place| hosts::row(analysis, *place))
            .collect(),
        statistics: statistics::first(analysis.each(), MAX_LINES),
        tcp: fared(analysis),
        tcp_flows: flows().filter(|it| it.transport == Transport::TCP).count() as u64,
        reading: analysis.reading().clone(),
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

fn fared(analysis: &Analysis) -> Vec<Fared> {
    let start = analysis.time_start_ns();
    let fates = FATES.iter().filter_map(|(what, filter)| {
        let fared = Fared { what: (*what).to_owned(), filter: (*filter).to_owned(), flows: 0 };
        Some((Filter::parse(filter).ok()?, fared))
    });
    let mut fates: Vec<(Filter, Fared)> = fates.collect();
    for row in analysis.each().filter(|it| it.transport == Transport::TCP) {
        for (filter, fared) in &mut fates {
            fared.flows += u64::from(filter.matches(&row, start));
        }
    }
    fates.into_iter().map(|it| it.1).filter(|it| it.flows > 0).collect()
}
