//! Flows that say what they are in, kinds of traffic out: which protocols make a kind, and which rows are learned from.

use std::collections::{BTreeMap, BTreeSet};

use features::BEHAVIOUR;

use crate::rows::{COLLECTIONS, Taken};

/// A kind of traffic.
pub(crate) struct Kind {
    /// Its name, which is what the model says.
    pub(crate) name: &'static str,
    /// The protocols that make it.
    pub(crate) protocols: &'static [&'static str],
    /// Whether it is learned; the others are only asked about, to see what is said of what was never learned.
    pub(crate) is_learned: bool,
}

const fn kind(name: &'static str, is_learned: bool, protocols: &'static [&'static str]) -> Kind {
    Kind { name, protocols, is_learned }
}

/// Every kind; those learned first.
pub(crate) const KINDS: &[Kind] = &[
    kind("web", true, &["http", "http2", "quic", "tls"]),
    kind("name lookup", true, &["dns"]),
    kind("mail", true, &["imap", "managesieve", "pop3", "smtp"]),
    kind("secure shell", true, &["ssh"]),
    kind("file sharing", true, &["afp", "dcerpc", "nfs", "rx", "smb"]),
    kind(
        "call",
        true,
        &[
            "discord",
            "mumble",
            "rtcp",
            "rtp",
            "sd-rtn",
            "stun",
            "teamspeak",
            "telegram",
            "viber",
            "zoom",
        ],
    ),
    kind(
        "local discovery",
        true,
        &["dhcp", "dhcpv6", "dropbox", "llmnr", "mdns", "nat-pmp", "netbios", "slp", "ssdp", "wsd"],
    ),
    kind("time", true, &["ntp"]),
    kind(
        "industrial",
        true,
        &[
            "bacnet",
            "cip-io",
            "coap",
            "dnp3",
            "ethernet-ip",
            "fins",
            "hart-ip",
            "hislip",
            "iec60870",
            "knxnet-ip",
            "mms",
            "modbus",
            "mqtt",
            "opc-ua",
            "s7comm",
            "s7comm-plus",
            "synchrophasor",
            "trdp",
            "umas",
        ],
    ),
    kind("vpn", false, &["esp", "ike", "openvpn", "softether", "tailscale", "tinc", "wireguard"]),
    kind(
        "database",
        false,
        &[
            "cassandra",
            "clickhouse",
            "drda",
            "elasticsearch",
            "firebird",
            "memcached",
            "mongodb",
            "mssql-tds",
            "mysql",
            "oracle",
            "postgres",
            "redis",
        ],
    ),
    kind("directory", false, &["diameter", "kerberos", "ldap", "radius", "tacacs"]),
    kind(
        "monitoring",
        false,
        &["checkmk", "munin", "netflow", "sflow", "snmp", "syslog", "zabbix"],
    ),
    kind("file transfer", false, &["flute", "ftp", "git", "rsync", "tftp", "uftp"]),
    kind(
        "remote desktop",
        false,
        &["adb", "citrix", "rdp", "teamviewer", "telnet", "vnc", "x11", "xdmcp"],
    ),
    kind(
        "peer to peer",
        false,
        &["bitcoin", "bittorrent", "edonkey", "ethereum", "gnutella", "libp2p", "monero", "skype"],
    ),
    kind("call signalling", false, &["cisco-skinny", "h323", "iax2", "megaco", "mgcp", "sip"]),
    kind("chat", false, &["irc", "kakaotalk", "oscar", "whatsapp", "xmpp"]),
    kind("streaming", false, &["icecast", "mpeg-ts", "rtmp", "rtsp", "spotify"]),
    kind(
        "game",
        false,
        &[
            "activision",
            "epicgames",
            "gaijin-entertainment",
            "genshin-impact",
            "nintendo",
            "raknet",
            "starcraft",
            "steam",
        ],
    ),
];

/// What flows that speak as the web does are for, where that is no web.
const NO_WEB: &[&str] = &["games", "mail", "names", "peer2peer"];
/// How flows know what they are: what they say, names in it, and flows that announced them; not where they go.
const EVIDENCE: &[&str] = &["kin", "name", "payload"];
/// Names of captures that are no traffic of programs, but inputs made to break readers.
const NO_TRAFFIC: &[&str] =
    &["corrupt", "crash", "fuzz", "hoobr", "invalid", "kday", "malformed", "overflow", "synthetic"];

/// How rows are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The fewest packets with payload of a flow.
    pub(crate) min_said: u64,
    /// The most rows of a kind in a family.
    pub(crate) cap: usize,
}

