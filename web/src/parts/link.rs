//! A link to what is on show: settings alone, never a part of the capture.

use leptos::prelude::*;

use crate::{
    parts::icons::Outline,
    place::Place,
    state::{app, texts},
};

/// The button and what it offers.
#[component]
pub fn Link() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let copy = move |place: Place| app.copy_link(&place);
    let has_filter = move || app.place.with(|it| !it.filter.is_empty());
    view! {
        <button type="button" class="btn icon" id="link" popovertarget="link-text" aria-label=t.copy_link title=t.copy_link>
            <Outline path="M8.5 11.5a3 3 0 0 0 4.2 0l3-3a3 3 0 0 0-4.2-4.2l-1 1M11.5 8.5a3 3 0 0 0-4.2 0l-3 3a3 3 0 0 0 4.2 4.2l1-1" />
        </button>
        <div id="link-text" class="popover" popover="auto" role="dialog" aria-label=t.copy_link>
            <h2>{t.copy_link}</h2>
            <p>{t.link.what}</p>
            <Show when=has_filter>
                <p class="warned">{t.link.warning}</p>
            </Show>
            <div class="row">
                <button type="button" class="btn main" on:click=move |_| copy(app.place.get_untracked())>{t.link.copy}</button>
                <Show when=has_filter>
                    <button
                        type="button"
                        class="btn"
                        on:click=move |_| copy(Place { filter: String::new(), id: String::new(), ..app.place.get_untracked() })
                    >
                        {t.link.copy_without}
                    </button>
                </Show>
            </div>
            <p class="dim">{t.link.mark}" "<code class="mono">{move || app.place.with(|it| it.file.clone())}</code></p>
        </div>
    }
}

/// The address was made for another capture than the one that is open.
#[component]
pub fn OtherCapture() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    move || {
        app.expected.get().map(|mark| {
            view! {
                <p class="note other-capture" role="status">
                    {(t.link.of_other)(&mark)}
                    " "
                    <button type="button" class="btn" on:click=move |_| app.expected.set(None)>{t.close}</button>
                </p>
            }
        })
    }
}
