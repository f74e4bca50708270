//! CA against ASR: the lower right is where a defense should lead. The selected row has its way by epoch, and so have
//! runs that go on; the front holds what nothing surpasses.
//!
//! ```text
//! ╭ CA and ASR ────────────── ★ super-fine-tuning ╮
//! │100%┤                            ✖             │
//! │ 50%┤                     ⢀⠔⠁                  │
//! │  0%┤          ▼⠒⠒⠒⠒⠒⠒⠒★       better ↘        │
//! │    └┬────────┬────────┬                       │
//! │    0.90     0.95     1.00         CA          │
//! ╰───────────────────────────────────────────────╯
//! ```

use super::curves::chart;
use crate::app::compare::Pane;
use crate::ui::view::View;
use ratatui::Frame;
use ratatui::layout::Rect;

/// Draws the panel.
pub fn render(frame: &mut Frame, area: Rect, view: &View) {
    let compare = &view.state.compare;
    chart(frame, area, view, &compare.comparison.plane(compare.selected()), Pane::Plane);
}
