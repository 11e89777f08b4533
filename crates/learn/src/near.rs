//! The k nearest rows, by the ranks of their columns; `smartcore` finds them.

use serde::{Deserialize, Serialize};
use smartcore::{
    algorithm::neighbour::linear_search::LinearKNNSearch, metrics::distance::Distance,
};

/// The most rows that are kept: each is compared with each that is judged.
pub(crate) const MAX_ROWS: usize = 30_000;

/// The most a row may count: the sum over all rows stays a number.
const MAX_WEIGHT: f32 = 1e9;

/// Rows in bins, and their classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Near {
    k: u32,
    n_columns: u32,
    classes: Vec<u16>,
    /// What a row of each class counts.
    weights: Vec<f32>,
    /// Row after row.
    bins: Vec<u8>,
}

/// The distance of two rows: of their bins, squared.
#[derive(Clone)]
struct Bins;

impl Distance<&[u8]> for Bins {
    fn distance(&self, a: &&[u8], b: &&[u8]) -> f64 {
        let square = |it: (&u8, &u8)| u32::from(it.0.abs_diff(*it.1)).pow(2);
        f64::from(a.iter().zip(*b).map(square).sum::<u32>())
    }
}

impl Near {
    pub(crate) fn new(
        k: u32,
        n_columns: usize,
        classes: Vec<u16>,
        weights: &[f64],
        bins: Vec<u8>,
    ) -> Self {
        let weights = weights.iter().map(|it| *it as f32).collect();
        Self { k: k.max(1), n_columns: n_columns as u32, classes, weights, bins }
    }

    /// The share of each class for each row in bins: that of its nearest rows, the nearer the more.
    pub(crate) fn shares<'a>(&'a self, rows: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<f32>> {
        let n_classes = self.weights.len();
        let known: Vec<&[u8]> = self.bins.chunks_exact(self.n_columns.max(1) as usize).collect();
        let k = (self.k as usize).min(known.len());
        let Ok(search) = LinearKNNSearch::new(known, Bins) else { return Vec::new() };
        let shares = |row: &'a [u8]| {
            let mut shares = vec![0.0f32; n_classes];
            for (at, square, _) in search.find(&row, k).unwrap_or_default() {
                let class = usize::from(self.classes.get(at).copied().unwrap_or(0));
                // One step of a bin off is as good as the same.
                let nearness =
                    self.weights.get(class).copied().unwrap_or(0.0) / (1.0 + square.sqrt()) as f32;
                if let Some(share) = shares.get_mut(class) {
                    *share += nearness;
                }
            }
            let sum: f32 = shares.iter().sum();
            shares.into_iter().map(|it| it / sum.max(f32::MIN_POSITIVE)).collect()
        };
        rows.map(shares).collect()
    }

    pub(crate) fn is_sound(&self, n_columns: usize, n_classes: usize) -> bool {
        self.n_columns as usize == n_columns
            && n_columns > 0
            && self.weights.len() == n_classes
            && self.weights.iter().all(|it| (0.0..=MAX_WEIGHT).contains(it))
            && !self.classes.is_empty()
            && self.bins.len() == self.classes.len() * n_columns
            && self.classes.iter().all(|it| usize::from(*it) < n_classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rows_say_what_a_row_is() {
        let near = Near::new(
            3,
            2,
            vec![0, 0, 1, 1, 1],
            &[1.0; 2],
            vec![1, 1, 2, 2, 90, 90, 91, 91, 95, 95],
        );
        let shares = near.shares([&[3u8, 3][..], &[92, 91]].into_iter());
        assert!(shares[0][0] > 0.9 && shares[1][1] == 1.0, "{shares:?}");
        assert!(near.is_sound(2, 2) && !near.is_sound(3, 2));
        assert!(!Near { weights: vec![f32::MAX; 2], ..near }.is_sound(2, 2));
    }
}
