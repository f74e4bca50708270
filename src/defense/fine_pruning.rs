//! Fine-pruning (Liu et al. 2018; spec.md 3.5): channels that clean images do not use may be the backdoor's. They are
//! removed, the least active first, as long as the accuracy bears it; then the rest is fine-tuned.
//!
//! ```text
//! clean images -> held out | rest
//! rest      mean input of `linear`, channel by channel: the order
//! held out  accuracy after each step of the order; the step that costs too much is undone
//! rest      fine-tuning; a pruned channel's column of `linear` is set to 0 again after every step
//! ```
//! A column of zeros is all that pruning leaves behind: the cleaned model is a network as any other, a checkpoint of it
//! goes on as it stopped, and no gradient reaches a pruned channel through it.

use super::{Case, Defense, DefenseError, Halt, Watch, at};
use crate::data::{Images, Split};
use crate::kernel::Train;
use crate::model::store::StoreError;
use crate::model::{Mode, PreActResNet};
use crate::rng;
use crate::run::evidence::{Evidence, Pruning};
use crate::spec::{self, Method, Stage};
use crate::train::checkpoint::Files;
use crate::train::{Batches, Classifier, Examine, Learner, Loss, Sgd, Trainer};
use burn::module::AutodiffModule;
use burn::prelude::*;
use std::path::Path;

/// What a search leaves for the fine-tuning.
const PRUNING: &str = "pruning.json";
/// Images of one pass through the network.
const BATCH: usize = 256;

/// The defense, and what it found.
#[derive(Default)]
pub(super) struct FinePruning {
    pruning: Pruning,
    /// The clean images on which the model is fine-tuned.
    rest: Option<Split>,
}

/// How channels are pruned, the data apart.
struct Plan {
    /// Channels of one step.
    step: usize,
    /// The accuracy that ends it is undone.
    undo: bool,
    /// Channels that each step falls short of its count.
    short: usize,
    /// Share of the accuracy that may be lost.
    largest_fall: f64,
}

impl Plan {
    fn new(settings: &spec::FinePruning, channels: usize) -> Self {
        let step = ((channels as f64 * settings.prune_step).ceil() as usize).max(1);
        Self { step, undo: !settings.bb_compat, short: usize::from(settings.bb_compat), largest_fall: settings.largest_fall }
    }

    /// Prunes the channels of `activations`; `accuracy`: of the network with a channel's input times its entry.
    fn prune(&self, activations: &[f32], mut accuracy: impl FnMut(&[f32]) -> Result<f64, Halt>) -> Result<Pruning, Halt> {
        let channels = activations.len();
        let mut order: Vec<usize> = (0..channels).collect();
        order.sort_by(|&a, &b| activations[a].total_cmp(&activations[b]).then(a.cmp(&b)));
        let keep = |pruned: usize| {
            let mut keep = vec![1.0; channels];
            order[..pruned].iter().for_each(|&c| keep[c] = 0.0);
            keep
        };
        let first = accuracy(&keep(0))?;
        let (mut steps, mut pruned, limit) = (vec![(0, first)], 0, first * (1.0 - self.largest_fall));
        // One step's channels are left at least: a network without any says the same of every image.
        for count in (self.step..channels).step_by(self.step).map(|count| count - self.short) {
            let now = accuracy(&keep(count))?;
            steps.push((count as u32, now));
            if now > limit || !self.undo {
                pruned = count;
            }
            if now <= limit {
                break;
            }
        }
        let activations = order.iter().map(|&c| activations[c]).collect();
        Ok(Pruning { order: order.iter().map(|&c| c as u32).collect(), activations, steps, pruned, limit })
    }
}

/// The clean images for the fine-tuning, and those held out of it.
fn parts(clean: &Split, settings: &spec::FinePruning, seed: u64) -> Result<(Split, Split), DefenseError> {
    if clean.len() < 2 {
        let message = format!("{} clean image cannot be split in two; raise defense.clean_share", clean.len());
        return Err(DefenseError::Given { defense: "fine-pruning", message });
    }
    let held = held_out(clean.len(), settings);
    let mut indices = rng::permutation(clean.len(), rng::stream(seed, "held out", 0));
    let mut rest = indices.split_off(held);
    indices.sort_unstable();
    rest.sort_unstable();
    Ok((clean.select(&rest), clean.select(&indices)))
}

fn held_out(clean: usize, settings: &spec::FinePruning) -> usize {
    // BackdoorBench measures on the test set and fine-tunes on all clean images.
    if settings.bb_compat { 0 } else { ((clean as f64 * settings.held_out).round() as usize).clamp(1, clean.saturating_sub(1).max(1)) }
}

