//! Which flow each packet belongs to, told again of a capture whose flows are known: of a few of them, in little memory.
//!
//! Where one flow between two ends is over and the next one begins depends on the packets between these ends alone. So
//! only those are followed, and the flows between them are counted off in the order they were numbered.

use std::collections::BTreeMap;

use capture::Packet;

use crate::{Apart, Flow, Many, share::Key, table::Ends};

/// Goes over the packets of a capture once more, in their order.
#[derive(Debug)]
pub struct Retrace {
    apart: Apart,
    /// A map, for whoever fills it with ends.
    trails: BTreeMap<Key, Trail>,
}

/// The flows between two ends.
#[derive(Debug, Default)]
struct Trail {
    /// All of them, those before and between the chosen ones too.
    numbers: Vec<u32>,
    /// How many have begun.
    n_begun: usize,
    /// The last that began: only what tells where it is over.
    last: Option<Box<Flow>>,
}

impl Retrace {
    /// Follows the flows with these numbers among all flows of the capture, which were kept apart so.
    pub fn new(flows: &Many<Flow>, chosen: &[u32], apart: Apart) -> Self {
        let key = |it: &Flow| Key::from(Ends::of_flow(it));
        let chosen = chosen.iter().filter_map(|it| flows.get(*it as usize));
        let mut trails: BTreeMap<Key, Trail> =
            chosen.map(|it| (key(it), Trail::default())).collect();
        for (number, flow) in (0..).zip(flows) {
            if let Some(trail) = trails.get_mut(&key(flow)) {
                trail.numbers.push(number);
            }
        }
        Self { apart, trails }
    }

    /// The number of the flow that the next packet of the capture belongs to; `None` where it is between other ends than
    /// the chosen flows, or begins a flow that is not among those known.
    pub fn push(&mut self, packet: &Packet<'_>) -> Option<u32> {
        let ends = Ends::of_packet(packet, self.apart);
        let trail = self.trails.get_mut(&Key::from(ends))?;
        let is_over = trail.last.as_ref().is_none_or(|it| it.is_followed_by(ends.source, packet));
        if is_over {
            trail.last = Some(Box::new(Flow::open(ends, packet, None)));
            trail.n_begun += 1;
        }
        if let Some(flow) = &mut trail.last {
            flow.advance(flow.direction(ends.source), packet);
        }
        trail.numbers.get(trail.n_begun.checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use capture::{Tcp, Timestamp};

    use super::*;
    use crate::{Table, flags};

    /// A segment between two hosts, whose port is their number.
    fn packet(from: u8, to: u8, flags: u8, sequence: u32) -> Packet<'static> {
        let ip = |it: u8| IpAddr::V4(Ipv4Addr::new(192, 0, 2, it));
        Packet {
            time: Timestamp(1),
            source: ip(from),
            destination: ip(to),
            protocol: 6,
            source_port: from.into(),
            destination_port: to.into(),
            frame_len: 54,
            ip_len: 40,
            payload_len: 0,
            payload: &[],
            tcp: Some(Tcp { flags, sequence, ..Tcp::default() }),
            vlan: 0,
            depth: 0,
            tunnel: None,
            carries: None,
        }
    }

    /// Of these packets, the flows of those between the ends of the chosen flows are told as they were.
    #[track_caller]
    fn check(packets: &[(u8, u8, u8, u32)], chosen: &[u32], expected: &[Option<u32>]) {
        let packets: Vec<_> = packets.iter().map(|it| packet(it.0, it.1, it.2, it.3)).collect();
        let mut table = Table::new(7, Apart::default());
        let known: Vec<u32> = packets.iter().map(|it| table.push(it)).collect();
        let mut retrace = Retrace::new(&table.finish(), chosen, Apart::default());
        let told: Vec<_> = packets.iter().map(|it| retrace.push(it)).collect();
        assert_eq!(told, expected);
        let is_same = |(told, known): (&Option<u32>, &u32)| told.is_none_or(|it| it == *known);
        assert!(told.iter().zip(&known).all(is_same), "{told:?} {known:?}");
    }

    #[test]
    fn the_same_ports_are_told_apart_again() {
        use flags::{RST, SYN};
        let twice =
            [(1, 2, SYN, 7), (3, 4, SYN, 1), (2, 1, RST, 0), (1, 2, SYN, 9), (1, 2, 16, 10)];
        check(&twice, &[2], &[Some(0), None, Some(0), Some(2), Some(2)]);
        check(&twice, &[0], &[Some(0), None, Some(0), Some(2), Some(2)]);
        check(&twice, &[1], &[None, Some(1), None, None, None]);
        check(&twice, &[], &[None; 5]);
    }

    #[test]
    fn a_flow_that_was_not_there_has_no_number() {
        let first = packet(1, 2, flags::SYN, 7);
        let mut table = Table::new(7, Apart::default());
        table.push(&first);
        let mut retrace = Retrace::new(&table.finish(), &[0], Apart::default());
        assert_eq!(retrace.push(&first), Some(0));
        assert_eq!(retrace.push(&packet(1, 2, flags::SYN, 99)), None);
    }
}
