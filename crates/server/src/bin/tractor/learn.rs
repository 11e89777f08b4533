//! `tractor train`, `tractor evaluate` and `tractor classify`: learning from captures, and applying what was learned.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use classify::{Confusion, Example, Model, Split, Training};
use engine::{Export, FlowWriter, Rules};
use features::Schema;
use server::arff;

use crate::{
    Error, Outcome,
    flows::{self, Timeout},
    input,
};

/// What is learned from, and how.
#[derive(Args)]
struct Data {
    /// Capture files.
    #[arg(required_unless_present = "arff", value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// Instead of captures: a file of features in Weka's format, its columns by place those of the schema.
    #[arg(long, value_name = "FILE", conflicts_with = "captures")]
    arff: Option<PathBuf>,
    /// Where the label of a flow comes from.
    #[arg(long, value_enum, default_value_t = LabelFrom::File)]
    label_from: LabelFrom,
    /// The features to learn from: tractor, iscx-b or iscx-a2. Without it tractor, of a feature file iscx-b.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Cut flows that last longer, in seconds; none leaves them whole.
    #[arg(long, value_name = "SECONDS|none", default_value = "none", value_parser = flows::timeout)]
    timeout: Timeout,
    /// How many trees are grown.
    #[arg(long, value_name = "N", default_value_t = 100)]
    trees: u16,
    /// The same seed gives the same model.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    effort: input::Effort,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum LabelFrom {
    /// The capture's file name: a capture holds one application.
    File,
    /// What each flow says of itself; flows that say nothing are left out.
    Payload,
}

#[derive(Clone, Copy, ValueEnum)]
enum SplitName {
    /// Whole captures are judged by a model that never saw them.
    Capture,
    /// Runs of flows within each label.
    Blocks,
    /// At random; flows of one capture stand on both sides, so the figures flatter.
    Shuffle,
}

#[derive(Args)]
pub(crate) struct Train {
    #[command(flatten)]
    data: Data,
    /// Write the model to this file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    data: Data,
    /// Judge this model, by captures it was not trained on.
    #[arg(long, value_name = "FILE", conflicts_with = "split")]
    model: Option<PathBuf>,
    /// Without a model: how flows are divided into those to learn from and those to judge by. Without it by capture, those
    /// of a feature file by blocks.
    #[arg(long, value_enum)]
    split: Option<SplitName>,
    /// Into how many parts.
    #[arg(long, value_name = "N", default_value_t = 10)]
    folds: u32,
}

#[derive(Args)]
pub(crate) struct Classify {
    /// Capture files; - reads standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// The model, as `tractor train` wrote it.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    effort: input::Effort,
}

impl Data {
    fn training(&self) -> Result<Training, Error> {
        let usual = if self.arff.is_some() { &features::ISCX_B } else { &features::TRACTOR };
        let schema = self.schema.as_deref().map_or(Ok(usual), flows::schema)?;
        let timeout_micros = self.timeout.0;
        Ok(Training { schema, timeout_micros, n_trees: self.trees, seed: self.seed })
    }

    /// Every flow of the captures as a row.
    fn examples(
        &self,
        schema: &Schema,
        timeout_micros: Option<u64>,
    ) -> Result<(Vec<Example>, Outcome), Error> {
        if let Some(path) = &self.arff {
            let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
            let text = fs::read_to_string(path).map_err(|error| about(error.to_string()))?;
            return Ok((arff::examples(&text, schema).map_err(about)?, Outcome::Complete));
        }
        let (mut examples, mut origin) = (Vec::new(), 0);
        let outcome =
            input::each(&self.captures, &Rules::default(), self.effort, |capture, analysis| {
                let stem = stem(capture);
                let label = (self.label_from == LabelFrom::File).then_some(&*stem);
                examples.extend(analysis.examples(schema, timeout_micros, label, origin));
                origin += 1;
                Ok::<(), Error>(())
            })?;
        Ok((examples, outcome))
    }
}

/// A capture's name without folder and extensions: the label of all its flows.
fn stem(capture: &Path) -> String {
    let name = capture.file_name().unwrap_or_default().to_string_lossy();
    let end = name.find('.').filter(|it| *it > 0).unwrap_or(name.len());
    name.get(..end).unwrap_or(&name).to_owned()
}

fn read_model(path: &Path) -> Result<Model, Error> {
    let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
    let bytes = fs::read(path).map_err(|error| about(error.to_string()))?;
    Model::read(&bytes).map_err(|error| about(error.to_string()))
}

pub(crate) fn train(arguments: &Train) -> Result<Outcome, Error> {
    let training = arguments.data.training()?;
    let (examples, outcome) = arguments.data.examples(training.schema, training.timeout_micros)?;
    let model = Model::train(&examples, training).map_err(|it| Error::Usage(it.to_string()))?;
    let to = arguments.output.display().to_string();
    fs::write(&arguments.output, model.write()).map_err(|source| Error::Write { to, source })?;
    eprintln!("learned {} from {} flows", model.labels().join(", "), examples.len());
    Ok(outcome)
}

