//! One test of a filter, and whether a flow passes it. Nothing is allocated for a flow where its texts are at hand.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv6Addr},
};

use classify::Fact;
use flow::Transport;

use super::{
    keys::{Addresses, Flag, Numbers, Text},
    values::{Expression, Needle, Networks, Operator, Ranges, Texts},
};
use crate::rows::Row;

#[derive(Clone, Debug)]
pub(super) enum Test {
    /// A word in any text.
    Word(Word),
    Text(Text, TextTest),
    Fact(Fact, TextTest),
    /// Those whose numbers are marked.
    Transport(Box<[bool; 256]>),
    Network(Addresses, Networks),
    /// The country of an address; where nobody knows it, there is none.
    Country(Addresses, TextTest),
    Number(Numbers, Operator, u64),
    /// A number that is one of these.
    Numbers(Numbers, Ranges),
    Flag(Flag, bool),
}

/// How a text is compared.
#[derive(Clone, Debug)]
pub(super) enum TextTest {
    /// That there is one.
    Any,
    Is(Needle),
    Contains(Needle),
    OneOf(Texts),
    Matches(Expression),
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(needle) => needle.is(text),
            Self::Contains(needle) => needle.is_in(text),
            Self::OneOf(texts) => texts.hold(text),
            Self::Matches(expression) => expression.is_in(text),
        }
    }
}

/// A word that is searched for, and where it can be at all.
#[derive(Clone, Debug)]
pub(super) struct Word {
    needle: Needle,
    transports: Box<[bool; 256]>,
    may_be_v4: bool,
    may_be_v6: bool,
}

impl Test {
    pub(super) fn word(text: &str) -> Self {
        let needle = Needle::new(text);
        let is_made_of = |is_part: fn(&u8) -> bool| needle.text().bytes().all(|it| is_part(&it));
        Self::Word(Word {
            transports: transports(|it| needle.is_in(it)),
            may_be_v4: is_made_of(|it| it.is_ascii_digit() || *it == b'.'),
            may_be_v6: is_made_of(|it| it.is_ascii_hexdigit() || b":.".contains(it)),
            needle,
        })
    }

    pub(super) fn transport(test: &TextTest) -> Self {
        Self::Transport(transports(|it| test.holds(it)))
    }

    /// Whether the row passes; times are counted from when the capture began (ns).
    pub(super) fn holds(&self, row: &Row<'_>, zero: u64) -> bool {
        match self {
            Self::Word(word) => word.is_in(row),
            Self::Text(of, test) => of(row).is_some_and(|it| test.holds(&it)),
            Self::Fact(fact, test) => row.fact(*fact).is_some_and(|it| test.holds(it)),
            Self::Transport(marks) => is_marked(marks, row.transport),
            Self::Network(of, networks) => of(row).iter().any(|it| networks.holds(*it)),
            Self::Country(of, test) => row.countries.is_some_and(|countries| {
                of(row).iter().any(|it| countries.of(*it).is_some_and(|it| test.holds(it)))
            }),
            Self::Flag(of, is_on) => row.transport == Transport::TCP && of(row) == *is_on,
            Self::Numbers(of, ranges) => {
                of(row, zero).is_some_and(|it| it.iter().any(|it| ranges.holds((*it).into())))
            }
            Self::Number(of, operator, value) => {
                // What is not there differs from every number, and is no less and no more.
                let Some(numbers) = of(row, zero) else { return *operator == Operator::IsNot };
                match operator {
                    Operator::IsNot => numbers.iter().all(|it| it != value),
                    Operator::Less => numbers.iter().any(|it| it < value),
                    Operator::LessOrEqual => numbers.iter().any(|it| it <= value),
                    Operator::Greater => numbers.iter().any(|it| it > value),
                    Operator::GreaterOrEqual => numbers.iter().any(|it| it >= value),
                    _ => numbers.iter().any(|it| it == value),
                }
            }
        }
    }
}

impl Word {
    /// Whether it stands in a text of the row. The reason is ours and not searched.
    fn is_in(&self, row: &Row<'_>) -> bool {
        // What is at hand first, what must be gone for last.
        is_marked(&self.transports, row.transport)
            || [row.label, row.protocol, row.group].iter().any(|it| self.needle.is_in(it))
            || self.is_in_address(row.client.ip)
            || self.is_in_address(row.server.ip)
            || row.conn_state().is_some_and(|it| self.needle.is_in(it))
            || row.domain_name().is_some_and(|it| self.needle.is_in(it))
            || row.facts().any(|it| self.needle.is_in(it.1))
    }

    fn is_in_address(&self, ip: IpAddr) -> bool {
        let is_possible = match ip {
            IpAddr::V4(_) => self.may_be_v4,
            // Only the few that hold an address of IPv4 are written with dots.
            IpAddr::V6(it) => {
                self.may_be_v6 && (!self.needle.text().contains('.') || is_dotted(it))
            }
        };
        let mut written = Written { bytes: [0; 48], len: 0 };
        let is_written = match ip {
            _ if !is_possible => return false,
            IpAddr::V4(it) => written.octets(it.octets()),
            IpAddr::V6(it) => write!(written, "{it}"),
        };
        is_written.is_ok() && self.needle.is_in(written.text())
    }
}

fn is_dotted(ip: Ipv6Addr) -> bool {
    ip.to_bits() >> 48 == 0 || ip.to_ipv4_mapped().is_some()
}

/// An address as text, without an allocation.
struct Written {
    bytes: [u8; 48],
    len: usize,
}

impl Written {
    /// An address of IPv4, faster than the standard library writes it.
    fn octets(&mut self, octets: [u8; 4]) -> std::fmt::Result {
        for (at, octet) in octets.into_iter().enumerate() {
            let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|it| b'0' + it);
            let first = if octet > 99 { 0 } else { usize::from(octet < 10) + 1 };
            let dot = if at == 0 { &b""[..] } else { b"." };
            for byte in dot.iter().chain(digits.get(first..).unwrap_or_default()) {
                *self.bytes.get_mut(self.len).ok_or(std::fmt::Error)? = *byte;
                self.len += 1;
            }
        }
        Ok(())
    }

    fn text(&self) -> &str {
        self.bytes.get(..self.len).and_then(|it| std::str::from_utf8(it).ok()).unwrap_or_default()
    }
}

impl std::fmt::Write for Written {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

fn transports(is_such: impl Fn(&str) -> bool) -> Box<[bool; 256]> {
    let mut marks = Box::new([false; 256]);
    for (number, mark) in (0..=u8::MAX).zip(marks.iter_mut()) {
        *mark = is_such(&Transport(number).to_string());
    }
    marks
}

fn is_marked(marks: &[bool; 256], transport: Transport) -> bool {
    marks.get(usize::from(transport.0)).is_some_and(|it| *it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_everywhere() {
        for text in ["0.0.0.0", "9.10.99.100", "255.199.200.1"] {
            let mut written = Written { bytes: [0; 48], len: 0 };
            let ip: std::net::Ipv4Addr = text.parse().unwrap();
            written.octets(ip.octets()).unwrap();
            assert_eq!(written.text(), text);
        }
    }
}
