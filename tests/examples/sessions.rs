//! Judges sessions: `cargo xtask sessions FOLDER [all]`, where FOLDER has captures and, in `truth/ndpi*.jsonl`, what nDPI
//! says of their flows.
//!
//! Captures of one application are interleaved in pairs, as if one host had run both, and every pair of flows is judged:
//! of one application, or of two. A capture counts as one application's by a rule that knows no file name: see
//! [`Taken::read`]. Captures are parted into two halves by families of names, as `cargo xtask halves` does; one half was
//! looked at while the rules were made, the other one never.
//!
//! Where a capture is of several applications, pairs of flows in one session are counted that nDPI gives different ones.
//! This is no truth of sessions, for one application uses the services of others, but shows what is glued together.
//!
//! Then the data connections of FTP and the media of calls that tshark finds are looked for in the sessions of those who
//! announced them. With `all`, each interleaving is printed.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use capture::{Decoder, Dissector, Packet};
use engine::{Analysis, Job};
use serde_json::Value;
use tests::{
    file::{self, Order, Record, Unit},
    frame::{self, Segment},
};
use v1::page::{Query, SessionDetail};

/// Longer captures are passed over.
const MAX_LEN: u64 = 20_000_000;
/// The fewest and the most flows of a capture that is taken.
const MIN_FLOWS: usize = 2;
const MAX_FLOWS: usize = 1_000;
/// A longer silence ends the use of an application, in nanoseconds.
const MAX_SILENCE: u64 = 60_000_000_000;
/// A host's traffic after so much silence is a burst of its own, in nanoseconds.
const BURST_GAP: u64 = 1_000_000_000;
/// With how many others each capture is interleaved.
const N_PARTNERS: usize = 4;
/// The link type of packets without a link header.
const RAW: u16 = 101;

/// What says nothing of an application: helpers of all of them, carriers of many.
const SHARED: &[&str] = &[
    "BROWSER", "DHCP", "DHCPV6", "DNS", "HTTP", "ICMP", "ICMPV6", "IGMP", "LLMNR", "MDNS", "NTP",
    "NetBIOS", "QUIC", "SSDP", "STUN", "TLS", "UPnP", "Unknown", "WSD",
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, is_all) = match &arguments[..] {
        [folder] => (Path::new(folder), false),
        [folder, all] if all == "all" => (Path::new(folder), true),
        _ => {
            println!("usage: cargo xtask sessions FOLDER [all]");
            return ExitCode::from(2);
        }
    };
    let n_interleaved = interleave(folder, is_all);
    mix(folder, is_all);
    let n_announced = announced(folder);
    if n_interleaved > 0 && n_announced > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A transport and two ends, in order.
type Key = (u8, SocketAddr, SocketAddr);

fn key(protocol: u8, a: SocketAddr, b: SocketAddr) -> Key {
    (protocol, a.min(b), a.max(b))
}

/// A packet as it was decoded.
#[derive(Clone)]
struct Owned {
    nanos: u64,
    protocol: u8,
    source: SocketAddr,
    destination: SocketAddr,
    tcp: Option<capture::Tcp>,
    payload: Vec<u8>,
    /// On the wire, in bytes.
    payload_len: usize,
}

impl Owned {
    fn new(it: &Packet<'_>) -> Self {
        Self {
            nanos: it.time.0,
            protocol: it.protocol,
            source: SocketAddr::new(it.source, it.source_port),
            destination: SocketAddr::new(it.destination, it.destination_port),
            tcp: it.tcp,
            payload: it.payload.to_vec(),
            payload_len: (it.payload_len as usize).clamp(it.payload.len(), 65_000),
        }
    }

    fn key(&self) -> Key {
        key(self.protocol, self.source, self.destination)
    }

