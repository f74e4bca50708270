//! Weights on disk: safetensors with PyTorch's names and layout, so that `load_state_dict` takes them as they are.

use crate::run::files;
use burn::module::Module;
use burn::prelude::*;
use burn_store::{BurnToPyTorchAdapter, ModuleSnapshot, ModuleStore, PyTorchToBurnAdapter, SafetensorsStore};
use std::path::Path;

/// Weights that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct StoreError {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub message: String,
}

fn failed(file: &Path, message: impl ToString) -> StoreError {
    StoreError { file: file.display().to_string(), message: message.to_string() }
}

/// Writes `module` to `file`: beside it first, then renamed into place.
///
/// # Errors
/// When the disk refuses.
pub fn save<B: Backend, M: Module<B> + ModuleSnapshot<B>>(module: &M, file: &Path) -> Result<(), StoreError> {
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        // Stages are a list here and `layer1`, `layer2`, .. there.
        .with_key_remapping(r"^layers\.0\.", "layer1.")
        .with_key_remapping(r"^layers\.1\.", "layer2.")
        .with_key_remapping(r"^layers\.2\.", "layer3.")
        .with_key_remapping(r"^layers\.3\.", "layer4.")
        .with_key_remapping(r"^layers\.4\.", "layer5.")
        .with_key_remapping(r"^layers\.5\.", "layer6.");
    store.collect_from(module).map_err(|e| failed(file, e))?;
    let bytes = store.get_bytes().map_err(|e| failed(file, e))?;
    files::write(file, &bytes).map_err(|e| failed(file, e))
}

/// Reads `file` into a module of the same shape.
///
/// # Errors
/// When the file is missing, damaged, or does not hold every weight in the right shape.
pub fn load<B: Backend, M: Module<B> + ModuleSnapshot<B>>(mut module: M, file: &Path) -> Result<M, StoreError> {
    let bytes = std::fs::read(file).map_err(|e| failed(file, e))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes))
        .with_from_adapter(PyTorchToBurnAdapter)
        .with_key_remapping(r"^layer1\.", "layers.0.")
        .with_key_remapping(r"^layer2\.", "layers.1.")
        .with_key_remapping(r"^layer3\.", "layers.2.")
        .with_key_remapping(r"^layer4\.", "layers.3.")
        .with_key_remapping(r"^layer5\.", "layers.4.")
        .with_key_remapping(r"^layer6\.", "layers.5.");
    let result = module.load_from(&mut store).map_err(|e| failed(file, e.to_string().lines().next().unwrap_or_default()))?;
    match result.missing.first() {
        Some((path, _)) => Err(failed(file, format!("the weight {path} is missing"))),
        None => Ok(module),
    }
}
