//! The v1 interface over HTTP: a path a request, and every error in one shape.
//!
//! `contract.rs` says of each path what it takes and gives; this file and those beside it do it.

mod asked;
pub(crate) mod contract;
mod docs;
mod jobs;
mod learning;
mod upload;

use std::{
    path::{self, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use v1::{Error, error};

use crate::{
    Companion,
    guard::Hosts,
    http::asked::{Parameters, job_id, json_body, parameter},
    page,
};

/// The longest body of a request, in bytes; it holds a file name.
const MAX_BODY_LEN: usize = 64 * 1024;
/// How many questions are worked at that take their time, and how long others wait for them.
const MAX_WORKED_AT: usize = 8;
const MAX_WAIT: Duration = Duration::from_secs(20);
/// Where who manages services asks whether this one is alive; it needs no token.
const HEALTH: &str = "/healthz";

/// What the paths share.
struct Site {
    companion: Arc<Companion>,
    /// Questions that take their time.
    worked_at: Semaphore,
}

type Asked = State<Arc<Site>>;
type Answer = Result<Response, Refused>;

/// The companion's whole site: the interface, and the page from its folder where there is one.
pub fn app(companion: Arc<Companion>, page: Option<PathBuf>, hosts: Hosts) -> Router {
    let page: Option<Arc<path::Path>> = page.map(Into::into);
    let site = Site { companion: Arc::clone(&companion), worked_at: Semaphore::new(MAX_WORKED_AT) };
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
        .merge(jobs::routes())
        .merge(learning::routes())
        .merge(upload::routes())
        .merge(docs::routes())
        .route(HEALTH, get(health))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(site))
        .fallback(move |request: Request| page::serve(page.clone(), request));
    in_shape(router)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let refusal = match request.uri().path() {
                HEALTH => hosts.refuse_foreign(request.headers(), request.uri()),
                _ => hosts.refuse(request.headers(), request.uri()),
            };
            async move {
                match refusal {
                    Some(error) => response_of(&error),
                    None => next.run(request).await,
                }
            }
        }))
        .layer(middleware::from_fn(page::headers))
        .layer(middleware::from_fn(move |request, next| {
            watch(Arc::clone(&companion), request, next)
        }))
}

/// Gives every error the interface's shape, what axum and its parts refuse on their own (405 …) and panics included.
fn in_shape(router: Router) -> Router {
    router.layer(CatchPanicLayer::new()).layer(middleware::from_fn(reshape))
}

/// Counts an answer, and logs it: by its path's pattern, so that no address or name of a capture is in the log.
async fn watch(companion: Arc<Companion>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let (took, status) = (begun.elapsed(), response.status());
    companion.metrics().count_answer(status, took);
    let path = path.as_ref().map_or("other", MatchedPath::as_str);
    tracing::debug!(%method, path, status = status.as_u16(), micros = took.as_micros() as u64);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(%method, path, "a question could not be answered");
    }
    response
}

async fn files(State(site): Asked, asked: Request) -> Answer {
    site.answer(asked, v1::Request::Files).await
}

async fn labels(State(site): Asked, asked: Request) -> Answer {
    site.answer(asked, v1::Request::Labels).await
}

/// The body of `POST /files/process`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Process {
    /// The file's name with its extension, as `/files/list` has both; `/` between folders.
    #[schemars(regex(pattern = r"^[^/.\x00][^/\x00]*(/[^/.\x00][^/\x00]*)*$"))]
    file_name: String,
}

async fn process(State(site): Asked, asked: Request) -> Answer {
    asked::accepts_json(asked.headers())?;
    let body = json_body::<Process>(asked, MAX_BODY_LEN, |error| {
        error::BAD_BODY.error(format!(
            "the body is not {{\"file_name\": \"name_with_extension.pcap\"}}: {error}"
        ))
    });
    let Process { file_name } = body.await?;
    site.answered(v1::Request::Process { file_name }).await
}

async fn status(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    let job = job_id(&job)?;
    site.answer(asked, v1::Request::Status { job }).await
}

async fn details(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    let job = job_id(&job)?;
    site.answer(asked, v1::Request::Details { job }).await
}

async fn reading(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    let job = job_id(&job)?;
    site.answer(asked, v1::Request::Reading { job }).await
}

async fn statistics(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    let job = job_id(&job)?;
    site.answer(asked, v1::Request::Statistics { job }).await
}

async fn statistics_of_label(
    State(site): Asked,
    Path(job): Path<String>,
    parameters: Parameters,
    asked: Request,
) -> Answer {
    let (job, label) = (job_id(&job)?, parameter(&parameters, "label")?);
    site.answer(asked, v1::Request::StatisticsOfLabel { job, label }).await
}

