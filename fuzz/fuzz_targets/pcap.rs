//! pcap files in every byte order and resolution: chunks must not show in the frames.
#![no_main]

use fuzz::{PCAP_MAGICS, beginning_with, check_frames};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some(file) = beginning_with(&PCAP_MAGICS, bytes) {
        check_frames(&file);
    }
});
