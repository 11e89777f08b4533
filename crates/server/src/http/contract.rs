//! The contract: every path with what it takes and gives, as a table, and as an OpenAPI document made of it and of the types.

use std::{collections::BTreeMap, sync::LazyLock};

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use v1::{
    DetailsIp, DetailsLabelItem, Error, File, FileStatus, Kind, Label, StatisticItem, error,
    page::{self, JudgedRows, ModelApplied, ModelCard, TrainingStatus},
};

use super::{Health, Process};

/// A path and a method.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// What it is for.
    pub(crate) about: &'static str,
    /// The parameters of its query.
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Body,
    /// The status of its answer.
    pub(crate) status: u16,
    pub(crate) answer: Answer,
    /// The kinds of errors besides those any path has.
    pub(crate) errors: &'static [&'static [Kind]],
}

/// A parameter of a query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) is_required: bool,
    pub(crate) schema: fn() -> Value,
}

/// What a path wants.
pub(crate) enum Body {
    None,
    Json(Schema),
    Bytes,
}

/// What it gives.
pub(crate) enum Answer {
    Json(Schema),
    /// Something else, by its content type.
    Other(&'static str),
}

/// What a value looks like.
type Schema = fn(&mut SchemaGenerator) -> Value;

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Value {
    types.subschema_for::<T>().to_value()
}

/// Errors any path may have.
pub(crate) const USUAL: &[Kind] = &[
    error::BAD_REQUEST,
    error::UNAUTHORIZED,
    error::FOREIGN_HOST,
    error::FOREIGN_ORIGIN,
    error::NO_METHOD,
    error::NOT_ACCEPTABLE,
    error::TOO_SLOW,
    error::LONG_HEADERS,
    error::INTERNAL,
    error::BUSY,
];

/// What a body may have wrong, whatever it should be.
const BODY: &[Kind] =
    &[error::BAD_JSON, error::LENGTH_REQUIRED, error::TOO_LARGE, error::NOT_JSON, error::NO_SENSE];

/// What a question about a finished job may meet.
const FINISHED: &[Kind] = &[error::BAD_JOB, error::NO_JOB, error::NOT_FINISHED, error::JOB_FAILED];

const JOB: &[Kind] = &[error::BAD_JOB, error::NO_JOB];

const LABEL: &[Parameter] = &[Parameter {
    name: "label",
    about: "A label of `/labels/list`, or one that a flow of the capture has.",
    is_required: true,
    schema: some_text,
}];

fn some_text() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn some_number() -> Value {
    json!({"type": "integer", "minimum": 0, "maximum": u32::MAX})
}

const fn get(path: &'static str, about: &'static str, answer: Answer) -> Route {
    Route {
        method: "get",
        path,
        about,
        query: &[],
        body: Body::None,
        status: 200,
        answer,
        errors: &[],
    }
}

const fn post(path: &'static str, about: &'static str, body: Body, answer: Answer) -> Route {
    Route { method: "post", path, about, query: &[], body, status: 200, answer, errors: &[] }
}

/// Every path, the book's first.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        errors: &[&[error::FOLDER_UNREADABLE]],
        ..get(
            "/files/list",
            "The captures in the folder and in those below it, and how far each is. A file that was changed since it was processed is `new` again, and keeps the job of its old result. Captures of which a cluster found something are in it without a file, too.",
            Answer::Json(of::<Vec<File>>),
        )
    },
    Route {
        errors: &[&[
            error::BAD_JSON,
            error::BAD_BODY,
            error::LENGTH_REQUIRED,
            error::TOO_LARGE,
            error::NOT_JSON,
            error::BAD_FILE_NAME,
            error::NO_FILE,
            error::FOLDER_UNREADABLE,
            error::QUEUE_FULL,
            error::CANNOT_STORE,
            error::STOPPING,
        ]],
        ..post(
            "/files/process",
            "Processes a capture, from the beginning where it was processed before; one that waits or is being read is not begun twice. What was found before stays until the new job is finished.",
            Body::Json(of::<Process>),
            Answer::Json(of::<FileStatus>),
        )
    },
    Route {
        errors: &[JOB],
        ..get("/file/{job_id}/status", "How far a job is.", Answer::Json(of::<FileStatus>))
    },
    Route {
        errors: &[JOB],
        ..get(
            "/file/{job_id}/details",
            "The capture of a job, as it was then. Both times are 0 until it is finished, and of a capture without packets.",
            Answer::Json(of::<File>),
        )
    },
    Route {
        errors: &[FINISHED, &[error::DAMAGED_RESULT]],
        ..get(
            "/file/{job_id}/reading",
            "What was read of the capture and what was not, every frame in one place. The book has no such path.",
            Answer::Json(of::<page::Reading>),
        )
    },
    Route {
        errors: &[FINISHED, &[error::DAMAGED_RESULT]],
        ..get(
            "/file/{job_id}/statistics",
            "How many flows have each protocol, client, server, label and port.",
            Answer::Json(of::<Vec<StatisticItem>>),
        )
    },
    Route {
        query: LABEL,
        errors: &[FINISHED, &[error::DAMAGED_RESULT, error::BAD_PARAMETER, error::NO_LABEL]],
        ..get(
            "/file/{job_id}/statistics/labels",
            "The same of the flows with one label.",
            Answer::Json(of::<Vec<StatisticItem>>),
        )
    },
    Route {
        query: &[Parameter {
            name: "ip",
            about: "An IP address, of version 4 or 6.",
            is_required: true,
            schema: || json!({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]}),
        }],
        errors: &[
            FINISHED,
            &[error::DAMAGED_RESULT, error::BAD_PARAMETER, error::BAD_ADDRESS, error::NO_HOST],
        ],
        ..get(
            "/file/{job_id}/statistics/ip",
            "What is known of one host of the capture.",
            Answer::Json(of::<DetailsIp>),
        )
    },
    Route {
        query: LABEL,
        errors: &[FINISHED, &[error::DAMAGED_RESULT, error::BAD_PARAMETER, error::NO_LABEL]],
        ..get(
            "/file/{job_id}/flows/labels",
            "The flows with one label, by their first packet.",
            Answer::Json(of::<Vec<DetailsLabelItem>>),
        )
    },
    get("/labels/list", "Every label there can be, by group.", Answer::Json(of::<Vec<Label>>)),
    Route {
        errors: &[BODY, &[error::BAD_BODY, error::CANNOT_STORE, error::STOPPING]],
        ..post(
            "/v1x/files/process",
            "Processes many captures; what is wrong with one of them is said of that one.",
            Body::Json(of::<page::ProcessRequest>),
            Answer::Json(of::<Vec<page::Processed>>),
        )
    },
    Route {
        query: &[Parameter {
            name: "state",
            about: "Only jobs in this state.",
            is_required: false,
            schema: || json!({"type": "string", "enum": ["in_progress", "finished", "failed"]}),
        }],
        errors: &[&[error::BAD_PARAMETER]],
        ..get(
            "/v1x/jobs",
            "The jobs by number, each with how far it is; why one failed.",
            Answer::Json(of::<Vec<page::JobRow>>),
        )
    },
    Route {
        errors: &[JOB],
        ..get(
            "/v1x/file/{job_id}/progress",
            "How far a job is: its place in the queue, or bytes, packets, flows and speed; why it failed.",
            Answer::Json(of::<page::JobProgress>),
        )
    },
    Route {
        errors: &[&[error::BAD_JOB, error::NO_JOB, error::JOB_RUNS]],
        ..post(
            "/v1x/file/{job_id}/cancel",
            "Cancels a job that waits or is being read: it fails, and says why.",
            Body::None,
            Answer::Json(of::<page::JobProgress>),
        )
    },
    Route {
        errors: &[
            FINISHED,
            &[error::NO_MODEL, error::OTHER_CAPTURE],
            BODY,
            &[error::CANNOT_STORE, error::STOPPING],
        ],
        ..post(
            "/v1x/file/{job_id}/ask",
            "Asks what the page asks: overview, windows of tables, details, charts. The answer's type is said at each question. The capture is read again where it is not open, and must be what it was.",
            Body::Json(of::<page::Query>),
            Answer::Json(of_page),
        )
    },
    Route {
        errors: &[
            FINISHED,
            &[error::NO_MODEL, error::OTHER_CAPTURE],
            BODY,
            &[error::BAD_BODY, error::CANNOT_STORE, error::STOPPING],
        ],
        ..post(
            "/v1x/file/{job_id}/apply",
            "Applies a model to a finished job: what it found is replaced.",
            Body::Json(of::<page::ApplyRequest>),
            Answer::Json(of::<ModelApplied>),
        )
    },
    Route {
        method: "put",
        query: &[Parameter {
            name: "name",
            about: "The file's name in the folder of captures; `/` between folders that are there.",
            is_required: true,
            schema: || json!({"type": "string", "pattern": r"^[^/.\x00][^/\x00]*$", "maxLength": 200}),
        }],
        status: 201,
        errors: &[
            &[
                error::BAD_PARAMETER,
                error::BAD_FILE_NAME,
                error::BAD_HTTP,
                error::UPLOAD_OFF,
                error::FILE_EXISTS,
            ],
            &[
                error::LENGTH_REQUIRED,
                error::TOO_LARGE,
                error::NO_SENSE,
                error::QUEUE_FULL,
                error::CANNOT_STORE,
                error::STOPPING,
            ],
        ],
        ..post(
            "/v1x/upload",
            "Takes a capture and processes it. Off unless the companion was started with `--upload`; a file that is there is not replaced.",
            Body::Bytes,
            Answer::Json(of::<page::Uploaded>),
        )
    },
    get("/v1x/training", "How far the training is.", Answer::Json(of::<TrainingStatus>)),
    Route {
        status: 202,
        errors: &[
            BODY,
            &[
                error::BAD_BODY,
                error::BAD_FILTER,
                error::BAD_PARAMETER,
                error::NO_FILE,
                error::TRAINING_RUNS,
            ],
        ],
        ..post(
            "/v1x/training",
            "Begins a training over captures and tables of the folder; the one before is forgotten.",
            Body::Json(of::<page::TrainingRequest>),
            Answer::Json(of::<TrainingStatus>),
        )
    },
    post(
        "/v1x/training/stop",
        "Stops the training; what was judged so far is kept.",
        Body::None,
        Answer::Json(of::<TrainingStatus>),
    ),
    Route {
        query: &[
            Parameter {
                name: "is",
                about: "The class that the rows have.",
                is_required: true,
                schema: some_text,
            },
            Parameter {
                name: "said",
                about: "The class that was said of them; nothing where none was.",
                is_required: false,
                schema: some_text,
            },
            Parameter {
                name: "offset",
                about: "The first row.",
                is_required: false,
                schema: some_number,
            },
            Parameter {
                name: "len",
                about: "How many rows.",
                is_required: false,
                schema: some_number,
            },
        ],
        errors: &[&[error::BAD_PARAMETER, error::NO_TRAINING]],
        ..get(
            "/v1x/training/rows",
            "Rows of a class of which a class was said.",
            Answer::Json(of::<JudgedRows>),
        )
    },
    get(
        "/v1x/training/choices",
        "What can be chosen of a training.",
        Answer::Json(of::<page::TrainingChoices>),
    ),
    get(
        "/v1x/models",
        "The models by their names.",
        Answer::Json(of::<BTreeMap<String, ModelCard>>),
    ),
    Route {
        errors: &[&[error::BAD_PARAMETER, error::NO_MODEL]],
        ..get("/v1x/models/{name}", "A model as a file.", Answer::Other("application/octet-stream"))
    },
    Route {
        method: "put",
        errors: &[
            &[error::BAD_PARAMETER],
            &[error::LENGTH_REQUIRED, error::TOO_LARGE, error::NO_SENSE, error::CONFLICT],
        ],
        ..post(
            "/v1x/models/{name}",
            "Takes a model as a file; one of the name is replaced.",
            Body::Bytes,
            Answer::Json(of::<ModelCard>),
        )
    },
    Route {
        method: "delete",
        errors: &[&[error::BAD_PARAMETER, error::NO_MODEL]],
        ..post("/v1x/models/{name}", "Takes a model away.", Body::None, Answer::Json(of::<()>))
    },
    get("/healthz", "That the companion is there; needs no token.", Answer::Json(of::<Health>)),
    get("/metrics", "Counters, for Prometheus.", Answer::Other("text/plain")),
    get("/openapi.json", "This document.", Answer::Json(|_| json!({"type": "object"}))),
    get("/docs", "The documentation of the interface, for readers.", Answer::Other("text/html")),
];

