//! What a model says of the flows of a capture: which have its label, which it does not know, and why.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use classify::{Guess, Reason, Verdict};
use features::{Piece, Rows, Schema};
use learn::{Cause, Model};
use v1::page::{CauseRow, ClassShare, GuessDetail, ModelApplied, RuleWord, Words};

use crate::{Analysis, lesson::numbers, page};

/// How many rows a model is asked of at once.
const BATCH: usize = 4_096;
/// Beyond which share of columns that are less or more than in any row learned from a flow is unlike all of them.
const MAX_OUTSIDE: f32 = 0.25;
/// How many columns are told as deciding.
const N_CAUSES: usize = 3;
/// How many classes are told.
const N_LIKELIEST: usize = 3;

/// When a model's word counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Applying {
    /// Where it is right less often than this with such a share, the flow stays unknown; 0 to 1.
    pub threshold: f32,
    /// Flows that say something of themselves get its label too; those a rule of the user's names keep theirs.
    pub over_payload: bool,
}

impl Default for Applying {
    fn default() -> Self {
        Self { threshold: 0.5, over_payload: false }
    }
}

/// A model cannot be asked of flows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model {model} looks at columns that are not features of this program: it can judge tables alone"
)]
pub struct NotOfFlows {
    model: String,
}

/// The model that was asked, and what flows were called before.
#[derive(Debug, Default)]
pub(crate) struct Guesses {
    model: Option<Arc<Model>>,
    threshold: f32,
    before: BTreeMap<u32, Before>,
}

/// What a flow was called before a model was asked, and why.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) label: Cow<'static, str>,
    pub(crate) group: &'static str,
    reason: Reason,
}

impl Guesses {
    /// What a flow was called that said something of itself.
    pub(crate) fn before(&self, flow: u32) -> Option<&Before> {
        self.before.get(&flow)
    }
}

/// Rows a model is asked of.
#[derive(Default)]
struct Batch {
    /// How many rows each question has.
    questions: Vec<usize>,
    /// Flows and the question that is about each.
    flows: Vec<(u32, usize)>,
    values: Vec<f32>,
}

/// What a model says of a flow.
struct Said {
    flow: u32,
    class: usize,
    confidence: f32,
    is_unlike: bool,
}

impl Batch {
    /// What the model says: of a question with several rows by the mean of their shares.
    fn settle(&mut self, model: &Model) -> Vec<Said> {
        let width = model.columns().len().max(1);
        let rows: Vec<&[f32]> = self.values.chunks_exact(width).collect();
        let shares = model.shares(&rows);
        let (mut shares, mut rows) = (shares.into_iter(), rows.into_iter());
        let mut answers = Vec::with_capacity(self.questions.len());
        for n in &self.questions {
            let mean = mean(shares.by_ref().take(*n), *n, model);
            let outside: f32 = rows.by_ref().take(*n).map(|it| model.outside(it)).sum();
            answers.push((model.choose(&mean), outside / *n as f32 > MAX_OUTSIDE));
        }
        let said = self.flows.iter().filter_map(|(flow, question)| {
            let (said, is_unlike) = *answers.get(*question)?;
            let (class, confidence) = (said.class, said.confidence);
            Some(Said { flow: *flow, class, confidence, is_unlike })
        });
        let said = said.collect();
        *self = Self::default();
        said
    }
}

/// The mean of the shares of so many rows.
fn mean(shares: impl Iterator<Item = Vec<f32>>, n: usize, model: &Model) -> Vec<f32> {
    let mut mean = vec![0.0; model.classes().len()];
    for of_row in shares {
        for (sum, share) in mean.iter_mut().zip(of_row) {
            *sum += share / n as f32;
        }
    }
    mean
}

