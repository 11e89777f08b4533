//! The reasons two flows belong together, found in one pass for each kind.
//!
//! What a pass looks up it has sorted before: hostile captures cannot make a list slow, as they can a table of hashes.

use std::net::IpAddr;

use classify::{Answer, Tie, Verdict, announcement};
use flow::{Flow, Many, Transport};

use crate::{
    Edge, Kind, Sets, alike,
    seen::{All, Common, End, NONE, Seen, each_group},
};

pub(crate) const SECOND: u64 = 1_000_000_000;
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
pub(crate) fn find(all: &All<'_>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    announced(all, verdicts, tell);
    transferred(all, tell);
    set_up(all, tell);
    reported(all, tell);
    tied(all, verdicts, tell);
    answered(all, verdicts, tell);
    same_port(all, tell);
    same_socket(all, tell);
    same_name(all, tell);
    other_transport(all, tell);
}

/// Whose the flows of each set are, by the root of the set: the owner of the first name in it, or the service; [`NONE`]
/// where none is known.
pub(crate) fn owners(all: &All<'_>, sets: &mut Sets) -> Vec<u32> {
    let mut owners = vec![NONE; all.len()];
    for seen in all.each().filter(|it| it.owner != NONE) {
        if let Some(slot) = owners.get_mut(sets.root(seen.number) as usize)
            && *slot == NONE
        {
            // Several owners were joined for a good reason; the first speaks for all.
            *slot = seen.owner;
        }
    }
    owners
}

/// Whether the flow itself names the service that is its label.
pub(crate) fn is_served(verdict: &Verdict) -> bool {
    use classify::Reason::{Agent, Answered, Name, Own};
    match &verdict.reason {
        Own(rule) => rule.is_named(),
        reason => matches!(reason, Name | Agent | Answered),
    }
}

/// Protocols that all applications of a host use alike, so that they show nothing of what belongs together.
const FOR_ALL: &[&str] = &[
    "dhcp", "dhcpv6", "icmp", "icmpv6", "igmp", "kerberos", "ntp", "radius", "slp", "snmp", "ssdp",
    "syslog",
];

pub(crate) fn is_for_all(protocol: &str) -> bool {
    classify::is_lookup(protocol) || FOR_ALL.contains(&protocol)
}

impl Edge {
    /// What was seen, in a sentence; of the flows and verdicts that were grouped.
    pub fn evidence(&self, flows: &Many<Flow>, verdicts: &Many<Verdict>) -> String {
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
            Kind::FileTransfer => {
                format!("the TFTP request of flow {} is answered here", self.from)
            }
            Kind::TunnelSetUp => {
                let dialogue = from.1.protocol;
                format!("the {dialogue} dialogue in flow {} set this tunnel up", self.from)
            }
            Kind::IcmpError => format!("an ICMP error about flow {}", self.from),
            Kind::SameService => {
                let (before, name) = (name(from.1), name(to.1));
                if before.is_empty() || name.is_empty() {
                    format!("the same host used {} in flow {}", to.1.label, self.from)
                } else {
                    format!("{name} and {before} of flow {} belong to {}", self.from, to.1.label)
                }
            }
            Kind::OtherTransport => {
                let port = to.0.server.port;
                format!(
                    "the same hosts and port {port} as in flow {}, over another transport",
                    self.from
                )
            }
            Kind::SameSocket => {
                let own = to.0.client;
                format!("{} sends from port {}, as in flow {}", own.ip, own.port, self.from)
            }
            Kind::Alike { signs } => alike::sentence(self.from, signs),
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
            Kind::SameTlsSession => {
                format!("the TLS session of flow {} is taken up again", self.from)
            }
            Kind::SameConnection => {
                format!("the QUIC connection of flow {} goes on from another socket", self.from)
            }
            Kind::User => format!("you put it together with flow {}", self.from),
        }
    }
}

