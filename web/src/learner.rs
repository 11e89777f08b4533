//! The worker's other kind: files come one after the other, rows stay, and models are learned from them in short steps.
//!
//! Between steps the worker hears what is said to it, so that learning can be stopped and asked about. Of a capture only its
//! rows stay; its analysis goes before the next one is read.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use engine::{Applying, Filter, Job, Lesson, Studio, Teacher, Timeout};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use v1::{
    Notice,
    page::{Query, TrainingLabels, TrainingPlan, TrainingProgress, TrainingReport},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, MessageChannel};

use crate::{
    chunks::{self, CHUNK_LEN, Chunks},
    message::{Reading, Study, Taught, describe},
};

/// How long the worker learns before it listens again, in milliseconds.
const SLICE_MILLIS: f64 = 30.0;
/// Progress is told at most once in so many milliseconds.
const PROGRESS_MILLIS: f64 = 100.0;
/// The longest table that is read, in bytes: it is held whole, and its rows besides.
const MAX_TABLE_LEN: u64 = 512 << 20;

/// What the worker says while something lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// Bytes read, of so many.
    Reading(u64, u64),
    /// How far it has learned; and of what was judged so far, how many rows and the share called right.
    Learning(TrainingProgress, Option<(u64, f64)>),
}

/// The worker's studio, and what is asked of it.
pub struct Learner {
    studio: RefCell<Studio>,
    filter: Filter,
    /// Whether what lasts shall end.
    is_stopped: Cell<bool>,
    /// Whether something is being learned.
    is_busy: Cell<bool>,
    /// See [`Job::new`].
    seed: u64,
}

/// Why a file is not learned from.
enum Wrong {
    /// It cannot be read.
    Notice(Notice),
    /// Anything else, in words.
    Text(String),
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A question's answer: JSON, or bytes as they are.
pub enum Answer {
    /// JSON.
    Json(serde_json::Value),
    /// A file.
    Bytes(Vec<u8>),
}

impl Learner {
    /// A studio without data.
    ///
    /// # Errors
    /// Where there is no such schema, or timeout or filter are not understood.
    pub fn new(reading: &Reading, seed: u64) -> Result<Self, String> {
        let schema = features::schema(&reading.schema)
            .ok_or_else(|| format!("there is no schema `{}`", reading.schema))?;
        let timeout_micros = timeout_micros(&reading.timeout)?;
        Ok(Self {
            studio: RefCell::new(Studio::new(schema, timeout_micros)),
            filter: Filter::parse(&reading.filter)
                .and_then(|it| it.where_countries(false))
                .map_err(|it| it.to_string())?,
            is_stopped: Cell::new(false),
            is_busy: Cell::new(false),
            seed,
        })
    }

    /// Ends what lasts: reading a file, or learning.
    pub fn stop(&self) {
        self.is_stopped.set(true);
    }

