//! The files that wait to be opened: beside what is being read, and behind a button in the bar.

use leptos::prelude::*;

use crate::{
    format,
    parts::files::{FileRows, Row},
    state::{App, app, texts},
};

/// The files as they are shown.
fn rows(app: App) -> Vec<Row> {
    let lang = app.lang.get_untracked();
    let t = &lang.texts().waiting_files;
    let open = if app.files.is_reading.get() { t.open_now_named } else { t.open_named };
    let row = |(id, file): &(u32, web_sys::File)| {
        let name = file.name();
        let size = format::bytes(file.size() as u64, lang);
        Row { id: *id, size, open: open(&name), remove: (t.remove)(&name), name }
    };
    app.files.waiting.with(|it| it.iter().map(row).collect())
}

/// The list, with what opening one does to what is open; nothing where none waits.
#[component]
pub fn WaitingFiles() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let t = &t.waiting_files;
    let n_all = move || {
        let n_open = app.capture.with(|_| app.open_files().len());
        (app.files.n() + n_open) as u64
    };
    let is_reading = app.files.is_reading;
    let list = move || {
        view! {
            <section class="waiting-files" aria-label=t.title>
                <h2>{t.title}</h2>
                <p class="dim">{move || if is_reading.get() { t.lead_reading } else { t.lead }}</p>
                <Show when=move || { n_all() > 1 }>
                    <p class="as-one">
                        <button type="button" id="read-as-one" class="btn" on:click=move |_| app.open_as_one()>
                            {move || (t.as_one)(&format::count(n_all(), lang))}
                        </button>
                        <span class="dim">{t.as_one_hint}</span>
                    </p>
                </Show>
                <FileRows
                    rows=Signal::derive(move || rows(app))
                    open=Signal::derive(move || if is_reading.get() { t.open_now } else { t.open })
                    on_open=Callback::new(move |id| app.open_waiting(id))
                    on_remove=Callback::new(move |id| app.forget_waiting(id))
                />
            </section>
        }
        .into_any()
    };
    let is_any = Memo::new(move |_| app.files.n() > 0);
    move || is_any.get().then(list)
}

/// The button in the bar that shows the list; nothing where none waits.
#[component]
pub fn WaitingButton() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let button = move || {
        view! {
            <button type="button" id="to-waiting" class="btn" popovertarget="waiting-text" title=t.waiting_files.title>
                {move || t.waiting_files.n_more.with(app.files.n() as u64, lang)}
            </button>
            <div id="waiting-text" class="popover" popover="auto"><WaitingFiles /></div>
        }
        .into_any()
    };
    let is_any = Memo::new(move |_| app.files.n() > 0);
    move || is_any.get().then(button)
}
