//! Rows of the flow table in order of a column. Keys are taken out of the rows once, eight bytes at a time, so that a
//! million rows are sorted as numbers; texts and addresses go on where those bytes are the same.

use std::{net::IpAddr, ops::Range};

use classify::{Fact, Verdict};
use flow::{ConnState, Endpoint, Flow, SideHealth};
use v1::page::FlowSort;

/// What a row can be sorted by: a flow's, or of a piece what is the piece's own.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) number: u32,
    pub(super) session: u32,
    pub(super) flow: &'a Flow,
    pub(super) verdict: &'a Verdict,
    /// The label as rules and payload have it, and its group.
    pub(super) by_rules: (&'a str, &'a str),
    pub(super) client: Endpoint,
    pub(super) server: Endpoint,
    pub(super) first_ns: u64,
    pub(super) last_ns: u64,
    pub(super) packets: [u64; 2],
    pub(super) bytes: [u64; 2],
    /// The state of a piece; of a flow its own.
    pub(super) state: Option<Option<ConnState>>,
}

impl Item<'_> {
    fn state(&self) -> Option<ConnState> {
        self.state.unwrap_or_else(|| self.flow.conn_state())
    }
}

/// A part of a column's order: rows that are equal by it are ordered by the next part.
#[derive(Clone, Copy)]
enum Key {
    Number(fn(&Item<'_>) -> Option<u64>),
    Text(for<'a> fn(&Item<'a>) -> Option<&'a str>),
    Address(fn(&Item<'_>) -> IpAddr),
}

/// Where a row has no value.
const BLANK: u64 = u64::MAX;
/// How many bytes of a text are in a key; the last of the eight says how many of these there are.
const TEXT_BYTES: usize = 7;
/// Bits of an IPv6 address in each key after the first, which has 32.
const ADDRESS_BITS: u32 = 48;

/// The order of a column; what is equal by all of it is in order of the first packet.
fn keys(column: FlowSort) -> &'static [Key] {
    const CLIENT_PORT: Key = Key::Number(|it| Some(it.client.port.into()));
    const SERVER_PORT: Key = Key::Number(|it| Some(it.server.port.into()));
    const CONFIDENCE: Key = Key::Number(|it| match &it.verdict.reason {
        classify::Reason::Model(guess) => Some(guess.percent().into()),
        _ => None,
    });
    match column {
        FlowSort::Number => &[Key::Number(|it| Some(it.number.into()))],
        FlowSort::Start => &[Key::Number(|it| Some(it.first_ns))],
        FlowSort::End => &[Key::Number(|it| Some(it.last_ns))],
        FlowSort::Duration => &[Key::Number(|it| Some(it.last_ns.saturating_sub(it.first_ns)))],
        FlowSort::Label => &[Key::Text(label), Key::Text(|it| Some(it.verdict.protocol))],
        FlowSort::Protocol => &[Key::Text(|it| Some(it.verdict.protocol))],
        FlowSort::Transport => &[Key::Number(|it| Some(it.flow.transport.0.into()))],
        FlowSort::Group => &[Key::Text(|it| Some(it.by_rules.1))],
        FlowSort::Client => &[Key::Address(|it| it.client.ip), CLIENT_PORT],
        FlowSort::ClientPort => &[CLIENT_PORT],
        // Names before addresses.
        FlowSort::Server => &[Key::Text(name), Key::Address(|it| it.server.ip), SERVER_PORT],
        FlowSort::ServerAddress => &[Key::Address(|it| it.server.ip), SERVER_PORT],
        FlowSort::ServerPort => &[SERVER_PORT],
        FlowSort::Name => &[Key::Text(name)],
        FlowSort::Packets => &[Key::Number(|it| Some(it.packets[0] + it.packets[1]))],
        FlowSort::ClientPackets => &[Key::Number(|it| Some(it.packets[0]))],
        FlowSort::ServerPackets => &[Key::Number(|it| Some(it.packets[1]))],
        FlowSort::Bytes => &[Key::Number(|it| Some(it.bytes[0] + it.bytes[1]))],
        FlowSort::ClientBytes => &[Key::Number(|it| Some(it.bytes[0]))],
        FlowSort::ServerBytes => &[Key::Number(|it| Some(it.bytes[1]))],
        FlowSort::State => &[Key::Text(|it| it.state().map(ConnState::name))],
        FlowSort::Agent => &[Key::Text(|it| it.verdict.facts().told.get(Fact::UserAgent))],
        FlowSort::Ja4 => &[Key::Text(|it| it.verdict.facts().told.get(Fact::Ja4))],
        FlowSort::Session => &[Key::Number(|it| Some(it.session.into()))],
        FlowSort::Evidence => &[Key::Text(|it| Some(it.verdict.evidence()))],
        FlowSort::Guess => &[Key::Text(guess), CONFIDENCE],
        FlowSort::Confidence => &[CONFIDENCE],
        FlowSort::Tunnel => &[Key::Number(|it| Some(it.flow.tunnels()?.parent?.into()))],
        FlowSort::Handshake => &[Key::Number(|it| slower(it.flow, |it| it.handshake_ns))],
        FlowSort::RoundTrip => &[Key::Number(|it| slower(it.flow, |it| it.round_trip_ns))],
        FlowSort::Retransmissions => {
            &[Key::Number(|it| both(it.flow, |it| it.retransmissions.into()))]
        }
        FlowSort::LostBytes => &[Key::Number(|it| both(it.flow, |it| it.lost_bytes))],
    }
}

fn label<'a>(item: &Item<'a>) -> Option<&'a str> {
    Some(item.by_rules.0)
}

fn guess<'a>(item: &Item<'a>) -> Option<&'a str> {
    matches!(item.verdict.reason, classify::Reason::Model(_)).then_some(&*item.verdict.label)
}

