//! How a capture is chunked makes no difference: not to its frames, not to what is made of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use capture::{Decoder, Error};
use engine::{Export, FORMATS, Job};
use tests::{Random, file, made};

/// Where a frame starts, its time, link type, length on the wire and bytes.
type Seen = (u64, u64, u16, u32, Vec<u8>);

fn frames<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<Seen>, Option<Error>) {
    let mut decoder = Decoder::default();
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        if let Err(error) = drain(&mut decoder, &mut frames) {
            return (frames, Some(error));
        }
    }
    decoder.end();
    let end = drain(&mut decoder, &mut frames).and_then(|()| decoder.finish());
    (frames, end.err())
}

fn drain(decoder: &mut Decoder, frames: &mut Vec<Seen>) -> Result<(), Error> {
    while let Some(it) = decoder.next_frame()? {
        frames.push((it.offset, it.time.0, it.link_type, it.wire_len, it.bytes.to_vec()));
    }
    Ok(())
}

/// Everything the host gets: flows in every format, and what was read.
fn outcome<'a>(chunks: impl Iterator<Item = &'a [u8]>, seed: u64) -> Vec<u8> {
    let mut job = Job::new("chunked", seed);
    for chunk in chunks {
        if job.feed(chunk).is_err() {
            break;
        }
    }
    let analysis = job.finish(false);
    let mut out = Vec::new();
    let mut reading = analysis.reading().clone();
    // A broken capture is not read to the end of the chunk it breaks in.
    if !analysis.is_complete() {
        reading.bytes = 0;
    }
    out.extend(serde_json::to_vec(&reading).unwrap());
    for format in FORMATS {
        let export = Export::new(format.name, None).unwrap();
        analysis.export(&export, "capture", &mut out).unwrap();
    }
    out
}

/// Cuts bytes at random places; some chunks are empty.
fn shredded<'a>(bytes: &'a [u8], most: u64, random: &mut Random) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let len = (random.between(0, most) as usize).min(rest.len());
        let (chunk, after) = rest.split_at(len);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

#[test]
fn chunks_of_any_length_give_the_same_frames() {
    for made in tests::small_captures() {
        let whole = frames([&made.bytes[..]].into_iter());
        for len in (1..=80).chain([333, 1_000, 4_096]) {
            let chunked = frames(made.bytes.chunks(len));
            assert!(chunked == whole, "{} in chunks of {len} bytes", made.file_name);
        }
        let mut random = Random::new(8);
        for most in [3, 30, 300, 3_000] {
            let chunks = shredded(&made.bytes, most, &mut random);
            let chunked = frames(chunks.into_iter());
            assert!(chunked == whole, "{} in chunks of up to {most} bytes", made.file_name);
        }
    }
}

#[test]
fn chunks_of_any_length_give_the_same_outcome() {
    for made in tests::small_captures() {
        let whole = outcome([&made.bytes[..]].into_iter(), 0);
        for len in [1, 7, 64, 1_000] {
            let chunked = outcome(made.bytes.chunks(len), 0);
            assert!(chunked == whole, "{} in chunks of {len} bytes", made.file_name);
        }
    }
}

#[test]
fn neither_chunks_nor_the_seed_show_in_what_the_sample_gives() {
    let sample = tests::sample();
    let whole = outcome([&sample[..]].into_iter(), 0);
    let mut random = Random::new(80);
    for (seed, most) in [(1, 90), (u64::MAX, 9_000), (77, 200_000)] {
        let chunks = shredded(&sample, most, &mut random);
        assert!(outcome(chunks.into_iter(), seed) == whole, "in chunks of up to {most} bytes");
    }
}

/// What ends the reading, where, and after how many frames.
#[track_caller]
fn check_end(file_name: &str, n_frames: usize, code: &str, offset: u64) {
    let (frames, error) = frames([&made(file_name)[..]].into_iter());
    let error = error.unwrap();
    assert_eq!((frames.len(), error.code(), error.offset()), (n_frames, code, offset));
}

#[test]
fn an_end_is_told_with_its_place() {
    let whole = frames([&made("ethernet.pcap")[..]].into_iter()).0;
    check_end("empty.pcap", 0, "E-EMPTY", 0);
    check_end("not-a-capture.pcap", 0, "E-NOT-A-CAPTURE", 0);
    check_end("bad-end.pcap", 5, "E-BAD-LENGTH", whole[5].0);
    check_end("bad-end.pcapng", 4, "E-BAD-LENGTH", made("bad-end.pcapng").len() as u64 - 12);
    let n = whole.iter().filter(|it| it.0 < made("cut-short.pcap").len() as u64).count() - 1;
    check_end("cut-short.pcap", n, "E-CUT-SHORT", whole[n].0);
}

