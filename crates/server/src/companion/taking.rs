//! What clusters found is taken over: rows of their tables become jobs that are at their end.
//!
//! A table is looked at when its files are others than before, or when a row of it is to answer that did not. Read are the files
//! that are new or changed, have such a row, or had one passed over. What was taken over stays when the table goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::PoisonError,
    time::{Duration, Instant},
};

use engine::Report;
use v1::{FileStatus, Severity, State};

use super::{Shared, lock, now};
use crate::{
    folder::{self, Scan, Stamp},
    found::{Row, Seen, Table},
    jobs::Record,
    store::{self, Found, Part},
};

/// How long what was seen of tables may be told again: so many times as long as it took to see it, and this at least.
const AGE_OF_LOOK: u32 = 20;
const MIN_AGE: Duration = Duration::from_secs(1);
/// After what could not be stored it is tried again so much later.
const PAUSE: Duration = Duration::from_secs(60);
/// So many jobs are stored by one write.
const MANY: usize = 100;

/// A table of a cluster, and what was seen of it.
pub(super) struct Known {
    table: Table,
    seen: Found,
    /// The files as they were when they were read, whether all are tables or not.
    read: Vec<(String, Stamp)>,
    /// The same, where the system may have kept some from being read.
    tried: Vec<(String, Stamp)>,
    /// What was wrong with the table when it was told.
    told: Option<String>,
    /// Before this what was tried is not tried again.
    not_before: Option<Instant>,
}

/// What became of a row.
enum Taken {
    /// It answers, or another one does.
    Seen,
    /// It is to be stored.
    New(Box<Record>),
    /// It cannot be stored.
    Unstored(store::Error),
    /// The end came first.
    Over,
}

impl Shared {
    /// Begins with the tables in what clusters wrote, as the store knows them.
    pub(super) fn know_found(&self, outs: &[PathBuf]) {
        let mut store = lock(&self.store);
        let known = outs.iter().map(|out| {
            let table = Table::new(out);
            let seen = store.found(table.name()).unwrap_or_default();
            let read = seen.parts.iter().map(|it| (it.name.clone(), it.stamp)).collect();
            Known { table, seen, read, tried: Vec::new(), told: None, not_before: None }
        });
        *lock(&self.tables) = known.collect();
    }

    /// A thread's life: looks at the tables whenever files were listed, not too often.
    pub(super) fn watch_found(&self) {
        let mut age = MIN_AGE;
        let mut last = Instant::now();
        while self.wait_for_list(last + age) {
            let begun = Instant::now();
            self.take_found();
            last = Instant::now();
            age = MIN_AGE.max((last - begun) * AGE_OF_LOOK);
        }
    }

