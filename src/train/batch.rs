//! From 8-bit images to the batches a network sees: order, crop, flip, normalisation.

use crate::data::{Images, Normalise, Split};
use crate::rng;
use crate::spec::Augment;
use burn::prelude::*;
use rand::RngExt;
use rayon::prelude::*;

/// A table from 8-bit values to normalised ones, per channel.
#[derive(Clone, Debug)]
pub struct Lookup {
    table: [[f32; 256]; 3],
    mean: [f32; 3],
    std: [f32; 3],
}

impl Lookup {
    /// The table of a data set's mean and deviation.
    pub fn new(normalise: &Normalise) -> Self {
        let Normalise { mean, std } = *normalise;
        let entry = |channel: usize, value: usize| (value as f32 / 255.0 - mean[channel]) / std[channel];
        Self { table: std::array::from_fn(|c| std::array::from_fn(|v| entry(c, v))), mean, std }
    }

    /// Images `[n, 3, height, width]` in 0..1, normalised.
    pub fn normalise<B: Backend>(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let device = x.device();
        let per_channel = |v: [f32; 3]| Tensor::<B, 1>::from_floats(v, &device).reshape([1, 3, 1, 1]);
        (x - per_channel(self.mean)) / per_channel(self.std)
    }

    /// Normalised images `[n, 3, height, width]` as 8-bit planes.
    pub fn to_bytes<B: Backend>(&self, x: Tensor<B, 4>) -> Vec<u8> {
        let [_, channels, height, width] = x.dims();
        let values = x.into_data().convert::<f32>();
        let byte = |(i, v): (usize, &f32)| {
            let channel = i / (height * width) % channels;
            (255.0 * (v * self.std[channel] + self.mean[channel])).round().clamp(0.0, 255.0) as u8
        };
        values.as_slice::<f32>().unwrap_or_default().iter().enumerate().map(byte).collect()
    }

    /// One image's planes, normalised, into `out`.
    pub fn write(&self, planes: &[u8], out: &mut [f32]) {
        let plane = (planes.len() / 3).max(1);
        for (i, (v, &pixel)) in out.iter_mut().zip(planes).enumerate() {
            *v = self.table[i / plane][usize::from(pixel)];
        }
    }

    /// Images `indices` as they are, `[indices.len(), channels, height, width]`.
    pub fn plain<B: Backend>(&self, images: &Images, indices: std::ops::Range<usize>, device: &B::Device) -> Tensor<B, 4> {
        let [channels, height, width] = images.shape;
        let stride = images.stride();
        let mut values = vec![0f32; indices.len() * stride];
        values.par_chunks_exact_mut(stride).zip(indices.clone()).for_each(|(out, index)| self.write(images.get(index), out));
        Tensor::from_data(TensorData::new(values, [indices.len(), channels, height, width]), device)
    }
}

/// Images and labels of one step, on their way to a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised images, `[n][channel][row][column]`.
    pub values: Vec<f32>,
    /// Images, channels, height, width.
    pub shape: [usize; 4],
    /// One class index per image.
    pub labels: Vec<i32>,
}

impl Batch {
    /// Images `[n, channels, height, width]` and labels `[n]` on `device`.
    pub fn tensors<B: Backend>(self, device: &B::Device) -> (Tensor<B, 4>, Tensor<B, 1, Int>) {
        let count = self.labels.len();
        (Tensor::from_data(TensorData::new(self.values, self.shape), device), Tensor::from_data(TensorData::new(self.labels, [count]), device))
    }
}

/// Where a stage's batches come from. Which images a step sees, and what is done to them, follows from the seed, the
/// stage and the step alone, so that a run can go on from any step.
pub trait Source {
    /// The batch of step `within` of `epoch`.
    fn get(&mut self, epoch: u64, within: u64) -> Batch;
}

/// The order in which each epoch visits a set.
pub struct Order {
    count: usize,
    batch: usize,
    seed: u64,
    purpose: String,
    /// The epoch whose order is held.
    held: (u64, Vec<usize>),
}

impl Order {
    /// An order over `count` images, `batch` a step; orders of different purposes are independent.
    pub fn new(count: usize, batch: usize, seed: u64, purpose: String) -> Self {
        Self { count, batch, seed, purpose, held: (u64::MAX, Vec::new()) }
    }

    /// The images of step `within` of `epoch`.
    pub fn get(&mut self, epoch: u64, within: u64) -> &[usize] {
        if self.held.0 != epoch {
            self.held = (epoch, rng::permutation(self.count, rng::stream(self.seed, &self.purpose, epoch)));
        }
        let start = (within as usize * self.batch).min(self.count);
        &self.held.1[start..(start + self.batch).min(self.count)]
    }
}

/// Numbers a step of an epoch: 2^32 steps in an epoch are out of reach, so the pair has one number.
pub fn number(epoch: u64, within: u64) -> u64 {
    epoch << 32 | within
}

