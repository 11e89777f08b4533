//! Filters as typed: the flows they let through, their conditions, and what is suggested at any place in them.
#![no_main]

use std::sync::LazyLock;

use engine::{Analysis, Filter};
use v1::page::Query;

static ANALYSIS: LazyLock<Analysis> = LazyLock::new(fuzz::analysis);

libfuzzer_sys::fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => drop(ANALYSIS.passing(&filter)),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(error.start <= error.end && error.end as usize <= text.len());
            assert_eq!(error.split(text).concat(), text);
        }
    }
    let mut end = 0;
    for condition in engine::filter_conditions(text) {
        assert!(condition.start >= end && text.get(condition.clone()).is_some());
        end = condition.end;
    }
    let at = text.len() as u32 / 2;
    let (filter, limit) = (text.to_owned(), 9);
    drop(ANALYSIS.page(&Query::Suggest { filter, at, limit }));
});