    /// The same, of another host: in its header, and in the one an ICMP error quotes.
    fn moved(mut self, from: IpAddr, to: IpAddr, nanos: i64) -> Self {
        self.nanos = self.nanos.saturating_add_signed(nanos);
        for end in [&mut self.source, &mut self.destination] {
            if end.ip() == from {
                end.set_ip(to);
            }
        }
        if let (1, IpAddr::V4(from), IpAddr::V4(to)) = (self.protocol, from, to) {
            for at in [20, 24] {
                if let Some(quoted) = self.payload.get_mut(at..at + 4)
                    && *quoted == from.octets()
                {
                    quoted.copy_from_slice(&to.octets());
                }
            }
        }
        self
    }

    fn record(&self) -> Option<Record> {
        let mut payload = self.payload.clone();
        payload.truncate(65_000);
        let n_missing = self.payload_len - payload.len();
        payload.resize(self.payload_len, 0);
        let bytes = match (self.protocol, self.tcp) {
            (6, Some(tcp)) => {
                let segment = Segment {
                    sequence: tcp.sequence,
                    acknowledgement: tcp.acknowledgement,
                    flags: tcp.flags,
                    window: tcp.window,
                    options: &[],
                };
                frame::tcp(self.source, self.destination, &segment, &payload)
            }
            (17, _) => frame::udp(self.source, self.destination, &payload),
            // Others with ports lost their header.
            (6 | 33 | 132 | 136, _) => return None,
            (protocol, _) => frame::ip(self.source.ip(), self.destination.ip(), protocol, &payload),
        };
        let kept_len = bytes.len() - n_missing;
        Some(Record::whole(self.nanos, bytes).cut(kept_len))
    }
}

/// The outermost packets of a capture; none where it cannot be read.
fn packets(path: &Path) -> Vec<Owned> {
    let mut packets = Vec::new();
    if fs::metadata(path).is_ok_and(|it| it.len() > MAX_LEN) {
        return packets;
    }
    let (mut decoder, mut dissector) = (Decoder::default(), Dissector::new(1));
    let mut sink = |it: &Packet<'_>| {
        if it.depth == 0 {
            packets.push(Owned::new(it));
        }
    };
    decoder.feed(&fs::read(path).unwrap_or_default());
    decoder.end();
    while let Ok(Some(frame)) = decoder.next_frame() {
        let _ = dissector.push(&frame, &mut sink);
    }
    dissector.finish(&mut sink);
    packets
}

fn is_for_one(ip: IpAddr) -> bool {
    let is_broadcast = matches!(ip, IpAddr::V4(it) if it.is_broadcast() || it.octets()[3] == 255);
    !(ip.is_multicast() || ip.is_unspecified() || is_broadcast)
}

/// A capture of one application.
struct Taken {
    path: String,
    /// What nDPI calls it.
    labels: BTreeSet<String>,
    host: IpAddr,
    packets: Vec<Owned>,
    /// The flows of the host, to be judged.
    keys: BTreeSet<Key>,
    hash: u64,
}

