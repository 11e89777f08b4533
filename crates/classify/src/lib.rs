//! Flows in, labels out: what a flow says of itself first, what it looks like second.
//!
//! A protocol is recognised by its payload alone; a service by the names, addresses and agents in it. A port may support
//! what a payload says and never replaces it. Every verdict carries its reason.

#![warn(clippy::indexing_slicing)]

mod ber;
mod bytes;
mod dialogue;
mod hello;
mod look;
mod model;
pub mod protocol;
mod service;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use flow::{Flow, Transport};

pub use crate::{
    model::{Confusion, Example, Model, ModelError, Score, Split, Training, evaluate},
    protocol::{Answer, Expected, Facts, PROTOCOLS, Protocol},
    service::{SERVICES, Service},
};

/// What a flow is called where nothing tells.
pub const UNKNOWN: &str = "unknown";

/// A label and why the flow has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The application protocol its payload shows, the transport where that says all, or [`UNKNOWN`].
    pub protocol: &'static str,
    /// The service where one is known, else the protocol: one of [`labels`]; or what a model says.
    pub label: Cow<'static, str>,
    /// The group of the label.
    pub group: &'static str,
    /// What the payload tells besides.
    pub facts: Facts,
    /// What decided the label.
    pub reason: Reason,
}

/// What decided a label, strongest first.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The payload: a protocol of [`PROTOCOLS`] recognised it.
    Payload,
    /// The IP header: the transport is all there is to know.
    Transport,
    /// A name in the payload belongs to the service.
    Name,
    /// The user agent in the payload belongs to the service.
    Agent,
    /// The server's address belongs to the service.
    Address {
        /// The network it is in.
        network: &'static str,
    },
    /// A DNS answer gave the client the server's address under a name of the service.
    Answered {
        /// The name.
        name: String,
    },
    /// Another flow announced it.
    Announced {
        /// Which and how, in a sentence.
        evidence: String,
    },
    /// The model.
    Model {
        /// Share of the trees that agree, 0 to 1.
        confidence: f64,
    },
    /// Nothing did.
    Unknown,
}

impl Verdict {
    fn unknown() -> Self {
        Self {
            protocol: UNKNOWN,
            label: Cow::Borrowed(UNKNOWN),
            group: UNKNOWN,
            facts: Facts::default(),
            reason: Reason::Unknown,
        }
    }

    /// How the label was reached, in a word: `payload`, `name`, `model` or `unknown`.
    pub fn evidence(&self) -> &'static str {
        match self.reason {
            Reason::Payload | Reason::Transport | Reason::Announced { .. } => "payload",
            Reason::Name | Reason::Agent | Reason::Address { .. } | Reason::Answered { .. } => {
                "name"
            }
            Reason::Model { .. } => "model",
            Reason::Unknown => UNKNOWN,
        }
    }

    /// Why the flow has its label, in a sentence without a full stop.
    pub fn sentence(&self) -> String {
        let label = &self.label;
        let seen = match &*self.facts.seen {
            "" => String::new(),
            seen => format!("{seen}; "),
        };
        match &self.reason {
            Reason::Payload => self.facts.seen.to_string(),
            Reason::Transport => format!("the IP header says {label}"),
            Reason::Name => {
                let name = self.facts.server_name.as_deref().unwrap_or_default();
                format!("{seen}the name {name} belongs to {label}")
            }
            Reason::Agent => {
                let agent = self.facts.user_agent.as_deref().unwrap_or_default();
                format!("{seen}the user agent {agent} belongs to {label}")
            }
            Reason::Address { network } => {
                format!("{seen}the server's address is in {network}, which belongs to {label}")
            }
            Reason::Answered { name } => {
                format!("{seen}a DNS answer gave the server's address for {name} to this client")
            }
            Reason::Announced { evidence } => evidence.clone(),
            Reason::Model { confidence } => {
                format!("{:.0} % of the model's trees say {label}", confidence * 100.0)
            }
            Reason::Unknown => "neither payload nor names tell".to_owned(),
        }
    }

    fn serve(&mut self, service: &'static Service, reason: Reason) {
        self.label = Cow::Borrowed(service.label);
        self.group = service.group;
        self.reason = reason;
    }
}

