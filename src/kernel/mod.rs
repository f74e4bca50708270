//! Our own convolution, batch norm with and without ReLU, residual addition, max pooling and global average pooling, forward and
//! backward, for every backend.
//!
//! ```text
//! conv2d, bn_relu, ..      what models call, on tensors
//!   Kernels                one trait; default bodies on burn's own operations      composed
//!     Autodiff<B>          registers the backward nodes, once for every backend    autodiff
//!     Wgpu, Cuda           the default bodies
//!     Flex                 native kernels on the CPU                               conv, norm, pool, residual
//!       Avx512, Avx2         implicit-GEMM convolution     direct, input_gradient, weight_gradient, layout, lanes
//!       Portable             unfold and multiply           gemm
//! ```
//! Native kernels compute float32; tensors of another type take the default bodies. Their results are the same to the
//! bit from run to run and for any number of threads; they differ in the last bits between instruction sets.

#![expect(unsafe_code, reason = "vector instructions, and results that are not cleared before they are written")]

mod autodiff;
mod buffer;
mod composed;
mod conv;
#[cfg(target_arch = "x86_64")]
mod direct;
mod gemm;
#[cfg(target_arch = "x86_64")]
mod input_gradient;
mod isa;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod layout;
pub mod memory;
mod norm;
mod pool;
mod residual;
mod shape;
mod tensor;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod weight_gradient;

pub use isa::{Isa, isa};

use burn::backend::Flex;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::ops::FloatTensor;
use composed::{primitive, tensor};

/// Mean and inverse standard deviation, `1 / sqrt(variance + epsilon)`, of each channel: both `[channels]`.
pub type Statistics<B> = (FloatTensor<B>, FloatTensor<B>);

/// A backend with the kernels. The default bodies are made of burn's own operations, so a backend without native
/// kernels is one empty `impl`.
pub trait Kernels: Backend {
    /// The convolution of `x` `[batch, in_channels, height, width]` with `weight`
    /// `[out_channels, in_channels, kernel, kernel]`; stride and padding in pixels.
    fn conv2d_forward(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize, padding: usize) -> FloatTensor<Self> {
        composed::conv2d::<Self>(x, weight, stride, padding)
    }

    /// The gradients of a convolution with respect to `x` and `weight` from that of its output, those that are wanted.
    /// `steps`: stride and padding.
    fn conv2d_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        steps: [usize; 2],
        wanted: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        composed::conv2d_backward::<Self>(x, weight, dy, steps, wanted)
    }

    /// `relu(batch_norm(x))` with batch statistics or, if there are any, `given` ones; and the statistics that it used,
    /// which carry no gradient. `x`: `[batch, channels, height, width]`; `gamma`, `beta`: `[channels]`.
    fn bn_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        given: Option<Statistics<Self>>,
    ) -> (FloatTensor<Self>, Statistics<Self>) {
        composed::bn_relu::<Self>(x, gamma, beta, epsilon, given)
    }

    /// The gradients of [`Self::bn_relu`] with respect to `x`, `gamma` and `beta` from that of its output. `of_batch`:
    /// the statistics are those of `x` itself, so the gradient flows through them too.
    fn bn_relu_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        statistics: Statistics<Self>,
        dy: FloatTensor<Self>,
        of_batch: bool,
    ) -> [FloatTensor<Self>; 3] {
        composed::bn_relu_backward::<Self>(x, gamma, beta, statistics, dy, of_batch)
    }

    /// [`Self::bn_relu`] without the ReLU.
    fn bn(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        given: Option<Statistics<Self>>,
    ) -> (FloatTensor<Self>, Statistics<Self>) {
        composed::bn::<Self>(x, gamma, beta, epsilon, given)
    }

    /// The gradients of [`Self::bn`] with respect to `x`, `gamma` and `beta`; see [`Self::bn_relu_backward`].
    fn bn_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        statistics: Statistics<Self>,
        dy: FloatTensor<Self>,
        of_batch: bool,
    ) -> [FloatTensor<Self>; 3] {
        let _: FloatTensor<Self> = beta;
        composed::bn_backward::<Self>(x, gamma, statistics, dy, of_batch)
    }

    /// `relu(a + b)`, the end of a residual block; both and the result `[batch, channels, height, width]`.
    fn add_relu(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        composed::add_relu::<Self>(a, b)
    }

    /// The gradient of [`Self::add_relu`], the same for both, from its output and the output's gradient.
    fn add_relu_backward(y: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        composed::add_relu_backward::<Self>(y, dy)
    }

    /// The largest of each 2 x 2 pixels of `x` `[batch, channels, height, width]`: `[batch, channels, height / 2, width / 2]`.
    fn max_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        composed::max_pool2::<Self>(x)
    }

    /// The gradient of [`Self::max_pool2`] with respect to `x` from that of its output.
    fn max_pool2_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        composed::max_pool2_backward::<Self>(x, dy)
    }

    /// The mean `[batch, channels]` over the pixels of each plane of `x` `[batch, channels, height, width]`.
    fn mean_pixels(x: FloatTensor<Self>) -> FloatTensor<Self> {
        composed::mean_pixels::<Self>(x)
    }
}

