//! Questions: over HTTP, and as the values that the page sends its worker, in JSON. The first byte chooses.
//!
//! The rest of an HTTP question is its method, path and body, a line each.
#![no_main]

use std::sync::{Arc, LazyLock, Mutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
};
use engine::{Analysis, FileEntry, Library};
use server::{Companion, Hosts};
use tokio::runtime::Runtime;
use tower::ServiceExt;

static ANALYSIS: LazyLock<Arc<Analysis>> = LazyLock::new(|| Arc::new(fuzz::analysis()));
static LIBRARY: LazyLock<Mutex<Library>> = LazyLock::new(|| Mutex::new(library()));
static SITE: LazyLock<(Runtime, Router)> = LazyLock::new(site);

fn library() -> Library {
    let mut library = Library::new();
    let file_name = "ethernet.pcap".to_owned();
    library.set_files(vec![FileEntry { file_name: file_name.clone(), bytes: 1_000 }]);
    library.answer(&v1::Request::Process { file_name }, 0).expect("the file is there");
    let (job, _) = library.next_job().expect("it waits");
    library.finish(job, ANALYSIS.result(), 1);
    library
}

/// A companion over an empty folder: nothing asked of it is ever stored.
fn site() -> (Runtime, Router) {
    let folder = std::env::temp_dir().join(format!("tractor-fuzz-{}", std::process::id()));
    let companion = Companion::open(&folder.join("captures"), &folder.join("data"));
    let hosts = Hosts::of("127.0.0.1:8080".parse().expect("it is an address"), &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it starts");
    (runtime, server::app(Arc::new(companion.expect("the folder is ours")), None, hosts))
}

fn ask(question: &[u8]) {
    let mut lines = question.splitn(3, |it| *it == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, path, body) = (line(), line(), line());
    let request = Request::builder().method(method).uri(path).header("Host", "localhost");
    let Ok(request) = request.body(Body::from(body.to_vec())) else { return };
    let (runtime, site) = &*SITE;
    runtime.block_on(async {
        let response = site.clone().oneshot(request).await.expect("it always answers");
        let status = response.status();
        assert_ne!(status.as_u16(), 500, "a panic");
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("it is short");
        if status.is_client_error() || status.is_server_error() {
            let error: v1::Error = serde_json::from_slice(&body).expect("errors have one shape");
            assert_eq!(error.status, status.as_u16());
        }
    });
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else { return };
    match kind % 4 {
        0 => ask(rest),
        1 | 2 => {
            if let Ok(query) = serde_json::from_slice::<v1::page::Query>(rest) {
                drop(ANALYSIS.page(&query));
            }
        }
        _ => {
            if let Ok(request) = serde_json::from_slice(rest) {
                drop(LIBRARY.lock().expect("no panic before").answer(&request, 2));
            }
        }
    }
});
