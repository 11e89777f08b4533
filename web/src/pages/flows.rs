//! The flow table, and beside it the flow that is open.

use std::sync::Arc;

use leptos::prelude::*;
use v1::page::{FlowSort, Flows as Answered, Query};
use wasm_bindgen::JsCast;

use crate::{
    app::Chips,
    clock::{self, MODES, Mode},
    columns::{self, Line, Look, Shown, Value},
    format, groups,
    i18n::{Lang, Texts, word},
    pages::{chooser::Chooser, flow::Flow, flow_menu, narrowed::NoneMatch},
    parts::{
        menu::Menu,
        rows::Rows,
        small::{Failure, Mark, Waiting},
        table::{Column, ID, Row, Spot, Table},
    },
    place::{Place, View},
    state::{App, app, texts},
};

/// How wide a column of addresses is by default where there are those of IPv6, in pixels.
const WIDE_ADDRESS: u16 = 330;

/// What the window says besides its rows.
#[derive(Clone, Copy)]
struct Said {
    matching_bytes: RwSignal<u64>,
    matching_flows: RwSignal<u64>,
    total: RwSignal<u64>,
}

/// What the cells of a row are made by.
#[derive(Clone)]
struct Looks {
    shown: Vec<Shown>,
    time: Mode,
    /// When the capture began (ns), and whether it goes on past midnight.
    days: (u64, bool),
}