impl Taken {
    /// The capture, if it is one application's: nDPI gives the flows between two hosts one label at most, besides those
    /// that say nothing of an application; one host is an end of all of them; they are two to a thousand; and there is no
    /// silence of more than a minute.
    fn read(folder: &Path, path: &str, rows: &[Value]) -> Option<Self> {
        let mut labels = BTreeSet::new();
        for row in rows {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let is_told = ["src", "dst"].iter().all(|it| text(it).parse().is_ok_and(is_for_one));
            if let Some(label) = label_of(row).filter(|it| is_told && !SHARED.contains(it)) {
                labels.insert(label.to_owned());
            }
        }
        if labels.len() > 1 {
            return None;
        }
        if labels.is_empty() {
            let row = |it: &Value| it.get("master").and_then(Value::as_str).map(str::to_owned);
            labels.extend(rows.iter().filter_map(row).filter(|it| it != "Unknown" && it != "DNS"));
        }
        let packets = packets(&folder.join(path));
        let told = |it: &&Owned| is_for_one(it.source.ip()) && is_for_one(it.destination.ip());
        let keys: BTreeSet<Key> = packets.iter().filter(told).map(Owned::key).collect();
        let mut hosts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for (_, a, b) in &keys {
            for ip in BTreeSet::from([a.ip(), b.ip()]) {
                *hosts.entry(ip).or_default() += 1;
            }
        }
        let n_flows = keys.len();
        // Of two hosts alone, who spoke first.
        let first = packets.iter().find(told)?;
        let ends = [first.source.ip(), first.destination.ip()];
        let is_in_all = |it: &&IpAddr| hosts.get(it) == Some(&n_flows);
        let host = *ends.iter().find(is_in_all)?;
        let mut times: Vec<u64> = packets.iter().filter(told).map(|it| it.nanos).collect();
        times.sort_unstable();
        let is_at_once = times.windows(2).all(|it| it[1] - it[0] <= MAX_SILENCE);
        let is_one = is_at_once && (MIN_FLOWS..=MAX_FLOWS).contains(&n_flows);
        let hash = hash(path.as_bytes());
        let path = path.to_owned();
        is_one.then_some(Self { path, labels, host, packets, keys, hash })
    }

    /// Times of its first and last packet.
    fn span(&self) -> (u64, u64) {
        let times = || self.packets.iter().map(|it| it.nanos);
        (times().min().unwrap_or(0), times().max().unwrap_or(0))
    }
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |it, byte| {
        (it ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// The letters a capture's name begins with; see `cargo xtask halves`.
fn family(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = name.split_once("__").map_or(name, |it| it.1);
    let letters = name.trim_start_matches(|it: char| !it.is_ascii_alphabetic());
    letters.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
}

/// What nDPI says of the flows of captures, by their paths.
fn told(folder: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for name in ["ndpi.jsonl", "ndpi-hist.jsonl"] {
        let text = fs::read_to_string(folder.join("truth").join(name)).unwrap_or_default();
        for row in text.lines().filter_map(|it| serde_json::from_str::<Value>(it).ok()) {
            if let Some(path) = row.get("capture").and_then(Value::as_str) {
                rows.entry(path.to_owned()).or_default().push(row);
            }
        }
    }
    rows
}

/// The label that nDPI gives a flow.
fn label_of(row: &Value) -> Option<&str> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    ["app", "master"].into_iter().find_map(|it| text(it).filter(|it| !it.is_empty()))
}

/// Counts pairs of flows of several applications in one session.
fn mix(folder: &Path, is_all: bool) {
    let (mut seen, mut sums) = (BTreeSet::new(), [[0_usize; 2]; 2]);
    for (path, rows) in told(folder) {
        let bytes = fs::read(folder.join(&path)).unwrap_or_default();
        if bytes.len() as u64 > MAX_LEN || !seen.insert(hash(&bytes)) {
            continue;
        }
        let mut labels: BTreeMap<Key, &str> = BTreeMap::new();
        for row in &rows {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let port = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0) as u16;
            let end = |ip: &str, at: &str| Some(SocketAddr::new(text(ip).parse().ok()?, port(at)));
            let protocol = flow::Transport::named(&text("l4").to_lowercase());
            let ends = (end("src", "sport"), end("dst", "dport"), protocol);
            let label = label_of(row).filter(|it| !SHARED.contains(it));
            if let ((Some(a), Some(b), Some(protocol)), Some(label)) = (ends, label) {
                labels.insert(key(protocol.0, a, b), label);
            }
        }
        if labels.values().collect::<BTreeSet<_>>().len() < 2 {
            continue;
        }
        let mut groups: BTreeMap<u32, BTreeMap<&str, usize>> = BTreeMap::new();
        for row in analysed(&bytes).rows() {
            if let Some(label) = key_of(&row).and_then(|it| labels.get(&it)) {
                *groups.entry(row.session_id).or_default().entry(label).or_default() += 1;
            }
        }
        let pairs = |n: usize| n * n.saturating_sub(1) / 2;
        let half = half(&path);
        for (session, labels) in groups {
            let all = pairs(labels.values().sum());
            let same: usize = labels.values().map(|it| pairs(*it)).sum();
            sums[half][0] += all;
            sums[half][1] += all - same;
            if is_all && half == 0 && all > same {
                println!(
                    "  {} of {all} pairs differ, session {session} of {path}: {labels:?}",
                    all - same
                );
            }
        }
    }
    println!("\nin one session of a capture of several applications, by nDPI:");
    for (half, [all, differing]) in HALVES.iter().zip(sums) {
        println!("{half}: {all} pairs of flows, {differing} of different applications");
    }
}

const HALVES: [&str; 2] = ["looked at", "unseen"];

fn half(path: &str) -> usize {
    (hash(family(path).as_bytes()).count_ones() % 2) as usize
}

/// The captures of one application, by half; the same bytes once.
fn taken(folder: &Path) -> [Vec<Taken>; 2] {
    let mut halves = [Vec::new(), Vec::new()];
    let mut seen = BTreeSet::new();
    for (path, rows) in told(folder) {
        let bytes = fs::read(folder.join(&path)).unwrap_or_default();
        if seen.insert(hash(&bytes))
            && let Some(taken) = Taken::read(folder, &path, &rows)
        {
            halves[half(&path)].push(taken);
        }
    }
    for half in &mut halves {
        half.sort_by_key(|it| it.hash);
    }
    halves
}

/// How well flows are grouped.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// Pairs of flows of one application.
    same: f64,
    /// Pairs of flows in one group.
    grouped: f64,
    /// Pairs of both.
    right: f64,
    /// All pairs.
    all: f64,
}

