//! Our own features: each is what its name says, and nothing stands for nothing.

use crate::{
    Column, Rows, Schema, Semantics,
    column::words,
    iscx::{NETMATE_IDLE, RIGHT},
    measure::{joined, label},
};

/// The 25 features of the published data set, each what its name says.
pub const TRACTOR: Schema = Schema {
    name: "tractor",
    what: words(
        "25 features, each what its name says",
        "25 признаков, каждый соответствует своему имени",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &TRACTOR_COLUMNS,
};

const TRACTOR_COLUMNS: [Column; 26] = joined(&[&RIGHT, &[label("label")]]);
