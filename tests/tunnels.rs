//! What is said inside a tunnel is read as if it were said outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use engine::{Analysis, Job};
use v1::page::FlowRow;

fn analysis(file_name: &str) -> Analysis {
    let mut job = Job::new(file_name, 7);
    job.feed(&tests::made(file_name)).unwrap();
    job.finish(false)
}

/// What a flow is, whatever brought it here.
fn told(row: FlowRow) -> FlowRow {
    FlowRow {
        flow_id: 0,
        session_id: 0,
        parent_id: None,
        tunnel: None,
        client_bytes: 0,
        server_bytes: 0,
        ..row
    }
}

/// By the port of the client; every flow has its own.
fn by_port(rows: impl Iterator<Item = FlowRow>) -> BTreeMap<u16, FlowRow> {
    rows.map(|it| (it.client_port, told(it))).collect()
}

#[test]
fn a_tunnel_hides_nothing() {
    let (plain, inside) = (analysis("ethernet.pcap"), analysis("tunnels.pcap"));
    let inside = by_port(inside.rows().filter(|it| it.tunnel.is_some()));
    assert_eq!(inside, by_port(plain.rows()));
}

#[test]
fn every_tunnel_is_a_flow_around_those_inside() {
    let analysis = analysis("tunnels.pcap");
    let rows: Vec<FlowRow> = analysis.rows().collect();
    let outer: BTreeMap<u32, &str> =
        rows.iter().filter(|it| it.tunnel.is_none()).map(|it| (it.flow_id, &*it.label)).collect();
    let mut labels: Vec<&str> = outer.values().copied().collect();
    labels.sort_unstable();
    assert_eq!(labels, ["gre", "gtp", "ipip", "ipv6", "vxlan"]);
    for row in rows.iter().filter(|it| it.tunnel.is_some()) {
        let parent = outer[&row.parent_id.unwrap()];
        let tunnel = row.tunnel.as_deref().unwrap();
        assert!(tunnel.starts_with(parent) || (tunnel, parent) == ("6in4", "ipv6"), "{tunnel}");
    }
    let frames = analysis.reading().account.in_flows;
    let own: u64 = rows.iter().map(|it| it.client_bytes + it.server_bytes - it.carried_bytes).sum();
    assert_eq!(own, frames.wire_bytes, "every frame counts once");
}
