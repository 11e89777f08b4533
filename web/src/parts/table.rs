//! A table of any length: only the rows in sight are in the page, between two empty ones that hold the place of the rest.

use leptos::{ev, html, prelude::*};
use wasm_bindgen::{JsCast, prelude::Closure};

use crate::state::Step;

/// The height of a row in pixels, as the style sheet has it.
const ROW: f64 = 26.0;
/// The height of the heading.
const HEAD: f64 = 30.0;
/// Browsers cut an element's height off, the strictest near 17.8 million pixels; a list beyond this is scrolled faster.
const MAX_HEIGHT: f64 = 15_000_000.0;
/// Rows made beyond those in sight.
const SPARE: u32 = 8;

/// A column's heading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Its text.
    pub title: String,
    /// Its cells' class, which sets the width.
    pub class: &'static str,
    /// Whether it can be sorted by.
    pub is_sortable: bool,
    /// Sorted by it: `Some(true)` greatest first.
    pub sorted: Option<bool>,
}

/// A row on show.
pub struct Row {
    /// Where it leads.
    pub href: String,
    /// It is the one that is open.
    pub is_open: bool,
    /// What stands in each column; the first is within the link.
    pub cells: Vec<AnyView>,
}

/// Which rows are in sight, and how many pixels stand for those before and after.
///
/// In a list too long for the browser every pixel scrolled stands for more than its share of rows.
pub fn visible(scroll: f64, height: f64, total: u32) -> (u32, u32, f64, f64) {
    let full = f64::from(total) * ROW;
    let shown = full.min(MAX_HEIGHT);
    let in_sight = (height / ROW).ceil().max(1.0);
    let first = if full > shown {
        let most = (shown - height).max(1.0);
        (scroll.min(most) / most * (f64::from(total) - height / ROW)).max(0.0)
    } else {
        scroll / ROW
    };
    let first = (first.floor() as u32).min(total.saturating_sub(1));
    let start = first.saturating_sub(SPARE);
    let end = first.saturating_add(in_sight as u32 + 1 + SPARE).min(total);
    let before = if full > shown {
        (scroll - f64::from(first - start) * ROW).clamp(0.0, shown)
    } else {
        f64::from(start) * ROW
    };
    let after = (shown - before - f64::from(end - start) * ROW).max(0.0);
    (start, end, before, after)
}

/// How far to scroll so that a row is in sight; nothing where it is.
fn scroll_to(row: u32, scroll: f64, height: f64, total: u32) -> Option<f64> {
    let full = f64::from(total) * ROW;
    let room = height - HEAD;
    if full > MAX_HEIGHT {
        let most = MAX_HEIGHT - height;
        let wanted = f64::from(row) / f64::from(total) * most;
        return ((wanted - scroll).abs() > room / 2.0).then_some(wanted);
    }
    let top = f64::from(row) * ROW;
    if top < scroll {
        Some(top)
    } else if top + ROW > scroll + room {
        Some(top + ROW - room)
    } else {
        None
    }
}

