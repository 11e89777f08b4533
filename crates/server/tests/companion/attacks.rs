//! What somebody may try who wants the companion to fail, to wait, or to give what is not in its folder.

use std::{fs, io::Write};

use crate::site::{Folder, Said, Site, capture};
use server::Options;
use v1::error;

const JSON: &str = "content-type: application/json";

/// A site with one capture, and a secret beside its folder.
fn site() -> (Folder, Site) {
    let folder = Folder::new();
    folder.write("office.pcap", &capture(1..2));
    fs::write(folder.0.join("secret.pcap"), capture(1..2)).unwrap();
    let site = Site::start(&folder);
    (folder, site)
}

fn process(site: &Site, file_name: &str) -> Said {
    let body = serde_json::json!({ "file_name": file_name }).to_string();
    site.ask("POST", "/files/process", &[JSON], body.as_bytes())
}

#[test]
fn no_spelling_of_a_path_leads_out_of_the_page() {
    let (_folder, site) = site();
    for path in [
        "/../secret.pcap",
        "/%2e%2e/secret.pcap",
        "/%2e%2e%2fsecret.pcap",
        "/..%2fsecret.pcap",
        "/%252e%252e%252fsecret.pcap",
        "/..%5csecret.pcap",
        "/..\\secret.pcap",
        "/%c0%ae%c0%ae/secret.pcap",
        "/....//secret.pcap",
        "/..;/secret.pcap",
        "//secret.pcap",
        "/server/../../secret.pcap",
        "/docs/../../secret.pcap",
        "/secret.pcap%00.html",
        "/v1x/models/..%2f..%2fsecret",
        "/v1x/models/%2e%2e",
        "/v1x/models/a%00b",
    ] {
        let said = site.ask("GET", path, &[], b"");
        assert!(matches!(said.status, 400 | 404), "{path}: {said:?}");
        said.read::<v1::Error>(said.status);
    }
}

