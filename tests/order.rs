//! Every column of the flow table orders as the standard library orders what the rows show.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::IpAddr;

use engine::{Analysis, Job};
use tests::{made, sample};
use v1::page::{FlowRow, FlowSort, Flows, Query, RowHealth};

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(u64),
    Text(String),
    Address(IpAddr),
}

use Value::{Address, Number, Text};

/// What a column orders a row by, from the row's own texts; without a value, `None`.
type Key = fn(&FlowRow, &RowHealth) -> Option<Vec<Value>>;

const COLUMNS: &[(FlowSort, Key)] = &[
    (FlowSort::Number, |it, _| number(it.flow_id)),
    (FlowSort::Start, |it, _| number(it.time_start_ns)),
    (FlowSort::End, |it, _| number(it.time_end_ns)),
    (FlowSort::Duration, |it, _| number(it.time_end_ns - it.time_start_ns)),
    (FlowSort::Label, |it, _| Some(vec![Text(it.label.clone()), Text(it.protocol.clone())])),
    (FlowSort::Protocol, |it, _| text(Some(&it.protocol))),
    (FlowSort::Group, |it, _| text(Some(&it.group))),
    (FlowSort::Client, |it, _| address(&it.client_ip, it.client_port)),
    (FlowSort::ClientPort, |it, _| number(it.client_port)),
    (FlowSort::Server, |it, _| {
        let mut key = match &it.domain_name {
            Some(name) => vec![Number(0), Text(name.clone())],
            None => vec![Number(1)],
        };
        key.extend(address(&it.server_ip, it.server_port)?);
        Some(key)
    }),
    (FlowSort::ServerAddress, |it, _| address(&it.server_ip, it.server_port)),
    (FlowSort::ServerPort, |it, _| number(it.server_port)),
    (FlowSort::Name, |it, _| text(it.domain_name.as_ref())),
    (FlowSort::Packets, |it, _| number(it.client_packets + it.server_packets)),
    (FlowSort::ClientPackets, |it, _| number(it.client_packets)),
    (FlowSort::ServerPackets, |it, _| number(it.server_packets)),
    (FlowSort::Bytes, |it, _| number(it.client_bytes + it.server_bytes)),
    (FlowSort::ClientBytes, |it, _| number(it.client_bytes)),
    (FlowSort::ServerBytes, |it, _| number(it.server_bytes)),
    (FlowSort::State, |it, _| text(it.conn_state.as_ref())),
    (FlowSort::Agent, |it, _| text(it.user_agent.as_ref())),
    (FlowSort::Ja4, |it, _| text(it.ja4.as_ref())),
    (FlowSort::Session, |it, _| number(it.session_id)),
    (FlowSort::Evidence, |it, _| text(Some(&it.evidence))),
    (FlowSort::Confidence, |it, _| number(it.confidence?)),
    (FlowSort::Tunnel, |it, _| number(it.parent_id?)),
    (FlowSort::Handshake, |_, it| number(it.handshake_ns?)),
    (FlowSort::RoundTrip, |_, it| number(it.round_trip_ns?)),
];

fn number(value: impl Into<u64>) -> Option<Vec<Value>> {
    Some(vec![Number(value.into())])
}

fn text(value: Option<&String>) -> Option<Vec<Value>> {
    Some(vec![Text(value?.clone())])
}

fn address(ip: &str, port: u16) -> Option<Vec<Value>> {
    Some(vec![Address(ip.parse().ok()?), Number(port.into())])
}

type Line = (FlowRow, Option<RowHealth>);

fn analysis(name: &str, bytes: &[u8]) -> Analysis {
    let mut job = Job::new(name, 7);
    // What is damaged is ordered as far as it was read.
    let _ = job.feed(bytes);
    job.finish(false)
}

/// All rows in an order, window by window.
fn rows(
    analysis: &Analysis,
    filter: &str,
    timeout: &str,
    (sort, is_descending): (FlowSort, bool),
) -> Vec<Line> {
    let mut rows = Vec::new();
    loop {
        let answer = analysis.page(&Query::Flows {
            filter: filter.to_owned(),
            timeout: timeout.to_owned(),
            sort,
            is_descending,
            offset: rows.len() as u32,
            len: 1_000,
        });
        let window: Flows = serde_json::from_value(answer).unwrap();
        assert_eq!(window.filter_error, None);
        assert_eq!(window.rows.len(), window.health.len());
        if window.rows.is_empty() {
            assert_eq!(rows.len() as u64, window.matching);
            return rows;
        }
        rows.extend(window.rows.into_iter().zip(window.health));
    }
}

#[track_caller]
fn check(analysis: &Analysis, filter: &str, timeout: &str) {
    // Flows are numbered by their first packet in the file, pieces of them are in order of time.
    let usual = if timeout == "none" { FlowSort::Number } else { FlowSort::Start };
    let first = rows(analysis, filter, timeout, (usual, false));
    assert!(first.len() > 1, "{filter}");
    for (column, key) in COLUMNS {
        for is_descending in [false, true] {
            let key = |it: &Line| key(&it.0, &it.1.unwrap_or_default());
            let (mut expected, blank): (Vec<Line>, Vec<Line>) =
                first.iter().cloned().partition(|it| key(it).is_some());
            // Stable: equal ones stay in order of their first packet.
            expected.sort_by(|a, b| match is_descending {
                false => key(a).cmp(&key(b)),
                true => key(b).cmp(&key(a)),
            });
            expected.extend(blank);
            let found = rows(analysis, filter, timeout, (*column, is_descending));
            assert!(found == expected, "{column:?} {is_descending} `{filter}` {timeout}");
        }
    }
}

#[test]
fn every_column_orders_flows_and_pieces_as_the_rows_say() {
    let analysis = analysis("sample.pcapng", &sample());
    // One filter after another: what is kept of the windows before does not show.
    for (filter, timeout) in
        [("", "none"), ("proto:dns", "none"), ("bytes>500", "none"), ("", "idle:1"), ("", "none")]
    {
        check(&analysis, filter, timeout);
    }
}

#[test]
fn tunnels_addresses_of_both_kinds_and_trouble_are_ordered() {
    for name in ["tunnels.pcap", "mixed.pcapng", "trouble.pcap"] {
        let analysis = analysis(name, &made(name));
        check(&analysis, "", "none");
        check(&analysis, "", "15");
    }
}
