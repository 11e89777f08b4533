//! pcapng framing (draft-ietf-opsawg-pcapng): blocks, their options, packets and their times, by our own walk.
//!
//! `pcap-parser` cuts times to 32 bits of seconds, reads base-2 resolutions wrongly and offsets in one byte order
//! only, gives up all options of a block where one is broken, and one block type makes it panic. It is the second
//! opinion in `tests/framing.rs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    ByteOrder, Error, Notes, Timestamp,
    decoder::{Chain, MAX_RECORD_LEN, Step},
    notes,
};

/// The first bytes of a section, the same in both byte orders.
pub(crate) const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Kinds of blocks.
mod kind {
    pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(super) const INTERFACE_DESCRIPTION: u32 = 1;
    pub(super) const OBSOLETE_PACKET: u32 = 2;
    pub(super) const SIMPLE_PACKET: u32 = 3;
    pub(super) const NAME_RESOLUTION: u32 = 4;
    pub(super) const INTERFACE_STATISTICS: u32 = 5;
    pub(super) const ENHANCED_PACKET: u32 = 6;
    pub(super) const DECRYPTION_SECRETS: u32 = 10;
    /// To be copied by other programs, and not.
    pub(super) const CUSTOM: [u32; 2] = [0x0000_0bad, 0x4000_0bad];
    /// Kinds of somebody's own have this bit.
    pub(super) const LOCAL: u32 = 0x8000_0000;
}

/// Codes of options: those of every block, of sections, packets, interfaces and statistics.
mod option {
    pub(super) const END: u16 = 0;
    pub(super) const COMMENT: u16 = 1;
    pub(super) const SHB_HARDWARE: u16 = 2;
    pub(super) const SHB_OS: u16 = 3;
    pub(super) const SHB_USERAPPL: u16 = 4;
    pub(super) const EPB_FLAGS: u16 = 2;
    pub(super) const IF_NAME: u16 = 2;
    pub(super) const IF_DESCRIPTION: u16 = 3;
    pub(super) const IF_TSRESOL: u16 = 9;
    pub(super) const IF_TSOFFSET: u16 = 14;
    pub(super) const ISB_IFRECV: u16 = 4;
    pub(super) const ISB_IFDROP: u16 = 5;
    pub(super) const ISB_OSDROP: u16 = 7;
}

/// Type and address length of names in a name resolution block.
const NAMES_OF_IPV4: u16 = 1;
const NAMES_OF_IPV6: u16 = 2;

/// How many interfaces of a section are kept.
const MAX_INTERFACES: usize = 65_536;
/// The longest block that tells where a damage ends, in bytes: a packet as long as libpcap's longest, and its options.
const MAX_USUAL_LEN: u32 = 262_144 + 65_536;
/// More room for options than this after a packet is doubted, in bytes.
const MAX_OPTIONS_LEN: u64 = 65_536;

/// What the blocks of a section share.
#[derive(Debug)]
pub(crate) struct Section {
    order: ByteOrder,
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before.
    n_before: u32,
}

#[derive(Debug, Default)]
struct Interface {
    link_type: u16,
    /// Packets are cut to so many bytes; 0 for no limit.
    snap_len: u32,
    resolution: Resolution,
    /// Added to every time, in seconds.
    offset_seconds: i64,
    /// What its last statistics said: they count from the start.
    received: u64,
    dropped: [u64; 2],
}

/// How long a unit of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// 10^-n seconds.
    Decimal(u8),
    /// 2^-n seconds.
    Binary(u8),
}

impl Default for Resolution {
    fn default() -> Self {
        Self::Decimal(6)
    }
}

/// The first fields of a block.
struct Head {
    order: ByteOrder,
    kind: u32,
    /// Its length, in bytes.
    len: u32,
}

impl Default for Section {
    fn default() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new(), n_before: 0 }
    }
}

