//! Weak reasons: signs that say little alone and enough together.
//!
//! Of every flow, a few earlier ones that have something in common with it are looked at, never all: what it costs grows
//! with the flows, whatever a capture holds. Time alone joins nothing, nor does anything else alone.

use crate::{
    Edge, Grouping, Kind,
    links::{SECOND, SHARED_SERVICES, are_different},
    seen::{All, Common, End, NONE, ONCE, Seen, each_group},
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

/// How flows are carried, as labels.
pub(crate) const CARRIERS: &[&str] = &["dtls", "http", "http2", "quic", "tls", "websocket"];

/// Finds every weak reason, by the flow explained.
pub(crate) fn find(all: &All<'_>, grouping: &mut Grouping) {
    // Each flow and an earlier one that it may belong to.
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for common in COMMONS {
        let of_own = |it: &Seen<'_>| if it.is_own { common(all, it) } else { None };
        each_group(all, of_own, |group| {
            for (place, now) in group.iter().enumerate() {
                for before in group.iter().take(place).rev().take(N_EARLIER) {
                    if grouping.may_join(*before, *now)
                        && look(all, *now, *before).is_some_and(|it| it.1 >= ENOUGH)
                    {
                        pairs.push((*now, *before));
                    }
                }
            }
        });
        pairs.sort_unstable();
        pairs.dedup();
    }
    for (to, from) in pairs {
        if grouping.may_join(from, to)
            && let Some((signs, percent)) = look(all, to, from)
        {
            grouping.join_alike(Edge { from, to, kind: Kind::Alike { signs }, percent });
        }
    }
}

/// The signs that a flow belongs to an earlier one, and how much these say.
fn look(all: &All<'_>, now: u32, before: u32) -> Option<(u16, u8)> {
    let two = Two { all, now: all.get(now)?, before: all.get(before)? };
    let signs = two.signs();
    let percent = sum(signs);
    let differ = percent >= ENOUGH && two.differ();
    Some((signs, percent.saturating_sub(if differ { DIFFERING } else { 0 })))
}

/// The things that flows are compared by.
const COMMONS: [fn(&All<'_>, &Seen<'_>) -> Option<Common>; 7] = [
    |_, it| Some((it.both_hosts(), 0)),
    |_, it| port_between(it, it.ends()[0]),
    |_, it| port_between(it, it.ends()[1]),
    |_, it| {
        let [(client, _), (_, port)] = it.ends();
        is_uncommon(port).then_some((client.into(), port.into()))
    },
    |all, it| {
        let [(client, _), (server, _)] = it.ends();
        Some((client.into(), all.addresses.network(server)))
    },
    |_, it| (it.program != NONE).then_some((it.ends()[0].0.into(), it.program.into())),
    |all, it| {
        let what = all.what(it);
        what.is_telling.then_some((it.ends()[0].0.into(), what.label.into()))
    },
];

fn port_between(seen: &Seen<'_>, (host, port): End) -> Option<Common> {
    (port != 0).then_some((seen.both_hosts(), u64::from(host) << 16 | u64::from(port)))
}

/// A flow and an earlier one.
struct Two<'a> {
    all: &'a All<'a>,
    now: Seen<'a>,
    before: Seen<'a>,
}