pub(crate) fn evaluate(arguments: &Evaluate) -> Result<Outcome, Error> {
    let (confusion, how, outcome) = match &arguments.model {
        Some(path) => {
            let model = read_model(path)?;
            let schema = model.schema().unwrap_or(&features::TRACTOR);
            let (examples, outcome) = arguments.data.examples(schema, model.timeout_micros())?;
            let mut confusion = Confusion::default();
            for it in &examples {
                confusion.add(&it.label, model.predict(&it.features).0);
            }
            (confusion, format!("the model {}", path.display()), outcome)
        }
        None => {
            let training = arguments.data.training()?;
            let (examples, outcome) =
                arguments.data.examples(training.schema, training.timeout_micros)?;
            let is_file = arguments.data.arff.is_some();
            let usual = if is_file { SplitName::Blocks } else { SplitName::Capture };
            let (split, name) = match arguments.split.unwrap_or(usual) {
                SplitName::Capture if is_file => {
                    let message = "a feature file does not say which captures its rows are from";
                    return Err(Error::Usage(message.to_owned()));
                }
                SplitName::Capture => (Split::Capture, "by capture"),
                SplitName::Blocks => (Split::Blocks, "by blocks within each label"),
                SplitName::Shuffle => (Split::Shuffle, "at random"),
            };
            if split == Split::Capture {
                warn_of_lone_labels(&examples);
            }
            let confusion = classify::evaluate(&examples, training, split, arguments.folds)
                .map_err(|it| Error::Usage(it.to_string()))?;
            (confusion, format!("{} parts, split {name}", arguments.folds), outcome)
        }
    };
    let (to, mut out) = flows::output(None)?;
    out.write_all(report(&confusion, &how).as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { to, source })?;
    Ok(outcome)
}

pub(crate) fn classify(arguments: &Classify) -> Result<Outcome, Error> {
    let model = read_model(&arguments.model)?;
    let rules = Rules { own: Arc::new(arguments.own.read()?), ..Rules::default() };
    let export = Export::new("jsonl", None).map_err(Error::Usage)?;
    let (to, out) = flows::output(arguments.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    let mut writer = FlowWriter::new(export, out, arguments.captures.len() == 1);
    let outcome =
        input::each(&arguments.captures, &rules, arguments.effort, |capture, mut analysis| {
            analysis.apply(&model);
            writer.add(&analysis, &capture.to_string_lossy()).map_err(failed)
        })?;
    writer.finish().map_err(failed)?;
    Ok(outcome)
}

/// Says which labels nothing can be learned of once their only capture is taken away to judge by.
fn warn_of_lone_labels(examples: &[Example]) {
    let mut origins: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for it in examples {
        origins.entry(&it.label).or_default().insert(it.origin);
    }
    let lone: Vec<&str> = origins.iter().filter(|it| it.1.len() == 1).map(|it| *it.0).collect();
    if !lone.is_empty() {
        let (n, of, names) = (lone.len(), origins.len(), lone.join(", "));
        eprintln!(
            "tractor: {n} of {of} labels are in one capture alone and cannot be told by another: {names}"
        );
    }
}

/// The figures and the matrix as text.
fn report(confusion: &Confusion, how: &str) -> String {
    let labels = confusion.labels();
    let width = labels.iter().map(|it| it.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!(
        "{} flows judged: {how}\naccuracy {:.3}, macro F1 {:.3}\n\n",
        confusion.total(),
        confusion.accuracy(),
        confusion.macro_f1()
    );
    text += &format!("{:width$}  precision  recall     f1  flows\n", "label");
    for label in &labels {
        let it = confusion.score(label);
        text += &format!(
            "{label:width$}  {:9.3}  {:6.3}  {:5.3}  {:5}\n",
            it.precision, it.recall, it.f1, it.support
        );
    }
    text += "\nrows are what flows are, columns what was said of them, in the same order\n";
    for is in &labels {
        text += &format!("{is:width$}");
        for said in &labels {
            text += &format!(" {:6}", confusion.count(is, said));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_labelled_by_its_name() {
        assert_eq!(stem(Path::new("folder/skype.2.pcap.gz")), "skype");
        assert_eq!(stem(Path::new("plain")), "plain");
        assert_eq!(stem(Path::new(".hidden")), ".hidden");
    }

    #[test]
    fn a_report_names_its_split() {
        let mut confusion = Confusion::default();
        confusion.add("a", "a");
        confusion.add("b", "a");
        let text = report(&confusion, "2 parts, split by capture");
        assert!(text.starts_with("2 flows judged: 2 parts, split by capture\naccuracy 0.500"));
        assert!(text.ends_with("a          1      0\nb          1      0\n"), "{text}");
    }
}
