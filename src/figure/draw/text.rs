//! The bundled font: its bytes, the width of words, and lines that fit.

use crate::figure::FigureError;
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use std::sync::OnceLock;

/// Name by which pictures refer to the font, as a viewer that has it installed knows it.
pub const FAMILY: &str = "DejaVu Sans";

static REGULAR: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts/DejaVuSans.ttf"));
static BOLD: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/fonts/DejaVuSans-Bold.ttf"));

/// Plotters writes a font of size s as s / 1.24 em, and measures it with s spanning ascent to descent, which are
/// 1.164 em apart in DejaVu Sans.
pub(super) const PER_EM: f64 = 1.24;
const SPAN: f64 = 1.164;

/// Regular and bold, for a renderer's font table.
pub(super) fn files() -> [&'static [u8]; 2] {
    [REGULAR, BOLD]
}

/// Makes the font known to plotters, once.
///
/// # Errors
/// When the bundled font is damaged.
pub(super) fn register() -> Result<(), FigureError> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let done = DONE.get_or_init(|| register_font(FAMILY, FontStyle::Normal, REGULAR).is_ok() && register_font(FAMILY, FontStyle::Bold, BOLD).is_ok());
    if *done { Ok(()) } else { Err(FigureError::Draw("the bundled font DejaVu Sans cannot be read".to_owned())) }
}

/// Width of `text` at `size`, both in points.
pub fn width(text: &str, size: f64, bold: bool) -> f64 {
    // Measured large, because plotters counts whole pixels.
    const LARGE: f64 = 1000.0;
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let measured = register().ok().and_then(|()| FontDesc::new(FontFamily::Name(FAMILY), LARGE, style).box_size(text).ok());
    // Without a font half an em a sign is near enough to go on with.
    measured.map_or(text.chars().count() as f64 * 0.55 * size, |(w, _)| f64::from(w) / LARGE * SPAN * size)
}

/// `text` in lines of at most `room` points, the first of them `indent` shorter. A word that is longer than a line
/// is broken.
pub fn wrap(text: &str, size: f64, room: f64, indent: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        for (i, piece) in pieces(word, size, room).into_iter().enumerate() {
            let room = if lines.len() == 1 { room - indent } else { room };
            let line = lines.last().map_or("", String::as_str);
            let joined = if line.is_empty() || i > 0 { format!("{line}{piece}") } else { format!("{line} {piece}") };
            let fits = width(&joined, size, false) <= room || (line.is_empty() && lines.len() > 1);
            match lines.last_mut() {
                Some(last) if fits => *last = joined,
                _ => lines.push(piece),
            }
        }
    }
    lines
}

/// A word, cut where it is longer than a line.
fn pieces(word: &str, size: f64, room: f64) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let whole = width(word, size, false) <= room;
    for c in word.chars() {
        match pieces.last_mut() {
            Some(last) if whole || last.is_empty() || width(last, size, false) + size <= room => last.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans: "0" is 1303 of 2048 units wide, in bold 1425.
        assert!((width("0000", 10.0, false) - 4.0 * 10.0 * 1303.0 / 2048.0).abs() < 0.1);
        assert!((width("0000", 10.0, true) - 4.0 * 10.0 * 1425.0 / 2048.0).abs() < 0.1);
    }

    #[test]
    fn lines_fit_and_lose_nothing() {
        let text = "Epoch 0 is the original backdoor ASR and CA before fine-tuning, anunbreakablewordthatislongerthanaline and more.";
        let lines = wrap(text, 7.0, 90.0, 30.0);
        assert!(lines.iter().all(|l| width(l, 7.0, false) <= 90.0) && width(&lines[0], 7.0, false) <= 60.0, "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
    }
}
