//! Which Ethernet addresses send for which IP addresses: a host's own one, or its router's.
//!
//! What ARP says is a host's own. Of what only sends for an address it cannot be told whether the host or a router does;
//! who sends for many is a router. Bounded, and the same however a capture is cut into blocks.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use capture::Frame;
use serde::{Deserialize, Serialize};
use v1::page::MacRow;

use crate::{Makers, hosts::scope};

/// How many Ethernet addresses are kept of a capture: the first ones.
const MAX_MACS: usize = 4_096;
/// How many IP addresses are kept of each: the first ones.
const MAX_IPS: usize = 8;
/// How many Ethernet addresses are remembered with the last address they sent for, so that most frames cost nothing: two to
/// this power; of a block fewer, which it would cost more to begin with than they spare.
const RECENT_BITS: u32 = 12;
const RECENT_OF_BLOCK_BITS: u32 = 6;
/// The place of an Ethernet address that is not kept.
const NOWHERE: u32 = u32::MAX;

/// The link type of Ethernet in tcpdump.org's registry.
const ETHERNET: u16 = 1;

/// EtherTypes.
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];

type Mac = [u8; 6];
/// The Ethernet addresses of a block.
pub(crate) type Carried = Vec<(Mac, Sender)>;

/// What was seen; in the order in which it first was.
#[derive(Clone, Debug)]
pub(crate) struct Neighbours {
    senders: Vec<(Mac, Sender)>,
    places: BTreeMap<Mac, u32>,
    /// How many senders are kept.
    most: usize,
    recent: Vec<Recent>,
}

/// An Ethernet address seen before; at first nobody's.
#[derive(Clone, Copy, Debug)]
struct Recent {
    mac: Mac,
    /// It is not kept, or sends for more addresses than are.
    is_known: bool,
    /// What it sent for last.
    source: IpAddr,
    /// Where it is in the senders.
    place: u32,
}

impl Recent {
    const NOBODY: Self = Self {
        mac: [0; 6],
        is_known: true,
        source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        place: NOWHERE,
    };

    /// Where an Ethernet address is remembered of so many, a power of two: the upper bits of a product depend on every bit.
    #[inline]
    fn place(mac: Mac, n_places: usize) -> usize {
        let [a, b, c, d, e, f] = mac;
        let mixed =
            u64::from_be_bytes([0, 0, a, b, c, d, e, f]).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize >> (32 - n_places.trailing_zeros())
    }
}

/// An address that one Ethernet address sent for, or called its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    mac: Mac,
    ip: IpAddr,
    is_arp: bool,
}

/// Whom an Ethernet address sends for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sender {
    /// Sources of its IP packets.
    sources: First,
    /// What it called its own.
    own: First,
}

/// The first few addresses, and whether there were more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct First {
    ips: Vec<IpAddr>,
    has_more: bool,
}

impl First {
    fn add(&mut self, ip: IpAddr) {
        // Who has more sends for whatever comes.
        if self.has_more || self.ips.contains(&ip) {
            return;
        }
        if self.ips.len() < MAX_IPS {
            self.ips.push(ip);
        } else {
            self.has_more = true;
        }
    }

    fn join(&mut self, later: Self) {
        later.ips.into_iter().for_each(|it| self.add(it));
        self.has_more |= later.has_more;
    }
}

impl Default for Neighbours {
    fn default() -> Self {
        let (senders, places) = Default::default();
        Self { senders, places, most: MAX_MACS, recent: vec![Recent::NOBODY; 1 << RECENT_BITS] }
    }
}

impl Neighbours {
    /// Those of a block, which is itself so small that all are kept: what is known before it may be among the last.
    pub(crate) fn of_block() -> Self {
        let recent = vec![Recent::NOBODY; 1 << RECENT_OF_BLOCK_BITS];
        Self { senders: Vec::new(), places: BTreeMap::new(), most: usize::MAX, recent }
    }

    /// What a block has, to be carried elsewhere.
    pub(crate) fn carried(&self) -> Carried {
        self.senders.clone()
    }

    /// The same, where it was carried to.
    pub(crate) fn of_carried(senders: Carried) -> Self {
        Self { senders, ..Self::of_block() }
    }

    /// Looks at a frame.
    #[inline]
    pub(crate) fn see(&mut self, frame: &Frame<'_>) {
        if frame.link_type == ETHERNET && !self.is_known(frame.bytes) {
            self.look(frame.bytes);
        }
    }

