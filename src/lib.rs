//! `tuneout`: a backdoor is planted in an image classifier, and tuned out of it again.
//!
//! The program is this library; the binary parses and dispatches. Modules use each other in one direction:
//!
//! ```text
//! spec, schedule <- data, model, kernel <- attack, defense <- train <- run <- cli
//!                                          run::{event, view, session} <- figure, export <- app <- ui
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`spec`], [`schedule`] | what a run is: settings, presets, learning rates; no tensors |
//! | [`data`] | data sets as 8-bit images: drawn ones and official files |
//! | [`kernel`], [`model`] | fast operations for CPUs, networks |
//! | [`attack`], [`defense`] | how a backdoor is planted and removed |
//! | [`train`] | the one training loop, evaluation, checkpoints |
//! | [`run`] | the worker thread, what it is told and tells, run directories |
//! | [`statistics`] | means over seeds, and when one may be called better |
//! | [`sequela`] | what a defense leaves behind: membership inference, the backdoor put in again |
//! | [`figure`], [`export`] | the paper's figures and tables from logs |
//! | [`app`], [`ui`] | the screen: a pure state, and what draws it |
//! | [`cli`] | the command line |
//!
//! Training runs on a worker thread that owns the device. Everything it says is a line of an event log
//! ([`run::event`]); the screen, the headless progress, the figures and a resumed run all read that log through one
//! reducer ([`run::view::RunView`]).
#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::todo, clippy::unimplemented))]
#![warn(missing_docs)]

pub mod app;
pub mod attack;
pub mod cli;
pub mod data;
pub mod defense;
pub mod export;
pub mod figure;
pub mod files;
pub mod kernel;
pub mod model;
pub mod paths;
pub mod rng;
pub mod run;
pub mod schedule;
pub mod sequela;
pub mod spec;
pub mod statistics;
pub mod train;
pub mod ui;
