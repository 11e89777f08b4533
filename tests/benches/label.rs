//! How long a flow takes to be labelled, by what it says, and which share of a whole job that is:
//! `TRACTOR_CAPTURE=big.pcap cargo bench -p tests --bench label`; without it the sample is read.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints and fails by panicking"
)]

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use capture::{Decoder, Dissector, Packet};
use classify::OwnRules;
use divan::{Bencher, black_box};
use engine::Job;
use flow::{Apart, Flow, Table};
use tests::{Random, Talk, dns, pcap, quic, tls};

const START: u64 = 1_700_000_000_000_000_000;

fn main() {
    share();
    divan::main();
}

/// The flows of a capture, whose heads nobody has looked at.
fn flows(capture: &[u8]) -> Vec<Flow> {
    let (mut decoder, mut dissector) = (Decoder::default(), Dissector::new(0));
    let mut table = Table::new(0, Apart::default());
    decoder.feed(capture);
    decoder.end();
    while let Ok(Some(frame)) = decoder.next_frame() {
        let _counted = dissector.push(&frame, &mut |packet: &Packet<'_>| {
            table.push(packet);
        });
    }
    table.finish().into_iter().collect()
}

/// How much of the work of a job is labelling: the fastest of three rounds each.
fn share() {
    let path = std::env::var("TRACTOR_CAPTURE").ok();
    let capture = path.as_ref().map_or_else(tests::sample, |it| std::fs::read(it).unwrap());
    let fastest = |work: &dyn Fn()| {
        let rounds = (0..3).map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        });
        rounds.min().unwrap_or(Duration::MAX)
    };
    let whole = fastest(&|| {
        let mut job = Job::new("bench", 0);
        job.feed(&capture).unwrap();
        black_box(job.finish(false));
    });
    let flows = RefCell::new(flows(&capture));
    let labelling = fastest(&|| {
        flows
            .borrow_mut()
            .iter_mut()
            .for_each(|it| drop(black_box(classify::label(it, &OwnRules::default()))));
    });
    let flows = flows.borrow();
    println!(
        "{} flows: labelling takes {:?} a flow, {:.1} % of the whole job's {whole:.2?}\n",
        flows.len(),
        labelling / flows.len() as u32,
        100.0 * labelling.as_secs_f64() / whole.as_secs_f64(),
    );
}

/// A conversation, and what it is called.
type Kind = (&'static str, fn(&mut Random) -> Talk);

const KINDS: &[Kind] = &[
    ("dns", |_| {
        let mut talk = Talk::udp("10.0.0.7:40001", "10.0.0.1:53", START);
        talk.client(dns::query(7, "www.example.org", 1));
        talk
    }),
    ("http", |_| {
        let mut talk = Talk::tcp("10.0.0.7:40002", "192.0.2.80:80", START);
        talk.open();
        talk.client("GET /a HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: curl/8\r\n\r\n");
        talk.server("HTTP/1.1 200 OK\r\nServer: httpd\r\nContent-Type: text/html\r\n\r\n");
        talk
    }),
    ("tls", |random| {
        let mut talk = Talk::tcp("10.0.0.7:40003", "192.0.2.80:443", START);
        talk.open();
        talk.client(tls::client_hello(&tls::CHROMIUM, "www.example.org", &["h2"], random));
        talk.server(tls::server_answer_with_certificate(&["www.example.org"], random));
        talk
    }),
    ("quic", |random| {
        let mut talk = Talk::udp("10.0.0.7:40004", "192.0.2.80:443", START);
        talk.client(quic::client_initial(&tls::CHROMIUM, "www.example.org", &[5; 8], random));
        talk.server(quic::server_initial(&[5; 8], &[6; 8], random));
        talk
    }),
    ("nothing known, tcp", |random| {
        let mut talk = Talk::tcp("10.0.0.7:40005", "192.0.2.80:9999", START);
        talk.open();
        talk.client(random.bytes(1_000));
        talk.server(random.bytes(1_000));
        talk
    }),
    ("nothing known, udp", |random| {
        let mut talk = Talk::udp("10.0.0.7:40006", "192.0.2.80:9999", START);
        for _ in 0..4 {
            talk.client(random.bytes(200));
            talk.server(random.bytes(200));
        }
        talk
    }),
];

#[divan::bench(args = KINDS.iter().map(|it| it.0))]
fn label(bencher: Bencher<'_, '_>, kind: &str) {
    let make = KINDS.iter().find(|it| it.0 == kind).unwrap().1;
    let mut flows = flows(&pcap(vec![make(&mut Random::new(1))]));
    bencher.bench_local(|| classify::label(black_box(&mut flows[0]), &OwnRules::default()));
}