#[test]
fn no_spelling_of_a_name_leads_out_of_the_folder() {
    let (folder, site) = site();
    let absolute = folder.0.join("secret.pcap").to_str().unwrap().to_owned();
    for name in [
        "../secret.pcap",
        "a/../../secret.pcap",
        "./office.pcap",
        "/etc/passwd",
        &absolute,
        "office.pcap\0",
        "",
        ".",
        "..",
        ".hidden",
    ] {
        process(&site, name).check(error::BAD_FILE_NAME);
    }
    for name in [
        "..%2fsecret.pcap",
        "%2e%2e/secret.pcap",
        "\u{ff0e}\u{ff0e}/secret.pcap",
        "office.pcap/",
        "office.pcap/x",
        "\\x2e\\x2e/secret.pcap",
        "..\\secret.pcap",
        &"x/".repeat(5_000),
        &"x".repeat(10_000),
    ] {
        let said = process(&site, name);
        assert!([400, 404].contains(&said.status), "{name}: {said:?}");
        let message = said.read::<v1::Error>(said.status).message;
        assert!(!message.contains(folder.0.to_str().unwrap()), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn links_out_pipes_devices_and_folders_are_no_captures() {
    use std::os::unix::fs::symlink;
    let (folder, site) = site();
    let captures = folder.captures();
    symlink(folder.0.join("secret.pcap"), captures.join("link.pcap")).unwrap();
    symlink("../secret.pcap", captures.join("near.pcap")).unwrap();
    symlink(&folder.0, captures.join("out")).unwrap();
    symlink("/dev/zero", captures.join("zero.pcap")).unwrap();
    symlink("loop.pcap", captures.join("loop.pcap")).unwrap();
    symlink("missing.pcap", captures.join("dangling.pcap")).unwrap();
    symlink("office.pcap", captures.join("same.pcap")).unwrap();
    fs::create_dir(captures.join("folder.pcap")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(captures.join("pipe.pcap")).status();
    assert!(made.unwrap().success());
    let files: Vec<v1::File> = site.get("/files/list");
    let names: Vec<&str> = files.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["office", "same"]);
    for name in ["link", "near", "zero", "dangling", "folder", "pipe", "out/secret"] {
        process(&site, &format!("{name}.pcap")).check(error::NO_FILE);
    }
    let said = process(&site, "loop.pcap");
    assert!(matches!(said.status, 404 | 500) && !said.body.is_empty(), "{said:?}");
}

#[test]
fn heads_without_end_are_refused() {
    let (_folder, site) = site();
    let head =
        |headers: &str| format!("GET /files/list HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
    let long = head(&format!("x-long: {}\r\n", "x".repeat(1 << 20)));
    site.say(long.as_bytes()).check_or_closed(error::LONG_HEADERS);
    let many: String = (0..1_000).map(|it| format!("x-{it}: y\r\n")).collect();
    site.say(head(&many).as_bytes()).check(error::LONG_HEADERS);
    let path = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "x".repeat(1 << 20));
    let said = site.say(path.as_bytes());
    assert!([0, 414, 431].contains(&said.status), "{said:?}");
}

#[test]
fn what_is_no_http_is_refused() {
    let (_folder, site) = site();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /files/list\r\n\r\n",
        b"GET /files/list HTTP/9.9\r\nhost: localhost\r\n\r\n",
        b"GET /files/list HTTP/1.1\r\nhost: local\0host\r\n\r\n",
        b"GET /files/list HTTP/1.1\r\nhost localhost\r\n\r\n",
        b"GET  /files/list  HTTP/1.1\r\nhost: localhost\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        site.say_all(bytes).check_or_closed(error::BAD_HTTP);
    }
    let post = |headers: &str, body: &str| {
        let head =
            "POST /files/process HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
        site.say_all(format!("{head}\r\n{headers}\r\n\r\n{body}").as_bytes())
    };
    let body = r#"{"file_name": "office.pcap"}"#;
    post("content-length: 5\r\ncontent-length: 28", body).check_or_closed(error::BAD_HTTP);
    post("content-length: 28\r\ntransfer-encoding: chunked", body).check_or_closed(error::BAD_HTTP);
    post("content-length: -1", body).check_or_closed(error::BAD_HTTP);
    post("content-length: 99999999999999999999", body).check_or_closed(error::BAD_HTTP);
    post("transfer-encoding: xchunked", body).check_or_closed(error::BAD_HTTP);
    post("transfer-encoding: chunked", "zz\r\n{}\r\n0\r\n\r\n").check_or_closed(error::BAD_HTTP);
    post("transfer-encoding: chunked", "5\r\n{}\r\n0\r\n\r\n").check_or_closed(error::BAD_HTTP);
    post("transfer-encoding: chunked", "ffffffffffffffffff\r\n").check_or_closed(error::BAD_HTTP);
    post("content-length: 900", body).check_or_closed(error::BAD_HTTP);
}

#[test]
fn bodies_that_are_too_long_deep_or_something_else_are_refused() {
    let (_folder, site) = site();
    let long = format!(r#"{{"file_name": "{}"}}"#, "x".repeat(50_000_000));
    site.ask("POST", "/files/process", &[JSON], long.as_bytes()).check_or_closed(error::TOO_LARGE);
    let chunked = format!(
        "POST /files/process HTTP/1.1\r\nhost: localhost\r\n{JSON}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let chunks = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(40);
    site.say([chunked, chunks].concat().as_bytes()).check_or_closed(error::TOO_LARGE);
    let deep = |n: usize| format!(r#"{{"file_name": {}{}}}"#, "[".repeat(n), "]".repeat(n));
    site.ask("POST", "/files/process", &[JSON], deep(100_000).as_bytes()).check(error::TOO_LARGE);
    site.ask("POST", "/files/process", &[JSON], deep(10_000).as_bytes()).check(error::BAD_BODY);
    let deep = format!(r#"{{"other": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    site.ask("POST", "/v1x/training", &[JSON], deep.as_bytes()).check(error::NO_SENSE);
    let body = br#"{"file_name": "office.pcap"}"#;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]
    {
        let kind = format!("content-type: {kind}");
        site.ask("POST", "/files/process", &[&kind], body).check(error::NOT_JSON);
    }
    site.ask("POST", "/files/process", &[JSON], b"").check(error::LENGTH_REQUIRED);
    site.ask("POST", "/files/process", &[JSON], b"\xff\xfe").check(error::BAD_JSON);
    site.ask("POST", "/files/process", &[JSON], b"{\"file_name\": \"\\ud800\"}")
        .check(error::BAD_JSON);
}

#[test]
fn unknown_methods_are_refused_and_known_ones_are_told() {
    let (_folder, site) = site();
    for method in ["BREW", "PATCH", "DELETE", "OPTIONS", "TRACE", "x"] {
        let said = site.ask(method, "/files/list", &[], b"");
        said.check(error::NO_METHOD);
        assert!(said.head.contains("allow: GET,HEAD"), "{}", said.head);
    }
    site.ask("CONNECT", "/files/list", &[], b"").check_or_closed(error::NO_METHOD);
}

#[test]
fn nobody_asks_in_anothers_name() {
    let (_folder, site) = site();
    for host in
        ["rebound.example", "localhost.rebound.example", "127.0.0.1.rebound.example", "[::1"]
    {
        let bytes =
            format!("GET /files/list HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let said = site.say(bytes.as_bytes());
        assert!([400, 403].contains(&said.status), "{host}: {said:?}");
        said.read::<v1::Error>(said.status);
    }
    let bytes = "GET http://rebound.example/files/list HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    site.say(bytes.as_bytes()).check(error::FOREIGN_HOST);
    site.say(b"GET /files/list HTTP/1.1\r\nconnection: close\r\n\r\n").check(error::BAD_HOST);
    let twice = "GET /files/list HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    site.say(twice.as_bytes()).check(error::BAD_HOST);
    let body = br#"{"file_name": "office.pcap"}"#;
    for origin in ["https://site.example", "null", "http://localhost:3000", "file://", ""] {
        let origin = format!("origin: {origin}");
        site.ask("POST", "/files/process", &[JSON, &origin], body).check(error::FOREIGN_ORIGIN);
        site.ask("GET", "/files/list", &[&origin], b"").check(error::FOREIGN_ORIGIN);
    }
    let said = site.ask("GET", "/files/list", &[], b"");
    assert!(!said.head.contains("access-control"), "{}", said.head);
}

#[test]
fn who_has_no_token_learns_that_the_companion_lives_and_nothing_else() {
    let folder = Folder::new();
    let token = "correct-horse-battery";
    let site = Site::start_with(&folder, Options::default(), Some(token));
    for path in ["/files/list", "/metrics", "/docs", "/openapi.json", "/", "/missing", "/v1x/jobs"]
    {
        let said = site.ask("GET", path, &[], b"");
        said.check(error::UNAUTHORIZED);
        assert!(said.head.contains("www-authenticate: Bearer"), "{}", said.head);
    }
    assert_eq!(site.ask("GET", "/healthz", &[], b"").status, 200);
    let known = format!("authorization: Bearer {token}");
    assert_eq!(site.ask("GET", "/files/list", &[&known], b"").status, 200);
}

#[test]
fn who_accepts_nothing_of_what_is_there_is_told() {
    let (_folder, site) = site();
    for (accept, status) in [
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("image/*, application/xml", 406),
    ] {
        let said = site.ask("GET", "/labels/list", &[&format!("accept: {accept}")], b"");
        assert_eq!(said.status, status, "{accept}");
    }
}

#[test]
fn whoever_says_nothing_more_is_let_go() {
    let (_folder, site) = site();
    let mut idle = site.connect();
    let mut begun = site.connect();
    begun.write_all(b"GET /files/list HTTP/1.1\r\nhost: local").unwrap();
    let mut body = site.connect();
    let head = format!(
        "POST /files/process HTTP/1.1\r\nhost: localhost\r\n{JSON}\r\ncontent-length: 28\r\n\r\n{{"
    );
    body.write_all(head.as_bytes()).unwrap();
    // Others are answered meanwhile.
    let _: Vec<v1::File> = site.get("/files/list");
    Said::hear(&mut body).check(error::TOO_SLOW);
    assert_eq!(Said::hear(&mut begun).status, 0);
    assert_eq!(Said::hear(&mut idle).status, 0);
}

#[test]
fn whoever_comes_when_there_is_no_place_is_told() {
    let (_folder, site) = site();
    let held: Vec<_> = (0..200).map(|_| site.connect()).collect();
    // The last of them is taken once its place is; until then there may be one.
    let refused = (0..50).map(|_| site.say_all(b"")).find(|it| it.status == 503);
    refused.unwrap().read::<v1::Error>(503);
    drop(held);
}

#[test]
fn nothing_is_uploaded_where_that_is_off() {
    let (_folder, site) = site();
    site.ask("PUT", "/v1x/upload?name=new.pcap", &[], &capture(1..2)).check(error::UPLOAD_OFF);
}
