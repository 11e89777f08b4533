//! Rows as typed columns in memory, for hosts whose users go on computing with them: what a Parquet file of them would hold.

use std::{borrow::Cow, collections::BTreeMap, io, ops::Range};

use features::Rows;
use v1::page::SessionRow;

use super::{
    Export, FlowWriter, Form,
    columns::{
        self, Cell, CellKind, Cells, Column, count, integer, of, of_some, some_text, text, time,
    },
};
use crate::{Analysis, Filter};

/// Rows, column by column.
#[derive(Clone, Debug)]
pub struct Batch {
    /// As [`Export::columns`] has them, all of one length.
    pub columns: Vec<BatchColumn>,
}

/// The cells of a column in some rows.
#[derive(Clone, Debug)]
pub struct BatchColumn {
    /// What they are.
    pub cells: Cells,
    /// Of each row, whether there is a cell; where there is none its value says nothing.
    pub is_there: Vec<bool>,
    /// What is in them.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug)]
pub enum Values {
    /// Integers; of times nanoseconds since 1970 UTC.
    Whole(Vec<i64>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Texts in UTF-8 one after another, and where each ends, in bytes.
    Texts(String, Vec<usize>),
}

impl Batch {
    /// No row yet.
    pub(super) fn new(columns: impl Iterator<Item = Cells>) -> Self {
        Self { columns: columns.map(BatchColumn::new).collect() }
    }

    /// Takes a row: a cell of each column.
    pub(super) fn push<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |it| it.is_there.len())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row of each of these.
    fn of<R>(columns: &[Column<R>], rows: impl Iterator<Item = R>) -> Self {
        let mut batch = Self::new(columns.iter().map(|it| it.cells.clone()));
        for row in rows {
            batch.push(columns.iter().map(|it| (it.of)(&row)));
        }
        batch
    }
}

impl BatchColumn {
    fn new(cells: Cells) -> Self {
        let values = match cells.kind {
            CellKind::Integer | CellKind::Time => Values::Whole(Vec::new()),
            CellKind::Number => Values::Numbers(Vec::new()),
            CellKind::Text => Values::Texts(String::new(), Vec::new()),
        };
        Self { cells, is_there: Vec::new(), values }
    }

    fn push(&mut self, cell: Cell<'_>) {
        // Numbers of flows, sizes and times until 2262 are below.
        let whole = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        let is_there = match (&mut self.values, cell) {
            (Values::Whole(values), cell) => {
                let value = match cell {
                    Cell::Integer(it) => it.map(whole),
                    Cell::Time(it) => Some(whole(it)),
                    Cell::Number(_) | Cell::Text(_) => None,
                };
                values.push(value.unwrap_or(0));
                value.is_some()
            }
            (Values::Numbers(values), cell) => {
                let value = if let Cell::Number(it) = cell { it } else { None };
                values.push(value.unwrap_or(0.0));
                value.is_some()
            }
            (Values::Texts(texts, ends), cell) => {
                let value = if let Cell::Text(it) = cell { it } else { None };
                texts.push_str(value.as_deref().unwrap_or(""));
                ends.push(texts.len());
                value.is_some()
            }
        };
        self.is_there.push(is_there);
    }
}

impl Export {
    /// The columns of its rows; where a model was asked of the flows, what is known of them has more.
    pub fn columns(&self, has_guesses: bool) -> Vec<Cells> {
        match self.schema {
            Some(schema) => columns::of_schema(schema).collect(),
            None => columns::own(has_guesses).map(|it| it.cells.clone()).collect(),
        }
    }
}

/// What a session is told by.
const SESSION_COLUMNS: &[Column<SessionRow>] = &[
    count("session_id", |it| integer(it.session_id)),
    text("client_ip", |it| of(&it.client_ip)),
    text("label", |it| of(&it.label)),
    text("group", |it| of(&it.group)),
    some_text("name", |it| of_some(it.name.as_ref())),
    count("flows", |it| integer(it.flows)),
    count("bytes", |it| integer(it.bytes)),
    time("time_start_ns", |it| Cell::Time(it.time_start_ns)),
    time("time_end_ns", |it| Cell::Time(it.time_end_ns)),
    text("kinds", |it| Cell::Text(Some(Cow::Owned(it.kinds.join("; "))))),
];

/// A label and the flows that have it.
#[derive(Default)]
struct LabelRow {
    label: String,
    group: String,
    flows: u64,
    packets: u64,
    bytes: u64,
}

/// What a label is told by.
const LABEL_COLUMNS: &[Column<LabelRow>] = &[
    text("label", |it| of(&it.label)),
    text("group", |it| of(&it.group)),
    count("flows", |it| integer(it.flows)),
    count("packets", |it| integer(it.packets)),
    count("bytes", |it| integer(it.bytes)),
];

/// The columns of [`Analysis::session_batch`].
pub fn session_columns() -> Vec<Cells> {
    SESSION_COLUMNS.iter().map(|it| it.cells.clone()).collect()
}

/// The columns of [`Analysis::label_batch`].
pub fn label_columns() -> Vec<Cells> {
    LABEL_COLUMNS.iter().map(|it| it.cells.clone()).collect()
}

impl Analysis {
    /// Of how many flows, or sessions, the rows of an export are made.
    pub fn n_sources(&self, export: &Export) -> u32 {
        match export.schema.filter(|it| it.rows == Rows::Sessions) {
            Some(_) => self.sessions().len() as u32,
            None => self.flows.len() as u32,
        }
    }

