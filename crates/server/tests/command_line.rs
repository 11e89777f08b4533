//! The `tractor` command as scripts and people use it: what is read, what is said, how it ends.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A folder that is gone at the end of its test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tractor-cli-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// Puts a capture of the tests here, and gives its path.
    fn put(&self, capture: &str, name: &str) -> String {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(captures().join(capture), &path).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures")
}

fn capture(name: &str) -> String {
    captures().join(name).to_str().unwrap().to_owned()
}

/// The command, which speaks English without colours unless its test says otherwise.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tractor"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

fn tractor(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What a command prints that ends with this status.
#[track_caller]
fn run(arguments: &[&str], status: i32) -> (String, String) {
    let output = tractor(arguments);
    let (out, error) = (text(&output.stdout).to_owned(), text(&output.stderr).to_owned());
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    (out, error)
}

/// The captures that lines of JSON are of, each once, in their order.
fn captures_of(lines: &str) -> Vec<String> {
    let capture = |it: &str| {
        let line: serde_json::Value = serde_json::from_str(it).unwrap();
        line["capture"].as_str().unwrap().to_owned()
    };
    let mut captures: Vec<String> = lines.lines().map(capture).collect();
    captures.dedup();
    captures
}

#[test]
fn captures_and_folders_are_read_in_the_order_they_are_named_in() {
    let folder = Folder::new("order");
    let names = ["b/2.pcap", "b/1.pcap", "b/c/3.pcap.gz", "b/4.pcap1", "a.pcap"];
    let [two, one, three, four, alone] = names.map(|it| folder.put("ftp.pcap", it));
    folder.put("ftp.pcap", "b/.hidden.pcap");
    fs::write(folder.path("b/notes.txt"), "no capture").unwrap();
    let below = folder.path("b");
    for command in ["flows", "sessions", "hosts", "stats"] {
        let more: &[&str] = if command == "stats" { &[] } else { &["--format", "jsonl"] };
        let (lines, _) = run(&[&[command, &alone, &below][..], more].concat(), 0);
        assert_eq!(captures_of(&lines), [&*alone, &one, &two, &four, &three], "{command}");
    }
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_is_written() {
    let folder = Folder::new("counted");
    let (good, missing) = (folder.put("ftp.pcap", "a.pcap"), folder.path("none.pcap"));
    let cut = folder.put("cut-short.pcap", "cut.pcap");
    fs::create_dir(folder.path("empty")).unwrap();
    let empty = folder.path("empty");
    let (lines, said) = run(&["flows", &missing, &cut, &empty, &good], 1);
    assert_eq!(captures_of(&lines), [&*cut, &good]);
    assert!(said.contains("no file in this folder is called .pcap"), "{said}");
    assert!(said.ends_with("tractor: 4 captures: 1 whole, 1 in part, 2 not at all\n"), "{said}");
    let (_, said) = run(&["flows", &missing], 1);
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn standard_input_is_read_as_a_file_is() {
    let sample = capture("sample.pcapng");
    let (expected, _) = run(&["stats", &sample], 0);
    let mut child = command(&["stats", "-"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&fs::read(&sample).unwrap()).unwrap();
    drop(input);
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), expected);
    let (_, said) = run(&["flows", "-", "-"], 2);
    assert_eq!(said, "tractor: standard input can be read once\n");
}

#[test]
fn a_pipe_with_a_name_is_read() {
    let folder = Folder::new("fifo");
    let pipe = folder.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let child = command(&["stats", &pipe]).stdout(Stdio::piped()).spawn().unwrap();
    fs::write(&pipe, fs::read(capture("ftp.pcap")).unwrap()).unwrap();
    let (expected, _) = run(&["stats", &capture("ftp.pcap")], 0);
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), expected);
    // Below a folder nobody waits for one.
    run(&["stats", folder.0.to_str().unwrap()], 1);
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let folder = Folder::new("over");
    let copy = folder.put("ftp.pcap", "copy.pcap");
    let before = fs::read(&copy).unwrap();
    for command in ["flows", "sessions", "hosts", "stats", "classify"] {
        let (_, said) = run(&[command, &copy, "-o", &copy], 2);
        assert!(said.contains("the capture would be overwritten"), "{command}: {said}");
    }
    assert_eq!(fs::read(&copy).unwrap(), before);
}