/// FTP data connections and the media of calls: someone said where they go.
fn announced(all: &All<'_>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    // Who listens where, and the flow that announced it.
    let mut listeners: Vec<(u16, u32, u32)> = Vec::new();
    for number in all.announcing.iter().copied() {
        let (Some(seen), Some(verdict)) = (all.get(number), verdicts.get(number as usize)) else {
            continue;
        };
        for expected in &verdict.facts().expected {
            let speaker = if expected.is_client { seen.hosts[0] } else { seen.hosts[1] };
            // Behind address translation the address said and the address seen differ.
            let said = expected.ip.map_or(Some(speaker), |it| all.addresses.find(it));
            let hosts = said.into_iter().chain([speaker]);
            listeners.extend(hosts.map(|host| (expected.port, host, number)));
        }
    }
    if listeners.is_empty() {
        return;
    }
    listeners.sort_unstable();
    listeners.dedup();
    let ftp = all.text("ftp");
    for seen in all.each() {
        for (host, port) in [seen.server(), seen.client()] {
            let before = listeners.partition_point(|it| *it < (port, host, seen.number));
            let announcers = listeners.iter().take(before).rev().take(64);
            let mut here = announcers.take_while(|it| (it.0, it.1) == (port, host));
            let found = here.find(|(.., control)| {
                all.get(*control).is_some_and(|control| {
                    seen.first() >= control.first()
                        && seen.first() <= control.last().saturating_add(ANNOUNCED)
                        && seen.hosts.iter().any(|it| control.hosts.contains(it))
                })
            });
            let Some(&(port, _, from)) = found else { continue };
            let is_ftp = all.get(from).map(|it| all.what(&it).protocol) == ftp;
            let kind = if is_ftp { Kind::FtpData { port } } else { Kind::Media { port } };
            tell(Edge { from, to: seen.number, kind, percent: 99 });
            break;
        }
    }
}

/// A TFTP server answers from a port of its own: the file is in another flow (RFC 1350, section 4).
fn transferred(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    const TFTP: u16 = 69;
    let tftp = all.text("tftp").unwrap_or(NONE);
    let is_tftp = |seen: &Seen<'_>| all.what(seen).protocol == tftp;
    // Who asked from where, and whom.
    let mut requests: Vec<(End, u32, u32)> = Vec::new();
    for seen in all.each().filter(|it| it.transport == Transport::UDP) {
        // A request alone may be too short to be recognised.
        if is_tftp(&seen) || seen.ports[1] == TFTP {
            requests.push((seen.client(), seen.hosts[1], seen.number));
        }
    }
    if requests.is_empty() {
        return;
    }
    requests.sort_unstable();
    for seen in all.each() {
        if seen.transport != Transport::UDP || !is_tftp(&seen) {
            continue;
        }
        let (client, server) = (seen.client(), seen.server());
        for (asker, (other, _)) in [(server, client), (client, server)] {
            let before = requests.partition_point(|it| *it < (asker, other, seen.number));
            let request = before.checked_sub(1).and_then(|at| requests.get(at));
            let Some(&(.., from)) = request.filter(|it| (it.0, it.1) == (asker, other)) else {
                continue;
            };
            let asked = all.get(from).map_or(0, |it| it.last());
            if seen.first() <= asked.saturating_add(ANNOUNCED) {
                tell(Edge { from, to: seen.number, kind: Kind::FileTransfer, percent: 99 });
                break;
            }
        }
    }
}

/// GRE between hosts that speak PPTP, ESP and AH between hosts that speak IKE.
fn set_up(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    const GRE: u8 = 47;
    const ESP: u8 = 50;
    const AH: u8 = 51;
    let [pptp, ike] = ["pptp", "ike"].map(|it| all.text(it).unwrap_or(NONE));
    // Who set tunnels up; the flag says that it was PPTP.
    let mut dialogues: Vec<(bool, u64, u32)> = Vec::new();
    for seen in all.each() {
        let protocol = all.what(&seen).protocol;
        if protocol == pptp || protocol == ike {
            dialogues.push((protocol == pptp, seen.both_hosts(), seen.number));
        }
    }
    if dialogues.is_empty() {
        return;
    }
    dialogues.sort_unstable();
    for seen in all.each() {
        let is_pptp = seen.transport.0 == GRE;
        if !is_pptp && ![ESP, AH].contains(&seen.transport.0) {
            continue;
        }
        let here = (is_pptp, seen.both_hosts());
        let before = dialogues.partition_point(|it| {
            (it.0, it.1) <= here && it.2 < seen.number || (it.0, it.1) < here
        });
        // The last dialogue before it, else the first after it: a capture may begin in between.
        let found = [before.checked_sub(1), Some(before)].into_iter().flatten();
        let found = found.filter_map(|at| dialogues.get(at)).find(|it| (it.0, it.1) == here);
        if let Some(&(.., from)) = found {
            tell(Edge { from, to: seen.number, kind: Kind::TunnelSetUp, percent: 95 });
        }
    }
}