/// The likeliest classes; of equal ones the first.
fn likeliest(model: &Model, shares: &[f32]) -> Vec<ClassShare> {
    let mut left: Vec<(&String, f32)> =
        model.classes().iter().zip(shares.iter().copied()).collect();
    let mut likeliest = Vec::new();
    while likeliest.len() < N_LIKELIEST {
        let places = (0..left.len()).rev();
        let share = |at: usize| left.get(at).map_or(0.0, |it| it.1);
        let Some(at) = places.max_by(|a, b| share(*a).total_cmp(&share(*b))) else { break };
        let (label, share) = left.remove(at);
        likeliest.push(ClassShare {
            label: label.clone(),
            group: classify::group_of_class(label).to_owned(),
            share: share.into(),
        });
    }
    likeliest
}

impl Analysis {
    /// Whether a model was asked.
    pub(crate) fn has_guesses(&self) -> bool {
        self.guesses.model.is_some()
    }

    /// The label of a flow as rules and payload have it, and its group.
    pub(crate) fn by_rules<'a>(&'a self, number: u32, verdict: &'a Verdict) -> (&'a str, &'a str) {
        match (&verdict.reason, self.guesses.before(number)) {
            (_, Some(before)) => (&before.label, before.group),
            (Reason::Model(_), None) => (classify::UNKNOWN, classify::UNKNOWN),
            _ => (&verdict.label, verdict.group),
        }
    }

    /// What rules and payload say of a flow; `None` where its label is theirs.
    pub(crate) fn rule_word(&self, number: u32) -> Option<RuleWord> {
        let (_, verdict) = self.labelled(number)?;
        if !matches!(verdict.reason, Reason::Model(_)) {
            return None;
        }
        let mut said = verdict.clone();
        match self.guesses.before(number) {
            Some(before) => {
                (said.label, said.group) = (before.label.clone(), before.group);
                said.reason = before.reason.clone();
            }
            None => classify::take_model_back(&mut said),
        }
        Some(RuleWord {
            label: said.label.clone().into_owned(),
            group: said.group.to_owned(),
            evidence: said.evidence().to_owned(),
            reason: said.sentence().into_owned(),
        })
    }

    /// Labels the flows that say nothing of themselves by a model, and takes back what another one said before.
    ///
    /// Pieces that the model's timeout makes of a flow each have their say. A model of sessions says the same of all flows of
    /// a session.
    ///
    /// # Errors
    /// Where the model looks at columns that are no features of ours.
    pub fn apply(
        &mut self,
        model: &Arc<Model>,
        how: &Applying,
    ) -> Result<ModelApplied, NotOfFlows> {
        let Some(schema) = model.schema() else {
            return Err(NotOfFlows { model: model.name.clone() });
        };
        self.take_guesses_back();
        let said = self.said(model, schema, how);
        let name: Arc<str> = capture::plain(&model.name).into();
        let mut applied = ModelApplied { name: name.to_string(), ..ModelApplied::default() };
        for it in said {
            let Some(verdict) = self.verdicts.get_mut(it.flow as usize) else { continue };
            let guess = Guess {
                model: Arc::clone(&name),
                confidence: it.confidence,
                is_unlike: it.is_unlike,
            };
            let is_sure = it.confidence >= how.threshold && !it.is_unlike;
            let is_own = verdict.label != classify::UNKNOWN;
            applied.asked += 1;
            match model.classes().get(it.class) {
                Some(label) if is_sure => {
                    if is_own {
                        applied.overridden += u64::from(*verdict.label != **label);
                        let (label, group) = (verdict.label.clone(), verdict.group);
                        let before = Before { label, group, reason: verdict.reason.clone() };
                        self.guesses.before.insert(it.flow, before);
                    }
                    classify::relabel_by_model(verdict, label, guess);
                    applied.labelled += 1;
                }
                _ => {
                    applied.unlike += u64::from(it.is_unlike);
                    applied.unsure += u64::from(!it.is_unlike);
                    if !is_own {
                        verdict.reason = Reason::Unguessed(guess);
                    }
                }
            }
        }
        self.guesses.model = Some(Arc::clone(model));
        self.guesses.threshold = how.threshold;
        self.order = std::sync::Mutex::default();
        self.counted = std::sync::Mutex::default();
        Ok(applied)
    }

    /// Takes back what a model said.
    pub fn take_guesses_back(&mut self) {
        for verdict in &mut self.verdicts {
            if matches!(verdict.reason, Reason::Model(_) | Reason::Unguessed(_)) {
                classify::take_model_back(verdict);
            }
        }
        for (flow, before) in std::mem::take(&mut self.guesses.before) {
            if let Some(verdict) = self.verdicts.get_mut(flow as usize) {
                (verdict.label, verdict.group) = (before.label, before.group);
                verdict.reason = before.reason;
            }
        }
        self.guesses = Guesses::default();
        self.order = std::sync::Mutex::default();
        self.counted = std::sync::Mutex::default();
    }

    /// What a model says of every flow that is to be asked of.
    fn said(&self, model: &Model, schema: &'static Schema, how: &Applying) -> Vec<Said> {
        let is_asked =
            |it: &Verdict| it.label == classify::UNKNOWN || how.over_payload && !it.is_own();
        let is_asked = |it: u32| self.verdicts.get(it as usize).is_some_and(is_asked);
        let mut said = Vec::new();
        let mut batch = Batch::default();
        let mut settle_full = |batch: &mut Batch, is_last: bool| {
            if is_last || batch.values.len() >= BATCH * model.columns().len().max(1) {
                said.extend(batch.settle(model));
            }
        };
        if schema.rows == Rows::Sessions {
            let sessions = self.sessions();
            for number in 0..sessions.len() as u32 {
                let members = sessions.get(number).map(|it| it.members).unwrap_or_default();
                let asked = members.iter().copied().filter(|it| is_asked(*it));
                let question = batch.questions.len();
                let known = batch.flows.len();
                batch.flows.extend(asked.map(|it| (it, question)));
                if batch.flows.len() == known {
                    continue;
                }
                match self.session_features(number, schema) {
                    Some((_, sample)) => {
                        batch.values.extend(numbers(schema, &sample));
                        batch.questions.push(1);
                    }
                    None => batch.flows.truncate(known),
                }
                settle_full(&mut batch, false);
            }
        } else {
            let cut = schema.cut(model.timeout_micros());
            for (number, flow) in (0..).zip(&self.flows) {
                if !is_asked(number) {
                    continue;
                }
                let pieces = features::pieces(flow, cut);
                if pieces.is_empty() {
                    continue;
                }
                batch.flows.push((number, batch.questions.len()));
                batch.questions.push(pieces.len());
                for piece in &pieces {
                    batch.values.extend(numbers(schema, &piece.sample(schema)));
                }
                settle_full(&mut batch, false);
            }
        }
        settle_full(&mut batch, true);
        said
    }

    /// What the model that was asked says of a flow, and why; `None` where it was not asked of this one.
    pub(crate) fn guess(&self, number: u32) -> Option<GuessDetail> {
        let (flow, verdict) = self.labelled(number)?;
        let (guess, is_taken) = match &verdict.reason {
            Reason::Model(guess) => (guess, true),
            Reason::Unguessed(guess) => (guess, false),
            _ => return None,
        };
        let model = self.guesses.model.as_ref()?;
        let schema = model.schema()?;
        let rows: Vec<Vec<f32>> = if schema.rows == Rows::Sessions {
            let (_, sample) = self.session_features(self.sessions().of(number), schema)?;
            vec![numbers(schema, &sample).collect()]
        } else {
            let row = |it: &Piece<'_>| numbers(schema, &it.sample(schema)).collect();
            features::pieces(flow, schema.cut(model.timeout_micros())).iter().map(row).collect()
        };
        // The piece that speaks most for the label tells why.
        let shares = model.shares(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mean = mean(shares.iter().cloned(), rows.len(), model);
        let class = model.choose(&mean).class;
        let share = |it: usize| shares.get(it).and_then(|it| it.get(class)).copied();
        let share = |it: usize| share(it).unwrap_or(0.0);
        let best = (0..rows.len()).rev().max_by(|a, b| share(*a).total_cmp(&share(*b)))?;
        let causes = model.causes(rows.get(best)?, class);
        let causes = causes.iter().take(N_CAUSES).filter_map(|it| cause(schema, it));
        Some(GuessDetail {
            model: guess.model.to_string(),
            label: model.classes().get(class)?.clone(),
            confidence: guess.confidence.into(),
            threshold: self.guesses.threshold.into(),
            is_unlike: guess.is_unlike,
            is_taken,
            likeliest: likeliest(model, &mean),
            classes: model.classes().len() as u64,
            causes: causes.collect(),
        })
    }
}

