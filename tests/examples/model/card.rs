//! What was found in; what is to be known of the model before it is believed, as a page, out.

use std::{collections::BTreeMap, fmt::Write as _};

use features::BEHAVIOUR;
use learn::{Confusion, DEFAULT_THRESHOLD, KNOBS, Options, Report};
use sha2::{Digest, Sha256};

use crate::{
    judge,
    kinds::{Choice, Example, KINDS, Kind, families},
    rows::{COLLECTIONS, Taken},
};

/// Shares of confidence that figures are told for, in hundredths.
const THRESHOLDS: [u8; 4] = [50, 70, 80, 90];

/// A way that was tried.
pub(crate) struct Tried {
    pub(crate) name: &'static str,
    pub(crate) f1: f64,
    pub(crate) accuracy: f64,
    pub(crate) rows: usize,
    /// Of the model's file, in bytes.
    pub(crate) size: usize,
    pub(crate) confusions: Vec<Confusion>,
}

/// Macro F1 and accuracy with several sets of numbers.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) behaviour: (f64, f64),
    pub(crate) times: (f64, f64),
    pub(crate) both: (f64, f64),
    /// How many published rows were added.
    pub(crate) further: usize,
}

/// What was said of a kind that was not learned: what, how surely, and whether the flow is unlike all that was learned.
pub(crate) struct OpenSet {
    pub(crate) kind: &'static Kind,
    pub(crate) said: Vec<(String, f32, bool)>,
}

/// All that the page tells.
pub(crate) struct Card<'a> {
    pub(crate) taken: &'a [Taken],
    pub(crate) examples: &'a [Example<'a>],
    pub(crate) n_choosing: usize,
    /// What was said of the families set aside.
    pub(crate) accepted: &'a Confusion,
    /// The same by the server's port alone, and by always saying the most frequent kind.
    pub(crate) ports: &'a Confusion,
    pub(crate) majority: &'a Confusion,
    /// Over all families, in five parts.
    pub(crate) report: &'a Report,
    pub(crate) tried: &'a [Tried],
    pub(crate) compared: Option<&'a Compared>,
    pub(crate) open: &'a [OpenSet],
    pub(crate) bytes: &'a [u8],
    pub(crate) options: Options,
    pub(crate) choice: Choice,
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

