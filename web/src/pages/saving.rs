//! Packets being saved: how far that is, how to stop it, and why it cannot be.

use leptos::prelude::*;

use crate::{
    format,
    parts::small::Failure,
    state::{app, texts},
};

/// Nothing while nothing is saved and nothing went wrong.
#[component]
pub fn Saving() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let of = app.picking;
    let is_running = Memo::new(move |_| of.running.with(Option::is_some));
    let is_gone = Memo::new(move |_| of.gone.with(Option::is_some));
    let progress = move || of.running.get().unwrap_or_default();
    let percent = move || format::percent(progress().bytes, progress().total.max(1), lang);
    let text = move || {
        let frames = t.n_frames.with(progress().frames, lang);
        (t.packets_view.running)(&percent(), &frames)
    };
    // In tenths, so that it is not said all the time.
    let announced = move || {
        let it = progress();
        let tenth = it.bytes * 10 / it.total.max(1);
        if is_running.get() { (t.announce)(&format!("{} %", tenth * 10)) } else { String::new() }
    };
    view! {
        <Show when=move || is_running.get()>
            <div class="saving">
                <progress aria-label=t.packets_view.save max="100" prop:value=move || {
                    let it = progress();
                    it.bytes as f64 * 100.0 / it.total.max(1) as f64
                }></progress>
                <span>{text}</span>
                <button type="button" id="stop-packets" class="btn" on:click=move |_| app.stop_packets()>{t.packets_view.stop}</button>
            </div>
        </Show>
        <p class="unseen" role="status">{announced}</p>
        <Show when=move || is_gone.get()>
            <p class="note gone" role="alert">{move || of.gone.get().map(|why| (t.packets_view.gone)(&why))}</p>
        </Show>
        {move || of.failure.get().map(|text| view! { <Failure title=t.failed.to_owned() text /> })}
    }
}
