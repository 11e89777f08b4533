//! Rows of captures as an Arrow stream: batch after batch is made when it is taken, by all threads.

use std::{collections::VecDeque, sync::Arc, thread};

use arrow_array::{RecordBatch, RecordBatchReader, ffi_stream::FFI_ArrowArrayStream};
use arrow_schema::{ArrowError, SchemaRef, ffi::FFI_ArrowSchema};
use engine::{Batch, Cells, Export, Filter, Timeout};
use features::Rows::Sessions as OfSessions;
use pyo3::{prelude::*, types::PyCapsule};

use crate::{
    arrow,
    capture::{Found, Unread},
    errors,
};

/// Of so many flows, or sessions, a batch is made.
const BATCH_LEN: u32 = 1 << 12;

/// Rows of captures, as often as they are wanted.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Table {
    parts: Vec<Part>,
    rows: Rows,
    schema: SchemaRef,
}

/// A capture, read or not yet.
#[derive(Clone)]
pub(crate) enum Part {
    Read(Arc<Found>),
    Unread(Unread),
}

/// What rows are of.
#[derive(Clone)]
pub(crate) enum Rows {
    /// The columns of one after those of another; whether a model is asked of them.
    Flows(Vec<Export>, bool),
    Sessions(Filter),
    Labels(Filter),
}

/// What flows are to be as rows: features of a schema, what is known of them, or both; cut by a timeout, and filtered.
pub(crate) type Wanted = (Option<String>, bool, Option<String>, Option<String>);

impl Rows {
    /// Rows of `what`: flows, sessions or labels. The latter are filtered alone.
    pub(crate) fn of(py: Python<'_>, what: &str, wanted: &Wanted) -> PyResult<Self> {
        let (schema, is_known, timeout, filter) = wanted;
        let filter = errors::filter(py, filter.as_deref())?;
        let no_sense = |error: String| errors::no_sense(py, &error);
        match what {
            "sessions" => return Ok(Self::Sessions(filter)),
            "labels" => return Ok(Self::Labels(filter)),
            _ => {}
        }
        let of_sessions = |it: &&str| features::schema(it).is_some_and(|it| it.rows == OfSessions);
        if let Some(name) = schema.as_deref().filter(of_sessions).filter(|_| *is_known) {
            return Err(no_sense(format!(
                "rows of the schema `{name}` are of sessions, not flows"
            )));
        }
        let timeout = timeout.as_deref().map_or(Ok(Timeout::None), str::parse).map_err(no_sense)?;
        let known = (*is_known || schema.is_none()).then_some(None);
        let schemas = known.into_iter().chain(schema.as_deref().map(Some));
        let exports = schemas.map(|schema| {
            // Its columns have the types that Arrow's have.
            let mut export = Export::new("parquet", schema).map_err(no_sense)?;
            (export.timeout, export.filter) = (timeout, filter.clone());
            Ok(export)
        });
        Ok(Self::Flows(exports.collect::<PyResult<_>>()?, false))
    }

    /// The same where a model is asked of the flows.
    pub(crate) fn guessed(self) -> Self {
        match self {
            Self::Flows(exports, _) => Self::Flows(exports, true),
            others => others,
        }
    }

    fn columns(&self) -> Vec<Cells> {
        match self {
            Self::Flows(exports, has_guesses) => {
                exports.iter().flat_map(|it| it.columns(*has_guesses)).collect()
            }
            Self::Sessions(_) => engine::session_columns(),
            Self::Labels(_) => engine::label_columns(),
        }
    }

    /// Of how many flows or sessions batches are made.
    fn n_sources(&self, found: &Found) -> u32 {
        match self {
            Self::Flows(exports, _) => exports.first().map_or(0, |it| found.analysis.n_sources(it)),
            // All at once.
            Self::Sessions(_) | Self::Labels(_) => 1,
        }
    }

