//! The model file: `TrActorM`, the version as 16 bits, the body, and the CRC-32 of the body; numbers little-endian.
//!
//! The body is postcard's form of [`Body`]: what the columns are, what can be said, how it was learned and judged, and what
//! was learned. Trees are written node by node from the root, the first way before the second:
//!
//! * a question: its column plus 1, then its bin;
//! * a leaf: 0, how many answers it has less 1, then of each the class and its share or score as `f32`.
//!
//! Columns and classes are varints as postcard writes them (LEB128).

use features::Schema;
use serde::{Deserialize, Serialize};

use crate::{
    Card, Confusion, Error, Judged, Method, Model, Options, Split,
    bayes::Bayes,
    bins::Bounds,
    calibrate::Calibration,
    fit::{Kind, Learned},
    logistic::Logistic,
    model::QUANTILES,
    near::Near,
    ratio::Ratios,
    tree::{Answer, LEAF, Tree},
    trees::Trees,
};

const MAGIC: &[u8; 8] = b"TrActorM";
/// The version of the file.
const VERSION: u16 = 2;
/// The most nodes all trees of a model have.
const MAX_NODES: usize = 50_000_000;

/// All that is in a file.
#[derive(Serialize, Deserialize)]
struct Body {
    name: String,
    schema: Option<SchemaName>,
    columns: Vec<String>,
    timeout_micros: Option<u64>,
    classes: Vec<String>,
    card: CardBody,
    calibration: Calibration,
    quantiles: Vec<[f32; QUANTILES.len()]>,
    learned: LearnedBody,
}

/// A schema, and a hash of what its columns are.
#[derive(Serialize, Deserialize)]
struct SchemaName {
    name: String,
    hash: u32,
}

#[derive(Serialize, Deserialize)]
struct CardBody {
    method: String,
    seed: u64,
    is_balanced: bool,
    has_ratios: bool,
    /// Trees, rounds, depth, rows of a leaf, leaves, rate, neighbours.
    numbers: [u32; 7],
    rows: Vec<u64>,
    captures: u64,
    judged: Option<JudgedBody>,
    sources: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct JudgedBody {
    split: String,
    folds: u32,
    leaking: u64,
    majority: f64,
    /// Class by class, how often each was said, and last how often nothing.
    confusion: Vec<Vec<u64>>,
}

#[derive(Serialize, Deserialize)]
enum LearnedBody {
    Trees(TreesBody),
    Both(TreesBody, TreesBody),
    Near(Bounds, Near),
    Logistic(Bounds, Logistic),
    Bayes(Bounds, Bayes),
}

#[derive(Serialize, Deserialize)]
struct TreesBody {
    bounds: Bounds,
    base: Option<Vec<f32>>,
    n_trees: u32,
    trees: Vec<u8>,
}

impl TreesBody {
    fn new(of: &Trees) -> Self {
        let (bounds, base) = (of.bounds.clone(), of.base.clone());
        Self { bounds, base, n_trees: of.trees.len() as u32, trees: write_trees(&of.trees) }
    }

    fn trees(self) -> Option<Trees> {
        let trees = read_trees(&self.trees, self.n_trees)?;
        Some(Trees { bounds: self.bounds, trees, base: self.base })
    }
}

impl Model {
    /// The model as a file.
    pub fn write(&self) -> Vec<u8> {
        let options = &self.card.options;
        let judged = self.card.judged.as_ref().map(|it| JudgedBody {
            split: it.split.row().name.to_owned(),
            folds: it.folds,
            leaking: it.leaking,
            majority: it.majority,
            confusion: it.confusion.counts().to_vec(),
        });
        let learned = match &self.learned.kind {
            Kind::Trees(it) => LearnedBody::Trees(TreesBody::new(it)),
            Kind::Both(a, b) => LearnedBody::Both(TreesBody::new(a), TreesBody::new(b)),
            Kind::Near(bounds, it) => LearnedBody::Near(bounds.clone(), it.clone()),
            Kind::Logistic(bounds, it) => LearnedBody::Logistic(bounds.clone(), it.clone()),
            Kind::Bayes(bounds, it) => LearnedBody::Bayes(bounds.clone(), it.clone()),
        };
        let schema = |it: &'static Schema| SchemaName { name: it.name.to_owned(), hash: hash(it) };
        let body = Body {
            name: self.name.clone(),
            schema: self.schema.map(schema),
            columns: self.columns.clone(),
            timeout_micros: self.timeout_micros,
            classes: self.classes.clone(),
            card: CardBody {
                method: options.method.row().name.to_owned(),
                seed: options.seed,
                is_balanced: options.is_balanced,
                has_ratios: options.has_ratios,
                numbers: [
                    options.trees,
                    options.rounds,
                    options.max_depth,
                    options.min_leaf,
                    options.max_leaves,
                    options.rate,
                    options.neighbours,
                ],
                rows: self.card.rows.clone(),
                captures: self.card.captures,
                judged,
                sources: self.card.sources.clone(),
            },
            calibration: self.calibration.clone(),
            quantiles: self.quantiles.clone(),
            learned,
        };
        // Numbers, texts and lists always have a form.
        let body = postcard::to_stdvec(&body).unwrap_or_default();
        let check = crc32fast::hash(&body).to_le_bytes();
        [&MAGIC[..], &VERSION.to_le_bytes(), &body, &check].concat()
    }

