//! How far a connection came, in the words of Zeek's `conn_state`.

use capture::Tcp;
use serde::{Deserialize, Serialize};

use crate::{Direction, Transport};

/// Bits of the TCP flags (RFC 9293).
pub mod flags {
    /// No more data from the sender.
    pub const FIN: u8 = 1;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 2;
    /// Reset the connection.
    pub const RST: u8 = 4;
    /// Push.
    pub const PSH: u8 = 8;
    /// The acknowledgement field counts.
    pub const ACK: u8 = 16;
    /// The urgent pointer counts.
    pub const URG: u8 = 32;
    /// Congestion was met (RFC 3168).
    pub const ECE: u8 = 64;
    /// The sender slowed down (RFC 3168).
    pub const CWR: u8 = 128;
}

/// The state of a connection when the capture ended, in Zeek's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnState {
    /// Attempt seen, no reply.
    S0,
    /// Established, not ended.
    S1,
    /// Established and ended normally.
    SF,
    /// Attempt rejected.
    Rej,
    /// Established; the client closed, the server did not.
    S2,
    /// Established; the server closed, the client did not.
    S3,
    /// Established; the client aborted.
    RstO,
    /// Established; the server aborted.
    RstR,
    /// The client sent SYN, then RST; no SYN-ACK was seen.
    RstOS0,
    /// The server sent SYN-ACK, then RST; no SYN was seen.
    RstRH,
    /// The client sent SYN, then FIN; no SYN-ACK was seen.
    SH,
    /// The server sent SYN-ACK, then FIN; no SYN was seen.
    Shr,
    /// No SYN seen: the capture began in the middle.
    Oth,
}

impl ConnState {
    /// Zeek's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::SF => "SF",
            Self::Rej => "REJ",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::RstO => "RSTO",
            Self::RstR => "RSTR",
            Self::RstOS0 => "RSTOS0",
            Self::RstRH => "RSTRH",
            Self::SH => "SH",
            Self::Shr => "SHR",
            Self::Oth => "OTH",
        }
    }

    /// The state of an exchange; `None` where Zeek has no word for it.
    pub(crate) fn of(
        transport: Transport,
        connection: Connection,
        [client_packets, server_packets]: [u64; 2],
    ) -> Option<Self> {
        match (transport, client_packets > 0, server_packets > 0) {
            (Transport::TCP, ..) => Some(connection.state()),
            (Transport::UDP, true, true) => Some(Self::SF),
            (Transport::UDP, true, false) => Some(Self::S0),
            (Transport::UDP, false, true) => Some(Self::Shr),
            // An ICMP exchange has no states to come through.
            (Transport::UDP | Transport::ICMP | Transport::ICMPV6, ..) => Some(Self::Oth),
            _ => None,
        }
    }
}

/// The numbers both sides began with, where that is known: they tell one connection from the next on the same ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Openings {
    client: Opening,
    server: Opening,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Opening {
    number: u32,
    /// The receive window of its first segment that is no reset.
    window: u16,
    /// Offered with a SYN, and one more; 0 where none was.
    scale_and_one: u8,
    /// Which of them are known, in bits.
    known: u8,
}

/// Bits of [`Opening::known`].
const NUMBER: u8 = 1;
const WINDOW: u8 = 2;

impl Opening {
    fn learn(&mut self, number: u32) {
        if !self.is_known() {
            *self = Self { number, known: self.known | NUMBER, ..*self };
        }
    }

    fn is_known(self) -> bool {
        self.known & NUMBER != 0
    }

    fn is_other_than(self, number: u32) -> bool {
        self.is_known() && self.number != number
    }

    fn take_window(&mut self, window: u16) {
        if self.known & WINDOW == 0 {
            *self = Self { window, known: self.known | WINDOW, ..*self };
        }
    }

    fn window(self) -> Option<u16> {
        (self.known & WINDOW != 0).then_some(self.window)
    }

    fn offer(&mut self, scale: Option<u8>) {
        // No window has so many bits.
        self.scale_and_one = scale.map_or(0, |it| it.min(u8::MAX - 1) + 1);
    }
}

