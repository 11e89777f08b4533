//! The browser host: the page a person sees, and the worker that reads the capture.

pub mod app;
pub mod backend;
pub mod chunks;
pub mod files;
pub mod format;
pub mod groups;
pub mod i18n;
pub mod learner;
pub mod message;
pub mod pages;
pub mod parts;
pub mod place;
pub mod state;
pub mod terms;
pub mod training;
