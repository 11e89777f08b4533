//! Captures that are read again: for what the page asks, and for a model that is applied. A result has no packets.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{Analysis, Applying, Report};
use serde_json::Value;
use v1::{
    JobId, error,
    page::{ApplyRequest, Decision, Decisions, ModelApplied, Query},
};

use super::{MAX_ANALYSES, Shared, cannot_store, lock, work::Until};
use crate::{
    folder::{self, NoFile},
    jobs::Record,
    store,
    training::Trainings,
};

/// A capture that was read again for the page.
pub(super) struct Again {
    pub(super) job: JobId,
    /// The model applied to it.
    applied: Option<ApplyRequest>,
    analysis: Arc<Analysis>,
    /// When it was asked about last.
    asked: Instant,
}

/// How long a capture is kept open that nobody asks about.
const MAX_IDLE: Duration = Duration::from_secs(10 * 60);

impl Shared {
    /// Closes captures that nobody asks about: each takes memory by its flows.
    pub(super) fn close_idle(&self) {
        let mut analyses = lock(&self.analyses);
        let idle: Vec<Again> =
            analyses.extract_if(.., |it| it.asked.elapsed() > MAX_IDLE).collect();
        drop(analyses);
        // That may take a moment.
        drop(idle);
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

    pub(super) fn apply(
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
        // In this order: what is read meanwhile is of the older age, and not kept.
        self.answers.forget();
        self.forget(&[job]);
        Ok(applied)
    }

    pub(super) fn ask(
        &self,
        trainings: &Trainings,
        job: JobId,
        query: &Query,
    ) -> Result<Value, v1::Error> {
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
            let mut found = analyses.remove(at);
            found.asked = Instant::now();
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
        let again = Again {
            job: record.job,
            applied,
            analysis: Arc::clone(&analysis),
            asked: Instant::now(),
        };
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
            || !record.is_named(&folder::mark(&mut file).map_err(unread)?)
        {
            return Err(other());
        }
        let file = Until { is_over: || self.state().is_closing, file };
        let n_threads = reader::n_cores();
        let analysis = reader::read(file, name, &self.rules, n_threads).map_err(unread)?;
        if self.state().is_closing {
            return Err(error::STOPPING.error("the companion stops"));
        }
        match analysis.failure() {
            Some(_) => Err(other()),
            None => Ok(analysis),
        }
    }
}
