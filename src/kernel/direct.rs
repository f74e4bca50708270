//! The convolution kernel: a matrix product whose right side is read from the image itself ("implicit GEMM").
//!
//! ```text
//! out[row, pixel] = sum over q of weight[row, q] * image[tap(q) + pixel]
//!
//!             pixels: VECTORS vectors of lanes
//!           +----+----+----+
//!  ROWS of  |    |    |    |   kept in registers for all q; per q: VECTORS loads,
//!  weight   |    |    |    |   ROWS broadcasts, ROWS * VECTORS multiply-adds
//!           +----+----+----+
//! ```

use super::buffer::with_scratch;
use super::isa::Task;
use super::lanes::Lanes;
use super::layout::Layout;
use rayon::prelude::*;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// A weight matrix `[rows, taps]` in blocks of `ROWS` rows, each block `[taps, ROWS]`, missing rows 0.
pub struct Packed<const ROWS: usize> {
    rows: usize,
    taps: usize,
    blocks: Vec<f32>,
}

impl<const ROWS: usize> Packed<ROWS> {
    /// Packs the matrix whose value at `(row, tap)` is `value(row, tap)`.
    pub fn new(rows: usize, taps: usize, value: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        let mut blocks = vec![0.0; rows.div_ceil(ROWS) * ROWS * taps];
        let pack = |(b, block): (usize, &mut [f32])| {
            let (first, here) = (b * ROWS, ROWS.min(rows - b * ROWS));
            for (q, column) in block.chunks_exact_mut(ROWS).enumerate() {
                for (r, to) in column[..here].iter_mut().enumerate() {
                    *to = value(first + r, q);
                }
            }
        };
        blocks.par_chunks_mut((ROWS * taps).max(1)).enumerate().for_each(pack);
        Self { rows, taps, blocks }
    }
}

/// Bytes of expanded images that a task works on at a time: they should stay in the second-level cache.
pub const GROUP_BYTES: usize = 512 << 10;

/// Images per task, so that the `floats` it holds of each fit the cache and all threads have work. Results do not depend
/// on it: each output value is summed by one thread, over the taps in their order.
pub fn images_per_task(floats: usize, batch: usize) -> usize {
    let share = batch.div_ceil(2 * rayon::current_num_threads()).max(1);
    (GROUP_BYTES / (4 * floats).max(1)).clamp(1, share)
}

/// Correlates `images` `[batch, channels, height, width]` with a packed weight: `out[batch, rows, plane]`, every value
/// written.
pub fn correlate<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    lanes: L,
    layout: &Layout,
    weight: &Packed<ROWS>,
    images: &[f32],
    image: usize,
    plane: usize,
    out: &mut [MaybeUninit<f32>],
) {
    let (out_image, taps) = (weight.rows * plane, layout.taps());
    assert_eq!(taps.len(), weight.taps);
    if out_image == 0 || image == 0 {
        out.fill(MaybeUninit::new(0.0));
        return;
    }
    let batch = images.len() / image;
    assert!(images.len() == batch * image && out.len() == batch * out_image);
    let group = images_per_task(layout.size, batch);
    out.par_chunks_mut(out_image * group).zip(images.par_chunks(image * group)).for_each(|(out, images)| {
        with_scratch(|scratch| {
            let [expanded, ..] = scratch.take([layout.scratch(images.len() / image), 0, 0]);
            let lanes_used = PhantomData::<L>;
            lanes.run(Correlate::<L, ROWS, VECTORS> { layout, weight, taps: &taps, images, image, plane, out, expanded, lanes_used });
        });
    });
}

/// The correlation of a few images, on one thread.
pub struct Correlate<'a, L, const ROWS: usize, const VECTORS: usize> {
    pub layout: &'a Layout,
    pub weight: &'a Packed<ROWS>,
    /// [`Layout::taps`]
    pub taps: &'a [usize],
    /// `[count, channels, height, width]`
    pub images: &'a [f32],
    /// Values per image.
    pub image: usize,
    /// Pixels per output plane.
    pub plane: usize,
    /// `[count, rows, plane]`, all of which is written.
    pub out: &'a mut [MaybeUninit<f32>],
    /// Scratch of [`Layout::scratch`] floats.
    pub expanded: &'a mut [f32],
    pub lanes_used: PhantomData<L>,
}

/// Weights up to this many bytes are read anew for each tile of pixels; larger ones stay while the pixels pass.
const WEIGHT_BYTES: usize = 256 << 10;

impl<L: Lanes, const ROWS: usize, const VECTORS: usize> Task for Correlate<'_, L, ROWS, VECTORS> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { layout, weight, taps, images, image, plane, out, expanded, .. } = self;
        let count = images.len() / image;
        let (source, pitch) = if layout.is_whole() {
            (images, image)
        } else {
            for (from, to) in images.chunks_exact(image).zip(expanded.chunks_exact_mut(layout.size)) {
                // SAFETY: tasks are run by `Lanes::run`.
                unsafe { layout.expand::<L>(from, to) };
            }
            (&*expanded, layout.size)
        };
        assert!(source.len() >= count * pitch && out.len() == count * weight.rows * plane && taps.len() == weight.taps);
        let vectors: Vec<Vector> = Vector::all(layout, count, pitch, plane, weight.rows, L::N).collect();
        let tiles = Tiles { taps, source: source.as_ptr(), plane, rows: weight.rows };
        let blocks = weight.rows.div_ceil(ROWS);
        let block = |b: usize| weight.blocks[b * ROWS * weight.taps..][..ROWS * weight.taps].as_ptr();
        let to = out.as_mut_ptr().cast::<f32>();
        // SAFETY: tasks are run by `Lanes::run`; `source` holds `count` images in `layout`, `to` their output, of which
        // `vectors` are vectors, and each block is one of the weight's.
        unsafe {
            if 4 * weight.blocks.len() <= WEIGHT_BYTES {
                for vectors in vectors.chunks(VECTORS) {
                    for b in 0..blocks {
                        tiles.one::<L, ROWS, VECTORS>(block(b), b * ROWS, vectors, to);
                    }
                }
            } else {
                for b in 0..blocks {
                    for vectors in vectors.chunks(VECTORS) {
                        tiles.one::<L, ROWS, VECTORS>(block(b), b * ROWS, vectors, to);
                    }
                }
            }
        }
    }
}

