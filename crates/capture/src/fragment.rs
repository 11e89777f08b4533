//! Fragments in, packets out (RFC 791, section 3.2; RFC 8200, section 4.5).
//!
//! A packet in fragments is one packet, as it is for who receives it: it is there once its last missing fragment is. The
//! fragments of one that never becomes whole are given out each for itself. Of bytes sent twice the first stay.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use foldhash::quality::FixedState;

use crate::{Packet, Timestamp, ip::Ip};

/// Kept of all unfinished packets together, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Packets under way, and those just finished.
const MAX_DATAGRAMS: usize = 16 * 1024;
/// Pieces of one packet.
const MAX_PIECES: usize = 1_024;
/// The longest body of an IP packet, in bytes (RFC 791).
const MAX_BODY_LEN: u32 = 65_535;
/// How long a packet may take, in nanoseconds of the capture's own time; Linux waits as long.
const MAX_AGE: u64 = 30_000_000_000;

/// The packets under way.
#[derive(Debug)]
pub(crate) struct Fragments {
    datagrams: HashMap<Key, Datagram, FixedState>,
    /// By their first fragment seen; the number tells a packet from an older one with the same key.
    order: VecDeque<(Key, u64)>,
    next_number: u64,
    /// Kept of all packets together.
    bytes: usize,
    /// Fragments with bytes that came before, others or the same.
    pub(crate) overlapping: u64,
    /// Packets given up before they were whole.
    pub(crate) unfinished: u64,
    /// Fragments that reach beyond the end of their packet.
    pub(crate) impossible: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    /// 0 for IPv6, where the fragments of a packet need not name the same.
    protocol: u8,
    id: u32,
}

#[derive(Debug, Default)]
struct Datagram {
    number: u64,
    first_seen: Timestamp,
    opening: Option<Opening>,
    /// What the first fragment of the packet before it told, where that one became whole: late copies of its fragments
    /// belong to the same flow.
    previous: Option<Opening>,
    /// Sorted, without overlap.
    pieces: Vec<Piece>,
    /// What they cover on the wire, in bytes.
    covered: u32,
    /// The length of the body, once the last fragment came.
    len: Option<u32>,
    is_done: bool,
    /// The fragments as packets, their payload left out.
    held: Vec<Held>,
}

/// A fragment as a packet, and the frames it came in, where somebody follows them.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) packet: Packet<'static>,
    pub(crate) frames: Option<Arc<[u64]>>,
}

#[derive(Debug)]
struct Piece {
    start: u32,
    end: u32,
    /// Fewer than it covers where the snap length cut it.
    bytes: Box<[u8]>,
}

/// What only the first fragment tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
}

/// A packet put together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Its body, up to where the snap length cut it.
    pub(crate) body: Vec<u8>,
    /// The length of the body on the wire, in bytes.
    pub(crate) body_len: u32,
    /// Its frames on the wire, in bytes.
    pub(crate) frame_len: u32,
    /// Its frames, where somebody follows them.
    pub(crate) frames: Option<Arc<[u64]>>,
}

