//! What a run can be told while it goes on.

use serde::{Deserialize, Serialize};

/// A wish that takes effect at the next step boundary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// Change a live setting (`spec::field`, `live`), for instance `defense.lr_max1`.
    Set {
        /// Dotted path.
        path: String,
        /// New value.
        value: f64,
    },
    /// Stand still.
    Pause,
    /// Go on.
    Resume,
    /// Write a checkpoint and end.
    Stop,
}
