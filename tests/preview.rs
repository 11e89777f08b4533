//! What is told of a capture while it is read is so in the end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::Job;
use tests::sample;

#[test]
fn what_is_told_on_the_way_holds_in_the_end() {
    let bytes = sample();
    let mut job = Job::new("sample.pcapng", 7);
    assert_eq!(job.preview(), v1::page::Preview::default());
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    job.feed(first).unwrap();
    let half = job.preview();
    assert!(!half.rows.is_empty() && !half.labels.is_empty());
    job.feed(rest).unwrap();
    let told = job.preview();
    let analysis = job.finish(false);

    let mut rows: Vec<_> = analysis.rows().collect();
    let bytes = |it: &v1::page::FlowRow| it.client_bytes + it.server_bytes;
    assert_eq!(told.client_bytes, rows.iter().map(|it| it.client_bytes).sum::<u64>());
    assert_eq!(told.server_bytes, rows.iter().map(|it| it.server_bytes).sum::<u64>());
    assert_eq!(Some(told.time_start_ns), rows.iter().map(|it| it.time_start_ns).min());
    assert_eq!(Some(told.time_end_ns), rows.iter().map(|it| it.time_end_ns).max());
    assert!(half.client_bytes < told.client_bytes);

    // The largest come first, equal ones by their number.
    rows.sort_by_key(|it| (std::cmp::Reverse(bytes(it)), it.flow_id));
    let sizes = |rows: &[v1::page::FlowRow]| {
        rows.iter().map(|it| (it.flow_id, bytes(it))).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&told.rows), sizes(&rows[..told.rows.len()]));
    assert_eq!(told.rows.len(), 100.min(rows.len()));

    // Each flow is labelled, or waits.
    let labelled: u64 = told.labels.iter().map(|it| it.flows).sum();
    assert!(labelled + told.waiting <= rows.len() as u64);
    assert!(told.labels.len() < 12 || labelled > 0);
    // What says all it can has its label already.
    let known = |label: &str| told.labels.iter().any(|it| it.label == label);
    assert!(known("vk"), "{:?}", told.labels);
}
