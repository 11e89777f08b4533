//! Compares flows with the conversations that tshark tells: `cargo xtask conversations FOLDER [COUNT]`.
//!
//! Of the captures below the folder, in order of their paths, every so-manieth is read, so that it is 50 or COUNT of them
//! with conversations. Ends and packets each way are compared, TCP and UDP, tunnels included; of bytes tshark rounds. What
//! is not equal is printed, theirs and ours.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]

use std::{
    collections::BTreeMap,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use capture::{Decoder, Dissector, Packet};
use flow::{Apart, Endpoint, Table, Transport};

/// Longer captures are passed over.
const MAX_LEN: u64 = 20_000_000;

/// Two ends in order, and the packets that each sent. The same may be there several times.
type Conversations = BTreeMap<(Transport, Endpoint, Endpoint, u64, u64), usize>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, count) = match &arguments[..] {
        [folder] => (folder, 50),
        [folder, count] => (folder, count.parse().unwrap_or(50)),
        _ => {
            println!("usage: cargo xtask conversations FOLDER [COUNT]");
            return ExitCode::from(2);
        }
    };
    let mut paths = files(Path::new(folder));
    paths.sort();
    let step = (paths.len() / count).max(1);
    let (mut n_captures, mut n_equal, mut n_theirs, mut n_same) = (0, 0, 0, 0);
    for part in paths.chunks(step) {
        // The first of each part that has conversations.
        let told = part.iter().map(|path| (path, theirs(path))).find(|it| !it.1.is_empty());
        let Some((path, theirs)) = told.filter(|_| n_captures < count) else { continue };
        let ours = ours(path);
        n_captures += 1;
        n_theirs += theirs.values().sum::<usize>();
        let only = |all: &Conversations, others: &Conversations| {
            let mut only = Conversations::new();
            for (it, n) in all {
                let n_more = n.saturating_sub(others.get(it).copied().unwrap_or(0));
                if n_more > 0 {
                    only.insert(*it, n_more);
                }
            }
            only
        };
        let (missing, more) = (only(&theirs, &ours), only(&ours, &theirs));
        n_same += theirs.values().sum::<usize>() - missing.values().sum::<usize>();
        n_equal += usize::from(missing.is_empty() && more.is_empty());
        let word = if missing.is_empty() && more.is_empty() { "equal" } else { "differs" };
        println!("{word}: {}", path.strip_prefix(folder).unwrap_or(path).display());
        for (whose, list) in [("tshark", missing), ("ours", more)] {
            for ((transport, a, b, from_a, from_b), n) in list {
                println!(
                    "  only {whose}: {n} × {transport} {}:{} {from_a} {from_b} {}:{}",
                    a.ip, a.port, b.ip, b.port
                );
            }
        }
    }
    println!(
        "{n_captures} captures, {n_equal} equal; {n_theirs} conversations, {n_same} of them the same"
    );
    if n_equal > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The conversations by tshark; none where it cannot read the capture.
fn theirs(path: &Path) -> Conversations {
    let mut conversations = Conversations::new();
    if fs::metadata(path).is_ok_and(|it| it.len() > MAX_LEN) {
        return conversations;
    }
    for (name, transport) in [("conv,tcp", Transport::TCP), ("conv,udp", Transport::UDP)] {
        let mut tshark = Command::new("tshark");
        tshark.args(["-n", "-q", "-z", name, "-r"]).arg(path);
        let Ok(output) = tshark.output() else { return conversations };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let mut words = line.split_whitespace();
            let (a, arrow, b) = (words.next(), words.next(), words.next());
            // What came to the first end stands first, each number with its bytes and their unit.
            let [to_a, _, _, from_a] = [0; 4].map(|_| words.next());
            let number = |it: Option<&str>| it.and_then(|it| it.parse().ok());
            if let (Some("<->"), Some(a), Some(b), Some(from_b), Some(from_a)) =
                (arrow, a.and_then(end), b.and_then(end), number(to_a), number(from_a))
            {
                *conversations.entry(ordered(transport, a, b, from_a, from_b)).or_default() += 1;
            }
        }
    }
    conversations
}

/// `192.0.2.1:80`; an IPv6 address has colons too.
fn end(text: &str) -> Option<Endpoint> {
    let (ip, port) = text.rsplit_once(':')?;
    Some(Endpoint { ip: ip.parse::<IpAddr>().ok()?, port: port.parse().ok()? })
}

fn ordered(
    transport: Transport,
    a: Endpoint,
    b: Endpoint,
    from_a: u64,
    from_b: u64,
) -> (Transport, Endpoint, Endpoint, u64, u64) {
    if a <= b { (transport, a, b, from_a, from_b) } else { (transport, b, a, from_b, from_a) }
}

/// The same by our flows.
fn ours(path: &Path) -> Conversations {
    let mut table = Table::new(1, Apart::default());
    let (mut decoder, mut dissector) = (Decoder::default(), Dissector::new(1));
    let mut sink = |it: &Packet<'_>| {
        table.push(it);
    };
    decoder.feed(&fs::read(path).unwrap_or_default());
    decoder.end();
    while let Ok(Some(frame)) = decoder.next_frame() {
        let _ = dissector.push(&frame, &mut sink);
    }
    dissector.finish(&mut sink);
    let mut conversations = Conversations::new();
    for it in table.finish() {
        if matches!(it.transport, Transport::TCP | Transport::UDP) {
            let (from_client, from_server) = (it.from_client.packets, it.from_server.packets);
            let of = ordered(it.transport, it.client, it.server, from_client, from_server);
            *conversations.entry(of).or_default() += 1;
        }
    }
    conversations
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
    entries.flat_map(|it| if it.is_dir() { files(&it) } else { vec![it] }).collect()
}
