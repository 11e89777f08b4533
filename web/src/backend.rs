//! Who answers the page's questions. A worker reads one capture and answers about it, another kind learns; on the companion's
//! own page the companion answers about a job of its.
//!
//! The worker ends with the last clone of its [`Backend`]: WebAssembly memory never shrinks, ending it gives all back.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::{Rc, Weak},
};

use gloo::net::http::{Request, Response};
use js_sys::{ArrayBuffer, Function, Promise, Reflect, Uint8Array};
use serde::de::DeserializeOwned;
use v1::{
    Notice,
    page::{Comparison, ModelApplied, Preview, TrainingProgress},
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{Blob, ErrorEvent, File, MessageEvent, Worker};

use crate::message::{
    Export, FromWorker, Question, Reading, Study, ToWorker, describe, fault, pack, unpack,
};
pub use crate::message::{Packets, Picking, Progress};

/// What `boot.js` leaves for the page.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = tractor, js_name = startWorker, catch)]
    fn start_worker() -> Result<Worker, JsValue>;
    #[wasm_bindgen(js_namespace = tractor, js_name = sample, catch)]
    fn sample() -> Result<Option<File>, JsValue>;
    #[wasm_bindgen(js_namespace = tractor, js_name = isSealed, catch)]
    fn boot_is_sealed() -> Result<bool, JsValue>;
    #[wasm_bindgen(js_namespace = tractor, js_name = onLaunch, catch)]
    fn boot_on_launch(take: &JsValue) -> Result<(), JsValue>;
}

/// What happens while a capture is read, or something is learned.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What names the capture in links.
    Mark(String),
    /// More was read; at most some ten times a second.
    Progress(Progress),
    /// What there is so far; at most once a second.
    Preview(Box<Preview>),
    /// More was learned; of what was judged so far, how many rows and the share called right.
    Learning(TrainingProgress, Option<(u64, f64)>),
    /// More packets of flows were written.
    Picking(Picking),
    /// Everything was read, or reading was stopped: questions are answered now.
    Done,
    /// The capture cannot be read, or the worker ended.
    Failed(Notice),
}

/// The worker of one capture, or one that learns; or the companion, asked about one job.
#[derive(Clone)]
pub struct Backend {
    who: Who,
}

#[derive(Clone)]
enum Who {
    Worker(Rc<Inner>),
    /// The job's number.
    Companion(u64),
}

struct Inner {
    worker: Worker,
    /// What is to be said once the worker listens; nothing from then on.
    unsaid: RefCell<Option<Vec<JsValue>>>,
    /// What was asked and not answered yet.
    waiting: RefCell<BTreeMap<u32, Waiting>>,
    last_id: Cell<u32>,
    /// Why the worker answers no more.
    failure: RefCell<Option<String>>,
    on_event: Box<dyn Fn(Event)>,
}

struct Waiting {
    resolve: Function,
    reject: Function,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

impl Backend {
    /// Reads a file, by rules of the user's that were checked; scripts ask the one that is published.
    ///
    /// # Errors
    /// Where the browser starts no worker.
    pub fn open(
        files: &[File],
        rules: &str,
        is_published: bool,
        on_event: impl Fn(Event) + 'static,
    ) -> Result<Self, String> {
        let first = ToWorker::Open { rules: rules.to_owned() };
        let payload = match files {
            [file] => file.into(),
            files => files.iter().collect::<js_sys::Array>().into(),
        };
        let backend = Self::start(&first, &payload, on_event)?;
        if let Who::Worker(inner) = &backend.who
            && is_published
        {
            publish(inner);
        }
        Ok(backend)
    }

    /// The companion that serves this page, asked about a job of its that is finished.
    pub fn of_job(job: u64) -> Self {
        Self { who: Who::Companion(job) }
    }

    /// A worker that learns from files, of which this is read.
    ///
    /// # Errors
    /// Where the browser starts no worker.
    pub fn learn(reading: Reading, on_event: impl Fn(Event) + 'static) -> Result<Self, String> {
        Self::start(&ToWorker::Learn(reading), &JsValue::UNDEFINED, on_event)
    }

