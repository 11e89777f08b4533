//! What there is, layer by layer as a tree, and how long flows last.

use std::sync::Arc;

use leptos::prelude::*;
use v1::page::{Breakdown, DurationBar, Layer, Query};

use crate::{
    format, groups,
    i18n::{Lang, Texts, word},
    parts::{
        bars::{Bar, Bars},
        small::{Mark, Panel, Sideways, Waiting},
    },
    state::{Answer, app, texts},
};

/// Asks what there is.
pub fn ask() -> Answer<Option<Arc<Breakdown>>> {
    let filter = app().filter();
    app().ask(move || Some(Query::Breakdown { filter: filter.get() }))
}

/// A row of the tree: how deep it stands, which rows it stands below, what it is.
struct Line {
    depth: usize,
    /// The places of those above it, the outermost first.
    above: Vec<usize>,
    layer: Layer,
}

/// The tree as lines, outer ones before what is inside them.
fn lines(layers: &[Layer], above: &[usize], out: &mut Vec<Line>) {
    for layer in layers {
        let place = out.len();
        let own = Layer { inside: Vec::new(), ..layer.clone() };
        out.push(Line { depth: above.len(), above: above.to_vec(), layer: own });
        let below: Vec<usize> = above.iter().copied().chain([place]).collect();
        lines(&layer.inside, &below, out);
    }
}

/// The protocol hierarchy as a table whose rows open.
#[component]
pub fn LayersPanel(
    /// What there is.
    answer: Answer<Option<Arc<Breakdown>>>,
) -> impl IntoView {
    let (t, lang) = texts();
    let opened = RwSignal::new(Vec::<bool>::new());
    let right = move || {
        let all = opened.with(|it| it.iter().all(|it| *it));
        let text = if all { t.overview.close_all } else { t.overview.open_all };
        view! {
            <button
                type="button"
                class="btn"
                on:click=move |_| opened.update(|it| it.fill(!all))
            >
                {text}
            </button>
        }
    };
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(why)) => view! { <p class="dim inset">{why}</p> }.into_any(),
        Some(Ok(None)) => ().into_any(),
        Some(Ok(Some(found))) => tree(&found.layers, opened, t, lang).into_any(),
    };
    view! { <Panel title=t.overview.layers.to_owned() class="layers" right=right>{content}</Panel> }
}

fn tree(
    layers: &[Layer],
    opened: RwSignal<Vec<bool>>,
    t: &'static Texts,
    lang: Lang,
) -> impl IntoView + use<> {
    let mut all = Vec::new();
    lines(layers, &[], &mut all);
    // Network and transport are open at first.
    opened.set(all.iter().map(|it| it.depth < 1).collect());
    let whole: u64 = layers.iter().map(|it| it.bytes).sum();
    let has_inside: Vec<bool> = (0..all.len())
        .map(|at| all.get(at + 1).is_some_and(|it| it.above.last() == Some(&at)))
        .collect();
    let rows = all.into_iter().zip(has_inside).enumerate().map(|(at, (line, has_inside))| {
        let Line { depth, above, layer } = line;
        let is_shown =
            move || opened.with(|it| above.iter().all(|at| it.get(*at).copied().unwrap_or(false)));
        let is_open = move || opened.with(|it| it.get(at).copied().unwrap_or(false));
        let name = match layer.kind.as_str() {
            "protocol" | "label" => groups::written(&layer.name, lang),
            "transport" => groups::transport(&layer.name),
            _ => layer.name.clone(),
        };
        let kind = word(&t.overview.layer_kinds, &layer.kind);
        let class = if layer.group.is_empty() { "" } else { groups::class(&layer.group) };
        let mark = (!layer.group.is_empty())
            .then(|| view! { <Mark class letter=groups::letter(&layer.group) /> });
        let label = (t.overview.open_layer)(&name);
        let handle = if has_inside {
            view! {
                <button
                    type="button"
                    class="handle"
                    aria-label=label
                    aria-expanded=move || is_open().to_string()
                    on:click=move |_| opened.update(|it| {
                        if let Some(it) = it.get_mut(at) {
                            *it = !*it;
                        }
                    })
                ></button>
            }
            .into_any()
        } else {
            view! { <span class="handle"></span> }.into_any()
        };
        let href = app().flows_within(&layer.filter).hash();
        let number = |text: String| {
            view! { <td class="num"><a href=href.clone() tabindex="-1">{text}</a></td> }
        };
        let cells = [
            number(format::count(layer.flows, lang)),
            number(format::count(layer.packets, lang)),
            number(format::bytes(layer.bytes, lang)),
        ];
        let width =
            format!("{:.1}%", (layer.bytes as f64 * 100.0 / whole.max(1) as f64).clamp(0.6, 100.0));
        let share = format::percent(layer.bytes, whole, lang);
        let indent = format!("{}px", 16 * depth);
        view! {
            <tr hidden=move || !is_shown()>
                <th scope="row" class="title">
                    <span class="stem" style:padding-left=indent>
                        {handle}
                        {mark}
                        <a href=href.clone()>{name}</a>
                        " "
                        <span class="dim">{kind}</span>
                    </span>
                </th>
                {cells.into_iter().collect_view()}
                <td class="wide" title=share>
                    <div class=format!("track {class}")><i style:width=width></i></div>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Sideways label=t.overview.layers>
            <table class="bars tree">
                <thead>
                    <tr>
                        <th scope="col">{t.overview.layer}</th>
                        <th scope="col" class="num">{t.flows}</th>
                        <th scope="col" class="num">{t.packets}</th>
                        <th scope="col" class="num">{t.bytes}</th>
                        <td class="wide"></td>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </Sideways>
    }
}

/// How long flows last: bars on a logarithmic scale that are a table at once.
#[component]
pub fn DurationsPanel(
    /// What there is.
    answer: Answer<Option<Arc<Breakdown>>>,
) -> impl IntoView {
    let (t, lang) = texts();
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(why)) => view! { <p class="dim inset">{why}</p> }.into_any(),
        Some(Ok(None)) => ().into_any(),
        Some(Ok(Some(found))) => {
            let most = found.durations.iter().map(|it| it.flows).max().unwrap_or(1).max(1);
            let bars = found.durations.iter().map(|it| Bar {
                title: span(it, t, lang),
                href: app().flows_within(&it.filter).hash(),
                figures: vec![format::count(it.flows, lang), format::bytes(it.bytes, lang)],
                share: it.flows as f64 / most as f64,
                ..Bar::default()
            });
            let headings =
                vec![t.overview.lasted.to_owned(), t.flows.to_owned(), t.bytes.to_owned()];
            view! { <Bars headings bars=bars.collect() at_first=20 /> }.into_any()
        }
    };
    view! { <Panel title=t.overview.durations.to_owned() class="durations">{content}</Panel> }
}

