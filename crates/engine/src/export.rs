//! Flows as a file, in one of the [`FORMATS`]: whole or cut by a timeout, with columns of their own or a schema's features.

mod batch;
mod columns;
mod jsonl;
mod parquet;
mod zeek;

use std::{
    collections::BTreeSet,
    io::{self, Write},
    ops::Range,
    str::FromStr,
};

use features::{Piece, Rows, Schema};
use flow::Cut;
use v1::page::Tally;

use self::{parquet::Parquet, zeek::Zeek};
use crate::{Analysis, Filter, rows::Row};

pub use self::{
    batch::{Batch, BatchColumn, Values, label_columns, session_columns},
    columns::{CellKind, Cells, csv_cell},
};

/// A format of an export.
#[derive(Debug)]
pub struct Format {
    /// Its name: that of `--format`.
    pub name: &'static str,
    /// What a file's name ends with.
    pub extension: &'static str,
    /// Its media type (RFC 6838), where one is registered or in wide use.
    pub media_type: &'static str,
    /// What a row can consist of.
    pub columns: Columns,
    kind: Kind,
}

/// What the rows of a format can consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// What is known of the flow: ends, times, sizes, label and reason.
    Own,
    /// The features of a schema.
    Features,
    /// Either.
    Both,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Jsonl,
    Csv,
    Arff,
    Parquet,
    Zeek,
    ZeekJson,
}

const fn format(
    name: &'static str,
    extension: &'static str,
    media_type: &'static str,
    columns: Columns,
    kind: Kind,
) -> Format {
    Format { name, extension, media_type, columns, kind }
}

/// Every format there is.
pub const FORMATS: &[Format] = &[
    format("jsonl", "jsonl", "application/x-ndjson", Columns::Own, Kind::Jsonl),
    format("csv", "csv", "text/csv", Columns::Both, Kind::Csv),
    format("parquet", "parquet", "application/vnd.apache.parquet", Columns::Both, Kind::Parquet),
    format("arff", "arff", "text/plain", Columns::Features, Kind::Arff),
    format("zeek", "log", "text/plain", Columns::Own, Kind::Zeek),
    format("zeek-json", "log", "application/x-ndjson", Columns::Own, Kind::ZeekJson),
];

/// What is to be written.
#[derive(Clone)]
pub struct Export {
    format: &'static Format,
    schema: Option<&'static Schema>,
    /// How flows are cut.
    pub timeout: Timeout,
    /// Only flows that pass.
    pub filter: Filter,
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
    /// As the published data set was: after so many microseconds from its first packet, but not at a FIN.
    Published(u64),
    /// As by Zeek's default times.
    Zeek,
}

impl Timeout {
    /// How it cuts flows for which no schema says otherwise.
    pub(crate) fn cut(self) -> Cut {
        match self {
            Self::None => Cut::Whole,
            Self::Micros(timeout_micros) => Cut::Active { timeout_micros },
            Self::Idle(timeout_micros) => Cut::Idle { timeout_micros },
            Self::Published(timeout_micros) => Cut::Published { timeout_micros },
            Self::Zeek => Cut::Zeek,
        }
    }
}

/// The most that a timeout can be, in seconds: a hundred years.
const MAX_SECONDS: f64 = 3_155_760_000.0;

impl FromStr for Timeout {
    type Err = String;

    /// `none`, seconds, `idle:` or `published:` and seconds, or `zeek`.
    fn from_str(text: &str) -> Result<Self, String> {
        let micros = |seconds: &str| match seconds.parse::<f64>() {
            Ok(it) if it > 0.0 && it <= MAX_SECONDS => Ok(((it * 1e6).round() as u64).max(1)),
            _ => Err(format!(
                "`{seconds}` is no timeout: neither a number of seconds above 0, nor idle: or published: and one, nor none, nor zeek"
            )),
        };
        match text.split_once(':') {
            None if text == "none" => Ok(Self::None),
            None if text == "zeek" => Ok(Self::Zeek),
            Some(("idle", seconds)) => micros(seconds).map(Self::Idle),
            Some(("published", seconds)) => micros(seconds).map(Self::Published),
            _ => micros(text).map(Self::Micros),
        }
    }
}

