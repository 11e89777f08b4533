//! The captures in `captures/` are what the fixtures make of them, byte for byte.
//!
//! `TRACTOR_ACCEPT=1 cargo test -p tests` writes them anew, and the snapshots with them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

#[test]
fn every_capture_is_the_one_the_fixtures_make() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    for (file_name, made) in [("sample.pcapng", tests::sample())] {
        let path = folder.join(file_name);
        if tests::is_accepting() {
            fs::write(&path, &made).unwrap();
        }
        let there = fs::read(&path).unwrap_or_default();
        assert!(there == made, "captures/{file_name} differs: see captures/README.md");
    }
}
