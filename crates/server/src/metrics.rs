//! What the companion counts of itself, and says at `/metrics` in the text form of Prometheus.

use std::{
    fmt::Write as _,
    fs,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use axum::http::StatusCode;

use crate::{companion::Counts, jobs::Record};

/// The bounds of how long answers take, in milliseconds.
const BOUNDS_MILLIS: [u64; 8] = [1, 5, 10, 50, 100, 500, 1_000, 10_000];

/// Counters since the start.
pub(crate) struct Metrics {
    begun: Instant,
    /// By the first digit of the status, from 1.
    answers: [AtomicU64; 5],
    /// By the bounds, and one beyond.
    durations: [AtomicU64; BOUNDS_MILLIS.len() + 1],
    micros: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    pub(crate) connections: AtomicUsize,
    pub(crate) refused_connections: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            answers: Default::default(),
            durations: Default::default(),
            micros: AtomicU64::default(),
            finished: AtomicU64::default(),
            failed: AtomicU64::default(),
            bytes: AtomicU64::default(),
            connections: AtomicUsize::default(),
            refused_connections: AtomicU64::default(),
        }
    }
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn count_answer(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(answers) = self.answers.get(class) {
            answers.fetch_add(1, Ordering::Relaxed);
        }
        let bucket = BOUNDS_MILLIS.iter().position(|it| took <= Duration::from_millis(*it));
        let bucket = &self.durations[bucket.unwrap_or(BOUNDS_MILLIS.len())];
        bucket.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// Counts a job that ended.
    pub(crate) fn count_job(&self, record: &Record) {
        let ended = if record.is_finished() { &self.finished } else { &self.failed };
        ended.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(record.stamp.bytes, Ordering::Relaxed);
    }

    /// All of it.
    pub(crate) fn text(&self, jobs: Counts) -> String {
        let mut out = String::new();
        let of = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let mut say = |name: &str, kind: &str, help: &str, lines: &[(&str, String)]| {
            // Writing to a text cannot fail.
            let _ = writeln!(out, "# HELP tractor_{name} {help}\n# TYPE tractor_{name} {kind}");
            for (suffix, value) in lines {
                let _ = writeln!(out, "tractor_{name}{suffix} {value}");
            }
        };
        let one = |value: u64| [("", value.to_string())];
        say(
            "up_seconds",
            "gauge",
            "Seconds since the start.",
            &one(self.begun.elapsed().as_secs()),
        );
        let labels = ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|it| format!("{{status=\"{it}\"}}"));
        let answers =
            labels.iter().zip(&self.answers).map(|(label, n)| (&**label, of(n).to_string()));
        say("answers_total", "counter", "Answers by status.", &answers.collect::<Vec<_>>());
        let mut n = 0;
        let mut lines = Vec::new();
        let bounds = BOUNDS_MILLIS.map(|it| (it as f64 / 1_000.0).to_string());
        for (bound, count) in bounds.into_iter().chain(["+Inf".to_owned()]).zip(&self.durations) {
            n += of(count);
            lines.push((format!("_bucket{{le=\"{bound}\"}}"), n.to_string()));
        }
        let seconds = of(&self.micros) as f64 / 1e6;
        lines.push(("_sum".to_owned(), seconds.to_string()));
        lines.push(("_count".to_owned(), n.to_string()));
        let lines: Vec<_> = lines.iter().map(|(name, value)| (&**name, value.clone())).collect();
        say("answer_seconds", "histogram", "How long answers took.", &lines);
        let counts = [
            ("{state=\"waiting\"}", jobs.waiting.to_string()),
            ("{state=\"running\"}", jobs.running.to_string()),
            ("{state=\"finished\"}", jobs.finished.to_string()),
            ("{state=\"failed\"}", jobs.failed.to_string()),
        ];
        say("jobs", "gauge", "Jobs by state.", &counts);
        let ended = [
            ("{end=\"finished\"}", of(&self.finished).to_string()),
            ("{end=\"failed\"}", of(&self.failed).to_string()),
        ];
        say("jobs_ended_total", "counter", "Jobs that ended since the start.", &ended);
        say("read_bytes_total", "counter", "Bytes of their captures.", &one(of(&self.bytes)));
        let connections = self.connections.load(Ordering::Relaxed) as u64;
        say("connections", "gauge", "Connections that are open.", &one(connections));
        let refused = of(&self.refused_connections);
        say("connections_refused_total", "counter", "Connections beyond the limit.", &one(refused));
        if let Some(bytes) = resident() {
            say("resident_bytes", "gauge", "Memory of the process.", &one(bytes));
        }
        out
    }
}

/// How much memory the process takes, in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1_024)
}
