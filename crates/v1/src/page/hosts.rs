//! The host card: what the capture tells of one host beyond names, labels and peers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SessionRow;
use crate::Notable;

/// What else is known of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostCard {
    /// Time of the first packet of its flows, in nanoseconds since 1970 UTC.
    pub time_start_ns: u64,
    /// Time of the last packet of its flows, in nanoseconds since 1970 UTC.
    pub time_end_ns: u64,
    /// Packets it sent.
    pub packets_out: u64,
    /// Packets it got.
    pub packets_in: u64,
    /// Frame bytes it sent.
    pub bytes_out: u64,
    /// Frame bytes it got.
    pub bytes_in: u64,
    /// The registered network its address is in, where that has a purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Ethernet addresses that sent for it, its own first.
    pub macs: Vec<MacRow>,
    /// Ports it answered at, most flows first, at most 50.
    pub served: Vec<PortRow>,
    /// Ports of others that it called, most flows first, at most 50.
    pub used: Vec<PortRow>,
    /// What its system may be, each with who said so.
    pub systems: Vec<SystemRow>,
    /// Its sessions, those with most of its flows first, at most 10.
    pub sessions: Vec<SessionRow>,
    /// How many sessions it has.
    pub n_sessions: u64,
    /// What is worth a look about it.
    pub notable: Vec<Notable>,
}

/// A network that a registry sets apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// `10.0.0.0/8`.
    pub cidr: String,
    /// The document that does so: `RFC 1918`.
    pub source: String,
}

/// An Ethernet address that sent for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MacRow {
    /// In lower case with colons.
    pub mac: String,
    /// `own` where ARP says so; `alone` where it sends for this address and no other; `router` where it sends for many or
    /// for public ones besides; `either` where that cannot be told.
    pub whose: String,
    /// How many addresses it sends for, at most 8.
    pub n_addresses: u64,
    /// There are more.
    pub has_more: bool,
    /// Somebody chose it: no maker's number is in it (IEEE 802, locally administered).
    pub is_local: bool,
    /// Who made the interface, by the user's own list; none where there is no such list or it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
}

/// A port and what was spoken there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PortRow {
    /// `tcp`, `udp` …
    pub transport: String,
    /// The server's port.
    pub port: u16,
    /// The protocols detected, most flows first.
    pub protocols: Vec<String>,
    /// The filter that finds the flows and no others.
    pub filter: String,
    /// How many flows.
    pub flows: u64,
    /// Their frame bytes, both ways.
    pub bytes: u64,
}

/// What a host's system may be, by what somebody said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SystemRow {
    /// `Windows 10 or 11`, `Android` …
    pub system: String,
    /// The protocol that said so.
    pub protocol: String,
    /// The key of the fact that says so.
    pub fact: String,
    /// What was said.
    pub said: String,
}
