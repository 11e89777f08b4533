//! What a capture is compared by, and how two captures differ.

use std::{cmp::Reverse, collections::BTreeMap};

use flow::Flow;
use v1::page::{
    Amount, ComparedPart, ComparedRow, Comparison, Digest, DigestPart, DigestRow, DigestTotals,
};

use super::hosts::name;
use crate::{Analysis, Filter, rows::Row};

/// How many things of a kind are compared: those with most bytes.
const MAX_ROWS: usize = 20_000;
/// How many of those that are not the same are shown.
const MAX_SHOWN: usize = 1_000;

/// What a capture is compared by.
pub fn digest(analysis: &Analysis) -> Digest {
    digest_of(analysis, &Filter::default())
}

/// What the flows of a capture that pass a filter are compared by.
pub fn digest_of(analysis: &Analysis, filter: &Filter) -> Digest {
    let shown = Shown { analysis, passing: analysis.passing(filter) };
    Digest {
        file_name: analysis.reading().file_name.clone(),
        totals: shown.totals(),
        parts: vec![
            part("labels", &shown, |it| Some((it.label, it.group))),
            part("protocols", &shown, |it| {
                Some((it.protocol, classify::group_of_protocol(it.protocol)))
            }),
            part("names", &shown, |it| Some((it.domain_name()?, ""))),
            hosts(&shown),
            ports(&shown),
        ],
    }
}

/// Some flows of a capture.
struct Shown<'a> {
    analysis: &'a Analysis,
    /// Their numbers, in order.
    passing: Vec<u32>,
}

impl<'a> Shown<'a> {
    fn is_all(&self) -> bool {
        self.passing.len() == self.analysis.n_flows()
    }

    fn has(&self, flow: u32) -> bool {
        self.is_all() || self.passing.binary_search(&flow).is_ok()
    }

    fn flows(&self) -> impl Iterator<Item = &'a Flow> {
        self.passing.iter().filter_map(|it| self.analysis.flows.get(*it as usize))
    }

    fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        self.analysis.each().filter(|it| self.has(it.flow_id))
    }

    fn totals(&self) -> DigestTotals {
        let (analysis, all) = (self.analysis, self.analysis.sessions());
        let mut sessions: Vec<u32> = self.passing.iter().map(|it| all.of(*it)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        // A packet in fragments is many frames, and one packet of its flow.
        let packets = match self.is_all() {
            true => analysis.reading().account.in_flows.frames,
            false => self.flows().map(Flow::packets).sum(),
        };
        let places = 0..analysis.hosts.len() as u32;
        let is_there = |it: &u32| analysis.hosts.ends(*it).iter().any(|end| self.has(end.flow()));
        DigestTotals {
            flows: self.passing.len() as u64,
            sessions: sessions.len() as u64,
            hosts: places.filter(is_there).count() as u64,
            packets,
            bytes: self.flows().map(Flow::own_bytes).sum(),
            time_start_ns: self.flows().map(|it| it.first.0).min().unwrap_or(0),
            time_end_ns: self.flows().map(|it| it.last.0).max().unwrap_or(0),
        }
    }
}

/// What flows have, counted by key.
fn part<'a>(
    kind: &str,
    shown: &Shown<'a>,
    key: impl Fn(&Row<'a>) -> Option<(&'a str, &'a str)>,
) -> DigestPart {
    let keyed = shown.rows().filter_map(|row| {
        let (key, about) = key(&row)?;
        Some((key, about, own_bytes(&row)))
    });
    let mut keyed: Vec<(&str, &str, u64)> = keyed.collect();
    keyed.sort_unstable();
    let alike = keyed.chunk_by(|a, b| a.0 == b.0).filter_map(|alike| {
        let (key, about, _) = alike.first()?;
        Some(((*key, *about), amount(alike.iter().map(|it| it.2))))
    });
    most(kind, alike.collect(), |(key, about)| (key.to_owned(), about.to_owned()))
}

/// Bytes without those of other flows that this one carries.
fn own_bytes(row: &Row<'_>) -> u64 {
    row.bytes() - row.carried_bytes
}

fn ports(shown: &Shown<'_>) -> DigestPart {
    let keyed = shown.rows().filter(|it| it.server.port != 0);
    let mut keyed: Vec<_> =
        keyed.map(|it| ((it.transport, it.server.port), own_bytes(&it))).collect();
    keyed.sort_unstable();
    let alike = keyed
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|alike| Some((alike.first()?.0, amount(alike.iter().map(|it| it.1)))));
    most("ports", alike.collect(), |(transport, port)| {
        (format!("{transport}/{port}"), String::new())
    })
}

