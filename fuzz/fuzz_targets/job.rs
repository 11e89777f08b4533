//! A whole capture, from bytes to exports: neither chunks nor the seed may show, and every frame is accounted for.
#![no_main]

libfuzzer_sys::fuzz_target!(|capture: &[u8]| {
    fuzz::check_outcome(capture);
});