    /// Answers; what lasts tells how far it is.
    ///
    /// # Errors
    /// Where something cannot be read or learned, in words.
    pub async fn answer(
        self: Rc<Self>,
        study: Study,
        payload: JsValue,
        tell: impl Fn(Told),
    ) -> Result<Answer, String> {
        let json = |it: serde_json::Result<serde_json::Value>| {
            it.map(Answer::Json).map_err(|it| it.to_string())
        };
        match study {
            Study::Choices => {
                // The schemas are the same of every capture, also of one without a byte.
                let schemas = Job::new("", self.seed).finish(true).page(&Query::Schemas);
                json(serde_json::to_value((engine::choices(), schemas)))
            }
            Study::Add { name, labels, is_chosen } => {
                let file = payload.dyn_into::<File>().map_err(|it| describe(&it))?;
                let added = self.add(&name, file, labels, is_chosen, &tell).await;
                let taught = match added {
                    Ok((labels, is_complete)) => {
                        let data = self.studio.borrow_mut().data();
                        Ok(Taught { data, labels, is_complete })
                    }
                    Err(Wrong::Notice(notice)) => Err(notice),
                    Err(Wrong::Text(text)) => return Err(text),
                };
                json(serde_json::to_value(taught))
            }
            Study::Relabel { name, class } => {
                let mut studio = self.studio.borrow_mut();
                studio.relabel(&name, &class);
                json(serde_json::to_value(studio.data()))
            }
            Study::Remove { name } => {
                let mut studio = self.studio.borrow_mut();
                studio.remove(&name);
                json(serde_json::to_value(studio.data()))
            }
            Study::Train(plan) => json(serde_json::to_value(self.train(&plan, &tell).await?)),
            Study::Model => {
                let studio = self.studio.borrow();
                let model = studio.model().ok_or("there is no model")?;
                Ok(Answer::Bytes(model.write()))
            }
            Study::OwnModel => Ok(Answer::Bytes(learn::default_model().write())),
            Study::Card => {
                let model = read(&bytes_of(&payload))?;
                json(serde_json::to_value(engine::card(&model)))
            }
            Study::Judge => {
                let model = read(&bytes_of(&payload))?;
                let mut studio = self.studio.borrow_mut();
                studio.judge(&model).map_err(said)?;
                json(serde_json::to_value(studio.report()))
            }
            Study::Cell { is, said, offset, len } => {
                let studio = self.studio.borrow();
                json(serde_json::to_value(studio.cell(&is, said.as_deref(), offset, len)))
            }
        }
    }

    /// Reads a file and keeps its rows; the labels they got, and whether all of it was read.
    async fn add(
        &self,
        name: &str,
        file: File,
        labels: TrainingLabels,
        is_chosen: bool,
        tell: &impl Fn(Told),
    ) -> Result<(TrainingLabels, bool), Wrong> {
        self.is_stopped.set(false);
        if is_table(&file.name()) {
            let text = self.text(file, tell).await?;
            self.add_table(name, &text)?;
            return Ok((labels, true));
        }
        let mut chunks = Chunks::new(file.into(), CHUNK_LEN);
        let total = chunks.total();
        let mut job = Job::new(name, self.seed);
        let mut told_at = 0.0;
        while let Some(piece) = chunks.next().await.map_err(|it| describe(&it))? {
            if self.is_stopped.get() {
                return Err(Wrong::Text("reading was stopped".to_owned()));
            }
            // What cannot be read further is in the notices of the analysis.
            if !chunks::feed(&mut job, &piece) {
                break;
            }
            let now = js_sys::Date::now();
            if now - told_at >= PROGRESS_MILLIS {
                told_at = now;
                tell(Told::Reading(job.progress().bytes, total));
            }
        }
        let analysis = job.finish(false);
        if let Some(notice) = analysis.failure() {
            return Err(Wrong::Notice(notice.clone()));
        }
        // What the capture says of itself goes before what its name suggests.
        let labels = match analysis.label_of_comments() {
            Some(label) if !is_chosen => TrainingLabels::Given(label),
            _ => labels,
        };
        let lesson = Lesson {
            filter: self.filter.clone(),
            teacher: Teacher::of(&labels).map_err(|it| it.to_string())?,
        };
        self.studio.borrow_mut().add(&analysis, name, &lesson).map_err(said)?;
        Ok((labels, analysis.is_complete()))
    }

