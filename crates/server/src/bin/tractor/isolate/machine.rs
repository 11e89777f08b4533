//! What the steps depend on besides the arguments: tools, routes, names in use, the way out.

use std::{
    env, fs,
    net::IpAddr,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Isolate,
    plan::{FORWARDING, Network},
    user::User,
};
use crate::{Error, voice::words};

/// What the plan is made for.
#[derive(Debug)]
pub(super) struct Machine {
    /// The interface that leads out.
    pub(super) via: String,
    /// The name server, where one must be said inside.
    pub(super) dns: Option<IpAddr>,
    /// /etc/nsswitch.conf for the inside, where this machine's asks for names by other ways than the network.
    pub(super) name_switch: Option<String>,
    /// What translates addresses.
    pub(super) translator: Translator,
    /// iptables has something to say about what is forwarded.
    pub(super) has_firewall: bool,
    /// `/proc/sys/net/ipv4/ip_forward` as it was before the first run that goes on.
    pub(super) forwarding: String,
    /// A hardware address that no other interface has: the pair is known by it.
    pub(super) address: String,
    /// There is a tool that turns offloading off.
    pub(super) has_ethtool: bool,
    /// The kernel speaks IPv6.
    pub(super) has_ipv6: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Translator {
    Iptables,
    Nft,
}

/// What records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Recorder {
    Tcpdump,
    Dumpcap,
}

impl Recorder {
    /// The first one this machine has.
    pub(super) fn found() -> Option<Self> {
        let tools = [(Self::Tcpdump, "tcpdump"), (Self::Dumpcap, "dumpcap")];
        tools.into_iter().find(|it| tool(it.1).is_some()).map(|it| it.0)
    }

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tcpdump => "tcpdump",
            Self::Dumpcap => "dumpcap",
        }
    }
}

impl Machine {
    /// This machine. What it has not is found when it is missed: see [`check`].
    pub(super) fn ask(arguments: &Isolate) -> Self {
        let way_out = || arguments.via.clone().or_else(default_interface);
        // Where somebody wrote one for this namespace, it is left.
        let needs_dns = !arguments.no_nat && !inside_etc(arguments.name()).exists();
        let name_server = || if needs_dns { name_server() } else { None };
        let dns = arguments.dns.or_else(name_server);
        let name_switch = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
        let has_nft = tool("nft").is_some();
        let has_iptables = tool("iptables").is_some();
        let [.., a, b, c, d, e] = reader::run_seed().to_be_bytes();
        // The second bit of the first byte: it was given by somebody who is no manufacturer (IEEE 802, 8.4).
        let address = format!("02:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}");
        Self {
            via: way_out().unwrap_or_else(|| "eth0".to_owned()),
            dns,
            name_switch: dns.and_then(|_| by_network(&name_switch)),
            translator: if has_nft { Translator::Nft } else { Translator::Iptables },
            has_firewall: has_iptables && (!has_nft || refuses(&said("iptables -S FORWARD"))),
            forwarding: fs::read_to_string(FORWARDING).unwrap_or_default(),
            address,
            has_ethtool: tool("ethtool").is_some(),
            has_ipv6: Path::new("/proc/sys/net/ipv6").exists(),
        }
    }
}

