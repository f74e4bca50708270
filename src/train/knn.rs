//! The weighted k-nearest-neighbour monitor of an encoder (Wu et al. 2018): how well do features tell classes apart that
//! were never trained on?
//!
//! ```text
//! score of class c = sum of exp(cos(query, neighbour) / t) over the k nearest neighbours of class c
//! ```

use super::contrastive::l2_normalise;
use super::evaluate::Posteriors;
use burn::prelude::*;
use rayon::prelude::*;

/// Neighbours that vote (spec.md 1.7) where the bank holds CIFAR-10's images.
const NEIGHBOURS: usize = 200;
/// These images.
const CIFAR10: usize = 50_000;
/// Fewer would answer by chance.
const FEWEST: usize = 10;

/// Neighbours that vote in a bank of `entries`: the published share of it.
pub fn neighbours(entries: usize) -> usize {
    (entries * NEIGHBOURS / CIFAR10).clamp(FEWEST, NEIGHBOURS)
}
/// The temperature t of the votes.
pub const TEMPERATURE: f32 = 0.5;

/// Queries compared at a time: their similarities with CIFAR-10's 50,000 images take 50 MB.
const QUERIES: usize = 256;

/// The features and labels that queries are compared with.
pub struct Bank<B: Backend> {
    /// Normalised, `[width, entries]`.
    features: Tensor<B, 2>,
    labels: Vec<u16>,
    classes: usize,
}

impl<B: Backend> Bank<B> {
    /// Of features `[entries, width]`, of any length, and the class of each, below `classes`.
    pub fn new(features: Tensor<B, 2>, labels: &[u16], classes: usize) -> Self {
        Self { features: l2_normalise(features).transpose(), labels: labels.to_vec(), classes }
    }

    /// The class of each query by its `k` nearest neighbours (all of them, if there are fewer), votes weighted at
    /// temperature `t`. Equally near neighbours count in the order of the bank, and of equal scores the lower class wins:
    /// the answer is the same every time.
    ///
    /// # Shapes
    /// - queries: `[queries, width]`, of any length
    pub fn classify(&self, queries: Tensor<B, 2>, k: usize, t: f32) -> Vec<u16> {
        self.shares(queries, k, t).answers().into_iter().map(|answer| answer.class).collect()
    }

    /// The share of the votes that each class has.
    pub fn shares(&self, queries: Tensor<B, 2>, k: usize, t: f32) -> Posteriors {
        let queries = l2_normalise(queries);
        let [count, width] = queries.dims();
        let mut values = Vec::with_capacity(count * self.classes);
        for start in (0..count).step_by(QUERIES) {
            let some = queries.clone().slice([start..(start + QUERIES).min(count), 0..width]);
            let similarities = some.matmul(self.features.clone()).into_data().convert::<f32>();
            let rows = similarities.as_slice::<f32>().unwrap_or_default().par_chunks_exact(self.labels.len().max(1));
            values.extend(rows.map(|row| vote(row, &self.labels, self.classes, k, t)).collect::<Vec<_>>().concat());
        }
        Posteriors { classes: self.classes, values }
    }
}

/// Each class' share of the votes, given the similarity with each entry.
fn vote(similarities: &[f32], labels: &[u16], classes: usize, k: usize, t: f32) -> Vec<f32> {
    let mut order: Vec<usize> = (0..similarities.len()).collect();
    let nearer = |a: &usize, b: &usize| similarities[*b].total_cmp(&similarities[*a]).then(a.cmp(b));
    if k < order.len() {
        order.select_nth_unstable_by(k, nearer);
        order.truncate(k);
    }
    // In one order, so that the sums are the same to the bit.
    order.sort_unstable();
    let mut scores = vec![0f32; classes];
    for entry in order {
        scores[usize::from(labels[entry])] += (similarities[entry] / t).exp();
    }
    let sum = scores.iter().sum::<f32>();
    scores.into_iter().map(|score| score / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    fn tensor(values: &[[f32; 2]]) -> Tensor<Flex, 2> {
        Tensor::from_data(TensorData::new(values.concat(), [values.len(), 2]), &Default::default())
    }

    /// Two far votes of exp(0 / 0.5) = 1 each against one near one of exp(1 / 0.5) = 7.4.
    #[test]
    fn a_near_neighbour_outvotes_two_far_ones() {
        let bank = Bank::new(tensor(&[[3.0, 0.0], [0.0, 1.0], [0.0, 2.0]]), &[0, 1, 1], 2);
        assert_eq!(bank.classify(tensor(&[[5.0, 0.0], [0.0, 0.1]]), 3, TEMPERATURE), [0, 1]);
        // At a high temperature all votes are alike.
        assert_eq!(bank.classify(tensor(&[[5.0, 0.0]]), 3, 1e6), [1]);
    }

    #[test]
    fn only_the_nearest_vote() {
        let bank = Bank::new(tensor(&[[1.0, 0.0], [0.9, 0.1], [-1.0, 0.0], [-1.0, 0.1], [-1.0, 0.2]]), &[2, 2, 1, 1, 1], 3);
        assert_eq!(bank.classify(tensor(&[[1.0, 0.0]]), 2, 1e6), [2]);
        assert_eq!(bank.classify(tensor(&[[1.0, 0.0]]), 99, 1e6), [1]);
    }

    #[test]
    fn ties_go_to_the_first_entry_and_the_lower_class() {
        let bank = Bank::new(tensor(&[[1.0, 0.0]; 4]), &[3, 1, 1, 3], 4);
        assert_eq!(bank.classify(tensor(&[[1.0, 0.0]]), 1, TEMPERATURE), [3]);
        assert_eq!(bank.classify(tensor(&[[1.0, 0.0]]), 4, TEMPERATURE), [1]);
    }

    #[test]
    fn many_queries_are_answered_in_their_order() {
        let bank = Bank::new(tensor(&[[1.0, 0.0], [0.0, 1.0]]), &[0, 1], 2);
        let queries: Vec<[f32; 2]> = (0..600).map(|i| if i % 3 == 0 { [0.1, 1.0] } else { [1.0, 0.1] }).collect();
        let expected: Vec<u16> = (0..600).map(|i| u16::from(i % 3 == 0)).collect();
        assert_eq!(bank.classify(tensor(&queries), 1, TEMPERATURE), expected);
    }
}
