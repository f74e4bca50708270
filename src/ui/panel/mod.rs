//! One file a panel, each with a free `render`.

pub mod browse;
mod browsed;
pub mod chart;
pub mod choices;
pub mod compare;
pub mod confirm;
pub mod cost;
pub mod curves;
pub mod evidence;
pub mod figures;
pub mod footer;
pub mod header;
pub mod help;
pub mod lens;
pub mod message;
pub mod numbers;
pub mod schedule;
pub mod sequela;
pub mod setup;
pub mod strip;
pub mod sweep;
pub mod verdict;
