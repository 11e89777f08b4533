//! A table whose last column is a bar.

use leptos::prelude::*;

use crate::parts::small::Mark;

/// A row of it.
#[derive(Clone, Debug, Default)]
pub struct Bar {
    /// The class of its colour; empty for none, and no mark.
    pub class: &'static str,
    /// The mark's letter.
    pub letter: &'static str,
    /// What it is.
    pub title: String,
    /// Where it leads; empty for nowhere.
    pub href: String,
    /// What stands dimmed beside it.
    pub sub: String,
    /// Its numbers, as text.
    pub figures: Vec<String>,
    /// The bar's length, of 1.
    pub share: f64,
    /// Whether the title is an address or the like.
    pub is_mono: bool,
}

/// The bars, the first few of them until all are wanted.
#[component]
pub fn Bars(
    /// The headings: of the title, then of each figure.
    headings: Vec<String>,
    /// The rows.
    bars: Vec<Bar>,
    /// How many are shown at first.
    #[prop(default = 10)]
    at_first: usize,
    /// What the button for the rest says.
    #[prop(optional)]
    more: String,
) -> impl IntoView {
    let shows_all = RwSignal::new(bars.len() <= at_first + 1);
    let head = headings.into_iter().enumerate().map(|(at, heading)| {
        let class = if at == 0 { "" } else { "num" };
        view! { <th scope="col" class=class>{heading}</th> }
    });
    let head = head.collect_view();
    let bars = StoredValue::new(bars);
    let rows = move || {
        let n = if shows_all.get() { usize::MAX } else { at_first };
        bars.with_value(|bars| bars.iter().take(n).cloned().map(row).collect_view())
    };
    view! {
        <table class="bars">
            <thead>
                <tr>{head}<td class="wide"></td></tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        <Show when=move || !shows_all.get()>
            <button type="button" class="more" on:click=move |_| shows_all.set(true)>{more.clone()}</button>
        </Show>
    }
}

fn row(bar: Bar) -> impl IntoView {
    let class = bar.class;
    let mark = (!bar.letter.is_empty()).then(|| view! { <Mark class=class letter=bar.letter /> });
    let text_class = if bar.is_mono { "mono" } else { "" };
    let title = if bar.href.is_empty() {
        view! { <span class=text_class>{bar.title}</span> }.into_any()
    } else {
        view! { <a class=text_class href=bar.href.clone()>{bar.title}</a> }.into_any()
    };
    let sub = (!bar.sub.is_empty()).then(|| view! { " " <span class="dim">{bar.sub}</span> });
    let figures = bar.figures.into_iter().enumerate().map(|(at, figure)| {
        // The first number is the one that leads to the flows too.
        let cell = if at == 0 && !bar.href.is_empty() {
            view! { <a href=bar.href.clone() tabindex="-1">{figure}</a> }.into_any()
        } else {
            figure.into_any()
        };
        view! { <td class="num">{cell}</td> }
    });
    let figures = figures.collect_view();
    // What there is little of is seen still, what there is nothing of is not.
    let least = if bar.share > 0.0 { 0.6 } else { 0.0 };
    let width = format!("{:.1}%", (bar.share * 100.0).clamp(least, 100.0));
    view! {
        <tr>
            <td class="title">{mark}{title}{sub}</td>
            {figures}
            <td class="wide">
                <div class=format!("track {class}")>
                    <i style:width=width></i>
                </div>
            </td>
        </tr>
    }
}
