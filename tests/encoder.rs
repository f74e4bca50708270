//! The encoder scenario against PyTorch (tests/encoder_reference/generate.py): ResNet, projection head, NT-Xent, Adam,
//! BadEncoder's loss and its frozen normalisation, the downstream head.

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn_store::ModuleSnapshot;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tuneout::attack::badencoder::{self, Batch};
use tuneout::kernel::Train;
use tuneout::model::{HIDDEN, Head, Mode, ResNet, SimClr, l2_normalise, store};
use tuneout::spec::Stages;
use tuneout::train::checkpoint::Files;
use tuneout::train::contrastive::{TEMPERATURE, nt_xent};
use tuneout::train::{Adam, BETAS, Sgd};

type B = Autodiff<Flex>;

mod common;

use common::formula::{fill, floats, formula, weight};

fn reference() -> Value {
    serde_json::from_str(include_str!("encoder_reference/reference.json")).unwrap()
}

fn table<B: Backend>(rows: usize, columns: usize, n: usize) -> Tensor<B, 2> {
    let values: Vec<f32> = (0..rows * columns).map(|i| (4.0 * formula(n, i)) as f32).collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), &Default::default())
}

fn images<B: Backend>(count: usize, n: usize) -> Tensor<B, 4> {
    let value = |i: usize| {
        let [k, c, y, x] = [i / 3072, i / 1024 % 3, i / 32 % 32, i % 32].map(|v| v as f64);
        let wave = (0.1 * (k + 1.0) * y + 0.3 * (n % 7) as f64 * x + 2.0 * c).sin() * (1.0 + 0.5 * (n % 5) as f64 + c);
        (wave + 2.0 * formula(n, i)) as f32
    };
    Tensor::from_data(TensorData::new((0..count * 3072).map(value).collect(), [count, 3, 32, 32]), &Default::default())
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

fn small() -> Stages {
    Stages { widths: vec![8, 16], blocks: 1 }
}

/// The module with the formula's weights: written in PyTorch's layout, filled there, read back; and its weights' names.
fn filled<M: Module<B> + ModuleSnapshot<B>, B: Backend>(module: M, dir: &Path) -> (M, Vec<String>) {
    let file = dir.join("weights.safetensors");
    store::save(&module, &file).unwrap();
    let norm = |name: &str| name.contains("bn") || name.contains("downsample.1");
    let names = fill(&file, |n, name, shape, i| weight(formula(n, i), norm(name), name, shape, 2.0));
    (store::load(module, &file).unwrap(), names)
}

/// The bytes of every tensor in a file.
fn tensors(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(file).unwrap();
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..start]).unwrap();
    let named = header.into_iter().filter(|(name, _)| name != "__metadata__");
    named
        .map(|(name, entry)| {
            let [from, to] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap() as usize + start);
            (name, bytes[from..to].to_vec())
        })
        .collect()
}

fn values<B: Backend, const D: usize>(x: Tensor<B, D>) -> Vec<f32> {
    x.into_data().to_vec().unwrap()
}

/// Errors are relative to the largest value; `cargo test -- --nocapture` shows the largest one.
#[track_caller]
fn close(what: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(0f32, |m, v| m.max(v.abs()));
    let largest = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / scale).fold(0f32, f32::max);
    println!("{what}: largest error {largest:.1e}");
    assert!(largest <= tolerance, "{what}: {largest}");
}

/// torchvision's ResNet18 but for the stem: parameter count, names, features.
#[test]
fn resnet18_is_torchvisions() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), reference());
    let stages = Stages { widths: vec![64, 128, 256, 512], blocks: 2 };
    let (net, names) = filled(ResNet::<Flex>::new(&stages, &mut rng(), &Default::default()), dir.path());
    assert_eq!((net.parameters() as u64, net.width()), (reference["parameters"].as_u64().unwrap(), 512));
    assert_eq!(names, serde_json::from_value::<Vec<String>>(reference["keys"].clone()).unwrap());
    let features = values(net.forward(images(2, 1000), Mode::Eval));
    close("ResNet18 features", &features, &floats(&reference["resnet18_features"]), 1e-4);
}

