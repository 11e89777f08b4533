//! What the companion does between its requests: files, jobs on threads of their own, and their store.
//!
//! A job leaves two things: its record, which is always in memory, and its result, which is read from its file when somebody
//! asks and kept while there is room. The result holds what the v1 answers need. What only the page asks needs the packets:
//! the capture is read again, if it is still the same one.

mod again;
mod taking;
mod work;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::SystemTime,
};

use axum::body::Bytes;
use engine::{Countries, Found, Known, OwnRules, Report, Rules};
use serde_json::{Value, json};
use v1::{
    FileStatus, JobId, Request, State, error,
    page::{ApplyRequest, JobProgress, JobRow, ModelApplied, Processed, Query},
};

use self::{again::Again, taking::Known as KnownTable};
use crate::{
    answers::Answers,
    arriving::Arriving,
    folder::{self, Folder, NoFile, Scan, Stamp},
    jobs::{Cancelled, Jobs, Planned, Record},
    metrics::Metrics,
    store::{self, Loaded, NoResult, Results, Store},
    training::Trainings,
};

/// How much memory results take that are kept open, in bytes; one that is asked for may be larger.
const MAX_OPEN: usize = 96 << 20;
/// How many captures are kept open for the page: each takes memory by its flows.
const MAX_ANALYSES: usize = 2;
/// How many captures are uploaded at once: each is read by a thread of its own.
const MAX_ARRIVING: usize = 4;
/// Why a job has nothing that was cancelled.
const CANCELLED: &str = "it was cancelled";

/// A library of captures with everything it needs to process them. Dropping it ends its threads; the jobs they were at
/// run again when the same folders are opened next.
pub struct Companion {
    shared: Arc<Shared>,
    trainings: Trainings,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// How a companion works.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The user's rules for the captures that are processed from now on.
    pub own: OwnRules,
    /// The user's own database of countries.
    pub countries: Option<Arc<Countries>>,
    /// How many captures are read at once; as many as there are cores where nothing is said.
    pub workers: Option<usize>,
    /// The longest capture that may be uploaded, in bytes; none may where nothing is said.
    pub max_upload: Option<u64>,
    /// What clusters wrote (docs/cluster.md): their results answer like those of captures that were read here. Of equal names
    /// those of the first one.
    pub found: Vec<PathBuf>,
}

