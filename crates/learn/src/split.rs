//! How rows are divided into those to learn from and those to judge by.

use features::Words;

use crate::{Data, random::Random};

/// How rows are divided. Published figures are mostly of shuffled rows, and flatter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// By whole captures: what the figures promise holds for captures never seen.
    Capture,
    /// By runs of rows in their order within each class.
    Blocks,
    /// By time: what came before is learned from, what came after judged.
    Time,
    /// At random within each class.
    Shuffled,
}

/// What is told of a split.
#[derive(Debug)]
pub struct SplitRow {
    /// The split.
    pub split: Split,
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in a phrase.
    pub what: Words,
}

/// Every split, the most honest first.
pub const SPLITS: &[SplitRow] = &[
    row(Split::Capture, "capture", "by whole captures", "целыми снимками"),
    row(
        Split::Blocks,
        "blocks",
        "by runs of rows within each class",
        "подряд идущими строками внутри каждого класса",
    ),
    row(
        Split::Time,
        "time",
        "earlier rows are learned from, later ones judged",
        "обучение на ранних строках, проверка на поздних",
    ),
    row(Split::Shuffled, "shuffled", "at random", "случайно"),
];

const fn row(split: Split, name: &'static str, en: &'static str, ru: &'static str) -> SplitRow {
    SplitRow { split, name, what: Words { en, ru } }
}

impl Split {
    /// The split of that name.
    pub fn named(name: &str) -> Option<Self> {
        SPLITS.iter().find(|it| it.name == name).map(|it| it.split)
    }

    /// What is told of it.
    pub fn row(self) -> &'static SplitRow {
        SPLITS.iter().find(|it| it.split == self).unwrap_or(&SPLITS[0])
    }

    /// The most honest split the data allow: by capture where every class is in several of them, else by blocks.
    pub fn honest(data: &Data) -> Self {
        if lone_classes(data).is_empty() { Self::Capture } else { Self::Blocks }
    }

    /// The rows to learn from and to judge by, for each part in turn; parts without either are left out.
    pub fn folds(self, data: &Data, n_parts: u32, seed: u64) -> Vec<Fold> {
        let n_parts = n_parts.max(2);
        let parts = self.parts(data, n_parts, seed);
        let fold = |part: u32| {
            let is_learned = |it: u32| if self == Self::Time { it < part } else { it != part };
            let rows = |wanted: &dyn Fn(u32) -> bool| {
                (0..data.len()).filter(|it| parts.get(*it).is_some_and(|it| wanted(*it))).collect()
            };
            Fold { learned: rows(&is_learned), judged: rows(&|it| it == part) }
        };
        let folds = (0..n_parts).map(fold);
        folds.filter(|it| !it.learned.is_empty() && !it.judged.is_empty()).collect()
    }

    /// Which part each row is judged in.
    fn parts(self, data: &Data, n_parts: u32, seed: u64) -> Vec<u32> {
        let rows = data.rows();
        let mut parts = vec![0; rows.len()];
        let mut give = |of: &[usize]| {
            for (number, row) in of.iter().enumerate() {
                parts[*row] = (number as u64 * u64::from(n_parts) / of.len() as u64) as u32;
            }
        };
        match self {
            Self::Blocks | Self::Shuffled => {
                let mut random = Random::of(seed, 0x5eed);
                for class in 0..data.classes().len() as u32 {
                    let mut of: Vec<usize> =
                        (0..rows.len()).filter(|it| rows[*it].class == class).collect();
                    if self == Self::Shuffled {
                        random.shuffle(&mut of);
                    }
                    give(&of);
                }
            }
            Self::Time => {
                let mut of: Vec<usize> = (0..rows.len()).collect();
                of.sort_by_key(|it| (rows[*it].time_ns, *it));
                give(&of);
            }
            Self::Capture => {
                let of = capture_parts(data, n_parts);
                parts = rows
                    .iter()
                    .map(|it| of.get(it.capture as usize).copied().unwrap_or(0))
                    .collect();
            }
        }
        parts
    }
}

/// Rows to learn from, and rows to judge by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// Rows to learn from.
    pub learned: Vec<usize>,
    /// Rows to judge by.
    pub judged: Vec<usize>,
}

