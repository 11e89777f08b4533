//! The models there are: what is to be known of each, saved, judged, set side by side, and applied to the open capture.

use gloo::file::Blob;
use leptos::{html, prelude::*};
use v1::page::{Figures, ModelCard};

use crate::{
    backend, format,
    i18n::Lang,
    pages::{
        export::save,
        train::{how, share},
    },
    parts::{
        field::Pick,
        plain::{Line as PlainLine, Plain, Text},
        small::{Panel, Sideways},
    },
    place::Place,
    state::{app, texts},
    terms,
    training::{Known, Scored, USUAL_THRESHOLD, changed},
};

/// How many changed cells are shown.
const MAX_CHANGED: usize = 12;

/// The panels.
#[component]
pub fn Models() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let training = app.training;
    let input = NodeRef::<html::Input>::new();
    let n = Memo::new(move |_| training.models.with(Vec::len));
    let right = move || {
        view! {
            <button
                type="button"
                class="btn"
                title=t.train.own_model_says
                disabled=!backend::is_sealed()
                on:click=move |_| training.load_own()
            >
                {t.train.own_model}
            </button>
            <button
                type="button"
                class="btn"
                disabled=!backend::is_sealed()
                on:click=move |_| {
                    if let Some(input) = input.get_untracked() {
                        input.click();
                    }
                }
            >
                {t.train.load}
            </button>
        }
    };
    let list = move || {
        let models = training.models.get();
        if models.is_empty() {
            return view! { <p class="waiting">{t.train.no_model}</p> }.into_any();
        }
        // The newest first.
        let cards = models.into_iter().enumerate().rev();
        let cards = cards.map(|(at, known)| view! { <Model at known /> });
        view! { <div class="models">{cards.collect_view()}</div> }.into_any()
    };
    let has_two = Memo::new(move |_| training.scored.with(|it| it.len() > 1));
    view! {
        <Panel title=t.train.models.to_owned() right>
            <p class="inset dim">{t.train.models_lead}</p>
            {list}
            <input
                id="model-input"
                class="unseen"
                type="file"
                tabindex="-1"
                aria-hidden="true"
                node_ref=input
                on:change=move |_| {
                    let Some(input) = input.get_untracked() else { return };
                    if let Some(file) = input.files().and_then(|it| it.get(0)) {
                        training.load(app, file);
                    }
                    // So that the same file can be chosen again.
                    input.set_value("");
                }
            />
        </Panel>
        <Show when=move || has_two.get()>
            <Compare />
        </Show>
        <Show when=move || n.get() != 0>
            <Apply />
        </Show>
    }
}

/// The card of a model.
#[component]
fn Model(
    /// Which of them.
    at: usize,
    known: Known,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let Known { card, bytes, .. } = known;
    let size = format::bytes(bytes.len() as u64, lang);
    let file = format!("{}.model", file_stem(&card.name));
    let on_save = move |_| {
        let blob = Blob::new_with_options(&*bytes, Some("application/octet-stream"));
        save(&blob, &file);
        app.say((t.saved)(&file, &format::bytes(blob.size(), lang)));
    };
    let has_data = Memo::new(move |_| {
        let is_idle = training.running.with(Option::is_none);
        is_idle && training.data.with(|it| it.as_ref().is_some_and(|it| it.rows > 0))
    });
    let remove = (t.remove)(&card.name);
    let label = card.name.clone();
    view! {
        <article class="model" id=format!("model-{at}") aria-label=label>
            <header>
                <h3>{card.name.clone()}</h3>
                <span class="dim">{size}</span>
                <span class="push"></span>
                <button type="button" class="btn save-model" on:click=on_save>{t.train.save}</button>
                <button
                    type="button"
                    class="btn judge-model"
                    title=t.train.judge_hint
                    disabled=move || !has_data.get()
                    on:click=move |_| training.judge(at)
                >
                    {t.train.judge}
                </button>
                <button type="button" class="bare" aria-label=remove.clone() title=remove on:click=move |_| training.drop_model(app, at)>
                    "✕"
                </button>
            </header>
            <Card card />
        </article>
    }
}

