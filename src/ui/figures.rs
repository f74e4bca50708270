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

use super::panel::figures::{list, preview, title};
use super::panel::{footer, header, strip};
use super::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Columns from which list and preview stand side by side.
const BOTH: u16 = 110;

/// Draws the screen.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::render(frame, row(area.y), view);
    title::render(frame, row(area.y + 1), view);
    strip::render(frame, row(area.bottom() - 2), view);
    footer::render(frame, row(area.bottom() - 1), view);
    let middle = Rect { y: area.y + 2, height: area.height - 4, ..area };
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
