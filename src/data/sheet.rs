//! Contact sheets: a row of samples for every class, beside its name.

use ::image::{Rgb, RgbImage, imageops};

use super::{DataError, Split, assets};

/// Space between samples and around the sheet, in pixels.
const GAP: usize = 2;
/// Width of a letter of the labels, in pixels, with room to spare.
const LETTER: usize = 8;
/// Largest width or height of a sheet, in pixels.
const LARGEST: usize = 20_000;

/// A labelled contact sheet: rows of classes, columns of samples, each pixel enlarged `scale` times.
///
/// # Errors
/// When the labels cannot be written, or the sheet would be larger than 20,000 pixels a side.
pub fn contact_sheet(split: &Split, classes: &[String], columns: usize, scale: usize) -> Result<RgbImage, DataError> {
    let [_, height, width] = split.images.shape;
    let (high, wide) = (height * scale.max(1), width * scale.max(1));
    let margin = classes.iter().map(|name| name.chars().count()).max().unwrap_or(0) * LETTER + 2 * GAP;
    let size = (margin + columns * (wide + GAP) + GAP, classes.len() * (high + GAP) + GAP);
    if size.0 > LARGEST || size.1 > LARGEST {
        let reason = format!("{} x {} pixels are too many; take fewer columns or a smaller scale", size.0, size.1);
        return Err(DataError::Asset { name: "contact sheet".into(), reason });
    }
    let mut sheet = labels(classes, size, margin, high + GAP)?;
    for class in 0..classes.len() {
        let samples = (0..split.len()).filter(|&i| usize::from(split.labels[i]) == class).take(columns);
        for (column, index) in samples.enumerate() {
            let cell = enlarged(split, index, scale.max(1));
            let (x, y) = (margin + column * (wide + GAP), GAP + class * (high + GAP));
            imageops::replace(&mut sheet, &cell, x as i64, y as i64);
        }
    }
    Ok(sheet)
}

/// One sample, each pixel a square of `scale` by `scale`.
fn enlarged(split: &Split, index: usize, scale: usize) -> RgbImage {
    let [_, height, width] = split.images.shape;
    let rgb = split.images.rgb(index);
    RgbImage::from_fn((width * scale) as u32, (height * scale) as u32, |x, y| {
        let at = 3 * ((y as usize / scale) * width + x as usize / scale);
        Rgb([rgb[at], rgb[at + 1], rgb[at + 2]])
    })
}

/// An empty sheet with the names of the classes, right-aligned before their rows.
fn labels(classes: &[String], (wide, high): (usize, usize), margin: usize, row: usize) -> Result<RgbImage, DataError> {
    let text: String = (0_usize..)
        .zip(classes)
        .map(|(i, name)| format!(r#"<text x="{}" y="{}">{}</text>"#, margin - 2 * GAP, i * row + row / 2 + 5, escape(name)))
        .collect();
    let svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}"><rect width="{wide}" height="{high}" fill="#ffffff"/><g font-family="DejaVu Sans" font-size="13" text-anchor="end" fill="#202020">{text}</g></svg>"##
    );
    let fail = |reason: String| DataError::Asset { name: "contact sheet".into(), reason };
    let tree = resvg::usvg::Tree::from_str(&svg, &assets::text_options()?).map_err(|e| fail(e.to_string()))?;
    let mut pixmap = resvg::tiny_skia::Pixmap::new(wide as u32, high as u32).ok_or_else(|| fail("no room for it".into()))?;
    resvg::render(&tree, resvg::tiny_skia::Transform::identity(), &mut pixmap.as_mut());
    let rgb = pixmap.data().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    RgbImage::from_raw(wide as u32, high as u32, rgb).ok_or_else(|| fail("no room for it".into()))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
