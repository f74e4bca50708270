//! What can go wrong on the way from a server to a folder.

use std::path::PathBuf;

/// Why a data set could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is nothing to download under this name.
    #[error("{name}: {reason}")]
    Nothing {
        /// Data set.
        name: String,
        /// What to do instead.
        reason: String,
    },
    /// This build opens no connections.
    #[error("this build cannot download (feature `download`); fetch {url} yourself and unpack it into {}", dir.display())]
    NoNetwork {
        /// What to fetch.
        url: String,
        /// Where it belongs.
        dir: PathBuf,
    },
    /// No folder to put it into.
    #[error("there is no folder for data sets on this platform; name one with --data-dir")]
    NoFolder,
    /// Something of that name is there, and it is not the whole set.
    #[error("{} is there already, but {reason}; move it away and fetch again", folder.display())]
    InTheWay {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server was not reached, or said no.
    #[error("{url}: {reason}; --mirror URL takes the files from elsewhere")]
    Server {
        /// What was asked for.
        url: String,
        /// The answer.
        reason: String,
    },
    /// The connection ended before the file did.
    #[error("{url}: the connection broke after {done} bytes ({reason}); they are kept, and the same command goes on from there")]
    Broken {
        /// What was asked for.
        url: String,
        /// Bytes that are on disk.
        done: u64,
        /// How it ended.
        reason: String,
    },
    /// The file is not the published one.
    #[error("{}: {kind} {found}, expected {expected}: not the published file{}", file.display(), if *dropped { "; it was removed, so the next try starts anew" } else { "" })]
    Checksum {
        /// The file.
        file: PathBuf,
        /// Which sum.
        kind: &'static str,
        /// Its sum, in hexadecimal digits.
        found: String,
        /// The published one.
        expected: String,
        /// Whether it was removed: only what was downloaded here is.
        dropped: bool,
    },
    /// An archive that cannot be unpacked, or would write where it must not.
    #[error("{}: {entry}: {reason}", archive.display())]
    Archive {
        /// The archive.
        archive: PathBuf,
        /// The entry, or what of the archive is meant.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk refused, for instance because it is full.
    #[error("{}: {source}{}", file.display(), if *kept { "; what was downloaded is kept, and the same command goes on from there" } else { "" })]
    Disk {
        /// The file.
        file: PathBuf,
        /// The system's own words.
        source: std::io::Error,
        /// Whether a later call goes on from what is there.
        kept: bool,
    },
    /// What was fetched does not check out.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
}