    fn start(
        first: &ToWorker,
        payload: &JsValue,
        on_event: impl Fn(Event) + 'static,
    ) -> Result<Self, String> {
        let worker = start_worker().map_err(|it| describe(&it))?;
        let inner = Rc::new(Inner {
            worker,
            unsaid: RefCell::new(Some(vec![pack(first, payload)])),
            waiting: RefCell::default(),
            last_id: Cell::new(0),
            failure: RefCell::default(),
            on_event: Box::new(on_event),
        });
        listen(&inner);
        Ok(Self { who: Who::Worker(inner) })
    }

    /// Asks what only the page asks.
    ///
    /// # Errors
    /// Where there is no answer (yet), or the worker ended.
    pub async fn ask<T: DeserializeOwned>(&self, query: &v1::page::Query) -> Result<T, String> {
        self.json(Question::Page(query.clone()), &JsValue::UNDEFINED).await
    }

    /// How another capture differs from this one.
    ///
    /// # Errors
    /// Where one of them is not read yet, or its worker ended.
    pub async fn compare(&self, other: &Self) -> Result<Comparison, String> {
        let digest = Question::Page(v1::page::Query::Digest);
        let digest = other.asked(digest, &JsValue::UNDEFINED).await.map_err(|it| it.message)?;
        self.json(Question::Compare, &digest).await
    }

    /// Asks a worker that learns; what is large comes with the question.
    ///
    /// # Errors
    /// Where there is no answer, or the worker ended.
    pub async fn study<T: DeserializeOwned>(
        &self,
        study: Study,
        payload: &JsValue,
    ) -> Result<T, String> {
        self.json(Question::Study(study), payload).await
    }

    /// The model learned last, as a file.
    ///
    /// # Errors
    /// Where there is none, or the worker ended.
    pub async fn model(&self) -> Result<Vec<u8>, String> {
        self.bytes(Study::Model).await
    }

    /// The model that comes with the program, as a file.
    ///
    /// # Errors
    /// Where the worker ended.
    pub async fn own_model(&self) -> Result<Vec<u8>, String> {
        self.bytes(Study::OwnModel).await
    }

    async fn bytes(&self, study: Study) -> Result<Vec<u8>, String> {
        let answer = self.asked(Question::Study(study), &JsValue::UNDEFINED).await;
        Ok(bytes_of(&answer.map_err(|it| it.message)?))
    }

    /// Lets a model guess what says nothing of itself; what is not so sure stays unknown.
    ///
    /// # Errors
    /// Where the model cannot be asked, or the worker ended.
    pub async fn apply(&self, model: &[u8], threshold: u8) -> Result<ModelApplied, String> {
        let model = Uint8Array::from(model).buffer().into();
        self.json(Question::Apply { threshold }, &model).await
    }

    /// Looks things up in a file of the user's from now on; without a file, in none. Returns what it says of itself.
    ///
    /// # Errors
    /// Where the file is none of that kind, or the worker ended.
    pub async fn look_up<T: DeserializeOwned>(
        &self,
        question: fn() -> Question,
        file: Option<&File>,
    ) -> Result<Option<T>, String> {
        let payload = file.map_or(JsValue::UNDEFINED, JsValue::from);
        self.json(question(), &payload).await
    }

    /// Takes the guesses of a model back.
    ///
    /// # Errors
    /// Where the worker ended.
    pub async fn take_back(&self) -> Result<(), String> {
        self.json(Question::TakeBack, &JsValue::UNDEFINED).await
    }

    async fn asked(&self, question: Question, payload: &JsValue) -> Result<JsValue, v1::Error> {
        match &self.who {
            Who::Worker(inner) => inner.ask(question, payload).await,
            Who::Companion(job) => ask_companion(*job, &question).await,
        }
    }

