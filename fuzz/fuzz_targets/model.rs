//! Model files: what is read is written the same, and can judge any row.
//!
//! The checksum is put right first, else nothing but it would ever be found wrong.
#![no_main]

use learn::Model;

/// What precedes the body of a file: its first letters and its version.
const HEAD: usize = 10;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(Model::read(bytes).is_err() || bytes.len() > HEAD + 4);
    let Some((head, rest)) = bytes.split_at_checked(HEAD) else { return };
    let Some((body, _)) = rest.split_last_chunk::<4>() else { return };
    let check = crc32fast::hash(body).to_le_bytes();
    let Ok(model) = Model::read(&[head, body, &check].concat()) else { return };
    let written = model.write();
    let again = Model::read(&written).expect("what was written can be read");
    assert_eq!(again.write(), written);
    assert_eq!(again, model);
    let n = model.columns().len();
    for value in [f32::NAN, 0.0, -1.0, f32::MAX, f32::MIN_POSITIVE] {
        for len in [n, 0, 1] {
            let row = vec![value; len];
            for said in model.say(&[&row, &row]) {
                assert!(said.class < model.classes().len());
                assert!((0.0..=1.000_1).contains(&said.share), "{}", said.share);
                assert!((0.0..=1.000_1).contains(&said.confidence), "{}", said.confidence);
                let causes = model.causes(&row, said.class);
                assert!(causes.iter().all(|it| it.column < n && it.weight > 0.0));
            }
        }
    }
});
