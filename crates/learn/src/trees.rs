//! Many trees that answer together: a forest by the mean of their shares, a boosted model by the sum of their scores.

use crate::{
    bins::Bounds,
    shares::softmax,
    tree::{Answer, LEAF, Tree},
};

/// How many rows go through one tree before the next: its nodes stay at hand meanwhile.
const BATCH: usize = 512;
/// The greatest score of a leaf that a file may have: the sum over all trees stays a number.
const MAX_SCORE: f32 = 1e9;

/// Trees over the bins of their columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trees {
    pub(crate) bounds: Bounds,
    pub(crate) trees: Vec<Tree>,
    /// Of a boosted model, each class's score before any tree; `None` of a forest.
    pub(crate) base: Option<Vec<f32>>,
}

impl Trees {
    /// The share of each class for each row.
    pub(crate) fn shares(&self, rows: &[&[f32]], n_classes: usize) -> Vec<Vec<f32>> {
        let mut shares = Vec::with_capacity(rows.len());
        let n_columns = self.bounds.n_columns();
        let mut bins = Vec::with_capacity(BATCH * n_columns);
        for batch in rows.chunks(BATCH) {
            bins.clear();
            for row in batch {
                let value = |at: usize| row.get(at).copied().unwrap_or(f32::NAN);
                bins.extend((0..n_columns).map(|at| self.bounds.bin(at, value(at))));
            }
            let mut sums = vec![0.0f32; batch.len() * n_classes];
            for tree in &self.trees {
                let rows = bins.chunks_exact(n_columns.max(1));
                for (row, sums) in rows.zip(sums.chunks_exact_mut(n_classes)) {
                    for answer in tree.answers(row) {
                        if let Some(sum) = sums.get_mut(usize::from(answer.class)) {
                            *sum += answer.value;
                        }
                    }
                }
            }
            let n_trees = self.trees.len().max(1) as f32;
            shares.extend(sums.chunks_exact(n_classes).map(|sums| match &self.base {
                None => sums.iter().map(|it| it / n_trees).collect(),
                Some(base) => {
                    let score = |it: (&f32, &f32)| f64::from(it.0 + it.1);
                    softmax(sums.iter().zip(base).map(score).collect())
                }
            }));
        }
        shares
    }

    /// Leaves away the bounds no tree asks for, which changes no answer.
    pub(crate) fn pack(&mut self) {
        let mut used = vec![[false; 256]; self.bounds.n_columns()];
        for node in self.trees.iter().flat_map(|it| &it.nodes).filter(|it| it.column != LEAF) {
            used[usize::from(node.column)][usize::from(node.bin)] = true;
        }
        let places = self.bounds.only(&used);
        for node in self.trees.iter_mut().flat_map(|it| &mut it.nodes) {
            if node.column != LEAF {
                node.bin = places[usize::from(node.column)][usize::from(node.bin)];
            }
        }
    }

    /// Whether those of a file can be used: questions lead onwards and to what is there.
    pub(crate) fn are_sound(&self, n_columns: usize, n_classes: usize) -> bool {
        let is_base = self
            .base
            .as_ref()
            .is_none_or(|it| it.len() == n_classes && it.iter().all(|it| it.abs() <= MAX_SCORE));
        // Shares of a leaf are of one whole; scores are small enough to be added.
        let is_leaf = |answers: &[Answer]| match &self.base {
            None => {
                answers.iter().all(|it| it.value >= 0.0)
                    && answers.iter().map(|it| it.value).sum::<f32>() <= 1.001
            }
            Some(_) => answers.iter().all(|it| it.value.abs() <= MAX_SCORE),
        };
        is_base
            && self.bounds.n_columns() == n_columns
            && self.bounds.are_sound()
            && self.trees.iter().all(|it| is_sound(it, n_columns, n_classes, &is_leaf))
    }
}

fn is_sound(
    tree: &Tree,
    n_columns: usize,
    n_classes: usize,
    is_leaf: &impl Fn(&[Answer]) -> bool,
) -> bool {
    let is_answer = |it: &Answer| usize::from(it.class) < n_classes && it.value.is_finite();
    let is_node = |(at, node): (usize, &crate::tree::Node)| {
        let next = node.next as usize;
        if node.column == LEAF {
            tree.answers.get(next..=next + usize::from(node.bin)).is_some_and(is_leaf)
        } else {
            usize::from(node.column) < n_columns && next > at && next + 1 < tree.nodes.len()
        }
    };
    !tree.nodes.is_empty()
        && tree.answers.iter().all(is_answer)
        && tree.nodes.iter().enumerate().all(is_node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: Option<f32>, value: f32, is_sound: bool) {
        let mut tree = Tree::seed();
        tree.set_leaf(0, [Answer { class: 0, value }, Answer { class: 1, value }].into_iter());
        let base = base.map(|it| vec![it; 2]);
        let trees = Trees { bounds: Bounds::default(), trees: vec![tree], base };
        assert_eq!(trees.are_sound(0, 2), is_sound);
    }

    #[test]
    fn shares_of_a_leaf_are_of_one_whole() {
        check(None, 0.5, true);
        check(None, 8.5e31, false);
        check(None, 0.6, false);
        check(None, -0.5, false);
        check(Some(0.0), -2.5, true);
        check(Some(0.0), f32::MAX, false);
        check(Some(f32::MAX), 1.0, false);
    }
}
