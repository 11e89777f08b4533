//! What the model that comes with the program says of captures made by hand: fixed answers, in `model.txt`.
//!
//! After `cargo xtask model`, `TRACTOR_ACCEPT=1 cargo test -p tests --test model` writes them anew; read the difference.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use engine::{Applying, Job};
use learn::{DEFAULT_THRESHOLD, default_model};

/// What each protocol of a capture is called, and how sure the model is.
fn said(capture: &[u8]) -> String {
    let mut job = Job::new("made", 0);
    job.feed(capture).unwrap();
    let mut analysis = job.finish(false);
    let protocols: Vec<String> = analysis.rows().map(|it| it.protocol).collect();
    let how = Applying { threshold: DEFAULT_THRESHOLD, over_payload: true };
    analysis.apply(&Arc::new(default_model()), &how).unwrap();
    let rows = protocols.iter().zip(analysis.rows());
    let mut lines: Vec<String> = rows
        .map(|(protocol, it)| {
            let said = if it.evidence == "model" { &*it.label } else { "-" };
            let sure = it.confidence.map_or(String::new(), |it| format!(", {it} %"));
            format!("{protocol}: {said}{sure}")
        })
        .collect();
    lines.sort();
    let mut text = String::new();
    for alike in lines.chunk_by(|a, b| a == b) {
        writeln!(text, "{} × {}", alike.len(), alike[0]).unwrap();
    }
    text
}

#[test]
fn what_it_says_of_an_office_is_fixed() {
    let given = said(&tests::sample());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("model.txt");
    if tests::is_accepting() {
        fs::write(&path, &given).unwrap();
    }
    assert_eq!(given, fs::read_to_string(&path).unwrap());
}

#[test]
fn its_card_tells_the_file_that_is_there() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/model.md");
    let card = fs::read_to_string(docs).unwrap();
    let bytes = default_model().write();
    assert!(card.contains(&format!("{} bytes", bytes.len())));
    for class in default_model().classes() {
        assert!(card.contains(&format!("\n| {class} |")), "{class}");
    }
}
