//! pcapng framing (draft-ietf-opsawg-pcapng): blocks and packets by our own walk, interface options by `pcap-parser`.
//!
//! `pcap-parser` cuts times to 32 bits of seconds, reads base-2 resolutions wrongly and offsets in one byte order
//! only, and one block type makes it panic; so it is given interface descriptions alone, and time is counted here.

use pcap_parser::pcapng::{
    InterfaceDescriptionBlock, OptionCode, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le,
};

use crate::{
    ByteOrder, Error, Timestamp,
    decoder::{MAX_RECORD_LEN, Step},
};

/// The first bytes of a section, the same in both byte orders.
pub(crate) const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// How many interfaces of a section are kept.
const MAX_INTERFACES: usize = 65_536;

/// What the blocks of a section share.
#[derive(Debug)]
pub(crate) struct Section {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

#[derive(Debug)]
struct Interface {
    link_type: u16,
    /// Packets are cut to so many bytes; 0 for no limit.
    snap_len: u32,
    resolution: Resolution,
    /// Added to every time, in seconds.
    offset_seconds: i64,
}

/// How long a unit of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resolution {
    /// 10^-n seconds.
    Decimal(u8),
    /// 2^-n seconds.
    Binary(u8),
}

impl Default for Section {
    fn default() -> Self {
        Self { order: ByteOrder::Little, interfaces: Vec::new() }
    }
}

impl Section {
    /// What the bytes at `offset` of the capture begin with.
    pub(crate) fn step(&mut self, bytes: &[u8], offset: u64) -> Result<Step, Error> {
        let Some(head) = bytes.first_chunk::<12>() else {
            return Ok(Step::More);
        };
        if head.starts_with(&SECTION_HEADER) {
            self.order = match head.last_chunk::<4>() {
                Some([0x1a, 0x2b, 0x3c, 0x4d]) => ByteOrder::Big,
                Some([0x4d, 0x3c, 0x2b, 0x1a]) => ByteOrder::Little,
                _ => return Err(Error::BadBlock { offset, what: "section header" }),
            };
            self.interfaces.clear();
        }
        let (Some(kind), Some(len)) = (self.order.u32(head, 0), self.order.u32(head, 4)) else {
            return Ok(Step::More);
        };
        let is_needed = matches!(
            kind,
            INTERFACE_DESCRIPTION | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET
        );
        if len < 12 || !len.is_multiple_of(4) || is_needed && len > MAX_RECORD_LEN {
            return Err(Error::BadLength { offset, len });
        }
        if !is_needed {
            return Ok(Step::Skip(u64::from(len)));
        }
        let Some(block) = bytes.get(..len as usize) else {
            return Ok(Step::More);
        };
        if kind == INTERFACE_DESCRIPTION {
            self.add_interface(block, offset)?;
            return Ok(Step::Skip(u64::from(len)));
        }
        self.packet(kind, block).ok_or(Error::BadBlock { offset, what: "packet block" })
    }

    fn add_interface(&mut self, block: &[u8], offset: u64) -> Result<(), Error> {
        let bad = || Error::BadBlock { offset, what: "interface description" };
        let (link_type, snap_len) = (self.order.u16(block, 8), self.order.u32(block, 12));
        let mut interface = Interface {
            link_type: link_type.ok_or_else(bad)?,
            snap_len: snap_len.ok_or_else(bad)?,
            resolution: Resolution::Decimal(6),
            offset_seconds: 0,
        };
        // An interface whose options are broken still has its link type.
        if let Some(parsed) = self.parse_interface(block) {
            for option in &parsed.options {
                let Ok(value) = option.as_bytes() else { continue };
                match (option.code, value) {
                    (OptionCode::IfTsresol, &[it, ..]) if it & 0x80 != 0 => {
                        interface.resolution = Resolution::Binary(it & 0x7f);
                    }
                    (OptionCode::IfTsresol, &[it, ..]) => {
                        interface.resolution = Resolution::Decimal(it);
                    }
                    (OptionCode::IfTsoffset, it) => {
                        interface.offset_seconds = self.order.i64(it).unwrap_or(0);
                    }
                    _ => {}
                }
            }
        }
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(bad());
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn parse_interface<'a>(&self, block: &'a [u8]) -> Option<InterfaceDescriptionBlock<'a>> {
        let parsed = match self.order {
            ByteOrder::Little => parse_interfacedescriptionblock_le(block),
            ByteOrder::Big => parse_interfacedescriptionblock_be(block),
        };
        Some(parsed.ok()?.1)
    }

    /// The frame in a packet block, or `None` where the block contradicts itself.
    fn packet(&self, kind: u32, block: &[u8]) -> Option<Step> {
        let field = |at| self.order.u32(block, at);
        let body_end = block.len() - 4;
        let (interface, time, len, wire_len, at) = match kind {
            SIMPLE_PACKET => {
                // It has neither a time nor a captured length: the snap length and the block tell.
                let interface = self.interfaces.first()?;
                let wire_len = field(8)?;
                let limit = if interface.snap_len == 0 { u32::MAX } else { interface.snap_len };
                let room = (body_end.checked_sub(12)?) as u32;
                (interface, Timestamp(0), wire_len.min(limit).min(room), wire_len, 12)
            }
            _ => {
                let index = match kind {
                    OBSOLETE_PACKET => u32::from(self.order.u16(block, 8)?),
                    _ => field(8)?,
                };
                let interface = self.interfaces.get(index as usize)?;
                let units = u64::from(field(12)?) << 32 | u64::from(field(16)?);
                let (len, wire_len) = (field(20)?, field(24)?);
                (interface, interface.time(units), len, wire_len, 28)
            }
        };
        let len = len as usize;
        if at + len > body_end {
            return None;
        }
        let wire_len = wire_len.max(len as u32);
        let link_type = interface.link_type;
        Some(Step::Frame { record_len: block.len(), time, link_type, wire_len, at, len })
    }
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
        let interface = Interface { link_type: 1, snap_len: 0, resolution, offset_seconds };
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
