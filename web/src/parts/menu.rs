//! A menu that opens at a place, walked over by arrow keys and closed by whatever is not it.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::JsCast;

/// A line of a menu.
#[derive(Clone)]
pub struct Item {
    /// What it says.
    pub text: String,
    /// The key that does the same; empty for none.
    pub key: &'static str,
    /// What it does.
    pub act: Callback<()>,
}

/// How far it stays from the window's edges, in pixels.
const MARGIN: f64 = 8.0;

/// The menu.
#[component]
pub fn Menu(
    /// What it is about.
    label: String,
    /// Where it opens, in pixels from the window's left and top.
    place: (f64, f64),
    /// Its lines, in groups.
    groups: Vec<Vec<Item>>,
    /// It was closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let menu = NodeRef::<html::Div>::new();
    let at = RwSignal::new(place);
    let items = move || {
        let list = menu.get_untracked().and_then(|it| it.query_selector_all("button").ok());
        let items = list.into_iter().flat_map(|list| {
            (0..list.length())
                .filter_map(move |at| list.item(at)?.dyn_into::<web_sys::HtmlElement>().ok())
        });
        items.collect::<Vec<_>>()
    };
    // Once its size is known it is moved into the window, and takes the keys.
    Effect::new(move |_| {
        let Some(element) = menu.get() else { return };
        request_animation_frame(move || {
            let rect = element.get_bounding_client_rect();
            let room = |of: Result<wasm_bindgen::JsValue, _>| {
                of.ok().and_then(|it| it.as_f64()).unwrap_or(f64::MAX)
            };
            let most_x = room(window().inner_width()) - rect.width() - MARGIN;
            let most_y = room(window().inner_height()) - rect.height() - MARGIN;
            at.try_set((place.0.min(most_x).max(MARGIN), place.1.min(most_y).max(MARGIN)));
            if let Some(first) = items().first() {
                drop(first.focus());
            }
        });
    });
    let walk = move |to: fn(usize, usize) -> usize| {
        let items = items();
        let active = document().active_element();
        let here = items.iter().position(|it| active.as_ref() == Some(it.as_ref())).unwrap_or(0);
        if let Some(item) = items.get(to(here, items.len().max(1))) {
            drop(item.focus());
        }
    };
    let by_key: Vec<(&'static str, Callback<()>)> = groups
        .iter()
        .flatten()
        .filter(|it| !it.key.is_empty())
        .map(|it| (it.key, it.act))
        .collect();
    let on_key = move |event: ev::KeyboardEvent| {
        let key = event.key();
        match key.as_str() {
            "ArrowDown" => walk(|here, n| (here + 1) % n),
            "ArrowUp" => walk(|here, n| (here + n - 1) % n),
            "Home" => walk(|_, _| 0),
            "End" => walk(|_, n| n - 1),
            "Escape" | "Tab" => on_close.run(()),
            "Enter" | " " => return event.stop_propagation(),
            _ => match by_key.iter().find(|it| it.0 == key) {
                Some((_, act)) => {
                    on_close.run(());
                    act.run(());
                }
                // What is typed here is for nothing else.
                None => return event.stop_propagation(),
            },
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let line = move |item: Item| {
        let Item { text, key, act } = item;
        let press = move |_| {
            on_close.run(());
            act.run(());
        };
        view! {
            <button type="button" role="menuitem" tabindex="-1" on:click=press>
                <span>{text}</span>
                {(!key.is_empty()).then(|| view! { <kbd aria-hidden="true">{key}</kbd> })}
            </button>
        }
    };
    let groups = groups.into_iter().filter(|it| !it.is_empty());
    let groups = groups.map(|items| {
        view! { <div role="group">{items.into_iter().map(line).collect_view()}</div> }
    });
    let groups = groups.collect_view();
    let title = label.clone();
    view! {
        <div
            class="veil"
            on:pointerdown=move |_| on_close.run(())
            on:contextmenu=move |event| {
                event.prevent_default();
                on_close.run(());
            }
            on:wheel=move |_| on_close.run(())
        ></div>
        <div
            class="menu"
            role="menu"
            aria-label=title
            node_ref=menu
            style:left=move || format!("{}px", at.get().0)
            style:top=move || format!("{}px", at.get().1)
            on:keydown=on_key
            on:contextmenu=move |event| event.prevent_default()
        >
            <p class="dim" aria-hidden="true">{label}</p>
            {groups}
        </div>
    }
}
