//! What a flow has to be at least before a protocol is looked for in it: its transport, and by which bytes its sides begin.
//! Heads in, the rows of [`PROTOCOLS`] that may recognise them out; what a row says too little of is only slower.

use std::{ops::RangeInclusive, sync::LazyLock};

use flow::{Heads, Transport};

use crate::protocol::{PROTOCOLS, Protocol};

/// A side may begin by any byte.
pub(crate) const ANY: &[u8] = b"";

/// By which bytes sides begin that speak a protocol, for each transport; one such side is enough. Over a transport with none
/// nothing is recognised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    tcp: Bytes,
    udp: Bytes,
    /// Over UDP, those of any datagram.
    datagrams: Bytes,
    others: Bytes,
}

/// Over TCP, a side beginning by one of these.
pub(crate) const fn tcp(firsts: &[u8]) -> Needs {
    Needs { tcp: Bytes::of(firsts), ..Needs::NOTHING }
}

/// Over TCP, a side beginning by a byte from here to there.
pub(crate) const fn tcp_in(firsts: RangeInclusive<u8>) -> Needs {
    Needs { tcp: Bytes::within(firsts), ..Needs::NOTHING }
}

/// Over UDP, a side whose first datagram begins by one of these.
pub(crate) const fn udp(firsts: &[u8]) -> Needs {
    Needs { udp: Bytes::of(firsts), ..Needs::NOTHING }
}

/// Over UDP, a side whose first datagram begins by a byte from here to there.
pub(crate) const fn udp_in(firsts: RangeInclusive<u8>) -> Needs {
    Needs { udp: Bytes::within(firsts), ..Needs::NOTHING }
}

/// Over UDP, a datagram of either side that begins by one of these, whether or not it is the first.
pub(crate) const fn any_datagram(firsts: &[u8]) -> Needs {
    Needs { datagrams: Bytes::of(firsts), ..Needs::NOTHING }
}

/// Over UDP, a datagram of either side that begins by a byte from here to there.
pub(crate) const fn any_datagram_in(firsts: RangeInclusive<u8>) -> Needs {
    Needs { datagrams: Bytes::within(firsts), ..Needs::NOTHING }
}

/// Over TCP or UDP, the same.
pub(crate) const fn either(firsts: &[u8]) -> Needs {
    tcp(firsts).or(udp(firsts))
}

/// Over any transport but these two, the same.
pub(crate) const fn others(firsts: &[u8]) -> Needs {
    Needs { others: Bytes::of(firsts), ..Needs::NOTHING }
}

/// Over any transport, the same.
pub(crate) const fn any(firsts: &[u8]) -> Needs {
    either(firsts).or(others(firsts))
}

impl Needs {
    const NOTHING: Self =
        Self { tcp: Bytes::NONE, udp: Bytes::NONE, datagrams: Bytes::NONE, others: Bytes::NONE };

    /// These or those.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            tcp: self.tcp.or(other.tcp),
            udp: self.udp.or(other.udp),
            datagrams: self.datagrams.or(other.datagrams),
            others: self.others.or(other.others),
        }
    }
}

/// A set of bytes, a bit for each.
#[derive(Clone, Copy, Debug)]
struct Bytes([u128; 2]);

impl Bytes {
    const NONE: Self = Self([0; 2]);

    const fn of(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let mut all = if bytes.is_empty() { Self([u128::MAX; 2]) } else { Self::NONE };
        while let [byte, behind @ ..] = rest {
            all = all.or(Self::within(*byte..=*byte));
            rest = behind;
        }
        all
    }

    const fn within(range: RangeInclusive<u8>) -> Self {
        // All up to a byte, without those before the first.
        const fn up_to(n: u32) -> u128 {
            if n >= u128::BITS { u128::MAX } else { (1 << n) - 1 }
        }
        let (from, to) = (*range.start() as u32, *range.end() as u32 + 1);
        let low = up_to(to) & !up_to(from);
        let high = up_to(to.saturating_sub(128)) & !up_to(from.saturating_sub(128));
        Self([low, high])
    }

    const fn or(self, other: Self) -> Self {
        let ([low, high], [other_low, other_high]) = (self.0, other.0);
        Self([low | other_low, high | other_high])
    }

    fn is_empty(self) -> bool {
        self.0 == [0; 2]
    }

    fn has(self, byte: u8) -> bool {
        let [low, high] = self.0;
        (if byte < 128 { low } else { high }) >> (byte & 127) & 1 == 1
    }
}

