//! Rules of the user's: what they say comes before what is built in, but for what only ports say.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use engine::{Job, Library, OwnRules, Rules};
use tests::{Random, Talk, dns, pcap, tls};
use v1::{Request, page::FlowRow};

const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn own(text: &str) -> Arc<OwnRules> {
    Arc::new(OwnRules::read(text).unwrap())
}

/// The flows of these conversations by these rules, in order.
fn flows(talks: Vec<Talk>, text: &str) -> Vec<FlowRow> {
    let rules = Rules { own: own(text), ..Rules::default() };
    let mut job = Job::with_rules("own.pcap", 7, &rules);
    job.feed(&pcap(talks)).unwrap();
    job.finish(false).rows().collect()
}

/// A TLS connection to a server of this name.
fn greeting(server: &str, name: &str, at: u64) -> Talk {
    let mut random = Random::new(at);
    let mut talk = Talk::tcp("10.0.0.1:40000", server, at);
    talk.open();
    talk.client(tls::client_hello(&tls::CHROMIUM, name, &["h2"], &mut random));
    talk.server(tls::server_answer(400, &mut random));
    talk
}

/// A TCP connection that says nothing anyone knows; its client's bytes begin so.
fn noise(server: &str, at: u64, start: &[u8]) -> Talk {
    let mut talk = Talk::tcp("10.0.0.1:40001", server, at);
    talk.open();
    talk.client([start, &Random::new(at).bytes(900)].concat());
    talk
}

fn lookup(name: &str, ip: [u8; 4], at: u64) -> Talk {
    let mut talk = Talk::udp("10.0.0.1:50000", "10.0.0.53:53", at);
    talk.client(dns::query(1, name, dns::kind::A));
    talk.server(dns::answer(1, name, dns::kind::A, &[dns::Record::Address(name, ip.into())]));
    talk
}

#[track_caller]
fn check(row: &FlowRow, protocol: &str, label: &str, evidence: &str, reason: &str) {
    let said = (row.protocol.as_str(), row.label.as_str(), row.evidence.as_str());
    assert_eq!(said, (protocol, label, evidence), "{}", row.reason);
    assert!(row.reason.contains(reason), "{}", row.reason);
}

#[test]
fn a_rule_comes_before_what_is_built_in() {
    let text = "[[rule]]\nlabel = \"our social\"\ngroup = \"social\"\nnames = [\"vk.com\"]";
    let rows = flows(
        vec![
            greeting("192.0.2.1:443", "m.vk.com", START),
            greeting("192.0.2.2:443", "ok.ru", START + SECOND),
            lookup("api.vk.com", [192, 0, 2, 3], START + 2 * SECOND),
        ],
        text,
    );
    let reason = "your rule for our social says so: the name m.vk.com ends in vk.com";
    check(&rows[0], "tls", "our social", "own", reason);
    assert_eq!(rows[0].group, "social");
    check(&rows[1], "tls", "ok", "name", "the name ok.ru belongs to ok");
    check(&rows[2], "dns", "our social", "own", "the name api.vk.com ends in vk.com");
}

#[test]
fn a_name_that_dns_gave_counts_with_bytes_far_behind() {
    let text = "[[rule]]\nlabel = \"backup\"\nnames = [\"nas.example\"]\n\
        bytes = [{ side = \"client\", at = 4, hex = \"de ad\" }, { at = 700, hex = \"be ef\" }]";
    let mut far = vec![0x80; 702];
    far[4..6].copy_from_slice(&[0xde, 0xad]);
    far[700..].copy_from_slice(&[0xbe, 0xef]);
    let rows = flows(
        vec![
            lookup("nas.example", [192, 0, 2, 9], START),
            noise("192.0.2.9:7777", START + SECOND, &far),
            noise("192.0.2.9:7778", START + 2 * SECOND, &far[..600]),
        ],
        text,
    );
    let reason = "the name nas.example ends in nas.example; the bytes at 4 of the client match";
    check(&rows[1], "unknown", "backup", "own", reason);
    check(&rows[2], "unknown", "unknown", "unknown", "");
}