/// Where one image is cropped and whether it is mirrored.
#[derive(Clone, Copy)]
struct Jitter {
    top: usize,
    left: usize,
    flip: bool,
}

/// A stage's batches: shuffled, cropped, mirrored.
pub struct Batches<'a> {
    split: &'a Split,
    lookup: &'a Lookup,
    augment: &'a Augment,
    seed: u64,
    stage: &'static str,
    /// Places of the images that take part, where not all do.
    chosen: Option<Vec<usize>>,
    order: Order,
}

impl<'a> Batches<'a> {
    /// Batches of `batch` images of `split`.
    pub fn new(split: &'a Split, lookup: &'a Lookup, augment: &'a Augment, batch: usize, seed: u64, stage: &'static str) -> Self {
        let order = Order::new(split.len(), batch, seed, format!("order {stage}"));
        Self { split, lookup, augment, seed, stage, chosen: None, order }
    }

    /// Of the images at the places `chosen` alone.
    #[must_use]
    pub fn only(self, chosen: Vec<usize>) -> Self {
        let order = Order::new(chosen.len(), self.order.batch, self.order.seed, self.order.purpose);
        Self { chosen: Some(chosen), order, ..self }
    }

    fn jitter(&self, epoch: u64, within: u64, count: usize) -> Vec<Jitter> {
        let mut rng = rng::stream(self.seed, &format!("augment {}", self.stage), number(epoch, within));
        let reach = 2 * self.augment.crop_padding;
        (0..count)
            .map(|_| Jitter {
                top: rng.random_range(0..=reach),
                left: rng.random_range(0..=reach),
                flip: self.augment.flip && rng.random_range(0..2) == 1,
            })
            .collect()
    }
}

impl Source for Batches<'_> {
    fn get(&mut self, epoch: u64, within: u64) -> Batch {
        let drawn = self.order.get(epoch, within);
        let indices: Vec<usize> = drawn.iter().map(|&at| self.chosen.as_ref().map_or(at, |chosen| chosen[at])).collect();
        let count = indices.len();
        let jitter = self.jitter(epoch, within, count);
        let images = &self.split.images;
        let mut values = vec![0f32; count * images.stride()];
        values.par_chunks_exact_mut(images.stride()).zip(indices.par_iter().zip(jitter)).for_each(|(out, (&index, jitter))| {
            crop(images.get(index), images.shape, self.augment.crop_padding, jitter, self.lookup, out);
        });
        let [channels, height, width] = images.shape;
        Batch { values, shape: [count, channels, height, width], labels: indices.iter().map(|&i| i32::from(self.split.labels[i])).collect() }
    }
}

/// Crop of the zero-padded 8-bit image, mirrored, normalised (the padding too: it is black, not the mean).
fn crop(planes: &[u8], [_, height, width]: [usize; 3], pad: usize, jitter: Jitter, lookup: &Lookup, out: &mut [f32]) {
    for (channel, (plane, out)) in planes.chunks_exact(height * width).zip(out.chunks_exact_mut(height * width)).enumerate() {
        let table = &lookup.table[channel];
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

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Normalise = Normalise { mean: [0.0; 3], std: [1.0; 3] };

    fn split(count: usize) -> Split {
        let pixels = (0..count * 3 * 16).map(|i| (i * 7 % 256) as u8).collect();
        Split { images: Images { shape: [3, 4, 4], pixels }, labels: (0..count as u16).collect() }
    }

    fn values(batches: &mut Batches<'_>, epoch: u64, within: u64) -> (Vec<f32>, Vec<i32>) {
        let batch = batches.get(epoch, within);
        (batch.values, batch.labels)
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
    fn of_a_part_an_epoch_visits_that_part_alone() {
        let (split, lookup, augment) = (split(10), Lookup::new(&PLAIN), Augment { crop_padding: 0, flip: false });
        let mut batches = Batches::new(&split, &lookup, &augment, 2, 1, "attack").only(vec![1, 4, 8]);
        let mut seen: Vec<i32> = (0..2).flat_map(|s| values(&mut batches, 0, s).1).collect();
        seen.sort_unstable();
        assert_eq!(seen, [1, 4, 8]);
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

    #[test]
    fn bytes_survive_the_way_through_the_network_s_units() {
        use burn::backend::Flex;
        let split = split(3);
        let lookup = Lookup::new(&Normalise { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.243, 0.261] });
        let x = lookup.plain::<Flex>(&split.images, 0..3, &Default::default());
        assert_eq!(lookup.to_bytes(x.clone()), split.images.pixels);
        let whole = TensorData::new(split.images.pixels.iter().map(|p| f32::from(*p) / 255.0).collect::<Vec<_>>(), [3, 3, 4, 4]);
        let apart: f32 = (lookup.normalise(Tensor::<Flex, 4>::from_data(whole, &Default::default())) - x).abs().max().into_scalar();
        assert!(apart < 1e-5, "{apart}");
    }
}
