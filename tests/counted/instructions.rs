//! The whole way of a capture that is the same in every run, to count its instructions: `cargo xtask instructions`.
//!
//! Each stage is a function by which callgrind finds it; making the capture is none of them. By itself it says how much it read.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool prints and fails by panicking"
)]

use std::io;

use engine::{Analysis, Export, FlowWriter, Job};

/// How many flows the capture has: some 30,000 packets.
const N_FLOWS: u64 = 1_500;
/// How much of the capture is fed at once, in bytes: what the command reads.
const CHUNK_LEN: usize = 1 << 18;

fn main() {
    let capture = tests::busy(N_FLOWS);
    let job = stage_reading(&capture);
    let progress = job.progress();
    let analysis = stage_finishing(job);
    stage_writing(&analysis);
    println!("{} bytes, {} packets, {} flows", capture.len(), progress.packets, progress.flows);
}

/// Frames, headers, flows, and labels of those that have said enough.
#[inline(never)]
fn stage_reading(capture: &[u8]) -> Job {
    let mut job = Job::new("instructions", 0);
    capture.chunks(CHUNK_LEN).for_each(|it| job.feed(it).unwrap());
    job
}

/// The other labels, sessions, hosts.
#[inline(never)]
fn stage_finishing(job: Job) -> Analysis {
    job.finish(false)
}

/// Every flow as a line of JSON.
#[inline(never)]
fn stage_writing(analysis: &Analysis) {
    let export = Export::new("jsonl", None).unwrap();
    let mut writer = FlowWriter::new(export, io::sink(), true);
    writer.add(analysis, "").unwrap();
    writer.finish().unwrap();
}
