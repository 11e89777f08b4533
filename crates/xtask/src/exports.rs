//! Opens exports with the programs they are for: Parquet with pyarrow, pandas and DuckDB, ARFF with liac-arff and SciPy.

use std::{ffi::OsString, fs, process::Command};

use anyhow::bail;

use crate::{
    build,
    run::{step, target},
};

const SCRIPT: &str = include_str!("exports.py");

/// `cargo xtask exports FOLDER`: every capture below it, in every format and schema. `PYTHON` names a Python that has the
/// modules; the script says which are missing.
pub(crate) fn check(arguments: &[String]) -> anyhow::Result<()> {
    let [folder] = arguments else { bail!("usage: cargo xtask exports FOLDER") };
    let tractor = build::companion()?;
    let files = target().join("exports");
    fs::create_dir_all(&files)?;
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| OsString::from("python3"));
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT]).arg(tractor).arg(folder).arg(files);
    step("opening exports", &mut command)
}
