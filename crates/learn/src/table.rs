//! Data sets as text files in, labelled rows out: Weka's ARFF, or CSV with a header.
//!
//! Columns are known by their names, however those are spelt, and put into the order of the schema they are of; what the
//! names do not say rightly is told by the numbers. What is left out, doubtful or put right is told as [`TableNotice`].

mod arff;
mod cells;
mod cic;
mod csv;
mod names;
mod notice;
mod published;
mod time;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use features::{ISCX_A2, ISCX_B, SCHEMAS, Schema};

use self::{
    arff::Declared,
    cells::{Records, Style, separator_of},
    names::{LABELS, Says, key, says, words_key},
    notice::list,
    published::{Content, Header},
};
pub use self::{
    csv::{Csv, time_of},
    notice::TableNotice,
};
use crate::{Data, Row, work::MAX_CLASSES};

/// The most columns a file may have.
const MAX_COLUMNS: usize = 4_096;
/// The most numbers that are kept of all files together: 400 MB.
const MAX_NUMBERS: usize = 100_000_000;
/// So many rows tell what a column without a known name holds.
const PROBED: usize = 1_000;
/// The most characters of a cell that are shown.
const MAX_SHOWN: usize = 40;
/// What published files are named after: the timeout in seconds.
const TIMEOUTS: &[(&str, u64)] = &[("15s", 15), ("30s", 30), ("60s", 60), ("120s", 120)];
/// What stands for a number that is not there.
const MISSING: &[&str] = &["?", "nan", "na", "n/a", "null", "none", "-", "infinity", "inf"];
/// What stands for a label that is not there; CICFlowMeter writes the last two.
const UNLABELLED: &[&str] = &["", "?", "nan", "null", "no label", "needmanuallabel"];

/// How a table is to be read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The column that is the label, by name; else it is found.
    pub label: Option<String>,
    /// The schema whose features the columns are; else it is found.
    pub schema: Option<&'static Schema>,
}

/// A table that was read.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its rows.
    pub data: Data,
    /// What is to be known of them.
    pub notices: Vec<TableNotice>,
    /// Who writes such tables: `iscx`, `cicflowmeter`, `nfstream`, `tractor` or `other`.
    pub dialect: &'static str,
}

/// Why a table cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// It is of the sparse kind.
    #[error(
        "the rows are sparse (`{{place value, …}}`); only files with every cell of a row are read"
    )]
    Sparse,
    /// An attribute of an ARFF file is not understood.
    #[error(
        "line {line} declares an attribute that is neither numeric, nominal, a string nor a date"
    )]
    Attribute {
        /// The line.
        line: u64,
    },
    /// An ARFF file without rows.
    #[error("there is no @DATA in the file")]
    NoData,
    /// The first line has numbers where names belong.
    #[error("the first line holds numbers, where the names of the columns belong")]
    NoHeader,
    /// More columns than are read.
    #[error("the file has {found} columns; at most {max} are read")]
    TooManyColumns {
        /// How many there are.
        found: usize,
        /// How many are read.
        max: usize,
    },
    /// More numbers than fit.
    #[error("the rows hold more than {max} numbers; give fewer rows or columns")]
    TooManyNumbers {
        /// How many fit.
        max: usize,
    },
    /// Columns of the schema are not there.
    #[error("the file lacks {} of {schema}'s columns: {}", columns.len(), columns.join(", "))]
    MissingColumns {
        /// The schema's name.
        schema: &'static str,
        /// The columns' names.
        columns: Vec<String>,
    },
    /// Nothing to learn from.
    #[error("no column holds numbers that may be learned from")]
    NoColumns,
    /// The label asked for is not there.
    #[error("there is no column {label}; there are {}", list(columns))]
    NoSuchLabel {
        /// The label asked for.
        label: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// No column looks like a label.
    #[error("which column is the label cannot be told; there are {}", list(columns))]
    NoLabel {
        /// The columns there are.
        columns: Vec<String>,
    },
    /// What is taken as the label is none.
    #[error("the column {column} has more than {max} different values and is no label")]
    TooManyLabels {
        /// The column.
        column: String,
        /// How many labels there may be.
        max: usize,
    },
    /// No row can be used.
    #[error("no row can be used{}", why.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    NoRows {
        /// What most were left out for.
        why: Option<TableNotice>,
    },
}

/// Reads a data set as a text file: Weka's ARFF, or CSV as CICFlowMeter or nfstream write it, or with our own schemas'
/// columns.
///
/// # Errors
/// Where the text is no such table, has no label or no row, or lacks columns of its schema.
pub fn read_table(text: &str, name: &str, how: &Reading) -> Result<Table, TableError> {
    read_rows(text, name, how, Unlabelled::LeftOut)
}

/// The same where rows are to be classified and not learned from: those without a label are kept, and theirs is empty; no
/// column has to be one.
///
/// # Errors
/// As [`read_table`], but for what is missing of labels.
pub fn read_unlabelled(text: &str, name: &str, how: &Reading) -> Result<Table, TableError> {
    read_rows(text, name, how, Unlabelled::Kept)
}

/// What becomes of rows without a label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlabelled {
    LeftOut,
    Kept,
}

fn read_rows(
    text: &str,
    name: &str,
    how: &Reading,
    unlabelled: Unlabelled,
) -> Result<Table, TableError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head = if arff::is_arff(text) { Head::of_arff(text)? } else { Head::of_csv(text)? };
    let layout = Layout::new(&head, how, unlabelled)?;
    let mut rows = Rows::new(&layout, head, name, how, unlabelled);
    rows.read()?;
    rows.finish(name)
}

/// What precedes the rows.
struct Head<'a> {
    /// The names as they stand there.
    titles: Vec<String>,
    /// The names, the second of one name with `.1` behind it, as pandas reads it.
    names: Vec<String>,
    declared: Option<Vec<Declared>>,
    records: Records<'a>,
    has_decimal_commas: bool,
}

