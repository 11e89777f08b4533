//! The companion's own page: its captures, their statistics, hosts and flows, all asked of it over the v1 interface.

use gloo::{events::EventListener, net::http::Request, timers::callback::Timeout};
use leptos::{prelude::*, task::spawn_local};
use v1::{
    DetailsIp, DetailsLabelItem, File, JobId, Label, State, StatisticItem,
    page::{JobProgress, JobRow, JobStage, ProcessRequest, Processed, Reading},
};

use crate::{
    app::{LangSwitch, ThemeButton},
    backend::answer_of_companion,
    format, groups,
    i18n::word,
    pages::account::ReadingPanel,
    parts::{
        bars::{Bar, Bars},
        icons::{Lock, Sign},
        small::{Failure, Mark, Panel, Sideways, Switch, Waiting},
    },
    place::{encode, pairs},
    state::{address, app, asking, texts},
};

/// Where in this page one is: a job, and a label or a host of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Where {
    job: Option<u64>,
    name: String,
    label: Option<String>,
    ip: Option<String>,
}

impl Where {
    fn parse(hash: &str) -> Self {
        let mut place = Self::default();
        for (key, value) in pairs(hash) {
            match key {
                "job" => place.job = value.parse().ok(),
                "name" => place.name = value,
                "label" => place.label = Some(value),
                "ip" => place.ip = Some(value),
                _ => {}
            }
        }
        place
    }

    fn hash(&self) -> String {
        let Some(job) = self.job else { return "#".to_owned() };
        let mut out = format!("#job={job}&name={}", encode(&self.name));
        if let Some(label) = &self.label {
            out += &format!("&label={}", encode(label));
        }
        if let Some(ip) = &self.ip {
            out += &format!("&ip={}", encode(ip));
        }
        out
    }

    fn of_label(&self, label: &str) -> String {
        Self { label: Some(label.to_owned()), ip: None, ..self.clone() }.hash()
    }

    fn of_ip(&self, ip: &str) -> String {
        Self { ip: Some(ip.to_owned()), label: None, ..self.clone() }.hash()
    }

    fn whole(&self) -> String {
        Self { label: None, ip: None, ..self.clone() }.hash()
    }
}

/// Asks the companion.
async fn get<T: serde::de::DeserializeOwned>(path: String) -> Result<T, String> {
    let answer = Request::get(&path).send().await.map_err(|it| it.to_string())?;
    read(answer).await
}

async fn read<T: serde::de::DeserializeOwned>(
    answer: gloo::net::http::Response,
) -> Result<T, String> {
    let bytes = answer_of_companion(answer).await.map_err(|it| it.message)?;
    serde_json::from_slice(&bytes).map_err(|it| it.to_string())
}

async fn post<T: serde::de::DeserializeOwned>(
    path: &str,
    body: serde_json::Value,
) -> Result<T, String> {
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(body.to_string()).map_err(|it| it.to_string())?;
    read(request.send().await.map_err(|it| it.to_string())?).await
}

/// Starts jobs for files.
async fn process(file_names: Vec<String>) -> Result<(), String> {
    let body = serde_json::json!(ProcessRequest { file_names });
    let done: Vec<Processed> = post("/v1x/files/process", body).await?;
    match done.into_iter().find_map(|it| it.error) {
        Some(error) => Err(error.message),
        None => Ok(()),
    }
}

/// Ends a job that waits or is being read.
async fn cancel(job: JobId) -> Result<(), String> {
    let path = format!("/v1x/file/{}/cancel", job.0);
    post::<JobProgress>(&path, serde_json::Value::Null).await.map(drop)
}

/// The file of a job.
pub(crate) async fn file(job: u64) -> Result<File, String> {
    get(format!("/file/{job}/details")).await
}

/// A file's name with its extension, where it has one.
pub(crate) fn full_name(file: &File) -> String {
    if file.extension.is_empty() {
        return file.name.clone();
    }
    format!("{}.{}", file.name, file.extension)
}

/// Says that this is no sealed page, and leads to the companion's captures.
#[component]
pub fn Badge() -> impl IntoView {
    let (t, _) = texts();
    view! {
        <a class="btn" id="to-companion" href="./">{t.companion_title}</a>
        <span class="seal is-open"><Lock /><span>{t.companion_badge}</span></span>
    }
}

/// A query's value, percent-encoded.
fn value(text: &str) -> String {
    encode(text).replace('&', "%26").replace('+', "%2B")
}