/// ICMP errors, and the flows they are about.
fn reported(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    for (from, to) in all.errors.iter().copied() {
        tell(Edge { from, to, kind: Kind::IcmpError, percent: 99 });
    }
}

/// Flows that one UDP socket of a client opened: a port of a host belongs to one program.
fn same_socket(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    let socket = |it: &Seen<'_>| {
        let [port, other] = it.ports;
        let is_own = port != 0 && port != other || it.is_peer;
        let is_udp = it.transport == Transport::UDP;
        (is_udp && is_own && !it.is_for_all && !it.is_for_many)
            .then_some((it.hosts[0].into(), port.into()))
    };
    let is_same = |_: &Seen<'_>, _: &Seen<'_>| Some((Kind::SameSocket, 90));
    chain(all, socket, PORT_GAP, is_same, tell);
}

/// The same hosts at the same port over another transport: HTTP/3 beside HTTP/2, a VPN that tries both.
fn other_transport(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    let ends = |it: &Seen<'_>| {
        let has_ports = [Transport::TCP, Transport::UDP].contains(&it.transport);
        let [client, server] = it.hosts.map(u64::from);
        (has_ports && !it.is_for_all && !it.is_for_many)
            .then_some((client << 32 | server, it.ports[1].into()))
    };
    let is_other = |before: &Seen<'_>, now: &Seen<'_>| {
        let is_other = before.transport != now.transport && !are_different(before.owner, now.owner);
        is_other.then_some((Kind::OtherTransport, 80))
    };
    chain(all, ends, OTHER_TRANSPORT_GAP, is_other, tell);
}

/// Whether both are there, and not the same.
pub(crate) fn are_different(a: u32, b: u32) -> bool {
    a != b && a != NONE && b != NONE
}

/// Connections that take a TLS session up again, and QUIC connections that go on from another socket.
fn tied(all: &All<'_>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    let mut uses: Vec<((Tie, End), u32)> = Vec::new();
    for number in all.tied.iter().copied() {
        let (Some(seen), Some(verdict)) = (all.get(number), verdicts.get(number as usize)) else {
            continue;
        };
        uses.extend(verdict.facts().ties.iter().map(|tie| {
            // A session is its client's, wherever it goes; a connection its server's, wherever the client moves.
            let whose = match tie {
                Tie::TlsSession(_) => (seen.hosts[0], 0),
                Tie::QuicConnection(_) => seen.server(),
            };
            ((*tie, whose), number)
        }));
    }
    uses.sort_unstable();
    for group in uses.chunk_by(|a, b| a.0 == b.0) {
        let Some(((tie, _), _)) = group.first() else { continue };
        let kind = match tie {
            Tie::TlsSession(_) => (Kind::SameTlsSession, 95),
            Tie::QuicConnection(_) => (Kind::SameConnection, 97),
        };
        let numbers: Vec<u32> = group.iter().map(|it| it.1).collect();
        follow(all, &numbers, TIE_GAP, &|_, _| Some(kind)).for_each(&mut *tell);
    }
}

/// How long after its last packet a TLS session or a QUIC connection still counts as the same use.
const TIE_GAP: u64 = 300 * SECOND;

/// How long after a flow its hosts may go on over another transport.
const OTHER_TRANSPORT_GAP: u64 = 10 * SECOND;

