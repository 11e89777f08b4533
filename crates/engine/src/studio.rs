//! Where models are made: captures and tables in, what is learned from them and how well out, step by step.
//!
//! Both hosts have one, the page's worker and the companion, and so does the command line. The same captures and tables give
//! the same model to the byte, in whatever order they come.

mod answers;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use features::Schema;
use flow::{Endpoint, Transport};
use learn::{Confusion, Data, Method, Model, Options, Report, Row, Said, Split, Stage, Work};
use v1::{
    Count,
    page::{
        JudgedRow, JudgedRows, TrainingClass, TrainingData, TrainingPart, TrainingPlan,
        TrainingProgress, TrainingReport, TrainingStage,
    },
};

use crate::{Analysis, Lesson};

pub use self::answers::{card, choices};

/// How many rows a model is asked of at once.
const BATCH: usize = 4_096;
/// The most rows one answer holds.
const MAX_ROWS: u32 = 1_000;

/// Why nothing can be learned.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// The data or a model do not allow it.
    #[error(transparent)]
    Learn(#[from] learn::Error),
    /// What is asked for makes no sense.
    #[error("{0}")]
    Plan(String),
    /// A table has other columns, or a model wants others.
    #[error("{name} has no column `{missing}`")]
    NoColumn {
        /// The table, or the data.
        name: String,
        /// The first column that is missing.
        missing: String,
    },
}

/// Captures and tables, what is learned from them, and how well it does.
///
/// ```
/// let mut studio = engine::Studio::new(&features::TRACTOR, None);
/// assert_eq!(studio.data().rows, 0);
/// // Two classes are the least that can be told apart.
/// assert!(studio.begin(&v1::page::TrainingPlan::default()).is_err());
/// ```
pub struct Studio {
    /// What flows are made into.
    of_flows: Columns,
    /// What the rows have now: those of flows, or of a table that came first.
    columns: Columns,
    /// By name, so that the order in which they come plays no part.
    parts: BTreeMap<String, Part>,
    /// All rows, where nothing changed since they were put together.
    all: Option<Arc<All>>,
    work: Option<Under>,
    judged: Option<Judged>,
    model: Option<Arc<Model>>,
}

/// What rows consist of.
#[derive(Clone)]
struct Columns {
    schema: Option<&'static Schema>,
    timeout_micros: Option<u64>,
    names: Vec<String>,
}

/// A capture or a table.
struct Part {
    data: Data,
    flows: Arc<FlowsOf>,
    /// What is told of it besides its rows and labels.
    told: TrainingPart,
}

/// The flows that rows are of.
#[derive(Default)]
struct FlowsOf {
    /// Of each row; none of a table.
    rows: Vec<RowOf>,
    /// What flows say of themselves.
    own_labels: Vec<String>,
}

/// What a row is of.
#[derive(Clone, Copy)]
struct RowOf {
    flow_id: u32,
    transport: Transport,
    client: Endpoint,
    server: Endpoint,
    /// From when to when the flow lasted, in nanoseconds.
    times: (u64, u64),
    bytes: u64,
    /// What the flow says of itself, by its place among [`FlowsOf::own_labels`].
    own_label: u32,
}

/// The rows of all parts.
struct All {
    data: Arc<Data>,
    /// The part and the place in it of each row.
    places: Vec<(u32, u32)>,
    n_duplicates: u64,
    n_contradictions: u64,
}

/// Learning under way.
struct Under {
    work: Work,
    data: Arc<Data>,
    places: Vec<(u32, u32)>,
    /// The names of the parts and their flows; others may come while it lasts.
    parts: Vec<(String, Arc<FlowsOf>)>,
    options: Options,
    name: String,
    n_dropped: u64,
}

/// What was judged.
struct Judged {
    /// The rows, by their places; see [`All::places`].
    places: Vec<(u32, u32)>,
    /// The names of the parts then, and their flows.
    parts: Vec<(String, Arc<FlowsOf>)>,
    /// The class of each row, among those of the report.
    classes: Vec<u32>,
    report: Report,
    options: Options,
    columns: Columns,
    n_dropped: u64,
    model: Option<String>,
    is_stopped: bool,
}

