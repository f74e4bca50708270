//! What can be wrong with data, in words that name file, place and remedy.

use std::path::PathBuf;

/// Why a data set could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No file where one belongs; the searched places are listed.
    #[error("{set}: {file} was not found; looked in {}. {hint}", list(searched))]
    Missing {
        /// Data set.
        set: String,
        /// File or folder that is missing.
        file: String,
        /// Folders that were searched, in order.
        searched: Vec<PathBuf>,
        /// What to do about it.
        hint: String,
    },
    /// A file that does not hold what its format says.
    #[error("{}: at byte {offset}: {found}; expected {expected}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Byte offset of the fault.
        offset: u64,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: String,
    },
    /// A folder or picture that is not what it should be.
    #[error("{}: {found}; expected {expected}", file.display())]
    Unfit {
        /// The file or folder.
        file: PathBuf,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// A target class that the set does not have.
    #[error("attack.target = {target}: {set} has classes 0..{}", classes.saturating_sub(1))]
    NoClass {
        /// Data set.
        set: String,
        /// Class asked for.
        target: usize,
        /// Classes there.
        classes: usize,
    },
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// More samples were asked for than there are.
    #[error("{what}: {wanted} images were asked for, {there} are there; lower data.train or data.test")]
    TooFew {
        /// Split.
        what: String,
        /// Samples present.
        there: usize,
        /// Samples asked for.
        wanted: usize,
    },
    /// An asset (a sign, a font) that cannot be drawn.
    #[error("asset {name}: {reason}")]
    Asset {
        /// Asset name.
        name: String,
        /// Why.
        reason: String,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}
