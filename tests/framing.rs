//! Formats, what captures say of themselves, packings, cuts and damage: whatever a capture is in, the same frames come out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;

use capture::{Decoder, Error, Notes};
use flate2::{Compression, write::DeflateEncoder};
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};
use tests::file::{self, Order, PcapKind, Pcapng, Record, Unit, ZipMember, link, option};

/// A frame's time, link type, length on the wire and bytes.
type Seen = (u64, u16, u32, Vec<u8>);

/// All that is read of a file.
fn read(file: &[u8]) -> (Vec<Seen>, Decoder, Option<Error>) {
    let mut decoder = Decoder::default();
    let mut frames = Vec::new();
    decoder.feed(file);
    let mut drained = drain(&mut decoder, &mut frames);
    if drained.is_ok() {
        decoder.end();
        drained = drain(&mut decoder, &mut frames).and_then(|()| decoder.finish());
    }
    (frames, decoder, drained.err())
}

fn drain(decoder: &mut Decoder, frames: &mut Vec<Seen>) -> Result<(), Error> {
    while let Some(it) = decoder.next_frame()? {
        frames.push((it.time.0, it.link_type, it.wire_len, it.bytes.to_vec()));
    }
    Ok(())
}

/// Frames of some lengths; one is cut, and none has more than microseconds.
fn records() -> Vec<Record> {
    let record = |n: u64, len: usize| {
        Record::whole(1_740_819_600_000_000_000 + n * 1_001_000_000, vec![n as u8; len])
    };
    vec![record(0, 60), record(1, 333), record(2, 1).cut(0), record(3, 900).cut(64), record(4, 77)]
}

fn seen(records: &[Record], link_type: u16) -> Vec<Seen> {
    records.iter().map(|it| (it.nanos, link_type, it.wire_len, it.bytes.clone())).collect()
}

/// A capture of the five records in this kind of pcap file.
fn pcap(kind: &PcapKind) -> Vec<u8> {
    file::pcap_like(kind, &records())
}

fn usual() -> Vec<u8> {
    pcap(&PcapKind::new(link::ETHERNET))
}

/// Whether the five records are read from it, whole.
#[track_caller]
fn check(file: &[u8], link_type: u16, format: &str) {
    let (frames, decoder, error) = read(file);
    assert_eq!((frames, error), (seen(&records(), link_type), None));
    assert_eq!(decoder.format(), Some(format));
    assert!(decoder.damages().is_empty());
}

/// The same in both byte orders.
#[track_caller]
fn check_pcap(kind: &PcapKind, format: &str) {
    for order in [Order::Little, Order::Big] {
        check(&pcap(&PcapKind { order, ..kind.clone() }), link::ETHERNET, format);
    }
}

const MODIFIED: &str = "pcap, modified format";

#[test]
fn every_kind_of_pcap_gives_the_same_frames() {
    let usual = PcapKind::new(link::ETHERNET);
    check_pcap(&usual, "pcap, microseconds");
    check_pcap(&PcapKind { unit: Unit::Nanos, ..usual.clone() }, "pcap, nanoseconds");
    let longer = PcapKind { after_record_header: 8, ..usual.clone() };
    check_pcap(&PcapKind { magic: Some(0xa1b2_cd34), ..longer.clone() }, MODIFIED);
    // Some writers of it forgot the magic.
    check_pcap(&longer, MODIFIED);
    let lcap = PcapKind { after_header: 4, ..usual };
    check_pcap(&PcapKind { magic: Some(0x1c00_01ab), ..lcap.clone() }, "pcap, IXIA lcap");
    let nanos = PcapKind { magic: Some(0x1c00_01ac), unit: Unit::Nanos, ..lcap };
    check_pcap(&nanos, "pcap, IXIA lcap");
}

