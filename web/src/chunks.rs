//! A file of the browser, read piece by piece.

use std::convert::Infallible;

use engine::Job;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// How long a piece is, in bytes: below 16 MiB reading is markedly slower in Chromium, above it no faster.
pub const CHUNK_LEN: u32 = 16 << 20;

/// The pieces of a file that are still to be read.
pub struct Chunks {
    blob: Blob,
    /// Bytes the file has.
    len: u64,
    /// Bytes read.
    offset: u64,
    /// How long a piece is, in bytes.
    chunk_len: u32,
}

impl Chunks {
    /// A file from its beginning, in pieces of so many bytes (at least 1).
    pub fn new(blob: Blob, chunk_len: u32) -> Self {
        // The browser has lengths as floating point numbers; all are whole and below 2^53.
        let len = blob.size() as u64;
        Self { blob, len, offset: 0, chunk_len: chunk_len.max(1) }
    }

    /// Bytes the file has.
    pub fn total(&self) -> u64 {
        self.len
    }

    /// The next piece, outside of WebAssembly's memory; nothing at the end.
    ///
    /// # Errors
    /// Where the browser cannot read the file, as when it changed on the disk or went.
    pub async fn next(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        if self.offset >= self.len {
            return Ok(None);
        }
        let end = self.len.min(self.offset + u64::from(self.chunk_len));
        let slice = self.blob.slice_with_f64_and_f64(self.offset as f64, end as f64)?;
        let buffer = JsFuture::from(slice.array_buffer()).await?.dyn_into::<ArrayBuffer>()?;
        self.offset = end;
        Ok(Some(Uint8Array::new(&buffer)))
    }
}

/// Feeds a piece to a job, copied once: into its memory. Whether the job took it; not after what is no capture.
pub fn feed(job: &mut Job, piece: &Uint8Array) -> bool {
    let len = piece.length() as usize;
    let taken = job.fill(len, |room| {
        piece.copy_to(room);
        Ok::<_, Infallible>(len)
    });
    taken != Ok(0)
}
