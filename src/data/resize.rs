//! The one filter by which larger pictures become images of the size that networks take.

use ::image::RgbImage;
use ::image::imageops::{self, FilterType};

/// Resizes a whole picture to a square of `size` pixels, as [`resized`] does.
pub fn square(picture: &RgbImage, size: usize) -> Vec<u8> {
    resized(picture, size, size)
}

/// Resizes a whole picture to `width` by `height` pixels, whatever its proportions, as planes.
///
/// The filter is the triangle ("bilinear"), widened by the factor of reduction so that every pixel of the picture
/// counts: what PIL and torchvision call bilinear, by which BackdoorBench resizes GTSRB. A picture that has the size
/// already is left as it is.
pub fn resized(picture: &RgbImage, width: usize, height: usize) -> Vec<u8> {
    let (width, height) = (width as u32, height as u32);
    if picture.dimensions() == (width, height) {
        return planes(picture.as_raw());
    }
    planes(imageops::resize(picture, width, height, FilterType::Triangle).as_raw())
}

/// Interleaved RGB as planes of red, green and blue.
pub fn planes(rgb: &[u8]) -> Vec<u8> {
    (0..3).flat_map(|channel| rgb.iter().skip(channel).step_by(3).copied()).collect()
}

/// Square planes of `side` pixels whose columns lie one after the other, as planes of rows.
pub fn upright(columns: &[u8], side: usize) -> Vec<u8> {
    let plane = side * side;
    (0..columns.len()).map(|at| columns[at / plane * plane + at % side * side + at % plane / side]).collect()
}

/// Planes of a square picture as interleaved RGB; its side must fit the length.
pub fn interleaved(planes: &[u8], side: usize) -> RgbImage {
    let plane = side * side;
    RgbImage::from_fn(side as u32, side as u32, |x, y| {
        let at = y as usize * side + x as usize;
        ::image::Rgb([planes[at], planes[plane + at], planes[2 * plane + at]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows() {
        // Two planes of 2 x 2: the first column, then the second.
        assert_eq!(upright(&[1, 2, 3, 4, 5, 6, 7, 8], 2), [1, 3, 2, 4, 5, 7, 6, 8]);
        let planes: Vec<u8> = (0..27).collect();
        assert_eq!(upright(&upright(&planes, 3), 3), planes);
        assert_eq!(super::planes(interleaved(&planes, 3).as_raw()), planes);
    }

    #[test]
    fn halving_takes_the_neighbours_in_by_a_triangle() {
        // Weights of a triangle of width 2 around the first pair: 3/8 and 3/8 within, 1/8 beyond, 1/7 off the edge.
        let picture = RgbImage::from_fn(4, 4, |x, _| ::image::Rgb([[0, 0, 255, 255][x as usize]; 3]));
        let small = square(&picture, 2);
        assert_eq!(small[..4], [36, 219, 36, 219]);
        assert_eq!(square(&picture, 4), planes(picture.as_raw()));
    }
}
