//! The web worker: feeds a file to the engine and answers the page's questions about it; for packets it reads the file
//! again. One that learns is in `learner.rs`.

use std::{
    cell::{Cell, RefCell},
    io::{self, Write},
    rc::Rc,
    sync::Arc,
};

use engine::{
    Analysis, Countries, FRONT_LEN, FileEntry, Filter, Job, Library, Makers, OwnRules, PCAPNG,
    Passed, PickError, Picker, Remarks, Rules,
};
use js_sys::{Array, Uint8Array};
use v1::{JobId, Notice, Request};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web::{
    chunks::{self, CHUNK_LEN, Chunks},
    learner::{self, Answer, Learner, Told},
    message::{
        Export, FromWorker, Packets, Picking, Progress, Question, Stage, Study, ToWorker, describe,
        fault, pack, unpack, why_unread,
    },
    room,
};
use web_sys::{Blob, BlobPropertyBag, DedicatedWorkerGlobalScope, File, MessageEvent};

/// There is room for about so many flows in the gigabyte that a tab should not go beyond.
const MAX_FLOWS: u32 = 1_250_000;
/// Progress is told at most once in so many milliseconds.
const PROGRESS_MILLIS: f64 = 100.0;
/// What there is so far is told first after so many milliseconds, and at most once in so many.
const FIRST_PREVIEW_MILLIS: f64 = 300.0;
const PREVIEW_MILLIS: f64 = 1_000.0;
/// And so seldom that reading goes on for so many times what telling took: it takes three hundredths at most.
const PREVIEW_REST: f64 = 33.0;
/// An export is gathered in pieces of so many bytes.
const EXPORT_PIECE_LEN: usize = 1 << 20;

/// The job of the one capture a worker reads.
const JOB: JobId = JobId(1);

/// What the worker keeps between messages.
#[derive(Default)]
struct State {
    is_stopped: Cell<bool>,
    /// How far it read, and what was told of its memory last.
    progress: Cell<Progress>,
    /// Answers the v1 interface, as the companion's does.
    library: RefCell<Library>,
    /// Answers the page, once the capture is read.
    analysis: RefCell<Option<Arc<Analysis>>>,
    /// The capture, to be read again for its packets.
    file: RefCell<Option<File>>,
    /// It is read for them now.
    is_picking: Cell<bool>,
    /// The user's rules.
    own: RefCell<Arc<OwnRules>>,
    /// The user's database of countries.
    countries: RefCell<Option<Arc<Countries>>>,
    /// Of a worker that learns.
    learner: RefCell<Option<Rc<Learner>>>,
    /// Why it does not learn.
    refusal: RefCell<Option<String>>,
}

fn main() {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    // A fault of ours ends the worker; the page shall say so and not wait for ever.
    std::panic::set_hook(Box::new(|fault| {
        let page: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        say(&page, &FromWorker::Broken(fault.to_string()), &JsValue::UNDEFINED);
    }));
    let state = Rc::new(State::default());
    let page = scope.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let Some((said, payload)) = unpack::<ToWorker>(event.data()) else { return };
        match said {
            ToWorker::Open { rules } => match (files_of(payload), own_rules(&rules)) {
                (Ok(files), Ok(own)) => spawn_local(read(page.clone(), state.clone(), files, own)),
                (Err(other), _) => fail(&page, fault(&describe(&other))),
                (_, Err(error)) => fail(&page, fault(&error.message)),
            },
            ToWorker::Learn(reading) => match Learner::new(&reading, seed(&page)) {
                Ok(learner) => *state.learner.borrow_mut() = Some(Rc::new(learner)),
                Err(error) => *state.refusal.borrow_mut() = Some(error),
            },
            ToWorker::Stop => {
                state.is_stopped.set(true);
                if let Some(learner) = &*state.learner.borrow() {
                    learner.stop();
                }
            }
            ToWorker::Ask { id, question: Question::Study(study) } => {
                spawn_local(study_of(page.clone(), state.clone(), id, study, payload));
            }
            ToWorker::Ask { id, question: Question::Packets(packets) } => {
                spawn_local(save(page.clone(), state.clone(), id, packets));
            }
            ToWorker::Ask { id, question: Question::Apply { threshold } } => {
                tell(&page, id, apply(&state, &payload, threshold));
            }
            ToWorker::Ask { id, question: Question::Compare } => {
                tell(&page, id, compared(&state, &payload));
            }
            ToWorker::Ask { id, question: Question::Countries } => {
                spawn_local(locate(page.clone(), state.clone(), id, payload));
            }
            ToWorker::Ask { id, question: Question::Makers } => {
                spawn_local(name_makers(page.clone(), state.clone(), id, payload));
            }
            ToWorker::Ask { id, question } => {
                tell(&page, id, answer(&state, &question));
                tell_memory(&page, &state);
            }
        }
    });
    scope.set_onmessage(Some(on_message.into_js_value().unchecked_ref()));
    say(&scope, &FromWorker::Ready, &JsValue::UNDEFINED);
}

