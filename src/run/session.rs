//! The two ends between a running worker and whoever watches it. No tensors: tests put a replayed log in its place.

use super::command::Command;
use super::event::Event;
use crate::spec::Stage;
use crossbeam_channel::{Receiver, Sender};
use std::path::PathBuf;

/// What a worker tells its watcher.
#[derive(Clone, Debug)]
pub enum Signal {
    /// Something that takes a while goes on before the first step (drawing images, reading files).
    Preparing {
        /// What, in words.
        what: String,
        /// Parts done.
        done: usize,
        /// Parts in all.
        total: usize,
    },
    /// A line of the log of one stage. The lines of the attack all come before those of the defense.
    Event {
        /// Which log.
        stage: Stage,
        /// Directory of that run.
        dir: PathBuf,
        /// Whether the line comes from a run that was computed earlier.
        replayed: bool,
        /// The line.
        event: Event,
    },
    /// Nothing more will come.
    Ended(Result<(), Failure>),
}

/// Why a run ended early, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What happened and what to do.
    pub message: String,
    /// What kind of thing went wrong.
    pub kind: FailureKind,
}

/// What kind of thing went wrong: exit codes follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Data are missing or damaged.
    Data,
    /// The device is not there or gave up.
    Device,
    /// Anything else.
    Other,
}

/// A worker seen from outside.
#[derive(Clone, Debug)]
pub struct Session {
    /// What it tells.
    pub signals: Receiver<Signal>,
    /// What it can be told.
    pub commands: Sender<Command>,
}