impl Kernels for Flex {
    fn conv2d_forward(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize, padding: usize) -> FloatTensor<Self> {
        if !tensor::all_float32(&[&x, &weight]) {
            return composed::conv2d::<Self>(x, weight, stride, padding);
        }
        conv::forward(isa(), &x, &weight, stride, padding)
    }

    fn conv2d_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        steps: [usize; 2],
        wanted: [bool; 2],
    ) -> [Option<FloatTensor<Self>>; 2] {
        if !tensor::all_float32(&[&x, &weight, &dy]) {
            return composed::conv2d_backward::<Self>(x, weight, dy, steps, wanted);
        }
        conv::backward(isa(), &x, &weight, &dy, steps, wanted)
    }

    fn bn_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        given: Option<Statistics<Self>>,
    ) -> (FloatTensor<Self>, Statistics<Self>) {
        if !tensor::all_float32(&[&x, &gamma, &beta]) {
            return composed::bn_relu::<Self>(x, gamma, beta, epsilon, given);
        }
        norm::forward(isa(), &x, &gamma, &beta, epsilon, given.as_ref(), true)
    }

    fn bn_relu_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        statistics: Statistics<Self>,
        dy: FloatTensor<Self>,
        of_batch: bool,
    ) -> [FloatTensor<Self>; 3] {
        if !tensor::all_float32(&[&x, &gamma, &beta, &dy]) {
            return composed::bn_relu_backward::<Self>(x, gamma, beta, statistics, dy, of_batch);
        }
        norm::backward(isa(), &x, &gamma, &beta, &statistics, dy, of_batch, true)
    }

    fn bn(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        given: Option<Statistics<Self>>,
    ) -> (FloatTensor<Self>, Statistics<Self>) {
        if !tensor::all_float32(&[&x, &gamma, &beta]) {
            return composed::bn::<Self>(x, gamma, beta, epsilon, given);
        }
        norm::forward(isa(), &x, &gamma, &beta, epsilon, given.as_ref(), false)
    }

    fn bn_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        statistics: Statistics<Self>,
        dy: FloatTensor<Self>,
        of_batch: bool,
    ) -> [FloatTensor<Self>; 3] {
        if !tensor::all_float32(&[&x, &gamma, &beta, &dy]) {
            return composed::bn_backward::<Self>(x, gamma, statistics, dy, of_batch);
        }
        norm::backward(isa(), &x, &gamma, &beta, &statistics, dy, of_batch, false)
    }

    fn add_relu(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        if !tensor::all_float32(&[&a, &b]) {
            return composed::add_relu::<Self>(a, b);
        }
        residual::forward(a, &b)
    }

    fn add_relu_backward(y: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        if !tensor::all_float32(&[&y, &dy]) {
            return composed::add_relu_backward::<Self>(y, dy);
        }
        residual::backward(&y, dy)
    }

    fn max_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        if !tensor::all_float32(&[&x]) {
            return composed::max_pool2::<Self>(x);
        }
        pool::forward(isa(), &x)
    }

    fn max_pool2_backward(x: FloatTensor<Self>, dy: FloatTensor<Self>) -> FloatTensor<Self> {
        if !tensor::all_float32(&[&x, &dy]) {
            return composed::max_pool2_backward::<Self>(x, dy);
        }
        pool::backward(isa(), &x, &dy)
    }
}

