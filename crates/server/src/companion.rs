//! What the companion does between its requests: files, jobs on threads of their own, and their store.

use std::{
    fs,
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    thread::{self, JoinHandle},
    time::SystemTime,
};

use engine::{Analysis, Applying, Countries, Found, JobRecord, Library, OwnRules, Rules};
use serde_json::Value;
use v1::{
    JobId, Notice, Request,
    page::{ApplyRequest, ModelApplied},
};

use crate::{
    folder::{Folder, is_plain_name},
    reading,
    store::{self, Store},
    training::Trainings,
};

/// How many captures are read at once: each takes memory by its flows.
const MAX_RUNNING: usize = 2;

/// A library of captures with everything it needs to process them. Dropping it ends its threads; the jobs they were at
/// run again when the same folders are opened next.
pub struct Companion {
    shared: Arc<Shared>,
    trainings: Trainings,
    threads: Vec<JoinHandle<()>>,
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
        /// Its file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

struct Shared {
    folder: Folder,
    rules: Rules,
    state: Mutex<State>,
    /// A job waits, or the end is near.
    wake: Condvar,
    /// Locked while a record is taken and written, so that the newest is the last written.
    store: Mutex<Store>,
    /// Locked while a model is applied: it takes the memory of a capture, and one is enough.
    applying: Mutex<()>,
}

struct State {
    library: Library,
    is_closing: bool,
    /// How many captures are being read.
    n_running: usize,
}

impl Companion {
    /// Opens a folder of captures and a folder for the job store, making those that are missing.
    ///
    /// # Errors
    /// Where a folder or the store cannot be used.
    pub fn open(captures: &Path, data: &Path) -> Result<Self, Error> {
        Self::open_with(captures, data, OwnRules::default())
    }

