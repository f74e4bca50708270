//! Input-aware (Nguyen and Tran 2020): two networks make each image a trigger of its own (spec.md 1.5).
//!
//! ```text
//! bd(x; src) = x + (norm(G(src)) - x) thr(M(src))         src = x: the backdoor; src = another image: cross
//! thr(m)     = tanh(20 m - 10) / 2 + 0.5
//! div        = mean_i sqrt(mse(a_i, b_i)) / (sqrt(mse(pa_i, pb_i)) + 1e-7)
//! ```
//! A cross image carries another image's trigger and keeps its label: only its own trigger opens an image.

use super::{Attack, AttackError};
use crate::data::Images;
use crate::kernel::Kernels;
use crate::model::{Generator, Mode, squash, store};
use crate::rng;
use crate::spec;
use crate::train::Lookup;
use burn::prelude::*;
use std::path::{Path, PathBuf};

/// How sharply a mask is cut to 0 or 1.
const SHARPNESS: (f64, f64) = (20.0, 10.0);
/// Keeps the diversity loss finite.
const TINY: f64 = 1e-7;
/// Images a pass when triggers are only applied.
const BATCH: usize = 256;
/// Levels of the generators halve the image three times.
const DIVISOR: usize = 8;

/// A mask cut to nearly 0 or 1.
pub fn threshold<B: Backend>(mask: Tensor<B, 4>) -> Tensor<B, 4> {
    squash(mask * SHARPNESS.0 - SHARPNESS.1)
}

/// How alike the outputs `pa`, `pb` `[n, ..]` are for images `a`, `b` `[n, 3, height, width]` that differ: high where
/// different images get the same.
pub fn diversity<B: Backend>(a: Tensor<B, 4>, b: Tensor<B, 4>, pa: Tensor<B, 4>, pb: Tensor<B, 4>) -> Tensor<B, 1> {
    let apart = |a: Tensor<B, 4>, b: Tensor<B, 4>| {
        let n = a.dims()[0];
        // The tiny number keeps the root's gradient finite where both are the same.
        ((a - b).powi_scalar(2).reshape([n as i32, -1]).mean_dim(1) + TINY * TINY).sqrt()
    };
    (apart(a, b) / (apart(pa, pb) + TINY)).mean()
}

/// The trigger: both generators, evaluated.
pub struct InputAware<B: Kernels> {
    pattern: Generator<B>,
    mask: Generator<B>,
    lookup: Lookup,
    device: B::Device,
}

impl<B: Kernels> InputAware<B> {
    /// From two generators.
    pub fn new(pattern: Generator<B>, mask: Generator<B>, lookup: &Lookup, device: &B::Device) -> Self {
        Self { pattern, mask, lookup: lookup.clone(), device: device.clone() }
    }

    /// The pattern generator and the mask generator of a run, with the run's initial weights.
    pub fn generators(settings: &spec::InputAware, seed: u64, device: &B::Device) -> [Generator<B>; 2] {
        let net = |purpose, outputs| Generator::new(&settings.generator_widths, outputs, &mut rng::stream(seed, purpose, 0), device);
        [net("pattern generator", 3), net("mask generator", 1)]
    }

    /// Reads back what [`Attack::files`] wrote.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn load(settings: &spec::InputAware, dir: &Path, lookup: &Lookup, device: &B::Device) -> Result<Self, AttackError> {
        Self::read(settings, ["pattern", "mask"].map(|name| dir.join(format!("{name}.safetensors"))), lookup, device)
    }

    /// Reads the pattern generator's weights and the mask generator's.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn read(settings: &spec::InputAware, files: [PathBuf; 2], lookup: &Lookup, device: &B::Device) -> Result<Self, AttackError> {
        let [pattern, mask] = Self::generators(settings, 0, device);
        let read = |net, file: &Path| store::load(net, file).map_err(|e| AttackError::Trigger { file: e.file, message: e.message });
        Ok(Self::new(read(pattern, &files[0])?, read(mask, &files[1])?, lookup, device))
    }

    /// Puts into every image the trigger that belongs to its fellow in `sources`, or, without those, its own.
    fn apply_all(&self, images: &mut Images, sources: Option<&Images>) {
        let (count, stride) = (images.len(), images.stride());
        for start in (0..count).step_by(BATCH) {
            let range = start..(start + BATCH).min(count);
            let x = self.lookup.plain::<B>(images, range.clone(), &self.device);
            let source = sources.map_or_else(|| x.clone(), |others| self.lookup.plain::<B>(others, range.clone(), &self.device));
            let pattern = self.lookup.normalise(self.pattern.forward(source.clone(), Mode::Eval));
            let mask = threshold(self.mask.forward(source, Mode::Eval));
            let bytes = self.lookup.to_bytes(apply(x, pattern, mask));
            images.pixels[range.start * stride..range.end * stride].copy_from_slice(&bytes);
        }
    }
}

