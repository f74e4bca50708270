//! Cells of a sweep on disk: who computes one, and what came of it.
//!
//! ```text
//! RUNS/cells/CELL.lock   held by the process that computes the cell; the system lets go of it when the process dies
//! RUNS/cells/CELL.json   what came of it, written last
//! ```
//! The files are the engine: any scheduler, or several, or a crash in between, leave the same table.

use super::event::Measures;
use super::evidence::Detection;
use crate::files;
use crate::spec::sweep::Cell;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A sweep that cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// A file of cells, or of a cell, that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A line that is no cell.
    #[error("{}: line {line}: {message}; write the file with `tuneout sweep plan`", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The parser's words.
        message: String,
    },
    /// There is no such cell.
    #[error("--index {index}: {} has cells 0..{}", path.display(), count.saturating_sub(1))]
    Index {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A child process that cannot be started.
    #[error("a cell cannot be started: {0}")]
    Start(std::io::Error),
}

impl CellError {
    /// Whether the command line is to blame.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Line { .. } | Self::Index { .. })
            || matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}

/// What came of a cell.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// The cell.
    pub cell: String,
    /// Why it failed; none where it is done.
    pub error: Option<String>,
    /// Exit code of a run that failed.
    pub exit: u8,
    /// Run directory of the backdoored model.
    pub attack_run: String,
    /// Run directory of the defended model.
    pub defense_run: Option<String>,
    /// Of the backdoored model.
    pub before: Measures,
    /// Of the defended model; of the backdoored one where there is no defense.
    pub after: Measures,
    /// Seconds of the defense (of the attack where there is no defense), evaluation excluded.
    pub seconds: f64,
    /// Clean images that the defense was given.
    pub clean_images: usize,
    /// Poisoned images that the defense was given.
    pub poisoned_images: usize,
    /// What the defense removed.
    pub detection: Option<Detection>,
    /// Neural Cleanse: whether the attacker's class is among those that it flagged.
    pub flagged: Option<bool>,
    /// Device in words.
    pub device: String,
    /// Whether seconds are a GPU's.
    pub gpu: bool,
    /// Version of the program.
    pub version: String,
}

/// Where a cell stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It was computed.
    Done(Box<Outcome>),
    /// It was computed, and failed.
    Failed(Box<Outcome>),
    /// A process is at it.
    Running,
    /// Nobody is at it.
    Waiting,
}

/// The cells of a file.
///
/// # Errors
/// When it cannot be read, or a line is no cell.
pub fn read(path: &Path) -> Result<Vec<Cell>, CellError> {
    let text = std::fs::read_to_string(path).map_err(|source| CellError::Io { path: path.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| serde_json::from_str(line).map_err(|e| CellError::Line { path: path.to_owned(), line: at + 1, message: e.to_string() }))
        .collect()
}

/// The cell, held by this process.
#[derive(Debug)]
pub struct Lease(#[expect(dead_code, reason = "held for its lock alone")] File);

/// Attempts at a lock, and the pause between them: whoever looks where a cell stands ([`state`]) holds it for a moment.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Takes a cell; `None` where another process has it.
///
/// # Errors
/// When the disk refuses.
pub fn take(runs: &Path, cell: &Cell) -> Result<Option<Lease>, CellError> {
    let path = file(runs, cell, "lock");
    let io = |source| CellError::Io { path: path.clone(), source };
    std::fs::create_dir_all(runs.join("cells")).map_err(io)?;
    let lock = File::create(&path).map_err(io)?;
    for _ in 0..ATTEMPTS {
        match lock.try_lock() {
            Ok(()) => return Ok(Some(Lease(lock))),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(std::fs::TryLockError::Error(source)) => return Err(io(source)),
        }
    }
    Ok(None)
}

/// Writes what came of a cell.
///
/// # Errors
/// When the disk refuses.
pub fn finish(runs: &Path, cell: &Cell, outcome: &Outcome) -> Result<(), CellError> {
    let path = file(runs, cell, "json");
    let text = serde_json::to_vec_pretty(outcome).unwrap_or_default();
    files::write(&path, &text).map_err(|source| CellError::Io { path, source })
}

/// What came of a cell, as far as there is something. A damaged file counts as none: the cell is computed again.
pub fn outcome(runs: &Path, cell: &Cell) -> Option<Outcome> {
    std::fs::read(file(runs, cell, "json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

/// Where a cell stands.
pub fn state(runs: &Path, cell: &Cell) -> State {
    match outcome(runs, cell) {
        Some(outcome) if outcome.error.is_none() => State::Done(Box::new(outcome)),
        found => {
            let held = File::open(file(runs, cell, "lock")).is_ok_and(|lock| matches!(lock.try_lock(), Err(std::fs::TryLockError::WouldBlock)));
            match found {
                _ if held => State::Running,
                Some(outcome) => State::Failed(Box::new(outcome)),
                None => State::Waiting,
            }
        }
    }
}

fn file(runs: &Path, cell: &Cell, extension: &str) -> PathBuf {
    runs.join("cells").join(format!("{}.{extension}", cell.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Stage;

    fn cell(id: &str) -> Cell {
        let spec = crate::spec::RunSpec::default().to_table();
        Cell { id: id.into(), stage: Stage::Attack, attack: "badnets".into(), defense: None, seed: 0, needs: None, spec }
    }

    #[test]
    fn a_cell_is_held_by_one_and_done_once() {
        let dir = tempfile::tempdir().unwrap();
        let (runs, cell) = (dir.path(), cell("a"));
        assert_eq!(state(runs, &cell), State::Waiting);
        let lease = take(runs, &cell).unwrap().unwrap();
        assert!(take(runs, &cell).unwrap().is_none());
        assert_eq!(state(runs, &cell), State::Running);
        let failed = Outcome { cell: "a".into(), error: Some("diverged".into()), exit: 1, ..Outcome::default() };
        finish(runs, &cell, &failed).unwrap();
        drop(lease);
        assert_eq!(state(runs, &cell), State::Failed(Box::new(failed)));
        let done = Outcome { cell: "a".into(), ..Outcome::default() };
        finish(runs, &cell, &done).unwrap();
        assert_eq!(state(runs, &cell), State::Done(Box::new(done)));
        std::fs::write(runs.join("cells/a.json"), "{").unwrap();
        assert_eq!(state(runs, &cell), State::Waiting);
    }

    #[test]
    fn a_look_at_a_cell_keeps_nobody_from_taking_it() {
        let dir = tempfile::tempdir().unwrap();
        let cell = cell("a");
        drop(take(dir.path(), &cell).unwrap());
        let looked = File::open(file(dir.path(), &cell, "lock")).unwrap();
        looked.try_lock().unwrap();
        let looking = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(looked);
        });
        assert!(take(dir.path(), &cell).unwrap().is_some());
        looking.join().unwrap();
    }

    #[test]
    fn a_damaged_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cells.jsonl");
        std::fs::write(&path, format!("{}\n\n{{\n", serde_json::to_string(&cell("a")).unwrap())).unwrap();
        let error = read(&path).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("line 3"), "{error}");
        assert!(read(&dir.path().join("none")).unwrap_err().is_usage());
    }
}
