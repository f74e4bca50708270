//! Runs: the worker thread, what it can be told, what it tells, and the directory it leaves behind.

pub mod answers;
pub mod cell;
pub mod command;
mod desk;
pub mod device;
mod encoder;
pub mod event;
pub mod evidence;
pub mod examine;
pub mod find;
mod network;
pub mod reinject;
pub mod score;
mod search;
pub mod session;
pub mod speed;
pub mod store;
pub mod threads;
pub mod trained;
pub mod trigger;
pub mod view;
mod work;
pub mod worker;