impl Counts {
    /// Of flows that each have an application and a group.
    fn of(flows: &[(usize, u64)]) -> Self {
        let pairs = |counts: BTreeMap<(usize, u64), usize>| -> f64 {
            counts.values().map(|n| (n * (n - 1) / 2) as f64).sum()
        };
        let by = |part: fn(&(usize, u64)) -> (usize, u64)| {
            let mut counts = BTreeMap::new();
            for it in flows {
                *counts.entry(part(it)).or_default() += 1;
            }
            pairs(counts)
        };
        Self {
            same: by(|it| (it.0, 0)),
            grouped: by(|it| (0, it.1)),
            right: by(|it| *it),
            all: by(|_| (0, 0)),
        }
    }

    /// Nothing grouped is nothing wrong.
    fn precision(&self) -> f64 {
        if self.grouped > 0.0 { self.right / self.grouped } else { 1.0 }
    }

    fn recall(&self) -> f64 {
        if self.same > 0.0 { self.right / self.same } else { 1.0 }
    }

    /// Hubert and Arabie, 1985.
    fn adjusted_rand(&self) -> f64 {
        let by_chance = self.same * self.grouped / self.all;
        let most = (self.same + self.grouped) / 2.0;
        if most > by_chance { (self.right - by_chance) / (most - by_chance) } else { 1.0 }
    }
}

/// All pairs of flows together, and each interleaving for itself.
#[derive(Default)]
struct Score {
    sum: Counts,
    each: Vec<[f64; 3]>,
}

impl Score {
    fn add(&mut self, it: Counts) {
        self.sum.same += it.same;
        self.sum.grouped += it.grouped;
        self.sum.right += it.right;
        self.sum.all += it.all;
        self.each.push([it.precision(), it.recall(), it.adjusted_rand()]);
    }

    fn line(&self) -> String {
        let n = self.each.len().max(1) as f64;
        let mean = |at: usize| self.each.iter().map(|it| it[at]).sum::<f64>() / n;
        format!(
            "{:9.3} {:9.3}   {:9.3} {:9.3} {:9.3}",
            self.sum.precision(),
            self.sum.recall(),
            mean(0),
            mean(1),
            mean(2)
        )
    }
}

