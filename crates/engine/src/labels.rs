//! The verdicts of flows, each made once: as soon as a flow has said all its heads can hold, else at the end.

use classify::{OwnRules, Verdict};
use flow::Flow;

use crate::page;

/// The verdicts so far, by flow.
#[derive(Debug, Default)]
pub(crate) struct Labels(Vec<Option<Verdict>>);

impl Labels {
    /// Labels a flow that has said all its heads can hold.
    pub(crate) fn label(&mut self, number: u32, flow: &mut Flow, own: &OwnRules) {
        let at = number as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some(label(flow, own));
        }
    }

    /// The verdict of a flow that is labelled already.
    pub(crate) fn of(&self, number: u32) -> Option<&Verdict> {
        self.0.get(number as usize)?.as_ref()
    }

    /// Labels the flows that are left, and gives the verdicts of all.
    pub(crate) fn finish(mut self, flows: &mut [Flow], own: &OwnRules) -> Vec<Verdict> {
        self.0.resize(flows.len(), None);
        for (slot, flow) in self.0.iter_mut().zip(flows) {
            if slot.is_none() {
                *slot = Some(label(flow, own));
            }
        }
        // A million verdicts stay in their places, and are not there twice.
        self.0.into_iter().map(|it| it.expect("it was made above")).collect()
    }
}

/// Labels a flow that has said all its heads can hold, or all the capture has, and frees what neither the page shows of
/// its first bytes nor a rule may look at later.
fn label(flow: &mut Flow, own: &OwnRules) -> Verdict {
    let verdict = classify::label(flow, own);
    flow.heads.keep(page::HEAD_LEN.max(own.reach()));
    verdict
}
