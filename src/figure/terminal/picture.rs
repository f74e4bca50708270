//! A picture in a terminal: two pixels a cell as half-blocks, or a ramp of characters where there are no colours.

use super::inks::Inks;
use crate::figure::scene::Picture;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

/// From dark to bright.
const RAMP: &[u8] = b" .:-=+*#%@";

/// The character for a grey level in 0..1, from dark to bright.
pub fn ramp(grey: f64) -> char {
    let level = (grey * (RAMP.len() - 1) as f64).round() as usize;
    char::from(RAMP[level.min(RAMP.len() - 1)])
}

/// The pixels that cell `at` of `cells` covers, at least one.
pub fn span(at: u16, cells: u16, pixels: usize) -> std::ops::Range<usize> {
    let edge = |k: u16| usize::from(k) * pixels / usize::from(cells.max(1));
    let (from, to) = (edge(at), edge(at + 1));
    from.min(pixels.saturating_sub(1))..to.max(from + 1).min(pixels)
}

/// Draws `picture` in the middle of the top of `area`, as large as its proportions allow.
pub(super) fn draw(picture: &Picture, inks: &dyn Inks, area: Rect, buf: &mut Buffer) {
    let (width, height) = (picture.width.max(1) as f64, picture.height.max(1) as f64);
    // A cell is twice as high as wide.
    let columns = f64::from(area.width).min(2.0 * f64::from(area.height) * width / height).floor() as u16;
    let rows = ((f64::from(columns) * height / width / 2.0).round() as u16).clamp(u16::from(columns > 0), area.height);
    let left = area.x + (area.width - columns) / 2;
    for y in 0..rows {
        for x in 0..columns {
            let Some(cell) = buf.cell_mut((left + x, area.y + y)) else { continue };
            if !inks.colours() {
                let [r, g, b] = mean(picture, (x, columns), (y, rows)).map(f64::from);
                let grey = (0.299 * r + 0.587 * g + 0.114 * b) / 255.0;
                cell.set_char(ramp(grey));
            } else {
                let half = |k: u16| mean(picture, (x, columns), (2 * y + k, 2 * rows));
                let colour = |[r, g, b]: [u8; 3]| Color::Rgb(r, g, b);
                cell.set_char('▀').set_style(Style::new().fg(colour(half(0))).bg(colour(half(1))));
            }
        }
    }
}

/// Mean colour of the pixels that a part of the picture covers: column and row, each of so many.
fn mean(picture: &Picture, x: (u16, u16), y: (u16, u16)) -> [u8; 3] {
    let (xs, ys) = (span(x.0, x.1, picture.width), span(y.0, y.1, picture.height));
    let count = (xs.len() * ys.len()).max(1);
    let mut sums = [0usize; 3];
    for (x, y) in ys.flat_map(|y| xs.clone().map(move |x| (x, y))) {
        sums.iter_mut().zip(picture.at(x, y)).for_each(|(sum, v)| *sum += usize::from(v));
    }
    sums.map(|sum| (sum / count) as u8)
}
