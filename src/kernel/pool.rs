//! Max pooling over 2 x 2 pixels: a pass over pairs of rows, forward and backward.

use super::buffer::filled;
use super::isa::{Isa, Task};
use super::tensor::{contiguous, from_values, sizes};
use burn_flex::FlexTensor;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Input values that one thread works on at a time: 64 KiB, so that they are in its cache.
const CHUNK: usize = 16_384;

/// Sizes of a plane and of the pooled plane; an odd last row or column is left out.
#[derive(Clone, Copy)]
struct Plane {
    height: usize,
    width: usize,
}

impl Plane {
    fn of(x: &FlexTensor) -> ([usize; 4], Self) {
        let [batch, channels, height, width] = sizes(x);
        ([batch, channels, height / 2, width / 2], Self { height, width })
    }

    fn len(self) -> usize {
        self.height * self.width
    }

    fn pooled(self) -> usize {
        (self.height / 2) * (self.width / 2)
    }

    /// Planes per task.
    fn group(self) -> usize {
        (CHUNK / self.len().max(1)).max(1)
    }

    /// The two rows of a plane that a pooled row is made of.
    #[inline(always)]
    fn rows(self, plane: &[f32]) -> impl Iterator<Item = (&[f32], &[f32])> {
        plane.chunks_exact(2 * self.width).map(move |pair| pair.split_at(self.width))
    }
}

/// The largest of each 2 x 2 pixels of `x` `[batch, channels, height, width]`: `[batch, channels, height / 2, width / 2]`.
pub fn forward(isa: Isa, x: &FlexTensor) -> FlexTensor {
    let x = contiguous(x);
    let (pooled, plane) = Plane::of(&x);
    let len = pooled.iter().product();
    if len == 0 {
        return from_values(Vec::new(), pooled);
    }
    let fill = |y: &mut [MaybeUninit<f32>]| {
        let groups = y.par_chunks_mut(plane.group() * plane.pooled()).zip(x.storage::<f32>().par_chunks(plane.group() * plane.len()));
        groups.for_each(|(y, x)| isa.run(Forward { plane, x, y }));
    };
    // SAFETY: `Forward` writes every value of each of the planes.
    from_values(unsafe { filled(len, fill) }, pooled)
}

struct Forward<'a> {
    plane: Plane,
    x: &'a [f32],
    y: &'a mut [MaybeUninit<f32>],
}

impl Task for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { plane, x, y } = self;
        let larger = |a: f32, b: f32| if b > a { b } else { a };
        for (x, y) in x.chunks_exact(plane.len()).zip(y.chunks_exact_mut(plane.pooled())) {
            for ((above, below), y) in plane.rows(x).zip(y.chunks_exact_mut(plane.width / 2)) {
                for (y, (a, b)) in y.iter_mut().zip(above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0)) {
                    y.write(larger(larger(a[0], a[1]), larger(b[0], b[1])));
                }
            }
        }
    }
}

/// The gradient with respect to `x` from that of the output: it goes to the largest of each four pixels, to the first of
/// several (in the order of rows), as in PyTorch.
pub fn backward(isa: Isa, x: &FlexTensor, dy: &FlexTensor) -> FlexTensor {
    let (x, dy) = (contiguous(x), contiguous(dy));
    let (pooled, plane) = Plane::of(&x);
    assert_eq!(sizes::<4>(&dy), pooled, "a pooling's gradient must have the size of its output");
    let values = x.storage::<f32>();
    if plane.pooled() == 0 {
        return from_values(vec![0.0; values.len()], sizes::<4>(&x));
    }
    let fill = |dx: &mut [MaybeUninit<f32>]| {
        let floats = plane.group() * plane.len();
        let groups = dx.par_chunks_mut(floats).zip(values.par_chunks(floats)).zip(dy.storage::<f32>().par_chunks(plane.group() * plane.pooled()));
        groups.for_each(|((dx, x), dy)| isa.run(Backward { plane, x, dy, dx }));
    };
    // SAFETY: `Backward` writes every value of each of the planes.
    from_values(unsafe { filled(values.len(), fill) }, sizes::<4>(&x))
}

struct Backward<'a> {
    plane: Plane,
    x: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [MaybeUninit<f32>],
}

impl Task for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { plane, x, dy, dx } = self;
        let (len, width) = (plane.len(), plane.width);
        for ((x, dy), dx) in x.chunks_exact(len).zip(dy.chunks_exact(plane.pooled())).zip(dx.chunks_exact_mut(len)) {
            if plane.height % 2 == 1 || width % 2 == 1 {
                dx.fill(MaybeUninit::new(0.0));
            }
            for (((above, below), dy), dx) in plane.rows(x).zip(dy.chunks_exact(width / 2)).zip(dx.chunks_exact_mut(2 * width)) {
                let (to_above, to_below) = dx.split_at_mut(width);
                let from = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0).zip(dy);
                let to = to_above.as_chunks_mut::<2>().0.iter_mut().zip(to_below.as_chunks_mut::<2>().0);
                for (((a, b), dy), (to_a, to_b)) in from.zip(to) {
                    let ([p, q], [r, s]) = (*a, *b);
                    // which of the four is the first that none exceeds
                    let (second, fourth) = (q > p, s > r);
                    let lower = (if fourth { s } else { r }) > (if second { q } else { p });
                    let when = |here: bool| MaybeUninit::new(if here { *dy } else { 0.0 });
                    *to_a = [when(!lower & !second), when(!lower & second)];
                    *to_b = [when(lower & !fourth), when(lower & fourth)];
                }
            }
        }
    }
}