impl Section {
    /// What the bytes at `offset` of the capture begin with; `is_over` says that no more will come.
    pub(crate) fn step(
        &mut self,
        bytes: &[u8],
        offset: u64,
        is_over: bool,
        notes: &mut Notes,
    ) -> Step {
        let Some(start) = bytes.first_chunk() else { return Step::More };
        let Some(Head { order, kind, len }) = Head::read(*start, self.order) else {
            let cause = Error::BadBlock { offset, what: "section header" };
            return Step::Damaged { cause, len: None };
        };
        let is_possible = len >= 12 && len.is_multiple_of(4);
        if is_possible && len > MAX_RECORD_LEN && may_be_long(kind) {
            count(kind, notes);
            return Step::Skip(u64::from(len));
        }
        if !is_possible || len > MAX_RECORD_LEN {
            return Step::Damaged { cause: Error::BadLength { offset, len }, len: None };
        }
        let Some(block) = bytes.get(..len as usize) else {
            if is_over && is_doubtful(kind, order, bytes, len) {
                return Step::Damaged { cause: Error::CutShort { offset }, len: None };
            }
            return Step::More;
        };
        // A block says its length once more at its end; one that does not is only believed if another follows.
        if block.last_chunk::<4>().and_then(|it| order.u32(it, 0)) != Some(len) {
            let rest = bytes.get(len as usize..).unwrap_or_default();
            match self.chain(rest, is_over) {
                Chain::Short => return Step::More,
                Chain::Holds => {}
                Chain::Breaks if is_over && rest.is_empty() => {}
                Chain::Breaks => {
                    return Step::Damaged { cause: Error::BadLength { offset, len }, len: None };
                }
            }
        }
        let bad = |what| Step::Damaged {
            cause: Error::BadBlock { offset, what },
            len: Some(block.len()),
        };
        match kind {
            kind::SECTION_HEADER => {
                // How long the section is, nobody needs to know.
                self.order = order;
                self.n_before = self.n_before.saturating_add(self.interfaces.len() as u32);
                self.interfaces.clear();
                self.describe_section(block, notes);
            }
            kind::INTERFACE_DESCRIPTION => {
                if self.add_interface(block, notes).is_none() {
                    return bad("interface description");
                }
            }
            kind::INTERFACE_STATISTICS => self.add_statistics(block, notes),
            kind::NAME_RESOLUTION => self.add_names(block, notes),
            kind::ENHANCED_PACKET | kind::SIMPLE_PACKET | kind::OBSOLETE_PACKET => {
                return self.packet(kind, block).unwrap_or_else(|| bad("packet block"));
            }
            _ => count(kind, notes),
        }
        Step::Skip(u64::from(len))
    }

    /// Whether blocks that nobody doubts begin here: two, or one where the capture ends with it.
    pub(crate) fn chain(&self, bytes: &[u8], is_over: bool) -> Chain {
        let (mut at, mut order) = (0_usize, self.order);
        for n_before in 0..2 {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(start) = rest.first_chunk() else {
                return Chain::at_end(is_over, n_before > 0);
            };
            let Some(head) = Head::read(*start, order) else { return Chain::Breaks };
            let Head { kind, len, .. } = head;
            order = head.order;
            let is_credible = (12..=MAX_USUAL_LEN).contains(&len)
                && len.is_multiple_of(4)
                && (is_known(kind) || n_before > 0);
            if !is_credible {
                return Chain::Breaks;
            }
            let Some(block) = rest.get(..len as usize) else {
                return Chain::at_end(is_over, n_before > 0);
            };
            if order.u32(block, len as usize - 4) != Some(len) {
                return Chain::Breaks;
            }
            at += len as usize;
        }
        Chain::Holds
    }

    fn describe_section(&self, block: &[u8], notes: &mut Notes) {
        notes.sections += 1;
        for (code, value) in self.options(block, 24) {
            let field = match code {
                option::COMMENT => {
                    notes.add_comment(value);
                    continue;
                }
                option::SHB_HARDWARE => &mut notes.hardware,
                option::SHB_OS => &mut notes.system,
                option::SHB_USERAPPL => &mut notes.application,
                _ => continue,
            };
            if field.is_none() {
                *field = notes::text(value).map(str::to_owned);
            }
        }
    }

