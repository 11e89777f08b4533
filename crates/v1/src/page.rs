//! What the page asks beyond the book's nine requests, and the answers: tables in windows, details, charts.

mod compare;
mod filter;
mod hosts;
mod jobs;
mod overview;
mod training;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Notice;

pub use compare::*;
pub use filter::{FilterError, SuggestionKind, SuggestionRow, Suggestions, WRONGS, Wrong};
pub use hosts::*;
pub use jobs::*;
pub use overview::*;
pub use training::*;

/// A question about the analysed capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Query {
    /// Totals, traffic over time, labels, hosts, what could not be read. Answered by an [`Overview`].
    Overview {
        /// How many bars the traffic over time has.
        bins: u32,
        /// Only the flows that pass this filter; empty for all. What was read, and what not, is told of the whole capture.
        #[serde(default)]
        filter: String,
    },
    /// Traffic over time as it was not chosen at first. Answered by a [`TrafficTimeline`], or null where the filter cannot
    /// be understood.
    Timeline {
        /// How many bars.
        bins: u32,
        /// What a series is of.
        by: SeriesBy,
        /// Only the flows that pass this filter; empty for all.
        filter: String,
    },
    /// What there is, layer by layer, and how long it lasts. Answered by a [`Breakdown`], or null where the filter cannot be
    /// understood.
    Breakdown {
        /// Only the flows that pass this filter; empty for all.
        #[serde(default)]
        filter: String,
    },
    /// Where the hosts are, by the user's database. Answered by a [`CountryTable`], or null where the filter cannot be
    /// understood.
    Countries {
        /// Only the hosts of flows that pass this filter; empty for all.
        #[serde(default)]
        filter: String,
    },
    /// What is worth a look. Answered by [`crate::Notables`], or null where the filter cannot be understood.
    Notable {
        /// Only among the flows that pass this filter; empty for all. Shares are of these.
        #[serde(default)]
        filter: String,
    },
    /// A window of the flow table. Answered by [`Flows`].
    Flows {
        /// A filter as the user types it; empty for all flows.
        filter: String,
        /// By what the flows that pass are cut, as `tractor flows --timeout` has it; `none` leaves them whole.
        timeout: String,
        /// The column sorted by.
        sort: FlowSort,
        /// Greatest first.
        is_descending: bool,
        /// The window's first row.
        offset: u32,
        /// How many rows.
        len: u32,
    },
    /// One flow. Answered by a [`FlowDetail`], or null where there is no such flow.
    Flow {
        /// Its [`FlowRow::flow_id`].
        flow_id: u32,
        /// By what it is cut; see [`Query::Flows`].
        timeout: String,
    },
    /// A window of the host table, most bytes first. Answered by [`Hosts`].
    Hosts {
        /// Only hosts of flows that pass this filter, counted over these; empty for all.
        #[serde(default)]
        filter: String,
        /// Only hosts whose address or name contains this; empty for all.
        search: String,
        /// The window's first row.
        offset: u32,
        /// How many rows.
        len: u32,
    },
    /// One host. Answered by a [`HostDetail`], or null where there is no such host.
    Host {
        /// Its address.
        ip: String,
    },
    /// A window of the session table, most flows first. Answered by [`Sessions`].
    Sessions {
        /// Only sessions with a flow that passes this filter, whole; empty for all.
        #[serde(default)]
        filter: String,
        /// The window's first row.
        offset: u32,
        /// How many rows.
        len: u32,
    },
    /// One session. Answered by a [`SessionDetail`], or null where there is no such session.
    Session {
        /// Its number.
        session_id: u32,
    },
    /// Decides what belongs to a session, and groups the flows anew. Answered by [`Decisions`].
    Decide {
        /// The decision.
        decision: Decision,
    },
    /// Takes a decision back; the others stay. Answered by [`Decisions`].
    Undo {
        /// Its place in [`Decisions::decisions`].
        number: u32,
    },
    /// What was decided. Answered by [`Decisions`].
    Decisions,
    /// What the capture is compared by. Answered by a [`Digest`].
    Digest,
    /// Who talks to whom. Answered by [`Talks`].
    Talks {
        /// Only flows that pass this filter; empty for all.
        filter: String,
        /// What the clients are set against.
        by: TalkBy,
        /// How many ends a side has at most, all others together not counted.
        n_ends: u32,
    },
    /// The schemas features can be exported by; the same of every capture. Answered by a list of [`SchemaRow`].
    Schemas,
    /// What can stand at a place in a filter. Answered by [`Suggestions`].
    Suggest {
        /// The filter as far as it is typed.
        filter: String,
        /// Where the cursor is, in bytes of it.
        at: u32,
        /// How many suggestions at most.
        limit: u32,
    },
}

