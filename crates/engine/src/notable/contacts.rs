//! Who called whom, in order: scans of ports and of hosts, regular contacts, uploads.

use std::net::IpAddr;

use flow::{Flow, Transport};
use v1::Notable;

use super::{bounds, in_vain, number, percent, text};
use crate::{Analysis, hosts::scope};

/// A flow by who called whom: hosts by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Contact {
    client: u32,
    server: u32,
    transport: Transport,
    port: u16,
    flow: u32,
}

/// All of them, in order.
pub(super) struct Contacts<'a> {
    analysis: &'a Analysis,
    contacts: Vec<Contact>,
}

impl<'a> Contacts<'a> {
    pub(super) fn new(analysis: &'a Analysis, flows: &[u32]) -> Self {
        let mut ends: Vec<[u32; 2]> = vec![[u32::MAX; 2]; analysis.n_flows()];
        for place in 0..analysis.hosts.len() as u32 {
            for end in analysis.hosts.ends(place) {
                let Some(of_flow) = ends.get_mut(end.flow() as usize) else { continue };
                of_flow[usize::from(end.is_server())] = place;
            }
        }
        let contacts = flows.iter().filter_map(|number| {
            let flow = analysis.flows.get(*number as usize)?;
            let [client, server] = *ends.get(*number as usize)?;
            // Who talks to itself has one end.
            let server = if server == u32::MAX { client } else { server };
            let (transport, port) = (flow.transport, flow.server.port);
            Some(Contact { client, server, transport, port, flow: *number })
        });
        let mut contacts: Vec<Contact> = contacts.filter(|it| it.client != u32::MAX).collect();
        contacts.sort_unstable();
        Self { analysis, contacts }
    }

    /// The flows of each client, those with most hosts to call together.
    pub(super) fn by_client(&self) -> impl Iterator<Item = (IpAddr, impl Iterator<Item = u32>)> {
        self.contacts.chunk_by(|a, b| a.client == b.client).filter_map(|of_one| {
            let ip = self.ip(of_one.first()?.client)?;
            Some((ip, of_one.iter().map(|it| it.flow)))
        })
    }

    fn ip(&self, place: u32) -> Option<IpAddr> {
        self.analysis.hosts.ip(place, &self.analysis.flows)
    }

