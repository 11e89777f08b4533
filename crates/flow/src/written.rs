//! Partials as bytes, to be carried from one machine to another: versioned, checked, compact.
//!
//! ```text
//! "TrAP" version networks │ keys │ packets │ comments │ payloads │ CRC-32 of all before it, little-endian
//! ```
//!
//! Numbers have variable length (LEB128), signed ones fold their sign into the lowest bit. A packet is coded against the
//! one before it, its segment against the last of its side. Of payload only what a head may take is written: see
//! [`crate::Heads::passes`].

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use capture::{Packet, Tcp, Timestamp, Tunnel, TunnelKind};

use crate::{
    Apart, Endpoint, Partial, SharedKeys, Transport,
    keys::{Passed, is_from_high},
    partial::{INDEX_BITS, Kept},
    share::Key,
    table::{Ends, Place},
    tcp::flags,
};

/// Why bytes are no partial that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartialError {
    /// They begin otherwise, or end too early.
    #[error("these bytes are no partial")]
    NotAPartial,
    /// Another version of the program wrote them.
    #[error("the partial has version {version}, and only {VERSION} can be read")]
    Version {
        /// The version they have.
        version: u8,
    },
    /// Some of them have changed on the way.
    #[error("the partial is damaged")]
    Damaged,
}

const MAGIC: &[u8; 4] = b"TrAP";
/// It grows whenever a packet is written otherwise, or dealt to another share.
const VERSION: u8 = 3;

// The control byte of a packet.
const FROM_HIGH: u8 = 1;
const SAME_KEY: u8 = 2;
const HAS_TCP: u8 = 4;
const IN_TUNNEL: u8 = 8;
const CARRIES: u8 = 16;
const HAS_CARRIER: u8 = 32;
const WHOLE_MICROS: u8 = 64;
const HAS_PAYLOAD: u8 = 128;

/// What the next packet is coded against.
#[derive(Debug, Default)]
struct Context {
    key: usize,
    offset: u64,
    nanos: u64,
    carrier: usize,
    tunnel: Option<Tunnel>,
}

/// The last segment of a side of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    sequence: u32,
    acknowledgement: u32,
    window: u16,
}

/// Both sides of a key.
type Sides = [Side; 2];

/// Partials of one share that follow each other, as the bytes of one.
#[derive(Debug)]
pub struct PartialWriter {
    apart: Apart,
    keys: NumberedKeys,
    /// By number of the key.
    sides: Vec<Sides>,
    passed: Vec<Passed>,
    context: Context,
    packets: Writer,
    n_packets: u64,
    comments: Writer,
    n_comments: u64,
    payloads: Vec<u8>,
}

impl PartialWriter {
    /// No packet yet.
    pub fn new(apart: Apart) -> Self {
        Self {
            apart,
            keys: NumberedKeys::default(),
            sides: Vec::new(),
            passed: Vec::new(),
            context: Context::default(),
            packets: Writer::default(),
            n_packets: 0,
            comments: Writer::default(),
            n_comments: 0,
            payloads: Vec::new(),
        }
    }

    /// Adds a partial. Where it is known what passed of keys before all of them, no more of their payload is written than matters.
    pub fn push(&mut self, partial: &Partial, before: Option<&SharedKeys>) {
        for (number, comment) in partial.comments() {
            self.comments.number(self.n_packets + *number as u64);
            self.comments.number(comment.len() as u64);
            self.comments.0.extend_from_slice(comment.as_bytes());
        }
        self.n_comments += partial.comments().len() as u64;
        self.n_packets += partial.len() as u64;
        for sent in partial.packets() {
            let number = self.keys.number(Ends::of_packet(&sent.packet, self.apart).into());
            let carrier = sent.carrier.map(|it| self.keys.number(it));
            for key in self.keys.list.iter().skip(self.sides.len()) {
                self.sides.push(Sides::default());
                let passed = before.and_then(|it| it.passed_before(key));
                self.passed.push(passed.unwrap_or_default());
            }
            let of_key = self.sides.get_mut(number).zip(self.passed.get_mut(number));
            let Some((sides, passed)) = of_key else { continue };
            let payload = if passed.take(&sent.packet) { sent.packet.payload } else { &[] };
            self.payloads.extend_from_slice(payload);
            let (ordinal, numbers) = (sent.ordinal, (number, carrier));
            let (context, len) = (&mut self.context, payload.len());
            self.packets.packet(&sent.packet, ordinal, numbers, len, context, sides);
        }
    }

