//! Why there is no answer: one shape, and a number for every kind that stays what it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The kind of error, by its number in [`KINDS`]: the status, then two digits.
    pub code: u16,
    /// What was wrong and what to do, for a reader.
    pub message: String,
}

/// A kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its number, which it keeps: the status, then two digits.
    pub code: u16,
    /// What it means.
    pub means: &'static str,
}

/// Every kind of error, by its number.
pub const KINDS: &[Kind] = &[
    BAD_REQUEST,
    BAD_HTTP,
    BAD_JSON,
    BAD_BODY,
    BAD_JOB,
    BAD_PARAMETER,
    BAD_FILE_NAME,
    BAD_ADDRESS,
    BAD_HOST,
    UNAUTHORIZED,
    FORBIDDEN,
    FOREIGN_HOST,
    FOREIGN_ORIGIN,
    UPLOAD_OFF,
    NOT_FOUND,
    NO_PATH,
    NO_FILE,
    NO_JOB,
    NOT_FINISHED,
    JOB_FAILED,
    NO_LABEL,
    NO_HOST,
    NO_MODEL,
    NO_TRAINING,
    NO_PAGE,
    NO_METHOD,
    NOT_ACCEPTABLE,
    TOO_SLOW,
    CONFLICT,
    TRAINING_RUNS,
    JOB_RUNS,
    OTHER_CAPTURE,
    FILE_EXISTS,
    LENGTH_REQUIRED,
    TOO_LARGE,
    LONG_PATH,
    NOT_JSON,
    NO_SENSE,
    BAD_FILTER,
    LONG_HEADERS,
    INTERNAL,
    PANICKED,
    DAMAGED_RESULT,
    FOLDER_UNREADABLE,
    UNAVAILABLE,
    BUSY,
    QUEUE_FULL,
    CANNOT_STORE,
    STOPPING,
];

/// The request makes no sense.
pub const BAD_REQUEST: Kind = kind(40000, "The request makes no sense.");
/// It is no HTTP.
pub const BAD_HTTP: Kind =
    kind(40001, "The request is no HTTP/1.1, or says two lengths; the connection is closed.");
/// The body is no JSON.
pub const BAD_JSON: Kind = kind(40002, "The body is no JSON.");
/// The body is JSON of another shape.
pub const BAD_BODY: Kind = kind(40003, "The body is JSON, and not of the shape that is wanted.");
/// That is no job number.
pub const BAD_JOB: Kind = kind(40004, "What stands for the job is no number.");
/// A parameter of the query is missing or wrong.
pub const BAD_PARAMETER: Kind = kind(40005, "A parameter of the query is missing or wrong.");
/// That is no name of a file.
pub const BAD_FILE_NAME: Kind = kind(
    40006,
    "The name leads out of the folder of captures, or to what is hidden: say it as `/files/list` has it.",
);
/// That is no IP address.
pub const BAD_ADDRESS: Kind = kind(40007, "`ip` is no IP address.");
/// The request does not say whom it asks.
pub const BAD_HOST: Kind = kind(40008, "The request has no `Host`, or several.");
/// The token is missing or wrong.
pub const UNAUTHORIZED: Kind =
    kind(40100, "The token is missing or wrong: send `Authorization: Bearer TOKEN`.");
/// The request is not allowed.
pub const FORBIDDEN: Kind = kind(40300, "The request is not allowed.");
/// The companion is not called so.
pub const FOREIGN_HOST: Kind =
    kind(40301, "The companion does not answer to that `Host`; start it with `--host NAME`.");
/// A page of another site asks.
pub const FOREIGN_ORIGIN: Kind = kind(40302, "A page of another site asks (`Origin`).");
/// Upload is off.
pub const UPLOAD_OFF: Kind = kind(40303, "Upload is off; start the companion with `--upload`.");
/// There is no such thing.
pub const NOT_FOUND: Kind = kind(40400, "What was asked for does not exist.");
/// There is no such path.
pub const NO_PATH: Kind = kind(40401, "There is no such path.");
/// There is no such capture.
pub const NO_FILE: Kind = kind(40402, "There is no such file in the folder of captures.");
/// There is no such job.
pub const NO_JOB: Kind =
    kind(40403, "There is no such job, or a newer one of its file replaced it.");
