//! The first bytes of each side, in stream order: what a flow says of itself.

use capture::Packet;

use crate::{Direction, Transport, tcp::flags};

/// The first bytes of application data of both sides of a flow.
#[derive(Clone, Debug)]
pub struct Heads {
    /// What carries the flow.
    pub transport: Transport,
    /// The port of the endpoint that opened the flow.
    pub client_port: u16,
    /// The port of the endpoint that answered.
    pub server_port: u16,
    /// What the client sent first.
    pub client: Head,
    /// What the server sent first.
    pub server: Head,
}

/// The first bytes of one side. A silent one has no memory of its own, most others one piece.
#[derive(Clone, Debug, Default)]
pub struct Head {
    bytes: Vec<u8>,
    /// What few heads need.
    more: Option<Box<More>>,
    /// Where the stream begins: the sequence number of its first byte; counts once it has begun.
    base: u32,
    /// How much passed by, as [`Heads::passes`] counts it.
    passed: u16,
    stage: Stage,
}

#[derive(Clone, Debug, Default)]
struct More {
    /// Where each of several datagrams ends in `bytes`.
    ends: Vec<u32>,
    /// Segments that came before the bytes they follow: where they belong, in bytes from `base`.
    early: Vec<(u32, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Where the stream begins is not known; or there are datagrams.
    #[default]
    Open,
    /// Where the stream begins is known.
    Begun,
    /// The stream ended without a gap. What a sender says after that still counts until the other side has ended too.
    Ended,
    /// It takes nothing more: it is full, or its flow is labelled.
    Settled,
}

/// So little memory is not worth giving back, in bytes.
const MAX_SLACK: usize = 32;

/// How many segments may wait for the bytes before them; more would cost time for each other.
const MAX_EARLY: usize = 64;

impl Heads {
    /// Kept of each side of most flows, in bytes. A client's TLS or QUIC greeting fits in.
    pub const LIMIT: usize = 4096;
    /// Kept of each side where later bytes matter too, in bytes: an FTP dialogue, a resolver's answers, SIP calls.
    pub const LONG_LIMIT: usize = 64 * 1024;

    /// Nothing seen yet.
    pub(crate) fn new(transport: Transport, client_port: u16, server_port: u16) -> Self {
        let (client, server) = (Head::default(), Head::default());
        Self { transport, client_port, server_port, client, server }
    }

    /// What is kept of a flow that is at an end: the first bytes of the client and of the server.
    pub(crate) fn of_ended(mut self, [client, server]: [Vec<u8>; 2]) -> Self {
        (self.client.bytes, self.server.bytes) = (client, server);
        (self.client.stage, self.server.stage) = (Stage::Settled, Stage::Settled);
        self
    }

    /// Adds what a packet carries to the head of its side. Returns whether it brings other bytes than those there.
    #[inline]
    pub(crate) fn push(&mut self, direction: Direction, packet: &Packet<'_>) -> bool {
        let head = match direction {
            Direction::Forward => &mut self.client,
            Direction::Backward => &mut self.server,
        };
        if head.stage == Stage::Settled {
            return false;
        }
        let limit = Self::limit(self.client_port, self.server_port);
        match &packet.tcp {
            None => {
                head.push_datagram(packet.payload, limit);
                false
            }
            Some(tcp) => {
                let is_first = tcp.flags & flags::SYN != 0;
                // Data may come with the SYN (RFC 7413); its first byte follows the SYN's number.
                let sequence = tcp.sequence.wrapping_add(u32::from(is_first));
                if is_first {
                    head.begin(sequence);
                }
                let differs = head.push_segment(sequence, packet.payload, limit);
                head.pass(Self::passes(packet), limit);
                if tcp.flags & flags::FIN != 0 {
                    head.end(sequence.wrapping_add(packet.payload_len));
                }
                differs
            }
        }
    }

