//! Checkpoints: everything that training needs to go on as if it had never stopped.

use super::learner::Learner;
use crate::files;
use crate::kernel::Train;
use crate::model::store::StoreError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where training stands, apart from weights and velocities. Random streams follow from the step and need no state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: u64,
    /// Seconds of training so far, evaluation excluded.
    pub train_seconds: f64,
    /// Sum of the losses since the last probe, and of how many steps.
    pub probe_loss: (f64, u64),
    /// Sum of the losses of this epoch, and of how many steps.
    pub epoch_loss: (f64, u64),
    /// The class that most triggered images were taken for after the first epoch (transfer; spec.md section 2).
    #[serde(default)]
    pub first_majority: Option<u16>,
}

/// The files of one checkpoint. The small JSON file is written last: where it is, the others are whole.
pub struct Files {
    /// Weights, loadable by PyTorch.
    pub weights: PathBuf,
    /// [`Progress`].
    pub progress: PathBuf,
    dir: PathBuf,
    step: u64,
}

impl Files {
    /// Those of `step` in `dir`.
    pub fn of(dir: &Path, step: u64) -> Self {
        let name = |end: &str| dir.join(format!("{step:07}.{end}"));
        Self { weights: name("safetensors"), progress: name("json"), dir: dir.to_owned(), step }
    }

    /// A part beside the weights, for instance the optimiser's velocities, laid out as the weights.
    pub fn part(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{:07}.{name}.safetensors", self.step))
    }

    /// A part that is no weights, for instance what was isolated.
    pub fn state(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{:07}.{name}.json", self.step))
    }

    /// Every file of this checkpoint that is there.
    fn all(&self) -> Vec<PathBuf> {
        let prefix = format!("{:07}.", self.step);
        let entries = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.filter(|e| e.file_name().to_string_lossy().starts_with(&prefix)).map(|e| e.path()).collect()
    }
}

/// Models up to this size keep the weights of every checkpoint, larger ones only the last two.
const KEEP_ALL_BYTES: u64 = 8 << 20;

/// Writes a checkpoint and drops what older ones no longer need; returns the name of the weights' file.
///
/// # Errors
/// When the disk refuses.
pub fn save<B: Train>(dir: &Path, learner: &dyn Learner<B>, progress: &Progress) -> Result<String, StoreError> {
    let files = Files::of(dir, progress.step);
    learner.save(&files)?;
    let text = serde_json::to_vec(progress).unwrap_or_default();
    files::write(&files.progress, &text).map_err(|e| StoreError { file: files.progress.display().to_string(), message: e.to_string() })?;
    prune(dir);
    Ok(files.weights.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// Steps of the whole checkpoints in `dir`, ascending.
pub fn steps(dir: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut steps: Vec<u64> = entries.filter_map(|e| e.file_name().to_str()?.strip_suffix(".json")?.parse().ok()).collect();
    steps.sort_unstable();
    steps
}

/// Best effort: what cannot be dropped now is dropped next time.
fn prune(dir: &Path) {
    let steps = steps(dir);
    for &step in steps.iter().rev().skip(2) {
        let files = Files::of(dir, step);
        let small = std::fs::metadata(&files.weights).is_ok_and(|m| m.len() <= KEEP_ALL_BYTES);
        for file in files.all().into_iter().filter(|f| !(small && *f == files.weights)) {
            drop(std::fs::remove_file(file));
        }
    }
}

/// Reads the checkpoint of `step` into a learner of the same shape.
///
/// # Errors
/// When a file is missing or damaged.
pub fn load<B: Train>(dir: &Path, step: u64, learner: &mut dyn Learner<B>) -> Result<Progress, StoreError> {
    let files = Files::of(dir, step);
    let progress = progress(&files)?;
    learner.restore(&files, progress.step)?;
    Ok(progress)
}

/// Reads where training stood.
///
/// # Errors
/// When the file is missing or damaged.
pub fn progress(files: &Files) -> Result<Progress, StoreError> {
    let failed = |message: String| StoreError { file: files.progress.display().to_string(), message };
    let text = std::fs::read(&files.progress).map_err(|e| failed(e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))
}
