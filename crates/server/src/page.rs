//! The page's files, and the headers every answer has.

use std::{path::Path, sync::Arc};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use tower_http::services::ServeDir;
use v1::{Error, error};

use crate::http::response_of;

/// What the page may do before it seals itself; `index.html` says the same for hosts that send no headers.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; font-src 'self'; manifest-src data:; worker-src 'self' blob:; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types default; \
     frame-ancestors 'none'";

/// What the interface's documentation may do: have its style.
const DOCS_POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'";

/// What an answer of the interface may do, should a browser show it.
const ANSWER_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Where the page learns that a companion serves it: as built, and as served.
const COMPANION_META: [&str; 2] = [
    r#"<meta name="tractor-companion" content="">"#,
    r#"<meta name="tractor-companion" content="/server/">"#,
];

/// Everything that is not the interface: the page at `/`, and the same page at `/server/`, where it asks this companion.
///
/// The page names its files relative to itself, so they are found beside both addresses.
pub(crate) async fn serve(page: Option<Arc<Path>>, mut request: Request) -> Response {
    let unknown = error::NO_PATH.error(format!(
        "there is no `{} {}`",
        request.method(),
        request.uri().path()
    ));
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return response_of(&unknown);
    }
    let path = request.uri().path();
    if path == "/server" {
        return Redirect::permanent("/server/").into_response();
    }
    let path = path.strip_prefix("/server").unwrap_or(path).to_owned();
    let is_index = matches!(&*path, "/" | "/index.html");
    let Some(page) = page else {
        let not_built =
            error::NO_PAGE.error("the page is not built; the interface is told of at /docs");
        return response_of(if is_index { &not_built } else { &unknown });
    };
    if is_index {
        return index(&page).await;
    }
    let Ok(uri) = path.parse::<Uri>() else { return response_of(&unknown) };
    *request.uri_mut() = uri;
    // What the page may not do, its files may not do either; a folder has no listing.
    let mut files = ServeDir::new(&*page).append_index_html_on_directories(false);
    // The packed copies that lie beside the files, for browsers that take them.
    files = files.precompressed_br().precompressed_gzip();
    match files.try_call(request).await {
        Ok(response) if response.status() == StatusCode::NOT_FOUND => response_of(&unknown),
        Ok(response) => named_type(&path, response.map(Body::new)),
        Err(error) => response_of(&Error::internal(format!("`{path}` cannot be read: {error}"))),
    }
}

/// The page itself, told that a companion serves it.
async fn index(page: &Path) -> Response {
    let path = page.join("index.html");
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await;
    match read {
        Ok(Ok(html)) => Html(html.replace(COMPANION_META[0], COMPANION_META[1])).into_response(),
        _ => response_of(&Error::internal("the page's index.html cannot be read")),
    }
}

/// Types that the usual tables lack.
fn named_type(path: &str, mut response: Response) -> Response {
    let known = match path.rsplit_once('.').map(|it| it.1) {
        Some("pcap") => "application/vnd.tcpdump.pcap",
        Some("pcapng") => "application/x-pcapng",
        _ => return response,
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(known));
    response
}

/// Whether a file of the page is named by its content, as `boot-0123456789abcdef.js`: it is the same for ever.
fn is_named_by_content(path: &str) -> bool {
    let name = path.strip_prefix("/server").unwrap_or(path).strip_prefix('/').unwrap_or(path);
    let hash = name.rsplit_once('-').and_then(|it| it.1.split_once('.')).map_or("", |it| it.0);
    !name.contains('/') && hash.len() == 16 && hash.bytes().all(|it| it.is_ascii_hexdigit())
}

/// How long a browser may keep an answer without asking again.
fn caching(path: &str, response: &Response) -> &'static str {
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_there = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    match content_type {
        Some(b"application/json") => "no-store",
        _ if path.starts_with("/v1x/") || path == "/metrics" => "no-store",
        _ if is_there && is_named_by_content(path) => "public, max-age=31536000, immutable",
        _ => "no-cache",
    }
}

/// Puts the headers on every answer that say what a browser may do with it.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let caching = caching(&path, &response);
    let headers = response.headers_mut();
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_answer = content_type == Some(b"application/json");
    let policy = match &*path {
        _ if is_answer => ANSWER_POLICY,
        "/docs" | "/docs/docs.css" => DOCS_POLICY,
        _ => PAGE_POLICY,
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, caching),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