impl Export {
    /// Everything in this format: with the features of this schema, else with the flows' own columns; where a format knows
    /// none, with the features of the schema `tractor`.
    ///
    /// # Errors
    /// Where there is no such format or schema, or the format does not have features. The message says what there is.
    pub fn new(format: &str, schema: Option<&str>) -> Result<Self, String> {
        let list = |names: Vec<&str>| names.join(", ");
        let format = FORMATS.iter().find(|it| it.name == format).ok_or_else(|| {
            let names = FORMATS.iter().map(|it| it.name).collect();
            format!("there is no format `{format}`; there are {}", list(names))
        })?;
        let schema = match (schema, format.columns) {
            (None, Columns::Features) => Some(&features::TRACTOR),
            (None, _) => None,
            (Some(_), Columns::Own) => {
                let with = FORMATS.iter().filter(|it| it.columns != Columns::Own);
                let names = with.map(|it| it.name).collect();
                return Err(format!(
                    "the format `{}` has no features; a schema goes with {}",
                    format.name,
                    list(names)
                ));
            }
            (Some(name), _) => Some(features::schema(name).ok_or_else(|| {
                let names = features::SCHEMAS.iter().map(|it| it.name).collect();
                format!("there is no schema `{name}`; there are {}", list(names))
            })?),
        };
        Ok(Self { format, schema, timeout: Timeout::None, filter: Filter::default() })
    }

    /// The format.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    fn cut(&self) -> Cut {
        match (self.schema, self.timeout) {
            (Some(schema), Timeout::Micros(micros)) => schema.cut(Some(micros)),
            (_, timeout) => timeout.cut(),
        }
    }
}

impl Analysis {
    /// Writes the flows. The same capture gives the same bytes.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn export<W: Write>(&self, export: &Export, capture: &str, out: W) -> io::Result<W> {
        let mut writer = FlowWriter::new(export.clone(), out, true);
        writer.add(self, capture)?;
        writer.finish()
    }

    /// About how many rows an export will have, and how long it will be, in bytes: a few hundred of its flows are written
    /// for that.
    ///
    /// # Errors
    /// Where what is to be written cannot be.
    pub fn estimate(&self, export: &Export, capture: &str) -> io::Result<(u64, u64)> {
        const MAX_WRITTEN: usize = 300;
        let written = |numbers: &[u32]| {
            let mut writer = FlowWriter::new(export.clone(), Counted(0), true);
            writer.add_some(self, capture, numbers.iter().copied())?;
            let n_rows = writer.n_rows;
            writer.finish().map(|it| (n_rows, it.0))
        };
        let numbers: Vec<u32> = match export.schema.filter(|it| it.rows == Rows::Sessions) {
            Some(_) => self.all_passing_sessions(export).collect(),
            None => self.passing(&export.filter),
        };
        let step = numbers.len().div_ceil(MAX_WRITTEN).max(1);
        let some: Vec<u32> = numbers.iter().copied().step_by(step).collect();
        let ((n_rows, len), (_, empty_len)) = (written(&some)?, written(&[])?);
        // What stands once in the file does not grow with it.
        let grown = |it: u64| it.saturating_mul(numbers.len() as u64) / (some.len() as u64).max(1);
        Ok((grown(n_rows), empty_len + grown(len.saturating_sub(empty_len))))
    }

    /// About how many packets the flows have that pass, and how long a pcapng of them will be, in bytes.
    pub fn estimate_packets(&self, filter: &Filter) -> (u64, u64) {
        /// What a packet takes besides its bytes, with padding.
        const BLOCK_LEN: u64 = 34;
        let Tally { wire_bytes, stored_bytes, .. } = self.reading.account.frames;
        let (mut packets, mut bytes) = (0, 0);
        for flow in self.passing(filter).into_iter().filter_map(|it| self.flows.get(it as usize)) {
            packets += flow.packets();
            bytes += flow.own_bytes();
        }
        let stored = u128::from(bytes) * u128::from(stored_bytes) / u128::from(wire_bytes.max(1));
        (packets, (stored as u64).saturating_add(packets.saturating_mul(BLOCK_LEN)))
    }

    /// When the capture began, in nanoseconds since 1970 UTC; 0 without flows.
    pub fn time_start_ns(&self) -> u64 {
        self.flows.iter().map(|it| it.first.0).min().unwrap_or(0)
    }

    /// Of the sessions with these numbers those of which a flow passes.
    fn passing_sessions<'a>(
        &'a self,
        export: &'a Export,
        numbers: Range<u32>,
    ) -> impl Iterator<Item = u32> + 'a {
        let start = self.time_start_ns();
        let passes =
            move |it: &u32| self.row(*it).is_some_and(|it| export.filter.matches(&it, start));
        let sessions = self.sessions();
        numbers.filter(move |number| {
            sessions.get(*number).is_some_and(|it| it.members.iter().any(passes))
        })
    }

    fn all_passing_sessions<'a>(&'a self, export: &'a Export) -> impl Iterator<Item = u32> + 'a {
        self.passing_sessions(export, 0..self.sessions().len() as u32)
    }

    /// The labels that the rows will have.
    fn labels<'a>(&'a self, export: &Export) -> BTreeSet<&'a str> {
        if let Some(schema) = export.schema.filter(|it| it.rows == Rows::Sessions) {
            let label = |it| Some(self.session_features(it, schema)?.0.label);
            return self.all_passing_sessions(export).filter_map(label).collect();
        }
        let start = self.time_start_ns();
        let rows = self.each().filter(|it| export.filter.matches(it, start));
        rows.map(|it| it.label).collect()
    }
}

