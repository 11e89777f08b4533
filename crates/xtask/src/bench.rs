//! `cargo xtask bench [FOLDER] [--rounds N] [--part native|browser]`: the whole job over `100m.pcap` and `1g.pcap`, by the
//! command, by the page's worker in Node and in Chromium, beside other programs where they are installed.
//!
//! Programs run in turns, each round the other way round, and are compared within a round: what else the machine does
//! disturbs all of them. All parts together write `docs/speed.md`, `docs/speed.svg` and the section of `crates/README.md`.

mod browser;
mod chart;
mod figures;
mod report;

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context as _, bail};
use wait4::Wait4 as _;

use crate::{
    build,
    run::{cargo, output, quick_example, root, step, target},
};
use figures::{Run, Runs};

/// The captures, as they lie in the folder; those after the first are so large that slow programs read them once.
const CAPTURES: [&str; 2] = ["100m.pcap", "1g.pcap"];
/// How many rounds without a number.
const N_ROUNDS: usize = 5;
/// Which of the programs the others are compared with, where it is installed.
const BASE: &str = "ndpiReader";

/// A program that reads a capture.
struct Program {
    name: &'static str,
    does: &'static str,
    /// How it is started over a capture; it may write to the folder. Nothing where it is not there.
    command: fn(&Tools, &Path, &Path) -> Option<Command>,
    /// It takes so long that it reads large captures once, and none while instructions are counted.
    is_slow: bool,
    /// It tells its own figures in its last line: seconds of the processor and of waiting, and bytes of memory.
    tells: bool,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "tractor flows",
        does: "flows, labels, sessions, hosts; every flow as a line of JSON",
        command: |tools, capture, _| tools.tractor("flows", capture, &["--format", "jsonl"], 1),
        is_slow: false,
        tells: false,
    },
    Program {
        name: "tractor stats",
        does: "the same without writing flows",
        command: |tools, capture, _| tools.tractor("stats", capture, &[], 1),
        is_slow: false,
        tells: false,
    },
    Program {
        name: "tractor flows, two threads",
        does: "as the first",
        command: |tools, capture, _| tools.tractor("flows", capture, &["--format", "jsonl"], 2),
        is_slow: false,
        tells: false,
    },
    Program {
        name: "tractor, flows only",
        does: "flows alone (`tests/examples/only_flows.rs`)",
        command: |tools, capture, _| with(&tools.only_flows, &[], capture),
        is_slow: false,
        tells: false,
    },
    Program {
        name: "tractor in Node",
        does: "as the first, by the page's worker in WebAssembly; what compiles it while it runs included",
        command: |tools, capture, _| {
            let page = tools.page.as_ref()?;
            let mut node = installed("node")?;
            node.arg(root().join("crates/xtask/src/bench/node.mjs")).arg(page).arg(capture);
            Some(node)
        },
        is_slow: false,
        tells: true,
    },
    Program {
        name: BASE,
        does: "flows, labels",
        command: |_, capture, _| {
            let mut command = installed(BASE)?;
            command.arg("-q").arg("-i").arg(capture);
            Some(command)
        },
        is_slow: false,
        tells: false,
    },
    Program {
        name: "argus",
        does: "flows, states",
        command: |_, capture, _| {
            let mut command = installed("argus")?;
            command.args(["-w", "/dev/null", "-r"]).arg(capture);
            Some(command)
        },
        is_slow: false,
        tells: false,
    },
    Program {
        name: "nfpcapd",
        does: "NetFlow records",
        command: |_, capture, folder| {
            let mut command = installed("nfpcapd")?;
            command.arg("-r").arg(capture).arg("-l").arg(folder);
            Some(command)
        },
        is_slow: false,
        tells: false,
    },
    Program {
        name: "tshark",
        does: "TCP conversations (`-z conv,tcp`)",
        command: |_, capture, _| {
            let mut command = installed("tshark")?;
            command.args(["-q", "-z", "conv,tcp", "-r"]).arg(capture);
            Some(command)
        },
        is_slow: true,
        tells: false,
    },
];

/// What of ours is measured.
struct Tools {
    tractor: PathBuf,
    only_flows: PathBuf,
    /// Where the worker is by the name it is built with.
    page: Option<PathBuf>,
}

impl Tools {
    fn tractor(&self, what: &str, capture: &Path, how: &[&str], threads: u8) -> Option<Command> {
        let threads = threads.to_string();
        let all = [&[what][..], how, &["--threads", &threads]].concat();
        with(&self.tractor, &all, capture)
    }
}

/// A program over a capture.
fn with(program: &Path, arguments: &[&str], capture: &Path) -> Option<Command> {
    let mut command = Command::new(program);
    command.args(arguments).arg(capture);
    Some(command)
}

/// A program that may be installed.
fn installed(name: &str) -> Option<Command> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|it| it.join(name)).find(|it| it.is_file());
    // Servers are where not everybody looks.
    let found = found.or_else(|| Some(Path::new("/usr/sbin").join(name)).filter(|it| it.is_file()));
    found.map(Command::new)
}

/// What was asked for.
struct Asked {
    folder: PathBuf,
    n_rounds: usize,
    native: bool,
    browser: bool,
}

