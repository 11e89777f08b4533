//! A file of the browser, read piece by piece.

use std::convert::Infallible;

use engine::Job;
use js_sys::{Array, ArrayBuffer, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, MessageChannel, MessageEvent, MessagePort};

use crate::room;

/// How long a piece is, in bytes: below 16 MiB reading is markedly slower in Chromium, above it no faster.
pub const CHUNK_LEN: u32 = 16 << 20;

/// How much of a piece is copied and looked at at once, in bytes: so much stays in the processor's cache.
const SWALLOW_LEN: u32 = 1 << 18;

/// The pieces of a file that are still to be read. While one is worked on, the next is read.
pub struct Chunks {
    blob: Blob,
    /// Bytes the file has.
    len: u64,
    /// Bytes read, or asked for.
    offset: u64,
    /// How long a piece is, in bytes.
    chunk_len: u32,
    /// Who reads, where it is another worker: a browser copies what it reads in the thread that asked for it.
    reader: Option<MessagePort>,
    /// What was asked for.
    coming: Option<JsFuture>,
}

impl Chunks {
    /// A file from its beginning, in pieces of so many bytes (at least 1).
    pub fn new(blob: Blob, chunk_len: u32) -> Self {
        // The browser has lengths as floating point numbers; all are whole and below 2^53.
        let len = blob.size() as u64;
        Self { blob, len, offset: 0, chunk_len: chunk_len.max(1), reader: reader(), coming: None }
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
        if self.coming.is_none() {
            self.ask()?;
        }
        let Some(coming) = self.coming.take() else { return Ok(None) };
        let read = coming.await?;
        let read = read.dyn_ref::<MessageEvent>().map_or_else(|| read.clone(), MessageEvent::data);
        let buffer = read.dyn_into::<ArrayBuffer>()?;
        // Where that fails it is said once the next piece is wanted.
        drop(self.ask());
        Ok(Some(Uint8Array::new(&buffer)))
    }

    /// Asks for the next piece, if there is one.
    fn ask(&mut self) -> Result<(), JsValue> {
        if self.offset >= self.len {
            return Ok(());
        }
        let end = self.len.min(self.offset + u64::from(self.chunk_len));
        let (from, to) = (self.offset as f64, end as f64);
        let read = match &self.reader {
            Some(reader) => {
                reader.post_message(&Array::of3(&self.blob, &from.into(), &to.into()))?;
                Promise::new(&mut |resolve, _| reader.set_onmessage(Some(&resolve)))
            }
            None => self.blob.slice_with_f64_and_f64(from, to)?.array_buffer(),
        };
        self.coming = Some(JsFuture::from(read));
        self.offset = end;
        Ok(())
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.close();
        }
    }
}

/// A line of one's own to the worker that reads for others, where the page has one.
fn reader() -> Option<MessagePort> {
    let reader = Reflect::get(&js_sys::global(), &"reader".into()).ok()?;
    let channel = MessageChannel::new().ok()?;
    let handed_over = Array::of1(&channel.port2());
    let reader = reader.dyn_ref::<MessagePort>()?;
    reader.post_message_with_transferable(&JsValue::NULL, &handed_over).ok()?;
    Some(channel.port1())
}

/// Feeds a piece to a job, copied once: into its memory. Whether the job took it; not after what is no capture.
pub fn feed(job: &mut Job, piece: &Uint8Array) -> bool {
    let len = piece.length();
    (0..len).step_by(SWALLOW_LEN as usize).all(|start| {
        let part = piece.subarray(start, len.min(start + SWALLOW_LEN));
        let taken = job.fill(part.length() as usize, |room| {
            part.copy_to(room);
            Ok::<_, Infallible>(room.len())
        });
        room::look_ahead();
        taken != Ok(0)
    })
}
