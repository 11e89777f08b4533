//! Flows by the country of their ends, as a database of the user's own tells it; without one, the question is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use engine::{Analysis, Countries, Filter, Job};
use v1::page::{CountryTable, FlowRow, Flows, Hosts, Overview, Query, Suggestions, Wrong};

const NETWORKS: &[(&str, &str)] = &[
    ("10.20.0.0/26", "RU"),
    ("203.0.113.0/25", "NO"),
    ("198.51.100.0/24", "SE"),
    ("2001:db8::/33", "FI"),
    ("192.0.2.77/32", "NO"),
];

fn countries() -> Countries {
    Countries::read(tests::mmdb(NETWORKS)).unwrap()
}

fn sample(countries: Option<Countries>) -> Analysis {
    let mut job = Job::new("sample", 0);
    job.feed(&tests::sample()).unwrap();
    let mut analysis = job.finish(false);
    analysis.set_countries(countries.map(Arc::new));
    analysis
}

fn ask<T: serde::de::DeserializeOwned>(analysis: &Analysis, query: Query) -> T {
    serde_json::from_value(analysis.page(&query)).unwrap()
}

fn passing(analysis: &Analysis, filter: &str) -> Vec<u32> {
    analysis.passing(&Filter::parse(filter).unwrap())
}

fn flows(analysis: &Analysis, filter: &str) -> Flows {
    let query = Query::Flows {
        filter: filter.to_owned(),
        timeout: "none".to_owned(),
        sort: v1::page::FlowSort::Start,
        is_descending: false,
        offset: 0,
        len: 1_000,
    };
    ask(analysis, query)
}

#[test]
fn networks_are_found_as_they_were_written() {
    let countries = countries();
    let of = |ip: &str| countries.of(ip.parse().unwrap()).map(str::to_owned);
    assert_eq!(of("10.20.0.0").as_deref(), Some("RU"));
    assert_eq!(of("10.20.0.63").as_deref(), Some("RU"));
    assert_eq!(of("10.20.0.64"), None);
    assert_eq!(of("203.0.113.127").as_deref(), Some("NO"));
    assert_eq!(of("203.0.113.128"), None);
    assert_eq!(of("192.0.2.77").as_deref(), Some("NO"));
    assert_eq!(of("192.0.2.76"), None);
    assert_eq!(of("2001:db8:7fff::1").as_deref(), Some("FI"));
    assert_eq!(of("2001:db8:8000::1"), None);
    assert_eq!(countries.source().kind, "Test-Country");
}

#[test]
fn flows_are_found_by_the_country_of_either_end() {
    let analysis = sample(Some(countries()));
    let countries = countries();
    let of = |ip: &str| countries.of(ip.parse::<IpAddr>().unwrap()).map(str::to_owned);
    let rows: Vec<FlowRow> = analysis.rows().collect();
    let by_hand = |is_such: &dyn Fn(Option<String>, Option<String>) -> bool| {
        let found = rows.iter().filter(|it| is_such(of(&it.client_ip), of(&it.server_ip)));
        found.map(|it| it.flow_id).collect::<Vec<_>>()
    };
    let is = |country: Option<String>, code: &str| country.as_deref() == Some(code);
    for code in ["RU", "NO", "SE", "FI"] {
        let either = by_hand(&|client, server| is(client, code) || is(server, code));
        assert!(either.len() < rows.len());
        assert_eq!(passing(&analysis, &format!("country:{code}")), either, "{code}");
        assert_eq!(passing(&analysis, &format!("country == {}", code.to_lowercase())), either);
        let server = by_hand(&|_, server| is(server, code));
        assert_eq!(passing(&analysis, &format!("server_country:{code}")), server, "{code}");
        let client = by_hand(&|client, _| is(client, code));
        assert_eq!(passing(&analysis, &format!("client_country:{code}")), client, "{code}");
    }
    assert!(!passing(&analysis, "server_country:NO").is_empty());
    assert!(!passing(&analysis, "client_country:RU").is_empty());
    let neither = by_hand(&|client, server| !is(client, "NO") && !is(server, "NO"));
    assert_eq!(passing(&analysis, "country!=NO"), neither);
    assert_eq!(passing(&analysis, "-country:NO"), neither);
    let both = by_hand(&|_, server| is(server.clone(), "NO") || is(server, "SE"));
    assert_eq!(passing(&analysis, "server_country in {NO, SE}"), both);
    let known = by_hand(&|client, server| client.is_some() || server.is_some());
    assert_eq!(passing(&analysis, "country:\"\""), known);
}

