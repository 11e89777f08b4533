//! The labels of the capture by group, and all that can be named.

use std::{collections::BTreeMap, sync::Arc};

use engine::{OwnRules, OwnRulesError};
use leptos::{html, prelude::*, task::spawn_local};
use v1::page::{LabelRow, Overview};
use wasm_bindgen_futures::JsFuture;

use crate::{
    format, groups,
    i18n::{rules_error, word},
    message::describe,
    pages::{
        narrowed::Narrowed,
        overview::{look, n_flows, nothing},
    },
    parts::small::{Failure, Mark, Panel, Waiting},
    place::Place,
    state::{app, asking, texts},
    terms,
};

/// A rule to begin with.
const EXAMPLE: &str = "[[rule]]\nlabel = \"intranet\"\nnames = [\"corp.example\"]";

/// The labels of each group, most bytes first, as are the groups.
pub fn by_group(rows: &[LabelRow]) -> Vec<(String, Vec<LabelRow>)> {
    let mut found: BTreeMap<&str, Vec<LabelRow>> = BTreeMap::new();
    for row in rows {
        found.entry(&row.group).or_default().push(row.clone());
    }
    let mut found: Vec<_> = found.into_iter().map(|it| (it.0.to_owned(), it.1)).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.1.iter().map(|it| it.bytes).sum::<u64>()));
    found
}

/// The page.
#[component]
pub fn Labels() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    move || match app.seen() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(seen) => view! { <Shown seen /> }.into_any(),
    }
}

#[component]
fn Shown(seen: Arc<Overview>) -> impl IntoView {
    let (t, lang) = texts();
    let look = look(&seen);
    let found = move || match look.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
        Some(Ok(found)) => {
            nothing(&found, t, lang).unwrap_or_else(|| view! { <Found seen=found /> }.into_any())
        }
    };
    view! {
        <div class="page">
            <Narrowed flows=n_flows(look) note=t.overview.narrowed_labels />
            {found}
            <Show when=move || !app().is_at_companion()><Own /></Show>
            <Known seen />
        </div>
    }
}

/// The labels of the flows on show.
#[component]
fn Found(seen: Arc<Overview>) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let most = seen.labels.iter().map(|it| it.bytes).max().unwrap_or(1).max(1);
    let all: u64 = seen.client_bytes + seen.server_bytes;
    let blocks = by_group(&seen.labels).into_iter().map(|(group, rows)| {
        let class = groups::class(&group);
        let flows: u64 = rows.iter().map(|it| it.flows).sum();
        let bytes: u64 = rows.iter().map(|it| it.bytes).sum();
        let href = app.flows_within(&terms::term("group", &group)).hash();
        let lines = rows.into_iter().map(|row| {
            let href = app.flows_within(&terms::term("label", &row.label)).hash();
            let protocols: Vec<String> = row.protocols.iter().filter(|it| **it != row.label).map(|it| groups::written(it, lang)).collect();
            let width = format!("{:.1}%", (row.bytes as f64 / most as f64 * 100.0).clamp(0.6, 100.0));
            view! {
                <tr>
                    <td class="title"><a href=href.clone()>{groups::written(&row.label, lang)}</a> " " <span class="dim">{protocols.join(", ")}</span></td>
                    <td class="num"><a href=href tabindex="-1">{format::count(row.flows, lang)}</a></td>
                    <td class="num">{format::bytes(row.bytes, lang)}</td>
                    <td class="wide"><div class=format!("track {class}")><i style:width=width></i></div></td>
                </tr>
            }
        });
        view! {
            <tbody>
                <tr class="group">
                    <th scope="rowgroup" class="title">
                        <Mark class letter=groups::letter(&group) />
                        <a href=href.clone()>{word(&t.groups, &group)}</a>
                    </th>
                    <td class="num"><a href=href tabindex="-1">{format::count(flows, lang)}</a></td>
                    <td class="num">{format::bytes(bytes, lang)}</td>
                    <td class="wide dim">{format::percent(bytes, all, lang)}</td>
                </tr>
                {lines.collect_view()}
            </tbody>
        }
    });
    let blocks = blocks.collect_view();
    let is_narrowed = seen.packets.is_some();
    let n = t.n_labels.with(seen.labels.len() as u64, lang);
    let found = if is_narrowed { n } else { (t.labels_found)(&n) };
    view! {
        <Panel title=t.labels.to_owned() right=move || found.clone()>
            <table class="bars grouped">
                <thead>
                    <tr>
                        <th scope="col">{t.label}</th>
                        <th scope="col" class="num">{t.flows}</th>
                        <th scope="col" class="num">{t.bytes}</th>
                        <td class="wide"></td>
                    </tr>
                </thead>
                {blocks}
            </table>
        </Panel>
    }
}

