//! The first look at a capture: figures, traffic over time, labels, protocols, hosts, what was read and what was not.

use std::sync::Arc;

use leptos::prelude::*;
use v1::{
    Notables,
    page::{
        Breakdown, CountryTable, FlowSort, GroupSeries, LabelRow, Overview, Query, SeriesBy,
        TrafficTimeline,
    },
};

use crate::{
    format, groups,
    i18n::{Lang, Texts, word},
    pages::{
        account::ReadingPanel,
        breakdown::{self, DurationsPanel, LayersPanel},
        countries::{self, CountriesPanel},
        hosts::whereabouts,
        narrowed::{Narrowed, NoneMatch},
        notable::{self, NotablePanel},
    },
    parts::{
        bars::{Bar, Bars},
        chart::{Chart, Scale, Series, sums},
        small::{Failure, Mark, Panel, Sideways, Switch, Waiting},
    },
    place::{Place, View},
    state::{Answer, BINS, app, texts},
    terms,
};

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    move || match app.seen() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(seen) if seen.flows == 0 => view! {
            <div class="page">
                <ReadingPanel reading=seen.reading.clone() />
                <div class="sample">
                    <button type="button" class="btn large" on:click=move |_| app.open_sample()>
                        {t.open_sample}
                    </button>
                    <span class="dim">{t.sample_hint}</span>
                </div>
            </div>
        }
        .into_any(),
        Some(seen) => view! { <Looked seen /> }.into_any(),
    }
}

/// The first look: of the whole capture, or of what the filter leaves.
pub type Look = Signal<Option<Result<Arc<Overview>, String>>>;

/// Asks for the first look as the filter narrows it; of the whole capture it is known, and stays until another one is there.
pub fn look(seen: &Arc<Overview>) -> Look {
    let app = app();
    let filter = app.filter();
    let narrowed = app.ask::<Arc<Overview>>(move || {
        let filter = filter.get();
        // The filter may ask for one.
        app.countries.changed.track();
        (!filter.is_empty()).then_some(Query::Overview { bins: BINS, filter })
    });
    let whole = seen.clone();
    let shown = Memo::new(move |_| {
        let narrowed = narrowed.get().filter(|_| filter.with(|it| !it.is_empty()));
        Some(narrowed.unwrap_or_else(|| Ok(whole.clone())))
    });
    shown.into()
}

/// How many flows a narrowed look is of; nothing while there is none.
pub fn n_flows(look: Look) -> Signal<Option<u64>> {
    Signal::derive(move || {
        let found = look.get()?.ok()?;
        found.packets.map(|_| found.flows)
    })
}

/// Why there is nothing to look at, where that is so.
pub fn nothing(found: &Overview, t: &'static Texts, lang: Lang) -> Option<AnyView> {
    if let Some(error) = &found.filter_error {
        let text = lang.of(&error.words());
        return Some(view! { <Failure title=t.filter_wrong.to_owned() text /> }.into_any());
    }
    (found.flows == 0).then(|| view! { <NoneMatch /> }.into_any())
}

#[component]
fn Looked(seen: Arc<Overview>) -> impl IntoView {
    let (t, lang) = texts();
    let look = look(&seen);
    // Asked once for all looks: what shows them is made anew with each.
    let answers = Answers {
        notable: notable::ask(),
        breakdown: breakdown::ask(),
        countries: countries::ask(),
    };
    let figures = move || {
        let found = look.get()?.ok()?;
        nothing(&found, t, lang).is_none().then(|| view! { <Figures seen=found /> })
    };
    let panels = move || match look.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
        Some(Ok(found)) => nothing(&found, t, lang)
            .unwrap_or_else(|| view! { <Panels seen=found answers /> }.into_any()),
    };
    view! {
        <div class="page">
            <Narrowed flows=n_flows(look) note=t.overview.narrowed />
            {figures}
            <Traffic seen />
            {panels}
        </div>
    }
}