/// Saying the kind most frequent at the server's port, and elsewhere the most frequent; with `is_blind` always that.
pub(crate) fn by_ports(
    learned: &[&Example<'_>],
    judged: &[&Example<'_>],
    is_blind: bool,
) -> Confusion {
    let all: Vec<&Example<'_>> = learned.iter().chain(judged).copied().collect();
    let classes = judge::classes(&all);
    let mut confusion = Confusion::new(&classes);
    let place =
        |it: &Example<'_>| classes.iter().position(|name| name == it.kind.name).unwrap_or(0);
    let port = |it: &Example<'_>| if is_blind { 0 } else { it.of.port };
    let mut known: BTreeMap<u16, Vec<u64>> = BTreeMap::new();
    let mut total = vec![0u64; classes.len()];
    for it in learned {
        total[place(it)] += 1;
        known.entry(port(it)).or_insert_with(|| vec![0; classes.len()])[place(it)] += 1;
    }
    let most = |of: &[u64]| (0..of.len()).rev().max_by_key(|at| of[*at]);
    for it in judged {
        confusion.add(place(it), most(known.get(&port(it)).unwrap_or(&total)));
    }
    confusion
}

/// Whose captures the model was learned from, a line each, as its file has them.
pub(crate) fn sources(known: &[&Example<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, of) in COLLECTIONS.iter().enumerate() {
        let n = known.iter().filter(|it| it.of.collection == at).count();
        if n > 0 {
            lines.push(format!("{} ({}): {n} flows", of.name, of.licence));
        }
    }
    lines.push(
        "docs/model.md tells what was learned, how it was judged and where it fails".to_owned(),
    );
    lines
}

const PREFACE: &str = "\
# The model that comes with the program

Written by `cargo xtask model CORPUS [ISCX]`, as is the model, `crates/learn/models/behaviour.tractor`. Do not edit it: make it
again.

The model says what kind of traffic a flow is by how it behaves: how much each side says, in which sizes, in turn with whom, for
how long. It knows no addresses, ports, names or payload bytes, and nothing of handshakes, windows or options, which tell the
system a packet is from and not its purpose. It is meant for flows that inspection cannot name, and is asked only where you ask
for it. **It guesses**: a kind it never learned looks like one it did (below), and so does what hides on purpose.
";

impl Card<'_> {
    /// The page.
    pub(crate) fn text(&self) -> String {
        let mut out = PREFACE.to_owned();
        self.tell(&mut out).expect("a text can always be written to");
        out
    }

    fn tell(&self, out: &mut String) -> std::fmt::Result {
        self.summary(out)?;
        self.kinds(out)?;
        self.sources(out)?;
        self.how(out)?;
        self.judged(out)?;
        self.open(out)?;
        self.tried(out)?;
        self.fails(out)
    }

    fn summary(&self, out: &mut String) -> std::fmt::Result {
        let (accepted, cross) = (self.accepted, &self.report.confusion);
        let accuracy = |it: &Confusion| format!("{:.3}", it.accuracy());
        let f1 = |it: &Confusion| format!("{:.3}", it.macro_mean().f1);
        writeln!(
            out,
            "\n| macro F1 (accuracy) | model | most frequent kind | server's port alone |"
        )?;
        writeln!(out, "|---|---|---|---|")?;
        let line =
            |of: [&Confusion; 3]| of.map(|it| format!("{} ({})", f1(it), accuracy(it))).join(" | ");
        let of = [accepted, self.majority, self.ports];
        writeln!(out, "| a quarter of the families, judged once | {} |", line(of))?;
        let ports = self.report.ports.as_ref().unwrap_or(cross);
        let of = [cross, &self.report.majority, ports];
        writeln!(out, "| all families, in five parts | {} |", line(of))?;
        writeln!(
            out,
            "\nOf flows at their usual ports the port tells more than behaviour does. Where ports are unusual it tells \
             nothing, and the model\nis as good as it is: it never sees them."
        )?;
        writeln!(
            out,
            "\n{} columns of the schema `{}` ([features.md](features.md)), {} bytes, SHA-256\n`{}`.",
            BEHAVIOUR.n_features(),
            BEHAVIOUR.name,
            self.bytes.len(),
            sha256(self.bytes)
        )
    }

    fn kinds(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## Kinds\n")?;
        writeln!(
            out,
            "| kind | of flows that speak | rows | families | collections |\n|---|---|---|---|---|"
        )?;
        for kind in KINDS.iter().filter(|it| it.is_learned) {
            self.kind(out, kind)?;
        }
        writeln!(
            out,
            "\nTLS, QUIC and HTTP are the web unless they serve games, mail, name lookups or peer-to-peer programs. Not \
             learned, because they\ncannot be told on families never seen or have too few of them (below), and asked about \
             to see what is said of them:\n"
        )?;
        writeln!(
            out,
            "| kind | of flows that speak | rows | families | collections |\n|---|---|---|---|---|"
        )?;
        for kind in KINDS.iter().filter(|it| !it.is_learned) {
            self.kind(out, kind)?;
        }
        Ok(())
    }

    fn kind(&self, out: &mut String, kind: &Kind) -> std::fmt::Result {
        let rows = self.examples.iter().filter(|it| it.kind.name == kind.name);
        let mut collections: Vec<usize> = rows.clone().map(|it| it.of.collection).collect();
        collections.sort_unstable();
        collections.dedup();
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            kind.name,
            kind.protocols.join(", "),
            rows.clone().count(),
            families(rows).len(),
            collections.len()
        )
    }

    fn sources(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## Data and licences\n")?;
        writeln!(
            out,
            "Captures that others published with their software, under the licence that lies beside them; none is in \
             this repository, and\nno packet can be made again from the model. Flows are those that say what they are and \
             were learned from.\n"
        )?;
        writeln!(
            out,
            "| collection | licence | flows that say what they are | learned from |\n|---|---|---|---|"
        )?;
        for (at, of) in COLLECTIONS.iter().enumerate() {
            let n = self.taken.iter().filter(|it| it.collection == at).count();
            let known = self.examples.iter().filter(|it| it.kind.is_learned);
            let n_learned = known.filter(|it| it.of.collection == at).count();
            let learned = if of.is_used { n_learned.to_string() } else { "left out".to_owned() };
            writeln!(out, "| {} | {} | {n} | {learned} |", of.name, of.licence)?;
        }
        writeln!(
            out,
            "\nBSD, MIT, Apache and the Unlicense let anything made of them be passed on where they are named, which is \
             done here and in the\nmodel's file. The LGPL covers the libraries nDPI and nfstream; numbers measured on their \
             test captures are no part of them\nand link to nothing. Scapy's captures are under the GPL 2.0 alone, and \
             whether a model is a work based on them is not for us\nto decide: left out. The published files of ISCXVPN2016 \
             (Draper-Gil, Lashkari, Mamun, Ghorbani: Characterization of Encrypted\nand VPN Traffic Using Time-Related \
             Features, ICISSP 2016) were compared with and are not in the model.\n\nInputs made to break readers (`fuzz`, \
             `crash`, `overflow` … in their names) are no traffic and left out."
        )
    }

    fn how(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## How\n")?;
        writeln!(
            out,
            "* A flow of TCP or UDP teaches the kind of what it says, of names in it or of a flow that announced it; \
             never that of its\n  address or port. It has at least {} packets with payload.",
            self.choice.min_said
        )?;
        writeln!(
            out,
            "* Rows with the same numbers count once. Captures of one family stay together: those whose names begin \
             with the same letters,\n  in whatever collection, and families that hold the same flow to the microsecond. \
             Of a kind and family at most {} rows are\n  taken; rows of a kind count more the fewer there are.",
            self.choice.cap
        )?;
        writeln!(
            out,
            "* A quarter of the families, by a hash of their names, was set aside for acceptance ({} of {} rows). \
             Kinds, columns and\n  numbers were chosen by the others, in five parts of families, divided {} times. Before the \
             quarter was set\n  aside, first looks at kinds, at the fewest packets and most rows, at methods and at \
             pauses saw all families: it is not wholly unseen.",
            self.report.confusion.total() - self.n_choosing as u64,
            self.report.confusion.total(),
            crate::N_SEEDS
        )?;
        let (mut options, method) = (self.options, self.options.method);
        let numbers = KNOBS.iter().filter(|it| it.of.contains(&method));
        let numbers: Vec<String> =
            numbers.map(|it| format!("{} {}", it.name, (it.number)(&mut options))).collect();
        writeln!(
            out,
            "* Then it was learned from all families: {}; {}.",
            self.options.method.row().title.en.to_lowercase(),
            numbers.join(", ")
        )
    }

    fn judged(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## How well\n\nThe families set aside, of which nothing was learned:\n")?;
        confusion(out, self.accepted)?;
        writeln!(out, "\nAll families, each judged by a model that did not learn from it:\n")?;
        confusion(out, &self.report.confusion)?;
        writeln!(
            out,
            "\nIts confidence is how often it was right with such a share; before that, shares were off by {:.3} in the \
             mean (expected\ncalibration error), over all families:\n",
            self.report.calibration_error
        )?;
        writeln!(out, "| rows | mean share | right |\n|---|---|---|")?;
        for it in &self.report.reliability {
            writeln!(out, "| {} | {:.2} | {:.2} |", it.n, it.share, it.right)?;
        }
        Ok(())
    }

    fn open(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## What it never learned\n")?;
        let shares = THRESHOLDS.map(|it| format!("≥ .{it}")).join(" | ");
        writeln!(
            out,
            "Of flows whose kind was not learned, those that get a label all the same, by the confidence asked for. \
             Right would be none.\nKinds of the model were each left out in turn; flows unlike all rows learned from stay \
             unknown, as the program leaves them.\n"
        )?;
        writeln!(out, "| kind | rows | {shares} | mostly called |\n|---|---|---|---|---|---|---|")?;
        let mut sums = [[(0.0, 0.0); THRESHOLDS.len()]; 2];
        for it in self.open {
            let n = it.said.len() as f64;
            let labelled = THRESHOLDS.map(|least| {
                let least = f32::from(least) / 100.0;
                it.said.iter().filter(|it| it.1 >= least && !it.2).count() as f64
            });
            for (sum, of) in sums[usize::from(it.kind.is_learned)].iter_mut().zip(labelled) {
                *sum = (sum.0 + of, sum.1 + n);
            }
            let cells = labelled.map(|it| format!("{:.2}", it / n)).join(" | ");
            let left_out = if it.kind.is_learned { ", left out" } else { "" };
            let mostly = mostly(&it.said);
            writeln!(
                out,
                "| {}{left_out} | {} | {cells} | {mostly} |",
                it.kind.name,
                it.said.len()
            )?;
        }
        for (name, sums) in ["never learned", "left out in turn"].iter().zip(sums) {
            let cells = sums.map(|it| format!("{:.2}", it.0 / f64::max(it.1, 1.0))).join(" | ");
            writeln!(out, "| all {name} | {} | {cells} | |", sums[0].1)?;
        }
        writeln!(
            out,
            "\nSo its word counts from a confidence of {DEFAULT_THRESHOLD:.2} on (`learn::DEFAULT_THRESHOLD`) unless you say otherwise."
        )?;
        writeln!(out, "\nOf flows of kinds it knows, on families it does not:\n")?;
        writeln!(out, "| confidence | labelled | of these right |\n|---|---|---|")?;
        let said: Vec<(f32, bool)> = self.said();
        for least in THRESHOLDS {
            let labelled = said.iter().filter(|it| it.0 >= f32::from(least) / 100.0);
            let n = labelled.clone().count() as f64;
            let right = labelled.filter(|it| it.1).count() as f64;
            writeln!(
                out,
                "| ≥ .{least} | {:.2} | {:.3} |",
                n / said.len() as f64,
                right / n.max(1.0)
            )?;
        }
        Ok(())
    }

    /// The confidence and whether it was right, of every row judged in parts.
    fn said(&self) -> Vec<(f32, bool)> {
        let known = self.examples.iter().filter(|it| it.kind.is_learned);
        let classes = self.report.confusion.classes();
        let said = known.zip(&self.report.said);
        said.filter_map(|(row, it)| {
            it.map(|it| {
                (it.confidence, classes.get(it.class).is_some_and(|it| it == row.kind.name))
            })
        })
        .collect()
    }

    fn tried(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n## What was tried\n")?;
        writeln!(
            out,
            "By the families that are not for acceptance, in five parts divided {} times; differences below .02 are \
             chance.\n",
            crate::N_SEEDS
        )?;
        writeln!(
            out,
            "| way | macro F1 | accuracy | rows | bytes of the model |\n|---|---|---|---|---|"
        )?;
        for it in self.tried {
            let (f1, accuracy) = (it.f1, it.accuracy);
            writeln!(out, "| {} | {f1:.3} | {accuracy:.3} | {} | {} |", it.name, it.rows, it.size)?;
        }
        if let Some(all) = self.tried.last() {
            writeln!(
                out,
                "\nWith every kind there is, the F1 of each; those learned are the model's:\n"
            )?;
            writeln!(out, "| kind | F1 | learned |\n|---|---|---|")?;
            let classes = all.confusions.first().map_or(&[][..], Confusion::classes);
            for (at, class) in classes.iter().enumerate() {
                let scores = all.confusions.iter().map(|it| it.score(at).f1);
                let f1 = scores.sum::<f64>() / all.confusions.len() as f64;
                let is_learned = KINDS.iter().any(|it| it.is_learned && it.name == class);
                writeln!(out, "| {class} | {f1:.2} | {} |", if is_learned { "yes" } else { "no" })?;
            }
        }
        let Some(compared) = self.compared else { return Ok(()) };
        writeln!(
            out,
            "\nThe published time features of ISCXVPN2016 (`iscx-b`, flows cut at 15 s, the mean of their pieces), and \
             its rows besides:\nbrowsing, mail, file transfer and calls without a VPN, {} rows:\n",
            compared.further
        )?;
        writeln!(out, "| numbers | rows of | macro F1 | accuracy |\n|---|---|---|---|")?;
        for (name, of, (f1, accuracy)) in [
            ("behaviour", "captures", compared.behaviour),
            ("iscx-b", "captures", compared.times),
            ("iscx-b", "captures and published files", compared.both),
        ] {
            writeln!(out, "| `{name}` | {of} | {f1:.3} | {accuracy:.3} |")?;
        }
        Ok(())
    }

    fn fails(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n{FAILS}")
    }
}

