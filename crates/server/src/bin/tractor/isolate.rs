//! `tractor isolate`: one program in a network namespace of its own, and everything it sends in one capture.
//!
//! What is in such a capture is of one application, so that it can be labelled as a whole. The steps are the source
//! book's (chapter 1.3.2): namespace, pair of virtual interfaces, addresses, default route, forwarding, address
//! translation, the program inside. Recording is left to tcpdump or dumpcap; each step is undone at the end.

use std::{
    env,
    ffi::OsString,
    fs, io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

use clap::Args;

use crate::{Error, Outcome};

#[derive(Args)]
pub(crate) struct Isolate {
    /// Where the recording goes.
    #[arg(short, long, value_name = "FILE", default_value = "isolated.pcap")]
    output: PathBuf,
    /// What the namespace and, with 0 and 1 behind it, its two interfaces are called.
    #[arg(long, default_value = "tractor", value_parser = name)]
    name: String,
    /// The network between the two interfaces; the program has its first address, this machine its last.
    #[arg(long, value_name = "IPV4/LEN", default_value = "10.211.0.0/24", value_parser = network)]
    network: Network,
    /// The interface that leads out; without it that of the default route.
    #[arg(long, value_name = "INTERFACE")]
    via: Option<String>,
    /// The name server inside; without it the first of /etc/resolv.conf that is reachable from inside.
    #[arg(long, value_name = "IP")]
    dns: Option<IpAddr>,
    /// Run the program as this user.
    #[arg(long)]
    user: Option<String>,
    /// Print the steps and do none.
    #[arg(long)]
    dry_run: bool,
    /// The program and its arguments.
    #[arg(required = true, last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// An IPv4 network with room for two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    first_bits: u32,
    len: u8,
}

impl Network {
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

fn network(text: &str) -> Result<Network, String> {
    let parts = text
        .split_once('/')
        .and_then(|(ip, len)| Some((ip.parse::<Ipv4Addr>().ok()?, len.parse::<u8>().ok()?)));
    match parts {
        Some((ip, len @ 8..=30)) if ip.to_bits() & (u32::MAX >> len) == 0 => {
            Ok(Network { first_bits: ip.to_bits(), len })
        }
        _ => Err("it is no network like 10.211.0.0/24, from /8 to /30".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    /// Interfaces have names of at most 15 bytes (Linux's IFNAMSIZ), and ours add a digit.
    const MAX_LEN: usize = 14;
    let is_plain = text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
    if text.is_empty() || text.len() > MAX_LEN || !is_plain {
        return Err(format!("it is not 1 to {MAX_LEN} small letters and digits"));
    }
    Ok(text.to_owned())
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    /// Runs a program.
    Run(Vec<String>),
    /// Writes a file, with the folder it is in.
    Write(PathBuf, String),
    /// Removes a file, with the folder it is in.
    Remove(PathBuf),
}

impl Act {
    fn run(words: &str) -> Self {
        Self::Run(words.split(' ').map(str::to_owned).collect())
    }

    fn shown(&self) -> String {
        match self {
            Self::Run(words) => words.join(" "),
            Self::Write(path, text) => format!("echo {} > {}", text.trim_end(), path.display()),
            Self::Remove(path) => format!("rm {}", path.display()),
        }
    }

    fn perform(&self) -> Result<(), String> {
        let failed = |error: io::Error| format!("`{}` failed: {error}", self.shown());
        match self {
            Self::Run(words) => {
                let Some((program, arguments)) = words.split_first() else { return Ok(()) };
                let output = Command::new(program).args(arguments).output().map_err(failed)?;
                if output.status.success() {
                    return Ok(());
                }
                let said = String::from_utf8_lossy(&output.stderr);
                Err(format!("`{}` failed: {}", self.shown(), said.trim()))
            }
            Self::Write(path, text) => {
                let folder = path.parent().unwrap_or(Path::new("/"));
                fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(failed)
            }
            Self::Remove(path) => {
                fs::remove_file(path).map_err(failed)?;
                // Where the folder holds more, it was not ours.
                let _ = path.parent().map(fs::remove_dir);
                Ok(())
            }
        }
    }
}

/// A step and what undoes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    act: Act,
    undo: Option<Act>,
}

/// What the steps depend on besides the arguments.
struct Machine {
    /// The interface that leads out.
    via: String,
    /// The name server, where one must be said inside.
    dns: Option<IpAddr>,
    /// What translates addresses.
    translator: Translator,
    /// `/proc/sys/net/ipv4/ip_forward` as it was.
    forwarding: String,
    /// There is a tool that turns offloading off.
    has_ethtool: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Translator {
    Iptables,
    Nft,
}

const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// The steps, in order.
fn plan(arguments: &Isolate, machine: &Machine) -> Vec<Step> {
    let (name, network) = (&arguments.name, arguments.network);
    let (inside, gateway, len) = (network.inside(), network.gateway(), network.len);
    let range = format!("{}/{len}", network.at(0));
    let via = &machine.via;
    let mut steps = Vec::new();
    let mut add = |act: Act, undo: Option<Act>| steps.push(Step { act, undo });
    add(
        Act::run(&format!("ip netns add {name}")),
        Some(Act::run(&format!("ip netns delete {name}"))),
    );
    // Deleting one of a pair deletes both.
    add(
        Act::run(&format!("ip link add {name}0 type veth peer name {name}1")),
        Some(Act::run(&format!("ip link delete {name}0"))),
    );
    for command in [
        format!("ip link set {name}1 netns {name}"),
        format!("ip -n {name} address add {inside}/{len} dev {name}1"),
        format!("ip -n {name} link set {name}1 up"),
        format!("ip -n {name} link set lo up"),
        format!("ip address add {gateway}/{len} dev {name}0"),
        format!("ip link set {name}0 up"),
        format!("ip -n {name} route add default via {gateway} dev {name}1"),
    ] {
        add(Act::run(&command), None);
    }
    if machine.has_ethtool {
        // Otherwise several packets are recorded as one that never was on a wire.
        let command = format!("ip netns exec {name} ethtool -K {name}1 tso off gso off gro off");
        add(Act::run(&command), None);
    }
    let forward = |value: &str| Act::Write(FORWARDING.into(), format!("{}\n", value.trim()));
    if machine.forwarding.trim() != "1" {
        add(forward("1"), Some(forward(&machine.forwarding)));
    }
    match machine.translator {
        Translator::Iptables => {
            for rule in [
                format!("-t nat {{}} POSTROUTING -s {range} -o {via} -j MASQUERADE"),
                format!("{{}} FORWARD -i {name}0 -o {via} -j ACCEPT"),
                format!("{{}} FORWARD -i {via} -o {name}0 -j ACCEPT"),
            ] {
                let command = |verb| Act::run(&format!("iptables {}", rule.replace("{}", verb)));
                add(command("-I"), Some(command("-D")));
            }
        }
        Translator::Nft => {
            add(
                Act::run(&format!("nft add table ip {name}")),
                Some(Act::run(&format!("nft delete table ip {name}"))),
            );
            add(
                Act::run(&format!(
                    "nft add chain ip {name} out {{ type nat hook postrouting priority srcnat ; }}"
                )),
                None,
            );
            let rule = format!("ip saddr {range} oifname {via} masquerade");
            add(Act::run(&format!("nft add rule ip {name} out {rule}")), None);
        }
    }
    if let Some(dns) = machine.dns {
        // `ip netns exec` shows this file to the program in place of /etc/resolv.conf.
        let path = PathBuf::from(format!("/etc/netns/{name}/resolv.conf"));
        add(Act::Write(path.clone(), format!("nameserver {dns}\n")), Some(Act::Remove(path)));
    }
    steps
}

/// What is run inside: the recorder.
fn recorder(arguments: &Isolate, tool: &str) -> Vec<OsString> {
    let name = &arguments.name;
    let words = match tool {
        // -Z root: the file belongs to who asked for it; -U: nothing stays in a buffer.
        "tcpdump" => format!("ip netns exec {name} tcpdump -i {name}1 -Z root -U -w"),
        _ => format!("ip netns exec {name} dumpcap -q -P -i {name}1 -w"),
    };
    let mut words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
    words.push(arguments.output.clone().into());
    words
}

/// What is run inside: the program.
fn program(arguments: &Isolate) -> Vec<OsString> {
    let mut words: Vec<OsString> =
        ["ip", "netns", "exec", &arguments.name].map(OsString::from).to_vec();
    if let Some(user) = &arguments.user {
        words.extend(["runuser", "-u", user, "--"].map(OsString::from));
    }
    words.extend(arguments.program.iter().cloned());
    words
}

pub(crate) fn run(arguments: &Isolate) -> Result<Outcome, Error> {
    let tool = ["tcpdump", "dumpcap"].into_iter().find(|it| has_tool(it));
    let has_iptables = has_tool("iptables");
    let machine = Machine {
        via: arguments.via.clone().or_else(default_interface).unwrap_or_else(|| "eth0".to_owned()),
        dns: arguments.dns.or_else(name_server),
        translator: if has_iptables || !has_tool("nft") {
            Translator::Iptables
        } else {
            Translator::Nft
        },
        forwarding: fs::read_to_string(FORWARDING).unwrap_or_default(),
        has_ethtool: has_tool("ethtool"),
    };
    let steps = plan(arguments, &machine);
    let shown = |words: &[OsString]| words.join(" ".as_ref()).to_string_lossy().into_owned();
    if arguments.dry_run {
        let mut lines: Vec<String> = steps.iter().map(|it| it.act.shown()).collect();
        lines.push(format!("{} &", shown(&recorder(arguments, tool.unwrap_or("tcpdump")))));
        lines.push(shown(&program(arguments)));
        lines.push("kill -TERM %1".to_owned());
        lines.extend(steps.iter().rev().filter_map(|it| it.undo.as_ref()).map(Act::shown));
        let (to, mut out) = crate::flows::output(None)?;
        let text = lines.join("\n") + "\n";
        let written = io::Write::write_all(&mut out, text.as_bytes());
        return written
            .and_then(|()| io::Write::flush(&mut out))
            .map(|()| Outcome::Complete)
            .map_err(|source| Error::Write { to, source });
    }
    if !is_root() {
        return Err(Error::Usage(
            "network namespaces are root's on Linux: run this by sudo, or see the steps by --dry-run"
                .to_owned(),
        ));
    }
    let missing = |what: &str| Err(Error::Usage(format!("{what} is missing; install it first")));
    if !has_tool("ip") {
        return missing("ip (of iproute2)");
    }
    if !has_iptables && machine.translator == Translator::Iptables {
        return missing("iptables or nft");
    }
    let Some(tool) = tool else { return missing("tcpdump or dumpcap") };
    if arguments.via.is_none() && default_interface().is_none() {
        return Err(Error::Usage("there is no default route; say the way out by --via".to_owned()));
    }

    let mut done = Done(Vec::new());
    for step in steps {
        eprintln!("+ {}", step.act.shown());
        step.act.perform().map_err(Error::Start)?;
        done.0.extend(step.undo);
    }
    let recorder = recorder(arguments, tool);
    eprintln!("+ {} &", shown(&recorder));
    let mut recording = start(&recorder)?;
    let result = wait_for_file(&mut recording, &arguments.output).and_then(|()| {
        let program = program(arguments);
        eprintln!("+ {}", shown(&program));
        run_inside(&program)
    });
    // The last packets are still on their way to the file.
    thread::sleep(Duration::from_millis(500));
    stop(&mut recording);
    drop(done);
    let status = result?;
    eprintln!("the program ended ({status}); its traffic is in {}", arguments.output.display());
    Ok(Outcome::Complete)
}

/// What is to be undone, last things first, however the command ends.
struct Done(Vec<Act>);

impl Drop for Done {
    fn drop(&mut self) {
        for undo in self.0.drain(..).rev() {
            eprintln!("- {}", undo.shown());
            if let Err(message) = undo.perform() {
                eprintln!("tractor: {message}");
            }
        }
    }
}

fn start(words: &[OsString]) -> Result<Child, Error> {
    let (program, arguments) = words.split_first().ok_or(Error::Start(String::new()))?;
    Command::new(program)
        .args(arguments)
        .spawn()
        .map_err(|error| Error::Start(format!("{} cannot run: {error}", program.display())))
}

/// Waits until the recorder records, which it shows by its file.
fn wait_for_file(recording: &mut Child, path: &Path) -> Result<(), Error> {
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(100));
        if let Ok(Some(status)) = recording.try_wait() {
            return Err(Error::Start(format!("nothing can be recorded ({status})")));
        }
        if path.metadata().is_ok_and(|it| it.len() > 0) {
            return Ok(());
        }
    }
    Err(Error::Start("the recorder writes no file".to_owned()))
}

/// Runs the program to its end. Ctrl-C ends the program, and what was set up is still undone.
fn run_inside(program: &[OsString]) -> Result<ExitStatus, Error> {
    let failed = |error: io::Error| Error::Start(error.to_string());
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        // A terminal sends Ctrl-C to the program too; here it only must not end us.
        let mut interrupted = std::pin::pin!(crate::serve::told_to_stop());
        let mut child = start(program)?;
        let mut is_told = false;
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status);
            }
            tokio::select! {
                () = &mut interrupted, if !is_told => {
                    is_told = true;
                    stop(&mut child);
                }
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    })
}

