//! Flows as numbers: named feature tables over a flow's timeline, and their export as CSV and ARFF.
//!
//! A schema with the published data set's defects and one without stand side by side; a model names the one it was
//! trained with. What a flow *is* plays no part here.

mod basic;
mod behaviour;
mod cic;
mod cic_2017;
mod column;
mod dialogue;
mod export;
mod identity;
mod iscx;
mod measure;
mod merged;
mod nfstream;
mod order;
mod periodicity;
mod piece;
mod sample;
mod sequence;
mod session;
mod statistics;
mod tractor;

use std::borrow::Cow;

use flow::Cut;

pub use crate::{
    basic::BASIC,
    behaviour::BEHAVIOUR,
    cic::CIC,
    cic_2017::CIC_2017,
    column::{Column, Identity, Kind, Of, Take, Unit, Value, Words},
    dialogue::{Dialogue, Said, Voice},
    export::{arff_header, csv_header, row},
    iscx::{ISCX_A2, ISCX_B},
    merged::{Merged, Session},
    nfstream::NFSTREAM,
    piece::{Piece, pieces},
    sample::{Bulks, First, N_FIRST, Sample, Semantics, Side},
    sequence::SEQUENCE,
    session::SESSION,
    statistics::Statistics,
    tractor::{TRACTOR, TRACTOR_FULL},
};

/// A named, ordered list of columns.
#[derive(Debug)]
pub struct Schema {
    /// Its name in exports and models.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub what: Words,
    /// What a row is of.
    pub rows: Rows,
    /// Its columns, in order; one of them may be the label.
    pub columns: &'static [Column],
    /// How its numbers are computed.
    pub semantics: Semantics,
    /// A gap of more microseconds is idle.
    pub idle_micros: i64,
}

impl PartialEq for Schema {
    /// A schema is what its name says.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What the rows of a schema are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// A flow each, or a piece of one.
    Flows,
    /// A session each.
    Sessions,
}

impl Schema {
    /// The columns that are features, from which models learn; not those that say which flow it is.
    pub fn features(&self) -> impl Iterator<Item = &'static Column> + use<> {
        self.columns.iter().filter(|it| it.is_feature())
    }

    /// The names of its columns, told apart where a format must: the second of one name has `.1` behind it, as pandas
    /// reads it.
    pub fn unique_names(&self) -> impl Iterator<Item = Cow<'static, str>> {
        (0..).zip(self.columns).map(|(at, column)| {
            match self.columns.iter().take(at).filter(|it| it.name == column.name).count() {
                0 => Cow::Borrowed(column.name),
                n => Cow::Owned(format!("{}.{n}", column.name)),
            }
        })
    }

    /// The features with their names told apart.
    pub fn unique_features(&self) -> impl Iterator<Item = (Cow<'static, str>, &'static Column)> {
        self.unique_names().zip(self.columns).filter(|it| it.1.is_feature())
    }

    /// How many of its columns are features.
    pub fn n_features(&self) -> usize {
        self.features().count()
    }

    /// How flows are cut for this schema by a timeout; without one not at all.
    pub fn cut(&self, timeout_micros: Option<u64>) -> Cut {
        match (timeout_micros, self.semantics) {
            (None, _) => Cut::Whole,
            (Some(timeout_micros), Semantics::Published) => Cut::Published { timeout_micros },
            (Some(timeout_micros), Semantics::Correct | Semantics::Nfstream) => {
                Cut::Active { timeout_micros }
            }
        }
    }
}

/// Every schema there is.
pub const SCHEMAS: &[&Schema] = &[
    &TRACTOR,
    &TRACTOR_FULL,
    &BEHAVIOUR,
    &ISCX_B,
    &ISCX_A2,
    &CIC,
    &CIC_2017,
    &NFSTREAM,
    &BASIC,
    &SEQUENCE,
    &SESSION,
];

/// The schema of that name.
pub fn schema(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().copied().find(|it| it.name == name)
}

/// The features of a row, in the schema's order.
pub fn vector(schema: &Schema, sample: &Sample) -> Vec<Option<f64>> {
    schema.features().map(|it| it.number(sample)).collect()
}
