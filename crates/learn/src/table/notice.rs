//! What is to be known of a table that was read: what was found, where, and what was done about it.

use std::fmt;

/// The most names a sentence lists.
const MAX_NAMES: usize = 12;

/// What is to be known of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableNotice {
    /// The header of a published file does not say what its columns hold.
    HeaderShifted,
    /// The header of a file like those says what its columns hold.
    HeaderTrue,
    /// Nothing tells whether the header of a published file is right.
    HeaderUnsure,
    /// The columns hold what another schema says than the one asked for.
    OtherContent {
        /// The schema asked for, by name.
        asked: &'static str,
        /// The schema that fits.
        fitting: &'static str,
    },
    /// The timeout is known by the file's name.
    TimeoutByName {
        /// Flows were cut by so many seconds.
        seconds: u64,
    },
    /// Nothing says by which timeout flows were cut.
    TimeoutUnknown,
    /// Packet rates are wrong.
    RatesMended {
        /// In so many rows.
        rows: u64,
    },
    /// Numbers have only three digits.
    Rounded {
        /// So many numbers.
        numbers: u64,
    },
    /// CICFlowMeter writes 0 for what is not there, and computes some of its columns wrongly.
    CicNumbers {
        /// So many cells.
        cells: u64,
    },
    /// Times are seconds where CICFlowMeter has microseconds.
    CicSeconds,
    /// Rows repeat an earlier one with its label.
    Duplicates {
        /// So many rows.
        rows: u64,
    },
    /// Rows have the numbers of others with another label.
    Contradictions {
        /// So many rows.
        rows: u64,
    },
    /// Rows have too many or too few cells.
    CellCount {
        /// So many rows.
        rows: u64,
        /// The line of the first.
        line: u64,
        /// How many cells it has.
        found: usize,
        /// How many the header has.
        wanted: usize,
    },
    /// Rows have something else where a number belongs.
    NoNumber {
        /// So many rows.
        rows: u64,
        /// The line of the first.
        line: u64,
        /// Its column.
        column: String,
        /// What stands there.
        cell: String,
    },
    /// Rows have no label.
    Unlabelled {
        /// So many rows.
        rows: u64,
        /// The line of the first.
        line: u64,
    },
    /// The header stands among the rows again.
    HeaderAgain {
        /// So many times.
        rows: u64,
        /// The line of the first.
        line: u64,
    },
    /// Cells hold no number that can be learned from.
    Missing {
        /// So many.
        cells: u64,
    },
    /// A column is taken as the label that might not be it.
    Label {
        /// The column.
        column: String,
    },
    /// Columns that say which flow a row is of are not learned from.
    IdentityColumns {
        /// Their names.
        columns: Vec<String>,
    },
    /// Columns of texts are not learned from.
    TextColumns {
        /// Their names.
        columns: Vec<String>,
    },
    /// Columns without any number are not learned from.
    EmptyColumns {
        /// Their names.
        columns: Vec<String>,
    },
    /// Columns that are not the schema's are not learned from.
    FurtherColumns {
        /// Their names.
        columns: Vec<String>,
        /// The schema.
        schema: &'static str,
    },
}

