//! What two captures have in common and in what they differ; and who talks to whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FilterError;

/// What a capture is compared by: its totals, and of each kind of thing what it has most of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// The capture's name.
    pub file_name: String,
    /// All of it.
    pub totals: DigestTotals,
    /// Its labels, protocols, server names, hosts and server ports, in this order.
    pub parts: Vec<DigestPart>,
}

/// A capture in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestTotals {
    /// How many flows.
    pub flows: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many addresses.
    pub hosts: u64,
    /// How many packets in flows.
    pub packets: u64,
    /// Their frame bytes on the wire.
    pub bytes: u64,
    /// Time of the first packet, in nanoseconds since 1970 UTC.
    pub time_start_ns: u64,
    /// Time of the last packet, in nanoseconds since 1970 UTC.
    pub time_end_ns: u64,
}

/// One kind of thing in a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestPart {
    /// `labels`, `protocols`, `names`, `hosts` or `ports`.
    pub kind: String,
    /// How many there are; where that is more than there are rows, those with fewest bytes are not in it.
    pub total: u64,
    /// Each by its key, most bytes first.
    pub rows: Vec<DigestRow>,
}

/// A thing and how much of it there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestRow {
    /// The label, the name, the address, or transport and port as `tcp/443`.
    pub key: String,
    /// What an address is called; the group of a label.
    pub about: String,
    /// How much.
    pub amount: Amount,
}

/// How many flows, and their frame bytes both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Flows.
    pub flows: u64,
    /// Frame bytes.
    pub bytes: u64,
}

/// How another capture differs from this one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// This capture.
    pub here: DigestTotals,
    /// The other one.
    pub there: DigestTotals,
    /// Labels, protocols, server names, hosts and server ports.
    pub parts: Vec<ComparedPart>,
}

/// One kind of thing, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedPart {
    /// As in [`DigestPart::kind`].
    pub kind: String,
    /// How many only the other capture has.
    pub new: u64,
    /// How many only this capture has.
    pub gone: u64,
    /// How many both have, in other amounts.
    pub changed: u64,
    /// How many both have in the same amount.
    pub same: u64,
    /// A capture has more of them than are compared: those with fewest bytes are left out.
    pub is_cut: bool,
    /// What is not the same, the greatest change in bytes first, at most 1,000.
    pub rows: Vec<ComparedRow>,
}

/// A thing that is not the same in both captures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedRow {
    /// As in [`DigestRow::key`].
    pub key: String,
    /// As in [`DigestRow::about`].
    pub about: String,
    /// In this capture; nothing where it is new.
    pub here: Option<Amount>,
    /// In the other one; nothing where it is gone.
    pub there: Option<Amount>,
}

/// Who talks to whom: the ends with most bytes, and what passed between each two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Talks {
    /// Clients, most bytes first; the last one may stand for all others.
    pub clients: Vec<TalkEnd>,
    /// Servers or labels, most bytes first; the last one may stand for all others.
    pub servers: Vec<TalkEnd>,
    /// What passed, by places in the two lists, most bytes first.
    pub talks: Vec<Talk>,
    /// How many flows pass the filter.
    pub flows: u64,
    /// Why the filter cannot be understood.
    pub filter_error: Option<FilterError>,
}

/// One end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TalkEnd {
    /// The address, or the label; empty of all others together.
    pub key: String,
    /// What the address is called.
    pub name: Option<String>,
    /// How many ends this is: 1, but of all others together.
    pub n: u64,
    /// Its flows and their bytes.
    pub amount: Amount,
}

/// What passed between two ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Talk {
    /// The client's place.
    pub client: u32,
    /// The server's place.
    pub server: u32,
    /// The group most of the bytes are of; empty where one end stands for all others, and they are of several.
    pub group: String,
    /// How much.
    pub amount: Amount,
}

/// What stands at the right of a picture of who talks to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TalkBy {
    /// The servers' addresses.
    #[default]
    Server,
    /// The labels of the flows.
    Label,
}
