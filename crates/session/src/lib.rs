//! Flows in, sessions out. A session is the seed's ИВС: the flows one application opened together.
//!
//! Every merge has its reason, an [`Edge`]. Services that all applications share (a resolver, a clock) are no reason.

mod addresses;
mod alike;
mod decisions;
mod links;
mod seen;

use classify::Verdict;
use flow::{Flow, Many};

use crate::seen::{All, NONE};
pub use crate::{
    addresses::Addresses,
    alike::{SIGNS, Sign},
    decisions::{Decision, MAX_DECISIONS},
};

/// The most flows of a session; what would make a larger one stays apart.
pub const MAX_MEMBERS: u32 = 5_000;

/// The sessions of a capture, in order of their first flow. Most hold one flow, so none has memory of its own.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    /// The session of every flow.
    of: Vec<u32>,
    /// Flows, session after session, ascending in each.
    members: Vec<u32>,
    /// Where in `members` each session begins.
    starts: Vec<u32>,
    /// By session, then by later flow.
    edges: Vec<Edge>,
}

/// The flows one application opened together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    /// Places in the flows given, ascending; at least one.
    pub members: &'a [u32],
    /// Why they belong together, by the flow explained. Fewer by one than the members, but for what a user decided: a flow
    /// that was put apart may still be why others are there.
    pub edges: &'a [Edge],
}

/// Why two flows belong to one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The flow that explains the other.
    pub from: u32,
    /// The flow explained.
    pub to: u32,
    /// The kind of reason.
    pub kind: Kind,
    /// How sure it is, in percent.
    pub percent: u8,
}

/// The kinds of reasons, with what the two flows do not tell by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The flow goes where an FTP dialogue announced (RFC 959, 2428).
    FtpData {
        /// The port announced.
        port: u16,
    },
    /// The flow goes where a call was told to (RFC 4566).
    Media {
        /// The port told.
        port: u16,
    },
    /// The flow carries the file that a TFTP request asked for, from a port of its own (RFC 1350).
    FileTransfer,
    /// The flow is the tunnel that a dialogue between the same hosts set up: GRE after PPTP (RFC 2637), ESP or AH after IKE.
    TunnelSetUp,
    /// The flow reports an error about the other (RFC 792, 4443).
    IcmpError,
    /// The flow goes to an address that a DNS answer gave its client just before.
    DnsAnswer,
    /// The client asked for the same name a moment ago.
    SameName,
    /// The same host used the same service or application a moment ago.
    SameService,
    /// The same two hosts go on over another transport at the same port, as HTTP/3 follows HTTP/2 (RFC 9114).
    OtherTransport,
    /// One socket sent both: the client's UDP port is the same.
    SameSocket,
    /// A TLS session that one of them was granted, or takes up again, is taken up again (RFC 5077, RFC 8446).
    SameTlsSession,
    /// The same QUIC connection, whose client has moved to another socket (RFC 9000, section 9).
    SameConnection,
    /// A peer-to-peer program uses one port for all its peers.
    SamePort {
        /// The port is that of the flow's client, not of its server.
        is_client: bool,
        /// How many peers there are.
        peers: u32,
    },
    /// Several signs, none of which is enough.
    Alike {
        /// The signs there are, by their places in [`SIGNS`].
        signs: u16,
    },
    /// The user put them together.
    User,
}

/// The names of all kinds.
pub const KINDS: [&str; 15] = [
    "ftp data",
    "media",
    "dns answer",
    "same name",
    "file transfer",
    "tunnel set up",
    "icmp error",
    "same service",
    "other transport",
    "same socket",
    "alike",
    "same tls session",
    "same connection",
    "same p2p port",
    "user",
];

impl Kind {
    /// Its name for people, one of [`KINDS`].
    pub fn name(self) -> &'static str {
        match self {
            Self::FtpData { .. } => "ftp data",
            Self::Media { .. } => "media",
            Self::DnsAnswer => "dns answer",
            Self::SameName => "same name",
            Self::FileTransfer => "file transfer",
            Self::TunnelSetUp => "tunnel set up",
            Self::IcmpError => "icmp error",
            Self::SameService => "same service",
            Self::OtherTransport => "other transport",
            Self::SameSocket => "same socket",
            Self::Alike { .. } => "alike",
            Self::SameTlsSession => "same tls session",
            Self::SameConnection => "same connection",
            Self::SamePort { .. } => "same p2p port",
            Self::User => "user",
        }
    }
}

/// Groups labelled flows, given in order of their first packet, each with its verdict; with their addresses.
pub fn group(flows: &Many<Flow>, verdicts: &Many<Verdict>, addresses: &Addresses) -> Sessions {
    let mut all = All::new(flows, verdicts, addresses);
    let mut grouping = Grouping::new(flows.len());
    links::find(&all, verdicts, &mut |edge| grouping.join(edge));
    all.forget_names();
    grouping.owners = links::owners(&all, &mut grouping.sets);
    alike::find(&all, &mut grouping);
    drop(all);
    grouping.sets.into_sessions().with(grouping.edges)
}

/// Sets of flows, while they grow.
struct Grouping {
    sets: Sets,
    /// How many flows each set has, by its root.
    sizes: Vec<u32>,
    /// Whom the flows of each set serve, by its root; or [`NONE`].
    owners: Vec<u32>,
    edges: Vec<Edge>,
}

