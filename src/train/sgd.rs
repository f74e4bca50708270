//! Stochastic gradient descent with momentum and coupled weight decay, as PyTorch's: `v = m v + (g + d w)`, `w -= lr v`,
//! the first `v` being the first gradient; no dampening. With Nesterov's momentum, `w -= lr (g + d w + m v)` instead.

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
    nesterov: bool,
    velocity: Moments<B>,
}

impl<B: AutodiffBackend> Sgd<B> {
    /// An optimiser that has made no step.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self { momentum, weight_decay, nesterov: false, velocity: Vec::new() }
    }

    /// With Nesterov's momentum, as PyTorch has it.
    #[must_use]
    pub fn nesterov(self) -> Self {
        Self { nesterov: true, ..self }
    }

    /// Forgets the velocities, as if it had made no step.
    pub fn forget(&mut self) {
        self.velocity.clear();
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
            Some(v) => Tensor::<B::InnerBackend, D>::from_primitive(TensorPrimitive::Float(v)) * self.sgd.momentum + grad.clone(),
            None => grad.clone(),
        };
        let direction = if self.sgd.nesterov { grad + velocity.clone() * self.sgd.momentum } else { velocity.clone() };
        let weight = weight - direction * self.lr;
        self.sgd.velocity[at] = Some(velocity.into_primitive().tensor());
        Param::from_mapped_value(id, Tensor::from_inner(weight).require_grad(), mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};
    use burn::nn::{Linear, LinearConfig};

    type B = Autodiff<Flex>;

    /// Three steps on the loss 3 w from w = 2 (lr 0.1, momentum 0.9, weight decay 0.5), by PyTorch's documented formula:
    /// `g = 3 + 0.5 w; v = 0.9 v + g (first: g); w -= 0.1 (g + 0.9 v)`, without Nesterov `w -= 0.1 v`.
    fn walk(sgd: Sgd<B>) -> Vec<f64> {
        let (device, mut sgd) = (Default::default(), sgd);
        let mut net: Linear<B> = LinearConfig::new(1, 1).with_bias(false).init(&device);
        net.weight = net.weight.map(|w| Tensor::from_inner(w.inner() * 0.0 + 2.0).require_grad());
        let step = |net: Linear<B>, sgd: &mut Sgd<B>| {
            let grads = GradientsParams::from_grads((net.weight.val().sum() * 3.0).backward(), &net);
            sgd.step(net, grads, 0.1)
        };
        (0..3)
            .map(|_| {
                net = step(net.clone(), &mut sgd);
                f64::from(net.weight.val().into_scalar())
            })
            .collect()
    }

    #[track_caller]
    fn close(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?} is not {expected:?}");
    }

    /// By hand: without, g = 4, v = 4, w = 1.6; g = 3.8, v = 7.4, w = 0.86; g = 3.43, v = 10.09, w = -0.149.
    /// With, w = 2 - 0.1 (4 + 3.6) = 1.24; g = 3.62, v = 7.22, w = 0.2282; g = 3.1141, v = 9.6121, w = -0.948299.
    #[test]
    fn steps_are_pytorchs_with_and_without_nesterov() {
        close(&walk(Sgd::new(0.9, 0.5)), &[1.6, 0.86, -0.149]);
        close(&walk(Sgd::new(0.9, 0.5).nesterov()), &[1.24, 0.2282, -0.948_299]);
    }
}