#[test]
fn a_terminal_is_no_capture_and_no_file() {
    let Some(said) = on_a_terminal(&[], "flows -") else { return };
    assert!(said.contains("standard input is a terminal"), "{said}");
    for format in ["pcapng", "parquet"] {
        let line = format!("flows --format {format} '{}'", capture("ftp.pcap"));
        let said = on_a_terminal(&[], &line).unwrap();
        assert!(said.contains(&format!("{format} is no text")), "{said}");
    }
}

#[test]
fn whoever_reads_no_further_is_not_told() {
    let sample = capture("sample.pcapng");
    for arguments in [&["flows"][..], &["flows", "--format", "text"], &["hosts"], &["sessions"]] {
        // More than a pipe holds.
        let arguments = [arguments, &[&*sample; 8]].concat();
        let mut child = command(&arguments);
        let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!text(&output.stderr).contains("panicked"), "{output:?}");
    }
}

#[test]
fn whoever_reads_no_messages_ends_nothing() {
    let (expected, _) = run(&["stats", &capture("cut-short.pcap")], 1);
    let mut child = command(&["stats", &capture("cut-short.pcap")]);
    let child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), &*expected));
}

#[test]
fn a_full_disk_is_said() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        return;
    }
    let out = fs::OpenOptions::new().write(true).open(full).unwrap();
    let child =
        command(&["hosts", &capture("ftp.pcap")]).stdout(out).stderr(Stdio::piped()).spawn();
    let output = child.unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("tractor: cannot write standard output: "));
}

fn signal(child: &Child, signal: &str) {
    let line = format!("kill -{signal} {}", child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

/// Reads half of a capture from a pipe that stays open, is told to stop, and gives what it printed.
fn stopped(arguments: &[&str], by: &str) -> Output {
    let bytes = fs::read(capture("sample.pcapng")).unwrap();
    let mut child = command(arguments);
    let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than the pipe holds: once it is written the program reads, and hears signals.
    input.write_all(&bytes[..bytes.len() / 2]).unwrap();
    signal(&child, by);
    let output = child.wait_with_output().unwrap();
    drop(input);
    output
}

#[test]
fn what_was_read_until_ctrl_c_is_kept() {
    let (whole, _) = run(&["flows", &capture("sample.pcapng")], 0);
    for threads in ["1", "3"] {
        for by in ["INT", "TERM"] {
            let output = stopped(&["flows", "-", "--threads", threads], by);
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("W-STOPPED: You stopped the reading after "), "{said}");
            let n_flows = text(&output.stdout).lines().count();
            assert!(n_flows > 50 && n_flows < whole.lines().count(), "{n_flows}");
        }
    }
}

#[test]
fn captures_after_the_one_that_was_stopped_are_left() {
    let output = stopped(&["flows", "-", &capture("ftp.pcap"), &capture("raw.pcap")], "INT");
    let said = text(&output.stderr);
    assert!(
        said.ends_with("3 captures: 0 whole, 1 in part, 2 left, since you stopped\n"),
        "{said}"
    );
    assert_eq!(captures_of(text(&output.stdout)), ["-"]);
}

#[test]
fn an_input_that_ends_when_its_writer_is_stopped_is_whole() {
    let bytes = fs::read(capture("sample.pcapng")).unwrap();
    let mut child = command(&["stats", "-"]);
    let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut input = child.stdin.take().unwrap();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    input.write_all(first).unwrap();
    signal(&child, "INT");
    input.write_all(rest).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let (expected, _) = run(&["stats", &capture("sample.pcapng")], 0);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), &*expected));
}

#[test]
fn ctrl_c_pressed_again_ends_at_once() {
    let sample = capture("sample.pcapng");
    let mut child = command(&[&["flows"][..], &[&*sample; 8]].concat());
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It goes on only when somebody reads what it writes, and nobody does.
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 10]).unwrap();
    let status = loop {
        signal(&child, "INT");
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!((status.code(), status.signal()), (Some(130), None));
}

