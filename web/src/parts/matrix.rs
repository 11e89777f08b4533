//! Who was taken for whom: a table whose cells are coloured by their share of the row and can be opened.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

/// More classes than these would be too small to tell apart; the others are in the table of classes.
pub const MAX_CLASSES: usize = 40;

/// Counts, row by row: what it is, then what was said. A row may have one more column than there are classes: nothing said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The classes by their names.
    pub classes: Vec<String>,
    /// The numbers.
    pub counts: Vec<Vec<u64>>,
}

/// The words around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// What the whole shows.
    pub label: String,
    /// What rows are.
    pub is: String,
    /// What columns are.
    pub said: String,
    /// The column of what nothing was said of.
    pub nothing: String,
}

impl Counts {
    /// A number; 0 where there is none.
    pub fn at(&self, is: usize, said: usize) -> u64 {
        self.counts.get(is).and_then(|it| it.get(said)).copied().unwrap_or(0)
    }

    /// All of a class.
    pub fn of_class(&self, is: usize) -> u64 {
        self.counts.get(is).map_or(0, |it| it.iter().sum())
    }

    /// The part of its row a cell has; 0 of an empty row.
    pub fn share(&self, is: usize, said: usize) -> f64 {
        match self.of_class(is) {
            0 => 0.0,
            all => self.at(is, said) as f64 / all as f64,
        }
    }

    /// Whether of any row nothing was said.
    pub fn has_nothing(&self) -> bool {
        let n = self.classes.len();
        (0..n).any(|is| self.at(is, n) > 0)
    }

    /// The classes that are drawn: those with most rows, in their order.
    pub fn drawn(&self) -> Vec<usize> {
        let mut drawn: Vec<usize> = (0..self.classes.len()).collect();
        drawn.sort_by_key(|it| std::cmp::Reverse(self.of_class(*it)));
        drawn.truncate(MAX_CLASSES);
        drawn.sort_unstable();
        drawn
    }
}

/// The colour of a cell: of its kind, the more of the row the stronger; what is there at all can be seen.
fn colour(is_right: bool, share: f64) -> String {
    let name = if is_right { "--right" } else { "--wrong" };
    let percent = if share > 0.0 { 10.0 + share * 90.0 } else { 0.0 };
    format!("color-mix(in srgb, var({name}) {percent:.0}%, var(--surface))")
}

/// Where an arrow leads from a cell, within so many rows and columns.
fn moved(
    (row, column): (usize, usize),
    key: &str,
    (rows, columns): (usize, usize),
) -> Option<(usize, usize)> {
    let to = match key {
        "ArrowUp" => (row.checked_sub(1)?, column),
        "ArrowDown" => (row + 1, column),
        "ArrowLeft" => (row, column.checked_sub(1)?),
        "ArrowRight" => (row, column + 1),
        "Home" => (row, 0),
        "End" => (row, columns.checked_sub(1)?),
        _ => return None,
    };
    (to.0 < rows && to.1 < columns).then_some(to)
}

/// The picture.
#[component]
pub fn Matrix(
    /// What is drawn.
    counts: Counts,
    /// The words around it.
    words: Words,
    /// A cell in a sentence: of class, said as, so many.
    says: fn(&str, &str, u64) -> String,
    /// A number as text.
    number: fn(u64) -> String,
    /// The cell that is open: what it is, what was said.
    #[prop(into)]
    chosen: Signal<Option<(usize, usize)>>,
    /// A cell is wanted.
    on_choose: Callback<(usize, usize)>,
) -> impl IntoView {
    let rows = counts.drawn();
    let n = counts.classes.len();
    let mut columns = rows.clone();
    if counts.has_nothing() {
        columns.push(n);
    }
    let size = (rows.len(), columns.len());
    let name = |at: usize| counts.classes.get(at).unwrap_or(&words.nothing).clone();
    // One cell takes the focus of the tabulator key; arrows lead to the others.
    let focused = RwSignal::new((0, 0));
    let head = columns.iter().map(|at| {
        let name = name(*at);
        view! { <th scope="col"><span title=name.clone()>{name.clone()}</span></th> }
    });
    let head = head.collect_view();
    let body = rows.iter().enumerate().map(|(row, is)| {
        let cells = columns.iter().enumerate().map(|(column, said)| {
            let (is, said) = (*is, *said);
            let count = counts.at(is, said);
            let text = says(&name(is), &name(said), count);
            view! {
                <td style:background-color=colour(is == said, counts.share(is, said))>
                    <button
                        type="button"
                        id=format!("cell-{row}-{column}")
                        aria-label=text.clone()
                        title=text
                        aria-pressed=move || (chosen.get() == Some((is, said))).to_string()
                        tabindex=move || if focused.get() == (row, column) { "0" } else { "-1" }
                        class:is-none=count == 0
                        on:focus=move |_| focused.set((row, column))
                        on:click=move |_| on_choose.run((is, said))
                    >
                        {number(count)}
                    </button>
                </td>
            }
        });
        let name = name(*is);
        view! {
            <tr>
                <th scope="row" title=name.clone()>{name.clone()}</th>
                {cells.collect_view()}
            </tr>
        }
    });
    let body = body.collect_view();
    let on_key = move |event: ev::KeyboardEvent| {
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let key = event.key();
        if !key.starts_with("Arrow") && key != "Home" && key != "End" {
            return;
        }
        event.prevent_default();
        event.stop_propagation();
        if let Some((row, column)) = moved(focused.get_untracked(), &key, size) {
            focused.set((row, column));
            if let Some(cell) = document().get_element_by_id(&format!("cell-{row}-{column}")) {
                drop(cell.unchecked_into::<web_sys::HtmlElement>().focus());
            }
        }
    };
    view! {
        <div class="matrix" on:keydown=on_key>
            <table aria-label=words.label>
                <thead>
                    <tr>
                        <td><span class="is">{words.is}</span><span class="said">{words.said}</span></td>
                        {head}
                    </tr>
                </thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> Counts {
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        Counts { classes, counts: vec![vec![3, 1, 0], vec![0, 0, 0]] }
    }

    #[test]
    fn a_cell_is_coloured_by_its_part_of_the_row() {
        let counts = counts();
        assert_eq!((counts.share(0, 0), counts.share(1, 1)), (0.75, 0.0));
        assert!(!counts.has_nothing());
        assert_eq!(colour(true, 1.0), "color-mix(in srgb, var(--right) 100%, var(--surface))");
        // One of many can still be seen, none cannot.
        assert_eq!(colour(false, 0.001), "color-mix(in srgb, var(--wrong) 10%, var(--surface))");
        assert_eq!(colour(false, 0.0), "color-mix(in srgb, var(--wrong) 0%, var(--surface))");
    }

    #[test]
    fn arrows_stay_within_the_table() {
        assert_eq!(moved((0, 0), "ArrowUp", (2, 2)), None);
        assert_eq!(moved((0, 0), "ArrowDown", (2, 2)), Some((1, 0)));
        assert_eq!(moved((1, 1), "ArrowRight", (2, 2)), None);
        assert_eq!(moved((1, 0), "End", (2, 3)), Some((1, 2)));
        assert_eq!(moved((1, 0), "x", (2, 3)), None);
    }

    #[test]
    fn of_too_many_classes_the_greatest_are_drawn() {
        let n = MAX_CLASSES + 2;
        let row = |it: usize| vec![it as u64; n + 1];
        let counts = Counts {
            classes: (0..n).map(|it| it.to_string()).collect(),
            counts: (0..n).map(row).collect(),
        };
        assert_eq!(counts.drawn(), (2..n).collect::<Vec<_>>());
    }
}
