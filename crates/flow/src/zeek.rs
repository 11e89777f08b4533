//! Flows as Zeek would have cut, turned and timed them, so that a comparison with its `conn.log` is one of like with like.
//!
//! The times are Zeek's defaults (its `init-bare.zeek`): a TCP connection is over after five minutes of silence, others
//! after one, DNS over UDP after ten seconds; an attempt without an answer five seconds after its SYN; a connection five seconds after it was reset, or
//! after every side that spoke has closed. What comes later is a connection of its own, as is a SYN after the end.

use capture::Timestamp;

use crate::{
    Direction, Flow, Step, Timeline, Transport,
    tcp::{Connection, flags},
};

const TCP_SILENCE_NS: u64 = 300_000_000_000;
const OTHER_SILENCE_NS: u64 = 60_000_000_000;
const DNS_SILENCE_NS: u64 = 10_000_000_000;
/// Where Zeek expects DNS and its kin: NetBIOS, mDNS, LLMNR.
const DNS_PORTS: &[u16] = &[53, 137, 5353, 5355];
/// How long an unanswered attempt, a reset or closed connection lives on.
const DELAY_NS: u64 = 5_000_000_000;

/// Ports that servers listen on, above those of the system (IANA's registry of service names and port numbers): tunnels,
/// voice, mail and chat, databases, remote desktops, the second ports of the web.
const SERVER_PORTS: &[u16] = &[
    1080, 1194, 1433, 1521, 1701, 1723, 1812, 1813, 1883, 2123, 2152, 3128, 3306, 3389, 3478, 3544,
    4789, 5060, 5061, 5072, 5222, 5223, 5269, 5353, 5355, 5432, 5672, 5900, 6081, 6379, 6666, 6667,
    6668, 6669, 8000, 8080, 8443, 8883, 8888, 9200, 11_211, 20_000, 27_017,
];

/// Whether a port is one that servers listen on.
fn is_server_port(port: u16) -> bool {
    (1..1_024).contains(&port) || SERVER_PORTS.contains(&port)
}

impl Flow {
    /// Who opened a piece of this flow, by Zeek: who sent its first packet, unless that one came from a port that servers
    /// listen on, or answers a SYN.
    pub fn forward_by_zeek(&self, piece: &Timeline) -> Direction {
        let Some(first) = piece.steps().next() else { return Direction::Forward };
        let (from, to) = match first.direction {
            Direction::Forward => (self.client.port, self.server.port),
            Direction::Backward => (self.server.port, self.client.port),
        };
        let (is_syn, is_ack) = (first.flags & flags::SYN != 0, first.flags & flags::ACK != 0);
        let is_tcp = self.transport == Transport::TCP;
        let has_ports = is_tcp || self.transport == Transport::UDP;
        let is_answer = match (is_server_port(from), is_server_port(to)) {
            _ if !has_ports || is_tcp && is_syn => is_syn && is_ack,
            (true, true) => is_tcp && from < to,
            (is_server, _) => is_server,
        };
        if is_answer { first.direction.other() } else { first.direction }
    }

    /// When a piece of this flow ended, by Zeek: what follows the closing of both sides counts, but not as time.
    pub fn end_by_zeek(&self, piece: &Timeline) -> Timestamp {
        let mut open = Open::default();
        piece.steps().for_each(|it| open.push(self.transport, &it));
        open.last
    }

    /// The pieces by Zeek, in order; together they hold every packet once.
    pub(crate) fn cut_by_zeek(&self) -> Vec<Timeline> {
        let ports = [self.client.port, self.server.port];
        let silence_ns = match self.transport {
            Transport::TCP => TCP_SILENCE_NS,
            Transport::UDP if ports.iter().any(|it| DNS_PORTS.contains(it)) => DNS_SILENCE_NS,
            _ => OTHER_SILENCE_NS,
        };
        cut(self.transport, silence_ns, &self.timeline)
    }
}

fn cut(transport: Transport, silence_ns: u64, timeline: &Timeline) -> Vec<Timeline> {
    let mut pieces: Vec<Timeline> = Vec::new();
    let mut open = Open::default();
    for step in timeline.steps() {
        if pieces.is_empty() || open.is_over(silence_ns, &step) {
            pieces.push(Timeline::default());
            open = Open::default();
        }
        open.push(transport, &step);
        if let Some(piece) = pieces.last_mut() {
            piece.push(step);
        }
    }
    pieces
}

