//! A directory of runs that is looked at again and again: only what has changed since is read anew.

use super::Candidate;
use crate::figure::FigureError;
use crate::figure::runs::{self, Damage, RunEntry, Scan};
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
    known: BTreeMap<PathBuf, (Stamp, Result<Entry, Damage>)>,
}

/// A run, and what of it can be compared.
type Entry = (Arc<RunEntry>, Option<Candidate>);

impl Shelf {
    /// What stands in `dir` now.
    ///
    /// # Errors
    /// When `dir` itself cannot be listed.
    pub fn read(&mut self, dir: &Path) -> Result<Library, FigureError> {
        let mut library = Library::default();
        self.look(dir, |found| match found {
            Ok((_, candidate)) => library.candidates.extend(candidate.clone()),
            Err(damage) => library.damaged.push(damage.clone()),
        })?;
        Ok(library)
    }

    /// Every run that stands in `dir` now.
    ///
    /// # Errors
    /// When `dir` itself cannot be listed.
    pub fn scan(&mut self, dir: &Path) -> Result<Scan, FigureError> {
        let mut scan = Scan { dir: dir.to_owned(), ..Scan::default() };
        self.look(dir, |found| match found {
            Ok((run, _)) => scan.runs.push((**run).clone()),
            Err(damage) => scan.damaged.push(damage.clone()),
        })?;
        Ok(scan)
    }

    fn look(&mut self, dir: &Path, mut tell: impl FnMut(&Result<Entry, Damage>)) -> Result<(), FigureError> {
        let dirs = runs::directories(dir)?;
        self.known.retain(|path, _| dirs.binary_search(path).is_ok());
        for dir in dirs {
            let stamp = stamp(&dir);
            let known = self.known.get(&dir).filter(|(then, _)| *then == stamp).map(|(_, found)| found.clone());
            let found = known.unwrap_or_else(|| {
                let run = Arc::new(runs::read(&dir)?);
                Ok((run.clone(), Candidate::of(run)))
            });
            tell(&found);
            self.known.insert(dir, (stamp, found));
        }
        Ok(())
    }
}

fn stamp(dir: &Path) -> Stamp {
    let of = |name: &str| std::fs::metadata(dir.join(name)).ok().map(|data| (data.len(), data.modified().ok()));
    (["events.jsonl", "spec.toml"].map(of), dir.join("done.json").exists())
}
