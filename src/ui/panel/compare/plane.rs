//! CA against ASR: the lower right is where a defense should lead.

use super::curves::chart;
use crate::app::compare::Pane;
use crate::figure::scene::Panel;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    let panel = Panel { title: "CA and ASR".to_owned(), absent: Some("not drawn yet".to_owned()), ..Panel::default() };
    let _ = compare;
    chart(frame, area, view, &panel, Pane::Plane);
}
