//! Flows in, labels out: what a flow says of itself first, what it looks like second.
//!
//! A protocol is recognised by its payload alone; a service by the names, addresses and agents in it. A port may support
//! what a payload says and never replaces it. Every verdict carries its reason.

#![warn(clippy::indexing_slicing)]

mod ber;
mod bytes;
mod carried;
mod cipher;
mod dialogue;
mod fact;
mod hello;
mod inside;
mod look;
#[cfg(test)]
mod near;
mod needs;
mod ntlm;
mod own;
pub mod protocol;
mod service;
mod shape;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::{Deref, DerefMut},
    sync::{Arc, LazyLock},
};

use flow::{Flow, Transport};
use serde::{Deserialize, Serialize};

use crate::own::Seen;
pub use crate::{
    carried::Carried,
    fact::{FACTS, Fact, Told},
    own::{Matched, OwnRule, OwnRules, OwnRulesError, RulePlace},
    protocol::{Answer, Expected, Facts, PROTOCOLS, Protocol, Tie},
    service::{SERVICES, Service},
};

/// What a flow is called where nothing tells.
pub const UNKNOWN: &str = "unknown";

/// The groups of labels: those of the book and those beside them.
pub const GROUPS: &[&str] = &[
    "cloud",
    "files",
    "games",
    "mail",
    "media",
    "messaging",
    "names",
    "other",
    "peer2peer",
    "social",
    "system",
    "tunnel",
    "unknown",
    "voice",
    "web",
];

/// A label and why the flow has it.
///
/// Flows of which the same was found share it ([`Findings`]), so that a million verdicts take little memory; who changes it
/// gets one of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    finding: Arc<Finding>,
    /// What the payload tells besides; most flows of a large capture say nothing.
    facts: Option<Box<Facts>>,
}

/// What was found of a flow, but for what it says of itself alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The application protocol its payload shows, the transport where that says all, or [`UNKNOWN`].
    pub protocol: &'static str,
    /// The service where one is known, else the protocol: one of [`labels`]; or what a rule of the user's or a model says.
    pub label: Cow<'static, str>,
    /// The group of the label.
    pub group: &'static str,
    /// What decided the label.
    pub reason: Reason,
    /// Whose first bytes show the protocol, where the payload does.
    pub shown: Option<Shown>,
}

impl Deref for Verdict {
    type Target = Finding;

    fn deref(&self) -> &Finding {
        &self.finding
    }
}

impl DerefMut for Verdict {
    fn deref_mut(&mut self) -> &mut Finding {
        Arc::make_mut(&mut self.finding)
    }
}

/// What was found of flows before, to be shared by those that follow.
#[derive(Debug)]
pub struct Findings(Vec<Option<Arc<Finding>>>);

impl Findings {
    /// How many are remembered: most captures have fewer.
    const MOST: usize = 1 << 10;

    /// Lets a verdict share what was found before, if it is the same.
    pub fn share(&mut self, verdict: &mut Verdict) {
        // By where their texts are: most lie in a table.
        let Finding { protocol, label, reason, .. } = &**verdict;
        let place = |text: &str| text.as_ptr().addr();
        let network = if let Reason::Address { network } = reason { place(network) } else { 0 };
        let mixed = (place(protocol) ^ place(label).rotate_left(16) ^ network).wrapping_mul(MIXER);
        let Some(slot) = self.0.get_mut(mixed >> 16 & (Self::MOST - 1)) else { return };
        match slot {
            Some(known) if *known == verdict.finding => verdict.finding = Arc::clone(known),
            _ => *slot = Some(Arc::clone(&verdict.finding)),
        }
    }
}

/// Its products depend on every bit of what they are of in their upper bits.
const MIXER: usize = 0x9e37_79b9;

impl Default for Findings {
    fn default() -> Self {
        Self(vec![None; Self::MOST])
    }
}

/// Whose first bytes show a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// The client's alone.
    Client,
    /// The server's alone.
    Server,
    /// Those of either side: each alone would do.
    Both,
    /// Only those of both sides together.
    Together,
}

impl Shown {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Both => "both",
            Self::Together => "together",
        }
    }
}

