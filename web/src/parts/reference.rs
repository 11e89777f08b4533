//! To choose a file to look things up in, or to let it go.

use leptos::{html, prelude::*};
use serde::de::DeserializeOwned;

use crate::{reference::Reference, state::app};

/// What is said of such a file.
#[derive(Clone, Copy)]
pub struct Words {
    /// To choose one.
    pub load: &'static str,
    /// To use none.
    pub drop: &'static str,
}

/// The buttons.
#[component]
pub fn LoadReference<T: DeserializeOwned + Send + Sync + 'static>(
    /// What is chosen.
    reference: Reference<T>,
    /// Their words.
    words: Words,
    /// The control's name in the document.
    id: &'static str,
    /// How names of such files end, with commas between.
    accept: &'static str,
) -> impl IntoView {
    let app = app();
    let input = NodeRef::<html::Input>::new();
    let on_choice = move |_| {
        let Some(input) = input.get_untracked() else { return };
        if let Some(file) = input.files().and_then(|it| it.get(0)) {
            reference.choose(app, Some(file));
        }
        // So that the same file can be chosen again.
        input.set_value("");
    };
    let on_load = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let drop = move || {
        reference.source.with(Option::is_some).then(|| {
            view! {
                <button type="button" class="btn" on:click=move |_| reference.choose(app, None)>
                    {words.drop}
                </button>
            }
        })
    };
    if app.is_at_companion() {
        return ().into_any();
    }
    view! {
        <button type="button" class="btn" on:click=on_load>{words.load}</button>
        {drop}
        <input
            id=id
            class="unseen"
            type="file"
            accept=accept
            tabindex="-1"
            aria-hidden="true"
            node_ref=input
            on:change=on_choice
        />
    }
    .into_any()
}
