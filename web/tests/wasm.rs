//! The engine and the reading of files inside a browser: the same as anywhere.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{cell::RefCell, rc::Rc};

use engine::{Export, Job};
use js_sys::{Array, Uint8Array};
use serde::de::DeserializeOwned;
use tests::{Taught, taught};
use v1::{
    Notice,
    page::{TrainingLabels, TrainingPlan, TrainingReport},
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    chunks::{self, Chunks},
    learner::{self, Answer, Learner, Told},
    message::{FromWorker, Progress, Question, Reading, Study, ToWorker, pack, unpack},
};
use web_sys::{Blob, File};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const SAMPLE: &[u8] = include_bytes!("../../tests/captures/sample.pcapng");

fn flows(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut job = Job::new("sample.pcapng", 7);
    pieces.for_each(|it| assert!(chunks::feed(&mut job, &Uint8Array::from(&*it))));
    let export = Export::new("jsonl", None).unwrap();
    job.finish(false).export(&export, "sample.pcapng", Vec::new()).unwrap()
}

#[wasm_bindgen_test]
fn the_sample_has_flows_however_it_is_chunked() {
    let whole = flows([SAMPLE.to_vec()].into_iter());
    assert!(whole.iter().filter(|it| **it == b'\n').count() > 100);
    assert_eq!(whole, flows(SAMPLE.chunks(997).map(<[u8]>::to_vec)));
}

#[wasm_bindgen_test]
fn every_hostile_and_odd_capture_is_read_as_it_must_be() {
    let cases = tests::hostile::cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let complaints = tests::hostile::complaints(case);
        if !complaints.is_empty() {
            wrong.push(format!("{}: {}", case.name, complaints.join(" ")));
        }
    }
    let (n, n_right) = (cases.len(), cases.len() - wrong.len());
    console_log!("{n_right} of {n} cases are right");
    assert!(wrong.is_empty(), "{n_right} of {n} cases are right; not these:\n{}", wrong.join("\n"));
}

#[wasm_bindgen_test]
async fn a_file_is_read_piece_by_piece() {
    let parts = Array::of1(&Uint8Array::from(SAMPLE));
    let blob = Blob::new_with_u8_array_sequence(&parts).unwrap();
    let mut chunks = Chunks::new(blob, 1_000);
    assert_eq!(chunks.total(), SAMPLE.len() as u64);
    let mut read = Vec::new();
    while let Some(piece) = chunks.next().await.unwrap() {
        assert!(piece.length() <= 1_000);
        read.extend(piece.to_vec());
    }
    assert_eq!(read, SAMPLE);
}

#[wasm_bindgen_test]
fn messages_come_as_they_were_sent() {
    let question = Question::V1(v1::Request::Statistics { job: v1::JobId(1) });
    let asked = ToWorker::Ask { id: 3, question };
    let (heard, payload) = unpack::<ToWorker>(pack(&asked, &"payload".into())).unwrap();
    assert_eq!((heard, payload.as_string().unwrap()), (asked, "payload".to_owned()));
    // More than 32 bits hold.
    let told =
        FromWorker::Progress(Progress { bytes: 5 << 40, total: 6 << 40, ..Progress::default() });
    assert_eq!(unpack::<FromWorker>(pack(&told, &true.into())).unwrap().0, told);
}

fn reading() -> Reading {
    let [schema, timeout, filter] = ["tractor", "none", ""].map(str::to_owned);
    Reading { schema, timeout, filter }
}

/// A learner that has read two captures of so many flows of each of two classes.
async fn taught_learner(n_flows: u64) -> Rc<Learner> {
    let learner = Rc::new(Learner::new(&reading(), 7).unwrap());
    for (at, kind) in
        [Taught::Chat, Taught::Load, Taught::Chat, Taught::Load].into_iter().enumerate()
    {
        let class = if kind == Taught::Chat { "chat" } else { "load" };
        let bytes = taught(&[kind], n_flows, at as u64);
        let parts = Array::of1(&Uint8Array::from(&*bytes));
        let name = format!("{class}-{at}.pcap");
        let file = File::new_with_u8_array_sequence(&parts, &name).unwrap();
        let labels = TrainingLabels::Given(class.to_owned());
        let study = Study::Add { name, labels, is_chosen: true };
        let taught: Result<web::message::Taught, Notice> = ask(&learner, study, file.into()).await;
        assert!(taught.unwrap().data.rows >= n_flows);
    }
    learner
}

async fn ask<T: DeserializeOwned>(learner: &Rc<Learner>, study: Study, payload: JsValue) -> T {
    ask_and(learner, study, payload, |_| {}).await
}

/// Asks, and hears what is told meanwhile.
async fn ask_and<T: DeserializeOwned>(
    learner: &Rc<Learner>,
    study: Study,
    payload: JsValue,
    tell: impl Fn(Told) + 'static,
) -> T {
    match Rc::clone(learner).answer(study, payload, tell).await.unwrap() {
        Answer::Json(value) => serde_json::from_value(value).unwrap(),
        Answer::Bytes(_) => panic!("JSON was asked for"),
    }
}

#[wasm_bindgen_test]
async fn a_learner_trains_and_gives_a_model_that_judges_as_it_does() {
    let learner = taught_learner(8).await;
    let plan = TrainingPlan::default();
    let report: Option<TrainingReport> =
        ask(&learner, Study::Train(plan), JsValue::UNDEFINED).await;
    let report = report.unwrap();
    assert_eq!(report.split.as_deref(), Some("capture"));
    assert!(report.figures.accuracy > 0.9, "{}", report.figures.accuracy);
    let model = Rc::clone(&learner).answer(Study::Model, JsValue::UNDEFINED, |_| {}).await;
    let Ok(Answer::Bytes(model)) = model else { panic!("there is no model") };
    assert_eq!(learner::read(&model).unwrap().classes(), ["chat", "load"]);
    let payload = Uint8Array::from(&*model).buffer();
    let judged: TrainingReport = ask(&learner, Study::Judge, payload.into()).await;
    assert_eq!(judged.figures.rows, report.figures.rows);
    // It has learned from these rows.
    assert!(judged.figures.accuracy >= report.figures.accuracy);
}

#[wasm_bindgen_test]
async fn learning_stops_when_it_shall_and_keeps_what_was_judged() {
    // So many that a part takes longer than it takes to hear of the one before.
    let learner = taught_learner(150).await;
    let numbers = [("rounds".to_owned(), 2_000)].into();
    let plan = TrainingPlan { numbers, folds: 4, ..TrainingPlan::default() };
    let stopper = Rc::clone(&learner);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let kept = Rc::clone(&heard);
    let tell = move |told: Told| {
        kept.borrow_mut().push(told);
        // Once a part was judged.
        if matches!(told, Told::Learning(_, Some(_))) {
            stopper.stop();
        }
    };
    let report: TrainingReport =
        ask_and(&learner, Study::Train(plan), JsValue::UNDEFINED, tell).await;
    assert!(report.is_stopped && report.figures.rows > 0, "{:?}", heard.borrow());
    let model = Rc::clone(&learner).answer(Study::Model, JsValue::UNDEFINED, |_| {}).await;
    assert!(model.is_err());
}