/// burn's `Wgpu` with the feature `wgpu`, compiled to WGSL or, with `vulkan`, to SPIR-V.
#[cfg(feature = "wgpu")]
impl Kernels for burn::backend::Wgpu {}

#[cfg(feature = "cuda")]
impl Kernels for burn::backend::Cuda {}

/// A backend that trains and whose inner backend has the kernels too.
pub trait Train: AutodiffBackend<InnerBackend: Kernels> + Kernels {}

impl<B: AutodiffBackend<InnerBackend: Kernels> + Kernels> Train for B {}

/// The convolution of `x` `[batch, in_channels, height, width]` with `weight` `[out_channels, in_channels, kernel, kernel]`
/// to `[batch, out_channels, out_height, out_width]`, without bias. `stride` and `padding` in pixels, the same both ways.
///
/// # Panics
/// If the sizes do not fit each other.
pub fn conv2d<B: Kernels>(x: Tensor<B, 4>, weight: Tensor<B, 4>, stride: usize, padding: usize) -> Tensor<B, 4> {
    tensor(B::conv2d_forward(primitive(x), primitive(weight), stride, padding))
}

/// `relu(batch_norm(x))`, and the mean and inverse standard deviation `1 / sqrt(variance + eps)` that it used.
///
/// `given`: that mean and inverse standard deviation (evaluation mode; gradients still flow to `x`, `gamma` and `beta`);
/// without, those of the batch, with the biased variance. `x` and the result: `[batch, channels, height, width]`; all
/// others `[channels]`.
pub fn bn_relu<B: Kernels>(
    x: Tensor<B, 4>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    eps: f32,
    given: Option<(Tensor<B, 1>, Tensor<B, 1>)>,
) -> (Tensor<B, 4>, Tensor<B, 1>, Tensor<B, 1>) {
    let given = given.map(|(mean, inv_std)| (primitive(mean), primitive(inv_std)));
    let (y, (mean, inv_std)) = B::bn_relu(primitive(x), primitive(gamma), primitive(beta), eps, given);
    (tensor(y), tensor(mean), tensor(inv_std))
}

/// `batch_norm(x)` without ReLU, and the statistics that it used; see [`bn_relu`].
pub fn bn<B: Kernels>(
    x: Tensor<B, 4>,
    gamma: Tensor<B, 1>,
    beta: Tensor<B, 1>,
    eps: f32,
    given: Option<(Tensor<B, 1>, Tensor<B, 1>)>,
) -> (Tensor<B, 4>, Tensor<B, 1>, Tensor<B, 1>) {
    let given = given.map(|(mean, inv_std)| (primitive(mean), primitive(inv_std)));
    let (y, (mean, inv_std)) = B::bn(primitive(x), primitive(gamma), primitive(beta), eps, given);
    (tensor(y), tensor(mean), tensor(inv_std))
}

/// `relu(a + b)`, the end of a post-activation residual block, in the memory of `a` where nobody else holds it; all
/// `[batch, channels, height, width]`.
///
/// # Panics
/// If the sizes differ.
pub fn add_relu<B: Kernels>(a: Tensor<B, 4>, b: Tensor<B, 4>) -> Tensor<B, 4> {
    assert_eq!(a.dims(), b.dims(), "what is added has the same sizes");
    tensor(B::add_relu(primitive(a), primitive(b)))
}

/// Max pooling: the largest of each 2 x 2 pixels of `x` `[batch, channels, height, width]`; an odd last row or column is left out.
pub fn max_pool2<B: Kernels>(x: Tensor<B, 4>) -> Tensor<B, 4> {
    tensor(B::max_pool2(primitive(x)))
}

/// Global average pooling: the mean `[batch, channels]` over the pixels of `x` `[batch, channels, height, width]`. Its
/// gradient is a view of one value per plane, where that of burn's `mean_dims` is multiplied out, twice.
pub fn mean_pixels<B: Kernels>(x: Tensor<B, 4>) -> Tensor<B, 2> {
    tensor(B::mean_pixels(primitive(x)))
}
