//! The jobs there are, in memory: which wait, which run, which answer for a file. No file is touched here.
//!
//! A file's newest job answers for it. While that one has no result, the last one that has is kept beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{Progress, Summary};
use serde::{Deserialize, Serialize};
use v1::{
    Error, FileStatus, JobId, State, error,
    page::{ApplyRequest, Decision, JobProgress, JobRow, JobStage},
};

use crate::{folder::Stamp, found::Seen};

/// How many jobs may wait.
const MAX_WAITING: u64 = 100_000;
/// How often a job is begun whose process ended with it: a capture that ends the program must not do so for ever.
const MAX_STARTS: u32 = 5;
/// A capture waits as if it had come later by its length over this, in bytes a millisecond: small ones go first, and none
/// waits for ever.
const HANDICAP: u64 = 10_000;

/// A job as the store keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// Its number.
    pub(crate) job: JobId,
    /// The file it processes.
    pub(crate) file_name: String,
    /// The file as it was then.
    pub(crate) stamp: Stamp,
    /// What its length, beginning and end are named by; empty until it was opened.
    pub(crate) mark: String,
    /// The mark of the result, or what was wrong, where it was taken over from a cluster.
    pub(crate) taken: Option<String>,
    pub(crate) status: FileStatus,
    /// How often the process ended with it.
    pub(crate) starts: u32,
    /// Why it failed.
    pub(crate) failure: Option<String>,
    /// What a list says of what it found.
    pub(crate) found: Option<Summary>,
    /// The model applied to it.
    pub(crate) applied: Option<ApplyRequest>,
    /// What was decided of its sessions.
    pub(crate) decisions: Vec<Decision>,
}

/// A job that is being read.
pub(crate) struct Running {
    total: u64,
    since: Instant,
    bytes: AtomicU64,
    frames: AtomicU64,
    packets: AtomicU64,
    flows: AtomicU64,
    is_cancelled: AtomicBool,
}

/// The jobs of a file.
#[derive(Clone, Copy, Debug)]
struct OfFile {
    newest: JobId,
    /// One that is finished, while the newest is not.
    kept: Option<JobId>,
}

/// The jobs.
#[derive(Default)]
pub(crate) struct Jobs {
    records: BTreeMap<JobId, Record>,
    of_file: BTreeMap<String, OfFile>,
    /// Those that wait, by their turn.
    waiting: BTreeSet<(u64, JobId)>,
    running: BTreeMap<JobId, Arc<Running>>,
    last: JobId,
    /// Names that clusters know. They are listed with their jobs, whether there are such files or not.
    known: BTreeSet<String>,
    /// Counts changes that lists show.
    changes: u64,
}

impl Jobs {
    /// Takes a job back from the store, at time `now` in milliseconds. One that was not finished waits again; one with
    /// which the process ended too often has failed.
    pub(crate) fn restore(&mut self, mut record: Record, was_running: bool, now: u64) {
        let job = record.job;
        self.last = self.last.max(job);
        let of_file = self.of_file.entry(record.file_name.clone());
        let of_file = of_file.or_insert(OfFile { newest: job, kept: None });
        let is_finished = |it: &JobId| self.records.get(it).is_some_and(Record::is_finished);
        if of_file.newest < job {
            let kept = Some(of_file.newest).filter(is_finished).or(of_file.kept);
            *of_file = OfFile { newest: job, kept: kept.filter(|_| !record.is_finished()) };
        }
        if record.status.state == State::InProgress {
            record.starts += u32::from(was_running);
            if record.starts >= MAX_STARTS {
                let times = record.starts;
                let why = format!("the program ended {times} times while it read the capture");
                record.fail(why, now / 1_000);
            } else {
                // What the program ended with goes last.
                let turn =
                    turn(now, record.stamp.bytes).saturating_add(u64::from(record.starts) * 60_000);
                self.waiting.insert((turn, job));
            }
        }
        self.records.insert(job, record);
    }