impl<'a> Head<'a> {
    fn of_arff(text: &'a str) -> Result<Self, TableError> {
        let (attributes, records) = arff::head(text)?;
        let (titles, declared): (Vec<_>, Vec<_>) = attributes.into_iter().unzip();
        Self::new(titles, Some(declared), records, false)
    }

    fn of_csv(text: &'a str) -> Result<Self, TableError> {
        let first = text.lines().find(|it| !it.trim().is_empty()).ok_or(TableError::Empty)?;
        let separator = separator_of(first);
        let mut records = Records::new(text, 1, separator, Style::Csv);
        let mut cells = Vec::new();
        records.next(&mut cells);
        if cells.len() > 1 && cells.iter().all(|it| it.parse::<f64>().is_ok()) {
            return Err(TableError::NoHeader);
        }
        let titles = cells.into_iter().map(Cow::into_owned).collect();
        Self::new(titles, None, records, separator != ',')
    }

    fn new(
        titles: Vec<String>,
        declared: Option<Vec<Declared>>,
        records: Records<'a>,
        has_decimal_commas: bool,
    ) -> Result<Self, TableError> {
        if titles.len() > MAX_COLUMNS {
            return Err(TableError::TooManyColumns { found: titles.len(), max: MAX_COLUMNS });
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut names = Vec::with_capacity(titles.len());
        for title in &titles {
            let n = seen.entry(title).or_default();
            names.push(if *n == 0 { title.clone() } else { format!("{title}.{n}") });
            *n += 1;
        }
        Ok(Self { titles, names, declared, records, has_decimal_commas })
    }

    /// Whether a record is the header once more.
    fn is_again(&self, cells: &[Cow<'_, str>]) -> bool {
        cells.iter().zip(&self.titles).all(|(cell, title)| cell == title.trim())
    }

    /// What the first rows hold, column by column.
    fn probe(&self) -> Vec<Probe> {
        let mut probes = vec![Probe::default(); self.names.len()];
        let (mut records, mut cells) = (self.records.clone(), Vec::new());
        for _ in 0..PROBED {
            if records.next(&mut cells).is_none() {
                break;
            }
            if cells.len() != self.names.len() || self.is_again(&cells) {
                continue;
            }
            for (cell, probe) in cells.iter().zip(&mut probes) {
                match number(cell, self.has_decimal_commas) {
                    Some(number) if number.is_finite() => probe.n_numbers += 1,
                    Some(_) => {}
                    None => probe.n_texts += 1,
                }
                probe.is_address |= cell.parse::<IpAddr>().is_ok();
            }
        }
        probes
    }
}

/// What the first cells of a column are.
#[derive(Clone, Copy, Debug, Default)]
struct Probe {
    n_numbers: usize,
    n_texts: usize,
    is_address: bool,
}

impl Probe {
    /// One cell in ten may be damaged.
    fn is_text(self) -> bool {
        self.n_texts * 10 > self.n_numbers + self.n_texts
    }

    fn is_empty(self) -> bool {
        self.n_numbers + self.n_texts == 0
    }
}

/// What a cell becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The feature at this place.
    Feature(usize),
    Label,
    Port,
    Time,
    Capture,
    /// Nothing.
    Left,
}

/// What each column is, and what is told of those that are left out.
struct Layout {
    roles: Vec<Role>,
    schema: Option<&'static Schema>,
    columns: Vec<String>,
    /// Features that are copies of others, at these places: the file has the column once.
    copies: Vec<(usize, usize)>,
    notices: Vec<TableNotice>,
}

impl Layout {
    fn new(head: &Head<'_>, how: &Reading, unlabelled: Unlabelled) -> Result<Self, TableError> {
        let names = &head.names;
        let keys: Vec<String> = names.iter().map(|it| key(it)).collect();
        let probes = head.probe();
        let schema = how.schema.or_else(|| schema_of(names));
        let mut places = vec![None; names.len()];
        let (mut columns, mut copies) = (Vec::new(), Vec::new());
        if let Some(schema) = schema {
            (columns, copies) = place(schema, names, &mut places)?;
        }
        let mut notices = Vec::new();
        let is_free = |at: usize| places.get(at).is_some_and(|it: &Option<usize>| it.is_none());
        let found = label_of(head, how, schema, &keys, &probes, &is_free);
        let (label, is_sure) = match found {
            // No place is that of no column.
            Err(TableError::NoLabel { .. }) if unlabelled == Unlabelled::Kept => (usize::MAX, true),
            found => found?,
        };
        if !is_sure && let Some(column) = names.get(label) {
            notices.push(TableNotice::Label { column: column.clone() });
        }
        let mut left = [const { Vec::new() }; 4];
        let [identity, texts, empty, further] = &mut left;
        let mut roles = Vec::with_capacity(names.len());
        for (at, (name, key)) in names.iter().zip(&keys).enumerate() {
            let probe = probes.get(at).copied().unwrap_or_default();
            let declared = head.declared.as_ref().and_then(|it| it.get(at));
            let place = places.get(at).copied().flatten();
            roles.push(match (place, says(key)) {
                _ if at == label => Role::Label,
                (Some(place), _) => Role::Feature(place),
                (None, Some(Says::Capture)) if !probe.is_address => Role::Capture,
                (None, Some(says)) => {
                    identity.push(name.clone());
                    match says {
                        Says::Port => Role::Port,
                        Says::Time => Role::Time,
                        Says::Capture | Says::Identity => Role::Left,
                    }
                }
                (None, None) => {
                    let is_text = probe.is_text() || declared == Some(&Declared::Text);
                    if is_text {
                        texts.push(name.clone());
                        Role::Left
                    } else if schema.is_some() {
                        further.push(name.clone());
                        Role::Left
                    } else if probe.is_empty() {
                        empty.push(name.clone());
                        Role::Left
                    } else {
                        columns.push(name.clone());
                        Role::Feature(columns.len() - 1)
                    }
                }
            });
        }
        if columns.is_empty() {
            return Err(TableError::NoColumns);
        }
        let [identity, texts, empty, further] = left;
        let schema_name = schema.map_or("", |it| it.name);
        notices.extend(
            [
                TableNotice::IdentityColumns { columns: identity },
                TableNotice::TextColumns { columns: texts },
                TableNotice::EmptyColumns { columns: empty },
                TableNotice::FurtherColumns { columns: further, schema: schema_name },
            ]
            .into_iter()
            .filter(|it| it.names_any_column()),
        );
        Ok(Self { roles, schema, columns, copies, notices })
    }
}

/// Whether columns of this schema go by the words of their names.
fn is_cic(schema: &Schema) -> bool {
    dialect_of(Some(schema)) == "cicflowmeter"
}

/// Who writes tables with the columns of a schema.
fn dialect_of(schema: Option<&Schema>) -> &'static str {
    match schema.map(|it| it.name) {
        Some("iscx-a2" | "iscx-b") => "iscx",
        Some("cic" | "cic-2017") => "cicflowmeter",
        Some("nfstream") => "nfstream",
        Some(_) => "tractor",
        None => "other",
    }
}