/// The page.
#[component]
pub fn Companion() -> impl IntoView {
    let (t, _) = texts();
    let here = RwSignal::new(Where::parse(&address()));
    let window = window();
    let listeners = ["hashchange", "popstate"].map(|name| {
        EventListener::new(&window, name, move |_| {
            here.try_set(Where::parse(&address()));
        })
    });
    let listeners = StoredValue::new_local(Vec::from(listeners));
    on_cleanup(move || {
        listeners.try_update_value(Vec::clear);
    });
    Effect::new(move |_| document().set_title(&format!("{} · TrActor", t.companion_title)));
    let content = move || {
        let place = here.get();
        match (place.job, place.label.clone(), place.ip.clone()) {
            (Some(job), Some(label), _) => view! { <OfLabel place job label /> }.into_any(),
            (Some(job), None, Some(ip)) => view! { <OfIp place job ip /> }.into_any(),
            (Some(job), None, None) => view! { <Job place job /> }.into_any(),
            (None, ..) => view! { <Files /> }.into_any(),
        }
    };
    let app = app();
    view! {
        <header class="bar">
            <a class="word" href="#"><Sign /><span>"TrActor"</span></a>
            <span class="push"></span>
            <span class="seal is-open"><Lock /><span>{t.companion_badge}</span></span>
            <LangSwitch />
            <ThemeButton />
        </header>
        <main id="main" class="companion" tabindex="-1"><div class="page">{content}</div></main>
        <div class="toasts" role="status" aria-live="polite">
            {move || app.toast.get().map(|it| view! { <p class="toast">{it}</p> })}
        </div>
    }
}

