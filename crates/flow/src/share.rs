//! Flows by shares of their keys: each share is put together on its own, and merging gives what one table gives.
//!
//! A key belongs to one share, so that a flow sees all its packets in order. What flows know of each other is settled
//! when the shares are merged: their numbers, and who carried whom.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, binary_heap::PeekMut},
    net::IpAddr,
};

use capture::Tunnel;
use serde::{Deserialize, Serialize};

use crate::{
    Apart, Endpoint, Flow, Many, Sent, Table, Transport, quotes,
    table::{Ends, Place},
};

/// The flows of one share of the keys.
#[derive(Debug)]
pub struct Share {
    pub(crate) table: Table,
    /// Where the first packet of each flow is in the capture.
    pub(crate) ordinals: Vec<u64>,
    /// Flows whose first packet came in a tunnel, and the key of what carried it by its place in `carriers`.
    pub(crate) carried: Vec<(u32, u32)>,
    /// Different ones; a map, for whoever fills it with tunnels.
    pub(crate) carriers: BTreeMap<Key, u32>,
}

/// What the packets of a flow have in common, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) transport: Transport,
    pub(crate) topic: u8,
    pub(crate) low: Endpoint,
    pub(crate) high: Endpoint,
    pub(crate) place: Place,
}

impl From<Ends> for Key {
    fn from(ends: Ends) -> Self {
        let Ends { transport, source, destination, topic, place } = ends;
        let (low, high) = (source.min(destination), source.max(destination));
        Self { transport, topic, low, high, place }
    }
}

/// Odd numbers without a pattern: products with them depend on every bit in their upper bits.
const ODD: [u64; 5] = [
    0x9e37_79b9_7f4a_7c15,
    0xbf58_476d_1ce4_e5b9,
    0x94d0_49bb_1331_11eb,
    0xff51_afd7_ed55_8ccd,
    0xc4ce_b9fe_1a85_ec53,
];

impl Ends {
    /// Their share of so many, the same in either order and on every machine; whoever chooses addresses may fill one share with
    /// them.
    pub(crate) fn share(&self, n_shares: usize) -> usize {
        let word = |Endpoint { ip, port }| match ip {
            IpAddr::V4(ip) => u64::from(ip.to_bits()) << 16 | u64::from(port),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                (bits >> 64) as u64 ^ (bits as u64 ^ u64::from(port) << 48).wrapping_mul(ODD[0])
            }
        };
        let (a, b) = (word(self.source), word(self.destination));
        let (vlan, tunnel) = self.place.parts();
        let (kind, id) = tunnel.map_or((0, 0), |Tunnel { kind, id }| (kind as u64 + 1, id));
        let numbers = u64::from(self.transport.0) | u64::from(self.topic) << 8 | kind << 16;
        let place = u64::from(vlan) << 32 | u64::from(id);
        // Sums of products: the same in either order, and one multiplication deep.
        let ends =
            a.wrapping_add(b).wrapping_mul(ODD[1]) ^ (a ^ b).wrapping_mul(ODD[2]).rotate_left(32);
        let hash = ends
            .wrapping_add(numbers.wrapping_mul(ODD[3]))
            .wrapping_add(place.wrapping_mul(ODD[4]));
        let hash = (hash ^ hash >> 32).wrapping_mul(ODD[0]);
        let hash = hash ^ hash >> 29;
        (hash % n_shares.max(1) as u64) as usize
    }
}

impl Share {
    /// No flow yet. Seed and networks as for [`Table::new`].
    pub fn new(seed: u64, apart: Apart) -> Self {
        let table = Table::new(seed, apart);
        Self { table, ordinals: Vec::new(), carried: Vec::new(), carriers: BTreeMap::new() }
    }

    /// How many flows.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no flow.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Adds a packet to its flow, as [`Table::push`] does; packets come in the order of the capture. Returns the flow's
    /// number in this share.
    pub fn push(&mut self, sent: &Sent<'_>) -> u32 {
        let n_flows = self.table.len();
        let number = self.table.push_carried(&sent.packet, None);
        if self.table.len() > n_flows {
            self.ordinals.push(sent.ordinal);
            if let Some(key) = sent.carrier {
                let next = self.carriers.len() as u32;
                self.carried.push((number, *self.carriers.entry(key).or_insert(next)));
            }
        }
        number
    }

