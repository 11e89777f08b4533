//! The reasons two flows belong together, found in one pass for each kind.
//!
//! What a pass looks up it has sorted before: hostile captures cannot make a list slow, as they can a table of hashes.

use std::{collections::BTreeSet, net::IpAddr};

use capture::Timestamp;
use classify::{Verdict, announcement};
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

/// Tells every reason there is, surest kinds first.
pub(crate) fn find(flows: &[Flow], verdicts: &[Verdict], tell: &mut impl FnMut(Edge)) {
    announced(flows, verdicts, tell);
    answered(flows, verdicts, tell);
    same_port(flows, verdicts, tell);
    same_name(flows, verdicts, tell);
}

fn numbered<'a>(
    flows: &'a [Flow],
    verdicts: &'a [Verdict],
) -> impl Iterator<Item = (u32, &'a Flow, &'a Verdict)> {
    (0..).zip(flows).zip(verdicts).map(|((number, flow), verdict)| (number, flow, verdict))
}

impl Edge {
    /// What was seen, in a sentence; of the flows and verdicts that were grouped.
    pub fn evidence(&self, flows: &[Flow], verdicts: &[Verdict]) -> String {
        let flow =
            |number: u32| Some((flows.get(number as usize)?, verdicts.get(number as usize)?));
        match (flow(self.from), flow(self.to)) {
            (Some(from), Some(to)) => self.sentence(from, to),
            _ => String::new(),
        }
    }

    fn sentence(&self, from: (&Flow, &Verdict), to: (&Flow, &Verdict)) -> String {
        let name = |verdict: &Verdict| verdict.facts().server_name.clone().unwrap_or_default();
        match self.kind {
            Kind::FtpData { port } => announcement("ftp", self.from, port),
            Kind::Media { port } => announcement("rtp", self.from, port),
            Kind::DnsAnswer => {
                let ip = to.0.server.ip;
                let answer = from.1.facts().answers.iter().rfind(|it| it.ip == ip);
                let name = answer.map_or("", |it| &it.name);
                let millis = to.0.first.0.saturating_sub(from.0.last.0) / 1_000_000;
                format!(
                    "the DNS answer for {name} in flow {} gave {ip} {millis} ms before",
                    self.from
                )
            }
            Kind::SameName => {
                let (before, name) = (name(from.1), name(to.1));
                if before == name {
                    format!("the same client asked for {name} in flow {}", self.from)
                } else {
                    let owner = owner(&name);
                    format!("{name} and {before} of flow {} belong to {owner}", self.from)
                }
            }
            Kind::SamePort { is_client, peers } => {
                let own = if is_client { to.0.client } else { to.0.server };
                format!("{} uses port {} for {peers} peers", own.ip, own.port)
            }
            Kind::User => format!("you put it together with flow {}", self.from),
        }
    }
}

/// FTP data connections and the media of calls: someone said where they go.
fn announced(flows: &[Flow], verdicts: &[Verdict], tell: &mut impl FnMut(Edge)) {
    // Who listens where, and the flow that announced it.
    let mut listeners: Vec<(u16, IpAddr, u32)> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        for expected in &verdict.facts().expected {
            let speaker = if expected.is_client { flow.client.ip } else { flow.server.ip };
            // Behind address translation the address said and the address seen differ.
            let said = expected.ip.unwrap_or(speaker);
            listeners.extend([said, speaker].map(|ip| (expected.port, ip, number)));
        }
    }
    if listeners.is_empty() {
        return;
    }
    listeners.sort_unstable();
    listeners.dedup();
    for (number, flow, _) in numbered(flows, verdicts) {
        for at in [flow.server, flow.client] {
            let before = listeners.partition_point(|it| *it < (at.port, at.ip, number));
            let announcers = listeners.iter().take(before).rev().take(64);
            let mut here = announcers.take_while(|it| (it.0, it.1) == (at.port, at.ip));
            let found = here.find(|(.., control)| {
                flows.get(*control as usize).is_some_and(|control| {
                    flow.first >= control.first
                        && flow.first.0 <= control.last.0.saturating_add(ANNOUNCED)
                        && shares_host(control, flow)
                })
            });
            let Some(&(port, _, from)) = found else { continue };
            let is_ftp = verdicts.get(from as usize).is_some_and(|it| it.protocol == "ftp");
            let kind = if is_ftp { Kind::FtpData { port } } else { Kind::Media { port } };
            tell(Edge { from, to: number, kind, percent: 99 });
            break;
        }
    }
}

fn shares_host(a: &Flow, b: &Flow) -> bool {
    [b.client.ip, b.server.ip].iter().any(|ip| *ip == a.client.ip || *ip == a.server.ip)
}

