//! Another capture set beside the open one: figures, and of each kind of thing what is new, gone, more or less.

use std::sync::Arc;

use leptos::{html, prelude::*};
use v1::page::{Amount, ComparedPart, ComparedRow, Comparison};

use crate::{
    app::choose,
    format, groups,
    i18n::{Lang, Texts, word},
    pages::{account::said, overview::statistic_filter},
    parts::small::{Failure, Mark, Panel, Sideways, Switch},
    place::Place,
    state::{Source, app, texts},
    terms,
};

/// How many rows of a part are shown at first.
const AT_FIRST: usize = 12;

/// The page.
#[component]
pub fn Compare() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let comparing = app.comparing;
    let input = NodeRef::<html::Input>::new();
    let take = move |_| {
        let chosen = input.get_untracked().and_then(|input| {
            let file = input.files().and_then(|it| it.get(0));
            // So that the same file can be chosen again.
            input.set_value("");
            file
        });
        if let Some(file) = chosen {
            comparing.with(app, Source::Chosen(file));
        }
    };
    let failure = move || {
        comparing.failure.get().map(|(name, notice)| {
            view! {
                <div class="failure" role="alert">
                    <b>{(t.beside.not_compared)(&name)}</b>
                    {said(&notice, lang)}
                </div>
            }
        })
    };
    let content = move || match (comparing.found.get(), comparing.other.with(Option::is_some)) {
        (Some(Ok(found)), _) => view! { <Found found input /> }.into_any(),
        (Some(Err(text)), _) => {
            view! { <Failure title=t.failed.to_owned() text /> <Choice input /> }.into_any()
        }
        (None, true) => view! { <Reading /> }.into_any(),
        (None, false) => view! { <Choice input /> }.into_any(),
    };
    view! {
        <div class="page">
            {failure}
            {content}
            <input
                id="other-input"
                class="unseen"
                type="file"
                tabindex="-1"
                aria-hidden="true"
                node_ref=input
                on:change=take
            />
        </div>
    }
}

/// Nothing is compared yet.
#[component]
fn Choice(
    /// The field that takes the file.
    input: NodeRef<html::Input>,
) -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    view! {
        <div class="drop small">
            <p class="dim">{t.beside.compare_lead}</p>
            <div class="row">
                <button type="button" id="choose-other" class="btn main large" on:click=move |_| choose(input)>
                    {t.beside.choose_other}
                </button>
                <button
                    type="button"
                    id="compare-sample"
                    class="btn large"
                    on:click=move |_| app.comparing.with(app, Source::Sample)
                >
                    {t.beside.compare_sample}
                </button>
                <span class="dim">{t.beside.drop_other}</span>
            </div>
        </div>
    }
}

/// The other capture is read.
#[component]
fn Reading() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let comparing = app.comparing;
    let name = move || comparing.other.with(|it| it.as_ref().map(|it| it.name.clone()));
    let title = move || (t.beside.reading_other)(&name().unwrap_or_default());
    let progress = Memo::new(move |_| comparing.progress.get().unwrap_or_default());
    let share = move || {
        let it = progress.get();
        it.bytes as f64 * 100.0 / it.total.max(1) as f64
    };
    let text = move || {
        let it = progress.get();
        let (done, all) = (format::bytes(it.bytes, lang), format::bytes(it.total, lang));
        (t.reading_progress)(&done, &all)
    };
    view! {
        <section class="panel inset reading-other">
            <h2>{title}</h2>
            <div
                class="progress"
                role="progressbar"
                aria-label=title
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || format!("{:.0}", share())
            >
                <i style:width=move || format!("{:.2}%", share())></i>
            </div>
            <div class="row">
                <span class="dim">{text}</span>
                <span class="push"></span>
                <button type="button" class="btn" on:click=move |_| comparing.end()>{t.beside.end}</button>
            </div>
        </section>
    }
}

#[component]
fn Found(
    /// What came of it.
    found: Arc<Comparison>,
    /// The field that takes another file.
    input: NodeRef<html::Input>,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let names = [
        app.capture.with_untracked(|it| it.as_ref().map(|it| it.name.clone())),
        app.comparing.other.with_untracked(|it| it.as_ref().map(|it| it.name.clone())),
    ];
    let names = names.map(Option::unwrap_or_default);
    let parts = found.parts.iter().map(|it| view! { <Part part=it.clone() /> }).collect_view();
    view! {
        <div class="above">
            <span class="versus"><b>{names[0].clone()}</b>" → "<b>{names[1].clone()}</b></span>
            <span class="push"></span>
            <button type="button" class="btn" id="swap" title=t.beside.swap_hint on:click=move |_| app.comparing.swap(app)>
                {t.beside.swap}
            </button>
            <button type="button" class="btn" on:click=move |_| choose(input)>{t.beside.choose_another}</button>
            <button type="button" class="btn" id="end-compare" on:click=move |_| app.comparing.end()>{t.beside.end}</button>
        </div>
        {figures(&found, names, t, lang)}
        <div class="grid-of-panels wide">{parts}</div>
    }
}

