//! What was measured, as text: `docs/speed.md` and the section of `crates/README.md`.

use std::{fs, path::Path};

use anyhow::Context as _;

use super::{
    BASE, Measured, PROGRAMS,
    figures::{Runs, Spread, grouped, number},
    machine,
};

/// Between these lines is the section of `crates/README.md`.
const BEGIN: &str = "<!-- written by `cargo xtask bench` -->";
const END: &str = "<!-- written so far -->";

/// The browser's deeds that others are compared with and that is compared, as `web/tests/bench.rs` names them.
pub(crate) const BARE: &str = "bare reading, slices of 16 MiB";
pub(crate) const WORKER: &str = "the page's worker";

/// How many times the bare reading the worker may take, by capture.
const MOST_TIMES: [f64; 2] = [2.0, 2.5];
/// How fast the worker shall be at least, to the command on one thread.
const LEAST_SHARE: f64 = 0.5;

pub(crate) struct Report<'a> {
    pub(crate) all: &'a [Measured],
    pub(crate) n_rounds: usize,
}

impl Measured {
    /// In millions of bytes.
    pub(crate) fn megabytes(&self) -> f64 {
        self.len as f64 / 1e6
    }

    pub(crate) fn program(&self, name: &str) -> Option<&Runs> {
        self.programs.iter().find(|it| it.name == name && !it.is_empty())
    }

    pub(crate) fn deed(&self, name: &str) -> Option<&Runs> {
        self.browser.iter().find(|it| it.name == name)
    }
}