    /// Waits until files were listed, at this time or later; `false` at the end.
    fn wait_for_list(&self, time: Instant) -> bool {
        let mut inner = self.state();
        loop {
            let left = time.saturating_duration_since(Instant::now());
            if inner.is_closing {
                return false;
            }
            if inner.is_listed && left.is_zero() {
                inner.is_listed = false;
                return true;
            }
            let wait = if inner.is_listed { left } else { PAUSE };
            inner = self.wake.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Says that files were listed.
    pub(super) fn tell_listed(&self) {
        if self.has_tables {
            let mut inner = self.state();
            if !inner.is_listed {
                inner.is_listed = true;
                self.wake.notify_all();
            }
        }
    }

    /// Takes over what the tables have and did not have before.
    pub(super) fn take_found(&self) {
        let mut tables = lock(&self.tables);
        let before = lock(&self.told).as_ref().map(|it| it.scan.clone());
        let scan = match self.folder.scan(before.as_deref()) {
            Ok(scan) => scan,
            Err(error) => {
                tracing::error!("the captures folder cannot be read: {error}");
                return;
            }
        };
        let mut names = BTreeSet::new();
        for (nth, known) in (1..).zip(&mut *tables) {
            self.take_table(nth, known, &scan, &names);
            names.extend(known.seen.rows.iter().map(|it| it.file_name.clone()));
        }
        self.state().jobs.set_known(names);
    }

    /// Takes over what a table has. Names that a table before it has are that one's.
    fn take_table(&self, nth: usize, known: &mut Known, scan: &Scan, others: &BTreeSet<String>) {
        let parts = match known.table.parts() {
            Ok(parts) => parts,
            Err(error) => {
                let why = error.to_string();
                if known.told.as_ref() != Some(&why) {
                    tracing::error!(found = nth, "there is no result of a cluster: {why}");
                    known.told = Some(why);
                }
                return;
            }
        };
        known.told = None;
        let is_wanted = |it: &Seen| {
            !others.contains(&it.file_name)
                && self.state().jobs.wants(it, scan.stamp(&it.file_name))
        };
        let is_same = known.read == parts;
        if is_same && !known.seen.rows.iter().any(is_wanted) {
            return;
        }
        if known.tried == parts && known.not_before.is_some_and(|it| Instant::now() < it) {
            return;
        }
        let begun = Instant::now();
        let before: BTreeMap<&str, (&Part, &[Seen])> =
            known.seen.by_part().map(|it| (it.0.name.as_str(), it)).collect();
        let (mut seen, mut rest, mut names) = (Found::default(), Vec::new(), BTreeSet::new());
        let (mut is_whole, mut is_io, mut is_stored) = (true, false, true);
        let (mut n_read, mut n_taken) = (0, 0);
        let mut new = Vec::new();
        'table: for (part, stamp) in &parts {
            let mut known_part =
                Part { name: part.clone(), stamp: *stamp, n_rows: 0, is_all: true };
            let as_before = before.get(part.as_str()).filter(|(before, rows)| {
                before.is_all && before.stamp == *stamp && !rows.iter().any(is_wanted)
            });
            if let Some((_, rows)) = as_before {
                let n_before = seen.rows.len();
                let first = rows.iter().filter(|it| names.insert(it.file_name.clone()));
                seen.rows.extend(first.cloned());
                known_part.n_rows = seen.rows.len() - n_before;
                known_part.is_all = known_part.n_rows == rows.len();
                seen.parts.push(known_part);
                continue;
            }
            n_read += 1;
            let mut rows = Vec::new();
            for (row, read) in (1..).zip(known.table.rows(part)) {
                let n_rows = rows.len();
                let taken = match read {
                    Ok(read) => self.take_row(&read, scan, others, &mut names, &mut rows),
                    Err(error) => {
                        tracing::error!(found = nth, part, row, "it cannot be read: {error}");
                        is_whole = false;
                        is_io |= error.is_io();
                        rest.append(&mut rows);
                        continue 'table;
                    }
                };
                known_part.is_all &= rows.len() > n_rows;
                match taken {
                    Ok(Taken::Seen) => {}
                    Ok(Taken::New(record)) => new.push(*record),
                    Ok(Taken::Over) => return self.let_go(new),
                    Ok(Taken::Unstored(error)) => {
                        tracing::error!(found = nth, part, row, "it cannot be stored: {error}");
                        is_stored = false;
                        rest.append(&mut rows);
                        break 'table;
                    }
                    Err(why) => tracing::warn!(found = nth, part, row, "it is passed over: {why}"),
                }
                if new.len() >= MANY {
                    let n = new.len();
                    is_stored &= self.add_taken(std::mem::take(&mut new));
                    n_taken += n;
                }
            }
            known_part.n_rows = rows.len();
            seen.rows.append(&mut rows);
            seen.parts.push(known_part);
        }
        n_taken += new.len();
        is_stored &= self.add_taken(new);
        seen.rows.append(&mut rest);
        if !is_whole || !is_stored {
            // What was there before and could not be read now may be there still.
            let is_missing = |it: &&Seen| !names.contains(&it.file_name);
            seen.rows.extend(known.seen.rows.iter().filter(is_missing).cloned());
        }
        known.seen = seen;
        // What is not taken now is not tried again and again.
        let is_left = is_io || known.seen.rows.iter().any(is_wanted);
        known.not_before = is_left.then(|| Instant::now() + PAUSE);
        if !is_io {
            known.read.clone_from(&parts);
        }
        known.tried = parts;
        if is_stored {
            let saved = lock(&self.store).save_found(known.table.name(), &known.seen);
            if let Err(error) = saved {
                tracing::error!(found = nth, "what was seen of it cannot be stored: {error}");
            }
        }
        let (rows, millis) = (known.seen.rows.len(), begun.elapsed().as_millis() as u64);
        let (read, taken) = (n_read, n_taken);
        tracing::info!(found = nth, read, rows, taken, millis, "a cluster's result was read");
    }

    /// Takes a row over, if it is to answer for its name; else says why it is passed over.
    fn take_row(
        &self,
        row: &Row,
        scan: &Scan,
        others: &BTreeSet<String>,
        names: &mut BTreeSet<String>,
        seen: &mut Vec<Seen>,
    ) -> Result<Taken, &'static str> {
        if self.state().is_closing {
            return Ok(Taken::Over);
        }
        let it = row
            .seen()
            .ok_or("its name leads out of the folder or to what is hidden, or it says no length")?;
        if !names.insert(it.file_name.clone()) {
            return Err("a row before it has the same name");
        }
        if others.contains(&it.file_name) {
            // Should that table lose it, it is this one's.
            seen.push(it);
            return Err("a result before this one has the same name");
        }
        let file = scan.stamp(&it.file_name);
        let is_wanted = self.state().jobs.wants(&it, file);
        seen.push(it.clone());
        if !is_wanted {
            let is_other = file.is_some_and(|file| file.bytes != it.bytes);
            let why = "the folder has a file of its name that is of another length";
            return if is_other { Err(why) } else { Ok(Taken::Seen) };
        }
        let record = self.record_of(it);
        Ok(self.stored(record, row).map_or_else(Taken::Unstored, |it| Taken::New(Box::new(it))))
    }

