//! The sessions of a capture as a user decided: what was found stays, decisions are applied to it, each can be taken back.

use std::sync::{Arc, Mutex};

use session::{MAX_DECISIONS, Sessions};
use v1::page;

use crate::Analysis;

/// Sessions and what was decided of them. Answers are given by a shared analysis, so it has its own lock.
#[derive(Debug, Default)]
pub(crate) struct Decided {
    found: Arc<Sessions>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    decisions: Vec<page::Decision>,
    sessions: Arc<Sessions>,
}

impl Decided {
    pub(crate) fn new(found: Sessions) -> Self {
        let found = Arc::new(found);
        let now = Now { decisions: Vec::new(), sessions: Arc::clone(&found) };
        Self { found, now: Mutex::new(now) }
    }

    pub(crate) fn now(&self) -> Arc<Sessions> {
        Arc::clone(&self.lock().sessions)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(|it| it.into_inner())
    }
}

impl Now {
    fn answer(&self, is_refused: bool) -> page::Decisions {
        let (decisions, sessions) = (self.decisions.clone(), self.sessions.len() as u64);
        page::Decisions { decisions, is_refused, sessions }
    }
}

impl Analysis {
    pub(crate) fn decisions(&self) -> page::Decisions {
        self.sessions.lock().answer(false)
    }

    pub(crate) fn decide(&self, decision: page::Decision) -> page::Decisions {
        let is_flow = |number: u32| (number as usize) < self.n_flows();
        let is_known = match decision {
            page::Decision::Apart { flow_id } => is_flow(flow_id),
            page::Decision::Together { flow_id, other_id } => {
                is_flow(flow_id) && is_flow(other_id) && flow_id != other_id
            }
        };
        self.change(|decisions| {
            let is_taken = is_known && decisions.len() < MAX_DECISIONS;
            if is_taken {
                decisions.push(decision);
            }
            is_taken
        })
    }

    pub(crate) fn undo(&self, number: u32) -> page::Decisions {
        self.change(|decisions| {
            let is_known = (number as usize) < decisions.len();
            if is_known {
                decisions.remove(number as usize);
            }
            is_known
        })
    }

    /// Groups anew where a change says that it is one.
    fn change(&self, change: impl FnOnce(&mut Vec<page::Decision>) -> bool) -> page::Decisions {
        let mut now = self.sessions.lock();
        let is_changed = change(&mut now.decisions);
        if is_changed {
            let decisions: Vec<session::Decision> = now
                .decisions
                .iter()
                .map(|it| match *it {
                    page::Decision::Apart { flow_id } => session::Decision::Apart(flow_id),
                    page::Decision::Together { flow_id, other_id } => {
                        session::Decision::Together(flow_id, other_id)
                    }
                })
                .collect();
            now.sessions = match &decisions[..] {
                [] => Arc::clone(&self.sessions.found),
                decisions => Arc::new(self.sessions.found.decided(decisions)),
            };
        }
        let answer = now.answer(!is_changed);
        // Who cuts a window locks the order first.
        drop(now);
        // A filter may ask for a session.
        *self.order.lock().unwrap_or_else(|it| it.into_inner()) = crate::page::Kept::default();
        answer
    }
}
