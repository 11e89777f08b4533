//! The verdicts of flows, each made once: as soon as a flow has said all its heads can hold, else at the end.

use classify::Verdict;
use flow::Flow;

use crate::page;

/// The verdicts so far, by flow.
#[derive(Debug, Default)]
pub(crate) struct Labels(Vec<Option<Verdict>>);

impl Labels {
    /// Labels a flow that has said all its heads can hold.
    pub(crate) fn label(&mut self, number: u32, flow: &mut Flow) {
        let at = number as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, None);
        }
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some(label(flow));
        }
    }

    /// Labels the flows that are left, and gives the verdicts of all.
    pub(crate) fn finish(mut self, flows: &mut [Flow]) -> Vec<Verdict> {
        self.0.resize(flows.len(), None);
        let verdicts = self.0.into_iter().zip(flows);
        verdicts.map(|(known, flow)| known.unwrap_or_else(|| label(flow))).collect()
    }
}

/// Labels a flow that has said all its heads can hold, or all the capture has, and frees what the page does not show of
/// its first bytes.
fn label(flow: &mut Flow) -> Verdict {
    let verdict = classify::label(flow);
    flow.heads.keep(page::HEAD_LEN);
    verdict
}
