//! The portable convolution: images unfolded to matrices ("im2col") and multiplied by the `gemm` crate.

use super::buffer::with_scratch;
use super::shape::ConvShape;
use gemm::Parallelism;
use rayon::prelude::*;

/// Output pixels per product, over several images where planes are small.
const PIXELS: usize = 512;

/// Pieces that the weight gradient is cut into, and output channels in each: by sizes alone, so that the result does not
/// depend on the number of threads.
const PIECES: usize = 16;
const BLOCK: usize = 64;

/// A matrix: its values, and the steps from row to row and from column to column.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    steps: [usize; 2],
}

impl<'a> Matrix<'a> {
    fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(values.len() >= rows * columns);
        Self { values, rows, columns, steps: [columns, 1] }
    }

    fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, steps: [self.steps[1], self.steps[0]], ..self }
    }
}

/// `out = a b`, or `out += a b` if `add`; row-major.
fn product(out: &mut [f32], a: Matrix<'_>, b: Matrix<'_>, add: bool) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert!(b.rows == k && out.len() == m * n);
    let step = |s: usize| s as isize;
    // SAFETY: the assertions, here and in `Matrix::new`, say that each matrix lies in its slice.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            step(n),
            add,
            a.values.as_ptr(),
            step(a.steps[1]),
            step(a.steps[0]),
            b.values.as_ptr(),
            step(b.steps[1]),
            step(b.steps[0]),
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The output pixels of a row that read inside the image for a horizontal tap, and the first pixel that they read.
fn inside(shape: &ConvShape, kx: usize) -> (usize, usize, usize) {
    let ConvShape { width, stride, padding, out_width, .. } = *shape;
    let low = padding.saturating_sub(kx).div_ceil(stride).min(out_width);
    let high = (width + padding).saturating_sub(kx).div_ceil(stride).clamp(low, out_width);
    (low, high, (low * stride + kx).saturating_sub(padding))
}

/// Calls `each` with every run of a column matrix: its start and the input row that it reads, if there is one.
/// `[taps, count * plane]` against `[count, in_channels, height, width]`.
fn runs(shape: &ConvShape, count: usize, mut each: impl FnMut(usize, usize, Option<usize>)) {
    let ConvShape { in_channels, height, width, kernel, stride, padding, out_height, out_width, .. } = *shape;
    for tap in 0..shape.taps() {
        let (channel, ky, kx) = (tap / (kernel * kernel), tap / kernel % kernel, tap % kernel);
        for image in 0..count {
            for oy in 0..out_height {
                let at = ((tap * count + image) * out_height + oy) * out_width;
                let y = (oy * stride + ky).checked_sub(padding).filter(|y| *y < height);
                each(at, kx, y.map(|y| ((image * in_channels + channel) * height + y) * width));
            }
        }
    }
}

/// Unfolds images: `columns[tap, image * plane + pixel]` is what the pixel reads for the tap.
fn unfold(shape: &ConvShape, images: &[f32], count: usize, columns: &mut [f32]) {
    runs(shape, count, |at, kx, row| {
        let to = &mut columns[at..at + shape.out_width];
        let (low, high, start) = inside(shape, kx);
        let Some(row) = row else { return to.fill(0.0) };
        to[..low].fill(0.0);
        to[high..].fill(0.0);
        for (to, from) in to[low..high].iter_mut().zip(images[row..row + shape.width].iter().skip(start).step_by(shape.stride)) {
            *to = *from;
        }
    });
}

/// The reverse: adds each value of `columns` to the pixel that it was read from.
fn fold(shape: &ConvShape, columns: &[f32], count: usize, images: &mut [f32]) {
    images.fill(0.0);
    runs(shape, count, |at, kx, row| {
        let (low, high, start) = inside(shape, kx);
        let Some(row) = row else { return };
        let pixels = images[row..row + shape.width].iter_mut().skip(start).step_by(shape.stride);
        for (to, from) in pixels.zip(&columns[at + low..at + high]) {
            *to += *from;
        }
    });
}

/// `[count, channels, plane]` to `[channels, count * plane]`.
fn side_by_side(images: &[f32], count: usize, plane: usize, to: &mut [f32]) {
    let channels = images.len() / (count * plane);
    for (i, from) in images.chunks_exact(plane).enumerate() {
        let (image, channel) = (i / channels, i % channels);
        to[(channel * count + image) * plane..][..plane].copy_from_slice(from);
    }
}

