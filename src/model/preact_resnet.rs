//! PreAct-ResNet (He et al. 2016) as BackdoorBench defines it (spec.md section 7).
//!
//! ```text
//! image -> conv1 3x3 -> stage 1 -> stage 2 (stride 2) -> ... -> mean over pixels -> linear -> logits
//! block:  o = relu(bn1(x));  y = conv2(relu(bn2(conv1(o))));  y + shortcut
//!         shortcut = conv1x1(o) where width or resolution changes, else x itself
//! ```
//! There is no normalisation and no ReLU after the last block. With widths 64/128/256/512 and two blocks a stage it
//! has 11,171,146 parameters at 10 classes, and its weights carry PyTorch's names (`layer2.0.bn1.weight`).

use super::init::{Init, conv2d};
use super::norm::{Mode, bn_relu};
use crate::kernel::{self, Kernels, Train};
use crate::spec::Stages;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::prelude::*;
use rand_chacha::ChaCha8Rng;

/// Pre-activation residual block: two 3x3 convolutions, each after batch normalisation and ReLU.
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    bn1: BatchNorm<B>,
    conv1: Conv2d<B>,
    bn2: BatchNorm<B>,
    conv2: Conv2d<B>,
    /// Empty for the identity, else one 1x1 convolution (a list, so that its weight is called `shortcut.0.weight`).
    shortcut: Vec<Conv2d<B>>,
}

impl<B: Kernels> Block<B> {
    fn new(inputs: usize, outputs: usize, stride: usize, init: &mut Init<'_, B>) -> Self {
        let conv1 = init.conv(inputs, outputs, 3, stride);
        let conv2 = init.conv(outputs, outputs, 3, 1);
        let shortcut = if stride != 1 || inputs != outputs { vec![init.conv(inputs, outputs, 1, stride)] } else { Vec::new() };
        Self { bn1: init.norm(inputs), conv1, bn2: init.norm(outputs), conv2, shortcut }
    }

    /// # Shapes
    /// - x: `[batch, inputs, height, width]`
    /// - output: `[batch, outputs, height / stride, width / stride]`
    fn forward(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
        let o = bn_relu(&self.bn1, x.clone(), mode);
        let shortcut = match self.shortcut.first() {
            Some(conv) => conv2d(conv, o.clone()),
            None => x,
        };
        let y = conv2d(&self.conv1, o);
        conv2d(&self.conv2, bn_relu(&self.bn2, y, mode)) + shortcut
    }
}

/// A classifier of 3-channel images.
#[derive(Module, Debug)]
pub struct PreActResNet<B: Backend> {
    conv1: Conv2d<B>,
    layers: Vec<Vec<Block<B>>>,
    linear: Linear<B>,
}

impl<B: Kernels> PreActResNet<B> {
    /// A network with PyTorch's default initial weights, U(-1/sqrt(fan in), 1/sqrt(fan in)), drawn from `rng` alone:
    /// the same on every device.
    pub fn new(stages: &Stages, classes: usize, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        let first = stages.widths[0];
        let conv1 = init.conv(3, first, 3, 1);
        let (layers, inputs) = init.stages(stages, Block::new);
        Self { conv1, layers, linear: init.linear(inputs, classes) }
    }

    /// Trainable parameters; running statistics are none.
    pub fn parameters(&self) -> usize {
        let channels: usize = self.layers.iter().flatten().flat_map(|b| [&b.bn1, &b.bn2]).map(|n| n.gamma.dims()[0]).sum();
        self.num_params() - 2 * channels
    }

    /// The last block's output.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised
    /// - output: `[batch, widths.last(), height / 2^(stages - 1), width / 2^(stages - 1)]`
    pub fn last_stage(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
        let h = conv2d(&self.conv1, x);
        self.layers.iter().flatten().fold(h, |h, block| block.forward(h, mode))
    }

    /// What `linear` sees: the last block's output, averaged over all pixels.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised
    /// - output: `[batch, widths.last()]`
    pub fn features(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 2> {
        kernel::mean_pixels(self.last_stage(x, mode))
    }

    /// The output of each stage, first to last, and the logits, from one pass.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised
    /// - output: `[batch, widths[i], height / 2^i, width / 2^i]` of stage i; `[batch, classes]`
    pub fn stages(&self, x: Tensor<B, 4>, mode: Mode) -> (Vec<Tensor<B, 4>>, Tensor<B, 2>) {
        let mut h = conv2d(&self.conv1, x);
        let mut outputs = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            h = layer.iter().fold(h, |h, block| block.forward(h, mode));
            outputs.push(h.clone());
        }
        (outputs, self.classify(kernel::mean_pixels(h)))
    }

    /// Logits `[batch, classes]` of what [`Self::features`] gives.
    pub fn classify(&self, features: Tensor<B, 2>) -> Tensor<B, 2> {
        self.linear.forward(features)
    }

    /// The same network with a fresh classifier of `classes` outputs: the transfer scenario's start (spec.md section 2).
    #[must_use]
    pub fn with_head(mut self, classes: usize, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let inputs = self.linear.weight.dims()[0];
        self.linear = Init { rng, device }.linear(inputs, classes);
        self
    }

    /// Logits.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised
    /// - output: `[batch, classes]`
    pub fn forward(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 2> {
        self.classify(self.features(x, mode))
    }
}

impl<B: Train> PreActResNet<B> {
    /// The same network whose classifier takes each feature times its entry in `keep` `[widths.last()]`: 0 removes a
    /// channel, as long as nothing gives its weights another value.
    #[must_use]
    pub fn masked(mut self, keep: Tensor<B::InnerBackend, 1>) -> Self {
        self.linear.weight = self.linear.weight.map(|w| Tensor::from_inner(w.inner() * keep.unsqueeze_dim(1)).require_grad());
        self
    }
}
