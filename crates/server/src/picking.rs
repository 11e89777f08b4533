//! The packets of some flows, out of the capture file once more.

use std::io::{self, Read, Write};

use engine::{Analysis, Passed, PickError, Picked, Picker, Remarks};
use reader::{CHUNK_LEN, next_chunk, run_seed};

/// Why packets could not be picked.
#[derive(Debug, thiserror::Error)]
pub enum PickingError {
    /// The file cannot be read again.
    #[error("the capture cannot be read again: {source}")]
    Read {
        /// Why.
        source: io::Error,
    },
    /// The rest.
    #[error(transparent)]
    Pick(#[from] PickError),
}

/// Writes the packets of the chosen flows as a pcapng. `open` gives the capture from its beginning, once or twice.
///
/// # Errors
/// Where the capture cannot be read again, changed, or the writer fails.
pub fn pick<R: Read, W: Write>(
    analysis: &Analysis,
    chosen: &[u32],
    remarks: Remarks,
    mut open: impl FnMut() -> io::Result<R>,
    out: W,
) -> Result<(W, Picked), PickingError> {
    let unread = |source| PickingError::Read { source };
    let mut picker = Picker::new(analysis, chosen, remarks, run_seed(), out)?;
    let mut chunk = vec![0; CHUNK_LEN];
    loop {
        let mut capture = open().map_err(unread)?;
        while picker.wants_more() {
            match next_chunk(&mut capture, &mut chunk).map_err(unread)? {
                0 => break,
                len => picker.feed(&chunk[..len])?,
            }
        }
        match picker.end()? {
            Passed::Again(it) => picker = *it,
            Passed::Done { out, picked } => return Ok((out, picked)),
        }
    }
}