/// What is asked for besides a look.
#[derive(Clone, Copy)]
struct Answers {
    notable: Answer<Option<Notables>>,
    breakdown: Answer<Option<Arc<Breakdown>>>,
    countries: Answer<Option<CountryTable>>,
}

/// What there is below the chart, of the flows on show.
#[component]
fn Panels(seen: Arc<Overview>, answers: Answers) -> impl IntoView {
    let (t, _) = texts();
    let answer = answers.breakdown;
    let within = app().place.with_untracked(|it| it.filter.clone());
    view! {
        <NotablePanel answer=answers.notable />
        <div class="cols">
            <div class="stack">
                <LabelPanel title=t.labels rows=seen.labels.clone() key="label" within=within.clone() />
                <HostPanel seen=seen.clone() />
                <CountriesPanel answer=answers.countries />
                <DurationsPanel answer />
                <TcpPanel seen=seen.clone() />
            </div>
            <div class="stack">
                <ReadingPanel reading=seen.reading.clone() />
                <LayersPanel answer />
                <LabelPanel title=t.protocols rows=seen.protocols.clone() key="proto" within=within.clone() at_first=8 />
                <StatisticsPanel statistics=seen.statistics.clone() within at_first=7 />
            </div>
        </div>
    }
}

fn figure(title: &'static str, value: String, small: String, href: String) -> impl IntoView {
    view! {
        <div>
            <dt>{title}</dt>
            <dd><a href=href>{value}</a></dd>
            <dd class="sub">{small}</dd>
        </div>
    }
}

/// The figures in one strip.
#[component]
fn Figures(seen: Arc<Overview>) -> impl IntoView {
    let (t, lang) = texts();
    let bytes = seen.client_bytes + seen.server_bytes;
    let of_hosts =
        (t.of_hosts)(&t.n_sessions.with(seen.sessions, lang), &t.n_hosts.with(seen.hosts, lang));
    let directions = format!(
        "↑ {} · ↓ {}",
        format::bytes(seen.client_bytes, lang),
        format::bytes(seen.server_bytes, lang)
    );
    let account = &seen.reading.account;
    let aside = match (seen.packets, account.frames.frames - account.in_flows.frames) {
        (Some(_), _) => (t.overview.of_packets)(&format::count(account.in_flows.frames, lang)),
        (None, 0) => t.all_accounted.to_owned(),
        (None, n) => (t.some_set_aside)(&t.n_frames.with(n, lang)),
    };
    let packets = seen.packets.unwrap_or(account.in_flows.frames);
    let packets_title = if seen.packets.is_some() { t.packets } else { t.packets_read };
    let app = app();
    let place = |filter: &str| app.flows_within(filter).hash();
    let most = |sort| Place { sort, is_descending: true, ..app.flows_within("") }.hash();
    view! {
        <dl class="strip">
            {figure(t.flows, format::count(seen.flows, lang), of_hosts, place(""))}
            {figure(t.traffic, format::bytes(bytes, lang), directions, most(FlowSort::Bytes))}
            {figure(
                t.duration,
                format::duration(seen.time_end_ns - seen.time_start_ns, lang),
                peak(&seen, t, lang),
                most(FlowSort::Duration),
            )}
            {figure(
                t.named,
                format::percent(seen.recognised_bytes, bytes, lang),
                (t.named_hint)("", &format::percent(seen.named_bytes, bytes, lang)),
                place("-proto:unknown"),
            )}
            {figure(packets_title, format::count(packets, lang), aside, most(FlowSort::Packets))}
        </dl>
    }
}

/// When there was most traffic, and how much.
fn peak(seen: &Overview, t: &Texts, lang: Lang) -> String {
    let of = |it: &GroupSeries| Series { values: it.bytes.clone(), ..Series::default() };
    let sums = sums(&seen.timeline.series.iter().map(of).collect::<Vec<_>>());
    let most = sums.iter().enumerate().max_by_key(|(at, bytes)| (**bytes, std::cmp::Reverse(*at)));
    // Bars shorter than a millisecond tell no rate.
    let Some((at, bytes)) = most.filter(|_| seen.timeline.bin_ns >= 1_000_000) else {
        return String::new();
    };
    let rate = *bytes as f64 * 1e9 / seen.timeline.bin_ns as f64;
    let time = format::clock(seen.timeline.start_ns + at as u64 * seen.timeline.bin_ns);
    (t.peak)(&format::bits_per_second(rate, lang), &time)
}

