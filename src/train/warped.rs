//! WaNet's batches: some images warped and relabelled, some warped with noise, then augmented (spec.md 1.6).
//!
//! The poisoned images are drawn anew in every epoch. BackdoorBench augments a whole batch alike; here, as in the
//! authors' code, each image has its own crop, rotation and flip.

use super::batch::{Batch, Lookup, Order, Source, number};
use crate::attack::{Role, Wanet, cross_count};
use crate::data::Split;
use crate::rng;
use crate::spec::{self, RunSpec};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// The roles of a batch of `size` images: the poisoned ones first, then the cross ones.
pub fn roles(attack: &spec::Attack, cross_ratio: f64, size: usize, rng: &mut ChaCha8Rng) -> Vec<Role> {
    let poisoned = attack.poisoned_of_batch(size, rng.random_range(0.0..1.0));
    let cross = cross_count(poisoned, cross_ratio, size);
    (0..size)
        .map(|i| {
            if i < poisoned {
                Role::Poisoned
            } else if i < poisoned + cross {
                Role::Cross
            } else {
                Role::Clean
            }
        })
        .collect()
}

/// WaNet's batches.
pub struct Warped<'a> {
    split: &'a Split,
    lookup: &'a Lookup,
    spec: &'a RunSpec,
    settings: &'a spec::Wanet,
    warp: Wanet,
    order: Order,
}

impl<'a> Warped<'a> {
    /// Batches of the clean training set `split`, warped by `warp`.
    pub fn new(split: &'a Split, lookup: &'a Lookup, spec: &'a RunSpec, settings: &'a spec::Wanet, warp: Wanet) -> Self {
        let order = Order::new(split.len(), spec.attack.batch, spec.seed, "order attack".to_owned());
        Self { split, lookup, spec, settings, warp, order }
    }
}

impl Source for Warped<'_> {
    fn get(&mut self, epoch: u64, within: u64) -> Batch {
        let (seed, at) = (self.spec.seed, number(epoch, within));
        let indices = self.order.get(epoch, within);
        let roles = roles(&self.spec.attack, self.settings.cross_ratio, indices.len(), &mut rng::stream(seed, "wanet poison", at));
        let mut chance = rng::stream(seed, "wanet images", at);
        let seeds: Vec<u64> = indices.iter().map(|_| chance.random()).collect();
        let images = &self.split.images;
        let mut values = vec![0f32; indices.len() * images.stride()];
        let work = values.par_chunks_exact_mut(images.stride()).zip(indices.par_iter().zip(&roles).zip(seeds));
        work.for_each(|(out, ((&index, role), seed))| {
            let mut rng = rng::stream(seed, "wanet image", 0);
            let planes = images.get(index);
            let planes = match role {
                Role::Clean => planes.to_vec(),
                Role::Cross => self.warp.noisy(planes, &mut rng),
                Role::Poisoned => {
                    let mut planes = planes.to_vec();
                    crate::attack::Attack::trigger(&self.warp, &mut planes, images.shape);
                    planes
                }
            };
            self.lookup.write(&planes, out);
            augment(out, images.shape, self.settings, &self.spec.augment, &mut rng);
        });
        let label = |(&index, role): (&usize, &Role)| if *role == Role::Poisoned { self.spec.attack.target } else { self.split.labels[index] };
        let labels = indices.iter().zip(&roles).map(label).map(i32::from).collect();
        let [channels, height, width] = images.shape;
        Batch { values, shape: [indices.len(), channels, height, width], labels }
    }
}

/// Crop, rotation and flip of one normalised image, each by its own chance; what comes in from outside is the mean.
fn augment(planes: &mut [f32], [_, height, width]: [usize; 3], settings: &spec::Wanet, augment: &spec::Augment, rng: &mut ChaCha8Rng) {
    let pad = augment.crop_padding as i64;
    let crop = rng.random_range(0.0..1.0) < settings.crop_share;
    let (down, right) = if crop { (rng.random_range(-pad..=pad), rng.random_range(-pad..=pad)) } else { (0, 0) };
    let turn = rng.random_range(0.0..1.0) < settings.rotation_share;
    let angle = if turn { rng.random_range(-1.0..=1.0) * settings.rotation } else { 0.0f64 };
    let flip = augment.flip && rng.random_range(0..2) == 1;
    for plane in planes.chunks_exact_mut(height * width) {
        if (down, right) != (0, 0) {
            shift(plane, width, down, right);
        }
        if angle != 0.0 {
            rotate(plane, width, angle.to_radians());
        }
        if flip {
            plane.chunks_exact_mut(width).for_each(<[f32]>::reverse);
        }
    }
}

