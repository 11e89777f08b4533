//! The known errors of CICFlowMeter, each with a test that shows the right value (Engelen 2021, Lanvin 2022, Rosay 2022, and
//! the corrections of its forks).
//!
//! [`RIGHT`] maps the number of each error to its test. A test is a trace, read by the whole engine, and cells of its rows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use engine::Job;
use tests::published;

/// An error's number, what is wrong in a few words, and the test of what is right.
const RIGHT: &[(u32, &str, fn())] = &[
    (1, "the first FIN ends a flow", a_connection_ends_once_both_sides_have_closed),
    (2, "RST is ignored, or its stragglers open flows", a_reset_ends_at_the_next_syn),
    (3, "what follows a FIN is dropped", packets_after_a_fin_count),
    (4, "idle times are times of day", idle_times_are_durations),
    (5, "the last active period is lost", the_last_active_period_counts_after_a_reset_too),
    (6, "PSH and URG count in the first packet only", push_and_urgent_count_in_every_packet),
    (7, "the first packet counts twice", the_first_packet_counts_once),
    (8, "the ratio is cut to a whole number", the_ratio_is_a_fraction),
    (9, "every bulk is backward", a_bulk_belongs_to_its_sender),
    (10, "averages are cut to whole numbers", averages_are_fractions),
    (11, "the first subflow is not counted", there_is_one_subflow_more_than_gaps),
    (12, "the backward window is that of the last packet", windows_are_those_of_the_first_segments),
    (13, "the first packet has no data", the_first_packet_with_payload_counts),
    (14, "forward is the first packet, a SYN-ACK too", who_answers_a_syn_is_the_server),
    (15, "endpoints stay after a silence", after_a_silence_who_speaks_first_is_the_client),
    (16, "what is open at the end is lost", a_timeout_cuts_and_the_end_loses_nothing),
    (17, "flows of one packet are dropped", a_packet_alone_is_a_flow),
    (18, "rates of no time are no numbers", a_rate_of_no_time_is_none),
    (19, "IPv6 is read by other rules", the_sixth_version_is_read_as_the_fourth),
    (20, "other protocols are 0", every_protocol_has_its_number),
    (21, "padding is payload", padding_is_no_payload),
    (22, "the header length stands twice", the_header_length_stands_once),
    (23, "columns are always 0", no_column_is_always_zero),
    (24, "times are local, of whole seconds", times_are_utc_with_microseconds),
    (25, "packets are taken in the order of the file", packets_are_put_in_order_and_copies_told),
    (26, "what is sent again is not told apart", what_is_sent_again_is_counted_apart),
    (27, "a payload is taken for a tunnel", what_only_looks_like_a_tunnel_is_payload),
];

#[test]
fn every_error_has_its_test() {
    let numbers: Vec<u32> = RIGHT.iter().map(|it| it.0).collect();
    assert_eq!(numbers, (1..=27).collect::<Vec<u32>>());
    RIGHT.iter().for_each(|it| (it.2)());
}

/// Rows as their cells by name.
type Table = Vec<BTreeMap<String, String>>;

/// The rows of a trace by a schema, perhaps cut by a timeout.
fn rows(schema: &str, script: &str, timeout_seconds: Option<u64>) -> Table {
    let capture = tests::trace(script).capture;
    let schema = features::schema(schema).unwrap();
    let rows = published::csv(&capture, schema, timeout_seconds.map(|it| it * 1_000_000));
    let named = |row: &Vec<String>| rows[0].iter().cloned().zip(row.iter().cloned()).collect();
    rows[1..].iter().map(named).collect()
}

/// Checks cells of the rows: row, column, value.
#[track_caller]
fn check(script: &str, cells: &[(usize, &str, &str)]) {
    check_rows(&rows("cic", script, None), cells);
}

