//! What the capture says of every address: names and who said them, user agents, traffic.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
    sync::OnceLock,
};

use classify::{Fact, OwnRules, Verdict};
use flow::{Flow, Many};
use session::Addresses;
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

/// A name that somebody said, in the order in which they count: those from answers after all others, and before those that
/// the capture gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Heard {
    /// The host, by its place.
    host: u32,
    from: From,
    flow: u32,
    /// Which one of these.
    at: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    /// The flow itself: its client's own name before its server's.
    Flow,
    Answer,
    Capture,
}

impl Heard {
    /// By the flow itself, where a client called itself so.
    const OWN: u32 = 0;
    /// Where it asked for it, and where a DNS answer named the flow.
    const SERVER: u32 = 1;
    const ANSWERED: u32 = 2;

    fn said(self) -> Said {
        match (self.from, self.at) {
            (From::Flow, Self::OWN) => Said::Own,
            (From::Flow, Self::SERVER) => Said::Server,
            (From::Flow, _) => Said::Answered,
            (From::Answer, at) => Said::Answer(at),
            (From::Capture, at) => Said::Told(at),
        }
    }
}

impl Hosts {
    /// `answered` are the flows that have their name from a DNS answer, in order; `told` what the capture itself calls
    /// addresses.
    pub(crate) fn new(
        flows: &Many<Flow>,
        verdicts: &Many<Verdict>,
        addresses: Addresses,
        answered: &[u32],
        told: Vec<(IpAddr, String)>,
    ) -> Self {
        let mut hosts = Self { told, ..Self::default() };
        hosts.gather_ends(flows, &addresses);
        let heard = hosts.listen(verdicts, &addresses, answered);
        drop(addresses);
        hosts.gather_names(flows, verdicts, &heard);
        hosts
    }

    fn gather_ends(&mut self, flows: &Many<Flow>, addresses: &Addresses) {
        let ends = |(number, [client, server]): (u32, &[u32; 2])| {
            let server = (server != client).then_some((*server, End(2 * number + 1)));
            [Some((*client, End(2 * number))), server].into_iter().flatten()
        };
        let mut n_ends = 0;
        self.hosts = vec![Host { start: 0, client_flows: 0, bytes: 0 }; addresses.len()];
        for (flow, numbered) in flows.iter().zip((0..).zip(addresses.ends())) {
            for (place, end) in ends(numbered) {
                let Some(host) = self.hosts.get_mut(place as usize) else { continue };
                // For now how many there are.
                host.start += 1;
                host.client_flows += u32::from(!end.is_server());
                host.bytes += flow.bytes();
                n_ends += 1;
            }
        }
        let mut after = 0;
        for host in &mut self.hosts {
            after += host.start;
            host.start = after;
        }
        // From the last one on, each goes before those of its host that are in their places.
        self.ends = vec![End(0); n_ends];
        for numbered in (0..flows.len() as u32).zip(addresses.ends()).rev() {
            for (place, end) in ends(numbered).rev() {
                let Some(host) = self.hosts.get_mut(place as usize) else { continue };
                host.start -= 1;
                if let Some(slot) = self.ends.get_mut(host.start as usize) {
                    *slot = end;
                }
            }
        }
    }

    /// Every name that is said of a host, host by host, best first.
    fn listen(
        &self,
        verdicts: &Many<Verdict>,
        addresses: &Addresses,
        answered: &[u32],
    ) -> Vec<Heard> {
        let mut heard: Vec<Heard> = Vec::new();
        let mut answered = answered.iter().peekable();
        for (flow, (verdict, [client, server])) in (0..).zip(verdicts.iter().zip(addresses.ends()))
        {
            let facts = verdict.facts();
            let is_answered = answered.next_if_eq(&&flow).is_some();
            if facts.told.has(Fact::OwnName) {
                heard.push(Heard { host: *client, from: From::Flow, flow, at: Heard::OWN });
            }
            // What a resolver is asked for is not its name.
            if facts.server_name.is_some() && !classify::is_shared(verdict.protocol, verdict.group)
            {
                let at = if is_answered { Heard::ANSWERED } else { Heard::SERVER };
                heard.push(Heard { host: *server, from: From::Flow, flow, at });
            }
            for (at, answer) in (0..).zip(&facts.answers) {
                let host = addresses.find(answer.ip);
                heard.extend(host.map(|host| Heard { host, from: From::Answer, flow, at }));
            }
        }
        for (at, (ip, _)) in (0..).zip(&self.told) {
            let host = addresses.find(*ip);
            heard.extend(host.map(|host| Heard { host, from: From::Capture, flow: 0, at }));
        }
        heard.sort_unstable();
        heard
    }

    /// Keeps the first names of each host, each once.
    fn gather_names(&mut self, flows: &Many<Flow>, verdicts: &Many<Verdict>, heard: &[Heard]) {
        let mut names = Vec::new();
        for of_one in heard.chunk_by(|a, b| a.host == b.host) {
            let Some(ip) = of_one.first().and_then(|it| self.ip(it.host, flows)) else { continue };
            let mut known: BTreeSet<&str> = BTreeSet::new();
            for it in of_one {
                let name = Name { ip, flow: it.flow, said: it.said() };
                let Some((text, _)) = name.read(verdicts, &self.told) else { continue };
                if known.insert(text) {
                    names.push(name);
                }
                if known.len() == MAX_NAMES {
                    break;
                }
            }
        }
        names.shrink_to_fit();
        self.names = names;
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
    addresses: &Addresses,
    own: &OwnRules,
) -> Vec<u32> {
    // Which client was given which address, by which flow and answer.
    let mut answers: Vec<(u64, u32, u32)> = Vec::new();
    let mut nameless = Vec::new();
    let pair = |client: u32, server: u32| u64::from(client) << 32 | u64::from(server);
    for (number, (verdict, [client, server])) in (0..).zip(verdicts.iter().zip(addresses.ends())) {
        let facts = verdict.facts();
        for (at, answer) in (0..).zip(&facts.answers) {
            // An address that no flow goes to names none.
            let host = addresses.find(answer.ip);
            answers.extend(host.map(|it| (pair(*client, it), number, at)));
        }
        if facts.server_name.is_none() && !classify::is_shared(verdict.protocol, verdict.group) {
            nameless.push((number, pair(*client, *server)));
        }
    }
    answers.sort_unstable();
    let mut named = Vec::new();
    for (number, ends) in nameless {
        let start = answers.partition_point(|it| it.0 < ends);
        let list = answers.get(start..).unwrap_or_default();
        let list = list.split_at(list.partition_point(|it| it.0 == ends)).0;
        let Some(flow) = flows.get(number as usize).filter(|_| !list.is_empty()) else { continue };
        // A flow's answers have its first time: a resolver is asked once a flow, but for a few.
        let is_before =
            |resolver: u32| flows.get(resolver as usize).is_some_and(|it| it.first <= flow.first);
        let before = list.partition_point(|it| is_before(it.1));
        let Some(&(_, resolver, at)) = before.checked_sub(1).and_then(|it| list.get(it)) else {
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
