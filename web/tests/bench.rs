//! The page's worker over a capture in Chromium, beside the bare reading of the same file: `cargo xtask bench`.
//!
//! Each is in a browser of its own, so that none finds what another left; they take turns, each round the other way round.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::print_stdout, reason = "what is measured is what it prints")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the browser's tests use the rest of it")]
mod driver;

use std::{
    env,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use driver::{Browser, Site, setting};
use serde_json::{Value, json};

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is done with the capture: its name, the worker's script, the length of slices in bytes, and how many copies of the
/// sample warm it up before.
const DEEDS: &[(&str, &str, u32, u32)] = &[
    ("bare reading, slices of 1 MiB", "bare.js", 1 << 20, 0),
    ("bare reading, slices of 4 MiB", "bare.js", 4 << 20, 0),
    ("bare reading, slices of 16 MiB", "bare.js", 16 << 20, 0),
    ("bare reading, a stream", "bare.js", 0, 0),
    // As many as in boot.js.
    ("the page's worker", "ours.js", 0, 8),
    ("the page's worker, not warmed up", "ours.js", 0, 0),
];
/// It takes so long that it is done in few rounds.
const WIREGASM: (&str, &str, u32, u32) = ("wiregasm, loading", "wiregasm.js", 0, 0);
const N_ROUNDS_OF_WIREGASM: usize = 2;

#[test]
fn a_capture_is_read() {
    let (capture, site) = (setting("TRACTOR_CAPTURE"), Site::start());
    let n_rounds = env::var("TRACTOR_ROUNDS").map_or(1, |it| it.parse().unwrap());
    for round in 0..n_rounds {
        let mut deeds = DEEDS.to_vec();
        if env::var_os("TRACTOR_WIREGASM").is_some() && round < N_ROUNDS_OF_WIREGASM {
            deeds.push(WIREGASM);
        }
        if round % 2 == 1 {
            deeds.reverse();
        }
        for (name, script, slice_len, copies) in deeds {
            let (seconds, memory) =
                seconds(&site, &capture, script, &[json!(slice_len), json!(copies)]);
            println!("run\t{name}\t{round}\t{seconds:.4}\t{memory}");
        }
    }
}

/// How long a worker takes for the capture, and the bytes of memory it tells.
fn seconds(site: &Site, capture: &Path, script: &str, how: &[Value]) -> (f64, u64) {
    let browser = Browser::start(site, "en");
    browser.go(&format!("http://localhost:{}/index.html", site.port));
    browser.choose_in("#file", capture);
    browser.run("measure(...arguments)", &[&[json!(script)], how].concat());
    let begun = Instant::now();
    loop {
        let ended = browser.run("return globalThis.ended", &[]);
        if let Some(fault) = ended["fault"].as_str() {
            panic!("{script}: {fault}");
        }
        if let Some(millis) = ended["millis"].as_f64() {
            assert_eq!(ended["bytes"], json!(std::fs::metadata(capture).unwrap().len()));
            return (millis / 1e3, ended["memory"].as_u64().unwrap_or(0));
        }
        assert!(begun.elapsed() < PATIENCE, "{script}: never");
        // Seldom, for who asks takes time from whom he asks.
        thread::sleep(Duration::from_millis(100));
    }
}
