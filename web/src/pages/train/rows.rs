//! The flows of one cell of the matrix.

use leptos::prelude::*;
use v1::page::{JudgedRow, JudgedRows};
use wasm_bindgen::JsValue;

use crate::{
    format, groups,
    i18n::{Lang, learning_error},
    message::Study,
    pages::train::share,
    parts::small::{Failure, Panel, Waiting},
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
    let rows = rows.iter().map(|row| {
        // Of a table nothing is known but the row's number.
        let has_ends = !row.client_ip.is_empty();
        let end = |ip: &str, port: u16| if has_ends { format::endpoint(ip, port) } else { "–".to_owned() };
        let time = if row.time_start_ns > 0 { format::moment(row.time_start_ns) } else { "–".to_owned() };
        let payload = match row.payload_label.as_str() {
            "" | "unknown" => view! { <span class="dim">"–"</span> }.into_any(),
            label => groups::written(label, lang).into_any(),
        };
        view! {
            <tr>
                <td class="title" title=row.capture.clone()>{row.capture.clone()}</td>
                <td class="num">{format::count(row.flow_id.into(), lang)}</td>
                <td class="mono">{end(&row.client_ip, row.client_port)}</td>
                <td class="mono">{end(&row.server_ip, row.server_port)} " " <span class="dim">{row.transport.clone()}</span></td>
                <td class="mono">{time}</td>
                <td class="num">{format::bytes(row.bytes, lang)}</td>
                <td class="num">{share(row.confidence, lang)}</td>
                <td>{payload}</td>
            </tr>
        }
    });
    view! {
        <div class="wide-scroll tall" tabindex="0" role="region" aria-label=t.flows>
            <table class="judged">
                <thead>
                    <tr>
                        <th scope="col">{t.train.capture}</th>
                        <th scope="col" class="num">{t.train.flow}</th>
                        <th scope="col">{t.client}</th>
                        <th scope="col">{t.server}</th>
                        <th scope="col">{t.start}</th>
                        <th scope="col" class="num">{t.bytes}</th>
                        <th scope="col" class="num">{t.train.confidence}</th>
                        <th scope="col">{t.train.by_payload}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