/// A name as names of a schema's columns are compared.
fn key_for(schema: &Schema, name: &str) -> String {
    if is_cic(schema) { words_key(name) } else { key(name) }
}

/// Whether a file has the columns of iscx-b under the names of what they hold.
fn has_true_names(names: &[String]) -> bool {
    let has = |name: &str| names.iter().any(|it| key(it) == key(name));
    published::TRUE_NAMES.iter().all(|it| has(it.1)) && !has("total_fiat") && !has("total_biat")
}

/// The schema that most of the columns are of: of equals the one whose names are spelt so, then the one with the fewest
/// columns. `None` where half of none is there.
fn schema_of(names: &[String]) -> Option<&'static Schema> {
    let spelt: BTreeSet<String> = names.iter().map(|it| key(it)).collect();
    let worded: BTreeSet<String> = names.iter().map(|it| words_key(it)).collect();
    if has_true_names(names) {
        return Some(&ISCX_B);
    }
    let mut best = None;
    for schema in SCHEMAS.iter().copied().filter(|it| names.len() * 2 >= it.n_features()) {
        let known = if is_cic(schema) { &worded } else { &spelt };
        let found = |known: &BTreeSet<String>, of: fn(&Schema, &str) -> String| {
            schema.features().filter(|it| known.contains(&of(schema, it.name))).count()
        };
        let n_found = found(known, key_for);
        let n_spelt = found(&spelt, |_, name| key(name));
        if n_found * 2 < schema.n_features() {
            continue;
        }
        // What the file has of it, without the column that is there twice.
        let n_twice = usize::from(schema.name == "cic-2017");
        let rank = (n_found - n_twice, n_spelt, usize::MAX - schema.columns.len());
        if best.is_none_or(|(best, _)| rank > best) {
            best = Some((rank, schema));
        }
    }
    best.map(|it| it.1)
}

/// The names of a schema's features, and which of them are copies of which.
type Placed = (Vec<String>, Vec<(usize, usize)>);

