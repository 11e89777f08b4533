//! Work that takes long: it goes on without the interpreter's lock, and is told when somebody interrupts it.

use std::{
    io::{self, Read},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use pyo3::{exceptions::PyRuntimeError, prelude::*};

/// How often signals are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Whether work was told to stop.
#[derive(Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does it on a thread of its own. What a signal raises, an interrupt by the keyboard, stops it and is raised once it ended.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Stop) -> T + Send,
) -> PyResult<T> {
    let stop = Stop::default();
    let stop = &stop;
    thread::scope(|scope| {
        let (done, mut result) = mpsc::sync_channel(1);
        // Nobody waits for what was interrupted.
        scope.spawn(move || drop(done.send(work(stop))));
        let mut raised = Ok(());
        loop {
            // A receiver is of one thread at a time.
            let waited = py.detach(move || (result.recv_timeout(LOOK), result));
            result = waited.1;
            match waited.0 {
                Ok(it) => return raised.map(|()| it),
                Err(RecvTimeoutError::Timeout) if raised.is_ok() => {
                    raised = py.check_signals();
                    stop.0.store(raised.is_err(), Ordering::Relaxed);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(PyRuntimeError::new_err("the engine failed"));
                }
            }
        }
    })
}

/// A reader that fails once it is told to stop.
pub(crate) struct Stoppable<'a, R> {
    pub(crate) reader: R,
    pub(crate) stop: &'a Stop,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_asked() {
            return Err(io::Error::other(reader::Stopped));
        }
        self.reader.read(room)
    }
}