    /// What a request to process a file comes to: the job that is at it already, or a new record to be stored and given
    /// to [`Jobs::add`], the nth of those that are planned at once.
    pub(crate) fn plan(
        &self,
        file_name: &str,
        stamp: Stamp,
        nth: u64,
        now: u64,
    ) -> Result<Planned, Error> {
        let newest = self.of_file.get(file_name).and_then(|it| self.records.get(&it.newest));
        if let Some(record) = newest.filter(|it| it.status.state == State::InProgress) {
            return Ok(Planned::Before(record.status.clone()));
        }
        if self.waiting.len() as u64 + nth >= MAX_WAITING {
            let message = format!("{MAX_WAITING} jobs wait already; ask again later");
            return Err(error::QUEUE_FULL.error(message));
        }
        let job = JobId(self.last.0 + 1 + nth);
        let status = FileStatus {
            state: State::InProgress,
            started_at: Some(now / 1_000),
            finished_at: None,
            job_id: Some(job),
        };
        // One that failed is replaced at once: it has nothing to lose.
        let gone = newest.filter(|it| !it.is_finished()).map(|it| it.job);
        let file_name = file_name.to_owned();
        let record = Record { job, file_name, stamp, status, ..Record::default() };
        Ok(Planned::New { record: Box::new(record), gone })
    }

    /// Takes a planned job, which is stored: it waits from now on.
    pub(crate) fn add(&mut self, record: Record, gone: Option<JobId>, now: u64) {
        self.waiting.insert((turn(now, record.stamp.bytes), record.job));
        self.take(record, gone);
    }

    /// Takes a planned job, which is stored: it runs from now on, on a thread of its own.
    pub(crate) fn add_running(&mut self, record: Record, gone: Option<JobId>) -> Arc<Running> {
        let running = Arc::new(Running::new(record.stamp.bytes));
        self.running.insert(record.job, Arc::clone(&running));
        self.take(record, gone);
        running
    }

    fn take(&mut self, record: Record, gone: Option<JobId>) {
        let job = record.job;
        let before = self.of_file.get(&record.file_name).copied();
        let is_finished = |it: &JobId| self.records.get(it).is_some_and(Record::is_finished);
        let kept = before.and_then(|it| Some(it.newest).filter(is_finished).or(it.kept));
        self.of_file.insert(record.file_name.clone(), OfFile { newest: job, kept });
        if let Some(gone) = gone {
            self.records.remove(&gone);
        }
        self.last = self.last.max(job);
        self.records.insert(job, record);
        self.changes += 1;
    }

    /// Whether what a cluster found of a capture shall answer for its name, where there is such a file in the folder, or none.
    ///
    /// A file of another length is another capture. A job of the user's own stays that is at the capture, or finished it.
    pub(crate) fn wants(&self, seen: &Seen, file: Option<Stamp>) -> bool {
        if file.is_some_and(|it| it.bytes != seen.bytes) {
            return false;
        }
        let is_of_it = |it: &Record| it.stamp.bytes == seen.bytes;
        let stays = |it: &Record| match (&it.taken, it.status.state) {
            (Some(taken), _) => is_of_it(it) && *taken == seen.mark,
            (None, State::InProgress) => true,
            (None, State::Finished) => is_of_it(it),
            (None, _) => is_of_it(it) && seen.is_failed,
        };
        match self.of_file(&seen.file_name) {
            None => true,
            // It is of an older table: what is kept beside it is older still.
            Some((newest, _)) if newest.taken.is_some() => !stays(newest),
            Some((newest, kept)) => !stays(newest) && !kept.is_some_and(stays),
        }
    }

    /// A number that no job has, for one that is stored later.
    pub(crate) fn reserve(&mut self) -> JobId {
        self.last = JobId(self.last.0 + 1);
        self.last
    }

    /// The jobs that a record replaces at once which comes with its end: all of its file, or those without a result.
    pub(crate) fn replaced_at_once(&self, record: &Record) -> Vec<JobId> {
        let Some(of_file) = self.of_file.get(&record.file_name) else { return Vec::new() };
        let is_finished = |it: &JobId| self.records.get(it).is_some_and(Record::is_finished);
        let jobs = [Some(of_file.newest), of_file.kept].into_iter().flatten();
        jobs.filter(|it| record.is_finished() || !is_finished(it)).collect()
    }