/// Whether the program can be isolated on this machine.
///
/// # Errors
///
/// When privileges or a tool are missing, when there is no way out, or when a name or network is in use.
pub(super) fn check(arguments: &Isolate, user: Option<&User>) -> Result<(), Error> {
    need("ip", "iproute2")?;
    if user.is_some() {
        need("setpriv", "util-linux")?;
    }
    match arguments.recorder {
        Some(it) => need(it.name(), it.name())?,
        None if Recorder::found().is_none() => need("tcpdump", "tcpdump, or dumpcap of Wireshark")?,
        None => {}
    }
    if !arguments.no_nat {
        if tool("nft").is_none() {
            need("iptables", "iptables or nftables")?;
        }
        if arguments.via.is_none() && default_interface().is_none() {
            let (en, ru) = (
                "there is no default route; say the way out by --via, or need none by --no-nat",
                "маршрута по умолчанию нет; укажите выход через --via или обойдитесь без него: --no-nat",
            );
            return Err(Error::Usage(words(en, ru).to_owned()));
        }
    }
    if let Some(via) = &arguments.via
        && !succeeds(&format!("ip link show dev {via}"))
    {
        return Err(Error::Usage(words(
            format!("there is no interface {via} to lead out"),
            format!("интерфейса {via}, чтобы выйти наружу, нет"),
        )));
    }
    can_run(arguments, user)?;
    let (name, network) = (arguments.name(), arguments.network);
    let taken = |what: String| {
        Err(Error::Usage(words(
            format!("{what} is there already; choose another name by --name"),
            format!("{what} уже есть; дайте другое имя: --name"),
        )))
    };
    if namespace(name).exists() {
        return taken(words(
            format!("a network namespace {name}"),
            format!("пространство имён сети {name}"),
        ));
    }
    for interface in [format!("{name}0"), format!("{name}1")] {
        if succeeds(&format!("ip link show dev {interface}")) {
            return taken(words(
                format!("an interface {interface}"),
                format!("интерфейс {interface}"),
            ));
        }
    }
    if !arguments.no_nat && succeeds(&format!("nft list table ip tractor_{name}")) {
        return taken(words(
            format!("a table tractor_{name} of nftables"),
            format!("таблица tractor_{name} в nftables"),
        ));
    }
    if arguments.dns.is_some() && inside_etc(name).exists() {
        let folder = inside_etc(name);
        let folder = folder.display();
        return taken(words(format!("a folder {folder}"), format!("папка {folder}")));
    }
    if let Some(route) = overlapping(&said("ip -4 route show table all"), network) {
        return Err(Error::Usage(words(
            format!(
                "{network} is in use: there is a route `{route}`; choose another network by --network"
            ),
            format!("сеть {network} занята: есть маршрут `{route}`; выберите другую: --network"),
        )));
    }
    Ok(())
}

/// Whether the effective user is root.
pub(super) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let user = status.lines().find_map(|it| it.strip_prefix("Uid:"));
    user.and_then(|it| it.split_whitespace().nth(1)) == Some("0")
}

/// Where `ip` keeps a namespace's name.
pub(super) fn namespace(name: &str) -> PathBuf {
    Path::new("/run/netns").join(name)
}

/// Where `ip netns exec` finds files that it shows to a program in place of those of /etc.
pub(super) fn inside_etc(name: &str) -> PathBuf {
    Path::new("/etc/netns").join(name)
}

/// Whether a command ends well. Its words have no spaces.
pub(super) fn succeeds(command: &str) -> bool {
    output(command).is_some_and(|it| it.status.success())
}

/// What a command says; nothing where it fails. Its words have no spaces.
pub(super) fn said(command: &str) -> String {
    let output = output(command).filter(|it| it.status.success());
    output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default()
}

fn output(command: &str) -> Option<std::process::Output> {
    let mut words = command.split(' ');
    let mut command = Command::new(words.next()?);
    // Ctrl-C at a terminal goes to the whole group, and an answer that is cut is a wrong one.
    command.args(words).process_group(0).output().ok()
}

fn need(name: &str, package: &str) -> Result<(), Error> {
    if tool(name).is_some() {
        return Ok(());
    }
    Err(Error::Usage(words(
        format!("{name} is missing; install it first (package {package})"),
        format!("нет программы {name}; сначала установите её (пакет {package})"),
    )))
}

/// Where a tool lies.
fn tool(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(usual).map(|it| it.join(name)).find(|it| it.is_file())
}