/// The companion's captures.
#[component]
fn Files() -> impl IntoView {
    let (t, lang) = texts();
    let turn = RwSignal::new(0_u32);
    let files = asking(move || {
        turn.track();
        Some(get::<Vec<File>>("/files/list".to_owned()))
    });
    // How far those are that are not at their end.
    let jobs = asking(move || {
        let Some(Ok(files)) = files.get() else { return None };
        let is_any = files.iter().any(|it| it.status.state == State::InProgress);
        is_any.then(|| get::<Vec<JobRow>>("/v1x/jobs?state=in_progress".to_owned()))
    });
    let failure = RwSignal::new(None::<String>);
    // While one is being read the list is asked for again.
    Effect::new(move |_| {
        let Some(Ok(files)) = files.get() else { return };
        if files.iter().any(|it| it.status.state == State::InProgress) {
            let again = Timeout::new(700, move || {
                turn.try_update(|it| *it += 1);
            });
            again.forget();
        }
    });
    let tell = move |done: Result<(), String>| {
        failure.try_set(done.err());
        turn.try_update(|it| *it += 1);
    };
    let start = move |names: Vec<String>| spawn_local(async move { tell(process(names).await) });
    let end = move |job: JobId| spawn_local(async move { tell(cancel(job).await) });
    let progress = move |job: Option<JobId>| {
        let Some(Ok(jobs)) = jobs.get() else { return "…".to_owned() };
        let found = jobs.iter().find(|it| Some(it.progress.job_id) == job);
        let Some(JobRow { progress, .. }) = found else { return "…".to_owned() };
        match (progress.stage, progress.ahead) {
            (JobStage::Waiting, Some(n)) => (t.n_ahead)(&format::count(n, lang)),
            _ => format!(
                "{} · {}",
                format::percent(progress.bytes, progress.total, lang),
                t.n_flows.with(progress.flows, lang)
            ),
        }
    };
    let row = move |file: File| {
        let full = full_name(&file);
        let state = match file.status.state {
            State::New => 0,
            State::InProgress => 1,
            State::Finished => 2,
            State::Failed => 3,
        };
        let job = file.status.job_id.filter(|_| file.status.state == State::Finished);
        let place = Where { job: job.map(|it| it.0), name: full.clone(), ..Where::default() };
        let whole = job.map(|it| format!("?job={}", it.0));
        let title = match whole.clone() {
            Some(href) => view! { <a href=href><b>{full.clone()}</b></a> }.into_any(),
            None => view! { <b>{full.clone()}</b> }.into_any(),
        };
        let number = file.status.job_id;
        let when = (file.status.state == State::Finished)
            .then(|| format::span(file.time_start * 1_000_000_000, file.time_end * 1_000_000_000));
        let size = format::bytes(file.size * 1_000, lang);
        let flows = file.flows_count.map(|it| t.n_flows.with(it, lang));
        // What has columns of its own where there is room for them.
        let about = [Some(size.clone()), flows, when.clone()];
        let about = about.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let action = match file.status.state {
            State::Finished => view! {
                <a class="btn" href=place.hash()>{t.statistics}</a>
                " "
                <a class="btn main" href=whole>{t.show}</a>
            }
            .into_any(),
            State::InProgress => view! {
                <span class="dim">{move || progress(number)}</span>
                " "
                {number.map(|job| view! { <button type="button" class="btn" on:click=move |_| end(job)>{t.stop}</button> })}
            }
            .into_any(),
            State::New | State::Failed => view! {
                <button type="button" class="btn main" on:click=move |_| start(vec![full.clone()])>
                    {if state == 3 { t.again } else { t.process }}
                </button>
            }
            .into_any(),
        };
        view! {
            <tr>
                <td class="title">{title} <p class="dim if-narrow">{about}</p></td>
                <td class="num if-wide">{size}</td>
                <td><span class=["tag", "tag", "tag ok", "tag warn"][state]>{t.file_states[state]}</span></td>
                <td class="num if-wide">{file.flows_count.map(|it| format::count(it, lang))}</td>
                <td class="mono dim if-wide">{when}</td>
                <td class="num acts-of">{action}</td>
            </tr>
        }
    };
    let content = move || match files.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(error)) => {
            view! { <Failure title=t.failed.to_owned() text=(t.no_answer)(&error) /> }.into_any()
        }
        Some(Ok(files)) if files.is_empty() => {
            view! { <p class="waiting">{t.no_files}</p> }.into_any()
        }
        Some(Ok(files)) => {
            let rows = files.into_iter().map(row).collect_view();
            view! {
                <Sideways label=t.companion_title>
                    <table class="files">
                        <thead>
                            <tr>
                                <th scope="col">{t.file}</th>
                                <th scope="col" class="num if-wide">{t.size}</th>
                                <th scope="col">{t.file_state}</th>
                                <th scope="col" class="num if-wide">{t.flows}</th>
                                <th scope="col" class="if-wide">{t.time}</th>
                                <td></td>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </Sideways>
            }
            .into_any()
        }
    };
    let new_ones = move || {
        let Some(Ok(files)) = files.get() else { return Vec::new() };
        files.iter().filter(|it| it.status.state == State::New).map(full_name).collect::<Vec<_>>()
    };
    let right = move || {
        view! {
            <Show when=move || { new_ones().len() > 1 }>
                <button type="button" class="btn" on:click=move |_| start(untrack(new_ones))>{t.process_all}</button>
            </Show>
            <button type="button" class="btn" on:click=move |_| turn.update(|it| *it += 1)>{t.refresh}</button>
        }
    };
    view! {
        <header class="head">
            <h1>{t.companion_title}</h1>
            <p>{t.companion_lead}</p>
            <a class="btn" href="/">{t.companion_private}</a>
        </header>
        {move || failure.get().map(|text| view! { <Failure title=t.failed.to_owned() text /> })}
        <Panel title=t.files.to_owned() right=right>{content}</Panel>
    }
}

#[component]
fn Head(
    /// Where this is.
    place: Where,
    /// What of the capture; nothing for all of it.
    #[prop(optional, into)]
    part: String,
) -> impl IntoView {
    let (t, _) = texts();
    let is_part = !part.is_empty();
    let up = is_part
        .then(|| view! { " / " <a class="link" href=place.whole()>{place.name.clone()}</a> });
    let title = if is_part { part } else { place.name.clone() };
    view! {
        <header class="head">
            <p><a class="link back" href="#">"← "{t.companion_title}</a>{up}</p>
            <h1>{title}</h1>
        </header>
    }
}

