//! What can go wrong between logs and a picture.

use super::FigureId;
use std::path::PathBuf;

/// A figure that cannot be made. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// No figure of that name.
    #[error("there is no figure `{name}`; there are: {}", known.join(", "))]
    Unknown {
        /// Name given.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },
    /// No file format of that name.
    #[error("there is no format `{0}`; there are: svg, png, csv")]
    Format(String),
    /// No origin of reported numbers of that name.
    #[error("nobody called `{0}` reports numbers; there are: paper, leaderboard")]
    Origin(String),
    /// A figure's preset cannot be understood.
    #[error("{origin}: {message}")]
    Preset {
        /// The preset.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// The settings given have no such figure.
    #[error("{figure} {message}")]
    Settings {
        /// The figure.
        figure: String,
        /// What is wrong with them, and what helps.
        message: String,
    },
    /// Nothing was run yet that the figure could show.
    #[error("{id}: there is no run to draw in {}; `tuneout figure {} --reduced --run-missing` makes small ones", runs.display(), id.word())]
    Empty {
        /// The figure.
        id: FigureId,
        /// Where runs were looked for.
        runs: PathBuf,
    },
    /// Nothing of what the figure shows was measured yet.
    #[error(
        "{id}: nothing to draw was measured in {}; `{command}` measures a run, `tuneout figure {} --reduced --run-missing` small ones", runs.display(), id.word()
    )]
    Unmeasured {
        /// The figure.
        id: FigureId,
        /// Where runs were looked for.
        runs: PathBuf,
        /// What measures it.
        command: &'static str,
    },
    /// A file or directory that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The picture could not be drawn: a fault of the program.
    #[error("the figure could not be drawn: {0}")]
    Draw(String),
}
