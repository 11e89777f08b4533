//! How well a TCP connection fared, as far as a capture of it shows (RFC 9293, 6298).
//!
//! What was sent again, came out of order or is missing is told by sequence numbers alone; numbers wrap around and are
//! compared accordingly. A hole in the numbers is a packet that comes late, or one the capture lost: the receiver's
//! acknowledgement tells which.

use capture::{Tcp, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Direction, marks, tcp::flags};

/// What went well and what did not, side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What the client sent.
    pub client: SideHealth,
    /// What the server sent.
    pub server: SideHealth,
}

/// A connection that is watched.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    health: Health,
    /// The client's and the server's; `None` once the capture ended.
    streams: Option<Box<[Stream; 2]>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { health: Health::default(), streams: Some(Box::default()) }
    }
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideHealth {
    /// Segments whose bytes were all sent before.
    pub retransmissions: u32,
    /// Payload bytes sent again.
    pub retransmitted_bytes: u64,
    /// Segments that came after later ones, too soon for having been sent again.
    pub out_of_order: u32,
    /// Acknowledgements that repeat the one before while data is under way.
    pub duplicate_acks: u32,
    /// Segments that tell the other side to stop sending.
    pub zero_windows: u32,
    /// Segments that reach the end of the other side's receive window, where its scale is known.
    pub full_windows: u32,
    /// Segments that bring other bytes than the first ones at their place, as far as those are kept; probes excepted.
    pub differing: u32,
    /// Probes of an idle connection.
    pub keep_alives: u32,
    /// Bytes the other side acknowledged and the capture does not have.
    pub lost_bytes: u64,
    /// From the first SYN to its acknowledgement, in nanoseconds.
    pub handshake_ns: Option<u64>,
    /// From data to its acknowledgement, smoothed as by RFC 6298, in nanoseconds.
    pub round_trip_ns: Option<u64>,
}

/// Where the numbers of one side are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stream {
    /// The number after the highest seen.
    next: Option<u32>,
    /// Not seen yet below `next`: first number, the one after the last, since when.
    holes: Vec<(u32, u32, Timestamp)>,
    /// What an acknowledgement must reach for a round trip to end, and when it began.
    timed: Option<(u32, Timestamp)>,
    syn_time: Option<Timestamp>,
    last_ack: Option<u32>,
    last_window: u16,
    /// What its SYN offered: the power of two of its windows; `None` without a SYN.
    scale: Option<Option<u8>>,
    /// Where the last FIN and the last RST were.
    last_fin: Option<u32>,
    last_rst: Option<u32>,
}

/// Holes of one side that are remembered; of more the oldest count as lost.
const MAX_HOLES: usize = 16;
/// A segment that fills a hole sooner was overtaken, later it was sent again; in nanoseconds, where no round trip is known.
const REORDERING_NS: u64 = 3_000_000;

