//! What runs inside: the program to its end, and what it leaves running.

use std::{
    ffi::OsString,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus},
    task::Poll,
    thread,
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

use super::{machine::said, record::Recording, say, user::User};
use crate::{Error, voice::words};

/// How often it is looked whether something ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long a program that is told to end has for it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the program came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Itself(ExitStatus),
    /// By Ctrl-C, or what a service manager sends.
    Told,
    /// Its time was over.
    Time,
}

/// What tells the command to end, noticed from its beginning on: nothing may end it between a step and its undoing.
pub(super) struct Signals(Vec<Signal>);

impl Signals {
    /// Must be called within a runtime.
    pub(super) fn new() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        kinds.into_iter().map(signal).collect::<io::Result<_>>().map(Self)
    }

    /// Waits for one of them.
    pub(super) async fn next(&mut self) {
        std::future::poll_fn(|context| {
            // All are asked, so that each wakes us.
            let n =
                self.0.iter_mut().map(|it| it.poll_recv(context)).filter(Poll::is_ready).count();
            if n > 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Starts the program, as whom it is to be run.
pub(super) fn start(words: &[OsString], user: Option<&User>) -> Result<Child, Error> {
    let (program, arguments) = words.split_first().ok_or(Error::Start(String::new()))?;
    let mut command = Command::new(program);
    command.args(arguments).envs(user.map(User::variables).unwrap_or_default());
    command
        .spawn()
        .map_err(|error| Error::Start(format!("{} cannot run: {error}", program.display())))
}

/// Waits until the program and what it left running have ended, or are to end; then ends what still runs.
pub(super) async fn wait(
    child: &mut Child,
    name: &str,
    recording: &mut Recording,
    signals: &mut Signals,
    duration: Option<Duration>,
) -> Result<End, Error> {
    let until = duration.map(|it| Instant::now() + it);
    let recorder = recording.process();
    let n_left = || processes(name).iter().filter(|it| **it != recorder).count();
    let mut ended = None;
    let end = loop {
        if let Some(status) = ended {
            if n_left() == 0 {
                break End::Itself(status);
            }
        } else if let Some(status) = child.try_wait().map_err(|it| Error::Start(it.to_string()))? {
            // A launcher ends at once; what it launched is the program.
            match n_left() {
                0 => break End::Itself(status),
                n => say(&words(
                    format!("the program ended, {n} that it started go on; Ctrl-C ends them"),
                    format!(
                        "программа завершилась, запущенные ею ({n}) ещё идут; Ctrl-C завершит их"
                    ),
                )),
            }
            ended = Some(status);
        }
        if until.is_some_and(|it| Instant::now() >= it) {
            break End::Time;
        }
        // What is not recorded need not run. Why it is not, the recording tells.
        if recording.has_ended() {
            break End::Told;
        }
        tokio::select! {
            () = signals.next() => break End::Told,
            () = tokio::time::sleep(LOOK) => {}
        }
    };
    self::end(name, Some(recorder));
    // It may have left the namespace.
    let _ = child.kill();
    let _ = child.wait();
    Ok(end)
}

/// Ends what runs inside, but one: asks first, then does not ask.
pub(super) fn end(name: &str, spared: Option<u32>) {
    let left = || {
        let mut left = processes(name);
        left.retain(|it| Some(*it) != spared);
        left
    };
    for signal in ["-TERM", "-KILL"] {
        let told = left();
        if told.is_empty() {
            return;
        }
        tell(signal, &told);
        let mut waited = Duration::ZERO;
        while waited < PATIENCE && !left().is_empty() {
            thread::sleep(LOOK);
            waited += LOOK;
        }
    }
}

/// Sends a signal to processes. What ended meanwhile cannot be told.
pub(super) fn tell(signal: &str, processes: &[u32]) {
    let processes: Vec<String> = processes.iter().map(u32::to_string).collect();
    // Every shell has a kill of its own; a program of that name not every machine.
    let command = format!("kill {signal} {}", processes.join(" "));
    let _ = Command::new("sh").args(["-c", &command]).process_group(0).output();
}

/// The processes in a namespace.
pub(super) fn processes(name: &str) -> Vec<u32> {
    let text = said(&format!("ip netns pids {name}"));
    text.split_whitespace().filter_map(|it| it.parse().ok()).collect()
}

/// The exit status that says how a program ended, as shells have it.
pub(super) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|it| 128 + it));
    code.and_then(|it| u8::try_from(it).ok()).unwrap_or(1)
}
