//! The whole of learning: data in, a model and how well it does out, in steps a host may show and stop between.

use std::sync::Arc;

use crate::{
    Card, Confusion, Data, Error, Fold, Judged, Model, Options, Reliability, Said, Split, baseline,
    calibrate::{Calibration, calibration_error, reliability},
    fit::{Fit, Learned},
    random::Random,
    shares::greatest,
    split::n_leaking,
};

/// The most classes a model tells apart: a leaf holds as many shares.
pub(crate) const MAX_CLASSES: usize = 256;
/// The shares of the rows a learning curve learns from, in hundredths, besides all.
const CURVE: [usize; 4] = [5, 10, 25, 50];

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How a model is learned.
    pub options: Options,
    /// How rows are divided to judge by; `None` for the most honest way the data allow.
    pub split: Option<Split>,
    /// Into how many parts; 0 judges nothing.
    pub folds: u32,
    /// Whether to find out how much each column matters.
    pub has_importance: bool,
    /// Whether to find out how much more rows would help.
    pub has_curve: bool,
    /// Whether to learn from all rows at the end.
    pub has_model: bool,
    /// Whose data it is, a line each.
    pub sources: Vec<String>,
}

impl Plan {
    /// The usual plan: judged in five parts, then a model.
    pub fn of(options: Options) -> Self {
        Self {
            options,
            split: None,
            folds: 5,
            has_importance: false,
            has_curve: false,
            has_model: true,
            sources: Vec::new(),
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
    /// What is done now.
    pub stage: Stage,
}

/// What is done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Learning without one part of the rows, the first being 0, to judge by it.
    Part(u32),
    /// Mixing up a column to see what it matters.
    Importance,
    /// Learning from fewer rows.
    Curve,
    /// Learning from all rows.
    Whole,
}

/// How well a way of learning does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// How rows were divided.
    pub split: Option<Split>,
    /// Into how many parts.
    pub folds: u32,
    /// How many judged rows came of a capture that was also learned from.
    pub leaking: u64,
    /// What was said of what.
    pub confusion: Confusion,
    /// What was said of each row of the data, where it was judged.
    pub said: Vec<Option<Said>>,
    /// What always saying the most frequent class gives.
    pub majority: Confusion,
    /// What the server's port alone gives, where rows have ports.
    pub ports: Option<Confusion>,
    /// How sure it was, and how often right.
    pub reliability: Vec<Reliability>,
    /// The mean distance of the two.
    pub calibration_error: f64,
    /// The accuracy lost where a column is mixed up, by column; empty where it was not asked for.
    pub importance: Vec<f64>,
    /// Rows learned from, the accuracy and the macro F1 with them; empty where it was not asked for.
    pub curve: Vec<(u64, f64, f64)>,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// How well it does, where it was judged.
    pub report: Option<Report>,
    /// The model, where one was asked for.
    pub model: Option<Model>,
}

/// Learning under way.
pub struct Work {
    data: Arc<Data>,
    plan: Plan,
    folds: Vec<Fold>,
    report: Report,
    n_done: u64,
    now: Now,
    model: Option<Learned>,
}

/// What the next step is.
enum Now {
    Part { number: usize, fit: Fit },
    Importance { number: usize, learned: Learned, column: usize },
    Curve { number: usize, rows: usize, fit: Fit },
    Whole(Fit),
    End,
}

impl Work {
    /// Begins.
    ///
    /// # Errors
    /// Where there are fewer than two classes, too many, or no way to judge by this split.
    pub fn new(data: Arc<Data>, plan: Plan) -> Result<Self, Error> {
        let n_classes = data.classes().len();
        if n_classes < 2 {
            return Err(Error::TooFewClasses { n_classes, n_rows: data.len() });
        }
        if n_classes > MAX_CLASSES {
            return Err(Error::TooManyClasses { n_classes, max: MAX_CLASSES });
        }
        if data.columns.len() >= usize::from(u16::MAX) {
            return Err(Error::TooManyColumns { n_columns: data.columns.len() });
        }
        let split = plan.split.unwrap_or_else(|| Split::honest(&data));
        let folds = match plan.folds {
            0 => Vec::new(),
            n => split.folds(&data, n, plan.options.seed),
        };
        if plan.folds > 0 && folds.is_empty() {
            return Err(Error::NothingToJudge { split: split.row().name });
        }
        let report = Report {
            split: Some(split),
            folds: folds.len() as u32,
            leaking: n_leaking(&data, &folds),
            confusion: Confusion::new(data.classes()),
            said: vec![None; data.len()],
            majority: baseline::majority(&data, &folds),
            ports: baseline::ports(&data, &folds),
            importance: if plan.has_importance {
                vec![0.0; data.columns.len()]
            } else {
                Vec::new()
            },
            ..Report::default()
        };
        let mut work = Self { data, plan, folds, report, n_done: 0, now: Now::End, model: None };
        work.now = work.part(0);
        Ok(work)
    }