impl Openings {
    /// Takes a segment: the first window of a side counts, and its first SYN. An answer tells the client's number too.
    pub(crate) fn push(&mut self, direction: Direction, tcp: &Tcp) {
        if tcp.flags & flags::RST == 0 {
            match direction {
                Direction::Forward => self.client.take_window(tcp.window),
                Direction::Backward => self.server.take_window(tcp.window),
            }
        }
        if tcp.flags & flags::SYN == 0 {
            return;
        }
        match direction {
            Direction::Forward => {
                self.client.learn(tcp.sequence);
                self.client.offer(tcp.window_scale);
            }
            Direction::Backward => {
                self.server.learn(tcp.sequence);
                self.server.offer(tcp.window_scale);
                if tcp.flags & flags::ACK != 0 {
                    self.client.learn(tcp.acknowledgement.wrapping_sub(1));
                }
            }
        }
    }

    /// Of a connection that is at an end, of which only its first windows are asked.
    pub(crate) fn of_windows([client, server]: [Option<u16>; 2]) -> Self {
        let mut openings = Self::default();
        client.into_iter().for_each(|it| openings.client.take_window(it));
        server.into_iter().for_each(|it| openings.server.take_window(it));
        openings
    }

    /// The first windows of the client and of the server.
    pub(crate) fn windows(&self) -> [Option<u16>; 2] {
        [self.client.window(), self.server.window()]
    }

    /// Takes the number a side begins with; the first counts. Of SCTP it is a tag.
    pub(crate) fn learn(&mut self, direction: Direction, number: u32) {
        match direction {
            Direction::Forward => self.client.learn(number),
            Direction::Backward => self.server.learn(number),
        }
    }

    /// Whether a side is known to have begun with another number.
    pub(crate) fn is_other(&self, direction: Direction, number: u32) -> bool {
        match direction {
            Direction::Forward => self.client.is_other_than(number),
            Direction::Backward => self.server.is_other_than(number),
        }
    }

    /// The SYN of a side, where it is known: its number, and what it can have acknowledged.
    pub(crate) fn syn(&self, direction: Direction) -> Option<Tcp> {
        let (side, other) = match direction {
            Direction::Forward => (self.client, self.server),
            Direction::Backward => (self.server, self.client),
        };
        side.is_known().then(|| Tcp {
            sequence: side.number,
            acknowledgement: other.number.wrapping_add(1),
            flags: flags::SYN,
            window: 0,
            window_scale: side.scale_and_one.checked_sub(1),
        })
    }
}

/// Whether a segment belongs to a new connection between the same ports.
///
/// A SYN does once the old connection has ended, or if its number is another one (RFC 9293, 3.4.1). An attempt that was
/// refused and is repeated with the same number goes on, as does one that both sides open at once. Where only the server
/// was captured, an answer to another SYN tells.
pub(crate) fn begins_anew(
    connection: Connection,
    openings: &Openings,
    direction: Direction,
    tcp: &Tcp,
) -> bool {
    let Openings { client, server } = openings;
    match (tcp.flags & flags::SYN != 0, tcp.flags & flags::ACK != 0, direction) {
        (false, ..) => false,
        (true, false, _) if connection.is_ended() => {
            !connection.is_refused() || client.is_other_than(tcp.sequence)
        }
        (true, false, Direction::Forward) if client.is_known() => {
            client.is_other_than(tcp.sequence)
        }
        (true, false, Direction::Forward) => connection.client != Side::Silent,
        (true, false, Direction::Backward) if server.is_known() => {
            server.is_other_than(tcp.sequence)
        }
        (true, false, Direction::Backward) => connection.server != Side::Silent,
        (true, true, Direction::Backward) => {
            let asked = tcp.acknowledgement.wrapping_sub(1);
            connection.client == Side::Silent && client.is_other_than(asked)
        }
        (true, true, Direction::Forward) => false,
    }
}