    /// Whether nothing more is to be learnt of who sent an IP packet: so it is of most frames. It reads no more than it must; what
    /// lies behind VLAN tags is left to [`Neighbours::look`].
    #[inline]
    fn is_known(&self, bytes: &[u8]) -> bool {
        let Some(&[_, _, _, _, _, _, a, b, c, d, e, f, kind_1, kind_0]) = bytes.first_chunk()
        else {
            return false;
        };
        let (mac, kind) = ([a, b, c, d, e, f], [kind_1, kind_0]);
        let Some(recent) = self.recent.get(Recent::place(mac, self.recent.len())) else {
            return false;
        };
        let is_source = match (recent.source, kind) {
            (_, IPV4 | IPV6) if recent.is_known => true,
            (IpAddr::V4(ip), IPV4) => bytes.get(26..30) == Some(&ip.octets()),
            (IpAddr::V6(ip), IPV6) => bytes.get(22..38) == Some(&ip.octets()),
            _ => false,
        };
        is_source && recent.mac == mac
    }

    fn look(&mut self, bytes: &[u8]) {
        let Some(Seen { mac, ip, is_arp }) = read(bytes) else { return };
        let at = Recent::place(mac, self.recent.len());
        let Some(recent) = self.recent.get(at).copied() else { return };
        let is_recent = recent.mac == mac;
        if is_recent && !is_arp && (recent.is_known || recent.source == ip) {
            return;
        }
        let place = if is_recent { recent.place } else { self.place(mac) };
        let mut is_known = true;
        if let Some((_, sender)) = self.senders.get_mut(place as usize) {
            let addresses = if is_arp { &mut sender.own } else { &mut sender.sources };
            addresses.add(ip);
            is_known = sender.sources.has_more;
        }
        // Nobody sends for no address.
        let source = if is_arp { Recent::NOBODY.source } else { ip };
        if let Some(recent) = self.recent.get_mut(at) {
            *recent = Recent { mac, is_known, source, place };
        }
    }

    /// Where a sender is, who is put there if there is room.
    fn place(&mut self, mac: Mac) -> u32 {
        let next = self.senders.len();
        match self.places.get(&mac) {
            Some(place) => *place,
            None if next >= self.most => NOWHERE,
            None => {
                self.senders.push((mac, Sender::default()));
                self.places.insert(mac, next as u32);
                next as u32
            }
        }
    }

    /// Adds those of the next block.
    pub(crate) fn add(&mut self, block: Self) {
        for (mac, later) in block.senders {
            let place = self.place(mac);
            let Some((_, sender)) = self.senders.get_mut(place as usize) else { continue };
            sender.sources.join(later.sources);
            sender.own.join(later.own);
        }
    }

    /// The Ethernet addresses of a host, those it calls its own first.
    pub(crate) fn of(&self, ip: IpAddr, makers: Option<&Makers>) -> Vec<MacRow> {
        let rows = self.senders.iter().filter_map(|(mac, sender)| {
            let is_own = sender.own.ips.contains(&ip);
            (is_own || sender.sources.ips.contains(&ip)).then(|| {
                let is_alone = sender.sources.ips.len() <= 1 && !sender.sources.has_more;
                let is_far = |it: &IpAddr| scope(*it) == "public";
                let is_router =
                    sender.sources.has_more || !is_alone && sender.sources.ips.iter().any(is_far);
                let whose = match (is_own, is_router) {
                    (true, _) => "own",
                    (false, true) => "router",
                    (false, false) if is_alone && !is_far(&ip) => "alone",
                    (false, false) => "either",
                };
                MacRow {
                    mac: mac.map(|it| format!("{it:02x}")).join(":"),
                    whose: whose.to_owned(),
                    n_addresses: sender.sources.ips.len() as u64,
                    has_more: sender.sources.has_more,
                    is_local: mac[0] & 2 != 0,
                    maker: makers.and_then(|it| it.of(*mac)).map(str::to_owned),
                }
            })
        });
        let mut rows: Vec<MacRow> = rows.collect();
        rows.sort_by_key(|it| it.whose != "own");
        rows
    }
}

