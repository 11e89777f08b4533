//! One tree: questions about bins, answers at its leaves; and how it is grown to part classes.

use crate::random::Random;

/// A node: a question about a column, or a leaf.
///
/// The two nodes a question leads to lie side by side, after it: the first for bins up to its own, the second for those
/// above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    /// The column asked about, or [`LEAF`].
    pub(crate) column: u16,
    /// Up to this bin the first way is gone; of a leaf, how many answers it has, less one.
    pub(crate) bin: u8,
    /// The first of the two nodes; of a leaf, its first answer.
    pub(crate) next: u32,
}

/// Stands for a column where a node is a leaf.
pub(crate) const LEAF: u16 = u16::MAX;

/// What a leaf says of a class: its share, or what is added to its score. What a leaf does not name it says nothing of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) class: u16,
    pub(crate) value: f32,
}

/// A tree; its first node is its root.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) answers: Vec<Answer>,
}

impl Tree {
    /// What it says of a row in bins.
    pub(crate) fn answers(&self, row: &[u8]) -> &[Answer] {
        self.answers_by(|column| row.get(column).copied().unwrap_or(0))
    }

    /// What it says of a row whose bins are asked for.
    pub(crate) fn answers_by(&self, bin: impl Fn(usize) -> u8) -> &[Answer] {
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            if node.column == LEAF {
                return self.leaf(*node);
            }
            at = node.next as usize + usize::from(bin(usize::from(node.column)) > node.bin);
        }
        &[]
    }

    fn leaf(&self, node: Node) -> &[Answer] {
        let first = node.next as usize;
        self.answers.get(first..first + usize::from(node.bin) + 1).unwrap_or_default()
    }

    /// Makes a node a leaf with these answers.
    pub(crate) fn set_leaf(&mut self, at: usize, answers: impl Iterator<Item = Answer>) {
        let first = self.answers.len();
        self.answers.extend(answers.take(256));
        if self.answers.len() == first {
            self.answers.push(Answer { class: 0, value: 0.0 });
        }
        let n = self.answers.len() - first;
        self.nodes[at] = Node { column: LEAF, bin: (n - 1) as u8, next: first as u32 };
    }

    /// Makes a node a question; the first of the two nodes it leads to.
    pub(crate) fn set_question(&mut self, at: usize, column: usize, bin: u8) -> usize {
        let next = self.nodes.len();
        self.nodes[at] = Node { column: column as u16, bin, next: next as u32 };
        self.nodes.extend([NOTHING; 2]);
        next
    }

    /// The same with its nodes in the order of files: the first way before the second.
    pub(crate) fn in_order(&self) -> Self {
        let mut tree = Self::seed();
        let mut open = vec![(0, 0)];
        while let Some((from, to)) = open.pop() {
            let Some(node) = self.nodes.get(from) else { continue };
            if node.column == LEAF {
                tree.set_leaf(to, self.leaf(*node).iter().copied());
            } else {
                let next = tree.set_question(to, usize::from(node.column), node.bin);
                let old = node.next as usize;
                open.extend([(old + 1, next + 1), (old, next)]);
            }
        }
        tree
    }

    /// A tree of one node, yet to be set.
    pub(crate) fn seed() -> Self {
        Self { nodes: vec![NOTHING], answers: Vec::new() }
    }
}

const NOTHING: Node = Node { column: LEAF, bin: 0, next: 0 };

/// How a node is judged: by what it holds of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Criterion {
    /// The chance that two rows of it differ.
    Gini,
    /// The bits that tell which class a row of it is.
    Entropy,
}

/// Where a node may be parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// Where it is parted best.
    Best,
    /// At one random place of each column (Geurts, Ernst and Wehenkel 2006).
    Random,
}

/// How a tree is grown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub(crate) criterion: Criterion,
    pub(crate) place: Where,
    /// How many questions deep it may be.
    pub(crate) max_depth: u32,
    /// The fewest rows of a leaf.
    pub(crate) min_leaf: u32,
    /// How many columns each node looks at, chosen at random; columns that do not vary there do not count.
    pub(crate) n_columns: usize,
}

/// Rows in bins with their classes.
pub(crate) struct Binned<'a> {
    /// Column after column.
    pub(crate) columns: &'a [Vec<u8>],
    pub(crate) classes: &'a [u16],
    /// What a row of each class counts.
    pub(crate) weights: &'a [f64],
}

/// From so many rows on, a node counts its bins; below it sorts its rows.
const MANY: usize = 512;

