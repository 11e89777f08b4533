//! The native host of the engine: capture files, clock, threads and sockets, and nothing that knows a packet.

mod reading;

pub use crate::reading::{CHUNK_LEN, analyse, read, run_seed};
