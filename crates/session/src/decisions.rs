//! What a user decides of sessions, after they were found: which flow is in the wrong one, which two belong together.

use std::collections::BTreeSet;

use crate::{Edge, Kind, Sessions, Sets};

/// A user's word on what belongs together; flows by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The flow is a session of its own. The others of its session stay together, whatever joined them.
    Apart(u32),
    /// The sessions of the two flows are one.
    Together(u32, u32),
}

/// So many decisions are kept of a capture.
pub const MAX_DECISIONS: usize = 1_000;

impl Sessions {
    /// The sessions as a user decided, one decision after the other. Those of flows there are not change nothing, nor do
    /// those beyond [`MAX_DECISIONS`].
    pub fn decided(&self, decisions: &[Decision]) -> Self {
        let n_flows = self.of.len() as u32;
        let is_known = |it: &Decision| match *it {
            Decision::Apart(flow) => flow < n_flows,
            Decision::Together(a, b) => a < n_flows && b < n_flows,
        };
        let known: Vec<Decision> =
            decisions.iter().take(MAX_DECISIONS).copied().filter(is_known).collect();
        // Sets of sessions; a flow put apart moves to a new one.
        let mut place = self.of.clone();
        let mut sets = Sets::new(self.len() + known.len());
        let mut apart = BTreeSet::new();
        let mut edges = Vec::new();
        for (fresh, decision) in (self.len() as u32..).zip(known) {
            match decision {
                Decision::Apart(flow) => {
                    apart.insert(flow);
                    if let Some(slot) = place.get_mut(flow as usize) {
                        *slot = fresh;
                    }
                }
                Decision::Together(a, b) => {
                    let at = |flow: u32| place.get(flow as usize).copied().unwrap_or(fresh);
                    if sets.join(at(a), at(b)) {
                        let (from, to) = (a.min(b), a.max(b));
                        edges.push(Edge { from, to, kind: Kind::User, percent: 100 });
                    }
                }
            }
        }
        let sessions = Self::of_sets(place.into_iter().map(|it| sets.root(it)).collect());
        // What was found of a flow put apart says nothing where it is now; nor does a word taken back.
        let is_inside = |it: &Edge| sessions.of(it.from) == sessions.of(it.to);
        edges.retain(is_inside);
        edges.extend(self.edges.iter().filter(|it| is_inside(it) || !apart.contains(&it.to)));
        sessions.with(edges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sessions 0 1 2 and 3 4, held together from flow to flow.
    fn found() -> Sessions {
        let edge = |from, to| Edge { from, to, kind: Kind::DnsAnswer, percent: 95 };
        Sessions::of_sets(vec![0, 0, 0, 3, 3]).with(vec![edge(0, 1), edge(1, 2), edge(3, 4)])
    }

    #[track_caller]
    fn check(decisions: &[Decision], members: &[&[u32]], edges: &[(u32, u32)]) {
        let decided = found().decided(decisions);
        let sessions: Vec<_> = (0..).map_while(|it| decided.get(it)).collect();
        assert_eq!(sessions.iter().map(|it| it.members).collect::<Vec<_>>(), members);
        let told = sessions.iter().flat_map(|it| it.edges).map(|it| (it.from, it.to));
        assert_eq!(told.collect::<Vec<_>>(), edges);
    }

    #[test]
    fn nothing_decided_changes_nothing() {
        check(&[], &[&[0, 1, 2], &[3, 4]], &[(0, 1), (1, 2), (3, 4)]);
        let beyond = [Decision::Apart(5), Decision::Together(0, 9), Decision::Together(0, 2)];
        check(&beyond, &[&[0, 1, 2], &[3, 4]], &[(0, 1), (1, 2), (3, 4)]);
    }

    #[test]
    fn a_flow_put_apart_leaves_the_others_together() {
        check(&[Decision::Apart(1)], &[&[0, 2], &[1], &[3, 4]], &[(1, 2), (3, 4)]);
        check(&[Decision::Apart(0)], &[&[0], &[1, 2], &[3, 4]], &[(0, 1), (1, 2), (3, 4)]);
    }

    #[test]
    fn sessions_put_together_are_one() {
        let whole: &[&[u32]] = &[&[0, 1, 2, 3, 4]];
        check(&[Decision::Together(4, 2)], whole, &[(0, 1), (1, 2), (2, 4), (3, 4)]);
    }

    #[test]
    fn decisions_follow_each_other() {
        let moved = [Decision::Apart(2), Decision::Together(2, 3)];
        check(&moved, &[&[0, 1], &[2, 3, 4]], &[(0, 1), (2, 3), (3, 4)]);
        let back = [moved[0], moved[1], Decision::Apart(2), Decision::Together(1, 2)];
        check(&back, &[&[0, 1, 2], &[3, 4]], &[(0, 1), (1, 2), (1, 2), (3, 4)]);
    }
}
