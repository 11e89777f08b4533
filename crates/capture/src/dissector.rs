//! Frames in, packets out: link header, IP, fragments, transport, and the packets inside tunnels.

use std::sync::Arc;

use crate::{
    Frame, Packet, Timestamp, Undecoded, checksum,
    fragment::{Fragments, Held, Opening},
    ip::{Extensions, Ip},
    link::{self, Network},
    packet::has_ports,
    tunnel::{self, Tunnel},
};

/// Decodes frames (RFC 791, 8200, 9293, 768), puts fragments together and looks into tunnels.
///
/// What it remembers of earlier frames are the fragments under way, and the last four for their copies. A capture may be
/// decoded block by block, each by a dissector [of its own](Dissector::of_block): frames with fragments are then left to
/// the one for the whole capture, and the copies are counted when that one [joins](Dissector::join) the blocks.
#[derive(Debug)]
pub struct Dissector {
    /// `None` where frames with fragments are left to another.
    fragments: Option<Fragments>,
    /// A fragment was met in this frame, and left.
    has_left: bool,
    /// Fragments that were given up in this frame: they come after its packets.
    given_up: Vec<Held>,
    recent: Recent,
    counts: Counts,
    has_checksums: bool,
}

/// What was seen besides packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames like one of the four before them, within 10 ms: captured twice.
    pub duplicates: u64,
    /// Fragments of IP packets.
    pub fragments: u64,
    /// Packets put together from fragments.
    pub reassembled: u64,
    /// Packets given up because fragments are missing, or because there were too many.
    pub unfinished: u64,
    /// Fragments that bring bytes another one brought before; the first stay.
    pub overlapping: u64,
    /// Fragments that reach beyond the end of their packet.
    pub impossible: u64,
    /// Packets in a tunnel so deep inside others that it was not looked into.
    pub too_deep: u64,
}

/// How deep tunnels may be in tunnels.
const MAX_DEPTH: u8 = 8;

/// Where packets go, each with the frames it came in, where those are followed. It is no type parameter, so that what decodes is
/// compiled once and in this crate: the page compiles this crate for speed, and most of those that have a sink for size.
type Sink<'a> = &'a mut dyn FnMut(&Packet<'_>, &[u64]);

/// What the packets of a frame share.
#[derive(Clone, Copy)]
struct Layer<'a> {
    /// The frames they came in, where somebody follows them.
    frames: Option<&'a Arc<[u64]>>,
    time: Timestamp,
    frame_len: u32,
    vlan: u32,
    depth: u8,
    tunnel: Option<Tunnel>,
}

impl Dissector {
    /// Nothing seen yet. The seed keeps those who choose addresses from choosing collisions; it never shows.
    pub fn new(seed: u64) -> Self {
        Self { fragments: Some(Fragments::new(seed)), ..Self::of_block() }
    }

    /// For a stretch of a capture: frames with fragments are left to another, see [`Dissector::has_left`].
    pub fn of_block() -> Self {
        Self {
            fragments: None,
            has_left: false,
            given_up: Vec::new(),
            recent: Recent::default(),
            counts: Counts::default(),
            has_checksums: false,
        }
    }

    /// Sets frames aside whose outermost packet has a wrong checksum, as its receiver did. Else none is looked at: network
    /// cards fill checksums in after the sender's own packets were captured. What comes in fragments, and what a tunnel
    /// carries, is never checked.
    pub fn with_checksums(mut self, has_checksums: bool) -> Self {
        self.has_checksums = has_checksums;
        self
    }