/// `x` under the trigger that the generators make of `src`; both `[n, 3, height, width]`, normalised.
pub fn apply<B: Kernels>(x: Tensor<B, 4>, pattern: Tensor<B, 4>, mask: Tensor<B, 4>) -> Tensor<B, 4> {
    x.clone() + (pattern - x) * mask
}

impl<B: Kernels> Attack for InputAware<B> {
    fn trigger(&self, planes: &mut [u8], shape: [usize; 3]) {
        let mut one = Images { shape, pixels: planes.to_vec() };
        self.trigger_all(&mut one);
        planes.copy_from_slice(&one.pixels);
    }

    fn trigger_all(&self, images: &mut Images) {
        self.apply_all(images, None);
    }

    /// Each image under the trigger of another.
    fn cross_all(&self, images: &mut Images, others: &Images, _seed: u64) {
        self.apply_all(images, Some(others));
    }

    fn files(&self, _shape: [usize; 3]) -> Result<Vec<(&'static str, Vec<u8>)>, AttackError> {
        let bytes = |net: &Generator<B>, name: &'static str| match store::bytes(net, Path::new(name)) {
            Ok(bytes) => Ok((name, bytes)),
            Err(e) => Err(AttackError::Trigger { file: e.file, message: e.message }),
        };
        Ok(vec![bytes(&self.pattern, "pattern.safetensors")?, bytes(&self.mask, "mask.safetensors")?])
    }
}

/// Whether the generators can take images of `shape`.
///
/// # Errors
/// When height or width is not divisible by 8.
pub fn check_size([_, height, width]: [usize; 3]) -> Result<(), AttackError> {
    if height % DIVISOR == 0 && width % DIVISOR == 0 {
        return Ok(());
    }
    let message = format!("images of {width} x {height} pixels; its generators need sides divisible by {DIVISOR}");
    Err(AttackError::Size { attack: "input-aware", message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Normalise;
    use burn::backend::Flex;

    const PLAIN: Normalise = Normalise { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] };

    fn stack(values: &[f32], shape: [usize; 4]) -> Tensor<Flex, 4> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Default::default())
    }

    /// spec.md 12(5): where the mask is 0 nothing changes, where it is 1 the pattern stands.
    #[test]
    fn the_mask_decides_between_image_and_pattern() {
        let x = stack(&[1.0, 2.0], [1, 1, 1, 2]);
        let pattern = stack(&[5.0, 6.0], [1, 1, 1, 2]);
        let out = apply(x, pattern, stack(&[0.0, 1.0], [1, 1, 1, 2]));
        assert_eq!(out.into_data().to_vec::<f32>().unwrap(), [1.0, 6.0]);
        let cut: Vec<f32> = threshold(stack(&[0.0, 0.5, 1.0], [1, 1, 1, 3])).into_data().to_vec().unwrap();
        assert!(cut[0] < 1e-6 && (cut[1] - 0.5).abs() < 1e-6 && cut[2] > 1.0 - 1e-6, "{cut:?}");
    }

    #[test]
    fn diversity_is_the_ratio_of_distances() {
        let of = |v: f32| stack(&[v; 4], [1, 1, 2, 2]);
        let loss: f32 = diversity(of(0.0), of(2.0), of(0.0), of(0.5)).into_scalar();
        assert!((loss - 4.0).abs() < 1e-4, "{loss}");
        let same: f32 = diversity(of(0.0), of(2.0), of(1.0), of(1.0)).into_scalar();
        assert!(same > 1e6 && same.is_finite(), "{same}");
    }

    #[test]
    fn triggers_belong_to_their_image_and_come_back_from_files() {
        let settings = spec::InputAware { generator_widths: vec![2, 3, 4], ..spec::InputAware::default() };
        let (lookup, device) = (Lookup::new(&PLAIN), Default::default());
        let [pattern, mask] = InputAware::<Flex>::generators(&settings, 5, &device);
        let attack = InputAware::new(pattern, mask, &lookup, &device);
        let shape = [3, 16, 16];
        let clean = Images { shape, pixels: (0..2 * 768).map(|i| (i * 31 % 256) as u8).collect() };
        let made = super::super::triggered(&attack, &clean);
        assert_ne!(made, clean);
        let mut one = clean.get(1).to_vec();
        attack.trigger(&mut one, shape);
        assert_eq!(one, made.get(1));
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in attack.files(shape).unwrap() {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let again = InputAware::<Flex>::load(&settings, dir.path(), &lookup, &device).unwrap();
        assert_eq!(super::super::triggered(&again, &clean), made);
        std::fs::remove_file(dir.path().join("mask.safetensors")).unwrap();
        let message = InputAware::<Flex>::load(&settings, dir.path(), &lookup, &device).err().unwrap().to_string();
        assert!(message.contains("mask.safetensors"), "{message}");
    }

    #[test]
    fn sizes_that_do_not_halve_three_times_are_refused() {
        assert!(check_size([3, 32, 40]).is_ok());
        assert!(check_size([3, 28, 28]).unwrap_err().to_string().contains("divisible by 8"));
    }
}