    /// Goes a step; how far it is then, `None` at the end.
    pub fn step(&mut self) -> Option<Progress> {
        let now = std::mem::replace(&mut self.now, Now::End);
        let (next, stage) = match now {
            Now::Part { number, mut fit } => {
                let is_on = fit.step();
                self.n_done += 1;
                let next = if is_on {
                    Now::Part { number, fit }
                } else {
                    self.judge(number, fit.finish())
                };
                (next, Stage::Part(number as u32))
            }
            Now::Importance { number, learned, column } => {
                self.mix_up(number, &learned, column);
                self.n_done += 1;
                let next = if column + 1 < self.data.columns.len() {
                    Now::Importance { number, learned, column: column + 1 }
                } else {
                    self.part(number + 1)
                };
                (next, Stage::Importance)
            }
            Now::Curve { number, rows, mut fit } => {
                let is_on = fit.step();
                self.n_done += 1;
                let next = if is_on {
                    Now::Curve { number, rows, fit }
                } else {
                    self.add_to_curve(rows, &fit.finish());
                    self.curve(number + 1)
                };
                (next, Stage::Curve)
            }
            Now::Whole(mut fit) => {
                let is_on = fit.step();
                self.n_done += 1;
                let next = if is_on {
                    Now::Whole(fit)
                } else {
                    self.model = Some(fit.finish());
                    Now::End
                };
                (next, Stage::Whole)
            }
            Now::End => return None,
        };
        self.now = next;
        Some(Progress { done: self.n_done, of: self.n_steps(), stage })
    }

    /// What was said of what so far.
    pub fn so_far(&self) -> &Confusion {
        &self.report.confusion
    }

    /// Goes all steps.
    pub fn run(mut self) -> Done {
        while self.step().is_some() {}
        self.finish()
    }

    /// What was found so far: of a work stopped early the report of the parts judged, and no model.
    pub fn finish(mut self) -> Done {
        let n_judged = self.leave_out_unjudged();
        let judged: Vec<(f32, bool)> = self.shares_and_right();
        self.report.reliability = reliability(&judged);
        self.report.calibration_error = calibration_error(&self.report.reliability);
        let n = n_judged.max(1) as f64;
        self.report.importance.iter_mut().for_each(|it| *it /= n);
        let calibration = Calibration::new(judged);
        let is_judged = !self.folds.is_empty();
        for said in self.report.said.iter_mut().flatten() {
            said.confidence = calibration.of(said.share);
        }
        let model = self.model.map(|learned| {
            let report = &self.report;
            let judged = is_judged.then(|| Judged {
                split: report.split.unwrap_or(Split::Blocks),
                folds: report.folds,
                leaking: report.leaking,
                confusion: report.confusion.clone(),
                majority: report.majority.accuracy(),
            });
            let card = Card {
                options: self.plan.options,
                rows: self.data.counts(),
                captures: self.data.captures.len() as u64,
                judged,
                sources: self.plan.sources.clone(),
            };
            Model::new(&self.data, learned, card, calibration)
        });
        Done { report: is_judged.then_some(self.report), model }
    }

    /// Of a work stopped early: what it is compared with is of the parts judged, too.
    /// How many those are.
    fn leave_out_unjudged(&mut self) -> usize {
        let n_judged = match self.now {
            Now::Part { number, .. } => number,
            Now::Importance { number, .. } => number + 1,
            Now::Curve { .. } | Now::Whole(_) | Now::End => return self.folds.len(),
        };
        let folds = self.folds.get(..n_judged).unwrap_or_default();
        self.report.leaking = n_leaking(&self.data, folds);
        self.report.majority = baseline::majority(&self.data, folds);
        self.report.ports = baseline::ports(&self.data, folds);
        n_judged
    }

    fn n_steps(&self) -> u64 {
        let fit = u64::from(Fit::n_steps(&self.plan.options));
        let importance = if self.plan.has_importance { self.data.columns.len() as u64 } else { 0 };
        let curve =
            if self.plan.has_curve && !self.folds.is_empty() { CURVE.len() as u64 } else { 0 };
        self.folds.len() as u64 * (fit + importance)
            + fit * (curve + u64::from(self.plan.has_model))
    }

    /// Begins to learn without a part; what follows where there is none.
    fn part(&self, number: usize) -> Now {
        match self.folds.get(number) {
            Some(fold) => {
                Now::Part { number, fit: Fit::new(&self.data, &fold.learned, self.plan.options) }
            }
            None => self.curve(0),
        }
    }