impl Columns {
    fn empty(&self) -> Data {
        match self.schema {
            Some(schema) => Data::of_schema(schema, self.timeout_micros),
            None => {
                let mut data = Data::of_columns(self.names.clone());
                data.timeout_micros = self.timeout_micros;
                data
            }
        }
    }

    /// Columns of one name may hold another statistic in another schema: those of the published files do.
    fn check_alike(&self, name: &str, schema: Option<&'static Schema>) -> Result<(), StudioError> {
        match (self.schema, schema) {
            (Some(own), Some(other)) if own != other => {
                let (own, other) = (own.name, other.name);
                let message = format!("{name} has the columns of {other}, the others are {own}");
                Err(StudioError::Plan(message))
            }
            _ => Ok(()),
        }
    }

    fn of(data: &Data) -> Self {
        Self {
            schema: data.schema,
            timeout_micros: data.timeout_micros,
            names: data.columns.clone(),
        }
    }
}

impl Studio {
    /// Nothing to learn from yet; flows are cut by this timeout and made into the features of this schema.
    pub fn new(schema: &'static Schema, timeout_micros: Option<u64>) -> Self {
        let of_flows = Columns::of(&Data::of_schema(schema, timeout_micros));
        Self {
            columns: of_flows.clone(),
            of_flows,
            parts: BTreeMap::new(),
            all: None,
            work: None,
            judged: None,
            model: None,
        }
    }

