//! The experiment of the source book (chapter 1.3.3) with honest splits: `cargo xtask experiment FOLDER [DOCS]`.
//!
//! Every published feature file of ISCXVPN2016 below the folder, every method, rows divided at random and by blocks; as a
//! page and a picture in the folder `docs`, or in the one named.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]
#![expect(
    clippy::expect_used,
    reason = "a command may end where its files are not as they are published"
)]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use learn::{Data, Method, Options, Plan, Reading, Row, Split, Work};

const N_FOLDS: u32 = 10;
const SECONDS: [u32; 4] = [15, 30, 60, 120];

/// The scenarios: what they are called, their files, and what is told apart.
const SCENARIOS: [(&str, &str, &str); 4] = [
    ("A1", "Scenario_A1/TimeBasedFeatures-Dataset-{}s-VPN.arff", "VPN or not"),
    ("A2", "Scenario_A2/TimeBasedFeatures-Dataset-{}s-NO-VPN.arff", "7 kinds without VPN"),
    ("A2 VPN", "Scenario_A2/TimeBasedFeatures-Dataset-{}s-VPN.arff", "7 kinds in a VPN"),
    ("B", "Scenario_B/TimeBasedFeatures-Dataset-{}s.arff", "14 kinds"),
];

/// What is compared: a method, whether it sees ratios, and what it is called here.
const RUNS: [(Method, bool, &str); 10] = [
    (Method::Blend, true, "blend"),
    (Method::Boosted, true, "boosted"),
    (Method::Forest, true, "forest"),
    (Method::ExtraTrees, true, "extra trees"),
    (Method::Tree, true, "tree"),
    (Method::Forest, false, "forest, 23 columns"),
    (Method::Tree, false, "tree, 23 columns"),
    (Method::Neighbours, false, "neighbours, 23 columns"),
    (Method::Logistic, false, "logistic, 23 columns"),
    (Method::Bayes, false, "Bayes, 23 columns"),
];

/// A file, a way to divide it, and what came of each run.
struct Set {
    scenario: usize,
    seconds: u32,
    is_shuffled: bool,
    data: Arc<Data>,
}

#[derive(Clone, Copy, Default)]
struct Found {
    accuracy: f64,
    macro_f1: f64,
    majority: f64,
    seconds: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, docs) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => {
            (PathBuf::from(folder), PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")))
        }
        [folder, docs] => (PathBuf::from(folder), PathBuf::from(docs)),
        _ => {
            println!("usage: cargo xtask experiment FOLDER [DOCS]");
            return ExitCode::from(2);
        }
    };
    let sets = sets(&folder);
    let found = judge(&sets);
    fs::write(docs.join("experiment.md"), page(&sets, &found)).expect("the page can be written");
    fs::write(docs.join("experiment.svg"), picture(&sets, &found))
        .expect("the picture can be written");
    ExitCode::SUCCESS
}

fn sets(folder: &Path) -> Vec<Set> {
    let mut sets = Vec::new();
    for (scenario, (_, name, _)) in SCENARIOS.iter().enumerate() {
        for seconds in SECONDS {
            let read = |name: &str| {
                let path = folder.join(name.replace("{}", &seconds.to_string()));
                let text = fs::read_to_string(&path).expect("the published file can be read");
                learn::read_table(&text, &path.to_string_lossy(), &Reading::default())
                    .expect("the published file is a table")
                    .data
            };
            let data = read(name);
            let kinds = if scenario == 0 { read(SCENARIOS[3].1) } else { data.clone() };
            for is_shuffled in [true, false] {
                let data = Arc::new(in_blocks(&data, &kinds));
                sets.push(Set { scenario, seconds, is_shuffled, data });
            }
        }
    }
    sets
}

/// The rows with their blocks as captures: ten runs of rows within each of the 14 kinds.
///
/// The files do not say which capture a row is from, but rows of one lie together. Scenario A1 has the rows of B and knows
/// only whether they were in a VPN; the kinds of B say which rows belong together there too.
fn in_blocks(data: &Data, kinds: &Data) -> Data {
    let counts = kinds.counts();
    let mut seen = vec![0; counts.len()];
    let schema = data.schema.expect("published files have a schema of ours");
    let mut blocks = Data::of_schema(schema, data.timeout_micros);
    for number in 0..N_FOLDS {
        blocks.capture(&format!("block {number}"));
    }
    for (at, kind) in kinds.rows().iter().enumerate() {
        let class = kind.class as usize;
        let capture = (seen[class] * u64::from(N_FOLDS) / counts[class]) as u32;
        seen[class] += 1;
        blocks.push(
            data.values(at).iter().copied(),
            data.label(at),
            Row { capture, ..Row::default() },
        );
    }
    blocks
}