#[test]
fn nt_xent_and_its_gradient_are_pytorchs() {
    let reference = &reference()["nt_xent"];
    let z = table::<B>(10, 6, 7).require_grad();
    let loss = nt_xent(z.clone(), TEMPERATURE);
    close("NT-Xent", &values(loss.clone()), &floats(&reference["loss"]), 1e-6);
    close("NT-Xent gradient", &values(z.grad(&loss.backward()).unwrap()), &floats(&reference["gradient"]), 1e-5);
    close("NT-Xent at temperature 0.1", &values(nt_xent(z, 0.1)), &floats(&reference["cold"]), 1e-5);
}

/// Rows of zeros are no reason for a gradient that is no number.
#[test]
fn a_row_of_zeros_has_no_gradient() {
    let x = Tensor::<B, 2>::zeros([2, 3], &Default::default()).require_grad();
    let gradients = l2_normalise(x.clone()).sum().backward();
    assert!(values(x.grad(&gradients).unwrap()).iter().all(|v| v.is_finite()));
}

fn simclr_step(net: SimClr<B>, adam: &mut Adam<B>, step: usize) -> (SimClr<B>, f32) {
    let loss = nt_xent(net.forward(images(8, 2000 + step), Mode::Train), TEMPERATURE);
    let grads = GradientsParams::from_grads(loss.backward(), &net);
    (adam.step(net, grads, 1e-3), loss.into_scalar())
}

/// Six steps of SimCLR: batch statistics in the encoder and the head, NT-Xent, Adam with weight decay.
#[test]
fn pre_training_steps_are_pytorchs() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), &reference()["simclr"]);
    let mut net = filled(SimClr::<B>::new(&small(), &mut rng(), &Default::default()), dir.path()).0;
    let mut adam = Adam::new(BETAS, 1e-2);
    let mut losses = Vec::new();
    for step in 0..6 {
        let loss;
        (net, loss) = simclr_step(net, &mut adam, step);
        losses.push(loss);
    }
    close("SimCLR losses", &losses, &floats(&reference["losses"]), 1e-5);
    close("SimCLR features", &values(net.f.forward(images(3, 3000), Mode::Eval)), &floats(&reference["features"]), 1e-4);
    close("SimCLR projections", &values(net.forward(images(3, 3000), Mode::Eval)), &floats(&reference["projections"]), 1e-4);
    let files = Files::of(dir.path(), 6);
    adam.save(&net.valid(), &files, "adam").unwrap();
    let [first, second] = ["adam-mean", "adam-square"].map(|part| {
        let bias = tensors(&files.part(part)).remove("g.linear2.bias").unwrap();
        bias.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect::<Vec<f32>>()
    });
    close("Adam first moment", &first, &floats(&reference["first_moment"]), 1e-4);
    close("Adam second moment", &second, &floats(&reference["second_moment"]), 1e-4);
}

/// Moments that go through a file bring the optimiser back to the bit.
#[test]
fn adam_goes_on_as_if_nothing_had_happened() {
    let dir = tempfile::tempdir().unwrap();
    let start = || SimClr::<B>::new(&small(), &mut rng(), &Default::default());
    let (mut net, mut adam) = (start(), Adam::new(BETAS, 1e-2));
    for step in 0..3 {
        net = simclr_step(net, &mut adam, step).0;
    }
    let files = Files::of(dir.path(), 3);
    store::save(&net.valid(), &files.weights).unwrap();
    adam.save(&net.valid(), &files, "adam").unwrap();
    let mut again = store::load(start(), &files.weights).unwrap();
    let mut restored = Adam::new(BETAS, 1e-2);
    restored.restore(&again, &files, "adam", 3).unwrap();
    for step in 3..6 {
        let (one, two);
        (net, one) = simclr_step(net, &mut adam, step);
        (again, two) = simclr_step(again, &mut restored, step);
        assert_eq!(one.to_bits(), two.to_bits(), "step {step}");
    }
}

