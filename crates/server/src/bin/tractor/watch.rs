//! `tractor watch`: the captures of a folder, each processed once it is written to completion; a result beside each.
//!
//! That a capture is complete cannot be known: it is taken for complete when it was left unchanged for a while. Should it
//! change after all, it is processed again and its result replaced, so that in the end every result is of the file as it is.
//! The folder is listed again and again: that finds what other machines write, too, where notifications do not.

mod journal;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use clap::Args;
use engine::{Analysis, Rules};

use self::journal::Journal;
use crate::{
    Error, Outcome,
    captures::{Below, cannot_read, is_capture},
    filter::Filtered,
    flows::{self, Rows, Writer},
    input,
    progress::{self, Progress},
    stop,
    voice::{self, Colours, words},
};

/// The folder is listed at least so often.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// And at most so often.
const MIN_PAUSE: Duration = Duration::from_millis(20);
/// Where a result could not be written, none is for so long.
const AGAIN: Duration = Duration::from_secs(30);

#[derive(Args)]
pub(crate) struct Watch {
    /// The folder of captures; folders below it are watched, too.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write results into this folder, below it as the captures lie; without it each lies beside its capture.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The format, as of `tractor flows`; a result is called as its capture and this behind it: office.pcap.jsonl.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = flows::formats(), hide_possible_values = true)]
    format: String,
    /// The columns of this schema, with csv, parquet or arff.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Cut flows, as of `tractor flows`.
    #[arg(long, value_name = "SECONDS|idle:SECONDS|none|zeek", default_value = "none", value_parser = str::parse::<engine::Timeout>)]
    timeout: engine::Timeout,
    #[command(flatten)]
    filter: Filtered,
    /// A capture is complete when it was left unchanged for so long: longer than its recorder waits between two writes.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    settle: Duration,
    /// Process what is there, complete or not, and end.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    effort: input::Effort,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|it| (0.0..=86_400.0).contains(it));
    seconds.map(Duration::from_secs_f64).ok_or("it is no number of seconds from 0 to 86400".into())
}

/// What tells that a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    len: u64,
    /// When it was changed, in nanoseconds since 1970.
    changed_ns: u64,
}

impl Version {
    /// That of the file as it is now; `None` where it is gone.
    fn of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Some(Self { len: metadata.len(), changed_ns: since.as_nanos() as u64 })
    }

    /// Whether it was left unchanged for so long, by the clock of this machine.
    fn is_older(self, age: Duration) -> bool {
        let changed = UNIX_EPOCH + Duration::from_nanos(self.changed_ns);
        SystemTime::now().duration_since(changed).is_ok_and(|it| it >= age)
    }
}

/// A capture, and how far it is.
struct Seen {
    version: Version,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Unchanged since then.
    Waits { since: Instant },
    /// Its result is there; whether all of the capture was read.
    Done { is_whole: bool },
    /// It cannot be read as it is.
    Unreadable,
    /// Its result could not be written.
    Unwritten,
}