/// What each side of a TCP connection has done so far: the states of RFC 9293 as far as somebody sees them who only listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    client: Side,
    server: Side,
    /// A segment had payload.
    has_data: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Side {
    /// Nothing.
    #[default]
    Silent,
    /// SYN, not answered yet.
    Opened,
    /// Both have opened, as far as the capture shows.
    Established,
    /// Data or an acknowledgement, nothing of an opening.
    Midstream,
    /// FIN.
    Closed,
    /// RST, and what it was before.
    Reset(Before),
}

/// What a side was before it sent RST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Before {
    Unopened,
    Opened,
    Established,
    Closed,
}

impl Side {
    fn reset(self) -> Self {
        Self::Reset(match self {
            Self::Silent | Self::Midstream => Before::Unopened,
            Self::Opened => Before::Opened,
            Self::Established => Before::Established,
            Self::Closed => Before::Closed,
            Self::Reset(before) => before,
        })
    }

    fn is_reset(self) -> bool {
        matches!(self, Self::Reset(_))
    }
}

impl Connection {
    /// Takes a segment with these flags.
    pub(crate) fn push(&mut self, direction: Direction, flags: u8, payload_len: u32) {
        use Side::{Closed, Established, Midstream, Opened, Silent};
        let is_forward = direction == Direction::Forward;
        let (sender, other) = if is_forward {
            (&mut self.client, &mut self.server)
        } else {
            (&mut self.server, &mut self.client)
        };
        self.has_data |= payload_len > 0;
        let is_set = |flag| flags & flag != 0;
        let (syn, ack) = (is_set(flags::SYN), is_set(flags::ACK));
        let (fin, rst) = (is_set(flags::FIN), is_set(flags::RST));
        match *sender {
            Silent if syn && is_forward => *sender = Opened,
            Silent if syn => {
                *sender = Established;
                if *other == Opened {
                    *other = Established;
                }
            }
            Silent if fin || rst => {}
            // Its SYN was not captured.
            Silent if ack && *other == Established => *sender = Established,
            // It acknowledges the SYN before it opens.
            Silent if !is_forward && *other == Opened && payload_len == 0 => {}
            Silent => *sender = Midstream,
            Midstream if syn && !ack && *other == Silent => *sender = Opened,
            // A refused client asks again.
            Opened if syn && *other == Side::Reset(Before::Unopened) => *other = Silent,
            _ => {}
        }
        if fin && !rst && !sender.is_reset() {
            *sender = Closed;
            // Who closed and then reset had closed.
            if *other == Side::Reset(Before::Closed) {
                *other = Closed;
            }
        }
        if rst && (*sender, *other) != (Closed, Closed) {
            *sender = sender.reset();
        }
    }

    /// Whether it ended: what follows belongs to it no more, stragglers excepted.
    pub(crate) fn is_ended(self) -> bool {
        self.client.is_reset()
            || self.server.is_reset()
            || (self.client, self.server) == (Side::Closed, Side::Closed)
    }

    /// Whether both sides closed, by FIN or RST.
    pub(crate) fn has_both_closed(self) -> bool {
        [self.client, self.server].iter().all(|it| matches!(it, Side::Closed | Side::Reset(_)))
    }

    /// Whether nobody is left to speak: it was reset, or every side that spoke has closed.
    pub(crate) fn is_done(self) -> bool {
        self.is_ended()
            || matches!(
                (self.client, self.server),
                (Side::Closed, Side::Silent) | (Side::Silent, Side::Closed)
            )
    }

    /// Whether it is a SYN that nobody has answered.
    pub(crate) fn is_attempt(self) -> bool {
        (self.client, self.server) == (Side::Opened, Side::Silent)
    }

    /// Whether the server answered the attempt with a reset.
    fn is_refused(self) -> bool {
        (self.client, self.server) == (Side::Opened, Side::Reset(Before::Unopened))
    }

