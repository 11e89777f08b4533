//! The columns of a table of flows, typed: their own, and those of a schema.

use std::borrow::Cow;

use features::{Kind, Schema, Value};
use v1::page::FlowRow;

/// A column of its own, and its cell in a row.
pub(super) struct Column<R = FlowRow> {
    pub(super) cells: Cells,
    pub(super) of: fn(&R) -> Cell<'_>,
}

/// What the cells of a column are.
#[derive(Clone, Debug)]
pub struct Cells {
    /// What the column is called.
    pub name: Cow<'static, str>,
    /// What is in them.
    pub kind: CellKind,
    /// Whether some may be missing.
    pub is_optional: bool,
}

/// What is in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// An integer from 0 on.
    Integer,
    /// A number.
    Number,
    /// A time, in nanoseconds since 1970 UTC.
    Time,
    /// A text.
    Text,
}

/// A cell; `None` where there is nothing to say.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    Integer(Option<u64>),
    Number(Option<f64>),
    /// Nanoseconds since 1970 UTC.
    Time(u64),
    Text(Option<Cow<'a, str>>),
}

const fn column<R>(
    name: &'static str,
    kind: CellKind,
    is_optional: bool,
    of: fn(&R) -> Cell<'_>,
) -> Column<R> {
    Column { cells: Cells { name: Cow::Borrowed(name), kind, is_optional }, of }
}

pub(super) const fn count<R>(name: &'static str, of: fn(&R) -> Cell<'_>) -> Column<R> {
    column(name, CellKind::Integer, false, of)
}

pub(super) const fn text<R>(name: &'static str, of: fn(&R) -> Cell<'_>) -> Column<R> {
    column(name, CellKind::Text, false, of)
}

pub(super) const fn some_text<R>(name: &'static str, of: fn(&R) -> Cell<'_>) -> Column<R> {
    column(name, CellKind::Text, true, of)
}

pub(super) const fn time<R>(name: &'static str, of: fn(&R) -> Cell<'_>) -> Column<R> {
    column(name, CellKind::Time, false, of)
}

pub(super) fn integer<'a>(value: impl Into<u64>) -> Cell<'a> {
    Cell::Integer(Some(value.into()))
}

pub(super) fn of(text: &str) -> Cell<'_> {
    Cell::Text(Some(Cow::Borrowed(text)))
}

pub(super) fn of_some(text: Option<&String>) -> Cell<'_> {
    Cell::Text(text.map(|it| Cow::Borrowed(&**it)))
}

/// What the payload tells besides, as a JSON object.
fn facts(row: &FlowRow) -> Cell<'_> {
    let is_told = !row.facts.is_empty();
    let json = || serde_json::to_string(&row.facts).unwrap_or_default();
    Cell::Text(is_told.then(|| Cow::Owned(json())))
}

