//! WaNet (Nguyen and Tran 2021): the trigger is a smooth warp of the whole image (spec.md 1.6).
//!
//! ```text
//! z = U(-1, 1)[k, k, 2] / mean|z|            control points
//! flow = bicubic(z -> height x width)        a = -0.75, corners aligned
//! grid = clamp(identity + s flow / height, -1, 1)
//! warp(x)  = x sampled at grid               bilinear, corners aligned
//! noise(x) = x sampled at clamp(grid + U(-1, 1) / height, -1, 1), drawn anew for each image and pixel
//! ```

use super::{Attack, AttackError};
use crate::{rng, spec};
use rand::{Rng, RngExt};
use rayon::prelude::*;
use std::path::Path;

/// PyTorch's coefficient of bicubic interpolation.
const BICUBIC: f64 = -0.75;
/// First bytes of `grid.bin`: a name and a version.
const MAGIC: &[u8; 8] = b"wanet\0v1";

/// The warp, ready for one image size.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanet {
    height: usize,
    width: usize,
    /// Where each pixel is taken from, (column, row) in -1..1, row by row.
    grid: Vec<[f32; 2]>,
}

impl Wanet {
    /// For images of `shape`; the control points follow from `seed`.
    pub fn new(settings: &spec::Wanet, [_, height, width]: [usize; 3], seed: u64) -> Self {
        Self::of(&control_points(settings.grid, seed), settings.grid, settings.strength, [height, width])
    }

    /// By `k * k` control points.
    fn of(points: &[[f64; 2]], k: usize, strength: f64, [height, width]: [usize; 2]) -> Self {
        let flow = flow(points, k, height, width);
        let step = strength / height as f64;
        let place = |i: usize, length: usize| if length > 1 { 2.0 * i as f64 / (length - 1) as f64 - 1.0 } else { 0.0 };
        let grid = flow.iter().enumerate().map(|(i, [dx, dy])| {
            let at = [place(i % width, width) + step * dx, place(i / width, height) + step * dy];
            at.map(|v| v.clamp(-1.0, 1.0) as f32)
        });
        Self { height, width, grid: grid.collect() }
    }

    /// The image warped by `grid`; values stay between those of the pixels around.
    fn sample(&self, planes: &[u8], grid: impl Fn(usize) -> [f32; 2]) -> Vec<u8> {
        let (height, width) = (self.height, self.width);
        let mut out = vec![0; planes.len()];
        for i in 0..height * width {
            let [x, y] = grid(i);
            let (x, y) = ((x + 1.0) / 2.0 * (width - 1) as f32, (y + 1.0) / 2.0 * (height - 1) as f32);
            let (left, top) = ((x.floor() as usize).min(width - 1), (y.floor() as usize).min(height - 1));
            let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
            let (dx, dy) = (x - left as f32, y - top as f32);
            for (plane, out) in planes.chunks_exact(height * width).zip(out.chunks_exact_mut(height * width)) {
                let at = |row: usize, column: usize| f32::from(plane[row * width + column]);
                let upper = at(top, left) * (1.0 - dx) + at(top, right) * dx;
                let lower = at(bottom, left) * (1.0 - dx) + at(bottom, right) * dx;
                out[i] = (upper * (1.0 - dy) + lower * dy).round() as u8;
            }
        }
        out
    }

    /// The image under a warp that is shaken anew at every pixel: images that carry it keep their label, so that only
    /// the exact warp is the trigger.
    pub fn noisy(&self, planes: &[u8], rng: &mut impl Rng) -> Vec<u8> {
        let step = 1.0 / self.height as f32;
        let shaken: Vec<[f32; 2]> = self.grid.iter().map(|at| at.map(|v| (v + rng.random_range(-1.0f32..1.0) * step).clamp(-1.0, 1.0))).collect();
        self.sample(planes, |i| shaken[i])
    }

    /// Reads back what [`Attack::files`] wrote.
    ///
    /// # Errors
    /// When the file is missing, damaged, or for another image size.
    pub fn load(dir: &Path, [_, height, width]: [usize; 3]) -> Result<Self, AttackError> {
        let file = dir.join("grid.bin");
        let failed = |message: String| AttackError::Trigger { file: file.display().to_string(), message };
        let bytes = std::fs::read(&file).map_err(|e| failed(e.to_string()))?;
        let body = bytes.strip_prefix(MAGIC).ok_or_else(|| failed("at byte 0: no WaNet grid".to_owned()))?;
        let words: Vec<[u8; 4]> = body.as_chunks::<4>().0.to_vec();
        let expected = 2 + 2 * height * width;
        let sizes = words.first().zip(words.get(1)).map(|(h, w)| (u32::from_le_bytes(*h) as usize, u32::from_le_bytes(*w) as usize));
        if body.len() != 4 * expected || sizes != Some((height, width)) {
            return Err(failed(format!("{} bytes; expected {} for {width} x {height} pixels", bytes.len(), 8 + 4 * expected)));
        }
        let grid = words[2..].chunks_exact(2).map(|pair| [f32::from_le_bytes(pair[0]), f32::from_le_bytes(pair[1])]).collect();
        Ok(Self { height, width, grid })
    }
}