/// Every run of every set, on as many threads as there are cores.
fn judge(sets: &[Set]) -> Vec<[Found; RUNS.len()]> {
    let found = Mutex::new(vec![[Found::default(); RUNS.len()]; sets.len()]);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (set_number, run) = (number / RUNS.len(), number % RUNS.len());
            let Some(set) = sets.get(set_number) else { return };
            let one = judge_one(set, RUNS[run]);
            let (name, what) = (SCENARIOS[set.scenario].0, RUNS[run].2);
            let split = if set.is_shuffled { "shuffled" } else { "blocks" };
            println!(
                "{name} {} s, {split}, {what}: {:.3}, macro F1 {:.3}, {:.1} s",
                set.seconds, one.accuracy, one.macro_f1, one.seconds
            );
            if let Some(slot) = found.lock().expect("no thread panics").get_mut(set_number) {
                slot[run] = one;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    found.into_inner().expect("no thread panics")
}

fn judge_one(set: &Set, (method, has_ratios, _): (Method, bool, &str)) -> Found {
    let start = Instant::now();
    let options = Options { has_ratios, ..Options::of(method) };
    let split = if set.is_shuffled { Split::Shuffled } else { Split::Capture };
    let plan = Plan { split: Some(split), folds: N_FOLDS, has_model: false, ..Plan::of(options) };
    let work = Work::new(Arc::clone(&set.data), plan).expect("there are classes and rows");
    let report = work.run().report.expect("it was judged");
    Found {
        accuracy: report.confusion.accuracy(),
        macro_f1: report.confusion.macro_mean().f1,
        majority: report.majority.accuracy(),
        seconds: start.elapsed().as_secs_f64(),
    }
}

const HEADER: &str = "\
# The experiment

What the source book's chapter 1.3.3 does, on the published feature files of ISCXVPN2016 (G. Draper-Gil, A. H. Lashkari,
M. Mamun, A. A. Ghorbani: Characterization of Encrypted and VPN Traffic Using Time-Related Features, ICISSP 2016; Canadian
Institute for Cybersecurity). Written by `cargo xtask experiment FOLDER`.

Every figure is an accuracy over ten folds: each row is judged once, by a model that was not trained on it. What differs is
how rows are divided:

* **shuffled**: at random within each class, as published figures mostly are. Rows of one recording stand on both sides, so
  that a model may know the recording again instead of the application.
* **blocks**: ten runs of rows within each of the 14 kinds. The files do not name their recordings, but rows of one lie
  together; so this comes near to judging by recordings never seen, and is what to expect.

`23 columns` are the published ones. The other rows see 19 ratios of them besides (`crates/learn/src/ratio.rs`): bytes a
packet, packets, the share of the longest gap and so on, which every flow has but no single column says. `majority` always
says the most frequent class.

![Accuracy by blocks and shuffled, for every file](experiment.svg)
";

fn page(sets: &[Set], found: &[[Found; RUNS.len()]]) -> String {
    let mut text = HEADER.to_owned();
    for (scenario, (name, _, what)) in SCENARIOS.iter().enumerate() {
        let _ = writeln!(text, "\n## Scenario {name}: {what}\n");
        let _ = write!(text, "| method |");
        for seconds in SECONDS {
            let _ = write!(text, " {seconds} s shuffled | {seconds} s blocks |");
        }
        let _ = writeln!(text, "\n|---|{}", "---|".repeat(2 * SECONDS.len()));
        let columns: Vec<usize> =
            (0..sets.len()).filter(|it| sets[*it].scenario == scenario).collect();
        for (run, (_, _, what)) in RUNS.iter().enumerate() {
            let _ = write!(text, "| {what} |");
            for set in &columns {
                let best = found[*set].iter().map(|it| it.accuracy).fold(0.0, f64::max);
                let accuracy = found[*set][run].accuracy;
                let mark = if accuracy == best { "**" } else { "" };
                let _ = write!(text, " {mark}{}{mark} |", figure(accuracy));
            }
            text.push('\n');
        }
        let _ = write!(text, "| majority |");
        for set in &columns {
            let _ = write!(text, " {} |", figure(found[*set][0].majority));
        }
        text.push('\n');
    }
    text += "\n## Over all 16 files\n\n| method | shuffled | blocks | macro F1, blocks | lost |\n|---|---|---|---|---|\n";
    for (run, (_, _, what)) in RUNS.iter().enumerate() {
        let mean = |is_shuffled: bool, of: fn(&Found) -> f64| {
            let these = (0..sets.len()).filter(|it| sets[*it].is_shuffled == is_shuffled);
            these.map(|it| of(&found[it][run])).sum::<f64>() / (sets.len() / 2) as f64
        };
        let (shuffled, blocks) = (mean(true, |it| it.accuracy), mean(false, |it| it.accuracy));
        let macro_f1 = mean(false, |it| it.macro_f1);
        let _ = writeln!(
            text,
            "| {what} | {} | {} | {} | {} |",
            figure(shuffled),
            figure(blocks),
            figure(macro_f1),
            figure(shuffled - blocks)
        );
    }
    text
}