/// Grows a tree; a row may be named more than once and counts so often.
pub(crate) fn grow(data: &Binned<'_>, rows: &mut [u32], how: Growth, random: &mut Random) -> Tree {
    let mut tree = Tree::seed();
    let mut scratch = Scratch::new(data.weights.len());
    let mut order: Vec<usize> = (0..data.columns.len()).collect();
    let mut open = vec![(0, 0, rows.len(), 0)];
    while let Some((at, start, end, depth)) = open.pop() {
        let here = &mut rows[start..end];
        let total = scratch.count(data, here);
        let is_pure = total.iter().filter(|it| **it > 0.0).count() < 2;
        let is_small = here.len() < 2 * how.min_leaf.max(1) as usize;
        let found = if is_pure || is_small || depth >= how.max_depth {
            None
        } else {
            question(data, here, &total, how, (&mut order, random, &mut scratch))
        };
        let Some((column, bin)) = found else {
            let sum: f64 = total.iter().sum();
            let shares = (0u16..).zip(&total).filter(|it| *it.1 > 0.0);
            tree.set_leaf(at, shares.map(|(class, it)| Answer { class, value: (it / sum) as f32 }));
            continue;
        };
        let n_low = part(here, &data.columns[column], bin);
        let next = tree.set_question(at, column, bin);
        open.push((next + 1, start + n_low, end, depth + 1));
        open.push((next, start, start + n_low, depth + 1));
    }
    tree
}

/// Puts the rows up to a bin first, all in their order; how many those are.
pub(crate) fn part(rows: &mut [u32], column: &[u8], bin: u8) -> usize {
    let is_low = |it: &u32| column[*it as usize] <= bin;
    let high: Vec<u32> = rows.iter().copied().filter(|it| !is_low(it)).collect();
    let mut n_low = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if is_low(&row) {
            rows[n_low] = row;
            n_low += 1;
        }
    }
    rows[n_low..].copy_from_slice(&high);
    n_low
}

/// Between two bins that hold rows of a node and have none between them, the bin up to which the first way is gone.
pub(crate) fn between(low: u8, high: u8) -> u8 {
    // What is missing is on no side of a value.
    if low == 0 { 0 } else { low + (high - low - 1) / 2 }
}

/// What is needed over and over.
struct Scratch {
    /// Rows by bin and class.
    table: Vec<u32>,
    /// Bin and class of each row.
    pairs: Vec<u32>,
    left: Vec<f64>,
}

impl Scratch {
    fn new(n_classes: usize) -> Self {
        Self { table: vec![0; 256 * n_classes], pairs: Vec::new(), left: vec![0.0; n_classes] }
    }

    /// The weight of each class among the rows.
    fn count(&mut self, data: &Binned<'_>, rows: &[u32]) -> Vec<f64> {
        let mut counts = vec![0u32; data.weights.len()];
        rows.iter().for_each(|it| counts[usize::from(data.classes[*it as usize])] += 1);
        counts.iter().zip(data.weights).map(|(n, weight)| f64::from(*n) * weight).collect()
    }
}

/// The best question for a node: the column and the bin up to which rows go one way.
fn question(
    data: &Binned<'_>,
    rows: &[u32],
    total: &[f64],
    how: Growth,
    (order, random, scratch): (&mut [usize], &mut Random, &mut Scratch),
) -> Option<(usize, u8)> {
    let mut best: Option<(f64, usize, u8)> = None;
    let mut n_looked = 0;
    let floor = whole(total, how.criterion) + 1e-9;
    for at in 0..order.len() {
        if n_looked >= how.n_columns {
            break;
        }
        // With all columns the order is theirs, so that of equal questions the first is asked.
        if how.n_columns < order.len() {
            order.swap(at, at + random.below((order.len() - at) as u32) as usize);
        }
        let column = &data.columns[order[at]];
        let found = match how.place {
            Where::Best => best_place(data, column, rows, total, how, scratch),
            Where::Random => random_place(data, column, rows, total, how, (random, scratch)),
        };
        let Some(place) = found else { continue };
        n_looked += 1;
        if let Some((gain, bin)) = place
            && gain > floor
            && best.is_none_or(|it| gain > it.0)
        {
            best = Some((gain, order[at], bin));
        }
    }
    best.map(|it| (it.1, it.2))
}

/// What a side of a question is worth: more where fewer classes share it.
fn whole(of: &[f64], criterion: Criterion) -> f64 {
    let sum: f64 = of.iter().sum();
    match criterion {
        Criterion::Gini => of.iter().map(|it| it * it).sum::<f64>() / sum.max(f64::MIN_POSITIVE),
        Criterion::Entropy => of.iter().map(|it| x_log_x(*it)).sum::<f64>() - x_log_x(sum),
    }
}

