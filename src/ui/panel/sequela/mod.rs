//! Panels of the After-effects screen.

pub mod curves;
pub mod membership;
pub mod models;
pub mod title;