/// The user's rules; none where the file is empty.
fn own_rules(text: &str) -> Result<OwnRules, v1::Error> {
    if text.is_empty() {
        return Ok(OwnRules::default());
    }
    OwnRules::read(text).map_err(|it| v1::Error::bad_request(it.to_string()))
}

fn fail(page: &DedicatedWorkerGlobalScope, notice: Notice) {
    say(page, &FromWorker::Failed(notice), &JsValue::UNDEFINED);
}

/// Answers a question, or says why not.
fn tell(page: &DedicatedWorkerGlobalScope, id: u32, answer: Result<JsValue, v1::Error>) {
    match answer {
        Ok(answer) => say(page, &FromWorker::Answer { id }, &answer),
        Err(error) => say(page, &FromWorker::Refused { id, error }, &JsValue::UNDEFINED),
    }
}

/// Answers what is asked of a worker that learns; some of it lasts.
async fn study_of(
    page: DedicatedWorkerGlobalScope,
    state: Rc<State>,
    id: u32,
    study: Study,
    payload: JsValue,
) {
    let learner = state.learner.borrow().clone();
    let Some(learner) = learner else {
        let refusal = state.refusal.borrow().clone();
        let error = v1::Error::bad_request(refusal.unwrap_or_else(|| "nothing is learned".into()));
        return tell(&page, id, Err(error));
    };
    let of_progress = page.clone();
    let answer = learner.answer(study, payload, move |told| {
        let told = match told {
            Told::Reading(bytes, total) => {
                FromWorker::Progress(Progress { bytes, total, ..Progress::default() })
            }
            Told::Learning(progress, judged) => FromWorker::Learning(progress, judged),
        };
        say(&of_progress, &told, &JsValue::UNDEFINED);
    });
    let answer = match answer.await {
        Ok(Answer::Json(value)) => json(&value),
        Ok(Answer::Bytes(bytes)) => Ok(Uint8Array::from(&*bytes).buffer().into()),
        Err(error) => Err(v1::Error::bad_request(error)),
    };
    tell(&page, id, answer);
}

/// Lets a model guess what says nothing of itself.
fn apply(state: &State, model: &JsValue, threshold: u8) -> Result<JsValue, v1::Error> {
    let model = learner::read(&learner::bytes_of(model)).map_err(v1::Error::bad_request)?;
    let how = learner::applying(threshold);
    let applied = change(state, |analysis| analysis.apply(&model, &how))?;
    json(&applied.map_err(|it| v1::Error::bad_request(it.to_string()))?)
}

/// A database of countries may be so long, in bytes: those of cities are half as long.
const MAX_COUNTRIES: f64 = 256e6;

/// Knows countries by a database from now on.
async fn locate(page: DedicatedWorkerGlobalScope, state: Rc<State>, id: u32, payload: JsValue) {
    let countries = match payload.dyn_into::<File>() {
        Ok(file) => read_countries(&file).await.map(|it| Some(Arc::new(it))),
        Err(_) => Ok(None),
    };
    let answer = countries.map_err(v1::Error::bad_request).and_then(|countries| {
        let source = countries.as_ref().map(|it| it.source().clone());
        state.countries.replace(countries.clone());
        change(&state, |analysis| analysis.set_countries(countries))?;
        json(&source)
    });
    tell(&page, id, answer);
}

async fn read_countries(file: &File) -> Result<Countries, String> {
    Countries::read(whole(file, MAX_COUNTRIES).await?).map_err(|it| it.to_string())
}

/// A list of makers may be so long, in bytes: the IEEE's longest has a tenth of that.
const MAX_MAKERS: f64 = 64e6;

