//! Reads every capture below a folder with the built companion and with the page's worker: nothing may panic or take
//! long, and both must give the same bytes.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{
    build,
    run::{root, target},
};

/// A capture that takes longer is a fault.
const LIMIT: Duration = Duration::from_secs(20);
/// The memory of longer files is not looked at: their flows may take any.
const SMALL: u64 = 10_000_000;
/// Files that lie beside captures and are none.
const NO_CAPTURES: &[&str] = &["jsonl", "md", "tsv", "txt"];

/// `cargo xtask corpus FOLDER`
pub(crate) fn read(arguments: &[String]) -> anyhow::Result<()> {
    let [folder] = arguments else { bail!("usage: cargo xtask corpus FOLDER") };
    let companion = build::companion()?;
    build::page()?;
    let page = build::plain_page();
    let mut captures = captures(folder.into())?;
    captures.sort();
    let waiting = Mutex::new(captures);
    let readings = Mutex::new(Vec::new());
    let n_threads = thread::available_parallelism().map_or(1, |it| it.get());
    let lost = "another thread panicked";
    let work = |number: usize| -> anyhow::Result<()> {
        let mut hosts = Hosts::new(&companion, &page, number)?;
        loop {
            let Some(capture) = waiting.lock().expect(lost).pop() else { return Ok(()) };
            let reading = hosts.read(capture)?;
            readings.lock().expect(lost).push(reading);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|it| scope.spawn(move || work(it))).collect();
        threads.into_iter().try_for_each(|it| it.join().expect(lost))
    })?;
    let mut readings = readings.into_inner().expect(lost);
    readings.sort_by(|a, b| a.capture.cmp(&b.capture));
    report(&readings)
}

/// What both hosts made of a capture.
struct Reading {
    capture: PathBuf,
    len: u64,
    native: Run,
    worker: Run,
    is_same: bool,
}

/// How one host came through.
struct Run {
    /// `None` where it came through.
    fault: Option<String>,
    time: Duration,
    /// The most it took, in bytes.
    memory: u64,
}

/// Says what was found, with the worst of it.
fn report(readings: &[Reading]) -> anyhow::Result<()> {
    println!("{} captures", readings.len());
    let mut n_wrong = 0;
    type Host = (&'static str, fn(&Reading) -> &Run);
    let hosts: [Host; 2] = [("companion", |it| &it.native), ("worker", |it| &it.worker)];
    for (name, run) in hosts {
        let faults = readings.iter().filter_map(|it| Some((it, run(it).fault.as_ref()?)));
        let faults: Vec<_> = faults.collect();
        n_wrong += faults.len();
        println!("{name}: {} faults", faults.len());
        for (reading, fault) in faults {
            println!("  {fault}: {}", reading.capture.display());
        }
        let seconds = |it: &Reading| format!("{:.1} s", run(it).time.as_secs_f64());
        if let Some(it) = readings.iter().max_by_key(|it| run(it).time) {
            println!("  slowest {}: {}", seconds(it), it.capture.display());
        }
        let small = readings.iter().filter(|it| it.len <= SMALL);
        if let Some(it) = small.max_by_key(|it| run(it).memory) {
            let (memory, len) = (run(it).memory >> 20, it.len / 1_000);
            println!("  most memory {memory} MiB, for {len} kB: {}", it.capture.display());
        }
    }
    let different: Vec<_> = readings.iter().filter(|it| !it.is_same).collect();
    n_wrong += different.len();
    println!("the same bytes from {} of {}", readings.len() - different.len(), readings.len());
    different.iter().for_each(|it| println!("  different: {}", it.capture.display()));
    if n_wrong == 0 { Ok(()) } else { bail!("some captures are not read as they should be") }
}

/// Both hosts, and where they write to.
struct Hosts<'a> {
    companion: &'a Path,
    page: &'a Path,
    worker: Worker,
    /// What the companion writes, and the worker.
    outputs: [PathBuf; 2],
}

/// Node with the page's worker in it.
struct Worker {
    node: Child,
    /// Lines that it says.
    said: mpsc::Receiver<String>,
}

