//! BadNets (Gu et al. 2017): a white square, flush with the bottom-right corner (spec.md 1.2).

use super::Attack;
use crate::spec;

/// Side of the square at 32 pixels (BackdoorBench's mask has white pixels at rows and columns 29 to 31).
const SIDE_AT_32: f64 = 3.0;

/// The trigger, ready for one image size.
pub struct BadNets {
    side: usize,
}

impl BadNets {
    /// For images of `shape` = (channels, height, width).
    pub fn new(settings: &spec::BadNets, [_, height, width]: [usize; 3]) -> Self {
        let scaled = (SIDE_AT_32 * height as f64 / 32.0).round() as usize;
        let side = if settings.patch == 0 { scaled.max(1) } else { settings.patch };
        Self { side: side.min(height).min(width) }
    }
}

impl Attack for BadNets {
    fn trigger(&self, planes: &mut [u8], [_, height, width]: [usize; 3]) {
        for plane in planes.chunks_exact_mut(height * width) {
            for row in plane.chunks_exact_mut(width).skip(height - self.side) {
                row[width - self.side..].fill(u8::MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// spec.md 12(1): nine pixels, rows and columns 29 to 31, and nothing else.
    #[test]
    fn changes_nine_pixels() {
        let before: Vec<u8> = (0..3 * 32 * 32).map(|i| (i % 251) as u8).collect();
        let mut after = before.clone();
        BadNets::new(&spec::BadNets::default(), [3, 32, 32]).trigger(&mut after, [3, 32, 32]);
        for (i, (a, b)) in after.iter().zip(&before).enumerate() {
            let (row, column) = (i % 1024 / 32, i % 32);
            assert_eq!(*a, if row >= 29 && column >= 29 { 255 } else { *b }, "row {row} column {column}");
        }
    }

    #[test]
    fn grows_with_the_image_when_asked_to() {
        let auto = spec::BadNets { patch: 0 };
        assert_eq!([16, 32, 48, 64, 96].map(|side| BadNets::new(&auto, [3, side, side]).side), [2, 3, 5, 6, 9]);
    }
}
