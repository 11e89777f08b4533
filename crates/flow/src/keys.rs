//! The keys of a part of a capture, and how much of each passed by: they tell which flows are whole where the part is read, and which
//! first bytes of the others may still matter.

use capture::Packet;
use foldhash::quality::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::{Heads, Partial, Transport, share::Key, table::Ends, tcp::flags};

/// The keys of a part, each once and in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keys(Vec<(Key, Passed)>);

/// How much of the payload of a key passed by, as [`Heads::passes`] counts it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Passed {
    /// From the lesser end, and from the greater one.
    sides: [u32; 2],
    /// A flow may have begun; what passed before it does not count.
    has_begun: bool,
}

impl Passed {
    /// Takes a packet; whether a head may still take something of its payload, by what passed before it.
    pub(crate) fn take(&mut self, packet: &Packet<'_>) -> bool {
        if packet.tcp.is_some_and(|it| it.flags & flags::SYN != 0) {
            *self = Self { sides: [0; 2], has_begun: true };
        }
        let limit = Heads::limit(packet.source_port, packet.destination_port) as u32;
        let [low, high] = &mut self.sides;
        let side = if is_from_high(packet) { high } else { low };
        let is_wanted = *side < limit;
        *side = side.saturating_add(Heads::passes(packet));
        // Their payload tells more than heads take.
        let transport = Transport(packet.protocol);
        is_wanted || matches!(transport, Transport::ICMP | Transport::ICMPV6 | Transport::SCTP)
    }

    /// Takes what passed in the part that follows.
    fn follow(&mut self, next: Self) {
        if next.has_begun {
            *self = next;
        } else {
            let sum = |n: usize| {
                let of = |it: &Self| it.sides.get(n).copied().unwrap_or(0);
                of(self).saturating_add(of(&next))
            };
            self.sides = [sum(0), sum(1)];
        }
    }
}

/// Whether a packet comes from the greater end of its key.
pub(crate) fn is_from_high(packet: &Packet<'_>) -> bool {
    (packet.source, packet.source_port) > (packet.destination, packet.destination_port)
}

/// Counts the keys of packets.
#[derive(Debug)]
pub struct KeyTally(HashMap<Key, Passed, FixedState>);

impl KeyTally {
    /// No key yet. The seed is as for [`crate::Table::new`].
    pub fn new(seed: u64) -> Self {
        Self(HashMap::with_hasher(FixedState::with_seed(seed)))
    }

    /// Takes the packets that follow.
    pub fn push(&mut self, partial: &Partial) {
        for sent in partial.packets() {
            let key = Key::from(Ends::of_packet(&sent.packet, partial.apart()));
            self.0.entry(key).or_default().take(&sent.packet);
        }
    }

    /// The keys.
    pub fn finish(self) -> Keys {
        let mut keys: Vec<(Key, Passed)> = self.0.into_iter().collect();
        keys.sort_unstable_by_key(|it| it.0);
        Keys(keys)
    }
}

impl Keys {
    /// Of parts that follow each other, the keys that are in others too, or among `elsewhere`; with each what passed before the part.
    /// Where something of a key is elsewhere, that is nothing: what begins there is not known.
    pub fn shared(parts: &[Self], elsewhere: &Self) -> Vec<Self> {
        let keys_of = |it: &Self| it.0.iter().map(|it| it.0).collect::<Vec<_>>();
        let elsewhere = keys_of(elsewhere);
        let mut all: Vec<Key> = parts.iter().flat_map(keys_of).collect();
        all.extend_from_slice(&elsewhere);
        all.sort_unstable();
        let several = all.chunk_by(|a, b| a == b).filter(|it| it.len() > 1);
        let mut before: Vec<(Key, Passed)> =
            several.filter_map(|it| Some((*it.first()?, Passed::default()))).collect();
        drop(all);
        let shared = parts.iter().map(|part| {
            let mut shared = Vec::new();
            for (key, passed) in &part.0 {
                let Ok(at) = before.binary_search_by_key(key, |it| it.0) else { continue };
                let Some((_, before)) = before.get_mut(at) else { continue };
                let is_elsewhere = elsewhere.binary_search(key).is_ok();
                shared.push((*key, if is_elsewhere { Passed::default() } else { *before }));
                before.follow(*passed);
            }
            Self(shared)
        });
        shared.collect()
    }
}

/// Keys that are in other parts too, to be found.
#[derive(Debug)]
pub struct SharedKeys(HashMap<Key, Passed, FixedState>);

impl SharedKeys {
    /// Of these; the seed is as for [`crate::Table::new`].
    pub fn new(keys: &Keys, seed: u64) -> Self {
        let mut shared = HashMap::with_hasher(FixedState::with_seed(seed));
        shared.extend(keys.0.iter().copied());
        Self(shared)
    }

    pub(crate) fn has(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// How much of a key passed before the part.
    pub(crate) fn passed_before(&self, key: &Key) -> Option<Passed> {
        self.0.get(key).copied()
    }
}
