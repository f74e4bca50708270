//! Adam (Kingma and Ba 2015) with coupled weight decay, as PyTorch's:
//!
//! ```text
//! g += d w;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//! w -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
//! ```

use super::checkpoint::Files;
use super::moments::{self, Moments};
use crate::model::store::{self, StoreError};
use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::TensorPrimitive;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn_store::ModuleSnapshot;

/// PyTorch's default betas.
pub const BETAS: (f64, f64) = (0.9, 0.999);
/// Keeps the division finite (PyTorch's default; the framework's is 1e-5).
const EPSILON: f64 = 1e-8;

/// The optimiser. The moments stand in the order in which the module's weights are visited.
pub struct Adam<B: AutodiffBackend> {
    /// How slowly the mean of the gradients and that of their squares move.
    betas: (f64, f64),
    /// Weight decay.
    weight_decay: f64,
    /// Steps done.
    count: u64,
    mean: Moments<B>,
    square: Moments<B>,
    /// The sum of all gradients so far, where they are never cleared.
    hoard: Option<Moments<B>>,
}

impl<B: AutodiffBackend> Adam<B> {
    /// An optimiser that has made no step.
    pub fn new(betas: (f64, f64), weight_decay: f64) -> Self {
        Self { betas, weight_decay, count: 0, mean: Vec::new(), square: Vec::new(), hoard: None }
    }

    /// One step at learning rate `lr`. Weights without a gradient stay as they are.
    pub fn step<M: AutodiffModule<B>>(&mut self, model: M, grads: GradientsParams, lr: f64) -> M {
        self.count += 1;
        model.map(&mut Step { adam: self, grads, lr, at: 0 })
    }

    /// This optimiser, never clearing its gradients: each step adds all earlier ones (spec.md 1.5, a trap of published code).
    #[must_use]
    pub fn hoarding(self) -> Self {
        Self { hoard: Some(Vec::new()), ..self }
    }

    fn kept(&self) -> Vec<(&'static str, &Moments<B>)> {
        [("mean", Some(&self.mean)), ("square", Some(&self.square)), ("hoard", self.hoard.as_ref())]
            .into_iter()
            .filter_map(|(name, moments)| Some((name, moments?)))
            .collect()
    }

    /// Writes what is remembered of `model`'s weights to parts of a checkpoint that begin with `name`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save<M: Module<B::InnerBackend> + ModuleSnapshot<B::InnerBackend>>(&self, model: &M, files: &Files, name: &str) -> Result<(), StoreError> {
        self.kept()
            .into_iter()
            .try_for_each(|(kind, moments)| store::save(&moments::export::<B, M>(moments, model.clone()), &files.part(&format!("{name}-{kind}"))))
    }

    /// Reads back what [`Self::save`] wrote after `count` steps.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn restore<M>(&mut self, model: &M, files: &Files, name: &str, count: u64) -> Result<(), StoreError>
    where
        M: AutodiffModule<B>,
        M::InnerModule: ModuleSnapshot<B::InnerBackend>,
    {
        let read = |kind: &str| -> Result<Moments<B>, StoreError> {
            if count == 0 {
                return Ok(Vec::new());
            }
            Ok(moments::import(model, store::load(model.valid(), &files.part(&format!("{name}-{kind}")))?))
        };
        (self.mean, self.square) = (read("mean")?, read("square")?);
        if self.hoard.is_some() {
            self.hoard = Some(read("hoard")?);
        }
        self.count = count;
        Ok(())
    }
}

/// A gradient with all earlier ones of the same weight.
fn hoarded<B: Backend, const D: usize>(hoard: &mut Vec<Option<FloatTensor<B>>>, at: usize, grad: Tensor<B, D>) -> Tensor<B, D> {
    if hoard.len() <= at {
        hoard.resize_with(at + 1, || None);
    }
    let sum = match hoard[at].take() {
        Some(old) => Tensor::from_primitive(TensorPrimitive::Float(old)) + grad,
        None => grad,
    };
    hoard[at] = Some(sum.clone().into_primitive().tensor());
    sum
}

struct Step<'a, B: AutodiffBackend> {
    adam: &'a mut Adam<B>,
    grads: GradientsParams,
    lr: f64,
    at: usize,
}

impl<B: AutodiffBackend> ModuleMapper<B> for Step<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let at = self.at;
        self.at += 1;
        let adam = &mut *self.adam;
        if adam.mean.len() <= at {
            adam.mean.push(None);
            adam.square.push(None);
        }
        let Some(grad) = self.grads.remove::<B::InnerBackend, D>(param.id) else { return param };
        let (id, weight, mapper) = param.consume();
        let weight = weight.inner();
        let grad = match &mut adam.hoard {
            Some(hoard) => hoarded(hoard, at, grad),
            None => grad,
        };
        let grad = if adam.weight_decay == 0.0 { grad } else { grad + weight.clone() * adam.weight_decay };
        let (b1, b2) = adam.betas;
        let moved = |old: Option<_>, beta: f64, new: Tensor<B::InnerBackend, D>| match old {
            Some(old) => Tensor::<B::InnerBackend, D>::from_primitive(TensorPrimitive::Float(old)) * beta + new * (1.0 - beta),
            None => new * (1.0 - beta),
        };
        let mean = moved(adam.mean[at].take(), b1, grad.clone());
        let square = moved(adam.square[at].take(), b2, grad.powi_scalar(2));
        let corrected = |beta: f64| 1.0 - beta.powf(adam.count as f64);
        let root = (square.clone() / corrected(b2)).sqrt() + EPSILON;
        let weight = weight - mean.clone() * (self.lr / corrected(b1)) / root;
        adam.mean[at] = Some(mean.into_primitive().tensor());
        adam.square[at] = Some(square.into_primitive().tensor());
        Param::from_mapped_value(id, Tensor::from_inner(weight).require_grad(), mapper)
    }
}
