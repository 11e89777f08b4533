//! What the overview asks beyond the first look: traffic by what the user chooses, layers, durations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a series of the traffic over time is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SeriesBy {
    /// A label group.
    #[default]
    Group,
    /// A detected protocol; the eight with most bytes have a series of their own.
    Protocol,
    /// A label; the eight with most bytes have a series of their own.
    Label,
}

/// What there is, and how long it lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breakdown {
    /// IPv4 and IPv6, and what is inside them; most bytes first.
    pub layers: Vec<Layer>,
    /// Flows by how long they last, the shortest first; all bars between the first and the last that has flows.
    pub durations: Vec<DurationBar>,
}

/// A layer of the protocol hierarchy, and what is inside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// `IPv4`, `tcp`, `gre`, `tls`, `vk` …
    pub name: String,
    /// What it is: `ip`, `transport`, `tunnel`, `protocol` or `label`.
    pub kind: String,
    /// The group of a protocol or label; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The filter that finds its flows and no others.
    pub filter: String,
    /// How many flows.
    pub flows: u64,
    /// Their packets, both ways.
    pub packets: u64,
    /// Their frame bytes, both ways, without those of flows inside them.
    pub bytes: u64,
    /// What is inside; most bytes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Layer>,
}

/// The flows whose duration is within bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DurationBar {
    /// The shortest duration, in nanoseconds.
    pub from_ns: u64,
    /// What no duration reaches any more, in nanoseconds; nothing for the longest ones.
    pub to_ns: Option<u64>,
    /// The filter that finds the flows and no others.
    pub filter: String,
    /// How many flows.
    pub flows: u64,
    /// Their frame bytes, both ways, without those of flows inside them.
    pub bytes: u64,
}

/// The countries of a capture's addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountryTable {
    /// Who says so; nothing where no database is loaded, and nothing is known then.
    pub source: Option<CountrySource>,
    /// The countries, most bytes first.
    pub rows: Vec<CountryRow>,
    /// Public addresses that the database does not know.
    pub n_unknown: u64,
}

/// What a database of countries says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountrySource {
    /// What it calls itself: `GeoLite2-Country`, `DBIP-Country-Lite` …
    pub kind: String,
    /// When it was built, in seconds since 1970 UTC; 0 where it does not say.
    pub built: u64,
}

/// The hosts of one country.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountryRow {
    /// Its two letters (ISO 3166-1).
    pub code: String,
    /// How many addresses.
    pub hosts: u64,
    /// Ends of flows there: a flow between two of its addresses counts twice.
    pub flows: u64,
    /// Their frame bytes.
    pub bytes: u64,
}
