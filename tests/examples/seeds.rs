//! Writes what fuzzing starts from, a folder a target, below the folder named: from the captures of the tests.

use std::{collections::BTreeSet, fs, io, path::Path, sync::Arc};

use capture::{Decoder, Dissector};
use engine::{Export, Job};
use flow::{Apart, Head, Shuffle, Table, Transport};
use learn::{METHODS, Options, Plan, Reading, Work, read_table};
use tests::Made;

/// The longest seed, in bytes: short ones are tried more often.
const MAX_LEN: usize = 16_384;

const FILTERS: &[&str] = &[
    "proto:tls port:443 or -label:vk",
    "bytes>10MB duration<=2.5s start>=4 end<6500ms packets!=3",
    "ip:10.0.0.0/8 server:2001:db8::/32 !client:[::1]",
    "\"apple music\" agent:curl || state==S0 && ja4:t13 reason:payload",
    "https://example.org/ 2001:db8::7",
];

const RULES: &[&str] = &[
    "[[rule]]\nlabel = \"intranet\"\ngroup = \"web\"\nnames = [\"*.example.org\", \"com\"]\n",
    "[[rule]]\nlabel = \"a.b-c_d 1\"\nports = [22, \"8000-8010\"]\ntransport = \"tcp\"\n",
    "[[rule]]\nlabel = \"x\"\nbytes = [{ side = \"either\", at = 0, hex = \"5? ?3 ??\" }]\n",
    "[[rule]]\nlabel = \"y\"\nnetworks = [\"192.0.2.0/24\", \"2001:db8::/32\"]\nagents = [\"curl\"]\n",
    "{\"rule\": [{\"label\": \"z\", \"ports\": [1, \"2-65535\"]}, {\"label\": \"vk\", \"names\": [\"b\"]}]}",
];

const QUESTIONS: &[&str] = &[
    "0GET\n/files/list\n",
    "0POST\n/files/process\n{\"file_name\":\"a.pcap\"}",
    "0GET\n/file/1/status\n",
    "0GET\n/file/1/statistics/labels?label=vk\n",
    "0GET\n/file/1/statistics/ip?ip=192.0.2.80\n",
    "0GET\n/file/18446744073709551616/flows/labels?label=%41%ff&label=ssh\n",
    "0GET\n/labels/list\n",
    "1{\"Overview\":{\"bins\":60}}",
    "1{\"Flows\":{\"filter\":\"proto:tls\",\"sort\":\"Bytes\",\"is_descending\":true,\"offset\":0,\"len\":9}}",
    "1{\"Flow\":{\"flow_id\":2}}",
    "1{\"Hosts\":{\"search\":\"192\",\"offset\":0,\"len\":9}}",
    "1{\"Host\":{\"ip\":\"192.0.2.80\"}}",
    "1{\"Sessions\":{\"offset\":0,\"len\":9}}",
    "1{\"Session\":{\"session_id\":0}}",
    "3{\"Process\":{\"file_name\":\"ethernet.pcap\"}}",
    "3{\"Details\":{\"job\":1}}",
    "3{\"Statistics\":{\"job\":1}}",
    "3{\"StatisticsOfLabel\":{\"job\":1,\"label\":\"vk\"}}",
    "3{\"StatisticsOfIp\":{\"job\":1,\"ip\":\"192.0.2.80\"}}",
    "3{\"FlowsOfLabel\":{\"job\":1,\"label\":\"vk\"}}",
    "3\"Labels\"",
];

const TABLES: &[&str] = &[
    "@relation 'a b'\n% c\n@attribute 'x y' real [0,1]\n@attribute d date \"yyyy\"\n@attribute c {a,'b\\'c'}\n@data\n1,2017,a\n?,?,'b\\'c'\n",
    "\u{feff}Flow ID; Dst Port;Timestamp;pcap;size;ratio;label\r\n1;443;03/07/2017 08:55:58 PM;a;5;0,5;web\r\n2;53;1499072158;b;NaN;;\"x;\"\"y\"\r\n",
    "a\tb\tlabel\n1\t2\tx\na\tb\tlabel\n1\tInfinity\ty\n1\t2\n",
];