/// Which part each capture is judged in: each class's captures go around the parts, the largest first, so that every part
/// has some of every class where there are enough.
fn capture_parts(data: &Data, n_parts: u32) -> Vec<u32> {
    let n_classes = data.classes().len();
    let mut counts = vec![vec![0u64; n_classes]; data.captures.len().max(1)];
    for row in data.rows() {
        if let Some(count) =
            counts.get_mut(row.capture as usize).and_then(|it| it.get_mut(row.class as usize))
        {
            *count += 1;
        }
    }
    // Of equal classes the first.
    let main = |it: &Vec<u64>| (0..n_classes).rev().max_by_key(|class| it[*class]).unwrap_or(0);
    let size = |it: &Vec<u64>| it.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|it| (main(&counts[*it]), u64::MAX - size(&counts[*it]), *it));
    let mut parts = vec![0; counts.len()];
    for (number, capture) in (0u32..).zip(order) {
        parts[capture] = number % n_parts;
    }
    parts
}

/// The classes that are in one capture alone, so that nothing can be learned of them once it is taken away.
pub fn lone_classes(data: &Data) -> Vec<&str> {
    let mut first: Vec<Option<u32>> = vec![None; data.classes().len()];
    let mut is_lone = vec![true; data.classes().len()];
    for row in data.rows() {
        let class = row.class as usize;
        match first[class] {
            None => first[class] = Some(row.capture),
            Some(capture) if capture != row.capture => is_lone[class] = false,
            Some(_) => {}
        }
    }
    let named = data.classes().iter().zip(is_lone).filter(|it| it.1);
    named.map(|it| it.0.as_str()).collect()
}

/// Of the rows that are judged, how many come of a capture that is also learned from: what was learned may be the capture.
pub fn n_leaking(data: &Data, folds: &[Fold]) -> u64 {
    let capture = |row: &usize| data.rows().get(*row).map_or(0, |it| it.capture as usize);
    let mut n_leaking = 0;
    for fold in folds {
        let mut is_learned = vec![false; data.captures.len().max(1)];
        fold.learned.iter().for_each(|it| is_learned[capture(it)] = true);
        n_leaking += fold.judged.iter().filter(|it| is_learned[capture(it)]).count() as u64;
    }
    n_leaking
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Row;

    /// Two classes over four captures, in order of time.
    fn data() -> Data {
        let mut data = Data::of_columns(vec!["a".to_owned()]);
        for at in 0..40u64 {
            let capture = data.capture(&format!("{}", at / 10));
            let of = Row { capture, time_ns: at, ..Row::default() };
            data.push([at as f32], if at < 20 { "x" } else { "y" }, of);
        }
        data
    }

    #[test]
    fn every_row_is_judged_once_and_never_learned_from_then() {
        for row in SPLITS.iter().filter(|it| it.split != Split::Time) {
            let folds = row.split.folds(&data(), 4, 1);
            let mut judged: Vec<usize> = folds.iter().flat_map(|it| it.judged.clone()).collect();
            judged.sort_unstable();
            assert_eq!(judged, (0..40).collect::<Vec<_>>(), "{}", row.name);
            for fold in &folds {
                assert!(fold.learned.iter().all(|it| !fold.judged.contains(it)), "{}", row.name);
            }
        }
    }

    #[test]
    fn by_time_only_what_came_before_is_learned() {
        let folds = Split::Time.folds(&data(), 4, 1);
        assert_eq!(folds.len(), 3);
        for fold in folds {
            assert!(fold.learned.iter().max() < fold.judged.iter().min());
        }
    }

    #[test]
    fn leakage_is_counted_and_by_capture_there_is_none() {
        let data = data();
        let count = |it: Split| n_leaking(&data, &it.folds(&data, 2, 1));
        assert_eq!(count(Split::Capture), 0);
        assert_eq!(count(Split::Shuffled), 40);
        assert_eq!(Split::honest(&data), Split::Capture);
        assert!(lone_classes(&data).is_empty());
        assert_eq!(lone_classes(&data.only(0..30)), ["y"]);
    }

    #[test]
    fn blocks_are_runs_within_a_class() {
        let folds = Split::Blocks.folds(&data(), 4, 1);
        let judged: Vec<usize> = (0..5).chain(20..25).collect();
        assert_eq!(folds[0].judged, judged);
    }
}