/// Joins flows that have something in common, each to the one before it, if the time between is short enough.
fn chain(
    all: &All<'_>,
    common: impl Fn(&Seen<'_>) -> Option<Common>,
    gap: u64,
    kind: impl Fn(&Seen<'_>, &Seen<'_>) -> Option<(Kind, u8)>,
    tell: &mut impl FnMut(Edge),
) {
    // Each flow and the one before it.
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    each_group(all, common, |group| {
        pairs.extend(follow(all, group, gap, &kind).map(|it| (it.to, it.from)));
    });
    pairs.sort_unstable();
    for (to, from) in pairs {
        let (Some(before), Some(now)) = (all.get(from), all.get(to)) else { continue };
        if let Some((kind, percent)) = kind(&before, &now) {
            tell(Edge { from, to, kind, percent });
        }
    }
}

/// Edges from each flow of a group to the next, if the time between is short enough.
fn follow(
    all: &All<'_>,
    group: &[u32],
    gap: u64,
    kind: &impl Fn(&Seen<'_>, &Seen<'_>) -> Option<(Kind, u8)>,
) -> impl Iterator<Item = Edge> {
    let mut until = 0;
    group.windows(2).filter_map(move |pair| {
        let &[from, to] = pair else { return None };
        let (before, now) = (all.get(from)?, all.get(to)?);
        until = before.last().max(until);
        if now.first() > until.saturating_add(gap) {
            return None;
        }
        kind(&before, &now).map(|(kind, percent)| Edge { from, to, kind, percent })
    })
}

/// Connections to the address a DNS answer has just given.
fn answered(all: &All<'_>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    let pair = |client: u32, server: u32| u64::from(client) << 32 | u64::from(server);
    // Which client was given which address when, and by which flow.
    let mut answers: Vec<(u64, u64, u32)> = Vec::new();
    for number in all.answering.iter().copied() {
        let (Some(seen), Some(verdict)) = (all.get(number), verdicts.get(number as usize)) else {
            continue;
        };
        let given = &verdict.facts().answers;
        if seen.is_for_many || has_more_names(given, MAX_ANSWERED_NAMES) {
            continue;
        }
        let hosts = given.iter().filter_map(|it| all.addresses.find(it.ip));
        answers.extend(hosts.map(|it| (pair(seen.hosts[0], it), seen.last(), number)));
    }
    if answers.is_empty() {
        return;
    }
    answers.sort_unstable();
    for seen in all.each() {
        let here = pair(seen.hosts[0], seen.hosts[1]);
        let before = answers.partition_point(|it| (it.0, it.1) <= (here, seen.first()));
        let latest = before.checked_sub(1).and_then(|at| answers.get(at));
        let Some(&(_, time, from)) = latest.filter(|it| it.0 == here) else { continue };
        let age = seen.first() - time;
        if from == seen.number || age > ANSWER_PERHAPS {
            continue;
        }
        let percent = if age <= ANSWER_SURE { 95 } else { 80 };
        tell(Edge { from, to: seen.number, kind: Kind::DnsAnswer, percent });
    }
}

/// Whether answers are of more names than so many.
fn has_more_names(answers: &[Answer], most: usize) -> bool {
    let mut names: Vec<&str> = Vec::new();
    for answer in answers {
        if !names.contains(&&*answer.name) {
            names.push(&answer.name);
        }
        if names.len() > most {
            return true;
        }
    }
    false
}

pub(crate) fn is_for_many(ip: IpAddr) -> bool {
    ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Flows of one client for one name, for names of one owner or of one service, with little time between them.
fn same_name(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    let of_owner = |it: &Seen<'_>| {
        let [_, owner] = all.names(it);
        (owner != NONE).then_some((it.hosts[0].into(), owner.into()))
    };
    let by_name = |before: &Seen<'_>, now: &Seen<'_>| {
        let percent = if all.names(before)[0] == all.names(now)[0] { 90 } else { 80 };
        Some((Kind::SameName, percent))
    };
    chain(all, of_owner, NAME_GAP, by_name, tell);

    let of_service = |it: &Seen<'_>| {
        let what = all.what(it);
        (!it.is_for_all && what.is_application)
            .then_some((it.ends()[0].0.into(), what.label.into()))
    };
    let by_service = |_: &Seen<'_>, _: &Seen<'_>| Some((Kind::SameService, 80));
    chain(all, of_service, NAME_GAP, by_service, tell);
}

/// Second-level names under which countries hand out names.
const SHARED_SECOND_LEVELS: &[&str] =
    &["ac", "co", "com", "edu", "gov", "ltd", "me", "net", "nom", "or", "org", "plc", "sch"];

