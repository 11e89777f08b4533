//! Learning: what is to be learned from and how, how far it is, and how well it does.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ColumnRow, Words};
use crate::Count;

/// Which labels the flows of a capture have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TrainingLabels {
    /// All this one: the capture holds one application.
    Given(String),
    /// What the capture says of itself: a comment `label: X` of a pcapng file, as `tractor isolate` writes it.
    Comment,
    /// What each flow says of itself; those that say nothing are left out.
    Payload,
    /// The group of what each flow says of itself.
    Groups,
    /// What a table says: the text of a CSV file of five-tuples, times and labels.
    Table {
        /// The text.
        text: String,
        /// What is added to its times to get those of the capture, in seconds.
        offset_seconds: i64,
    },
}

/// How a model is to be learned and judged. Numbers that are not named are as usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrainingPlan {
    /// A method's name, as [`TrainingChoices`] has it.
    pub method: String,
    /// Its numbers by their names.
    pub numbers: BTreeMap<String, u32>,
    /// Every class counts the same, however many rows it has.
    pub is_balanced: bool,
    /// Rows that repeat an earlier one of the same label are left out.
    pub is_unique: bool,
    /// The same seed gives the same model.
    pub seed: u64,
    /// How rows are divided to judge by; `None` for the most honest way the data allow.
    pub split: Option<String>,
    /// Into how many parts; 0 judges nothing.
    pub folds: u32,
    /// Whether to find out how much each column matters.
    pub has_importance: bool,
    /// Whether to find out how much more rows would help.
    pub has_curve: bool,
    /// Whether to learn from all rows at the end.
    pub has_model: bool,
    /// What the model is called.
    pub name: String,
    /// Whose data it is, a line each.
    pub sources: Vec<String>,
}

impl Default for TrainingPlan {
    fn default() -> Self {
        Self {
            method: "boosted".to_owned(),
            numbers: BTreeMap::new(),
            is_balanced: false,
            is_unique: false,
            seed: 1,
            split: None,
            folds: 5,
            has_importance: false,
            has_curve: false,
            has_model: true,
            name: "model".to_owned(),
            sources: Vec::new(),
        }
    }
}

/// How models can be learned and judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingChoices {
    /// The methods, the strongest first.
    pub methods: Vec<MethodChoice>,
    /// The splits, the most honest first.
    pub splits: Vec<SplitChoice>,
}

/// A way to learn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodChoice {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: Words,
    /// What it does, in a sentence.
    pub what: Words,
    /// The numbers it has.
    pub numbers: Vec<NumberChoice>,
}

/// A number of a method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberChoice {
    /// Its name.
    pub name: String,
    /// What it says, in a phrase.
    pub what: Words,
    /// The least it may be.
    pub least: u32,
    /// The greatest.
    pub greatest: u32,
    /// What it is where nothing is said.
    pub usual: u32,
}

/// A way to divide rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SplitChoice {
    /// Its name.
    pub name: String,
    /// What it does, in a phrase.
    pub what: Words,
}

/// What is learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingData {
    /// The schema whose features are learned from; `None` where a table has other columns.
    pub schema: Option<String>,
    /// Flows are cut by this timeout, in microseconds.
    pub timeout_micros: Option<u64>,
    /// The columns.
    pub columns: Vec<ColumnRow>,
    /// The captures and tables, by name.
    pub parts: Vec<TrainingPart>,
    /// The classes, by name.
    pub classes: Vec<TrainingClass>,
    /// How many rows there are.
    pub rows: u64,
    /// Of them, how many repeat the numbers and the label of an earlier one.
    pub duplicates: u64,
    /// How many repeat the numbers of another that has another label: nothing can tell both.
    pub contradictions: u64,
    /// Classes in one capture alone: by whole captures they cannot be judged.
    pub lone: Vec<String>,
    /// The most honest split the data allow.
    pub split: String,
}

/// A capture or table that is learned from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingPart {
    /// Its name.
    pub name: String,
    /// It is a table of rows, and no capture.
    pub is_table: bool,
    /// How many rows it gives.
    pub rows: u64,
    /// Of which labels, by name.
    pub labels: Vec<Count>,
    /// How many flows have no label and are left out.
    pub unlabelled: u64,
    /// How many flows the filter left out.
    pub filtered: u64,
    /// How many flows several rows of a table of labels name differently; they are left out.
    pub contradicting: u64,
    /// What is to be said of a table.
    pub notices: Vec<String>,
}

/// A class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingClass {
    /// Its label.
    pub label: String,
    /// How many rows it has.
    pub rows: u64,
    /// In how many captures or tables.
    pub captures: u64,
}

/// How far learning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingProgress {
    /// Steps done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
    /// What is done now.
    pub stage: TrainingStage,
}

/// What is done now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TrainingStage {
    /// Learning without one part of the rows, the first being 1, to judge by it.
    Part(u32),
    /// Mixing up a column to see what it matters.
    Importance,
    /// Learning from fewer rows.
    Curve,
    /// Learning from all rows.
    #[default]
    Whole,
}

