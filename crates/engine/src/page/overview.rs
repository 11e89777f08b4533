//! The first look: totals, traffic over time, what there is most of.

use std::collections::BTreeMap;

use v1::page::{GroupSeries, Overview, TrafficTimeline};

use super::{Tally, hosts};
use crate::{Analysis, statistics};

/// The most bars the traffic over time can have.
const MAX_BINS: u32 = 2_000;
/// How many hosts the overview shows.
const TOP_HOSTS: usize = 12;

pub(super) fn overview(analysis: &Analysis, bins: u32) -> Overview {
    let rows = analysis.rows();
    let (mut labels, mut protocols) = (Tally::default(), Tally::default());
    let (mut recognised_bytes, mut named_bytes) = (0, 0);
    for (flow, verdict) in &analysis.flows {
        labels.add(&verdict.label, verdict.group, verdict.protocol, flow);
        let group = classify::group_of_protocol(verdict.protocol);
        protocols.add(verdict.protocol, group, verdict.protocol, flow);
        if verdict.protocol != classify::UNKNOWN {
            recognised_bytes += flow.bytes();
        }
        if verdict.evidence() == "name" {
            named_bytes += flow.bytes();
        }
    }
    Overview {
        flows: rows.len() as u64,
        sessions: analysis.sessions.len() as u64,
        hosts: analysis.hosts.by_ip.len() as u64,
        client_bytes: rows.iter().map(|it| it.client_bytes).sum(),
        server_bytes: rows.iter().map(|it| it.server_bytes).sum(),
        time_start_ns: analysis.time_start_ns(),
        time_end_ns: rows.iter().map(|it| it.time_end_ns).max().unwrap_or(0),
        recognised_bytes,
        named_bytes,
        timeline: timeline(analysis, bins.clamp(1, MAX_BINS)),
        labels: labels.into_rows(),
        protocols: protocols.into_rows(),
        top_hosts: hosts::by_bytes(analysis)
            .into_iter()
            .take(TOP_HOSTS)
            .map(|(ip, host)| hosts::row(analysis, ip, host))
            .collect(),
        statistics: statistics::of(rows.iter()),
        reading: analysis.reading().clone(),
    }
}

/// Every packet in its bar.
fn timeline(analysis: &Analysis, bins: u32) -> TrafficTimeline {
    let start_ns = analysis.time_start_ns();
    let end_ns = analysis.rows().iter().map(|it| it.time_end_ns).max().unwrap_or(start_ns);
    // One more than the time between first and last packet, so that the last falls into the last bar.
    let bin_ns = ((end_ns - start_ns + 1).div_ceil(u64::from(bins))).max(1);
    let mut series: BTreeMap<&str, GroupSeries> = BTreeMap::new();
    for (flow, verdict) in &analysis.flows {
        let empty = || vec![0; bins as usize];
        let of = series.entry(verdict.group).or_insert_with(|| GroupSeries {
            group: verdict.group.to_owned(),
            bytes: empty(),
            packets: empty(),
            flows: empty(),
        });
        let bin = |nanos: u64| (nanos.saturating_sub(start_ns) / bin_ns) as usize;
        if let Some(slot) = of.flows.get_mut(bin(flow.first.0)) {
            *slot += 1;
        }
        for step in flow.timeline.steps() {
            let at = bin(step.time.0);
            if let (Some(bytes), Some(packets)) = (of.bytes.get_mut(at), of.packets.get_mut(at)) {
                *bytes += u64::from(step.frame_len);
                *packets += 1;
            }
        }
    }
    let mut series: Vec<GroupSeries> = series.into_values().collect();
    series.sort_by_key(|it| std::cmp::Reverse(it.bytes.iter().sum::<u64>()));
    TrafficTimeline { start_ns, bin_ns, series }
}