    /// The schema flows are made into.
    pub fn schema(&self) -> Option<&'static Schema> {
        self.of_flows.schema
    }

    /// Adds the flows of a capture; those it had before under this name go.
    ///
    /// # Errors
    /// Where there are tables of other columns.
    pub fn add(
        &mut self,
        analysis: &Analysis,
        capture: &str,
        lesson: &Lesson,
    ) -> Result<TrainingPart, StudioError> {
        self.remove(capture);
        if self.columns.names != self.of_flows.names {
            let flows = self.of_flows.schema.map_or("flows", |it| it.name);
            let message =
                format!("captures give the features of {flows}, and the tables have other columns");
            return Err(StudioError::Plan(message));
        }
        let mut data = self.of_flows.empty();
        let taught = analysis.teach(&mut data, capture, lesson);
        let mut own_labels: BTreeMap<String, u32> = BTreeMap::new();
        let mut rows = Vec::with_capacity(taught.flows.len());
        for number in &taught.flows {
            let Some(row) = analysis.row(*number) else { continue };
            let own = analysis.own_label(*number);
            let own = own.map_or(classify::UNKNOWN, |it| it.0);
            let next = own_labels.len() as u32;
            let own_label = match own_labels.get(own) {
                Some(known) => *known,
                None => *own_labels.entry(own.to_owned()).or_insert(next),
            };
            rows.push(RowOf {
                flow_id: *number,
                transport: row.transport,
                client: row.client,
                server: row.server,
                times: (row.time_start_ns, row.time_end_ns),
                bytes: row.bytes(),
                own_label,
            });
        }
        let mut own_labels: Vec<(String, u32)> = own_labels.into_iter().collect();
        own_labels.sort_by_key(|it| it.1);
        let told = TrainingPart {
            name: capture.to_owned(),
            unlabelled: taught.unlabelled,
            filtered: taught.filtered,
            contradicting: taught.contradicting,
            ..TrainingPart::default()
        };
        let own_labels = own_labels.into_iter().map(|it| it.0).collect();
        let flows = Arc::new(FlowsOf { rows, own_labels });
        Ok(self.put(capture, Part { data, flows, told }))
    }

    /// Adds the rows of a table; those it had before under this name go. Where there is nothing else, its columns are what is
    /// learned from.
    ///
    /// # Errors
    /// Where a column is missing in it.
    pub fn add_table(
        &mut self,
        name: &str,
        table: Data,
        notices: Vec<String>,
    ) -> Result<TrainingPart, StudioError> {
        self.remove(name);
        if self.parts.is_empty() {
            self.columns = Columns::of(&table);
        } else {
            self.columns.check_alike(name, table.schema)?;
            let timeouts = [self.columns.timeout_micros, table.timeout_micros];
            let are_known = timeouts.iter().all(Option::is_some);
            let are_tables = self.parts.values().all(|it| it.told.is_table);
            if timeouts[0] != timeouts[1] && (are_known || are_tables) {
                // They may be pieces of the same flows: judging by them would mean nothing.
                let message = format!("{name} has flows cut by another timeout than the others");
                return Err(StudioError::Plan(message));
            }
        }
        let data = in_order(&self.columns, name, &table)?;
        let told = TrainingPart {
            name: name.to_owned(),
            is_table: true,
            notices,
            ..TrainingPart::default()
        };
        Ok(self.put(name, Part { data, flows: Arc::default(), told }))
    }

    fn put(&mut self, name: &str, part: Part) -> TrainingPart {
        let told = part.told();
        self.parts.insert(name.to_owned(), part);
        self.all = None;
        told
    }

    /// Takes a capture or a table away; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let was_there = self.parts.remove(name).is_some();
        if self.parts.is_empty() {
            self.columns = self.of_flows.clone();
        }
        if was_there {
            self.all = None;
        }
        was_there
    }

    /// Says that all rows of a capture or a table are of one class; whether there is one of that name.
    pub fn relabel(&mut self, name: &str, class: &str) -> bool {
        let Some(part) = self.parts.get_mut(name) else { return false };
        let mut data = Columns::of(&part.data).empty();
        data.captures.clone_from(&part.data.captures);
        for (at, origin) in part.data.rows().iter().enumerate() {
            data.push(part.data.values(at).iter().copied(), class, *origin);
        }
        part.data = data;
        self.all = None;
        true
    }

    /// What there is to learn from.
    pub fn data(&mut self) -> TrainingData {
        let all = self.all();
        let data = &all.data;
        let mut captures: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for row in data.rows() {
            captures.entry(row.class).or_default().insert(row.capture);
        }
        let classes = (0..).zip(data.classes()).zip(data.counts());
        let classes = classes.map(|((at, label), rows)| TrainingClass {
            label: label.clone(),
            rows,
            captures: captures.get(&at).map_or(0, |it| it.len() as u64),
        });
        TrainingData {
            schema: self.columns.schema.map(|it| it.name.to_owned()),
            timeout_micros: self.columns.timeout_micros,
            columns: answers::columns(self.columns.schema, &self.columns.names),
            parts: self.parts.values().map(Part::told).collect(),
            classes: classes.collect(),
            rows: data.len() as u64,
            duplicates: all.n_duplicates,
            contradictions: all.n_contradictions,
            lone: learn::lone_classes(data).into_iter().map(ToString::to_string).collect(),
            split: Split::honest(data).row().name.to_owned(),
        }
    }

    fn flows(&self) -> Vec<(String, Arc<FlowsOf>)> {
        self.parts.iter().map(|(name, part)| (name.clone(), Arc::clone(&part.flows))).collect()
    }

    /// The rows of all parts.
    fn all(&mut self) -> Arc<All> {
        if let Some(all) = &self.all {
            return Arc::clone(all);
        }
        let mut data = self.columns.empty();
        let mut places = Vec::new();
        for (number, (name, part)) in (0..).zip(&self.parts) {
            let of = &part.data;
            let from = data.captures.len() as u32;
            match &*of.captures {
                [] | [_] => data.captures.push(name.clone()),
                several => data.captures.extend(several.iter().map(|it| format!("{name}/{it}"))),
            }
            let captures: Vec<u32> = (from..data.captures.len() as u32).collect();
            for (at, origin) in (0u32..).zip(of.rows()) {
                let capture = captures.get(origin.capture as usize).or(captures.first());
                let origin = Row { capture: capture.copied().unwrap_or(0), ..*origin };
                let at_row = at as usize;
                data.push(of.values(at_row).iter().copied(), of.label(at_row), origin);
                places.push((number, at));
            }
        }
        let n_duplicates = (data.len() - data.unique_rows().len()) as u64;
        let n_contradictions = data.n_contradictions();
        let all = Arc::new(All { data: Arc::new(data), places, n_duplicates, n_contradictions });
        self.all = Some(Arc::clone(&all));
        all
    }

    /// Begins to learn. What was learned before stays until there is something new.
    ///
    /// # Errors
    /// Where there is no such method, number or split, or the data do not allow it.
    pub fn begin(&mut self, plan: &TrainingPlan) -> Result<(), StudioError> {
        let options = options(plan)?;
        let split = match &plan.split {
            None => None,
            Some(name) => Some(Split::named(name).ok_or_else(|| no_such("split", name, splits()))?),
        };
        let all = self.all();
        let (data, places, n_dropped) = if plan.is_unique && all.n_duplicates > 0 {
            let kept = all.data.unique_rows();
            let places = kept.iter().filter_map(|it| all.places.get(*it).copied()).collect();
            (Arc::new(all.data.only(kept)), places, all.n_duplicates)
        } else {
            (Arc::clone(&all.data), all.places.clone(), 0)
        };
        let learned = learn::Plan {
            options,
            split,
            folds: plan.folds,
            has_importance: plan.has_importance,
            has_curve: plan.has_curve,
            has_model: plan.has_model,
            sources: plan.sources.clone(),
        };
        let work = Work::new(Arc::clone(&data), learned)?;
        let name = plan.name.clone();
        let parts = self.flows();
        self.work = Some(Under { work, data, places, parts, options, name, n_dropped });
        Ok(())
    }

    /// Goes a step; how far it is then, `None` at the end or where nothing was begun.
    pub fn step(&mut self) -> Option<TrainingProgress> {
        let Some(it) = self.work.as_mut()?.work.step() else {
            self.finish(false);
            return None;
        };
        let stage = match it.stage {
            Stage::Part(number) => TrainingStage::Part(number + 1),
            Stage::Importance => TrainingStage::Importance,
            Stage::Curve => TrainingStage::Curve,
            Stage::Whole => TrainingStage::Whole,
        };
        Some(TrainingProgress { done: it.done, of: it.of, stage })
    }

    /// Of what was judged so far while something is learned: how many rows, and the share of them called right.
    pub fn judged_so_far(&self) -> Option<(u64, f64)> {
        let confusion = self.work.as_ref()?.work.so_far();
        Some((confusion.total(), confusion.accuracy())).filter(|it| it.0 > 0)
    }

    /// Stops learning: what was judged so far is kept, and there is no new model.
    pub fn stop(&mut self) {
        self.finish(true);
    }

    fn finish(&mut self, is_stopped: bool) {
        let Some(under) = self.work.take() else { return };
        let done = under.work.finish();
        if let Some(report) = done.report.filter(|it| it.confusion.total() > 0) {
            self.judged = Some(Judged {
                places: under.places,
                parts: under.parts,
                classes: under.data.rows().iter().map(|it| it.class).collect(),
                report,
                options: under.options,
                columns: Columns::of(&under.data),
                n_dropped: under.n_dropped,
                model: None,
                is_stopped,
            });
        }
        if let Some(mut model) = done.model {
            model.name = under.name;
            self.model = Some(Arc::new(model));
        }
    }

    /// Judges a model by all rows, none of which it should have learned from.
    ///
    /// # Errors
    /// Where it wants a column that is not there, or there is no row.
    pub fn judge(&mut self, model: &Model) -> Result<(), StudioError> {
        let all = self.all();
        let data = &all.data;
        if data.is_empty() {
            return Err(StudioError::Plan("there is no row to judge by".to_owned()));
        }
        let is_cut_alike = model.timeout_micros() == self.columns.timeout_micros;
        if !is_cut_alike && self.parts.values().any(|it| !it.told.is_table) {
            let message = format!("the model {} wants flows cut by another timeout", model.name);
            return Err(StudioError::Plan(message));
        }
        let known = data.classes().iter().chain(model.classes());
        let classes: BTreeSet<&String> = known.collect();
        let classes: Vec<String> = classes.into_iter().cloned().collect();
        let place =
            |label: &str| classes.binary_search_by(|it| it.as_str().cmp(label)).unwrap_or(0);
        let (mut confusion, mut majority) = (Confusion::new(&classes), Confusion::new(&classes));
        let counts = data.counts();
        let most = (0..counts.len()).rev().max_by_key(|it| counts.get(*it).copied());
        let most = most.and_then(|it| data.classes().get(it)).map(|it| place(it));
        let (mut said, mut of_row, mut judged) = (Vec::new(), Vec::new(), Vec::new());
        for (row, it) in say(model, data)?.into_iter().enumerate() {
            let is = place(data.label(row));
            let class = place(model.classes().get(it.class).map_or("", String::as_str));
            confusion.add(is, Some(class));
            majority.add(is, most);
            judged.push((it.share, class == is));
            said.push(Some(Said { class, ..it }));
            of_row.push(is as u32);
        }
        let reliability = learn::reliability(&judged);
        let calibration_error = learn::calibration_error(&reliability);
        let report = Report {
            confusion,
            said,
            majority,
            reliability,
            calibration_error,
            ..Report::default()
        };
        self.judged = Some(Judged {
            places: all.places.clone(),
            parts: self.flows(),
            classes: of_row,
            report,
            options: model.card.options,
            columns: self.columns.clone(),
            n_dropped: 0,
            model: Some(model.name.clone()),
            is_stopped: false,
        });
        Ok(())
    }

    /// How well it does, where something was judged.
    pub fn report(&self) -> Option<TrainingReport> {
        self.judged.as_ref().map(Judged::told)
    }

    /// Whether what was said of each row is right; of those that were judged.
    pub fn right(&self) -> Vec<bool> {
        let Some(judged) = &self.judged else { return Vec::new() };
        let rows = judged.classes.iter().zip(&judged.report.said);
        rows.filter_map(|(class, said)| said.map(|it| it.class == *class as usize)).collect()
    }

    /// The rows of a class of which a class was said, or nothing; in order, some of them.
    pub fn cell(&self, is: &str, said: Option<&str>, offset: u32, len: u32) -> JudgedRows {
        let Some(judged) = &self.judged else { return JudgedRows::default() };
        let classes = judged.report.confusion.classes();
        let place = |label: &str| classes.iter().position(|it| it == label);
        let (Some(is_at), said_at) = (place(is), said.map(place)) else {
            return JudgedRows::default();
        };
        // Of a row that was not judged nothing was said, and it is in no cell.
        let rows = judged.classes.iter().zip(&judged.report.said).zip(&judged.places);
        let found = rows.filter(|((class, it), _)| {
            **class as usize == is_at && it.is_some_and(|it| Some(Some(it.class)) == said_at)
        });
        let matching = found.clone().count() as u64;
        let window = found.skip(offset as usize).take(len.min(MAX_ROWS) as usize);
        let rows = window.filter_map(|((_, it), place)| judged.row((*it)?, *place, is));
        JudgedRows { matching, rows: rows.collect() }
    }

    /// The model learned last.
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.as_ref()
    }
}

