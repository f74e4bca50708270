//! The gradient of a convolution with respect to its weight.
//!
//! ```text
//! dw[channel, q] = sum over pixels of dy[channel, pixel] * image[tap(q) + pixel]
//! ```
//! Lanes are output channels: the output's gradient is transposed to `[pixel, channels]`, the image's values are
//! broadcast one by one. So any stride and any size of plane is read where it lies, and no sum across lanes is needed.
//!
//! The work is cut by sizes alone, never by the number of threads, and the parts are added in their order: the result is
//! the same to the bit on any machine with the same instruction set.

use super::buffer::{Scratch, with_scratch};
use super::direct::GROUP_BYTES;
use super::isa::Task;
use super::lanes::Lanes;
use super::layout::{Layout, Window};
use super::shape::ConvShape;
use rayon::prelude::*;
use std::marker::PhantomData;

/// Pieces that the work is cut into: enough for the threads of a large machine, few enough to add up quickly.
const PIECES: usize = 16;

/// Output pixels per visit of a tile: their transposed gradients stay in the first-level cache.
const CHUNK: usize = 256;

/// The gradient `[out_channels, in_channels, kernel, kernel]` from the input and the output's gradient.
///
/// `LINES` runs of `TAPS` neighbouring taps, times `VECTORS` vectors of channels, are kept in registers.
pub fn weight_gradient<L: Lanes, const VECTORS: usize, const LINES: usize, const TAPS: usize>(
    lanes: L,
    shape: &ConvShape,
    x: &[f32],
    dy: &[f32],
) -> Vec<f32> {
    let (taps, channels) = (shape.taps(), VECTORS * L::N);
    let mut dw = vec![0.0; shape.out_channels * taps];
    if dw.is_empty() || shape.batch == 0 {
        return dw;
    }
    let blocks = shape.out_channels.div_ceil(channels);
    let images = shape.batch.div_ceil(PIECES.div_ceil(blocks).min(shape.batch));
    let pieces = shape.batch.div_ceil(images);
    let plan = Plan::<L, VECTORS, LINES, TAPS>::new(shape, x, dy);
    let part = |i: usize| with_scratch(|scratch| plan.part(lanes, scratch, i / pieces * channels, i % pieces * images, images));
    let parts: Vec<Vec<f32>> = (0..blocks * pieces).into_par_iter().map(part).collect();
    let add = |(block, dw): (usize, &mut [f32])| {
        let parts = &parts[block * pieces..][..pieces];
        lanes.run(AddUp::<L> { parts, taps, channels, dw, lanes_used: PhantomData });
    };
    dw.par_chunks_mut(channels * taps).enumerate().for_each(add);
    dw
}

/// What all pieces share.
struct Plan<'a, L, const VECTORS: usize, const LINES: usize, const TAPS: usize> {
    shape: &'a ConvShape,
    x: &'a [f32],
    dy: &'a [f32],
    layout: Layout,
    /// Offset of the first tap of each run of `TAPS` taps.
    lines: Vec<usize>,
    lanes_used: PhantomData<L>,
}

impl<'a, L: Lanes, const VECTORS: usize, const LINES: usize, const TAPS: usize> Plan<'a, L, VECTORS, LINES, TAPS> {
    fn new(shape: &'a ConvShape, x: &'a [f32], dy: &'a [f32]) -> Self {
        assert!(x.len() == shape.batch * shape.image() && dy.len() == shape.batch * shape.out_image());
        assert!(TAPS == 1 || TAPS == shape.kernel, "a run of taps is one tap or a row of the kernel");
        let layout = Layout::pixels(Window::forward(shape), L::N);
        let lines = layout.taps().into_iter().step_by(TAPS).collect();
        Self { shape, x, dy, layout, lines, lanes_used: PhantomData }
    }

    /// The part of channels `channel..` (a block of them) that images `first..first + images` give:
    /// `[taps, block of channels]`.
    fn part(&self, lanes: L, scratch: &mut Scratch, channel: usize, first: usize, images: usize) -> Vec<f32> {
        let (channels, plane) = (VECTORS * L::N, self.shape.out_plane());
        let mut sums = vec![0.0; self.shape.taps() * channels];
        let group = (GROUP_BYTES / (4 * (self.layout.size + plane * channels))).clamp(1, images);
        let end = (first + images).min(self.shape.batch);
        for start in (first..end).step_by(group) {
            let count = group.min(end - start);
            let [expanded, gradients, _] = scratch.take([self.layout.scratch(count), count * plane * channels, 0]);
            lanes.run(Images { plan: self, channel, first: start, count, expanded, gradients, sums: &mut sums });
        }
        sums
    }
}

