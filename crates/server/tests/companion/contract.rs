//! The OpenAPI document against what the companion does: every path by every method, every answer by its schema.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use server::Options;

use crate::site::{Folder, Said, Site, capture};

/// What is wrong with a value by a schema: the keywords of JSON Schema that the document has, and a complaint about any other.
fn wrong(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    /// Keywords that say nothing of a value's shape.
    const WORDS: &[&str] =
        &["description", "title", "default", "format", "writeOnly", "readOnly", "examples"];
    if schema == &Value::Bool(true) {
        return None;
    }
    for (keyword, said) in schema.as_object().unwrap() {
        let problem = match &**keyword {
            "$ref" => {
                let place = said.as_str().unwrap().strip_prefix('#').unwrap();
                let schema =
                    document.pointer(place).unwrap_or_else(|| panic!("there is no {place}"));
                wrong(document, schema, value)
            }
            "type" => {
                let names = said.as_array().cloned().unwrap_or_else(|| vec![said.clone()]);
                let is_it = |name: &Value| match name.as_str().unwrap() {
                    "null" => value.is_null(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "number" => value.is_number(),
                    "string" => value.is_string(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    name => panic!("there is no type {name}"),
                };
                (!names.iter().any(is_it)).then(|| format!("{value} is no {said}"))
            }
            "properties" => said.as_object().unwrap().iter().find_map(|(name, schema)| {
                let problem = wrong(document, schema, value.get(name)?)?;
                Some(format!("{name}: {problem}"))
            }),
            "required" => said.as_array().unwrap().iter().find_map(|name| {
                let is_there = value.get(name.as_str().unwrap()).is_some();
                (value.is_object() && !is_there).then(|| format!("{name} is missing"))
            }),
            "additionalProperties" => {
                let known = schema.get("properties");
                let known = |it: &str| known.is_some_and(|known| known.get(it).is_some());
                let others = value.as_object().into_iter().flatten().filter(|it| !known(it.0));
                others.into_iter().find_map(|(name, value)| match said {
                    Value::Bool(false) => Some(format!("{name} is not wanted")),
                    schema => wrong(document, schema, value),
                })
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                items.into_iter().find_map(|it| wrong(document, said, it))
            }
            "prefixItems" => {
                let items = value.as_array().into_iter().flatten();
                items
                    .zip(said.as_array().unwrap())
                    .find_map(|(it, schema)| wrong(document, schema, it))
            }
            "minItems" | "maxItems" => {
                let (len, bound) =
                    (value.as_array().map_or(0, Vec::len), said.as_u64().unwrap() as usize);
                let is_right = if keyword == "minItems" { len >= bound } else { len <= bound };
                (value.is_array() && !is_right).then(|| format!("{len} items"))
            }
            "minimum" => (value.is_number() && value.as_f64() < said.as_f64())
                .then(|| format!("{value} is too small")),
            "maximum" => (value.is_number() && value.as_f64() > said.as_f64())
                .then(|| format!("{value} is too great")),
            "enum" => (!said.as_array().unwrap().contains(value))
                .then(|| format!("{value} is none of {said}")),
            "const" => (said != value).then(|| format!("{value} is not {said}")),
            "anyOf" | "oneOf" => {
                let ways = said.as_array().unwrap().iter();
                let problems: Vec<_> = ways.map(|it| wrong(document, it, value)).collect();
                let n_right = problems.iter().filter(|it| it.is_none()).count();
                let is_right = n_right > 0 && (keyword == "anyOf" || n_right == 1);
                (!is_right).then(|| format!("{n_right} ways are right: {problems:?}"))
            }
            word if WORDS.contains(&word) => None,
            other => panic!("the keyword {other} is not looked at"),
        };
        if problem.is_some() {
            return problem;
        }
    }
    None
}

/// Checks an answer by what the document says of its path, method and status, and notes that it was seen.
#[track_caller]
fn check(document: &Value, seen: &mut BTreeSet<String>, method: &str, path: &str, said: &Said) {
    let response = &document["paths"][path][method]["responses"][said.status.to_string()];
    assert!(response.is_object(), "{method} {path} does not have {}: {said:?}", said.status);
    let content = response["content"].as_object().unwrap();
    let (kind, content) = content.iter().next().unwrap();
    assert!(said.head.contains(&format!("content-type: {kind}")), "{method} {path}: {}", said.head);
    if kind == "application/json" {
        let value: Value = serde_json::from_slice(&said.body).unwrap();
        if let Some(problem) = wrong(document, &content["schema"], &value) {
            panic!("{method} {path}: {problem}\n{value}");
        }
    }
    seen.insert(format!("{method} {path} {}", said.status));
}

const JSON: &str = "content-type: application/json";

#[test]
fn every_path_and_status_is_as_the_document_says() {
    let folder = Folder::new();
    let sample = include_bytes!("../../../../tests/captures/sample.pcapng");
    folder
        .write("sample.pcapng", sample)
        .write("notes.txt", b"no capture")
        .write("ssh.pcap", &capture(1..60))
        .write("again.pcap", &capture(1..2));
    let options = Options { max_upload: Some(1_000), ..Options::default() };
    let site = Site::start_with(&folder, options, None);
    let document: Value = site.get("/openapi.json");
    assert_eq!(document["openapi"], "3.1.0");
    let job = site.process("sample.pcapng");
    let failed = site.process("notes.txt");
    let ssh = site.process("ssh.pcap");
    for job in [job, failed, ssh] {
        site.ended(job);
    }
    let mut seen = BTreeSet::new();
    let mut ask =
        |method: &str, path: &str, query: &str, headers: &[&str], body: &[u8], job: &str| {
            let real = path.replace("{job_id}", job).replace("{name}", "small");
            let said = site.ask(&method.to_uppercase(), &format!("{real}{query}"), headers, body);
            check(&document, &mut seen, method, path, &said);
            said
        };
    let paths = document["paths"].as_object().unwrap();
    let good = job.to_string();
    let plan = json!({"files": [{"file_name": "sample.pcapng"}, {"file_name": "ssh.pcap"}], "plan": {"method": "tree", "name": "small", "folds": 2}});
    ask("post", "/v1x/training", "", &[JSON], plan.to_string().as_bytes(), "");
    loop {
        let said = ask("get", "/v1x/training", "", &[], b"", "");
        let state = said.read::<Value>(200)["state"].clone();
        if !["reading", "learning", "Reading", "Learning"].contains(&state.as_str().unwrap()) {
            break;
        }
    }
    // Every path as it is meant.
    let address = "198.51.100.7";
    for (method, path, query, body, of) in [
        ("get", "/files/list", "", json!(null), &*good),
        ("post", "/files/process", "", json!({"file_name": "again.pcap"}), &good),
        ("get", "/file/{job_id}/status", "", json!(null), &good),
        ("get", "/file/{job_id}/details", "", json!(null), &good),
        ("get", "/file/{job_id}/reading", "", json!(null), &good),
        ("get", "/file/{job_id}/statistics", "", json!(null), &good),
        ("get", "/file/{job_id}/statistics/labels", "?label=tls", json!(null), &good),
        ("get", "/file/{job_id}/statistics/ip", "?ip=198.51.100.7", json!(null), &ssh.to_string()),
        ("get", "/file/{job_id}/flows/labels", "?label=dns", json!(null), &good),
        ("get", "/labels/list", "", json!(null), &good),
        (
            "post",
            "/v1x/files/process",
            "",
            json!({"file_names": ["again.pcap", "missing", "../x"]}),
            &good,
        ),
        ("get", "/v1x/jobs", "", json!(null), &good),
        ("get", "/v1x/jobs", "?state=failed", json!(null), &good),
        ("get", "/v1x/file/{job_id}/progress", "", json!(null), &good),
        ("get", "/v1x/file/{job_id}/progress", "", json!(null), &failed.to_string()),
        ("get", "/v1x/training/choices", "", json!(null), &good),
        ("get", "/v1x/training/rows", "?is=ssh&said=ssh", json!(null), &good),
        ("get", "/v1x/models", "", json!(null), &good),
        ("get", "/v1x/models/{name}", "", json!(null), &good),
        ("post", "/v1x/file/{job_id}/apply", "", json!({"model": "small"}), &good),
        ("post", "/v1x/training/stop", "", json!(null), &good),
        ("get", "/healthz", "", json!(null), &good),
        ("get", "/metrics", "", json!(null), &good),
        ("get", "/openapi.json", "", json!(null), &good),
        ("get", "/docs", "", json!(null), &good),
    ] {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let said = ask(method, path, query, &[JSON], text.as_bytes(), of);
        assert!((200..300).contains(&said.status), "{method} {path}: {said:?}");
    }
    // Every question of the page.
    let window = |kind: &str| json!({kind: {"offset": 0, "len": 5}});
    for question in [
        json!({"Overview": {"bins": 20}}),
        json!({"Timeline": {"bins": 20, "by": "Protocol", "filter": "tcp"}}),
        json!({"Timeline": {"bins": 20, "by": "Label", "filter": "("}}),
        json!({"Overview": {"bins": 20, "filter": "tcp"}}),
        json!({"Overview": {"bins": 20, "filter": "("}}),
        json!({"Breakdown": {}}),
        json!({"Breakdown": {"filter": "("}}),
        json!({"Countries": {"filter": "tcp"}}),
        json!({"Countries": {"filter": "("}}),
        json!({"Notable": {}}),
        json!({"Notable": {"filter": "tcp"}}),
        json!({"Hosts": {"filter": "tcp", "search": "", "offset": 0, "len": 50}}),
        json!({"Hosts": {"filter": "(", "search": "", "offset": 0, "len": 50}}),
        json!({"Sessions": {"filter": "tcp", "offset": 0, "len": 50}}),
        json!({"Sessions": {"filter": "(", "offset": 0, "len": 50}}),
        json!({"Flows": {"filter": "", "timeout": "60", "sort": "Bytes", "is_descending": true, "offset": 0, "len": 50}}),
        json!({"Flows": {"filter": "(", "timeout": "none", "sort": "Start", "is_descending": true, "offset": 0, "len": 50}}),
        json!({"Flow": {"flow_id": 0, "timeout": "none"}}),
        json!({"Flow": {"flow_id": 99_999, "timeout": "none"}}),
        json!({"Hosts": {"search": "", "offset": 0, "len": 50}}),
        json!({"Host": {"ip": address}}),
        window("Sessions"),
        json!({"Session": {"session_id": 0}}),
        json!({"Decide": {"decision": {"Apart": {"flow_id": 1}}}}),
        json!({"Undo": {"number": 0}}),
        json!("Decisions"),
        json!("Digest"),
        json!({"Talks": {"filter": "", "by": "Server", "n_ends": 5}}),
        json!("Schemas"),
        json!({"Suggest": {"filter": "pro", "at": 3, "limit": 5}}),
    ] {
        let said = ask(
            "post",
            "/v1x/file/{job_id}/ask",
            "",
            &[JSON],
            question.to_string().as_bytes(),
            &good,
        );
        assert_eq!(said.status, 200, "{question}: {said:?}");
    }
    let model = ask("get", "/v1x/models/{name}", "", &[], b"", "").body;
    ask("put", "/v1x/models/{name}", "", &[], &model, "");
    ask("delete", "/v1x/models/{name}", "", &[], b"", "");
    ask("put", "/v1x/upload", "?name=x.pcap", &[], b"x", "");
    ask("put", "/v1x/upload", "?name=x.pcap", &[], b"x", "");
    ask("put", "/v1x/upload", "?name=y.pcap", &[], b"", "");
    ask("put", "/v1x/upload", "?name=y.pcap", &[], &[0; 2_000], "");
    // Every path as it is not meant.
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            for (headers, body) in [
                (&["origin: https://elsewhere.example"][..], &b""[..]),
                (&["accept: image/png"], b""),
                (&[JSON], b"{"),
                (&[JSON], b"[[]]"),
                (&["content-type: text/plain"], b"{}"),
                (&[JSON], b""),
            ] {
                for of in [&*good, "0", "x", &failed.to_string()] {
                    ask(method, path, "", headers, body, of);
                }
            }
        }
    }
    for (path, methods) in paths {
        let said = site.ask("PATCH", &path.replace("{job_id}", "1"), &[], b"");
        assert_eq!(said.status, 405, "{path}");
        for method in methods.as_object().unwrap().keys() {
            check(&document, &mut seen, method, path, &said);
        }
    }
    // What a path says it may answer was answered, but for what only a full disk or a slow client meets.
    const RARE: &[&str] =
        &["400", "401", "404", "408", "409", "413", "422", "431", "500", "503", "201", "406"];
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                let was_seen = seen.contains(&format!("{method} {path} {status}"));
                // A job that runs is cancelled elsewhere: here it ends before.
                let was_seen = was_seen || path.ends_with("/cancel");
                assert!(
                    was_seen || RARE.contains(&&**status),
                    "{method} {path} never gave {status}"
                );
            }
        }
    }
}

#[test]
fn a_wrong_answer_is_found() {
    let document = json!({"components": {"schemas": {"A": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}}}});
    let schema = json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}});
    let find = |value: Value| wrong(&document, &schema, &value);
    assert_eq!(find(json!([{"a": 1}])), None);
    assert!(find(json!({"a": 1})).is_some());
    assert!(find(json!([{"a": "1"}])).unwrap().contains("a: \"1\" is no"));
    assert!(find(json!([{}])).unwrap().contains("missing"));
}

#[test]
fn the_documentation_has_every_kind_of_error() {
    let text = include_str!("../../../../docs/companion.md");
    for kind in v1::error::KINDS {
        let row = format!("| {} | {} |", kind.code, kind.means);
        assert!(text.contains(&row), "docs/companion.md lacks the row\n{row}");
    }
}
