//! The session table, and one session with what holds it together.

use leptos::{prelude::*, task::spawn_local};
use v1::page::{
    Decision, Decisions, FilterError, FlowDetail, FlowRow, Query, SessionDetail, SessionRow,
    Sessions as Answered,
};

use crate::{
    format, groups,
    i18n::{Lang, Texts, evidence, mentions, word},
    pages::{
        flow::features,
        narrowed::{self, Narrowed, NoneMatch, of_all},
    },
    parts::{
        rows::Rows,
        small::{Failure, Mark, Panel, Sentence, Sideways, Waiting},
        table::{Column, Row, Table},
    },
    place::{Place, View},
    state::{App, app, texts},
};

/// The page: the table, or the session with this number.
#[component]
pub fn Sessions(
    /// The number; empty for the table.
    id: String,
) -> impl IntoView {
    if id.is_empty() { view! { <List /> }.into_any() } else { view! { <One id /> }.into_any() }
}

#[component]
fn List() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let filter = app.filter();
    let flows = RwSignal::new(None);
    let wrong = RwSignal::new(None);
    let rows = Rows::<SessionRow>::new(move |offset, len| {
        let (backend, filter) = (app.backend(), filter.get_untracked());
        Box::pin(async move {
            let backend = backend.ok_or("no capture is open")?;
            let query = Query::Sessions { filter, offset, len };
            let answer: Answered = backend.ask(&query).await?;
            flows.try_set(Some(answer.matching_flows).filter(|_| answer.filter_error.is_none()));
            wrong.try_set(answer.filter_error);
            Ok((answer.total, answer.rows))
        })
    });
    Effect::new(move |_| {
        app.decided.track();
        filter.track();
        rows.reset();
    });
    let has_days = untrack(|| app.has_days());
    let columns = Signal::derive(move || {
        let columns = [
            (t.start, if has_days { "c-start is-dated" } else { "c-start" }),
            (t.label, "c-label"),
            (t.client, "c-client"),
            (t.asked_for, "c-name"),
            (t.held_by, "c-kinds"),
            (t.flows, "c-count num"),
            (t.duration, "c-duration num"),
            (t.bytes, "c-bytes num"),
        ];
        let columns = columns.into_iter().map(|(title, class)| Column {
            title: title.to_owned(),
            class,
            sorted: (title == t.flows).then_some(true),
            ..Column::default()
        });
        columns.collect()
    });
    let row = Callback::new(move |at: u32| {
        let session = rows.get(at)?;
        let href = app.opened(View::Sessions, session.session_id.to_string()).hash();
        Some(Row { href, is_open: false, cells: cells(&session, has_days, t, lang) })
    });
    let on_open = Callback::new(move |at: u32| {
        if let Some(session) = rows.peek(at) {
            app.go(app.opened(View::Sessions, session.session_id.to_string()));
        }
    });
    let total = Signal::derive(move || rows.total.get().unwrap_or(0));
    let counted = move || {
        let all = app.seen().map_or(0, |it| it.sessions);
        let all = if filter.with(String::is_empty) { total.get() } else { all };
        of_all(total.get(), all, &t.n_sessions, t, lang)
    };
    let state = move || match (rows.error.get(), rows.total.get()) {
        (Some(text), _) => Some(view! { <Failure title=t.failed.to_owned() text /> }.into_any()),
        (None, None) => Some(view! { <Waiting text=t.loading /> }.into_any()),
        _ if wrong.with(Option::is_some) => wrong.get().map(|it: FilterError| {
            let text = lang.of(&it.words());
            view! { <Failure title=t.filter_wrong.to_owned() text /> }.into_any()
        }),
        (None, Some(0)) if flows.get() == Some(0) => Some(view! { <NoneMatch /> }.into_any()),
        (None, Some(0)) => {
            Some(view! { <p class="empty">{t.n_sessions.with(0, lang)}</p> }.into_any())
        }
        _ => None,
    };
    view! {
        <div class="page fill">
            <Decided />
            <div class="above">
                <span role="status">{counted}</span>
                <span class="dim">{t.sessions_lead}</span>
                <Narrowed flows=flows.into() note=t.overview.narrowed_sessions />
            </div>
            <section class="panel list">
                {state}
                <Table
                    label=t.views[3].to_owned()
                    columns
                    total
                    row
                    on_need=Callback::new(move |(first, last)| rows.need(first, last))
                    on_open
                    cursor=RwSignal::new(None)
                    keys=app.step
                />
            </section>
        </div>
    }
}

