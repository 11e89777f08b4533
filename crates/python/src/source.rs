//! Where a capture is read from: a path, bytes, or an object with a method `read`.

use std::{
    fs::File,
    io::{self, Cursor, Read, Seek, SeekFrom},
    path::PathBuf,
    sync::Arc,
};

use engine::{OwnRules, Rules};
use pyo3::{prelude::*, pybacked::PyBackedBytes, types::PyBytes};

use crate::errors;

/// A capture that can be read.
#[derive(Clone)]
pub(crate) enum Source {
    Path(PathBuf),
    Bytes(Arc<PyBackedBytes>),
    Object(Arc<Py<PyAny>>),
}

impl Source {
    /// What Python calls a capture, and what it is called: by `name`, else as its file.
    pub(crate) fn of(given: &Bound<'_, PyAny>, name: Option<String>) -> PyResult<(Self, String)> {
        let py = given.py();
        let called = |known: String| name.unwrap_or(known);
        if let Ok(bytes) = given.extract::<PyBackedBytes>() {
            return Ok((Self::Bytes(Arc::new(bytes)), called("capture".to_owned())));
        }
        if given.hasattr("read")? {
            let known = given.getattr("name").and_then(|it| it.extract::<PathBuf>());
            let known = known.ok().and_then(|it| file_name(&it));
            let known = known.unwrap_or_else(|| "capture".to_owned());
            return Ok((Self::Object(Arc::new(given.clone().unbind())), called(known)));
        }
        if let Ok(path) = given.extract::<PathBuf>() {
            let known = file_name(&path).unwrap_or_else(|| path.to_string_lossy().into_owned());
            return Ok((Self::Path(path), called(known)));
        }
        // A memoryview, an array: whatever has a buffer.
        if given.hasattr("tobytes")? {
            let bytes = given.call_method0("tobytes")?.extract::<PyBackedBytes>()?;
            return Ok((Self::Bytes(Arc::new(bytes)), called("capture".to_owned())));
        }
        let kind = given.get_type().name()?;
        let message = format!(
            "a capture is a path, bytes or an object with a method `read`, and not of the type `{kind}`"
        );
        Err(errors::no_sense(py, &message))
    }

    /// The file it is in, where that has a path.
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::Path(path) => Some(path),
            Self::Bytes(_) | Self::Object(_) => None,
        }
    }

    /// Opens it at a byte of its file; what is no file begins there.
    pub(crate) fn open_at(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        if let Self::Path(path) = self {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::Start(offset))?;
            return Ok(Box::new(file));
        }
        self.open()
    }

    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Path(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(Shared(Arc::clone(bytes)))),
            Self::Object(object) => Box::new(Object(Arc::clone(object))),
        })
    }
}

fn file_name(path: &std::path::Path) -> Option<String> {
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Bytes that Python holds.
struct Shared(Arc<PyBackedBytes>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An object with a method `read`.
struct Object(Arc<Py<PyAny>>);

impl Read for Object {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let read = self.0.bind(py).call_method1("read", (room.len(),))?;
            let bytes = read.cast::<PyBytes>()?.as_bytes();
            // Whoever gives more than was asked for is no file.
            let room = room
                .get_mut(..bytes.len())
                .ok_or_else(|| io::Error::other("`read` gave more bytes than it was asked for"))?;
            room.copy_from_slice(bytes);
            Ok(bytes.len())
        })
        .map_err(|error: PyErr| io::Error::other(error))
    }
}

/// What counts as a packet, which packets are one flow, and what the user calls flows.
pub(crate) fn rules(
    py: Python<'_>,
    by_vlan: bool,
    by_tunnel: bool,
    checksums: bool,
    own: Option<&str>,
) -> PyResult<Rules> {
    let own = own.map(OwnRules::read).transpose();
    let own = own.map_err(|error| errors::no_sense(py, &error.to_string()))?;
    Ok(Rules {
        apart: engine::Apart { by_vlan, by_tunnel },
        has_checksums: checksums,
        own: Arc::new(own.unwrap_or_default()),
        max_flows: None,
    })
}