/// What is known of a piece while it goes on.
#[derive(Default)]
struct Open {
    connection: Connection,
    first: Timestamp,
    /// Its last packet, of a connection the last one before both sides had closed.
    last: Timestamp,
    /// When nobody was left to speak.
    done: Option<Timestamp>,
}

impl Open {
    /// Whether a packet comes too late for it.
    fn is_over(&self, silence_ns: u64, step: &Step) -> bool {
        let since = |it: Timestamp| step.time.0.saturating_sub(it.0);
        let is_anew = step.flags & (flags::SYN | flags::ACK) == flags::SYN;
        since(self.last) >= silence_ns
            || self.done.is_some_and(|it| is_anew || since(it) >= DELAY_NS)
            || self.connection.is_attempt() && since(self.first) >= DELAY_NS
    }

    fn push(&mut self, transport: Transport, step: &Step) {
        if self.first == Timestamp(0) {
            self.first = step.time;
        }
        if transport != Transport::TCP || !self.connection.has_both_closed() {
            self.last = step.time;
        }
        if transport == Transport::TCP {
            self.connection.push(step.direction, step.flags, step.payload_len);
            if self.done.is_none() && self.connection.is_done() {
                self.done = Some(step.time);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use Direction::{Backward, Forward};
    use flags::{ACK, FIN, RST, SYN};

    use super::*;

    fn timeline(steps: &[(u64, Direction, u8)]) -> Timeline {
        let step = |&(millis, direction, flags): &(u64, Direction, u8)| Step {
            time: Timestamp(1_000_000_000_000 + millis * 1_000_000),
            direction,
            flags,
            ..Step::default()
        };
        steps.iter().map(step).collect()
    }

    /// How many packets each piece has.
    #[track_caller]
    fn check(transport: Transport, steps: &[(u64, Direction, u8)], expected: &[u64]) {
        let silence_ns =
            if transport == Transport::TCP { TCP_SILENCE_NS } else { OTHER_SILENCE_NS };
        let pieces = cut(transport, silence_ns, &timeline(steps));
        assert_eq!(pieces.iter().map(Timeline::len).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn silence_ends_a_piece() {
        check(Transport::UDP, &[(0, Forward, 0), (59_999, Forward, 0)], &[2]);
        check(Transport::UDP, &[(0, Forward, 0), (60_000, Backward, 0)], &[1, 1]);
        check(Transport::TCP, &[(0, Forward, ACK), (299_999, Forward, ACK)], &[2]);
        check(Transport::TCP, &[(0, Forward, ACK), (300_000, Forward, ACK)], &[1, 1]);
    }

    #[test]
    fn an_attempt_without_an_answer_ends_soon() {
        let syn = |millis| (millis, Forward, SYN);
        check(Transport::TCP, &[syn(0), syn(1_000), syn(3_000), syn(7_000)], &[3, 1]);
        let answered = [syn(0), (1, Backward, SYN | ACK), (7_000, Forward, ACK)];
        check(Transport::TCP, &answered, &[3]);
    }

    #[test]
    fn stragglers_belong_to_a_connection_for_five_seconds() {
        let opened = [(0, Forward, SYN), (1, Backward, SYN | ACK)];
        let closed = [(2, Forward, FIN | ACK), (3, Backward, FIN | ACK)];
        let late = [(4, Forward, ACK), (5_003, Forward, ACK)];
        check(Transport::TCP, &[&opened[..], &closed, &late].concat(), &[5, 1]);
        let reset = [(2, Forward, RST), (5_001, Forward, ACK), (5_002, Backward, RST)];
        check(Transport::TCP, &[&opened[..], &reset].concat(), &[4, 1]);
        let half = [(2, Forward, FIN | ACK), (90_000, Backward, ACK)];
        check(Transport::TCP, &[&opened[..], &half].concat(), &[4]);
        let again = [(0, Forward, SYN), (1, Backward, RST | ACK), (500, Forward, SYN)];
        check(Transport::TCP, &again, &[2, 1]);
    }
}
