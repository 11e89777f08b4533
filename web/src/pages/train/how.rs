//! How is learned: from which features and flows, by which method, and judged how.

use leptos::prelude::*;
use v1::page::{MethodChoice, NumberChoice, TrainingPlan};

use crate::{
    i18n::Lang,
    message::Reading,
    parts::small::Panel,
    state::{app, texts},
    training::PartState,
};

/// The panel.
#[component]
pub fn How() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let training = app.training;
    let is_running = Memo::new(move |_| training.running.with(Option::is_some));
    // Why it cannot start.
    let hindrance = Memo::new(move |_| {
        let is_reading = |it: &PartState| matches!(it, PartState::Waiting | PartState::Reading(..));
        if training.parts.with(|it| it.iter().any(|it| is_reading(&it.state))) {
            return Some(t.train.still_reading);
        }
        let n_classes = training.data.with(|it| it.as_ref().map_or(0, |it| it.classes.len()));
        (n_classes < 2).then_some(t.train.too_few)
    });
    let on_submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if hindrance.get_untracked().is_none() && !is_running.get_untracked() {
            training.start();
        }
    };
    let is_off = move || is_running.get() || hindrance.get().is_some();
    let is_there = Memo::new(move |_| training.choices.with(Option::is_some));
    let content = move || {
        if is_there.get() {
            view! { <Rows /> <Method /> <Judging /> }.into_any()
        } else {
            view! { <p class="waiting" role="status">{t.loading}</p> }.into_any()
        }
    };
    view! {
        <Panel title=t.train.how.to_owned()>
            <form id="how" class="inset form" on:submit=on_submit>
                {content}
                <div class="row">
                    <button type="submit" id="start" class="btn main large" disabled=is_off>{t.train.start}</button>
                    <span class="dim" role="status">{move || hindrance.get()}</span>
                </div>
            </form>
        </Panel>
    }
}

/// What rows are made of. Another choice reads all files again.
#[component]
fn Rows() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let reading = move || training.reading.get_untracked();
    let schemas = training.choices.with_untracked(|it| it.clone().map_or(Vec::new(), |it| it.1));
    let options = schemas.into_iter().map(|schema| {
        let name = schema.name.clone();
        let is_it = move || training.reading.with(|it| it.schema == name);
        let text = format!("{} – {}", schema.name, lang.of(&schema.what));
        view! { <option value=schema.name.clone() prop:selected=is_it>{text}</option> }
    });
    let options = options.collect_view();
    let timeout = move || {
        let timeout = training.reading.with(|it| it.timeout.clone());
        if timeout == "none" { String::new() } else { timeout }
    };
    view! {
        <label class="field">
            <span>{t.train.features}</span>
            <select
                id="schema"
                class="pick"
                on:change=move |event| training.read_by(Reading { schema: event_target_value(&event), ..reading() })
            >
                {options}
            </select>
        </label>
        <label class="field">
            <span>{t.train.cut}</span>
            <span class="with-hint">
                <input
                    id="train-timeout"
                    class="search short num"
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    placeholder=t.export_whole
                    prop:value=timeout
                    on:change=move |event| {
                        let value = event_target_value(&event).trim().replace(',', ".");
                        let timeout = if value.is_empty() { "none".to_owned() } else { value };
                        training.read_by(Reading { timeout, ..reading() });
                    }
                />
                <span class="dim">{t.train.cut_hint}</span>
            </span>
        </label>
        <label class="field">
            <span>{t.train.filter}</span>
            <input
                id="train-filter"
                class="search mono"
                type="text"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                placeholder=t.train.filter_example
                prop:value=move || training.reading.with(|it| it.filter.clone())
                on:change=move |event| {
                    let filter = event_target_value(&event).trim().to_owned();
                    training.read_by(Reading { filter, ..reading() });
                }
            />
            <span class="dim">{t.train.filter_hint}" "{t.train.read_again}</span>
        </label>
    }
}

/// The method and its numbers.
#[component]
fn Method() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let methods =
        training.choices.with_untracked(|it| it.clone().map_or(Vec::new(), |it| it.0.methods));
    let chosen = Memo::new(move |_| training.plan.with(|it| it.method.clone()));
    let options = methods.iter().map(|method| {
        let name = method.name.clone();
        let is_it = move || chosen.get() == name;
        view! { <option value=method.name.clone() prop:selected=is_it>{lang.of(&method.title)}</option> }
    });
    let options = options.collect_view();
    let methods = StoredValue::new(methods);
    let method = move || {
        let name = chosen.get();
        methods.with_value(|it| it.iter().find(|it| it.name == name).cloned()).unwrap_or_default()
    };
    let numbers = move || {
        let MethodChoice { numbers, .. } = method();
        let fields = numbers.into_iter().map(|it| view! { <Number number=it /> });
        fields.collect_view()
    };
    let plan = training.plan;
    view! {
        <label class="field">
            <span>{t.train.method}</span>
            <select
                id="method"
                class="pick"
                on:change=move |event| plan.update(|it| {
                    it.method = event_target_value(&event);
                    it.numbers.clear();
                })
            >
                {options}
            </select>
            <span class="dim">{move || lang.of(&method().what)}</span>
        </label>
        <div class="numbers" role="group" aria-label=t.train.numbers>{numbers}</div>
        <Check text=t.train.balanced of=|it| &mut it.is_balanced />
        <Check text=t.train.unique of=|it| &mut it.is_unique />
    }
}

