//! Stochastic gradient descent with momentum and coupled weight decay, as PyTorch's: `v = m v + (g + d w)`, `w -= lr v`,
//! the first `v` being the first gradient; no dampening, no Nesterov.

use super::checkpoint::Files;
use super::moments::{self, Moments};
use crate::model::store::{self, StoreError};
use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::TensorPrimitive;
use burn::tensor::backend::AutodiffBackend;
use burn_store::ModuleSnapshot;

/// The optimiser. The velocities stand in the order in which the module's weights are visited.
pub struct Sgd<B: AutodiffBackend> {
    /// Momentum.
    pub momentum: f64,
    /// Weight decay.
    pub weight_decay: f64,
    velocity: Moments<B>,
}

impl<B: AutodiffBackend> Sgd<B> {
    /// An optimiser that has made no step.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self { momentum, weight_decay, velocity: Vec::new() }
    }

    /// One step at learning rate `lr`.
    pub fn step<M: AutodiffModule<B>>(&mut self, model: M, grads: GradientsParams, lr: f64) -> M {
        model.map(&mut Step { sgd: self, grads, lr, at: 0 })
    }

    /// Writes `model`'s weights and its velocities (zero where there is none yet), laid out alike.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save<M: Module<B::InnerBackend> + ModuleSnapshot<B::InnerBackend>>(&self, model: M, files: &Files) -> Result<(), StoreError> {
        store::save(&model, &files.weights)?;
        store::save(&moments::export::<B, M>(&self.velocity, model), &files.part("momentum"))
    }

    /// Reads both as they were after `steps` steps, into a model of the same shape.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn load<M>(&mut self, model: M, files: &Files, steps: u64) -> Result<M, StoreError>
    where
        M: AutodiffModule<B> + ModuleSnapshot<B>,
        M::InnerModule: ModuleSnapshot<B::InnerBackend>,
    {
        let velocities = store::load(model.valid(), &files.part("momentum"))?;
        let model = store::load(model, &files.weights)?;
        self.velocity = if steps > 0 { moments::import(&model, velocities) } else { Vec::new() };
        Ok(model)
    }
}

struct Step<'a, B: AutodiffBackend> {
    sgd: &'a mut Sgd<B>,
    grads: GradientsParams,
    lr: f64,
    at: usize,
}

impl<B: AutodiffBackend> ModuleMapper<B> for Step<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let at = self.at;
        self.at += 1;
        if self.sgd.velocity.len() <= at {
            self.sgd.velocity.push(None);
        }
        let Some(grad) = self.grads.remove::<B::InnerBackend, D>(param.id) else { return param };
        let (id, weight, mapper) = param.consume();
        let weight = weight.inner();
        let grad = if self.sgd.weight_decay == 0.0 { grad } else { grad + weight.clone() * self.sgd.weight_decay };
        let velocity = match self.sgd.velocity[at].take() {
            Some(v) => Tensor::<B::InnerBackend, D>::from_primitive(TensorPrimitive::Float(v)) * self.sgd.momentum + grad,
            None => grad,
        };
        let weight = weight - velocity.clone() * self.lr;
        self.sgd.velocity[at] = Some(velocity.into_primitive().tensor());
        Param::from_mapped_value(id, Tensor::from_inner(weight).require_grad(), mapper)
    }
}