    /// How much of each side is kept between these ports, in bytes.
    pub(crate) fn limit(client_port: u16, server_port: u16) -> usize {
        // The ports of FTP, DNS, SIP, multicast DNS and LLMNR decide how much is kept, never what a flow is.
        let is_long = |port| matches!(port, 21 | 53 | 5060 | 5353 | 5355);
        let is_long = is_long(client_port) || is_long(server_port);
        if is_long { Self::LONG_LIMIT } else { Self::LIMIT }
    }

    /// How much of a packet's payload passes by a head: once as much as its limit did, it takes nothing more, whatever it
    /// has. So a part of a capture need not be known to tell which bytes of another one matter.
    ///
    /// Of datagrams each byte counts, and fills the head. Of a stream each eighth of a segment's bytes, begun ones
    /// included: what is sent again counts again, and a byte at a time fills the head no later.
    pub(crate) fn passes(packet: &Packet<'_>) -> u32 {
        let len = packet.payload.len() as u32;
        if packet.tcp.is_some() { len.div_ceil(8) } else { len }
    }

    /// Whether all that was to be said is there: each side is full or has ended.
    pub(crate) fn is_settled(&self) -> bool {
        let sides = [&self.client, &self.server];
        sides.iter().all(|it| matches!(it.stage, Stage::Ended | Stage::Settled))
    }

    /// The heads of a TCP flow that is all there is; for tests.
    pub fn tcp(client: &[u8], server: &[u8]) -> Self {
        let mut heads = Self::new(Transport::TCP, 49_152, 49_153);
        heads.client.bytes.extend_from_slice(client);
        heads.server.bytes.extend_from_slice(server);
        heads
    }

    /// The heads of a UDP flow that is all there is; for tests.
    pub fn udp(client: &[&[u8]], server: &[&[u8]]) -> Self {
        let mut heads = Self::new(Transport::UDP, 49_152, 49_153);
        client.iter().for_each(|it| heads.client.push_datagram(it, Self::LIMIT));
        server.iter().for_each(|it| heads.server.push_datagram(it, Self::LIMIT));
        heads
    }

    /// The same heads between other ports; for tests.
    pub fn with_ports(self, client_port: u16, server_port: u16) -> Self {
        Self { client_port, server_port, ..self }
    }

    /// Asks about one side, as if the other had been silent.
    pub fn with_one_side<T>(&mut self, from: Direction, ask: impl FnOnce(&Self) -> T) -> T {
        let other = |heads: &mut Self| match from {
            Direction::Forward => std::mem::take(&mut heads.server),
            Direction::Backward => std::mem::take(&mut heads.client),
        };
        let silenced = other(self);
        let answer = ask(self);
        match from {
            Direction::Forward => self.server = silenced,
            Direction::Backward => self.client = silenced,
        }
        answer
    }

    /// Keeps only so many bytes of each side and takes no more; for when the flow is labelled.
    pub fn keep(&mut self, len: usize) {
        for head in [&mut self.client, &mut self.server] {
            head.bytes.truncate(len);
            if head.bytes.capacity() > head.bytes.len() + MAX_SLACK {
                head.bytes.shrink_to_fit();
            }
            head.more = None;
            head.stage = Stage::Settled;
        }
    }

    /// Whether a port of the flow is this one. It may support what the payload says, never replace it.
    pub fn has_port(&self, port: u16) -> bool {
        self.client_port == port || self.server_port == port
    }
}

impl Head {
    /// The kept bytes in stream order; datagrams one after another.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The kept datagrams, the last perhaps cut; of a stream, its bytes as one.
    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.more.as_ref().map_or(&[][..], |it| &it.ends);
        let whole = (ends.is_empty() && !self.bytes.is_empty()).then_some(&*self.bytes);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let parts = starts
            .zip(ends.iter().copied())
            .filter_map(|(start, end)| self.bytes.get(start as usize..end as usize));
        whole.into_iter().chain(parts)
    }

    /// Adds a datagram, as far as there is room.
    fn push_datagram(&mut self, payload: &[u8], limit: usize) {
        if payload.is_empty() {
            return;
        }
        // A single datagram ends where the bytes end.
        let first_end = self.bytes.len() as u32;
        self.append(payload, limit);
        if first_end > 0 {
            let ends = &mut self.more.get_or_insert_default().ends;
            if ends.is_empty() {
                ends.push(first_end);
            }
            ends.push(self.bytes.len() as u32);
        }
    }

