//! Puts packets into flows by their undirected five-tuple.

use std::{hash::BuildHasher, net::IpAddr};

use capture::Packet;
use foldhash::quality::FixedState;
use hashbrown::HashTable;

use crate::{
    Direction, Endpoint, Flow, Heads, Step, Timeline, Total, Transport,
    tcp::{Connection, flags},
};

/// The flows so far.
///
/// An undirected five-tuple is one flow, until its TCP connection ends and a new SYN follows.
#[derive(Debug)]
pub struct Table {
    /// The newest flow of every five-tuple, by its place in `flows`: its key is the flow itself.
    newest: HashTable<u32>,
    hasher: FixedState,
    /// By first packet.
    flows: Vec<Flow>,
    /// Flows whose heads are settled, and which nobody has taken yet.
    settled: Vec<u32>,
}

/// The two ends of a packet or a flow, and what carries it.
#[derive(Clone, Copy)]
struct Ends {
    transport: Transport,
    source: Endpoint,
    destination: Endpoint,
}

impl Table {
    /// No flow yet. The seed keeps those who choose addresses from choosing collisions; it never shows in the output.
    pub fn new(seed: u64) -> Self {
        Self {
            newest: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            flows: Vec::new(),
            settled: Vec::new(),
        }
    }

    /// How many flows.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether there is no flow.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Adds a packet to its flow, opening the flow where there is none. Returns the flow's number.
    pub fn push(&mut self, packet: &Packet<'_>) -> u32 {
        let ends = Ends::of_packet(packet);
        let number = self.find_or_open(ends, packet);
        if let Some(flow) = self.flows.get_mut(number as usize) {
            let was_settled = flow.heads.is_settled();
            flow.push(ends.source, packet);
            if !was_settled && flow.heads.is_settled() {
                self.settled.push(number);
            }
        }
        number
    }

    fn find_or_open(&mut self, ends: Ends, packet: &Packet<'_>) -> u32 {
        let next = self.flows.len() as u32;
        let (flows, hasher) = (&self.flows, &self.hasher);
        let is_same = |number: &u32| flows.get(*number as usize).is_some_and(|it| ends.are_of(it));
        let hash_of = |number: &u32| {
            flows.get(*number as usize).map_or(0, |it| Ends::of_flow(it).hash(hasher))
        };
        match self.newest.entry(ends.hash(hasher), is_same, hash_of) {
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert(next);
            }
            hashbrown::hash_table::Entry::Occupied(mut place) => {
                let number = *place.get();
                let is_ended =
                    || flows.get(number as usize).is_some_and(|it| it.connection.is_ended());
                if !opens(packet) || !is_ended() {
                    return number;
                }
                // The old flow will see no packet more.
                if flows.get(number as usize).is_some_and(|it| !it.heads.is_settled()) {
                    self.settled.push(number);
                }
                *place.get_mut() = next;
            }
        }
        self.flows.push(Flow::open(ends, packet));
        next
    }

    /// A flow that has said all its heads can hold, and its number; each comes once.
    ///
    /// Who labels it now may keep less of its heads. Flows that never come here are labelled when the capture ends.
    pub fn next_settled(&mut self) -> Option<(u32, &mut Flow)> {
        let number = self.settled.pop()?;
        Some((number, self.flows.get_mut(number as usize)?))
    }

    /// Ends the capture: all flows, by their first packet.
    pub fn finish(self) -> Vec<Flow> {
        let mut flows = self.flows;
        flows.iter_mut().for_each(|it| it.timeline.shrink());
        flows
    }
}

/// Whether the packet opens a connection.
fn opens(packet: &Packet<'_>) -> bool {
    packet.tcp.is_some_and(|it| it.flags & (flags::SYN | flags::ACK) == flags::SYN)
}

impl Ends {
    fn of_packet(packet: &Packet<'_>) -> Self {
        Self {
            transport: Transport(packet.protocol),
            source: Endpoint { ip: packet.source, port: packet.source_port },
            destination: Endpoint { ip: packet.destination, port: packet.destination_port },
        }
    }

    fn of_flow(flow: &Flow) -> Self {
        Self { transport: flow.transport, source: flow.client, destination: flow.server }
    }

    /// Whether they are the flow's, in either order.
    fn are_of(self, flow: &Flow) -> bool {
        let (client, server) = (flow.client, flow.server);
        self.transport == flow.transport
            && ((self.source, self.destination) == (client, server)
                || (self.source, self.destination) == (server, client))
    }

    /// The same in either order.
    fn hash(self, hasher: &FixedState) -> u64 {
        let bits = |it: Endpoint| match it.ip {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), it.port),
            IpAddr::V6(ip) => (ip.to_bits(), it.port),
        };
        let (a, b) = (bits(self.source), bits(self.destination));
        hasher.hash_one((a.min(b), a.max(b), self.transport))
    }
}

