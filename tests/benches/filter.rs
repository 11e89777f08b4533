//! How long a filter takes over a million flows, and what is suggested of them: `cargo bench -p tests --bench filter`;
//! `TRACTOR_FLOWS=100000` makes fewer.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::sync::LazyLock;

use divan::{Bencher, black_box};
use engine::{Analysis, Filter, Job};
use tests::{Talk, dns, pcap};
use v1::page::Query;

const START: u64 = 1_700_000_000_000_000_000;
/// The bytes before the first record of a pcap.
const HEADER_LEN: usize = 24;
/// How many flows are made at a time.
const N_AT_ONCE: u64 = 20_000;

static ANALYSIS: LazyLock<Analysis> = LazyLock::new(analysis);

fn main() {
    divan::main();
}

/// Flows that say much, little or nothing, from many hosts.
fn analysis() -> Analysis {
    let n_flows: u64 = std::env::var("TRACTOR_FLOWS").map_or(1_000_000, |it| it.parse().unwrap());
    let mut job = Job::new("bench", 0);
    for first in (0..n_flows).step_by(N_AT_ONCE as usize) {
        let talks = (first..first + N_AT_ONCE).map(talk).collect();
        let capture = pcap(talks);
        job.feed(&capture[if first == 0 { 0 } else { HEADER_LEN }..]).unwrap();
    }
    job.finish(false)
}

fn talk(number: u64) -> Talk {
    let nanos = START + number * 1_000_000;
    let client = format!(
        "10.{}.{}.{}:{}",
        number % 4,
        number / 256 % 256,
        number % 251 + 1,
        1_024 + number / 60_000
    );
    let name = format!("host{}.site{}.example", number % 1_000, number % 77);
    match number % 3 {
        0 => {
            let mut talk = Talk::tcp(&client, &format!("192.0.2.{}:80", number % 200), nanos);
            talk.client(format!(
                "GET / HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Agent/{}\r\n\r\n",
                number % 50
            ));
            talk
        }
        1 => {
            let mut talk = Talk::udp(&client, "10.0.0.1:53", nanos);
            talk.client(dns::query(7, &name, 1));
            talk
        }
        _ => {
            let mut talk = Talk::tcp(&client, &format!("198.51.100.{}:9999", number % 200), nanos);
            talk.knock(1);
            talk
        }
    }
}

const FILTERS: &[&str] = &[
    "",
    "-proto:http",
    "tcp or udp",
    "bytes > 10MB packets < 20",
    "(label==vk || label==youtube) && !(port in {80, 8080})",
    "sni matches \"^.*\\.vk\\.com$\"",
    "sni contains site7",
    "google",
    "192.0.2.7",
    "ip:10.1.0.0/16",
    "port in {80, 443, 8000..8100}",
    "agent:Agent/7",
    "tcp.flags.reset",
    "end>=1.5s start<=20s",
];

#[divan::bench(args = FILTERS, sample_count = 5, sample_size = 1)]
fn pass(bencher: Bencher<'_, '_>, filter: &str) {
    let filter = Filter::parse(filter).unwrap();
    let analysis = &*ANALYSIS;
    bencher.bench_local(|| black_box(analysis.passing(&filter)).len());
}

const SUGGESTED: &[&str] = &["label:", "sni:", "ip:", "port:", "agent:", "transport:"];

/// Values counted anew: the last key was another.
#[divan::bench(args = SUGGESTED, sample_count = 3, sample_size = 1)]
fn suggest(bencher: Bencher<'_, '_>, filter: &str) {
    let ask = |filter: &str| {
        let at = filter.len() as u32;
        ANALYSIS.page(&Query::Suggest { filter: filter.to_owned(), at, limit: 50 })
    };
    bencher.with_inputs(|| ask("group:")).bench_local_values(|_| ask(filter));
}
