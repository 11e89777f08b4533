//! Rows in, how well models do on families they have not learned from out.

use std::{collections::BTreeSet, sync::Arc};

use features::{BEHAVIOUR, ISCX_B};
use learn::{Confusion, Data, Done, Model, Options, Plan, Row, Said, Split, Work};

use crate::{
    kinds::{Example, hash},
    rows::PUBLISHED_MICROS,
};

/// Into how many parts families are divided.
pub(crate) const N_PARTS: u64 = 5;

/// Which numbers rows have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// How flows behave.
    Behaviour,
    /// The same but for columns whose names begin so.
    Without(&'static [&'static str]),
    /// The published time features, of pieces of 15 s.
    Published,
}

/// Rows as a model learns from them; families stand for captures.
pub(crate) fn data<'a>(rows: impl Iterator<Item = &'a Example<'a>>, numbers: Numbers) -> Data {
    let mut data = match numbers {
        Numbers::Behaviour => Data::of_schema(&BEHAVIOUR, None),
        Numbers::Without(_) => {
            let names = BEHAVIOUR.features().map(|it| it.name).filter(|it| numbers.has(it));
            Data::of_columns(names.map(str::to_owned).collect())
        }
        Numbers::Published => Data::of_schema(&ISCX_B, Some(PUBLISHED_MICROS)),
    };
    for row in rows {
        let capture = data.capture(row.family);
        let origin = Row { capture, port: row.of.port, ..Row::default() };
        for values in pieces(row, numbers) {
            data.push(values, row.kind.name, origin);
        }
    }
    data
}

impl Numbers {
    /// Whether a column of the schema `behaviour` is among them.
    fn has(self, column: &str) -> bool {
        match self {
            Self::Behaviour => true,
            Self::Without(left_out) => !left_out.iter().any(|it| column.starts_with(it)),
            Self::Published => false,
        }
    }
}

/// The rows of a flow.
fn pieces(row: &Example<'_>, numbers: Numbers) -> Vec<Vec<f32>> {
    if numbers == Numbers::Published {
        return row.of.published.clone();
    }
    let values = BEHAVIOUR.features().zip(&row.of.values);
    vec![values.filter(|it| numbers.has(it.0.name)).map(|it| *it.1).collect()]
}

/// Learns from all rows, judging nothing.
pub(crate) fn learned(data: Data, options: Options) -> Model {
    let plan = Plan { folds: 0, ..Plan::of(options) };
    let work = Work::new(Arc::new(data), plan).expect("there are kinds to tell apart");
    let done = work.run();
    done.model.expect("a model was asked for")
}

/// Learns from all rows, and judges by families in five parts.
pub(crate) fn judged(data: Data, options: Options, sources: Vec<String>) -> Done {
    let split = Some(Split::Capture);
    let plan = Plan { split, folds: N_PARTS as u32, sources, ..Plan::of(options) };
    let work = Work::new(Arc::new(data), plan).expect("there are kinds to tell apart");
    work.run()
}

/// What a model says of flows: of several pieces the mean of their shares.
pub(crate) fn said(model: &Model, rows: &[&Example<'_>], numbers: Numbers) -> Vec<Option<Said>> {
    let say = |row: &&Example<'_>| {
        let pieces = pieces(row, numbers);
        let shares = model.shares(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let mut mean = vec![0.0; model.classes().len()];
        for of_piece in &shares {
            for (sum, share) in mean.iter_mut().zip(of_piece) {
                *sum += share / shares.len() as f32;
            }
        }
        (!shares.is_empty()).then(|| model.choose(&mean))
    };
    rows.iter().map(say).collect()
}

/// The names of kinds among rows, in order.
pub(crate) fn classes(rows: &[&Example<'_>]) -> Vec<String> {
    let names: BTreeSet<&str> = rows.iter().map(|it| it.kind.name).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Adds what a model says of rows to a confusion.
pub(crate) fn add(
    confusion: &mut Confusion,
    model: &Model,
    rows: &[&Example<'_>],
    numbers: Numbers,
) {
    let classes = confusion.classes().to_vec();
    let place = |name: &str| classes.iter().position(|it| it == name);
    for (row, said) in rows.iter().zip(said(model, rows, numbers)) {
        let said = said.and_then(|it| place(model.classes().get(it.class)?));
        if let Some(is) = place(row.kind.name) {
            confusion.add(is, said);
        }
    }
}

/// Each family judged once by a model that did not learn from it; families are divided by a hash, anew for each seed. Further
/// rows are learned from in every part.
pub(crate) fn by_parts(
    rows: &[&Example<'_>],
    numbers: Numbers,
    further: Option<&Data>,
    options: Options,
    seed: u64,
) -> Confusion {
    let mut confusion = Confusion::new(&classes(rows));
    for part in 0..N_PARTS {
        let is_judged = |it: &Example<'_>| hash(it.family, seed) % N_PARTS == part;
        let mut data = data(rows.iter().copied().filter(|it| !is_judged(it)), numbers);
        if let Some(further) = further {
            let capture = data.capture("published");
            for at in 0..further.len() {
                let origin = Row { capture, ..Row::default() };
                data.push(further.values(at).iter().copied(), further.label(at), origin);
            }
        }
        let judged: Vec<&Example<'_>> = rows.iter().copied().filter(|it| is_judged(it)).collect();
        add(&mut confusion, &learned(data, options), &judged, numbers);
    }
    confusion
}

/// The mean macro F1 of several ways to divide families, and of the accuracy.
pub(crate) fn mean(confusions: &[Confusion]) -> (f64, f64) {
    let n = confusions.len().max(1) as f64;
    let mean = |of: fn(&Confusion) -> f64| confusions.iter().map(of).sum::<f64>() / n;
    (mean(|it| it.macro_mean().f1), mean(Confusion::accuracy))
}
