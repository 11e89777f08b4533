//! Every frame of a capture is accounted for, and the flows hold the bytes that the account says they hold.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddr};

use engine::{Analysis, Job, Rules};
use tests::{Talk, made};
use v1::{Parameter, Severity, page::FlowRow};

fn analysed(file_name: &str, bytes: &[u8]) -> Analysis {
    let mut job = Job::new(file_name, 0);
    // What is wrong with a capture is in its reading.
    let _ = job.feed(bytes);
    job.finish(false)
}

#[track_caller]
fn check_sums(file_name: &str, analysis: &Analysis) {
    let account = &analysis.reading().account;
    assert!(account.adds_up(), "{file_name}: {account:?}");
    // A tunnel's frames count once, in the flows inside it.
    let own = |it: FlowRow| it.client_bytes + it.server_bytes - it.carried_bytes;
    let bytes: u64 = analysis.rows().map(own).sum();
    assert_eq!(bytes, account.in_flows.wire_bytes, "{file_name}");
}

#[test]
fn every_frame_is_in_one_place_and_every_byte_in_flows_is_in_a_flow() {
    for made in tests::small_captures() {
        check_sums(made.file_name, &analysed(made.file_name, &made.bytes));
    }
    check_sums("sample.pcapng", &analysed("sample.pcapng", &tests::sample()));
}

/// Of flows that nobody answers most are set aside: what is told of them, and what the others have, is all there was.
#[test]
fn what_has_no_room_is_counted() {
    let talk = |n: u32| {
        let client = SocketAddr::new(Ipv4Addr::from_bits(0x0a00_0000 + n).into(), 40_000);
        let server = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 9_999);
        let nanos = 1_700_000_000_000_000_000 + u64::from(n) * 1_000_000_000;
        let mut talk = Talk::between(false, client, server, nanos);
        talk.client([0x91; 30]);
        if n % 100 == 7 {
            talk.server([0x17; 50]);
        }
        talk
    };
    let capture = tests::pcap((0..1_000).map(talk).collect());
    let read = |max_flows, chunk_len| {
        let rules = Rules { max_flows, ..Rules::default() };
        let mut job = Job::with_rules("", 0, &rules);
        capture.chunks(chunk_len).for_each(|it| job.feed(it).unwrap());
        assert_eq!(job.progress().flows, 1_000);
        job.finish(false)
    };
    let analysis = read(Some(200), capture.len());
    let rows: Vec<FlowRow> = analysis.rows().collect();
    let n_answered = rows.iter().filter(|it| it.server_packets > 0).count();
    assert_eq!((rows.len() <= 200, n_answered), (true, 10), "answered flows stay");
    assert!(rows.iter().map(|it| it.flow_id).eq(0..rows.len() as u32));
    let notices = &analysis.reading().notices;
    let aside = notices.iter().find(|it| it.code == "W-FLOWS-ASIDE").unwrap();
    let n_aside = 1_000 - rows.len() as u64;
    let left: u64 = rows.iter().map(|it| it.client_bytes + it.server_bytes).sum();
    let bytes = analysis.reading().account.in_flows.wire_bytes - left;
    let told = [n_aside, n_aside, n_aside, bytes].map(Parameter::Number);
    assert_eq!(aside.parameters, told);
    assert!(rows == read(Some(200), 77).rows().collect::<Vec<_>>(), "chunks do not show");
    check_sums("with room for all", &read(Some(1_000), capture.len()));
}

#[test]
fn a_prefix_of_a_capture_is_accounted_for_too() {
    let bytes = made("mixed.pcapng");
    for len in (0..bytes.len()).step_by(97) {
        check_sums(&format!("mixed.pcapng cut to {len}"), &analysed("", &bytes[..len]));
    }
}

/// What is said of a capture, in order.
#[track_caller]
fn check_said(file_name: &str, expected: &[&str]) {
    let analysis = analysed(file_name, &made(file_name));
    let notices = &analysis.reading().notices;
    let said: Vec<&str> = notices.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(said, expected, "{file_name}");
    assert!(notices.is_sorted_by_key(v1::Notice::severity));
    let is_partial = notices.first().is_some_and(|it| it.severity() == Severity::Error);
    assert_eq!(analysis.is_complete(), !is_partial, "{file_name}");
}

#[test]
fn what_was_read_is_told_by_its_code() {
    check_said("ethernet.pcap", &[]);
    check_said("cut-short.pcap", &["E-CUT-SHORT"]);
    check_said("bad-length.pcap", &["E-DAMAGED"]);
    check_said("bad-end.pcap", &["E-BAD-LENGTH"]);
    check_said("archive.tar.gz", &["E-MORE-CAPTURES"]);
    check_said("not-a-capture.pcap", &["E-NOT-A-CAPTURE"]);
    check_said("empty.pcap", &["E-EMPTY"]);
    check_said("header-only.pcap", &["W-NO-FRAMES"]);
    check_said("snapped.pcap", &["W-SHORTENED"]);
    check_said(
        "mixed.pcapng",
        &[
            "E-DAMAGED",
            "W-SHORTENED",
            "W-TIMES",
            "W-ORDER",
            "W-DUPLICATES",
            "W-FRAGMENTS",
            "W-LINK",
            "W-ENCRYPTED",
            "W-MALFORMED",
            "W-DROPPED",
            "I-FRAGMENTS",
            "I-SECRETS",
            "I-COMMENTS",
            "I-COMMENTS",
            "I-BLOCKS",
        ],
    );
}

#[test]
fn a_reading_that_ends_early_says_who_ended_it() {
    let bytes = made("ethernet.pcap");
    let half = || {
        let mut job = Job::new("half", 0);
        job.feed(&bytes[..bytes.len() / 2]).unwrap();
        job
    };
    let codes =
        |it: &Analysis| it.reading().notices.iter().map(|it| it.code.clone()).collect::<Vec<_>>();
    assert_eq!(codes(&half().finish(true)), ["W-STOPPED"]);
    assert_eq!(codes(&half().finish(false)), ["E-CUT-SHORT"]);
    let mut job = half();
    job.interrupt("it went away");
    let analysis = job.finish(false);
    assert_eq!(codes(&analysis), ["E-IO"]);
    assert!(!analysis.is_complete() && analysis.failure().is_none());
}
