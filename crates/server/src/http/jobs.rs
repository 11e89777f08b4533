//! Jobs over HTTP beyond the v1 interface: many at once, how far they are, cancelling, and what the page asks of one.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::StatusCode,
    routing::{get, post},
};
use v1::{
    error,
    page::{ProcessRequest, Query},
};

use super::{
    Answer, Asked, MAX_BODY_LEN, Site,
    asked::{Parameters, accepts_json, job_id, json_body},
    json,
};

/// How many files are processed by one request.
const MAX_FILES: usize = 10_000;
/// The longest list of files, in bytes.
const MAX_FILES_LEN: usize = 4 << 20;

/// The paths.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/v1x/files/process", post(process))
        .route("/v1x/jobs", get(jobs))
        .route("/v1x/file/{job_id}/progress", get(progress))
        .route("/v1x/file/{job_id}/cancel", post(cancel))
        .route("/v1x/file/{job_id}/ask", post(ask))
}

async fn process(State(site): Asked, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let shape = |why| error::BAD_BODY.error(format!("the body is no list of files: {why}"));
    let ProcessRequest { file_names } = json_body(asked, MAX_FILES_LEN, shape).await?;
    if file_names.len() > MAX_FILES {
        let message = format!("`file_names` has more than {MAX_FILES} names");
        return Err(error::NO_SENSE.error(message).into());
    }
    site.work_json(StatusCode::OK, move |it| it.process(&file_names)).await
}

async fn jobs(State(site): Asked, parameters: Parameters, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let said = parameters.iter().find(|(key, _)| key == "state").map(|it| &*it.1);
    let state = match said {
        None => None,
        Some("in_progress") => Some(v1::State::InProgress),
        Some("finished") => Some(v1::State::Finished),
        Some("failed") => Some(v1::State::Failed),
        Some(_) => {
            let message = "`state` is none of in_progress, finished, failed";
            return Err(error::BAD_PARAMETER.error(message).into());
        }
    };
    site.work_json(StatusCode::OK, move |it| Ok(it.jobs(state))).await
}

async fn progress(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    Ok(json(StatusCode::OK, &site.companion.progress(job_id(&job)?)?))
}

async fn cancel(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let job = job_id(&job)?;
    site.work_json(StatusCode::OK, move |it| it.cancel(job)).await
}

async fn ask(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let job = job_id(&job)?;
    let shape = |why| error::NO_SENSE.error(format!("the body is no question of the page: {why}"));
    let query: Query = json_body(asked, MAX_BODY_LEN, shape).await?;
    site.work_json(StatusCode::OK, move |it| it.ask(job, &query)).await
}
