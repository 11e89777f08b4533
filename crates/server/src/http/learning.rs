//! Learning over HTTP, beside the v1 interface: a training over the folder, the models, and applying one to a job.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, State, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Serialize, de::DeserializeOwned};
use v1::{
    Error,
    page::{ApplyRequest, TrainingRequest},
};

use super::{Asked, Parameters, as_json, job_id, parameter, response_of};
use crate::{Companion, training::MAX_MODEL_LEN};

/// The longest description of a training, in bytes: it may hold tables of labels.
const MAX_TRAINING_LEN: usize = 64 << 20;
/// How many rows of a cell are told where nothing is said.
const USUAL_ROWS: u32 = 100;

/// The paths.
pub(super) fn routes() -> Router<Arc<Companion>> {
    let training = get(status).post(begin).layer(DefaultBodyLimit::max(MAX_TRAINING_LEN));
    let model = get(file).put(put).delete(remove).layer(DefaultBodyLimit::max(MAX_MODEL_LEN));
    Router::new()
        .route("/v1x/training", training)
        .route("/v1x/training/stop", post(stop))
        .route("/v1x/training/rows", get(rows))
        .route("/v1x/training/choices", get(choices))
        .route("/v1x/models", get(models))
        .route("/v1x/models/{name}", model)
        .route("/v1x/file/{job_id}/apply", post(apply))
}

/// Answers on a thread that may wait.
async fn answer<T: Serialize + Send + 'static>(
    companion: Arc<Companion>,
    status: StatusCode,
    of: impl FnOnce(&Companion) -> Result<T, Error> + Send + 'static,
) -> Response {
    let answered = tokio::task::spawn_blocking(move || of(&companion)).await;
    match answered {
        Ok(Ok(it)) => match serde_json::to_string(&it) {
            Ok(json) => as_json(status, json),
            Err(error) => response_of(&Error::internal(error.to_string())),
        },
        Ok(Err(error)) => response_of(&error),
        Err(_) => response_of(&Error::internal("the program failed on this question")),
    }
}

fn body<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Box<Response>> {
    let body = body.map_err(|it| Box::new(it.into_response()))?;
    serde_json::from_slice(&body).map_err(|error| {
        let error = Error::bad_request(format!("the body cannot be understood: {error}"));
        Box::new(response_of(&error))
    })
}

async fn status(State(companion): Asked) -> Response {
    answer(companion, StatusCode::OK, |it| Ok(it.trainings().status())).await
}

async fn begin(State(companion): Asked, asked: Result<Bytes, BytesRejection>) -> Response {
    match body::<TrainingRequest>(asked) {
        Ok(request) => {
            answer(companion, StatusCode::ACCEPTED, |it| it.trainings().begin(request)).await
        }
        Err(refusal) => *refusal,
    }
}

async fn stop(State(companion): Asked) -> Response {
    answer(companion, StatusCode::OK, |it| Ok(it.trainings().stop())).await
}

async fn choices(State(companion): Asked) -> Response {
    answer(companion, StatusCode::OK, |_| Ok(engine::choices())).await
}

async fn rows(State(companion): Asked, parameters: Parameters) -> Response {
    let number = |name: &str, usual: u32| match parameter(&parameters, name) {
        Err(_) => Ok(usual),
        Ok(text) => text
            .parse::<u32>()
            .map_err(|error| Error::bad_request(format!("`{name}` is no whole number: {error}"))),
    };
    let asked = parameter(&parameters, "is").and_then(|is| {
        // What nothing was said of is asked for by saying nothing.
        let said = parameter(&parameters, "said").ok();
        Ok((is, said, number("offset", 0)?, number("len", USUAL_ROWS)?))
    });
    match asked {
        Ok((is, said, offset, len)) => {
            answer(companion, StatusCode::OK, move |it| {
                it.trainings().rows(&is, said.as_deref(), (offset, len))
            })
            .await
        }
        Err(error) => response_of(&error),
    }
}

async fn models(State(companion): Asked) -> Response {
    answer(companion, StatusCode::OK, |it| it.trainings().models()).await
}

async fn file(State(companion): Asked, Path(name): Path<String>) -> Response {
    let read = tokio::task::spawn_blocking(move || companion.trainings().model_file(&name)).await;
    match read {
        Ok(Ok(bytes)) => {
            let content_type = HeaderValue::from_static("application/octet-stream");
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            response
        }
        Ok(Err(error)) => response_of(&error),
        Err(_) => response_of(&Error::internal("the program failed on this question")),
    }
}

async fn put(
    State(companion): Asked,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(bytes) => {
            answer(companion, StatusCode::OK, move |it| it.trainings().put(&name, &bytes)).await
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn remove(State(companion): Asked, Path(name): Path<String>) -> Response {
    answer(companion, StatusCode::OK, move |it| it.trainings().remove(&name)).await
}

async fn apply(
    State(companion): Asked,
    Path(job): Path<String>,
    asked: Result<Bytes, BytesRejection>,
) -> Response {
    let job = match job_id(&job) {
        Ok(job) => job,
        Err(error) => return response_of(&error),
    };
    match body::<ApplyRequest>(asked) {
        Ok(how) => answer(companion, StatusCode::OK, move |it| it.apply(job, &how)).await,
        Err(refusal) => *refusal,
    }
}
