//! A capture read block by block, in any order of the steps, gives what one pass gives, byte for byte.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    convert::Infallible,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use engine::{
    Analysis, Apart, Block, Cutter, Dealt, Export, Gather, Gathered, Job, Join, Mapped, MappedSpan,
    Mapping, OwnRules, Partial, Plan, Reduce, Reducing, Rules, Settling, Span, SpanCutter,
    Surveying,
};
use serde_json::Value;
use tests::{
    Random, Sent, Talk,
    file::{Order, Record, Unit, link},
    frame, hostile,
};
use v1::page::Query;

/// Everything that is told of a capture.
fn told(analysis: &Analysis) -> String {
    told_but(analysis, |_| {})
}

/// The same of one that was gathered: the first bytes of flows did not travel.
fn told_without_heads(analysis: &Analysis) -> String {
    told_but(analysis, |flow| {
        for head in ["client_head", "server_head"] {
            flow.as_object_mut().unwrap().remove(head);
        }
    })
}

fn told_but(analysis: &Analysis, change: impl Fn(&mut Value)) -> String {
    let mut out = serde_json::to_vec(analysis.reading()).unwrap();
    for (format, schema) in [("jsonl", None), ("csv", Some("tractor")), ("zeek", None)] {
        out.push(b'\n');
        let export = Export::new(format, schema).unwrap();
        analysis.export(&export, "capture", &mut out).unwrap();
    }
    let filter = String::new();
    for query in [
        Query::Overview { bins: 7, filter: filter.clone() },
        Query::Breakdown { filter: filter.clone() },
        Query::Notable { filter: filter.clone() },
        Query::Hosts { filter: filter.clone(), search: String::new(), offset: 0, len: 100 },
        Query::Sessions { filter, offset: 0, len: 100 },
    ] {
        out.push(b'\n');
        out.extend(serde_json::to_vec(&analysis.page(&query)).unwrap());
    }
    let n_flows = analysis.n_flows() as u32;
    for flow_id in (0..n_flows).take(20).chain((20..n_flows).rev().take(20)) {
        let query = Query::Flow { flow_id, timeout: "idle:1".to_owned() };
        let mut flow = serde_json::to_value(analysis.page(&query)).unwrap();
        change(&mut flow);
        out.extend(serde_json::to_vec(&flow).unwrap());
    }
    String::from_utf8(out).unwrap()
}

