//! The kernels composed of burn's own operations: what a backend without native kernels runs, and what the native ones
//! are tested against.

use super::Statistics;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::ops::{ConvOptions, FloatTensor};
use burn::tensor::{Tensor, TensorPrimitive};

pub(super) fn tensor<B: Backend, const D: usize>(primitive: FloatTensor<B>) -> Tensor<B, D> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

pub(super) fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn options(stride: usize, padding: usize) -> ConvOptions<2> {
    ConvOptions::new([stride; 2], [padding; 2], [1, 1], 1)
}

/// See [`Kernels::conv2d_forward`](super::Kernels::conv2d_forward).
pub fn conv2d<B: Backend>(x: FloatTensor<B>, weight: FloatTensor<B>, stride: usize, padding: usize) -> FloatTensor<B> {
    B::conv2d(x, weight, None, options(stride, padding))
}

/// See [`Kernels::conv2d_backward`](super::Kernels::conv2d_backward).
pub fn conv2d_backward<B: Backend>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    dy: FloatTensor<B>,
    [stride, padding]: [usize; 2],
    [want_x, want_weight]: [bool; 2],
) -> [Option<FloatTensor<B>>; 2] {
    let options = || options(stride, padding);
    let dx = want_x.then(|| B::conv2d_x_backward(x.clone(), weight.clone(), dy.clone(), options()));
    [dx, want_weight.then(|| B::conv2d_weight_backward(x, weight, dy, options()))]
}

/// See [`Kernels::bn`](super::Kernels::bn).
pub fn bn<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    epsilon: f32,
    given: Option<Statistics<B>>,
) -> (FloatTensor<B>, Statistics<B>) {
    let x = tensor::<B, 4>(x);
    let channels = x.dims()[1];
    let per_channel = |v: FloatTensor<B>| tensor::<B, 1>(v).reshape([1, channels, 1, 1]);
    let given = given.map(|(mean, inv_std)| (per_channel(mean), per_channel(inv_std)));
    let mean = given.as_ref().map_or_else(|| x.clone().mean_dims(&[0, 2, 3]), |(mean, _)| mean.clone());
    let centred = x - mean.clone();
    let inv_std = match given {
        Some((_, inv_std)) => inv_std,
        None => (centred.clone().powi_scalar(2).mean_dims(&[0, 2, 3]) + epsilon).sqrt().recip(),
    };
    let y = centred * (inv_std.clone() * per_channel(gamma)) + per_channel(beta);
    let vector = |v: Tensor<B, 4>| primitive(v.reshape([channels]));
    (primitive(y), (vector(mean), vector(inv_std)))
}

/// See [`Kernels::bn_backward`](super::Kernels::bn_backward).
pub fn bn_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    (mean, inv_std): Statistics<B>,
    dy: FloatTensor<B>,
    of_batch: bool,
) -> [FloatTensor<B>; 3] {
    let (x, dy) = (tensor::<B, 4>(x), tensor::<B, 4>(dy));
    let [batch, channels, height, width] = x.dims();
    let per_channel = |v: FloatTensor<B>| tensor::<B, 1>(v).reshape([1, channels, 1, 1]);
    let (gamma, mean, inv_std) = (per_channel(gamma), per_channel(mean), per_channel(inv_std));
    let normal = (x - mean) * inv_std.clone();
    let dbeta = dy.clone().mean_dims(&[0, 2, 3]);
    let dgamma = (dy.clone() * normal.clone()).mean_dims(&[0, 2, 3]);
    let through = if of_batch { dy - dbeta.clone() - normal * dgamma.clone() } else { dy };
    let vector = |mean: Tensor<B, 4>| primitive((mean * (batch * height * width) as f32).reshape([channels]));
    [primitive(through * (inv_std * gamma)), vector(dgamma), vector(dbeta)]
}

/// See [`Kernels::bn_relu`](super::Kernels::bn_relu).
pub fn bn_relu<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    epsilon: f32,
    given: Option<Statistics<B>>,
) -> (FloatTensor<B>, Statistics<B>) {
    let (y, statistics) = bn::<B>(x, gamma, beta, epsilon, given);
    (primitive(relu(tensor::<B, 4>(y))), statistics)
}

/// See [`Kernels::bn_relu_backward`](super::Kernels::bn_relu_backward).
pub fn bn_relu_backward<B: Backend>(
    x: FloatTensor<B>,
    gamma: FloatTensor<B>,
    beta: FloatTensor<B>,
    statistics: Statistics<B>,
    dy: FloatTensor<B>,
    of_batch: bool,
) -> [FloatTensor<B>; 3] {
    let channels = tensor::<B, 4>(x.clone()).dims()[1];
    let per_channel = |v: &FloatTensor<B>| tensor::<B, 1>(v.clone()).reshape([1, channels, 1, 1]);
    let normal = (tensor::<B, 4>(x.clone()) - per_channel(&statistics.0)) * per_channel(&statistics.1);
    let blocked = (normal * per_channel(&gamma) + per_channel(&beta)).lower_equal_elem(0.0);
    let passed = tensor::<B, 4>(dy).mask_fill(blocked, 0.0);
    bn_backward::<B>(x, gamma, statistics, primitive(passed), of_batch)
}

/// See [`Kernels::add_relu`](super::Kernels::add_relu).
pub fn add_relu<B: Backend>(a: FloatTensor<B>, b: FloatTensor<B>) -> FloatTensor<B> {
    primitive(relu(tensor::<B, 4>(a) + tensor::<B, 4>(b)))
}

/// See [`Kernels::add_relu_backward`](super::Kernels::add_relu_backward).
pub fn add_relu_backward<B: Backend>(y: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    primitive(tensor::<B, 4>(dy).mask_fill(tensor::<B, 4>(y).lower_equal_elem(0.0), 0.0))
}

/// See [`Kernels::max_pool2`](super::Kernels::max_pool2).
pub fn max_pool2<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    B::max_pool2d(x, [2, 2], [2, 2], [0, 0], [1, 1], false)
}

/// See [`Kernels::max_pool2_backward`](super::Kernels::max_pool2_backward).
pub fn max_pool2_backward<B: Backend>(x: FloatTensor<B>, dy: FloatTensor<B>) -> FloatTensor<B> {
    let indices = B::max_pool2d_with_indices(x.clone(), [2, 2], [2, 2], [0, 0], [1, 1], false).indices;
    B::max_pool2d_with_indices_backward(x, [2, 2], [2, 2], [0, 0], [1, 1], false, dy, indices).x_grad
}

/// See [`Kernels::mean_pixels`](super::Kernels::mean_pixels).
pub fn mean_pixels<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let x = tensor::<B, 4>(x);
    let [batch, channels, ..] = x.dims();
    primitive(x.mean_dims(&[2, 3]).reshape([batch, channels]))
}

/// The gradient of [`mean_pixels`] with respect to its input of the given sizes: one value for all pixels of a plane.
pub fn mean_pixels_backward<B: Backend>(dy: FloatTensor<B>, sizes: [usize; 4]) -> FloatTensor<B> {
    let [batch, channels, height, width] = sizes;
    let each = tensor::<B, 2>(dy) / (height * width) as f32;
    primitive(each.reshape([batch, channels, 1, 1]).expand(sizes))
}
