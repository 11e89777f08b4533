//! Flows as lines of JSON, written from what is kept of them: what a [`FlowRow`](v1::page::FlowRow) says, in its order.

use std::fmt::Display;

use classify::Fact;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::rows::Row;

/// A flow as the command line's contract has it.
pub(super) struct Line<'a> {
    pub(super) capture: &'a str,
    pub(super) row: &'a Row<'a>,
}

/// What is written as it is shown.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Facts, in order of their keys.
struct Facts<'a>(&'a [(&'static str, &'a str)]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// Writes what there is.
fn some<M: SerializeMap>(
    line: &mut M,
    key: &str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |it| line.serialize_entry(key, &it))
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let (mut agent, mut ja4, mut facts) = (None, None, Vec::new());
        for (fact, text) in row.facts() {
            match fact {
                Fact::UserAgent => agent = Some(text),
                Fact::Ja4 => ja4 = Some(text),
                _ => facts.push((fact.row().key, text)),
            }
        }
        facts.sort_unstable();
        let above_zero = |it: u64| (it > 0).then_some(it);
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry("capture", self.capture)?;
        line.serialize_entry("flow_id", &row.flow_id)?;
        some(&mut line, "piece", row.piece)?;
        line.serialize_entry("session_id", &row.session_id)?;
        line.serialize_entry("transport", &Shown(row.transport))?;
        line.serialize_entry("client_ip", &Shown(row.client.ip))?;
        line.serialize_entry("client_port", &row.client.port)?;
        line.serialize_entry("server_ip", &Shown(row.server.ip))?;
        line.serialize_entry("server_port", &row.server.port)?;
        line.serialize_entry("time_start_ns", &row.time_start_ns)?;
        line.serialize_entry("time_end_ns", &row.time_end_ns)?;
        line.serialize_entry("client_packets", &row.from_client.packets)?;
        line.serialize_entry("server_packets", &row.from_server.packets)?;
        line.serialize_entry("client_bytes", &row.from_client.frame_bytes)?;
        line.serialize_entry("server_bytes", &row.from_server.frame_bytes)?;
        line.serialize_entry("client_ip_bytes", &row.from_client.ip_bytes)?;
        line.serialize_entry("server_ip_bytes", &row.from_server.ip_bytes)?;
        some(&mut line, "parent_id", row.parent_id)?;
        some(&mut line, "tunnel", row.tunnel.map(Shown))?;
        some(&mut line, "carried_bytes", above_zero(row.carried_bytes))?;
        some(&mut line, "conn_state", row.conn_state())?;
        some(&mut line, "history", row.history())?;
        some(&mut line, "about_id", row.about_id)?;
        some(&mut line, "icmp_errors", above_zero(row.icmp_errors))?;
        line.serialize_entry("protocol", row.protocol)?;
        line.serialize_entry("label", row.label)?;
        line.serialize_entry("group", row.group)?;
        line.serialize_entry("evidence", row.evidence)?;
        some(&mut line, "confidence", row.confidence)?;
        some(&mut line, "shown_by", row.shown_by)?;
        line.serialize_entry("reason", &*row.reason())?;
        some(&mut line, "domain_name", row.domain_name())?;
        some(&mut line, "user_agent", agent)?;
        some(&mut line, "ja4", ja4)?;
        some(&mut line, "facts", (!facts.is_empty()).then_some(Facts(&facts)))?;
        line.end()
    }
}
