//! A directory of runs that is looked at again and again: only what has changed since is read anew.

use super::Candidate;
use crate::figure::FigureError;
use crate::figure::runs::{self, Damage};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What was read of a directory of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// Runs that can be compared, by name.
    pub candidates: Vec<Candidate>,
    /// Directories that could not be read.
    pub damaged: Vec<Damage>,
}

/// Tells one state of a run directory from another: length and time of its log and of its settings, and whether it is done.
type Stamp = ([Option<(u64, Option<SystemTime>)>; 2], bool);

/// The reader.
#[derive(Debug, Default)]
pub struct Shelf {
    known: BTreeMap<PathBuf, (Stamp, Result<Option<Candidate>, Damage>)>,
}

impl Shelf {
    /// What stands in `dir` now.
    ///
    /// # Errors
    /// When `dir` itself cannot be listed.
    pub fn read(&mut self, dir: &Path) -> Result<Library, FigureError> {
        let dirs = runs::directories(dir)?;
        self.known.retain(|path, _| dirs.binary_search(path).is_ok());
        let mut library = Library::default();
        for dir in dirs {
            let stamp = stamp(&dir);
            let known = self.known.get(&dir).filter(|(then, _)| *then == stamp).map(|(_, found)| found.clone());
            let found = known.unwrap_or_else(|| runs::read(&dir).map(|run| Candidate::of(Arc::new(run))));
            match &found {
                Ok(candidate) => library.candidates.extend(candidate.clone()),
                Err(damage) => library.damaged.push(damage.clone()),
            }
            self.known.insert(dir, (stamp, found));
        }
        Ok(library)
    }
}

fn stamp(dir: &Path) -> Stamp {
    let of = |name: &str| std::fs::metadata(dir.join(name)).ok().map(|data| (data.len(), data.modified().ok()));
    (["events.jsonl", "spec.toml"].map(of), dir.join("done.json").exists())
}