impl Judged {
    /// A row of this class of which this was said.
    fn row(&self, said: Said, (part, at): (u32, u32), is: &str) -> Option<JudgedRow> {
        let (name, flows) = self.parts.get(part as usize)?;
        let row = JudgedRow {
            capture: name.clone(),
            flow_id: at,
            label: is.to_owned(),
            said: self.report.confusion.classes().get(said.class).cloned(),
            confidence: said.confidence.into(),
            ..JudgedRow::default()
        };
        let Some(of) = flows.rows.get(at as usize) else { return Some(row) };
        let own_label = flows.own_labels.get(of.own_label as usize);
        Some(JudgedRow {
            flow_id: of.flow_id,
            transport: of.transport.to_string(),
            client_ip: of.client.ip.to_string(),
            client_port: of.client.port,
            server_ip: of.server.ip.to_string(),
            server_port: of.server.port,
            time_start_ns: of.times.0,
            time_end_ns: of.times.1,
            bytes: of.bytes,
            payload_label: own_label.cloned().unwrap_or_default(),
            ..row
        })
    }
}

impl Part {
    fn told(&self) -> TrainingPart {
        let labels = self.data.classes().iter().zip(self.data.counts());
        let labels = labels.map(|(label, count)| Count { label: label.clone(), count });
        TrainingPart { rows: self.data.len() as u64, labels: labels.collect(), ..self.told.clone() }
    }
}

