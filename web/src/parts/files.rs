//! A list of files, each with a button that opens it and one that takes it off.

use leptos::prelude::*;

/// A file as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number in the list.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its length, in words.
    pub size: String,
    /// What opening it means, for those who do not see the list.
    pub open: String,
    /// What taking it off means.
    pub remove: String,
}

/// The list.
#[component]
pub fn FileRows(
    /// The files.
    rows: Signal<Vec<Row>>,
    /// The word on the buttons that open.
    open: Signal<&'static str>,
    /// What opens one.
    on_open: Callback<u32>,
    /// What takes one off.
    on_remove: Callback<u32>,
) -> impl IntoView {
    let row = move |row: Row| {
        let id = row.id;
        view! {
            <li>
                <b title=row.name.clone()>{row.name.clone()}</b>
                <span class="dim">{row.size}</span>
                <button type="button" class="btn" aria-label=row.open on:click=move |_| on_open.run(id)>{open}</button>
                <button type="button" class="bare" aria-label=row.remove.clone() title=row.remove on:click=move |_| on_remove.run(id)>
                    "✕"
                </button>
            </li>
        }
    };
    view! { <ul class="file-rows">{move || rows.get().into_iter().map(row).collect_view()}</ul> }
}
