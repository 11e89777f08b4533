//! Every trace of `traces/` gives what is written below its line: flows, sessions with their reasons, features.
//!
//! `TRACTOR_ACCEPT=1 cargo test -p tests` writes what is given now; read the difference. The language is described in
//! `fixtures/trace.rs`; lines `features SCHEMA` and `pieces zeek` ask for these too.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, path::Path};

use engine::{Analysis, Export, Job, Timeout};
use v1::page::{FlowRow, Query, SessionDetail};

fn given(script: &str, capture: &[u8]) -> String {
    let mut job = Job::new("trace", 0);
    job.feed(capture).unwrap();
    let analysis = job.finish(false);
    let mut text = flows(&analysis);
    text += &sessions(&analysis);
    for line in script.lines() {
        if let Some(schema) = line.strip_prefix("features ") {
            text += &features(&analysis, schema);
        }
        if line == "pieces zeek" {
            text += &pieces(&analysis);
        }
    }
    text
}

fn flows(analysis: &Analysis) -> String {
    let mut text = String::new();
    for it in analysis.rows() {
        let state = it.conn_state.as_deref().unwrap_or("-");
        let (packets, bytes) = (
            format!("{}+{}", it.client_packets, it.server_packets),
            format!("{}+{}", it.client_ip_bytes, it.server_ip_bytes),
        );
        writeln!(
            text,
            "flow {}: {} {}:{} > {}:{} {state}, {packets} packets, {bytes} IP bytes, {}: {}",
            it.flow_id,
            it.transport,
            it.client_ip,
            it.client_port,
            it.server_ip,
            it.server_port,
            it.label,
            it.reason
        )
        .unwrap();
    }
    text
}

fn sessions(analysis: &Analysis) -> String {
    let mut text = String::new();
    for session_id in 0.. {
        let answer = analysis.page(&Query::Session { session_id });
        let Ok(session) = serde_json::from_value::<SessionDetail>(answer) else { break };
        let members: Vec<String> = session.flows.iter().map(|it| it.flow_id.to_string()).collect();
        writeln!(text, "session {session_id}: {}", members.join(" ")).unwrap();
        for it in session.links {
            writeln!(
                text,
                "  {} > {} {} {} %: {}",
                it.from, it.to, it.kind, it.percent, it.evidence
            )
            .unwrap();
        }
    }
    text
}

fn features(analysis: &Analysis, schema: &str) -> String {
    let schema = features::schema(schema).unwrap();
    let export = Export::new("csv", Some(schema.name)).unwrap();
    let csv = analysis.export(&export, "trace", Vec::new()).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = rows.next().unwrap();
    let mut text = String::new();
    let what = if schema.rows == features::Rows::Sessions { "session" } else { "flow" };
    for (number, row) in rows.enumerate() {
        for ((column, name), value) in schema.columns.iter().zip(&names).zip(&row) {
            if !column.is_feature() {
                continue;
            }
            let value = if value.is_empty() { "none" } else { value };
            writeln!(text, "{what} {number} {}: {name} {value}", schema.name).unwrap();
        }
    }
    text
}

/// The rows of the pieces that Zeek's times make.
fn pieces(analysis: &Analysis) -> String {
    let mut export = Export::new("jsonl", None).unwrap();
    export.timeout = Timeout::Zeek;
    let out = analysis.export(&export, "trace", Vec::new()).unwrap();
    let mut text = String::new();
    for line in String::from_utf8(out).unwrap().lines() {
        let it: serde_json::Value = serde_json::from_str(line).unwrap();
        let row: FlowRow = serde_json::from_str(line).unwrap();
        writeln!(
            text,
            "piece {}.{}: {}:{} > {}:{} {} {}, {}+{} packets, {} ms",
            row.flow_id,
            it["piece"],
            row.client_ip,
            row.client_port,
            row.server_ip,
            row.server_port,
            row.conn_state.as_deref().unwrap_or("-"),
            row.history.as_deref().unwrap_or("-"),
            row.client_packets,
            row.server_packets,
            (row.time_end_ns - row.time_start_ns) / 1_000_000
        )
        .unwrap();
    }
    text
}

#[test]
fn every_trace_gives_what_is_written_below_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "the traces are gone");
    for path in paths {
        let trace = tests::trace(&fs::read_to_string(&path).unwrap());
        let given = given(&trace.script, &trace.capture);
        if tests::is_accepting() {
            fs::write(&path, trace.script + &given).unwrap();
        } else {
            assert_eq!(given, trace.expected, "{}", path.display());
        }
    }
}
