//! What the files of ISCXVPN2016 hold, told by their numbers: their headers and names do not say it.

/// Places of features in both schemas of the data set.
const DURATION: usize = 0;
const TOTALS: [usize; 2] = [1, 2];
const MINS: [usize; 2] = [3, 4];
const MAXS: [usize; 2] = [5, 6];
const PACKET_RATE: usize = 9;
const MEAN_GAP: usize = 13;
const N: usize = 23;
/// What eight columns of iscx-b hold, by the right names; the published files of 60 s in scenarios A1 and B have these.
pub(super) const TRUE_NAMES: [(&str, &str); 8] = [
    ("total_fiat", "min_fiat"),
    ("total_biat", "min_biat"),
    ("min_fiat", "max_fiat"),
    ("min_biat", "max_biat"),
    ("max_fiat", "mean_fiat"),
    ("max_biat", "mean_biat"),
    ("mean_fiat", "std_fiat"),
    ("mean_biat", "std_biat"),
];
/// From here on a spreadsheet has left three digits of means and deviations.
const BIG: f64 = 1e7;

/// What was seen in the rows of a file.
#[derive(Default)]
pub(super) struct Content {
    /// Rows where a column headed `total_*` holds −1, the sign of a least gap that is not there.
    n_without_total: u64,
    /// Rows where a column headed `max_*` does.
    n_without_max: u64,
    /// Rows where what is headed `min_*` is more than what is headed `max_*`.
    n_crossed: u64,
    /// Rows whose packet rate is known from the rest.
    n_rates: u64,
    /// Of these, rows whose packet rate is another than duration and mean gap tell.
    n_wrong_rates: u64,
    /// Of each column how many values are big, and how many of these have three digits.
    big: [(u64, u64); N],
}

/// What the columns 2 to 9 hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// What their names say, as in scenario A2.
    Right,
    /// The next statistic: least, greatest, mean and deviation, as in scenarios A1 and B.
    Shifted,
    /// The rows do not tell.
    Unsure,
}

impl Content {
    /// Looks at a row, in the order of the schema.
    pub(super) fn see(&mut self, row: &[f64]) {
        let at = |at: usize| row.get(at).copied().unwrap_or(f64::NAN);
        let is_absent = |it: usize| at(it) == -1.0;
        self.n_without_total += u64::from(TOTALS.into_iter().any(is_absent));
        self.n_without_max += u64::from(MAXS.into_iter().any(is_absent));
        let mut both = MINS.into_iter().zip(MAXS);
        self.n_crossed += u64::from(both.any(|(min, max)| at(min) > at(max)));
        if let Some(rate) = rate(at(DURATION), at(MEAN_GAP)) {
            self.n_rates += 1;
            self.n_wrong_rates += u64::from(is_other(at(PACKET_RATE), rate));
        }
        for (value, (n_big, n_cut)) in row.iter().zip(&mut self.big) {
            if *value >= BIG {
                *n_big += 1;
                *n_cut += u64::from(has_three_digits(*value));
            }
        }
    }

    /// What the columns 2 to 9 hold. This tells all twenty published files apart.
    pub(super) fn header(&self) -> Header {
        match (self.n_without_total > 0, self.n_without_max > 0, self.n_crossed > 0) {
            (true, false, _) | (false, false, true) => Header::Shifted,
            (false, true, false) => Header::Right,
            _ => Header::Unsure,
        }
    }

    /// How many rows have wrong packet rates, where most do.
    pub(super) fn n_wrong_rates(&self) -> Option<u64> {
        (self.n_wrong_rates * 2 > self.n_rates).then_some(self.n_wrong_rates)
    }

    /// How many values a spreadsheet has cut, in columns where it has cut most.
    pub(super) fn n_cut(&self) -> u64 {
        self.big.iter().filter(|it| it.1 * 2 > it.0).map(|it| it.1).sum()
    }
}

fn has_three_digits(value: f64) -> bool {
    let mut digit = 1.0;
    while digit * 1_000.0 <= value {
        digit *= 10.0;
    }
    value % digit == 0.0
}

/// The packet rate that the duration and the mean gap tell: there is one gap less than there are packets. Without a
/// duration it is 0.
fn rate(duration: f64, mean_gap: f64) -> Option<f64> {
    if duration == 0.0 {
        return Some(0.0);
    }
    let is_known = duration > 0.0 && mean_gap > 0.0;
    is_known.then(|| ((duration / mean_gap).round() + 1.0) * 1e6 / duration)
}

fn is_other(found: f64, rate: f64) -> bool {
    (found - rate).abs() > rate * 1e-3
}

/// Puts the packet rate of a row right, where the duration and the mean gap tell another.
pub(super) fn mend_rate(row: &mut [f32]) {
    let at = |at: usize| row.get(at).map_or(f64::NAN, |it| f64::from(*it));
    let rate = rate(at(DURATION), at(MEAN_GAP)).filter(|it| is_other(at(PACKET_RATE), *it));
    let rate = rate.map(|it| it as f32).filter(|it| it.is_finite());
    if let Some((found, rate)) = row.get_mut(PACKET_RATE).zip(rate) {
        *found = rate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_told() {
        for (value, expected) in [(1.23e7, true), (12_300_001.0, false), (9.99e9, true)] {
            assert_eq!(has_three_digits(value), expected, "{value}");
        }
    }

    #[test]
    fn a_rate_is_made_again_from_the_mean_gap() {
        let mut row = [0.0; N];
        (row[DURATION], row[MEAN_GAP], row[PACKET_RATE]) = (2e6, 5e5, 12.345);
        mend_rate(&mut row);
        assert_eq!(row[PACKET_RATE], 2.5);
        (row[MEAN_GAP], row[PACKET_RATE]) = (0.0, 7.0);
        mend_rate(&mut row);
        assert_eq!(row[PACKET_RATE], 7.0);
    }
}
