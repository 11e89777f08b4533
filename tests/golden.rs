//! The source book's table of results (chapter 1.3.3) comes out of a capture of our own, digit for digit.
//!
//! Its nine rows are two-packet flows of 448 IP bytes; the rest follows from the gap between the packets. They are also
//! rows of the published data set ISCXVPN2016, with more digits than the book prints.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{Analysis, Job};
use features::Schema;
use tests::{
    Random, Talk, peers,
    published::{self, Flow, Golden},
};

/// Gap between the two packets in microseconds, then both rates as published (ten decimals) and as the book prints them.
const ROWS: &[(u64, [&str; 2], [&str; 2])] = &[
    (192_013, ["10.4159614193", "2333.1753579185"], ["10.416", "2333.18"]),
    (237_026, ["8.4378928894", "1890.0880072228"], ["8.43789", "1890.09"]),
    (52_857, ["37.8379401025", "8475.6985829692"], ["37.8379", "8475.7"]),
    (64_424, ["31.0443313051", "6953.9302123432"], ["31.0443", "6953.93"]),
    (1_634_113, ["1.2239055683", "274.1548473086"], ["1.22391", "274.155"]),
    (282_237, ["7.0862431219", "1587.318459309"], ["7.08624", "1587.32"]),
    (69_388, ["28.823427682", "6456.4478007725"], ["28.8234", "6456.45"]),
    (273_443, ["7.3141385956", "1638.3670454172"], ["7.31414", "1638.37"]),
    (339_893, ["5.884204735", "1318.0618606444"], ["5.8842", "1318.06"]),
];

/// The book's header.
const HEADER: &str = "duration,total_fiat,total_biat,min_fiat,min_biat,max_fiat,max_biat,mean_fiat,mean_biat,\
    flowPktsPerSecond,flowBytesPerSecond,min_flowiat,max_flowiat,mean_flowiat,std_flowiat,min_active,mean_active,\
    max_active,std_active,min_idle,mean_idle,max_idle,std_idle";

/// Nine questions to BitTorrent's table of peers, each with its answer.
fn capture() -> Vec<u8> {
    let mut random = Random::new(9);
    let mut talks = Vec::new();
    for (n, (gap_micros, ..)) in (0..).zip(ROWS) {
        let client = "10.0.0.7:6881".parse().unwrap();
        let server = format!("198.51.100.{}:6881", n + 1).parse().unwrap();
        let mut talk = Talk::between(false, client, server, 1_700_000_000_000_000_000);
        let question = peers::get_peers(&[n; 20], &[7; 20], [n, 0]);
        let mut answer = peers::nodes(&[n + 100; 20], [n, 0], 6, &mut random);
        talk.client(&question);
        // 20 bytes of IP and 8 of UDP each.
        answer.resize(448 - 2 * 28 - question.len(), b'e');
        talk = talk.with_delays(0, 0);
        talk.wait_micros(*gap_micros);
        talk.server(&answer);
        talks.push(talk);
    }
    tests::pcap(talks)
}

fn analyse(capture: &[u8]) -> Analysis {
    let mut job = Job::new("nine.pcap", 1);
    job.feed(capture).unwrap();
    job.finish(false)
}

/// The cells of an export cut by the data set's timeout; header first.
fn cells(schema: &'static Schema) -> Vec<Vec<String>> {
    published::csv(&capture(), schema, Some(15_000_000))
}

/// A row as it must be, with these rates; `point` follows whole numbers in columns of fractions.
fn expected(gap: u64, rates: [&str; 2], point: &str) -> Vec<String> {
    let (gap, zero) = (gap.to_string(), format!("0{point}"));
    let is_idle = gap == "1634113";
    let period = if is_idle { [gap.as_str(), &gap, &gap, "0"] } else { ["-1", "0", "-1", "0"] };
    let mean = format!("{gap}{point}");
    [
        &[gap.as_str(), "-1", "-1", "-1", "-1", &zero, &zero, &zero, &zero][..],
        &rates,
        &[&gap, &gap, &mean, &zero],
        &period,
        &period,
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

/// A cell as the book prints it: fractions with six significant digits, whole numbers among them with a point.
fn printed(column: usize, cell: &str) -> String {
    let holds_fractions = matches!(column, 5..=10 | 13..=14);
    let value: f64 = cell.parse().unwrap();
    if !holds_fractions {
        return cell.to_owned();
    }
    if value.fract() == 0.0 {
        return format!("{value}.");
    }
    let whole_digits = value.trunc().to_string().len();
    let text = format!("{value:.*}", 6 - whole_digits);
    text.trim_end_matches('0').to_owned()
}

#[test]
fn the_nine_rows_are_those_published() {
    let cells = cells(features::schema("iscx-b").unwrap());
    assert_eq!(cells[0].join(","), format!("{HEADER},class1"));
    assert_eq!(cells.len(), 1 + ROWS.len());
    for (row, (gap, published, _)) in cells[1..].iter().zip(ROWS) {
        assert_eq!(row[..23], expected(*gap, *published, ""));
    }
}

#[test]
fn the_nine_rows_are_those_printed() {
    let cells = cells(features::schema("iscx-b").unwrap());
    for (row, (gap, _, book)) in cells[1..].iter().zip(ROWS) {
        let row: Vec<String> =
            row[..23].iter().enumerate().map(|(column, cell)| printed(column, cell)).collect();
        assert_eq!(row, expected(*gap, *book, "."));
    }
}

#[test]
fn every_golden_row_is_made_again() {
    let text = include_str!("published.txt");
    let rows: Vec<Golden> = text
        .lines()
        .filter(|it| !it.starts_with('#'))
        .map(|it| Golden::read(it).unwrap())
        .collect();
    assert!(rows.len() > 50, "the rows are gone");
    for timeout_seconds in [15, 30, 60, 120] {
        let rows: Vec<&Golden> =
            rows.iter().filter(|it| it.timeout_seconds == timeout_seconds).collect();
        let flows: Vec<Flow> = rows.iter().map(|it| it.flow.clone()).collect();
        for (at, schema) in ["iscx-b", "iscx-a2"].into_iter().enumerate() {
            let schema = features::schema(schema).unwrap();
            let cells = published::cells(&flows, schema, u64::from(timeout_seconds) * 1_000_000);
            for (ours, row) in cells.iter().zip(&rows) {
                let is_same = |it: (&String, &String)| published::is_same(it.0, it.1);
                let theirs = &row.cells[at];
                assert!(ours.iter().zip(theirs).all(is_same), "{ours:?}, not {theirs:?}");
                assert_eq!(ours.len(), theirs.len() + 1);
            }
        }
    }
}

#[test]
fn the_label_is_peer_to_peer() {
    let analysis = analyse(&capture());
    assert!(analysis.rows().all(|it| it.group == "peer2peer" && it.label == "bittorrent"));
}

#[test]
fn rightly_computed_they_have_no_gaps_in_one_direction() {
    let cells = cells(features::schema("tractor").unwrap());
    for row in &cells[1..] {
        let of = |name: &str| {
            let column = cells[0].iter().position(|it| it == name).unwrap();
            row[column].as_str()
        };
        assert_eq!((of("total_fiat"), of("min_fiat"), of("std_biat")), ("0", "", ""));
    }
}
