//! Flows as a file, or their packets, made by the worker and saved by the browser.

use engine::{Columns, FORMATS, PCAPNG};
use gloo::file::{Blob, ObjectUrl};
use leptos::{prelude::*, task::spawn_local};
use v1::page::{Flows, Query, SchemaRow};
use wasm_bindgen::JsCast;

use crate::{
    app::Chips,
    backend::Packets,
    format,
    message::Export as Wanted,
    pages::report::Report,
    pages::saving::Saving,
    parts::small::Panel,
    state::{app, asking, texts},
};

/// What will be written, as chosen.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    /// Its place among the formats of rows; after the last of them are packets.
    format: usize,
    /// The schema of the columns; `None` for the flows' own.
    schema: Option<String>,
    timeout: String,
    /// Of packets: with labels as comments.
    has_comments: bool,
}

/// The place of packets among the formats.
const PACKETS: usize = FORMATS.len();

impl Choice {
    fn name(&self) -> &'static str {
        FORMATS.get(self.format).map_or(PCAPNG, |it| it.name)
    }

    /// What rows consist of; packets have none.
    fn columns(&self) -> Option<Columns> {
        FORMATS.get(self.format).map(|it| it.columns)
    }
}

/// The page.
#[component]
pub fn Export() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let timeout = app.place.with_untracked(|it| it.timeout.clone());
    let choice = RwSignal::new(Choice { format: 1, schema: None, timeout, has_comments: true });
    let is_packets = Memo::new(move |_| choice.with(|it| it.format == PACKETS));
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
            let columns = choice.with(Choice::columns);
            columns == Some(if is_schema { Columns::Own } else { Columns::Features })
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
    let formats = t.export_formats.into_iter().map(|it| it.1).chain([t.packets_view.format]);
    let formats = formats.enumerate().map(move |(at, text)| {
        view! {
            <label class="check">
                <input
                    type="radio"
                    name="format"
                    prop:checked=move || choice.with(|it| it.format == at)
                    on:change=move |_| choice.update(|it| {
                        it.format = at;
                        it.schema = match it.columns() {
                            Some(Columns::Own) | None => None,
                            Some(Columns::Features) => it.schema.take().or_else(|| Some("tractor".to_owned())),
                            Some(Columns::Both) => it.schema.take(),
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
            format: choice.name().to_owned(),
            schema: choice.schema,
            filter: app.place.with(|it| it.filter.clone()),
            timeout: match choice.timeout.trim() {
                "" => "none".to_owned(),
                timeout => timeout.replace(',', "."),
            },
        }
    };
    let estimated = asking(move || {
        let (backend, wanted) = (app.backend()?, wanted());
        Some(async move { backend.estimate(&wanted).await })
    });
    let estimate = move || match estimated.get() {
        Some(Ok((n, bytes))) => {
            let what = if is_packets.get() { t.n_packets } else { t.packets_view.n_rows };
            (t.packets_view.about)(&what.with(n, lang), &format::bytes(bytes, lang))
        }
        // What is wrong is said where it is typed.
        _ => String::new(),
    };
    let name =
        move || app.capture.with(|it| it.as_ref().map(|it| it.name.clone())).unwrap_or_default();
    let save_flows = move |_| {
        let (Some(backend), wanted) = (app.backend(), untrack(wanted)) else { return };
        let file = app.file_name_of("flows", extension(&wanted.format));
        if wanted.format == PCAPNG {
            let has_comments = choice.with_untracked(|it| it.has_comments);
            return app.save_packets(Packets { filter: wanted.filter, has_comments }, file);
        }
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
        let file = app.file_name_of("statistics", "json");
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
    let command = move || {
        let has_comments = choice.with(|it| it.has_comments);
        command_line(&name(), app.capture_start_ns(), &wanted(), has_comments)
    };
    let is_busy = move || {
        let of = app.picking;
        let is_off = is_packets.get() && of.gone.with(Option::is_some);
        is_saving.get() || of.running.with(Option::is_some) || is_off
    };
    app.look_for_file();
    view! {
        <div class="page">
            <div class="above"><Chips /><span role="status">{lead}</span></div>
            <div class="cols export">
            <div class="stack">
            <Panel title=t.export_format.to_owned()><div class="inset" role="radiogroup" aria-label=t.export_format>{formats}</div></Panel>
            <Show when=move || is_packets.get()>
                <Panel title=t.packets_view.comments.to_owned()>
                    <div class="inset">
                        <label class="check">
                            <input
                                type="checkbox"
                                id="with-comments"
                                prop:checked=move || choice.with(|it| it.has_comments)
                                on:change=move |event| {
                                    let is_on = event_target_checked(&event);
                                    choice.update(|it| it.has_comments = is_on);
                                }
                            />
                            {t.packets_view.with_comments}
                        </label>
                        <p class="dim">{t.packets_view.comments_hint}</p>
                    </div>
                </Panel>
            </Show>
            <div class="stack" hidden=move || is_packets.get()>
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
            </div>
            </div>
            <div class="stack act">
            <div class="sample">
                <button type="button" id="save" class="btn main large" disabled=is_busy on:click=save_flows>
                    {move || if is_saving.get() { t.saving } else { t.save }}
                </button>
                <span class="dim" id="estimate" role="status">{estimate}</span>
                <span class="push"></span>
                <button type="button" id="save-statistics" class="btn large" title=t.export_statistics_hint on:click=save_statistics>
                    {t.export_statistics}
                </button>
            </div>
            <Saving />
            {move || failure.get().map(|text| view! { <crate::parts::small::Failure title=t.failed.to_owned() text /> })}
            <div>
                <p class="dim">{t.command_line}</p>
                <pre class="command mono" tabindex="0">{command}</pre>
            </div>
            <Report />
            </div>
            </div>
        </div>
    }
}

/// The command that writes the same file.
fn command_line(name: &str, start_ns: u64, wanted: &Wanted, has_comments: bool) -> String {
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
    if wanted.format == PCAPNG && !has_comments {
        out += " --no-comments";
    }
    if wanted.timeout != "none" && wanted.format != PCAPNG {
        out += &format!(" --timeout {}", quoted(&wanted.timeout));
    }
    if !wanted.filter.is_empty() {
        out += &format!(" --filter {}", quoted(&wanted.filter));
    }
    let file = format::file_name(name, "flows", start_ns, extension(&wanted.format));
    format!("{out} -o {}", quoted(&file))
}

/// What a file of this format's name ends with.
fn extension(format: &str) -> &str {
    FORMATS.iter().find(|it| it.name == format).map_or(format, |it| it.extension)
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
        let mut wanted = Wanted {
            format: "arff".into(),
            schema: Some("iscx-b".into()),
            filter: "bytes>1MB".into(),
            timeout: "15".into(),
        };
        assert_eq!(
            command_line("my office.pcap", 0, &wanted, false),
            "tractor flows 'my office.pcap' --format arff --schema iscx-b --timeout 15 --filter 'bytes>1MB' \
             -o 'my office_flows.arff'"
        );
        (wanted.format, wanted.schema) = (PCAPNG.into(), None);
        assert_eq!(
            command_line("a.pcap", 1_530_403_200_000_000_000, &wanted, false),
            "tractor flows a.pcap --format pcapng --no-comments --filter 'bytes>1MB' \
             -o a_flows_2018-07-01.pcapng"
        );
    }
}
