//! pcapng files of either byte order: chunks must not show in the frames.
#![no_main]

use fuzz::{PCAPNG_MAGIC, beginning_with, check_frames};

/// The byte-order magic of both orders.
const ORDERS: [[u8; 4]; 2] = [[0x4d, 0x3c, 0x2b, 0x1a], [0x1a, 0x2b, 0x3c, 0x4d]];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(mut file) = beginning_with(&[PCAPNG_MAGIC], bytes) else { return };
    let order = file.get(8..).and_then(|it| beginning_with(&ORDERS, it));
    if let Some(order) = order {
        file.truncate(8);
        file.extend(order);
    }
    check_frames(&file);
});