/// A few images, on one thread.
struct Images<'a, 'b, L, const VECTORS: usize, const LINES: usize, const TAPS: usize> {
    plan: &'a Plan<'b, L, VECTORS, LINES, TAPS>,
    /// First of the block of output channels.
    channel: usize,
    /// First image, and how many.
    first: usize,
    count: usize,
    /// Scratch for the images.
    expanded: &'a mut [f32],
    /// Scratch for the output's gradients, `[count, pixel, channels]`.
    gradients: &'a mut [f32],
    /// `[taps, channels]`, added to.
    sums: &'a mut [f32],
}

impl<L: Lanes, const VECTORS: usize, const LINES: usize, const TAPS: usize> Task for Images<'_, '_, L, VECTORS, LINES, TAPS> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Plan { shape, layout, lines, x, .. } = self.plan;
        let images = &x[self.first * shape.image()..][..self.count * shape.image()];
        self.plan.transpose(self.channel, self.first, self.count, self.gradients);
        let (source, pitch) = if layout.is_whole() {
            (images, shape.image())
        } else {
            for (from, to) in images.chunks_exact(shape.image()).zip(self.expanded.chunks_exact_mut(layout.size)) {
                // SAFETY: tasks are run by `Lanes::run`.
                unsafe { layout.expand::<L>(from, to) };
            }
            (&*self.expanded, layout.size)
        };
        let height = shape.out_height;
        let row = |i: usize| i / height * pitch + i % height * shape.stride * layout.pitch;
        let rows: Vec<usize> = (0..self.count * height).map(row).collect();
        let (width, channels) = (shape.out_width, VECTORS * L::N);
        assert!(source.len() >= self.count * pitch && self.gradients.len() == rows.len() * width * channels);
        assert!(self.sums.len() == lines.len() * TAPS * channels);
        let per_chunk = CHUNK.div_ceil(width);
        for (rows, gradients) in rows.chunks(per_chunk).zip(self.gradients.chunks(per_chunk * width * channels)) {
            for first in (0..lines.len()).step_by(LINES) {
                let tile = Tile { rows, source, gradients, lines: &lines[first..], width, stride: shape.stride };
                // SAFETY: tasks are run by `Lanes::run`; `rows` and `lines` are offsets of the layout, whose rows have
                // a value for each of `width` pixels and `TAPS` taps; `gradients` holds the pixels of `rows`.
                unsafe { tile.add::<L, VECTORS, LINES, TAPS>(&mut self.sums[first * TAPS * channels..]) };
            }
        }
    }
}

impl<L: Lanes, const VECTORS: usize, const LINES: usize, const TAPS: usize> Plan<'_, L, VECTORS, LINES, TAPS> {
    /// Writes the gradients of output channels `channel..` of some images as `[count, pixel, channels]`, zero where
    /// there is no such channel. Only inside [`Lanes::run`].
    #[inline(always)]
    fn transpose(&self, channel: usize, first: usize, count: usize, to: &mut [f32]) {
        let (plane, channels) = (self.shape.out_plane(), VECTORS * L::N);
        let dy = &self.dy[first * self.shape.out_image()..][..count * self.shape.out_image()];
        assert!(to.len() == count * plane * channels);
        for (dy, to) in dy.chunks_exact(self.shape.out_image()).zip(to.chunks_exact_mut(plane * channels)) {
            for v in 0..VECTORS {
                let row = (channel + v * L::N).min(self.shape.out_channels);
                let rows = L::N.min(self.shape.out_channels - row);
                for pixel in (0..plane).step_by(L::N) {
                    let columns = L::N.min(plane - pixel);
                    let from = dy.as_ptr().wrapping_add(row * plane + pixel);
                    // SAFETY: tasks are run by `Lanes::run`; `rows` rows and `columns` pixels exist from `from` on, and
                    // `columns` vectors fit from the target on.
                    unsafe {
                        let to = to.as_mut_ptr().add(pixel * channels + v * L::N);
                        L::transpose(from, to, rows, columns, (plane, channels));
                    }
                }
            }
        }
    }
}

