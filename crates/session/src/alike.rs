//! Weak reasons: signs that say little alone and enough together.
//!
//! Of every flow, a few earlier ones that have something in common with it are looked at, never all: what it costs grows
//! with the flows, whatever a capture holds. Time alone joins nothing, nor does anything else alone.

use std::net::IpAddr;

use classify::{Fact, Verdict};
use flow::{ConnState, Endpoint, Flow, Many, Transport};

use crate::{
    Edge, Kind,
    links::{SECOND, SHARED_SERVICES, each_group, hosts, is_for_all, is_for_many, owner_of},
};

/// A sign that two flows belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// What it is, in a few words.
    pub name: &'static str,
    /// How much it says, in percent.
    pub percent: u8,
}

/// Every sign, at the place of its bit in [`Kind::Alike`].
pub const SIGNS: &[Sign] = &[
    Sign { name: "the same two hosts", percent: 30 },
    Sign { name: "the same port of the same host", percent: 30 },
    Sign { name: "the same uncommon port of servers", percent: 40 },
    Sign { name: "servers in one network", percent: 15 },
    Sign { name: "the same program by its greeting", percent: 30 },
    Sign { name: "the same label", percent: 15 },
    Sign { name: "the same application", percent: 45 },
    Sign { name: "begun at once after a silence", percent: 30 },
    Sign { name: "at the same time", percent: 15 },
    Sign { name: "neighbouring client ports", percent: 15 },
];
const SAME_HOSTS: usize = 0;
const SAME_PORT: usize = 1;
const SAME_UNCOMMON_PORT: usize = 2;
const SAME_NETWORK: usize = 3;
const SAME_PROGRAM: usize = 4;
const SAME_LABEL: usize = 5;
const SAME_APPLICATION: usize = 6;
const AT_ONCE: usize = 7;
const OVERLAP: usize = 8;
const NEAR_PORTS: usize = 9;
/// Signs of time and of what follows from it; together they say no more than [`MAX_OF_TIME`].
const OF_TIME: &[usize] = &[AT_ONCE, OVERLAP, NEAR_PORTS];
const MAX_OF_TIME: u8 = 40;

/// So much is enough, in percent.
const ENOUGH: u8 = 60;
/// So much less it is where both are known, and as different things.
const DIFFERING: u8 = 30;
/// How long after its last packet a flow may still be followed by another one of its kind.
const GAP: u64 = 60 * SECOND;
/// Flows that begin within so much of each other begin at once.
const ONCE: u64 = SECOND / 2;
/// A host that sent nothing for so long was silent.
const SILENCE: u64 = SECOND;
/// Client ports that differ by no more are neighbours.
const NEAR: u16 = 4;
/// How many earlier flows are looked at for each thing in common.
const N_EARLIER: usize = 4;
/// Ports at which servers of every kind listen.
const COMMON: &[u16] = &[1080, 3128, 5353, 8000, 8008, 8080, 8081, 8443, 8888];

/// Labels that many programs of a host may have at one time, each for itself. Any other label is one application's.
const GENERAL: &[&str] = &[
    "amqp",
    "citrix",
    "coap",
    "dcerpc",
    "dtls",
    "ftp",
    "git",
    "http",
    "http2",
    "imap",
    "irc",
    "ldap",
    "mongodb",
    "mqtt",
    "mysql",
    "nfs",
    "nntp",
    "oncrpc",
    "oracle",
    "pop3",
    "postgres",
    "quic",
    "openvpn",
    "rdp",
    "redis",
    "rsync",
    "rtcp",
    "rtp",
    "rtsp",
    "sip",
    "smb",
    "smtp",
    "socks4",
    "socks5",
    "ssh",
    "stun",
    "svn",
    "tds",
    "telnet",
    "tftp",
    "tls",
    "vnc",
    "websocket",
    "wireguard",
    "x11",
    "xmpp",
];

/// What two flows may have in common, to be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Common<'a> {
    Hosts(IpAddr, IpAddr),
    PortBetween(IpAddr, IpAddr, Endpoint),
    UncommonPort(IpAddr, u16),
    Network(IpAddr, u128),
    Program(IpAddr, &'a str),
    Label(IpAddr, &'a str),
}

/// A flow, and what is known of it besides.
struct Seen<'a> {
    number: u32,
    flow: &'a Flow,
    verdict: &'a Verdict,
    /// Its host began to speak after a silence no longer before it than [`ONCE`].
    follows_silence: bool,
}

