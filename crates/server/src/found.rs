//! What a cluster wrote, in: the rows of its table of captures, one after the other. Nothing else of it is read.
//!
//! ```text
//! OUT/captures/….parquet     a row of each capture: its name, its length, what was wrong, and its result
//! ```
//!
//! Files have the rows of many captures or of one each. A result is the bytes of [`engine::Report`]. Of the column that holds
//! them a page is in memory at any time, the next one and as it was packed while it is unpacked; with a dictionary that too.
//! So a table may be longer than memory where its pages hold few.
//!
//! A file may be hostile, and its package believes what it says. So [`thrift`] reads its columns and the heads of its pages
//! before: a footer has 1 MiB at most and no columns below columns, a page unpacks to 64 times its length and 64 MiB at most,
//! as does a column of a group, a dictionary has no more values than a file rows, a report has 1 GiB at most, and the reports
//! of a file are together no longer than 64 times the file and 64 MiB. Where a file makes its package panic it is damaged.
//!
//! Not bounded is how long a file is and how many there are. So a page of 31 MiB and more may unpack to 2 GiB, which no page
//! exceeds, and of each row up to 4,096 bytes of its name and 1,000 letters of what was wrong are kept, however well they pack.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    basic::Compression,
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, ByteArrayType, DataType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::{ColumnChunkMetaData, ParquetStatisticsPolicy},
        reader::{FileReader, SerializedFileReader},
        serialized_reader::ReadOptionsBuilder,
    },
    schema::types::{SchemaDescriptor, Type},
};
use serde::{Deserialize, Serialize};

use crate::folder::{self, Stamp};

mod thrift;

/// The table's folder in what was written.
const TABLE: &str = "captures";
/// How many rows a file of the table may have.
const MAX_ROWS: u64 = 100_000;
/// The longest footer, in bytes. Ours has some KiB for each group of rows, most of it the least and greatest values.
const MAX_FOOTER_LEN: u32 = 1 << 20;
/// The longest head of a page, in bytes, and as much as most need.
const MAX_HEAD_LEN: u64 = 64 << 10;
const HEAD_LEN: u64 = 1 << 10;
/// What is packed may hold so many times its length, and so many bytes besides.
const MAX_RATIO: u64 = 64;
const MAX_BESIDES: u64 = 64 << 20;
/// The longest report, in bytes.
const MAX_REPORT_LEN: usize = 1 << 30;
/// What Parquet calls `PLAIN`, `PLAIN_DICTIONARY` and `RLE_DICTIONARY`. Others make room for what they only claim.
const ENCODINGS: [u64; 3] = [0, 2, 8];
/// The longest name of a capture, in bytes.
const MAX_NAME_LEN: usize = 4_096;
/// How much is kept of what was wrong with a capture, in letters.
const MAX_REASON_LEN: usize = 1_000;

/// The table of captures that a cluster wrote.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    folder: PathBuf,
    name: String,
}

/// What is known of a row once it was read: enough to know whether its result was taken over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The name its capture is listed by.
    pub(crate) file_name: String,
    /// How long the capture is, in bytes.
    pub(crate) bytes: u64,
    /// What the result is named by, as captures are by [`engine::identity`]; or what was wrong instead.
    pub(crate) mark: String,
    /// Whether something was wrong instead.
    pub(crate) is_failed: bool,
}

/// A row of the table.
pub(crate) struct Row {
    /// As the cluster calls the capture.
    capture: Option<String>,
    /// How long it is, in bytes.
    bytes: Option<u64>,
    /// Its result, or why there is none.
    pub(crate) result: Result<ByteArray, String>,
}

/// Why a file gives no rows, or no more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is no Parquet, or damaged: {0}")]
    Parquet(#[source] ParquetError),
    #[error("it is no Parquet, or damaged: {0}")]
    Head(#[from] thrift::Error),
    #[error("it is damaged: it contradicts itself")]
    Panicked,
    #[error("it is damaged: its rows end early")]
    Cut,
    #[error(
        "it has no column `{0}` of the right kind: it is no table of captures with their results"
    )]
    Column(&'static str),
    #[error("it is packed by {0}: write it with snappy or zstd")]
    Packed(String),
    #[error("it has more than {MAX_ROWS} rows")]
    TooLong,
    #[error("its footer claims to be {0} bytes long: more than {MAX_FOOTER_LEN}")]
    Footer(u32),
    #[error("its column `{0}` claims to hold more than it can")]
    Claims(&'static str),
    #[error(
        "its column `{0}` is encoded in a way that is not read: write it plain or by a dictionary"
    )]
    Encoded(&'static str),
    #[error("its reports are longer together than it can hold")]
    TooMuch,
}

