//! Flows as a file, made by the worker and saved by the browser.

use engine::{Columns, FORMATS};
use gloo::file::{Blob, ObjectUrl};
use leptos::{prelude::*, task::spawn_local};
use v1::page::{Flows, Query, SchemaRow};
use wasm_bindgen::JsCast;

use crate::{
    app::Chips,
    format,
    message::Export as Wanted,
    parts::small::Panel,
    state::{app, texts},
};

/// What will be written, as chosen.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    format: usize,
    /// The schema of the columns; `None` for the flows' own.
    schema: Option<String>,
    timeout: String,
}

/// The page.
#[component]
pub fn Export() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let timeout = app.place.with_untracked(|it| it.timeout.clone());
    let choice = RwSignal::new(Choice { format: 1, schema: None, timeout });
    let is_saving = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let counted = app.ask::<Flows>(move || {
        Some(Query::Flows {
            filter: app.place.with(|it| it.filter.clone()),
            timeout: "none".to_owned(),
            sort: Default::default(),
            is_descending: false,
            offset: 0,
            len: 0,
        })
    });
    let schemas = app.ask::<Vec<SchemaRow>>(|| Some(Query::Schemas));
    let lead = move || match counted.get() {
        Some(Ok(flows)) => {
            if let Some(error) = flows.filter_error {
                return format!("{}: {}", t.filter_wrong, lang.of(&error.words()));
            }
            let all = t.n_flows.with(flows.total, lang);
            let n = if flows.matching == flows.total {
                all
            } else {
                (t.of_flows)(&format::count(flows.matching, lang), &all)
            };
            (t.export_lead)(&n)
        }
        _ => String::new(),
    };
    let column = move |(schema, name, text): (Option<String>, String, String)| {
        let is_schema = schema.is_some();
        let is_off = move || {
            let columns = choice.with(|it| FORMATS[it.format].columns);
            columns == if is_schema { Columns::Own } else { Columns::Features }
        };
        let wanted = schema.clone();
        view! {
            <label class="check" class:dim=is_off>
                <input
                    type="radio"
                    name="columns"
                    disabled=is_off
                    prop:checked=move || choice.with(|it| it.schema == wanted)
                    on:change=move |_| choice.update(|it| it.schema = schema.clone())
                />
                <span><b>{name}</b>" – "{text}</span>
            </label>
        }
    };
    let formats = t.export_formats.into_iter().enumerate().map(move |(at, (_, text))| {
        view! {
            <label class="check">
                <input
                    type="radio"
                    name="format"
                    prop:checked=move || choice.with(|it| it.format == at)
                    on:change=move |_| choice.update(|it| {
                        it.format = at;
                        it.schema = match FORMATS[at].columns {
                            Columns::Own => None,
                            Columns::Features => it.schema.take().or_else(|| Some("tractor".to_owned())),
                            Columns::Both => it.schema.take(),
                        };
                    })
                />
                {text}
            </label>
        }
    });
    let own = (None::<String>, t.export_own.0.to_owned(), t.export_own.1.to_owned());
    let columns = move || {
        let schemas = match schemas.get() {
            Some(Ok(schemas)) => schemas,
            _ => Vec::new(),
        };
        let named =
            schemas.into_iter().map(|it| (Some(it.name.clone()), it.name, lang.of(&it.what)));
        std::iter::once(own.clone()).chain(named).map(column).collect_view()
    };
    let formats = formats.collect_view();
    let wanted = move || {
        let choice = choice.get();
        Wanted {
            format: FORMATS[choice.format].name.to_owned(),
            schema: choice.schema,
            filter: app.place.with(|it| it.filter.clone()),
            timeout: match choice.timeout.trim() {
                "" => "none".to_owned(),
                timeout => timeout.replace(',', "."),
            },
        }
    };
    let name =
        move || app.capture.with(|it| it.as_ref().map(|it| it.name.clone())).unwrap_or_default();
    let save_flows = move |_| {
        let (Some(backend), wanted) = (app.backend(), untrack(wanted)) else { return };
        let file = file_name(&untrack(name), &wanted.format);
        is_saving.set(true);
        failure.set(None);
        spawn_local(async move {
            let got = backend.export(&wanted).await;
            is_saving.try_set(false);
            match got {
                Ok(blob) => {
                    let size = format::bytes(blob.size() as u64, lang);
                    save(&blob.into(), &file);
                    app.say((t.saved)(&file, &size));
                }
                Err(error) => {
                    failure.try_set(Some(error));
                }
            }
        });
    };
    let save_statistics = move |_| {
        let Some(backend) = app.backend() else { return };
        let file = format!("{}_statistics.json", format::stem(&untrack(name)));
        failure.set(None);
        spawn_local(async move {
            match backend.v1(&v1::Request::Statistics { job: v1::JobId(1) }).await {
                Ok(text) => {
                    let blob = Blob::new_with_options(text.as_str(), Some("application/json"));
                    save(&blob, &file);
                    app.say((t.saved)(&file, &format::bytes(blob.size(), lang)));
                }
                Err(error) => {
                    failure.try_set(Some(error.message));
                }
            }
        });
    };
    let command = move || command_line(&name(), &wanted());
    view! {
        <div class="page narrow">
            <div class="above"><Chips /><span role="status">{lead}</span></div>
            <Panel title=t.export_format.to_owned()><div class="inset" role="radiogroup" aria-label=t.export_format>{formats}</div></Panel>
            <Panel title=t.export_columns.to_owned()><div class="inset" role="radiogroup" aria-label=t.export_columns>{columns}</div></Panel>
            <Panel title=t.export_timeout.to_owned()>
                <div class="inset">
                    <label class="check">
                        <input
                            class="search short num"
                            type="text"
                            inputmode="text"
                            aria-label=t.export_timeout
                            placeholder=t.export_whole
                            prop:value=move || choice.with(|it| it.timeout.clone())
                            on:input=move |event| {
                                let value = event_target_value(&event);
                                choice.update(|it| it.timeout = value);
                            }
                        />
                        {t.seconds}
                    </label>
                    <p class="dim">{t.export_timeout_hint}</p>
                </div>
            </Panel>
            <div class="sample">
                <button type="button" id="save" class="btn main large" disabled=move || is_saving.get() on:click=save_flows>
                    {move || if is_saving.get() { t.saving } else { t.save }}
                </button>
                <button type="button" id="save-statistics" class="btn large" title=t.export_statistics_hint on:click=save_statistics>
                    {t.export_statistics}
                </button>
            </div>
            {move || failure.get().map(|text| view! { <crate::parts::small::Failure title=t.failed.to_owned() text /> })}
            <div>
                <p class="dim">{t.command_line}</p>
                <pre class="command mono" tabindex="0">{command}</pre>
            </div>
        </div>
    }
}

