//! Makes the model that comes with the program: `cargo xtask model CORPUS [ISCX]`, where CORPUS has captures by collection and
//! ISCX the published files of ISCXVPN2016.
//!
//! Flows that say what they are teach how such flows behave. What is learned from, how it was judged and where it fails is
//! written to `docs/model.md`, the model beside the crate that reads it. The same captures give the same bytes.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]
#![expect(
    clippy::expect_used,
    reason = "a command may end where its files are not as they should be"
)]

mod card;
mod judge;
mod kinds;
mod rows;

use std::{fs, path::Path, process::ExitCode};

use learn::{Confusion, Data, Method, Model, Options};

use crate::{
    card::{Card, Compared, OpenSet, Tried},
    judge::Numbers,
    kinds::{Choice, Example, is_for_acceptance},
};

/// Where the model goes, from the folder of the workspace.
const MODEL: &str = "crates/learn/models/behaviour.tractor";
/// Where its card goes.
const CARD: &str = "docs/model.md";
/// How often families are divided anew where ways to learn are compared.
const N_SEEDS: u64 = 3;

/// A flow is unlike all rows learned from beyond this share of columns, as `engine` has it.
const MAX_OUTSIDE: f32 = 0.25;

/// How rows are chosen.
const CHOICE: Choice = Choice { min_said: 2, cap: 15 };

/// How the model is learned.
fn options() -> Options {
    let usual = Options::of(Method::Boosted);
    Options { is_balanced: true, rounds: 60, max_leaves: 8, rate: 80, ..usual }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (corpus, published) = match &arguments[..] {
        [corpus] => (corpus, None),
        [corpus, published] => (corpus, Some(published)),
        _ => {
            println!("usage: cargo xtask model CORPUS [ISCX]");
            return ExitCode::from(2);
        }
    };
    let taken = rows::read(Path::new(corpus));
    println!("{} flows say something of themselves", taken.len());
    let examples = kinds::examples(&taken, CHOICE);
    let known: Vec<&Example<'_>> = examples.iter().filter(|it| it.kind.is_learned).collect();
    let (accepting, choosing): (Vec<&Example<'_>>, Vec<&Example<'_>>) =
        known.iter().copied().partition(|it| is_for_acceptance(it.family));

    let tried = tried(&taken);
    let compared = published.map(|it| compared(&choosing, Path::new(it)));

    let model =
        judge::learned(judge::data(choosing.iter().copied(), Numbers::Behaviour), options());
    let mut accepted = Confusion::new(&judge::classes(&known));
    judge::add(&mut accepted, &model, &accepting, Numbers::Behaviour);
    let [ports, majority] = [false, true].map(|it| card::by_ports(&choosing, &accepting, it));
    println!("accepted: macro F1 {:.3}", accepted.macro_mean().f1);

    let data = judge::data(known.iter().copied(), Numbers::Behaviour);
    let done = judge::judged(data, options(), card::sources(&known));
    let mut model = done.model.expect("a model was asked for");
    "behaviour".clone_into(&mut model.name);
    let report = done.report.expect("it was judged");
    let bytes = model.write();

    let open: Vec<OpenSet> = open_set(&examples, &known, &model);
    let card = Card {
        taken: &taken,
        examples: &examples,
        n_choosing: choosing.len(),
        accepted: &accepted,
        ports: &ports,
        majority: &majority,
        report: &report,
        tried: &tried,
        compared: compared.as_ref(),
        open: &open,
        bytes: &bytes,
        options: options(),
        choice: CHOICE,
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join(MODEL);
    fs::create_dir_all(folder.parent().expect("it lies in a folder"))
        .expect("a folder can be made");
    fs::write(folder, &bytes).expect("the model can be written");
    fs::write(root.join(CARD), card.text()).expect("the card can be written");
    println!("{MODEL}: {} bytes, sha256 {}", bytes.len(), card::sha256(&bytes));
    ExitCode::SUCCESS
}

/// Columns that were left out to see what they are worth, by how their names begin.
const WITHOUT: &[(&str, &[&str])] = &[
    (
        "without times",
        &[
            "duration",
            "active",
            "idle",
            "subflows",
            "said_gap",
            "payload_bytes_per",
            "payload_packets_per",
        ],
    ),
    ("without the first packets one by one", &["said_"]),
    ("without turns", &["turn"]),
    (
        "without lengths that come again",
        &["client_length", "server_length", "client_rest", "server_rest"],
    ),
    ("without whether it is TCP", &["tcp"]),
];

/// What was tried, each by families of the choosing part alone.
fn tried(taken: &[rows::Taken]) -> Vec<Tried> {
    let ours = options();
    let of = |method: Method| Options { is_balanced: true, ..Options::of(method) };
    let ways: Vec<(&'static str, Choice, Options)> = vec![
        ("as it is", CHOICE, ours),
        ("at least 3 packets with payload", Choice { min_said: 3, ..CHOICE }, ours),
        ("at least 4 packets with payload", Choice { min_said: 4, ..CHOICE }, ours),
        ("at most 5 rows of a kind and family", Choice { cap: 5, ..CHOICE }, ours),
        ("at most 40 rows of a kind and family", Choice { cap: 40, ..CHOICE }, ours),
        ("every row counts the same", CHOICE, Options { is_balanced: false, ..ours }),
        ("boosted, 200 rounds", CHOICE, Options { rounds: 200, ..ours }),
        ("boosted, 31 leaves", CHOICE, Options { max_leaves: 31, ..ours }),
        ("blend", CHOICE, of(Method::Blend)),
        ("forest", CHOICE, of(Method::Forest)),
        ("extra trees", CHOICE, of(Method::ExtraTrees)),
        ("logistic regression", CHOICE, of(Method::Logistic)),
        ("nearest neighbours", CHOICE, of(Method::Neighbours)),
    ];
    let mut tried = Vec::new();
    for (name, choice, options) in ways {
        let examples = kinds::examples(taken, choice);
        let rows: Vec<&Example<'_>> = examples
            .iter()
            .filter(|it| it.kind.is_learned && !is_for_acceptance(it.family))
            .collect();
        tried.push(way(name, &rows, Numbers::Behaviour, options));
    }
    let examples = kinds::examples(taken, CHOICE);
    let rows: Vec<&Example<'_>> =
        examples.iter().filter(|it| !is_for_acceptance(it.family)).collect();
    let known: Vec<&Example<'_>> = rows.iter().copied().filter(|it| it.kind.is_learned).collect();
    for (name, left_out) in WITHOUT {
        tried.push(way(name, &known, Numbers::Without(left_out), ours));
    }
    // Learned or not.
    tried.push(way("every kind there is", &rows, Numbers::Behaviour, ours));
    tried
}

fn way(name: &'static str, rows: &[&Example<'_>], numbers: Numbers, options: Options) -> Tried {
    let parts = |seed| judge::by_parts(rows, numbers, None, options, seed);
    let confusions: Vec<Confusion> = (1..=N_SEEDS).map(parts).collect();
    let (f1, accuracy) = judge::mean(&confusions);
    println!("{name}: macro F1 {f1:.3}, accuracy {accuracy:.3}, {} rows", rows.len());
    let all = rows.iter().copied();
    let size = judge::learned(judge::data(all, numbers), options).write().len();
    Tried { name, f1, accuracy, rows: rows.len(), size, confusions }
}

