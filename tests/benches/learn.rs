//! How long learning takes and how fast a model speaks, on one core:
//! `TRACTOR_TABLE=FILE.arff cargo bench -p tests --bench learn`; without it rows are made up.
//!
//! Where `PYTHON` names a Python with scikit-learn, its forest learns from the same rows in the same run.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints and fails by panicking"
)]

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use learn::{Data, METHODS, Method, Model, Options, Plan, Reading, Row, Work};
use tests::Random;

/// As scikit-learn is used most: its own options, one core.
const SCRIPT: &str = "
import sys, time, io
import numpy as np
from sklearn.ensemble import RandomForestClassifier
rows = np.genfromtxt(io.StringIO(sys.stdin.read()), delimiter=',')
x, y = np.nan_to_num(rows[:, :-1]).astype(np.float32), rows[:, -1].astype(int)
begun = time.perf_counter()
forest = RandomForestClassifier(100, random_state=1, n_jobs=1).fit(x, y)
learned = time.perf_counter()
forest.predict(x)
said = time.perf_counter()
print(learned - begun, len(y) / (said - learned))
";

fn main() {
    let data = match std::env::var("TRACTOR_TABLE") {
        Ok(path) => {
            let text = std::fs::read_to_string(&path).unwrap();
            learn::read_table(&text, &path, &Reading::default()).unwrap().data
        }
        Err(_) => made_up(),
    };
    let (n, n_columns) = (data.len(), data.columns.len());
    println!("{n} rows of {n_columns} columns, {} classes, one core", data.classes().len());
    let theirs = std::env::var("PYTHON").ok().map(|it| in_python(&it, &data));
    if let Some((seconds, rows)) = theirs {
        println!("scikit-learn's forest of 100: learned in {seconds:.2} s, says {rows:.0} rows/s");
    }
    let data = Arc::new(data);
    for row in METHODS {
        for has_ratios in [false, true] {
            let options = Options { has_ratios, ..Options::of(row.method) };
            let plan = Plan { folds: 0, ..Plan::of(options) };
            let begun = Instant::now();
            let model = Work::new(Arc::clone(&data), plan).unwrap().run().model.unwrap();
            let seconds = begun.elapsed().as_secs_f64();
            let rows = rows_a_second(&model, &data);
            let ratio = match theirs {
                Some(it) if row.method == Method::Forest => {
                    format!(", {:.1} and {:.1} times scikit-learn", it.0 / seconds, rows / it.1)
                }
                _ => String::new(),
            };
            let with = if has_ratios { " with ratios" } else { "" };
            let len = model.write().len();
            println!(
                "{}{with}: learned in {seconds:.2} s, says {rows:.0} rows/s, {len} bytes{ratio}",
                row.name
            );
        }
    }
}

/// How many rows a second a model says something of, at least.
fn rows_a_second(model: &Model, data: &Data) -> f64 {
    // Neighbours take long.
    let n = if model.method() == Method::Neighbours { 1_000.min(data.len()) } else { data.len() };
    let rows: Vec<&[f32]> = (0..n).map(|it| data.values(it)).collect();
    let rounds = (0..3).map(|_| {
        let begun = Instant::now();
        std::hint::black_box(model.say(&rows));
        begun.elapsed().as_secs_f64()
    });
    n as f64 / rounds.fold(f64::INFINITY, f64::min)
}

/// How long scikit-learn's forest learns, and how many rows a second it says something of.
fn in_python(python: &str, data: &Data) -> (f64, f64) {
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    for row in 0..data.len() {
        for value in data.values(row) {
            text += &format!("{value},");
        }
        text += &format!("{}\n", data.rows()[row].class);
    }
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let numbers: Vec<f64> = output.split_whitespace().map(|it| it.parse().unwrap()).collect();
    (numbers[0], numbers[1])
}

/// As many rows as the published file of 15 seconds has, of classes that overlap.
fn made_up() -> Data {
    let mut data = Data::of_columns((0..23).map(|it| format!("column {it}")).collect());
    let mut random = Random::new(1);
    for at in 0..18_758u64 {
        let class = at % 14;
        let mut value = |column: u64| (random.between(0, 999_999) + class * column * 10_000) as f32;
        let values: Vec<f32> = (0..23).map(&mut value).collect();
        data.push(values, &format!("class {class:02}"), Row::default());
    }
    data
}