/// The page.
#[component]
pub fn Flows() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let [matching_bytes, matching_flows, total] = [(); 3].map(|()| RwSignal::new(0));
    let said = Said { matching_bytes, matching_flows, total };
    let rows = fetched(app, said);
    let days = untrack(|| (app.capture_start_ns(), app.has_days()));
    let has_long = untrack(|| app.has_long_addresses());
    let cursor = RwSignal::new(None);
    let cell = RwSignal::new(0);
    // Another filter or order is another list.
    let list = Memo::new(move |_| {
        app.place.with(|it| (it.filter.clone(), it.timeout.clone(), it.sort, it.is_descending))
    });
    Effect::new(move |before: Option<(String, String, FlowSort, bool)>| {
        let now = list.get();
        if before.as_ref() != Some(&now) {
            cursor.set(None);
            rows.reset();
        }
        now
    });
    // A link to a flow puts the cursor on it.
    let linked = Memo::new(move |_| app.place.with(row_of_link));
    Effect::new(move |_| {
        list.track();
        if let Some(at) = linked.get()
            && cursor.get_untracked() != Some(at)
        {
            cursor.set(Some(at));
        }
    });
    let is_open = Memo::new(move |_| app.place.with(|it| !it.id.is_empty()));
    let shown = Memo::new(move |_| {
        let usual = app.usual_columns(is_open.get());
        app.place.with(|it| columns::chosen(&it.columns, usual))
    });
    let time = Memo::new(move |_| app.place.with(|it| it.time));

    let columns = Signal::derive(move || {
        let (.., sort, is_descending) = list.get();
        let time = time.get();
        let columns = shown.get().into_iter().map(|Shown { column, width }| Column {
            title: column.title(lang).to_owned(),
            note: match column.look {
                Look::Moment => time.note(days.0, t),
                _ => String::new(),
            },
            class: if column.look == Look::Number { "num" } else { "" },
            width: Some(width.unwrap_or(usual_width(column, days.1, has_long))),
            is_elastic: width.is_none() && column.is_elastic(),
            is_sortable: column.sort.is_some(),
            sorted: (column.sort == Some(sort)).then_some(is_descending),
        });
        columns.collect()
    });
    let on_sort = Callback::new(move |at: usize| {
        let column = shown.with_untracked(|it| it.get(at).map(|it| it.column));
        let Some((column, sort)) = column.and_then(|it| Some((it, it.sort?))) else { return };
        let place = app.place.get_untracked();
        let is_same = place.sort == sort;
        let is_descending = if is_same { !place.is_descending } else { column.is_from_the_top() };
        app.go(Place { sort, is_descending, ..place });
    });
    let on_size = Callback::new(move |(at, width): (usize, u16)| {
        let mut shown = shown.get_untracked();
        if let Some(it) = shown.get_mut(at) {
            it.width = Some(width);
        }
        let columns = columns::written(&shown, untrack(|| app.usual_columns(false)));
        app.replace(Place { columns, ..app.place.get_untracked() });
    });
    let row = Callback::new(move |at: u32| {
        let line = rows.get(at)?;
        let open = app.place.with(|it| it.id == line.row.flow_id.to_string());
        let href = app.place.with(|it| it.with_id(line.row.flow_id.to_string()).hash());
        let above = at.checked_sub(1).and_then(|it| rows.peek(it));
        let looks = Looks { shown: shown.get(), time: time.get(), days };
        let cells = cells(&line, above.as_deref(), &looks, t, lang);
        Some(Row { href, is_open: open, cells })
    });
    let on_need = Callback::new(move |(first, last)| rows.need(first, last));
    let on_open = Callback::new(move |at: u32| {
        if let Some(line) = rows.peek(at) {
            let place = app.place.get_untracked();
            let next = place.with_id(line.row.flow_id.to_string());
            // From flow to flow Back would lead through all of them.
            if place.id.is_empty() { app.go(next) } else { app.replace(next) }
        }
    });
    let total = Signal::derive(move || rows.total.get().unwrap_or(0));

    // What the keys and the menu are about.
    let at = move |row: u32, column: usize| {
        let shown = shown.get_untracked();
        let column = shown.get(column.min(shown.len().saturating_sub(1)))?.column;
        Some(flow_menu::Cell { line: rows.peek(row)?, column, shown })
    };
    let menu = RwSignal::new(None::<Spot>);
    let on_menu = Callback::new(move |spot| menu.set(Some(spot)));
    let close = Callback::new(move |()| {
        menu.set(None);
        if let Some(table) = document().get_element_by_id(ID) {
            drop(table.unchecked_into::<web_sys::HtmlElement>().focus());
        }
    });
    let menu = move || {
        let spot = menu.get()?;
        let cell = at(spot.row, spot.column)?;
        let label = cell.title(t, lang);
        let groups =
            flow_menu::groups(app, &cell, Callback::new(move |()| on_open.run(spot.row)), t);
        Some(view! { <Menu label place=(spot.x, spot.y) groups on_close=close /> })
    };
    let heard = StoredValue::new(app.step.get_untracked().0);
    Effect::new(move |_| {
        let (number, step) = app.step.get();
        if number == heard.get_value() {
            return;
        }
        heard.set_value(number);
        let here = cursor.get_untracked().and_then(|it| at(it, cell.get_untracked()));
        if let (Some(cell), Some(step)) = (here, step) {
            flow_menu::obey(app, &cell, step, t);
        }
    });
    let has_cell = Signal::derive(move || cursor.get().is_some());

    let counted = move || {
        // Nothing is counted by a filter that is not understood.
        if app.filter_error.with(Option::is_some) {
            return String::new();
        }
        let bytes = format::bytes(said.matching_bytes.get(), lang);
        let (matching, all) = (said.matching_flows.get(), said.total.get());
        let flows = if matching == all {
            t.n_flows.with(all, lang)
        } else {
            (t.of_flows)(&format::count(matching, lang), &t.n_flows.with(all, lang))
        };
        if app.place.with(|it| it.timeout.is_empty()) {
            format!("{flows} · {bytes}")
        } else {
            format!("{} · {flows} · {bytes}", t.n_pieces.with(total.get(), lang))
        }
    };
    let state = move || {
        if let Some(error) = rows.error.get() {
            return Some(view! { <Failure title=t.failed.to_owned() text=error /> }.into_any());
        }
        if let Some(error) = app.filter_error.get() {
            return Some(
                view! { <Failure title=t.filter_wrong.to_owned() text=lang.of(&error.words()) /> }
                    .into_any(),
            );
        }
        match rows.total.get() {
            None => Some(view! { <Waiting text=t.loading /> }.into_any()),
            Some(0) => Some(view! { <NoneMatch /> }.into_any()),
            Some(_) => None,
        }
    };
    view! {
        <div class="page fill">
            <div class="above">
                <Chips />
                <span class="dim" role="status">{counted}</span>
                <span class="push"></span>
                <TimeSwitch />
                <CutSwitch />
                <Chooser />
                <Show when=move || app.has_view(View::Export)>
                    <a class="btn" href=move || app.view(View::Export).hash()>{t.views[5]}</a>
                </Show>
            </div>
            <div class="beside" class:is-split=move || is_open.get()>
                <section class="panel list">
                    {state}
                    <Table
                        label=t.flows.to_owned()
                        columns
                        on_sort
                        on_size
                        on_menu
                        menu_label=t.table.menu
                        total
                        row
                        on_need
                        on_open
                        cursor
                        cell
                        follows=Signal::from(is_open)
                        keys=app.step
                    />
                </section>
                <Show when=move || is_open.get()>
                    <Flow has_cell />
                </Show>
            </div>
            {menu}
        </div>
    }
}