/// The columns a flow table can be sorted by; equal ones stay in order of their first packet, and those without a value
/// come last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FlowSort {
    /// By first packet.
    #[default]
    Start,
    /// By label as rules and payload have it, then protocol.
    Label,
    /// By client address, numerically, then port.
    Client,
    /// By server name or address.
    Server,
    /// By duration.
    Duration,
    /// By packets, both ways.
    Packets,
    /// By bytes, both ways.
    Bytes,
    /// By number.
    Number,
    /// By last packet.
    End,
    /// By detected protocol.
    Protocol,
    /// By transport's number.
    Transport,
    /// By that label's group.
    Group,
    /// By client port.
    ClientPort,
    /// By server address, numerically, then port.
    ServerAddress,
    /// By server port.
    ServerPort,
    /// By the server's name.
    Name,
    /// By packets of the client.
    ClientPackets,
    /// By packets of the server.
    ServerPackets,
    /// By bytes of the client.
    ClientBytes,
    /// By bytes of the server.
    ServerBytes,
    /// By the connection's state.
    State,
    /// By the client's `User-Agent`.
    Agent,
    /// By the client's JA4 fingerprint.
    Ja4,
    /// By session.
    Session,
    /// By how the label was reached.
    Evidence,
    /// By what a model takes it for, then by how sure it is.
    Guess,
    /// By a model's confidence.
    Confidence,
    /// By the flow whose packets carry it.
    Tunnel,
    /// By [`RowHealth::handshake_ns`].
    Handshake,
    /// By [`RowHealth::round_trip_ns`].
    RoundTrip,
    /// By [`RowHealth::retransmissions`].
    Retransmissions,
    /// By [`RowHealth::lost_bytes`].
    LostBytes,
}