    fn add_interface(&mut self, block: &[u8], notes: &mut Notes) -> Option<()> {
        let mut interface = Interface {
            link_type: self.order.u16(block, 8)?,
            snap_len: self.order.u32(block, 12)?,
            ..Interface::default()
        };
        if block.len() < 20 || self.interfaces.len() >= MAX_INTERFACES {
            return None;
        }
        let Interface { link_type, snap_len, .. } = interface;
        let mut note = notes::Interface { link_type, snap_len, ..Default::default() };
        for (code, value) in self.options(block, 16) {
            match (code, value) {
                (option::COMMENT, it) => notes.add_comment(it),
                (option::IF_NAME, it) => note.name = notes::text(it).map(str::to_owned),
                (option::IF_DESCRIPTION, it) => {
                    note.description = notes::text(it).map(str::to_owned);
                }
                (option::IF_TSRESOL, &[it, ..]) if it & 0x80 != 0 => {
                    interface.resolution = Resolution::Binary(it & 0x7f);
                }
                (option::IF_TSRESOL, &[it, ..]) => interface.resolution = Resolution::Decimal(it),
                (option::IF_TSOFFSET, it) => {
                    interface.offset_seconds = self.order.i64(it).unwrap_or(0);
                }
                _ => {}
            }
        }
        notes.add_interface(note);
        self.interfaces.push(interface);
        Some(())
    }

    /// Statistics are of an interface and count from its start, so only what they grew by is added.
    fn add_statistics(&mut self, block: &[u8], notes: &mut Notes) {
        let order = self.order;
        let Some(index) = order.u32(block, 8) else { return };
        let Some(interface) = self.interfaces.get_mut(index as usize) else { return };
        for (code, value) in Options::new(order, block, 20) {
            let (known, sum) = match code {
                option::ISB_IFRECV => (&mut interface.received, &mut notes.received),
                option::ISB_IFDROP => (&mut interface.dropped[0], &mut notes.dropped),
                option::ISB_OSDROP => (&mut interface.dropped[1], &mut notes.dropped),
                _ => continue,
            };
            let Some(now) = order.u64(value) else { continue };
            *sum = sum.saturating_add(now.saturating_sub(*known));
            *known = now.max(*known);
        }
    }

    /// Records of an address and its names, each of which ends with a zero byte.
    fn add_names(&self, block: &[u8], notes: &mut Notes) {
        for (kind, value) in self.options(block, 8) {
            let address = match kind {
                NAMES_OF_IPV4 => value
                    .split_first_chunk()
                    .map(|(address, names)| (IpAddr::V4(Ipv4Addr::from_octets(*address)), names)),
                NAMES_OF_IPV6 => value
                    .split_first_chunk()
                    .map(|(address, names)| (IpAddr::V6(Ipv6Addr::from_octets(*address)), names)),
                _ => None,
            };
            let Some((address, names)) = address else { continue };
            for name in names.split(|it| *it == 0) {
                notes.add_name(address, name);
            }
        }
    }

