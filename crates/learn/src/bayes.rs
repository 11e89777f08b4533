//! Naive Bayes: each class's columns as normal distributions that know nothing of each other. `smartcore` fits them.

use serde::{Deserialize, Serialize};
use smartcore::{
    error::Failed,
    linalg::basic::matrix::DenseMatrix,
    naive_bayes::gaussian::{GaussianNB, GaussianNBParameters},
};

use crate::shares::softmax;

/// The least deviation of a column, as a share of the range of ranks; scikit-learn smooths likewise.
const LEAST_VARIANCE: f64 = 1e-4;

/// Of each class the logarithm of its share, and each column's mean and variance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bayes {
    classes: Vec<(f32, Vec<(f32, f32)>)>,
}

impl Bayes {
    /// Fits the distributions; a class without rows has a share near nothing.
    pub(crate) fn fit(rows: &[Vec<f32>], classes: &[u16], weights: &[f64]) -> Result<Self, Failed> {
        let rows: Vec<Vec<f64>> =
            rows.iter().map(|it| it.iter().map(|it| f64::from(*it)).collect()).collect();
        let x = DenseMatrix::from_2d_vec(&rows)?;
        let y: Vec<u32> = classes.iter().map(|it| u32::from(*it)).collect();
        let fitted = GaussianNB::fit(&x, &y, GaussianNBParameters::default())?;
        let n_columns = rows.first().map_or(0, Vec::len);
        let mut found = vec![(-30.0, vec![(0.0, 1.0); n_columns]); weights.len()];
        let weighted = |(class, count): (&u32, &usize)| *count as f64 * weights[*class as usize];
        let sum: f64 = fitted.classes().iter().zip(fitted.class_count()).map(weighted).sum();
        let of = fitted.classes().iter().zip(fitted.class_count());
        for ((class, count), (means, variances)) in of.zip(fitted.theta().iter().zip(fitted.var()))
        {
            let share = libm::log(weighted((class, count)) / sum) as f32;
            let column = |(mean, variance): (&f64, &f64)| {
                (*mean as f32, variance.max(LEAST_VARIANCE) as f32)
            };
            found[*class as usize] = (share, means.iter().zip(variances).map(column).collect());
        }
        Ok(Self { classes: found })
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
