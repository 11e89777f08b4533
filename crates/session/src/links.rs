//! The reasons two flows belong together, found in one pass for each kind.
//!
//! What a pass looks up it has sorted before: hostile captures cannot make a list slow, as they can a table of hashes.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher as _},
    net::IpAddr,
};

use capture::Timestamp;
use classify::{Tie, Verdict, announcement};
use flow::{Endpoint, Flow, Many, Transport};

use crate::{Edge, Kind, Sets, alike};

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
pub(crate) fn find(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    announced(flows, verdicts, tell);
    transferred(flows, verdicts, tell);
    set_up(flows, verdicts, tell);
    reported(flows, tell);
    tied(flows, verdicts, tell);
    answered(flows, verdicts, tell);
    same_port(flows, verdicts, tell);
    same_socket(flows, verdicts, tell);
    same_name(flows, verdicts, tell);
    other_transport(flows, verdicts, tell);
}

/// Whose the flows of each set are, by the root of the set: the owner of the first name in it, or the service; nothing
/// where none is known, and nothing at all where none is known of any set.
pub(crate) fn owners<'a>(verdicts: &'a Many<Verdict>, sets: &mut Sets) -> Vec<Option<&'a str>> {
    if verdicts.iter().all(|it| owner_of(it).is_none()) {
        return Vec::new();
    }
    let mut owners: Vec<Option<&str>> = vec![None; verdicts.len()];
    for (number, verdict) in (0..).zip(verdicts) {
        let owner = owner_of(verdict);
        if let Some(slot) = owners.get_mut(sets.root(number) as usize) {
            // Several owners were joined for a good reason; the first speaks for all.
            *slot = slot.or(owner);
        }
    }
    owners
}

/// Whom a flow serves: the service that its name belongs to, else the owner of the name.
pub(crate) fn owner_of(verdict: &Verdict) -> Option<&str> {
    if is_for_all(verdict.protocol) {
        return None;
    }
    let name = verdict.facts().server_name.as_deref()?;
    Some(service_of(verdict).unwrap_or_else(|| owner(name)))
}

/// The service, where the flow itself names it.
fn service_of(verdict: &Verdict) -> Option<&str> {
    use classify::Reason::{Agent, Answered, Name, Own};
    let is_named = match &verdict.reason {
        Own(rule) => rule.is_named(),
        reason => matches!(reason, Name | Agent | Answered),
    };
    is_named.then_some(&*verdict.label)
}

/// Protocols that all applications of a host use alike, so that they show nothing of what belongs together.
const FOR_ALL: &[&str] = &[
    "dhcp", "dhcpv6", "icmp", "icmpv6", "igmp", "kerberos", "ntp", "radius", "slp", "snmp", "ssdp",
    "syslog",
];

pub(crate) fn is_for_all(protocol: &str) -> bool {
    classify::is_lookup(protocol) || FOR_ALL.contains(&protocol)
}

fn numbered<'a>(
    flows: &'a Many<Flow>,
    verdicts: &'a Many<Verdict>,
) -> impl Iterator<Item = (u32, &'a Flow, &'a Verdict)> {
    (0..).zip(flows).zip(verdicts).map(|((number, flow), verdict)| (number, flow, verdict))
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
fn announced(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
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

/// Two hosts, whichever of them opened a flow.
pub(crate) fn hosts(flow: &Flow) -> (IpAddr, IpAddr) {
    let (a, b) = (flow.client.ip, flow.server.ip);
    (a.min(b), a.max(b))
}

/// A TFTP server answers from a port of its own: the file is in another flow (RFC 1350, section 4).
fn transferred(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    const TFTP: u16 = 69;
    // Who asked from where, and whom.
    let mut requests: Vec<(Endpoint, IpAddr, u32)> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        // A request alone may be too short to be recognised.
        let is_asked = verdict.protocol == "tftp" || flow.server.port == TFTP;
        if flow.transport == Transport::UDP && is_asked {
            requests.push((flow.client, flow.server.ip, number));
        }
    }
    requests.sort_unstable();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        if requests.is_empty() || flow.transport != Transport::UDP || verdict.protocol != "tftp" {
            continue;
        }
        for (asker, other) in [(flow.server, flow.client), (flow.client, flow.server)] {
            let before = requests.partition_point(|it| *it < (asker, other.ip, number));
            let request = before.checked_sub(1).and_then(|at| requests.get(at));
            let Some(&(.., from)) = request.filter(|it| (it.0, it.1) == (asker, other.ip)) else {
                continue;
            };
            let asked = flows.get(from as usize).map_or(Timestamp(0), |it| it.last);
            if flow.first.0 <= asked.0.saturating_add(ANNOUNCED) {
                tell(Edge { from, to: number, kind: Kind::FileTransfer, percent: 99 });
                break;
            }
        }
    }
}

