//! What the capture says of every address: names and who said them, user agents, traffic.

use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr, net::Ipv4Addr, sync::OnceLock};

use classify::{Fact, OwnRules, Verdict};
use flow::{Flow, Many};
use v1::{Count, page::Network};

use crate::filter;

/// Names and user agents kept of an address.
pub(crate) const MAX_NAMES: usize = 100;

/// All addresses, in order. What flows and verdicts hold is not held again: who asks passes them.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    hosts: Vec<Host>,
    /// The ends of all flows, host after host, by flow number in each.
    ends: Vec<End>,
    /// By address, best first.
    names: Vec<Name>,
    /// What the capture itself calls addresses.
    told: Vec<(IpAddr, String)>,
    /// Places in `hosts`, most bytes first; made when first asked for.
    by_bytes: OnceLock<Vec<u32>>,
}

/// An address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    /// Where its ends begin; the first one has its address.
    start: u32,
    /// Flows it opened.
    pub(crate) client_flows: u32,
    /// Frame bytes of its flows, both ways.
    pub(crate) bytes: u64,
}

/// One end of a flow: twice the flow's number, and one more for the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End(u32);

/// A name of an address: where it stands.
#[derive(Clone, Copy, Debug)]
struct Name {
    ip: IpAddr,
    flow: u32,
    said: Said,
}

/// Who said a name that the capture itself gives.
const CAPTURE: &str = "capture";

/// Where in a verdict a name stands.
#[derive(Clone, Copy, Debug)]
enum Said {
    /// The client called itself so.
    Own,
    /// The client asked for it.
    Server,
    /// A DNS answer named the flow.
    Answered,
    /// It is the name of this answer.
    Answer(u32),
    /// The capture itself, in this entry.
    Told(u32),
}

impl End {
    pub(crate) fn flow(self) -> u32 {
        self.0 >> 1
    }

    pub(crate) fn is_server(self) -> bool {
        self.0 & 1 == 1
    }

    fn ip(self, flows: &Many<Flow>) -> Option<IpAddr> {
        let flow = flows.get(self.flow() as usize)?;
        Some(if self.is_server() { flow.server.ip } else { flow.client.ip })
    }
}

impl Name {
    /// The name and who said it.
    fn read<'a>(
        self,
        verdicts: &'a Many<Verdict>,
        told: &'a [(IpAddr, String)],
    ) -> Option<(&'a str, &'static str)> {
        if let Said::Told(at) = self.said {
            return Some((&told.get(at as usize)?.1, CAPTURE));
        }
        let verdict = verdicts.get(self.flow as usize)?;
        let facts = verdict.facts();
        let text = match self.said {
            Said::Own => facts.told.get(Fact::OwnName)?,
            Said::Server | Said::Answered => facts.server_name.as_deref()?,
            Said::Answer(at) => &facts.answers.get(at as usize)?.name,
            Said::Told(_) => return None,
        };
        Some((text, if matches!(self.said, Said::Answered) { "dns" } else { verdict.protocol }))
    }
}

impl Hosts {
    /// `answered` are the flows that have their name from a DNS answer, in order; `told` what the capture itself calls
    /// addresses.
    pub(crate) fn new(
        flows: &Many<Flow>,
        verdicts: &Many<Verdict>,
        answered: &[u32],
        told: Vec<(IpAddr, String)>,
    ) -> Self {
        let mut hosts = Self { told, ..Self::default() };
        hosts.gather_ends(flows);
        hosts.gather_names(flows, verdicts, answered);
        hosts
    }

    fn gather_ends(&mut self, flows: &Many<Flow>) {
        self.gather_family(flows, |it| match it {
            IpAddr::V4(it) => Some(it.into()),
            IpAddr::V6(_) => None,
        });
        self.gather_family(flows, |it| match it {
            IpAddr::V4(_) => None,
            IpAddr::V6(it) => Some((u128::from(it) >> 96) as u32),
        });
        self.hosts.shrink_to_fit();
    }