/// How wide a column is where the user says nothing: as wide as the longest of what usually stands in it.
fn usual_width(column: &columns::Column, has_days: bool, has_long: bool) -> u16 {
    match (column.look, column.key) {
        (Look::Moment, _) if has_days => column.width + 44,
        (Look::Client, _) | (Look::Mono, "server_ip") if has_long => WIDE_ADDRESS,
        _ => column.width,
    }
}

/// Which time the table shows.
#[component]
fn TimeSwitch() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let now = Memo::new(move |_| app.place.with(|it| it.time));
    let options = MODES.into_iter().zip(t.table.times).map(|((mode, key), name)| {
        view! { <option value=key prop:selected=move || now.get() == mode>{name}</option> }
    });
    let options = options.collect_view();
    let on_change = move |event| {
        let time = Mode::named(&event_target_value(&event));
        app.replace(Place { time, ..app.place.get_untracked() });
    };
    view! {
        <label class="cut">
            <span>{t.table.time}</span>
            <select id="time" on:change=on_change>{options}</select>
        </label>
    }
}

/// The cuts that are offered, as the command line has them; others can be written in the address.
const CUTS: &[&str] =
    &["", "idle:15", "idle:60", "idle:300", "15", "60", "120", "published:15", "zeek"];

/// By what the table cuts flows. What was read is cut anew; the file is not read again.
#[component]
fn CutSwitch() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let now = Memo::new(move |_| app.place.with(|it| it.timeout.clone()));
    let option = move |cut: String| {
        let value = cut.clone();
        view! { <option value=value prop:selected=move || now.get() == cut>{(t.cut)(&cut)}</option> }
    };
    let options = move || {
        let now = now.get();
        let other = (!CUTS.contains(&&*now)).then_some(now);
        let all = CUTS.iter().map(|it| (*it).to_owned()).chain(other);
        all.map(option).collect_view()
    };
    let on_change = move |event| {
        let place = app.place.get_untracked();
        app.replace(Place { timeout: event_target_value(&event), ..place });
    };
    view! {
        <label class="cut" title=t.cut_hint>
            <span>{t.cut_flows}</span>
            <select id="cut" on:change=on_change>{options}</select>
        </label>
    }
}

/// The row of the flow a link opens, where that can be told: in the list of all, a flow's number is its row.
fn row_of_link(place: &Place) -> Option<u32> {
    let is_whole = place.filter.is_empty() && place.timeout.is_empty();
    let is_all = is_whole && place.sort == FlowSort::Start && !place.is_descending;
    place.id.parse().ok().filter(|_| is_all)
}

fn fetched(app: App, said: Said) -> Rows<Arc<Line>> {
    Rows::new(move |offset, len| {
        let place = app.place.get_untracked();
        let backend = app.backend();
        Box::pin(async move {
            let backend = backend.ok_or("no capture is open")?;
            let query = Query::Flows {
                timeout: place.cut(),
                filter: place.filter,
                sort: place.sort,
                is_descending: place.is_descending,
                offset,
                len,
            };
            let answer: Answered = backend.ask(&query).await?;
            said.matching_bytes.try_set(answer.matching_bytes);
            said.matching_flows.try_set(answer.matching_flows);
            said.total.try_set(answer.total);
            app.filter_error.set(answer.filter_error);
            let besides = answer.sparks.into_iter().zip(answer.health);
            let besides = besides.chain(std::iter::repeat_with(Default::default));
            let lines = answer.rows.into_iter().zip(besides);
            let lines = lines.map(|(row, (spark, health))| Arc::new(Line { row, spark, health }));
            Ok((answer.matching, lines.collect()))
        })
    })
}

