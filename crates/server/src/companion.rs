//! What the companion does between its requests: files, jobs on threads of their own, and their store.
//!
//! A job leaves two things: its record, which is always in memory, and its result, which is read from its file when somebody
//! asks and kept while there is room. The result holds what the v1 answers need. What only the page asks needs the packets:
//! the capture is read again, if it is still the same one.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::SystemTime,
};

use axum::body::Bytes;
use engine::{Analysis, Applying, Countries, Found, Known, OwnRules, Report, Rules};
use serde_json::{Value, json};
use v1::{
    FileStatus, JobId, Notice, Request, State, error,
    page::{
        ApplyRequest, Decision, Decisions, JobProgress, JobRow, ModelApplied, Processed, Query,
    },
};

use crate::{
    answers::Answers,
    arriving::{Arriving, End},
    folder::{self, Folder, NoFile, Scan, Stamp},
    jobs::{Cancelled, Jobs, Planned, Record, Running},
    metrics::Metrics,
    reading,
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
    metrics: Metrics,
}

#[derive(Default)]
struct Inner {
    jobs: Jobs,
    is_closing: bool,
    /// How many captures are being uploaded.
    n_arriving: usize,
}

/// A capture that was read again for the page.
struct Again {
    job: JobId,
    /// The model applied to it.
    applied: Option<ApplyRequest>,
    analysis: Arc<Analysis>,
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
        store.save(&again, &[]).map_err(unusable)?;
        results
            .keep_only(|job| jobs.get(job).is_ok_and(Record::is_finished))
            .map_err(|error| unusable(error.into()))?;
        let rules = Rules { own: Arc::new(options.own), ..Rules::default() };
        let known = Known { own: Arc::clone(&rules.own), countries: options.countries };
        let models = data.join("models");
        let trainings = Trainings::open(folder.clone(), rules.clone(), models.clone())
            .map_err(|source| Error::Folder { path: models, source })?;
        let n_workers = options.workers.unwrap_or_else(reading::n_cores).max(1);
        tracing::info!(jobs = jobs.all().count(), waiting = jobs.n_waiting(), "the store is open");
        let shared = Arc::new(Shared {
            folder,
            rules,
            known: Mutex::new(known),
            max_upload: options.max_upload,
            state: Mutex::new(Inner { jobs, is_closing: false, n_arriving: 0 }),
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
            metrics: Metrics::default(),
        });
        let threads = (0..n_workers)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.run_jobs())
            })
            .collect();
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
        let report = Arc::new(self.results.read(job).map_err(|error| match error {
            // A newer job of the file ended meanwhile.
            NoResult::Io(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.state().jobs.finished(job) {
                    Ok(_) => damaged(job, &"its file is missing"),
                    Err(error) => error,
                }
            }
            error => damaged(job, &error),
        })?);
        let mut open = lock(&self.open);
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
            None => Arc::new(self.folder.scan().map_err(|error| {
                let message = format!("the captures folder cannot be read: {error}");
                error::FOLDER_UNREADABLE.error(message)
            })?),
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
        let written_again: Vec<(String, Stamp, String)> = {
            let inner = self.state();
            let of_file = |(name, stamp): &(String, Stamp)| {
                let (record, _) = inner.jobs.of_file(name)?;
                let is_same_length = record.stamp.bytes == stamp.bytes;
                (is_same_length && record.stamp != *stamp)
                    .then(|| (name.clone(), *stamp, record.mark.clone()))
            };
            scan.files.iter().filter_map(of_file).collect()
        };
        // Their ends are read only now, while nobody waits for the jobs.
        let mut touched = BTreeMap::new();
        for (name, stamp, mark) in written_again {
            let known = listing.touched.get(&name).filter(|it| it.0 == stamp).map(|it| it.1);
            let is_same = known.unwrap_or_else(|| self.has_mark(&name, &mark));
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
        let files: Vec<v1::File> = scan.files.iter().map(file).collect();
        drop(inner);
        let answer = Bytes::from(
            serde_json::to_vec(&files).map_err(|it| v1::Error::internal(it.to_string()))?,
        );
        *lock(&self.told) = Some(Told { scan, changes, answer: answer.clone() });
        Ok(answer)
    }

    /// Whether a file is named by this mark.
    fn has_mark(&self, name: &str, mark: &str) -> bool {
        let file = self.folder.file(name).map_err(io::Error::other);
        file.and_then(|(mut file, _)| folder::mark(&mut file)).is_ok_and(|it| it == mark)
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

    /// A thread's life: job after job, until the end.
    fn run_jobs(&self) {
        while let Some((record, running)) = self.wait_for_job() {
            let job = record.job;
            self.results.begin(job);
            let begun = SystemTime::now();
            // A capture that makes the program fail must not take the other jobs with it.
            let result = catch_unwind(AssertUnwindSafe(|| self.read_job(&record, &running)))
                .unwrap_or_else(|_| Some((record.clone(), Err(failed()))));
            let Some((record, result)) = result else {
                // It was the end that stopped it: the store says it still runs, so it will run again.
                self.state().jobs.abandon(job);
                self.results.end(job);
                return;
            };
            let record = self.end_job(record, result);
            self.results.end(job);
            let millis = begun.elapsed().unwrap_or_default().as_millis() as u64;
            let (state, bytes) = (record.status.state, record.stamp.bytes);
            self.metrics.count_job(&record);
            tracing::info!(job = job.0, ?state, bytes, millis, "a job ended");
        }
    }

    fn wait_for_job(&self) -> Option<(Record, Arc<Running>)> {
        let mut inner = self.state();
        loop {
            if inner.is_closing {
                return None;
            }
            if let Some(job) = inner.jobs.begin() {
                return Some(job);
            }
            inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reads a job's capture; `None` where the end came first. The record says which file it was.
    fn read_job(
        &self,
        record: &Record,
        running: &Running,
    ) -> Option<(Record, Result<Report, String>)> {
        let mut record = record.clone();
        let opened = self.folder.file(&record.file_name).map_err(|error| match error {
            NoFile::Unreadable(error) => unreadable(&error),
            error => unreadable(&io::Error::other(error)),
        });
        let opened = opened.and_then(|(mut file, stamp)| {
            let mark = folder::mark(&mut file).map_err(|error| unreadable(&error))?;
            Ok((file, stamp, mark))
        });
        let file = match opened {
            Ok((file, stamp, mark)) => {
                (record.stamp, record.mark) = (stamp, mark);
                file
            }
            Err(error) => return Some((record, Err(error))),
        };
        let file = Until { is_over: || self.is_over(running), file };
        let result = self.report_of(file, &record.file_name, running)?;
        Some((record, result))
    }

    /// What a capture holds; `None` where the end came first.
    fn report_of(
        &self,
        reader: impl Read + Send,
        name: &str,
        running: &Running,
    ) -> Option<Result<Report, String>> {
        // What no other capture needs is this one's.
        let n_running = self.state().jobs.n_running().max(1);
        let n_threads = (reading::n_cores() / n_running).max(1);
        let tell = |reached| running.tell(reached);
        let read = reading::read_telling(reader, name, &self.rules, n_threads, &tell);
        if self.state().is_closing {
            return None;
        }
        Some(match read {
            _ if running.is_cancelled() => Err(CANCELLED.to_owned()),
            Ok(analysis) => match analysis.failure() {
                Some(notice) => Err(notice.to_string()),
                None => Ok(Report::new(&analysis)),
            },
            Err(error) => Err(unreadable(&error)),
        })
    }

    /// Whether a job shall not go on.
    fn is_over(&self, running: &Running) -> bool {
        running.is_cancelled() || self.state().is_closing
    }

    /// Begins a job of a capture that comes.
    fn begin_arriving(&self, name: &str, bytes: u64) -> Result<(Record, Arc<Running>), v1::Error> {
        let stamp = Stamp { bytes, modified_ns: 0 };
        let mut store = lock(&self.store);
        let planned = {
            let inner = self.state();
            if inner.is_closing {
                return Err(error::STOPPING.error("the companion stops"));
            }
            if inner.n_arriving >= MAX_ARRIVING {
                let message = format!("{MAX_ARRIVING} captures are being uploaded already");
                return Err(error::BUSY.error(message));
            }
            inner.jobs.plan(name, stamp, 0, now_millis())?
        };
        let Planned::New { record, gone } = planned else {
            return Err(error::FILE_EXISTS.error(format!("`{name}` is being uploaded already")));
        };
        let gone_jobs: Vec<JobId> = gone.into_iter().collect();
        store.save(&[&record], &gone_jobs).map_err(|error| cannot_store(&error))?;
        let mut inner = self.state();
        inner.n_arriving += 1;
        let running = inner.jobs.add_running((*record).clone(), gone);
        Ok((*record, running))
    }

    /// The life of a thread that reads a capture while it comes.
    fn run_arriving(&self, record: &Record, running: &Running, arriving: &Arriving) {
        let job = record.job;
        self.results.begin(job);
        let result =
            catch_unwind(AssertUnwindSafe(|| self.read_arriving(record, running, arriving)))
                .unwrap_or_else(|_| Some((record.clone(), Err(failed()))));
        match result {
            Some((record, result)) => {
                let record = self.end_job(record, result);
                self.metrics.count_job(&record);
                tracing::info!(job = job.0, state = ?record.status.state, "an upload ended");
            }
            None => self.state().jobs.abandon(job),
        }
        self.results.end(job);
        self.state().n_arriving -= 1;
    }

    fn read_arriving(
        &self,
        record: &Record,
        running: &Running,
        arriving: &Arriving,
    ) -> Option<(Record, Result<Report, String>)> {
        let mut record = record.clone();
        let read = match arriving.reader(|| self.is_over(running)) {
            Ok(reader) => self.report_of(reader, &record.file_name, running)?,
            Err(error) => Err(unreadable(&error)),
        };
        // What is no capture any more may still come further.
        let end = arriving.wait(|| self.is_over(running));
        if self.state().is_closing {
            return None;
        }
        let settled = match end {
            Some(End::Whole) => self.folder.file(&record.file_name).map_err(io::Error::other),
            _ => Err(io::Error::other("the upload ended early")),
        };
        let settled = settled.and_then(|(mut file, stamp)| Ok((stamp, folder::mark(&mut file)?)));
        match settled {
            Ok((stamp, mark)) => {
                (record.stamp, record.mark) = (stamp, mark);
                Some((record, read))
            }
            Err(_) if running.is_cancelled() => Some((record, Err(CANCELLED.to_owned()))),
            Err(error) => Some((record, Err(unreadable(&error)))),
        }
    }

    /// Stores how a job ended, its result first; then others see it.
    fn end_job(&self, mut record: Record, result: Result<Report, String>) -> Record {
        let job = record.job;
        let written = match result {
            Ok(report) => {
                record.found = Some(report.summary());
                record.status.state = State::Finished;
                record.status.finished_at = Some(now());
                let report = report.write();
                self.results.write(&record, &report).map_err(store::Error::of_io)
            }
            Err(why) => {
                record.fail(why, now());
                Ok(())
            }
        };
        let mut store = lock(&self.store);
        let replaced = self.state().jobs.replaced_by(&record);
        let stored = written.and_then(|()| store.save(&[&record], &replaced));
        if let Err(error) = stored {
            tracing::error!(job = job.0, "how it ended cannot be stored: {error}");
            // What was not stored is not called finished; after the next start it waits again.
            if record.is_finished() {
                record.found = None;
                record.fail(format!("its result cannot be stored: {error}"), now());
                self.results.remove(&[job]);
            }
        }
        let replaced = self.state().jobs.end(record.clone());
        drop(store);
        self.forget(&replaced);
        self.results.remove(&replaced);
        record
    }

    /// Replaces what a job found.
    fn replace(&self, record: &Record, report: Option<Report>) -> Result<(), v1::Error> {
        let mut store = lock(&self.store);
        // A newer job may have replaced it meanwhile.
        self.state().jobs.finished(record.job)?;
        if let Some(report) = report {
            let written = self.results.write(record, &report.write());
            written.map_err(|error| cannot_store(&store::Error::of_io(error)))?;
        }
        store.save(&[record], &[]).map_err(|error| cannot_store(&error))?;
        self.state().jobs.replace(record.clone());
        Ok(())
    }

    fn apply(
        &self,
        trainings: &Trainings,
        job: JobId,
        how: &ApplyRequest,
    ) -> Result<ModelApplied, v1::Error> {
        if !(0.0..=1.0).contains(&how.threshold) {
            return Err(error::NO_SENSE.error("`threshold` is no number from 0 to 1"));
        }
        let model = Arc::new(trainings.model(&how.model)?);
        let Ok(_one) = self.reading_again.try_lock() else {
            let message = "another capture is being read again; ask again later";
            return Err(error::BUSY.error(message));
        };
        let mut record = self.finished(job)?;
        let mut analysis = self.read_again(&record)?;
        let applying = Applying { threshold: how.threshold, over_payload: how.over_payload };
        let applied = analysis
            .apply(&model, &applying)
            .map_err(|error| error::NO_SENSE.error(error.to_string()))?;
        let report = Report::new(&analysis);
        record.found = Some(report.summary());
        record.applied = Some(how.clone());
        self.replace(&record, Some(report))?;
        self.forget(&[job]);
        self.answers.forget();
        Ok(applied)
    }

    fn ask(&self, trainings: &Trainings, job: JobId, query: &Query) -> Result<Value, v1::Error> {
        let record = self.finished(job)?;
        let analysis = self.analysis(trainings, &record)?;
        let answer = analysis.page(query);
        if let Query::Decide { .. } | Query::Undo { .. } = query {
            let decisions: Vec<Decision> =
                serde_json::from_value::<Decisions>(answer.clone()).unwrap_or_default().decisions;
            let record = Record { decisions, ..self.finished(job)? };
            if let Err(error) = self.replace(&record, None) {
                // What is not stored is not decided.
                self.forget(&[job]);
                return Err(error);
            }
        }
        Ok(answer)
    }

    /// A job's capture, read again where it is not open.
    fn analysis(&self, trainings: &Trainings, record: &Record) -> Result<Arc<Analysis>, v1::Error> {
        let find = || {
            let mut analyses = lock(&self.analyses);
            let is_it = |it: &Again| it.job == record.job && it.applied == record.applied;
            let at = analyses.iter().position(is_it)?;
            let found = analyses.remove(at);
            let analysis = Arc::clone(&found.analysis);
            analyses.push(found);
            Some(analysis)
        };
        if let Some(analysis) = find() {
            return Ok(analysis);
        }
        let _one = lock(&self.reading_again);
        if let Some(analysis) = find() {
            return Ok(analysis);
        }
        // Before another one takes memory.
        {
            let mut analyses = lock(&self.analyses);
            let n_over = (analyses.len() + 1).saturating_sub(MAX_ANALYSES);
            analyses.drain(..n_over);
        }
        let mut analysis = self.read_again(record)?;
        if let Some(how) = &record.applied {
            let model = Arc::new(trainings.model(&how.model)?);
            let how = Applying { threshold: how.threshold, over_payload: how.over_payload };
            let applied = analysis.apply(&model, &how);
            applied.map_err(|error| error::NO_SENSE.error(error.to_string()))?;
        }
        analysis.set_countries(lock(&self.known).countries.clone());
        for decision in &record.decisions {
            analysis.page(&Query::Decide { decision: *decision });
        }
        let analysis = Arc::new(analysis);
        let applied = record.applied.clone();
        let again = Again { job: record.job, applied, analysis: Arc::clone(&analysis) };
        lock(&self.analyses).push(again);
        Ok(analysis)
    }

    /// Reads the capture of a finished job again, if it is still the one it was.
    fn read_again(&self, record: &Record) -> Result<Analysis, v1::Error> {
        let name = &record.file_name;
        let other = || {
            let message = format!("`{name}` is another file now, or gone: process it again");
            error::OTHER_CAPTURE.error(message)
        };
        let (mut file, stamp) = match self.folder.file(name) {
            Ok(it) => it,
            Err(NoFile::Unreadable(error)) => {
                let message = format!("`{name}` cannot be read: {error}");
                return Err(error::FOLDER_UNREADABLE.error(message));
            }
            Err(_) => return Err(other()),
        };
        let unread = |error: io::Error| {
            if self.state().is_closing {
                return error::STOPPING.error("the companion stops");
            }
            error::FOLDER_UNREADABLE.error(format!("`{name}` cannot be read: {error}"))
        };
        if stamp.bytes != record.stamp.bytes
            || folder::mark(&mut file).map_err(unread)? != record.mark
        {
            return Err(other());
        }
        let file = Until { is_over: || self.state().is_closing, file };
        let n_threads = reading::n_cores();
        let analysis = reading::read(file, name, &self.rules, n_threads).map_err(unread)?;
        if self.state().is_closing {
            return Err(error::STOPPING.error("the companion stops"));
        }
        match analysis.failure() {
            Some(_) => Err(other()),
            None => Ok(analysis),
        }
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

/// A file that fails once it is over.
struct Until<F, R> {
    is_over: F,
    file: R,
}

impl<F: Fn() -> bool, R: Read> Read for Until<F, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if (self.is_over)() {
            return Err(io::Error::other("reading was stopped"));
        }
        self.file.read(bytes)
    }
}

/// Why a file gave nothing at all.
fn unreadable(error: &io::Error) -> String {
    Notice::new("E-IO", "", vec![error.to_string().as_str().into()]).to_string()
}

/// Why a job of a faulty program has nothing.
fn failed() -> String {
    Notice::new("E-PROGRAM", "", vec!["it met a capture it was not made for".into()]).to_string()
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