/// What BadEncoder may not touch: every tensor of a batch normalisation.
fn norms(net: &ResNet<Flex>, dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = dir.join("norms.safetensors");
    store::save(net, &file).unwrap();
    let mut tensors = tensors(&file);
    tensors.retain(|name, _| name.contains("bn") || name.contains("downsample.1"));
    tensors
}

fn attack_batch<B: Train>(clean: &ResNet<B::InnerBackend>, step: usize) -> Batch<B> {
    let reference = || images::<B>(1, 5000);
    Batch {
        x: images(6, 4000 + step),
        triggered: images(6, 4100 + step),
        x_clean: l2_normalise(clean.forward(images(6, 4000 + step), Mode::Eval)),
        reference: reference(),
        augmented: images(4, 4200 + step),
        reference_clean: l2_normalise(clean.forward(reference().inner(), Mode::Eval)),
    }
}

/// Five steps of BadEncoder's loss and of SGD; spec.md 12(6): running statistics, scale and shift of every normalisation
/// and the whole clean encoder are what they were.
#[test]
fn badencoder_steps_are_pytorchs_and_leave_normalisation_alone() {
    let (dir, reference) = (tempfile::tempdir().unwrap(), &reference()["badencoder"]);
    let mut net = filled(ResNet::<B>::new(&small(), &mut rng(), &Default::default()), dir.path()).0;
    let clean = net.valid();
    let (norms_before, features_before) = (norms(&clean, dir.path()), values(clean.forward(images(3, 3000), Mode::Eval)));
    assert_eq!(norms_before.len(), 6 * 4);
    let mut sgd = Sgd::new(0.9, 5e-4);
    let mut parts = Vec::new();
    for step in 0..5 {
        let losses = badencoder::loss(&net, attack_batch(&clean, step), [0.5, 2.0]);
        let grads = GradientsParams::from_grads(losses.total.backward(), &net);
        net = sgd.step(net, grads, 0.05);
        parts.extend([losses.effectiveness, losses.reference, losses.utility].map(|l| l.into_scalar()));
    }
    close("BadEncoder losses", &parts, &floats(&reference["parts"]), 1e-5);
    close("BadEncoder features", &values(net.forward(images(3, 3000), Mode::Eval)), &floats(&reference["features"]), 1e-4);
    assert_eq!(norms(&net.valid(), dir.path()), norms_before);
    assert_eq!(values(clean.forward(images(3, 3000), Mode::Eval)), features_before);
}

/// Evaluation and frozen mode compute the same; only the gradients of scale and shift differ.
#[test]
fn frozen_mode_is_evaluation_that_carries_gradients_to_the_convolutions() {
    let net = ResNet::<B>::new(&small(), &mut rng(), &Default::default());
    let [evaluated, frozen] = [Mode::Eval, Mode::Frozen].map(|mode| net.forward(images(2, 1), mode));
    assert_eq!(values(evaluated.clone()), values(frozen.clone()));
    let count = |loss: Tensor<B, 2>| GradientsParams::from_grads(loss.sum().backward(), &net).len();
    // conv1, four 3x3 convolutions and a 1x1 one; six normalisations with two weights each
    assert_eq!((count(evaluated), count(frozen)), (6 + 12, 6));
}

#[test]
fn the_downstream_heads_logits_are_pytorchs() {
    let dir = tempfile::tempdir().unwrap();
    let head = filled(Head::<Flex>::new(16, [12, 10], 5, &mut rng(), &Default::default()), dir.path()).0;
    close("head", &values(head.forward(table(3, 16, 50), None)), &floats(&reference()["head_logits"]), 1e-5);
}

/// A training step leaves out half of the first hidden layer, the same half for the same stream.
#[test]
fn dropout_follows_its_stream() {
    let head = Head::<Flex>::new(16, HIDDEN, 5, &mut rng(), &Default::default());
    let logits = |seed: Option<u64>| values(head.forward(table(64, 16, 50), seed.map(ChaCha8Rng::seed_from_u64).as_mut()));
    assert_eq!(logits(Some(1)), logits(Some(1)));
    assert_ne!(logits(Some(1)), logits(Some(2)));
    assert_ne!(logits(Some(1)), logits(None));
}

