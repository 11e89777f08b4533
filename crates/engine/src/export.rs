//! Flows as a file: JSON lines, CSV or ARFF, whole or cut by a timeout.

use std::io::{self, Write};

use features::{Piece, Rows, Schema};
use flow::Cut;
use v1::page::FlowRow;

use crate::{Analysis, Filter, rows::Row};

/// What is to be written.
#[derive(Clone)]
pub struct Export {
    /// The format.
    pub format: Format,
    /// How flows are cut.
    pub timeout: Timeout,
    /// Only flows that pass.
    pub filter: Filter,
    /// The capture's name in every JSON line; none for none.
    pub capture: Option<String>,
    /// Whether the file begins with its header; off where another capture's rows come before.
    pub has_header: bool,
}

/// When what a flow goes on with is a row of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timeout {
    /// Never.
    #[default]
    None,
    /// After so many microseconds from its first packet.
    Micros(u64),
    /// After so many microseconds without a packet.
    Idle(u64),
    /// As by Zeek's default times.
    Zeek,
}

/// The formats of an export.
#[derive(Clone, Copy)]
pub enum Format {
    /// A JSON object a flow and line.
    Jsonl,
    /// The same as comma-separated values.
    Csv,
    /// Features and label as comma-separated values.
    CsvFeatures(&'static Schema),
    /// Features and label in Weka's format.
    Arff(&'static Schema),
}

impl Export {
    /// Everything in this format.
    pub fn new(format: Format) -> Self {
        let filter = Filter::default();
        Self { format, timeout: Timeout::None, filter, capture: None, has_header: true }
    }

    fn cut(&self) -> Cut {
        match (self.format, self.timeout) {
            (_, Timeout::Zeek) => Cut::Zeek,
            (_, Timeout::Idle(timeout_micros)) => Cut::Idle { timeout_micros },
            (_, Timeout::None) => Cut::Whole,
            (Format::CsvFeatures(schema) | Format::Arff(schema), Timeout::Micros(micros)) => {
                schema.cut(Some(micros))
            }
            (_, Timeout::Micros(timeout_micros)) => Cut::Active { timeout_micros },
        }
    }
}

impl Analysis {
    /// Writes the flows. The same capture gives the same bytes.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn export(&self, export: &Export, out: &mut dyn Write) -> io::Result<()> {
        if export.has_header {
            match export.format {
                Format::Jsonl => {}
                Format::Csv => writeln!(out, "{}", csv_header())?,
                Format::CsvFeatures(schema) => {
                    out.write_all(features::csv_header(schema).as_bytes())?;
                }
                Format::Arff(schema) => {
                    let labels: Vec<&str> =
                        classify::labels().into_iter().flat_map(|it| it.1).collect();
                    out.write_all(features::arff_header(schema, &labels).as_bytes())?;
                }
            }
        }
        let start = self.time_start_ns();
        if let Format::CsvFeatures(schema) | Format::Arff(schema) = export.format
            && schema.rows == Rows::Sessions
        {
            return self.export_sessions(schema, export, out);
        }
        let cut = export.cut();
        for (flow, row) in self.flows.iter().zip(self.each()) {
            if !export.filter.matches(&row, start) {
                continue;
            }
            for piece in features::pieces(flow, cut) {
                write_row(export, &piece, row, out)?;
            }
        }
        Ok(())
    }

    /// The sessions of which a flow passes.
    fn export_sessions(
        &self,
        schema: &Schema,
        export: &Export,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let start = self.time_start_ns();
        let missing = if matches!(export.format, Format::Arff(_)) { "?" } else { "" };
        let passes = |it: &u32| self.row(*it).is_some_and(|it| export.filter.matches(&it, start));
        for number in 0..self.sessions.len() as u32 {
            let session = self.sessions.get(number).filter(|it| it.members.iter().any(passes));
            let features = session.and_then(|_| self.session_features(number, schema));
            if let Some((identity, sample)) = features {
                let line = features::row(schema, &identity, &sample, missing);
                out.write_all(line.as_bytes())?;
            }
        }
        Ok(())
    }

    /// When the capture began, in nanoseconds since 1970 UTC; 0 without flows.
    pub(crate) fn time_start_ns(&self) -> u64 {
        self.flows.iter().map(|it| it.first.0).min().unwrap_or(0)
    }
}

fn write_row(
    export: &Export,
    piece: &Piece<'_>,
    row: Row<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let texts = || match piece.number {
        None => row.to_texts(),
        Some(_) => row.of_piece(piece, export.cut()).to_texts(),
    };
    match export.format {
        Format::Jsonl => {
            let capture = export.capture.as_deref();
            let line = JsonLine { capture, row: &texts(), piece: piece.number };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        }
        Format::Csv => writeln!(out, "{}", csv_row(&texts())),
        Format::CsvFeatures(schema) | Format::Arff(schema) => {
            let identity = piece.identity(row.flow_id, row.label);
            let missing = if matches!(export.format, Format::Arff(_)) { "?" } else { "" };
            let line = features::row(schema, &identity, &piece.sample(schema), missing);
            out.write_all(line.as_bytes())
        }
    }
}

/// A flow as the command line's contract has it.
#[derive(serde::Serialize)]
struct JsonLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    capture: Option<&'a str>,
    #[serde(flatten)]
    row: &'a FlowRow,
    /// Which piece of its flow, from 0, where a timeout cuts flows.
    #[serde(skip_serializing_if = "Option::is_none")]
    piece: Option<u32>,
}