/// The traffic over time: a chart to choose a range on, and the same as a table.
///
/// It is of what the filter leaves without the range that is chosen on it: what is outside stays on show, to choose that.
#[component]
fn Traffic(seen: Arc<Overview>) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let metric = RwSignal::new(0);
    let is_table = RwSignal::new(false);
    let (start_ns, bin_ns) = (seen.timeline.start_ns, seen.timeline.bin_ns);
    let by = RwSignal::new(0);
    let filter = app.filter();
    let beside = Memo::new(move |_| terms::with_range(&filter.get(), None));
    let parted = app.ask::<Option<TrafficTimeline>>(move || {
        let by = match by.get() {
            0 => SeriesBy::Group,
            1 => SeriesBy::Protocol,
            _ => SeriesBy::Label,
        };
        let filter = beside.get();
        let is_known = by == SeriesBy::Group && filter.is_empty();
        (!is_known).then_some(Query::Timeline { bins: BINS, by, filter })
    });
    let found = Memo::new(move |_| match parted.get().and_then(Result::ok).flatten() {
        Some(parted) => parted,
        None => seen.timeline.clone(),
    });
    let of_metric = move || found.with(|it| series(&it.series, metric.get(), t, lang));
    let scale = move || match (metric.get(), lang) {
        (0, Lang::En) => Scale {
            factor: 1e9 / bin_ns as f64,
            axis: |it| format::bits_per_second(it, Lang::En),
            amount: |it| format::bytes(it, Lang::En),
        },
        (0, Lang::Ru) => Scale {
            factor: 1e9 / bin_ns as f64,
            axis: |it| format::bits_per_second(it, Lang::Ru),
            amount: |it| format::bytes(it, Lang::Ru),
        },
        (_, Lang::En) => Scale {
            factor: 1.0,
            axis: |it| format::count(it.round() as u64, Lang::En),
            amount: |it| format::count(it, Lang::En),
        },
        (_, Lang::Ru) => Scale {
            factor: 1.0,
            axis: |it| format::count(it.round() as u64, Lang::Ru),
            amount: |it| format::count(it, Lang::Ru),
        },
    };
    let chosen = Signal::derive(move || app.place.with(|it| terms::range(&it.filter)));
    let on_choose = Callback::new(move |range| {
        let place = app.place.get_untracked();
        let filter = terms::with_range(&place.filter, range);
        app.replace(Place { filter, ..place });
    });
    let on_open = Callback::new(move |()| app.go(untrack(|| app.view(View::Flows))));
    let legend = {
        move || {
            let found = found.get();
            let key = match by.get() {
                1 => "proto",
                _ => "label",
            };
            let links =
                found.series.iter().zip(series(&found.series, 0, t, lang)).map(|(it, one)| {
                    let Series { class, letter, name, shade, .. } = one;
                    let class = format!("{class} shade-{shade}");
                    let href = match (it.n_others, it.name.as_str()) {
                        (0, "") => app.flows_within(&terms::term("group", &it.group)).hash(),
                        (0, own) => app.flows_within(&terms::term(key, own)).hash(),
                        // All that have no series of their own.
                        _ => {
                            let own = found.series.iter().filter(|it| it.n_others == 0);
                            let without = own.map(|it| format!("-{}", terms::term(key, &it.name)));
                            app.flows_within(&without.collect::<Vec<_>>().join(" ")).hash()
                        }
                    };
                    view! { <a href=href><Mark class letter />{name}</a> }
                });
            links.collect_view()
        }
    };
    let chart = move || {
        view! {
            <Chart
                series=of_metric()
                scale=scale()
                start_ns
                bin_ns
                chosen
                on_choose
                on_open
                label=t.traffic_over_time.to_owned()
                help=t.chart_help.to_owned()
            />
        }
    };
    let table = move || traffic_table(&of_metric(), scale(), start_ns, bin_ns, t, lang);
    let right = move || {
        view! {
            <span class="by" aria-hidden="true">{t.overview.by}</span>
            <Switch
                label=t.overview.by.to_owned()
                options=t.overview.by_choices.map(str::to_owned).to_vec()
                chosen=by
            />
            <Switch
                label=t.traffic_over_time.to_owned()
                options=vec![t.bytes.to_owned(), t.packets.to_owned(), t.flows.to_owned()]
                chosen=metric
            />
            <button
                type="button"
                class="btn"
                aria-pressed=move || is_table.get().to_string()
                on:click=move |_| is_table.update(|it| *it = !*it)
            >
                {move || if is_table.get() { t.as_chart } else { t.as_table }}
            </button>
        }
    };
    let around = move || chosen.get().is_some().then_some(t.overview.around);
    view! {
        <Panel title=t.traffic_over_time.to_owned() class="traffic" right=right>
            <div class="legend">{legend} <span class="dim around">{around}</span></div>
            {move || if is_table.get() { table().into_any() } else { chart().into_any() }}
        </Panel>
    }
}