/// Lists of counts, each line leading on where there is more to see.
#[component]
fn Statistics(
    /// The lists.
    items: Vec<StatisticItem>,
    /// Where this is.
    place: Where,
) -> impl IntoView {
    let (t, lang) = texts();
    let panels = items.into_iter().map(|item| {
        let most = item.content.iter().map(|it| it.count).max().unwrap_or(1).max(1);
        let is_address = matches!(item.title.as_str(), "clients" | "servers" | "ports");
        let bars = item.content.iter().map(|it| Bar {
            title: if is_address { it.label.clone() } else { groups::written(&it.label, lang) },
            href: match item.title.as_str() {
                "labels" => place.of_label(&it.label),
                "clients" | "servers" => place.of_ip(&it.label),
                _ => String::new(),
            },
            figures: vec![format::count(it.count, lang)],
            share: it.count as f64 / most as f64,
            is_mono: is_address,
            ..Bar::default()
        });
        let bars: Vec<Bar> = bars.collect();
        let title = word(&t.statistic_titles, &item.title);
        let n = format::count(item.content.len() as u64, lang);
        let headings = vec![title.clone(), t.flows.to_owned()];
        view! { <Panel title=title><Bars headings bars at_first=8 more=(t.all_of_them)(&n) /></Panel> }
    });
    view! { <div class="grid-of-panels">{panels.collect_view()}</div> }
}

/// One capture.
#[component]
fn Job(place: Where, job: u64) -> impl IntoView {
    let (t, lang) = texts();
    let file = asking(move || Some(file(job)));
    let statistics =
        asking(move || Some(get::<Vec<StatisticItem>>(format!("/file/{job}/statistics"))));
    let reading = asking(move || Some(get::<Reading>(format!("/file/{job}/reading"))));
    let labels = asking(move || Some(get::<Vec<Label>>("/labels/list".to_owned())));
    let figures = move || {
        file.get().and_then(Result::ok).map(|file| {
            let (start, end) = (file.time_start * 1_000_000_000, file.time_end * 1_000_000_000);
            view! {
                <dl class="strip">
                    <div><dt>{t.flows}</dt><dd>{format::count(file.flows_count.unwrap_or(0), lang)}</dd></div>
                    <div><dt>{t.size}</dt><dd>{format::bytes(file.size * 1_000, lang)}</dd></div>
                    <div><dt>{t.duration}</dt><dd>{format::duration(end.saturating_sub(start), lang)}</dd><dd class="sub">{format::span(start, end)}</dd></div>
                </dl>
            }
        })
    };
    let by_group = {
        let place = place.clone();
        move || {
            let (Some(Ok(groups_known)), Some(Ok(items))) = (labels.get(), statistics.get()) else {
                return None;
            };
            let found = items.into_iter().find(|it| it.title == "labels")?.content;
            let blocks = groups_known.into_iter().filter_map(|group| {
                let here: Vec<_> = found.iter().filter(|it| group.labels.contains(&it.label)).cloned().collect();
                if here.is_empty() {
                    return None;
                }
                let lines = here.into_iter().map(|it| {
                    view! { <li><a class="link" href=place.of_label(&it.label)>{groups::written(&it.label, lang)}</a> " " <span class="dim">{format::count(it.count, lang)}</span></li> }
                });
                Some(view! {
                    <div class="known">
                        <h3><Mark class=groups::class(&group.group_name) letter=groups::letter(&group.group_name) />{word(&t.groups, &group.group_name)}</h3>
                        <ul>{lines.collect_view()}</ul>
                    </div>
                })
            });
            let blocks = blocks.collect_view();
            Some(
                view! { <Panel title=t.labels.to_owned()><div class="inset">{blocks}</div></Panel> },
            )
        }
    };
    let shown = place.clone();
    view! {
        <Head place />
        {figures}
        {move || reading.get().and_then(Result::ok).map(|reading| view! { <ReadingPanel reading /> })}
        {by_group}
        {move || match statistics.get() {
            None => view! { <Waiting text=t.loading /> }.into_any(),
            Some(Err(error)) => view! { <Failure title=t.failed.to_owned() text=error /> }.into_any(),
            Some(Ok(items)) => view! { <Statistics items place=shown.clone() /> }.into_any(),
        }}
    }
}

/// One host of a capture.
#[component]
fn OfIp(place: Where, job: u64, ip: String) -> impl IntoView {
    let (t, _) = texts();
    let path = format!("/file/{job}/statistics/ip?ip={}", value(&ip));
    let answer = asking(move || Some(get::<DetailsIp>(path.clone())));
    let shown = place.clone();
    let told = move |text: &str| if text == "unknown" { "–".to_owned() } else { text.to_owned() };
    view! {
        <Head place part=ip />
        {move || match answer.get() {
            None => view! { <Waiting text=t.loading /> }.into_any(),
            Some(Err(error)) => view! { <Failure title=t.failed.to_owned() text=error /> }.into_any(),
            Some(Ok(host)) => view! {
                <Panel title=t.host.to_owned()>
                    <dl class="kv">
                        <dt>{t.name}</dt><dd>{host.domain_name.clone().unwrap_or_else(|| "–".to_owned())}</dd>
                        <dt>{t.agent}</dt><dd>{host.user_agent.clone().unwrap_or_else(|| "–".to_owned())}</dd>
                        <dt>{t.country}</dt><dd>{told(&host.country)}</dd>
                        <dt>{t.city}</dt><dd>{told(&host.city)}</dd>
                    </dl>
                </Panel>
                <Statistics items=host.statistics place=shown.clone() />
            }
            .into_any(),
        }}
    }
}