/// The job is not at its end.
pub const NOT_FINISHED: Kind = kind(40404, "The job is not finished: there is no result yet.");
/// The job failed.
pub const JOB_FAILED: Kind = kind(40405, "The job failed; the message says why.");
/// There is no such label.
pub const NO_LABEL: Kind = kind(40406, "There is no such label in `/labels/list`.");
/// There is no such host.
pub const NO_HOST: Kind = kind(40407, "There is no such host in the capture.");
/// There is no such model.
pub const NO_MODEL: Kind = kind(40408, "There is no such model.");
/// There is no training to ask about.
pub const NO_TRAINING: Kind = kind(40409, "No training is at its end.");
/// The page is not built.
pub const NO_PAGE: Kind = kind(40410, "The page is not built; the interface is there without it.");
/// There is the path, and not by this method.
pub const NO_METHOD: Kind =
    kind(40500, "The path is there, and not by this method; `Allow` says by which.");
/// The client takes nothing that is there.
pub const NOT_ACCEPTABLE: Kind =
    kind(40600, "`Accept` takes nothing of what is there: answers are `application/json`.");
/// The request came too slowly.
pub const TOO_SLOW: Kind = kind(40800, "The request came too slowly; the connection is closed.");
/// It is not the time for it.
pub const CONFLICT: Kind = kind(40900, "It does not fit what there is now.");
/// Another training runs.
pub const TRAINING_RUNS: Kind = kind(40901, "Another training runs: stop it, or wait for its end.");
/// The job runs, or has ended.
pub const JOB_RUNS: Kind =
    kind(40902, "The job is not in the state for it: it runs still, or has ended already.");
/// The capture is another one by now.
pub const OTHER_CAPTURE: Kind =
    kind(40903, "The capture was changed or taken away since it was processed: process it again.");
/// There is a capture of that name.
pub const FILE_EXISTS: Kind = kind(40904, "There is a file of that name already.");
/// The request says no length.
pub const LENGTH_REQUIRED: Kind = kind(41100, "The request wants a body and says no length.");
/// The body is too long.
pub const TOO_LARGE: Kind = kind(41300, "The body is longer than is taken here.");
/// The path is too long.
pub const LONG_PATH: Kind = kind(41400, "The path is too long; the connection is closed.");
/// The body is said to be something else.
pub const NOT_JSON: Kind =
    kind(41500, "The body is said to be no JSON: send `Content-Type: application/json`.");
/// The body is understood and makes no sense.
pub const NO_SENSE: Kind = kind(42200, "The body is understood and makes no sense here.");
/// The filter cannot be understood.
pub const BAD_FILTER: Kind =
    kind(42201, "The filter cannot be understood; the message says where.");
/// The headers are too long.
pub const LONG_HEADERS: Kind =
    kind(43100, "The headers are too many or too long; the connection is closed.");
/// The fault is the program's.
pub const INTERNAL: Kind = kind(50000, "The fault is the program's.");
/// The program failed on this.
pub const PANICKED: Kind = kind(50001, "The program failed on this question; it goes on.");
/// A stored result cannot be read.
pub const DAMAGED_RESULT: Kind =
    kind(50002, "A stored result is damaged, or of another version: process the file again.");
/// The folder of captures cannot be read.
pub const FOLDER_UNREADABLE: Kind = kind(50003, "A folder of the companion cannot be read.");
/// It cannot be done now.
pub const UNAVAILABLE: Kind = kind(50300, "It cannot be done now; ask again later.");
/// Too much is asked at once.
pub const BUSY: Kind = kind(50301, "Too much is asked at once; ask again in some seconds.");
/// Too many jobs wait.
pub const QUEUE_FULL: Kind = kind(50302, "Too many jobs wait already; ask again later.");
/// The disk takes no more.
pub const CANNOT_STORE: Kind =
    kind(50303, "The disk is full or may not be written to: nothing was begun, nothing is lost.");
/// The companion stops.
pub const STOPPING: Kind = kind(50304, "The companion stops.");

const fn kind(code: u16, means: &'static str) -> Kind {
    Kind { code, means }
}

impl Kind {
    /// The HTTP status it comes with.
    pub const fn status(self) -> u16 {
        self.code / 100
    }

    /// An error of this kind.
    pub fn error(self, message: impl Into<String>) -> Error {
        Error { status: self.status(), code: self.code, message: message.into() }
    }
}

impl Error {
    /// The request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        BAD_REQUEST.error(message)
    }

    /// What was asked for does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        NOT_FOUND.error(message)
    }

    /// The fault is ours.
    pub fn internal(message: impl Into<String>) -> Self {
        INTERNAL.error(message)
    }

    /// An error with any HTTP status, of no nearer kind.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, code: status.saturating_mul(100), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_number_of_its_own_in_order() {
        assert!(KINDS.is_sorted_by_key(|it| it.code));
        assert!(KINDS.windows(2).all(|it| it[0].code != it[1].code));
        assert!(KINDS.iter().all(|it| (400..600).contains(&it.status())));
    }
}