/// The kinds of the published files that are ours, by the ends of their labels.
const PUBLISHED: &[(&str, &str)] =
    &[("BROWSING", "web"), ("FT", "file sharing"), ("MAIL", "mail"), ("VOIP", "call")];

/// How many rows of each of them are taken at most.
const N_PUBLISHED: usize = 400;

/// Whether published rows help, judged by families of captures.
fn compared(choosing: &[&Example<'_>], folder: &Path) -> Compared {
    let path = folder.join("Scenario_B").join("TimeBasedFeatures-Dataset-15s.arff");
    let text = fs::read_to_string(path).expect("the published file of 15 s lies there");
    let table = learn::read_table(&text, "published", &learn::Reading::default());
    let table = table.expect("it is a table").data;
    let mut further = Data::of_schema(&features::ISCX_B, Some(rows::PUBLISHED_MICROS));
    for (label, kind) in PUBLISHED {
        let rows: Vec<usize> = (0..table.len()).filter(|it| table.label(*it) == *label).collect();
        // About as many as our largest kinds have, evenly from first to last, so that they do not outweigh all else.
        for at in rows.iter().step_by(rows.len().div_ceil(N_PUBLISHED).max(1)) {
            further.push(table.values(*at).iter().copied(), kind, learn::Row::default());
        }
    }
    assert_eq!(table.columns, further.columns, "the file has the columns of `iscx-b`");
    let of = |numbers, further: Option<&Data>| {
        let parts = |seed| judge::by_parts(choosing, numbers, further, options(), seed);
        let confusions: Vec<Confusion> = (1..=N_SEEDS).map(parts).collect();
        judge::mean(&confusions)
    };
    let compared = Compared {
        behaviour: of(Numbers::Behaviour, None),
        times: of(Numbers::Published, None),
        both: of(Numbers::Published, Some(&further)),
        further: further.len(),
    };
    println!("{compared:?}");
    compared
}

/// What is said of kinds that were not learned: of those never learned, and of each learned one left out.
fn open_set(examples: &[Example<'_>], known: &[&Example<'_>], whole: &Model) -> Vec<OpenSet> {
    let mut sets = Vec::new();
    for kind in kinds::KINDS {
        let asked: Vec<&Example<'_>> =
            examples.iter().filter(|it| it.kind.name == kind.name).collect();
        if asked.is_empty() {
            continue;
        }
        let without;
        let model = if kind.is_learned {
            let others = known.iter().copied().filter(|it| it.kind.name != kind.name);
            let data = judge::data(others, Numbers::Behaviour);
            without = judge::judged(data, options(), Vec::new()).model;
            without.as_ref().expect("a model was asked for")
        } else {
            whole
        };
        let said = judge::said(model, &asked, Numbers::Behaviour);
        let outside: Vec<f32> = asked.iter().map(|it| model.outside(&it.of.values)).collect();
        let said = said.into_iter().zip(outside).filter_map(|(it, outside)| {
            let it = it?;
            let name = model.classes().get(it.class)?.clone();
            Some((name, it.confidence, outside > MAX_OUTSIDE))
        });
        let said = said.collect();
        sets.push(OpenSet { kind, said });
    }
    sets
}
