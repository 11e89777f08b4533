//! A capture to flows and no further: no labels, sessions, hosts or rows, to measure what those who only make flows are
//! to be measured by. `cargo xtask bench` runs it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool prints and fails by panicking"
)]

use std::{fs::File, io::Read};

use capture::{Decoder, Dissector};
use flow::{Apart, Table};

/// How much of the capture is read at once, in bytes: what the command reads.
const CHUNK_LEN: usize = 1 << 18;

fn main() {
    let path = std::env::args().nth(1).expect("which capture?");
    let mut file = File::open(path).unwrap();
    let (mut decoder, mut dissector) = (Decoder::default(), Dissector::new(0));
    let mut table = Table::new(0, Apart::default());
    let mut chunk = vec![0; CHUNK_LEN];
    let mut n_packets = 0;
    loop {
        let len = file.read(&mut chunk).unwrap();
        if len == 0 {
            break;
        }
        decoder.feed(&chunk[..len]);
        while let Some(frame) = decoder.next_frame().unwrap() {
            let _counted = dissector.push(&frame, &mut |packet| {
                table.push(packet);
                n_packets += 1;
            });
        }
        // Nobody labels them.
        while table.next_settled().is_some_and(|(_, flow)| {
            flow.heads.keep(0);
            true
        }) {}
    }
    println!("{n_packets} packets, {} flows", table.finish().len());
}
