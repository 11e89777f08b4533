//! What is to be done, without doing it: the arguments and the machine in, the steps and what undoes each out.
//!
//! The steps are the source book's (chapter 1.3.2): namespace, pair of virtual interfaces, addresses, default route,
//! forwarding, address translation.

use std::{
    ffi::{OsStr, OsString},
    net::Ipv4Addr,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{
    Isolate,
    machine::{Machine, Recorder, Translator, inside_etc},
    user::User,
};

/// `1` where this machine passes packets on from one interface to another.
pub(super) const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// A step and what undoes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) act: Act,
    pub(super) undo: Option<Undo>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Runs a program.
    Run(Vec<String>),
    /// Writes a file, with the folder it is in.
    Write(PathBuf, String),
}

/// What undoes a step. Each says enough of what was made to know it again: what somebody else made stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Undo {
    /// Ends what runs in a namespace and removes it. The inode is known once it is made.
    Namespace { name: String, inode: Option<u64> },
    /// Removes a pair of interfaces by the one outside, which has this hardware address.
    Link { name: String, address: String },
    /// Gives forwarding its value back, once no other run needs it.
    Forwarding { before: String },
    /// Removes a rule: what stands behind `iptables`.
    Rule(Vec<String>),
    /// Removes a table of nftables.
    Table(String),
    /// Removes a file with this text, and the folders that are empty then.
    File { path: PathBuf, text: String },
    /// Keeps what was recorded: gives it its name and its owner, as user and group.
    Keep { from: PathBuf, to: PathBuf, owner: Option<(u32, u32)> },
}

/// An IPv4 network with room for two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    first_bits: u32,
    len: u8,
}

impl Network {
    /// A network as it is written, `10.211.0.0/24`, of any size.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (ip, len) = text.split_once('/').unwrap_or((text, "32"));
        let (ip, len) = (ip.parse::<Ipv4Addr>().ok()?, len.parse::<u8>().ok()?);
        let host_bits = u32::MAX.checked_shr(len.into()).unwrap_or(0);
        (len <= 32 && ip.to_bits() & host_bits == 0)
            .then_some(Self { first_bits: ip.to_bits(), len })
    }

    /// Whether an address is in both.
    pub(super) fn overlaps(self, other: Self) -> bool {
        let common = u32::from(self.len.min(other.len));
        (self.first_bits ^ other.first_bits).checked_shr(32 - common).unwrap_or(0) == 0
    }

    fn at(self, offset: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first_bits | offset)
    }

    /// The address of the isolated program.
    fn inside(self) -> Ipv4Addr {
        self.at(1)
    }

    /// The address of this machine: the last one before the broadcast address.
    fn gateway(self) -> Ipv4Addr {
        self.at((u32::MAX >> self.len) - 1)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.at(0), self.len)
    }
}

/// A network to isolate a program in.
pub(super) fn network(text: &str) -> Result<Network, String> {
    let network = Network::parse(text).filter(|it| (8..=30).contains(&it.len));
    network.ok_or_else(|| "it is no network like 10.211.0.0/24, from /8 to /30".to_owned())
}

/// The steps, in order.
pub(super) fn plan(arguments: &Isolate, machine: &Machine) -> Vec<Step> {
    let mut steps = Vec::new();
    pair(arguments, machine, &mut steps);
    if !arguments.no_nat {
        way_out(arguments, machine, &mut steps);
    }
    // `ip netns exec` shows these files to the program in place of those in /etc.
    let resolver = machine.dns.map(|it| ("resolv.conf", format!("nameserver {it}\n")));
    let name_switch = machine.name_switch.clone().map(|it| ("nsswitch.conf", it));
    for (file, text) in resolver.into_iter().chain(name_switch) {
        let path = inside_etc(arguments.name()).join(file);
        let undo = Undo::File { path: path.clone(), text: text.clone() };
        steps.push(Step { act: Act::Write(path, text), undo: Some(undo) });
    }
    steps
}

