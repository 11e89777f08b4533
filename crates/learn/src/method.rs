//! How a model is learned: the methods there are, and their options, as tables.

use features::Words;

/// A way to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// A forest, extra trees and boosted trees together.
    Blend,
    /// Boosted trees.
    Boosted,
    /// A random forest.
    Forest,
    /// Extremely randomised trees.
    ExtraTrees,
    /// A single decision tree.
    Tree,
    /// The nearest neighbours.
    Neighbours,
    /// Logistic regression.
    Logistic,
    /// Naive Bayes.
    Bayes,
}

/// What is told of a method.
#[derive(Debug)]
pub struct MethodRow {
    /// The method.
    pub method: Method,
    /// Its name on the command line and in model files.
    pub name: &'static str,
    /// What people call it.
    pub title: Words,
    /// What it does, in a sentence.
    pub what: Words,
}

/// Every method, the strongest first.
pub const METHODS: &[MethodRow] = &[
    row(
        Method::Blend,
        "blend",
        ("Blended trees", "Смесь деревьев"),
        (
            "A forest, extra trees and boosted trees; their shares are averaged",
            "Лес, сверхслучайные деревья и бустинг вместе, их доли усредняются",
        ),
    ),
    row(
        Method::Boosted,
        "boosted",
        ("Boosted trees", "Градиентный бустинг"),
        (
            "Small trees one after the other, each correcting those before",
            "Небольшие деревья друг за другом, каждое исправляет предыдущие",
        ),
    ),
    row(
        Method::Forest,
        "forest",
        ("Random forest", "Случайный лес"),
        (
            "Many trees on random rows and columns, which vote",
            "Много деревьев на случайных строках и столбцах, которые голосуют",
        ),
    ),
    row(
        Method::ExtraTrees,
        "extra-trees",
        ("Extra trees", "Сверхслучайные деревья"),
        (
            "As a forest, with questions at random places",
            "Как лес, но вопросы задаются в случайных местах",
        ),
    ),
    row(
        Method::Tree,
        "tree",
        ("Decision tree", "Дерево решений"),
        ("One tree of questions, as C4.5 grows it", "Одно дерево вопросов, как его растит C4.5"),
    ),
    row(
        Method::Neighbours,
        "neighbours",
        ("Nearest neighbours", "Ближайшие соседи"),
        ("What the most similar rows are", "То, чем являются самые похожие строки"),
    ),
    row(
        Method::Logistic,
        "logistic",
        ("Logistic regression", "Логистическая регрессия"),
        ("A weighted sum of the columns' ranks", "Взвешенная сумма рангов столбцов"),
    ),
    row(
        Method::Bayes,
        "bayes",
        ("Naive Bayes", "Наивный Байес"),
        (
            "Each column by itself, as a normal distribution of its ranks",
            "Каждый столбец сам по себе, как нормальное распределение рангов",
        ),
    ),
];

const fn row(
    method: Method,
    name: &'static str,
    title: (&'static str, &'static str),
    what: (&'static str, &'static str),
) -> MethodRow {
    let title = Words { en: title.0, ru: title.1 };
    MethodRow { method, name, title, what: Words { en: what.0, ru: what.1 } }
}

impl Method {
    /// The method of that name.
    pub fn named(name: &str) -> Option<Self> {
        METHODS.iter().find(|it| it.name == name).map(|it| it.method)
    }

    /// What is told of it.
    pub fn row(self) -> &'static MethodRow {
        METHODS.iter().find(|it| it.method == self).unwrap_or(&METHODS[0])
    }
}

/// How a model is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The method.
    pub method: Method,
    /// The same seed gives the same model.
    pub seed: u64,
    /// Every class counts the same, however many rows it has.
    pub is_balanced: bool,
    /// Ratios of time features are columns too, where the columns are those they are of.
    pub has_ratios: bool,
    /// How many trees vote.
    pub trees: u32,
    /// How many rounds of boosted trees there are.
    pub rounds: u32,
    /// How many questions deep a tree may be.
    pub max_depth: u32,
    /// The fewest rows of a leaf.
    pub min_leaf: u32,
    /// The most leaves of a boosted tree.
    pub max_leaves: u32,
    /// Which part of what a boosted tree says is believed, in thousandths.
    pub rate: u32,
    /// How many neighbours are asked.
    pub neighbours: u32,
}

