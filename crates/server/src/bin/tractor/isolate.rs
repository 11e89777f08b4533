//! `tractor isolate`: one program in a network namespace of its own, and everything it sends in one capture.
//!
//! What is in such a capture is of one application, so that it can be labelled as a whole: the label is in it. The way
//! is the source book's (chapter 1.3.2). `plan` says what is to be done on a `machine` as which `user`; `undo` does and
//! undoes it, by what `state` keeps; `inside` runs the program while `record` has tcpdump or dumpcap record, from which
//! `pcapng` makes the capture.

mod inside;
mod machine;
mod pcapng;
mod plan;
mod record;
mod state;
mod undo;
mod user;

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use self::{
    inside::{End, Signals},
    machine::{Machine, Recorder},
    pcapng::Section,
    plan::{Network, Undo},
    record::Recording,
    state::{Folder, Run, State},
    user::User,
};
use crate::{Error, Outcome, voice::words};

#[derive(Args)]
pub(crate) struct Isolate {
    /// Where the recording goes.
    #[arg(short, long, value_name = "FILE", default_value = "isolated.pcapng")]
    output: PathBuf,
    /// The label of all flows, which is written into the capture; without it the program's file name.
    #[arg(long, value_parser = label)]
    label: Option<String>,
    /// What the namespace and, with 0 and 1 behind it, its two interfaces are called; without it `tractor`.
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// The network between the two interfaces; the program has its first address, this machine its last.
    #[arg(long, value_name = "IPV4/LEN", default_value = "10.211.0.0/24", value_parser = plan::network)]
    network: Network,
    /// The interface that leads out; without it that of the default route.
    #[arg(long, value_name = "INTERFACE", value_parser = interface)]
    via: Option<String>,
    /// Lead nowhere but to this machine: no forwarding, no address translation, no name server.
    #[arg(long, conflicts_with = "via")]
    no_nat: bool,
    /// The name server inside; without it the first of /etc/resolv.conf that is reachable from inside.
    #[arg(long, value_name = "IP")]
    dns: Option<IpAddr>,
    /// Run the program as this user, a name or a number; without it as who called sudo.
    #[arg(long)]
    user: Option<String>,
    /// End the program after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    duration: Option<u32>,
    /// Record by this program; without it by the first that is there.
    #[arg(long, value_enum)]
    recorder: Option<Recorder>,
    /// Print the steps and do none.
    #[arg(long)]
    dry_run: bool,
    /// Undo what killed runs left behind: that of --name, or all.
    #[arg(long, conflicts_with_all = ["dry_run", "program"])]
    clean: bool,
    /// The program and its arguments.
    #[arg(required_unless_present = "clean", last = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl Isolate {
    /// What the run is called.
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("tractor")
    }

    /// What the capture says of itself.
    fn section(&self) -> Section {
        let file_name = self.program.first().and_then(|it| Path::new(it).file_name());
        let file_name = || file_name.unwrap_or_default().to_string_lossy().into_owned();
        let label = self.label.clone().unwrap_or_else(file_name);
        let command = plan::shown(&self.program);
        Section {
            comments: vec![
                format!("label: {}", engine::plain(&label)),
                format!("command: {}", engine::plain(&command)),
            ],
            application: format!("tractor {}", env!("CARGO_PKG_VERSION")),
            interface: format!("{}1", self.name()),
        }
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

fn interface(text: &str) -> Result<String, String> {
    let is_wrong = |it: char| it.is_whitespace() || it == '/';
    if text.is_empty() || text.len() > 15 || text.starts_with('-') || text.contains(is_wrong) {
        return Err("it is no name of an interface".to_owned());
    }
    Ok(text.to_owned())
}

fn label(text: &str) -> Result<String, String> {
    /// In bytes; more is no label but a story.
    const MAX_LEN: usize = 200;
    if text.trim().is_empty() || text.len() > MAX_LEN || text.contains(char::is_control) {
        return Err(format!("it is not one line of 1 to {MAX_LEN} bytes"));
    }
    Ok(text.trim().to_owned())
}

pub(crate) fn run(arguments: &Isolate) -> Result<Outcome, Error> {
    if arguments.dry_run {
        return dry_run(arguments);
    }
    if !machine::is_root() {
        return Err(Error::Usage(
            words(
                "network namespaces are root's on Linux: run this by sudo, or see the steps by --dry-run",
                "пространства имён сети в Linux доступны root: запустите через sudo или посмотрите шаги: --dry-run",
            )
            .to_owned(),
        ));
    }
    if arguments.clean {
        return clean(arguments.name.as_deref());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|it| Error::Start(it.to_string()))?.block_on(isolate(arguments))
}

/// Prints the steps as a shell would take them.
fn dry_run(arguments: &Isolate) -> Result<Outcome, Error> {
    let user = program_user(arguments)?;
    let recorder = arguments.recorder.or_else(Recorder::found).unwrap_or(Recorder::Tcpdump);
    let steps = plan::plan(arguments, &Machine::ask(arguments));
    let mut lines: Vec<String> = steps.iter().map(|it| it.act.shown()).collect();
    let recorder = plan::shown(&plan::recorder(arguments.name(), recorder));
    let output = plan::shown(&[arguments.output.with_extension("pcap")]);
    lines.push(format!("{recorder} > {output} &"));
    lines.push(plan::shown(&plan::program(arguments, user.as_ref())));
    lines.push("kill -TERM %1".to_owned());
    lines.extend(steps.iter().rev().filter_map(|it| it.undo.as_ref()).map(Undo::shown));
    let (to, mut out) = crate::flows::output(None)?;
    let written = out.write_all((lines.join("\n") + "\n").as_bytes()).and_then(|()| out.flush());
    written.map(|()| Outcome::Complete).map_err(|source| Error::Write { to, source })
}

/// Undoes what killed runs left behind.
fn clean(name: Option<&str>) -> Result<Outcome, Error> {
    let folder = Folder::lock().map_err(Error::Start)?;
    let names = name.map_or_else(|| folder.names(), |it| vec![it.to_owned()]);
    if names.is_empty() {
        say(words("no run was left behind", "брошенных запусков нет"));
    }
    let mut failures = Vec::new();
    for it in names {
        let run = match folder.run(&it) {
            Ok(run) => run,
            Err(message) => {
                failures.push(message);
                continue;
            }
        };
        match run {
            Run::None => say(&words(
                format!("no run called {it} was left behind"),
                format!("брошенного запуска {it} нет"),
            )),
            Run::GoesOn(process) if name.is_some() => return Err(goes_on(&it, process)),
            Run::GoesOn(_) => say(&words(
                format!("the run called {it} goes on and stays"),
                format!("запуск {it} ещё идёт и остаётся"),
            )),
            Run::LeftBehind(state) => failures.extend(undo::undo_all(state, &folder, &it).err()),
        }
    }
    if failures.is_empty() { Ok(Outcome::Complete) } else { Err(Error::Start(failures.join("; "))) }
}

/// Sets up, records the program, and undoes what was set up.
async fn isolate(arguments: &Isolate) -> Result<Outcome, Error> {
    let mut signals = Signals::new().map_err(|it| Error::Start(it.to_string()))?;
    let user = program_user(arguments)?;
    let output = destination(&arguments.output)?;
    let mut state = set_up(arguments, user.as_ref())?;
    let recorded = record(arguments, user.as_ref(), &output, &mut state, &mut signals).await;
    let undone = Folder::lock()
        .and_then(|folder| undo::undo_all(state, &folder, arguments.name()))
        .map_err(Error::Start);
    let (end, n_frames, n_lost) = match (recorded, undone) {
        (Err(first), Err(second)) => {
            say(&format!("tractor: {second}"));
            return Err(first);
        }
        (recorded, undone) => undone.and(recorded)?,
    };
    let output = arguments.output.display();
    let how = match end {
        End::Itself(status) => words(
            format!("the program ended ({status})"),
            format!("программа завершилась ({status})"),
        ),
        End::Told => words("the program was ended", "программа остановлена").to_owned(),
        End::Time => {
            words("the program was ended after its time", "время программы вышло").to_owned()
        }
    };
    say(&words(
        format!("{how}; {n_frames} frames are in {output}"),
        format!("{how}; кадров в {output}: {n_frames}"),
    ));
    if n_lost > 0 {
        say(&words(
            format!("{n_lost} frames were lost: they came faster than they were recorded"),
            format!("потеряно кадров: {n_lost}: они шли быстрее, чем записывались"),
        ));
    }
    Ok(match end {
        End::Itself(status) => Outcome::Ended(inside::code(status)),
        End::Told | End::Time => Outcome::Complete,
    })
}

/// Does the steps; undoes them where one fails.
fn set_up(arguments: &Isolate, user: Option<&User>) -> Result<State, Error> {
    let name = arguments.name();
    let folder = Folder::lock().map_err(Error::Start)?;
    match folder.run(name).map_err(Error::Start)? {
        Run::None => {}
        Run::GoesOn(process) => return Err(goes_on(name, process)),
        Run::LeftBehind(_) => {
            return Err(Error::Usage(words(
                format!(
                    "a run called {name} was killed and left things behind; undo them first by `tractor isolate --clean --name {name}`"
                ),
                format!(
                    "запуск {name} был прерван и оставил следы; сначала уберите их: `tractor isolate --clean --name {name}`"
                ),
            )));
        }
    }
    machine::check(arguments, user)?;
    let mut machine = Machine::ask(arguments);
    if let Some(before) = folder.forwarding_before(name) {
        machine.forwarding = before;
    }
    if !arguments.no_nat && machine.dns.is_none() && !machine::inside_etc(name).exists() {
        say(words(
            "no name server can be reached from inside: the program finds no names; say one by --dns",
            "изнутри не достать ни одного сервера имён, и программа имён не найдёт; укажите его: --dns",
        ));
    }
    let mut state = folder.begin(name).map_err(Error::Start)?;
    for step in plan::plan(arguments, &machine) {
        if let Err(message) = undo::perform(step, &mut state) {
            if let Err(more) = undo::undo_all(state, &folder, name) {
                say(&format!("tractor: {more}"));
            }
            return Err(Error::Start(message));
        }
    }
    Ok(state)
}

/// Runs the program and records it. How it ended, the frames that were recorded and those that were lost.
async fn record(
    arguments: &Isolate,
    user: Option<&User>,
    output: &Path,
    state: &mut State,
    signals: &mut Signals,
) -> Result<(End, u64, u64), Error> {
    let name = arguments.name();
    let Some(recorder) = arguments.recorder.or_else(Recorder::found) else {
        let (en, ru) = (
            "tcpdump or dumpcap is missing; install one first",
            "нет ни tcpdump, ни dumpcap; сначала установите что-то из них",
        );
        return Err(Error::Usage(words(en, ru).to_owned()));
    };
    // It gets its name when it is whole.
    let aside = output.with_file_name(format!(".isolate-{name}-{}.part", std::process::id()));
    let owner = User::caller(variable).map(|it| (it.uid, it.gid));
    let keep = Undo::Keep { from: aside.clone(), to: output.to_owned(), owner };
    state.note(keep).map_err(Error::Start)?;
    let mut recording = Recording::start(name, recorder, arguments.section(), &aside)
        .inspect_err(|_| discard(&aside))?;
    let program = plan::program(arguments, user);
    say(&format!("+ {}", plan::shown(&program)));
    let mut child = match inside::start(&program, user) {
        Ok(child) => child,
        Err(error) => {
            recording.kill();
            discard(&aside);
            return Err(error);
        }
    };
    let duration = arguments.duration.map(|it| Duration::from_secs(it.into()));
    let end = inside::wait(&mut child, name, &mut recording, signals, duration).await;
    let (n_frames, n_lost) = recording.finish()?;
    Ok((end?, n_frames, n_lost))
}

/// Removes a recording of nothing; where that fails, an empty capture stays.
fn discard(aside: &Path) {
    let _ = fs::remove_file(aside);
}

/// As whom the program runs, where that is not the user that we are.
fn program_user(arguments: &Isolate) -> Result<Option<User>, Error> {
    match &arguments.user {
        Some(user) => User::named(user).map(Some),
        None => Ok(User::caller(variable)),
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Where the recording goes, from anywhere.
fn destination(output: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::Write { to: output.display().to_string(), source };
    let refused = |why| Err(Error::Usage(format!("{} {why}", output.display())));
    // The folder of a killed run is not known to who undoes it.
    let path = std::path::absolute(output).map_err(failed)?;
    // A link is replaced, not followed: others may have put it there.
    if path.symlink_metadata().is_ok_and(|it| !it.is_file() && !it.is_symlink()) {
        return refused(words(
            "is no file, so that nothing can be recorded into it; say another by -o",
            "не файл, и записать туда нельзя; укажите другой: -o",
        ));
    }
    match (path.file_name(), path.parent()) {
        (Some(_), Some(folder)) if folder.is_dir() => Ok(path),
        _ => refused(words(
            "lies in no folder that is there; make it, or say another file by -o",
            "лежит в папке, которой нет; создайте её или укажите другой файл: -o",
        )),
    }
}

fn goes_on(name: &str, process: Option<u32>) -> Error {
    let which = words("process", "процесс");
    let process = process.map(|it| format!(" ({which} {it})")).unwrap_or_default();
    Error::Usage(words(
        format!(
            "a run called {name} goes on{process}; end it first, or choose another name by --name"
        ),
        format!("запуск {name} ещё идёт{process}; завершите его или дайте другое имя: --name"),
    ))
}

/// Tells the user something. A terminal that is gone must not keep anything from being undone.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
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

    #[track_caller]
    fn check(line: &[&str], label: &str, command: &str) {
        let section = Line::parse_from(line).isolate.section();
        assert_eq!(section.comments, [format!("label: {label}"), format!("command: {command}")]);
    }

    #[test]
    fn a_capture_has_its_label_and_its_command() {
        check(&["isolate", "--", "/usr/bin/curl", "-s"], "curl", "/usr/bin/curl -s");
        check(&["isolate", "--label", "my app", "--", "a", "b c"], "my app", "a 'b c'");
        check(&["isolate", "--", "a", "b\nc"], "a", "a 'b\u{fffd}c'");
    }

    #[test]
    fn a_label_is_one_line() {
        assert_eq!(label(" app "), Ok("app".to_owned()));
        for wrong in ["", " ", "a\nb"] {
            assert!(label(wrong).is_err());
        }
    }

    #[test]
    fn a_device_is_no_place_to_record_to() {
        assert!(destination(Path::new("/dev/null")).is_err());
        assert!(destination(Path::new("/dev")).is_err());
        assert!(destination(Path::new("/nowhere/capture.pcapng")).is_err());
    }
}