impl Attack for Wanet {
    fn trigger(&self, planes: &mut [u8], _shape: [usize; 3]) {
        let warped = self.sample(planes, |i| self.grid[i]);
        planes.copy_from_slice(&warped);
    }

    fn trigger_all(&self, images: &mut crate::data::Images) {
        let (stride, shape) = (images.stride(), images.shape);
        images.pixels.par_chunks_exact_mut(stride.max(1)).for_each(|planes| self.trigger(planes, shape));
    }

    /// Each image under its own noisy warp.
    fn cross_all(&self, images: &mut crate::data::Images, _others: &crate::data::Images, seed: u64) {
        let stride = images.stride();
        images.pixels.par_chunks_exact_mut(stride.max(1)).enumerate().for_each(|(at, planes)| {
            let noisy = self.noisy(planes, &mut rng::stream(seed, "wanet cross image", at as u64));
            planes.copy_from_slice(&noisy);
        });
    }

    /// Eight bytes of name, height and width, then (column, row) of each pixel in -1..1; all little-endian.
    fn files(&self, _shape: [usize; 3]) -> Result<Vec<(&'static str, Vec<u8>)>, AttackError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([self.height, self.width].iter().flat_map(|n| (*n as u32).to_le_bytes()));
        bytes.extend(self.grid.iter().flatten().flat_map(|v| v.to_le_bytes()));
        Ok(vec![("grid.bin", bytes)])
    }
}

/// `k * k` control points (dx, dy) with mean absolute value 1.
fn control_points(k: usize, seed: u64) -> Vec<[f64; 2]> {
    let mut rng = rng::stream(seed, "wanet control points", 0);
    let raw: Vec<[f64; 2]> = (0..k * k).map(|_| [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)]).collect();
    let mean = raw.iter().flatten().map(|v: &f64| v.abs()).sum::<f64>() / (2 * k * k) as f64;
    raw.into_iter().map(|v| v.map(|v| v / mean)).collect()
}

/// Bicubic interpolation of `k * k` points to `height * width`, corners aligned.
fn flow(points: &[[f64; 2]], k: usize, height: usize, width: usize) -> Vec<[f64; 2]> {
    let (rows, columns) = (taps(k, height), taps(k, width));
    let mut out = Vec::with_capacity(height * width);
    for row in &rows {
        for column in &columns {
            let mut sum = [0.0; 2];
            for (y, wy) in row {
                for (x, wx) in column {
                    sum.iter_mut().zip(points[y * k + x]).for_each(|(s, v)| *s += wy * wx * v);
                }
            }
            out.push(sum);
        }
    }
    out
}

