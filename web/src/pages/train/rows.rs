//! The flows of one cell of the matrix.

use leptos::prelude::*;
use v1::page::{JudgedRow, JudgedRows};
use wasm_bindgen::JsValue;

use crate::{
    format, groups,
    i18n::{Lang, learning_error},
    message::Study,
    pages::train::share,
    parts::{
        plain::{Line as PlainLine, Plain, Text},
        small::{Failure, Panel, Waiting},
    },
    state::{app, asking, texts},
};

/// How many rows are shown.
const MAX_ROWS: u32 = 200;

/// The rows of a class of which a class was said, or nothing.
#[component]
pub fn Cell(
    /// What they are.
    is: String,
    /// What was said of them.
    said: Option<String>,
    /// Of which result.
    turn: u32,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let said_text = said.clone().unwrap_or_else(|| t.train.nothing_said.to_owned());
    let title = (t.train.cell_title)(&is, &said_text);
    let answer = asking(move || {
        // Another result is asked anew.
        training.scored.with(|it| it.last().filter(|it| it.turn == turn).map(|_| ()))?;
        let learner = training.learner()?;
        let study = Study::Cell { is: is.clone(), said: said.clone(), offset: 0, len: MAX_ROWS };
        Some(async move { learner.study::<JudgedRows>(study, &JsValue::UNDEFINED).await })
    });
    let counted = move || match answer.get() {
        Some(Ok(rows)) if rows.matching > rows.rows.len() as u64 => (t.train.cell_part)(
            &format::count(rows.rows.len() as u64, lang),
            &t.train.n_rows.with(rows.matching, lang),
        ),
        Some(Ok(rows)) => t.train.n_rows.with(rows.matching, lang),
        _ => String::new(),
    };
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(why)) => {
            let text = learning_error(&why, lang);
            view! { <Failure title=t.train.failed.to_owned() text /> }.into_any()
        }
        Some(Ok(rows)) if rows.rows.is_empty() => {
            view! { <p class="waiting">{t.train.cell_empty}</p> }.into_any()
        }
        Some(Ok(rows)) => table(&rows.rows, lang).into_any(),
    };
    let close = move || app.place.with(|it| it.with_id("").hash());
    let right = move || {
        view! {
            <span role="status">{counted}</span>
            <a class="btn icon" href=close aria-label=t.close title=format!("{} (Esc)", t.close)>"✕"</a>
        }
    };
    view! {
        <Panel title class="cell" right>
            {content}
        </Panel>
    }
}

fn table(rows: &[JudgedRow], lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    let lines = rows.iter().map(|row| {
        // Of a table nothing is known but the row's number.
        let has_ends = !row.client_ip.is_empty();
        let end = |ip: &str, port: u16| {
            if has_ends { format::endpoint(ip, port) } else { "–".to_owned() }
        };
        let time = match row.time_start_ns {
            0 => "–".to_owned(),
            time => format::moment(time),
        };
        let payload = match row.payload_label.as_str() {
            "" | "unknown" => "–".to_owned(),
            label => groups::written(label, lang),
        };
        let server = format!("{} {}", end(&row.server_ip, row.server_port), row.transport);
        PlainLine {
            title: row.capture.clone(),
            cells: vec![
                Text::number(format::count(row.flow_id.into(), lang)),
                Text::mono(end(&row.client_ip, row.client_port)),
                Text::mono(server),
                Text::mono(time),
                Text::number(format::bytes(row.bytes, lang)),
                Text::number(share(row.confidence, lang)),
                Text::new(payload),
            ],
            ..PlainLine::default()
        }
    });
    let lines = lines.collect();
    let headings = vec![
        Text::new(t.train.capture),
        Text::number(t.train.flow),
        Text::new(t.client),
        Text::new(t.server),
        Text::new(t.start),
        Text::number(t.bytes),
        Text::number(t.train.confidence),
        Text::new(t.train.by_payload),
    ];
    view! {
        <div class="wide-scroll tall" tabindex="0" role="region" aria-label=t.flows>
            <Plain class="judged" headings lines />
        </div>
    }
}
