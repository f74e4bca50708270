//! From 8-bit images to the batches a network sees: order, crop, flip, normalisation.

use crate::data::{Images, Normalise, Split};
use crate::rng;
use crate::spec::Augment;
use burn::prelude::*;
use rand::RngExt;
use rayon::prelude::*;

/// A table from 8-bit values to normalised ones, per channel.
#[derive(Clone, Debug)]
pub struct Lookup([[f32; 256]; 3]);

impl Lookup {
    /// The table of a data set's mean and deviation.
    pub fn new(normalise: &Normalise) -> Self {
        let entry = |channel: usize, value: usize| (value as f32 / 255.0 - normalise.mean[channel]) / normalise.std[channel];
        Self(std::array::from_fn(|c| std::array::from_fn(|v| entry(c, v))))
    }

    /// Images `indices` as they are, `[indices.len(), channels, height, width]`.
    pub fn plain<B: Backend>(&self, images: &Images, indices: std::ops::Range<usize>, device: &B::Device) -> Tensor<B, 4> {
        let [channels, height, width] = images.shape;
        let (stride, plane) = (images.stride(), height * width);
        let mut values = vec![0f32; indices.len() * stride];
        values.par_chunks_exact_mut(stride).zip(indices.clone()).for_each(|(out, index)| {
            for (i, (v, &pixel)) in out.iter_mut().zip(images.get(index)).enumerate() {
                *v = self.0[i / plane][usize::from(pixel)];
            }
        });
        Tensor::from_data(TensorData::new(values, [indices.len(), channels, height, width]), device)
    }
}

/// Where one image is cropped and whether it is mirrored.
#[derive(Clone, Copy)]
struct Jitter {
    top: usize,
    left: usize,
    flip: bool,
}

/// Draws a stage's batches. Which images a step sees, and how they are cropped, follows from the seed, the stage's
/// name and the step alone, so that a run can go on from any step.
pub struct Batches<'a> {
    split: &'a Split,
    lookup: &'a Lookup,
    augment: &'a Augment,
    batch: usize,
    seed: u64,
    stage: &'static str,
    /// The epoch whose order is held.
    order: (u64, Vec<usize>),
}

impl<'a> Batches<'a> {
    /// Batches of `batch` images of `split`.
    pub fn new(split: &'a Split, lookup: &'a Lookup, augment: &'a Augment, batch: usize, seed: u64, stage: &'static str) -> Self {
        Self { split, lookup, augment, batch, seed, stage, order: (u64::MAX, Vec::new()) }
    }

    /// The batch of step `within` of `epoch`: images `[n, channels, height, width]` and labels `[n]`.
    pub fn get<B: Backend>(&mut self, epoch: u64, within: u64, device: &B::Device) -> (Tensor<B, 4>, Tensor<B, 1, Int>) {
        if self.order.0 != epoch {
            self.order = (epoch, rng::permutation(self.split.len(), rng::stream(self.seed, &format!("order {}", self.stage), epoch)));
        }
        let start = within as usize * self.batch;
        let indices = &self.order.1[start..(start + self.batch).min(self.split.len())];
        let jitter = self.jitter(epoch, within, indices.len());
        let images = &self.split.images;
        let mut values = vec![0f32; indices.len() * images.stride()];
        values.par_chunks_exact_mut(images.stride()).zip(indices.par_iter().zip(jitter)).for_each(|(out, (&index, jitter))| {
            self.crop(images.get(index), images.shape, jitter, out);
        });
        let labels: Vec<i32> = indices.iter().map(|&i| i32::from(self.split.labels[i])).collect();
        let [channels, height, width] = images.shape;
        let n = indices.len();
        let images = Tensor::from_data(TensorData::new(values, [n, channels, height, width]), device);
        (images, Tensor::from_data(TensorData::new(labels, [n]), device))
    }

    fn jitter(&self, epoch: u64, within: u64, count: usize) -> Vec<Jitter> {
        // 2^32 steps in an epoch are out of reach, so the pair has one number.
        let mut rng = rng::stream(self.seed, &format!("augment {}", self.stage), epoch << 32 | within);
        let reach = 2 * self.augment.crop_padding;
        (0..count)
            .map(|_| Jitter {
                top: rng.random_range(0..=reach),
                left: rng.random_range(0..=reach),
                flip: self.augment.flip && rng.random_range(0..2) == 1,
            })
            .collect()
    }

