//! The companion as whoever asks it sees it: over sockets, with its folders, from start to stop and again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod contract;
mod found;
mod jobs;
mod serve;
mod site;
