//! Data sets as text, ARFF and CSV: what is read is whole and can be told of.
#![no_main]

use learn::{Reading, read_table};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let schema = features::SCHEMAS.get(text.len() % 32).copied();
    for how in [Reading::default(), Reading { schema, label: None }] {
        let table = match read_table(text, "a-15s.csv", &how) {
            Ok(table) => table,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        let data = &table.data;
        assert!(!data.is_empty() && !data.columns.is_empty() && !data.classes().is_empty());
        assert_eq!(data.counts().iter().sum::<u64>(), data.len() as u64);
        for (at, row) in data.rows().iter().enumerate() {
            let values = data.values(at);
            assert_eq!(values.len(), data.columns.len());
            assert!(values.iter().all(|it| !it.is_infinite()));
            assert!(!data.label(at).is_empty());
            assert!(data.captures.get(row.capture as usize).is_some());
        }
        if let Some(schema) = data.schema {
            assert_eq!(schema.n_features(), data.columns.len());
        }
        for notice in &table.notices {
            let text = notice.to_string();
            assert!(notice.arguments().iter().all(|it| text.contains(it)), "{text}");
        }
        let (_, n_dropped) = data.without_duplicates();
        assert_eq!(data.n_duplicates(), n_dropped);
    }
});
