//! One file a panel, each with a free `render`.

pub mod browse;
mod browsed;
pub mod chart;
pub mod choices;
pub mod compare;
pub mod confirm;
pub mod cost;
pub mod curves;
pub mod evidence;
pub mod figures;
pub mod footer;
pub mod header;
pub mod help;
pub mod lens;
pub mod message;
pub mod numbers;
pub mod schedule;
pub mod sequela;
pub mod setup;
pub mod strip;
pub mod sweep;
pub mod verdict;

use super::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// What stands around a screen that has the whole terminal: the header, its own `title` line, news and keys. Returns what is
/// between.
pub fn around(frame: &mut Frame, area: Rect, view: &View, title: fn(&mut Frame, Rect, &View)) -> Rect {
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::render(frame, row(area.y), view);
    title(frame, row(area.y + 1), view);
    strip::render(frame, row(area.bottom() - 2), view);
    footer::render(frame, row(area.bottom() - 1), view);
    Rect { y: area.y + 2, height: area.height - 4, ..area }
}