fn cells(line: &Line, above: Option<&Line>, looks: &Looks, t: &Texts, lang: Lang) -> Vec<AnyView> {
    let cell = |it: &Shown| {
        let value = (it.column.of)(line);
        match (it.column.look, value) {
            (Look::Label, _) => label(line, t, lang),
            (Look::Guess, _) => guess(line, t, lang),
            (Look::Client, _) => {
                let (ip, port) = (&line.row.client_ip, line.row.client_port);
                address(ip, port).into_any()
            }
            (Look::Server, _) => server(line).into_any(),
            (Look::Spark, _) => spark(line).into_any(),
            (Look::Moment, Value::Moment(nanos)) => {
                let above = above.map(|line| match (it.column.of)(line) {
                    Value::Moment(above) => above,
                    _ => nanos,
                });
                let (short, full) = clock::moment(nanos, looks.time, looks.days, above, lang);
                view! { <span class="mono" title=full>{short}</span> }.into_any()
            }
            (Look::Mono, Value::Text(text)) => {
                view! { <span class="mono" title=text.clone()>{text.clone()}</span> }.into_any()
            }
            (Look::Name, Value::Text(text)) => {
                view! { <span class="parted" title=text.clone()>{ending(&text)}</span> }.into_any()
            }
            (_, Value::Text(text)) if it.column.key == "label" => {
                groups::written(&text, lang).into_any()
            }
            (_, Value::Text(text)) => {
                let text = match it.column.key {
                    "group" => word(&t.groups, &text),
                    _ => text,
                };
                view! { <span title=text.clone()>{text.clone()}</span> }.into_any()
            }
            (_, value @ Value::Bytes(exact)) => {
                let exact = format::count(exact, lang);
                view! { <span title=exact>{columns::shown(&value, lang)}</span> }.into_any()
            }
            (_, value) => columns::shown(&value, lang).into_any(),
        }
    };
    looks.shown.iter().map(cell).collect()
}

fn label(line: &Line, t: &Texts, lang: Lang) -> AnyView {
    let row = &line.row;
    let group = row.rule_group.as_ref().unwrap_or(&row.group);
    let class = groups::class(group);
    let label = columns::rule_label(line);
    view! {
        <span title=word(&t.groups, group)><Mark class letter=groups::letter(group) /></span>
        {groups::written(label, lang)}
        " "
        <span class="dim">{(row.protocol != label).then(|| row.protocol.clone())}</span>
        {row.piece.filter(|it| *it > 0).map(|it| view! { " " <span class="tag">{(t.piece_n)(&format::count(u64::from(it) + 1, lang))}</span> })}
    }
    .into_any()
}

/// What a model takes the flow for, which shall not look like something known.
fn guess(line: &Line, t: &Texts, lang: Lang) -> AnyView {
    let row = &line.row;
    let (Some(label), Some(percent)) = (&row.model_label, row.confidence) else {
        return ().into_any();
    };
    let percent = format!("{percent}\u{a0}%");
    let hint = (t.train.guess_hint)(&percent);
    view! {
        <span title=word(&t.groups, &row.group)><Mark class=groups::class(&row.group) letter=groups::letter(&row.group) /></span>
        <i class="guess" title=hint>{groups::written(label, lang)}" ?"</i>
        " "
        <span class="dim">{percent}</span>
    }
    .into_any()
}

fn port(port: u16) -> impl IntoView {
    (port != 0).then(|| view! { <span class="dim">":"{port.to_string()}</span> })
}

/// An address and its port; where there is too little room, the port stays.
fn address(ip: &str, at: u16) -> impl IntoView {
    view! {
        <span class="mono parted" title=format::endpoint(ip, at)>
            <span>{format::host(ip)}</span>
            {port(at)}
        </span>
    }
}

fn server(line: &Line) -> impl IntoView {
    let row = &line.row;
    match &row.domain_name {
        None => address(&row.server_ip, row.server_port).into_any(),
        Some(name) => view! {
            <span class="parted" title=format!("{name} · {}", row.server_ip)>
                {ending(name)}
                <span class="mono">{port(row.server_port)}</span>
            </span>
        }
        .into_any(),
    }
}

/// A text that is cut at its beginning where there is too little room: the end of a name says whose it is.
fn ending(text: &str) -> impl IntoView {
    view! { <span class="ending"><bdi>{text.to_owned()}</bdi></span> }
}

fn spark(line: &Line) -> impl IntoView {
    let class = groups::class(&line.row.group);
    view! {
        <svg class=format!("spark {class}") width="48" height="15" viewBox="0 0 48 15" aria-hidden="true">
            <path d=spark_path(&line.spark) />
        </svg>
    }
}

/// Sixteen bars of 0 to 15 pixels.
fn spark_path(bars: &[u8]) -> String {
    let bars = bars.iter().enumerate().filter(|it| *it.1 > 0);
    let bars = bars.map(|(at, height)| {
        format!("M{} {}h2v{height}h-2z", at * 3, 15_u8.saturating_sub(*height))
    });
    bars.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_has_a_bar_for_each_number() {
        assert_eq!(spark_path(&[0, 15, 3]), "M3 0h2v15h-2zM6 12h2v3h-2z");
    }
}