/// GRE between hosts that speak PPTP, ESP and AH between hosts that speak IKE.
fn set_up(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    const GRE: u8 = 47;
    const ESP: u8 = 50;
    const AH: u8 = 51;
    type Hosts = (IpAddr, IpAddr);
    // Who set tunnels up; the flag says that it was PPTP.
    let mut dialogues: Vec<(bool, Hosts, u32)> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        let is_pptp = verdict.protocol == "pptp";
        if is_pptp || verdict.protocol == "ike" {
            dialogues.push((is_pptp, hosts(flow), number));
        }
    }
    dialogues.sort_unstable();
    for (number, flow) in (0..).zip(flows) {
        let is_pptp = flow.transport.0 == GRE;
        if dialogues.is_empty() || !is_pptp && ![ESP, AH].contains(&flow.transport.0) {
            continue;
        }
        let here = (is_pptp, hosts(flow));
        let before = dialogues
            .partition_point(|it| (it.0, it.1) <= here && it.2 < number || (it.0, it.1) < here);
        // The last dialogue before it, else the first after it: a capture may begin in between.
        let found = [before.checked_sub(1), Some(before)].into_iter().flatten();
        let found = found.filter_map(|at| dialogues.get(at)).find(|it| (it.0, it.1) == here);
        if let Some(&(.., from)) = found {
            tell(Edge { from, to: number, kind: Kind::TunnelSetUp, percent: 95 });
        }
    }
}

/// ICMP errors, and the flows they are about.
fn reported(flows: &Many<Flow>, tell: &mut impl FnMut(Edge)) {
    for (to, flow) in (0..).zip(flows) {
        if let Some(from) = flow.errors().and_then(|it| it.about) {
            tell(Edge { from, to, kind: Kind::IcmpError, percent: 99 });
        }
    }
}

/// Flows that one UDP socket of a client opened: a port of a host belongs to one program.
fn same_socket(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    let uses = numbered(flows, verdicts).filter(|(_, flow, verdict)| {
        let is_own = flow.client.port != 0 && flow.client.port != flow.server.port
            || verdict.group == "peer2peer";
        flow.transport == Transport::UDP
            && is_own
            && !is_for_all(verdict.protocol)
            && !is_for_many(flow.server.ip)
    });
    let client = |it: u32| flows.get(it as usize).map(|it| it.client);
    let is_same = |_, _| Some((Kind::SameSocket, 90));
    chain(flows, uses.map(|it| it.0), client, PORT_GAP, is_same, tell);
}

/// The same hosts at the same port over another transport: HTTP/3 beside HTTP/2, a VPN that tries both.
fn other_transport(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    let uses = numbered(flows, verdicts).filter(|(_, flow, verdict)| {
        let has_ports = [Transport::TCP, Transport::UDP].contains(&flow.transport);
        has_ports && !is_for_all(verdict.protocol) && !is_for_many(flow.server.ip)
    });
    let ends = |it: u32| flows.get(it as usize).map(|it| (it.client.ip, it.server));
    let is_other = |a: u32, b: u32| {
        let at = |it: u32| Some((flows.get(it as usize)?, verdicts.get(it as usize)?));
        let ((before, verdict_before), (now, verdict)) = (at(a)?, at(b)?);
        let contradicts =
            matches!((owner_of(verdict_before), owner_of(verdict)), (Some(a), Some(b)) if a != b);
        let is_other = before.transport != now.transport && !contradicts;
        is_other.then_some((Kind::OtherTransport, 80))
    };
    chain(flows, uses.map(|it| it.0), ends, OTHER_TRANSPORT_GAP, is_other, tell);
}

