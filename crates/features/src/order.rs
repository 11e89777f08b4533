//! Packets that a capture holds in the wrong order, put right within a small window.

use std::collections::VecDeque;

use flow::Step;

/// How many packets wait for an earlier one. Captures of several queues or links misplace a few, not many.
const WINDOW: usize = 64;

/// Steps of which each is the earliest of the next 64; of equal ones the first in the capture.
pub(crate) struct InOrder<I> {
    steps: I,
    waiting: VecDeque<Step>,
}

impl<I: Iterator<Item = Step>> InOrder<I> {
    pub(crate) fn new(steps: I) -> Self {
        Self { steps, waiting: VecDeque::new() }
    }
}

impl<I: Iterator<Item = Step>> Iterator for InOrder<I> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        while self.waiting.len() < WINDOW {
            let Some(step) = self.steps.next() else { break };
            let before = self.waiting.iter().rposition(|it| it.time <= step.time);
            self.waiting.insert(before.map_or(0, |it| it + 1), step);
        }
        self.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;

    use super::*;

    #[track_caller]
    fn check(times: &[u64], expected: &[u64]) {
        let steps = times.iter().map(|it| Step { time: Timestamp(*it), ..Step::default() });
        let ordered: Vec<u64> = InOrder::new(steps).map(|it| it.time.0).collect();
        assert_eq!(ordered, expected);
    }

    #[test]
    fn a_packet_that_was_overtaken_goes_back_to_its_place() {
        check(&[], &[]);
        check(&[1, 2, 2, 3], &[1, 2, 2, 3]);
        check(&[5, 1, 9, 7, 2], &[1, 2, 5, 7, 9]);
    }

    #[test]
    fn a_packet_that_was_overtaken_by_many_stays_behind_them() {
        let late: Vec<u64> = (100..200).chain([1]).collect();
        let expected: Vec<u64> = (100..137).chain([1]).chain(137..200).collect();
        check(&late, &expected);
    }
}