    /// Whether there is no packet.
    pub fn is_empty(&self) -> bool {
        self.n_packets == 0
    }

    /// The bytes, for [`Partial::read`].
    pub fn finish(mut self) -> Vec<u8> {
        let mut out = Writer(MAGIC.to_vec());
        out.0.push(VERSION);
        let Apart { by_vlan, by_tunnel } = self.apart;
        out.0.push(u8::from(by_vlan) | u8::from(by_tunnel) << 1);
        out.number(self.keys.list.len() as u64);
        self.keys.list.iter().for_each(|it| out.key(it));
        out.number(self.n_packets);
        out.0.append(&mut self.packets.0);
        out.number(self.n_comments);
        out.0.append(&mut self.comments.0);
        out.number(self.payloads.len() as u64);
        out.0.append(&mut self.payloads);
        let sum = crc32fast::hash(&out.0);
        out.0.extend_from_slice(&sum.to_le_bytes());
        out.0
    }
}

impl Partial {
    /// The partial as bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut writer = PartialWriter::new(self.apart());
        writer.push(self, None);
        writer.finish()
    }

    /// Reads what [`Partial::write`] wrote.
    ///
    /// # Errors
    /// Where the bytes are no partial, or not the one that was written.
    pub fn read(bytes: &[u8]) -> Result<Self, PartialError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(PartialError::NotAPartial)?;
        match rest.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(PartialError::Version { version }),
            None => return Err(PartialError::NotAPartial),
        }
        let (written, sum) = bytes.split_last_chunk::<4>().ok_or(PartialError::NotAPartial)?;
        if crc32fast::hash(written).to_le_bytes() != *sum {
            return Err(PartialError::Damaged);
        }
        let body = written.get(MAGIC.len() + 1..).ok_or(PartialError::NotAPartial)?;
        // Whoever wrote it may have had other bytes in mind than a partial.
        Reader { bytes: body }.partial().ok_or(PartialError::Damaged)
    }
}

/// The keys of a partial, numbered as they come.
#[derive(Debug, Default)]
struct NumberedKeys {
    list: Vec<Key>,
    numbers: BTreeMap<Key, usize>,
}

impl NumberedKeys {
    fn number(&mut self, key: Key) -> usize {
        *self.numbers.entry(key).or_insert_with(|| {
            self.list.push(key);
            self.list.len() - 1
        })
    }
}