/// How many frames a capture gives, and where bytes were skipped: from where, how many, after how many frames.
#[track_caller]
fn check_damage(capture: &[u8], n_frames: usize, expected: &[(u64, u64, u64)]) {
    let mut decoder = Decoder::default();
    decoder.feed(capture);
    decoder.end();
    let mut frames = Vec::new();
    drain(&mut decoder, &mut frames).and_then(|()| decoder.finish()).unwrap();
    let damages: Vec<_> =
        decoder.damages().iter().map(|it| (it.offset, it.skipped, it.after_frames)).collect();
    assert_eq!((frames.len(), &damages[..]), (n_frames, expected));
    let skipped: u64 = expected.iter().map(|it| it.1).sum();
    let oddities = decoder.oddities();
    assert_eq!((oddities.damages, oddities.skipped), (expected.len() as u64, skipped));
}

#[test]
fn reading_goes_on_after_damage() {
    let whole = frames([&made("ethernet.pcap")[..]].into_iter()).0;
    let len = |n: usize| whole[n + 1].0 - whole[n].0;
    check_damage(&made("bad-length.pcap"), 8, &[(whole[5].0, len(5), 5)]);
    let capture = made("bad-block.pcapng");
    let blocks = frames([&capture[..]].into_iter()).0;
    let bad = (blocks[3].0 + len(3).next_multiple_of(4) + 16, blocks[4].0);
    check_damage(&capture, 5, &[(bad.0, bad.1 - bad.0, 4)]);
    // A hole takes the end of a frame that was begun, and all it covers.
    let next = whole.iter().position(|it| it.0 >= whole[3].0 + 1_000).unwrap();
    check_damage(
        &made("hole.pcap"),
        whole.len() - (next - 3),
        &[(whole[3].0, whole[next].0 - whole[3].0, 3)],
    );
}

/// The bytes with a few of them changed, lost or doubled.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..random.between(1, 6) {
        if damaged.is_empty() {
            break;
        }
        let last = damaged.len() as u64 - 1;
        // Headers at the front are hit as often as everything behind them.
        let most = if random.percent(50) { last.min(200) } else { last };
        let at = random.between(0, most) as usize;
        match random.between(0, 5) {
            0 => damaged[at] = 0xff,
            1 => damaged[at] = 0,
            2 => damaged[at] ^= 1 << random.between(0, 7),
            3 => drop(damaged.drain(at..(at + 7).min(last as usize))),
            4 => damaged.truncate(at),
            _ => damaged.insert(at, random.number() as u8),
        }
    }
    damaged
}

/// A fuzzer's find: fed at once, what came before the damage was lost with it.
#[test]
fn what_comes_before_damage_in_a_packed_capture_is_read() {
    let file = made("ethernet.pcap");
    let (all, _) = frames([&file[..]].into_iter());
    // A block without the mark of the last, then one of a kind that there is not.
    let mut broken = file::gzip(&file);
    broken.truncate(broken.len() - 8);
    broken[10] = 0;
    broken.extend([0xff; 100]);
    for len in [1, 500, broken.len()] {
        let (read, error) = frames(broken.chunks(len));
        assert_eq!(error.map(|it| it.code()), Some("E-BAD-PACKING"));
        // Of the last kilobyte before the damage nobody knows.
        assert!(all.starts_with(&read) && read.len() > all.len() / 2, "{} frames", read.len());
    }
}

/// A fuzzer's find: the place told was where the chunk began that the damage was found in.
#[test]
fn damage_inside_a_packed_capture_is_told_the_same_however_it_is_fed() {
    let packed = made("gzip.pcap.gz");
    for at in [10, 3_000, packed.len() - 3] {
        let mut broken = packed.clone();
        broken[at] ^= 0xff;
        let whole = frames([&broken[..]].into_iter());
        assert_eq!(whole.1.as_ref().map(|it| (it.code(), it.offset())), Some(("E-BAD-PACKING", 0)));
        for len in [1, 7, 500] {
            assert!(frames(broken.chunks(len)) == whole, "byte {at} in chunks of {len}");
        }
    }
}

#[test]
fn damage_neither_panics_nor_depends_on_chunks() {
    let mut random = Random::new(4);
    for made in tests::small_captures() {
        for turn in 0..150 {
            let damaged = damaged(&made.bytes, &mut random);
            let whole = outcome([&damaged[..]].into_iter(), 0);
            let chunks = shredded(&damaged, 900, &mut random);
            let chunked = outcome(chunks.into_iter(), 0);
            assert!(chunked == whole, "{}, turn {turn}", made.file_name);
        }
    }
}