/// A name as a part of a file's name.
fn file_stem(name: &str) -> String {
    let plain = |it: char| if it.is_alphanumeric() || "-_.".contains(it) { it } else { '_' };
    let stem: String = name.chars().map(plain).collect();
    let stem = stem.trim_matches('.');
    if stem.is_empty() { "model".to_owned() } else { stem.to_owned() }
}

/// All that is to be known of a model.
#[component]
fn Card(card: ModelCard) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let choices = app.training.choices;
    let how = {
        let how = card.how.clone();
        move || choices.with(|it| it.as_ref().map(|it| how::told(&how, &it.0.methods, lang)))
    };
    let features = match &card.schema {
        Some(schema) => format!("{schema}, {}", t.train.n_columns.with(card.columns, lang)),
        None => t.train.n_columns.with(card.columns, lang),
    };
    let cut = match card.timeout_micros {
        None => t.export_whole.to_owned(),
        Some(micros) => format!("{} {}", micros as f64 / 1e6, t.seconds),
    };
    let rows: u64 = card.classes.iter().map(|it| it.count).sum();
    let learned = format!(
        "{}, {}",
        t.train.n_rows.with(rows, lang),
        t.train.n_captures.with(card.captures, lang)
    );
    let classes = card.classes.iter().map(|it| {
        let count = format::count(it.count, lang);
        view! { <li><span class="tag">{it.label.clone()}" "<span class="dim">{count}</span></span></li> }
    });
    let classes = classes.collect_view();
    let judged = card.judged.clone();
    let judged = move || match &judged {
        None => t.train.not_judged.to_owned(),
        Some(judged) => {
            let split = choices.with(|it| {
                let splits = it.as_ref().map(|it| &it.0.splits)?;
                splits.iter().find(|it| it.name == judged.split).map(|it| lang.of(&it.what))
            });
            let split = split.unwrap_or_else(|| judged.split.clone());
            let figures = &judged.figures;
            let parts = t.train.n_parts.with(judged.folds.into(), lang);
            let mut out = (t.train.was_judged)(&split, &parts, &share(figures.accuracy, lang));
            out += &format!(
                "; {} {}; {}: {}",
                t.train.macro_f1,
                format::decimal(figures.macro_mean.f1, 3, lang),
                t.train.majority.to_lowercase(),
                share(judged.majority, lang)
            );
            if judged.leaking > 0 {
                let (n, of) =
                    (format::count(judged.leaking, lang), t.train.n_rows.with(figures.rows, lang));
                out += ". ";
                out += &(t.train.leak)(&n, &of);
            }
            out
        }
    };
    let sources = (!card.sources.is_empty()).then(|| {
        let lines = card.sources.iter().map(|it| view! { <li>{it.clone()}</li> }).collect_view();
        view! { <dt>{t.train.sources}</dt><dd><ul>{lines}</ul></dd> }
    });
    view! {
        <dl class="kv">
            <dt>{t.train.method}</dt>
            <dd>{how}</dd>
            <dt>{t.train.features}</dt>
            <dd>{features}</dd>
            <dt>{t.train.cut}</dt>
            <dd>{cut}</dd>
            <dt>{t.train.data}</dt>
            <dd>{learned}</dd>
            <dt>{t.train.classes}</dt>
            <dd><ul class="tags">{classes}</ul></dd>
            <dt>{t.train.judge_by}</dt>
            <dd>{judged}</dd>
            {sources}
        </dl>
    }
}