    /// The state so far.
    pub(crate) fn state(self) -> ConnState {
        use Side::{Closed, Established, Midstream, Opened, Reset, Silent};
        match (self.client, self.server) {
            (Opened, Reset(_)) => ConnState::Rej,
            (Reset(_), Reset(_)) if !self.has_data => ConnState::Rej,
            (Silent | Midstream, Reset(_)) => ConnState::RstRH,
            (_, Reset(_)) => ConnState::RstR,
            (Reset(Before::Opened), Silent | Midstream) => ConnState::RstOS0,
            (Reset(_), Silent | Midstream) => ConnState::Oth,
            (Reset(_), _) => ConnState::RstO,
            (Closed, Closed) => ConnState::SF,
            (Closed, Silent | Midstream) => ConnState::SH,
            (Closed, _) => ConnState::S2,
            (Silent | Midstream, Closed) => ConnState::Shr,
            (_, Closed) => ConnState::S3,
            (Opened, Silent) => ConnState::S0,
            (Established, Established) => ConnState::S1,
            _ => ConnState::Oth,
        }
    }
}

#[cfg(test)]
mod tests {
    use Direction::{Backward, Forward};
    use flags::{ACK, FIN, RST, SYN};

    use super::*;

    #[track_caller]
    fn check(packets: &[(Direction, u8)], expected: ConnState) {
        let mut connection = Connection::default();
        for &(direction, flags) in packets {
            connection.push(direction, flags, 0);
        }
        assert_eq!(connection.state(), expected);
    }

    #[test]
    fn an_attempt_without_reply() {
        check(&[(Forward, SYN), (Forward, SYN)], ConnState::S0);
        check(&[(Forward, SYN), (Backward, ACK)], ConnState::S0);
        check(&[(Forward, SYN), (Forward, RST)], ConnState::RstOS0);
        check(&[(Forward, SYN), (Forward, FIN)], ConnState::SH);
    }

    #[test]
    fn a_rejected_attempt() {
        check(&[(Forward, SYN), (Backward, RST | ACK)], ConnState::Rej);
        check(&[(Forward, SYN), (Backward, RST | ACK), (Forward, SYN)], ConnState::S0);
    }

    #[test]
    fn a_whole_connection() {
        let opened = [(Forward, SYN), (Backward, SYN | ACK), (Forward, ACK)];
        check(&opened, ConnState::S1);
        let half = [&opened[..], &[(Forward, FIN | ACK)]].concat();
        check(&half, ConnState::S2);
        let whole = [&half[..], &[(Backward, FIN | ACK), (Forward, ACK)]].concat();
        check(&whole, ConnState::SF);
        check(&[&whole[..], &[(Forward, RST)]].concat(), ConnState::SF);
        check(&[&opened[..], &[(Backward, RST)]].concat(), ConnState::RstR);
        check(&[&half[..], &[(Forward, RST)]].concat(), ConnState::RstO);
        let reset = [&half[..], &[(Forward, RST), (Backward, FIN | ACK)]].concat();
        check(&reset, ConnState::SF);
    }

    #[test]
    fn both_open_at_once() {
        check(&[(Forward, SYN), (Backward, SYN), (Forward, SYN | ACK)], ConnState::S1);
    }

    #[test]
    fn a_capture_that_begins_in_the_middle() {
        check(&[(Forward, ACK), (Backward, ACK)], ConnState::Oth);
        check(&[(Forward, RST)], ConnState::Oth);
        check(&[(Forward, ACK), (Backward, RST)], ConnState::RstRH);
        check(&[(Forward, FIN | ACK), (Backward, ACK)], ConnState::SH);
        check(&[(Backward, FIN | ACK), (Forward, ACK)], ConnState::Shr);
    }

    #[test]
    fn a_capture_of_one_side() {
        check(&[(Forward, SYN), (Forward, ACK), (Forward, FIN | ACK)], ConnState::SH);
        check(&[(Backward, SYN | ACK), (Backward, ACK)], ConnState::Oth);
        check(&[(Backward, SYN | ACK), (Backward, FIN | ACK)], ConnState::Shr);
        check(&[(Backward, SYN | ACK), (Backward, RST)], ConnState::RstRH);
    }
}
