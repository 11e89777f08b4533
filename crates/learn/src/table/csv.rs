//! Other tables than data sets: their records and times, for whoever knows what their columns say.

use std::borrow::Cow;

use super::{
    cells::{Records, Style, separator_of},
    time,
};

/// The records of a CSV text, the header among them, whatever separates its cells.
pub struct Csv<'a> {
    records: Records<'a>,
    cells: Vec<Cow<'a, str>>,
}

impl<'a> Csv<'a> {
    /// The records of a text.
    pub fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first = text.lines().find(|it| !it.trim().is_empty()).unwrap_or("");
        let records = Records::new(text, 1, separator_of(first), Style::Csv);
        Self { records, cells: Vec::new() }
    }

    /// The cells of the next record; `None` after the last one.
    pub fn next_record(&mut self) -> Option<&[Cow<'a, str>]> {
        self.records.next(&mut self.cells)?;
        Some(&self.cells)
    }
}

/// Nanoseconds since 1970 of a time as tables write it: a number of seconds or of parts of them, or a date and a time of day
/// in UTC. `None` of what is no time.
pub fn time_of(text: &str) -> Option<u64> {
    time::nanos(text)
}
