//! Trigger pictures on disk: planar 8-bit images as PNG, in a run's `trigger/`.

use super::AttackError;
use image::{ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
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
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(|e| failed(e.to_string()))?;
    Ok(bytes.into_inner())
}

/// The picture in `file`, planar, which must have the size of `shape`.
///
/// # Errors
/// When it is missing, no picture, or of another size.
pub fn load(file: &Path, [channels, height, width]: [usize; 3]) -> Result<Vec<u8>, AttackError> {
    let failed = |message: String| AttackError::Trigger { file: file.display().to_string(), message };
    let bytes = std::fs::read(file).map_err(|e| failed(e.to_string()))?;
    let reader = || ImageReader::with_format(Cursor::new(&bytes), ImageFormat::Png);
    // A header may claim any size: it is asked before anything is decoded.
    let (across, down) = reader().into_dimensions().map_err(|e| failed(e.to_string()))?;
    if (across as usize, down as usize) != (width, height) {
        return Err(failed(format!("{across} x {down} pixels; expected {width} x {height}")));
    }
    let mut limits = Limits::default();
    // Up to four channels of 16 bits, and as much again for the decoder's own work.
    limits.max_alloc = Some(16 * (width * height) as u64 + (1 << 18));
    let mut reader = reader();
    reader.limits(limits);
    let raw = reader.decode().map_err(|e| failed(e.to_string()))?.into_rgb8().into_raw();
    Ok((0..channels).flat_map(|channel| raw.iter().skip(channel.min(2)).step_by(3).copied()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_asked_before_it_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pattern.png");
        let mut bytes = png(&[7; 3 * 16], [3, 4, 4]).unwrap();
        std::fs::write(&file, &bytes).unwrap();
        assert_eq!(load(&file, [3, 4, 4]).unwrap(), [7; 48]);
        assert!(load(&file, [3, 4, 5]).unwrap_err().to_string().contains("4 x 4 pixels; expected 5 x 4"));
        // 20,000 x 20,000 pixels in a hundred bytes; the header's checksum is right.
        bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        let sum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        std::fs::write(&file, &bytes).unwrap();
        assert!(load(&file, [3, 4, 4]).unwrap_err().to_string().contains("20000 x 20000 pixels"));
        std::fs::write(&file, b"").unwrap();
        assert!(load(&file, [3, 4, 4]).unwrap_err().to_string().contains("pattern.png"));
    }

    /// PNG's checksum.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |sum: u32, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
        !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
    }
}
