//! The `tractor` command: captures in; flows, statistics, labels and the companion out.
//!
//! Exit status: 0 everything was read, 1 some input could not be read or only in part, 2 the command makes no sense;
//! of `isolate` that of the program.

mod compare;
mod filter;
mod flows;
mod input;
#[cfg(target_os = "linux")]
mod isolate;
mod learn;
mod serve;
mod stats;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Opens network captures: who talked to whom, by which applications.
#[derive(Parser)]
#[command(name = "tractor", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the flows of captures as JSON lines, CSV or ARFF.
    Flows(flows::Flows),
    /// Counts the flows of a capture, as the v1 interface answers.
    Stats(stats::Stats),
    /// Says what is new, gone, more or less in a second capture.
    Compare(compare::Compare),
    /// Learns to tell flows apart from labelled captures and data sets, and writes a model.
    Train(learn::Train),
    /// Says how well flows can be told apart: the figures, the confusion matrix and how the data was split.
    Evaluate(learn::Evaluate),
    /// Writes flows; those that say nothing of themselves get their label from a model.
    Classify(learn::Classify),
    /// Shows what a model can say, what it was learned from and how well it does.
    Model(learn::ShowModel),
    /// Serves the page and the v1 interface over a folder of captures.
    Serve(serve::Serve),
    /// Runs a program in a network namespace of its own and records its traffic.
    #[cfg(target_os = "linux")]
    Isolate(isolate::Isolate),
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Everything was read.
    Complete,
    /// Some input could not be read, or only in part.
    Partial,
    /// As the program that was run, with its exit status.
    #[cfg(target_os = "linux")]
    Ended(u8),
}

/// Why a command cannot go on.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// A filter makes none.
    #[error("the filter cannot be understood: {error}")]
    Filter {
        /// As it was typed.
        text: String,
        error: v1::page::FilterError,
    },
    /// The companion cannot start.
    #[error("{0}")]
    Start(String),
    /// The output cannot be written.
    #[error("cannot write {to}: {source}")]
    Write {
        /// Where to.
        to: String,
        source: std::io::Error,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Flows(it) => flows::run(&it),
        Command::Stats(it) => stats::run(&it),
        Command::Compare(it) => compare::run(&it),
        Command::Train(it) => learn::train(&it),
        Command::Evaluate(it) => learn::evaluate(&it),
        Command::Classify(it) => learn::classify(&it),
        Command::Model(it) => learn::show(&it),
        Command::Serve(it) => serve::run(&it),
        #[cfg(target_os = "linux")]
        Command::Isolate(it) => isolate::run(&it),
    };
    match result {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Partial) => ExitCode::from(1),
        #[cfg(target_os = "linux")]
        Ok(Outcome::Ended(status)) => ExitCode::from(status),
        // Whoever read the output has read enough.
        Err(Error::Write { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // It may quote a name that somebody else chose.
            eprintln!("tractor: {}", engine::plain(&error.to_string()));
            if let Error::Filter { text, error } = &error {
                eprintln!("{}", filter::pointed(text, error));
            }
            let is_of_usage = matches!(error, Error::Usage(_) | Error::Filter { .. });
            ExitCode::from(if is_of_usage { 2 } else { 1 })
        }
    }
}