    /// A whole file as text.
    async fn text(&self, file: File, tell: &impl Fn(Told)) -> Result<String, String> {
        let mut chunks = Chunks::new(file.into(), CHUNK_LEN);
        let total = chunks.total();
        if total > MAX_TABLE_LEN {
            return Err(format!("the table has {total} bytes; at most {MAX_TABLE_LEN} are read"));
        }
        let mut bytes = Vec::with_capacity(total as usize);
        while let Some(piece) = chunks.next().await.map_err(|it| describe(&it))? {
            if self.is_stopped.get() {
                return Err("reading was stopped".to_owned());
            }
            bytes.extend(piece.to_vec());
            tell(Told::Reading(bytes.len() as u64, total));
        }
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()))
    }

    fn add_table(&self, name: &str, text: &str) -> Result<(), String> {
        let mut studio = self.studio.borrow_mut();
        // Beside captures a table has their features; by itself it has what it has.
        let has_captures = studio.data().parts.iter().any(|it| !it.is_table);
        let schema = studio.schema().filter(|_| has_captures);
        let how = learn::Reading { schema, label: None };
        let table = learn::read_table(text, name, &how).map_err(|it| it.to_string())?;
        let notices = table.notices.iter().map(ToString::to_string).collect();
        studio.add_table(name, table.data, notices).map_err(said)?;
        Ok(())
    }

    /// Learns to the end, or until it is stopped.
    async fn train(
        &self,
        plan: &TrainingPlan,
        tell: &impl Fn(Told),
    ) -> Result<Option<TrainingReport>, String> {
        if self.is_busy.replace(true) {
            return Err("something is being learned".to_owned());
        }
        let done = self.learn(plan, tell).await;
        self.is_busy.set(false);
        done
    }

    async fn learn(
        &self,
        plan: &TrainingPlan,
        tell: &impl Fn(Told),
    ) -> Result<Option<TrainingReport>, String> {
        self.is_stopped.set(false);
        self.studio.borrow_mut().begin(plan).map_err(said)?;
        let mut told_at = 0.0;
        loop {
            let began = js_sys::Date::now();
            let mut last = None;
            while js_sys::Date::now() - began < SLICE_MILLIS {
                last = self.studio.borrow_mut().step();
                if last.is_none() {
                    break;
                }
            }
            let Some(progress) = last else { break };
            if self.is_stopped.get() {
                let mut studio = self.studio.borrow_mut();
                // Where nothing was judged yet, the report there is was of another time.
                let is_judged = studio.judged_so_far().is_some();
                studio.stop();
                return Ok(studio.report().filter(|_| is_judged));
            }
            if began - told_at >= PROGRESS_MILLIS {
                told_at = began;
                tell(Told::Learning(progress, self.studio.borrow().judged_so_far()));
            }
            breathe().await;
        }
        // What was judged before is not of this.
        Ok(self.studio.borrow().report().filter(|_| plan.folds > 0))
    }
}

/// Whether a file is a table of rows, and no capture.
fn is_table(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".csv", ".arff"].iter().any(|it| name.ends_with(it))
}

/// The timeout of a model, in microseconds; `None` leaves flows whole.
fn timeout_micros(text: &str) -> Result<Option<u64>, String> {
    match text.parse::<Timeout>()? {
        Timeout::None => Ok(None),
        Timeout::Micros(micros) => Ok(Some(micros)),
        _ => Err(format!("`{text}` is no number of seconds, and a model knows no other timeout")),
    }
}

/// When guesses count that must be so many percent sure.
pub fn applying(threshold: u8) -> Applying {
    Applying { threshold: f32::from(threshold) / 100.0, ..Applying::default() }
}

/// A model from a file.
///
/// # Errors
/// Where the bytes are no model.
pub fn read(bytes: &[u8]) -> Result<Arc<learn::Model>, String> {
    learn::Model::read(bytes).map(Arc::new).map_err(|it| it.to_string())
}

/// The bytes of a buffer; none of anything else.
pub fn bytes_of(buffer: &JsValue) -> Vec<u8> {
    buffer.dyn_ref::<ArrayBuffer>().map_or_else(Vec::new, |it| Uint8Array::new(it).to_vec())
}

fn said(error: engine::StudioError) -> String {
    error.to_string()
}

/// Lets the worker hear what was said to it. A timer would wait some milliseconds each time; a message does not.
async fn breathe() {
    let Ok(channel) = MessageChannel::new() else { return };
    let heard = Promise::new(&mut |resolve, _| channel.port2().set_onmessage(Some(&resolve)));
    if channel.port1().post_message(&JsValue::NULL).is_ok() {
        // A promise that is only resolved does not fail.
        drop(JsFuture::from(heard).await);
    }
    channel.port1().close();
}
