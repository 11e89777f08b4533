//! `tractor completion` and `tractor man`: what a shell and `man` want to know, out of the definitions of the arguments.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::{Error, Outcome, flows};

/// What the program says with its exit status: `tractor help` and the manual page have the same list.
pub(crate) const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "everything was read"),
    (
        "1",
        "some input could not be read, or only in part; standard error says which, and the rest is written",
    ),
    ("2", "the command makes no sense"),
    ("130", "Ctrl-C was pressed twice"),
    ("other", "of isolate: that of the program it ran"),
];

/// Variables of the environment that change something.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL, LC_MESSAGES, LANG", "the language of messages and tables, where --lang says none"),
    ("NO_COLOR", "no colours, where --color says nothing"),
    ("TERM", "neither colours nor progress where it is dumb"),
];

#[derive(Args)]
pub(crate) struct Completion {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Manual {
    /// The command; without it the page of tractor itself.
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write every page into this folder, as tractor.1, tractor-flows.1 and so on.
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

pub(crate) fn completion(arguments: &Completion, mut program: Command) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "tractor", &mut script);
    print(&script)
}

pub(crate) fn manual(arguments: &Manual, program: Command) -> Result<Outcome, Error> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    if let Some(folder) = &arguments.output {
        return write_all(&program, folder);
    }
    let Some(name) = &arguments.command else { return print(&page(&program)) };
    match program.get_subcommands().find(|it| it.get_name() == name) {
        Some(command) => print(&page(command)),
        None => {
            let names: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
            Err(Error::Usage(format!(
                "there is no command `{name}`; there are {}",
                names.join(", ")
            )))
        }
    }
}

fn write_all(program: &Command, folder: &Path) -> Result<Outcome, Error> {
    let failed = |path: &Path, source| Error::Write { to: path.display().to_string(), source };
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    for command in [program].into_iter().chain(program.get_subcommands()) {
        let path = folder.join(format!("{}.1", page_name(command)));
        fs::write(&path, page(command)).map_err(|source| failed(&path, source))?;
    }
    Ok(Outcome::Complete)
}

/// `tractor-flows`.
fn page_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// A page, as `man` reads it.
fn page(command: &Command) -> Vec<u8> {
    let mut out = Vec::new();
    let written = write_page(command, &mut out);
    written.expect("memory takes what is written");
    out
}

fn write_page(command: &Command, out: &mut Vec<u8>) -> io::Result<()> {
    let name = page_name(command);
    let source = concat!("tractor ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title(name.to_uppercase()).source(source);
    man.render_title(out)?;
    man.render_name_section(out)?;
    let mut synopsis = Roff::new();
    let usage = command.clone().render_usage().to_string();
    synopsis.control("SH", ["SYNOPSIS"]);
    synopsis.text([roman(usage.trim_start_matches("Usage: "))]);
    synopsis.to_writer(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    let mut more = Roff::new();
    if let Some(examples) = command.get_after_help() {
        let lines = examples.to_string();
        more.control("SH", ["EXAMPLES"]);
        more.control("nf", []);
        // The others are headings that `--help` shows.
        for line in lines.lines().filter_map(|it| it.strip_prefix("  ")) {
            more.text([roman(line)]);
        }
        more.control("fi", []);
    }
    listed(&mut more, "EXIT STATUS", EXIT_STATUS);
    listed(&mut more, "ENVIRONMENT", ENVIRONMENT);
    if !command.has_subcommands() {
        more.control("SH", ["SEE ALSO"]);
        more.text([roman("tractor(1)")]);
    }
    more.to_writer(out)
}

fn listed(page: &mut Roff, title: &str, rows: &[(&str, &str)]) {
    page.control("SH", [title]);
    for (what, means) in rows {
        page.control("TP", []);
        page.text([clap_mangen::roff::bold(*what)]);
        page.text([roman(*means)]);
    }
}

fn print(bytes: &[u8]) -> Result<Outcome, Error> {
    let (to, mut out) = flows::output(None)?;
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { to, source })?;
    Ok(Outcome::Complete)
}
