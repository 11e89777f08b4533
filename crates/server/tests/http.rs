//! The interface over HTTP: every path answers in its shape, every refusal in the shape of errors.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use engine::OwnRules;
use serde::de::DeserializeOwned;
use server::{Companion, Hosts, Options};
use tower::ServiceExt;
use v1::{
    DetailsIp, DetailsLabelItem, Error, File, FileStatus, Label, State, StatisticItem, error::KINDS,
};

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tractor-{}-{number}", std::process::id()));
        fs::create_dir_all(path.join("page")).unwrap();
        fs::create_dir_all(path.join("captures")).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> &Self {
        fs::write(self.0.join(name), bytes).unwrap();
        self
    }

    fn app(&self) -> Router {
        let companion = Companion::open(&self.0.join("captures"), &self.0.join("data")).unwrap();
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap(), &[]);
        server::app(Arc::new(companion), Some(self.0.join("page")), hosts)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A pcap with one packet: an SSH server introduces itself to 192.0.2.1.
fn capture() -> Vec<u8> {
    let payload = b"SSH-2.0-OpenSSH_9.6\r\n";
    let mut frame = vec![2; 12];
    frame.extend([8, 0, 0x45, 0, 0, 40 + payload.len() as u8, 0, 0, 0, 0, 64, 6, 0, 0]);
    frame.extend([198, 51, 100, 7, 192, 0, 2, 1]);
    frame.extend([0, 22, 0xc0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 2, 0, 0, 0, 0, 0]);
    frame.extend(payload);
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x0004_0000, 1_u32] {
        file.extend(word.to_le_bytes());
    }
    for word in [1_700_000_000, 5, frame.len() as u32, frame.len() as u32] {
        file.extend(word.to_le_bytes());
    }
    file.extend(frame);
    file
}

async fn ask(
    app: &Router,
    method: Method,
    path: &str,
    body: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, headers, body.to_vec())
}

/// A good answer: JSON that reads as its type and, written again, has the same keys.
#[track_caller]
fn shape<T: DeserializeOwned + serde::Serialize>(body: &[u8]) -> T {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap();
    let typed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&typed).unwrap(), value);
    typed
}

async fn get<T: DeserializeOwned + serde::Serialize>(app: &Router, path: &str) -> T {
    let (status, headers, body) = ask(app, Method::GET, path, "", &[]).await;
    assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    shape(&body)
}

