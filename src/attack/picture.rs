//! Trigger pictures on disk: planar 8-bit images as PNG, in a run's `trigger/`.

use super::AttackError;
use image::{ImageFormat, RgbImage};
use std::path::Path;

/// A planar image (one channel is repeated) as a PNG file's bytes.
///
/// # Errors
/// When the image's size and its bytes do not agree.
pub fn png(planes: &[u8], [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, AttackError> {
    let failed = |message: String| AttackError::Trigger { file: "PNG".to_owned(), message };
    let plane = height * width;
    let rgb = (0..plane * 3).map(|i| planes.get((i % 3).min(channels.saturating_sub(1)) * plane + i / 3).copied().unwrap_or_default()).collect();
    let picture = RgbImage::from_raw(width as u32, height as u32, rgb).ok_or_else(|| failed("the sizes do not agree".to_owned()))?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(|e| failed(e.to_string()))?;
    Ok(bytes.into_inner())
}

/// The picture in `file`, planar, which must have the size of `shape`.
///
/// # Errors
/// When it is missing, no picture, or of another size.
pub fn load(file: &Path, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, AttackError> {
    let failed = |message: String| AttackError::Trigger { file: file.display().to_string(), message };
    let picture = image::open(file).map_err(|e| failed(e.to_string()))?.to_rgb8();
    if (picture.width() as usize, picture.height() as usize) != (width, height) {
        return Err(failed(format!("{} x {} pixels; expected {width} x {height}", picture.width(), picture.height())));
    }
    let raw = picture.into_raw();
    Ok((0..channels).flat_map(|channel| raw.iter().skip(channel.min(2)).step_by(3).copied()).collect())
}
