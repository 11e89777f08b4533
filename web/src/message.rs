//! What the page and its worker say to each other.
//!
//! A message is the pair `[control, payload]`. The control part is one of the enums below, through serde-wasm-bindgen;
//! what is large goes in the payload, which is handed over and not copied: the chosen file, an answer as JSON bytes, an
//! export as a `Blob`.

use serde::{Deserialize, Serialize};
use v1::Notice;
use wasm_bindgen::{JsCast, JsValue};

/// What the page says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Read the file in the payload. Said once, first.
    Open {
        /// A file of the user's rules, which was checked; empty where there is none.
        rules: String,
    },
    /// Read no further; what was read stays.
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
    /// How many rules this file of the user's has, by which another capture shall be read; the payload of the answer is
    /// JSON in an `ArrayBuffer`. A file that cannot be used is refused.
    Rules(String),
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

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// It listens. Said once, first.
    Ready,
    /// How far it has read.
    Progress(Progress),
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

/// A fault of ours, told.
pub fn fault(what: &str) -> Notice {
    Notice::new("E-PROGRAM", "", vec![what.into()])
}