#[test]
fn old_versions_have_the_lengths_the_other_way_round() {
    let usual = PcapKind::new(link::ETHERNET);
    for version in [(2, 0), (2, 1), (2, 2), (2, 3), (543, 0)] {
        let old = PcapKind { version, is_wire_len_first: true, ..usual.clone() };
        check_pcap(&old, "pcap, microseconds");
    }
    // In version 2.3 it depends on the writer.
    check_pcap(&PcapKind { version: (2, 3), ..usual }, "pcap, microseconds");
    let aix = PcapKind { version: (2, 2), is_wire_len_first: true, ..PcapKind::new(6) };
    check_pcap(&PcapKind { unit: Unit::Nanos, magic: Some(0xa1b2_c3d4), ..aix }, "pcap, AIX");
}

#[test]
fn bits_about_check_sequences_are_no_link_type() {
    let link_type = 0x4400_0000 | u32::from(link::ETHERNET);
    check(&pcap(&PcapKind { link_type, ..PcapKind::new(0) }), link::ETHERNET, "pcap, microseconds");
}

#[test]
fn captures_behind_each_other_are_all_read() {
    let other = PcapKind { order: Order::Big, unit: Unit::Nanos, ..PcapKind::new(link::RAW) };
    let none = file::pcap_like(&PcapKind::new(link::NULL), &[]);
    let (frames, decoder, error) = read(&[usual(), none, pcap(&other), usual()].concat());
    let expected = [link::ETHERNET, link::RAW, link::ETHERNET].map(|it| seen(&records(), it));
    assert_eq!((frames, error), (expected.concat(), None));
    assert!(decoder.damages().is_empty());
}

#[test]
fn odd_frames_are_read_and_counted() {
    let mut records = records();
    records.swap(1, 2);
    records[0].wire_len = 10;
    records[4].wire_len = 0;
    let (frames, decoder, error) = read(&file::pcap_like(&PcapKind::new(1), &records));
    assert_eq!((frames.len(), error), (5, None));
    let oddities = decoder.oddities();
    assert_eq!((oddities.out_of_order, oddities.overlong, oddities.damages), (1, 2, 0));
    assert_eq!(frames[0].2, 60);
}

