//! The gradient of a convolution with respect to its input: a few correlations of the output's gradient.
//!
//! With stride `s` an input row `y` meets only the taps `ky` with `ky = y + padding (mod s)`. The input's rows, and its
//! columns, so fall into `s` phases; within one, the gradient is a stride-1 correlation with a flipped part of the kernel.
//! No product with a zero is computed, and nothing is scattered.

use super::buffer::{as_uninit, filled, with_scratch};
use super::direct::{Correlate, Packed, correlate, images_per_task};
use super::isa::Task;
use super::lanes::Lanes;
use super::layout::{Layout, Window};
use super::shape::ConvShape;
use rayon::prelude::*;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// One phase along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    /// Its smallest tap; the others follow `stride` apart.
    first_tap: usize,
    taps: usize,
    /// Zeros before the output's gradient.
    padding: isize,
    /// Input rows (columns) in this phase.
    size: usize,
}

impl Axis {
    /// Phase `phase` of an axis of `size` input pixels.
    fn new(phase: usize, size: usize, shape: &ConvShape) -> Self {
        let ConvShape { kernel, stride, padding, .. } = *shape;
        let first_tap = (phase + padding) % stride;
        let taps = kernel.saturating_sub(first_tap).div_ceil(stride);
        // input pixel `phase + t * stride` meets, for tap `first_tap + j * stride`, output pixel `t + shift - j`
        let shift = (phase + padding - first_tap) / stride;
        Self { first_tap, taps, padding: taps as isize - 1 - shift as isize, size: size.saturating_sub(phase).div_ceil(stride) }
    }
}

/// One phase of the input's pixels.
struct Phase<const ROWS: usize> {
    /// Its rows and columns.
    size: [usize; 2],
    /// What its pixels are computed with; without, no tap meets them (or there are none), and the gradient is 0.
    met: Option<Met<ROWS>>,
}

struct Met<const ROWS: usize> {
    layout: Layout,
    weight: Packed<ROWS>,
    taps: Vec<usize>,
}

impl<const ROWS: usize> Phase<ROWS> {
    fn new<L: Lanes>(shape: &ConvShape, weight: &[f32], [phase_y, phase_x]: [usize; 2]) -> Self {
        let (y, x) = (Axis::new(phase_y, shape.height, shape), Axis::new(phase_x, shape.width, shape));
        let size = [y.size, x.size];
        if [y.taps, x.taps, y.size, x.size].contains(&0) {
            return Self { size, met: None };
        }
        let window = Window {
            channels: shape.out_channels,
            height: shape.out_height,
            width: shape.out_width,
            kernel: [y.taps, x.taps],
            stride: 1,
            padding: [y.padding, x.padding],
            out_height: y.size,
            out_width: x.size,
        };
        let (layout, square) = (Layout::vectors(window, L::N), shape.kernel * shape.kernel);
        // where each tap's weight stands for input channel 0
        let place = |q: usize| {
            let (out_channel, j) = (q / (y.taps * x.taps), q % (y.taps * x.taps));
            let ky = y.first_tap + (y.taps - 1 - j / x.taps) * shape.stride;
            let kx = x.first_tap + (x.taps - 1 - j % x.taps) * shape.stride;
            out_channel * shape.taps() + ky * shape.kernel + kx
        };
        let places: Vec<usize> = (0..shape.out_channels * y.taps * x.taps).map(place).collect();
        let packed = Packed::new(shape.in_channels, places.len(), |channel, q| weight[places[q] + channel * square]);
        Self { size, met: Some(Met { taps: layout.taps(), layout, weight: packed }) }
    }

    fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// The gradient `[batch, in_channels, height, width]` from that of the output and the weight.
pub fn input_gradient<L: Lanes, const ROWS: usize, const VECTORS: usize>(lanes: L, shape: &ConvShape, weight: &[f32], dy: &[f32]) -> Vec<f32> {
    let len = shape.batch * shape.image();
    if shape.stride == 1 {
        let phase = Phase::<ROWS>::new::<L>(shape, weight, [0, 0]);
        let Some(Met { layout, weight, .. }) = &phase.met else { return vec![0.0; len] };
        // SAFETY: `correlate` writes every value.
        return unsafe { filled(len, |dx| correlate::<L, ROWS, VECTORS>(lanes, layout, weight, dy, shape.out_image(), phase.plane(), dx)) };
    }
    let s = shape.stride;
    let phases: Vec<_> = (0..s * s).map(|i| Phase::<ROWS>::new::<L>(shape, weight, [i / s, i % s])).collect();
    // SAFETY: the phases together cover every pixel, and `interleave` writes all pixels of each.
    unsafe { filled(len, |dx| strided::<L, ROWS, VECTORS>(lanes, shape, &phases, dy, dx)) }
}

fn strided<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    lanes: L,
    shape: &ConvShape,
    phases: &[Phase<ROWS>],
    dy: &[f32],
    dx: &mut [MaybeUninit<f32>],
) {
    let (image, out_image) = (shape.image(), shape.out_image());
    if image == 0 || out_image == 0 {
        dx.fill(MaybeUninit::new(0.0));
        return;
    }
    let largest = phases.iter().filter_map(|phase| Some(phase.met.as_ref()?.layout.size)).max().unwrap_or(0);
    let group = images_per_task(largest + image, shape.batch);
    dx.par_chunks_mut(image * group).zip(dy.par_chunks(out_image * group)).for_each(|(dx, dy)| {
        with_scratch(|scratch| {
            let count = dx.len() / image;
            let [expanded, mut parts, _] = scratch.take([count * largest, dx.len(), 0]);
            let mut done = Vec::with_capacity(phases.len());
            for phase in phases {
                let (part, rest) = parts.split_at_mut(count * shape.in_channels * phase.plane());
                parts = rest;
                if let Some(Met { layout, weight, taps }) = &phase.met {
                    lanes.run(Correlate::<L, ROWS, VECTORS> {
                        layout,
                        weight,
                        taps,
                        images: dy,
                        image: out_image,
                        plane: phase.plane(),
                        out: as_uninit(part),
                        expanded: &mut expanded[..layout.scratch(count)],
                        lanes_used: PhantomData,
                    });
                } else {
                    part.fill(0.0);
                }
                done.push((&*part, phase.size[1]));
            }
            lanes.run(Interleave { shape, phases: &done, dx });
        });
    });
}

/// Puts the phases' pixels, planes of rows, back between each other.
struct Interleave<'a> {
    shape: &'a ConvShape,
    /// Each phase's values and columns.
    phases: &'a [(&'a [f32], usize)],
    dx: &'a mut [MaybeUninit<f32>],
}

impl Task for Interleave<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (s, height, width) = (self.shape.stride, self.shape.height, self.shape.width);
        for (row_number, row) in self.dx.chunks_exact_mut(width).enumerate() {
            let (plane, y) = (row_number / height, row_number % height);
            // rows of each plane in this phase
            let rows = (height - y % s).div_ceil(s);
            let source = |phase_x: usize| {
                let (values, columns) = self.phases[y % s * s + phase_x];
                &values[(plane * rows + y / s) * columns..][..columns]
            };
            if s == 2 {
                let (even, odd) = (source(0), source(1));
                let (pairs, last) = row.as_chunks_mut::<2>();
                for (pair, (a, b)) in pairs.iter_mut().zip(even.iter().zip(odd)) {
                    *pair = [MaybeUninit::new(*a), MaybeUninit::new(*b)];
                }
                if let (Some(to), Some(from)) = (last.first_mut(), even.last()) {
                    to.write(*from);
                }
                continue;
            }
            for phase_x in 0..s {
                for (to, from) in row.iter_mut().skip(phase_x).step_by(s).zip(source(phase_x)) {
                    to.write(*from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_of_a_3x3_stride_2_kernel_hold_one_and_two_taps() {
        let shape = ConvShape::new([1, 1, 5, 5], [1, 1, 3, 3], 2, 1);
        let axis = |phase| Axis::new(phase, 5, &shape);
        assert_eq!(axis(0), Axis { first_tap: 1, taps: 1, padding: 0, size: 3 });
        assert_eq!(axis(1), Axis { first_tap: 0, taps: 2, padding: 0, size: 2 });
    }

    #[test]
    fn a_1x1_stride_2_kernel_leaves_a_phase_without_taps() {
        let shape = ConvShape::new([1, 1, 4, 4], [1, 1, 1, 1], 2, 0);
        assert_eq!(Axis::new(1, 4, &shape).taps, 0);
    }
}