    /// A job that is at its end, with nothing of its result yet.
    fn record_of(&self, seen: Seen) -> Record {
        let job = {
            // Whoever plans jobs has it locked until they are there.
            let _store = lock(&self.store);
            self.state().jobs.reserve()
        };
        let now = Some(now());
        let status = FileStatus {
            state: State::Finished,
            started_at: now,
            finished_at: now,
            job_id: Some(job),
        };
        let none = || (Stamp { bytes: seen.bytes, modified_ns: 0 }, String::new());
        let marked = self.folder.file(&seen.file_name).ok().and_then(|(mut file, stamp)| {
            Some((stamp, folder::mark(&mut file).ok()?)).filter(|it| it.0.bytes == seen.bytes)
        });
        let (stamp, mark) = marked.unwrap_or_else(none);
        let (file_name, taken) = (seen.file_name, Some(seen.mark));
        Record { job, file_name, stamp, mark, taken, status, ..Record::default() }
    }

    /// Stores the result of a row as that of a job.
    fn stored(&self, mut record: Record, row: &Row) -> Result<Record, store::Error> {
        let report = match &row.result {
            Ok(report) => report.data(),
            Err(why) => {
                record.fail(why.clone(), now());
                return Ok(record);
            }
        };
        match Report::read(report) {
            Ok(read) => match failure(&read) {
                Some(why) => record.fail(why, now()),
                None => {
                    record.found = Some(read.summary());
                    drop(read);
                    self.results.write(&record, report).map_err(store::Error::of_io)?;
                }
            },
            Err(error) => record.fail(format!("what a cluster found of it: {error}"), now()),
        }
        Ok(record)
    }

    /// Stores jobs whose results are there, and has them answer; whether that went well.
    fn add_taken(&self, records: Vec<Record>) -> bool {
        if records.is_empty() {
            return true;
        }
        let mut store = lock(&self.store);
        let (wanted, late): (Vec<Record>, Vec<Record>) = {
            let inner = self.state();
            records.into_iter().partition(|it| {
                let seen = Seen {
                    file_name: it.file_name.clone(),
                    bytes: it.stamp.bytes,
                    mark: it.taken.clone().unwrap_or_default(),
                    is_failed: !it.is_finished(),
                };
                // Somebody may have processed the file meanwhile.
                inner.jobs.wants(&seen, None)
            })
        };
        self.let_go(late);
        let gone: Vec<_> = {
            let inner = self.state();
            wanted.iter().flat_map(|it| inner.jobs.replaced_at_once(it)).collect()
        };
        if let Err(error) = store.save(&wanted.iter().collect::<Vec<_>>(), &gone) {
            tracing::error!("what clusters found cannot be stored: {error}");
            self.let_go(wanted);
            return false;
        }
        let mut inner = self.state();
        for record in wanted {
            inner.jobs.add_ended(record);
        }
        drop(inner);
        drop(store);
        self.forget(&gone);
        self.results.remove(&gone);
        true
    }

    /// Takes away the results of jobs that are not stored.
    fn let_go(&self, records: Vec<Record>) {
        let jobs: Vec<_> = records.iter().map(|it| it.job).collect();
        self.results.remove(&jobs);
    }
}

/// Why a capture gave nothing at all, as [`engine::Analysis::failure`] says it.
fn failure(report: &Report) -> Option<String> {
    let reading = report.reading();
    let notice = reading.notices.first()?;
    let is_nothing = reading.account.frames.frames == 0;
    (is_nothing && notice.severity() == Severity::Error).then(|| notice.to_string())
}
