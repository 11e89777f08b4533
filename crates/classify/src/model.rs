//! Feature vectors with labels in, a classifier out: a random forest, and how well it does.
//!
//! `smartcore` grows the trees. It keeps them to itself and tells only which label most of them chose, so they are taken
//! out of it and read here: the share of trees that agree is the confidence, and a model from a file is checked before
//! it is used.

use std::collections::{BTreeMap, BTreeSet};

use features::Schema;
use serde::{Deserialize, Serialize};
use smartcore::{
    ensemble::random_forest_classifier::{
        RandomForestClassifier, RandomForestClassifierParameters,
    },
    linalg::basic::matrix::DenseMatrix,
};

/// The version of the model file.
const VERSION: u32 = 1;
/// The most trees a model may have, and the most nodes one of them may have.
const MAX_TREES: usize = 1_000;
const MAX_NODES: usize = 10_000_000;

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Training needs something to tell apart.
    #[error(
        "the training data has {n_labels} labels in {n_examples} rows; at least two labels are needed"
    )]
    TooFewLabels {
        /// How many different labels there are.
        n_labels: usize,
        /// How many rows.
        n_examples: usize,
    },
    /// The trees cannot be grown.
    #[error("the trees cannot be grown: {0}")]
    Training(String),
    /// The file is no model.
    #[error("this is no model file")]
    NotAModel(#[source] serde_json::Error),
    /// The file contradicts itself, or is of another version.
    #[error("the model file cannot be used: {0}")]
    BadModel(&'static str),
}

/// A row to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its features in the order of the schema; `None` where a feature has no value.
    pub features: Vec<Option<f64>>,
    /// What it is.
    pub label: String,
    /// Which capture it comes from; rows of one capture resemble each other.
    pub origin: u32,
}

/// How a model is trained.
#[derive(Clone, Copy)]
pub struct Training {
    /// The schema of the features.
    pub schema: &'static Schema,
    /// Flows were cut by this timeout, in microseconds.
    pub timeout_micros: Option<u64>,
    /// How many trees are grown.
    pub n_trees: u16,
    /// The same seed gives the same model.
    pub seed: u64,
}

/// A trained classifier. It says which schema and timeout its features must have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    version: u32,
    schema: String,
    timeout_micros: Option<u64>,
    /// In order; trees name them by their place.
    labels: Vec<String>,
    /// What stands for a missing value, by feature: one less than the least value seen in training, so that a tree can
    /// tell the two apart.
    missing: Vec<f64>,
    trees: Vec<Vec<Node>>,
}

/// A node of a tree: a label, or a question about one feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Node {
    /// Feature, bound, where to go up to the bound, where above it.
    Split(u32, f64, u32, u32),
    Leaf(u32),
}

impl Model {
    /// Grows a forest. The same examples and seed give the same model.
    ///
    /// # Errors
    /// Where there are fewer than two labels.
    pub fn train(examples: &[Example], training: Training) -> Result<Self, ModelError> {
        let labels: BTreeSet<&str> = examples.iter().map(|it| it.label.as_str()).collect();
        let labels: Vec<String> = labels.into_iter().map(str::to_owned).collect();
        if labels.len() < 2 {
            let (n_labels, n_examples) = (labels.len(), examples.len());
            return Err(ModelError::TooFewLabels { n_labels, n_examples });
        }
        let n_features = training.schema.n_features();
        let missing = (0..n_features)
            .map(|at| {
                let values = examples.iter().filter_map(|it| value(&it.features, at));
                let least = values.fold(f64::INFINITY, f64::min);
                if least.is_finite() { least - 1.0 } else { 0.0 }
            })
            .collect();
        let mut model = Self {
            version: VERSION,
            schema: training.schema.name.to_owned(),
            timeout_micros: training.timeout_micros,
            labels,
            missing,
            trees: Vec::new(),
        };
        let rows: Vec<Vec<f64>> = examples.iter().map(|it| model.filled(&it.features)).collect();
        let y: Vec<u32> = examples.iter().map(|it| model.place(&it.label)).collect();
        let failed = |error: smartcore::error::Failed| ModelError::Training(error.to_string());
        let x = DenseMatrix::from_2d_vec(&rows).map_err(failed)?;
        let parameters = RandomForestClassifierParameters::default()
            .with_n_trees(training.n_trees.max(1))
            .with_seed(training.seed);
        let forest = RandomForestClassifier::fit(&x, &y, parameters).map_err(failed)?;
        let grown = serde_json::to_value(&forest)
            .and_then(serde_json::from_value::<Grown>)
            .map_err(|error| ModelError::Training(error.to_string()))?;
        model.trees = grown.trees.into_iter().map(GrownTree::nodes).collect();
        model.checked()
    }

