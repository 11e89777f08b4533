//! The native host of the engine: capture files, clock, threads and sockets, and nothing that knows a packet.

mod answers;
mod arriving;
mod companion;
mod folder;
mod guard;
mod http;
mod jobs;
mod metrics;
mod page;
mod picking;
mod reading;
mod serving;
mod store;
mod threads;
mod training;
mod wire;

pub use crate::{
    companion::{Companion, Error, Options},
    guard::{Hosts, Token},
    http::app,
    picking::{PickingError, pick},
    reading::{AsOne, CHUNK_LEN, analyse, first_time, n_cores, read, run_seed},
    serving::{listen, serve},
};
pub use reading::Stopped;
