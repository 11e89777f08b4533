//! Partials from another machine: what can be read is written the same again, and makes flows.
#![no_main]

use flow::{Apart, Partial, Share};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Partial::read(bytes);
    // The sum is right, so that what lies behind it is reached.
    let body = bytes.get(..bytes.len().saturating_sub(4)).unwrap_or_default();
    let summed = [body, &crc32fast::hash(body).to_le_bytes()].concat();
    let Ok(partial) = Partial::read(&summed) else { return };
    let written = partial.write();
    let again = Partial::read(&written).expect("what was written can be read");
    assert_eq!(again.write(), written);
    let flows = |partial: &Partial| {
        let mut share = Share::new(7, Apart::default());
        for it in partial.packets() {
            share.push(&it);
        }
        let (flows, _) = flow::merge(vec![share]);
        format!("{flows:?}")
    };
    assert_eq!(flows(&again), flows(&partial));
});