#[test]
fn messages_are_in_the_language_that_is_asked_for() {
    let english = "cannot be read";
    let russian = "Файл не читается";
    let check = |variables: &[(&str, &str)], more: &[&str], expected: &str| {
        let arguments = [&["flows", "/nowhere.pcap"], more].concat();
        let mut command = command(&arguments);
        command.envs(variables.iter().copied());
        let said = command.output().unwrap().stderr;
        assert!(text(&said).contains(expected), "{variables:?} {more:?}: {}", text(&said));
    };
    check(&[], &[], english);
    check(&[], &["--lang", "ru"], russian);
    check(&[("LANG", "ru_RU.UTF-8")], &[], russian);
    check(&[("LANG", "ru_RU.UTF-8"), ("LC_ALL", "C")], &[], english);
    check(&[("LANG", "ru_RU.UTF-8")], &["--lang", "en"], english);
    check(&[], &["--lang", "ru", "--filter", "labl:x"], "фильтр непонятен: ");
}

#[test]
fn what_programs_read_has_no_language() {
    let sample = capture("sample.pcapng");
    for arguments in [
        &["flows"][..],
        &["stats"],
        &["stats", "--format", "csv"],
        &["sessions", "--format", "jsonl"],
        &["hosts", "--format", "csv"],
    ] {
        let arguments = [arguments, &[&*sample]].concat();
        let (english, _) = run(&arguments, 0);
        let (russian, _) =
            run(&[&arguments[..], &["--lang", "ru", "--color", "always"]].concat(), 0);
        assert!(english == russian && !english.contains('\u{1b}'), "{arguments:?}");
    }
    let (table, _) = run(&["hosts", "--lang", "ru", &sample], 0);
    assert!(table.starts_with("адрес"), "{table}");
}

/// What a command prints on a terminal.
fn on_a_terminal(variables: &[(&str, &str)], arguments: &str) -> Option<String> {
    let line = format!("'{}' {arguments}", env!("CARGO_BIN_EXE_tractor"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).env("TERM", "xterm");
    script.env_remove("NO_COLOR").envs(variables.iter().copied());
    // Where there is no such program no terminal can be had.
    Some(text(&script.output().ok()?.stdout).to_owned())
}

#[test]
fn colours_are_for_terminals() {
    let hosts = format!("hosts '{}'", capture("cut-short.pcap"));
    let (plain, said) = run(&["hosts", &capture("cut-short.pcap")], 1);
    assert!(!plain.contains('\u{1b}') && !said.contains('\u{1b}'));
    let (coloured, said) = run(&["hosts", "--color", "always", &capture("cut-short.pcap")], 1);
    assert!(coloured.starts_with("\u{1b}[1maddress") && said.contains("\u{1b}[31mE-"), "{said}");
    let Some(shown) = on_a_terminal(&[], &hosts) else { return };
    assert!(shown.contains("\u{1b}[1maddress"), "{shown}");
    for variable in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = on_a_terminal(&[variable], &hosts).unwrap();
        assert!(shown.contains("address") && !shown.contains('\u{1b}'), "{shown}");
    }
    // Said with nothing in it, it says nothing.
    assert!(on_a_terminal(&[("NO_COLOR", "")], &hosts).unwrap().contains("\u{1b}[1m"));
}

