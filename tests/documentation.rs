//! `docs/features.md` is what the table of columns says, `docs/filter.md` what the table of keys says,
//! `crates/classify/README.md` what the tables of protocols, services and facts say.
//!
//! `TRACTOR_ACCEPT=1 cargo test -p tests --test documentation` writes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use classify::{FACTS, PROTOCOLS, SERVICES, protocol};
use features::{Column, Kind, Rows, SCHEMAS, Sample, Schema, Semantics};

const PREFACE: &str = "\
# Features

Every schema and every column of it, made from the table in `crates/features` by `tests/documentation.rs`. `tractor flows
CAPTURE --format csv --schema NAME` writes them.

* The client is who opened the flow: who sent the first SYN, else who spoke first; after a silence longer than the timeout
  a flow without a connection (anything but TCP) is a new dialogue, whose client is who begins it. In schemas as published
  the client is who sent the first packet of a flow, in all its pieces. In columns of CICFlowMeter the client is `Fwd`, the server `Bwd`.
* Payload is that of the transport, on the wire: without padding of the link, whatever the snap length kept. Packets sent
  again count as packets.
* A gap of more than the schema's threshold is idle and ends an active period; the last period counts too.
* A bulk is a run of at least four packets with payload one way, without payload the other way and without a gap of more than
  a second. A subflow is a part of a flow between gaps of more than a second.
* Where there is nothing to compute a number from there is none: an empty cell in CSV, `?` in ARFF, null in Parquet. The
  column \"of nothing\" tells what a sample without packets gives. The deviation of one number is 0.
* As published means the defects of the data set ISCXVPN2016: −1 for an absent least or greatest, 0 for an absent mean; a
  deviation whose sum of squares starts at −1; active periods that include the idle gap after them, the last one dropped.
  Models that learned from its files need them.
";

const LABELS_PREFACE: &str = "\
# What flows are told by

Every protocol, service and fact, made from the tables in `src/protocol.rs`, `src/service.rs` and `src/fact.rs` by
`tests/documentation.rs`. How well they do is in [`docs/labels.md`](../../docs/labels.md).

* The label of a flow is its service where one is known, else its protocol. Every verdict carries its reason.
* A protocol is told by the payload alone. A port may support what a payload says; by itself it tells nothing.
* Of a flow only those protocols are looked for that its transport and the first bytes of its sides leave open, as the row of
  each says (`src/needs.rs`). The first of them that recognises it names it.
* A source is the document that says what the bytes look like: an RFC, a standard, what the maker published, what others
  wrote down; `(source)` is a program's own code. \"Seen on the wire\" is what no such document is known of: the bytes are
  told by what captures show, which may change with the next version of the program.
* A service is told by names that belong to it, by networks it owns and by how its programs call themselves. A name counts
  with all names below it.
* What carries no more than its transport is called by that (`icmp`), and what carries other flows by its tunnel (`mpls`).
  A flow that nothing tells is `unknown`, unless a model says more.
";

const FILTER_PREFACE: &str = r#"# The filter language

The same in the page's filter box, after `tractor flows --filter`, and in the companion's trainings. The keys below are made
from the table in `crates/engine/src/filter/keys.rs` by `tests/documentation.rs`.

| to find | write |
|---|---|
| everything except HTTP | `-proto:http` or `not proto:http` |
| TCP or UDP | `tcp or udp` |
| flows over 10 MB with fewer than 20 packets | `bytes > 10MB packets < 20` |
| two labels, two ports left out | `(label==vk \|\| label==youtube) && !(port in {80, 8080})` |
| names by a regular expression | `sni matches "^.*\.vk\.com$"` |
| a network | `ip:10.0.0.0/8`, or `10.0.0.0/8` alone |
| a word anywhere | `itunes` |

* Conditions stand side by side and must all hold, with or without `and` or `&&` between them. `or` or `||` separates
  alternatives and binds less; `not`, `!` or `-` before a condition or a parenthesis negates it.
* A condition is a key, an operator and a value. Spaces may stand around an operator, but not before or after `:`. A word
  without an operator is searched for in protocol, label, group, name, state, facts, transport and addresses.
* Values with spaces, parentheses, braces, commas, `||` or `&&` stand in double quotes; a double quote in them is written
  twice. Case does not matter anywhere.
* `:`, `=` and `==` mean the same: a word must be equal, of a text a part is enough, an address must be in the network, a
  number must be equal on either side. `!=` is the opposite; of a text, that the part is not in it. With no value they ask
  whether there is one at all: `ja4:`.
