//! A capture read block by block, in any order of the steps, gives what one pass gives, byte for byte.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{
    Analysis, Apart, Block, Cutter, Export, Format, Job, Join, Mapped, Partial, Plan, Reduce,
};
use tests::{Random, hostile};

/// Everything that is told of a capture.
fn told(analysis: &Analysis) -> String {
    let mut out = serde_json::to_vec(analysis.reading()).unwrap();
    for format in [Format::Jsonl, Format::CsvFeatures(&features::TRACTOR)] {
        out.push(b'\n');
        analysis.export(&Export::new(format), &mut out).unwrap();
    }
    for flow_id in 0..analysis.n_flows().min(200) as u32 {
        let query = v1::page::Query::Flow { flow_id };
        out.extend(serde_json::to_vec(&analysis.page(&query)).unwrap());
    }
    String::from_utf8(out).unwrap()
}

/// How a capture is read.
#[derive(Clone, Copy, Debug)]
struct Way {
    seed: u64,
    apart: Apart,
    /// The longest chunk that is fed, in bytes.
    max_chunk: usize,
    n_shares: usize,
    is_stopped: bool,
    /// Partials are written, and read again.
    is_written: bool,
}

impl Way {
    fn chunks<'a>(&self, capture: &'a [u8]) -> Vec<&'a [u8]> {
        let (mut random, mut rest, mut chunks) = (Random::new(self.seed), capture, Vec::new());
        while !rest.is_empty() {
            let len = random.between(1, self.max_chunk as u64).min(rest.len() as u64);
            let (chunk, after) = rest.split_at(len as usize);
            chunks.push(chunk);
            rest = after;
        }
        chunks
    }

    fn in_one_pass(&self, capture: &[u8]) -> String {
        let mut job = Job::apart("a capture", 0, self.apart);
        for chunk in self.chunks(capture) {
            if job.feed(chunk).is_err() {
                break;
            }
        }
        told(&job.finish(self.is_stopped))
    }

    /// Cuts all, maps what is cut in any order, and reduces share by share.
    fn by_blocks(&self, capture: &[u8]) -> String {
        let (mut plan, n_shares) = (Plan::new(self.seed, self.apart, self.n_shares), self.n_shares);
        plan.block_len = self.max_chunk;
        let mut cutter = Cutter::new("a capture", &plan);
        let mut blocks = Vec::new();
        for chunk in self.chunks(capture) {
            let fed = cutter.feed(chunk);
            if fed.and_then(|()| take_all(&mut cutter, &mut blocks)).is_err() {
                break;
            }
        }
        blocks.extend(cutter.end(self.is_stopped));
        let mut mapped = map_in_any_order(blocks, &plan);
        let mut join = Join::new(&plan);
        let mut dealt: Vec<_> = mapped.drain(..).map(|it| join.push(it)).collect();
        dealt.push(join.end());
        if self.is_written {
            let partials = dealt.iter_mut().flatten().flatten();
            partials.for_each(|it| *it = written_and_read(it));
        }
        let mut shares: Vec<Reduce> = (0..n_shares).map(|_| Reduce::new(&plan)).collect();
        for (number, reduce) in shares.iter_mut().enumerate() {
            dealt.iter().for_each(|it| reduce.push(&it[number]));
            reduce.end();
        }
        told(&engine::finish(cutter, &join, shares, self.is_stopped))
    }
}

fn take_all(cutter: &mut Cutter, blocks: &mut Vec<Block>) -> Result<(), engine::Error> {
    while let Some(block) = cutter.next_block()? {
        blocks.push(block);
    }
    Ok(())
}

fn map_in_any_order(blocks: Vec<Block>, plan: &Plan) -> Vec<Mapped> {
    let mut random = Random::new(plan.seed);
    let mut numbered: Vec<(usize, Block)> = blocks.into_iter().enumerate().collect();
    numbered.sort_by_cached_key(|_| random.number());
    let mut mapped: Vec<(usize, Mapped)> =
        numbered.into_iter().map(|(number, it)| (number, engine::map(it, plan))).collect();
    mapped.sort_by_key(|it| it.0);
    mapped.into_iter().map(|it| it.1).collect()
}

fn written_and_read(partial: &Partial) -> Partial {
    let written = partial.write();
    let read = Partial::read(&written).unwrap();
    assert_eq!(read.write(), written);
    read
}

#[track_caller]
fn check(name: &str, capture: &[u8], way: Way) {
    let (expected, found) = (way.in_one_pass(capture), way.by_blocks(capture));
    if found != expected {
        let mut lines = expected.lines().zip(found.lines());
        let first = lines.find(|it| it.0 != it.1);
        panic!("{name}, read so: {way:?}, gives other bytes: {first:#?}");
    }
}

/// Ways to read a capture of this length, all of them different.
fn ways(len: usize, seed: u64) -> Vec<Way> {
    let apart = [
        Apart::default(),
        Apart { by_vlan: true, by_tunnel: true },
        Apart { by_vlan: false, by_tunnel: true },
    ];
    let mut ways = Vec::new();
    for (n_blocks, n_shares) in [(1, 1), (1, 7), (2, 2), (7, 1), (7, 7), (100, 3)] {
        let seed = seed.wrapping_mul(31) + ways.len() as u64;
        // Chunks are on average half as long as they may be.
        let max_chunk = if n_blocks == 1 { len.max(1) } else { (2 * len / n_blocks).max(1) };
        let (apart, is_stopped) = (apart[ways.len() % apart.len()], seed % 5 == 4);
        let is_written = ways.len() % 2 == 0;
        ways.push(Way { seed, apart, max_chunk, n_shares, is_stopped, is_written });
    }
    ways
}

#[test]
fn blocks_of_small_captures_give_what_one_pass_gives() {
    for (seed, made) in (0..).zip(tests::small_captures()) {
        for way in ways(made.bytes.len(), seed) {
            check(made.file_name, &made.bytes, way);
        }
    }
}

#[test]
fn blocks_of_the_sample_give_what_one_pass_gives() {
    let sample = tests::sample();
    for way in ways(sample.len(), 7).into_iter().skip(2) {
        check("sample.pcapng", &sample, way);
    }
}

#[test]
fn blocks_of_hostile_captures_give_what_one_pass_gives() {
    for (seed, case) in (0..).zip(hostile::cases()) {
        // Each in a way of its own.
        let way = ways(case.capture.len(), seed)[2 + seed as usize % 4];
        check(&case.name, &case.capture, way);
    }
}
