//! Puts packets into flows by their undirected five-tuple.

use std::{
    hash::{BuildHasher, Hash, Hasher},
    mem,
    net::IpAddr,
    ops::AddAssign,
};

use capture::{Packet, Tcp, Timestamp, Tunnel};
use foldhash::quality::FixedState;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::{
    Direction, Endpoint, Flow, Heads, Many, Rare, Step, Timeline, Total, Transport, Tunnels,
    health::Watch,
    icmp, quotes,
    sctp::Init,
    tcp::{self, Connection, Openings, flags},
};

/// The flows so far.
///
/// An undirected five-tuple is one flow, until its TCP connection ends and a new SYN follows, or a SYN or an SCTP INIT comes
/// with another number. Of ICMP, questions and their answers are one flow, each kind of error another. A group (multicast,
/// broadcast) never answers: what a host answers it with comes from its own address, and is a flow of its own. A packet
/// inside a tunnel is one of the flow between its own endpoints, however it came.
#[derive(Debug)]
pub struct Table {
    apart: Apart,
    /// The newest flow of every five-tuple, by its place in `flows`: its key is the flow itself.
    newest: HashTable<u32>,
    hasher: FixedState,
    /// By first packet.
    flows: Many<Flow>,
    /// Flows whose heads are settled, and which nobody has taken yet.
    settled: Vec<u32>,
    /// The flows of the last frame's packets, the outermost first.
    frame: Vec<u32>,
}

/// What keeps flows between the same endpoints apart, where addresses mean different hosts in different networks.
///
/// By default nothing does, as in Zeek: a mirror port shows one connection in several VLANs, and the two directions of
/// one may come through different tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// Different VLAN tags are different networks.
    pub by_vlan: bool,
    /// Different tunnels are different networks.
    pub by_tunnel: bool,
}

/// Flows that were set aside, where there were more than had room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aside {
    /// How many flows.
    pub flows: u64,
    /// Those of them that nobody answered.
    pub unanswered: u64,
    /// Their packets.
    pub packets: u64,
    /// Their frame bytes, which are in no flow that is left.
    pub frame_bytes: u64,
}

impl Aside {
    fn add(&mut self, flow: &Flow) {
        self.flows += 1;
        self.unanswered += u64::from(!flow.is_answered());
        self.packets += flow.packets();
        self.frame_bytes += flow.own_bytes();
    }
}

impl AddAssign for Aside {
    fn add_assign(&mut self, more: Self) {
        self.flows += more.flows;
        self.unanswered += more.unanswered;
        self.packets += more.packets;
        self.frame_bytes += more.frame_bytes;
    }
}

/// The numbers that flows had which are left, in order.
#[derive(Debug)]
pub struct Left(Vec<u32>);

impl Left {
    /// The number it has now, if it is left.
    pub fn place(&self, number: u32) -> Option<u32> {
        self.0.binary_search(&number).ok().map(|it| it as u32)
    }

    /// What there is of those that are left, out of what there was of all.
    pub fn of<T>(&self, all: Many<T>) -> Many<T> {
        let mut left = self.0.iter().peekable();
        let all = (0..).zip(all).filter(|it: &(u32, T)| left.next_if_eq(&&it.0).is_some());
        all.map(|it| it.1).collect()
    }
}

/// The network of a packet, as far as it keeps flows apart.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Place {
    vlan: u32,
    tunnel: Option<Tunnel>,
}

impl Place {
    /// What [`Place::parts`] gave.
    pub(crate) fn of(vlan: u32, tunnel: Option<Tunnel>) -> Self {
        Self { vlan, tunnel }
    }

    /// The VLAN's id, 0 where it does not count, and the tunnel.
    pub(crate) fn parts(self) -> (u32, Option<Tunnel>) {
        (self.vlan, self.tunnel)
    }
}

impl Apart {
    fn place(self, packet: &Packet<'_>) -> Place {
        Place {
            vlan: if self.by_vlan { packet.vlan } else { 0 },
            tunnel: packet.tunnel.filter(|_| self.by_tunnel),
        }
    }
}

