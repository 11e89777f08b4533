//! `cargo xtask measure [FOLDER]`: what the built page does with a million flows and with 5 GiB, in headless Chromium.
//!
//! The captures are made in the folder, of the target folder without one, and removed in the end.

use std::{fs, path::PathBuf};

use anyhow::Context as _;

use crate::{
    build,
    run::{cargo, example, step, target},
    tools,
};

/// The captures: the setting that names one, the kind it is of, and how many parts it has.
const CAPTURES: [(&str, &str, &str); 2] =
    [("TRACTOR_MANY", "mixed", "1000000"), ("TRACTOR_LONG", "bulk", "4150000")];

pub(crate) fn measure(arguments: &[String]) -> anyhow::Result<()> {
    let driver = tools::chromium_driver()?;
    let page = build::page()?;
    let folder = arguments.first().map_or_else(|| target().join("measure"), PathBuf::from);
    fs::create_dir_all(&folder).context("making the folder of the captures")?;
    let folder = folder.canonicalize().context("the folder of the captures")?;
    let mut test = cargo(&["test", "--package", "web", "--test", "measure"]);
    // One after the other, or they would measure each other.
    test.args(["--", "--nocapture", "--test-threads", "1"]);
    test.env("CHROMEDRIVER", driver).env("TRACTOR_PAGE", page);
    let mut made = Vec::new();
    for (setting, kind, count) in CAPTURES {
        let file = folder.join(format!("{kind}.pcap"));
        let mut generate = example("generate");
        step(&format!("making {}", file.display()), generate.arg(kind).arg(&file).arg(count))?;
        test.env(setting, &file);
        made.push(file);
    }
    let measured = step("measuring", &mut test);
    for file in made {
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    }
    measured
}
