//! Exit codes, and the one place where errors become words.

use crate::data::DataError;
use crate::data::fetch::FetchError;
use crate::export::ExportError;
use crate::figure::FigureError;
use crate::run::device::DeviceError;
use crate::run::find::FindError;
use crate::run::session::{Failure, FailureKind};
use crate::run::store::StoreError;
use crate::run::trained::TrainedError;
use crate::sequela::infer::MembershipError;
use crate::spec::SpecError;
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// It failed.
    Failed = 1,
    /// The command line or a preset makes no sense.
    Usage = 2,
    /// Data are missing or damaged.
    Data = 3,
    /// The device is not there or gave up.
    Device = 4,
    /// It was told to make room and wrote a checkpoint; the same command goes on from there.
    Preempted = 75,
    /// The user interrupted it; a checkpoint was written.
    Interrupted = 130,
}

impl Exit {
    /// After a signal that left a checkpoint: SIGINT (2) is the user's, any other a scheduler's.
    pub fn of_signal(signal: i32) -> Self {
        if signal == 2 { Self::Interrupted } else { Self::Preempted }
    }

    /// clap's own verdict: help and version are fine.
    pub fn from_clap(error: &clap::Error) -> Self {
        if error.use_stderr() { Self::Usage } else { Self::Ok }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Anything that can go wrong at the edge.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Settings.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// Data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A download.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A run.
    #[error("{0}")]
    Run(Failure),
    /// A sweep.
    #[error(transparent)]
    Sweep(#[from] crate::run::cell::CellError),
    /// No run of that name.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A run directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A finished run.
    #[error(transparent)]
    Trained(#[from] TrainedError),
    /// Membership inference.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// A figure.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// An export.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The screen.
    #[error(transparent)]
    Screen(#[from] crate::ui::UiError),
    /// Nothing to compare.
    #[error("nothing to compare in {}: no run has {wanted}; `tuneout runs` lists them", runs.display())]
    NothingToCompare {
        /// The directory of runs.
        runs: std::path::PathBuf,
        /// What was asked for, in words.
        wanted: String,
    },
    /// No terminal to open the screen on.
    #[error("the Bench needs a terminal on standard input and output; without one, use `tuneout run demo`")]
    NoTerminal,
    /// Output that cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(std::io::Error),
}

impl CliError {
    /// The exit code that belongs to it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Spec(_) | Self::NoTerminal | Self::Screen(crate::ui::UiError::Theme(_) | crate::ui::UiError::NoTheme { .. }) => Exit::Usage,
            Self::Find(FindError::Nothing { .. } | FindError::Several { .. }) | Self::NothingToCompare { .. } => Exit::Usage,
            Self::Fetch(FetchError::Nothing { .. } | FetchError::NoFolder) => Exit::Usage,
            Self::Figure(
                FigureError::Unknown { .. }
                | FigureError::Format(_)
                | FigureError::Origin(_)
                | FigureError::Preset { .. }
                | FigureError::Settings { .. },
            ) => Exit::Usage,
            Self::Export(error) => of_export(error),
            Self::Trained(error) if error.is_usage() => Exit::Usage,
            Self::Membership(error) if error.is_usage() => Exit::Usage,
            Self::Trained(error) if error.is_data() => Exit::Data,
            Self::Membership(error) if error.is_data() => Exit::Data,
            Self::Data(_) | Self::Fetch(_) => Exit::Data,
            Self::Device(_) => Exit::Device,
            Self::Sweep(error) if error.is_usage() => Exit::Usage,
            Self::Run(failure) => match failure.kind {
                FailureKind::Data => Exit::Data,
                FailureKind::Device => Exit::Device,
                FailureKind::Other => Exit::Failed,
            },
            Self::Find(_)
            | Self::Store(_)
            | Self::Trained(_)
            | Self::Membership(_)
            | Self::Sweep(_)
            | Self::Figure(_)
            | Self::Screen(_)
            | Self::Output(_) => Exit::Failed,
        }
    }
}

fn of_export(error: &ExportError) -> Exit {
    use ExportError as E;
    match error {
        E::Find(_) | E::Clean { .. } | E::Reinjection { .. } | E::NotEmpty { .. } | E::Exists { .. } => Exit::Usage,
        E::Attack(_) | E::Data(_) | E::OtherImages { .. } | E::Size { .. } => Exit::Data,
        E::Damaged(_) | E::NotBegun { .. } | E::NoParent { .. } | E::Unfinished { .. } | E::Figure(_) | E::Io { .. } => Exit::Failed,
    }
}