async fn process(app: &Router, file_name: &str) -> FileStatus {
    let body = format!(r#"{{"file_name": "{file_name}"}}"#);
    let (status, _, body) = ask(app, Method::POST, "/files/process", &body, &[]).await;
    assert_eq!(status, StatusCode::OK);
    shape(&body)
}

/// Waits until a job ended.
async fn ended(app: &Router, job: u64) -> FileStatus {
    for _ in 0..2_000 {
        let status: FileStatus = get(app, &format!("/file/{job}/status")).await;
        if status.state != State::InProgress {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("job {job} does not end");
}

#[tokio::test]
async fn rules_of_the_users_label_what_is_processed() {
    let folder = Folder::new();
    folder.write("captures/office.pcap", &capture());
    let own = OwnRules::read("[[rule]]\nlabel = \"our shell\"\nbytes = [{ hex = \"53 53 48\" }]")
        .unwrap();
    let options = Options { own, ..Options::default() };
    let companion =
        Companion::open_with(&folder.0.join("captures"), &folder.0.join("data"), options).unwrap();
    let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap(), &[]);
    let app = server::app(Arc::new(companion), None, hosts);
    let job = process(&app, "office.pcap").await.job_id.unwrap().0;
    assert_eq!(ended(&app, job).await.state, State::Finished);
    let path = format!("/file/{job}/flows/labels?label=our%20shell");
    let flows: Vec<DetailsLabelItem> = get(&app, &path).await;
    assert!(flows[0].comment.contains("your rule for our shell says so"), "{}", flows[0].comment);
    let labels: Vec<Label> = get(&app, "/labels/list").await;
    let other = labels.iter().find(|it| it.group_name == "other").unwrap();
    assert!(other.labels.contains(&"our shell".to_owned()));
}

#[tokio::test]
async fn every_path_answers_in_its_shape() {
    let folder = Folder::new();
    let app = folder.write("captures/office.pcap", &capture()).app();
    let files: Vec<File> = get(&app, "/files/list").await;
    assert_eq!((&*files[0].name, &*files[0].extension), ("office", "pcap"));
    assert_eq!((files[0].status.state, files[0].size), (State::New, 1));

    let started = process(&app, "office.pcap").await;
    assert_eq!(started.state, State::InProgress);
    let job = started.job_id.unwrap().0;
    assert_eq!(ended(&app, job).await.state, State::Finished);

    let details: File = get(&app, &format!("/file/{job}/details")).await;
    assert_eq!((details.flows_count, details.time_start), (Some(1), 1_700_000_000));
    let reading: v1::page::Reading = get(&app, &format!("/file/{job}/reading")).await;
    assert!(reading.account.adds_up() && reading.account.in_flows.frames > 0);
    let statistics: Vec<StatisticItem> = get(&app, &format!("/file/{job}/statistics")).await;
    let titles: Vec<&str> = statistics.iter().map(|it| &*it.title).collect();
    assert_eq!(titles[..2], ["protocols", "clients"]);
    let path = format!("/file/{job}/statistics/labels?label=ssh");
    let of_label: Vec<StatisticItem> = get(&app, &path).await;
    assert_eq!(of_label, statistics);
    let path = format!("/file/{job}/statistics/ip?ip=198.51.100.7");
    let host: DetailsIp = get(&app, &path).await;
    assert_eq!(host.statistics, statistics);
    let path = format!("/file/{job}/flows/labels?label=ssh");
    let flows: Vec<DetailsLabelItem> = get(&app, &path).await;
    assert_eq!((flows.len(), flows[0].time_end), (1, 1_700_000_000));
    let labels: Vec<Label> = get(&app, "/labels/list").await;
    assert!(labels.iter().any(|it| it.group_name == "other"));
}

#[tokio::test]
async fn every_refusal_has_the_shape_of_errors() {
    let folder = Folder::new();
    let app = folder
        .write("captures/office.pcap", &capture())
        .write("captures/notes.txt", b"no capture")
        .app();
    let good = process(&app, "office.pcap").await.job_id.unwrap().0;
    let bad = process(&app, "notes.txt").await.job_id.unwrap().0;
    ended(&app, good).await;
    assert_eq!(ended(&app, bad).await.state, State::Failed);

    let long = "x".repeat(100_000);
    let good = |rest: &str| format!("/file/{good}{rest}");
    for (method, path, body, status) in [
        (Method::GET, "/file/77/status".into(), "", 404),
        (Method::GET, "/file/77/details".into(), "", 404),
        (Method::GET, "/file/99999999999999999999999/status".into(), "", 404),
        (Method::GET, "/file/first/status".into(), "", 400),
        (Method::GET, "/file/-1/statistics".into(), "", 400),
        (Method::GET, "/file/%ff/status".into(), "", 400),
        (Method::GET, format!("/file/{bad}/statistics"), "", 404),
        (Method::GET, good("/statistics/labels"), "", 400),
        (Method::GET, good("/statistics/labels?label=nothing"), "", 404),
        (Method::GET, good("/statistics/ip"), "", 400),
        (Method::GET, good("/statistics/ip?ip=nowhere"), "", 400),
        (Method::GET, good("/statistics/ip?ip=203.0.113.9"), "", 404),
        (Method::GET, good("/flows/labels?name=ssh"), "", 400),
        (Method::GET, good("/flows"), "", 404),
        (Method::GET, "/files".into(), "", 404),
        (Method::POST, "/nothing".into(), "", 404),
        (Method::PUT, "/files/list".into(), "", 405),
        (Method::GET, "/files/process".into(), "", 405),
        (Method::POST, "/files/process".into(), "", 411),
        (Method::POST, "/files/process".into(), "{\"file_name\": ", 400),
        (Method::POST, "/files/process".into(), "{\"file_name\": 7}", 400),
        (Method::POST, "/files/process".into(), "{\"name\": \"office.pcap\"}", 400),
        (Method::POST, "/files/process".into(), "{\"file_name\": \"missing.pcap\"}", 404),
        (Method::POST, "/files/process".into(), "{\"file_name\": \"../office.pcap\"}", 400),
        (Method::POST, "/files/process".into(), &long, 413),
    ] {
        let (found, headers, text) = ask(&app, method.clone(), &path, body, &[]).await;
        assert_eq!(found, status, "{method} {path}");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json", "{method} {path}");
        let error: Error = shape(&text);
        assert_eq!((error.status, error.code / 100), (status, status), "{method} {path}");
        assert!(KINDS.iter().any(|it| it.code == error.code), "{method} {path}: {error:?}");
        let folder = folder.0.to_string_lossy();
        assert!(!error.message.contains(&*folder), "{method} {path}: {error:?}");
        assert!(!error.message.is_empty(), "{method} {path}");
    }
}

#[tokio::test]
async fn pages_of_others_may_not_ask() {
    let folder = Folder::new();
    let app = folder.app();
    for (header, status) in [
        (("origin", "http://localhost"), 200),
        (("origin", "https://elsewhere.example"), 403),
        (("x-any", "other"), 200),
    ] {
        let (found, ..) = ask(&app, Method::GET, "/files/list", "", &[header]).await;
        assert_eq!(found, status, "{header:?}");
    }
}

#[tokio::test]
async fn jobs_outlive_the_process() {
    let folder = Folder::new();
    let app = folder.write("captures/office.pcap", &capture()).app();
    let job = process(&app, "office.pcap").await.job_id.unwrap().0;
    let before = ended(&app, job).await;
    let path = format!("/file/{job}/statistics");
    let statistics: Vec<StatisticItem> = get(&app, &path).await;
    drop(app);
    let app = folder.app();
    assert_eq!(get::<FileStatus>(&app, &format!("/file/{job}/status")).await, before);
    assert_eq!(get::<Vec<StatisticItem>>(&app, &path).await, statistics);

    let again = process(&app, "office.pcap").await.job_id.unwrap().0;
    assert!(again > job);
    ended(&app, again).await;
    drop(app);
    let app = folder.app();
    let (status, ..) = ask(&app, Method::GET, &format!("/file/{job}/status"), "", &[]).await;
    assert_eq!(status, 404, "the newest job of a file answers for it");
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_outside_the_folder_is_a_file() {
    let folder = Folder::new();
    folder.write("secret.pcap", &capture()).write("captures/.hidden.pcap", &capture());
    let link = folder.0.join("captures/link.pcap");
    std::os::unix::fs::symlink(folder.0.join("secret.pcap"), link).unwrap();
    fs::create_dir(folder.0.join("captures/below.pcap")).unwrap();
    let app = folder.app();
    assert_eq!(get::<Vec<File>>(&app, "/files/list").await, []);
    let body = r#"{"file_name": "link.pcap"}"#;
    let (status, ..) = ask(&app, Method::POST, "/files/process", body, &[]).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_page_is_told_of_its_companion_and_kept_in_bounds() {
    let folder = Folder::new();
    let html = r#"<head><meta name="tractor-companion" content=""></head>"#;
    let app = folder
        .write("page/index.html", html.as_bytes())
        .write("page/worker.wasm", b"\0asm")
        .write("page/sample.pcapng", b"\x0a\x0d\x0d\x0a")
        .app();
    for path in ["/", "/server/", "/index.html"] {
        let (status, headers, body) = ask(&app, Method::GET, path, "", &[]).await;
        assert_eq!(status, 200, "{path}");
        assert!(String::from_utf8(body).unwrap().contains(r#"content="/server/""#), "{path}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    }
    for (path, content_type) in [
        ("/worker.wasm", "application/wasm"),
        ("/server/worker.wasm", "application/wasm"),
        ("/sample.pcapng", "application/x-pcapng"),
    ] {
        let (status, headers, _) = ask(&app, Method::GET, path, "", &[]).await;
        assert_eq!(status, 200, "{path}");
        assert_eq!(headers[header::CONTENT_TYPE], content_type, "{path}");
    }
    for path in ["/missing.js", "/../captures", "/%2e%2e/jobs.redb", "/server/nothing"] {
        let (status, ..) = ask(&app, Method::GET, path, "", &[]).await;
        assert_eq!(status, 404, "{path}");
    }
}

#[tokio::test]
async fn what_is_named_by_its_content_is_kept_for_ever_and_sent_packed() {
    let folder = Folder::new();
    let html = include_bytes!("../../../index.html");
    let app = folder
        .write("page/index.html", html)
        .write("page/boot-0123456789abcdef.js", b"plain")
        .write("page/boot-0123456789abcdef.js.br", b"by brotli")
        .write("page/boot-0123456789abcdef.js.gz", b"by gzip")
        .write("page/sw.js", b"keeper")
        .app();
    const FOR_EVER: &str = "public, max-age=31536000, immutable";
    const ASKED_AGAIN: &str = "no-cache";
    for (path, accepted, encoding, expected, caching) in [
        ("/boot-0123456789abcdef.js", "gzip, br", Some("br"), "by brotli", FOR_EVER),
        ("/server/boot-0123456789abcdef.js", "gzip", Some("gzip"), "by gzip", FOR_EVER),
        ("/boot-0123456789abcdef.js", "identity", None, "plain", FOR_EVER),
        ("/sw.js", "gzip, br", None, "keeper", ASKED_AGAIN),
    ] {
        let header = [("accept-encoding", accepted)];
        let (status, headers, body) = ask(&app, Method::GET, path, "", &header).await;
        assert_eq!((status.as_u16(), &*body), (200, expected.as_bytes()), "{path}, {accepted}");
        let found = headers.get(header::CONTENT_ENCODING).map(|it| it.to_str().unwrap());
        assert_eq!(found, encoding, "{path}, {accepted}");
        assert_eq!(headers[header::CACHE_CONTROL], caching, "{path}");
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().contains("javascript"), "{path}");
    }
    // What is not there is not kept, whatever it is called; nor is an answer about a capture.
    for path in ["/app-0123456789abcdef.js", "/file/app-0123456789abcdef.js"] {
        let (_, headers, _) = ask(&app, Method::GET, path, "", &[]).await;
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
    }
    // The page says the same of itself as the companion says of it, but for frames, of which only a header can speak.
    let (_, headers, page) = ask(&app, Method::GET, "/", "", &[]).await;
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    let own = policy.strip_suffix("; frame-ancestors 'none'").unwrap();
    assert!(String::from_utf8(page).unwrap().contains(&format!("content=\"{own}\"")), "{own}");
}

#[test]
fn two_companions_do_not_share_a_store() {
    let folder = Folder::new();
    let open = |folder: &Path| Companion::open(&folder.join("captures"), &folder.join("data"));
    let first = open(&folder.0).unwrap();
    let error = open(&folder.0).err().unwrap();
    assert!(error.to_string().contains("another companion uses it"), "{error}");
    drop(first);
    assert!(open(&folder.0).is_ok());
}
