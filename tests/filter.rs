//! Filters over a whole capture find what a look at every row finds, and what is suggested is what occurs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::LazyLock};

use engine::{Analysis, Filter, Job};
use v1::page::{FlowRow, FlowSort, Flows, Query, SuggestionKind, Suggestions, Wrong};

static SAMPLE: LazyLock<Analysis> = LazyLock::new(|| {
    let mut job = Job::new("sample.pcapng", 0);
    job.feed(&tests::sample()).unwrap();
    job.finish(false)
});

/// The filter lets through what the test does, and that is something and not everything.
#[track_caller]
fn check(filter: &str, test: impl Fn(&FlowRow) -> bool) {
    let found = SAMPLE.passing(&Filter::parse(filter).unwrap());
    let expected: Vec<u32> = SAMPLE.rows().filter(test).map(|it| it.flow_id).collect();
    assert_eq!(found, expected, "{filter}");
    assert!(!found.is_empty() && found.len() < SAMPLE.n_flows(), "{filter}: {}", found.len());
}

fn bytes(row: &FlowRow) -> u64 {
    row.client_bytes + row.server_bytes
}

#[test]
fn what_people_ask_for_is_what_they_get() {
    check("-proto:http", |it| it.protocol != "http");
    check("transport:tcp or transport:udp", |it| ["tcp", "udp"].contains(&&*it.transport));
    check("bytes > 2kB packets < 20", |it| {
        bytes(it) > 2_000 && it.client_packets + it.server_packets < 20
    });
    check("(label==vk || label==youtube) && !(port in {80, 8080})", |it| {
        let is_web = |port| port == 80 || port == 8080;
        ["vk", "youtube"].contains(&&*it.label)
            && !is_web(it.client_port)
            && !is_web(it.server_port)
    });
    check(r#"sni matches "^.*\.vk\.com$""#, |it| {
        it.domain_name.as_ref().is_some_and(|it| it.ends_with(".vk.com"))
    });
    check("tcp.port == 443", |it| {
        it.transport == "tcp" && (it.client_port == 443 || it.server_port == 443)
    });
    check("tcp.flags.reset", |it| {
        it.transport == "tcp" && it.history.as_ref().is_some_and(|it| it.contains(['R', 'r']))
    });
    check("dns.qry.name contains vk", |it| {
        it.protocol == "dns" && it.domain_name.as_ref().is_some_and(|it| it.contains("vk"))
    });
}

fn suggest(filter: &str, limit: u32) -> Suggestions {
    let query = Query::Suggest { filter: filter.to_owned(), at: filter.len() as u32, limit };
    serde_json::from_value(SAMPLE.page(&query)).unwrap()
}

/// The values suggested are those the rows have, with how many flows have each, most first.
#[track_caller]
fn check_values(filter: &str, of: impl Fn(&FlowRow) -> Vec<String>) {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in SAMPLE.rows() {
        let mut values = of(&row);
        values.dedup();
        values.into_iter().for_each(|it| *counts.entry(it).or_default() += 1);
    }
    let said = suggest(filter, 200);
    assert_eq!(said.of, SuggestionKind::Value);
    let rows: BTreeMap<String, u64> = said
        .rows
        .iter()
        .map(|it| (it.text.trim_matches('"').to_owned(), it.count.unwrap()))
        .collect();
    assert!(rows.len() > 1 && rows.iter().all(|it| counts.get(it.0) == Some(it.1)), "{rows:?}");
    assert_eq!(rows.len(), counts.len().min(200));
    assert!(said.rows.is_sorted_by_key(|it| std::cmp::Reverse(it.count)));
}

#[test]
fn the_values_that_occur_are_suggested() {
    check_values("label:", |it| vec![it.label.clone()]);
    check_values("-transport==", |it| vec![it.transport.clone()]);
    check_values("a (state:", |it| it.conn_state.clone().into_iter().collect());
    check_values("ip.addr == ", |it| vec![it.client_ip.clone(), it.server_ip.clone()]);
    check_values("server_port in {80, ", |it| vec![it.server_port.to_string()]);
    check_values("agent:", |it| it.user_agent.clone().into_iter().collect());
}

#[test]
fn values_come_by_their_beginning_and_can_be_taken_as_they_are() {
    let said = suggest("port:443 label:v", 200);
    assert_eq!((said.start, said.end), (15, 16));
    assert_eq!(said.rows[0].text, "vk");
    assert!(said.rows.iter().all(|it| it.text.contains('v')));
    assert_eq!(suggest("label:", 3).rows.len(), 3);
    for key in ["label", "agent", "sni", "ip", "port", "evidence", "shape", "transport", "state"] {
        for row in suggest(&format!("{key}:"), 50).rows {
            let filter = Filter::parse(&format!("{key}:{}", row.text)).unwrap();
            // A part of a text is enough, so that more may pass.
            assert!(
                SAMPLE.passing(&filter).len() as u64 >= row.count.unwrap(),
                "{key}:{}",
                row.text
            );
        }
    }
}

#[test]
fn what_is_wrong_is_said_beside_the_suggestions_and_in_the_table() {
    let said = suggest("labl:vk por", 5);
    assert_eq!(said.error.as_ref().unwrap().wrong, Wrong::UnknownKeyLike);
    assert_eq!(said.rows[0].text, "port:");
    assert_eq!(suggest("port:443", 5).error, None);
    let table = |filter: &str, timeout: &str| {
        let query = Query::Flows {
            filter: filter.to_owned(),
            timeout: timeout.to_owned(),
            sort: FlowSort::Start,
            is_descending: false,
            offset: 0,
            len: 1,
        };
        let flows: Flows = serde_json::from_value(SAMPLE.page(&query)).unwrap();
        flows.filter_error
    };
    assert_eq!(table("labl:vk", "none"), Filter::parse("labl:vk").err());
    assert_eq!(table("", "soon").unwrap().wrong, Wrong::Timeout);
    assert_eq!(table("label:vk", "none"), None);
}

#[test]
fn hostile_questions_are_answered() {
    for filter in ["(".repeat(60_000), "a".repeat(70_000), "label:\"".repeat(2_000), "ё".repeat(9)]
    {
        for at in [0, 1, 3, filter.len() as u32 / 2, u32::MAX] {
            let query = Query::Suggest { filter: filter.clone(), at, limit: u32::MAX };
            let said: Suggestions = serde_json::from_value(SAMPLE.page(&query)).unwrap();
            assert!(said.rows.len() <= 200 && said.start <= said.end);
        }
    }
}