#[test]
fn sessions_and_hosts_are_those_of_flows_that_pass() {
    let sample = capture("sample.pcapng");
    let rows = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let (lines, _) = run(&[arguments, &["--format", "jsonl", &sample]].concat(), 0);
        lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    };
    let flows = rows(&["flows"]);
    let sessions = rows(&["sessions"]);
    let n_flows: u64 = sessions.iter().map(|it| it["flows"].as_u64().unwrap()).sum();
    assert_eq!(n_flows, flows.len() as u64);
    let hosts = rows(&["hosts"]);
    let n_opened: u64 = hosts.iter().map(|it| it["client_flows"].as_u64().unwrap()).sum();
    assert_eq!(n_opened, flows.len() as u64);
    let of = |rows: &[serde_json::Value], keys: &[&str]| {
        let values = rows.iter().flat_map(|row| keys.iter().map(|it| row[*it].to_string()));
        let mut values: Vec<String> = values.collect();
        values.sort();
        values.dedup();
        values
    };
    let ssh = ["--filter", "label:ssh"];
    let passing = rows(&[&["flows"], &ssh[..]].concat());
    assert!(!passing.is_empty() && passing.len() < flows.len());
    let hosts = rows(&[&["hosts"], &ssh[..]].concat());
    assert_eq!(of(&hosts, &["ip"]), of(&passing, &["client_ip", "server_ip"]));
    let sessions = rows(&[&["sessions"], &ssh[..]].concat());
    assert_eq!(of(&sessions, &["session_id"]), of(&passing, &["session_id"]));
    let (csv, _) = run(&[&["hosts", "--format", "csv", &sample], &ssh[..]].concat(), 0);
    assert_eq!(csv.lines().count(), 1 + hosts.len());
    assert!(csv.starts_with("capture,ip,name,name_source,scope,country,"), "{csv}");
}

#[test]
fn flows_to_read_have_a_line_each_and_no_sequence_of_a_terminal() {
    let sample = capture("sample.pcapng");
    let (lines, _) = run(&["flows", &sample], 0);
    let (table, _) = run(&["flows", "--format", "text", &sample], 0);
    assert_eq!(table.lines().count(), 1 + lines.lines().count());
    assert!(!table.contains('\u{1b}'));
    run(&["flows", "--format", "text", "--timeout", "15", &sample], 2);
    let folder = Folder::new("flows-text");
    let to = folder.path("flows.txt");
    run(&["flows", "--format", "text", "--color", "always", &sample, "-o", &to], 0);
    assert_eq!(fs::read_to_string(to).unwrap(), table);
}

#[test]
fn what_is_compared_passes_the_filter() {
    let (sample, other) = (capture("sample.pcapng"), capture("tunnels.pcap"));
    let compared = |filter: &str| -> serde_json::Value {
        let (json, _) = run(&["compare", "--json", "--filter", filter, &sample, &other], 0);
        serde_json::from_str(&json).unwrap()
    };
    let (all, dns) = (compared(""), compared("proto:dns"));
    // A filter that all flows pass leaves everything as it is.
    assert_eq!(compared("bytes>0"), all);
    let flows = |it: &serde_json::Value| it["here"]["flows"].as_u64().unwrap();
    let (lines, _) = run(&["flows", "--filter", "proto:dns", &sample], 0);
    assert_eq!(flows(&dns), lines.lines().count() as u64);
    assert!(flows(&dns) < flows(&all));
    let (hosts, _) = run(&["hosts", "--format", "csv", "--filter", "proto:dns", &sample], 0);
    assert_eq!(dns["here"]["hosts"].as_u64().unwrap(), hosts.lines().count() as u64 - 1);
    let protocols = dns["parts"].as_array().unwrap().iter().find(|it| it["kind"] == "protocols");
    let keys = protocols.unwrap()["rows"].as_array().unwrap().iter();
    assert!(keys.map(|it| it["key"].as_str().unwrap()).all(|it| it == "dns"));
}

#[test]
fn statistics_of_what_passes_are_those_of_its_label() {
    let sample = capture("sample.pcapng");
    let (expected, _) = run(&["stats", "--label", "ssh", &sample], 0);
    let (filtered, _) = run(&["stats", "--filter", "label:ssh", &sample], 0);
    assert_eq!(filtered, expected);
    let (several, _) = run(&["stats", "--label", "ssh", &sample, &sample], 0);
    let line: serde_json::Value = serde_json::from_str(several.lines().next().unwrap()).unwrap();
    assert_eq!(line["answer"].to_string() + "\n", expected);
    // An address that one of several captures does not know is no fault of the command.
    let (lines, said) = run(&["stats", "--ip", "10.20.0.13", &sample, &capture("raw.pcap")], 1);
    assert_eq!(captures_of(&lines), [&*sample]);
    assert!(said.contains("raw.pcap: there is no host 10.20.0.13 in this capture"), "{said}");
    run(&["stats", "--ip", "10.20.0.13", &capture("raw.pcap")], 2);
    run(&["stats", "--ip", "nonsense", &sample, &sample], 2);
    run(&["stats", "--flows", &sample], 2);
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    let (script, _) = run(&["completion", "bash"], 0);
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (last, before) = (words.len() - 1, words[words.len() - 2]);
        let more = format!(
            "COMP_WORDS=({line}); COMP_CWORD={last}; _tractor tractor '{}' '{before}'; echo \"${{COMPREPLY[*]}}\"",
            words[last]
        );
        let bash = Command::new("bash").args(["-c", &format!("{script}\n{more}")]).output();
        text(&bash.unwrap().stdout).trim().to_owned()
    };
    assert_eq!(complete("tractor se"), "sessions serve");
    assert_eq!(complete("tractor flows --form"), "--format");
    assert!(complete("tractor flows --format ").contains("parquet"));
    assert_eq!(complete("tractor watch --on"), "--once");
    for shell in ["zsh", "fish"] {
        let (script, _) = run(&["completion", shell], 0);
        assert!(script.contains("sessions") && script.contains("settle"), "{shell}");
    }
}