const RUN: &[&str] = &[
    "data.train=200",
    "data.test=60",
    "downstream.train=96",
    "downstream.test=60",
    "model.name=resnet",
    "model.widths=4,8",
    "pretrain.epochs=2",
    "pretrain.batch=32",
    "attack.epochs=2",
    "attack.batch=32",
    "defense.epochs=2",
    "defense.batch=32",
    "watch.probe_every=3",
    "watch.probe_images=32",
];

/// The encoder scenario as a matter of a second.
fn run(runs: &Path, more: &[&str]) -> Command {
    let mut command = common::program(runs);
    command.args(["run", "demo-encoder", "--json", "--device", "cpu"]);
    for set in RUN.iter().chain(more) {
        command.args(["--set", set]);
    }
    command
}

#[test]
fn a_killed_encoder_run_goes_on_to_the_same_end() {
    common::killed(&|runs| run(runs, &[]));
    common::killed(&|runs| run(runs, &["defense.name=whole"]));
}

/// spec.md 12(6), in whole runs: the attack leaves the clean encoder's weights and its own running statistics alone; a frozen
/// encoder stays the attacked one, a whole one does not. ASR is over all images and over those of other classes.
#[test]
fn every_stage_changes_what_it_may_and_says_what_its_asr_is() {
    let runs = tempfile::tempdir().unwrap();
    let frozen = common::json(&run(runs.path(), &[]).output().unwrap());
    let ids: Vec<String> = common::streams(runs.path()).into_iter().map(|(id, _)| id).collect();
    let of = |part: &str| ids.iter().find(|id| id.contains(part)).unwrap();
    let clean = final_weights(&runs.path().join(of("-encoder-")));
    let whole = common::json(&run(runs.path(), &["defense.name=whole"]).output().unwrap());
    assert_eq!(final_weights(&runs.path().join(of("-encoder-"))), clean);
    assert_eq!(frozen["attack"], whole["attack"]);
    let attacked = final_weights(&runs.path().join(frozen["attack"]["id"].as_str().unwrap()));
    for (name, values) in &clean {
        let normalisation = name.contains("bn") || name.contains("downsample.1");
        assert_eq!(attacked[name] == *values, normalisation, "{name}");
    }
    let [frozen_net, whole_net] = [&frozen, &whole].map(|r| final_weights(&runs.path().join(r["id"].as_str().unwrap())));
    for (name, values) in &attacked {
        assert_eq!(frozen_net[&format!("encoder.{name}")], *values, "{name}");
        assert_ne!(whole_net[&format!("encoder.{name}")], *values, "{name}");
    }
    for result in [&frozen, &whole] {
        assert_eq!(result["scenario"], "encoder");
        for place in [&result["attack"], &result["defense"], &result["epochs"][2]] {
            assert!(place["asr_excluding_target"].is_number() && place["asr"].is_number(), "{place}");
        }
    }
    assert_eq!([&frozen["defense"]["name"], &whole["defense"]["name"]], ["classifier-only", "whole"]);
}

#[test]
fn a_reference_image_that_is_not_there_is_named() {
    let runs = tempfile::tempdir().unwrap();
    let output = run(runs.path(), &["attack.reference=5000"]).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("attack.reference = 5000") && words.contains("the class stop"), "{words}");
}

/// Every tensor of a run's last checkpoint, as bytes.
fn final_weights(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let done: Value = serde_json::from_slice(&std::fs::read(run.join("done.json")).unwrap()).unwrap();
    let bytes = std::fs::read(run.join(done["weights"].as_str().unwrap())).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let body = &bytes[8 + length..];
    let part = |entry: &Value| {
        let [from, to] = [0, 1].map(|i| entry["data_offsets"][i].as_u64().unwrap() as usize);
        body[from..to].to_vec()
    };
    header.iter().filter(|(name, _)| *name != "__metadata__").map(|(name, entry)| (name.clone(), part(entry))).collect()
}