/// Knows makers of network interfaces by a list from now on.
async fn name_makers(
    page: DedicatedWorkerGlobalScope,
    state: Rc<State>,
    id: u32,
    payload: JsValue,
) {
    let makers = match payload.dyn_into::<File>() {
        Ok(file) => read_makers(&file).await.map(|it| Some(Arc::new(it))),
        Err(_) => Ok(None),
    };
    let answer = makers.map_err(v1::Error::bad_request).and_then(|makers| {
        let n_prefixes = makers.as_ref().map(|it| it.n_prefixes());
        change(&state, |analysis| analysis.set_makers(makers))?;
        json(&n_prefixes)
    });
    tell(&page, id, answer);
}

async fn read_makers(file: &File) -> Result<Makers, String> {
    let bytes = whole(file, MAX_MAKERS).await?;
    Makers::read(&String::from_utf8_lossy(&bytes)).map_err(|it| it.to_string())
}

/// A file of the user's that is not longer than this, in bytes.
async fn whole(file: &File, most: f64) -> Result<Vec<u8>, String> {
    if file.size() > most {
        return Err(format!("the file has more than {most} bytes"));
    }
    let buffer = JsFuture::from(file.array_buffer()).await.map_err(|it| describe(&it))?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// How another capture differs.
fn compared(state: &State, digest: &JsValue) -> Result<JsValue, v1::Error> {
    let unread = || v1::Error::not_found("the capture is still being read");
    let analysis = state.analysis.borrow();
    let analysis = analysis.as_ref().ok_or_else(unread)?;
    let with = serde_json::from_slice(&learner::bytes_of(digest));
    let with = with.map_err(|it| v1::Error::internal(it.to_string()))?;
    json(&engine::compare(&engine::digest(analysis), &with))
}

/// Changes the analysis, which is the library's too.
fn change<T>(state: &State, change: impl FnOnce(&mut Analysis) -> T) -> Result<T, v1::Error> {
    let unread = || v1::Error::not_found("the capture is still being read");
    if state.is_picking.get() {
        let message = "packets are being saved: wait for that, or stop it";
        return Err(v1::Error::new(409, message));
    }
    let mut analysis = state.analysis.take().ok_or_else(unread)?;
    let reading = analysis.reading();
    let (name, bytes) = (reading.file_name.clone(), reading.bytes);
    let mut library = state.library.borrow_mut();
    *library = Library::default();
    library.set_own_rules(Arc::clone(&state.own.borrow()));
    library.set_countries(state.countries.borrow().clone());
    // Nobody else holds it now, for answers are copies.
    let changed = Arc::get_mut(&mut analysis).map(change);
    begin(&mut library, &name, bytes);
    library.finish(JOB, analysis.result(), now_seconds());
    state.analysis.replace(Some(analysis));
    changed.ok_or_else(|| v1::Error::internal("the analysis is in use"))
}

/// Sends a message; a buffer in it is handed over.
fn say(page: &DedicatedWorkerGlobalScope, said: &FromWorker, payload: &JsValue) {
    let handed_over = match payload.is_instance_of::<js_sys::ArrayBuffer>() {
        true => Array::of1(payload),
        false => Array::new(),
    };
    // Only a payload that cannot be sent is refused, and files, buffers and blobs can.
    drop(page.post_message_with_transfer(&pack(said, payload), &handed_over));
}

/// A file, or those of an array.
fn files_of(payload: JsValue) -> Result<Vec<File>, JsValue> {
    match payload.dyn_into::<Array>() {
        Ok(files) => files.iter().map(JsCast::dyn_into).collect(),
        Err(file) => Ok(vec![file.dyn_into()?]),
    }
}

/// Files in the order of their first times; those that do not tell come last.
async fn in_order(files: Vec<File>) -> Vec<File> {
    let mut ordered: Vec<(u64, File)> = Vec::new();
    for file in files {
        let front = slice(&file, 0.0, file.size().min(FRONT_LEN as f64)).await;
        let time = front.ok().and_then(|it| engine::first_time(&it)).unwrap_or(u64::MAX);
        let at = ordered.partition_point(|it| it.0 <= time);
        ordered.insert(at, (time, file));
    }
    ordered.into_iter().map(|it| it.1).collect()
}

/// What is told of a reading while it lasts, and when that is to be done again.
struct Telling<'a> {
    page: &'a DedicatedWorkerGlobalScope,
    total: u64,
    told_at: f64,
    preview_at: f64,
}

impl Telling<'_> {
    fn of(&mut self, job: &Job) {
        let now = js_sys::Date::now();
        if now - self.told_at >= PROGRESS_MILLIS {
            self.told_at = now;
            tell_progress(self.page, &progress(job, self.total));
        }
        if now >= self.preview_at {
            if let Ok(preview) = json(&job.preview()) {
                say(self.page, &FromWorker::Preview, &preview);
            }
            let after = js_sys::Date::now();
            self.preview_at = after + PREVIEW_MILLIS.max((after - now) * PREVIEW_REST);
        }
    }
}