/// The two ends of a packet or a flow, and what carries it.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) transport: Transport,
    pub(crate) source: Endpoint,
    pub(crate) destination: Endpoint,
    pub(crate) topic: u8,
    pub(crate) place: Place,
}

impl Table {
    /// No flow yet. The seed keeps those who choose addresses from choosing collisions; it never shows in the output.
    pub fn new(seed: u64, apart: Apart) -> Self {
        Self {
            apart,
            newest: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            flows: Many::default(),
            settled: Vec::new(),
            frame: Vec::new(),
        }
    }

    /// Of flows that see no packet more.
    pub(crate) fn of_ended(flows: Many<Flow>, apart: Apart) -> Self {
        Self { flows, ..Self::new(0, apart) }
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
    ///
    /// A packet inside a tunnel follows the one that carries it.
    pub fn push(&mut self, packet: &Packet<'_>) -> u32 {
        self.frame.truncate(usize::from(packet.depth));
        let number = self.push_carried(packet, self.frame.last().copied());
        self.frame.push(number);
        number
    }

    /// The same for a packet that this flow carries, if one does.
    pub(crate) fn push_carried(&mut self, packet: &Packet<'_>, carrier: Option<u32>) -> u32 {
        let ends = Ends::of_packet(packet, self.apart);
        let number = self.find_or_open(&ends, packet, carrier);
        if let Some(flow) = self.flows.get_mut(number as usize) {
            let was_settled = flow.heads.is_settled();
            flow.push(flow.direction(ends.source), packet);
            if icmp::is_icmp(packet.protocol) {
                flow.note_quote(packet, self.apart);
            }
            if !was_settled && flow.heads.is_settled() {
                self.settled.push(number);
            }
        }
        number
    }

    #[inline]
    fn find_or_open(&mut self, ends: &Ends, packet: &Packet<'_>, carrier: Option<u32>) -> u32 {
        let next = self.flows.len() as u32;
        let (flows, hasher) = (&self.flows, &self.hasher);
        let is_same = |number: &u32| flows.get(*number as usize).is_some_and(|it| ends.are_of(it));
        let hash = ends.hash(hasher);
        if let Some(place) = self.newest.find_mut(hash, is_same) {
            let number = *place;
            let flow = flows.get(number as usize);
            let Some(flow) = flow.filter(|it| it.is_followed_by(ends.source, packet)) else {
                return number;
            };
            // The old flow will see no packet more.
            if !flow.heads.is_settled() {
                self.settled.push(number);
            }
            *place = next;
        } else {
            self.newest.insert_unique(hash, next, |number| {
                flows.get(*number as usize).map_or(0, |it| Ends::of_flow(it).hash(hasher))
            });
        }
        self.flows.push(Flow::open(*ends, packet, carrier));
        next
    }

    /// The flows so far, by number.
    pub(crate) fn flows_mut(&mut self) -> &mut Many<Flow> {
        &mut self.flows
    }

    /// The flows so far, by number.
    pub fn flows(&self) -> &Many<Flow> {
        &self.flows
    }

    /// A flow that has said all its heads can hold, and its number; each comes once.
    ///
    /// Who labels it now may keep less of its heads. Flows that never come here are labelled when the capture ends.
    pub fn next_settled(&mut self) -> Option<(u32, &mut Flow)> {
        let number = self.settled.pop()?;
        Some((number, self.flows.get_mut(number as usize)?))
    }

    /// Sets flows aside until so many are left: those first that nobody answered, then those silent for longest. They see no
    /// packet more: what comes between their ends later is another flow. The others get new numbers, in the same order.
    ///
    /// It is called between two frames, when no flow waits in [`Table::next_settled`].
    pub fn set_aside(&mut self, n_left: usize) -> (Aside, Left) {
        let mut order: Vec<_> = (0..).zip(&self.flows).map(|it| (it.1.worth(), it.0)).collect();
        let n_gone = order.len().saturating_sub(n_left);
        if (1..order.len()).contains(&n_gone) {
            order.select_nth_unstable(n_gone);
        }
        let mut kept: Vec<u32> = order.split_off(n_gone).into_iter().map(|it| it.1).collect();
        kept.sort_unstable();
        let kept = Left(kept);
        let (mut aside, mut places) = (Aside::default(), kept.0.iter().peekable());
        for (number, mut flow) in (0..).zip(mem::take(&mut self.flows)) {
            if places.next_if_eq(&&number).is_none() {
                aside.add(&flow);
                continue;
            }
            if let Some(tunnels) = flow.tunnels_mut() {
                tunnels.parent = tunnels.parent.and_then(|it| kept.place(it));
            }
            self.flows.push(flow);
        }
        self.newest.retain(|number| {
            let place = kept.place(*number);
            *number = place.unwrap_or(*number);
            place.is_some()
        });
        self.frame.clear();
        (aside, kept)
    }

    /// Ends the capture: all flows, by their first packet.
    pub fn finish(mut self) -> Many<Flow> {
        self.end();
        let mut flows = self.flows;
        quotes::link(&mut flows);
        flows
    }

    /// No packet follows: gives back what memory was kept for more.
    pub(crate) fn end(&mut self) {
        for flow in &mut self.flows {
            flow.timeline.shrink();
            if let Some(watch) = &mut flow.watch {
                watch.end();
            }
        }
    }

    /// The flows, which do not know of each other yet.
    pub(crate) fn into_flows(self) -> Many<Flow> {
        self.flows
    }
}

impl Ends {
    #[inline]
    pub(crate) fn of_packet(packet: &Packet<'_>, apart: Apart) -> Self {
        Self {
            place: apart.place(packet),
            transport: Transport(packet.protocol),
            topic: icmp::topic(packet),
            source: Endpoint { ip: packet.source, port: packet.source_port },
            destination: Endpoint { ip: packet.destination, port: packet.destination_port },
        }
    }

