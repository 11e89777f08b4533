//! Packets in, flows out. A flow is the seed's ТВС: one transport connection between two endpoints.
//!
//! Nothing here knows an application protocol; what the payload says is the next crates' business.

mod cut;
mod ended;
mod heads;
mod health;
mod history;
mod icmp;
mod keys;
mod many;
#[cfg(test)]
mod naive;
mod partial;
mod quotes;
mod retrace;
mod sctp;
mod share;
mod table;
mod tcp;
mod timeline;
mod written;
mod zeek;

use std::{fmt, net::IpAddr};

use capture::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    health::Watch,
    table::Place,
    tcp::{Connection, Openings},
};
pub use capture::{Tunnel, TunnelKind};

pub use crate::{
    cut::Cut,
    ended::Ended,
    heads::{Head, Heads},
    health::{Health, SideHealth},
    keys::{KeyTally, Keys, SharedKeys},
    many::Many,
    partial::{Partial, Sent, Shuffle, in_order},
    quotes::Errors,
    retrace::Retrace,
    share::{Order, Share, merge},
    table::{Apart, Aside, Left, Table},
    tcp::{ConnState, flags},
    timeline::{Direction, Step, Timeline, marks},
    written::{PartialError, PartialWriter},
};

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address.
    pub ip: IpAddr,
    /// The port; 0 where the transport has none.
    pub port: u16,
}

/// A transport, by its IP protocol number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Transport(pub u8);

impl Transport {
    /// Internet Control Message Protocol (RFC 792).
    pub const ICMP: Self = Self(1);
    /// Transmission Control Protocol (RFC 9293).
    pub const TCP: Self = Self(6);
    /// User Datagram Protocol (RFC 768).
    pub const UDP: Self = Self(17);
    /// ICMP for IPv6 (RFC 4443).
    pub const ICMPV6: Self = Self(58);

    /// Stream Control Transmission Protocol (RFC 9260).
    pub const SCTP: Self = Self(132);

    /// Its usual name in lower case, where it has one.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find_map(|&(number, name)| (number == self.0).then_some(name))
    }

    /// The transport that is written so: by name or by number.
    pub fn named(text: &str) -> Option<Self> {
        let named = NAMES.iter().find_map(|&(number, name)| (name == text).then_some(number));
        named.or_else(|| text.parse().ok()).map(Self)
    }
}

/// Names of IP protocol numbers (IANA, Assigned Internet Protocol Numbers).
const NAMES: &[(u8, &str)] = &[
    (0, "hopopt"),
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipip"),
    (6, "tcp"),
    (8, "egp"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "icmpv6"),
    (59, "ipv6-nonxt"),
    (88, "eigrp"),
    (89, "ospf"),
    (94, "ipip"),
    (103, "pim"),
    (112, "vrrp"),
    (113, "pgm"),
    (115, "l2tp"),
    (132, "sctp"),
    (136, "udplite"),
];

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// One connection: who spoke with whom, when, how much, and how each side began.
#[derive(Clone, Debug)]
pub struct Flow {
    /// What carries it.
    pub transport: Transport,
    /// The endpoint that opened the flow: who sent the first SYN, else who spoke first.
    pub client: Endpoint,
    /// The endpoint that answered.
    pub server: Endpoint,
    /// Time of its first packet in capture order.
    pub first: Timestamp,
    /// The latest time of its packets.
    pub last: Timestamp,
    /// What the client sent.
    pub from_client: Total,
    /// What the server sent.
    pub from_server: Total,
    /// Every packet of the flow, in capture order.
    pub timeline: Timeline,
    /// The first bytes each side sent.
    pub heads: Heads,
    /// What tells ICMP flows between the same hosts apart.
    topic: u8,
    connection: Connection,
    openings: Openings,
    /// `None` until a connection is established.
    watch: Option<Box<Watch>>,
    /// `None` for the many flows that have nothing of it.
    rare: Option<Box<Rare>>,
}

/// What few flows have.
#[derive(Clone, Debug, Default)]
struct Rare {
    tunnels: Option<Tunnels>,
    errors: Option<Errors>,
}