impl Error {
    /// Whether the file may be whole all the same, and be read another time.
    pub(crate) fn is_io(&self) -> bool {
        matches!(self, Self::Io(_))
    }
}

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        let cause = match error {
            ParquetError::External(cause) => cause,
            error => return Self::Parquet(error),
        };
        match cause.downcast::<io::Error>() {
            // What unpacks has errors of this kind too, and none of the system.
            Ok(error) if error.raw_os_error().is_some() => Self::Io(*error),
            Ok(error) => Self::Parquet(ParquetError::External(error)),
            Err(cause) => Self::Parquet(ParquetError::External(cause)),
        }
    }
}

impl Table {
    /// The table in what a cluster wrote to a folder.
    pub(crate) fn new(out: &Path) -> Self {
        let absolute = out.canonicalize().or_else(|_| std::path::absolute(out));
        let out = absolute.unwrap_or_else(|_| out.to_owned());
        Self { folder: out.join(TABLE), name: out.to_string_lossy().into_owned() }
    }

    /// What the store knows it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The files it has now, by name. What a cluster leaves beside them is none.
    pub(crate) fn parts(&self) -> io::Result<Vec<(String, Stamp)>> {
        let mut parts = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            // Captures may be called `_….pcap`, and files by them.
            if name.starts_with('.') || !name.ends_with(".parquet") {
                continue;
            }
            // What went since is not there; a pipe would be waited for.
            let metadata = fs::metadata(self.folder.join(&name));
            let stamp = metadata.ok().filter(|it| it.is_file()).map(|it| Stamp::of(&it));
            parts.extend(stamp.map(|it| (name, it)));
        }
        parts.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        match parts.is_empty() {
            true => Err(io::Error::other("there is no file .parquet in its folder `captures`")),
            false => Ok(parts),
        }
    }

    /// The rows of one of its files. After an error there are no more.
    pub(crate) fn rows(&self, part: &str) -> Rows {
        Rows { state: Ok(State::Closed(self.folder.join(part))) }
    }
}

/// The rows of a file.
pub(crate) struct Rows {
    /// Away after the end.
    state: Result<State, ()>,
}

enum State {
    Closed(PathBuf),
    Open(Box<(SerializedFileReader<File>, Columns)>),
}

/// The columns that are read, of one group of rows.
struct Columns {
    /// The file, and its length in bytes.
    file: File,
    file_len: u64,
    /// How long the reports that come may be together.
    reports_left: u64,
    /// The places of the columns in the file.
    places: [usize; NAMES.len()],
    /// Which group comes next.
    next_group: usize,
    /// How many rows of this one are left.
    left: u64,
    readers: Option<Readers>,
}

struct Readers {
    capture: ColumnReaderImpl<ByteArrayType>,
    bytes: ColumnReaderImpl<Int64Type>,
    error: ColumnReaderImpl<ByteArrayType>,
    report: ColumnReaderImpl<ByteArrayType>,
}

/// The columns that are read, in the order of their places.
const NAMES: [&str; 4] = ["capture", "bytes", "error", "report"];

