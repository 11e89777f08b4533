//! Gradient-boosted trees (Friedman 2001), grown leaf by leaf over bins (Ke et al. 2017): each round adds a tree a class
//! that corrects what the rounds before say of it.

use crate::{
    Options,
    random::Random,
    shares::softmax,
    tree::{Answer, LEAF, Tree, between, part},
};

/// Fewer rows than these are few: each round looks at more of them, and at every bin. Of many rows fine bins would fit noise
/// and take longer.
const FEW_ROWS: usize = 2_500;
/// The fewest rows of a leaf, whatever is asked for: fewer tell of themselves alone.
const MIN_LEAF: u32 = 10;

/// How trees are boosted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boosting {
    /// Which part of what a tree says is believed.
    pub(crate) rate: f64,
    /// The most leaves of a tree.
    pub(crate) max_leaves: usize,
    pub(crate) max_depth: u32,
    /// The fewest rows of a leaf.
    pub(crate) min_leaf: usize,
    /// What is added to the curvature of every leaf, so that small leaves say little.
    pub(crate) lambda: f64,
    /// The share of rows each round looks at.
    pub(crate) rows: f64,
    /// The share of columns each tree looks at.
    pub(crate) columns: f64,
    /// How many bins are looked at as one; what is missing stays by itself.
    pub(crate) step: u8,
}

impl Boosting {
    /// As the options say, for so many rows.
    pub(crate) fn new(options: &Options, n_rows: usize) -> Self {
        let (rows, columns, step) = if n_rows < FEW_ROWS { (0.8, 0.5, 1) } else { (0.5, 0.4, 4) };
        Self {
            rate: f64::from(options.rate) / 1e3,
            max_leaves: options.max_leaves as usize,
            max_depth: options.max_depth,
            min_leaf: options.min_leaf.max(MIN_LEAF) as usize,
            lambda: 1.0,
            rows,
            columns,
            step,
        }
    }
}

/// The bins of a column, as they are looked at.
struct Column {
    /// Of each row.
    bins: Vec<u8>,
    /// How many there are.
    n: usize,
}

/// Rows in bins while they are learned.
pub(crate) struct Boosted {
    how: Boosting,
    classes: Vec<u16>,
    weights: Vec<f64>,
    columns: Vec<Column>,
    /// The score of each class for each row, class after class.
    scores: Vec<Vec<f64>>,
    pub(crate) base: Vec<f32>,
}

impl Boosted {
    /// Before any tree: each class's score is the logarithm of its share. Columns are of bins.
    pub(crate) fn new(
        columns: &[Vec<u8>],
        classes: &[u16],
        weights: &[f64],
        how: Boosting,
    ) -> Self {
        let mut shares = vec![0.0; weights.len()];
        for class in classes {
            shares[usize::from(*class)] += weights[usize::from(*class)];
        }
        let sum: f64 = shares.iter().sum();
        let base: Vec<f32> =
            shares.iter().map(|it| libm::log((it / sum).max(1e-9)) as f32).collect();
        let scores = base.iter().map(|it| vec![f64::from(*it); classes.len()]).collect();
        let column = |it: &Vec<u8>| {
            let bins: Vec<u8> = it.iter().map(|it| it.div_ceil(how.step)).collect();
            let n = bins.iter().max().map_or(0, |it| usize::from(*it) + 1);
            Column { bins, n }
        };
        let columns = columns.iter().map(column).collect();
        Self { classes: classes.to_vec(), weights: weights.to_vec(), how, columns, scores, base }
    }

