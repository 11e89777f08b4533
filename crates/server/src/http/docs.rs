//! The documentation of the interface: the OpenAPI document, and the same for readers.

use std::{fmt::Write as _, sync::Arc, sync::LazyLock};

use axum::{
    Router, body::Bytes, extract::Request, http::StatusCode, response::Response, routing::get,
};
use serde_json::Value;
use v1::error::KINDS;

use super::{
    Answer as Answered, Site, as_json,
    asked::accepts_json,
    contract::{Answer, Body, DOCUMENT, ROUTES, errors},
    plain,
};

/// The paths.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/openapi.json", get(document))
        .route("/docs", get(docs))
        .route("/docs/docs.css", get(style))
}

async fn document(asked: Request) -> Answered {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| DOCUMENT.to_string().into());
    accepts_json(asked.headers())?;
    Ok(as_json(StatusCode::OK, TEXT.clone()))
}

async fn docs() -> Response {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| page().into());
    plain("text/html; charset=utf-8", TEXT.clone())
}

async fn style() -> Response {
    plain("text/css; charset=utf-8", include_str!("docs.css"))
}

/// What is to be known before any path.
const BEFORE: &str = "
<p>Paths without <code>/v1x/</code> are the book's interface (chapter 1.4.3) and stay as they are. Times are Unix seconds,
<code>size</code> is in kB. A program reads <a href=\"/openapi.json\">/openapi.json</a>.</p>
<p>A capture is named by its path in the folder of captures, as <code>/files/list</code> has it: <code>name</code>, a dot and
<code>extension</code>, or <code>name</code> alone where the extension is empty. Where the companion has a token, each request says
<code>Authorization: Bearer TOKEN</code>. Bodies are <code>application/json</code>.</p>
<p>A file is <code>new</code>, <code>in_progress</code> (it waits, or is being read), <code>finished</code> or
<code>failed</code>; <code>/v1x/file/{job_id}/progress</code> says which of the first two and why it failed. A capture without
packets has <code>time_start</code> and <code>time_end</code> 0.</p>";

fn page() -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>TrActor's companion</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<link rel=\"stylesheet\" href=\"/docs/docs.css\">\n\
         <main>\n<h1>TrActor's companion</h1>",
    );
    out += BEFORE;
    out += "\n<h2>Paths</h2>\n";
    // Writing to a text cannot fail.
    for route in ROUTES {
        let method = route.method.to_uppercase();
        let _ = writeln!(out, "<section>\n<h3><b>{method}</b> <code>{}</code></h3>", route.path);
        let _ = writeln!(out, "<p>{}</p>\n<dl>", words(route.about));
        for it in route.query {
            let needed = if it.is_required { "" } else { ", if you like" };
            let _ = writeln!(
                out,
                "<dt><code>?{}</code>{needed}</dt><dd>{}</dd>",
                it.name,
                words(it.about)
            );
        }
        let operation = &DOCUMENT["paths"][route.path][route.method];
        match route.body {
            Body::None => {}
            Body::Json(_) => {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                let _ = writeln!(out, "<dt>takes</dt><dd>{}</dd>", kind(schema));
            }
            Body::Bytes => out += "<dt>takes</dt><dd>a file, as its bytes</dd>\n",
        }
        let given = match route.answer {
            Answer::Json(_) => {
                let answer = &operation["responses"][route.status.to_string()];
                kind(&answer["content"]["application/json"]["schema"])
            }
            Answer::Other(kind) => format!("<code>{kind}</code>"),
        };
        let _ = writeln!(out, "<dt>{}</dt><dd>{given}</dd>", route.status);
        for (status, kinds) in errors(route) {
            let codes: Vec<String> =
                kinds.iter().map(|it| format!("<a href=\"#{0}\">{0}</a>", it.code)).collect();
            let _ = writeln!(out, "<dt>{status}</dt><dd>{}</dd>", codes.join(", "));
        }
        out += "</dl>\n</section>\n";
    }
    out += "<h2>Errors</h2>\n<p>Every error is an <a href=\"#Error\">Error</a>: its HTTP <code>status</code>, a \
            <code>message</code> for readers, and a <code>code</code> for programs, which keeps its meaning.</p>\n<table>\n";
    for it in KINDS {
        let _ =
            writeln!(out, "<tr id=\"{0}\"><td>{0}</td><td>{1}</td></tr>", it.code, words(it.means));
    }
    out += "</table>\n<h2>Types</h2>\n";
    if let Some(schemas) = DOCUMENT["components"]["schemas"].as_object() {
        for (name, schema) in schemas {
            out += &of_type(name, schema);
        }
    }
    out += "</main>\n</html>\n";
    out
}

/// A type with its fields, or with what it can be.
fn of_type(name: &str, schema: &Value) -> String {
    let about = words(schema["description"].as_str().unwrap_or_default());
    let mut out = format!("<section id=\"{name}\">\n<h3>{name}</h3>\n<p>{about}</p>\n");
    if let Some(fields) = schema["properties"].as_object() {
        out += "<dl>\n";
        for (field, schema) in fields {
            let about = words(schema["description"].as_str().unwrap_or_default());
            let kind = kind(schema);
            let _ = writeln!(out, "<dt><code>{field}</code> {kind}</dt><dd>{about}</dd>");
        }
        out += "</dl>\n";
    }
    for way in schema["oneOf"].as_array().into_iter().flatten() {
        let about = words(way["description"].as_str().unwrap_or_default());
        let _ = writeln!(out, "<p>{}: {about}</p>", kind(way));
    }
    out + "</section>\n"
}

/// What a value is, in a word or few.
fn kind(schema: &Value) -> String {
    const PLACE: &str = "#/components/schemas/";
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix(PLACE)) {
        return format!("<a href=\"#{name}\">{name}</a>");
    }
    for ways in ["anyOf", "oneOf"] {
        if let Some(ways) = schema[ways].as_array() {
            return ways.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(value) = schema["const"].as_str() {
        return format!("<code>{value:?}</code>");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|it| format!("<code>{it}</code>")).collect();
        return values.join(" or ");
    }
    let named = |it: &Value| match it.as_str().unwrap_or_default() {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        "object" => {
            let fields: Vec<String> = schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(field, schema)| format!("<code>{field}</code>: {}", kind(schema)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        "" => "anything".to_owned(),
        name => name.to_owned(),
    };
    match &schema["type"] {
        Value::Array(names) => names.iter().map(named).collect::<Vec<_>>().join(" or "),
        name => named(name),
    }
}

/// A sentence of a comment as HTML: its code as such, and no links to what only sources have.
fn words(text: &str) -> String {
    let text =
        text.replace('&', "&amp;").replace('<', "&lt;").replace("[`", "`").replace("`]", "`");
    let mut out = String::new();
    for (n, part) in text.split('`').enumerate() {
        match n % 2 {
            0 => out += part,
            _ => out += &format!("<code>{part}</code>"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_page_refers_to_is_in_it() {
        let page = page();
        for part in page.split("href=\"#").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"{name}\"")), "{name}");
        }
        assert!(page.contains("id=\"40403\"") && page.contains("id=\"DetailsIp\""));
        // Nothing of anybody else.
        assert!(!page.contains("//"), "an address");
    }
}