/// Whether the program can be run as the user: better said before anything is set up.
fn can_run(arguments: &Isolate, user: Option<&User>) -> Result<(), Error> {
    let Some(program) = arguments.program.first() else { return Ok(()) };
    let shown = program.to_string_lossy();
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let path = if shown.contains('/') {
        Some(PathBuf::from(program)).filter(|it| is_program(it))
    } else {
        let folders = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&folders).map(|it| it.join(program)).find(|it| is_program(it))
    };
    let Some(path) = path else {
        return Err(Error::Usage(words(
            format!("{shown} cannot be run: there is no such program"),
            format!("{shown} не запустить: такой программы нет"),
        )));
    };
    let Some(user) = user else { return Ok(()) };
    let mut line = user.become_it();
    line.extend(["test".into(), "-x".into(), path.into()]);
    let Some((first, others)) = line.split_first() else { return Ok(()) };
    let status = Command::new(first).args(others).status();
    if status.is_ok_and(|it| it.success()) {
        return Ok(());
    }
    let uid = user.uid;
    Err(Error::Usage(words(
        format!("{shown} cannot be run by user {uid}; choose another one by --user"),
        format!("пользователю {uid} не запустить {shown}; выберите другого: --user"),
    )))
}

/// The interface of the default route.
fn default_interface() -> Option<String> {
    interface_of(&said("ip route show default")).map(str::to_owned)
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

/// The text of /etc/nsswitch.conf without the service that asks for names outside, where it would not be recorded; `None`
/// where there is no such service.
fn by_network(name_switch: &str) -> Option<String> {
    let is_hosts = |it: &&str| it.trim_start().starts_with("hosts:");
    let hosts = name_switch.lines().find(is_hosts)?;
    let mut words: Vec<&str> = hosts.split_whitespace().collect();
    let at = words.iter().position(|it| *it == "resolve")?;
    words.remove(at);
    // What is to be done with its answer stands behind it.
    while words.get(at).is_some_and(|it| it.starts_with('[')) {
        words.remove(at);
    }
    if !words.contains(&"dns") {
        words.push("dns");
    }
    Some(name_switch.replace(hosts, &words.join(" ")))
}

/// Whether what is forwarded may be refused, by what `iptables -S FORWARD` says.
fn refuses(rules: &str) -> bool {
    rules.lines().any(|it| it.trim() != "-P FORWARD ACCEPT")
}

/// The first route that leads to an address of the network, other than a default route.
fn overlapping(routes: &str, network: Network) -> Option<&str> {
    let is_in_use = |route: &&str| {
        // Some routes have their kind before the destination.
        let to = route.split_whitespace().take(2).find_map(Network::parse);
        to.is_some_and(|it| it.overlaps(network))
    };
    routes.lines().map(str::trim).find(is_in_use)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_that_of_the_default_route() {
        assert_eq!(interface_of("default via 192.0.2.1 dev wlan0 proto dhcp"), Some("wlan0"));
        assert_eq!(interface_of(""), None);
    }

    #[track_caller]
    fn check(route: &str, is_in_use: bool) {
        let network = Network::parse("10.211.0.0/24").unwrap();
        let routes = format!("default via 192.0.2.1 dev eth0\n{route}\n");
        assert_eq!(overlapping(&routes, network), is_in_use.then_some(route));
    }

    #[test]
    fn a_route_into_the_network_is_found() {
        check("10.0.0.0/8 dev tun0 scope link", true);
        check("10.211.0.7 via 192.0.2.9 dev eth0", true);
        check("local 10.211.0.254 dev app0 table local", true);
        check("blackhole 10.211.0.0/16", true);
    }

    #[test]
    fn a_route_elsewhere_is_none() {
        check("192.0.2.0/24 dev eth0 proto kernel", false);
        check("10.211.1.0/24 dev app0", false);
        check("local 127.0.0.0/8 dev lo table local", false);
    }

    #[test]
    fn names_are_asked_for_over_the_network() {
        let text = "passwd: files\nhosts: files resolve [!UNAVAIL=return] myhostname\n";
        let expected = "passwd: files\nhosts: files myhostname dns\n";
        assert_eq!(by_network(text).as_deref(), Some(expected));
        assert_eq!(by_network("hosts: files dns\n"), None);
        assert_eq!(by_network(""), None);
    }

    #[test]
    fn a_firewall_that_lets_all_through_is_none() {
        assert!(!refuses("-P FORWARD ACCEPT\n"));
        assert!(!refuses(""));
        assert!(refuses("-P FORWARD DROP\n"));
        assert!(refuses("-P FORWARD ACCEPT\n-A FORWARD -j DOCKER-USER\n"));
    }
}