    async fn json<T: DeserializeOwned>(
        &self,
        question: Question,
        payload: &JsValue,
    ) -> Result<T, String> {
        let bytes = self.asked(question, payload).await.map_err(|it| it.message)?;
        serde_json::from_slice(&bytes_of(&bytes)).map_err(|it| it.to_string())
    }

    /// Asks by the v1 interface. The answer is the JSON the companion and `tractor stats` give of the same capture, byte
    /// for byte. The capture's job has the number 1.
    ///
    /// # Errors
    /// The error of the interface; 500 where the worker ended.
    pub async fn v1(&self, request: &v1::Request) -> Result<String, v1::Error> {
        let answer = self.asked(Question::V1(request.clone()), &JsValue::UNDEFINED).await?;
        text_of(&answer)
    }

    /// The flows as a file.
    ///
    /// # Errors
    /// Where format, schema or filter are not understood, or the worker ended.
    pub async fn export(&self, export: &Export) -> Result<Blob, String> {
        let question = Question::Export(export.clone());
        let answer = self.asked(question, &JsValue::UNDEFINED).await;
        answer.map_err(|it| it.message)?.dyn_into().map_err(|it| describe(&it))
    }

    /// About how many rows, or packets, an export will have, and how many bytes.
    ///
    /// # Errors
    /// As [`Backend::export`].
    pub async fn estimate(&self, export: &Export) -> Result<(u64, u64), String> {
        self.json(Question::Estimate(export.clone()), &JsValue::UNDEFINED).await
    }

    /// The packets of flows as a pcapng.
    ///
    /// # Errors
    /// Where the file cannot be read again or is another one (410), where it was stopped (409), or the worker ended.
    pub async fn packets(&self, packets: &Packets) -> Result<Blob, v1::Error> {
        let question = Question::Packets(packets.clone());
        let blob = self.asked(question, &JsValue::UNDEFINED).await?;
        blob.dyn_into().map_err(|it| v1::Error::internal(describe(&it)))
    }

    /// How many rules a file of the user's has.
    ///
    /// # Errors
    /// What is wrong with the file, in a sentence; or that the worker ended.
    pub async fn check_rules(&self, text: String) -> Result<u64, String> {
        self.json(Question::Rules(text), &JsValue::UNDEFINED).await
    }

    /// Ends reading, or learning. What was read or judged stays; after reading, [`Event::Done`] follows.
    pub fn stop(&self) {
        if let Who::Worker(inner) = &self.who {
            // A worker that cannot be told anything has ended, and has said so itself.
            drop(inner.say(&ToWorker::Stop, &JsValue::UNDEFINED));
        }
    }
}

impl Inner {
    fn say(&self, control: &ToWorker, payload: &JsValue) -> Result<(), JsValue> {
        let message = pack(control, payload);
        match &mut *self.unsaid.borrow_mut() {
            Some(unsaid) => {
                unsaid.push(message);
                Ok(())
            }
            None => self.worker.post_message(&message),
        }
    }

    /// The worker listens now.
    fn catch_up(&self) -> Result<(), JsValue> {
        let unsaid = self.unsaid.take().unwrap_or_default();
        unsaid.iter().try_for_each(|it| self.worker.post_message(it))
    }

    async fn ask(&self, question: Question, payload: &JsValue) -> Result<JsValue, v1::Error> {
        if let Some(failure) = &*self.failure.borrow() {
            return Err(v1::Error::internal(failure));
        }
        let id = self.last_id.get().wrapping_add(1);
        self.last_id.set(id);
        let answer = Promise::new(&mut |resolve, reject| {
            self.waiting.borrow_mut().insert(id, Waiting { resolve, reject });
        });
        self.say(&ToWorker::Ask { id, question }, payload)
            .map_err(|it| v1::Error::internal(describe(&it)))?;
        JsFuture::from(answer).await.map_err(|it| {
            serde_wasm_bindgen::from_value(it)
                .unwrap_or_else(|it| v1::Error::internal(it.to_string()))
        })
    }

