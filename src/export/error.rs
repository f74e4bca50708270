//! What can go wrong between a run directory and the files made from it.

use crate::attack::AttackError;
use crate::data::DataError;
use crate::figure::runs::Damage;
use crate::run::find::FindError;
use std::path::PathBuf;

/// An export that cannot be made. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// No such run, or several.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A run directory that cannot be read.
    #[error("{0}")]
    Damaged(Damage),
    /// A run that never began.
    #[error("{id}: the run has not begun, so there is no trigger yet; start it with `tuneout run`")]
    NotBegun {
        /// The run.
        id: String,
    },
    /// A clean model.
    #[error("{id} is a model before its attack and has no trigger; name the run of an attack, or of a defense")]
    Clean {
        /// The run.
        id: String,
    },
    /// A backdoor that was put in again.
    #[error("{id} puts a backdoor in again with the trigger of another run; name that run (reinjection.source in its first event)")]
    Reinjection {
        /// The run.
        id: String,
    },
    /// The backdoored model from which a defense started is gone.
    #[error("{id} started from {parent}, which is not in {}; put that run's directory back beside it", runs.display())]
    NoParent {
        /// The defense's run.
        id: String,
        /// The attack's.
        parent: String,
        /// Where it should be.
        runs: PathBuf,
    },
    /// A trigger that is learned in training that has not ended.
    #[error("{id} has not come to its end, and its trigger is learned on the way; the same `tuneout run` goes on from its last checkpoint")]
    Unfinished {
        /// The run.
        id: String,
    },
    /// A trigger that cannot be read.
    #[error(transparent)]
    Attack(#[from] AttackError),
    /// Images that cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Not the images that the run saw.
    #[error(
        "the images of {set} are not those of {id} (their hash is {now}, the run's {then}): find the ones it saw and name their folder with --data-dir, or run it again"
    )]
    OtherImages {
        /// The data set.
        set: String,
        /// The run.
        id: String,
        /// Hash of the images there are.
        now: String,
        /// Hash of those that the run saw.
        then: String,
    },
    /// A picture of another size than the model's.
    #[error("{}: {} x {} pixels, and the model takes {} x {}; leave --no-resize out to have it resized", file.display(), size[0], size[1], wanted[0], wanted[1])]
    Size {
        /// The picture.
        file: PathBuf,
        /// Its width and height.
        size: [u32; 2],
        /// The model's.
        wanted: [u32; 2],
    },
    /// A directory that is not empty.
    #[error("{} is not empty; name a new directory, or an empty one", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// A file that would be overwritten.
    #[error("{} is there already; name another directory", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A chart that cannot be drawn or written.
    #[error(transparent)]
    Figure(#[from] crate::figure::FigureError),
    /// A file or directory that cannot be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
}
