//! The files that are learned from, each with its class.

use leptos::{html, prelude::*};
use v1::page::{TrainingLabels, TrainingPart};

use crate::{
    backend, files, format,
    i18n::{Lang, learning_error, table_notice},
    pages::account::said,
    parts::{
        field::Pick,
        plain::{Line as PlainLine, Plain, Text},
        small::{Panel, Sideways},
    },
    state::{app, texts},
    training::{Part, PartState},
};

/// The panel.
#[component]
pub fn Data() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let input = NodeRef::<html::Input>::new();
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let is_empty = Memo::new(move |_| training.parts.with(Vec::is_empty));
    let is_sealed = backend::is_sealed();
    let right = move || {
        let count = training.data.get().map(|it| {
            let classes = t.train.n_classes.with(it.classes.len() as u64, lang);
            format!("{classes} · {}", t.train.n_rows.with(it.rows, lang))
        });
        view! {
            <span>{count}</span>
            <Show when=move || !is_empty.get()>
                <button type="button" class="btn" disabled=!is_sealed on:click=choose>{t.train.add}</button>
            </Show>
        }
    };
    // By their names, so that a field keeps the focus while another file is read.
    let names = Memo::new(move |_| {
        training.parts.with(|it| it.iter().map(|it| it.name.clone()).collect::<Vec<_>>())
    });
    let removed = move || {
        training.removed.get().map(|(_, part)| {
            view! {
                <p class="undo" role="status">
                    <span>{(t.train.removed)(&part.name)}</span>
                    <button type="button" class="btn" id="undo" on:click=move |_| training.restore()>{t.train.undo}</button>
                </p>
            }
        })
    };
    view! {
        <Panel title=t.train.data.to_owned() right>
            <p class="inset dim">{t.train.data_lead}</p>
            <Show when=move || is_empty.get()>
                <div class="inset">
                    <div class="drop small" class:is-off=!is_sealed>
                        <p class="big">{t.train.drop}</p>
                        <button type="button" id="choose-training" class="btn main large" disabled=!is_sealed on:click=choose>
                            {t.train.add}
                        </button>
                        <p class="dim">"pcap · pcapng · gzip · zstd · ARFF · CSV"</p>
                    </div>
                </div>
            </Show>
            <Show when=move || !is_empty.get()>
                <Sideways label=t.train.data>
                    <table class="parts">
                        <thead>
                            <tr>
                                <th scope="col">{t.file}</th>
                                <th scope="col">{t.train.labels_by}</th>
                                <th scope="col">{t.train.class}</th>
                                <th scope="col" class="num">{t.train.rows}</th>
                                <td></td>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || names.get() key=Clone::clone children=move |name| view! { <Line name /> } />
                        </tbody>
                    </table>
                </Sideways>
            </Show>
            {removed}
            <Classes />
            <input
                id="training-input"
                class="unseen"
                type="file"
                multiple
                tabindex="-1"
                aria-hidden="true"
                disabled=!is_sealed
                node_ref=input
                on:change=move |_| {
                    let Some(input) = input.get_untracked() else { return };
                    if let Some(chosen) = input.files() {
                        training.add_files(files::listed(&chosen));
                    }
                    // So that the same file can be chosen again.
                    input.set_value("");
                }
            />
        </Panel>
    }
}

/// Where the classes of a file come from, as the list of words has it.
fn source(labels: &TrainingLabels) -> &'static str {
    match labels {
        TrainingLabels::Given(_) | TrainingLabels::Table { .. } => "given",
        TrainingLabels::Payload => "payload",
        TrainingLabels::Groups => "groups",
        TrainingLabels::Comment => "comment",
    }
}

/// What the user means by such a word.
fn labels_of(source: &str, name: &str) -> TrainingLabels {
    match source {
        "payload" => TrainingLabels::Payload,
        "groups" => TrainingLabels::Groups,
        "comment" => TrainingLabels::Comment,
        _ => TrainingLabels::Given(format::class_of_file(name)),
    }
}

