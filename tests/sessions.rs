//! Sessions: what a user decides of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{Analysis, Job};
use tests::{Random, Talk, pcap, tls};
use v1::page::{Decision, Decisions, Query, SessionDetail};

fn analysed(script: &str) -> Analysis {
    let mut job = Job::new("trace", 0);
    job.feed(&tests::trace(script).capture).unwrap();
    job.finish(false)
}

/// The flows of every session.
fn members(analysis: &Analysis) -> Vec<Vec<u32>> {
    let session = |session_id| {
        let answer = analysis.page(&Query::Session { session_id });
        serde_json::from_value::<SessionDetail>(answer).ok()
    };
    let flows = |it: SessionDetail| it.flows.iter().map(|it| it.flow_id).collect();
    (0..).map_while(session).map(flows).collect()
}

/// A question, its connection, and a connection of somebody else.
const LOOKED_UP: &str = "\
    0.000 udp 10.0.0.7:40001 > 10.0.0.1:53 dns? www.example.org\n\
    0.010 udp 10.0.0.1:53 > 10.0.0.7:40001 dns! www.example.org 192.0.2.80\n\
    0.020 tcp 10.0.0.7:40002 > 192.0.2.80:80 S\n\
    9.000 tcp 10.0.0.8:40003 > 192.0.2.99:99 S\n";

#[test]
fn decisions_are_taken_and_taken_back() {
    let analysis = analysed(LOOKED_UP);
    let ask = |query: Query| serde_json::from_value::<Decisions>(analysis.page(&query)).unwrap();
    let filtered = |filter: &str| analysis.passing(&engine::Filter::parse(filter).unwrap());
    assert_eq!(members(&analysis), [vec![0, 1], vec![2]]);

    let (apart, together) =
        (Decision::Apart { flow_id: 1 }, Decision::Together { flow_id: 1, other_id: 2 });
    let decided = ask(Query::Decide { decision: apart });
    assert_eq!((decided.decisions, decided.sessions), (vec![apart], 3));
    assert_eq!(ask(Query::Decide { decision: together }).sessions, 2);
    assert_eq!(members(&analysis), [vec![0], vec![1, 2]]);
    assert_eq!(filtered("session:1"), [1, 2]);
    let links = |session_id| {
        let answer = analysis.page(&Query::Session { session_id });
        let links = serde_json::from_value::<SessionDetail>(answer).unwrap().links;
        links.into_iter().map(|it| (it.kind, it.evidence)).collect::<Vec<_>>()
    };
    let word = ("user".to_owned(), "you put it together with flow 1".to_owned());
    assert_eq!(links(1), [word]);

    // The first is taken back, the second stays.
    assert_eq!(ask(Query::Undo { number: 0 }).decisions, [together]);
    assert_eq!(members(&analysis), [vec![0, 1, 2]]);
    ask(Query::Undo { number: 0 });
    assert_eq!(members(&analysis), [vec![0, 1], vec![2]]);
    assert_eq!(ask(Query::Decisions), Decisions { sessions: 2, ..Decisions::default() });
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let analysis = analysed(LOOKED_UP);
    let ask = |query: Query| serde_json::from_value::<Decisions>(analysis.page(&query)).unwrap();
    for query in [
        Query::Decide { decision: Decision::Apart { flow_id: 3 } },
        Query::Decide { decision: Decision::Together { flow_id: 1, other_id: 1 } },
        Query::Undo { number: 0 },
    ] {
        let answer = ask(query);
        assert!(answer.is_refused && answer.decisions.is_empty(), "{answer:?}");
    }
    let decision = Decision::Apart { flow_id: 0 };
    let taken = (0..2_000).filter(|_| !ask(Query::Decide { decision }).is_refused).count();
    assert_eq!(taken, 1_000);
}