/// A number among [`Options`].
#[derive(Debug)]
pub struct Knob {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it says, in a phrase.
    pub what: Words,
    /// The methods it is of.
    pub of: &'static [Method],
    /// The least and the greatest it may be.
    pub range: (u32, u32),
    /// The number itself.
    pub number: fn(&mut Options) -> &mut u32,
}

const TREES: &[Method] =
    &[Method::Blend, Method::Boosted, Method::Forest, Method::ExtraTrees, Method::Tree];

/// Every number that may be chosen.
pub const KNOBS: &[Knob] = &[
    Knob {
        name: "trees",
        what: Words { en: "Trees that vote", ru: "Голосующих деревьев" },
        of: &[Method::Blend, Method::Forest, Method::ExtraTrees],
        range: (1, 2_000),
        number: |it| &mut it.trees,
    },
    Knob {
        name: "rounds",
        what: Words { en: "Rounds of boosting", ru: "Раундов бустинга" },
        of: &[Method::Blend, Method::Boosted],
        range: (1, 2_000),
        number: |it| &mut it.rounds,
    },
    Knob {
        name: "max-depth",
        what: Words { en: "Questions in a row", ru: "Вопросов подряд" },
        of: TREES,
        range: (1, 1_000),
        number: |it| &mut it.max_depth,
    },
    Knob {
        name: "min-leaf",
        what: Words {
            en: "Fewest rows of a leaf", ru: "Наименьшее число строк в листе"
        },
        of: TREES,
        range: (1, 10_000),
        number: |it| &mut it.min_leaf,
    },
    Knob {
        name: "max-leaves",
        what: Words {
            en: "Most leaves of a tree", ru: "Наибольшее число листьев дерева"
        },
        of: &[Method::Blend, Method::Boosted],
        range: (2, 1_000),
        number: |it| &mut it.max_leaves,
    },
    Knob {
        name: "rate",
        what: Words {
            en: "Learning rate, in thousandths", ru: "Скорость обучения, в тысячных"
        },
        of: &[Method::Blend, Method::Boosted],
        range: (1, 1_000),
        number: |it| &mut it.rate,
    },
    Knob {
        name: "neighbours",
        what: Words {
            en: "Neighbours that are asked", ru: "Сколько соседей спрашивать"
        },
        of: &[Method::Neighbours],
        range: (1, 100),
        number: |it| &mut it.neighbours,
    },
];

impl Options {
    /// The usual options of a method.
    pub fn of(method: Method) -> Self {
        let usual = Self {
            method,
            seed: 1,
            is_balanced: false,
            has_ratios: true,
            trees: 100,
            rounds: 100,
            max_depth: 64,
            min_leaf: 1,
            max_leaves: 31,
            rate: 100,
            neighbours: 5,
        };
        match method {
            Method::Boosted => Self { min_leaf: 10, ..usual },
            Method::Tree => Self { min_leaf: 2, ..usual },
            _ => usual,
        }
    }

    /// Sets a number by its name.
    ///
    /// # Errors
    /// Where the method has no such number or it is out of range, in words.
    pub fn set(&mut self, name: &str, value: u32) -> Result<(), String> {
        let mut of = KNOBS.iter().filter(|it| it.of.contains(&self.method));
        let Some(knob) = of.clone().find(|it| it.name == name) else {
            let names: Vec<&str> = of.by_ref().map(|it| it.name).collect();
            let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(format!("{} has no `{name}`; it has {has}", self.method.row().name));
        };
        let (least, greatest) = knob.range;
        if !(least..=greatest).contains(&value) {
            return Err(format!("{name} is {value}, which is not from {least} to {greatest}"));
        }
        *(knob.number)(self) = value;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_a_row_and_options_in_range() {
        for row in METHODS {
            assert_eq!(Method::named(row.name), Some(row.method));
            let mut options = Options::of(row.method);
            for knob in KNOBS.iter().filter(|it| it.of.contains(&row.method)) {
                let value = *(knob.number)(&mut options);
                options.set(knob.name, value).unwrap();
            }
        }
    }

    #[test]
    fn what_a_method_has_not_is_told() {
        let mut options = Options::of(Method::Neighbours);
        assert_eq!(
            options.set("trees", 3).unwrap_err(),
            "neighbours has no `trees`; it has neighbours"
        );
        assert_eq!(
            options.set("neighbours", 0).unwrap_err(),
            "neighbours is 0, which is not from 1 to 100"
        );
    }
}