const FAILS: &str = "\
## Where it fails

* Captures are of tests: short, clean, many from one laboratory, few long. Rates and pauses of real networks differ.
* What it never learned is called what it looks like most, above. A label of it is a hint where to look, no more.
* F1 is over the kinds that were kept, and those were kept that are told well among themselves; with every kind of the second
  table above it is less than half of that.
* The web is what TLS, QUIC and HTTP carry, whatever they are used for: a film, a call or a chat inside TLS is the web here.
* Flows of two or three packets have little behaviour. A question and an answer of a few hundred bytes are a name lookup to it.
* A flow whose beginning is not in the capture has other first turns than those it learned.
";

/// What is said of most.
fn mostly(said: &[(String, f32, bool)]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for it in said {
        *counts.entry(&it.0).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|it| (usize::MAX - it.1, it.0));
    let most = counts
        .iter()
        .take(2)
        .map(|(name, n)| format!("{name} {:.2}", *n as f64 / said.len() as f64));
    most.collect::<Vec<_>>().join(", ")
}

/// A confusion as a table, with precision, recall and F1 of each kind.
fn confusion(out: &mut String, of: &Confusion) -> std::fmt::Result {
    let classes = of.classes();
    writeln!(out, "| is \\ said | {} | precision | recall | F1 |", classes.join(" | "))?;
    writeln!(out, "|---|{}---|---|---|", "---|".repeat(classes.len()))?;
    for (is, class) in classes.iter().enumerate() {
        let cells: Vec<String> =
            (0..classes.len()).map(|said| of.count(is, Some(said)).to_string()).collect();
        let it = of.score(is);
        writeln!(
            out,
            "| {class} | {} | {:.2} | {:.2} | {:.2} |",
            cells.join(" | "),
            it.precision,
            it.recall,
            it.f1
        )?;
    }
    Ok(())
}