/// What of a file is not learned from.
fn left_out(part: &TrainingPart, lang: Lang) -> Vec<String> {
    let t = lang.texts();
    let reasons = [
        (part.unlabelled, t.train.unlabelled),
        (part.filtered, t.train.filtered),
        (part.contradicting, t.train.contradicting),
    ];
    let reasons = reasons.into_iter().filter(|it| it.0 > 0);
    reasons.map(|it| (it.1)(&t.n_flows.with(it.0, lang))).collect()
}

/// A file.
#[component]
fn Line(name: String) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let of_name = name.clone();
    let part = Memo::new_with_compare(
        move |_| training.parts.with(|it| it.iter().find(|it| it.name == of_name).map(shown)),
        |a, b| a != b,
    );
    // What is learned from stays as it is until that is done.
    let is_running = Memo::new(move |_| training.running.with(Option::is_some));
    let labels = Memo::new(move |_| part.get().map(|it| it.1));
    let state = Memo::new(move |_| part.get().map(|it| it.0));
    let is_table = Memo::new(move |_| {
        matches!(state.get(), Some(PartState::Read(TrainingPart { is_table: true, .. })))
    });
    let title = name.clone();
    let partly = move || {
        let is_part = part.with(|it| it.as_ref().is_some_and(|it| !it.2));
        is_part.then(|| view! { " " <span class="tag warn">{t.partial}</span> })
    };
    let below = move || match state.get()? {
        PartState::Waiting => Some(view! { <p class="dim">{t.train.waits}</p> }.into_any()),
        PartState::Reading(bytes, total) => {
            let text = (t.train.reading)(&format::percent(bytes, total, lang));
            Some(view! { <p class="dim">{text}</p> }.into_any())
        }
        PartState::Unreadable(notice) => {
            Some(view! { <div class="wrong" role="alert">{said(&notice, lang)}</div> }.into_any())
        }
        PartState::Failed(why) => Some(
            view! { <p class="wrong" role="alert">{learning_error(&why, lang)}</p> }.into_any(),
        ),
        PartState::Read(told) => {
            let out = left_out(&told, lang);
            let out = (!out.is_empty())
                .then(|| view! { <p class="dim">{t.train.left_out}": "{out.join(", ")}</p> });
            let notices = told.notices.iter().map(|it| {
                let sentence = table_notice(it, lang);
                view! { <p class="dim">{sentence}</p> }
            });
            let notices = notices.collect_view();
            Some(view! { {out}{notices} }.into_any())
        }
    };
    let rows = move || match state.get() {
        Some(PartState::Read(told)) => format::count(told.rows, lang),
        _ => String::new(),
    };
    let by_name = StoredValue::new(name.clone());
    let on_source = Callback::new(move |source: String| {
        by_name.with_value(|name| training.relabel(name, labels_of(&source, name)));
    });
    let from = move || {
        if is_table.get() {
            return view! { <span class="dim">{t.train.of_table}</span> }.into_any();
        }
        let options = t.train.labels.map(|it| (it.0.to_owned(), it.1.to_owned())).to_vec();
        let chosen = Signal::derive(move || {
            labels.with(|it| it.as_ref().map_or("given", source).to_owned())
        });
        view! { <Pick label=t.train.labels_by options chosen is_off=is_running on_choose=on_source /> }
        .into_any()
    };
    let on_class = move |event: leptos::ev::Event| {
        let class = event_target_value(&event).trim().to_lowercase();
        if !class.is_empty() {
            by_name.with_value(|name| training.relabel(name, TrainingLabels::Given(class.clone())));
        }
    };
    let class_label = (t.train.class_of)(&name);
    let is_given = Memo::new(move |_| {
        !is_table.get() && labels.with(|it| matches!(it, Some(TrainingLabels::Given(_))))
    });
    let given = move || match labels.get() {
        Some(TrainingLabels::Given(class)) => class,
        _ => String::new(),
    };
    let found = move || match state.get() {
        Some(PartState::Read(told)) => {
            let names: Vec<String> = told.labels.iter().map(|it| it.label.clone()).collect();
            let text = names.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
            let more = names.len().saturating_sub(4);
            let more = (more > 0).then(|| format!(" + {more}"));
            view! { <span title=names.join(", ")>{text}{more}</span> }.into_any()
        }
        _ => ().into_any(),
    };
    let class = move || {
        if is_given.get() {
            view! {
                <input
                    class="search class"
                    type="text"
                    list="classes"
                    autocomplete="off"
                    spellcheck="false"
                    placeholder=t.train.no_class
                    aria-label=class_label.clone()
                    disabled=move || is_running.get()
                    prop:value=given
                    on:change=on_class
                />
            }
            .into_any()
        } else {
            view! { {found} }.into_any()
        }
    };
    let remove_label = (t.train.remove)(&name);
    view! {
        <tr>
            <td class="title">
                <span title=title.clone()>{title.clone()} {partly}</span>
                {below}
            </td>
            <td>{from}</td>
            <td>{class}</td>
            <td class="num">{rows}</td>
            <td>
                <button
                    type="button"
                    class="bare"
                    aria-label=remove_label.clone()
                    title=remove_label
                    disabled=move || is_running.get()
                    on:click=move |_| by_name.with_value(|name| training.remove(name))
                >
                    "✕"
                </button>
            </td>
        </tr>
    }
}