    fn flow(&self, contact: &Contact) -> Option<&'a Flow> {
        self.analysis.flows.get(contact.flow as usize)
    }

    /// The contacts in vain of some, each with its state; none where they tell nothing of scans.
    fn in_vain<'b>(&self, some: &'b [Contact]) -> Vec<(&'b Contact, &'static str)> {
        if !some.first().is_some_and(|it| matches!(it.transport, Transport::TCP | Transport::UDP)) {
            return Vec::new();
        }
        let found = some.iter().filter_map(|it| Some((it, in_vain(self.flow(it)?)?)));
        let found: Vec<_> = found.collect();
        if percent(found.len(), some.len()) < bounds::IN_VAIN_PERCENT {
            return Vec::new();
        }
        let doubtful = found.iter().filter(|(it, _)| self.is_doubtful(it)).count();
        if percent(doubtful, found.len()) > bounds::SPEAKING_PERCENT { Vec::new() } else { found }
    }

    /// Whether an attempt in vain is none of somebody who looks around.
    fn is_doubtful(&self, contact: &Contact) -> bool {
        let Some((flow, verdict)) = self.analysis.labelled(contact.flow) else { return true };
        let is_peer = classify::group_of_protocol(verdict.protocol) == "peer2peer";
        // A SYN is no answer.
        let is_answer = flow.transport == Transport::UDP
            && bounds::SERVER_PORTS.contains(&flow.client.port)
            && flow.client.port != flow.server.port;
        let speaks = match flow.transport {
            Transport::TCP => !flow.heads.client.bytes().is_empty(),
            _ => flow.bytes() > bounds::PROBE_BYTES,
        };
        let is_trace =
            flow.transport == Transport::UDP && bounds::TRACEROUTE.contains(&flow.server.port);
        is_peer || is_answer || speaks || is_trace
    }

    /// One host that tries many ports of another.
    pub(super) fn port_scans(&self) -> Vec<Notable> {
        let key = |it: &Contact| (it.client, it.server, it.transport);
        let scans = self.contacts.chunk_by(|a, b| key(a) == key(b)).filter_map(|some| {
            if some.len() < bounds::SCANNED_PORTS {
                return None;
            }
            let tried = self.in_vain(some);
            let mut ports: Vec<u16> = tried.iter().map(|it| it.0.port).collect();
            ports.dedup();
            if ports.len() < bounds::SCANNED_PORTS {
                return None;
            }
            let contact = some.first()?;
            let (client, server) = (self.ip(contact.client)?, self.ip(contact.server)?);
            let over = contact.transport;
            let terms = format!("client:{client} server:{server} transport:{over}");
            Some(Notable {
                code: "W-PORT-SCAN".to_owned(),
                parameters: vec![
                    text(client),
                    text(server),
                    text(over.to_string().to_uppercase()),
                    number(ports.len()),
                    number(tried.len()),
                    number(some.len()),
                ],
                client: Some(client.to_string()),
                server: Some(server.to_string()),
                filter: with_states(&terms, &tried),
                flows: tried.len() as u64,
            })
        });
        scans.collect()
    }

    /// One host that tries one port of many.
    pub(super) fn host_sweeps(&self) -> Vec<Notable> {
        let key = |it: &Contact| (it.client, it.transport, it.port, it.server, it.flow);
        let mut contacts = self.contacts.clone();
        contacts.sort_unstable_by_key(key);
        let is_one = |a: &Contact, b: &Contact| {
            (a.client, a.transport, a.port) == (b.client, b.transport, b.port)
        };
        let sweeps = contacts.chunk_by(is_one).filter_map(|some| {
            if some.len() < bounds::SWEPT_HOSTS {
                return None;
            }
            let tried = self.in_vain(some);
            let mut hosts: Vec<u32> = tried.iter().map(|it| it.0.server).collect();
            hosts.dedup();
            if hosts.len() < bounds::SWEPT_HOSTS {
                return None;
            }
            let contact = some.first()?;
            let client = self.ip(contact.client)?;
            let (over, port) = (contact.transport, contact.port);
            let terms = format!("client:{client} transport:{over} server_port:{port}");
            Some(Notable {
                code: "W-HOST-SWEEP".to_owned(),
                parameters: vec![
                    text(client),
                    text(over.to_string().to_uppercase()),
                    text(port),
                    number(hosts.len()),
                    number(tried.len()),
                    number(some.len()),
                ],
                client: Some(client.to_string()),
                server: None,
                filter: with_states(&terms, &tried),
                flows: tried.len() as u64,
            })
        });
        sweeps.collect()
    }

    /// One host that calls another in regular intervals.
    pub(super) fn beacons(&self) -> Vec<Notable> {
        let key = |it: &Contact| (it.client, it.server, it.transport, it.port);
        let beacons = self.contacts.chunk_by(|a, b| key(a) == key(b)).filter_map(|some| {
            if some.len() < bounds::CONTACTS {
                return None;
            }
            let contact = some.first()?;
            let (client, server) = (self.ip(contact.client)?, self.ip(contact.server)?);
            let (_, verdict) = self.analysis.labelled(contact.flow)?;
            // What serves every host alike is asked regularly, and groups are spoken to so.
            let group = classify::group_of_protocol(verdict.protocol);
            let is_usual = classify::is_shared(verdict.protocol, group) || is_of_many(server);
            let is_called = matches!(contact.transport, Transport::TCP | Transport::UDP);
            if is_usual || !is_called {
                return None;
            }
            let mut starts: Vec<u64> =
                some.iter().filter_map(|it| Some(self.flow(it)?.first.0)).collect();
            let (interval, deviation) = rhythm(&mut starts)?;
            let (over, port) = (contact.transport, contact.port);
            Some(Notable {
                code: "I-BEACON".to_owned(),
                parameters: vec![
                    text(client),
                    text(server),
                    text(over.to_string().to_uppercase()),
                    text(port),
                    number(some.len()),
                    interval.into(),
                    deviation.into(),
                ],
                client: Some(client.to_string()),
                server: Some(server.to_string()),
                filter: format!(
                    "client:{client} server:{server} transport:{over} server_port:{port}"
                ),
                flows: some.len() as u64,
            })
        });
        beacons.collect()
    }

    /// One host that sends far more to a public address than it gets.
    pub(super) fn uploads(&self) -> Vec<Notable> {
        let key = |it: &Contact| (it.client, it.server);
        let uploads = self.contacts.chunk_by(|a, b| key(a) == key(b)).filter_map(|some| {
            let (mut sent, mut got, mut packets) = (0, 0, 0);
            for flow in some.iter().filter_map(|it| self.flow(it)) {
                packets += flow.from_client.packets;
                let (client, server) = flow.own_bytes_by_side();
                sent += client;
                got += server;
            }
            let is_much = sent >= bounds::UPLOAD_BYTES && packets >= bounds::UPLOAD_PACKETS;
            if !is_much || sent < got.saturating_mul(bounds::UPLOAD_RATIO) {
                return None;
            }
            let contact = some.first()?;
            let (client, server) = (self.ip(contact.client)?, self.ip(contact.server)?);
            (scope(server) == "public").then(|| Notable {
                code: "I-UPLOAD".to_owned(),
                parameters: vec![text(client), text(server), sent.into(), got.into()],
                client: Some(client.to_string()),
                server: Some(server.to_string()),
                filter: format!("client:{client} server:{server}"),
                flows: some.len() as u64,
            })
        });
        uploads.collect()
    }
}