/// What decided a label, strongest first.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A rule of the user's; what it says by ports alone is weaker than all but a model.
    Own(Matched),
    /// The payload: a protocol of [`PROTOCOLS`] recognised it.
    Payload,
    /// The IP header: the transport is all there is to know.
    Transport,
    /// A name in the payload belongs to the service.
    Name,
    /// Names of the service were looked up, and no others.
    Asked,
    /// The user agent in the payload belongs to the service.
    Agent,
    /// The server's address belongs to the service.
    Address {
        /// The network it is in.
        network: &'static str,
    },
    /// A DNS answer gave the client the server's address under a name of the service, now the flow's server name.
    Answered,
    /// Its packets carry those of other flows.
    Carries,
    /// The dialogue of another flow announced it.
    Announced {
        /// The number of that flow.
        flow: u32,
        /// The port it announced.
        port: u16,
    },
    /// Another flow has it, whose kin it is.
    Kin {
        /// The number of that flow.
        flow: u32,
        /// How they are kin.
        how: Kin,
    },
    /// A model, of what it looks like.
    Model(Guess),
    /// Nothing did.
    Unknown,
    /// Nothing did, and a model that was asked does not know either.
    Unguessed(Guess),
}

/// What a model makes of a flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// What the model is called.
    pub model: Arc<str>,
    /// How often it is right where it is so sure, 0 to 1.
    pub confidence: f32,
    /// The flow is unlike all the model learned from, whatever it says of it.
    pub is_unlike: bool,
}

impl Guess {
    /// How often it is right where it is so sure, in whole percent; never more sure than it is.
    pub fn percent(&self) -> u8 {
        (self.confidence.clamp(0.0, 1.0) * 100.0 + 0.001) as u8
    }
}

/// How two flows are kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kin {
    /// A socket of theirs is the same.
    Socket,
    /// They are between the same hosts and to the same port, over different transports.
    Twin,
    /// They are one QUIC connection, whose client has moved.
    Connection,
}

impl Verdict {
    fn unknown() -> Self {
        let finding = Finding {
            protocol: UNKNOWN,
            label: Cow::Borrowed(UNKNOWN),
            group: UNKNOWN,
            reason: Reason::Unknown,
            shown: None,
        };
        Self { finding: Arc::new(finding), facts: None }
    }

    /// What the payload tells besides.
    pub fn facts(&self) -> &Facts {
        const NONE: &Facts = &Facts::NONE;
        self.facts.as_deref().unwrap_or(NONE)
    }

    /// Names the server of a flow that has no name of its own.
    pub fn set_server_name(&mut self, name: &str) {
        self.facts.get_or_insert_default().server_name.get_or_insert_with(|| name.to_owned());
    }

    /// Whether its payload shows a protocol that peers speak with each other, whichever of them was opened.
    pub fn is_peer(&self) -> bool {
        let is_shown = self.reason == Reason::Payload || self.is_own();
        is_shown && PEERS.contains(&self.protocol)
    }

    /// Whether a rule of the user's decided its label: nothing built in takes its place.
    pub fn is_own(&self) -> bool {
        matches!(self.reason, Reason::Own(_))
    }

    /// Whether its payload shows a service and not only a protocol: so its socket is that service's program's.
    pub fn shows_program(&self) -> bool {
        self.reason == Reason::Payload && self.label != self.protocol
    }

    /// Whether it says nothing of itself that would tell its program: nothing at all, or that it is a call.
    pub fn is_open(&self) -> bool {
        let is_nothing = self.protocol == UNKNOWN;
        let is_call = matches!(self.protocol, "stun" | "rtp" | "rtcp" | "dtls");
        let is_guessed = matches!(self.reason, Reason::Address { .. } | Reason::Unknown);
        let is_bare = is_call && self.label == self.protocol && !self.is_own();
        is_guessed && (is_nothing || is_call) || is_bare
    }

    /// Whether a name in its payload tells its service.
    pub fn is_named(&self) -> bool {
        match &self.reason {
            Reason::Own(rule) => rule.is_named() && self.facts().server_name.is_some(),
            reason => *reason == Reason::Name,
        }
    }

    /// Whether it is encrypted and a name is missing that would tell its service.
    pub fn is_nameless(&self) -> bool {
        let is_encrypted = matches!(self.protocol, "tls" | "quic" | "dtls");
        let is_guessed = matches!(self.reason, Reason::Payload | Reason::Address { .. });
        is_encrypted && is_guessed && self.facts().server_name.is_none()
    }

