//! The files and jobs a host has, and the answers to the v1 interface about them.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use classify::{Fact, OwnRules};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Value, json};
use v1::{
    DetailsIp, DetailsLabelItem, Error, File, FileStatus, JobId, Label, Request, State,
    page::Reading,
};

use crate::{Analysis, Countries, Report, rows::Row, statistics};

/// How many jobs may wait.
const MAX_WAITING: usize = 1_000;

/// A file the host has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name with its extension.
    pub file_name: String,
    /// Its length, in bytes.
    pub bytes: u64,
}

/// A job as the host's store keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct JobRecord {
    /// Its number.
    pub job: JobId,
    /// The file it processes.
    pub file_name: String,
    /// How far it is.
    pub status: FileStatus,
    /// What it found, once it is finished.
    pub report: Option<Found>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// What a job found: the analysis where it is still there, else the report that was stored. It is shared, so that a
/// store can write it while questions are answered.
#[derive(Clone, Debug)]
pub enum Found {
    /// What was read just now.
    Read(Arc<Analysis>),
    /// What a store kept.
    Stored(Arc<Report>),
}

impl Found {
    fn reading(&self) -> &Reading {
        match self {
            Self::Read(analysis) => analysis.reading(),
            Self::Stored(report) => &report.reading,
        }
    }

    /// The flows, by their first packet.
    fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        let (read, stored) = match self {
            Self::Read(analysis) => (Some(analysis), None),
            Self::Stored(report) => (None, Some(report)),
        };
        let read = read.into_iter().flat_map(|it| it.each());
        read.chain(stored.into_iter().flat_map(|it| it.rows.iter().map(Row::stored)))
    }

    /// How many flows there are.
    fn n_flows(&self) -> usize {
        match self {
            Self::Read(analysis) => analysis.n_flows(),
            Self::Stored(report) => report.rows.len(),
        }
    }
}

/// Written like a [`Report`], row by row.
impl Serialize for Found {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Rows<'a>(&'a Found);
        impl Serialize for Rows<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.rows().map(Row::to_texts))
            }
        }
        let mut report = serializer.serialize_struct("Report", 2)?;
        report.serialize_field("reading", self.reading())?;
        report.serialize_field("rows", &Rows(self))?;
        report.end()
    }
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Report::deserialize(deserializer).map(|it| Self::Stored(Arc::new(it)))
    }
}

/// What a host has. The web worker keeps one, the companion keeps one.
#[derive(Debug, Default)]
pub struct Library {
    /// By name, so that lists have an order.
    files: BTreeMap<String, u64>,
    jobs: BTreeMap<JobId, JobRecord>,
    /// The newest job of every file.
    newest: BTreeMap<String, JobId>,
    waiting: VecDeque<JobId>,
    own: Arc<OwnRules>,
    /// The user's own database of countries.
    countries: Option<Arc<Countries>>,
}

impl Library {
    /// No file, no job.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says by which rules of the user's captures are read: their labels are known too.
    pub fn set_own_rules(&mut self, own: Arc<OwnRules>) {
        self.own = own;
    }

    /// Knows countries by this database from now on; by none, no countries.
    pub fn set_countries(&mut self, countries: Option<Arc<Countries>>) {
        self.countries = countries;
    }

    /// Says which files there are now. Jobs of files that went stay answered.
    pub fn set_files(&mut self, files: Vec<FileEntry>) {
        self.files = files.into_iter().map(|it| (it.file_name, it.bytes)).collect();
    }

    /// Answers a request: the one place that knows which question asks what.
    ///
    /// [`Request::Process`] queues a job, which the host takes by [`Library::next_job`]; a file whose job waits or runs
    /// is not queued again.
    ///
    /// # Errors
    /// The v1 error, where there is no such file, job, host or label, or the question makes no sense.
    pub fn answer(&mut self, request: &Request, now: u64) -> Result<Value, Error> {
        Ok(match request {
            Request::Files => {
                let files: Vec<File> = self.files.keys().map(|it| self.file(it)).collect();
                json!(files)
            }
            Request::Process { file_name } => json!(self.process(file_name, now)?),
            Request::Status { job } => json!(self.job(*job)?.status),
            Request::Details { job } => json!(self.file(&self.job(*job)?.file_name)),
            Request::Reading { job } => json!(self.found(*job)?.reading()),
            Request::Statistics { job } => {
                json!(statistics::of(self.found(*job)?.rows()))
            }
            Request::StatisticsOfLabel { job, label } => {
                json!(statistics::of(self.with_label(*job, label)?))
            }
            Request::StatisticsOfIp { job, ip } => {
                json!(details_of_ip(self.found(*job)?, ip, self.countries.as_deref())?)
            }
            Request::FlowsOfLabel { job, label } => {
                let rows = self.with_label(*job, label)?;
                json!(rows.map(item).collect::<Vec<_>>())
            }
            Request::Labels => json!(self.labels()),
        })
    }

