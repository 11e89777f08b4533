//! The rules for flows and pieces against slow and plain ones, over generated traffic.

use std::net::{IpAddr, Ipv4Addr};

use capture::{Packet, Tcp, Timestamp};

use crate::{
    Apart, Cut, Direction, Flow, Many, Table, Timeline, Transport,
    tcp::flags::{ACK, FIN, RST, SYN},
};

/// A small generator of numbers (Marsaglia's xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn is_one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A packet between host 1 and host 2.
#[derive(Clone, Copy, Debug)]
struct Plain {
    nanos: u64,
    /// From host 1.
    is_up: bool,
    flags: u8,
    sequence: u32,
    acknowledgement: u32,
    payload_len: u32,
    /// Which of the connections that were generated it is of.
    connection: usize,
}

fn push(table: &mut Table, it: &Plain, protocol: u8) -> usize {
    let ip = |it: u8| IpAddr::V4(Ipv4Addr::new(192, 0, 2, it));
    let ((source, source_port), (destination, destination_port)) =
        if it.is_up { ((ip(1), 40_000), (ip(2), 80)) } else { ((ip(2), 80), (ip(1), 40_000)) };
    let (sequence, acknowledgement) = (it.sequence, it.acknowledgement);
    let tcp = Tcp { sequence, acknowledgement, flags: it.flags, ..Tcp::default() };
    let number = table.push(&Packet {
        time: Timestamp(it.nanos),
        source,
        destination,
        protocol,
        source_port,
        destination_port,
        frame_len: 54 + it.payload_len,
        ip_len: 40 + it.payload_len,
        payload_len: it.payload_len,
        payload: &[],
        tcp: (protocol == Transport::TCP.0).then_some(tcp),
        vlan: 0,
        depth: 0,
        tunnel: None,
        carries: None,
    });
    number as usize
}

/// One connection after the other between the same ports, either host the client, as they come about on the Internet:
/// asked again, refused, opened at once by both, ended by FIN or RST or not at all, with stragglers.
fn connections(random: &mut Random) -> (Vec<Plain>, Vec<bool>) {
    let (mut packets, mut clients) = (Vec::new(), Vec::new());
    let mut nanos = 1_000_000_000_000;
    let mut is_unanswered = false;
    for connection in 0..=random.below(4) as usize {
        // Where the one was not answered, it would be the other's answer if that asked next.
        let client = match clients.last() {
            Some(last) if is_unanswered => *last,
            _ => random.is_one_in(2),
        };
        clients.push(client);
        // Numbers may wrap around; those of two connections differ.
        let numbers = [0, 1]
            .map(|it| 0_u32.wrapping_sub(20).wrapping_add(1_000 * connection as u32 + 500 * it));
        let mut next = numbers;
        let mut send = |random: &mut Random, is_client: bool, flags: u8, payload_len: u32| {
            let (own, other) = if is_client { (0, 1) } else { (1, 0) };
            nanos += random.of(&[1, 10, 1_000]) * 1_000_000;
            let sequence = if flags & SYN != 0 { numbers[own] } else { next[own] };
            let acknowledgement = if flags & ACK != 0 { next[other] } else { 0 };
            let is_up = is_client == client;
            let it =
                Plain { nanos, is_up, flags, sequence, acknowledgement, payload_len, connection };
            let signs = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
            next[own] = sequence.wrapping_add(payload_len).wrapping_add(signs);
            packets.push(it);
        };
        for _ in 0..=random.below(3) {
            send(random, true, SYN, 0);
            if random.is_one_in(3) {
                send(random, false, RST | ACK, 0);
            }
        }
        is_unanswered = random.is_one_in(4);
        if is_unanswered {
            continue;
        }
        send(random, true, SYN, 0);
        if random.is_one_in(4) {
            send(random, false, SYN, 0);
            send(random, true, SYN | ACK, 0);
        }
        send(random, false, SYN | ACK, 0);
        send(random, true, ACK, 0);
        for _ in 0..random.below(6) {
            let is_client = random.is_one_in(2);
            let payload_len = random.of(&[0, 1, 700]);
            send(random, is_client, ACK, payload_len);
        }
        match random.below(3) {
            0 => {
                let first = random.is_one_in(2);
                send(random, first, FIN | ACK, 0);
                send(random, !first, ACK, 9);
                send(random, !first, FIN | ACK, 0);
                send(random, first, ACK, 0);
            }
            1 => send(random, true, RST, 0),
            _ => {}
        }
        for _ in 0..random.below(3) {
            send(random, false, ACK, 0);
        }
    }
    (packets, clients)
}