    /// Gathers the ends whose address has a front, in order of that: it saves the memory that whole addresses would take.
    fn gather_family(&mut self, flows: &Many<Flow>, front: fn(IpAddr) -> Option<u32>) {
        let mut ends: Vec<(u32, End)> = Vec::with_capacity(2 * flows.len());
        for (number, flow) in (0..).zip(flows) {
            ends.extend(front(flow.client.ip).map(|it| (it, End(2 * number))));
            if flow.server.ip != flow.client.ip {
                ends.extend(front(flow.server.ip).map(|it| (it, End(2 * number + 1))));
            }
        }
        ends.sort_unstable();
        for alike in ends.chunk_by_mut(|a, b| a.0 == b.0) {
            let mut hosts = alike.iter().map(|it| it.1.ip(flows));
            let first = hosts.next();
            if hosts.any(|it| Some(it) != first) {
                alike.sort_unstable_by_key(|it| (it.1.ip(flows), it.1));
            }
        }
        let is_one = |a: &(u32, End), b: &(u32, End)| a.0 == b.0 && a.1.ip(flows) == b.1.ip(flows);
        self.hosts.reserve_exact(ends.chunk_by(is_one).count());
        self.ends.reserve_exact(ends.len());
        for of_one in ends.chunk_by(is_one) {
            let start = self.ends.len() as u32;
            let mut host = Host { start, client_flows: 0, bytes: 0 };
            for (_, end) in of_one {
                host.client_flows += u32::from(!end.is_server());
                host.bytes += flows.get(end.flow() as usize).map_or(0, Flow::bytes);
                self.ends.push(*end);
            }
            self.hosts.push(host);
        }
    }

    fn gather_names(&mut self, flows: &Many<Flow>, verdicts: &Many<Verdict>, answered: &[u32]) {
        let mut names: Vec<Name> = Vec::new();
        for (flow, (it, verdict)) in (0..).zip(flows.iter().zip(verdicts)) {
            let facts = verdict.facts();
            if facts.told.has(Fact::OwnName) {
                names.push(Name { ip: it.client.ip, flow, said: Said::Own });
            }
            // What a resolver is asked for is not its name.
            let is_own = !classify::is_shared(verdict.protocol, verdict.group);
            if facts.server_name.is_some() && is_own {
                let is_answered = answered.binary_search(&flow).is_ok();
                let said = if is_answered { Said::Answered } else { Said::Server };
                names.push(Name { ip: it.server.ip, flow, said });
            }
        }
        // Names from answers come after all others.
        for (flow, verdict) in (0..).zip(verdicts) {
            for (at, answer) in (0..).zip(&verdict.facts().answers) {
                if self.find(answer.ip, flows).is_some() {
                    names.push(Name { ip: answer.ip, flow, said: Said::Answer(at) });
                }
            }
        }
        for (at, (ip, _)) in (0..).zip(&self.told) {
            if self.find(*ip, flows).is_some() {
                names.push(Name { ip: *ip, flow: 0, said: Said::Told(at) });
            }
        }
        names.sort_by_key(|it| it.ip);
        for of_one in names.chunk_by(|a, b| a.ip == b.ip) {
            let start = self.names.len();
            for name in of_one {
                let known = self.names.get(start..).unwrap_or_default();
                let text = |it: &Name| it.read(verdicts, &self.told).map(|it| it.0);
                let is_new = !known.iter().any(|it| text(it) == text(name));
                if is_new && known.len() < MAX_NAMES {
                    self.names.push(*name);
                }
            }
        }
        self.names.shrink_to_fit();
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.hosts.len()
    }

    /// A host by its place.
    pub(crate) fn get(&self, place: u32) -> Option<Host> {
        self.hosts.get(place as usize).copied()
    }

