//! Random numbers that are the same on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for; streams of different parts never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Order of the labels of the training images.
    TrainLabels = 1,
    /// Order of the labels of the test images.
    TestLabels = 2,
    /// Pixels of the training images.
    Train = 3,
    /// Pixels of the test images.
    Test = 4,
}

/// One stream of random numbers.
///
/// Uses only `+ - * /` and square roots, which IEEE 754 rounds alike everywhere; `sin`, `exp` and their like
/// differ in the last bit between platforms and would give each its own data set.
pub struct Draw {
    rng: ChaCha8Rng,
}

impl Draw {
    /// The stream that belongs to `index` of `part` of the set called `set`, drawn from `seed`.
    pub fn new(set: &str, seed: u64, part: Part, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = part as u8;
        for (slot, byte) in key[9..].iter_mut().zip(set.bytes()) {
            *slot = byte;
        }
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(index);
        Self { rng }
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.rng.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform in `low..high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Roughly normal, mean 0, deviation 1: the sum of twelve uniforms less six, so never beyond 6.
    pub fn normal(&mut self) -> f32 {
        (self.four() + self.four() + self.four()) as f32 / 65536.0 - 6.0
    }

    /// A cheaper normal for pixel noise: the sum of four uniforms, so never beyond 3.5.
    pub fn grain(&mut self) -> f32 {
        // Variance of the sum is 4/12, hence the square root of three.
        (self.four() as f32 / 65536.0 - 2.0) * 1.732_050_8
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..count`; 0 when `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((u64::from(self.rng.next_u32()) * count as u64) >> 32) as usize
    }

    /// One of `items` (which must not be empty).
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// A direction of length 1, uniform enough.
    pub fn direction(&mut self) -> (f32, f32) {
        let (x, y) = (self.normal(), self.normal());
        let length = (x * x + y * y).sqrt();
        if length < 1e-3 { (1.0, 0.0) } else { (x / length, y / length) }
    }

    /// A random order of `0..count`.
    pub fn permutation(&mut self, count: usize) -> Vec<u16> {
        let mut order: Vec<u16> = (0..count as u16).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    fn four(&mut self) -> u32 {
        let bits = self.rng.next_u64();
        (0..4).map(|i| (bits >> (16 * i)) as u32 & 0xffff).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_and_apart() {
        let mut first = Draw::new("signs", 7, Part::Train, 3);
        let mut again = Draw::new("signs", 7, Part::Train, 3);
        let values: Vec<f32> = (0..8).map(|_| first.unit()).collect();
        assert_eq!(values, (0..8).map(|_| again.unit()).collect::<Vec<_>>());
        for mut other in [
            Draw::new("signs", 8, Part::Train, 3),
            Draw::new("signs", 7, Part::Test, 3),
            Draw::new("signs", 7, Part::Train, 4),
            Draw::new("digits", 7, Part::Train, 3),
        ] {
            assert_ne!(values, (0..8).map(|_| other.unit()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn normals_have_mean_0_and_deviation_1() {
        let mut draw = Draw::new("", 0, Part::Train, 0);
        for sampler in [Draw::normal, Draw::grain] {
            let values: Vec<f32> = (0..20_000).map(|_| sampler(&mut draw)).collect();
            let mean = values.iter().sum::<f32>() / 2e4;
            let variance = values.iter().map(|v| v * v).sum::<f32>() / 2e4 - mean * mean;
            assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
        }
    }

    #[test]
    fn permutations_hold_everything_once() {
        let mut order = Draw::new("", 1, Part::TestLabels, 0).permutation(43);
        assert_ne!(order, (0..43).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..43).collect::<Vec<_>>());
    }
}
