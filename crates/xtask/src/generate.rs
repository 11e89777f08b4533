//! `cargo xtask generate KIND FILE [COUNT]`: large captures to measure by, made by the tests' fixtures.

use anyhow::Context as _;

use crate::run::{example, step};

pub(crate) fn generate(arguments: &[String]) -> anyhow::Result<()> {
    // A file is named from where the command was given.
    let here = std::env::current_dir().context("where the file shall lie")?;
    step("generating", example("generate").args(arguments).current_dir(here))
}
