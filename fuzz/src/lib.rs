//! What the fuzz targets share: ways to read a capture, and what must hold of every reading.

use capture::{Damage, Decoder, Error, Oddities};
use engine::{Analysis, Export, Job};

/// First bytes of captures in pcap's formats.
pub const PCAP_MAGICS: [[u8; 4]; 10] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xcd, 0x34],
    // IXIA's lcap.
    [0xac, 0x01, 0x00, 0x1c],
    [0x1c, 0x00, 0x01, 0xac],
    [0xab, 0x01, 0x00, 0x1c],
    [0x1c, 0x00, 0x01, 0xab],
];

/// First bytes of a pcapng section.
pub const PCAPNG_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// The bytes, made to begin with one of these: with the one they begin with already, else with one their first byte
/// chooses. So no time is lost on files that are none of a kind.
pub fn beginning_with(magics: &[[u8; 4]], bytes: &[u8]) -> Option<Vec<u8>> {
    let start: [u8; 4] = *bytes.first_chunk()?;
    let mut file = bytes.to_vec();
    if !magics.contains(&start) {
        let chosen = magics.get(usize::from(start[0]) % magics.len())?;
        file.get_mut(..4)?.copy_from_slice(chosen);
    }
    Some(file)
}

/// A way to cut the bytes into chunks that depends on nothing but them; some chunks are empty.
pub fn chunks(bytes: &[u8]) -> Vec<&[u8]> {
    let seed = bytes.iter().fold(5_381_u64, |sum, it| sum.wrapping_mul(33) ^ u64::from(*it));
    let mut random = tests::Random::new(seed);
    // Not too many: a fuzzer wants to try thousands of files a second.
    let most = [1, 7, 60, 900, 20_000][(seed % 5) as usize].max(bytes.len() as u64 / 50);
    let (mut chunks, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let len = random.between(0, most).min(rest.len() as u64) as usize;
        let (chunk, after) = rest.split_at(len);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// What a decoder gave of a frame: its place, time, link type, wire length and bytes.
pub type Seen = (u64, u64, u16, u32, Vec<u8>);

/// The frames of a capture fed in these chunks, how its reading ended, and what was damaged or odd.
pub fn frames(chunks: &[&[u8]]) -> (Vec<Seen>, Option<Error>, Vec<Damage>, Oddities) {
    let mut decoder = Decoder::default();
    let mut frames = Vec::new();
    let mut error = None;
    for chunk in chunks {
        decoder.feed(chunk);
        error = take(&mut decoder, &mut frames).err();
        if error.is_some() {
            break;
        }
    }
    if error.is_none() {
        decoder.end();
        error = take(&mut decoder, &mut frames).and_then(|()| decoder.finish()).err();
    }
    (frames, error, decoder.damages().to_vec(), decoder.oddities())
}

fn take(decoder: &mut Decoder, frames: &mut Vec<Seen>) -> Result<(), Error> {
    while let Some(it) = decoder.next_frame()? {
        assert!(it.bytes.len() as u64 <= u64::from(it.wire_len), "more was kept than was sent");
        frames.push((it.offset, it.time.0, it.link_type, it.wire_len, it.bytes.to_vec()));
    }
    Ok(())
}

/// Frames do not depend on chunks, stand in the order of the file, and hold no byte the file does not.
pub fn check_frames(file: &[u8]) {
    let whole = frames(&[file]);
    let chunked = frames(&chunks(file));
    assert_eq!(chunked.1, whole.1, "chunks show in the end");
    assert_eq!((chunked.2, chunked.3), (whole.2, whole.3), "chunks show in the damage");
    assert_eq!(chunked.0, whole.0, "chunks show in the frames");
    assert!(whole.0.is_sorted_by(|a, b| a.0 < b.0), "frames are not in the order of the file");
}

/// Everything a host gets of a capture fed in these chunks: what was read, and the flows in every format.
pub fn outcome(chunks: &[&[u8]], seed: u64) -> Vec<u8> {
    let mut job = Job::new("fuzz", seed);
    for chunk in chunks {
        if job.feed(chunk).is_err() {
            break;
        }
    }
    let analysis = job.finish(false);
    check_account(&analysis);
    let mut reading = analysis.reading().clone();
    // A broken capture is not read to the end of the chunk it breaks in.
    if !analysis.is_complete() {
        reading.bytes = 0;
    }
    let mut out = serde_json::to_vec(&reading).expect("it is plain data");
    out.push(b'\n');
    for (format, schema) in [("jsonl", None), ("csv", Some("tractor"))] {
        let export = Export::new(format, schema).expect("there is such an export");
        analysis.export(&export, "capture", &mut out).expect("memory takes it");
    }
    out
}

/// Neither chunks nor the seed of the flow table show in what a host gets.
pub fn check_outcome(capture: &[u8]) {
    let whole = outcome(&[capture], 0);
    let chunked = outcome(&chunks(capture), 1);
    if chunked != whole {
        let line = |of: &[u8], n: usize| {
            String::from_utf8_lossy(of.split(|it| *it == b'\n').nth(n).unwrap_or_default())
                .into_owned()
        };
        let n = (0..).find(|n| line(&chunked, *n) != line(&whole, *n)).unwrap_or(0);
        panic!("chunks or the seed show:\n{}\n{}", line(&whole, n), line(&chunked, n));
    }
}

/// Every frame read is in a flow or has its reason.
pub fn check_account(analysis: &Analysis) {
    let reading = analysis.reading();
    assert!(reading.account.adds_up(), "the account of frames: {reading:?}");
}

/// A small capture, read.
pub fn analysis() -> Analysis {
    let mut job = Job::new("ethernet.pcap", 0);
    job.feed(&tests::made("ethernet.pcap")).expect("it is whole");
    job.finish(false)
}
