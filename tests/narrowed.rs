//! What a filter leaves of the overview, of hosts, sessions and labels: what a count by hand over the rows that pass gives.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use engine::{Analysis, Filter, Job};
use serde_json::Value;
use v1::{
    Notables,
    page::{
        Breakdown, FlowRow, Hosts, LabelRow, Layer, Overview, Query, Sessions, TrafficTimeline,
    },
};

const FILTERS: &[&str] = &[
    "proto:dns",
    "transport:tcp bytes>10kB",
    "label:vk or label:dns",
    "end>=2s start<=9.5s",
    "server_port in {443, 53} -label:vk",
    "client:10.0.0.0/8",
    "flow:7",
];

fn sample() -> Analysis {
    let mut job = Job::new("sample", 0);
    job.feed(&tests::sample()).unwrap();
    job.finish(false)
}

fn ask<T: serde::de::DeserializeOwned>(analysis: &Analysis, query: Query) -> T {
    serde_json::from_value(analysis.page(&query)).unwrap()
}

fn overview(analysis: &Analysis, filter: &str) -> Overview {
    ask(analysis, Query::Overview { bins: 60, filter: filter.to_owned() })
}

fn hosts(analysis: &Analysis, filter: &str, search: &str) -> Hosts {
    let (filter, search) = (filter.to_owned(), search.to_owned());
    ask(analysis, Query::Hosts { filter, search, offset: 0, len: 1_000 })
}

fn sessions(analysis: &Analysis, filter: &str) -> Sessions {
    ask(analysis, Query::Sessions { filter: filter.to_owned(), offset: 0, len: 1_000 })
}

/// The rows that pass, found one by one.
fn passing(analysis: &Analysis, filter: &str) -> Vec<FlowRow> {
    let numbers = analysis.passing(&Filter::parse(filter).unwrap());
    let numbers: BTreeSet<u32> = numbers.into_iter().collect();
    analysis.rows().filter(|it| numbers.contains(&it.flow_id)).collect()
}

fn bytes(row: &FlowRow) -> u64 {
    row.client_bytes + row.server_bytes
}

/// Flows and bytes by what a row is called.
fn counted(rows: &[FlowRow], of: fn(&FlowRow) -> &String) -> BTreeMap<String, (u64, u64)> {
    let mut counts = BTreeMap::new();
    for row in rows {
        let (flows, sum) = counts.entry(of(row).clone()).or_insert((0, 0));
        *flows += 1;
        *sum += bytes(row) - row.carried_bytes;
    }
    counts
}

fn listed(rows: &[LabelRow]) -> BTreeMap<String, (u64, u64)> {
    rows.iter().map(|it| (it.label.clone(), (it.flows, it.bytes))).collect()
}

#[test]
fn the_overview_is_of_the_flows_that_pass() {
    let analysis = sample();
    for filter in FILTERS {
        let rows = passing(&analysis, filter);
        assert!(!rows.is_empty() && rows.len() < analysis.n_flows(), "{filter}");
        let seen = overview(&analysis, filter);
        assert_eq!(seen.flows, rows.len() as u64, "{filter}");
        let sum: u64 = rows.iter().map(|it| bytes(it) - it.carried_bytes).sum();
        assert_eq!(seen.client_bytes + seen.server_bytes, sum, "{filter}");
        let packets: u64 = rows.iter().map(|it| it.client_packets + it.server_packets).sum();
        assert_eq!(seen.packets, Some(packets), "{filter}");
        assert_eq!(seen.time_start_ns, rows.iter().map(|it| it.time_start_ns).min().unwrap());
        assert_eq!(seen.time_end_ns, rows.iter().map(|it| it.time_end_ns).max().unwrap());
        assert_eq!(listed(&seen.labels), counted(&rows, |it| &it.label), "{filter}");
        assert_eq!(listed(&seen.protocols), counted(&rows, |it| &it.protocol), "{filter}");
        let ends: BTreeSet<&String> =
            rows.iter().flat_map(|it| [&it.client_ip, &it.server_ip]).collect();
        assert_eq!(seen.hosts, ends.len() as u64, "{filter}");
        let of: BTreeSet<u32> = rows.iter().map(|it| it.session_id).collect();
        assert_eq!(seen.sessions, of.len() as u64, "{filter}");
        let tcp = rows.iter().filter(|it| it.transport == "tcp").count() as u64;
        assert_eq!(seen.tcp_flows, tcp, "{filter}");
        for statistic in &seen.statistics {
            let n: u64 = statistic.content.iter().map(|it| it.count).sum();
            assert!(n <= seen.flows && n > 0, "{filter}: {}", statistic.title);
        }
        // What was read stays what was read.
        assert_eq!(&seen.reading, analysis.reading());
    }
}

