//! One optimiser step.

use super::sgd::Sgd;
use crate::kernel::Train;
use crate::model::{Mode, PreActResNet};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::activation::log_softmax;

/// A loss that stays on the device until it is read.
pub type Loss<B> = Tensor<<B as burn::tensor::backend::AutodiffBackend>::InnerBackend, 1>;

/// Reads a loss back, which waits for the device.
pub fn read<B: Backend>(loss: Tensor<B, 1>) -> f64 {
    loss.into_scalar().elem()
}

/// Mean cross-entropy of `logits` `[batch, classes]` against class indices `[batch]`.
pub fn cross_entropy<B: Backend>(logits: Tensor<B, 2>, labels: Tensor<B, 1, Int>) -> Tensor<B, 1> {
    let picked = log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1));
    picked.mean().neg()
}

/// A network and its optimiser on a device.
pub struct Trainer<B: Train> {
    /// The network.
    pub model: PreActResNet<B>,
    /// The optimiser.
    pub sgd: Sgd<B>,
    /// Where both live.
    pub device: B::Device,
}

impl<B: Train> Trainer<B> {
    /// Forward, cross-entropy, backward, SGD at learning rate `lr`; returns the loss without waiting for the device.
    pub fn step(&mut self, x: Tensor<B, 4>, labels: Tensor<B, 1, Int>, lr: f64) -> Loss<B> {
        let loss = cross_entropy(self.model.forward(x, Mode::Train), labels);
        let value = loss.clone().inner();
        let grads = GradientsParams::from_grads(loss.backward(), &self.model);
        self.model = self.sgd.step(self.model.clone(), grads, lr);
        value
    }
}