/// The letters of series that are no groups: several may have one colour.
const PLACES: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

fn series(found: &[GroupSeries], metric: usize, t: &Texts, lang: Lang) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (it, place) in found.iter().zip(PLACES.iter().cycle()) {
        let is_group = it.name.is_empty() && it.n_others == 0;
        let class = if it.n_others > 0 { "g-rest" } else { groups::class(&it.group) };
        let (letter, name) = match (is_group, it.n_others) {
            (true, _) => (groups::letter(&it.group), word(&t.groups, &it.group)),
            (false, 0) => (*place, groups::written(&it.name, lang)),
            (false, n) => ("…", t.overview.n_others.with(n, lang)),
        };
        let values = match metric {
            0 => it.bytes.clone(),
            1 => it.packets.clone(),
            _ => it.flows.clone(),
        };
        let shade = series.iter().filter(|it| it.class == class).count().min(4);
        series.push(Series { class, letter, name, values, shade });
    }
    series
}

/// How many lines the table of the traffic has at most.
const LINES: usize = 30;
/// How many groups have a column of their own.
const COLUMNS: usize = 5;

fn traffic_table(
    series: &[Series],
    scale: Scale,
    start_ns: u64,
    bin_ns: u64,
    t: &'static Texts,
    lang: Lang,
) -> impl IntoView + use<> {
    let sums = sums(series);
    let bars = sums.len().div_ceil(LINES).max(1);
    let head = series.iter().take(COLUMNS).map(|it| {
        view! { <th scope="col" class="num"><Mark class=it.class letter=it.letter />{it.name.clone()}</th> }
    });
    let head = head.collect_view();
    let lines = (0..sums.len()).step_by(bars).map(|at| {
        let of = |values: &[u64]| values.iter().skip(at).take(bars).sum::<u64>();
        let (from, to) = (at as u64 * bin_ns, (at + bars) as u64 * bin_ns);
        let filter =
            app().place.with_untracked(|it| terms::with_range(&it.filter, Some((from, to))));
        let href = Place::flows(filter).hash();
        let text = (t.within)(&format::clock(start_ns + from), &format::clock(start_ns + to));
        let amount = |it: u64| if it == 0 { "–".to_owned() } else { (scale.amount)(it) };
        let cells = series
            .iter()
            .take(COLUMNS)
            .map(|it| view! { <td class="num">{amount(of(&it.values))}</td> });
        view! {
            <tr>
                <td><a class="mono" href=href>{text}</a></td>
                <td class="num">{amount(of(&sums))}</td>
                {cells.collect_view()}
            </tr>
        }
    });
    let lines = lines.collect_view();
    let _ = lang;
    view! {
        <Sideways label=t.traffic_over_time>
            <table>
                <thead>
                    <tr><th scope="col">{t.time}" (UTC)"</th><th scope="col" class="num">{t.total}</th>{head}</tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </Sideways>
    }
}