#[track_caller]
fn check_rows(rows: &Table, cells: &[(usize, &str, &str)]) {
    for (row, column, expected) in cells {
        let found = rows.get(*row).map(|it| it[*column].as_str());
        assert_eq!(found, Some(*expected), "row {row}, {column}");
    }
    let last = cells.iter().map(|it| it.0).max();
    assert_eq!(Some(rows.len()), last.map(|it| it + 1), "so many rows");
}

/// A connection is opened.
const OPENING: &str = "
0.00 tcp 10.0.0.7:40000 > 192.0.2.80:80 S
0.02 tcp 192.0.2.80:80 > 10.0.0.7:40000 SA
0.04 tcp 10.0.0.7:40000 > 192.0.2.80:80 A
";

#[test]
fn a_connection_ends_once_both_sides_have_closed() {
    let script = "
1.00 tcp 10.0.0.7:40000 > 192.0.2.80:80 FA
1.10 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +10
1.20 tcp 192.0.2.80:80 > 10.0.0.7:40000 FA
1.30 tcp 10.0.0.7:40000 > 192.0.2.80:80 A
1.40 tcp 192.0.2.80:80 > 10.0.0.7:40000 A
9.00 tcp 10.0.0.7:40000 > 192.0.2.80:80 S
";
    check(
        &[OPENING, script].concat(),
        &[
            (0, "Total Fwd Packet", "4"),
            (0, "Total Bwd packets", "4"),
            (1, "Total Fwd Packet", "1"),
        ],
    );
}

#[test]
fn a_reset_ends_at_the_next_syn() {
    let script = "
1.00 tcp 192.0.2.80:80 > 10.0.0.7:40000 RA
1.10 tcp 10.0.0.7:40000 > 192.0.2.80:80 A
9.00 tcp 10.0.0.7:40000 > 192.0.2.80:80 S
";
    check(
        &[OPENING, script].concat(),
        &[(0, "Total Fwd Packet", "3"), (0, "RST Flag Count", "1"), (1, "SYN Flag Count", "1")],
    );
}

#[test]
fn packets_after_a_fin_count() {
    let script = "
1.00 tcp 10.0.0.7:40000 > 192.0.2.80:80 FA
1.10 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +100
1.20 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +50
1.30 tcp 192.0.2.80:80 > 10.0.0.7:40000 FA
";
    check(
        &[OPENING, script].concat(),
        &[(0, "FIN Flag Count", "2"), (0, "Total Length of Bwd Packet", "150")],
    );
}

#[test]
fn idle_times_are_durations() {
    let script = "
0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
2 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
9 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
";
    check(
        script,
        &[
            (0, "Idle Mean", "7000000"),
            (0, "Idle Max", "7000000"),
            (0, "Active Max", "2000000"),
            (0, "Active Min", "0"),
        ],
    );
}

#[test]
fn the_last_active_period_counts_after_a_reset_too() {
    let script = "
6.04 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +5
8.04 tcp 10.0.0.7:40000 > 192.0.2.80:80 R
";
    check(
        &[OPENING, script].concat(),
        &[
            (0, "Active Max", "2000000"),
            (0, "Active Min", "40000"),
            (0, "Active Mean", "1020000"),
            (0, "Idle Max", "6000000"),
        ],
    );
}

#[test]
fn push_and_urgent_count_in_every_packet() {
    let script = "
1.0 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +5
1.1 tcp 192.0.2.80:80 > 10.0.0.7:40000 PUA +5
1.2 tcp 10.0.0.7:40000 > 192.0.2.80:80 PUA +5
1.3 tcp 192.0.2.80:80 > 10.0.0.7:40000 PUA +5
";
    check(
        &[OPENING, script].concat(),
        &[
            (0, "Fwd PSH Flags", "2"),
            (0, "Bwd PSH Flags", "2"),
            (0, "Fwd URG Flags", "1"),
            (0, "Bwd URG Flags", "2"),
            (0, "PSH Flag Count", "4"),
        ],
    );
}

