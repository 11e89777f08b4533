//! `tractor serve` as a process: how it starts, how it is stopped, and what is left when it is killed.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::site::{Folder, Site, capture};
use v1::{State, page::JobRow};

fn tractor(folder: &Folder, more: &[&str]) -> Command {
    let mut tractor = Command::new(env!("CARGO_BIN_EXE_tractor"));
    tractor.arg("serve").args(more);
    tractor.arg("--captures").arg(folder.captures()).arg("--data").arg(folder.data());
    tractor.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    tractor
}

/// A companion that listens, killed at the end of its test.
struct Process {
    child: Child,
    site: Site,
}

impl Process {
    fn start(folder: &Folder, more: &[&str]) -> Self {
        let mut child =
            tractor(folder, &[&["--listen", "127.0.0.1:0"], more].concat()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it listens").unwrap();
            if let Some((_, address)) = line.split_once("listens on http://") {
                break address.split('/').next().unwrap().parse().unwrap();
            }
        };
        // What it says must go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, site: Site::at(address) }
    }

    #[cfg(unix)]
    fn tell(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn in_a_network_a_token_is_wanted() {
    let folder = Folder::new();
    let token = folder.0.join("token");
    std::fs::write(&token, "short").unwrap();
    let token = token.to_str().unwrap();
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0"][..], "give a --token-file, or say --no-auth"),
        (&["--listen", "0.0.0.0:0", "--token-file", token], "at least 16"),
        (&["--token-file", "missing"], "missing"),
        (&["--token-file", token, "--no-auth"], "cannot be used with"),
        (&["--workers", "0"], "--workers"),
        (&["--page", "missing"], "no index.html"),
    ] {
        let output = tractor(&folder, arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn whoever_knows_the_token_of_the_file_may_ask() {
    let folder = Folder::new();
    let path = folder.0.join("token");
    std::fs::write(&path, "correct-horse-battery\n").unwrap();
    let process = Process::start(&folder, &["--token-file", path.to_str().unwrap()]);
    assert_eq!(process.site.ask("GET", "/files/list", &[], b"").status, 401);
    let known = ["authorization: Bearer correct-horse-battery"];
    assert_eq!(process.site.ask("GET", "/files/list", &known, b"").status, 200);
}

#[cfg(unix)]
#[test]
fn whatever_ends_it_every_job_has_an_end_after_the_next_start() {
    let folder = Folder::new();
    for n in 0..40 {
        folder.write(format!("{n}.pcap"), &capture(0..n * 50 + 1));
    }
    let mut jobs = Vec::new();
    for (round, signal) in ["-KILL", "-TERM", "-KILL", "-INT"].into_iter().enumerate() {
        let mut process = Process::start(&folder, &[]);
        for n in 0..10 {
            let file_name = format!("{}.pcap", round * 10 + n);
            jobs.push((process.site.process(&file_name), file_name));
        }
        process.tell(signal);
        let status = process.child.wait().unwrap();
        assert_eq!(status.code(), if signal == "-KILL" { None } else { Some(0) }, "{signal}");
    }
    let process = Process::start(&folder, &[]);
    for (job, file_name) in &jobs {
        assert_eq!(process.site.ended(*job), State::Finished, "{file_name}");
    }
    let rows: Vec<JobRow> = process.site.get("/v1x/jobs");
    let found: Vec<_> = rows.into_iter().map(|it| (it.progress.job_id.0, it.file_name)).collect();
    assert_eq!(found, jobs);
}

#[test]
fn it_starts_in_an_empty_folder() {
    let folder = Folder::new();
    std::fs::remove_dir_all(folder.captures()).unwrap();
    let process = Process::start(&folder, &["--log-json", "--log", "debug"]);
    let files: Vec<v1::File> = process.site.get("/files/list");
    assert_eq!(files, []);
    let health: serde_json::Value = process.site.get("/healthz");
    assert_eq!(health["state"], "ok");
    let metrics = process.site.ask("GET", "/metrics", &[], b"");
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("tractor_jobs{state=\"waiting\"} 0\n"), "{text}");
    assert!(text.contains("tractor_answers_total{status=\"2xx\"} 2\n"), "{text}");
}

#[test]
fn a_result_that_is_not_there_is_told_and_stops_nothing() {
    let folder = Folder::new();
    let out = folder.0.join("out");
    std::fs::create_dir_all(out.join("captures")).unwrap();
    std::fs::write(out.join("captures/part-0.parquet"), b"no Parquet").unwrap();
    let mut child = tractor(&folder, &["--listen", "127.0.0.1:0", "--found", "missing"])
        .arg("--found")
        .arg(&out)
        .spawn()
        .unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said += &line.unwrap();
        said += "\n";
        if said.contains("listens on") {
            break;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    for expected in [
        "found by a cluster: missing",
        "there is no result of a cluster",
        "it is no Parquet, or damaged",
        "part-0.parquet",
        "listens on",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
