//! Several tables in, one out; and what is shown of one.

use crate::{Data, TableError, TableNotice};

/// The rows of several tables with the same columns, in whatever order; rows stay of the captures or files they are from.
///
/// # Errors
/// Where they are of different schemas, timeouts or columns, or there is none.
pub fn join(tables: Vec<Data>) -> Result<Data, TableError> {
    let mut tables = tables.into_iter();
    let mut all = tables.next().ok_or(TableError::Empty)?;
    for table in tables {
        let places = places(&all, &table)?;
        let captures: Vec<u32> = table.captures.iter().map(|it| all.capture(it)).collect();
        for (at, row) in table.rows().iter().enumerate() {
            let values = table.values(at);
            let ordered = places.iter().map(|it| values.get(*it).copied().unwrap_or(f32::NAN));
            let capture = captures.get(row.capture as usize).copied().unwrap_or(0);
            all.push(ordered, table.label(at), crate::Row { capture, ..*row });
        }
    }
    Ok(all)
}

/// Where the other table has each column of the first.
fn places(first: &Data, other: &Data) -> Result<Vec<usize>, TableError> {
    let name = |of: &Data| of.captures.first().cloned().unwrap_or_default();
    if first.schema != other.schema {
        let schema = |of: &Data| of.schema.map_or("no schema", |it| it.name);
        return Err(TableError::OtherSchema {
            first: name(first),
            first_schema: schema(first),
            other: name(other),
            other_schema: schema(other),
        });
    }
    if first.timeout_micros != other.timeout_micros {
        let timeout = |of: &Data| match of.timeout_micros {
            Some(micros) => format!("{} s", micros as f64 / 1e6),
            None => "an unknown time".to_owned(),
        };
        return Err(TableError::OtherTimeout {
            first: name(first),
            first_timeout: timeout(first),
            other: name(other),
            other_timeout: timeout(other),
        });
    }
    let place = |column: &String| other.columns.iter().position(|it| it == column);
    let places: Vec<usize> = first.columns.iter().filter_map(place).collect();
    if places.len() == first.columns.len() && places.len() == other.columns.len() {
        return Ok(places);
    }
    let only = |of: &Data, not: &Data| -> Vec<String> {
        of.columns.iter().filter(|it| !not.columns.contains(it)).cloned().collect()
    };
    let columns = [only(first, other), only(other, first)].concat();
    Err(TableError::OtherColumns { first: name(first), other: name(other), columns })
}

/// What a table holds, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows.
    pub rows: u64,
    /// Columns of numbers.
    pub columns: u64,
    /// Captures or files the rows are from.
    pub captures: u64,
    /// How many rows each class has, in order of names.
    pub classes: Vec<(String, u64)>,
    /// Rows of the file that were left out.
    pub skipped: u64,
    /// Rows that repeat an earlier one with its label.
    pub duplicates: u64,
    /// Rows with the numbers of others that have another label.
    pub contradictions: u64,
    /// Cells without a number.
    pub missing: u64,
}

impl Summary {
    /// What rows hold, and what was told when they were read.
    pub fn of(data: &Data, notices: &[TableNotice]) -> Self {
        let missing = |row: usize| data.values(row).iter().filter(|it| it.is_nan()).count() as u64;
        Self {
            rows: data.len() as u64,
            columns: data.columns.len() as u64,
            captures: data.captures.len() as u64,
            classes: data.classes().iter().cloned().zip(data.counts()).collect(),
            skipped: notices.iter().map(TableNotice::n_skipped).sum(),
            duplicates: data.n_duplicates(),
            contradictions: data.n_contradictions(),
            missing: (0..data.len()).map(missing).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reading, read_table};

    fn data(text: &str, name: &str) -> Data {
        read_table(text, name, &Reading::default()).unwrap().data
    }

    #[test]
    fn columns_in_another_order_are_matched_by_name() {
        let all =
            join(vec![data("a,b,label\n1,2,x\n", "one"), data("b,a,label\n4,3,y\n3,,x\n", "two")]);
        let all = all.unwrap();
        assert_eq!((all.values(0), all.values(1)), (&[1.0, 2.0][..], &[3.0, 4.0][..]));
        assert_eq!((all.classes(), all.captures.len()), (&["x".to_owned(), "y".to_owned()][..], 2));
        let summary = Summary::of(&all, &[TableNotice::HeaderAgain { rows: 2, line: 1 }]);
        assert_eq!(summary.classes, [("x".to_owned(), 2), ("y".to_owned(), 1)]);
        assert_eq!((summary.rows, summary.skipped, summary.missing), (3, 2, 1));
    }

    #[test]
    fn what_differs_is_told_and_not_joined() {
        let one = data("a,b,label\n1,2,x\n", "one");
        let error = join(vec![one.clone(), data("a,c,label\n1,2,x\n", "two")]).unwrap_err();
        assert_eq!(error.to_string(), "one and two differ in columns: b, c");
        let mut cut = one.clone();
        cut.timeout_micros = Some(15_000_000);
        let error = join(vec![one, cut]).unwrap_err().to_string();
        assert!(error.starts_with("one has flows cut after an unknown time, one after 15 s"));
        assert!(join(Vec::new()).is_err());
    }
}
