//! Batch normalisation, alone or with ReLU: two passes over each channel instead of a dozen over the whole tensor.
//!
//! ```text
//! y = max(floor, gamma * (x - mean) * inv_std + beta) = max(floor, scale * x + offset)
//! floor = 0 with ReLU, -infinity without
//! ```
//! Channels are computed independently, each by one thread and in the order of the batch, so the result does not depend
//! on the number of threads. Sums run in 32 float32 lanes, emptied into float64 every few thousand values.

use super::buffer::{Shared, as_uninit, filled};
use super::isa::{Isa, Task};
use super::tensor::{contiguous, from_values, sizes};
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Lanes of a running sum.
const LANES: usize = 32;

/// Values after which the float32 lanes are emptied.
const FLUSH: usize = 4096;

/// The statistics of each channel: mean and inverse standard deviation, `1 / sqrt(variance + epsilon)`.
pub type Statistics = (FlexTensor, FlexTensor);

/// `[batch, channels, plane]` of a tensor.
#[derive(Clone, Copy)]
struct Planes {
    batch: usize,
    channels: usize,
    plane: usize,
}

impl Planes {
    fn of(x: &FlexTensor) -> Self {
        let [batch, channels, height, width] = sizes(x);
        Self { batch, channels, plane: height * width }
    }

    fn len(&self) -> usize {
        self.batch * self.channels * self.plane
    }

    /// Where each image's plane of a channel starts.
    #[inline(always)]
    fn starts(self, channel: usize) -> impl Iterator<Item = usize> {
        (0..self.batch).map(move |image| (image * self.channels + channel) * self.plane)
    }
}

/// The affine map that a channel's normalisation comes to.
#[derive(Clone, Copy)]
struct Affine {
    mean: f32,
    inv_std: f32,
    scale: f32,
    offset: f32,
}

impl Affine {
    #[inline(always)]
    fn new(mean: f32, inv_std: f32, gamma: f32, beta: f32) -> Self {
        let scale = gamma * inv_std;
        Self { mean, inv_std, scale, offset: beta - mean * scale }
    }
}

/// What the output is cut off at.
fn floor(relu: bool) -> f32 {
    if relu { 0.0 } else { f32::NEG_INFINITY }
}

/// Two sums, over many values, of terms that `term` yields.
struct Sums {
    lanes: [[f32; LANES]; 2],
    total: [f64; 2],
    since: usize,
}

impl Sums {
    #[inline(always)]
    fn new() -> Self {
        Self { lanes: [[0.0; LANES]; 2], total: [0.0; 2], since: 0 }
    }

    /// Adds the terms of a run of values `a` and, in step, `b`.
    #[inline(always)]
    fn add(&mut self, a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> [f32; 2]) {
        let mut step = |lane: usize, a: f32, b: f32| {
            let [s, q] = term(a, b);
            self.lanes[0][lane] += s;
            self.lanes[1][lane] += q;
        };
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..LANES {
                step(lane, a[lane], b[lane]);
            }
        }
        let ((half, rest), (b_half, b_rest)) = (a_rest.as_chunks::<{ LANES / 2 }>(), b_rest.as_chunks::<{ LANES / 2 }>());
        for (a, b) in half.iter().zip(b_half) {
            for lane in 0..LANES / 2 {
                step(lane, a[lane], b[lane]);
            }
        }
        for (lane, (a, b)) in rest.iter().zip(b_rest).enumerate() {
            step(lane, *a, *b);
        }
        self.since += a.len() * LANES + a_rest.len();
        if self.since >= FLUSH {
            self.flush();
        }
    }

    #[inline(always)]
    fn flush(&mut self) {
        for (total, lanes) in self.total.iter_mut().zip(&mut self.lanes) {
            *total += lanes.iter().map(|v| f64::from(*v)).sum::<f64>();
            *lanes = [0.0; LANES];
        }
        self.since = 0;
    }

    #[inline(always)]
    fn total(mut self) -> [f64; 2] {
        self.flush();
        self.total
    }
}

/// `batch_norm(x)`, with `relu` what is above 0 of it, and the statistics it used: `given` or, without, those of the batch.
/// `x`: `[batch, channels, height, width]`; all else `[channels]`.
pub fn forward(
    isa: Isa,
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    epsilon: f32,
    given: Option<&Statistics>,
    relu: bool,
) -> (FlexTensor, Statistics) {
    let (x, gamma, beta) = (contiguous(x), contiguous(gamma), contiguous(beta));
    let given = given.map(|(mean, inv_std)| (contiguous(mean), contiguous(inv_std)));
    let planes = Planes::of(&x);
    let (values, gamma, beta) = (x.storage::<f32>(), gamma.storage::<f32>(), beta.storage::<f32>());
    let given = given.as_ref().map(|(mean, inv_std)| (mean.storage::<f32>(), inv_std.storage::<f32>()));
    assert!(values.len() == planes.len() && gamma.len() == planes.channels && beta.len() == planes.channels);
    let mut statistics = Vec::new();
    let fill = |y: &mut [_]| {
        let y = Shared::new(y);
        let one = |channel: usize| {
            let given = given.map(|(mean, inv_std)| (mean[channel], inv_std[channel]));
            isa.run(Forward { x: values, planes, channel, gamma: gamma[channel], beta: beta[channel], epsilon, given, floor: floor(relu), y })
        };
        statistics = (0..planes.channels).into_par_iter().map(one).collect();
    };
    // SAFETY: the channels' planes are all there is, and `Forward` writes each plane of its channel.
    let y = unsafe { filled(values.len(), fill) };
    let (mean, inv_std): (Vec<f32>, Vec<f32>) = statistics.into_iter().unzip();
    let vector = |values| from_values(values, [planes.channels]);
    (from_values(y, sizes::<4>(&x)), (vector(mean), vector(inv_std)))
}