    /// Takes a record which comes with its end and is stored; gives the jobs it replaces.
    pub(crate) fn add_ended(&mut self, record: Record) -> Vec<JobId> {
        let replaced = self.replaced_at_once(&record);
        let file_name = record.file_name.clone();
        self.take(record, None);
        for job in &replaced {
            self.records.remove(job);
        }
        if let Some(of_file) = self.of_file.get_mut(&file_name) {
            of_file.kept = of_file.kept.filter(|it| !replaced.contains(it));
        }
        replaced
    }

    /// Says that a job's result is damaged: where it was taken over it is wanted again.
    pub(crate) fn distrust(&mut self, job: JobId) {
        if let Some(taken) = self.records.get_mut(&job).and_then(|it| it.taken.as_mut()) {
            taken.clear();
        }
    }

    /// Says which names clusters know.
    pub(crate) fn set_known(&mut self, names: BTreeSet<String>) {
        if self.known != names {
            self.known = names;
            self.changes += 1;
        }
    }

    /// The names that clusters know.
    pub(crate) fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// The job whose turn it is: it runs from now on.
    pub(crate) fn begin(&mut self) -> Option<(Record, Arc<Running>)> {
        let (_, job) = self.waiting.pop_first()?;
        let record = self.records.get(&job)?.clone();
        let running = Arc::new(Running::new(record.stamp.bytes));
        self.running.insert(job, Arc::clone(&running));
        Some((record, running))
    }

    /// Puts a job back that was stopped by the end of the program: the store says that it runs.
    pub(crate) fn abandon(&mut self, job: JobId) {
        self.running.remove(&job);
    }

    /// Takes the record of a job that ended, which is stored; gives the jobs it replaces.
    pub(crate) fn end(&mut self, record: Record) -> Vec<JobId> {
        self.running.remove(&record.job);
        let replaced = self.replaced_by(&record);
        for job in &replaced {
            self.records.remove(job);
        }
        if record.is_finished()
            && let Some(of_file) = self.of_file.get_mut(&record.file_name)
            && of_file.newest == record.job
        {
            of_file.kept = None;
        }
        self.records.insert(record.job, record);
        self.changes += 1;
        replaced
    }

    /// The jobs that a record replaces once it is stored: of its file, those before it, where it is finished.
    pub(crate) fn replaced_by(&self, record: &Record) -> Vec<JobId> {
        let kept = self.of_file.get(&record.file_name).and_then(|it| it.kept);
        kept.filter(|it| record.is_finished() && *it < record.job).into_iter().collect()
    }

    /// Replaces the record of a job that ended before: a model was applied, sessions were decided.
    pub(crate) fn replace(&mut self, record: Record) {
        self.records.insert(record.job, record);
        self.changes += 1;
    }

    /// Takes a job out of those that wait, or says to its thread that it shall stop.
    pub(crate) fn cancel(&mut self, job: JobId) -> Result<Cancelled, Error> {
        let record = self.get(job)?;
        if record.status.state != State::InProgress {
            return Err(error::JOB_RUNS.error(format!("job {} has ended already", job.0)));
        }
        if let Some(running) = self.running.get(&job) {
            running.is_cancelled.store(true, Ordering::Relaxed);
            return Ok(Cancelled::Running);
        }
        let record = record.clone();
        let length = self.waiting.len();
        self.waiting.retain(|it| it.1 != job);
        // One that neither waits nor runs is being ended by somebody else just now.
        if self.waiting.len() == length {
            return Err(error::JOB_RUNS.error(format!("job {} ends just now", job.0)));
        }
        Ok(Cancelled::Waiting(Box::new(record)))
    }

    pub(crate) fn get(&self, job: JobId) -> Result<&Record, Error> {
        self.records
            .get(&job)
            .ok_or_else(|| error::NO_JOB.error(format!("there is no job {}", job.0)))
    }

    /// A job that has a result.
    pub(crate) fn finished(&self, job: JobId) -> Result<&Record, Error> {
        let record = self.get(job)?;
        match (&record.failure, record.is_finished()) {
            (_, true) => Ok(record),
            (Some(why), _) => Err(error::JOB_FAILED.error(format!("job {} failed: {why}", job.0))),
            _ => Err(error::NOT_FINISHED.error(format!("job {} is not finished yet", job.0))),
        }
    }

