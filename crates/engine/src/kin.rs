//! What a flow shows of others: those of the same socket, and those between the same ends over another transport.
//!
//! A socket is one program's. So what it says to one peer tells what it says to others, as far as they are near in time.

use classify::{Kin, Tie, Verdict};
use flow::{Endpoint, Flow, Many, Transport};
use session::Addresses;

/// A socket may be another program's after so long without a flow, in nanoseconds.
const NEAR: u64 = 600_000_000_000;

/// Labels flows that say nothing of themselves by their kin.
pub(crate) fn label(flows: &Many<Flow>, verdicts: &mut Many<Verdict>, addresses: &Addresses) {
    label_sockets(flows, verdicts);
    label_peers(flows, verdicts, addresses);
    label_connections(flows, verdicts);
    label_twins(flows, verdicts, addresses);
}

/// Flows of UDP sockets that only what was said to several peers tells.
fn label_sockets(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    let said = |it: u32| flows.get(it as usize)?.heads.client.datagrams().next();
    let mut sockets: Vec<(Endpoint, u32)> = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if verdict.protocol == classify::UNKNOWN
            && flow.transport == Transport::UDP
            && said(number).is_some_and(classify::is_of_socket)
        {
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

/// When something with a label was at an end, and in which flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    end: End,
    first: u64,
    flow: u32,
}

/// A host by its number, and a port.
type End = (u32, u16);

/// The client and the server of a flow.
fn ends(flow: &Flow, [client, server]: [u32; 2]) -> [End; 2] {
    [(client, flow.client.port), (server, flow.server.port)]
}

/// The flow seen at an end nearest to a time.
fn nearest(seen: &[Seen], flows: &Many<Flow>, end: End, flow: &Flow) -> Option<u32> {
    let at = seen.partition_point(|it| (it.end, it.first) <= (end, flow.first.0));
    let near = |it: &&Seen| {
        let other = flows.get(it.flow as usize);
        it.end == end
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
fn label_peers(flows: &Many<Flow>, verdicts: &mut Many<Verdict>, addresses: &Addresses) {
    let mut seen: Vec<Seen> = Vec::new();
    for (number, (verdict, numbers)) in (0..).zip(verdicts.iter().zip(addresses.ends())) {
        let is_peer = verdict.is_peer();
        if !is_peer && !verdict.shows_program() {
            continue;
        }
        let Some(flow) = flows.get(number as usize) else { continue };
        let place = |end| Seen { end, first: flow.first.0, flow: number };
        let [client, server] = ends(flow, *numbers);
        seen.extend((flow.transport == Transport::UDP).then(|| place(client)));
        seen.extend(is_peer.then(|| place(server)));
    }
    if seen.is_empty() {
        return;
    }
    seen.sort_unstable();
    let mut found = Vec::new();
    for (number, (verdict, numbers)) in (0..).zip(verdicts.iter().zip(addresses.ends())) {
        let Some(flow) = flows.get(number as usize).filter(|_| verdict.is_open()) else { continue };
        if flow.client.port == 0 {
            continue;
        }
        let [client, server] = ends(flow, *numbers);
        let is_udp = flow.transport == Transport::UDP;
        let of_client = is_udp.then(|| nearest(&seen, flows, client, flow)).flatten();
        let kin = of_client.or_else(|| nearest(&seen, flows, server, flow));
        found.extend(kin.map(|kin| (number, kin)));
    }
    take(found, verdicts, Kin::Socket);
}

/// Flows between the same hosts, to the same port, over another transport: QUIC beside TLS.
fn label_twins(flows: &Many<Flow>, verdicts: &mut Many<Verdict>, addresses: &Addresses) {
    // Hosts, port, transport and flow.
    type Twin = ((u32, u32), u16, Transport, u32);
    let twin = |flow: &Flow, numbers: [u32; 2], transport: Transport, number: u32| -> Twin {
        (numbers.into(), flow.server.port, transport, number)
    };
    let mut named: Vec<Twin> = Vec::new();
    let mut nameless: Vec<Twin> = Vec::new();
    for (number, (verdict, numbers)) in (0..).zip(verdicts.iter().zip(addresses.ends())) {
        let (is_named, is_nameless) = (verdict.is_named(), verdict.is_nameless());
        let Some(flow) = flows.get(number as usize).filter(|_| is_named || is_nameless) else {
            continue;
        };
        if is_named && matches!(flow.transport, Transport::TCP | Transport::UDP) {
            named.push(twin(flow, *numbers, flow.transport, number));
        } else if is_nameless {
            let other = match flow.transport {
                Transport::TCP => Transport::UDP,
                _ => Transport::TCP,
            };
            nameless.push(twin(flow, *numbers, other, number));
        }
    }
    if nameless.is_empty() {
        return;
    }
    named.sort_unstable();
    let mut found = Vec::new();
    for it in nameless {
        // The last one that began before, of the others of these ends.
        let at = named.partition_point(|before| *before <= it);
        let before = at.checked_sub(1).and_then(|it| named.get(it));
        let is_twin = |before: &&Twin| (before.0, before.1, before.2) == (it.0, it.1, it.2);
        let Some(before) = before.filter(is_twin) else { continue };
        let (first, last) = (flows.get(it.3 as usize), flows.get(before.3 as usize));
        let (first, last) = (first.map_or(0, |it| it.first.0), last.map_or(0, |it| it.last.0));
        if first.saturating_sub(last) <= NEAR {
            found.push((it.3, before.3));
        }
    }
    take(found, verdicts, Kin::Twin);
}

/// QUIC connections whose client has moved: what they are was said before.
fn label_connections(flows: &Many<Flow>, verdicts: &mut Many<Verdict>) {
    let mut named: Vec<(Tie, Endpoint, u32)> = Vec::new();
    let mut nameless = Vec::new();
    for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(&*verdicts)) {
        if verdict.is_named() {
            named.extend(connections(verdict).map(|it| (it, flow.server, number)));
        } else if verdict.is_nameless() && connections(verdict).next().is_some() {
            nameless.push((number, flow.server));
        }
    }
    named.sort_unstable();
    let mut found = Vec::new();
    for (number, server) in nameless {
        let Some(verdict) = verdicts.get(number as usize) else { continue };
        let before = connections(verdict).find_map(|tie| {
            let at = named.partition_point(|it| *it < (tie, server, number));
            named.get(at.checked_sub(1)?).filter(|it| (it.0, it.1) == (tie, server))
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