/// A column that decided, in words.
fn cause(schema: &Schema, cause: &Cause) -> Option<CauseRow> {
    let column = schema.features().nth(cause.column)?;
    let row = page::schemas::column(column);
    let value = Some(f64::from(cause.value)).filter(|it| !it.is_nan());
    let (en, ru) = match value {
        None => ("there is none".to_owned(), "нет значения".to_owned()),
        Some(value) => {
            let unit = column.unit.symbol();
            let (number, number_ru) = (rounded(value, ',', '.'), rounded(value, '\u{a0}', ','));
            // About so many of the rows learned from have less, or, below the middle, no less.
            let (share, more, more_ru) = match cause.above {
                0..5 => (95, "no more", "не больше"),
                5..25 => (75, "no more", "не больше"),
                25..50 => (50, "no more", "не больше"),
                above => (above, "more", "больше"),
            };
            let space = if unit.is_empty() { "" } else { "\u{a0}" };
            let unit_ru = unit_ru(unit);
            (
                format!("{number}{space}{unit}, {more} than in {share} % of the rows learned from"),
                format!("{number_ru}{space}{unit_ru}, {more_ru}, чем в {share} % строк обучения"),
            )
        }
    };
    let words = Words {
        en: format!("{}: {en}", column.english()),
        ru: format!("{}: {ru}", column.russian()),
    };
    Some(CauseRow { column: row, value, above: cause.above, words })
}

