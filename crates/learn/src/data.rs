//! Labelled rows: what a model is learned from and judged by.

use features::Schema;

/// What the hash of a row is multiplied with (FxHash).
const PRIME: u64 = 0x517c_c1b7_2722_0a95;

/// Rows of numbers with their labels, and where each comes from.
///
/// A number that is missing is `NaN`; numbers are kept as `f32`, which tells seven digits.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// The names of the columns, each once.
    pub columns: Vec<String>,
    /// The schema whose features the columns are, in its order; `None` where they are others.
    pub schema: Option<&'static Schema>,
    /// Flows were cut by this timeout, in microseconds.
    pub timeout_micros: Option<u64>,
    /// The names of the captures or files the rows are from.
    pub captures: Vec<String>,
    classes: Vec<String>,
    rows: Vec<Row>,
    /// Row after row.
    values: Vec<f32>,
}

/// What is known of a row besides its numbers. None of it is learned from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// Its place among [`Data::classes`].
    pub class: u32,
    /// Its place among [`Data::captures`]; rows of one capture resemble each other.
    pub capture: u32,
    /// When it began, in nanoseconds since 1970; 0 where that is not known.
    pub time_ns: u64,
    /// The server's port, for a baseline that knows nothing else; 0 where there is none.
    pub port: u16,
}

impl Data {
    /// No rows yet, of the features of a schema.
    pub fn of_schema(schema: &'static Schema, timeout_micros: Option<u64>) -> Self {
        let columns = schema.unique_features().map(|it| it.0.into_owned()).collect();
        Self { columns, schema: Some(schema), timeout_micros, ..Self::default() }
    }

