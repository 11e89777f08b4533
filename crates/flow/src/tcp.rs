//! How far a connection came, in the words of Zeek's `conn_state`.

use capture::Tcp;

use crate::Direction;

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

    /// The state of a UDP exchange.
    pub(crate) fn of_datagrams(client_packets: u64, server_packets: u64) -> Self {
        match (client_packets > 0, server_packets > 0) {
            (true, true) => Self::SF,
            (true, false) => Self::S0,
            (false, true) => Self::Shr,
            (false, false) => Self::Oth,
        }
    }
}

/// What each side of a TCP connection has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connection {
    client: Side,
    server: Side,
    /// The segments that opened them.
    client_syn: Option<Tcp>,
    server_syn: Option<Tcp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Side {
    /// Nothing.
    #[default]
    Silent,
    /// SYN, or for the server SYN-ACK.
    Opened,
    /// Data or an acknowledgement after the opening.
    Established,
    /// Data without an opening.
    Midstream,
    /// FIN.
    Closed,
    /// RST.
    Reset,
}

impl Connection {
    /// The segment that opened one side, where it was seen.
    pub(crate) fn syn(&self, direction: Direction) -> Option<Tcp> {
        match direction {
            Direction::Forward => self.client_syn,
            Direction::Backward => self.server_syn,
        }
    }

    /// Takes a packet.
    pub(crate) fn push(&mut self, direction: Direction, tcp: &Tcp) {
        if tcp.flags & flags::SYN != 0 {
            let syn = match direction {
                Direction::Forward => &mut self.client_syn,
                Direction::Backward => &mut self.server_syn,
            };
            syn.get_or_insert(*tcp);
        }
        let (sender, other) = match direction {
            Direction::Forward => (&mut self.client, &mut self.server),
            Direction::Backward => (&mut self.server, &mut self.client),
        };
        let is_set = |flag| tcp.flags & flag != 0;
        if is_set(flags::RST) {
            if *sender != Side::Closed || *other != Side::Closed {
                *sender = Side::Reset;
            }
            return;
        }
        *sender = match *sender {
            Side::Closed | Side::Reset => *sender,
            _ if is_set(flags::FIN) => Side::Closed,
            Side::Silent if is_set(flags::SYN) => Side::Opened,
            Side::Silent => Side::Midstream,
            Side::Opened if is_set(flags::SYN) => Side::Opened,
            Side::Opened => Side::Established,
            kept => kept,
        };
        // An acknowledgement by the client establishes the server's side too.
        if is_set(flags::ACK) && *other == Side::Opened && *sender == Side::Established {
            *other = Side::Established;
        }
        // A SYN-ACK acknowledges the SYN.
        if is_set(flags::ACK) && is_set(flags::SYN) && *other == Side::Opened {
            *other = Side::Established;
        }
    }

    /// Whether it ended: a new SYN opens another.
    pub(crate) fn is_ended(&self) -> bool {
        self.client == Side::Reset
            || self.server == Side::Reset
            || self.client == Side::Closed && self.server == Side::Closed
    }

    /// The state so far.
    pub(crate) fn state(&self) -> ConnState {
        use Side::{Closed, Established, Midstream, Opened, Reset, Silent};
        match (self.client, self.server) {
            (Reset, Silent) => ConnState::RstOS0,
            (Reset, _) => ConnState::RstO,
            (Opened, Reset) => ConnState::Rej,
            (Silent, Reset) => ConnState::RstRH,
            (_, Reset) => ConnState::RstR,
            (Closed, Closed) => ConnState::SF,
            (Closed, Silent) => ConnState::SH,
            (Closed, _) => ConnState::S2,
            (Silent, Closed) => ConnState::Shr,
            (_, Closed) => ConnState::S3,
            (Opened, Silent) => ConnState::S0,
            (Established, Opened | Established) => ConnState::S1,
            (Opened, Opened | Established) => ConnState::S1,
            (Midstream | Silent, _) | (_, Midstream | Silent) => ConnState::Oth,
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
            connection.push(direction, &Tcp { flags, ..Tcp::default() });
        }
        assert_eq!(connection.state(), expected);
    }

    #[test]
    fn an_attempt_without_reply() {
        check(&[(Forward, SYN), (Forward, SYN)], ConnState::S0);
    }

    #[test]
    fn a_rejected_attempt() {
        check(&[(Forward, SYN), (Backward, RST | ACK)], ConnState::Rej);
    }

    #[test]
    fn a_whole_connection() {
        let opened = [(Forward, SYN), (Backward, SYN | ACK), (Forward, ACK)];
        check(&opened, ConnState::S1);
        let half = [&opened[..], &[(Forward, FIN | ACK)]].concat();
        check(&half, ConnState::S2);
        check(&[&half[..], &[(Backward, FIN | ACK), (Forward, ACK)]].concat(), ConnState::SF);
        check(&[&opened[..], &[(Backward, RST)]].concat(), ConnState::RstR);
    }

    #[test]
    fn a_capture_that_begins_in_the_middle() {
        check(&[(Forward, ACK), (Backward, ACK)], ConnState::Oth);
    }
}
