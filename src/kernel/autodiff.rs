//! The kernels on a backend that differentiates: one implementation for every inner backend.

use super::{Kernels, Statistics, composed};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;

#[derive(Debug)]
struct Conv2dBackward;

impl<B: Kernels> Backward<B, 2> for Conv2dBackward {
    /// x, weight, stride and padding
    type State = (FloatTensor<B>, FloatTensor<B>, [usize; 2]);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let (x, weight, steps) = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        for (parent, gradient) in ops.parents.into_iter().zip(B::conv2d_backward(x, weight, dy, steps, wanted)) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// Of batch normalisation, with ReLU or without.
#[derive(Debug)]
struct NormBackward {
    relu: bool,
}

impl<B: Kernels> Backward<B, 3> for NormBackward {
    /// x, gamma and beta, the statistics, and whether they are the batch's own
    type State = ([FloatTensor<B>; 3], Statistics<B>, bool);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let ([x, gamma, beta], statistics, of_batch) = ops.state;
        let gradients = if self.relu {
            B::bn_relu_backward(x, gamma, beta, statistics, dy, of_batch)
        } else {
            B::bn_backward(x, gamma, beta, statistics, dy, of_batch)
        };
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// Batch normalisation of tracked tensors, with ReLU or without.
fn norm<B: Kernels, C: CheckpointStrategy>(
    [x, gamma, beta]: [FloatTensor<Autodiff<B, C>>; 3],
    epsilon: f32,
    given: Option<Statistics<Autodiff<B, C>>>,
    relu: bool,
) -> Normalised<B, C> {
    let of_batch = given.is_none();
    let given = given.map(|(mean, inv_std)| (mean.primitive, inv_std.primitive));
    let forward = if relu { B::bn_relu } else { B::bn };
    let (y, statistics) = forward(x.primitive.clone(), gamma.primitive.clone(), beta.primitive.clone(), epsilon, given);
    let constants = (Autodiff::<B, C>::from_inner(statistics.0.clone()), Autodiff::<B, C>::from_inner(statistics.1.clone()));
    let nodes = [x.node, gamma.node, beta.node];
    let y = match Backward::<B, 3>::prepare::<C>(NormBackward { relu }, nodes).compute_bound().stateful() {
        OpsKind::Tracked(step) => step.finish(([x.primitive, gamma.primitive, beta.primitive], statistics, of_batch), y),
        OpsKind::UnTracked(step) => step.finish(y),
    };
    (y, constants)
}

#[derive(Debug)]
struct AddReluBackward;

impl<B: Kernels> Backward<B, 2> for AddReluBackward {
    /// The output
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let gradient = B::add_relu_backward(ops.state, dy);
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<B>(parent.id, gradient.clone());
        }
    }
}

#[derive(Debug)]
struct MaxPool2Backward;

impl<B: Kernels> Backward<B, 1> for MaxPool2Backward {
    /// x
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<B>(parent.id, B::max_pool2_backward(ops.state.clone(), dy.clone()));
        }
    }
}

#[derive(Debug)]
struct MeanPixelsBackward;

impl<B: Kernels> Backward<B, 1> for MeanPixelsBackward {
    /// Sizes of x
    type State = [usize; 4];

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        for parent in ops.parents.into_iter().flatten() {
            grads.register::<B>(parent.id, composed::mean_pixels_backward::<B>(dy.clone(), ops.state));
        }
    }
}

impl<B: Kernels, C: CheckpointStrategy> Kernels for Autodiff<B, C> {
    fn conv2d_forward(x: FloatTensor<Self>, weight: FloatTensor<Self>, stride: usize, padding: usize) -> FloatTensor<Self> {
        let y = B::conv2d_forward(x.primitive.clone(), weight.primitive.clone(), stride, padding);
        let nodes = [x.node, weight.node];
        match Backward::<B, 2>::prepare::<C>(Conv2dBackward, nodes).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((x.primitive, weight.primitive, [stride, padding]), y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }

    fn bn_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        given: Option<Statistics<Self>>,
    ) -> (FloatTensor<Self>, Statistics<Self>) {
        norm::<B, C>([x, gamma, beta], epsilon, given, true)
    }

    fn bn(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        given: Option<Statistics<Self>>,
    ) -> (FloatTensor<Self>, Statistics<Self>) {
        norm::<B, C>([x, gamma, beta], epsilon, given, false)
    }

    fn add_relu(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        let y = B::add_relu(a.primitive, b.primitive);
        match Backward::<B, 2>::prepare::<C>(AddReluBackward, [a.node, b.node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(y.clone(), y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }

    fn max_pool2(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let y = B::max_pool2(x.primitive.clone());
        match Backward::<B, 1>::prepare::<C>(MaxPool2Backward, [x.node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(x.primitive, y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }

    fn mean_pixels(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let sizes = composed::tensor::<B, 4>(x.primitive.clone()).dims();
        let y = B::mean_pixels(x.primitive);
        match Backward::<B, 1>::prepare::<C>(MeanPixelsBackward, [x.node]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish(sizes, y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }
}

/// A normalised tensor and the statistics that it was normalised with.
type Normalised<B, C> = (FloatTensor<Autodiff<B, C>>, Statistics<Autodiff<B, C>>);