/// Images per product.
fn group(shape: &ConvShape) -> usize {
    (PIXELS / shape.out_plane().max(1)).clamp(1, shape.batch.max(1))
}

/// The convolution `[batch, out_channels, out_height, out_width]`.
pub fn forward(shape: &ConvShape, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let (image, out_image, plane, group) = (shape.image(), shape.out_image(), shape.out_plane(), group(shape));
    let mut y = vec![0.0; shape.batch * out_image];
    if y.is_empty() || image == 0 {
        return y;
    }
    y.par_chunks_mut(out_image * group).zip(x.par_chunks(image * group)).for_each(|(y, x)| {
        let count = x.len() / image;
        with_scratch(|scratch| {
            let [columns, product_of, _] = scratch.take([shape.taps() * count * plane, y.len(), 0]);
            unfold(shape, x, count, columns);
            let weight = Matrix::new(weight, shape.out_channels, shape.taps());
            product(product_of, weight, Matrix::new(columns, shape.taps(), count * plane), false);
            for (i, y) in y.chunks_exact_mut(plane).enumerate() {
                let (image, channel) = (i / shape.out_channels, i % shape.out_channels);
                y.copy_from_slice(&product_of[(channel * count + image) * plane..][..plane]);
            }
        });
    });
    y
}

/// The gradient `[batch, in_channels, height, width]` from that of the output and the weight.
pub fn input_gradient(shape: &ConvShape, weight: &[f32], dy: &[f32]) -> Vec<f32> {
    let (image, out_image, plane, group) = (shape.image(), shape.out_image(), shape.out_plane(), group(shape));
    let mut dx = vec![0.0; shape.batch * image];
    if dx.is_empty() || out_image == 0 {
        return dx;
    }
    dx.par_chunks_mut(image * group).zip(dy.par_chunks(out_image * group)).for_each(|(dx, dy)| {
        let count = dx.len() / image;
        with_scratch(|scratch| {
            let [columns, gradients, _] = scratch.take([shape.taps() * count * plane, dy.len(), 0]);
            side_by_side(dy, count, plane, gradients);
            let weight = Matrix::new(weight, shape.out_channels, shape.taps()).transposed();
            product(columns, weight, Matrix::new(gradients, shape.out_channels, count * plane), false);
            fold(shape, columns, count, dx);
        });
    });
    dx
}

/// The gradient `[out_channels, in_channels, kernel, kernel]` from the input and the output's gradient.
pub fn weight_gradient(shape: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let taps = shape.taps();
    let mut dw = vec![0.0; shape.out_channels * taps];
    if dw.is_empty() || shape.batch == 0 {
        return dw;
    }
    let blocks = shape.out_channels.div_ceil(BLOCK);
    let images = shape.batch.div_ceil(PIECES.div_ceil(blocks).min(shape.batch));
    let pieces = shape.batch.div_ceil(images);
    let part = |i: usize| weight_part(shape, x, dy, i / pieces * BLOCK, i % pieces * images, images);
    let parts: Vec<Vec<f32>> = (0..blocks * pieces).into_par_iter().map(part).collect();
    for (block, dw) in dw.chunks_mut(BLOCK * taps).enumerate() {
        for part in &parts[block * pieces..][..pieces] {
            for (a, b) in dw.iter_mut().zip(part) {
                *a += b;
            }
        }
    }
    dw
}

/// What images `first..first + images` give to output channels `channel..channel + BLOCK`.
fn weight_part(shape: &ConvShape, x: &[f32], dy: &[f32], channel: usize, first: usize, images: usize) -> Vec<f32> {
    let (image, plane, taps) = (shape.image(), shape.out_plane(), shape.taps());
    let channels = BLOCK.min(shape.out_channels - channel);
    let mut dw = vec![0.0; channels * taps];
    let (end, group) = ((first + images).min(shape.batch), group(shape));
    for start in (first..end).step_by(group) {
        let count = group.min(end - start);
        with_scratch(|scratch| {
            let [columns, gradients, _] = scratch.take([taps * count * plane, channels * count * plane, 0]);
            unfold(shape, &x[start * image..][..count * image], count, columns);
            for i in 0..count * channels {
                let (image, c) = (i / channels, i % channels);
                let from = ((start + image) * shape.out_channels + channel + c) * plane;
                gradients[(c * count + image) * plane..][..plane].copy_from_slice(&dy[from..from + plane]);
            }
            let columns = Matrix::new(columns, taps, count * plane).transposed();
            product(&mut dw, Matrix::new(gradients, channels, count * plane), columns, true);
        });
    }
    dw
}