impl Watch {
    /// Of a connection that is at an end.
    pub(crate) fn of_ended(health: Health) -> Self {
        Self { health, streams: None }
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// A segment of this side brought other bytes than those at its place.
    pub(crate) fn differ(&mut self, direction: Direction) {
        match direction {
            Direction::Forward => self.health.client.differing += 1,
            Direction::Backward => self.health.server.differing += 1,
        }
    }

    /// No segment follows: what they are compared with goes.
    pub(crate) fn end(&mut self) {
        self.streams = None;
    }

    /// Takes a segment; returns its [`marks`].
    pub(crate) fn push(
        &mut self,
        direction: Direction,
        tcp: &Tcp,
        payload_len: u32,
        time: Timestamp,
    ) -> u8 {
        let Some([client_stream, server_stream]) = self.streams.as_deref_mut() else { return 0 };
        let (client, server) = (&mut self.health.client, &mut self.health.server);
        let (side, stream, other, other_stream) = match direction {
            Direction::Forward => (client, client_stream, server, server_stream),
            Direction::Backward => (server, server_stream, client, client_stream),
        };
        let is_set = |flag| tcp.flags & flag != 0;
        if is_set(flags::SYN) {
            stream.syn_time.get_or_insert(time);
            stream.scale = Some(tcp.window_scale);
        } else if payload_len > 0 {
            let end = tcp.sequence.wrapping_add(payload_len);
            let is_full = other_stream.window_end(stream.scale) == Some(end);
            side.full_windows += u32::from(is_full);
        }
        let mut marks = if stream.is_renumbered(tcp, payload_len) { marks::RENUMBERED } else { 0 };
        if !is_set(flags::RST) {
            let n_resent = side.retransmissions;
            stream.send(side, tcp, payload_len, time);
            if side.retransmissions > n_resent && payload_len > 0 {
                marks |= marks::RESENT;
            }
            if tcp.window == 0 && tcp.flags & (flags::SYN | flags::FIN) == 0 {
                side.zero_windows += 1;
                marks |= marks::ZERO_WINDOW;
            }
        }
        if is_set(flags::ACK) {
            let is_pure = payload_len == 0
                && tcp.flags & (flags::SYN | flags::FIN | flags::RST) == 0
                && stream.last_window == tcp.window;
            let is_repeated = stream.last_ack == Some(tcp.acknowledgement);
            let is_under_way = other_stream.next.is_some_and(|it| after(it, tcp.acknowledgement));
            side.duplicate_acks += u32::from(is_pure && is_repeated && is_under_way);
            (stream.last_ack, stream.last_window) = (Some(tcp.acknowledgement), tcp.window);
            let n_lost = other.lost_bytes;
            other_stream.acknowledge(other, tcp.acknowledgement, time, is_set(flags::RST));
            if other.lost_bytes > n_lost {
                marks |= marks::GAP;
            }
        }
        marks
    }
}

/// Whether a number comes after another, around the wrap.
fn after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) as i32 > 0
}

impl Stream {
    /// Whether a FIN or RST has another number than the one before it.
    fn is_renumbered(&mut self, tcp: &Tcp, payload_len: u32) -> bool {
        let is_rst = tcp.flags & flags::RST != 0;
        let (last, number) = match tcp.flags & flags::FIN != 0 {
            true if !is_rst => (&mut self.last_fin, tcp.sequence.wrapping_add(payload_len)),
            false if is_rst => (&mut self.last_rst, tcp.sequence),
            _ => return false,
        };
        last.replace(number).is_some_and(|it| it != number)
    }

    /// The number after its receive window; `None` where the scale is not known. Both sides must have offered one (RFC
    /// 7323, 2.2).
    fn window_end(&self, offered: Option<Option<u8>>) -> Option<u32> {
        let scale = match (self.scale?, offered?) {
            (Some(scale), Some(_)) => scale,
            _ => 0,
        };
        let window = u32::from(self.last_window).checked_shl(scale.into())?;
        Some(self.last_ack.filter(|_| window > 0)?.wrapping_add(window))
    }

    fn send(&mut self, side: &mut SideHealth, tcp: &Tcp, payload_len: u32, time: Timestamp) {
        let signs = u32::from(tcp.flags & flags::SYN != 0) + u32::from(tcp.flags & flags::FIN != 0);
        let start = tcp.sequence;
        let end = start.wrapping_add(payload_len).wrapping_add(signs);
        let Some(next) = self.next else {
            self.next = Some(end);
            return;
        };
        if after(start, next) {
            if self.holes.len() >= MAX_HOLES {
                let (from, to, _) = self.holes.remove(0);
                side.lost_bytes += u64::from(to.wrapping_sub(from));
            }
            self.holes.push((next, start, time));
        }
        if after(end, next) {
            if !after(next, start) && self.timed.is_none() {
                self.timed = Some((end, time));
            }
            self.next = Some(end);
            return;
        }
        if start == next {
            // Nothing but an acknowledgement.
            return;
        }
        if next.wrapping_sub(start) == 1 && payload_len <= 1 && signs == 0 {
            side.keep_alives += 1;
            return;
        }
        if start == end {
            return;
        }
        if let Some(since) = self.fill(start, end) {
            let limit = side.round_trip_ns.or(side.handshake_ns).unwrap_or(REORDERING_NS);
            if time.0.saturating_sub(since.0) <= limit.max(REORDERING_NS) {
                side.out_of_order += 1;
                return;
            }
        }
        side.retransmissions += 1;
        side.retransmitted_bytes += u64::from(payload_len);
        // Which of the two was acknowledged cannot be told (Karn's algorithm).
        self.timed = None;
    }

