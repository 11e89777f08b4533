//! The answers of the v1 interface about a capture, and the one capture that a host without a store has.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use classify::{Fact, OwnRules};
use serde_json::{Value, json};
use v1::{
    DetailsIp, DetailsLabelItem, Error, File, FileStatus, JobId, Label, Request, State, error,
    page::Reading,
};

use crate::{Analysis, Countries, Report, report::Summary, rows::Row, statistics};

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

#[derive(Debug, Default)]
struct Job {
    file_name: String,
    status: FileStatus,
    /// What it found, once it is finished.
    found: Option<Found>,
    /// Why it failed.
    failure: Option<String>,
}

/// What a job found: the analysis where it is still there, else the report that was stored.
#[derive(Clone, Debug)]
pub enum Found {
    /// What was read just now.
    Read(Arc<Analysis>),
    /// What a store kept.
    Stored(Arc<Report>),
}

/// What answers depend on besides the capture.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The user's rules: their labels are known too.
    pub own: Arc<OwnRules>,
    /// The user's own database of countries.
    pub countries: Option<Arc<Countries>>,
}

impl Found {
    /// Answers a request about what was found: of a job's requests all but those about the job itself.
    ///
    /// # Errors
    /// The v1 error, where there is no such host or label, or the question makes no sense.
    pub fn answer(&self, request: &Request, known: &Known) -> Result<Value, Error> {
        Ok(match request {
            Request::Reading { .. } => json!(self.reading()),
            Request::Statistics { .. } => json!(statistics::of(self.rows())),
            Request::StatisticsOfLabel { label, .. } => {
                json!(statistics::of(self.with_label(label, known)?))
            }
            Request::StatisticsOfIp { ip, .. } => {
                json!(details_of_ip(self, ip, known.countries.as_deref())?)
            }
            Request::FlowsOfLabel { label, .. } => {
                json!(self.with_label(label, known)?.map(item).collect::<Vec<_>>())
            }
            Request::Labels => json!(known.labels()),
            Request::Files
            | Request::Process { .. }
            | Request::Status { .. }
            | Request::Details { .. } => {
                return Err(Error::internal("that is no question about what was found"));
            }
        })
    }

    fn reading(&self) -> &Reading {
        match self {
            Self::Read(analysis) => analysis.reading(),
            Self::Stored(report) => report.reading(),
        }
    }

    /// The flows, by their first packet.
    fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        let (read, stored) = match self {
            Self::Read(analysis) => (Some(analysis), None),
            Self::Stored(report) => (None, Some(report)),
        };
        let read = read.into_iter().flat_map(|it| it.each());
        read.chain(stored.into_iter().flat_map(|it| it.rows()))
    }

    /// The flows with a label; an unknown label is an error, one that no flow has is not.
    fn with_label<'a>(
        &'a self,
        label: &'a str,
        known: &Known,
    ) -> Result<impl Iterator<Item = Row<'a>> + Clone, Error> {
        let rows = self.rows().filter(move |it| it.label == label);
        let is_known = || classify::labels(&known.own).iter().any(|it| it.1.contains(&label));
        if rows.clone().next().is_none() && !is_known() {
            return Err(error::NO_LABEL.error(format!("there is no label `{label}`")));
        }
        Ok(rows)
    }

    fn summary(&self) -> Summary {
        let seconds = |nanos: Option<u64>| nanos.unwrap_or(0) / 1_000_000_000;
        match self {
            Self::Read(analysis) => Summary {
                time_start: seconds(self.rows().map(|it| it.time_start_ns).min()),
                time_end: seconds(self.rows().map(|it| it.time_end_ns).max()),
                flows: analysis.n_flows() as u64,
                bytes: analysis.reading().bytes,
            },
            Self::Stored(report) => report.summary(),
        }
    }
}

impl Known {
    /// Every label there can be, by group.
    pub fn labels(&self) -> Vec<Label> {
        let groups = classify::labels(&self.own).into_iter();
        groups
            .map(|(group, labels)| Label {
                group_name: group.to_owned(),
                labels: labels.into_iter().map(str::to_owned).collect(),
            })
            .collect()
    }
}

/// What a host without a store has: the web worker, the command line. The companion keeps its jobs on disk and asks
/// [`Found::answer`] itself.
#[derive(Debug, Default)]
pub struct Library {
    /// By name, so that lists have an order.
    files: BTreeMap<String, u64>,
    jobs: BTreeMap<JobId, Job>,
    /// The newest job of every file.
    newest: BTreeMap<String, JobId>,
    waiting: VecDeque<JobId>,
    known: Known,
}

impl Library {
    /// No file, no job.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says by which rules of the user's captures are read: their labels are known too.
    pub fn set_own_rules(&mut self, own: Arc<OwnRules>) {
        self.known.own = own;
    }

