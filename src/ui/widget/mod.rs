//! Small things that panels are made of.

mod bar;
pub mod pair;

pub use bar::bar;
