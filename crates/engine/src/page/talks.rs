//! Who talks to whom: clients against servers or labels, those with most bytes by name, all others together.

use std::{cmp::Reverse, net::IpAddr};

use v1::page::{Amount, Talk, TalkBy, TalkEnd, Talks};

use super::hosts::name;
use crate::{Analysis, rows::Row};

/// The most ends a side can have.
const MAX_ENDS: u32 = 200;

/// An end before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End<'a> {
    Host(IpAddr),
    Label(&'a str),
}

/// Flows between the same two ends, of one group.
type Same<'a> = (End<'a>, End<'a>, &'a str);

pub(super) fn talks(analysis: &Analysis, filter: &str, by: TalkBy, n_ends: u32) -> Talks {
    let chosen = match analysis.chosen(filter) {
        Ok(chosen) => chosen,
        Err(error) => return Talks { filter_error: Some(error), ..Talks::default() },
    };
    let all = chosen.rows(analysis).map(|it| (key(it, by), it.bytes() - it.carried_bytes));
    // Sorted and not hashed: whoever sends can choose the addresses.
    let mut all: Vec<(Same<'_>, u64)> = all.collect();
    all.sort_unstable();
    let same = all.chunk_by(|a, b| a.0 == b.0).filter_map(|same| {
        let bytes = same.iter().map(|it| it.1).sum();
        Some((same.first()?.0, Amount { flows: same.len() as u64, bytes }))
    });
    let same: Vec<(Same<'_>, Amount)> = same.collect();
    let n_ends = n_ends.clamp(1, MAX_ENDS) as usize;
    let clients = Side::new(same.iter().map(|it| (it.0.0, it.1)).collect(), n_ends);
    let servers = Side::new(same.iter().map(|it| (it.0.1, it.1)).collect(), n_ends);
    let placed = same.iter().map(|((client, server, group), amount)| {
        ((clients.place(*client), servers.place(*server)), *amount, *group)
    });
    let mut placed: Vec<((u32, u32), Amount, &str)> = placed.collect();
    placed.sort_unstable_by_key(|it| (it.0, it.2));
    let talks = placed.chunk_by(|a, b| a.0 == b.0).filter_map(|same| {
        let ((client, server), ..) = *same.first()?;
        let groups = same.chunk_by(|a, b| a.2 == b.2).filter_map(|of_group| {
            Some((of_group.iter().map(|it| it.1.bytes).sum::<u64>(), of_group.first()?.2))
        });
        let groups: Vec<(u64, &str)> = groups.collect();
        let is_lump = clients.is_others(client) || servers.is_others(server);
        let is_mixed = is_lump && groups.len() > 1;
        // Of equal ones the first in order.
        let group = groups.into_iter().min_by_key(|it| (Reverse(it.0), it.1))?.1;
        let group = if is_mixed { String::new() } else { group.to_owned() };
        let amount = sum(same.iter().map(|it| it.1));
        Some(Talk { client, server, group, amount })
    });
    let mut talks: Vec<Talk> = talks.collect();
    talks.sort_by_key(|it| Reverse((it.amount.bytes, it.amount.flows)));
    Talks {
        clients: clients.into_ends(analysis),
        servers: servers.into_ends(analysis),
        talks,
        flows: all.len() as u64,
        filter_error: None,
    }
}

fn key(row: Row<'_>, by: TalkBy) -> Same<'_> {
    let server = match by {
        TalkBy::Server => End::Host(row.server.ip),
        TalkBy::Label => End::Label(row.label),
    };
    (End::Host(row.client.ip), server, row.group)
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::default(), |sum, it| Amount {
        flows: sum.flows + it.flows,
        bytes: sum.bytes + it.bytes,
    })
}

/// The ends of one side: those with most bytes, and all others together.
struct Side<'a> {
    most: Vec<(End<'a>, Amount)>,
    /// The same ends in order, with their places.
    places: Vec<(End<'a>, u32)>,
    n_others: u64,
    others: Amount,
}

impl<'a> Side<'a> {
    fn new(mut all: Vec<(End<'a>, Amount)>, n: usize) -> Self {
        all.sort_unstable_by_key(|it| it.0);
        let ends = all.chunk_by(|a, b| a.0 == b.0);
        let ends = ends.filter_map(|same| Some((same.first()?.0, sum(same.iter().map(|it| it.1)))));
        let mut most: Vec<(End<'a>, Amount)> = ends.collect();
        most.sort_unstable_by_key(|it| (Reverse((it.1.bytes, it.1.flows)), it.0));
        let others = most.split_off(n.min(most.len()));
        let mut places: Vec<(End<'a>, u32)> = most.iter().map(|it| it.0).zip(0..).collect();
        places.sort_unstable();
        let n_others = others.len() as u64;
        Self { most, places, n_others, others: sum(others.into_iter().map(|it| it.1)) }
    }

    fn place(&self, end: End<'a>) -> u32 {
        let found = self.places.binary_search_by_key(&end, |it| it.0).ok();
        let place = found.and_then(|at| self.places.get(at)).map(|it| it.1);
        place.unwrap_or(self.most.len() as u32)
    }

    /// Whether this is the place of all others.
    fn is_others(&self, place: u32) -> bool {
        place as usize >= self.most.len()
    }

    fn into_ends(self, analysis: &Analysis) -> Vec<TalkEnd> {
        let ends = self.most.into_iter().map(|(end, amount)| {
            let (key, name) = match end {
                End::Host(ip) => (ip.to_string(), name(analysis, ip)),
                End::Label(label) => (label.to_owned(), None),
            };
            TalkEnd { key, name, n: 1, amount }
        });
        let mut ends: Vec<TalkEnd> = ends.collect();
        if self.n_others > 0 {
            let (n, amount) = (self.n_others, self.others);
            ends.push(TalkEnd { n, amount, ..TalkEnd::default() });
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(last: u8) -> End<'static> {
        End::Host(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn what_is_not_among_the_first_stands_with_all_others() {
        let amount = |bytes| Amount { flows: 1, bytes };
        let all = vec![(end(1), amount(5)), (end(2), amount(9)), (end(3), amount(1))];
        let side = Side::new([all.clone(), all].concat(), 1);
        assert_eq!(side.place(end(2)), 0);
        assert_eq!((side.place(end(1)), side.place(end(3))), (1, 1));
        assert!(side.is_others(1) && !side.is_others(0));
        assert_eq!((side.n_others, side.others), (2, Amount { flows: 4, bytes: 12 }));
        assert_eq!(side.most, [(end(2), Amount { flows: 2, bytes: 18 })]);
    }

    #[test]
    fn a_side_with_few_ends_has_no_others() {
        let side = Side::new(vec![(end(1), Amount::default())], 5);
        assert_eq!((side.most.len(), side.n_others), (1, 0));
    }
}