#[test]
fn connections_one_after_the_other_are_told_apart() {
    for seed in 1..2_000 {
        let random = &mut Random(seed);
        let (mut packets, clients) = connections(random);
        // A capture may miss packets, though here not the SYNs, by which connections are told apart.
        packets.retain(|it| it.flags & SYN != 0 || !random.is_one_in(8));
        let mut table = Table::new(7, Apart::default());
        let found: Vec<usize> = packets.iter().map(|it| push(&mut table, it, 6)).collect();
        let expected: Vec<usize> = packets.iter().map(|it| it.connection).collect();
        assert_eq!(found, expected, "seed {seed}: {packets:#?}");
        let found = table.finish().into_iter().map(|it| it.client.port == 40_000);
        assert_eq!(found.collect::<Vec<_>>(), clients, "seed {seed}");
    }
}

#[test]
fn connections_of_which_only_the_server_was_captured_are_told_apart() {
    for seed in 1..1_000 {
        let (mut packets, clients) = connections(&mut Random(seed));
        packets.retain(|it| it.is_up != clients[it.connection]);
        // Those that were refused or opened by both at once show no answer.
        let is_plain = |it: &Plain| it.flags & (SYN | ACK) == SYN | ACK;
        let n_plain = |of: usize| {
            let mut of = packets.iter().filter(|it| it.connection == of);
            of.next().is_some_and(is_plain)
        };
        packets = packets.iter().filter(|it| n_plain(it.connection)).copied().collect();
        let same_client = |it: &Plain| clients[it.connection] == clients[packets[0].connection];
        packets = packets.iter().filter(|it| same_client(it)).copied().collect();
        let mut table = Table::new(7, Apart::default());
        let found: Vec<usize> = packets.iter().map(|it| push(&mut table, it, 6)).collect();
        let mut seen: Vec<usize> = packets.iter().map(|it| it.connection).collect();
        seen.dedup();
        let number = |it: &Plain| seen.iter().position(|of| *of == it.connection);
        let expected: Vec<_> = packets.iter().filter_map(number).collect();
        assert_eq!(found, expected, "seed {seed}: {packets:#?}");
    }
}

/// Whether a packet begins a new piece, by all packets of the piece before it.
fn is_late(cut: Cut, flow: &Flow, piece: &[Plain], packet: &Plain) -> bool {
    let since = |it: u64| packet.nanos.saturating_sub(it);
    let micros_since = |it: u64| (packet.nanos / 1_000).saturating_sub(it / 1_000);
    let (first, last) = (piece[0], piece[piece.len() - 1]);
    let is_tcp = flow.transport == Transport::TCP;
    let client_is_up = flow.client.port == 40_000;
    match cut {
        Cut::Whole => false,
        Cut::Active { timeout_micros } => micros_since(first.nanos) > timeout_micros,
        Cut::Idle { timeout_micros } => micros_since(last.nanos) > timeout_micros,
        Cut::Published { timeout_micros } => {
            let has_ended = last.flags & FIN != 0;
            has_ended || packet.flags & FIN == 0 && micros_since(first.nanos) > timeout_micros
        }
        Cut::Zeek if !is_tcp => since(last.nanos) >= 60_000_000_000,
        Cut::Zeek => {
            let has = |of: &[Plain], is_up: bool, flags: u8| {
                of.iter().any(|it| it.is_up == is_up && it.flags & flags != 0)
            };
            let closed = |of: &[Plain], is_up| has(of, is_up, FIN | RST);
            let spoke = |of: &[Plain], is_up: bool| of.iter().any(|it| it.is_up == is_up);
            let both = |of: &[Plain]| closed(of, true) && closed(of, false);
            let is_done = |of: &[Plain]| {
                let is_alone = |is_up| closed(of, is_up) && !spoke(of, !is_up);
                has(of, true, RST)
                    || has(of, false, RST)
                    || both(of)
                    || is_alone(true)
                    || is_alone(false)
            };
            let alive = (0..piece.len()).rev().find(|it| !both(&piece[..*it]));
            let is_silent = alive.is_none_or(|it| since(piece[it].nanos) >= 300_000_000_000);
            let done = (1..=piece.len()).find(|it| is_done(&piece[..*it]));
            let done = done.map(|it| since(piece[it - 1].nanos) >= 5_000_000_000);
            let is_syn = packet.flags & (SYN | ACK) == SYN;
            // Nobody but who asks has spoken, and not of an end.
            let mut asked = piece.iter().enumerate();
            let is_asking = asked
                .any(|(n, it)| it.flags & SYN != 0 && (n == 0 || it.flags & ACK == 0))
                && piece.iter().all(|it| it.is_up == client_is_up && it.flags & (FIN | RST) == 0);
            is_silent
                || done.is_some_and(|is_over| is_over || is_syn)
                || is_asking && since(first.nanos) >= 5_000_000_000
        }
    }
}