    /// Says where the stream begins: after a SYN, or at the first segment seen.
    fn begin(&mut self, sequence: u32) {
        if self.bytes.is_empty() && self.more.is_none() {
            (self.base, self.stage) = (sequence, Stage::Begun);
        }
    }

    /// Counts what passed by, and takes nothing more after as much as the limit.
    fn pass(&mut self, n: u32, limit: usize) {
        self.passed = (u32::from(self.passed) + n).min(u16::MAX.into()) as u16;
        if usize::from(self.passed) >= limit.min(u16::MAX.into()) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.stage = Stage::Settled;
        if let Some(more) = &mut self.more {
            more.early = Vec::new();
        }
    }

    /// Says where the stream ends: what is kept up to there is all there will be.
    fn end(&mut self, sequence: u32) {
        let len = sequence.wrapping_sub(self.base) as usize;
        if self.stage == Stage::Begun && self.bytes.len() == len {
            self.stage = Stage::Ended;
        }
    }

    /// Adds a segment of the stream at its place, as far as there is room.
    ///
    /// Of bytes sent twice the first stay; returns whether the second differ. Where a byte is missing the head ends, until
    /// it comes.
    fn push_segment(&mut self, sequence: u32, payload: &[u8], limit: usize) -> bool {
        if payload.is_empty() {
            return false;
        }
        self.begin_if_open(sequence);
        let offset = sequence.wrapping_sub(self.base);
        let before = self.base.wrapping_sub(sequence) as usize;
        if (offset as usize) < limit {
            return self.place(offset, payload, limit);
        }
        // It begins before the base: only what follows the base counts.
        let rest = payload.get(before..).filter(|it| before < limit && !it.is_empty());
        rest.is_some_and(|it| self.place(0, it, limit))
    }

    /// Whether other bytes are kept where these belong. A lone byte before the next one is a probe, whose byte is anything.
    fn differs(&self, offset: u32, payload: &[u8]) -> bool {
        let kept = self.bytes.get(offset as usize..).unwrap_or_default();
        let is_probe = kept.len() == 1 && payload.len() == 1;
        !is_probe && kept.iter().zip(payload).any(|(kept, sent)| kept != sent)
    }

    fn begin_if_open(&mut self, sequence: u32) {
        if self.stage == Stage::Open {
            (self.base, self.stage) = (sequence, Stage::Begun);
        }
    }

    fn place(&mut self, offset: u32, payload: &[u8], limit: usize) -> bool {
        let have = self.bytes.len() as u32;
        if offset > have {
            let early = &mut self.more.get_or_insert_default().early;
            let kept: usize = early.iter().map(|(_, it)| it.len()).sum();
            if kept + payload.len() <= limit && early.len() < MAX_EARLY {
                early.push((offset, payload.to_vec()));
            }
            return false;
        }
        let mut differs = self.differs(offset, payload);
        self.append_from(have - offset, payload, limit);
        while let Some(more) = &mut self.more
            && let have = self.bytes.len() as u32
            && let Some(at) = more.early.iter().position(|(offset, _)| *offset <= have)
        {
            let (offset, bytes) = more.early.swap_remove(at);
            differs |= self.differs(offset, &bytes);
            self.append_from(have - offset, &bytes, limit);
        }
        differs
    }

    fn append_from(&mut self, skip: u32, payload: &[u8], limit: usize) {
        if let Some(fresh) = payload.get(skip as usize..) {
            self.append(fresh, limit);
        }
    }