#[test]
fn what_the_overview_links_to_is_what_it_counts() {
    let analysis = sample();
    for filter in FILTERS {
        let within =
            |other: &str| passing(&analysis, &format!("({filter}) ({other})")).len() as u64;
        for it in overview(&analysis, filter).tcp {
            assert_eq!(within(&it.filter), it.flows, "{filter}: {}", it.filter);
        }
        let of = Query::Breakdown { filter: (*filter).to_owned() };
        let breakdown: Breakdown = ask(&analysis, of);
        let n: u64 = breakdown.durations.iter().map(|it| it.flows).sum();
        assert_eq!(n, passing(&analysis, filter).len() as u64, "{filter}");
        for it in &breakdown.durations {
            assert_eq!(within(&it.filter), it.flows, "{filter}: {}", it.filter);
        }
        check_layers(&breakdown.layers, &within);
        let of = Query::Notable { filter: (*filter).to_owned() };
        for it in ask::<Notables>(&analysis, of).rows {
            assert_eq!(within(&it.filter), it.flows, "{filter}: {}", it.filter);
        }
    }
}

fn check_layers(layers: &[Layer], within: &impl Fn(&str) -> u64) {
    for it in layers {
        assert_eq!(within(&it.filter), it.flows, "{}", it.filter);
        check_layers(&it.inside, within);
    }
}

#[test]
fn traffic_over_time_is_that_of_the_flows_within_the_time_of_the_capture() {
    let analysis = sample();
    let whole = overview(&analysis, "").timeline;
    for filter in FILTERS {
        let seen = overview(&analysis, filter);
        let narrowed = seen.timeline;
        assert_eq!((narrowed.start_ns, narrowed.bin_ns), (whole.start_ns, whole.bin_ns));
        let sum = |it: &TrafficTimeline| it.series.iter().flat_map(|it| &it.bytes).sum::<u64>();
        assert_eq!(sum(&narrowed), seen.client_bytes + seen.server_bytes, "{filter}");
        assert!(sum(&narrowed) < sum(&whole), "{filter}");
    }
}

#[test]
fn hosts_are_those_of_the_flows_that_pass_counted_over_these() {
    let analysis = sample();
    for filter in FILTERS {
        let rows = passing(&analysis, filter);
        let mut expected: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
        for row in &rows {
            let client = expected.entry(row.client_ip.clone()).or_default();
            (client.0, client.2) = (client.0 + 1, client.2 + bytes(row));
            if row.client_ip != row.server_ip {
                let server = expected.entry(row.server_ip.clone()).or_default();
                (server.1, server.2) = (server.1 + 1, server.2 + bytes(row));
            }
        }
        let answer = hosts(&analysis, filter, "");
        assert_eq!(answer.matching_flows, rows.len() as u64, "{filter}");
        let found = answer.rows.iter();
        let found = found.map(|it| (it.ip.clone(), (it.client_flows, it.server_flows, it.bytes)));
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected, "{filter}");
        assert!(answer.rows.is_sorted_by_key(|it| std::cmp::Reverse(it.bytes)), "{filter}");
        // Labels are of these flows, too.
        let labels: BTreeSet<&String> = rows.iter().map(|it| &it.label).collect();
        for host in &answer.rows {
            assert!(host.labels.iter().all(|it| labels.contains(it)), "{filter}: {}", host.ip);
        }
        // A search narrows further, and the windows of both are the same list.
        let searched = hosts(&analysis, filter, "10.");
        let expected = answer.rows.iter().filter(|it| {
            it.ip.contains("10.") || it.name.as_ref().is_some_and(|it| it.contains("10."))
        });
        assert!(searched.rows.iter().eq(expected), "{filter}");
    }
}

