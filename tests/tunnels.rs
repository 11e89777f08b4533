//! What is said inside a tunnel is read as if it were said outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path};

use engine::{Analysis, Job};
use v1::page::FlowRow;

fn analysis(file_name: &str) -> Analysis {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(file_name);
    let mut job = Job::new(file_name, 7);
    job.feed(&fs::read(path).unwrap()).unwrap();
    job.finish(false)
}

/// What a flow is, whatever brought it here.
fn told(row: FlowRow) -> (String, (String, u64, u64, u64, Option<String>, Option<String>)) {
    let ends = format!("{}:{} {}", row.client_ip, row.client_port, row.server_ip);
    let bytes = row.client_ip_bytes + row.server_ip_bytes;
    let counts = (row.label, row.client_packets, row.server_packets, bytes);
    (ends, (counts.0, counts.1, counts.2, counts.3, row.conn_state, row.domain_name))
}

#[test]
fn a_tunnel_hides_nothing() {
    let plain: BTreeMap<_, _> = analysis("ethernet.pcap").rows().map(told).collect();
    let inside = analysis("tunnels.pcap");
    let inside = inside.rows().filter(|it| it.tunnel.is_some());
    assert_eq!(inside.map(told).collect::<BTreeMap<_, _>>(), plain);
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
    let own: u64 =
        rows.iter().map(|it| it.client_bytes + it.server_bytes - it.carried_bytes).sum();
    assert_eq!(own, frames.wire_bytes, "every frame counts once");
}