/// The table.
#[component]
pub fn Table(
    /// What it lists.
    label: String,
    /// The columns.
    columns: Signal<Vec<Column>>,
    /// A heading was pressed.
    #[prop(optional, into)]
    on_sort: Option<Callback<usize>>,
    /// How many rows there are.
    total: Signal<u64>,
    /// A row, once it is there.
    row: Callback<u32, Option<Row>>,
    /// These rows are in sight.
    on_need: Callback<(u32, u32)>,
    /// A row was chosen: its number.
    on_open: Callback<u32>,
    /// The row the keyboard is on.
    cursor: RwSignal<Option<u32>>,
    /// Opening goes along with the cursor.
    #[prop(optional, into)]
    follows: Signal<bool>,
    /// Keys for the list, numbered.
    keys: RwSignal<(u32, Option<Step>)>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let scroll = RwSignal::new(0.0_f64);
    let height = RwSignal::new(600.0_f64);
    let total = Memo::new(move |_| u32::try_from(total.get()).unwrap_or(u32::MAX));
    let window = Memo::new(move |_| visible(scroll.get(), height.get(), total.get()));
    let rows = Memo::new(move |_| (window.get().0, window.get().1));
    Effect::new(move |_| {
        let (first, end) = rows.get();
        on_need.run((first, end.saturating_sub(1)));
    });

    // The frame's height, whenever it changes.
    let observer = StoredValue::new_local(None);
    Effect::new(move |_| {
        let Some(element) = frame.get() else { return };
        height.set(f64::from(element.client_height()));
        let watched = element.clone();
        let on_resize = Closure::<dyn FnMut()>::new(move || {
            height.try_set(f64::from(watched.client_height()));
        });
        if let Ok(made) = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()) {
            made.observe(&element);
            observer.set_value(Some((made, on_resize)));
        }
    });
    on_cleanup(move || {
        observer.try_update_value(|it: &mut Option<(web_sys::ResizeObserver, Closure<_>)>| {
            if let Some((observer, _)) = it.take() {
                observer.disconnect();
            }
        });
    });

    // The row the cursor is put on comes into sight; a list without one begins at its top.
    Effect::new(move |_| {
        let (Some(element), at, total) = (frame.get(), cursor.get(), total.get()) else { return };
        let wanted = match at {
            Some(at) if total > 0 => {
                scroll_to(at, f64::from(element.scroll_top()), height.get_untracked(), total)
            }
            Some(_) => None,
            None => Some(0.0),
        };
        if let Some(wanted) = wanted {
            // By then the rows before and after have their height.
            request_animation_frame(move || element.set_scroll_top(wanted as i32));
        }
    });
    let move_to = move |to: u32| {
        let total = total.get_untracked();
        if total == 0 {
            return;
        }
        let to = to.min(total - 1);
        cursor.set(Some(to));
        if follows.get_untracked() {
            on_open.run(to);
        }
    };
    let step = move |step: Step| {
        let here = cursor.get_untracked();
        match step {
            Step::Next => move_to(here.map_or(0, |it| it.saturating_add(1))),
            Step::Previous => move_to(here.map_or(0, |it| it.saturating_sub(1))),
            Step::First => move_to(0),
            Step::Last => move_to(u32::MAX),
            Step::Open => {
                if let Some(here) = here {
                    on_open.run(here);
                }
            }
            Step::Keep | Step::Exclude | Step::Host | Step::Copy | Step::Save => {}
        }
    };
    let heard = StoredValue::new(keys.get_untracked().0);
    Effect::new(move |_| {
        let (number, asked) = keys.get();
        if number != heard.get_value() {
            heard.set_value(number);
            if let Some(asked) = asked {
                step(asked);
            }
        }
    });
    let on_key = move |event: ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let page = (height.get_untracked() / ROW) as u32;
        let here = cursor.get_untracked().unwrap_or(0);
        match event.key().as_str() {
            "ArrowDown" => step(Step::Next),
            "ArrowUp" => step(Step::Previous),
            "PageDown" => move_to(here.saturating_add(page)),
            "PageUp" => move_to(here.saturating_sub(page)),
            "Home" => step(Step::First),
            "End" => step(Step::Last),
            "Enter" => step(Step::Open),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };

    let name = label.clone();
    let headings = move || {
        let columns = columns.get().into_iter().enumerate();
        columns.map(|(at, column)| heading(at, column, on_sort)).collect_view()
    };
    view! {
        <div
            class="scroll"
            node_ref=frame
            tabindex="0"
            role="group"
            aria-label=label
            on:scroll=move |_| {
                if let Some(element) = frame.get_untracked() {
                    scroll.set(f64::from(element.scroll_top()));
                }
            }
            on:keydown=on_key
        >
            <table class="long" aria-label=name aria-rowcount=move || (total.get() + 1).to_string()>
                <thead>
                    <tr>{headings}</tr>
                </thead>
                <tbody>
                    <tr class="spacer" aria-hidden="true">
                        <td style:height=move || format!("{}px", window.get().2)></td>
                    </tr>
                    <For each=move || { let (first, end) = rows.get(); first..end } key=|at| *at let:at>
                        {move || line(at, row.run(at), columns, cursor, on_open)}
                    </For>
                    <tr class="spacer" aria-hidden="true">
                        <td style:height=move || format!("{}px", window.get().3)></td>
                    </tr>
                </tbody>
            </table>
        </div>
    }
}

