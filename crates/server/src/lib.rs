//! The native host of the engine: capture files, clock, threads and sockets, and nothing that knows a packet.

mod companion;
mod folder;
mod guard;
mod http;
mod page;
mod picking;
mod reading;
mod store;
mod threads;
mod training;

pub use crate::{
    companion::{Companion, Error},
    guard::Hosts,
    http::app,
    picking::{PickingError, pick},
    reading::{CHUNK_LEN, analyse, n_cores, read, run_seed},
};
pub use reading::Stopped;