/// Connections to the address a DNS answer has just given.
fn answered(flows: &[Flow], verdicts: &[Verdict], tell: &mut impl FnMut(Edge)) {
    // Which client was given which address when, and by which flow.
    let mut answers: Vec<(IpAddr, IpAddr, Timestamp, u32)> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        let facts = verdict.facts();
        let names: BTreeSet<&str> = facts.answers.iter().map(|it| it.name.as_str()).collect();
        if names.len() > MAX_ANSWERED_NAMES || is_for_many(flow.server.ip) {
            continue;
        }
        let client = flow.client.ip;
        answers.extend(facts.answers.iter().map(|it| (client, it.ip, flow.last, number)));
    }
    if answers.is_empty() {
        return;
    }
    answers.sort_unstable();
    for (number, flow, _) in numbered(flows, verdicts) {
        let (client, server) = (flow.client.ip, flow.server.ip);
        let before =
            answers.partition_point(|it| (it.0, it.1, it.2) <= (client, server, flow.first));
        let latest = before.checked_sub(1).and_then(|at| answers.get(at));
        let Some(&(_, _, time, from)) = latest.filter(|it| (it.0, it.1) == (client, server)) else {
            continue;
        };
        let age = flow.first.0 - time.0;
        if from == number || age > ANSWER_PERHAPS {
            continue;
        }
        let percent = if age <= ANSWER_SURE { 95 } else { 80 };
        tell(Edge { from, to: number, kind: Kind::DnsAnswer, percent });
    }
}

fn is_for_many(ip: IpAddr) -> bool {
    ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Flows of one client for one name, or for names of one owner, with little time between them.
fn same_name(flows: &[Flow], verdicts: &[Verdict], tell: &mut impl FnMut(Edge)) {
    struct Use<'a> {
        client: IpAddr,
        owner: &'a str,
        number: u32,
        flow: &'a Flow,
        name: &'a str,
    }
    let mut uses: Vec<Use<'_>> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        // What a resolver or a neighbour was asked for is no use of it.
        let is_shared = classify::is_shared(verdict.protocol, verdict.group);
        if let Some(name) = verdict.facts().server_name.as_deref().filter(|_| !is_shared) {
            uses.push(Use { client: flow.client.ip, owner: owner(name), number, flow, name });
        }
    }
    uses.sort_unstable_by_key(|it| (it.client, it.owner, it.number));
    let mut edges = Vec::new();
    let mut until = Timestamp(0);
    for pair in uses.windows(2) {
        let [before, now] = pair else { continue };
        until = until.max(before.flow.last);
        let is_same = (before.client, before.owner) == (now.client, now.owner);
        if is_same && now.flow.first.0 <= until.0.saturating_add(NAME_GAP) {
            let percent = if before.name == now.name { 90 } else { 80 };
            edges.push(Edge { from: before.number, to: now.number, kind: Kind::SameName, percent });
        } else {
            until = Timestamp(0);
        }
    }
    edges.sort_unstable_by_key(|it| it.to);
    edges.into_iter().for_each(tell);
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
fn same_port(flows: &[Flow], verdicts: &[Verdict], tell: &mut impl FnMut(Edge)) {
    let mut uses: Vec<(Endpoint, u32)> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        if verdict.group == "peer2peer" && flow.client.port != 0 {
            uses.extend([(flow.client, number), (flow.server, number)]);
        }
    }
    uses.sort_unstable();
    for members in uses.chunk_by(|a, b| a.0 == b.0).filter(|it| it.len() >= MIN_PEERS) {
        let flow = |(_, number): &(Endpoint, u32)| flows.get(*number as usize);
        let mut peers: Vec<IpAddr> = members
            .iter()
            .filter_map(|it| {
                let flow = flow(it)?;
                Some(if flow.client == it.0 { flow.server.ip } else { flow.client.ip })
            })
            .collect();
        peers.sort_unstable();
        peers.dedup();
        if peers.len() < MIN_PEERS {
            continue;
        }
        let mut until = Timestamp(0);
        for pair in members.windows(2) {
            let [before, after] = pair else { continue };
            let (Some(earlier), Some(later)) = (flow(before), flow(after)) else { continue };
            until = until.max(earlier.last);
            if later.first.0 <= until.0.saturating_add(PORT_GAP) {
                let is_client = later.client == after.0;
                let kind = Kind::SamePort { is_client, peers: peers.len() as u32 };
                tell(Edge { from: before.1, to: after.1, kind, percent: 90 });
            }
        }
    }
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
