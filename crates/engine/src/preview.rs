//! What of a capture is known while it is read. Reading waits for it, so it goes over the flows twice and labels
//! the largest, and the host asks seldom.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use classify::Verdict;
use v1::page::Preview;

use crate::{job::Job, page::Tally, rows::Row};

/// How many labels and flows it has at most.
const MAX_LABELS: usize = 12;
const MAX_FLOWS: usize = 100;
/// How many of the largest flows are labelled for it by what they say so far; most flows are labelled only in the end.
const MAX_LABELLED: usize = 1_000;

impl Job {
    /// What is known so far: the flows with most bytes, and the labels of those and of flows that said all they can.
    pub fn preview(&self) -> Preview {
        let (table, labels, own) = self.seen();
        let mut preview = Preview { time_start_ns: u64::MAX, ..Preview::default() };
        let mut largest = BinaryHeap::new();
        for (number, flow) in (0_u32..).zip(table.flows()) {
            preview.time_start_ns = preview.time_start_ns.min(flow.first.0);
            preview.time_end_ns = preview.time_end_ns.max(flow.last.0);
            let (client, server) = flow.own_bytes_by_side();
            preview.client_bytes += client;
            preview.server_bytes += server;
            preview.waiting += u64::from(labels.of(number).is_none());
            // The smallest of the largest is the heap's greatest.
            let size = Reverse((flow.bytes(), Reverse(number)));
            if largest.len() < MAX_LABELLED {
                largest.push(size);
            } else if largest.peek().is_some_and(|it| size < *it) {
                largest.pop();
                largest.push(size);
            }
        }
        if table.is_empty() {
            return Preview::default();
        }
        let largest = largest.into_sorted_vec().into_iter().map(|it| it.0.1.0);
        let guesses: BTreeMap<u32, Verdict> = largest
            .clone()
            .filter(|number| labels.of(*number).is_none())
            .filter_map(|number| {
                let mut flow = table.flows().get(number as usize)?.clone();
                Some((number, classify::label(&mut flow, own)))
            })
            .collect();
        preview.waiting -= guesses.len() as u64;
        let mut tally = Tally::default();
        for (number, flow) in (0_u32..).zip(table.flows()) {
            if let Some(it) = labels.of(number).or_else(|| guesses.get(&number)) {
                tally.add(&it.label, it.group, it.protocol, flow);
            }
        }
        preview.labels = tally.into_rows();
        preview.labels.truncate(MAX_LABELS);
        let rows = largest.take(MAX_FLOWS).filter_map(|number| {
            let flow = table.flows().get(number as usize)?;
            let verdict = labels.of(number).or_else(|| guesses.get(&number))?;
            Some(Row::new(number, 0, flow, verdict).to_texts())
        });
        preview.rows = rows.collect();
        preview
    }
}