/// The namespace and the pair of interfaces that lead there.
fn pair(arguments: &Isolate, machine: &Machine, steps: &mut Vec<Step>) {
    let (name, network) = (arguments.name(), arguments.network);
    let (inside, gateway, len) = (network.inside(), network.gateway(), network.len);
    let address = &machine.address;
    let mut add = |act, undo| steps.push(Step { act, undo });
    add(
        Act::run(&format!("ip netns add {name}")),
        Some(Undo::Namespace { name: name.to_owned(), inode: None }),
    );
    // One segment at a time: otherwise several packets are recorded as one that never was on a wire.
    let ours = format!("{name}0 address {address} gso_max_segs 1");
    let theirs = format!("{name}1 gso_max_segs 1");
    add(
        Act::run(&format!("ip link add {ours} type veth peer name {theirs}")),
        Some(Undo::Link { name: format!("{name}0"), address: address.clone() }),
    );
    add(Act::run(&format!("ip link set {name}1 netns {name}")), None);
    if machine.has_ethtool {
        // What fills checksums in is no hardware here; they would be recorded as they are before that.
        let off = "tx off tso off gso off gro off";
        add(Act::run(&format!("ethtool -K {name}0 {off}")), None);
        add(Act::run(&format!("ip netns exec {name} ethtool -K {name}1 {off}")), None);
    }
    if machine.has_ipv6 {
        // Otherwise both ends look for routers and neighbours, which is nothing that the program sends.
        let setting = |end| format!("/proc/sys/net/ipv6/conf/{name}{end}/disable_ipv6");
        add(Act::Write(setting(0).into(), "1\n".to_owned()), None);
        let write = ["sh", "-c", &format!("echo 1 > {}", setting(1))].map(str::to_owned);
        let exec = ["ip", "netns", "exec", name].map(str::to_owned);
        add(Act::Run(exec.into_iter().chain(write).collect()), None);
    }
    for command in [
        format!("ip -n {name} address add {inside}/{len} dev {name}1"),
        format!("ip -n {name} link set {name}1 up"),
        format!("ip -n {name} link set lo up"),
        format!("ip address add {gateway}/{len} dev {name}0"),
        // Services of this machine that announce themselves everywhere leave it alone.
        format!("ip link set {name}0 multicast off up"),
        format!("ip -n {name} route add default via {gateway} dev {name}1"),
    ] {
        add(Act::run(&command), None);
    }
}

/// Forwarding and address translation.
fn way_out(arguments: &Isolate, machine: &Machine, steps: &mut Vec<Step>) {
    let (name, network, via) = (arguments.name(), arguments.network, &machine.via);
    let mut add = |act, undo| steps.push(Step { act, undo });
    let before = machine.forwarding.trim();
    if before != "1" {
        add(
            Act::Write(FORWARDING.into(), "1\n".to_owned()),
            Some(Undo::Forwarding { before: before.to_owned() }),
        );
    }
    let mut rules = Vec::new();
    match machine.translator {
        Translator::Iptables => {
            let matches = format!("-s {network} -o {via}");
            rules.push(("-t nat ", "POSTROUTING", matches, "MASQUERADE"));
        }
        // A table of our own goes as a whole.
        Translator::Nft => {
            let table = format!("tractor_{name}");
            let (chain, rule) = (
                "out { type nat hook postrouting priority srcnat ; }",
                format!("out ip saddr {network} oifname \"{via}\" masquerade"),
            );
            add(Act::run(&format!("nft add table ip {table}")), Some(Undo::Table(table.clone())));
            add(Act::run(&format!("nft add chain ip {table} {chain}")), None);
            add(Act::run(&format!("nft add rule ip {table} {rule}")), None);
        }
    }
    if machine.has_firewall {
        // A table of our own cannot overrule what another one drops.
        rules.push(("", "FORWARD", format!("-i {name}0 -o {via}"), "ACCEPT"));
        rules.push(("", "FORWARD", format!("-i {via} -o {name}0"), "ACCEPT"));
    }
    for rule in rules {
        let (table, chain, matches, target) = rule;
        // By the comment it is known again.
        let known = format!("{chain} {matches} -m comment --comment tractor:{name} -j {target}");
        let undo = words(&format!("{table}-D {known}"));
        add(Act::run(&format!("iptables {table}-I {known}")), Some(Undo::Rule(undo)));
    }
}

