//! Small things that panels are made of.

mod bar;
mod plot;
mod timeline;

pub use bar::bar;
pub use plot::Plot;
pub use timeline::{Segment, Timeline};