async fn statistics_of_ip(
    State(site): Asked,
    Path(job): Path<String>,
    parameters: Parameters,
    asked: Request,
) -> Answer {
    let (job, ip) = (job_id(&job)?, parameter(&parameters, "ip")?);
    site.answer(asked, v1::Request::StatisticsOfIp { job, ip }).await
}

async fn flows_of_label(
    State(site): Asked,
    Path(job): Path<String>,
    parameters: Parameters,
    asked: Request,
) -> Answer {
    let (job, label) = (job_id(&job)?, parameter(&parameters, "label")?);
    site.answer(asked, v1::Request::FlowsOfLabel { job, label }).await
}

/// That the companion is there.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// `ok`.
    state: &'static str,
}

async fn health() -> Response {
    json(StatusCode::OK, &Health { state: "ok" })
}

async fn metrics(State(site): Asked) -> Response {
    let text = site.companion.metrics().text(site.companion.counts());
    plain("text/plain; version=0.0.4; charset=utf-8", text)
}

impl Site {
    /// Answers where the client takes JSON.
    async fn answer(&self, asked: Request, request: v1::Request) -> Answer {
        asked::accepts_json(asked.headers())?;
        self.answered(request).await
    }

    async fn answered(&self, request: v1::Request) -> Answer {
        if let Some(answer) = self.companion.quick_answer(&request) {
            return Ok(as_json(StatusCode::OK, answer?));
        }
        let answer = self.work(move |it| it.answer(&request)).await?;
        Ok(as_json(StatusCode::OK, answer))
    }

    /// Works at a question on a thread that may wait: files are listed, jobs stored, long answers counted and written there.
    async fn work<T: Send + 'static>(
        &self,
        of: impl FnOnce(&Companion) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || error::BUSY.error("too much is asked at once; ask again in some seconds");
        let turn = tokio::time::timeout(MAX_WAIT, self.worked_at.acquire()).await;
        let _turn = match turn {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) | Err(_) => return Err(busy()),
        };
        let companion = Arc::clone(&self.companion);
        let worked = tokio::task::spawn_blocking(move || of(&companion)).await;
        worked.unwrap_or_else(|_| Err(panicked()))
    }

    /// The same, and the answer as JSON.
    async fn work_json<T: Serialize + Send + 'static>(
        &self,
        status: StatusCode,
        of: impl FnOnce(&Companion) -> Result<T, Error> + Send + 'static,
    ) -> Answer {
        let written = self.work(|it| {
            serde_json::to_vec(&of(it)?).map_err(|error| Error::internal(error.to_string()))
        });
        Ok(as_json(status, written.await?.into()))
    }
}

fn panicked() -> Error {
    error::PANICKED.error("the program failed on this question; it goes on with others")
}

fn as_json(status: StatusCode, json: Bytes) -> Response {
    let content_type = HeaderValue::from_static("application/json");
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(json) => as_json(status, json.into()),
        Err(error) => response_of(&Error::internal(error.to_string())),
    }
}

fn plain(content_type: &'static str, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

/// Marks a response whose body already is an [`Error`].
#[derive(Clone, Copy)]
struct InShape;

/// An error as a response.
pub(crate) fn response_of(error: &Error) -> Response {
    /// What is unread of a body is not waited for.
    const ENDING: &[v1::Kind] = &[error::BAD_HTTP, error::TOO_SLOW, error::TOO_LARGE];
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = serde_json::json!(error).to_string();
    let mut response = as_json(status, json.into());
    response.extensions_mut().insert(InShape);
    let headers = response.headers_mut();
    if ENDING.iter().any(|it| it.code == error.code) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if status == StatusCode::UNAUTHORIZED {
        for way in ["Bearer", "Basic realm=\"TrActor: the token is the password\""] {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(way));
        }
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// An error on its way out of a handler.
#[derive(Debug)]
struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        response_of(&self.0)
    }
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
    let allowed = response.headers().get(header::ALLOW).cloned();
    let reason = to_bytes(response.into_body(), MAX_REASON_LEN).await.unwrap_or_default();
    let reason = String::from_utf8_lossy(&reason);
    let error = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            error::NO_METHOD.error(format!("`{asked}` is not possible: not by this method"))
        }
        StatusCode::NOT_FOUND => error::NO_PATH.error(format!("there is no `{asked}`")),
        StatusCode::INTERNAL_SERVER_ERROR => panicked(),
        _ if reason.is_empty() => Error::new(status.as_u16(), status.to_string()),
        _ => Error::new(status.as_u16(), reason),
    };
    let mut response = response_of(&error);
    if let Some(allowed) = allowed {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
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
        assert_eq!((error.status, error.code), (500, error::PANICKED.code));
    }
}