/// What is run inside to record: it writes a pcap to its standard output.
pub(super) fn recorder(name: &str, recorder: Recorder) -> Vec<OsString> {
    // With 64 MiB of buffer a burst waits instead of being lost.
    let command = match recorder {
        // -Z root: it stays who it is; -U: a packet is written when it is there.
        Recorder::Tcpdump => format!("tcpdump -i {name}1 -n -Z root -U -B 65536 -w -"),
        Recorder::Dumpcap => format!("dumpcap -q -P -i {name}1 -B 64 -w -"),
    };
    format!("ip netns exec {name} {command}").split(' ').map(OsString::from).collect()
}

/// What is run inside: the program, as whom it is to be run.
pub(super) fn program(arguments: &Isolate, user: Option<&User>) -> Vec<OsString> {
    let mut words: Vec<OsString> =
        ["ip", "netns", "exec", arguments.name()].map(OsString::from).to_vec();
    words.extend(user.map(User::become_it).unwrap_or_default());
    words.extend(arguments.program.iter().cloned());
    words
}

impl Act {
    fn run(text: &str) -> Self {
        Self::Run(words(text))
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Run(words) => shown(words),
            Self::Write(path, text) if text.lines().count() > 1 => {
                format!("cat > {} <<'END'\n{}\nEND", path.display(), text.trim_end())
            }
            Self::Write(path, text) => format!("echo {} > {}", text.trim_end(), path.display()),
        }
    }
}

impl Undo {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Namespace { name, .. } => format!("ip netns delete {name}"),
            Self::Link { name, .. } => format!("ip link delete {name}"),
            Self::Forwarding { before } => format!("echo {before} > {FORWARDING}"),
            Self::Rule(rule) => format!("iptables {}", shown(rule)),
            Self::Table(table) => format!("nft delete table ip {table}"),
            Self::File { path, .. } => format!("rm {}", path.display()),
            Self::Keep { from, to, .. } => shown(&[OsStr::new("mv"), from.as_ref(), to.as_ref()]),
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Words as a shell takes them.
pub(super) fn shown(words: &[impl AsRef<OsStr>]) -> String {
    let quoted = |word: &str| {
        let is_plain = |it: char| it.is_alphanumeric() || "-_./:=,@%+{}".contains(it);
        if !word.is_empty() && word.chars().all(is_plain) {
            return word.to_owned();
        }
        format!("'{}'", word.replace('\'', r"'\''"))
    };
    let words: Vec<String> =
        words.iter().map(|it| quoted(&it.as_ref().to_string_lossy())).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        isolate: Isolate,
    }

    fn steps(line: &str, translator: Translator) -> Vec<Step> {
        let line = Line::parse_from(line.split(' '));
        let machine = Machine {
            via: "eth0".to_owned(),
            dns: Some(IpAddr::from([192, 0, 2, 53])),
            name_switch: None,
            translator,
            has_firewall: translator == Translator::Iptables,
            forwarding: "0\n".to_owned(),
            address: "02:00:00:00:00:01".to_owned(),
            has_ethtool: false,
            has_ipv6: true,
        };
        plan(&line.isolate, &machine)
    }

