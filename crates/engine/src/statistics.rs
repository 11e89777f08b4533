//! The book's statistics: how many flows have each protocol, client, server, label and port.

use std::{cmp::Reverse, fmt, net::IpAddr};

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
    STATISTICS
        .iter()
        .map(|(title, counted)| {
            let mut keys: Vec<Key<'_>> = rows.clone().filter_map(|it| counted(&it)).collect();
            keys.sort_unstable();
            let counts = keys.chunk_by(|a, b| a == b).filter_map(|same| {
                Some(Count { label: same.first()?.to_string(), count: same.len() as u64 })
            });
            StatisticItem { title: (*title).to_owned(), content: greatest_first(counts.collect()) }
        })
        .collect()
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