impl Flow {
    fn open(ends: Ends, packet: &Packet<'_>) -> Self {
        let Ends { transport, source, destination } = ends;
        // A SYN-ACK comes from the server, though we saw it first.
        let is_answer = packet
            .tcp
            .is_some_and(|it| it.flags & (flags::SYN | flags::ACK) == flags::SYN | flags::ACK);
        let (client, server) =
            if is_answer { (destination, source) } else { (source, destination) };
        Self {
            transport,
            client,
            server,
            first: packet.time,
            last: packet.time,
            from_client: Total::default(),
            from_server: Total::default(),
            timeline: Timeline::default(),
            heads: Heads::new(transport, client.port, server.port),
            connection: Connection::default(),
        }
    }

    fn push(&mut self, source: Endpoint, packet: &Packet<'_>) {
        let (direction, total) = if source == self.client {
            (Direction::Forward, &mut self.from_client)
        } else {
            (Direction::Backward, &mut self.from_server)
        };
        let step = Step {
            time: packet.time,
            direction,
            frame_len: packet.frame_len,
            ip_len: packet.ip_len,
            payload_len: packet.payload_len,
            flags: packet.tcp.map_or(0, |it| it.flags),
        };
        total.add(&step);
        self.timeline.push(step);
        self.last = self.last.max(packet.time);
        if let Some(tcp) = &packet.tcp {
            self.connection.push(direction, tcp);
        }
        self.heads.push(direction, packet);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use capture::{Tcp, Timestamp};
    use flags::{ACK, FIN, RST, SYN};

    use super::*;

    fn packet(from: u8, to: u8, flags: u8, payload: &[u8]) -> Packet<'_> {
        let ip = |it: u8| IpAddr::V4(Ipv4Addr::new(192, 0, 2, it));
        Packet {
            time: Timestamp(1),
            source: ip(from),
            destination: ip(to),
            protocol: 6,
            source_port: u16::from(from),
            destination_port: u16::from(to),
            frame_len: 54,
            ip_len: 40,
            payload_len: payload.len() as u32,
            payload,
            tcp: Some(Tcp { flags, ..Tcp::default() }),
            vlan: 0,
            depth: 0,
            tunnel: None,
            carries: None,
        }
    }

    /// The flows as (client, packets of the client, packets of the server).
    #[track_caller]
    fn check(packets: &[(u8, u8, u8)], expected: &[(u16, u64, u64)]) {
        let mut table = Table::new(7);
        for &(from, to, flags) in packets {
            table.push(&packet(from, to, flags, b""));
        }
        let flows: Vec<_> = table
            .finish()
            .iter()
            .map(|it| (it.client.port, it.from_client.packets, it.from_server.packets))
            .collect();
        assert_eq!(flows, expected);
    }

    #[test]
    fn both_directions_are_one_flow() {
        check(&[(1, 2, SYN), (2, 1, SYN | ACK), (1, 2, ACK)], &[(1, 2, 1)]);
    }

    #[test]
    fn who_answers_a_syn_is_the_server_even_if_seen_first() {
        check(&[(2, 1, SYN | ACK), (1, 2, ACK)], &[(1, 1, 1)]);
    }

    #[test]
    fn a_reused_port_is_a_new_flow_once_the_connection_ended() {
        let whole = [(1, 2, SYN), (2, 1, SYN | ACK), (1, 2, FIN | ACK), (2, 1, FIN | ACK)];
        let stragglers = [(1, 2, ACK)];
        check(&[&whole[..], &stragglers, &whole].concat(), &[(1, 3, 2), (1, 2, 2)]);
        check(&[(1, 2, SYN), (2, 1, RST | ACK), (1, 2, SYN)], &[(1, 1, 1), (1, 1, 0)]);
    }

    #[test]
    fn a_flow_is_settled_once() {
        let mut table = Table::new(7);
        let whole = [(1, 2, SYN), (2, 1, SYN | ACK), (1, 2, FIN | ACK), (2, 1, FIN | ACK)];
        let reset = [(1, 2, SYN), (1, 2, RST), (1, 2, SYN)];
        let mut settled = Vec::new();
        for &(from, to, flags) in [&whole[..], &[(1, 2, ACK)], &reset].concat().iter() {
            let sequence = u32::from(flags & SYN == 0);
            let tcp = Some(Tcp { flags, sequence, ..Tcp::default() });
            table.push(&Packet { tcp, ..packet(from, to, flags, b"") });
            settled.extend(table.next_settled().map(|it| it.0));
        }
        // The first by its end, the second as the third took its place.
        assert_eq!(settled, [0, 1]);
    }

    #[test]
    fn a_repeated_syn_is_the_same_flow() {
        check(&[(1, 2, SYN), (1, 2, SYN), (2, 1, SYN | ACK)], &[(1, 2, 1)]);
    }
}