/// A row to learn from, or to judge by.
#[derive(Clone)]
pub(crate) struct Example<'a> {
    pub(crate) kind: &'static Kind,
    /// The family; those that hold the same recording are one.
    pub(crate) family: &'a str,
    pub(crate) of: &'a Taken,
}

/// The kind of a flow, where it has one.
fn kind_of(of: &Taken) -> Option<&'static Kind> {
    let kind = KINDS.iter().find(|it| it.protocols.contains(&&*of.protocol))?;
    let is_web = kind.name != "web" || !NO_WEB.contains(&&*of.group);
    is_web.then_some(kind)
}

/// The rows of all kinds: of captures that may be used and are traffic, each once, no more of a kind and family than the cap.
pub(crate) fn examples(taken: &[Taken], choice: Choice) -> Vec<Example<'_>> {
    let is_traffic = |it: &&Taken| {
        COLLECTIONS.get(it.collection).is_some_and(|it| it.is_used)
            && !NO_TRAFFIC.iter().any(|no| it.capture.contains(no))
    };
    let fits = |it: &&Taken| {
        it.is_bare && it.n_said >= choice.min_said && EVIDENCE.contains(&&*it.evidence)
    };
    let known = taken.iter().filter(is_traffic).filter(fits);
    let known: Vec<(&Taken, &'static Kind)> =
        known.filter_map(|it| Some((it, kind_of(it)?))).collect();
    let (unique, families) = unique(known);
    let mut by_place: BTreeMap<(&str, &str), Vec<Example<'_>>> = BTreeMap::new();
    for (of, kind) in unique {
        let family = families.get(&*of.family).copied().unwrap_or(&of.family);
        by_place.entry((kind.name, family)).or_default().push(Example { kind, family, of });
    }
    let mut chosen = Vec::new();
    for rows in by_place.into_values() {
        // Evenly from first to last.
        let n = rows.len().min(choice.cap);
        chosen.extend((0..n).filter_map(|it| rows.get(it * rows.len() / n).cloned()));
    }
    chosen
}

/// What lasts shorter is alike by chance, in microseconds.
const MIN_RECORDING: f32 = 1_000.0;

/// The rows without those whose numbers are those of another; and which family each belongs to. A row of three packets and
/// more that is the same to the microsecond is one recording: families that share it are one.
fn unique<'a>(
    known: Vec<(&'a Taken, &'static Kind)>,
) -> (Vec<(&'a Taken, &'static Kind)>, BTreeMap<&'a str, &'a str>) {
    let duration = BEHAVIOUR.features().position(|it| it.name == "duration").unwrap_or(0);
    let mut families: BTreeMap<&str, &str> = BTreeMap::new();
    let mut seen: BTreeMap<Vec<u32>, &str> = BTreeMap::new();
    let mut kept = Vec::new();
    for (of, kind) in known {
        let family = &*of.family;
        families.entry(family).or_insert(family);
        let bits: Vec<u32> = of.values.iter().map(|it| it.to_bits()).collect();
        let Some(other) = seen.get(&bits).copied() else {
            seen.insert(bits, family);
            kept.push((of, kind));
            continue;
        };
        if of.n_said >= 3 && of.values.get(duration).is_some_and(|it| *it > MIN_RECORDING) {
            let (a, b) = (families[family], families[other]);
            let (first, second) = (a.min(b), a.max(b));
            families.values_mut().filter(|it| **it == second).for_each(|it| *it = first);
        }
    }
    (kept, families)
}

/// The families of some rows.
pub(crate) fn families<'a>(of: impl Iterator<Item = &'a Example<'a>>) -> BTreeSet<&'a str> {
    of.map(|it| it.family).collect()
}

/// A number of a family that looks like chance and is always the same.
pub(crate) fn hash(family: &str, seed: u64) -> u64 {
    let bytes = family.bytes();
    let fnv = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |it, byte| {
        (it ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    // The end of MurmurHash3, so that the seed changes every bit.
    let mut it = fnv ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for factor in [0xff51_afd7_ed55_8ccd_u64, 0xc4ce_b9fe_1a85_ec53] {
        it = (it ^ it >> 33).wrapping_mul(factor);
    }
    it ^ it >> 33
}

/// Whether a family is of the quarter by which the model is judged in the end, and nothing is chosen.
pub(crate) fn is_for_acceptance(family: &str) -> bool {
    hash(family, 0).is_multiple_of(4)
}