/// A bar's durations: `1 s – 3 s`.
fn span(bar: &DurationBar, t: &Texts, lang: Lang) -> String {
    let round = |nanos: u64| {
        // Bounds are round: two units would say nothing.
        let [s, min, h] = match lang {
            Lang::En => ["s", "min", "h"],
            Lang::Ru => ["с", "мин", "ч"],
        };
        match nanos / 1_000_000_000 {
            0 => {
                format!("{}\u{a0}{}", nanos / 1_000_000, if lang == Lang::En { "ms" } else { "мс" })
            }
            it @ 1..60 => format!("{it}\u{a0}{s}"),
            it @ 60..3_600 => format!("{}\u{a0}{min}", it / 60),
            it => format!("{}\u{a0}{h}", it / 3_600),
        }
    };
    match (bar.from_ns, bar.to_ns) {
        (0, _) => t.overview.no_time.to_owned(),
        (1, Some(to)) => (t.overview.up_to)(&round(to)),
        (from, Some(to)) => (t.overview.between)(&round(from), &round(to)),
        (from, None) => (t.overview.from)(&round(from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_in_one_unit() {
        let bar = |from_ns, to_ns| DurationBar { from_ns, to_ns, ..DurationBar::default() };
        let check = |bar: DurationBar, expected: &str| {
            let text = span(&bar, Lang::En.texts(), Lang::En).replace('\u{a0}', " ");
            assert_eq!(text, expected);
        };
        check(bar(0, Some(1)), "one moment");
        check(bar(1, Some(1_000_000)), "under 1 ms");
        check(bar(300_000_000, Some(1_000_000_000)), "300 ms – 1 s");
        check(bar(600_000_000_000, Some(1_800_000_000_000)), "10 min – 30 min");
        check(bar(36_000_000_000_000, None), "10 h and more");
    }

    #[test]
    fn a_tree_is_lines_that_know_what_is_above_them() {
        let leaf = |name: &str| Layer { name: name.into(), ..Layer::default() };
        let tcp = Layer { inside: vec![leaf("tls"), leaf("ssh")], ..leaf("tcp") };
        let mut all = Vec::new();
        lines(&[Layer { inside: vec![tcp], ..leaf("IPv4") }, leaf("IPv6")], &[], &mut all);
        let above: Vec<_> = all.iter().map(|it| (&*it.layer.name, it.above.clone())).collect();
        assert_eq!(
            above,
            [
                ("IPv4", vec![]),
                ("tcp", vec![0]),
                ("tls", vec![0, 1]),
                ("ssh", vec![0, 1]),
                ("IPv6", vec![])
            ]
        );
    }
}
