//! Captures read one after the other, with what is needed besides; what is said when one cannot be read.

mod piped;

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use engine::{Analysis, Countries, OwnRules, OwnRulesError, Rules};
use reader::Stopped;
use v1::Severity;

use self::piped::Piped;
use crate::{
    Error, Outcome,
    captures::{Files, cannot_read, is_standard_input},
    progress::{self, Progress},
    stop,
    voice::{self, counted, words},
};

/// How captures are read.
#[derive(Args, Clone, Copy)]
pub(crate) struct Effort {
    /// Read a capture on so many threads; as many as the machine has cores, where nothing is said.
    #[arg(long, value_name = "N", default_value_t = reader::n_cores(), hide_default_value = true,
        value_parser = at_least_one)]
    pub(crate) threads: usize,
    /// Where a capture has more flows, set some aside: those that nobody answered, then those silent for longest; they are
    /// counted. Such captures are read on one thread.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_flows: Option<u32>,
    #[arg(skip)]
    as_one: bool,
}

impl Effort {
    /// Whether several captures are read as one.
    pub(crate) fn is_as_one(self) -> bool {
        self.as_one
    }
}

/// Several captures as one.
#[derive(Args)]
pub(crate) struct AsOne {
    /// Read all captures as one, in the order of their first times, as a recorder wrote one after the other (tcpdump -C, -G):
    /// flows that go on from file to file are one. They are read on one thread.
    #[arg(long)]
    as_one: bool,
}

impl AsOne {
    /// The same effort, for all captures at once where that is asked for.
    pub(crate) fn with(&self, effort: Effort) -> Effort {
        Effort { as_one: self.as_one, ..effort }
    }
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

/// How an answer is written that has no rows.
#[derive(Args)]
pub(crate) struct TextOrJson {
    /// The format: text, to read; json, for programs.
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    format: AnswerFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AnswerFormat {
    Text,
    Json,
}

impl TextOrJson {
    /// Whether it is written for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json || self.format == AnswerFormat::Json
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
/// What could not be read is said on standard error, and the rest is still read, unless the user asks to stop: then what was
/// read of a capture is handed on, and no other is read.
///
/// # Errors
/// What `take` fails with.
pub(crate) fn each<E>(
    captures: &Files,
    rules: &Rules,
    effort: Effort,
    mut take: impl FnMut(&Path, Analysis) -> Result<(), E>,
) -> Result<Outcome, E> {
    stop::listen();
    if effort.as_one {
        return all_as_one(captures, rules, effort, take);
    }
    let n_captures = captures.paths.len();
    let mut told = Told { missing: captures.n_missing, ..Told::default() };
    let mut progress = Progress::new();
    let is_shown = io::stdout().is_terminal();
    for (at, capture) in captures.paths.iter().enumerate() {
        if stop::is_asked() {
            told.left = (n_captures - at) as u64;
            break;
        }
        match read(capture, (at + 1, n_captures), rules, effort, &mut progress) {
            Ok(analysis) => {
                if is_shown {
                    progress::clear();
                }
                told.read += 1;
                told.partial += u64::from(!analysis.is_complete());
                take(capture, analysis)?;
            }
            Err(error) => {
                cannot_read(capture, &error.to_string());
                told.missing += 1;
            }
        }
    }
    progress::clear();
    if n_captures > 1 {
        told.say();
    }
    Ok(told.outcome())
}

/// Reads all captures as one.
fn all_as_one<E>(
    captures: &Files,
    rules: &Rules,
    effort: Effort,
    mut take: impl FnMut(&Path, Analysis) -> Result<(), E>,
) -> Result<Outcome, E> {
    let n_captures = captures.paths.len();
    let mut told = Told { missing: captures.n_missing, ..Told::default() };
    let mut progress = Progress::new();
    let mut ordered = Vec::new();
    for path in &captures.paths {
        match reader::first_time(path) {
            // Those that do not tell come last, in the order they were named in.
            Ok(time) => ordered.push((time.unwrap_or(u64::MAX), path)),
            Err(error) => {
                cannot_read(path, &error.to_string());
                told.missing += 1;
            }
        }
    }
    ordered.sort_by_key(|it| it.0);
    let mut all = reader::AsOne::new(Rules { max_flows: effort.max_flows, ..rules.clone() });
    for (at, (_, path)) in ordered.iter().enumerate() {
        if stop::is_asked() || all.is_stopped() {
            told.left = (ordered.len() - at) as u64;
            break;
        }
        let name = path.to_string_lossy();
        let opened = File::open(path).and_then(|it| Ok((it.metadata()?.len(), it)));
        match opened {
            Ok((len, file)) => {
                progress.begin(&name, (at + 1, n_captures), Some(len));
                let input = Box::new(Stoppable(file));
                all.read(Watched { input, progress: &mut progress }, &name);
                told.read += 1;
            }
            Err(error) => {
                cannot_read(path, &error.to_string());
                told.missing += 1;
            }
        }
    }
    progress::clear();
    if let Some(analysis) = all.finish() {
        let name = analysis.reading().file_name.clone();
        for notice in
            analysis.reading().notices.iter().filter(|it| it.severity() != Severity::Information)
        {
            voice::notice(notice.file.as_ref().unwrap_or(&name), notice);
        }
        told.partial += u64::from(!analysis.is_complete());
        take(Path::new(&name), analysis)?;
    }
    if n_captures > 1 {
        told.say();
    }
    Ok(told.outcome())
}

/// How the reading of captures went.
#[derive(Default)]
pub(crate) struct Told {
    /// Read, whole or in part.
    pub(crate) read: u64,
    /// Read in part.
    pub(crate) partial: u64,
    /// Not read, for something was wrong.
    pub(crate) missing: u64,
    /// Not read, for the user asked to stop.
    pub(crate) left: u64,
}

impl Told {
    pub(crate) fn outcome(&self) -> Outcome {
        let is_whole = self.partial == 0 && self.missing == 0 && self.left == 0;
        if is_whole { Outcome::Complete } else { Outcome::Partial }
    }