impl<'a> Hosts<'a> {
    fn new(companion: &'a Path, page: &'a Path, number: usize) -> anyhow::Result<Self> {
        let folder = target().join("corpus");
        fs::create_dir_all(&folder).context("making a folder for what is written")?;
        let outputs = ["companion", "worker"].map(|it| folder.join(format!("{it}-{number}.jsonl")));
        let worker = Worker::start(page, &outputs[1])?;
        Ok(Self { companion, page, worker, outputs })
    }

    fn read(&mut self, capture: PathBuf) -> anyhow::Result<Reading> {
        for it in &self.outputs {
            fs::write(it, "").context("emptying what was written")?;
        }
        let len = fs::metadata(&capture).map_or(0, |it| it.len());
        let native = native(self.companion, &capture, &self.outputs[0])?;
        let worker = match self.worker.read(&capture) {
            Some(run) => run,
            None => {
                self.worker = Worker::start(self.page, &self.outputs[1])?;
                let fault = Some(format!("over {} s, or its end", LIMIT.as_secs()));
                Run { fault, time: LIMIT, memory: 0 }
            }
        };
        let written = |at: usize| fs::read(&self.outputs[at]).context("what was written");
        let is_same = written(0)? == written(1)?;
        Ok(Reading { capture, len, native, worker, is_same })
    }
}

/// Reads a capture with the companion.
fn native(companion: &Path, capture: &Path, output: &Path) -> anyhow::Result<Run> {
    let start = Instant::now();
    let mut command = Command::new(companion);
    command.arg("flows").arg(capture).arg("--output").arg(output);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut memory = 0;
    loop {
        memory = memory.max(most_memory(&status));
        let fault = match child.try_wait()? {
            // 1: some of it could not be read, which is said.
            Some(status) => match status.code() {
                Some(0 | 1) => None,
                Some(code) => Some(format!("exit {code}")),
                None => Some("killed by a signal".to_owned()),
            },
            None if start.elapsed() < LIMIT => {
                thread::sleep(Duration::from_millis(1));
                continue;
            }
            None => {
                child.kill()?;
                child.wait()?;
                Some(format!("over {} s", LIMIT.as_secs()))
            }
        };
        return Ok(Run { fault, time: start.elapsed(), memory });
    }
}

/// The most memory a running program had so far, in bytes; 0 where the system does not tell.
fn most_memory(status: &Path) -> u64 {
    let status = fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

impl Worker {
    fn start(page: &Path, output: &Path) -> anyhow::Result<Self> {
        let script = root().join("crates/xtask/src/corpus.mjs");
        let mut node = Command::new("node")
            .arg("--expose-gc")
            .arg(script)
            .args([page, output])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `node`, which runs the worker")?;
        let (say, said) = mpsc::channel();
        let stdout = node.stdout.take().context("node has no output")?;
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens once the worker was given up.
                drop(say.send(line));
            }
        });
        Ok(Self { node, said })
    }

    /// `None` where it takes too long, or ended.
    fn read(&mut self, capture: &Path) -> Option<Run> {
        writeln!(self.node.stdin.as_mut()?, "{}", capture.display()).ok()?;
        let line = self.said.recv_timeout(LIMIT).ok()?;
        let mut words = line.split('\t');
        let mut word = || words.next().unwrap_or_default();
        let (end, millis, memory) = (word().to_owned(), word().parse().ok()?, word().parse().ok()?);
        let fault = (end != "read").then_some(end);
        Some(Run { fault, time: Duration::from_millis(millis), memory })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.node.kill());
        drop(self.node.wait());
    }
}

fn captures(folder: PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    let mut captures = Vec::new();
    let mut waiting = vec![folder];
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            let is_text =
                name.contains("LICEN") || name.contains("COPYING") || name.starts_with('.');
            if path.is_dir() {
                waiting.push(path);
            } else if !is_text && !NO_CAPTURES.contains(&&*extension) {
                captures.push(path);
            }
        }
    }
    Ok(captures)
}
