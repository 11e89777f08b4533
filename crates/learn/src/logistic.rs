//! Logistic regression over several classes, by stochastic gradient descent with steps of AdaGrad (Duchi, Hazan and Singer
//! 2011): the same additions in the same order wherever it runs.

use serde::{Deserialize, Serialize};

use crate::{random::Random, shares::softmax};

/// How large the first step of a weight is.
const STEP: f64 = 0.1;

/// A weight for each class and column, and one for each class alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Logistic {
    n_columns: u32,
    /// Class after class, each with its own weight last.
    weights: Vec<f32>,
}

/// Weights while they are learned.
pub(crate) struct Descent {
    weights: Vec<f64>,
    squares: Vec<f64>,
    order: Vec<u32>,
}

impl Descent {
    pub(crate) fn new(n_classes: usize, n_columns: usize, n_rows: usize) -> Self {
        let n = n_classes * (n_columns + 1);
        Self { weights: vec![0.0; n], squares: vec![1e-6; n], order: (0..n_rows as u32).collect() }
    }

    /// Goes through all rows once, in a random order.
    pub(crate) fn epoch(
        &mut self,
        rows: &[Vec<f32>],
        classes: &[u16],
        (weights, lambda): (&[f64], f64),
        random: &mut Random,
    ) {
        random.shuffle(&mut self.order);
        for at in &self.order {
            let (row, class) = (&rows[*at as usize], usize::from(classes[*at as usize]));
            let n = row.len() + 1;
            let score = |it: &[f64]| {
                it[n - 1] + it.iter().zip(row).map(|it| it.0 * f64::from(*it.1)).sum::<f64>()
            };
            let shares = softmax(self.weights.chunks_exact(n).map(score).collect());
            let own = self.weights.chunks_exact_mut(n).zip(self.squares.chunks_exact_mut(n));
            for (of, (share, (own, squares))) in shares.iter().zip(own).enumerate() {
                let is = if of == class { 1.0 } else { 0.0 };
                let off = (f64::from(*share) - is) * weights[class];
                let values = row.iter().map(|it| f64::from(*it)).chain([1.0]);
                for ((weight, square), value) in own.iter_mut().zip(squares).zip(values) {
                    let slope = off * value + lambda * *weight;
                    *square += slope * slope;
                    *weight -= STEP * slope / square.sqrt();
                }
            }
        }
    }

    pub(crate) fn finish(self, n_columns: usize) -> Logistic {
        let weights = self.weights.iter().map(|it| *it as f32).collect();
        Logistic { n_columns: n_columns as u32, weights }
    }
}

impl Logistic {
    /// The share of each class for a row.
    pub(crate) fn shares(&self, row: &[f32]) -> Vec<f32> {
        let n = self.n_columns as usize + 1;
        let score = |it: &[f32]| {
            let sum: f64 = it.iter().zip(row).map(|it| f64::from(*it.0) * f64::from(*it.1)).sum();
            sum + f64::from(it[n - 1])
        };
        softmax(self.weights.chunks_exact(n).map(score).collect())
    }

    pub(crate) fn is_sound(&self, n_columns: usize, n_classes: usize) -> bool {
        self.n_columns as usize == n_columns
            && self.weights.len() == n_classes * (n_columns + 1)
            && self.weights.iter().all(|it| it.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_between_classes_is_found() {
        let mut random = Random::of(2, 0);
        let mut value = || random.below(1_000) as f32 / 1_000.0 - 0.5;
        let rows: Vec<Vec<f32>> = (0..600).map(|_| vec![value(), value()]).collect();
        let classes: Vec<u16> = rows.iter().map(|it| u16::from(it[0] > it[1])).collect();
        let mut descent = Descent::new(2, 2, rows.len());
        let mut random = Random::of(1, 0);
        for _ in 0..20 {
            descent.epoch(&rows, &classes, (&[1.0; 2], 1e-6), &mut random);
        }
        let model = descent.finish(2);
        let is_right = |it: &(&Vec<f32>, &u16)| (model.shares(it.0)[1] > 0.5) == (*it.1 == 1);
        assert!(rows.iter().zip(&classes).filter(is_right).count() > 580);
        assert!(model.is_sound(2, 2) && !model.is_sound(3, 2));
    }
}
