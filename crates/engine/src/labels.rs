//! The verdicts of flows, each made once: as soon as a flow has said all its heads can hold, else at the end.

use std::{iter, mem};

use classify::{Findings, OwnRules, Verdict};
use flow::{Flow, Left, Many};

use crate::page;

/// The verdicts so far, by flow.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    verdicts: Many<Option<Verdict>>,
    findings: Findings,
}

impl Labels {
    /// Labels a flow that has said all its heads can hold.
    pub(crate) fn label(&mut self, number: u32, flow: &mut Flow, own: &OwnRules) {
        self.make_room(number as usize + 1);
        if let Some(slot) = self.verdicts.get_mut(number as usize) {
            *slot = Some(label(number, flow, own, &mut self.findings));
        }
    }

    /// The verdict of a flow that is labelled already.
    pub(crate) fn of(&self, number: u32) -> Option<&Verdict> {
        self.verdicts.get(number as usize)?.as_ref()
    }

    /// Keeps those of flows that are left.
    pub(crate) fn keep(&mut self, kept: &Left) {
        self.verdicts = kept.of(mem::take(&mut self.verdicts));
    }

    /// Labels the flows that are left, and gives the verdicts of all.
    pub(crate) fn finish(mut self, flows: &mut Many<Flow>, own: &OwnRules) -> Many<Verdict> {
        self.make_room(flows.len());
        for (number, (slot, flow)) in (0..).zip(self.verdicts.iter_mut().zip(flows)) {
            if slot.is_none() {
                *slot = Some(label(number, flow, own, &mut self.findings));
            }
        }
        self.verdicts.map(|it| it.expect("it was made above"))
    }

    fn make_room(&mut self, n_flows: usize) {
        let n_new = n_flows.saturating_sub(self.verdicts.len());
        self.verdicts.extend(iter::repeat_n(None, n_new));
    }
}

/// Labels a flow that has said all its heads can hold, or all the capture has, and frees what is not looked at later.
fn label(number: u32, flow: &mut Flow, own: &OwnRules, findings: &mut Findings) -> Verdict {
    let mut verdict = classify::label(flow, own);
    findings.share(&mut verdict);
    flow.heads.keep(kept(number, &verdict, own));
    verdict
}

/// Lets verdicts that became the same since share what was found.
pub(crate) fn share(verdicts: &mut Many<Verdict>) {
    let mut findings = Findings::default();
    verdicts.iter_mut().for_each(|it| findings.share(it));
}

/// So many flows of a capture keep all of their first bytes that the page shows.
const N_SHOWN: u32 = 1 << 16;
/// So many bytes of each side the others keep.
const LATE_LEN: usize = 64;

/// How many first bytes of each side a flow keeps once it is labelled: for the page, for a rule of the user's that a name may
/// meet later, and where nothing tells, for what its socket said to others.
fn kept(number: u32, verdict: &Verdict, own: &OwnRules) -> usize {
    let len = match verdict.protocol {
        _ if number < N_SHOWN => page::HEAD_LEN,
        classify::UNKNOWN => classify::SOCKET_REACH,
        _ => LATE_LEN,
    };
    len.max(own.reach())
}

/// How many first bytes of each side are looked at once a flow is labelled, by anything but the page: what its socket said, and
/// whether a side said something at all.
pub(crate) fn needed(verdict: &Verdict, own: &OwnRules) -> usize {
    let len = if verdict.protocol == classify::UNKNOWN { classify::SOCKET_REACH } else { 1 };
    len.max(own.reach())
}

/// Frees of flows that were labelled in shares, where their numbers were other ones, what they do not keep.
pub(crate) fn trim(flows: &mut Many<Flow>, verdicts: &Many<Verdict>, own: &OwnRules) {
    for (number, (flow, verdict)) in (0..).zip(flows.iter_mut().zip(verdicts)) {
        flow.heads.keep(kept(number, verdict, own));
    }
}
