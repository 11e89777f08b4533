//! What a person sees. A page is one file: it asks, and shows the answer.

pub mod account;
pub mod breakdown;
pub mod chooser;
pub mod companion;
pub mod compare;
pub mod countries;
pub mod export;
pub mod first;
pub mod flow;
pub mod flow_menu;
pub mod flows;
pub mod hosts;
pub mod keys;
pub mod labels;
pub mod narrowed;
pub mod notable;
pub mod overview;
pub mod reading;
pub mod report;
pub mod saving;
pub mod seal;
pub mod sessions;
pub mod talks;
pub mod train;
pub mod waiting;
