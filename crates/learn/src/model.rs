//! A model: what was learned, and all that is to be known of it before it is believed.

use features::Schema;

use crate::{
    Confusion, Data, Method, Options, Split, calibrate::Calibration, fit::Learned, shares::greatest,
};

/// Which quantiles of each column a model knows, in hundredths.
pub(crate) const QUANTILES: [u32; 7] = [0, 5, 25, 50, 75, 95, 100];

/// A trained classifier. It says which columns its rows must have.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What it is called where it says something.
    pub name: String,
    /// What it was learned from and how well it does.
    pub card: Card,
    pub(crate) schema: Option<&'static Schema>,
    pub(crate) columns: Vec<String>,
    pub(crate) timeout_micros: Option<u64>,
    pub(crate) classes: Vec<String>,
    pub(crate) learned: Learned,
    pub(crate) calibration: Calibration,
    /// Of each column the values below which so many of the rows lie, see [`QUANTILES`].
    pub(crate) quantiles: Vec<[f32; QUANTILES.len()]>,
}

/// What a model was learned from, how, and how well it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// How it was learned.
    pub options: Options,
    /// How many rows each class had.
    pub rows: Vec<u64>,
    /// How many captures or files the rows were from.
    pub captures: u64,
    /// How it was judged, where it was.
    pub judged: Option<Judged>,
    /// Whose data it was learned from and what is to be cited, a line each.
    pub sources: Vec<String>,
}

/// How a model was judged: by models of the same kind, on rows they had not learned from.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// How rows were divided.
    pub split: Split,
    /// Into how many parts.
    pub folds: u32,
    /// How many judged rows came of a capture that was also learned from.
    pub leaking: u64,
    /// What was said of what.
    pub confusion: Confusion,
    /// The accuracy of always saying the most frequent class.
    pub majority: f64,
}

/// What a model says of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Said {
    /// The class.
    pub class: usize,
    /// Its share among all classes.
    pub share: f32,
    /// How often the model was right with such a share.
    pub confidence: f32,
}

/// Why a model says what it says of a row: a column, and how much less sure it is without.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cause {
    /// The column's place.
    pub column: usize,
    /// Its number in the row; `NaN` where it is missing.
    pub value: f32,
    /// Of the rows the model learned from, about how many in a hundred have less.
    pub above: u32,
    /// How much of the share is lost where the column has its middle value instead.
    pub weight: f32,
}

impl Model {
    pub(crate) fn new(data: &Data, learned: Learned, card: Card, calibration: Calibration) -> Self {
        let quantiles = (0..data.columns.len()).map(|it| quantiles(data, it)).collect();
        Self {
            name: String::new(),
            card,
            schema: data.schema,
            columns: data.columns.clone(),
            timeout_micros: data.timeout_micros,
            classes: data.classes().to_vec(),
            learned,
            calibration,
            quantiles,
        }
    }

    /// What it can say, in order.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The names of the columns its rows must have, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The schema its columns are the features of; `None` where they are of other programs.
    pub fn schema(&self) -> Option<&'static Schema> {
        self.schema
    }

    /// Flows must be cut by this timeout, in microseconds.
    pub fn timeout_micros(&self) -> Option<u64> {
        self.timeout_micros
    }

    /// How it was learned.
    pub fn method(&self) -> Method {
        self.card.options.method
    }

    /// The share of each class for each row.
    pub fn shares(&self, rows: &[&[f32]]) -> Vec<Vec<f32>> {
        self.learned.shares(rows, self.classes.len())
    }

    /// What it says of each row.
    pub fn say(&self, rows: &[&[f32]]) -> Vec<Said> {
        self.shares(rows).iter().map(|it| self.choose(it)).collect()
    }

    /// What it says where these are the shares of the classes.
    pub fn choose(&self, shares: &[f32]) -> Said {
        let (class, share) = greatest(shares);
        Said { class, share, confidence: self.calibration.of(share) }
    }

    /// The share of columns of a row in which every row learned from has more or every one has less.
    pub fn outside(&self, row: &[f32]) -> f32 {
        let outside = row.iter().zip(&self.quantiles).filter(|(value, quantiles)| {
            let [least, .., greatest] = quantiles;
            *value < least || *value > greatest
        });
        outside.count() as f32 / self.columns.len().max(1) as f32
    }

    /// The columns that decide most for a class, the weightiest first; those that decide nothing are left out.
    pub fn causes(&self, row: &[f32], class: usize) -> Vec<Cause> {
        let share = |row: &[f32]| {
            self.shares(&[row]).first().and_then(|it| it.get(class)).copied().unwrap_or(0.0)
        };
        let whole = share(row);
        let mut causes = Vec::new();
        for (column, quantiles) in self.quantiles.iter().enumerate() {
            let value = row.get(column).copied().unwrap_or(f32::NAN);
            let mut without = row.to_vec();
            let Some(slot) = without.get_mut(column) else { continue };
            *slot = quantiles[3];
            let weight = whole - share(&without);
            if weight > 0.0 {
                causes.push(Cause { column, value, above: above(quantiles, value), weight });
            }
        }
        causes.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        causes
    }
}

/// How many rows in a hundred lie below a value, at least.
fn above(quantiles: &[f32; QUANTILES.len()], value: f32) -> u32 {
    let below = quantiles.iter().zip(QUANTILES).filter(|it| *it.0 < value).map(|it| it.1);
    below.fold(0, |_, it| it)
}

/// The quantiles of a column; 0 where no row has a value.
fn quantiles(data: &Data, column: usize) -> [f32; QUANTILES.len()] {
    let values = (0..data.len()).filter_map(|it| data.values(it).get(column).copied());
    let mut values: Vec<f32> = values.filter(|it| !it.is_nan()).collect();
    values.sort_unstable_by(f32::total_cmp);
    QUANTILES.map(|it| {
        let at = values.len().saturating_sub(1) * it as usize / 100;
        values.get(at).copied().unwrap_or(0.0)
    })
}
