//! What is worth a look, each thing with its evidence and the way to its flows.

use leptos::prelude::*;
use v1::{Notable, Notables, Severity, page::Query};

use crate::{
    format,
    i18n::{Lang, Texts, notable},
    parts::small::{Panel, Waiting},
    place::Place,
    state::{Answer, app, texts},
    terms,
};

/// How many are shown at first.
const AT_FIRST: usize = 5;

/// Asks what is worth a look among the flows on show.
pub fn ask() -> Answer<Option<Notables>> {
    let filter = app().filter();
    app().ask(move || Some(Query::Notable { filter: filter.get() }))
}

/// What is worth a look among the flows on show.
#[component]
pub fn NotablePanel(
    /// It.
    answer: Answer<Option<Notables>>,
) -> impl IntoView {
    let (t, lang) = texts();
    let filter = app().filter();
    let right = move || match answer.get() {
        Some(Ok(Some(found))) if !found.rows.is_empty() => {
            let n = found.rows.len() as u64 + found.more;
            view! { <span>{format::count(n, lang)}</span> }.into_any()
        }
        _ => ().into_any(),
    };
    let among = move || {
        let is_narrowed = filter.with_untracked(|it| !it.is_empty());
        is_narrowed.then(|| view! { <p class="dim inset">{t.overview.among}</p> })
    };
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(why)) => view! { <p class="dim inset">{why}</p> }.into_any(),
        Some(Ok(None)) => ().into_any(),
        Some(Ok(Some(found))) if found.rows.is_empty() => view! {
            {among()}
            <p class="inset">{t.overview.nothing_notable}</p>
            <p class="dim inset">{t.overview.looked_for}</p>
        }
        .into_any(),
        Some(Ok(Some(found))) => view! {
            {among()}
            {list(&found.rows, &filter.get_untracked(), t, lang)}
            {(found.more > 0).then(|| {
                let n = format::count(found.more, lang);
                view! { <p class="dim inset">{(t.overview.more_notable)(&n)}</p> }
            })}
        }
        .into_any(),
    };
    view! { <Panel title=t.overview.notable.to_owned() class="notable" right=right>{content}</Panel> }
}

/// Notable things among the flows of a filter, the last of many folded.
pub fn list(
    rows: &[Notable],
    within: &str,
    t: &'static Texts,
    lang: Lang,
) -> impl IntoView + use<> {
    let n_shown = if rows.len() <= AT_FIRST + 1 { rows.len() } else { AT_FIRST };
    let (shown, folded) = rows.split_at(n_shown);
    let items = |part: &[Notable]| {
        let items = part.iter().map(|it| item(it, within, t, lang));
        view! { <ul class="notes">{items.collect_view()}</ul> }
    };
    let folded = (!folded.is_empty()).then(|| {
        let n = format::count(folded.len() as u64, lang);
        view! {
            <details class="fold">
                <summary>{(t.overview.more_notable)(&n)}</summary>
                {items(folded)}
            </details>
        }
    });
    view! {
        {items(shown)}
        {folded}
    }
}

fn item(it: &Notable, within: &str, t: &'static Texts, lang: Lang) -> impl IntoView + use<> {
    let said = notable(it, lang);
    let [warning, note] = t.overview.severities;
    let (class, word) = match it.severity() {
        Severity::Error | Severity::Warning => ("sev", warning),
        Severity::Information => ("sev info", note),
    };
    let href = Place::flows(terms::both(within, &it.filter)).hash();
    let flows = t.n_flows.with(it.flows, lang);
    view! {
        <li>
            <span class=class role="img" aria-label=word title=word></span>
            <div class="said">
                <p class="what">
                    <b>{said.title}</b>
                    <a class="link" href=href>{flows}</a>
                </p>
                <p>{said.evidence}</p>
                <p class="rest">{said.meaning}</p>
            </div>
        </li>
    }
}