    /// The place of an address.
    pub(crate) fn find(&self, ip: IpAddr, flows: &Many<Flow>) -> Option<u32> {
        let found = self.hosts.binary_search_by(|host| {
            let first = self.ends.get(host.start as usize);
            first.and_then(|it| it.ip(flows)).cmp(&Some(ip))
        });
        found.ok().map(|it| it as u32)
    }

    /// The ends of a host's flows, by flow number; at least one.
    pub(crate) fn ends(&self, place: u32) -> &[End] {
        let start = |place: u32| self.hosts.get(place as usize).map(|it| it.start as usize);
        let end = start(place + 1).unwrap_or(self.ends.len());
        start(place).and_then(|start| self.ends.get(start..end)).unwrap_or_default()
    }

    /// The address of a host.
    pub(crate) fn ip(&self, place: u32, flows: &Many<Flow>) -> Option<IpAddr> {
        self.ends(place).first()?.ip(flows)
    }

    /// The names of an address and who said them, best first.
    pub(crate) fn names<'a>(
        &'a self,
        ip: IpAddr,
        verdicts: &'a Many<Verdict>,
    ) -> impl Iterator<Item = (&'a str, &'static str)> {
        let start = self.names.partition_point(|it| it.ip < ip);
        let names = self.names.get(start..).unwrap_or_default().iter();
        names.take_while(move |it| it.ip == ip).filter_map(|it| it.read(verdicts, &self.told))
    }

    /// Places of all hosts, most bytes first, equal ones by address.
    pub(crate) fn by_bytes(&self) -> &[u32] {
        self.by_bytes.get_or_init(|| {
            let mut order: Vec<(Reverse<u64>, u32)> =
                self.hosts.iter().map(|it| Reverse(it.bytes)).zip(0..).collect();
            order.sort_unstable();
            order.into_iter().map(|it| it.1).collect()
        })
    }

    /// How many names each source gave, most first.
    pub(crate) fn sources(&self, verdicts: &Many<Verdict>) -> Vec<Count> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, source) in self.names.iter().filter_map(|it| it.read(verdicts, &self.told)) {
            *counts.entry(source).or_default() += 1;
        }
        let counts = counts.into_iter();
        crate::statistics::greatest_first(
            counts.map(|(label, count)| Count { label: label.to_owned(), count }).collect(),
        )
    }
}

/// Gives flows without a name of their own the one that a DNS answer gave their server's address: to the same client
/// before the flow began. Returns which flows it named, in order.
pub(crate) fn name_by_answers(
    flows: &Many<Flow>,
    verdicts: &mut Many<Verdict>,
    own: &OwnRules,
) -> Vec<u32> {
    // Which client was given which address, by which flow and answer.
    let mut answers: Vec<(IpAddr, IpAddr, u32, u32)> = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        let given = (0..).zip(&verdict.facts().answers);
        answers.extend(given.map(|(at, answer)| (flow.client.ip, answer.ip, number, at)));
    }
    answers.sort_unstable();
    let mut named = Vec::new();
    for (number, flow) in (0..).zip(flows) {
        let Some(verdict) = verdicts.get(number as usize) else { continue };
        let has_name = verdict.facts().server_name.is_some();
        let is_shared = classify::is_shared(verdict.protocol, verdict.group);
        if answers.is_empty() || has_name || is_shared {
            continue;
        }
        let ends = (flow.client.ip, flow.server.ip);
        let start = answers.partition_point(|it| (it.0, it.1) < ends);
        let len =
            answers.get(start..).unwrap_or_default().partition_point(|it| (it.0, it.1) == ends);
        let list = answers.get(start..start + len).unwrap_or_default();
        // A flow's answers have its first time: a resolver is asked once a flow, but for a few.
        let is_before =
            |resolver: u32| flows.get(resolver as usize).is_some_and(|it| it.first <= flow.first);
        let before = list.partition_point(|it| is_before(it.2));
        let Some(&(.., resolver, at)) = before.checked_sub(1).and_then(|it| list.get(it)) else {
            continue;
        };
        let answer =
            verdicts.get(resolver as usize).and_then(|it| it.facts().answers.get(at as usize));
        let name = answer.map(|it| it.name.clone());
        if let (Some(name), Some(verdict)) = (name, verdicts.get_mut(number as usize)) {
            classify::relabel_by_answer(verdict, &name, flow, own);
            named.push(number);
        }
    }
    named
}