#[test]
fn a_rule_of_ports_alone_labels_only_what_is_unknown() {
    let text = "[[rule]]\nlabel = \"ticker\"\nports = [\"9990-9999\"]\ntransport = \"tcp\"";
    let rows = flows(
        vec![
            greeting("192.0.2.1:9999", "a.example", START),
            greeting("192.0.2.1:9998", "vk.com", START + SECOND),
            noise("192.0.2.1:9997", START + 2 * SECOND, b""),
            noise("192.0.2.1:9989", START + 3 * SECOND, b""),
        ],
        text,
    );
    check(&rows[0], "tls", "tls", "payload", "");
    check(&rows[1], "tls", "vk", "name", "");
    let reason =
        "your rule for ticker says so: the transport is tcp; the server's port is 9997 (a guess)";
    check(&rows[2], "unknown", "ticker", "port", reason);
    check(&rows[3], "unknown", "unknown", "unknown", "");
}

#[test]
fn addresses_and_bytes_decide() {
    let text = "[[rule]]\nlabel = \"plant\"\nnetworks = [\"192.0.2.0/29\"]\n\
        bytes = [{ side = \"client\", hex = \"c0 f? ?e\" }]";
    let rows = flows(
        vec![
            noise("192.0.2.1:5000", START, &[0xc0, 0xff, 0xee]),
            noise("192.0.2.9:5001", START + SECOND, &[0xc0, 0xff, 0xee]),
            noise("192.0.2.1:5002", START + 2 * SECOND, &[0xc0, 0xef, 0xee]),
        ],
        text,
    );
    let reason = "the server's address is in 192.0.2.0/29; the bytes at 0 of the client match";
    check(&rows[0], "unknown", "plant", "own", reason);
    check(&rows[1], "unknown", "unknown", "unknown", "");
    check(&rows[2], "unknown", "unknown", "unknown", "");
}

#[test]
fn own_labels_are_in_the_list_of_labels() {
    let mut library = Library::new();
    let is_listed = |library: &mut Library| {
        let groups = library.answer(&Request::Labels, 0).unwrap();
        let groups: Vec<v1::Label> = serde_json::from_value(groups).unwrap();
        let mail = groups.into_iter().find(|it| it.group_name == "mail").unwrap();
        mail.labels.contains(&"our mail".to_owned())
    };
    assert!(!is_listed(&mut library));
    let text = "[[rule]]\nlabel = \"our mail\"\ngroup = \"mail\"\nnames = [\"mail.example\"]";
    library.set_own_rules(own(text));
    assert!(is_listed(&mut library));
}

#[test]
fn the_example_of_the_documentation_is_read() {
    let documentation = include_str!("../docs/labels.md");
    let example = documentation.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(OwnRules::read(example).map(|it| it.len()), Ok(5));
}

#[test]
fn guesses_can_be_switched_off() {
    // 8.8.0.0/16 holds Google's resolvers; the greeting has no name.
    let talks = || {
        let mut noise = noise("192.0.2.9:9999", START + SECOND, b"\xf1\x07");
        noise.server(Random::new(9).bytes(300));
        vec![greeting("8.8.8.8:443", "", START), noise]
    };
    let rule = "[[rule]]\nlabel = \"by port\"\nports = [9999]";
    let rows = flows(talks(), rule);
    assert_eq!([&*rows[0].evidence, &*rows[1].evidence], ["address", "port"]);
    assert_eq!(rows[1].facts["shape"], "encrypted from the first byte");
    let rows = flows(talks(), &format!("guesses = false\n{rule}"));
    check(&rows[0], "tls", "tls", "payload", "a TLS greeting without a name");
    check(&rows[1], "unknown", "unknown", "unknown", "neither payload nor names tell");
    assert!(rows.iter().all(|it| !it.facts.contains_key("shape")));
    let rows = flows(talks(), "guesses = false");
    assert_eq!(rows[0].evidence, "payload");
}