    /// The label most trees choose, and the share of them that do; of equal ones the first in order.
    pub fn predict(&self, features: &[Option<f64>]) -> (&str, f64) {
        self.choose(&self.votes(features))
    }

    /// The share of trees for each label, in the order of [`Model::labels`].
    pub fn votes(&self, features: &[Option<f64>]) -> Vec<f64> {
        let row = self.filled(features);
        let mut votes = vec![0.0; self.labels.len()];
        for tree in &self.trees {
            if let Some(vote) = votes.get_mut(leaf(tree, &row) as usize) {
                *vote += 1.0 / self.trees.len() as f64;
            }
        }
        votes
    }

    /// The label with most votes, and its votes.
    pub fn choose(&self, votes: &[f64]) -> (&str, f64) {
        let mut best = ("", 0.0);
        for (label, share) in self.labels.iter().zip(votes) {
            if *share > best.1 {
                best = (label, *share);
            }
        }
        best
    }

    /// What it can say, in order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The schema its features must have.
    pub fn schema(&self) -> Option<&'static Schema> {
        features::schema(&self.schema)
    }

    /// Flows must be cut by this timeout, in microseconds.
    pub fn timeout_micros(&self) -> Option<u64> {
        self.timeout_micros
    }

    /// The model as a file.
    pub fn write(&self) -> String {
        // Numbers, texts and lists always have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A model from a file.
    ///
    /// # Errors
    /// Where the bytes are no model, or one that contradicts itself.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        serde_json::from_slice::<Self>(bytes).map_err(ModelError::NotAModel)?.checked()
    }

    fn checked(self) -> Result<Self, ModelError> {
        let bad = |what| Err(ModelError::BadModel(what));
        if self.version != VERSION {
            return bad("it is of another version");
        }
        let Some(schema) = self.schema() else { return bad("its schema is not known") };
        if self.missing.len() != schema.n_features() {
            return bad("its schema has other features");
        }
        if self.labels.is_empty() || self.trees.is_empty() || self.trees.len() > MAX_TREES {
            return bad("it has no label, no tree or too many trees");
        }
        for tree in &self.trees {
            if tree.is_empty() || tree.len() > MAX_NODES {
                return bad("a tree is empty or too large");
            }
            for (at, node) in (0..).zip(tree) {
                let is_right = match *node {
                    Node::Leaf(label) => (label as usize) < self.labels.len(),
                    // Questions lead onwards only, so that every one ends.
                    Node::Split(feature, bound, low, high) => {
                        let is_onwards = |it: u32| it > at && (it as usize) < tree.len();
                        bound.is_finite()
                            && (feature as usize) < self.missing.len()
                            && is_onwards(low)
                            && is_onwards(high)
                    }
                };
                if !is_right {
                    return bad("a tree leads nowhere");
                }
            }
        }
        Ok(self)
    }

    fn filled(&self, features: &[Option<f64>]) -> Vec<f64> {
        let missing = self.missing.iter().enumerate();
        missing.map(|(at, missing)| value(features, at).unwrap_or(*missing)).collect()
    }

    fn place(&self, label: &str) -> u32 {
        self.labels.iter().position(|it| it == label).unwrap_or(0) as u32
    }
}

/// A feature's value; what is no number is missing.
fn value(features: &[Option<f64>], at: usize) -> Option<f64> {
    features.get(at).copied().flatten().filter(|it| it.is_finite())
}

/// The label a tree chooses.
fn leaf(tree: &[Node], row: &[f64]) -> u32 {
    let mut at = 0;
    loop {
        match tree.get(at as usize) {
            Some(Node::Split(feature, bound, low, high)) => {
                let is_low = row.get(*feature as usize).is_some_and(|it| it <= bound);
                at = if is_low { *low } else { *high };
            }
            Some(Node::Leaf(label)) => return *label,
            None => return u32::MAX,
        }
    }
}

/// A forest as `smartcore` writes it; what is not needed is left out.
#[derive(Deserialize)]
struct Grown {
    trees: Vec<GrownTree>,
}

