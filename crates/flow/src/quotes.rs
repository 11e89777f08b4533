//! Which flow an ICMP error is about: what it quotes says.

use capture::{Packet, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Apart, Flow, Many, share::Key, table::Ends};

/// What a flow has to do with ICMP errors.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// Of ICMP errors: the flow the first one of them is about, where it was captured.
    pub about: Option<u32>,
    /// How many ICMP errors are about it. Of those between two hosts that are about more than 64 flows, the first 64 count.
    pub count: u32,
    /// What is quoted, until all flows are there.
    pub(crate) quotes: Vec<Quote>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Quote {
    key: Key,
    /// Of the first error.
    time: Timestamp,
    count: u32,
}

/// So many flows that the errors between two hosts are about are kept apart.
const MAX_QUOTES: usize = 64;

impl Flow {
    /// Takes note of what an ICMP error quotes.
    pub(crate) fn note_quote(&mut self, packet: &Packet<'_>, apart: Apart) {
        let Some(quoted) = packet.quoted() else { return };
        let key = Key::from(Ends::of_packet(&quoted, apart));
        let quotes = &mut self.rare.get_or_insert_default().errors.get_or_insert_default().quotes;
        if let Some(it) = quotes.iter_mut().find(|it| it.key == key) {
            it.count = it.count.saturating_add(1);
        } else if quotes.len() < MAX_QUOTES {
            quotes.push(Quote { key, time: packet.time, count: 1 });
        }
    }
}

/// Finds the flows that errors are about: between the quoted ends, the last that began before the error.
pub(crate) fn link(flows: &mut Many<Flow>) {
    // What is quoted, by the place of the flow that quotes.
    let mut quotes: Vec<(u32, Quote)> = Vec::new();
    for (number, flow) in (0..).zip(&mut *flows) {
        if let Some(errors) = flow.errors_mut() {
            quotes.extend(std::mem::take(&mut errors.quotes).into_iter().map(|it| (number, it)));
        }
    }
    if quotes.is_empty() {
        return;
    }
    let mut keys: Vec<Key> = quotes.iter().map(|it| it.1.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut quoted: Vec<(Key, Timestamp, u32)> = (0..)
        .zip(&*flows)
        .map(|(number, flow)| (Key::from(Ends::of_flow(flow)), flow.first, number))
        .filter(|it| keys.binary_search(&it.0).is_ok())
        .collect();
    quoted.sort_unstable();
    for (number, Quote { key, time, count }) in quotes {
        let before = quoted.partition_point(|it| (it.0, it.1) <= (key, time));
        let found = before.checked_sub(1).and_then(|it| quoted.get(it));
        let Some(&(_, _, about)) = found.filter(|it| it.0 == key) else { continue };
        if let Some(flow) = flows.get_mut(about as usize) {
            let errors = flow.rare.get_or_insert_default().errors.get_or_insert_default();
            errors.count = errors.count.saturating_add(count);
        }
        if let Some(errors) = flows.get_mut(number as usize).and_then(Flow::errors_mut) {
            errors.about = errors.about.or(Some(about));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::Table;

    /// A UDP packet from a port of host 1 to a port of host 2, or an error of host 9 about it.
    enum Sent {
        Datagram(u16),
        Error(u16),
    }

    /// Which flow each flow is about, and how many errors are about it.
    #[track_caller]
    fn check(packets: &[Sent], expected: &[(Option<u32>, u32)]) {
        let ip = |it: u8| IpAddr::V4(Ipv4Addr::new(192, 0, 2, it));
        let mut table = Table::new(7, Apart::default());
        for (at, sent) in packets.iter().enumerate() {
            let (source, protocol, port) = match sent {
                Sent::Datagram(port) => (ip(1), 17, *port),
                Sent::Error(port) => (ip(9), 1, *port),
            };
            let [high, low] = port.to_be_bytes();
            let header = [0x45, 0, 0, 40, 0, 0, 0, 0, 9, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
            let ports = [high, low, 0, 53, 0, 20, 0, 0];
            let error = [&[3, 3, 0, 0, 0, 0, 0, 0][..], &header, &ports].concat();
            let is_error = protocol == 1;
            table.push(&Packet {
                time: Timestamp(at as u64),
                source,
                destination: if is_error { ip(1) } else { ip(2) },
                protocol,
                source_port: if is_error { 0 } else { port },
                destination_port: if is_error { 0 } else { 53 },
                frame_len: 70,
                ip_len: 56,
                payload_len: error.len() as u32,
                payload: if is_error { &error } else { &[] },
                tcp: None,
                vlan: 0,
                depth: 0,
                tunnel: None,
                carries: None,
            });
        }
        let errors = |it: &Flow| it.errors().map_or((None, 0), |it| (it.about, it.count));
        assert_eq!(table.finish().iter().map(errors).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_error_is_about_the_flow_it_quotes() {
        use Sent::{Datagram, Error};
        check(&[Datagram(7), Datagram(8), Error(8)], &[(None, 0), (None, 1), (Some(1), 0)]);
        let both = [Datagram(7), Error(7), Datagram(8), Error(8), Error(8)];
        check(&both, &[(None, 1), (Some(0), 0), (None, 2)]);
    }

    #[test]
    fn an_error_about_what_was_not_captured_is_about_nothing() {
        check(&[Sent::Error(7), Sent::Datagram(7)], &[(None, 0), (None, 0)]);
    }

    #[test]
    fn of_a_scan_only_so_many_errors_count() {
        let ports = || 1_000..1_000 + 2 * MAX_QUOTES as u16;
        let sent: Vec<Sent> = ports().map(Sent::Datagram).chain(ports().map(Sent::Error)).collect();
        let mut expected = vec![(None, 1); MAX_QUOTES];
        expected.extend(vec![(None, 0); MAX_QUOTES]);
        expected.push((Some(0), 0));
        check(&sent, &expected);
    }
}
