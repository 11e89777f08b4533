//! Batches of rows as Arrow has them: the columns of the engine become buffers of Arrow's without a copy, but for texts' ends.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use engine::{Batch, BatchColumn, CellKind, Cells, Values};

/// The column that says which capture a row is of.
const CAPTURE: &str = "capture";

/// The columns of a table: the capture's name first.
pub(crate) fn schema(columns: &[Cells]) -> SchemaRef {
    let capture = Field::new(CAPTURE, DataType::Utf8, false);
    let own = columns.iter().map(|it| Field::new(&*it.name, data_type(it.kind), it.is_optional));
    let fields: Vec<Field> = [capture].into_iter().chain(own).collect();
    Arc::new(Schema::new(fields))
}

fn data_type(kind: CellKind) -> DataType {
    match kind {
        CellKind::Integer => DataType::Int64,
        CellKind::Number => DataType::Float64,
        CellKind::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        CellKind::Text => DataType::Utf8,
    }
}

/// Rows of a capture.
pub(crate) fn record(
    batch: Batch,
    capture: &str,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let names = std::iter::repeat_n(capture, batch.len());
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let columns = batch.columns.into_iter().map(array);
    let columns = [Ok(names)].into_iter().chain(columns).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn array(column: BatchColumn) -> Result<ArrayRef, ArrowError> {
    let BatchColumn { cells, is_there, values } = column;
    let nulls = cells.is_optional.then(|| NullBuffer::from(is_there));
    Ok(match values {
        Values::Whole(values) if cells.kind == CellKind::Time => {
            let times = TimestampNanosecondArray::try_new(ScalarBuffer::from(values), nulls)?;
            Arc::new(times.with_timezone("UTC"))
        }
        Values::Whole(values) => Arc::new(Int64Array::try_new(ScalarBuffer::from(values), nulls)?),
        Values::Numbers(values) => {
            Arc::new(Float64Array::try_new(ScalarBuffer::from(values), nulls)?)
        }
        Values::Texts(texts, ends) => {
            let too_long = |_| ArrowError::ComputeError("a batch has 2 GiB of text".to_owned());
            let ends = ends.into_iter().map(|it| i32::try_from(it).map_err(too_long));
            let ends: Vec<i32> = [Ok(0)].into_iter().chain(ends).collect::<Result<_, _>>()?;
            let ends = OffsetBuffer::new(ScalarBuffer::from(ends));
            let texts = Buffer::from_vec(texts.into_bytes());
            Arc::new(StringArray::try_new(ends, texts, nulls)?)
        }
    })
}
