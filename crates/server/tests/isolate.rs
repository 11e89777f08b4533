//! `tractor isolate` where there are network namespaces: what is recorded, and that nothing of it stays.
//!
//! Root is needed. Where namespaces are refused, each test says so and ends.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use engine::{Analysis, Rules};
use v1::page::FlowRow;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// Why no program can be isolated here: found out by trying.
static REFUSAL: LazyLock<Option<String>> = LazyLock::new(|| {
    if !has_tool("tcpdump") && !has_tool("dumpcap") {
        return Some("neither tcpdump nor dumpcap is there".to_owned());
    }
    let name = format!("t{}", std::process::id());
    let steps = [
        format!("ip netns add {name}"),
        format!("ip -n {name} link add {name}0 type veth peer name {name}1"),
    ];
    let refusal = steps.iter().find_map(|it| match run(it) {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = text(&output.stderr);
            let reasons = [
                "not permitted",
                "not supported",
                "Permission denied",
                "Read-only file system",
                "Unknown device type",
            ];
            // Anything else is a fault, here or in what was left behind.
            assert!(reasons.iter().any(|it| said.contains(it)), "`{it}` says {said}");
            Some(format!("`{it}` says {}", said.trim()))
        }
        Err(error) => Some(format!("`{it}` cannot be run: {error}")),
    });
    let _ = run(&format!("ip netns delete {name}"));
    refusal
});

/// A name, a network and a folder of a test's own. Whatever was set up in them is gone at the end.
struct Place {
    name: String,
    /// The first address of four: the network between the program and this machine.
    network: Ipv4Addr,
    folder: PathBuf,
}

impl Place {
    /// `None` where no program can be isolated, after saying so.
    fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if let Some(why) = &*REFUSAL {
            let _ = writeln!(io::stderr(), "skipped: {why}");
            return None;
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let name = format!("t{process}x{number}");
        // Of the networks of four addresses in 10.211.0.0/16 one that no other test has.
        let block = 64 + (process.wrapping_mul(32) + number * 2) % 16_000;
        let network = Ipv4Addr::from_bits(Ipv4Addr::new(10, 211, 0, 0).to_bits() + 4 * block);
        let folder = std::env::temp_dir().join(format!("tractor-isolate-{name}"));
        fs::create_dir_all(&folder).unwrap();
        Some(Self { name, network, folder })
    }

