//! Fields of a form: one of several, a number, something that is or is not.

use leptos::prelude::*;

/// One of several, by a list that opens.
#[component]
pub fn Pick(
    /// What is chosen.
    label: &'static str,
    /// Its element's name.
    #[prop(optional)]
    id: &'static str,
    /// The choices: what each is called by the program, and by people.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    /// The one chosen.
    #[prop(into)]
    chosen: Signal<String>,
    /// Whether another can be chosen.
    #[prop(optional, into)]
    is_off: Signal<bool>,
    /// Another was chosen.
    on_choose: Callback<String>,
) -> impl IntoView {
    let option = move |(value, text): (String, String)| {
        let of = value.clone();
        view! { <option value=value prop:selected=move || chosen.get() == of>{text}</option> }
    };
    let options = move || options.get().into_iter().map(option).collect_view();
    view! {
        <select
            id=(!id.is_empty()).then_some(id)
            class="pick"
            aria-label=label
            disabled=move || is_off.get()
            on:change=move |event| on_choose.run(event_target_value(&event))
        >
            {options}
        </select>
    }
}

/// A whole number.
#[component]
pub fn Number(
    /// What it says.
    label: String,
    /// Its element's name.
    #[prop(optional)]
    id: &'static str,
    /// The least and the greatest it may be.
    range: (u32, u32),
    /// What it is.
    #[prop(into)]
    value: Signal<u32>,
    /// What it shall be; within the range.
    on_choose: Callback<u32>,
) -> impl IntoView {
    let (least, greatest) = range;
    let on_change = move |event: leptos::ev::Event| {
        let typed = event_target_value(&event).trim().parse();
        on_choose.run(typed.unwrap_or_else(|_| value.get_untracked()).clamp(least, greatest));
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                id=(!id.is_empty()).then_some(id)
                class="search short num"
                type="number"
                min=least.to_string()
                max=greatest.to_string()
                title=format!("{least} – {greatest}")
                prop:value=move || value.get().to_string()
                on:change=on_change
            />
        </label>
    }
}

/// Something that is or is not.
#[component]
pub fn Check(
    /// What.
    text: &'static str,
    /// Whether it is.
    #[prop(into)]
    is_on: Signal<bool>,
    /// It shall be, or not.
    on_choose: Callback<bool>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || is_on.get()
                on:change=move |event| on_choose.run(event_target_checked(&event))
            />
            {text}
        </label>
    }
}