    /// How the label was reached, in a word: `own`, `payload`, `name`, `kin`, `address`, `port`, `model` or `unknown`.
    /// What only an address, a port in a rule of the user's, or a model tells is a guess.
    pub fn evidence(&self) -> &'static str {
        match &self.reason {
            Reason::Own(rule) if rule.is_guess() => "port",
            Reason::Own(_) => "own",
            Reason::Payload | Reason::Transport | Reason::Carries => "payload",
            Reason::Name | Reason::Asked | Reason::Agent | Reason::Answered => "name",
            Reason::Address { .. } => "address",
            Reason::Announced { .. } | Reason::Kin { .. } => "kin",
            Reason::Model(_) => "model",
            Reason::Unknown | Reason::Unguessed(_) => UNKNOWN,
        }
    }

    /// Why the flow has its label, in a sentence without a full stop.
    pub fn sentence(&self) -> Cow<'_, str> {
        let label = &self.label;
        let facts = self.facts();
        let name = facts.server_name.as_deref().unwrap_or_default();
        let seen = &*facts.seen;
        let then = if seen.is_empty() { "" } else { "; " };
        let sentence = match &self.reason {
            // Of most flows.
            Reason::Payload => return Cow::Borrowed(seen),
            Reason::Unknown => return Cow::Borrowed("neither payload nor names tell"),
            Reason::Own(rule) => format!("{seen}{then}{}", rule.sentence(facts)),
            Reason::Transport => format!("the IP header says {label}"),
            Reason::Carries => format!("its packets carry packets of other flows, as {label} does"),
            Reason::Name | Reason::Asked => {
                format!("{seen}{then}the name {name} belongs to {label}")
            }
            Reason::Agent => {
                let agent = facts.told.get(Fact::UserAgent).unwrap_or_default();
                format!("{seen}{then}the user agent {agent} belongs to {label}")
            }
            Reason::Address { network } => {
                format!(
                    "{seen}{then}the server's address is in {network}, which belongs to {label}"
                )
            }
            Reason::Answered => {
                format!(
                    "{seen}{then}a DNS answer gave the server's address for {name} to this client"
                )
            }
            Reason::Announced { flow, port } => announcement(self.protocol, *flow, *port),
            Reason::Kin { flow, how: Kin::Socket } => {
                format!("{seen}{then}{label} is at the same port in flow {flow}")
            }
            Reason::Kin { flow, how: Kin::Twin } => {
                format!(
                    "{seen}{then}flow {flow} between the same hosts, to the same port, is {label}"
                )
            }
            Reason::Kin { flow, how: Kin::Connection } => {
                format!("{seen}{then}the QUIC connection of flow {flow} goes on here")
            }
            Reason::Model(guess) => format!("model {}, {} %", guess.model, guess.percent()),
            Reason::Unguessed(guess) if guess.is_unlike => {
                format!(
                    "neither payload nor names tell; model {} knows nothing like it",
                    guess.model
                )
            }
            Reason::Unguessed(guess) => {
                let (model, percent) = (&guess.model, guess.percent());
                format!("neither payload nor names tell; model {model} is not sure: {percent} %")
            }
        };
        Cow::Owned(sentence)
    }

    /// Keeps what speaks for another label.
    fn contradict(&mut self, what: &str, label: &str) {
        let facts = self.facts.get_or_insert_default();
        facts.told.tell(Fact::Contradiction, &format!("the {what} says {label}"));
        facts.told.shrink();
    }

    /// Leaves the label at what the payload shows.
    fn take_guess_back(&mut self) {
        let is_known = self.protocol != UNKNOWN;
        self.reason = if is_known { Reason::Payload } else { Reason::Unknown };
        let protocol = self.protocol;
        (self.label, self.group) = (Cow::Borrowed(protocol), group_of_protocol(protocol));
    }

    fn serve(&mut self, service: &'static Service, reason: Reason) {
        let finding = &mut **self;
        finding.label = Cow::Borrowed(service.label);
        finding.group = service.group;
        finding.reason = reason;
    }

    /// Does as a rule of the user's says.
    fn obey(&mut self, rule: Matched) {
        let finding = &mut **self;
        (finding.label, finding.group) = (rule.label(), rule.group());
        finding.reason = Reason::Own(rule);
    }
}

/// How a flow announced another of this protocol, in a sentence.
pub fn announcement(protocol: &str, flow: u32, port: u16) -> String {
    let who = if protocol == "ftp" { "the FTP dialogue" } else { "the call" };
    format!("{who} in flow {flow} announced port {port}")
}