    /// This machine's address, as the program sees it.
    fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.network.to_bits() + 2)
    }

    fn output(&self) -> PathBuf {
        self.folder.join("recorded.pcapng")
    }

    /// The command, as root calls it.
    fn tractor(&self, options: &[&str], program: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tractor"));
        command.env("LC_ALL", "C");
        command.args([
            "isolate",
            "--name",
            &self.name,
            "--network",
            &format!("{}/30", self.network),
        ]);
        command.arg("-o").arg(self.output()).args(options);
        if !program.is_empty() {
            command.arg("--").args(program);
        }
        command.env_remove("SUDO_UID").env_remove("SUDO_GID").env_remove("SUDO_USER");
        command
    }

    fn clean(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tractor"));
        command.env("LC_ALL", "C");
        command.args(["isolate", "--clean", "--name", &self.name]).output().unwrap()
    }

    fn analysis(&self) -> Analysis {
        reader::analyse(&self.output(), "recorded.pcapng", &Rules::default(), 1).unwrap()
    }

    /// The flows that were recorded. Frames that are in none can only be ARP's.
    #[track_caller]
    fn flows(&self) -> Vec<FlowRow> {
        let analysis = self.analysis();
        assert!(analysis.is_complete());
        let aside = &analysis.reading().account.set_aside;
        assert!(aside.iter().all(|it| it.reason == "arp"), "{aside:?}");
        analysis.rows().collect()
    }

    /// What is there of a run of this name.
    fn left(&self) -> Vec<String> {
        let said = [
            "ip netns list",
            "ip -o link",
            "ip -4 route show table all",
            "nft list ruleset",
            "iptables-save",
        ];
        let mut left: Vec<String> = said
            .into_iter()
            .filter_map(|it| Some((it, text(&run(it).ok()?.stdout))))
            .flat_map(|(command, text)| {
                let lines = text.lines().filter(|it| it.contains(&self.name));
                lines.map(|it| format!("{command}: {it}")).collect::<Vec<_>>()
            })
            .collect();
        for folder in ["/etc/netns", "/run/tractor", "/run/netns"] {
            let path = Path::new(folder).join(&self.name);
            left.extend(path.exists().then(|| path.display().to_string()));
        }
        left.extend(self.parts().iter().map(|it| it.display().to_string()));
        left
    }

    /// Recordings that have no name yet.
    fn parts(&self) -> Vec<PathBuf> {
        let paths = fs::read_dir(&self.folder).unwrap().map(|it| it.unwrap().path());
        paths.filter(|it| it.extension().is_some_and(|it| it == "part")).collect()
    }

    #[track_caller]
    fn assert_nothing_left(&self) {
        assert_eq!(self.left(), Vec::<String>::new());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.clean();
        let name = &self.name;
        for command in [
            format!("ip link delete {name}0"),
            format!("ip netns delete {name}"),
            format!("ip link delete {name}o0"),
            format!("ip netns delete {name}o"),
            format!("ip netns delete {name}m"),
        ] {
            let _ = run(&command);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A process that does not outlive its test.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: &str) {
        let command = format!("kill {signal} {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A web server on all addresses of this machine. Every answer is `it is ` and the path asked for.
struct Web {
    port: u16,
    n_requests: Arc<AtomicU32>,
}

impl Web {
    fn start() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let n_requests = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&n_requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who goes away needs no answer.
                let _ = answer(stream);
                counter.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, n_requests }
    }

    fn wait_for_a_request(&self) {
        wait_until("a request", || self.n_requests.load(Ordering::Relaxed) > 0);
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut bytes = [0; 1_000];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut bytes)? {
            0 => return Ok(()),
            n => request.extend(&bytes[..n]),
        }
    }
    let request = text(&request);
    let body = format!("it is {}", request.split(' ').nth(1).unwrap_or("nothing"));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A shell's command that gets a page: by curl, or by what bash has of its own.
fn get(ip: Ipv4Addr, port: u16, path: &str) -> String {
    if has_tool("curl") {
        return format!("curl -s --max-time 10 http://{ip}:{port}{path}");
    }
    let request = format!(r"GET {path} HTTP/1.1\r\nHost: {ip}\r\n\r\n");
    format!("bash -c 'exec 3<>/dev/tcp/{ip}/{port}; printf \"{request}\" >&3; cat <&3'")
}

fn run(command: &str) -> io::Result<Output> {
    let mut words = command.split(' ');
    Command::new(words.next().unwrap()).args(words).output()
}

fn succeeds(command: &str) -> bool {
    run(command).is_ok_and(|it| it.status.success())
}

fn has_tool(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|it| it.join(name).is_file())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "{what} never came");
        thread::sleep(Duration::from_millis(10));
    }
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|it| it == part.as_bytes())
}

/// Tests that change what the whole machine has do so one after the other, in whatever process they are.
fn machine() -> File {
    let file = File::open(FORWARDING).unwrap();
    file.lock().unwrap();
    file
}

fn forwarding() -> String {
    fs::read_to_string(FORWARDING).unwrap()
}

#[track_caller]
fn check_recorder(recorder: &str) {
    let Some(place) = Place::new() else { return };
    let web = Web::start();
    let (one, two) =
        (get(place.gateway(), web.port, "/one"), get(place.gateway(), web.port, "/two"));
    let script = format!("{one} && {two}");
    let options = ["--no-nat", "--label", "two pages", "--recorder", recorder];
    let output = place.tractor(&options, &["sh", "-c", &script]).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("lost"), "{said}");
    assert!(contains(&output.stdout, "it is /one"), "{}", text(&output.stdout));
    place.assert_nothing_left();

    let flows = place.flows();
    assert_eq!(flows.len(), 2, "{flows:?}");
    for flow in &flows {
        assert_eq!((flow.transport.as_str(), flow.label.as_str()), ("tcp", "http"));
        assert_eq!(flow.client_ip, Ipv4Addr::from_bits(place.network.to_bits() + 1).to_string());
        assert_eq!(
            (flow.server_ip.as_str(), flow.server_port),
            (&*place.gateway().to_string(), web.port)
        );
        // From its first packet to its last.
        assert_eq!(flow.conn_state.as_deref(), Some("SF"));
    }
    let bytes = fs::read(place.output()).unwrap();
    for part in ["GET /one", "GET /two", "it is /one", "it is /two"] {
        assert!(contains(&bytes, part), "{part}");
    }
    let analysis = place.analysis();
    let origin = &analysis.reading().origin;
    assert_eq!(origin.comments.len(), 2);
    assert_eq!(origin.comments[0], "label: two pages");
    assert!(origin.comments[1].starts_with("command: sh -c '"), "{}", origin.comments[1]);
    assert!(origin.application.starts_with("tractor "));
    assert_eq!(origin.interfaces, [format!("{}1", place.name)]);
}

