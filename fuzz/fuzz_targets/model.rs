//! Model files: what is read is written the same, and can judge any flow.
#![no_main]

use classify::Model;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::read(bytes) else { return };
    let again = Model::read(model.write().as_bytes()).expect("what was written can be read");
    assert_eq!(again, model);
    let values = [None, Some(0.0), Some(-1.0), Some(1e300), Some(f64::NAN), Some(f64::INFINITY)];
    for value in values {
        for n_features in [0, 1, 23, 40] {
            let (label, share) = model.predict(&vec![value; n_features]);
            assert!(model.labels().iter().any(|it| it == label));
            assert!((0.0..=1.000_001).contains(&share), "{share}");
        }
    }
});