/// What was measured of one capture.
struct Measured {
    capture: String,
    /// Its length in bytes.
    len: u64,
    n_packets: u64,
    n_flows: u64,
    /// By program.
    programs: Vec<Runs>,
    /// Instructions, by program; 0 where they were not counted.
    instructions: Vec<u64>,
    /// A stage and what it takes, in milliseconds.
    stages: Vec<(String, f64)>,
    /// By what is done in the browser.
    browser: Vec<Runs>,
}

/// `cargo xtask bench`
pub(crate) fn bench(arguments: &[String]) -> anyhow::Result<()> {
    let asked = asked(arguments)?;
    let tools = tools(&asked)?;
    let scratch = target().join("bench");
    fs::create_dir_all(&scratch).context("making the folder for what is written")?;
    let mut all = Vec::new();
    for name in CAPTURES {
        let path = asked.folder.join(name);
        match fs::metadata(&path) {
            Ok(about) => all.push((path, empty(name, about.len()))),
            Err(_) => eprintln!("· {} is not there, and left out", path.display()),
        }
    }
    if all.is_empty() {
        bail!("there is none of {} in {}", CAPTURES.join(", "), asked.folder.display());
    }
    if asked.native {
        for (at, (path, measured)) in all.iter_mut().enumerate() {
            native(&tools, path, at > 0, asked.n_rounds, &scratch, measured)?;
        }
    }
    if let (true, Some(page)) = (asked.browser, &tools.page) {
        for (at, (path, measured)) in all.iter_mut().enumerate() {
            measured.browser = browser::measure(page, path, at > 0, asked.n_rounds)?;
        }
    }
    let all: Vec<Measured> = all.into_iter().map(|it| it.1).collect();
    let report = report::Report { all: &all, n_rounds: asked.n_rounds };
    let text = report.document();
    print!("{text}");
    if !(asked.native && asked.browser) {
        return Ok(());
    }
    let docs = root().join("docs");
    fs::write(docs.join("speed.md"), text).context("docs/speed.md")?;
    fs::write(docs.join("speed.svg"), chart::draw(&all)).context("docs/speed.svg")?;
    report.write_section(&root().join("crates/README.md"))
}

fn asked(arguments: &[String]) -> anyhow::Result<Asked> {
    let folder = target().join("data/big");
    let mut asked = Asked { folder, n_rounds: N_ROUNDS, native: true, browser: true };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match &**argument {
            "--rounds" => {
                let n = rest.next().and_then(|it| it.parse().ok()).filter(|it| *it > 0);
                asked.n_rounds = n.context("--rounds takes a number")?;
            }
            "--part" => {
                let part = rest.next().context("--part takes native or browser")?;
                (asked.native, asked.browser) = (part == "native", part == "browser");
                if !asked.native && !asked.browser {
                    bail!("there is no part {part}: native, browser");
                }
            }
            folder => asked.folder = folder.into(),
        }
    }
    Ok(asked)
}

fn tools(asked: &Asked) -> anyhow::Result<Tools> {
    // Another program than the one built here, to be compared with it.
    let tractor = match std::env::var_os("TRACTOR") {
        Some(other) => other.into(),
        None => build::companion()?,
    };
    // Where there is no Node, the native part needs no page.
    let wants_page = asked.browser || installed("node").is_some();
    let page = if wants_page {
        // By a program of its own: packing takes memory, and a program's peak memory counts that of who started it.
        let own = std::env::current_exe().context("this program")?;
        step("building the page", Command::new(own).arg("dist"))?;
        Some(build::plain_page())
    } else {
        None
    };
    let examples = [
        "build",
        "--release",
        "--package",
        "tests",
        "--example",
        "only_flows",
        "--example",
        "stages",
    ];
    if asked.native {
        step("building what measures stages", &mut cargo(&examples))?;
    }
    let only_flows = target().join("release/examples/only_flows");
    Ok(Tools { tractor, only_flows, page })
}

fn empty(name: &str, len: u64) -> Measured {
    Measured {
        capture: name.to_owned(),
        len,
        n_packets: 0,
        n_flows: 0,
        programs: PROGRAMS.iter().map(|it| Runs::new(it.name)).collect(),
        instructions: vec![0; PROGRAMS.len()],
        stages: Vec::new(),
        browser: Vec::new(),
    }
}

