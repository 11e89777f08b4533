//! What a capture costs stage by stage: `cargo run --release -p tests --example stages CAPTURE [ROUNDS]`.
//!
//! Without a round only the whole job is done, once, for a profiler.
//!
//! Each of the first stages is a pass of its own that does what the one before it does and one thing more, so that what it costs
//! is the difference; labels and what comes after them are timed within a whole job. Of several rounds each stage's least counts.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool prints and fails by panicking"
)]

use std::{
    env,
    fs::File,
    hint::black_box,
    io::{self, Read},
    time::{Duration, Instant},
};

use capture::{Decoder, Dissector, Packet};
use engine::{Export, FlowWriter, Job, Stage};
use flow::{Apart, Table};

/// How much of the capture is read at once, in bytes: what the command reads.
const CHUNK_LEN: usize = 1 << 18;

/// The stages, in the order of their work.
const STAGES: [&str; 9] = [
    "reading",
    "framing",
    "headers",
    "flows",
    "labels while reading",
    "labels at the end",
    "sessions",
    "hosts",
    "output, jsonl",
];

fn main() {
    let mut arguments = env::args().skip(1);
    let path = arguments.next().expect("which capture?");
    let n_rounds = arguments.next().map_or(3, |it| it.parse().unwrap());
    if n_rounds == 0 {
        drop(black_box(whole(&path)));
        return;
    }
    let mut least = [Duration::MAX; STAGES.len()];
    for _ in 0..n_rounds {
        for (least, took) in least.iter_mut().zip(round(&path)) {
            *least = took.min(*least);
        }
    }
    let whole: Duration = least.iter().sum();
    for (stage, took) in STAGES.iter().zip(least) {
        let share = 100.0 * took.as_secs_f64() / whole.as_secs_f64();
        println!("{stage:<21} {:>8.1} ms {share:>5.1} %", took.as_secs_f64() * 1e3);
    }
    println!("{:<21} {:>8.1} ms", "whole", whole.as_secs_f64() * 1e3);
}

/// What each stage took.
fn round(path: &str) -> [Duration; STAGES.len()] {
    let timed = |work: &dyn Fn()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let reading = timed(&|| each_chunk(path, |it| _ = black_box(it.first())));
    let framing = timed(&|| {
        let mut decoder = Decoder::default();
        each_chunk(path, |chunk| {
            decoder.feed(chunk);
            while let Some(frame) = decoder.next_frame().unwrap() {
                black_box(frame.bytes.len());
            }
        });
    });
    let headers = timed(&|| each_packet(path, &mut |it| _ = black_box(it.payload_len)));
    let flows = timed(&|| {
        let mut table = Table::new(0, Apart::default());
        each_packet(path, &mut |it| {
            table.push(it);
        });
        black_box(table.finish());
    });
    let ends = whole(path);
    let after = |at: usize| ends[at] - ends[at - 1];
    [
        reading,
        framing.saturating_sub(reading),
        headers.saturating_sub(framing),
        flows.saturating_sub(headers),
        ends[0].saturating_sub(flows),
        after(1),
        after(2),
        after(3),
        after(4),
    ]
}

/// A whole job: when reading, labels, sessions, hosts and output ended.
fn whole(path: &str) -> Vec<Duration> {
    let begun = Instant::now();
    let mut job = Job::new("stages", 0);
    let mut file = File::open(path).unwrap();
    while job.fill(CHUNK_LEN, |room| file.read(room)).unwrap() > 0 {}
    let mut ends = vec![begun.elapsed()];
    let analysis = job.finish_telling(false, &mut |stage| match stage {
        Stage::Labels => {}
        Stage::Sessions | Stage::Hosts => ends.push(begun.elapsed()),
    });
    ends.push(begun.elapsed());
    let export = Export::new("jsonl", None).unwrap();
    let mut writer = FlowWriter::new(export, io::sink(), true);
    writer.add(&analysis, "").unwrap();
    writer.finish().unwrap();
    ends.push(begun.elapsed());
    ends
}

fn each_packet(path: &str, take: &mut impl FnMut(&Packet<'_>)) {
    let (mut decoder, mut dissector) = (Decoder::default(), Dissector::new(0));
    each_chunk(path, |chunk| {
        decoder.feed(chunk);
        while let Some(frame) = decoder.next_frame().unwrap() {
            let _counted = dissector.push(&frame, take);
        }
    });
}

fn each_chunk(path: &str, mut take: impl FnMut(&[u8])) {
    let mut file = File::open(path).unwrap();
    let mut chunk = vec![0; CHUNK_LEN];
    loop {
        match file.read(&mut chunk).unwrap() {
            0 => break,
            len => take(&chunk[..len]),
        }
    }
}