/// Places a schema's features: says of each column of the file where it belongs.
fn place(
    schema: &'static Schema,
    names: &[String],
    places: &mut [Option<usize>],
) -> Result<Placed, TableError> {
    let mut by_key: BTreeMap<String, usize> = BTreeMap::new();
    for (at, name) in names.iter().enumerate() {
        by_key.entry(key_for(schema, name)).or_insert(at);
    }
    let true_names: &[_] =
        if *schema == ISCX_B && has_true_names(names) { &published::TRUE_NAMES } else { &[] };
    let (mut columns, mut copies, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (to, (name, column)) in schema.unique_features().enumerate() {
        let sought = true_names.iter().find(|it| it.0 == name).map_or(&*name, |it| it.1);
        let found = by_key.get(&key_for(schema, sought)).and_then(|it| places.get_mut(*it));
        if let Some(place @ None) = found {
            *place = Some(to);
        } else if let Some(of) = schema.features().take(to).position(|it| it.name == column.name) {
            copies.push((of, to));
        } else {
            missing.push(name.clone().into_owned());
        }
        columns.push(name.into_owned());
    }
    if missing.is_empty() {
        return Ok((columns, copies));
    }
    Err(TableError::MissingColumns { schema: schema.name, columns: missing })
}

/// Whether a cell stands for a label that is not there.
fn is_no_label(text: &str) -> bool {
    UNLABELLED.iter().any(|it| text.eq_ignore_ascii_case(it))
}

/// The column that is the label, and whether that is sure.
fn label_of(
    head: &Head<'_>,
    how: &Reading,
    schema: Option<&Schema>,
    keys: &[String],
    probes: &[Probe],
    is_free: &dyn Fn(usize) -> bool,
) -> Result<(usize, bool), TableError> {
    let columns = || head.names.clone();
    let named = |name: &str| keys.iter().position(|it| it == name);
    if let Some(label) = &how.label {
        let found = head.names.iter().position(|it| it == label).or_else(|| named(&key(label)));
        let error = || TableError::NoSuchLabel { label: label.clone(), columns: columns() };
        return Ok((found.ok_or_else(error)?, true));
    }
    let of_schema =
        schema.and_then(|it| it.columns.iter().find(|it| it.kind() == features::Kind::Label));
    if let Some(at) = of_schema.and_then(|it| named(&key(it.name))).filter(|it| is_free(*it)) {
        return Ok((at, true));
    }
    let candidates: Vec<usize> =
        LABELS.iter().filter_map(|it| named(it)).filter(|it| is_free(*it)).collect();
    if let Some(at) = candidates.first() {
        let is_sure =
            candidates.len() == 1 && keys.get(*at).is_some_and(|it| LABELS.starts_with(&[it]));
        return Ok((*at, is_sure));
    }
    let is_nominal = |at: &usize| match &head.declared {
        Some(declared) => declared.get(*at) == Some(&Declared::Nominal),
        None => *at + 1 == keys.len() && probes.get(*at).is_some_and(|it| it.is_text()),
    };
    let last = (0..keys.len()).rev().find(|it| is_nominal(it) && is_free(*it));
    last.map(|it| (it, false)).ok_or_else(|| TableError::NoLabel { columns: columns() })
}

/// The number of a cell, `NaN` where it is missing or not finite; `None` where it is something else.
fn number(cell: &str, has_decimal_commas: bool) -> Option<f64> {
    if cell.is_empty() {
        return Some(f64::NAN);
    }
    if let Ok(number) = cell.parse::<f64>() {
        return Some(if number.is_finite() { number } else { f64::NAN });
    }
    if MISSING.iter().any(|it| cell.eq_ignore_ascii_case(it)) {
        return Some(f64::NAN);
    }
    if has_decimal_commas && let Some((whole, fraction)) = cell.split_once(',') {
        let mut text = [0; MAX_SHOWN];
        let parts = [whole.as_bytes(), b".", fraction.as_bytes()];
        let mut end = 0;
        for part in parts {
            text.get_mut(end..end + part.len())?.copy_from_slice(part);
            end += part.len();
        }
        let number = std::str::from_utf8(text.get(..end)?).ok()?.parse().ok()?;
        return Some(number).filter(|it: &f64| it.is_finite());
    }
    None
}

/// What was left out for one reason: how often, and of the first its line.
type Skipped<T> = Option<(u64, u64, T)>;

fn skip<T>(skipped: &mut Skipped<T>, line: u64, what: impl FnOnce() -> T) {
    match skipped {
        Some((n, ..)) => *n += 1,
        None => *skipped = Some((1, line, what())),
    }
}

/// The rows as they are read.
struct Rows<'a> {
    layout: &'a Layout,
    head: Head<'a>,
    /// The schema asked for.
    asked: Option<&'static Schema>,
    data: Data,
    captures: BTreeMap<String, u32>,
    n_missing: u64,
    content: Content,
    cell_count: Skipped<usize>,
    no_number: Skipped<(String, String)>,
    unlabelled: Skipped<()>,
    of_unlabelled: Unlabelled,
    header_again: Skipped<()>,
}

impl<'a> Rows<'a> {
    fn new(
        layout: &'a Layout,
        head: Head<'a>,
        name: &str,
        how: &Reading,
        of_unlabelled: Unlabelled,
    ) -> Self {
        let mut data = match layout.schema {
            Some(schema) => Data::of_schema(schema, None),
            None => Data::of_columns(layout.columns.clone()),
        };
        // Rows are of the file, unless a column says of what else.
        if !layout.roles.contains(&Role::Capture) {
            data.captures.push(name.to_owned());
        }
        Self {
            layout,
            head,
            asked: how.schema,
            data,
            captures: BTreeMap::new(),
            n_missing: 0,
            content: Content::default(),
            cell_count: None,
            no_number: None,
            unlabelled: None,
            of_unlabelled,
            header_again: None,
        }
    }

    fn is_iscx(&self) -> bool {
        dialect_of(self.layout.schema) == "iscx"
    }

    fn read(&mut self) -> Result<(), TableError> {
        let is_iscx = self.is_iscx();
        let n = self.layout.columns.len();
        let (mut cells, mut values) = (Vec::new(), vec![f64::NAN; n]);
        while let Some(line) = self.head.records.next(&mut cells) {
            let Some((row, label)) = self.row(line, &mut cells, &mut values) else { continue };
            if (self.data.len() + 1) * n > MAX_NUMBERS {
                return Err(TableError::TooManyNumbers { max: MAX_NUMBERS });
            }
            if is_iscx {
                self.content.see(&values);
            }
            self.n_missing += values.iter().filter(|it| !(**it as f32).is_finite()).count() as u64;
            let label = cells.get(label).map_or("", |it| &**it);
            let label = if is_no_label(label) { "" } else { label };
            self.data.push(values.iter().map(|it| *it as f32), label, row);
            if self.data.classes().len() > MAX_CLASSES {
                let at = self.layout.roles.iter().position(|it| *it == Role::Label);
                let column = at.and_then(|it| self.head.names.get(it)).cloned();
                let column = column.unwrap_or_default();
                return Err(TableError::TooManyLabels { column, max: MAX_CLASSES });
            }
        }
        Ok(())
    }