impl Iterator for Rows {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let state = std::mem::replace(&mut self.state, Err(())).ok()?;
        let next = catch_unwind(AssertUnwindSafe(|| state.next()));
        match next.unwrap_or(Err(Error::Panicked)) {
            Ok(Some((state, row))) => {
                self.state = Ok(state);
                Some(Ok(row))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl State {
    fn next(self) -> Result<Option<(Self, Row)>, Error> {
        let mut open = match self {
            Self::Open(open) => open,
            Self::Closed(path) => Box::new(opened(&path)?),
        };
        let (reader, columns) = &mut *open;
        let row = columns.next(reader)?;
        Ok(row.map(|row| (Self::Open(open), row)))
    }
}

/// Opens a file by the columns its footer has: what they would have below them the package looks for without bounds.
fn opened(path: &Path) -> Result<(SerializedFileReader<File>, Columns), Error> {
    let mut file = File::open(path)?;
    let file_len = file.metadata()?.len();
    let schema = schema(thrift::columns(&footer(&mut file, file_len)?)?)?;
    let options = ReadOptionsBuilder::new()
        .with_parquet_schema(schema)
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .build();
    let reader = SerializedFileReader::new_with_options(file.try_clone()?, options)?;
    let columns = Columns::of(&reader, file, file_len)?;
    Ok((reader, columns))
}

/// The footer of a file, before its own length and `PAR1`.
fn footer(file: &mut File, file_len: u64) -> Result<Vec<u8>, Error> {
    let end = file_len.checked_sub(8).ok_or(thrift::Error::Cut)?;
    file.seek(SeekFrom::Start(end))?;
    let mut word = [0; 4];
    file.read_exact(&mut word)?;
    let len = u32::from_le_bytes(word);
    file.read_exact(&mut word)?;
    if word != *b"PAR1" {
        return Err(thrift::Error::Cut.into());
    }
    if len > MAX_FOOTER_LEN {
        return Err(Error::Footer(len));
    }
    let begin = end.checked_sub(len.into()).ok_or(thrift::Error::Cut)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut footer = Vec::new();
    file.take(len.into()).read_to_end(&mut footer)?;
    Ok(footer)
}

fn schema(columns: Vec<thrift::Column>) -> Result<Arc<SchemaDescriptor>, Error> {
    let mut fields = Vec::new();
    for column in columns {
        let field = Type::primitive_type_builder(&column.name, column.kind)
            .with_repetition(column.repetition)
            .with_length(column.len);
        fields.push(Arc::new(field.build()?));
    }
    let row = Type::group_type_builder("captures").with_fields(fields).build()?;
    Ok(Arc::new(SchemaDescriptor::new(Arc::new(row))))
}

/// How much so many bytes may unpack to.
fn most_of(packed: u64) -> u64 {
    packed.saturating_mul(MAX_RATIO).saturating_add(MAX_BESIDES)
}

impl Columns {
    fn of(reader: &SerializedFileReader<File>, file: File, file_len: u64) -> Result<Self, Error> {
        let metadata = reader.metadata();
        let n_rows = metadata.row_groups().iter().map(|it| u64::try_from(it.num_rows()));
        let n_rows: Option<u64> =
            n_rows.map(Result::ok).try_fold(0_u64, |sum, it| sum.checked_add(it?));
        if n_rows.is_none_or(|it| it > MAX_ROWS) {
            return Err(Error::TooLong);
        }
        let mut places = [0; NAMES.len()];
        for (place, name) in places.iter_mut().zip(NAMES) {
            let columns = metadata.file_metadata().schema_descr().columns();
            // One value a row, or none.
            let is_it = |it: &parquet::schema::types::ColumnDescPtr| {
                it.path().parts() == [name] && it.max_rep_level() == 0 && it.max_def_level() <= 1
            };
            *place = columns.iter().position(is_it).ok_or(Error::Column(name))?;
            for group in metadata.row_groups() {
                let column = group.columns().get(*place).ok_or(Error::Column(name))?;
                match column.compression() {
                    Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_) => {}
                    other => {
                        // Without how hard it was tried.
                        let name = other.to_string();
                        let name = name.split('(').next().unwrap_or_default();
                        return Err(Error::Packed(name.to_owned()));
                    }
                }
            }
        }
        let reports_left = most_of(file_len);
        Ok(Self { file, file_len, reports_left, places, next_group: 0, left: 0, readers: None })
    }

    /// Says what is wrong with a column of a group, by the heads of its pages.
    fn check(&mut self, column: &ColumnChunkMetaData, name: &'static str) -> Result<(), Error> {
        let (mut at, mut left) = column.byte_range();
        if at.checked_add(left).is_none_or(|end| end > self.file_len) {
            return Err(Error::Cut);
        }
        let unpacked = u64::try_from(column.uncompressed_size());
        if unpacked.map_or(true, |it| it > most_of(left)) {
            return Err(Error::Claims(name));
        }
        while left > 0 {
            let page = self.page(at, left)?;
            let is_long = page.is_dictionary && page.n_values > MAX_ROWS;
            if is_long || page.unpacked > most_of(page.packed) {
                return Err(Error::Claims(name));
            }
            if !ENCODINGS.contains(&page.encoding) {
                return Err(Error::Encoded(name));
            }
            let len = page.head_len + page.packed;
            left = left.checked_sub(len).ok_or(Error::Cut)?;
            at += len;
        }
        Ok(())
    }

    /// The page that begins there.
    fn page(&mut self, at: u64, left: u64) -> Result<thrift::Page, Error> {
        let mut head = Vec::new();
        for len in [HEAD_LEN, MAX_HEAD_LEN] {
            head.clear();
            self.file.seek(SeekFrom::Start(at))?;
            (&self.file).take(len.min(left)).read_to_end(&mut head)?;
            match thrift::page(&head) {
                // It may be longer than most.
                Err(thrift::Error::Cut) if len < left => {}
                page => return Ok(page?),
            }
        }
        Err(thrift::Error::Cut.into())
    }

    fn next(&mut self, reader: &SerializedFileReader<File>) -> Result<Option<Row>, Error> {
        while self.left == 0 {
            if self.next_group >= reader.num_row_groups() {
                return Ok(None);
            }
            // Its last page goes before the next one comes.
            self.readers = None;
            let group = reader.get_row_group(self.next_group)?;
            for (place, name) in self.places.into_iter().zip(NAMES) {
                let column = group.metadata().columns().get(place).ok_or(Error::Column(name))?;
                self.check(column, name)?;
            }
            self.left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            self.next_group += 1;
            let [capture, bytes, error, report] = self.places;
            let of_bytes = |place: usize, name| match group.get_column_reader(place)? {
                ColumnReader::ByteArrayColumnReader(it) => Ok(it),
                _ => Err(Error::Column(name)),
            };
            let bytes = match group.get_column_reader(bytes)? {
                ColumnReader::Int64ColumnReader(it) => it,
                _ => return Err(Error::Column("bytes")),
            };
            self.readers = Some(Readers {
                capture: of_bytes(capture, "capture")?,
                bytes,
                error: of_bytes(error, "error")?,
                report: of_bytes(report, "report")?,
            });
        }
        self.left -= 1;
        let readers = self.readers.as_mut().ok_or(Error::Cut)?;
        let capture = value(&mut readers.capture)?.and_then(|it| text(&it));
        let bytes = value(&mut readers.bytes)?.and_then(|it| u64::try_from(it).ok());
        let error = value(&mut readers.error)?;
        let report = value(&mut readers.report)?;
        let len = report.as_ref().map_or(0, ByteArray::len);
        self.reports_left = self.reports_left.checked_sub(len as u64).ok_or(Error::TooMuch)?;
        if len > MAX_REPORT_LEN {
            let why = "the cluster wrote a report that is longer than 1 GiB".to_owned();
            return Ok(Some(Row { capture, bytes, result: Err(why) }));
        }
        let why = || match error {
            Some(error) => {
                let text = String::from_utf8_lossy(error.data());
                text.chars().take(MAX_REASON_LEN).collect()
            }
            None => "the cluster wrote neither a result nor why there is none".to_owned(),
        };
        Ok(Some(Row { capture, bytes, result: report.ok_or_else(why) }))
    }
}

/// The next value of a column, which may be none.
fn value<T: DataType>(reader: &mut ColumnReaderImpl<T>) -> Result<Option<T::T>, Error> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (n_records, ..) = reader.read_records(1, Some(&mut levels), None, &mut values)?;
    if n_records == 1 { Ok(values.pop()) } else { Err(Error::Cut) }
}

fn text(bytes: &ByteArray) -> Option<String> {
    bytes.as_utf8().ok().map(str::to_owned)
}

impl Row {
    /// What is known of it from now on; nothing where it says no length, or a name that leads out of the folder or to what is
    /// hidden.
    pub(crate) fn seen(&self) -> Option<Seen> {
        let (capture, bytes) = (self.capture.as_deref()?, self.bytes?);
        let file_name = listed_name(capture)?.to_owned();
        let (mark, is_failed) = match &self.result {
            Ok(report) => (folder::mark_of(report.data()), false),
            Err(why) => (why.clone(), true),
        };
        Some(Seen { file_name, bytes, mark, is_failed })
    }
}

/// The name a capture is listed by. Where several had the same one a cluster calls them by their paths and addresses, which
/// become names below the folder.
fn listed_name(capture: &str) -> Option<&str> {
    let path = capture.split_once("://").map_or(capture, |it| it.1);
    let name = folder::relative(path.trim_start_matches('/'))?;
    (name.len() <= MAX_NAME_LEN).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(capture: &str, expected: Option<&str>) {
        assert_eq!(listed_name(capture), expected, "{capture}");
    }

    #[test]
    fn what_the_system_says_is_no_damage() {
        let of = |error: io::Error| Error::from(ParquetError::External(Box::new(error))).is_io();
        // EIO.
        assert!(of(io::Error::from_raw_os_error(5)));
        assert!(!of(io::Error::other("the frame is damaged")));
        assert!(!Error::from(ParquetError::EOF("it ends".to_owned())).is_io());
    }

    #[test]
    fn a_capture_is_listed_by_a_name_below_the_folder() {
        check("2024/office.pcap", Some("2024/office.pcap"));
        check("/captures/a/office.pcap", Some("captures/a/office.pcap"));
        check("s3://bucket/a/office.pcap", Some("bucket/a/office.pcap"));
        check("../office.pcap", None);
        check("/a/../../office.pcap", None);
        check("a/.hidden", None);
        check("", None);
        check(&"a".repeat(5_000), None);
    }
}
