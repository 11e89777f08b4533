//! Learning, step by step: a host may show how far it is and stop between steps.

use crate::{
    Data, Method, Options,
    bayes::Bayes,
    bins::Bounds,
    boost::{Boosted, Boosting},
    logistic::{Descent, Logistic},
    near::{self, Near},
    random::Random,
    ratio::Ratios,
    tree::{Binned, Criterion, Growth, Where, grow},
    trees::Trees,
};

/// How often logistic regression goes through the rows.
const EPOCHS: u32 = 40;
/// How much smaller logistic regression's weights are made at each row.
const SHRINKAGE: f64 = 1e-6;

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Learned {
    /// The ratios that rows get besides their columns.
    pub(crate) ratios: Option<Ratios>,
    pub(crate) kind: Kind,
}

/// What was learned of rows with their ratios.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Trees(Trees),
    /// Trees that vote, and boosted ones; each has half a say.
    Both(Trees, Trees),
    Near(Bounds, Near),
    Logistic(Bounds, Logistic),
    Bayes(Bounds, Bayes),
}

impl Learned {
    /// The share of each class for each row.
    pub(crate) fn shares(&self, rows: &[&[f32]], n_classes: usize) -> Vec<Vec<f32>> {
        let Some(ratios) = &self.ratios else { return self.kind.shares(rows, n_classes) };
        let rows: Vec<Vec<f32>> = rows.iter().map(|it| ratios.extend(it)).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        self.kind.shares(&rows, n_classes)
    }
}

impl Kind {
    fn shares(&self, rows: &[&[f32]], n_classes: usize) -> Vec<Vec<f32>> {
        match self {
            Self::Trees(trees) => trees.shares(rows, n_classes),
            Self::Both(voting, boosted) => {
                let mut shares = voting.shares(rows, n_classes);
                for (shares, of) in shares.iter_mut().zip(boosted.shares(rows, n_classes)) {
                    for (share, of) in shares.iter_mut().zip(of) {
                        *share = (*share + of) / 2.0;
                    }
                }
                shares
            }
            Self::Near(bounds, near) => {
                let rows: Vec<Vec<u8>> = rows.iter().map(|it| places(bounds, it)).collect();
                near.shares(rows.iter().map(Vec::as_slice))
            }
            Self::Logistic(bounds, model) => {
                rows.iter().map(|it| model.shares(&bounds.ranks(it))).collect()
            }
            Self::Bayes(bounds, model) => {
                rows.iter().map(|it| model.shares(&bounds.ranks(it))).collect()
            }
        }
    }
}

/// The ranks of a row in 255 steps; of what is missing 0.
fn places(bounds: &Bounds, row: &[f32]) -> Vec<u8> {
    let place = |rank: f32| if rank < -0.5 { 0 } else { 1 + ((rank + 0.5) * 254.0) as u8 };
    bounds.ranks(row).into_iter().map(place).collect()
}

/// Learning from some rows of data.
pub(crate) struct Fit {
    options: Options,
    classes: Vec<u16>,
    /// What a row of each class counts.
    weights: Vec<f64>,
    ratios: Option<Ratios>,
    bounds: Bounds,
    n_done: u32,
    state: State,
}

enum State {
    Trees(Box<Trunk>),
    Near(Vec<Vec<u8>>),
    Logistic(Vec<Vec<f32>>, Descent),
    Bayes(Vec<Vec<f32>>),
}

/// Trees while they grow.
struct Trunk {
    /// The rows in bins, column after column.
    columns: Vec<Vec<u8>>,
    voting: Trees,
    /// Boosted ones and what they say so far, where the method has any.
    boosted: Option<(Trees, Boosted)>,
}

/// What a step adds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growing {
    Tree,
    ForestTree,
    ExtraTree,
    Round,
}

impl Growing {
    fn at(step: u32, options: &Options) -> Self {
        match options.method {
            Method::Tree => Self::Tree,
            Method::Forest => Self::ForestTree,
            Method::ExtraTrees => Self::ExtraTree,
            Method::Blend if step < options.trees && step.is_multiple_of(2) => Self::ForestTree,
            Method::Blend if step < options.trees => Self::ExtraTree,
            _ => Self::Round,
        }
    }
}

