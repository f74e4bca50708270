//! Batch normalisation followed by ReLU, with an explicit mode.

use crate::kernel::{self, Kernels};
use burn::nn::BatchNorm;
use burn::prelude::*;

/// Whether batch normalisation uses the batch's statistics and updates the running ones.
///
/// The framework decides this by the backend's type; here it is said, so that an evaluated network can still carry
/// gradients to its input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Batch statistics; running statistics move by the momentum.
    Train,
    /// Running statistics; nothing moves.
    Eval,
}

/// `relu(bn(x))`.
///
/// Follows PyTorch: normalised by the biased variance, while the running variance takes the unbiased one.
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn bn_relu<B: Kernels>(norm: &BatchNorm<B>, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
    let (gamma, beta, eps) = (norm.gamma.val(), norm.beta.val(), norm.epsilon as f32);
    if mode == Mode::Eval {
        let inv_std = (norm.running_var.value_sync() + norm.epsilon).sqrt().recip();
        return kernel::bn_relu(x, gamma, beta, eps, Some((norm.running_mean.value_sync(), inv_std))).0;
    }
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    let (y, mean, inv_std) = kernel::bn_relu(x, gamma, beta, eps, None);
    let variance = inv_std.powi_scalar(2).recip() - norm.epsilon;
    move_statistics(norm, mean, variance, count);
    y
}

/// Moves the running statistics towards a batch's mean and biased variance over `count` values a channel.
fn move_statistics<B: Kernels>(norm: &BatchNorm<B>, mean: Tensor<B, 1>, variance: Tensor<B, 1>, count: f64) {
    let unbiased = count / (count - 1.0).max(1.0);
    let blend = |old: Tensor<B, 1>, new: Tensor<B, 1>, scale: f64| (old * (1.0 - norm.momentum) + new * (norm.momentum * scale)).detach();
    norm.running_mean.update(blend(norm.running_mean.value_sync(), mean, 1.0));
    norm.running_var.update(blend(norm.running_var.value_sync(), variance, unbiased));
}

/// `bn(x)` without ReLU: for layers that end a branch.
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn bn<B: Kernels>(norm: &BatchNorm<B>, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
    let [batch, channels, height, width] = x.dims();
    let per_channel = |v: Tensor<B, 1>| v.reshape([1, channels, 1, 1]);
    let (mean, variance) = match mode {
        Mode::Eval => (per_channel(norm.running_mean.value_sync()), per_channel(norm.running_var.value_sync())),
        Mode::Train => {
            let mean = x.clone().mean_dims(&[0, 2, 3]);
            let variance = (x.clone() - mean.clone()).powi_scalar(2).mean_dims(&[0, 2, 3]);
            let count = (batch * height * width) as f64;
            move_statistics(norm, mean.clone().reshape([channels]), variance.clone().reshape([channels]), count);
            (mean, variance)
        }
    };
    let scale = (variance + norm.epsilon).sqrt().recip() * per_channel(norm.gamma.val());
    (x - mean) * scale + per_channel(norm.beta.val())
}
