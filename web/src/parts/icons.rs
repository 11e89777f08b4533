//! Drawings small enough to stand in a line of text.

use leptos::prelude::*;

/// The page's own sign: flows that cross.
#[component]
pub fn Sign() -> impl IntoView {
    view! {
        <svg class="sign" width="22" height="16" viewBox="0 0 22 16" aria-hidden="true" fill="none" stroke="currentColor"
            stroke-width="2" stroke-linecap="round">
            <path d="M1 3h5c4 0 4 10 8 10h7" />
            <path d="M1 8h7" opacity=".55" />
            <path d="M1 13h5c4 0 4-10 8-10h7" />
        </svg>
    }
}

/// A lock, closed or open.
#[component]
pub fn Lock(
    /// Closed.
    #[prop(optional)]
    is_closed: bool,
) -> impl IntoView {
    let bow =
        if is_closed { "M3 6V4a2.5 2.5 0 0 1 5 0v2" } else { "M3 6V3.4a2.5 2.5 0 0 1 4.8-.9" };
    view! {
        <svg width="11" height="13" viewBox="0 0 11 13" aria-hidden="true" fill="none" stroke="currentColor"
            stroke-width="1.6" stroke-linecap="round">
            <rect x="1" y="6" width="9" height="6" rx="1.5" />
            <path d=bow />
        </svg>
    }
}

/// A magnifying glass.
#[component]
pub fn Glass() -> impl IntoView {
    view! {
        <svg width="13" height="13" viewBox="0 0 13 13" aria-hidden="true" fill="none" stroke="currentColor"
            stroke-width="1.6" stroke-linecap="round">
            <circle cx="5.4" cy="5.4" r="4.2" />
            <path d="m8.6 8.6 3.4 3.4" />
        </svg>
    }
}

/// Half light, half dark.
#[component]
pub fn HalfMoon() -> impl IntoView {
    view! {
        <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" fill="none" stroke="currentColor"
            stroke-width="1.5">
            <circle cx="7" cy="7" r="5.6" />
            <path d="M7 1.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" stroke="none" />
        </svg>
    }
}

/// The icon of a view, for the bar of a narrow page; drawn from one path.
#[component]
pub fn Outline(
    /// The path, within 20 by 20.
    path: &'static str,
) -> impl IntoView {
    view! {
        <svg class="outline" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" fill="none"
            stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">
            <path d=path />
        </svg>
    }
}