/// A number of the method.
#[component]
fn Number(number: NumberChoice) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let plan = app.training.plan;
    let NumberChoice { name, what, least, greatest, usual } = number;
    let of_name = name.clone();
    let value = move || plan.with(|it| it.numbers.get(&of_name).copied().unwrap_or(usual));
    let on_change = move |event: leptos::ev::Event| {
        let value = event_target_value(&event).trim().parse::<u32>();
        let value = value.unwrap_or(usual).clamp(least, greatest);
        plan.update(|it| {
            it.numbers.remove(&name);
            if value != usual {
                it.numbers.insert(name.clone(), value);
            }
        });
    };
    let hint = (t.train.from_to)(&least.to_string(), &greatest.to_string());
    view! {
        <label class="field">
            <span>{lang.of(&what)}</span>
            <input
                class="search short num"
                type="number"
                min=least.to_string()
                max=greatest.to_string()
                title=hint
                prop:value=move || value().to_string()
                on:change=on_change
            />
        </label>
    }
}

/// Something the plan has or has not.
#[component]
fn Check(
    /// What it is.
    text: &'static str,
    /// Where in the plan.
    of: fn(&mut TrainingPlan) -> &mut bool,
) -> impl IntoView {
    let plan = app().training.plan;
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || *of(&mut plan.get())
                on:change=move |event| plan.update(|it| *of(it) = event_target_checked(&event))
            />
            {text}
        </label>
    }
}

/// The most parts rows are divided into.
const MAX_FOLDS: u32 = 50;

/// How it is judged, and what the model is called.
#[component]
fn Judging() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let plan = training.plan;
    let splits =
        training.choices.with_untracked(|it| it.clone().map_or(Vec::new(), |it| it.0.splits));
    let of_split = splits.clone();
    let honest = move || {
        let name = training.data.with(|it| it.as_ref().map(|it| it.split.clone()));
        let found = name.and_then(|name| of_split.iter().find(|it| it.name == name));
        (t.train.honest)(&found.map_or_else(|| "…".to_owned(), |it| lang.of(&it.what)))
    };
    let options = splits.into_iter().map(|split| {
        let name = split.name.clone();
        let is_it = move || plan.with(|it| it.split.as_deref() == Some(&name));
        view! { <option value=split.name.clone() prop:selected=is_it>{lang.of(&split.what)}</option> }
    });
    let options = options.collect_view();
    let number = move |of: fn(&TrainingPlan) -> u64| move || plan.with(of).to_string();
    view! {
        <fieldset class="form">
            <legend>{t.train.judge_by}</legend>
            <label class="field">
                <span>{t.train.split}</span>
                <select
                    id="split"
                    class="pick"
                    on:change=move |event| plan.update(|it| {
                        it.split = Some(event_target_value(&event)).filter(|it| !it.is_empty());
                    })
                >
                    <option value="" prop:selected=move || plan.with(|it| it.split.is_none())>{honest}</option>
                    {options}
                </select>
            </label>
            <div class="numbers">
                <label class="field">
                    <span>{t.train.folds}</span>
                    <input
                        id="folds"
                        class="search short num"
                        type="number"
                        min="2"
                        max=MAX_FOLDS.to_string()
                        prop:value=number(|it| it.folds.into())
                        on:change=move |event| {
                            let folds = event_target_value(&event).parse().unwrap_or(5);
                            plan.update(|it| it.folds = u32::clamp(folds, 2, MAX_FOLDS));
                        }
                    />
                </label>
                <label class="field">
                    <span>{t.train.seed}</span>
                    <input
                        class="search short num"
                        type="number"
                        min="0"
                        prop:value=number(|it| it.seed)
                        on:change=move |event| {
                            let seed = event_target_value(&event).parse().unwrap_or(1);
                            plan.update(|it| it.seed = seed);
                        }
                    />
                </label>
                <label class="field">
                    <span>{t.train.name}</span>
                    <input
                        id="model-name"
                        class="search short"
                        type="text"
                        autocomplete="off"
                        prop:value=move || plan.with(|it| it.name.clone())
                        on:change=move |event| {
                            let name = event_target_value(&event).trim().to_owned();
                            plan.update(|it| it.name = if name.is_empty() { "model".to_owned() } else { name });
                        }
                    />
                </label>
            </div>
            <Check text=t.train.importance_too of=|it| &mut it.has_importance />
            <Check text=t.train.curve_too of=|it| &mut it.has_curve />
        </fieldset>
    }
}

/// How a model was learned, in words: the method and what is not as usual of its numbers.
pub(super) fn told(how: &v1::page::TrainingHow, methods: &[MethodChoice], lang: Lang) -> String {
    let Some(method) = methods.iter().find(|it| it.name == how.method) else {
        return how.method.clone();
    };
    let mut out = lang.of(&method.title);
    for number in &method.numbers {
        let value = how.numbers.get(&number.name).copied().unwrap_or(number.usual);
        if value != number.usual {
            out += &format!(", {}: {value}", lang.of(&number.what).to_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_usual_is_not_told() {
        let words = |it: &str| v1::page::Words { en: it.to_owned(), ru: it.to_owned() };
        let number = NumberChoice {
            name: "trees".into(),
            what: words("Trees"),
            usual: 100,
            ..NumberChoice::default()
        };
        let method = MethodChoice {
            name: "forest".into(),
            title: words("Random forest"),
            numbers: vec![number],
            ..MethodChoice::default()
        };
        let how = |trees| v1::page::TrainingHow {
            method: "forest".into(),
            numbers: [("trees".to_owned(), trees)].into(),
            ..v1::page::TrainingHow::default()
        };
        assert_eq!(told(&how(100), std::slice::from_ref(&method), Lang::En), "Random forest");
        assert_eq!(told(&how(7), &[method], Lang::En), "Random forest, trees: 7");
    }
}