impl Two<'_> {
    /// Whether both speak protocols that are known and not the same, for services that are not the same.
    fn differ(&self) -> bool {
        let (now, then) = (self.all.what(&self.now), self.all.what(&self.before));
        let is_known = now.has_protocol && then.has_protocol && now.protocol != then.protocol;
        let has_one_label = now.label == then.label;
        // One is of the ports that IANA gives to one service each, but for those of the web.
        let (port, port_then) = (self.now.ports[1], self.before.ports[1]);
        let is_system = |it: u16| (1..1024).contains(&it) && ![80, 443].contains(&it);
        let has_other_port = (is_system(port) || is_system(port_then)) && port != port_then;
        !has_one_label && is_known || !(has_one_label && now.has_label) && has_other_port
    }

    /// None where something says that they do not belong together.
    fn signs(&self) -> u16 {
        let (now, then) = (&self.now, &self.before);
        let is_late = now.first() > then.last().saturating_add(GAP);
        if is_late || are_different(now.owner, then.owner) {
            return 0;
        }
        let (ends, ends_then) = (now.ends(), then.ends());
        let ([own, other], [own_then, other_then]) = (ends, ends_then);
        let network = |end: End| self.all.addresses.network(end.0);
        let same_hosts = now.both_hosts() == then.both_hosts();
        let is_client_same = own.0 == own_then.0;
        let shares = |is_such: fn(u16) -> bool| {
            same_hosts && ends.iter().any(|it| is_such(it.1) && ends_then.contains(it))
        };
        let is_same_port = shares(|it| it != 0) && now.transport == then.transport;
        let has_same_service = is_client_same && other.1 == other_then.1 && is_uncommon(other.1);
        let (what, what_then) = (self.all.what(now), self.all.what(then));
        let has_one_label = what.is_telling && what.label == what_then.label;
        let is_application = has_one_label && what.is_application;
        let is_at_once = now.follows_silence
            && then.follows_silence
            && now.first().abs_diff(then.first()) <= ONCE;
        let is_one_program = now.program != NONE && now.program == then.program;
        let near = own.1.abs_diff(own_then.1);
        let all = [
            (SAME_HOSTS, same_hosts),
            (SAME_PORT, is_same_port),
            (SAME_UNCOMMON_PORT, !is_same_port && (has_same_service || shares(is_uncommon))),
            (SAME_NETWORK, !same_hosts && network(other) == network(other_then)),
            (SAME_PROGRAM, is_client_same && is_one_program),
            (SAME_LABEL, has_one_label && !is_application),
            (SAME_APPLICATION, is_client_same && is_application),
            (AT_ONCE, is_client_same && is_at_once),
            (OVERLAP, overlap(now, then)),
            (NEAR_PORTS, is_client_same && own.1 != 0 && near <= NEAR),
        ];
        all.iter().fold(0, |signs, (at, is_there)| signs | u16::from(*is_there) << at)
    }
}

/// Whether a label is that of one application, or service.
pub(crate) fn is_application(label: &str) -> bool {
    !GENERAL.contains(&label) && !SHARED_SERVICES.contains(&label)
}

/// Whether the longer part of the shorter flow lies in the other one.
fn overlap(a: &Seen<'_>, b: &Seen<'_>) -> bool {
    let together = a.last().min(b.last()).saturating_sub(a.first().max(b.first()));
    let shorter = (a.last().saturating_sub(a.first())).min(b.last().saturating_sub(b.first()));
    let is_touching = a.first() <= b.last() && b.first() <= a.last();
    is_touching && together.saturating_mul(2) >= shorter
}

/// A port that one kind of server has, as far as a number can say that.
fn is_uncommon(port: u16) -> bool {
    port > 1024 && !COMMON.contains(&port)
}

/// How much signs say together, in percent.
fn sum(signs: u16) -> u8 {
    let (mut of_time, mut others) = (0_u8, 0_u8);
    for (at, sign) in SIGNS.iter().enumerate().filter(|(at, _)| signs >> at & 1 == 1) {
        let sum = if OF_TIME.contains(&at) { &mut of_time } else { &mut others };
        *sum = sum.saturating_add(sign.percent);
    }
    others.saturating_add(of_time.min(MAX_OF_TIME)).min(95)
}

/// `much in common with flow 3: the same two hosts, at the same time`.
pub(crate) fn sentence(from: u32, signs: u16) -> String {
    let has = |at: usize| signs >> at & 1 == 1;
    let names: Vec<&str> =
        SIGNS.iter().enumerate().filter(|(at, _)| has(*at)).map(|(_, it)| it.name).collect();
    format!("much in common with flow {from}: {}", names.join(", "))
}