/// Lets a program end by itself. Ctrl-C's signal is ignored by what a script starts in the background, so it is not used.
fn stop(child: &mut Child) {
    // Where it cannot be told, it is not waited for in vain: the loop ends by killing it.
    let _ = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
    for _ in 0..30 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn has_tool(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(usual).any(|it| it.join(name).is_file())
}

/// Whether the effective user is root.
fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|it| it.strip_prefix("Uid:"));
    user.and_then(|it| it.split_whitespace().nth(1)) == Some("0")
}

/// The interface of the default route.
fn default_interface() -> Option<String> {
    let output = Command::new("ip").args(["route", "show", "default"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    interface_of(&text).map(str::to_owned)
}

fn interface_of(route: &str) -> Option<&str> {
    route.split_whitespace().skip_while(|it| *it != "dev").nth(1)
}

/// The first name server that is not this machine's own, which the program could not reach.
fn name_server() -> Option<IpAddr> {
    ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"].into_iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let servers = text.lines().filter_map(|it| it.strip_prefix("nameserver"));
        servers.filter_map(|it| it.trim().parse::<IpAddr>().ok()).find(|it| !it.is_loopback())
    })
}

#[cfg(test)]
mod tests {
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
            translator,
            forwarding: "0\n".to_owned(),
            has_ethtool: false,
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
                "ip link add app0 type veth peer name app1",
                "ip link set app1 netns app",
                "ip -n app address add 10.211.0.1/24 dev app1",
                "ip -n app link set app1 up",
                "ip -n app link set lo up",
                "ip address add 10.211.0.254/24 dev app0",
                "ip link set app0 up",
                "ip -n app route add default via 10.211.0.254 dev app1",
                "echo 1 > /proc/sys/net/ipv4/ip_forward",
                "iptables -t nat -I POSTROUTING -s 10.211.0.0/24 -o eth0 -j MASQUERADE",
                "iptables -I FORWARD -i app0 -o eth0 -j ACCEPT",
                "iptables -I FORWARD -i eth0 -o app0 -j ACCEPT",
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
                .map(Act::shown)
                .collect();
            for needed in ["ip netns delete", "echo 0 > /proc/sys", "rm /etc/netns"] {
                assert!(undone.iter().any(|it| it.starts_with(needed)), "{needed}");
            }
            let rules =
                if translator == Translator::Nft { "nft delete" } else { "iptables -t nat -D" };
            assert!(undone.iter().any(|it| it.starts_with(rules)), "{rules}");
        }
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
    }

    #[test]
    fn the_way_out_is_that_of_the_default_route() {
        assert_eq!(interface_of("default via 192.0.2.1 dev wlan0 proto dhcp"), Some("wlan0"));
        assert_eq!(interface_of(""), None);
    }
}