/// Labels a flow by what it says of itself, which stays as it is; the user's rules come first.
pub fn label(flow: &mut Flow, own: &OwnRules) -> Verdict {
    let mut further_names = Vec::new();
    let mut verdict = label_as_built(flow, &mut further_names);
    if let Reason::Address { .. } = verdict.reason
        && !own.has_guesses()
    {
        verdict.take_guess_back();
    }
    if let Some(shape) = shape::guess(flow, verdict.protocol).filter(|_| own.has_guesses()) {
        let facts = verdict.facts.get_or_insert_default();
        facts.told.tell(Fact::Shape, shape);
        facts.told.shrink();
    }
    if !own.is_empty() {
        let names = verdict.facts().server_name.iter().chain(&further_names);
        let names: Vec<&str> = names.map(String::as_str).collect();
        if let Some(rule) = own.decide(&seen(flow, &verdict, &names)) {
            let name = further_names.into_iter().find(|it| rule.has_name(it));
            verdict.obey(rule);
            if let Some(name) = name {
                verdict.set_server_name(&name);
            }
        }
    }
    verdict
}

/// What rules of the user's look at.
fn seen<'a>(flow: &'a Flow, verdict: &'a Verdict, names: &'a [&'a str]) -> Seen<'a> {
    Seen {
        transport: flow.transport,
        server: flow.server,
        heads: &flow.heads,
        names,
        is_lookup: is_lookup(verdict.protocol),
        agent: verdict.facts().told.get(Fact::UserAgent),
    }
}

/// Labels a flow by what is built in. Further names that it tells are told too.
fn label_as_built(flow: &mut Flow, further_names: &mut Vec<String>) -> Verdict {
    let mut verdict = Verdict::unknown();
    if let Some((protocol, mut facts)) = protocol::recognise(&flow.heads) {
        *verdict = Finding {
            protocol: protocol.name,
            label: Cow::Borrowed(protocol.name),
            group: protocol.group,
            reason: Reason::Payload,
            shown: Some(protocol::shown(protocol, &facts, &mut flow.heads)),
        };
        contradict_port(&mut facts, protocol.name, flow.server.port);
        *further_names = std::mem::take(&mut facts.further_names);
        facts.shrink();
        verdict.facts = Some(Box::new(facts));
    } else if let Some(name) = transport_label(flow.transport) {
        let (label, reason) = (Cow::Borrowed(name), Reason::Transport);
        *verdict = Finding { protocol: name, label, group: "system", reason, shown: None };
        return verdict;
    } else if let Some(kind) = flow.tunnels().and_then(|it| it.carries) {
        let known = PROTOCOLS.iter().find(|it| it.name == kind.name());
        let group = known.map_or("tunnel", |it| it.group);
        let (protocol, label) = (kind.name(), Cow::Borrowed(kind.name()));
        *verdict = Finding { protocol, label, group, reason: Reason::Carries, shown: None };
        return verdict;
    }
    let facts = verdict.facts();
    let mut names = facts.server_name.iter().chain(&*further_names).map(String::as_str);
    if let Some((group, label)) = facts.service.and_then(known) {
        let by_name = names.find_map(service::by_name).filter(|it| it.label != label);
        (verdict.label, verdict.group) = (Cow::Borrowed(label), group);
        if let Some(other) = by_name {
            verdict.contradict("name", other.label);
        }
        return verdict;
    }
    if is_lookup(verdict.protocol) {
        if let Some(service) = service_of_all(names) {
            verdict.serve(service, Reason::Asked);
        }
        return verdict;
    }
    if verdict.group == "system" {
        return verdict;
    }
    // What a proxy is asked to carry tells of itself; the flow stays the proxy's.
    if PROXIES.contains(&verdict.protocol) {
        return verdict;
    }
    let by_name = names.find_map(|it| Some((it.to_owned(), service::by_name(it)?)));
    let by_agent = facts.told.get(Fact::UserAgent).and_then(service::by_agent);
    if let Some((name, service)) = by_name {
        verdict.set_server_name(&name);
        verdict.serve(service, Reason::Name);
        if let Some(other) = by_agent.filter(|it| it.label != service.label) {
            verdict.contradict("user agent", other.label);
        }
    } else if let Some(service) = by_agent {
        verdict.serve(service, Reason::Agent);
    } else if matches!(verdict.group, "web" | "media" | "voice" | UNKNOWN)
        && let Some((network, service)) = service::by_address(flow.server.ip)
    {
        // Who owns the machine says nothing of a shell or a peer on it.
        verdict.serve(service, Reason::Address { network });
    }
    verdict
}

/// What is spoken at ports that everyone knows (IANA, Service Names), with what is spoken there too.
const PORTS: &[(u16, &[&str])] = &[
    (21, &["ftp"]),
    (22, &["ssh"]),
    (23, &["telnet"]),
    (25, &["smtp"]),
    (53, &["dns", "mdns", "llmnr"]),
    (67, &["dhcp"]),
    (80, &["http", "websocket", "http2", "quic"]),
    (88, &["kerberos"]),
    (110, &["pop3"]),
    (119, &["nntp"]),
    (123, &["ntp"]),
    (143, &["imap"]),
    (161, &["snmp"]),
    (389, &["ldap"]),
    (443, &["tls", "quic", "dtls", "http2"]),
    (445, &["smb"]),
    (636, &["tls"]),
    (853, &["tls", "quic", "dtls"]),
    (993, &["tls"]),
    (995, &["tls"]),
    (3306, &["mysql", "tls"]),
    (3389, &["rdp", "tls"]),
    (5432, &["postgres", "tls"]),
];

/// Notes where a protocol is spoken at the port of another. It is what it is: the port only surprises.
fn contradict_port(facts: &mut Facts, protocol: &str, port: u16) {
    let Some((_, usual)) = PORTS.iter().find(|it| it.0 == port) else { return };
    if let Some(first) = usual.first().filter(|_| !usual.contains(&protocol)) {
        facts.told.tell(Fact::Contradiction, &format!("port {port} is usually {first}"));
    }
}

/// Protocols of proxies, whose facts are of what they carry.
const PROXIES: &[&str] = &["socks4", "socks5"];

/// The service that owns each of these names.
fn service_of_all<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'static Service> {
    let first = names.next().and_then(service::by_name)?;
    names.all(|it| service::by_name(it).is_some_and(|it| it.label == first.label)).then_some(first)
}

