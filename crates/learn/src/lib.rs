//! Labelled rows in; a model, what it says of other rows, and how well it does out.
//!
//! Where the rows come from plays no part here, nor what is done with what a model says. All sums are of the same numbers in
//! the same order wherever it runs, so that the same data and seed give the same model to the byte.

mod baseline;
mod bayes;
mod bins;
mod boost;
mod calibrate;
mod data;
mod default;
mod file;
mod fit;
mod logistic;
mod method;
mod model;
mod near;
mod random;
mod ratio;
mod score;
mod shares;
mod split;
mod table;
mod tree;
mod trees;
mod work;

pub use crate::{
    calibrate::{Reliability, calibration_error, reliability},
    data::{Data, Row},
    default::{DEFAULT_THRESHOLD, default_model},
    method::{KNOBS, Knob, METHODS, Method, MethodRow, Options},
    model::{Card, Cause, Judged, Model, Said},
    score::{Confusion, Score},
    split::{Fold, SPLITS, Split, SplitRow, lone_classes, n_leaking},
    table::{Csv, Reading, Table, TableError, TableNotice, read_table, read_unlabelled, time_of},
    work::{Done, Plan, Progress, Report, Stage, Work},
};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing can be told apart.
    #[error("the data has {n_classes} classes in {n_rows} rows; at least two classes are needed")]
    TooFewClasses {
        /// How many classes there are.
        n_classes: usize,
        /// How many rows.
        n_rows: usize,
    },
    /// More classes than a model tells apart.
    #[error("the data has {n_classes} classes; a model tells at most {max} apart")]
    TooManyClasses {
        /// How many classes there are.
        n_classes: usize,
        /// How many there may be.
        max: usize,
    },
    /// More columns than a model looks at.
    #[error("the data has {n_columns} columns, more than a model looks at")]
    TooManyColumns {
        /// How many there are.
        n_columns: usize,
    },
    /// The rows cannot be divided so.
    #[error("nothing is left to judge by where rows are divided by {split}")]
    NothingToJudge {
        /// The split's name.
        split: &'static str,
    },
    /// The file is no model.
    #[error("this is no model of TrActor: it does not begin as one")]
    NotAModel,
    /// The file is of another version of the program.
    #[error("the model is of version {found}; this program reads version {known}")]
    OtherVersion {
        /// The file's version.
        found: u16,
        /// The program's.
        known: u16,
    },
    /// The file is damaged or contradicts itself.
    #[error("the model cannot be used: {0}")]
    BadModel(&'static str),
    /// The columns are not those of this program's schema.
    #[error("the model was trained on other columns than `{schema}` has in this program")]
    OtherColumns {
        /// The schema's name.
        schema: String,
    },
}