impl Report<'_> {
    /// `docs/speed.md`.
    pub(crate) fn document(&self) -> String {
        let mut text = format!(
            "# How fast it is\n\n\
             Written by `cargo xtask bench`. {}; the captures lie in the system's cache. Every program reads the same \
             capture, {} times, in turns, each round the other way round; a ratio is within a round. CPU time is that of \
             all threads, the system's included.\n\n\
             ![Megabytes a CPU second, and seconds in Chromium](speed.svg)\n",
            machine(),
            self.n_rounds
        );
        for measured in self.all {
            text += &programs(measured);
        }
        text += &self.stages();
        for measured in self.all {
            text += &browser(measured);
        }
        text += &self.aims();
        text += "\nThe command reads with `--threads 1` but where two are said. Others do other things than ours, which their \
                 rows say. `cargo xtask instructions` counts those of a small capture; what it took before is compared \
                 wherever tests run.\n";
        text
    }

    /// What stages take, of all captures.
    fn stages(&self) -> String {
        if self.all.iter().all(|it| it.stages.is_empty()) {
            return String::new();
        }
        let mut text = "\n## By stage\n\nMilliseconds on one thread, the least of three rounds each; the command reads, \
                        takes apart and finds flows in one go. `cargo run --release -p tests --example stages`.\n\n"
            .to_owned();
        let head: Vec<&str> = self.all.iter().map(|it| &*it.capture).collect();
        text += &row(&["stage"], &head);
        text += &format!("|---|{}\n", "---:|".repeat(head.len()));
        for (at, (stage, _)) in self.all[0].stages.iter().enumerate() {
            let cell = |it: &Measured| {
                let millis = it.stages.get(at).map_or(0.0, |it| it.1);
                let whole = it.stages.last().map_or(f64::NAN, |it| it.1);
                format!("{} · {:.0} %", number(millis), 100.0 * millis / whole)
            };
            let cells: Vec<String> = self.all.iter().map(cell).collect();
            text += &row(&[stage], &cells);
        }
        text
    }

    /// What was aimed at, and what is so.
    fn aims(&self) -> String {
        let mut lines = String::new();
        for (measured, most) in self.all.iter().zip(MOST_TIMES) {
            if let Some(times) = times_bare(measured) {
                let about =
                    format!("{} in Chromium's worker, to the bare reading", measured.capture);
                lines += &aim(&about, &format!("≤ {most}"), times, times.median <= most);
            }
        }
        for measured in self.all {
            if let Some(share) = share_of_native(measured) {
                let about =
                    format!("{} in Chromium's worker, speed to the command's", measured.capture);
                lines += &aim(
                    &about,
                    &format!("≥ {}", number(LEAST_SHARE)),
                    share,
                    share.median >= LEAST_SHARE,
                );
            }
        }
        if lines.is_empty() {
            return lines;
        }
        format!(
            "\n## Aims\n\n| what | aim | median | least to most | |\n|---|---|---:|---:|---|\n{lines}"
        )
    }

    /// Writes the section of a file anew.
    pub(crate) fn write_section(&self, path: &Path) -> anyhow::Result<()> {
        let old = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let new = replaced(&old, &self.section());
        let new = new.with_context(|| format!("{} has no place for it", path.display()))?;
        fs::write(path, new).with_context(|| path.display().to_string())
    }

    /// A few lines for who wants to know how fast it is.
    fn section(&self) -> String {
        let head: Vec<String> = self
            .all
            .iter()
            .map(|it| {
                format!("{} MB, {} packets", grouped(it.len / 1_000_000), grouped(it.n_packets))
            })
            .collect();
        let mut text = row(&[&machine()], &head);
        text += &format!("|---|{}\n", "---:|".repeat(head.len()));
        type Cell = fn(&Measured) -> Option<String>;
        let rows: [(&str, Cell); 8] = [
            ("CPU time of `tractor flows`, to that of ndpiReader", |it| {
                let ratio = it.program(PROGRAMS[0].name)?.ratio(it.program(BASE)?, |it| it.cpu)?;
                Some(spread(ratio))
            }),
            ("megabytes a CPU second", |it| {
                let cpu = it.program(PROGRAMS[0].name)?.spread(|it| it.cpu)?;
                Some(number(it.megabytes() / cpu.median))
            }),
            ("peak memory", |it| Some(mebibytes(it.program(PROGRAMS[0].name)?.memory()))),
            ("two threads, time waited to that of one", |it| {
                let one = it.program(PROGRAMS[0].name)?;
                Some(spread(it.program(PROGRAMS[2].name)?.ratio(one, |it| it.wall)?))
            }),
            ("in Node's WebAssembly, CPU time to the command's", |it| {
                let native = it.program(PROGRAMS[0].name)?;
                Some(spread(it.program(PROGRAMS[4].name)?.ratio(native, |it| it.cpu)?))
            }),
            ("in Chromium's worker, seconds", |it| {
                Some(spread(it.deed(WORKER)?.spread(|it| it.wall)?))
            }),
            ("the same to the bare reading of the file there", |it| times_bare(it).map(spread)),
            ("memory of the worker", |it| Some(mebibytes(it.deed(WORKER)?.memory()))),
        ];
        for (about, cell) in rows {
            let cells: Vec<String> =
                self.all.iter().map(|it| cell(it).unwrap_or_else(|| "–".to_owned())).collect();
            text += &row(&[about], &cells);
        }
        text
    }
}

/// How many times the bare reading the worker takes.
fn times_bare(measured: &Measured) -> Option<Spread> {
    measured.deed(WORKER)?.ratio(measured.deed(BARE)?, |it| it.wall)
}

/// How fast the worker is to the command on one thread that writes nothing: to its seconds of the processor, for it waits for
/// little else. They were not measured in the same rounds.
fn share_of_native(measured: &Measured) -> Option<Spread> {
    let native = measured.program(PROGRAMS[1].name)?.spread(|it| it.cpu)?.median;
    measured.deed(WORKER)?.spread(|it| it.wall).map(|it| Spread {
        least: native / it.most,
        median: native / it.median,
        most: native / it.least,
    })
}