    /// A model from a file.
    ///
    /// # Errors
    /// Where the bytes are no model, one of another version, or one that contradicts itself.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Error::NotAModel)?;
        let (version, rest) = rest.split_first_chunk().ok_or(Error::NotAModel)?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(Error::OtherVersion { found, known: VERSION });
        }
        let bad = |what| Err(Error::BadModel(what));
        let Some((body, check)) = rest.split_last_chunk() else { return bad("it is cut off") };
        if crc32fast::hash(body) != u32::from_le_bytes(*check) {
            return bad("its checksum is wrong, it is damaged or cut off");
        }
        let Ok((body, rest)) = postcard::take_from_bytes::<Body>(body) else {
            return bad("its body cannot be read");
        };
        if !rest.is_empty() {
            return bad("there is more in it than a model");
        }
        body.model()
    }
}

impl Body {
    fn model(self) -> Result<Model, Error> {
        let bad = |what| Err(Error::BadModel(what));
        let schema = match self.schema {
            None => None,
            Some(name) => match features::schema(&name.name) {
                Some(schema) if hash(schema) == name.hash => Some(schema),
                _ => return Err(Error::OtherColumns { schema: name.name }),
            },
        };
        let (n_columns, n_classes) = (self.columns.len(), self.classes.len());
        if schema.is_some_and(|it| it.n_features() != n_columns) {
            return bad("its columns are not those of its schema");
        }
        if n_classes < 2 || n_classes > usize::from(u16::MAX) || n_columns == 0 {
            return bad("it has nothing to tell apart");
        }
        let is_column = |it: &[f32; QUANTILES.len()]| it.iter().all(|it| it.is_finite());
        if self.quantiles.len() != n_columns || !self.quantiles.iter().all(is_column) {
            return bad("its columns have no quantiles");
        }
        if !self.calibration.is_sound() {
            return bad("its calibration does not rise");
        }
        let card = self.card;
        let Some(method) = Method::named(&card.method) else {
            return bad("its method is not known");
        };
        let [trees, rounds, max_depth, min_leaf, max_leaves, rate, neighbours] = card.numbers;
        let (seed, is_balanced, has_ratios) = (card.seed, card.is_balanced, card.has_ratios);
        let options = Options {
            method,
            seed,
            is_balanced,
            has_ratios,
            trees,
            rounds,
            max_depth,
            min_leaf,
            max_leaves,
            rate,
            neighbours,
        };
        let judged = match card.judged {
            None => None,
            Some(it) => {
                let confusion = Confusion::from_counts(&self.classes, it.confusion);
                let (Some(split), Some(confusion)) = (Split::named(&it.split), confusion) else {
                    return bad("how it was judged cannot be read");
                };
                let (folds, leaking, majority) = (it.folds, it.leaking, it.majority);
                Some(Judged { split, folds, leaking, confusion, majority })
            }
        };
        if card.rows.len() != n_classes {
            return bad("its classes have no counts");
        }
        let card = Card {
            options,
            rows: card.rows,
            captures: card.captures,
            judged,
            sources: card.sources,
        };
        let ratios = if has_ratios { Ratios::new(schema, &self.columns) } else { None };
        let n_columns = n_columns + ratios.as_ref().map_or(0, |_| Ratios::N);
        let (kind, is_sound) = match self.learned {
            LearnedBody::Trees(of) => {
                let Some(of) = of.trees() else { return bad("its trees cannot be read") };
                let is_sound = of.are_sound(n_columns, n_classes);
                (Kind::Trees(of), is_sound)
            }
            LearnedBody::Both(a, b) => {
                let (Some(a), Some(b)) = (a.trees(), b.trees()) else {
                    return bad("its trees cannot be read");
                };
                let is_sound =
                    a.are_sound(n_columns, n_classes) && b.are_sound(n_columns, n_classes);
                (Kind::Both(a, b), is_sound)
            }
            LearnedBody::Near(bounds, it) => {
                let is_sound = is_sound(&bounds, n_columns) && it.is_sound(n_columns, n_classes);
                (Kind::Near(bounds, it), is_sound)
            }
            LearnedBody::Logistic(bounds, it) => {
                let is_sound = is_sound(&bounds, n_columns) && it.is_sound(n_columns, n_classes);
                (Kind::Logistic(bounds, it), is_sound)
            }
            LearnedBody::Bayes(bounds, it) => {
                let is_sound = is_sound(&bounds, n_columns) && it.is_sound(n_columns, n_classes);
                (Kind::Bayes(bounds, it), is_sound)
            }
        };
        if !is_sound {
            return bad("what it learned contradicts itself");
        }
        Ok(Model {
            name: self.name,
            card,
            schema,
            columns: self.columns,
            timeout_micros: self.timeout_micros,
            classes: self.classes,
            learned: Learned { ratios, kind },
            calibration: self.calibration,
            quantiles: self.quantiles,
        })
    }
}