    /// Takes what fills a hole out of it; since when the hole was there.
    fn fill(&mut self, start: u32, end: u32) -> Option<Timestamp> {
        let at = self.holes.iter().position(|it| after(end, it.0) && after(it.1, start))?;
        let (from, to, since) = self.holes.remove(at);
        if after(start, from) {
            self.holes.push((from, start, since));
        }
        if after(to, end) && self.holes.len() < MAX_HOLES {
            self.holes.push((end, to, since));
        }
        Some(since)
    }

    /// The other side has everything below this number.
    fn acknowledge(&mut self, side: &mut SideHealth, number: u32, time: Timestamp, is_reset: bool) {
        if let Some(began) = self.syn_time
            && side.handshake_ns.is_none()
        {
            side.handshake_ns = Some(time.0.saturating_sub(began.0));
        }
        let Some(next) = self.next else { return };
        if let Some((reached, began)) = self.timed
            && !after(reached, number)
        {
            self.timed = None;
            let measured = time.0.saturating_sub(began.0);
            side.round_trip_ns = Some(match side.round_trip_ns {
                None => measured,
                Some(smoothed) => smoothed - smoothed / 8 + measured / 8,
            });
        }
        self.holes.retain(|&(from, to, _)| {
            let is_gone = !after(to, number);
            if is_gone {
                side.lost_bytes += u64::from(to.wrapping_sub(from));
            }
            !is_gone
        });
        // A reset may acknowledge anything; so may what lies far from all that was seen.
        let ahead = number.wrapping_sub(next);
        if after(number, next) && ahead <= 1 << 30 && !is_reset {
            side.lost_bytes += u64::from(ahead);
            self.next = Some(number);
            self.timed = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use Direction::{Backward, Forward};
    use flags::{ACK, FIN, SYN};

    use super::*;

    /// A segment: when in milliseconds, from whom, flags, sequence, acknowledgement, payload bytes.
    type Segment = (u64, Direction, u8, u32, u32, u32);

    fn health(segments: &[Segment]) -> Health {
        let mut health = Watch::default();
        for &(millis, direction, flags, sequence, acknowledgement, payload_len) in segments {
            let window_scale = (flags & SYN != 0).then_some(2);
            let tcp = Tcp { sequence, acknowledgement, flags, window: 1_000, window_scale };
            health.push(direction, &tcp, payload_len, Timestamp(millis * 1_000_000));
        }
        health.health
    }

    #[track_caller]
    fn check(segments: &[Segment], of: fn(&Health) -> u64, expected: u64) {
        assert_eq!(of(&health(segments)), expected);
        // Anywhere in the space of numbers, the wrap included.
        let shifted: Vec<Segment> = segments
            .iter()
            .map(|it| (it.0, it.1, it.2, it.3.wrapping_sub(120), it.4.wrapping_sub(120), it.5))
            .collect();
        assert_eq!(of(&health(&shifted)), expected, "around the wrap");
    }

    const OPENING: [Segment; 3] = [
        (0, Forward, SYN, 99, 0, 0),
        (20, Backward, SYN | ACK, 499, 100, 0),
        (25, Forward, ACK, 100, 500, 0),
    ];

    #[track_caller]
    fn check_opened(segments: &[Segment], of: fn(&Health) -> u64, expected: u64) {
        check(&[&OPENING[..], segments].concat(), of, expected);
    }

    #[test]
    fn the_handshake_is_timed() {
        let health = health(&OPENING);
        assert_eq!(health.client.handshake_ns, Some(20_000_000));
        assert_eq!(health.server.handshake_ns, Some(5_000_000));
    }

    #[test]
    fn nothing_is_wrong_with_a_plain_exchange() {
        let plain = health(
            &[
                &OPENING[..],
                &[(30, Forward, ACK, 100, 500, 50), (50, Backward, ACK, 500, 150, 10)],
                &[(60, Forward, ACK | FIN, 150, 510, 0), (80, Backward, ACK | FIN, 510, 151, 0)],
                &[(81, Forward, ACK, 151, 511, 0)],
            ]
            .concat(),
        );
        let expected = SideHealth {
            handshake_ns: plain.client.handshake_ns,
            round_trip_ns: Some(20_000_000),
            ..SideHealth::default()
        };
        assert_eq!(plain.client, expected);
        assert_eq!((plain.server.lost_bytes, plain.server.retransmissions), (0, 0));
    }

    #[test]
    fn what_is_sent_again_counts() {
        let sent = [(30, Forward, ACK, 100, 500, 50), (330, Forward, ACK, 100, 500, 50)];
        check_opened(&sent, |it| u64::from(it.client.retransmissions), 1);
        check_opened(&sent, |it| it.client.retransmitted_bytes, 50);
        let syn = [(0, Forward, SYN, 99, 0, 0), (1_000, Forward, SYN, 99, 0, 0)];
        check(&syn, |it| u64::from(it.client.retransmissions), 1);
    }

    #[test]
    fn what_was_overtaken_was_not_sent_again() {
        let late = [
            (30, Forward, ACK, 100, 500, 10),
            (31, Forward, ACK, 120, 500, 10),
            (32, Forward, ACK, 110, 500, 10),
        ];
        check_opened(&late, |it| u64::from(it.client.out_of_order), 1);
        check_opened(&late, |it| u64::from(it.client.retransmissions), 0);
        let later = [late[0], late[1], (400, Forward, ACK, 110, 500, 10)];
        check_opened(&later, |it| u64::from(it.client.retransmissions), 1);
    }

    #[test]
    fn what_was_acknowledged_and_not_seen_is_lost() {
        let jump = [(30, Forward, ACK, 150, 500, 10), (40, Backward, ACK, 500, 160, 0)];
        check_opened(&jump, |it| it.client.lost_bytes, 50);
        let unseen = [(40, Backward, ACK, 500, 170, 0)];
        check_opened(&unseen, |it| it.client.lost_bytes, 70);
        let unacknowledged = [(30, Forward, ACK, 150, 500, 10)];
        check_opened(&unacknowledged, |it| it.client.lost_bytes, 0);
    }

    #[test]
    fn a_repeated_acknowledgement_counts_while_data_is_under_way() {
        let sent = [(30, Backward, ACK, 500, 100, 10), (31, Backward, ACK, 520, 100, 10)];
        let repeated = [(40, Forward, ACK, 100, 510, 0), (41, Forward, ACK, 100, 510, 0)];
        let both = [sent, repeated].concat();
        check_opened(&both, |it| u64::from(it.client.duplicate_acks), 1);
        check_opened(&repeated, |it| u64::from(it.client.duplicate_acks), 0);
    }

    #[test]
    fn a_segment_may_fill_the_window() {
        // 1,000 offered, to be taken four times.
        let sent = [(30, Forward, ACK, 100, 500, 10), (31, Backward, ACK, 500, 110, 0)];
        let full = [(40, Forward, ACK, 110, 500, 3_990), (41, Forward, ACK, 4_100, 500, 10)];
        check_opened(&[sent, full].concat(), |it| u64::from(it.client.full_windows), 1);
        check(&[sent, full].concat(), |it| u64::from(it.client.full_windows), 0);
    }

    #[test]
    fn a_probe_is_no_data() {
        let probe = [
            (30, Forward, ACK, 100, 500, 1),
            (90_000, Forward, ACK, 100, 500, 0),
            (90_001, Backward, ACK, 500, 101, 0),
        ];
        check_opened(&probe, |it| u64::from(it.client.keep_alives), 1);
        check_opened(&probe, |it| u64::from(it.client.retransmissions), 0);
    }

    #[test]
    fn a_connection_may_be_seen_from_its_middle() {
        let middle = [(0, Forward, ACK, 7, 9_000, 10), (5, Backward, ACK, 9_000, 17, 10)];
        let health = health(&middle);
        assert_eq!((health.client.lost_bytes, health.server.lost_bytes), (0, 0));
        assert_eq!(health.client.handshake_ns, None);
    }

    #[test]
    fn only_so_many_holes_are_remembered() {
        let mut health = Watch::default();
        for number in 0..10_000_u32 {
            let tcp = Tcp { sequence: number * 20, flags: ACK, ..Tcp::default() };
            health.push(Forward, &tcp, 10, Timestamp(0));
        }
        let [client, _] = &**health.streams.as_ref().unwrap();
        assert!(client.holes.len() <= MAX_HOLES);
        assert!(health.health.client.lost_bytes > 90_000);
    }
}