/// Labels or protocols as bars.
#[component]
pub fn LabelPanel(
    /// The heading.
    title: &'static str,
    /// The rows, most bytes first.
    rows: Vec<LabelRow>,
    /// The filter's key that finds their flows.
    key: &'static str,
    /// What else their flows are filtered by.
    #[prop(optional, into)]
    within: String,
    /// How many are shown at first.
    #[prop(default = 10)]
    at_first: usize,
) -> impl IntoView {
    let (t, lang) = texts();
    let most = rows.iter().map(|it| it.bytes).max().unwrap_or(1).max(1);
    let n = format::count(rows.len() as u64, lang);
    let is_label = key == "label";
    let bars = rows.iter().map(|row| {
        let protocols: Vec<String> = row
            .protocols
            .iter()
            .filter(|it| **it != row.label)
            .map(|it| groups::written(it, lang))
            .collect();
        Bar {
            class: groups::class(&row.group),
            letter: groups::letter(&row.group),
            title: groups::written(&row.label, lang),
            href: Place::flows(terms::both(&within, &terms::term(key, &row.label))).hash(),
            sub: if is_label { protocols.join(", ") } else { String::new() },
            figures: vec![format::count(row.flows, lang), format::bytes(row.bytes, lang)],
            share: row.bytes as f64 / most as f64,
            is_mono: false,
        }
    });
    let bars = bars.collect();
    let first = if is_label { t.label } else { t.protocol };
    let headings = vec![first.to_owned(), t.flows.to_owned(), t.bytes.to_owned()];
    view! {
        <Panel title=title.to_owned() right=move || t.by_bytes>
            <Bars headings bars at_first more=(t.all_of_them)(&n) />
        </Panel>
    }
}

