//! A table of texts: what it is in the first column, then its numbers, and a bar where there is one.

use leptos::prelude::*;

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What stands there.
    pub text: String,
    /// The class of its look.
    pub class: &'static str,
}

impl Text {
    /// A number.
    pub fn number(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "num" }
    }

    /// Anything else.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "" }
    }

    /// An address, or a time.
    pub fn mono(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: "mono" }
    }
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The class of its look.
    pub class: &'static str,
    /// What it is about.
    pub title: String,
    /// Its cells after that.
    pub cells: Vec<Text>,
    /// The length of its bar, of 1.
    pub bar: Option<f64>,
}

/// The table.
#[component]
pub fn Plain(
    /// The class of its look.
    class: &'static str,
    /// Its headings.
    headings: Vec<Text>,
    /// Its rows.
    lines: Vec<Line>,
) -> impl IntoView {
    let has_bars = lines.iter().any(|it| it.bar.is_some());
    let n_columns = (headings.len() + usize::from(has_bars)).to_string();
    let headings = headings.into_iter();
    let headings = headings.map(|it| view! { <th scope="col" class=it.class>{it.text}</th> });
    let headings = headings.collect_view();
    let lines = lines.into_iter().map(|line| {
        // A line without cells is the heading of those below it.
        let is_heading = line.cells.is_empty();
        let scope = if is_heading { "rowgroup" } else { "row" };
        let colspan = is_heading.then(|| n_columns.clone());
        let cells = line.cells.into_iter().map(|it| view! { <td class=it.class>{it.text}</td> });
        let cells = cells.collect_view();
        let bar = line.bar.map(|it| {
            let width = format!("{:.1}%", (it * 100.0).clamp(0.0, 100.0));
            view! { <td class="wide"><div class="track"><i style:width=width></i></div></td> }
        });
        view! {
            <tr class=line.class>
                <th scope=scope class="title" colspan=colspan title=line.title.clone()>{line.title.clone()}</th>
                {cells}
                {bar}
            </tr>
        }
    });
    view! {
        <table class=class>
            <thead>
                <tr>{headings} {has_bars.then(|| view! { <td class="wide"></td> })}</tr>
            </thead>
            <tbody>{lines.collect_view()}</tbody>
        </table>
    }
}
