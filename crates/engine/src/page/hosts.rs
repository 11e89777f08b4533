//! Windows of the host table, and one host whole.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use classify::Fact;
use flow::{ConnState, Transport};
use v1::page::{
    CountryRow, CountryTable, HostCard, HostDetail, HostRow, Hosts, PortRow, SystemRow,
};

use super::{
    MAX_LINES, MAX_WINDOW, Tally,
    chosen::{Chosen, Counted, whole},
    most_first, sessions, windowed,
};
use crate::{
    Analysis, Filter,
    hosts::{End, MAX_NAMES, network, scope},
    notable, statistics,
    systems::{SAYING, system},
};

/// How many labels a row shows.
const ROW_LABELS: usize = 4;
/// How many peers a host shows.
const MAX_PEERS: usize = 50;
/// How many ports it served and used.
const MAX_PORTS: usize = 50;
/// How many sessions.
const MAX_SESSIONS: usize = 10;

/// The hosts of the flows that pass, counted over these.
pub(super) fn window(
    analysis: &Analysis,
    filter: &str,
    search: &str,
    offset: u32,
    len: u32,
) -> Hosts {
    let chosen = match analysis.chosen(filter) {
        Ok(chosen) => chosen,
        Err(error) => return Hosts { filter_error: Some(error), ..Hosts::default() },
    };
    let search = search.trim().to_lowercase();
    let hosts = chosen.hosts(analysis);
    let is_found = |at: &usize| {
        let ip = hosts.get(*at).and_then(|it| analysis.hosts.ip(it.place, &analysis.flows));
        let Some(ip) = ip else { return false };
        let mut names = analysis.hosts.names(ip, &analysis.verdicts);
        ip.to_string().contains(&search) || names.any(|it| it.0.to_lowercase().contains(&search))
    };
    let window = offset as usize..offset.saturating_add(len.min(MAX_WINDOW)) as usize;
    let (matching, shown): (usize, Vec<usize>) = match search.is_empty() {
        true => (hosts.len(), window.collect()),
        false => {
            let found: Vec<usize> = (0..hosts.len()).filter(is_found).collect();
            (found.len(), windowed(&found, offset, len).to_vec())
        }
    };
    Hosts {
        matching: matching as u64,
        matching_flows: chosen.len(),
        rows: rows(analysis, &chosen, shown),
        filter_error: None,
    }
}

/// The hosts of which a flow passes, in the order of the table.
pub(crate) fn passing<'a>(
    analysis: &'a Analysis,
    filter: &Filter,
) -> impl Iterator<Item = HostRow> + use<'a> {
    let mut has_passed = vec![false; analysis.hosts.len()];
    for flow in analysis.passing(filter).into_iter().filter_map(|it| analysis.labelled(it)) {
        for ip in [flow.0.client.ip, flow.0.server.ip] {
            let place = analysis.hosts.find(ip, &analysis.flows);
            if let Some(it) = place.and_then(|it| has_passed.get_mut(it as usize)) {
                *it = true;
            }
        }
    }
    let order = analysis.hosts.by_bytes().iter();
    order
        .filter(move |place| has_passed.get(**place as usize).is_some_and(|it| *it))
        .filter_map(|place| row(analysis, *place))
}

/// The name to show for an address.
pub(super) fn name(analysis: &Analysis, ip: IpAddr) -> Option<String> {
    analysis.hosts.names(ip, &analysis.verdicts).next().map(|it| it.0.to_owned())
}

/// A host as the whole capture has it.
pub(super) fn row(analysis: &Analysis, place: u32) -> Option<HostRow> {
    counted_row(analysis, &whole(analysis, place)?, |_| true)
}

/// The hosts at these places of the list of the chosen flows.
pub(super) fn rows(
    analysis: &Analysis,
    chosen: &Chosen,
    places: impl IntoIterator<Item = usize>,
) -> Vec<HostRow> {
    let hosts = chosen.hosts(analysis);
    let shown = places.into_iter().filter_map(|it| hosts.get(it));
    shown.filter_map(|it| counted_row(analysis, &it, |flow| chosen.holds(flow))).collect()
}

fn counted_row(
    analysis: &Analysis,
    host: &Counted,
    is_chosen: impl Fn(u32) -> bool,
) -> Option<HostRow> {
    let ip = analysis.hosts.ip(host.place, &analysis.flows)?;
    let flows = analysis.hosts.ends(host.place).iter().map(|it| it.flow());
    let mut labels: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, verdict) in flows.filter(|it| is_chosen(*it)).filter_map(|it| analysis.labelled(it)) {
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
        country: analysis.country(ip).map(str::to_owned),
        client_flows: host.client_flows,
        server_flows: host.server_flows,
        bytes: host.bytes,
        labels,
    })
}

