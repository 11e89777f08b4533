//! The small parts: a group's mark, a switch, a panel, the looks of an answer that is not there.

use leptos::prelude::*;

/// A letter on its colour.
#[component]
pub fn Mark(
    /// The style sheet's classes of the colour.
    #[prop(into)]
    class: String,
    /// The letter.
    letter: &'static str,
) -> impl IntoView {
    view! { <span class=format!("mark {class}") aria-hidden="true">{letter}</span> }
}

/// A framed piece of a page with a heading.
#[component]
pub fn Panel(
    /// The heading.
    title: String,
    /// More classes.
    #[prop(optional, into)]
    class: String,
    /// What stands at the heading's right.
    #[prop(optional, into)]
    right: ViewFn,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! {
        <section class=format!("panel {class}")>
            <header>
                <h2>{title}</h2>
                <div class="right">{right.run()}</div>
            </header>
            {children()}
        </section>
    }
}

/// One of several, by buttons.
#[component]
pub fn Switch(
    /// What is chosen, for those who do not see it.
    label: String,
    /// The choices.
    options: Vec<String>,
    /// The one chosen.
    chosen: RwSignal<usize>,
) -> impl IntoView {
    let buttons = options.into_iter().enumerate().map(|(at, option)| {
        view! {
            <button
                type="button"
                aria-pressed=move || (chosen.get() == at).to_string()
                on:click=move |_| chosen.set(at)
            >
                {option}
            </button>
        }
    });
    view! { <div class="switch" role="group" aria-label=label>{buttons.collect_view()}</div> }
}

/// What may be wider than its place: it is scrolled sideways, by keys too.
#[component]
pub fn Sideways(
    /// What it is, for those who do not see it.
    #[prop(into)]
    label: String,
    /// The content.
    children: Children,
) -> impl IntoView {
    view! { <div class="sideways" tabindex="0" role="group" aria-label=label>{children()}</div> }
}

/// A place where something will be.
#[component]
pub fn Waiting(
    /// The word for it.
    text: &'static str,
) -> impl IntoView {
    view! { <p class="waiting" role="status">{text}</p> }
}

/// Something that could not be had, and why.
#[component]
pub fn Failure(
    /// What could not be had.
    title: String,
    /// Why.
    text: String,
) -> impl IntoView {
    view! {
        <div class="failure" role="alert">
            <b>{title}</b>
            <p>{text}</p>
        </div>
    }
}

/// A sentence whose named things are links: each piece with where it leads.
#[component]
pub fn Sentence(
    /// The pieces; an empty address leads nowhere.
    pieces: Vec<(String, String)>,
) -> impl IntoView {
    let pieces = pieces.into_iter().map(|(text, href)| {
        if href.is_empty() {
            text.into_any()
        } else {
            view! { <a class="link" href=href>{text}</a> }.into_any()
        }
    });
    pieces.collect_view()
}
