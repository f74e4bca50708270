//! Runs as tables and objects for other programs.

pub mod answers;
pub mod csv;
pub mod json;
