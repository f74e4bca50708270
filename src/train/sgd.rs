//! Stochastic gradient descent with momentum and coupled weight decay, as PyTorch's: `v = m v + (g + d w)`, `w -= lr v`,
//! the first `v` being the first gradient; no dampening, no Nesterov.

use super::moments::{self, Moments};
use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::TensorPrimitive;
use burn::tensor::backend::AutodiffBackend;

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

    /// A module shaped as `model` whose weights are the velocities (zero where there is none yet).
    pub fn velocities<M: Module<B::InnerBackend>>(&self, model: M) -> M {
        moments::export::<B, M>(&self.velocity, model)
    }

    /// Takes the velocities from a module made by [`Self::velocities`].
    pub fn restore<M: AutodiffModule<B>>(&mut self, model: &M, velocities: M::InnerModule) {
        self.velocity = moments::import(model, velocities);
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
