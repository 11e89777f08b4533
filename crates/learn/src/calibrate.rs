//! What a share is worth: how often a model was right when it was so sure, of rows it had not learned from.

use serde::{Deserialize, Serialize};

/// How many steps a calibration has at most.
const N_STEPS: usize = 20;
/// How many bins a reliability diagram has.
const N_BINS: usize = 10;

/// Shares of a model and how often it was right with them, both rising.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Calibration(Vec<(f32, f32)>);

impl Calibration {
    /// From what was said of rows not learned from: the greatest share, and whether it was right. Steps of as many rows each
    /// are joined until they rise (Ayer et al. 1955, pool adjacent violators).
    pub(crate) fn new(mut said: Vec<(f32, bool)>) -> Self {
        said.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut steps: Vec<(f64, f64, f64)> = Vec::new();
        for step in said.chunks(said.len().div_ceil(N_STEPS).max(1)) {
            let share = step.iter().map(|it| f64::from(it.0)).sum();
            let right = step.iter().filter(|it| it.1).count() as f64;
            let mut new = (step.len() as f64, share, right);
            while let Some(last) = steps.pop_if(|last| last.2 / last.0 >= new.2 / new.0) {
                new = (last.0 + new.0, last.1 + new.1, last.2 + new.2);
            }
            steps.push(new);
        }
        // As if one more had been right and one more wrong, so that a few rows never promise certainty.
        let step =
            |it: &(f64, f64, f64)| ((it.1 / it.0) as f32, ((it.2 + 1.0) / (it.0 + 2.0)) as f32);
        Self(steps.iter().map(step).collect())
    }

    /// How often a model is right with this share; the share itself where nothing was measured.
    pub(crate) fn of(&self, share: f32) -> f32 {
        let after = self.0.partition_point(|it| it.0 <= share);
        let before = after.checked_sub(1).and_then(|it| self.0.get(it));
        match (before, self.0.get(after)) {
            (None, None) => share,
            (Some(only), None) | (None, Some(only)) => only.1,
            (Some(low), Some(high)) => {
                low.1 + (high.1 - low.1) * (share - low.0) / (high.0 - low.0).max(f32::MIN_POSITIVE)
            }
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        let is_share = |it: &(f32, f32)| (0.0..=1.0).contains(&it.0) && (0.0..=1.0).contains(&it.1);
        self.0.iter().all(is_share) && self.0.is_sorted_by(|a, b| a.0 <= b.0)
    }
}

/// Rows a model was about as sure of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reliability {
    /// How many rows.
    pub n: u64,
    /// Their mean share.
    pub share: f64,
    /// The part of them that was right.
    pub right: f64,
}

/// Rows by how sure a model was, in ten bins; those without a row are left out.
pub fn reliability(said: &[(f32, bool)]) -> Vec<Reliability> {
    let mut bins = [Reliability::default(); N_BINS];
    for (share, is_right) in said {
        let at = ((share * N_BINS as f32) as usize).min(N_BINS - 1);
        let bin = &mut bins[at];
        bin.n += 1;
        bin.share += f64::from(*share);
        bin.right += f64::from(u8::from(*is_right));
    }
    let mean = |it: Reliability| {
        let n = it.n as f64;
        Reliability { share: it.share / n, right: it.right / n, ..it }
    };
    bins.into_iter().filter(|it| it.n > 0).map(mean).collect()
}

/// The mean distance between how sure a model was and how often it was right (expected calibration error).
pub fn calibration_error(bins: &[Reliability]) -> f64 {
    let n: u64 = bins.iter().map(|it| it.n).sum();
    let off: f64 = bins.iter().map(|it| (it.share - it.right).abs() * it.n as f64).sum();
    if n == 0 { 0.0 } else { off / n as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right about half as often as it says.
    fn said() -> Vec<(f32, bool)> {
        (0..1_000u32).map(|it| (it as f32 / 1_000.0, it * 7_919 % 2_000 < it)).collect()
    }

    #[test]
    fn who_is_too_sure_is_told() {
        let calibration = Calibration::new(said());
        assert!((calibration.of(0.9) - 0.45).abs() < 0.06, "{}", calibration.of(0.9));
        assert!(calibration.of(0.2) < calibration.of(0.6));
        assert!(calibration.is_sound());
        let error = calibration_error(&reliability(&said()));
        assert!((error - 0.25).abs() < 0.03, "{error}");
    }

    #[test]
    fn a_few_rows_promise_no_certainty() {
        let calibration = Calibration::new(vec![(0.9, true); 8]);
        assert_eq!(calibration.of(1.0), 0.9);
        assert_eq!(Calibration::default().of(0.7), 0.7);
    }
}
