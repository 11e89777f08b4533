//! One pass over a timeline: the gaps and periods all features are computed from.

use flow::{Direction, Timeline};

/// A gap longer than so many microseconds is idle (netmate's threshold, kept by ISCXFlowMeter).
const IDLE_MICROS: i64 = 1_000_000;

/// How numbers are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// As defined: `None` where there is nothing, sample deviation, active periods without the idle gap after them,
    /// the last one included.
    Correct,
    /// As in the published files: −1 for an absent least or greatest, 0 for an absent mean; a deviation whose sum of
    /// squares starts at −1; active periods that include the idle gap after them, the last one dropped.
    Published,
}

/// What one pass over a timeline gives every feature.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// How numbers are computed.
    pub semantics: Semantics,
    /// First to last packet in capture order, in microseconds; negative where the capture is out of order.
    pub duration_micros: i64,
    /// Packets of both directions.
    pub n_packets: u64,
    /// IP header and payload bytes of all packets.
    pub ip_bytes: u64,
    /// Gaps between packets of the first packet's direction.
    pub forward: Statistics,
    /// Gaps between packets of the other direction.
    pub backward: Statistics,
    /// Gaps between all packets.
    pub flow: Statistics,
    /// Periods without an idle gap.
    pub active: Statistics,
    /// Gaps longer than a second.
    pub idle: Statistics,
}

/// Count, sums and extremes of whole microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    n: u64,
    sum: i128,
    sum_of_squares: i128,
    min: i64,
    max: i64,
}

impl Statistics {
    fn push(&mut self, micros: i64) {
        let is_first = self.n == 0;
        self.min = if is_first { micros } else { self.min.min(micros) };
        self.max = if is_first { micros } else { self.max.max(micros) };
        self.n += 1;
        self.sum += i128::from(micros);
        let square = i128::from(micros) * i128::from(micros);
        self.sum_of_squares = self.sum_of_squares.saturating_add(square);
    }

    /// The sum of squared deviations from the mean.
    fn squared_deviations(&self) -> f64 {
        self.sum_of_squares as f64 - self.sum.saturating_mul(self.sum) as f64 / self.n as f64
    }
}

impl Sample {
    /// Passes over a timeline once. Times are cut to whole microseconds first.
    pub fn new(timeline: &Timeline, semantics: Semantics) -> Self {
        let mut sample = Self {
            semantics,
            duration_micros: 0,
            n_packets: 0,
            ip_bytes: 0,
            forward: Statistics::default(),
            backward: Statistics::default(),
            flow: Statistics::default(),
            active: Statistics::default(),
            idle: Statistics::default(),
        };
        let Some(first) = timeline.steps().next() else {
            return sample;
        };
        let to_micros = |nanos: u64| (nanos / 1_000) as i64;
        let start = to_micros(first.time.0);
        let (mut last, mut active_start) = (start, start);
        let (mut last_forward, mut last_backward) = (None, None);
        for step in timeline.steps() {
            let micros = to_micros(step.time.0);
            if sample.n_packets > 0 {
                let gap = micros - last;
                sample.flow.push(gap);
                if gap > IDLE_MICROS {
                    let active_end = match semantics {
                        Semantics::Published => micros,
                        Semantics::Correct => last,
                    };
                    sample.active.push(active_end - active_start);
                    sample.idle.push(gap);
                    active_start = micros;
                }
            }
            sample.push_directed(
                step.direction,
                first.direction,
                micros,
                (&mut last_forward, &mut last_backward),
            );
            sample.n_packets += 1;
            sample.ip_bytes += u64::from(step.ip_len);
            last = micros;
        }
        if semantics == Semantics::Correct && sample.n_packets > 1 {
            sample.active.push(last - active_start);
        }
        sample.duration_micros = last - start;
        sample
    }

    fn push_directed(
        &mut self,
        direction: Direction,
        forward: Direction,
        micros: i64,
        last: (&mut Option<i64>, &mut Option<i64>),
    ) {
        let (last, statistics) = if direction == forward {
            (last.0, &mut self.forward)
        } else {
            (last.1, &mut self.backward)
        };
        if let Some(last) = last.replace(micros) {
            statistics.push(micros - last);
        }
    }

