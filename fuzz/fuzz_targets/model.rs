//! Model files: what is read is written the same, and can judge any row.
#![no_main]

use learn::Model;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = Model::read(bytes) else { return };
    let again = model.write();
    assert_eq!(Model::read(&again).expect("what was written can be read").write(), again);
    for value in [0.0, -1.0, 1e30, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let row = vec![value; model.columns().len()];
        let said = model.say(&[&row]);
        assert!(said.iter().all(|it| it.class < model.classes().len()));
        assert!((0.0..=1.0).contains(&model.outside(&row)));
        model.causes(&row, 0);
    }
});