    /// Adds a round of trees.
    pub(crate) fn round(&mut self, random: &mut Random) -> Vec<Tree> {
        let how = self.how;
        let n_classes = self.scores.len();
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        for row in 0..self.classes.len() as u32 {
            let is_in = how.rows >= 1.0 || random.happens(how.rows);
            if is_in { rows.push(row) } else { others.push(row) }
        }
        let shares: Vec<f32> = (0..self.classes.len())
            .flat_map(|row| softmax(self.scores.iter().map(|it| it[row]).collect()))
            .collect();
        // Of two classes one tree says both.
        let first = usize::from(n_classes == 2);
        let mut trees = Vec::with_capacity(n_classes - first);
        for class in (0..n_classes).skip(first) {
            // Slope and curvature of the loss by this class's score.
            let slope = |(shares, is): (&[f32], &u16)| {
                let (share, is) = (f64::from(shares[class]), usize::from(*is));
                let weight = self.weights[is];
                let off = share - if is == class { 1.0 } else { 0.0 };
                [off * weight, (share * (1.0 - share)).max(1e-9) * weight]
            };
            let of_rows = shares.chunks_exact(n_classes).zip(&self.classes);
            let slopes: Vec<[f64; 2]> = of_rows.map(slope).collect();
            let mut chosen: Vec<usize> = (0..self.columns.len()).collect();
            if how.columns < 1.0 {
                random.shuffle(&mut chosen);
                let n = libm::ceil(self.columns.len() as f64 * how.columns) as usize;
                chosen.truncate(n.max(1));
                chosen.sort_unstable();
            }
            let scores = &mut self.scores[class];
            let columns = &self.columns;
            let mut order = rows.clone();
            let mut tree =
                grow(columns, &chosen, &slopes, &mut order, (class as u16, how), |rows, value| {
                    rows.iter().for_each(|it| scores[*it as usize] += f64::from(value));
                });
            for row in &others {
                let answers = tree.answers_by(|column| columns[column].bins[*row as usize]);
                scores[*row as usize] += answers.iter().map(|it| f64::from(it.value)).sum::<f64>();
            }
            // The last of those looked at as one.
            let questions = tree.nodes.iter_mut().filter(|it| it.column != LEAF);
            questions.for_each(|it| it.bin *= how.step);
            trees.push(tree);
        }
        trees
    }
}

/// Slopes, curvatures and rows of a bin.
type Bin = (f64, f64, u32);

/// A leaf that may still be parted.
struct Leaf {
    /// Its node.
    at: usize,
    start: usize,
    end: usize,
    depth: u32,
    /// Sums of slopes and curvatures.
    sums: [f64; 2],
    /// What each bin of each chosen column holds.
    bins: Vec<Vec<Bin>>,
    /// What parting it is worth, at which of the chosen columns, up to which bin; and the sums and rows of the first side.
    best: Option<(f64, usize, u8, [f64; 2])>,
}

/// Grows a tree for a class, and says what each leaf's rows get.
fn grow(
    columns: &[Column],
    chosen: &[usize],
    slopes: &[[f64; 2]],
    rows: &mut [u32],
    (class, how): (u16, Boosting),
    mut say: impl FnMut(&[u32], f32),
) -> Tree {
    let mut tree = Tree::seed();
    let sums = rows.iter().fold([0.0; 2], |sums, it| {
        let slope = slopes[*it as usize];
        [sums[0] + slope[0], sums[1] + slope[1]]
    });
    let bins = count(columns, chosen, slopes, rows);
    let mut leaves = vec![leaf((0, 0, rows.len(), 0), sums, bins, how)];
    while leaves.len() < how.max_leaves {
        // Of equal ones the first, so that the order is one's own.
        let worth = |it: &Leaf| it.best.map_or(0.0, |it| it.0);
        let mut best = 0;
        for at in 1..leaves.len() {
            if worth(&leaves[at]) > worth(&leaves[best]) {
                best = at;
            }
        }
        let Some((_, column, bin, low_sums)) = leaves[best].best else { break };
        let Leaf { at, start, end, depth, sums, bins, .. } = leaves.swap_remove(best);
        let middle = start + part(&mut rows[start..end], &columns[chosen[column]].bins, bin);
        let next = tree.set_question(at, chosen[column], bin);
        let high_sums = [sums[0] - low_sums[0], sums[1] - low_sums[1]];
        // The smaller side is counted, the other is what is left.
        let is_low_smaller = middle - start < end - middle;
        let smaller = if is_low_smaller { &rows[start..middle] } else { &rows[middle..end] };
        let of_smaller = count(columns, chosen, slopes, smaller);
        let mut of_larger = bins;
        for (larger, smaller) in of_larger.iter_mut().zip(&of_smaller) {
            for (larger, smaller) in larger.iter_mut().zip(smaller) {
                *larger = (larger.0 - smaller.0, larger.1 - smaller.1, larger.2 - smaller.2);
            }
        }
        let (low, high) =
            if is_low_smaller { (of_smaller, of_larger) } else { (of_larger, of_smaller) };
        leaves.push(leaf((next, start, middle, depth + 1), low_sums, low, how));
        leaves.push(leaf((next + 1, middle, end, depth + 1), high_sums, high, how));
    }
    for leaf in leaves {
        let value = (-how.rate * leaf.sums[0] / (leaf.sums[1] + how.lambda)) as f32;
        say(&rows[leaf.start..leaf.end], value);
        tree.set_leaf(leaf.at, [Answer { class, value }].into_iter());
    }
    tree
}

