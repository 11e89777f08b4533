//! The first bytes of each side, in stream order: what a flow says of itself.

use crate::Transport;

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

/// The first bytes of one side.
#[derive(Clone, Debug, Default)]
pub struct Head {
    bytes: Vec<u8>,
    /// Where each datagram ends in `bytes`; unused for a stream.
    ends: Vec<u32>,
    /// Where the stream begins: the sequence number of its first byte.
    base: Option<u32>,
    /// Segments that came before the bytes they follow: where they belong, in bytes from `base`.
    early: Vec<(u32, Vec<u8>)>,
    /// The stream bytes it may keep.
    limit: u32,
}

/// How many segments may wait for the bytes before them; more would cost time for each other.
const MAX_EARLY: usize = 64;

impl Heads {
    /// Kept of each side of most flows, in bytes. A client's TLS or QUIC greeting fits in.
    pub const LIMIT: usize = 4096;
    /// Kept of each side where later bytes matter too, in bytes: an FTP dialogue, a resolver's answers, SIP calls.
    pub const LONG_LIMIT: usize = 64 * 1024;
    /// The ports of such flows. They decide how much is kept, never what a flow is.
    const LONG_PORTS: &[u16] = &[21, 53, 5060, 5353, 5355];

    /// Nothing seen yet.
    pub(crate) fn new(transport: Transport, client_port: u16, server_port: u16) -> Self {
        let is_long = [client_port, server_port].iter().any(|it| Self::LONG_PORTS.contains(it));
        let limit = if is_long { Self::LONG_LIMIT } else { Self::LIMIT } as u32;
        let head = || Head { limit, ..Head::default() };
        Self { transport, client_port, server_port, client: head(), server: head() }
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
        client.iter().for_each(|it| heads.client.push_datagram(it));
        server.iter().for_each(|it| heads.server.push_datagram(it));
        heads
    }

    /// The same heads between other ports; for tests.
    pub fn with_ports(self, client_port: u16, server_port: u16) -> Self {
        Self { client_port, server_port, ..self }
    }

    /// Keeps only so many bytes of each side; for when the labels are found.
    pub fn truncate(&mut self, len: usize) {
        for head in [&mut self.client, &mut self.server] {
            head.bytes.truncate(len);
            head.bytes.shrink_to_fit();
            head.ends.retain(|it| *it as usize <= len);
            head.ends.shrink_to_fit();
            head.early = Vec::new();
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
        let whole = (self.ends.is_empty() && !self.bytes.is_empty()).then_some(&*self.bytes);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let parts = starts
            .zip(self.ends.iter().copied())
            .filter_map(|(start, end)| self.bytes.get(start as usize..end as usize));
        whole.into_iter().chain(parts)
    }

    /// Adds a datagram, as far as there is room.
    pub(crate) fn push_datagram(&mut self, payload: &[u8]) {
        let limit = (self.limit as usize).max(Heads::LIMIT);
        let room = limit.saturating_sub(self.bytes.len());
        if payload.is_empty() || room == 0 {
            return;
        }
        self.bytes.extend_from_slice(payload.get(..room).unwrap_or(payload));
        self.ends.push(self.bytes.len() as u32);
    }

    /// Says where the stream begins: after a SYN, or at the first segment seen.
    pub(crate) fn begin(&mut self, sequence: u32) {
        if self.bytes.is_empty() && self.early.is_empty() {
            self.base = Some(sequence);
        }
    }

    /// Adds a segment of the stream at its place, as far as there is room.
    ///
    /// Of bytes sent twice the first stay. Where a byte is missing the head ends, until it comes.
    pub(crate) fn push_segment(&mut self, sequence: u32, payload: &[u8]) {
        if payload.is_empty() || self.bytes.len() >= self.limit as usize {
            return;
        }
        let base = *self.base.get_or_insert(sequence);
        let offset = sequence.wrapping_sub(base);
        if offset < self.limit {
            self.place(offset, payload);
        } else if base.wrapping_sub(sequence) < self.limit {
            // It begins before the base: only what follows the base counts.
            let skip = base.wrapping_sub(sequence) as usize;
            if let Some(rest) = payload.get(skip..).filter(|it| !it.is_empty()) {
                self.place(0, rest);
            }
        }
    }

    fn place(&mut self, offset: u32, payload: &[u8]) {
        let have = self.bytes.len() as u32;
        if offset > have {
            let kept: usize = self.early.iter().map(|(_, it)| it.len()).sum();
            let has_room = kept + payload.len() <= self.limit as usize;
            if has_room && self.early.len() < MAX_EARLY {
                self.early.push((offset, payload.to_vec()));
            }
            return;
        }
        self.append(have - offset, payload);
        while let Some(at) =
            self.early.iter().position(|(offset, _)| *offset <= self.bytes.len() as u32)
        {
            let (offset, bytes) = self.early.swap_remove(at);
            self.append(self.bytes.len() as u32 - offset, &bytes);
        }
    }

    fn append(&mut self, skip: u32, payload: &[u8]) {
        let room = (self.limit as usize).saturating_sub(self.bytes.len());
        if let Some(fresh) = payload.get(skip as usize..) {
            self.bytes.extend_from_slice(fresh.get(..room).unwrap_or(fresh));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(segments: &[(u32, &[u8])], expected: &[u8]) {
        let mut head = Heads::new(Transport::TCP, 1, 2).client;
        head.begin(segments[0].0.min(10));
        for (sequence, payload) in segments {
            head.push_segment(*sequence, payload);
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
        let mut head = Heads::new(Transport::TCP, 1, 2).client;
        head.begin(0);
        (1..=1_000).rev().for_each(|it| head.push_segment(it, b"x"));
        head.push_segment(0, b"x");
        assert_eq!(head.early.len(), MAX_EARLY);
        assert_eq!(head.bytes(), b"x");
    }

    #[test]
    fn of_bytes_sent_twice_the_first_stay() {
        check(&[(10, b"abc"), (11, b"XXd")], b"abcd");
    }

    #[test]
    fn datagrams_stay_apart() {
        let heads = Heads::udp(&[b"one", b"two"], &[]);
        assert_eq!(heads.client.datagrams().collect::<Vec<_>>(), [b"one", b"two"]);
    }
}