    /// Crop of the zero-padded 8-bit image, mirrored, normalised (the padding too: it is black, not the mean).
    fn crop(&self, planes: &[u8], [_, height, width]: [usize; 3], jitter: Jitter, out: &mut [f32]) {
        let pad = self.augment.crop_padding;
        for (channel, (plane, out)) in planes.chunks_exact(height * width).zip(out.chunks_exact_mut(height * width)).enumerate() {
            let table = &self.lookup.0[channel];
            for (y, row) in out.chunks_exact_mut(width).enumerate() {
                row.fill(table[0]);
                let Some(source) = (y + jitter.top).checked_sub(pad).filter(|&sy| sy < height) else { continue };
                let source = &plane[source * width..][..width];
                let (from, to) = (pad.saturating_sub(jitter.left), (width + pad).saturating_sub(jitter.left).min(width));
                for x in from..to {
                    row[x] = table[usize::from(source[x + jitter.left - pad])];
                }
                if jitter.flip {
                    row.reverse();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    const PLAIN: Normalise = Normalise { mean: [0.0; 3], std: [1.0; 3] };

    fn split(count: usize) -> Split {
        let pixels = (0..count * 3 * 16).map(|i| (i * 7 % 256) as u8).collect();
        Split { images: Images { shape: [3, 4, 4], pixels }, labels: (0..count as u16).collect() }
    }

    fn values(batches: &mut Batches<'_>, epoch: u64, within: u64) -> (Vec<f32>, Vec<i32>) {
        let (x, y) = batches.get::<Flex>(epoch, within, &Default::default());
        (x.into_data().to_vec().unwrap(), y.into_data().convert::<i32>().to_vec().unwrap())
    }

    #[test]
    fn an_epoch_visits_every_image_once_and_ends_with_the_rest() {
        let (split, lookup, augment) = (split(10), Lookup::new(&PLAIN), Augment { crop_padding: 0, flip: false });
        let mut batches = Batches::new(&split, &lookup, &augment, 4, 1, "attack");
        let mut seen: Vec<i32> = (0..3).flat_map(|s| values(&mut batches, 2, s).1).collect();
        assert_eq!(seen.len(), 10);
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        let (x, y) = values(&mut batches, 2, 0);
        let first: Vec<f32> = split.images.get(y[0] as usize).iter().map(|&p| f32::from(p) / 255.0).collect();
        assert_eq!(x[..48], first[..]);
    }

    #[test]
    fn a_step_is_the_same_whenever_it_is_asked_for() {
        let (split, lookup, augment) = (split(10), Lookup::new(&PLAIN), Augment { crop_padding: 2, flip: true });
        let mut one = Batches::new(&split, &lookup, &augment, 4, 1, "attack");
        let late = values(&mut one, 5, 1);
        let mut two = Batches::new(&split, &lookup, &augment, 4, 1, "attack");
        values(&mut two, 0, 0);
        assert_eq!(values(&mut two, 5, 1), late);
        let mut other = Batches::new(&split, &lookup, &augment, 4, 2, "attack");
        assert_ne!(values(&mut other, 5, 1), late);
    }

    /// Every crop is a window of the padded, perhaps mirrored image.
    #[test]
    fn crops_are_windows_of_the_padded_image() {
        let (split, lookup, augment) = (split(1), Lookup::new(&PLAIN), Augment { crop_padding: 2, flip: true });
        let mut batches = Batches::new(&split, &lookup, &augment, 1, 3, "attack");
        let padded = |y: i64, x: i64| {
            if (0..4).contains(&y) && (0..4).contains(&x) { f32::from(split.images.get(0)[(y * 4 + x) as usize]) / 255.0 } else { 0.0 }
        };
        let mut kinds = std::collections::BTreeSet::new();
        for epoch in 0..200 {
            let plane = &values(&mut batches, epoch, 0).0[..16];
            let matches = (0..50).find(|k| {
                let (top, left, flip) = (k / 10 - 2, k / 2 % 5 - 2, k % 2 == 1);
                (0..16).all(|i| plane[i as usize] == padded(i / 4 + top, if flip { 3 - i % 4 + left } else { i % 4 + left }))
            });
            kinds.insert(matches.expect("no window fits"));
        }
        assert!(kinds.len() > 30, "only {} of 50 windows were drawn", kinds.len());
    }
}
