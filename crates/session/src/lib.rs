//! Flows in, sessions out. A session is the seed's ИВС: the flows one application opened together.
//!
//! Every merge has its reason, an [`Edge`]. Services that all applications share (a resolver, a clock) are no reason.

mod links;

use classify::Verdict;
use flow::Flow;

/// The flows one application opened together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Places in the flows given, ascending.
    pub members: Vec<u32>,
    /// Why they belong together, by their later flow. Fewer by one than the members.
    pub edges: Vec<Edge>,
}

/// Why two flows belong to one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The flow that explains the other.
    pub from: u32,
    /// The flow explained.
    pub to: u32,
    /// The kind of reason.
    pub kind: Kind,
    /// What was seen, in a sentence.
    pub evidence: String,
    /// How sure it is, in percent.
    pub percent: u8,
}

/// The kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The flow goes where an FTP dialogue announced (RFC 959, 2428).
    FtpData,
    /// The flow goes where a call was told to (RFC 4566).
    Media,
    /// The flow goes to an address that a DNS answer gave its client just before.
    DnsAnswer,
    /// The client asked for the same name a moment ago.
    SameName,
    /// A peer-to-peer program uses one port for all its peers.
    SamePort,
}

impl Kind {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::FtpData => "ftp data",
            Self::Media => "media",
            Self::DnsAnswer => "dns answer",
            Self::SameName => "same name",
            Self::SamePort => "same p2p port",
        }
    }
}

/// Groups labelled flows, given in order of their first packet. Sessions come in order of their first flow.
pub fn group(flows: &[(Flow, Verdict)]) -> Vec<Session> {
    let mut sets = Sets::new(flows.len());
    let mut kept = Vec::new();
    for edge in links::find(flows) {
        // An edge inside a session explains nothing new.
        if sets.join(edge.from, edge.to) {
            kept.push(edge);
        }
    }
    let mut sessions: Vec<Session> = Vec::new();
    let mut place = vec![None; flows.len()];
    for flow in 0..flows.len() as u32 {
        let root = sets.root(flow) as usize;
        let Some(slot) = place.get_mut(root) else { continue };
        let at = *slot.get_or_insert_with(|| {
            sessions.push(Session { members: Vec::new(), edges: Vec::new() });
            sessions.len() - 1
        });
        if let Some(session) = sessions.get_mut(at) {
            session.members.push(flow);
        }
    }
    for edge in kept {
        let root = sets.root(edge.from) as usize;
        let at = place.get(root).copied().flatten();
        if let Some(session) = at.and_then(|at| sessions.get_mut(at)) {
            session.edges.push(edge);
        }
    }
    for session in &mut sessions {
        session.edges.sort_by_key(|it| (it.to, it.from));
    }
    sessions
}

/// Disjoint sets of flows.
struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    fn new(n: usize) -> Self {
        Self { parent: (0..n as u32).collect() }
    }

    /// The least flow of the set, found with its path shortened.
    fn root(&mut self, flow: u32) -> u32 {
        let mut at = flow;
        while let Some(&parent) = self.parent.get(at as usize).filter(|it| **it != at) {
            let above = self.parent.get(parent as usize).copied().unwrap_or(parent);
            if let Some(slot) = self.parent.get_mut(at as usize) {
                *slot = above;
            }
            at = above;
        }
        at
    }

    /// Whether the two were apart.
    fn join(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.parent.get_mut(a.max(b) as usize) {
            *slot = a.min(b);
        }
        a != b
    }
}