    /// As [`Table::next_settled`].
    pub fn next_settled(&mut self) -> Option<(u32, &mut Flow)> {
        self.table.next_settled()
    }

    /// No packet follows: gives back what memory was kept for more.
    pub fn end(&mut self) {
        self.table.end();
    }

    /// Every flow, by its number.
    pub fn flows_mut(&mut self) -> &mut Many<Flow> {
        self.table.flows_mut()
    }
}

/// Which share each flow of a capture is from, by the number of the flow in the capture.
///
/// The flows of a share keep their order, so that this tells where in its share a flow is, too.
#[derive(Debug)]
pub struct Order(Vec<u16>);

impl Order {
    fn new(shares: &[Share]) -> Self {
        let n_flows = shares.iter().map(Share::len).sum();
        let mut order = Vec::with_capacity(n_flows);
        let mut lists: Vec<_> = shares.iter().map(|it| it.ordinals.iter()).collect();
        let firsts = (0_u16..).zip(&mut lists);
        let firsts = firsts.filter_map(|(share, it)| Some(Reverse((*it.next()?, share))));
        let mut firsts: BinaryHeap<_> = firsts.collect();
        while let Some(mut first) = firsts.peek_mut() {
            let share = first.0.1;
            order.push(share);
            match lists.get_mut(usize::from(share)).and_then(Iterator::next) {
                Some(next) => first.0.0 = *next,
                None => drop(PeekMut::pop(first)),
            }
        }
        Self(order)
    }

    /// What there is of every flow, put in order of the capture; `lists` hold it share by share.
    ///
    /// The memory of the lists is given back on the way: a million flows are never there twice.
    pub fn merge<T>(&self, mut lists: Vec<Many<T>>) -> Many<T> {
        if lists.len() == 1 {
            return lists.pop().unwrap_or_default();
        }
        let mut lists: Vec<_> = lists.into_iter().map(Many::into_iter).collect();
        let next = |share: &u16| lists.get_mut(usize::from(*share))?.next();
        self.0.iter().filter_map(next).collect()
    }

    /// The numbers in the capture of the flows of every share.
    pub fn numbers(&self, n_shares: usize) -> Vec<Vec<u32>> {
        let mut numbers = vec![Vec::new(); n_shares];
        for (number, share) in (0..).zip(&self.0) {
            if let Some(list) = numbers.get_mut(usize::from(*share)) {
                list.push(number);
            }
        }
        numbers
    }
}

/// Ends the capture: all flows of all shares by their first packet, as one table would give them.
pub fn merge(shares: Vec<Share>) -> (Many<Flow>, Order) {
    let order = Order::new(&shares);
    let is_carrying = shares.iter().any(|it| !it.carried.is_empty());
    let numbers = if is_carrying { order.numbers(shares.len()) } else { Vec::new() };
    let mut flows = Vec::with_capacity(shares.len());
    let mut carried: Vec<(u32, Key)> = Vec::new();
    for (n, share) in shares.into_iter().enumerate() {
        flows.push(share.table.into_flows());
        let carriers: BTreeMap<u32, Key> = share.carriers.iter().map(|it| (*it.1, *it.0)).collect();
        for (local, carrier) in share.carried {
            let number = numbers.get(n).and_then(|it| it.get(local as usize));
            carried.extend(number.copied().zip(carriers.get(&carrier).copied()));
        }
    }
    let mut flows = order.merge(flows);
    let mut carriers: Vec<(Key, u32)> = Vec::new();
    for (number, flow) in (0..).zip(&flows) {
        if flow.tunnels().is_some_and(|it| it.carries.is_some()) {
            carriers.push((Ends::of_flow(flow).into(), number));
        }
    }
    carriers.sort_unstable();
    for (number, key) in carried {
        // Packets of a key go to its newest flow: the last one that began before this flow.
        let before = carriers.partition_point(|it| *it < (key, number));
        let parent = before.checked_sub(1).and_then(|it| carriers.get(it));
        let parent = parent.filter(|it| it.0 == key).map(|it| it.1);
        if let Some(tunnels) = flows.get_mut(number as usize).and_then(Flow::tunnels_mut) {
            tunnels.parent = parent;
        }
    }
    quotes::link(&mut flows);
    (flows, order)
}
