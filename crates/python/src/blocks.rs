//! A capture surveyed and mapped block by block on any machine, and put together on one: all are functions of bytes.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use engine::{MappedSpan, Mapping, Plan, Span, SpanCutter, SpanError, Surveying};
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};

use crate::{
    capture::{Capture, Found, How},
    errors,
    source::{self, Source},
    waiting::{Stoppable, interruptible},
};

/// A block: the first bytes of its capture; where it is read from, its first byte first; where that is in the capture; where the next
/// block begins, of the last one nowhere; how long the capture is.
type Block<'py> = (PyBackedBytes, Bound<'py, PyAny>, u64, Option<u64>, u64);

/// So many bytes are read at once.
const CHUNK_LEN: usize = 1 << 18;

/// Cuts a block, read as far as it is needed.
fn cut(
    cutter: &mut SpanCutter,
    reader: impl Read,
    (offset, size): (u64, u64),
    mut push: impl FnMut(engine::Block),
) -> io::Result<()> {
    // What has come since is not looked at.
    let mut reader = reader.take(size.saturating_sub(offset));
    let (mut at, mut room) = (offset, vec![0; CHUNK_LEN]);
    while !cutter.is_through() {
        let n = reader.read(&mut room)?;
        at += n as u64;
        match n {
            0 if at < size => break,
            0 => cutter.end(),
            n => cutter.feed(room.get(..n).unwrap_or_default()),
        }
        while let Some(block) = cutter.next_block() {
            push(block);
        }
        if n == 0 {
            break;
        }
    }
    Ok(())
}

/// How a capture is read, and into how many shares its packets are dealt.
fn plan(py: Python<'_>, how: &How, n_shares: usize) -> PyResult<Plan> {
    let (by_vlan, by_tunnel, checksums, own, _) = how;
    let rules = source::rules(py, *by_vlan, *by_tunnel, *checksums, own.as_deref())?;
    // The seed keeps those who choose addresses from choosing collisions; it never shows.
    Ok(Plan::new(reader::run_seed(), rules, n_shares))
}

/// What a block says of itself; nothing where who gathers has to read it.
#[pyfunction]
#[pyo3(signature = (block, how))]
pub(crate) fn survey_block<'py>(
    py: Python<'py>,
    block: Block<'py>,
    how: How,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let (plan, (header, source, offset, stop, size)) = (plan(py, &how, 1)?, block);
    let ((source, _), stop) = (Source::of(&source, None)?, stop.unwrap_or(u64::MAX));
    let survey = interruptible(py, |is_asked| {
        let mut surveying = Surveying::new(&plan);
        let Some(mut cutter) = SpanCutter::new(&header, offset, stop) else { return Ok(None) };
        let reader = Stoppable { reader: source.open_at(offset)?, stop: is_asked };
        cut(&mut cutter, reader, (offset, size), |it| surveying.push(it))?;
        io::Result::Ok(cutter.finish().map(|it| surveying.finish(it)))
    })??;
    Ok(survey.map(|it| PyBytes::new(py, &it)))
}

/// What of a block is finished, and the packets of what is not by shares, both as bytes.
type MappedBlock<'py> = (Bound<'py, PyBytes>, Vec<Bound<'py, PyBytes>>);

/// Maps a block that was surveyed, as it was ordered.
#[pyfunction]
#[pyo3(signature = (block, orders, how))]
pub(crate) fn map_block<'py>(
    py: Python<'py>,
    block: Block<'py>,
    orders: PyBackedBytes,
    how: How,
) -> PyResult<MappedBlock<'py>> {
    let (plan, (header, source, offset, stop, size)) = (plan(py, &how, 1)?, block);
    let ((source, _), stop) = (Source::of(&source, None)?, stop.unwrap_or(u64::MAX));
    let mapped = interruptible(py, |is_asked| {
        let Some(mut mapping) = Mapping::new(&orders, &plan)? else {
            return Ok(MappedSpan::default());
        };
        let cutter = SpanCutter::new(&header, offset, stop);
        let mut cutter = cutter.ok_or(SpanError::Changed)?;
        let reader = Stoppable { reader: source.open_at(offset)?, stop: is_asked };
        cut(&mut cutter, reader, (offset, size), |it| mapping.push(it))?;
        io::Result::Ok(mapping.finish(cutter.finish())?)
    })??;
    let partials = mapped.partials.iter().map(|it| PyBytes::new(py, it)).collect();
    Ok((PyBytes::new(py, &mapped.flows), partials))
}

fn io_error(error: SpanError) -> PyErr {
    io::Error::from(error).into()
}

/// Work that several calls go on with, until it is finished.
struct Going<T>(Mutex<Option<T>>);