/// How a capture is read.
#[derive(Clone, Debug)]
struct Way {
    seed: u64,
    rules: Rules,
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
        let mut job = Job::with_rules("a capture", 0, &self.rules);
        for chunk in self.chunks(capture) {
            if job.feed(chunk).is_err() {
                break;
            }
        }
        told(&job.finish(self.is_stopped))
    }

    /// Cuts a pcap anywhere, with what travels between machines. How many spans were taken as they came, and not read again.
    fn gathered(&self, capture: &[u8]) -> (String, usize) {
        let plan = Plan::new(self.seed, self.rules.clone(), self.n_shares);
        let header = &capture[..capture.len().min(Span::HEADER_LEN)];
        let mut random = Random::new(!self.seed);
        let behind = [0, 100, 5_000, usize::MAX][self.seed as usize % 4];
        let mut ends = Vec::new();
        while ends.last().copied().unwrap_or(0) < capture.len() {
            let len = random.between(1, self.max_chunk as u64) as usize;
            ends.push(capture.len().min(ends.last().copied().unwrap_or(0) + len));
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        let spans = starts.zip(&ends).map(|(start, end)| {
            let known = end.saturating_add(behind).min(capture.len());
            SpanBytes {
                bytes: &capture[start..known],
                offset: start as u64,
                stop: if *end == capture.len() { u64::MAX } else { *end as u64 },
                is_end: known == capture.len(),
            }
        });
        let spans: Vec<SpanBytes<'_>> = spans.collect();
        // Each machine has a seed of its own, and knows nothing of how many shares there are.
        let plan_of = |seed: usize| Plan::new(plan.seed ^ seed as u64, self.rules.clone(), 1);
        let mut gather = Gather::new("a capture", header.to_vec(), capture.len() as u64, &plan);
        let mut n_taken = 0;
        for (n, span) in spans.iter().enumerate() {
            let survey = self.survey(header, span, &plan_of(n));
            let mut is_taken = survey.is_some();
            let mut read_at = |at: u64, len: usize| {
                is_taken = false;
                let rest = &capture[at as usize..];
                Ok(rest[..rest.len().min(len)].to_vec())
            };
            gather.push(survey.as_deref(), span.stop, &mut read_at).unwrap();
            n_taken += usize::from(is_taken);
        }
        let Gathered { orders, dealt, account } = gather.finish();
        let mapped = spans.iter().zip(&orders).enumerate();
        let mapped = mapped.map(|(n, (span, orders))| self.map(header, span, orders, &plan_of(!n)));
        let mut mapped: Vec<MappedSpan> = mapped.collect();
        let mut settling = Settling::new(&account, &plan_of(7)).unwrap();
        for share in (0..self.n_shares).rev() {
            let mut reducing = Reducing::new(&plan_of(share));
            for span in 0..=spans.len() {
                let of_span = mapped.get(span).and_then(|it| it.partials.get(share));
                let dealt = dealt.iter().filter(|it| (it.share, it.span) == (share, span));
                let partials: Vec<Vec<u8>> =
                    of_span.cloned().into_iter().chain(dealt.map(Dealt::write)).collect();
                let partials = partials.iter().map(Vec::as_slice).filter(|it| !it.is_empty());
                reducing.push(partials).unwrap();
            }
            settling.push(&reducing.finish()).unwrap();
        }
        // Flows come in any order.
        mapped.sort_by_cached_key(|_| random.number());
        for it in mapped.iter().filter(|it| !it.flows.is_empty()) {
            settling.push(&it.flows).unwrap();
        }
        (told_without_heads(&settling.finish()), n_taken)
    }

    fn survey(&self, header: &[u8], span: &SpanBytes<'_>, plan: &Plan) -> Option<Vec<u8>> {
        let mut surveying = Surveying::new(plan);
        let chunks = self.chunks(span.bytes);
        let cutter = span.cut(header, &chunks, &mut |block| surveying.push(block))?;
        Some(surveying.finish(cutter.finish()?))
    }

    fn map(&self, header: &[u8], span: &SpanBytes<'_>, orders: &[u8], plan: &Plan) -> MappedSpan {
        let Some(mut mapping) = Mapping::new(orders, plan).unwrap() else {
            return MappedSpan::default();
        };
        // All at once gives the same as piece by piece.
        let cutter = span.cut(header, &[span.bytes], &mut |block| mapping.push(block));
        mapping.finish(cutter.unwrap().finish()).unwrap()
    }

    /// Cuts all, maps what is cut in any order, and reduces share by share.
    fn by_blocks(&self, capture: &[u8]) -> String {
        let mut plan = Plan::new(self.seed, self.rules.clone(), self.n_shares);
        plan.block_len = self.max_chunk;
        let mut cutter = Cutter::new("a capture", &plan);
        let mut blocks = Vec::new();
        for chunk in self.chunks(capture) {
            // Filled here and fed in one pass: both take the same.
            let filled = cutter.fill(chunk.len() + 7, |room| {
                room[..chunk.len()].copy_from_slice(chunk);
                Ok::<_, Infallible>(chunk.len())
            });
            if filled == Ok(0) || take_all(&mut cutter, &mut blocks).is_err() {
                break;
            }
        }
        blocks.extend(cutter.end(self.is_stopped));
        let mapped = map_in_any_order(blocks, &plan);
        self.reduced(cutter, mapped, &plan)
    }

    /// Joins, and reduces share by share.
    fn reduced(&self, cutter: Cutter, mapped: Vec<Mapped>, plan: &Plan) -> String {
        let (n_shares, mut join) = (self.n_shares, Join::new(plan));
        let mut dealt: Vec<_> = mapped.into_iter().map(|it| join.push(it)).collect();
        dealt.push(join.end());
        if self.is_written {
            let partials = dealt.iter_mut().flatten().flatten();
            partials.for_each(|it| *it = written_and_read(it));
        }
        let mut shares: Vec<Reduce> = (0..n_shares).map(|_| Reduce::new(plan)).collect();
        for (number, reduce) in shares.iter_mut().enumerate() {
            dealt.iter().for_each(|it| reduce.push(&it[number]));
            reduce.end();
        }
        told(&engine::finish(cutter, &join, shares, self.is_stopped))
    }
}

/// A span as somebody has it.
struct SpanBytes<'a> {
    bytes: &'a [u8],
    offset: u64,
    stop: u64,
    /// Nothing follows the bytes.
    is_end: bool,
}

