//! The host table, and one host whole.

mod card;

use leptos::prelude::*;
use v1::page::{FilterError, HostDetail, HostRow, Hosts as Answered, Query};

use crate::{
    countries, format, groups,
    i18n::{Lang, Texts, word},
    pages::{
        narrowed::{self, Narrowed, NoneMatch, of_all},
        overview::{LabelPanel, StatisticsPanel},
    },
    parts::{
        rows::Rows,
        small::{Failure, Panel, Waiting},
        table::{Column, Row, Table},
    },
    place::{Place, View},
    state::{app, texts},
    terms,
};

/// The page: the table, or the host with this address.
#[component]
pub fn Hosts(
    /// The address; empty for the table.
    id: String,
) -> impl IntoView {
    if id.is_empty() { view! { <List /> }.into_any() } else { view! { <One ip=id /> }.into_any() }
}

#[component]
fn List() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let search = RwSignal::new(String::new());
    let filter = app.filter();
    let flows = RwSignal::new(None);
    let wrong = RwSignal::new(None);
    let rows = Rows::<HostRow>::new(move |offset, len| {
        let (backend, search) = (app.backend(), search.get_untracked());
        let filter = filter.get_untracked();
        Box::pin(async move {
            let backend = backend.ok_or("no capture is open")?;
            let query = Query::Hosts { filter, search, offset, len };
            let answer: Answered = backend.ask(&query).await?;
            flows.try_set(Some(answer.matching_flows).filter(|_| answer.filter_error.is_none()));
            wrong.try_set(answer.filter_error);
            Ok((answer.matching, answer.rows))
        })
    });
    let cursor = RwSignal::new(None);
    Effect::new(move |_| {
        search.track();
        filter.track();
        cursor.set(None);
        rows.reset();
    });
    let has_long = untrack(|| app.has_long_addresses());
    let columns = Signal::derive(move || {
        let columns = [
            (t.host, if has_long { "c-host is-long" } else { "c-host" }),
            (t.name, "c-name"),
            (t.where_, "c-where"),
            (t.labels, "c-labels"),
            (t.as_client, "c-count num"),
            (t.as_server, "c-count num"),
            (t.bytes, "c-bytes num"),
        ];
        let columns = columns.into_iter().map(|(title, class)| Column {
            title: title.to_owned(),
            class,
            sorted: (title == t.bytes).then_some(true),
            ..Column::default()
        });
        columns.collect()
    });
    let row = Callback::new(move |at: u32| {
        let host = rows.get(at)?;
        let href = app.opened(View::Hosts, &host.ip).hash();
        Some(Row { href, is_open: false, cells: cells(&host, t, lang) })
    });
    let on_open = Callback::new(move |at: u32| {
        if let Some(host) = rows.peek(at) {
            app.go(app.opened(View::Hosts, &host.ip));
        }
    });
    let total = Signal::derive(move || rows.total.get().unwrap_or(0));
    let counted = move || {
        let all = app.seen().map_or(0, |it| it.hosts);
        let all = if filter.with(String::is_empty) { total.get() } else { all };
        of_all(total.get(), all, &t.n_hosts, t, lang)
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
            Some(view! { <p class="empty">{t.n_hosts.with(0, lang)}</p> }.into_any())
        }
        _ => None,
    };
    view! {
        <div class="page fill">
            <div class="above">
                <input
                    class="search"
                    type="search"
                    placeholder=t.search_hosts
                    aria-label=t.search_hosts
                    on:input=move |event| search.set(event_target_value(&event))
                />
                <span class="dim" role="status">{counted}" · "{t.by_bytes}</span>
                <Narrowed flows=flows.into() note=t.overview.narrowed_hosts />
            </div>
            <section class="panel list">
                {state}
                <Table
                    label=t.hosts.to_owned()
                    columns
                    total
                    row
                    on_need=Callback::new(move |(first, last)| rows.need(first, last))
                    on_open
                    cursor
                    keys=app.step
                />
            </section>
        </div>
    }
}

fn cells(host: &HostRow, t: &Texts, lang: Lang) -> Vec<AnyView> {
    let name = host.name.clone().map(|name| {
        let source = host.name_source.clone().map(|it| view! { " " <span class="dim">{it}</span> });
        view! { <b>{name}</b>{source} }
    });
    let labels =
        host.labels.iter().map(|it| groups::written(it, lang)).collect::<Vec<_>>().join(", ");
    let flows = |count: u64, key: &str| match count {
        0 => view! { <span class="dim">"–"</span> }.into_any(),
        _ => {
            let href = app().flows_within(&terms::term(key, &host.ip)).hash();
            view! { <a href=href tabindex="-1">{format::count(count, lang)}</a> }.into_any()
        }
    };
    vec![
        view! { <span class="mono">{host.ip.clone()}</span> }.into_any(),
        name.into_any(),
        view! { <span class="dim">{whereabouts(host, t, lang)}</span> }.into_any(),
        view! { <span title=labels.clone()>{labels.clone()}</span> }.into_any(),
        flows(host.client_flows, "client"),
        flows(host.server_flows, "server"),
        format::bytes(host.bytes, lang).into_any(),
    ]
}

