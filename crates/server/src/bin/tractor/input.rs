//! Captures as the command line names them, and what is said when one cannot be read.

use std::{
    io,
    path::{Path, PathBuf},
};

use engine::{Analysis, Apart};
use v1::{Notice, Severity};

use crate::Outcome;

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Reads the captures one after the other, networks kept apart as said, and hands each to `take`.
///
/// What could not be read is said on standard error, and the rest is still read.
///
/// # Errors
/// What `take` fails with.
pub(crate) fn each<E>(
    captures: &[PathBuf],
    apart: Apart,
    mut take: impl FnMut(&Path, Analysis) -> Result<(), E>,
) -> Result<Outcome, E> {
    let mut outcome = Outcome::Complete;
    for capture in captures {
        match read(capture, apart) {
            Ok(analysis) => {
                if !analysis.is_complete() {
                    outcome = Outcome::Partial;
                }
                take(capture, analysis)?;
            }
            Err(error) => {
                let why = error.to_string();
                say(capture, &Notice::new("E-IO", "", vec![why.as_str().into()]));
                outcome = Outcome::Partial;
            }
        }
    }
    Ok(outcome)
}

/// Reads one capture and says what was wrong with it, and what may mislead.
fn read(capture: &Path, apart: Apart) -> io::Result<Analysis> {
    let name = capture.to_string_lossy();
    let analysis = if capture.as_os_str() == STANDARD_INPUT {
        server::read(io::stdin().lock(), &name, apart)?
    } else {
        server::analyse(capture, &name, apart)?
    };
    let notices = &analysis.reading().notices;
    for notice in notices.iter().filter(|it| it.severity() != Severity::Information) {
        say(capture, notice);
    }
    Ok(analysis)
}

fn say(capture: &Path, notice: &Notice) {
    // Whoever sent the file chose its name.
    eprintln!("tractor: {}: {notice}", engine::plain(&capture.to_string_lossy()));
}
