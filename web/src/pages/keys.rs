//! The sheet of keys.

use leptos::{html, prelude::*};

use crate::state::{app, texts};

/// The sheet, closed until it is asked for.
#[component]
pub fn Keys(
    /// The dialogue.
    dialog: NodeRef<html::Dialog>,
) -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let rows = t.keys.iter().chain(t.table.keys).copied().map(|(keys, text)| {
        // The range of number keys is one thing; the others are keys apart.
        let parts: Vec<&str> =
            if keys.contains('–') { vec![keys] } else { keys.split(' ').collect() };
        let parts = parts.into_iter().map(|key| view! { <kbd>{key}</kbd> " " }).collect_view();
        view! {
            <dt>{parts}</dt>
            <dd>{text}</dd>
        }
    });
    view! {
        <dialog
            class="sheet"
            node_ref=dialog
            aria-labelledby="keys-title"
            on:click=move |event| {
                // A click beside the sheet is one on the dialogue itself.
                let dialog = dialog.get_untracked();
                let is_beside = dialog.is_some_and(|it| event.target().as_ref() == Some(it.as_ref()));
                if is_beside {
                    close();
                }
            }
        >
            <div class="sheet-in">
                <header>
                    <h2 id="keys-title">{t.keyboard}</h2>
                    <button type="button" class="bare" aria-label=t.close on:click=move |_| close()>"✕"</button>
                </header>
                <dl>{rows.collect_view()}</dl>
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=move || app.has_keys.get()
                        on:change=move |event| app.set_keys(event_target_checked(&event))
                    />
                    {t.keys_switch}
                </label>
            </div>
        </dialog>
    }
}
