//! Puts packets into flows by their undirected five-tuple.

use std::{collections::HashMap, net::IpAddr};

use capture::Packet;
use foldhash::quality::FixedState;

use crate::{
    ConnState, Direction, Endpoint, Flow, Heads, Step, Timeline, Total, Transport,
    tcp::{Connection, flags},
};

/// The flows so far.
///
/// An undirected five-tuple is one flow, until its TCP connection ends and a new SYN follows.
#[derive(Debug)]
pub struct Table {
    /// The newest flow of every five-tuple, by its place in `flows`.
    newest: HashMap<Key, u32, FixedState>,
    /// By first packet.
    flows: Vec<Open>,
}

/// Both endpoints in one order, whoever spoke first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    low: (u128, u16),
    high: (u128, u16),
    transport: Transport,
    is_v6: bool,
}

#[derive(Debug)]
struct Open {
    flow: Flow,
    connection: Connection,
}

impl Table {
    /// No flow yet. The seed keeps those who choose addresses from choosing collisions; it never shows in the output.
    pub fn new(seed: u64) -> Self {
        Self { newest: HashMap::with_hasher(FixedState::with_seed(seed)), flows: Vec::new() }
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
        let source = Endpoint { ip: packet.source, port: packet.source_port };
        let destination = Endpoint { ip: packet.destination, port: packet.destination_port };
        let transport = Transport(packet.protocol);
        let opens = packet.tcp.is_some_and(|it| it.flags & (flags::SYN | flags::ACK) == flags::SYN);
        let next = self.flows.len() as u32;
        let number = self.newest.entry(Key::new(transport, source, destination)).or_insert(next);
        let is_over = self
            .flows
            .get(*number as usize)
            .is_some_and(|open| opens && open.connection.is_ended());
        if is_over {
            *number = next;
        }
        let number = *number;
        if number == next {
            self.flows.push(Open::new(transport, source, destination, packet));
        }
        if let Some(open) = self.flows.get_mut(number as usize) {
            open.push(source, packet);
        }
        number
    }

    /// Ends the capture: all flows, by their first packet.
    pub fn finish(self) -> Vec<Flow> {
        self.flows.into_iter().map(Open::finish).collect()
    }
}

impl Key {
    fn new(transport: Transport, source: Endpoint, destination: Endpoint) -> Self {
        let bits = |it: Endpoint| match it.ip {
            IpAddr::V4(ip) => (u128::from(ip.to_bits()), it.port),
            IpAddr::V6(ip) => (ip.to_bits(), it.port),
        };
        let (a, b) = (bits(source), bits(destination));
        Self { low: a.min(b), high: a.max(b), transport, is_v6: source.ip.is_ipv6() }
    }
}

impl Open {
    fn new(
        transport: Transport,
        source: Endpoint,
        destination: Endpoint,
        packet: &Packet<'_>,
    ) -> Self {
        // A SYN-ACK comes from the server, though we saw it first.
        let is_answer = packet
            .tcp
            .is_some_and(|it| it.flags & (flags::SYN | flags::ACK) == flags::SYN | flags::ACK);
        let (client, server) =
            if is_answer { (destination, source) } else { (source, destination) };
        let flow = Flow {
            transport,
            client,
            server,
            first: packet.time,
            last: packet.time,
            from_client: Total::default(),
            from_server: Total::default(),
            conn_state: None,
            timeline: Timeline::default(),
            heads: Heads::new(transport, client.port, server.port),
        };
        Self { flow, connection: Connection::default() }
    }

    fn push(&mut self, source: Endpoint, packet: &Packet<'_>) {
        let flow = &mut self.flow;
        let is_forward = source == flow.client;
        let (direction, total, head) = if is_forward {
            (Direction::Forward, &mut flow.from_client, &mut flow.heads.client)
        } else {
            (Direction::Backward, &mut flow.from_server, &mut flow.heads.server)
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
        flow.timeline.push(step);
        flow.last = flow.last.max(packet.time);
        match &packet.tcp {
            Some(tcp) => {
                self.connection.push(direction, tcp);
                if tcp.flags & flags::SYN != 0 {
                    // Data may come with the SYN (RFC 7413); its first byte follows the SYN's number.
                    let first = tcp.sequence.wrapping_add(1);
                    head.begin(first);
                    head.push_segment(first, packet.payload);
                } else {
                    head.push_segment(tcp.sequence, packet.payload);
                }
            }
            None => head.push_datagram(packet.payload),
        }
    }

    fn finish(self) -> Flow {
        let mut flow = self.flow;
        flow.timeline.shrink();
        flow.conn_state = match flow.transport {
            Transport::TCP => Some(self.connection.state()),
            Transport::UDP => {
                Some(ConnState::of_datagrams(flow.from_client.packets, flow.from_server.packets))
            }
            _ => None,
        };
        flow
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
    fn a_repeated_syn_is_the_same_flow() {
        check(&[(1, 2, SYN), (1, 2, SYN), (2, 1, SYN | ACK)], &[(1, 2, 1)]);
    }
}
