//! Checkpoints: everything that training needs to go on as if it had never stopped.

use super::sgd::Sgd;
use crate::kernel::Train;
use crate::model::{PreActResNet, store};
use crate::run::files;
use burn::module::AutodiffModule;
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
}

/// The files of one checkpoint. The small JSON file is written last: where it is, the others are whole.
pub struct Files {
    /// Weights, loadable by PyTorch.
    pub weights: PathBuf,
    /// Velocities of the optimiser, laid out as the weights.
    pub momentum: PathBuf,
    /// [`Progress`].
    pub progress: PathBuf,
}

impl Files {
    /// Those of `step` in `dir`.
    pub fn of(dir: &Path, step: u64) -> Self {
        let name = |end: &str| dir.join(format!("{step:07}.{end}"));
        Self { weights: name("safetensors"), momentum: name("momentum.safetensors"), progress: name("json") }
    }
}

/// Models up to this size keep the weights of every checkpoint, larger ones only the last two.
const KEEP_ALL_BYTES: u64 = 8 << 20;

/// Writes a checkpoint and drops what older ones no longer need; returns the name of the weights' file.
///
/// # Errors
/// When the disk refuses.
pub fn save<B: Train>(dir: &Path, model: &PreActResNet<B>, sgd: &Sgd<B>, progress: &Progress) -> Result<String, store::StoreError> {
    let files = Files::of(dir, progress.step);
    let weights = model.valid();
    store::save(&weights, &files.weights)?;
    store::save(&sgd.velocities(weights), &files.momentum)?;
    let text = serde_json::to_vec(progress).unwrap_or_default();
    files::write(&files.progress, &text).map_err(|e| store::StoreError { file: files.progress.display().to_string(), message: e.to_string() })?;
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
        drop(std::fs::remove_file(&files.progress));
        drop(std::fs::remove_file(&files.momentum));
        if std::fs::metadata(&files.weights).is_ok_and(|m| m.len() > KEEP_ALL_BYTES) {
            drop(std::fs::remove_file(&files.weights));
        }
    }
}

/// Reads the checkpoint of `step` into a model and an optimiser of the same shape.
///
/// # Errors
/// When a file is missing or damaged.
pub fn load<B: Train>(dir: &Path, step: u64, model: PreActResNet<B>, sgd: &mut Sgd<B>) -> Result<(PreActResNet<B>, Progress), store::StoreError> {
    let files = Files::of(dir, step);
    let failed = |message: String| store::StoreError { file: files.progress.display().to_string(), message };
    let text = std::fs::read(&files.progress).map_err(|e| failed(e.to_string()))?;
    let progress: Progress = serde_json::from_slice(&text).map_err(|e| failed(e.to_string()))?;
    let velocities = store::load(model.valid(), &files.momentum)?;
    let model = store::load(model, &files.weights)?;
    if progress.step > 0 {
        sgd.restore(&model, velocities);
    }
    Ok((model, progress))
}
