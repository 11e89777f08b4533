//! Frames in, packets out: link header, IP, fragments, transport, and the packets inside tunnels.

use foldhash::quality::FixedState;
use std::hash::BuildHasher as _;

use crate::{
    Frame, Packet, Timestamp, Undecoded,
    fragment::{Fragments, Opening},
    ip::{Extensions, Ip},
    link::{self, Network},
    packet::has_ports,
    tunnel::{self, Tunnel},
};

/// Decodes frames (RFC 791, 8200, 9293, 768), puts fragments together and looks into tunnels.
#[derive(Debug)]
pub struct Dissector {
    fragments: Fragments,
    recent: Recent,
    counts: Counts,
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

/// What the packets of a frame share.
#[derive(Clone, Copy)]
struct Layer {
    time: Timestamp,
    frame_len: u32,
    vlan: u32,
    depth: u8,
    tunnel: Option<Tunnel>,
}

impl Dissector {
    /// Nothing seen yet. The seed keeps those who choose addresses from choosing collisions; it never shows.
    pub fn new(seed: u64) -> Self {
        Self {
            fragments: Fragments::new(seed),
            recent: Recent { seed: FixedState::with_seed(seed), last: [(0, 0); 4], next: 0 },
            counts: Counts::default(),
        }
    }

    /// Decodes a frame. Its packets go to `sink`, the outermost first; a fragment is held back until its packet is whole
    /// or given up, and goes there then.
    ///
    /// # Errors
    /// Where the frame holds no IP packet, or its headers cannot be read.
    pub fn push(
        &mut self,
        frame: &Frame<'_>,
        sink: &mut impl FnMut(&Packet<'_>),
    ) -> Result<(), Undecoded> {
        self.counts.duplicates += u64::from(self.recent.has(frame));
        self.fragments.give_up(frame.time, sink);
        let decoded = self.frame(frame, sink);
        decoded.map_err(|reason| reason.told_by_length(frame.bytes.len(), frame.wire_len))
    }

    fn frame(
        &mut self,
        frame: &Frame<'_>,
        sink: &mut impl FnMut(&Packet<'_>),
    ) -> Result<(), Undecoded> {
        let read = |network: Network| {
            // Of packets side by side, each ends where the next one begins.
            let wire_end = network.next.map_or(frame.wire_len, |it| it.at as u32);
            let end = frame.bytes.len().min(wire_end as usize);
            let rest = frame.bytes.get(network.at..end).unwrap_or_default();
            let wire_len = wire_end.saturating_sub(network.at as u32);
            Ok((network, Ip::read(rest, wire_len)?))
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
            let layer = Layer {
                time: frame.time,
                frame_len: end.saturating_sub(start),
                vlan: network.vlan,
                depth: 0,
                tunnel: None,
            };
            self.ip(&ip, layer, sink);
            let Some((at, following)) = next else { return Ok(()) };
            (start, (network, ip)) = (at, following);
        }
    }

    /// Ends the capture: fragments still held back go to `sink`.
    pub fn finish(&mut self, sink: &mut impl FnMut(&Packet<'_>)) {
        self.fragments.finish(sink);
    }

    /// What was seen besides packets.
    pub fn counts(&self) -> Counts {
        Counts {
            overlapping: self.fragments.overlapping,
            unfinished: self.fragments.unfinished,
            impossible: self.fragments.impossible,
            ..self.counts
        }
    }

    fn ip(&mut self, ip: &Ip<'_>, layer: Layer, sink: &mut impl FnMut(&Packet<'_>)) {
        if ip.fragment.is_some() {
            self.fragment(ip, layer, sink);
            return;
        }
        let mut packet = layer.packet(ip);
        packet.read_transport(ip.body, ip.body_len);
        self.put(packet, layer, sink);
    }

    fn fragment(&mut self, ip: &Ip<'_>, layer: Layer, sink: &mut impl FnMut(&Packet<'_>)) {
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
        let Some(whole) = self.fragments.push(ip, packet, opening, sink) else { return };
        self.counts.reassembled += 1;
        let extensions = Extensions::read(ip.protocol, &whole.body, is_v4);
        let body = whole.body.get(extensions.len..).unwrap_or_default();
        let body_len = whole.body_len.saturating_sub(extensions.len as u32);
        let layer = Layer { frame_len: whole.frame_len, ..layer };
        let mut packet = layer.packet(ip);
        packet.protocol = extensions.protocol;
        packet.ip_len = ip.len.saturating_sub(ip.body_len).saturating_add(whole.body_len);
        packet.read_transport(body, body_len);
        self.put(packet, layer, sink);
    }

    /// Gives out a packet, then the one it carries.
    fn put(&mut self, mut packet: Packet<'_>, layer: Layer, sink: &mut impl FnMut(&Packet<'_>)) {
        let inner = tunnel::inner(&packet);
        let is_too_deep = inner.is_some() && layer.depth >= MAX_DEPTH;
        self.counts.too_deep += u64::from(is_too_deep);
        let Some((tunnel, ip)) = inner.filter(|_| !is_too_deep) else {
            sink(&packet);
            return;
        };
        packet.carries = Some(tunnel.kind);
        sink(&packet);
        self.ip(&ip, Layer { depth: layer.depth + 1, tunnel: Some(tunnel), ..layer }, sink);
    }
}

impl Layer {
    /// A packet whose transport is still to be read.
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
#[derive(Debug)]
struct Recent {
    seed: FixedState,
    /// Digest and time.
    last: [(u64, u64); 4],
    next: usize,
}

impl Recent {
    /// A frame and its copy are at most so far apart, in nanoseconds.
    const MAX_GAP: u64 = 10_000_000;
    /// Of a frame so many bytes at its front and at its end are compared.
    const FRONT: usize = 128;
    const END: usize = 32;

    /// Whether the frame is like one of those just before. It takes its place among them.
    fn has(&mut self, frame: &Frame<'_>) -> bool {
        let bytes = frame.bytes;
        let front = bytes.get(..Self::FRONT).unwrap_or(bytes);
        let end = bytes.get(bytes.len().saturating_sub(Self::END)..).unwrap_or_default();
        let digest = self.seed.hash_one((frame.wire_len, bytes.len(), front, end));
        let is_repeated = self.last.iter().any(|(other, time)| {
            *other == digest && *time > 0 && frame.time.0.abs_diff(*time) <= Self::MAX_GAP
        });
        if let Some(slot) = self.last.get_mut(self.next) {
            *slot = (digest, frame.time.0);
        }
        self.next = (self.next + 1) % self.last.len();
        is_repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the payloads that a frame's packets have.
    #[track_caller]
    fn check(link_type: u16, bytes: &[u8], expected: &[usize]) {
        let (time, wire_len) = (Timestamp(1), bytes.len() as u32);
        let frame = Frame { time, offset: 0, link_type, wire_len, bytes, comment: None };
        let mut found = Vec::new();
        let decoded = Dissector::new(1).push(&frame, &mut |it| found.push(it.payload.len()));
        assert_eq!((decoded, &*found), (Ok(()), expected));
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
}
