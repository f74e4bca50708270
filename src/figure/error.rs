//! What can go wrong between logs and a picture.

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
    #[error("there are no numbers of `{0}`; there are those of: paper, leaderboard")]
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
    #[error("{figure}: there is no run to draw in {}; make one, for instance with `tuneout run demo`", runs.display())]
    Empty {
        /// The figure.
        figure: String,
        /// Where runs were looked for.
        runs: PathBuf,
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
