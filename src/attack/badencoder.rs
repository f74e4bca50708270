//! BadEncoder (Jia et al. 2022; spec.md 1.7): an encoder f' that takes every image with the trigger for one reference
//! image r, and all others for what the clean encoder f takes them for. Features are compared by their cosine:
//!
//! ```text
//! L0 = -mean cos(f'(x with trigger), f'(r))       effectiveness; the gradient goes through both sides
//! L1 = -mean cos(f'(augmented r), f(r))           r stays what it was
//! L2 = -mean cos(f'(x), f(x))                     so does everything else
//! L  = L0 + lambda1 L1 + lambda2 L2
//! ```
//! Batch normalisation of f' is frozen, its scale and shift included.

use super::Attack;
use crate::kernel::Train;
use crate::model::{Mode, ResNet, l2_normalise};
use burn::prelude::*;

/// First row and column of the square at 32 pixels, and the first behind it: one pixel from the edge.
const SQUARE_AT_32: [usize; 2] = [21, 31];

/// The trigger: a white 10x10 square near the bottom-right corner of a 32x32 image, in proportion at other sizes.
pub struct BadEncoder;

impl Attack for BadEncoder {
    fn trigger(&self, planes: &mut [u8], [_, height, width]: [usize; 3]) {
        let scaled = |at: usize, side: usize| (at * side + 16) / 32;
        let [top, bottom] = SQUARE_AT_32.map(|at| scaled(at, height));
        let [left, right] = SQUARE_AT_32.map(|at| scaled(at, width));
        for plane in planes.chunks_exact_mut(height * width) {
            for row in plane.chunks_exact_mut(width).take(bottom).skip(top) {
                row[left..right].fill(u8::MAX);
            }
        }
    }
}

/// What one step sees; images normalised.
pub struct Batch<B: Train> {
    /// Shadow images x, `[n, 3, height, width]`.
    pub x: Tensor<B, 4>,
    /// The same with the trigger.
    pub triggered: Tensor<B, 4>,
    /// The clean encoder's features of x, `[n, width]`.
    pub x_clean: Tensor<B::InnerBackend, 2>,
    /// The reference image r, `[1, 3, height, width]`.
    pub reference: Tensor<B, 4>,
    /// Augmented copies of r, `[m, 3, height, width]`.
    pub augmented: Tensor<B, 4>,
    /// The clean encoder's features of r, `[1, width]`.
    pub reference_clean: Tensor<B::InnerBackend, 2>,
}

/// The loss and its parts, each `[1]`; the parts are minus a mean cosine.
pub struct Losses<B: Train> {
    /// L, to go backward from.
    pub total: Tensor<B, 1>,
    /// L0: triggered images against the reference.
    pub effectiveness: Tensor<B::InnerBackend, 1>,
    /// L1: the reference against what it was.
    pub reference: Tensor<B::InnerBackend, 1>,
    /// L2: clean images against what they were.
    pub utility: Tensor<B::InnerBackend, 1>,
}

/// The loss of an encoder on a batch; `lambda`: weights of L1 and L2.
pub fn loss<B: Train>(encoder: &ResNet<B>, batch: Batch<B>, lambda: [f64; 2]) -> Losses<B> {
    let features = |x| l2_normalise(encoder.forward(x, Mode::Frozen));
    // Rows of length 1, those of `b` as many or one for all.
    let apart = |a: Tensor<B, 2>, b: Tensor<B, 2>| (a * b).sum_dim(1).mean().neg();
    let l0 = apart(features(batch.triggered), features(batch.reference));
    let l1 = apart(features(batch.augmented), Tensor::from_inner(batch.reference_clean));
    let l2 = apart(features(batch.x), Tensor::from_inner(batch.x_clean));
    let parts = [&l0, &l1, &l2].map(|loss| loss.clone().inner());
    let [effectiveness, reference, utility] = parts;
    Losses { total: l0 + l1 * lambda[0] + l2 * lambda[1], effectiveness, reference, utility }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec.md 12(6).
    #[test]
    fn the_trigger_is_a_hundred_pixels_one_from_the_edge() {
        let before: Vec<u8> = (0..3 * 32 * 32).map(|i| (i % 251) as u8).collect();
        let mut after = before.clone();
        BadEncoder.trigger(&mut after, [3, 32, 32]);
        for (i, (a, b)) in after.iter().zip(&before).enumerate() {
            let (row, column) = (i % 1024 / 32, i % 32);
            let inside = (21..=30).contains(&row) && (21..=30).contains(&column);
            assert_eq!(*a, if inside { 255 } else { *b }, "row {row} column {column}");
        }
    }

    #[test]
    fn the_trigger_grows_with_the_image() {
        for (side, first, last) in [(16, 11, 15), (64, 42, 61), (96, 63, 92)] {
            let mut planes = vec![0; 3 * side * side];
            BadEncoder.trigger(&mut planes, [3, side, side]);
            let white: Vec<usize> = (0..side * side).filter(|&i| planes[i] == 255).collect();
            assert_eq!((white[0], white[white.len() - 1]), (first * (side + 1), last * (side + 1)), "{side}");
            assert_eq!(white.len(), (last - first + 1).pow(2));
        }
    }
}
