//! Compares the columns of nfstream with nfstream's own numbers: `cargo run -p tests --example nfstream TABLE`.
//!
//! The table is CSV as nfstream writes it, with a column `capture` before the others: the path of the capture a row is of.
//! Flows are those of the same endpoints, where each side has one of them in the capture; numbers are the same to 1e-9.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]

use std::{collections::BTreeMap, fs, process::ExitCode};

use features::NFSTREAM;
use tests::published;

/// A flow's cells by the names of their columns.
type Row = BTreeMap<String, String>;
/// Rows by protocol and endpoints, whichever way they are.
type Flows = BTreeMap<Vec<String>, Vec<Row>>;

fn main() -> ExitCode {
    let table = std::env::args().nth(1).and_then(|path| fs::read_to_string(path).ok());
    let Some(table) = table else {
        println!("usage: nfstream TABLE");
        return ExitCode::from(2);
    };
    let mut theirs: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows(table.lines().map(cells)) {
        theirs.entry(row.get("capture").cloned().unwrap_or_default()).or_default().push(row);
    }
    let mut compared = Compared::default();
    for (path, rows_of_one) in theirs {
        let Ok(capture) = fs::read(&path) else { continue };
        let ours = rows(published::csv(&capture, &NFSTREAM, None).into_iter());
        compared.compare(&path, by_endpoints(ours), by_endpoints(rows_of_one));
    }
    compared.report();
    ExitCode::SUCCESS
}

fn cells(line: &str) -> Vec<String> {
    line.split(',').map(str::to_owned).collect()
}

fn rows(mut lines: impl Iterator<Item = Vec<String>>) -> Vec<Row> {
    let header = lines.next().unwrap_or_default();
    let row = |cells: Vec<String>| {
        let cells = cells.into_iter().map(|it| it.trim_matches('"').to_owned());
        header.iter().cloned().zip(cells).collect()
    };
    lines.map(row).collect()
}

fn by_endpoints(rows: Vec<Row>) -> Flows {
    let mut flows = Flows::new();
    for row in rows {
        let cell = |name: &str| row.get(name).cloned().unwrap_or_default();
        let mut ends = [
            format!("{} {}", cell("src_ip"), cell("src_port")),
            format!("{} {}", cell("dst_ip"), cell("dst_port")),
        ];
        ends.sort();
        flows.entry([&[cell("protocol")], &ends[..]].concat()).or_default().push(row);
    }
    flows
}

/// How well both agree.
#[derive(Default)]
struct Compared {
    captures: usize,
    /// Flows of ours and theirs, and those that are one.
    flows: [usize; 3],
    /// Of those that are one, how many have as many packets.
    same_packets: usize,
    /// By column: equal values, and others where packets are as many and where they are not.
    columns: BTreeMap<&'static str, [usize; 3]>,
    examples: Vec<String>,
}

impl Compared {
    fn compare(&mut self, path: &str, ours: Flows, theirs: Flows) {
        self.captures += 1;
        self.flows[0] += ours.values().map(Vec::len).sum::<usize>();
        self.flows[1] += theirs.values().map(Vec::len).sum::<usize>();
        for (ends, ours) in ours {
            let ([ours], Some([theirs])) = (&ours[..], theirs.get(&ends).map(|it| &it[..])) else {
                continue;
            };
            self.flows[2] += 1;
            let is_same = |name: &str| {
                let number = |row: &Row| row.get(name).and_then(|it| it.parse::<f64>().ok());
                let both = number(ours).zip(number(theirs));
                both.is_some_and(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0))
            };
            let has_same_packets = is_same("src2dst_packets") && is_same("dst2src_packets");
            self.same_packets += usize::from(has_same_packets);
            for column in NFSTREAM.features() {
                let place = match (is_same(column.name), has_same_packets) {
                    (true, _) => 0,
                    (false, true) => 1,
                    (false, false) => 2,
                };
                self.columns.entry(column.name).or_default()[place] += 1;
                if place == 1 {
                    let cell = |row: &Row| row.get(column.name).cloned().unwrap_or_default();
                    let file = path.rsplit('/').next().unwrap_or(path);
                    let (a, b) = (cell(ours), cell(theirs));
                    self.examples
                        .push(format!("{file} {ends:?} {}: {a}, nfstream {b}", column.name));
                }
            }
        }
    }

    fn report(&self) {
        let [ours, theirs, both] = self.flows;
        println!(
            "{} captures: {ours} flows of ours, {theirs} of nfstream, {both} the same",
            self.captures
        );
        println!("{} of these have as many packets each way", self.same_packets);
        let total = |place: usize| self.columns.values().map(|it| it[place]).sum::<usize>();
        println!(
            "{} values equal, {} not where packets are as many, {} not where they are not",
            total(0),
            total(1),
            total(2)
        );
        for (name, [_, other, _]) in self.columns.iter().filter(|it| it.1[1] > 0) {
            println!("  {name}: {other}");
        }
        let step = (self.examples.len() / 40).max(1);
        self.examples.iter().step_by(step).for_each(|it| println!("  {it}"));
    }
}
