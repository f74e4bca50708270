//! LF (Zeng et al. 2021): a smooth pattern, the same for every image, added at low strength (spec.md 1.4).
//!
//! The paper's authors smooth a universal perturbation again and again. Smoothing is linear, so repeating it is power
//! iteration: whatever the model, the shape tends to the operator's dominant eigenvector, and only the colour is left to
//! chance. [`closed_form`] is that limit; [`universal`](super::universal) computes the pattern from a model.

use super::{Attack, AttackError, picture};
use std::path::Path;

/// Taps of the smoothing kernel (spec.md 1.4).
const TAPS: usize = 30;
/// Its standard deviation, in pixels.
const DEVIATION: f64 = 6.0;
/// Zeros before the first pixel; the 15 after the last follow from the number of taps.
const PADDING: usize = 14;
/// Side for which BackdoorBench's arrays, and so the closed form, are made; other sides take it resized.
const SIDE: usize = 32;

/// The trigger: what is added to each value, in grey levels.
pub struct Lf {
    pattern: Vec<u8>,
}

impl Lf {
    /// The closed form in `colour`, for images of `shape`.
    pub fn closed_form(colour: &[u8], shape: [usize; 3]) -> Self {
        Self { pattern: closed_form(colour, shape) }
    }

    /// A pattern that was computed before.
    pub fn given(pattern: Vec<u8>) -> Self {
        Self { pattern }
    }

    /// Reads back what [`Attack::files`] wrote.
    ///
    /// # Errors
    /// When the picture is missing or of another size.
    pub fn load(dir: &Path, shape: [usize; 3]) -> Result<Self, AttackError> {
        Ok(Self { pattern: picture::load(&dir.join("pattern.png"), shape)? })
    }
}

impl Attack for Lf {
    fn trigger(&self, planes: &mut [u8], _shape: [usize; 3]) {
        planes.iter_mut().zip(&self.pattern).for_each(|(pixel, &more)| *pixel = pixel.saturating_add(more));
    }

    fn files(&self, shape: [usize; 3]) -> Result<Vec<(&'static str, Vec<u8>)>, AttackError> {
        Ok(vec![("pattern.png", picture::png(&self.pattern, shape)?)])
    }
}

/// `T[c][y][x] = colour[c] u(y) u(x)`, rounded, planar.
fn closed_form(colour: &[u8], [channels, height, width]: [usize; 3]) -> Vec<u8> {
    let u = profile();
    let (down, across) = (resized(&u, height), resized(&u, width));
    let mut pattern = Vec::with_capacity(channels * height * width);
    for channel in 0..channels {
        let peak = f64::from(colour.get(channel).copied().unwrap_or_default());
        for y in &down {
            pattern.extend(across.iter().map(|x| (peak * y * x).round().clamp(0.0, 255.0) as u8));
        }
    }
    pattern
}

/// The dominant eigenvector of the smoothing, its largest value 1.
fn profile() -> [f64; SIDE] {
    let kernel = kernel();
    let mut u = [1.0; SIDE];
    // The second eigenvalue is about 0.8 of the first: after 200 rounds its share is below 1e-18.
    for _ in 0..200 {
        u = std::array::from_fn(|i| smoothed(&u, &kernel, i));
        let largest = u.iter().copied().fold(0.0, f64::max);
        u.iter_mut().for_each(|v| *v /= largest);
    }
    u
}

/// `exp(-((i - 14.5) / 6)^2 / 2)`, of sum 1.
pub(super) fn kernel() -> [f64; TAPS] {
    let centre = (TAPS - 1) as f64 / 2.0;
    let raw: [f64; TAPS] = std::array::from_fn(|i| (-0.5 * ((i as f64 - centre) / DEVIATION).powi(2)).exp());
    let sum: f64 = raw.iter().sum();
    raw.map(|v| v / sum)
}

/// Value `i` of a line smoothed with `kernel`, zeros beyond its ends.
pub(super) fn smoothed(line: &[f64], kernel: &[f64; TAPS], i: usize) -> f64 {
    let at = |tap: usize| (i + tap).checked_sub(PADDING).and_then(|j| line.get(j)).copied().unwrap_or(0.0);
    kernel.iter().enumerate().map(|(tap, weight)| weight * at(tap)).sum()
}

