//! Picture files: PNG, JPEG and PPM.

use ::image::{ImageReader, Limits, RgbImage};
use std::path::Path;

use super::{DataError, ppm, source};

/// Largest width or height of a picture, in pixels, and largest file in bytes.
const LARGEST: (u32, u64) = (8192, 64 << 20);
/// Most bytes of pixels for a byte of file: deflate cannot make less than a 1,032nd of anything, JPEG hardly less.
const RATIO: u64 = 1100;

/// Reads a picture; its size is believed only as far as its file could hold it.
///
/// # Errors
/// When it is missing, damaged, of another format, or larger than 8192 pixels a side or 64 MiB.
pub fn read(path: &Path) -> Result<RgbImage, DataError> {
    let unfit = |found: String| DataError::Unfit { file: path.to_owned(), found, expected: "a PNG, JPEG or PPM picture".into() };
    let failed = |source| DataError::Io { file: path.to_owned(), source };
    let length = source::length(path)?.ok_or_else(|| unfit("no file".to_owned()))?;
    if length > LARGEST.1 {
        return Err(unfit(format!("{length} bytes")));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    if bytes.starts_with(b"P") {
        return ppm::parse(&bytes, path);
    }
    // The decoder fills up what a cut JPEG lacks. One that is whole ends with this marker, or little comes after it.
    if bytes.starts_with(&[0xff, 0xd8]) && !bytes[bytes.len().saturating_sub(1024)..].windows(2).any(|pair| pair == [0xff, 0xd9]) {
        return Err(unfit("a JPEG without its end".to_owned()));
    }
    let reader = || ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format().map_err(failed);
    let (width, height) = reader()?.into_dimensions().map_err(|e| unfit(e.to_string()))?;
    let pixels = 3 * u64::from(width) * u64::from(height);
    if width.max(height) > LARGEST.0 || pixels > length.saturating_mul(RATIO) {
        return Err(unfit(format!("{width} x {height} pixels in {length} bytes")));
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LARGEST.0), Some(LARGEST.0));
    // Up to four channels of 16 bits, and as much again for the decoder's own work.
    limits.max_alloc = Some(pixels.saturating_mul(6).saturating_add(1 << 20));
    let mut reader = reader()?;
    reader.limits(limits);
    Ok(reader.decode().map_err(|e| unfit(e.to_string()))?.into_rgb8())
}
