//! The page while a capture is read: how far it is, and what there is so far, in the places where the first look has it.

use leptos::prelude::*;
use v1::page::{FlowRow, Preview};

use crate::{
    app::Rail,
    backend::Progress,
    format, groups,
    i18n::{Lang, Texts},
    message::Stage,
    pages::waiting::WaitingFiles,
    parts::{
        bars::{Bar, Bars},
        small::{Mark, Panel},
    },
    state::{Phase, app, texts},
};

/// How many of the largest flows are shown.
const MAX_FLOWS: usize = 24;

/// How far the reading is, the button that ends it, and what was found.
#[component]
pub fn Reading() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let state = Memo::new(move |_| match app.phase.get() {
        Phase::Reading { progress, since, now, is_stopping } => {
            (progress, now - since, is_stopping)
        }
        _ => (Progress::default(), 0.0, false),
    });
    let preview = move || app.preview.get().unwrap_or_default();
    let figures = move || {
        let (progress, ..) = state.get();
        let seen = preview();
        let bytes = seen.client_bytes + seen.server_bytes;
        let directions = format!(
            "↑ {} · ↓ {}",
            format::bytes(seen.client_bytes, lang),
            format::bytes(seen.server_bytes, lang)
        );
        let lasts = seen.time_end_ns.saturating_sub(seen.time_start_ns);
        let later = match seen.waiting {
            0 => String::new(),
            n => (t.table.not_labelled)(&t.n_flows.with(n, lang)),
        };
        let aside = progress.frames.saturating_sub(progress.packets);
        let frames = t.n_frames.with(progress.frames, lang);
        let aside =
            if aside == 0 { frames } else { (t.some_set_aside)(&t.n_frames.with(aside, lang)) };
        let dash = || "–".to_owned();
        view! {
            <dl class="strip">
                {figure(t.flows, format::count(progress.flows, lang), later)}
                {figure(t.traffic, if bytes == 0 { dash() } else { format::bytes(bytes, lang) }, directions)}
                {figure(t.duration, if lasts == 0 { dash() } else { format::duration(lasts, lang) }, String::new())}
                {figure(t.table.memory, format::bytes(progress.memory, lang), String::new())}
                {figure(t.packets_read, format::count(progress.packets, lang), aside)}
            </dl>
        }
    };
    let labels = move || {
        let rows = preview().labels;
        if rows.is_empty() {
            return view! { <p class="waiting">{t.table.nothing_yet}</p> }.into_any();
        }
        let most = rows.iter().map(|it| it.bytes).max().unwrap_or(1).max(1);
        let bars = rows.iter().map(|row| Bar {
            class: groups::class(&row.group),
            letter: groups::letter(&row.group),
            title: groups::written(&row.label, lang),
            figures: vec![format::count(row.flows, lang), format::bytes(row.bytes, lang)],
            share: row.bytes as f64 / most as f64,
            ..Bar::default()
        });
        let bars: Vec<Bar> = bars.collect();
        let headings = vec![t.label.to_owned(), t.flows.to_owned(), t.bytes.to_owned()];
        let at_first = bars.len();
        view! { <Bars headings bars at_first /> }.into_any()
    };
    view! {
        <div class="frame">
            <Rail />
            <main id="main" tabindex="-1">
                <div class="page">
                    {figures}
                    <HowFar state />
                    <WaitingFiles />
                    <div class="cols">
                        <Panel title=t.table.labels_so_far.to_owned() right=move || t.by_bytes>{labels}</Panel>
                        <Panel title=t.table.largest.to_owned()>
                            {move || largest(&preview(), t, lang)}
                            <p class="inset dim">{t.table.largest_hint}</p>
                        </Panel>
                    </div>
                </div>
            </main>
        </div>
    }
}

