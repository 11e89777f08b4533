//! The v1 interface: what may be asked, what is answered. Types only, so that every side can use them.
//!
//! Nothing here computes but the sentences of a [`Notice`] and a [`Notable`]. The names and types of the fields are the source book's
//! (chapter 1.4.3); what the page needs beyond them is in [`page`], in the same style.

pub mod error;
mod notable;
mod notice;
pub mod page;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::{
    error::{Error, Kind},
    notable::{Notable, NotableWords, Notables, Writing},
    notice::{Notice, Parameter, Said, Severity, form},
};

/// Names one processing of one file.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// The nine requests of the interface, and one about the reading of a capture.
///
/// Over HTTP each has its method and path; between the page and its worker it is this value.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Request {
    /// `GET /files/list`: the files there are. Answered by a list of [`File`].
    Files,
    /// `POST /files/process`: processes a file. Answered by its [`FileStatus`].
    Process {
        /// The file's name with its extension.
        file_name: String,
    },
    /// `GET /file/{job_id}/status`: how far a job is. Answered by a [`FileStatus`].
    Status {
        /// The job asked about.
        job: JobId,
    },
    /// `GET /file/{job_id}/details`: the file of a job. Answered by a [`File`] with its `flows_count`.
    Details {
        /// The job asked about.
        job: JobId,
    },
    /// `GET /file/{job_id}/reading`: what was read, and what was not. Answered by a [`page::Reading`]. The book has none.
    Reading {
        /// The job asked about.
        job: JobId,
    },
    /// `GET /file/{job_id}/statistics`: what a job found, counted. Answered by a list of [`StatisticItem`].
    Statistics {
        /// The job asked about.
        job: JobId,
    },
    /// `GET /file/{job_id}/statistics/labels?label`: the same of the flows with one label.
    StatisticsOfLabel {
        /// The job asked about.
        job: JobId,
        /// The label.
        label: String,
    },
    /// `GET /file/{job_id}/statistics/ip?ip`: what is known of one host. Answered by a [`DetailsIp`].
    StatisticsOfIp {
        /// The job asked about.
        job: JobId,
        /// The host's address.
        ip: String,
    },
    /// `GET /file/{job_id}/flows/labels?label`: the flows with one label. Answered by a list of [`DetailsLabelItem`].
    FlowsOfLabel {
        /// The job asked about.
        job: JobId,
        /// The label.
        label: String,
    },
    /// `GET /labels/list`: every label there can be, by group. Answered by a list of [`Label`].
    Labels,
}

/// A capture file and how far its processing is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Its name without the extension.
    pub name: String,
    /// Its extension, without the dot.
    pub extension: String,
    /// Time of the first packet, in Unix seconds; 0 until it is processed.
    pub time_start: u64,
    /// Time of the last packet, in Unix seconds; 0 until it is processed.
    pub time_end: u64,
    /// How far its processing is.
    pub status: FileStatus,
    /// Its length in kB: bytes divided by 1,000, rounded up.
    pub size: u64,
    /// How many flows it holds, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flows_count: Option<u64>,
}

/// How far the processing of a file is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileStatus {
    /// The state.
    pub state: State,
    /// When processing began, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<u64>,
    /// When processing ended, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<u64>,
    /// Its job, from the first processing on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
}

/// The states of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never processed.
    #[default]
    New,
    /// Being processed.
    InProgress,
    /// Processed.
    Finished,
    /// Could not be read.
    Failed,
}

/// A titled list of counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatisticItem {
    /// What is counted: `protocols`, `clients`, `servers`, `labels` or `ports`.
    pub title: String,
    /// The counts, greatest first, equal ones by label.
    pub content: Vec<Count>,
}

/// How often something occurs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// What was counted.
    pub label: String,
    /// In how many flows.
    pub count: u64,
}

/// What is known of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DetailsIp {
    /// Where it is; `unknown` where that cannot be told.
    pub country: String,
    /// Where it is; `unknown` where that cannot be told.
    pub city: String,
    /// A `User-Agent` it sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// A name it was called by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_name: Option<String>,
    /// Counts over its flows.
    pub statistics: Vec<StatisticItem>,
}

/// One flow with a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DetailsLabelItem {
    /// The address that opened the flow.
    pub client_ip: String,
    /// Its port; 0 where the transport has none.
    pub client_port: u16,
    /// The address that answered.
    pub server_ip: String,
    /// Its port; 0 where the transport has none.
    pub server_port: u16,
    /// Time of the first packet, in Unix seconds.
    pub time_start: u64,
    /// Time of the last packet, in Unix seconds.
    pub time_end: u64,
    /// Why the flow has the label.
    pub comment: String,
}

/// A group of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// The group.
    pub group_name: String,
    /// Its labels, in order.
    pub labels: Vec<String>,
}
