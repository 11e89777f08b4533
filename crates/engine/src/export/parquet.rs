//! Apache Parquet: typed columns, row groups written as they fill, so that memory stays flat.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    column::writer::ColumnWriter,
    data_type::ByteArray,
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};

use super::columns::{Cell, CellKind, Cells};

/// Rows of a row group; what is not written yet is in memory.
const GROUP_LEN: usize = 1 << 16;

/// A file being written. What is finished of it waits in the writer's own buffer until the next row group, so that what
/// it goes to need not be `Send`.
pub(super) struct Parquet {
    /// `None` once it failed to begin.
    writer: Result<SerializedFileWriter<Vec<u8>>, String>,
    columns: Vec<Column>,
    n_rows: usize,
}

/// The cells of a row group.
struct Column {
    is_optional: bool,
    cells: Gathered,
    /// 1 of each cell that is there, 0 of each that is not.
    levels: Vec<i16>,
}

enum Gathered {
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    /// All texts one after another, and where each ends.
    Texts(Vec<u8>, Vec<usize>),
}

impl Parquet {
    pub(super) fn new(columns: impl Iterator<Item = Cells>) -> Self {
        let columns: Vec<Cells> = columns.collect();
        let schema = schema(&columns);
        let properties = WriterProperties::builder()
            .set_created_by("TrActor".to_owned())
            .set_compression(Compression::SNAPPY)
            .build();
        let writer = schema
            .and_then(|it| SerializedFileWriter::new(Vec::new(), it, Arc::new(properties)))
            .map_err(|it| it.to_string());
        let columns = columns.into_iter().map(|it| Column {
            is_optional: it.is_optional,
            cells: match it.kind {
                CellKind::Integer | CellKind::Time => Gathered::Integers(Vec::new()),
                CellKind::Number => Gathered::Numbers(Vec::new()),
                CellKind::Text => Gathered::Texts(Vec::new(), Vec::new()),
            },
            levels: Vec::new(),
        });
        Self { writer, columns: columns.collect(), n_rows: 0 }
    }

    /// Takes a row: a cell of each column.
    pub(super) fn push<'a>(
        &mut self,
        cells: impl Iterator<Item = Cell<'a>>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.n_rows += 1;
        if self.n_rows < GROUP_LEN { Ok(()) } else { self.write_group(out) }
    }

    /// Writes what is left, and the file's end.
    pub(super) fn finish(mut self, out: &mut impl Write) -> io::Result<()> {
        self.write_group(out)?;
        let rest = self.writer.map_err(io::Error::other)?.into_inner().map_err(io::Error::other)?;
        out.write_all(&rest)
    }

    fn write_group(&mut self, out: &mut impl Write) -> io::Result<()> {
        let writer = self.writer.as_mut().map_err(|it| io::Error::other(it.clone()))?;
        if self.n_rows > 0 {
            self.n_rows = 0;
            write_group(writer, &mut self.columns).map_err(io::Error::other)?;
        }
        writer.flush()?;
        out.write_all(writer.inner())?;
        writer.inner_mut().clear();
        Ok(())
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<Vec<u8>>,
    columns: &mut [Column],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(mut next) = group.next_column()? else { continue };
        column.write(next.untyped())?;
        next.close()?;
    }
    group.close()?;
    Ok(())
}

impl Column {
    fn push(&mut self, cell: Cell<'_>) {
        let is_there = match (&mut self.cells, cell) {
            (Gathered::Integers(values), Cell::Integer(Some(it)) | Cell::Time(it)) => {
                // Numbers of flows, sizes and times until 2262 are below.
                values.push(i64::try_from(it).unwrap_or(i64::MAX));
                true
            }
            (Gathered::Numbers(values), Cell::Number(Some(it))) => {
                values.push(it);
                true
            }
            (Gathered::Texts(bytes, ends), Cell::Text(Some(it))) => {
                bytes.extend_from_slice(it.as_bytes());
                ends.push(bytes.len());
                true
            }
            _ => false,
        };
        self.levels.push(is_there.into());
    }

    fn write(&mut self, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = std::mem::take(&mut self.levels);
        let levels = self.is_optional.then_some(&*levels);
        match (&mut self.cells, writer) {
            (Gathered::Integers(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                writer.write_batch(values, levels, None)?;
                values.clear();
            }
            (Gathered::Numbers(values), ColumnWriter::DoubleColumnWriter(writer)) => {
                writer.write_batch(values, levels, None)?;
                values.clear();
            }
            (Gathered::Texts(bytes, ends), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let bytes = ByteArray::from(std::mem::take(bytes));
                let mut start = 0;
                let texts = ends.drain(..).map(|end| {
                    let text = bytes.slice(start, end - start);
                    start = end;
                    text
                });
                let texts: Vec<ByteArray> = texts.collect();
                writer.write_batch(&texts, levels, None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        Ok(())
    }
}

/// Whole numbers as INT64, numbers as DOUBLE, times as TIMESTAMP of nanoseconds in UTC, texts as STRING.
fn schema(columns: &[Cells]) -> Result<Arc<Type>, ParquetError> {
    let field = |it: &Cells| {
        let (physical, logical) = match it.kind {
            CellKind::Integer => (Physical::INT64, None),
            CellKind::Number => (Physical::DOUBLE, None),
            CellKind::Time => {
                (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS)))
            }
            CellKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if it.is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let field = Type::primitive_type_builder(&it.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()?;
        Ok(Arc::new(field))
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, ParquetError>>()?;
    Ok(Arc::new(Type::group_type_builder("flows").with_fields(fields).build()?))
}