fn name<'a>(item: &Item<'a>) -> Option<&'a str> {
    item.verdict.facts().server_name.as_deref()
}

/// The greater time of an established connection's two sides.
pub(super) fn slower(flow: &Flow, of: fn(&SideHealth) -> Option<u64>) -> Option<u64> {
    let health = flow.health()?;
    of(&health.client).max(of(&health.server))
}

/// What befell both sides of an established connection.
pub(super) fn both(flow: &Flow, of: fn(&SideHealth) -> u64) -> Option<u64> {
    let health = flow.health()?;
    Some(of(&health.client) + of(&health.server))
}

/// The values of one part of the order, row for row: they are taken out of the rows once, for these lie far apart.
enum Values<'a> {
    Numbers(Vec<Option<u64>>),
    Texts(Vec<Option<&'a str>>),
    Addresses(Vec<Option<IpAddr>>),
}

impl<'a> Values<'a> {
    fn new(key: Key, n: usize, item: &impl Fn(u32) -> Option<Item<'a>>) -> Self {
        let items = (0..n as u32).map(item);
        match key {
            Key::Number(of) => Self::Numbers(items.map(|it| of(&it?)).collect()),
            Key::Text(of) => Self::Texts(items.map(|it| of(&it?)).collect()),
            Key::Address(of) => Self::Addresses(items.map(|it| Some(of(&it?))).collect()),
        }
    }

    /// The nth eight bytes of a row's value: in the order of the values, as far as eight bytes tell.
    fn part(&self, row: u32, n: usize) -> u64 {
        let row = row as usize;
        match self {
            Self::Numbers(values) => {
                values.get(row).copied().flatten().map_or(BLANK, |it| it.min(BLANK - 1))
            }
            Self::Texts(values) => {
                values.get(row).copied().flatten().map_or(BLANK, |it| text_part(it, n))
            }
            Self::Addresses(values) => {
                values.get(row).copied().flatten().map_or(BLANK, |it| address_part(it, n))
            }
        }
    }

    /// Whether rows whose nth eight bytes are these may still differ.
    fn goes_on(&self, part: u64, n: usize) -> bool {
        match self {
            _ if part == BLANK => false,
            Self::Numbers(_) => false,
            Self::Texts(_) => text_goes_on(part),
            Self::Addresses(_) => n == 1 || n == 0 && part >> 32 != 0,
        }
    }
}

/// The nth part of an address: IPv4 before IPv6.
fn address_part(ip: IpAddr, n: usize) -> u64 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) if n == 0 => (1 << 32) + (ip.to_bits() >> 96) as u64,
        IpAddr::V6(ip) => {
            let shift = 96_u32.saturating_sub(ADDRESS_BITS * n as u32);
            (ip.to_bits() >> shift) as u64 & ((1 << ADDRESS_BITS) - 1)
        }
    }
}