/// A flow as a row: what tables, exports and the job store hold of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlowRow {
    /// Flows counted from 0 in order of their first packet.
    pub flow_id: u32,
    /// Which piece of its flow the row is, from 0, where a timeout cuts flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<u32>,
    /// The session the flow belongs to.
    pub session_id: u32,
    /// `tcp`, `udp`, `icmp` …, or the IP protocol number.
    pub transport: String,
    /// The address that opened the flow.
    pub client_ip: String,
    /// Its port; 0 where the transport has none.
    pub client_port: u16,
    /// The address that answered.
    pub server_ip: String,
    /// Where that is, by the user's database: two letters. In windows of the page alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_country: Option<String>,
    /// Its port; 0 where the transport has none.
    pub server_port: u16,
    /// Time of the first packet, in nanoseconds since 1970 UTC.
    pub time_start_ns: u64,
    /// Time of the last packet, in nanoseconds since 1970 UTC.
    pub time_end_ns: u64,
    /// Packets the client sent.
    pub client_packets: u64,
    /// Packets the server sent.
    pub server_packets: u64,
    /// Frame bytes on the wire the client sent.
    pub client_bytes: u64,
    /// Frame bytes on the wire the server sent.
    pub server_bytes: u64,
    /// IP header and payload bytes the client sent.
    pub client_ip_bytes: u64,
    /// IP header and payload bytes the server sent.
    pub server_ip_bytes: u64,
    /// The flow whose packets carry its first one, where it came in a tunnel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<u32>,
    /// That tunnel's kind, and its number where it has one: `vxlan 42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<String>,
    /// Frame bytes, both ways, whose packets carry those of other flows; they are counted there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub carried_bytes: u64,
    /// The connection's state in Zeek's words; TCP, UDP and ICMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn_state: Option<String>,
    /// What the connection went through, in Zeek's letters: `ShADadFf`; TCP and UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Of ICMP errors: the flow the first one is about, where it was captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about_id: Option<u32>,
    /// How many ICMP errors are about the flow.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub icmp_errors: u64,
    /// The application protocol seen, or `unknown`.
    pub protocol: String,
    /// The service if it is known, else the protocol.
    pub label: String,
    /// The label's group.
    pub group: String,
    /// How the label was reached: `payload`, `name`, `kin`, `address`, `model` or `unknown`. What only an address or a
    /// model tells is a guess.
    #[serde(default)]
    pub evidence: String,
    /// How often a label is right that the model is so sure of, in percent; where the label is a model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// What rules and payload call it, where a model was asked; `unknown` where they do not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_label: Option<String>,
    /// The group of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_group: Option<String>,
    /// What a model takes it for, where the label is a model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_label: Option<String>,
    /// Whose first bytes show the protocol: `client`, `server`, `both` where each alone would do, `together` where only
    /// both do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_by: Option<String>,
    /// Why the flow has the label, in a sentence.
    pub reason: String,
    /// The name the client asked for, or the server was called by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_name: Option<String>,
    /// The client's `User-Agent` or its like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The client's JA4 fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
    /// What the payload tells besides, by the keys of the facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The first look at a capture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// How many flows.
    pub flows: u64,
    /// How many sessions.
    pub sessions: u64,
    /// How many addresses.
    pub hosts: u64,
    /// Frame bytes on the wire that clients sent.
    pub client_bytes: u64,
    /// Frame bytes on the wire that servers sent.
    pub server_bytes: u64,
    /// Time of the first packet, in nanoseconds since 1970 UTC.
    pub time_start_ns: u64,
    /// Time of the last packet, in nanoseconds since 1970 UTC.
    pub time_end_ns: u64,
    /// Bytes of flows whose protocol the payload showed.
    pub recognised_bytes: u64,
    /// Bytes of flows whose service a name showed.
    pub named_bytes: u64,
    /// Traffic over time.
    pub timeline: TrafficTimeline,
    /// Every label found, most bytes first.
    pub labels: Vec<LabelRow>,
    /// Every detected protocol, most bytes first.
    pub protocols: Vec<LabelRow>,
    /// The hosts with most bytes, at most 12.
    pub top_hosts: Vec<HostRow>,
    /// The book's statistics, as `GET /file/{job_id}/statistics` gives them.
    pub statistics: Vec<crate::StatisticItem>,
    /// How TCP connections fared: those that something befell, where there are any.
    #[serde(default)]
    pub tcp: Vec<Fared>,
    /// How many TCP flows there are.
    #[serde(default)]
    pub tcp_flows: u64,
    /// Packets of the flows, both ways, where a filter leaves only some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    /// Why the filter cannot be understood; there is nothing else then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_error: Option<FilterError>,
    /// What was read, and what was not.
    pub reading: Reading,
}

/// How many TCP flows something befell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fared {
    /// What: `refused`, `lost_bytes` …
    pub what: String,
    /// The filter that finds them.
    pub filter: String,
    /// How many.
    pub flows: u64,
}

/// Traffic over time, by label group or what else was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficTimeline {
    /// Where the first bar starts, in nanoseconds since 1970 UTC.
    pub start_ns: u64,
    /// How long a bar is, in nanoseconds.
    pub bin_ns: u64,
    /// One series each, most bytes first, those without a series of their own last.
    pub series: Vec<GroupSeries>,
}

/// The traffic of one group, protocol or label over time. All three lists have one number a bar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupSeries {
    /// The label group.
    pub group: String,
    /// The protocol or label, where series are of those; empty of those that have no series of their own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How many protocols or labels are put together, where they have no series of their own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_others: u64,
    /// Frame bytes.
    pub bytes: Vec<u64>,
    /// Packets.
    pub packets: Vec<u64>,
    /// Flows that began.
    pub flows: Vec<u64>,
}

/// A label or protocol and how much of it there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelRow {
    /// The label or protocol.
    pub label: String,
    /// Its group.
    pub group: String,
    /// The protocols its flows speak, most flows first.
    pub protocols: Vec<String>,
    /// How many flows.
    pub flows: u64,
    /// Frame bytes, both ways.
    pub bytes: u64,
}

/// What was read of the capture, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reading {
    /// The capture's name, as the host gave it.
    pub file_name: String,
    /// The capture's format in words: `pcap, microseconds`, `pcapng` …
    pub format: String,
    /// Bytes read.
    pub bytes: u64,
    /// The files of the capture in the order they were read, and the bytes of each; none where it is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileRead>,
    /// The frames, every one in one place.
    pub account: Account,
    /// What the capture says of itself.
    pub origin: Origin,
    /// Where names came from: `dns` 112, `tls` 388 …
    pub names: Vec<crate::Count>,
    /// What the reader should know, the worst first.
    pub notices: Vec<Notice>,
    /// The user stopped reading before the end.
    pub is_stopped: bool,
}

