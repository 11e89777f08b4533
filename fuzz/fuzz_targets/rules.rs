//! Files of a user's rules: they are refused in one sentence, or label a capture, with labels that are listed.
#![no_main]

use std::sync::{Arc, LazyLock};

use engine::{Job, Library, OwnRules, Rules};

static CAPTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let small = tests::small_captures().into_iter().map(|it| it.bytes);
    small.filter(|it| it.len() < 5_000).take(6).collect()
});

libfuzzer_sys::fuzz_target!(|text: &str| {
    let own = match OwnRules::read(text) {
        Ok(own) => Arc::new(own),
        Err(error) => {
            let said = error.to_string();
            assert!(!said.is_empty() && said.len() < 1_000, "{said}");
            return;
        }
    };
    let mut library = Library::new();
    library.set_own_rules(Arc::clone(&own));
    let labels = library.answer(&v1::Request::Labels, 0).expect("labels are always answered");
    let labels: Vec<v1::Label> = serde_json::from_value(labels).expect("they have their type");
    let rules = Rules { own, ..Rules::default() };
    for capture in &*CAPTURES {
        let mut job = Job::with_rules("capture", 0, &rules);
        // What is wrong with a capture is told of its reading.
        let _ = job.feed(capture);
        for row in job.finish(false).rows() {
            let group = labels.iter().find(|it| it.group_name == row.group);
            assert!(group.is_some_and(|it| it.labels.contains(&row.label)), "{}", row.label);
            let is_own = row.reason.contains("your rule for");
            assert_eq!(is_own, matches!(&*row.evidence, "own" | "port"), "{}", row.reason);
        }
    }
});