/// What is known of a host beyond names, labels and peers.
fn card(analysis: &Analysis, ip: IpAddr, ends: &[End]) -> HostCard {
    let mut card = HostCard {
        time_start_ns: u64::MAX,
        network: network(ip),
        macs: analysis.neighbours.of(ip, analysis.makers.as_deref()),
        ..HostCard::default()
    };
    let (mut served, mut used) = (Ports::default(), Ports::default());
    let mut systems: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    let mut sessions: BTreeMap<u32, u64> = BTreeMap::new();
    let of_flow = analysis.sessions();
    for end in ends {
        let Some((flow, verdict)) = analysis.labelled(end.flow()) else { continue };
        card.time_start_ns = card.time_start_ns.min(flow.first.0);
        card.time_end_ns = card.time_end_ns.max(flow.last.0);
        let (out, back) = match end.is_server() {
            true => (flow.from_server, flow.from_client),
            false => (flow.from_client, flow.from_server),
        };
        card.packets_out += out.packets;
        card.packets_in += back.packets;
        card.bytes_out += out.frame_bytes;
        card.bytes_in += back.frame_bytes;
        *sessions.entry(of_flow.of(end.flow())).or_default() += 1;
        // Where nobody answered, or only to refuse, no port is served; where there are none no port is used.
        let is_refused = flow.conn_state() == Some(ConnState::Rej);
        let is_answered = flow.from_server.packets > 0 && !is_refused;
        if flow.server.port != 0 && (is_answered || !end.is_server()) {
            let ports = if end.is_server() { &mut served } else { &mut used };
            let row = ports.entry((flow.transport, flow.server.port)).or_default();
            row.flows += 1;
            row.bytes += flow.bytes();
            *row.protocols.entry(verdict.protocol).or_default() += 1;
        }
        for (fact, is_server) in SAYING {
            let said = verdict.facts().told.get(*fact).filter(|_| *is_server == end.is_server());
            let Some((said, system)) = said.and_then(|it| Some((it, system(it)?))) else {
                continue;
            };
            if systems.len() < MAX_NAMES {
                systems.entry((system, verdict.protocol, fact.row().key)).or_insert(said);
            }
        }
    }
    let systems = systems.into_iter().map(|((system, protocol, fact), said)| SystemRow {
        system: system.to_owned(),
        protocol: protocol.to_owned(),
        fact: fact.to_owned(),
        said: said.to_owned(),
    });
    card.systems = systems.collect();
    card.served = port_rows(served, &format!("server:{ip} server_packets>0 -state:REJ"));
    card.used = port_rows(used, &format!("client:{ip}"));
    card.n_sessions = sessions.len() as u64;
    let mut sessions: Vec<(Reverse<u64>, u32)> =
        sessions.into_iter().map(|(session, flows)| (Reverse(flows), session)).collect();
    sessions.sort_unstable();
    let shown = sessions.into_iter().take(MAX_SESSIONS);
    card.sessions = shown
        .filter_map(|(_, number)| sessions::row(analysis, number, of_flow.get(number)?))
        .collect();
    let flows: Vec<u32> = ends.iter().map(|it| it.flow()).collect();
    card.notable = notable::of_host(analysis, ip, &flows);
    card
}

/// Where the hosts of the flows that pass are; `None` where the filter cannot be understood.
pub(super) fn countries(analysis: &Analysis, filter: &str) -> Option<CountryTable> {
    let chosen = analysis.chosen(filter).ok()?;
    let Some(countries) = &analysis.countries else { return Some(CountryTable::default()) };
    let mut rows: BTreeMap<&str, CountryRow> = BTreeMap::new();
    let mut n_unknown = 0;
    let hosts = chosen.hosts(analysis);
    for host in (0..hosts.len()).filter_map(|it| hosts.get(it)) {
        let Some(ip) = analysis.hosts.ip(host.place, &analysis.flows) else { continue };
        let Some(code) = countries.of(ip) else {
            n_unknown += u64::from(scope(ip) == "public");
            continue;
        };
        let row = rows.entry(code).or_default();
        row.hosts += 1;
        row.flows += host.client_flows + host.server_flows;
        row.bytes += host.bytes;
    }
    let rows = rows.into_iter().map(|(code, row)| CountryRow { code: code.to_owned(), ..row });
    let mut rows: Vec<CountryRow> = rows.collect();
    rows.sort_by_key(|it| Reverse(it.bytes));
    Some(CountryTable { source: Some(countries.source().clone()), rows, n_unknown })
}

/// Ports, and what was spoken there.
type Ports<'a> = BTreeMap<(Transport, u16), Spoken<'a>>;

#[derive(Default)]
struct Spoken<'a> {
    flows: u64,
    bytes: u64,
    protocols: BTreeMap<&'a str, u64>,
}

/// Most flows first, equal ones by transport and port.
fn port_rows(ports: Ports<'_>, of: &str) -> Vec<PortRow> {
    let mut ports: Vec<_> = ports.into_iter().collect();
    ports.sort_by_key(|it| Reverse(it.1.flows));
    ports.truncate(MAX_PORTS);
    let row = |((transport, port), spoken): ((Transport, u16), Spoken<'_>)| PortRow {
        transport: transport.to_string(),
        port,
        protocols: most_first(spoken.protocols),
        filter: format!("{of} transport:{transport} server_port:{port}"),
        flows: spoken.flows,
        bytes: spoken.bytes,
    };
    ports.into_iter().map(row).collect()
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
    let flows = ends.iter().filter_map(|it| analysis.row(it.flow()));
    Some(HostDetail {
        row: row(analysis, place)?,
        names: names.map(|it| (it.0.to_owned(), it.1.to_owned())).collect(),
        user_agents: user_agents.into_iter().map(str::to_owned).collect(),
        labels: labels.into_rows(),
        peers: peers.collect(),
        statistics: statistics::first(flows, MAX_LINES),
        card: card(analysis, ip, ends),
    })
}
