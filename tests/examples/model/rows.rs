//! Captures in, rows out: what each flow that speaks says of itself, and how it behaves.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use engine::{Filter, Job, Lesson, Teacher};
use features::{BEHAVIOUR, ISCX_B, Schema};
use learn::Data;

/// A collection of captures: its folder, its name, its licence, and whether a model of it may be passed on.
pub(crate) struct Collection {
    pub(crate) folder: &'static str,
    pub(crate) name: &'static str,
    pub(crate) licence: &'static str,
    pub(crate) is_used: bool,
}

const fn collection(
    folder: &'static str,
    name: &'static str,
    licence: &'static str,
    is_used: bool,
) -> Collection {
    Collection { folder, name, licence, is_used }
}

/// Every collection, by the licence file that lies beside its captures.
pub(crate) const COLLECTIONS: &[Collection] = &[
    collection("arkime", "Arkime", "Apache-2.0", true),
    collection("ipfixprobe", "ipfixprobe (CESNET)", "BSD-3-Clause", true),
    collection("libpcap", "libpcap", "BSD-3-Clause", true),
    collection("mercury", "mercury (Cisco)", "BSD-3-Clause", true),
    collection("ndpi", "nDPI (ntop)", "LGPL-3.0", true),
    collection("ndpi-hist", "nDPI (ntop), older versions", "LGPL-3.0", true),
    collection("nfstream", "nfstream", "LGPL-3.0", true),
    collection("pcap-parser", "pcap-parser", "MIT or Apache-2.0", true),
    collection("pcapng-gen", "pcapng-test-generator", "MIT", true),
    collection("pcapplusplus", "PcapPlusPlus", "Unlicense", true),
    collection("scapy", "Scapy", "GPL-2.0", false),
    collection("spicy-openvpn", "spicy-openvpn (Corelight)", "BSD-3-Clause", true),
    collection("spicy-wireguard", "spicy-wireguard (Corelight)", "BSD-3-Clause", true),
    collection("suricata-verify", "suricata-verify (OISF)", "MIT", true),
    collection("tcpdump", "tcpdump", "BSD-3-Clause", true),
    collection("zeek", "Zeek", "BSD-3-Clause", true),
];

/// A flow that says something of itself.
#[derive(Clone)]
pub(crate) struct Taken {
    /// Its place among [`COLLECTIONS`].
    pub(crate) collection: usize,
    /// The path of its capture within the corpus.
    pub(crate) capture: String,
    pub(crate) family: String,
    pub(crate) protocol: String,
    pub(crate) group: String,
    pub(crate) evidence: String,
    /// Whether it is TCP or UDP: what else there is its header names.
    pub(crate) is_bare: bool,
    pub(crate) port: u16,
    /// Packets with payload, of both sides.
    pub(crate) n_said: u64,
    /// Of the schema `behaviour`.
    pub(crate) values: Vec<f32>,
    /// Of the schema `iscx-b`, cut at 15 s.
    pub(crate) published: Vec<Vec<f32>>,
}

/// The timeout of the published files that is compared with.
pub(crate) const PUBLISHED_MICROS: u64 = 15_000_000;

/// Names that say nothing of what was captured: the folder does.
const NAMELESS: &[&str] = &["input", "test", "temp", "output", "capture", "one", "new", "single"];
/// What a number tells apart, not a letter.
const NUMBERED: &[&str] = &["bug", "issue"];

/// The family of a capture: the letters its name begins with, in lower case, as `cargo xtask halves` has it; of captures that
/// lie in a folder of their kind, or whose own names say nothing, those of the folder's name.
pub(crate) fn family(path: &Path) -> String {
    let part = |it: Option<&std::ffi::OsStr>| it.unwrap_or_default().to_string_lossy().into_owned();
    let name = part(path.file_name());
    let folder = part(path.parent().and_then(Path::file_name));
    let is_of_folder = path.iter().any(|it| it == "suricata-verify")
        || path.iter().any(|it| it == "zeek") && folder != "Traces";
    let own = letters(&name);
    if is_of_folder || own.is_empty() || NAMELESS.contains(&&*own) {
        let of = letters(&folder);
        if !of.is_empty() {
            return of;
        }
    }
    own
}

fn letters(name: &str) -> String {
    let name = name.split_once("__").map_or(name, |it| it.1);
    let name = name.trim_start_matches(|it: char| !it.is_ascii_alphabetic());
    let word: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    let word = word.to_ascii_lowercase();
    if NUMBERED.contains(&&*word) {
        let rest = name.get(word.len()..).unwrap_or_default().trim_start_matches(['-', '_']);
        return word + rest.split(|it: char| !it.is_ascii_digit()).next().unwrap_or_default();
    }
    word
}

/// The flows of every capture below a folder that say something of themselves, in the order of paths.
pub(crate) fn read(folder: &Path) -> Vec<Taken> {
    let mut all = Vec::new();
    for (collection, of) in COLLECTIONS.iter().enumerate() {
        let mut captures = Vec::new();
        find(&folder.join(of.folder), &mut captures);
        captures.sort();
        for path in captures {
            let bytes = fs::read(&path).unwrap_or_default();
            let inner = path.strip_prefix(folder).unwrap_or(&path);
            take(&bytes, collection, inner, &mut all);
        }
    }
    all
}

fn find(folder: &Path, captures: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, captures);
        } else {
            captures.push(path);
        }
    }
}

/// The rows of a capture's flows, by flow.
fn rows(
    analysis: &engine::Analysis,
    schema: &'static Schema,
    timeout: Option<u64>,
) -> BTreeMap<u32, Vec<Vec<f32>>> {
    let mut data = Data::of_schema(schema, timeout);
    let lesson = Lesson { filter: Filter::default(), teacher: Teacher::Payload };
    let taught = analysis.teach(&mut data, "", &lesson);
    let mut rows: BTreeMap<u32, Vec<Vec<f32>>> = BTreeMap::new();
    for (at, flow) in taught.flows.into_iter().enumerate() {
        rows.entry(flow).or_default().push(data.values(at).to_vec());
    }
    rows
}

fn take(bytes: &[u8], collection: usize, path: &Path, all: &mut Vec<Taken>) {
    let (family, capture) = (family(path), path.to_string_lossy().into_owned());
    let mut job = Job::new(&capture, 0);
    // What was read before a fault stays.
    drop(job.feed(bytes));
    let analysis = job.finish(false);
    let mut values = rows(&analysis, &BEHAVIOUR, None);
    let mut published = rows(&analysis, &ISCX_B, Some(PUBLISHED_MICROS));
    let columns: Vec<&str> = BEHAVIOUR.features().map(|it| it.name).collect();
    let place = |name: &str| columns.iter().position(|it| *it == name).unwrap_or(0);
    let said = [place("client_payload_packets"), place("server_payload_packets")];
    for row in analysis.rows() {
        let Some(values) = values.remove(&row.flow_id).and_then(|mut it| it.pop()) else {
            continue;
        };
        let n_said = said.iter().map(|it| values[*it] as u64).sum();
        if n_said == 0 {
            continue;
        }
        all.push(Taken {
            collection,
            capture: capture.clone(),
            family: family.clone(),
            is_bare: matches!(&*row.transport, "tcp" | "udp"),
            protocol: row.protocol,
            group: row.group,
            evidence: row.evidence,
            port: row.server_port,
            n_said,
            values,
            published: published.remove(&row.flow_id).unwrap_or_default(),
        });
    }
}
