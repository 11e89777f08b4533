//! The flow table, and beside it the flow that is open.

use std::sync::Arc;

use leptos::prelude::*;
use v1::page::{FlowRow, FlowSort, Flows as Answered, Query};

use crate::{
    app::Chips,
    format, groups,
    i18n::{Lang, Texts, word},
    pages::flow::Flow,
    parts::{
        rows::Rows,
        small::{Failure, Mark, Waiting},
        table::{Column, Row, Table},
    },
    place::{Place, View},
    state::{App, app, texts},
    terms,
};

/// The columns: what they are sorted by, and their class.
const COLUMNS: [(Option<FlowSort>, &str); 8] = [
    (Some(FlowSort::Start), "c-start"),
    (Some(FlowSort::Label), "c-label"),
    (Some(FlowSort::Client), "c-client"),
    (Some(FlowSort::Server), "c-server"),
    (None, "c-spark"),
    (Some(FlowSort::Duration), "c-duration num"),
    (Some(FlowSort::Packets), "c-packets num"),
    (Some(FlowSort::Bytes), "c-bytes num"),
];

type Line = Arc<(FlowRow, Vec<u8>)>;

/// What the window says besides its rows.
#[derive(Clone, Copy)]
struct Said {
    matching_bytes: RwSignal<u64>,
    matching_flows: RwSignal<u64>,
    total: RwSignal<u64>,
}

/// The page.
#[component]
pub fn Flows() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let [matching_bytes, matching_flows, total] = [(); 3].map(|()| RwSignal::new(0));
    let said = Said { matching_bytes, matching_flows, total };
    let rows = fetched(app, said);
    let has_days = untrack(|| app.has_days());
    let cursor = RwSignal::new(None);
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

    let columns = Signal::derive(move || {
        let titles =
            [t.start, t.label, t.client, t.server, t.over_time, t.duration, t.packets, t.bytes];
        let (.., sort, is_descending) = list.get();
        let columns = COLUMNS.into_iter().zip(titles).map(|((by, class), title)| Column {
            title: title.to_owned(),
            class: if has_days && class == "c-start" { "c-start is-dated" } else { class },
            is_sortable: by.is_some(),
            sorted: (by == Some(sort)).then_some(is_descending),
        });
        columns.collect()
    });
    let on_sort = Callback::new(move |at: usize| {
        let Some((Some(sort), _)) = COLUMNS.get(at).copied() else { return };
        let place = app.place.get_untracked();
        // Sizes are looked at from the top, names and times from the bottom.
        let is_size = matches!(sort, FlowSort::Duration | FlowSort::Packets | FlowSort::Bytes);
        let is_descending = if place.sort == sort { !place.is_descending } else { is_size };
        app.go(Place { sort, is_descending, ..place });
    });
    let row = Callback::new(move |at: u32| {
        let line = rows.get(at)?;
        let open = app.place.with(|it| it.id == line.0.flow_id.to_string());
        let href = app.place.with(|it| it.with_id(line.0.flow_id.to_string()).hash());
        Some(Row { href, is_open: open, cells: cells(&line, has_days, t, lang) })
    });
    let on_need = Callback::new(move |(first, last)| rows.need(first, last));
    let on_open = Callback::new(move |at: u32| {
        if let Some(line) = rows.peek(at) {
            let place = app.place.get_untracked();
            let next = place.with_id(line.0.flow_id.to_string());
            // From flow to flow Back would lead through all of them.
            if place.id.is_empty() { app.go(next) } else { app.replace(next) }
        }
    });
    let total = Signal::derive(move || rows.total.get().unwrap_or(0));
    let is_open = Memo::new(move |_| app.place.with(|it| !it.id.is_empty()));

    let counted = move || {
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
                <CutSwitch />
                <a class="btn" href=move || app.view(View::Export).hash()>{t.views[5]}</a>
            </div>
            <div class="beside" class:is-split=move || is_open.get()>
                <section class="panel list">
                    {state}
                    <Table
                        label=t.flows.to_owned()
                        columns
                        on_sort
                        total
                        row
                        on_need
                        on_open
                        cursor
                        follows=Signal::from(is_open)
                        keys=app.step
                    />
                </section>
                <Show when=move || is_open.get()>
                    <Flow />
                </Show>
            </div>
        </div>
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

fn fetched(app: App, said: Said) -> Rows<Line> {
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
            let sparks = answer.sparks.into_iter().chain(std::iter::repeat(Vec::new()));
            let lines = answer.rows.into_iter().zip(sparks).map(Arc::new);
            Ok((answer.matching, lines.collect()))
        })
    })
}

