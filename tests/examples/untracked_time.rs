//! Times answers.
#![allow(
    missing_docs,
    clippy::all,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used
)]
fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    f[11].parse::<f64>().unwrap() / 100.0
}
use v1::page::{Query, SeriesBy};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut job = engine::Job::new("x", 0);
    let t = cpu();
    let _ = job.feed(&bytes);
    let analysis = job.finish(false);
    println!("read {:.2?} flows {}", cpu() - t, analysis.n_flows());
    for (name, query) in [
        ("overview", Query::Overview { bins: 150 }),
        ("overview", Query::Overview { bins: 150 }),
        ("notable", Query::Notable),
        ("breakdown", Query::Breakdown),
        ("labels", Query::Timeline { bins: 150, by: SeriesBy::Label, filter: String::new() }),
    ] {
        let t = cpu();
        let answer = analysis.page(&query).to_string();
        println!("{name} {:.2?} {} bytes", cpu() - t, answer.len());
    }
    for it in &analysis.notable().rows {
        println!("{} {} {:?}", it.code, it.flows, it.parameters);
    }
    println!("more {}", analysis.notable().more);
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .find(|l| l.starts_with("VmHWM"))
            .unwrap()
    );
}