/// Why the companion cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A folder cannot be used.
    #[error("the folder {path} cannot be used: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The job store cannot be used.
    #[error("the job store {path} cannot be used: {message}")]
    Store {
        /// Its folder.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

struct Shared {
    folder: Folder,
    rules: Rules,
    known: Mutex<Known>,
    max_upload: Option<u64>,
    state: Mutex<Inner>,
    /// A job waits, or the end is near.
    wake: Condvar,
    /// Locked while a job is begun or ended, so that records are written in the order of what happened.
    store: Mutex<Store>,
    results: Results,
    told: Mutex<Option<Told>>,
    /// Locked while a list is made.
    listing: Mutex<Listing>,
    answers: Answers,
    /// Results that were read from their files, the one asked for last at the end.
    open: Mutex<Vec<(JobId, Arc<Report>)>>,
    /// Locked while a result is read: one at a time takes memory.
    opening: Mutex<()>,
    /// Captures that were read again, the one asked for last at the end.
    analyses: Mutex<Vec<Again>>,
    /// Locked while a capture is read again, or a model is applied: one at a time takes memory.
    reading_again: Mutex<()>,
    /// The tables of clusters; locked while they are looked at.
    tables: Mutex<Vec<KnownTable>>,
    has_tables: bool,
    metrics: Metrics,
}

#[derive(Default)]
struct Inner {
    jobs: Jobs,
    is_closing: bool,
    /// Files were listed since the tables of clusters were looked at.
    is_listed: bool,
    /// How many captures are being uploaded.
    n_arriving: usize,
}

/// The list of files as it was told.
#[derive(Clone)]
struct Told {
    /// Of what lay in the folder.
    scan: Arc<Scan>,
    /// At which count of changes of the jobs.
    changes: u64,
    answer: Bytes,
}

/// What a list of files is made with.
#[derive(Default)]
struct Listing {
    /// Files that were written again since they were processed, and whether they are what they were.
    touched: BTreeMap<String, (Stamp, bool)>,
}

impl Companion {
    /// Opens a folder of captures and a folder for the job store, making those that are missing.
    ///
    /// # Errors
    /// Where a folder or the store cannot be used.
    pub fn open(captures: &Path, data: &Path) -> Result<Self, Error> {
        Self::open_with(captures, data, Options::default())
    }

    /// The same, as it shall work.
    ///
    /// # Errors
    /// As [`Companion::open`].
    pub fn open_with(captures: &Path, data: &Path, options: Options) -> Result<Self, Error> {
        let folder = Folder::open(captures)
            .map_err(|source| Error::Folder { path: captures.to_owned(), source })?;
        if options.max_upload.is_some() {
            let unusable = |source| Error::Folder { path: captures.to_owned(), source };
            folder.sweep().map_err(unusable)?;
        }
        fs::create_dir_all(data)
            .map_err(|source| Error::Folder { path: data.to_owned(), source })?;
        let unusable = |error: store::Error| Error::Store {
            path: data.to_owned(),
            message: error.to_string(),
        };
        let Loaded { mut store, records, were_running, rebuilt } =
            Store::open(data).map_err(unusable)?;
        if let Some(why) = rebuilt {
            let n = records.len();
            tracing::error!("the job store was damaged and made anew of {n} results: {why}");
        }
        let results = store.results();
        let mut jobs = Jobs::default();
        let now = now_millis();
        for record in records {
            let was_running = were_running.contains(&record.job);
            jobs.restore(record, was_running, now);
        }
        // How often the program ended with a job is known from now on.
        let again: Vec<&Record> = were_running.iter().filter_map(|it| jobs.get(*it).ok()).collect();
        if let Err(error) = store.save(&again, &[]) {
            tracing::error!("how often jobs were begun cannot be stored: {error}");
        }
        results
            .keep_only(|job| jobs.get(job).is_ok_and(Record::is_finished))
            .map_err(|error| unusable(error.into()))?;
        let rules = Rules { own: Arc::new(options.own), ..Rules::default() };
        let known = Known { own: Arc::clone(&rules.own), countries: options.countries };
        let models = data.join("models");
        let trainings = Trainings::open(folder.clone(), rules.clone(), models.clone())
            .map_err(|source| Error::Folder { path: models, source })?;
        let n_workers = options.workers.unwrap_or_else(reader::n_cores).max(1);
        tracing::info!(jobs = jobs.all().count(), waiting = jobs.n_waiting(), "the store is open");
        let shared = Arc::new(Shared {
            folder,
            rules,
            known: Mutex::new(known),
            max_upload: options.max_upload,
            state: Mutex::new(Inner { jobs, ..Inner::default() }),
            wake: Condvar::new(),
            store: Mutex::new(store),
            results,
            told: Mutex::default(),
            listing: Mutex::default(),
            answers: Answers::default(),
            open: Mutex::default(),
            opening: Mutex::default(),
            analyses: Mutex::default(),
            reading_again: Mutex::default(),
            tables: Mutex::default(),
            has_tables: !options.found.is_empty(),
            metrics: Metrics::default(),
        });
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        if shared.has_tables {
            shared.know_found(&options.found);
            // Whoever asks first is answered of all.
            shared.take_found();
            let shared = Arc::clone(&shared);
            threads.push(thread::spawn(move || shared.watch_found()));
        }
        threads.extend((0..n_workers).map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.run_jobs())
        }));
        Ok(Self { shared, trainings, threads: Mutex::new(threads) })
    }

    /// Tells countries by this database from now on; by none, no countries.
    pub fn set_countries(&self, countries: Option<Arc<Countries>>) {
        lock(&self.shared.known).countries = countries;
        self.shared.answers.forget();
    }

    /// What is learned here, and the models there are.
    pub(crate) fn trainings(&self) -> &Trainings {
        &self.trainings
    }

    /// What it counts of itself.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// The longest capture that may be uploaded, in bytes.
    pub(crate) fn max_upload(&self) -> Option<u64> {
        self.shared.max_upload
    }

    /// A place for a capture that is to be uploaded.
    ///
    /// # Errors
    /// Where the name is none, or taken.
    pub(crate) fn place(&self, name: &str) -> Result<Place, v1::Error> {
        let folder = &self.shared.folder;
        let place = folder.free_place(name).map_err(|why| match why {
            NoFile::Missing => {
                let message = format!("the folder that `{name}` names is not there");
                error::BAD_FILE_NAME.error(message)
            }
            NoFile::Unreadable(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                error::FILE_EXISTS.error(format!("there is a file `{name}` already"))
            }
            why => no_file(name, &why),
        })?;
        Ok(Place { place, part: folder.part() })
    }

    /// Processes a capture while it comes: of so many bytes, as far as that is said.
    ///
    /// # Errors
    /// Where one of that name is processed already, too many come at once, or the store takes nothing.
    pub(crate) fn process_arriving(
        &self,
        name: &str,
        bytes: u64,
        arriving: &Arc<Arriving>,
    ) -> Result<FileStatus, v1::Error> {
        let (record, running) = self.shared.begin_arriving(name, bytes)?;
        let status = record.status.clone();
        let (shared, arriving) = (Arc::clone(&self.shared), Arc::clone(arriving));
        let thread = thread::spawn(move || shared.run_arriving(&record, &running, &arriving));
        let mut threads = lock(&self.threads);
        threads.retain(|it| !it.is_finished());
        threads.push(thread);
        Ok(status)
    }

    /// Begins to stop: jobs that are being read are let go, and run again when the same folders are opened next.
    pub fn close(&self) {
        self.trainings.tell_to_stop();
        self.shared.state().is_closing = true;
        self.shared.wake.notify_all();
    }

    /// Answers a request where that takes no time and touches no file but a few folders: what was answered before, and what
    /// is known of jobs.
    pub(crate) fn quick_answer(&self, request: &Request) -> Option<Result<Bytes, v1::Error>> {
        self.shared.quick_answer(request)
    }

    /// Answers a request. It may read the folder, write the store and take its time: not for a thread that must not wait.
    ///
    /// # Errors
    /// The v1 error.
    pub fn answer(&self, request: &Request) -> Result<Bytes, v1::Error> {
        match self.shared.quick_answer(request) {
            Some(answer) => answer,
            None => self.shared.answer(request),
        }
    }

    /// Processes files, with one write to the store for all of them.
    ///
    /// # Errors
    /// Where the store takes nothing; what is wrong with one file is said of that one.
    pub(crate) fn process(&self, file_names: &[String]) -> Result<Vec<Processed>, v1::Error> {
        self.shared.process(file_names)
    }

    /// The jobs by number: all, or those in a state.
    pub(crate) fn jobs(&self, state: Option<State>) -> Vec<JobRow> {
        self.shared.state().jobs.rows(state)
    }

    /// How far a job is.
    ///
    /// # Errors
    /// Where there is no such job.
    pub(crate) fn progress(&self, job: JobId) -> Result<JobProgress, v1::Error> {
        let inner = self.shared.state();
        Ok(inner.jobs.progress(inner.jobs.get(job)?))
    }

    /// Cancels a job that waits or runs.
    ///
    /// # Errors
    /// Where there is none, or it has ended.
    pub(crate) fn cancel(&self, job: JobId) -> Result<JobProgress, v1::Error> {
        self.shared.cancel(job)?;
        self.progress(job)
    }

    /// Answers the page about a finished job.
    ///
    /// # Errors
    /// Where there is none, or its capture is another one by now.
    pub(crate) fn ask(&self, job: JobId, query: &Query) -> Result<Value, v1::Error> {
        self.shared.ask(&self.trainings, job, query)
    }

    /// Applies a model to a job that is at its end: the capture is read again, and what the job found is replaced.
    pub(crate) fn apply(&self, job: JobId, how: &ApplyRequest) -> Result<ModelApplied, v1::Error> {
        self.shared.apply(&self.trainings, job, how)
    }

    /// Numbers of the jobs: in each state, waiting, being read.
    pub(crate) fn counts(&self) -> Counts {
        let inner = self.shared.state();
        let mut counts = Counts {
            waiting: inner.jobs.n_waiting(),
            running: inner.jobs.n_running(),
            ..Counts::default()
        };
        for record in inner.jobs.all() {
            match record.status.state {
                State::Finished => counts.finished += 1,
                State::Failed => counts.failed += 1,
                State::New | State::InProgress => {}
            }
        }
        counts
    }
}