/// What is known of a flow.
const COLUMNS: &[Column] = &[
    count("flow_id", |it| integer(it.flow_id)),
    count("session_id", |it| integer(it.session_id)),
    text("transport", |it| of(&it.transport)),
    text("client_ip", |it| of(&it.client_ip)),
    count("client_port", |it| integer(it.client_port)),
    text("server_ip", |it| of(&it.server_ip)),
    count("server_port", |it| integer(it.server_port)),
    time("time_start_ns", |it| Cell::Time(it.time_start_ns)),
    time("time_end_ns", |it| Cell::Time(it.time_end_ns)),
    count("client_packets", |it| integer(it.client_packets)),
    count("server_packets", |it| integer(it.server_packets)),
    count("client_bytes", |it| integer(it.client_bytes)),
    count("server_bytes", |it| integer(it.server_bytes)),
    count("client_ip_bytes", |it| integer(it.client_ip_bytes)),
    count("server_ip_bytes", |it| integer(it.server_ip_bytes)),
    some_text("conn_state", |it| of_some(it.conn_state.as_ref())),
    some_text("history", |it| of_some(it.history.as_ref())),
    text("protocol", |it| of(&it.protocol)),
    text("label", |it| of(&it.label)),
    text("group", |it| of(&it.group)),
    text("evidence", |it| of(&it.evidence)),
    some_text("shown_by", |it| of_some(it.shown_by.as_ref())),
    text("reason", |it| of(&it.reason)),
    some_text("domain_name", |it| of_some(it.domain_name.as_ref())),
    some_text("user_agent", |it| of_some(it.user_agent.as_ref())),
    some_text("ja4", |it| of_some(it.ja4.as_ref())),
    some_text("facts", facts),
    column("parent_id", CellKind::Integer, true, |it| Cell::Integer(it.parent_id.map(u64::from))),
    some_text("tunnel", |it| of_some(it.tunnel.as_ref())),
    count("carried_bytes", |it| integer(it.carried_bytes)),
    column("about_id", CellKind::Integer, true, |it| Cell::Integer(it.about_id.map(u64::from))),
    count("icmp_errors", |it| integer(it.icmp_errors)),
    column("piece", CellKind::Integer, true, |it| Cell::Integer(it.piece.map(u64::from))),
    column("confidence", CellKind::Integer, true, |it| Cell::Integer(it.confidence.map(u64::from))),
];

/// What is known of it besides where a model was asked: what rules call it, and what the model takes it for.
const GUESSED: &[Column] = &[
    some_text("rule_label", |it| of_some(it.rule_label.as_ref())),
    some_text("rule_group", |it| of_some(it.rule_group.as_ref())),
    some_text("model_label", |it| of_some(it.model_label.as_ref())),
];

/// All of these that a table has.
pub(super) fn own(has_guesses: bool) -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().chain(GUESSED.iter().filter(move |_| has_guesses))
}

/// The columns of a schema.
pub(super) fn of_schema(schema: &'static Schema) -> impl Iterator<Item = Cells> {
    schema.columns.iter().zip(schema.unique_names()).map(|(it, name)| {
        let (kind, is_optional) = match it.kind() {
            Kind::Number => (CellKind::Number, true),
            Kind::Integer => (CellKind::Integer, false),
            Kind::Time => (CellKind::Time, false),
            Kind::Text | Kind::Label => (CellKind::Text, false),
        };
        Cells { name, kind, is_optional }
    })
}

/// The cell of a schema's column.
pub(super) fn cell(value: Value<'_>) -> Cell<'_> {
    match value {
        Value::Number(it) => Cell::Number(it),
        Value::Integer(it) => Cell::Integer(Some(it)),
        Value::Time(it) => Cell::Time(it.0),
        Value::Text(it) => Cell::Text(Some(Cow::Owned(it))),
        Value::Label(it) => Cell::Text(Some(Cow::Borrowed(it))),
    }
}

pub(super) fn csv_header(has_guesses: bool) -> String {
    own(has_guesses).map(|it| &*it.cells.name).collect::<Vec<_>>().join(",")
}

pub(super) fn csv_row(row: &FlowRow, has_guesses: bool) -> String {
    let mut line = String::new();
    for (at, column) in own(has_guesses).enumerate() {
        if at > 0 {
            line.push(',');
        }
        match (column.of)(row) {
            Cell::Integer(Some(it)) | Cell::Time(it) => line += &it.to_string(),
            Cell::Number(Some(it)) => line += &it.to_string(),
            Cell::Text(Some(it)) => line += &csv_cell(&it),
            Cell::Integer(None) | Cell::Number(None) | Cell::Text(None) => {}
        }
    }
    line
}

/// A CSV cell (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(csv_cell(text), expected);
    }

    #[test]
    fn a_cell_is_quoted_where_it_must() {
        check("plain", "plain");
        check("a, \"b\"", "\"a, \"\"b\"\"\"");
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        check("=HYPERLINK(1)", "'=HYPERLINK(1)");
        check("@sum", "'@sum");
    }
}