/// What programs took for a capture.
fn programs(measured: &Measured) -> String {
    if measured.programs.iter().all(Runs::is_empty) {
        return String::new();
    }
    let mut text = format!(
        "\n## {}: {} MB, {} packets, {} flows\n\n",
        measured.capture,
        grouped(measured.len / 1_000_000),
        grouped(measured.n_packets),
        grouped(measured.n_flows)
    );
    let has_counts = measured.instructions.iter().any(|it| *it > 0);
    // Where it is missing there is nothing to compare with.
    let base = measured.program(BASE).or(measured.program(PROGRAMS[0].name));
    let base_name = base.map_or("nothing", |it| &it.name);
    let ratio_head = format!("CPU time to {base_name}'s, median");
    let mut head = vec!["who", "does", &ratio_head, "least to most", "MB a CPU second"];
    head.extend(["seconds waited", "peak memory"]);
    if has_counts {
        head.push("instructions, 10⁹");
    }
    text += &row(&head, &[] as &[&str]);
    text += &format!("|---|---|{}\n", "---:|".repeat(head.len() - 2));
    for (at, (program, runs)) in PROGRAMS.iter().zip(&measured.programs).enumerate() {
        let name = if at == 0 { format!("**{}**", program.name) } else { program.name.to_owned() };
        let mut cells = vec![name, program.does.to_owned()];
        match (runs.spread(|it| it.cpu), runs.spread(|it| it.wall)) {
            (Some(cpu), Some(wall)) => {
                let ratio = base.and_then(|it| runs.ratio(it, |it| it.cpu));
                let [median, range] = cells_of(ratio);
                cells.extend([median, range]);
                cells.push(number(measured.megabytes() / cpu.median));
                cells.push(number(wall.median));
                cells.push(mebibytes(runs.memory()));
            }
            _ => {
                let why = runs.fault.as_deref().unwrap_or("not installed");
                cells.extend([why, "", "", "", ""].map(str::to_owned));
            }
        }
        if has_counts {
            cells.push(match measured.instructions[at] {
                0 => "–".to_owned(),
                count => number(count as f64 / 1e9),
            });
        }
        text += &row(&cells, &[] as &[&str]);
    }
    text
}

/// What was measured in the browser of a capture.
fn browser(measured: &Measured) -> String {
    if measured.browser.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n## {} in Chromium's worker\n\nThe worker reads slices of 16 MiB. Seconds from the file to the last answer; the \
         ratio is to bare reading in such slices, within a round. As on the page, it has read the sample before: a browser \
         makes good code only of what has run often.\n\n\
         | what | seconds, median | least to most | to bare reading, median | least to most | memory |\n\
         |---|---:|---:|---:|---:|---:|\n",
        measured.capture
    );
    for runs in &measured.browser {
        let [seconds, range] = cells_of(runs.spread(|it| it.wall));
        let [ratio, ratios] =
            cells_of(measured.deed(BARE).and_then(|it| runs.ratio(it, |it| it.wall)));
        let memory = if runs.memory() > 0 { mebibytes(runs.memory()) } else { "–".to_owned() };
        let name = if runs.name == WORKER { format!("**{WORKER}**") } else { runs.name.clone() };
        text += &row(&[name, seconds, range, ratio, ratios, memory], &[] as &[&str]);
    }
    text
}

fn aim(about: &str, limit: &str, found: Spread, holds: bool) -> String {
    let [median, range] = cells_of(Some(found));
    let verdict = if holds { "holds" } else { "**does not hold**" };
    row(&[about, limit, &median, &range, verdict], &[] as &[&str])
}

/// The median, and the least to the most.
fn cells_of(spread: Option<Spread>) -> [String; 2] {
    match spread {
        Some(it) => [number(it.median), format!("{}–{}", number(it.least), number(it.most))],
        None => ["–".to_owned(), String::new()],
    }
}

/// All three in one cell.
fn spread(it: Spread) -> String {
    format!("{} ({}–{})", number(it.median), number(it.least), number(it.most))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes >> 20))
}

fn row(first: &[impl AsRef<str>], rest: &[impl AsRef<str>]) -> String {
    let cells = first.iter().map(AsRef::as_ref).chain(rest.iter().map(AsRef::as_ref));
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// A text with another section between the marks; nothing where it has no marks.
fn replaced(text: &str, section: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{section}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_changes() {
        let text = format!("# A\n\n{BEGIN}\nold\n{END}\n\n# B\n");
        let expected = format!("# A\n\n{BEGIN}\n\nnew\n\n{END}\n\n# B\n");
        assert_eq!(replaced(&text, "new\n"), Some(expected));
        assert_eq!(replaced("# A\n", "new"), None);
    }
}
