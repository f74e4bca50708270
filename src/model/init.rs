//! Layers with PyTorch's default initial weights, U(-1/sqrt(fan in), 1/sqrt(fan in)), drawn from a stream of ours: the
//! framework's own are lazy and, on a CPU, follow a seed that the whole process shares.

use crate::kernel::{self, Kernels};
use crate::spec::Stages;
use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A convolution without bias, its padding chosen to keep the size at stride 1.
pub fn conv2d<B: Kernels>(conv: &Conv2d<B>, x: Tensor<B, 4>) -> Tensor<B, 4> {
    kernel::conv2d(x, conv.weight.val(), conv.stride[0], conv.kernel_size[0] / 2)
}

/// Draws initial weights.
pub struct Init<'a, B: Backend> {
    /// Where weights are drawn from.
    pub rng: &'a mut ChaCha8Rng,
    /// Where they go.
    pub device: &'a B::Device,
}

impl<B: Backend> Init<'_, B> {
    /// The blocks of a residual network's stages, and the channels of the last. Every stage after the first halves the
    /// resolution with its first block. `block`: makes one of input channels, output channels and stride.
    pub fn stages<T>(&mut self, stages: &Stages, block: impl Fn(usize, usize, usize, &mut Self) -> T) -> (Vec<Vec<T>>, usize) {
        let mut inputs = stages.widths[0];
        let mut layers = Vec::with_capacity(stages.widths.len());
        for (stage, &width) in stages.widths.iter().enumerate() {
            let mut blocks = Vec::with_capacity(stages.blocks);
            for at in 0..stages.blocks {
                let stride = if stage > 0 && at == 0 { 2 } else { 1 };
                blocks.push(block(inputs, width, stride, self));
                inputs = width;
            }
            layers.push(blocks);
        }
        (layers, inputs)
    }

    /// A convolution without bias that keeps the size at stride 1.
    pub fn conv(&mut self, inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Conv2d<B> {
        let pad = kernel / 2;
        let mut conv = Conv2dConfig::new([inputs, outputs], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
            .with_bias(false)
            .init(self.device);
        conv.weight = self.uniform([outputs, inputs, kernel, kernel], inputs * kernel * kernel);
        conv
    }

    /// A batch normalisation: scale 1, shift 0.
    pub fn norm(&self, channels: usize) -> BatchNorm<B> {
        BatchNormConfig::new(channels).init(self.device)
    }

    /// A linear layer.
    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Linear<B> {
        let mut linear = LinearConfig::new(inputs, outputs).init(self.device);
        linear.weight = self.uniform([inputs, outputs], inputs);
        linear.bias = Some(self.uniform([outputs], inputs));
        linear
    }

    fn uniform<const D: usize>(&mut self, shape: [usize; D], fan_in: usize) -> Param<Tensor<B, D>> {
        let bound = 1.0 / (fan_in as f32).sqrt();
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| self.rng.random_range(-bound..bound)).collect();
        Param::from_data(TensorData::new(values, shape), self.device)
    }
}
