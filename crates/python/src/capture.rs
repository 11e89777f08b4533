//! Captures that are read: what is asked of them, and what became of their frames.

use std::{path::PathBuf, sync::Arc};

use engine::{Analysis, Applying, Rules};
use learn::Model;
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    errors, source,
    source::Source,
    table::{Part, Rows, Table, Wanted},
    waiting::{Stoppable, interruptible},
};

/// What was found in a capture.
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) analysis: Analysis,
}

impl Found {
    /// What was found, with a warning of what was not read; where nothing could be, that is an exception.
    pub(crate) fn of(py: Python<'_>, name: String, analysis: Analysis) -> PyResult<Self> {
        if let Some(notice) = analysis.failure() {
            return Err(errors::no_capture(py, &name, notice));
        }
        errors::warn(py, &name, &analysis.reading().notices)?;
        Ok(Self { name, analysis })
    }
}

/// A capture that is still to be read, and how.
#[derive(Clone)]
pub(crate) struct Unread {
    source: Source,
    pub(crate) name: String,
    rules: Rules,
    threads: usize,
    /// Asked of its flows.
    model: Option<(Arc<Model>, Applying)>,
}

/// How captures are read, as Python says it: flows apart by VLAN, by tunnel, checksums, the user's rules, threads.
pub(crate) type How = (bool, bool, bool, Option<String>, Option<usize>);

impl Unread {
    pub(crate) fn of(
        given: &Bound<'_, PyAny>,
        name: Option<String>,
        how: &How,
        model: Option<(Arc<Model>, Applying)>,
    ) -> PyResult<Self> {
        let (by_vlan, by_tunnel, checksums, rules, threads) = how;
        let own = rules.as_deref();
        let rules = source::rules(given.py(), *by_vlan, *by_tunnel, *checksums, own)?;
        let (source, name) = Source::of(given, name)?;
        let threads = threads.unwrap_or_else(reader::n_cores).max(1);
        Ok(Self { source, name, rules, threads, model })
    }

    /// Reads it; a warning says what was not read, and where nothing can be, that is an exception.
    pub(crate) fn read(&self, py: Python<'_>) -> PyResult<Found> {
        let name = self.name.clone();
        let read = interruptible(py, |stop| {
            let reader = Stoppable { reader: self.source.open()?, stop };
            let mut analysis = reader::read(reader, &name, &self.rules, self.threads)?;
            let applied = match &self.model {
                Some((model, applying)) => analysis.apply(model, applying).map(drop),
                None => Ok(()),
            };
            Ok::<_, std::io::Error>((analysis, applied))
        })?;
        let (analysis, applied) = read.map_err(|error| self.failed(error))?;
        let found = Found::of(py, name, analysis)?;
        applied.map_err(|error| errors::no_sense(py, &error.to_string()))?;
        Ok(found)
    }

    /// An exception of the system that names the file, as `open` raises it.
    fn failed(&self, error: std::io::Error) -> PyErr {
        let path: Option<&PathBuf> = self.source.path();
        match (error.raw_os_error(), path) {
            (Some(number), Some(path)) => {
                let text = error.to_string();
                let text = text.split(" (os error").next().unwrap_or(&text).to_owned();
                pyo3::exceptions::PyOSError::new_err((number, text, path.clone()))
            }
            _ => error.into(),
        }
    }
}

/// A capture that was read. Tables of it are made when they are taken.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Capture(pub(crate) Arc<Found>);

/// A capture, and what it is called where its file does not say.
pub(crate) type Named<'py> = (Bound<'py, PyAny>, Option<String>);

/// Captures that are read when their turn comes.
pub(crate) fn unread(
    sources: Vec<Named<'_>>,
    how: &How,
    model: Option<&(Arc<Model>, Applying)>,
) -> PyResult<Vec<Part>> {
    let unread = |(source, name)| Unread::of(&source, name, how, model.cloned());
    sources.into_iter().map(|it| unread(it).map(Part::Unread)).collect()
}