/// What was decided, each with a way back; nothing where nothing was.
#[component]
fn Decided() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let answer = app.ask::<Decisions>(move || {
        app.decided.track();
        Some(Query::Decisions)
    });
    let take_back = move |number: u32| {
        let Some(backend) = app.backend() else { return };
        spawn_local(async move {
            if backend.ask::<Decisions>(&Query::Undo { number }).await.is_ok() {
                app.decide();
            }
        });
    };
    let line = move |(number, decision): (u32, &Decision)| {
        let flow = |number: u32| format::count(number.into(), lang);
        let text = match decision {
            Decision::Apart { flow_id } => (t.was_set_apart)(&flow(*flow_id)),
            Decision::Together { flow_id, other_id } => {
                (t.were_joined)(&flow(*flow_id), &flow(*other_id))
            }
        };
        view! {
            <li>
                <span>{text}</span>
                <button type="button" class="btn" on:click=move |_| take_back(number)>{t.take_back}</button>
            </li>
        }
    };
    let panel = move || {
        let decisions = answer.get()?.ok()?.decisions;
        let lines = (0..).zip(&decisions).map(line).collect_view();
        (!decisions.is_empty()).then(|| {
            view! {
                <Panel title=t.decisions.to_owned()><ul class="decisions">{lines}</ul></Panel>
            }
        })
    };
    view! { {panel} }
}

/// Decides, and shows the session that this flow is in then.
fn decide(app: App, decision: Decision, shown: u32) {
    let t = app.lang.get_untracked().texts();
    let Some(backend) = app.backend() else { return };
    spawn_local(async move {
        match backend.ask::<Decisions>(&Query::Decide { decision }).await {
            Err(error) => app.say(error),
            Ok(decided) if decided.is_refused => app.say(t.refused.to_owned()),
            Ok(_) => {
                app.decide();
                let query = Query::Flow { flow_id: shown, timeout: "none".to_owned() };
                if let Ok(Some(detail)) = backend.ask::<Option<FlowDetail>>(&query).await {
                    app.replace(Place::session(detail.row.session_id));
                }
                app.say(t.decided.to_owned());
            }
        }
    });
}

fn label(label: &str, group: &str, lang: Lang) -> impl IntoView + use<> {
    view! {
        <Mark class=groups::class(group) letter=groups::letter(group) />
        {groups::written(label, lang)}
    }
}

fn cells(row: &SessionRow, has_days: bool, t: &Texts, lang: Lang) -> Vec<AnyView> {
    let kinds = row.kinds.iter().map(|it| word(&t.kinds, it)).collect::<Vec<_>>().join(", ");
    let duration = row.time_end_ns.saturating_sub(row.time_start_ns);
    let flows = app().flows_within(&format!("session:{}", row.session_id)).hash();
    let all = format::count(row.flows, lang);
    // Where only some are chosen, the link leads to these.
    let counted = match row.chosen_flows.filter(|it| *it < row.flows) {
        Some(chosen) => (t.of_flows)(&format::count(chosen, lang), &all),
        None => all,
    };
    vec![
        view! { <span class="mono" title=format::moment(row.time_start_ns)>{format::moment_short(row.time_start_ns, has_days)}</span> }.into_any(),
        label(&row.label, &row.group, lang).into_any(),
        view! { <span class="mono">{row.client_ip.clone()}</span> }.into_any(),
        row.name.clone().into_any(),
        view! { <span class="dim">{kinds}</span> }.into_any(),
        view! { <a href=flows tabindex="-1">{counted}</a> }.into_any(),
        if duration == 0 { "–".into_any() } else { format::duration(duration, lang).into_any() },
        format::bytes(row.bytes, lang).into_any(),
    ]
}

