//! Computes the columns of CICFlowMeter twice over captures: `cargo xtask cic FOLDER [COUNT]`.
//!
//! Of the captures below the folder, in order of their paths, every so-manieth is read, so that it is 20 or COUNT of them
//! with flows. The packets of each flow, as they were decoded, go through the slow and plain computation of the tests too,
//! and both must be equal to the last bit or to 1e-12.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use capture::{Decoder, Dissector, Packet};
use features::{CIC, Piece};
use flow::{Apart, Endpoint, Flow, Table};
use tests::naive::{self, Plain};

/// Longer captures are passed over: the plain computation is slow.
const MAX_LEN: u64 = 20_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, count) = match &arguments[..] {
        [folder] => (folder, 20),
        [folder, count] => (folder, count.parse().unwrap_or(20)),
        _ => {
            println!("usage: cargo xtask cic FOLDER [COUNT]");
            return ExitCode::from(2);
        }
    };
    let mut paths = files(Path::new(folder));
    paths.sort();
    let step = (paths.len() / count).max(1);
    let (mut n_captures, mut compared) = (0, Compared::default());
    for part in paths.chunks(step) {
        // The first of each part that has flows.
        let read = part.iter().find_map(|path| Some((path, read(path)?)));
        let Some((path, flows)) = read.filter(|_| n_captures < count) else { continue };
        n_captures += 1;
        println!("{}: {} flows", path.strip_prefix(folder).unwrap_or(path).display(), flows.len());
        flows.iter().for_each(|(flow, packets)| compared.compare(flow, packets));
    }
    let Compared { n_flows, n_values, n_equal, differing } = compared;
    differing.iter().take(20).for_each(|it| println!("  differs: {it}"));
    println!(
        "{n_captures} captures, {n_flows} flows, {n_values} values: {n_equal} equal to the last bit, {} to 1e-12, {} differ",
        n_values - n_equal - differing.len(),
        differing.len()
    );
    if differing.is_empty() && n_captures > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How well both computations agree.
#[derive(Default)]
struct Compared {
    n_flows: usize,
    n_values: usize,
    n_equal: usize,
    differing: Vec<String>,
}

impl Compared {
    fn compare(&mut self, flow: &Flow, packets: &[Plain]) {
        self.n_flows += 1;
        let sample = Piece::whole(flow).sample(&CIC);
        for column in CIC.features() {
            let (a, b) = (column.number(&sample), naive::cic(column.name, packets));
            self.n_values += 1;
            self.n_equal += usize::from(a == b);
            if !naive::is_same(a, b) {
                self.differing.push(format!("{} {a:?}, plainly {b:?}", column.name));
            }
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
    entries.flat_map(|it| if it.is_dir() { files(&it) } else { vec![it] }).collect()
}

/// The flows of a capture, each with its packets as they were decoded; `None` where there are none.
fn read(path: &Path) -> Option<Vec<(Flow, Vec<Plain>)>> {
    let len = fs::metadata(path).ok()?.len();
    let bytes = if len <= MAX_LEN { fs::read(path).ok()? } else { return None };
    let (mut decoder, mut dissector) = (Decoder::default(), Dissector::new(1));
    let mut table = Table::new(1, Apart::default());
    // Who sent each packet, beside it.
    let mut packets: Vec<Vec<(Endpoint, Plain)>> = Vec::new();
    let mut sink = |packet: &Packet<'_>| {
        let number = table.push(packet) as usize;
        if packets.len() <= number {
            packets.resize(number + 1, Vec::new());
        }
        packets[number]
            .push((Endpoint { ip: packet.source, port: packet.source_port }, plain(packet)));
    };
    decoder.feed(&bytes);
    decoder.end();
    // What comes after damage that nothing can be read behind is not looked at here.
    while let Ok(Some(frame)) = decoder.next_frame() {
        let _ = dissector.push(&frame, &mut sink);
    }
    dissector.finish(&mut sink);
    let flows = table.finish().into_iter().zip(packets).map(|(flow, packets)| {
        let packets = packets.into_iter();
        let turned = |(source, it)| Plain { is_forward: source == flow.client, ..it };
        let mut packets: Vec<Plain> = packets.map(turned).collect();
        // The first segment is that of the capture, also where a later one has an earlier time.
        for is_forward in [true, false] {
            let side = packets.iter_mut().filter(|it| it.is_forward == is_forward);
            side.filter(|it| it.window.is_some()).skip(1).for_each(|it| it.window = None);
        }
        let packets = naive::in_order(&packets);
        (flow, packets)
    });
    Some(flows.collect()).filter(|it: &Vec<_>| !it.is_empty())
}

fn plain(packet: &Packet<'_>) -> Plain {
    let flags = packet.tcp.map_or(0, |it| it.flags);
    Plain {
        micros: (packet.time.0 / 1_000) as i64,
        is_forward: true,
        payload: packet.payload_len.into(),
        header: i64::from(packet.ip_len) - i64::from(packet.payload_len),
        flags,
        // A reset announces no window.
        window: packet.tcp.filter(|_| flags & 4 == 0).map(|it| it.window),
    }
}