#[test]
fn every_command_has_its_manual_page() {
    let folder = Folder::new("man");
    let (page, _) = run(&["man"], 0);
    let to = folder.path("man1");
    run(&["man", "-o", &to], 0);
    let names: Vec<&str> =
        page.lines().filter_map(|it| it.strip_prefix("tractor\\-")?.strip_suffix("(1)")).collect();
    assert!(names.len() >= 14 && names.contains(&"flows") && !names.contains(&"help"), "{names:?}");
    assert_eq!(fs::read_dir(&to).unwrap().count(), names.len() + 1);
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
    let document = fs::read_to_string(document).unwrap();
    for name in names {
        assert!(document.contains(&format!("\n| `{name}` | ")), "{name} has no row there");
        let (page, _) = run(&["man", name], 0);
        let path = Path::new(&to).join(format!("tractor-{name}.1"));
        assert_eq!(fs::read_to_string(path).unwrap(), page);
        for part in
            [".TH TRACTOR", ".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLES", ".SH \"EXIT STATUS\""]
        {
            assert!(page.contains(part), "{name} has no {part}: {page}");
        }
    }
    let (_, said) = run(&["man", "fly"], 2);
    assert!(said.contains("there is no command `fly`; there are flows, "), "{said}");
}

#[test]
fn labels_are_listed_by_group_with_those_of_rules() {
    let folder = Folder::new("labels");
    let rules = folder.path("rules.toml");
    fs::write(&rules, "[[rule]]\nlabel = \"rare\"\ngroup = \"web\"\nnames = [\"rare.example\"]")
        .unwrap();
    let (labels, _) = run(&["labels", "--rules", &rules], 0);
    let of_web = labels.lines().find(|it| it.starts_with("web: ")).unwrap();
    assert!(of_web.split([' ', ',']).any(|it| it == "rare"), "{of_web}");
    let (json, _) = run(&["labels", "--format", "json"], 0);
    assert_eq!(json, run(&["labels", "--json"], 0).0);
}

/// A database of countries in MaxMind's format: the lower half of all addresses of IPv4 is Norway.
fn half_norway() -> Vec<u8> {
    let text = |it: &str| [&[0x40 | it.len() as u8], it.as_bytes()].concat();
    let map = |pairs: &[(&str, Vec<u8>)]| {
        let pairs: Vec<u8> =
            pairs.iter().flat_map(|it| [text(it.0), it.1.clone()].concat()).collect();
        pairs
    };
    let of = |n: u8, pairs: Vec<u8>| [vec![0xe0 | n], pairs].concat();
    let number = |it: u32| [&[0xc4][..], &it.to_be_bytes()].concat();
    let country = of(1, map(&[("country", of(1, map(&[("iso_code", text("NO"))])))]));
    let metadata = of(
        4,
        map(&[
            ("node_count", number(1)),
            ("record_size", number(24)),
            ("ip_version", number(4)),
            ("database_type", text("Half")),
        ]),
    );
    [&[0, 0, 17, 0, 0, 1], &[0; 16][..], &country, b"\xab\xcd\xefMaxMind.com", &metadata].concat()
}