#[test]
fn a_cut_is_what_a_slow_and_plain_one_gives() {
    let micros = |timeout_micros| {
        let (active, idle) = (Cut::Active { timeout_micros }, Cut::Idle { timeout_micros });
        [active, idle, Cut::Published { timeout_micros }]
    };
    let cuts = [&[Cut::Whole, Cut::Zeek][..], &micros(1_500_000), &micros(61_000_000)].concat();
    for seed in 1..1_000 {
        let random = &mut Random(seed);
        let mut nanos = 1_000_000_000_000;
        let mut packets = Vec::new();
        let flags = [SYN, SYN | ACK, ACK, ACK, ACK, FIN | ACK, RST, RST | ACK];
        for _ in 0..random.below(30) + 1 {
            nanos +=
                random.of(&[1, 100, 4_999, 5_000, 59_999, 60_000, 299_999, 300_000]) * 1_000_000;
            // Nobody does no more than acknowledge.
            let is_up = packets.is_empty() || random.is_one_in(2);
            let flags = if packets.is_empty() { SYN } else { random.of(&flags) };
            let (payload_len, connection) = (1, 0);
            // One number, so that all is one flow as long as nothing has ended.
            let (sequence, acknowledgement) = (7, 8);
            packets.push(Plain {
                nanos,
                is_up,
                flags,
                sequence,
                acknowledgement,
                payload_len,
                connection,
            });
        }
        for protocol in [6, 17] {
            let mut table = Table::new(7, Apart::default());
            let of: Vec<usize> = packets.iter().map(|it| push(&mut table, it, protocol)).collect();
            let flows: Many<Flow> = table.finish();
            for (number, flow) in flows.iter().enumerate() {
                let own = packets.iter().zip(&of).filter(|it| *it.1 == number);
                let own: Vec<Plain> = own.map(|it| *it.0).collect();
                for cut in &cuts {
                    check_cut(*cut, flow, &own, &format!("seed {seed}, {cut:?}"));
                }
            }
        }
    }
}

#[track_caller]
fn check_cut(cut: Cut, flow: &Flow, packets: &[Plain], what: &str) {
    let is_tcp = flow.transport == Transport::TCP;
    let flags = |it: &Plain| if is_tcp { *it } else { Plain { flags: 0, ..*it } };
    let packets: Vec<Plain> = packets.iter().map(flags).collect();
    let mut expected: Vec<Vec<Plain>> = Vec::new();
    for packet in &packets {
        match expected.last_mut() {
            Some(piece) if !is_late(cut, flow, piece, packet) => piece.push(*packet),
            _ => expected.push(vec![*packet]),
        }
    }
    let pieces = flow.cut(cut);
    let lens: Vec<usize> = pieces.iter().map(|it| it.len() as usize).collect();
    assert_eq!(lens, expected.iter().map(Vec::len).collect::<Vec<_>>(), "{what}: {packets:#?}");
    let steps = |it: &Timeline| it.steps().collect::<Vec<_>>();
    let all: Vec<_> = pieces.iter().flat_map(steps).collect();
    assert_eq!(all, steps(&flow.timeline), "every packet is in one piece, {what}");
    let whole = flow.conn_state_of(&flow.timeline, Direction::Forward);
    assert_eq!(whole, flow.conn_state(), "{what}");
}
