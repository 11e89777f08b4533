//! `tractor train`, `evaluate`, `classify` and `model`: learning from captures and tables, and applying what was learned.

mod inputs;
mod text;

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, builder::PossibleValuesParser};
use engine::{Applying, Rules, Studio, StudioError};
use learn::Model;
use v1::page::{TrainingPlan, TrainingReport};

use crate::{
    Error, Outcome,
    captures::Captures,
    filter::Filtered,
    flows::{self, Rows, Timeout, Writer},
    input::{self, TextOrJson},
    stop,
    voice::{self, words},
};

use self::inputs::LabelFrom;

/// Every method after the other.
const ALL: &str = "all";

/// What is learned from.
#[derive(Args)]
struct Data {
    /// Captures, folders of them, and data sets as .arff or .csv files.
    #[arg(value_name = "CAPTURE|FOLDER|FILE", required_unless_present = "class")]
    inputs: Vec<PathBuf>,
    /// A capture all of whose flows have this label; as often as there are such captures.
    #[arg(long, value_name = "NAME=CAPTURE", value_parser = inputs::class)]
    class: Vec<(String, PathBuf)>,
    /// Where the labels of the flows of captures come from: file, the capture's name; folder, its folder's; comment, what
    /// the capture says in a comment `label: X`; payload, what flows say of themselves; group, the group of that; or a CSV
    /// file, of captures and labels or of five-tuples, times and labels.
    #[arg(long, value_name = "file|folder|comment|payload|group|FILE", default_value = "file")]
    label_from: LabelFrom,
    /// What is added to the times of a table of five-tuples to get those of the captures, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_offset: i64,
    /// The column of a data set that is the label, where it is not found by itself.
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    /// The features to learn from, as docs/features.md has them; of a data set those it has.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Cut flows that last longer, in seconds; none leaves them whole.
    #[arg(long, value_name = "SECONDS|none", default_value = "none", value_parser = flows::timeout)]
    timeout: Timeout,
    #[command(flatten)]
    filter: Filtered,
    /// Leave out rows that repeat an earlier one of the same label.
    #[arg(long)]
    unique: bool,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    effort: input::Effort,
}

/// How it is learned and judged.
#[derive(Args)]
struct How {
    /// A number of the method: trees=300; as often as there are numbers to set.
    #[arg(long, value_name = "KNOB=NUMBER", value_parser = inputs::number)]
    set: Vec<(String, u32)>,
    /// Every class counts the same, however many rows it has.
    #[arg(long)]
    balanced: bool,
    /// The same seed gives the same model.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How rows are divided into those to learn from and those to judge by: capture, whole captures; blocks, runs of rows
    /// within each class; time, what came later is judged; shuffled, at random, which flatters. Without it by capture where
    /// every class is in several, else by blocks.
    #[arg(long, value_name = "SPLIT", value_parser = splits())]
    split: Option<String>,
    /// Into how many parts; 0 judges nothing.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(..=1_000))]
    folds: u32,
}

#[derive(Args)]
pub(crate) struct Train {
    #[command(flatten)]
    data: Data,
    /// How the model is learned.
    #[arg(long, value_name = "METHOD", default_value = "boosted", value_parser = methods(false))]
    method: String,
    #[command(flatten)]
    how: How,
    /// What the model is called where it says something; else as its file.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Whose data it is and what is to be cited; a line each, as often as needed.
    #[arg(long, value_name = "TEXT")]
    source: Vec<String>,
    /// Write the model to this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    data: Data,
    /// How models are learned; all compares every method.
    #[arg(long, value_name = "METHOD|all", default_value = "boosted", value_parser = methods(true))]
    method: String,
    #[command(flatten)]
    how: How,
    /// Find out how much each column matters.
    #[arg(long)]
    importance: bool,
    /// Find out how much more rows would help.
    #[arg(long)]
    curve: bool,
    /// Judge this model, by data it did not learn from.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "split", "folds", "set", "balanced", "importance", "curve"])]
    model: Option<PathBuf>,
    /// Judge this other model too, and compare the two.
    #[arg(long, value_name = "FILE", requires = "model")]
    compare: Option<PathBuf>,
    #[command(flatten)]
    form: TextOrJson,
}

#[derive(Args)]
pub(crate) struct Classify {
    /// Capture files and folders of them, - reads standard input; or data sets as .arff or .csv files.
    #[arg(required = true, value_name = "CAPTURE|FILE")]
    captures: Vec<PathBuf>,
    /// The model, as `tractor train` wrote it; else the one that comes with the program, which tells kinds of traffic by how
    /// they behave (docs/model.md).
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Leave flows unknown of which the model is right less often than this, 0 to 1; else 0.5, of the program's own model the
    /// share on its card.
    #[arg(long, value_name = "SHARE", value_parser = inputs::share)]
    threshold: Option<f32>,
    /// Let the model label flows that say something of themselves too.
    #[arg(long)]
    over_payload: bool,
    /// The format, as of `tractor flows`; of a data set jsonl or csv.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = flows::formats())]
    format: String,
    /// The columns of this schema, with csv, parquet or arff.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    #[command(flatten)]
    filter: Filtered,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    effort: input::Effort,
}