/// A pcapng that says much of itself.
fn talkative() -> Vec<u8> {
    let mut file = Pcapng::new(
        Order::Big,
        &[
            (option::COMMENT, "Снимок для пробы.".as_bytes()),
            (option::HARDWARE, b"a box"),
            (option::APPLICATION, b"a program"),
        ],
    );
    let options: &[file::BlockOption<'_>] = &[
        (option::IF_NAME, b"eth0"),
        (option::IF_DESCRIPTION, b"uplink"),
        (option::COMMENT, b"up"),
    ];
    file.interface(link::ETHERNET, 0, options);
    let record = Record::whole(0, vec![7; 61]);
    let comments: &[file::BlockOption<'_>] =
        &[(option::COMMENT, b"the first"), (option::COMMENT, b"the second")];
    file.packet(0, 3_000_000, &record, comments);
    file.packet(0, 2_000_000, &record, &[(5, &[0; 8])]);
    file.simple_packet(&record);
    // Names: one of an IPv4 address, two of an IPv6 address.
    let v4 = b"\0\x01\0\x0b\xc0\0\x02\x50a.test\0\0";
    let v6 = b"\0\x02\0\x1c\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07b.test\0c.te\0";
    file.block(4, &[&v4[..], v6, &[0; 4]].concat());
    file.block(10, b"KLST\0\0\0\x04abcd");
    file.block(0x0bad, &[0, 0, 0x7d, 0xd9]);
    file.block(0x8000_0077, b"mine");
    let n = |it: u64| Order::Big.u64(it);
    file.statistics(0, &[(option::ISB_IFDROP, &n(3)), (option::ISB_OSDROP, &n(1))]);
    file.statistics(0, &[(option::ISB_IFDROP, &n(5)), (option::ISB_OSDROP, &n(1))]);
    file.section(Order::Little, &[]);
    file.interface(link::RAW, 0, &[]);
    file.statistics(0, &[(option::ISB_IFDROP, &Order::Little.u64(2))]);
    file.bytes()
}

#[test]
fn a_pcapng_says_what_it_is() {
    let (_, decoder, error) = read(&talkative());
    assert_eq!(error, None);
    let interface = |name: Option<&str>, description: Option<&str>, link_type| capture::Interface {
        name: name.map(str::to_owned),
        description: description.map(str::to_owned),
        link_type,
        snap_len: 0,
    };
    let Notes { hardware, application, comments, interfaces, sections, dropped, .. } =
        decoder.notes();
    assert_eq!((hardware.as_deref(), application.as_deref()), (Some("a box"), Some("a program")));
    assert_eq!(*comments, ["Снимок для пробы.", "up"]);
    let named = interface(Some("eth0"), Some("uplink"), link::ETHERNET);
    assert_eq!(*interfaces, [named, interface(None, None, link::RAW)]);
    // Statistics count from the start of an interface.
    assert_eq!((*sections, *dropped), (2, 5 + 1 + 2));
    let Notes { secrets, custom_blocks, unknown_blocks, commented_frames, .. } = decoder.notes();
    assert_eq!((*secrets, *custom_blocks, *unknown_blocks, *commented_frames), (1, 1, 1, 1));
    let names: Vec<_> =
        decoder.names().iter().map(|(address, name)| format!("{address} {name}")).collect();
    assert_eq!(names, ["192.0.2.80 a.test", "2001:db8::7 b.test", "2001:db8::7 c.te"]);
}

#[test]
fn a_frame_has_its_comment_and_a_time() {
    let mut decoder = Decoder::default();
    decoder.feed(&talkative());
    let mut next = || {
        let frame = decoder.next_frame().unwrap().unwrap();
        (frame.time.0 / 1_000_000_000, frame.comment.map(str::to_owned))
    };
    assert_eq!(next(), (3, Some("the first".to_owned())));
    assert_eq!(next(), (2, None));
    // A simple packet has none of its own.
    assert_eq!(next(), (2, None));
}

#[test]
fn the_length_of_a_section_and_bad_options_are_of_no_matter() {
    let mut file = Pcapng::new(Order::Little, &[]);
    file.interface(link::ETHERNET, 0, &[(option::IF_TSRESOL, &[9]), (1, &[b'x'; 6])]);
    for record in records() {
        file.packet(0, record.nanos, &record, &[]);
    }
    let mut bytes = file.bytes();
    check(&bytes, link::ETHERNET, "pcapng");
    bytes[16..24].copy_from_slice(&7_u64.to_le_bytes());
    // The second option claims to be longer than the block; the first counts.
    let at = bytes.windows(6).position(|it| it == [b'x'; 6]).unwrap() - 2;
    bytes[at] = 0xff;
    check(&bytes, link::ETHERNET, "pcapng");
}

/// The frames `pcap-parser` finds: their captured lengths and bytes.
fn second_opinion(file: &[u8]) -> Vec<(u32, Vec<u8>)> {
    let mut reader = create_reader(1 << 20, file).unwrap();
    let mut frames = Vec::new();
    loop {
        match reader.next() {
            Ok((len, block)) => {
                let frame = match block {
                    PcapBlockOwned::Legacy(it) => Some((it.caplen, it.origlen, it.data)),
                    PcapBlockOwned::NG(pcap_parser::Block::EnhancedPacket(it)) => {
                        Some((it.caplen, it.origlen, it.data))
                    }
                    _ => None,
                };
                if let Some((len, wire_len, data)) = frame {
                    frames.push((wire_len, data[..len as usize].to_vec()));
                }
                reader.consume(len);
            }
            Err(PcapError::Eof) => return frames,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_second_opinion_finds_the_same_frames() {
    // What pcap-parser reads wrongly or not at all: the modified format, old versions, simple and obsolete packets.
    let beyond_it = ["modified.pcap", "old.pcap", "blocks.pcapng"];
    let mut n_compared = 0;
    for made in tests::small_captures() {
        let (frames, decoder, error) = read(&made.bytes);
        let is_well_formed = error.is_none() && decoder.damages().is_empty();
        if !is_well_formed || decoder.packing().is_some() || beyond_it.contains(&made.file_name) {
            continue;
        }
        let frames: Vec<_> = frames.into_iter().map(|it| (it.2, it.3)).collect();
        assert!(frames == second_opinion(&made.bytes), "{}", made.file_name);
        n_compared += 1;
    }
    assert!(n_compared >= 10, "only {n_compared} captures were compared");
}

/// Every prefix of a file gives a prefix of its frames, and nothing but the end is wrong with it.
#[track_caller]
fn check_cuts(file: &[u8]) {
    check_cuts_from(0, file);
}

/// The same of prefixes of at least so many bytes.
#[track_caller]
fn check_cuts_from(least: usize, file: &[u8]) {
    let (whole, _, error) = read(file);
    assert_eq!(error, None);
    let mut n_before = 0;
    for len in least..file.len() {
        let (frames, decoder, error) = read(&file[..len]);
        assert!(whole.starts_with(&frames), "cut at byte {len}");
        assert!(frames.len() >= n_before, "cut at byte {len}, a frame is lost");
        n_before = frames.len();
        assert!(decoder.damages().is_empty(), "cut at byte {len}");
        let code = error.map(|it| it.code());
        assert!(matches!(code, None | Some("E-EMPTY" | "E-CUT-SHORT")), "byte {len}: {code:?}");
    }
    assert!(whole.len() - n_before <= 1, "all but the last frame were there");
}

#[test]
fn a_file_cut_anywhere_gives_what_comes_before() {
    let pcapng = talkative();
    check_cuts(&usual());
    check_cuts(&pcapng);
    for kind in [
        PcapKind { version: (2, 3), is_wire_len_first: true, ..PcapKind::new(1) },
        PcapKind { magic: Some(0xa1b2_cd34), after_record_header: 8, ..PcapKind::new(1) },
    ] {
        check_cuts(&pcap(&kind));
    }
}

#[test]
fn a_packed_file_cut_anywhere_gives_what_comes_before() {
    for capture in [usual(), talkative()] {
        check_cuts(&file::gzip(&capture));
        check_cuts(&gzip_members(&capture));
    }
}

/// Packed in pieces, so that some of it comes out before the end.
fn gzip_members(capture: &[u8]) -> Vec<u8> {
    capture.chunks(100).flat_map(file::gzip).collect()
}

/// A zstd block comes out only whole, so frames follow each other here.
#[test]
fn zstd_frames_cut_anywhere_give_what_comes_before() {
    for capture in [usual(), talkative()] {
        check_cuts(&capture.chunks(50).flat_map(file::zstd).collect::<Vec<_>>());
    }
}

#[test]
fn an_archive_cut_anywhere_gives_what_comes_before() {
    let capture = usual();
    check_cuts(&zip(&[("a.pcap", &capture, Pack::Stored)]));
    // A tar without its first header looks like anything.
    check_cuts_from(512, &file::tar(&[("a.pcap", &capture)]));
}

/// How a file lies in a zip archive.
#[derive(Clone, Copy)]
enum Pack {
    Stored,
    Deflated,
    /// Its lengths stand behind it.
    Streamed,
}

fn zip(members: &[(&str, &[u8], Pack)]) -> Vec<u8> {
    let deflated: Vec<Vec<u8>> = members.iter().map(|it| deflate(it.1)).collect();
    let members: Vec<_> = members
        .iter()
        .zip(&deflated)
        .map(|((name, bytes, pack), deflated)| ZipMember {
            name,
            bytes,
            deflated: (!matches!(pack, Pack::Stored)).then_some(deflated),
            has_descriptor: matches!(pack, Pack::Streamed),
        })
        .collect();
    file::zip(&members)
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Whether the five records are read from it, how it is packed, and how many other captures lie in it.
#[track_caller]
fn check_packed(file: &[u8], packing: &str, n_others: u64) {
    for chunk_len in [1, 1_000, file.len()] {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        for chunk in file.chunks(chunk_len) {
            decoder.feed(chunk);
            drain(&mut decoder, &mut frames).unwrap();
        }
        decoder.end();
        drain(&mut decoder, &mut frames).and_then(|()| decoder.finish()).unwrap();
        assert_eq!(frames, seen(&records(), link::ETHERNET));
        assert_eq!(decoder.packing().as_deref(), Some(packing));
        assert_eq!(decoder.other_members().0, n_others);
    }
}

#[test]
fn captures_are_found_in_archives() {
    let capture = usual();
    let text = "Read me first. ".repeat(900);
    for (first, second) in [
        (Pack::Stored, Pack::Deflated),
        (Pack::Deflated, Pack::Streamed),
        (Pack::Streamed, Pack::Stored),
    ] {
        let members: &[_] = &[
            ("README", text.as_bytes(), first),
            ("a.pcap", &capture, second),
            ("b.txt", b"short", second),
            ("b.pcap", &capture, first),
        ];
        check_packed(&zip(members), "zip (a.pcap)", 1);
    }
    let members: &[(&str, &[u8])] =
        &[("README", text.as_bytes()), ("b/a.pcap", &capture), ("c", b"")];
    check_packed(&file::tar(members), "tar (b/a.pcap)", 0);
}

#[test]
fn packings_may_lie_in_each_other() {
    let capture = usual();
    let packed = file::gzip(&capture);
    check_packed(&file::gzip(&packed), "gzip, gzip", 0);
    let tar =
        file::tar(&[("a.txt.gz", &file::gzip(b"a text")), ("a.gz", &packed), ("b.gz", &packed)]);
    check_packed(&file::zstd(&tar), "gzip, tar (a.gz), zstd", 1);
    let zip = zip(&[("a.pcap.zst", &file::zstd(&capture), Pack::Deflated)]);
    check_packed(&zip, "zstd, zip (a.pcap.zst)", 0);
}

/// What is said of a file without frames.
#[track_caller]
fn check_refused(file: &[u8], code: &str, words: &str) {
    let (frames, _, error) = read(file);
    let error = error.unwrap();
    assert_eq!((frames.len(), error.code()), (0, code));
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn what_is_not_opened_is_said() {
    let capture = usual();
    let text = zip(&[("a.txt", b"no capture", Pack::Deflated)]);
    check_refused(&text, "E-NOT-A-CAPTURE", "a zip archive without a capture");
    check_refused(&file::tar(&[("a.txt", b"no")]), "E-NOT-A-CAPTURE", "a tar archive without");
    let mut encrypted = zip(&[("a.pcap", &capture, Pack::Streamed)]);
    encrypted[6] |= 1;
    check_refused(&encrypted, "E-BAD-PACKING", "encrypted");
    let deep = file::gzip(&file::gzip(&file::gzip(&file::gzip(&capture))));
    check_refused(&deep, "E-NOT-A-CAPTURE", "packed too often");
    // 1 GB of window.
    let mut greedy = file::zstd(&capture);
    greedy[5] = 20 << 3;
    check_refused(
        &greedy,
        "E-BAD-PACKING",
        "a window of 1024 MB in memory, and 128 MB are the limit",
    );
    check_refused(b"\xfd7zXZ\0 ", "E-NOT-A-CAPTURE", "xz data");
}

/// A chain of records behind so many bytes of rubbish.
#[test]
fn any_rubbish_between_records_is_skipped() {
    let (whole, _, _) = read(&usual());
    let first_len = 24 + 16 + 60;
    let texts: [&[u8]; 4] = [&[0; 999], &[0xff; 5], b"GET / HTTP/1.1\r\n", &[0x7f; 70_000]];
    for rubbish in texts {
        let capture = usual();
        let (before, after) = capture.split_at(first_len);
        let (frames, decoder, error) = read(&[before, rubbish, after].concat());
        assert_eq!((&frames, error), (&whole, None));
        let damages: Vec<_> = decoder.damages().iter().map(|it| (it.offset, it.skipped)).collect();
        assert_eq!(damages, [(first_len as u64, rubbish.len() as u64)]);
    }
}

#[test]
fn damage_has_a_cap_and_exact_sums() {
    let capture = usual();
    let (header, records) = capture.split_at(24);
    let damaged = [records, &[0xff; 20]].concat().repeat(1_100);
    let (frames, decoder, error) = read(&[header, &damaged, records].concat());
    assert_eq!((frames.len(), error), (1_101 * 5, None));
    let oddities = decoder.oddities();
    assert_eq!((oddities.damages, oddities.skipped), (1_100, 1_100 * 20));
    assert_eq!(decoder.damages().len(), 1_000);
}