    /// No rows yet, of columns that are those of no schema.
    pub fn of_columns(columns: Vec<String>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// The place of a capture of this name among the captures.
    pub fn capture(&mut self, name: &str) -> u32 {
        let known = self.captures.iter().position(|it| it == name);
        known.unwrap_or_else(|| {
            self.captures.push(name.to_owned());
            self.captures.len() - 1
        }) as u32
    }

    /// Adds a row; what is too much or missing of its numbers is cut off or `NaN`.
    pub fn push(&mut self, values: impl IntoIterator<Item = f32>, label: &str, of: Row) {
        let class = self.class(label);
        self.rows.push(Row { class, ..of });
        let n = self.columns.len();
        // Infinity comes of a division by nothing: there is no number.
        let finite = values.into_iter().map(|it| if it.is_finite() { it } else { f32::NAN });
        self.values.extend(finite.chain(std::iter::repeat(f32::NAN)).take(n));
    }

    /// The place of a class, which gets one in the order of names.
    fn class(&mut self, label: &str) -> u32 {
        match self.classes.binary_search_by(|it| it.as_str().cmp(label)) {
            Ok(at) => at as u32,
            Err(at) => {
                self.classes.insert(at, label.to_owned());
                for row in self.rows.iter_mut().filter(|it| it.class >= at as u32) {
                    row.class += 1;
                }
                at as u32
            }
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the classes, in order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What is known of the rows besides their numbers.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The numbers of a row.
    pub fn values(&self, row: usize) -> &[f32] {
        let n = self.columns.len();
        self.values.get(row * n..(row + 1) * n).unwrap_or_default()
    }

    /// The label of a row.
    pub fn label(&self, row: usize) -> &str {
        let class = self.rows.get(row).and_then(|it| self.classes.get(it.class as usize));
        class.map_or("", String::as_str)
    }

    /// How many rows each class has.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.classes.len()];
        for row in &self.rows {
            if let Some(count) = counts.get_mut(row.class as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Only some of the rows, in the order they are named; a class without a row is gone.
    pub fn only(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let mut chosen = Self {
            columns: self.columns.clone(),
            schema: self.schema,
            timeout_micros: self.timeout_micros,
            captures: self.captures.clone(),
            ..Self::default()
        };
        for at in rows.into_iter().filter(|it| *it < self.len()) {
            let origin = self.rows.get(at).copied().unwrap_or_default();
            chosen.push(self.values(at).iter().copied(), self.label(at), origin);
        }
        chosen
    }

    /// The rows but those that repeat the numbers and the label of an earlier one.
    pub fn unique_rows(&self) -> Vec<usize> {
        let mut is_repeated = vec![false; self.len()];
        self.each_alike(|rows| {
            let mut rows: Vec<(u32, usize)> =
                rows.iter().map(|it| (self.class_of(*it), *it)).collect();
            rows.sort_unstable();
            for (earlier, later) in rows.iter().zip(rows.iter().skip(1)) {
                is_repeated[later.1] = earlier.0 == later.0;
            }
        });
        (0..self.len()).filter(|it| !is_repeated[*it]).collect()
    }

    /// Without the rows that repeat the numbers and the label of an earlier one; and how many those were.
    pub fn without_duplicates(&self) -> (Self, u64) {
        let kept = self.unique_rows();
        let n_dropped = (self.len() - kept.len()) as u64;
        (self.only(kept), n_dropped)
    }

    /// How many rows repeat the numbers and the label of an earlier one.
    pub fn n_duplicates(&self) -> u64 {
        (self.len() - self.unique_rows().len()) as u64
    }

    /// How many rows repeat the numbers of another row that has another label: no model can tell both.
    pub fn n_contradictions(&self) -> u64 {
        let mut n_contradictions = 0;
        self.each_alike(|rows| {
            let first = rows.first().map(|it| self.class_of(*it));
            if rows.iter().any(|it| Some(self.class_of(*it)) != first) {
                n_contradictions += rows.len() as u64;
            }
        });
        n_contradictions
    }

    /// Shows the rows with the same numbers, where there are several.
    fn each_alike(&self, mut show: impl FnMut(&[usize])) {
        let bits = |row: usize| self.values(row).iter().map(|it| it.to_bits());
        // Rows are compared by a hash first, which spares most the way through their numbers.
        let hash = |row: usize| {
            bits(row).fold(0u64, |all, it| (all.rotate_left(5) ^ u64::from(it)).wrapping_mul(PRIME))
        };
        let mut rows: Vec<(u64, usize)> = (0..self.len()).map(|it| (hash(it), it)).collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| bits(a.1).cmp(bits(b.1))));
        for alike in rows.chunk_by(|a, b| a.0 == b.0 && bits(a.1).eq(bits(b.1))) {
            if alike.len() > 1 {
                let alike: Vec<usize> = alike.iter().map(|it| it.1).collect();
                show(&alike);
            }
        }
    }

    fn class_of(&self, row: usize) -> u32 {
        self.rows.get(row).map_or(0, |it| it.class)
    }

    /// The numbers of a row, to be put right.
    pub(crate) fn values_mut(&mut self, row: usize) -> &mut [f32] {
        let n = self.columns.len();
        self.values.get_mut(row * n..(row + 1) * n).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_order_whatever_comes_first() {
        let mut data = Data::of_columns(vec!["a".to_owned()]);
        for (value, label) in [(1.0, "web"), (2.0, "mail"), (3.0, "web"), (4.0, "a")] {
            data.push([value], label, Row::default());
        }
        assert_eq!(data.classes(), ["a", "mail", "web"]);
        let labels: Vec<&str> = (0..4).map(|it| data.label(it)).collect();
        assert_eq!(labels, ["web", "mail", "web", "a"]);
        assert_eq!(data.counts(), [1, 1, 2]);
        assert_eq!(data.only([1]).classes(), ["mail"]);
    }

    #[test]
    fn what_is_no_number_is_missing() {
        let mut data = Data::of_columns(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        data.push([f32::INFINITY, 1.0], "x", Row::default());
        assert!(data.values(0)[0].is_nan() && data.values(0)[2].is_nan());
        assert_eq!(data.values(0)[1], 1.0);
        data.push([0.0, 1.0, 2.0, 3.0], "x", Row::default());
        assert_eq!(data.values(1), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn repeated_rows_are_dropped_and_contradictions_counted() {
        let mut data = Data::of_columns(vec!["a".to_owned()]);
        for (value, label) in [(f32::NAN, "x"), (f32::NAN, "x"), (1.0, "x"), (1.0, "y")] {
            data.push([value], label, Row::default());
        }
        let (unique, n_dropped) = data.without_duplicates();
        assert_eq!((unique.len(), n_dropped, data.n_duplicates()), (3, 1, 1));
        assert_eq!(unique.n_contradictions(), 2);
    }
}
