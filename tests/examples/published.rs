//! Makes the published rows of ISCXVPN2016 again: `cargo xtask published FOLDER`.
//!
//! Every row of one to four packets is made into packets, these into a capture, and the whole engine must give the row's
//! values: all 25 where the files of scenarios A2 and B tell of the same flow, the 23 of every file besides. With
//! `--golden FILE` every 300th row is written down with its packets; `tests/golden.rs` makes those again everywhere.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]
#![expect(
    clippy::expect_used,
    reason = "a command may end where its files are not as they are published"
)]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use features::{ISCX_A2, ISCX_B};
use tests::published::{self, Flow, Golden, Row};

const SECONDS: [u32; 4] = [15, 30, 60, 120];
/// How many rows there are to one of the golden file.
const GOLDEN_STEP: usize = 300;

/// What precedes the rows of the golden file.
const HEADER: &str = "\
# Every 300th row of one to four packets of the data set ISCXVPN2016 (Draper-Gil, Lashkari, Mamun, Ghorbani: Characterization
# of Encrypted and VPN Traffic Using Time-Related Features, ICISSP 2016; Canadian Institute for Cybersecurity), and the
# packets it was made from as far as the row tells. Written by `cargo xtask published FOLDER --golden FILE`.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, golden) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [folder] => (PathBuf::from(folder), None),
        [folder, "--golden", file] => (PathBuf::from(folder), Some(PathBuf::from(file))),
        _ => {
            println!("usage: cargo xtask published FOLDER [--golden FILE]");
            return ExitCode::from(2);
        }
    };
    let (mut n_missed, mut lines) = (0, HEADER.to_owned());
    for seconds in SECONDS {
        let again = Again::new(&folder, seconds);
        n_missed += again.report(&folder);
        for it in again.flows.iter().step_by(GOLDEN_STEP) {
            let Some(flow) = it.flow.clone() else { continue };
            let cells = [&it.b, &it.a2].map(|it| it.cells.clone());
            lines += &Golden { timeout_seconds: seconds, flow, cells }.line();
        }
    }
    if let Some(golden) = golden {
        fs::write(golden, lines).expect("the golden file can be written");
    }
    println!("{n_missed} flows were not made again");
    if n_missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// A row of scenario B, the row of the same flow in A2, and the flow that gives both.
struct Made {
    b: Row,
    a2: Row,
    flow: Option<Flow>,
}

/// What of one timeout was made again.
struct Again {
    seconds: u32,
    flows: Vec<Made>,
}

impl Again {
    fn new(folder: &Path, seconds: u32) -> Self {
        let read = |name: &str| {
            let path = folder.join(name);
            let text = fs::read_to_string(&path);
            published::rows(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        };
        let file = |scenario: &str, kind: &str| {
            format!("Scenario_{scenario}/TimeBasedFeatures-Dataset-{seconds}s{kind}.arff")
        };
        // The same flows are in A2 and in B; what both have tells which are the same.
        let mut in_a2: HashMap<Vec<String>, Row> = HashMap::new();
        for kind in ["-NO-VPN", "-VPN"] {
            for row in read(&file("A2", kind)) {
                in_a2.insert(common(&row, 3), row);
            }
        }
        let mut flows = Vec::new();
        for b in read(&file("B", "")) {
            let a2 = in_a2.get(&common(&b, 1)).expect("every flow of B is in A2").clone();
            if (1..=4).contains(&b.n_packets()) {
                flows.push(Made { b, a2, flow: None });
            }
        }
        let mut again = Self { seconds, flows };
        again.flows.chunks_mut(2_000).for_each(|it| make(it, seconds));
        again
    }

    /// Says of every file how many of its rows were made again; gives how many of B's were not.
    fn report(&self, folder: &Path) -> usize {
        let is_rate = |at: usize| at == 9;
        // In A1's file of 120 s the packet rates are garbage: there its rows are known by the rest.
        let key = |row: &Row, has_rate: bool| -> Vec<String> {
            let cells = row.cells.iter().enumerate();
            cells.filter(|it| has_rate || !is_rate(it.0)).map(|it| it.1.clone()).collect()
        };
        for (scenario, kind) in
            [("A1", "-VPN"), ("A2", "-NO-VPN"), ("A2", "-VPN"), ("B", ""), ("B", "-AllinOne")]
        {
            let seconds = self.seconds;
            let name =
                format!("Scenario_{scenario}/TimeBasedFeatures-Dataset-{seconds}s{kind}.arff");
            let text =
                fs::read_to_string(folder.join(&name)).expect("it is one of the twenty files");
            let rows = published::rows(&text);
            let has_rate = (scenario, seconds) != ("A1", 120);
            let made: HashMap<Vec<String>, bool> = self
                .flows
                .iter()
                .map(|it| {
                    let row = if scenario == "A2" { &it.a2 } else { &it.b };
                    (key(row, has_rate), it.flow.is_some())
                })
                .collect();
            let small: Vec<bool> =
                rows.iter().filter_map(|it| made.get(&key(it, has_rate)).copied()).collect();
            let n_made = small.iter().filter(|it| **it).count();
            println!(
                "{name}: {} rows, {} of one to four packets, {n_made} made again",
                rows.len(),
                small.len()
            );
        }
        let missed: Vec<&Made> = self.flows.iter().filter(|it| it.flow.is_none()).collect();
        println!(
            "{} s: {} of {} flows made again, all 25 values",
            self.seconds,
            self.flows.len() - missed.len(),
            self.flows.len()
        );
        for it in &missed {
            println!("  not: {} {}", it.b.cells.join(","), it.b.label);
        }
        missed.len()
    }
}

/// What a row of A2 and a row of B have in common: all but the sums of A2 and the deviations of B.
fn common(row: &Row, first: usize) -> Vec<String> {
    let cells = &row.cells;
    let parts =
        [&cells[..1], &cells[first..first + 6], &cells[9..], std::slice::from_ref(&row.label)];
    parts.concat()
}

/// Finds the flow of each, by the whole engine.
fn make(all: &mut [Made], seconds: u32) {
    let timeout_micros = i64::from(seconds) * 1_000_000;
    let mut flows = Vec::new();
    for (place, it) in all.iter().enumerate() {
        let totals = [it.a2.number(1) as i64, it.a2.number(2) as i64];
        let candidates = it.b.candidates(totals, timeout_micros);
        flows.extend(candidates.into_iter().map(|flow| (place, flow)));
    }
    let only: Vec<Flow> = flows.iter().map(|it| it.1.clone()).collect();
    let [b, a2] = [&ISCX_B, &ISCX_A2].map(|it| published::cells(&only, it, timeout_micros as u64));
    for (((place, flow), b), a2) in flows.into_iter().zip(&b).zip(&a2) {
        let it = &mut all[place];
        let is_whole = |ours: &[String], theirs: &Row| {
            let cells = &theirs.cells;
            ours.iter().zip(cells).all(|(a, b)| published::is_same(a, b))
        };
        if it.flow.is_none() && is_whole(b, &it.b) && is_whole(a2, &it.a2) {
            it.flow = Some(flow);
        }
    }
}
