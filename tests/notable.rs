//! What is worth a look, and what only looks so; each filter finds the flows it is said to find, and no others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, path::Path};

use engine::{Analysis, Filter, Job};
use v1::{
    Notable, Severity,
    page::{Breakdown, HostDetail, Layer, Overview, Query, SeriesBy, TrafficTimeline},
};

fn analysed(capture: &[u8]) -> Analysis {
    let mut job = Job::new("trace", 0);
    // What can be read of a damaged capture is enough.
    let _ = job.feed(capture);
    job.finish(false)
}

fn flows(analysis: &Analysis, filter: &str) -> u64 {
    analysis.passing(&Filter::parse(filter).unwrap()).len() as u64
}

/// The codes found in a trace, each with how many flows; the filters are checked.
fn found(script: &str) -> Vec<(String, u64)> {
    let analysis = analysed(&tests::trace(script).capture);
    let rows = &analysis.notable().rows;
    for it in rows {
        assert_eq!(flows(&analysis, &it.filter), it.flows, "{}", it.filter);
    }
    rows.iter().map(|it| (it.code.clone(), it.flows)).collect()
}

#[track_caller]
fn check(script: &str, expected: &[(&str, u64)]) {
    let found = found(script);
    let found: Vec<(&str, u64)> = found.iter().map(|it| (&*it.0, it.1)).collect();
    assert_eq!(found, expected);
}

/// One SYN and what comes back, for each number: `{n}` stands for the number, `{m}` for a thousand more.
fn repeated(lines: &str, n: u32, seconds: f64) -> String {
    let mut script = String::new();
    for number in 0..n {
        let start = f64::from(number) * seconds;
        for (at, line) in lines.lines().enumerate() {
            let line = line.trim().replace("{n}", &(number + 1).to_string());
            let line = line.replace("{m}", &(number + 1_001).to_string());
            writeln!(script, "{:.3} {line}", start + at as f64 * 0.01).unwrap();
        }
    }
    script
}

const REFUSED: &str = "tcp 10.0.0.7:4{m} > 10.0.0.9:{n} S\ntcp 10.0.0.9:{n} > 10.0.0.7:4{m} RA";
const UNANSWERED: &str = "tcp 10.0.0.7:4{m} > 10.0.1.{n}:445 S";
const ANSWERED: &str = "tcp 10.0.0.7:4{m} > 10.0.0.9:{n} S\n\
    tcp 10.0.0.9:{n} > 10.0.0.7:4{m} SA\n\
    tcp 10.0.0.7:4{m} > 10.0.0.9:{n} PA \"hello\"\n\
    tcp 10.0.0.9:{n} > 10.0.0.7:4{m} PA \"hello\"";

#[test]
fn closed_doors_of_one_host_are_a_port_scan() {
    check(&repeated(REFUSED, 15, 0.1), &[("W-PORT-SCAN", 15)]);
    check(&repeated(REFUSED, 14, 0.1), &[]);
    // Whoever is let in works there.
    check(&repeated(ANSWERED, 40, 0.1), &[]);
    // With a few open doors it is a scan still.
    let some_open =
        repeated(REFUSED, 20, 0.1) + &repeated(&ANSWERED.replace(":{n}", ":5{n}"), 5, 0.1);
    check(&some_open, &[("W-PORT-SCAN", 20)]);
}

#[test]
fn closed_doors_of_many_hosts_are_a_sweep() {
    check(&repeated(UNANSWERED, 25, 0.1), &[("W-HOST-SWEEP", 25)]);
    check(&repeated(UNANSWERED, 24, 0.1), &[]);
}

#[test]
fn traces_of_a_path_and_answers_without_questions_are_no_scan() {
    let mut traced = String::new();
    for port in 33_434..33_480 {
        writeln!(traced, "0.1 udp 10.0.0.7:50000 > 192.0.2.9:{port} +32").unwrap();
    }
    check(&traced, &[]);
    let mut answers = String::new();
    for port in 40_000..40_040 {
        writeln!(
            answers,
            "0.1 udp 192.0.2.53:53 > 10.0.0.7:{port} dns! www.example.org 192.0.2.80"
        )
        .unwrap();
    }
    check(&answers, &[]);
}

