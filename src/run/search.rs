//! What a defense looks for before its first step, done once and kept in `evidence/` of its run.

use super::command::Command;
use super::evidence::Evidence;
use super::session::Signal;
use super::store::{RunDir, StoreError};
use super::work::Work;
use super::worker::RunError;
use crate::defense::{Case, Defense, Halt};
use crate::files;
use crate::kernel::Train;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// What was found, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Seconds of the search: part of the defense's cost (spec.md section 4).
    pub(super) seconds: f64,
    /// For whoever watches.
    pub(super) evidence: Vec<Evidence>,
}

/// The last file of a search: where it is, the others are whole.
const FOUND: &str = "found.json";

impl<B: Train> Work<'_, B> {
    /// Lets a defense look at what it was given, or recalls what it found before; `None` when the user ended it.
    pub(super) fn search(&self, defense: &mut dyn Defense<B>, case: &Case<'_, B>, dir: &RunDir) -> Result<Option<Found>, RunError> {
        let folder = dir.path.join("evidence");
        if let Some(found) = std::fs::read(folder.join(FOUND)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            defense.recall(case, &folder)?;
            return Ok(Some(found));
        }
        let started = Instant::now();
        let mut stood = 0.0;
        let mut watch = |what: &str, done: usize, total: usize| {
            drop(self.signals.send(Signal::Preparing { what: what.to_owned(), done, total }));
            let (go_on, waited) = self.obey();
            stood += waited;
            go_on
        };
        let evidence = match defense.search(case, &mut watch) {
            Ok(evidence) => evidence,
            Err(Halt::Ended) => return Ok(None),
            Err(Halt::Failed(error)) => return Err(error.into()),
        };
        let found = Found { seconds: started.elapsed().as_secs_f64() - stood, evidence };
        let mut written = defense.files()?;
        if !found.evidence.is_empty() || !written.is_empty() {
            written.push((FOUND.to_owned(), serde_json::to_vec(&found).unwrap_or_default()));
        }
        for (name, bytes) in written {
            write(&folder, &name, &bytes)?;
        }
        Ok(Some(found))
    }

    /// Carries out what was ordered while a defense searches: whether it goes on, and the seconds for which it stood still.
    fn obey(&self) -> (bool, f64) {
        let mut paused = None;
        loop {
            let order = if paused.is_some() { self.commands.recv().ok() } else { self.commands.try_recv().ok() };
            match (order, paused) {
                (Some(Command::Stop), _) => return (false, 0.0),
                (Some(Command::Pause), None) => paused = Some(Instant::now()),
                // A watcher that is gone cannot resume what it paused.
                (None, Some(_)) => return (false, 0.0),
                (Some(Command::Resume), Some(since)) => return (true, since.elapsed().as_secs_f64()),
                (None, None) => return (true, 0.0),
                _ => {}
            }
        }
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder).and_then(|()| files::write(&path, bytes)).map_err(|source| StoreError::Io { path, source })
}