/// A column's name, and its text in a row.
type Column = (&'static str, fn(&FlowRow) -> String);

/// The columns of a CSV file of flows.
const COLUMNS: &[Column] = &[
    ("flow_id", |it| it.flow_id.to_string()),
    ("session_id", |it| it.session_id.to_string()),
    ("transport", |it| it.transport.clone()),
    ("client_ip", |it| it.client_ip.clone()),
    ("client_port", |it| it.client_port.to_string()),
    ("server_ip", |it| it.server_ip.clone()),
    ("server_port", |it| it.server_port.to_string()),
    ("time_start_ns", |it| it.time_start_ns.to_string()),
    ("time_end_ns", |it| it.time_end_ns.to_string()),
    ("client_packets", |it| it.client_packets.to_string()),
    ("server_packets", |it| it.server_packets.to_string()),
    ("client_bytes", |it| it.client_bytes.to_string()),
    ("server_bytes", |it| it.server_bytes.to_string()),
    ("client_ip_bytes", |it| it.client_ip_bytes.to_string()),
    ("server_ip_bytes", |it| it.server_ip_bytes.to_string()),
    ("conn_state", |it| it.conn_state.clone().unwrap_or_default()),
    ("history", |it| it.history.clone().unwrap_or_default()),
    ("protocol", |it| it.protocol.clone()),
    ("label", |it| it.label.clone()),
    ("group", |it| it.group.clone()),
    ("reason", |it| it.reason.clone()),
    ("domain_name", |it| it.domain_name.clone().unwrap_or_default()),
    ("user_agent", |it| it.user_agent.clone().unwrap_or_default()),
    ("ja4", |it| it.ja4.clone().unwrap_or_default()),
    ("parent_id", |it| it.parent_id.map(|it| it.to_string()).unwrap_or_default()),
    ("tunnel", |it| it.tunnel.clone().unwrap_or_default()),
    ("carried_bytes", |it| it.carried_bytes.to_string()),
    ("about_id", |it| it.about_id.map(|it| it.to_string()).unwrap_or_default()),
    ("icmp_errors", |it| it.icmp_errors.to_string()),
];

fn csv_header() -> String {
    COLUMNS.iter().map(|it| it.0).collect::<Vec<_>>().join(",")
}

fn csv_row(row: &FlowRow) -> String {
    COLUMNS.iter().map(|it| cell((it.1)(row))).collect::<Vec<_>>().join(",")
}

/// A CSV cell (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe before it.
fn cell(text: String) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(cell(text.to_owned()), expected);
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
