//! After how many seconds packets repeat: the autocorrelation of packets per second.

/// The longest period that is looked for, in seconds.
const MAX_LAG: usize = 600;
/// Of fewer seconds with packets no period can be told.
const MIN_SECONDS: usize = 3;
/// How many seconds from the first packet are looked at, so that time and memory are bounded.
const MAX_SECONDS: usize = 7_200;

/// Packets in every second since the first one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seconds {
    start_micros: Option<i64>,
    counts: Vec<u32>,
}

impl Seconds {
    /// Counts a packet.
    pub(crate) fn push(&mut self, micros: i64) {
        let start = *self.start_micros.get_or_insert(micros);
        let second = (micros - start).max(0) / 1_000_000;
        let Some(second) = usize::try_from(second).ok().filter(|it| *it < MAX_SECONDS) else {
            return;
        };
        if self.counts.len() <= second {
            self.counts.resize(second + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(second) {
            *count = count.saturating_add(1);
        }
    }

    /// The lag in seconds with the greatest autocorrelation, the shortest of equal ones, and the autocorrelation: the
    /// covariance at the lag over the variance, at most 1.
    ///
    /// A lag is looked at where it fits twice. `None` where none fits, fewer than three seconds have packets, or all have
    /// as many.
    pub(crate) fn period(&self) -> Option<(u32, f64)> {
        let n = self.counts.len();
        let mean = self.counts.iter().map(|it| f64::from(*it)).sum::<f64>() / n as f64;
        // Seconds without packets are most of a long and quiet session: only the others are walked.
        let busy: Vec<(usize, f64)> = self
            .counts
            .iter()
            .enumerate()
            .filter(|it| *it.1 > 0)
            .map(|(at, count)| (at, f64::from(*count)))
            .collect();
        if busy.len() < MIN_SECONDS {
            return None;
        }
        let squares: f64 = busy.iter().map(|it| it.1 * it.1).sum();
        let variance = squares - n as f64 * mean * mean;
        if variance <= 1e-9 * squares {
            return None;
        }
        let mut best: Option<(u32, f64)> = None;
        // Sums of the seconds that have no partner at the lag: the last ones and the first ones.
        let (mut last, mut first) = (0.0, 0.0);
        for lag in 1..=MAX_LAG.min(n / 2) {
            last += self.counts.get(n - lag).map_or(0.0, |it| f64::from(*it));
            first += self.counts.get(lag - 1).map_or(0.0, |it| f64::from(*it));
            let products = busy.iter().map(|(at, count)| {
                count * self.counts.get(at + lag).map_or(0.0, |it| f64::from(*it))
            });
            let (sum, n_pairs) = (n as f64 * mean, (n - lag) as f64);
            let covariance = products.sum::<f64>() - mean * ((sum - last) + (sum - first))
                + n_pairs * mean * mean;
            let correlation = covariance / variance;
            // Of what rounding alone tells apart the shorter lag counts.
            if best.is_none_or(|it| correlation > it.1 + 1e-9) {
                best = Some((lag as u32, correlation));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: impl Iterator<Item = i64>, expected: Option<u32>) {
        let mut counted = Seconds::default();
        seconds.for_each(|it| counted.push(it * 1_000_000));
        assert_eq!(counted.period().map(|it| it.0), expected);
    }

    #[test]
    fn a_beacon_has_its_period() {
        check((0..40).map(|it| it * 30), Some(30));
        check((0..20).map(|it| it * 77), Some(77));
    }

    #[test]
    fn what_does_not_repeat_has_none() {
        check([].into_iter(), None);
        check([5].into_iter(), None);
        check(0..50, None);
    }

    #[test]
    fn a_correlation_is_that_of_its_definition() {
        let counts = [3_u32, 0, 1, 4, 0, 0, 2, 1, 0, 5, 0, 1];
        let mut seconds = Seconds::default();
        for (second, count) in (0..).zip(counts) {
            (0..count).for_each(|_| seconds.push(7_000 + second * 1_000_000));
        }
        let mean = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        let of = |it: &u32| f64::from(*it) - mean;
        let variance: f64 = counts.iter().map(|it| of(it) * of(it)).sum();
        let (lag, correlation) = seconds.period().unwrap();
        let all: Vec<f64> = (1..=6)
            .map(|lag| {
                let pairs = counts.iter().zip(&counts[lag..]);
                pairs.map(|(a, b)| of(a) * of(b)).sum::<f64>() / variance
            })
            .collect();
        let best = all.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(all[lag as usize - 1], best);
        assert!((correlation - best).abs() < 1e-12);
    }

    #[test]
    fn a_packet_long_after_takes_no_memory() {
        let mut seconds = Seconds::default();
        seconds.push(0);
        seconds.push(i64::MAX / 2);
        assert!(seconds.counts.len() <= MAX_SECONDS);
    }
}