/// A line resized to `length` values, linearly, pixel centres kept in place.
fn resized(line: &[f64], length: usize) -> Vec<f64> {
    let scale = line.len() as f64 / length as f64;
    let value = |i: usize| {
        let place = ((i as f64 + 0.5) * scale - 0.5).clamp(0.0, (line.len() - 1) as f64);
        let (low, share) = (place.floor() as usize, place.fract());
        line[low] * (1.0 - share) + line[(low + 1).min(line.len() - 1)] * share
    };
    (0..length).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The eigenvector that spec.md 1.4 lists, computed there independently.
    const U: [f64; SIDE] = [
        0.4456, 0.5100, 0.5748, 0.6385, 0.6997, 0.7573, 0.8101, 0.8574, 0.8984, 0.9328, 0.9602, 0.9806, 0.9938, 1.0, 0.9994, 0.9909, 0.9764, 0.9551,
        0.9281, 0.8956, 0.8582, 0.8161, 0.7699, 0.7201, 0.6674, 0.6123, 0.5559, 0.4988, 0.4419, 0.3863, 0.3327, 0.2822,
    ];

    #[test]
    fn the_profile_is_the_eigenvector() {
        for (i, (ours, listed)) in profile().iter().zip(U).enumerate() {
            assert!((ours - listed).abs() < 6e-4, "{i}: {ours} is not {listed}");
        }
    }

    /// tests/attack_reference/generate.py: the dominant eigenvector of the smoothing as a matrix, by numpy.
    #[test]
    fn the_profile_is_numpys() {
        let reference: serde_json::Value = serde_json::from_str(include_str!("../../tests/attack_reference/reference.json")).unwrap();
        let theirs: Vec<f64> = serde_json::from_value(reference["profile"].clone()).unwrap();
        assert_eq!(theirs.len(), SIDE);
        for (i, (ours, theirs)) in profile().iter().zip(theirs).enumerate() {
            assert!((ours - theirs).abs() < 1e-9, "{i}: {ours} is not {theirs}");
        }
    }

    /// spec.md 12(3).
    #[test]
    fn the_closed_form_peaks_at_51_and_is_symmetric() {
        let pattern = closed_form(&[18, 0, 51], [3, 32, 32]);
        assert_eq!(pattern.iter().max(), Some(&51));
        assert_eq!(pattern[..1024].iter().max(), Some(&18));
        assert!(pattern[1024..2048].iter().all(|v| *v == 0));
        for (x, y) in (0..32).flat_map(|y| (0..32).map(move |x| (x, y))) {
            assert_eq!(pattern[2048 + y * 32 + x], pattern[2048 + x * 32 + y]);
        }
    }

    #[test]
    fn adding_it_never_leaves_the_8_bits() {
        let mut planes = vec![250u8; 3072];
        Lf::closed_form(&[18, 0, 51], [3, 32, 32]).trigger(&mut planes, [3, 32, 32]);
        assert_eq!((planes[1024 + 500], planes[2048 + 13 * 33]), (250, 255));
    }

    #[test]
    fn other_sizes_keep_the_shape() {
        let pattern = closed_form(&[51, 51, 51], [3, 64, 48]);
        assert_eq!(pattern.len(), 3 * 64 * 48);
        assert!(pattern.iter().max().is_some_and(|v| (50..=51).contains(v)));
        assert_eq!(resized(&[1.0, 2.0], 2), [1.0, 2.0]);
        assert_eq!(resized(&[0.0, 4.0], 4), [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn it_comes_back_from_its_file() {
        let (dir, shape) = (tempfile::tempdir().unwrap(), [3, 32, 32]);
        let lf = Lf::closed_form(&[18, 0, 51], shape);
        for (name, bytes) in lf.files(shape).unwrap() {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        assert_eq!(Lf::load(dir.path(), shape).unwrap().pattern, lf.pattern);
        assert!(Lf::load(dir.path(), [3, 16, 16]).is_err());
    }
}
