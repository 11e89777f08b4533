//! What the companion tells of its jobs beyond the book: how far they are, and why one failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Error, FileStatus, JobId};

/// The body of `POST /v1x/files/process`: many files at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessRequest {
    /// The files' names with their extensions, at most 10,000.
    pub file_names: Vec<String>,
}

/// What became of one of the files; either a status or an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Processed {
    /// The file's name, as it was asked for.
    pub file_name: String,
    /// How far its processing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<FileStatus>,
    /// Why it is not processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

/// A job in a list of jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobRow {
    /// The file it processes, with its extension.
    pub file_name: String,
    /// As the book has it.
    pub status: FileStatus,
    /// How far it is.
    pub progress: JobProgress,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobProgress {
    /// The job.
    pub job_id: JobId,
    /// What it is at.
    pub stage: JobStage,
    /// How many jobs are before it, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// Bytes of the capture read so far.
    pub bytes: u64,
    /// How long the capture is, in bytes.
    pub total: u64,
    /// Frames read so far; 0 once it has ended.
    pub frames: u64,
    /// Packets put into flows so far; 0 once it has ended.
    pub packets: u64,
    /// Flows found so far.
    pub flows: u64,
    /// How fast it is read, in bytes a second; 0 unless it is being read.
    pub bytes_per_second: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What a job is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStage {
    /// Others are before it.
    #[default]
    Waiting,
    /// Its capture is read.
    Reading,
    /// All is read: flows are labelled and grouped.
    Labelling,
    /// It has a result.
    Finished,
    /// It has none, for a reason.
    Failed,
}

/// A capture that was uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uploaded {
    /// The file's name in the folder of captures.
    pub file_name: String,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// How far its processing is.
    pub status: FileStatus,
}
