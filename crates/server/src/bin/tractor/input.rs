//! Captures as the command line names them, and what is said when one cannot be read.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use engine::{Analysis, Countries, OwnRules, OwnRulesError, Rules};
use v1::{Notice, Severity};

use crate::{Error, Outcome};

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// How captures are read.
#[derive(Args, Clone, Copy)]
pub(crate) struct Effort {
    /// Read a capture on so many threads; as many as the machine has cores, where nothing is said.
    #[arg(long, value_name = "N", default_value_t = server::n_cores(), hide_default_value = true,
        value_parser = at_least_one)]
    threads: usize,
}

/// The user's rules.
#[derive(Args)]
pub(crate) struct OwnRulesFile {
    /// Label flows by the rules in this file first, as docs/labels.md has them; TOML or JSON.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Guess nothing: no label by the server's address or by ports.
    #[arg(long)]
    no_guesses: bool,
}

impl OwnRulesFile {
    /// Reads the file, where there is one.
    ///
    /// # Errors
    /// Where it cannot be read, or is refused.
    pub(crate) fn read(&self) -> Result<OwnRules, Error> {
        let rules =
            self.rules.as_deref().map_or_else(|| Ok(OwnRules::default()), Self::read_file)?;
        Ok(if self.no_guesses { rules.without_guesses() } else { rules })
    }

    fn read_file(path: &Path) -> Result<OwnRules, Error> {
        let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
        let mut bytes = Vec::new();
        // One byte more shows that it is too long.
        let limit = OwnRules::MAX_LEN as u64 + 1;
        File::open(path)
            .and_then(|it| it.take(limit).read_to_end(&mut bytes))
            .map_err(|error| about(error.to_string()))?;
        if bytes.len() > OwnRules::MAX_LEN {
            return Err(about(OwnRulesError::TooLong.to_string()));
        }
        let text = str::from_utf8(&bytes).map_err(|error| {
            about(format!("it is no text in UTF-8 from byte {} on", error.valid_up_to()))
        })?;
        OwnRules::read(text).map_err(|error| about(error.to_string()))
    }
}

/// The user's database of countries.
#[derive(Args)]
pub(crate) struct CountriesFile {
    /// Tell countries of addresses by this database in MaxMind's format (.mmdb), of countries or cities.
    #[arg(long, value_name = "FILE")]
    mmdb: Option<PathBuf>,
}

impl CountriesFile {
    /// Reads the file, where there is one.
    ///
    /// # Errors
    /// Where it cannot be read, or is no database of countries.
    pub(crate) fn read(&self) -> Result<Option<Arc<Countries>>, Error> {
        let Some(path) = &self.mmdb else { return Ok(None) };
        let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|mut it| it.read_to_end(&mut bytes))
            .map_err(|error| about(error.to_string()))?;
        let countries = Countries::read(bytes).map_err(|error| about(error.to_string()))?;
        Ok(Some(Arc::new(countries)))
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1_024) => Ok(number),
        _ => Err("it is no number from 1 to 1024".to_owned()),
    }
}

/// Reads the captures one after the other, by these rules, and hands each to `take`.
///
/// What could not be read is said on standard error, and the rest is still read.
///
/// # Errors
/// What `take` fails with.
pub(crate) fn each<E>(
    captures: &[PathBuf],
    rules: &Rules,
    effort: Effort,
    mut take: impl FnMut(&Path, Analysis) -> Result<(), E>,
) -> Result<Outcome, E> {
    let mut outcome = Outcome::Complete;
    for capture in captures {
        match read(capture, rules, effort) {
            Ok(analysis) => {
                if !analysis.is_complete() {
                    outcome = Outcome::Partial;
                }
                take(capture, analysis)?;
            }
            Err(error) => {
                let why = error.to_string();
                complain(capture, &why);
                outcome = Outcome::Partial;
            }
        }
    }
    Ok(outcome)
}

/// Reads one capture and says what was wrong with it, and what may mislead.
fn read(capture: &Path, rules: &Rules, effort: Effort) -> io::Result<Analysis> {
    let name = capture.to_string_lossy();
    let analysis = if is_standard_input(capture) {
        server::read(io::stdin(), &name, rules, effort.threads)?
    } else {
        server::analyse(capture, &name, rules, effort.threads)?
    };
    let notices = &analysis.reading().notices;
    for notice in notices.iter().filter(|it| it.severity() != Severity::Information) {
        say(capture, notice);
    }
    Ok(analysis)
}

/// Says that a capture cannot be read, and why.
pub(crate) fn complain(capture: &Path, why: &str) {
    say(capture, &Notice::new("E-IO", "", vec![why.into()]));
}

/// Whether this stands for standard input.
pub(crate) fn is_standard_input(capture: &Path) -> bool {
    capture.as_os_str() == STANDARD_INPUT
}

fn say(capture: &Path, notice: &Notice) {
    // Whoever sent the file chose its name.
    eprintln!("tractor: {}: {notice}", engine::plain(&capture.to_string_lossy()));
}
