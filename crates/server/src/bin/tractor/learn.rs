//! `tractor train`, `tractor evaluate` and `tractor classify`: learning from captures, and applying what was learned.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use engine::{Applying, Export, Filter, FlowWriter, Lesson, Rules, Studio, Teacher};
use learn::Model;
use v1::page::TrainingPlan;

use crate::{
    Error, Outcome,
    flows::{self, Timeout},
    input,
};

/// What is learned from, and how.
#[derive(Args)]
struct Data {
    /// Capture files; a capture holds one application and is named after it.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// The features to learn from.
    #[arg(long, value_name = "NAME", default_value = "tractor")]
    schema: String,
    /// Cut flows that last longer, in seconds; none leaves them whole.
    #[arg(long, value_name = "SECONDS|none", default_value = "none", value_parser = flows::timeout)]
    timeout: Timeout,
    /// The same seed gives the same model.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    effort: input::Effort,
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
    /// Every flow of the captures as a row, and what comes of it.
    fn learn(&self, has_model: bool) -> Result<(Studio, Outcome), Error> {
        let mut studio = Studio::new(flows::schema(&self.schema)?, self.timeout.0);
        let failed = |error: engine::StudioError| Error::Usage(error.to_string());
        let outcome =
            input::each(&self.captures, &Rules::default(), self.effort, |capture, analysis| {
                let teacher = Teacher::Given(stem(capture));
                let lesson = Lesson { filter: Filter::default(), teacher };
                let name = capture.to_string_lossy();
                studio.add(&analysis, &name, &lesson).map(|_| ()).map_err(failed)
            })?;
        let plan = TrainingPlan { seed: self.seed, has_model, ..TrainingPlan::default() };
        studio.begin(&plan).map_err(failed)?;
        while studio.step().map_err(failed)?.is_some() {}
        Ok((studio, outcome))
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
    let (studio, outcome) = arguments.data.learn(true)?;
    let to = arguments.output.display().to_string();
    let model = studio.model().map(|it| it.write()).unwrap_or_default();
    fs::write(&arguments.output, model).map_err(|source| Error::Write { to, source })?;
    Ok(outcome)
}

pub(crate) fn evaluate(arguments: &Evaluate) -> Result<Outcome, Error> {
    let (studio, outcome) = arguments.data.learn(false)?;
    let figures = studio.report().unwrap_or_default().figures;
    eprintln!("accuracy {:.3}, macro F1 {:.3}", figures.accuracy, figures.macro_mean.f1);
    Ok(outcome)
}

pub(crate) fn classify(arguments: &Classify) -> Result<Outcome, Error> {
    let model = Arc::new(read_model(&arguments.model)?);
    let rules = Rules { own: Arc::new(arguments.own.read()?), ..Rules::default() };
    let export = Export::new("jsonl", None).map_err(Error::Usage)?;
    let (to, out) = flows::output(arguments.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    let mut writer = FlowWriter::new(export, out, arguments.captures.len() == 1);
    let outcome =
        input::each(&arguments.captures, &rules, arguments.effort, |capture, mut analysis| {
            let applied = analysis.apply(&model, &Applying::default());
            applied.map_err(|error| Error::Usage(error.to_string()))?;
            writer.add(&analysis, &capture.to_string_lossy()).map_err(failed)
        })?;
    writer.finish().map_err(failed)?;
    Ok(outcome)
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
}
