//! What a request says, or why it says nothing: its parameters, its body within bounds and in time, what it accepts.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{Query, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use v1::{Error, JobId, error};

/// How long a body may pause.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// After this a body must have come at [`MIN_SPEED`].
const GRACE: Duration = Duration::from_secs(7);
/// The least speed of a body, in bytes a second.
const MIN_SPEED: u64 = 4_096;

/// The parameters of a request, in order.
pub(super) type Parameters = Query<Vec<(String, String)>>;

/// The job a path names.
pub(super) fn job_id(text: &str) -> Result<JobId, Error> {
    if text.is_empty() || !text.bytes().all(|it| it.is_ascii_digit()) {
        return Err(error::BAD_JOB.error(format!("`{text}` is no job number")));
    }
    // A number too great for us is one we never gave.
    match text.parse() {
        Ok(job) => Ok(JobId(job)),
        Err(_) => Err(error::NO_JOB.error(format!("there is no job {text}"))),
    }
}

/// A parameter that must be there.
pub(super) fn parameter(parameters: &Parameters, name: &str) -> Result<String, Error> {
    let value = parameters.iter().find(|(key, _)| key == name).map(|it| it.1.as_str());
    match value {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(error::BAD_PARAMETER.error(format!("the query must say `{name}`"))),
    }
}

/// A parameter that is a number, where it is there.
pub(super) fn number(parameters: &Parameters, name: &str, usual: u32) -> Result<u32, Error> {
    match parameters.iter().find(|(key, _)| key == name) {
        None => Ok(usual),
        Some((_, text)) => text.parse().map_err(|why| {
            error::BAD_PARAMETER.error(format!("`{name}` is no whole number: {why}"))
        }),
    }
}

/// Whether the client takes JSON; one that says nothing takes all.
pub(super) fn accepts_json(headers: &HeaderMap) -> Result<(), Error> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return Ok(());
    }
    let takes = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let is_refused = parts.any(|it| {
            let quality = it.strip_prefix("q=").or(it.strip_prefix("Q="));
            quality.is_some_and(|it| it.parse::<f32>().is_ok_and(|it| it <= 0.0))
        });
        let is_json = ["application/json", "application/*", "*/*"]
            .iter()
            .any(|it| kind.eq_ignore_ascii_case(it));
        is_json && !is_refused
    };
    let accepted = accepted.any(|it| it.to_str().is_ok_and(|it| it.split(',').any(takes)));
    let message = "`Accept` takes no application/json, and answers are nothing else";
    if accepted { Ok(()) } else { Err(error::NOT_ACCEPTABLE.error(message)) }
}

/// A body of JSON, of no more than so many bytes; `shape` says what is wrong with JSON of another shape.
pub(super) async fn json_body<T: DeserializeOwned>(
    request: Request,
    max_len: usize,
    shape: impl FnOnce(serde_json::Error) -> Error,
) -> Result<T, Error> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if let Some(kind) = kind {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        if kind != "application/json"
            && !(kind.starts_with("application/") && kind.ends_with("+json"))
        {
            let message = "the body is said to be no JSON: send `Content-Type: application/json`";
            return Err(error::NOT_JSON.error(message));
        }
    }
    let body = body(request, max_len).await?;
    let why = match serde_json::from_slice(&body) {
        Ok(asked) => return Ok(asked),
        Err(why) => why,
    };
    if why.classify() != serde_json::error::Category::Data {
        return Err(error::BAD_JSON.error(format!("the body is no JSON: {why}")));
    }
    // To JSON Schema 5.0 is a whole number.
    let whole = serde_json::from_slice(&body).map(whole_numbers);
    whole.and_then(serde_json::from_value).map_err(|_again| shape(why))
}

/// The same value, in which numbers without a fraction are whole ones.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                (float as i64).into()
            }
            _ => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(whole_numbers).collect(),
        Value::Object(values) => {
            values.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect()
        }
        other => other,
    }
}

/// A body of no more than so many bytes, which comes in time.
pub(super) async fn body(request: Request, max_len: usize) -> Result<Bytes, Error> {
    let mut parts = begin_body(request, max_len as u64)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = parts.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// A body that is read chunk by chunk.
pub(super) struct Chunks {
    body: Body,
    max_len: u64,
    len: u64,
    begun: Instant,
}

/// Begins to read a body of no more than so many bytes.
pub(super) fn begin_body(request: Request, max_len: u64) -> Result<Chunks, Error> {
    let too_large = || error::TOO_LARGE.error(format!("the body is longer than {max_len} bytes"));
    let headers = request.headers();
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter().count();
    let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
    if lengths > 1 || lengths == 1 && is_chunked {
        return Err(error::BAD_HTTP.error("the request says two lengths of its body"));
    }
    let said = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    if said.is_some_and(|said: u64| said > max_len) {
        return Err(too_large());
    }
    if lengths == 0 && !is_chunked && request.body().is_end_stream() {
        let message = "the request wants a body and says no length: send `Content-Length`";
        return Err(error::LENGTH_REQUIRED.error(message));
    }
    Ok(Chunks { body: request.into_body(), max_len, len: 0, begun: Instant::now() })
}

impl Chunks {
    /// The next chunk; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let slow = || error::TOO_SLOW.error("the body comes too slowly");
        loop {
            let Ok(frame) = timeout(MAX_PAUSE, self.body.frame()).await else { return Err(slow()) };
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|why| {
                let message =
                    format!("the body ends before its length, or its chunks make no sense: {why}");
                error::BAD_HTTP.error(message)
            })?;
            let Ok(chunk) = frame.into_data() else { continue };
            self.len += chunk.len() as u64;
            if self.len > self.max_len {
                let message = format!("the body is longer than {} bytes", self.max_len);
                return Err(error::TOO_LARGE.error(message));
            }
            let passed = self.begun.elapsed();
            if passed > GRACE && self.len < passed.as_secs() * MIN_SPEED {
                return Err(slow());
            }
            return Ok(Some(chunk));
        }
    }
}