/// Says of a flow without a name of its own that a DNS answer gave its server's address for this one.
pub fn relabel_by_answer(verdict: &mut Verdict, name: &str, flow: &Flow, own: &OwnRules) {
    verdict.set_server_name(name);
    let rule = own.decide(&seen(flow, verdict, &[name]));
    match (&verdict.reason, rule) {
        (Reason::Own(now), Some(rule)) if rule.is_before(now) => return verdict.obey(rule),
        (Reason::Own(_), _) => return,
        (_, Some(rule)) => return verdict.obey(rule),
        (_, None) => {}
    }
    let is_open = verdict.label == verdict.protocol && verdict.group != "peer2peer";
    if let Some(service) = service::by_name(name).filter(|_| is_open) {
        verdict.serve(service, Reason::Answered);
    }
}

/// The protocols that look names up; those of the group `names`.
const LOOKUPS: &[&str] = &["dns", "dnscrypt", "llmnr", "mdns", "netbios", "whois"];

/// The protocols whose programs speak with many through one port, over both transports.
const PEERS: &[&str] = &[
    "bittorrent",
    "bitcoin",
    "edonkey",
    "ethereum",
    "gnutella",
    "nano",
    "skype",
    "soulseek",
    "syncthing",
    "tailscale",
    "tinc",
    "tox",
];

/// Whether a protocol looks names up: what it tells is of others than its server.
pub fn is_lookup(protocol: &str) -> bool {
    LOOKUPS.contains(&protocol)
}

/// Whether flows of this protocol and group serve every host alike, so that they show nothing of what belongs together.
pub fn is_shared(protocol: &str, group: &str) -> bool {
    is_lookup(protocol) || matches!(group, "names" | "system")
}

/// The group of a protocol, whatever service it carries.
pub fn group_of_protocol(protocol: &str) -> &'static str {
    match PROTOCOLS.iter().find(|it| it.name == protocol) {
        Some(found) => found.group,
        None if protocol == UNKNOWN => UNKNOWN,
        None if CARRIERS.contains(&protocol) => "tunnel",
        None => "system",
    }
}

