//! Pieces of pages. They know texts, numbers and places, and nothing of captures.

pub mod bars;
pub mod chart;
pub mod field;
pub mod files;
pub mod filter;
pub mod graph;
pub mod hex;
pub mod icons;
pub mod link;
pub mod matrix;
pub mod menu;
pub mod packets;
pub mod plain;
pub mod reference;
pub mod ribbons;
pub mod rows;
pub mod small;
pub mod table;