impl<T: Send> Going<T> {
    fn of(work: T) -> Self {
        Self(Mutex::new(Some(work)))
    }

    /// Goes on without the interpreter's lock.
    fn go_on<U: Send>(&self, py: Python<'_>, act: impl FnOnce(&mut T) -> U + Send) -> PyResult<U> {
        let went = py.detach(|| self.lock().as_mut().map(act));
        went.ok_or_else(|| is_finished(py))
    }

    fn finish<U: Send>(&self, py: Python<'_>, act: impl FnOnce(T) -> U + Send) -> PyResult<U> {
        let went = py.detach(|| self.lock().take().map(act));
        went.ok_or_else(|| is_finished(py))
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_finished(py: Python<'_>) -> PyErr {
    errors::no_sense(py, "it is finished already")
}

/// Puts the flows of a share together, of packets block by block.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Reduce(Going<engine::Reducing>);

#[pymethods]
impl Reduce {
    #[new]
    fn new(py: Python<'_>, how: How) -> PyResult<Self> {
        Ok(Self(Going::of(engine::Reducing::new(&plan(py, &how, 1)?))))
    }

    /// Takes the packets of the next block.
    fn push(&self, py: Python<'_>, packets: Vec<PyBackedBytes>) -> PyResult<()> {
        let packets: Vec<&[u8]> = packets.iter().map(AsRef::as_ref).collect();
        self.0.go_on(py, |it| it.push(packets))?.map_err(io_error)
    }

    /// The flows.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let flows = self.0.finish(py, engine::Reducing::finish)?;
        Ok(PyBytes::new(py, &flows))
    }
}

/// Gathers the surveys of a capture, in their order.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Gather(Going<engine::Gather>);

/// What becomes of each block; packets by share and block that come with the mapped ones; what was read.
type Gathered<'py> =
    (Vec<Bound<'py, PyBytes>>, Vec<(usize, usize, Bound<'py, PyBytes>)>, Bound<'py, PyBytes>);

#[pymethods]
impl Gather {
    /// For a pcap of so many bytes that begins so; packets are dealt to so many shares.
    #[new]
    #[pyo3(signature = (name, header, size, n_shares, how))]
    fn new(
        py: Python<'_>,
        name: &str,
        header: &[u8],
        size: u64,
        n_shares: usize,
        how: How,
    ) -> PyResult<Self> {
        let plan = plan(py, &how, n_shares)?;
        Ok(Self(Going::of(engine::Gather::new(name, header.to_vec(), size, &plan))))
    }

    /// Takes the next survey; `read(offset, size)` gives bytes of the capture where it has to be read.
    #[pyo3(signature = (survey, stop, read))]
    fn push(
        &self,
        py: Python<'_>,
        survey: Option<&[u8]>,
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
        let stop = stop.unwrap_or(u64::MAX);
        Ok(self.0.go_on(py, |it| it.push(survey, stop, &mut read_at))??)
    }

    /// What follows of them.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Gathered<'py>> {
        let (gathered, dealt) = self.0.finish(py, |it| {
            let gathered = it.finish();
            let dealt = gathered.dealt.iter().map(|it| (it.share, it.span, it.write()));
            let dealt: Vec<_> = dealt.collect();
            (gathered, dealt)
        })?;
        let orders = gathered.orders.iter().map(|it| PyBytes::new(py, it)).collect();
        let dealt = dealt.iter().map(|it| (it.0, it.1, PyBytes::new(py, &it.2))).collect();
        Ok((orders, dealt, PyBytes::new(py, &gathered.account)))
    }
}

/// Puts the flows of a capture together.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Settle {
    name: String,
    settling: Going<engine::Settling>,
}

#[pymethods]
impl Settle {
    /// For a capture of which this was read.
    #[new]
    fn new(py: Python<'_>, name: String, account: &[u8], how: How) -> PyResult<Self> {
        let settling = engine::Settling::new(account, &plan(py, &how, 1)?).map_err(io_error)?;
        Ok(Self { name, settling: Going::of(settling) })
    }

    /// Takes flows of a block or a share, in any order.
    fn push(&self, py: Python<'_>, flows: &[u8]) -> PyResult<()> {
        self.settling.go_on(py, |it| it.push(flows))?.map_err(io_error)
    }

    /// What the capture holds, once all flows are there.
    fn finish(&self, py: Python<'_>) -> PyResult<Capture> {
        let analysis = self.settling.finish(py, engine::Settling::finish)?;
        Ok(Capture(Arc::new(Found::of(py, self.name.clone(), analysis)?)))
    }
}

/// How many of the first bytes of a capture every block has to know.
pub(crate) const HEADER_LEN: usize = Span::HEADER_LEN;
