//! Whole numbers summed up, exactly.

/// Count, sums and extremes of whole numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Statistics {
    pub(crate) n: u64,
    pub(crate) sum: i128,
    sum_of_squares: i128,
    pub(crate) min: i64,
    pub(crate) max: i64,
}

impl Statistics {
    pub(crate) fn push(&mut self, value: i64) {
        let is_first = self.n == 0;
        self.min = if is_first { value } else { self.min.min(value) };
        self.max = if is_first { value } else { self.max.max(value) };
        self.n += 1;
        self.sum += i128::from(value);
        let square = i128::from(value) * i128::from(value);
        self.sum_of_squares = self.sum_of_squares.saturating_add(square);
    }

    /// How many numbers.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.sum as f64
    }

    /// The sum of squared deviations from the mean: exact before it is rounded, but for numbers whose squares are past
    /// counting.
    pub(crate) fn squared_deviations(&self) -> f64 {
        let n = i128::from(self.n);
        let squares = self.sum_of_squares.checked_mul(n);
        let exact = squares.zip(self.sum.checked_mul(self.sum)).map(|(a, b)| a - b);
        exact.map_or_else(|| self.rounded_squared_deviations(), |it| it as f64 / n as f64)
    }

    /// The same in floating point, as the published files were computed.
    pub(crate) fn rounded_squared_deviations(&self) -> f64 {
        self.sum_of_squares as f64 - self.sum.saturating_mul(self.sum) as f64 / self.n as f64
    }
}