/// The nth seven bytes of a text, and how many there are: a text that ends comes before those that go on.
fn text_part(text: &str, n: usize) -> u64 {
    let rest = text.as_bytes().get(n * TEXT_BYTES..).unwrap_or_default();
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(rest.iter().take(TEXT_BYTES)) {
        *to = *from;
    }
    key[TEXT_BYTES] = rest.len().min(TEXT_BYTES + 1) as u8;
    u64::from_be_bytes(key)
}

fn text_goes_on(part: u64) -> bool {
    part & 0xff > TEXT_BYTES as u64
}

/// Rows from the smallest to the greatest.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    rows: Vec<u32>,
    /// Where rows are equal: two and more of them.
    equal: Vec<Range<u32>>,
    /// How many have a value; those that have none come last, whatever the direction.
    n_known: usize,
}

impl Sorted {
    /// Sorts so many rows, which are numbered in order of their first packet.
    pub(super) fn new<'a>(
        column: FlowSort,
        n_rows: usize,
        item: impl Fn(u32) -> Option<Item<'a>>,
    ) -> Self {
        let keys = keys(column);
        // With the row beside the key no two are equal, and what is equal by the column stays in order.
        let mut rows: Vec<(u64, u32)> = (0..n_rows as u32).map(|it| (0, it)).collect();
        let mut equal = Vec::new();
        equal.extend((n_rows > 1).then_some(0..n_rows));
        for key in keys {
            if equal.is_empty() {
                break;
            }
            let values = Values::new(*key, n_rows, &item);
            let mut waiting = std::mem::take(&mut equal);
            let mut n = 0;
            while !waiting.is_empty() {
                let mut longer = Vec::new();
                for run in waiting {
                    let Some(part) = rows.get_mut(run.clone()) else { continue };
                    for (bytes, row) in part.iter_mut() {
                        *bytes = values.part(*row, n);
                    }
                    part.sort_unstable();
                    let mut from = run.start;
                    for same in part.chunk_by(|a, b| a.0 == b.0) {
                        let run = from..from + same.len();
                        from = run.end;
                        if let [(bytes, _), _, ..] = same {
                            let is_longer = values.goes_on(*bytes, n);
                            if is_longer { &mut longer } else { &mut equal }.push(run);
                        }
                    }
                }
                waiting = longer;
                n += 1;
            }
            equal.sort_unstable_by_key(|it| it.start);
        }
        let n_blank = match keys {
            [_] => rows.iter().rev().take_while(|it| it.0 == BLANK).count(),
            // A row without the first value has the second.
            _ => 0,
        };
        let n_known = n_rows - n_blank;
        let equal = equal.into_iter().map(|it| it.start as u32..it.end as u32);
        Self { equal: equal.collect(), n_known, rows: rows.into_iter().map(|it| it.1).collect() }
    }

    /// The rows in one direction; equal ones are in order of their first packet in both.
    pub(super) fn rows(&self, is_descending: bool) -> Vec<u32> {
        let mut rows = self.rows.clone();
        if !is_descending {
            return rows;
        }
        let Some((known, _)) = rows.split_at_mut_checked(self.n_known) else { return rows };
        known.reverse();
        for run in &self.equal {
            let end = |it: u32| self.n_known.checked_sub(it as usize);
            if let (Some(from), Some(to)) = (end(run.end), end(run.start))
                && let Some(same) = known.get_mut(from..to)
            {
                same.reverse();
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of texts compare as the texts do.
    #[track_caller]
    fn check(texts: &[&str]) {
        let parts = |text: &str| {
            let mut parts = vec![text_part(text, 0)];
            while text_goes_on(parts[parts.len() - 1]) {
                parts.push(text_part(text, parts.len()));
            }
            parts
        };
        for a in texts {
            for b in texts {
                assert_eq!(parts(a).cmp(&parts(b)), a.cmp(b), "{a:?} {b:?}");
            }
            assert!(parts(a) < vec![BLANK]);
        }
    }

    #[test]
    fn parts_of_texts_are_in_the_order_of_the_texts() {
        check(&["", "a", "a\0", "a\0\0\0\0\0\0", "a\0\0\0\0\0\0\0", "abcdefg", "abcdefg\0"]);
        check(&["abcdefgh", "abcdefgi", "abcdefghijklmn", "abcdefghijklmno", "я", "\u{10ffff}"]);
    }
}