/// The command that writes the same file.
fn command_line(name: &str, wanted: &Wanted) -> String {
    let quoted = |text: &str| {
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "-._/:=,".contains(it);
        if text.chars().all(is_plain) {
            text.to_owned()
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
    };
    let mut out = format!("tractor flows {} --format {}", quoted(name), wanted.format);
    if let Some(schema) = &wanted.schema {
        out += &format!(" --schema {schema}");
    }
    if wanted.timeout != "none" {
        out += &format!(" --timeout {}", quoted(&wanted.timeout));
    }
    if !wanted.filter.is_empty() {
        out += &format!(" --filter {}", quoted(&wanted.filter));
    }
    format!("{out} -o {}", quoted(&file_name(name, &wanted.format)))
}

/// What the file is called.
fn file_name(capture: &str, format: &str) -> String {
    let extension = FORMATS.iter().find(|it| it.name == format).map_or(format, |it| it.extension);
    format!("{}_flows.{extension}", format::stem(capture))
}

/// Hands a file to the browser to be saved.
pub(crate) fn save(blob: &Blob, name: &str) {
    let url = ObjectUrl::from(blob.clone());
    let Ok(element) = document().create_element("a") else { return };
    let Ok(anchor) = element.dyn_into::<web_sys::HtmlAnchorElement>() else { return };
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    // The browser takes the content after the click has gone round.
    gloo::timers::callback::Timeout::new(30_000, move || drop(url)).forget();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_writes_the_same() {
        let wanted = Wanted {
            format: "arff".into(),
            schema: Some("iscx-b".into()),
            filter: "bytes>1MB".into(),
            timeout: "15".into(),
        };
        assert_eq!(
            command_line("my office.pcap", &wanted),
            "tractor flows 'my office.pcap' --format arff --schema iscx-b --timeout 15 --filter 'bytes>1MB' \
             -o 'my office_flows.arff'"
        );
    }
}