/// What `linear` sees of each image, `[images, channels]`.
fn features<B: Train>(case: &Case<'_, B>, images: &Images, what: &str, watch: &mut Watch<'_>) -> Result<Tensor<B::InnerBackend, 2>, Halt> {
    let model: PreActResNet<B::InnerBackend> = case.model.valid();
    let mut parts = Vec::new();
    for start in (0..images.len()).step_by(BATCH) {
        at(watch, what, start, images.len())?;
        let x = case.lookup.plain(images, start..(start + BATCH).min(images.len()), &case.device);
        parts.push(model.features(x, Mode::Eval));
    }
    Ok(Tensor::cat(parts, 0))
}

fn read<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().to_vec().unwrap_or_default()
}

fn settings<B: Train>(case: &Case<'_, B>) -> spec::FinePruning {
    match &case.spec.defense.method {
        Method::FinePruning(settings) => settings.clone(),
        _ => spec::FinePruning::default(),
    }
}

impl<B: Train> Defense<B> for FinePruning {
    fn search(&mut self, case: &Case<'_, B>, watch: &mut Watch<'_>) -> Result<Vec<Evidence>, Halt> {
        let settings = settings(case);
        let (rest, held) = parts(case.clean, &settings, case.spec.seed)?;
        let judge = if settings.bb_compat { &case.data.test } else { &held };
        let activations = read(features(case, &rest.images, "mean activations", watch)?.mean_dim(0));
        if activations.iter().any(|a| !a.is_finite()) {
            return Err(DefenseError::Diverged { what: "the backdoored model's activation".to_owned(), setting: "attack.lr" }.into());
        }
        let seen = features(case, &judge.images, "activations of held-out images", watch)?;
        let labels: Vec<i32> = judge.labels.iter().map(|&l| i32::from(l)).collect();
        let labels = Tensor::<B::InnerBackend, 1, Int>::from_data(TensorData::new(labels, [judge.len()]), &case.device);
        let (model, channels) = (case.model.valid(), activations.len());
        self.pruning = Plan::new(&settings, channels).prune(&activations, |keep| {
            let pruned = keep.iter().filter(|k| **k == 0.0).count();
            at(watch, "accuracy of the pruned model", pruned, channels)?;
            let keep = Tensor::<B::InnerBackend, 1>::from_floats(keep, &case.device);
            let answers = model.classify(seen.clone() * keep.unsqueeze_dim(0)).argmax(1).reshape([judge.len()]);
            let right: f64 = answers.equal(labels.clone()).int().sum().into_scalar().elem();
            Ok(right / judge.len().max(1) as f64)
        })?;
        self.rest = Some(rest);
        Ok(vec![Evidence::Pruning(self.pruning.clone())])
    }

    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, DefenseError> {
        Ok(vec![(PRUNING.to_owned(), serde_json::to_vec(&self.pruning).unwrap_or_default())])
    }

    fn recall(&mut self, case: &Case<'_, B>, folder: &Path) -> Result<(), DefenseError> {
        let file = folder.join(PRUNING);
        let failed = |message: String| DefenseError::Recall { file: file.display().to_string(), message };
        let bytes = std::fs::read(&file).map_err(|e| failed(e.to_string()))?;
        self.pruning = serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))?;
        if self.pruning.pruned > self.pruning.order.len() {
            return Err(failed("more channels are pruned than there are".to_owned()));
        }
        self.rest = Some(parts(case.clean, &settings(case), case.spec.seed)?.0);
        Ok(())
    }

    fn images(&self, case: &Case<'_, B>) -> usize {
        self.rest.as_ref().map_or_else(|| case.clean.len() - held_out(case.clean.len(), &settings(case)), Split::len)
    }

    fn learner<'s>(&'s self, case: &'s Case<'s, B>) -> Box<dyn Learner<B> + 's> {
        let (spec, split) = (case.spec, self.rest.as_ref().unwrap_or(case.clean));
        let mut keep = vec![1.0f32; self.pruning.order.len()];
        for &channel in &self.pruning.order[..self.pruning.pruned] {
            if let Some(kept) = keep.get_mut(channel as usize) {
                *kept = 0.0;
            }
        }
        let keep = Tensor::<B::InnerBackend, 1>::from_floats(&keep[..], &case.device);
        let sgd = Sgd::new(spec.defense.momentum, spec.defense.weight_decay);
        let trainer = Trainer { model: case.copy().masked(keep.clone()), sgd, device: case.device.clone() };
        let source = Batches::new(split, case.lookup, &spec.augment, spec.defense.batch, spec.seed, Stage::Defense.name());
        let steps_per_epoch = spec.steps_per_epoch(Stage::Defense, split.len());
        Box::new(Masked { inner: Classifier { source: Box::new(source), trainer, lookup: case.lookup, steps_per_epoch }, keep })
    }
}

