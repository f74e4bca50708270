//! Runs: the worker thread, what it can be told, what it tells, and the directory it leaves behind.

pub mod answers;
pub mod command;
mod desk;
pub mod device;
mod encoder;
pub mod event;
pub mod examine;
pub mod files;
mod network;
pub mod score;
pub mod session;
pub mod store;
pub mod threads;
pub mod view;
mod work;
pub mod worker;
