//! The project's own commands: `cargo xtask serve`, `test`, `dist`, `package`, `pictures`, `measure`, `companion`, `corpus`,
//! `fuzz`, `generate`, `published`, `cic`, `conversations`, `sessions`, `exports`, `experiment`, `halves`, `model`, `wheel`, `python`, `cluster`.
#![expect(clippy::print_stdout, reason = "what a command finds is what it prints")]

mod bench;
mod build;
mod companion;
mod corpus;
mod exports;
mod fuzz;
mod generate;
mod halves;
mod hosting;
mod instructions;
mod measure;
mod package;
mod python;
mod run;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

/// Every command: its name, what it does, and the function that does it.
const COMMANDS: &[(&str, &str, Command)] = &[
    ("serve", "build what is missing and start the companion on loopback", build::serve),
    ("test", "run every test, in headless Chromium too", test::all),
    ("ci", "the same; what `.ci/run` calls", test::all),
    (
        "instructions",
        "count the instructions of a small capture, and compare them with those kept",
        instructions::check,
    ),
    ("dist", "build the page into the folder `dist`, and print its hashes", build::dist),
    (
        "companion",
        "measure the companion: crashes, corpus, listing or slow clients",
        companion::measure,
    ),
    (
        "bench",
        "measure the whole job beside other programs: [FOLDER] [--rounds N] [--part native|browser]",
        bench::bench,
    ),
    ("wheel", "build the Python package into `target/wheels`", python::wheel),
    ("python", "run the Python package's tests; arguments go to pytest", python::python),
    ("cluster", "measure Spark with two workers on loopback: CAPTURES…", python::cluster),
    ("corpus", "read every capture below a folder, natively and as the page does", corpus::read),
    ("fuzz", "fuzz a target: TARGET [SECONDS]", fuzz::fuzz),
    ("pictures", "take the pictures of the README anew", test::pictures),
    ("published", "make the published rows of ISCXVPN2016 again: FOLDER", generate::published),
    (
        "cic",
        "compute the columns of CICFlowMeter twice over a folder of captures: FOLDER",
        generate::cic,
    ),
    (
        "conversations",
        "compare flows with tshark's conversations over a folder of captures: FOLDER",
        generate::conversations,
    ),
    (
        "exports",
        "open exports of a folder of captures with pandas and others: FOLDER",
        exports::check,
    ),
    (
        "sessions",
        "judge sessions on interleaved captures of one application each: FOLDER [all]",
        generate::sessions,
    ),
    (
        "experiment",
        "learn from the published files of ISCXVPN2016 in every way: FOLDER [DOCS]",
        generate::experiment,
    ),
    (
        "model",
        "make the model that comes with the program, and its card: CORPUS [ISCX]",
        generate::model,
    ),
    ("halves", "part rows of truth into two halves by families of captures: FOLDER", halves::part),
    (
        "measure",
        "measure the page with a million flows and with 5 GiB in Chromium: [FOLDER]",
        measure::measure,
    ),
    (
        "package",
        "make a Debian package of the command and its page, or a program without libraries: [static]",
        package::package,
    ),
    ("generate", "write a large capture to measure by: KIND FILE [COUNT]", generate::generate),
];

type Command = fn(&[String]) -> anyhow::Result<()>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let named = arguments.split_first().and_then(|(name, rest)| {
        let found = COMMANDS.iter().find(|it| it.0 == name)?;
        Some((found.2, rest))
    });
    let Some((command, rest)) = named else {
        eprintln!("usage: cargo xtask COMMAND\n");
        for (name, about, _) in COMMANDS {
            eprintln!("  {name:13} {about}");
        }
        return ExitCode::from(2);
    };
    match command(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