    fn append(&mut self, payload: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.bytes.len());
        let fresh = payload.get(..room).unwrap_or(payload);
        let len = self.bytes.len() + fresh.len();
        if len > self.bytes.capacity() {
            // No more than it can ever hold, and a little for what follows.
            let more = (len / 4).min(limit.saturating_sub(len));
            self.bytes.reserve_exact(fresh.len() + if self.bytes.is_empty() { 0 } else { more });
        }
        self.bytes.extend_from_slice(fresh);
        if self.bytes.len() >= limit {
            self.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(segments: &[(u32, &[u8])], expected: &[u8]) {
        let mut head = Head::default();
        head.begin(segments[0].0.min(10));
        for (sequence, payload) in segments {
            head.push_segment(*sequence, payload, Heads::LIMIT);
        }
        assert_eq!(head.bytes(), expected);
    }

    #[test]
    fn segments_come_in_order() {
        check(&[(10, b"ab"), (12, b"cd")], b"abcd");
    }

    #[test]
    fn a_late_segment_takes_its_place() {
        check(&[(10, b"ab"), (14, b"ef"), (12, b"cd")], b"abcdef");
    }

    #[test]
    fn a_missing_segment_ends_the_head() {
        check(&[(10, b"ab"), (14, b"ef")], b"ab");
    }

    #[test]
    fn only_so_many_segments_wait() {
        let mut head = Head::default();
        head.begin(0);
        for sequence in (1..=1_000).rev() {
            head.push_segment(sequence, b"x", Heads::LIMIT);
        }
        assert_eq!(head.more.as_ref().map(|it| it.early.len()), Some(MAX_EARLY));
        head.push_segment(0, b"x", Heads::LIMIT);
        assert_eq!(head.bytes(), b"x");
    }

    #[test]
    fn a_stream_ends_without_a_gap() {
        let has_ended = |sequences: &[u32], end| {
            let mut head = Head::default();
            head.begin(10);
            for sequence in sequences {
                head.push_segment(*sequence, b"ab", Heads::LIMIT);
            }
            head.end(end);
            head.stage == Stage::Ended
        };
        assert!(has_ended(&[], 10));
        assert!(has_ended(&[12, 10], 14));
        assert!(!has_ended(&[12], 14));
        assert!(!has_ended(&[10], 14));
    }

    #[test]
    fn a_full_head_is_settled() {
        let mut head = Head::default();
        head.push_datagram(&[0; Heads::LIMIT - 1], Heads::LIMIT);
        assert_eq!(head.stage, Stage::Open);
        head.push_datagram(b"xyz", Heads::LIMIT);
        assert_eq!((head.stage, head.bytes().len()), (Stage::Settled, Heads::LIMIT));
        assert_eq!(head.datagrams().last(), Some(&b"x"[..]));
    }

    #[test]
    fn a_head_whose_beginning_never_comes_is_settled_in_the_end() {
        let mut head = Head::default();
        head.begin(0);
        for n in 0..8 {
            assert_eq!(head.stage, Stage::Begun, "after {n} times its limit");
            head.push_segment(1 + n, &[b'x'; Heads::LIMIT], Heads::LIMIT);
            head.pass(Heads::LIMIT as u32 / 8, Heads::LIMIT);
        }
        assert_eq!((head.stage, head.bytes().len()), (Stage::Settled, 0));
        assert!(head.more.is_none_or(|it| it.early.is_empty()));
        assert_eq!(size_of::<Head>(), 40);
    }

    #[test]
    fn of_bytes_sent_twice_the_first_stay() {
        check(&[(10, b"abc"), (11, b"XXd")], b"abcd");
    }

    #[test]
    fn other_bytes_at_the_same_place_are_noticed() {
        let differs = |sequence, payload: &[u8]| {
            let mut head = Head::default();
            head.begin(10);
            head.push_segment(10, b"abc", Heads::LIMIT);
            head.push_segment(15, b"fg", Heads::LIMIT);
            head.push_segment(sequence, payload, Heads::LIMIT)
        };
        assert!(!differs(10, b"abc"));
        assert!(!differs(11, b"bcd"));
        assert!(differs(11, b"bX"));
        assert!(differs(13, b"deX"), "where an early segment is");
        assert!(!differs(12, b"X"), "a probe");
        assert!(!differs(40, b"X"));
    }

    #[test]
    fn datagrams_stay_apart() {
        let heads = Heads::udp(&[b"one", b"two"], &[]);
        assert_eq!(heads.client.datagrams().collect::<Vec<_>>(), [b"one", b"two"]);
    }
}