    async fn v1(&self, request: v1::Request) -> Result<String, v1::Error> {
        text_of(&self.ask(Question::V1(request), &JsValue::UNDEFINED).await?)
    }

    fn hear(&self, said: FromWorker, payload: &JsValue) {
        match said {
            FromWorker::Ready => {
                if let Err(error) = self.catch_up() {
                    self.fail(describe(&error));
                }
            }
            FromWorker::Mark(mark) => (self.on_event)(Event::Mark(mark)),
            FromWorker::Progress(progress) => (self.on_event)(Event::Progress(progress)),
            FromWorker::Preview => {
                // Without it the page shows the one before.
                if let Ok(preview) = serde_json::from_slice(&bytes_of(payload)) {
                    (self.on_event)(Event::Preview(preview));
                }
            }
            FromWorker::Learning(progress, judged) => {
                (self.on_event)(Event::Learning(progress, judged));
            }
            FromWorker::Picking(it) => (self.on_event)(Event::Picking(it)),
            FromWorker::Done => (self.on_event)(Event::Done),
            FromWorker::Failed(notice) => (self.on_event)(Event::Failed(notice)),
            FromWorker::Broken(message) => self.fail(message),
            FromWorker::Answer { id } => {
                if let Some(waiting) = self.take(id) {
                    settle(&waiting.resolve, payload);
                }
            }
            FromWorker::Refused { id, error } => {
                if let Some(waiting) = self.take(id) {
                    refuse(&waiting, &error);
                }
            }
        }
    }

    fn take(&self, id: u32) -> Option<Waiting> {
        self.waiting.borrow_mut().remove(&id)
    }

    /// Nothing will be answered any more. A fault is told in several ways; the first says most.
    fn fail(&self, message: String) {
        if self.failure.borrow().is_some() {
            return;
        }
        let error = v1::Error::internal(message.clone());
        let waiting = self.waiting.take();
        *self.failure.borrow_mut() = Some(message.clone());
        for it in waiting.values() {
            refuse(it, &error);
        }
        (self.on_event)(Event::Failed(fault(&message)));
    }
}

fn refuse(waiting: &Waiting, error: &v1::Error) {
    let error = serde_wasm_bindgen::to_value(error).unwrap_or(JsValue::UNDEFINED);
    settle(&waiting.reject, &error);
}

fn settle(function: &Function, value: &JsValue) {
    // The functions of a promise do not throw.
    drop(function.call1(&JsValue::UNDEFINED, value));
}

fn listen(inner: &Rc<Inner>) {
    let weak = Rc::downgrade(inner);
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(inner) = weak.upgrade() else { return };
        let Some((said, payload)) = unpack::<FromWorker>(event.data()) else { return };
        inner.hear(said, &payload);
    });
    let weak = Rc::downgrade(inner);
    let on_error = Closure::<dyn Fn(ErrorEvent)>::new(move |event: ErrorEvent| {
        if let Some(inner) = weak.upgrade() {
            inner.fail(event.message());
        }
    });
    // The browser frees the listeners with the worker; they do not keep it alive.
    inner.worker.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
    inner.worker.set_onerror(Some(on_error.into_js_value().unchecked_ref()));
}

/// Leaves `tractor.v1` for scripts (and the browser's console): it takes a `v1::Request` as JSON, such as
/// `{"Statistics":{"job":1}}`, and promises the answer as JSON about the capture opened last.
fn publish(inner: &Rc<Inner>) {
    let weak = Rc::downgrade(inner);
    let v1 = Closure::<dyn Fn(String) -> Promise>::new(move |request: String| {
        future_to_promise(answer(Weak::clone(&weak), request))
    });
    let v1 = v1.into_js_value();
    let tractor = Reflect::get(&js_sys::global(), &"tractor".into());
    // Without `boot.js` no worker starts, so the object is there.
    drop(tractor.and_then(|it| Reflect::set(&it, &"v1".into(), &v1)));
}

