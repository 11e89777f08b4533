//! Filters as typed, and the flows they let through.
#![no_main]

use std::sync::LazyLock;

use engine::{Analysis, Filter};

static ANALYSIS: LazyLock<Analysis> = LazyLock::new(fuzz::analysis);

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => drop(ANALYSIS.passing(&filter)),
        Err(message) => assert!(!message.is_empty()),
    }
});