    /// The frame in a packet block, or `None` where the block contradicts itself.
    fn packet(&self, kind: u32, block: &[u8]) -> Option<Step> {
        let field = |at| self.order.u32(block, at);
        let body_end = block.len() - 4;
        let (number, interface, time, len, wire_len, at) = match kind {
            kind::SIMPLE_PACKET => {
                // It has neither a time nor a captured length: the snap length and the block tell.
                let interface = self.interfaces.first()?;
                let wire_len = field(8)?;
                let limit = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
                let room = (body_end.checked_sub(12)?) as u32;
                (0, interface, None, wire_len.min(limit).min(room), wire_len, 12)
            }
            _ => {
                let index = match kind {
                    kind::OBSOLETE_PACKET => u32::from(self.order.u16(block, 8)?),
                    _ => field(8)?,
                };
                let interface = self.interfaces.get(index as usize)?;
                let units = u64::from(field(12)?) << 32 | u64::from(field(16)?);
                let (len, wire_len) = (field(20)?, field(24)?);
                (index, interface, Some(interface.time(units)), len, wire_len, 28)
            }
        };
        let len = len as usize;
        if len > body_end.checked_sub(at)? {
            return None;
        }
        let options_at = at + len.next_multiple_of(4);
        // Most packets have none.
        let has_options = kind != kind::SIMPLE_PACKET && options_at + 4 < body_end;
        let comment = has_options.then(|| self.comment(block, options_at)).flatten();
        let (link_type, record_len) = (interface.link_type, block.len());
        let options_len = if has_options { body_end - options_at } else { 0 };
        let origin = Some(Place {
            interface: self.n_before.saturating_add(number),
            order: self.order,
            options: (options_at.min(body_end), options_len),
        });
        Some(Step::Frame { record_len, time, link_type, wire_len, at, len, comment, origin })
    }

    /// Where in the block the text of its first comment is, and how long.
    fn comment(&self, block: &[u8], options_at: usize) -> Option<(usize, usize)> {
        let mut options = self.options(block, options_at);
        let (_, value) = options.find(|it| it.0 == option::COMMENT)?;
        let start = options.at - value.len().next_multiple_of(4);
        Some((start, notes::text(value)?.len()))
    }

    fn options<'a>(&self, block: &'a [u8], at: usize) -> Options<'a> {
        Options::new(self.order, block, at)
    }
}

/// Where a frame of a pcapng was captured, and what its block says besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The interface, by its place among all of the file: [`Notes::interfaces`] has the first of them.
    pub interface: u32,
    order: ByteOrder,
    options: &'a [u8],
}

/// The same by places in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    interface: u32,
    order: ByteOrder,
    /// Where the options start, and how long they are.
    pub(crate) options: (usize, usize),
}

impl Place {
    /// In bytes that begin so much earlier.
    pub(crate) fn moved_by(self, n: usize) -> Self {
        Self { options: (self.options.0 + n, self.options.1), ..self }
    }

    /// With the options themselves.
    pub(crate) fn origin(self, options: &[u8]) -> Origin<'_> {
        Origin { interface: self.interface, order: self.order, options }
    }
}

impl<'a> Origin<'a> {
    /// All comments, in their order, as they were written: anybody's bytes, most often UTF-8.
    pub fn comments(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let options = Options { order: self.order, block: self.options, at: 0 };
        let text = |value: &'a [u8]| value.split(|it| *it == 0).next().unwrap_or_default();
        options.filter(|it| it.0 == option::COMMENT).map(move |it| text(it.1))
    }

    /// Direction, kind of reception and errors of the link layer (section 4.3.1), where they were recorded.
    pub fn flags(&self) -> Option<u32> {
        let mut options = Options { order: self.order, block: self.options, at: 0 };
        let (_, value) = options.find(|it| it.0 == option::EPB_FLAGS)?;
        self.order.u32(value, 0)
    }
}

impl Head {
    fn read(start: [u8; 12], order: ByteOrder) -> Option<Self> {
        let order = match start {
            [0x0a, 0x0d, 0x0d, 0x0a, .., 0x1a, 0x2b, 0x3c, 0x4d] => ByteOrder::Big,
            [0x0a, 0x0d, 0x0d, 0x0a, .., 0x4d, 0x3c, 0x2b, 0x1a] => ByteOrder::Little,
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => return None,
            _ => order,
        };
        Some(Self { order, kind: order.u32(&start, 0)?, len: order.u32(&start, 4)? })
    }
}

/// The options of a block, as far as they are whole.
struct Options<'a> {
    order: ByteOrder,
    /// The block without the length at its end.
    block: &'a [u8],
    at: usize,
}