    fn process(&mut self, file_name: &str, now: u64) -> Result<FileStatus, Error> {
        if !self.files.contains_key(file_name) {
            return Err(Error::not_found(format!("there is no file `{file_name}`")));
        }
        let newest = self.newest.get(file_name).and_then(|it| self.jobs.get(it));
        if let Some(job) = newest.filter(|it| it.status.state == State::InProgress) {
            return Ok(job.status.clone());
        }
        if self.waiting.len() >= MAX_WAITING {
            return Err(Error::new(
                503,
                format!("{MAX_WAITING} jobs wait already; ask again later"),
            ));
        }
        let job = JobId(self.jobs.keys().next_back().map_or(1, |it| it.0 + 1));
        let status = FileStatus {
            state: State::InProgress,
            started_at: Some(now),
            finished_at: None,
            job_id: Some(job),
        };
        let file_name = file_name.to_owned();
        let record = JobRecord {
            job,
            file_name: file_name.clone(),
            status: status.clone(),
            ..JobRecord::default()
        };
        self.jobs.insert(job, record);
        self.newest.insert(file_name, job);
        self.waiting.push_back(job);
        Ok(status)
    }

    /// The job the host shall run now, and its file.
    pub fn next_job(&mut self) -> Option<(JobId, String)> {
        let job = self.waiting.pop_front()?;
        let file_name = self.jobs.get(&job)?.file_name.clone();
        Some((job, file_name))
    }

    /// Ends a job: with what it found, or why it could not.
    pub fn finish(&mut self, job: JobId, result: Result<Found, String>, now: u64) {
        let Some(record) = self.jobs.get_mut(&job) else { return };
        record.status.finished_at = Some(now);
        match result {
            Ok(found) => {
                record.status.state = State::Finished;
                record.report = Some(found);
            }
            Err(failure) => {
                record.status.state = State::Failed;
                record.failure = Some(failure);
            }
        }
        // A file answers by its newest job; older ones would only fill memory.
        let file_name = record.file_name.clone();
        self.jobs.retain(|id, it| *id >= job || it.file_name != file_name);
    }

    /// Takes a job back from the host's store. One that was not finished waits again.
    pub fn restore(&mut self, record: JobRecord) {
        let job = record.job;
        let is_newest = self.newest.get(&record.file_name).is_none_or(|it| *it <= job);
        if is_newest {
            self.newest.insert(record.file_name.clone(), job);
        }
        if record.status.state == State::InProgress {
            self.waiting.push_back(job);
        }
        self.jobs.insert(job, record);
    }

    /// A job for the host's store.
    pub fn record(&self, job: JobId) -> Option<JobRecord> {
        self.jobs.get(&job).cloned()
    }

    fn job(&self, job: JobId) -> Result<&JobRecord, Error> {
        self.jobs.get(&job).ok_or_else(|| Error::not_found(format!("there is no job {}", job.0)))
    }

    fn found(&self, job: JobId) -> Result<&Found, Error> {
        let record = self.job(job)?;
        record.report.as_ref().ok_or_else(|| match &record.failure {
            Some(failure) => Error::not_found(format!("job {} failed: {failure}", job.0)),
            None => Error::not_found(format!("job {} is not finished yet", job.0)),
        })
    }

    /// The flows with a label; an unknown label is an error, one that no flow has is not.
    fn with_label<'a>(
        &'a self,
        job: JobId,
        label: &'a str,
    ) -> Result<impl Iterator<Item = Row<'a>> + Clone, Error> {
        let rows = self.found(job)?.rows().filter(move |it| it.label == label);
        let is_known = || classify::labels(&self.own).iter().any(|it| it.1.contains(&label));
        if rows.clone().next().is_none() && !is_known() {
            return Err(Error::not_found(format!("there is no label `{label}`")));
        }
        Ok(rows)
    }

    fn labels(&self) -> Vec<Label> {
        let groups = classify::labels(&self.own).into_iter();
        groups
            .map(|(group, labels)| Label {
                group_name: group.to_owned(),
                labels: labels.into_iter().map(str::to_owned).collect(),
            })
            .collect()
    }

    fn file(&self, file_name: &str) -> File {
        let (name, extension) = split_extension(file_name);
        let bytes = self.files.get(file_name).copied();
        let record = self.newest.get(file_name).and_then(|it| self.jobs.get(it));
        let found = record.and_then(|it| it.report.as_ref());
        let first = found.and_then(|it| it.rows().map(|it| it.time_start_ns).min());
        let last = found.and_then(|it| it.rows().map(|it| it.time_end_ns).max());
        let bytes = bytes.or(found.map(|it| it.reading().bytes)).unwrap_or(0);
        File {
            name: name.to_owned(),
            extension: extension.to_owned(),
            time_start: seconds(first.unwrap_or(0)),
            time_end: seconds(last.unwrap_or(0)),
            status: record.map(|it| it.status.clone()).unwrap_or_default(),
            size: bytes.div_ceil(1_000),
            flows_count: found.map(|it| it.n_flows() as u64),
        }
    }
}