/// What a model says of rows that have its columns, in whatever order and among others.
///
/// # Errors
/// Where a column is missing, or the model is of another schema.
pub fn say(model: &Model, data: &Data) -> Result<Vec<Said>, StudioError> {
    Columns::of(data).check_alike(&format!("the model {}", model.name), model.schema())?;
    let places = places_of(&data.columns, model.columns(), "the data")?;
    let mut said = Vec::with_capacity(data.len());
    for from in (0..data.len()).step_by(BATCH) {
        let value = |row: usize, at: usize| data.values(row).get(at).copied();
        let row = |row: usize| -> Vec<f32> {
            places.iter().map(|at| value(row, *at).unwrap_or(f32::NAN)).collect()
        };
        let rows: Vec<Vec<f32>> = (from..data.len().min(from + BATCH)).map(row).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        said.extend(model.say(&rows));
    }
    Ok(said)
}

/// The places of some columns among others.
fn places_of(among: &[String], columns: &[String], name: &str) -> Result<Vec<usize>, StudioError> {
    let places: BTreeMap<&str, usize> = among.iter().map(String::as_str).zip(0..).collect();
    let place = |it: &String| {
        places
            .get(it.as_str())
            .copied()
            .ok_or_else(|| StudioError::NoColumn { name: name.to_owned(), missing: it.clone() })
    };
    columns.iter().map(place).collect()
}