#[test]
fn the_first_packet_counts_once() {
    let script = "
0.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +100
0.1 udp 10.0.0.7:40000 > 192.0.2.9:9 +300
";
    check(
        script,
        &[
            (0, "Packet Length Mean", "200"),
            (0, "Packet Length Variance", "20000"),
            (0, "Average Packet Size", "200"),
            (0, "Total Length of Fwd Packet", "400"),
        ],
    );
}

#[test]
fn the_ratio_is_a_fraction() {
    let script = "
0.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
0.1 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
0.2 udp 192.0.2.9:9 > 10.0.0.7:40000 +1
";
    check(script, &[(0, "Down/Up Ratio", "0.5")]);
}

/// Five packets of the client one after the other, then one of the server.
const BULK: &str = "
0.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
0.1 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
0.2 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
0.3 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
0.5 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
0.6 udp 192.0.2.9:9 > 10.0.0.7:40000 +1
";

#[test]
fn a_bulk_belongs_to_its_sender() {
    check(
        BULK,
        &[
            (0, "Fwd Packet/Bulk Avg", "5"),
            (0, "Fwd Bytes/Bulk Avg", "50"),
            (0, "Fwd Bulk Rate Avg", "100"),
            (0, "Bwd Packet/Bulk Avg", ""),
        ],
    );
}

#[test]
fn averages_are_fractions() {
    let again = "
2.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +11
2.1 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
2.2 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
2.3 udp 10.0.0.7:40000 > 192.0.2.9:9 +10
";
    check(
        &[BULK, again].concat(),
        &[
            (0, "Fwd Packet/Bulk Avg", "4.5"),
            (0, "Fwd Bytes/Bulk Avg", "45.5"),
            (0, "Subflow Fwd Packets", "4.5"),
            (0, "Subflow Bwd Bytes", "0.5"),
        ],
    );
}

#[test]
fn there_is_one_subflow_more_than_gaps() {
    check(BULK, &[(0, "Subflow Fwd Packets", "5")]);
    let script = "
0.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
1.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
2.1 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
9.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
";
    // A gap of exactly a second ends nothing: three subflows.
    check(script, &[(0, "Subflow Fwd Packets", "1.3333333333")]);
}

#[test]
fn windows_are_those_of_the_first_segments() {
    let script = "
0.0 tcp 10.0.0.7:40000 > 192.0.2.80:80 S window 1000
0.1 tcp 192.0.2.80:80 > 10.0.0.7:40000 SA window 2000
0.2 tcp 10.0.0.7:40000 > 192.0.2.80:80 A window 7
0.3 tcp 192.0.2.80:80 > 10.0.0.7:40000 A window 8
";
    check(script, &[(0, "FWD Init Win Bytes", "1000"), (0, "Bwd Init Win Bytes", "2000")]);
    check("0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1", &[(0, "FWD Init Win Bytes", "")]);
}

#[test]
fn the_first_packet_with_payload_counts() {
    let script = "
0.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
0.1 udp 10.0.0.7:40000 > 192.0.2.9:9
0.2 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
";
    check(script, &[(0, "Fwd Act Data Pkts", "2")]);
}

#[test]
fn who_answers_a_syn_is_the_server() {
    let script = "
0.00 tcp 192.0.2.80:80 > 10.0.0.7:40000 SA
0.02 tcp 10.0.0.7:40000 > 192.0.2.80:80 A
0.04 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +5
";
    check(
        script,
        &[(0, "Src IP", "10.0.0.7"), (0, "Dst Port", "80"), (0, "Total Fwd Packet", "2")],
    );
}

#[test]
fn after_a_silence_who_speaks_first_is_the_client() {
    let datagrams = "
0 udp 10.0.0.7:123 > 192.0.2.9:123 +1
1 udp 192.0.2.9:123 > 10.0.0.7:123 +1
200 udp 192.0.2.9:123 > 10.0.0.7:123 +1
201 udp 10.0.0.7:123 > 192.0.2.9:123 +1
";
    check_rows(
        &rows("cic", datagrams, Some(120)),
        &[(0, "Src IP", "10.0.0.7"), (1, "Src IP", "192.0.2.9"), (1, "Total Fwd Packet", "1")],
    );
    let connection = "
200 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +1
201 tcp 10.0.0.7:40000 > 192.0.2.80:80 A
";
    check_rows(
        &rows("cic", &[OPENING, connection].concat(), Some(120)),
        &[(0, "Src IP", "10.0.0.7"), (1, "Src IP", "10.0.0.7")],
    );
}