impl SpanBytes<'_> {
    /// Cuts it, of bytes that come in these chunks.
    fn cut(
        &self,
        header: &[u8],
        chunks: &[&[u8]],
        push: &mut dyn FnMut(Block),
    ) -> Option<SpanCutter> {
        let mut cutter = SpanCutter::new(header, self.offset, self.stop)?;
        let mut drain = |cutter: &mut SpanCutter| {
            while let Some(block) = cutter.next_block() {
                push(block);
            }
        };
        for chunk in chunks {
            if cutter.is_through() {
                break;
            }
            cutter.feed(chunk);
            drain(&mut cutter);
        }
        if self.is_end && !cutter.is_through() {
            cutter.end();
            drain(&mut cutter);
        }
        Some(cutter)
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
fn check(name: &str, capture: &[u8], way: &Way) {
    let (expected, found) = (way.in_one_pass(capture), way.by_blocks(capture));
    if found != expected {
        let mut lines = expected.lines().zip(found.lines());
        let first = lines.find(|it| it.0 != it.1);
        panic!("{name}, read so: {way:?}, gives other bytes: {first:#?}");
    }
}

/// Checks spans of a capture that is no longer packed; how many were not read again where they were gathered.
#[track_caller]
fn check_spans(name: &str, capture: &[u8], way: &Way) -> usize {
    let way = Way { is_stopped: false, ..way.clone() };
    let mut job = Job::with_rules("a capture", 0, &way.rules);
    let _ = job.feed(capture);
    let expected = told_without_heads(&job.finish(false));
    let (found, n_taken) = way.gathered(capture);
    if found != expected {
        let mut lines = expected.lines().zip(found.lines());
        let first = lines.find(|it| it.0 != it.1);
        panic!("{name}, cut so: {way:?}, gives other bytes: {first:#?}");
    }
    n_taken
}

/// Whether these are the first bytes of a pcap that is not packed.
fn is_pcap(capture: &[u8]) -> bool {
    matches!(
        capture,
        [0xa1, 0xb2, ..] | [_, _, 0xb2, 0xa1, ..] | [0xac | 0xab, 0x01, 0x00, 0x1c, ..]
    )
}

#[test]
fn a_pcap_may_be_cut_anywhere() {
    let mut n_taken = 0;
    for (seed, made) in (0..).zip(tests::small_captures()).filter(|it| is_pcap(&it.1.bytes)) {
        for way in ways(made.bytes.len(), seed) {
            n_taken += check_spans(made.file_name, &made.bytes, &way);
        }
    }
    assert!(n_taken > 100, "{n_taken} spans were guessed rightly");
}

#[test]
fn a_hostile_pcap_may_be_cut_anywhere() {
    for (seed, case) in (0..).zip(hostile::cases()).filter(|it| is_pcap(&it.1.capture)) {
        let way = &ways(case.capture.len(), seed)[2 + seed as usize % 4];
        check_spans(&case.name, &case.capture, way);
    }
}

/// Rules of a user's for every second way.
const OWN_RULES: &str = r#"
[[rule]]
label = "of a name"
names = ["example", "com", "vk.com"]
bytes = [{ hex = "?? 0?", at = 700 }, { hex = "0? 0?", at = 1 }]

[[rule]]
label = "of bytes"
bytes = [{ side = "client", hex = "16 03" }]

[[rule]]
label = "of a network"
networks = ["192.0.2.0/25"]
transport = "udp"

[[rule]]
label = "a guess"
ports = ["1000-65535"]
"#;

/// Ways to read a capture of this length, all of them different.
fn ways(len: usize, seed: u64) -> Vec<Way> {
    let apart = [
        Apart::default(),
        Apart { by_vlan: true, by_tunnel: true },
        Apart { by_vlan: false, by_tunnel: true },
    ];
    let own = Arc::new(OwnRules::read(OWN_RULES).unwrap());
    let mut ways = Vec::new();
    for (n_blocks, n_shares) in [(1, 1), (1, 7), (2, 2), (7, 1), (7, 7), (100, 3)] {
        let seed = seed.wrapping_mul(31) + ways.len() as u64;
        // Chunks are on average half as long as they may be.
        let max_chunk = if n_blocks == 1 { len.max(1) } else { (2 * len / n_blocks).max(1) };
        let (apart, is_stopped) = (apart[ways.len() % apart.len()], seed % 5 == 4);
        let own = if ways.len() % 2 == 1 { Arc::clone(&own) } else { Arc::default() };
        let rules = Rules { apart, has_checksums: seed % 4 == 3, own, max_flows: None };
        let is_written = ways.len() % 2 == 0;
        ways.push(Way { seed, rules, max_chunk, n_shares, is_stopped, is_written });
    }
    ways
}

#[test]
fn blocks_of_small_captures_give_what_one_pass_gives() {
    for (seed, made) in (0..).zip(tests::small_captures()) {
        for way in ways(made.bytes.len(), seed) {
            check(made.file_name, &made.bytes, &way);
        }
    }
}

/// A pcap of IP packets, a millisecond apart.
fn capture_of(packets: Vec<Vec<u8>>) -> Vec<u8> {
    let nanos = (1_700_000_000_000_000_000..).step_by(1_000_000);
    let sent =
        nanos.zip(packets).map(|(nanos, bytes)| Sent { nanos, kept_len: bytes.len(), bytes });
    let records: Vec<Record> = sent.map(|it| tests::in_ethernet(&it)).collect();
    tests::file::pcap(Order::Little, Unit::Micros, link::ETHERNET, &records)
}

/// What is told by more than ports: echoes, errors about datagrams, datagrams in fragments; all of it all the time, so that every
/// span has some of each.
#[test]
fn spans_of_echoes_errors_and_fragments_give_what_one_pass_gives() {
    let ends: [SocketAddr; 2] =
        ["192.0.2.1:4001".parse().unwrap(), "198.51.100.2:4002".parse().unwrap()];
    let [here, there] = ends.map(|it| it.ip());
    let mut packets = Vec::new();
    for n in 0..40_u8 {
        let echo = [0, n % 2, 0, n];
        packets.push(frame::icmp(here, there, (8, 0), echo, b"an echo"));
        packets.push(frame::icmp(there, here, (0, 0), echo, b"an echo"));
        let port = 4_000 + u16::from(n % 3);
        let datagram = frame::udp(ends[0], SocketAddr::new(there, port), &[n; 40]);
        packets.push(frame::icmp(there, here, (3, 3), [0; 4], &datagram[..28]));
        packets.push(datagram);
        packets.extend(frame::fragments(&frame::udp(ends[1], ends[0], &[n; 64]), n.into(), 32));
        // Nothing of it is anywhere else.
        let once = SocketAddr::new(here, 50_000 + u16::from(n));
        packets.push(frame::udp(
            once,
            SocketAddr::new(there, 53),
            &tests::dns::query(7, "a.example", 1),
        ));
    }
    let capture = capture_of(packets);
    for way in ways(capture.len(), 3) {
        check_spans("echoes, errors and fragments", &capture, &way);
    }
}

/// What somebody changed, so that it looks whole, is refused or is something else, and nothing worse.
#[test]
fn what_was_changed_on_the_way_ends_nothing() {
    let capture = tests::small_captures().into_iter().find(|it| it.file_name == "tunnels.pcap");
    let capture = capture.unwrap().bytes;
    let plan = Plan::new(1, Rules::default(), 1);
    let header = &capture[..capture.len().min(Span::HEADER_LEN)];
    let bytes = SpanBytes { bytes: &capture, offset: 0, stop: u64::MAX, is_end: true };
    let way = &ways(capture.len(), 1)[0];
    let survey = way.survey(header, &bytes, &plan).unwrap();
    let gather = |survey: &[u8]| {
        let mut gather = Gather::new("a capture", header.to_vec(), capture.len() as u64, &plan);
        let rest = |at: u64| capture[(at as usize).min(capture.len())..].to_vec();
        gather.push(Some(survey), u64::MAX, &mut |at, _| Ok(rest(at))).map(|()| gather.finish())
    };
    let Gathered { orders, account, .. } = gather(&survey).unwrap();
    let MappedSpan { flows, .. } = way.map(header, &bytes, &orders[0], &plan);
    let settle = |account: &[u8], flows: &[u8]| {
        let mut settling = Settling::new(account, &plan)?;
        settling.push(flows).map(|()| settling.finish())
    };
    let whole = told(&settle(&account, &flows).unwrap());
    let mut n_refused = 0;
    let mut random = Random::new(5);
    for _ in 0..2_000 {
        n_refused += usize::from(gather(&changed(&survey, &mut random)).is_err());
        match settle(&account, &changed(&flows, &mut random)) {
            Ok(analysis) => _ = told(&analysis).len(),
            Err(_) => n_refused += 1,
        }
        n_refused += usize::from(settle(&changed(&account, &mut random), &flows).is_err());
    }
    assert!((1_000..6_000).contains(&n_refused), "{n_refused} of 6000 were refused");
    assert_eq!(told(&settle(&account, &flows).unwrap()), whole);
}

/// Some bytes of it are others, and its checksum is right.
fn changed(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut changed = bytes[..bytes.len() - 4].to_vec();
    for _ in 0..random.between(1, 4) {
        let at = random.between(5, changed.len() as u64 - 1) as usize;
        changed[at] = random.number() as u8;
    }
    let sum = tests::file::crc32(&changed);
    changed.extend(sum.to_le_bytes());
    changed
}

/// An association in which signalling comes after other chunks, in messages of many lengths.
#[test]
fn blocks_of_an_association_give_what_one_pass_gives() {
    const SCTP: u8 = 132;
    let ends: [std::net::IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
    let mut packets = Vec::new();
    for n in 0..60_u16 {
        let (from, to) = (usize::from(n % 2), usize::from(1 - n % 2));
        let ports = [[0x9c_u8, 0x40], [0x9c, 0x41]];
        let mut packet = [ports[from], ports[to]].concat();
        packet.extend([0; 8]);
        match n {
            0 | 1 => packet.extend([&[1 + n as u8, 0, 0, 20][..], &[7; 16]].concat()),
            _ => {
                // Class 1 and type 1 of M3UA: a message of a telephone network.
                let len = 8 + 4 * n;
                packet.extend(
                    [&[0, 3][..], &(16 + len).to_be_bytes(), &[0; 8], &[0, 0, 0, 3]].concat(),
                );
                packet.extend([&[1, 0, 1, 1, 0, 0][..], &len.to_be_bytes()].concat());
                packet.resize(packet.len() + usize::from(len) - 8, n as u8);
            }
        }
        let packet = frame::ip(ends[from], ends[to], SCTP, &packet);
        packets.push(packet);
    }
    let capture = capture_of(packets);
    for way in ways(capture.len(), 1) {
        assert!(way.in_one_pass(&capture).contains("\"m3ua\""));
        check("an association", &capture, &way);
        check_spans("an association", &capture, &way);
    }
}

/// Behind the first 65,536 flows less is kept, by numbers that only the whole capture has.
#[test]
fn blocks_of_many_flows_give_what_one_pass_gives() {
    let talk = |n: u32| {
        let client = SocketAddr::new(Ipv4Addr::from_bits(0x0a00_0000 + n).into(), 40_000);
        let server = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 1).into(), 9_999);
        let mut talk =
            Talk::between(false, client, server, 1_700_000_000_000_000_000 + u64::from(n) * 1_000);
        talk.client([0x91; 600]);
        talk
    };
    let capture = tests::pcap((0..(1 << 16) + 40).map(talk).collect());
    let way = Way {
        seed: 3,
        rules: Rules::default(),
        max_chunk: 1 << 20,
        n_shares: 3,
        is_stopped: false,
        is_written: false,
    };
    check("many flows", &capture, &way);
}