#[test]
fn countries_are_asked_for_where_a_database_tells_them() {
    let folder = Folder::new("countries");
    let sample = capture("sample.pcapng");
    let mmdb = folder.path("half.mmdb");
    fs::write(&mmdb, half_norway()).unwrap();
    for command in ["flows", "sessions", "hosts", "stats"] {
        let (out, error) = run(&[command, &sample, "--filter", "country:NO"], 2);
        assert!(out.is_empty() && error.contains("countries are not known"), "{command}: {error}");
    }
    let lines = |filter: &str| {
        let arguments = ["flows", &sample, "--mmdb", &mmdb, "--filter", filter];
        run(&arguments, 0).0.lines().count()
    };
    assert_eq!(lines("server_country:NO"), lines("server:0.0.0.0/1"));
    assert_eq!(lines("-country:NO"), lines("-ip:0.0.0.0/1"));
    assert!(lines("country:NO") > 0 && lines("country:SE") == 0);
    let stats = ["stats", &sample, "--mmdb", &mmdb, "--filter", "country:NO"];
    assert!(run(&stats, 0).0.len() > 100);
    let hosts =
        ["hosts", &sample, "--mmdb", &mmdb, "--filter", "client_country:NO", "--format", "jsonl"];
    assert!(run(&hosts, 0).0.contains("\"country\":\"NO\""));
}

/// A pcap of these records of another one, whose header is 24 bytes long and whose records have one of 16.
fn part_of(pcap: &[u8], records: std::ops::Range<usize>) -> Vec<u8> {
    let (header, mut rest) = pcap.split_at(24);
    let mut part = header.to_vec();
    for at in 0.. {
        let Some(len) = rest.get(8..12) else { break };
        let len = u32::from_le_bytes(len.try_into().unwrap()) as usize + 16;
        let (record, after) = rest.split_at(len);
        if records.contains(&at) {
            part.extend_from_slice(record);
        }
        rest = after;
    }
    part
}

#[test]
fn captures_of_one_recorder_are_read_as_one() {
    let folder = Folder::new("as-one");
    let whole = fs::read(captures().join("ftp.pcap")).unwrap();
    assert_eq!(whole[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
    // By their names in the wrong order.
    let [first, second] = ["b.pcap", "a.pcap"].map(|it| folder.path(it));
    fs::write(&first, part_of(&whole, 0..9)).unwrap();
    fs::write(&second, part_of(&whole, 9..usize::MAX)).unwrap();
    let rows = |arguments: &[&str]| {
        let (out, _) = run(arguments, 0);
        let rows = out.lines().map(|it| {
            let mut row: serde_json::Value = serde_json::from_str(it).unwrap();
            row.as_object_mut().unwrap().remove("capture");
            row
        });
        rows.collect::<Vec<_>>()
    };
    let expected = rows(&["flows", &capture("ftp.pcap")]);
    assert_eq!(rows(&["flows", &second, &first, "--as-one"]), expected);
    assert_eq!(rows(&["flows", folder.0.to_str().unwrap(), "--as-one"]), expected);
    assert!(rows(&["flows", &second, &first]).len() > expected.len());
    let listed = |command: &str, of: &[&str]| rows(&[&[command, "--format", "jsonl"], of].concat());
    for command in ["sessions", "hosts"] {
        let whole = listed(command, &[&capture("ftp.pcap")]);
        assert_eq!(listed(command, &[&second, &first, "--as-one"]), whole, "{command}");
    }
    let stats = |of: &[&str]| run(&[&["stats"], of].concat(), 0).0;
    assert_eq!(stats(&[&second, &first, "--as-one"]), stats(&[&capture("ftp.pcap")]));
    // What is wrong with one names it; packets are not written of several.
    let cut = folder.path("c.pcap");
    fs::write(&cut, &whole[..whole.len() - 3]).unwrap();
    let (_, error) = run(&["flows", &first, &cut, "--as-one"], 1);
    assert!(error.contains("c.pcap") && error.contains("E-CUT-SHORT"), "{error}");
    let refused = ["flows", &first, &second, "--as-one", "--format", "pcapng"];
    assert!(run(&refused, 2).1.contains("--as-one"));
}
