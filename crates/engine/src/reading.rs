//! Counts by reason, in words.

use std::collections::BTreeMap;

use capture::Undecoded;
use v1::Count;

/// Frames in no flow by reason, most first.
pub(crate) fn counts(undecoded: &BTreeMap<Undecoded, u64>) -> Vec<Count> {
    let mut counts: Vec<Count> = undecoded
        .iter()
        .map(|(reason, count)| Count { label: reason.to_string(), count: *count })
        .collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    counts
}
