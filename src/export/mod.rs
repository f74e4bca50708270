//! Runs as tables and objects for other programs.

pub mod csv;
pub mod findings;
pub mod json;