/// What a flow has to do with tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tunnels {
    /// The flow that carried its first packet.
    pub parent: Option<u32>,
    /// The tunnel its first packet came in.
    pub inside: Option<Tunnel>,
    /// The kind of tunnel it is itself.
    pub carries: Option<TunnelKind>,
    /// What of the client's packets carries packets of other flows.
    pub carried_from_client: Total,
    /// What of the server's packets carries packets of other flows.
    pub carried_from_server: Total,
    /// What keeps it apart from flows between the same endpoints.
    key: Place,
}

impl Flow {
    /// How far its connection came, in Zeek's words; TCP, UDP and ICMP.
    pub fn conn_state(&self) -> Option<ConnState> {
        let (client, server) = (self.from_client.packets, self.from_server.packets);
        ConnState::of(self.transport, self.connection, [client, server])
    }

    /// The same of a piece of it, as seen by who sends `forward`.
    pub fn conn_state_of(&self, piece: &Timeline, forward: Direction) -> Option<ConnState> {
        let mut connection = Connection::default();
        let mut packets = [0, 0];
        for step in piece.steps().map(|it| it.seen_from(forward)) {
            connection.push(step.direction, step.flags, step.payload_len);
            if let Some(it) = packets.get_mut(step.direction as usize) {
                *it += 1;
            }
        }
        ConnState::of(self.transport, connection, packets)
    }

    /// What its connection went through, in Zeek's letters; TCP and UDP.
    pub fn history(&self) -> Option<String> {
        self.history_of(&self.timeline, Direction::Forward)
    }

    /// The same of a piece of it, as seen by who sends `forward`.
    pub fn history_of(&self, piece: &Timeline, forward: Direction) -> Option<String> {
        history::of(self.transport, piece, forward)
    }

    /// The receive window of the first TCP segment of the client and of the server, as sent: unscaled. A reset has none.
    pub fn first_windows(&self) -> [Option<u16>; 2] {
        self.openings.windows()
    }

    /// How well its connection fared; TCP only, once it is established.
    pub fn health(&self) -> Option<&Health> {
        self.watch.as_ref().map(|it| it.health())
    }

    /// What it has to do with ICMP errors.
    pub fn errors(&self) -> Option<&Errors> {
        self.rare.as_ref()?.errors.as_ref()
    }

    /// What it has to do with tunnels.
    pub fn tunnels(&self) -> Option<&Tunnels> {
        self.rare.as_ref()?.tunnels.as_ref()
    }

    /// The same, to be changed.
    fn tunnels_mut(&mut self) -> Option<&mut Tunnels> {
        self.rare.as_mut()?.tunnels.as_mut()
    }

    fn errors_mut(&mut self) -> Option<&mut Errors> {
        self.rare.as_mut()?.errors.as_mut()
    }

    /// Frame bytes of both sides that belong to no flow inside it: over all flows they are the bytes of the capture.
    pub fn own_bytes(&self) -> u64 {
        let (client, server) = self.own_bytes_by_side();
        client + server
    }

    /// The same for the client's side and the server's.
    pub fn own_bytes_by_side(&self) -> (u64, u64) {
        let (mut client, mut server) = (self.from_client.frame_bytes, self.from_server.frame_bytes);
        if let Some(it) = self.tunnels() {
            client -= it.carried_from_client.frame_bytes;
            server -= it.carried_from_server.frame_bytes;
        }
        (client, server)
    }

    /// Frame bytes of both sides.
    pub fn bytes(&self) -> u64 {
        self.from_client.frame_bytes + self.from_server.frame_bytes
    }

    /// Packets of both sides.
    pub fn packets(&self) -> u64 {
        self.from_client.packets + self.from_server.packets
    }
}

/// Counts of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Packets, retransmitted ones included.
    pub packets: u64,
    /// Frame bytes on the wire, link headers and padding included.
    pub frame_bytes: u64,
    /// IP header and IP payload bytes.
    pub ip_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_flows_have_room() {
        // What a flow has in its own place, and what an established connection has besides, in bytes.
        let (flow, watch) = (size_of::<Flow>(), size_of::<Watch>());
        let health = size_of::<Health>();
        assert!(flow <= 256 && watch <= 184 && health <= 176, "{flow}, {watch} and {health}");
    }
}
