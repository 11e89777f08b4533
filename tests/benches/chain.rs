//! How long each link of the chain takes, by itself: `cargo bench -p tests --bench chain [NAME]`; each has a capture of a few
//! thousand packets, and says how many bytes, packets or flows it did a second. What labelling takes is in `label.rs`,
//! what filters take in `filter.rs`, what learning takes in `learn.rs`.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::{
    hash::{BuildHasher, Hasher},
    io,
    net::Ipv4Addr,
    sync::LazyLock,
};

use capture::{Decoder, Dissector, Packet, Timestamp};
use classify::{OwnRules, Verdict};
use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use engine::{Analysis, Export, FlowWriter, Job};
use features::Sample;
use flow::{Apart, Direction, Flow, Many, Step, Table, Timeline};
use foldhash::quality::FixedState;
use session::Addresses;
use tests::file::{Order, Pcapng, Record, link};

/// How many flows the capture has, of some 20 packets each.
const N_FLOWS: u64 = 500;

static PCAP: LazyLock<Vec<u8>> = LazyLock::new(|| tests::busy(N_FLOWS));
static PCAPNG: LazyLock<Vec<u8>> = LazyLock::new(|| pcapng(usize::MAX));
/// Of every frame its headers alone.
static HEADERS: LazyLock<Vec<u8>> = LazyLock::new(|| pcapng(54));
static ANALYSIS: LazyLock<Analysis> = LazyLock::new(|| {
    let mut job = Job::new("bench", 0);
    job.feed(&PCAP).unwrap();
    job.finish(false)
});

fn main() {
    divan::main();
}