/// A number with at most three digits after the point, or none where they do not matter.
fn rounded(value: f64, between_thousands: char, point: char) -> String {
    let digits = match value.abs() {
        it if it >= 1_000.0 || it == it.trunc() => 0,
        it if it >= 10.0 => 1,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((&*text, None), |it| (it.0, Some(it.1)));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let is_apart = (whole.len() - at).is_multiple_of(3) && at > 0 && !out.ends_with('-');
        if is_apart {
            out.push(between_thousands);
        }
        out.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{out}{point}{fraction}"),
        None => out,
    }
}

fn unit_ru(symbol: &str) -> &str {
    match symbol {
        "µs" => "мкс",
        "ms" => "мс",
        "s" => "с",
        "µs²" => "мкс²",
        "B" => "Б",
        "B²" => "Б²",
        "1/s" => "1/с",
        "B/s" => "Б/с",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: f64, expected: &str) {
        assert_eq!(rounded(value, ',', '.'), expected);
    }

    #[test]
    fn numbers_are_short() {
        check(1_380.0, "1,380");
        check(1_234_567.8, "1,234,568");
        check(12.345, "12.3");
        check(0.123_45, "0.123");
        check(-100.0, "-100");
        check(-1_000.0, "-1,000");
        check(0.0, "0");
    }

    #[test]
    fn a_cause_is_told_in_both_languages() {
        let of = |above| {
            let of = Cause { column: 0, value: 1_380.0, above, weight: 0.5 };
            cause(&features::TRACTOR, &of).unwrap().words
        };
        let english = features::TRACTOR.features().next().unwrap().english();
        assert!(of(95).en.starts_with(&format!("{english}: 1,380")));
        assert!(of(95).en.ends_with("more than in 95 % of the rows learned from"));
        assert!(of(0).ru.ends_with("не больше, чем в 95 % строк обучения"));
    }
}