/// Three digits without the 0 before the point.
fn figure(of: f64) -> String {
    format!("{of:.3}").trim_start_matches('0').to_owned()
}

/// For each file two lines from the accuracy by blocks to that of shuffled rows: of the published kind of forest, and of the
/// best method here.
fn picture(sets: &[Set], found: &[[Found; RUNS.len()]]) -> String {
    const WIDTH: f64 = 900.0;
    const LEFT: f64 = 130.0;
    const STEP: f64 = 24.0;
    const TOP: f64 = 56.0;
    const FROM: f64 = 0.5;
    let x = |accuracy: f64| LEFT + (accuracy - FROM) / (1.0 - FROM) * (WIDTH - LEFT - 20.0);
    let n = sets.len() / 2;
    let height = TOP + STEP * n as f64 + 24.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\" role=\"img\">\n<title>Accuracy by blocks and shuffled, for every published file</title>\n<style>\n\
         text{{fill:#1f2328}} .grid{{stroke:#8884;stroke-width:1}} .a{{stroke:#8a8f98;fill:#8a8f98}} \
         .b{{stroke:#0b66c3;fill:#0b66c3}}\n@media (prefers-color-scheme: dark){{text{{fill:#e6e8eb}} \
         .b{{stroke:#5aa9ff;fill:#5aa9ff}}}}\n</style>\n"
    );
    let _ = writeln!(
        svg,
        "<circle class=\"b\" cx=\"{LEFT}\" cy=\"14\" r=\"4\"/><text x=\"{}\" y=\"18\">blend with ratios</text>\
         <circle class=\"a\" cx=\"{}\" cy=\"14\" r=\"4\"/><text x=\"{}\" y=\"18\">random forest, 23 columns</text>\
         <text x=\"{}\" y=\"18\">● blocks   ○ shuffled</text>",
        LEFT + 10.0,
        LEFT + 150.0,
        LEFT + 160.0,
        LEFT + 360.0,
    );
    for tenth in 5..=10 {
        let at = x(f64::from(tenth) / 10.0);
        let (top, bottom) = (TOP - 12.0, height - 16.0);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {top}V{bottom}\"/><text x=\"{at:.1}\" y=\"{}\" \
             text-anchor=\"middle\">{:.1}</text>",
            TOP - 18.0,
            f64::from(tenth) / 10.0
        );
    }
    let forest = RUNS.iter().position(|it| it.0 == Method::Forest && !it.1).unwrap_or(0);
    for row in 0..n {
        let (shuffled, blocks) = (&found[2 * row], &found[2 * row + 1]);
        let set = &sets[2 * row];
        let y = TOP + STEP * row as f64 + 8.0;
        let name = format!("{} {} s", SCENARIOS[set.scenario].0, set.seconds);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            LEFT - 12.0,
            y + 4.0
        );
        for (class, run, off) in [("a", forest, 4.0), ("b", 0, -4.0)] {
            let (from, to, y) = (x(blocks[run].accuracy), x(shuffled[run].accuracy), y + off);
            let _ = writeln!(
                svg,
                "<g class=\"{class}\"><path d=\"M{from:.1} {y:.1}H{to:.1}\" stroke-width=\"2\"/><circle cx=\"{from:.1}\" \
                 cy=\"{y:.1}\" r=\"4\"/><circle cx=\"{to:.1}\" cy=\"{y:.1}\" r=\"3.4\" fill=\"none\" stroke-width=\"1.5\"/></g>"
            );
        }
    }
    svg + "</svg>\n"
}
