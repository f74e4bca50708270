//! A small picture of real numbers, and pictures of signs to be placed on it.

use crate::data::DataError;

/// Side of a drawn image, in pixels.
pub const SIDE: usize = 32;

/// A colour: red, green, blue, each 0 (none) to 1 (white); beyond 1 while the light is still being worked out.
pub type Colour = [f32; 3];

/// Channel-wise `from` at 0 to `to` at 1.
pub fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|c| from[c] + (to[c] - from[c]) * share)
}

/// Brightness as the eye weighs the channels.
pub fn luminance(colour: Colour) -> f32 {
    0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
}

/// A picture of `SIDE` by `SIDE` pixels.
pub struct Canvas {
    /// Rows from the top, pixels from the left.
    pub pixels: Vec<Colour>,
}

impl Canvas {
    /// A picture of one colour.
    pub fn plain(colour: Colour) -> Self {
        Self { pixels: vec![colour; SIDE * SIDE] }
    }

    /// Changes every pixel; `change` gets the pixel's centre (x, y), in pixels from the top left corner.
    pub fn each(&mut self, mut change: impl FnMut(f32, f32, &mut Colour)) {
        for (index, pixel) in self.pixels.iter_mut().enumerate() {
            change((index % SIDE) as f32 + 0.5, (index / SIDE) as f32 + 0.5, pixel);
        }
    }

    /// Lays `colour` over the picture where `cover` (0..1) says so.
    pub fn lay(&mut self, colour: Colour, mut cover: impl FnMut(f32, f32) -> f32) {
        self.each(|x, y, pixel| *pixel = mix(*pixel, colour, cover(x, y).clamp(0.0, 1.0)));
    }

    /// The picture as 8-bit planes: red, green, blue.
    pub fn planes(&self) -> Vec<u8> {
        // `as` saturates, so light beyond white is clipped as by a sensor.
        (0..3).flat_map(|c| self.pixels.iter().map(move |p| (p[c] * 255.0 + 0.5) as u8)).collect()
    }
}

/// How far inside the band `low..high` a coordinate lies, as the share of a pixel that is covered.
pub fn band(at: f32, low: f32, high: f32) -> f32 {
    (at - low + 0.5).clamp(0.0, 1.0) * (high - at + 0.5).clamp(0.0, 1.0)
}

/// A picture with transparency, drawn once and placed many times.
#[derive(Clone)]
pub struct Texture {
    side: usize,
    texels: Vec<[f32; 4]>,
}

impl Texture {
    /// Renders a square SVG at `side` by `side` texels.
    pub fn from_svg(name: &str, svg: &[u8], side: u32, options: &resvg::usvg::Options) -> Result<Self, DataError> {
        let fail = |reason: String| DataError::Asset { name: name.to_owned(), reason };
        let tree = resvg::usvg::Tree::from_data(svg, options).map_err(|e| fail(e.to_string()))?;
        let mut pixmap = resvg::tiny_skia::Pixmap::new(side, side).ok_or_else(|| fail("no room to draw it".into()))?;
        let scale = side as f32 / tree.size().width().max(tree.size().height());
        resvg::render(&tree, resvg::tiny_skia::Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        let texels = pixmap.data().chunks_exact(4).map(|t| std::array::from_fn(|c| f32::from(t[c]) / 255.0));
        Ok(Self { side: side as usize, texels: texels.collect() })
    }

    /// Premultiplied colour and cover at (x, y), each -1..1 from edge to edge; nothing beyond the edges.
    pub fn at(&self, x: f32, y: f32) -> [f32; 4] {
        if !(x.abs() < 1.0 && y.abs() < 1.0) {
            return [0.0; 4];
        }
        let half = self.side as f32 / 2.0;
        let (u, v) = ((x + 1.0) * half - 0.5, (y + 1.0) * half - 0.5);
        let (column, row) = (u.max(0.0) as usize, v.max(0.0) as usize);
        let (right, below) = ((column + 1).min(self.side - 1), (row + 1).min(self.side - 1));
        let (du, dv) = ((u - column as f32).max(0.0), (v - row as f32).max(0.0));
        let texel = |row: usize, column: usize| &self.texels[row * self.side + column];
        let (a, b, c, d) = (texel(row, column), texel(row, right), texel(below, column), texel(below, right));
        std::array::from_fn(|i| {
            let (top, bottom) = (a[i] + (b[i] - a[i]) * du, c[i] + (d[i] - c[i]) * du);
            top + (bottom - top) * dv
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_texture_is_sampled_where_it_was_drawn() {
        let svg = br##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
            <path d="M0 0H50V50H0Z" fill="#ff0000"/></svg>"##;
        let texture = Texture::from_svg("test", svg, 64, &resvg::usvg::Options::default()).unwrap();
        assert_eq!(texture.at(-0.5, -0.5), [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(texture.at(0.5, -0.5), [0.0; 4]);
        assert_eq!(texture.at(1.5, 0.0), [0.0; 4]);
        assert_eq!(texture.at(f32::NAN, 0.0), [0.0; 4]);
    }

    #[test]
    fn what_is_not_svg_is_refused_by_name() {
        let error = Texture::from_svg("odd.svg", b"<svg", 8, &resvg::usvg::Options::default()).err().unwrap();
        assert!(error.to_string().contains("odd.svg"));
    }

    #[test]
    fn planes_clip_to_8_bits() {
        let canvas = Canvas::plain([-1.0, 0.5, 7.0]);
        let planes = canvas.planes();
        assert_eq!((planes.len(), planes[0], planes[1024], planes[2048]), (3072, 0, 128, 255));
    }
}