    /// Puts the numbers of a record in their places; what else is known of it, and the place of its label.
    fn row(
        &mut self,
        line: u64,
        cells: &mut Vec<Cow<'a, str>>,
        values: &mut [f64],
    ) -> Option<(Row, usize)> {
        let (roles, wanted) = (&self.layout.roles, self.layout.roles.len());
        // A separator behind the last cell is no cell.
        while cells.len() > wanted && cells.last().is_some_and(|it| it.is_empty()) {
            cells.pop();
        }
        if cells.len() != wanted {
            let found = cells.len();
            skip(&mut self.cell_count, line, || found);
            return None;
        }
        let (mut row, mut label, mut capture) = (Row::default(), usize::MAX, None);
        for (at, (cell, role)) in cells.iter().zip(roles).enumerate() {
            match role {
                Role::Feature(place) => {
                    let Some(number) = number(cell, self.head.has_decimal_commas) else {
                        self.skip_without_number(line, cells, at);
                        return None;
                    };
                    if let Some(value) = values.get_mut(*place) {
                        *value = number;
                    }
                }
                Role::Label => label = at,
                // What is no port or no time is not known.
                Role::Port => row.port = cell.parse().unwrap_or(0),
                Role::Time => row.time_ns = time::nanos(cell).unwrap_or(0),
                Role::Capture => capture = Some(at),
                Role::Left => {}
            }
        }
        for (from, to) in &self.layout.copies {
            values.copy_within(*from..=*from, *to);
        }
        let text = cells.get(label).map_or("", |it| &**it);
        if is_no_label(text) && self.of_unlabelled == Unlabelled::LeftOut {
            skip(&mut self.unlabelled, line, || ());
            return None;
        }
        if let Some(name) = capture.and_then(|it| cells.get(it)) {
            row.capture = match self.captures.get(&**name) {
                Some(capture) => *capture,
                None => {
                    let capture = self.captures.len() as u32;
                    self.captures.insert(name.clone().into_owned(), capture);
                    self.data.captures.push(name.clone().into_owned());
                    capture
                }
            };
        }
        Some((row, label))
    }