/// The hosts with most traffic.
#[component]
fn HostPanel(seen: Arc<Overview>) -> impl IntoView {
    let (t, lang) = texts();
    let app = app();
    let all = app.opened(View::Hosts, "").hash();
    let rows = seen.top_hosts.iter().map(|host| {
        let flows = host.client_flows + host.server_flows;
        let href = app.opened(View::Hosts, &host.ip).hash();
        let name = match &host.name {
            Some(name) => view! {
                <span class="two">
                    <a href=href title=name.clone()><b>{name.clone()}</b></a>
                    <span class="mono dim">{host.ip.clone()}</span>
                </span>
            }
            .into_any(),
            None => view! { <a class="mono" href=href>{host.ip.clone()}</a> }.into_any(),
        };
        let place = whereabouts(host, t, lang);
        view! {
            <tr>
                <td class="title">{name}</td>
                <td class="dim place-of">{place}</td>
                <td class="num">
                    <a href=app.flows_within(&terms::term("ip", &host.ip)).hash() tabindex="-1">
                        {format::count(flows, lang)}
                    </a>
                </td>
                <td class="num">{format::bytes(host.bytes, lang)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let n = format::count(seen.hosts, lang);
    let right = move || view! { <a class="link" href=all.clone()>{(t.all_of_them)(&n)}</a> };
    view! {
        <Panel title=t.hosts.to_owned() right=right>
            <table class="bars">
                <thead>
                    <tr>
                        <th scope="col">{t.host}</th>
                        <th scope="col" class="place">{t.where_}</th>
                        <th scope="col" class="num">{t.flows}</th>
                        <th scope="col" class="num">{t.bytes}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </Panel>
    }
}

/// The filter that finds the flows of a statistic's line.
pub fn statistic_filter(title: &str, label: &str) -> String {
    match title {
        "clients" => terms::term("client", label),
        "servers" => terms::term("server", label),
        "labels" => terms::term("label", label),
        "ports" => match label.split_once('/') {
            Some((transport, port)) => format!("transport:{transport} server_port:{port}"),
            None => String::new(),
        },
        // Where the payload told nothing, the transport stands in the protocol's place.
        "protocols" if ["tcp", "udp"].contains(&label) => {
            format!("transport:{label} proto:unknown")
        }
        "protocols" => terms::term("proto", label),
        _ => String::new(),
    }
}

/// How TCP connections fared; nothing where there are none.
#[component]
fn TcpPanel(seen: Arc<Overview>) -> impl IntoView {
    let (t, lang) = texts();
    let all = seen.tcp_flows;
    let bars = seen.tcp.iter().map(|it| Bar {
        title: word(&t.fates, &it.what),
        href: app().flows_within(&it.filter).hash(),
        figures: vec![format::count(it.flows, lang)],
        share: it.flows as f64 / all.max(1) as f64,
        ..Bar::default()
    });
    let bars: Vec<Bar> = bars.collect();
    let right = format::count(all, lang);
    let content = if bars.is_empty() {
        view! { <p class="dim inset">{t.tcp_well}</p> }.into_any()
    } else {
        let headings = vec![t.tcp_fate.to_owned(), t.flows.to_owned()];
        view! { <Bars headings bars /> }.into_any()
    };
    (all > 0).then(|| {
        let href = app().flows_within("transport:tcp").hash();
        let right = move || view! { <a href=href.clone()>{right.clone()}</a> };
        view! { <Panel title=t.tcp.to_owned() right=right>{content}</Panel> }
    })
}

/// The book's statistics, one list at a time.
#[component]
pub fn StatisticsPanel(
    /// The lists.
    statistics: Vec<v1::StatisticItem>,
    /// What else their flows are filtered by.
    #[prop(optional, into)]
    within: String,
    /// How many of each are shown at first.
    #[prop(default = 10)]
    at_first: usize,
) -> impl IntoView {
    let (t, lang) = texts();
    let titles: Vec<String> =
        statistics.iter().map(|it| word(&t.statistic_titles, &it.title)).collect();
    // Protocols and labels have their own panels; who talked is told here alone.
    let first = statistics.iter().position(|it| it.title == "servers").unwrap_or(0);
    let chosen = RwSignal::new(first);
    let statistics = StoredValue::new(statistics);
    let right = move || {
        view! { <Switch label=t.statistics.to_owned() options=titles.clone() chosen /> }
    };
    let content = move || {
        let item = statistics.with_value(|it| it.get(chosen.get()).cloned())?;
        let most = item.content.iter().map(|it| it.count).max().unwrap_or(1).max(1);
        let is_address = matches!(item.title.as_str(), "clients" | "servers" | "ports");
        let bars = item.content.iter().map(|it| {
            let filter = statistic_filter(&item.title, &it.label);
            Bar {
                title: if is_address { it.label.clone() } else { groups::written(&it.label, lang) },
                href: Place::flows(terms::both(&within, &filter)).hash(),
                figures: vec![format::count(it.count, lang)],
                share: it.count as f64 / most as f64,
                is_mono: is_address,
                ..Bar::default()
            }
        });
        let n = format::count(item.content.len() as u64, lang);
        let headings = vec![word(&t.statistic_titles, &item.title), t.flows.to_owned()];
        Some(view! { <Bars headings bars=bars.collect() at_first more=(t.all_of_them)(&n) /> })
    };
    view! { <Panel title=t.statistics.to_owned() class="statistics" right=right>{content}</Panel> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statistics_line_leads_to_its_flows() {
        assert_eq!(statistic_filter("ports", "tcp/443"), "transport:tcp server_port:443");
        assert_eq!(statistic_filter("protocols", "tcp"), "transport:tcp proto:unknown");
        assert_eq!(statistic_filter("protocols", "dns"), "proto:dns");
        assert_eq!(statistic_filter("labels", "apple music"), "label:\"apple music\"");
    }
}
