//! What a person sees. A page is one file: it asks, and shows the answer.

pub mod account;
pub mod companion;
pub mod export;
pub mod first;
pub mod flow;
pub mod flows;
pub mod hosts;
pub mod keys;
pub mod labels;
pub mod overview;
pub mod reading;
pub mod seal;
pub mod sessions;
pub mod train;
pub mod waiting;