/// The answers to the questions of the page.
const PAGE_ANSWERS: &[Schema] = &[
    of::<page::Overview>,
    of::<page::TrafficTimeline>,
    of::<page::Breakdown>,
    of::<page::CountryTable>,
    of::<v1::Notables>,
    of::<page::Flows>,
    of::<page::FlowDetail>,
    of::<page::Hosts>,
    of::<page::HostDetail>,
    of::<page::Sessions>,
    of::<page::SessionDetail>,
    of::<page::Decisions>,
    of::<page::Digest>,
    of::<page::Talks>,
    of::<Vec<page::SchemaRow>>,
    of::<page::Suggestions>,
    of::<()>,
];

fn of_page(types: &mut SchemaGenerator) -> Value {
    let answers: Vec<Value> = PAGE_ANSWERS.iter().map(|it| it(types)).collect();
    json!({"anyOf": answers})
}

/// The OpenAPI document.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

fn document() -> Value {
    let settings = || {
        SchemaSettings::draft2020_12().with(|it| {
            it.definitions_path = "/components/schemas".into();
            it.meta_schema = None;
        })
    };
    // What is answered has fields that what is asked may leave out.
    let mut answered = settings().for_serialize().into_generator();
    let mut asked = settings().for_deserialize().into_generator();
    let error = of::<Error>(&mut answered);
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route, &error, &mut answered, &mut asked);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.to_owned(), operation);
        }
    }
    let mut schemas = answered.take_definitions(true);
    for (name, schema) in asked.take_definitions(true) {
        schemas.insert(format!("{ASKED}{name}"), renamed(&schema));
    }
    let mut schemas = Value::Object(schemas);
    bound(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "TrActor's companion",
            "version": "1",
            "summary": "Network captures of a folder: flows, labels, statistics.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"basic": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    })
}

