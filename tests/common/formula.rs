//! Networks and images that follow from a formula, the same here and in PyTorch (tests/model_reference/generate.py).
#![allow(dead_code, reason = "each test file uses its own part")]

use burn::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::path::Path;
use tuneout::kernel::Kernels;
use tuneout::model::{PreActResNet, store};
use tuneout::spec::Model;

pub fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

pub fn formula(n: usize, i: usize) -> f64 {
    ((i + 1) as f64 * 0.618_033_988_749_894_9 + n as f64 * 0.754_877_666_246_692_7).fract() - 0.5
}

pub fn images<B: Backend>(count: usize, n: usize) -> Tensor<B, 4> {
    let values: Vec<f32> = (0..count * 3072).map(|i| (4.0 * formula(n, i)) as f32).collect();
    Tensor::from_data(TensorData::new(values, [count, 3, 32, 32]), &Default::default())
}

pub fn network<B: Kernels>(model: &Model, classes: usize) -> PreActResNet<B> {
    PreActResNet::new(&model.stages(), classes, &mut ChaCha8Rng::seed_from_u64(0), &Default::default())
}

/// Fills every tensor of a safetensors file, which holds them in PyTorch's layout: `value` of its place in the order of the
/// names, its name, its shape, and the number within it. Returns the names.
pub fn fill(file: &Path, value: impl Fn(usize, &str, &[usize], usize) -> f64) -> Vec<String> {
    let mut bytes = std::fs::read(file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let mut names: Vec<String> = header.as_object().unwrap().keys().filter(|k| *k != "__metadata__").cloned().collect();
    names.sort();
    for (n, name) in names.iter().enumerate() {
        let whole = |key: &str| floats(&header[name][key]).iter().map(|v| *v as usize).collect::<Vec<usize>>();
        let (offsets, shape) = (whole("data_offsets"), whole("shape"));
        let (start, count) = (8 + length + offsets[0], (offsets[1] - offsets[0]) / 4);
        for i in 0..count {
            bytes[start + 4 * i..start + 4 * i + 4].copy_from_slice(&(value(n, name, &shape, i) as f32).to_le_bytes());
        }
    }
    std::fs::write(file, bytes).unwrap();
    names
}

/// The weight that `value`, drawn evenly from -0.5..0.5, becomes in a normalisation (`norm`) or in a layer of `shape`, whose
/// weights are to spread by `gain`.
pub fn weight(value: f64, norm: bool, name: &str, shape: &[usize], gain: f64) -> f64 {
    match (norm, name.rsplit('.').next().unwrap()) {
        (true, "weight") => 1.0 + value,
        (true, "running_var") => 1.25 + value,
        (true, _) => value,
        (false, _) => value * gain / (shape[1..].iter().product::<usize>().max(1) as f64).sqrt(),
    }
}

/// The network with the formula's weights: written in PyTorch's layout, filled there, read back.
pub fn filled<B: Kernels>(model: &Model, classes: usize, dir: &Path) -> (PreActResNet<B>, Vec<String>) {
    let file = dir.join("weights.safetensors");
    store::save(&network::<B>(model, classes), &file).unwrap();
    let names = fill(&file, |n, name, shape, i| weight(formula(n, i), name.contains("bn"), name, shape, 2.0));
    (store::load(network(model, classes), &file).unwrap(), names)
}

#[track_caller]
pub fn close(ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{a} is not {b}");
    }
}
