//! What goes wrong, as the exceptions of `tractor/errors.py`: with the codes and the words it has everywhere else.

use engine::Filter;
use pyo3::{prelude::*, types::PyTuple};
use v1::{Notice, error};

/// An exception of that module.
fn exception<'py, A>(py: Python<'py>, name: &str, arguments: A) -> PyErr
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>,
{
    let made = || -> PyResult<Bound<'py, PyAny>> {
        let arguments = arguments.into_pyobject(py).map_err(Into::into)?;
        py.import("tractor.errors")?.getattr(name)?.call1(arguments)
    };
    match made() {
        Ok(it) => PyErr::from_value(it),
        Err(error) => error,
    }
}

/// A file of which not a single frame can be read.
pub(crate) fn no_capture(py: Python<'_>, name: &str, notice: &Notice) -> PyErr {
    let place = notice.offset;
    exception(py, "CaptureError", (notice.code.as_str(), notice.message.as_str(), name, place))
}

/// What is asked for makes no sense.
pub(crate) fn no_sense(py: Python<'_>, message: &str) -> PyErr {
    refused(py, error::NO_SENSE.code, message)
}

fn refused(py: Python<'_>, code: u16, message: &str) -> PyErr {
    exception(py, "RequestError", (code, message))
}

/// A filter as typed; of nothing the one that lets every flow through. No database tells countries here.
pub(crate) fn filter(py: Python<'_>, text: Option<&str>) -> PyResult<Filter> {
    Filter::parse(text.unwrap_or(""))
        .and_then(|it| it.where_countries(false))
        .map_err(|error| refused(py, error::BAD_FILTER.code, &error.to_string()))
}

/// Warns of what was not read of a capture.
pub(crate) fn warn(py: Python<'_>, name: &str, notices: &[Notice]) -> PyResult<()> {
    let is_error = |it: &&Notice| it.severity() == v1::Severity::Error;
    let warnings = py.import("warnings")?;
    let category = py.import("tractor.errors")?.getattr("CaptureWarning")?;
    for notice in notices.iter().filter(is_error) {
        warnings.call_method1("warn", (format!("{name}: {notice}"), &category, 3))?;
    }
    Ok(())
}