/// Two results side by side.
#[component]
fn Compare() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let n = training.scored.with_untracked(Vec::len);
    let (one, other) = (RwSignal::new(n.saturating_sub(2)), RwSignal::new(n.saturating_sub(1)));
    // A new result is set beside the one before.
    Effect::new(move |before: Option<usize>| {
        let n = training.scored.with(Vec::len);
        if before.is_some_and(|it| it != n) {
            one.set(n.saturating_sub(2));
            other.set(n.saturating_sub(1));
        }
        n
    });
    let options = Signal::derive(move || {
        let scored = training.scored.get();
        let named = scored.iter().enumerate();
        named.map(|(at, it)| (at.to_string(), format!("{}. {}", it.turn, it.name))).collect()
    });
    let select = move |chosen: RwSignal<usize>, id: &'static str, label: &'static str| {
        let on_choose = Callback::new(move |at: String| chosen.set(at.parse().unwrap_or(0)));
        let chosen = Signal::derive(move || chosen.get().to_string());
        view! { <Pick id label options chosen on_choose /> }
    };
    let right = move || {
        view! {
            {select(one, "compare-one", t.train.compare)}
            <span>{t.train.compare_with}</span>
            {select(other, "compare-other", t.train.compare_with)}
        }
    };
    let content = move || {
        let scored = training.scored.get();
        let (one, other) = (scored.get(one.get())?, scored.get(other.get())?);
        Some(compared(one, other, lang))
    };
    view! {
        <Panel title=t.train.compare.to_owned() right>
            <p class="inset dim">{t.train.compare_lead}</p>
            {content}
        </Panel>
    }
}

/// A number of a result.
type Number = fn(&Figures) -> f64;

/// The figures of two results, and the cells that differ.
fn compared(one: &Scored, other: &Scored, lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    let (a, b) = (&one.report.figures, &other.report.figures);
    let figures: [(&str, Number); 5] = [
        (t.train.accuracy, |it| it.accuracy),
        (t.train.macro_f1, |it| it.macro_mean.f1),
        (t.train.precision, |it| it.macro_mean.precision),
        (t.train.recall, |it| it.macro_mean.recall),
        (t.train.judged_rows, |it| it.rows as f64),
    ];
    let last = figures.len() - 1;
    let mut lines: Vec<PlainLine> = Vec::new();
    for (at, (title, of)) in figures.into_iter().enumerate() {
        let digits = if at == last { 0 } else { 4 };
        let number = |it: f64| Text::number(format::decimal(it, digits, lang));
        lines.push(PlainLine {
            title: title.to_owned(),
            cells: vec![
                number(of(a)),
                number(of(b)),
                Text::number(signed(of(b) - of(a), digits, lang)),
            ],
            ..PlainLine::default()
        });
    }
    let name = |at: usize| {
        a.classes.get(at).map_or_else(|| t.train.nothing_said.to_owned(), |it| it.label.clone())
    };
    let changed = changed(a, b);
    let note = match &changed {
        None => Some(t.train.other_classes),
        Some(cells) if cells.is_empty() => Some(t.train.none_changed),
        Some(_) => None,
    };
    let changed = changed.unwrap_or_default();
    if !changed.is_empty() {
        let title = t.train.changed.to_owned();
        lines.push(PlainLine { class: "group", title, ..PlainLine::default() });
    }
    for (is, said, a, b) in changed.into_iter().take(MAX_CHANGED) {
        let class = if (is == said) == (b > a) { "num better" } else { "num worse" };
        lines.push(PlainLine {
            title: (t.train.cell_title)(&name(is), &name(said)),
            cells: vec![
                Text::number(format::count(a, lang)),
                Text::number(format::count(b, lang)),
                Text { text: signed(b as f64 - a as f64, 0, lang), class },
            ],
            ..PlainLine::default()
        });
    }
    let title = |it: &Scored| Text::number(format!("{}. {}", it.turn, it.name));
    let headings =
        vec![Text::new(t.train.figure), title(one), title(other), Text::number(t.train.difference)];
    view! {
        <Sideways label=t.train.figure>
            <Plain class="compare grouped" headings lines />
        </Sideways>
        {note.map(|it| view! { <p class="waiting">{it}</p> })}
    }
}

/// A difference with its sign; nothing is `0`.
fn signed(number: f64, digits: usize, lang: Lang) -> String {
    let text = format::decimal(number, digits, lang);
    if number > 0.0 { format!("+{text}") } else { text }
}

