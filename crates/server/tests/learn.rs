//! Learning at the command line: the model is the studio's to the byte, figures come with what they mean, refusals with what
//! was wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use engine::{Filter, Lesson, Rules, Studio, Teacher};
use v1::page::TrainingPlan;

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tractor-learn-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.file(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures").join(name)
}

fn tractor(arguments: &[&str]) -> Output {
    let mut tractor = Command::new(env!("CARGO_BIN_EXE_tractor"));
    tractor.args(arguments).env("LC_ALL", "C").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What a command prints that goes well.
#[track_caller]
fn run(arguments: &[&str]) -> (String, String) {
    let output = tractor(arguments);
    let (out, error) = (text(&output.stdout).to_owned(), text(&output.stderr).to_owned());
    assert_eq!(output.status.code(), Some(0), "{error}");
    (out, error)
}

/// The captures learned from, and their labels.
const CLASSES: &[(&str, &str)] =
    &[("office", "sample.pcapng"), ("tunnel", "tunnels.pcap"), ("file", "ftp.pcap")];

fn classes() -> Vec<String> {
    let class = |it: &(&str, &str)| format!("{}={}", it.0, capture(it.1).to_string_lossy());
    CLASSES.iter().flat_map(|it| ["--class".to_owned(), class(it)]).collect()
}

fn train(model: &str, more: &[&str]) -> (String, String) {
    let classes = classes();
    let mut arguments = vec!["train", "-o", model];
    arguments.extend(classes.iter().map(String::as_str));
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn the_model_is_the_studios_to_the_byte() {
    let folder = Folder::new("bytes");
    for row in learn::METHODS {
        let mut studio = Studio::new(&features::TRACTOR, None);
        for (label, name) in CLASSES {
            let path = capture(name);
            let analysis = reader::analyse(&path, name, &Rules::default(), 1).unwrap();
            let teacher = Teacher::Given((*label).to_owned());
            studio.add(&analysis, name, &Lesson { filter: Filter::default(), teacher }).unwrap();
        }
        let plan = TrainingPlan {
            method: row.name.to_owned(),
            folds: 2,
            seed: 5,
            name: "three".to_owned(),
            sources: vec!["made by hand".to_owned()],
            ..TrainingPlan::default()
        };
        studio.begin(&plan).unwrap();
        while studio.step().is_some() {}
        let model = folder.file(row.name);
        let how = ["--folds", "2", "--seed", "5", "--name", "three", "--source", "made by hand"];
        train(&model, &[&["--method", row.name][..], &how].concat());
        assert!(fs::read(&model).unwrap() == studio.model().unwrap().write(), "{}", row.name);
    }
}

#[test]
fn a_model_is_judged_shown_and_applied() {
    let folder = Folder::new("whole");
    let model = folder.file("small.model");
    let (report, said) = train(&model, &["--method", "tree", "--filter", "-proto:dns"]);
    for expected in
        ["learned file, office, tunnel from", "left out by the filter", "in one capture alone"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    for expected in [
        "always the most frequent class: accuracy",
        "the server's port alone: accuracy",
        "macro mean",
        "calibration error",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    assert!(report.contains("by runs of rows within each class\n"), "{report}");
    assert!(report.contains("rows came of captures that were also learned from"), "{report}");
    let (card, _) = run(&["model", &model]);
    assert!(card.starts_with("model small\nlooks at the 25 features of tractor\n"), "{card}");
    let (json, _) = run(&["model", &model, "--json"]);
    let card: v1::page::ModelCard = serde_json::from_str(&json).unwrap();
    assert_eq!(card.classes.len(), 3);
    let sample = capture("sample.pcapng").to_string_lossy().into_owned();
    let (flows, said) = run(&["classify", &sample, "--model", &model, "--threshold", "0"]);
    assert!(said.contains("flows labelled by the model"), "{said}");
    assert!(flows.contains(r#""evidence":"model","confidence":"#), "no guess");
    assert!(flows.contains(r#""reason":"model small, "#));
    let (csv, _) = run(&[
        "classify",
        &sample,
        "--model",
        &model,
        "--format",
        "csv",
        "--filter",
        "evidence:model",
    ]);
    assert!(csv.starts_with("flow_id,"));
    assert!(csv.lines().count() > 1, "{csv}");
    assert!(csv.lines().skip(1).all(|it| it.contains(",model,")), "{csv}");
    let classes = classes();
    let mut judged = vec!["evaluate", "--model", &*model, "--compare", &*model];
    judged.extend(classes.iter().map(String::as_str));
    let (difference, _) = run(&judged);
    assert!(difference.contains("by small alone 0"), "{difference}");
}

#[test]
fn labels_come_from_a_list_of_captures() {
    let folder = Folder::new("list");
    let list = folder.write("labels.csv", "Capture,Label\nsample.pcapng,office\ntunnels,tunnel\n");
    let [sample, tunnels, ftp] = ["sample.pcapng", "tunnels.pcap", "ftp.pcap"]
        .map(|it| capture(it).to_string_lossy().into_owned());
    let evaluate =
        ["evaluate", &sample, &tunnels, "--label-from", &list, "--method", "bayes", "--json"];
    let (json, _) = run(&evaluate);
    let report: v1::page::TrainingReport = serde_json::from_str(&json).unwrap();
    let labels: Vec<&str> = report.figures.classes.iter().map(|it| &*it.label).collect();
    assert_eq!(labels, ["office", "tunnel"]);
    let output = tractor(&[&evaluate[..], &[&ftp]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("ftp.pcap: the file of labels does not name it"));
}

/// A data set of two classes, one column of which tells them.
fn table() -> String {
    let mut text = "first,second,Label\n".to_owned();
    for it in 0..40 {
        let (first, label) = if it % 2 == 0 { (it, "low") } else { (it + 1_000, "high") };
        text += &format!("{first},{},{label}\n", it % 7);
    }
    text
}

#[test]
fn data_sets_are_learned_from_judged_and_classified() {
    let folder = Folder::new("tables");
    let (table, model) = (folder.write("rows.csv", &table()), folder.file("rows.model"));
    run(&["train", &table, "--method", "tree", "-o", &model]);
    let (rows, _) =
        run(&["classify", &table, "--model", &model, "--format", "csv", "--threshold", "0"]);
    assert_eq!(rows.lines().next(), Some("capture,row,label,said,confidence"));
    assert!(rows.lines().count() > 1, "{rows}");
    assert!(
        rows.lines().skip(1).all(|it| it.contains("low,low") || it.contains("high,high")),
        "{rows}"
    );
    let (methods, _) = run(&["evaluate", &table, "--method", "all", "--folds", "2"]);
    assert!(learn::METHODS.iter().all(|it| methods.contains(it.name)), "{methods}");
    let bare = folder.write("bare.csv", "second,first\n3,7\n4,1021\n");
    let (rows, _) = run(&["classify", &bare, "--model", &model, "--threshold", "0"]);
    assert!(
        rows.contains(r#""label":"","said":"low""#) && rows.contains(r#""said":"high""#),
        "{rows}"
    );
    let other = folder.write("other.csv", "first,Label\n1,low\n2,high\n");
    let output = tractor(&["classify", &other, "--model", &model]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no column `second`"), "{}", text(&output.stderr));
    // Its columns are no features of ours.
    let sample = capture("ftp.pcap").to_string_lossy().into_owned();
    let output = tractor(&["classify", &sample, "--model", &model]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("it can judge tables alone"));
}

#[track_caller]
fn check_refused(arguments: &[&str], expected: &str) {
    let output = tractor(arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::new("refused");
    let (table, model) = (folder.write("rows.csv", &table()), folder.file("no.model"));
    let sample = capture("sample.pcapng").to_string_lossy().into_owned();
    check_refused(&["train", &sample, "-o", &model], "at least two classes are needed");
    check_refused(&["train", &table, "--set", "neighbours=3", "-o", &model], "has no `neighbours`");
    check_refused(&["train", &table, "--set", "trees=none", "-o", &model], "KNOB=NUMBER");
    check_refused(&["evaluate", &table, "--split", "capture"], "by capture");
    check_refused(&["model", &table], "this is no model of TrActor");
    check_refused(&["classify", &sample, &table, "--model", &table], "this is no model");
    check_refused(&["evaluate", &table, "--label-from", "nobody"], "neither file, folder");
    assert!(!Path::new(&model).exists());
}
