//! Naive Bayes: each class's columns as normal distributions that know nothing of each other.
//!
//! `smartcore` fits the same, in a time that grows with the square of a class's rows (3 minutes for ten times 17,000).

use serde::{Deserialize, Serialize};

use crate::shares::softmax;

/// The least deviation of a column, as a share of the range of ranks; scikit-learn smooths likewise.
const LEAST_VARIANCE: f64 = 1e-4;

/// Of each class the logarithm of its share, and each column's mean and variance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bayes {
    classes: Vec<(f32, Vec<(f32, f32)>)>,
}

/// How many rows a class has, and of each column the sum and the sum of squares.
type Sums = (f64, Vec<(f64, f64)>);

impl Bayes {
    /// Fits the distributions; a class without rows has a share near nothing.
    pub(crate) fn fit(rows: &[Vec<f32>], classes: &[u16], weights: &[f64]) -> Self {
        let n_columns = rows.first().map_or(0, Vec::len);
        let mut sums: Vec<Sums> = vec![(0.0, vec![(0.0, 0.0); n_columns]); weights.len()];
        for (row, class) in rows.iter().zip(classes) {
            let (n, sums) = &mut sums[usize::from(*class)];
            *n += 1.0;
            for (sum, value) in sums.iter_mut().zip(row) {
                let value = f64::from(*value);
                *sum = (sum.0 + value, sum.1 + value * value);
            }
        }
        let weighted = || sums.iter().zip(weights).map(|(it, weight)| it.0 * weight);
        let whole: f64 = weighted().sum();
        let class = |(of, weighted): (&Sums, f64)| {
            let (n, columns) = of;
            if *n == 0.0 {
                return (-30.0, vec![(0.0, 1.0); n_columns]);
            }
            let column = |(sum, squares): &(f64, f64)| {
                let mean = sum / n;
                (mean as f32, (squares / n - mean * mean).max(LEAST_VARIANCE) as f32)
            };
            (libm::log(weighted / whole) as f32, columns.iter().map(column).collect())
        };
        Self { classes: sums.iter().zip(weighted()).map(class).collect() }
    }

    /// The share of each class for a row.
    pub(crate) fn shares(&self, row: &[f32]) -> Vec<f32> {
        let score = |(share, columns): &(f32, Vec<(f32, f32)>)| {
            let column = |((mean, variance), value): (&(f32, f32), &f32)| {
                let (off, variance) = (f64::from(value - mean), f64::from(*variance));
                off * off / variance + libm::log(variance)
            };
            f64::from(*share) - columns.iter().zip(row).map(column).sum::<f64>() / 2.0
        };
        softmax(self.classes.iter().map(score).collect())
    }

    pub(crate) fn is_sound(&self, n_columns: usize, n_classes: usize) -> bool {
        let is_column = |it: &(f32, f32)| it.0.is_finite() && it.1.is_finite() && it.1 > 0.0;
        let is_class = |it: &(f32, Vec<(f32, f32)>)| {
            it.0.is_finite() && it.1.len() == n_columns && it.1.iter().all(is_column)
        };
        self.classes.len() == n_classes && self.classes.iter().all(is_class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_whose_middle_is_nearer_is_told() {
        let rows: Vec<Vec<f32>> =
            (0..40u8).map(|it| vec![f32::from(it % 2) - 0.5 + f32::from(it) / 200.0]).collect();
        let classes: Vec<u16> = (0..40).map(|it| it % 2).collect();
        // The third class has no row.
        let bayes = Bayes::fit(&rows, &classes, &[1.0; 3]);
        assert!(bayes.is_sound(1, 3) && !bayes.is_sound(2, 3));
        let shares = bayes.shares(&[-0.4]);
        assert!(shares[0] > 0.9 && shares[2] < 1e-6, "{shares:?}");
        assert!(bayes.shares(&[0.6])[1] > 0.9);
    }
}