/// Connections that take a TLS session up again, and QUIC connections that go on from another socket.
fn tied(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    let mut uses: Vec<((Tie, Endpoint), u32)> = Vec::new();
    for (number, flow, verdict) in numbered(flows, verdicts) {
        uses.extend(verdict.facts().ties.iter().map(|tie| {
            // A session is its client's, wherever it goes; a connection its server's, wherever the client moves.
            let whose = match tie {
                Tie::TlsSession(_) => Endpoint { ip: flow.client.ip, port: 0 },
                Tie::QuicConnection(_) => flow.server,
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
        follow(flows, &numbers, TIE_GAP, &|_, _| Some(kind)).for_each(&mut *tell);
    }
}

/// How long after its last packet a TLS session or a QUIC connection still counts as the same use.
const TIE_GAP: u64 = 300 * SECOND;

/// How long after a flow its hosts may go on over another transport.
const OTHER_TRANSPORT_GAP: u64 = 10 * SECOND;

/// Joins flows that have something in common, each to the one before it, if the time between is short enough.
fn chain<T: Ord + Hash>(
    flows: &Many<Flow>,
    uses: impl Iterator<Item = u32>,
    common: impl Fn(u32) -> T,
    gap: u64,
    kind: impl Fn(u32, u32) -> Option<(Kind, u8)>,
    tell: &mut impl FnMut(Edge),
) {
    let mut edges = Vec::new();
    each_group(flows.len(), uses, common, |group| edges.extend(follow(flows, group, gap, &kind)));
    edges.sort_unstable_by_key(|it| it.to);
    edges.into_iter().for_each(tell);
}

/// Gives the flows that have something in common, in order of their numbers, group by group; those that have it alone are
/// left out.
///
/// They are put in order by a short hash first, so that little memory is taken and few texts are compared; hostile captures
/// only make more of the latter.
pub(crate) fn each_group<T: Ord + Hash>(
    n_flows: usize,
    uses: impl Iterator<Item = u32>,
    common: impl Fn(u32) -> T,
    mut take: impl FnMut(&[u32]),
) {
    let short = |number: u32| {
        let mut hasher = DefaultHasher::new();
        common(number).hash(&mut hasher);
        hasher.finish() as u32
    };
    // At once: growing would leave holes as large as itself.
    let mut order: Vec<(u32, u32)> = Vec::with_capacity(n_flows);
    order.extend(uses.map(|it| (short(it), it)));
    order.sort_unstable();
    for alike in order.chunk_by(|a, b| a.0 == b.0).filter(|it| it.len() > 1) {
        let mut numbers: Vec<u32> = alike.iter().map(|it| it.1).collect();
        numbers.sort_by_cached_key(|it| common(*it));
        numbers.chunk_by(|a, b| common(*a) == common(*b)).for_each(&mut take);
    }
}

/// Edges from each flow of a group to the next, if the time between is short enough.
fn follow(
    flows: &Many<Flow>,
    group: &[u32],
    gap: u64,
    kind: &impl Fn(u32, u32) -> Option<(Kind, u8)>,
) -> impl Iterator<Item = Edge> {
    let mut until = 0;
    group.windows(2).filter_map(move |pair| {
        let &[from, to] = pair else { return None };
        let (before, now) = (flows.get(from as usize)?, flows.get(to as usize)?);
        until = before.last.0.max(until);
        if now.first.0 > until.saturating_add(gap) {
            return None;
        }
        kind(from, to).map(|(kind, percent)| Edge { from, to, kind, percent })
    })
}

/// Connections to the address a DNS answer has just given.
fn answered(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
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

pub(crate) fn is_for_many(ip: IpAddr) -> bool {
    ip.is_multicast() || matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Flows of one client for one name, for names of one owner or of one service, with little time between them.
fn same_name(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    // What a resolver or a neighbour was asked for is no use of it.
    let own = || numbered(flows, verdicts).filter(|it| !is_for_all(it.2.protocol));
    let name = |number: u32| verdicts.get(number as usize)?.facts().server_name.as_deref();
    let names = own().filter(|it| it.2.facts().server_name.is_some()).map(|it| it.0);
    let of_owner = |it: u32| (flows.get(it as usize).map(|it| it.client.ip), name(it).map(owner));
    let by_name = |from, to| {
        let percent = if name(from) == name(to) { 90 } else { 80 };
        Some((Kind::SameName, percent))
    };
    chain(flows, names, of_owner, NAME_GAP, by_name, tell);

    let services = own().filter(|it| alike::application(it.2).is_some()).map(|it| it.0);
    let of_service = |it: u32| {
        let application = verdicts.get(it as usize).and_then(alike::application);
        (flows.get(it as usize).map(|it| alike::ends(it)[0].ip), application)
    };
    let by_service = |_, _| Some((Kind::SameService, 80));
    chain(flows, services, of_service, NAME_GAP, by_service, tell);
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
    let dots: Vec<usize> = name.rmatch_indices('.').map(|(at, _)| at).take(3).collect();
    let after = |n: usize| match dots.get(n) {
        Some(at) => name.get(at + 1..).unwrap_or(name),
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
fn same_port(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
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
