//! The report's choice: what stands in it, and the button that saves it.

use leptos::{prelude::*, task::spawn_local};
use v1::page::{FlowSort, Flows, Hosts, Overview, Query};

use crate::{
    format,
    pages::export::save,
    parts::small::{Failure, Panel},
    report::{Choice, Content, html},
    state::{App, BINS, app, texts},
};

/// How many flows and hosts stand in a report.
const ROWS: u32 = 200;

/// The panel.
#[component]
pub fn Report() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let [is_anonymous, has_hosts, has_flows] = [false, true, true].map(RwSignal::new);
    let is_saving = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let check = |signal: RwSignal<bool>, text: String| {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=move || signal.get()
                    on:change=move |event| signal.set(event_target_checked(&event))
                />
                <span>{text}</span>
            </label>
        }
    };
    let on_save = move |_| {
        let choice = Choice {
            is_anonymous: is_anonymous.get_untracked(),
            has_hosts: has_hosts.get_untracked(),
            has_flows: has_flows.get_untracked(),
        };
        is_saving.set(true);
        failure.set(None);
        spawn_local(async move {
            match written(app, &choice).await {
                Ok((text, stem)) => {
                    let blob = gloo::file::Blob::new_with_options(&*text, Some("text/html"));
                    save(&blob, &format!("{stem}_report.html"));
                }
                Err(error) => failure.set(Some(error)),
            }
            is_saving.set(false);
        });
    };
    let n = format::count(ROWS.into(), lang);
    view! {
        <Panel title=t.report.title.to_owned()>
            <div class="inset">
                <p class="dim">{t.report.lead}</p>
                {check(has_hosts, t.report.with_hosts.to_owned())}
                {check(has_flows, (t.report.with_flows)(&n))}
                {check(is_anonymous, t.report.anonymous.to_owned())}
                <p>
                    <button type="button" id="save-report" class="btn main" disabled=move || is_saving.get() on:click=on_save>
                        {move || if is_saving.get() { t.report.saving } else { t.report.save }}
                    </button>
                </p>
                {move || failure.get().map(|text| view! { <Failure title=t.failed.to_owned() text /> })}
            </div>
        </Panel>
    }
}

/// The report's text, and the name of the capture without its ending.
async fn written(app: App, choice: &Choice) -> Result<(String, String), String> {
    let lang = app.lang.get_untracked();
    let backend = app.backend().ok_or("no capture is open")?;
    let capture = app.capture.with_untracked(Clone::clone).ok_or("no capture is open")?;
    let overview: Overview =
        backend.ask(&Query::Overview { bins: BINS, filter: String::new() }).await?;
    let hosts = Query::Hosts { filter: String::new(), search: String::new(), offset: 0, len: ROWS };
    let hosts: Hosts = backend.ask(&hosts).await?;
    let filter = app.place.with_untracked(|it| it.filter.clone());
    let flows = Query::Flows {
        filter: filter.clone(),
        timeout: "none".to_owned(),
        sort: FlowSort::Bytes,
        is_descending: true,
        offset: 0,
        len: ROWS,
    };
    let flows: Flows = backend.ask(&flows).await?;
    if let Some(error) = flows.filter_error {
        return Err(lang.of(&error.words()));
    }
    let content = Content {
        file_name: &capture.name,
        file_bytes: capture.size,
        overview: &overview,
        hosts: &hosts.rows,
        flows: &flows.rows,
        matching: flows.matching,
        filter: &filter,
        now_ns: (js_sys::Date::now() / 1e3).round() as u64 * 1_000_000_000,
    };
    let stem = if choice.is_anonymous { "capture" } else { format::stem(&capture.name) };
    Ok((html(&content, choice, lang), stem.to_owned()))
}