/// One of several files that were read as one capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRead {
    /// Its name.
    pub name: String,
    /// Bytes read of it.
    pub bytes: u64,
    /// Frames read of it.
    pub frames: u64,
}

/// Where the frames of a capture went: what is in flows and what is set aside is all there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Every frame read.
    pub frames: Tally,
    /// The frames whose packets are in flows.
    pub in_flows: Tally,
    /// The frames that are in no flow by reason, most first: `arp` 12, `lldp` 4 …
    pub set_aside: Vec<SetAside>,
    /// Bytes of the file skipped as damaged. Which frames they were is not known.
    pub damaged_bytes: u64,
}

/// Who wrote a capture, and where, in the file's own words; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Origin {
    /// The program that wrote the file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// The operating system it ran on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub system: String,
    /// The machine.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hardware: String,
    /// What it was captured from: `eth0`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<String>,
    /// What people wrote about the capture, at most 100 comments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<String>,
}

/// Frames in no flow for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetAside {
    /// The reason: `arp`, `link type 147`, `cut inside a header` …
    pub reason: String,
    /// The frames.
    pub frames: Tally,
}

/// A number of frames and of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// How many frames.
    pub frames: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Their bytes in the capture; fewer where a snap length cut them.
    pub stored_bytes: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.frames += other.frames;
        self.wire_bytes += other.wire_bytes;
        self.stored_bytes += other.stored_bytes;
    }
}

impl Account {
    /// Whether what is in flows and what is set aside is all there is.
    pub fn adds_up(&self) -> bool {
        let mut sum = self.in_flows;
        for it in &self.set_aside {
            sum.add(it.frames);
        }
        sum == self.frames
    }
}

/// A window of the flow table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flows {
    /// How many rows there are: the flows that the filter lets through, or the pieces that the timeout makes of them.
    pub matching: u64,
    /// How many flows the filter lets through.
    pub matching_flows: u64,
    /// Their frame bytes, both ways; those of a flow inside another of them count once.
    pub matching_bytes: u64,
    /// How many flows there are.
    pub total: u64,
    /// The window.
    pub rows: Vec<FlowRow>,
    /// For each row, its bytes over its own duration in 16 bars, each 0 to 15.
    pub sparks: Vec<Vec<u8>>,
    /// For each row, how the flow's connection fared; TCP only, once it is established.
    #[serde(default)]
    pub health: Vec<Option<RowHealth>>,
    /// Why the filter or the timeout cannot be understood; the window is then empty.
    pub filter_error: Option<FilterError>,
}

/// How an established TCP connection fared, the whole of it, as far as a row shows that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowHealth {
    /// From a SYN to its acknowledgement, of the side where that took longer, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake_ns: Option<u64>,
    /// From data to its acknowledgement, of the side where that takes longer, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ns: Option<u64>,
    /// Segments of both sides whose bytes were all sent before.
    pub retransmissions: u64,
    /// Bytes of both sides that were acknowledged and are not in the capture.
    pub lost_bytes: u64,
}

/// What of a capture is known while it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// Time of the first packet so far, in nanoseconds since 1970 UTC.
    pub time_start_ns: u64,
    /// Time of the last one.
    pub time_end_ns: u64,
    /// Frame bytes on the wire that clients sent.
    pub client_bytes: u64,
    /// Frame bytes on the wire that servers sent.
    pub server_bytes: u64,
    /// The labels with most bytes, at most 12, of the largest flows and of those that said all they can.
    pub labels: Vec<LabelRow>,
    /// How many flows are labelled later.
    pub waiting: u64,
    /// The flows with most bytes, at most 100, each labelled by what it says so far.
    pub rows: Vec<FlowRow>,
}

