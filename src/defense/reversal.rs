//! Trigger reversal (Wang et al. 2019; spec.md 3.7): the smallest patch that turns every image into one class.
//!
//! ```text
//! x' = (1 - m) x + m p,   m, p = tanh(theta) / (2 + 1e-7) + 0.5,   in 0..1, then normalised
//! loss = CE(f(x'), label) + cost |m|_1                                        Adam
//! patience passes in a row with success >= threshold: cost x 2; below it: cost / 2^1.5
//! kept: the smallest |m|_1 with success >= threshold
//! ```
//! The network is evaluated (running statistics), and its weights get no gradient: mask and pattern alone are learned.

use super::{Case, DefenseError, Halt};
use crate::data::Images;
use crate::kernel::{Kernels, Train};
use crate::model::{Mode, PreActResNet, squash};
use crate::rng;
use crate::spec;
use crate::train::{Adam, Lookup, cross_entropy};
use burn::module::{AutodiffModule, Module, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;

/// Adam's betas (both published codes).
const BETAS: (f64, f64) = (0.5, 0.9);
/// A reversed trigger at its exact values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reversed {
    /// `[height][width]`, 0 where a picture shows through and 1 where the pattern covers it.
    pub(super) mask: Vec<f32>,
    /// `[3][height][width]`, 0..1.
    pub(super) pattern: Vec<f32>,
    /// Share of the clean images that it turns.
    pub(super) success: f64,
}

impl Reversed {
    /// L1 norm of the mask.
    pub(super) fn norm(&self) -> f64 {
        self.mask.iter().map(|m| f64::from(*m)).sum()
    }

    /// Puts it onto an image's planes.
    pub(super) fn apply(&self, planes: &mut [u8]) {
        for (i, pixel) in planes.iter_mut().enumerate() {
            let (m, p) = (self.mask[i % self.mask.len()], self.pattern[i]);
            *pixel = ((1.0 - m) * f32::from(*pixel) + m * p * 255.0).round().clamp(0.0, 255.0) as u8;
        }
    }
}

/// Mask and pattern while they are learned.
#[derive(Module, Debug)]
struct Patch<B: Backend> {
    mask: Param<Tensor<B, 4>>,
    pattern: Param<Tensor<B, 4>>,
}

impl<B: Backend> Patch<B> {
    /// Everything covered by light grey: theta 1 (BackdoorBench; the authors draw it).
    fn new([channels, height, width]: [usize; 3], device: &B::Device) -> Self {
        let ones = |channels| Param::from_tensor(Tensor::ones([1, channels, height, width], device));
        Self { mask: ones(1), pattern: ones(channels) }
    }

    fn mask(&self) -> Tensor<B, 4> {
        squash(self.mask.val())
    }

    fn read(&self) -> Reversed {
        let values = |t: Tensor<B, 4>| t.into_data().convert::<f32>().to_vec().unwrap_or_default();
        Reversed { mask: values(self.mask()), pattern: values(squash(self.pattern.val())), success: 0.0 }
    }
}

/// `x` `[n, channels, height, width]` under a mask `[1, 1, height, width]` and a pattern `[1, channels, height, width]`, both
/// repeated for every image: the framework is slow at shapes that differ. Normalising is affine, and so goes through: with
/// `x` and the pattern normalised, so is what comes of them.
fn covered<B: Backend>(x: Tensor<B, 4>, mask: Tensor<B, 4>, pattern: Tensor<B, 4>) -> Tensor<B, 4> {
    let [count, channels, ..] = x.dims();
    let (mask, pattern) = (mask.repeat(&[count, channels, 1, 1]), pattern.repeat(&[count, 1, 1, 1]));
    x.clone() + (pattern - x) * mask
}

/// The cost's way up and down, and what is worth keeping.
struct Balance<'a> {
    settings: &'a spec::NeuralCleanse,
    cost: f64,
    /// Passes in a row at or above the threshold, and below it.
    streak: [u64; 2],
    /// Whether the cost has been raised, and lowered.
    moved: [bool; 2],
    /// The smallest norm with success, and the smallest before the last pass.
    best: f64,
    before: f64,
    /// Passes in a row that did not improve it.
    still: u64,
}