impl<'a> Options<'a> {
    fn new(order: ByteOrder, block: &'a [u8], at: usize) -> Self {
        let block = block.get(..block.len().saturating_sub(4)).unwrap_or_default();
        Self { order, block, at }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, len) =
            (self.order.u16(self.block, self.at)?, self.order.u16(self.block, self.at + 2)?);
        let start = self.at + 4;
        let value = self.block.get(start..start + usize::from(len))?;
        self.at = start + value.len().next_multiple_of(4);
        (code != option::END).then_some((code, value))
    }
}

/// Counts a block that is skipped.
fn count(kind: u32, notes: &mut Notes) {
    match kind {
        kind::DECRYPTION_SECRETS => notes.secrets += 1,
        kind::NAME_RESOLUTION | kind::INTERFACE_STATISTICS => {}
        _ if kind::CUSTOM.contains(&kind) => notes.custom_blocks += 1,
        _ => notes.unknown_blocks += 1,
    }
}

/// Whether a block of this kind may be longer than any record, and is then skipped unseen.
fn may_be_long(kind: u32) -> bool {
    let is_known = matches!(kind, kind::NAME_RESOLUTION | kind::DECRYPTION_SECRETS);
    is_known || kind & kind::LOCAL != 0 || kind::CUSTOM.contains(&kind)
}

fn is_known(kind: u32) -> bool {
    matches!(
        kind,
        kind::SECTION_HEADER | kind::INTERFACE_DESCRIPTION
            ..=kind::ENHANCED_PACKET | kind::DECRYPTION_SECRETS
    ) || kind::CUSTOM.contains(&kind)
}

/// Whether a block that reaches beyond the end of the capture claims more than its inside needs.
fn is_doubtful(kind: u32, order: ByteOrder, bytes: &[u8], len: u32) -> bool {
    let (fixed, at) = match kind {
        kind::ENHANCED_PACKET | kind::OBSOLETE_PACKET => (32, 20),
        kind::SIMPLE_PACKET => (16, 8),
        _ => return true,
    };
    // What ends before it says how long its packet is was simply cut.
    let Some(packet_len) = order.u32(bytes, at) else { return false };
    let needed = u64::from(packet_len) + fixed;
    needed > u64::from(len) || u64::from(len) - needed > MAX_OPTIONS_LEN
}

impl Interface {
    /// The moment so many units after 1970; what cannot be told becomes the nearest that can.
    fn time(&self, units: u64) -> Timestamp {
        let units = u128::from(units);
        let nanos = match self.resolution {
            Resolution::Decimal(n @ 0..=9) => units * 10_u128.pow(u32::from(9 - n)),
            Resolution::Decimal(n @ 10..=38) => units / 10_u128.pow(u32::from(n) - 9),
            Resolution::Decimal(_) => 0,
            Resolution::Binary(n @ 0..=64) => (units * 1_000_000_000) >> n,
            Resolution::Binary(_) => 0,
        };
        let nanos = i128::try_from(nanos).unwrap_or(i128::MAX);
        let offset = i128::from(self.offset_seconds) * 1_000_000_000;
        Timestamp(nanos.saturating_add(offset).clamp(0, i128::from(u64::MAX)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(resolution: Resolution, offset_seconds: i64, units: u64, expected_nanos: u64) {
        let interface = Interface { resolution, offset_seconds, ..Interface::default() };
        assert_eq!(interface.time(units), Timestamp(expected_nanos));
    }

    #[test]
    fn microseconds_are_the_default_unit() {
        check(Resolution::Decimal(6), 0, 1_500_000, 1_500_000_000);
    }

    #[test]
    fn units_may_be_powers_of_two() {
        check(Resolution::Binary(20), 0, 3 << 19, 1_500_000_000);
    }

    #[test]
    fn picoseconds_lose_what_is_below_a_nanosecond() {
        check(Resolution::Decimal(12), 0, 1_234_567, 1_234);
    }

    #[test]
    fn an_offset_may_be_negative() {
        check(Resolution::Decimal(9), -1, 1_500_000_000, 500_000_000);
        check(Resolution::Decimal(9), -2, 1_500_000_000, 0);
    }
}
