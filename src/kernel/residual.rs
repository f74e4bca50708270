//! The end of a residual block, `relu(a + b)`, in one pass and without a new buffer where the operand's may be had.

use super::tensor::contiguous;
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Values that one thread works on at a time: 64 KiB, so that they are in its cache.
const CHUNK: usize = 16_384;

/// `relu(a + b)`; both of the same sizes.
pub fn forward(a: FlexTensor, b: &FlexTensor) -> FlexTensor {
    let b = contiguous(b);
    let mut y = contiguous(&a);
    // From here on `y` may be the only one to hold the buffer, and is then written in place.
    drop(a);
    each(y.storage_mut::<f32>(), b.storage::<f32>(), |y, b| (y + b).max(0.0));
    y
}

/// The gradient of both operands from the output `y` and its gradient.
pub fn backward(y: &FlexTensor, dy: FlexTensor) -> FlexTensor {
    let y = contiguous(y);
    let mut gradient = contiguous(&dy);
    drop(dy);
    each(gradient.storage_mut::<f32>(), y.storage::<f32>(), |dy, y| if y > 0.0 { dy } else { 0.0 });
    gradient
}

fn each(to: &mut [f32], other: &[f32], value: impl Fn(f32, f32) -> f32 + Sync) {
    assert_eq!(to.len(), other.len());
    to.par_chunks_mut(CHUNK).zip(other.par_chunks(CHUNK)).for_each(|(to, other)| {
        for (to, other) in to.iter_mut().zip(other) {
            *to = value(*to, *other);
        }
    });
}
