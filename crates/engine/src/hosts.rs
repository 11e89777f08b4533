//! What the capture says of every address: names and who said them, user agents, traffic.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr},
};

use capture::Timestamp;
use classify::Verdict;
use flow::Flow;
use v1::Count;

/// Names and user agents kept of an address.
const MAX_NAMES: usize = 100;

/// All addresses, in order.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    pub(crate) by_ip: BTreeMap<IpAddr, Host>,
}

/// An address.
#[derive(Debug, Default)]
pub(crate) struct Host {
    /// Its flows, by number.
    pub(crate) flows: Vec<u32>,
    /// Frame bytes of its flows, both ways.
    pub(crate) bytes: u64,
    /// Flows it opened.
    pub(crate) client_flows: u64,
    /// Its names, best first, and who said so.
    pub(crate) names: Vec<(String, &'static str)>,
    /// What it called itself in requests.
    pub(crate) user_agents: BTreeSet<String>,
}

impl Hosts {
    /// `answered` are the flows that have their name from a DNS answer.
    pub(crate) fn new(flows: &[(Flow, Verdict)], answered: &BTreeSet<u32>) -> Self {
        let mut hosts = Self::default();
        for (number, (flow, verdict)) in (0..).zip(flows) {
            let client = hosts.by_ip.entry(flow.client.ip).or_default();
            client.flows.push(number);
            client.client_flows += 1;
            client.bytes += flow.bytes();
            if let Some(agent) = &verdict.facts.user_agent
                && client.user_agents.len() < MAX_NAMES
            {
                client.user_agents.insert(agent.clone());
            }
            if let Some(name) = &verdict.facts.own_name {
                client.add_name(name, verdict.protocol);
            }
            if flow.server.ip != flow.client.ip {
                let server = hosts.by_ip.entry(flow.server.ip).or_default();
                server.flows.push(number);
                server.bytes += flow.bytes();
            }
            // What a resolver is asked for is not its name.
            let is_own = !matches!(verdict.group, "names" | "system");
            let is_answered = answered.contains(&number);
            if let Some(name) = verdict.facts.server_name.as_ref().filter(|_| is_own) {
                let source = if is_answered { "dns" } else { verdict.protocol };
                hosts.by_ip.entry(flow.server.ip).or_default().add_name(name, source);
            }
        }
        for (_, verdict) in flows {
            for answer in &verdict.facts.answers {
                if let Some(host) = hosts.by_ip.get_mut(&answer.ip) {
                    host.add_name(&answer.name, verdict.protocol);
                }
            }
        }
        hosts
    }

    /// How many names each source gave, most first.
    pub(crate) fn sources(&self) -> Vec<Count> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (_, source) in self.by_ip.values().flat_map(|it| &it.names) {
            *counts.entry((*source).to_owned()).or_default() += 1;
        }
        crate::statistics::greatest_first(counts)
    }
}

impl Host {
    fn add_name(&mut self, name: &str, source: &'static str) {
        let is_new = !self.names.iter().any(|(known, _)| known == name);
        if is_new && self.names.len() < MAX_NAMES {
            self.names.push((name.to_owned(), source));
        }
    }

    /// The name to show.
    pub(crate) fn name(&self) -> Option<&(String, &'static str)> {
        self.names.first()
    }
}

/// Gives flows without a name of their own the one that a DNS answer gave their server's address: to the same client
/// before the flow began. Returns which flows it named.
pub(crate) fn name_by_answers(flows: &mut [(Flow, Verdict)]) -> BTreeSet<u32> {
    let mut named = BTreeSet::new();
    let mut answers: HashMap<(IpAddr, IpAddr), Vec<(Timestamp, String)>> = HashMap::new();
    for (flow, verdict) in &*flows {
        for answer in &verdict.facts.answers {
            let list = answers.entry((flow.client.ip, answer.ip)).or_default();
            // A flow's answers have its first time: a resolver is asked once a flow, but for a few.
            list.push((flow.first, answer.name.clone()));
        }
    }
    for (number, (flow, verdict)) in (0..).zip(flows) {
        if verdict.facts.server_name.is_some() || matches!(verdict.group, "names" | "system") {
            continue;
        }
        let Some(list) = answers.get(&(flow.client.ip, flow.server.ip)) else { continue };
        let before = list.partition_point(|(time, _)| *time <= flow.first);
        if let Some((_, name)) = before.checked_sub(1).and_then(|at| list.get(at)) {
            verdict.facts.server_name = Some(name.clone());
            classify::relabel_by_answer(verdict, name);
            named.insert(number);
        }
    }
    named
}

/// What an address is for: `private`, `public` … (IANA's special-purpose registries).
pub(crate) fn scope(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(ip) => scope_v4(ip),
        IpAddr::V6(ip) => {
            let start = ip.segments()[0];
            match start {
                _ if ip.is_loopback() => "loopback",
                _ if ip.is_unspecified() => "unspecified",
                _ if ip.is_multicast() => "multicast",
                _ if ip.to_ipv4_mapped().is_some() => "mapped",
                _ if start & 0xffc0 == 0xfe80 => "link-local",
                _ if start & 0xfe00 == 0xfc00 => "private",
                0x2001 if ip.segments()[1] == 0x0db8 => "documentation",
                _ => "public",
            }
        }
    }
}

fn scope_v4(ip: Ipv4Addr) -> &'static str {
    match ip.octets() {
        _ if ip.is_loopback() => "loopback",
        _ if ip.is_unspecified() => "unspecified",
        _ if ip.is_private() => "private",
        _ if ip.is_link_local() => "link-local",
        _ if ip.is_multicast() => "multicast",
        _ if ip.is_broadcast() => "broadcast",
        _ if ip.is_documentation() => "documentation",
        [100, 64..=127, ..] => "shared",
        _ => "public",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ip: &str, expected: &str) {
        assert_eq!(scope(ip.parse().unwrap()), expected);
    }

    #[test]
    fn addresses_tell_what_they_are_for() {
        check("10.1.2.3", "private");
        check("100.100.0.1", "shared");
        check("8.8.8.8", "public");
        check("203.0.113.9", "documentation");
        check("224.0.0.251", "multicast");
        check("fe80::1", "link-local");
        check("fd00::1", "private");
        check("2001:db8::1", "documentation");
        check("2a00:1450::1", "public");
    }
}