/// Flows listed on the page at first, and more by each press.
const LISTED: usize = 200;

/// The flows with one label.
#[component]
fn OfLabel(place: Where, job: u64, label: String) -> impl IntoView {
    let (t, lang) = texts();
    let (flows_path, statistics_path) = (
        format!("/file/{job}/flows/labels?label={}", value(&label)),
        format!("/file/{job}/statistics/labels?label={}", value(&label)),
    );
    let flows = asking(move || Some(get::<Vec<DetailsLabelItem>>(flows_path.clone())));
    let statistics = asking(move || Some(get::<Vec<StatisticItem>>(statistics_path.clone())));
    let tab = RwSignal::new(0);
    let limit = RwSignal::new(LISTED);
    let shown = place.clone();
    let table = {
        let place = place.clone();
        move |items: Vec<DetailsLabelItem>| {
            let n = items.len();
            let rows = items.into_iter().take(limit.get()).map(|it| {
                view! {
                    <tr>
                        <td class="mono">{format::clock(it.time_start * 1_000_000_000)}</td>
                        <td class="mono"><a href=place.of_ip(&it.client_ip)>{format::endpoint(&it.client_ip, it.client_port)}</a></td>
                        <td class="mono"><a href=place.of_ip(&it.server_ip)>{format::endpoint(&it.server_ip, it.server_port)}</a></td>
                        <td class="num">{format::duration((it.time_end - it.time_start) * 1_000_000_000, lang)}</td>
                        <td class="title">{crate::i18n::reason(&it.comment, lang)}</td>
                    </tr>
                }
            });
            let rows = rows.collect_view();
            view! {
                <Sideways label=t.flows>
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">{t.start}" (UTC)"</th>
                                <th scope="col">{t.client}</th>
                                <th scope="col">{t.server}</th>
                                <th scope="col" class="num">{t.duration}</th>
                                <th scope="col">{t.comment}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </Sideways>
                {(n > limit.get()).then(|| view! {
                    <button type="button" class="more" on:click=move |_| limit.update(|it| *it *= 5)>
                        {(t.first_of)(&format::count(limit.get() as u64, lang), &t.n_flows.with(n as u64, lang))}
                    </button>
                })}
            }
        }
    };
    let content = move || {
        if tab.get() == 1 {
            return match statistics.get() {
                None => view! { <Waiting text=t.loading /> }.into_any(),
                Some(Err(error)) => {
                    view! { <Failure title=t.failed.to_owned() text=error /> }.into_any()
                }
                Some(Ok(items)) => view! { <Statistics items place=shown.clone() /> }.into_any(),
            };
        }
        match flows.get() {
            None => view! { <Waiting text=t.loading /> }.into_any(),
            Some(Err(error)) => {
                view! { <Failure title=t.failed.to_owned() text=error /> }.into_any()
            }
            Some(Ok(items)) => {
                let title = t.n_flows.with(items.len() as u64, lang);
                let table = table(items);
                view! { <Panel title>{table}</Panel> }.into_any()
            }
        }
    };
    view! {
        <Head place part=groups::written(&label, lang) />
        <div><Switch label=groups::written(&label, lang) options=vec![t.flows.to_owned(), t.statistics.to_owned()] chosen=tab /></div>
        {content}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_holds_where_one_is() {
        let place = Where {
            job: Some(3),
            name: "a b.pcap".into(),
            label: Some("apple music".into()),
            ip: None,
        };
        assert_eq!(place.hash(), "#job=3&name=a%20b.pcap&label=apple%20music");
        assert_eq!(Where::parse(&place.hash()), place);
        assert_eq!(Where::parse(&place.of_ip("2001:db8::1")).ip.as_deref(), Some("2001:db8::1"));
        assert_eq!(Where::parse("#"), Where::default());
    }
}