impl Fit {
    /// Learning from these rows of the data; all its classes are told apart, though one may have no row here.
    pub(crate) fn new(data: &Data, rows: &[usize], options: Options) -> Self {
        let mut rows = rows.to_vec();
        if options.method == Method::Neighbours && rows.len() > near::MAX_ROWS {
            Random::of(options.seed, 0).shuffle(&mut rows);
            rows.truncate(near::MAX_ROWS);
            rows.sort_unstable();
        }
        let ratios = Ratios::new(data.schema, &data.columns).filter(|_| options.has_ratios);
        let wide = |it: &usize| match &ratios {
            Some(ratios) => ratios.extend(data.values(*it)),
            None => data.values(*it).to_vec(),
        };
        let wide: Vec<Vec<f32>> = rows.iter().map(wide).collect();
        let values = wide.iter().map(Vec::as_slice);
        let n_columns = data.columns.len() + ratios.as_ref().map_or(0, |_| Ratios::N);
        let class = |it: &usize| data.rows().get(*it).map_or(0, |it| it.class as u16);
        let classes: Vec<u16> = rows.iter().map(class).collect();
        let n_classes = data.classes().len();
        let weights = weights(&classes, n_classes, options.is_balanced);
        let bounds = Bounds::new(n_columns, values.clone());
        let ranks = || values.clone().map(|it| bounds.ranks(it)).collect();
        let state = match options.method {
            Method::Blend
            | Method::Boosted
            | Method::Forest
            | Method::ExtraTrees
            | Method::Tree => {
                let columns = bounds.columns(values.clone());
                let voting = Trees { bounds: bounds.clone(), ..Trees::default() };
                let is_boosted = matches!(options.method, Method::Blend | Method::Boosted);
                let boosted = is_boosted.then(|| {
                    let how = Boosting::new(&options, rows.len());
                    let scores = Boosted::new(&columns, &classes, &weights, how);
                    (Trees { base: Some(scores.base.clone()), ..voting.clone() }, scores)
                });
                State::Trees(Box::new(Trunk { columns, voting, boosted }))
            }
            Method::Neighbours => {
                State::Near(values.clone().map(|it| places(&bounds, it)).collect())
            }
            Method::Logistic => {
                State::Logistic(ranks(), Descent::new(n_classes, n_columns, rows.len()))
            }
            Method::Bayes => State::Bayes(ranks()),
        };
        Self { options, classes, weights, ratios, bounds, n_done: 0, state }
    }

    /// How many steps there are.
    pub(crate) fn n_steps(options: &Options) -> u32 {
        match options.method {
            Method::Blend => options.trees + options.rounds,
            Method::Boosted => options.rounds,
            Method::Forest | Method::ExtraTrees => options.trees,
            Method::Logistic => EPOCHS,
            Method::Tree | Method::Neighbours | Method::Bayes => 1,
        }
    }

    /// Goes a step; whether there is another.
    pub(crate) fn step(&mut self) -> bool {
        let Self { options, classes, weights, n_done, state, .. } = self;
        let n_steps = Self::n_steps(options);
        if *n_done >= n_steps {
            return false;
        }
        let mut random = Random::of(options.seed, u64::from(*n_done) + 1);
        match state {
            State::Trees(trunk) => {
                trunk.grow(Growing::at(*n_done, options), (classes, weights), options, &mut random);
            }
            State::Logistic(rows, descent) => {
                descent.epoch(rows, classes, (weights, SHRINKAGE), &mut random);
            }
            State::Near(_) | State::Bayes(_) => {}
        }
        *n_done += 1;
        *n_done < n_steps
    }

    /// What was learned so far.
    pub(crate) fn finish(self) -> Learned {
        let Self { options, classes, weights, ratios, bounds, state, .. } = self;
        let n_columns = bounds.n_columns();
        let kind = match state {
            State::Trees(mut trunk) => {
                trunk.voting.pack();
                match trunk.boosted {
                    None => Kind::Trees(trunk.voting),
                    Some((mut boosted, _)) => {
                        boosted.pack();
                        if options.method == Method::Blend {
                            Kind::Both(trunk.voting, boosted)
                        } else {
                            Kind::Trees(boosted)
                        }
                    }
                }
            }
            State::Near(rows) => {
                let near =
                    Near::new(options.neighbours, n_columns, classes, &weights, rows.concat());
                Kind::Near(bounds, near)
            }
            State::Logistic(_, descent) => Kind::Logistic(bounds, descent.finish(n_columns)),
            State::Bayes(rows) => Kind::Bayes(bounds, Bayes::fit(&rows, &classes, &weights)),
        };
        Learned { ratios, kind }
    }
}

impl Trunk {
    /// Adds a tree, or a round of them.
    fn grow(
        &mut self,
        what: Growing,
        (classes, weights): (&[u16], &[f64]),
        options: &Options,
        random: &mut Random,
    ) {
        let n = classes.len() as u32;
        let n_columns = self.columns.len();
        let growth = Growth {
            criterion: Criterion::Gini,
            place: Where::Best,
            max_depth: options.max_depth,
            min_leaf: options.min_leaf,
            n_columns: (libm::sqrt(n_columns as f64) as usize).max(1),
        };
        let growth = match what {
            Growing::Tree => Growth { criterion: Criterion::Entropy, n_columns, ..growth },
            Growing::ForestTree => growth,
            Growing::ExtraTree => Growth { place: Where::Random, ..growth },
            Growing::Round => {
                if let Some((trees, scores)) = &mut self.boosted {
                    trees.trees.extend(scores.round(random));
                }
                return;
            }
        };
        let mut rows: Vec<u32> = if what == Growing::ForestTree {
            // As many as there are, each drawn from all (Breiman 2001).
            (0..n).map(|_| random.below(n)).collect()
        } else {
            (0..n).collect()
        };
        let data = Binned { columns: &self.columns, classes, weights };
        self.voting.trees.push(grow(&data, &mut rows, growth, random));
    }
}

/// What a row of each class counts: 1 in the mean.
fn weights(classes: &[u16], n_classes: usize, is_balanced: bool) -> Vec<f64> {
    if !is_balanced {
        return vec![1.0; n_classes];
    }
    let mut counts = vec![0u32; n_classes];
    classes.iter().for_each(|it| counts[usize::from(*it)] += 1);
    let n_there = counts.iter().filter(|it| **it > 0).count().max(1) as f64;
    let even = classes.len() as f64 / n_there;
    counts.iter().map(|it| if *it == 0 { 1.0 } else { even / f64::from(*it) }).collect()
}