fn hosts(shown: &Shown<'_>) -> DigestPart {
    let analysis = shown.analysis;
    let hosts = (0..analysis.hosts.len() as u32).filter_map(|place| {
        let ends = analysis.hosts.ends(place).iter().filter(|it| shown.has(it.flow()));
        let flows = ends.filter_map(|it| analysis.flows.get(it.flow() as usize));
        let amount = amount(flows.map(Flow::bytes));
        let ip = analysis.hosts.ip(place, &analysis.flows)?;
        (amount.flows > 0).then_some((ip, amount))
    });
    most("hosts", hosts.collect(), |ip| (ip.to_string(), name(analysis, ip).unwrap_or_default()))
}

fn amount(bytes: impl Iterator<Item = u64>) -> Amount {
    bytes.fold(Amount::default(), |sum, it| Amount { flows: sum.flows + 1, bytes: sum.bytes + it })
}

/// Those with most bytes; texts are made of them alone.
fn most<K: Ord + Copy>(
    kind: &str,
    mut found: Vec<(K, Amount)>,
    texts: impl Fn(K) -> (String, String),
) -> DigestPart {
    found.sort_unstable_by_key(|it| (Reverse((it.1.bytes, it.1.flows)), it.0));
    let total = found.len() as u64;
    let rows = found.into_iter().take(MAX_ROWS).map(|(key, amount)| {
        let (key, about) = texts(key);
        DigestRow { key, about, amount }
    });
    DigestPart { kind: kind.to_owned(), total, rows: rows.collect() }
}

/// How `there` differs from `here`.
pub fn compare(here: &Digest, there: &Digest) -> Comparison {
    let parts = here.parts.iter().filter_map(|one| {
        let other = there.parts.iter().find(|it| it.kind == one.kind)?;
        Some(compare_part(one, other))
    });
    Comparison { here: here.totals, there: there.totals, parts: parts.collect() }
}

fn compare_part(here: &DigestPart, there: &DigestPart) -> ComparedPart {
    let is_cut = |it: &DigestPart| it.total > it.rows.len() as u64;
    let mut part = ComparedPart {
        kind: here.kind.clone(),
        is_cut: is_cut(here) || is_cut(there),
        ..ComparedPart::default()
    };
    let mut rows: BTreeMap<&str, ComparedRow> = BTreeMap::new();
    let of = |it: &DigestRow| ComparedRow {
        key: it.key.clone(),
        about: it.about.clone(),
        ..ComparedRow::default()
    };
    for it in &here.rows {
        rows.entry(&it.key).or_insert_with(|| of(it)).here = Some(it.amount);
    }
    for it in &there.rows {
        let row = rows.entry(&it.key).or_insert_with(|| of(it));
        row.there = Some(it.amount);
        if row.about.is_empty() {
            row.about.clone_from(&it.about);
        }
    }
    let mut rows: Vec<ComparedRow> = rows.into_values().collect();
    for row in &rows {
        *match (row.here, row.there) {
            (None, _) => &mut part.new,
            (_, None) => &mut part.gone,
            (here, there) if here == there => &mut part.same,
            _ => &mut part.changed,
        } += 1;
    }
    rows.retain(|it| it.here != it.there);
    let change = |it: &ComparedRow| {
        let (here, there) = (it.here.unwrap_or_default(), it.there.unwrap_or_default());
        (here.bytes.abs_diff(there.bytes), here.flows.abs_diff(there.flows))
    };
    // Equal ones stay by key.
    rows.sort_by_key(|it| Reverse(change(it)));
    rows.truncate(MAX_SHOWN);
    part.rows = rows;
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(rows: &[(&str, u64, u64)]) -> Digest {
        let rows = rows.iter().map(|(key, flows, bytes)| DigestRow {
            key: (*key).to_owned(),
            amount: Amount { flows: *flows, bytes: *bytes },
            ..DigestRow::default()
        });
        let rows: Vec<DigestRow> = rows.collect();
        let part = DigestPart { kind: "labels".into(), total: rows.len() as u64, rows };
        Digest { parts: vec![part], ..Digest::default() }
    }

    #[test]
    fn what_is_new_gone_and_changed_is_told_apart() {
        let here = digest_of(&[("dns", 5, 500), ("vk", 2, 9_000), ("ssh", 1, 40)]);
        let there = digest_of(&[("dns", 5, 500), ("vk", 3, 9_100), ("bittorrent", 1, 20_000)]);
        let comparison = compare(&here, &there);
        let part = &comparison.parts[0];
        assert_eq!((part.new, part.gone, part.changed, part.same), (1, 1, 1, 1));
        let keys: Vec<&str> = part.rows.iter().map(|it| &*it.key).collect();
        assert_eq!(keys, ["bittorrent", "vk", "ssh"]);
        assert_eq!(part.rows[0].here, None);
        assert_eq!(part.rows[2].there, None);
        assert!(!part.is_cut);
    }

    #[test]
    fn a_capture_does_not_differ_from_itself() {
        let one = digest_of(&[("dns", 5, 500), ("vk", 2, 9_000)]);
        let part = compare(&one, &one).parts.remove(0);
        assert_eq!((part.same, part.rows.len()), (2, 0));
    }
}