/// Feeds a file to a job, as far as it is a capture and nobody stops that.
async fn feed(state: &State, job: &mut Job, file: &File, telling: &mut Telling<'_>) {
    let mut chunks = Chunks::new(file.clone().into(), CHUNK_LEN);
    while !state.is_stopped.get() {
        match chunks.next().await {
            Ok(None) => break,
            // What cannot be read further is in the notices of the analysis.
            Ok(Some(piece)) if !chunks::feed(job, &piece) => break,
            Ok(Some(_)) => {}
            Err(error) => {
                job.interrupt(&why_unread(&error));
                break;
            }
        }
        telling.of(job);
    }
}

async fn read(page: DedicatedWorkerGlobalScope, state: Rc<State>, files: Vec<File>, own: OwnRules) {
    let max_flows = Some(MAX_FLOWS);
    let rules = Rules { own: Arc::new(own), max_flows, ..Rules::default() };
    state.library.borrow_mut().set_own_rules(Arc::clone(&rules.own));
    state.own.replace(Arc::clone(&rules.own));
    let files = if files.len() > 1 { in_order(files).await } else { files };
    let names: Vec<String> = files.iter().map(File::name).collect();
    let name = engine::name_of_several(&names.iter().map(String::as_str).collect::<Vec<_>>());
    // A file that cannot be read says so below.
    if let Ok(mark) = mark_of(&files).await {
        say(&page, &FromWorker::Mark(mark), &JsValue::UNDEFINED);
    }
    if let [file] = &files[..] {
        state.file.replace(Some(file.clone()));
    }
    let total = files.iter().map(|it| it.size() as u64).sum();
    begin(&mut state.library.borrow_mut(), &name, total);
    let first = names.first().map_or("", String::as_str);
    let mut job = Job::with_rules(first, seed(&page), &rules);
    let preview_at = js_sys::Date::now() + FIRST_PREVIEW_MILLIS;
    let mut telling = Telling { page: &page, total, told_at: 0.0, preview_at };
    for (at, (file, name)) in files.iter().zip(&names).enumerate() {
        if state.is_stopped.get() {
            break;
        }
        if at > 0 {
            job.next_file(name);
        }
        feed(&state, &mut job, file, &mut telling).await;
    }
    let mut progress = progress(&job, total);
    tell_progress(&page, &progress);
    let is_whole = progress.bytes == total;
    let is_stopped = !is_whole && state.is_stopped.get();
    let analysis = job.finish_telling(is_stopped, &mut |stage| {
        progress.stage = match stage {
            engine::Stage::Labels => Stage::Labels,
            engine::Stage::Sessions => Stage::Sessions,
            engine::Stage::Hosts => Stage::Hosts,
        };
        tell_progress(&page, &progress);
        room::look_ahead();
    });
    let analysis = Arc::new(analysis);
    progress.stage = Stage::Overview;
    state.progress.set(progress);
    tell_memory(&page, &state);
    let failure = analysis.failure().cloned();
    state.library.borrow_mut().finish(JOB, analysis.result(), now_seconds());
    state.analysis.replace(Some(analysis));
    match failure {
        Some(failure) => fail(&page, failure),
        None => say(&page, &FromWorker::Done, &JsValue::UNDEFINED),
    }
}

/// What names the files in links.
async fn mark_of(files: &[File]) -> Result<String, JsValue> {
    let mut marks = Vec::new();
    for file in files {
        marks.push(mark(file).await?);
    }
    let total = files.iter().map(|it| it.size() as u64).sum();
    Ok(match <[String; 1]>::try_from(marks) {
        Ok([mark]) => mark,
        Err(marks) => engine::identity_of_several(total, &marks),
    })
}

async fn mark(file: &File) -> Result<String, JsValue> {
    let len = file.size();
    let edge = engine::EDGE_LEN as f64;
    let head = slice(file, 0.0, len.min(edge)).await?;
    let tail = slice(file, (len - edge).max(0.0), len).await?;
    Ok(engine::identity(len as u64, &head, &tail))
}