/// Writes the flows of one capture after another into one file.
pub struct FlowWriter<W: Write> {
    export: Export,
    out: W,
    /// Whether it will be given one capture, so that no row has to wait for the labels of another.
    is_one: bool,
    has_begun: bool,
    /// A model was asked about the flows: what it takes them for has columns of its own.
    has_guesses: bool,
    n_rows: u64,
    form: Form,
    /// Room for a line, so that each is written at once.
    line: Vec<u8>,
}

/// Makes rows of a capture's flows; see [`FlowWriter::parts`].
pub struct Parts<'a> {
    export: Export,
    analysis: &'a Analysis,
    capture: &'a str,
    start_ns: u64,
}

/// Rows of some flows, as they are written.
pub struct Part {
    bytes: Vec<u8>,
    n_rows: u64,
}

impl Parts<'_> {
    /// The rows of the flows with these numbers.
    ///
    /// # Errors
    /// Where a row cannot be written.
    pub fn of(&self, numbers: Range<u32>) -> io::Result<Part> {
        let Self { export, analysis, capture, start_ns } = self;
        /// About how long a row is, in bytes.
        const ROW_LEN: usize = 640;
        let room = Vec::with_capacity(numbers.len() * ROW_LEN);
        let mut writer = FlowWriter::new(export.clone(), room, true);
        writer.has_begun = true;
        writer.has_guesses = analysis.has_guesses();
        let rows = analysis.each_of(numbers);
        let mut passing = rows.filter(|it| export.filter.matches(it, *start_ns));
        passing.try_for_each(|row| writer.pieces(analysis, row, capture))?;
        let n_rows = writer.n_rows;
        writer.finish().map(|bytes| Part { bytes, n_rows })
    }
}

/// What a format has to remember between rows.
enum Form {
    Jsonl,
    Csv,
    /// The labels and, where there are several captures, the rows: the labels come before the rows in the file.
    Arff(BTreeSet<String>, Vec<u8>),
    Parquet(Box<Parquet>),
    Zeek(Zeek),
    /// Nothing is written: the rows stay in memory.
    Batch(Batch),
}

impl<W: Write> FlowWriter<W> {
    /// A file to be written. Weka's format holds the rows of several captures in memory until it knows all labels; give
    /// `is_one` where there will be one.
    pub fn new(export: Export, out: W, is_one: bool) -> Self {
        let form = match export.format.kind {
            Kind::Jsonl => Form::Jsonl,
            Kind::Csv => Form::Csv,
            Kind::Arff => Form::Arff(BTreeSet::new(), Vec::new()),
            Kind::Parquet => Form::Parquet(Box::new(match export.schema {
                Some(schema) => Parquet::new(columns::of_schema(schema)),
                None => Parquet::new(columns::own(false).map(|it| it.cells.clone())),
            })),
            Kind::Zeek => Form::Zeek(Zeek { is_json: false, start_ns: 0 }),
            Kind::ZeekJson => Form::Zeek(Zeek { is_json: true, start_ns: 0 }),
        };
        let (has_begun, has_guesses) = (false, false);
        Self { export, out, is_one, has_begun, has_guesses, n_rows: 0, form, line: Vec::new() }
    }