/// Who sent an Ethernet frame, and for which IP address; `None` for all but IP and ARP.
fn read(bytes: &[u8]) -> Option<Seen> {
    let mac: Mac = *bytes.get(6..)?.first_chunk()?;
    let mut at = 12;
    let mut kind = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    // At most two VLAN tags (IEEE 802.1Q).
    for _ in 0..2 {
        if matches!(kind, 0x8100 | 0x88a8) {
            at += 4;
            kind = u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
        }
    }
    let inside = bytes.get(at + 2..)?;
    let v4 = |at: usize| {
        let octets: [u8; 4] = *inside.get(at..)?.first_chunk()?;
        Some(IpAddr::V4(Ipv4Addr::from(octets)))
    };
    let (ip, is_arp) = match kind {
        0x0800 => (v4(12)?, false),
        0x86dd => {
            let octets: [u8; 16] = *inside.get(8..)?.first_chunk()?;
            (IpAddr::V6(Ipv6Addr::from(octets)), false)
        }
        // Of Ethernet and IPv4 (RFC 826); the sender's hardware address is the one that counts.
        0x0806 if inside.starts_with(&[0, 1, 8, 0, 6, 4]) => {
            let mac: Mac = *inside.get(8..)?.first_chunk()?;
            return named(mac, v4(14)?, true);
        }
        _ => return None,
    };
    named(mac, ip, is_arp)
}

/// Nobody's addresses and those of groups name no host.
fn named(mac: Mac, ip: IpAddr, is_arp: bool) -> Option<Seen> {
    let is_one = mac[0] & 1 == 0 && mac != [0; 6];
    (is_one && !ip.is_unspecified() && !ip.is_multicast()).then_some(Seen { mac, ip, is_arp })
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;

    use super::*;

    const HOST: Mac = [2, 0, 0, 0, 0, 7];
    const ROUTER: Mac = [0, 1, 2, 3, 4, 5];

    fn ip_from(mac: Mac, source: [u8; 4]) -> Vec<u8> {
        let mut frame = [&[2; 6][..], &mac, &[8, 0], &[0x45; 12]].concat();
        frame.extend(source);
        frame.extend([10, 0, 0, 1]);
        frame
    }

    fn arp_from(mac: Mac, source: [u8; 4]) -> Vec<u8> {
        [&[0xff; 6][..], &mac, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 1], &mac, &source, &[0; 10]].concat()
    }

    fn seen(mut into: Neighbours, frames: &[Vec<u8>]) -> Neighbours {
        for bytes in frames {
            into.see(&Frame {
                time: Timestamp(0),
                offset: 0,
                link_type: ETHERNET,
                wire_len: bytes.len() as u32,
                bytes,
                comment: None,
                origin: None,
            });
        }
        into
    }

    #[track_caller]
    fn check(frames: &[Vec<u8>], ip: [u8; 4], expected: &[(&str, &str)]) {
        let rows = seen(Neighbours::default(), frames).of(IpAddr::from(ip), None);
        let rows: Vec<(&str, &str)> = rows.iter().map(|it| (&*it.mac, &*it.whose)).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_arp_says_is_the_hosts_own() {
        let frames = [ip_from(HOST, [10, 0, 0, 7]), arp_from(HOST, [10, 0, 0, 7])];
        check(&frames, [10, 0, 0, 7], &[("02:00:00:00:00:07", "own")]);
        check(&frames[..1], [10, 0, 0, 7], &[("02:00:00:00:00:07", "alone")]);
        check(&frames, [10, 0, 0, 8], &[]);
    }

    #[test]
    fn a_routers_address_is_not_claimed_for_who_is_behind_it() {
        let few = [ip_from(ROUTER, [192, 0, 2, 1]), ip_from(ROUTER, [8, 8, 8, 8])];
        check(&few, [8, 8, 8, 8], &[("00:01:02:03:04:05", "router")]);
        check(&few[1..], [8, 8, 8, 8], &[("00:01:02:03:04:05", "either")]);
        let many: Vec<Vec<u8>> = (0..20).map(|it| ip_from(ROUTER, [10, 9, it, 1])).collect();
        check(&many, [10, 9, 0, 1], &[("00:01:02:03:04:05", "router")]);
        // Not among the first: nothing is said.
        check(&many, [10, 9, 19, 1], &[]);
    }

    #[test]
    fn blocks_do_not_show() {
        let frames: Vec<Vec<u8>> = (0..60)
            .map(|it| ip_from([2, 0, 0, 0, 0, it % 3], [10, it % 7, it % 11, it % 2]))
            .collect();
        let whole = seen(Neighbours::default(), &frames);
        for at in [1, 17, 40] {
            let mut joined = Neighbours::default();
            joined.add(seen(Neighbours::of_block(), &frames[..at]));
            joined.add(seen(Neighbours::of_block(), &frames[at..]));
            for sender in &whole.senders {
                for ip in &sender.1.sources.ips {
                    assert_eq!(joined.of(*ip, None), whole.of(*ip, None));
                }
            }
        }
    }
}