impl<'a> Balance<'a> {
    fn new(settings: &'a spec::NeuralCleanse) -> Self {
        Self { settings, cost: settings.cost, streak: [0; 2], moved: [false; 2], best: f64::INFINITY, before: f64::INFINITY, still: 0 }
    }

    /// Takes in a pass: whether its trigger is the best so far.
    fn take(&mut self, success: f64, norm: f64) -> bool {
        let s = self.settings;
        let reached = success >= s.success;
        let kept = reached && norm < self.best;
        if kept {
            self.best = norm;
        }
        if self.best.is_finite() {
            self.still = if self.best >= s.improvement * self.before { self.still + 1 } else { 0 };
        }
        self.before = self.before.min(self.best);
        let way = usize::from(!reached);
        self.streak[1 - way] = 0;
        self.streak[way] += 1;
        if self.streak[way] >= s.patience {
            self.streak[way] = 0;
            self.moved[way] = true;
            self.cost = if reached { self.cost * s.cost_factor } else { self.cost / s.cost_factor.powf(1.5) };
        }
        kept
    }

    /// Nothing has improved for long, with the cost tried both ways.
    fn settled(&self) -> bool {
        self.moved == [true; 2] && self.still >= self.settings.early_patience
    }
}

/// What all labels' searches share.
pub(super) struct Search<'a, B: Train> {
    model: PreActResNet<B>,
    /// The clean images in one fixed order.
    images: Images,
    lookup: &'a Lookup,
    settings: &'a spec::NeuralCleanse,
    batch: usize,
    device: B::Device,
}

impl<'a, B: Train> Search<'a, B> {
    pub(super) fn new(case: &Case<'a, B>, settings: &'a spec::NeuralCleanse) -> Self {
        let order = rng::permutation(case.clean.len(), rng::stream(case.spec.seed, "trigger reversal", 0));
        Self {
            model: case.model.clone().no_grad(),
            images: case.clean.images.select(&order),
            lookup: case.lookup,
            settings,
            batch: case.spec.defense.batch,
            device: case.device.clone(),
        }
    }

    /// Batches of one pass.
    pub(super) fn steps(&self) -> usize {
        self.images.len().div_ceil(self.batch)
    }

    fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let (count, batch) = (self.images.len(), self.batch);
        (0..count).step_by(batch).map(move |start| start..(start + batch).min(count))
    }

    /// The smallest trigger for `label`; where none turns enough images, the one that the last pass left. `tick` is told
    /// pass and batch, and ends the search.
    pub(super) fn label(&self, label: u16, tick: &mut dyn FnMut(u64, usize) -> Result<(), Halt>) -> Result<Reversed, Halt> {
        let mut patch = Patch::<B>::new(self.images.shape, &self.device);
        let (mut adam, mut balance, mut kept) = (Adam::new(BETAS, 0.0), Balance::new(self.settings), None);
        for pass in 0..self.settings.passes {
            let success;
            (patch, success) = self.pass(patch, &mut adam, label, balance.cost, &mut |step| tick(pass, step))?;
            let norm = patch.mask().inner().sum().into_scalar().elem::<f64>();
            if !norm.is_finite() {
                let what = format!("the reversed trigger of label {label}");
                return Err(DefenseError::Diverged { what, setting: "defense.trigger_lr" }.into());
            }
            if balance.take(success, norm) {
                kept = Some(patch.clone());
            }
            if balance.settled() {
                break;
            }
        }
        let patch = kept.unwrap_or(patch).valid();
        Ok(Reversed { success: self.success(&patch, label), ..patch.read() })
    }

    /// One pass over the images: the patch after it, and the share that it turned on its way.
    fn pass(
        &self,
        mut patch: Patch<B>,
        adam: &mut Adam<B>,
        label: u16,
        cost: f64,
        tick: &mut dyn FnMut(usize) -> Result<(), Halt>,
    ) -> Result<(Patch<B>, f64), Halt> {
        let mut hits: Option<Tensor<B::InnerBackend, 1>> = None;
        for (step, range) in self.ranges().enumerate() {
            tick(step)?;
            let labels = Tensor::full([range.len()], i32::from(label), &self.device);
            let x = self.lookup.plain(&self.images, range, &self.device);
            let mask = patch.mask();
            let x = covered(x, mask.clone(), self.lookup.normalise(squash(patch.pattern.val())));
            let logits = self.model.forward(x, Mode::Eval);
            let turned = turned(logits.clone().inner(), label);
            hits = Some(hits.map_or_else(|| turned.clone(), |sum| sum + turned.clone()));
            let loss = cross_entropy(logits, labels) + mask.sum() * cost;
            let grads = GradientsParams::from_grads(loss.backward(), &patch);
            patch = adam.step(patch, grads, self.settings.trigger_lr);
        }
        // The one reading of a pass: it waits for the device.
        let hits = hits.map_or(0.0, |sum| sum.into_scalar().elem::<f64>());
        Ok((patch, hits / self.images.len().max(1) as f64))
    }

    /// The share that a finished patch turns.
    fn success(&self, patch: &Patch<B::InnerBackend>, label: u16) -> f64 {
        let (model, mask, pattern) = (self.model.valid(), patch.mask(), self.lookup.normalise(squash(patch.pattern.val())));
        let hits = self.ranges().map(|range| {
            let x = covered(self.lookup.plain(&self.images, range, &self.device), mask.clone(), pattern.clone());
            turned(model.forward(x, Mode::Eval), label)
        });
        let hits = hits.reduce(|a, b| a + b).map_or(0.0, |sum| sum.into_scalar().elem::<f64>());
        hits / self.images.len().max(1) as f64
    }
}

/// How many of `logits` `[n, classes]` name `label`, left on the device.
fn turned<B: Kernels>(logits: Tensor<B, 2>, label: u16) -> Tensor<B, 1> {
    logits.argmax(1).equal_elem(i32::from(label)).float().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cost x 2 after `patience` good passes in a row, / 2^1.5 after as many bad ones; ends only once it went both ways.
    #[test]
    fn the_cost_follows_success() {
        let settings = spec::NeuralCleanse { patience: 2, early_patience: 3, ..spec::NeuralCleanse::default() };
        let mut b = Balance::new(&settings);
        let costs: Vec<f64> = [1.0, 1.0, 1.0, 0.5, 1.0, 1.0].map(|s| (b.take(s, 100.0), b.cost / 1e-3).1).to_vec();
        assert_eq!(costs, [1.0, 2.0, 2.0, 2.0, 2.0, 4.0]);
        assert!(b.still >= 3 && !b.settled(), "the cost has not been lowered yet");
        b.take(0.5, 1.0);
        assert!(!b.take(0.97, 1.0), "smaller, but it turns too few");
        assert!((b.cost / 1e-3 - 4.0 / 2f64.powf(1.5)).abs() < 1e-12);
        assert!(b.settled());
        assert!(b.take(0.98, 98.5) && b.still == 0, "1.5% smaller is an improvement");
        assert!(b.take(0.98, 98.0) && b.still == 1, "0.5% smaller is kept, but is none");
    }

    #[test]
    fn a_trigger_is_blended_in_by_its_mask() {
        let reversed = Reversed { mask: vec![0.0, 1.0, 0.5], pattern: vec![1.0, 0.2, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0], success: 0.0 };
        let mut planes = [100, 100, 100, 7, 7, 7, 255, 255, 255];
        reversed.apply(&mut planes);
        assert_eq!(planes, [100, 51, 50, 7, 255, 131, 255, 0, 128]);
        assert_eq!(reversed.norm(), 1.5);
    }
}
