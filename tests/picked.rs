//! The packets of chosen flows as a file of their own: opened again it has the same flows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use engine::{Analysis, Apart, Filter, Job, Passed, PickError, Picked, Picker, Remarks, Rules};
use tests::{
    Random,
    file::{Order, Pcapng, Record, link, option},
    hostile, small_captures,
};
use v1::page::FlowRow;

/// Reads a capture in one pass.
fn read(name: &str, capture: &[u8], rules: &Rules, is_stopped: bool) -> Analysis {
    let mut job = Job::with_rules(name, 1, rules);
    let _ = job.feed(capture);
    job.finish(is_stopped)
}

/// Picks flows out of a capture that is fed in chunks of any lengths.
fn pick(
    analysis: &Analysis,
    chosen: &[u32],
    remarks: Remarks,
    capture: &[u8],
    max_chunk: u64,
) -> Result<(Vec<u8>, Picked), PickError> {
    let mut random = Random::new(max_chunk);
    let mut picker = Picker::new(analysis, chosen, remarks, max_chunk, Vec::new())?;
    loop {
        let mut rest = capture;
        while picker.wants_more() && !rest.is_empty() {
            let len = random.between(1, max_chunk).min(rest.len() as u64);
            let (chunk, after) = rest.split_at(len as usize);
            picker.feed(chunk)?;
            rest = after;
        }
        match picker.end()? {
            Passed::Again(it) => picker = *it,
            Passed::Done { out, picked } => return Ok((out, picked)),
        }
    }
}

fn picked(analysis: &Analysis, chosen: &[u32], capture: &[u8]) -> Vec<u8> {
    pick(analysis, chosen, Remarks::Labels, capture, 1 << 16).unwrap().0
}

/// What a flow is by its own packets.
fn own(row: &FlowRow) -> String {
    let FlowRow { transport, client_ip, client_port, server_ip, server_port, .. } = row;
    let FlowRow { time_start_ns, time_end_ns, client_packets, server_packets, .. } = row;
    let FlowRow { client_bytes, server_bytes, client_ip_bytes, server_ip_bytes, .. } = row;
    let FlowRow { conn_state, history, carried_bytes, .. } = row;
    let ends = format!("{transport} {client_ip} {client_port} {server_ip} {server_port}");
    let sides = [client_packets, server_packets, client_bytes, server_bytes, client_ip_bytes];
    format!(
        "{ends} {time_start_ns} {time_end_ns} {sides:?} {server_ip_bytes} {conn_state:?} {history:?} {carried_bytes}"
    )
}

/// The label, where only the flow itself can have told it: Skype is known by a counter that runs over several flows.
fn own_label(row: &FlowRow) -> Option<String> {
    let is_own = row.evidence == "payload" && !row.reason.contains("from peer to peer");
    is_own.then(|| format!("{} {}", row.label, row.protocol))
}

/// All flows of a file are there again in the one made of it, in all they are.
#[track_caller]
fn check_whole(name: &str, capture: &[u8], rules: &Rules, is_stopped: bool) {
    let before = read(name, capture, rules, is_stopped);
    let all: Vec<u32> = (0..before.n_flows() as u32).collect();
    let after = read(name, &picked(&before, &all, capture), rules, false);
    assert_eq!(after.n_flows(), before.n_flows(), "{name}");
    for (before, after) in before.rows().zip(after.rows()) {
        assert_eq!(after, before, "{name}");
    }
    let frames = |it: &Analysis| it.reading().account.in_flows;
    assert_eq!(frames(&after), frames(&before), "{name}");
    assert!(after.is_complete(), "{name}");
}

/// Chosen flows are there again; others at most as far as they share frames with them.
#[track_caller]
fn check_some(name: &str, capture: &[u8], analysis: &Analysis, chosen: &[u32], rules: &Rules) {
    let after = read(name, &picked(analysis, chosen, capture), rules, false);
    let mut there: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for row in after.rows() {
        there.entry(own(&row)).or_default().push(own_label(&row));
    }
    let rows: Vec<FlowRow> = analysis.rows().collect();
    for number in chosen {
        let row = &rows[*number as usize];
        let found = there.get_mut(&own(row)).and_then(Vec::pop);
        let Some(label) = found else {
            let those: Vec<String> = after.rows().map(|it| own(&it)).collect();
            panic!("{name}: flow {number} is not there: {} but {those:#?}", own(row));
        };
        if let Some(expected) = own_label(row) {
            assert_eq!(label, Some(expected), "{name}: flow {number}");
        }
    }
    // Without tunnels nothing else is there.
    if rows.iter().all(|it| it.parent_id.is_none() && it.carried_bytes == 0) {
        assert_eq!(after.n_flows(), chosen.len(), "{name}");
    }
}