#[test]
fn what_the_list_of_countries_counts_is_what_its_filters_find() {
    let analysis = sample(Some(countries()));
    let table: CountryTable = ask(&analysis, Query::Countries { filter: String::new() });
    assert!(table.rows.len() >= 2, "{table:?}");
    for row in &table.rows {
        let filter = format!("country:{}", row.code);
        let found = passing(&analysis, &filter).len() as u64;
        // A flow between two of its addresses has two ends there.
        assert!(found <= row.flows && row.flows <= 2 * found, "{}", row.code);
        assert_eq!(flows(&analysis, &filter).matching, found);
        // Within the filter the country has as many hosts, and others are their peers.
        let within: CountryTable = ask(&analysis, Query::Countries { filter: filter.clone() });
        let same = within.rows.iter().find(|it| it.code == row.code).unwrap();
        assert_eq!(same, row);
        let seen: Overview = ask(&analysis, Query::Overview { bins: 9, filter: filter.clone() });
        assert_eq!(seen.flows, found);
        let hosts = Query::Hosts { filter, search: String::new(), offset: 0, len: 1_000 };
        let hosts: Hosts = ask(&analysis, hosts);
        let there = hosts.rows.iter().filter(|it| it.country.as_ref() == Some(&row.code));
        assert_eq!(there.count() as u64, row.hosts, "{}", row.code);
    }
}

#[test]
fn countries_are_suggested_with_how_many_flows_they_have() {
    let analysis = sample(Some(countries()));
    let filter = "country:";
    let query = Query::Suggest { filter: filter.to_owned(), at: filter.len() as u32, limit: 50 };
    let said: Suggestions = ask(&analysis, query);
    let rows: BTreeMap<String, u64> =
        said.rows.iter().map(|it| (it.text.clone(), it.count.unwrap())).collect();
    assert!(rows.contains_key("NO") && rows.contains_key("RU"), "{rows:?}");
    for (code, n) in rows {
        assert_eq!(passing(&analysis, &format!("country:{code}")).len() as u64, n, "{code}");
    }
}

#[test]
fn without_a_database_nobody_tells_countries() {
    let mut analysis = sample(None);
    let filter = "port:443 country:NO";
    let refused = |analysis: &Analysis| {
        let wrong = |it: Option<v1::page::FilterError>| it.map(|it| (it.start, it.end, it.wrong));
        let query = Query::Overview { bins: 9, filter: filter.to_owned() };
        let seen = wrong(ask::<Overview>(analysis, query).filter_error);
        let query = Query::Suggest { filter: filter.to_owned(), at: 0, limit: 9 };
        assert_eq!(wrong(ask::<Suggestions>(analysis, query).error), seen);
        assert_eq!(wrong(flows(analysis, filter).filter_error), seen);
        seen
    };
    assert_eq!(refused(&analysis), Some((9, 16, Wrong::NoCountries)));
    analysis.set_countries(Some(Arc::new(countries())));
    assert_eq!(refused(&analysis), None);
    let found = flows(&analysis, filter).matching;
    assert!(found > 0);
    // What was found by it goes with it.
    analysis.set_countries(None);
    assert_eq!(refused(&analysis), Some((9, 16, Wrong::NoCountries)));
}