pub(crate) fn run(arguments: &Watch) -> Result<Outcome, Error> {
    if !arguments.folder.is_dir() {
        let folder = arguments.folder.display();
        return Err(Error::Usage(words(
            format!("there is no folder {folder}"),
            format!("папки {folder} нет"),
        )));
    }
    let filter = arguments.filter.parse()?;
    let schema = arguments.schema.as_deref();
    let rows = Rows::new(&arguments.format, schema, arguments.timeout, filter)?;
    let own = Arc::new(arguments.own.read()?);
    let results = arguments.out.as_ref().unwrap_or(&arguments.folder);
    let failed = |source| Error::Write { to: results.display().to_string(), source };
    fs::create_dir_all(results).map_err(failed)?;
    // What a result depends on besides its capture.
    let how = format!(
        "{} {} {schema:?} {:?} {:?} {own:?}",
        env!("CARGO_PKG_VERSION"),
        arguments.format,
        arguments.timeout,
        arguments.filter.text()
    );
    let journal = Journal::open(results, &how)?;
    let rules = Rules { own, ..Rules::default() };
    stop::listen();
    let mut watcher = Watcher {
        arguments,
        results,
        rows,
        rules,
        journal,
        seen: BTreeMap::new(),
        is_first: true,
        is_lost: false,
        again: None,
    };
    if !arguments.once {
        let (folder, results) = (arguments.folder.display(), results.display());
        voice::say(words(
            format!("watching {folder}; results go to {results}; Ctrl-C ends it"),
            format!("слежу за {folder}; результаты в {results}; Ctrl-C завершает"),
        ));
    }
    let pause = (arguments.settle / 4).clamp(MIN_PAUSE, MAX_PAUSE);
    loop {
        watcher.round()?;
        if arguments.once || stop::wait(pause) {
            return Ok(watcher.outcome());
        }
    }
}

struct Watcher<'a> {
    arguments: &'a Watch,
    /// Where results go.
    results: &'a Path,
    rows: Rows,
    rules: Rules,
    journal: Journal,
    seen: BTreeMap<PathBuf, Seen>,
    /// Nothing was listed before.
    is_first: bool,
    /// A folder could not be listed, which was said.
    is_lost: bool,
    /// A result could not be written, and none is before then.
    again: Option<Instant>,
}

