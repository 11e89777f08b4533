//! The page while a capture is read.

use leptos::prelude::*;

use crate::{
    backend::Progress,
    format,
    pages::waiting::WaitingFiles,
    state::{Phase, app, texts},
};

/// How far the reading is, and the button that ends it.
#[component]
pub fn Reading() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let state = Memo::new(move |_| match app.phase.get() {
        Phase::Reading { progress, since, now, is_stopping } => {
            (progress, now - since, is_stopping)
        }
        _ => (Progress::default(), 0.0, false),
    });
    let name =
        move || app.capture.with(|it| it.as_ref().map(|it| it.name.clone())).unwrap_or_default();
    let share = move || {
        let progress = state.get().0;
        progress.bytes as f64 * 100.0 / progress.total.max(1) as f64
    };
    let bytes = move || {
        let progress = state.get().0;
        (t.reading_progress)(
            &format::bytes(progress.bytes, lang),
            &format::bytes(progress.total, lang),
        )
    };
    let speed = move || {
        let (progress, millis, _) = state.get();
        // The first moments say nothing yet.
        if millis < 50.0 {
            "–".to_owned()
        } else {
            format::bytes_per_second(progress.bytes as f64 * 1e3 / millis, lang)
        }
    };
    let count = move |of: fn(&Progress) -> u64| format::count(of(&state.get().0), lang);
    let is_stopping = move || state.get().2;
    view! {
        <main id="main" class="reading" tabindex="-1">
            <h1>{move || (t.reading)(&name())}</h1>
            <div
                class="progress"
                role="progressbar"
                aria-label=move || (t.reading)(&name())
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || format!("{:.0}", share())
            >
                <i style:width=move || format!("{:.2}%", share())></i>
            </div>
            <dl class="strip">
                <div><dt>{t.read_so_far}</dt><dd>{move || format::decimal(share(), 0, lang)}" %"</dd><dd class="sub">{bytes}</dd></div>
                <div><dt>{t.speed}</dt><dd>{speed}</dd></div>
                <div><dt>{t.packets}</dt><dd>{move || count(|it| it.packets)}</dd></div>
                <div><dt>{t.flows}</dt><dd>{move || count(|it| it.flows)}</dd></div>
            </dl>
            <div class="sample">
                <button type="button" id="stop" class="btn large" disabled=is_stopping on:click=move |_| app.stop()>
                    {move || if is_stopping() { t.stopping } else { t.stop }}
                </button>
                <span class="dim">{t.stop_hint}</span>
            </div>
            <WaitingFiles />
        </main>
    }
}
