//! The v1 interface over HTTP: a path a request, and every error in one shape.

mod learning;

use std::{
    path::{self, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{DefaultBodyLimit, Path, Query, Request, State, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tower_http::catch_panic::CatchPanicLayer;
use v1::{Error, JobId};

use crate::{Companion, guard::Hosts, page};

/// The longest body of a request, in bytes; it holds a file name.
const MAX_BODY_LEN: usize = 64 * 1024;

/// The companion's whole site: the interface, and the page from its folder where there is one.
pub fn app(companion: Arc<Companion>, page: Option<PathBuf>, hosts: Hosts) -> Router {
    let page: Option<Arc<path::Path>> = page.map(Into::into);
    let router = Router::new()
        .route("/files/list", get(files))
        .route("/files/process", post(process))
        .route("/file/{job_id}/status", get(status))
        .route("/file/{job_id}/details", get(details))
        .route("/file/{job_id}/reading", get(reading))
        .route("/file/{job_id}/statistics", get(statistics))
        .route("/file/{job_id}/statistics/labels", get(statistics_of_label))
        .route("/file/{job_id}/statistics/ip", get(statistics_of_ip))
        .route("/file/{job_id}/flows/labels", get(flows_of_label))
        .route("/labels/list", get(labels))
        .merge(learning::routes())
        .with_state(companion)
        .fallback(move |request: Request| page::serve(page.clone(), request));
    in_shape(router)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let refusal = hosts.refuse(request.headers(), request.uri());
            async move {
                match refusal {
                    Some(error) => response_of(&error),
                    None => next.run(request).await,
                }
            }
        }))
        .layer(middleware::from_fn(page::headers))
}

/// Gives every error the interface's shape, what axum and its parts refuse on their own (405, 413 …) and panics included.
fn in_shape(router: Router) -> Router {
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(reshape))
}

type Asked = State<Arc<Companion>>;

async fn files(State(companion): Asked) -> Response {
    answer(companion, v1::Request::Files).await
}

async fn labels(State(companion): Asked) -> Response {
    answer(companion, v1::Request::Labels).await
}

/// The body of `POST /files/process`.
#[derive(Deserialize)]
struct Process {
    file_name: String,
}

async fn process(State(companion): Asked, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return rejection.into_response(),
    };
    // Whatever content type it claims: there is one way to read it.
    match serde_json::from_slice::<Process>(&body) {
        Ok(Process { file_name }) => answer(companion, v1::Request::Process { file_name }).await,
        Err(error) => response_of(&Error::bad_request(format!(
            "the body is not {{\"file_name\": \"name_with_extension.pcap\"}}: {error}"
        ))),
    }
}

async fn status(companion: Asked, Path(job): Path<String>) -> Response {
    of_job(companion, &job, |job| Ok(v1::Request::Status { job })).await
}

async fn details(companion: Asked, Path(job): Path<String>) -> Response {
    of_job(companion, &job, |job| Ok(v1::Request::Details { job })).await
}

async fn reading(companion: Asked, Path(job): Path<String>) -> Response {
    of_job(companion, &job, |job| Ok(v1::Request::Reading { job })).await
}

async fn statistics(companion: Asked, Path(job): Path<String>) -> Response {
    of_job(companion, &job, |job| Ok(v1::Request::Statistics { job })).await
}

/// The parameters of a request, in order.
type Parameters = Query<Vec<(String, String)>>;

async fn statistics_of_label(
    companion: Asked,
    Path(job): Path<String>,
    parameters: Parameters,
) -> Response {
    of_job(companion, &job, |job| {
        let label = parameter(&parameters, "label")?;
        Ok(v1::Request::StatisticsOfLabel { job, label })
    })
    .await
}

async fn statistics_of_ip(
    companion: Asked,
    Path(job): Path<String>,
    parameters: Parameters,
) -> Response {
    of_job(companion, &job, |job| {
        let ip = parameter(&parameters, "ip")?;
        Ok(v1::Request::StatisticsOfIp { job, ip })
    })
    .await
}

async fn flows_of_label(
    companion: Asked,
    Path(job): Path<String>,
    parameters: Parameters,
) -> Response {
    of_job(companion, &job, |job| {
        let label = parameter(&parameters, "label")?;
        Ok(v1::Request::FlowsOfLabel { job, label })
    })
    .await
}

async fn of_job(
    State(companion): Asked,
    job: &str,
    request: impl FnOnce(JobId) -> Result<v1::Request, Error>,
) -> Response {
    match job_id(job).and_then(request) {
        Ok(request) => answer(companion, request).await,
        Err(error) => response_of(&error),
    }
}

fn job_id(text: &str) -> Result<JobId, Error> {
    if text.is_empty() || !text.bytes().all(|it| it.is_ascii_digit()) {
        return Err(Error::bad_request(format!("`{text}` is no job number")));
    }
    // A number too great for us is one we never gave.
    match text.parse() {
        Ok(job) => Ok(JobId(job)),
        Err(_) => Err(Error::not_found(format!("there is no job {text}"))),
    }
}

fn parameter(parameters: &Parameters, name: &str) -> Result<String, Error> {
    let value = parameters.iter().find(|(key, _)| key == name).map(|it| it.1.as_str());
    match value {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => Err(Error::bad_request(format!("the query must say `{name}`"))),
    }
}

/// Answers on a thread that may wait: files are listed, jobs stored, long answers counted and written there.
async fn answer(companion: Arc<Companion>, request: v1::Request) -> Response {
    let answered =
        tokio::task::spawn_blocking(move || companion.answer(&request).map(|it| it.to_string()));
    match answered.await {
        Ok(Ok(json)) => as_json(StatusCode::OK, json),
        Ok(Err(error)) => response_of(&error),
        Err(_) => response_of(&Error::internal("the program failed on this question")),
    }
}

fn as_json(status: StatusCode, json: String) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// Marks a response whose body already is an [`Error`].
#[derive(Clone, Copy)]
struct InShape;

/// An error as a response.
pub(crate) fn response_of(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = serde_json::json!(error).to_string();
    let mut response = as_json(status, json);
    response.extensions_mut().insert(InShape);
    response
}

async fn reshape(request: Request, next: Next) -> Response {
    /// The longest reason repeated, in bytes.
    const MAX_REASON_LEN: usize = 4_096;
    let asked = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.extensions().get::<InShape>().is_some() {
        return response;
    }
    let reason = to_bytes(response.into_body(), MAX_REASON_LEN).await.unwrap_or_default();
    let reason = String::from_utf8_lossy(&reason);
    let message = match status {
        StatusCode::METHOD_NOT_ALLOWED => format!("`{asked}` is not possible: not by this method"),
        StatusCode::NOT_FOUND => format!("there is no `{asked}`"),
        StatusCode::PAYLOAD_TOO_LARGE if asked.contains(" /v1x/") => {
            "the body is longer than is taken here".to_owned()
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            format!("the body is longer than {MAX_BODY_LEN} bytes")
        }
        StatusCode::INTERNAL_SERVER_ERROR => "the program failed on this question".to_owned(),
        _ if reason.is_empty() => status.to_string(),
        _ => reason.into_owned(),
    };
    response_of(&Error::new(status.as_u16(), message))
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_ours() {
        async fn fails() -> StatusCode {
            panic!("on purpose")
        }
        let router = in_shape(Router::new().route("/", get(fails)));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        let error: Error = serde_json::from_slice(&body).unwrap();
        assert_eq!((error.status, error.code), (500, 500));
    }
}
