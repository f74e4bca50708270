//! Runs: the worker thread, what it can be told, what it tells, and the directory it leaves behind.

pub mod command;
pub mod event;
pub mod session;
pub mod view;
