//! Flows as numbers: named feature tables over a flow's timeline, and their export as CSV and ARFF.
//!
//! A schema with the published data set's defects and one without stand side by side; a model names the one it was
//! trained with. What a flow *is* plays no part here.

mod cic;
mod export;
mod sample;

use flow::{Cut, Timeline};

pub use crate::{
    cic::CIC,
    export::{arff_header, csv_header, row},
    sample::{Bulks, Sample, Semantics, Side, Statistics},
};

/// One column of a [`Schema`].
pub struct Feature {
    /// Its name in exports and models.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// Computes it; `None` where there is nothing to compute it from.
    pub of: fn(&Sample) -> Option<f64>,
}

/// What a feature is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Bytes.
    Bytes,
    /// Squared bytes, of a variance.
    SquareBytes,
    /// Packets.
    Packets,
    /// A number without a unit.
    Ratio,
    /// Packets per second.
    PacketsPerSecond,
    /// Bytes per second: IP header and payload, in the columns of CICFlowMeter payload alone.
    BytesPerSecond,
}

impl Unit {
    /// Its symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Micros => "µs",
            Self::Bytes => "B",
            Self::SquareBytes => "B²",
            Self::Packets | Self::Ratio => "",
            Self::PacketsPerSecond => "1/s",
            Self::BytesPerSecond => "B/s",
        }
    }
}

/// A named, ordered list of features.
pub struct Schema {
    /// Its name in exports and models.
    pub name: &'static str,
    /// Its columns, in order.
    pub features: &'static [Feature],
    /// How their numbers are computed.
    pub semantics: Semantics,
    /// A gap of more microseconds is idle.
    pub idle_micros: i64,
}

impl Schema {
    /// How flows are cut for this schema by a timeout; without one not at all.
    pub fn cut(&self, timeout_micros: Option<u64>) -> Cut {
        match (timeout_micros, self.semantics) {
            (None, _) => Cut::Whole,
            (Some(timeout_micros), Semantics::Published) => Cut::Published { timeout_micros },
            (Some(timeout_micros), Semantics::Correct) => Cut::Active { timeout_micros },
        }
    }
}

/// Every schema there is.
pub const SCHEMAS: &[&Schema] = &[&TRACTOR, &ISCX_B, &ISCX_A2, &CIC];

/// The schema of that name.
pub fn schema(name: &str) -> Option<&'static Schema> {
    SCHEMAS.iter().copied().find(|it| it.name == name)
}

/// The features of a timeline, in the schema's order.
pub fn vector(schema: &Schema, timeline: &Timeline) -> Vec<Option<f64>> {
    let sample = Sample::new(timeline, schema.semantics, schema.idle_micros);
    schema.features.iter().map(|feature| (feature.of)(&sample)).collect()
}

const fn micros(name: &'static str, of: fn(&Sample) -> Option<f64>) -> Feature {
    Feature { name, unit: Unit::Micros, of }
}

/// The idle threshold of netmate, kept by ISCXFlowMeter, in microseconds.
const NETMATE_IDLE: i64 = 1_000_000;

const DURATION: Feature = micros("duration", |s| Some(s.duration_micros as f64));
const TOTAL_FIAT: Feature = micros("total_fiat", |s| s.total(&s.forward.gaps));
const TOTAL_BIAT: Feature = micros("total_biat", |s| s.total(&s.backward.gaps));
const MIN_FIAT: Feature = micros("min_fiat", |s| s.min(&s.forward.gaps));
const MIN_BIAT: Feature = micros("min_biat", |s| s.min(&s.backward.gaps));
const MAX_FIAT: Feature = micros("max_fiat", |s| s.max(&s.forward.gaps));
const MAX_BIAT: Feature = micros("max_biat", |s| s.max(&s.backward.gaps));
const MEAN_FIAT: Feature = micros("mean_fiat", |s| s.mean(&s.forward.gaps));
const MEAN_BIAT: Feature = micros("mean_biat", |s| s.mean(&s.backward.gaps));
const PACKET_RATE: Feature = Feature {
    name: "flowPktsPerSecond",
    unit: Unit::PacketsPerSecond,
    of: |s| s.per_second(s.n_packets),
};
const BYTE_RATE: Feature = Feature {
    name: "flowBytesPerSecond",
    unit: Unit::BytesPerSecond,
    of: |s| s.per_second(s.ip_bytes),
};
const MIN_FLOWIAT: Feature = micros("min_flowiat", |s| s.min(&s.gaps));
const MAX_FLOWIAT: Feature = micros("max_flowiat", |s| s.max(&s.gaps));
const MEAN_FLOWIAT: Feature = micros("mean_flowiat", |s| s.mean(&s.gaps));
const STD_FLOWIAT: Feature = micros("std_flowiat", |s| s.std(&s.gaps));
const MIN_ACTIVE: Feature = micros("min_active", |s| s.min(&s.active));
const MEAN_ACTIVE: Feature = micros("mean_active", |s| s.mean(&s.active));
const MAX_ACTIVE: Feature = micros("max_active", |s| s.max(&s.active));
const STD_ACTIVE: Feature = micros("std_active", |s| s.std(&s.active));
const MIN_IDLE: Feature = micros("min_idle", |s| s.min(&s.idle));
const MEAN_IDLE: Feature = micros("mean_idle", |s| s.mean(&s.idle));
const MAX_IDLE: Feature = micros("max_idle", |s| s.max(&s.idle));
const STD_IDLE: Feature = micros("std_idle", |s| s.std(&s.idle));