#[derive(Debug, Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    fn key(&mut self, key: &Key) {
        let (vlan, tunnel) = key.place.parts();
        self.0.extend_from_slice(&[key.transport.0, key.topic]);
        for Endpoint { ip, port } in [key.low, key.high] {
            match ip {
                std::net::IpAddr::V4(ip) => {
                    self.0.push(4);
                    self.0.extend_from_slice(&ip.octets());
                }
                std::net::IpAddr::V6(ip) => {
                    self.0.push(6);
                    self.0.extend_from_slice(&ip.octets());
                }
            }
            self.0.extend_from_slice(&port.to_le_bytes());
        }
        self.number(u64::from(vlan));
        self.tunnel(tunnel);
    }

    fn kind(&mut self, kind: Option<TunnelKind>) {
        let number = kind.and_then(|kind| TunnelKind::ALL.iter().position(|it| *it == kind));
        self.0.push(number.map_or(0, |it| it as u8 + 1));
    }

    fn tunnel(&mut self, tunnel: Option<Tunnel>) {
        self.kind(tunnel.map(|it| it.kind));
        if let Some(Tunnel { id, .. }) = tunnel {
            self.number(u64::from(id));
        }
    }

    fn packet(
        &mut self,
        packet: &Packet<'_>,
        ordinal: u64,
        (key, carrier): (usize, Option<usize>),
        payload_len: usize,
        context: &mut Context,
        sides: &mut Sides,
    ) {
        let delta = packet.time.0.wrapping_sub(context.nanos) as i64;
        let is_from_high = is_from_high(packet);
        let is_whole_micros = delta % 1_000 == 0;
        let bits = [
            (is_from_high, FROM_HIGH),
            (key == context.key, SAME_KEY),
            (packet.tcp.is_some(), HAS_TCP),
            (packet.tunnel.is_some(), IN_TUNNEL),
            (packet.carries.is_some(), CARRIES),
            (carrier.is_some(), HAS_CARRIER),
            (is_whole_micros, WHOLE_MICROS),
            (payload_len > 0, HAS_PAYLOAD),
        ];
        self.0.push(bits.into_iter().filter(|it| it.0).fold(0, |sum, it| sum | it.1));
        if key != context.key {
            self.number(key as u64);
        }
        let (offset, index) = (ordinal >> INDEX_BITS, ordinal & ((1 << INDEX_BITS) - 1));
        self.number(offset.wrapping_sub(context.offset) << 1 | u64::from(index > 0));
        if index > 0 {
            self.number(index);
        }
        self.signed(if is_whole_micros { delta / 1_000 } else { delta });
        self.number(u64::from(packet.ip_len));
        self.signed(i64::from(packet.frame_len) - i64::from(packet.ip_len));
        self.signed(i64::from(packet.ip_len) - i64::from(packet.payload_len));
        if let Some(tcp) = packet.tcp {
            let [low, high] = sides;
            let side = if is_from_high { high } else { low };
            self.0.push(tcp.flags);
            self.signed(i64::from(tcp.sequence.wrapping_sub(side.sequence) as i32));
            self.signed(i64::from(tcp.acknowledgement.wrapping_sub(side.acknowledgement) as i32));
            self.signed(i64::from(tcp.window) - i64::from(side.window));
            if tcp.flags & flags::SYN != 0 {
                self.0.push(tcp.window_scale.map_or(0, |it| it.saturating_add(1)));
            }
            side.follow(&tcp, packet.payload_len);
        }
        if packet.tunnel.is_some() {
            self.0.push(packet.depth << 1 | u8::from(packet.tunnel == context.tunnel));
            if packet.tunnel != context.tunnel {
                self.tunnel(packet.tunnel);
                context.tunnel = packet.tunnel;
            }
        }
        if packet.carries.is_some() {
            self.kind(packet.carries);
        }
        if let Some(carrier) = carrier {
            self.signed(carrier as i64 - context.carrier as i64);
            context.carrier = carrier;
        }
        if payload_len > 0 {
            self.number(payload_len as u64);
        }
        (context.key, context.offset, context.nanos) = (key, offset, packet.time.0);
    }
}

