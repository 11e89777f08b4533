//! Every frame of a capture is accounted for, and the flows hold the bytes that the account says they hold.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{Analysis, Job};
use tests::made;
use v1::Severity;

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
    let own = |it: v1::page::FlowRow| it.client_bytes + it.server_bytes - it.carried_bytes;
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