fn x_log_x(x: f64) -> f64 {
    if x > 0.0 { x * libm::log(x) } else { 0.0 }
}

/// The two sides of a question while rows go from one to the other.
struct Sides<'a> {
    criterion: Criterion,
    left: &'a mut [f64],
    total: &'a [f64],
    /// Of the left and right side: the sum of weights, and of their squares or `x log x`.
    sums: [f64; 2],
    parts: [f64; 2],
}

impl<'a> Sides<'a> {
    fn new(criterion: Criterion, left: &'a mut [f64], total: &'a [f64]) -> Self {
        left.fill(0.0);
        let sum = total.iter().sum();
        let of = match criterion {
            Criterion::Gini => total.iter().map(|it| it * it).sum(),
            Criterion::Entropy => total.iter().map(|it| x_log_x(*it)).sum(),
        };
        Self { criterion, left, total, sums: [0.0, sum], parts: [0.0, of] }
    }

    /// Rows of a class go from right to left.
    fn pass(&mut self, class: usize, weight: f64) {
        let was = [self.left[class], self.total[class] - self.left[class]];
        let is = [was[0] + weight, (was[1] - weight).max(0.0)];
        self.left[class] = is[0];
        self.sums = [self.sums[0] + weight, self.sums[1] - weight];
        for side in 0..2 {
            self.parts[side] += match self.criterion {
                Criterion::Gini => is[side] * is[side] - was[side] * was[side],
                Criterion::Entropy => x_log_x(is[side]) - x_log_x(was[side]),
            };
        }
    }

    fn worth(&self) -> f64 {
        let side = |it: usize| match self.criterion {
            Criterion::Gini => self.parts[it] / self.sums[it].max(f64::MIN_POSITIVE),
            Criterion::Entropy => self.parts[it] - x_log_x(self.sums[it]),
        };
        side(0) + side(1)
    }
}

/// Where a column parts the rows best, and what that is worth; `None` where it does not vary, and `Some(None)` where every
/// place leaves a side too small.
fn best_place(
    data: &Binned<'_>,
    column: &[u8],
    rows: &[u32],
    total: &[f64],
    how: Growth,
    scratch: &mut Scratch,
) -> Option<Option<(f64, u8)>> {
    let n_classes = total.len();
    let Scratch { table, pairs, left } = scratch;
    let mut sides = Sides::new(how.criterion, left, total);
    let (min_leaf, n) = (how.min_leaf.max(1) as usize, rows.len());
    let mut best: Option<(f64, u8)> = None;
    let mut n_left = 0;
    let mut last: Option<u8> = None;
    // A bin is next: the place before it is judged.
    let judge = |bin: u8,
                 last: Option<u8>,
                 n_left: usize,
                 sides: &Sides<'_>,
                 best: &mut Option<(f64, u8)>| {
        if let Some(low) = last
            && n_left >= min_leaf
            && n - n_left >= min_leaf
        {
            let worth = sides.worth();
            if best.is_none_or(|it| worth > it.0) {
                *best = Some((worth, between(low, bin)));
            }
        }
    };
    let mut n_bins = 0;
    if n >= MANY {
        table.fill(0);
        for row in rows {
            let bin = usize::from(column[*row as usize]);
            table[bin * n_classes + usize::from(data.classes[*row as usize])] += 1;
        }
        for (bin, counts) in (0u8..=255).zip(table.chunks_exact(n_classes)) {
            let n_here: u32 = counts.iter().sum();
            if n_here == 0 {
                continue;
            }
            judge(bin, last, n_left, &sides, &mut best);
            for (class, count) in counts.iter().enumerate().filter(|it| *it.1 > 0) {
                sides.pass(class, f64::from(*count) * data.weights[class]);
            }
            n_left += n_here as usize;
            (last, n_bins) = (Some(bin), n_bins + 1);
        }
    } else {
        pairs.clear();
        let pair = |row: &u32| {
            let row = *row as usize;
            u32::from(column[row]) << 16 | u32::from(data.classes[row])
        };
        pairs.extend(rows.iter().map(pair));
        pairs.sort_unstable();
        for pair in pairs.iter() {
            let (bin, class) = ((pair >> 16) as u8, (pair & 0xffff) as usize);
            if last != Some(bin) {
                judge(bin, last, n_left, &sides, &mut best);
                (last, n_bins) = (Some(bin), n_bins + 1);
            }
            sides.pass(class, data.weights[class]);
            n_left += 1;
        }
    }
    (n_bins > 1).then_some(best)
}

