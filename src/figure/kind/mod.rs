//! The kinds of figures: each makes a [`super::Scene`] of settings or of runs.

pub mod ablation;
pub mod curves;
pub mod evidence;
pub mod hours;
pub mod live;
pub mod membership;
pub(super) mod models;
pub mod outcomes;
pub mod pictures;
pub mod plane;
pub mod reinjection;
pub mod schedule;