/// Labels a flow by what it says of itself.
pub fn label(flow: &Flow) -> Verdict {
    let mut verdict = Verdict::unknown();
    if let Some((protocol, facts)) = protocol::recognise(&flow.heads) {
        let (name, group) = (protocol.name, protocol.group);
        verdict = Verdict {
            protocol: name,
            label: Cow::Borrowed(name),
            group,
            facts,
            reason: Reason::Payload,
        };
    } else if let Some(name) = transport_label(flow.transport) {
        let (label, reason) = (Cow::Borrowed(name), Reason::Transport);
        return Verdict { protocol: name, label, group: "system", reason, ..verdict };
    }
    // What a resolver or a neighbour is asked for is not what the flow serves.
    if matches!(verdict.group, "names" | "system") {
        return verdict;
    }
    let facts = &verdict.facts;
    let names = facts.server_name.iter().chain(&facts.certificate_names);
    let by_name =
        names.map(String::as_str).find_map(|it| Some((it.to_owned(), service::by_name(it)?)));
    if let Some((name, service)) = by_name {
        verdict.facts.server_name.get_or_insert(name);
        verdict.serve(service, Reason::Name);
    } else if let Some(service) = facts.user_agent.as_deref().and_then(service::by_agent) {
        verdict.serve(service, Reason::Agent);
    } else if matches!(verdict.group, "web" | "media" | "voice" | UNKNOWN)
        && let Some((network, service)) = service::by_address(flow.server.ip)
    {
        // Who owns the machine says nothing of a shell or a peer on it.
        verdict.serve(service, Reason::Address { network });
    }
    verdict
}

/// Says of a flow without a name of its own that a DNS answer gave its server's address for this one.
pub fn relabel_by_answer(verdict: &mut Verdict, name: &str) {
    let is_open = verdict.label == verdict.protocol && verdict.group != "peer2peer";
    if let Some(service) = service::by_name(name).filter(|_| is_open) {
        verdict.serve(service, Reason::Answered { name: name.to_owned() });
    }
}

/// The group of a protocol, whatever service it carries.
pub fn group_of_protocol(protocol: &str) -> &'static str {
    match PROTOCOLS.iter().find(|it| it.name == protocol) {
        Some(found) => found.group,
        None if protocol == UNKNOWN => UNKNOWN,
        None => "system",
    }
}

/// Says of a flow whose payload tells nothing that another one announced it: as data of this protocol.
pub fn relabel_by_announcement(verdict: &mut Verdict, protocol: &str, evidence: &str) {
    let Some(protocol) = PROTOCOLS.iter().find(|it| it.name == protocol) else { return };
    if verdict.protocol != UNKNOWN {
        return;
    }
    verdict.protocol = protocol.name;
    // A service that is known by name or address stays.
    if verdict.label == UNKNOWN {
        (verdict.label, verdict.group) = (Cow::Borrowed(protocol.name), protocol.group);
        verdict.reason = Reason::Announced { evidence: evidence.to_owned() };
    }
}

/// Labels a flow that says nothing of itself by what it looks like: the label most trees of a model choose.
///
/// The features are those of the flow's pieces, cut and computed as the model wants them; each piece has its say.
pub fn label_by_model(verdict: &mut Verdict, model: &Model, pieces: &[Vec<Option<f64>>]) {
    if verdict.label != UNKNOWN || pieces.is_empty() {
        return;
    }
    let mut votes = vec![0.0; model.labels().len()];
    for piece in pieces {
        for (sum, vote) in votes.iter_mut().zip(model.votes(piece)) {
            *sum += vote / pieces.len() as f64;
        }
    }
    let (label, confidence) = model.choose(&votes);
    let groups = labels();
    let group = groups.iter().find(|it| it.1.contains(&label)).map_or("other", |it| it.0);
    verdict.label = Cow::Owned(label.to_owned());
    verdict.group = group;
    verdict.reason = Reason::Model { confidence };
}

/// Transports that say all there is to know.
fn transport_label(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::TCP | Transport::UDP => None,
        _ => transport.name(),
    }
}

/// Every label there can be, by group; both in order.
pub fn labels() -> Vec<(&'static str, Vec<&'static str>)> {
    let protocols = PROTOCOLS.iter().map(|it| (it.group, it.name));
    let services = SERVICES.iter().map(|it| (it.group, it.label));
    let transports =
        (0..=u8::MAX).filter_map(|it| Some(("system", transport_label(Transport(it))?)));
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (group, label) in protocols.chain(services).chain(transports).chain([(UNKNOWN, UNKNOWN)]) {
        groups.entry(group).or_default().insert(label);
    }
    groups.into_iter().map(|(group, labels)| (group, labels.into_iter().collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups of the book and those beside them; the page has a colour for each.
    const GROUPS: &[&str] = &[
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

    #[test]
    fn every_label_is_in_one_known_group() {
        let mut seen = BTreeMap::new();
        for (group, labels) in labels() {
            assert!(GROUPS.contains(&group), "unknown group {group}");
            for label in labels {
                assert_eq!(seen.insert(label, group), None, "{label} is in two groups");
            }
        }
    }

    #[test]
    fn the_labels_of_the_book_are_there() {
        let all = labels();
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