/// What is shown of a file: how far it is, its labels, and whether all of it was read.
fn shown(part: &Part) -> (PartState, TrainingLabels, bool) {
    (part.state.clone(), part.labels.clone(), part.is_complete)
}

/// The classes that come of it, and what stands in the way.
#[component]
fn Classes() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    move || {
        let data = training.data.get().filter(|it| !it.classes.is_empty())?;
        let most = data.classes.iter().map(|it| it.rows).max().unwrap_or(1).max(1);
        let lines = data.classes.iter().map(|it| PlainLine {
            title: it.label.clone(),
            cells: [it.rows, it.captures].map(|it| Text::number(format::count(it, lang))).to_vec(),
            bar: Some(it.rows as f64 / most as f64),
            ..PlainLine::default()
        });
        let lines = lines.collect();
        let headings =
            vec![Text::new(t.train.class), Text::number(t.train.rows), Text::number(t.files)];
        let mut notes = Vec::new();
        if data.duplicates > 0 {
            notes.push((t.train.duplicates)(&t.train.n_rows.with(data.duplicates, lang)));
        }
        if data.contradictions > 0 {
            notes.push((t.train.contradictions)(&t.train.n_rows.with(data.contradictions, lang)));
        }
        if !data.lone.is_empty() {
            notes.push((t.train.lone)(&some_of(&data.lone)));
        }
        let notes = notes.into_iter().map(|it| view! { <p class="dim">{it}</p> }).collect_view();
        let options =
            data.classes.iter().map(|it| view! { <option value=it.label.clone()></option> });
        Some(view! {
            <Plain class="bars classes" headings lines />
            <div class="inset notes-of">{notes}</div>
            <datalist id="classes">{options.collect_view()}</datalist>
        })
    }
}

/// A list in a sentence, its first few.
fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(6) {
        0 => shown,
        more => format!("{shown} + {more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_told_with_its_reason() {
        let part = TrainingPart { unlabelled: 2, filtered: 1, ..TrainingPart::default() };
        assert_eq!(
            left_out(&part, Lang::En).join(", ").replace('\u{a0}', " "),
            "2 flows without a label, 1 flow by the filter"
        );
    }

    #[test]
    fn every_source_of_classes_is_one_of_the_words() {
        for (key, _) in Lang::En.texts().train.labels {
            assert_eq!(source(&labels_of(key, "vk.pcap")), key);
        }
    }
}