/// `capture.pcap.gz` is a `pcap.gz` called `capture`.
fn split_extension(file_name: &str) -> (&str, &str) {
    let packed = [".gz", ".zst"].iter().find(|it| file_name.ends_with(**it));
    let unpacked = packed.map_or(file_name, |it| file_name.strip_suffix(it).unwrap_or(file_name));
    match unpacked.rfind('.') {
        Some(at) => (&file_name[..at], &file_name[at + 1..]),
        None => (file_name, ""),
    }
}

fn seconds(nanos: u64) -> u64 {
    nanos / 1_000_000_000
}

fn item(row: Row<'_>) -> DetailsLabelItem {
    DetailsLabelItem {
        client_ip: row.client.ip.to_string(),
        client_port: row.client.port,
        server_ip: row.server.ip.to_string(),
        server_port: row.server.port,
        time_start: seconds(row.time_start_ns),
        time_end: seconds(row.time_end_ns),
        comment: row.reason().into_owned(),
    }
}

fn details_of_ip(
    found: &Found,
    ip: &str,
    countries: Option<&Countries>,
) -> Result<DetailsIp, Error> {
    let Ok(ip) = ip.parse::<IpAddr>() else {
        return Err(Error::bad_request(format!("`{ip}` is no IP address")));
    };
    let rows = || found.rows().filter(move |it| it.client.ip == ip || it.server.ip == ip);
    if rows().next().is_none() {
        return Err(Error::not_found(format!("there is no host {ip} in this capture")));
    }
    // No database of countries is shipped: without one of the user's own none is named.
    let country = countries.and_then(|it| it.of(ip)).map(str::to_owned);
    let unknown = || "unknown".to_owned();
    let as_server = rows().filter(|it| it.server.ip == ip);
    let mut own = as_server.filter(|it| !classify::is_shared(it.protocol, it.group));
    let mut as_client = rows().filter(|it| it.client.ip == ip);
    Ok(DetailsIp {
        country: country.unwrap_or_else(unknown),
        city: unknown(),
        user_agent: as_client.find_map(|it| it.fact(Fact::UserAgent)).map(str::to_owned),
        domain_name: own.find_map(|it| it.domain_name()).map(str::to_owned),
        statistics: statistics::of(rows()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_keeps_its_packing_in_the_extension() {
        assert_eq!(split_extension("office.pcapng"), ("office", "pcapng"));
        assert_eq!(split_extension("a.b.pcap.gz"), ("a.b", "pcap.gz"));
        assert_eq!(split_extension("plain"), ("plain", ""));
    }

    #[test]
    fn a_file_is_processed_once_at_a_time() {
        let mut library = Library::new();
        library.set_files(vec![FileEntry { file_name: "a.pcap".into(), bytes: 1_001 }]);
        let process = Request::Process { file_name: "a.pcap".into() };
        let first = library.answer(&process, 10).unwrap();
        assert_eq!(library.answer(&process, 11).unwrap(), first);
        let (job, _) = library.next_job().unwrap();
        assert!(library.next_job().is_none());
        library.finish(job, Ok(Found::Stored(Arc::default())), 12);
        let files: Vec<File> =
            serde_json::from_value(library.answer(&Request::Files, 13).unwrap()).unwrap();
        assert_eq!((files[0].size, files[0].status.state), (2, State::Finished));
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        let mut library = Library::new();
        let process = Request::Process { file_name: "a.pcap".into() };
        assert_eq!(library.answer(&process, 0).unwrap_err().status, 404);
        let status = Request::Status { job: JobId(7) };
        assert_eq!(library.answer(&status, 0).unwrap_err().status, 404);
    }

    #[test]
    fn a_job_that_was_cut_off_waits_again() {
        let mut library = Library::new();
        let status = FileStatus { state: State::InProgress, ..FileStatus::default() };
        library.restore(JobRecord { job: JobId(4), status, ..JobRecord::default() });
        assert_eq!(library.next_job().unwrap().0, JobId(4));
    }
}
