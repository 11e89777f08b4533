//! What the page does with large captures, in figures: `cargo xtask measure`. It fails where a limit does not hold.
//!
//! Times are of the worker, from question to answer, as the page has to wait for them.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::print_stdout, reason = "what is measured is what it prints")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the browser's tests use the rest of it")]
mod driver;

use driver::{Browser, Site, setting};

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use v1::page::FlowSort;

/// How long a capture may be read.
const PATIENCE: Duration = Duration::from_secs(600);

/// What must hold of a million flows: seconds to sort and to filter, bytes of the worker's memory, frames a second.
const SORT: f64 = 0.5;
const FILTER: f64 = 0.3;
const MEMORY_OF_MANY: f64 = 768.0 * 1_048_576.0;
const FRAMES: f64 = 50.0;
/// The same of 5 GiB of few flows.
const MEMORY_OF_LONG: f64 = 256.0 * 1_048_576.0;

/// Every column that orders.
const COLUMNS: &[FlowSort] = &[
    FlowSort::Number,
    FlowSort::Start,
    FlowSort::End,
    FlowSort::Duration,
    FlowSort::Label,
    FlowSort::Protocol,
    FlowSort::Transport,
    FlowSort::Group,
    FlowSort::Client,
    FlowSort::ClientPort,
    FlowSort::Server,
    FlowSort::ServerAddress,
    FlowSort::ServerPort,
    FlowSort::Name,
    FlowSort::Packets,
    FlowSort::ClientPackets,
    FlowSort::ServerPackets,
    FlowSort::Bytes,
    FlowSort::ClientBytes,
    FlowSort::ServerBytes,
    FlowSort::State,
    FlowSort::Agent,
    FlowSort::Ja4,
    FlowSort::Session,
    FlowSort::Evidence,
    FlowSort::Confidence,
    FlowSort::Tunnel,
    FlowSort::Handshake,
    FlowSort::RoundTrip,
    FlowSort::Retransmissions,
    FlowSort::LostBytes,
];

const FILTERS: &[&str] =
    &["", "label:dns", "bytes>1kB", "client:10.0.0.0/8", "example", "-proto:http port:53"];

/// Listens to the worker that the page starts, and asks it besides.
const LISTEN: &str = "
    const start = tractor.startWorker;
    tractor.startWorker = () => {
        const worker = start();
        const seen = {worker, began: performance.now(), progress: null, done: null, waiting: new Map()};
        worker.addEventListener('message', ({data: [said, payload]}) => {
            const now = performance.now();
            if (said.Progress) seen.progress = said.Progress;
            if (said.Progress && said.Progress.stage !== seen.stage) {
                seen.stage = said.Progress.stage;
                (seen.stages ??= []).push([seen.stage, Math.round(now - seen.began), said.Progress.memory / 1048576]);
            }
            if (said === 'Done' || said.Failed || said.Broken) seen.done = now - seen.began;
            const asked = said.Answer ?? said.Refused;
            if (asked && seen.waiting.has(asked.id)) seen.waiting.get(asked.id)(payload);
        });
        seen.ask = question => new Promise(resolve => {
            const id = 1e9 + Math.floor(Math.random() * 1e9);
            const since = performance.now();
            seen.waiting.set(id, payload => {
                seen.waiting.delete(id);
                resolve([performance.now() - since, payload]);
            });
            worker.postMessage([{Ask: {id, question: {Page: question}}}, undefined]);
        });
        globalThis.seen = seen;
        return worker;
    };";

