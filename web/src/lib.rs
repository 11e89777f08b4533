//! The browser host: the page a person sees, and the worker that reads the capture.

pub mod app;
pub mod backend;
pub mod chunks;
pub mod clock;
pub mod columns;
pub mod comparing;
pub mod countries;
pub mod files;
pub mod format;
pub mod groups;
pub mod i18n;
pub mod learner;
pub mod message;
pub mod pages;
pub mod parts;
pub mod picking;
pub mod place;
pub mod reference;
pub mod report;
pub mod room;
pub mod state;
pub mod terms;
pub mod training;
