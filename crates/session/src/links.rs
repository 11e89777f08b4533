//! The reasons two flows belong together, found in one pass for each kind.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use capture::Timestamp;
use classify::Verdict;
use flow::{Endpoint, Flow};

use crate::{Edge, Kind};

const SECOND: u64 = 1_000_000_000;
/// How long an announced connection is awaited (Zeek's and conntrack's five minutes).
const ANNOUNCED: u64 = 300 * SECOND;
/// How long a DNS answer explains a connection surely, and perhaps.
const ANSWER_SURE: u64 = SECOND;
const ANSWER_PERHAPS: u64 = 10 * SECOND;
/// A resolver's flow with more names than these serves many applications.
const MAX_ANSWERED_NAMES: usize = 4;
/// How long after its last packet a name still counts as in use.
const NAME_GAP: u64 = 30 * SECOND;
/// How long after its last packet a port still counts as in use.
const PORT_GAP: u64 = 60 * SECOND;
/// So many peers on one port make it a peer-to-peer port.
const MIN_PEERS: usize = 5;

/// Every reason there is, surest kinds first.
pub(crate) fn find(flows: &[(Flow, Verdict)]) -> Vec<Edge> {
    let mut edges = announced(flows);
    edges.extend(answered(flows));
    edges.extend(same_port(flows));
    edges.extend(same_name(flows));
    edges
}

fn numbered(flows: &[(Flow, Verdict)]) -> impl Iterator<Item = (u32, &Flow, &Verdict)> {
    (0..).zip(flows).map(|(number, (flow, verdict))| (number, flow, verdict))
}

/// FTP data connections and the media of calls: someone said where they go.
fn announced(flows: &[(Flow, Verdict)]) -> Vec<Edge> {
    // Who listens where, by port and address; the announcing flows in order.
    let mut listeners: HashMap<(u16, IpAddr), Vec<u32>> = HashMap::new();
    for (number, flow, verdict) in numbered(flows) {
        for expected in &verdict.facts.expected {
            let speaker = if expected.is_client { flow.client.ip } else { flow.server.ip };
            // Behind address translation the address said and the address seen differ.
            let said = expected.ip.unwrap_or(speaker);
            for ip in BTreeSet::from([said, speaker]) {
                let waiting = listeners.entry((expected.port, ip)).or_default();
                if waiting.last() != Some(&number) {
                    waiting.push(number);
                }
            }
        }
    }
    let mut edges = Vec::new();
    for (number, flow, _) in numbered(flows) {
        for at in [flow.server, flow.client] {
            let Some(announcers) = listeners.get(&(at.port, at.ip)) else { continue };
            let before = announcers.partition_point(|it| *it < number);
            let found = announcers.iter().take(before).rev().take(64).find(|it| {
                flows.get(**it as usize).is_some_and(|(control, _)| {
                    flow.first >= control.first
                        && flow.first.0 <= control.last.0.saturating_add(ANNOUNCED)
                        && shares_host(control, flow)
                })
            });
            let Some(&from) = found else { continue };
            let is_ftp = flows.get(from as usize).is_some_and(|it| it.1.protocol == "ftp");
            let (kind, who) = match is_ftp {
                true => (Kind::FtpData, "the FTP dialogue"),
                false => (Kind::Media, "the call"),
            };
            let evidence = format!("{who} in flow {from} announced port {}", at.port);
            edges.push(Edge { from, to: number, kind, evidence, percent: 99 });
            break;
        }
    }
    edges
}

fn shares_host(a: &Flow, b: &Flow) -> bool {
    [b.client.ip, b.server.ip].iter().any(|ip| *ip == a.client.ip || *ip == a.server.ip)
}

/// Connections to the address a DNS answer has just given.
fn answered(flows: &[(Flow, Verdict)]) -> Vec<Edge> {
    struct Answered<'a> {
        time: Timestamp,
        from: u32,
        name: &'a str,
    }
    let mut answers: HashMap<(IpAddr, IpAddr), Vec<Answered<'_>>> = HashMap::new();
    for (number, flow, verdict) in numbered(flows) {
        let names: BTreeSet<&str> =
            verdict.facts.answers.iter().map(|it| it.name.as_str()).collect();
        if names.len() > MAX_ANSWERED_NAMES || is_for_many(flow.server.ip) {
            continue;
        }
        for answer in &verdict.facts.answers {
            answers.entry((flow.client.ip, answer.ip)).or_default().push(Answered {
                time: flow.last,
                from: number,
                name: &answer.name,
            });
        }
    }
    // Each list by itself, so the order of the lists does not matter.
    answers.values_mut().for_each(|list| list.sort_by_key(|it| it.time));
    let mut edges = Vec::new();
    for (number, flow, _) in numbered(flows) {
        let Some(list) = answers.get(&(flow.client.ip, flow.server.ip)) else { continue };
        let before = list.partition_point(|it| it.time <= flow.first);
        let Some(latest) = before.checked_sub(1).and_then(|at| list.get(at)) else { continue };
        let age = flow.first.0 - latest.time.0;
        if latest.from == number || age > ANSWER_PERHAPS {
            continue;
        }
        let millis = age / 1_000_000;
        edges.push(Edge {
            from: latest.from,
            to: number,
            kind: Kind::DnsAnswer,
            evidence: format!(
                "the DNS answer for {} in flow {} gave {} {millis} ms before",
                latest.name, latest.from, flow.server.ip
            ),
            percent: if age <= ANSWER_SURE { 95 } else { 80 },
        });
    }
    edges
}