/// A random place of a column and what it is worth; else as [`best_place`].
fn random_place(
    data: &Binned<'_>,
    column: &[u8],
    rows: &[u32],
    total: &[f64],
    how: Growth,
    (random, scratch): (&mut Random, &mut Scratch),
) -> Option<Option<(f64, u8)>> {
    let mut bins = rows.iter().map(|it| column[*it as usize]);
    let first = bins.next()?;
    let (low, high) = bins.fold((first, first), |(low, high), it| (low.min(it), high.max(it)));
    if low == high {
        return None;
    }
    let bin = low + random.below(u32::from(high - low)) as u8;
    let left = &mut scratch.left;
    left.fill(0.0);
    let mut n_left = 0;
    for row in rows.iter().map(|it| *it as usize).filter(|it| column[*it] <= bin) {
        let class = usize::from(data.classes[row]);
        left[class] += data.weights[class];
        n_left += 1;
    }
    let min_leaf = how.min_leaf.max(1) as usize;
    if n_left < min_leaf || rows.len() - n_left < min_leaf {
        return Some(None);
    }
    let right: Vec<f64> = total.iter().zip(left.iter()).map(|it| (it.0 - it.1).max(0.0)).collect();
    Some(Some((whole(left, how.criterion) + whole(&right, how.criterion), bin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWTH: Growth = Growth {
        criterion: Criterion::Gini,
        place: Where::Best,
        max_depth: 64,
        min_leaf: 1,
        n_columns: 2,
    };

    /// The class is whether both columns are low or both are high.
    fn same() -> (Vec<Vec<u8>>, Vec<u16>) {
        let mut random = Random::of(5, 0);
        let columns: Vec<Vec<u8>> =
            (0..2).map(|_| (0..2_000).map(|_| random.below(200) as u8).collect()).collect();
        let is_same = |it: (&u8, &u8)| u16::from((*it.0 < 100) == (*it.1 < 100));
        let classes = columns[0].iter().zip(&columns[1]).map(is_same).collect();
        (columns, classes)
    }

    fn share_right(how: Growth) -> f64 {
        let (columns, classes) = same();
        let data = Binned { columns: &columns, classes: &classes, weights: &[1.0, 1.0] };
        let mut rows: Vec<u32> = (0..1_000).collect();
        let tree = grow(&data, &mut rows, how, &mut Random::of(1, 0));
        let is_right = |row: &usize| {
            let said = tree.answers(&[columns[0][*row], columns[1][*row]]);
            said.iter().any(|it| it.class == classes[*row] && it.value > 0.5)
        };
        (1_000..2_000).filter(is_right).count() as f64 / 1_000.0
    }

    #[test]
    fn a_tree_learns_what_no_single_column_tells() {
        for criterion in [Criterion::Gini, Criterion::Entropy] {
            let right = share_right(Growth { criterion, ..GROWTH });
            assert!(right > 0.95, "{criterion:?}: {right}");
        }
        assert!(share_right(Growth { place: Where::Random, ..GROWTH }) > 0.85);
        assert!(share_right(Growth { max_depth: 1, ..GROWTH }) < 0.65);
    }

    #[test]
    fn leaves_have_as_many_rows_as_asked() {
        let (columns, classes) = same();
        let data = Binned { columns: &columns, classes: &classes, weights: &[1.0, 1.0] };
        let mut rows: Vec<u32> = (0..2_000).collect();
        let how = Growth { min_leaf: 40, ..GROWTH };
        let tree = grow(&data, &mut rows, how, &mut Random::of(1, 0));
        let n_leaves = tree.nodes.iter().filter(|it| it.column == LEAF).count();
        assert!((4..=50).contains(&n_leaves), "{n_leaves}");
    }

    #[test]
    fn counting_and_sorting_find_the_same_place() {
        let (columns, classes) = same();
        let data = Binned { columns: &columns, classes: &classes, weights: &[1.0, 2.5] };
        let mut scratch = Scratch::new(2);
        for n in [40, MANY - 1] {
            // Each row twice is enough to be counted, and asks the same question.
            let rows: Vec<u32> = (0..n as u32).collect();
            let many = rows.repeat(MANY.div_ceil(n));
            let mut place = |rows: &[u32]| {
                let total = scratch.count(&data, rows);
                best_place(&data, &columns[0], rows, &total, GROWTH, &mut scratch)
            };
            let (sorted, counted) =
                (place(&rows).unwrap().unwrap(), place(&many).unwrap().unwrap());
            assert_eq!(sorted.1, counted.1);
        }
    }

    #[test]
    fn rows_are_parted_in_their_order() {
        let mut rows = [4, 3, 2, 1, 0];
        assert_eq!(part(&mut rows, &[0, 9, 1, 8, 2], 5), 3);
        assert_eq!(rows, [4, 2, 0, 3, 1]);
    }
}