    /// Writes the flows of a capture; JSON lines have its name.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn add(&mut self, analysis: &Analysis, capture: &str) -> io::Result<()> {
        let export = self.export.clone();
        if export.schema.is_some_and(|it| it.rows == Rows::Sessions) {
            return self.add_some(analysis, capture, analysis.all_passing_sessions(&export));
        }
        self.begin_of(analysis)?;
        let start = analysis.time_start_ns();
        let mut passing = analysis.each().filter(|it| export.filter.matches(it, start));
        passing.try_for_each(|row| self.pieces(analysis, row, capture))
    }

    /// What makes rows of some of a capture's flows, on any thread, for a format whose rows stand by themselves; `None` for
    /// others. All parts in order are what [`FlowWriter::add`] writes.
    pub fn parts<'a>(&mut self, analysis: &'a Analysis, capture: &'a str) -> Option<Parts<'a>> {
        self.look_for_guesses(analysis);
        let is_of_flows = self.export.schema.is_none_or(|it| it.rows == Rows::Flows);
        let has_parts = matches!(self.form, Form::Jsonl | Form::Csv) && is_of_flows;
        let start_ns = analysis.time_start_ns();
        has_parts.then(|| Parts { export: self.export.clone(), analysis, capture, start_ns })
    }

    /// Writes the next part.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn add_part(&mut self, part: &Part) -> io::Result<()> {
        if !self.has_begun {
            self.begin()?;
        }
        self.n_rows += part.n_rows;
        self.out.write_all(&part.bytes)
    }

    /// Writes the flows, or the sessions, with these numbers.
    fn add_some(
        &mut self,
        analysis: &Analysis,
        capture: &str,
        numbers: impl Iterator<Item = u32>,
    ) -> io::Result<()> {
        self.begin_of(analysis)?;
        if let Some(schema) = self.export.schema.filter(|it| it.rows == Rows::Sessions) {
            for number in numbers {
                if let Some((identity, sample)) = analysis.session_features(number, schema) {
                    self.features(schema, &identity, &sample)?;
                }
            }
            return Ok(());
        }
        let mut rows = numbers.filter_map(|it| analysis.row(it));
        rows.try_for_each(|row| self.pieces(analysis, row, capture))
    }

    /// Begins with what the flows of a capture have in common.
    fn begin_of(&mut self, analysis: &Analysis) -> io::Result<()> {
        if let Form::Arff(labels, _) = &mut self.form {
            labels.extend(analysis.labels(&self.export).into_iter().map(str::to_owned));
        }
        if !self.has_begun {
            self.look_for_guesses(analysis);
            self.begin()?;
        }
        if let Form::Zeek(zeek) = &mut self.form {
            zeek.start_ns = analysis.time_start_ns();
        }
        Ok(())
    }

    /// What a model says has columns where the first capture was asked of.
    fn look_for_guesses(&mut self, analysis: &Analysis) {
        if self.has_begun || !analysis.has_guesses() {
            return;
        }
        self.has_guesses = true;
        if let (Form::Parquet(parquet), None) = (&mut self.form, self.export.schema) {
            **parquet = Parquet::new(columns::own(true).map(|it| it.cells.clone()));
        }
    }

    /// Writes a flow, cut as it is to be.
    fn pieces(&mut self, analysis: &Analysis, row: Row<'_>, capture: &str) -> io::Result<()> {
        let Some(flow) = analysis.flows.get(row.flow_id as usize) else { return Ok(()) };
        for piece in features::pieces(flow, self.export.cut()) {
            match self.export.schema {
                Some(schema) => {
                    let identity = piece.identity(row.flow_id, row.label);
                    self.features(schema, &identity, &piece.sample(schema))?;
                }
                None => self.flow(&piece, row, capture)?,
            }
        }
        Ok(())
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.has_begun {
            self.begin()?;
        }
        match self.form {
            Form::Jsonl | Form::Csv | Form::Zeek(_) | Form::Batch(_) => {}
            Form::Arff(labels, rows) => {
                if let Some(schema) = self.export.schema.filter(|_| !self.is_one) {
                    arff_header(schema, &labels, &mut self.out)?;
                    self.out.write_all(&rows)?;
                }
            }
            Form::Parquet(parquet) => parquet.finish(&mut self.out)?,
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.has_begun = true;
        match (&self.form, self.export.schema) {
            (Form::Csv, Some(schema)) => {
                self.out.write_all(features::csv_header(schema).as_bytes())
            }
            (Form::Csv, None) => writeln!(self.out, "{}", columns::csv_header(self.has_guesses)),
            (Form::Arff(labels, _), Some(schema)) if self.is_one => {
                arff_header(schema, labels, &mut self.out)
            }
            (Form::Zeek(zeek), _) => zeek.begin(&mut self.out),
            _ => Ok(()),
        }
    }

    /// A row of features.
    fn features(
        &mut self,
        schema: &'static Schema,
        identity: &features::Identity<'_>,
        sample: &features::Sample,
    ) -> io::Result<()> {
        self.n_rows += 1;
        let line = |missing| features::row(schema, identity, sample, missing);
        match &mut self.form {
            Form::Arff(_, rows) if !self.is_one => {
                rows.extend_from_slice(line("?").as_bytes());
                Ok(())
            }
            Form::Arff(..) => self.out.write_all(line("?").as_bytes()),
            Form::Parquet(parquet) => {
                let cells = schema.columns.iter().map(|it| it.value(identity, sample));
                parquet.push(cells.map(columns::cell), &mut self.out)
            }
            Form::Batch(batch) => {
                let cells = schema.columns.iter().map(|it| it.value(identity, sample));
                batch.push(cells.map(columns::cell));
                Ok(())
            }
            _ => self.out.write_all(line("").as_bytes()),
        }
    }

    /// A row of what is known of a flow, or of a piece of one.
    fn flow(&mut self, piece: &Piece<'_>, row: Row<'_>, capture: &str) -> io::Result<()> {
        self.n_rows += 1;
        let cut = self.export.cut();
        let has_guesses = self.has_guesses;
        let row = match piece.number {
            None => row,
            Some(_) => row.of_piece(piece, cut),
        };
        match &mut self.form {
            Form::Zeek(zeek) => zeek.row(piece, &row, &mut self.out),
            Form::Parquet(parquet) => {
                let row = row.to_texts();
                parquet.push(columns::own(has_guesses).map(|it| (it.of)(&row)), &mut self.out)
            }
            Form::Batch(batch) => {
                let row = row.to_texts();
                batch.push(columns::own(has_guesses).map(|it| (it.of)(&row)));
                Ok(())
            }
            Form::Jsonl => {
                self.line.clear();
                jsonl::write(capture, &row, &mut self.line)?;
                self.out.write_all(&self.line)
            }
            Form::Csv | Form::Arff(..) => {
                writeln!(self.out, "{}", columns::csv_row(&row.to_texts(), has_guesses))
            }
        }
    }
}

