//! What a user sees of every capture in `captures/`: v1 answers and what was read, compared with `snapshots/`.
//!
//! After a change that is meant, `TRACTOR_ACCEPT=1 cargo test -p tests` writes them anew; read the difference.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path, sync::Arc};

use engine::{FileEntry, Job, Library};
use serde::Serialize;
use v1::{JobId, Request, page::FlowRow};

/// The captures that are asked by label and host too; of the others that would repeat these.
const ASKED_IN_FULL: &[&str] = &["ethernet.pcap", "ftp.pcap", "trouble.pcap"];

/// What the interface answers about a capture, an answer a paragraph.
fn answers(file_name: &str, bytes: &[u8], is_asked_in_full: bool) -> String {
    let mut job = Job::new(file_name, 0);
    // What is wrong with a capture is in its reading.
    let _ = job.feed(bytes);
    let analysis = Arc::new(job.finish(false));
    let mut library = Library::new();
    library.set_files(vec![FileEntry { file_name: file_name.into(), bytes: bytes.len() as u64 }]);
    let process = Request::Process { file_name: file_name.into() };
    library.answer(&process, 1_000).unwrap();
    let (job, _) = library.next_job().unwrap();
    library.finish(job, analysis.result(), 1_001);
    let mut requests = vec![Request::Details { job }, Request::Statistics { job }];
    let rows: Vec<FlowRow> = analysis.rows().collect();
    let labels: BTreeSet<&str> = rows.iter().map(|it| it.label.as_str()).collect();
    let hosts: BTreeSet<&str> = rows.iter().map(|it| it.server_ip.as_str()).collect();
    if is_asked_in_full {
        requests.extend(labels.iter().flat_map(|label| by_label(job, label)));
        let ip = |ip: &&str| Request::StatisticsOfIp { job, ip: (*ip).into() };
        requests.extend(hosts.iter().map(ip));
    }
    let mut text = format!("reading\n{}\n", pretty(analysis.reading()));
    for request in requests {
        writeln!(text, "\n{request:?}").unwrap();
        match library.answer(&request, 1_002) {
            Ok(answer) => writeln!(text, "{}", pretty(&answer)).unwrap(),
            Err(error) => writeln!(text, "{}", pretty(&error)).unwrap(),
        }
    }
    text
}

fn by_label(job: JobId, label: &str) -> [Request; 2] {
    let label = || label.to_owned();
    [
        Request::StatisticsOfLabel { job, label: label() },
        Request::FlowsOfLabel { job, label: label() },
    ]
}

/// JSON with an element of the outermost list, or a field of the outermost object, a line.
fn pretty(value: &impl Serialize) -> String {
    let lines = |open: &str, lines: Vec<String>, close: &str| match lines.is_empty() {
        true => format!("{open}{close}"),
        false => format!("{open}\n  {}\n{close}", lines.join(",\n  ")),
    };
    match serde_json::to_value(value).unwrap() {
        serde_json::Value::Array(list) => {
            lines("[", list.iter().map(ToString::to_string).collect(), "]")
        }
        serde_json::Value::Object(map) => {
            lines("{", map.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect(), "}")
        }
        other => other.to_string(),
    }
}

#[track_caller]
fn check(file_name: &str, bytes: &[u8], is_asked_in_full: bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let path = folder.join(format!("{file_name}.txt"));
    let now = answers(file_name, bytes, is_asked_in_full);
    if tests::is_accepting() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, &now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let differs = before.lines().zip(now.lines()).find(|(before, now)| before != now);
    assert!(before == now, "snapshots/{file_name}.txt differs, first in {differs:#?}");
}

#[test]
fn small_captures_are_answered_as_before() {
    for made in tests::small_captures() {
        check(made.file_name, &made.bytes, ASKED_IN_FULL.contains(&made.file_name));
    }
}

#[test]
fn the_sample_is_answered_as_before() {
    check("sample.pcapng", &tests::sample(), false);
}

/// One conversation, however it is framed.
#[test]
fn link_layers_and_formats_change_no_flow() {
    let flows = |file_name: &str| {
        let mut job = Job::new(file_name, 0);
        job.feed(&tests::made(file_name)).unwrap();
        let analysis = job.finish(false);
        let row = |it: FlowRow| {
            let packets = (it.client_packets, it.server_packets);
            let bytes = (it.client_ip_bytes, it.server_ip_bytes);
            (it.server_ip, it.server_port, packets, bytes, it.label, it.reason)
        };
        analysis.rows().map(row).collect::<Vec<_>>()
    };
    let ethernet = flows("ethernet.pcap");
    assert_eq!(ethernet.len(), 6);
    for other in [
        "big-endian.pcap",
        "cooked.pcap",
        "loopback.pcap",
        "nanoseconds.pcap",
        "raw.pcap",
        "sections.pcapng",
        "vlan.pcap",
        "gzip.pcap.gz",
    ] {
        assert_eq!(flows(other), ethernet, "{other}");
    }
}

#[test]
fn the_sample_has_every_label_of_the_book() {
    let mut job = Job::new("sample.pcapng", 0);
    job.feed(&tests::sample()).unwrap();
    let analysis = job.finish(false);
    assert!(analysis.is_complete());
    for (group, label) in [
        ("social", "facebook"),
        ("social", "vk"),
        ("peer2peer", "bittorrent"),
        ("peer2peer", "skype"),
        ("tunnel", "vpn"),
        ("tunnel", "socks5"),
        ("other", "ssh"),
        ("other", "telnet"),
    ] {
        let is_it = |it: FlowRow| it.group == group && it.label == label;
        assert!(analysis.rows().any(is_it), "{group}/{label} is missing");
    }
}