fn is_sound(bounds: &Bounds, n_columns: usize) -> bool {
    bounds.n_columns() == n_columns && bounds.are_sound()
}

/// A hash of what a schema's features are: their names, units and descriptions, and how flows are counted for them.
fn hash(schema: &Schema) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for column in schema.features() {
        for part in [column.name, column.unit.symbol(), &column.english()] {
            hasher.update(part.as_bytes());
            hasher.update(b"\n");
        }
    }
    hasher.finalize()
}

fn write_trees(trees: &[Tree]) -> Vec<u8> {
    let mut out = Vec::new();
    for tree in trees {
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let Some(node) = tree.nodes.get(at) else { continue };
            if node.column == LEAF {
                varint(&mut out, 0);
                out.push(node.bin);
                let first = node.next as usize;
                let answers = tree.answers.get(first..=first + usize::from(node.bin));
                for answer in answers.unwrap_or_default() {
                    varint(&mut out, answer.class);
                    out.extend(answer.value.to_le_bytes());
                }
            } else {
                varint(&mut out, node.column + 1);
                out.push(node.bin);
                open.extend([node.next as usize + 1, node.next as usize]);
            }
        }
    }
    out
}

/// The trees; `None` where the bytes end early or go on.
fn read_trees(mut bytes: &[u8], n_trees: u32) -> Option<Vec<Tree>> {
    let mut trees = Vec::new();
    let mut n_nodes = 0;
    for _ in 0..n_trees {
        let mut tree = Tree::seed();
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let column = read_varint(&mut bytes)?;
            let (bin, rest) = bytes.split_first()?;
            bytes = rest;
            if column == 0 {
                let mut answers = Vec::new();
                for _ in 0..=*bin {
                    let class = read_varint(&mut bytes)?;
                    let (value, rest) = bytes.split_first_chunk()?;
                    bytes = rest;
                    answers.push(Answer { class, value: f32::from_le_bytes(*value) });
                }
                tree.set_leaf(at, answers.into_iter());
            } else {
                let next = tree.set_question(at, usize::from(column - 1), *bin);
                open.extend([next + 1, next]);
            }
        }
        n_nodes += tree.nodes.len();
        if n_nodes > MAX_NODES {
            return None;
        }
        trees.push(tree);
    }
    bytes.is_empty().then_some(trees)
}

fn varint(out: &mut Vec<u8>, mut number: u16) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u16> {
    let mut number = 0u32;
    for shift in [0, 7, 14] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u16::try_from(number).ok();
        }
    }
    None
}
