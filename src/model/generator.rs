//! The generators of Input-aware (Nguyen and Tran 2020): a small encoder-decoder that makes a pattern (3 channels) or a
//! mask (1 channel) of an image's own size (spec.md 1.5).
//!
//! ```text
//! down, for c of 32, 64, 128:   [conv3x3 -> norm -> ReLU] twice, max-pool 2
//! middle:                       conv3x3 -> norm -> ReLU
//! up, for c of 128, 64, 32:     x2 bilinear, conv3x3 c -> c, norm, ReLU, conv3x3 to the next, norm, ReLU (the last: none)
//! output:                       tanh(z) / 2 + 0.5
//! ```
//! The published convolutions have a bias, which the normalisation after each takes out again to the last bit of its
//! gradient; there is none here.

use super::init::{Init, conv2d};
use super::norm::{Mode, bn, bn_relu};
use crate::kernel::{Kernels, max_pool2};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::prelude::*;
use burn::tensor::activation::tanh;
use rand_chacha::ChaCha8Rng;

/// How far a step moves the running statistics (BackdoorBench; PyTorch's default is 0.1).
const NORM_MOMENTUM: f64 = 0.05;
/// Keeps the published outputs within 0..1 in float32.
const SQUASH: f64 = 2.0 + 1e-7;

/// A convolution and its normalisation.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
}

impl<B: Kernels> Layer<B> {
    fn new(inputs: usize, outputs: usize, init: &mut Init<'_, B>) -> Self {
        let norm = BatchNormConfig::new(outputs).with_momentum(NORM_MOMENTUM).init(init.device);
        Self { conv: init.conv(inputs, outputs, 3, 1), norm }
    }

    fn relu(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
        bn_relu(&self.norm, conv2d(&self.conv, x), mode)
    }
}

/// A generator of patterns or masks.
#[derive(Module, Debug)]
pub struct Generator<B: Backend> {
    down: Vec<Layer<B>>,
    middle: Layer<B>,
    up: Vec<Layer<B>>,
    last: Layer<B>,
}

impl<B: Kernels> Generator<B> {
    /// Three levels of `widths` channels; `outputs` channels come out. Weights are drawn from `rng`.
    pub fn new(widths: &[usize], outputs: usize, rng: &mut ChaCha8Rng, device: &B::Device) -> Self {
        let mut init = Init { rng, device };
        let mut inputs = 3;
        let mut down = Vec::with_capacity(2 * widths.len());
        for &width in widths {
            down.push(Layer::new(inputs, width, &mut init));
            down.push(Layer::new(width, width, &mut init));
            inputs = width;
        }
        let middle = Layer::new(inputs, inputs, &mut init);
        let mut up = Vec::with_capacity(2 * widths.len());
        let mut last = None;
        for (level, &width) in widths.iter().enumerate().rev() {
            up.push(Layer::new(width, width, &mut init));
            match level.checked_sub(1) {
                Some(below) => up.push(Layer::new(width, widths[below], &mut init)),
                None => last = Some(Layer::new(width, outputs, &mut init)),
            }
        }
        let last = last.unwrap_or_else(|| Layer::new(inputs, outputs, &mut init));
        Self { down, middle, up, last }
    }

    /// # Shapes
    /// - x: `[batch, 3, height, width]`, normalised; height and width divisible by 8
    /// - output: `[batch, outputs, height, width]` in 0..1
    pub fn forward(&self, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
        let mut h = x;
        for pair in self.down.chunks(2) {
            h = pair.iter().fold(h, |h, layer| layer.relu(h, mode));
            h = max_pool2(h);
        }
        h = self.middle.relu(h, mode);
        for (at, layer) in self.up.iter().enumerate() {
            // Every other layer begins a level.
            let x = if at % 2 == 0 { twice(h) } else { h };
            h = layer.relu(x, mode);
        }
        squash(bn(&self.last.norm, conv2d(&self.last.conv, h), mode))
    }
}

/// `tanh(z) / 2 + 0.5`, as published.
pub fn squash<B: Backend, const D: usize>(z: Tensor<B, D>) -> Tensor<B, D> {
    tanh(z) / SQUASH + 0.5
}

/// Twice the size, bilinear, pixel centres kept in place (PyTorch's `align_corners=False`). Two products with a fixed
/// matrix: a gradient for this interpolation is missing on GPUs.
fn twice<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    let [batch, channels, height, width] = x.dims();
    let device = x.device();
    let across = x.reshape([batch * channels * height, width]).matmul(doubling(width, &device).transpose());
    let down = doubling(height, &device).unsqueeze::<3>().matmul(across.reshape([batch * channels, height, 2 * width]));
    down.reshape([batch, channels, 2 * height, 2 * width])
}

/// The matrix `[2 n, n]` that doubles a line: each new pixel is three quarters of the nearer old one and one of the other.
fn doubling<B: Backend>(n: usize, device: &B::Device) -> Tensor<B, 2> {
    let mut values = vec![0f32; 2 * n * n];
    for i in 0..2 * n {
        let (near, other) = (i / 2, if i % 2 == 0 { (i / 2).saturating_sub(1) } else { (i / 2 + 1).min(n - 1) });
        values[i * n + near] += 0.75;
        values[i * n + other] += 0.25;
    }
    Tensor::from_data(TensorData::new(values, [2 * n, n]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};
    use burn::module::AutodiffModule;
    use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
    use rand::SeedableRng;

    fn image<B: Backend>(shape: [usize; 4]) -> Tensor<B, 4> {
        let values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|i| (i as f32 * 0.618).fract() * 2.0 - 1.0).collect();
        Tensor::from_data(TensorData::new(values, shape), &Default::default())
    }

    #[test]
    fn doubling_is_bilinear_interpolation() {
        let x = image::<Flex>([2, 3, 4, 6]);
        let theirs =
            burn::tensor::module::interpolate(x.clone(), [8, 12], InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(false));
        let apart: f32 = (twice(x) - theirs).abs().max().into_scalar();
        assert!(apart < 1e-6, "{apart}");
    }

    #[test]
    fn the_output_has_the_images_size_and_lies_between_0_and_1() {
        type B = Autodiff<Flex>;
        let net = Generator::<B>::new(&[4, 6, 8], 3, &mut ChaCha8Rng::seed_from_u64(0), &Default::default());
        let y = net.forward(image([2, 3, 32, 32]), Mode::Train);
        assert_eq!(y.dims(), [2, 3, 32, 32]);
        let (low, high): (f32, f32) = (y.clone().min().into_scalar(), y.clone().max().into_scalar());
        assert!(low >= 0.0 && high <= 1.0 && high - low > 0.1, "{low} {high}");
        let grads = y.sum().backward();
        assert!(net.down[0].conv.weight.val().grad(&grads).is_some(), "the first layer gets no gradient");
        let still = net.valid();
        assert_eq!(still.forward(image([1, 3, 32, 32]), Mode::Eval).dims(), [1, 3, 32, 32]);
    }

    /// The authors' two networks with 32, 64 and 128 channels: their parameters less the biases that do nothing.
    #[test]
    fn it_has_the_published_size() {
        let net = Generator::<Flex>::new(&[32, 64, 128], 3, &mut ChaCha8Rng::seed_from_u64(0), &Default::default());
        let convs =
            [(3, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 128), (128, 128), (128, 64), (64, 64), (64, 32), (32, 32), (32, 3)];
        let weights: usize = convs.iter().map(|(i, o)| i * o * 9 + 2 * o).sum();
        let statistics: usize = convs.iter().map(|(_, o)| 2 * o).sum();
        assert_eq!(net.num_params(), weights + statistics);
    }
}