#[derive(Deserialize)]
struct GrownTree {
    nodes: Vec<GrownNode>,
    /// The labels of this tree, by the number its leaves give them.
    classes: Vec<u32>,
}

#[derive(Deserialize)]
struct GrownNode {
    output: usize,
    split_feature: u32,
    split_value: Option<f64>,
    true_child: Option<u32>,
    false_child: Option<u32>,
}

impl GrownTree {
    fn nodes(self) -> Vec<Node> {
        let classes = self.classes;
        let node = |it: GrownNode| match (it.split_value, it.true_child, it.false_child) {
            (Some(bound), Some(low), Some(high)) => Node::Split(it.split_feature, bound, low, high),
            _ => Node::Leaf(classes.get(it.output).copied().unwrap_or(u32::MAX)),
        };
        self.nodes.into_iter().map(node).collect()
    }
}

/// How rows are divided into those to learn from and those to judge by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// At random: rows of one capture stand on both sides, so the figures flatter.
    Shuffle,
    /// By runs of rows in their order, within each label.
    Blocks,
    /// By whole captures: what the figures promise holds for captures never seen.
    Capture,
}

impl Split {
    /// Which part of so many each example is judged in.
    pub fn parts(self, examples: &[Example], n_parts: u32, seed: u64) -> Vec<u32> {
        let n_parts = n_parts.max(2);
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        examples.iter().for_each(|it| *counts.entry(&it.label).or_default() += 1);
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        let mut state = seed;
        examples
            .iter()
            .map(|it| match self {
                Self::Capture => it.origin % n_parts,
                Self::Shuffle => (next(&mut state) % u64::from(n_parts)) as u32,
                Self::Blocks => {
                    let number = seen.entry(&it.label).or_default();
                    *number += 1;
                    let n = counts.get(it.label.as_str()).copied().unwrap_or(1);
                    (u64::from(*number - 1) * u64::from(n_parts) / u64::from(n)) as u32
                }
            })
            .collect()
    }
}

/// A random number (Steele, Lea and Flood, splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut it = *state;
    it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    it ^ (it >> 31)
}

/// Trains on all parts but one and judges by that one, for each part in turn.
///
/// # Errors
/// Where no part can be trained on.
pub fn evaluate(
    examples: &[Example],
    training: Training,
    split: Split,
    n_parts: u32,
) -> Result<Confusion, ModelError> {
    let parts = split.parts(examples, n_parts, training.seed);
    let mut confusion = Confusion::default();
    let mut failure = None;
    for part in 0..n_parts.max(2) {
        let of = |is_judged: bool| {
            let chosen = examples.iter().zip(&parts).filter(move |it| (*it.1 == part) == is_judged);
            chosen.map(|it| it.0)
        };
        if of(true).next().is_none() {
            continue;
        }
        let learned: Vec<Example> = of(false).cloned().collect();
        match Model::train(&learned, training) {
            Ok(model) => {
                of(true).for_each(|it| confusion.add(&it.label, model.predict(&it.features).0));
            }
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if confusion.total() == 0 => Err(error),
        _ => Ok(confusion),
    }
}

/// What was said of what: rows judged, by their label and by what a model said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    counts: BTreeMap<String, BTreeMap<String, u64>>,
}

/// How well one label is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Rows that have the label.
    pub support: u64,
    /// Of the rows called so, the share that is so; 0 where none was called so.
    pub precision: f64,
    /// Of the rows that are so, the share that was called so; 0 where there is none.
    pub recall: f64,
    /// The harmonic mean of the two; 0 where both are.
    pub f1: f64,
}

impl Confusion {
    /// Counts a row.
    pub fn add(&mut self, is: &str, said: &str) {
        let row = self.counts.entry(is.to_owned()).or_default();
        *row.entry(said.to_owned()).or_default() += 1;
    }

    /// Every label there is or was said, in order.
    pub fn labels(&self) -> Vec<&str> {
        let said = self.counts.values().flat_map(BTreeMap::keys);
        let labels: BTreeSet<&str> = self.counts.keys().chain(said).map(String::as_str).collect();
        labels.into_iter().collect()
    }

    /// How many rows of one label were called another.
    pub fn count(&self, is: &str, said: &str) -> u64 {
        self.counts.get(is).and_then(|it| it.get(said)).copied().unwrap_or(0)
    }