    /// Says how many captures were not read, or not whole, where there are any.
    pub(crate) fn say(&self) {
        let parts = [
            (self.partial, words("in part", "частично")),
            (self.missing, words("not at all", "не прочитано")),
            (self.left, words("left, since you stopped", "не начато из-за остановки")),
        ];
        let parts = parts.iter().filter(|it| it.0 > 0);
        let parts: Vec<String> = parts.map(|(n, how)| format!("{n} {how}")).collect();
        if parts.is_empty() {
            return;
        }
        let n_all = self.read + self.missing + self.left;
        let n_all = counted(n_all, "capture|captures", "снимок|снимка|снимков");
        let whole = format!("{} {}", self.read - self.partial, words("whole", "целиком"));
        voice::complain(format_args!("{n_all}: {whole}, {}", parts.join(", ")));
    }
}

/// Reads one capture and says what was wrong with it, and what may mislead.
pub(crate) fn read(
    capture: &Path,
    place: (usize, usize),
    rules: &Rules,
    effort: Effort,
    progress: &mut Progress,
) -> io::Result<Analysis> {
    let name = capture.to_string_lossy();
    let rules = Rules { max_flows: effort.max_flows, ..rules.clone() };
    let (input, len): (Box<dyn Read + Send>, _) = if is_standard_input(capture) {
        (Box::new(Piped::new(|| Ok(io::stdin()))), None)
    } else {
        let metadata = capture.metadata()?;
        if metadata.is_file() {
            (Box::new(Stoppable(File::open(capture)?)), Some(metadata.len()))
        } else {
            let path = capture.to_owned();
            (Box::new(Piped::new(move || File::open(path))), None)
        }
    };
    progress.begin(&name, place, len);
    let analysis = reader::read(Watched { input, progress }, &name, &rules, effort.threads)?;
    let notices = &analysis.reading().notices;
    for notice in notices.iter().filter(|it| it.severity() != Severity::Information) {
        voice::notice(&name, notice);
    }
    Ok(analysis)
}

/// A capture being read, which tells how far it is and ends when the user asks to stop.
struct Watched<'a> {
    input: Box<dyn Read + Send>,
    progress: &'a mut Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.input.read(buffer)?;
        self.progress.advance(len as u64);
        Ok(len)
    }
}

/// A file that is not read on when the user asks to stop.
struct Stoppable(File);

impl Read for Stoppable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if stop::is_asked() {
            return Err(io::Error::other(Stopped));
        }
        self.0.read(buffer)
    }
}
