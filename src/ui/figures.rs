//! The Figures screen: the list, and the figure under the cursor as the terminal can draw it.
//!
//! ```text
//! 110x24 and up         smaller
//! header                header
//! scale, progress       scale, progress
//! list | preview        list, or preview: Tab
//! news                  news
//! keys                  keys
//! ```

use super::panel::around;
use super::panel::figures::{list, preview, title};
use super::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns from which list and preview stand side by side.
const BOTH: u16 = 110;

/// Draws the screen.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let middle = around(frame, area, view, title::render);
    let large = view.state.figures.large;
    if !large && area.width >= BOTH {
        let left = (area.width * 38 / 100).clamp(44, 72);
        list::render(frame, Rect { width: left, ..middle }, view);
        preview::render(frame, Rect { x: middle.x + left, width: middle.width - left, ..middle }, view);
    } else if large {
        preview::render(frame, middle, view);
    } else {
        list::render(frame, middle, view);
    }
}
