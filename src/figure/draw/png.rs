//! A scene as PNG, rendered from its SVG with the bundled font and no other.

use super::layout::Style;
use super::text::{FAMILY, files};
use crate::figure::FigureError;
use crate::figure::scene::Scene;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};
use std::sync::Arc;

/// Draws `scene`; at `scale` 1 a point of 1/72 inch is one pixel, at 300/72 a printer's dot is.
///
/// # Errors
/// As [`super::svg::svg`], and when the picture would have no pixel or too many.
pub fn png(scene: &Scene, style: &Style, scale: f64) -> Result<Vec<u8>, FigureError> {
    let pixmap = render(&super::svg::svg(scene, style)?, scale)?;
    pixmap.encode_png().map_err(|e| FigureError::Draw(e.to_string()))
}

/// An SVG of this module as pixels.
///
/// # Errors
/// When it cannot be read, or has no size.
pub fn render(svg: &str, scale: f64) -> Result<Pixmap, FigureError> {
    let mut fonts = Database::new();
    // Under its own name, which the pictures use: a family that is not found draws nothing at all.
    files().into_iter().for_each(|file| fonts.load_font_data(file.to_vec()));
    let options = Options { dpi: 72.0, font_family: FAMILY.to_owned(), fontdb: Arc::new(fonts), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|e| FigureError::Draw(e.to_string()))?;
    let (width, height) = (f64::from(tree.size().width()) * scale, f64::from(tree.size().height()) * scale);
    let pixels = || FigureError::Draw(format!("{width:.0} by {height:.0} pixels is not a size of a picture"));
    let mut pixmap = Pixmap::new(width.round() as u32, height.round() as u32).ok_or_else(pixels)?;
    // Of a last pixel that the page covers in part, the rest is paper too.
    pixmap.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale as f32, scale as f32), &mut pixmap.as_mut());
    Ok(pixmap)
}