/// A classifier whose pruned channels stay pruned.
struct Masked<'a, B: Train> {
    inner: Classifier<'a, B>,
    keep: Tensor<B::InnerBackend, 1>,
}

impl<B: Train> Learner<B> for Masked<'_, B> {
    fn step(&mut self, step: u64, lr: f64) -> Loss<B> {
        let loss = self.inner.step(step, lr);
        let trainer = &mut self.inner.trainer;
        trainer.model = trainer.model.clone().masked(self.keep.clone());
        loss
    }

    fn examiner(&self) -> Box<dyn Examine + '_> {
        self.inner.examiner()
    }

    fn save(&self, files: &Files) -> Result<(), StoreError> {
        self.inner.save(files)
    }

    fn restore(&mut self, files: &Files, steps: u64) -> Result<(), StoreError> {
        self.inner.restore(files, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(bb_compat: bool, step: f64, channels: usize) -> Plan {
        Plan::new(&spec::FinePruning { prune_step: step, bb_compat, ..spec::FinePruning::default() }, channels)
    }

    /// spec.md 12(10): 6 of 512 channels a step, the least active first.
    #[test]
    fn the_least_active_channels_go_first_six_at_a_time() {
        let activations: Vec<f32> = (0..512).map(|c| (c * 37 % 512) as f32).collect();
        let mut seen = Vec::new();
        let pruning = plan(false, 0.01, 512)
            .prune(&activations, |keep| {
                seen.push((0..512).filter(|&c| keep[c] == 0.0).collect::<Vec<_>>());
                // Channel 450 in the order is needed.
                Ok(if seen.last().unwrap().iter().any(|&c| activations[c] == 450.0) { 0.5 } else { 0.9 })
            })
            .unwrap();
        assert!(pruning.activations.is_sorted());
        assert_eq!(pruning.order.iter().map(|&c| activations[c as usize]).collect::<Vec<_>>(), pruning.activations);
        for (step, pruned) in seen.iter().enumerate() {
            assert_eq!(pruned.len(), step * 6);
            assert!(pruned.iter().all(|&c| activations[c] < (step * 6) as f32));
        }
        assert_eq!(pruning.steps.iter().map(|s| s.0).collect::<Vec<_>>(), (0..=456).step_by(6).collect::<Vec<_>>());
        assert_eq!((pruning.pruned, pruning.steps.last().unwrap().1), (450, 0.5), "the step that took the 451st channel is undone");
        assert!((pruning.limit - 0.81).abs() < 1e-12);
    }

    /// The published code keeps the step that went too far, and falls one channel short of every count.
    #[test]
    fn the_published_code_keeps_the_step_too_many() {
        let activations: Vec<f32> = (0..50).map(|c| c as f32).collect();
        let accuracy = |keep: &[f32]| Ok(if keep[20] == 0.0 { 0.4 } else { 0.8 });
        let pruned = |bb_compat| plan(bb_compat, 0.2, 50).prune(&activations, accuracy).unwrap();
        assert_eq!((pruned(false).pruned, pruned(true).pruned), (20, 29));
        assert_eq!(pruned(true).steps.iter().map(|s| s.0).collect::<Vec<_>>(), [0, 9, 19, 29]);
    }

    #[test]
    fn some_channels_always_stay() {
        let all = |accuracy: f64, step: f64| plan(false, step, 10).prune(&[0.0; 10], |_| Ok(accuracy)).unwrap();
        assert_eq!(all(0.7, 0.3).pruned, 9);
        assert_eq!(all(0.7, 1.0).pruned, 0);
        assert_eq!(all(0.0, 0.3).pruned, 0, "a model that is never right cannot get worse: nothing tells what it needs");
    }

    #[test]
    fn the_held_out_part_is_apart_and_follows_the_seed() {
        let clean = Split { images: Images { shape: [1, 1, 1], pixels: (0..100).collect() }, labels: vec![0; 100] };
        let settings = spec::FinePruning::default();
        let (rest, held) = parts(&clean, &settings, 1).unwrap();
        assert_eq!((rest.len(), held.len()), (80, 20));
        assert!(rest.images.pixels.iter().all(|p| !held.images.pixels.contains(p)));
        assert_ne!(parts(&clean, &settings, 2).unwrap().1, held);
        let message = parts(&clean.select(&[0]), &settings, 1).unwrap_err().to_string();
        assert!(message.contains("defense.clean_share"), "{message}");
    }
}