impl Watcher<'_> {
    /// Looks at every capture there is, and processes those that are complete.
    fn round(&mut self) -> Result<(), Error> {
        let below = Below::of(&self.arguments.folder);
        for (folder, error) in below.unread.iter().filter(|_| !self.is_lost) {
            cannot_read(folder, &error.to_string());
        }
        self.is_lost = !below.unread.is_empty();
        let captures: Vec<PathBuf> = below.files.into_iter().filter(|it| is_capture(it)).collect();
        if !self.is_lost {
            // What is gone is forgotten; its result stays.
            self.seen.retain(|path, _| captures.binary_search(path).is_ok());
        }
        for capture in captures {
            if stop::is_asked() || self.again.is_some_and(|it| Instant::now() < it) {
                break;
            }
            if self.is_due(&capture) {
                self.process(&capture)?;
            }
        }
        self.is_first = false;
        Ok(())
    }

    /// Whether a capture is to be processed now.
    fn is_due(&mut self, capture: &Path) -> bool {
        // What was made but not written yet is no capture.
        let version = Version::of(capture).filter(|it| it.len > 0);
        let Some(version) = version else { return false };
        let now = Instant::now();
        let settle = self.arguments.settle;
        let seen = self.seen.get_mut(capture).filter(|it| it.version == version);
        let Some(seen) = seen else {
            let processed = self.journal.processed(&self.relative(capture), version);
            let processed = processed.filter(|_| self.result_of(capture).is_file());
            let state = match processed {
                Some(is_whole) => State::Done { is_whole },
                None => State::Waits { since: now },
            };
            self.seen.insert(capture.to_owned(), Seen { version, state });
            // What lies there when the watch begins need not be waited for, unless it was written just now.
            let is_settled = self.is_first && version.is_older(settle);
            return processed.is_none() && (is_settled || self.arguments.once || settle.is_zero());
        };
        match seen.state {
            State::Waits { since } => now - since >= settle,
            State::Unwritten => true,
            State::Done { .. } | State::Unreadable => false,
        }
    }

    /// Reads a capture and writes its result, unless it changes meanwhile.
    fn process(&mut self, capture: &Path) -> Result<(), Error> {
        let Some(before) = Version::of(capture) else { return Ok(()) };
        let (rules, effort) = (&self.rules, self.arguments.effort);
        let read = input::read(capture, (1, 1), rules, effort, &mut Progress::new());
        progress::clear();
        if stop::is_asked() && read.as_ref().is_ok_and(|it| it.reading().is_stopped) {
            // It is processed the next time.
            return Ok(());
        }
        let after = Version::of(capture);
        if after != Some(before) {
            match after {
                // Deleted: that is no fault of it.
                None => drop(self.seen.remove(capture)),
                Some(version) => {
                    let state = State::Waits { since: Instant::now() };
                    self.seen.insert(capture.to_owned(), Seen { version, state });
                }
            }
            return Ok(());
        }
        let state = match read {
            // Why was said.
            Ok(analysis) if analysis.failure().is_some() => State::Unreadable,
            Ok(analysis) => self.write(capture, &analysis, before)?,
            Err(error) => {
                cannot_read(capture, &error.to_string());
                State::Unreadable
            }
        };
        self.seen.insert(capture.to_owned(), Seen { version: before, state });
        Ok(())
    }

    /// Writes a result aside and gives it its name when it is whole; then says which it is.
    fn write(
        &mut self,
        capture: &Path,
        analysis: &Analysis,
        version: Version,
    ) -> Result<State, Error> {
        let result = self.result_of(capture);
        let is_whole = analysis.is_complete();
        let written = write_aside(&result, self.rows.clone(), capture, analysis)
            .and_then(|()| self.journal.note(&self.relative(capture), version, is_whole));
        if let Err(error) = written {
            voice::complain(engine::plain(&error.to_string()));
            // What is wrong with one is wrong with all: the disk is full, or gone.
            self.again = (!self.arguments.once).then(|| Instant::now() + AGAIN);
            return Ok(State::Unwritten);
        }
        let (to, mut out) = flows::output(None)?;
        writeln!(out, "{}", engine::plain(&result.to_string_lossy()))
            .and_then(|()| out.flush())
            .map_err(|source| Error::Write { to, source })?;
        Ok(State::Done { is_whole })
    }

    /// How a capture lies below the folder.
    fn relative(&self, capture: &Path) -> PathBuf {
        capture.strip_prefix(&self.arguments.folder).unwrap_or(capture).to_owned()
    }

    /// Where the result of a capture lies.
    fn result_of(&self, capture: &Path) -> PathBuf {
        let mut result = self.results.join(self.relative(capture)).into_os_string();
        result.push(".");
        result.push(self.rows.extension());
        result.into()
    }

    fn outcome(&self) -> Outcome {
        let is_wrong = |it: &Seen| match it.state {
            State::Done { is_whole } => !is_whole,
            State::Unreadable | State::Unwritten => true,
            State::Waits { .. } => false,
        };
        let is_partial = self.is_lost || self.seen.values().any(is_wrong);
        if is_partial { Outcome::Partial } else { Outcome::Complete }
    }
}

/// Writes a result beside its place and moves it there: whoever opens it finds it whole, the old one or the new one.
fn write_aside(
    result: &Path,
    rows: Rows,
    capture: &Path,
    analysis: &Analysis,
) -> Result<(), Error> {
    let failed = |source| Error::Write { to: result.display().to_string(), source };
    let mut name = std::ffi::OsString::from(".");
    name.push(result.file_name().unwrap_or_default());
    name.push(".part");
    let aside = result.with_file_name(name);
    if let Some(folder) = result.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let written = File::create(&aside).map_err(failed).and_then(|file| {
        let to = result.display().to_string();
        let out = BufWriter::with_capacity(1 << 16, file);
        let mut writer = Writer::new(rows, to, out, Colours::none(), true);
        writer.add(analysis, &capture.to_string_lossy(), 1)?;
        let file = writer.finish()?.into_inner().map_err(|it| failed(it.into_error()))?;
        file.sync_data().and_then(|()| fs::rename(&aside, result)).map_err(failed)
    });
    if written.is_err() {
        // There may be none; what is wrong is said anyway.
        let _: io::Result<()> = fs::remove_file(&aside);
    }
    written
}
