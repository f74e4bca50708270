//! The kinds of figures: each makes a [`super::Scene`] of settings or of runs.

pub mod curves;
pub mod evidence;
pub mod live;
pub mod pictures;
pub mod plane;
pub mod schedule;