#[test]
fn a_timeout_cuts_and_the_end_loses_nothing() {
    let script = "
0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
10 udp 10.0.0.7:40000 > 192.0.2.9:9 +2
11 udp 10.0.0.7:40000 > 192.0.2.9:9 +3
12 udp 10.0.0.8:40000 > 192.0.2.9:9 +4
";
    check_rows(
        &rows("cic", script, Some(10)),
        &[
            (0, "Total Length of Fwd Packet", "3"),
            (1, "Total Length of Fwd Packet", "3"),
            (2, "Total Length of Fwd Packet", "4"),
        ],
    );
}

#[test]
fn a_packet_alone_is_a_flow() {
    check(
        "0 udp 10.0.0.7:40000 > 192.0.2.9:9 +7",
        &[(0, "Total Fwd Packet", "1"), (0, "Total Bwd packets", "0"), (0, "Flow Duration", "0")],
    );
}

#[test]
fn a_rate_of_no_time_is_none() {
    check(
        "0 udp 10.0.0.7:40000 > 192.0.2.9:9 +7",
        &[
            (0, "Flow Bytes/s", ""),
            (0, "Flow Packets/s", ""),
            (0, "Bwd Packets/s", ""),
            (0, "Down/Up Ratio", "0"),
        ],
    );
}

#[test]
fn the_sixth_version_is_read_as_the_fourth() {
    let exchange = "
1.000001 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +100
8.000002 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +300
8.000003 tcp 10.0.0.7:40000 > 192.0.2.80:80 RA
";
    let fourth = [OPENING, exchange].concat();
    let sixth = fourth.replace("10.0.0.7", "[2001:db8::7]").replace("192.0.2.80", "[2001:db8::80]");
    let [fourth, sixth] = [fourth, sixth].map(|it| rows("cic", &it, None));
    assert_eq!(sixth[0]["Src IP"], "\"2001:db8::7\"");
    for (name, value) in &fourth[0] {
        let is_header = name.contains("Header") || name == "Fwd Seg Size Min";
        let is_address = name.ends_with(" IP") || name == "Flow ID";
        if !is_header && !is_address {
            assert_eq!(value, &sixth[0][name], "{name}");
        }
    }
    // Twenty bytes more each, in four packets of the client.
    assert_eq!((&*fourth[0]["Fwd Header Length"], &*sixth[0]["Fwd Header Length"]), ("160", "240"));
}

#[test]
fn every_protocol_has_its_number() {
    let script = "
0 ping 10.0.0.7 > 192.0.2.9
0.1 pong 192.0.2.9 > 10.0.0.7
1 ping 2001:db8::7 > 2001:db8::9
";
    let rows = rows("cic", script, None);
    assert_eq!((rows[0]["Protocol"].as_str(), rows[0]["Total Bwd packets"].as_str()), ("1", "1"));
    assert!(rows.iter().all(|it| it["Protocol"] != "0"));
}

#[test]
fn padding_is_no_payload() {
    // Both go in frames of 60 bytes: 6 of padding, and 17.
    check(OPENING, &[(0, "Packet Length Max", "0"), (0, "Fwd Act Data Pkts", "0")]);
    check("0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1", &[(0, "Packet Length Max", "1")]);
}

#[test]
fn the_header_length_stands_once() {
    let script = "1 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +100";
    // Twenty bytes of IP and twenty of TCP in each of three packets; the least of them, whatever the name says.
    check(
        &[OPENING, script].concat(),
        &[(0, "Fwd Header Length", "120"), (0, "Fwd Seg Size Min", "40")],
    );
    let names = features::CIC.columns.iter().map(|it| it.name);
    assert_eq!(names.filter(|it| *it == "Fwd Header Length").count(), 1);
}

