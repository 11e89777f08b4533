//! The badge that says whether the page can reach a network, and what that means.

use leptos::prelude::*;

use crate::{backend, i18n::Texts, parts::icons::Lock, state::texts};

/// What lies beside the page to check it by; a page opened from a disk has nothing beside it.
fn beside(t: &'static Texts) -> Option<AnyView> {
    let protocol = window().location().protocol().unwrap_or_default();
    (protocol != "file:").then(|| {
        view! {
            <p class="links">
                <a class="link" href="tractor.html" download="tractor.html" rel="noreferrer">{t.seal_single}</a>
                " · "
                <a class="link" href="hashes.txt" target="_blank" rel="noopener noreferrer">{t.seal_hashes}</a>
            </p>
        }
        .into_any()
    })
}

/// The badge and its explanation.
#[component]
pub fn Seal() -> impl IntoView {
    let (t, _) = texts();
    let is_sealed = backend::is_sealed();
    let (name, class) = if is_sealed { (t.sealed, "seal") } else { (t.unsealed, "seal is-open") };
    let list = |lines: &'static [&'static str]| {
        let lines = lines.iter().map(|it| view! { <li>{*it}</li> });
        view! { <ul>{lines.collect_view()}</ul> }
    };
    let text = if is_sealed {
        view! {
            <h2>{t.seal_title}</h2>
            <h3>{t.seal_blocked_title}</h3>
            {list(t.seal_blocked)}
            <h3>{t.seal_check_title}</h3>
            {list(t.seal_check)}
            {beside(t)}
            <h3>{t.seal_limits_title}</h3>
            {list(t.seal_limits)}
        }
        .into_any()
    } else {
        view! {
            <h2>{t.unsealed}</h2>
            <p>{t.unsealed_text}</p>
        }
        .into_any()
    };
    view! {
        <button type="button" class=class popovertarget="seal-text" aria-label=name title=name>
            <Lock is_closed=is_sealed />
            <span>{name}</span>
        </button>
        <div id="seal-text" class="popover" popover="auto" role="dialog" aria-label=name>{text}</div>
    }
}