impl Grouping {
    fn new(n_flows: usize) -> Self {
        let (sizes, owners, edges) = (vec![1; n_flows], Vec::new(), Vec::new());
        Self { sets: Sets::new(n_flows), sizes, owners, edges }
    }

    fn join(&mut self, edge: Edge) {
        let (from, to) = (self.sets.root(edge.from), self.sets.root(edge.to));
        let size = |root: u32| self.sizes.get(root as usize).copied().unwrap_or(0);
        let sum = size(from) + size(to);
        // An edge inside a session explains nothing new.
        if from != to && sum <= MAX_MEMBERS {
            self.sets.join(from, to);
            if let Some(slot) = self.sizes.get_mut(from.min(to) as usize) {
                *slot = sum;
            }
            self.edges.push(edge);
        }
    }

    fn owner(&self, root: u32) -> u32 {
        self.owners.get(root as usize).copied().unwrap_or(NONE)
    }

    /// Whether two flows are apart, and weak signs may join them: not what is known to serve different owners.
    fn may_join(&mut self, from: u32, to: u32) -> bool {
        let (from, to) = (self.sets.root(from), self.sets.root(to));
        from != to && !links::are_different(self.owner(from), self.owner(to))
    }

    /// Joins what [`Grouping::may_join`].
    fn join_alike(&mut self, edge: Edge) {
        let owners = [edge.from, edge.to].map(|it| {
            let root = self.sets.root(it);
            self.owner(root)
        });
        self.join(edge);
        let root = self.sets.root(edge.to);
        if let Some(slot) = self.owners.get_mut(root as usize) {
            // That there is none is the greatest number.
            *slot = owners.into_iter().fold(*slot, u32::min);
        }
    }
}

impl Sessions {
    /// How many sessions.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no session, and so no flow.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The session of a flow; of a flow there is not, 0.
    pub fn of(&self, flow: u32) -> u32 {
        self.of.get(flow as usize).copied().unwrap_or(0)
    }

    /// A session by its number.
    pub fn get(&self, number: u32) -> Option<Session<'_>> {
        let start = *self.starts.get(number as usize)? as usize;
        let end =
            self.starts.get(number as usize + 1).map_or(self.members.len(), |it| *it as usize);
        let first_edge = self.edges.partition_point(|it| self.of(it.to) < number);
        let rest = self.edges.get(first_edge..).unwrap_or_default();
        let edges = rest.split_at(rest.partition_point(|it| self.of(it.to) == number)).0;
        Some(Session { members: self.members.get(start..end)?, edges })
    }

    /// Every reason, by session.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    fn with(mut self, mut edges: Vec<Edge>) -> Self {
        edges.sort_unstable_by_key(|it| (self.of(it.to), it.to, it.from));
        self.edges = edges;
        self
    }
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

    /// The sets in order of their first flow, without edges.
    fn into_sessions(mut self) -> Sessions {
        let roots = (0..self.parent.len() as u32).map(|it| self.root(it)).collect();
        Sessions::of_sets(roots)
    }
}

impl Sessions {
    /// The sessions of flows that each name their set by a small number, in order of their first flow, without edges.
    fn of_sets(sets: Vec<u32>) -> Self {
        let mut numbers: Vec<Option<u32>> = vec![None; sets.len()];
        let mut of = sets;
        // How many flows each session has, then where each begins.
        let mut starts: Vec<u32> = Vec::new();
        for slot in &mut of {
            let at = *slot as usize;
            if at >= numbers.len() {
                numbers.resize(at + 1, None);
            }
            let Some(number) = numbers.get_mut(at) else { continue };
            let number = *number.get_or_insert_with(|| {
                starts.push(0);
                starts.len() as u32 - 1
            });
            *slot = number;
            if let Some(count) = starts.get_mut(number as usize) {
                *count += 1;
            }
        }
        let mut end = 0;
        for start in &mut starts {
            (*start, end) = (end, end + *start);
        }
        let mut members = vec![0; of.len()];
        let mut next = starts.clone();
        for (flow, session) in (0..).zip(&of) {
            if let Some(at) = next.get_mut(*session as usize)
                && let Some(slot) = members.get_mut(*at as usize)
            {
                *slot = flow;
                *at += 1;
            }
        }
        Self { of, members, starts, edges: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_name_in_the_list() {
        let kinds = [
            Kind::FtpData { port: 20 },
            Kind::Media { port: 5_004 },
            Kind::DnsAnswer,
            Kind::SameName,
            Kind::FileTransfer,
            Kind::TunnelSetUp,
            Kind::IcmpError,
            Kind::SameService,
            Kind::OtherTransport,
            Kind::SameSocket,
            Kind::Alike { signs: 0 },
            Kind::SameTlsSession,
            Kind::SameConnection,
            Kind::SamePort { is_client: true, peers: 1 },
            Kind::User,
        ];
        assert_eq!(kinds.map(Kind::name), KINDS);
    }

    #[test]
    fn sessions_come_in_order_of_their_first_flow() {
        let mut sets = Sets::new(6);
        assert!(sets.join(4, 1));
        assert!(sets.join(5, 4));
        assert!(!sets.join(1, 5));
        assert!(sets.join(2, 3));
        let sessions = sets.into_sessions();
        let members: Vec<&[u32]> =
            (0..).map_while(|it| sessions.get(it)).map(|it| it.members).collect();
        assert_eq!(members, [&[0][..], &[1, 4, 5], &[2, 3]]);
        assert_eq!((sessions.len(), sessions.of(5), sessions.of(3)), (3, 1, 2));
    }
}
