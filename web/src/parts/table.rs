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
    /// What stands small after it.
    pub note: String,
    /// Its cells' class, which sets the width where nothing else does.
    pub class: &'static str,
    /// How wide it is, in pixels.
    pub width: Option<u16>,
    /// It is as wide as others leave room for; `width` is the least then.
    pub is_elastic: bool,
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

/// A cell, and where a menu of it can open: pixels from the window's left and top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// The row's number.
    pub row: u32,
    /// The column's number.
    pub column: usize,
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// The element of the table on show: what the focus goes back to.
pub const ID: &str = "rows";
/// How many pixels a key makes a column wider.
const KEY_STEP: i32 = 8;
/// How narrow and how wide a column can be made.
const NARROWEST: i32 = 40;
const WIDEST: i32 = 900;

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

/// The table: a grid whose cells arrow keys walk over, the headings included.
#[component]
pub fn Table(
    /// What it lists.
    label: String,
    /// The columns.
    columns: Signal<Vec<Column>>,
    /// A heading was pressed.
    #[prop(optional, into)]
    on_sort: Option<Callback<usize>>,
    /// A column was made this wide.
    #[prop(optional, into)]
    on_size: Option<Callback<(usize, u16)>>,
    /// The menu of a cell is asked for.
    #[prop(optional, into)]
    on_menu: Option<Callback<Spot>>,
    /// What the button of that menu is called.
    #[prop(optional)]
    menu_label: &'static str,
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
    /// The column the keyboard is on.
    #[prop(optional, into)]
    cell: Option<RwSignal<usize>>,
    /// Opening goes along with the cursor.
    #[prop(optional, into)]
    follows: Signal<bool>,
    /// Keys for the list, numbered.
    keys: RwSignal<(u32, Option<Step>)>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let cell = cell.unwrap_or_else(|| RwSignal::new(0));
    // The keyboard is on the headings.
    let is_head = RwSignal::new(false);
    let is_pressed = StoredValue::new(false);
    let scroll = RwSignal::new(0.0_f64);
    // Columns are scrolled away below the first one.
    let is_sideways = RwSignal::new(false);
    let height = RwSignal::new(600.0_f64);
    let total = Memo::new(move |_| u32::try_from(total.get()).unwrap_or(u32::MAX));
    let window = Memo::new(move |_| visible(scroll.get(), height.get(), total.get()));
    let rows = Memo::new(move |_| (window.get().0, window.get().1));
    let n_columns = Memo::new(move |_| columns.with(Vec::len));
    let at_cell = Memo::new(move |_| cell.get().min(n_columns.get().saturating_sub(1)));
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
    // So does its column, beside the first one, which stays.
    Effect::new(move |_| {
        let (Some(element), column) = (frame.get(), at_cell.get()) else { return };
        request_animation_frame(move || column_into_sight(&element, column));
    });
    let move_to = move |to: u32| {
        let total = total.get_untracked();
        if total == 0 {
            return;
        }
        let to = to.min(total - 1);
        is_head.set(false);
        cursor.set(Some(to));
        if follows.get_untracked() {
            on_open.run(to);
        }
    };
    let move_cell = move |to: usize| cell.set(to.min(n_columns.get_untracked().saturating_sub(1)));
    let sort = move || {
        let at = at_cell.get_untracked();
        let is_sortable = columns.with_untracked(|it| it.get(at).is_some_and(|it| it.is_sortable));
        if let Some(on_sort) = on_sort.filter(|_| is_sortable) {
            on_sort.run(at);
        }
    };
    let step = move |step: Step| {
        let here = cursor.get_untracked();
        let at = at_cell.get_untracked();
        match step {
            Step::Next if is_head.get_untracked() => move_to(here.unwrap_or(0)),
            Step::Next => move_to(here.map_or(0, |it| it.saturating_add(1))),
            Step::Previous => move_to(here.map_or(0, |it| it.saturating_sub(1))),
            Step::First => move_to(0),
            Step::Last => move_to(u32::MAX),
            Step::Before => move_cell(at.saturating_sub(1)),
            Step::After => move_cell(at + 1),
            Step::Sort => sort(),
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
    let resize = move |by: i32| {
        let at = at_cell.get_untracked();
        if let (Some(on_size), Some(width)) = (on_size, width_of(at)) {
            on_size.run((at, within(width as i32 + by)));
        }
    };
    let menu = move |row: u32, column: usize, place: Option<(f64, f64)>| {
        let Some(on_menu) = on_menu else { return };
        let below = || {
            let id = cell_id(row, column);
            let rect = document().get_element_by_id(&id)?.get_bounding_client_rect();
            Some((rect.left(), rect.bottom()))
        };
        if let Some((x, y)) = place.or_else(below) {
            on_menu.run(Spot { row, column, x, y });
        }
    };
    let menu_here = move || {
        if let Some(row) = cursor.get_untracked().filter(|_| !is_head.get_untracked()) {
            menu(row, at_cell.get_untracked(), None);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let is_end = event.ctrl_key() || event.meta_key();
        let key = event.key();
        if event.alt_key() || is_end && !matches!(key.as_str(), "Home" | "End") {
            return;
        }
        let page = (height.get_untracked() / ROW) as u32;
        let here = cursor.get_untracked().unwrap_or(0);
        let in_head = is_head.get_untracked();
        match key.as_str() {
            "ArrowLeft" if in_head && event.shift_key() => resize(-KEY_STEP),
            "ArrowRight" if in_head && event.shift_key() => resize(KEY_STEP),
            "ArrowLeft" => step(Step::Before),
            "ArrowRight" => step(Step::After),
            "ArrowDown" => step(Step::Next),
            "ArrowUp" if in_head => {}
            "ArrowUp" if cursor.get_untracked() == Some(0) => is_head.set(true),
            "ArrowUp" => step(Step::Previous),
            "PageDown" => move_to(here.saturating_add(page)),
            "PageUp" => move_to(here.saturating_sub(page)),
            "Home" => {
                move_cell(0);
                if is_end {
                    step(Step::First);
                }
            }
            "End" => {
                move_cell(usize::MAX);
                if is_end {
                    step(Step::Last);
                }
            }
            "Enter" | " " if in_head => sort(),
            "Enter" => step(Step::Open),
            "ContextMenu" if on_menu.is_some() => menu_here(),
            "F10" if event.shift_key() && on_menu.is_some() => menu_here(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let on_context = move |event: ev::MouseEvent| {
        if on_menu.is_none() || has_selection() {
            return;
        }
        let place = (f64::from(event.client_x()), f64::from(event.client_y()));
        match cell_of(event.target()) {
            Some((row, column)) => {
                is_head.set(false);
                cursor.set(Some(row));
                cell.set(column);
                menu(row, column, Some(place));
            }
            None if is_of(event.target(), "thead") => return,
            // The key that asks for a menu.
            None => menu_here(),
        }
        event.prevent_default();
    };
    let on_focus = move |_| {
        // Whoever presses a cell means that cell.
        if !is_pressed.get_value() && cursor.get_untracked().is_none() && total.get_untracked() > 0
        {
            let first = window.get_untracked().0;
            let is_scrolled = scroll.get_untracked() >= ROW;
            cursor.set(Some(first + if is_scrolled { SPARE.min(first + 1) } else { 0 }));
        }
    };
    let active = move || match (is_head.get(), cursor.get()) {
        (true, _) => Some(heading_id(at_cell.get())),
        // Only a row in the page can be named.
        (false, Some(row)) => {
            let (first, end) = rows.get();
            (first..end).contains(&row).then(|| cell_id(row, at_cell.get()))
        }
        (false, None) => None,
    };

    let on_button = Callback::new(move |(row, column)| menu(row, column, None));
    let button = on_menu.map(|_| (menu_label, on_button));
    let body = Body { columns, cursor, cell, on_open, button };
    let sized = RwSignal::new(None::<(usize, u16)>);
    let widths = move || {
        let columns = columns.get().into_iter().enumerate();
        let width = move |at: usize, it: &Column| {
            let live = sized.get().filter(|it| it.0 == at).map(|it| it.1);
            live.or(it.width.filter(|_| !it.is_elastic)).map(|it| format!("{it}px"))
        };
        columns.map(|(at, it)| view! { <col style:width=move || width(at, &it) /> }).collect_view()
    };
    let least = move || {
        let columns = columns.get();
        let widths = columns.iter().map(|it| it.width.map(u32::from));
        let all = widths.sum::<Option<u32>>().filter(|_| !columns.is_empty());
        all.map(|it| format!("{it}px"))
    };
    let headings = move || {
        let columns = columns.get().into_iter().enumerate();
        let heading = |(at, column)| {
            let is_active = Memo::new(move |_| is_head.get() && at_cell.get() == at);
            heading(at, column, on_sort, on_size, sized, is_active)
        };
        columns.map(heading).collect_view()
    };
    view! {
        <div
            class="scroll"
            class:is-sideways=Memo::new(move |_| is_sideways.get())
            node_ref=frame
            on:scroll=move |_| {
                if let Some(element) = frame.get_untracked() {
                    scroll.set(f64::from(element.scroll_top()));
                    is_sideways.set(element.scroll_left() > 0);
                }
            }
        >
            <table
                class="long"
                id=ID
                role="grid"
                tabindex="0"
                aria-label=label
                aria-rowcount=move || (total.get() + 1).to_string()
                aria-colcount=move || n_columns.get().to_string()
                aria-activedescendant=active
                style:min-width=least
                on:keydown=on_key
                on:contextmenu=on_context
                on:focus=on_focus
                on:pointerdown=move |_| is_pressed.set_value(true)
                on:pointerup=move |_| is_pressed.set_value(false)
                on:pointercancel=move |_| is_pressed.set_value(false)
            >
                <colgroup>{widths}</colgroup>
                <thead>
                    <tr aria-rowindex="1">{headings}</tr>
                </thead>
                <tbody>
                    <tr class="spacer" aria-hidden="true">
                        <td style:height=move || format!("{}px", window.get().2)></td>
                    </tr>
                    <For each=move || { let (first, end) = rows.get(); first..end } key=|at| *at let:at>
                        {
                            let active = Memo::new(move |_| {
                                let is_here = cursor.get() == Some(at) && !is_head.get();
                                is_here.then(|| at_cell.get())
                            });
                            move || line(at, row.run(at), active.get(), body)
                        }
                    </For>
                    <tr class="spacer" aria-hidden="true">
                        <td style:height=move || format!("{}px", window.get().3)></td>
                    </tr>
                </tbody>
            </table>
        </div>
    }
}
/// What the rows on show have in common.
#[derive(Clone, Copy)]
struct Body {
    columns: Signal<Vec<Column>>,
    cursor: RwSignal<Option<u32>>,
    cell: RwSignal<usize>,
    on_open: Callback<u32>,
    /// What the button of a cell's menu is called, and what it does.
    button: Option<(&'static str, Callback<(u32, usize)>)>,
}

fn cell_id(row: u32, column: usize) -> String {
    format!("at-{row}-{column}")
}

fn heading_id(column: usize) -> String {
    format!("heading-{column}")
}

/// The row and the column of the cell that an event is about.
fn cell_of(target: Option<web_sys::EventTarget>) -> Option<(u32, usize)> {
    let element = target?.dyn_into::<web_sys::Element>().ok()?;
    let id = element.closest("td[id]").ok()??.id();
    let (row, column) = id.strip_prefix("at-")?.split_once('-')?;
    Some((row.parse().ok()?, column.parse().ok()?))
}

/// Whether an event is about something within these elements.
fn is_of(target: Option<web_sys::EventTarget>, css: &str) -> bool {
    let element = target.and_then(|it| it.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|it| it.closest(css).ok().flatten().is_some())
}

/// Whether text is selected: it is to be copied then, and nothing opened.
fn has_selection() -> bool {
    let selection = web_sys::window().and_then(|it| it.get_selection().ok()).flatten();
    selection.is_some_and(|it| !it.is_collapsed())
}

/// Scrolls sideways until a column is in sight beside the first one.
fn column_into_sight(frame: &web_sys::HtmlElement, column: usize) {
    let heading =
        |at| document().get_element_by_id(&heading_id(at)).map(|it| it.get_bounding_client_rect());
    let (Some(first), Some(wanted)) = (heading(0), heading(column)) else { return };
    if column == 0 {
        return;
    }
    let room = frame.get_bounding_client_rect();
    let right = room.left() + f64::from(frame.client_width());
    let by = if wanted.left() < first.right() {
        wanted.left() - first.right()
    } else if wanted.right() > right {
        (wanted.right() - right).min(wanted.left() - first.right())
    } else {
        return;
    };
    frame.set_scroll_left(frame.scroll_left() + by as i32);
}

fn width_of(column: usize) -> Option<f64> {
    let heading = document().get_element_by_id(&heading_id(column))?;
    Some(heading.get_bounding_client_rect().width())
}

fn within(width: i32) -> u16 {
    width.clamp(NARROWEST, WIDEST) as u16
}

fn heading(
    at: usize,
    column: Column,
    on_sort: Option<Callback<usize>>,
    on_size: Option<Callback<(usize, u16)>>,
    sized: RwSignal<Option<(usize, u16)>>,
    is_active: Memo<bool>,
) -> impl IntoView {
    let order = column.sorted.map(|is_descending| match is_descending {
        true => ("descending", "▾"),
        false => ("ascending", "▴"),
    });
    let arrow = view! { <span class="arrow" aria-hidden="true">{order.map(|it| it.1)}</span> };
    let note =
        (!column.note.is_empty()).then(|| view! { " " <span class="dim">{column.note}</span> });
    let content = match on_sort.filter(|_| column.is_sortable) {
        // The arrow keys come here, and Enter sorts; the button is for the pointer.
        Some(on_sort) => view! {
            <button type="button" tabindex="-1" on:click=move |_| on_sort.run(at)>
                {column.title}{note}{arrow}
            </button>
        }
        .into_any(),
        None => view! { {column.title}{note} }.into_any(),
    };
    let grip = on_size.map(|on_size| grip(at, on_size, sized));
    view! {
        <th
            scope="col"
            id=heading_id(at)
            class=column.class
            class:active=move || is_active.get()
            aria-colindex=(at + 1).to_string()
            aria-sort=order.map(|it| it.0)
        >
            {content}
            {grip}
        </th>
    }
}

/// The edge of a heading, by which the pointer makes the column wider.
fn grip(
    at: usize,
    on_size: Callback<(usize, u16)>,
    sized: RwSignal<Option<(usize, u16)>>,
) -> impl IntoView {
    // Where the pointer went down, and how wide the column was.
    let from = StoredValue::new(None::<(f64, f64)>);
    let now = move |event: &web_sys::PointerEvent| {
        let (x, width) = from.get_value()?;
        Some(within((width + f64::from(event.client_x()) - x) as i32))
    };
    let begin = move |event: web_sys::PointerEvent| {
        event.prevent_default();
        event.stop_propagation();
        let target = event.target().and_then(|it| it.dyn_into::<web_sys::Element>().ok());
        if let (Some(target), Some(width)) = (target, width_of(at)) {
            // Without it the column follows only while the pointer is above.
            drop(target.set_pointer_capture(event.pointer_id()));
            from.set_value(Some((f64::from(event.client_x()), width)));
        }
    };
    let end = move |event: web_sys::PointerEvent| {
        let width = now(&event);
        from.set_value(None);
        sized.set(None);
        if let Some(width) = width {
            on_size.run((at, width));
        }
    };
    view! {
        <span
            class="grip"
            aria-hidden="true"
            on:pointerdown=begin
            on:pointermove=move |event| {
                if let Some(width) = now(&event) {
                    sized.set(Some((at, width)));
                }
            }
            on:pointerup=end
            on:pointercancel=move |_| {
                from.set_value(None);
                sized.set(None);
            }
        ></span>
    }
}

fn line(at: u32, row: Option<Row>, active: Option<usize>, body: Body) -> AnyView {
    let Body { columns, cursor, cell, on_open, button } = body;
    let classes: Vec<&'static str> =
        columns.with_untracked(|it| it.iter().map(|it| it.class).collect());
    let index = (at + 2).to_string();
    let Some(row) = row else {
        let cells = classes.into_iter().map(|class| view! { <td class=class></td> });
        return view! { <tr class="coming" aria-rowindex=index>{cells.collect_view()}</tr> }
            .into_any();
    };
    let cells = row.cells.into_iter().zip(classes).enumerate().map(|(n, (content, class))| {
        let is_active = active == Some(n);
        let class = if is_active { format!("{class} active") } else { class.to_owned() };
        let button = button.filter(|_| is_active).map(|(label, act)| {
            view! {
                <button
                    type="button"
                    class="of-cell"
                    tabindex="-1"
                    aria-label=label
                    title=label
                    aria-haspopup="menu"
                    on:click=move |_| act.run((at, n))
                >
                    "⋯"
                </button>
            }
        });
        let content = if n == 0 {
            view! { <a href=row.href.clone() tabindex="-1">{content}</a> }.into_any()
        } else {
            content
        };
        view! { <td id=cell_id(at, n) class=class aria-colindex=(n + 1).to_string()>{content}{button}</td> }
            .into_any()
    });
    let cells = cells.collect_view();
    view! {
        <tr
            aria-rowindex=index
            aria-selected=row.is_open.then_some("true")
            class:cursor=active.is_some()
            on:click=move |event| {
                // A link or a button in the row goes its own way, and so does text being selected.
                let is_link = is_of(event.target(), "a, button");
                if has_selection() || is_link && !event.default_prevented() {
                    return;
                }
                if let Some((_, column)) = cell_of(event.target()) {
                    cell.set(column);
                }
                cursor.set(Some(at));
                on_open.run(at);
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
