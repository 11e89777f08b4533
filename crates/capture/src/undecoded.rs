//! Why a frame holds no packet for us: a fact to count by its name, not an error.

use std::fmt;

use crate::link;

/// Why a frame holds no packet for us.
///
/// Its `Display` is a stable English name in lower case: the key under which page, exports and command line count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Undecoded {
    /// Another network protocol, by name: `arp`, `lldp`, `ppp lcp`.
    Protocol(&'static str),
    /// A protocol without a name here, by its EtherType.
    EtherType(u16),
    /// Frames of a link that never carries IP, or whose frames are not read, by its LINKTYPE.
    Link(u16),
    /// What it holds is encrypted, by the name of what encrypts.
    Encrypted(&'static str),
    /// A frame of no bytes.
    Empty,
    /// The snap length cut it inside a header.
    Truncated,
    /// Nothing was cut, and yet it ends inside a header.
    Short,
    /// A header contradicts itself, by the name of the header.
    Malformed(&'static str),
    /// More headers around each other than are followed.
    TooDeep,
    /// Its receiver threw it away, by the name of the header whose checksum is wrong; only where that is
    /// [asked for](crate::Dissector::with_checksums).
    BadChecksum(&'static str),
}

impl Undecoded {
    /// Tells a frame that the snap length cut from one that was as short on the wire.
    pub(crate) fn told_by_length(self, captured: usize, on_wire: u32) -> Self {
        match self {
            Self::Truncated if captured == 0 && on_wire == 0 => Self::Empty,
            Self::Truncated if captured as u64 >= u64::from(on_wire) => Self::Short,
            it => it,
        }
    }
}

impl fmt::Display for Undecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(name) => f.write_str(name),
            Self::EtherType(number) => write!(f, "ethertype 0x{number:04x}"),
            Self::Link(number) => match link::name(*number) {
                Some(name) => f.write_str(name),
                None => write!(f, "link type {number}"),
            },
            Self::Encrypted(name) => write!(f, "encrypted {name}"),
            Self::Empty => f.write_str("empty frame"),
            Self::Truncated => f.write_str("cut inside a header"),
            Self::Short => f.write_str("ends inside a header"),
            Self::Malformed(name) => write!(f, "malformed {name}"),
            Self::TooDeep => f.write_str("nested too deeply"),
            Self::BadChecksum(name) => write!(f, "bad checksum {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_a_stable_name() {
        let check = |reason: Undecoded, name| assert_eq!(reason.to_string(), name);
        check(Undecoded::Protocol("arp"), "arp");
        check(Undecoded::EtherType(0x1234), "ethertype 0x1234");
        check(Undecoded::Link(147), "link type 147");
        check(Undecoded::Encrypted("802.11"), "encrypted 802.11");
        check(Undecoded::Malformed("ip"), "malformed ip");
        check(Undecoded::BadChecksum("tcp"), "bad checksum tcp");
    }

    #[test]
    fn a_short_frame_is_not_a_cut_one() {
        let check = |captured, on_wire, expected| {
            assert_eq!(Undecoded::Truncated.told_by_length(captured, on_wire), expected);
        };
        check(14, 60, Undecoded::Truncated);
        check(14, 14, Undecoded::Short);
        check(0, 0, Undecoded::Empty);
        check(0, 60, Undecoded::Truncated);
    }
}