/// Interleaves and judges; how many interleavings there were.
fn interleave(folder: &Path, is_all: bool) -> usize {
    let mut n_interleaved = 0;
    for (half, taken) in HALVES.into_iter().zip(taken(folder)) {
        let mut scores: [Score; 4] = Default::default();
        for (at, a) in taken.iter().enumerate() {
            let others = taken.iter().cycle().skip(at + 1).take(taken.len().saturating_sub(1));
            let fits = |b: &&Taken| {
                a.host.is_ipv4() == b.host.is_ipv4() && a.labels.is_disjoint(&b.labels)
            };
            let both = others.filter(fits).filter_map(|b| Some((b, Both::new(a, b)?)));
            for (b, both) in both.take(N_PARTNERS) {
                let counts = both.judge();
                if is_all && half == HALVES[0] {
                    let it = counts[0];
                    println!(
                        "{:.2} {:.2} {:4} wrong {:5} missing: {} with {}",
                        it.precision(),
                        it.recall(),
                        it.grouped - it.right,
                        it.same - it.right,
                        a.path,
                        b.path
                    );
                }
                scores.iter_mut().zip(counts).for_each(|(score, it)| score.add(it));
            }
        }
        let n = scores[0].each.len();
        n_interleaved += n;
        println!("\n{half}: {} captures, {n} interleavings", taken.len());
        println!("{:28} {:>19}   {:>29}", "", "all pairs of flows", "mean over interleavings");
        println!(
            "{:28} {:>9} {:>9}   {:>9} {:>9} {:>9}",
            "", "precision", "recall", "precision", "recall", "adj. Rand"
        );
        let names =
            ["sessions", "each flow for itself", "bursts of a host (1 s)", "announcements only"];
        for (name, score) in names.iter().zip(&scores) {
            println!("{name:28} {}", score.line());
        }
    }
    n_interleaved
}

/// Two captures, as if one host had run both.
struct Both {
    capture: Vec<u8>,
    /// The flows of each.
    keys: [BTreeSet<Key>; 2],
    /// When bursts of the host begin.
    bursts: Vec<u64>,
}

impl Both {
    /// `None` where both would have the same flow.
    fn new(a: &Taken, b: &Taken) -> Option<Self> {
        // The second begins somewhere in the first.
        let (start, end) = a.span();
        let part = hash(format!("{} {}", a.path, b.path).as_bytes()) % 1_000;
        let begin = start + (end - start) / 1_000 * part;
        let shift = begin.wrapping_sub(b.span().0) as i64;
        let moved = |it: &Owned| it.clone().moved(b.host, a.host, shift);
        let mut packets: Vec<Owned> = b.packets.iter().map(moved).collect();
        let of_b: BTreeSet<Key> = packets.iter().map(Owned::key).collect();
        if a.packets.iter().any(|it| of_b.contains(&it.key())) {
            return None;
        }
        let ends = [b.host, a.host];
        let renamed = |end: SocketAddr| {
            SocketAddr::new(if end.ip() == ends[0] { ends[1] } else { end.ip() }, end.port())
        };
        let keys_of_b = b.keys.iter().map(|it| key(it.0, renamed(it.1), renamed(it.2))).collect();
        packets.extend(a.packets.iter().cloned());
        packets.sort_by_key(|it| it.nanos);
        let mut bursts: Vec<u64> = packets.iter().map(|it| it.nanos).collect();
        let mut before = None;
        bursts.retain(|it| {
            let is_burst = before.is_none_or(|before| it - before > BURST_GAP);
            before = Some(*it);
            is_burst
        });
        let records: Vec<Record> = packets.iter().filter_map(Owned::record).collect();
        let capture = file::pcap(Order::Little, Unit::Nanos, RAW, &records);
        Some(Self { capture, keys: [a.keys.clone(), keys_of_b], bursts })
    }