/// The progress, and the button that ends it.
#[component]
fn HowFar(
    /// How far it is, for how many milliseconds, and whether it is about to stop.
    state: Memo<(Progress, f64, bool)>,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let name =
        move || app.capture.with(|it| it.as_ref().map(|it| it.name.clone())).unwrap_or_default();
    let share = move || {
        let progress = state.get().0;
        progress.bytes as f64 * 100.0 / progress.total.max(1) as f64
    };
    let bytes = move || {
        let progress = state.get().0;
        (t.reading_progress)(
            &format::bytes(progress.bytes, lang),
            &format::bytes(progress.total, lang),
        )
    };
    let speed = move || match rate(state.get()) {
        Some(rate) => format::bytes_per_second(rate, lang),
        None => "–".to_owned(),
    };
    let left = move || left(state.get(), t, lang);
    let stage = Memo::new(move |_| state.get().0.stage);
    let is_stopping = move || state.get().2 || stage.get() != Stage::Reading;
    let stages = t.table.stages.into_iter().enumerate().map(|(at, name)| {
        let is_now = move || (stage.get() as usize == at).then_some("step");
        let is_done = move || at < stage.get() as usize;
        view! { <li aria-current=is_now class:is-done=is_done>{name}</li> }
    });
    let stages = stages.collect_view();
    view! {
        <section class="panel how-far">
            <header>
                <h1>{move || (t.reading)(&name())}</h1>
                <div class="right">
                    <button type="button" id="stop" class="btn" title=t.stop_hint disabled=is_stopping on:click=move |_| app.stop()>
                        {move || if is_stopping() { t.stopping } else { t.stop }}
                    </button>
                </div>
            </header>
            <div class="inset">
                <div
                    class="progress"
                    role="progressbar"
                    aria-label=move || (t.reading)(&name())
                    aria-valuemin="0"
                    aria-valuemax="100"
                    aria-valuenow=move || format!("{:.0}", share())
                >
                    <i style:width=move || format!("{:.2}%", share())></i>
                </div>
                <ol class="stages">{stages}</ol>
                <dl class="strip">
                    {move || figure(t.read_so_far, format!("{} %", format::decimal(share(), 0, lang)), bytes())}
                    {move || figure(t.speed, speed(), String::new())}
                    {move || figure(t.table.left, left(), String::new())}
                </dl>
            </div>
        </section>
    }
}

fn figure(title: &'static str, value: String, small: String) -> impl IntoView {
    view! {
        <div>
            <dt>{title}</dt>
            <dd>{value}</dd>
            <dd class="sub">{small}</dd>
        </div>
    }
}

/// Bytes a second; the first moments say nothing yet.
fn rate((progress, millis, _): (Progress, f64, bool)) -> Option<f64> {
    (millis >= 50.0 && progress.bytes > 0).then(|| progress.bytes as f64 * 1e3 / millis)
}

/// How long reading goes on, as fast as it went so far.
fn left(state: (Progress, f64, bool), t: &Texts, lang: Lang) -> String {
    let (progress, millis, _) = state;
    let rest = progress.total.saturating_sub(progress.bytes);
    match rate(state) {
        _ if progress.stage != Stage::Reading || progress.total > 0 && rest == 0 => {
            t.table.soon.to_owned()
        }
        // What is left is a guess, and one of the first half second is none.
        Some(rate) if millis >= 500.0 => {
            let seconds = (rest as f64 / rate).ceil() as u64;
            format::duration(seconds.max(1) * 1_000_000_000, lang)
        }
        _ => "–".to_owned(),
    }
}

/// The largest flows so far.
fn largest(seen: &Preview, t: &Texts, lang: Lang) -> AnyView {
    if seen.rows.is_empty() {
        return view! { <p class="waiting">{t.table.nothing_yet}</p> }.into_any();
    }
    let rows = seen.rows.iter().take(MAX_FLOWS).map(|row| flow(row, lang));
    view! {
        <table class="so-far">
            <thead>
                <tr>
                    <th scope="col">{t.label}</th>
                    <th scope="col">{t.client}</th>
                    <th scope="col">{t.server}</th>
                    <th scope="col" class="num">{t.packets}</th>
                    <th scope="col" class="num">{t.bytes}</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

fn flow(row: &FlowRow, lang: Lang) -> impl IntoView {
    let class = groups::class(&row.group);
    let server = row.domain_name.clone().unwrap_or_else(|| row.server_ip.clone());
    let server_class = if row.domain_name.is_some() { "title" } else { "title mono" };
    view! {
        <tr>
            <td class="title"><Mark class letter=groups::letter(&row.group) />{groups::written(&row.label, lang)}</td>
            <td class="title mono">{row.client_ip.clone()}</td>
            <td class=server_class title=server.clone()>{server.clone()}</td>
            <td class="num">{format::count(row.client_packets + row.server_packets, lang)}</td>
            <td class="num">{format::bytes(row.client_bytes + row.server_bytes, lang)}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_follows_the_speed_so_far() {
        let check = |bytes, millis, stage, expected: &str| {
            let progress = Progress { bytes, total: 1_000, stage, ..Progress::default() };
            assert_eq!(left((progress, millis, false), Lang::En.texts(), Lang::En), expected);
        };
        check(250, 1_000.0, Stage::Reading, "3.00\u{a0}s");
        check(250, 100.0, Stage::Reading, "–");
        check(0, 1_000.0, Stage::Reading, "–");
        check(1_000, 1_000.0, Stage::Reading, "nearly done");
        check(250, 1_000.0, Stage::Sessions, "nearly done");
    }
}
