//! Learning at the companion: a training over its folder, its models, and applying one to a job.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use server::{Companion, Hosts};
use tower::ServiceExt;
use v1::{
    Error,
    page::{JudgedRows, ModelApplied, ModelCard, TrainingState, TrainingStatus},
};

/// A folder with two captures of the tests, gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tractor-training-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("captures")).unwrap();
        let made = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
        for name in ["sample.pcapng", "tunnels.pcap"] {
            fs::copy(made.join(name), path.join("captures").join(name)).unwrap();
        }
        Self(path)
    }

    fn app(&self) -> Router {
        let companion = Companion::open(&self.0.join("captures"), &self.0.join("data")).unwrap();
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap(), &[]);
        server::app(Arc::new(companion), None, hosts)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn ask(app: &Router, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let response = app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status();
    (status, to_bytes(response.into_body(), 1 << 24).await.unwrap().to_vec())
}

async fn get<T: DeserializeOwned>(app: &Router, path: &str) -> T {
    let (status, body) = ask(app, Method::GET, path, Vec::new()).await;
    assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap()
}

async fn post(app: &Router, path: &str, body: &Value) -> (StatusCode, Vec<u8>) {
    ask(app, Method::POST, path, body.to_string().into_bytes()).await
}

async fn check_refused(app: &Router, path: &str, body: &Value, status: u16, expected: &str) {
    let (found, body) = post(app, path, body).await;
    let error: Error = serde_json::from_slice(&body).unwrap();
    assert_eq!((found.as_u16(), error.status), (status, status), "{}", error.message);
    assert!(error.message.contains(expected), "{}", error.message);
}

fn training(name: &str) -> Value {
    json!({
        "files": [{"file_name": "sample.pcapng"}, {"file_name": "tunnels.pcap", "labels": {"Given": "tunnel"}}],
        "plan": {"method": "tree", "name": name, "folds": 2},
    })
}

/// Waits until the training ended.
async fn ended(app: &Router) -> TrainingStatus {
    for _ in 0..2_000 {
        let status: TrainingStatus = get(app, "/v1x/training").await;
        if !matches!(status.state, TrainingState::Reading | TrainingState::Learning) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the training does not end");
}

#[tokio::test]
async fn a_training_ends_in_a_report_and_a_model() {
    let folder = Folder::new("whole");
    let app = folder.app();
    let status: TrainingStatus = get(&app, "/v1x/training").await;
    assert_eq!(status, TrainingStatus::default());
    let (accepted, _) = post(&app, "/v1x/training", &training("small")).await;
    assert_eq!(accepted, StatusCode::ACCEPTED);
    let status = ended(&app).await;
    assert_eq!((status.state, status.model.as_deref()), (TrainingState::Finished, Some("small")));
    let data = status.data.unwrap();
    let labels: Vec<&str> = data.classes.iter().map(|it| &*it.label).collect();
    assert_eq!(labels, ["sample", "tunnel"]);
    let report = status.report.unwrap();
    assert_eq!(report.figures.rows, data.rows);
    let path = "/v1x/training/rows?is=tunnel&said=tunnel&len=2";
    let rows: JudgedRows = get(&app, path).await;
    assert_eq!(rows.matching, report.figures.confusion[1][1]);
    assert!(rows.matching > 0, "{:?}", report.figures.confusion);
    assert!(rows.rows.iter().all(|it| it.capture == "tunnels.pcap"));
    let models: BTreeMap<String, ModelCard> = get(&app, "/v1x/models").await;
    assert_eq!(models["small"].classes.len(), 2);
    let (_, file) = ask(&app, Method::GET, "/v1x/models/small", Vec::new()).await;
    let (status, _) = ask(&app, Method::PUT, "/v1x/models/again", file.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let (_, again) = ask(&app, Method::GET, "/v1x/models/again", Vec::new()).await;
    assert_eq!(again, file);
    let (status, _) = ask(&app, Method::DELETE, "/v1x/models/again", Vec::new()).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = ask(&app, Method::GET, "/v1x/models/again", Vec::new()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_model_is_applied_to_a_job() {
    let folder = Folder::new("applied");
    let app = folder.app();
    post(&app, "/v1x/training", &training("small")).await;
    assert_eq!(ended(&app).await.state, TrainingState::Finished);
    let body = json!({"file_name": "sample.pcapng"});
    let (_, job) = post(&app, "/files/process", &body).await;
    let job = serde_json::from_slice::<v1::FileStatus>(&job).unwrap().job_id.unwrap().0;
    for _ in 0..2_000 {
        let status: v1::FileStatus = get(&app, &format!("/file/{job}/status")).await;
        if status.state == v1::State::Finished {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let path = format!("/v1x/file/{job}/apply");
    let (status, body) = post(&app, &path, &json!({"model": "small", "threshold": 0.0})).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    let applied: ModelApplied = serde_json::from_slice(&body).unwrap();
    assert!(applied.labelled > 0 && applied.overridden == 0, "{applied:?}");
    let flows: Vec<v1::DetailsLabelItem> =
        get(&app, &format!("/file/{job}/flows/labels?label=sample")).await;
    assert!(flows.iter().all(|it| it.comment.starts_with("model small, ")), "{flows:?}");
    check_refused(&app, &path, &json!({"model": "other"}), 404, "no model `other`").await;
    check_refused(&app, &path, &json!({"model": "small", "threshold": 2}), 422, "`threshold`")
        .await;
    check_refused(&app, "/v1x/file/99/apply", &json!({"model": "small"}), 404, "no job 99").await;
}

#[tokio::test]
async fn one_training_runs_at_a_time_and_can_be_stopped() {
    let folder = Folder::new("stopped");
    let app = folder.app();
    let mut long = training("long");
    long["plan"] =
        json!({"method": "boosted", "numbers": {"rounds": 2_000}, "folds": 10, "name": "long"});
    let (accepted, _) = post(&app, "/v1x/training", &long).await;
    assert_eq!(accepted, StatusCode::ACCEPTED);
    check_refused(&app, "/v1x/training", &long, 409, "another training runs").await;
    let (_, body) = post(&app, "/v1x/training/stop", &json!(null)).await;
    let status: TrainingStatus = serde_json::from_slice(&body).unwrap();
    assert_eq!((status.state, status.model), (TrainingState::Stopped, None));
    let (accepted, _) = post(&app, "/v1x/training", &training("short")).await;
    assert_eq!(accepted, StatusCode::ACCEPTED);
    assert_eq!(ended(&app).await.state, TrainingState::Finished);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let folder = Folder::new("refused");
    let app = folder.app();
    let path = "/v1x/training";
    check_refused(&app, path, &json!({}), 422, "names no file").await;
    check_refused(&app, path, &json!({"files": [{"file_name": "../x"}]}), 404, "no file `../x`")
        .await;
    let mut wrong = training("../x");
    check_refused(&app, path, &wrong, 400, "no name of a model").await;
    wrong = training("x");
    wrong["schema"] = json!("none");
    check_refused(&app, path, &wrong, 422, "no schema `none`").await;
    wrong = training("x");
    wrong["files"] = json!([{"file_name": "sample.pcapng"}]);
    let (accepted, _) = post(&app, path, &wrong).await;
    assert_eq!(accepted, StatusCode::ACCEPTED);
    let status = ended(&app).await;
    assert_eq!(status.state, TrainingState::Failed);
    assert!(status.messages[0].contains("at least two classes"), "{:?}", status.messages);
    let (status, body) = ask(&app, Method::PUT, "/v1x/models/x", b"no".to_vec()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(String::from_utf8_lossy(&body).contains("no model of TrActor"));
}
