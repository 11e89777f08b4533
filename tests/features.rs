//! Features against a second, independent computation of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use capture::Timestamp;
use features::{CIC, Sample};
use flow::{Direction, Step, Timeline};
use tests::naive::{self, Plain};

fn timeline(packets: &[Plain]) -> Timeline {
    let step = |it: &Plain| Step {
        time: Timestamp(it.micros as u64 * 1_000),
        direction: if it.is_forward { Direction::Forward } else { Direction::Backward },
        frame_len: (it.payload + it.header) as u32 + 14,
        ip_len: (it.payload + it.header) as u32,
        payload_len: it.payload as u32,
        flags: it.flags,
        ..Step::default()
    };
    packets.iter().map(step).collect()
}

#[test]
fn every_column_is_what_a_slow_and_plain_computation_gives() {
    for seed in 0..2_000 {
        let packets = naive::packets(seed);
        let ordered = naive::in_order(&packets);
        let mut sample = Sample::new(timeline(&packets).steps(), &CIC, Direction::Forward);
        let first = |is_forward| ordered.iter().find(|it| it.is_forward == is_forward);
        sample.forward.first_window = first(true).and_then(|it| it.window);
        sample.backward.first_window = first(false).and_then(|it| it.window);
        for column in CIC.features() {
            let (value, expected) = (column.number(&sample), naive::cic(column.name, &ordered));
            assert!(
                naive::is_same(value, expected),
                "{}, seed {seed}: {value:?}, not {expected:?}",
                column.name
            );
        }
    }
}

/// Checks features of the first session of a trace; an empty text is none.
#[track_caller]
fn check_session(script: &str, expected: &[(&str, &str)]) {
    let schema = features::schema("session").unwrap();
    let rows = tests::published::csv(&tests::trace(script).capture, schema, None);
    for (name, expected) in expected {
        let at = rows[0].iter().position(|it| it == name).unwrap();
        assert_eq!(rows[1][at], *expected, "{name}");
    }
}

#[test]
fn a_session_knows_how_long_after_the_answer_its_connection_came() {
    let script = "
0.000 udp 10.0.0.7:40000 > 10.0.0.1:53 dns? www.example.org
0.015 udp 10.0.0.1:53 > 10.0.0.7:40000 dns! www.example.org 192.0.2.80
0.040 tcp 10.0.0.7:40001 > 192.0.2.80:443 S
0.060 tcp 192.0.2.80:443 > 10.0.0.7:40001 SA
0.090 tcp 10.0.0.7:40001 > 192.0.2.80:443 A
9.000 tcp 192.0.2.80:443 > 10.0.0.7:40001 PA +60
";
    check_session(
        script,
        &[
            ("n_flows", "2"),
            ("n_peer_addresses", "2"),
            ("n_transports", "2"),
            ("dns_to_flow", "25000"),
            ("second_flow", "40000"),
            ("n_bursts", "2"),
            ("max_pause", "8910000"),
            ("max_concurrency", "1"),
            ("n_announced", "0"),
            ("min_announced_gap", ""),
        ],
    );
}

#[test]
fn what_was_opened_towards_the_client_still_comes_down() {
    // Active FTP: the server opens the data connection, and sends on it.
    let script = "
0.000 tcp 10.0.0.7:40000 > 192.0.2.21:21 S
0.010 tcp 192.0.2.21:21 > 10.0.0.7:40000 SA
0.011 tcp 10.0.0.7:40000 > 192.0.2.21:21 A
0.020 tcp 192.0.2.21:21 > 10.0.0.7:40000 PA \"220 ready\\r\\n\"
0.030 tcp 10.0.0.7:40000 > 192.0.2.21:21 PA \"PORT 10,0,0,7,195,80\\r\\n\"
0.100 tcp 192.0.2.21:20 > 10.0.0.7:50000 S
0.110 tcp 10.0.0.7:50000 > 192.0.2.21:20 SA
0.120 tcp 192.0.2.21:20 > 10.0.0.7:50000 PA +1000
";
    // Up 40 + 40 + 62 + 40 bytes, down 40 + 51 + 40 + 1040.
    check_session(
        script,
        &[
            ("n_flows", "2"),
            ("n_peer_addresses", "1"),
            ("n_announced", "1"),
            ("mean_announced_gap", "70000"),
            ("max_burst_up_down", "0.1554227156"),
            ("total_fiat", "110000"),
        ],
    );
}

#[test]
fn a_beacon_tells_its_period() {
    let script: String =
        (0..20).map(|it| format!("{} udp 10.0.0.7:40000 > 192.0.2.9:9 +9\n", it * 45)).collect();
    let expected = [("period", "45"), ("n_bursts", "20"), ("gini", "0"), ("largest_share", "1")];
    check_session(&script, &expected);
}