async fn answer(inner: Weak<Inner>, request: String) -> Result<JsValue, JsValue> {
    let request =
        serde_json::from_slice(request.as_bytes()).map_err(|it| JsValue::from(it.to_string()))?;
    let inner = inner.upgrade().ok_or("no capture is open")?;
    let answer = inner.v1(request).await;
    answer.map(JsValue::from).map_err(|it| JsValue::from(it.message))
}

/// Asks the companion what the page asks of a capture; the answer is as a worker's. It does nothing else for the page.
async fn ask_companion(job: u64, question: &Question) -> Result<JsValue, v1::Error> {
    let Question::Page(query) = question else {
        let message = "the companion only answers questions: open the capture in private for this";
        return Err(v1::Error::bad_request(message));
    };
    let said = |error: gloo::net::Error| v1::Error::internal(error.to_string());
    let query = serde_json::to_string(query).map_err(|it| v1::Error::internal(it.to_string()))?;
    let request = Request::post(&format!("/v1x/file/{job}/ask"));
    let request = request.header("content-type", "application/json").body(query).map_err(said)?;
    let bytes = answer_of_companion(request.send().await.map_err(said)?).await?;
    Ok(Uint8Array::from(&*bytes).buffer().into())
}

/// What the companion answers, or the error it tells.
pub(crate) async fn answer_of_companion(answer: Response) -> Result<Vec<u8>, v1::Error> {
    let bytes = answer.binary().await.map_err(|it| v1::Error::internal(it.to_string()))?;
    if answer.ok() {
        return Ok(bytes);
    }
    // Every error of the interface has its shape; what has not comes from elsewhere.
    Err(serde_json::from_slice(&bytes).unwrap_or_else(|_| {
        v1::Error::internal(format!("{} {}", answer.status(), answer.status_text()))
    }))
}

fn text_of(answer: &JsValue) -> Result<String, v1::Error> {
    String::from_utf8(bytes_of(answer)).map_err(|it| v1::Error::internal(it.to_string()))
}

fn bytes_of(buffer: &JsValue) -> Vec<u8> {
    match buffer.dyn_ref::<ArrayBuffer>() {
        Some(buffer) => Uint8Array::new(buffer).to_vec(),
        None => Vec::new(),
    }
}

/// The capture that comes with the page.
///
/// # Errors
/// Where the page came without it.
pub fn sample_file() -> Result<File, String> {
    let file = sample().map_err(|it| describe(&it))?;
    file.ok_or_else(|| "the page came without its sample capture".to_owned())
}

/// Whether the page can reach no network any more; it opens files only then.
pub fn is_sealed() -> bool {
    boot_is_sealed().unwrap_or(false)
}

/// Takes the files that the installed page is opened with, now and whenever it happens again.
pub fn on_launch(take: impl Fn(Vec<File>) + 'static) {
    let take = Closure::<dyn Fn(js_sys::Array)>::new(move |files: js_sys::Array| {
        take(files.iter().filter_map(|it| it.dyn_into().ok()).collect());
    });
    // A browser that installs no pages opens them with no files.
    drop(boot_on_launch(&take.into_js_value()));
}

/// Where a companion serves its own page, such as `/server/`; nothing where there is no companion.
pub fn companion() -> Option<String> {
    let document = web_sys::window()?.document()?;
    let meta = document.query_selector("meta[name=tractor-companion]").ok()??;
    meta.get_attribute("content").filter(|it| !it.is_empty())
}

/// Whether this is the companion's own page, which asks the companion and opens no files.
pub fn is_companion_page() -> bool {
    let path = web_sys::window().and_then(|it| it.location().pathname().ok());
    match (companion(), path) {
        (Some(companion), Some(path)) => path.starts_with(&companion),
        _ => false,
    }
}

/// The job of the companion's that this page shows, by its address: `/server/?job=3`.
pub fn companion_job() -> Option<u64> {
    let search = web_sys::window()?.location().search().ok().filter(|_| is_companion_page())?;
    let terms = search.trim_start_matches('?').split('&');
    terms.filter_map(|it| it.strip_prefix("job=")?.parse().ok()).next()
}