    fn batch(&self, found: &Found, start: u32, schema: &SchemaRef) -> Made {
        let Found { name, analysis } = found;
        let batch = match self {
            Self::Flows(exports, _) => {
                let end = start.saturating_add(BATCH_LEN).min(self.n_sources(found));
                let batches = exports.iter().map(|it| analysis.batch(it, start..end));
                let mut columns = Vec::new();
                for batch in batches {
                    columns.extend(batch?.columns);
                }
                Batch { columns }
            }
            Self::Sessions(filter) => analysis.session_batch(filter),
            Self::Labels(filter) => analysis.label_batch(filter),
        };
        arrow::record(batch, name, schema)
    }
}

impl Table {
    pub(crate) fn new(parts: Vec<Part>, rows: Rows) -> Self {
        let schema = arrow::schema(&rows.columns());
        Self { parts, rows, schema }
    }
}

#[pymethods]
impl Table {
    /// The rows over the Arrow C stream interface. They come in the types they have, whatever is asked for.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let (rows, schema) = (self.rows.clone(), Arc::clone(&self.schema));
        let (parts, made) = (self.parts.clone().into(), VecDeque::new());
        let stream = Stream { parts, rows, schema, current: None, made };
        let stream = FFI_ArrowArrayStream::new(Box::new(stream));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(&*self.schema);
        let schema = schema.map_err(|error| errors::no_sense(py, &error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|it| it.name().clone()).collect()
    }
}

type Made = Result<RecordBatch, ArrowError>;

/// The rows on their way.
struct Stream {
    parts: VecDeque<Part>,
    rows: Rows,
    schema: SchemaRef,
    /// The capture whose rows are made, and the first of its flows or sessions of which none was made.
    current: Option<(Arc<Found>, u32)>,
    made: VecDeque<Made>,
}

impl Stream {
    /// A batch for each core; nothing where a capture has no more.
    fn make(&mut self) {
        let Some((found, next)) = &mut self.current else { return };
        let n_sources = self.rows.n_sources(found);
        let starts = (*next..n_sources).step_by(BATCH_LEN as usize).take(reader::n_cores());
        let starts: Vec<u32> = starts.collect();
        *next = next.saturating_add(BATCH_LEN * starts.len() as u32);
        let (rows, found, schema) = (&self.rows, &**found, &self.schema);
        self.made = match &*starts {
            [] => VecDeque::new(),
            [start] => [rows.batch(found, *start, schema)].into(),
            starts => thread::scope(|scope| {
                let batch = |start: u32| scope.spawn(move || rows.batch(found, start, schema));
                let threads: Vec<_> = starts.iter().map(|it| batch(*it)).collect();
                let failed = |_| Err(ArrowError::ComputeError("the engine failed".to_owned()));
                threads.into_iter().map(|it| it.join().unwrap_or_else(failed)).collect()
            }),
        };
        if self.made.is_empty() {
            self.current = None;
        }
    }
}

impl Iterator for Stream {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        loop {
            if let Some(made) = self.made.pop_front() {
                return Some(made);
            }
            if self.current.is_some() {
                self.make();
                continue;
            }
            let found = match self.parts.pop_front()? {
                Part::Read(found) => Ok(found),
                Part::Unread(it) => Python::attach(|py| it.read(py)).map(Arc::new),
            };
            match found {
                Ok(found) => self.current = Some((found, 0)),
                Err(error) => {
                    self.parts.clear();
                    return Some(Err(ArrowError::ExternalError(Box::new(error))));
                }
            }
        }
    }
}

impl RecordBatchReader for Stream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The columns of a schema: their names, what they are in words, and their units.
#[pyfunction]
#[pyo3(signature = (schema))]
pub(crate) fn columns(py: Python<'_>, schema: &str) -> PyResult<Vec<(String, String, String)>> {
    // It says which schemas there are, where there is none of that name.
    let export = Export::new("parquet", Some(schema));
    let export = export.map_err(|error| errors::no_sense(py, &error))?;
    let of_schema = features::schema(schema).map_or(&[][..], |it| it.columns);
    let names = export.columns(false).into_iter().map(|it| it.name.into_owned());
    let told = of_schema.iter().map(|it| (it.english(), it.unit.symbol().to_owned()));
    Ok(names.zip(told).map(|(name, (words, unit))| (name, words, unit)).collect())
}