/// No instruction set has more lanes.
const MOST_LANES: usize = 16;

/// A vector of consecutive output pixels.
struct Vector {
    /// Offset of what it reads for a tap at 0.
    from: usize,
    /// Offset of it in output plane 0.
    to: usize,
    /// Pixels that exist.
    pixels: usize,
}

impl Vector {
    /// The vectors of `count` images, `pitch` floats apart where they are read, `rows` planes apart where written.
    fn all(layout: &Layout, count: usize, pitch: usize, plane: usize, rows: usize, lanes: usize) -> impl Iterator<Item = Self> {
        let one = move |image: usize, pixel: usize| Self {
            from: image * pitch + layout.pixel(pixel),
            to: image * rows * plane + pixel,
            pixels: lanes.min(plane - pixel),
        };
        (0..count).flat_map(move |image| (0..plane).step_by(lanes).map(move |pixel| one(image, pixel)))
    }
}

/// What the tiles of one task share.
struct Tiles<'a> {
    taps: &'a [usize],
    /// Expanded images.
    source: *const f32,
    /// Pixels per output plane.
    plane: usize,
    /// Output planes per image.
    rows: usize,
}

impl Tiles<'_> {
    /// Computes planes `row..row + ROWS`, those that exist, of one to `VECTORS` vectors.
    ///
    /// # Safety
    /// Only inside [`Lanes::run`]. `weight` must be a block of `taps * ROWS` values; each vector's `from` plus each tap a
    /// vector in `source`; each vector's `to` plus each plane in `to` its pixels.
    #[expect(clippy::needless_range_loop, reason = "a tile of registers is addressed by row and vector")]
    #[inline(always)]
    unsafe fn one<L: Lanes, const ROWS: usize, const VECTORS: usize>(&self, weight: *const f32, row: usize, vectors: &[Vector], to: *mut f32) {
        // SAFETY: what the caller vouches for; a vector that does not exist repeats the last one and is not written.
        unsafe {
            let mut from = [self.source; VECTORS];
            for j in 0..VECTORS {
                from[j] = self.source.add(vectors[j.min(vectors.len() - 1)].from);
            }
            let sums = multiply::<L, ROWS, VECTORS>(self.taps, weight, from);
            let (rows, whole) = (self.rows - row, vectors.iter().all(|vector| vector.pixels == L::N));
            if rows >= ROWS && vectors.len() == VECTORS && whole {
                for r in 0..ROWS {
                    for j in 0..VECTORS {
                        L::store(to.add((row + r) * self.plane + vectors[j].to), sums[r][j]);
                    }
                }
                return;
            }
            // Not from `sums` itself: what is addressed by a number known only now cannot stay in registers.
            let mut spilled = [[[MaybeUninit::<f32>::uninit(); MOST_LANES]; VECTORS]; ROWS];
            for r in 0..ROWS {
                for j in 0..VECTORS {
                    L::store(spilled[r][j].as_mut_ptr().cast(), sums[r][j]);
                }
            }
            for (r, row_of) in spilled.iter().enumerate().take(rows) {
                let to = to.add((row + r) * self.plane);
                for (vector, values) in vectors.iter().zip(row_of) {
                    std::ptr::copy_nonoverlapping(values.as_ptr().cast(), to.add(vector.to), vector.pixels);
                }
            }
        }
    }
}

/// The tile's product: `ROWS` weights times `VECTORS` vectors, summed over the taps in their order.
///
/// # Safety
/// Only inside [`Lanes::run`]; `weight` must have `ROWS` values per tap, and each of `from` a vector at each tap.
#[expect(clippy::needless_range_loop, reason = "a tile of registers is addressed by row and vector")]
#[inline(always)]
unsafe fn multiply<L: Lanes, const ROWS: usize, const VECTORS: usize>(
    taps: &[usize],
    mut weight: *const f32,
    from: [*const f32; VECTORS],
) -> [[L::V; VECTORS]; ROWS] {
    // SAFETY: what the caller vouches for.
    unsafe {
        let mut sums = [[L::zero(); VECTORS]; ROWS];
        for &tap in taps {
            let mut pixels = [L::zero(); VECTORS];
            for j in 0..VECTORS {
                pixels[j] = L::load(from[j].add(tap));
            }
            for r in 0..ROWS {
                let w = L::broadcast(weight.add(r));
                for j in 0..VECTORS {
                    sums[r][j] = L::fma(w, pixels[j], sums[r][j]);
                }
            }
            weight = weight.add(ROWS);
        }
        sums
    }
}