/// Measures every program over a capture.
fn native(
    tools: &Tools,
    capture: &Path,
    is_large: bool,
    n_rounds: usize,
    scratch: &Path,
    measured: &mut Measured,
) -> anyhow::Result<()> {
    eprintln!("· {}", capture.display());
    // Whoever came first would read it from the disk.
    std::io::copy(&mut fs::File::open(capture)?, &mut std::io::sink()).context("the capture")?;
    let counts = Command::new(&tools.only_flows).arg(capture).output().context("only_flows")?;
    let counts = String::from_utf8_lossy(&counts.stdout).into_owned();
    let mut numbers = counts.split_whitespace().filter_map(|it| it.parse().ok());
    measured.n_packets = numbers.next().context("only_flows tells no packets")?;
    measured.n_flows = numbers.next().context("only_flows tells no flows")?;
    for round in 0..n_rounds {
        let mut order: Vec<usize> = (0..PROGRAMS.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            let program = &PROGRAMS[at];
            if program.is_slow && is_large && round > 0 {
                continue;
            }
            let folder = scratch.join("written");
            // What was written before would be found.
            drop(fs::remove_dir_all(&folder));
            fs::create_dir_all(&folder).context("making the folder for what is written")?;
            let Some(command) = (program.command)(tools, capture, &folder) else { continue };
            let run = match run(command, program.tells) {
                Ok(run) => run,
                // Others may fail, and are measured in the rounds where they do not.
                Err(error) => {
                    eprintln!("  round {}, {}: {error:#}", round + 1, program.name);
                    measured.programs[at].fault = Some(error.to_string());
                    continue;
                }
            };
            eprintln!(
                "  round {}, {}: {:.3} s of the processor, {:.3} s, {} MiB",
                round + 1,
                program.name,
                run.cpu,
                run.wall,
                run.memory >> 20
            );
            measured.programs[at].push(round, run);
        }
    }
    if !is_large && installed("valgrind").is_some() {
        for (at, program) in PROGRAMS.iter().enumerate() {
            // What compiles as it runs is not what is counted.
            if program.is_slow || program.tells {
                continue;
            }
            let Some(command) = (program.command)(tools, capture, scratch) else { continue };
            eprintln!("  counting the instructions of {}", program.name);
            measured.instructions[at] = instructions(&command, scratch)?;
        }
    }
    eprintln!("  measuring stages");
    let stages = quick_example("stages").arg(capture).output().context("stages")?;
    measured.stages = stages_of(&String::from_utf8_lossy(&stages.stdout));
    Ok(())
}

/// Runs a program to its end.
fn run(mut command: Command, tells: bool) -> anyhow::Result<Run> {
    let begun = Instant::now();
    let out = if tells { Stdio::piped() } else { Stdio::null() };
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::null()).spawn()?;
    let said = child.stdout.take().map(|mut out| {
        thread::spawn(move || {
            let mut said = String::new();
            out.read_to_string(&mut said).map(|_| said)
        })
    });
    let ended = child.wait4()?;
    let wall = begun.elapsed().as_secs_f64();
    if !ended.status.success() {
        bail!("{}", ended.status);
    }
    let cpu = (ended.rusage.utime + ended.rusage.stime).as_secs_f64();
    let mut run = Run { cpu, wall, memory: ended.rusage.maxrss };
    if let Some(said) = said {
        let said = said.join().ok().context("what it says cannot be read")??;
        let mut words = said.lines().last().unwrap_or_default().split('\t');
        let mut number = || words.next()?.parse::<f64>().ok();
        let told = (number(), number());
        let (Some(cpu), Some(wall)) = told else { bail!("it tells no figures: {said}") };
        (run.cpu, run.wall) = (cpu, wall);
    }
    Ok(run)
}

/// How many instructions a program takes, by callgrind.
fn instructions(command: &Command, scratch: &Path) -> anyhow::Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind");
    valgrind.arg(format!("--callgrind-out-file={}", scratch.join("callgrind").display()));
    valgrind.arg(command.get_program()).args(command.get_args());
    let ended = valgrind.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let count = said.lines().find_map(|it| it.split_once("Collected :")?.1.trim().parse().ok());
    // A program that does not run under valgrind has no number.
    Ok(count.unwrap_or(0))
}

/// The stages in what the example prints: `flows  12.3 ms  4.5 %`.
fn stages_of(printed: &str) -> Vec<(String, f64)> {
    let stage = |line: &str| {
        let (before, _) = line.split_once(" ms")?;
        let (name, millis) = before.trim_end().rsplit_once(' ')?;
        Some((name.trim_end().to_owned(), millis.parse().ok()?))
    };
    printed.lines().filter_map(stage).collect()
}

/// What the machine is, as far as it matters to who reads the figures.
fn machine() -> String {
    let n_cores = thread::available_parallelism().map_or(1, |it| it.get());
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let is_virtual = about.lines().any(|it| it.starts_with("flags") && it.contains("hypervisor"));
    let cores = match n_cores {
        1 => "One core".to_owned(),
        2 => "Two cores".to_owned(),
        n => format!("{n} cores"),
    };
    let of = if is_virtual { "a virtual machine" } else { "a machine" };
    let system = output("uname", &["-sm"]).unwrap_or_default();
    format!("{cores} of {of}, {system}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read() {
        let printed = "labels at the end        1.5 ms   4.5 %\nwhole        33.0 ms\n";
        let expected = [("labels at the end".to_owned(), 1.5), ("whole".to_owned(), 33.0)];
        assert_eq!(stages_of(printed), expected);
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let words = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let it = asked(&words(&["big", "--rounds", "7", "--part", "native"])).unwrap();
        assert_eq!((it.folder, it.n_rounds, it.native, it.browser), ("big".into(), 7, true, false));
        assert!(asked(&words(&["--rounds", "0"])).is_err());
        assert!(asked(&words(&["--part", "nothing"])).is_err());
    }
}