#[test]
fn blocks_of_the_sample_give_what_one_pass_gives() {
    let sample = tests::sample();
    for way in ways(sample.len(), 7).into_iter().skip(2) {
        check("sample.pcapng", &sample, &way);
    }
}

#[test]
fn blocks_of_hostile_captures_give_what_one_pass_gives() {
    for (seed, case) in (0..).zip(hostile::cases()) {
        // Each in a way of its own.
        let way = &ways(case.capture.len(), seed)[2 + seed as usize % 4];
        check(&case.name, &case.capture, way);
    }
}

/// Captures below a folder of the tester's, where there is one: `TRACTOR_CAPTURES=FOLDER cargo test -p tests --test blocks`.
#[test]
fn captures_of_the_tester_give_what_one_pass_gives() {
    let Some(folder) = std::env::var_os("TRACTOR_CAPTURES") else { return };
    let mut waiting = vec![PathBuf::from(folder)];
    let (mut n_captures, mut n_read, mut n_cut, mut n_taken) = (0, 0, 0, 0);
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()));
            continue;
        }
        let (name, capture) = (path.display().to_string(), fs::read(&path).unwrap());
        // Of long ones reading takes long enough.
        let n_ways = if capture.len() > 1 << 22 { 2 } else { 6 };
        n_captures += 1;
        for way in ways(capture.len(), n_captures).into_iter().rev().take(n_ways) {
            check(&name, &capture, &way);
            n_read += 1;
            if is_pcap(&capture) {
                n_taken += check_spans(&name, &capture, &way);
                n_cut += 1;
            }
        }
    }
    eprintln!(
        "{n_captures} captures, read in {n_read} ways, and cut anywhere in {n_cut}: {n_taken} spans were gathered without being read again"
    );
}