fn heading(at: usize, column: Column, on_sort: Option<Callback<usize>>) -> impl IntoView {
    let order = column.sorted.map(|is_descending| match is_descending {
        true => ("descending", "▾"),
        false => ("ascending", "▴"),
    });
    let arrow = view! { <span class="arrow" aria-hidden="true">{order.map(|it| it.1)}</span> };
    let content = match on_sort.filter(|_| column.is_sortable) {
        Some(on_sort) => {
            view! { <button type="button" on:click=move |_| on_sort.run(at)>{column.title}{arrow}</button> }.into_any()
        }
        None => column.title.into_any(),
    };
    view! { <th scope="col" class=column.class aria-sort=order.map(|it| it.0)>{content}</th> }
}

fn line(
    at: u32,
    row: Option<Row>,
    columns: Signal<Vec<Column>>,
    cursor: RwSignal<Option<u32>>,
    on_open: Callback<u32>,
) -> AnyView {
    let classes: Vec<&'static str> =
        columns.with_untracked(|it| it.iter().map(|it| it.class).collect());
    let Some(row) = row else {
        let cells = classes.into_iter().map(|class| view! { <td class=class></td> });
        return view! { <tr class="coming" aria-rowindex=(at + 2).to_string()>{cells.collect_view()}</tr> }
            .into_any();
    };
    let cells = row.cells.into_iter().zip(classes).enumerate().map(|(n, (cell, class))| {
        if n == 0 {
            view! { <td class=class><a href=row.href.clone() tabindex="-1">{cell}</a></td> }
                .into_any()
        } else {
            view! { <td class=class>{cell}</td> }.into_any()
        }
    });
    let cells = cells.collect_view();
    view! {
        <tr
            aria-rowindex=(at + 2).to_string()
            aria-selected=row.is_open.then_some("true")
            class:cursor=move || cursor.get() == Some(at)
            on:click=move |event| {
                // A link in the row goes its own way, and so does text being selected.
                let is_link = event
                    .target()
                    .and_then(|it| it.dyn_into::<web_sys::Element>().ok())
                    .and_then(|it| it.closest("a, button").ok().flatten())
                    .is_some();
                if !is_link || event.default_prevented() {
                    cursor.set(Some(at));
                    on_open.run(at);
                }
            }
        >
            {cells}
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_in_sight_follow_the_scrolling() {
        assert_eq!(visible(0.0, 260.0, 0), (0, 0, 0.0, 0.0));
        let (start, end, before, after) = visible(2_600.0, 260.0, 1_000);
        assert_eq!((start, end), (92, 119));
        assert_eq!(before, 92.0 * ROW);
        assert_eq!(before + after + 27.0 * ROW, 1_000.0 * ROW);
    }

    #[test]
    fn a_list_beyond_the_browsers_limit_is_reached_whole() {
        let total = 5_000_000;
        let (start, ..) = visible(0.0, 520.0, total);
        assert_eq!(start, 0);
        let (_, end, before, after) = visible(MAX_HEIGHT - 520.0, 520.0, total);
        assert_eq!(end, total);
        assert!(before + after < MAX_HEIGHT + 1.0);
    }

    #[test]
    fn a_row_out_of_sight_is_scrolled_to() {
        assert_eq!(scroll_to(5, 0.0, 530.0, 1_000), None);
        assert_eq!(scroll_to(0, 100.0, 530.0, 1_000), Some(0.0));
        assert_eq!(scroll_to(100, 0.0, 530.0, 1_000), Some(101.0 * ROW - 500.0));
    }
}