    /// The newest job of a file, and the finished one kept beside it.
    pub(crate) fn of_file(&self, file_name: &str) -> Option<(&Record, Option<&Record>)> {
        let of_file = self.of_file.get(file_name)?;
        let kept = of_file.kept.and_then(|it| self.records.get(&it));
        Some((self.records.get(&of_file.newest)?, kept))
    }

    /// Every job, by number.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Counts changes that lists show.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn n_running(&self) -> usize {
        self.running.len()
    }

    /// The jobs by number: all, or those in a state.
    pub(crate) fn rows(&self, state: Option<State>) -> Vec<JobRow> {
        let ahead: BTreeMap<JobId, u64> = self.waiting.iter().map(|it| it.1).zip(0..).collect();
        let is_wanted = |it: &&Record| state.is_none_or(|state| it.status.state == state);
        let row = |record: &Record| JobRow {
            file_name: record.file_name.clone(),
            status: record.status.clone(),
            progress: self.progress_behind(record, ahead.get(&record.job).copied()),
        };
        self.records.values().filter(is_wanted).map(row).collect()
    }

    /// How far a job is.
    pub(crate) fn progress(&self, record: &Record) -> JobProgress {
        let ahead = self.waiting.iter().position(|it| it.1 == record.job);
        self.progress_behind(record, ahead.map(|it| it as u64))
    }

    /// The same, behind so many others.
    fn progress_behind(&self, record: &Record, ahead: Option<u64>) -> JobProgress {
        let running = self.running.get(&record.job);
        let (stage, done) = match (record.status.state, running) {
            (State::InProgress, Some(running)) if running.is_read() => {
                (JobStage::Labelling, running.progress())
            }
            (State::InProgress, Some(running)) => (JobStage::Reading, running.progress()),
            (State::InProgress, None) => (JobStage::Waiting, Progress::default()),
            (State::Failed, _) => (JobStage::Failed, Progress::default()),
            (State::New | State::Finished, _) => {
                let found = record.found.unwrap_or_default();
                let (bytes, flows) = (found.bytes, found.flows);
                (JobStage::Finished, Progress { bytes, flows, ..Progress::default() })
            }
        };
        JobProgress {
            job_id: record.job,
            stage,
            ahead,
            bytes: done.bytes,
            total: record.stamp.bytes,
            frames: done.frames,
            packets: done.packets,
            flows: done.flows,
            bytes_per_second: running
                .filter(|_| stage == JobStage::Reading)
                .map_or(0, |it| it.speed()),
            failure: record.failure.clone(),
        }
    }
}

/// What a request to process a file comes to.
pub(crate) enum Planned {
    /// It waits or runs already.
    Before(FileStatus),
    /// It is new work; the job that goes with it had no result.
    New { record: Box<Record>, gone: Option<JobId> },
}

/// What a job was that is cancelled.
pub(crate) enum Cancelled {
    /// Its thread was told.
    Running,
    /// It waited; now it is to be ended.
    Waiting(Box<Record>),
}

impl Record {
    pub(crate) fn is_finished(&self) -> bool {
        self.status.state == State::Finished
    }

    /// Whether a file of its length that is named by this mark is its capture. A cluster does not tell marks: there the length
    /// decides, unless the file was there when the result came.
    pub(crate) fn is_named(&self, mark: &str) -> bool {
        self.mark == mark || self.taken.is_some() && self.mark.is_empty()
    }

    /// Ends it, at a time in Unix seconds.
    pub(crate) fn fail(&mut self, why: String, now: u64) {
        self.status.state = State::Failed;
        self.status.finished_at = Some(now);
        self.failure = Some(why);
    }
}

impl Running {
    fn new(total: u64) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            total,
            since: Instant::now(),
            bytes: zero(),
            frames: zero(),
            packets: zero(),
            flows: zero(),
            is_cancelled: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn tell(&self, reached: Progress) {
        self.bytes.store(reached.bytes, Ordering::Relaxed);
        self.frames.store(reached.frames, Ordering::Relaxed);
        self.packets.store(reached.packets, Ordering::Relaxed);
        self.flows.store(reached.flows, Ordering::Relaxed);
    }

    fn progress(&self) -> Progress {
        let of = |it: &AtomicU64| it.load(Ordering::Relaxed);
        Progress {
            bytes: of(&self.bytes),
            frames: of(&self.frames),
            packets: of(&self.packets),
            flows: of(&self.flows),
        }
    }

