//! Measures the companion from outside: what it loses when it is killed, whom it lets wait, how many captures it takes.

use std::{
    collections::BTreeMap,
    fs,
    hash::{BuildHasher, Hasher, RandomState},
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::{build, run::target};

/// How many captures are compared with what the command line says.
const N_COMPARED: usize = 200;
/// How many clients are slow at once.
const N_SLOW: usize = 1_000;

type Measure = fn(&Path, &[String]) -> anyhow::Result<()>;

/// What is measured: its name and what else it is told.
const MEASURES: &[(&str, &str, Measure)] = &[
    (
        "crashes",
        "FOLDER [ROUNDS]: kill it at random while jobs run, and look for what is lost",
        crashes,
    ),
    ("corpus", "FOLDER: process every capture; compare answers with `tractor stats`", corpus),
    ("listing", "[FILES]: list a folder of so many files", listing),
    ("slow", "clients that say a byte a second, or nothing", slow),
];

/// `cargo xtask companion WHAT …`
pub(crate) fn measure(arguments: &[String]) -> anyhow::Result<()> {
    let named = arguments.split_first().and_then(|(name, rest)| {
        let found = MEASURES.iter().find(|it| it.0 == name)?;
        Some((found.2, rest))
    });
    let Some((measure, rest)) = named else {
        let lines = MEASURES.iter().map(|it| format!("  companion {} {}", it.0, it.1));
        bail!("usage:\n{}", lines.collect::<Vec<_>>().join("\n"));
    };
    // Another program than the one built here, to be compared with it.
    let tractor = match std::env::var_os("TRACTOR") {
        Some(other) => other.into(),
        None => build::companion()?,
    };
    measure(&tractor, rest)
}

/// A companion that runs.
struct Running {
    child: Child,
    port: u16,
    data: PathBuf,
}

impl Running {
    fn start(tractor: &Path, captures: &Path, data: &Path) -> anyhow::Result<Self> {
        let port = free_port()?;
        let child = Command::new(tractor)
            .arg("serve")
            .arg("--captures")
            .arg(captures)
            .arg("--data")
            .arg(data)
            .args(["--listen", &format!("127.0.0.1:{port}"), "--log", "error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("the companion does not start")?;
        let mut running = Self { child, port, data: data.to_owned() };
        let begun = Instant::now();
        while running.ask("GET", "/healthz", None).is_err() {
            if let Some(status) = running.child.try_wait()? {
                bail!("the companion ended at its start: {status}");
            }
            ensure!(begun.elapsed() < Duration::from_secs(30), "the companion does not answer");
            thread::sleep(Duration::from_millis(2));
        }
        Ok(running)
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(u16, Vec<u8>)> {
        ask(self.port, method, path, body)
    }

    fn get(&self, path: &str) -> anyhow::Result<Value> {
        let (status, body) = self.ask("GET", path, None)?;
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }

    /// The jobs by number, each with its file and state.
    fn jobs(&self) -> anyhow::Result<BTreeMap<u64, (String, String)>> {
        let rows = self.get("/v1x/jobs")?;
        let rows = rows.as_array().context("no list of jobs")?.iter();
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        let row = |it: &Value| {
            let status = &it["status"];
            let job = status["job_id"].as_u64().unwrap_or_default();
            (job, (text(&it["file_name"]), text(&status["state"])))
        };
        Ok(rows.map(row).collect())
    }

    /// Waits until no job waits or runs.
    fn wait(&self, limit: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.get("/v1x/jobs?state=in_progress")? != json!([]) {
            ensure!(begun.elapsed() < limit, "a job is stuck");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// A line of what the system says of the process.
    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|it| it.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Asks it to stop; gives how long that took.
    fn stop(mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().context("there is no `kill`")?;
        self.child.wait()?;
        Ok(begun.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn ask(
    port: u16,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let length = match body.len() {
        0 => String::new(),
        len => format!("content-type: application/json\r\ncontent-length: {len}\r\n"),
    };
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{length}\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut said = Vec::new();
    stream.read_to_end(&mut said)?;
    let at = said.windows(4).position(|it| it == b"\r\n\r\n").context("there is no answer")?;
    let body = said.split_off(at + 4);
    let head = String::from_utf8_lossy(&said);
    let status = head.split(' ').nth(1).context("there is no status")?.parse()?;
    Ok((status, body))
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A folder of ours, empty.
fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = target().join("companion").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// A number below another; which, nobody foresees.
fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

fn names(files: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let name = |it: &Value| match &*text(&it["extension"]) {
        "" => text(&it["name"]),
        extension => format!("{}.{extension}", text(&it["name"])),
    };
    files.as_array().into_iter().flatten().map(name).collect()
}

fn crashes(tractor: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let (captures, rounds) = match arguments {
        [folder] => (Path::new(folder), 200),
        [folder, rounds] => (Path::new(folder), rounds.parse()?),
        _ => bail!("usage: companion crashes FOLDER [ROUNDS]"),
    };
    let data = folder("crashes")?;
    let mut running = Running::start(tractor, captures, &data)?;
    let files = names(&running.get("/files/list")?);
    ensure!(!files.is_empty(), "there is no capture");
    // What was told of each job: its file, and once it was called finished its statistics.
    let mut told: BTreeMap<u64, String> = BTreeMap::new();
    let mut finished: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let (mut n_begun, mut slowest) = (0_u64, Duration::ZERO);
    for round in 0..rounds {
        let is_over = Arc::new(AtomicBool::new(false));
        let client = {
            let (is_over, port) = (Arc::clone(&is_over), running.port);
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    // It is killed meanwhile.
                    drop(ask(port, "GET", "/files/list", None));
                }
            })
        };
        let end = Instant::now() + Duration::from_millis(20 + random(400));
        while Instant::now() < end {
            let file = &files[random(files.len() as u64) as usize];
            let (status, body) =
                running.ask("POST", "/files/process", Some(&json!({"file_name": file})))?;
            ensure!(status == 200, "{file}: {}", String::from_utf8_lossy(&body));
            let status: Value = serde_json::from_slice(&body)?;
            told.insert(status["job_id"].as_u64().context("no job")?, file.clone());
            n_begun += 1;
        }
        for (job, (_, state)) in running.jobs()? {
            if state == "finished" && !finished.contains_key(&job) && random(4) == 0 {
                let (status, body) =
                    running.ask("GET", &format!("/file/{job}/statistics"), None)?;
                // A newer one of its file may have ended just now.
                if status == 200 {
                    finished.insert(job, body);
                }
            }
        }
        if round % 10 == 9 {
            slowest = slowest.max(running.stop()?);
        } else {
            running.child.kill()?;
            running.child.wait()?;
        }
        is_over.store(true, Ordering::Relaxed);
        drop(client.join());
        running =
            Running::start(tractor, captures, &data).with_context(|| format!("round {round}"))?;
        let jobs = running.jobs()?;
        let newest: BTreeMap<&str, u64> = jobs.iter().map(|(job, it)| (&*it.0, *job)).collect();
        for (job, file) in &told {
            let is_replaced = newest.get(&**file).is_some_and(|it| it > job);
            ensure!(jobs.contains_key(job) || is_replaced, "round {round}: job {job} is lost");
        }
        for (job, statistics) in &finished {
            let (status, body) = running.ask("GET", &format!("/file/{job}/statistics"), None)?;
            let replacing =
                told.get(job).and_then(|it| newest.get(&**it)).is_some_and(|it| it > job);
            let is_there = status == 200 && body == *statistics;
            ensure!(
                is_there || status == 404 && replacing,
                "round {round}: the result of job {job}"
            );
        }
        finished.retain(|job, _| jobs.contains_key(job));
        told.retain(|job, _| jobs.contains_key(job));
    }
    running.wait(Duration::from_secs(600))?;
    let states = states(&running.jobs()?);
    println!(
        "{rounds} rounds, {n_begun} requests to process; at the end {states:?}; nothing is lost or stuck"
    );
    println!("the slowest stop took {:.2} s", slowest.as_secs_f64());
    Ok(())
}

fn states(jobs: &BTreeMap<u64, (String, String)>) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for (_, state) in jobs.values() {
        *states.entry(state.clone()).or_default() += 1;
    }
    states
}

fn corpus(tractor: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let [captures] = arguments else { bail!("usage: companion corpus FOLDER") };
    let captures = Path::new(captures);
    let running = Running::start(tractor, captures, &folder("corpus")?)?;
    let files = names(&running.get("/files/list")?);
    let begun = Instant::now();
    for files in files.chunks(10_000) {
        let (status, body) =
            running.ask("POST", "/v1x/files/process", Some(&json!({"file_names": files})))?;
        ensure!(status == 200, "{}", String::from_utf8_lossy(&body));
    }
    let stored = begun.elapsed();
    running.wait(Duration::from_secs(3_600))?;
    let seconds = begun.elapsed().as_secs_f64();
    let jobs = running.jobs()?;
    println!(
        "{} captures in {seconds:.1} s, begun in {:.2} s: {:?}",
        files.len(),
        stored.as_secs_f64(),
        states(&jobs)
    );
    println!("most memory {} MiB", running.status("VmHWM") >> 10);
    let failed = running.get("/v1x/jobs?state=failed")?;
    let is_said = |it: &Value| it["progress"]["failure"].as_str().is_some_and(|it| !it.is_empty());
    ensure!(
        failed.as_array().context("no list")?.iter().all(is_said),
        "one failed without a reason"
    );
    // Answers of jobs spread over all, against the command line's.
    let finished: Vec<_> = jobs.iter().filter(|it| it.1.1 == "finished").collect();
    let step = (finished.len() / N_COMPARED).max(1);
    let (mut n_same, mut n_compared) = (0, 0);
    for (job, (file, _)) in finished.into_iter().step_by(step).take(N_COMPARED) {
        let statistics = format!("/file/{job}/statistics");
        let whole = running.get(&statistics)?;
        let first = |title: &str| {
            let of = whole.as_array()?.iter().find(|it| it["title"] == title)?;
            Some(of["content"][0]["label"].as_str()?.to_owned())
        };
        let mut questions = vec![(statistics.clone(), vec![])];
        questions.extend(first("labels").map(|it| {
            (format!("{statistics}/labels?label={}", encoded(&it)), vec!["--label".to_owned(), it])
        }));
        questions.extend(
            first("servers")
                .map(|it| (format!("{statistics}/ip?ip={it}"), vec!["--ip".to_owned(), it])),
        );
        for (path, options) in questions {
            let (_, body) = running.ask("GET", &path, None)?;
            let said = Command::new(tractor)
                .arg("stats")
                .arg(captures.join(file))
                .args(options)
                .output()?;
            n_compared += 1;
            n_same += usize::from(said.stdout.strip_suffix(b"\n") == Some(&body));
        }
    }
    println!("the same bytes from `tractor stats`: {n_same} of {n_compared} answers");
    println!("most memory then {} MiB", running.status("VmHWM") >> 10);
    println!("stopped in {:.2} s", running.stop()?.as_secs_f64());
    ensure!(n_same == n_compared, "some answers differ");
    Ok(())
}

/// A text as a part of a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|it| format!("%{it:02x}")).collect()
}

fn listing(tractor: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let n: usize = arguments.first().map_or(Ok(10_000), |it| it.parse())?;
    let captures = folder("many")?;
    for number in 0..n {
        let below = captures.join(format!("{}", number / 1_000));
        fs::create_dir_all(&below)?;
        fs::write(below.join(format!("{number}.pcap")), b"")?;
    }
    let running = Running::start(tractor, &captures, &folder("listing")?)?;
    // Once each as it is, and after a file came.
    let (mut same, mut changed) = (Vec::new(), Vec::new());
    for round in 0..50 {
        for times in [&mut changed, &mut same] {
            let begun = Instant::now();
            let (status, body) = running.ask("GET", "/files/list", None)?;
            ensure!(status == 200 && body.len() > n * 50, "the list is short");
            times.push(begun.elapsed());
        }
        fs::write(captures.join(format!("new-{round}.pcap")), b"")?;
        thread::sleep(Duration::from_millis(50));
    }
    for (what, mut times) in [("as it was", same), ("after a change", changed)] {
        times.sort();
        let millis = |at: usize| times[at.min(times.len() - 1)].as_secs_f64() * 1e3;
        println!("{n} files, {what}: median {:.1} ms, slowest {:.1} ms", millis(25), millis(49));
    }
    println!(
        "memory {} MiB; the data lies in {}",
        running.status("VmRSS") >> 10,
        running.data.display()
    );
    Ok(())
}

fn slow(tractor: &Path, _: &[String]) -> anyhow::Result<()> {
    let captures = folder("none")?;
    let running = Running::start(tractor, &captures, &folder("slow")?)?;
    let threads_before = running.status("Threads");
    let is_over = Arc::new(AtomicBool::new(false));
    let slowest_micros = Arc::new(AtomicU64::new(0));
    let quick = {
        let (is_over, slowest, port) =
            (Arc::clone(&is_over), Arc::clone(&slowest_micros), running.port);
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let is_answered = ask(port, "GET", "/files/list", None).is_ok_and(|it| it.0 == 200);
                let took = if is_answered { begun.elapsed().as_micros() as u64 } else { u64::MAX };
                slowest.fetch_max(took, Ordering::Relaxed);
            }
        })
    };
    type Say = fn(usize) -> Option<u8>;
    const HEAD: &[u8] =
        b"GET /files/list HTTP/1.1\r\nhost: localhost\r\nx-slow: yyyyyyyyyyyyyyyyyyyyyyy";
    const BODY: &[u8] = b" ";
    let ways: [(&str, &[u8], Say); 3] = [
        ("a byte of a head a second", b"", |at| HEAD.get(at).copied()),
        (
            "a byte of a body a second",
            b"POST /files/process HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n",
            |_| BODY.first().copied(),
        ),
        ("nothing", b"", |_| None),
    ];
    for (what, first, say) in ways {
        let mut clients = Vec::new();
        for _ in 0..N_SLOW {
            let mut client = TcpStream::connect(("127.0.0.1", running.port))?;
            client.write_all(first)?;
            client.set_nonblocking(true)?;
            clients.push(client);
        }
        // The last of them came just now.
        let begun = Instant::now();
        let (mut most_threads, mut at) = (0, 0);
        while !clients.is_empty() && begun.elapsed() < Duration::from_secs(60) {
            most_threads = most_threads.max(running.status("Threads"));
            let byte = say(at);
            at += 1;
            clients.retain_mut(|client| {
                let is_written = byte.is_none_or(|it| client.write_all(&[it]).is_ok());
                let mut answer = [0; 4_096];
                let is_open = match client.read(&mut answer) {
                    Ok(n) => n > 0,
                    Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
                };
                is_written && is_open
            });
            if !clients.is_empty() {
                thread::sleep(Duration::from_secs(1));
            }
        }
        println!(
            "{N_SLOW} clients saying {what}: {} left after {:.1} s, {most_threads} threads (before {threads_before})",
            clients.len(),
            begun.elapsed().as_secs_f64(),
        );
    }
    is_over.store(true, Ordering::Relaxed);
    drop(quick.join());
    println!(
        "another client's slowest answer: {:.1} ms",
        slowest_micros.load(Ordering::Relaxed) as f64 / 1e3
    );
    Ok(())
}