/// Names below which a hoster or a content network has its customers: what they have in common says nothing.
const HOSTERS: &[&str] = &[
    "akadns.net",
    "akamai.net",
    "akamaiedge.net",
    "akamaihd.net",
    "akamaized.net",
    "amazonaws.com",
    "appspot.com",
    "azure.com",
    "azure.net",
    "azureedge.net",
    "azurewebsites.net",
    "b-cdn.net",
    "blogspot.com",
    "cdn77.org",
    "cloudapp.net",
    "cloudflare.net",
    "cloudfront.net",
    "edgecastcdn.net",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "fastlylb.net",
    "firebaseapp.com",
    "firebaseio.com",
    "footprint.net",
    "github.io",
    "gitlab.io",
    "googleapis.com",
    "googleusercontent.com",
    "gstatic.com",
    "herokuapp.com",
    "hwcdn.net",
    "imgix.net",
    "kxcdn.com",
    "llnwd.net",
    "netlify.app",
    "pages.dev",
    "stackpathdns.com",
    "trafficmanager.net",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
];

/// Services that many applications use, each for itself.
pub(crate) const SHARED_SERVICES: &[&str] = &[
    "ads",
    "akamai",
    "alicloud",
    "amazon",
    "apple",
    "aws",
    "azure",
    "bunny",
    "cdn77",
    "chinacache",
    "cloudflare",
    "crashlytics",
    "digitalocean",
    "doh",
    "fastly",
    "g-core",
    "google",
    "google cloud",
    "heroku",
    "hetzner",
    "huawei cloud",
    "ibm cloud",
    "imperva",
    "jsdelivr",
    "let's encrypt",
    "limelight",
    "linode",
    "microsoft",
    "netlify",
    "ocsp",
    "opendns",
    "oracle cloud",
    "ovh",
    "rackspace",
    "scaleway",
    "selectel",
    "stackpath",
    "tencent cloud",
    "vercel",
    "vk cloud",
    "vultr",
    "wangsu",
    "yandex",
    "yandex cloud",
    "yandex direct",
    "yandex metrika",
];

/// The name someone registered: two labels, or three below `co.uk` and its like.
pub(crate) fn owner(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    if name.parse::<IpAddr>().is_ok() {
        return name;
    }
    let after = |n: usize| match name.rmatch_indices('.').nth(n) {
        Some((at, _)) => name.get(at + 1..).unwrap_or(name),
        None => name,
    };
    let two = after(1);
    // Below these, everyone has a name.
    if HOSTERS.contains(&two) {
        return name;
    }
    let is_country = two.rsplit('.').next().is_some_and(|it| it.len() == 2);
    let second = two.split('.').next().unwrap_or_default();
    if is_country && SHARED_SECOND_LEVELS.contains(&second) { after(2) } else { two }
}

/// Flows of a peer-to-peer program: one port of its own, many peers.
fn same_port(all: &All<'_>, tell: &mut impl FnMut(Edge)) {
    let mut uses: Vec<(End, u32)> = Vec::new();
    for seen in all.each().filter(|it| it.is_peer && it.ports[0] != 0) {
        uses.extend([(seen.client(), seen.number), (seen.server(), seen.number)]);
    }
    uses.sort_unstable();
    for members in uses.chunk_by(|a, b| a.0 == b.0).filter(|it| it.len() >= MIN_PEERS) {
        let mut peers: Vec<u32> = members
            .iter()
            .filter_map(|(own, number)| {
                let seen = all.get(*number)?;
                Some(if seen.client() == *own { seen.hosts[1] } else { seen.hosts[0] })
            })
            .collect();
        peers.sort_unstable();
        peers.dedup();
        if peers.len() < MIN_PEERS {
            continue;
        }
        let mut until = 0;
        for pair in members.windows(2) {
            let [(_, from), (own, to)] = *pair else { continue };
            let (Some(earlier), Some(later)) = (all.get(from), all.get(to)) else { continue };
            until = earlier.last().max(until);
            if later.first() <= until.saturating_add(PORT_GAP) {
                let is_client = later.client() == own;
                let kind = Kind::SamePort { is_client, peers: peers.len() as u32 };
                tell(Edge { from, to, kind, percent: 90 });
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
