//! Which columns the flow table has: a list to tick, to order and to size.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;

use crate::{
    columns::{self, COLUMNS, Shown, WIDTHS},
    place::Place,
    state::{app, texts},
};

/// How many pixels a press makes a column wider.
const STEP: u16 = 20;

/// A column in the list: which, whether it is on show, and how wide.
#[derive(Clone, Copy, PartialEq)]
struct Entry {
    shown: Shown,
    is_shown: bool,
    is_first: bool,
    is_last: bool,
}

/// The button, and the list it opens.
#[component]
pub fn Chooser() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let dialog = NodeRef::<html::Dialog>::new();
    let shown = Memo::new(move |_| {
        let usual = app.usual_columns(false);
        app.place.with(|it| columns::chosen(&it.columns, usual))
    });
    let change = move |with: &dyn Fn(&mut Vec<Shown>)| {
        let mut shown = shown.get_untracked();
        with(&mut shown);
        // A table without a column is none.
        if !shown.is_empty() {
            app.replace(Place {
                columns: columns::written(&shown, untrack(|| app.usual_columns(false))),
                ..app.place.get_untracked()
            });
        }
    };
    // Those on show first, in their order.
    let entries = Memo::new(move |_| {
        let shown = shown.get();
        let n = shown.len();
        let first = shown.iter().enumerate().map(|(at, it)| Entry {
            shown: *it,
            is_shown: true,
            is_first: at == 0,
            is_last: at + 1 == n,
        });
        let is_other = |it: &&columns::Column| shown.iter().all(|other| other.column.key != it.key);
        let others = COLUMNS.iter().filter(is_other).map(|column| Entry {
            shown: Shown { column, width: None },
            is_shown: false,
            is_first: true,
            is_last: true,
        });
        first.chain(others).collect::<Vec<_>>()
    });
    // The line was moved with its buttons; the one that was pressed keeps the keys, as long as it can be pressed.
    let refocus = move |id: String| {
        request_animation_frame(move || {
            let Some(element) = document().get_element_by_id(&id) else { return };
            drop(element.unchecked_into::<web_sys::HtmlElement>().focus());
        });
    };
    let shift = move |key: &'static str, by: isize, id: String| {
        change(&|shown| {
            let at = shown.iter().position(|it| it.column.key == key);
            let to = at.and_then(|it| it.checked_add_signed(by));
            if let (Some(at), Some(to)) = (at, to.filter(|it| *it < shown.len())) {
                shown.swap(at, to);
            }
        });
        refocus(id);
    };
    let resize = move |key: &'static str, by: i32| {
        change(&|shown| {
            if let Some(it) = shown.iter_mut().find(|it| it.column.key == key) {
                let width = it.width.unwrap_or(it.column.width);
                let wanted = width.saturating_add_signed(by as i16);
                it.width = Some(wanted.clamp(*WIDTHS.start(), *WIDTHS.end()));
            }
        });
    };
    let line = move |entry: Entry| {
        let column = entry.shown.column;
        let (key, name) = (column.key, column.title(lang));
        let toggle = move |event| {
            let is_on = event_target_checked(&event);
            change(&|shown| {
                shown.retain(|it| it.column.key != key);
                if is_on {
                    shown.push(Shown { column, width: None });
                }
            });
            refocus(format!("show-{key}"));
        };
        let [up, down] = ["up", "down"].map(|it| format!("{it}-{key}"));
        let [to_up, to_down] = [up.clone(), down.clone()];
        let buttons = entry.is_shown.then(|| {
            let width = entry.shown.width.unwrap_or(column.width);
            view! {
                <span class="dim num">{(t.table.pixels)(width)}</span>
                <button type="button" class="bare" title=(t.table.narrower)(name) aria-label=(t.table.narrower)(name) on:click=move |_| resize(key, -i32::from(STEP))>"−"</button>
                <button type="button" class="bare" title=(t.table.wider)(name) aria-label=(t.table.wider)(name) on:click=move |_| resize(key, STEP.into())>"+"</button>
                <button type="button" class="bare" id=up aria-disabled=entry.is_first.to_string() title=(t.table.up)(name) aria-label=(t.table.up)(name) on:click=move |_| shift(key, -1, to_up.clone())>"↑"</button>
                <button type="button" class="bare" id=down aria-disabled=entry.is_last.to_string() title=(t.table.down)(name) aria-label=(t.table.down)(name) on:click=move |_| shift(key, 1, to_down.clone())>"↓"</button>
            }
        });
        view! {
            <li class:is-shown=entry.is_shown>
                <label class="check">
                    <input
                        type="checkbox"
                        id=format!("show-{key}")
                        aria-label=(t.table.is_shown)(name)
                        prop:checked=entry.is_shown
                        on:change=toggle
                    />
                    <span>{name}</span>
                </label>
                {buttons}
            </li>
        }
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <button
            type="button"
            class="btn"
            id="choose-columns"
            aria-haspopup="dialog"
            on:click=move |_| {
                if let Some(dialog) = dialog.get_untracked() {
                    drop(dialog.show_modal());
                }
            }
        >
            {t.table.columns}
        </button>
        <dialog
            class="sheet chooser"
            node_ref=dialog
            aria-labelledby="columns-title"
            on:click=move |event| {
                let dialog = dialog.get_untracked();
                if dialog.is_some_and(|it| event.target().as_ref() == Some(it.as_ref())) {
                    close();
                }
            }
        >
            <div class="sheet-in">
                <header>
                    <h2 id="columns-title">{t.table.columns}</h2>
                    <button type="button" class="bare" aria-label=t.close on:click=move |_| close()>"✕"</button>
                </header>
                <p class="dim">{t.table.columns_hint}</p>
                <ul>{move || entries.get().into_iter().map(line).collect_view()}</ul>
                <footer>
                    <button type="button" class="btn" on:click=move |_| {
                        app.replace(Place { columns: String::new(), ..app.place.get_untracked() });
                    }>{t.table.reset}</button>
                    <button type="button" class="btn main" on:click=move |_| close()>{t.table.done}</button>
                </footer>
            </div>
        </dialog>
    }
}