    /// Decodes a frame. Its packets go to `sink`, the outermost first; a fragment is held back until its packet is whole
    /// or given up, and goes there then, after the packets of the frame.
    ///
    /// # Errors
    /// Where the frame holds no IP packet, or its headers cannot be read.
    pub fn push(
        &mut self,
        frame: &Frame<'_>,
        sink: &mut impl FnMut(&Packet<'_>),
    ) -> Result<(), Undecoded> {
        self.counts.duplicates += u64::from(self.recent.has(frame));
        self.push_left(frame, sink)
    }

    /// As [`Dissector::push`]; besides, each packet comes with the frames that it came in, by their offsets: more than the
    /// one just pushed, or another one, where it came in fragments. All frames of a capture are followed, or none.
    ///
    /// # Errors
    /// As there.
    pub fn follow(
        &mut self,
        frame: &Frame<'_>,
        sink: &mut dyn FnMut(&Packet<'_>, &[u64]),
    ) -> Result<(), Undecoded> {
        self.push_one(frame, Some(&[frame.offset].into()), sink)
    }

    /// Decodes a frame that the dissector of its block left, and counted as far as it could.
    ///
    /// # Errors
    /// As [`Dissector::push`].
    pub fn push_left(
        &mut self,
        frame: &Frame<'_>,
        sink: &mut impl FnMut(&Packet<'_>),
    ) -> Result<(), Undecoded> {
        self.push_one(frame, None, &mut |packet, _| sink(packet))
    }

    fn push_one(
        &mut self,
        frame: &Frame<'_>,
        frames: Option<&Arc<[u64]>>,
        sink: Sink<'_>,
    ) -> Result<(), Undecoded> {
        self.has_left = false;
        if self.usual(frame, frames, sink) {
            return Ok(());
        }
        let counts = self.counts;
        let decoded = self.frame(frame, frames, sink);
        if self.has_left {
            self.counts = counts;
        }
        if !self.given_up.is_empty() {
            let given_up = self.given_up.drain(..);
            given_up.for_each(|it| sink(&it.packet, it.frames.as_deref().unwrap_or_default()));
        }
        decoded.map_err(|reason| reason.told_by_length(frame.bytes.len(), frame.wire_len))
    }

    /// So many frames at the begin of a block and at its end say what [`Dissector::join`] has to know of all of them: its edges.
    pub const EDGES: [usize; 2] = [N_RECENT - 1, N_RECENT];

    /// One that decoded a block elsewhere: its edges, each frame once, and what it counted.
    pub fn of_edges<'a>(edges: impl Iterator<Item = Frame<'a>>, counts: Counts) -> Self {
        let mut dissector = Self::of_block();
        edges.for_each(|it| _ = dissector.recent.has(&it));
        dissector.counts = counts;
        dissector
    }

    /// Whether the last frame holds a fragment somewhere, and is left: what went to the sink does not count.
    pub fn has_left(&self) -> bool {
        self.has_left
    }

    /// Takes over what the dissector of the next block counted.
    pub fn join(&mut self, block: &Self) {
        self.counts.too_deep += block.counts.too_deep;
        self.counts.duplicates += block.counts.duplicates + self.recent.join(&block.recent);
    }

    /// Decodes a frame of Ethernet that holds one whole packet and nothing else: what [`Dissector::frame`] makes of it, at a
    /// third of the cost. Nearly all frames are so; `false` where one is not, or where it is not seen at once.
    #[inline]
    fn usual(&self, frame: &Frame<'_>, frames: Option<&Arc<[u64]>>, sink: Sink<'_>) -> bool {
        let Some(at) = link::ip_at(frame.link_type, frame.bytes) else { return false };
        let rest = frame.bytes.get(at..).unwrap_or_default();
        let Ok(ip) = Ip::read(rest, frame.wire_len.saturating_sub(at as u32)) else { return false };
        let is_overlong = frame.bytes.len() > frame.wire_len as usize;
        if ip.fragment.is_some() || self.has_checksums || is_overlong {
            return false;
        }
        let layer = Layer::of(frame, frames, frame.wire_len, 0);
        let mut packet = layer.packet(&ip);
        packet.read_transport(ip.body, ip.body_len);
        let is_alone = !tunnel::may_hold(&packet);
        if is_alone {
            sink(&packet, frames.map(|it| &**it).unwrap_or_default());
        }
        is_alone
    }

    fn frame(
        &mut self,
        frame: &Frame<'_>,
        frames: Option<&Arc<[u64]>>,
        sink: Sink<'_>,
    ) -> Result<(), Undecoded> {
        let has_checksums = self.has_checksums;
        let read = |network: Network| {
            // Of packets side by side, each ends where the next one begins.
            let wire_end = network.next.map_or(frame.wire_len, |it| it.at as u32);
            let end = frame.bytes.len().min(wire_end as usize);
            let rest = frame.bytes.get(network.at..end).unwrap_or_default();
            let wire_len = wire_end.saturating_sub(network.at as u32);
            let ip = Ip::read(rest, wire_len)?;
            if has_checksums {
                checksum::check(rest, &ip)?;
            }
            Ok((network, ip))
        };
        let (mut network, mut ip) = link::network(frame.link_type, frame.bytes).and_then(read)?;
        let mut start = 0;
        loop {
            // Packets side by side share the frame; the last has what the others leave.
            let next = network.next.and_then(|next| {
                let following = link::next_network(frame.bytes, next).and_then(read).ok()?;
                Some((next.at as u32, following))
            });
            let end = next.map_or(frame.wire_len, |it| it.0);
            let layer = Layer::of(frame, frames, end.saturating_sub(start), network.vlan);
            self.ip(&ip, layer, sink);
            let Some((at, following)) = next else { return Ok(()) };
            (start, (network, ip)) = (at, following);
        }
    }

    /// Ends the capture: fragments still held back go to `sink`.
    pub fn finish(&mut self, sink: &mut impl FnMut(&Packet<'_>)) {
        self.finish_following(&mut |packet, _| sink(packet));
    }

    /// The same after [`Dissector::follow`]: with the frames they came in.
    pub fn finish_following(&mut self, sink: &mut dyn FnMut(&Packet<'_>, &[u64])) {
        if let Some(fragments) = &mut self.fragments {
            fragments.finish(&mut |it| sink(&it.packet, it.frames.as_deref().unwrap_or_default()));
        }
    }

    /// What was seen besides packets.
    pub fn counts(&self) -> Counts {
        let Some(fragments) = &self.fragments else { return self.counts };
        Counts {
            overlapping: fragments.overlapping,
            unfinished: fragments.unfinished,
            impossible: fragments.impossible,
            ..self.counts
        }
    }

    fn ip(&mut self, ip: &Ip<'_>, layer: Layer<'_>, sink: Sink<'_>) {
        if ip.fragment.is_some() {
            self.fragment(ip, layer, sink);
            return;
        }
        let mut packet = layer.packet(ip);
        packet.read_transport(ip.body, ip.body_len);
        self.put(packet, layer, sink);
    }

    fn fragment(&mut self, ip: &Ip<'_>, layer: Layer<'_>, sink: Sink<'_>) {
        let Some(fragments) = &mut self.fragments else {
            self.has_left = true;
            return;
        };
        self.counts.fragments += 1;
        // Given up, it is given out outside its tunnel: the packet that carried it is gone by then.
        let alone = Layer { depth: 0, tunnel: None, ..layer };
        let mut packet = alone.packet(&Ip { body: &[], ..*ip });
        let is_v4 = ip.source.is_ipv4();
        let is_first = ip.fragment.is_some_and(|it| it.offset == 0);
        let mut opening = None;
        if is_first {
            let extensions = Extensions::read(ip.protocol, ip.body, is_v4);
            let mut first = Packet { protocol: extensions.protocol, ..layer.packet(ip) };
            let body = ip.body.get(extensions.len..).unwrap_or_default();
            first.read_transport(body, ip.body_len.saturating_sub(extensions.len as u32));
            packet.payload_len = first.payload_len;
            let &Packet { protocol, source_port, destination_port, .. } = &first;
            if !has_ports(protocol) || body.len() >= 4 {
                opening = Some(Opening { protocol, source_port, destination_port });
            }
        }
        let mut release = |it| self.given_up.push(it);
        // Only fragments move the clock of the others, so that nothing but frames with fragments matters to them.
        fragments.give_up(layer.time, &mut release);
        let held = Held { packet, frames: layer.frames.cloned() };
        let Some(whole) = fragments.push(ip, held, opening, &mut release) else { return };
        self.counts.reassembled += 1;
        let extensions = Extensions::read(ip.protocol, &whole.body, is_v4);
        let body = whole.body.get(extensions.len..).unwrap_or_default();
        let body_len = whole.body_len.saturating_sub(extensions.len as u32);
        let layer = Layer { frame_len: whole.frame_len, frames: whole.frames.as_ref(), ..layer };
        let mut packet = layer.packet(ip);
        packet.protocol = extensions.protocol;
        packet.ip_len = ip.len.saturating_sub(ip.body_len).saturating_add(whole.body_len);
        packet.read_transport(body, body_len);
        self.put(packet, layer, sink);
    }

    /// Gives out a packet, then the one it carries.
    fn put(&mut self, mut packet: Packet<'_>, layer: Layer<'_>, sink: Sink<'_>) {
        let frames = layer.frames.map(|it| &**it).unwrap_or_default();
        let inner = tunnel::inner(&packet);
        let is_too_deep = inner.is_some() && layer.depth >= MAX_DEPTH;
        self.counts.too_deep += u64::from(is_too_deep);
        let Some(mut inner) = inner.filter(|_| !is_too_deep) else {
            sink(&packet, frames);
            return;
        };
        packet.carries = Some(inner.tunnel.kind);
        sink(&packet, frames);
        let (depth, tunnel) = (layer.depth + 1, Some(inner.tunnel));
        let mut left = layer.frame_len;
        loop {
            // Packets side by side share the frame; the last has what the others leave.
            let next = inner.next();
            let rest_len = inner.rest.filter(|_| next.is_some()).map_or(0, |it| it.len());
            let frame_len = left.saturating_sub(rest_len);
            self.ip(&inner.ip, Layer { depth, tunnel, frame_len, ..layer }, sink);
            let Some(next) = next else { return };
            (left, inner) = (left - frame_len, next);
        }
    }
}

impl<'f> Layer<'f> {
    /// That of an outermost packet.
    #[inline]
    fn of(frame: &Frame<'_>, frames: Option<&'f Arc<[u64]>>, frame_len: u32, vlan: u32) -> Self {
        Self { frames, time: frame.time, frame_len, vlan, depth: 0, tunnel: None }
    }

    /// A packet whose transport is still to be read.
    #[inline]
    fn packet<'a>(&self, ip: &Ip<'a>) -> Packet<'a> {
        Packet {
            time: self.time,
            source: ip.source,
            destination: ip.destination,
            protocol: ip.protocol,
            source_port: 0,
            destination_port: 0,
            frame_len: self.frame_len,
            ip_len: ip.len,
            payload_len: ip.body_len,
            payload: ip.body,
            tcp: None,
            vlan: self.vlan,
            depth: self.depth,
            tunnel: self.tunnel,
            carries: None,
        }
    }
}

/// The frames just before, as far as a repetition shows.
#[derive(Debug, Default)]
struct Recent {
    /// The last five, in turn, what is compared first of them, and which of them is the latest.
    last: [Trace; N_RECENT],
    marks: [u64; N_RECENT],
    newest: usize,
    /// The first four, and which of them repeat one before them, for who knows what came before.
    first: Vec<(Trace, bool)>,
}

/// A frame and the four before it, of which it may be a copy.
const N_RECENT: usize = 5;

/// What is compared of a frame; no frame at time 0.
#[derive(Clone, Copy, Debug)]
struct Trace {
    nanos: u64,
    /// Of what seldom is the same: bytes of an IP and of a TCP header behind Ethernet's, the last of the frame, its length.
    mark: u64,
    wire_len: u32,
    len: usize,
    front: [u8; Recent::FRONT],
    end: [u8; Recent::END],
}

impl Default for Trace {
    fn default() -> Self {
        let (front, end) = ([0; Recent::FRONT], [0; Recent::END]);
        Self { nanos: 0, mark: 0, wire_len: 0, len: 0, front, end }
    }
}

impl Recent {
    /// A frame and its copy are at most so far apart, in nanoseconds.
    const MAX_GAP: u64 = 10_000_000;
    /// Of a frame so many bytes at its front and at its end are compared.
    const FRONT: usize = 128;
    const END: usize = 32;

    /// Whether the frame is like one of those just before. It takes its place among them.
    fn has(&mut self, frame: &Frame<'_>) -> bool {
        let mark = self.take(|it| it.become_of(frame));
        let n_marked: u8 = self.marks.iter().map(|it| u8::from(*it == mark)).sum();
        let Some(trace) = self.last.get(self.newest) else { return false };
        // It has that mark itself.
        let is_repeated = n_marked > 1 && {
            let mut others = self.last.iter().enumerate().filter(|it| it.0 != self.newest);
            others.any(|it| trace.repeats(it.1))
        };
        if self.first.len() < N_RECENT - 1 {
            self.first.push((*trace, is_repeated));
        }
        is_repeated
    }

    /// Fills the place of the oldest; says what is compared of it first.
    fn take(&mut self, fill: impl FnOnce(&mut Trace)) -> u64 {
        self.newest = if self.newest + 1 < N_RECENT { self.newest + 1 } else { 0 };
        let places = self.last.get_mut(self.newest).zip(self.marks.get_mut(self.newest));
        let Some((trace, mark)) = places else { return 0 };
        fill(trace);
        *mark = trace.mark;
        trace.mark
    }

    /// Adds the frames of the next block; how many of its first are copies of these.
    fn join(&mut self, block: &Self) -> u64 {
        let mut n_repeated = 0;
        for (n, (trace, is_known)) in block.first.iter().enumerate() {
            // So many of the four before it are in the block itself.
            let mut before = self.in_order().skip(n + 1);
            n_repeated += u64::from(!is_known && before.any(|it| trace.repeats(it)));
        }
        let n_new = block.first.len();
        block.in_order().skip(N_RECENT - n_new).for_each(|it| _ = self.take(|slot| *slot = *it));
        n_repeated
    }

    /// The last five, the latest last.
    fn in_order(&self) -> impl Iterator<Item = &Trace> {
        let (late, early) = self.last.split_at(self.newest + 1);
        early.iter().chain(late)
    }
}

impl Trace {
    fn become_of(&mut self, frame: &Frame<'_>) {
        let bytes = frame.bytes;
        let word = |it: Option<&[u8; 8]>| it.map_or(0, |it| u64::from_le_bytes(*it));
        let inside = |at: usize| word(bytes.get(at..).and_then(|it| it.first_chunk()));
        self.mark = inside(18)
            .wrapping_add(inside(38).rotate_left(13))
            .wrapping_add(word(bytes.last_chunk()))
            .wrapping_add(u64::from(frame.wire_len) << 32 | bytes.len() as u64);
        (self.nanos, self.wire_len, self.len) = (frame.time.0, frame.wire_len, bytes.len());
        if let (Some(front), Some(end)) = (bytes.first_chunk(), bytes.last_chunk()) {
            (self.front, self.end) = (*front, *end);
        } else if let Some(front) = self.front.get_mut(..bytes.len()) {
            front.copy_from_slice(bytes);
        }
    }

    /// What is kept of its bytes: of a shorter frame less than there is room for.
    fn bytes(&self) -> (&[u8], &[u8]) {
        match self.front.get(..self.len) {
            Some(all) => (all, &[]),
            None => (&self.front, &self.end),
        }
    }

    fn repeats(&self, earlier: &Self) -> bool {
        (self.mark, self.len, self.wire_len) == (earlier.mark, earlier.len, earlier.wire_len)
            && earlier.nanos > 0
            && self.nanos.abs_diff(earlier.nanos) <= Recent::MAX_GAP
            && self.bytes() == earlier.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the payloads that a frame's packets have.
    #[track_caller]
    fn check(link_type: u16, bytes: &[u8], expected: &[usize]) {
        let (time, wire_len) = (Timestamp(1), bytes.len() as u32);
        let frame =
            Frame { time, offset: 0, link_type, wire_len, bytes, comment: None, origin: None };
        let mut found = Vec::new();
        let decoded = Dissector::new(1).push(&frame, &mut |it| found.push(it.payload.len()));
        assert_eq!((decoded, &*found), (Ok(()), expected));
    }

    #[test]
    fn the_short_way_gives_what_the_long_one_does() {
        let mut numbers = crate::random_numbers();
        let mut random = || (numbers() >> 24) as usize;
        let mut n_short = 0;
        for _ in 0..50_000 {
            let kind: &[u8] = if random() % 4 == 0 { &[0x86, 0xdd] } else { &[8, 0] };
            let mut bytes = [&[2; 12], kind].concat();
            bytes.extend((0..random() % 120).map(|_| random() as u8));
            // Headers that make sense at least now and then.
            for (at, byte) in [
                (14, if kind == [8, 0] { 0x45 + (random() % 8 == 0) as u8 } else { 0x60 }),
                (16, 0),
                (18, 0),
                (20, (random() % 8 == 0) as u8),
                (if kind == [8, 0] { 23 } else { 20 }, [6, 17, 47, 1][random() % 4]),
                (46, [0x50, 0x80, 0x20][random() % 3]),
            ] {
                if let Some(slot) = bytes.get_mut(at).filter(|_| random() % 16 > 0) {
                    *slot = byte;
                }
            }
            let wire_len = (bytes.len() + random() % 3 * 10).saturating_sub(random() % 4) as u32;
            let (time, origin, comment) = (Timestamp(1), None, None);
            let frame =
                Frame { time, offset: 0, link_type: 1, wire_len, bytes: &bytes, comment, origin };
            let (mut short, mut long) = (Vec::new(), Vec::new());
            let mut dissector = Dissector::of_block();
            if dissector.usual(&frame, None, &mut |it, _| short.push(format!("{it:?}"))) {
                n_short += 1;
                let decoded =
                    dissector.frame(&frame, None, &mut |it, _| long.push(format!("{it:?}")));
                assert_eq!((decoded, short), (Ok(()), long));
            } else {
                assert!(short.is_empty());
            }
        }
        assert!(n_short > 2_000, "{n_short}");
    }

    #[test]
    fn packets_side_by_side_share_no_bytes() {
        // DOCSIS: a header of the concatenation, then a header and an Ethernet frame each.
        let v4 = |total: u16| {
            let [high, low] = total.to_be_bytes();
            let ip = [0x45, 0, high, low, 0, 0, 0, 0, 64, 0xfd, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
            let ethernet = [&[2; 12][..], &[8, 0], &ip, b"abcd"].concat();
            [&[0, 0, 0, ethernet.len() as u8, 0, 0][..], &ethernet].concat()
        };
        let frame = |total| [&[0xf8, 2, 0, 88, 0, 0][..], &v4(total), &v4(total)].concat();
        check(143, &frame(24), &[4, 4]);
        check(143, &frame(0xffff), &[4, 4]);
    }

    #[test]
    fn packets_side_by_side_in_a_tunnel_are_all_read() {
        let v4 = |protocol, body: &[u8]| {
            let len = 20 + body.len() as u8;
            let ip = [0x45, 0, 0, len, 0, 0, 0, 0, 64, protocol, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
            [&ip, body].concat()
        };
        // A wireless frame in GRE: an A-MSDU with two packets, the first one padded.
        let part = |body: &[u8]| {
            let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
            let ip = v4(0xfd, body);
            [&[2; 12][..], &[0, (snap.len() + ip.len()) as u8], &snap, &ip].concat()
        };
        let wireless = [&[0x88, 1][..], &[0; 22], &[0x80, 0]].concat();
        let gre = [0, 0, 0x82, 0];
        let inner = [&gre[..], &wireless, &part(b"abcd"), &[0; 2], &part(b"efg")].concat();
        let bytes = v4(47, &inner);
        let (time, wire_len) = (Timestamp(1), bytes.len() as u32);
        let frame = Frame {
            time,
            offset: 0,
            link_type: 101,
            wire_len,
            bytes: &bytes,
            comment: None,
            origin: None,
        };
        let mut found = Vec::new();
        let mut sink = |it: &Packet<'_>| found.push((it.depth, it.payload.len(), it.frame_len));
        assert_eq!(Dissector::new(1).push(&frame, &mut sink), Ok(()));
        let second_len = 14 + 8 + 20 + 3;
        let expected = [(1, 4, wire_len - second_len), (1, 3, second_len)];
        assert_eq!(found, [&[(0, inner.len(), wire_len)][..], &expected].concat());
    }
}