/// Tells every weak reason, by the flow explained.
pub(crate) fn find(flows: &Many<Flow>, verdicts: &Many<Verdict>, tell: &mut impl FnMut(Edge)) {
    let follows_silence = after_silences(flows, verdicts);
    let seen = |number: u32| {
        let at = number as usize;
        let (flow, verdict) = (flows.get(at)?, verdicts.get(at)?);
        let follows_silence = follows_silence.get(at).copied().unwrap_or(false);
        is_own(flow, verdict).then_some(Seen { number, flow, verdict, follows_silence })
    };
    // Which earlier flows each is compared with: for each thing in common, one at a time to save memory.
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for kind in COMMONS {
        let common = |it: u32| seen(it).and_then(|it| kind(&it));
        let uses = (0..flows.len() as u32).filter(|it| common(*it).is_some());
        each_group(flows.len(), uses, common, |group| {
            for (place, now) in group.iter().enumerate() {
                let earlier = group.iter().take(place).rev().take(N_EARLIER);
                pairs.extend(earlier.map(|before| (*now, *before)));
            }
        });
        pairs.sort_unstable();
        pairs.dedup();
    }
    for (now, before) in pairs {
        let (Some(now), Some(before)) = (seen(now), seen(before)) else { continue };
        let signs = now.signs(&before);
        let percent = sum(signs).saturating_sub(if now.differs(&before) { DIFFERING } else { 0 });
        if percent >= ENOUGH {
            let kind = Kind::Alike { signs };
            tell(Edge { from: before.number, to: now.number, kind, percent });
        }
    }
}

/// Whether a flow is of an application and not of what all of them use.
fn is_own(flow: &Flow, verdict: &Verdict) -> bool {
    !is_for_all(verdict.protocol)
        && !is_for_many(flow.server.ip)
        && flow.tunnels().and_then(|it| it.parent).is_none()
}

/// Which flows begin just after their host had been silent, by number.
fn after_silences(flows: &Many<Flow>, verdicts: &Many<Verdict>) -> Vec<bool> {
    let host = |it: &u32| flows.get(*it as usize).map(|it| it.client.ip);
    let own = (0..).zip(flows.iter().zip(verdicts)).filter(|it: &(u32, _)| is_own(it.1.0, it.1.1));
    let mut order: Vec<u32> = Vec::with_capacity(flows.len());
    order.extend(own.map(|it| it.0));
    // Flows are in order of their first packets.
    order.sort_unstable_by_key(|it| (host(it), *it));
    let mut after = vec![false; flows.len()];
    for group in order.chunk_by(|a, b| host(a) == host(b)) {
        let (mut until, mut began) = (None, None);
        for number in group {
            let at = *number as usize;
            let (Some(flow), Some(after)) = (flows.get(at), after.get_mut(at)) else { continue };
            let first = flow.first.0;
            if until.is_none_or(|it: u64| first > it.saturating_add(SILENCE)) {
                began = Some(first);
            }
            *after = began.is_some_and(|began| first <= began.saturating_add(ONCE));
            until = until.max(Some(flow.last.0));
        }
    }
    after
}

/// The things that flows are compared by.
const COMMONS: [for<'a> fn(&Seen<'a>) -> Option<Common<'a>>; 7] = [
    |it| {
        let (a, b) = hosts(it.flow);
        Some(Common::Hosts(a, b))
    },
    |it| it.port_between(ends(it.flow)[0]),
    |it| it.port_between(ends(it.flow)[1]),
    |it| {
        let [client, server] = ends(it.flow);
        is_uncommon(server.port).then_some(Common::UncommonPort(client.ip, server.port))
    },
    |it| {
        let [client, server] = ends(it.flow);
        Some(Common::Network(client.ip, network(server.ip)))
    },
    |it| Some(Common::Program(ends(it.flow)[0].ip, it.program()?)),
    |it| Some(Common::Label(ends(it.flow)[0].ip, it.label()?)),
];