#[component]
fn One(id: String) -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let number = id.parse::<u32>().ok();
    let answer = app.ask::<Option<SessionDetail>>(move || {
        app.decided.track();
        Some(Query::Session { session_id: number? })
    });
    let back = app.opened(View::Sessions, "").hash();
    let content = move || match answer.get() {
        None if number.is_some() => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Ok(Some(detail))) => view! { <Whole detail /> }.into_any(),
        None | Some(Ok(None)) => {
            view! { <Failure title=t.no_such.to_owned() text=String::new() /> }.into_any()
        }
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
    };
    view! {
        <div class="page">
            <a class="link back" href=back>"← "{t.views[3]}</a>
            <narrowed::Whole />
            {content}
        </div>
    }
}

/// How many tables the features are parted into.
const FEATURE_COLUMNS: usize = 3;
/// Flows and links listed on the page.
const MAX_LISTED: usize = 200;

#[component]
fn Whole(detail: SessionDetail) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let numbers: Vec<u32> = detail.flows.iter().map(|it| it.flow_id).collect();
    let first = numbers.first().copied().unwrap_or(0);
    let apart = |flow_id: u32| {
        // What stays is shown: of two flows the other one.
        let stays = numbers.iter().copied().find(|it| *it != flow_id)?;
        Some(view! {
            <button
                type="button"
                class="btn"
                title=t.set_apart_hint
                on:click=move |_| decide(app, Decision::Apart { flow_id }, stays)
            >
                {t.set_apart}
            </button>
        })
    };
    let other = NodeRef::<leptos::html::Input>::new();
    let on_join = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = other.get_untracked().and_then(|it| it.value().trim().parse().ok());
        // Not a number is the number of no flow.
        let other_id = typed.unwrap_or(u32::MAX);
        decide(app, Decision::Together { flow_id: first, other_id }, first);
    };
    // Several tables side by side, each with its heading.
    let n_rows = detail.features.len().div_ceil(FEATURE_COLUMNS).max(1);
    let features = detail.features.chunks(n_rows).map(|it| features(it, lang)).collect_view();
    let row = detail.row;
    let number = format::count(row.session_id.into(), lang);
    let flows = Place::flows(format!("session:{}", row.session_id)).hash();
    let duration = row.time_end_ns.saturating_sub(row.time_start_ns);
    let client = Place::host(&row.client_ip).hash();
    let link = |number: u32| {
        view! { <a class="link" href=Place::flow(number).hash()>{(t.flow_n)(&format::count(number.into(), lang))}</a> }
    };
    let sentence = |text: &str| {
        let pieces = mentions(&evidence(text, lang)).into_iter();
        let href = |number: u32| Place::flow(number).hash();
        pieces
            .map(|(text, number)| (text, number.map(href).unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let links = detail.links.iter().take(MAX_LISTED).map(|it| {
        view! {
            <li>
                <b>{word(&t.kinds, &it.kind)}</b>
                <div>
                    <Sentence pieces=sentence(&it.evidence) />
                    <p class="dim">{link(it.from)}" → "{link(it.to)}" · "{(t.sure)(&it.percent.to_string())}</p>
                </div>
            </li>
        }
    });
    let links = links.collect_view();
    let links = if links.is_empty() {
        view! { <p class="dim inset">{t.single_flow}</p> }.into_any()
    } else {
        view! { <ul class="evidence">{links}</ul> }.into_any()
    };
    let span = (row.time_start_ns, row.time_end_ns);
    let lines =
        detail.flows.iter().take(MAX_LISTED).map(|it| line(it, span, apart(it.flow_id), lang));
    let lines = lines.collect_view();
    let cut = |n: usize| {
        (n > MAX_LISTED).then(|| (t.first_n_shown)(&format::count(MAX_LISTED as u64, lang)))
    };
    let (cut_flows, cut_links) = (cut(row.flows as usize), cut(detail.links.len()));
    let has_name = row.name.clone();
    view! {
        <header class="head">
            <h1>{(t.session_n)(&number)}</h1>
            <p>{label(&row.label, &row.group, lang)} " " <span class="dim">{has_name}</span></p>
            <a class="btn main" href=flows.clone()>{t.show_flows}</a>
        </header>
        <dl class="strip">
            <div><dt>{t.flows}</dt><dd><a href=flows>{format::count(row.flows, lang)}</a></dd></div>
            <div><dt>{t.traffic}</dt><dd>{format::bytes(row.bytes, lang)}</dd></div>
            <div><dt>{t.duration}</dt><dd>{format::duration(duration, lang)}</dd><dd class="sub">{format::span(row.time_start_ns, row.time_end_ns)}</dd></div>
            <div><dt>{t.client}</dt><dd class="mono"><a href=client>{row.client_ip.clone()}</a></dd></div>
        </dl>
        <Panel title=t.flows.to_owned() right=move || cut_flows.clone()>
            <Sideways label=t.flows>
                <table class="spans">
                    <thead>
                        <tr>
                            <th scope="col">{t.start}</th>
                            <th scope="col">{t.label}</th>
                            <th scope="col">{t.server}</th>
                            <th scope="col" class="wide">{t.when}</th>
                            <th scope="col" class="num">{t.bytes}</th>
                            <td></td>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </Sideways>
        </Panel>
        <Panel title=t.why_together.to_owned() right=move || cut_links.clone()>
            {links}
            <form class="inset join" on:submit=on_join>
                <label>
                    {t.join_with}
                    " "
                    <input node_ref=other class="search short num" type="text" inputmode="numeric" required />
                </label>
                <button type="submit" class="btn">{t.join}</button>
            </form>
        </Panel>
        <Panel title=t.features.to_owned()><div class="columns">{features}</div></Panel>
    }
}

/// From where to where of the session a flow lasts, in percent: left and width.
fn part((start, end): (u64, u64), flow: &FlowRow) -> (f64, f64) {
    let length = end.saturating_sub(start).max(1) as f64;
    let left = flow.time_start_ns.saturating_sub(start) as f64 / length * 100.0;
    let width = flow.time_end_ns.saturating_sub(flow.time_start_ns) as f64 / length * 100.0;
    (left.min(99.0), width.clamp(0.4, 100.0 - left.min(99.0)))
}

fn line<T: IntoView>(
    flow: &FlowRow,
    span: (u64, u64),
    button: T,
    lang: Lang,
) -> impl IntoView + use<T> {
    let (left, width) = part(span, flow);
    let server = flow.domain_name.clone().unwrap_or_else(|| format::host(&flow.server_ip));
    let port = (flow.server_port != 0).then(|| format!(":{}", flow.server_port));
    view! {
        <tr>
            <td><a class="mono" href=Place::flow(flow.flow_id).hash()>{format::clock_millis(flow.time_start_ns)}</a></td>
            <td>{label(&flow.label, &flow.group, lang)} " " <span class="dim">{(flow.protocol != flow.label).then(|| flow.protocol.clone())}</span></td>
            <td>{server}<span class="dim mono">{port}</span></td>
            <td class="wide">
                <div class=format!("lasting {}", groups::class(&flow.group))>
                    <i style:left=format!("{left:.2}%") style:width=format!("{width:.2}%")></i>
                </div>
            </td>
            <td class="num">{format::bytes(flow.client_bytes + flow.server_bytes, lang)}</td>
            <td class="num">{button}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_has_its_part_of_the_session() {
        let flow = FlowRow { time_start_ns: 150, time_end_ns: 200, ..FlowRow::default() };
        assert_eq!(part((100, 200), &flow), (50.0, 50.0));
        assert_eq!(part((150, 150), &flow).0, 0.0);
    }
}
