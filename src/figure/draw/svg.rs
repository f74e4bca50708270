//! A scene as SVG: the one true picture, of which PNG is a rendering. Words stay words, in `DejaVu Sans`.

use super::canvas::{Canvas, SOFT, Side, UNITS, Words, ink, tint};
use super::geometry::{Place, Rect};
use super::layout::{Layout, SAMPLE, Style, layout};
use super::panel::{Drawing, picture_place};
use crate::figure::FigureError;
use crate::figure::scene::{Dash, Look, Picture, Scene};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};
use plotters::style::Color;

/// Draws `scene` in `style`.
///
/// # Errors
/// When the bundled font is damaged, or plotters refuses.
pub fn svg(scene: &Scene, style: &Style) -> Result<String, FigureError> {
    let page = layout(scene, style);
    let mut out = String::new();
    let canvas = Canvas::new(&mut out, page.size)?;
    for (panel, frame) in scene.panels.iter().zip(&page.frames) {
        Drawing { canvas: &canvas, panel, frame: *frame, style }.draw()?;
    }
    around(&canvas, &page, style)?;
    canvas.finish()?;
    let mut pictures = String::new();
    for (panel, frame) in scene.panels.iter().zip(&page.frames) {
        if let Some(picture) = &panel.picture {
            pictures.push_str(&image(picture, picture_place(picture, frame.rect))?);
        }
    }
    Ok(headed(&out, &pictures, scene, page.size))
}

/// What belongs to all panels: legend, shared titles, caption and notes.
fn around(canvas: &Canvas, page: &Layout, style: &Style) -> Result<(), FigureError> {
    for (label, look, at) in &page.legend {
        sample(canvas, *look, *at)?;
        canvas.words(&Words::new(label, style.font, Side::Left), (at.0 + SAMPLE + 4.0, at.1))?;
    }
    if let Some((title, at)) = page.x_title {
        canvas.words(&Words::new(title, style.font, Side::Center), at)?;
    }
    if let Some((title, at)) = page.y_title {
        canvas.words(&Words { upright: true, ..Words::new(title, style.font, Side::Center) }, at)?;
    }
    if let Some((name, at)) = &page.name {
        canvas.words(&Words { bold: true, ..Words::new(name, style.font, Side::Left) }, *at)?;
    }
    page.caption.iter().try_for_each(|(text, at)| canvas.words(&Words::new(text, style.font, Side::Left), *at))?;
    page.notes.iter().try_for_each(|(text, at)| canvas.words(&Words { ink: SOFT, ..Words::new(text, style.small, Side::Left) }, *at))
}

/// A piece of line with its mark, for the legend.
fn sample(canvas: &Canvas, look: Look, at: Place) -> Result<(), FigureError> {
    if look.bar.is_some() {
        let (half, full) = (8.0, look.dash == Some(Dash::Solid));
        let rect = Rect { x: at.0 + SAMPLE / 2.0 - half, y: at.1 - 3.0, width: 2.0 * half, height: 6.0 };
        let corners = [(rect.x, rect.y), (rect.right(), rect.y), (rect.right(), rect.bottom()), (rect.x, rect.bottom())];
        canvas.fill(&corners, ink(look.colour).mix(if full { 1.0 } else { 0.3 }))?;
        return canvas.edge(rect, ink(look.colour), 0.4);
    }
    if let Some(dash) = look.dash {
        // Dots alone would be lost in a legend: the pattern is the same, the line a little stronger.
        let width = if dash == Dash::Dots { look.width + 0.2 } else { look.width };
        canvas.line(&[at, (at.0 + SAMPLE, at.1)], tint(look), width, dash)?;
    }
    match look.marker {
        Some(marker) => canvas.marker((at.0 + SAMPLE / 2.0, at.1), marker, tint(look)),
        None => Ok(()),
    }
}

/// A picture as an element of its own, each of its pixels a sharp square.
fn image(picture: &Picture, Rect { x, y, width, height }: Rect) -> Result<String, FigureError> {
    let failed = |message: &dyn std::fmt::Display| FigureError::Draw(message.to_string());
    let pixels = RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.rgb.clone());
    let mut png = std::io::Cursor::new(Vec::new());
    pixels.ok_or_else(|| failed(&"a picture's size and its pixels do not agree"))?.write_to(&mut png, ImageFormat::Png).map_err(|e| failed(&e))?;
    let [x, y, width, height] = [x, y, width, height].map(|v| v * UNITS);
    let data = STANDARD.encode(png.get_ref());
    Ok(format!(
        "<image x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{data}\"/>\n"
    ))
}

/// Gives the page its size in points, and a title and description for those who cannot see it.
fn headed(drawn: &str, pictures: &str, scene: &Scene, size: Place) -> String {
    let (width, height) = size;
    let (boxed, name) = ((width * UNITS, height * UNITS), if scene.name.is_empty() { "tuneout" } else { &scene.name });
    let head = format!(
        "<svg width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>",
        boxed.0,
        boxed.1,
        escaped(name),
        escaped(&std::iter::once(&scene.caption).chain(&scene.footnotes).map(String::as_str).collect::<Vec<_>>().join(" "))
    );
    let body = drawn.find('\n').map_or("", |end| &drawn[end..]);
    // Plotters ends every text with a line break, which some viewers show as a space.
    let body = body.replace("\n</text>", "</text>").replace("</svg>", &format!("{pictures}</svg>"));
    format!("{head}{body}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