    pub(crate) fn of_flow(flow: &Flow) -> Self {
        let place = flow.tunnels().map_or_else(Place::default, |it| it.key);
        Self {
            transport: flow.transport,
            source: flow.client,
            destination: flow.server,
            topic: flow.topic,
            place,
        }
    }

    /// Whether they are the flow's, in either order.
    #[inline]
    fn are_of(&self, flow: &Flow) -> bool {
        let is = |a: &Endpoint, b: &Endpoint| self.source == *a && self.destination == *b;
        let place = || flow.tunnels().map_or_else(Place::default, |it| it.key);
        (is(&flow.client, &flow.server) || is(&flow.server, &flow.client))
            && (self.transport, self.topic) == (flow.transport, flow.topic)
            && self.place == place()
    }

    /// The same in either order.
    #[inline]
    fn hash(&self, hasher: &FixedState) -> u64 {
        let mut hasher = hasher.build_hasher();
        let port = |it: Endpoint| u64::from(it.port);
        match (self.source.ip, self.destination.ip) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let a = u64::from(source.to_bits()) << 16 | port(self.source);
                let b = u64::from(destination.to_bits()) << 16 | port(self.destination);
                let numbers = u64::from(self.transport.0) | u64::from(self.topic) << 8;
                // A word and what is left of the next: addresses and ports are 48 bits.
                hasher.write_u64(a.min(b) | numbers << 48);
                hasher.write_u64(a.max(b));
            }
            (source, destination) => {
                let bits = |it: IpAddr| match it {
                    IpAddr::V4(ip) => u128::from(ip.to_bits()),
                    IpAddr::V6(ip) => ip.to_bits(),
                };
                let (a, b) = (
                    (bits(source), port(self.source)),
                    (bits(destination), port(self.destination)),
                );
                (a.min(b), a.max(b), self.transport, self.topic).hash(&mut hasher);
            }
        }
        if self.place != Place::default() {
            self.place.hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl Flow {
    pub(crate) fn open(ends: Ends, packet: &Packet<'_>, parent: Option<u32>) -> Self {
        let Ends { transport, source, destination, topic, place } = ends;
        // A SYN-ACK comes from the server, though we saw it first; so does an INIT ACK.
        let is_answer = packet
            .tcp
            .is_some_and(|it| it.flags & (flags::SYN | flags::ACK) == flags::SYN | flags::ACK)
            || Init::of(packet).is_some_and(|it| it.is_answer);
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
            topic,
            connection: Connection::default(),
            openings: Openings::default(),
            watch: None,
            rare: (packet.tunnel.is_some() || place != Place::default()).then(|| {
                let inside = packet.tunnel;
                let tunnels = Tunnels { parent, inside, key: place, ..Tunnels::default() };
                Box::new(Rare { tunnels: Some(tunnels), errors: None })
            }),
        }
    }

    fn is_answered(&self) -> bool {
        self.from_client.packets > 0 && self.from_server.packets > 0
    }

    /// What is worth more stays longer where there is no room for all.
    fn worth(&self) -> (bool, Timestamp) {
        (self.is_answered() || self.tunnels().is_some(), self.last)
    }

    /// Whether a packet between its ends begins a flow of its own.
    #[inline]
    pub(crate) fn is_followed_by(&self, source: Endpoint, packet: &Packet<'_>) -> bool {
        let direction = self.direction(source);
        // An association that is begun again has other tags.
        if let Some(init) = Init::of(packet) {
            return !init.is_answer && self.openings.is_other(direction, init.tag);
        }
        let is_anew = |it: &Tcp| tcp::begins_anew(self.connection, &self.openings, direction, it);
        packet.tcp.as_ref().is_some_and(is_anew)
    }

    pub(crate) fn direction(&self, source: Endpoint) -> Direction {
        if source == self.client { Direction::Forward } else { Direction::Backward }
    }

    /// Takes what tells whether the packets that follow are still its own.
    pub(crate) fn advance(&mut self, direction: Direction, packet: &Packet<'_>) {
        if let Some(tcp) = &packet.tcp {
            self.openings.push(direction, tcp);
            self.connection.push(direction, tcp.flags, packet.payload_len);
        }
        if let Some(init) = Init::of(packet) {
            self.openings.learn(direction, init.tag);
        }
    }

    fn push(&mut self, direction: Direction, packet: &Packet<'_>) {
        let mut step = Step {
            time: packet.time,
            direction,
            frame_len: packet.frame_len,
            ip_len: packet.ip_len,
            payload_len: packet.payload_len,
            flags: packet.tcp.map_or(0, |it| it.flags),
            is_carrier: packet.carries.is_some(),
            marks: 0,
        };
        if let Some(tcp) = &packet.tcp {
            step.marks = self.check(&step, tcp);
        }
        self.advance(direction, packet);
        match direction {
            Direction::Forward => self.from_client.add(&step),
            Direction::Backward => self.from_server.add(&step),
        }
        if packet.carries.is_some() {
            let tunnels = self.rare.get_or_insert_default().tunnels.get_or_insert_default();
            tunnels.carries = tunnels.carries.or(packet.carries);
            match direction {
                Direction::Forward => tunnels.carried_from_client.add(&step),
                Direction::Backward => tunnels.carried_from_server.add(&step),
            }
        }
        self.timeline.push(step);
        self.last = self.last.max(packet.time);
        let differs = self.heads.push(direction, packet);
        if let Some(watch) = &mut self.watch
            && differs
        {
            watch.differ(direction);
        }
    }

    /// Watches how well the connection fares: the marks of a step. Attempts alone, of which a scan makes millions, take no
    /// memory for it.
    fn check(&mut self, step: &Step, tcp: &Tcp) -> u8 {
        let watch = match &mut self.watch {
            Some(watch) => watch,
            None if tcp.flags & (flags::SYN | flags::RST) != 0 => return 0,
            None => {
                let mut watch = Box::new(Watch::default());
                for step in self.timeline.steps().filter(|it| it.flags & flags::SYN != 0) {
                    if let Some(syn) = self.openings.syn(step.direction) {
                        let syn = Tcp { flags: step.flags, ..syn };
                        watch.push(step.direction, &syn, step.payload_len, step.time);
                    }
                }
                self.watch.insert(watch)
            }
        };
        watch.push(step.direction, tcp, step.payload_len, step.time)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use capture::TunnelKind;
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
        let numbered: Vec<_> = packets.iter().map(|it| (it.0, it.1, it.2, 0)).collect();
        check_numbered(&numbered, expected);
    }

    /// The same of packets with a sequence number.
    #[track_caller]
    fn check_numbered(packets: &[(u8, u8, u8, u32)], expected: &[(u16, u64, u64)]) {
        let mut table = Table::new(7, Apart::default());
        for &(from, to, flags, sequence) in packets {
            let tcp = Some(Tcp { flags, sequence, ..Tcp::default() });
            table.push(&Packet { tcp, ..packet(from, to, flags, b"") });
        }
        let flows: Vec<_> = table
            .finish()
            .iter()
            .map(|it| (it.client.port, it.from_client.packets, it.from_server.packets))
            .collect();
        assert_eq!(flows, expected);
    }

    #[test]
    fn an_answer_to_a_group_is_a_flow_of_its_own() {
        let mut table = Table::new(7, Apart::default());
        let group = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251));
        let question = Packet { protocol: 17, tcp: None, ..packet(1, 2, 0, b"?") };
        table.push(&Packet { destination: group, ..question.clone() });
        table.push(&Packet { protocol: 17, tcp: None, ..packet(2, 1, 0, b"!") });
        let clients: Vec<u16> = table.finish().iter().map(|it| it.client.port).collect();
        assert_eq!(clients, [1, 2]);
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
        let reset = [(1, 2, SYN), (2, 1, SYN | ACK), (2, 1, RST)];
        check(&[&reset[..], &reset[..1]].concat(), &[(1, 1, 2), (1, 1, 0)]);
    }

    #[test]
    fn a_refused_attempt_that_is_repeated_is_the_same_flow() {
        let refused = [(1, 2, SYN, 7), (2, 1, RST | ACK, 0)];
        check_numbered(&[refused, refused].concat(), &[(1, 2, 2)]);
        check_numbered(&[&refused[..], &[(1, 2, SYN, 8)]].concat(), &[(1, 1, 1), (1, 1, 0)]);
    }

    #[test]
    fn a_syn_with_another_number_is_a_new_flow() {
        let opened = [(1, 2, SYN, 7), (2, 1, SYN | ACK, 90), (1, 2, ACK, 8)];
        check_numbered(&[&opened[..], &[(1, 2, SYN, 500)]].concat(), &[(1, 2, 1), (1, 1, 0)]);
        check_numbered(&[&opened[..], &[(2, 1, SYN, 500)]].concat(), &[(1, 2, 1), (2, 1, 0)]);
        check_numbered(&[&opened[..], &[(1, 2, SYN, 7)]].concat(), &[(1, 3, 1)]);
        check_numbered(&[(1, 2, ACK, 8), (1, 2, SYN, 500)], &[(1, 1, 0), (1, 1, 0)]);
    }

    #[test]
    fn a_syn_after_its_answer_is_the_same_flow() {
        check_numbered(&[(2, 1, SYN | ACK, 90), (1, 2, SYN, u32::MAX)], &[(1, 1, 1)]);
    }

    #[test]
    fn both_may_open_at_once() {
        check_numbered(&[(1, 2, SYN, 7), (2, 1, SYN, 90), (1, 2, SYN | ACK, 7)], &[(1, 2, 1)]);
    }

    #[test]
    fn an_answer_to_another_syn_is_a_new_flow_where_only_servers_are_captured() {
        let mut table = Table::new(7, Apart::default());
        for (sequence, acknowledgement) in [(90, 8), (700, 8), (700, 50)] {
            let tcp = Tcp { flags: SYN | ACK, sequence, acknowledgement, ..Tcp::default() };
            table.push(&Packet { tcp: Some(tcp), ..packet(2, 1, 0, b"") });
        }
        let packets: Vec<u64> = table.finish().iter().map(Flow::packets).collect();
        assert_eq!(packets, [2, 1]);
    }

    #[test]
    fn a_flow_is_settled_once() {
        let mut table = Table::new(7, Apart::default());
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

    /// A packet of this tunnel carries one between other hosts.
    fn push_carried(table: &mut Table, id: u32, carrying: (u8, u8), carried: (u8, u8)) {
        let kind = TunnelKind::Vxlan;
        let outer = packet(carrying.0, carrying.1, ACK, b"");
        table.push(&Packet { carries: Some(kind), ..outer });
        let tunnel = Some(Tunnel { kind, id });
        let inner = packet(carried.0, carried.1, ACK, b"");
        table.push(&Packet { tunnel, depth: 1, ..inner });
    }

    #[test]
    fn what_a_tunnel_carries_has_a_flow_of_its_own() {
        let mut table = Table::new(7, Apart::default());
        table.push(&packet(1, 2, SYN, b""));
        push_carried(&mut table, 42, (1, 2), (3, 4));
        push_carried(&mut table, 42, (2, 1), (4, 3));
        let flows = table.finish();
        let own: Vec<u64> = flows.iter().map(Flow::own_bytes).collect();
        assert_eq!(own, [54, 108], "every frame counts once");
        let (outer, inner) = (flows[0].tunnels().unwrap(), flows[1].tunnels().unwrap());
        assert_eq!((outer.carries, outer.parent), (Some(TunnelKind::Vxlan), None));
        assert_eq!((outer.carried_from_client.packets, outer.carried_from_server.packets), (1, 1));
        assert_eq!((inner.parent, inner.inside.map(|it| it.id)), (Some(0), Some(42)));
        let carriers: Vec<bool> = flows[0].timeline.steps().map(|it| it.is_carrier).collect();
        assert_eq!(carriers, [false, true, true]);
    }

    #[test]
    fn an_established_connection_is_watched_from_its_first_packet() {
        let mut table = Table::new(7, Apart::default());
        let at = |millis: u64, flags, sequence, acknowledgement| {
            let (from, to) = if sequence >= 500 { (2, 1) } else { (1, 2) };
            let window = 9;
            let tcp = Some(Tcp { sequence, acknowledgement, flags, window, ..Tcp::default() });
            Packet { time: Timestamp(millis * 1_000_000), tcp, ..packet(from, to, flags, b"") }
        };
        table.push(&at(0, SYN, 99, 0));
        table.push(&at(10, SYN, 99, 0));
        table.push(&at(30, SYN | ACK, 500, 100));
        assert!(table.flows[0].health().is_none());
        table.push(&at(40, ACK, 100, 501));
        let health = table.flows[0].health().unwrap();
        assert_eq!(
            (health.client.handshake_ns, health.client.retransmissions),
            (Some(30_000_000), 1)
        );
        assert_eq!(health.server.handshake_ns, Some(10_000_000));
    }

    #[test]
    fn the_first_window_of_a_side_is_that_of_its_first_segment() {
        let mut table = Table::new(7, Apart::default());
        for (from, flags, window) in [(1, SYN, 70), (2, SYN | ACK, 80), (1, ACK, 7), (2, ACK, 8)] {
            let tcp = Some(Tcp { flags, window, ..Tcp::default() });
            table.push(&Packet { tcp, ..packet(from, 3 - from, flags, b"") });
        }
        assert_eq!(table.finish()[0].first_windows(), [Some(70), Some(80)]);
        let mut table = Table::new(7, Apart::default());
        table.push(&packet(1, 2, SYN, b""));
        table.push(&packet(2, 1, RST | ACK, b""));
        assert_eq!(table.finish()[0].first_windows(), [Some(0), None]);
    }

    #[test]
    fn flows_are_set_aside_that_nobody_answered_and_that_are_silent_for_longest() {
        let mut table = Table::new(7, Apart::default());
        let mut push = |millis: u64, from, to| {
            let time = Timestamp(millis * 1_000_000);
            table.push(&Packet { time, ..packet(from, to, ACK, b"") })
        };
        for (millis, from, to) in [(0, 1, 2), (1, 2, 1), (2, 3, 4), (3, 5, 6), (4, 7, 8), (5, 8, 7)]
        {
            push(millis, from, to);
        }
        let (aside, kept) = table.set_aside(2);
        assert_eq!(aside, Aside { flows: 2, unanswered: 2, packets: 2, frame_bytes: 108 });
        assert_eq!([0, 1, 2, 3].map(|it| kept.place(it)), [Some(0), None, None, Some(1)]);
        assert_eq!(
            kept.of(['a', 'b', 'c', 'd'].into_iter().collect()).into_iter().collect::<String>(),
            "ad"
        );
        // What is left goes on, what is gone begins anew.
        let numbers: Vec<u32> = [(1, 2), (7, 8), (3, 4)]
            .map(|(from, to)| table.push(&packet(from, to, ACK, b"")))
            .into();
        assert_eq!(numbers, [0, 1, 2]);
        assert_eq!(table.set_aside(9).0, Aside::default());
        assert_eq!(table.set_aside(0).0.flows, 3);
        assert_eq!(table.push(&packet(1, 2, ACK, b"")), 0);
    }

    #[test]
    fn a_carrier_that_is_set_aside_is_nobodys_parent() {
        let mut table = Table::new(7, Apart::default());
        push_carried(&mut table, 42, (1, 2), (3, 4));
        table.flows.get_mut(1).unwrap().last = Timestamp(9);
        assert_eq!(table.set_aside(1).0.frame_bytes, 0);
        assert_eq!(table.flows[0].tunnels().unwrap().parent, None);
    }

    /// Whoever knows the hash but not the seed chooses addresses that collide: they do not under another seed.
    #[test]
    fn collisions_under_one_seed_are_none_under_another() {
        const BUCKETS: usize = 1 << 10;
        let ends = |n: u32| {
            let client = Endpoint { ip: Ipv4Addr::from_bits(n).into(), port: 40_000 };
            let server = Endpoint { ip: Ipv4Addr::new(192, 0, 2, 1).into(), port: 443 };
            let transport = Transport::TCP;
            Ends {
                transport,
                source: client,
                destination: server,
                topic: 0,
                place: Place::default(),
            }
        };
        // The table takes buckets by the low bits.
        let bucket = |it: Ends, seed| it.hash(&FixedState::with_seed(seed)) as usize % BUCKETS;
        let target = bucket(ends(0), 0);
        let chosen = (0..16 << 20).map(ends).filter(|it| bucket(*it, 0) == target);
        let chosen: Vec<Ends> = chosen.collect();
        assert!(chosen.len() > 8 * BUCKETS);
        for seed in [1, 0x5eed, u64::MAX] {
            let mut filled = vec![0; BUCKETS];
            chosen.iter().for_each(|it| filled[bucket(*it, seed)] += 1);
            let (mean, most) = (chosen.len() / BUCKETS, filled.iter().max().copied());
            assert!(most.is_some_and(|it| it < 4 * mean), "seed {seed}: {most:?} of {mean}");
        }
    }

    #[test]
    fn networks_keep_flows_apart_where_asked() {
        let n_flows = |apart| {
            let mut table = Table::new(7, apart);
            push_carried(&mut table, 1, (1, 2), (3, 4));
            push_carried(&mut table, 2, (1, 2), (3, 4));
            table.push(&Packet { vlan: 5, ..packet(1, 2, ACK, b"") });
            table.len()
        };
        assert_eq!(n_flows(Apart::default()), 2);
        assert_eq!(n_flows(Apart { by_tunnel: true, ..Apart::default() }), 3);
        assert_eq!(n_flows(Apart { by_vlan: true, ..Apart::default() }), 3);
    }

    #[test]
    fn an_association_with_another_tag_is_a_new_flow() {
        let mut table = Table::new(7, Apart::default());
        // Who sends, the type of the chunk, the tag in it.
        for (from, kind, tag) in [(2, 2, 9), (1, 1, 5), (1, 1, 5), (1, 0, 0), (1, 1, 6), (2, 2, 8)]
        {
            let chunk = [kind, 0, 0, 20, 0, 0, 0, tag];
            let packet = packet(from, 3 - from, 0, &chunk);
            table.push(&Packet { protocol: Transport::SCTP.0, tcp: None, ..packet });
        }
        let flows = table.finish();
        let flows: Vec<_> = flows.iter().map(|it| (it.client.port, it.packets())).collect();
        assert_eq!(flows, [(1, 4), (1, 2)]);
    }

    #[test]
    fn a_repeated_syn_is_the_same_flow() {
        check(&[(1, 2, SYN), (1, 2, SYN), (2, 1, SYN | ACK)], &[(1, 2, 1)]);
    }
}