/// A number with its sign.
fn change(here: u64, there: u64, write: impl Fn(u64) -> String) -> String {
    match there.cmp(&here) {
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", write(there - here)),
        std::cmp::Ordering::Less => format!("−{}", write(here - there)),
    }
}

fn figures(
    found: &Comparison,
    names: [String; 2],
    t: &'static Texts,
    lang: Lang,
) -> impl IntoView + use<> {
    let (here, there) = (found.here, found.there);
    let count = |it| format::count(it, lang);
    let bytes = |it| format::bytes(it, lang);
    let time = |it| format::duration(it, lang);
    let length = |it: v1::page::DigestTotals| it.time_end_ns - it.time_start_ns;
    type Write<'a> = &'a dyn Fn(u64) -> String;
    let lines: [(&str, u64, u64, Write<'_>); 6] = [
        (t.flows, here.flows, there.flows, &count),
        (t.views[3], here.sessions, there.sessions, &count),
        (t.hosts, here.hosts, there.hosts, &count),
        (t.packets, here.packets, there.packets, &count),
        (t.bytes, here.bytes, there.bytes, &bytes),
        (t.duration, length(here), length(there), &time),
    ];
    let lines = lines.map(|(title, here, there, write)| {
        view! {
            <tr>
                <th scope="row">{title.to_owned()}</th>
                <td class="num">{write(here)}</td>
                <td class="num">{write(there)}</td>
                <td class="num">{change(here, there, write)}</td>
            </tr>
        }
    });
    let lines = lines.collect_view();
    let [one, other] = names;
    view! {
        <Panel title=t.beside.in_figures.to_owned()>
            <Sideways label=t.beside.in_figures>
                <table class="compare figures">
                    <thead>
                        <tr>
                            <td></td>
                            <th scope="col" class="num" title=one>{t.beside.here}</th>
                            <th scope="col" class="num" title=other>{t.beside.there}</th>
                            <th scope="col" class="num">{t.beside.difference}</th>
                        </tr>
                    </thead>
                    <tbody>
                        {lines}
                        <tr>
                            <th scope="row">{t.beside.begins}</th>
                            <td class="num mono">{format::second(here.time_start_ns)}</td>
                            <td class="num mono">{format::second(there.time_start_ns)}</td>
                            <td></td>
                        </tr>
                    </tbody>
                </table>
            </Sideways>
        </Panel>
    }
}

/// Whether a row is among what is chosen: all, new, gone, changed.
fn is_among(row: &ComparedRow, chosen: usize) -> bool {
    match chosen {
        1 => row.here.is_none(),
        2 => row.there.is_none(),
        3 => row.here.is_some() && row.there.is_some(),
        _ => true,
    }
}

/// One kind of thing.
#[component]
fn Part(part: ComparedPart) -> impl IntoView {
    let (t, lang) = texts();
    let title = word(&t.beside.parts, &part.kind);
    let counts = [
        (part.new, t.beside.new),
        (part.gone, t.beside.gone),
        (part.changed, t.beside.changed),
        (part.same, t.beside.same),
    ];
    let counts = counts.map(|(n, word)| format!("{}\u{a0}{word}", format::count(n, lang)));
    let counts = counts.join(" · ");
    let (chosen, shows_all) = (RwSignal::new(0), RwSignal::new(false));
    let differing = part.new + part.gone + part.changed;
    let listed = part.rows.len() as u64;
    let notes = [
        (listed < differing).then(|| (t.beside.first_rows)(&format::count(listed, lang))),
        part.is_cut.then(|| t.beside.is_cut.to_owned()),
    ];
    let notes = notes.into_iter().flatten();
    let notes = notes.map(|it| view! { <p class="dim inset">{it}</p> }).collect_view();
    let most = part.rows.iter().map(greatest).max().unwrap_or(1).max(1);
    let kind = part.kind.clone();
    let rows = StoredValue::new(part.rows);
    let among = move || {
        let chosen = chosen.get();
        rows.with_value(|it| it.iter().filter(|it| is_among(it, chosen)).count())
    };
    let lines = move || {
        let n = if shows_all.get() { usize::MAX } else { AT_FIRST };
        let chosen = chosen.get();
        rows.with_value(|it| {
            let it = it.iter().filter(|it| is_among(it, chosen)).take(n);
            it.map(|it| line(&kind, it, most, t, lang)).collect_view()
        })
    };
    let right = move || {
        let options = t.beside.shown.map(str::to_owned).to_vec();
        view! { <Switch label=word(&t.beside.parts, &part.kind) options chosen /> }
    };
    let headings = [t.beside.here, t.beside.there, t.beside.difference];
    let headings = headings.map(|it| view! { <th scope="col" class="num">{it}</th> });
    let first = title.clone();
    let table = if differing == 0 {
        view! { <p class="dim inset">{t.beside.all_same}</p> }.into_any()
    } else {
        view! {
            <Sideways label=title.clone()>
                <table class="compared">
                    <thead>
                        <tr><th scope="col">{first}</th>{headings.collect_view()}<td class="wide"></td></tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </Sideways>
            <Show when=move || among() == 0>
                <p class="dim inset">{t.beside.none_of_these}</p>
            </Show>
            <Show when=move || { !shows_all.get() && among() > AT_FIRST }>
                <button type="button" class="more" on:click=move |_| shows_all.set(true)>
                    {move || (t.all_of_them)(&format::count(among() as u64, lang))}
                </button>
            </Show>
            {notes}
        }
        .into_any()
    };
    view! {
        <Panel title class="compared-part" right=right>
            <p class="dim inset">{counts}</p>
            {table}
        </Panel>
    }
}

fn greatest(row: &ComparedRow) -> u64 {
    let bytes = |it: Option<Amount>| it.unwrap_or_default().bytes;
    bytes(row.here).max(bytes(row.there))
}

/// The filter that finds the flows of a thing.
fn filter_of(kind: &str, key: &str) -> String {
    match kind {
        "labels" => terms::term("label", key),
        "protocols" => terms::term("proto", key),
        "names" => terms::term("name", key),
        "hosts" => terms::term("ip", key),
        _ => statistic_filter(kind, key),
    }
}

fn line(
    kind: &str,
    row: &ComparedRow,
    most: u64,
    t: &'static Texts,
    lang: Lang,
) -> impl IntoView + use<> {
    let is_grouped = matches!(kind, "labels" | "protocols");
    let class = if is_grouped { groups::class(&row.about) } else { "" };
    let mark = is_grouped.then(|| view! { <Mark class letter=groups::letter(&row.about) /> });
    let text = if is_grouped { groups::written(&row.key, lang) } else { row.key.clone() };
    let text_class = if is_grouped || kind == "names" { "" } else { "mono" };
    // Only the open capture has flows to show.
    let title = match row.here {
        Some(_) => {
            let href = Place::flows(filter_of(kind, &row.key)).hash();
            view! { <a class=text_class href=href>{text}</a> }.into_any()
        }
        None => view! { <span class=text_class>{text}</span> }.into_any(),
    };
    let sub = (!is_grouped && !row.about.is_empty())
        .then(|| view! { " " <span class="dim">{row.about.clone()}</span> });
    let tag = match (row.here, row.there) {
        (None, _) => Some((t.beside.is_new, "tag ok")),
        (_, None) => Some((t.beside.is_gone, "tag warn")),
        _ => None,
    };
    let tag = tag.map(|(text, class)| view! { <span class=class>{text}</span> });
    let cell = |amount: Option<Amount>| match amount {
        None => view! { <td class="num dim">"–"</td> }.into_any(),
        Some(it) => {
            let flows = t.n_flows.with(it.flows, lang);
            view! { <td class="num" title=flows>{format::bytes(it.bytes, lang)}</td> }.into_any()
        }
    };
    let (here, there) = (row.here.unwrap_or_default(), row.there.unwrap_or_default());
    let by_bytes = change(here.bytes, there.bytes, |it| format::bytes(it, lang));
    // Equal bytes in other numbers of flows.
    let by_flows = change(here.flows, there.flows, |it| t.n_flows.with(it, lang));
    let difference = if here.bytes == there.bytes { by_flows } else { by_bytes };
    let width = |it: u64| format!("{:.1}%", it as f64 * 100.0 / most as f64);
    view! {
        <tr>
            <td class="title">
                <div class="tagged">{mark}<span>{title}{sub}</span>{tag}</div>
            </td>
            {cell(row.here)}
            {cell(row.there)}
            <td class="num">{difference}</td>
            <td class="wide">
                <div class=format!("twin {class}") aria-hidden="true">
                    <i style:width=width(here.bytes)></i>
                    <i style:width=width(there.bytes)></i>
                </div>
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_its_sign() {
        let write = |it: u64| it.to_string();
        assert_eq!(change(5, 5, write), "0");
        assert_eq!(change(5, 7, write), "+2");
        assert_eq!(change(7, 5, write), "−2");
    }

    #[test]
    fn a_thing_leads_to_its_flows() {
        assert_eq!(filter_of("hosts", "10.0.0.1"), "ip:10.0.0.1");
        assert_eq!(filter_of("ports", "tcp/443"), "transport:tcp server_port:443");
        assert_eq!(filter_of("names", "a b"), "name:\"a b\"");
    }
}
