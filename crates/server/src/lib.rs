//! The native host of the engine: capture files, what clusters found, clock, threads and sockets, and nothing that knows a packet.

mod answers;
mod arriving;
mod companion;
mod folder;
mod found;
mod guard;
mod http;
mod jobs;
mod metrics;
mod page;
mod picking;
mod serving;
mod store;
mod training;
mod wire;

pub use crate::{
    companion::{Companion, Error, Options},
    guard::{Hosts, Token},
    http::app,
    picking::{PickingError, pick},
    serving::{listen, serve},
};
