//! Small things that panels are made of.

mod bar;

pub use bar::bar;