/// The forward pass of one channel.
struct Forward<'a> {
    x: &'a [f32],
    planes: Planes,
    channel: usize,
    gamma: f32,
    beta: f32,
    epsilon: f32,
    given: Option<(f32, f32)>,
    floor: f32,
    y: Shared,
}

impl Forward<'_> {
    /// Mean and inverse standard deviation of the batch, in one pass: values are taken relative to the first one, so
    /// that the variance is not lost in the square of a large mean.
    #[inline(always)]
    fn measure(&self) -> (f32, f32) {
        let Some(shift) = self.planes.starts(self.channel).next().and_then(|start| self.x.get(start)).copied() else {
            return (f32::NAN, f32::NAN);
        };
        let mut sums = Sums::new();
        for start in self.planes.starts(self.channel) {
            let x = &self.x[start..start + self.planes.plane];
            sums.add(x, x, |x, _| [x - shift, (x - shift) * (x - shift)]);
        }
        let n = (self.planes.batch * self.planes.plane) as f64;
        let [mean, square] = sums.total().map(|sum| sum / n);
        let variance = (square - mean * mean).max(0.0) as f32;
        ((f64::from(shift) + mean) as f32, 1.0 / (variance + self.epsilon).sqrt())
    }
}

impl Task for Forward<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let (mean, inv_std) = self.given.unwrap_or_else(|| self.measure());
        let Affine { scale, offset, .. } = Affine::new(mean, inv_std, self.gamma, self.beta);
        for start in self.planes.starts(self.channel) {
            // SAFETY: `y` is as long as `x`, and no other task writes to the planes of this channel.
            let y = unsafe { self.y.slice(start, self.planes.plane) };
            for (y, x) in y.iter_mut().zip(&self.x[start..start + self.planes.plane]) {
                *y = (x * scale + offset).max(self.floor);
            }
        }
        (mean, inv_std)
    }
}

/// The gradients with respect to `x`, gamma and beta from that of the output, `dy`. `of_batch`: the statistics were
/// those of this very batch, so the gradient flows through them as well. That of `x` takes the place of `dy`, unless
/// `dy` is in use elsewhere.
#[expect(clippy::too_many_arguments, reason = "the tensors of the operation, and how it was computed")]
pub fn backward(
    isa: Isa,
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    statistics: &Statistics,
    dy: FlexTensor,
    of_batch: bool,
    relu: bool,
) -> [FlexTensor; 3] {
    let (x, gamma, beta) = (contiguous(x), contiguous(gamma), contiguous(beta));
    let (mean, inv_std) = (contiguous(&statistics.0), contiguous(&statistics.1));
    let mut gradients = contiguous(&dy);
    drop(dy);
    let planes = Planes::of(&x);
    let values = x.storage::<f32>();
    let [mean, inv_std, gamma, beta] = [&mean, &inv_std, &gamma, &beta].map(|v| v.storage::<f32>());
    let dy = gradients.storage_mut::<f32>();
    assert!(values.len() == planes.len() && dy.len() == planes.len());
    let dy = Shared::new(as_uninit(dy));
    let one = |channel: usize| {
        let affine = Affine::new(mean[channel], inv_std[channel], gamma[channel], beta[channel]);
        isa.run(Backward { x: values, dy, planes, channel, affine, of_batch, floor: floor(relu) })
    };
    let sums: Vec<_> = (0..planes.channels).into_par_iter().map(one).collect();
    let (dgamma, dbeta): (Vec<f32>, Vec<f32>) = sums.into_iter().unzip();
    let vector = |values| from_values(values, [planes.channels]);
    [gradients, vector(dgamma), vector(dbeta)]
}

/// The backward pass of one channel; yields the gradients of its gamma and beta.
struct Backward<'a> {
    x: &'a [f32],
    /// The output's gradient, to be replaced by the input's.
    dy: Shared,
    planes: Planes,
    channel: usize,
    affine: Affine,
    of_batch: bool,
    floor: f32,
}

impl Task for Backward<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let Planes { batch, plane, .. } = self.planes;
        let Affine { mean, inv_std, scale, offset } = self.affine;
        // what ReLU lets through: nothing where its input was not above 0
        let floor = self.floor;
        let passed = |x: f32, dy: f32| if x * scale + offset > floor { dy } else { 0.0 };
        let mut sums = Sums::new();
        for start in self.planes.starts(self.channel) {
            // SAFETY: `dy` is as long as `x`, and no other task reads or writes the planes of this channel.
            let dy = unsafe { self.dy.slice(start, plane) };
            sums.add(&self.x[start..start + plane], dy, |x, dy| {
                let dy = passed(x, dy);
                [dy, dy * (x - mean)]
            });
        }
        let [dbeta, centred] = sums.total();
        let (dbeta, dgamma) = (dbeta as f32, centred as f32 * inv_std);
        // dx = scale * (passed - dbeta / n - (x - mean) * inv_std * dgamma / n), the last two only for batch statistics
        let (constant, slope) = if self.of_batch {
            let n = (batch * plane) as f32;
            let slope = scale * dgamma * inv_std / n;
            (scale * dbeta / n - mean * slope, slope)
        } else {
            (0.0, 0.0)
        };
        for start in self.planes.starts(self.channel) {
            // SAFETY: as above.
            let gradients = unsafe { self.dy.slice(start, plane) };
            for (gradient, x) in gradients.iter_mut().zip(&self.x[start..start + plane]) {
                *gradient = scale * passed(*x, *gradient) - (constant + x * slope);
            }
        }
        (dgamma, dbeta)
    }
}
