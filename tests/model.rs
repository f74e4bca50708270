//! The network, its weights on disk and the optimiser against PyTorch (tests/model_reference/generate.py).

mod common;

use burn::backend::{Autodiff, Flex};
use burn::prelude::*;
use common::formula::{close, filled, floats, images, network};
use serde_json::Value;
use tuneout::kernel::Train;
use tuneout::model::{Mode, store};
use tuneout::spec::Model;
use tuneout::train::{Sgd, Trainer};

type B = Autodiff<Flex>;

fn reference() -> Value {
    serde_json::from_str(include_str!("model_reference/reference.json")).unwrap()
}

/// spec.md 12(9): the paper's network has PyTorch's parameter count, names and logits.
#[test]
fn resnet18_is_pytorchs() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), reference());
    let (net, names) = filled::<Flex>(&Model::PreactResnet18, 10, dir.path());
    assert_eq!(net.parameters(), 11_171_146);
    assert_eq!(reference["parameters"], 11_171_146);
    let keys: Vec<String> = serde_json::from_value(reference["keys"].clone()).unwrap();
    assert_eq!(names, keys);
    let logits: Vec<f32> = net.forward(images(3, 1000), Mode::Eval).into_data().to_vec().unwrap();
    close(&logits, &floats(&reference["resnet18_logits"]), 1e-4);
}

/// Eight steps of SGD with momentum and weight decay, batch statistics, running statistics, cross-entropy.
#[test]
fn training_steps_are_pytorchs() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), reference());
    let model = filled::<B>(&Model::PreactSmall, 12, dir.path()).0;
    let mut trainer = Trainer::<B> { model, sgd: Sgd::new(0.9, 5e-4), device: Default::default() };
    let losses: Vec<f32> = (0..8).map(|step| step_of(&mut trainer, step)).collect();
    close(&losses, &floats(&reference["losses"]), 1e-3);
    let logits: Vec<f32> = trainer.model.forward(images(4, 3000), Mode::Eval).into_data().to_vec().unwrap();
    close(&logits, &floats(&reference["trained_logits"]), 5e-3);
}

fn step_of<B: Train>(trainer: &mut Trainer<B>, step: usize) -> f32 {
    let labels: Vec<i32> = (0..8).map(|i| ((i + step) % 12) as i32).collect();
    let labels = Tensor::from_data(TensorData::new(labels, [8]), &trainer.device);
    trainer.step(images(8, 2000 + step), labels, 0.05).into_scalar().elem::<f32>()
}

/// A checkpoint brings back weights, running statistics and velocities to the bit.
#[test]
fn a_checkpoint_goes_on_as_if_nothing_had_happened() {
    use tuneout::train::checkpoint::Files;
    let dir = tempfile::tempdir().unwrap();
    let start = || Trainer::<B> { model: network(&Model::PreactSmall, 12), sgd: Sgd::new(0.9, 5e-4), device: Default::default() };
    let mut through = start();
    let whole: Vec<f32> = (0..6).map(|step| step_of(&mut through, step)).collect();
    let mut first = start();
    let _: Vec<f32> = (0..3).map(|step| step_of(&mut first, step)).collect();
    let files = Files::of(dir.path(), 3);
    first.save(&files).unwrap();
    let mut second = start();
    second.restore(&files, 3).unwrap();
    let rest: Vec<f32> = (3..6).map(|step| step_of(&mut second, step)).collect();
    assert_eq!(rest, whole[3..]);
    let logits = |t: &Trainer<B>| t.model.forward(images(2, 7), Mode::Eval).into_data().to_vec::<f32>().unwrap();
    assert_eq!(logits(&second), logits(&through));
}

#[test]
fn damaged_or_foreign_weights_are_refused_with_the_files_name() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("w.safetensors");
    store::save(&network::<Flex>(&Model::PreactSmall, 12), &file).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let refused = |bytes: &[u8], classes: usize| {
        std::fs::write(&file, bytes).unwrap();
        let message = store::load(network::<Flex>(&Model::PreactSmall, classes), &file).unwrap_err().to_string();
        assert!(message.contains("w.safetensors"), "{message}");
    };
    refused(&whole[..whole.len() / 2], 12);
    refused(b"not weights", 12);
    refused(&[], 12);
    refused(&whole, 10);
}