/// One flow, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowDetail {
    /// Its row.
    pub row: FlowRow,
    /// Names of client and server, where known.
    pub client_name: Option<String>,
    /// Name of the server, where known.
    pub server_name: Option<String>,
    /// What its payload tells.
    pub facts: Vec<FactRow>,
    /// What rules and payload say of it, where the label is a model's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_rules: Option<RuleWord>,
    /// What a model that was asked says of it, and why.
    #[serde(default)]
    pub guess: Option<GuessDetail>,
    /// The places in the flow of the first packets with payload, the client's first.
    pub first_payloads: [Option<u64>; 2],
    /// Why it is in its session, one sentence for each link.
    pub links: Vec<LinkRow>,
    /// What the capture says of its packets, in order, at most 8.
    pub comments: Vec<String>,
    /// The flows inside it, where it is a tunnel, at most 1,000.
    pub carries: Vec<u32>,
    /// Features by the correct schema; none where there is nothing to compute it from.
    pub features: Vec<FeatureValue>,
    /// How client and server of an established TCP connection fared.
    pub health: Option<[SideHealth; 2]>,
    /// Its first packets, at most 2,000.
    pub steps: Vec<StepRow>,
    /// Where the timeout cuts it: the first packet of each piece but the first, by its place in the flow, at most 1,000.
    pub cuts: Vec<u64>,
    /// How many packets it has.
    pub packets: u64,
    /// Payload bytes of the client's packets and of the server's, those sent again included.
    #[serde(default)]
    pub payload_bytes: [u64; 2],
    /// The first bytes the client sent: at most 512, of flows behind the first 65,536 at most 64, or 256 where nothing tells.
    pub client_head: Vec<u8>,
    /// The same of the server.
    pub server_head: Vec<u8>,
}

/// A label by rules and payload, beside that of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleWord {
    /// The label.
    pub label: String,
    /// Its group.
    pub group: String,
    /// How it was reached.
    pub evidence: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// Something a payload told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactRow {
    /// Its key in filters and exports.
    pub key: String,
    /// What it is.
    pub name: Words,
    /// Where it is said, and the document that says how.
    pub source: String,
    /// What was said.
    pub text: String,
}

/// How one side of a TCP connection fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideHealth {
    /// From its SYN to the acknowledgement of it, in nanoseconds.
    pub handshake_ns: Option<u64>,
    /// From data to its acknowledgement, smoothed as by RFC 6298, in nanoseconds.
    pub round_trip_ns: Option<u64>,
    /// Segments whose bytes were all sent before.
    pub retransmissions: u64,
    /// Segments that came after later ones, too soon for having been sent again.
    pub out_of_order: u64,
    /// Acknowledgements that repeat the one before while data is under way.
    pub duplicate_acks: u64,
    /// Segments that tell the other side to stop sending.
    pub zero_windows: u64,
    /// Segments that reach the end of the other side's receive window, where its scale is known.
    #[serde(default)]
    pub full_windows: u64,
    /// Segments that bring other bytes than the first ones at their place, as far as those are kept.
    #[serde(default)]
    pub differing: u64,
    /// Probes of an idle connection.
    pub keep_alives: u64,
    /// Bytes the other side acknowledged and the capture does not have.
    pub lost_bytes: u64,
}

/// A packet of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRow {
    /// Since the flow's first packet, in nanoseconds; negative where the capture is out of order.
    pub offset_ns: i64,
    /// The client sent it.
    pub is_from_client: bool,
    /// Frame bytes on the wire.
    pub bytes: u32,
    /// Transport payload bytes.
    pub payload_bytes: u32,
    /// The TCP flags, 0 where there are none.
    pub flags: u8,
}

/// A feature of a flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureValue {
    /// Its name in exports.
    pub name: String,
    /// What it is measured in: `µs`, `B/s`, `1/s`.
    pub unit: String,
    /// What it counts.
    pub what: Words,
    /// Its value, where there is one.
    pub value: Option<f64>,
}

/// A list of columns that can be exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaRow {
    /// Its name in exports and models.
    pub name: String,
    /// What it is.
    pub what: Words,
    /// Its columns, in order.
    pub columns: Vec<ColumnRow>,
}

/// A column of a schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnRow {
    /// Its name in exports.
    pub name: String,
    /// What it is measured in: `µs`, `B/s`, `1/s`; empty for no unit.
    pub unit: String,
    /// What it counts.
    pub what: Words,
}

/// A sentence in the page's languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// In English.
    pub en: String,
    /// In Russian.
    pub ru: String,
}