/// How many jobs there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) waiting: usize,
    pub(crate) running: usize,
    pub(crate) finished: usize,
    pub(crate) failed: usize,
}

/// Where a capture that is uploaded is to lie, and where it lies until it is whole.
pub(crate) struct Place {
    place: PathBuf,
    part: PathBuf,
}

impl Place {
    /// Where it lies until it is whole.
    pub(crate) fn part(&self) -> &Path {
        &self.part
    }

    /// Gives it its name, unless there is a file of that name by now.
    pub(crate) fn settle(&self) -> io::Result<()> {
        fs::hard_link(&self.part, &self.place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Where it cannot be taken away it stays hidden, until the next start.
        let _ = fs::remove_file(&self.part);
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.close();
        self.trainings.stop();
        for thread in lock(&self.threads).drain(..) {
            // Its panics were caught and told.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn quick_answer(&self, request: &Request) -> Option<Result<Bytes, v1::Error>> {
        match request {
            Request::Files => self.fresh_list().map(Ok),
            Request::Process { .. } => None,
            Request::Labels => self.answers.get(request).map(Ok),
            Request::Status { job } => {
                Some(self.state().jobs.get(*job).map(|it| bytes(&json!(it.status))))
            }
            Request::Details { job } => {
                Some(self.state().jobs.get(*job).map(|it| bytes(&json!(it.file()))))
            }
            Request::Reading { job }
            | Request::Statistics { job }
            | Request::StatisticsOfLabel { job, .. }
            | Request::StatisticsOfIp { job, .. }
            | Request::FlowsOfLabel { job, .. } => match self.state().jobs.finished(*job) {
                Ok(_) => self.answers.get(request).map(Ok),
                Err(error) => Some(Err(error)),
            },
        }
    }

    fn answer(&self, request: &Request) -> Result<Bytes, v1::Error> {
        let job = match request {
            Request::Files => return self.list(),
            Request::Process { file_name } => {
                let file_names = std::slice::from_ref(file_name);
                return match self.process(file_names)?.pop() {
                    Some(Processed { error: Some(error), .. }) => Err(error),
                    Some(Processed { status: Some(status), .. }) => Ok(bytes(&json!(status))),
                    _ => Err(v1::Error::internal("nothing was processed")),
                };
            }
            Request::Labels => {
                let age = self.answers.age();
                let answer = bytes(&json!(lock(&self.known).labels()));
                self.answers.keep(request.clone(), answer.clone(), age);
                return Ok(answer);
            }
            Request::Status { job }
            | Request::Details { job }
            | Request::Reading { job }
            | Request::Statistics { job }
            | Request::StatisticsOfLabel { job, .. }
            | Request::StatisticsOfIp { job, .. }
            | Request::FlowsOfLabel { job, .. } => *job,
        };
        let age = self.answers.age();
        let known = lock(&self.known).clone();
        let report = self.report(job)?;
        let answer = bytes(&Found::Stored(report).answer(request, &known)?);
        self.answers.keep(request.clone(), answer.clone(), age);
        Ok(answer)
    }

    /// What a job found.
    fn report(&self, job: JobId) -> Result<Arc<Report>, v1::Error> {
        let find = || {
            let mut open = lock(&self.open);
            let at = open.iter().position(|it| it.0 == job)?;
            let found = open.remove(at);
            let report = Arc::clone(&found.1);
            open.push(found);
            Some(report)
        };
        if let Some(report) = find() {
            return Ok(report);
        }
        let _one = lock(&self.opening);
        if let Some(report) = find() {
            return Ok(report);
        }
        let age = self.answers.age();
        let report = Arc::new(self.results.read(job).map_err(|error| {
            let mut inner = self.state();
            // A newer job of the file may have ended meanwhile.
            if let Err(error) = inner.jobs.finished(job) {
                return error;
            }
            inner.jobs.distrust(job);
            match error {
                NoResult::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                    damaged(job, &"its file is missing")
                }
                error => damaged(job, &error),
            }
        })?);
        let mut open = lock(&self.open);
        // What was replaced while it was read is not kept.
        if age != self.answers.age() {
            return Ok(report);
        }
        open.push((job, Arc::clone(&report)));
        let mut memory: usize = open.iter().map(|it| it.1.memory()).sum();
        while memory > MAX_OPEN && !open.is_empty() {
            memory -= open.remove(0).1.memory();
        }
        Ok(report)
    }

    /// Forgets what was kept of a job's result.
    fn forget(&self, jobs: &[JobId]) {
        lock(&self.open).retain(|it| !jobs.contains(&it.0));
        lock(&self.analyses).retain(|it| !jobs.contains(&it.job));
    }

    /// The list of files as it was told, where nothing changed.
    fn fresh_list(&self) -> Option<Bytes> {
        self.tell_listed();
        let told = lock(&self.told).clone()?;
        let is_fresh = told.changes == self.state().jobs.changes() && told.scan.is_fresh();
        is_fresh.then_some(told.answer)
    }

    fn list(&self) -> Result<Bytes, v1::Error> {
        let mut listing = lock(&self.listing);
        // Somebody else may have made it meanwhile.
        if let Some(answer) = self.fresh_list() {
            return Ok(answer);
        }
        let before = lock(&self.told).clone();
        let scan = match before.as_ref().map(|it| &it.scan).filter(|it| it.is_fresh()) {
            Some(scan) => Arc::clone(scan),
            None => {
                let scan = self.folder.scan(before.as_ref().map(|it| &*it.scan));
                Arc::new(scan.map_err(|error| {
                    let message = format!("the captures folder cannot be read: {error}");
                    error::FOLDER_UNREADABLE.error(message)
                })?)
            }
        };
        if let Some(mut told) = before
            && told.changes == self.state().jobs.changes()
            && told.scan.files == scan.files
        {
            told.scan = scan;
            let answer = told.answer.clone();
            *lock(&self.told) = Some(told);
            return Ok(answer);
        }
        let written_again: Vec<(String, Stamp, Record)> = {
            let inner = self.state();
            let of_file = |(name, stamp): &(String, Stamp)| {
                let (record, _) = inner.jobs.of_file(name)?;
                let is_same_length = record.stamp.bytes == stamp.bytes;
                (is_same_length && record.stamp != *stamp)
                    .then(|| (name.clone(), *stamp, record.clone()))
            };
            scan.files.iter().filter_map(of_file).collect()
        };
        // Their ends are read only now, while nobody waits for the jobs.
        let mut touched = BTreeMap::new();
        for (name, stamp, record) in written_again {
            let known = listing.touched.get(&name).filter(|it| it.0 == stamp).map(|it| it.1);
            let is_same = known.unwrap_or_else(|| self.is_capture_of(&name, &record));
            touched.insert(name, (stamp, is_same));
        }
        listing.touched = touched;
        let inner = self.state();
        let changes = inner.jobs.changes();
        let file = |(name, stamp): &(String, Stamp)| {
            let Some((newest, kept)) = inner.jobs.of_file(name) else {
                return engine::file(name, Some(stamp.bytes), FileStatus::default(), None);
            };
            let is_same = |it: &Record| {
                it.stamp == *stamp || listing.touched.get(name).is_some_and(|it| it.1)
            };
            let found = newest.found.or(kept.and_then(|it| it.found));
            let mut status = newest.status.clone();
            if newest.status.state != State::InProgress && !is_same(newest) {
                // What was found is there still, and is of what the file was.
                status.state = State::New;
            }
            engine::file(name, Some(stamp.bytes), status, found)
        };
        // What clusters know is listed without a file, too.
        let without = inner.jobs.known().filter(|it| scan.stamp(it).is_none());
        let without =
            without.filter_map(|it| Some((it.to_owned(), inner.jobs.of_file(it)?.0.stamp)));
        let without: Vec<(String, Stamp)> = without.collect();
        let mut all: Vec<&(String, Stamp)> = scan.files.iter().chain(&without).collect();
        if !without.is_empty() {
            all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        }
        let files: Vec<v1::File> = all.into_iter().map(file).collect();
        drop(inner);
        let answer = Bytes::from(
            serde_json::to_vec(&files).map_err(|it| v1::Error::internal(it.to_string()))?,
        );
        *lock(&self.told) = Some(Told { scan, changes, answer: answer.clone() });
        Ok(answer)
    }

    /// Whether a file is what a job of its name and length was of.
    fn is_capture_of(&self, name: &str, record: &Record) -> bool {
        let file = self.folder.file(name).map_err(io::Error::other);
        file.and_then(|(mut file, _)| folder::mark(&mut file)).is_ok_and(|it| record.is_named(&it))
    }

    fn process(&self, file_names: &[String]) -> Result<Vec<Processed>, v1::Error> {
        let stamps: Vec<Result<Stamp, v1::Error>> = file_names
            .iter()
            .map(|it| self.folder.file(it).map(|it| it.1).map_err(|error| no_file(it, &error)))
            .collect();
        let now = now_millis();
        let mut store = lock(&self.store);
        if self.state().is_closing {
            return Err(error::STOPPING.error("the companion stops"));
        }
        let (mut answers, mut new) = (Vec::new(), Vec::<(Record, Option<JobId>)>::new());
        for (file_name, stamp) in file_names.iter().zip(stamps) {
            let nth = new.len() as u64;
            let again = new.iter().find(|it| it.0.file_name == *file_name);
            let planned = match (again, stamp) {
                (Some((record, _)), _) => Ok(Planned::Before(record.status.clone())),
                (None, Ok(stamp)) => self.state().jobs.plan(file_name, stamp, nth, now),
                (None, Err(error)) => Err(error),
            };
            let mut answer = Processed { file_name: file_name.clone(), ..Processed::default() };
            match planned {
                Ok(Planned::Before(status)) => answer.status = Some(status),
                Ok(Planned::New { record, gone }) => {
                    answer.status = Some(record.status.clone());
                    new.push((*record, gone));
                }
                Err(error) => answer.error = Some(error),
            }
            answers.push(answer);
        }
        let records: Vec<&Record> = new.iter().map(|it| &it.0).collect();
        let gone: Vec<JobId> = new.iter().filter_map(|it| it.1).collect();
        if !records.is_empty() {
            store.save(&records, &gone).map_err(|error| cannot_store(&error))?;
        }
        let mut inner = self.state();
        for (record, gone) in new {
            inner.jobs.add(record, gone, now);
        }
        drop(inner);
        self.wake.notify_all();
        Ok(answers)
    }

    fn cancel(&self, job: JobId) -> Result<(), v1::Error> {
        let mut store = lock(&self.store);
        let cancelled = self.state().jobs.cancel(job)?;
        if let Cancelled::Waiting(mut record) = cancelled {
            record.fail(CANCELLED.to_owned(), now());
            // Where that cannot be stored the job waits again after the next start, and is not begun in this one.
            if let Err(error) = store.save(&[&record], &[]) {
                tracing::error!(job = job.0, "that it was cancelled cannot be stored: {error}");
            }
            self.state().jobs.end(*record);
        }
        Ok(())
    }

    fn finished(&self, job: JobId) -> Result<Record, v1::Error> {
        self.state().jobs.finished(job).cloned()
    }

    fn state(&self) -> MutexGuard<'_, Inner> {
        lock(&self.state)
    }
}