fn cells(line: &Line, has_days: bool, t: &Texts, lang: Lang) -> Vec<AnyView> {
    let (row, spark) = &**line;
    let class = groups::class(&row.group);
    let label = view! {
        <span title=word(&t.groups, &row.group)><Mark class letter=groups::letter(&row.group) /></span>
        {match row.confidence {
            // A guess shall not look like something known.
            Some(percent) => {
                let percent = format!("{percent}\u{a0}%");
                let hint = (t.train.guess_hint)(&percent);
                view! { <i class="guess" title=hint>{groups::written(&row.label, lang)}" ?"</i> " " <span class="dim">{percent}</span> }.into_any()
            }
            None => groups::written(&row.label, lang).into_any(),
        }}
        " "
        <span class="dim">{(row.protocol != row.label).then(|| row.protocol.clone())}</span>
        {row.piece.filter(|it| *it > 0).map(|it| view! { " " <span class="tag">{(t.piece_n)(&format::count(u64::from(it) + 1, lang))}</span> })}
    };
    let port =
        |port: u16| (port != 0).then(|| view! { <span class="dim">":"{port.to_string()}</span> });
    let server = match &row.domain_name {
        Some(name) => view! { <span title=row.server_ip.clone()>{name.clone()}</span> }.into_any(),
        None => view! { <span class="mono">{format::host(&row.server_ip)}</span> }.into_any(),
    };
    let duration = row.time_end_ns.saturating_sub(row.time_start_ns);
    vec![
        view! { <span class="mono" title=format::moment(row.time_start_ns)>{format::moment_short(row.time_start_ns, has_days)}</span> }.into_any(),
        label.into_any(),
        view! { <span class="mono" title=format::endpoint(&row.client_ip, row.client_port)>{format::host(&row.client_ip)}{port(row.client_port)}</span> }.into_any(),
        view! { {server}<span class="mono">{port(row.server_port)}</span> }.into_any(),
        view! {
            <svg class=format!("spark {class}") width="48" height="15" viewBox="0 0 48 15" aria-hidden="true">
                <path d=spark_path(spark) />
            </svg>
        }
        .into_any(),
        if duration == 0 { "–".into_any() } else { format::duration(duration, lang).into_any() },
        format::count(row.client_packets + row.server_packets, lang).into_any(),
        format::bytes(row.client_bytes + row.server_bytes, lang).into_any(),
    ]
}

/// Sixteen bars of 0 to 15 pixels.
fn spark_path(bars: &[u8]) -> String {
    let bars = bars.iter().enumerate().filter(|it| *it.1 > 0);
    let bars = bars.map(|(at, height)| {
        format!("M{} {}h2v{height}h-2z", at * 3, 15_u8.saturating_sub(*height))
    });
    bars.collect()
}

/// What can be done when nothing matches.
#[component]
fn NoneMatch() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let shorter = move || {
        let place = app.place.get_untracked();
        let last = terms::split(&place.filter).len().saturating_sub(1);
        Place { filter: terms::without(&place.filter, last), ..place }
    };
    let clear = move |_| app.go(Place { filter: String::new(), ..app.place.get_untracked() });
    view! {
        <div class="empty">
            <p>{t.none_match}</p>
            <div>
                <button type="button" class="btn" on:click=move |_| app.go(shorter())>{t.remove_last}</button>
                <button type="button" class="btn" on:click=clear>{t.clear}</button>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_has_a_bar_for_each_number() {
        assert_eq!(spark_path(&[0, 15, 3]), "M3 0h2v15h-2zM6 12h2v3h-2z");
    }
}
