//! How well classes are told: the confusion matrix and what follows from it.

/// What was said of what: rows judged, by their class and by what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    classes: Vec<String>,
    /// For each class, how often each class was said, and last how often nothing was.
    counts: Vec<Vec<u64>>,
}

/// How well one class is told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Rows that are of the class.
    pub support: u64,
    /// Of the rows called so, the share that is so; 0 where none was called so.
    pub precision: f64,
    /// Of the rows that are so, the share that was called so; 0 where there is none.
    pub recall: f64,
    /// The harmonic mean of the two; 0 where both are.
    pub f1: f64,
}

impl Confusion {
    /// Nothing judged yet.
    pub fn new(classes: &[String]) -> Self {
        let counts = vec![vec![0; classes.len() + 1]; classes.len()];
        Self { classes: classes.to_vec(), counts }
    }

    /// From the counts of a file; `None` where they are not as many as there are classes.
    pub(crate) fn from_counts(classes: &[String], counts: Vec<Vec<u64>>) -> Option<Self> {
        let is_whole = counts.len() == classes.len()
            && counts.iter().all(|it| it.len() == classes.len() + 1)
            // Sums of them do not overflow.
            && counts.iter().flatten().all(|it| *it < 1 << 32);
        is_whole.then(|| Self { classes: classes.to_vec(), counts })
    }

    /// For each class, how often each class was said, and last how often nothing was.
    pub fn counts(&self) -> &[Vec<u64>] {
        &self.counts
    }

    /// Counts a row of a class of which a class was said, or that nothing is known of it.
    pub fn add(&mut self, is: usize, said: Option<usize>) {
        let said = said.unwrap_or(self.classes.len());
        if let Some(count) = self.counts.get_mut(is).and_then(|it| it.get_mut(said)) {
            *count += 1;
        }
    }

    /// Every class, in order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How many rows of one class were called another; `None` that nothing was said.
    pub fn count(&self, is: usize, said: Option<usize>) -> u64 {
        let said = said.unwrap_or(self.classes.len());
        self.counts.get(is).and_then(|it| it.get(said)).copied().unwrap_or(0)
    }

    /// How many rows were judged.
    pub fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    /// The share of rows called what they are; 0 of none.
    pub fn accuracy(&self) -> f64 {
        let right = (0..self.classes.len()).map(|it| self.count(it, Some(it))).sum();
        ratio(right, self.total())
    }

    /// How well a class is told.
    pub fn score(&self, class: usize) -> Score {
        let right = self.count(class, Some(class));
        let support = self.counts.get(class).map_or(0, |it| it.iter().sum());
        let called = (0..self.classes.len()).map(|it| self.count(it, Some(class))).sum();
        let (precision, recall) = (ratio(right, called), ratio(right, support));
        Score { support, precision, recall, f1: ratio(2 * right, support + called) }
    }

    /// The mean over the classes that rows have: each class counts the same.
    pub fn macro_mean(&self) -> Score {
        self.mean(|_| 1.0)
    }

    /// The mean over rows: each class counts as many rows as it has.
    pub fn weighted_mean(&self) -> Score {
        self.mean(|it| it.support as f64)
    }

    fn mean(&self, weight: impl Fn(&Score) -> f64) -> Score {
        let scores = (0..self.classes.len()).map(|it| self.score(it));
        let scores: Vec<Score> = scores.filter(|it| it.support > 0).collect();
        let sum: f64 = scores.iter().map(&weight).sum();
        let of = |number: fn(&Score) -> f64| {
            let weighted: f64 = scores.iter().map(|it| number(it) * weight(it)).sum();
            if sum > 0.0 { weighted / sum } else { 0.0 }
        };
        Score {
            support: scores.iter().map(|it| it.support).sum(),
            precision: of(|it| it.precision),
            recall: of(|it| it.recall),
            f1: of(|it| it.f1),
        }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_what_they_are_called() {
        let classes = ["a", "b", "never"].map(str::to_owned);
        let mut confusion = Confusion::new(&classes);
        for (is, said) in [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0)] {
            confusion.add(is, Some(said));
        }
        let score = confusion.score(0);
        assert_eq!((score.support, score.precision, score.recall), (3, 2.0 / 3.0, 2.0 / 3.0));
        assert_eq!(confusion.accuracy(), 0.6);
        assert_eq!(confusion.score(2), Score::default());
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        // A class without rows does not count.
        assert!(close(confusion.macro_mean().f1, (2.0 / 3.0 + 0.5) / 2.0));
        assert!(close(confusion.weighted_mean().recall, 0.6));
    }

    #[test]
    fn what_nothing_is_said_of_counts_as_wrong() {
        let mut confusion = Confusion::new(&["a".to_owned(), "b".to_owned()]);
        confusion.add(0, Some(0));
        confusion.add(0, None);
        assert_eq!((confusion.accuracy(), confusion.score(0).recall), (0.5, 0.5));
        assert_eq!(confusion.score(0).precision, 1.0);
        assert_eq!(confusion.count(0, None), 1);
    }
}
