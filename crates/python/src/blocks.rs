//! A capture mapped block by block on any machine, and put together on one: both are functions of bytes.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use engine::{Plan, Span};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    capture::{Capture, Found, How},
    errors, source,
};

/// How blocks of a capture are mapped and reduced.
fn plan(py: Python<'_>, how: &How) -> PyResult<Plan> {
    let (by_vlan, by_tunnel, checksums, own, threads) = how;
    let rules = source::rules(py, *by_vlan, *by_tunnel, *checksums, own.as_deref())?;
    // The seed keeps those who choose addresses from choosing collisions; it never shows.
    Ok(Plan::new(reader::run_seed(), rules, threads.unwrap_or(1)))
}

/// Maps a block; nothing where who reduces has to read it.
#[pyfunction]
#[pyo3(signature = (header, block, offset, stop, is_end, how))]
pub(crate) fn map_block<'py>(
    py: Python<'py>,
    header: &[u8],
    block: &[u8],
    offset: u64,
    stop: Option<u64>,
    is_end: bool,
    how: How,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let plan = plan(py, &how)?;
    let stop = stop.unwrap_or(u64::MAX);
    let mapped = py.detach(|| engine::map_span(header, block, offset, stop, is_end, &plan));
    Ok(mapped.map(|it| PyBytes::new(py, &it)))
}

/// Puts the mapped blocks of a capture together, in their order.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Reduce {
    name: String,
    gather: Mutex<Option<engine::Gather>>,
}

impl Reduce {
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Option<engine::Gather>) -> T + Send,
    ) -> T {
        py.detach(|| act(&mut self.gather.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[pymethods]
impl Reduce {
    /// For a pcap of so many bytes that begins so.
    #[new]
    #[pyo3(signature = (name, header, size, how))]
    fn new(py: Python<'_>, name: String, header: &[u8], size: u64, how: How) -> PyResult<Self> {
        let plan = plan(py, &how)?;
        let gather = Mutex::new(Some(engine::Gather::new(&name, header.to_vec(), size, &plan)));
        Ok(Self { name, gather })
    }

    /// Takes the next block; `read(offset, size)` gives bytes of the capture where it has to be read again.
    #[pyo3(signature = (mapped, stop, read))]
    fn push(
        &self,
        py: Python<'_>,
        mapped: Option<&[u8]>,
        stop: Option<u64>,
        read: Py<PyAny>,
    ) -> PyResult<()> {
        let mut read_at = |offset: u64, size: usize| {
            Python::attach(|py| {
                let bytes = read.bind(py).call1((offset, size))?;
                Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec())
            })
            .map_err(|error: PyErr| io::Error::other(error))
        };
        let pushed = self.with(py, |gather| match gather {
            Some(gather) => gather.push(mapped, stop.unwrap_or(u64::MAX), &mut read_at),
            None => Err(io::Error::other("the blocks are put together already")),
        });
        Ok(pushed?)
    }

    /// What the capture holds, once all blocks are there.
    fn finish(&self, py: Python<'_>) -> PyResult<Capture> {
        let analysis = self.with(py, |it| it.take().map(engine::Gather::finish));
        let Some(analysis) = analysis else {
            return Err(errors::no_sense(py, "the blocks are put together already"));
        };
        if let Some(notice) = analysis.failure() {
            return Err(errors::no_capture(py, &self.name, notice));
        }
        errors::warn(py, &self.name, &analysis.reading().notices)?;
        Ok(Capture(Arc::new(Found { name: self.name.clone(), analysis })))
    }
}

/// How many of the first bytes of a capture every block has to know.
pub(crate) const HEADER_LEN: usize = Span::HEADER_LEN;
/// How many bytes behind a block are to be read with it.
pub(crate) const BEHIND: usize = engine::BEHIND;