#[derive(Args)]
pub(crate) struct ShowModel {
    /// The model, as `tractor train` wrote it; else the one that comes with the program.
    #[arg(value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    form: TextOrJson,
}

fn methods(has_all: bool) -> PossibleValuesParser {
    let all = has_all.then_some(ALL);
    learn::METHODS.iter().map(|it| it.name).chain(all).collect::<Vec<_>>().into()
}

fn splits() -> PossibleValuesParser {
    learn::SPLITS.iter().map(|it| it.name).collect::<Vec<_>>().into()
}

fn refused(error: StudioError) -> Error {
    Error::Usage(error.to_string())
}

impl How {
    fn plan(&self, method: &str) -> TrainingPlan {
        TrainingPlan {
            method: method.to_owned(),
            numbers: self.set.iter().cloned().collect(),
            is_balanced: self.balanced,
            seed: self.seed,
            split: self.split.clone(),
            folds: self.folds,
            ..TrainingPlan::default()
        }
    }
}

/// The model of a file, or the program's own.
fn model(path: Option<&Path>) -> Result<Model, Error> {
    path.map_or_else(|| Ok(learn::default_model()), read_model)
}

impl Classify {
    pub(super) fn applying(&self) -> Applying {
        let usual = match &self.model {
            Some(_) => Applying::default().threshold,
            None => learn::DEFAULT_THRESHOLD,
        };
        Applying { threshold: self.threshold.unwrap_or(usual), over_payload: self.over_payload }
    }
}

fn read_model(path: &Path) -> Result<Model, Error> {
    let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
    let bytes = fs::read(path).map_err(|error| about(error.to_string()))?;
    Model::read(&bytes).map_err(|error| about(error.to_string()))
}

/// Learns as planned, and says how far it is where someone watches; whether it was stopped.
fn learn(studio: &mut Studio, plan: &TrainingPlan) -> Result<bool, Error> {
    stop::listen();
    studio.begin(plan).map_err(refused)?;
    let is_watched = io::stderr().is_terminal() && !voice::is_dumb();
    let mut shown = u64::MAX;
    // A terminal that is gone must not end the learning.
    let draw = |text: &str| drop(write!(io::stderr(), "\r{text}\u{1b}[K"));
    while let Some(it) = studio.step() {
        let percent = it.done * 100 / it.of.max(1);
        if is_watched && percent != shown {
            draw(&format!("{}: {percent} % ", plan.method));
            shown = percent;
        }
        if stop::is_asked() {
            studio.stop();
            break;
        }
    }
    if is_watched {
        draw("");
    }
    Ok(stop::is_asked())
}

fn write(to: Option<&Path>, text: &str) -> Result<(), Error> {
    let (to, mut out) = flows::output(to)?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { to, source })
}

