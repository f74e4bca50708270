//! Batch normalisation, alone or followed by ReLU, with an explicit mode.

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
    /// As [`Self::Eval`], and the layer's scale and shift get no gradient, so that no optimiser step moves them.
    Frozen,
}

/// `relu(bn(x))`.
///
/// Follows PyTorch: normalised by the biased variance, while the running variance takes the unbiased one.
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn bn_relu<B: Kernels>(norm: &BatchNorm<B>, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
    normalise(norm, x, mode, kernel::bn_relu)
}

/// `bn(x)` without ReLU: for layers that end a branch.
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn bn<B: Kernels>(norm: &BatchNorm<B>, x: Tensor<B, 4>, mode: Mode) -> Tensor<B, 4> {
    normalise(norm, x, mode, kernel::bn)
}

/// [`kernel::bn_relu`] or [`kernel::bn`].
type Kernel<B> =
    fn(Tensor<B, 4>, Tensor<B, 1>, Tensor<B, 1>, f32, Option<(Tensor<B, 1>, Tensor<B, 1>)>) -> (Tensor<B, 4>, Tensor<B, 1>, Tensor<B, 1>);

fn normalise<B: Kernels>(norm: &BatchNorm<B>, x: Tensor<B, 4>, mode: Mode, kernel: Kernel<B>) -> Tensor<B, 4> {
    let (mut gamma, mut beta, eps) = (norm.gamma.val(), norm.beta.val(), norm.epsilon as f32);
    if mode == Mode::Frozen {
        (gamma, beta) = (gamma.detach(), beta.detach());
    }
    if mode != Mode::Train {
        let inv_std = (norm.running_var.value_sync() + norm.epsilon).sqrt().recip();
        return kernel(x, gamma, beta, eps, Some((norm.running_mean.value_sync(), inv_std))).0;
    }
    let [batch, _, height, width] = x.dims();
    let count = (batch * height * width) as f64;
    let (y, mean, inv_std) = kernel(x, gamma, beta, eps, None);
    let variance = inv_std.powi_scalar(2).recip() - norm.epsilon;
    let unbiased = count / (count - 1.0).max(1.0);
    let blend = |old: Tensor<B, 1>, new: Tensor<B, 1>, scale: f64| (old * (1.0 - norm.momentum) + new * (norm.momentum * scale)).detach();
    norm.running_mean.update(blend(norm.running_mean.value_sync(), mean, 1.0));
    norm.running_var.update(blend(norm.running_var.value_sync(), variance, unbiased));
    y
}