    /// The same, with rules of the user's for the captures that are processed from now on.
    ///
    /// # Errors
    /// As [`Companion::open`].
    pub fn open_with(captures: &Path, data: &Path, own: OwnRules) -> Result<Self, Error> {
        let folder = Folder::open(captures)
            .map_err(|source| Error::Folder { path: captures.to_owned(), source })?;
        fs::create_dir_all(data)
            .map_err(|source| Error::Folder { path: data.to_owned(), source })?;
        let path = data.join("jobs.redb");
        let unusable = |error: store::Error| {
            let message = match error {
                store::Error::Database(redb::DatabaseError::DatabaseAlreadyOpen) => {
                    "another companion uses it".to_owned()
                }
                error => error.to_string(),
            };
            Error::Store { path: path.clone(), message }
        };
        let store = Store::open(&path).map_err(unusable)?;
        let rules = Rules { own: Arc::new(own), ..Rules::default() };
        let mut library = Library::new();
        library.set_own_rules(Arc::clone(&rules.own));
        for record in store.load().map_err(unusable)? {
            library.restore(record);
        }
        let models = data.join("models");
        let trainings = Trainings::open(folder.clone(), rules.clone(), models.clone())
            .map_err(|source| Error::Folder { path: models, source })?;
        let shared = Arc::new(Shared {
            folder,
            rules,
            applying: Mutex::new(()),
            state: Mutex::new(State { library, is_closing: false, n_running: 0 }),
            wake: Condvar::new(),
            store: Mutex::new(store),
        });
        let n_threads = reading::n_cores().min(MAX_RUNNING);
        let threads = (0..n_threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.run_jobs())
            })
            .collect();
        Ok(Self { shared, trainings, threads })
    }

    /// Tells countries by this database from now on; by none, no countries.
    pub fn set_countries(&self, countries: Option<Arc<Countries>>) {
        self.shared.state().library.set_countries(countries);
    }

    /// What is learned here, and the models there are.
    pub(crate) fn trainings(&self) -> &Trainings {
        &self.trainings
    }

    /// Applies a model to a job that is at its end: the capture is read again, and what the job found is replaced.
    pub(crate) fn apply(&self, job: JobId, how: &ApplyRequest) -> Result<ModelApplied, v1::Error> {
        if !(0.0..=1.0).contains(&how.threshold) {
            return Err(v1::Error::bad_request("`threshold` is no number from 0 to 1"));
        }
        let model = Arc::new(self.trainings.model(&how.model)?);
        let shared = &self.shared;
        let _one = match shared.applying.try_lock() {
            Ok(it) => it,
            // A panic while another one was applied left nothing half done.
            Err(TryLockError::Poisoned(it)) => it.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let message = "another model is being applied; ask again later";
                return Err(v1::Error::new(503, message));
            }
        };
        let record = shared.record(job);
        let record =
            record.ok_or_else(|| v1::Error::not_found(format!("there is no job {}", job.0)))?;
        if record.status.state != v1::State::Finished {
            return Err(v1::Error::new(409, format!("job {} is not finished", job.0)));
        }
        let mut analysis = match shared.read(&record.file_name) {
            Some(Ok(analysis)) => analysis,
            Some(Err(message)) => return Err(v1::Error::not_found(message)),
            None => return Err(v1::Error::new(503, "the companion closes")),
        };
        let how = Applying { threshold: how.threshold, over_payload: how.over_payload };
        let applied = analysis
            .apply(&model, &how)
            .map_err(|error| v1::Error::bad_request(error.to_string()))?;
        analysis.keep_counts();
        // A file that can no longer be read leaves the job as it was.
        let found = Arc::new(analysis).result().map_err(v1::Error::not_found)?;
        let at = record.status.finished_at.unwrap_or_else(now);
        shared.state().library.finish(job, Ok(found), at);
        shared
            .save(job)
            .map_err(|error| v1::Error::internal(format!("the job cannot be stored: {error}")))?;
        Ok(applied)
    }

    /// Answers a request. It may read the folder, write the store and take its time: not for a thread that must not wait.
    ///
    /// # Errors
    /// The v1 error.
    pub fn answer(&self, request: &Request) -> Result<Value, v1::Error> {
        self.shared.answer(request)
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        self.trainings.stop();
        self.shared.state().is_closing = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // Its panics were caught and told.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Result<Value, v1::Error> {
        match request {
            Request::Files => {
                self.rescan()?;
                self.state().library.answer(request, now())
            }
            Request::Process { file_name } => {
                if !is_plain_name(file_name) {
                    return Err(v1::Error::bad_request(format!(
                        "`{file_name}` is no file name: say the name alone, without folders"
                    )));
                }
                self.rescan()?;
                let answer = self.state().library.answer(request, now())?;
                if let Some(job) = answer.get("job_id").and_then(Value::as_u64) {
                    self.save(JobId(job)).map_err(|error| {
                        v1::Error::internal(format!("the job cannot be stored: {error}"))
                    })?;
                }
                self.wake.notify_one();
                Ok(answer)
            }
            request => self.state().library.answer(request, now()),
        }
    }

    fn rescan(&self) -> Result<(), v1::Error> {
        let files = self.folder.files().map_err(|error| {
            v1::Error::internal(format!("the captures folder cannot be read: {error}"))
        })?;
        self.state().library.set_files(files);
        Ok(())
    }

    /// A thread's life: job after job, until the end.
    fn run_jobs(&self) {
        while let Some((job, file_name)) = self.wait_for_job() {
            // A capture that makes the program fail must not take the other jobs with it.
            let result = catch_unwind(AssertUnwindSafe(|| self.process(&file_name)))
                .unwrap_or_else(|_| Some(Err(failed())));
            // Without a result it was the end that stopped it: the store says it still runs, so it will run again.
            let Some(result) = result else { return };
            let mut state = self.state();
            state.n_running -= 1;
            state.library.finish(job, result, now());
            drop(state);
            if let Err(error) = self.save(job) {
                eprintln!("tractor: job {} cannot be stored: {error}", job.0);
            }
        }
    }

    fn wait_for_job(&self) -> Option<(JobId, String)> {
        let mut state = self.state();
        loop {
            if state.is_closing {
                return None;
            }
            if let Some(job) = state.library.next_job() {
                state.n_running += 1;
                return Some(job);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What a capture holds, as far as answers need it; `None` where the end came first.
    fn process(&self, file_name: &str) -> Option<Result<Found, String>> {
        let mut analysis = match self.read(file_name)? {
            Ok(analysis) => analysis,
            Err(error) => return Some(Err(error)),
        };
        analysis.keep_counts();
        Some(Arc::new(analysis).result())
    }

    /// Reads a capture; `None` where the end came first.
    fn read(&self, file_name: &str) -> Option<Result<Analysis, String>> {
        let file = match self.folder.file(file_name) {
            Ok(file) => file,
            Err(error) => return Some(Err(unreadable(&error))),
        };
        // What no other capture needs is this one's.
        let n_threads = (reading::n_cores() / self.state().n_running.max(1)).max(1);
        let file = Until { shared: self, file };
        match reading::read(file, file_name, &self.rules, n_threads) {
            Ok(analysis) if !analysis.is_complete() && self.state().is_closing => None,
            Ok(analysis) => Some(Ok(analysis)),
            Err(_) if self.state().is_closing => None,
            Err(error) => Some(Err(unreadable(&error))),
        }
    }

    fn save(&self, job: JobId) -> Result<(), store::Error> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(record) = self.state().library.record(job) else { return Ok(()) };
        store.save(&record, |job| self.record(job).is_some())
    }

    fn record(&self, job: JobId) -> Option<JobRecord> {
        self.state().library.record(job)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while an answer was made leaves the library as it was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that fails once the companion closes.
struct Until<'a, R> {
    shared: &'a Shared,
    file: R,
}

impl<R: Read> Read for Until<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.shared.state().is_closing {
            return Err(io::Error::other("the companion closes"));
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
    // A clock before 1970 is no clock.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs())
}
