//! Jobs on threads of their own: taken when it is their turn, read, and stored before others see their end.

use std::{
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError},
    time::{Duration, SystemTime},
};

use engine::Report;
use v1::{JobId, Notice, State, error};

use super::{CANCELLED, MAX_ARRIVING, Shared, cannot_store, lock, now, now_millis};
use crate::{
    arriving::{Arriving, End},
    folder::{self, NoFile, Stamp},
    jobs::{Planned, Record, Running},
    store,
};

/// How often a thread without a job looks for captures that nobody asks about.
const IDLE_LOOK: Duration = Duration::from_secs(60);

impl Shared {
    /// A thread's life: job after job, until the end.
    pub(super) fn run_jobs(&self) {
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
            drop(self.wake.wait_timeout(inner, IDLE_LOOK).unwrap_or_else(PoisonError::into_inner));
            self.close_idle();
            inner = self.state();
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
        let n_threads = (reader::n_cores() / n_running).max(1);
        let tell = |reached| running.tell(reached);
        let read = reader::read_telling(reader, name, &self.rules, n_threads, &tell);
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
    pub(super) fn begin_arriving(
        &self,
        name: &str,
        bytes: u64,
    ) -> Result<(Record, Arc<Running>), v1::Error> {
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
    pub(super) fn run_arriving(&self, record: &Record, running: &Running, arriving: &Arriving) {
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
}

/// A file that fails once it is over.
pub(super) struct Until<F, R> {
    pub(super) is_over: F,
    pub(super) file: R,
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