/// A model applied to the capture that is open.
#[component]
fn Apply() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let now = training.applied.get_untracked();
    let newest = training.models.with_untracked(|it| it.len().saturating_sub(1));
    let model = RwSignal::new(now.as_ref().map_or(newest, |it| it.model));
    let usual = move |model: usize| {
        training
            .models
            .with_untracked(|it| it.get(model).map_or(USUAL_THRESHOLD, |it| it.threshold))
    };
    let threshold = RwSignal::new(now.as_ref().map_or(usual(newest), |it| it.threshold));
    // A new model is the one meant; one that went is not.
    Effect::new(move |before: Option<usize>| {
        let n = training.models.with(Vec::len);
        if before.is_some_and(|it| it != n) {
            model.set(n.saturating_sub(1));
            threshold.set(usual(n.saturating_sub(1)));
        }
        n
    });
    let is_applied = Memo::new(move |_| training.applied.with(Option::is_some));
    let name = move || app.capture.with(|it| it.as_ref().map(|it| it.name.clone()));
    let is_open = move || app.capture.with(Option::is_some) && app.seen().is_some();
    let apply = move || training.apply(app, model.get_untracked(), threshold.get_untracked());
    let options = Signal::derive(move || {
        let models = training.models.get();
        let named = models.iter().enumerate();
        named.map(|(at, it)| (at.to_string(), format!("{}. {}", at + 1, it.card.name))).collect()
    });
    let on_choose = Callback::new(move |at: String| {
        model.set(at.parse().unwrap_or(0));
        threshold.set(usual(model.get_untracked()));
        if is_applied.get_untracked() {
            apply();
        }
    });
    let percent = move || format!("{}\u{a0}%", threshold.get());
    let told = move || {
        let told = training.applied.get()?.told;
        let mut lines = match told.asked {
            0 => vec![t.train.none_asked.to_owned()],
            asked => vec![(t.train.applied)(
                &t.n_flows.with(told.labelled, lang),
                &format::count(asked, lang),
            )],
        };
        if told.unsure > 0 {
            lines.push((t.train.unsure)(&t.n_flows.with(told.unsure, lang)));
        }
        if told.unlike > 0 {
            lines.push((t.train.unlike)(&t.n_flows.with(told.unlike, lang)));
        }
        let lines = lines.into_iter().map(|it| view! { <li>{it}</li> }).collect_view();
        let href = Place::flows(terms::term("evidence", "model")).hash();
        Some(view! {
            <ul class="told" id="applied">{lines}</ul>
            <div class="row">
                {(told.labelled > 0).then(|| view! { <a class="btn" href=href>{t.train.show_guesses}</a> })}
                <button type="button" class="btn" on:click=move |_| training.take_back(app)>{t.train.take_away}</button>
            </div>
        })
    };
    let form = move || {
        if !is_open() {
            return view! { <p class="inset dim">{t.train.none_open}</p> }.into_any();
        }
        let title = (t.train.apply_to)(&name().unwrap_or_default());
        view! {
            <div class="inset form">
                <p class="dim">{t.train.apply_lead}</p>
                <div class="row">
                    <Pick
                        id="apply-model"
                        label=t.train.models
                        options
                        chosen=Signal::derive(move || model.get().to_string())
                        on_choose
                    />
                    <button type="button" id="apply" class="btn main" on:click=move |_| apply()>{title}</button>
                </div>
                <label class="field slider">
                    <span>{t.train.threshold}" "<b>{percent}</b></span>
                    <input
                        id="threshold"
                        type="range"
                        min="0"
                        max="100"
                        step="5"
                        prop:value=move || threshold.get().to_string()
                        aria-valuetext=move || (t.train.threshold_says)(&percent())
                        on:input=move |event| threshold.set(event_target_value(&event).parse().unwrap_or(USUAL_THRESHOLD))
                        on:change=move |_| {
                            if is_applied.get_untracked() {
                                apply();
                            }
                        }
                    />
                </label>
                {told}
            </div>
        }
        .into_any()
    };
    view! { <Panel title=t.train.apply.to_owned()>{form}</Panel> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_sign() {
        assert_eq!(signed(0.01, 2, Lang::En), "+0.01");
        assert_eq!(signed(-3.0, 0, Lang::Ru), "\u{2212}3");
        assert_eq!(signed(0.0, 0, Lang::En), "0");
    }

    #[test]
    fn a_file_is_named_after_its_model() {
        assert_eq!(file_stem("my model/2"), "my_model_2");
        assert_eq!(file_stem(".."), "model");
    }
}