/// How well a way of learning does, or a model that was there already.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingReport {
    /// The model that was judged by all rows; `None` where models were learned from some rows and judged by others.
    pub model: Option<String>,
    /// How it was learned.
    pub how: TrainingHow,
    /// How rows were divided; `None` where a model was judged by all.
    pub split: Option<String>,
    /// Into how many parts.
    pub folds: u32,
    /// It was stopped before all parts were judged.
    pub is_stopped: bool,
    /// Rows left out as repeating an earlier one.
    pub dropped: u64,
    /// How many judged rows came of a capture that was also learned from.
    pub leaking: u64,
    /// The figures and the matrix.
    pub figures: Figures,
    /// What always saying the most frequent class gives.
    pub majority: Baseline,
    /// What the server's port alone gives, where rows have ports.
    pub ports: Option<Baseline>,
    /// How sure it was, and how often right, in at most ten bins.
    pub reliability: Vec<ReliabilityRow>,
    /// The mean distance of the two.
    pub calibration_error: f64,
    /// The columns that matter, the weightiest first; empty where it was not asked for.
    pub importance: Vec<ImportanceRow>,
    /// What more rows give; empty where it was not asked for.
    pub curve: Vec<CurvePoint>,
}

/// The figures of rows judged, and the matrix they are from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// How many rows were judged.
    pub rows: u64,
    /// The share of them called what they are.
    pub accuracy: f64,
    /// The mean in which each class counts the same.
    pub macro_mean: ScoreRow,
    /// The mean in which each class counts as many rows as it has.
    pub weighted_mean: ScoreRow,
    /// Of each class, by name.
    pub classes: Vec<ScoreRow>,
    /// Of each class how often each class was said, and last how often nothing was.
    pub confusion: Vec<Vec<u64>>,
}

/// How a model was learned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingHow {
    /// The method's name.
    pub method: String,
    /// Its numbers by their names.
    pub numbers: BTreeMap<String, u32>,
    /// Every class counted the same.
    pub is_balanced: bool,
    /// The seed.
    pub seed: u64,
}

/// How well a class is told, or all in the mean.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreRow {
    /// The class; empty of a mean.
    pub label: String,
    /// Rows that are of it.
    pub rows: u64,
    /// Of the rows called so, the share that is so.
    pub precision: f64,
    /// Of the rows that are so, the share that was called so.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
}

/// What knowing next to nothing gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// The share of rows called what they are.
    pub accuracy: f64,
    /// The mean F1 in which each class counts the same.
    pub macro_f1: f64,
}

/// Rows of which a model was about as sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityRow {
    /// How many.
    pub rows: u64,
    /// How sure it was, in the mean, 0 to 1.
    pub share: f64,
    /// The part of them that was right.
    pub right: f64,
}

/// How much a column matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ImportanceRow {
    /// The column.
    pub column: ColumnRow,
    /// The accuracy lost where it is mixed up.
    pub lost: f64,
}

/// What so many rows give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    /// Rows learned from.
    pub rows: u64,
    /// The accuracy.
    pub accuracy: f64,
    /// The mean F1 in which each class counts the same.
    pub macro_f1: f64,
}

/// Some of the rows of a class of which one thing was said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedRows {
    /// How many there are.
    pub matching: u64,
    /// The window.
    pub rows: Vec<JudgedRow>,
}

/// A row that was judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedRow {
    /// The capture or table it is from.
    pub capture: String,
    /// The flow; of a session its first one. Of a table the row's number, from 0.
    pub flow_id: u32,
    /// `tcp`, `udp` …; empty of a table, and so are the ends.
    pub transport: String,
    /// The address that opened the flow.
    pub client_ip: String,
    /// Its port.
    pub client_port: u16,
    /// The address that answered.
    pub server_ip: String,
    /// Its port.
    pub server_port: u16,
    /// Time of the first packet, in nanoseconds since 1970 UTC; 0 where it is not known.
    pub time_start_ns: u64,
    /// Time of the last packet, in nanoseconds since 1970 UTC; 0 where it is not known.
    pub time_end_ns: u64,
    /// Frame bytes, both ways.
    pub bytes: u64,
    /// Its label.
    pub label: String,
    /// What was said of it; `None` that nothing was.
    pub said: Option<String>,
    /// How often that is right of rows of which a model is so sure, 0 to 1.
    pub confidence: f64,
    /// What the flow says of itself.
    pub payload_label: String,
}

/// A model and what is to be known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCard {
    /// What it is called.
    pub name: String,
    /// The schema it wants; `None` where its columns are those of another program.
    pub schema: Option<String>,
    /// How many columns it looks at.
    pub columns: u64,
    /// Flows are cut for it by this timeout, in microseconds.
    pub timeout_micros: Option<u64>,
    /// How it was learned.
    pub how: TrainingHow,
    /// What it can say, and of how many rows it learned it.
    pub classes: Vec<Count>,
    /// How many captures or tables those were from.
    pub captures: u64,
    /// How it was judged, where it was.
    pub judged: Option<ModelJudged>,
    /// Whose data it learned from, a line each.
    pub sources: Vec<String>,
}

