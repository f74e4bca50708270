//! Panels of the Figures screen.

pub mod list;
pub mod preview;
pub mod title;
