//! The engine as a Python module: what `python/tractor` is made of.
//!
//! Captures become Arrow tables, which pandas, Polars, pyarrow, DuckDB and others take over the Arrow C data interface
//! without a copy. What takes time lets go of the interpreter's lock and hears an interrupt.

mod arrow;
mod blocks;
mod capture;
mod errors;
mod model;
mod source;
mod table;
mod waiting;

use mimalloc::MiMalloc;
use pyo3::pymodule;

/// Reading a capture asks for many small pieces of memory.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What is written in Rust of the package `tractor`.
#[pymodule]
mod _tractor {
    use pyo3::{prelude::*, types::PyModule};

    #[pymodule_export]
    use crate::blocks::{Gather, Reduce, Settle, map_block, survey_block};
    #[pymodule_export]
    use crate::capture::{Capture, read, read_as_one, table};
    #[pymodule_export]
    use crate::model::{Model, Studio};
    #[pymodule_export]
    use crate::table::{Table, columns};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("HEADER_LEN", crate::blocks::HEADER_LEN)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        let schemas: Vec<&str> = features::SCHEMAS.iter().map(|it| it.name).collect();
        module.add("SCHEMAS", schemas)
    }
}