/// How a model was judged: by models of the same kind, on rows they had not learned from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelJudged {
    /// How rows were divided.
    pub split: String,
    /// Into how many parts.
    pub folds: u32,
    /// How many judged rows came of a capture that was also learned from.
    pub leaking: u64,
    /// The accuracy of always saying the most frequent class.
    pub majority: f64,
    /// The figures and the matrix.
    pub figures: Figures,
}

/// What a model made of the flows of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelApplied {
    /// The model.
    pub name: String,
    /// How many flows it was asked of.
    pub asked: u64,
    /// How many have its label.
    pub labelled: u64,
    /// Of them, how many said something else of themselves.
    pub overridden: u64,
    /// Of how many it is not sure enough.
    pub unsure: u64,
    /// How many are unlike all it learned from.
    pub unlike: u64,
}

/// What a model says of a flow, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GuessDetail {
    /// The model.
    pub model: String,
    /// The likeliest class: the label, where it counts.
    pub label: String,
    /// How often that is right of rows of which the model is so sure, 0 to 1.
    pub confidence: f64,
    /// What that has to reach, 0 to 1; else the flow is unknown to the model.
    #[serde(default)]
    pub threshold: f64,
    /// The flow is unlike all the model learned from, and unknown to it whatever else it says.
    #[serde(default)]
    pub is_unlike: bool,
    /// The label is the flow's: it counts.
    #[serde(default)]
    pub is_taken: bool,
    /// The likeliest classes, at most three, the likeliest first.
    #[serde(default)]
    pub likeliest: Vec<ClassShare>,
    /// How many classes the model knows.
    #[serde(default)]
    pub classes: u64,
    /// The columns that decided, at most three.
    pub causes: Vec<CauseRow>,
}

/// A class, and how likely a model takes it to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassShare {
    /// The class.
    pub label: String,
    /// Its group.
    pub group: String,
    /// The model's probability of it, 0 to 1; those of all classes are 1 together.
    pub share: f64,
}

/// A column that decided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CauseRow {
    /// The column.
    pub column: ColumnRow,
    /// Its value; `None` where it is missing.
    pub value: Option<f64>,
    /// Of the rows learned from, about how many in a hundred have less.
    pub above: u32,
    /// The same in a sentence without a full stop.
    pub words: Words,
}

/// What the companion is to learn from and how: the body of `POST /v1x/training`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["files"]))]
pub struct TrainingRequest {
    /// Files of its folder, and which labels their flows have.
    #[schemars(length(min = 1))]
    pub files: Vec<TrainingFile>,
    /// The schema whose features are learned from; of data sets those they have.
    pub schema: String,
    /// By what flows are cut, in microseconds.
    pub timeout_micros: Option<u64>,
    /// Only flows that pass this filter.
    pub filter: String,
    /// How it is learned and judged.
    pub plan: TrainingPlan,
}

impl Default for TrainingRequest {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            schema: "tractor".to_owned(),
            timeout_micros: None,
            filter: String::new(),
            plan: TrainingPlan::default(),
        }
    }
}

/// A file to learn from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingFile {
    /// Its name.
    pub file_name: String,
    /// Which labels its flows have; of a data set it plays no part. Without it the name says it, without extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<TrainingLabels>,
}

/// How far the companion's training is, and what came of it: the answer of `GET /v1x/training`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrainingStatus {
    /// Where it stands.
    pub state: TrainingState,
    /// How far it is, while it learns.
    pub progress: Option<TrainingProgress>,
    /// What is said of it: why it failed, and what could not be read.
    pub messages: Vec<String>,
    /// What was learned from, once all files are read.
    pub data: Option<TrainingData>,
    /// How well it does, once it was judged.
    pub report: Option<TrainingReport>,
    /// The model that came of it: its name among `GET /v1x/models`.
    pub model: Option<String>,
}

/// Where a training stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrainingState {
    /// There was none.
    #[default]
    New,
    /// Files are read.
    Reading,
    /// A model is learned.
    Learning,
    /// It is done.
    Finished,
    /// It was stopped.
    Stopped,
    /// It could not be done.
    Failed,
}

/// How the companion is to apply a model to a job: the body of `POST /v1x/file/{job_id}/apply`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApplyRequest {
    /// The model's name.
    pub model: String,
    /// Flows of which the model is right less often than this stay unknown, 0 to 1.
    #[serde(default = "usual_threshold")]
    #[schemars(range(min = 0, max = 1))]
    pub threshold: f32,
    /// Flows that say something of themselves get its label too.
    #[serde(default)]
    pub over_payload: bool,
}

fn usual_threshold() -> f32 {
    0.5
}
