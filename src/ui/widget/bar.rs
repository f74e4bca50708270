//! A bar of progress.

use crate::ui::view::View;
use ratatui::text::Span;

/// `width` columns of which the share `done` is full.
pub fn bar(view: &View, done: f64, width: usize) -> [Span<'static>; 2] {
    let full = if done.is_finite() { (done.clamp(0.0, 1.0) * width as f64).round() as usize } else { 0 };
    [view.ink(view.glyphs.full.repeat(full), view.theme.good), view.ink(view.glyphs.empty.repeat(width - full), view.theme.grid)]
}
