//! A column of a schema: its name, its unit, what it counts in two languages, and how it is computed.
//!
//! This is the one table everything else is made from: headers and attributes of exports, `docs/features.md`, and what
//! the page says of a feature.

use std::fmt;

use capture::Timestamp;
use flow::{Endpoint, Transport};

use crate::{Sample, Statistics};

/// One column of a [`crate::Schema`].
///
/// A writer walks the columns of its schema: [`Column::kind`] tells the type of the whole column before the first row,
/// [`Column::value`] gives the cell of a row, and always one of that kind.
///
/// ```text
/// for column in schema.columns { header(column.name, column.kind()) }
/// for piece in features::pieces(flow, cut) {
///     let (identity, sample) = (piece.identity(number, label), piece.sample(schema));
///     for column in schema.columns { cell(column.value(&identity, &sample)) }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in exports and models.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// What is counted, or of what a statistic is taken.
    pub what: Words,
    /// How it is computed.
    pub of: Of,
}

/// How a column is computed.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// A feature: a whole number of the packets, 0 of none.
    Count(fn(&Sample) -> u64),
    /// A feature: a number of the packets; `None` where there is nothing to compute it from.
    Number(fn(&Sample) -> Option<f64>),
    /// A feature: a statistic of numbers of the packets.
    Statistic(Take, fn(&Sample) -> &Statistics),
    /// A whole number that says which flow it is.
    Integer(fn(&Identity<'_>) -> u64),
    /// A time that says which flow it is.
    Time(fn(&Identity<'_>) -> Timestamp),
    /// A text that says which flow it is.
    Text(fn(&Identity<'_>) -> String),
    /// The label: what is to be learned.
    Label,
}

/// What a statistic takes of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The sum.
    Total,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The mean.
    Mean,
    /// The sample deviation.
    Std,
    /// The sample variance.
    Variance,
}

/// A phrase in the page's languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// In English.
    pub en: &'static str,
    /// In Russian.
    pub ru: &'static str,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers with a fraction, some perhaps missing.
    Number,
    /// Whole numbers, none missing.
    Integer,
    /// Times, none missing.
    Time,
    /// Texts, none missing.
    Text,
    /// Texts of a few kinds, none missing.
    Label,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Of [`Kind::Number`]; `None` where there is nothing to compute it from.
    Number(Option<f64>),
    /// Of [`Kind::Integer`].
    Integer(u64),
    /// Of [`Kind::Time`].
    Time(Timestamp),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Label`].
    Label(&'a str),
}

/// Which flow a row is of, or which session.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Its number in the capture, from 0.
    pub number: u32,
    /// What carries it.
    pub transport: Transport,
    /// Who sends forward: the client.
    pub source: Endpoint,
    /// Who sends backward: the server.
    pub destination: Endpoint,
    /// Time of the first packet.
    pub first: Timestamp,
    /// The latest time of its packets.
    pub last: Timestamp,
    /// Its label.
    pub label: &'a str,
}

/// What a column is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// Squared microseconds, of a variance.
    SquareMicros,
    /// Bytes.
    Bytes,
    /// Squared bytes, of a variance.
    SquareBytes,
    /// Packets.
    Packets,
    /// A number without a unit.
    Ratio,
    /// Packets per second.
    PacketsPerSecond,
    /// Bytes per second: IP header and payload, in the columns of CICFlowMeter payload alone.
    BytesPerSecond,
    /// No number.
    None,
}

impl Column {
    /// The type of all its cells.
    pub fn kind(&self) -> Kind {
        match self.of {
            Of::Number(_) | Of::Statistic(..) => Kind::Number,
            Of::Count(_) | Of::Integer(_) => Kind::Integer,
            Of::Time(_) => Kind::Time,
            Of::Text(_) => Kind::Text,
            Of::Label => Kind::Label,
        }
    }

    /// Its cell in the row of this flow.
    pub fn value<'a>(&self, identity: &Identity<'a>, sample: &Sample) -> Value<'a> {
        match self.of {
            Of::Number(_) | Of::Statistic(..) => Value::Number(self.number(sample)),
            Of::Count(of) => Value::Integer(of(sample)),
            Of::Integer(of) => Value::Integer(of(identity)),
            Of::Time(of) => Value::Time(of(identity)),
            Of::Text(of) => Value::Text(of(identity)),
            Of::Label => Value::Label(identity.label),
        }
    }

    /// The number of a feature; `None` of any other column, and where there is nothing to compute it from.
    pub fn number(&self, sample: &Sample) -> Option<f64> {
        match self.of {
            Of::Count(of) => Some(of(sample) as f64),
            Of::Number(of) => of(sample),
            Of::Statistic(take, of) => {
                let of = of(sample);
                match take {
                    Take::Total => sample.total(of),
                    Take::Min => sample.min(of),
                    Take::Max => sample.max(of),
                    Take::Mean => sample.mean(of),
                    Take::Std => sample.std(of),
                    Take::Variance => sample.variance(of),
                }
            }
            Of::Integer(_) | Of::Time(_) | Of::Text(_) | Of::Label => None,
        }
    }

    /// Whether it is a feature, from which models learn; not what says which flow it is.
    pub fn is_feature(&self) -> bool {
        matches!(self.of, Of::Count(_) | Of::Number(_) | Of::Statistic(..))
    }

    /// The same under another name.
    pub(crate) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// What it counts, in English.
    pub fn english(&self) -> String {
        match self.of {
            Of::Statistic(take, _) => format!("{} of {}", take.words().en, self.what.en),
            _ => self.what.en.to_owned(),
        }
    }

    /// What it counts, in Russian.
    pub fn russian(&self) -> String {
        match self.of {
            Of::Statistic(take, _) => format!("{}: {}", take.words().ru, self.what.ru),
            _ => self.what.ru.to_owned(),
        }
    }
}

impl Take {
    fn words(self) -> Words {
        match self {
            Self::Total => words("Sum", "Сумма"),
            Self::Min => words("Least", "Наименьшее"),
            Self::Max => words("Greatest", "Наибольшее"),
            Self::Mean => words("Mean", "Среднее"),
            Self::Std => words("Sample deviation (n − 1)", "Выборочное отклонение (n − 1)"),
            Self::Variance => words("Sample variance (n − 1)", "Выборочная дисперсия (n − 1)"),
        }
    }
}

pub(crate) const fn words(en: &'static str, ru: &'static str) -> Words {
    Words { en, ru }
}

impl Unit {
    /// Its symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Micros => "µs",
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::SquareMicros => "µs²",
            Self::Bytes => "B",
            Self::SquareBytes => "B²",
            Self::Packets | Self::Ratio | Self::None => "",
            Self::PacketsPerSecond => "1/s",
            Self::BytesPerSecond => "B/s",
        }
    }
}

impl fmt::Display for Value<'_> {
    /// Times as ISO 8601 in UTC with microseconds; a missing number as nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(None) => Ok(()),
            Self::Number(Some(number)) => number.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Time(time) => f.write_str(&iso(*time)),
            Self::Text(text) => f.write_str(text),
            Self::Label(label) => f.write_str(label),
        }
    }
}

/// A time as ISO 8601 in UTC with microseconds, what is less cut off.
fn iso(time: Timestamp) -> String {
    let (seconds, micros) = (time.0 / 1_000_000_000, time.0 / 1_000 % 1_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of a number of days since 1970, in the Gregorian calendar.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    loop {
        let len = if is_leap(year) { 366 } else { 365 };
        if days < len {
            break;
        }
        days -= len;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < len {
            break;
        }
        days -= len;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, nanos: u64, expected: &str) {
        assert_eq!(iso(Timestamp(seconds * 1_000_000_000 + nanos)), expected);
    }

    #[test]
    fn a_time_is_utc_with_microseconds() {
        check(0, 0, "1970-01-01T00:00:00.000000Z");
        check(951_782_399, 999_999_999, "2000-02-28T23:59:59.999999Z");
        check(951_782_400, 1_000, "2000-02-29T00:00:00.000001Z");
        check(1_709_251_199, 0, "2024-02-29T23:59:59.000000Z");
        check(1_735_689_600, 0, "2025-01-01T00:00:00.000000Z");
    }
}