impl TableNotice {
    /// What it is called, for good.
    pub fn code(&self) -> &'static str {
        self.parts().0
    }

    /// What stands in its sentence at `{0}`, `{1}` and so on.
    pub fn arguments(&self) -> Vec<String> {
        self.parts().2
    }

    /// How many rows were left out for it.
    pub fn n_skipped(&self) -> u64 {
        match self {
            Self::CellCount { rows, .. }
            | Self::NoNumber { rows, .. }
            | Self::Unlabelled { rows, .. }
            | Self::HeaderAgain { rows, .. } => *rows,
            _ => 0,
        }
    }

    /// Whether it names any column.
    pub(super) fn names_any_column(&self) -> bool {
        match self {
            Self::IdentityColumns { columns }
            | Self::TextColumns { columns }
            | Self::EmptyColumns { columns }
            | Self::FurtherColumns { columns, .. } => !columns.is_empty(),
            _ => false,
        }
    }

    /// Its code, its sentence and what stands in it.
    fn parts(&self) -> (&'static str, &'static str, Vec<String>) {
        let number = |it: &u64| it.to_string();
        match self {
            Self::HeaderShifted => (
                "T-HEADER",
                "the header is wrong, as in the published files of scenarios A1 and B: the columns headed total, min, max and mean of fiat and biat hold least, greatest, mean and deviation; they are read as what they hold, with the schema iscx-b",
                vec![],
            ),
            Self::HeaderTrue => (
                "T-HEADER-TRUE",
                "the columns are those of iscx-b under their right names; that schema has them under the names that the other published files give them",
                vec![],
            ),
            Self::HeaderUnsure => (
                "T-HEADER-UNSURE",
                "no row tells whether the header is right or, as in the published files of scenarios A1 and B, shifted by a statistic; it is believed, with the schema {0}",
                vec!["iscx-a2".to_owned()],
            ),
            Self::OtherContent { asked, fitting } => (
                "T-SCHEMA",
                "the columns hold what {1} says, not {0}; {0} was asked for and is kept",
                vec![(*asked).to_owned(), (*fitting).to_owned()],
            ),
            Self::TimeoutByName { seconds } => (
                "T-TIMEOUT-NAME",
                "flows were cut after {0} s, as the file's name says",
                vec![number(seconds)],
            ),
            Self::TimeoutUnknown => (
                "T-TIMEOUT",
                "the file does not say by which timeout flows were cut; they are taken as not cut",
                vec![],
            ),
            Self::RatesMended { rows } => (
                "T-RATES",
                "{0} rows have packet rates that their durations and gaps contradict; these were computed again from the duration and the mean gap",
                vec![number(rows)],
            ),
            Self::Rounded { numbers } => (
                "T-ROUNDED",
                "{0} numbers of ten million and more have three digits, a spreadsheet cut the others; they are kept",
                vec![number(numbers)],
            ),
            Self::CicNumbers { cells } => (
                "T-CIC",
                "CICFlowMeter wrote 0 into {0} cells where there is nothing to compute from; they count as missing, as in the flows a model is applied to; its other known errors stay",
                vec![number(cells)],
            ),
            Self::CicSeconds => (
                "T-SECONDS",
                "times are seconds, as the packet rates tell; they were made microseconds, as CICFlowMeter and the schema have them",
                vec![],
            ),
            Self::Duplicates { rows } => (
                "T-DUPLICATES",
                "{0} rows repeat an earlier row and its label; they are kept",
                vec![number(rows)],
            ),
            Self::Contradictions { rows } => (
                "T-CONTRADICTIONS",
                "{0} rows have the numbers of a row with another label; no model can tell them apart",
                vec![number(rows)],
            ),
            Self::CellCount { rows, line, found, wanted } => (
                "T-CELLS",
                "{0} rows have too many or too few cells and are left out, the first at line {1} with {2} where the header has {3}",
                vec![number(rows), number(line), found.to_string(), wanted.to_string()],
            ),
            Self::NoNumber { rows, line, column, cell } => (
                "T-NUMBER",
                "{0} rows have no number where one belongs and are left out, the first at line {1} with `{3}` for {2}",
                vec![number(rows), number(line), column.clone(), cell.clone()],
            ),
            Self::Unlabelled { rows, line } => (
                "T-UNLABELLED",
                "{0} rows have no label and are left out, the first at line {1}",
                vec![number(rows), number(line)],
            ),
            Self::HeaderAgain { rows, line } => (
                "T-HEADER-AGAIN",
                "the header stands {0} times more among the rows and is left out there, first at line {1}",
                vec![number(rows), number(line)],
            ),
            Self::Missing { cells } => (
                "T-MISSING",
                "{0} cells are empty or hold no finite number; they count as missing",
                vec![number(cells)],
            ),
            Self::Label { column } => (
                "T-LABEL",
                "the column {0} is taken as the label; another may be named",
                vec![column.clone()],
            ),
            Self::IdentityColumns { columns } => (
                "T-IDENTITY",
                "columns that say which flow a row is of are not learned from: {0}",
                vec![list(columns)],
            ),
            Self::TextColumns { columns } => {
                ("T-TEXT", "columns of texts are left out: {0}", vec![list(columns)])
            }
            Self::EmptyColumns { columns } => {
                ("T-EMPTY", "columns without numbers are left out: {0}", vec![list(columns)])
            }
            Self::FurtherColumns { columns, schema } => (
                "T-COLUMNS",
                "columns that {1} does not have are left out: {0}",
                vec![list(columns), (*schema).to_owned()],
            ),
        }
    }
}

/// Names, the first of them where they are many.
pub(super) fn list(names: &[String]) -> String {
    let (shown, more) = names.split_at_checked(MAX_NAMES).unwrap_or((names, &[]));
    let shown = shown.join(", ");
    if more.is_empty() { shown } else { format!("{shown} … ({})", names.len()) }
}

impl fmt::Display for TableNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, mut rest, arguments) = self.parts();
        // What stands in the sentence may itself hold braces.
        while let Some((before, after)) = rest.split_once('{') {
            f.write_str(before)?;
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            let argument = place.parse().ok().and_then(|it: usize| arguments.get(it));
            f.write_str(argument.map_or("", String::as_str))?;
            rest = after;
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_a_sentence_with_what_was_found() {
        let cell = "{0}".to_owned();
        let notice =
            TableNotice::NoNumber { rows: 2, line: 7, column: "duration".to_owned(), cell };
        assert_eq!(
            notice.to_string(),
            "2 rows have no number where one belongs and are left out, the first at line 7 with `{0}` for duration"
        );
        assert_eq!((notice.code(), notice.n_skipped()), ("T-NUMBER", 2));
        assert_eq!(notice.arguments(), ["2", "7", "duration", "{0}"]);
    }

    #[test]
    fn of_many_names_the_first_are_listed() {
        let columns: Vec<String> = (0..14).map(|it| it.to_string()).collect();
        let text = TableNotice::TextColumns { columns }.to_string();
        assert!(text.ends_with("0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 … (14)"), "{text}");
    }
}
