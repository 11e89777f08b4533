//! The `tractor` command: captures in; flows, statistics, labels and the companion out.
//!
//! Exit status: 0 everything was read, 1 some input could not be read or only in part, 2 the command makes no sense;
//! of `isolate` that of the program.

mod captures;
mod compare;
mod examples;
mod filter;
mod flows;
mod input;
#[cfg(target_os = "linux")]
mod isolate;
mod learn;
mod lists;
mod manual;
mod progress;
mod serve;
mod stats;
mod stop;
mod table;
mod voice;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use mimalloc::MiMalloc;

use crate::voice::words;

/// Flows are many small pieces of memory: a sixth of a job was spent on asking the system's allocator for them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Opens network captures: who talked to whom, by which applications.
#[derive(Parser)]
#[command(name = "tractor", version, arg_required_else_help = true, subcommand_help_heading = "Commands", after_help = examples::TRACTOR)]
struct Arguments {
    #[command(flatten)]
    voice: voice::Voice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the flows of captures: as a table to read, JSON lines, CSV, Parquet, ARFF, Zeek's log or packets.
    #[command(after_help = examples::FLOWS)]
    Flows(flows::Flows),
    /// Lists the sessions of captures: the flows that one application opened together.
    #[command(after_help = examples::SESSIONS)]
    Sessions(lists::Sessions),
    /// Lists the hosts of captures, with their names and labels.
    #[command(after_help = examples::HOSTS)]
    Hosts(lists::Hosts),
    /// Counts the flows of captures, as the v1 interface answers.
    #[command(after_help = examples::STATS)]
    Stats(stats::Stats),
    /// Lists every label there can be, by group.
    #[command(after_help = examples::LABELS)]
    Labels(stats::Labels),
    /// Says what is new, gone, more or less in a second capture.
    #[command(after_help = examples::COMPARE)]
    Compare(compare::Compare),
    /// Learns to tell flows apart from labelled captures and data sets, and writes a model.
    #[command(after_help = examples::TRAIN)]
    Train(learn::Train),
    /// Says how well flows can be told apart: the figures, the confusion matrix and how the data was split.
    #[command(after_help = examples::EVALUATE)]
    Evaluate(learn::Evaluate),
    /// Writes flows; those that say nothing of themselves get their label from a model.
    #[command(after_help = examples::CLASSIFY)]
    Classify(learn::Classify),
    /// Shows what a model can say, what it was learned from and how well it does.
    #[command(after_help = examples::MODEL)]
    Model(learn::ShowModel),
    /// Processes the captures of a folder as they arrive: a file of flows beside each.
    #[command(after_help = examples::WATCH)]
    Watch(watch::Watch),
    /// Serves the page and the v1 interface over a folder of captures.
    #[command(after_help = examples::SERVE)]
    Serve(serve::Serve),
    /// Runs a program in a network namespace of its own and records its traffic.
    #[cfg(target_os = "linux")]
    #[command(after_help = examples::ISOLATE)]
    Isolate(isolate::Isolate),
    /// Prints what a shell needs to complete the words of this command.
    #[command(after_help = examples::COMPLETION)]
    Completion(manual::Completion),
    /// Prints the manual page, or that of a command.
    #[command(after_help = examples::MAN)]
    Man(manual::Manual),
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
    #[error(
        "{}: {}",
        words("the filter cannot be understood", "фильтр непонятен"),
        understood(error)
    )]
    Filter {
        /// As it was typed.
        text: String,
        error: v1::page::FilterError,
    },
    /// The companion cannot start.
    #[error("{0}")]
    Start(String),
    /// The output cannot be written.
    #[error("{} {to}: {source}", words("cannot write", "не записать"))]
    Write {
        /// Where to.
        to: String,
        source: std::io::Error,
    },
}

/// What is wrong with a filter.
fn understood(error: &v1::page::FilterError) -> String {
    let said = error.words();
    words(said.en, said.ru)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.voice.settle();
    let result = match arguments.command {
        Command::Flows(it) => flows::run(&it),
        Command::Sessions(it) => lists::sessions(&it),
        Command::Hosts(it) => lists::hosts(&it),
        Command::Stats(it) => stats::run(&it),
        Command::Labels(it) => stats::labels(&it),
        Command::Compare(it) => compare::run(&it),
        Command::Train(it) => learn::train(&it),
        Command::Evaluate(it) => learn::evaluate(&it),
        Command::Classify(it) => learn::classify(&it),
        Command::Model(it) => learn::show(&it),
        Command::Watch(it) => watch::run(&it),
        Command::Serve(it) => serve::run(&it),
        #[cfg(target_os = "linux")]
        Command::Isolate(it) => isolate::run(&it),
        Command::Completion(it) => manual::completion(&it, Arguments::command()),
        Command::Man(it) => manual::manual(&it, Arguments::command()),
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
            voice::complain(engine::plain(&error.to_string()));
            if let Error::Filter { text, error } = &error {
                voice::say(filter::pointed(text, error));
            }
            let is_of_usage = matches!(error, Error::Usage(_) | Error::Filter { .. });
            ExitCode::from(if is_of_usage { 2 } else { 1 })
        }
    }
}