/// What each bin of the chosen columns holds.
fn count(columns: &[Column], chosen: &[usize], slopes: &[[f64; 2]], rows: &[u32]) -> Vec<Vec<Bin>> {
    let near: Vec<[f64; 2]> = rows.iter().map(|it| slopes[*it as usize]).collect();
    let column = |at: &usize| {
        let column = &columns[*at];
        let mut bins = vec![(0.0, 0.0, 0); column.n];
        for (row, slope) in rows.iter().zip(&near) {
            let bin = &mut bins[usize::from(column.bins[*row as usize])];
            *bin = (bin.0 + slope[0], bin.1 + slope[1], bin.2 + 1);
        }
        bins
    };
    chosen.iter().map(column).collect()
}

/// A leaf, and where it is best parted.
fn leaf(
    (at, start, end, depth): (usize, usize, usize, u32),
    sums: [f64; 2],
    bins: Vec<Vec<Bin>>,
    how: Boosting,
) -> Leaf {
    let n = end - start;
    let worth = |it: [f64; 2]| it[0] * it[0] / (it[1] + how.lambda);
    let whole = worth(sums);
    let mut best: Option<(f64, usize, u8, [f64; 2])> = None;
    if depth < how.max_depth && n >= 2 * how.min_leaf {
        for (column, bins) in bins.iter().enumerate() {
            let (mut low, mut n_low, mut last) = ([0.0; 2], 0usize, None);
            for (bin, held) in (0u8..=255).zip(bins).filter(|it| it.1.2 > 0) {
                if let Some(last) = last
                    && n_low >= how.min_leaf
                    && n - n_low >= how.min_leaf
                {
                    let high = [sums[0] - low[0], sums[1] - low[1]];
                    let gain = worth(low) + worth(high) - whole;
                    if gain > 1e-6 && best.is_none_or(|it| gain > it.0) {
                        best = Some((gain, column, between(last, bin), low));
                    }
                }
                low = [low[0] + held.0, low[1] + held.1];
                n_low += held.2 as usize;
                last = Some(bin);
            }
        }
    }
    Leaf { at, start, end, depth, sums, bins, best }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: Boosting = Boosting {
        rate: 0.2,
        max_leaves: 8,
        max_depth: 16,
        min_leaf: 5,
        lambda: 1.0,
        rows: 1.0,
        columns: 1.0,
        step: 1,
    };

    #[test]
    fn rounds_come_nearer_to_the_classes() {
        let mut random = Random::of(3, 0);
        let columns: Vec<Vec<u8>> =
            (0..2).map(|_| (0..900).map(|_| random.below(200) as u8).collect()).collect();
        // Three classes; the third is where both columns are high.
        let class = |row: usize| match (columns[0][row] > 99, columns[1][row] > 99) {
            (true, true) => 2,
            (true, false) => 1,
            _ => 0,
        };
        let classes: Vec<u16> = (0..900).map(class).collect();
        let mut boosted = Boosted::new(&columns, &classes, &[1.0; 3], Boosting { step: 4, ..HOW });
        let n_right = |boosted: &Boosted| {
            let is_right = |row: &usize| {
                let score = |class: usize| boosted.scores[class][*row];
                (0..3).all(|it| score(it) <= score(usize::from(classes[*row])))
            };
            (0..900).filter(is_right).count()
        };
        let before = n_right(&boosted);
        let trees = boosted.round(&mut random);
        assert_eq!(trees.len(), 3);
        for _ in 0..5 {
            boosted.round(&mut random);
        }
        assert!(before < 600 && n_right(&boosted) > 880, "{before}, {}", n_right(&boosted));
    }

    #[test]
    fn two_classes_need_one_tree_a_round() {
        let columns = vec![(0..100u8).collect::<Vec<u8>>()];
        let classes: Vec<u16> = (0..100).map(|it| it / 50).collect();
        let mut boosted = Boosted::new(&columns, &classes, &[1.0; 2], HOW);
        let trees = boosted.round(&mut Random::of(1, 0));
        assert_eq!(trees.len(), 1);
        assert!(trees[0].answers(&[10])[0].value < 0.0 && trees[0].answers(&[90])[0].value > 0.0);
    }
}