    #[test]
    fn the_steps_are_those_of_the_book() {
        let steps = steps("isolate --name app -- curl", Translator::Iptables);
        let shown: Vec<String> = steps.iter().map(|it| it.act.shown()).collect();
        assert_eq!(
            shown,
            [
                "ip netns add app",
                "ip link add app0 address 02:00:00:00:00:01 gso_max_segs 1 type veth peer name app1 gso_max_segs 1",
                "ip link set app1 netns app",
                "echo 1 > /proc/sys/net/ipv6/conf/app0/disable_ipv6",
                "ip netns exec app sh -c 'echo 1 > /proc/sys/net/ipv6/conf/app1/disable_ipv6'",
                "ip -n app address add 10.211.0.1/24 dev app1",
                "ip -n app link set app1 up",
                "ip -n app link set lo up",
                "ip address add 10.211.0.254/24 dev app0",
                "ip link set app0 multicast off up",
                "ip -n app route add default via 10.211.0.254 dev app1",
                "echo 1 > /proc/sys/net/ipv4/ip_forward",
                "iptables -t nat -I POSTROUTING -s 10.211.0.0/24 -o eth0 -m comment --comment tractor:app -j MASQUERADE",
                "iptables -I FORWARD -i app0 -o eth0 -m comment --comment tractor:app -j ACCEPT",
                "iptables -I FORWARD -i eth0 -o app0 -m comment --comment tractor:app -j ACCEPT",
                "echo nameserver 192.0.2.53 > /etc/netns/app/resolv.conf",
            ]
        );
    }

    #[test]
    fn what_stays_after_the_namespace_is_undone() {
        for translator in [Translator::Iptables, Translator::Nft] {
            let undone: Vec<String> = steps("isolate -- curl", translator)
                .iter()
                .filter_map(|it| it.undo.as_ref())
                .map(Undo::shown)
                .collect();
            for needed in ["ip netns delete", "echo 0 > /proc/sys", "rm /etc/netns"] {
                assert!(undone.iter().any(|it| it.starts_with(needed)), "{needed}");
            }
            let rules =
                if translator == Translator::Nft { "nft delete" } else { "iptables -t nat -D" };
            assert!(undone.iter().any(|it| it.starts_with(rules)), "{rules}");
        }
    }

    #[test]
    fn without_translation_nothing_of_the_machine_changes() {
        let steps = steps("isolate --no-nat -- curl", Translator::Nft);
        let shown: Vec<String> = steps.iter().map(|it| it.act.shown()).collect();
        let is_elsewhere = |it: &&String| it.contains("ip_forward") || it.starts_with("nft");
        assert_eq!(shown.iter().find(is_elsewhere), None);
    }

    #[test]
    fn words_are_shown_as_a_shell_takes_them() {
        assert_eq!(shown(&["sh", "-c", "echo it's", "", "a/b"]), r"sh -c 'echo it'\''s' '' a/b");
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let found =
            network(text).ok().map(|it| (it.inside().to_string(), it.gateway().to_string()));
        assert_eq!(found, expected.map(|it| (it.0.to_owned(), it.1.to_owned())));
    }

    #[test]
    fn a_network_has_two_ends() {
        check("10.211.0.0/24", Some(("10.211.0.1", "10.211.0.254")));
        check("192.0.2.4/30", Some(("192.0.2.5", "192.0.2.6")));
        check("192.0.2.5/30", None);
        check("10.0.0.0/31", None);
        check("10.0.0.0", None);
        check("10.0.0.0/33", None);
    }

    #[test]
    fn networks_overlap_where_one_holds_the_other() {
        let overlap = |a: &str, b: &str| {
            let network = |text| Network::parse(text).unwrap();
            assert_eq!(network(a).overlaps(network(b)), network(b).overlaps(network(a)));
            network(a).overlaps(network(b))
        };
        assert!(overlap("10.211.0.0/24", "10.0.0.0/8"));
        assert!(overlap("10.211.0.0/24", "10.211.0.7"));
        assert!(overlap("10.211.0.0/24", "0.0.0.0/0"));
        assert!(!overlap("10.211.0.0/24", "10.211.1.0/24"));
        assert!(!overlap("10.211.0.1", "10.211.0.2"));
    }
}