impl<'a> Seen<'a> {
    fn port_between(&self, end: Endpoint) -> Option<Common<'a>> {
        let (a, b) = hosts(self.flow);
        (end.port != 0).then_some(Common::PortBetween(a, b, end))
    }

    fn program(&self) -> Option<&'a str> {
        let facts = self.verdict.facts();
        facts.told.get(Fact::Ja4).or(facts.told.get(Fact::UserAgent))
    }

    /// What it is, where that says more than how it is carried.
    fn label(&self) -> Option<&'a str> {
        const CARRIERS: &[&str] = &["dtls", "http", "http2", "quic", "tls", "websocket"];
        let label = &*self.verdict.label;
        (label != classify::UNKNOWN && !CARRIERS.contains(&label)).then_some(label)
    }

    /// Whether both speak protocols that are known and not the same, for services that are not the same.
    fn differs(&self, before: &Self) -> bool {
        let (now, then) = (self.verdict, before.verdict);
        let is_known = |it: &Verdict| it.protocol != classify::UNKNOWN;
        let is_known = is_known(now) && is_known(then) && now.protocol != then.protocol;
        // One is of the ports that IANA gives to one service each, but for those of the web.
        let (port, port_then) = (self.flow.server.port, before.flow.server.port);
        let is_system = |it: u16| (1..1024).contains(&it) && ![80, 443].contains(&it);
        let has_other_port = (is_system(port) || is_system(port_then)) && port != port_then;
        now.label != then.label && is_known || is_unknown_pair(now, then) && has_other_port
    }

    /// The signs that it belongs to an earlier flow; none where something says that it does not.
    fn signs(&self, before: &Self) -> u16 {
        let (now, then) = (self.flow, before.flow);
        let ([own, other], [own_then, other_then]) = (ends(now), ends(then));
        let differ =
            |a: Option<&str>, b: Option<&str>| matches!((a, b), (Some(a), Some(b)) if a != b);
        let is_late = now.first.0 > then.last.0.saturating_add(GAP);
        if is_late || differ(owner_of(self.verdict), owner_of(before.verdict)) {
            return 0;
        }
        let is_same = |a: Option<&str>, b: Option<&str>| a.is_some() && a == b;
        let same_hosts = hosts(now) == hosts(then);
        let is_client_same = own.ip == own_then.ip;
        let shares_end = ends(now).iter().any(|it| it.port != 0 && ends(then).contains(it));
        let is_same_port = same_hosts && shares_end && now.transport == then.transport;
        let shares_uncommon = same_hosts
            && ends(now).iter().any(|it| is_uncommon(it.port) && ends(then).contains(it));
        let has_same_service =
            is_client_same && other.port == other_then.port && is_uncommon(other.port);
        let label = self.label().filter(|it| before.label() == Some(it));
        let is_application = label.is_some_and(is_application);
        let is_at_once = self.follows_silence
            && before.follows_silence
            && now.first.0.abs_diff(then.first.0) <= ONCE;
        let near = own.port.abs_diff(own_then.port);
        let all = [
            (SAME_HOSTS, same_hosts),
            (SAME_PORT, is_same_port),
            (SAME_UNCOMMON_PORT, !is_same_port && (has_same_service || shares_uncommon)),
            (SAME_NETWORK, !same_hosts && network(other.ip) == network(other_then.ip)),
            (SAME_PROGRAM, is_client_same && is_same(self.program(), before.program())),
            (SAME_LABEL, label.is_some() && !is_application),
            (SAME_APPLICATION, is_client_same && is_application),
            (AT_ONCE, is_client_same && is_at_once),
            (OVERLAP, overlaps(now, then)),
            (NEAR_PORTS, is_client_same && own.port != 0 && near <= NEAR),
        ];
        all.iter().filter(|it| it.1).fold(0, |signs, (at, _)| signs | 1 << at)
    }
}

/// The host whose application it is first: it opened the flow, or its port is one that clients have, where nobody was seen
/// to open it.
pub(crate) fn ends(flow: &Flow) -> [Endpoint; 2] {
    /// Below it are few ports that clients have.
    const MIN_CLIENT_PORT: u16 = 32_768;
    let is_turned = flow.transport == Transport::TCP
        && flow.conn_state() == Some(ConnState::Oth)
        && flow.client.port < MIN_CLIENT_PORT
        && flow.server.port >= MIN_CLIENT_PORT;
    if is_turned { [flow.server, flow.client] } else { [flow.client, flow.server] }
}

/// The one application, or service, that a flow shows to be of.
pub(crate) fn application(verdict: &Verdict) -> Option<&str> {
    let label = &*verdict.label;
    (label != classify::UNKNOWN && is_application(label)).then_some(label)
}

fn is_application(label: &str) -> bool {
    !GENERAL.contains(&label) && !SHARED_SERVICES.contains(&label)
}

/// Whether what either is says nothing of what they have in common.
fn is_unknown_pair(a: &Verdict, b: &Verdict) -> bool {
    a.label != b.label || a.label == classify::UNKNOWN
}

/// Whether the longer part of the shorter flow lies in the other one.
fn overlaps(a: &Flow, b: &Flow) -> bool {
    let together = a.last.0.min(b.last.0).saturating_sub(a.first.0.max(b.first.0));
    let shorter = (a.last.0.saturating_sub(a.first.0)).min(b.last.0.saturating_sub(b.first.0));
    let is_touching = a.first <= b.last && b.first <= a.last;
    is_touching && together.saturating_mul(2) >= shorter
}

/// A port that one kind of server has, as far as a number can say that.
fn is_uncommon(port: u16) -> bool {
    port > 1024 && !COMMON.contains(&port)
}

/// The /24 of an IPv4 address, the /48 of an IPv6 address.
fn network(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip) >> 8),
        IpAddr::V6(ip) => u128::from(ip) >> 80 | 1 << 64,
    }
}

/// How much signs say together, in percent.
fn sum(signs: u16) -> u8 {
    let of = |is_of_time: bool| {
        let has = |at: &usize| signs >> at & 1 == 1 && OF_TIME.contains(at) == is_of_time;
        let found = SIGNS.iter().enumerate().filter(|(at, _)| has(at));
        found.fold(0_u8, |sum, (_, it)| sum.saturating_add(it.percent))
    };
    of(false).saturating_add(of(true).min(MAX_OF_TIME)).min(95)
}

/// `much in common with flow 3: the same two hosts, at the same time`.
pub(crate) fn sentence(from: u32, signs: u16) -> String {
    let has = |at: usize| signs >> at & 1 == 1;
    let names: Vec<&str> =
        SIGNS.iter().enumerate().filter(|(at, _)| has(*at)).map(|(_, it)| it.name).collect();
    format!("much in common with flow {from}: {}", names.join(", "))
}
