//! What the page and its worker say to each other.
//!
//! A message is the pair `[control, payload]`. The control part is one of the enums below, through serde-wasm-bindgen;
//! what is large goes in the payload, which is handed over and not copied: the chosen file, an answer as JSON bytes, an
//! export as a `Blob`, a model.

use serde::{Deserialize, Serialize};
use v1::{
    Notice,
    page::{TrainingData, TrainingLabels, TrainingPlan, TrainingProgress},
};
use wasm_bindgen::{JsCast, JsValue};

/// What the page says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Read the file in the payload, or the files of an array as one capture. Said once, first.
    Open {
        /// A file of the user's rules, which was checked; empty where there is none.
        rules: String,
    },
    /// Learn: read and learn as questions of [`Study`] say. Said once, first, instead of `Open`.
    Learn(Reading),
    /// Read no further; what was read stays. Of a worker that learns: learn no further. Of one that writes packets: that
    /// was not to be.
    Stop,
    /// Answer by [`FromWorker::Answer`] or [`FromWorker::Refused`] with the same number.
    Ask {
        /// The question's number.
        id: u32,
        /// The question.
        question: Question,
    },
}

/// What the page can ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Question {
    /// A question of the page; the payload of the answer is JSON in an `ArrayBuffer`.
    Page(v1::page::Query),
    /// A request of the v1 interface; the payload of the answer is JSON in an `ArrayBuffer`.
    V1(v1::Request),
    /// The flows as a file; the payload of the answer is a `Blob`.
    Export(Export),
    /// About how many rows, or packets, an export will have, and how many bytes; the payload of the answer is JSON.
    Estimate(Export),
    /// The packets of flows as a pcapng, for which the file is read again; the payload of the answer is a `Blob`, once that
    /// is done. [`ToWorker::Stop`] ends it.
    Packets(Packets),
    /// How many rules this file of the user's has, by which another capture shall be read; the payload of the answer is
    /// JSON in an `ArrayBuffer`. A file that cannot be used is refused.
    Rules(String),
    /// Guess by the model in the payload what says nothing of itself; the payload of the answer is JSON.
    Apply {
        /// Below so many percent of confidence a flow stays unknown.
        threshold: u8,
    },
    /// Know countries by the database in the payload, a file of the user's; without one, none. The payload of the answer is
    /// JSON: what the database says of itself, or null. A file that is none is refused.
    Countries,
    /// Know makers of network interfaces by the list in the payload, a file of the user's; without one, none. The payload of
    /// the answer is JSON: how many prefixes the list has, or null. A file that is none is refused.
    Makers,
    /// How does the capture differ whose digest, as JSON, is in the payload? Answered by a `Comparison`; the payload of the
    /// answer is JSON.
    Compare,
    /// Take the guesses of a model back; the payload of the answer is JSON.
    TakeBack,
    /// Of a worker that learns.
    Study(Study),
}

/// What is read of files that are learned from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The schema whose features are learned from.
    pub schema: String,
    /// By what flows are cut, as the command line has it.
    pub timeout: String,
    /// Only flows that pass this filter.
    pub filter: String,
}

/// What a worker that learns can be asked. Unless said otherwise the payload of the answer is JSON in an `ArrayBuffer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Study {
    /// How can models be learned, and from which features?
    Choices,
    /// Read the file in the payload; answered by a `Result` of [`Taught`], or of the notice why the file cannot be read,
    /// once that is done.
    Add {
        /// What the file is called; another of this name is replaced.
        name: String,
        /// Which labels its flows have.
        labels: TrainingLabels,
        /// They are the user's choice; else what the capture says of itself goes before them.
        is_chosen: bool,
    },
    /// Give all rows of a file this class. Answered by `TrainingData`.
    Relabel {
        /// The file.
        name: String,
        /// The class.
        class: String,
    },
    /// Forget a file. Answered by `TrainingData`.
    Remove {
        /// The file.
        name: String,
    },
    /// Learn; answered by a `TrainingReport`, or null where nothing was judged, once that is done.
    Train(TrainingPlan),
    /// The model learned last, as a file; the answer's payload is the file in an `ArrayBuffer`.
    Model,
    /// The model that comes with the program, as a file; the answer's payload is the file in an `ArrayBuffer`.
    OwnModel,
    /// What is the model in the payload? Answered by its `ModelCard`.
    Card,
    /// Judge the model in the payload by all rows. Answered by a `TrainingReport`.
    Judge,
    /// The rows of one cell of the matrix judged last. Answered by `JudgedRows`.
    Cell {
        /// What they are.
        is: String,
        /// What was said of them; `None` that nothing was.
        said: Option<String>,
        /// The window's first row.
        offset: u32,
        /// How many rows.
        len: u32,
    },
}