    /// Knows countries by this database from now on; by none, no countries.
    pub fn set_countries(&mut self, countries: Option<Arc<Countries>>) {
        self.known.countries = countries;
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
            Request::Labels => json!(self.known.labels()),
            Request::Reading { job }
            | Request::Statistics { job }
            | Request::StatisticsOfLabel { job, .. }
            | Request::StatisticsOfIp { job, .. }
            | Request::FlowsOfLabel { job, .. } => {
                self.found(*job)?.answer(request, &self.known)?
            }
        })
    }

    fn process(&mut self, file_name: &str, now: u64) -> Result<FileStatus, Error> {
        if !self.files.contains_key(file_name) {
            return Err(error::NO_FILE.error(format!("there is no file `{file_name}`")));
        }
        let newest = self.newest.get(file_name).and_then(|it| self.jobs.get(it));
        if let Some(job) = newest.filter(|it| it.status.state == State::InProgress) {
            return Ok(job.status.clone());
        }
        if self.waiting.len() >= MAX_WAITING {
            let message = format!("{MAX_WAITING} jobs wait already; ask again later");
            return Err(error::QUEUE_FULL.error(message));
        }
        let job = JobId(self.jobs.keys().next_back().map_or(1, |it| it.0 + 1));
        let status = FileStatus {
            state: State::InProgress,
            started_at: Some(now),
            finished_at: None,
            job_id: Some(job),
        };
        let file_name = file_name.to_owned();
        let started =
            Job { file_name: file_name.clone(), status: status.clone(), ..Job::default() };
        self.jobs.insert(job, started);
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
                record.found = Some(found);
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

    fn job(&self, job: JobId) -> Result<&Job, Error> {
        self.jobs.get(&job).ok_or_else(|| error::NO_JOB.error(format!("there is no job {}", job.0)))
    }

    fn found(&self, job: JobId) -> Result<&Found, Error> {
        let record = self.job(job)?;
        record.found.as_ref().ok_or_else(|| match &record.failure {
            Some(failure) => error::JOB_FAILED.error(format!("job {} failed: {failure}", job.0)),
            None => error::NOT_FINISHED.error(format!("job {} is not finished yet", job.0)),
        })
    }

    fn file(&self, file_name: &str) -> File {
        let job = self.newest.get(file_name).and_then(|it| self.jobs.get(it));
        let found = job.and_then(|it| it.found.as_ref()).map(Found::summary);
        let bytes = self.files.get(file_name).copied();
        let status = job.map(|it| it.status.clone()).unwrap_or_default();
        file(file_name, bytes, status, found)
    }
}

/// A file as the v1 interface shows it. Of a capture without packets both times are 0.
pub fn file(
    file_name: &str,
    bytes: Option<u64>,
    status: FileStatus,
    found: Option<Summary>,
) -> File {
    let (name, extension) = split_extension(file_name);
    let bytes = bytes.or(found.map(|it| it.bytes)).unwrap_or(0);
    File {
        name: name.to_owned(),
        extension: extension.to_owned(),
        time_start: found.map_or(0, |it| it.time_start),
        time_end: found.map_or(0, |it| it.time_end),
        status,
        size: bytes.div_ceil(1_000),
        flows_count: found.map(|it| it.flows),
    }
}

/// `capture.pcap.gz` is a `pcap.gz` called `capture`. The two with a dot between them, or the name alone where there is no
/// extension, are the file's name again, whatever it is: a dot at the beginning or end of the name is none of an extension.
fn split_extension(file_name: &str) -> (&str, &str) {
    let folder = file_name.rfind('/').map_or(0, |it| it + 1);
    let is_within = |at: usize| at > folder && at + 1 < file_name.len();
    let dot = |end: usize| file_name[..end].rfind('.').filter(|it| is_within(*it));
    let Some(last) = dot(file_name.len()) else { return (file_name, "") };
    let is_packed = matches!(&file_name[last..], ".gz" | ".zst");
    let at = dot(last).filter(|it| is_packed && it + 1 < last).unwrap_or(last);
    (&file_name[..at], &file_name[at + 1..])
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
        return Err(error::BAD_ADDRESS.error(format!("`{ip}` is no IP address")));
    };
    let rows = || found.rows().filter(move |it| it.client.ip == ip || it.server.ip == ip);
    if rows().next().is_none() {
        return Err(error::NO_HOST.error(format!("there is no host {ip} in this capture")));
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
        assert_eq!(split_extension("plain.gz"), ("plain", "gz"));
    }

    #[test]
    fn name_and_extension_give_the_file_back() {
        for file_name in [
            "office.pcap",
            "office.pcap.gz",
            "plain",
            "plain.",
            "plain..gz",
            ".gz",
            "..gz",
            "a..b",
            "2024.05/plain",
            "2024.05/.zst",
            "a.b/c.pcap.zst",
            "два слова.pcapng",
            "a.\u{0}b.c\n",
        ] {
            let whole = match split_extension(file_name) {
                (name, "") => name.to_owned(),
                (name, extension) => format!("{name}.{extension}"),
            };
            assert_eq!(whole, file_name);
        }
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
}