/// Says of a flow whose payload tells nothing that another one announced it, and its port: as data of this protocol.
pub fn relabel_by_announcement(verdict: &mut Verdict, protocol: &str, flow: u32, port: u16) {
    let Some(protocol) = PROTOCOLS.iter().find(|it| it.name == protocol) else { return };
    if verdict.protocol != UNKNOWN {
        return;
    }
    verdict.protocol = protocol.name;
    // A service that is known by name or address stays.
    if verdict.label == UNKNOWN {
        (verdict.label, verdict.group) = (Cow::Borrowed(protocol.name), protocol.group);
        verdict.reason = Reason::Announced { flow, port };
    }
}

/// How much of what a UDP socket sent first to a peer is looked at together with what it sent to others, in bytes.
pub const SOCKET_REACH: usize = 256;

/// Whether what a UDP socket sent first to a peer may show a protocol, together with what it sent to others.
pub fn is_of_socket(said: &[u8]) -> bool {
    protocol::is_of_socket(said)
}

/// The protocol of each flow of a UDP socket by what it sent first to each peer, in order: some only show so.
pub fn recognise_socket(said: &[&[u8]]) -> Vec<Option<&'static str>> {
    protocol::recognise_socket(said)
}

/// Labels a flow that nothing tells as a rule of the user's guesses by its ports.
pub fn relabel_by_guess(verdict: &mut Verdict, flow: &Flow, own: &OwnRules) {
    if verdict.label == UNKNOWN
        && own.has_guesses()
        && let Some(rule) = own.guess(&seen(flow, verdict, &[]))
    {
        verdict.obey(rule);
    }
}

/// Says of a flow whose payload tells nothing that with those of its socket it does.
pub fn relabel_by_socket(verdict: &mut Verdict, protocol: &str) {
    let Some(protocol) = PROTOCOLS.iter().find(|it| it.name == protocol) else { return };
    verdict.protocol = protocol.name;
    if !verdict.is_own() {
        (verdict.label, verdict.group) = (Cow::Borrowed(protocol.name), protocol.group);
        verdict.reason = Reason::Payload;
    }
    verdict.facts.get_or_insert_default().seen = protocol::SEEN_OF_SOCKET.into();
}

/// Gives a flow the label of its kin, and where it has none its protocol: protocol, label and group.
pub fn relabel_by_kin(
    verdict: &mut Verdict,
    (protocol, label, group): (&'static str, Cow<'static, str>, &'static str),
    flow: u32,
    how: Kin,
) {
    if verdict.protocol == UNKNOWN && how == Kin::Socket && PEERS.contains(&protocol) {
        verdict.protocol = protocol;
    }
    (verdict.label, verdict.group) = (label, group);
    verdict.reason = Reason::Kin { flow, how };
}

/// Labels a flow by what a model says it looks like. What its payload shows stays its protocol.
pub fn relabel_by_model(verdict: &mut Verdict, label: &str, guess: Guess) {
    verdict.group = group_of_class(label);
    verdict.label = match known(label) {
        Some((_, label)) => Cow::Borrowed(label),
        None => Cow::Owned(label.to_owned()),
    };
    verdict.reason = Reason::Model(guess);
}

/// The group of a class that a model says, which may be any word.
pub fn group_of_class(class: &str) -> &'static str {
    let group = || GROUPS.iter().copied().find(|it| *it == class).unwrap_or("other");
    known(class).map_or_else(group, |it| it.0)
}

/// Takes back what a model says of a flow that says nothing of itself.
pub fn take_model_back(verdict: &mut Verdict) {
    (verdict.label, verdict.group) = (Cow::Borrowed(UNKNOWN), UNKNOWN);
    verdict.reason = Reason::Unknown;
}

/// Tunnels that are known by what they carry alone.
const CARRIERS: &[&str] = &["ayiya", "etherip", "mpls", "tzsp"];

/// Transports that say all there is to know.
fn transport_label(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::TCP | Transport::UDP => None,
        _ => transport.name(),
    }
}

/// Every label there can be, by group, those of the user's rules included; both in order.
pub fn labels(own: &OwnRules) -> Vec<(&'static str, Vec<&str>)> {
    let mut groups: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for (group, label) in every_label() {
        groups.entry(group).or_default().insert(label);
    }
    for (group, label) in own.labels() {
        groups.entry(group).or_default().insert(label);
    }
    groups.into_iter().map(|(group, labels)| (group, labels.into_iter().collect())).collect()
}