    /// How well sessions group the flows, and how well the three plain ways do.
    fn judge(&self) -> [Counts; 4] {
        let analysis = analysed(&self.capture);
        let (_, announced) = sessions(&analysis);
        let mut groups: [Vec<(usize, u64)>; 4] = Default::default();
        for row in analysis.rows() {
            let Some(key) = key_of(&row) else { continue };
            let Some(app) = self.keys.iter().position(|it| it.contains(&key)) else { continue };
            let flow = u64::from(row.flow_id);
            let burst = self.bursts.partition_point(|it| *it <= row.time_start_ns);
            let root = root(&announced, row.flow_id);
            let numbers = [row.session_id.into(), flow, burst as u64, root.into()];
            groups.iter_mut().zip(numbers).for_each(|(group, it)| group.push((app, it)));
        }
        groups.map(|it| Counts::of(&it))
    }
}

fn analysed(capture: &[u8]) -> Analysis {
    let mut job = Job::new("interleaved", 0);
    let _ = job.feed(capture);
    job.finish(false)
}

fn key_of(row: &v1::page::FlowRow) -> Option<Key> {
    let protocol = flow::Transport::named(&row.transport)?.0;
    let has_ports = matches!(protocol, 6 | 17);
    let end = |ip: &str, port: u16| Some(SocketAddr::new(ip.parse().ok()?, port));
    let (client_port, server_port) =
        if has_ports { (row.client_port, row.server_port) } else { (0, 0) };
    Some(key(protocol, end(&row.client_ip, client_port)?, end(&row.server_ip, server_port)?))
}

/// The sessions, and which flow announced which.
fn sessions(analysis: &Analysis) -> (Vec<SessionDetail>, BTreeMap<u32, u32>) {
    let session = |session_id| {
        let answer = analysis.page(&Query::Session { session_id });
        serde_json::from_value::<SessionDetail>(answer).ok()
    };
    let sessions: Vec<SessionDetail> = (0..).map_while(session).collect();
    let links = sessions.iter().flat_map(|it| &it.links);
    let announced = links.filter(|it| matches!(&*it.kind, "ftp data" | "media" | "file transfer"));
    let announced = announced.map(|it| (it.to, it.from)).collect();
    (sessions, announced)
}

fn root(announced: &BTreeMap<u32, u32>, flow: u32) -> u32 {
    let mut at = flow;
    // Announcements come before what they announce, so this ends.
    while let Some(from) = announced.get(&at).filter(|it| **it < at) {
        at = *from;
    }
    at
}

/// What a capture contains where tshark is worth asking.
const WORDS: &[&[u8]] =
    &[b"227 Ent", b"229 Ent", b"\nPORT ", b"EPRT |", b"\nm=audio", b"\nm=video", b"RTSP/1.0"];

/// A flow that another one set up, by tshark, and the flows that say so: a call may pass by several times.
type SetUp = (String, Key, BTreeSet<Key>);

