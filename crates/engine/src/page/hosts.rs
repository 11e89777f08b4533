//! Windows of the host table, and one host whole.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use classify::Fact;
use v1::page::{HostDetail, HostRow, Hosts};

use super::{Tally, first_lines, most_first, windowed};
use crate::{
    Analysis,
    hosts::{MAX_NAMES, scope},
    statistics,
};

/// How many labels a row shows.
const ROW_LABELS: usize = 4;
/// How many peers a host shows.
const MAX_PEERS: usize = 50;

pub(super) fn window(analysis: &Analysis, search: &str, offset: u32, len: u32) -> Hosts {
    let search = search.trim().to_lowercase();
    let mut matching = std::borrow::Cow::Borrowed(analysis.hosts.by_bytes());
    if !search.is_empty() {
        matching.to_mut().retain(|place| {
            let Some(ip) = analysis.hosts.ip(*place, &analysis.flows) else { return false };
            let mut names = analysis.hosts.names(ip, &analysis.verdicts);
            ip.to_string().contains(&search)
                || names.any(|it| it.0.to_lowercase().contains(&search))
        });
    }
    Hosts {
        matching: matching.len() as u64,
        rows: windowed(&matching, offset, len)
            .iter()
            .filter_map(|place| row(analysis, *place))
            .collect(),
    }
}

/// The name to show for an address.
pub(super) fn name(analysis: &Analysis, ip: IpAddr) -> Option<String> {
    analysis.hosts.names(ip, &analysis.verdicts).next().map(|it| it.0.to_owned())
}

pub(super) fn row(analysis: &Analysis, place: u32) -> Option<HostRow> {
    let host = analysis.hosts.get(place)?;
    let ip = analysis.hosts.ip(place, &analysis.flows)?;
    let ends = analysis.hosts.ends(place);
    let mut labels: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, verdict) in ends.iter().filter_map(|it| analysis.labelled(it.flow())) {
        *labels.entry(&*verdict.label).or_default() += 1;
    }
    let mut labels = most_first(labels);
    labels.truncate(ROW_LABELS);
    let name = analysis.hosts.names(ip, &analysis.verdicts).next();
    Some(HostRow {
        ip: ip.to_string(),
        name: name.map(|it| it.0.to_owned()),
        name_source: name.map(|it| it.1.to_owned()),
        scope: scope(ip).to_owned(),
        country: None,
        client_flows: u64::from(host.client_flows),
        server_flows: ends.len() as u64 - u64::from(host.client_flows),
        bytes: host.bytes,
        labels,
    })
}

pub(super) fn detail(analysis: &Analysis, ip: &str) -> Option<HostDetail> {
    let ip: IpAddr = ip.parse().ok()?;
    let place = analysis.hosts.find(ip, &analysis.flows)?;
    let ends = analysis.hosts.ends(place);
    let mut labels = Tally::default();
    let mut peers: BTreeMap<IpAddr, (u64, u64)> = BTreeMap::new();
    let mut user_agents: BTreeSet<&str> = BTreeSet::new();
    for end in ends {
        let Some((flow, verdict)) = analysis.labelled(end.flow()) else { continue };
        labels.add(&verdict.label, verdict.group, verdict.protocol, flow);
        let peer = if flow.client.ip == ip { flow.server.ip } else { flow.client.ip };
        let (flows, bytes) = peers.entry(peer).or_default();
        *flows += 1;
        *bytes += flow.bytes();
        if let Some(agent) = verdict.facts().told.get(Fact::UserAgent).filter(|_| !end.is_server())
            && user_agents.len() < MAX_NAMES
        {
            user_agents.insert(agent);
        }
    }
    let mut peers: Vec<(IpAddr, u64, u64)> =
        peers.into_iter().map(|(peer, (flows, bytes))| (peer, flows, bytes)).collect();
    peers.sort_by_key(|it| Reverse((it.2, it.1)));
    peers.truncate(MAX_PEERS);
    let peers = peers
        .into_iter()
        .map(|(peer, flows, bytes)| (peer.to_string(), name(analysis, peer), flows, bytes));
    let names = analysis.hosts.names(ip, &analysis.verdicts);
    let rows = ends.iter().filter_map(|it| analysis.row(it.flow()));
    Some(HostDetail {
        row: row(analysis, place)?,
        names: names.map(|it| (it.0.to_owned(), it.1.to_owned())).collect(),
        user_agents: user_agents.into_iter().map(str::to_owned).collect(),
        labels: labels.into_rows(),
        peers: peers.collect(),
        statistics: first_lines(statistics::of(rows)),
    })
}
