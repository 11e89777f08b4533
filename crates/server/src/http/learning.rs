//! Learning over HTTP, beside the v1 interface: a training over the folder, the models, and applying one to a job.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    http::StatusCode,
    routing::{get, post},
};
use v1::{
    error,
    page::{ApplyRequest, TrainingRequest},
};

use super::{
    Answer, Asked, MAX_BODY_LEN, Site,
    asked::{Parameters, accepts_json, body, job_id, json_body, number, parameter},
    plain,
};
use crate::training::MAX_MODEL_LEN;

/// The longest description of a training, in bytes: it may hold tables of labels.
const MAX_TRAINING_LEN: usize = 64 << 20;
/// How many rows of a cell are told where nothing is said.
const USUAL_ROWS: u32 = 100;

/// The paths.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/v1x/training", get(status).post(begin))
        .route("/v1x/training/stop", post(stop))
        .route("/v1x/training/rows", get(rows))
        .route("/v1x/training/choices", get(choices))
        .route("/v1x/models", get(models))
        .route("/v1x/models/{name}", get(file).put(put).delete(remove))
        .route("/v1x/file/{job_id}/apply", post(apply))
}

async fn status(State(site): Asked, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    site.work_json(StatusCode::OK, |it| Ok(it.trainings().status())).await
}

async fn begin(State(site): Asked, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let shape = |why| error::BAD_BODY.error(format!("the body cannot be understood: {why}"));
    let request: TrainingRequest = json_body(asked, MAX_TRAINING_LEN, shape).await?;
    site.work_json(StatusCode::ACCEPTED, |it| it.trainings().begin(request)).await
}

async fn stop(State(site): Asked, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    site.work_json(StatusCode::OK, |it| Ok(it.trainings().stop())).await
}

async fn choices(State(site): Asked, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    site.work_json(StatusCode::OK, |_| Ok(engine::choices())).await
}

async fn rows(State(site): Asked, parameters: Parameters, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let is = parameter(&parameters, "is")?;
    // What nothing was said of is asked for by saying nothing.
    let said = parameter(&parameters, "said").ok();
    let window = (number(&parameters, "offset", 0)?, number(&parameters, "len", USUAL_ROWS)?);
    let of = move |it: &crate::Companion| it.trainings().rows(&is, said.as_deref(), window);
    site.work_json(StatusCode::OK, of).await
}

async fn models(State(site): Asked, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    site.work_json(StatusCode::OK, |it| it.trainings().models()).await
}

async fn file(State(site): Asked, Path(name): Path<String>) -> Answer {
    let bytes = site.work(move |it| it.trainings().model_file(&name)).await?;
    Ok(plain("application/octet-stream", bytes))
}

async fn put(State(site): Asked, Path(name): Path<String>, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let bytes = body(asked, MAX_MODEL_LEN).await?;
    site.work_json(StatusCode::OK, move |it| it.trainings().put(&name, &bytes)).await
}

async fn remove(State(site): Asked, Path(name): Path<String>, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    site.work_json(StatusCode::OK, move |it| it.trainings().remove(&name)).await
}

async fn apply(State(site): Asked, Path(job): Path<String>, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let job = job_id(&job)?;
    let shape = |why| error::BAD_BODY.error(format!("the body cannot be understood: {why}"));
    let how: ApplyRequest = json_body(asked, MAX_BODY_LEN, shape).await?;
    site.work_json(StatusCode::OK, move |it| it.apply(job, &how)).await
}
