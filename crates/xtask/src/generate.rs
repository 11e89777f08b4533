//! Commands that the tests' examples do: `cargo xtask generate KIND FILE [COUNT]` writes large captures to measure by,
//! `cargo xtask published FOLDER` makes the published rows of ISCXVPN2016 again, `cargo xtask cic FOLDER` computes the
//! columns of CICFlowMeter twice, `cargo xtask conversations FOLDER` compares flows with those of tshark, `cargo xtask
//! sessions FOLDER` judges sessions, `cargo xtask experiment FOLDER` judges ways to learn, `cargo xtask model CORPUS [ISCX]`
//! makes the model that comes with the program.

use anyhow::Context as _;

use crate::run::{example, quick_example, step};

pub(crate) fn generate(arguments: &[String]) -> anyhow::Result<()> {
    run("generate", arguments)
}

pub(crate) fn published(arguments: &[String]) -> anyhow::Result<()> {
    run("published", arguments)
}

pub(crate) fn cic(arguments: &[String]) -> anyhow::Result<()> {
    run("cic", arguments)
}

pub(crate) fn conversations(arguments: &[String]) -> anyhow::Result<()> {
    run("conversations", arguments)
}

pub(crate) fn experiment(arguments: &[String]) -> anyhow::Result<()> {
    run("experiment", arguments)
}

pub(crate) fn sessions(arguments: &[String]) -> anyhow::Result<()> {
    run("sessions", arguments)
}

pub(crate) fn model(arguments: &[String]) -> anyhow::Result<()> {
    let here = std::env::current_dir().context("where the files lie")?;
    step("model", quick_example("model").args(arguments).current_dir(here))
}

fn run(name: &str, arguments: &[String]) -> anyhow::Result<()> {
    // A file is named from where the command was given.
    let here = std::env::current_dir().context("where the files lie")?;
    step(name, example(name).args(arguments).current_dir(here))
}
