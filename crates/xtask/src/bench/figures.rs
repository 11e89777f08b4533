//! What runs took, and what is said of several of them.

/// What one run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Seconds of the processor, of all threads, the system's included.
    pub(crate) cpu: f64,
    /// Seconds until it was done.
    pub(crate) wall: f64,
    /// The most memory it had, in bytes.
    pub(crate) memory: u64,
}

/// The runs of one program over one capture, each with its round.
#[derive(Debug)]
pub(crate) struct Runs {
    pub(crate) name: String,
    /// How it failed in some round.
    pub(crate) fault: Option<String>,
    runs: Vec<(usize, Run)>,
}

impl Runs {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), fault: None, runs: Vec::new() }
    }

    pub(crate) fn push(&mut self, round: usize, run: Run) {
        self.runs.push((round, run));
    }

    /// Whether it never ran.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// What was measured, over all rounds.
    pub(crate) fn spread(&self, of: impl Fn(&Run) -> f64) -> Option<Spread> {
        Spread::of(self.runs.iter().map(|it| of(&it.1)).collect())
    }

    /// How many times what others took, each time within a round.
    pub(crate) fn ratio(&self, to: &Self, of: impl Fn(&Run) -> f64) -> Option<Spread> {
        let ratios = self.runs.iter().filter_map(|(round, run)| {
            let other = to.runs.iter().find(|it| it.0 == *round)?;
            Some(of(run) / of(&other.1))
        });
        Spread::of(ratios.collect())
    }

    /// The most memory of any run, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.runs.iter().map(|it| it.1.memory).max().unwrap_or(0)
    }
}

/// The least, the middle and the greatest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Nothing of no numbers.
    fn of(mut numbers: Vec<f64>) -> Option<Self> {
        numbers.sort_by(f64::total_cmp);
        let (least, most) = (*numbers.first()?, *numbers.last()?);
        let middle = numbers.len() / 2;
        let median = match numbers.len() % 2 {
            0 => f64::midpoint(numbers[middle - 1], numbers[middle]),
            _ => numbers[middle],
        };
        Some(Self { least, median, most })
    }
}

/// A number as it is written: three figures, no zero before the point, commas between thousands.
pub(crate) fn number(value: f64) -> String {
    let text = match value {
        it if it >= 99.95 => return grouped(it.round() as u64),
        it if it >= 9.995 => format!("{it:.1}"),
        it => format!("{it:.2}"),
    };
    text.strip_prefix('0').map_or(text.clone(), str::to_owned)
}

/// A whole number with commas between thousands.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(cpu: &[(usize, f64)]) -> Runs {
        let mut runs = Runs::new("a program");
        for (round, cpu) in cpu {
            runs.push(*round, Run { cpu: *cpu, wall: 0.0, memory: 0 });
        }
        runs
    }

    #[test]
    fn a_ratio_is_within_a_round() {
        let (ours, theirs) = (runs(&[(0, 1.0), (1, 4.0), (2, 9.0)]), runs(&[(0, 2.0), (1, 4.0)]));
        let expected = Spread { least: 0.5, median: 0.75, most: 1.0 };
        assert_eq!(ours.ratio(&theirs, |it| it.cpu), Some(expected));
        assert_eq!(ours.ratio(&runs(&[]), |it| it.cpu), None);
    }

    #[track_caller]
    fn check(value: f64, expected: &str) {
        assert_eq!(number(value), expected);
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        check(0.4567, ".46");
        check(1.0, "1.00");
        check(12.34, "12.3");
        check(1_234.5, "1,235");
        assert_eq!(grouped(1_000_000), "1,000,000");
        assert_eq!(grouped(12), "12");
    }
}