/// Looks for the flows that tshark says others set up; how many there are.
fn announced(folder: &Path) -> usize {
    let mut paths = files(folder);
    paths.sort();
    let mut seen = BTreeSet::new();
    let mut counts: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    println!("\nset up by others, by tshark, and not in the session of those:");
    for path in paths {
        if fs::metadata(&path).map_or(0, |it| it.len()) > MAX_LEN {
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let has_word = WORDS.iter().any(|word| bytes.windows(word.len()).any(|it| it == *word));
        if !has_word || !seen.insert(hash(&bytes)) {
            continue;
        }
        let all = set_up(&path);
        if all.is_empty() {
            continue;
        }
        let mut job = Job::new("capture", 0);
        let _ = job.feed(&bytes);
        let analysis = job.finish(false);
        let mut numbers: BTreeMap<Key, BTreeSet<u32>> = BTreeMap::new();
        for row in analysis.rows() {
            if let Some(key) = key_of(&row) {
                numbers.entry(key).or_default().insert(row.session_id);
            }
        }
        let mut methods = BTreeSet::new();
        for (method, data, control) in all {
            let count = counts.entry(method.clone()).or_default();
            count.0 += usize::from(methods.insert(method.clone()));
            count.1 += 1;
            let of = |key: &Key| numbers.get(key).cloned().unwrap_or_default();
            if control.iter().all(|it| of(&data).is_disjoint(&of(it))) {
                let name = path.strip_prefix(folder).unwrap_or(&path).display();
                println!("  {method} {} > {}: {name}", data.1, data.2);
            } else {
                count.2 += 1;
            }
        }
    }
    for (method, (n_captures, n, n_joined)) in &counts {
        println!("{method}: {n_joined} of {n} flows joined, {n_captures} captures");
    }
    counts.values().map(|it| it.1).sum()
}

fn set_up(path: &Path) -> Vec<SetUp> {
    const FIELDS: &[&str] = &[
        "frame.number",
        "ip.proto",
        "ip.src",
        "ip.dst",
        "ipv6.src",
        "ipv6.dst",
        "tcp.srcport",
        "tcp.dstport",
        "udp.srcport",
        "udp.dstport",
        "ftp-data.setup-frame",
        "rtp.setup-frame",
        "rtp.setup-method",
        "rtcp.setup-frame",
        "rtcp.setup-method",
    ];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-E", "occurrence=l"]);
    tshark.args(FIELDS.iter().flat_map(|it| ["-e", it])).arg("-r").arg(path);
    let Ok(output) = tshark.output() else { return Vec::new() };
    let mut frames: BTreeMap<u64, Key> = BTreeMap::new();
    let mut found: BTreeMap<Key, (String, BTreeSet<u64>)> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |name: &str| {
            let at = FIELDS.iter().position(|it| *it == name)?;
            fields.get(at).copied().filter(|it| !it.is_empty())
        };
        let end = |ip: &[&str; 2], port: &[&str; 2]| {
            let ip = field(ip[0]).or_else(|| field(ip[1]))?.parse().ok()?;
            let port = field(port[0]).or_else(|| field(port[1]))?.parse().ok()?;
            Some(SocketAddr::new(ip, port))
        };
        let source = end(&["ip.src", "ipv6.src"], &["tcp.srcport", "udp.srcport"]);
        let destination = end(&["ip.dst", "ipv6.dst"], &["tcp.dstport", "udp.dstport"]);
        let (Some(source), Some(destination)) = (source, destination) else { continue };
        let protocol = if field("tcp.srcport").is_some() { 6 } else { 17 };
        let key = key(protocol, source, destination);
        let number = |name: &str| field(name).and_then(|it| it.parse::<u64>().ok());
        if let Some(number) = number("frame.number") {
            frames.insert(number, key);
        }
        let ways = [
            (number("ftp-data.setup-frame"), Some("FTP")),
            (number("rtp.setup-frame"), field("rtp.setup-method")),
            (number("rtcp.setup-frame"), field("rtcp.setup-method")),
        ];
        for (number, method) in ways {
            if let (Some(number), Some(method)) = (number, method) {
                let (_, numbers) =
                    found.entry(key).or_insert_with(|| (method.to_owned(), BTreeSet::new()));
                numbers.insert(number);
            }
        }
    }
    let with_control = found.into_iter().filter_map(|(data, (method, numbers))| {
        let mut control: BTreeSet<Key> =
            numbers.iter().filter_map(|it| frames.get(it).copied()).collect();
        // Media in the connection of its control is no flow of its own.
        control.remove(&data);
        (!control.is_empty()).then_some((method, data, control))
    });
    with_control.collect()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
    entries.flat_map(|it| if it.is_dir() { files(&it) } else { vec![it] }).collect()
}
