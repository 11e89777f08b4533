//! Feature files in Weka's format.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    for schema in features::SCHEMAS {
        if let Ok(examples) = server::arff::examples(text, schema) {
            assert!(examples.iter().all(|it| it.features.len() == schema.n_features()));
        }
    }
});