/// The rows of a table with these columns, in this order.
fn in_order(columns: &Columns, name: &str, table: &Data) -> Result<Data, StudioError> {
    let places = places_of(&table.columns, &columns.names, name)?;
    let mut data = columns.empty();
    data.captures.clone_from(&table.captures);
    for (at, origin) in table.rows().iter().enumerate() {
        let values = table.values(at);
        let values = places.iter().map(|it| values.get(*it).copied().unwrap_or(f32::NAN));
        data.push(values, table.label(at), *origin);
    }
    Ok(data)
}

fn splits() -> Vec<&'static str> {
    learn::SPLITS.iter().map(|it| it.name).collect()
}

fn no_such(what: &str, name: &str, there_are: Vec<&str>) -> StudioError {
    StudioError::Plan(format!("there is no {what} `{name}`; there are {}", there_are.join(", ")))
}

/// The options of a plan.
fn options(plan: &TrainingPlan) -> Result<Options, StudioError> {
    let methods = || learn::METHODS.iter().map(|it| it.name).collect();
    let method =
        Method::named(&plan.method).ok_or_else(|| no_such("method", &plan.method, methods()))?;
    let mut options = Options::of(method);
    (options.is_balanced, options.seed) = (plan.is_balanced, plan.seed);
    for (name, value) in &plan.numbers {
        options.set(name, *value).map_err(StudioError::Plan)?;
    }
    Ok(options)
}