    fn skip_without_number(&mut self, line: u64, cells: &[Cow<'a, str>], at: usize) {
        if self.head.is_again(cells) {
            skip(&mut self.header_again, line, || ());
            return;
        }
        let column = self.head.names.get(at).cloned().unwrap_or_default();
        let cell: String = cells.get(at).map_or("", |it| &**it).chars().take(MAX_SHOWN).collect();
        skip(&mut self.no_number, line, || (column, cell));
    }

    fn finish(mut self, name: &str) -> Result<Table, TableError> {
        let wanted = self.layout.roles.len();
        let skipped = [
            self.cell_count.take().map(|(rows, line, found)| TableNotice::CellCount {
                rows,
                line,
                found,
                wanted,
            }),
            self.no_number.take().map(|(rows, line, (column, cell))| TableNotice::NoNumber {
                rows,
                line,
                column,
                cell,
            }),
            self.unlabelled.take().map(|(rows, line, ())| TableNotice::Unlabelled { rows, line }),
            self.header_again
                .take()
                .map(|(rows, line, ())| TableNotice::HeaderAgain { rows, line }),
        ];
        let skipped = skipped.into_iter().flatten();
        if self.data.is_empty() {
            return Err(TableError::NoRows { why: skipped.max_by_key(TableNotice::n_skipped) });
        }
        let dialect = dialect_of(self.layout.schema);
        let mut notices = Vec::new();
        if self.is_iscx() {
            self.judge(&mut notices);
        }
        if let Some(schema) = self.layout.schema.filter(|it| is_cic(it)) {
            if cic::make_micros(&mut self.data, schema) {
                notices.push(TableNotice::CicSeconds);
            }
            let cells = cic::take_away(&mut self.data, schema);
            notices.extend(cells.map(|cells| TableNotice::CicNumbers { cells }));
        }
        let timeout = timeout_by_name(name).filter(|_| dialect == "iscx");
        self.data.timeout_micros = timeout.map(|it| it * 1_000_000);
        match timeout {
            Some(seconds) => notices.push(TableNotice::TimeoutByName { seconds }),
            None if dialect == "other" => {}
            None => notices.push(TableNotice::TimeoutUnknown),
        }
        notices.extend(skipped);
        notices.extend(self.layout.notices.iter().cloned());
        if self.n_missing > 0 {
            notices.push(TableNotice::Missing { cells: self.n_missing });
        }
        let (duplicates, contradictions) = (self.data.n_duplicates(), self.data.n_contradictions());
        if duplicates > 0 {
            notices.push(TableNotice::Duplicates { rows: duplicates });
        }
        if contradictions > 0 {
            notices.push(TableNotice::Contradictions { rows: contradictions });
        }
        Ok(Table { data: self.data, notices, dialect })
    }

    /// Of a file with the columns of ISCXVPN2016, says what they hold.
    fn judge(&mut self, notices: &mut Vec<TableNotice>) {
        let header = self.content.header();
        let has_true_names = has_true_names(&self.head.names);
        let fitting = match header {
            Header::Shifted => &ISCX_B,
            _ if has_true_names => &ISCX_B,
            Header::Right | Header::Unsure => &ISCX_A2,
        };
        let asked = self.asked;
        match header {
            _ if has_true_names => notices.push(TableNotice::HeaderTrue),
            Header::Unsure if asked.is_some() => {}
            _ if asked.is_some_and(|it| it != fitting) => {
                let asked = self.data.schema.map_or("", |it| it.name);
                notices.push(TableNotice::OtherContent { asked, fitting: fitting.name });
            }
            Header::Shifted => notices.push(TableNotice::HeaderShifted),
            Header::Unsure => notices.push(TableNotice::HeaderUnsure),
            Header::Right => {}
        }
        if asked.is_none() {
            self.data.schema = Some(fitting);
        }
        if let Some(rows) = self.content.n_wrong_rates() {
            (0..self.data.len()).for_each(|it| published::mend_rate(self.data.values_mut(it)));
            notices.push(TableNotice::RatesMended { rows });
        }
        let numbers = self.content.n_cut();
        if numbers > 0 {
            notices.push(TableNotice::Rounded { numbers });
        }
    }
}

/// The timeout a published file is named after, in seconds.
fn timeout_by_name(name: &str) -> Option<u64> {
    let mut words = name.split(|it: char| !it.is_alphanumeric());
    words.find_map(|word| TIMEOUTS.iter().find(|it| it.0 == word).map(|it| it.1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use features::{BASIC, CIC, CIC_2017};

    use super::*;
    use crate::{Method, Options, Plan, Work};

    fn read(text: &str) -> Result<Table, TableError> {
        read_table(text, "file.csv", &Reading::default())
    }

    fn codes(table: &Table) -> Vec<&'static str> {
        table.notices.iter().map(TableNotice::code).collect()
    }

    fn error(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    /// A file of ISCXVPN2016: of each row what the columns 2 to 9 hold.
    fn published(rows: &[[f64; 8]]) -> String {
        let mut text = features::arff_header(&ISCX_B, &["MAIL"]);
        for row in rows {
            let row: Vec<String> = row.iter().map(f64::to_string).collect();
            text +=
                &format!("2000000,{},1.5,80,5,9,1e6,0,-1,0,-1,0,-1,0,-1,0,MAIL\n", row.join(","));
        }
        text
    }

    const SHIFTED: [f64; 8] = [-1.0, 2.0, -1.0, 9.0, 0.0, 4.0, 0.0, 3.0];
    const RIGHT: [f64; 8] = [0.0, 12.0, -1.0, 2.0, -1.0, 9.0, 0.0, 4.0];
    const EITHER: [f64; 8] = [1.0; 8];

    #[track_caller]
    fn check_published(row: [f64; 8], how: &Reading, schema: &str, code: Option<&str>) {
        let table = read_table(&published(&[EITHER, row]), "x-15s.arff", how).unwrap();
        assert_eq!(table.data.schema.map(|it| it.name), Some(schema));
        assert_eq!((table.dialect, table.data.timeout_micros), ("iscx", Some(15_000_000)));
        let of_header = codes(&table).into_iter().find(|it| !it.starts_with("T-TIMEOUT"));
        assert_eq!(of_header, code);
        // Numbers stay as they are, −1 too.
        assert_eq!(f64::from(table.data.values(1)[3]), row[2]);
    }

    #[test]
    fn a_shifted_header_is_told_by_what_the_columns_hold() {
        let found = Reading::default();
        check_published(SHIFTED, &found, "iscx-b", Some("T-HEADER"));
        check_published(RIGHT, &found, "iscx-a2", None);
        check_published(EITHER, &found, "iscx-a2", Some("T-HEADER-UNSURE"));
        // What is headed as the least is more than what is headed as the greatest.
        check_published(
            [1.0, 1.0, 9.0, 9.0, 5.0, 5.0, 3.0, 3.0],
            &found,
            "iscx-b",
            Some("T-HEADER"),
        );
        let asked = Reading { schema: Some(&ISCX_A2), ..Reading::default() };
        check_published(SHIFTED, &asked, "iscx-a2", Some("T-SCHEMA"));
    }

    #[test]
    fn right_names_of_the_shifted_columns_are_known() {
        let mut text = published(&[SHIFTED]);
        for (at, (name, holds)) in published::TRUE_NAMES.iter().enumerate() {
            text = text.replace(&format!("E {name} "), &format!("E {at}{holds} "));
        }
        (0..8).for_each(|it| text = text.replace(&format!("E {it}"), "E "));
        let table = read(&text).unwrap();
        assert_eq!(table.data.schema.map(|it| it.name), Some("iscx-b"));
        assert_eq!(codes(&table), ["T-HEADER-TRUE", "T-TIMEOUT"]);
        assert_eq!(table.data.values(0)[1..5], [-1.0, 2.0, -1.0, 9.0]);
    }

    /// The share of rows a tree is right about that learned from shifted rows, where it is asked with these features in the
    /// places of total, min, max and mean: functions of the least, greatest and mean gap and their sum.
    fn accuracy(of: impl Fn([f32; 4]) -> [f32; 4]) -> f64 {
        let rows: Vec<[f32; 4]> = (0u8..40)
            .map(f32::from)
            .map(|it| [5.0 + it, 1_000.0 - it, if it < 20.0 { 10.0 + it } else { 300.0 + it }, 7e5])
            .collect();
        let cells = |[min, max, mean, _]: &[f32; 4]| {
            let label = if *mean < 100.0 { "CHAT" } else { "MAIL" };
            // The deviation is that of no class, and the server never says anything.
            format!(
                "2000000,{min},-1,{max},-1,{mean},0,50,0,1.5,80,5,9,1e6,0,-1,0,-1,0,-1,0,-1,0,{label}\n"
            )
        };
        let text = features::arff_header(&ISCX_B, &["CHAT", "MAIL"])
            + &rows.iter().map(cells).collect::<String>();
        let data = read(&text).unwrap().data;
        let plan = Plan { folds: 0, ..Plan::of(Options::of(Method::Tree)) };
        let model = Work::new(Arc::new(data.clone()), plan).unwrap().run().model.unwrap();
        let asked = |at: usize| {
            let mut values = data.values(at).to_vec();
            for (place, value) in [1, 3, 5, 7].into_iter().zip(of(rows[at])) {
                values[place] = value;
            }
            values
        };
        let n_right = (0..rows.len()).filter(|at| {
            let said = model.say(&[&asked(*at)])[0];
            model.classes()[said.class] == data.label(*at)
        });
        n_right.count() as f64 / rows.len() as f64
    }

    #[test]
    fn a_model_falls_by_a_wrong_header_and_not_by_its_schema() {
        assert_eq!(accuracy(|[min, max, mean, total]| [total, min, max, mean]), 0.5);
        assert_eq!(accuracy(|[min, max, mean, _]| [min, max, mean, 50.0]), 1.0);
    }

    #[test]
    fn wrong_packet_rates_are_computed_again() {
        let text = published(&[RIGHT, SHIFTED]).replace(",1.5,", ",7,");
        let table = read(&text).unwrap();
        assert!(table.notices.contains(&TableNotice::RatesMended { rows: 2 }));
        assert_eq!(table.data.values(1)[9], 1.5);
    }

    #[test]
    fn numbers_cut_by_a_spreadsheet_are_told() {
        let text = published(&[RIGHT, RIGHT]).replace(",1e6,", ",1.23e7,");
        let notices = read(&text).unwrap().notices;
        assert!(notices.contains(&TableNotice::Rounded { numbers: 2 }));
        assert!(notices.contains(&TableNotice::Duplicates { rows: 1 }));
    }

    /// A file with a schema's columns under other names and in another order: of each the place where it belongs.
    fn turned(schema: &Schema, rename: impl Fn(&str) -> String) -> String {
        let names = schema.unique_features().map(|it| rename(&it.0));
        let names: Vec<String> = names.collect();
        let places: Vec<String> = (0..names.len()).rev().map(|it| it.to_string()).collect();
        let names: Vec<String> = names.into_iter().rev().collect();
        format!("{},Label\n{},x\n", names.join(","), places.join(","))
    }

    #[track_caller]
    fn check_schema(schema: &'static Schema, text: &str) {
        let table = read(text).unwrap();
        assert_eq!(table.data.schema.map(|it| it.name), Some(schema.name));
        let wanted: Vec<f32> = (0..schema.n_features()).map(|it| it as f32).collect();
        assert_eq!(table.data.values(0), wanted);
    }

    #[test]
    fn columns_go_where_their_names_belong() {
        for schema in SCHEMAS.iter().filter(|it| dialect_of(Some(it)) != "iscx") {
            check_schema(schema, &turned(schema, str::to_owned));
            check_schema(schema, &turned(schema, |it| format!(" {}", it.to_uppercase())));
        }
    }

    #[test]
    fn the_headers_of_cicflowmeter_are_known() {
        let short = |it: &str| {
            let it = it.replace("Packet", "Pkt").replace("Length", "Len").replace("Total", "Tot");
            it.replace("Bytes", "Byts").replace("Average", "Avg").replace("CWR", "CWE")
        };
        check_schema(&CIC, &turned(&CIC, short));
        // CSE-CIC-IDS2018, in the order of version 4 but for what says which flow it is.
        let names = "Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,TotLen Fwd Pkts,TotLen Bwd Pkts,Fwd Pkt Len Max,Fwd Pkt Len Min,\
            Fwd Pkt Len Mean,Fwd Pkt Len Std,Bwd Pkt Len Max,Bwd Pkt Len Min,Bwd Pkt Len Mean,Bwd Pkt Len Std,Flow Byts/s,\
            Flow Pkts/s,Flow IAT Mean,Flow IAT Std,Flow IAT Max,Flow IAT Min,Fwd IAT Tot,Fwd IAT Mean,Fwd IAT Std,Fwd IAT Max,\
            Fwd IAT Min,Bwd IAT Tot,Bwd IAT Mean,Bwd IAT Std,Bwd IAT Max,Bwd IAT Min,Fwd PSH Flags,Bwd PSH Flags,\
            Fwd URG Flags,Bwd URG Flags,Fwd Header Len,Bwd Header Len,Fwd Pkts/s,Bwd Pkts/s,Pkt Len Min,Pkt Len Max,\
            Pkt Len Mean,Pkt Len Std,Pkt Len Var,FIN Flag Cnt,SYN Flag Cnt,RST Flag Cnt,PSH Flag Cnt,ACK Flag Cnt,\
            URG Flag Cnt,CWE Flag Count,ECE Flag Cnt,Down/Up Ratio,Pkt Size Avg,Fwd Seg Size Avg,Bwd Seg Size Avg,\
            Fwd Byts/b Avg,Fwd Pkts/b Avg,Fwd Blk Rate Avg,Bwd Byts/b Avg,Bwd Pkts/b Avg,Bwd Blk Rate Avg,\
            Subflow Fwd Pkts,Subflow Fwd Byts,Subflow Bwd Pkts,Subflow Bwd Byts,Init Fwd Win Byts,Init Bwd Win Byts,\
            Fwd Act Data Pkts,Fwd Seg Size Min,Active Mean,Active Std,Active Max,Active Min,Idle Mean,Idle Std,Idle Max,\
            Idle Min";
        let cells: Vec<String> = (1..=76).map(|it| it.to_string()).collect();
        let text = format!(
            "Dst Port,Protocol,Timestamp,{names},Label\n80,6,,{},Benign\n",
            cells.join(",")
        );
        let values: Vec<f32> = (1..=76u8).map(f32::from).collect();
        assert_eq!(read(&text).unwrap().data.values(0), values);
        let ours: Vec<&str> = CIC_2017.columns.iter().map(|it| it.name).collect();
        let cells = vec!["1"; ours.len() - 1];
        let text = format!("{}\n{},BENIGN\n", ours.join(", "), cells.join(","));
        let table = read(&text).unwrap();
        assert_eq!(table.data.schema.map(|it| it.name), Some("cic-2017"));
        assert_eq!((table.dialect, table.data.rows()[0].port), ("cicflowmeter", 1));
    }

    #[test]
    fn a_column_that_is_published_twice_may_be_there_once() {
        let text = turned(&CIC_2017, str::to_owned).replace("Fwd Header Length.1", "Unknown");
        let table = read(&text).unwrap();
        let at = |name: &str| table.data.columns.iter().position(|it| it == name).unwrap();
        let (first, second) = (at("Fwd Header Length"), at("Fwd Header Length.1"));
        assert_eq!(table.data.values(0)[first], table.data.values(0)[second]);
        assert!(codes(&table).contains(&"T-COLUMNS"));
    }

    #[test]
    fn every_missing_column_is_named() {
        let text = turned(&BASIC, |it| it.replace("flags", "flag"));
        assert_eq!(
            error(&text),
            "the file lacks 2 of basic's columns: client_tcp_flags, server_tcp_flags"
        );
    }

    #[test]
    fn of_unknown_columns_the_numbers_are_taken() {
        let text = "\u{feff}flow_id;when;Dst Port;Timestamp;pcap;size;ratio;empty;label\r\n\
            1;noon;443;1970-01-01 00:00:01;a.pcap;5;0,5;;web\r\n\
            2;;53;;b.pcap;?;NaN;;\"dns; old\"\r\n";
        let table = read(text).unwrap();
        assert_eq!(
            (table.dialect, &table.data.columns[..]),
            ("other", &["size".to_owned(), "ratio".to_owned()][..])
        );
        assert_eq!(table.data.values(0), [5.0, 0.5]);
        assert!(table.data.values(1).iter().all(|it| it.is_nan()));
        assert_eq!(table.data.classes(), ["dns; old", "web"]);
        assert_eq!(table.data.captures, ["a.pcap", "b.pcap"]);
        let row = table.data.rows()[0];
        assert_eq!((row.port, row.time_ns, row.capture), (443, 1_000_000_000, 0));
        assert_eq!(codes(&table), ["T-IDENTITY", "T-TEXT", "T-EMPTY", "T-MISSING"]);
    }

    #[test]
    fn rows_that_are_none_are_left_out_and_counted() {
        let text = "a,b,label\n1,2,x\na,b,label\n1,2\n1,2,x,\n3,oops,x\n1,2,3,x\n4,5,\n";
        let how = Reading::default();
        let mut long = text.to_owned();
        (0..20).for_each(|it| long += &format!("{it},0,x\n"));
        let notices = read_table(&long, "x", &how).unwrap().notices;
        let (column, cell) = ("b".to_owned(), "oops".to_owned());
        assert!(notices.contains(&TableNotice::CellCount {
            rows: 2,
            line: 4,
            found: 2,
            wanted: 3
        }));
        assert!(notices.contains(&TableNotice::NoNumber { rows: 1, line: 6, column, cell }));
        assert!(notices.contains(&TableNotice::Unlabelled { rows: 1, line: 8 }));
        assert!(notices.contains(&TableNotice::HeaderAgain { rows: 1, line: 3 }));
    }

    #[test]
    fn a_header_among_few_rows_makes_no_column_a_text() {
        let table = read("a,label\n1,x\na,label\n2,y\n").unwrap();
        assert_eq!((table.data.len(), codes(&table)), (2, vec!["T-HEADER-AGAIN"]));
    }

    #[test]
    fn contradictory_twins_are_counted_and_kept() {
        let table = read("a,label\n1,x\n1,y\n1,x\n2,z\n").unwrap();
        assert_eq!(table.data.len(), 4);
        assert_eq!(codes(&table), ["T-DUPLICATES", "T-CONTRADICTIONS"]);
        assert!(table.notices.contains(&TableNotice::Contradictions { rows: 3 }));
    }

    #[test]
    fn arff_has_its_own_ways() {
        let text = "% c\n@relation 'a b'\n@attribute 'the size' REAL\n@attribute kind {1,2}\n\
            @attribute day date \"yyyy\"\n@ATTRIBUTE who string\n@attribute klass {'a b',c}\n@data\n\
            5, 1, 2017, me, 'a b'\n?,2,2018,\"you, too\",c\n";
        let table = read(text).unwrap();
        assert_eq!(table.data.columns, ["the size", "kind"]);
        assert_eq!((table.data.label(0), table.data.label(1)), ("a b", "c"));
        assert_eq!(codes(&table), ["T-LABEL", "T-TEXT", "T-MISSING"]);
        assert_eq!(error("@relation a\n@attribute b numeric\n"), "there is no @DATA in the file");
        assert!(error("@attribute b numeric\n@data\n{0 1}\n").starts_with("the rows are sparse"));
        assert!(error("@attribute b relational\n@data\n").starts_with("line 1 declares"));
    }

    #[test]
    fn rows_to_be_classified_need_no_label() {
        let read = |text: &str| read_unlabelled(text, "a.csv", &Reading::default()).unwrap().data;
        let data = read("a,b\n1,2\n3,4\n");
        assert_eq!((data.len(), data.columns.len(), data.label(1)), (2, 2, ""));
        let data = read("a,label\n1,NeedManualLabel\n3,x\n");
        assert_eq!((data.len(), data.label(0), data.label(1)), (2, "", "x"));
    }

    #[test]
    fn the_label_may_be_named() {
        let how = |label: &str| Reading { label: Some(label.to_owned()), schema: None };
        let text = "a,label,app\n1,x,web\n2,y,mail\n";
        assert_eq!(read_table(text, "", &how("App")).unwrap().data.classes(), ["mail", "web"]);
        assert_eq!(read(text).unwrap().data.classes(), ["x", "y"]);
        let error = read_table(text, "", &how("b")).unwrap_err().to_string();
        assert_eq!(error, "there is no column b; there are a, label, app");
    }

    #[test]
    fn what_is_no_table_is_told() {
        assert_eq!(error(" \n"), "the file is empty");
        assert_eq!(
            error("1,2\n3,4\n"),
            "the first line holds numbers, where the names of the columns belong"
        );
        assert_eq!(error("a,b\n1,2\n"), "which column is the label cannot be told; there are a, b");
        assert_eq!(error("a,label\n"), "no column holds numbers that may be learned from");
        assert_eq!(
            error("a,label\n1,\n"),
            "no row can be used: 1 rows have no label and are left out, the first at line 2"
        );
        let wide = "a,".repeat(5_000) + "label\n";
        assert_eq!(error(&wide), "the file has 5001 columns; at most 4096 are read");
        let labels: String = (0..1_001).map(|it| format!("1,c{it}\n")).collect();
        assert_eq!(
            error(&format!("a,label\n{labels}")),
            "the column label has more than 256 different values and is no label"
        );
    }
}