/// The flows of every session of a script, and the kinds of its reasons.
#[track_caller]
fn check(script: &str, sessions: &[&[u32]], kinds: &[&str]) {
    let analysis = analysed(script);
    assert_eq!(members(&analysis), sessions);
    let mut found: Vec<String> = Vec::new();
    for session_id in 0..sessions.len() as u32 {
        let answer = analysis.page(&Query::Session { session_id });
        let detail: SessionDetail = serde_json::from_value(answer).unwrap();
        found.extend(detail.links.into_iter().map(|it| it.kind));
    }
    assert_eq!(found, kinds);
}

#[test]
fn time_alone_joins_nothing() {
    check(
        "0.000 tcp 10.0.0.7:40000 > 192.0.2.80:443 S\n\
         0.001 tcp 10.0.0.7:50000 > 198.51.100.1:8443 S\n\
         0.002 tcp 10.0.0.7:60000 > 203.0.113.1:25 S\n",
        &[&[0], &[1], &[2]],
        &[],
    );
}

#[test]
fn several_signs_join_what_none_of_them_would() {
    check(
        "0.000 tcp 10.0.0.7:40000 > 192.0.2.80:9100 S\n\
         0.001 tcp 10.0.0.7:40001 > 192.0.2.80:9100 S\n\
         9.000 tcp 10.0.0.8:50000 > 192.0.2.80:9100 S\n",
        &[&[0, 1], &[2]],
        &["alike"],
    );
}

#[test]
fn after_a_minute_of_silence_it_is_another_use() {
    check(
        "0.000 tcp 10.0.0.7:40000 > 192.0.2.80:9100 S\n\
         99.000 tcp 10.0.0.7:40001 > 192.0.2.80:9100 S\n",
        &[&[0], &[1]],
        &[],
    );
}

#[test]
fn what_serves_all_joins_nothing() {
    check(
        "0.000 udp 10.0.0.7:40001 > 10.0.0.1:53 dns? www.example.org\n\
         0.001 udp 10.0.0.7:40002 > 10.0.0.1:53 dns? www.example.com\n\
         0.002 udp 10.0.0.7:40003 > 10.0.0.1:53 dns? www.example.net\n",
        &[&[0], &[1], &[2]],
        &[],
    );
}

#[test]
fn a_port_of_a_client_is_one_programs() {
    check(
        "0.000 udp 10.0.0.7:40001 > 192.0.2.80:5000 +40\n\
         0.500 udp 10.0.0.7:40001 > 198.51.100.9:6000 +40\n\
         0.600 udp 10.0.0.7:40002 > 203.0.113.9:7000 +40\n",
        &[&[0, 1], &[2]],
        &["same socket"],
    );
}

#[test]
fn a_tls_session_is_taken_up_again() {
    const START: u64 = 1_700_000_000_000_000_000;
    // The same numbers, so the same session, for another name at another server.
    let talk = |client: &str, server: &str, name: &str, at: u64, seed| {
        let mut talk = Talk::tcp(client, server, START + at);
        talk.open();
        talk.client(tls::client_hello(&tls::CHROMIUM, name, &["h2"], &mut Random::new(seed)));
        talk
    };
    let talks = vec![
        talk("10.0.0.7:40000", "192.0.2.1:443", "a.example", 0, 5),
        talk("10.0.0.7:50000", "198.51.100.1:8443", "b.example.org", 100_000_000_000, 5),
        talk("10.0.0.8:60000", "198.51.100.1:8443", "b.example.org", 101_000_000_000, 5),
        talk("10.0.0.7:60000", "203.0.113.1:443", "c.example.net", 200_000_000_000, 6),
    ];
    let mut job = Job::new("tls", 0);
    job.feed(&pcap(talks)).unwrap();
    let analysis = job.finish(false);
    assert_eq!(members(&analysis), [vec![0, 1], vec![2], vec![3]]);
    let answer = analysis.page(&Query::Session { session_id: 0 });
    let links = serde_json::from_value::<SessionDetail>(answer).unwrap().links;
    assert_eq!(links[0].kind, "same tls session");
}