impl Fragments {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            datagrams: HashMap::with_hasher(FixedState::with_seed(seed)),
            order: VecDeque::new(),
            next_number: 0,
            bytes: 0,
            overlapping: 0,
            unfinished: 0,
            impossible: 0,
        }
    }

    /// Adds a fragment: `ip` as it came, `held` as it is given out if the whole never comes, and what it tells where
    /// it is the first. Where it can belong to no whole it goes to `release` at once.
    pub(crate) fn push(
        &mut self,
        ip: &Ip<'_>,
        held: Held,
        opening: Option<Opening>,
        release: &mut impl FnMut(Held),
    ) -> Option<Whole> {
        let fragment = ip.fragment?;
        let key = Key {
            source: ip.source,
            destination: ip.destination,
            protocol: if ip.source.is_ipv4() { ip.protocol } else { 0 },
            id: fragment.id,
        };
        let datagram = self
            .datagrams
            .entry(key)
            .or_insert_with(|| Datagram { is_done: true, ..Datagram::default() });
        if datagram.is_done {
            let (number, first_seen) = (self.next_number, held.packet.time);
            let previous = datagram.opening;
            *datagram = Datagram { number, first_seen, previous, ..Datagram::default() };
            self.next_number += 1;
            self.order.push_back((key, number));
        }
        datagram.opening = datagram.opening.or(opening);
        let end = fragment.offset.saturating_add(ip.body_len);
        let reached = datagram.pieces.last().map_or(0, |it| it.end);
        let is_beyond = match datagram.len {
            Some(len) => end > len || fragment.is_last && end < len,
            None => end > MAX_BODY_LEN || fragment.is_last && reached > end,
        };
        if is_beyond || datagram.held.len() >= MAX_PIECES {
            // The ping of death, two ends, or dust: nobody would put it together.
            self.impossible += u64::from(is_beyond);
            let opening = datagram.opening.or(datagram.previous);
            release(opened(held, opening));
            return None;
        }
        if fragment.is_last {
            datagram.len = Some(end);
        }
        let cost = datagram.cost();
        datagram.held.push(held);
        self.overlapping += u64::from(datagram.add(fragment.offset, end, ip.body));
        self.bytes = self.bytes + datagram.cost() - cost;
        if datagram.len != Some(datagram.covered) || datagram.opening.is_none() {
            return None;
        }
        self.bytes -= datagram.cost();
        datagram.is_done = true;
        let held = std::mem::take(&mut datagram.held);
        let frame_len = held.iter().map(|it| it.packet.frame_len).fold(0, u32::saturating_add);
        let frames = frames_of(&held);
        Some(Whole { body: datagram.take(), body_len: datagram.len?, frame_len, frames })
    }

    /// Gives up what is too old at a moment, and the oldest where there is too much; its fragments go to `release`.
    pub(crate) fn give_up(&mut self, now: Timestamp, release: &mut impl FnMut(Held)) {
        while let Some((key, number)) = self.order.front() {
            let is_too_much = self.bytes > MAX_BYTES || self.order.len() >= MAX_DATAGRAMS;
            let datagram = self.datagrams.get(key).filter(|it| it.number == *number);
            let is_old = datagram.is_none_or(|it| now.0.saturating_sub(it.first_seen.0) > MAX_AGE);
            if !is_old && !is_too_much {
                break;
            }
            if datagram.is_some() {
                let key = *key;
                self.forget(&key, release);
            }
            self.order.pop_front();
        }
    }

    fn forget(&mut self, key: &Key, release: &mut impl FnMut(Held)) {
        let Some(datagram) = self.datagrams.remove(key) else { return };
        self.bytes -= datagram.cost();
        self.unfinished += u64::from(!datagram.is_done);
        let opening = datagram.opening.or(datagram.previous);
        datagram.held.into_iter().for_each(|it| release(opened(it, opening)));
    }

    /// Gives up everything: the capture ends.
    pub(crate) fn finish(&mut self, release: &mut impl FnMut(Held)) {
        while let Some((key, number)) = self.order.pop_front() {
            if self.datagrams.get(&key).is_some_and(|it| it.number == number) {
                self.forget(&key, release);
            }
        }
    }
}

fn opened(held: Held, opening: Option<Opening>) -> Held {
    let Some(Opening { protocol, source_port, destination_port }) = opening else { return held };
    let packet = Packet { protocol, source_port, destination_port, ..held.packet };
    Held { packet, ..held }
}

/// The frames of all fragments, each once.
fn frames_of(held: &[Held]) -> Option<Arc<[u64]>> {
    let mut frames = Vec::new();
    for (at, it) in held.iter().enumerate() {
        // Those that came in one packet share its list.
        let before = at.checked_sub(1).and_then(|it| held.get(it)?.frames.as_ref());
        match &it.frames {
            Some(list) if before.is_none_or(|it| !Arc::ptr_eq(it, list)) => frames.extend(&**list),
            _ => {}
        }
    }
    frames.sort_unstable();
    frames.dedup();
    (!frames.is_empty()).then(|| frames.into())
}