/// For each of `length` places the four of `k` points around it, with their weights; the first and last repeat beyond
/// the ends.
fn taps(k: usize, length: usize) -> Vec<[(usize, f64); 4]> {
    let scale = if length > 1 { (k - 1) as f64 / (length - 1) as f64 } else { 0.0 };
    let near = |d: f64| ((BICUBIC + 2.0) * d - (BICUBIC + 3.0)) * d * d + 1.0;
    let far = |d: f64| ((BICUBIC * d - 5.0 * BICUBIC) * d + 8.0 * BICUBIC) * d - 4.0 * BICUBIC;
    let at = |i: usize| {
        let place = i as f64 * scale;
        let (low, t) = (place.floor(), place.fract());
        let weights = [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)];
        std::array::from_fn(|tap| (((low as isize + tap as isize - 1).clamp(0, k as isize - 1)) as usize, weights[tap]))
    };
    (0..length).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    const SHAPE: [usize; 3] = [3, 32, 32];

    fn image() -> Vec<u8> {
        (0..3072).map(|i| (i * 37 % 256) as u8).collect()
    }

    fn warp(strength: f64) -> Wanet {
        Wanet::new(&spec::Wanet { strength, ..spec::Wanet::default() }, SHAPE, 3)
    }

    /// spec.md 12(4): without strength the warp is the identity.
    #[test]
    fn no_strength_changes_nothing() {
        let mut planes = image();
        warp(0.0).trigger(&mut planes, SHAPE);
        assert_eq!(planes, image());
    }

    /// spec.md 12(4): mean|z| = 1.
    #[test]
    fn control_points_have_mean_absolute_value_1() {
        let points = control_points(4, 7);
        let mean = points.iter().flatten().map(|v| v.abs()).sum::<f64>() / 32.0;
        assert!((mean - 1.0).abs() < 1e-12, "{mean}");
    }

    /// 0, 1, 4, 2 to 7 values, corners aligned, worked out by hand with the kernel that PyTorch documents (a = -0.75): halfway
    /// between two points the weights are -3/32, 19/32, 19/32, -3/32.
    #[test]
    fn bicubic_interpolation_follows_the_kernel() {
        let line = [0.0, 1.0, 4.0, 2.0];
        let ours: Vec<f64> = taps(4, 7).iter().map(|taps| taps.iter().map(|(i, w)| w * line[*i]).sum()).collect();
        for (a, b) in ours.iter().zip([0.0, 0.21875, 1.0, 2.78125, 4.0, 3.28125, 2.0]) {
            assert!((a - b).abs() < 1e-5, "{ours:?}");
        }
    }

    /// tests/attack_reference/generate.py: the flow by `F.interpolate` (bicubic, corners aligned), images by `F.grid_sample`;
    /// with a strong warp the grid is clamped at the edges.
    #[test]
    fn flow_and_warp_are_pytorchs() {
        let reference: serde_json::Value = serde_json::from_str(include_str!("../../tests/attack_reference/reference.json")).unwrap();
        let theirs = |key: &str| -> Vec<f64> { serde_json::from_value(reference[key].clone()).unwrap() };
        let formula = |n: usize, i: usize| {
            let noise = 43_758.545_3 * (12.9898 * (i + 1) as f64 + 78.233 * n as f64).sin();
            noise - noise.floor() - 0.5
        };
        let raw: Vec<f64> = (0..32).map(|i| formula(7, i)).collect();
        let mean = raw.iter().map(|v| v.abs()).sum::<f64>() / 32.0;
        let points: Vec<[f64; 2]> = raw.chunks_exact(2).map(|v| [v[0] / mean, v[1] / mean]).collect();
        for (ours, theirs) in flow(&points, 4, 32, 32).as_flattened().iter().zip(theirs("flow")) {
            assert!((ours - theirs).abs() < 1e-6, "{ours} is not {theirs}");
        }
        let image: Vec<u8> = (0..3072).map(|i| ((formula(3, i) + 0.5) * 256.0) as u8).collect();
        for (strength, key) in [(0.5, "warped"), (4.0, "warped_strongly")] {
            let mut warped = image.clone();
            Wanet::of(&points, 4, strength, [32, 32]).trigger(&mut warped, SHAPE);
            for (i, (ours, theirs)) in warped.iter().zip(theirs(key)).enumerate() {
                assert!((f64::from(*ours) - theirs).abs() < 0.502, "{key}, {i}: {ours} is not {theirs}");
            }
        }
    }

    #[test]
    fn the_warp_moves_pixels_a_little_and_stays_the_same() {
        let (mut planes, warp) = (image(), warp(0.5));
        warp.trigger(&mut planes, SHAPE);
        assert_ne!(planes, image());
        let mut again = Images { shape: SHAPE, pixels: [image(), image()].concat() };
        warp.trigger_all(&mut again);
        assert_eq!((again.get(0), again.get(1)), (&planes[..], &planes[..]));
        // Half a pixel on average, s / height of a side of two units: no pixel travels further than three.
        let moved = |i: usize| {
            let [x, y] = warp.grid[i];
            (((x + 1.0) / 2.0 * 31.0 - (i % 32) as f32).abs()).max(((y + 1.0) / 2.0 * 31.0 - (i / 32) as f32).abs())
        };
        assert!((0..1024).all(|i| moved(i) < 3.0));
    }

    #[test]
    fn noise_differs_from_image_to_image_and_from_the_warp() {
        let warp = warp(0.5);
        let noisy = |index| warp.noisy(&image(), &mut rng::stream(0, "test", index));
        let mut exact = image();
        warp.trigger(&mut exact, SHAPE);
        assert_ne!(noisy(0), noisy(1));
        assert_ne!(noisy(0), exact);
        assert_eq!(noisy(1), noisy(1));
    }

    #[test]
    fn it_comes_back_from_its_file_and_damage_is_named() {
        let (dir, warp) = (tempfile::tempdir().unwrap(), warp(0.5));
        let (name, bytes) = warp.files(SHAPE).unwrap().remove(0);
        let file = dir.path().join(name);
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(Wanet::load(dir.path(), SHAPE).unwrap(), warp);
        let refused = |bytes: &[u8], shape| {
            std::fs::write(&file, bytes).unwrap();
            Wanet::load(dir.path(), shape).unwrap_err().to_string()
        };
        assert!(refused(&bytes[..bytes.len() - 1], SHAPE).contains("grid.bin"));
        assert!(refused(&bytes[1..], SHAPE).contains("no WaNet grid"));
        assert!(refused(&bytes, [3, 16, 64]).contains("64 x 16"));
        assert!(refused(b"", SHAPE).contains("grid.bin"));
    }
}