/// Gives each frame of a capture.
fn each_frame(capture: &[u8], mut take: impl FnMut(&capture::Frame<'_>)) {
    let mut decoder = Decoder::default();
    decoder.feed(capture);
    decoder.end();
    while let Some(frame) = decoder.next_frame().unwrap() {
        take(&frame);
    }
}

/// Gives each packet of a capture.
fn each_packet(capture: &[u8], take: &mut impl FnMut(&Packet<'_>)) {
    let mut dissector = Dissector::new(0);
    each_frame(capture, |frame| _ = dissector.push(frame, take));
}

/// The capture as a pcapng, of every frame so many bytes.
fn pcapng(kept_len: usize) -> Vec<u8> {
    let mut file = Pcapng::new(Order::Little, &[]);
    file.interface(link::ETHERNET, 0, &[]);
    each_frame(&PCAP, |frame| {
        let nanos = frame.time.0;
        let record = Record::whole(nanos, frame.bytes.to_vec()).cut(kept_len);
        file.packet(0, nanos / 1_000, &record, &[]);
    });
    file.bytes()
}

fn table(capture: &[u8]) -> Many<Flow> {
    let mut table = Table::new(0, Apart::default());
    each_packet(capture, &mut |it| _ = table.push(it));
    table.finish()
}

fn n_packets() -> u64 {
    ANALYSIS.reading().account.frames.frames
}

/// The steps of all flows.
fn steps(flows: &Many<Flow>) -> Vec<Vec<Step>> {
    flows.iter().map(|it| it.timeline.steps().collect()).collect()
}

const CAPTURES: &[&str] = &["pcap", "pcapng", "pcapng, headers"];

fn capture(name: &str) -> &'static [u8] {
    match name {
        "pcap" => &PCAP,
        "pcapng" => &PCAPNG,
        _ => &HEADERS,
    }
}

/// Records out of bytes.
#[divan::bench(args = CAPTURES)]
fn framing(bencher: Bencher<'_, '_>, name: &str) {
    let capture = capture(name);
    bencher
        .counter(BytesCount::of_slice(capture))
        .bench_local(|| each_frame(capture, |it| _ = black_box(it.bytes.len())));
}

/// Packets out of records, framing included.
#[divan::bench(args = CAPTURES)]
fn headers(bencher: Bencher<'_, '_>, name: &str) {
    let capture = capture(name);
    bencher
        .counter(ItemsCount::new(n_packets()))
        .bench_local(|| each_packet(capture, &mut |it| _ = black_box(it.payload_len)));
}

/// Flows out of packets, headers included; with payload the heads are filled.
#[divan::bench(args = CAPTURES)]
fn flows(bencher: Bencher<'_, '_>, name: &str) {
    let capture = capture(name);
    bencher.counter(ItemsCount::new(n_packets())).bench_local(|| table(capture));
}

/// Packets become steps of timelines.
#[divan::bench]
fn timeline_write(bencher: Bencher<'_, '_>) {
    let steps = steps(&table(&PCAP));
    bencher.counter(ItemsCount::new(n_packets())).bench_local(|| {
        for steps in &steps {
            let mut timeline = Timeline::default();
            steps.iter().for_each(|it| timeline.push(*it));
            black_box(timeline);
        }
    });
}

/// Timelines are walked.
#[divan::bench]
fn timeline_walk(bencher: Bencher<'_, '_>) {
    let flows = table(&PCAP);
    bencher.counter(ItemsCount::new(n_packets())).bench_local(|| {
        flows.iter().flat_map(|it| it.timeline.steps()).map(|it| u64::from(it.ip_len)).sum::<u64>()
    });
}

/// The features of each flow.
#[divan::bench(args = ["basic", "iscx-b", "cic", "nfstream", "tractor-full"])]
fn row(bencher: Bencher<'_, '_>, name: &str) {
    let (schema, flows) = (features::schema(name).unwrap(), table(&PCAP));
    bencher.counter(ItemsCount::new(flows.len())).bench_local(|| {
        for flow in &flows {
            let sample = Sample::new(flow.timeline.steps(), schema, Direction::Forward);
            black_box(features::vector(schema, &sample));
        }
    });
}

/// Labelled flows to sessions.
#[divan::bench]
fn sessions(bencher: Bencher<'_, '_>) {
    let mut flows = table(&PCAP);
    let own = OwnRules::default();
    let verdicts: Many<Verdict> = flows.iter_mut().map(|it| classify::label(it, &own)).collect();
    let addresses = Addresses::new(&flows);
    bencher
        .counter(ItemsCount::new(flows.len()))
        .bench_local(|| session::group(&flows, &verdicts, &addresses).len());
}

/// The rows of all flows in a format.
#[divan::bench(args = ["jsonl", "csv", "parquet"])]
fn writing(bencher: Bencher<'_, '_>, format: &str) {
    let schema = (format != "jsonl").then_some("tractor");
    let analysis = &*ANALYSIS;
    bencher.counter(ItemsCount::new(table(&PCAP).len())).bench_local(|| {
        let export = Export::new(format, schema).unwrap();
        let mut writer = FlowWriter::new(export, io::sink(), true);
        writer.add(analysis, "").unwrap();
        writer.finish().unwrap();
    });
}

/// Bytes to flows, labels, sessions and hosts.
#[divan::bench]
fn whole(bencher: Bencher<'_, '_>) {
    bencher.counter(BytesCount::of_slice(&**PCAP)).bench_local(|| {
        let mut job = Job::new("bench", 0);
        job.feed(&PCAP).unwrap();
        job.finish(false)
    });
}

/// How many five-tuples an attacker chooses.
const N_CHOSEN: usize = 200_000;
/// They have so many low bits of the hash under seed 0 in common, by which a table takes a bucket.
const CHOSEN_BITS: u64 = (1 << 10) - 1;

/// UDP packets to one server, from endpoints for which the hash under seed 0, as `flow::Table` forms it, is taken.
fn chosen(take: impl Fn(u64) -> bool) -> Vec<Packet<'static>> {
    let server = (Ipv4Addr::new(192, 0, 2, 1), 53_u16);
    let word = |(ip, port): (Ipv4Addr, u16)| u64::from(ip.to_bits()) << 16 | u64::from(port);
    let hash = |client| {
        let mut hasher = FixedState::with_seed(0).build_hasher();
        let (a, b) = (word(client), word(server));
        hasher.write_u64(a.min(b) | 17 << 48);
        hasher.write_u64(a.max(b));
        hasher.finish()
    };
    let clients = (1_u32..).map(|it| (Ipv4Addr::from_bits(it.wrapping_mul(0x9e37_79b1)), 40_000));
    let clients = clients.filter(|it| take(hash(*it))).take(N_CHOSEN);
    let packets = clients.map(|client| Packet {
        time: Timestamp(0),
        source: client.0.into(),
        destination: server.0.into(),
        protocol: 17,
        source_port: client.1,
        destination_port: server.1,
        frame_len: 60,
        ip_len: 28,
        payload_len: 0,
        payload: &[],
        tcp: None,
        vlan: 0,
        depth: 0,
        tunnel: None,
        carries: None,
    });
    packets.collect()
}

static RANDOM: LazyLock<Vec<Packet<'static>>> = LazyLock::new(|| chosen(|_| true));
static CHOSEN: LazyLock<Vec<Packet<'static>>> =
    LazyLock::new(|| chosen(|it| it & CHOSEN_BITS == 0));

/// A flow for each packet: of random five-tuples, of those that somebody chose who does not know the seed, and of the same if
/// the seed were known, which it never is: it shows that they do collide.
#[divan::bench(args = ["random", "chosen", "chosen, seed known"], sample_count = 20)]
fn flows_of_an_attacker(bencher: Bencher<'_, '_>, name: &str) {
    let (packets, seed) = match name {
        "random" => (&*RANDOM, 7),
        "chosen" => (&*CHOSEN, 7),
        _ => (&*CHOSEN, 0),
    };
    bencher.counter(ItemsCount::new(packets.len())).bench_local(|| {
        let mut table = Table::new(seed, Apart::default());
        packets.iter().for_each(|it| _ = table.push(it));
        table.len()
    });
}