/// Reads a capture to its end.
#[pyfunction]
#[pyo3(signature = (source, name, how))]
pub(crate) fn read(source: &Bound<'_, PyAny>, name: Option<String>, how: How) -> PyResult<Capture> {
    let found = Unread::of(source, name, &how, None)?.read(source.py())?;
    Ok(Capture(Arc::new(found)))
}

/// Reads several files as one capture: those with paths in the order of their first times, others as they come.
#[pyfunction]
#[pyo3(signature = (sources, how))]
pub(crate) fn read_as_one(py: Python<'_>, sources: Vec<Named<'_>>, how: How) -> PyResult<Capture> {
    let files = sources.into_iter().map(|(source, name)| Unread::of(&source, name, &how, None));
    let mut files = files.collect::<PyResult<Vec<Unread>>>()?;
    let Some(rules) = files.first().map(|it| it.rules.clone()) else {
        return Err(errors::no_sense(py, "there is no file to be read"));
    };
    let first_time = |it: &Unread| match it.source.path() {
        Some(path) => reader::first_time(path).map(Some).map_err(|error| it.failed(error)),
        None => Ok(None),
    };
    let times = files.iter().map(first_time).collect::<PyResult<Vec<_>>>()?;
    if times.iter().all(Option::is_some) {
        // What tells no time comes last.
        let place = |it: &Option<Option<u64>>| it.flatten().unwrap_or(u64::MAX);
        let mut timed: Vec<_> = times.iter().map(place).zip(files).collect();
        timed.sort_by_key(|it| it.0);
        files = timed.into_iter().map(|it| it.1).collect();
    }
    let names: Vec<&str> = files.iter().map(|it| it.name.as_str()).collect();
    let name = engine::name_of_several(&names);
    let read = interruptible(py, |stop| {
        let mut as_one = reader::AsOne::new(rules);
        for file in &files {
            let reader = file.source.open().map_err(|error| (file, error))?;
            as_one.read(Stoppable { reader, stop }, &file.name);
            if as_one.is_stopped() {
                break;
            }
        }
        Ok(as_one.finish())
    })?;
    let analysis = read.map_err(|(file, error): (&Unread, _)| file.failed(error))?;
    let Some(analysis) = analysis else {
        return Err(errors::no_sense(py, "there is no file to be read"));
    };
    Ok(Capture(Arc::new(Found::of(py, name, analysis)?)))
}

/// The rows of captures that are read when their turn comes: `what` are flows, sessions or labels.
#[pyfunction]
#[pyo3(signature = (sources, how, what, wanted))]
pub(crate) fn table(
    py: Python<'_>,
    sources: Vec<Named<'_>>,
    how: How,
    what: &str,
    wanted: Wanted,
) -> PyResult<Table> {
    let rows = Rows::of(py, what, &wanted)?;
    Ok(Table::new(unread(sources, &how, None)?, rows))
}

#[pymethods]
impl Capture {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The number of flows.
    fn __len__(&self) -> usize {
        self.0.analysis.n_flows()
    }

    /// What was read and what was not, as JSON.
    fn reading(&self) -> String {
        // Numbers, texts and lists always have a form in JSON.
        serde_json::to_string(self.0.analysis.reading()).unwrap_or_default()
    }

    /// All that the v1 answers about it need, as the companion keeps it.
    fn report<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let report = py.detach(|| engine::Report::new(&self.0.analysis).write());
        PyBytes::new(py, &report)
    }

    /// Its rows: `what` are flows, sessions or labels.
    #[pyo3(signature = (what, wanted))]
    fn table(&self, py: Python<'_>, what: &str, wanted: Wanted) -> PyResult<Table> {
        let rows = Rows::of(py, what, &wanted)?;
        Ok(Table::new(vec![Part::Read(Arc::clone(&self.0))], rows))
    }
}
