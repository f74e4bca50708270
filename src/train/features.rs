//! What an encoder sees in images, and the answers of its nearest neighbours.

use super::batch::Lookup;
use super::evaluate::{BATCH, Examine, Posteriors};
use super::knn::{Bank, TEMPERATURE, neighbours};
use crate::data::{Dataset, Images, Split};
use crate::kernel::Kernels;
use crate::model::{Mode, ResNet};
use burn::prelude::*;

/// Features of every image, in evaluation.
///
/// # Shapes
/// - output: `[images.len(), width]`
pub fn features<B: Kernels>(encoder: &ResNet<B>, images: &Images, lookup: &Lookup, device: &B::Device) -> Tensor<B, 2> {
    let starts = (0..images.len()).step_by(BATCH);
    let parts = starts.map(|start| encoder.forward(lookup.plain(images, start..(start + BATCH).min(images.len()), device), Mode::Eval));
    Tensor::cat(parts.collect(), 0)
}

/// Images of the bank: each look at the encoder computes their features anew.
const MEMORY: usize = 2_000;

/// Answers for an encoder by the nearest neighbours in a bank of labelled images: how an encoder is watched that has no
/// classifier yet (spec.md 1.7).
pub struct Monitor<'a> {
    bank: Split,
    classes: usize,
    lookup: &'a Lookup,
}

impl<'a> Monitor<'a> {
    /// A monitor by the first training images of `data`, and the images that it is to be asked about. Where the training
    /// images have no labels (STL-10's unlabeled part), half of the test images are the bank for the other half.
    pub fn new(data: &Dataset, lookup: &'a Lookup) -> (Self, Split) {
        let unlabeled = data.train.labels.windows(2).all(|w| w[0] == w[1]);
        let (bank, asked) = if unlabeled {
            let (even, odd): (Vec<usize>, Vec<usize>) = (0..data.test.len()).partition(|i| i % 2 == 0);
            (data.test.select(&even[..even.len().min(MEMORY)]), data.test.select(&odd))
        } else {
            (data.train.select(&(0..data.train.len().min(MEMORY)).collect::<Vec<_>>()), data.test.clone())
        };
        (Self { bank, classes: data.classes.len(), lookup }, asked)
    }

    /// What `encoder` answers.
    pub fn examiner<'s, B: Kernels>(&'s self, encoder: ResNet<B>, device: B::Device) -> Box<dyn Examine + 's> {
        let bank = Bank::new(features(&encoder, &self.bank.images, self.lookup, &device), &self.bank.labels, self.classes);
        let k = neighbours(self.bank.len());
        Box::new(move |images: &Images| {
            if images.is_empty() { Posteriors::default() } else { bank.shares(features(&encoder, images, self.lookup, &device), k, TEMPERATURE) }
        })
    }
}
