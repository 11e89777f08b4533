//! The first visit: what this is, where to drop a capture, a sample to open.

use leptos::{html, prelude::*};

use crate::{
    app::choose,
    backend,
    pages::{account::said, waiting::WaitingFiles},
    place::Place,
    state::{address, app, texts},
};

/// The page without a capture.
#[component]
pub fn First(
    /// The field that takes a file.
    input: NodeRef<html::Input>,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let is_sealed = backend::is_sealed();
    let failure = move || {
        app.failure.get().map(|(name, notice)| {
            view! {
                <div class="failure" role="alert">
                    <b>{(t.not_opened)(&name)}</b>
                    {said(&notice, lang)}
                </div>
            }
        })
    };
    // A link to a view of a capture that is not open.
    let place = Place::parse(&address());
    let needs = match &*place.file {
        "" => t.link_needs_file.to_owned(),
        mark => (t.link.needs)(mark),
    };
    let link = (place != Place::default()).then(|| view! { <p class="note">{needs}</p> });
    let companion = backend::companion().map(|path| {
        view! {
            <p class="note">
                {t.companion_here} " "
                <a class="link" href=path rel="noreferrer">{t.open_companion}</a>
            </p>
        }
    });
    let promises = t.promises.map(|(title, text)| {
        view! {
            <div>
                <b>{title}</b>
                <p>{text}</p>
            </div>
        }
    });
    let [first, second] = t.first_title;
    view! {
        <main id="main" class="first" tabindex="-1">
            <h1>{first}" "<br />{second}</h1>
            <p class="lead">{t.first_lead}</p>
            {failure}
            <WaitingFiles />
            {link}
            <div class="drop" class:is-off=!is_sealed>
                <p class="big">{t.drop_here}</p>
                <button
                    type="button"
                    id="choose-file"
                    class="btn main large"
                    disabled=!is_sealed
                    on:click=move |_| choose(input)
                >
                    {t.choose_file}
                </button>
                <p class="dim">"pcap · pcapng · gzip · zstd · "{t.drop_or}</p>
            </div>
            <div class="sample">
                <button
                    type="button"
                    id="open-sample"
                    class="btn large"
                    disabled=!is_sealed
                    on:click=move |_| app.open_sample()
                >
                    {t.open_sample}
                </button>
                <span class="dim">{t.sample_hint}</span>
            </div>
            {companion}
            <div class="promises">{promises.collect_view()}</div>
        </main>
    }
}