/// A set of rows, a bit for each in their order.
type Rows = [u64; PROTOCOLS.len().div_ceil(64)];

/// The rows that are open where a side or a datagram begins by a byte, for each byte.
type ByFirst = [Rows; 256];

/// Those of each transport; made of what the rows say they need.
struct Open {
    tcp: Box<ByFirst>,
    udp: Box<ByFirst>,
    datagrams: Box<ByFirst>,
    others: Box<ByFirst>,
}

static OPEN: LazyLock<Open> = LazyLock::new(|| {
    let by_first = |of: fn(&Needs) -> Bytes| {
        let mut all = Box::new([Rows::default(); 256]);
        for (at, row) in PROTOCOLS.iter().enumerate() {
            let needed = of(&row.needs);
            if needed.is_empty() {
                continue;
            }
            for (rows, _) in all.iter_mut().zip(0..=u8::MAX).filter(|it| needed.has(it.1)) {
                rows.iter_mut().skip(at / 64).take(1).for_each(|it| *it |= 1 << (at % 64));
            }
        }
        all
    };
    Open {
        tcp: by_first(|it| it.tcp),
        udp: by_first(|it| it.udp),
        datagrams: by_first(|it| it.datagrams),
        others: by_first(|it| it.others),
    }
});

/// The rows that these heads leave open.
fn open(heads: &Heads) -> Rows {
    let mut open = Rows::default();
    let mut add = |by_first: &ByFirst, bytes: &[u8]| {
        let Some(rows) = bytes.first().and_then(|it| by_first.get(usize::from(*it))) else {
            return;
        };
        open.iter_mut().zip(rows).for_each(|(all, it)| *all |= it);
    };
    let by_first = match heads.transport {
        Transport::TCP => &OPEN.tcp,
        Transport::UDP => &OPEN.udp,
        _ => &OPEN.others,
    };
    for side in [&heads.client, &heads.server] {
        add(by_first, side.bytes());
        if heads.transport == Transport::UDP {
            side.datagrams().for_each(|it| add(&OPEN.datagrams, it));
        }
    }
    open
}

/// The rows that may recognise these heads, in their order.
pub(crate) fn rows(heads: &Heads) -> impl Iterator<Item = &'static Protocol> {
    let mut open = open(heads);
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let word = open.get_mut(at)?;
            if *word != 0 {
                let bit = word.trailing_zeros() as usize;
                *word &= *word - 1;
                return PROTOCOLS.get(at * 64 + bit);
            }
            at += 1;
        }
    })
}

/// The others, which have to refuse them.
pub(crate) fn left_out(heads: &Heads) -> impl Iterator<Item = &'static Protocol> {
    let open = open(heads);
    let is_open = move |at: usize| open.get(at / 64).is_some_and(|it| it >> (at % 64) & 1 == 1);
    PROTOCOLS.iter().enumerate().filter(move |it| !is_open(it.0)).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(needs: Needs, expected: impl Fn(u8) -> bool) {
        for byte in 0..=u8::MAX {
            assert_eq!(needs.tcp.has(byte), expected(byte), "{byte:#x}");
        }
    }

    #[test]
    fn bytes_are_those_that_were_said() {
        check(tcp(b"\0A\x7f\x80\xff"), |it| matches!(it, 0 | b'A' | 0x7f | 0x80 | 0xff));
        check(tcp(ANY), |_| true);
        check(udp(ANY), |_| false);
        check(any(b"A"), |it| it == b'A');
        check(tcp_in(0..=0xff), |_| true);
        check(tcp_in(0x70..=0x90), |it| matches!(it, 0x70..=0x90));
        check(tcp_in(0x10..=0x7f).or(tcp_in(0x80..=0x80)), |it| matches!(it, 0x10..=0x80));
    }

    #[test]
    fn every_row_is_open_or_left_out_in_its_order() {
        let heads = Heads::tcp(b"\0", b"G");
        let (open, left_out) = (rows(&heads), left_out(&heads));
        for mut part in [open.collect::<Vec<_>>(), left_out.collect()].map(Vec::into_iter) {
            assert!(part.len() > 32);
            let mut table = PROTOCOLS.iter();
            assert!(part.all(|row| table.any(|it| it.name == row.name)));
        }
        assert_eq!(rows(&heads).count() + super::left_out(&heads).count(), PROTOCOLS.len());
        assert_eq!(rows(&Heads::tcp(b"", b"")).count(), 0);
    }
}