/// Networks that registries set apart, the narrower of two first (IANA, IPv4 and IPv6 Special-Purpose Address Registries,
/// multicast address registries).
const NETWORKS: &[(&str, &str)] = &[
    ("10.0.0.0/8", "RFC 1918"),
    ("172.16.0.0/12", "RFC 1918"),
    ("192.168.0.0/16", "RFC 1918"),
    ("100.64.0.0/10", "RFC 6598"),
    ("127.0.0.0/8", "RFC 1122"),
    ("169.254.0.0/16", "RFC 3927"),
    ("192.0.2.0/24", "RFC 5737"),
    ("198.51.100.0/24", "RFC 5737"),
    ("203.0.113.0/24", "RFC 5737"),
    ("198.18.0.0/15", "RFC 2544"),
    ("192.88.99.0/24", "RFC 7526"),
    ("224.0.0.0/24", "RFC 5771"),
    ("239.0.0.0/8", "RFC 2365"),
    ("224.0.0.0/4", "RFC 5771"),
    ("255.255.255.255/32", "RFC 919"),
    ("240.0.0.0/4", "RFC 1112"),
    ("0.0.0.0/8", "RFC 1122"),
    ("::1/128", "RFC 4291"),
    ("::/128", "RFC 4291"),
    ("::ffff:0:0/96", "RFC 4291"),
    ("64:ff9b::/96", "RFC 6052"),
    ("100::/64", "RFC 6666"),
    ("2001::/32", "RFC 4380"),
    ("2001:db8::/32", "RFC 3849"),
    ("3fff::/20", "RFC 9637"),
    ("2002::/16", "RFC 3056"),
    ("fe80::/10", "RFC 4291"),
    ("fc00::/7", "RFC 4193"),
    ("ff02::/16", "RFC 4291"),
    ("ff00::/8", "RFC 4291"),
];

/// The registered network an address is in, where that has a purpose.
pub(crate) fn network(ip: IpAddr) -> Option<Network> {
    let found =
        NETWORKS.iter().find(|(cidr, _)| filter::network(cidr).is_some_and(|it| it.contains(ip)));
    found.map(|(cidr, source)| Network { cidr: (*cidr).to_owned(), source: (*source).to_owned() })
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
    fn a_registered_network_is_told_with_its_document() {
        let told = |ip: &str| network(ip.parse().unwrap()).map(|it| (it.cidr, it.source));
        let some = |cidr: &str, source: &str| Some((cidr.to_owned(), source.to_owned()));
        assert_eq!(told("10.1.2.3"), some("10.0.0.0/8", "RFC 1918"));
        assert_eq!(told("100.100.0.1"), some("100.64.0.0/10", "RFC 6598"));
        assert_eq!(told("fe80::1"), some("fe80::/10", "RFC 4291"));
        assert_eq!(told("2001:db8::1"), some("2001:db8::/32", "RFC 3849"));
        assert_eq!(told("8.8.8.8"), None);
        assert!(NETWORKS.iter().all(|it| filter::network(it.0).is_some()));
    }

    #[test]
    fn addresses_are_written_as_rfc_5952_wants() {
        let written = |ip: &str| ip.parse::<IpAddr>().unwrap().to_string();
        assert_eq!(written("2001:DB8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
        assert_eq!(written("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
        assert_eq!(written("::ffff:c000:0201"), "::ffff:192.0.2.1");
        assert_eq!(written("0:0:0:0:0:0:0:1"), "::1");
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
