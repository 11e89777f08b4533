//! Windows of the host table, and one host whole.

use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr};

use v1::page::{HostDetail, HostRow, Hosts};

use super::{Tally, most_first, windowed};
use crate::{
    Analysis,
    hosts::{Host, scope},
    statistics,
};

/// How many labels a row shows.
const ROW_LABELS: usize = 4;
/// How many peers a host shows.
const MAX_PEERS: usize = 50;

/// All hosts, most bytes first, equal ones by address.
pub(super) fn by_bytes(analysis: &Analysis) -> Vec<(IpAddr, &Host)> {
    let mut hosts: Vec<_> = analysis.hosts.by_ip.iter().map(|(ip, host)| (*ip, host)).collect();
    hosts.sort_by_key(|(_, host)| Reverse(host.bytes));
    hosts
}

pub(super) fn window(analysis: &Analysis, search: &str, offset: u32, len: u32) -> Hosts {
    let search = search.trim().to_lowercase();
    let mut hosts = by_bytes(analysis);
    hosts.retain(|(ip, host)| {
        let has_name = || host.names.iter().any(|it| it.0.to_lowercase().contains(&search));
        search.is_empty() || ip.to_string().contains(&search) || has_name()
    });
    Hosts {
        matching: hosts.len() as u64,
        rows: windowed(&hosts, offset, len)
            .iter()
            .map(|(ip, host)| row(analysis, *ip, host))
            .collect(),
    }
}

pub(super) fn row(analysis: &Analysis, ip: IpAddr, host: &Host) -> HostRow {
    let mut labels: BTreeMap<&str, u64> = BTreeMap::new();
    for number in &host.flows {
        if let Some((_, verdict)) = analysis.flows.get(*number as usize) {
            *labels.entry(&*verdict.label).or_default() += 1;
        }
    }
    let mut labels = most_first(labels);
    labels.truncate(ROW_LABELS);
    HostRow {
        ip: ip.to_string(),
        name: host.name().map(|it| it.0.clone()),
        name_source: host.name().map(|it| it.1.to_owned()),
        scope: scope(ip).to_owned(),
        country: None,
        client_flows: host.client_flows,
        server_flows: host.flows.len() as u64 - host.client_flows,
        bytes: host.bytes,
        labels,
    }
}

pub(super) fn detail(analysis: &Analysis, ip: &str) -> Option<HostDetail> {
    let ip: IpAddr = ip.parse().ok()?;
    let host = analysis.hosts.by_ip.get(&ip)?;
    let mut labels = Tally::default();
    let mut peers: BTreeMap<IpAddr, (u64, u64)> = BTreeMap::new();
    for number in &host.flows {
        let Some((flow, verdict)) = analysis.flows.get(*number as usize) else { continue };
        labels.add(&verdict.label, verdict.group, verdict.protocol, flow);
        let peer = if flow.client.ip == ip { flow.server.ip } else { flow.client.ip };
        let (flows, bytes) = peers.entry(peer).or_default();
        *flows += 1;
        *bytes += flow.bytes();
    }
    let mut peers: Vec<_> = peers
        .into_iter()
        .map(|(peer, (flows, bytes))| {
            let name = analysis.hosts.by_ip.get(&peer).and_then(|it| it.name());
            (peer.to_string(), name.map(|it| it.0.clone()), flows, bytes)
        })
        .collect();
    peers.sort_by_key(|it| Reverse((it.3, it.2)));
    peers.truncate(MAX_PEERS);
    let rows = host.flows.iter().filter_map(|it| analysis.rows().get(*it as usize));
    Some(HostDetail {
        row: row(analysis, ip, host),
        names: host.names.iter().map(|it| (it.0.clone(), it.1.to_owned())).collect(),
        user_agents: host.user_agents.iter().cloned().collect(),
        labels: labels.into_rows(),
        peers,
        statistics: statistics::of(rows),
    })
}