    /// How many rows were judged.
    pub fn total(&self) -> u64 {
        self.counts.values().flat_map(BTreeMap::values).sum()
    }

    /// The share of rows called what they are; 0 of none.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = self.counts.keys().map(|it| self.count(it, it)).sum();
        ratio(right, self.total())
    }

    /// How well a label is told.
    pub fn score(&self, label: &str) -> Score {
        let right = self.count(label, label);
        let support = self.counts.get(label).map_or(0, |it| it.values().sum());
        let called = self.counts.keys().map(|it| self.count(it, label)).sum();
        let (precision, recall) = (ratio(right, called), ratio(right, support));
        Score { support, precision, recall, f1: ratio(2 * right, support + called) }
    }

    /// The mean F1 over the labels that rows have.
    pub fn macro_f1(&self) -> f64 {
        let sum: f64 = self.counts.keys().map(|it| self.score(it).f1).sum();
        if self.counts.is_empty() { 0.0 } else { sum / self.counts.len() as f64 }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use features::TRACTOR;

    use super::*;

    const TRAINING: Training =
        Training { schema: &TRACTOR, timeout_micros: None, n_trees: 10, seed: 7 };

    /// Two kinds of rows that differ in every feature but the third, which is often missing.
    fn examples(n: u32) -> Vec<Example> {
        (0..n)
            .map(|it| {
                let is_quick = it % 2 == 0;
                let value = if is_quick { 10.0 } else { 90.0 } + f64::from(it % 5);
                let mut features = vec![Some(value); TRACTOR.n_features()];
                features[2] = (it % 3 == 0).then_some(1.0);
                let label = if is_quick { "quick" } else { "slow" };
                Example { features, label: label.to_owned(), origin: it % 4 }
            })
            .collect()
    }

    #[test]
    fn what_was_learned_is_told() {
        let model = Model::train(&examples(60), TRAINING).unwrap();
        for example in examples(20) {
            let (label, confidence) = model.predict(&example.features);
            assert_eq!(label, example.label);
            assert!(confidence > 0.5);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_file_and_it_reads_back() {
        let model = Model::train(&examples(60), TRAINING).unwrap();
        let file = model.write();
        assert_eq!(Model::train(&examples(60), TRAINING).unwrap().write(), file);
        assert_eq!(Model::read(file.as_bytes()).unwrap(), model);
    }

    #[test]
    fn a_file_that_contradicts_itself_is_refused() {
        let file = Model::train(&examples(60), TRAINING).unwrap().write();
        let mut value: serde_json::Value = serde_json::from_str(&file).unwrap();
        // A question that leads back to itself.
        value["trees"][0] = serde_json::json!([[0, 1.0, 0, 0]]);
        assert!(matches!(Model::read(value.to_string().as_bytes()), Err(ModelError::BadModel(_))));
        value["trees"][0] = serde_json::json!([9]);
        assert!(matches!(Model::read(value.to_string().as_bytes()), Err(ModelError::BadModel(_))));
        assert!(matches!(Model::read(b"{}"), Err(ModelError::NotAModel(_))));
    }

    #[test]
    fn one_label_is_nothing_to_learn() {
        let one: Vec<Example> = examples(8).into_iter().filter(|it| it.label == "slow").collect();
        assert!(matches!(
            Model::train(&one, TRAINING),
            Err(ModelError::TooFewLabels { n_labels: 1, n_examples: 4 })
        ));
    }

    #[test]
    fn every_row_is_judged_once() {
        for split in [Split::Shuffle, Split::Blocks, Split::Capture] {
            let confusion = evaluate(&examples(40), TRAINING, split, 4).unwrap();
            assert_eq!((confusion.total(), confusion.accuracy()), (40, 1.0), "{split:?}");
        }
    }

    #[test]
    fn scores_are_what_they_are_called() {
        let mut confusion = Confusion::default();
        for (is, said) in [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("b", "a")] {
            confusion.add(is, said);
        }
        let score = confusion.score("a");
        assert_eq!((score.support, score.precision, score.recall), (3, 2.0 / 3.0, 2.0 / 3.0));
        assert_eq!(confusion.accuracy(), 0.6);
        assert_eq!(
            confusion.score("never"),
            Score { support: 0, precision: 0.0, recall: 0.0, f1: 0.0 }
        );
    }
}
