//! Spectra of small images: the two-dimensional cosine transform (DCT-II), by which low frequencies stand in the top-left
//! corner. It tells triggers apart that look alike: a patch has all frequencies, LF's pattern the lowest alone.

use crate::data::Images;
use std::f64::consts::PI;

/// What is drawn: from the largest coefficient (white) down to so many decibels below it (black).
pub const RANGE_DB: f64 = 36.0;

/// The orthonormal DCT-II of `values` (rows of `width`), rows and columns:
/// X_k = s_k sum_n x_n cos(pi (n + 1/2) k / N), s_0 = sqrt(1/N), else sqrt(2/N).
pub fn dct(values: &[f64], width: usize) -> Vec<f64> {
    let height = values.len() / width.max(1);
    let across = along(values, &basis(width), width);
    let down = along(&turned(&across, width), &basis(height), height);
    turned(&down, height)
}

/// `[k][n]`.
fn basis(count: usize) -> Vec<f64> {
    let n = count as f64;
    let entry = |k: usize, i: usize| (if k == 0 { 1.0 / n } else { 2.0 / n }).sqrt() * (PI * (i as f64 + 0.5) * k as f64 / n).cos();
    (0..count).flat_map(|k| (0..count).map(move |i| entry(k, i))).collect()
}

/// Every row of `values` transformed.
fn along(values: &[f64], basis: &[f64], count: usize) -> Vec<f64> {
    let product = |row: &[f64], wave: &[f64]| row.iter().zip(wave).map(|(a, b)| a * b).sum::<f64>();
    values.chunks_exact(count).flat_map(|row| basis.chunks_exact(count).map(|wave| product(row, wave))).collect()
}

/// Columns as rows.
fn turned(values: &[f64], width: usize) -> Vec<f64> {
    let height = values.len() / width.max(1);
    (0..width).flat_map(|x| (0..height).map(move |y| values[y * width + x])).collect()
}

/// The spectrum of one image's planes less those of `without`, mean of the channels, as a grey picture by the logarithm of
/// magnitude; black all over where there is nothing.
pub fn picture(planes: &[u8], without: Option<&[u8]>, [channels, height, width]: [usize; 3]) -> Images {
    let plane = height * width;
    let value = |i: usize| f64::from(planes[i]) - without.map_or(0.0, |w| f64::from(w[i]));
    let mean: Vec<f64> = (0..plane).map(|at| (0..channels).map(|c| value(c * plane + at)).sum::<f64>() / channels.max(1) as f64).collect();
    let magnitudes: Vec<f64> = dct(&mean, width).into_iter().map(f64::abs).collect();
    let largest = magnitudes.iter().copied().fold(0.0, f64::max);
    let grey = |m: f64| if m > 0.0 { (255.0 * (1.0 + 20.0 * (m / largest).log10() / RANGE_DB)).round().clamp(0.0, 255.0) as u8 } else { 0 };
    Images { shape: [1, height, width], pixels: magnitudes.into_iter().map(grey).collect() }
}

/// A grey picture in at most `most` rows and columns, each the brightest of those it stands for: the mean would drown a
/// peak of one frequency.
pub fn pooled(picture: &Images, most: [usize; 2]) -> Images {
    let [_, height, width] = picture.shape;
    let [rows, columns] = [height.min(most[0].max(1)), width.min(most[1].max(1))];
    let span = |k: usize, of: usize, all: usize| k * all / of..((k + 1) * all).div_ceil(of);
    let brightest = |at: usize| {
        let (down, across) = (span(at / columns, rows, height), span(at % columns, columns, width));
        down.filter_map(|y| picture.pixels[y * width..][across.clone()].iter().max().copied()).max().unwrap_or(0)
    };
    Images { shape: [1, rows, columns], pixels: (0..rows * columns).map(brightest).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients above rounding errors: row, column, value.
    fn peaks(values: &[f64], width: usize) -> Vec<(usize, usize, f64)> {
        let found = dct(values, width);
        found.iter().enumerate().filter(|(_, v)| v.abs() > 1e-9).map(|(i, v)| (i / width, i % width, *v)).collect()
    }

    #[test]
    fn a_constant_image_has_its_mean_alone() {
        let found = peaks(&[3.0; 32 * 32], 32);
        assert_eq!(found.len(), 1);
        assert!(found[0].0 == 0 && found[0].1 == 0 && (found[0].2 - 96.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_cosine_has_one_peak_at_its_frequency() {
        let (height, width) = (16, 32);
        let wave = |n: usize, k: usize, of: usize| (PI * (n as f64 + 0.5) * k as f64 / of as f64).cos();
        let values: Vec<f64> = (0..height * width).map(|i| wave(i / width, 3, height) * wave(i % width, 5, width)).collect();
        let found = peaks(&values, width);
        // Each cosine has the energy N / 2.
        assert!(matches!(found[..], [(3, 5, v)] if (v - (8.0f64 * 16.0).sqrt()).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn a_peak_survives_in_a_smaller_picture() {
        let mut picture = Images { shape: [1, 32, 32], pixels: vec![0; 1024] };
        picture.pixels[0] = 255;
        picture.pixels[31 * 32 + 31] = 200;
        let small = pooled(&picture, [7, 14]);
        assert_eq!((small.shape, small.pixels[0], small.pixels[7 * 14 - 1]), ([1, 7, 14], 255, 200));
        assert_eq!(small.pixels.iter().filter(|p| **p > 0).count(), 2);
        assert_eq!(pooled(&picture, [99, 99]), picture);
    }

    #[test]
    fn energy_is_kept() {
        let values: Vec<f64> = (0..24 * 8).map(|i| f64::from(i * 37 % 101)).collect();
        let energy = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        assert!((energy(&values) - energy(&dct(&values, 8))).abs() < 1e-6);
    }

    #[test]
    fn a_picture_runs_from_the_largest_to_black() {
        let shape = [3, 8, 8];
        let same = vec![90; 192];
        assert!(picture(&same, Some(&same), shape).pixels.iter().all(|p| *p == 0));
        let flat = picture(&same, None, shape).pixels;
        assert_eq!((flat[0], flat.iter().map(|p| usize::from(*p)).sum::<usize>()), (255, 255));
        // A single pixel has every frequency.
        let mut dot = same.clone();
        dot[0] = 250;
        assert!(picture(&dot, Some(&same), shape).pixels.iter().all(|p| *p > 50));
    }
}
