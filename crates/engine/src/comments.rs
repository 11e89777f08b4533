//! What whoever made the capture wrote to its packets, by flow.

use std::collections::BTreeMap;

use capture::plain;
use flow::Left;

/// Comments kept of a flow.
const MAX_OF_FLOW: usize = 8;
/// Comments kept of all flows.
const MAX: usize = 10_000;

/// The comments of flows that have some.
#[derive(Debug, Default)]
pub(crate) struct Comments {
    by_flow: BTreeMap<u32, Vec<String>>,
    n: usize,
}

impl Comments {
    /// Adds a comment to a packet of the flow; one that it has already adds nothing. Whether it was added.
    pub(crate) fn add(&mut self, flow: u32, comment: &str) -> bool {
        if self.n >= MAX {
            return false;
        }
        let of_flow = self.by_flow.entry(flow).or_default();
        let comment = plain(comment);
        let is_new = of_flow.len() < MAX_OF_FLOW && !of_flow.contains(&comment);
        if is_new {
            of_flow.push(comment);
            self.n += 1;
        }
        is_new
    }

    /// Keeps those of flows that are left.
    pub(crate) fn keep(&mut self, kept: &Left) {
        let all = std::mem::take(&mut self.by_flow);
        self.by_flow =
            all.into_iter().filter_map(|(flow, it)| Some((kept.place(flow)?, it))).collect();
    }

    /// The comments of a flow, in order of its packets.
    pub(crate) fn of(&self, flow: u32) -> &[String] {
        self.by_flow.get(&flow).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_keeps_its_first_comments() {
        let mut comments = Comments::default();
        let added: Vec<bool> =
            (0..20).map(|it| comments.add(7, &format!("comment {}", it / 2))).collect();
        assert_eq!(added[..4], [true, false, true, false]);
        assert_eq!(comments.of(7).len(), MAX_OF_FLOW);
        assert_eq!(comments.of(7)[1], "comment 1");
        assert!(comments.of(8).is_empty());
    }

    #[test]
    fn only_so_many_are_kept() {
        let mut comments = Comments::default();
        assert_eq!((0..20_000).filter(|it| comments.add(*it, "so")).count(), MAX);
        assert_eq!(comments.by_flow.len(), MAX);
    }
}