#[test]
fn a_side_that_speaks_without_an_answer_is_a_capture_of_one_direction() {
    let one_side = "tcp 10.0.0.7:4{m} > 192.0.2.9:8{n} S\n\
        tcp 10.0.0.7:4{m} > 192.0.2.9:8{n} A\n\
        tcp 10.0.0.7:4{m} > 192.0.2.9:8{n} PA +1200";
    check(&repeated(one_side, 30, 0.1), &[("I-ONE-SIDED", 30)]);
    check(&repeated(one_side, 2, 0.1), &[]);
}

#[test]
fn calls_in_regular_intervals_are_told_with_their_interval() {
    let call = "tcp 10.0.0.7:4{m} > 192.0.2.9:443 S\n\
        tcp 192.0.2.9:443 > 10.0.0.7:4{m} SA\n\
        tcp 10.0.0.7:4{m} > 192.0.2.9:443 PA \"GET /news HTTP/1.1\\r\\n\\r\\n\"\n\
        tcp 192.0.2.9:443 > 10.0.0.7:4{m} PA \"HTTP/1.1 204 No Content\\r\\n\\r\\n\"";
    let script = repeated(call, 12, 60.0);
    check(&script, &[("I-BEACON", 12)]);
    let analysis = analysed(&tests::trace(&script).capture);
    let row = &analysis.notable().rows[0];
    assert_eq!(row.parameters[5..], [60_000_000_000.into(), 0.into()]);
    assert_eq!(row.filter, "client:10.0.0.7 server:192.0.2.9 transport:tcp server_port:443");
    // So many in one go are one piece of work; the clock is asked regularly by everybody.
    check(&repeated(call, 12, 0.2), &[]);
}

#[test]
fn secrets_in_clear_are_told_without_themselves() {
    let login = "0.1 tcp 192.0.2.21:21 > 10.0.0.7:4000 PA \"220 FTP ready\\r\\n\"\n\
        0.2 tcp 10.0.0.7:4000 > 192.0.2.21:21 PA \"USER anna\\r\\n\"\n\
        0.3 tcp 192.0.2.21:21 > 10.0.0.7:4000 PA \"331 Password\\r\\n\"\n\
        0.4 tcp 10.0.0.7:4000 > 192.0.2.21:21 PA \"PASS geheim99\\r\\n\"\n";
    check(login, &[("W-PASSWORD", 1)]);
    let analysis = analysed(&tests::trace(login).capture);
    let answer = analysis.page(&Query::Notable { filter: String::new() }).to_string();
    assert!(answer.contains("FTP PASS") && !answer.contains("geheim99"));
    check(&login.replace("anna", "anonymous"), &[]);
}

#[test]
fn names_that_are_not_there_and_names_that_carry_data_are_told() {
    let mut script = String::new();
    for number in 0..24 {
        let name = format!("{:032x}{number:08x}.t.example.com", 7 * number);
        writeln!(script, "{number}.1 udp 10.0.0.7:4{number:03} > 10.0.0.1:53 dns? {name}").unwrap();
    }
    let found = found(&script);
    assert!(found.contains(&("W-LONG-NAMES".to_owned(), 24)), "{found:?}");
    let short = script.lines().map(|it| it.replace(&"0".repeat(20), "")).collect::<Vec<_>>();
    check(&short.join("\n"), &[]);
}

#[test]
fn every_filter_of_the_overview_finds_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let analysis = analysed(&fs::read(&path).unwrap());
        let name = path.display();
        for it in &analysis.notable().rows {
            assert_eq!(flows(&analysis, &it.filter), it.flows, "{name}: {}", it.filter);
        }
        let breakdown: Breakdown =
            serde_json::from_value(analysis.page(&Query::Breakdown { filter: String::new() }))
                .unwrap();
        for it in &breakdown.durations {
            assert_eq!(flows(&analysis, &it.filter), it.flows, "{name}: {}", it.filter);
        }
        let n: u64 = breakdown.durations.iter().map(|it| it.flows).sum();
        assert_eq!(n, analysis.n_flows() as u64, "{name}");
        check_layers(&analysis, &breakdown.layers, analysis.n_flows() as u64, &name.to_string());
    }
}