/// Whether an address is one of many hosts: a group's, or what by most masks is a network's broadcast.
fn is_of_many(ip: IpAddr) -> bool {
    let is_last = matches!(ip, IpAddr::V4(it) if it.octets()[3] == 255);
    is_last || matches!(scope(ip), "multicast" | "broadcast")
}

/// The terms with each state that occurs.
fn with_states(terms: &str, tried: &[(&Contact, &'static str)]) -> String {
    let mut states: Vec<&str> = tried.iter().map(|it| it.1).collect();
    states.sort_unstable();
    states.dedup();
    let alternatives = states.iter().map(|it| format!("{terms} state:{it}"));
    alternatives.collect::<Vec<_>>().join(" or ")
}

/// The interval of these times, and how far half of the intervals are from it at most, in percent; `None` where there is
/// no rhythm. Medians, so that neither a missed call nor one too many spoils it.
fn rhythm(starts: &mut [u64]) -> Option<(u64, u64)> {
    starts.sort_unstable();
    let gaps = starts.windows(2).filter_map(|it| Some(it.last()? - it.first()?));
    let mut gaps: Vec<u64> = gaps.collect();
    gaps.sort_unstable();
    let interval = *gaps.get(gaps.len() / 2)?;
    if gaps.len() + 1 < bounds::CONTACTS || interval < bounds::INTERVAL_NS {
        return None;
    }
    let mut distances: Vec<u64> = gaps.iter().map(|it| it.abs_diff(interval)).collect();
    distances.sort_unstable();
    let in_time = distances.partition_point(|it| *it <= interval / 2);
    let middle = *distances.get(distances.len() / 2)?;
    // As a whole number, rounded up: never more regular than it is.
    let deviation = middle.saturating_mul(100).div_ceil(interval);
    let is_regular = deviation <= bounds::DEVIATION_PERCENT
        && percent(in_time, distances.len()) >= bounds::IN_TIME_PERCENT;
    is_regular.then_some((interval, deviation))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[track_caller]
    fn check(gaps: &[u64], expected: Option<u64>) {
        let mut time = 0;
        let mut starts = vec![0];
        for gap in gaps {
            time += gap * SECOND;
            starts.push(time);
        }
        starts.reverse();
        assert_eq!(rhythm(&mut starts).map(|it| it.0), expected.map(|it| it * SECOND));
    }

    #[test]
    fn a_rhythm_survives_jitter_and_missed_calls() {
        check(&[60; 9], Some(60));
        check(&[55, 62, 66, 58, 60, 63, 54, 61, 59, 60], Some(60));
        check(&[60, 60, 120, 60, 60, 60, 180, 60, 60, 60], Some(60));
    }

    #[test]
    fn chance_haste_and_few_calls_are_no_rhythm() {
        check(&[1, 90, 7, 33, 210, 4, 15, 60, 2, 120, 44], None);
        check(&[0; 20], None);
        check(&[60; 8], None);
        // Half of them come in pairs.
        check(&[1, 59, 1, 59, 1, 59, 1, 59, 1, 59, 1, 59], None);
    }
}