async fn slice(file: &File, from: f64, to: f64) -> Result<Vec<u8>, JsValue> {
    let slice = file.slice_with_f64_and_f64(from, to)?;
    let buffer = JsFuture::from(slice.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// Puts the one file into the library and starts its job.
fn begin(library: &mut Library, name: &str, bytes: u64) {
    library.set_files(vec![FileEntry { file_name: name.to_owned(), bytes }]);
    let process = Request::Process { file_name: name.to_owned() };
    // The file is there and nothing waits before it.
    let started = library.answer(&process, now_seconds());
    let next = library.next_job();
    debug_assert!(started.is_ok() && next.is_some_and(|it| it.0 == JOB));
}

/// A number nobody can foresee; see [`Job::new`].
fn seed(page: &DedicatedWorkerGlobalScope) -> u64 {
    let mut bytes = [0; 8];
    let filled = page.crypto().and_then(|it| it.get_random_values_with_u8_array(&mut bytes));
    // Every browser that runs the page has the function: it is older than WebAssembly.
    filled.expect("the browser gives random numbers");
    u64::from_le_bytes(bytes)
}

fn now_seconds() -> u64 {
    (js_sys::Date::now() / 1_000.0) as u64
}

fn progress(job: &Job, total: u64) -> Progress {
    let it = job.progress();
    Progress {
        bytes: it.bytes,
        total,
        frames: it.frames,
        packets: it.packets,
        flows: it.flows,
        ..Progress::default()
    }
}

fn tell_progress(page: &DedicatedWorkerGlobalScope, progress: &Progress) {
    let progress = Progress { memory: memory(), ..*progress };
    say(page, &FromWorker::Progress(progress), &JsValue::UNDEFINED);
}

/// Says how much memory the answers took, where that became more.
fn tell_memory(page: &DedicatedWorkerGlobalScope, state: &State) {
    let told = state.progress.get();
    if memory() > told.memory && told.total > 0 {
        tell_progress(page, &told);
        state.progress.set(Progress { memory: memory(), ..told });
    }
}

/// Bytes of memory that were taken so far.
fn memory() -> u64 {
    let memory = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>();
    let buffer = memory.buffer().unchecked_into::<js_sys::ArrayBuffer>();
    u64::from(buffer.byte_length())
}

fn answer(state: &State, question: &Question) -> Result<JsValue, v1::Error> {
    let analysis = state.analysis.borrow();
    let read = || {
        let unread = || v1::Error::not_found("the capture is still being read");
        analysis.as_ref().ok_or_else(unread)
    };
    match question {
        Question::Page(query) => json(&read()?.page(query)),
        Question::V1(request) => json(&state.library.borrow_mut().answer(request, now_seconds())?),
        Question::Export(it) => export(read()?, it),
        Question::Estimate(it) => json(&estimate(read()?, it)?),
        Question::TakeBack => {
            drop(analysis);
            change(state, Analysis::take_guesses_back)?;
            json(&())
        }
        // Those that come with a payload, or last, are answered elsewhere.
        Question::Apply { .. }
        | Question::Compare
        | Question::Countries
        | Question::Makers
        | Question::Packets(_)
        | Question::Study(_) => Err(v1::Error::internal("the question is not asked here")),
        Question::Rules(text) => match OwnRules::read(text) {
            Ok(own) => json(&own.len()),
            Err(error) => Err(v1::Error::bad_request(error.to_string())),
        },
    }
}

/// JSON in a buffer of its own.
fn json(value: &impl serde::Serialize) -> Result<JsValue, v1::Error> {
    let bytes = serde_json::to_vec(value).map_err(|it| v1::Error::internal(it.to_string()))?;
    Ok(Uint8Array::from(&*bytes).buffer().into())
}

fn filter_of(text: &str, analysis: &Analysis) -> Result<Filter, v1::Error> {
    let parsed = Filter::parse(text).and_then(|it| it.where_countries(analysis.knows_countries()));
    parsed.map_err(|it| v1::Error::bad_request(it.to_string()))
}

/// What is to be written, as the engine has it.
fn wanted(export: &Export, analysis: &Analysis) -> Result<engine::Export, v1::Error> {
    let filter = filter_of(&export.filter, analysis)?;
    let timeout = export.timeout.parse::<engine::Timeout>().map_err(v1::Error::bad_request)?;
    let wanted = engine::Export::new(&export.format, export.schema.as_deref());
    let mut wanted = wanted.map_err(v1::Error::bad_request)?;
    (wanted.filter, wanted.timeout) = (filter, timeout);
    Ok(wanted)
}

fn export(analysis: &Analysis, export: &Export) -> Result<JsValue, v1::Error> {
    let export = wanted(export, analysis)?;
    let pieces = analysis
        .export(&export, &analysis.reading().file_name, Pieces::new())
        .map_err(|it| v1::Error::internal(it.to_string()))?;
    pieces.blob(export.format().media_type)
}

/// About how many rows or packets, and bytes.
fn estimate(analysis: &Analysis, export: &Export) -> Result<(u64, u64), v1::Error> {
    if export.format == PCAPNG {
        let filter = filter_of(&export.filter, analysis)?;
        return Ok(analysis.estimate_packets(&filter));
    }
    let about = analysis.estimate(&wanted(export, analysis)?, &analysis.reading().file_name);
    about.map_err(|it| v1::Error::internal(it.to_string()))
}

/// Answers with the packets of flows, once the file was read again.
async fn save(page: DedicatedWorkerGlobalScope, state: Rc<State>, id: u32, packets: Packets) {
    if state.is_picking.replace(true) {
        let error = v1::Error::new(409, "packets are being saved already: wait, or stop that");
        return tell(&page, id, Err(error));
    }
    state.is_stopped.set(false);
    let picked = pick(&page, &state, &packets).await;
    state.is_picking.set(false);
    tell(&page, id, picked);
}

async fn pick(
    page: &DedicatedWorkerGlobalScope,
    state: &State,
    packets: &Packets,
) -> Result<JsValue, v1::Error> {
    let unread = || v1::Error::not_found("the capture is still being read");
    let analysis = state.analysis.borrow().clone().ok_or_else(unread)?;
    if analysis.is_of_several() {
        return Err(v1::Error::new(409, PickError::Several.to_string()));
    }
    let file = state.file.borrow().clone().ok_or_else(unread)?;
    let filter = filter_of(&packets.filter, &analysis)?;
    let chosen = analysis.passing(&filter);
    let remarks = if packets.has_comments { Remarks::Labels } else { Remarks::None };
    let refuse = |error: PickError| match error {
        PickError::Changed { found, known } => {
            let message = format!("it has {found} packets of these flows now and had {known}");
            v1::Error::new(410, message)
        }
        PickError::Several => v1::Error::new(409, error.to_string()),
        PickError::Write { .. } => v1::Error::internal(error.to_string()),
    };
    let begun = Picker::new(&analysis, &chosen, remarks, seed(page), Pieces::new());
    let mut picker = begun.map_err(refuse)?;
    let of_pass = analysis.reading().bytes;
    let total = of_pass * picker.n_passes();
    let (mut before, mut told_at) = (0, 0.0);
    loop {
        let mut chunks = Chunks::new(file.clone().into(), CHUNK_LEN);
        let mut bytes = 0;
        while picker.wants_more() {
            if state.is_stopped.get() {
                return Err(v1::Error::new(409, "saving the packets was stopped"));
            }
            match chunks.next().await {
                Ok(None) => break,
                Ok(Some(chunk)) => {
                    bytes = of_pass.min(bytes + u64::from(chunk.length()));
                    picker.feed(&chunk.to_vec()).map_err(refuse)?;
                }
                Err(error) => {
                    return Err(v1::Error::new(410, describe(&error)));
                }
            }
            let now = js_sys::Date::now();
            if now - told_at >= PROGRESS_MILLIS {
                told_at = now;
                let progress = Picking { bytes: before + bytes, total, frames: picker.n_frames() };
                say(page, &FromWorker::Picking(progress), &JsValue::UNDEFINED);
            }
        }
        before += of_pass;
        match picker.end().map_err(refuse)? {
            Passed::Again(it) => picker = *it,
            Passed::Done { out, .. } => return out.blob("application/x-pcapng"),
        }
    }
}

/// Gathers an export outside the worker's memory, piece by piece.
struct Pieces {
    parts: Array,
    piece: Vec<u8>,
}

impl Pieces {
    fn new() -> Self {
        Self { parts: Array::new(), piece: Vec::new() }
    }

    /// All of it, as a file.
    fn blob(&self, media_type: &str) -> Result<JsValue, v1::Error> {
        let options = BlobPropertyBag::new();
        options.set_type(media_type);
        let blob = Blob::new_with_u8_array_sequence_and_options(&self.parts, &options);
        Ok(blob.map_err(|it| v1::Error::internal(describe(&it)))?.into())
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= EXPORT_PIECE_LEN {
            self.flush()?;
            room::look_ahead();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.parts.push(&Uint8Array::from(&*self.piece));
        self.piece.clear();
        Ok(())
    }
}