/// Counts what is written.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn arff_header(
    schema: &Schema,
    labels: &BTreeSet<impl AsRef<str>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut labels: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
    if labels.is_empty() {
        // A class has to have a value, though there are no rows.
        labels.push(classify::UNKNOWN);
    }
    out.write_all(features::arff_header(schema, &labels).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_of_age_of_silence_or_as_zeek_has_it() {
        #[track_caller]
        fn check(text: &str, expected: Option<Timeout>) {
            assert_eq!(text.parse().ok(), expected);
        }
        check("15", Some(Timeout::Micros(15_000_000)));
        check("0.5", Some(Timeout::Micros(500_000)));
        check("1e-9", Some(Timeout::Micros(1)));
        check("published:15", Some(Timeout::Published(15_000_000)));
        check("idle:0.5", Some(Timeout::Idle(500_000)));
        check("zeek", Some(Timeout::Zeek));
        check("none", Some(Timeout::None));
        for wrong in ["0", "-1", "NaN", "inf", "1e300", "soon", "idle:soon", "idle:", "age:1", ""] {
            check(wrong, None);
        }
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        #[track_caller]
        fn check(format: &str, schema: Option<&str>, expected: &str) {
            let error = Export::new(format, schema).err().expect("an error");
            assert!(error.contains(expected), "{error}");
        }
        check("xls", None, "there are jsonl, csv, parquet, arff, zeek, zeek-json");
        check("csv", Some("mine"), "there is no schema `mine`; there are tractor,");
        check("zeek", Some("cic"), "a schema goes with csv, parquet, arff");
    }
}
