//! What a view says that shows only what the filter leaves: by which terms, how much that is, and how to see all again.

use leptos::prelude::*;

use crate::{
    app::Chips,
    format,
    i18n::{Lang, Plural, Texts},
    place::{Place, View},
    state::{App, app, texts},
    terms,
};

/// The line; nothing where there is no filter.
#[component]
pub fn Narrowed(
    /// How many flows pass; nothing while that is not known.
    flows: Signal<Option<u64>>,
    /// What is not narrowed, in a sentence.
    note: &'static str,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let counted = move || Some(of_all(flows.get()?, app.seen()?.flows, &t.n_flows, t, lang));
    let to_flows = move || app.view(View::Flows).hash();
    view! {
        <Show when=move || has_filter(app)>
            <div class="narrowed">
                <Chips />
                <b role="status">{counted}</b>
                <a class="btn" href=to_flows>{t.show_flows}</a>
                <button type="button" class="btn clear" on:click=move |_| clear(app)>{t.clear_filter}</button>
                <span class="dim">{note}</span>
            </div>
        </Show>
    }
}

/// The same of what is shown whole, whatever the filter of the lists is.
#[component]
pub fn Whole() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    view! {
        <Show when=move || has_filter(app)>
            <p class="dim">{t.overview.shown_whole}</p>
        </Show>
    }
}

/// What can be done where no flow passes.
#[component]
pub fn NoneMatch() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let shorter = move || {
        let place = app.place.get_untracked();
        let last = terms::split(&place.filter).len().saturating_sub(1);
        Place { filter: terms::without(&place.filter, last), ..place }
    };
    view! {
        <div class="empty">
            <p>{t.none_match}</p>
            <div>
                <button type="button" class="btn" on:click=move |_| app.go(shorter())>{t.remove_last}</button>
                <button type="button" class="btn" on:click=move |_| clear(app)>{t.clear}</button>
            </div>
        </div>
    }
}

/// How many there are, of how many where that is another number.
pub fn of_all(n: u64, all: u64, words: &Plural, t: &Texts, lang: Lang) -> String {
    match n == all {
        true => words.with(all, lang),
        false => (t.of_flows)(&format::count(n, lang), &words.with(all, lang)),
    }
}

fn has_filter(app: App) -> bool {
    app.place.with(|it| !it.filter.trim().is_empty())
}

fn clear(app: App) {
    app.go(Place { filter: String::new(), ..app.place.get_untracked() });
}
