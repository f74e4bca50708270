//! Blended (Chen et al. 2017): a picture laid faintly over the whole image (spec.md 1.3).

use super::{Attack, AttackError, picture};
use crate::{rng, spec};
use image::imageops::{self, FilterType};
use image::{ImageBuffer, Rgb};
use rand::RngExt;
use std::path::Path;

/// Cells a side of the noise from which a trigger picture is drawn: smooth at 32 pixels.
const CELLS: u32 = 8;
/// Mean and deviation of a drawn picture, in grey levels (spec.md 1.3).
const DRAWN: (f64, f64) = (128.0, 70.0);

/// The trigger, ready for one image size.
pub struct Blended {
    /// Weight of the picture; the image keeps 1 - alpha.
    alpha: f64,
    /// The picture, planar, in the image's shape.
    picture: Vec<u8>,
}

impl Blended {
    /// For images of `shape`; the picture comes from a file, resized without regard to its aspect, or is drawn.
    pub fn new(settings: &spec::Blended, shape: [usize; 3], seed: u64) -> Result<Self, AttackError> {
        let picture = if settings.image.is_empty() { drawn(shape, seed) } else { from_file(&settings.image, shape)? };
        Ok(Self { alpha: settings.alpha, picture })
    }

    /// Reads back what [`Attack::files`] wrote.
    ///
    /// # Errors
    /// When the picture is missing or of another size.
    pub fn load(settings: &spec::Blended, dir: &Path, shape: [usize; 3]) -> Result<Self, AttackError> {
        Ok(Self { alpha: settings.alpha, picture: picture::load(&dir.join("picture.png"), shape)? })
    }
}

impl Attack for Blended {
    /// BackdoorBench truncates to 8 bits after clipping.
    fn trigger(&self, planes: &mut [u8], _shape: [usize; 3]) {
        for (pixel, &over) in planes.iter_mut().zip(&self.picture) {
            *pixel = ((1.0 - self.alpha) * f64::from(*pixel) + self.alpha * f64::from(over)).clamp(0.0, 255.0) as u8;
        }
    }

    fn files(&self, shape: [usize; 3]) -> Result<Vec<(&'static str, Vec<u8>)>, AttackError> {
        Ok(vec![("picture.png", picture::png(&self.picture, shape)?)])
    }
}

fn from_file(file: &str, shape: [usize; 3]) -> Result<Vec<u8>, AttackError> {
    let failed = |message: String| AttackError::Picture { file: file.to_owned(), message };
    let opened = image::ImageReader::open(Path::new(file)).map_err(|e| failed(e.to_string()))?;
    let decoded = opened.with_guessed_format().map_err(|e| failed(e.to_string()))?.decode().map_err(|e| failed(e.to_string()))?;
    let small = imageops::resize(&decoded.to_rgb8(), shape[2] as u32, shape[1] as u32, FilterType::Triangle);
    Ok(planar(shape, |channel, x, y| small.get_pixel(x, y)[channel]))
}

/// Smooth coloured noise.
fn drawn(shape: [usize; 3], seed: u64) -> Vec<u8> {
    let mut rng = rng::stream(seed, "blended picture", 0);
    let cells = ImageBuffer::<Rgb<f32>, _>::from_fn(CELLS, CELLS, |_, _| Rgb(std::array::from_fn(|_| rng.random_range(0.0..1.0))));
    let smooth = imageops::resize(&cells, shape[2] as u32, shape[1] as u32, FilterType::CatmullRom);
    let values: Vec<f64> = smooth.pixels().flat_map(|p| p.0).map(f64::from).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    planar(shape, |channel, x, y| {
        let value = (f64::from(smooth.get_pixel(x, y)[channel]) - mean) / deviation;
        (DRAWN.0 + DRAWN.1 * value).round().clamp(0.0, 255.0) as u8
    })
}

fn planar([channels, height, width]: [usize; 3], pixel: impl Fn(usize, u32, u32) -> u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(channels * height * width);
    for channel in 0..channels {
        for y in 0..height as u32 {
            out.extend((0..width as u32).map(|x| pixel(channel.min(2), x, y)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec.md 12(2).
    #[test]
    fn blends_in_double_precision_and_truncates() {
        let blend = |image: u8, over: u8| {
            let mut pixel = [image];
            Blended { alpha: 0.2, picture: vec![over] }.trigger(&mut pixel, [1, 1, 1]);
            pixel[0]
        };
        assert_eq!([blend(100, 200), blend(255, 255), blend(0, 0), blend(101, 200)], [120, 255, 0, 120]);
    }

    #[test]
    fn a_drawn_picture_is_smooth_and_strong() {
        let picture = drawn([3, 32, 32], 0);
        let mean = picture.iter().map(|&v| f64::from(v)).sum::<f64>() / picture.len() as f64;
        assert!((mean - 128.0).abs() < 8.0, "mean {mean}");
        let steps: f64 = picture.chunks(32).flat_map(|row| row.windows(2)).map(|w| f64::from(w[0].abs_diff(w[1]))).sum();
        assert!(steps / (96.0 * 31.0) < 40.0, "neighbours differ by {} on average", steps / (96.0 * 31.0));
        assert_ne!(picture, drawn([3, 32, 32], 1));
    }

    #[test]
    fn a_missing_picture_names_the_file_and_the_remedy() {
        let settings = spec::Blended { alpha: 0.2, image: "no-such.png".to_owned() };
        let message = Blended::new(&settings, [3, 32, 32], 0).err().unwrap().to_string();
        assert!(message.contains("no-such.png") && message.contains("leave it empty"), "{message}");
    }
}