fn is_for_many(ip: IpAddr) -> bool {
    ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Flows of one client for one name, or for names of one owner, with little time between them.
fn same_name(flows: &[(Flow, Verdict)]) -> Vec<Edge> {
    struct Use<'a> {
        flow: u32,
        name: &'a str,
        until: Timestamp,
    }
    let mut in_use: BTreeMap<(IpAddr, &str), Use<'_>> = BTreeMap::new();
    let mut edges = Vec::new();
    for (number, flow, verdict) in numbered(flows) {
        // What a resolver or a neighbour was asked for is no use of it.
        let is_shared = matches!(verdict.group, "names" | "system");
        let Some(name) = verdict.facts.server_name.as_deref().filter(|_| !is_shared) else {
            continue;
        };
        let now = Use { flow: number, name, until: flow.last };
        let Some(before) = in_use.get_mut(&(flow.client.ip, owner(name))) else {
            in_use.insert((flow.client.ip, owner(name)), now);
            continue;
        };
        if flow.first.0 <= before.until.0.saturating_add(NAME_GAP) {
            let (evidence, percent) = if before.name == name {
                (format!("the same client asked for {name} in flow {}", before.flow), 90)
            } else {
                let owner = owner(name);
                (
                    format!("{name} and {} of flow {} belong to {owner}", before.name, before.flow),
                    80,
                )
            };
            let from = before.flow;
            edges.push(Edge { from, to: number, kind: Kind::SameName, evidence, percent });
            before.until = before.until.max(flow.last);
            before.flow = number;
            before.name = name;
        } else {
            *before = now;
        }
    }
    edges
}

/// Second-level names under which countries hand out names.
const SHARED_SECOND_LEVELS: &[&str] =
    &["ac", "co", "com", "edu", "gov", "ltd", "me", "net", "nom", "or", "org", "plc", "sch"];

/// The name someone registered: two labels, or three below `co.uk` and its like.
pub(crate) fn owner(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    if name.parse::<IpAddr>().is_ok() {
        return name;
    }
    let dots: Vec<usize> = name.rmatch_indices('.').map(|(at, _)| at).take(3).collect();
    let after = |n: usize| match dots.get(n) {
        Some(at) => name.get(at + 1..).unwrap_or(name),
        None => name,
    };
    let two = after(1);
    let is_country = two.rsplit('.').next().is_some_and(|it| it.len() == 2);
    let second = two.split('.').next().unwrap_or_default();
    if is_country && SHARED_SECOND_LEVELS.contains(&second) { after(2) } else { two }
}

/// Flows of a peer-to-peer program: one port of its own, many peers.
fn same_port(flows: &[(Flow, Verdict)]) -> Vec<Edge> {
    let mut by_port: BTreeMap<Endpoint, Vec<(u32, Endpoint)>> = BTreeMap::new();
    for (number, flow, verdict) in numbered(flows) {
        if verdict.group == "peer2peer" && flow.client.port != 0 {
            by_port.entry(flow.client).or_default().push((number, flow.server));
            by_port.entry(flow.server).or_default().push((number, flow.client));
        }
    }
    let mut edges = Vec::new();
    for (own, members) in &by_port {
        let peers: BTreeSet<IpAddr> = members.iter().map(|(_, peer)| peer.ip).collect();
        if peers.len() < MIN_PEERS {
            continue;
        }
        let mut until = Timestamp(0);
        for pair in members.windows(2) {
            let [(from, _), (to, _)] = pair else { continue };
            let (Some((before, _)), Some((after, _))) =
                (flows.get(*from as usize), flows.get(*to as usize))
            else {
                continue;
            };
            until = until.max(before.last);
            if after.first.0 <= until.0.saturating_add(PORT_GAP) {
                edges.push(Edge {
                    from: *from,
                    to: *to,
                    kind: Kind::SamePort,
                    evidence: format!(
                        "{} uses port {} for {} peers",
                        own.ip,
                        own.port,
                        peers.len()
                    ),
                    percent: 90,
                });
            }
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(owner(name), expected);
    }

    #[test]
    fn an_owner_has_two_labels_or_three() {
        check("scontent.xx.fbcdn.net", "fbcdn.net");
        check("www.bbc.co.uk", "bbc.co.uk");
        check("example.com.", "example.com");
        check("localhost", "localhost");
        check("192.0.2.7", "192.0.2.7");
        check("", "");
    }
}