/// A label with its group, if it is one of [`labels`].
fn known(label: &str) -> Option<(&'static str, &'static str)> {
    static GROUPS_OF_LABELS: LazyLock<BTreeMap<&str, &str>> =
        LazyLock::new(|| every_label().map(|(group, label)| (label, group)).collect());
    GROUPS_OF_LABELS.get_key_value(label).map(|(label, group)| (*group, *label))
}

/// Every group and label there can be; some come more than once.
fn every_label() -> impl Iterator<Item = (&'static str, &'static str)> {
    let protocols = PROTOCOLS.iter().map(|it| (it.group, it.name));
    let services = SERVICES.iter().map(|it| (it.group, it.label));
    let transports =
        (0..=u8::MAX).filter_map(|it| Some(("system", transport_label(Transport(it))?)));
    let carriers = CARRIERS.iter().map(|it| ("tunnel", *it));
    let forms = protocol::forms().map(|it| (it.group, it.label));
    let all = protocols.chain(services).chain(transports).chain(carriers).chain(forms);
    all.chain([(UNKNOWN, UNKNOWN)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_in_one_known_group() {
        let mut seen = BTreeMap::new();
        for (group, labels) in labels(&OwnRules::default()) {
            assert!(GROUPS.contains(&group), "unknown group {group}");
            for label in labels {
                assert_eq!(seen.insert(label, group), None, "{label} is in two groups");
            }
        }
    }

    #[test]
    fn what_many_flows_have_is_there_once() {
        let mut findings = Findings::default();
        let mut of = |label, name| {
            let mut verdict = Verdict::unknown();
            verdict.label = Cow::Borrowed(label);
            verdict.set_server_name(name);
            findings.share(&mut verdict);
            verdict
        };
        let [one, other] = ["a.example", "b.example"].map(|it| of("vk", it));
        assert!(Arc::ptr_eq(&one.finding, &other.finding) && one != other);
        assert_ne!(one.finding, of("ssh", "a.example").finding);
        let mut changed = other.clone();
        changed.label = Cow::Borrowed("ok");
        assert_eq!((&*one.label, &*other.label, &*changed.label), ("vk", "vk", "ok"));
        // There are millions.
        assert_eq!(size_of::<Option<Verdict>>(), 2 * size_of::<usize>());
    }

    #[test]
    fn lookups_are_the_protocols_of_names() {
        let mut names: Vec<&str> =
            PROTOCOLS.iter().filter(|it| it.group == "names").map(|it| it.name).collect();
        names.sort_unstable();
        assert_eq!(names, LOOKUPS);
    }

    #[test]
    fn a_resolver_is_asked_for_one_service_or_for_none() {
        #[track_caller]
        fn check(names: &[&str], expected: Option<&str>) {
            assert_eq!(service_of_all(names.iter().copied()).map(|it| it.label), expected);
        }
        check(&["a.vk.com"], Some("vk"));
        check(&["a.vk.com", "userapi.com"], Some("vk"));
        check(&["a.vk.com", "facebook.com"], None);
        check(&["a.vk.com", "example.org"], None);
        check(&["example.org", "a.vk.com"], None);
        check(&[], None);
    }

    #[test]
    fn peers_are_protocols() {
        for name in PEERS {
            assert!(PROTOCOLS.iter().any(|it| it.name == *name), "{name}");
        }
    }

    #[test]
    fn every_tunnel_has_a_label() {
        let all: Vec<&str> = every_label().map(|it| it.1).collect();
        // Those in GRE and in IP are labelled by what carries them.
        let in_ip = ["erspan", "6in4"];
        for kind in flow::TunnelKind::ALL {
            assert!(all.contains(&kind.name()) || in_ip.contains(&kind.name()), "{kind:?}");
        }
    }

    #[test]
    fn the_labels_of_the_book_are_there() {
        let own = OwnRules::default();
        let all = labels(&own);
        let has = |group: &str, label: &str| {
            all.iter().any(|(it, labels)| *it == group && labels.contains(&label))
        };
        for (group, label) in [
            ("social", "facebook"),
            ("social", "vk"),
            ("peer2peer", "bittorrent"),
            ("peer2peer", "skype"),
            ("tunnel", "vpn"),
            ("tunnel", "socks5"),
            ("other", "ssh"),
            ("other", "telnet"),
        ] {
            assert!(has(group, label), "{group}/{label} is missing");
        }
    }
}