    /// A count over the duration. Of a flow without duration: nothing; as published, 0.
    pub fn per_second(&self, count: u64) -> Option<f64> {
        match self.semantics {
            _ if self.duration_micros != 0 => {
                Some(count as f64 * 1e6 / self.duration_micros as f64)
            }
            Semantics::Published => Some(0.0),
            Semantics::Correct => None,
        }
    }

    /// The sum; 0 of nothing.
    pub fn total(&self, of: &Statistics) -> Option<f64> {
        Some(of.sum as f64)
    }

    /// The least.
    pub fn min(&self, of: &Statistics) -> Option<f64> {
        self.present(of, of.min as f64, -1.0)
    }

    /// The greatest.
    pub fn max(&self, of: &Statistics) -> Option<f64> {
        self.present(of, of.max as f64, -1.0)
    }

    /// The mean.
    pub fn mean(&self, of: &Statistics) -> Option<f64> {
        self.present(of, of.sum as f64 / of.n as f64, 0.0)
    }

    /// The sample deviation (n − 1); 0 of one.
    pub fn std(&self, of: &Statistics) -> Option<f64> {
        let deviations = match self.semantics {
            _ if of.n <= 1 => return self.present(of, 0.0, 0.0),
            Semantics::Published => (of.squared_deviations() - 1.0).abs(),
            Semantics::Correct => of.squared_deviations().max(0.0),
        };
        Some((deviations / (of.n - 1) as f64).sqrt())
    }

    fn present(&self, of: &Statistics, value: f64, published: f64) -> Option<f64> {
        match self.semantics {
            _ if of.n > 0 => Some(value),
            Semantics::Published => Some(published),
            Semantics::Correct => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;
    use flow::Step;

    use super::*;
    use crate::{ISCX_B, TRACTOR, vector};

    /// Packets as (microseconds, from the client, IP bytes).
    fn timeline(packets: &[(u64, bool, u32)]) -> Timeline {
        let steps = packets.iter().map(|&(micros, is_forward, ip_len)| Step {
            time: Timestamp(micros * 1_000),
            direction: if is_forward { Direction::Forward } else { Direction::Backward },
            frame_len: ip_len + 14,
            ip_len,
            payload_len: 0,
            flags: 0,
        });
        steps.collect()
    }

    #[test]
    fn a_gap_over_a_second_splits_activity() {
        let timeline = timeline(&[(0, true, 40), (400, true, 40), (2_000_400, true, 40)]);
        let correct = vector(&TRACTOR, &timeline);
        let published = vector(&ISCX_B, &timeline);
        // min, mean, max, std of active, then of idle.
        assert_eq!(correct[17..21], [Some(0.0), Some(200.0), Some(400.0), Some(80_000_f64.sqrt())]);
        assert_eq!(correct[21..23], [Some(2_000_000.0), Some(2_000_000.0)]);
        assert_eq!(
            published[15..19],
            [Some(2_000_400.0), Some(2_000_400.0), Some(2_000_400.0), Some(0.0)]
        );
    }

    #[test]
    fn a_gap_of_exactly_a_second_is_not_idle() {
        let correct = vector(&TRACTOR, &timeline(&[(0, true, 40), (1_000_000, true, 40)]));
        assert_eq!(correct[21], None);
    }

    #[test]
    fn what_has_no_value_is_nothing_or_as_published_a_sentinel() {
        let one = timeline(&[(0, true, 40)]);
        assert_eq!(vector(&TRACTOR, &one)[3], None);
        assert_eq!(vector(&ISCX_B, &one)[1], Some(-1.0));
        assert_eq!(vector(&ISCX_B, &one)[9], Some(0.0));
    }

    #[test]
    fn the_published_deviation_is_short_by_one() {
        let three = timeline(&[(0, true, 40), (10, true, 40), (20, true, 40)]);
        assert_eq!(vector(&ISCX_B, &three)[7], Some(1.0));
        assert_eq!(vector(&TRACTOR, &three)[9], Some(0.0));
    }
}