/// All flows, those of each label, and some by themselves.
#[track_caller]
fn check(name: &str, capture: &[u8], rules: &Rules, n_single: usize) {
    check_whole(name, capture, rules, false);
    let analysis = read(name, capture, rules, false);
    let mut by_label: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for row in analysis.rows() {
        by_label.entry(row.label.clone()).or_default().push(row.flow_id);
    }
    for chosen in by_label.values() {
        check_some(name, capture, &analysis, chosen, rules);
    }
    let step = (analysis.n_flows() / n_single.max(1)).max(1);
    for number in (0..analysis.n_flows() as u32).step_by(step).take(n_single) {
        check_some(name, capture, &analysis, &[number], rules);
    }
}

#[test]
fn the_flows_of_small_captures_are_there_again() {
    for made in small_captures() {
        check(made.file_name, &made.bytes, &Rules::default(), usize::MAX);
        let apart = Apart { by_vlan: true, by_tunnel: true };
        let rules = Rules { apart, has_checksums: true, ..Rules::default() };
        check_whole(made.file_name, &made.bytes, &rules, false);
    }
}

#[test]
fn the_flows_of_the_sample_are_there_again() {
    check("sample.pcapng", &tests::sample(), &Rules::default(), 20);
}

#[test]
fn the_flows_of_hostile_captures_are_there_again() {
    for case in hostile::cases() {
        check(&case.name, &case.capture, &Rules::default(), 3);
    }
}

#[test]
fn a_stopped_reading_picks_what_was_read() {
    let sample = tests::sample();
    for len in [sample.len() / 3, sample.len() / 2] {
        let before = read("sample.pcapng", &sample[..len], &Rules::default(), true);
        assert!(before.reading().is_stopped && before.n_flows() > 5);
        let all: Vec<u32> = (0..before.n_flows() as u32).collect();
        let picked = picked(&before, &all, &sample);
        let after = read("sample.pcapng", &picked, &Rules::default(), false);
        assert!(after.rows().eq(before.rows()));
    }
}

#[test]
fn chunks_and_the_seed_never_show() {
    for capture in [tests::sample(), hostile_fragments()] {
        let analysis = read("a capture", &capture, &Rules::default(), false);
        let chosen: Vec<u32> = (0..analysis.n_flows() as u32).step_by(2).collect();
        let pick = |most| pick(&analysis, &chosen, Remarks::Labels, &capture, most).unwrap();
        let expected = pick(1 << 20);
        assert!(expected.1.frames > 0 && expected.1.bytes == expected.0.len() as u64);
        for max_chunk in [7, 1_000, 77_777] {
            assert!(pick(max_chunk) == expected, "{max_chunk}");
        }
    }
}

/// Packets in fragments, in and around a tunnel.
fn hostile_fragments() -> Vec<u8> {
    let mut cases = hostile::cases().into_iter();
    cases.find(|it| it.name == "fragments that hold a tunnel of fragments").unwrap().capture
}

#[test]
fn all_frames_of_a_packet_in_fragments_are_there() {
    let capture = hostile_fragments();
    let analysis = read("a capture", &capture, &Rules::default(), false);
    let n_frames = analysis.reading().account.frames.frames;
    for number in 0..analysis.n_flows() as u32 {
        let (_, picked) = pick(&analysis, &[number], Remarks::None, &capture, 1_000).unwrap();
        assert!(picked.frames > 1 && picked.frames <= n_frames, "{number}: {picked:?}");
    }
}

#[test]
fn another_capture_is_refused() {
    let sample = tests::sample();
    let analysis = read("sample.pcapng", &sample, &Rules::default(), false);
    let all: Vec<u32> = (0..analysis.n_flows() as u32).collect();
    let check = |capture: &[u8]| {
        let error = pick(&analysis, &all, Remarks::Labels, capture, 1 << 20).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("not as it was") && text.contains("open it again"), "{text}");
    };
    check(&sample[..sample.len() - 1_000]);
    check(&small_captures()[0].bytes);
    check(b"");
    // What is written behind it since belongs to no flow that is known.
    let longer = [&sample[..], &sample].concat();
    assert!(pick(&analysis, &all, Remarks::Labels, &longer, 1 << 20).is_ok());
}

#[test]
fn labels_are_comments_once_and_can_be_left_out() {
    let sample = tests::sample();
    let analysis = read("sample.pcapng", &sample, &Rules::default(), false);
    let chosen = analysis.passing(&Filter::parse("label:vk").unwrap());
    assert!(chosen.len() > 1);
    let picked = picked(&analysis, &chosen, &sample);
    let text = String::from_utf8_lossy(&picked);
    assert_eq!(text.matches(": label vk; protocol ").count(), chosen.len());
    let first = format!("flow {}: label vk", chosen[0]);
    assert_eq!(text.matches(&first).count(), 1);
    let section = format!("packets of {} of {} flows", chosen.len(), analysis.n_flows());
    assert!(text.contains(&section));

    let (bare, _) = pick(&analysis, &chosen, Remarks::None, &sample, 1 << 20).unwrap();
    let after = read("bare.pcapng", &bare, &Rules::default(), false);
    assert!(
        after.rows().map(|it| own(&it)).eq(chosen
            .iter()
            .map(|number| { own(&analysis.rows().nth(*number as usize).unwrap()) }))
    );
    assert!(!String::from_utf8_lossy(&bare).contains("label vk"));
    assert!(after.reading().origin.comments.is_empty());
}