/// What came of a file that was read to learn from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taught {
    /// All that is learned from.
    pub data: TrainingData,
    /// The labels the file's flows got.
    pub labels: TrainingLabels,
    /// All of the file was read; of a damaged capture what could be.
    pub is_complete: bool,
}

/// Which flows to write, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// The name of one of [`engine::FORMATS`].
    pub format: String,
    /// The features to write; without it the flows' own columns, where the format has those.
    pub schema: Option<String>,
    /// Only flows that pass this filter; empty for all.
    pub filter: String,
    /// By what flows are cut, as the command line has it: `none`, seconds, `idle:` and seconds, or `zeek`.
    pub timeout: String,
}

/// Which packets to write, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Packets {
    /// Of flows that pass this filter; empty for all.
    pub filter: String,
    /// With the labels as comments, and the comments of the capture.
    pub has_comments: bool,
}

/// How far the packets of flows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picking {
    /// Bytes of the file read again.
    pub bytes: u64,
    /// Bytes to be read, once or twice as many as the file has.
    pub total: u64,
    /// Frames written.
    pub frames: u64,
}

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// It listens. Said once, first.
    Ready,
    /// The mark of the capture, which names it in links. Said once, before it is read.
    Mark(String),
    /// How far it has read.
    Progress(Progress),
    /// What there is so far, in the payload: a [`v1::page::Preview`] as JSON in an `ArrayBuffer`.
    Preview,
    /// How far it has learned; and of what was judged so far, how many rows and the share called right.
    Learning(TrainingProgress, Option<(u64, f64)>),
    /// How far it is with the packets of flows.
    Picking(Picking),
    /// It has read all there is, or was stopped; it can be asked now.
    Done,
    /// The capture cannot be read.
    Failed(Notice),
    /// It ended by a fault of ours and says no more.
    Broken(String),
    /// The answer to a question, in the payload.
    Answer {
        /// The question's number.
        id: u32,
    },
    /// There is no answer to a question.
    Refused {
        /// The question's number.
        id: u32,
        /// Why not.
        error: v1::Error,
    },
}

/// What the worker is at, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Reading, unpacking and putting packets into flows.
    #[default]
    Reading,
    /// Labelling the flows that are left.
    Labels,
    /// Grouping flows into sessions.
    Sessions,
    /// Counting hosts.
    Hosts,
    /// Answering what the page asks first.
    Overview,
}

/// How far the worker has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes of the file read.
    pub bytes: u64,
    /// Bytes the file has.
    pub total: u64,
    /// Frames found.
    pub frames: u64,
    /// Packets put into flows.
    pub packets: u64,
    /// Flows found.
    pub flows: u64,
    /// What it is at.
    pub stage: Stage,
    /// Bytes of memory the worker took; WebAssembly gives none back before the worker ends.
    pub memory: u64,
}

/// A message for `postMessage`.
pub fn pack(control: &impl Serialize, payload: &JsValue) -> JsValue {
    // Numbers stay numbers: the largest, a file's length, is below 2^53 in every browser.
    let control = serde_wasm_bindgen::to_value(control).unwrap_or(JsValue::UNDEFINED);
    js_sys::Array::of2(&control, payload).into()
}

/// A message as it arrived; nothing where it is none of ours.
pub fn unpack<T: serde::de::DeserializeOwned>(message: JsValue) -> Option<(T, JsValue)> {
    let pair = message.dyn_into::<js_sys::Array>().ok()?;
    let control = serde_wasm_bindgen::from_value(pair.get(0)).ok()?;
    Some((control, pair.get(1)))
}

/// What a JavaScript error says.
pub fn describe(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_else(|| format!("{error:?}")),
    }
}

/// Why a file is read no further. What browsers say of one that changed or went is long and of one language, and mostly about
/// permissions; its name is the same everywhere.
pub fn why_unread(error: &JsValue) -> String {
    let name = error.dyn_ref::<js_sys::Error>().map(|it| String::from(it.name()));
    match name {
        Some(name) if name == "NotReadableError" || name == "NotFoundError" => name,
        _ => describe(error).trim_end_matches('.').to_owned(),
    }
}

/// A fault of ours, told.
pub fn fault(what: &str) -> Notice {
    Notice::new("E-PROGRAM", "", vec![what.into()])
}