impl Record {
    /// The file of a job as the v1 interface shows it: as it was when it was processed.
    fn file(&self) -> v1::File {
        engine::file(&self.file_name, Some(self.stamp.bytes), self.status.clone(), self.found)
    }
}

/// Locks what no panic leaves half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bytes(value: &Value) -> Bytes {
    value.to_string().into()
}

fn damaged(job: JobId, why: &dyn std::fmt::Display) -> v1::Error {
    let message = format!("the stored result of job {}: {why}; process the file again", job.0);
    error::DAMAGED_RESULT.error(message)
}

fn cannot_store(error: &store::Error) -> v1::Error {
    error::CANNOT_STORE.error(format!("the job store: {error}; nothing was begun"))
}

/// Why an upload cannot be kept.
pub(crate) fn cannot_write(why: io::Error) -> v1::Error {
    let why = store::Error::of_io(why);
    error::CANNOT_STORE.error(format!("the folder of captures: {why}; nothing was kept"))
}

fn no_file(name: &str, error: &NoFile) -> v1::Error {
    match error {
        NoFile::BadName => error::BAD_FILE_NAME.error(format!(
            "`{name}` leads out of the folder, or to what is hidden: say the name as /files/list has it"
        )),
        NoFile::Missing => error::NO_FILE.error(format!("there is no file `{name}`")),
        NoFile::Unreadable(error) => {
            error::FOLDER_UNREADABLE.error(format!("`{name}` cannot be read: {error}"))
        }
    }
}

/// Unix seconds.
fn now() -> u64 {
    now_millis() / 1_000
}

/// Milliseconds since 1970.
fn now_millis() -> u64 {
    // A clock before 1970 is no clock.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}