fn check_layers(analysis: &Analysis, layers: &[Layer], of: u64, name: &str) {
    for it in layers {
        assert_eq!(flows(analysis, &it.filter), it.flows, "{name}: {}", it.filter);
        check_layers(analysis, &it.inside, it.flows, name);
    }
    // A protocol may stand for itself, without a label inside; all else adds up.
    let n: u64 = layers.iter().map(|it| it.flows).sum();
    let is_labels = layers.iter().all(|it| it.kind == "label");
    assert!(n == of || is_labels && n <= of, "{name}: {n} of {of}");
}

#[test]
fn traffic_is_the_same_whatever_it_is_parted_by() {
    let analysis = analysed(&tests::sample());
    let ask = |by, filter: &str| {
        let query = Query::Timeline { bins: 60, by, filter: filter.to_owned() };
        serde_json::from_value::<Option<TrafficTimeline>>(analysis.page(&query)).unwrap()
    };
    let sum = |it: &TrafficTimeline| it.series.iter().flat_map(|it| &it.bytes).sum::<u64>();
    let overview: Overview =
        serde_json::from_value(analysis.page(&Query::Overview { bins: 60, filter: String::new() }))
            .unwrap();
    let by_group = ask(SeriesBy::Group, "").unwrap();
    assert_eq!(by_group, overview.timeline);
    for by in [SeriesBy::Protocol, SeriesBy::Label] {
        let parted = ask(by, "").unwrap();
        assert_eq!(sum(&parted), sum(&by_group));
        assert!(parted.series.len() <= 9 && parted.series.last().unwrap().n_others > 1);
    }
    let dns = ask(SeriesBy::Protocol, "proto:dns").unwrap();
    assert_eq!(dns.series.len(), 1);
    assert_eq!(dns.series[0].name, "dns");
    assert_eq!(ask(SeriesBy::Label, "colour:red"), None);
}

#[test]
fn warnings_come_first() {
    let script = repeated(REFUSED, 15, 0.1)
        + &repeated("udp 10.0.0.8:40000 > 192.0.2.9:9 +9", 1, 1.0)
        + "0.1 tcp 10.0.0.7:4000 > 192.0.2.21:21 PA \"USER a\\r\\nPASS b\\r\\nSYST\\r\\n\"\n";
    let analysis = analysed(&tests::trace(&script).capture);
    let severities: Vec<Severity> = analysis.notable().rows.iter().map(Notable::severity).collect();
    assert!(severities.is_sorted() && severities.len() >= 2);
}

#[test]
fn a_host_card_tells_ports_traffic_and_what_is_worth_a_look() {
    let script = repeated(REFUSED, 15, 0.1) + &repeated(ANSWERED, 1, 60.0).replace(":1 ", ":22 ");
    let analysis = analysed(&tests::trace(&script).capture);
    let ask = |ip: &str| {
        let answer = analysis.page(&Query::Host { ip: ip.to_owned() });
        serde_json::from_value::<HostDetail>(answer).unwrap().card
    };
    let (scanner, scanned) = (ask("10.0.0.7"), ask("10.0.0.9"));
    assert_eq!(scanner.bytes_out, scanned.bytes_in);
    assert_eq!(
        (scanner.packets_out, scanner.packets_in),
        (scanned.packets_in, scanned.packets_out)
    );
    assert_eq!(scanner.network.unwrap().cidr, "10.0.0.0/8");
    for card in [&scanner.notable, &scanned.notable] {
        assert_eq!(card[0].code, "W-PORT-SCAN");
    }
    assert!(scanner.served.is_empty() && scanned.used.is_empty());
    assert_eq!(scanner.used.len(), 16);
    for it in scanner.used.iter().chain(&scanned.served) {
        assert_eq!(flows(&analysis, &it.filter), it.flows, "{}", it.filter);
    }
    // Each attempt is a session of its own; the first ones are shown.
    assert_eq!((scanner.n_sessions, scanner.sessions.len()), (15, 10));
}
