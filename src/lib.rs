//! tuneout.
pub mod data;
pub mod paths;
pub mod run;
pub mod schedule;
pub mod spec;