    fn is_read(&self) -> bool {
        self.total > 0 && self.bytes.load(Ordering::Relaxed) >= self.total
    }

    /// Bytes a second since it began.
    fn speed(&self) -> u64 {
        let millis = self.since.elapsed().max(Duration::from_millis(1)).as_millis();
        (u128::from(self.bytes.load(Ordering::Relaxed)) * 1_000 / millis) as u64
    }
}

/// When it is a capture's turn that came at a time in milliseconds.
fn turn(now: u64, bytes: u64) -> u64 {
    now.saturating_add(bytes / HANDICAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(jobs: &mut Jobs, file_name: &str, bytes: u64, now: u64) -> JobId {
        let stamp = Stamp { bytes, modified_ns: 1 };
        let Planned::New { record, gone } = jobs.plan(file_name, stamp, 0, now).unwrap() else {
            panic!("{file_name} is processed already");
        };
        let job = record.job;
        jobs.add(*record, gone, now);
        job
    }

    fn finish(jobs: &mut Jobs, job: JobId) -> Vec<JobId> {
        let mut record = jobs.get(job).unwrap().clone();
        record.status.state = State::Finished;
        jobs.end(record)
    }

    fn fail(jobs: &mut Jobs, job: JobId) {
        let mut record = jobs.get(job).unwrap().clone();
        record.fail("no capture".into(), 0);
        jobs.end(record);
    }

    fn next(jobs: &mut Jobs) -> Option<JobId> {
        jobs.begin().map(|it| it.0.job)
    }

    #[test]
    fn small_captures_go_first_and_large_ones_do_not_wait_for_ever() {
        let mut jobs = Jobs::default();
        let large = begin(&mut jobs, "large", 1_000_000_000, 0);
        let small = begin(&mut jobs, "small", 1_000, 5_000);
        let late = begin(&mut jobs, "late", 1_000, 200_000);
        assert_eq!(
            [next(&mut jobs), next(&mut jobs), next(&mut jobs)],
            [small, large, late].map(Some)
        );
        assert_eq!(next(&mut jobs), None);
    }

    #[test]
    fn a_result_stays_until_a_newer_one_is_there() {
        let mut jobs = Jobs::default();
        let first = begin(&mut jobs, "a", 1, 0);
        assert_eq!(finish(&mut jobs, first), []);
        let second = begin(&mut jobs, "a", 1, 0);
        assert!(jobs.finished(first).is_ok());
        fail(&mut jobs, second);
        assert!(jobs.finished(first).is_ok());
        assert_eq!(jobs.finished(second).unwrap_err().code, error::JOB_FAILED.code);
        let third = begin(&mut jobs, "a", 1, 0);
        assert_eq!(jobs.get(second).unwrap_err().code, error::NO_JOB.code);
        assert_eq!(finish(&mut jobs, third), [first]);
        assert_eq!(jobs.get(first).unwrap_err().code, error::NO_JOB.code);
        let (newest, kept) = jobs.of_file("a").unwrap();
        assert_eq!((newest.job, kept.is_none()), (third, true));
    }

    /// What a cluster found of the capture `a`.
    fn seen(bytes: u64, mark: &str, is_failed: bool) -> Seen {
        Seen { file_name: "a".into(), bytes, mark: mark.into(), is_failed }
    }

    /// Takes it over, if it is wanted; the jobs it replaces.
    fn take(jobs: &mut Jobs, seen: &Seen) -> Option<Vec<JobId>> {
        if !jobs.wants(seen, None) {
            return None;
        }
        let state = if seen.is_failed { State::Failed } else { State::Finished };
        let record = Record {
            job: jobs.reserve(),
            file_name: seen.file_name.clone(),
            stamp: Stamp { bytes: seen.bytes, modified_ns: 0 },
            taken: Some(seen.mark.clone()),
            status: FileStatus { state, ..FileStatus::default() },
            ..Record::default()
        };
        Some(jobs.add_ended(record))
    }

    #[test]
    fn what_a_cluster_found_is_taken_once_and_replaces_what_it_found_before() {
        let mut jobs = Jobs::default();
        let (old, new) = (seen(7, "old", false), seen(7, "new", false));
        assert_eq!(take(&mut jobs, &old), Some(vec![]));
        assert_eq!(take(&mut jobs, &old), None);
        assert_eq!(take(&mut jobs, &new), Some(vec![JobId(1)]));
        let failed = seen(7, "why", true);
        assert_eq!(take(&mut jobs, &failed), Some(vec![]));
        assert_eq!(take(&mut jobs, &failed), None);
        // What was found before stays beside it.
        assert!(jobs.finished(JobId(2)).is_ok());
        assert_eq!(take(&mut jobs, &new), Some(vec![JobId(3), JobId(2)]));
        assert_eq!(jobs.all().count(), 1);
        // A file of another length is another capture.
        let other = Stamp { bytes: 8, modified_ns: 0 };
        assert!(!jobs.wants(&seen(7, "newer", false), Some(other)));
        assert!(jobs.wants(&seen(8, "newer", false), Some(other)));
    }

    #[test]
    fn what_the_user_has_processed_stays() {
        let mut jobs = Jobs::default();
        let found = seen(7, "found", false);
        let own = begin(&mut jobs, "a", 7, 0);
        assert_eq!(take(&mut jobs, &found), None);
        jobs.begin().unwrap();
        finish(&mut jobs, own);
        assert_eq!(take(&mut jobs, &found), None);
        assert_eq!(take(&mut jobs, &seen(7, "why", true)), None);
        // It fails when it is processed again: what it found is there still.
        let again = begin(&mut jobs, "a", 7, 0);
        fail(&mut jobs, again);
        assert_eq!(take(&mut jobs, &found), None);
        // What was found of another capture of that name is not.
        assert_eq!(take(&mut jobs, &seen(8, "found", false)), Some(vec![again, own]));
        // Whoever has nothing has nothing to lose.
        let mut jobs = Jobs::default();
        let failed = begin(&mut jobs, "a", 7, 0);
        fail(&mut jobs, failed);
        assert_eq!(take(&mut jobs, &seen(7, "why", true)), None);
        assert_eq!(take(&mut jobs, &found), Some(vec![failed]));
    }

    #[test]
    fn what_is_restored_is_what_was_there() {
        let mut jobs = Jobs::default();
        let kept = begin(&mut jobs, "a", 1, 0);
        finish(&mut jobs, kept);
        let newest = begin(&mut jobs, "a", 1, 0);
        let failed = begin(&mut jobs, "b", 1, 0);
        fail(&mut jobs, failed);
        let mut again = Jobs::default();
        for record in jobs.all() {
            again.restore(record.clone(), false, 0);
        }
        let (found, beside) = again.of_file("a").unwrap();
        assert_eq!((found.job, beside.map(|it| it.job)), (newest, Some(kept)));
        assert_eq!(next(&mut again), Some(newest));
        assert_eq!(begin(&mut again, "c", 1, 0), JobId(failed.0 + 1));
    }

    #[test]
    fn a_capture_that_ends_the_program_is_given_up() {
        let mut record = Record { job: JobId(4), ..Record::default() };
        record.status.state = State::InProgress;
        for start in 1..=MAX_STARTS {
            let mut jobs = Jobs::default();
            jobs.restore(record, true, 0);
            assert_eq!(next(&mut jobs), (start < MAX_STARTS).then_some(JobId(4)), "{start}");
            record = jobs.get(JobId(4)).unwrap().clone();
        }
        assert!(record.failure.unwrap().contains("ended 5 times"));
    }

    #[test]
    fn what_waits_is_cancelled_at_once_and_what_runs_is_told() {
        let mut jobs = Jobs::default();
        let first = begin(&mut jobs, "a", 1, 0);
        let second = begin(&mut jobs, "b", 1, 1);
        let (_, running) = jobs.begin().unwrap();
        assert!(matches!(jobs.cancel(first), Ok(Cancelled::Running)));
        assert!(running.is_cancelled());
        assert!(matches!(jobs.cancel(second), Ok(Cancelled::Waiting(_))));
        assert_eq!(next(&mut jobs), None);
        fail(&mut jobs, first);
        assert_eq!(jobs.cancel(first).err().unwrap().code, error::JOB_RUNS.code);
    }
}