/// The user's rules: how many are in force, a file or a text of others, what is wrong with it.
#[component]
fn Own() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let (file, text) = (NodeRef::<html::Input>::new(), NodeRef::<html::Textarea>::new());
    let in_force = move || match app.own_rules.get() {
        Some(rules) => (t.own_rules_in_force)(&t.n_rules.with(rules.n, lang)),
        None => t.own_rules_none.to_owned(),
    };
    let written = app.own_rules.with_untracked(|it| it.as_ref().map(|it| it.text.clone()));
    let on_choice = move |_| {
        let Some(input) = file.get_untracked() else { return };
        let chosen = input.files().and_then(|it| it.get(0));
        // So that the same file can be chosen again.
        input.set_value("");
        let Some(chosen) = chosen else { return };
        if chosen.size() > OwnRules::MAX_LEN as f64 {
            app.rules_error.set(Some(OwnRulesError::TooLong.to_string()));
            return;
        }
        spawn_local(async move {
            match JsFuture::from(chosen.text()).await {
                Ok(text) => app.load_rules(text.as_string().unwrap_or_default()),
                Err(error) => app.rules_error.set(Some(describe(&error))),
            }
        });
    };
    let on_submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if let Some(field) = text.get_untracked() {
            app.load_rules(field.value());
        }
    };
    let failure = move || {
        let error = app.rules_error.get()?;
        let text = rules_error(&error, lang);
        Some(view! { <Failure title=t.own_rules_refused.to_owned() text /> })
    };
    view! {
        <Panel title=t.own_rules.to_owned() right=in_force>
            <form id="own-rules" class="inset own-rules" on:submit=on_submit>
                <p class="dim">{t.own_rules_lead}</p>
                {failure}
                <label for="own-rules-text">{t.own_rules_paste}</label>
                <textarea
                    id="own-rules-text"
                    class="mono"
                    rows="6"
                    spellcheck="false"
                    autocomplete="off"
                    placeholder=EXAMPLE
                    required
                    prop:value=written
                    node_ref=text
                ></textarea>
                <div class="row">
                    <button type="submit" class="btn main">{t.own_rules_load}</button>
                    <button
                        type="button"
                        class="btn"
                        on:click=move |_| {
                            if let Some(file) = file.get_untracked() {
                                file.click();
                            }
                        }
                    >
                        {t.own_rules_choose}
                    </button>
                    <Show when=move || app.own_rules.with(Option::is_some)>
                        <button type="button" class="btn" on:click=move |_| app.drop_rules()>{t.own_rules_drop}</button>
                    </Show>
                </div>
                <input
                    id="own-rules-file"
                    class="unseen"
                    type="file"
                    accept=".toml,.json"
                    tabindex="-1"
                    aria-hidden="true"
                    node_ref=file
                    on:change=on_choice
                />
            </form>
        </Panel>
    }
}

/// Everything the program can name, those in the capture as links.
#[component]
fn Known(seen: Arc<Overview>) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let answer = asking(move || {
        let backend = app.backend()?;
        Some(async move {
            let text = backend.v1(&v1::Request::Labels).await.map_err(|it| it.message)?;
            serde_json::from_slice::<Vec<v1::Label>>(text.as_bytes()).map_err(|it| it.to_string())
        })
    });
    move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
        Some(Ok(known)) => {
            let n: u64 = known.iter().map(|it| it.labels.len() as u64).sum();
            let hint = (t.labels_known_hint)(&t.n_labels.with(n, lang));
            let seen = seen.clone();
            let blocks = known.into_iter().map(move |group| {
                let labels = group.labels.iter().map(|label| {
                    let is_here = seen.labels.iter().any(|it| it.label == *label);
                    if is_here {
                        let href = Place::flows(terms::term("label", label)).hash();
                        view! { <li><a class="link" href=href>{groups::written(label, lang)}</a></li> }.into_any()
                    } else {
                        view! { <li class="dim">{groups::written(label, lang)}</li> }.into_any()
                    }
                });
                view! {
                    <div class="known">
                        <h3>
                            <Mark class=groups::class(&group.group_name) letter=groups::letter(&group.group_name) />
                            {word(&t.groups, &group.group_name)}
                        </h3>
                        <ul>{labels.collect_view()}</ul>
                    </div>
                }
            });
            let blocks = blocks.collect_view();
            view! {
                <Panel title=t.labels_known.to_owned() right=move || hint.clone()>
                    <div class="inset">{blocks}</div>
                </Panel>
            }
            .into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_with_most_bytes_come_first() {
        let row = |label: &str, group: &str, bytes| LabelRow {
            label: label.into(),
            group: group.into(),
            bytes,
            ..LabelRow::default()
        };
        let groups =
            by_group(&[row("vk", "social", 5), row("dns", "names", 3), row("mdns", "names", 4)]);
        assert_eq!(groups[0].0, "names");
        assert_eq!(groups[0].1.len(), 2);
        assert_eq!(groups[1].0, "social");
    }
}