#[test]
fn sessions_with_a_flow_that_passes_are_shown_whole() {
    let analysis = sample();
    let whole: BTreeMap<u32, _> =
        sessions(&analysis, "").rows.into_iter().map(|it| (it.session_id, it)).collect();
    for filter in FILTERS {
        let mut chosen: BTreeMap<u32, u64> = BTreeMap::new();
        for row in passing(&analysis, filter) {
            *chosen.entry(row.session_id).or_default() += 1;
        }
        let answer = sessions(&analysis, filter);
        assert_eq!(answer.total, chosen.len() as u64, "{filter}");
        assert_eq!(answer.matching_flows, chosen.values().sum::<u64>(), "{filter}");
        assert!(answer.rows.is_sorted_by_key(|it| std::cmp::Reverse(it.flows)), "{filter}");
        for mut row in answer.rows {
            assert_eq!(row.chosen_flows.take(), chosen.remove(&row.session_id), "{filter}");
            assert_eq!(Some(&row), whole.get(&row.session_id), "{filter}");
        }
        assert!(chosen.is_empty(), "{filter}");
    }
}

#[test]
fn a_filter_that_all_pass_changes_nothing() {
    let analysis = sample();
    let all = |filter: &str| {
        let filter = || filter.to_owned();
        let mut answers: Vec<Value> = [
            Query::Overview { bins: 60, filter: filter() },
            Query::Breakdown { filter: filter() },
            Query::Countries { filter: filter() },
            Query::Notable { filter: filter() },
            Query::Hosts { filter: filter(), search: String::new(), offset: 3, len: 20 },
            Query::Hosts { filter: filter(), search: "vk".to_owned(), offset: 0, len: 20 },
            Query::Sessions { filter: filter(), offset: 3, len: 20 },
        ]
        .iter()
        .map(|it| analysis.page(it))
        .collect();
        // What says that there is a filter.
        answers[0].as_object_mut().unwrap().remove("packets");
        for row in answers[6]["rows"].as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("chosen_flows");
        }
        answers
    };
    let whole = all("");
    assert_eq!(all("bytes>=0"), whole);
    assert_eq!(all("  "), whole);
    let rows = whole[4]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 20);
}

#[test]
fn a_filter_that_none_pass_leaves_nothing() {
    let analysis = sample();
    let seen = overview(&analysis, "label:nothing");
    let nothing = Overview {
        packets: Some(0),
        reading: analysis.reading().clone(),
        timeline: seen.timeline.clone(),
        statistics: seen.statistics.clone(),
        ..Overview::default()
    };
    assert_eq!(seen, nothing);
    assert!(seen.statistics.iter().all(|it| it.content.is_empty()));
    assert_eq!(hosts(&analysis, "label:nothing", ""), Hosts::default());
    assert_eq!(sessions(&analysis, "label:nothing"), Sessions::default());
}

#[test]
fn a_filter_that_is_not_understood_is_said_to_be_so() {
    let analysis = sample();
    assert!(overview(&analysis, "(").filter_error.is_some());
    assert!(hosts(&analysis, "(", "").filter_error.is_some());
    assert!(sessions(&analysis, "(").filter_error.is_some());
    for query in [
        Query::Breakdown { filter: "(".to_owned() },
        Query::Countries { filter: "(".to_owned() },
        Query::Notable { filter: "(".to_owned() },
    ] {
        assert_eq!(analysis.page(&query), Value::Null);
    }
}

#[test]
fn what_a_filter_leaves_follows_decisions_and_models() {
    let analysis = sample();
    let first = analysis.rows().find(|it| it.session_id == 0).unwrap().flow_id;
    let filter = format!("session:{}", analysis.rows().next().unwrap().session_id);
    let before = overview(&analysis, &filter).flows;
    let decision = v1::page::Decision::Together { flow_id: first, other_id: 100 };
    analysis.page(&Query::Decide { decision });
    assert!(overview(&analysis, &filter).flows > before);
    analysis.page(&Query::Undo { number: 0 });
    assert_eq!(overview(&analysis, &filter).flows, before);
}
