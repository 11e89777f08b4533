//! Fragments in, datagrams out (RFC 791, section 3.2; RFC 8200, section 4.5; RFC 5722).
//!
//! Every fragment is a packet of its flow. The ports are in the first one; those that come before it wait for it, and
//! the payload of the whole goes with the fragment that completes it. Of bytes sent twice the first stay.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};

use foldhash::quality::FixedState;

use crate::{Timestamp, ip::Ip};

/// Kept of all unfinished datagrams together, in bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Remembered datagrams, unfinished ones and those whose late fragments still belong to a flow.
const MAX_DATAGRAMS: usize = 16 * 1024;
/// Pieces of one datagram, with gaps between them or not.
const MAX_PIECES: usize = 1_024;
/// The longest datagram, in bytes (RFC 791).
const MAX_DATAGRAM_LEN: u32 = 65_535;
/// How long a datagram may take, in nanoseconds of the capture's own time; Linux waits as long.
const MAX_AGE: u64 = 30_000_000_000;
/// Fragments of one datagram that wait for the first.
const MAX_WAITING: usize = 64;

/// The datagrams under way.
#[derive(Debug)]
pub(crate) struct Fragments {
    datagrams: HashMap<Key, Datagram, FixedState>,
    /// By their first fragment; the number tells a datagram from an older one with the same key.
    order: VecDeque<(Key, u64)>,
    next_number: u64,
    /// Kept of all datagrams together.
    bytes: usize,
    /// Fragments with bytes that came before, others or the same.
    pub(crate) overlaps: u64,
    /// Datagrams given up before they were whole.
    pub(crate) unfinished: u64,
    /// Fragments that reach beyond the end of their datagram.
    pub(crate) impossible: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    /// 0 for IPv6, where the fragments of a datagram need not name the same.
    protocol: u8,
    id: u32,
}

#[derive(Debug, Default)]
struct Datagram {
    number: u64,
    first_seen: Timestamp,
    opening: Option<Opening>,
    /// What the first fragment of the datagram before it told, where that one became whole: late copies of its
    /// fragments belong to the same flow.
    previous: Option<Opening>,
    /// Sorted, without overlap.
    pieces: Vec<(u32, Box<[u8]>)>,
    /// Their length together.
    have: u32,
    /// Once the last fragment came.
    len: Option<u32>,
    is_done: bool,
    waiting: Vec<Waiting>,
}

/// What only the first fragment tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
}

/// A fragment whose flow is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) time: Timestamp,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) protocol: u8,
    pub(crate) frame_len: u32,
    pub(crate) ip_len: u32,
    pub(crate) payload_len: u32,
    pub(crate) vlan: u32,
}

/// What a fragment brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Where the fragment belongs; `None` while it waits, or where it will never be known.
    pub(crate) opening: Option<Opening>,
    /// The fragment was put aside and comes back as one of `released`.
    pub(crate) is_waiting: bool,
    /// The body of the datagram, once: with the fragment that completed it.
    pub(crate) whole: Option<Vec<u8>>,
}

impl Fragments {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            datagrams: HashMap::with_hasher(FixedState::with_seed(seed)),
            order: VecDeque::new(),
            next_number: 0,
            bytes: 0,
            overlaps: 0,
            unfinished: 0,
            impossible: 0,
        }
    }

    /// Adds a fragment. `opening` is what the first fragment tells, `waiting` how this one is remembered where its
    /// datagram's first has not come; those that waited for this one, and those given up, go to `release`.
    pub(crate) fn push(
        &mut self,
        ip: &Ip<'_>,
        opening: Option<Opening>,
        waiting: Option<Waiting>,
        time: Timestamp,
        release: &mut impl FnMut(Waiting, Option<Opening>),
    ) -> Outcome {
        let Some(fragment) = ip.fragment else { return Outcome::default() };
        self.give_up(time, release);
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
            let (number, previous) = (self.next_number, datagram.opening);
            *datagram = Datagram { number, first_seen: time, previous, ..Datagram::default() };
            self.next_number += 1;
            self.order.push_back((key, number));
        }
        if opening.is_some() && datagram.opening.is_none() {
            datagram.opening = opening;
            let waiting = std::mem::take(&mut datagram.waiting);
            self.bytes -= waiting.len() * size_of::<Waiting>();
            waiting.into_iter().for_each(|it| release(it, opening));
        }
        let mut outcome = Outcome { opening: datagram.opening, ..Outcome::default() };
        if datagram.opening.is_none()
            && let Some(it) = waiting
            && datagram.waiting.len() < MAX_WAITING
        {
            datagram.waiting.push(it);
            self.bytes += size_of::<Waiting>();
            outcome.is_waiting = true;
        }
        let end = fragment.offset.saturating_add(ip.body_len);
        let reached = datagram.pieces.last().map_or(0, |(at, it)| at + it.len() as u32);
        let is_beyond = datagram.len.is_some_and(|it| end > it || fragment.is_last && end < it);
        if end > MAX_DATAGRAM_LEN || is_beyond || fragment.is_last && reached > end {
            // The ping of death, or two ends: nobody would put it together.
            self.impossible += 1;
            return outcome;
        }
        if fragment.is_last {
            datagram.len = Some(end);
        }
        let (cost, is_overlapping) = (datagram.cost(), datagram.add(fragment.offset, ip.body));
        self.overlaps += u64::from(is_overlapping);
        self.bytes = self.bytes + datagram.cost() - cost;
        if datagram.len == Some(datagram.have) && datagram.opening.is_some() {
            self.bytes -= datagram.cost();
            datagram.is_done = true;
            let pieces = std::mem::take(&mut datagram.pieces);
            let parts: Vec<&[u8]> = pieces.iter().map(|it| &*it.1).collect();
            outcome.whole = Some(parts.concat());
            datagram.have = 0;
        }
        outcome
    }

    /// Gives up what is too old, and the oldest where there is too much.
    fn give_up(&mut self, now: Timestamp, release: &mut impl FnMut(Waiting, Option<Opening>)) {
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

    fn forget(&mut self, key: &Key, release: &mut impl FnMut(Waiting, Option<Opening>)) {
        let Some(datagram) = self.datagrams.remove(key) else { return };
        self.bytes -= datagram.cost() + datagram.waiting.len() * size_of::<Waiting>();
        self.unfinished += u64::from(!datagram.is_done);
        let opening = datagram.opening.or(datagram.previous);
        datagram.waiting.into_iter().for_each(|it| release(it, opening));
    }

    /// Gives up everything: the capture ends.
    pub(crate) fn finish(&mut self, release: &mut impl FnMut(Waiting, Option<Opening>)) {
        while let Some((key, number)) = self.order.pop_front() {
            if self.datagrams.get(&key).is_some_and(|it| it.number == number) {
                self.forget(&key, release);
            }
        }
    }
}