#[test]
fn what_is_picked_twice_stays_as_it_is() {
    let sample = tests::sample();
    let once = {
        let analysis = read("sample.pcapng", &sample, &Rules::default(), false);
        let all: Vec<u32> = (0..analysis.n_flows() as u32).collect();
        picked(&analysis, &all, &sample)
    };
    let analysis = read("sample.pcapng", &once, &Rules::default(), false);
    let all: Vec<u32> = (0..analysis.n_flows() as u32).collect();
    assert!(picked(&analysis, &all, &once) == once);
}

/// A frame with an empty UDP datagram to a port, in raw IP.
fn datagram(port: u8) -> Record {
    let (ip, udp) = ([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0], [0, 9, 0, port, 0, 8, 0, 0]);
    let bytes = [&ip[..], &[192, 0, 2, 1, 192, 0, 2, 2], &udp].concat();
    Record { wire_len: 1_000, ..Record::whole(0, bytes) }
}

#[test]
fn interfaces_comments_and_flags_are_those_of_the_capture() {
    const FLAGS: u16 = 2;
    let order = Order::Big;
    let mut file = Pcapng::new(order, &[(option::HARDWARE, b"a tap")]);
    file.interface(link::RAW, 96, &[(option::IF_NAME, b"unused0")]);
    let inner = [(option::IF_NAME, &b"inner0"[..]), (option::IF_TSRESOL, &[3])];
    file.interface(link::RAW, 96, &inner);
    let two = [(option::COMMENT, &b"the first"[..]), (option::COMMENT, b"the second")];
    file.packet(1, 1_700_000_000_123, &datagram(7), &two);
    file.section(Order::Little, &[]);
    file.interface(link::RAW, 0, &[(option::IF_DESCRIPTION, b"behind the wall")]);
    file.packet(0, 1_700_000_000_999_999, &datagram(7), &[(FLAGS, &[2, 0, 0, 0])]);
    file.packet(0, 1_700_000_001_000_000, &datagram(8), &[]);
    let capture = file.bytes();

    let analysis = read("a capture", &capture, &Rules::default(), false);
    let (picked, told) = pick(&analysis, &[0], Remarks::Labels, &capture, 10).unwrap();
    assert_eq!((analysis.n_flows(), told.frames), (2, 2));
    let mut decoder = capture::Decoder::default();
    decoder.feed(&picked);
    let mut seen = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        let origin = frame.origin.unwrap();
        let comments: Vec<String> =
            origin.comments().map(|it| String::from_utf8(it.to_vec()).unwrap()).collect();
        seen.push((frame.time.0, frame.wire_len, origin.interface, origin.flags(), comments));
    }
    let of_flow = "flow 0: label unknown; protocol unknown; ";
    assert!(seen[0].4.pop().is_some_and(|it| it.starts_with(of_flow)));
    let had = vec!["the first".to_owned(), "the second".to_owned()];
    assert_eq!(
        seen,
        [
            (1_700_000_000_123_000_000, 1_000, 0, None, had),
            (1_700_000_000_999_999_000, 1_000, 1, Some(2), Vec::new()),
        ]
    );
    let known = |it: &capture::Interface| {
        (it.name.clone(), it.description.clone(), it.link_type, it.snap_len)
    };
    let expected = [
        (Some("inner0".to_owned()), None, link::RAW, 96),
        (None, Some("behind the wall".to_owned()), link::RAW, 0),
    ];
    assert!(decoder.notes().interfaces.iter().map(known).eq(expected));
    assert_eq!(decoder.notes().hardware.as_deref(), Some("a tap"));
}

/// Captures below a folder of the tester's, where there is one: `TRACTOR_CAPTURES=FOLDER cargo test -p tests --test
/// picked`.
#[test]
fn the_flows_of_the_testers_captures_are_there_again() {
    let Some(folder) = std::env::var_os("TRACTOR_CAPTURES") else { return };
    let mut waiting = vec![PathBuf::from(folder)];
    let (mut n_captures, mut n_flows) = (0, 0);
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()));
            continue;
        }
        let (name, capture) = (path.display().to_string(), fs::read(&path).unwrap());
        n_flows += read(&name, &capture, &Rules::default(), false).n_flows();
        check(&name, &capture, &Rules::default(), 3);
        n_captures += 1;
    }
    eprintln!("{n_flows} flows of {n_captures} captures are there again");
}
