//! Weights on disk: safetensors with PyTorch's names and layout, so that `load_state_dict` takes them as they are.

use crate::files;
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

fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// End of the names of PyTorch's counters.
const COUNTER: &str = "num_batches_tracked";

/// Stages are a list here and `layer1`, `layer2`, .. there: (ours, PyTorch's), as many as a network may have.
const STAGES: [(&str, &str); 6] = [
    ("layers.0.", "layer1."),
    ("layers.1.", "layer2."),
    ("layers.2.", "layer3."),
    ("layers.3.", "layer4."),
    ("layers.4.", "layer5."),
    ("layers.5.", "layer6."),
];

fn renamed(store: SafetensorsStore, pairs: impl Iterator<Item = (&'static str, &'static str)>) -> SafetensorsStore {
    // An encoder may be a part of a network.
    pairs.fold(store, |store, (from, to)| store.with_key_remapping(format!(r"^(encoder\.|){}", from.replace('.', r"\.")), format!("${{1}}{to}")))
}

/// `module` as a safetensors file's bytes. `file` stands in an error.
///
/// # Errors
/// When a weight cannot be read back from the device.
pub fn bytes<B: Backend, M: Module<B> + ModuleSnapshot<B>>(module: &M, file: &Path) -> Result<Vec<u8>, StoreError> {
    let mut store = renamed(SafetensorsStore::from_bytes(None).with_to_adapter(BurnToPyTorchAdapter), STAGES.into_iter());
    store.collect_from(module).map_err(|e| failed(file, e))?;
    store.get_bytes().map_err(|e| failed(file, e))
}

/// Writes `module` to `file`: beside it first, then renamed into place.
///
/// # Errors
/// When the disk refuses.
pub fn save<B: Backend, M: Module<B> + ModuleSnapshot<B>>(module: &M, file: &Path) -> Result<(), StoreError> {
    files::write(file, &bytes(module, file)?).map_err(|e| failed(file, e))
}

/// Reads `file` into a module of the same shape.
///
/// # Errors
/// When the file is missing, damaged, or does not hold every weight in the right shape.
pub fn load<B: Backend, M: Module<B> + ModuleSnapshot<B>>(mut module: M, file: &Path) -> Result<M, StoreError> {
    let bytes = std::fs::read(file).map_err(|e| failed(file, e))?;
    let store = SafetensorsStore::from_bytes(Some(bytes)).with_from_adapter(PyTorchToBurnAdapter);
    let mut store = renamed(store, STAGES.into_iter().map(|(ours, theirs)| (theirs, ours)));
    let held = store.get_all_snapshots().map_err(|e| failed(file, first_line(&e)))?;
    // PyTorch counts the batches of a norm in whole numbers; nothing here reads them. The store takes no others for weights
    // but by a panic.
    if let Some((name, other)) = held.iter().find(|(name, tensor)| !tensor.dtype.is_float() && !name.ends_with(COUNTER)) {
        return Err(failed(file, format!("the weight {name} is stored as {:?}; weights are floating-point numbers", other.dtype)));
    }
    let result = module.load_from(&mut store).map_err(|e| failed(file, first_line(&e)))?;
    match result.missing.first() {
        Some((path, _)) => Err(failed(file, format!("the weight {path} is missing"))),
        None => Ok(module),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::nn::{Linear, LinearConfig};

    #[test]
    fn whole_numbers_are_no_weights() {
        let (folder, device) = (tempfile::tempdir().unwrap(), Default::default());
        let net: Linear<Flex> = LinearConfig::new(2, 3).init(&device);
        let file = folder.path().join("net.safetensors");
        // The header of a safetensors file is text, and both types have four bytes.
        let mut changed = bytes(&net, &file).unwrap();
        let at = changed.windows(5).position(|w| w == b"\"F32\"").unwrap();
        changed[at + 1] = b'I';
        std::fs::write(&file, changed).unwrap();
        let error = load(net, &file).unwrap_err().to_string();
        assert!(error.contains("net.safetensors") && error.contains("I32"), "{error}");
    }
}