impl Datagram {
    /// What its pieces take, in bytes, with what the allocator keeps for each.
    fn cost(&self) -> usize {
        self.have as usize + self.pieces.len() * 48
    }

    /// Puts bytes into the gaps they fill; tells whether some of them were there.
    fn add(&mut self, offset: u32, bytes: &[u8]) -> bool {
        let end = offset + bytes.len() as u32;
        let mut at = self.pieces.partition_point(|(start, it)| start + it.len() as u32 <= offset);
        let (mut from, mut is_overlapping) = (offset, false);
        while from < end && self.pieces.len() < MAX_PIECES {
            let (next, next_end) = match self.pieces.get(at) {
                Some((start, it)) if *start < end => (*start, start + it.len() as u32),
                _ => (end, end),
            };
            if from < next {
                let piece = bytes.get((from - offset) as usize..(next - offset) as usize);
                self.pieces.insert(at, (from, piece.unwrap_or_default().into()));
                self.have += next - from;
                at += 1;
            }
            is_overlapping |= next < end;
            from = next_end.max(next);
            at += 1;
        }
        is_overlapping
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::Fragment;

    const OPENING: Opening = Opening { protocol: 17, source_port: 1, destination_port: 2 };

    /// A fragment of datagram `id` at second `time`, its first where it begins at 0.
    fn push(
        fragments: &mut Fragments,
        time: u64,
        (id, offset, body, is_last): (u32, u32, &[u8], bool),
    ) -> (Outcome, usize) {
        let address = |it: u8| IpAddr::from([192, 0, 2, it]);
        let time = Timestamp(time * 1_000_000_000);
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
        let waiting = Waiting {
            time,
            source: ip.source,
            destination: ip.destination,
            protocol: 17,
            frame_len: ip.len + 14,
            ip_len: ip.len,
            payload_len: ip.body_len,
            vlan: 0,
        };
        let opening = (offset == 0).then_some(OPENING);
        let mut released = 0;
        let outcome = fragments.push(&ip, opening, Some(waiting), time, &mut |_, _| released += 1);
        (outcome, released)
    }

    /// The datagrams that become whole.
    #[track_caller]
    fn check(pushed: &[(u32, &[u8], bool)], expected: &[&[u8]]) {
        let mut fragments = Fragments::new(7);
        let whole: Vec<Vec<u8>> = pushed
            .iter()
            .filter_map(|it| push(&mut fragments, 0, (7, it.0, it.1, it.2)).0.whole)
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
    fn a_datagram_without_its_first_fragment_never_becomes_whole() {
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
    fn what_comes_before_the_first_waits_for_it() {
        let mut fragments = Fragments::new(7);
        let (outcome, _) = push(&mut fragments, 0, (7, 8, b"i", true));
        assert!(outcome.is_waiting && outcome.opening.is_none());
        let (outcome, released) = push(&mut fragments, 0, (7, 0, b"abcdefgh", false));
        assert_eq!((released, outcome.opening), (1, Some(OPENING)));
    }

    #[test]
    fn what_waits_too_long_is_given_back() {
        let mut fragments = Fragments::new(7);
        push(&mut fragments, 0, (7, 8, b"i", true));
        let (_, released) = push(&mut fragments, 31, (8, 0, b"abcdefgh", false));
        assert_eq!((released, fragments.unfinished), (1, 1));
        fragments.finish(&mut |_, _| {});
        assert_eq!((fragments.bytes, fragments.datagrams.len()), (0, 0));
    }

    #[test]
    fn memory_has_a_bound() {
        let mut fragments = Fragments::new(7);
        let body = [0; 1_400];
        for id in 0..50_000 {
            push(&mut fragments, 0, (id, 8, &body, false));
            assert!(fragments.bytes <= MAX_BYTES + 2_000 && fragments.order.len() <= MAX_DATAGRAMS);
        }
        for piece in 0..5_000 {
            push(&mut fragments, 0, (7, piece * 13, b"x", false));
        }
        assert!(fragments.datagrams.values().all(|it| it.pieces.len() <= MAX_PIECES));
    }
}