fn json(value: &impl serde::Serialize) -> String {
    // Numbers, texts and lists always have a form in JSON.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

pub(crate) fn train(arguments: &Train) -> Result<Outcome, Error> {
    let (mut studio, outcome) = arguments.data.studio(None)?;
    let stem = inputs::stem(&arguments.output);
    let plan = TrainingPlan {
        is_unique: arguments.data.unique,
        name: arguments.name.clone().unwrap_or(stem),
        sources: arguments.source.clone(),
        ..arguments.how.plan(&arguments.method)
    };
    if learn(&mut studio, &plan)? {
        let (en, ru) = ("stopped; there is no model", "остановлено; модели нет");
        return Err(Error::Start(words(en, ru).to_owned()));
    }
    let Some(model) = studio.model() else {
        return Err(Error::Start(words("there is no model", "модели нет").to_owned()));
    };
    let to = arguments.output.display().to_string();
    fs::write(&arguments.output, model.write()).map_err(|source| Error::Write { to, source })?;
    let rows: u64 = model.card.rows.iter().sum();
    let classes = engine::plain(&model.classes().join(", "));
    voice::say(words(
        format!("learned {classes} from {rows} rows"),
        format!("выучено: {classes}; строк: {rows}"),
    ));
    if let Some(report) = studio.report() {
        write(None, &text::report(&report))?;
    }
    Ok(outcome)
}

pub(crate) fn evaluate(arguments: &Evaluate) -> Result<Outcome, Error> {
    if let Some(path) = &arguments.model {
        return judge(arguments, path);
    }
    let (mut studio, outcome) = arguments.data.studio(None)?;
    let names: Vec<&str> = if arguments.method == ALL {
        learn::METHODS.iter().map(|it| it.name).collect()
    } else {
        vec![&arguments.method]
    };
    let mut reports: Vec<TrainingReport> = Vec::new();
    for name in names {
        let mut plan = TrainingPlan {
            is_unique: arguments.data.unique,
            has_importance: arguments.importance,
            has_curve: arguments.curve,
            has_model: false,
            ..arguments.how.plan(name)
        };
        if arguments.method == ALL {
            // A number is of the methods that have it.
            plan.numbers.retain(|number, _| {
                let knob = learn::KNOBS.iter().find(|it| it.name == number);
                let method = learn::Method::named(name);
                knob.zip(method).is_none_or(|(knob, method)| knob.of.contains(&method))
            });
        }
        let was_stopped = learn(&mut studio, &plan)?;
        // Stopped before anything was judged, the report is still that of the method before.
        reports.extend(studio.report().filter(|it| it.how.method == name));
        if was_stopped {
            break;
        }
    }
    if arguments.form.is_json() {
        let text = match &*reports {
            [report] if arguments.method != ALL => json(report),
            reports => json(&reports),
        };
        return write(None, &text).map(|()| outcome);
    }
    if arguments.method == ALL {
        write(None, &text::comparison(&reports))?;
    }
    let f1 = |it: &&TrainingReport| it.figures.macro_mean.f1;
    let best = reports.iter().rev().max_by(|a, b| f1(a).total_cmp(&f1(b)));
    match best {
        Some(best) => write(None, &text::report(best)).map(|()| outcome),
        None => Err(Error::Usage("nothing was judged: --folds is 0, or it was stopped".to_owned())),
    }
}

/// Judges a model that was there already, or two of them.
fn judge(arguments: &Evaluate, path: &Path) -> Result<Outcome, Error> {
    let model = read_model(path)?;
    let other = arguments.compare.as_deref().map(read_model).transpose()?;
    let (mut studio, outcome) = arguments.data.studio(Some(&model))?;
    studio.judge(&model).map_err(refused)?;
    let report = studio.report().unwrap_or_default();
    let Some(other) = other else {
        let text = if arguments.form.is_json() { json(&report) } else { text::report(&report) };
        return write(None, &text).map(|()| outcome);
    };
    let right = studio.right();
    studio.judge(&other).map_err(refused)?;
    let other_right = studio.right();
    let reports = [report, studio.report().unwrap_or_default()];
    if arguments.form.is_json() {
        return write(None, &json(&reports)).map(|()| outcome);
    }
    let pairs: Vec<(bool, bool)> = right.into_iter().zip(other_right).collect();
    write(None, &text::difference(&reports, &pairs)).map(|()| outcome)
}

pub(crate) fn classify(arguments: &Classify) -> Result<Outcome, Error> {
    let model = Arc::new(model(arguments.model.as_deref())?);
    let (tables, captures): (Vec<PathBuf>, Vec<PathBuf>) =
        arguments.captures.iter().cloned().partition(|it| inputs::is_table(it));
    if !tables.is_empty() {
        if !captures.is_empty() {
            let message = "captures and data sets cannot be written into one file";
            return Err(Error::Usage(message.to_owned()));
        }
        return inputs::classify_tables(arguments, &tables, &model);
    }
    let rules = Rules { own: Arc::new(arguments.own.read()?), ..Rules::default() };
    let filter = arguments.filter.parse()?;
    let schema = arguments.schema.as_deref();
    let rows = Rows::new(&arguments.format, schema, engine::Timeout::None, filter)?;
    let how = arguments.applying();
    let files = Captures::of(captures).files()?;
    let mut writer =
        Writer::open(rows, arguments.output.as_deref(), &files, files.paths.len() == 1)?;
    let outcome = input::each(&files, &rules, arguments.effort, |capture, mut analysis| {
        let applied = analysis.apply(&model, &how);
        let applied = applied.map_err(|error| Error::Usage(error.to_string()))?;
        let name = engine::plain(&capture.to_string_lossy());
        let v1::page::ModelApplied { asked, labelled, unsure, unlike, .. } = applied;
        voice::say(words(
            format!(
                "{name}: {labelled} of {asked} flows labelled by the model; of {unsure} it is not sure, {unlike} are like nothing it knows"
            ),
            format!(
                "{name}: модель дала метку {labelled} из {asked} потоков; в {unsure} она не уверена, {unlike} не похожи ни на что ей известное"
            ),
        ));
        writer.add(&analysis, &capture.to_string_lossy(), arguments.effort.threads)
    })?;
    writer.finish()?;
    Ok(outcome)
}

pub(crate) fn show(arguments: &ShowModel) -> Result<Outcome, Error> {
    let card = engine::card(&model(arguments.model.as_deref())?);
    let text = if arguments.form.is_json() { json(&card) } else { text::card(&card) };
    write(None, &text).map(|()| Outcome::Complete)
}