/// The right 25: the book's 23 columns under their names with what the names say, and the two that complete them.
///
/// fiat and biat are the gaps between packets of the same direction, forward being that of the first packet; flowiat
/// those between any packets. A gap over one second is idle and ends an active period.
pub const TRACTOR: Schema = Schema {
    name: "tractor",
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    features: &[
        DURATION,
        TOTAL_FIAT,
        TOTAL_BIAT,
        MIN_FIAT,
        MIN_BIAT,
        MAX_FIAT,
        MAX_BIAT,
        MEAN_FIAT,
        MEAN_BIAT,
        micros("std_fiat", |s| s.std(&s.forward.gaps)),
        micros("std_biat", |s| s.std(&s.backward.gaps)),
        PACKET_RATE,
        BYTE_RATE,
        MIN_FLOWIAT,
        MAX_FLOWIAT,
        MEAN_FLOWIAT,
        STD_FLOWIAT,
        MIN_ACTIVE,
        MEAN_ACTIVE,
        MAX_ACTIVE,
        STD_ACTIVE,
        MIN_IDLE,
        MEAN_IDLE,
        MAX_IDLE,
        STD_IDLE,
    ],
};

/// ISCXVPN2016, scenarios A1 and B, as published, and so the book's table: 23 columns.
///
/// The names of the columns 2 to 9 are the file's; what they hold is shifted, as it is there: `total_*` holds the
/// least gap, `min_*` the greatest, `max_*` the mean, `mean_*` the standard deviation.
pub const ISCX_B: Schema = Schema {
    name: "iscx-b",
    semantics: Semantics::Published,
    idle_micros: NETMATE_IDLE,
    features: &[
        DURATION,
        micros("total_fiat", |s| s.min(&s.forward.gaps)),
        micros("total_biat", |s| s.min(&s.backward.gaps)),
        micros("min_fiat", |s| s.max(&s.forward.gaps)),
        micros("min_biat", |s| s.max(&s.backward.gaps)),
        micros("max_fiat", |s| s.mean(&s.forward.gaps)),
        micros("max_biat", |s| s.mean(&s.backward.gaps)),
        micros("mean_fiat", |s| s.std(&s.forward.gaps)),
        micros("mean_biat", |s| s.std(&s.backward.gaps)),
        PACKET_RATE,
        BYTE_RATE,
        MIN_FLOWIAT,
        MAX_FLOWIAT,
        MEAN_FLOWIAT,
        STD_FLOWIAT,
        MIN_ACTIVE,
        MEAN_ACTIVE,
        MAX_ACTIVE,
        STD_ACTIVE,
        MIN_IDLE,
        MEAN_IDLE,
        MAX_IDLE,
        STD_IDLE,
    ],
};

/// ISCXVPN2016, scenario A2, as published: the same 23 names, here holding what they say.
pub const ISCX_A2: Schema = Schema {
    name: "iscx-a2",
    semantics: Semantics::Published,
    idle_micros: NETMATE_IDLE,
    features: &[
        DURATION,
        TOTAL_FIAT,
        TOTAL_BIAT,
        MIN_FIAT,
        MIN_BIAT,
        MAX_FIAT,
        MAX_BIAT,
        MEAN_FIAT,
        MEAN_BIAT,
        PACKET_RATE,
        BYTE_RATE,
        MIN_FLOWIAT,
        MAX_FLOWIAT,
        MEAN_FLOWIAT,
        STD_FLOWIAT,
        MIN_ACTIVE,
        MEAN_ACTIVE,
        MAX_ACTIVE,
        STD_ACTIVE,
        MIN_IDLE,
        MEAN_IDLE,
        MAX_IDLE,
        STD_IDLE,
    ],
};
