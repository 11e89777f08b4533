//! Packed captures and what only looks like one: chunks must not show in the frames.
#![no_main]

use fuzz::{beginning_with, check_frames};

/// gzip, zstd, a zstd frame to skip, ZIP.
const MAGICS: [[u8; 4]; 4] =
    [[0x1f, 0x8b, 8, 0], [0x28, 0xb5, 0x2f, 0xfd], [0x50, 0x2a, 0x4d, 0x18], *b"PK\x03\x04"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A gzip member may have other flags than none, and a tar archive has no magic at its front.
    let is_free = bytes.starts_with(&[0x1f, 0x8b]) || bytes.get(257..262) == Some(b"ustar");
    if is_free {
        check_frames(bytes);
    } else if let Some(file) = beginning_with(&MAGICS, bytes) {
        check_frames(&file);
    }
});