impl Datagram {
    /// What it takes, in bytes, with what the allocator keeps for each piece.
    fn cost(&self) -> usize {
        let kept: usize = self.pieces.len() * 64 + self.covered as usize;
        kept + self.held.len() * size_of::<Packet<'_>>()
    }

    /// Puts bytes into the gaps they fill; tells whether some of the place was taken.
    fn add(&mut self, offset: u32, end: u32, bytes: &[u8]) -> bool {
        let mut at = self.pieces.partition_point(|it| it.end <= offset);
        let (mut from, mut is_overlapping) = (offset, false);
        while from < end && self.pieces.len() < MAX_PIECES {
            let taken = self.pieces.get(at).map(|it| (it.start, it.end));
            let (next, next_end) = taken.filter(|it| it.0 < end).unwrap_or((end, end));
            if from < next {
                let rest = bytes.get((from - offset) as usize..).unwrap_or_default();
                let bytes = rest.get(..(next - from) as usize).unwrap_or(rest).into();
                self.pieces.insert(at, Piece { start: from, end: next, bytes });
                self.covered += next - from;
                at += 1;
            }
            is_overlapping |= next < end;
            from = next_end.max(next);
            at += 1;
        }
        is_overlapping
    }

    /// The bytes of the body, up to the first that the snap length cut off.
    fn take(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        for piece in std::mem::take(&mut self.pieces) {
            if body.len() < piece.start as usize {
                break;
            }
            body.extend_from_slice(&piece.bytes);
        }
        self.covered = 0;
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::Fragment;

    const OPENING: Opening = Opening { protocol: 17, source_port: 1, destination_port: 2 };

    /// A fragment of packet `id` at second `time`; also the ports of those given up.
    fn push(
        fragments: &mut Fragments,
        time: u64,
        (id, offset, body, is_last): (u32, u32, &[u8], bool),
    ) -> (Option<Whole>, Vec<u16>) {
        let address = |it: u8| IpAddr::from([192, 0, 2, it]);
        let ip = Ip {
            source: address(1),
            destination: address(2),
            protocol: 17,
            len: body.len() as u32 + 20,
            is_len_sound: true,
            body_len: body.len() as u32,
            body,
            fragment: Some(Fragment { id, offset, is_last }),
        };
        let packet = Packet {
            time: Timestamp(time * 1_000_000_000),
            source: ip.source,
            destination: ip.destination,
            protocol: 17,
            source_port: 0,
            destination_port: 0,
            frame_len: ip.len + 14,
            ip_len: ip.len,
            payload_len: ip.body_len,
            payload: &[],
            tcp: None,
            vlan: 0,
            depth: 0,
            tunnel: None,
            carries: None,
        };
        let opening = (offset == 0).then_some(OPENING);
        let mut released = Vec::new();
        let mut release = |it: Held| released.push(it.packet.source_port);
        fragments.give_up(packet.time, &mut release);
        let held = Held { packet, frames: None };
        let whole = fragments.push(&ip, held, opening, &mut release);
        (whole, released)
    }

    /// The packets that become whole.
    #[track_caller]
    fn check(pushed: &[(u32, &[u8], bool)], expected: &[&[u8]]) {
        let mut fragments = Fragments::new(7);
        let whole: Vec<Vec<u8>> = pushed
            .iter()
            .filter_map(|it| Some(push(&mut fragments, 0, (7, it.0, it.1, it.2)).0?.body))
            .collect();
        assert_eq!(whole, expected);
    }

    #[test]
    fn fragments_come_in_any_order() {
        check(&[(0, b"abcdefgh", false), (8, b"ij", true)], &[b"abcdefghij"]);
        check(&[(8, b"ij", true), (0, b"abcdefgh", false)], &[b"abcdefghij"]);
        let middle: &[(u32, &[u8], bool)] =
            &[(16, b"q", true), (8, b"ijklmnop", false), (0, b"abcdefgh", false)];
        check(middle, &[b"abcdefghijklmnopq"]);
    }

    #[test]
    fn of_bytes_sent_twice_the_first_stay() {
        let teardrop: &[(u32, &[u8], bool)] =
            &[(0, b"abcdefghijklmnop", false), (8, b"XXXXXXXXqr", true)];
        check(teardrop, &[b"abcdefghijklmnopqr"]);
        let around: &[(u32, &[u8], bool)] =
            &[(8, b"i", true), (8, b"X", true), (0, b"abcdefgh", false)];
        check(around, &[b"abcdefghi"]);
    }

    #[test]
    fn a_packet_without_its_first_fragment_never_becomes_whole() {
        check(&[(8, b"abcdefgh", false), (16, b"i", true)], &[]);
    }

    #[test]
    fn nothing_may_reach_beyond_the_end() {
        check(&[(65_528, &[0; 16], true), (0, &[0; 65_528], false)], &[]);
        check(&[(8, b"ij", true), (16, b"k", true), (0, b"abcdefgh", false)], &[b"abcdefghij"]);
        check(&[(0, &[1; 16], false), (0, &[2; 8], true)], &[]);
    }

    #[test]
    fn the_same_number_may_be_used_again() {
        let once: &[(u32, &[u8], bool)] = &[(0, b"abcdefgh", false), (8, b"ij", true)];
        check(&[once, once].concat(), &[b"abcdefghij", b"abcdefghij"]);
    }

    #[test]
    fn what_the_snap_length_cut_ends_the_body() {
        let mut datagram = Datagram::default();
        datagram.add(0, 8, b"abcdefgh");
        datagram.add(8, 16, b"ij");
        datagram.add(16, 18, b"qr");
        assert_eq!((datagram.covered, datagram.take()), (18, b"abcdefghij".to_vec()));
    }

    #[test]
    fn the_frames_of_the_fragments_are_those_of_the_whole() {
        let mut fragments = Fragments::new(7);
        push(&mut fragments, 0, (7, 8, b"i", true));
        let whole = push(&mut fragments, 0, (7, 0, b"abcdefgh", false)).0.unwrap();
        assert_eq!((whole.frame_len, whole.body_len), (34 + 1 + 34 + 8, 9));
    }

    #[test]
    fn what_waits_too_long_is_given_out() {
        let mut fragments = Fragments::new(7);
        push(&mut fragments, 0, (7, 0, b"abcdefgh", false));
        push(&mut fragments, 0, (8, 8, b"i", true));
        let (_, released) = push(&mut fragments, 31, (9, 8, b"i", true));
        assert_eq!((released, fragments.unfinished), (vec![1, 0], 2));
        fragments.finish(&mut |_| {});
        assert_eq!((fragments.bytes, fragments.datagrams.len(), fragments.order.len()), (0, 0, 0));
    }

    #[test]
    fn a_late_copy_belongs_to_the_flow_of_the_whole() {
        let mut fragments = Fragments::new(7);
        push(&mut fragments, 0, (7, 0, b"abcdefgh", false));
        push(&mut fragments, 0, (7, 8, b"i", true));
        push(&mut fragments, 0, (7, 8, b"i", true));
        let mut released = Vec::new();
        fragments.finish(&mut |it| released.push(it.packet.destination_port));
        assert_eq!(released, [2]);
    }

    #[test]
    fn memory_has_a_bound() {
        let mut fragments = Fragments::new(7);
        let (body, mut n_released) = ([0; 1_400], 0);
        for id in 0..50_000 {
            n_released += push(&mut fragments, 0, (id, 8, &body, false)).1.len();
            assert!(fragments.bytes <= MAX_BYTES + 2_000 && fragments.order.len() <= MAX_DATAGRAMS);
        }
        for piece in 0..5_000 {
            n_released += push(&mut fragments, 0, (7, piece * 13, b"x", false)).1.len();
        }
        assert!(fragments.datagrams.values().all(|it| it.pieces.len() <= MAX_PIECES));
        fragments.finish(&mut |_| n_released += 1);
        assert_eq!((n_released, fragments.bytes), (55_000, 0), "every fragment comes out");
    }
}
