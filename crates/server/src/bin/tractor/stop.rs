//! Ctrl-C, and what a service manager sends: asked once, what was read is kept; asked twice, the program ends at once.

use std::{
    io::{self, IsTerminal},
    mem, process,
    sync::{
        Condvar, Mutex, MutexGuard, Once, PoisonError,
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use crate::{progress, voice};

/// How a shell says that a program was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

static LISTENING: Once = Once::new();
static ASKED: Mutex<bool> = Mutex::new(false);
static WAKE: Condvar = Condvar::new();

/// From now on the program does not end by itself when it is asked to.
pub(crate) fn listen() {
    LISTENING.call_once(|| {
        let (ready, is_ready) = mpsc::channel();
        thread::spawn(|| {
            // Where signals cannot be waited for, one ends the program as ever.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime {
                runtime.block_on(hear(ready));
            }
        });
        // Nothing is sent; the channel ends once signals are heard, or cannot be.
        let _: Result<(), _> = is_ready.recv();
    });
}

/// The user asked to stop.
fn asked() {
    if mem::replace(&mut *state(), true) {
        process::exit(INTERRUPTED);
    }
    WAKE.notify_all();
    if io::stderr().is_terminal() {
        let stopping = voice::words(
            "stopping with what was read; Ctrl-C again ends at once",
            "остановка с тем, что прочитано; ещё раз Ctrl-C завершает сразу",
        );
        // The terminal shows the key where the cursor was.
        let lead = if progress::clear() { "" } else { "\n" };
        voice::say(format_args!("{lead}{stopping}"));
    }
}

fn state() -> MutexGuard<'static, bool> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
async fn hear(ready: Sender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return };
    drop(ready);
    loop {
        tokio::select! {
            _ = interrupt.recv() => asked(),
            _ = terminate.recv() => asked(),
        }
    }
}

#[cfg(not(unix))]
async fn hear(ready: Sender<()>) {
    drop(ready);
    while tokio::signal::ctrl_c().await.is_ok() {
        asked();
    }
}

/// Whether the user asked to stop.
pub(crate) fn is_asked() -> bool {
    *state()
}

/// Waits so long, or until the user asks to stop; whether that is so.
pub(crate) fn wait(time: Duration) -> bool {
    let waited = WAKE.wait_timeout_while(state(), time, |it| !*it);
    *waited.unwrap_or_else(PoisonError::into_inner).0
}
