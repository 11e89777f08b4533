//! The book's statistics: how many flows have each protocol, client, server, label and port.

use std::{cmp::Reverse, collections::BTreeMap, fmt, net::IpAddr};

use flow::Transport;
use v1::{Count, StatisticItem};

use crate::rows::Row;

/// A title, and under which label a flow counts.
type Statistic = (&'static str, for<'a> fn(&Row<'a>) -> Option<Key<'a>>);

/// A label before it is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'a> {
    Text(&'a str),
    Transport(Transport),
    Ip(IpAddr),
    Port(Transport, u16),
}

/// The statistics and what each counts.
const STATISTICS: &[Statistic] = &[
    // A flow whose protocol is not known counts under its transport, as in the book's example.
    ("protocols", |it| {
        let is_known = it.protocol != classify::UNKNOWN;
        Some(if is_known { Key::Text(it.protocol) } else { Key::Transport(it.transport) })
    }),
    ("clients", |it| Some(Key::Ip(it.client.ip))),
    ("servers", |it| Some(Key::Ip(it.server.ip))),
    ("labels", |it| Some(Key::Text(it.label))),
    ("ports", |it| (it.server.port != 0).then_some(Key::Port(it.transport, it.server.port))),
];

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Transport(transport) => transport.fmt(f),
            Self::Ip(ip) => ip.fmt(f),
            Self::Port(transport, port) => write!(f, "{transport}/{port}"),
        }
    }
}

/// Counts over flows, greatest first, equal ones by label.
pub(crate) fn of<'a>(rows: impl Iterator<Item = Row<'a>> + Clone) -> Vec<StatisticItem> {
    first(rows, usize::MAX)
}

/// The same, of each statistic the first lines alone: a capture may hold a million addresses.
pub(crate) fn first<'a>(
    rows: impl Iterator<Item = Row<'a>> + Clone,
    n_lines: usize,
) -> Vec<StatisticItem> {
    STATISTICS
        .iter()
        .map(|(title, counted)| {
            let mut texts = Texts::default();
            let keys = rows.clone().filter_map(|it| counted(&it));
            let keys = keys.filter(|it| !texts.take(*it)).collect();
            StatisticItem { title: (*title).to_owned(), content: lines(keys, texts, n_lines) }
        })
        .collect()
}

/// Texts, and how often each comes: there are few, and nearly all lie in tables, so that the same lie at the same place.
#[derive(Default)]
struct Texts<'a> {
    counts: BTreeMap<&'a str, u64>,
    places: BTreeMap<[usize; 2], (&'a str, u64)>,
}

/// How many places are gathered before they are counted by what is written there.
const MAX_PLACES: usize = 4_096;

impl<'a> Texts<'a> {
    /// Counts a key that is a text; whether it was one.
    fn take(&mut self, key: Key<'a>) -> bool {
        let Key::Text(text) = key else { return false };
        self.places.entry([text.as_ptr().addr(), text.len()]).or_insert((text, 0)).1 += 1;
        if self.places.len() > MAX_PLACES {
            self.gather();
        }
        true
    }

    fn gather(&mut self) {
        for (text, n) in std::mem::take(&mut self.places).into_values() {
            *self.counts.entry(text).or_default() += n;
        }
    }
}

/// The lines of one statistic. Apart from where the keys are from, so that it is compiled once.
fn lines(mut keys: Vec<Key<'_>>, mut texts: Texts<'_>, n_lines: usize) -> Vec<Count> {
    keys.sort_unstable();
    let counts = keys.chunk_by(|a, b| a == b);
    let counts = counts.filter_map(|same| Some((*same.first()?, same.len() as u64)));
    texts.gather();
    let texts = texts.counts.into_iter().map(|(text, n)| (Key::Text(text), n));
    let counts = only_first(counts.chain(texts).collect(), n_lines).into_iter();
    let counts = counts.map(|(key, count)| Count { label: key.to_string(), count });
    greatest_first(counts.collect())
}

/// The greatest counts; of equal ones at the end those whose labels come first.
fn only_first(mut counts: Vec<(Key<'_>, u64)>, n: usize) -> Vec<(Key<'_>, u64)> {
    if counts.len() <= n {
        return counts;
    }
    counts.sort_unstable_by_key(|it| Reverse(it.1));
    let least = counts.get(n.saturating_sub(1)).map_or(0, |it| it.1);
    let sure = counts.partition_point(|it| it.1 > least);
    let end = counts.partition_point(|it| it.1 >= least);
    let equal = counts.get(sure..end).unwrap_or_default().iter();
    let mut equal: Vec<(String, Key<'_>)> = equal.map(|it| (it.0.to_string(), it.0)).collect();
    if sure < n && n - sure < equal.len() {
        equal.select_nth_unstable(n - sure);
    }
    counts.truncate(sure);
    counts.extend(equal.into_iter().take(n - sure).map(|it| (it.1, least)));
    counts
}

/// Sorts counts, greatest first, equal ones by label, and adds up those of one label.
pub(crate) fn greatest_first(mut counts: Vec<Count>) -> Vec<Count> {
    counts.sort_unstable_by(|a, b| a.label.cmp(&b.label));
    counts.dedup_by(|next, kept| {
        let is_same = next.label == kept.label;
        kept.count += if is_same { next.count } else { 0 };
        is_same
    });
    // By label they are already.
    counts.sort_by_key(|it| Reverse(it.count));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_those_of_all() {
        let counts: Vec<(Key<'_>, u64)> =
            (0..200).map(|it| (Key::Port(Transport::TCP, it), u64::from(it % 7))).collect();
        let lines = |counts: Vec<(Key<'_>, u64)>| {
            let counts = counts.into_iter();
            greatest_first(
                counts.map(|(key, count)| Count { label: key.to_string(), count }).collect(),
            )
        };
        let all = lines(counts.clone());
        for n in [0, 1, 28, 29, 30, 57, 199, 200, 300] {
            let first = lines(only_first(counts.clone(), n));
            assert_eq!(first, all[..n.min(200)], "{n}");
        }
    }
}