fn main() -> io::Result<()> {
    let Some(root) = std::env::args_os().nth(1) else {
        eprintln!("usage: seeds FOLDER");
        std::process::exit(2);
    };
    let root = Path::new(&root);
    let mut captures = tests::small_captures();
    let (file_name, shows) = ("sample.pcapng", "An hour of a small office.");
    captures.push(Made { file_name, shows, bytes: tests::sample() });
    let mut captures: Vec<_> = captures.into_iter().map(|it| it.bytes).collect();
    let odd = tests::hostile::cases().into_iter().map(|it| it.capture);
    captures.extend(odd.filter(|it| it.len() < MAX_LEN / 4));
    let (mut frames, mut heads) = (BTreeSet::new(), BTreeSet::new());
    for capture in &captures {
        let short = capture.get(..MAX_LEN).unwrap_or(capture);
        put(root, "job", short)?;
        put(root, target_of(capture), short)?;
        let (mut dissector, mut table) = (Dissector::new(0), Table::new(0, Apart::default()));
        let mut shuffle = Shuffle::new(None, 1, Apart { by_vlan: true, by_tunnel: true });
        let mut decoder = Decoder::default();
        decoder.feed(capture);
        decoder.end();
        while let Ok(Some(frame)) = decoder.next_frame() {
            frames.insert([&frame.link_type.to_be_bytes()[..], frame.bytes].concat());
            shuffle.begin_frame(frame.offset);
            // What holds no packet is a seed for links alone.
            let _ = dissector.push(&frame, &mut |packet| {
                table.push(packet);
                shuffle.push(packet, frame.comment);
            });
        }
        let partials = shuffle.finish();
        partials.iter().try_for_each(|it| put(root, "partial", &it.write()))?;
        heads.extend(table.finish().iter().map(|it| heads_of(&it.heads)));
    }
    // Of thousands every so many.
    let frames: Vec<_> = frames.iter().step_by(frames.len().div_ceil(3_000)).collect();
    frames.iter().try_for_each(|it| put(root, "link", it))?;
    heads.iter().try_for_each(|it| put(root, "protocols", it))?;
    FILTERS.iter().try_for_each(|it| put(root, "filter", it.as_bytes()))?;
    RULES.iter().try_for_each(|it| put(root, "rules", it.as_bytes()))?;
    QUESTIONS.iter().try_for_each(|it| put(root, "v1", it.as_bytes()))?;
    let mut random = tests::Random::new(1);
    (1..40).try_for_each(|it| put(root, "fragments", &random.bytes(it * 50)))?;
    let mut job = Job::new("sample.pcapng", 0);
    job.feed(&tests::sample()).map_err(io::Error::other)?;
    let analysis = job.finish(false);
    for schema in features::SCHEMAS {
        for format in ["arff", "csv"] {
            let export = Export::new(format, Some(schema.name)).map_err(io::Error::other)?;
            let file = analysis.export(&export, "sample.pcapng", Vec::new())?;
            // The first rows are enough.
            let lines = file.split_inclusive(|it| *it == b'\n').take(schema.columns.len() + 12);
            put(root, "table", &lines.collect::<Vec<_>>().concat())?;
            if schema.name == "basic" && format == "csv" {
                models(root, &String::from_utf8_lossy(&file))?;
            }
        }
    }
    TABLES.iter().try_for_each(|it| put(root, "table", it.as_bytes()))?;
    Ok(())
}

/// A small model of each method, learned from a table.
fn models(root: &Path, table: &str) -> io::Result<()> {
    let table = read_table(table, "sample", &Reading::default()).map_err(io::Error::other)?;
    let data = Arc::new(table.data.only(0..40));
    for row in METHODS {
        let options = Options { trees: 2, max_depth: 3, ..Options::of(row.method) };
        let plan = Plan { folds: 2, ..Plan::of(options) };
        let work = Work::new(Arc::clone(&data), plan).map_err(io::Error::other)?;
        let model = work.run().model;
        model.map_or(Ok(()), |it| put(root, "model", &it.write()))?;
    }
    Ok(())
}

/// The target that frames files that begin so.
fn target_of(capture: &[u8]) -> &'static str {
    match capture {
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => "pcapng",
        [0xa1, 0xb2, ..] | [_, _, 0xb2, 0xa1, ..] => "pcap",
        _ => "containers",
    }
}

/// Heads as the target `protocols` reads them.
fn heads_of(heads: &flow::Heads) -> Vec<u8> {
    let mut seed = vec![u8::from(heads.transport != Transport::TCP)];
    seed.extend(heads.client_port.to_be_bytes());
    seed.extend(heads.server_port.to_be_bytes());
    let mut put = |side: u16, head: &Head| {
        for message in head.datagrams() {
            let message = message.get(..0x7fff).unwrap_or(message);
            seed.extend((side << 15 | message.len() as u16).to_be_bytes());
            seed.extend(message);
        }
    };
    put(0, &heads.client);
    put(1, &heads.server);
    seed.truncate(MAX_LEN);
    seed
}

/// Writes a seed under a name of its own.
fn put(root: &Path, target: &str, seed: &[u8]) -> io::Result<()> {
    let sum = seed
        .iter()
        .fold(seed.len() as u64, |sum, it| (sum ^ u64::from(*it)).wrapping_mul(0x0100_0000_01b3));
    let folder = root.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("seed-{sum:016x}")), seed)
}