    /// The rows of the flows, or sessions, with these numbers that pass: all batches one after another are the file that
    /// [`Analysis::export`] writes.
    ///
    /// # Errors
    /// Where a row cannot be made.
    pub fn batch(&self, export: &Export, numbers: Range<u32>) -> io::Result<Batch> {
        let mut writer = FlowWriter::new(export.clone(), io::sink(), true);
        (writer.has_begun, writer.has_guesses) = (true, self.has_guesses());
        writer.form = Form::Batch(Batch::new(export.columns(self.has_guesses()).into_iter()));
        match export.schema.filter(|it| it.rows == Rows::Sessions) {
            Some(_) => writer.add_some(self, "", self.passing_sessions(export, numbers))?,
            None => {
                let start = self.time_start_ns();
                let mut rows = self.each_of(numbers).filter(|it| export.filter.matches(it, start));
                rows.try_for_each(|row| writer.pieces(self, row, ""))?;
            }
        }
        match writer.form {
            Form::Batch(batch) => Ok(batch),
            _ => Ok(Batch::new(std::iter::empty())),
        }
    }

    /// The sessions of which a flow passes, as [`Analysis::session_rows`] has them.
    pub fn session_batch(&self, filter: &Filter) -> Batch {
        Batch::of(SESSION_COLUMNS, self.session_rows(filter))
    }

    /// The labels of the flows that pass, with how many flows, packets and frame bytes they have; those of most bytes first.
    pub fn label_batch(&self, filter: &Filter) -> Batch {
        let start = self.time_start_ns();
        let mut rows: BTreeMap<&str, LabelRow> = BTreeMap::new();
        for row in self.each().filter(|it| filter.matches(it, start)) {
            let of_label = rows.entry(row.label).or_insert_with(|| LabelRow {
                label: row.label.to_owned(),
                group: row.group.to_owned(),
                ..LabelRow::default()
            });
            of_label.flows += 1;
            of_label.packets += row.from_client.packets + row.from_server.packets;
            of_label.bytes += row.bytes() - row.carried_bytes;
        }
        let mut rows: Vec<LabelRow> = rows.into_values().collect();
        rows.sort_by_key(|it| std::cmp::Reverse(it.bytes));
        Batch::of(LABEL_COLUMNS, rows.into_iter())
    }
}