/// The plane seen through a window that is moved down and right.
fn shift(plane: &mut [f32], width: usize, down: i64, right: i64) {
    let (source, height) = (plane.to_vec(), plane.len() / width);
    let inside = |v: i64, length: usize| usize::try_from(v).ok().filter(|v| *v < length);
    for (i, out) in plane.iter_mut().enumerate() {
        let (y, x) = ((i / width) as i64 + down, (i % width) as i64 + right);
        *out = inside(y, height).zip(inside(x, width)).map_or(0.0, |(y, x)| source[y * width + x]);
    }
}

/// The plane turned about its centre, bilinear.
fn rotate(plane: &mut [f32], width: usize, angle: f64) {
    let (source, height) = (plane.to_vec(), plane.len() / width);
    let (sin, cos) = angle.sin_cos();
    let (cy, cx) = ((height - 1) as f64 / 2.0, (width - 1) as f64 / 2.0);
    let at = |y: i64, x: i64| {
        let inside = (0..height as i64).contains(&y) && (0..width as i64).contains(&x);
        if inside { f64::from(source[y as usize * width + x as usize]) } else { 0.0 }
    };
    for (i, out) in plane.iter_mut().enumerate() {
        let (dy, dx) = ((i / width) as f64 - cy, (i % width) as f64 - cx);
        let (y, x) = (cy + cos * dy + sin * dx, cx + cos * dx - sin * dy);
        let (top, left) = (y.floor(), x.floor());
        let (fy, fx) = (y - top, x - left);
        let (top, left) = (top as i64, left as i64);
        let upper = at(top, left) * (1.0 - fx) + at(top, left + 1) * fx;
        let lower = at(top + 1, left) * (1.0 - fx) + at(top + 1, left + 1) * fx;
        *out = (upper * (1.0 - fy) + lower * fy) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, Normalise};

    const PLAIN: Normalise = Normalise { mean: [0.0; 3], std: [1.0; 3] };

    fn split(count: usize) -> Split {
        let pixels = (0..count * 3072).map(|i| (i * 7 % 256) as u8).collect();
        Split { images: Images { shape: [3, 32, 32], pixels }, labels: (0..count).map(|i| (1 + i % 9) as u16).collect() }
    }

    /// spec.md 12(4): 12 poisoned, 24 cross and 92 clean of 128; cross images keep their label.
    #[test]
    fn a_batch_has_its_parts() {
        let attack = spec::Attack::default();
        let roles = roles(&attack, 2.0, 128, &mut rng::stream(0, "test", 0));
        let count = |role| roles.iter().filter(|r| **r == role).count();
        assert_eq!([count(Role::Poisoned), count(Role::Cross), count(Role::Clean)], [12, 24, 92]);
        let (split, lookup, settings) = (split(128), Lookup::new(&PLAIN), spec::Wanet::default());
        let spec = RunSpec { attack: spec::Attack { batch: 128, ..attack }, ..RunSpec::default() };
        let warp = Wanet::new(&settings, [3, 32, 32], 0);
        let mut source = Warped::new(&split, &lookup, &spec, &settings, warp.clone());
        let batch = source.get(0, 0);
        assert_eq!(batch.labels.iter().filter(|l| **l == 0).count(), 12);
        assert_eq!(batch, Warped::new(&split, &lookup, &spec, &settings, warp).get(0, 0));
    }

    #[test]
    fn a_small_ratio_poisons_now_and_then() {
        let attack = spec::Attack { poison_ratio: 0.001, ..spec::Attack::default() };
        let poisoned: usize =
            (0..2000).map(|i| roles(&attack, 2.0, 100, &mut rng::stream(0, "test", i)).iter().filter(|r| **r == Role::Poisoned).count()).sum();
        assert!((140..260).contains(&poisoned), "{poisoned} of about 200");
    }

    #[test]
    fn a_quarter_turn_moves_columns_to_rows() {
        let mut plane: Vec<f32> = (0..16).map(|i| i as f32).collect();
        rotate(&mut plane, 4, std::f64::consts::FRAC_PI_2);
        let expected = [12.0, 8.0, 4.0, 0.0, 13.0, 9.0, 5.0, 1.0, 14.0, 10.0, 6.0, 2.0, 15.0, 11.0, 7.0, 3.0];
        let other: Vec<f32> = expected.iter().rev().copied().collect();
        let close = |to: &[f32]| plane.iter().zip(to).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(close(&expected) || close(&other), "{plane:?}");
    }

    #[test]
    fn a_shift_brings_zeros_in() {
        let mut plane = vec![1.0, 2.0, 3.0, 4.0];
        shift(&mut plane, 2, 1, 0);
        assert_eq!(plane, [3.0, 4.0, 0.0, 0.0]);
    }
}