#[test]
fn no_column_is_always_zero() {
    let exchange = "
0.10 tcp 10.0.0.7:40000 > 192.0.2.80:80 PUA +10
0.11 tcp 10.0.0.7:40000 > 192.0.2.80:80 CA +20
0.12 tcp 10.0.0.7:40000 > 192.0.2.80:80 EA +30
0.14 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +40
0.20 tcp 192.0.2.80:80 > 10.0.0.7:40000 PUA +10
0.21 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +20
0.22 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +30
0.24 tcp 192.0.2.80:80 > 10.0.0.7:40000 PA +40
7.00 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +50
7.50 tcp 192.0.2.80:80 > 10.0.0.7:40000 FA
15.0 tcp 10.0.0.7:40000 > 192.0.2.80:80 R
15.1 tcp 192.0.2.80:80 > 10.0.0.7:40000 A
";
    let rows = rows("cic", &[OPENING, exchange].concat(), None);
    let zero: Vec<&String> =
        rows[0].iter().filter(|it| it.1 == "0" || it.1.is_empty()).map(|it| it.0).collect();
    // Some segments have no payload, so that this is right.
    let right = ["Bwd Packet Length Min", "Fwd Packet Length Min", "Packet Length Min"];
    assert_eq!(zero, right);
}

#[test]
fn times_are_utc_with_microseconds() {
    let script = "45296.123456 udp 10.0.0.7:40000 > 192.0.2.9:9 +1";
    check(script, &[(0, "Timestamp", "\"2025-03-01T21:34:56.123456Z\"")]);
}

#[test]
fn packets_are_put_in_order_and_copies_told() {
    let ordered = "
0.000 udp 10.0.0.7:40000 > 192.0.2.9:9 +1
0.100 udp 192.0.2.9:9 > 10.0.0.7:40000 +2
0.101 udp 10.0.0.7:40000 > 192.0.2.9:9 +3
0.200 udp 192.0.2.9:9 > 10.0.0.7:40000 +4
";
    let mut lines: Vec<&str> = ordered.trim().lines().collect();
    lines.swap(1, 2);
    lines.swap(2, 3);
    let [ordered, misplaced] =
        [ordered.to_owned(), lines.join("\n")].map(|it| rows("cic", &it, None));
    assert_eq!(ordered, misplaced);

    let line = "0.0 udp 10.0.0.7:40000 > 192.0.2.9:9 +1\n";
    let mut job = Job::new("copies.pcap", 1);
    job.feed(&tests::trace(&line.repeat(2)).capture).unwrap();
    let analysis = job.finish(false);
    assert!(analysis.reading().notices.iter().any(|it| it.code == "W-DUPLICATES"));
}

#[test]
fn what_is_sent_again_is_counted_apart() {
    let script = "
1.0 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA +100
1.5 tcp 10.0.0.7:40000 > 192.0.2.80:80 PA again +100
1.6 tcp 192.0.2.80:80 > 10.0.0.7:40000 A
";
    let script = [OPENING, script].concat();
    check_rows(
        &rows("tractor-full", &script, None),
        &[(0, "client_resent", "1"), (0, "server_resent", "0"), (0, "client_payload_bytes", "200")],
    );
}

#[test]
fn what_only_looks_like_a_tunnel_is_payload() {
    // To the port of L2TP, and to no other rule of it.
    let script = "
0.0 udp 10.0.0.7:40000 > 192.0.2.9:1701 \"GET / HTTP/1.1\" +40
0.1 udp 192.0.2.9:1701 > 10.0.0.7:40000 +60
";
    check(
        script,
        &[
            (0, "Protocol", "17"),
            (0, "Dst Port", "1701"),
            (0, "Total Length of Fwd Packet", "54"),
            (0, "Total Length of Bwd Packet", "60"),
        ],
    );
}
