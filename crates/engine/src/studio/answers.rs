//! What is told of learning: choices, reports and models, as the page has them.

use features::Schema;
use learn::{Confusion, KNOBS, METHODS, Model, Options, SPLITS, Score};
use v1::{
    Count,
    page::{
        Baseline, ColumnRow, CurvePoint, Figures, ImportanceRow, MethodChoice, ModelCard,
        ModelJudged, NumberChoice, ReliabilityRow, ScoreRow, SplitChoice, TrainingChoices,
        TrainingHow, TrainingReport, Words,
    },
};

use super::Judged;
use crate::page;

fn words(it: features::Words) -> Words {
    Words { en: it.en.to_owned(), ru: it.ru.to_owned() }
}

/// How models can be learned and judged.
pub fn choices() -> TrainingChoices {
    let methods = METHODS.iter().map(|row| {
        let mut usual = Options::of(row.method);
        let knobs = KNOBS.iter().filter(|it| it.of.contains(&row.method));
        let numbers = knobs.map(|it| NumberChoice {
            name: it.name.to_owned(),
            what: words(it.what),
            least: it.range.0,
            greatest: it.range.1,
            usual: *(it.number)(&mut usual),
        });
        MethodChoice {
            name: row.name.to_owned(),
            title: words(row.title),
            what: words(row.what),
            numbers: numbers.collect(),
        }
    });
    let splits = SPLITS.iter();
    let splits = splits.map(|it| SplitChoice { name: it.name.to_owned(), what: words(it.what) });
    TrainingChoices { methods: methods.collect(), splits: splits.collect() }
}

/// The columns of a schema, or of a table, of which only the names are known.
pub(super) fn columns(schema: Option<&'static Schema>, names: &[String]) -> Vec<ColumnRow> {
    match schema {
        Some(schema) => schema.features().map(page::schemas::column).collect(),
        None => {
            let column = |it: &String| ColumnRow {
                name: it.clone(),
                unit: String::new(),
                what: Words { en: it.clone(), ru: it.clone() },
            };
            names.iter().map(column).collect()
        }
    }
}

/// What is to be known of a model.
pub fn card(model: &Model) -> ModelCard {
    let card = &model.card;
    let classes = model.classes().iter().zip(&card.rows);
    let judged = card.judged.as_ref().map(|it| ModelJudged {
        split: it.split.row().name.to_owned(),
        folds: it.folds,
        leaking: it.leaking,
        majority: it.majority,
        figures: figures(&it.confusion),
    });
    ModelCard {
        name: model.name.clone(),
        schema: model.schema().map(|it| it.name.to_owned()),
        columns: model.columns().len() as u64,
        timeout_micros: model.timeout_micros(),
        how: how(&card.options),
        classes: classes.map(|it| Count { label: it.0.clone(), count: *it.1 }).collect(),
        captures: card.captures,
        judged,
        sources: card.sources.clone(),
    }
}

fn how(options: &Options) -> TrainingHow {
    let mut numbers_of = *options;
    let knobs = KNOBS.iter().filter(|it| it.of.contains(&options.method));
    let numbers = knobs.map(|it| (it.name.to_owned(), *(it.number)(&mut numbers_of))).collect();
    TrainingHow {
        method: options.method.row().name.to_owned(),
        numbers,
        is_balanced: options.is_balanced,
        seed: options.seed,
    }
}

fn score(label: &str, it: Score) -> ScoreRow {
    let Score { support, precision, recall, f1 } = it;
    ScoreRow { label: label.to_owned(), rows: support, precision, recall, f1 }
}

fn figures(confusion: &Confusion) -> Figures {
    let classes = confusion.classes().iter().enumerate();
    Figures {
        rows: confusion.total(),
        accuracy: confusion.accuracy(),
        macro_mean: score("", confusion.macro_mean()),
        weighted_mean: score("", confusion.weighted_mean()),
        classes: classes.map(|(at, label)| score(label, confusion.score(at))).collect(),
        confusion: confusion.counts().to_vec(),
    }
}

fn baseline(confusion: &Confusion) -> Baseline {
    Baseline { accuracy: confusion.accuracy(), macro_f1: confusion.macro_mean().f1 }
}

impl Judged {
    /// How well it does.
    pub(super) fn told(&self) -> TrainingReport {
        let report = &self.report;
        let reliability = report.reliability.iter();
        let reliability =
            reliability.map(|it| ReliabilityRow { rows: it.n, share: it.share, right: it.right });
        let columns = columns(self.columns.schema, &self.columns.names);
        let importance = columns.into_iter().zip(&report.importance);
        let mut importance: Vec<ImportanceRow> =
            importance.map(|(column, lost)| ImportanceRow { column, lost: *lost }).collect();
        importance.sort_by(|a, b| b.lost.total_cmp(&a.lost));
        let curve = report.curve.iter();
        let curve = curve.map(|(rows, accuracy, macro_f1)| CurvePoint {
            rows: *rows,
            accuracy: *accuracy,
            macro_f1: *macro_f1,
        });
        TrainingReport {
            model: self.model.clone(),
            how: how(&self.options),
            split: report.split.map(|it| it.row().name.to_owned()),
            folds: report.folds,
            is_stopped: self.is_stopped,
            dropped: self.n_dropped,
            leaking: report.leaking,
            figures: figures(&report.confusion),
            majority: baseline(&report.majority),
            ports: report.ports.as_ref().map(baseline),
            reliability: reliability.collect(),
            calibration_error: report.calibration_error,
            importance,
            curve: curve.collect(),
        }
    }
}
