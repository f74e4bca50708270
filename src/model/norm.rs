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
    let unbiased = count / (count - 1.0).max(1.0);
    let blend = |old: Tensor<B, 1>, new: Tensor<B, 1>, scale: f64| (old * (1.0 - norm.momentum) + new * (norm.momentum * scale)).detach();
    norm.running_mean.update(blend(norm.running_mean.value_sync(), mean, 1.0));
    norm.running_var.update(blend(norm.running_var.value_sync(), variance, unbiased));
    y
}