impl Side {
    /// Takes a segment as the last one: the next usually begins where it ends.
    fn follow(&mut self, tcp: &Tcp, payload_len: u32) {
        self.sequence = tcp.sequence.wrapping_add(payload_len);
        (self.acknowledgement, self.window) = (tcp.acknowledgement, tcp.window);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.first_chunk().copied()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[it]| it)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn u32(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    /// A length or count; each of what is counted takes a byte at least.
    fn len(&mut self) -> Option<usize> {
        let len = usize::try_from(self.number()?).ok()?;
        (len <= self.bytes.len()).then_some(len)
    }

    fn partial(mut self) -> Option<Partial> {
        let networks = self.byte().filter(|it| *it < 4)?;
        let apart = Apart { by_vlan: networks & 1 != 0, by_tunnel: networks & 2 != 0 };
        let mut keys = Vec::new();
        for _ in 0..self.len()? {
            keys.push(self.key()?);
        }
        let mut sides = vec![Sides::default(); keys.len()];
        let mut context = Context::default();
        let (mut packets, mut carriers, mut n_payload) = (Vec::new(), Vec::new(), 0_usize);
        for _ in 0..self.len()? {
            let (packet, ordinal, carrier, payload_len) =
                self.packet(&keys, &mut context, &mut sides)?;
            let carrier = match carrier {
                Some(key) => {
                    if carriers.last() != Some(&key) {
                        carriers.push(key);
                    }
                    Some(carriers.len() as u32 - 1)
                }
                None => None,
            };
            let payload_start = n_payload;
            n_payload = n_payload.checked_add(payload_len as usize)?;
            packets.push(Kept { ordinal, packet, payload_start, payload_len, carrier });
        }
        let mut comments: Vec<(usize, Box<str>)> = Vec::new();
        for _ in 0..self.len()? {
            let number = usize::try_from(self.number()?).ok()?;
            let is_next = comments.last().is_none_or(|it| it.0 < number);
            let len = self.len()?;
            let comment = std::str::from_utf8(self.take(len)?).ok()?;
            if !is_next || number >= packets.len() {
                return None;
            }
            comments.push((number, comment.into()));
        }
        let len = self.len()?;
        let payloads = self.take(len)?;
        let is_all = self.bytes.is_empty() && payloads.len() == n_payload;
        is_all.then(|| Partial::of(apart, payloads.to_vec(), packets, carriers, comments))
    }

    fn key(&mut self) -> Option<Key> {
        let (transport, topic) = (Transport(self.byte()?), self.byte()?);
        let (low, high) = (self.endpoint()?, self.endpoint()?);
        let vlan = self.u32()?;
        let place = Place::of(vlan, self.tunnel()?);
        (low <= high).then_some(Key { transport, topic, low, high, place })
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let ip = match self.byte()? {
            4 => Ipv4Addr::from(self.array::<4>()?).into(),
            6 => Ipv6Addr::from(self.array::<16>()?).into(),
            _ => return None,
        };
        Some(Endpoint { ip, port: u16::from_le_bytes(self.array()?) })
    }

    fn kind(&mut self) -> Option<Option<TunnelKind>> {
        match self.byte()? {
            0 => Some(None),
            number => TunnelKind::ALL.get(usize::from(number) - 1).map(|it| Some(*it)),
        }
    }

    fn tunnel(&mut self) -> Option<Option<Tunnel>> {
        let Some(kind) = self.kind()? else { return Some(None) };
        Some(Some(Tunnel { kind, id: self.u32()? }))
    }

    /// A packet, its ordinal, the key of its carrier and how much of its payload there is.
    fn packet(
        &mut self,
        keys: &[Key],
        context: &mut Context,
        sides: &mut [Sides],
    ) -> Option<(Packet<'static>, u64, Option<Key>, u32)> {
        let control = self.byte()?;
        let is_set = |bit| control & bit != 0;
        if !is_set(SAME_KEY) {
            context.key = usize::try_from(self.number()?).ok()?;
        }
        let (key, sides) = (keys.get(context.key)?, sides.get_mut(context.key)?);
        let steps = self.number()?;
        context.offset = context.offset.checked_add(steps >> 1)?;
        let index = if steps & 1 == 1 { self.number()? } else { 0 };
        if index >> INDEX_BITS > 0 || context.offset >> (64 - INDEX_BITS) > 0 {
            return None;
        }
        let ordinal = context.offset << INDEX_BITS | index;
        let unit = if is_set(WHOLE_MICROS) { 1_000 } else { 1 };
        let delta = self.signed()?.wrapping_mul(unit);
        context.nanos = context.nanos.wrapping_add(delta as u64);
        let ip_len = self.u32()?;
        let of = |difference: Option<i64>| i64::from(ip_len).checked_add(difference?);
        let frame_len = of(self.signed())?.try_into().ok()?;
        let payload_len = of(self.signed()?.checked_neg())?.try_into().ok()?;
        let tcp = if is_set(HAS_TCP) {
            let [low, high] = sides;
            let side = if is_set(FROM_HIGH) { high } else { low };
            let bits = self.byte()?;
            let tcp = Tcp {
                sequence: side.sequence.wrapping_add(self.signed()? as u32),
                acknowledgement: side.acknowledgement.wrapping_add(self.signed()? as u32),
                flags: bits,
                window: i64::from(side.window).checked_add(self.signed()?)?.try_into().ok()?,
                window_scale: if bits & flags::SYN != 0 {
                    self.byte()?.checked_sub(1)
                } else {
                    None
                },
            };
            side.follow(&tcp, payload_len);
            Some(tcp)
        } else {
            None
        };
        let mut depth = 0;
        if is_set(IN_TUNNEL) {
            let said = self.byte()?;
            depth = said >> 1;
            if said & 1 == 0 {
                context.tunnel = self.tunnel()?;
            }
        }
        let carries = if is_set(CARRIES) { self.kind()? } else { None };
        let carrier = if is_set(HAS_CARRIER) {
            let carrier = (context.carrier as i64).checked_add(self.signed()?)?;
            context.carrier = carrier.try_into().ok()?;
            Some(*keys.get(context.carrier)?)
        } else {
            None
        };
        let kept_len = if is_set(HAS_PAYLOAD) { self.u32()? } else { 0 };
        let (source, destination) =
            if is_set(FROM_HIGH) { (key.high, key.low) } else { (key.low, key.high) };
        let packet = Packet {
            time: Timestamp(context.nanos),
            source: source.ip,
            destination: destination.ip,
            protocol: key.transport.0,
            source_port: source.port,
            destination_port: destination.port,
            frame_len,
            ip_len,
            payload_len,
            payload: &[],
            tcp,
            vlan: key.place.parts().0,
            depth,
            tunnel: if is_set(IN_TUNNEL) { context.tunnel } else { None },
            carries,
        };
        Some((packet, ordinal, carrier, kept_len))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::{Heads, Shuffle};

    fn packet(from: u8, to: u8, protocol: u8, payload: &[u8]) -> Packet<'_> {
        let ip = |it: u8| IpAddr::V4(Ipv4Addr::new(192, 0, 2, it));
        let tcp = Tcp {
            sequence: 7,
            acknowledgement: 9,
            flags: flags::ACK,
            window: 1_000,
            window_scale: None,
        };
        Packet {
            time: Timestamp(1_700_000_000_123_456_789),
            source: ip(from),
            destination: ip(to),
            protocol,
            source_port: u16::from(from),
            destination_port: u16::from(to),
            frame_len: 54 + payload.len() as u32,
            ip_len: 40 + payload.len() as u32,
            payload_len: payload.len() as u32,
            payload,
            tcp: (protocol == 6).then_some(tcp),
            vlan: 0,
            depth: 0,
            tunnel: None,
            carries: None,
        }
    }

    /// The packets as one partial, each of a frame of its own.
    fn partial(packets: &[Packet<'_>], comment: Option<&str>) -> Partial {
        let mut shuffle = Shuffle::new(None, 1, Apart { by_vlan: true, by_tunnel: false });
        for (offset, packet) in (40..).zip(packets) {
            if packet.depth == 0 {
                shuffle.begin_frame(offset);
            }
            shuffle.push(packet, comment);
        }
        shuffle.finish().remove(0)
    }

    fn some() -> Vec<u8> {
        let kind = TunnelKind::Vxlan;
        let outer = Packet { carries: Some(kind), ..packet(1, 2, 17, b"") };
        let tunnel = Some(Tunnel { kind, id: 42 });
        let inner = Packet { vlan: 5, depth: 1, tunnel, ..packet(4, 3, 6, b"abc") };
        let v6 = |it: u8| IpAddr::V6(Ipv6Addr::from([it; 16]));
        let last = Packet { source: v6(9), destination: v6(3), ..packet(1, 2, 132, b"xyz") };
        partial(&[outer, inner, last], Some("so")).write()
    }

    #[test]
    fn packets_come_back_as_they_were() {
        let written = some();
        let read = Partial::read(&written).unwrap();
        assert_eq!(read.write(), written);
        let packets: Vec<_> = read.packets().collect();
        assert_eq!(
            packets[0].packet,
            Packet { carries: Some(TunnelKind::Vxlan), ..packet(1, 2, 17, b"") }
        );
        assert_eq!((packets[1].packet.payload, packets[1].packet.vlan), (&b"abc"[..], 5));
        assert_eq!(
            packets[1].carrier,
            Some(Ends::of_packet(&packets[0].packet, read.apart()).into())
        );
        assert_eq!((packets[2].packet.payload, packets[2].comment), (&b"xyz"[..], Some("so")));
        assert!(packets.is_sorted_by(|a, b| a.ordinal < b.ordinal));
    }

    #[test]
    fn damage_and_other_versions_are_told() {
        let written = some();
        let read = |it: &[u8]| Partial::read(it).err();
        for at in MAGIC.len() + 1..written.len() {
            let mut changed = written.clone();
            changed[at] ^= 16;
            assert_eq!(read(&changed), Some(PartialError::Damaged), "byte {at}");
        }
        for len in 0..written.len() {
            assert!(read(&written[..len]).is_some(), "cut to {len}");
        }
        let mut newer = written.clone();
        newer[4] = 200;
        assert_eq!(read(&newer), Some(PartialError::Version { version: 200 }));
        assert_eq!(read(b"TrAQ"), Some(PartialError::NotAPartial));
    }

    #[test]
    fn what_no_head_can_take_is_not_written() {
        let payload = [b'x'; 1_000];
        let stream = vec![packet(1, 2, 6, &payload); 1_000];
        let written = partial(&stream, None).write();
        // Eight times a head and a segment, and what is left of a thousand packets.
        assert!(written.len() < 8 * Heads::LIMIT + 1_000 + 12_000, "{} bytes", written.len());
        let datagrams = vec![packet(1, 2, 17, &payload); 1_000];
        assert!(partial(&datagrams, None).write().len() < Heads::LIMIT + 1_000 + 12_000);
        let others = vec![packet(1, 2, 132, &payload); 100];
        assert!(partial(&others, None).write().len() > 100_000, "only of TCP and UDP is it known");
    }
}