#[test]
fn tcpdump_records_exactly_the_flows_of_the_program() {
    if has_tool("tcpdump") {
        check_recorder("tcpdump");
    }
}

#[test]
fn dumpcap_records_exactly_the_flows_of_the_program() {
    if has_tool("dumpcap") {
        check_recorder("dumpcap");
    }
}

#[test]
fn what_a_failing_program_sent_is_kept_and_its_status_told() {
    let Some(place) = Place::new() else { return };
    let web = Web::start();
    let script = format!("{}; exit 7", get(place.gateway(), web.port, "/"));
    let output = place.tractor(&["--no-nat"], &["sh", "-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert_eq!(place.flows().len(), 1);
    assert_eq!(place.analysis().reading().origin.comments[0], "label: sh");
    place.assert_nothing_left();
}

#[test]
fn a_program_that_a_launcher_left_running_is_recorded() {
    let Some(place) = Place::new() else { return };
    let web = Web::start();
    let script = format!("(sleep 0.3; {}) &", get(place.gateway(), web.port, "/late"));
    let output = place.tractor(&["--no-nat"], &["sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(place.flows().len(), 1);
    place.assert_nothing_left();
}

#[test]
fn a_program_ends_after_its_time() {
    let Some(place) = Place::new() else { return };
    let web = Web::start();
    let script = format!("{}; exec sleep 1000", get(place.gateway(), web.port, "/"));
    let options = ["--no-nat", "--duration", "1"];
    let output = place.tractor(&options, &["sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(place.flows().len(), 1);
    place.assert_nothing_left();
}

#[test]
fn what_was_recorded_until_ctrl_c_is_kept() {
    let Some(place) = Place::new() else { return };
    let web = Web::start();
    let script = format!("{}; exec sleep 1000", get(place.gateway(), web.port, "/"));
    let mut running = Running::start(place.tractor(&["--no-nat"], &["sh", "-c", &script]));
    web.wait_for_a_request();
    running.signal("-INT");
    assert!(running.0.wait().unwrap().success());
    assert_eq!(place.flows().len(), 1);
    place.assert_nothing_left();
}

#[test]
fn what_a_killed_run_left_behind_is_undone() {
    let _machine = machine();
    let Some(place) = Place::new() else { return };
    let before = forwarding();
    let web = Web::start();
    let script = format!("{}; exec sleep 1000", get(place.gateway(), web.port, "/"));
    let options = ["--dns", "192.0.2.53", "--via", "lo"];
    let mut running = Running::start(place.tractor(&options, &["sh", "-c", &script]));
    web.wait_for_a_request();
    assert_eq!(forwarding().trim(), "1");
    let resolver = Path::new("/etc/netns").join(&place.name).join("resolv.conf");
    assert_eq!(fs::read_to_string(&resolver).unwrap(), "nameserver 192.0.2.53\n");

    // Neither begun again nor undone while it goes on.
    for output in [place.tractor(&["--no-nat"], &["true"]).output().unwrap(), place.clean()] {
        assert_eq!(output.status.code(), Some(2));
        assert!(contains(&output.stderr, "goes on (process"), "{}", text(&output.stderr));
    }

    // The recorder hands packets over once a second.
    wait_until("a packet", || {
        place.parts().iter().any(|it| fs::read(it).is_ok_and(|it| contains(&it, "GET / HTTP/1.1")))
    });
    running.0.kill().unwrap();
    running.0.wait().unwrap();
    let inside = text(&run(&format!("ip netns pids {}", place.name)).unwrap().stdout);
    assert_ne!(inside, "", "the program was to go on");
    let output = place.tractor(&["--no-nat"], &["true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(contains(&output.stderr, "--clean --name"), "{}", text(&output.stderr));

    let output = place.clean();
    assert!(output.status.success(), "{}", text(&output.stderr));
    place.assert_nothing_left();
    assert_eq!(forwarding(), before);
    for process in inside.split_whitespace() {
        // It may wait for somebody to ask how it ended, but it runs no more.
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        assert!(status.is_empty() || status.contains("State:\tZ"), "{status}");
    }
    // What was recorded until then has its name, too.
    assert!(contains(&fs::read(place.output()).unwrap(), "GET / HTTP/1.1"));

    let output = place.clean();
    assert!(output.status.success());
    assert!(contains(&output.stderr, "no run called"), "{}", text(&output.stderr));
}

#[test]
fn a_run_killed_at_any_step_is_undone() {
    let _machine = machine();
    let Some(place) = Place::new() else { return };
    let before = forwarding();
    for millis in [1, 5, 10, 20, 30, 40, 60, 90] {
        let options = ["--dns", "192.0.2.53", "--via", "lo"];
        let mut running = Running::start(place.tractor(&options, &["sleep", "1000"]));
        thread::sleep(Duration::from_millis(millis));
        running.0.kill().unwrap();
        running.0.wait().unwrap();
        let output = place.clean();
        assert!(output.status.success(), "after {millis} ms: {}", text(&output.stderr));
        place.assert_nothing_left();
        assert_eq!(forwarding(), before);
    }
}

#[test]
fn forwarding_stays_until_the_last_run_ends() {
    let _machine = machine();
    let (Some(first), Some(second)) = (Place::new(), Place::new()) else { return };
    let before = forwarding();
    let web = Web::start();
    let script = format!("{}; exec sleep 1000", get(first.gateway(), web.port, "/"));
    let options = ["--dns", "192.0.2.53", "--via", "lo"];
    let mut running = Running::start(first.tractor(&options, &["sh", "-c", &script]));
    web.wait_for_a_request();
    let output = second.tractor(&options, &["true"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    second.assert_nothing_left();
    assert_eq!(forwarding().trim(), "1");
    running.signal("-TERM");
    assert!(running.0.wait().unwrap().success());
    first.assert_nothing_left();
    assert_eq!(forwarding(), before);
}

/// A machine of its own, as far as the network goes, that does this before; and a server it leads to, which knows no way
/// back but to that machine.
#[track_caller]
fn check_way_out(before: &str) {
    let Some(place) = Place::new() else { return };
    let (machine, outside) = (format!("{}m", place.name), format!("{}o", place.name));
    let ours = Ipv4Addr::from_bits(place.network.to_bits() + 4 + 1);
    let theirs = Ipv4Addr::from_bits(place.network.to_bits() + 4 + 2);
    let on_machine = |command: &str| {
        let words = ["netns", "exec", &machine, "sh", "-c", command];
        Command::new("ip").args(words).output().unwrap()
    };
    for command in [
        format!("ip netns add {machine}"),
        format!("ip netns add {outside}"),
        format!("ip -n {machine} link add out0 type veth peer name out1 netns {outside}"),
        format!("ip -n {machine} address add {ours}/30 dev out0"),
        format!("ip -n {machine} link set out0 up"),
        format!("ip -n {machine} route add default via {theirs}"),
        format!("ip -n {outside} address add {theirs}/30 dev out1"),
        format!("ip -n {outside} link set out1 up"),
        format!("ip netns exec {machine} {before}"),
    ] {
        let output = run(&command).unwrap();
        assert!(output.status.success(), "{command}: {}", text(&output.stderr));
    }
    let mut serve = Command::new("ip");
    serve.args(["netns", "exec", &outside, env!("CARGO_BIN_EXE_tractor"), "serve"]);
    serve.args(["--listen", &format!("{theirs}:8080"), "--no-auth"]);
    serve.arg("--captures").arg(place.folder.join("captures"));
    serve.arg("--data").arg(place.folder.join("data"));
    let _serve = Running::start(serve);
    let page = get(theirs, 8080, "/far");
    let answer = "there is no `GET /far`";
    wait_until("the server", || contains(&on_machine(&page).stdout, answer));

    let rules = || {
        let said = ["iptables-save", "nft list ruleset", &format!("cat {FORWARDING}")]
            .map(|it| text(&on_machine(it).stdout));
        // Comments have the time.
        let lines = said.iter().flat_map(|it| it.lines()).filter(|it| !it.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let rules_before = rules();
    let isolate = place.tractor(&["--dns", "192.0.2.53"], &["sh", "-c", &page]);
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &machine]).arg(isolate.get_program()).args(isolate.get_args());
    command.env_remove("SUDO_UID");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(contains(&output.stdout, answer), "{}", text(&output.stdout));
    let flows = place.flows();
    assert_eq!(flows.len(), 1, "{flows:?}");
    assert_eq!(flows[0].server_ip, theirs.to_string());
    assert_eq!(flows[0].conn_state.as_deref(), Some("SF"));
    assert_eq!(rules(), rules_before);
    for namespace in [machine, outside] {
        assert!(succeeds(&format!("ip netns delete {namespace}")));
    }
    place.assert_nothing_left();
}

#[test]
fn the_way_out_translates_addresses() {
    check_way_out("true");
}

#[test]
fn the_way_out_leads_through_a_firewall_that_forwards_nothing() {
    if has_tool("iptables") {
        check_way_out("iptables -P FORWARD DROP");
    }
}

#[test]
fn the_program_runs_as_who_called_sudo() {
    let Some(place) = Place::new() else { return };
    let mut command =
        place.tractor(&["--no-nat"], &["sh", "-c", "id -u; id -g; id -G; echo $HOME"]);
    let nobody = text(&run("getent passwd nobody").unwrap().stdout);
    let fields: Vec<&str> = nobody.trim().split(':').collect();
    let [_, _, uid, gid, _, home, _] = fields[..] else { panic!("{nobody}") };
    let output = command.env("SUDO_UID", uid).env("SUDO_GID", gid).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("{uid}\n{gid}\n{gid}\n{home}\n"));
    let metadata = place.output().metadata().unwrap();
    assert_eq!(
        (metadata.uid().to_string(), metadata.gid().to_string()),
        (uid.to_owned(), gid.to_owned())
    );

    // Said in so many words, it is another one; the recording stays the caller's.
    let mut command = place.tractor(&["--no-nat", "--user", "root"], &["id", "-u"]);
    let output = command.env("SUDO_UID", uid).env("SUDO_GID", gid).output().unwrap();
    assert_eq!(text(&output.stdout), "0\n", "{}", text(&output.stderr));
    assert_eq!(place.output().metadata().unwrap().uid().to_string(), uid);
    place.assert_nothing_left();
}

#[test]
fn who_is_not_root_is_told_so() {
    const TRACTOR: &str = env!("CARGO_BIN_EXE_tractor");
    let as_nobody = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--clear-groups", "--"]).args(words).output()
    };
    // Nobody becomes somebody else without privileges, and not every folder is everybody's.
    if !as_nobody(&["test", "-x", TRACTOR]).is_ok_and(|it| it.status.success()) {
        eprintln!("skipped: the program cannot be run as somebody else");
        return;
    }
    let output = as_nobody(&[TRACTOR, "isolate", "--", "true"]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(contains(&output.stderr, "run this by sudo"), "{}", text(&output.stderr));
}

#[track_caller]
fn check_refused(place: &Place, options: &[&str], program: &str, why: &str) {
    let output = place.tractor(&[&["--no-nat"], options].concat(), &[program]).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(why), "{said}");
    assert!(!place.output().exists());
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_set_up() {
    let Some(place) = Place::new() else { return };
    check_refused(&place, &[], "/nowhere/program", "/nowhere/program cannot be run");
    check_refused(&place, &["--user", "no-such-user"], "true", "there is no user no-such-user");
    place.assert_nothing_left();

    assert!(succeeds(&format!("ip link add {}0 type veth peer name {}1", place.name, place.name)));
    check_refused(&place, &[], "true", "an interface");
    assert!(succeeds(&format!("ip address add {}/30 dev {}0", place.gateway(), place.name)));
    assert!(succeeds(&format!("ip link set {}0 name {}o0", place.name, place.name)));
    assert!(succeeds(&format!("ip link set {}1 name {}o1", place.name, place.name)));
    assert!(succeeds(&format!("ip link set {}o0 up", place.name)));
    check_refused(&place, &[], "true", "is in use: there is a route");
    assert!(succeeds(&format!("ip link delete {}o0", place.name)));

    assert!(succeeds(&format!("ip netns add {}", place.name)));
    check_refused(&place, &[], "true", "a network namespace");
    // It is not ours, so it stays.
    assert!(place.clean().status.success());
    assert!(succeeds(&format!("ip netns delete {}", place.name)));
    place.assert_nothing_left();
}
