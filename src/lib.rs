//! x
pub mod app;
pub mod attack;
pub mod cli;
pub mod data;
pub mod defense;
pub mod export;
pub mod figure;
pub mod kernel;
pub mod model;
pub mod paths;
pub mod rng;
pub mod run;
pub mod schedule;
pub mod spec;
pub mod train;
pub mod ui;