/// A tile of the gradient and the pixels it sums over.
struct Tile<'a> {
    /// Offset in `source` of what the first pixel of each output row reads.
    rows: &'a [usize],
    /// Expanded images.
    source: &'a [f32],
    /// `[row, pixel, channels]`
    gradients: &'a [f32],
    /// Offsets of the tile's runs of taps (and of those after it).
    lines: &'a [usize],
    /// Output pixels per row.
    width: usize,
    stride: usize,
}

impl Tile<'_> {
    /// Adds the pixels' products to `sums`, `[line, tap, channels]`.
    ///
    /// # Safety
    /// Only inside [`Lanes::run`]. Every sum of one of `rows`, one of `lines`, a tap below `TAPS` and a pixel below
    /// `width` times `stride` must be inside `source`; `gradients` must have `rows * width * channels` values, `sums`
    /// those of the tile's lines.
    #[expect(clippy::needless_range_loop, reason = "a tile of registers is addressed by line, tap and vector")]
    #[inline(always)]
    unsafe fn add<L: Lanes, const VECTORS: usize, const LINES: usize, const TAPS: usize>(&self, sums: &mut [f32]) {
        let (lines, channels) = (LINES.min(self.lines.len()), VECTORS * L::N);
        assert!(lines > 0 && sums.len() >= lines * TAPS * channels);
        // SAFETY: what the caller vouches for; lines that do not exist repeat the last one and are not written.
        unsafe {
            let mut acc = [[[L::zero(); VECTORS]; TAPS]; LINES];
            let mut gradient = self.gradients.as_ptr();
            for &row in self.rows {
                let mut from = [self.source.as_ptr(); LINES];
                for l in 0..LINES {
                    from[l] = self.source.as_ptr().add(row + self.lines[l.min(lines - 1)]);
                }
                for pixel in 0..self.width {
                    let mut dy = [L::zero(); VECTORS];
                    for v in 0..VECTORS {
                        dy[v] = L::load(gradient.add(v * L::N));
                    }
                    gradient = gradient.add(channels);
                    for l in 0..LINES {
                        for t in 0..TAPS {
                            let x = L::splat(*from[l].add(pixel * self.stride + t));
                            for v in 0..VECTORS {
                                acc[l][t][v] = L::fma(x, dy[v], acc[l][t][v]);
                            }
                        }
                    }
                }
            }
            let one = L::splat(1.0);
            for (l, line) in acc.iter().enumerate().take(lines) {
                for (t, tap) in line.iter().enumerate() {
                    for (v, value) in tap.iter().enumerate() {
                        let to = sums.as_mut_ptr().add((l * TAPS + t) * channels + v * L::N);
                        L::store(to, L::fma(*value, one, L::load(to)));
                    }
                }
            }
        }
    }
}

/// Adds the parts of one block of channels in their order and transposes the sum.
struct AddUp<'a, L> {
    /// Each `[taps, channels]`.
    parts: &'a [Vec<f32>],
    taps: usize,
    channels: usize,
    /// `[channels that exist, taps]`
    dw: &'a mut [f32],
    lanes_used: PhantomData<L>,
}

impl<L: Lanes> Task for AddUp<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { parts, taps, channels, dw, .. } = self;
        let rows = dw.len() / taps;
        let (mut sum, mut turned) = ([0f32; 1024], [0f32; 1024]);
        assert!(channels * L::N <= 1024 && parts.iter().all(|part| part.len() == taps * channels));
        for q in (0..taps).step_by(L::N) {
            let count = L::N.min(taps - q);
            let sum = &mut sum[..count * channels];
            sum.fill(0.0);
            for part in parts {
                for (a, b) in sum.iter_mut().zip(&part[q * channels..]) {
                    *a += b;
                }
            }
            for c in (0..channels).step_by(L::N) {
                // SAFETY: tasks are run by `Lanes::run`; `count` rows of `N` values from `c` on exist, and `turned` has
                // room for `N` vectors.
                unsafe { L::transpose(sum.as_ptr().add(c), turned.as_mut_ptr(), count, L::N, (channels, L::N)) };
                for (r, row) in turned.chunks_exact(L::N).enumerate().take(L::N.min(rows.saturating_sub(c))) {
                    dw[(c + r) * taps + q..][..count].copy_from_slice(&row[..count]);
                }
            }
        }
    }
}