/// A window of the host table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hosts {
    /// How many hosts match.
    pub matching: u64,
    /// How many flows the filter lets through.
    #[serde(default)]
    pub matching_flows: u64,
    /// The window.
    pub rows: Vec<HostRow>,
    /// Why the filter cannot be understood; the window is then empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_error: Option<FilterError>,
}

/// A host as a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRow {
    /// Its address.
    pub ip: String,
    /// A name it was called by.
    pub name: Option<String>,
    /// Who said so: `dns`, `tls`, `quic`, `http` …
    pub name_source: Option<String>,
    /// `private`, `loopback`, `link-local`, `multicast`, `broadcast`, `documentation`, `shared` or `public`.
    pub scope: String,
    /// Where it is, by the user's database: two letters.
    pub country: Option<String>,
    /// Flows it opened.
    pub client_flows: u64,
    /// Flows it answered.
    pub server_flows: u64,
    /// Frame bytes of its flows, both ways.
    pub bytes: u64,
    /// The labels of its flows, most flows first, at most 4.
    pub labels: Vec<String>,
}

/// One host, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostDetail {
    /// Its row.
    pub row: HostRow,
    /// Every name it was called by and who said so, at most 100.
    pub names: Vec<(String, String)>,
    /// Every `User-Agent` it sent, at most 100.
    pub user_agents: Vec<String>,
    /// Its labels, most bytes first.
    pub labels: Vec<LabelRow>,
    /// The hosts it exchanged most bytes with, at most 50: address, name, flows, bytes.
    pub peers: Vec<(String, Option<String>, u64, u64)>,
    /// The book's statistics of its flows.
    pub statistics: Vec<crate::StatisticItem>,
    /// What else is known of it.
    #[serde(default)]
    pub card: HostCard,
}

/// A window of the session table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    /// How many sessions there are; of those alone that have a flow the filter lets through.
    pub total: u64,
    /// How many flows the filter lets through.
    #[serde(default)]
    pub matching_flows: u64,
    /// The window.
    pub rows: Vec<SessionRow>,
    /// Why the filter cannot be understood; the window is then empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter_error: Option<FilterError>,
}

/// A session as a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionRow {
    /// Its number: the least flow number in it counts up.
    pub session_id: u32,
    /// The host that opened its first flow.
    pub client_ip: String,
    /// The label most of its bytes have.
    pub label: String,
    /// That label's group.
    pub group: String,
    /// The name most of its flows asked for.
    pub name: Option<String>,
    /// How many flows.
    pub flows: u64,
    /// Frame bytes, both ways.
    pub bytes: u64,
    /// Time of the first packet, in nanoseconds since 1970 UTC.
    pub time_start_ns: u64,
    /// Time of the last packet, in nanoseconds since 1970 UTC.
    pub time_end_ns: u64,
    /// The kinds of its links, most frequent first: `dns answer`, `same name`, `ftp data` …
    pub kinds: Vec<String>,
    /// How many of its flows a filter lets through, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_flows: Option<u64>,
}

/// One session, whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    /// Its row.
    pub row: SessionRow,
    /// Its flows, by first packet, at most 1,000.
    pub flows: Vec<FlowRow>,
    /// Why they belong together, at most 1,000.
    pub links: Vec<LinkRow>,
    /// Features of the session; none where there is nothing to compute it from.
    #[serde(default)]
    pub features: Vec<FeatureValue>,
}

/// A user's word on what belongs together. Flows keep their numbers, whatever is decided; sessions do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decision {
    /// The flow is a session of its own. The others of its session stay together.
    Apart {
        /// Its [`FlowRow::flow_id`].
        flow_id: u32,
    },
    /// The sessions of two flows are one.
    Together {
        /// A flow of the one session.
        flow_id: u32,
        /// A flow of the other one.
        other_id: u32,
    },
}

/// What a user decided of the sessions of a capture, each after the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decisions {
    /// In order.
    pub decisions: Vec<Decision>,
    /// The last decision could not be taken: it names a flow there is not, or too much was decided.
    pub is_refused: bool,
    /// How many sessions there are now.
    pub sessions: u64,
}

/// Why two flows belong to one session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkRow {
    /// The earlier flow.
    pub from: u32,
    /// The later flow.
    pub to: u32,
    /// `ftp data`, `dns answer`, `same name`, `same p2p port`, `user` …
    pub kind: String,
    /// What was seen, in a sentence.
    pub evidence: String,
    /// How sure it is, in percent.
    pub percent: u8,
}
