//! Filters as typed, and the flows they let through.
#![no_main]

use std::sync::LazyLock;

use engine::{Analysis, Filter};

static ANALYSIS: LazyLock<Analysis> = LazyLock::new(fuzz::analysis);

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            let start = ANALYSIS.rows().first().map_or(0, |it| it.time_start_ns);
            for row in ANALYSIS.rows() {
                let _ = filter.matches(row, start);
            }
        }
        Err(message) => assert!(!message.is_empty()),
    }
});
