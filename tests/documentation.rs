//! `docs/features.md` is what the table of columns says.
//!
//! `TRACTOR_ACCEPT=1 cargo test -p tests --test documentation` writes it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

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
    };
    let (n, n_features) = (schema.columns.len(), schema.n_features());
    let idle = schema.idle_micros / 1_000_000;
    writeln!(text, "\n## `{}`\n\n{}.\n", schema.name, capitalised(schema.what.en)).unwrap();
    writeln!(text, "{rows} {n} columns, {n_features} of them features, computed {how}. A gap over {idle} s is idle.\n")
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

#[test]
fn the_documentation_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/features.md");
    if tests::is_accepting() {
        fs::write(&path, documentation()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == documentation(), "{} is out of date", path.display());
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
    ];
    for (name, n_columns, n_features) in sizes {
        let schema = features::schema(name).unwrap();
        assert_eq!((schema.columns.len(), schema.n_features()), (n_columns, n_features), "{name}");
    }
}