/// Scrolls the table for some seconds, by steps and by leaps; the times between frames in milliseconds.
const SCROLL: &str = "
    const [seconds, isLeaping] = arguments;
    const list = document.querySelector('.list .scroll');
    return new Promise(resolve => {
        const times = [];
        let last = null;
        const end = performance.now() + seconds * 1000;
        const step = now => {
            if (last !== null) times.push(now - last);
            last = now;
            if (now > end) return resolve(times);
            list.scrollTop = isLeaping
                ? Math.random() * list.scrollHeight
                : list.scrollTop + 60;
            requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    });";

struct Measured {
    failed: Vec<String>,
}

impl Measured {
    fn tell(&mut self, about: &str, value: f64, unit: &str, limit: Option<(f64, bool)>) {
        let (limit, mark) = match limit {
            None => (String::new(), ""),
            Some((limit, is_most)) => {
                let holds = if is_most { value <= limit } else { value >= limit };
                if !holds {
                    self.failed.push(format!("{about}: {value:.3} {unit}"));
                }
                let sign = if is_most { "≤" } else { "≥" };
                (format!("{sign} {limit:.1}"), if holds { "" } else { "  NOT" })
            }
        };
        println!("{about:44} {value:10.3} {unit:6} {limit}{mark}");
    }

    fn end(self) {
        assert!(self.failed.is_empty(), "{:#?}", self.failed);
    }
}

fn until(browser: &Browser, expression: &str) {
    let start = Instant::now();
    while browser.run(&format!("return Boolean({expression})"), &[]) != json!(true) {
        assert!(start.elapsed() < PATIENCE, "never: {expression}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn number(browser: &Browser, expression: &str) -> f64 {
    browser.run(&format!("return {expression}"), &[]).as_f64().unwrap_or(f64::NAN)
}

/// Milliseconds until a window of the table is there, its bytes, and the rows of the list.
fn window(browser: &Browser, filter: &str, sort: FlowSort, is_descending: bool) -> (f64, f64, u64) {
    let question = json!({"Flows": {"filter": filter, "timeout": "none", "sort": sort,
        "is_descending": is_descending, "offset": 0, "len": 200}});
    let answer = browser.run(
        "return seen.ask(arguments[0]).then(([millis, buffer]) =>
            [millis, buffer.byteLength, JSON.parse(new TextDecoder().decode(buffer)).matching])",
        &[question],
    );
    let at = |n: usize| answer[n].as_f64().unwrap();
    (at(0), at(1), at(2) as u64)
}

/// The most memory any process that draws pages had, in bytes; with the page, its worker and the browser's own.
fn renderer_peak(parent: u32) -> f64 {
    let status = |id: &str| fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let field = |status: &str, name: &str| {
        let line = status.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let is_ours = |id: &str| {
        let mut at = id.to_owned();
        while at != "0" && at != "1" {
            if at == parent.to_string() {
                return true;
            }
            let Some(above) = field(&status(&at), "PPid") else { return false };
            at = above.to_string();
        }
        false
    };
    let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = ids.filter_map(|it| it.file_name().into_string().ok());
    let ids = ids.filter(|it| it.bytes().all(|it| it.is_ascii_digit()));
    let is_renderer = |id: &String| {
        fs::read_to_string(format!("/proc/{id}/cmdline"))
            .is_ok_and(|it| it.contains("--type=renderer"))
    };
    let peaks = ids.filter(is_renderer).filter(|it| is_ours(it));
    peaks.filter_map(|it| field(&status(&it), "VmHWM")).max().unwrap_or(0) as f64 * 1_024.0
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn opened(site: &Site, capture: &Path) -> Browser {
    let browser = Browser::open_page(site, "en");
    browser.run(LISTEN, &[]);
    browser.choose(capture);
    browser
}

#[test]
fn a_million_flows() {
    let capture = setting("TRACTOR_MANY");
    let (site, mut measured) = (Site::start(), Measured { failed: Vec::new() });
    let mebibytes = fs::metadata(&capture).unwrap().len() as f64 / 1_048_576.0;
    println!("\n{}, {mebibytes:.0} MiB", capture.display());
    let browser = opened(&site, &capture);
    until(&browser, "globalThis.seen?.done");
    let worker = number(&browser, "seen.done") / 1e3;
    browser.until_read();
    browser.run("location.hash = '#v=flows'", &[]);
    until(&browser, "document.querySelectorAll('.list tbody tr[aria-rowindex] a').length > 10");
    let table = number(&browser, "performance.now() - seen.began") / 1e3;
    println!("stages: {}", browser.run("return seen.stages ?? null", &[]));
    measured.tell("flows", number(&browser, "seen.progress.flows"), "", None);
    measured.tell("read by the worker", worker, "s", None);
    measured.tell("speed", mebibytes / worker, "MiB/s", None);
    measured.tell("from file to table", table, "s", None);

    for filter in FILTERS {
        // Whatever was asked before, this is filtered anew, and is in the usual order.
        window(&browser, "flow:0", FlowSort::Start, false);
        let (millis, bytes, rows) = window(&browser, filter, FlowSort::Start, false);
        let about = format!("filter `{filter}` ({rows} rows, {:.0} kB)", bytes / 1e3);
        measured.tell(&about, millis / 1e3, "s", Some((FILTER, true)));
    }
    window(&browser, "", FlowSort::Start, false);
    for column in COLUMNS {
        let (sorted, ..) = window(&browser, "", *column, false);
        measured.tell(&format!("sort by {column:?}"), sorted / 1e3, "s", Some((SORT, true)));
        let (turned, ..) = window(&browser, "", *column, true);
        measured.tell(&format!("  turned by {column:?}"), turned / 1e3, "s", Some((SORT, true)));
    }
    window(&browser, "label:dns", FlowSort::Start, false);
    let (few, ..) = window(&browser, "label:dns", FlowSort::Name, false);
    measured.tell("sort what is filtered by Name", few / 1e3, "s", Some((SORT, true)));
    let mut next: Vec<f64> =
        (0..20).map(|_| window(&browser, "label:dns", FlowSort::Name, false).0).collect();
    measured.tell("the next window of 200 rows", median(&mut next) / 1e3, "s", None);

    for (about, is_leaping) in [("scrolling", false), ("leaping", true)] {
        let times = browser.run(SCROLL, &[json!(4), json!(is_leaping)]);
        let mut times: Vec<f64> =
            times.as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        let rate = times.len() as f64 * 1e3 / times.iter().sum::<f64>();
        let limit = (!is_leaping).then_some((FRAMES, false));
        measured.tell(&format!("{about}: frames a second"), rate, "", limit);
        measured.tell(&format!("{about}: median between frames"), median(&mut times), "ms", None);
    }
    let memory = number(&browser, "seen.progress.memory");
    let limit = Some((MEMORY_OF_MANY / 1_048_576.0, true));
    measured.tell("memory of the worker", memory / 1_048_576.0, "MiB", limit);
    let peak = renderer_peak(browser.driver.id());
    measured.tell("with page and browser, at most", peak / 1_048_576.0, "MiB", None);
    measured.end();
}

#[test]
fn five_gibibytes() {
    let capture = setting("TRACTOR_LONG");
    let (site, mut measured) = (Site::start(), Measured { failed: Vec::new() });
    let mebibytes = fs::metadata(&capture).unwrap().len() as f64 / 1_048_576.0;
    println!("\n{}, {mebibytes:.0} MiB", capture.display());
    let reading = "return seen.ask({Overview: {bins: 10}}).then(([, buffer]) =>
        JSON.parse(new TextDecoder().decode(buffer)).reading)";
    let memory = Some((MEMORY_OF_LONG / 1_048_576.0, true));
    for is_stopped in [false, true] {
        let browser = opened(&site, &capture);
        if is_stopped {
            until(&browser, "globalThis.seen?.progress?.bytes > seen.progress?.total / 2");
            browser.click("#stop");
        }
        until(&browser, "globalThis.seen?.done");
        let seconds = number(&browser, "seen.done") / 1e3;
        let reading = browser.run(reading, &[]);
        let read = reading["bytes"].as_f64().unwrap() / 1_048_576.0;
        assert_eq!(reading["is_stopped"], json!(is_stopped));
        let about = if is_stopped { "stopped at half: " } else { "whole: " };
        measured.tell(&format!("{about}read"), read, "MiB", None);
        measured.tell(&format!("{about}time"), seconds, "s", None);
        measured.tell(&format!("{about}speed"), read / seconds, "MiB/s", None);
        let share = read / mebibytes;
        assert!(if is_stopped { share > 0.49 && share < 0.75 } else { share == 1.0 }, "{share}");
        browser.until_read();
        if is_stopped {
            browser.until("document.querySelector('main').innerText.includes('topped')");
        }
        let taken = number(&browser, "seen.progress.memory") / 1_048_576.0;
        measured.tell(&format!("{about}memory of the worker"), taken, "MiB", memory);
        let peak = renderer_peak(browser.driver.id()) / 1_048_576.0;
        measured.tell(&format!("{about}with page and browser"), peak, "MiB", None);
    }
    measured.end();
}