    /// Begins to learn from fewer rows; what follows where that was not asked for.
    fn curve(&self, number: usize) -> Now {
        let of = CURVE.get(number).filter(|_| self.plan.has_curve).zip(self.folds.first());
        if let Some((share, fold)) = of {
            let mut rows = fold.learned.clone();
            Random::of(self.plan.options.seed, 0xc0).shuffle(&mut rows);
            rows.truncate((rows.len() * share / 100).max(2));
            rows.sort_unstable();
            let fit = Fit::new(&self.data, &rows, self.plan.options);
            return Now::Curve { number, rows: rows.len(), fit };
        }
        if !self.plan.has_model {
            return Now::End;
        }
        let all: Vec<usize> = (0..self.data.len()).collect();
        Now::Whole(Fit::new(&self.data, &all, self.plan.options))
    }

    /// Judges by a part.
    fn judge(&mut self, number: usize, learned: Learned) -> Now {
        let Some(fold) = self.folds.get(number) else { return Now::End };
        let mut confusion = Confusion::new(self.data.classes());
        for (row, (class, share)) in fold.judged.iter().zip(self.said(&learned, &fold.judged)) {
            self.report.confusion.add(self.class(*row), Some(class));
            confusion.add(self.class(*row), Some(class));
            self.report.said[*row] = Some(Said { class, share, confidence: share });
        }
        if number == 0 && self.plan.has_curve {
            let of = (fold.learned.len() as u64, confusion.accuracy(), confusion.macro_mean().f1);
            self.report.curve.push(of);
        }
        if self.plan.has_importance && !self.data.columns.is_empty() {
            Now::Importance { number, learned, column: 0 }
        } else {
            self.part(number + 1)
        }
    }

    /// What is said of some rows: the class and its share.
    fn said(&self, learned: &Learned, rows: &[usize]) -> Vec<(usize, f32)> {
        let rows: Vec<&[f32]> = rows.iter().map(|it| self.data.values(*it)).collect();
        learned.shares(&rows, self.data.classes().len()).iter().map(|it| greatest(it)).collect()
    }

    fn class(&self, row: usize) -> usize {
        self.data.rows().get(row).map_or(0, |it| it.class as usize)
    }

    /// Mixes up a column of a part and adds what is lost.
    fn mix_up(&mut self, number: usize, learned: &Learned, column: usize) {
        let Some(fold) = self.folds.get(number) else { return };
        let mut from = fold.judged.clone();
        let seed = self.plan.options.seed;
        Random::of(seed, ((number as u64) << 32) | column as u64 | 1 << 63).shuffle(&mut from);
        let mixed: Vec<Vec<f32>> = fold
            .judged
            .iter()
            .zip(&from)
            .map(|(row, from)| {
                let mut values = self.data.values(*row).to_vec();
                values[column] = self.data.values(*from)[column];
                values
            })
            .collect();
        let rows: Vec<&[f32]> = mixed.iter().map(Vec::as_slice).collect();
        let shares = learned.shares(&rows, self.data.classes().len());
        let mut lost = 0i64;
        for (row, shares) in fold.judged.iter().zip(&shares) {
            let class = self.class(*row);
            let was_right = self.report.said[*row].is_some_and(|it| it.class == class);
            lost += i64::from(was_right) - i64::from(greatest(shares).0 == class);
        }
        self.report.importance[column] += lost as f64 / fold.judged.len() as f64;
    }

    fn add_to_curve(&mut self, n_rows: usize, learned: &Learned) {
        let Some(fold) = self.folds.first() else { return };
        let mut confusion = Confusion::new(self.data.classes());
        for (row, (class, _)) in fold.judged.iter().zip(self.said(learned, &fold.judged)) {
            confusion.add(self.class(*row), Some(class));
        }
        self.report.curve.push((n_rows as u64, confusion.accuracy(), confusion.macro_mean().f1));
        self.report.curve.sort_by_key(|it| it.0);
    }

    fn shares_and_right(&self) -> Vec<(f32, bool)> {
        let said = self.report.said.iter().enumerate();
        said.filter_map(|(row, it)| it.map(|it| (it.share, it.class == self.class(row)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Method, Row};

    #[test]
    fn what_is_stopped_early_is_compared_with_what_was_judged() {
        let mut data = Data::of_columns(vec!["a".to_owned()]);
        for at in 0..40u64 {
            data.push([at as f32], if at % 2 == 0 { "x" } else { "y" }, Row::default());
        }
        let plan =
            Plan { split: Some(Split::Shuffled), folds: 4, ..Plan::of(Options::of(Method::Tree)) };
        let mut work = Work::new(Arc::new(data), plan).unwrap();
        // A tree is grown in one step, and judged by its part of ten rows.
        work.step().unwrap();
        assert_eq!(work.so_far().total(), 10);
        let done = work.finish();
        let report = done.report.unwrap();
        assert_eq!((report.leaking, report.majority.total()), (10, 10));
        assert!(done.model.is_none());
    }
}