/// Where a host is: its country where a database tells, else what its address is for.
pub fn whereabouts(host: &HostRow, t: &Texts, lang: Lang) -> String {
    match &host.country {
        Some(country) => countries::name(country, lang),
        None => word(&t.scopes, &host.scope),
    }
}

#[component]
fn One(ip: String) -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let query = Query::Host { ip };
    let answer = app.ask::<Option<HostDetail>>(move || {
        app.makers.changed.track();
        Some(query.clone())
    });
    let back = app.opened(View::Hosts, "").hash();
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Ok(Some(detail))) => view! { <Whole detail /> }.into_any(),
        Some(Ok(None)) => {
            view! { <Failure title=t.no_such.to_owned() text=String::new() /> }.into_any()
        }
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
    };
    view! {
        <div class="page">
            <a class="link back" href=back>"← "{t.hosts}</a>
            <narrowed::Whole />
            {content}
        </div>
    }
}

#[component]
fn Whole(detail: HostDetail) -> impl IntoView {
    let (t, lang) = texts();
    let row = detail.row;
    let within = terms::term("ip", &row.ip);
    let flows = Place::flows(within.clone()).hash();
    let title = row.name.clone().unwrap_or_else(|| row.ip.clone());
    let under = row.name.is_some().then(|| view! { <span class="mono">{row.ip.clone()}</span> });
    let scope = word(&t.scopes, &row.scope);
    let place = match (&row.country, row.scope.as_str()) {
        (Some(country), _) => countries::name(country, lang),
        (None, "public") if app().countries.source.get_untracked().is_some() => {
            t.overview.not_in_database.to_owned()
        }
        (None, "public") => t.overview.no_countries.to_owned(),
        (None, _) => String::new(),
    };
    let card = detail.card;
    let badge = card.network.as_ref().map(|it| {
        view! { " " <span class="tag mono">{it.cidr.clone()}</span> " " <span class="dim">{it.source.clone()}</span> }
    });
    let figure = |title: &'static str, count: u64, key: &str| {
        let href = Place::flows(terms::term(key, &row.ip)).hash();
        view! { <div><dt>{title}</dt><dd><a href=href>{format::count(count, lang)}</a></dd><dd class="sub">{t.n_flows.of(count, lang)}</dd></div> }
    };
    let names = detail.names.into_iter().map(|(name, source)| {
        let href = Place::flows(terms::term("name", &name)).hash();
        view! { <li><a href=href>{name}</a> <span class="dim">{(t.said_by)(&groups::written(&source, lang))}</span></li> }
    });
    let names = names.collect_view();
    let names = if names.is_empty() {
        view! { <p class="dim inset">{t.no_host_names}</p> }.into_any()
    } else {
        view! { <ul class="lines">{names}</ul> }.into_any()
    };
    let agents = (!detail.user_agents.is_empty()).then(|| {
        let agents = detail.user_agents.iter().map(|it| {
            let href = Place::flows(terms::term("agent", it)).hash();
            view! { <li><a href=href>{it.clone()}</a></li> }
        });
        let agents = agents.collect_view();
        view! { <Panel title=t.agents_of_host.to_owned()><ul class="lines">{agents}</ul></Panel> }
    });
    let peers = detail.peers.into_iter().map(|(ip, name, count, bytes)| {
        let host = Place::host(&ip).hash();
        let flows = Place::flows(format!("{within} {}", terms::term("ip", &ip))).hash();
        let name = name.map(|it| view! { " " <span class="dim">{it}</span> });
        view! {
            <tr>
                <td class="title"><a class="mono" href=host>{ip.clone()}</a>{name}</td>
                <td class="num"><a href=flows>{format::count(count, lang)}</a></td>
                <td class="num">{format::bytes(bytes, lang)}</td>
            </tr>
        }
    });
    let peers = peers.collect_view();
    view! {
        <header class="head">
            <h1>{title}</h1>
            <p>{under} " " <span class="tag">{scope}</span> {badge} " " <span class="dim">{place}</span></p>
            <a class="btn main" href=flows>{t.its_flows}</a>
        </header>
        <dl class="strip">
            {figure(t.as_client, row.client_flows, "client")}
            {figure(t.as_server, row.server_flows, "server")}
            {card::figures(&card, &row, t, lang)}
        </dl>
        {card::notable_panel(&card, t, lang)}
        <div class="cols">
            <div class="stack">
                <LabelPanel title=t.labels rows=detail.labels key="label" within=within.clone() />
                <Panel title=t.names_of_host.to_owned()>{names}</Panel>
                {card::systems_panel(&card, t, lang)}
                {agents}
                {card::macs_panel(&card, t, lang)}
                {card::sessions_panel(&card, t, lang)}
            </div>
            <div class="stack">
            {card::ports_panel(t.overview.served, &card.served, t, lang)}
            {card::ports_panel(t.overview.used, &card.used, t, lang)}
            <Panel title=t.peers.to_owned() right=move || t.by_bytes>
                <table class="bars">
                    <thead>
                        <tr>
                            <th scope="col">{t.host}</th>
                            <th scope="col" class="num">{t.flows}</th>
                            <th scope="col" class="num">{t.bytes}</th>
                        </tr>
                    </thead>
                    <tbody>{peers}</tbody>
                </table>
            </Panel>
            </div>
        </div>
        <StatisticsPanel statistics=detail.statistics within=within />
    }
}
