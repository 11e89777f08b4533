//! Numbers in bins: each column's values fall into at most 255 bins of about as many rows each, and trees ask for bins.
//!
//! Bin 0 holds what is missing, so that a tree can part it from all values. A column with no more than 255 different values
//! has a bin for each, with bounds halfway between two of them.

use serde::{Deserialize, Serialize};

/// The most bins of values a column has; with that of what is missing they fit in a byte.
const MAX_BINS: usize = 255;

/// The bounds of every column's bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bounds(Vec<Vec<f32>>);

impl Bounds {
    /// Bounds for the numbers of some rows.
    pub(crate) fn new<'a>(n_columns: usize, rows: impl Iterator<Item = &'a [f32]> + Clone) -> Self {
        Self((0..n_columns).map(|at| column(rows.clone().filter_map(|it| it.get(at)))).collect())
    }

    /// How many columns there are.
    pub(crate) fn n_columns(&self) -> usize {
        self.0.len()
    }

    /// The bin of a number in a column.
    pub(crate) fn bin(&self, column: usize, value: f32) -> u8 {
        if value.is_nan() {
            return 0;
        }
        let bounds = self.0.get(column).map_or(&[][..], Vec::as_slice);
        // At most 254 bounds, see `are_sound`.
        (1 + bounds.partition_point(|it| *it < value)) as u8
    }

    /// The rank of a number among those of its column, from −0.5 to 0.5; of what is missing −0.75.
    pub(crate) fn rank(&self, column: usize, value: f32) -> f32 {
        let n = self.0.get(column).map_or(1, |it| it.len() + 1);
        match self.bin(column, value) {
            0 => -0.75,
            bin => (f32::from(bin) - 0.5) / n as f32 - 0.5,
        }
    }

    /// The ranks of a row.
    pub(crate) fn ranks(&self, row: &[f32]) -> Vec<f32> {
        let value = |at| row.get(at).copied().unwrap_or(f32::NAN);
        (0..self.0.len()).map(|at| self.rank(at, value(at))).collect()
    }

    /// The bins of some rows, column after column.
    pub(crate) fn columns<'a>(
        &self,
        rows: impl Iterator<Item = &'a [f32]> + Clone,
    ) -> Vec<Vec<u8>> {
        let value = |at, row: &[f32]| row.get(at).copied().unwrap_or(f32::NAN);
        let column = |at| rows.clone().map(|row| self.bin(at, value(at, row))).collect();
        (0..self.0.len()).map(column).collect()
    }

    /// Whether those of a file can be used: as many as fit in a byte, in order.
    pub(crate) fn are_sound(&self) -> bool {
        let is_sound = |it: &Vec<f32>| {
            it.len() < MAX_BINS
                && it.iter().all(|it| it.is_finite())
                && it.is_sorted_by(|a, b| a < b)
        };
        self.0.iter().all(is_sound)
    }

    /// Only the bounds trees ask for, and where each is then: `used` says of a column's bins which are asked for.
    pub(crate) fn only(&mut self, used: &[[bool; 256]]) -> Vec<[u8; 256]> {
        let mut places = Vec::new();
        for (bounds, used) in self.0.iter_mut().zip(used) {
            let (mut kept, mut place) = (Vec::new(), [0; 256]);
            // A question for bin 0 needs no bound.
            for (bin, bound) in (1..).zip(bounds.iter()) {
                if used.get(bin).is_some_and(|it| *it) {
                    kept.push(*bound);
                    if let Some(place) = place.get_mut(bin) {
                        *place = kept.len() as u8;
                    }
                }
            }
            *bounds = kept;
            places.push(place);
        }
        places
    }
}

/// The bounds of one column's bins.
fn column<'a>(values: impl Iterator<Item = &'a f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.copied().filter(|it| !it.is_nan()).collect();
    values.sort_unstable_by(f32::total_cmp);
    let mut counts: Vec<(f32, usize)> = Vec::new();
    for value in &values {
        match counts.last_mut() {
            Some(last) if last.0 == *value => last.1 += 1,
            _ => counts.push((*value, 1)),
        }
    }
    let (mut bounds, mut n_left, mut n_here) = (Vec::new(), values.len(), 0);
    let mut last: Option<f32> = None;
    for (value, count) in &counts {
        let n_bins = MAX_BINS - bounds.len();
        // A bin is closed where it comes nearer to its part of what is left without the next value than with it, so that a
        // value of many rows has a bin of its own.
        let is_full =
            counts.len() <= MAX_BINS || (2 * n_here + count) * n_bins > 2 * (n_left + n_here);
        if let Some(last) = last.filter(|_| is_full && n_bins > 1) {
            let middle = f64::midpoint(last.into(), (*value).into()) as f32;
            // Rounding may reach the upper one, which must stay above.
            bounds.push(if middle < *value { middle } else { last });
            n_here = 0;
        }
        n_here += count;
        n_left -= count;
        last = Some(*value);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(values: &[f32]) -> Bounds {
        Bounds::new(1, values.chunks(1))
    }

    #[test]
    fn few_values_have_a_bin_each() {
        let bounds = bounds(&[3.0, 1.0, f32::NAN, 1.0, 8.0]);
        let bins = [f32::NAN, 0.0, 1.0, 2.0, 2.1, 3.0, 8.0, 9.0].map(|it| bounds.bin(0, it));
        assert_eq!(bins, [0, 1, 1, 1, 2, 2, 3, 3]);
        assert!(bounds.are_sound());
    }

    #[test]
    fn many_values_share_bins_of_like_size() {
        let values: Vec<f32> = (0..10_000u16).map(f32::from).collect();
        let bounds = bounds(&values);
        let mut counts = [0; 256];
        values.iter().for_each(|it| counts[bounds.bin(0, *it) as usize] += 1);
        assert_eq!(counts[0], 0);
        assert!(counts[1..].iter().all(|it| (36..=42).contains(it)), "{counts:?}");
    }

    #[test]
    fn a_value_of_many_rows_is_not_parted() {
        let mut values: Vec<f32> = (0..600u16).map(f32::from).collect();
        values.extend([7.0; 5_000]);
        let bounds = bounds(&values);
        assert!(bounds.bin(0, 6.0) < bounds.bin(0, 7.0) && bounds.bin(0, 7.0) < bounds.bin(0, 8.0));
        assert!(bounds.are_sound());
    }

    #[test]
    fn nothing_has_no_bounds() {
        assert_eq!(bounds(&[]).bin(0, 4.0), 1);
        assert_eq!(bounds(&[f32::NAN; 3]).bin(0, f32::NAN), 0);
    }
}
