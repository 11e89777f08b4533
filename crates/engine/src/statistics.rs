//! The book's statistics: how many flows have each protocol, client, server, label and port.

use std::collections::BTreeMap;

use v1::{Count, StatisticItem, page::FlowRow};

/// A title, and under which label a flow counts.
type Statistic = (&'static str, fn(&FlowRow) -> Option<String>);

/// The statistics and what each counts.
const STATISTICS: &[Statistic] = &[
    // A flow whose protocol is not known counts under its transport, as in the book's example.
    ("protocols", |it| {
        let is_known = it.protocol != "unknown";
        Some(if is_known { it.protocol.clone() } else { it.transport.clone() })
    }),
    ("clients", |it| Some(it.client_ip.clone())),
    ("servers", |it| Some(it.server_ip.clone())),
    ("labels", |it| Some(it.label.clone())),
    ("ports", |it| (it.server_port != 0).then(|| format!("{}/{}", it.transport, it.server_port))),
];

/// Counts over rows, greatest first, equal ones by label.
pub(crate) fn of<'a>(rows: impl Iterator<Item = &'a FlowRow> + Clone) -> Vec<StatisticItem> {
    STATISTICS
        .iter()
        .map(|(title, counted)| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for label in rows.clone().filter_map(counted) {
                *counts.entry(label).or_default() += 1;
            }
            StatisticItem { title: (*title).to_owned(), content: greatest_first(counts) }
        })
        .collect()
}

/// Counts as a list, greatest first, equal ones by label.
pub(crate) fn greatest_first(counts: BTreeMap<String, u64>) -> Vec<Count> {
    let mut content: Vec<Count> =
        counts.into_iter().map(|(label, count)| Count { label, count }).collect();
    // The map's order keeps equal counts by label.
    content.sort_by_key(|it| std::cmp::Reverse(it.count));
    content
}