* `contains` wants a part of a word or text. `matches` wants a regular expression to be found in it, as the Rust crate
  `regex-lite` has them: no look-around and no back-references, so that none takes long. `in {a, b}` wants one of the values,
  whole; of numbers there may be ranges: `port in {80, 8000..8100}`. A list of some thousand addresses is one condition.
* What a flow does not have is no less and no more than a number, and differs from every one.
* Bytes have the units b, kB, MB, GB (1000), KiB, MiB, GiB (1024); times ns, us, ms, s, min, h, and seconds without one.
* The names of Wireshark are those of its display filters where they mean the same of a flow. `ip.src` is who opened the flow
  and `ip.dst` who answered, whoever sent a packet. `tcp.port` wants TCP.
* A filter is at most 64 KiB long, with at most 200 conditions in parentheses at most 64 deep.
"#;

/// Name, title and source of each protocol and form.
type Named = (&'static str, &'static str, &'static str);

fn labels_documentation() -> String {
    let mut text = LABELS_PREFACE.to_owned();
    protocols_section(&mut text);
    services_section(&mut text);
    facts_section(&mut text);
    text
}

fn protocols_section(text: &mut String) {
    let rows = PROTOCOLS.iter().map(|it| (it.group, (it.name, it.title, it.source)));
    let forms = protocol::forms().map(|it| (it.group, (it.label, it.title, it.source)));
    let mut groups: BTreeMap<&str, BTreeSet<Named>> = BTreeMap::new();
    for (group, named) in rows.chain(forms) {
        groups.entry(group).or_default().insert(named);
    }
    let all: Vec<&Named> = groups.values().flatten().collect();
    let n_seen = all.iter().filter(|it| it.2.starts_with(protocol::SEEN_ON_THE_WIRE)).count();
    let forms: Vec<String> = protocol::forms().map(|it| format!("`{}`", it.label)).collect();
    writeln!(text, "\n## {} protocols\n", all.len()).unwrap();
    let n_documented = all.len() - n_seen;
    writeln!(text, "{n_documented} of them have such a source, {n_seen} are seen on the wire.")
        .unwrap();
    writeln!(text, "Forms that other protocols are spoken in are {}.", forms.join(", ")).unwrap();
    for (group, named) in &groups {
        writeln!(text, "\n### {group}\n\n| name | what | source |\n|---|---|---|").unwrap();
        for (name, title, source) in named {
            writeln!(text, "| `{name}` | {title} | {source} |").unwrap();
        }
    }
}

/// How many names of a service are listed.
const N_LISTED: usize = 3;

fn services_section(text: &mut String) {
    let groups: BTreeSet<&str> = SERVICES.iter().map(|it| it.group).collect();
    writeln!(text, "\n## {} services", SERVICES.len()).unwrap();
    for group in groups {
        writeln!(text, "\n### {group}\n\n| label | its first names | names | networks | agents |")
            .unwrap();
        writeln!(text, "|---|---|---|---|---|").unwrap();
        let mut services: Vec<_> = SERVICES.iter().filter(|it| it.group == group).collect();
        services.sort_by_key(|it| it.label);
        for it in services {
            let first: Vec<String> =
                it.names.iter().take(N_LISTED).map(|it| format!("`{it}`")).collect();
            let (names, networks, agents) = (it.names.len(), it.networks.len(), it.agents.len());
            writeln!(
                text,
                "| `{}` | {} | {names} | {networks} | {agents} |",
                it.label,
                first.join(", ")
            )
            .unwrap();
        }
    }
}

fn facts_section(text: &mut String) {
    writeln!(text, "\n## {} facts\n\n| key | name | source |\n|---|---|---|", FACTS.len()).unwrap();
    for it in FACTS {
        writeln!(text, "| `{}` | {} | {} |", it.key, it.en, it.source).unwrap();
    }
}

fn filter_documentation() -> String {
    let mut text = FILTER_PREFACE.to_owned();
    let keys = engine::filter_keys();
    writeln!(text, "\n## {} keys\n", keys.len()).unwrap();
    writeln!(text, "| key | also | what | is a | compared by |\n|---|---|---|---|---|").unwrap();
    for it in keys {
        let also: Vec<String> = it.names.iter().skip(1).map(|it| format!("`{it}`")).collect();
        let operators: Vec<String> = it.operators.iter().map(|it| format!("`{it}`")).collect();
        let (also, operators) = (also.join(", "), operators.join(" "));
        writeln!(
            text,
            "| `{}` | {also} | {} | {} | {operators} |",
            it.names[0], it.what[0], it.kind
        )
        .unwrap();
    }
    text
}

fn documentation() -> String {
    let mut text = PREFACE.to_owned();
    for schema in SCHEMAS {
        section(schema, &mut text);
    }
    text
}

fn section(schema: &Schema, text: &mut String) {
    let rows = match schema.rows {
        Rows::Flows => "A row is a flow, or a piece of one that a timeout cut.",
        Rows::Sessions => "A row is a session.",
    };
    let how = match schema.semantics {
        Semantics::Correct => "as defined",
        Semantics::Published => "as published",
        Semantics::Nfstream => "as nfstream does",
    };
    let (n, n_features) = (schema.columns.len(), schema.n_features());
    let idle = match schema.idle_micros {
        i64::MAX => "No gap is idle".to_owned(),
        micros => format!("A gap over {} s is idle", micros / 1_000_000),
    };
    writeln!(text, "\n## `{}`\n\n{}.\n", schema.name, capitalised(schema.what.en)).unwrap();
    writeln!(text, "{rows} {n} columns, {n_features} of them features, computed {how}. {idle}.\n")
        .unwrap();
    writeln!(text, "| column | unit | what | of nothing |\n|---|---|---|---|").unwrap();
    for column in schema.columns {
        let (unit, what) = (column.unit.symbol(), column.english());
        writeln!(text, "| `{}` | {unit} | {what} | {} |", column.name, of_nothing(schema, column))
            .unwrap();
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|it| it.to_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

/// What a column gives where there is no packet.
fn of_nothing(schema: &Schema, column: &Column) -> String {
    match (column.is_feature(), column.number(&Sample::empty(schema.semantics))) {
        (false, _) => String::new(),
        (true, None) => "none".to_owned(),
        (true, Some(number)) => number.to_string().replace('-', "−"),
    }
}

#[track_caller]
fn check(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(file);
    if tests::is_accepting() {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} is out of date", path.display());
}

#[test]
fn the_documentation_is_what_the_table_says() {
    check("docs/features.md", &documentation());
}

#[test]
fn the_keys_of_filters_are_what_the_table_says() {
    check("docs/filter.md", &filter_documentation());
}

#[test]
fn every_filter_in_the_documentation_is_understood() {
    let rows = FILTER_PREFACE.lines().filter(|it| it.starts_with('|')).skip(2);
    let mut n = 0;
    for filter in rows.flat_map(|it| it.split('`').skip(1).step_by(2)) {
        engine::Filter::parse(&filter.replace("\\|", "|")).unwrap();
        n += 1;
    }
    assert!(n > 6, "only {n} filters");
}

#[test]
fn the_list_of_labels_is_what_the_tables_say() {
    check("crates/classify/README.md", &labels_documentation());
}

#[test]
fn every_cell_of_the_list_of_labels_is_one() {
    for line in labels_documentation().lines().filter(|it| it.starts_with('|')) {
        assert!(matches!(line.matches('|').count(), 4 | 6), "{line}");
    }
}

#[test]
fn every_column_is_told_of_in_both_languages() {
    for column in SCHEMAS.iter().flat_map(|it| it.columns) {
        let (english, russian) = (column.english(), column.russian());
        assert!(english.len() > 4 && !english.ends_with('.'), "{}: {english}", column.name);
        assert!(russian.chars().any(|it| ('а'..='я').contains(&it)), "{}: {russian}", column.name);
    }
}

#[test]
fn names_are_different_but_for_the_one_that_is_published_twice() {
    for schema in SCHEMAS {
        let names: BTreeSet<&str> = schema.columns.iter().map(|it| it.name).collect();
        let n_twice = usize::from(schema.name == "cic-2017");
        assert_eq!(names.len() + n_twice, schema.columns.len(), "{}", schema.name);
        let n_labels = schema.columns.iter().filter(|it| it.kind() == Kind::Label).count();
        assert_eq!(n_labels, 1, "{}", schema.name);
    }
}

#[test]
fn schemas_have_as_many_columns_as_what_they_are_named_after() {
    let sizes = [
        ("tractor", 26, 25),
        ("iscx-b", 24, 23),
        ("iscx-a2", 24, 23),
        ("cic", 84, 76),
        ("cic-2017", 85, 77),
        ("nfstream", 64, 57),
    ];
    for (name, n_columns, n_features) in sizes {
        let schema = features::schema(name).unwrap();
        assert_eq!((schema.columns.len(), schema.n_features()), (n_columns, n_features), "{name}");
    }
}
