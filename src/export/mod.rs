//! Runs as tables, objects and pictures for other programs.

pub mod again;
pub mod answers;
pub mod comparison;
pub mod csv;
pub mod differences;
mod error;
pub mod findings;
pub mod json;
pub mod pictures;
mod planted;
pub mod poisoned;
pub mod report;
pub mod table;

pub use error::ExportError;
pub use planted::Planted;
