//! ResNet (He et al. 2015) as an encoder of 32x32 images, and the projection head of SimCLR (Chen et al. 2020) on it
//! (spec.md section 7).
//!
//! ```text
//! image -> conv1 3x3 -> bn1 -> ReLU -> stage 1 -> stage 2 (stride 2) -> ... -> mean over pixels = features
//! block:  y = bn2(conv2(relu(bn1(conv1(x)))));  relu(y + shortcut)
//!         shortcut = bn(conv1x1(x)) where width or resolution changes, else x itself
//! head:   features -> linear -> bn -> ReLU -> linear -> 128
//! ```
//! The stem is CIFAR's: stride 1 and no max-pool. With widths 64/128/256/512 and two blocks a stage this is torchvision's
//! ResNet18 but for the stem, without its classifier; its weights carry torchvision's names (`layer2.0.downsample.1.bias`).

use super::init::{Init, conv2d};
use super::norm::{Mode, bn, bn_relu};
use crate::kernel::{self, Kernels};
use crate::spec::Stages;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::prelude::*;
use rand_chacha::ChaCha8Rng;

/// Dimensions in which views are compared (SimCLR).
const PROJECTION: usize = 128;

/// Post-activation residual block: two 3x3 convolutions, each followed by batch normalisation.
#[derive(Module, Debug)]
pub struct BasicBlock<B: Backend> {
    conv1: Conv2d<B>,
    bn1: BatchNorm<B>,
    conv2: Conv2d<B>,
    bn2: BatchNorm<B>,
    /// None for the identity (a pair, so that its weights are called `downsample.0.weight` and `downsample.1.weight`).
    downsample: Option<(Conv2d<B>, BatchNorm<B>)>,
}

impl<B: Kernels> BasicBlock<B> {
    fn new(inputs: usize, outputs: usize, stride: usize, init: &mut Init<'_, B>) -> Self {
        let conv1 = init.conv(inputs, outputs, 3, stride);
        let conv2 = init.conv(outputs, outputs, 3, 1);
        let changes = stride != 1 || inputs != outputs;
        let downsample = changes.then(|| (init.conv(inputs, outputs, 1, stride), init.norm(outputs)));
        Self { conv1, bn1: init.norm(outputs), conv2, bn2: init.norm(outputs), downsample }
    }

    /// # Shapes
    /// - x: `[batch, inputs, height, width]`
    /// - output: `[batch, outputs, height / stride, width / stride]`
    fn forward(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
        let y = bn_relu(&self.bn1, conv2d(&self.conv1, x.clone()), mode);
        let y = bn(&self.bn2, conv2d(&self.conv2, y), mode);
        let shortcut = match &self.downsample {
            Some((conv, norm)) => bn(norm, conv2d(conv, x), mode),
            None => x,
        };
        kernel::add_relu(y, shortcut)
    }
}

/// An encoder of 3-channel images.
#[derive(Module, Debug)]
pub struct ResNet<B: Backend> {
    conv1: Conv2d<B>,
    bn1: BatchNorm<B>,
    layers: Vec<Vec<BasicBlock<B>>>,
}

impl<B: Kernels> ResNet<B> {
    /// An encoder with PyTorch's default initial weights, U(-1/sqrt(fan in), 1/sqrt(fan in)), drawn from `rng` alone: the
    /// same on every device. (torchvision draws from a normal distribution; the normalisation after each convolution takes
    /// the scale out again.)
    pub fn new(stages: &Stages, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        let first = stages.widths[0];
        let (conv1, bn1) = (init.conv(3, first, 3, 1), init.norm(first));
        let (layers, _) = init.stages(stages, BasicBlock::new);
        Self { conv1, bn1, layers }
    }

    /// Trainable parameters; running statistics are none.
    pub fn parameters(&self) -> usize {
        let blocks = self.layers.iter().flatten();
        let norms = blocks.flat_map(|b| [&b.bn1, &b.bn2].into_iter().chain(b.downsample.as_ref().map(|d| &d.1)));
        let channels: usize = norms.chain([&self.bn1]).map(|n| n.gamma.dims()[0]).sum();
        self.num_params() - 2 * channels
    }

    /// Length of a feature vector.
    pub fn width(&self) -> usize {
        let last = self.layers.iter().flatten().last();
        last.map_or(&self.bn1, |block| &block.bn2).gamma.dims()[0]
    }

    /// Features: the last block's output, averaged over all pixels. In every mode gradients reach the convolutions;
    /// [`Mode::Frozen`] leaves batch normalisation as it is.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised
    /// - output: `[batch, widths.last()]`
    pub fn forward(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 2> {
        let h = bn_relu(&self.bn1, conv2d(&self.conv1, x), mode);
        let h = self.layers.iter().flatten().fold(h, |h, block| block.forward(h, mode));
        kernel::mean_pixels(h)
    }
}

/// The projection head g: it is trained with the encoder and thrown away after.
#[derive(Module, Debug)]
pub struct ProjectionHead<B: Backend> {
    linear1: Linear<B>,
    bn1: BatchNorm<B>,
    linear2: Linear<B>,
}

impl<B: Kernels> ProjectionHead<B> {
    /// For features of `width`, which is the hidden layer's width too.
    pub fn new(width: usize, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        // The bias would be taken out again by the normalisation.
        let linear1 = Linear { bias: None, ..init.linear(width, width) };
        Self { linear1, bn1: init.norm(width), linear2: init.linear(width, PROJECTION) }
    }

    /// Trainable parameters; running statistics are none.
    pub fn parameters(&self) -> usize {
        self.num_params() - 2 * self.bn1.gamma.dims()[0]
    }

    /// # Shapes
    /// - features: `[batch, width]`
    /// - output: `[batch, 128]`, not normalised
    pub fn forward(&self, features: Tensor<B, 2>, mode: Mode) -> Tensor<B, 2> {
        let h = self.linear1.forward(features);
        let [batch, width] = h.dims();
        let h = bn_relu(&self.bn1, h.reshape([batch, width, 1, 1]), mode);
        self.linear2.forward(h.reshape([batch, width]))
    }
}

/// What SimCLR trains: the encoder f and the projection head g.
#[derive(Module, Debug)]
pub struct SimClr<B: Backend> {
    /// The encoder.
    pub f: ResNet<B>,
    /// The projection head.
    pub g: ProjectionHead<B>,
}

impl<B: Kernels> SimClr<B> {
    /// Both with weights drawn from `rng`.
    pub fn new(stages: &Stages, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let f = ResNet::new(stages, rng, device);
        let g = ProjectionHead::new(f.width(), rng, device);
        Self { f, g }
    }

    /// What views are compared by.
    ///
    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised
    /// - output: `[batch, 128]`, not normalised
    pub fn forward(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 2> {
        self.g.forward(self.f.forward(x, mode), mode)
    }
}
