//! Flows as rows: what tables, exports and the job store hold of them.

use classify::Verdict;
use flow::{Flow, Total};
use session::Session;
use v1::page::FlowRow;

/// A row a flow, in the order of the flows.
pub(crate) fn rows(flows: &[(Flow, Verdict)], sessions: &[Session]) -> Vec<FlowRow> {
    let mut session_of = vec![0; flows.len()];
    for (number, session) in (0..).zip(sessions) {
        for member in &session.members {
            if let Some(slot) = session_of.get_mut(*member as usize) {
                *slot = number;
            }
        }
    }
    (0..)
        .zip(flows)
        .zip(session_of)
        .map(|((flow_id, (flow, verdict)), session_id)| row(flow_id, session_id, flow, verdict))
        .collect()
}

fn row(flow_id: u32, session_id: u32, flow: &Flow, verdict: &Verdict) -> FlowRow {
    let mut row = FlowRow {
        flow_id,
        session_id,
        transport: flow.transport.to_string(),
        client_ip: flow.client.ip.to_string(),
        client_port: flow.client.port,
        server_ip: flow.server.ip.to_string(),
        server_port: flow.server.port,
        time_start_ns: flow.first.0,
        time_end_ns: flow.last.0,
        conn_state: flow.conn_state.map(|it| it.name().to_owned()),
        protocol: verdict.protocol.to_owned(),
        label: verdict.label.clone().into_owned(),
        group: verdict.group.to_owned(),
        reason: verdict.sentence(),
        domain_name: verdict.facts.server_name.clone(),
        user_agent: verdict.facts.user_agent.clone(),
        ja4: verdict.facts.ja4.clone(),
        ..FlowRow::default()
    };
    set_totals(&mut row, flow.from_client, flow.from_server);
    row
}

/// Puts the counts of both sides into a row.
pub(crate) fn set_totals(row: &mut FlowRow, client: Total, server: Total) {
    row.client_packets = client.packets;
    row.server_packets = server.packets;
    row.client_bytes = client.frame_bytes;
    row.server_bytes = server.frame_bytes;
    row.client_ip_bytes = client.ip_bytes;
    row.server_ip_bytes = server.ip_bytes;
}
