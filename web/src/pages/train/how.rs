//! How is learned: from which features and flows, by which method, and judged how.

use leptos::prelude::*;
use v1::page::{MethodChoice, NumberChoice, SchemaRow, TrainingPlan};

use crate::{
    i18n::Lang,
    message::Reading,
    parts::{
        field::{Check, Number, Pick},
        small::Panel,
    },
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
            view! {
                <fieldset class="form plain" disabled=move || is_running.get()>
                    <Rows />
                    <Method />
                    <Judging />
                </fieldset>
            }
            .into_any()
        } else {
            view! { <p class="waiting" role="status">{t.loading}</p> }.into_any()
        }
    };
    // Above the form, where it is seen at once; Enter in any field starts too.
    let right = move || {
        view! {
            <span role="status">{move || hindrance.get()}</span>
            <button type="submit" id="start" form="how" class="btn main" disabled=is_off>{t.train.start}</button>
        }
    };
    view! {
        <Panel title=t.train.how.to_owned() right>
            <form id="how" class="inset form" on:submit=on_submit>
                {content}
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
    let schema = |it: &SchemaRow| (it.name.clone(), format!("{} – {}", it.name, lang.of(&it.what)));
    let schemas: Vec<_> = schemas.iter().map(schema).collect();
    let timeout = move || {
        let timeout = training.reading.with(|it| it.timeout.clone());
        if timeout == "none" { String::new() } else { timeout }
    };
    view! {
        <div class="field">
            <span>{t.train.features}</span>
            <Pick
                id="schema"
                label=t.train.features
                options=schemas
                chosen=Signal::derive(move || training.reading.with(|it| it.schema.clone()))
                on_choose=Callback::new(move |schema| training.read_by(Reading { schema, ..reading() }))
            />
        </div>
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

/// Something the plan has or has not.
fn check(
    plan: RwSignal<TrainingPlan>,
    text: &'static str,
    of: fn(&mut TrainingPlan) -> &mut bool,
) -> impl IntoView {
    let is_on = Signal::derive(move || *of(&mut plan.get()));
    let on_choose = Callback::new(move |is_on| plan.update(|it| *of(it) = is_on));
    view! { <Check text is_on on_choose /> }
}

/// The method and its numbers.
#[component]
fn Method() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let plan = training.plan;
    let methods =
        training.choices.with_untracked(|it| it.clone().map_or(Vec::new(), |it| it.0.methods));
    let options: Vec<_> = methods.iter().map(|it| (it.name.clone(), lang.of(&it.title))).collect();
    let chosen = Memo::new(move |_| plan.with(|it| it.method.clone()));
    let methods = StoredValue::new(methods);
    let method = move || {
        let name = chosen.get();
        methods.with_value(|it| it.iter().find(|it| it.name == name).cloned()).unwrap_or_default()
    };
    let number = move |NumberChoice { name, what, least, greatest, usual }| {
        let of = name.clone();
        let value = move || plan.with(|it| it.numbers.get(&of).copied().unwrap_or(usual));
        let on_choose = move |value| {
            plan.update(|it| {
                it.numbers.remove(&name);
                if value != usual {
                    it.numbers.insert(name.clone(), value);
                }
            });
        };
        let (value, on_choose) = (Signal::derive(value), Callback::new(on_choose));
        view! { <Number label=lang.of(&what) range=(least, greatest) value on_choose /> }
    };
    let numbers = move || method().numbers.into_iter().map(number).collect_view();
    view! {
        <div class="field">
            <span>{t.train.method}</span>
            <Pick
                id="method"
                label=t.train.method
                options
                chosen
                on_choose=Callback::new(move |method| plan.update(|it| {
                    it.method = method;
                    it.numbers.clear();
                }))
            />
            <span class="dim">{move || lang.of(&method().what)}</span>
        </div>
        <div class="numbers" role="group" aria-label=t.train.numbers>{numbers}</div>
        {check(plan, t.train.balanced, |it| &mut it.is_balanced)}
        {check(plan, t.train.unique, |it| &mut it.is_unique)}
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
    let options = Signal::derive(move || {
        let name = training.data.with(|it| it.as_ref().map(|it| it.split.clone()));
        let found = name.and_then(|name| splits.iter().find(|it| it.name == name));
        let honest = found.map_or_else(|| "…".to_owned(), |it| lang.of(&it.what));
        let honest = (String::new(), (t.train.honest)(&honest));
        let others = splits.iter().map(|it| (it.name.clone(), lang.of(&it.what)));
        std::iter::once(honest).chain(others).collect::<Vec<_>>()
    });
    view! {
        <fieldset class="form">
            <legend>{t.train.judge_by}</legend>
            <div class="field">
                <span>{t.train.split}</span>
                <Pick
                    id="split"
                    label=t.train.split
                    options
                    chosen=Signal::derive(move || plan.with(|it| it.split.clone().unwrap_or_default()))
                    on_choose=Callback::new(move |split: String| {
                        plan.update(|it| it.split = Some(split).filter(|it| !it.is_empty()));
                    })
                />
            </div>
            <div class="numbers">
                <Number
                    label=t.train.folds.to_owned()
                    id="folds"
                    range=(2, MAX_FOLDS)
                    value=Signal::derive(move || plan.with(|it| it.folds))
                    on_choose=Callback::new(move |folds| plan.update(|it| it.folds = folds))
                />
                <Number
                    label=t.train.seed.to_owned()
                    range=(0, u32::MAX)
                    value=Signal::derive(move || plan.with(|it| it.seed as u32))
                    on_choose=Callback::new(move |seed: u32| plan.update(|it| it.seed = seed.into()))
                />
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
            {check(plan, t.train.importance_too, |it| &mut it.has_importance)}
            {check(plan, t.train.curve_too, |it| &mut it.has_curve)}
            <label class="field whole">
                <span>{t.train.sources}</span>
                <textarea
                    id="sources"
                    class="search"
                    rows="1"
                    placeholder=t.train.sources_hint
                    prop:value=move || plan.with(|it| it.sources.join("\n"))
                    on:change=move |event| {
                        let text = event_target_value(&event);
                        let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
                        plan.update(|it| it.sources = lines.map(str::to_owned).collect());
                    }
                ></textarea>
            </label>
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
