//! Several files read as one capture: whatever a recorder cut in two is one again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{Analysis, Job, PickError, Picker, Remarks};
use serde_json::Value;
use tests::{
    Random, Sent, Talk,
    file::{self, Order, Pcapng, Record, Unit, link},
};
use v1::page::Query;

const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// Packets of flows that overlap each other in time, one of them in fragments.
fn sent() -> Vec<Sent> {
    let mut talks = Vec::new();
    for number in 0..9 {
        let client = format!("10.0.0.{}:{}", number + 1, 40_000 + number);
        let mut talk = Talk::tcp(&client, "203.0.113.7:443", START + number * SECOND / 3);
        let mut random = Random::new(number);
        talk.open();
        for _ in 0..5 {
            talk.client(random.bytes(200));
            talk.wait_micros(700_000);
            talk.server(random.bytes(900));
        }
        talks.push(talk);
    }
    let mut sent: Vec<Sent> = talks.into_iter().flat_map(Talk::packets).collect();
    sent.sort_by_key(|it| it.nanos);
    sent
}

fn pcap(sent: &[Sent]) -> Vec<u8> {
    let records: Vec<Record> = sent.iter().map(tests::in_ethernet).collect();
    file::pcap(Order::Little, Unit::Micros, link::ETHERNET, &records)
}

fn pcapng(sent: &[Sent]) -> Vec<u8> {
    let mut file = Pcapng::new(Order::Little, &[]);
    file.interface(link::ETHERNET, 262_144, &[]);
    for it in sent {
        file.packet(0, it.nanos / 1_000, &tests::in_ethernet(it), &[]);
    }
    file.bytes()
}

/// Reads files as one, each in chunks of so many bytes.
fn as_one(files: &[(&str, &[u8])], chunk_len: usize) -> Analysis {
    let mut job = Job::new(files[0].0, 7);
    for (at, (name, bytes)) in files.iter().enumerate() {
        if at > 0 {
            job.next_file(name);
        }
        for chunk in bytes.chunks(chunk_len) {
            if job.feed(chunk).is_err() {
                break;
            }
        }
    }
    job.finish(false)
}

/// All that is told of flows, sessions and hosts.
fn told(analysis: &Analysis) -> Vec<Value> {
    let mut told: Vec<Value> =
        analysis.rows().map(|it| serde_json::to_value(it).unwrap()).collect();
    let filter = String::new;
    let mut overview = analysis.page(&Query::Overview { bins: 40, filter: filter() });
    let reading = overview.as_object_mut().unwrap().remove("reading").unwrap();
    told.push(overview);
    told.push(reading["account"].clone());
    told.push(analysis.page(&Query::Sessions { filter: filter(), offset: 0, len: 100 }));
    told.push(analysis.page(&Query::Hosts {
        filter: filter(),
        search: filter(),
        offset: 0,
        len: 100,
    }));
    for flow_id in 0..analysis.n_flows() as u32 {
        told.push(analysis.page(&Query::Flow { flow_id, timeout: "none".to_owned() }));
    }
    told
}

#[test]
fn a_capture_cut_into_two_files_is_the_whole_one() {
    let sent = sent();
    let whole = as_one(&[("whole.pcap", &pcap(&sent))], 1 << 20);
    assert_eq!(whole.n_flows(), 9);
    let expected = told(&whole);
    for at in (0..=sent.len()).step_by(5) {
        let (first, second) = sent.split_at(at);
        for (first, second) in [
            (pcap(first), pcap(second)),
            (pcapng(first), pcapng(second)),
            (pcap(first), pcapng(second)),
        ] {
            for chunk_len in [97, 1 << 20] {
                let read = as_one(&[("a", &first), ("b", &second)], chunk_len);
                assert_eq!(told(&read), expected, "cut at {at}, by {chunk_len}");
                let files = &read.reading().files;
                assert_eq!(
                    (files[0].frames, files[1].frames),
                    (at as u64, (sent.len() - at) as u64)
                );
                assert_eq!(read.reading().bytes, (first.len() + second.len()) as u64);
                assert!(read.is_complete() && read.reading().notices.is_empty());
            }
        }
    }
}

#[test]
fn many_files_are_called_by_the_first_and_the_last() {
    let sent = sent();
    let parts: Vec<Vec<u8>> = sent.chunks(20).map(pcap).collect();
    let names: Vec<String> = (0..parts.len()).map(|it| format!("{it}.pcap")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(String::as_str).zip(parts.iter().map(Vec::as_slice)).collect();
    assert_eq!(as_one(&files[..2], 999).reading().file_name, "0.pcap + 1.pcap");
    let read = as_one(&files, 999);
    let last = names.len() - 1;
    assert_eq!(read.reading().file_name, format!("0.pcap … {last}.pcap ({})", names.len()));
    assert_eq!(read.reading().format, "pcap, microseconds");
    assert_eq!(told(&read), told(&as_one(&[("whole", &pcap(&sent))], 999)));
}

#[test]
fn what_is_wrong_with_a_file_names_it_and_ends_no_other() {
    let sent = sent();
    let [first, second, third] = [0..30, 30..60, 60..90].map(|it| pcap(&sent[it]));
    let cut = &second[..second.len() - 9];
    let files = [("a.pcap", &first[..]), ("b.pcap", cut), ("c.txt", b"hello"), ("d.pcap", &third)];
    let read = as_one(&files, 4_096);
    assert_eq!(read.reading().account.frames.frames, 89);
    let said: Vec<(&str, Option<&str>)> =
        read.reading().notices.iter().map(|it| (&*it.code, it.file.as_deref())).collect();
    let expected = [("E-CUT-SHORT", Some("b.pcap")), ("E-NOT-A-CAPTURE", Some("c.txt"))];
    assert_eq!(said.get(..2), Some(&expected[..]));
    assert!(read.reading().notices[0].message.starts_with("b.pcap: "));
    assert!(read.reading().notices[0].message.contains("29"), "{:?}", read.reading().notices);
    assert!(!read.is_complete() && read.failure().is_none());
}

#[test]
fn files_are_put_in_order_by_when_they_began() {
    let sent = sent();
    for file in [pcap(&sent[5..]), pcapng(&sent[5..])] {
        assert_eq!(engine::first_time(&file).map(|it| it / 1_000), Some(sent[5].nanos / 1_000));
        assert_eq!(engine::first_time(&file[..30]), None);
    }
    assert_eq!(
        engine::first_time(&pcap(&sent[7..8])).map(|it| it / 1_000),
        Some(sent[7].nanos / 1_000)
    );
    assert_eq!(engine::first_time(b"hello"), None);
    let marks = ["a".to_owned(), "b".to_owned()];
    let turned = ["b".to_owned(), "a".to_owned()];
    let of = |marks: &[String]| engine::identity_of_several(9, marks);
    assert!(of(&marks) != of(&turned) && of(&marks) != of(&marks[..1]) && of(&marks).len() == 16);
}

#[test]
fn packets_of_several_files_are_refused_with_a_reason() {
    let sent = sent();
    let (first, second) = (pcap(&sent[..40]), pcap(&sent[40..]));
    let read = as_one(&[("a", &first), ("b", &second)], 999);
    let refused = Picker::new(&read, &[0], Remarks::Labels, 1, Vec::new()).unwrap_err();
    assert!(matches!(refused, PickError::Several));
    assert!(refused.to_string().contains("by itself"));
}
