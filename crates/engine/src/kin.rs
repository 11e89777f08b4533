//! What a flow shows of others: those of the same socket, and those between the same ends over another transport.
//!
//! A socket is one program's. So what it says to one peer tells what it says to others, as far as they are near in time.

use std::net::IpAddr;

use classify::{Kin, Tie, Verdict};
use flow::{Endpoint, Flow, Many, Transport};

/// A socket may be another program's after so long without a flow, in nanoseconds.
const NEAR: u64 = 600_000_000_000;

/// Labels flows that say nothing of themselves by their kin.
pub(crate) fn label(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    label_sockets(flows, verdicts);
    label_peers(flows, verdicts);
    label_connections(flows, verdicts);
    label_twins(flows, verdicts);
}

/// Flows of UDP sockets that only what was said to several peers tells.
fn label_sockets(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    let said = |it: u32| flows.get(it as usize)?.heads.client.datagrams().next();
    let mut sockets: Vec<(Endpoint, u32)> = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        let is_unknown = verdict.protocol == classify::UNKNOWN;
        let is_part = || said(number).is_some_and(classify::is_of_socket);
        if flow.transport == Transport::UDP && is_unknown && is_part() {
            sockets.push((flow.client, number));
        }
    }
    sockets.sort_unstable();
    for socket in sockets.chunk_by(|a, b| a.0 == b.0) {
        let said: Vec<&[u8]> = socket.iter().filter_map(|it| said(it.1)).collect();
        for ((_, number), protocol) in socket.iter().zip(classify::recognise_socket(&said)) {
            if let (Some(protocol), Some(verdict)) = (protocol, verdicts.get_mut(*number as usize))
            {
                classify::relabel_by_socket(verdict, protocol);
            }
        }
    }
}

/// When something with a label was at an endpoint, and in which flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    endpoint: Endpoint,
    first: u64,
    flow: u32,
}

/// The flow seen at an endpoint nearest to a time.
fn nearest(seen: &[Seen], flows: &Many<Flow>, endpoint: Endpoint, flow: &Flow) -> Option<u32> {
    let at = seen.partition_point(|it| (it.endpoint, it.first) <= (endpoint, flow.first.0));
    let near = |it: &&Seen| {
        let other = flows.get(it.flow as usize);
        it.endpoint == endpoint
            && other.is_some_and(|other| {
                let gap = if other.first <= flow.first {
                    flow.first.0.saturating_sub(other.last.0)
                } else {
                    other.first.0.saturating_sub(flow.last.0)
                };
                gap <= NEAR
            })
    };
    let before = at.checked_sub(1).and_then(|it| seen.get(it)).filter(near);
    before.or_else(|| seen.get(at).filter(near)).map(|it| it.flow)
}

/// Flows of a socket whose other flows show a peer-to-peer protocol, or a service by their payload; and connections to
/// a peer that is known to listen there.
fn label_peers(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    let mut seen: Vec<Seen> = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        let place = |endpoint| Seen { endpoint, first: flow.first.0, flow: number };
        let is_peer = verdict.is_peer();
        if flow.transport == Transport::UDP && (is_peer || verdict.shows_program()) {
            seen.push(place(flow.client));
        }
        if is_peer {
            seen.push(place(flow.server));
        }
    }
    if seen.is_empty() {
        return;
    }
    seen.sort_unstable();
    let mut found = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if !verdict.is_open() || flow.client.port == 0 {
            continue;
        }
        let is_udp = flow.transport == Transport::UDP;
        let of_client = is_udp.then(|| nearest(&seen, flows, flow.client, flow)).flatten();
        let kin = of_client.or_else(|| nearest(&seen, flows, flow.server, flow));
        found.extend(kin.map(|kin| (number, kin)));
    }
    take(found, verdicts, Kin::Socket);
}

/// Flows between the same hosts, to the same port, over another transport: QUIC beside TLS.
fn label_twins(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    type Key = (IpAddr, Endpoint);
    let key = |flow: &Flow| -> Key { (flow.client.ip, flow.server) };
    let mut named: Vec<(Key, Transport, u32)> = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if verdict.is_named() && matches!(flow.transport, Transport::TCP | Transport::UDP) {
            named.push((key(flow), flow.transport, number));
        }
    }
    named.sort_unstable();
    let mut found = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if !verdict.is_nameless() {
            continue;
        }
        let other = match flow.transport {
            Transport::TCP => Transport::UDP,
            _ => Transport::TCP,
        };
        // The last one that began before, of the others of these ends.
        let at = named.partition_point(|it| (it.0, it.1, it.2) <= (key(flow), other, number));
        let before = at.checked_sub(1).and_then(|it| named.get(it));
        let is_twin = |it: &&(Key, Transport, u32)| {
            let last = flows.get(it.2 as usize).map_or(0, |it| it.last.0);
            (it.0, it.1) == (key(flow), other) && flow.first.0.saturating_sub(last) <= NEAR
        };
        found.extend(before.filter(is_twin).map(|it| (number, it.2)));
    }
    take(found, verdicts, Kin::Twin);
}

/// QUIC connections whose client has moved: what they are was said before.
fn label_connections(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    let mut named: Vec<(Tie, Endpoint, u32)> = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if verdict.is_named() {
            named.extend(connections(verdict).map(|it| (it, flow.server, number)));
        }
    }
    named.sort_unstable();
    let mut found = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if !verdict.is_nameless() || named.is_empty() {
            continue;
        }
        let before = connections(verdict).find_map(|tie| {
            let at = named.partition_point(|it| *it < (tie, flow.server, number));
            named.get(at.checked_sub(1)?).filter(|it| (it.0, it.1) == (tie, flow.server))
        });
        found.extend(before.map(|it| (number, it.2)));
    }
    take(found, verdicts, Kin::Connection);
}

fn connections(verdict: &Verdict) -> impl Iterator<Item = Tie> {
    let ties = verdict.facts().ties.iter().copied();
    ties.filter(|it| matches!(it, Tie::QuicConnection(_)))
}

/// Gives flows the labels of their kin.
fn take(found: Vec<(u32, u32)>, verdicts: &mut Many<Verdict>, how: Kin) {
    for (number, kin) in found {
        let Some((protocol, label, group)) =
            verdicts.get(kin as usize).map(|it| (it.protocol, it.label.clone(), it.group))
        else {
            continue;
        };
        if let Some(verdict) = verdicts.get_mut(number as usize) {
            classify::relabel_by_kin(verdict, (protocol, label, group), kin, how);
        }
    }
}