/// Says of whole numbers how great they can be.
fn bound(schema: &mut Value) {
    const GREATEST: [(&str, u64); 4] = [
        ("uint8", u8::MAX as u64),
        ("uint16", u16::MAX as u64),
        ("uint32", u32::MAX as u64),
        ("uint64", u64::MAX),
    ];
    match schema {
        Value::Object(object) => {
            let greatest = GREATEST.iter().find(|it| object.get("format") == Some(&it.0.into()));
            if let Some((_, greatest)) = greatest {
                object.entry("maximum").or_insert((*greatest).into());
            }
            object.values_mut().for_each(bound);
        }
        Value::Array(values) => values.iter_mut().for_each(bound),
        _ => {}
    }
}

/// What the names of types begin with that are asked.
const ASKED: &str = "Asked";

/// A schema that refers to types that are asked.
fn renamed(schema: &Value) -> Value {
    const PLACE: &str = "#/components/schemas/";
    match schema {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "$ref" => {
                    (key.clone(), text.replace(PLACE, &format!("{PLACE}{ASKED}")).into())
                }
                value => (key.clone(), renamed(value)),
            })
            .collect(),
        Value::Array(values) => values.iter().map(renamed).collect(),
        other => other.clone(),
    }
}

fn operation(
    route: &Route,
    error: &Value,
    answered: &mut SchemaGenerator,
    asked: &mut SchemaGenerator,
) -> Value {
    let content = |kind: &str, schema: Value| json!({kind: {"schema": schema}});
    let mut parameters = Vec::new();
    for name in route.path.split(['{', '}']).skip(1).step_by(2) {
        let schema = match name {
            "job_id" => json!({"type": "integer", "minimum": 0}),
            // A model's.
            _ => json!({
                "type": "string",
                "pattern": r"^[^./\\:\x00-\x1f\x7f-\x9f][^/\\:\x00-\x1f\x7f-\x9f]*$",
                "maxLength": 50,
            }),
        };
        parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    for it in route.query {
        parameters.push(json!({
            "name": it.name,
            "in": "query",
            "required": it.is_required,
            "description": it.about,
            "schema": (it.schema)(),
        }));
    }
    let answer = match route.answer {
        Answer::Json(schema) => content("application/json", schema(answered)),
        Answer::Other(kind) => content(kind, json!({"type": "string"})),
    };
    let mut responses = Map::new();
    let given = json!({"description": "The answer.", "content": answer});
    responses.insert(route.status.to_string(), given);
    for (status, kinds) in errors(route) {
        let means: Vec<String> =
            kinds.iter().map(|it| format!("`code` {}: {}", it.code, it.means)).collect();
        let mut refused = json!({
            "description": means.join(" "),
            "content": content("application/json", error.clone()),
        });
        if status == 405 {
            refused["headers"] = json!({"Allow": {"schema": {"type": "string"}}});
        }
        responses.insert(status.to_string(), refused);
    }
    let mut operation = json!({
        "summary": route.about.split_inclusive('.').next().unwrap_or(route.about),
        "description": route.about,
        "operationId": format!("{} {}", route.method, route.path),
        "parameters": parameters,
        "responses": responses,
    });
    let body = match route.body {
        Body::None => None,
        Body::Json(schema) => Some(content("application/json", renamed(&schema(asked)))),
        Body::Bytes => Some(content("application/octet-stream", json!({}))),
    };
    if let Some(body) = body {
        operation["requestBody"] = json!({"required": true, "content": body});
    }
    operation
}

/// The kinds of errors of a path, by their statuses.
pub(crate) fn errors(route: &Route) -> BTreeMap<u16, Vec<Kind>> {
    let mut kinds: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in USUAL.iter().chain(route.errors.iter().copied().flatten()) {
        let of_status = kinds.entry(kind.status()).or_default();
        if !of_status.contains(kind) {
            of_status.push(*kind);
        }
    }
    kinds
}
